"""What is minimized: a function with its gradient, checked at every call, and counted."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from lossref._arrays import Array, as_floats, check_shape

DOUBLE = np.dtype(np.float64)
#: Around what tries steps: one that overflows or leads into NaN is taken back, and nobody need be warned of it.
quiet = np.errstate(over="ignore", invalid="ignore", divide="ignore")


def as_point(owner: str, name: str, value: Any) -> Array:
    """A copy of the argument as an array of float64 with one dimension or more, all of it finite."""
    point = np.array(as_floats(owner, name, value), dtype=DOUBLE, order="C")
    if point.ndim == 0:
        raise ValueError(f"{owner}: {name} is a single number; pass an array of one element")
    if not np.isfinite(point).all():
        place = np.unravel_index(np.argmin(np.isfinite(point)), point.shape)
        raise ValueError(f"{owner}: {name}[{', '.join(map(str, place))}] = {point[place]} is not a finite number")
    return point


def largest(array: Array) -> float:
    """The largest absolute value; NaN where there is one."""
    return float(np.abs(array).max(initial=0.0))


class Problem:
    r"""A function to be minimized, with what is known of its derivatives; it counts how often it is asked.

    Optimizers that search along a line need values besides gradients. They take them from here, and what a function
    returns is checked here, once for all of them.

    Parameters
    ----------
    fun : callable
        ``fun(x)`` returns the value and the gradient, or with ``jac`` the value alone. It gets a copy of ``x``, an
        array of float64, which it may keep or overwrite; of what it returns a copy is kept.
    jac : callable, optional
        ``jac(x)`` returns the gradient, of the shape of ``x``.
    hess : callable, optional
        ``hess(x)`` returns the Hessian, of the shape ``(n, n)`` for the ``n`` elements of ``x``;
        :class:`~lossref.Newton` needs it.
    owner : str, default "Problem"
        Who speaks in the errors.

    Attributes
    ----------
    nfev, njev, nhev : int
        How many values, gradients and Hessians have been computed.

    Raises
    ------
    TypeError
        If one of them cannot be called; at a call, if the function returns something of the wrong kind.
    ValueError
        At a call, if something that is returned has another shape.

    Examples
    --------
    >>> import numpy as np
    >>> from lossref.optimizers import Problem
    >>> problem = Problem(lambda x: (x @ x / 2, x))
    >>> problem.value_and_grad(np.array([3.0, 4.0]))
    (12.5, array([3., 4.]))
    >>> problem.nfev, problem.njev
    (1, 1)
    """

    def __init__(
        self,
        fun: Callable[[Array], Any],
        jac: Callable[[Array], Any] | None = None,
        hess: Callable[[Array], Any] | None = None,
        *,
        owner: str = "Problem",
    ) -> None:
        for name, function in (("fun", fun), ("jac", jac), ("hess", hess)):
            if not callable(function) and (name == "fun" or function is not None):
                raise TypeError(f"{owner}: {name} must be a function of x, got {type(function).__name__}")
        self.fun, self.jac, self.hess, self.owner = fun, jac, hess, owner
        self.nfev = self.njev = self.nhev = 0

    def value(self, x: Array) -> tuple[float, Array | None]:
        """Return the value at a point, and the gradient where the function gives it unasked."""
        found = self.fun(x.copy())
        self.nfev += 1
        if self.jac is not None:
            return self._as_value(found), None
        if not isinstance(found, tuple | list) or len(found) != 2:
            raise TypeError(
                f"{self.owner}: fun must return the value and the gradient, or jac must be given; "
                f"it returned {type(found).__name__}"
            )
        value, grad = self._as_value(found[0]), self._as_grad(found[1], x, "the gradient that fun returned")
        self.njev += 1
        return value, grad

    def grad(self, x: Array) -> Array:
        """Return the gradient at a point."""
        if self.jac is None:
            return self.value_and_grad(x)[1]
        grad = self._as_grad(self.jac(x.copy()), x, "the gradient that jac returned")
        self.njev += 1
        return grad

    def value_and_grad(self, x: Array) -> tuple[float, Array]:
        """Return the value and the gradient at a point."""
        value, grad = self.value(x)
        return value, self.grad(x) if grad is None else grad

    def hessian(self, x: Array) -> Array:
        """Return the Hessian at a point, all of it finite."""
        if self.hess is None:
            raise TypeError(f"{self.owner}: Newton needs the Hessian; give hess, a function of x that returns it")
        found = as_floats(self.owner, "the Hessian that hess returned", self.hess(x.copy()))
        check_shape(self.owner, "the Hessian that hess returned", found, "a Hessian of x", (x.size, x.size))
        self.nhev += 1
        return np.array(found, dtype=DOUBLE)

    def _as_value(self, found: Any) -> float:
        if isinstance(found, float):
            return float(found)
        if np.ndim(found) != 0:
            raise TypeError(f"{self.owner}: fun must return one number, it returned an array of {np.shape(found)}")
        return float(as_floats(self.owner, "the value that fun returned", found))

    def _as_grad(self, found: Any, x: Array, name: str) -> Array:
        if type(found) is not np.ndarray or found.dtype != DOUBLE or found.shape != x.shape:
            found = as_floats(self.owner, name, found).astype(DOUBLE)
            check_shape(self.owner, name, found, "x", x.shape)
        grad: Array = found.copy()
        return grad


def is_finite(value: float, grad: Array) -> bool:
    """Can one go on from here?"""
    return math.isfinite(value) and bool(np.isfinite(grad).all())
