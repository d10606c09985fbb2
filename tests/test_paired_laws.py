"""What holds of elementwise losses of two learned arrays: against the formula, and against itself."""

import dataclasses
import functools
import itertools
import math

import cases
import hypothesis
import hypothesis.extra.numpy as hnp
import numpy as np
import oracle
import pytest
import sympy as sp
from hypothesis import strategies as st
from test_bad_input import KINDS, OUTS, SHAPED, Series, Untouched, refuses
from test_bits import CHUNK, COMPILED, guarded, layouts, writable_layouts

import lossref
from lossref import registry
from lossref.losses.base import PairedLoss

PAIRED = [loss for loss in registry.samples("losses") if isinstance(loss, PairedLoss)]
#: Each class once: what is asked of the way in and of the driver does not depend on the numbers.
ONCE = list({type(loss): loss for loss in reversed(PAIRED)}.values())[::-1]
METHODS = ("values", "grad", "curvature")

every_loss = pytest.mark.parametrize("loss", PAIRED, ids=repr)
each_once = pytest.mark.parametrize("loss", ONCE, ids=repr)


def draw(loss, rng, shape, dtype, scale=2.0):
    """Random arrays that the loss takes; of a ranking, the first pair is in the wrong order."""
    arrays = [scale * rng.standard_normal(shape) for _ in loss.arrays]
    if loss.signs:
        arrays[2] = rng.choice([-1.0, 1.0], shape)
        arrays[2].flat[:1] = np.sign(arrays[1] - arrays[0]).flat[:1]
    return [array.astype(dtype) for array in arrays]


def summed(loss):
    return dataclasses.replace(loss, reduction="sum")


def flat(results):
    """The arrays of a result, which is one or a tuple of two."""
    return list(results) if isinstance(results, tuple) else [results]


def everything(loss, arrays, weight=None):
    """Every result as bytes; what is computed together has the bits of what is computed apart."""
    value, slopes = loss.value_and_grad(*arrays, weight=weight)
    assert np.float64(value).tobytes() == np.float64(loss(*arrays, weight=weight)).tobytes()
    apart = [flat(getattr(loss, method)(*arrays, weight=weight)) for method in METHODS]
    assert [slope.tobytes() for slope in slopes] == [slope.tobytes() for slope in apart[1]]
    return [np.float64(value).tobytes(), *(array.tobytes() for array in itertools.chain(*apart))]


# --- Against the formula ---------------------------------------------------------------------------------------------


@functools.cache
def telling(loss, dtype):
    """Arrays that try a loss hard: all sizes, log variances up to and beyond where exponentials vanish, near kinks."""
    rng = np.random.default_rng(22)
    numbers = cases.telling_numbers(dtype)
    if loss.signs:
        edges = cases.neighbours([loss.margin, 0.3, 1.0], dtype)
        first = np.concatenate([numbers, edges, -edges, 3 * rng.standard_normal(200)]).astype(dtype)
        second = np.concatenate([np.zeros(numbers.size + 2 * edges.size), 3 * rng.standard_normal(100)])
        second = np.concatenate([second, first[-100:] - loss.margin]).astype(dtype)  # at a lead of about the margin
        return [np.tile(first, 2), np.tile(second, 2), np.repeat(np.array([1, -1], dtype), first.size)]
    _, _, most = cases.limits(dtype)
    means = np.concatenate([numbers[::3], [most, -most, most / 3]]).astype(dtype)
    ends = cases.telling_logits(dtype)
    spreads = np.concatenate([ends, 2 * ends[::3], numbers[::5]])
    means, spreads = (array.ravel() for array in np.meshgrid(means, spreads))
    keep = rng.permutation(means.size)[:160]
    mean = np.concatenate([means[keep], 3 * rng.standard_normal(40)]).astype(dtype)
    spread = np.concatenate([spreads[keep], 3 * rng.standard_normal(40)]).astype(dtype)
    target = np.where(np.arange(mean.size) < 160, 0, rng.standard_normal(mean.size)).astype(dtype)
    return [mean, spread, target][: len(loss.arrays)]


def sizes(loss):
    """The expressions whose terms may cancel, and whose errors are measured against the sum of their absolute terms."""
    return isinstance(loss, lossref.GaussianNLL)


