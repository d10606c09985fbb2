"""Laws of what is done to gradients before a step: norms that do not overflow, one factor for all, sums in order."""

import pickle
from fractions import Fraction

import mpmath
import numpy as np
import pytest

import lossref
from lossref import _backend
from lossref.training import (
    Accumulator,
    add_noise,
    annealed_noise,
    clip_adaptive,
    clip_by_norm,
    clip_by_value,
    global_norm,
)

SHAPES = [(13, 77), (), (0, 3), (2051,), (1, 2, 3)]


def draw(rng, dtype, shapes=SHAPES):
    return [np.asarray(rng.normal(size=shape), dtype) for shape in shapes]


def exact_norm(grads):
    """The root of the sum of squares, which are added as fractions."""
    total = sum((Fraction(float(x)) ** 2 for g in grads for x in np.ravel(g)), Fraction(0))
    with mpmath.workprec(200):
        return mpmath.sqrt(mpmath.mpf(total.numerator) / total.denominator)


def copies(grads):
    return [np.array(g) for g in grads]


def all_bits(grads):
    return b"".join(g.tobytes() for g in grads)


#: Each tool as it is mostly called: (grads, out) to what it returns.
TOOLS = {
    "clip_by_value": lambda grads, out=None: clip_by_value(grads, 0.3, out),
    "clip_by_norm": lambda grads, out=None: clip_by_norm(grads, 0.3, out),
    "clip_adaptive": lambda grads, out=None: clip_adaptive(grads, grads, 0.3, out=out),
    "add_noise": lambda grads, out=None: add_noise(grads, 0.3, np.random.default_rng(5), out),
}
EVERY = pytest.mark.parametrize("tool", TOOLS)


def test_a_norm_is_the_root_of_the_sum_of_squares(backend, dtype, rng):
    grads = draw(rng, dtype)
    for size in (1.0, 1e20, 1e-30, *((1e160, 1e-180, 1e305, 1e-320) if dtype.itemsize == 8 else (1e37, 1e-40))):
        scaled = [(g * dtype.type(size)).astype(dtype) for g in grads]
        exact = exact_norm(scaled)
        for tree in (scaled, dict(enumerate(scaled)), tuple(scaled)):
            assert abs(global_norm(tree) - exact) <= 2 * np.spacing(float(exact)), size


def test_a_norm_beyond_float64_is_infinite(backend):
    assert global_norm(np.full(3, 1.7e308)) == np.inf


def test_a_norm_of_nothing_is_zero_and_one_bad_element_makes_it_bad(backend, dtype):
    assert global_norm([]) == global_norm({}) == global_norm(np.zeros((0, 3), dtype)) == global_norm(np.zeros(5)) == 0
    for bad in (np.nan, np.inf, -np.inf):
        for place in (0, 1500):
            g = np.ones(2000, dtype)
            g[place] = bad
            found = global_norm([np.ones(3, dtype), g])
            assert np.isnan(found) if np.isnan(bad) else found == np.inf
    assert np.isnan(global_norm(np.array([np.inf, np.nan], dtype)))


def test_a_norm_has_the_same_bits_on_every_backend_and_number_of_threads(dtype, rng, threads):
    grads = draw(rng, dtype, [(40_001,), (3,), (0,), (70_000,)])
    found = set()
    for name in _backend.available():
        with lossref.use_backend(name):
            for n in (1, 2, 3, 7):
                threads(n)
                found.add(global_norm(grads))
    assert len(found) == 1


def test_sums_of_more_than_one_chunk_are_a_tree_each(rng):
    """As the sums of losses: a chunk is 4096 blocks, and the next one begins a tree of its own."""
    g = rng.random(4096 * 1024 + 5000, np.float32)
    found = set()
    for name in [*_backend.available()[:1], "numpy"]:
        with lossref.use_backend(name):
            found.add(global_norm(g))
    assert len(found) == 1
    assert found.pop() == pytest.approx(np.sqrt((g.astype(np.float64) ** 2).sum()), rel=1e-12)


