"""Laws of narrow formats, of the loss scale, and of the step that unscales and clips on the way in."""

import functools
import itertools
import pickle

import numpy as np
import pytest

import lossref
from lossref import _backend, registry
from lossref.training import LossScale, LossScaler, Taken, clip_by_norm, clipped_step, global_norm, round_to

FORMATS = {"float16": (10, 5), "bfloat16": (7, 8), "float8_e4m3": (3, 4), "float8_e5m2": (2, 5)}  # digits, exponent
DTYPES = (np.dtype(np.float32), np.dtype(np.float64))
OPTIMIZERS = pytest.mark.parametrize("optimizer", registry.samples("optimizers"), ids=repr)


def numbers_of(format):
    """Every finite number >= 0 of a format, in ascending order: read off its bits, as its definition says."""
    digits, exponents = FORMATS[format]
    bias = 2 ** (exponents - 1) - 1
    codes = np.arange(2 ** (digits + exponents))
    field, significand = codes >> digits, codes & (2**digits - 1)
    # IEEE 754 keeps the last exponent for infinity and NaN; e4m3 has no infinity, and NaN is its last number alone
    finite = codes < 2 ** (digits + exponents) - 1 if format == "float8_e4m3" else field < 2**exponents - 1
    size = np.where(field == 0, significand, significand + 2**digits).astype(np.float64)
    return np.ldexp(size, np.maximum(field, 1) - bias - digits)[finite]


def nearest(x, grid):
    """The nearest number of the grid; of two the one at an even place. Beyond the last one, as if it went on."""
    grid = np.append(grid, 2 * grid[-1] - grid[-2])
    low = np.clip(np.searchsorted(grid, x, "right") - 1, 0, len(grid) - 2)
    down, up = x - grid[low], grid[low + 1] - x
    place = low + ((up < down) | ((up == down) & (low % 2 == 1)))
    return np.where(place == len(grid) - 1, np.inf, grid[place])


@pytest.mark.parametrize("format", FORMATS)
def test_rounding_finds_the_nearest_number_of_the_format(format, dtype, rng):
    grid = numbers_of(format)
    between = (grid[:-1] + grid[1:]) / 2  # ties, exact in float64
    x = np.concatenate([grid, between, np.exp2(rng.uniform(-140, 20, 2000)), grid[-1] * np.linspace(0.9, 1.2, 301)])
    if dtype == np.float64:
        x = np.concatenate([x, np.nextafter(between, 0), np.nextafter(between, np.inf)])
    with np.errstate(over="ignore"):
        x = x.astype(dtype)
    found, wanted = round_to(x, format), nearest(x.astype(np.float64), grid)
    if format == "float8_e4m3":
        wanted = np.where(np.isinf(wanted), np.nan, wanted)
    np.testing.assert_array_equal(found, wanted.astype(dtype), strict=True)
    np.testing.assert_array_equal(round_to(-x, format), -found, strict=True)
    np.testing.assert_array_equal(round_to(found, format), found, strict=True)


def test_float16_is_that_of_numpy_bit_for_bit(dtype, rng):
    every = np.arange(2**16, dtype=np.uint16).view(np.float16).astype(dtype)
    noise = np.exp2(rng.uniform(-27, 17, 20_000)).astype(dtype) * rng.choice([-1, 1], 20_000).astype(dtype)
    finite = every[np.isfinite(every)]
    beside = np.nextafter((finite + np.roll(finite, 1)) / 2, dtype.type(9))  # the ties, and what lies next to them
    for x in (every, (finite + np.roll(finite, 1)) / 2, beside, noise):
        with np.errstate(over="ignore"):
            wanted = x.astype(np.float16).astype(dtype)
        found = round_to(x, "float16")
        np.testing.assert_array_equal(found, wanted, strict=True)
        np.testing.assert_array_equal(np.signbit(found)[x == 0], np.signbit(x)[x == 0])


def test_rounding_takes_what_a_loss_takes_and_refuses_the_rest():
    assert round_to([1, 2, 300], "float8_e5m2").tolist() == [1, 2, 320]
    assert round_to(np.float16(1), "bfloat16").dtype == np.float32
    assert round_to(np.zeros((0, 3), np.float32), "float16").shape == (0, 3)
    for x, format, error, text in (
        ("abc", "float16", TypeError, "x has dtype"),
        (None, "float16", TypeError, "x is None"),
        (1.0, np.float16, TypeError, "format must be one of float16, bfloat16, float8_e4m3, float8_e5m2, got <class"),
        (1.0, "float32", ValueError, "format must be one of float16, bfloat16, .*, got 'float32'"),
    ):
        with pytest.raises(error, match=f"^round_to: {text}"):
            round_to(x, format)


