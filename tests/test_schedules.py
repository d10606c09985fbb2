"""Laws of the schedules: pure functions of the step, accurate at every step, the same bits everywhere."""

import functools
import math
import pickle

import mpmath
import numpy as np
import pytest
import sympy as sp

import lossref
from lossref import Cosine, Exponential, StepDecay, _backend, registry

#: What a repr is written in.
PUBLIC = {name: getattr(lossref, name) for name in lossref.__all__}
SAMPLES = [
    *registry.samples("schedules"),
    Cosine(peak=0.3, steps=100_000, floor=1e-7),
    Cosine(peak=0.3, steps=2**53 - 1),
    StepDecay(initial=0.7, factor=1 - 1e-12, every=3),
    Exponential(initial=0.1, rate=0.96, every=100_000),
    Exponential(initial=0.3, rate=1e-10, every=7),
    Exponential(initial=0.3, rate=1 - 2.0**-53),
    Exponential(initial=0.5, rate=0.3, every=4).with_warmup(5, start=2.0),
    Cosine(peak=0.1, steps=1000).with_warmup(100).with_warmup(7, start=0.5),
]
EVERY = pytest.mark.parametrize("rate", SAMPLES, ids=repr)


@functools.cache
def exact(rate):
    """The schedule's formula as a function of exact numbers."""
    t = sp.Symbol("t", real=True)
    return sp.lambdify(t, rate.expression_at(t), "mpmath")


def telling_steps(rate, rng):
    """Every early step, both sides of every junction, powers of two up to 2⁵³, and any others."""
    length = getattr(rate, "steps", getattr(rate, "every", 1))
    near = [length * k + d for k in (0.5, 1, 2, 3) for d in (-2, -1, 0, 1, 2)]
    many = [*range(60), *near, *(2**k for k in range(54)), *10 ** rng.uniform(0, 15.9, 60), *rng.uniform(0, length, 60)]
    return sorted({float(math.floor(t)) for t in many if 0 <= t <= 2**53})


@EVERY
def test_every_rate_is_within_four_units_in_the_last_place(rate, backend, rng):
    steps = telling_steps(rate, rng)
    with mpmath.workprec(300):
        for t, got in zip(steps, rate(np.array(steps)), strict=True):
            value = exact(rate)(mpmath.mpf(t))
            if value == 0 or 1e-290 < value < 1e290:
                assert abs(got - value) <= 4 * math.ulp(float(value)), t


@EVERY
def test_between_the_steps_the_rate_is_as_accurate(rate, backend, rng):
    steps = np.sort(rng.uniform(0, 50, 100))
    with mpmath.workprec(300):
        for t, got in zip(steps, rate(steps), strict=True):
            value = exact(rate)(mpmath.mpf(t))
            assert abs(got - value) <= 4 * math.ulp(float(value)), t


def test_the_first_and_the_last_rate_are_exact(backend):
    for peak, floor in ((1.0, 0.1), (0.3, 0.1), (1e-3, 3e-7), (0.7, 0.7)):
        for steps in (1, 2, 3, 7, 1000, 2**53 - 1):
            rate = Cosine(peak=peak, steps=steps, floor=floor)
            assert (rate(0), rate(steps), rate(steps + 1), rate(2**60)) == (peak, floor, floor, floor)
    for initial in (0.1, 3e-4, 7.0):
        for rate in (StepDecay(initial=initial, every=7), Exponential(initial=initial, rate=0.3, every=7)):
            assert rate(0) == initial
    assert [StepDecay(initial=1.0, factor=0.5, every=1)(k) for k in range(60)] == [2.0**-k for k in range(60)]


def test_a_rate_in_range_is_found_where_its_power_is_out_of_range(backend):
    for initial, base, t in ((1e-200, 2.0, 1500), (1e200, 0.5, 1500), (1e-250, 1.1, 10_000), (1e250, 0.9, 10_000)):
        got = Exponential(initial=initial, rate=base)(t)
        with mpmath.workprec(300):
            value = mpmath.mpf(initial) * mpmath.mpf(base) ** t
        assert abs(got - value) <= 4 * math.ulp(float(value))


