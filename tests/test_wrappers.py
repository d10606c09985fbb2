"""Laws of the wrappers: whatever optimizer is inside takes its own steps, and what is around them is its definition."""

import copy
import pickle
from fractions import Fraction

import numpy as np
import pytest

import lossref
from lossref import EMA, SAM, SGD, Adam, AdamW, Lookahead, _backend, registry

PUBLIC = {name: getattr(lossref, name) for name in lossref.__all__}
SAMPLES = registry.samples("optimizers")
WRAPPED = [
    EMA(AdamW(lr=0.5, weight_decay=0.5), decay=0.75),
    EMA(SGD(lr=0.5, momentum=0.5), weights="uniform"),
    Lookahead(Adam(lr=0.5), k=3, alpha=0.3),
    EMA(Lookahead(SGD(lr=0.5), k=2), decay=0.5),
    SAM(SGD(lr=0.5, momentum=0.5), rho=0.7),
    SAM(EMA(Adam(lr=0.5), decay=0.5), rho=0.7),
]
EVERY = pytest.mark.parametrize("wrapper", WRAPPED, ids=repr)
SHAPES = {"w": (4, 5), "b": (3,), "long": (2051,), "c": ()}


def tensors(rng, dtype):
    return {key: np.array(rng.normal(size=shape), dtype) for key, shape in SHAPES.items()}


def copied(params):
    return {key: value.copy() for key, value in params.items()}


def train(wrapper, params, all_grads, state=None, **more):
    state = wrapper.init(params) if state is None else state
    for grads in all_grads:
        if isinstance(wrapper, SAM):
            wrapper.ascend(params, grads, state)
            grads = {key: g - 0.5 * params[key] for key, g in grads.items()}
        wrapper.step(params, grads, state, **more)
    return state


def bits(params, state):
    """Everything a step writes, as bytes, of the states inside too."""
    trees = [params, *(state.buffers[letter] for letter in sorted(state.buffers))]
    inside = () if state.inner is None else bits(params, state.inner)
    return state.step, b"".join(array.tobytes() for tree in trees for array in tree.values()), inside


def exactly(array):
    return [Fraction(float(x)) for x in np.ravel(array)]


@pytest.mark.parametrize("optimizer", SAMPLES, ids=repr)
def test_under_an_average_every_optimizer_takes_its_own_steps(optimizer, backend, rng):
    alone, under = rng.normal(size=(2, 1, 7)).repeat(2, axis=1)[0]
    under[:] = alone
    averaging = EMA(optimizer)
    states = optimizer.init(alone), averaging.init(under)
    for g in rng.normal(size=(4, 7)):
        optimizer.step(alone, g, states[0], scale=0.3)
        averaging.step(under, g, states[1], scale=0.3)
    np.testing.assert_array_equal(under, alone, strict=True)
    assert states[1].inner.step == states[1].step == 4


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.75, 0.999])
def test_an_exponential_average_weighs_the_past_by_powers_of_its_decay(decay, backend, dtype, rng):
    """Exactly: the sum of d^(t-s) times the parameters after step s, over the sum of the weights. Never the start."""
    wrapper, theta, path = EMA(SGD(lr=0.5), decay=decay), rng.normal(size=5).astype(dtype), []
    theta += 100
    state, d = wrapper.init(theta), Fraction(decay)
    for t in range(1, 21):
        wrapper.step(theta, rng.normal(size=5).astype(dtype), state)
        path.append(exactly(theta))
        weights = [d ** (t - s) for s in range(1, t + 1)]
        mean = [sum(w * x for w, x in zip(weights, xs, strict=True)) / sum(weights) for xs in zip(*path, strict=True)]
        np.testing.assert_allclose(
            state.buffers["average"], [float(x) for x in mean], rtol=2 * t * np.finfo(dtype).eps, atol=0
        )


def test_a_uniform_average_is_the_mean_of_all_parameters_after_a_step(backend, dtype, rng):
    wrapper, theta, path = EMA(SGD(lr=0.5), weights="uniform"), 100 + rng.normal(size=5).astype(dtype), []
    state = wrapper.init(theta)
    for t in range(1, 31):
        wrapper.step(theta, rng.normal(size=5).astype(dtype), state)
        path.append(exactly(theta))
        mean = [float(sum(xs) / t) for xs in zip(*path, strict=True)]
        np.testing.assert_allclose(state.buffers["average"], mean, rtol=2 * t * np.finfo(dtype).eps, atol=0)