@functools.cache
def truth(loss, dtype):
    """Telling arrays, and the exact results for each method, with the sizes that errors are measured in."""
    arrays, judge = telling(loss, dtype), oracle.of(loss)
    points, learned = list(zip(*arrays, strict=True)), judge.inputs[:2]

    def at(what):
        return np.array([what(*point) for point in points])

    terms = judge.compile(sp.Add(*map(sp.Abs, sp.Add.make_args(judge.expression)), evaluate=False))
    return arrays, {
        "values": [(at(judge.value), at(terms) if sizes(loss) else None)],
        "grad": [(at(judge.slope(x)), at(judge.slope_size(x)) if sizes(loss) else None) for x in learned],
        "curvature": [(at(judge.curvature(x)), None) for x in learned],
    }


@every_loss
def test_each_result_is_the_formula_to_the_last_digits(loss, dtype, backend):
    arrays, exact = truth(loss, dtype)
    for method in METHODS:
        results = flat(getattr(summed(loss), method)(*arrays))
        for place, (got, (wanted, scale)) in enumerate(zip(results, exact[method], strict=True)):
            errors = oracle.errors(got, wanted, dtype, scale)
            worst = int(np.argmax(errors))
            assert errors.max() <= 4, (method, place, errors.max(), [array[worst] for array in arrays])


@every_loss
def test_many_random_results_in_float32_are_near_those_in_float64(loss, backend, rng):
    """A search with less exact means in more places: NumPy in float64, which itself is held against the formula."""
    for _ in range(3):
        arrays = draw(loss, rng, 20_000, np.float32, scale=10 ** rng.uniform(-2, 1))
        with lossref.use_backend("numpy"):
            wide = [array.astype(np.float64) for array in arrays]
            wanted = {method: flat(getattr(summed(loss), method)(*wide)) for method in METHODS}
        for method, results in wanted.items():
            found = flat(getattr(summed(loss), method)(*arrays))
            for place, (got, exact) in enumerate(zip(found, results, strict=True)):
                size = np.abs(exact)
                if sizes(loss) and method == "values":
                    size = size + np.abs(wide[1])
                elif sizes(loss) and method == "grad" and place == 1:
                    size = size + 0.5
                ulp = np.maximum(np.exp2(np.floor(np.log2(np.maximum(size, 1e-60))) - 23), 2.0**-149)
                errors = np.where(size <= np.finfo(np.float32).max, np.abs(got - exact), 0) / ulp
                assert errors.max() <= 4, (method, place, errors.max())


@every_loss
def test_gradients_are_slopes_of_the_value_and_curvatures_those_of_the_gradients(loss, backend, rng):
    arrays = draw(loss, rng, 7, np.float64, scale=1.0)
    weight = rng.uniform(0.5, 2, 7)
    slopes, bends = loss.grad(*arrays, weight=weight), loss.curvature(*arrays, weight=weight)
    step = 1e-5
    for k in range(2):
        for place in range(7):
            near = [[array.copy() for array in arrays] for _ in range(2)]
            near[0][k][place] -= step
            near[1][k][place] += step
            low, high = (loss(*each, weight=weight) for each in near)
            assert slopes[k][place] == pytest.approx((high - low) / (2 * step), rel=1e-7, abs=1e-8)
            low, high = (loss.grad(*each, weight=weight)[k][place] for each in near)
            assert bends[k][place] == pytest.approx((high - low) / (2 * step), rel=1e-7, abs=1e-8)
    assert np.any(slopes[0])
    assert np.any(slopes[1])


# --- Sums, means and weights -----------------------------------------------------------------------------------------