def train(optimizer, dtype, rng, step, steps=4):
    """Parameters and buffers after some steps, as bytes; ``step`` is given the optimizer, theta, gradients, state."""
    theta = [rng.normal(size=shape).astype(dtype) for shape in ((13, 77), (3,))]
    state = optimizer.init(theta)
    for _ in range(steps):
        step(optimizer, theta, [10 * rng.normal(size=x.shape).astype(dtype) for x in theta], state)
    return state.step, [x.tobytes() for x in theta], [x.tobytes() for row in state.buffers.values() for x in row]


@OPTIMIZERS
def test_a_clipped_step_is_clipping_and_stepping(optimizer, way_in):
    """Bit for bit where the loss scale is a power of two, for then the product of both factors is rounded once too."""

    def one_by_one(optimizer, theta, grads, state):
        clip_by_norm(grads, 2.0)
        optimizer.step(theta, grads, state)

    def fused(optimizer, theta, grads, state):
        grads = [g * g.dtype.type(2.0**16) for g in grads]
        kept, norm = [g.copy() for g in grads], global_norm(grads)
        assert clipped_step(optimizer, theta, grads, state, max_norm=2.0, loss_scale=2.0**16) == (norm / 2**16, True)
        assert all((g == k).all() for g, k in zip(grads, kept, strict=True))

    for dtype in DTYPES:
        first, second = (train(optimizer, dtype, np.random.default_rng(3), step) for step in (one_by_one, fused))
        assert first == second


@OPTIMIZERS
def test_within_the_bound_a_clipped_step_is_the_step(optimizer, way_in):
    ways = (
        lambda optimizer, theta, grads, state: optimizer.step(theta, grads, state),
        clipped_step,
        functools.partial(clipped_step, max_norm=1e9),
    )
    for dtype in DTYPES:
        found = [train(optimizer, dtype, np.random.default_rng(3), step) for step in ways]
        assert found[0] == found[1] == found[2]


@OPTIMIZERS
def test_a_gradient_that_is_not_finite_moves_nothing(optimizer, way_in, rng):
    scaler = LossScaler()
    for dtype, bad in itertools.product(DTYPES, (np.nan, np.inf, -np.inf)):
        theta = rng.normal(size=5).astype(dtype)
        state, scale = optimizer.init(theta), scaler.init()
        optimizer.step(theta, rng.normal(size=5).astype(dtype), state)
        before = theta.tobytes(), state.step, [b.tobytes() for b in state.buffers.values()]
        g = np.array([1, 2, bad, 3, 4], dtype)
        for done in (
            clipped_step(optimizer, theta, g, state),
            clipped_step(optimizer, theta, g, state, max_norm=1.0, loss_scale=8.0),
            scaler.step(optimizer, theta, g, state, scale, max_norm=1.0),
        ):
            assert isinstance(done, Taken)
            assert not done.taken
            assert not np.isfinite(done.norm)
        assert (theta.tobytes(), state.step, [b.tobytes() for b in state.buffers.values()]) == before
        assert scale.value == 2**15


def test_groups_take_clipped_steps_too(way_in, dtype):
    """A step of groups knows the scale as well: one norm for all, other settings for some."""
    optimizer = lossref.AdamW(lr=0.5, weight_decay=0.5).with_groups({1: {"weight_decay": 0.0, "lr": 0.25}})
    fused = functools.partial(clipped_step, max_norm=2.0, loss_scale=4.0)

    def one_by_one(optimizer, theta, grads, state):
        clipped = [g / 4 for g in grads]
        clip_by_norm(clipped, 2.0)
        optimizer.step(theta, clipped, state)

    found = [train(optimizer, dtype, np.random.default_rng(2), step) for step in (fused, one_by_one)]
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        ({"max_norm": 0.0}, ValueError, "max_norm must be a number > 0, got 0.0"),
        ({"max_norm": "1"}, TypeError, "max_norm must be a number > 0, got '1' of type str"),
        ({"loss_scale": -1.0}, ValueError, "loss_scale must be a number > 0, got -1.0"),
        ({"loss_scale": np.inf}, ValueError, "loss_scale must be a number > 0, got inf"),
    ],
)
def test_a_clipped_step_refuses_wrong_numbers(given, error, text):
    theta, optimizer = np.ones(2), lossref.SGD(lr=1.0)
    with pytest.raises(error, match=f"^clipped_step: {text}"):
        clipped_step(optimizer, theta, np.ones(2), optimizer.init(theta), **given)
    assert (theta == 1).all()


