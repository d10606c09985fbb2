"""Laws of the optimizers: a step is its formula, in place, whole or not at all, and the same bits everywhere."""

import dataclasses
import functools
import gc
import itertools
import pickle
import signal

import mpmath
import numpy as np
import pytest
import sympy as sp
from oracle import step_function

import lossref
from lossref import SGD, Adam, AdamW, _backend, registry

#: What a repr is written in.
PUBLIC = {name: getattr(lossref, name) for name in lossref.__all__}
SAMPLES = registry.samples("optimizers")
EVERY = pytest.mark.parametrize("optimizer", SAMPLES, ids=repr)
EACH = pytest.mark.parametrize("optimizer", [SGD(lr=0.1, momentum=0.9), Adam(), AdamW(amsgrad=True)], ids=repr)


@functools.cache
def exact_step(optimizer):
    """The formula as a function of exact numbers: (theta, g, buffers, t) to (theta, buffers).

    It remembers what it was asked for: one backend starts from the same numbers as the next."""
    arguments = {name: symbol for name, symbol in optimizer.arguments().items() if isinstance(symbol, sp.Symbol)}
    updates = optimizer.expression()
    letters = optimizer.buffers()
    run = step_function(tuple(arguments.values()), [updates[name] for name in ("theta", *letters)])

    @functools.cache
    def step(theta, g, buffers, t):
        lr = optimizer.lr if isinstance(optimizer.lr, float) else optimizer.lr(t - 1)
        given = {"theta": theta, "g": g, "t": t, **dict(zip(letters, buffers, strict=True)), "lr": mpmath.mpf(lr)}
        settings = {name: mpmath.mpf(getattr(optimizer, name)) for name in arguments if hasattr(optimizer, name)}
        theta, *buffers = run(*((dict.fromkeys(arguments, 0) | settings | given)[name] for name in arguments))
        return theta, tuple(buffers)

    return step


def decays(optimizer):
    return getattr(optimizer, "weight_decay", 0) > 0


def gradients(rng, shape, dtype, steps):
    return [rng.normal(size=shape).astype(dtype) for _ in range(steps)]


def train(optimizer, params, all_grads, state=None):
    state = optimizer.init(params) if state is None else state
    for grads in all_grads:
        optimizer.step(params, grads, state)
    return state


def bits(params, state):
    """Everything a step writes, as bytes."""
    trees = [params, *(state.buffers[letter] for letter in sorted(state.buffers))]
    rows = [[t] if isinstance(t, np.ndarray) else t.values() if isinstance(t, dict) else t for t in trees]
    return state.step, b"".join(array.tobytes() for row in rows for array in row)


@EVERY
def test_fifty_steps_are_the_formula(optimizer, backend, dtype, rng):
    step, tolerance = exact_step(optimizer), {4: 1e-5, 8: 1e-14}[dtype.itemsize]
    theta = rng.normal(size=3).astype(dtype)
    state = optimizer.init(theta)
    with mpmath.workprec(200):
        fresh = [tuple(mpmath.mpf(float(buffer[i])) for buffer in state.buffers.values()) for i in range(3)]
        exact = [(mpmath.mpf(float(x)), buffers) for x, buffers in zip(theta, fresh, strict=True)]
        for t, g in enumerate(gradients(rng, 3, dtype, 50), 1):
            optimizer.step(theta, g, state)
            exact = [step(x, mpmath.mpf(float(d)), b, t) for (x, b), d in zip(exact, g, strict=True)]
            for i, (x, buffers) in enumerate(exact):
                assert abs(theta[i] - x) <= tolerance * t * max(1, abs(x)), (t, i)
                for letter, value in zip(optimizer.buffers(), buffers, strict=True):
                    assert abs(state.buffers[letter][i] - value) <= tolerance * max(1, abs(value)), (t, i, letter)
    assert state.step == 50