@every_loss
def test_results_are_sums_and_means_over_weighted_samples(loss, dtype, backend, rng):
    eps, total = float(np.finfo(dtype).eps), summed(loss)
    for samples in (1, 40, 1025, 3000):
        arrays = draw(loss, rng, samples, dtype)
        times = rng.integers(0, 4, samples)
        times[0] = 3
        values = total.values(*arrays)
        whole = math.fsum(values.astype(np.float64))
        absolute = math.fsum(np.abs(values).astype(np.float64))
        assert total(*arrays) == pytest.approx(whole, rel=0, abs=25 * 2.0**-53 * absolute)
        assert loss(*arrays) == pytest.approx(whole / samples, rel=0, abs=26 * 2.0**-53 * absolute / samples)
        assert absolute > 0
        often = [np.repeat(array, times) for array in arrays]
        for each, divisor in ((total, 1), (loss, times.sum())):
            near = pytest.approx(each(*often), rel=0, abs=64 * eps * absolute * 3 / divisor)
            assert each(*arrays, weight=times) == near
            factor = 8 if each is total else 1
            assert each(*arrays, weight=8 * times) == pytest.approx(factor * each(*arrays, weight=times))
            for once, many in zip(each.grad(*arrays, weight=times), each.grad(*often), strict=True):
                starts = np.cumsum(times)[times > 0] - 1
                np.testing.assert_allclose(once[times > 0], many[starts] * times[times > 0].astype(dtype), rtol=8 * eps)
                assert not np.any(once[times == 0])
        np.testing.assert_array_equal(total.values(*arrays, weight=8 * np.ones(samples)), 8 * values)


@each_once
def test_the_weight_of_a_sample_holds_for_all_its_elements(loss, dtype, backend, rng):
    arrays = draw(loss, rng, (4, 3, 2), dtype)
    weight = rng.uniform(0.5, 2, 4).astype(dtype)
    deep = loss.value_and_grad(*arrays, weight=weight)
    spread = loss.value_and_grad(*(array.ravel() for array in arrays), weight=np.repeat(weight, 6))
    assert deep[0] == pytest.approx(spread[0], rel=1e-14)
    for one, other in zip(deep[1], spread[1], strict=True):
        assert one.shape == (4, 3, 2)
        np.testing.assert_allclose(one.ravel(), other, rtol=2 * np.finfo(dtype).eps)


@each_once
def test_a_mean_over_nothing_is_nan_with_a_warning(loss, dtype, backend, rng):
    name = type(loss).__name__
    empty = [np.empty(0, dtype) for _ in loss.arrays]
    arrays = draw(loss, rng, 5, dtype)
    assert summed(loss)(*empty) == summed(loss)(*arrays, weight=np.zeros(5)) == 0
    with pytest.warns(RuntimeWarning, match=rf"^{name}: the mean is NaN, for there are zero elements$"):
        assert math.isnan(loss(*empty))
    with pytest.warns(RuntimeWarning, match=rf"^{name}: the mean is NaN, for the weights sum to zero$"):
        assert math.isnan(loss(*arrays, weight=np.zeros(5)))
    for method in METHODS:
        assert all((array.size, array.dtype) == (0, dtype) for array in flat(getattr(loss, method)(*empty)))
    assert not np.any(loss.grad(*arrays, weight=np.zeros(5)))
    assert np.any(loss.grad(*arrays))


# --- The same bits ---------------------------------------------------------------------------------------------------


@each_once
def test_neither_threads_nor_places_change_a_bit(loss, dtype, backend, threads, rng):
    for size in (32_769, 70_003):
        arrays = draw(loss, rng, size, dtype)
        for weight in (None, rng.uniform(0.5, 2, size)):
            threads(1)
            alone = everything(loss, arrays, weight)
            for count in (2, 7):
                threads(count)
                assert everything(loss, arrays, weight) == alone, (size, count)
    arrays = [array[:140] for array in arrays]
    whole = {method: flat(getattr(summed(loss), method)(*arrays)) for method in METHODS}
    for start, method in itertools.product(range(0, 130, 3), METHODS):
        part = slice(start, start + 1 + start % 37)
        alone = flat(getattr(summed(loss), method)(*(array[part] for array in arrays)))
        for one, wanted in zip(alone, whole[method], strict=True):
            assert one.tobytes() == wanted[part].tobytes(), (method, start)


def test_the_number_of_threads_changes_no_bit_across_chunks(dtype, threads, rng):
    loss = lossref.MarginRanking(margin=0.3)
    arrays = [np.resize(array, CHUNK + 3 * 1024 + 17) for array in draw(loss, rng, 4099, dtype)]
    threads(1)
    value, slopes = loss.value_and_grad(*arrays)
    threads(2)
    again, others = loss.value_and_grad(*arrays)
    assert value == again > 0
    assert all(one.tobytes() == other.tobytes() for one, other in zip(slopes, others, strict=True))
    with lossref.use_backend("numpy"):
        assert loss(*arrays) == value


