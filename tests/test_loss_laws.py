"""What holds of every loss: against the formula to hundreds of digits, and against itself."""

import copy
import dataclasses
import functools
import itertools
import math
import pickle
import warnings

import cases
import hypothesis
import hypothesis.extra.numpy as hnp
import mpmath
import numpy as np
import oracle
import pytest
import sympy as sp
from cases import CASES, METHODS, POINTWISE, Case
from hypothesis import strategies as st

import lossref
from lossref import registry
from lossref.losses.base import RowwiseLoss

every_case = pytest.mark.parametrize("case", CASES, ids=str)
every_loss = pytest.mark.parametrize("loss", registry.samples("losses"), ids=repr)

# In ulp of the result; for a gradient, and for a value that is a difference of a likelihood's terms, of the sum of the
# absolute terms, which for a hard label is the result.
# A square has an error of 1.5 ulp at a residual just above 1, and of 1.92 at one just below the root of 2.
# In the square of smooth L1 the residual's rounding counts twice, and beta, the quotient and the product are rounded:
# five halves of an ulp, each of which may count almost double in a result just above a power of two.
# In Tukey's loss, r² (1 - u + u²/3) / 2, the residual's rounding counts twice and six operations round beside it; its
# slope r w² has five. Of 24 million random residuals in float32 the worst is 3.86 ulp.
# Pseudo-Huber rounds delta, the ratio, its square, a sum, a root, a sum and a quotient before its product, but all but
# the last three count half or less; in its curvature, a cube, everything counts three times, the residual too.
# In a Brier score the rounding of each difference counts twice and its square's once: three halves of an ulp, each of
# which may count almost double; then the sum is rounded.
BOUNDS = {"MSE": 2.0, "Brier": 3.5, "MAE": 0.5, "SmoothL1": 3.5, "PseudoHuber": 4.0, "Quantile": 2.5, "Tukey": 4.0}
# In a loss of overlap each term is a product with up to two roundings; sums, prices, the total and quotients by it have
# one each, and the total counts twice in a slope and three times in a curvature. In float32 only the terms round. In
# float64 these roundings together may be 5 ulp in a value and 8 in a slope; 4 are not exceeded at the points here.
BOUNDS |= {"Dice": 4.0, "Tversky": 4.0}
CURVATURE_BOUNDS = {"PseudoHuber": 12.0, "Dice": 8.0, "Tversky": 8.0}
# Curvatures that change their sign where no float is: beside that place their terms cancel, and the sizes of the terms
# are the measure, as for gradients.
CURVATURES_THAT_CANCEL = {"Focal", "CategoricalFocal", "Dice", "Tversky"}


# In the value of Jensen and Shannon, just beyond v = 1/2, (1 + v) log(1 + v) = 0.61 and (1 - v) log(1 - v) = -0.35
# leave 0.26: each carries at most two and a half roundings, which count (0.61 + 0.35) / 0.26 = 3.7 times.
VALUE_BOUNDS = {"JensenShannon": 10.0}


def bound(loss, dtype, derivative):
    if loss.exact:
        bounds = BOUNDS | CURVATURE_BOUNDS if derivative == 2 else BOUNDS
        return bounds.get(type(loss).__name__, 2.0)
    if not derivative and type(loss).__name__ in VALUE_BOUNDS:
        return VALUE_BOUNDS[type(loss).__name__]
    # The doubt about a class of many is a quotient (half an ulp) of a sum (half) of exponentials (one with what their
    # argument lost put back): two ulp, of which its power has gamma times as many.
    powers = 2 * getattr(loss, "gamma", 0.0) if isinstance(loss, RowwiseLoss) else 0.0
    return powers + (4.0 if dtype == np.float64 or derivative else 3.0)


def curvature_size(case, dtype, judge, each):
    """The sizes of the terms of curvatures that cancel. Those of rows hold p log p, up to 2**11 times p: where p is
    subnormal and has lost digits, that many of them are missing."""
    if type(case.loss).__name__ not in CURVATURES_THAT_CANCEL:
        return None
    if case.targets == "masks":  # minus twice the slope, which cancels, times what does not
        slopes, bends = each(judge.slope), each(judge.curvature)
        return each(judge.slope_size) * np.where(slopes == 0, 1, abs(bends) / np.where(slopes == 0, 1, abs(slopes)))
    least = mpmath.mpf(float(np.finfo(dtype).tiny)) * 2**11 if case.rowwise else 0
    return np.maximum(each(judge.curvature_size), least)