@EVERY
def test_every_backend_gives_the_same_bits(tool, dtype, rng, threads):
    start = draw(rng, dtype, [*SHAPES, (40_000,)])
    found = set()
    for name in _backend.available():
        with lossref.use_backend(name):
            for n in (1, 3):
                threads(n)
                grads = copies(start)
                TOOLS[tool](grads)
                found.add(all_bits(grads))
    assert len(found) == 1


@EVERY
def test_written_elsewhere_and_through_strides_it_is_the_same(tool, backend, dtype, rng):
    start = draw(rng, dtype, [(6, 8), (5,)])
    expected = copies(start)
    TOOLS[tool](expected)
    assert all_bits(expected) != all_bits(start)
    out = [np.full_like(g, 7) for g in start]
    before = all_bits(start)
    TOOLS[tool](start, out)
    assert all_bits(out) == all_bits(expected)
    assert all_bits(start) == before
    frame = np.full((12, 16), dtype.type(7))
    views = [frame[::2, ::-2], frame[1::2, 3][:5]]
    for view, g in zip(views, start, strict=True):
        view[...] = g
    around = frame[1::2, 4:].copy()
    TOOLS[tool](views)
    assert all_bits(copies(views)) == all_bits(expected)
    np.testing.assert_array_equal(frame[1::2, 4:], around, strict=True)
    named = {"w": start[0].copy(), "b": start[1].copy()}
    TOOLS[tool](named)
    assert all_bits(named.values()) == all_bits(expected)


@EVERY
def test_a_gradient_may_be_written_over_itself_by_any_name(tool, backend, dtype, rng):
    start = draw(rng, dtype)
    expected, grads = copies(start), copies(start)
    TOOLS[tool](expected)
    TOOLS[tool](grads, list(grads))  # another list of the same arrays
    assert all_bits(grads) == all_bits(expected)


@EVERY
def test_other_numbers_become_those_of_the_result(tool, backend, dtype):
    expected = [np.empty(3, dtype)]
    TOOLS[tool]([np.array([1, 2, 3], dtype)], expected)
    for given in ([1, 2, 3], np.array([1, 2, 3]), np.array([1, 2, 3], np.float16), np.array([1.0, 2.0, 3.0], ">f8")):
        out = [np.empty(3, dtype)]
        TOOLS[tool]([given], out)
        assert all_bits(out) == all_bits(expected)


def read_only(array):
    array.flags.writeable = False
    return array


