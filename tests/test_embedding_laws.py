"""What holds of losses of embeddings: against the formula, against themselves, and of distances and angles."""

import copy
import dataclasses
import functools
import itertools
import math
import pickle
import re

import mpmath
import numpy as np
import oracle
import pytest
import sympy as sp
from test_bad_input import KINDS, OUTS, Untouched
from test_bits import guarded, layouts, writable_layouts

import lossref
from lossref import _backend, registry
from lossref.losses.base import EmbeddingLoss

EMBEDDINGS = [loss for loss in registry.samples("losses") if isinstance(loss, EmbeddingLoss)]
#: One setting of each kernel: what is asked of the driver does not depend on the numbers.
FIRST = list({loss._kernel: loss for loss in reversed(EMBEDDINGS)}.values())
METHODS = ("values", "grad", "curvature")

every_loss = pytest.mark.parametrize("loss", EMBEDDINGS, ids=repr)
each_first = pytest.mark.parametrize("loss", FIRST, ids=repr)


def total(loss):
    return dataclasses.replace(loss, reduction="sum")


def is_exact(loss):
    """Is it + − × ÷ √ alone? A norm of another order takes powers."""
    return loss.exact and getattr(loss, "p", 2) in (1, 2)


def draw(loss, rng, samples, dtype, *, width=3, scale=1.0):
    """Random rows, and labels of both kinds where the loss has labels."""
    rows = [(scale * rng.standard_normal((samples, width))).astype(dtype) for _ in loss.learned]
    return (*rows, rng.permutation(np.resize(loss.labels, samples))) if loss.labels else tuple(rows)


def with_rows(loss, rows, arrays):
    """Other rows, the same labels."""
    return (*rows, *arrays[len(loss.learned) :])


def as_list(result):
    return list(result) if isinstance(result, tuple) else [result]


def everything(loss, arrays, weight=None):
    """Every result of a loss, as bytes."""
    value, slopes = loss.value_and_grad(*arrays, weight=weight)
    assert value == loss(*arrays, weight=weight) or math.isnan(value)
    results = [np.float64(value), *slopes]
    for method in METHODS:
        results += as_list(getattr(loss, method)(*arrays, weight=weight))
    return [np.asarray(result).tobytes() for result in results]


# --- Against the formula ----------------------------------------------------------------------------------------------


@functools.cache
def judge(loss):
    """The oracle for rows of three coordinates."""
    arguments = oracle.exactly(loss.arguments())
    for name in loss.learned:
        arguments[name] = sp.symbols(f"{name}1:4", real=True)
    return oracle.Oracle(loss, arguments)


@functools.cache
def telling_rows(loss, dtype):
    """Rows near and far, nearly alike, of all sizes, on both sides of the margin; none at a kink."""
    rng = np.random.default_rng(23)
    wide = 1e12 if dtype == np.float32 else 1e140
    sizes = np.concatenate([np.full(8, 1.0), np.full(6, 0.3), [wide, 1e5, 1e-3, 1 / wide]])[:, np.newaxis]
    first = sizes * rng.standard_normal((len(sizes), 3))
    rows = [np.concatenate([first, first[:12]])]
    for _ in loss.learned[1:]:
        beside = np.logspace(-1, -6, 12)[:, np.newaxis] * rng.standard_normal((12, 3))
        rows.append(np.concatenate([sizes * rng.standard_normal(first.shape), first[:12] + beside]))
    labels = (np.resize(loss.labels, len(rows[0])),) if loss.labels else ()
    return (*(part.astype(dtype) for part in rows), *labels)


@functools.cache
def truth(loss, dtype, method):
    """The exact values, or the slopes or curvatures of each learned array.

    Only first coordinates are differentiated by: a formula does not tell coordinates apart, so that the second and
    the third are first ones of rows turned round."""
    arrays, count, asked = telling_rows(loss, dtype), len(loss.learned), judge(loss)

    def points(turned):
        rows = [np.roll(part, -turned, axis=1) for part in arrays[:count]]
        return [[*np.concatenate(own[:count]), *own[count:]] for own in zip(*rows, *arrays[count:], strict=True)]

    if method == "values":
        return [np.array([asked.value(*point) for point in points(0)])]
    derivative = asked.slope if method == "grad" else asked.curvature
    compiled = [derivative(asked.arguments[name][0]) for name in loss.learned]
    return [np.array([[f(*point) for point in points(k)] for k in range(3)]).T for f in compiled]