@EVERY
def test_one_step_is_exact_to_a_few_units_in_the_last_place(optimizer, backend, dtype, rng):
    step = exact_step(optimizer)
    for t in (1, 2, 3, 10, 1000, 100_000):
        theta, g = (rng.uniform(0.1, 1, 50).astype(dtype) for _ in range(2))
        state = optimizer.init(theta)
        state.step = t - 1
        sign = -1 if getattr(optimizer, "lr_in_velocity", False) else 1  # so that all terms of a sum have one sign
        for letter, buffer in state.buffers.items() if t > 1 else ():
            buffer[:] = (-1 if letter == "z" else sign) * rng.uniform(0.1, 1, 50)
        before = theta.copy(), {letter: buffer.copy() for letter, buffer in state.buffers.items()}
        optimizer.step(theta, g, state)
        with mpmath.workprec(200):
            for i in range(50):
                old = mpmath.mpf(float(before[0][i]))
                kept = tuple(mpmath.mpf(float(before[1][letter][i])) for letter in optimizer.buffers())
                exact, buffers = step(old, mpmath.mpf(float(g[i])), kept, t)
                assert_moved_exactly(theta[i], exact, before[0][i])
                for letter, value in zip(optimizer.buffers(), buffers, strict=True):
                    got = state.buffers[letter][i]
                    if letter == "z":  # no mean, but a point that is moved
                        assert_moved_exactly(got, value, before[1][letter][i])
                    else:
                        assert abs(got - value) <= 3 * np.spacing(dtype.type(abs(float(value))))


def assert_moved_exactly(got, exact, old):
    """To the last place of what is larger, the old or the new, and a few of the way between them."""
    unit = np.spacing(got.dtype.type(max(abs(float(exact)), abs(old))))
    moved = np.spacing(got.dtype.type(abs(float(exact) - float(old))))
    assert abs(got - exact) <= 1.5 * unit + 8 * moved


@pytest.mark.parametrize(
    "kind",
    # of the schedule-free step beta1 is no memory, and is not 0
    [each for each in registry.formulas("optimizers") if hasattr(each, "beta1") and each.name != "schedule_free"],
    ids=lambda kind: kind.__name__,
)
def test_what_remembers_nothing_is_the_formula_too(kind, backend, rng):
    """At zero the powers and logarithms of the memories are at the end of their range."""
    for beta1, beta2 in ((0.0, 0.5), (0.5, 0.0), (0.0, 0.0)):
        optimizer = kind(lr=0.5, beta1=beta1, beta2=beta2)
        step, theta = exact_step(optimizer), rng.normal(size=3)
        state = optimizer.init(theta)
        with mpmath.workprec(200):
            exact = [(mpmath.mpf(float(x)), (mpmath.mpf(0),) * len(state.buffers)) for x in theta]
            for t, g in enumerate(gradients(rng, 3, np.float64, 10), 1):
                optimizer.step(theta, g, state)
                exact = [step(x, mpmath.mpf(float(d)), b, t) for (x, b), d in zip(exact, g, strict=True)]
                np.testing.assert_allclose(theta, [float(x) for x, _ in exact], rtol=1e-12, atol=1e-12)


@EVERY
def test_every_backend_gives_the_same_bits(optimizer, dtype, rng):
    start = {"w": rng.normal(size=(13, 77)).astype(dtype), "b": rng.normal(size=3).astype(dtype), "s": dtype.type(1)}
    start["s"] = np.array(start["s"])
    all_grads = [{k: rng.normal(size=v.shape).astype(dtype) for k, v in start.items()} for _ in range(7)]
    found = []
    for name in _backend.available():
        with lossref.use_backend(name):
            params = {key: value.copy() for key, value in start.items()}
            found.append(bits(params, train(optimizer, params, all_grads)))
    assert found.count(found[0]) == len(found)


@EACH
def test_the_number_of_threads_changes_no_bit(optimizer, backend, dtype, rng, threads):
    sizes = (40_001, 0, 5, 70_000)  # more than one thread's worth
    start = [rng.normal(size=n).astype(dtype) for n in sizes]
    all_grads = [[rng.normal(size=n).astype(dtype) for n in sizes] for _ in range(2)]
    found = []
    for n in (1, 2, 3, 7):
        threads(n)
        params = [array.copy() for array in start]
        found.append(bits(params, train(optimizer, params, all_grads)))
    assert found.count(found[0]) == len(found)