def test_in_float32_an_average_of_long_memory_stands_still_at_three_digits(backend):
    wrapper = EMA(SGD(lr=1.0), decay=0.9999)
    for away, moves in ((2e-4, False), (1e-3, True)):
        theta = np.ones(1, np.float32)
        state = wrapper.init(theta)
        state.step = state.inner.step = 10**6
        wrapper.step(theta, np.array([-away]), state)
        assert (state.buffers["average"][0] != 1) == moves


@EVERY
def test_every_backend_gives_the_same_bits(wrapper, dtype, rng):
    start, all_grads = tensors(rng, dtype), [tensors(rng, dtype) for _ in range(7)]
    for grads in all_grads:
        grads["w"][0] = 0
    found = []
    for name in _backend.available():
        with lossref.use_backend(name):
            params = copied(start)
            found.append(bits(params, train(wrapper, params, all_grads, scale=0.3)))
    assert found.count(found[0]) == len(found)


@EVERY
def test_training_resumed_from_a_pickle_gives_the_same_bits(wrapper, backend, dtype, rng):
    start, all_grads = tensors(rng, dtype), [tensors(rng, dtype) for _ in range(8)]
    whole = copied(start)
    expected = bits(whole, train(wrapper, whole, all_grads))
    for cut in (1, 4):
        half = copied(start)
        state = train(wrapper, half, all_grads[:cut])
        restored, half, state = pickle.loads(pickle.dumps((wrapper, half, state)))
        assert restored == wrapper
        assert bits(half, train(restored, half, all_grads[cut:], state)) == expected


@EVERY
def test_a_list_an_array_and_strided_parameters_take_the_same_steps(wrapper, backend, dtype, rng):
    if isinstance(wrapper, SAM):
        pytest.skip("its climb has the length of all tensors together")
    start, all_grads = rng.normal(size=(2, 6)).astype(dtype), rng.normal(size=(5, 2, 6)).astype(dtype)
    memory = np.zeros((2, 12), dtype)
    listed, strided = list(start.copy()), memory[:, ::2]
    strided[:] = start
    for params, grads in ((start, all_grads), (listed, list(map(list, all_grads))), (strided, all_grads)):
        state = wrapper.init(params)
        for each in grads:
            wrapper.step(params, each, state)
    np.testing.assert_array_equal(listed, start, strict=True)
    np.testing.assert_array_equal(strided, start, strict=True)
    assert not memory[:, 1::2].any()


def test_groups_may_be_inside(backend, rng):
    grouped = SGD(lr=0.5, weight_decay=0.5).with_groups({"b": {"weight_decay": 0.0}})
    wrapper = EMA(grouped, decay=0.0)
    params = {"w": np.ones(2), "b": np.ones(1)}
    state = wrapper.init(params)
    wrapper.step(params, {"w": np.zeros(2), "b": np.zeros(1)}, state)
    assert (params["w"].tolist(), params["b"].tolist()) == ([0.75, 0.75], [1.0])
    assert state.buffers["average"]["w"].tolist() == [0.75, 0.75]


def test_an_average_is_swapped_in_and_out_without_loss(backend, dtype, rng):
    wrapper, params = EMA(Adam(lr=0.5), decay=0.9), tensors(rng, dtype)
    state = train(wrapper, params, [tensors(rng, dtype) for _ in range(3)])
    before, average = bits(params, state), copied(state.buffers["average"])
    with pytest.raises(ZeroDivisionError), wrapper.averaged(params, state) as evaluated:  # noqa: PT012
        assert all((evaluated[key] == average[key]).all() and evaluated[key] is params[key] for key in params)
        with pytest.raises(ValueError, match=r"^EMA: the average is swapped in; swap\(params, state\) once more"):
            wrapper.step(params, tensors(rng, dtype), state)
        saved = pickle.dumps((params, state))
        1 / 0  # noqa: B018
    assert bits(params, state) == before
    params, state = pickle.loads(saved)
    wrapper.swap(params, state)
    assert bits(params, state) == before


def test_lookahead_goes_part_of_the_way_after_every_k_steps(backend, dtype, rng):
    for k in (1, 2, 5):
        wrapper, theta = Lookahead(SGD(lr=0.5), k=k, alpha=0.25), rng.normal(size=6).astype(dtype)
        state, fast, slow = wrapper.init(theta), exactly(theta), exactly(theta)
        for t, g in enumerate(rng.normal(size=(20, 6)).astype(dtype), 1):
            wrapper.step(theta, g, state)
            fast = [x - Fraction(1, 2) * d for x, d in zip(fast, exactly(g), strict=True)]
            if t % k == 0:
                fast = slow = [x + Fraction(1, 4) * (y - x) for x, y in zip(slow, fast, strict=True)]
            for found, exact in ((theta, fast), (state.buffers["slow"], slow)):
                np.testing.assert_allclose(found, [float(x) for x in exact], rtol=0, atol=8 * t * np.finfo(dtype).eps)


