"""What holds of losses in which a sample's cost depends on its whole batch, and of the triplets of a batch."""

import dataclasses
import functools
import itertools
import math
import re
import tracemalloc
import warnings

import mpmath
import numpy as np
import oracle
import pytest
import sympy as sp
from cases import about

import lossref
from lossref import registry
from lossref.losses import mine
from lossref.losses.base import BatchLoss

BATCH = [loss for loss in registry.samples("losses") if isinstance(loss, BatchLoss)]
TRIPLETS = [loss for loss in BATCH if isinstance(loss, lossref.BatchTriplet)]
COSINES = [loss for loss in BATCH if loss not in TRIPLETS]
STRATEGIES = ("all", "easy", "semi-hard", "hard", "batch-hard")

#: Of which value and gradient are 0: nothing for laws that compare what is not.
EASY = lossref.BatchTriplet(strategy="easy", margin=0.3)

every_loss = pytest.mark.parametrize("loss", BATCH, ids=repr)
every_triplet_loss = pytest.mark.parametrize("loss", TRIPLETS, ids=repr)
every_cosine_loss = pytest.mark.parametrize("loss", COSINES, ids=repr)


def draw(loss, rng, samples, width=3, dtype=np.float64, classes=3):
    """The arrays of a loss: what is learned is random, and so are the labels, among them negative ones."""
    learned = [rng.standard_normal((samples, width)).astype(dtype) for _ in loss.learned]
    return learned if len(loss.arrays) == len(learned) else [*learned, 5 * rng.integers(0, classes, samples) - 7]


def as_tuple(grads):
    return grads if isinstance(grads, tuple) else (grads,)


def summed(loss):
    return dataclasses.replace(loss, reduction="sum")


def everything(loss, arrays):
    """Every result of a loss, as bytes."""
    value, grads = loss.value_and_grad(*arrays)
    alone = loss(*arrays), *as_tuple(loss.grad(*arrays))
    results = [np.asarray(each).tobytes() for each in (value, *as_tuple(grads))]
    assert results == [np.asarray(each).tobytes() for each in alone]
    return [*results, loss.values(*arrays).tobytes()]


# --- The formula ----------------------------------------------------------------------------------------------------

LABELS = (0, 1, 0, 2, 1)


def oracle_of(loss):
    """The formula for five samples, as a function of their numbers, to 80 digits."""
    rows = [tuple(sp.symbols(f"{name}{i}a {name}{i}b", real=True)) for name in loss.learned for i in range(5)]
    parts = [rows[:5], rows[5:]][: len(loss.learned)]
    arguments = loss.arguments() | dict(zip(loss.learned, parts, strict=True)) | {"labels": LABELS}
    settings = [symbol for symbol in arguments.values() if isinstance(symbol, sp.Symbol)]
    wanted = {name: arguments[name] for name in loss.arguments()}
    numbers = [symbol for row in rows for symbol in row]
    run = sp.lambdify([*numbers, *settings], type(loss).formula(**wanted), "mpmath", cse=True)
    return lambda point: run(*point, *(mpmath.mpf(getattr(loss, str(symbol))) for symbol in settings))


def slopes_at(function, point):
    """The derivatives in each number, by differences over 1e-30 at 80 digits."""
    step, slopes = mpmath.mpf(10) ** -30, []
    for place in range(len(point)):
        ends = [[x + side * (k == place) for k, x in enumerate(point)] for side in (step, -step)]
        slopes.append((function(ends[0]) - function(ends[1])) / (2 * step))
    return slopes


@functools.cache
def truth(loss, dtype):
    """Small batches, near to each other and far apart, each with its value, its slopes, and its largest distance."""
    function, rng, found = oracle_of(loss), np.random.default_rng(31), []
    arrays = draw(loss, rng, 5, width=2, dtype=dtype)[: len(loss.learned)]
    for scale in (1, 8, 1 / 64) if loss in TRIPLETS else (1,):
        learned = [dtype.type(scale) * array for array in arrays]
        with mpmath.workdps(80):
            point = [mpmath.mpf(float(x)) for array in learned for x in array.ravel()]
            try:
                value, slopes = function(point), slopes_at(function, point)
            except ZeroDivisionError:  # no triplet was chosen
                continue
        x = learned[0].astype(np.float64)
        apart = float(np.linalg.norm(x - x[:, np.newaxis], axis=2).max())
        found.append(([*learned, LABELS][: len(loss.arrays)], value, np.array(slopes), apart))
    return found


