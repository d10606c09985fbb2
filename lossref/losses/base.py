"""What a loss is: a number for how wrong predictions are, the gradient that mends them, and the curvature."""

from __future__ import annotations

import dataclasses
import warnings
from typing import Any, ClassVar, Self

import numpy as np

from lossref import _backend, _fallback
from lossref import symbolic as sp
from lossref._arrays import Array, check_out, deliver_values, ordered_sum, prepare_batch
from lossref._formula import Formula
from lossref._parameters import choice
from lossref._terms import Composable
from lossref.notation import SYMBOLS


@dataclasses.dataclass(frozen=True, kw_only=True)
class Properties:
    """What is proven of a loss as a function of one prediction (or of all that is learned, where that is more: of one
    element of each learned array, together); the tests hold each line against the formula.

    What holds for some settings only, such as ``symmetric``, is a condition on the hyper-parameters: ``"Eq(q, 1/2)"``.
    ``lipschitz`` bounds the absolute slope and ``smoothness`` the curvature; both are expressions in the
    hyper-parameters, or None where there is no bound. ``minimizer`` is the statistic of the targets that the best
    constant prediction equals. ``proper`` says whether who predicts the true probabilities of the classes does best; it
    is None for predictions that stand for no probabilities."""

    convex: bool | str
    differentiable: bool | str
    symmetric: bool | str
    lipschitz: str | None
    smoothness: str | None
    minimizer: str
    proper: bool | str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Invariances:
    """What may be done to all rows of a sample alike and changes nothing; the tests hold each line against the kernels.

    What holds for some settings only is a condition on the hyper-parameters: ``"Eq(p, 2)"``."""

    moved: bool
    turned: bool | str
    stretched: bool


@dataclasses.dataclass(frozen=True, kw_only=True)
class Loss(Formula):
    """The base of all losses: what they say of themselves, and how values become one number."""

    reduction: str = choice("mean", ("mean", "sum"))

    #: How errors name the arrays, in the order in which they are given.
    arrays: ClassVar[tuple[str, ...]] = ("pred", "target")
    #: Is its target a label, -1 or +1, and anything else refused?
    signs: ClassVar[bool] = False
    properties: ClassVar[Properties | Invariances]

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "_mean", self.reduction == "mean")