@EVERY
def test_a_list_a_dict_and_separate_tensors_take_the_same_steps(optimizer, backend, dtype, rng):
    start = [rng.normal(size=shape).astype(dtype) for shape in [(4, 5), (3,), (1, 2, 3)]]
    grads = [[rng.normal(size=x.shape).astype(dtype) for x in start] for _ in range(5)]
    listed = [x.copy() for x in start]
    named = {str(i): x.copy() for i, x in enumerate(start)}
    train(optimizer, listed, grads)
    train(optimizer, named, [{str(i): g for i, g in enumerate(row)} for row in grads])
    for i, x in enumerate(start):
        train(optimizer, x, [row[i] for row in grads])
        np.testing.assert_array_equal(listed[i], x, strict=True)
        np.testing.assert_array_equal(named[str(i)], x, strict=True)


def test_tensors_of_both_precisions_train_together(backend, rng):
    params = [np.ones(3, np.float32), np.ones(3, np.float64)]
    train(AdamW(lr=0.5), params, [[np.ones(3, np.float32), np.ones(3)]] * 3)
    assert [x.dtype.name for x in params] == ["float32", "float64"]
    np.testing.assert_allclose(params[0], params[1], rtol=1e-6)


# Weight decay has its bottom elsewhere. The rate falls, for what divides by the gradient takes steps of one size.
@pytest.mark.parametrize("optimizer", [o for o in SAMPLES if not decays(o)], ids=repr)
def test_it_reaches_the_bottom_of_bowl_and_ravine(optimizer, backend):
    steps, curvatures = 1500, np.array([[1.0, 1.0], [0.1, 10.0]])
    falling = dataclasses.replace(optimizer, lr=lossref.Cosine(peak=optimizer.lr, steps=steps))
    surfaces = [np.array([1.0, 0.2]), np.array([1.0, 0.2])]
    state = falling.init(surfaces)
    for _ in range(steps):
        falling.step(surfaces, list(curvatures * surfaces), state)
    assert np.abs(surfaces).max() < 1e-3


@pytest.mark.parametrize(
    "optimizer",  # Adam without memory goes round the bottom in steps of one size
    [o for o in SAMPLES if isinstance(o, SGD | Adam | AdamW) and o.weight_decay == 0 and getattr(o, "beta1", 1) > 0],
    ids=repr,
)
def test_steps_that_shrink_with_the_gradient_reach_the_bottom_at_a_constant_rate(optimizer, backend):
    for curvature in ([1.0, 1.0], [0.1, 10.0]):
        theta = np.array([1.0, 0.2])
        state = optimizer.init(theta)
        for _ in range(3000):
            optimizer.step(theta, np.array(curvature) * theta, state)
        assert np.abs(theta).max() < 1e-3


@EVERY
def test_where_the_gradient_was_always_zero_nothing_moves_but_by_decay(optimizer, backend, dtype, rng):
    theta = rng.normal(size=9).astype(dtype)
    before = theta.copy()
    train(optimizer, theta, [np.zeros(9, dtype)] * 3)
    if not decays(optimizer):
        np.testing.assert_array_equal(theta, before, strict=True)
    else:
        assert (np.abs(theta) < np.abs(before)).all()


def test_momentum_starts_as_the_first_gradient_without_dampening(backend):
    theta = np.zeros(1)
    optimizer = SGD(lr=1.0, momentum=0.5, dampening=0.25)
    state = train(optimizer, theta, [np.ones(1)])
    assert (theta[0], state.buffers["v"][0]) == (-1, 1)
    optimizer.step(theta, np.ones(1), state)
    assert (theta[0], state.buffers["v"][0]) == (-2.25, 1.25)