def test_the_scale_doubles_after_so_many_finite_steps_and_halves_at_once():
    scaler = LossScaler(initial=8.0, every=3)
    scale = scaler.init()
    seen = []
    for finite in (True, True, True, True, True, False, True, True, False, False, True, True, True, True):
        scaler.update(scale, finite)
        seen.append((scale.value, scale.clean))
    assert seen == [
        *[(8, 1), (8, 2), (16, 0), (16, 1), (16, 2), (8, 0), (8, 1), (8, 2), (4, 0), (2, 0)],
        *[(2, 1), (2, 2), (4, 0), (4, 1)],
    ]


def test_the_scale_never_leaves_float32():
    scaler = LossScaler(every=1)
    scale = scaler.init()
    for finite, end in ((True, 2.0**127), (False, 2.0**-126)):
        for _ in range(400):
            scaler.update(scale, finite)
        assert scale.value == end
        assert np.isfinite(np.float32(scale.value))
        assert np.isfinite(1 / np.float32(scale.value))


def test_a_scaled_run_pickled_in_the_middle_is_the_same_run(way_in):
    """With an overflow on each side of the break."""

    def run(broken):
        rng, theta = np.random.default_rng(0), np.ones(4, np.float32)
        optimizer, scaler = lossref.AdamW(lr=0.5), LossScaler(initial=2.0**14, every=2)
        state, scale = optimizer.init(theta), scaler.init()
        taken = []
        for _ in range(12):
            if broken:
                optimizer, scaler, state, scale, theta = pickle.loads(
                    pickle.dumps((optimizer, scaler, state, scale, theta))
                )
            g = round_to(rng.normal(size=4) * scale.value, "float16")
            taken.append(scaler.step(optimizer, theta, g, state, scale).taken)
        return theta.tobytes(), state.step, scale, taken

    whole = run(broken=False)
    assert whole == run(broken=True)
    assert not all(whole[3][:6])
    assert not all(whole[3][6:])
    assert whole[1] == sum(whole[3]) > 6


def test_powers_of_two_cost_no_digit(rng):
    """What fits into float16 with and without the scale is the same after unscaling."""
    g = np.exp2(rng.uniform(-10, -3, 1000)) * rng.choice([-1, 1], 1000)
    for scale in (2.0**16, 2.0**3, 0.5):
        np.testing.assert_array_equal(round_to(g * scale, "float16") / scale, round_to(g, "float16"))


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        ({"initial": 0.0}, ValueError, "initial must be a number > 0, got 0.0"),
        ({"growth": 1.0}, ValueError, "growth must be a number > 1, got 1.0"),
        ({"backoff": 1.0}, ValueError, r"backoff must be a number in \(0, 1\), got 1.0"),
        ({"every": 2.5}, TypeError, "every must be an integer >= 1, got 2.5 of type float"),
    ],
)
def test_a_scaler_refuses_wrong_numbers(given, error, text):
    with pytest.raises(error, match=f"^LossScaler: {text}"):
        LossScaler(**given)


def test_a_scaler_wants_its_own_state():
    theta, optimizer = np.ones(2), lossref.SGD(lr=1.0)
    with pytest.raises(TypeError, match=r"^LossScaler: scale must be what init\(\) returned, got float"):
        LossScaler().step(optimizer, theta, np.ones(2), optimizer.init(theta), 2.0)
    assert (theta == 1).all()
    assert LossScaler().init() == LossScale(value=65536.0)


def test_every_backend_takes_the_same_clipped_steps(dtype):
    optimizer = lossref.AdamW(lr=0.5, weight_decay=0.5)
    found = []
    for name in _backend.available():
        with lossref.use_backend(name):
            step = functools.partial(clipped_step, max_norm=0.3, loss_scale=3.0)
            found.append(train(optimizer, dtype, np.random.default_rng(1), step))
    assert found.count(found[0]) == len(found)