@every_loss
def test_value_and_slopes_are_the_formula_to_the_last_digits(loss, dtype, backend):
    """For triplets in ulp of margin and largest distance, of which they are differences, and of the largest slope. A
    cosine is known to some ulp of 1, a logit to 1/temperature times as many, and the softmax to as many of itself.
    """
    bound = 4 if loss in TRIPLETS else 4 + 4 / loss.temperature
    assert truth(loss, dtype)
    for arrays, exact, slopes, apart in truth(loss, dtype):
        value, grads = loss.value_and_grad(*arrays)
        reach = loss.margin + apart ** (2 if loss.squared else 1) if loss in TRIPLETS else exact
        assert oracle.error(value, exact, np.float64, mpmath.mpf(reach)) <= bound
        got = np.concatenate([grad.ravel() for grad in as_tuple(grads)])
        assert got.dtype == dtype
        assert oracle.errors(got, slopes, dtype, np.full(got.size, max(abs(slopes)))).max() <= bound


@every_cosine_loss
def test_a_sample_that_is_sure_keeps_its_digits(loss, backend):
    """One minus a softmax is lost in float64 from a gap of 37 on; the loss is that small number itself."""
    cold, gap = dataclasses.replace(loss, temperature=1 / 64), math.exp(-64)
    if len(loss.learned) == 2:
        value, (slopes, _) = cold.value_and_grad(np.eye(4), 3 * np.eye(4))
        wanted, across = 3 * gap, 64 * gap / 4  # one key of each other kind, and each query counts a quarter
    else:
        value, slopes = cold.value_and_grad(np.repeat(np.eye(4), 2, axis=0), np.repeat(range(4), 2))
        wanted, across = 6 * gap, 4 * 64 * gap / 8  # two samples of each other kind, seen and seeing
    assert value == pytest.approx(wanted, rel=1e-14, abs=0)
    assert slopes[0] == pytest.approx([0, across, across, across], rel=1e-14, abs=0)


@every_loss
def test_the_gradient_is_the_slope_of_the_value_in_a_large_batch(loss, backend, rng):
    """Beyond one tile, one thread's share, one slice of numbers and one span of rows."""
    arrays = draw(loss, rng, 300 if backend != "numpy" or loss in COSINES else 70, width=35, classes=30)
    ways = [rng.standard_normal(array.shape) for array in arrays[: len(loss.learned)]]
    step = 1e-6
    ends = [
        loss(*(a + side * w for a, w in zip(arrays, ways, strict=False)), *arrays[len(ways) :])
        for side in (step, -step)
    ]
    along = sum(float((grad * way).sum()) for grad, way in zip(as_tuple(loss.grad(*arrays)), ways, strict=True))
    assert along == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-5, abs=1e-7)


# --- Triplets -------------------------------------------------------------------------------------------------------


def by_hand(x, labels, strategy, margin, squared):
    """The triplets of a strategy, one by one."""
    found = []
    for a in range(len(x)):
        d = [math.dist(x[a], row) ** (2 if squared else 1) for row in x]
        near = [p for p in range(len(x)) if labels[p] == labels[a] and p != a]
        far = [n for n in range(len(x)) if labels[n] != labels[a]]
        if strategy == "batch-hard" and near and far:
            near, far = [max(near, key=lambda p, d=d: d[p])], [min(far, key=lambda n, d=d: d[n])]
        for p, n in itertools.product(near, far):
            gap = d[n] - d[p]
            kind = "easy" if gap > margin else "semi-hard" if gap > 0 else "hard"
            if strategy in ("all", "batch-hard", kind):
                found.append((a, p, n))
    return found


