"""The NumPy backend: the entries of ``_kernels/entry.pyx`` once more, on top of each formula's own ``reference``.

The steps and their order are those of the compiled drivers, so that formulas of exact algebra give the same bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lossref._arrays import Array, ordered_sum, prepare

#: The kernels of this backend, by name; each formula's class enters its own when it is defined.
kernels: dict[str, Any] = {}


class Elementwise:
    """What losses and penalties share."""

    def both(self, formula: Any, a: Array, b: Array) -> tuple[Array, Array]:
        """Values and slopes."""
        raise NotImplementedError

    def total(self, formula: Any, a: Any, b: Any, weight: Any = None) -> float:
        """The reduced value."""
        a, b, weights, _, denominator, _ = prepare(formula, a, b, weight, None, wants_array=False)
        with np.errstate(all="ignore"):
            values, _ = self.both(formula, a, b)
            return float(np.divide(ordered_sum(weighted(values, weights)), denominator))

    def total_and_slopes(self, formula: Any, a: Any, b: Any, weight: Any, out: Any) -> tuple[float, Any]:
        """The reduced value and its gradient."""
        a, b, weights, buffer, denominator, deliver = prepare(formula, a, b, weight, out, wants_array=True)
        with np.errstate(all="ignore"):
            values, slopes = self.both(formula, a, b)
            total = float(np.divide(ordered_sum(weighted(values, weights)), denominator))
            slopes = scaled(weighted(slopes, weights), denominator)
        return total, hand_over(slopes, buffer, deliver)

    def each(self, formula: Any, results: Any, a: Any, b: Any, weight: Any, out: Any, *, scale: bool) -> Any:
        """One array: what ``results`` makes of the elements, weighted; scaled if it is a derivative of the mean."""
        a, b, weights, buffer, denominator, deliver = prepare(formula, a, b, weight, out, wants_array=True)
        with np.errstate(all="ignore"):
            array = weighted(results(a, b), weights)
            array = scaled(array, denominator) if scale else array
        return hand_over(array, buffer, deliver)


def weighted(array: Array, weights: Array | None) -> Array:
    """Each element times its weight."""
    return array if weights is None else array * weights


def scaled(array: Array, denominator: float) -> Array:
    """The derivative of a sum made that of a mean: times the reciprocal, as in the drivers; 0 for an empty mean."""
    slopes: Array = array * array.dtype.type(1 / denominator if denominator else 0)
    return slopes


def hand_over(array: Array, buffer: Array | None, deliver: Any) -> Any:
    """Give the caller the result in the form it was asked for."""
    if buffer is not None:
        buffer[...] = array
        array = buffer
    return array if deliver is None else deliver(array)


class Pointwise(Elementwise):
    """The kernel of a loss that compares predictions and targets one by one."""

    def both(self, formula: Any, a: Array, b: Array) -> tuple[Array, Array]:
        pair: tuple[Array, Array] = formula.reference(a, b)
        return pair

    def value(self, formula: Any, pred: Any, target: Any, weight: Any = None) -> float:
        return self.total(formula, pred, target, weight)

    def values(self, formula: Any, pred: Any, target: Any, weight: Any = None, out: Any = None) -> Any:
        return self.each(formula, lambda a, b: formula.reference(a, b)[0], pred, target, weight, out, scale=False)

    def grad(self, formula: Any, pred: Any, target: Any, weight: Any = None, out: Any = None) -> Any:
        return self.each(formula, lambda a, b: formula.reference(a, b)[1], pred, target, weight, out, scale=True)

    def value_and_grad(
        self, formula: Any, pred: Any, target: Any, weight: Any = None, out: Any = None
    ) -> tuple[float, Any]:
        return self.total_and_slopes(formula, pred, target, weight, out)

    def curvature(self, formula: Any, pred: Any, target: Any, weight: Any = None, out: Any = None) -> Any:
        return self.each(formula, formula.reference_curvature, pred, target, weight, out, scale=True)


class Penalty(Elementwise):
    """The kernel of a penalty on parameters, which has no target: the array stands in its own place."""

    def both(self, formula: Any, a: Array, b: Array) -> tuple[Array, Array]:
        pair: tuple[Array, Array] = formula.reference(a)
        return pair

    def value(self, formula: Any, w: Any) -> float:
        return self.total(formula, w, w)

    def grad(self, formula: Any, w: Any, out: Any = None) -> Any:
        return self.each(formula, lambda a, _: formula.reference(a)[1], w, w, None, out, scale=False)

    def value_and_grad(self, formula: Any, w: Any, out: Any = None) -> tuple[float, Any]:
        return self.total_and_slopes(formula, w, w, None, out)

    def prox(self, formula: Any, w: Any, step: float, out: Any = None) -> Any:
        return self.each(formula, lambda a, _: formula.reference_prox(a, step), w, w, None, out, scale=False)