@EVERY
def test_what_cannot_be_written_is_refused_before_anything_is(tool, backend):
    good = np.full(4, 10.0)
    whole = np.full(8, 10.0)
    bad = [
        (lambda: TOOLS[tool](3.0), TypeError, r"grads must be a numpy array, or a list or dict of them, got float"),
        (lambda: TOOLS[tool]([good, 1.0]), TypeError, r"grads\[1\] must be a numpy array, got float"),
        (lambda: TOOLS[tool]([good, np.ones(2, int)]), TypeError, r"grads\[1\] has dtype int64, expected float32 or"),
        (lambda: TOOLS[tool]([good, None]), TypeError, r"grads\[1\] (is None; give|must be a numpy array)"),
        (lambda: TOOLS[tool]({"w": good, "b": read_only(np.ones(2))}), ValueError, r"grads\['b'\] is read-only; pass"),
        (lambda: TOOLS[tool]([whole[:5], whole[3:]]), ValueError, r"grads\[1\] overlaps grads\[0\]; pass arrays apart"),
        (lambda: TOOLS[tool]([good], {"w": good}), TypeError, r"out must be a list, as grads is, got dict"),
        (lambda: TOOLS[tool]([good], []), ValueError, r"out has 0 tensors but grads has 1"),
        (lambda: TOOLS[tool]({"w": good}, {"v": good}), ValueError, r"out has no 'w' but grads has"),
        (lambda: TOOLS[tool]([good], [np.ones(3)]), ValueError, r"out\[0\] has shape \(3,\) but grads\[0\] has shape"),
        (lambda: TOOLS[tool]([whole[:5]], [whole[3:]]), ValueError, r"grads\[0\] overlaps out\[0\]; pass arrays apart"),
    ]
    for call, error, text in bad:
        with pytest.raises(error, match=f"^{tool}: {text}"):
            call()
        assert (good == 10).all(), text
        assert (whole == 10).all(), text


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda g: clip_by_value(g, 0), ValueError, r"clip_by_value: limit must be a number > 0, got 0"),
        (lambda g: clip_by_value(g, "1"), TypeError, r"clip_by_value: limit must be a number > 0, got '1' of type str"),
        (lambda g: clip_by_norm(g, -1.0), ValueError, r"clip_by_norm: max_norm must be a number > 0, got -1.0"),
        (lambda g: clip_by_norm(g, np.nan), ValueError, r"clip_by_norm: max_norm must be a number > 0, got nan"),
        (lambda g: clip_adaptive(g, g, 0.0), ValueError, r"clip_adaptive: ratio must be a number > 0, got 0.0"),
        (lambda g: clip_adaptive(g, g, eps=0.0), ValueError, r"clip_adaptive: eps must be a number > 0, got 0.0"),
        (lambda g: clip_adaptive(g, g, unit_axis=2), ValueError, r"clip_adaptive: unit_axis is 2 but params has 2 dim"),
        (lambda g: clip_adaptive(g, g, unit_axis=1.0), TypeError, r"clip_adaptive: unit_axis must be an integer, got"),
        (
            lambda g: clip_adaptive(g, np.ones(4)),
            ValueError,
            r"clip_adaptive: params has shape \(4,\) but its gradient",
        ),
        (
            lambda g: clip_adaptive([g], {"w": g}),
            TypeError,
            r"clip_adaptive: params must be a list, as grads is, got dict",
        ),
        (lambda g: add_noise(g, -1.0, None), ValueError, r"add_noise: sigma must be a number >= 0, got -1.0"),
        (lambda g: add_noise(g, 1.0, 0), TypeError, r"add_noise: random must be a numpy.random.Generator, got int"),
        (lambda g: annealed_noise(-1), ValueError, r"annealed_noise: t must be a number >= 0, got -1"),
        (lambda g: Accumulator(g).add(g, 0), ValueError, r"Accumulator: weight must be a number > 0, got 0"),
        (lambda g: Accumulator(g).add(np.ones(4)), ValueError, r"Accumulator: sums has shape \(2, 2\) but grads has"),
        (lambda g: Accumulator([g]).add([g, g]), ValueError, r"Accumulator: grads has 2 tensors but params has 1"),
        (lambda g: Accumulator(g).mean(), ValueError, r"Accumulator: nothing was added, so there is no mean; call"),
        (lambda g: Accumulator([1.0]), TypeError, r"Accumulator: params\[0\] must be a numpy array, got float"),
    ],
)
def test_wrong_numbers_are_refused_by_name(call, error, text, way_in):
    g = np.full((2, 2), 10.0)
    with pytest.raises(error, match=f"^{text}"):
        call(g)
    assert (g == 10).all()


def test_clipped_by_value_every_element_is_between_the_limits(backend, dtype):
    g = np.array([-np.inf, -2, -0.5, -0.0, 0.0, 0.3, 0.5, 2, np.inf, np.nan], dtype)
    clip_by_value(g, 0.5)
    np.testing.assert_array_equal(g, np.array([-0.5, -0.5, -0.5, 0, 0, 0.3, 0.5, 0.5, 0.5, np.nan], dtype), strict=True)
    assert np.signbit(g[3])


def test_clipped_by_norm_the_direction_stays_and_the_length_is_the_bound(backend, dtype, rng):
    grads = draw(rng, dtype)
    before, exact = copies(grads), exact_norm(grads)
    assert abs(clip_by_norm(grads, 0.1) - exact) <= 1e-14 * exact
    assert abs(exact_norm(grads) / mpmath.mpf(0.1) - 1) <= np.finfo(dtype).eps
    unit = Fraction(float(np.finfo(dtype).eps))
    factor = Fraction(0.1) / Fraction(float(exact))
    for g, b in zip(grads, before, strict=True):
        for x, y in zip(g.ravel()[:50], b.ravel()[:50], strict=True):
            wanted = factor * Fraction(float(y))  # norm, factor and product: half a unit each, and the norm's sum
            assert abs(Fraction(float(x)) - wanted) <= 2 * unit * abs(wanted)