@pytest.mark.parametrize("loss", [loss for loss in PAIRED if loss.exact], ids=repr)
def test_exact_algebra_has_the_same_bits_on_every_instruction_set_and_in_numpy(loss, dtype, rng):
    for size in (1, 7, 131, 1024, 40_000):
        arrays = draw(loss, rng, size, dtype)
        for weight in (None, rng.uniform(0.5, 2, size).astype(dtype)):
            with lossref.use_backend("numpy"):
                wanted = everything(loss, arrays, weight)
            for name in COMPILED:
                with lossref.use_backend(name):
                    assert everything(loss, arrays, weight) == wanted, (name, size)


@each_once
def test_layout_changes_no_bit_and_arguments_are_left_as_they_were(loss, dtype, backend, rng, tmp_path):
    arrays, weight = draw(loss, rng, (14, 3), dtype), rng.uniform(0.5, 2, 14).astype(dtype)
    before = [array.tobytes() for array in (*arrays, weight)]
    for given in (None, weight):
        wanted = everything(loss, arrays, given)
        for which, array in enumerate(arrays):
            for name, other in layouts(array, tmp_path):
                assert everything(loss, [*arrays[:which], other, *arrays[which + 1 :]], given) == wanted, (name, which)
    for name, other in layouts(weight, tmp_path):
        assert everything(loss, arrays, other) == wanted, name
    assert [array.tobytes() for array in (*arrays, weight)] == before


@each_once
def test_nothing_is_read_or_written_beyond_an_array(loss, dtype, backend, rng):
    """Guard pages on both sides: a single byte out of bounds kills the process."""
    for size in (*range(1, 34, 2), 65, 1023, 1025):
        arrays = draw(loss, rng, size, dtype)
        wanted = everything(loss, arrays)
        places = [guarded(array) for array in (*arrays, np.zeros_like(arrays[0]), np.zeros_like(arrays[0]))]
        for *inside, one, other in zip(*places, strict=True):
            assert everything(loss, inside) == wanted
            assert loss.grad(*inside, out=(one, other)) == (one, other)
            assert [one.tobytes(), other.tobytes()] == wanted[2:4]


@each_once
def test_out_gets_the_results_in_any_layout_and_may_be_any_input(loss, dtype, backend, rng):
    for length, weighted in ((14, False), (14, True), (11_334, False)):
        arrays = draw(loss, rng, (length, 3), dtype)
        weight = rng.uniform(0.5, 2, length) if weighted else None
        value = loss(*arrays, weight=weight)
        wanted = {method: flat(getattr(loss, method)(*arrays, weight=weight)) for method in METHODS}

        def given_back(method, given, outs):
            more = {"weight": weight, "out": outs[0] if method == "values" else outs}  # noqa: B023
            got = flat(getattr(loss, method)(*given, **more))
            assert all(one is out for one, out in zip(got, outs, strict=True))
            assert [out.tobytes() for out in outs] == [array.tobytes() for array in wanted[method]]  # noqa: B023

        for method in METHODS:
            count = len(wanted[method])
            for outs in zip(*(writable_layouts((length, 3), dtype) for _ in range(count)), strict=True):
                given_back(method, arrays, outs)
            for which in itertools.permutations(range(len(arrays)), count):
                given = [array.copy() for array in arrays]
                given_back(method, given, tuple(given[k] for k in which))
        outs = [np.empty((length, 3), dtype) for _ in range(2)]
        again, slopes = loss.value_and_grad(*arrays, weight=weight, out=outs)
        assert again == value
        assert type(slopes) is tuple
        assert [out.tobytes() for out in outs] == [array.tobytes() for array in wanted["grad"]]


# --- NaN, infinity, any floats ---------------------------------------------------------------------------------------


@every_loss
def test_nan_stays_in_its_element_and_reaches_the_total(loss, dtype, backend, rng):
    for samples, which in itertools.product((1, 40, 1200), range(len(loss.arrays))):
        arrays = draw(loss, rng, samples, dtype)
        spoilt = [array.copy() for array in arrays]
        sick = int(rng.integers(samples))
        spoilt[which][sick] = np.nan
        assert math.isnan(loss(*spoilt))
        for method in METHODS:
            healthy = flat(getattr(loss, method)(*arrays))
            for place, (got, before) in enumerate(zip(flat(getattr(loss, method)(*spoilt)), healthy, strict=True)):
                assert np.isnan(got[sick]), (method, place, which)
                np.testing.assert_array_equal(np.delete(got, sick), np.delete(before, sick))
        weight = np.ones(samples)
        weight[sick] = np.nan
        assert math.isnan(loss(*arrays, weight=weight))