@dataclasses.dataclass(frozen=True, kw_only=True)
class PredictionLoss(Loss, Composable):
    """A loss of predictions against targets: called, it gives the reduced value; its methods give the values one by
    one, the gradient in the predictions, and the curvature.
    """

    properties: ClassVar[Properties]

    def _summed(self) -> Self:
        """This loss with a sum for its reduction: a derivative in one element is then that of the element alone."""
        return dataclasses.replace(self, reduction="sum")

    @_backend.in_c
    def __call__(self, pred: Any, target: Any, *, weight: Any = None) -> float:
        """Return the mean (or sum) of the loss over all elements.

        Parameters
        ----------
        pred : array_like
            Predictions, of any shape.
        target : array_like
            What they should have been, of the shape of ``pred``.
        weight : array_like, optional
            One number for each sample (row of ``pred``). A weight of 2 counts the sample twice: the mean is
            ``sum(weight * values) / sum(weight)``.

        Returns
        -------
        float
            The reduced value. Over no elements, or with weights that sum to zero, the mean is NaN, with a
            ``RuntimeWarning``.

        Raises
        ------
        TypeError
            If an argument is of the wrong kind.
        ValueError
            If shapes differ: nothing is broadcast. If a target is no label of a loss of classes.
        """
        value: float = _backend.kernels[self._kernel].value(self, pred, target, weight)
        return value

    @_backend.in_c
    def values(self, pred: Any, target: Any, *, weight: Any = None, out: Array | None = None) -> Any:
        """Return the loss of each element, not reduced.

        Parameters
        ----------
        pred, target, weight : array_like
            As when the loss is called.
        out : numpy.ndarray, optional
            Where to write the result: of the shape and dtype of ``pred``. It may be ``pred`` itself.

        Returns
        -------
        numpy.ndarray
            The values, times their weights where weights are given.
        """
        return _backend.kernels[self._kernel].values(self, pred, target, weight, out)

    @_backend.in_c
    def grad(self, pred: Any, target: Any, *, weight: Any = None, out: Array | None = None) -> Any:
        """Return the gradient of the reduced value with respect to the predictions.

        Parameters
        ----------
        pred, target, weight : array_like
            As when the loss is called.
        out : numpy.ndarray, optional
            Where to write the result: of the shape and dtype of ``pred``. It may be ``pred`` itself.

        Returns
        -------
        numpy.ndarray
            Of the shape and dtype of ``pred``.
        """
        return _backend.kernels[self._kernel].grad(self, pred, target, weight, out)

    @_backend.in_c
    def value_and_grad(
        self, pred: Any, target: Any, *, weight: Any = None, out: Array | None = None
    ) -> tuple[float, Any]:
        """Return the reduced value and its gradient, computed together in one pass.

        Parameters
        ----------
        pred, target, weight : array_like
            As when the loss is called.
        out : numpy.ndarray, optional
            Where to write the gradient: of the shape and dtype of ``pred``. Large work is faster with it, for fresh
            memory costs more than the mathematics.

        Returns
        -------
        value : float
            What calling the loss returns.
        grad : numpy.ndarray
            What :meth:`grad` returns.
        """
        both: tuple[float, Any] = _backend.kernels[self._kernel].value_and_grad(self, pred, target, weight, out)
        return both

    @_backend.in_c
    def curvature(self, pred: Any, target: Any, *, weight: Any = None, out: Array | None = None) -> Any:
        """Return the diagonal of the Hessian of the reduced value.

        Parameters
        ----------
        pred, target, weight : array_like
            As when the loss is called.
        out : numpy.ndarray, optional
            Where to write the result: of the shape and dtype of ``pred``. It may be ``pred`` itself.

        Returns
        -------
        numpy.ndarray
            The second derivative in each prediction, 0 where the loss is a straight line.
        """
        return _backend.kernels[self._kernel].curvature(self, pred, target, weight, out)


@dataclasses.dataclass(frozen=True, kw_only=True)
class PointwiseLoss(PredictionLoss):
    """A loss that compares predictions and targets one by one.

    A subclass gives ``formula(pred, target, ...)`` for one element; ``reference(pred, target)``, which returns values
    and slopes; and ``reference_curvature(pred, target)``."""

    #: The targets that have a meaning: any "numbers", "probabilities", "counts" from 0 up, or "amounts" above 0. Other
    #: targets give NaN. (Labels are among the numbers here: what is none is refused, see ``signs``.)
    domain: ClassVar[str] = "numbers"

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        _fallback.kernels |= {cls.name + form: _fallback.Pointwise() for form in cls.forms}

    @property
    def letters(self) -> dict[str, str]:
        return {"pred": "f"} if self.signs or self.domain in ("counts", "amounts") else {}

    def reference(self, pred: Array, target: Array) -> tuple[Array, Array]:
        """Values and slopes in NumPy, as one would write them on paper."""
        raise NotImplementedError

    def reference_curvature(self, pred: Array, target: Array) -> Array:
        """Second derivatives in NumPy."""
        raise NotImplementedError