def value_sizes(case, pred, target):
    """What errors of values are measured in: for KL, whose terms differ in sign, the sum of their sizes; else None."""
    if not isinstance(case.loss, lossref.KL):
        return None
    pred, target = pred.astype(np.float64), target.astype(np.float64)
    logs = np.log(np.where(target == 0, 1, target))
    if case.loss.from_logits:
        top = pred.max(axis=1, keepdims=True)
        chances = pred - top - np.log(np.exp(pred - top).sum(axis=1, keepdims=True))
        return (target * np.abs(logs - chances)).sum(axis=1)
    return (target * (np.abs(logs) + np.abs(pred))).sum(axis=1)


@functools.cache
def truth(case, dtype):
    """Telling points, and for each method the exact results and the sizes that errors are measured in."""
    if not case.rowwise:
        pred, target = cases.telling_points(case.loss, dtype)
        judge = oracle.of(case.loss)
        points, variables = list(zip(pred, target, strict=True)), judge.inputs[:1]
    else:
        pred, targets = cases.telling_rows(case.loss, dtype)
        target, classes = targets[case.targets], pred.shape[1]
        judge = oracle.of_rows(case.loss, classes)
        masses = np.eye(classes)[target] if case.targets == "labels" else target
        points, variables = [(*x, *y) for x, y in zip(pred, masses, strict=True)], judge.inputs[:classes]

    def each(what):
        return np.array([[what(variable)(*point) for variable in variables] for point in points]).reshape(pred.shape)

    sizes = value_sizes(case, pred, target)
    if cases.is_of_means(case.loss):
        sizes = np.array([judge.value_size(*point) for point in points])
    exact = {
        "values": (np.array([judge.value(*point) for point in points]), sizes),
        "grad": (each(judge.slope), each(judge.slope_size)),
        "curvature": (each(judge.curvature), curvature_size(case, dtype, judge, each)),
    }
    return pred, target, exact


def assert_near(got, exact, dtype, most, where, scale=None):
    errors = oracle.errors(got, exact, dtype, scale)
    worst = int(np.argmax(errors))
    assert errors.max() <= most, f"{errors.max():.3g} ulp, more than {most}, at {where(worst)}"


