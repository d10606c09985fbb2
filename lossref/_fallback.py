"""The NumPy backend: the entries of ``_kernels/entry.pyx`` once more, on top of each formula's own ``reference``.

The steps and their order are those of the compiled drivers, so that formulas of exact algebra give the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lossref._arrays import (
    Array,
    as_points,
    as_times,
    deliver_values,
    ordered_sum,
    prepare,
    prepare_embeddings,
    prepare_paired,
    prepare_rows,
)
from lossref._tensors import as_scale, checked, into_floats, into_pairs, write_all

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


#: Of a formula that a user states there is no compiled kernel: NumPy computes it on every backend.
CUSTOM: dict[str, Any] = {"custom": Pointwise()}
kernels |= CUSTOM


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


class Structured:
    """The kernel of a penalty that looks at several parameters together.

    A compiled chapter gives the two functions that compute; here they are the formula's own.
    """

    def __init__(
        self,
        both: Callable[[Any, Array], tuple[Array, Array]] = lambda formula, w: formula.reference(w),
        nearest: Callable[[Any, Array, float], Array] = lambda formula, w, step: formula.reference_prox(w, step),
    ) -> None:
        self.both, self.nearest = both, nearest

    def prepared(self, formula: Any, w: Any, out: Any = None) -> tuple[Array, Array | None, Any]:
        """The parameters in kernel form, and where the result goes."""
        w, _, _, buffer, _, deliver = prepare(formula, w, w, None, out, wants_array=True)
        formula.check_parameters(w)
        return w, buffer, deliver

    def value(self, formula: Any, w: Any) -> float:
        return self.value_and_grad(formula, w)[0]

    def grad(self, formula: Any, w: Any, out: Any = None) -> Any:
        return self.value_and_grad(formula, w, out)[1]

    def value_and_grad(self, formula: Any, w: Any, out: Any = None) -> tuple[float, Any]:
        w, buffer, deliver = self.prepared(formula, w, out)
        with np.errstate(all="ignore"):
            terms, slopes = self.both(formula, w)
            return ordered_sum(terms), hand_over(slopes, buffer, deliver)

    def prox(self, formula: Any, w: Any, step: float, out: Any = None) -> Any:
        w, buffer, deliver = self.prepared(formula, w, out)
        with np.errstate(all="ignore"):
            return hand_over(self.nearest(formula, w, step), buffer, deliver)


class Paired:
    """The kernel of an elementwise loss of two learned arrays."""

    def run(self, formula: Any, arrays: tuple[Any, ...], weight: Any, out: Any, want: str) -> Any:
        """The mean, the values, or derivatives in both learned arrays; ``want`` names it."""
        results = {"value": 0, "values": 1}.get(want, 2)
        given, weights, buffers, denominator, deliver = prepare_paired(formula, arrays, weight, out, results)
        with np.errstate(all="ignore"):
            if want == "curvature":
                found = formula.reference_curvature(*given)
            else:
                values, *found = formula.reference(*given)
                values = weighted(values, weights)
                total = float(np.divide(ordered_sum(values), denominator))
            if want == "value":
                return total
            found = [values] if want == "values" else [scaled(weighted(each, weights), denominator) for each in found]
        for buffer, array in zip(buffers, found, strict=True):
            buffer[...] = array
        delivered = deliver(buffers)
        result = delivered[0] if want == "values" else tuple(delivered)
        return (total, result) if want == "value_and_grad" else result

    def value(self, formula: Any, arrays: tuple[Any, ...], weight: Any = None) -> Any:
        return self.run(formula, arrays, weight, None, "value")

    def values(self, formula: Any, arrays: tuple[Any, ...], weight: Any = None, out: Any = None) -> Any:
        return self.run(formula, arrays, weight, out, "values")

    def grad(self, formula: Any, arrays: tuple[Any, ...], weight: Any = None, out: Any = None) -> Any:
        return self.run(formula, arrays, weight, out, "grad")

    def value_and_grad(self, formula: Any, arrays: tuple[Any, ...], weight: Any = None, out: Any = None) -> Any:
        return self.run(formula, arrays, weight, out, "value_and_grad")

    def curvature(self, formula: Any, arrays: tuple[Any, ...], weight: Any = None, out: Any = None) -> Any:
        return self.run(formula, arrays, weight, out, "curvature")


class Rowwise:
    """The kernel of a loss over rows of scores."""

    def run(self, formula: Any, pred: Any, target: Any, weight: Any, out: Any, want: str) -> Any:
        """The mean, the values of the rows, or a derivative in the scores; ``want`` names it."""
        scores, labels, target, weights, hot, base, buffer, denominator, deliver = prepare_rows(
            formula, pred, target, weight, out, want == "values", want != "value"
        )
        with np.errstate(all="ignore"):
            mass = target_mass(scores, labels, target, hot, base)
            read = np.arange(len(scores)) if labels is None else np.flatnonzero(labels >= 0)
            each = np.ones(len(read)) if weights is None else weights[read]
            values, slopes = np.zeros(len(scores)), np.zeros_like(scores)
            if want == "curvature":
                results = formula.reference_curvature(scores[read], mass[read])
            else:
                terms, results = formula.reference(scores[read], mass[read])
                values[read] = each * terms
            if want == "values":
                return deliver_values(values, buffer, scores.dtype)
            scale = 1 / denominator if denominator else 0
            slopes[read] = results * (each * scale).astype(scores.dtype)[:, np.newaxis]
            total = float(np.divide(ordered_sum(values), denominator))
        if want == "value":
            return total
        result = hand_over(slopes, buffer, deliver)
        return (total, result) if want == "value_and_grad" else result

    def value(self, formula: Any, pred: Any, target: Any, weight: Any = None) -> Any:
        return self.run(formula, pred, target, weight, None, "value")

    def values(self, formula: Any, pred: Any, target: Any, weight: Any = None, out: Any = None) -> Any:
        return self.run(formula, pred, target, weight, out, "values")

    def grad(self, formula: Any, pred: Any, target: Any, weight: Any = None, out: Any = None) -> Any:
        return self.run(formula, pred, target, weight, out, "grad")

    def value_and_grad(self, formula: Any, pred: Any, target: Any, weight: Any = None, out: Any = None) -> Any:
        return self.run(formula, pred, target, weight, out, "value_and_grad")

    def curvature(self, formula: Any, pred: Any, target: Any, weight: Any = None, out: Any = None) -> Any:
        return self.run(formula, pred, target, weight, out, "curvature")


def target_mass(
    scores: Array, labels: Array | None, target: Array | None, hot: Array | None, base: Array | None
) -> Array:
    """The mass that the target of each row puts on each class, class weights and label smoothing included."""
    if target is not None and hot is None:
        return target  # relevances, which may be any numbers
    classes = scores.shape[1]
    hot = np.ones(classes, scores.dtype) if hot is None else hot
    base = np.zeros(classes, scores.dtype) if base is None else base
    if labels is None:
        assert target is not None
        given = np.where((target >= 0) & (target <= 1), target, np.nan)
    else:
        given = (labels[:, np.newaxis] == np.arange(classes)).astype(scores.dtype)
    mass: Array = hot * given + base
    return mass


class Embedding:
    """The kernel of a loss over rows of embeddings."""

    def run(self, formula: Any, arrays: Any, weight: Any, out: Any, want: str) -> Any:
        """The mean, the values of the samples, or a derivative in each learned array; ``want`` names it."""
        rows, labels, weights, buffers, denominator, deliver = prepare_embeddings(
            formula, arrays, weight, out, want == "values", want != "value"
        )
        kind = rows[0].dtype
        given = [array.astype(np.float64) for array in rows] + ([] if labels is None else [labels])
        with np.errstate(all="ignore"):
            each = np.ones(len(rows[0])) if weights is None else weights
            if want == "curvature":
                results = formula.reference_curvature(*given)
            else:
                values, results = formula.reference(*given)
                values = each * values
                total = float(np.divide(ordered_sum(values), denominator))
            if want == "values":
                return deliver_values(values, out, kind)
            if want == "value":
                return total
            scale = (each * (1 / denominator if denominator else 0))[:, np.newaxis]
            for buffer, slopes in zip(buffers, results, strict=True):
                buffer[...] = scale * slopes
        result = deliver(buffers)
        return (total, result) if want == "value_and_grad" else result

    def value(self, formula: Any, arrays: Any, weight: Any = None) -> Any:
        return self.run(formula, arrays, weight, None, "value")

    def values(self, formula: Any, arrays: Any, weight: Any = None, out: Any = None) -> Any:
        return self.run(formula, arrays, weight, out, "values")

    def grad(self, formula: Any, arrays: Any, weight: Any = None, out: Any = None) -> Any:
        return self.run(formula, arrays, weight, out, "grad")

    def value_and_grad(self, formula: Any, arrays: Any, weight: Any = None, out: Any = None) -> Any:
        return self.run(formula, arrays, weight, out, "value_and_grad")

    def curvature(self, formula: Any, arrays: Any, weight: Any = None, out: Any = None) -> Any:
        return self.run(formula, arrays, weight, out, "curvature")


class Triplets:
    """The kernel of what is made of the triplets of a batch.

    A compiled chapter gives the two functions that compute; here they are in NumPy, in the chapter of the losses.
    """

    def __init__(self, parts: Callable[..., tuple[Array, int, int, Array]], mine: Callable[..., Array]) -> None:
        self.parts, self.mine = parts, mine


class Step:
    """The kernel of an optimizer, which writes in place. Nothing is written before all is computed."""

    def step(
        self, formula: Any, params: Any, grads: Any, state: Any, scale: Any = 1.0, parts: list[Any] | None = None
    ) -> None:
        scale = as_scale(formula, scale)
        tensors = checked(formula, params, grads, state)
        rule_of = {place: rule for _, rule, places in parts or () for place in places}
        results: list[Array] = []
        with np.errstate(all="ignore"):
            for place, (theta, g, *buffers) in enumerate(tensors):
                g = g if scale == 1 else g * scale
                results += rule_of.get(place, formula).reference(theta, g, *buffers, t=state.step + 1)
        write_all([array for theta, _, *buffers in tensors for array in (theta, *buffers)], results, state)

    def check(self, formula: Any, params: Any, grads: Any, state: Any) -> None:
        """Refuse what a step would refuse, and do nothing else."""
        checked(formula, params, grads, state)


class Tool:
    """What makes of each tensor another, or the same tensor anew."""

    def __init__(self, make: Callable[..., Array]) -> None:
        self.make = make

    def apply(self, owner: str, called: str, out: Any, grads: Any, *numbers: float) -> None:
        results, sources, late = into_pairs(owner, called, out, grads)
        with np.errstate(all="ignore"):
            for result, source in zip(results, sources, strict=True):
                result[...] = self.make(result, source, *numbers)
        for target, result in late:
            target[...] = result


class Squares:
    """The sum of the squares of all elements of all tensors, in float64."""

    def sum(self, owner: str, grads: Any, scale: float) -> float:
        with np.errstate(all="ignore"):
            return sum((ordered_sum(np.square(g.astype(np.float64) * scale)) for g in into_floats(owner, grads)), 0.0)


kernels |= {
    "gradient_squares": Squares(),
    "gradient_rescale": Tool(lambda out, g, factor: g * factor),
    "gradient_limit": Tool(lambda out, g, limit: np.clip(g, -limit, limit)),
    "gradient_accumulate": Tool(lambda out, g, weight: out + weight * g),
}


class Schedule:
    """The kernel of a schedule."""

    def at(self, formula: Any, t: Any) -> Any:
        times = as_times(type(formula).__name__, t)
        with np.errstate(all="ignore"):
            # Always an array: for numbers NumPy has other functions, with other bits.
            rates = formula.reference(times.reshape(-1)).reshape(times.shape)
        return rates if isinstance(t, np.ndarray | list | tuple) else float(rates)


class Landscape:
    """The kernel of a landscape."""

    def value_and_grad(self, formula: Any, x: Any) -> tuple[Any, Array]:
        points = as_points(formula, x)
        with np.errstate(all="ignore"):
            heights, slopes = formula.reference(points.reshape(formula.dimensions, points[0].size))
        shaped = heights.reshape(points.shape[1:])
        return float(heights[0]) if points.ndim == 1 else shaped, slopes.reshape(points.shape)

    def hessian(self, formula: Any, x: Any) -> Array:
        points = as_points(formula, x)
        with np.errstate(all="ignore"):
            bends: Array = formula.reference_hessian(points.reshape(formula.dimensions, points[0].size))
        return bends.reshape(formula.dimensions, *points.shape)