def contrastive_sizes(loss, a, b, y):
    r, factor = a - b, 0.5 if loss.half else 1
    far, alike = np.linalg.norm(r, axis=1, keepdims=True), (y == loss.similar)[:, np.newaxis]
    part, both = np.abs(r) / far, loss.margin + far
    values = np.where(alike, far * far, np.abs(loss.margin - far) * both)[:, 0]
    slopes = np.where(alike, 2 * np.abs(r), 2 * both * part)
    curvatures = np.where(alike, 2, 2 + 2 * loss.margin / far * (1 + part * part))
    return factor * values, [factor * slopes] * 2, [factor * curvatures] * 2


def triplet_sizes(loss, anchor, positive, negative):
    p, power = loss.p, 2 if loss.squared else 1
    lengths, slopes, curvatures = [], [], []
    for r in (anchor - positive, anchor - negative, positive - negative):
        most = np.abs(r).max(axis=1, keepdims=True)
        far = most * np.linalg.norm(r / most, p, axis=1, keepdims=True)
        part = np.abs(r) / far
        lengths.append(far[:, 0] ** power)
        slopes.append(power * far ** (power - 1) * part ** (p - 1))
        curvatures.append((p - 1) / far * (part ** (p - 2) + part ** (2 * p - 2)) if power == 1 else 0 * r + 2)
    if loss.swap:  # every size is at least that of what was chosen
        parts = [[near + far + side for near, far, side in [kind]] * 3 for kind in (slopes, curvatures)]
    else:
        parts = [[near + far, near, far] for near, far, _ in (slopes, curvatures)]
    return lengths[0] + lengths[1] + loss.margin, *parts


def cosine_sizes(loss, a, b, y):
    of_a, of_b = (np.linalg.norm(part, axis=1, keepdims=True) for part in (a, b))
    u, v = a / of_a, b / of_b
    products = np.abs(u * v).sum(axis=1, keepdims=True)
    angle = np.linalg.norm(u - v, axis=1)
    values = np.where(y == 1, np.maximum(angle, angle * angle / 2), products[:, 0] + abs(loss.margin))
    pairs = ((np.abs(u), np.abs(v), of_a), (np.abs(v), np.abs(u), of_b))
    slopes = [(other + products * own) / far for own, other, far in pairs]
    return values, slopes, [(products + 2 * own * other + 3 * products * own**2) / far**2 for own, other, far in pairs]


#: The sums of the absolute terms: what a result of float64 is measured in, where its terms may cancel.
SIZES = {"Contrastive": contrastive_sizes, "Triplet": triplet_sizes, "CosineEmbedding": cosine_sizes}


@pytest.mark.parametrize("method", METHODS)
@every_loss
def test_each_result_is_the_formula_to_the_last_digits(loss, method, dtype, backend):
    """Rows of float32 are worked on in float64, so that only the last rounding is left, also where terms cancel.

    In float64 a length of three coordinates is wrong by 3.5 units of roundoff at most: one for the differences, half
    of one for the squares, one for two sums, one for the root. Twice that, for a square, is 3.5 ulp in a number just
    above a power of two, and what follows adds halves. The slope of a norm of order p is a power p - 1 of all that."""
    arrays, exact = telling_rows(loss, dtype), truth(loss, dtype, method)
    results = as_list(getattr(total(loss), method)(*arrays))
    wide = [part.astype(np.float64) for part in arrays]
    sizes = as_list(SIZES[type(loss).__name__](loss, *wide)[METHODS.index(method)])
    sizes = [sizes[0]] if method == "values" else sizes
    for got, wanted, size in zip(results, exact, sizes[0] if isinstance(sizes[0], list) else sizes, strict=True):
        scale = np.maximum(np.abs(got.astype(np.float64)), np.maximum(size, 1e-250))  # the truth ends somewhere too
        scale = None if dtype == np.float32 else [mpmath.mpf(float(x)) for x in np.ravel(scale)]
        most = 0.51 if dtype == np.float32 else 4 * max(1, getattr(loss, "p", 2) - 1)
        errors = oracle.errors(got, wanted, dtype, scale)
        assert errors.max() <= most, (errors.max(), np.unravel_index(errors.argmax(), errors.shape))
        assert np.any(got) or (method == "curvature" and getattr(loss, "p", 2) == 1) or getattr(loss, "squared", False)