@dataclasses.dataclass(frozen=True, kw_only=True)
class RowwiseLoss(PredictionLoss):
    """A loss of a row of predictions, one for each class, against a label or a row of probabilities or relevances; or
    one for each element of a mask, against the mask.

    A subclass gives ``formula(pred, target, ...)``, where both are tuples of symbols, one a class; ``reference(pred,
    mass)``, which returns the values of the rows and the slopes; and ``reference_curvature(pred, mass)``. The mass of a
    row is its target with class weights and smoothing applied, as :meth:`target_spread` has them.
    """

    #: How many classes a printed formula has.
    shown_classes: ClassVar[int] = 3
    #: The forms of target it takes: "labels" (n,), and rows (n, C): "probabilities", "masks", whose elements are from 0
    #: to 1 and need not sum to 1, or "relevances", any numbers.
    targets: ClassVar[tuple[str, ...]] = ("labels", "probabilities")

    # What a loss without these settings does; annotated, they would be fields of every loss over rows.
    from_logits = False
    class_weight = None  # type: tuple[float, ...] | None
    ignore_index = None  # type: int | None
    label_smoothing = 0.0

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        _fallback.kernels |= {cls.name + form: _fallback.Rowwise() for form in cls.forms}

    def __post_init__(self) -> None:
        super().__post_init__()
        smooths = self._kernel.endswith("_smoothed")
        object.__setattr__(self, "_smooths", smooths)
        object.__setattr__(self, "_chances", "relevances" not in self.targets)
        # Targets that reach the kernel as they are: labels, where it may smooth them itself, and rows.
        plain = self.class_weight is None and self.ignore_index is None
        labels = plain and "labels" in self.targets and (self.label_smoothing == 0 or smooths)
        object.__setattr__(self, "_plain_labels", labels)
        rows = plain and self.targets != ("labels",) and self.label_smoothing == 0
        object.__setattr__(self, "_plain_rows", rows)

    @property
    def predictions(self) -> str:
        """What its predictions are: "logits", "probabilities", "log-probabilities", or "scores" without a softmax."""
        return "logits" if self.from_logits else "probabilities"

    def arguments(self) -> dict[str, Any]:
        arguments = super().arguments()
        count = self.shown_classes if self.class_weight is None else len(self.class_weight)
        for name in self.arrays:
            arguments[name] = sp.symbols(f"{name}1:{count + 1}", real=True)
        return arguments

    def target_spread(
        self, classes: int, kind: np.dtype[Any], probabilities: bool
    ) -> tuple[Array | None, Array | None]:
        """What a target of 1 and of 0 becomes: the factor of the target, and what every class gets beside it.

        Both are arrays over the classes; None stands for ones, or for zeros, where the kernel can do without them.
        Relevances have neither: they are no mass, and go to the kernel as they are.
        """
        if "relevances" in self.targets:
            return None, None
        weights = self.class_weight
        if weights is not None and len(weights) != classes:
            name = type(self).__name__
            raise ValueError(f"{name}: class_weight has {len(weights)} weights but pred has {classes} classes")
        each = np.ones(classes) if weights is None else np.asarray(weights)
        hot = ((1 - self.label_smoothing) * each).astype(kind)
        base = (self.label_smoothing / classes * each).astype(kind)
        if probabilities or self.label_smoothing:
            return hot, base
        return None if weights is None else hot, None

    def reference(self, pred: Array, mass: Array) -> tuple[Array, Array]:
        """Values of the rows and slopes in NumPy, as one would write them on paper."""
        raise NotImplementedError

    def reference_curvature(self, pred: Array, mass: Array) -> Array:
        """Second derivatives in NumPy."""
        raise NotImplementedError