ENDS = {
    # mean or first, log variance or second, target: value, slopes and curvatures in the limit
    "GaussianNLL": [
        ((math.inf, 0, 0), math.inf, (math.inf, -math.inf), (1, math.inf)),
        ((-math.inf, 0, 0), math.inf, (-math.inf, -math.inf), (1, math.inf)),
        ((0, 0, math.inf), math.inf, (-math.inf, -math.inf), (1, math.inf)),
        ((1, math.inf, 0), math.inf, (0, 0.5), (0, 0)),
        ((1, -math.inf, 0), math.inf, (math.inf, -math.inf), (math.inf, math.inf)),
        ((0, -math.inf, 0), -math.inf, (0, 0.5), (math.inf, 0)),
    ],
    "GaussianKL": [
        ((math.inf, 0), math.inf, (math.inf, 0), (1, 0.5)),
        ((0, math.inf), math.inf, (0, math.inf), (1, math.inf)),
        ((0, -math.inf), math.inf, (0, -0.5), (1, 0)),
    ],
    "MarginRanking": [
        ((math.inf, 0, 1), 0, (0, 0), (0, 0)),
        ((math.inf, 0, -1), math.inf, (1, -1), (0, 0)),
        ((0, math.inf, 1), math.inf, (-1, 1), (0, 0)),
        ((math.inf, math.inf, 1), math.nan, (math.nan, math.nan), (math.nan, math.nan)),
    ],
}


@each_once
def test_infinity_gives_the_limit_and_nothing_is_clamped(loss, dtype, backend):
    for arguments, *wanted in ENDS[type(loss).__name__]:
        arrays = [np.array([0.5, argument, 1.0], dtype) for argument in arguments]
        if loss.signs:
            arrays[2][[0, 2]] = 1
        for method, limit in zip(METHODS, wanted, strict=True):
            got = [array[1] for array in flat(getattr(summed(loss), method)(*arrays))]
            np.testing.assert_array_equal(got, np.array(limit, ndmin=1), err_msg=f"{method} at {arguments}")


@every_loss
@hypothesis.given(data=st.data())
@hypothesis.settings(max_examples=15)
def test_any_floats_are_finite_infinite_or_nan_where_numpy_says_so(loss, dtype, backend, data):
    floats = st.floats(width=dtype.itemsize * 8, allow_subnormal=True)
    shape = data.draw(hnp.array_shapes(max_dims=2, max_side=9))
    arrays = [data.draw(hnp.arrays(dtype, shape, elements=floats, fill=st.nothing())) for _ in loss.arrays]
    if loss.signs:
        arrays[2] = data.draw(hnp.arrays(dtype, shape, elements=st.sampled_from([-1.0, 1.0, math.nan])))
    for method in METHODS:
        with lossref.use_backend("numpy"):
            wanted = flat(getattr(summed(loss), method)(*arrays))
        for got, exact in zip(flat(getattr(summed(loss), method)(*arrays)), wanted, strict=True):
            assert got.dtype == exact.dtype == dtype
            for kind in (np.isnan, np.isposinf, np.isneginf):
                np.testing.assert_array_equal(kind(got), kind(exact), err_msg=method)
            if loss.exact:
                np.testing.assert_array_equal(got, exact, err_msg=method)


# --- Shapes, kinds and errors ----------------------------------------------------------------------------------------


@each_once
def test_single_numbers_give_numbers_of_their_dtype(loss, dtype, backend):
    arrays = [np.array(x, dtype) for x in (0.25, 0.5, 1.0)[: len(loss.arrays)]]
    rows = [array[None] for array in arrays]
    for method in METHODS:
        for one, other in zip(flat(getattr(loss, method)(*arrays)), flat(getattr(loss, method)(*rows)), strict=True):
            assert type(one) is dtype.type
            assert one == other[0]
    value, slopes = loss.value_and_grad(*arrays)
    assert type(value) is type(loss(*arrays)) is float
    assert value == loss(*arrays) == loss(*rows)
    assert [type(slope) for slope in slopes] == 2 * [dtype.type]
    outs = np.empty((), dtype), np.empty((), dtype)
    assert loss.grad(*arrays, out=outs) == slopes


