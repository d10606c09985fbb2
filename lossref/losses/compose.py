"""Sums of losses, weighted by numbers or by schedules, with penalties beside them: ``0.7 * Huber() + 0.3 * MAE()``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from lossref._arrays import Array
from lossref._terms import Sum, Term, added
from lossref.losses.base import PredictionLoss
from lossref.regularizers.compose import CombinedPenalty


def family(loss: PredictionLoss) -> type[PredictionLoss]:
    """What a loss compares: elements, or rows."""
    return next(parent for parent in type(loss).__mro__ if PredictionLoss in parent.__bases__)


@dataclass(frozen=True, repr=False)
class Combined(Sum):
    r"""A weighted sum of losses, which is a loss.

    .. math::

       L = \sum_k c_k \, L_k

    Made by ``+``, ``-`` and ``*``: ``0.7 * Huber() + 0.3 * MAE()``. A factor is a number, a negative one too (what is
    subtracted is rewarded), or a schedule, and then the weight changes with the step that the methods take as ``t``.

    Parameters
    ----------
    terms : tuple of Term
        The losses and their factors, in their order.

    Notes
    -----
    The losses must compare the same things: elements with elements, or rows of scores with labels. Each keeps its own
    reduction, so a term that is a mean and one that is a sum may stand side by side, and the balance between them then
    depends on the size of the batch. All results are those of the terms times the factors, added from left to right:
    a factor of 0 times a term that is infinite is NaN.

    The sum costs what its terms cost, and for each term after the first one more pass through memory. Beside the
    result, no more than two arrays of its size are alive at any time.

    Examples
    --------
    >>> import lossref
    >>> loss = 0.7 * lossref.Huber() + 0.3 * lossref.MAE()
    >>> loss
    0.7*Huber(delta=1.0) + 0.3*MAE()
    >>> loss([3.0, -0.5], [0.0, 0.0]), loss.grad([3.0, -0.5], [0.0, 0.0])
    (1.44375, array([ 0.5  , -0.325]))

    From squared to absolute error in a hundred steps:

    >>> fade = lossref.Cosine(peak=1.0, steps=100)
    >>> curriculum = lossref.MAE() + fade * (lossref.MSE() - lossref.MAE())
    >>> [curriculum([3.0], [0.0], t=t) for t in (0, 100)]
    [9.0, 3.0]
    >>> curriculum.at(0)
    MAE() + MSE() - MAE()
    """

    terms: tuple[Term, ...]

    def __post_init__(self) -> None:
        first = self.terms[0].of
        for term in self.terms[1:]:
            if family(term.of) is not family(first):
                raise TypeError(
                    f"Combined: {type(first).__name__} is a {family(first).__name__} and {type(term.of).__name__} a "
                    f"{family(term.of).__name__}; they take predictions of different shapes and have no sum. Call them "
                    "apart and add their values"
                )

    def _summed(self) -> Combined:
        return Combined(tuple(replace(term, of=term.of._summed()) for term in self.terms))

    def __call__(self, pred: Any, target: Any, *, weight: Any = None, t: Any = None) -> float:
        """Return the sum of the losses' reduced values, times their factors.

        Parameters
        ----------
        pred, target, weight : array_like
            As each of the losses takes them.
        t : int or float, optional
            The step; needed if a factor is a schedule.

        Returns
        -------
        float
            The sum.
        """
        terms = self.at(t).terms
        return float(sum(term.number * term.of(pred, target, weight=weight) for term in terms))

    def values(self, pred: Any, target: Any, *, weight: Any = None, out: Array | None = None, t: Any = None) -> Any:
        """Return the sum for each element (or row), not reduced.

        Parameters
        ----------
        pred, target, weight, out
            As of :meth:`lossref.MSE.values`.
        t : int or float, optional
            The step; needed if a factor is a schedule.
        """
        return added(self.at(t).terms, out, lambda loss, place: loss.values(pred, target, weight=weight, out=place))

    def grad(self, pred: Any, target: Any, *, weight: Any = None, out: Array | None = None, t: Any = None) -> Any:
        """Return the gradient of the sum with respect to the predictions.

        Parameters
        ----------
        pred, target, weight, out
            As of :meth:`lossref.MSE.grad`.
        t : int or float, optional
            The step; needed if a factor is a schedule.
        """
        return added(self.at(t).terms, out, lambda loss, place: loss.grad(pred, target, weight=weight, out=place))

    def value_and_grad(
        self, pred: Any, target: Any, *, weight: Any = None, out: Array | None = None, t: Any = None
    ) -> tuple[float, Any]:
        """Return the sum and its gradient, computed together.

        Parameters
        ----------
        pred, target, weight, out
            As of :meth:`lossref.MSE.value_and_grad`.
        t : int or float, optional
            The step; needed if a factor is a schedule.
        """
        terms, costs = self.at(t).terms, []

        def ask(loss: Any, place: Array | None) -> Any:
            cost, slope = loss.value_and_grad(pred, target, weight=weight, out=place)
            costs.append(cost)
            return slope

        slope = added(terms, out, ask)
        return float(sum(term.number * cost for term, cost in zip(terms, costs, strict=True))), slope

    def curvature(self, pred: Any, target: Any, *, weight: Any = None, out: Array | None = None, t: Any = None) -> Any:
        """Return the diagonal of the Hessian of the sum.

        Parameters
        ----------
        pred, target, weight, out
            As of :meth:`lossref.MSE.curvature`.
        t : int or float, optional
            The step; needed if a factor is a schedule.
        """
        return added(self.at(t).terms, out, lambda loss, place: loss.curvature(pred, target, weight=weight, out=place))


@dataclass(frozen=True, repr=False)
class Penalized(Sum):
    r"""Losses and penalties in one objective: what is to be minimized, as a function of predictions and parameters.

    .. math::

       L(\hat y, y) + R(w)

    Made by ``+``: ``MSE() + L2(lam=1e-4)``. Its methods take the parameters as ``w``, one array, beside the
    predictions, and its gradient has two parts: one in the predictions, which the model takes back to its parameters,
    and one in the parameters directly, which is to be added to that.

    Parameters
    ----------
    loss : Combined
        The losses.
    penalty : CombinedPenalty
        The penalties.

    Notes
    -----
    A penalty is a sum over all parameters and not divided by anything. Beside a loss that is a mean its strength does
    not depend on the number of samples, beside a loss that is a sum it counts for less the more there are.

    Examples
    --------
    >>> import lossref
    >>> objective = lossref.MSE() + lossref.L2(lam=0.5)
    >>> objective
    MSE() + L2(lam=0.5, half=False)
    >>> objective.value_and_grad([3.0, -1.0], [1.0, 0.0], w=[2.0])
    (4.5, (array([ 2., -1.]), array([2.])))
    """

    loss: Combined
    penalty: CombinedPenalty

    @property
    def terms(self) -> tuple[Term, ...]:  # type: ignore[override]
        """The terms of both parts."""
        return (*self.loss.terms, *self.penalty.terms)

    def _given(self, w: Any) -> Any:
        """The parameters, if they were given."""
        if w is None:
            raise TypeError(f"Penalized: {self.penalty!r} is a penalty on the parameters; pass them as w=")
        return w

    def __call__(self, pred: Any, target: Any, *, w: Any = None, weight: Any = None, t: Any = None) -> float:
        """Return the objective.

        Parameters
        ----------
        pred, target, weight : array_like
            As the losses take them.
        w : array_like
            The parameters that the penalties are on.
        t : int or float, optional
            The step; needed if a factor is a schedule.

        Returns
        -------
        float
            The sum.
        """
        now = self.at(t)
        return float(now.loss(pred, target, weight=weight) + now.penalty(self._given(w)))

    def values(self, pred: Any, target: Any, *, weight: Any = None, out: Array | None = None, t: Any = None) -> Any:
        """Return the losses of each element (or row), not reduced: a penalty belongs to none of them.

        Parameters
        ----------
        pred, target, weight, out, t
            As of :meth:`lossref.losses.Combined.values`.
        """
        return self.loss.values(pred, target, weight=weight, out=out, t=t)

    def grad(
        self, pred: Any, target: Any, *, w: Any = None, weight: Any = None, out: Any = (None, None), t: Any = None
    ) -> tuple[Any, Any]:
        """Return the gradient in the predictions and the gradient in the parameters.

        Parameters
        ----------
        pred, target, w, weight, t
            As when the objective is called.
        out : tuple of numpy.ndarray, optional
            Where to write the two.

        Returns
        -------
        tuple of numpy.ndarray
            In the predictions, and in the parameters.
        """
        now, (place, other) = self.at(t), out
        pull = now.penalty.grad(self._given(w), out=other)
        return now.loss.grad(pred, target, weight=weight, out=place), pull

    def value_and_grad(
        self, pred: Any, target: Any, *, w: Any = None, weight: Any = None, out: Any = (None, None), t: Any = None
    ) -> tuple[float, tuple[Any, Any]]:
        """Return the objective and its two gradients, computed together.

        Parameters
        ----------
        pred, target, w, weight, out, t
            As of :meth:`grad`.

        Returns
        -------
        value : float
            What calling the objective returns.
        grad : tuple of numpy.ndarray
            What :meth:`grad` returns.
        """
        now, (place, other) = self.at(t), out
        cost, pull = now.penalty.value_and_grad(self._given(w), out=other)
        value, slope = now.loss.value_and_grad(pred, target, weight=weight, out=place)
        return value + cost, (slope, pull)

    def curvature(self, pred: Any, target: Any, *, weight: Any = None, out: Array | None = None, t: Any = None) -> Any:
        """Return the second derivatives in the predictions, in which the penalties have none.

        Parameters
        ----------
        pred, target, weight, out, t
            As of :meth:`lossref.losses.Combined.curvature`.
        """
        return self.loss.curvature(pred, target, weight=weight, out=out, t=t)