@pytest.mark.parametrize("p", [1.0, 1.5, 2.0, 2.5, 7.25, 40.0])
def test_a_norm_of_any_order_is_its_definition_at_every_size(p, way_in, rng):
    """By hand, in mpmath: also where a power of a coordinate would be no float."""
    loss = lossref.Triplet(p=p, margin=1e-300, reduction="sum")
    for size in (1e-200, 1e-7, 1.0, 1e8, 1e200):
        anchor, positive = size * rng.standard_normal((2, 1, 5))
        with mpmath.workdps(40):
            differences = [
                mpmath.mpf(float(x)) - mpmath.mpf(float(y)) for x, y in zip(anchor[0], positive[0], strict=True)
            ]
            wanted = mpmath.fsum(abs(r) ** p for r in differences) ** (1 / mpmath.mpf(p))
            slopes = [mpmath.sign(r) * (abs(r) / wanted) ** (p - 1) for r in differences]
        value, (slope, opposite, nothing) = loss.value_and_grad(anchor, positive, anchor)
        assert value == pytest.approx(float(wanted), rel=4e-15)
        np.testing.assert_allclose(slope[0], [float(part) for part in slopes], rtol=4e-15 * max(1, p - 1))
        np.testing.assert_array_equal(opposite, -slope)
        assert not nothing.any()


@every_loss
def test_the_gradients_are_the_slopes_of_the_value_and_the_curvatures_of_them(loss, way_in, rng):
    arrays = draw(loss, rng, 6, np.float64, width=4)
    count, weight = len(loss.learned), rng.uniform(0.5, 2, 6)
    slopes, bends = loss.grad(*arrays, weight=weight), loss.curvature(*arrays, weight=weight)
    for k in range(count):
        ahead, step = rng.standard_normal((6, 4)), 1e-4

        def moved(far, k=k, ahead=ahead):
            return [part + far * ahead if j == k else part for j, part in enumerate(arrays)]

        around = [loss(*moved(far * step), weight=weight) for far in (-2, -1, 1, 2)]
        slope = (around[0] - 8 * around[1] + 8 * around[2] - around[3]) / (12 * step)
        assert np.vdot(slopes[k], ahead) == pytest.approx(slope, rel=1e-7, abs=1e-9)
        for column in range(4):
            ahead[...] = np.arange(4) == column
            ends = [loss.grad(*moved(far), weight=weight)[k] for far in (1e-6, -1e-6)]
            change = (ends[0] - ends[1])[:, column] / 2e-6
            np.testing.assert_allclose(bends[k][:, column], change, rtol=1e-5, atol=1e-7)
    assert any(slope.any() for slope in slopes)


# --- Against itself ---------------------------------------------------------------------------------------------------


@each_first
def test_sums_means_and_weights_say_what_they_say_of_other_losses(loss, dtype, backend, rng):
    eps = float(np.finfo(dtype).eps)
    for samples in (1, 5, 40, 1300):
        arrays, weight = draw(loss, rng, samples, dtype), rng.uniform(0.5, 2, samples)
        values = total(loss).values(*arrays)
        assert (values.shape, values.dtype) == ((samples,), dtype)
        assert total(loss)(*arrays) == pytest.approx(math.fsum(values.astype(float)), rel=eps)
        for given, whole in ((None, samples), (weight, math.fsum(weight))):
            assert loss(*arrays, weight=given) == pytest.approx(total(loss)(*arrays, weight=given) / whole, rel=1e-14)
            for method in ("grad", "curvature"):
                pairs = zip(
                    *(getattr(each, method)(*arrays, weight=given) for each in (loss, total(loss))), strict=True
                )
                for mean, sum_ in pairs:
                    assert (mean.shape, mean.dtype) == ((samples, 3), dtype)
                    np.testing.assert_allclose(mean, sum_ / whole, rtol=4 * eps)
        times = rng.integers(0, 4, samples)
        often = np.repeat(np.arange(samples), times)
        repeated, starts = [part[often] for part in arrays], np.cumsum(times) - times
        assert total(loss)(*arrays, weight=times) == pytest.approx(total(loss)(*repeated), rel=1e-14)
        slopes, again = total(loss).grad(*arrays, weight=times), total(loss).grad(*repeated)
        for slope, alone in zip(slopes, again, strict=True):
            assert not slope[times == 0].any()
            some = times > 0
            np.testing.assert_allclose(slope[some], alone[starts[some]] * times[some, None], rtol=4 * eps)
    assert values.any()