@each_once
def test_the_first_array_decides_the_precision(loss, way_in, rng):
    arrays = draw(loss, rng, 9, np.float32)
    mixed = [arrays[0], *(array.astype(np.float64) for array in arrays[1:])]
    assert everything(loss, mixed) == everything(loss, arrays)
    for kind, (make, refusal) in KINDS.items():
        if refusal is None and kind not in ("float32", "float16"):
            given = make(arrays[0].astype(np.float64))
            plain = np.array(given.array if isinstance(given, Series) else given).astype(np.float64)
            with cases.about(kind):
                assert everything(loss, [given, *arrays[1:]]) == everything(loss, [plain, *mixed[1:]])


def calls(loss):
    """Every way to call a loss, with whether it takes an output, and that output by its number of arrays."""
    yield loss, None
    yield loss.values, lambda make: make()
    for method in (loss.grad, loss.value_and_grad, loss.curvature):
        yield method, lambda make: (make(), make())


@each_once
def test_an_array_of_each_kind_is_taken_or_refused_in_words(loss, way_in, rng):
    arrays, weight, owner = draw(loss, rng, 5, np.float64), rng.uniform(0.5, 2, 5), type(loss).__name__
    for (kind, (make, refusal)), which in itertools.product(KINDS.items(), range(len(arrays) + 1)):
        names = [*loss.arrays, "weight"]
        if kind == "None" and which == len(arrays):
            continue
        for run, outs in calls(loss):
            all_of_them = [*arrays, weight]
            all_of_them[which] = make(all_of_them[which])
            *given, given_weight = all_of_them
            if refusal is None:
                with cases.about(kind):
                    run(*given, weight=given_weight)
                continue
            error, words = refusal
            name, words = (f"({'|'.join(names)})", ".*shape ") if kind in SHAPED else (names[which], words)
            more = {} if outs is None else {"out": outs(lambda: np.full(5, 12345.0))}
            untouched = Untouched(*arrays, weight, *flat(more.get("out", ())))
            with cases.about(kind, names[which]), untouched, refuses(error, owner, name, words):
                run(*given, weight=given_weight, **more)


@each_once
def test_more_or_fewer_arrays_are_refused_by_name(loss, way_in):
    listed = ", ".join(loss.arrays)
    for count in (0, len(loss.arrays) - 1, len(loss.arrays) + 1):
        for run, _ in calls(loss):
            with pytest.raises(TypeError, match=rf"^{type(loss).__name__}: takes \d arrays \({listed}\), got {count}$"):
                run(*[np.ones(3)] * count)


@each_once
def test_outputs_that_cannot_be_written_are_refused_and_not_written(loss, way_in, rng):
    arrays, owner = draw(loss, rng, 5, np.float64), type(loss).__name__
    for (kind, (make, error, words)), (run, outs) in itertools.product(OUTS.items(), calls(loss)):
        if outs is None:
            continue
        for spoilt in range(2):
            pair = [np.full(5, 12345.0), np.full(5, 12345.0)]
            pair[spoilt] = make(pair[spoilt])
            out, name = (pair[spoilt], "out") if run == loss.values else (tuple(pair), rf"out\[{spoilt}\]")
            refused = pytest.raises(error, match=rf"^{owner}: {name} .*({words})")
            with cases.about(kind), Untouched(*pair, *arrays), refused:
                run(*arrays, out=out)
    memory = np.zeros(8)
    memory[:5] = arrays[0]
    for run in (loss.grad, loss.value_and_grad, loss.curvature):
        for out, error, words in [
            (np.empty((2, 5)), TypeError, "must be a tuple of 2 arrays, one for each of .*, got ndarray"),
            ((np.empty(5),), ValueError, "must be a tuple of 2 arrays, one for each of .*, got 1"),
            ((memory[:5], memory[1:6]), ValueError, r"\[1\] overlaps out\[0\]"),
            ((memory[:5], memory[:5]), ValueError, r"\[1\] overlaps out\[0\]"),
        ]:
            with Untouched(memory, *arrays), refuses(error, owner, "out", words):
                run(*arrays, out=out)
        with Untouched(memory), refuses(ValueError, owner, "out", rf"\[0\] overlaps {loss.arrays[0]}"):
            run(memory[:5], *arrays[1:], out=(memory[1:6], np.empty(5)))