def test_sam_climbs_by_rho_straight_up_and_comes_back_to_the_bit(backend, dtype, rng):
    """Over the norm of all tensors together, whatever the size of the gradient."""
    for size in (1.0, 1e-20, 1e20):
        wrapper, params = SAM(SGD(lr=0.5), rho=0.25), tensors(rng, dtype)
        grads = {key: np.array(g * size, dtype) for key, g in tensors(rng, dtype).items()}
        state, before = wrapper.init(params), copied(params)
        wrapper.ascend(params, grads, state)
        norm = np.sqrt(sum(float(np.sum((g / dtype.type(size)).astype(np.float64) ** 2)) for g in grads.values()))
        for key, g in grads.items():
            up = before[key] + 0.25 * (g / dtype.type(size)) / norm
            np.testing.assert_allclose(params[key], up, rtol=0, atol=8 * np.finfo(dtype).eps)
        params, state = pickle.loads(pickle.dumps((params, state)))
        wrapper.step(params, {key: np.zeros_like(g) for key, g in grads.items()}, state)
        assert all((params[key] == before[key]).all() for key in params)


def test_where_there_is_no_direction_sam_does_not_climb_and_a_nan_stays_in_its_element(backend, dtype, rng):
    wrapper, start = SAM(SGD(lr=0.5)), rng.normal(size=9).astype(dtype)
    for g in (
        np.zeros(9),
        np.full(9, 1e-40),
        np.where(np.arange(9) == 4, np.nan, 1),
        np.where(np.arange(9) == 4, np.inf, 1),
    ):
        theta, g = start.copy(), g.astype(dtype)
        state = wrapper.init(theta)
        wrapper.ascend(theta, g, state)
        spoiled = np.arange(9) == 4 if not np.isfinite(g).all() else np.zeros(9, bool)
        np.testing.assert_array_equal(np.isnan(theta), spoiled)
        np.testing.assert_array_equal(theta[~spoiled], start[~spoiled], strict=True)
        wrapper.step(theta, np.zeros(9, dtype), state)
        np.testing.assert_array_equal(theta, start, strict=True)


def test_calls_of_sam_out_of_turn_are_refused_and_change_nothing(backend, rng):
    wrapper, theta, g = SAM(Adam()), rng.normal(size=3), rng.normal(size=3)
    state = wrapper.init(theta)
    with pytest.raises(ValueError, match=r"^SAM: call ascend first, and compute the gradients where it has moved"):
        wrapper.step(theta, g, state)
    wrapper.ascend(theta, g, state)
    before = bits({"": theta}, as_tree(state))
    with pytest.raises(ValueError, match=r"^SAM: ascend was called before; compute the gradients here and call step"):
        wrapper.ascend(theta, g, state)
    with pytest.raises(ValueError, match=r"^SAM: scale must be a finite number"):
        wrapper.step(theta, g, state, scale=np.nan)
    assert bits({"": theta}, as_tree(state)) == before


def as_tree(state):
    """A copy of the state of a single array, as that of a dict."""
    found = copy.copy(state)
    found.buffers = {letter: {"": buffer} for letter, buffer in state.buffers.items()}
    found.inner = None if state.inner is None else as_tree(state.inner)
    return found


def test_a_step_that_ctrl_c_cut_short_is_made_up_for(backend, dtype, rng):
    """Ctrl-C between the two passes leaves the state inside one step ahead."""
    for wrapper in (EMA(SGD(lr=0.5), decay=0.5), Lookahead(SGD(lr=0.5), k=3)):
        start, all_grads = rng.normal(size=4).astype(dtype), rng.normal(size=(6, 4)).astype(dtype)
        for cut in range(5):
            whole, broken = start.copy(), start.copy()
            states = wrapper.init(whole), wrapper.init(broken)
            for t, g in enumerate(all_grads):
                wrapper.step(whole, g, states[0])
                if t == cut:
                    wrapper.optimizer.step(broken, g, states[1].inner)
                else:
                    wrapper.step(broken, g, states[1])
            assert bits({"": whole}, as_tree(states[0])) == bits({"": broken}, as_tree(states[1]))