def test_mined_are_the_triplets_of_the_definition_also_where_gaps_are_0_or_the_margin(way_in, rng):
    """Whole numbers on a line have whole gaps: every boundary is met, and every tie."""
    met = set()
    for strategy, squared, classes in itertools.product(STRATEGIES, (False, True), (2, 4)):
        x, labels = rng.integers(0, 9, (14, 1)).astype(float), 7 * rng.integers(0, classes, 14) - 9
        with about(strategy, squared, classes):
            got = mine(x, labels, strategy, margin=3, squared=squared)
            assert got.dtype == np.int64
            assert [tuple(row) for row in got.tolist()] == by_hand(x, labels, strategy, 3, squared)
            assert len(got)
        d = np.abs(x - x.T) ** (2 if squared else 1)
        a, p, n = mine(x, labels, "all").T
        met |= set((d[a, n] - d[a, p]).tolist())
    assert {0, 3} <= met


def test_hard_semi_hard_and_easy_are_all_and_none_twice(backend, rng):
    for squared in (False, True):
        x, labels = rng.standard_normal((40, 3)), rng.integers(0, 5, 40)
        parts = np.concatenate([mine(x, labels, s, 0.5, squared) for s in ("hard", "semi-hard", "easy")])
        every = mine(x, labels, "all", 0.5, squared)
        np.testing.assert_array_equal(parts[np.lexsort(parts.T[::-1])], every)
        sizes = np.bincount(labels)
        assert len(every) == (sizes * (sizes - 1) * (40 - sizes)).sum()


@every_triplet_loss
def test_the_loss_is_the_mean_over_what_is_mined(loss, backend, rng):
    for samples, margin in ((9, 0.1), (9, 0.9), (25, loss.margin)):
        loss = dataclasses.replace(loss, margin=margin)
        x, labels = draw(loss, rng, samples, width=1)
        a, p, n = mine(x, labels, loss.strategy, margin, loss.squared).T
        power = 2 if loss.squared else 1
        gap = np.linalg.norm(x[a] - x[n], axis=1) ** power - np.linalg.norm(x[a] - x[p], axis=1) ** power
        costs = np.maximum(0, margin - gap)
        assert loss.counts(x, labels) == (len(a), np.count_nonzero(costs))
        assert summed(loss)(x, labels) == pytest.approx(costs.sum(), rel=1e-12, abs=1e-300)
        assert loss(x, labels) == pytest.approx(costs.mean(), rel=1e-12, abs=1e-300)
        np.testing.assert_allclose(summed(loss).values(x, labels), np.bincount(a, costs, samples), rtol=1e-12)


def test_easy_triplets_cost_nothing_and_are_counted(backend, rng):
    """Whole numbers on a line: some gaps are the margin itself, and neither easy nor costly."""
    for squared in (False, True):
        x, labels = rng.integers(0, 9, (30, 1)).astype(float), rng.integers(0, 4, 30)
        easy = lossref.BatchTriplet(strategy="easy", margin=3.0, squared=squared)
        every, done = dataclasses.replace(easy, strategy="all").counts(x, labels), easy.counts(x, labels)
        between = len(mine(x, labels, "semi-hard", 3.0, squared)) - len(mine(x, labels, "semi-hard", 2.5, squared))
        assert done == (every.chosen - every.active - between, 0)
        assert min(done.chosen, every.active, between) > 0
        assert len(mine(x, labels, "easy", 3.0, squared)) == done.chosen
        value, grad = easy.value_and_grad(x, labels)
        assert value == easy(x, labels) == 0
        assert not grad.any()
        assert not easy.values(x, labels).any()
        assert easy.counts(100 * x, labels).chosen > done.chosen