def test_the_two_families_of_momentum_part_when_the_rate_changes(backend):
    rate = lossref.StepDecay(initial=1.0, factor=0.1, every=5)
    last = []
    for inside in (False, True):
        theta = np.zeros(1)
        optimizer = SGD(lr=rate, momentum=0.9, lr_in_velocity=inside)
        state = train(optimizer, theta, [np.ones(1)] * 5)
        before = theta[0]
        optimizer.step(theta, np.ones(1), state)
        last.append(theta[0] - before)
    np.testing.assert_allclose(last, [-0.468559, -3.785590], atol=1e-6)


def test_decay_is_not_divided_by_the_root_in_adamw_and_is_in_adam(backend):
    params = {"large": np.ones(1), "small": np.ones(1)}
    for cls, equal in ((AdamW, True), (Adam, False)):
        shrunk = []
        for size in (100.0, 0.01):
            with_decay, without = np.ones(1), np.ones(1)
            for theta, decay in ((with_decay, 0.5), (without, 0.0)):
                train(cls(lr=0.5, weight_decay=decay, beta1=0.0), theta, [np.array([size]), np.array([-size])])
            shrunk.append(float(without[0] - with_decay[0]))
        assert np.isclose(*shrunk, rtol=0.05) == equal, (cls, shrunk)
    assert params["large"] == 1


@EVERY
def test_a_scale_multiplies_the_gradients_on_their_way_in(optimizer, way_in, rng):
    """A number that rounds, and a tensor longer than one block of the way in, at odd places; bit for bit."""
    for dtype, scale in itertools.product((np.dtype("f4"), np.dtype("f8")), (0.3, -2.0, 0.0, 1)):
        start = [rng.normal(size=n).astype(dtype) for n in (1051, 3)]
        plain, scaled = ([array.copy() for array in start] for _ in range(2))
        left, right = optimizer.init(plain), optimizer.init(scaled)
        for _ in range(2):
            grads = [rng.normal(size=x.shape).astype(dtype) for x in start]
            before = [g.copy() for g in grads]
            optimizer.step(plain, [g * dtype.type(scale) for g in grads], left)
            optimizer.step(scaled, grads, right, scale=scale)
            assert all((g == b).all() for g, b in zip(grads, before, strict=True))
        assert bits(plain, left) == bits(scaled, right)


@EACH
def test_a_scale_reaches_every_thread(optimizer, backend, dtype, rng, threads):
    start, g = rng.normal(size=(2, 80_001)).astype(dtype)
    found = []
    for n in (1, 2, 3):
        threads(n)
        theta = start.copy()
        state = optimizer.init(theta)
        optimizer.step(theta, g, state, scale=0.3)
        found.append(bits(theta, state))
    optimizer.step(start, g * dtype.type(0.3), state := optimizer.init(start))
    assert found == [bits(start, state)] * 3


@EACH
def test_a_scale_that_is_no_number_is_refused(optimizer, way_in):
    theta = np.ones(3)
    state = optimizer.init(theta)
    before = bits(theta, state)
    text = rf"^{type(optimizer).__name__}: scale must be a finite number, got .+ of type \w+"
    for error, scales in ((ValueError, (np.inf, -np.inf, np.nan)), (TypeError, ("2", True, [1], None))):
        for scale in scales:
            with pytest.raises(error, match=text):
                optimizer.step(theta, np.ones(3), state, scale=scale)
            assert bits(theta, state) == before


@EVERY
def test_the_rate_may_be_a_schedule_which_counts_from_zero(optimizer, backend, dtype, rng):
    rate = lossref.StepDecay(initial=0.5, factor=0.5, every=1)
    scheduled = rng.normal(size=4).astype(dtype)
    by_hand = scheduled.copy()
    grads = gradients(rng, 4, dtype, 4)
    train(dataclasses.replace(optimizer, lr=rate), scheduled, grads)
    state = optimizer.init(by_hand)
    for k, g in enumerate(grads):
        dataclasses.replace(optimizer, lr=0.5 / 2**k).step(by_hand, g, state)
    np.testing.assert_array_equal(scheduled, by_hand, strict=True)