@each_first
def test_a_sample_does_not_know_its_place_nor_who_computes_it(loss, dtype, backend, threads, rng):
    """Bits: of a row alone and among others, of one call for value and gradient or two, of any number of threads."""
    for width, samples in ((1, 7), (2, 6), (3, 5), (17, 4), (64, 3), (1025, 2), (48, 900)):
        arrays, weight = draw(loss, rng, samples, dtype, width=width), rng.uniform(0.5, 2, samples)
        threads(1)
        alone = everything(loss, arrays, weight)
        for n in (2, 7) if samples * width > 32768 else ():
            threads(n)
            assert everything(loss, arrays, weight) == alone
        whole = [as_list(getattr(total(loss), method)(*arrays)) for method in METHODS]
        for i in range(min(samples, 7)):
            parts = [as_list(getattr(total(loss), method)(*(x[i : i + 1] for x in arrays))) for method in METHODS]
            for here, there in zip(itertools.chain(*whole), itertools.chain(*parts), strict=True):
                assert here[i : i + 1].tobytes() == there.tobytes()


@every_loss
def test_exact_algebra_has_the_bits_of_numpy_and_the_rest_its_digits(loss, dtype, rng):
    for width, scale in ((1, 1.0), (2, 1.0), (5, 1e-30), (64, 0.2), (131, 1e30)):
        arrays = draw(loss, rng, 9, dtype, width=width, scale=scale)
        with lossref.use_backend("numpy"):
            wanted, results = everything(loss, arrays), loss.grad(*arrays)
        for name in _backend.available():
            with lossref.use_backend(name):
                if is_exact(loss):
                    assert everything(loss, arrays) == wanted, (name, width)
                for one, other in zip(loss.grad(*arrays), results, strict=True):
                    near = 4 * float(np.finfo(dtype).eps)
                    np.testing.assert_allclose(one, other, rtol=near, atol=near * np.abs(other).max())


@each_first
def test_layouts_outputs_and_guards_change_no_bit(loss, dtype, way_in, rng, tmp_path):
    arrays = draw(loss, rng, 6, dtype)
    count, wanted = len(loss.learned), everything(loss, arrays)
    slopes = loss.grad(*arrays)
    for variants in zip(*(layouts(part, tmp_path) for part in arrays), strict=True):
        assert everything(loss, [part for _, part in variants]) == wanted, variants[0][0]
    for outs in zip(*(writable_layouts((6, 3), dtype) for _ in range(count)), strict=True):
        for method in ("grad", "curvature"):
            result = getattr(loss, method)(*arrays, out=outs)
            assert all(one is other for one, other in zip(result, outs, strict=True))
            for one, other in zip(outs, getattr(loss, method)(*arrays), strict=True):
                np.testing.assert_array_equal(one, other)
        values = next(writable_layouts((6,), dtype))
        assert loss.values(*arrays, out=values) is values
        assert values.tobytes() == loss.values(*arrays).tobytes()
    for inside in zip(*(guarded(part) for part in arrays), strict=True):
        assert everything(loss, inside) == wanted
    inputs = [part.copy() for part in arrays]
    value, results = loss.value_and_grad(*inputs, out=inputs[:count])
    assert value == loss(*arrays)
    for one, other, slope in zip(results, inputs, slopes, strict=False):
        assert one is other
        np.testing.assert_array_equal(one, slope)


@each_first
def test_the_first_array_decides_the_precision(loss, way_in, rng):
    arrays = draw(loss, rng, 5, np.float32)
    for kind in (np.float64, np.float16, np.float32):
        first = arrays[0].astype(kind)
        mixed = (first, *(part.astype(np.float64) for part in arrays[1 : len(loss.learned)]))
        wanted = np.float64 if kind == np.float64 else np.float32
        alike = [part.astype(wanted) for part in mixed]
        slopes = (loss.grad(*with_rows(loss, rows, arrays)) for rows in (mixed, alike))
        for one, other in zip(*slopes, strict=True):
            assert one.dtype == wanted
            np.testing.assert_array_equal(one, other)