def test_a_norm_within_the_bound_changes_no_bit(backend, dtype, rng):
    grads = draw(rng, dtype)
    before, out = all_bits(grads), [np.zeros_like(g) for g in grads]
    for bound in (global_norm(grads), 1e9):
        clip_by_norm(grads, bound)
        clip_by_norm(grads, bound, out)
        assert all_bits(grads) == all_bits(out) == before


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_norm_that_is_not_finite_clips_nothing_and_is_returned(bad, backend, dtype, rng):
    grads = draw(rng, dtype)
    grads[3][17] = bad
    before = all_bits(grads)
    assert not np.isfinite(clip_by_norm(grads, 0.1))
    assert all_bits(grads) == before


def test_clipped_adaptively_no_unit_exceeds_its_share(way_in, dtype, rng):
    weights = [rng.normal(size=shape).astype(dtype) for shape in [(5, 7), (4, 3, 2, 6), (9,), ()]]
    weights[0][:, 2] = 0
    for axis in (-1, 0):
        grads = [np.asarray(0.15 * rng.normal(size=w.shape) ** 3, dtype) for w in weights]
        before = copies(grads)
        clip_adaptive(grads, weights, 0.5, eps=0.01, unit_axis=axis)
        moved = []
        for g, b, w in zip(grads, before, weights, strict=True):
            units = range(w.shape[axis]) if w.ndim > 1 else [...]
            for u in units:
                mine, theirs, old = (np.take(x, u, axis) if w.ndim > 1 else x for x in (g, w, b))
                most = 0.5 * max(exact_norm([theirs]), mpmath.mpf("0.01"))
                if exact_norm([old]) <= most:
                    assert mine.tobytes() == old.tobytes()
                    continue
                moved.append(u)
                assert abs(exact_norm([mine]) / most - 1) <= 4 * np.finfo(dtype).eps
                np.testing.assert_allclose(mine / np.abs(mine).max(), old / np.abs(old).max(), rtol=1e-5)
        assert 3 < len(moved) < sum(w.shape[axis] if w.ndim > 1 else 1 for w in weights)


def test_a_unit_that_is_not_finite_is_left_and_its_neighbours_are_not(way_in, dtype):
    g = np.array([[np.nan, np.inf, 3], [1, 1, 4]], dtype)
    clip_adaptive(g, np.ones_like(g), 1.0)
    np.testing.assert_allclose(g, [[np.nan, np.inf, 0.6 * 2**0.5], [1, 1, 0.8 * 2**0.5]], rtol=1e-6)


def test_a_unit_whose_norm_float64_cannot_hold_is_left(way_in):
    g = np.full((2, 1), 1.7e308)
    clip_adaptive(g, np.ones((2, 1)))
    assert (g == 1.7e308).all()


def test_units_of_huge_gradients_do_not_overflow(way_in):
    g = np.full((2, 1), 1e200)
    clip_adaptive(g, np.full((2, 1), 1e-50), 1.0, eps=1e-300)
    np.testing.assert_allclose(g, 1e-50, rtol=1e-12)


def test_noise_has_its_size_and_a_seed_repeats_it(way_in, dtype):
    first, second, other = (np.ones(20_000, dtype) for _ in range(3))
    for g, seed in ((first, 1), (second, 1), (other, 2)):
        add_noise(g, 0.5, np.random.default_rng(seed))
    assert first.tobytes() == second.tobytes() != other.tobytes()
    assert abs(first.mean() - 1) < 4 * 0.5 / 20_000**0.5
    assert abs(first.std() / 0.5 - 1) < 4 / 40_000**0.5
    assert abs(np.corrcoef(first, other)[0, 1]) < 4 / 20_000**0.5