@EVERY
def test_training_resumed_from_a_pickle_gives_the_same_bits(optimizer, backend, dtype, rng):
    start = {"w": rng.normal(size=(4, 5)).astype(dtype), "b": rng.normal(size=3).astype(dtype)}
    all_grads = [{k: rng.normal(size=v.shape).astype(dtype) for k, v in start.items()} for _ in range(6)]
    whole = {key: value.copy() for key, value in start.items()}
    expected = bits(whole, train(optimizer, whole, all_grads))
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        half = {key: value.copy() for key, value in start.items()}
        state = train(optimizer, half, all_grads[:3])
        saved = pickle.dumps((optimizer, half, state), protocol)
        restored, half, state = pickle.loads(saved)
        assert restored == optimizer
        assert bits(half, train(restored, half, all_grads[3:], state)) == expected


@EVERY
def test_a_nan_stays_in_its_element(optimizer, backend, dtype, rng):
    theta = rng.normal(size=40).astype(dtype)
    clean = theta.copy()
    grads = gradients(rng, 40, dtype, 3)
    train(optimizer, clean, grads)
    grads[1][17] = np.nan
    train(optimizer, theta, grads)
    assert np.isnan(theta[17])
    np.testing.assert_array_equal(np.delete(theta, 17), np.delete(clean, 17), strict=True)


@EACH
def test_strided_parameters_are_updated_through_their_strides(optimizer, backend, dtype, rng):
    memory = rng.normal(size=(6, 8)).astype(dtype)
    frame = memory.copy()
    views = [memory[::2, ::-2], memory[1::2, 1], memory[1::2, ::2].T]
    copies = [view.copy() for view in views]
    all_grads = [[rng.normal(size=x.shape).astype(dtype) for x in copies] for _ in range(3)]
    listed = train(optimizer, views, all_grads)
    train(optimizer, copies, all_grads)
    assert listed.step == 3
    for view, copy in zip(views, copies, strict=True):
        np.testing.assert_array_equal(view, copy, strict=True)
    np.testing.assert_array_equal(memory[1::2, 3::2], frame[1::2, 3::2], strict=True)


@EACH
def test_a_memory_map_is_trained_where_it_lies(optimizer, backend, dtype, tmp_path):
    mapped = np.memmap(tmp_path / "theta", dtype, "w+", shape=5)
    mapped[:] = 1
    plain = np.ones(5, dtype)
    for theta in (mapped, plain):
        train(optimizer, theta, [np.arange(5).astype(dtype)] * 2)
    np.testing.assert_array_equal(np.fromfile(tmp_path / "theta", dtype), plain)


@EACH
def test_gradients_are_converted_to_the_dtype_of_the_parameter(optimizer, backend, dtype):
    expected = np.ones(3, dtype)
    train(optimizer, expected, [np.array([1, 2, 3], dtype)])
    kinds = [[1, 2, 3], np.array([1, 2, 3]), np.array([1, 2, 3], np.float16), np.array([1.0, 2.0, 3.0], ">f8")]
    for g in [*kinds, np.array([1, 2, 3], np.float32), np.array([3.0, 2.0, 1.0])[::-1]]:
        theta = np.ones(3, dtype)
        train(optimizer, theta, [g])
        np.testing.assert_array_equal(theta, expected, strict=True)


@EACH
def test_no_parameters_at_all_still_count_the_step(optimizer, backend):
    for params in ([], {}, np.zeros(0), [np.zeros((3, 0), np.float32)]):
        assert train(optimizer, params, [params]).step == 1


def read_only(array):
    array.flags.writeable = False
    return array