@each_first
def test_nan_stays_in_its_sample_and_reaches_the_total(loss, dtype, backend, rng):
    arrays = draw(loss, rng, 9, dtype)
    places = [(k, (4, 1)) for k in range(len(loss.learned))]
    if loss.labels:
        arrays = (*arrays[:-1], arrays[-1].astype(dtype))
        places.append((len(loss.learned), (4,)))
    for k, place in places:
        spoilt = [part.copy() for part in arrays]
        spoilt[k][place] = np.nan
        assert math.isnan(loss(*spoilt))
        assert math.isnan(loss.value_and_grad(*spoilt)[0])
        others = np.arange(9) != 4
        for method in METHODS:
            for sick, healthy in zip(
                as_list(getattr(loss, method)(*spoilt)), as_list(getattr(loss, method)(*arrays)), strict=True
            ):
                assert np.isnan(sick[4]).any(), (method, k)
                np.testing.assert_array_equal(sick[others], healthy[others])


@each_first
def test_nothing_to_average_is_nan_with_a_warning_and_has_gradient_zero(loss, dtype, way_in, rng):
    arrays, name = draw(loss, rng, 5, dtype), type(loss).__name__
    none = [part[:0] for part in arrays]
    assert total(loss)(*none) == 0
    for given, weight in ((none, None), (arrays, np.zeros(5))):
        with pytest.warns(RuntimeWarning, match=rf"^{name}: the mean is NaN, for "):
            assert math.isnan(loss(*given, weight=weight))
        for slope in loss.grad(*given, weight=weight):
            assert not slope.any()
    assert any(slope.any() for slope in loss.grad(*arrays))