def test_a_refused_call_draws_no_noise(way_in):
    random = np.random.default_rng(0)
    with pytest.raises(ValueError, match="overlaps"):
        add_noise([random_array := np.ones(3), random_array], 1.0, random)
    assert random.normal() == np.random.default_rng(0).normal()


def test_the_variance_of_annealed_noise_falls_as_a_power(way_in):
    assert annealed_noise(0, eta=0.3) ** 2 == pytest.approx(0.3)
    assert annealed_noise(9, eta=0.3, gamma=1.0) ** 2 == pytest.approx(0.03)
    assert annealed_noise(31, eta=1.0, gamma=0.4) ** 2 == pytest.approx(0.25)


def test_a_weighted_mean_is_that_of_the_whole_batch_and_the_mean_of_means_is_not(backend, dtype):
    """Gradients of samples that are dyadic, so that every sum here is exact."""
    samples = np.arange(1, 12, dtype=dtype) * 8
    accumulator = Accumulator({"w": np.zeros((), dtype)})
    means = []
    for part in (samples[:4], samples[4:8], samples[8:10], samples[10:]):
        means.append(part.mean())
        accumulator.add({"w": np.array(means[-1])}, weight=len(part))
    assert accumulator.sums["w"] == samples.sum()
    assert accumulator.weight == len(samples)
    assert accumulator.mean()["w"] == pytest.approx(samples.mean(), rel=float(np.finfo(dtype).eps))
    assert abs(np.mean(means) - samples.mean()) > 10


def test_accumulating_is_the_sum_of_weighted_gradients_in_order(backend, dtype, rng):
    parts = [(draw(rng, dtype), weight) for weight in (3.0, 0.7, 2.0)]
    accumulator = Accumulator(parts[0][0])
    wanted = [np.zeros_like(g) for g in parts[0][0]]
    for grads, weight in parts:
        before = all_bits(grads)
        accumulator.add(grads, weight)
        wanted = [w + dtype.type(weight) * g for w, g in zip(wanted, grads, strict=True)]
        assert all_bits(grads) == before
    assert all_bits(accumulator.sums) == all_bits(wanted)
    out = [np.empty_like(g) for g in wanted]
    assert accumulator.mean(out) is out
    assert all_bits(out) == all_bits(accumulator.mean()) == all_bits([w * dtype.type(1 / 5.7) for w in wanted])


def test_a_step_takes_the_sum_as_it_is(backend, dtype, rng):
    theta, other = np.ones(5, dtype), np.ones(5, dtype)
    optimizer = lossref.SGD(lr=0.5)
    accumulator = Accumulator(theta)
    for weight in (4, 1):
        accumulator.add(rng.normal(size=5).astype(dtype), weight)
    optimizer.step(theta, accumulator.sums, optimizer.init(theta), scale=1 / accumulator.weight)
    optimizer.step(other, accumulator.mean(), optimizer.init(other))
    assert theta.tobytes() == other.tobytes() != np.ones(5, dtype).tobytes()


def test_an_accumulator_begins_anew_in_the_same_memory_even_after_nan(backend, dtype):
    accumulator = Accumulator([np.zeros(2, dtype)])
    kept = accumulator.sums[0]
    accumulator.add([np.array([np.nan, np.inf], dtype)])
    assert np.isnan(accumulator.sums[0][0])
    accumulator.reset()
    assert accumulator.sums[0] is kept
    assert accumulator.weight == 0
    accumulator.add([np.ones(2, dtype)], 2)
    np.testing.assert_array_equal(accumulator.mean(), [np.ones(2, dtype)], strict=True)


def test_an_accumulator_pickled_between_two_parts_goes_on(backend, dtype, rng):
    parts = [draw(rng, dtype) for _ in range(4)]
    whole, half = Accumulator(parts[0]), Accumulator(parts[0])
    for k, grads in enumerate(parts):
        whole.add(grads, k + 1)
        half = pickle.loads(pickle.dumps(half))
        half.add(grads, k + 1)
    assert all_bits(whole.sums) == all_bits(half.sums)
    assert whole.weight == half.weight == 10