#: What is wrong, the parameters, the error.
BAD_PARAMS = [
    ("number", 1.0, TypeError, r"params must be a numpy array, or a list or dict of them, got float"),
    ("None", None, TypeError, r"params must be a numpy array, or a list or dict of them, got NoneType"),
    ("numbers", [1.0, 2.0], TypeError, r"params\[0\] must be a numpy array, got float"),
    ("nested", [[np.ones(2)]], TypeError, r"params\[0\] must be a numpy array, got list"),
    ("integers", [np.ones(2), np.ones(2, int)], TypeError, r"params\[1\] has dtype int64, expected float32 or"),
    ("half", {"w": np.ones(2, np.float16)}, TypeError, r"params\['w'\] has dtype float16, expected float32 or"),
    ("complex", np.ones(2, complex), TypeError, r"params has dtype complex128, expected float32 or float64"),
    ("masked", np.ma.masked_array([1.0]), TypeError, r"params must be a numpy array, got MaskedArray"),
    ("matrix", [np.ones((1, 1)).view(np.matrix)], TypeError, r"params\[0\] must be a numpy array, got matrix"),
    ("big-endian", np.ones(2, ">f8"), ValueError, r"params must be native-endian and aligned; pass"),
    (
        "unaligned",
        np.zeros(17, np.uint8)[1:].view(np.float64),
        ValueError,
        r"params must be native-endian and aligned; pass",
    ),
    ("read-only", [np.ones(2), read_only(np.ones(2))], ValueError, r"params\[1\] is read-only; pass a writeable"),
    ("broadcast", np.lib.stride_tricks.as_strided(np.ones(1), (3,), (0,)), ValueError, r"params has elements "),
]


@pytest.mark.parametrize(
    ("params", "error", "text"), [row[1:] for row in BAD_PARAMS], ids=[row[0] for row in BAD_PARAMS]
)
@EACH
def test_parameters_that_cannot_be_updated_in_place_are_refused(optimizer, backend, params, error, text):
    with pytest.raises(error, match=f"^{type(optimizer).__name__}: {text}"):
        optimizer.step(params, params, optimizer.init([]))


@EACH
def test_parameters_that_share_memory_are_refused(optimizer, backend):
    memory = np.zeros(20)
    for first, second in ((memory, memory), (memory[:11], memory[9:]), (memory[::2], memory[4:8])):
        state = optimizer.init([first.copy(), second.copy()])
        with pytest.raises(ValueError, match=r"params\[1\] overlaps params\[0\]; pass arrays apart"):
            optimizer.init([first, second])
        with pytest.raises(ValueError, match=r"params\[1\] overlaps params\[0\]; pass arrays apart"):
            optimizer.step([first, second], [first.copy(), second.copy()], state)
    assert not memory.any()


def bad_calls():
    """Steps that fail: what to do to (params, grads, state) of two float64 tensors of shape (4,), and the error."""

    def swap(where, what):
        def change(call):
            call[where] = what(*call) if callable(what) else what

        return change

    def buffer(letter, what):
        def change(call):
            call[2].buffers[letter][1] = what(*call)

        return change

    other = lossref.SGD(lr=1.0, momentum=0.5, lr_in_velocity=True)
    return {
        "one gradient too few": (swap(1, lambda p, g, s: g[:1]), ValueError, r"grads has 1 tensors but params has 2"),
        "gradients in a dict": (swap(1, {"w": 1}), TypeError, r"grads must be a list, as params is, got dict"),
        "no gradients": (swap(1, None), TypeError, r"grads must be a list, as params is, got NoneType"),
        "a gradient is None": (swap(1, lambda p, g, s: [g[0], None]), TypeError, r"grads\[1\] is None; give an array"),
        "text": (swap(1, lambda p, g, s: [g[0], "abcd"]), TypeError, r"grads\[1\] has dtype <U4; convert it"),
        "shape": (
            swap(1, lambda p, g, s: [g[0], np.ones((4, 1))]),
            ValueError,
            r"grads\[1\] has shape \(4, 1\) but params\[1\] has shape \(4,\)",
        ),
        "gradient is parameter": (
            swap(1, lambda p, g, s: [g[0], p[0]]),
            ValueError,
            r"grads\[1\] overlaps params\[0\]",
        ),
        "gradient is buffer": (
            swap(1, lambda p, g, s: [s.buffers["v"][0], g[1]]),
            ValueError,
            r"grads\[0\] overlaps state.buffers\['v'\]\[0\]",
        ),
        "buffer is parameter": (
            buffer("v", lambda p, g, s: p[1]),
            ValueError,
            r"state.buffers\['v'\]\[1\] overlaps params",
        ),
        "buffer of another shape": (
            buffer("v", lambda p, g, s: np.zeros(3)),
            ValueError,
            r"state.buffers\['v'\]\[1\] has shape \(3,\) but params\[1\] has shape \(4,\)",
        ),
        "buffer of another dtype": (
            buffer("v", lambda p, g, s: np.zeros(4, np.float32)),
            ValueError,
            r"state.buffers\['v'\]\[1\] has dtype float32 but params\[1\] has dtype float64",
        ),
        "buffer is read-only": (
            buffer("v", lambda p, g, s: read_only(np.zeros(4))),
            ValueError,
            r"state.buffers\['v'\]\[1\] is read-only; pass a writeable array",
        ),
        "state is None": (swap(2, None), TypeError, r"state must be what init\(params\) returned, got NoneType"),
        "state of another": (
            swap(2, lambda p, g, s: other.init(p)),
            ValueError,
            r"state belongs to SGD\(lr_in_velocity=True\), not to \w+; make one with init\(params\)",
        ),
        "state of fewer tensors": (
            swap(
                2,
                lambda p, g, s: type(s)(
                    optimizer=s.optimizer, step=0, buffers={k: b[:1] for k, b in s.buffers.items()}
                ),
            ),
            ValueError,
            r"state.buffers\['\w+'\] has 1 tensors but params has 2",
        ),
        "state without buffers": (
            swap(2, lambda p, g, s: type(s)(optimizer=s.optimizer, step=0, buffers={})),
            ValueError,
            r"state keeps nothing but these settings need [mv_a-z, ]+; make one with init",
        ),
        "negative counter": (
            swap(2, lambda p, g, s: type(s)(optimizer=s.optimizer, step=-1, buffers=s.buffers)),
            ValueError,
            r"state.step must be an integer >= 0, got -1",
        ),
    }