def test_what_is_no_label_is_named_before_anything_is_written(dtype, way_in):
    loss, scores = lossref.MarginRanking(), np.full(70, 0.5, dtype)
    for label in (0, 2, 0.5, -1e-30, np.inf):
        target = np.ones(70, dtype)
        target[67] = label
        for (run, outs), given in itertools.product(calls(loss), (target, np.repeat(target, 2)[::2])):
            more = {} if outs is None else {"out": outs(lambda: np.full(70, 12345, dtype))}
            with Untouched(scores, target, *flat(more.get("out", ()))):
                for settings in ({}, more, {"weight": np.zeros(70)}):
                    with refuses(ValueError, "MarginRanking", "target", r"\[67\] = \S+ is no label"):
                        run(scores, scores, given, **settings)


# --- What is claimed of them -----------------------------------------------------------------------------------------


@every_loss
def test_convex_is_what_lies_below_its_chords_in_all_learned_arrays_together(loss, rng):
    a, b = (draw(loss, rng, 4000, np.float64) for _ in range(2))
    b[2:] = a[2:]
    share = rng.uniform(0, 1, 4000)
    between = [share * x + (1 - share) * y for x, y in zip(a[:2], b[:2], strict=True)]
    chord = share * summed(loss).values(*a) + (1 - share) * summed(loss).values(*b)
    below = summed(loss).values(*between, *a[2:]) <= chord + 1e-12 * (1 + np.abs(chord))
    assert below.all() == loss.properties.convex


@every_loss
def test_bounds_and_symmetry_and_smoothness_are_what_is_claimed(loss, rng):
    claims, total = loss.properties, summed(loss)
    arrays = draw(loss, rng, 4000, np.float64, scale=30.0)
    steepest = max(np.abs(slope).max() for slope in total.grad(*arrays))
    assert steepest == float(claims.lipschitz) if claims.lipschitz else steepest > 1e3
    mirrored = [2 * (arrays[2] if arrays[2:] and not loss.signs else 0) - arrays[0], *arrays[1:]]
    same = np.isclose(total.values(*mirrored), total.values(*arrays), rtol=1e-9)
    assert same.all() == claims.symmetric
    edge = np.array([getattr(loss, "margin", 0.0)])
    others = [np.zeros(1), np.ones(1)][: len(arrays) - 1]
    jump = max(
        np.abs(high - low).max()
        for high, low in zip(total.grad(edge + 1e-9, *others), total.grad(edge - 1e-9, *others), strict=True)
    )
    assert (jump < 1e-6) == claims.differentiable
    bend = max(bend.max() for bend in total.curvature(*arrays))
    assert claims.smoothness is None
    assert bend > 1e3 or not claims.differentiable  # without bound, or a jump of the slope


def test_the_best_constants_are_what_they_are_said_to_be(backend, rng):
    target = np.exp(rng.standard_normal(501))
    mean, log_variance = np.full(501, target.mean()), np.full(501, np.log(target.var()))
    for slope in lossref.GaussianNLL().grad(mean, log_variance, target):
        assert abs(slope.sum()) < 1e-13
    assert lossref.GaussianNLL()(mean + 0.01, log_variance, target) > lossref.GaussianNLL()(mean, log_variance, target)
    assert not np.any(lossref.GaussianKL().grad(np.zeros(3), np.zeros(3)))
    assert lossref.GaussianKL()(np.zeros(3), np.zeros(3)) == 0 < lossref.GaussianKL()(np.zeros(3), np.full(3, 1e-150))
    loss, label = lossref.MarginRanking(margin=0.3), rng.choice([-1.0, 1.0, 1.0], 501)
    ahead, level = np.full(501, 0.3), np.zeros(501)
    assert all(loss(ahead, level, label) < loss(ahead + step, level, label) for step in (-0.01, 0.01, -0.6))