@every_loss
def test_a_loss_of_embeddings_is_a_value(loss, way_in, rng):
    arrays = draw(loss, rng, 5, np.float64)
    wanted = everything(loss, arrays)
    again = eval(repr(loss), {type(loss).__name__: type(loss)})
    for other in (again, copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        assert (other, hash(other)) == (loss, hash(loss))
        assert everything(other, arrays) == wanted


# --- Bad input --------------------------------------------------------------------------------------------------------


def refused(error, words):
    return pytest.raises(error, match=words, check=lambda raised: type(raised) is error)


@each_first
def test_bad_input_is_refused_in_words_and_nothing_is_written(loss, way_in, rng):
    owner, names, good = type(loss).__name__, loss.arrays, draw(loss, rng, 5, np.float64)
    count = len(loss.learned)
    for k, name in enumerate(names):
        for kind, (make, refusal) in KINDS.items():
            if kind in ("generator", "dict", "text", "single number") or (kind == "uint8" and -1 in loss.labels):
                continue
            given = [make(np.asarray(part, float)) if j == k else part for j, part in enumerate(good)]
            outs = tuple(np.full((5, 3), 12345.0) for _ in range(count))
            if refusal is None:
                assert 0 < loss(*given) < np.inf, kind
                continue
            shaped = refusal[0] is ValueError and kind != "ragged"
            words = rf"^{owner}: ({'|'.join(names) if shaped else name}) {'has shape' if shaped else refusal[1]}"
            with Untouched(*outs, *good), refused(refusal[0], words):
                loss.value_and_grad(*given, out=outs)
            with refused(refusal[0], words):
                loss.values(*given)
    for wrong in (np.ones(3), np.ones((2, 3, 1)), np.ones((4, 0)), 1.0):
        with refused(ValueError, rf"^{owner}: {names[0]} has shape .*\(samples, coordinates\)"):
            loss(wrong, *good[1:])
    for some in (good[:-1], (*good, good[0]), ()):
        with refused(TypeError, rf"^{owner}: takes {len(names)} arrays \({', '.join(names)}\), got {len(some)}$"):
            loss.grad(*some)
    with refused(
        ValueError, rf"^{owner}: weight has shape \(4,\) but {names[0]}, whose first length it needs, has shape"
    ):
        loss(*good, weight=np.ones(4))
    with refused(TypeError, rf"^{owner}: weight has dtype complex128"):
        loss.grad(*good, weight=np.ones(5, complex))


@pytest.mark.parametrize("loss", [loss for loss in FIRST if loss.labels], ids=repr)
def test_what_is_no_label_is_named(loss, way_in, rng):
    *rows, labels = draw(loss, rng, 5, np.float64)
    low, high = loss.labels
    for wrong in (2, 0.5, -1 - low, math.inf, 1 + 1e-9):
        spoilt = labels.astype(np.float64)
        spoilt[3] = wrong
        words = rf": y\[3\] = {re.escape(str(float(wrong)))} is no label: labels are {low} and {high}$"
        for method in ("__call__", *METHODS):
            with Untouched(*rows, spoilt), refused(ValueError, words):
                getattr(loss, method)(*rows, spoilt)
    for kind in (bool, np.int8, np.float32, object) if low == 0 else (np.int8, np.float16):
        if kind is object:
            with refused(TypeError, r"y has dtype object"):
                loss(*rows, labels.astype(kind))
        else:
            assert loss(*rows, labels.astype(kind)) == loss(*rows, labels) > 0


@each_first
def test_outputs_that_cannot_be_written_are_refused_and_not_written(loss, way_in, rng):
    owner, arrays, count = type(loss).__name__, draw(loss, rng, 5, np.float64), len(loss.learned)
    for make, error, words in OUTS.values():
        errors = error if isinstance(error, tuple) else (error,)
        outs = [np.full((5, 3), 12345.0) for _ in range(count)]
        for k in range(count):
            given = tuple(make(part) if j == k else part for j, part in enumerate(outs))
            with Untouched(*outs, *arrays), pytest.raises(errors, match=rf"^{owner}: out\b.*({words})"):
                loss.grad(*arrays, out=given)
        with pytest.raises(errors, match=rf"^{owner}: out\b.*({words})"):
            loss.values(*arrays, out=make(np.full(5, 12345.0)))
    one = np.zeros((5, 3))
    with refused(ValueError, rf"^{owner}: out\[1\] overlaps out\[0\]"):
        loss.grad(*arrays, out=(one,) * count)
    for wrong, error, got in ((one, TypeError, "ndarray"), ((one,), ValueError, "1"), ({}, TypeError, "dict")):
        words = f"out must be a tuple of {count} arrays, one for each of {', '.join(loss.learned)}, got {got}"
        with refused(error, rf"^{owner}: {words}$"):
            loss.curvature(*arrays, out=wrong)
    memory = np.zeros(18)
    inside = [memory[:15].reshape(5, 3), *arrays[1:]]
    with Untouched(memory), refused(ValueError, rf"^{owner}: out\[0\] overlaps {loss.learned[0]}"):
        loss.grad(*inside, out=(memory[3:].reshape(5, 3), *(np.zeros((5, 3)) for _ in range(count - 1))))
    assert any(slope.any() for slope in loss.grad(*arrays))


# --- Geometry ---------------------------------------------------------------------------------------------------------


@every_loss
def test_moving_turning_and_stretching_change_what_is_said_and_no_more(loss, backend, rng):
    arrays = draw(loss, rng, 20, np.float64)
    rows, values = arrays[: len(loss.learned)], loss.values(*arrays)
    turn = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    changes = {
        "moved": [part + np.array([1.0, -2.0, 3.0]) for part in rows],
        "turned": [part @ turn for part in rows],
        "stretched": [part * rng.uniform(0.5, 2, (20, 1)) for part in rows],
    }
    for name, changed in changes.items():
        claim = getattr(loss.properties, name)
        claim = claim if isinstance(claim, bool) else bool(sp.sympify(claim, locals={"p": sp.sympify(loss.p)}))
        got = loss.values(*with_rows(loss, changed, arrays))
        assert np.allclose(got, values, rtol=1e-13, atol=1e-14) == claim, name
        if claim and name == "turned":
            slopes = loss.grad(*with_rows(loss, changed, arrays))
            for one, other in zip(slopes, loss.grad(*arrays), strict=True):
                np.testing.assert_allclose(one, other @ turn, rtol=1e-12, atol=1e-14)
    slopes = loss.grad(*arrays)
    if loss.properties.moved:  # then no force is left over
        np.testing.assert_allclose(sum(slopes), 0, atol=1e-15)
    else:  # a change of length changes nothing, so that no force is spent on it
        for slope, row in zip(slopes, rows, strict=True):
            np.testing.assert_allclose((slope * row).sum(axis=1), 0, atol=1e-15)
    assert values.any()


def test_pairs_at_the_margin_and_beyond_let_go(dtype, backend):
    for half in (False, True):
        loss = lossref.Contrastive(margin=5.0, half=half, reduction="sum")
        a = np.array([[3, 4], [6, 8], [np.inf, 0]], dtype)
        for results in (
            loss.grad(a, 0 * a[:1].repeat(3, axis=0), [1, 1, 1]),
            loss.curvature(a, np.zeros_like(a), [1] * 3),
        ):
            assert not np.any(results)
        assert not loss.values(a, np.zeros_like(a), [1, 1, 1]).any()
        nearer = np.nextafter(a[:1], dtype.type(0))
        value, (slope, opposite) = loss.value_and_grad(nearer, np.zeros_like(nearer), [1])
        assert value > 0
        assert np.all(slope < 0)
        assert np.all(opposite > 0)


def test_equal_rows_have_no_direction(dtype, backend, rng):
    """Distances have a kink there, whose slope is 0, and curvature where it exists."""
    a = rng.standard_normal((4, 3)).astype(dtype)
    a[3] = 0
    for loss in (lossref.Contrastive(margin=2.0), lossref.Contrastive(margin=2.0, half=True)):
        assert loss.values(a, a, [1] * 4).tolist() == [2.0 if loss.half else 4.0] * 4
        assert not np.any([loss.grad(a, a, [1] * 4), loss.curvature(a, a, [1] * 4)])
        assert not np.any([loss.grad(a, a, [0] * 4), loss.values(a, a, [0] * 4)[:, None] * np.ones((2, 1, 3))])
        assert np.all(np.array(loss.curvature(a, a, [0] * 4)) > 0)
    other = a + 1
    for p, swap in itertools.product((1.0, 1.5, 2.0, 3.0), (False, True)):
        loss = lossref.Triplet(margin=10.0, p=p, swap=swap, reduction="sum")
        away = total(loss).grad(a, a, other)
        np.testing.assert_array_equal(away[1] + 0 * away[0], 0 * a if not swap else away[1])
        if not swap:
            np.testing.assert_array_equal(away[0], -away[2])
        toward = loss.grad(a, other, a)
        assert not toward[2].any()
        np.testing.assert_array_equal(toward[0], -toward[1])
        assert np.all(toward[0] < 0)
        assert not np.any(loss.grad(a, a, a))
        assert not np.any(loss.curvature(a, a, a))
        np.testing.assert_allclose(loss.values(a, a, a), 10, rtol=1e-7)
    squared = lossref.Triplet(squared=True, reduction="sum")
    assert not np.any(squared.grad(a, a, a))
    assert [float(part.max()) for part in squared.curvature(a, a, a)] == [0.0, 2.0, -2.0]


def test_a_triplet_in_order_by_the_margin_teaches_nothing(dtype, backend):
    anchor, positive = np.zeros((3, 1), dtype), np.full((3, 1), 1, dtype)
    negative = np.array([[3], [np.nextafter(dtype.type(3), dtype.type(4))], [9]], dtype)
    for settings in ({"margin": 2.0}, {"margin": 2.0, "p": 1.0}, {"margin": 8.0, "squared": True}):
        loss = lossref.Triplet(**settings)
        assert not np.any([loss.grad(anchor, positive, negative), loss.curvature(anchor, positive, negative)])
        assert loss(anchor, positive, negative) == 0
        assert loss(anchor, positive, np.nextafter(negative, dtype.type(0))) > 0


def test_a_swap_holds_the_negative_against_the_nearer_one(backend, rng):
    swapped, plain = (lossref.Triplet(margin=5.0, swap=swap, reduction="sum") for swap in (True, False))
    anchor, positive, negative = rng.standard_normal((3, 200, 4))
    side = np.linalg.norm(positive - negative, axis=1) < np.linalg.norm(anchor - negative, axis=1)
    assert 20 < side.sum() < 180
    for result, own, turned in zip(
        swapped.grad(anchor, positive, negative),
        plain.grad(anchor, positive, negative),
        (plain.grad(positive, anchor, negative)[k] for k in (1, 0, 2)),
        strict=True,
    ):
        np.testing.assert_array_equal(result, np.where(side[:, None], turned, own))


def test_sizes_beyond_every_square_keep_their_distances_and_directions(backend):
    for size in (1e-320, 1e-200, 1e-160, 1e160, 1e200, 1e307):
        a, b = np.array([[3.0, 4.0]]) * size, np.zeros((1, 2))
        loss = lossref.Triplet(margin=1e-323, reduction="sum")
        assert loss(a, b, a) == pytest.approx(5 * size, rel=1e-15, abs=1e-322)
        near = 1e-3 if size < 1e-310 else 1e-15  # a subnormal has few digits
        np.testing.assert_allclose(loss.grad(a, b, a)[0], [[0.6, 0.8]], rtol=near)
        cosine = lossref.CosineEmbedding(reduction="sum")
        assert cosine(a, a[:, ::-1] * 1e-3, [1]) == pytest.approx(0.04, rel=20 * near)
        if size < 1e153:
            assert lossref.Contrastive()(a, b, [0]) == pytest.approx(25 * size**2, rel=1e-15, abs=1e-323)


def test_an_infinite_coordinate_gives_the_limit(dtype, backend):
    infinity, b = np.array([[np.inf, 1.0], [-np.inf, np.inf]], dtype), np.zeros((2, 2), dtype)
    root = math.sqrt(0.5)
    directions = np.array([[1, 0], [-root, root]])
    for p in (2.0, 3.0):
        loss = lossref.Triplet(p=p, reduction="sum")
        part = directions if p == 2 else np.sign(directions) * np.abs(directions) ** (4 / 3)
        assert loss(b, infinity, b - 1) == np.inf
        np.testing.assert_allclose(loss.grad(b, infinity, b - 1)[1], part, rtol=1e-6)
    contrastive = lossref.Contrastive(reduction="sum")
    assert contrastive(infinity, b, [0, 0]) == np.inf
    np.testing.assert_array_equal(contrastive.grad(infinity, b, [0, 0])[0], 2 * infinity)
    assert not np.any(contrastive.grad(infinity, b, [1, 1]))
    cosine = lossref.CosineEmbedding(reduction="sum")
    np.testing.assert_allclose(cosine.values(infinity, b + 1, [1, 1]), [1 - root, 1], rtol=1e-6)
    assert not np.any(cosine.grad(infinity, b + 1, [1, 1])[0])


def test_a_row_of_zeros_has_no_cosine_and_is_alone_in_that(dtype, backend):
    loss = lossref.CosineEmbedding()
    a, b = np.array([[0, 0], [1, 0], [1, 2]], dtype), np.array([[1, 1], [0, 0], [3, 4]], dtype)
    for labels in ([1, 1, 1], [-1, -1, -1]):
        for method in METHODS:
            for result in as_list(getattr(loss, method)(a, b, labels)):
                assert np.isnan(result[:2]).all()
                assert np.isfinite(result[2]).all()
        assert math.isnan(loss(a, b, labels))


def test_small_angles_keep_their_digits(backend):
    """Two rows at a small angle, against 60 digits. Subtracted from 1, the cosine has none left."""
    loss = lossref.CosineEmbedding(reduction="sum")
    for dtype, angles in ((np.float32, (1e-3, 1e-5, 1e-7)), (np.float64, (1e-3, 1e-6, 1e-9))):
        for t in angles:
            a, b = np.array([[1, t]], dtype), np.array([[1, 0]], dtype)
            tangent = float(a[0, 1])
            with mpmath.workdps(60):
                exact = float(1 - 1 / mpmath.sqrt(1 + mpmath.mpf(tangent) ** 2))
            assert loss(a, b, [1]) == pytest.approx(exact, rel=1e-9 if dtype == np.float32 else 3e-16 / t, abs=0)
            assert loss.grad(a, b, [1])[1][0, 1] == pytest.approx(-tangent, rel=1e-6)
    plain = 1 - np.dot([1, 1e-9], [1, 0]) / np.linalg.norm([1, 1e-9])
    assert plain == 0 < loss([[1, 1e-9]], [[1, 0]], [1])


def test_settings_that_mean_the_same_give_the_same(backend, rng):
    a, b = rng.standard_normal((2, 30, 3))
    y = rng.integers(0, 2, 30)
    plain, turned = lossref.Contrastive(margin=3.0), lossref.Contrastive(margin=3.0, similar=1, half=True)
    np.testing.assert_array_equal(plain.grad(a, b, y), 2 * np.array(turned.grad(a, b, 1 - y)))
    assert plain(a, b, y) == 2 * turned(a, b, 1 - y) > 0
    np.testing.assert_array_equal(plain.grad(a, b, y), plain.grad(b, a, y)[::-1])
    cosine = lossref.CosineEmbedding(margin=0.25)
    np.testing.assert_array_equal(cosine.grad(a, b, 2 * y - 1), cosine.grad(b, a, 2 * y - 1)[::-1])
    with pytest.raises(ValueError, match=r"^Triplet: squared distances are Euclidean: p must be 2, got 1.0$"):
        lossref.Triplet(p=1.0, squared=True)