#: What is wrong, what to do to (params, grads, state), the error.
BAD_CALLS = [
    (
        "state of the optimizer inside",
        lambda p, g, s: (p, g, s.inner),
        ValueError,
        r"\w+: state belongs to SGD, n",
    ),
    ("no state", lambda p, g, s: (p, g, None), TypeError, r"\w+: state must be what init\(params\) returned, got None"),
    (
        "one gradient too few",
        lambda p, g, s: (p, {"w": g["w"]}, s),
        ValueError,
        r"\w+: grads has no 'b' but p",
    ),
    ("text", lambda p, g, s: (p, g | {"b": "abc"}, s), TypeError, r"\w+: grads\['b'\] has dtype <U3; convert it"),
    ("nothing inside", lambda p, g, s: (p, g, without_inner(s)), TypeError, r"SGD: state must be what init\(params\) "),
    ("buffers gone", lambda p, g, s: (p, g, without_buffers(s)), ValueError, r"\w+: state keeps nothing but these set"),
    ("inside of another", lambda p, g, s: (p, g, with_other(s, p)), ValueError, r"SGD: state belongs to Adam, not to"),
]


def without_inner(state):
    state.inner = None
    return state


def without_buffers(state):
    state.buffers = {}
    return state


def with_other(state, params):
    state.inner = Adam().init(params)
    return state


@pytest.mark.parametrize(("change", "error", "text"), [r[1:] for r in BAD_CALLS], ids=[r[0] for r in BAD_CALLS])
def test_a_step_that_is_refused_changes_nothing(backend, change, error, text):
    for wrapper in (EMA(SGD(lr=0.5)), Lookahead(SGD(lr=0.5), k=1), SAM(SGD(lr=0.5))):
        params, grads = {"w": np.ones(2), "b": np.ones(3)}, {"w": np.ones(2), "b": np.ones(3)}
        state = train(wrapper, params, [grads])
        call = change(params, grads, copy.copy(state))
        before = bits(params, state)
        for method in (wrapper.step, getattr(wrapper, "ascend", wrapper.step)):
            with pytest.raises(error, match=f"^{text}"):
                method(*call)
        assert bits(params, state) == before


def test_a_swap_that_is_refused_changes_nothing(backend):
    wrapper, params = EMA(SGD(lr=0.5)), {"w": np.ones(2)}
    state = train(wrapper, params, [{"w": np.ones(2)}])
    before = bits(params, state)
    for given, kept, error, text in (
        ({"v": np.ones(2)}, state, ValueError, r"state.buffers\['average'\] has no 'v' but params has"),
        ({"w": np.ones(3)}, state, ValueError, r"state.buffers\['average'\]\['w'\] has shape \(2,\) but params\['w'\]"),
        ({"w": np.ones(2, np.float32)}, state, ValueError, r"state.buffers\['average'\]\['w'\] has dtype float64 but"),
        (state.buffers["average"], state, ValueError, r"state.buffers\['average'\]\['w'\] overlaps params\['w'\]"),
        (params, state.inner, ValueError, r"state belongs to SGD, not to EMA\(SGD\)"),
        (params, None, TypeError, r"state must be what init\(params\) returned, got NoneType"),
    ):
        with pytest.raises(error, match=f"^EMA: {text}"):
            wrapper.swap(given, kept)
    assert bits(params, state) == before


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (
            lambda: EMA(0.1),
            TypeError,
            r"EMA: optimizer must be an optimizer that steps by one gradient",
        ),
        (lambda: EMA(lossref.LBFGS()), TypeError, r"EMA: optimizer must be an optimizer that steps by one gradient"),
        (lambda: EMA(SAM(SGD(lr=1.0))), TypeError, r"EMA: optimizer must be an optimizer that steps by one gradient"),
        (lambda: EMA(Adam(), decay=1.0), ValueError, r"EMA: decay must be a number in \[0, 1\), got 1.0"),
        (lambda: EMA(Adam(), weights="all"), ValueError, r"EMA: weights must be 'exponential' or 'uniform', got 'all'"),
        (lambda: Lookahead(Adam(), k=0), ValueError, r"Lookahead: k must be an integer >= 1, got 0"),
        (lambda: Lookahead(Adam(), k=2.0), TypeError, r"Lookahead: k must be an integer >= 1, got 2.0 of type float"),
        (lambda: Lookahead(Adam(), alpha=0), ValueError, r"Lookahead: alpha must be a number in \(0, 1\], got 0"),
        (lambda: SAM(Adam(), rho=-1), ValueError, r"SAM: rho must be a number > 0, got -1"),
    ],
)
def test_settings_out_of_range_are_refused_at_construction(make, error, text):
    with pytest.raises(error, match=f"^{text}"):
        make()


@EVERY
def test_a_repr_rebuilds_its_wrapper(wrapper):
    assert eval(repr(wrapper), PUBLIC) == wrapper