@dataclasses.dataclass(frozen=True, kw_only=True)
class JointLoss(Loss):
    """A loss of several arrays of which more than one is learned, such as a mean and a variance, or an anchor and its
    neighbours. It has a gradient in each of those, given as a tuple in the order of ``learned``.
    """

    #: The arrays that have a gradient: the first ones of ``arrays``, all or some.
    learned: ClassVar[tuple[str, ...]]

    def __call__(self, *arrays: Any, weight: Any = None) -> float:
        """Return the mean (or sum) of the loss over all samples.

        Parameters
        ----------
        *arrays : array_like
            The arrays that the class names, in that order.
        weight : array_like, optional
            One number for each sample. A weight of 2 counts the sample twice: the mean is
            ``sum(weight * values) / sum(weight)``.

        Returns
        -------
        float
            The reduced value. Over no samples, or with weights that sum to zero, the mean is NaN, with a
            ``RuntimeWarning``.

        Raises
        ------
        TypeError
            If there are more or fewer arrays than the class names, or one is of the wrong kind.
        ValueError
            If shapes differ: nothing is broadcast. If a label is none.
        """
        value: float = _backend.kernels[self._kernel].value(self, self._counted(arrays), weight)
        return value

    def values(self, *arrays: Any, weight: Any = None, out: Array | None = None) -> Any:
        """Return the loss of each sample, not reduced.

        Parameters
        ----------
        *arrays, weight : array_like
            As when the loss is called.
        out : numpy.ndarray, optional
            Where to write the result: of its shape and dtype.

        Returns
        -------
        numpy.ndarray
            The values, times their weights where weights are given.
        """
        return _backend.kernels[self._kernel].values(self, self._counted(arrays), weight, out)

    def grad(self, *arrays: Any, weight: Any = None, out: Any = None) -> tuple[Any, ...]:
        """Return the gradients of the reduced value, one for each learned array.

        Parameters
        ----------
        *arrays, weight : array_like
            As when the loss is called.
        out : tuple of numpy.ndarray, optional
            Where to write the results: one array for each learned array, of its shape, in the precision of the first.

        Returns
        -------
        tuple of numpy.ndarray
            In the order of the arrays, each of the shape of the array it belongs to, in the precision of the first.
        """
        slopes: tuple[Any, ...] = _backend.kernels[self._kernel].grad(self, self._counted(arrays), weight, out)
        return slopes

    def value_and_grad(self, *arrays: Any, weight: Any = None, out: Any = None) -> tuple[float, tuple[Any, ...]]:
        """Return the reduced value and its gradients, computed together in one pass.

        Parameters
        ----------
        *arrays, weight : array_like
            As when the loss is called.
        out : tuple of numpy.ndarray, optional
            Where to write the gradients, as in :meth:`grad`.

        Returns
        -------
        value : float
            What calling the loss returns.
        grad : tuple of numpy.ndarray
            What :meth:`grad` returns.
        """
        both: tuple[float, tuple[Any, ...]] = _backend.kernels[self._kernel].value_and_grad(
            self, self._counted(arrays), weight, out
        )
        return both

    def curvature(self, *arrays: Any, weight: Any = None, out: Any = None) -> tuple[Any, ...]:
        """Return the diagonal of the Hessian of the reduced value, one array for each learned array.

        Parameters
        ----------
        *arrays, weight : array_like
            As when the loss is called.
        out : tuple of numpy.ndarray, optional
            Where to write the results, as in :meth:`grad`.

        Returns
        -------
        tuple of numpy.ndarray
            The second derivative in each element, 0 where the loss is a straight line.
        """
        bends: tuple[Any, ...] = _backend.kernels[self._kernel].curvature(self, self._counted(arrays), weight, out)
        return bends

    def _counted(self, arrays: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arrays, if there are as many as the class names."""
        if len(arrays) != len(self.arrays):
            name, wanted = type(self).__name__, ", ".join(self.arrays)
            raise TypeError(f"{name}: takes {len(self.arrays)} arrays ({wanted}), got {len(arrays)}")
        return arrays


@dataclasses.dataclass(frozen=True, kw_only=True)
class PairedLoss(JointLoss):
    """A loss of two learned arrays, element by element: the first two of ``arrays``, with a target or without.

    A subclass gives ``formula`` for one element of each array; ``reference``, which takes the arrays and returns the
    values, the slopes in the first and those in the second; and ``reference_curvature``, which returns both curvatures.
    """

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.learned = cls.arrays[:2]
        _fallback.kernels[cls.name] = _fallback.Paired()

    def reference(self, *arrays: Any) -> tuple[Array, Array, Array]:
        """Values and both slopes in NumPy, as one would write them on paper."""
        raise NotImplementedError

    def reference_curvature(self, *arrays: Any) -> tuple[Array, Array]:
        """Both second derivatives in NumPy."""
        raise NotImplementedError


@dataclasses.dataclass(frozen=True, kw_only=True)
class EmbeddingLoss(JointLoss):
    """A loss of two or three embeddings: each sample is a row of every learned array, and in some losses a label.

    A subclass gives ``formula``, in which a learned array is a tuple of symbols, one a coordinate; ``lengths``, the
    norms that the formula is made of, by their letters; ``reference(*arrays)``, which takes rows in float64 and returns
    the values and a tuple of slopes; and ``reference_curvature(*arrays)``.
    """

    #: How many coordinates a printed formula has.
    shown_coordinates: ClassVar[int] = 2
    #: The labels that the last array may hold; none if the loss has no labels.
    labels: ClassVar[tuple[int, ...]] = ()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        _fallback.kernels |= {cls.name + form: _fallback.Embedding() for form in cls.forms}

    def arguments(self) -> dict[str, Any]:
        arguments = super().arguments()
        for name in self.learned:
            arguments[name] = sp.symbols(f"{name}1:{self.shown_coordinates + 1}", real=True)
        return arguments

    def lengths(self) -> dict[str, Any]:
        """The norms in the formula, in the symbols of :meth:`arguments`, by the letters that the book gives them."""
        raise NotImplementedError

    def reference(self, *arrays: Array) -> tuple[Array, tuple[Array, ...]]:
        """Values of the samples and slopes in NumPy, as one would write them on paper."""
        raise NotImplementedError

    def reference_curvature(self, *arrays: Array) -> tuple[Array, ...]:
        """Second derivatives in NumPy."""
        raise NotImplementedError


@dataclasses.dataclass(frozen=True, kw_only=True)
class BatchLoss(Loss):
    """A loss of a whole batch, in which what a sample costs depends on all the others. It has the value, what each
    sample adds to it, and the gradient in all samples at once.

    It has no curvature. The diagonal of the Hessian says what becomes of the loss if one number changes and the rest
    of the batch stands still; here the rest is what a sample is compared with, and moves with it, so that the part of
    the Hessian that matters lies beside the diagonal.

    A subclass gives ``formula``, the mean over a small batch, and :meth:`parts`, what the rest is made of.
    """

    #: The arrays that have a gradient: the first ones of ``arrays``. What follows are labels.
    learned: ClassVar[tuple[str, ...]] = ("embeddings",)
    arrays: ClassVar[tuple[str, ...]] = ("embeddings", "labels")
    #: What a mean is not taken over when there are none.
    counted: ClassVar[str]
    #: The labels of the samples that a printed formula has, each a row of two numbers.
    shown: ClassVar[tuple[int, ...]] = (0, 0, 1)

    def arguments(self) -> dict[str, Any]:
        """Rows of symbols for what is learned, such as ``x11`` and ``x12``; labels are numbers."""
        arguments = super().arguments()
        for name in self.arrays:
            letter, places = SYMBOLS[name], range(1, len(self.shown) + 1)
            rows = tuple(sp.symbols((f"{letter}{i}1", f"{letter}{i}2"), real=True) for i in places)
            arguments[name] = rows if name in self.learned else self.shown
        return arguments

    def __call__(self, *arrays: Any) -> float:
        """Return the mean (or sum) of the loss over the batch.

        Parameters
        ----------
        *arrays : array_like
            The arrays that the class names, in that order: rows of numbers, one for each sample; labels, where there
            are any, are integers, whichever they are.

        Returns
        -------
        float
            The reduced value. The mean over nothing is NaN, with a ``RuntimeWarning``.

        Raises
        ------
        TypeError
            If there are more or fewer arrays than the class names, or one is of the wrong kind.
        ValueError
            If shapes differ: nothing is broadcast.
        """
        prepared, _ = self._prepared(arrays)
        terms, count, _ = self._checked_parts(prepared)
        if self.reduction == "mean" and count == 0:
            warnings.warn(
                f"{type(self).__name__}: the mean is NaN, for no {self.counted}", RuntimeWarning, stacklevel=2
            )
        return self._total(terms, count)

    def values(self, *arrays: Any, out: Array | None = None) -> Any:
        """Return what each sample adds to the sum.

        Parameters
        ----------
        *arrays : array_like
            As when the loss is called.
        out : numpy.ndarray, optional
            Where to write the result: one number for each sample, in the dtype of the first array.

        Returns
        -------
        numpy.ndarray
            Their sum is the value with ``reduction="sum"``.
        """
        prepared, kind = self._prepared(arrays)
        if out is not None:
            check_out(type(self).__name__, out, kind, prepared[0].shape[:1], {})
        return deliver_values(self._checked_parts(prepared)[0], out, kind)

    def grad(self, *arrays: Any, out: Any = None) -> Any:
        """Return the gradient of the reduced value.

        Parameters
        ----------
        *arrays : array_like
            As when the loss is called.
        out : numpy.ndarray, or a tuple of them, optional
            Where to write the results: of the shape and dtype of what is learned, which may be it itself.

        Returns
        -------
        numpy.ndarray, or a tuple of them
            Of the shape and dtype of what is learned; a tuple if that are several arrays. Zeros for a mean over
            nothing.
        """
        return self.value_and_grad(*arrays, out=out)[1]

    def value_and_grad(self, *arrays: Any, out: Any = None) -> tuple[float, Any]:
        """Return the reduced value and its gradient, computed together.

        Parameters
        ----------
        *arrays : array_like
            As when the loss is called.
        out : numpy.ndarray, or a tuple of them, optional
            Where to write the gradient, as in :meth:`grad`.

        Returns
        -------
        value : float
            What calling the loss returns.
        grad : numpy.ndarray, or a tuple of them
            What :meth:`grad` returns.
        """
        prepared, kind = self._prepared(arrays)
        given = self._checked_out(out, kind, prepared[0].shape)
        terms, count, slopes = self._checked_parts(prepared)
        scale = 1.0 if self.reduction == "sum" else 1 / count if count else 0.0
        grads = tuple(deliver_values(scale * s, room, kind) for s, room in zip(slopes, given, strict=True))
        return self._total(terms, count), grads if len(grads) > 1 else grads[0]

    def _prepared(self, arrays: tuple[Any, ...]) -> tuple[list[Array], np.dtype[Any]]:
        """The arrays in the form the batch is computed in, and the dtype of its gradients."""
        return prepare_batch(type(self).__name__, self.arrays, len(self.learned), arrays)

    def _total(self, terms: Array, count: int) -> float:
        """The reduced value."""
        with np.errstate(all="ignore"):
            return float(np.divide(ordered_sum(terms), count if self.reduction == "mean" else 1))

    def _checked_out(self, out: Any, kind: np.dtype[Any], shape: tuple[int, ...]) -> tuple[Any, ...]:
        """One array for each gradient, or None where the caller gave none."""
        if out is None:
            return (None,) * len(self.learned)
        given = (out,) if len(self.learned) == 1 else out
        if not isinstance(given, tuple) or len(given) != len(self.learned):
            raise TypeError(f"{type(self).__name__}: out must be a tuple of {len(self.learned)} arrays")
        for array in given:
            check_out(type(self).__name__, array, kind, shape, {})
        return given

    def _checked_parts(self, prepared: list[Array]) -> tuple[Array, int, tuple[Array, ...]]:
        """The parts, all NaN for a batch with a NaN or an infinity: each sample is compared with that one."""
        learned = prepared[: len(self.learned)]
        if all(np.isfinite(array).all() for array in learned):
            with np.errstate(all="ignore"):
                return self.parts(*prepared)
        return np.full(len(learned[0]), np.nan), 1, tuple(np.full_like(array, np.nan) for array in learned)

    def parts(self, *prepared: Array) -> tuple[Array, int, tuple[Array, ...]]:
        """What each sample adds to the sum, over how many things a mean is taken, and the slopes of the sum."""
        raise NotImplementedError