@pytest.mark.parametrize("method", METHODS)
@every_case
def test_each_result_is_the_formula_to_the_last_digits(case, method, dtype, backend):
    pred, target, exact = truth(case, dtype)
    loss = case.with_reduction("sum")
    results = getattr(loss, method)(pred, target)
    wanted, scale = exact[method]
    here = np.ones(results.shape, bool)
    if method == "curvature" and not case.rowwise:  # beside a jump, the hyper-parameter's own rounding decides
        ends = [end for end in vars(loss).values() if isinstance(end, float) and end]
        here = ~np.isin(np.abs(pred - target), np.array(ends, dtype)) | (loss.properties.smoothness is None)
    places = np.flatnonzero(here)
    columns = results.size // len(pred)
    assert_near(
        results[here],
        wanted[here],
        dtype,
        bound(loss, dtype, METHODS.index(method)),
        lambda worst: (pred[places[worst] // columns], target[places[worst] // columns]),
        None if scale is None else scale[here],
    )


@every_case
def test_many_random_results_in_float32_are_near_those_in_float64(case, backend, rng):
    """A search with less exact means in more places: NumPy in float64, which itself is held against the formula above.

    The promise is 4 ulp for values and for gradients without cancellation. Of the curvature, with its two more factors
    and the class weights and smoothing rounded to float32, 6.4 are the worst that was seen."""
    loss = case.with_reduction("sum")
    smooth = getattr(loss, "label_smoothing", 0.0)
    for round_ in range(4):
        pred, target = case.draw(rng, 10_000, np.float32, scale=10 ** rng.uniform(-2, 1.7))
        of_means = cases.is_of_means(loss)
        hard = loss.exact or of_means or case.targets == "labels" or round_ % 2 == 0
        if round_ % 2 == 0 and case.targets == "numbers" and not (loss.exact or of_means):
            target = np.round(target)
        with lossref.use_backend("numpy"):
            wide = target if case.targets == "labels" else target.astype(np.float64)
            wanted = {method: getattr(loss, method)(pred.astype(np.float64), wide) for method in METHODS}
        for method, least in zip(METHODS, (4.0, 4.0, 7.0), strict=True):
            most = max(least, bound(loss, np.float32, METHODS.index(method)))
            if method == "grad" and not (
                hard and not smooth and case.targets not in ("probabilities", "masks", "relevances")
            ):
                continue
            if method == "curvature" and type(loss).__name__ in CURVATURES_THAT_CANCEL:
                continue
            exact = wanted[method]
            with np.errstate(all="ignore"):
                terms = np.abs(exact)
                if of_means and method != "curvature":
                    terms = oracle.of(loss).sizes_in_floats(method)(pred.astype(np.float64), wide)
                if method == "values" and isinstance(loss, lossref.KL):
                    terms = value_sizes(case, pred, target)
                size = np.maximum(np.exp2(np.floor(np.log2(terms)) - 23), 2.0**-149)
            got, held = getattr(loss, method)(pred, target), np.abs(exact) <= np.finfo(np.float32).max
            assert np.isinf(got[~held]).all()
            errors = np.where(held, np.abs(got - exact), 0) / size
            if case.loss.exact and method == "curvature" and not case.rowwise:
                ends = [end for end in vars(loss).values() if isinstance(end, float)]
                for end in ends:  # beside a jump, its own rounding decides
                    errors = np.where(np.abs(np.abs(pred - target) - end) > 1e-6, errors, 0)
            assert np.max(errors) <= (
                max(2.2, bound(loss, np.float32, METHODS.index(method))) if loss.exact else most
            ), (method, np.max(errors))


@every_case
def test_the_gradient_is_the_slope_of_the_value(case, backend, rng):
    loss = case.loss
    pred, target = case.draw(rng, 7, np.float64, scale=1.0)
    weight = rng.uniform(0.5, 2, 7)
    ahead = rng.standard_normal(pred.shape)
    step = 1e-4
    around = [loss(pred + k * step * ahead, target, weight=weight) for k in (-2, -1, 1, 2)]
    slope = (around[0] - 8 * around[1] + 8 * around[2] - around[3]) / (12 * step)
    assert np.vdot(loss.grad(pred, target, weight=weight), ahead) == pytest.approx(slope, rel=1e-7, abs=1e-9)


@every_case
def test_the_curvature_is_the_slope_of_the_gradient(case, backend, rng):
    loss = case.loss
    pred, target = case.draw(rng, 5, np.float64, scale=1.3)
    weight = rng.uniform(0.5, 2, 5)
    curvature = loss.curvature(pred, target, weight=weight)
    step = 1e-6
    for place in np.ndindex(pred.shape):
        more, less = pred.copy(), pred.copy()
        more[place] += step
        less[place] -= step
        change = loss.grad(more, target, weight=weight)[place] - loss.grad(less, target, weight=weight)[place]
        assert curvature[place] == pytest.approx(change / (2 * step), rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("weighted", [False, True])
@every_case
def test_value_and_gradient_have_the_same_bits_together_and_apart(case, weighted, dtype, backend, rng):
    for reduction, samples in itertools.product(("mean", "sum"), (1, 7, 1025)):
        loss = case.with_reduction(reduction)
        pred, target = case.draw(rng, samples, dtype)
        weight = rng.uniform(0.5, 2, samples) if weighted else None
        value, grad = loss.value_and_grad(pred, target, weight=weight)
        assert value == loss(pred, target, weight=weight) > 0
        assert grad.tobytes() == loss.grad(pred, target, weight=weight).tobytes()


@every_case
def test_the_sum_is_that_of_the_values(case, dtype, backend, rng):
    for samples in (1, 5, 1000, 3000):
        pred, target = case.draw(rng, samples, dtype)
        loss = case.with_reduction("sum")
        values = loss.values(pred, target)
        total = math.fsum(values.astype(np.float64))
        rounded_values = float(np.finfo(dtype).eps) if case.rowwise else 0
        assert loss(pred, target) == pytest.approx(total, rel=25 * 2.0**-53 + rounded_values, abs=0)
        assert total > 0


def shares(case, target):
    """What each sample adds to the denominator of a mean: 1, or in a loss with class weights that of its class."""
    weights = getattr(case.loss, "class_weight", None)
    if weights is None:
        return np.ones(len(target))
    return np.asarray(weights)[target] if case.targets == "labels" else target.astype(np.float64) @ np.asarray(weights)


@pytest.mark.parametrize("weighted", [False, True])
@every_case
def test_the_mean_is_the_sum_over_the_sum_of_weights(case, weighted, dtype, backend, rng):
    pred, target = case.draw(rng, 23, dtype)
    weight = rng.uniform(0.5, 2, 23).astype(dtype) if weighted else np.ones(23, dtype)
    whole = math.fsum(weight.astype(np.float64) * shares(case, target))
    mean, total = case.with_reduction("mean"), case.with_reduction("sum")
    given = weight if weighted else None
    assert mean(pred, target, weight=given) == pytest.approx(total(pred, target, weight=given) / whole, rel=1e-14)
    for method in ("grad", "curvature"):
        one, other = (getattr(loss, method)(pred, target, weight=given) for loss in (mean, total))
        np.testing.assert_allclose(one, other / dtype.type(whole), rtol=4 * np.finfo(dtype).eps)
    np.testing.assert_array_equal(mean.values(pred, target, weight=given), total.values(pred, target, weight=given))


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@every_case
def test_a_weight_of_k_is_the_sample_k_times(case, reduction, dtype, backend, rng):
    loss = case.with_reduction(reduction)
    pred, target = case.draw(rng, 40, dtype)
    times = rng.integers(0, 4, 40)
    often = np.repeat(np.arange(40), times)
    value, grad = loss.value_and_grad(pred, target, weight=times)
    again, slopes = loss.value_and_grad(pred[often], target[often])
    eps = float(np.finfo(dtype).eps)
    assert value == pytest.approx(again, rel=8 * eps)
    first = np.flatnonzero(times)[np.argsort(times[times > 0], kind="stable") * 0 + np.arange((times > 0).sum())]
    starts = np.concatenate([[0], np.cumsum(times)[:-1]])
    for sample in first:
        np.testing.assert_allclose(grad[sample], slopes[starts[sample]] * dtype.type(times[sample]), rtol=8 * eps)
    assert not np.any(grad[times == 0])


@every_case
def test_a_weight_of_zero_leaves_the_sample_out(case, dtype, backend, rng):
    pred, target = case.draw(rng, 33, dtype)
    weight = rng.uniform(0.5, 2, 33).astype(dtype)
    weight[rng.permutation(33)[:15]] = 0
    left = weight > 0
    value, grad = case.loss.value_and_grad(pred, target, weight=weight)
    rest, slopes = case.loss.value_and_grad(pred[left], target[left], weight=weight[left])
    assert value == pytest.approx(rest, rel=1e-14)
    np.testing.assert_allclose(grad[left], slopes, rtol=4 * np.finfo(dtype).eps)
    assert not np.any(grad[~left])


@every_case
def test_results_scale_with_the_weights(case, dtype, backend, rng):
    pred, target = case.draw(rng, 33, dtype)
    weight = rng.uniform(0.5, 2, 33).astype(dtype)
    total = case.with_reduction("sum")
    for method in METHODS:
        one, eight = (getattr(total, method)(pred, target, weight=k * weight) for k in (1, 8))
        np.testing.assert_array_equal(8 * one, eight)
    assert total(pred, target, weight=8 * weight) == 8 * total(pred, target, weight=weight) > 0
    assert case.with_reduction("mean")(pred, target, weight=8 * weight) == pytest.approx(
        case.with_reduction("mean")(pred, target, weight=weight), rel=1e-15
    )


@every_case
def test_values_and_gradients_go_with_their_samples(case, dtype, backend, rng):
    pred, target = case.draw(rng, 2050, dtype)
    order = rng.permutation(2050)
    for method in METHODS:
        here = getattr(case.loss, method)(pred, target)
        there = getattr(case.loss, method)(pred[order], target[order])
        if method != "values" and getattr(case.loss, "class_weight", None):  # the sum of the weights is rounded
            np.testing.assert_allclose(here[order], there, rtol=8 * np.finfo(dtype).eps)
        else:
            np.testing.assert_array_equal(here[order], there)


@every_case
def test_a_batch_is_the_sum_of_its_parts(case, dtype, backend, rng):
    total = case.with_reduction("sum")
    pred, target = case.draw(rng, 300, dtype)
    parts = [total(pred[part], target[part]) for part in (slice(0, 1), slice(1, 77), slice(77, 300))]
    assert total(pred, target) == pytest.approx(math.fsum(parts), rel=50 * 2.0**-53)
    np.testing.assert_array_equal(total.grad(pred, target)[77:], total.grad(pred[77:], target[77:]))


KINKED = [loss for loss in POINTWISE if not loss.properties.differentiable]


@pytest.mark.parametrize("loss", [loss for loss in KINKED if not (loss.signs or getattr(loss, "epsilon", 0))], ids=repr)
def test_the_slope_at_a_kink_is_zero(loss, dtype, backend):
    pred = np.concatenate([cases.telling_numbers(dtype), -np.zeros(1, dtype)])
    assert not np.any(loss.grad(pred, pred))
    beside = np.nextafter(pred, dtype.type(np.inf))
    assert np.all(loss.grad(beside, pred) > 0)
    assert np.all(loss.grad(pred, beside) < 0)


def test_the_slope_is_zero_in_the_tube_and_at_its_kinks_but_not_beyond(dtype, backend):
    loss = lossref.EpsilonInsensitive(epsilon=0.25, reduction="sum")
    edges = np.array([0.25, -0.25], dtype)
    zero = np.zeros(2, dtype)
    for pred in (edges, np.nextafter(edges, zero), zero):
        assert not loss.grad(pred, zero).any()
        assert not loss.values(pred, zero).any()
    beyond = np.nextafter(edges, 2 * edges)
    np.testing.assert_array_equal(loss.grad(beyond, zero), [1, -1])
    np.testing.assert_array_equal(loss.values(beyond, zero), np.abs(beyond) - dtype.type(0.25))


@pytest.mark.parametrize("loss", [loss for loss in KINKED if loss.signs], ids=repr)
def test_the_slope_at_the_kink_of_a_margin_is_zero(loss, dtype, backend):
    """Where the margin is just what is asked for; beside it on the wrong side the slope is that of a mistake."""
    total = dataclasses.replace(loss, reduction="sum")
    label, asked = np.array([1, -1], dtype), dtype.type(getattr(loss, "margin", 0))
    assert not np.any(total.grad(asked * label, label))
    assert not np.any(total.grad(np.nextafter(asked, dtype.type(np.inf)) * label, label))
    np.testing.assert_array_equal(total.grad(np.nextafter(asked, dtype.type(-np.inf)) * label, label), -label)


def with_at(array, place, number):
    array = array.copy()
    array[place] = number
    return array


@every_case
def test_nan_stays_in_its_sample_and_reaches_the_total(case, dtype, backend, rng):
    for samples in (1, 3, 40, 1200):
        pred, target = case.draw(rng, samples, dtype)
        sick = int(rng.integers(samples))
        others = np.arange(samples) != sick
        place = (sick, int(rng.integers(3))) if case.rowwise else sick
        spoilt = [(with_at(pred, place, np.nan), target)]
        if case.targets != "labels":
            spoilt.append((pred, with_at(target, place, np.nan)))
        for x, y in spoilt:
            assert math.isnan(case.loss(x, y))
            value, grad = case.loss.value_and_grad(x, y)
            assert math.isnan(value)
            scaled = getattr(case.loss, "class_weight", None) and y is not target  # then the mean's denominator is NaN
            for method in METHODS:
                loss = case.with_reduction("sum") if scaled else case.loss
                result = getattr(loss, method)(x, y)
                healthy = getattr(loss, method)(pred, target)
                assert np.all(np.isnan(result[place if method != "values" else sick])), method
                np.testing.assert_array_equal(result[others], healthy[others], err_msg=method)
            if not scaled:
                np.testing.assert_array_equal(grad, case.loss.grad(x, y))


@every_case
def test_a_nan_weight_reaches_the_total(case, dtype, backend, rng):
    pred, target = case.draw(rng, 9, dtype)
    weight = with_at(np.ones(9), 4, np.nan)
    assert math.isnan(case.loss(pred, target, weight=weight))
    values = case.loss.values(pred, target, weight=weight)
    assert np.isnan(values[4])
    np.testing.assert_array_equal(np.delete(values, 4), np.delete(case.loss.values(pred, target), 4))


@functools.cache
def limits(loss, target):
    """Value, slope and curvature in the limit of each end of the predictions: beyond every float, to 420 digits."""
    arguments = oracle.exactly(loss.arguments())
    expression = type(loss).formula(**arguments).subs(arguments.pop("target"), sp.Rational(target))
    x, ends = arguments.pop("pred"), [(np.inf, 1), (-np.inf, -1)]
    far = mpmath.mpf(10) ** 400
    if cases.takes_probabilities(loss)[0]:
        ends, far = [(0.0, x), (1.0, 1 - x)], mpmath.mpf(2) ** -(10**400)
    forms = [expression, sp.diff(expression, x), oracle.without_spikes(sp.diff(expression, x, 2).doit())]
    wanted = []
    for end, at in ends:
        place = {x: at} if cases.takes_probabilities(loss)[0] else {x: at * x}
        along = [oracle.Oracle(loss, {"pred": x} | arguments, form.subs(place)).value for form in forms]
        numbers = []
        for along in [oracle.Oracle(loss, {"pred": x} | arguments, form.subs(place)).value for form in forms]:
            number = float(along(far))
            # The logarithm of what lies beyond every float does not, but it grows for ever.
            grows = 10 < abs(number) < math.inf and abs(along(far**2)) > 1.5 * abs(number)
            numbers.append(math.copysign(math.inf, number) if grows else number)
        wanted.append((end, *numbers))
    return wanted


@pytest.mark.parametrize(
    ("loss", "target"),
    [(loss, target) for loss in POINTWISE for target in cases.telling_targets(loss)],
    ids=str,
)
def test_the_ends_of_the_line_are_limits_and_nothing_is_clamped(loss, target, dtype, backend):
    for end, *wanted in limits(loss, target):
        pred = np.array([0.5, end, 0.5], dtype)
        truth = np.full(3, float(sp.Rational(target)), dtype)
        loss = dataclasses.replace(loss, reduction="sum")
        for method, number in zip(METHODS, wanted, strict=True):
            got = getattr(loss, method)(pred, truth)[1]
            assert got == pytest.approx(number, rel=2 * float(np.finfo(dtype).eps)), (method, end)


def test_the_smallest_target_keeps_its_infinite_cost_under_a_weight_below_one(dtype, backend):
    """Weighed, the smallest float above 0 would become 0, which has no cost. NumPy, in float64, keeps finite ones."""
    least = np.finfo(dtype).smallest_subnormal
    entropy = lossref.BinaryCrossEntropy(pos_weight=0.25, reduction="sum")
    chances = dataclasses.replace(entropy, from_logits=False)
    q, target = np.zeros(1, dtype), np.full(1, least)
    assert entropy(np.array([-np.inf], dtype), target) == np.inf
    assert (chances.values(q, target), chances.grad(q, target)) == (np.inf, -np.inf)
    if backend == "numpy":
        value = entropy.values(np.array([-1e30], dtype), target)[0]
        assert value == pytest.approx(float(least) * 1e30 / 4, rel=1e-6)
        curvature = chances.curvature(np.array([2.0**-60], dtype), target)[0]
        assert curvature == pytest.approx(1 + float(least) * 2.0**118, rel=1e-6)


@pytest.mark.parametrize("loss", [loss for loss in POINTWISE if loss.domain == "numbers" and not loss.signs], ids=repr)
def test_infinity_from_infinity_is_not_a_number(loss, dtype, backend):
    infinity = np.array([np.inf, -np.inf, 1.0], dtype)
    for method in METHODS:
        results = getattr(loss, method)(infinity, infinity)
        assert np.isnan(results[:2]).all(), method
        assert np.isfinite(results[2])


#: Targets that have no meaning in a domain.
OUTSIDE = {
    "numbers": [],
    "probabilities": [-1.0, -1e-9, 1 + 1e-9, 2.0, np.inf, -np.inf],
    "counts": [-1.0, -1e-9, -5e-324, -np.inf],
    "amounts": [0.0, -0.0, -1.0, -5e-324, -np.inf],
}


def test_a_target_outside_the_domain_gives_nan_and_any_within_a_number(backend):
    inside = {"numbers": [-1e30, -1.0, 0.0, 1e30], "probabilities": [0.0, 0.5, 1.0]}
    inside |= {"counts": [0.0, 5e-324, 0.5, 1e30], "amounts": [5e-324, 0.5, 1e30]}
    for loss in POINTWISE:
        if loss.signs:
            continue
        for method in METHODS:
            within, beyond = np.array(inside[loss.domain]), np.array(OUTSIDE[loss.domain])
            assert not np.isnan(getattr(loss, method)(np.full(within.size, 0.5), within)).any(), (loss, method)
            if beyond.size:
                assert np.isnan(getattr(loss, method)(np.full(beyond.size, 0.5), beyond)).all(), (loss, method)


def test_a_prediction_that_is_no_probability_gives_nan(backend):
    outside = np.array(OUTSIDE["probabilities"])
    for loss in POINTWISE:
        if cases.takes_probabilities(loss)[0]:
            for method in METHODS:
                assert np.isnan(getattr(loss, method)(outside, np.full(6, 0.5))).all(), method


# --- Any floats at all -----------------------------------------------------------------------------------------------


def floats(dtype):
    return st.floats(width=dtype.itemsize * 8, allow_subnormal=True)


def drawn(data, shape, dtype):
    return data.draw(hnp.arrays(dtype, shape, elements=floats(dtype), fill=st.nothing()))


def drawn_signs(data, shape, dtype):
    return data.draw(hnp.arrays(dtype, shape, elements=st.sampled_from([-1.0, 1.0, math.nan]), fill=st.nothing()))


@pytest.mark.parametrize("case", cases.EXACT, ids=str)
@hypothesis.given(data=st.data())
@hypothesis.settings(max_examples=15)
def test_exact_algebra_of_any_floats_has_the_bits_of_numpy(case, dtype, backend, data):
    shape = data.draw(hnp.array_shapes(min_dims=1 + case.rowwise, max_dims=3 - case.rowwise, min_side=1, max_side=9))
    pred = drawn(data, shape, dtype)
    if case.targets == "labels":
        target = data.draw(hnp.arrays(np.int64, shape[:1], elements=st.integers(0, shape[1] - 1)))
        inner = np.eye(shape[1], dtype=dtype)[target]
    else:
        inner = target = (drawn_signs if case.loss.signs else drawn)(data, shape, dtype)
    with np.errstate(all="ignore"):
        if case.rowwise and cases.takes_probabilities(case.loss)[1]:  # the drivers see to it that targets are some
            inner = np.where((inner >= 0) & (inner <= 1), inner, dtype.type(np.nan))
        values, slopes = case.loss.reference(pred, inner)
        curvature = case.loss.reference_curvature(pred, inner)
        rounded, whole = values.astype(dtype), values.sum(dtype=np.float64)
    total = case.with_reduction("sum")
    np.testing.assert_array_equal(total.values(pred, target), rounded)
    np.testing.assert_array_equal(total.grad(pred, target), slopes)
    np.testing.assert_array_equal(total.curvature(pred, target), curvature)
    value, grad = total.value_and_grad(pred, target)
    np.testing.assert_array_equal(grad, slopes)
    assert value == pytest.approx(whole, rel=1e-13, nan_ok=True)


@pytest.mark.parametrize("case", [case for case in CASES if case not in cases.EXACT], ids=str)
@hypothesis.given(data=st.data())
@hypothesis.settings(max_examples=15)
def test_any_floats_are_finite_infinite_or_nan_where_numpy_says_so(case, dtype, backend, data):
    samples, classes = data.draw(st.integers(1, 9)), 3
    pred = drawn(data, (samples, classes) if case.rowwise else (samples,), dtype)
    if case.targets == "labels":
        target = np.array(data.draw(st.lists(st.integers(0, classes - 1), min_size=samples, max_size=samples)))
    elif case.loss.signs:
        target = drawn_signs(data, pred.shape, dtype)
    elif case.targets == "relevances":
        target = drawn(data, pred.shape, dtype)
    else:
        target = np.clip(drawn(data, pred.shape, dtype), 0, 1)
    total = case.with_reduction("sum")
    for method in METHODS:
        with lossref.use_backend("numpy"):
            wanted = getattr(total, method)(pred, target)
        got = getattr(total, method)(pred, target)
        assert got.dtype == wanted.dtype == dtype
        np.testing.assert_array_equal(np.isnan(got), np.isnan(wanted), err_msg=method)
        # What is right to 4 ulp may lie on either side of the largest float.
        largest = np.finfo(dtype).max * dtype.type(1 - 4 * np.finfo(dtype).eps)
        beyond = np.abs(wanted) > largest
        np.testing.assert_array_equal(np.isinf(got) & ~beyond, np.isinf(wanted) & ~beyond, err_msg=method)
        assert np.all(np.abs(got[beyond]) > largest), method
        np.testing.assert_array_equal(np.signbit(got[beyond]), np.signbit(wanted[beyond]))


# --- Nothing to average, shapes and kinds ----------------------------------------------------------------------------


@every_case
def test_no_samples_have_sum_zero_and_mean_nan_with_a_warning(case, dtype, backend):
    pred = np.empty((0, 3) if case.rowwise else (0,), dtype)
    target = np.empty(0, int) if case.targets == "labels" else pred.copy()
    assert case.with_reduction("sum")(pred, target) == 0
    mean, name = case.with_reduction("mean"), type(case.loss).__name__
    with pytest.warns(RuntimeWarning, match=rf"^{name}: the mean is NaN, for there are zero elements$"):
        assert math.isnan(mean(pred, target))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for method in METHODS:
            result = getattr(mean, method)(pred, target)
            assert result.dtype == dtype
            assert result.size == 0


@every_case
def test_weights_that_sum_to_zero_have_mean_nan_and_gradient_zero(case, dtype, backend, rng):
    pred, target = case.draw(rng, 5, dtype)
    name = type(case.loss).__name__
    with pytest.warns(RuntimeWarning, match=rf"^{name}: the mean is NaN, for the weights sum to zero$"):
        assert math.isnan(case.loss(pred, target, weight=np.zeros(5)))
    assert not case.loss.grad(pred, target, weight=np.zeros(5)).any()
    assert case.with_reduction("sum")(pred, target, weight=np.zeros(5)) == 0
    assert case.loss.grad(pred, target).any()


@every_case
def test_results_have_the_shape_and_dtype_of_the_predictions(case, dtype, backend, rng):
    pred, target = case.draw(rng, 24, dtype)
    if not case.rowwise:
        pred, target = pred.reshape(4, 3, 2), target.reshape(4, 3, 2)
    for weight in (None, np.arange(len(pred)) + 1):
        value = case.loss(pred, target, weight=weight)
        assert type(value) is float
        assert value > 0
        both = case.loss.value_and_grad(pred, target, weight=weight)
        assert type(both[0]) is float
        for result in (case.loss.grad(pred, target, weight=weight), both[1], case.loss.curvature(pred, target)):
            assert type(result) is np.ndarray
            assert (result.shape, result.dtype) == (pred.shape, dtype)
        values = case.loss.values(pred, target, weight=weight)
        assert (values.shape, values.dtype) == (pred.shape[:1] if case.rowwise else pred.shape, dtype)


@pytest.mark.parametrize("loss", POINTWISE, ids=repr)
def test_a_weight_of_a_sample_holds_for_all_its_elements(loss, dtype, backend, rng):
    pred, target = Case(loss, "numbers").draw(rng, 24, dtype)
    weight = rng.uniform(0.5, 2, 4).astype(dtype)
    flat = loss.value_and_grad(pred, target, weight=np.repeat(weight, 6))
    deep = loss.value_and_grad(pred.reshape(4, 3, 2), target.reshape(4, 3, 2), weight=weight)
    assert deep[0] == pytest.approx(flat[0], rel=1e-14)
    np.testing.assert_allclose(deep[1].ravel(), flat[1], rtol=2 * np.finfo(dtype).eps)


@pytest.mark.parametrize("loss", POINTWISE, ids=repr)
def test_a_single_number_gives_a_number(loss, dtype, backend):
    wanted = -1.0 if loss.signs else 0.75
    pred, target = np.array(0.3, dtype), np.array(wanted, dtype)
    for method in METHODS:
        result = getattr(loss, method)(pred, target)
        assert type(result) is dtype.type
        assert result == getattr(loss, method)(pred[None], target[None])[0]
    value, grad = loss.value_and_grad(pred, target)
    assert value == loss(pred, target) == loss(float(pred), np.float64(target)) or dtype == np.float32
    assert type(grad) is dtype.type
    assert type(loss.grad(0.3, wanted)) is np.float64
    assert type(loss.grad(np.float32(0.3), wanted)) is np.float32


@every_case
def test_arguments_are_left_as_they_were(case, dtype, backend, rng):
    pred, target = case.draw(rng, 40, dtype)
    weight = rng.uniform(0.5, 2, 40).astype(dtype)
    before = pred.copy(), target.copy(), weight.copy()
    for method in ("__call__", "value_and_grad", *METHODS):
        for given in (None, weight):
            getattr(case.loss, method)(pred, target, weight=given)
    for now, then in zip((pred, target, weight), before, strict=True):
        assert now.tobytes() == then.tobytes()
    assert case.loss(pred, target) > 0


# --- A loss is a value -----------------------------------------------------------------------------------------------


@every_loss
def test_the_repr_rebuilds_the_loss(loss):
    for reduction in ("mean", "sum"):
        loss = dataclasses.replace(loss, reduction=reduction)
        again = eval(repr(loss), {type(loss).__name__: type(loss)})
        assert again == loss
        assert hash(again) == hash(loss)
        assert repr(again) == repr(loss)


@every_case
def test_a_pickled_loss_computes_the_same_on_every_backend(case, rng):
    pred, target = case.draw(rng, 20, np.float64)
    here = case.loss.grad(pred, target)
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        stored = pickle.dumps(case.loss, protocol)
        for other in lossref._backend.available():
            with lossref.use_backend(other):
                again = pickle.loads(stored)
                assert again == case.loss
                np.testing.assert_allclose(again.grad(pred, target), here, rtol=1e-14, atol=1e-17)
    for again in (copy.copy(case.loss), copy.deepcopy(case.loss)):
        assert again == case.loss
        np.testing.assert_array_equal(again.grad(pred, target), here)
    assert here.any()


@every_loss
def test_losses_are_equal_when_their_settings_are_and_cannot_be_changed(loss):
    assert loss == type(loss)(**{field.name: getattr(loss, field.name) for field in dataclasses.fields(loss)})
    others = [other for other in registry.samples("losses") if repr(other) != repr(loss)]
    assert all(other != loss for other in others)
    assert dataclasses.replace(loss, reduction="sum") != loss
    for field in dataclasses.fields(loss):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(loss, field.name, getattr(loss, field.name))


@every_loss
def test_settings_are_given_by_name_only(loss):
    with pytest.raises(TypeError, match="positional argument"):
        type(loss)(1.0)


@every_loss
def test_a_notebook_shows_the_formula(loss):
    latex = loss._repr_latex_()
    assert latex.startswith(r"$\displaystyle ")
    assert latex.endswith("$")
    assert loss.latex() in latex
    assert ("y" in loss.latex()) == bool({"target", "y"} & set(loss.arrays))