@pytest.mark.parametrize("loss", [*TRIPLETS, EASY], ids=repr)
def test_the_same_bits_for_every_backend_and_number_of_threads(loss, threads, rng):
    for samples, width in ((5, 1), (33, 33), (257, 2)):  # large work alone is given to threads
        arrays = draw(loss, rng, samples, width, classes=max(2, samples // 2))
        found = set()
        for name in lossref._backend.available():
            with lossref.use_backend(name):
                for number in (1, 3) if name != "numpy" else (1,):
                    threads(number)
                    mined = mine(*arrays, loss.strategy, loss.margin, loss.squared)
                    found.add((*everything(loss, arrays), loss.counts(*arrays), mined.tobytes()))
        with about(samples, width):
            assert len(found) == 1


def test_the_hardest_are_found_where_float32_cannot_tell_them_apart(backend, rng):
    """All but the first two samples are equally far from the first, but for what float32 rounds off."""
    if backend == "numpy":
        pytest.skip("float64 from the start")
    misled = 0
    for width, scale, apart, away in itertools.product((3, 8), (1.0, 1e-5, 1e150, 1e-160), (1e-7, 1e-9), (0.0, 3.0)):
        x = rng.standard_normal((400, width))
        x *= (1 + apart * rng.standard_normal((400, 1))) / np.linalg.norm(x, axis=1, keepdims=True)
        x[0], x[1] = 0, 0.25
        x += away
        d = np.linalg.norm(x - x[0], axis=1)
        rough = np.linalg.norm(x.astype(np.float32) - x[0].astype(np.float32), axis=1)
        misled += (np.argmin(rough[2:]) != np.argmin(d[2:])) + (np.argmax(rough) != np.argmax(d))
        for others_are_positive in (False, True):
            labels = np.full(400, 0 if others_are_positive else 1)
            labels[:2] = 0, 1 if others_are_positive else 0
            loss = lossref.BatchTriplet(margin=2 * scale, reduction="sum")
            gap = d[1] - d[2:].max() if others_are_positive else d[2:].min() - d[1]
            with about(width, scale, apart, away, others_are_positive):
                assert loss.values(x * scale, labels)[0] / scale == pytest.approx(2 - gap, rel=1e-15, abs=0)
    assert misled > 16


@every_triplet_loss
def test_moving_a_batch_changes_nothing_and_the_slopes_of_all_samples_cancel(loss, backend, rng):
    x, labels = draw(loss, rng, 40)
    away = np.array([1024.0, -512.0, 0.5])
    moved = x + away
    value, grad = loss.value_and_grad(moved - away, labels)
    assert loss(moved, labels) == pytest.approx(value, rel=1e-11)
    assert np.abs(grad).max() > 1e-4
    assert np.abs(grad.sum(axis=0)).max() <= 1e-14


@every_triplet_loss
def test_the_unit_of_length_changes_no_digit(loss, backend, rng):
    """From where squares would vanish to where they would overflow."""
    x, labels = draw(loss, rng, 20)
    for power in (-300, -1, 300) if loss.squared else (-900, -1, 500, 1000):
        unit = 2.0**power
        margin = loss.margin * (unit * unit if loss.squared else unit)
        other = dataclasses.replace(loss, margin=margin)
        value, grad = other.value_and_grad(unit * x, labels)
        wanted, slopes = loss.value_and_grad(x, labels)
        with about(power):
            assert value == wanted * (unit * unit if loss.squared else unit)
            np.testing.assert_array_equal(grad, slopes * (unit if loss.squared else 1))


@every_triplet_loss
def test_samples_in_one_place_have_no_slope_and_no_nan(loss, backend, rng):
    x, labels = np.full((8, 3), 0.3), [0, 0, 0, 1, 1, 1, 1, 2]
    value, grad = loss.value_and_grad(x, labels)
    assert value == loss.margin or loss.strategy == "semi-hard"  # of which there is none at a gap of 0
    assert not grad.any()
    x[3:] += rng.standard_normal((5, 3))
    value, grad = loss.value_and_grad(x, labels)
    assert np.isfinite(grad).all()
    assert loss.counts(x, labels).active == 0 or grad.any()


@pytest.mark.parametrize("squared", [False, True])
def test_samples_that_are_near_keep_the_digits_of_their_distance(squared, dtype, backend):
    """By norms and products, ‖a‖² + ‖b‖² − 2 a·b, nothing would be left of it, in either precision."""
    near = 4 * float(np.finfo(dtype).eps)
    x = np.array([[1, 1], [1 + near, 1 - near], [1, 1]], dtype)  # the negative of the first is in its place
    assert x[0] @ x[0] + x[1] @ x[1] - 2 * x[0] @ x[1] == 0
    loss = lossref.BatchTriplet(margin=0.0, squared=squared, reduction="sum")
    assert loss(x, [0, 0, 1]) == pytest.approx(2 * near**2 if squared else math.sqrt(2) * near, rel=1e-15)


def test_memory_does_not_grow_with_the_square_of_the_batch(backend, rng):
    if backend == "numpy":
        pytest.skip("anchor by anchor, as one reads it; not made for large batches")
    peaks = []
    for samples in (500, 2000):
        x, labels = rng.standard_normal((samples, 2)).astype(np.float32), rng.integers(0, 99, samples)
        lossref.BatchTriplet()(x[:4], [0, 0, 1, 1])
        tracemalloc.start()
        lossref.BatchTriplet().value_and_grad(x, labels)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 5 * peaks[0]
    assert peaks[1] < 8 * 2000**2 / 4


# --- Cosines --------------------------------------------------------------------------------------------------------


@every_cosine_loss
def test_a_large_batch_is_what_its_definition_says(loss, backend, rng):
    arrays = draw(loss, rng, 290, classes=150)
    unit = [array / np.linalg.norm(array, axis=1, keepdims=True) for array in arrays[: len(loss.learned)]]
    odds = np.exp(unit[0] @ unit[-1].T / loss.temperature)
    if len(loss.learned) == 2:
        values, count = np.log(odds.sum(axis=1) / np.diag(odds)), 290
    else:
        np.fill_diagonal(odds, 0)
        mates = (arrays[1][:, np.newaxis] == arrays[1]) & ~np.eye(290, dtype=bool)
        logs = np.log(odds.sum(axis=1, keepdims=True) / np.where(mates, odds, 1))
        values = (mates * logs).sum(axis=1) / np.maximum(mates.sum(axis=1), 1)
        count = np.count_nonzero(mates.any(axis=1))
        assert 200 < count < 290
    np.testing.assert_allclose(loss.values(*arrays), values, rtol=1e-11)
    assert loss(*arrays) == pytest.approx(values.sum() / count, rel=1e-12)


@every_cosine_loss
def test_lengths_do_not_matter_and_slopes_are_at_right_angles(loss, backend, rng):
    arrays = draw(loss, rng, 30)
    value, grads = loss.value_and_grad(*arrays)
    for place, grad in enumerate(as_tuple(grads)):
        assert np.abs(grad).max() > 1e-6
        assert np.abs((grad * arrays[place]).sum(axis=1)).max() <= 1e-15 / loss.temperature
        for power in (-1000, 3, 900):
            longer = [*arrays]
            longer[place] = arrays[place] * 2.0**power
            again, moved = loss.value_and_grad(*longer)
            assert again == value
            np.testing.assert_allclose(as_tuple(moved)[place], grad * 2.0**-power, rtol=1e-14, atol=0)


@every_cosine_loss
def test_a_row_of_zeros_is_like_nothing_and_stays(loss, backend, rng):
    arrays = draw(loss, rng, 6, classes=2)
    arrays[0][2] = 0
    value, grads = loss.value_and_grad(*arrays)
    assert np.isfinite(value)
    assert not as_tuple(grads)[0][2].any()
    assert all(np.isfinite(grad).all() and grad.any() for grad in as_tuple(grads))


def test_two_views_under_supcon_are_nt_xent(backend, rng):
    """SimCLR's loss, in which a row has one positive, and all others of both views as negatives."""
    one, other = rng.standard_normal((2, 7, 4))
    rows = np.concatenate([one, other])
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    odds = np.exp(unit @ unit.T / 0.5)
    np.fill_diagonal(odds, 0)
    mates = np.roll(np.arange(14), 7)
    wanted = np.mean(np.log(odds.sum(axis=1) / odds[np.arange(14), mates]))
    got = lossref.SupCon(temperature=0.5)(rows, np.tile(np.arange(7), 2))
    assert got == pytest.approx(wanted, rel=1e-13)


# --- All of them ----------------------------------------------------------------------------------------------------


@every_loss
def test_the_order_of_samples_and_the_names_of_classes_do_not_matter(loss, backend, rng):
    arrays = draw(loss, rng, 40)
    order = rng.permutation(40)
    value, grads = loss.value_and_grad(*arrays)
    again, moved = loss.value_and_grad(*(array[order] for array in arrays))
    assert again == pytest.approx(value, rel=1e-12)
    for grad, other in zip(as_tuple(grads), as_tuple(moved), strict=True):
        np.testing.assert_allclose(other, grad[order], rtol=1e-9, atol=1e-14)
    if "labels" in loss.arrays:
        renamed = np.array([2**63 + 5, 0, 2**64 - 1], np.uint64)[(arrays[1] + 7) // 5]
        assert everything(loss, [arrays[0], renamed]) == everything(loss, arrays)


@every_loss
def test_the_values_sum_to_the_sum_and_the_mean_is_a_part_of_it(loss, backend, rng):
    arrays = draw(loss, rng, 50)
    values = loss.values(*arrays)
    total, slopes = summed(loss).value_and_grad(*arrays)
    assert total == pytest.approx(math.fsum(values), rel=1e-13)
    mean, grads = loss.value_and_grad(*arrays)
    count = total / mean
    wanted = loss.counts(*arrays).chosen if loss in TRIPLETS else 50
    assert count == pytest.approx(wanted, rel=1e-13)
    for grad, slope in zip(as_tuple(grads), as_tuple(slopes), strict=True):
        np.testing.assert_allclose(grad, slope / wanted, rtol=1e-14)


@every_loss
def test_float32_is_rounded_once(loss, backend, rng):
    arrays = draw(loss, rng, 25, dtype=np.float32)
    wide = [array.astype(np.float64) if array.dtype == np.float32 else array for array in arrays]
    value, grads = loss.value_and_grad(*arrays)
    wanted, slopes = loss.value_and_grad(*wide)
    assert value == wanted > 0
    for grad, slope in zip(as_tuple(grads), as_tuple(slopes), strict=True):
        np.testing.assert_array_equal(grad, slope.astype(np.float32), strict=True)
    np.testing.assert_array_equal(loss.values(*arrays), loss.values(*wide).astype(np.float32), strict=True)


@every_loss
def test_one_nan_or_infinity_makes_all_nan(loss, dtype, backend, rng):
    for wrong in (np.nan, np.inf, -np.inf):
        for place in range(len(loss.learned)):
            arrays = draw(loss, rng, 9, dtype=dtype)
            arrays[place][4, 1] = wrong
            value, grads = loss.value_and_grad(*arrays)
            with about(wrong, place):
                assert math.isnan(value)
                assert math.isnan(loss(*arrays))
                assert np.isnan(loss.values(*arrays)).all()
                assert all(np.isnan(grad).all() for grad in as_tuple(grads))


@every_loss
def test_a_mean_over_nothing_is_nan_in_words_and_has_no_slope(loss, way_in, rng):
    nothing = [draw(loss, rng, 0)]
    if "labels" in loss.arrays:
        nothing += [[rng.standard_normal((5, 2)), labels] for labels in (np.arange(5),)]
    if loss in TRIPLETS:
        nothing += [[rng.standard_normal((5, 2)), np.zeros(5, int)], [[[1.0]], [3]]]
    for arrays in nothing:
        with pytest.warns(RuntimeWarning, match=rf"^{type(loss).__name__}: the mean is NaN, for no ") as said:
            assert math.isnan(loss(*arrays))
        assert said[0].filename == __file__
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert summed(loss)(*arrays) == 0
            value, grads = loss.value_and_grad(*arrays)
        assert math.isnan(value)
        assert not any(grad.any() for grad in as_tuple(grads))
        assert not loss.values(*arrays).any()


def test_one_query_has_nothing_to_choose(way_in):
    value, (queries, keys) = lossref.InfoNCE().value_and_grad([[1.0, 2.0]], [[3.0, -1.0]])
    assert value == 0
    assert not queries.any()
    assert not keys.any()


@every_loss
def test_memory_in_any_layout_gives_the_same_bits_and_is_left_alone(loss, way_in, rng):
    arrays = draw(loss, rng, 12, 4)
    wanted = everything(loss, arrays)
    learned, labels = arrays[: len(loss.learned)], arrays[len(loss.learned) :]
    for change in (
        np.asfortranarray,
        lambda a: a.astype(">f8"),
        lambda a: np.repeat(a, 2, axis=1)[:, ::2],
        lambda a: a[::-1].copy()[::-1],
        lambda a: a.tolist(),
    ):
        assert everything(loss, [*map(change, learned), *labels]) == wanted
    for array in learned:
        array.flags.writeable = False
    assert everything(loss, arrays) == wanted


@every_loss
def test_results_go_where_they_are_wanted_over_the_input_too(loss, dtype, way_in, rng):
    arrays = draw(loss, rng, 12, 4, dtype)
    value, grads = loss.value_and_grad(*arrays)
    count = len(loss.learned)
    rooms = [np.full((12, 8), 7, dtype)[:, ::2] for _ in range(count)]
    given = tuple(rooms) if count > 1 else rooms[0]
    again, returned = loss.value_and_grad(*arrays, out=given)
    assert again == value
    for room, grad, back in zip(rooms, as_tuple(grads), as_tuple(returned), strict=True):
        assert back is room
        np.testing.assert_array_equal(room, grad)
    values, room = loss.values(*arrays), np.empty(12, dtype)
    assert loss.values(*arrays, out=room) is room
    np.testing.assert_array_equal(room, values)
    loss.grad(*arrays, out=tuple(arrays[:count]) if count > 1 else arrays[0])
    for array, grad in zip(arrays, as_tuple(grads), strict=False):
        np.testing.assert_array_equal(array, grad)


# --- Bad input ------------------------------------------------------------------------------------------------------

GOOD, MATES = [[0.0, 1.0], [2.0, 3.0], [1.0, 5.0]], [0, 0, 1]
WRONG = [
    ((GOOD,), TypeError, r"takes 2 arrays \({names}\), got 1"),
    ((GOOD, MATES, MATES), TypeError, "takes 2 arrays .* got 3"),
    ((None, MATES), TypeError, "{first} is None"),
    (([1.0, 2.0, 3.0], MATES), ValueError, r"{first} has shape \(3,\); it must be \(samples, numbers\)"),
    (([[[1.0]]] * 3, MATES), ValueError, r"{first} has shape \(3, 1, 1\)"),
    ((np.array(GOOD, complex), MATES), TypeError, "{first} has dtype complex128"),
    (([["a"], ["b"], ["c"]], MATES), TypeError, "{first} has dtype <U1"),
    (([[1.0], [1.0, 2.0]], MATES), ValueError, "{first} is not a rectangular array"),
    ((np.ma.masked_array(GOOD), MATES), TypeError, "{first} is a MaskedArray"),
]
LABELLED = [
    ((GOOD, MATES[:2]), ValueError, r"labels has shape \(2,\) but embeddings, .* has shape \(3,\)"),
    ((GOOD, [[0], [0], [1]]), ValueError, r"labels has shape \(3, 1\)"),
    ((GOOD, [0.0, 0.0, 1.0]), TypeError, "labels has dtype float64; give integers"),
    ((GOOD, [True, True, False]), TypeError, "labels has dtype bool"),
    ((GOOD, ["a", "a", "b"]), TypeError, "labels has dtype <U1"),
    ((GOOD, None), TypeError, "labels is None"),
]
PAIRED = [
    ((GOOD, GOOD[:2]), ValueError, r"keys has shape \(2, 2\) but queries has shape \(3, 2\)"),
    ((GOOD, [[1.0], [2.0], [3.0]]), ValueError, r"keys has shape \(3, 1\)"),
    ((GOOD, None), TypeError, "keys is None"),
    ((GOOD, np.array(GOOD, object)), TypeError, "keys has dtype object"),
]


@pytest.mark.parametrize("loss", [type(loss)() for loss in (TRIPLETS[0], *COSINES[::3])], ids=repr)
def test_wrong_arrays_are_refused_by_name(loss, way_in):
    right = (GOOD, GOOD) if len(loss.learned) > 1 else (GOOD, MATES)
    calls = [loss, loss.values, loss.grad, loss.value_and_grad]
    for arrays, error, words in [*WRONG, *(PAIRED if len(loss.learned) > 1 else LABELLED)]:
        if len(arrays) == 2 and arrays[1] is MATES:
            arrays = arrays[0], right[1]
        wanted = words.format(names=", ".join(loss.arrays), first=loss.arrays[0])
        for call in calls:
            with about(words), pytest.raises(error, match=f"^{type(loss).__name__}: {wanted}"):
                call(*arrays)
    for call in calls:
        call(*right)


@pytest.mark.parametrize("loss", [type(loss)() for loss in (TRIPLETS[0], *COSINES[::3])], ids=repr)
def test_a_place_for_results_that_is_none_is_refused_before_it_is_written(loss, way_in):
    arrays = (GOOD, GOOD) if len(loss.learned) > 1 else (GOOD, MATES)
    count = len(loss.learned)
    sealed = np.zeros((3, 2))
    sealed.flags.writeable = False
    for room, error, words in (
        (np.zeros((3, 3)), ValueError, r"out has shape \(3, 3\)"),
        (np.zeros((3, 2), np.float32), TypeError, "out has dtype float32"),
        (sealed, ValueError, "out is read-only"),
        ([[0.0] * 2] * 3, TypeError, "out must be a numpy array"),
        (np.broadcast_to(np.zeros((1, 2)), (3, 2)), ValueError, "out is read-only"),
    ):
        for call in (loss.grad, loss.value_and_grad):
            rooms = (np.full((3, 2), 7.0),) * (count - 1)
            with pytest.raises(error, match=f"^{type(loss).__name__}: {words}"):
                call(*arrays, out=(*rooms, room) if count > 1 else room)
            assert all((other == 7).all() for other in rooms)
    with pytest.raises(ValueError, match=r"out has shape \(4,\)"):
        loss.values(*arrays, out=np.zeros(4))
    if count > 1:
        for rooms in (np.zeros((3, 2)), (np.zeros((3, 2)),)):
            with pytest.raises(TypeError, match=r"^InfoNCE: out must be a tuple of 2 arrays"):
                loss.grad(*arrays, out=rooms)


@pytest.mark.parametrize(
    ("more", "error", "words"),
    [
        ({"strategy": "hardest"}, ValueError, "strategy must be 'all' or 'easy' or .*, got 'hardest'"),
        ({"strategy": None}, TypeError, "strategy must be "),
        ({"margin": -1}, ValueError, "margin must be a number >= 0, got -1"),
        ({"margin": "0.2"}, TypeError, "margin must be a number >= 0"),
        ({"squared": 1}, TypeError, "squared must be True or False"),
        ({"embeddings": [1.0, 2.0, 3.0]}, ValueError, r"embeddings has shape \(3,\)"),
        ({"embeddings": [[1.0], [2.0], [math.nan]]}, ValueError, "embeddings hold a NaN or an infinity"),
        ({"labels": [0.5, 1, 2]}, TypeError, "labels has dtype float64"),
        ({"labels": [1, 2]}, ValueError, r"labels has shape \(2,\)"),
    ],
    ids=lambda part: str(part) if isinstance(part, dict) else None,
)
def test_mine_refuses_by_name(more, error, words):
    with pytest.raises(error, match=rf"^mine: {words}"):
        mine(**({"embeddings": GOOD, "labels": MATES} | more))


def test_no_triplets_are_an_empty_list(way_in):
    for x, labels in (([], []), ([[1.0]], [0]), (GOOD, [0, 1, 2]), (GOOD, [5, 5, 5])):
        x = np.reshape(np.asarray(x, float), (len(labels), -1)) if labels else np.empty((0, 3))
        for strategy in STRATEGIES:
            found = mine(x, labels, strategy)
            assert found.shape == (0, 3)
            assert found.dtype == np.int64


@every_loss
def test_there_is_no_curvature_and_the_class_says_why(loss):
    assert not hasattr(loss, "curvature")
    assert re.search(r"no curvature.*beside the\s+diagonal", BatchLoss.__doc__, re.DOTALL)