def test_a_stair_is_as_high_whichever_way_it_is_reached(backend, rng):
    """Alone, beside few other stairs, beside many; at the edge between two stairs, at quotients that round."""
    for every in (1, 3, 7, 30, 300_000):
        rate = StepDecay(initial=0.7, factor=0.9, every=every)
        near = np.concatenate([np.arange(5 * every % 4096), every * np.arange(60), every * np.arange(1, 60) - 1])
        far = rng.integers(0, 900 * every, 4096)
        for steps in (near, rng.permutation(near), np.nextafter(near, 0), far, far + 0.5):
            np.testing.assert_array_equal(rate(steps), [rate(float(t)) for t in steps])
            with np.errstate(under="ignore"):
                np.testing.assert_allclose(rate(steps), 0.7 * 0.9 ** (steps // every), rtol=1e-12)


def test_the_golden_rows(backend):
    cosine = Cosine(peak=1.0, steps=4)
    assert cosine(np.arange(7)).round(6).tolist() == [1, 0.853553, 0.5, 0.146447, 0, 0, 0]
    stairs = StepDecay(initial=1.0, factor=0.1, every=3)
    np.testing.assert_allclose(stairs(np.arange(7)), [1, 1, 1, 0.1, 0.1, 0.1, 0.01], rtol=1e-15)
    smooth = Exponential(initial=2.0, rate=0.25, every=2)
    np.testing.assert_allclose(smooth(np.arange(5)), [2, 1, 0.5, 0.25, 0.125], rtol=1e-15)
    ramp = cosine.with_warmup(4, start=0.1)
    np.testing.assert_allclose(ramp(np.arange(6)), [0.1, 0.325, 0.55, 0.775, 1, 0.853553], atol=1e-6)


@EVERY
def test_an_array_of_steps_gives_the_rate_of_each(rate, backend, rng):
    steps = rng.permutation(telling_steps(rate, rng)).astype(np.int64)
    rates = rate(steps)
    assert (rates.dtype, rates.shape) == (np.float64, steps.shape)
    one_by_one = [rate(int(t)) for t in steps]
    assert all(type(value) is float for value in one_by_one)
    np.testing.assert_array_equal(rates, one_by_one)
    np.testing.assert_array_equal(
        rate(steps[: 2 * (len(steps) // 2)].reshape(2, -1)).ravel(), rates[: len(steps) // 2 * 2]
    )


@EVERY
def test_a_schedule_remembers_nothing(rate, backend, rng):
    steps = np.array(telling_steps(rate, rng))
    first = rate(steps)
    np.testing.assert_array_equal(rate(steps[::-1])[::-1], first)
    np.testing.assert_array_equal(rate(steps), first)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(rate))(steps), first)


@EVERY
def test_steps_of_any_kind_of_number_give_the_same_rate(rate, backend):
    expected = rate(5)
    for five in (5.0, np.int8(5), np.float32(5), np.uint64(5), np.float64(5)):
        assert rate(five) == expected
        assert type(rate(five)) is float
    for kind in (np.int32, np.uint64, np.float16, np.float32, ">f8", ">i8"):
        np.testing.assert_array_equal(rate(np.array([5, 0], kind)), rate([5, 0]))
    assert rate(np.array(5)) == expected
    assert rate(np.zeros((0, 3))).shape == (0, 3)


@EVERY
def test_compiled_backends_give_the_same_bits(rate, rng):
    steps = np.array(telling_steps(rate, rng))
    found = []
    for name in _backend.available():
        if name != "numpy":
            with lossref.use_backend(name):
                found.append(rate(steps).tobytes())
    assert found.count(found[0]) == len(found) if found else True


@EVERY
def test_the_number_of_threads_changes_no_bit(rate, backend, threads):
    steps = np.arange(100_003)
    found = []
    for n in (1, 2, 3, 7):
        threads(n)
        found.append(rate(steps).tobytes())
    assert found.count(found[0]) == len(found)


def test_warm_up_ends_where_the_schedule_begins(backend):
    for schedule in (Cosine(peak=0.3, steps=10), StepDecay(initial=0.1, every=2), Exponential(initial=0.7, rate=0.9)):
        for steps in (1, 2, 3, 10):
            rate = schedule.with_warmup(steps, start=0.01)
            assert (rate(0), rate(steps)) == (0.01, schedule(0))
            np.testing.assert_array_equal(rate(np.arange(steps, 30)), schedule(np.arange(30 - steps)))
            rises = rate(np.arange(steps + 1))
            np.testing.assert_allclose(np.diff(rises), (schedule(0) - 0.01) / steps, rtol=1e-12)


def test_warm_ups_stand_one_before_the_other(backend):
    rate = Cosine(peak=1.0, steps=8).with_warmup(4, start=0.5).with_warmup(2)
    np.testing.assert_allclose(rate([0, 1, 2, 4, 6, 14]), [0, 0.25, 0.5, 0.75, 1, 0])
    for _ in range(6):
        rate = rate.with_warmup(1)
    assert rate(6 + 6) == 1
    with pytest.raises(ValueError, match=r"^Warmup: there may be 8 warm-ups one before the other, got 9"):
        rate.with_warmup(1)


def test_a_rate_that_grows_may_overflow_and_one_that_falls_vanish(backend):
    assert Exponential(initial=1.0, rate=2.0)(5000) == math.inf
    assert Exponential(initial=1.0, rate=0.5)([5000, 1e300]).tolist() == [0, 0]
    assert Exponential(initial=3.0, rate=1.0)([0, 5, 1e300]).tolist() == [3, 3, 3]


@pytest.mark.parametrize(
    ("t", "error", "text"),
    [
        (-1, ValueError, r"t = -1 is not a finite number >= 0"),
        (-0.5, ValueError, r"t = -0.5 is not a finite number >= 0"),
        (math.nan, ValueError, r"t = nan is not a finite number >= 0"),
        (math.inf, ValueError, r"t = inf is not a finite number >= 0"),
        (10**400, ValueError, r"t = inf is not a finite number >= 0"),
        ([1, -2], ValueError, r"t\[1\] = -2 is not a finite number >= 0"),
        (np.array([[1.0, np.nan]]), ValueError, r"t\[0, 1\] = nan is not a finite number >= 0"),
        (np.where(np.arange(70_000) == 69_999, -1, 1), ValueError, r"t\[69999\] = -1 is not a finite number >= 0"),
        (True, TypeError, r"t must be a number >= 0 or an array of them, got True of type bool"),
        ("1", TypeError, r"t must be a number >= 0 or an array of them, got '1' of type str"),
        (1j, TypeError, r"t must be a number >= 0 or an array of them, got 1j of type complex"),
        (None, TypeError, r"t is None; give an array or a sequence of numbers"),
        (np.array([True]), TypeError, r"t must be a number >= 0 or an array of them, got an array of bool"),
        (np.ma.masked_array([1.0]), TypeError, r"t is a MaskedArray, whose mask would be ignored"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("rate", [Cosine(peak=1.0, steps=9), Cosine(peak=1.0, steps=9).with_warmup(2)], ids=repr)
def test_what_is_no_step_is_refused(rate, backend, t, error, text):
    with pytest.raises(error, match=f"^{type(rate).__name__}: {text}"):
        rate(t)


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (
            lambda: Cosine(peak=0.1, steps=10, floor=0.2),
            ValueError,
            r"Cosine: floor must be at most peak, got floor=0.2",
        ),
        (lambda: Cosine(peak=0.0, steps=10), ValueError, r"Cosine: peak must be a number > 0, got 0.0"),
        (lambda: Cosine(peak=0.1, steps=0), ValueError, r"Cosine: steps must be an integer >= 1, got 0"),
        (
            lambda: Cosine(peak=0.1, steps=2.5),
            TypeError,
            r"Cosine: steps must be an integer >= 1, got 2.5 of type float",
        ),
        (lambda: Cosine(peak=True, steps=2), TypeError, r"Cosine: peak must be a number > 0, got True of type bool"),
        (lambda: StepDecay(initial=0.1, factor=0.0), ValueError, r"StepDecay: factor must be a number > 0, got 0.0"),
        (
            lambda: Exponential(initial=0.1, rate=math.inf),
            ValueError,
            r"Exponential: rate must be a number > 0, got inf",
        ),
        (lambda: SAMPLES[0].with_warmup(0), ValueError, r"Warmup: steps must be an integer >= 1, got 0"),
        (lambda: SAMPLES[0].with_warmup(5, -0.1), ValueError, r"Warmup: start must be a number >= 0, got -0.1"),
        (
            lambda: lossref.Warmup(schedule=0.1, steps=1),
            TypeError,
            r"Warmup: schedule must be a schedule, got 0.1 of type",
        ),
    ],
)
def test_settings_out_of_range_are_refused_at_construction(make, error, text):
    with pytest.raises(error, match=f"^{text}"):
        make()


@EVERY
def test_a_repr_rebuilds_its_schedule(rate):
    assert eval(repr(rate), PUBLIC) == rate
    assert hash(eval(repr(rate), PUBLIC)) == hash(rate)


@EVERY
def test_the_latex_is_that_of_the_formula(rate):
    assert rate._repr_latex_().count("t") >= 1