@pytest.mark.parametrize("case", bad_calls())
@EACH
def test_a_step_that_is_refused_changes_nothing(optimizer, backend, case):
    change, error, text = bad_calls()[case]
    params = [np.arange(4.0), np.arange(4.0) + 1]
    state = train(optimizer, params, [[np.ones(4), np.ones(4)]])
    call = [params, [np.ones(4), np.ones(4)], state]
    before = bits(params, state)
    kept = {letter: list(row) for letter, row in state.buffers.items()}
    change(call)
    with pytest.raises(error, match=f"^{type(optimizer).__name__}: {text}"):
        optimizer.step(*call)
    state.buffers.update(kept)
    assert bits(params, state) == before


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timer on this system")
def test_an_interrupt_finds_a_step_whole_or_not_begun(backend):
    def interrupt(*_):
        raise KeyboardInterrupt

    optimizer = SGD(lr=2.0**-10, momentum=0.5)
    memory = np.zeros((60, 2000))
    params = [*memory[::2], *memory[1::2, ::2]]  # every second one through its strides
    grads = [np.ones(x.shape) for x in params]
    expected = [(0.0, 0.0)]
    while len(expected) < 20_000:
        theta, v = expected[-1]
        v = 0.5 * v + 1
        expected.append((theta - 2.0**-10 * v, v))
    state = optimizer.init(params)
    before = signal.signal(signal.SIGALRM, interrupt)
    gc.disable()  # in a callback of the collector (Hypothesis has one) the interrupt would be lost
    try:
        for k in range(40):
            try:
                signal.setitimer(signal.ITIMER_REAL, 1e-4 * (1 + k))
                while state.step < len(expected) - 1:
                    optimizer.step(params, grads, state)
            except KeyboardInterrupt:
                pass
            theta, v = expected[state.step]
            assert all((x == theta).all() for x in params)
            assert all((x == v).all() for x in state.buffers["v"])
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        gc.enable()
    assert state.step > 0


def test_structures_of_other_keys_are_refused_by_name(backend):
    params = {"w": np.ones(2), "b": np.ones(1)}
    optimizer = SGD(lr=0.1)
    state = optimizer.init(params)
    for grads, text in (
        ({"w": np.ones(2)}, r"^SGD: grads has no 'b' but params has"),
        ({**params, "c": 1}, r"^SGD: grads has 'c' but params has not"),
    ):
        with pytest.raises(ValueError, match=text):
            optimizer.step(params, grads, state)
    assert state.step == 0


