"""What a regularizer is: a penalty on the parameters themselves, with its gradient and proximal map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lossref import _backend, _fallback
from lossref import symbolic as sp
from lossref._arrays import Array, ordered_sum
from lossref._formula import Formula
from lossref._parameters import Range, positive
from lossref._terms import Composable

STEP: Range = positive().metadata["range"]


class Enveloped:
    """What follows from a proximal map: the Moreau envelope, a smooth function below the penalty."""

    if TYPE_CHECKING:

        def __call__(self, w: Any) -> float: ...
        def prox(self, w: Any, step: float) -> Any: ...

    def envelope(self, w: Any, step: float) -> float:
        r"""Return the Moreau envelope: the least sum of the penalty elsewhere and the squared way to there.

        .. math::

           M(w) = \min_u \; R(u) + \frac{1}{2\eta} \lVert u - w \rVert^2

        It lies below the penalty, has the same minima, and is smooth where the penalty has kinks. That of
        :class:`~lossref.L1` is :class:`~lossref.Huber`'s loss.

        Parameters
        ----------
        w : array_like
            Parameters, of any shape that the penalty takes.
        step : float > 0
            The step :math:`\eta` of the proximal map. The smaller, the nearer the envelope is to the penalty.

        Returns
        -------
        float
            The penalty at the proximal point, and the half squared distance to it over the step.

        Examples
        --------
        >>> import lossref
        >>> lossref.L1(lam=1.0).envelope([3.0, -0.5], step=1.0)
        2.625
        >>> lossref.Huber(delta=1.0, reduction="sum")([3.0, -0.5], [0.0, 0.0])
        2.625
        """
        nearest = self.prox(w, step)
        with np.errstate(all="ignore"):
            way = np.asarray(np.subtract(w, nearest), np.float64)
            return self(nearest) + ordered_sum(way * way) / (2 * step)

    def envelope_grad(self, w: Any, step: float) -> Any:
        r"""Return the gradient of the Moreau envelope, :math:`(w - \operatorname{prox}(w)) / \eta`.

        Parameters
        ----------
        w, step
            As of :meth:`envelope`.

        Returns
        -------
        numpy.ndarray
            Of the shape and dtype of ``w``. It is as exact as the difference: far from zero, the digits that a short
            way loses beside a large parameter are lost here.
        """
        nearest = self.prox(w, step)
        with np.errstate(all="ignore"):
            return np.divide(np.subtract(w, nearest, dtype=nearest.dtype), nearest.dtype.type(step))


@dataclass(frozen=True, kw_only=True)
class Penalty(Enveloped, Formula, Composable):
    """A penalty: called on parameters, it gives a number; its methods give the gradient and the proximal map.

    A subclass gives ``formula(w, ...)`` and ``prox_formula(w, step, ...)`` for one parameter, and in NumPy
    ``reference(w)``, which returns terms and slopes, and ``reference_prox(w, step)``.
    """

    #: How errors name the array.
    arrays: ClassVar[tuple[str, str]] = ("w", "w")
    exact = True
    _mean: ClassVar[bool] = False

    #: The kernels of the NumPy backend.
    fallback: ClassVar[type] = _fallback.Penalty

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        _fallback.kernels |= {cls.name + form: cls.fallback() for form in cls.forms}

    @_backend.in_c
    def __call__(self, w: Any) -> float:
        """Return the penalty: the sum over all parameters.

        Parameters
        ----------
        w : array_like
            Parameters, of any shape.

        Returns
        -------
        float
            The sum of the terms; 0 for no parameters.
        """
        value: float = _backend.kernels[self._kernel].value(self, w)
        return value

    @_backend.in_c
    def grad(self, w: Any, *, out: Array | None = None) -> Any:
        """Return the gradient, with the subgradient 0 at a kink.

        Parameters
        ----------
        w : array_like
            Parameters, of any shape.
        out : numpy.ndarray, optional
            Where to write the result: of the shape and dtype of ``w``. It may be ``w`` itself.

        Returns
        -------
        numpy.ndarray
            Of the shape and dtype of ``w``.
        """
        return _backend.kernels[self._kernel].grad(self, w, out)

    @_backend.in_c
    def value_and_grad(self, w: Any, *, out: Array | None = None) -> tuple[float, Any]:
        """Return the penalty and its gradient, computed together in one pass.

        Parameters
        ----------
        w : array_like
            Parameters, of any shape.
        out : numpy.ndarray, optional
            Where to write the gradient: of the shape and dtype of ``w``. It may be ``w`` itself.

        Returns
        -------
        value : float
            What calling the penalty returns.
        grad : numpy.ndarray
            What :meth:`grad` returns.
        """
        both: tuple[float, Any] = _backend.kernels[self._kernel].value_and_grad(self, w, out)
        return both

    def prox(self, w: Any, step: float, *, out: Array | None = None) -> Any:
        r"""Return the proximal map: the point that balances the penalty against the distance from ``w``.

        .. math::

           \operatorname{prox}(w) = \arg\min_u \; \eta R(u) + \tfrac12 \lVert u - w \rVert^2

        Parameters
        ----------
        w : array_like
            Parameters, of any shape.
        step : float > 0
            The weight :math:`\eta` of the penalty: in proximal gradient descent, the learning rate.
        out : numpy.ndarray, optional
            Where to write the result: of the shape and dtype of ``w``. It may be ``w`` itself.

        Returns
        -------
        numpy.ndarray
            Of the shape and dtype of ``w``.
        """
        return _backend.kernels[self._kernel].prox(self, w, STEP.check(type(self).__name__, "step", step), out)

    def reference(self, w: Array) -> tuple[Array, Array]:
        """Terms and slopes in NumPy, as one would write them on paper."""
        raise NotImplementedError

    def reference_prox(self, w: Array, step: float) -> Array:
        """The proximal map in NumPy."""
        raise NotImplementedError

    @staticmethod
    def prox_formula(*args: Any) -> Any:
        """The proximal map of one parameter: symbols in, a SymPy expression out."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class StructuredPenalty(Penalty):
    """A penalty that looks at several parameters together.

    Its ``formula`` takes a tuple of symbols, as many as :meth:`parameters_shown` says, and ``prox_formula`` returns a
    tuple. The terms that ``reference`` returns beside the slopes may be fewer than the parameters.
    """

    fallback = _fallback.Structured

    def arguments(self) -> dict[str, Any]:
        return super().arguments() | {"w": sp.symbols(f"w1:{self.parameters_shown() + 1}", real=True)}

    def parameters_shown(self) -> int:
        """How many parameters a printed formula has."""
        return 3

    def check_parameters(self, w: Array) -> None:
        """Refuse parameters of a shape that the penalty cannot be taken of."""