def test_interleaved_views_of_one_array_are_apart(backend):
    memory = np.ones(10)
    train(SGD(lr=0.5), [memory[::2], memory[1::2]], [[np.ones(5), np.zeros(5)]])
    np.testing.assert_array_equal(memory, [0.5, 1] * 5)


#: Every class that divides by something to which eps is added, and where it is added.
DIVIDING = [
    cls(eps_placement=place)
    for cls in registry.formulas("optimizers")
    if hasattr(cls, "eps_placement")
    for place in ("outside", "inside")
]


@pytest.mark.parametrize("optimizer", DIVIDING, ids=repr)
def test_the_smallest_eps_of_single_precision_keeps_a_zero_gradient_from_being_divided_by_zero(optimizer, backend):
    """Inside the root as well: what must not vanish there is eps, not its root, which would be 4e-23."""
    theta = np.ones(20, np.float32)
    train(dataclasses.replace(optimizer, eps=2.0**-149, weight_decay=0.0), theta, [np.zeros(20, np.float32)] * 2)
    np.testing.assert_array_equal(theta, np.ones(20, np.float32))
    vanishing = dataclasses.replace(optimizer, eps=2.0**-150)
    with pytest.raises(ValueError, match=rf"^{type(optimizer).__name__}: eps is 0 in float32, the dtype of params"):
        vanishing.init(theta)
    train(vanishing, np.ones(20), [np.zeros(20)])


def test_an_eps_that_single_precision_cannot_hold_is_refused(backend):
    optimizer = Adam(eps=1e-46)
    train(optimizer, np.ones(2), [np.ones(2)])
    with pytest.raises(ValueError, match=r"^Adam: eps is 0 in float32, the dtype of params\[1\]; choose"):
        optimizer.init([np.ones(2), np.ones(2, np.float32)])
    state = optimizer.init([np.ones(2)])
    state.buffers = {letter: [np.zeros(2, np.float32)] for letter in "mv"}
    with pytest.raises(ValueError, match=r"^Adam: eps is 0 in float32, the dtype of params\[0\]; choose"):
        optimizer.step([np.ones(2, np.float32)], [np.ones(2, np.float32)], state)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"nesterov": True}, r"nesterov needs momentum > 0 and dampening = 0, got momentum=0.0, dampening=0.0"),
        ({"nesterov": True, "momentum": 0.9, "dampening": 0.1}, r"nesterov needs momentum > 0 and dampening = 0"),
        ({"dampening": 0.1}, r"dampening needs momentum > 0, got dampening=0.1, momentum=0.0"),
        ({"lr": 0}, r"lr must be a number > 0 or a schedule, got 0"),
        ({"lr": -1.0}, r"lr must be a number > 0 or a schedule, got -1.0"),
        ({"momentum": 1.0}, r"momentum must be a number in \[0, 1\), got 1.0"),
        ({"weight_decay": float("nan")}, r"weight_decay must be a number >= 0, got nan"),
    ],
)
def test_settings_out_of_range_are_refused_at_construction(settings, text):
    with pytest.raises(ValueError, match=f"^SGD: {text}"):
        SGD(**({"lr": 0.1} | settings))


def test_a_rate_of_the_wrong_kind_is_refused():
    for rate in (True, "0.1", None, lambda t: 0.1):
        with pytest.raises(TypeError, match=r"^SGD: lr must be a number > 0 or a schedule, got .+ of type \w+"):
            SGD(lr=rate)


@EVERY
def test_a_repr_rebuilds_its_optimizer(optimizer):
    assert eval(repr(optimizer), PUBLIC) == optimizer


@EVERY
def test_the_latex_names_every_quantity_it_updates(optimizer):
    text = optimizer._repr_latex_()
    assert text.count(r"\leftarrow") == 1 + len(optimizer.expression()) - 1
    assert r"\theta &\leftarrow" in text
