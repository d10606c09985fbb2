"""Laws of groups: every tensor is stepped by the settings of its group, and by nothing else."""

import dataclasses
import pickle

import numpy as np
import pytest

import lossref
from lossref import SGD, AdaGrad, Adam, AdamW, RMSprop, _backend, registry
from lossref.optimizers import Grouped

#: What can be different in a group without a change of the state.
CHANGED = {"lr": 0.25, "weight_decay": 0.75, "beta1": 0.25, "eps": 0.5, "momentum": 0.25}
SAMPLES = registry.samples("optimizers")
EVERY = pytest.mark.parametrize("optimizer", SAMPLES, ids=repr)
PUBLIC = {name: getattr(lossref, name) for name in lossref.__all__}
SHAPES = {"w": (4, 5), "b": (3,), "long": (2051,), "c": ()}


def different(optimizer):
    """Settings that the optimizer has and that leave its state what it is."""
    found = {name: value for name, value in CHANGED.items() if getattr(optimizer, name, 0) not in (0, value)}
    return found | {"lr": 0.25}


def tensors(rng, dtype):
    return {key: np.array(rng.normal(size=shape), dtype) for key, shape in SHAPES.items()}


def train(optimizer, params, all_grads, state=None, **more):
    state = optimizer.init(params) if state is None else state
    for grads in all_grads:
        optimizer.step(params, grads, state, **more)
    return state


def same(left, right):
    return all(left[key].tobytes() == right[key].tobytes() for key in SHAPES)


def same_state(left, right):
    return left.step == right.step and all(same(left.buffers[letter], right.buffers[letter]) for letter in left.buffers)


@EVERY
def test_a_step_of_groups_is_separate_steps_bit_for_bit(optimizer, backend, dtype, rng):
    settings = different(optimizer)
    grouped = optimizer.with_groups({("b", "long"): settings, "c": {"lr": 0.125}})
    start, all_grads = tensors(rng, dtype), [tensors(rng, dtype) for _ in range(4)]
    params = {key: value.copy() for key, value in start.items()}
    listed = [value.copy() for value in start.values()]
    state = train(grouped, params, all_grads, scale=0.3)
    by_index = optimizer.with_groups({(1, 2): settings, 3: {"lr": 0.125}})
    train(by_index, listed, [list(grads.values()) for grads in all_grads], scale=0.3)
    rules = dict.fromkeys(SHAPES, optimizer)
    rules |= dict.fromkeys(("b", "long"), dataclasses.replace(optimizer, **settings))
    rules["c"] = dataclasses.replace(optimizer, lr=0.125)
    for place, (key, rule) in enumerate(rules.items()):
        alone = start[key].copy()
        kept = train(rule, alone, [grads[key] for grads in all_grads], scale=0.3)
        np.testing.assert_array_equal(params[key], alone, strict=True)
        np.testing.assert_array_equal(listed[place], alone, strict=True)
        for letter, buffer in kept.buffers.items():
            np.testing.assert_array_equal(state.buffers[letter][key], buffer, strict=True)
    assert state.step == 4


def test_a_group_may_choose_another_kernel_of_the_same_state(backend, dtype, rng):
    for optimizer, settings in (
        (SGD(lr=0.5, momentum=0.5), {"nesterov": True}),
        (Adam(lr=0.5), {"eps_placement": "inside"}),
        (AdaGrad(lr=0.5), {"eps_placement": "inside", "initial_accumulator": 0.5}),
        (RMSprop(lr=0.5, momentum=0.5, centered=True), {"eps_placement": "inside", "rho": 0.5}),
    ):
        params, grads = [tensors(rng, dtype)["w"] for _ in range(2)], [[tensors(rng, dtype)["w"]] * 2 for _ in range(3)]
        expected = [params[0].copy(), params[1].copy()]
        train(optimizer.with_groups({1: settings}), params, grads)
        for x, rule, k in ((expected[0], optimizer, 0), (expected[1], dataclasses.replace(optimizer, **settings), 1)):
            train(rule, x, [row[k] for row in grads])
            np.testing.assert_array_equal(params[k], x, strict=True)


@EVERY
def test_a_state_moves_between_grouped_and_ungrouped(optimizer, backend, dtype, rng):
    """With a group that differs in nothing, every second step may be the other's."""
    grouped = optimizer.with_groups({("w", "c"): {"lr": optimizer.lr}})
    start, all_grads = tensors(rng, dtype), [tensors(rng, dtype) for _ in range(4)]
    mixed, plain = ({key: value.copy() for key, value in start.items()} for _ in range(2))
    state = grouped.init(mixed)
    for k, grads in enumerate(all_grads):
        (optimizer if k % 2 else grouped).step(mixed, grads, state)
    expected = train(optimizer, plain, all_grads)
    assert same(mixed, plain)
    assert same_state(state, expected)
    assert state.optimizer == expected.optimizer


def test_groups_pickled_in_the_middle_give_the_same_bits(backend, dtype, rng):
    optimizer = AdamW(lr=0.5).with_groups({"b": {"lr": lossref.Cosine(peak=0.5, steps=9)}, ("c", "w"): {"eps": 0.5}})
    start, all_grads = tensors(rng, dtype), [tensors(rng, dtype) for _ in range(6)]
    whole = {key: value.copy() for key, value in start.items()}
    expected = train(optimizer, whole, all_grads)
    half = {key: value.copy() for key, value in start.items()}
    saved = pickle.dumps((optimizer, half, train(optimizer, half, all_grads[:3])))
    restored, half, state = pickle.loads(saved)
    assert restored == optimizer
    assert hash(restored) == hash(optimizer)
    assert same_state(train(restored, half, all_grads[3:], state), expected)
    assert same(half, whole)


def test_a_repr_rebuilds_the_groups():
    for groups in (
        {},
        {"b": {}},
        {0: {"lr": lossref.Cosine(peak=0.5, steps=9)}, (2, 1): {"eps": 0.5, "eps_placement": "inside"}},
        {(("layer", 1),): {"weight_decay": 0}},
    ):
        grouped = AdamW(lr=0.5).with_groups(groups)
        assert isinstance(grouped, Grouped)
        assert eval(repr(grouped), PUBLIC) == grouped
        assert grouped == AdamW(lr=0.5).with_groups(dict(groups))
    assert repr(SGD(lr=1.0).with_groups({"b": {"lr": 1}})).endswith(".with_groups({'b': {'lr': 1.0}})")
    assert AdamW().with_groups({"b": {"lr": 1}}) != AdamW().with_groups({"b": {"lr": 2}})
    with pytest.raises(dataclasses.FrozenInstanceError):
        grouped.groups = ()


@pytest.mark.parametrize(
    ("optimizer", "groups", "error", "text"),
    [
        (AdamW(), [("b", {})], TypeError, r"AdamW: groups must be a dict of dicts, got list"),
        (AdamW(), {"b": 0.1}, TypeError, r"AdamW: the settings of 'b' must be a dict, got float"),
        (AdamW(), {"b": {"rate": 0.1}}, TypeError, r"AdamW: 'rate' of 'b' is no hyper-parameter; there is lr, beta1"),
        (AdamW(), {"b": {"lr": -1}}, ValueError, r"AdamW: lr must be a number > 0 or a schedule, got -1"),
        (AdamW(), {"b": {"lr": "1"}}, TypeError, r"AdamW: lr must be a number > 0 or a schedule, got '1' of type str"),
        (AdamW(), {"b": {}, ("a", "b"): {}}, ValueError, r"AdamW: groups has 'b' twice; leave it in one group"),
        (AdamW(), {("b", "b"): {}}, ValueError, r"AdamW: groups has 'b' twice; leave it in one group"),
        (AdamW(), {(): {"lr": 1}}, ValueError, r"AdamW: a group of no parameters has the settings \{'lr': 1\}; name"),
        (AdamW(), {("a", "b"): {"amsgrad": True}}, ValueError, r"AdamW: with amsgrad=True the state of 'a', 'b' would"),
        (SGD(lr=1.0), {"b": {"momentum": 0.5}}, ValueError, r"SGD: with momentum=0.5 the state of 'b' would not be th"),
        (
            SGD(lr=1.0, momentum=0.5),
            {"b": {"lr_in_velocity": True}},
            ValueError,
            r"SGD: with lr_in_velocity=True the state of 'b' would not be that of the other parameters; choose for all",
        ),
    ],
    ids=str,
)
def test_groups_that_cannot_be_are_refused_at_construction(optimizer, groups, error, text):
    with pytest.raises(error, match=f"^{text}"):
        optimizer.with_groups(groups)


def test_a_step_that_is_refused_for_one_group_changes_nothing(backend):
    """Whatever is wrong, wherever it is: with the parameters of a group, or of none, or with a group's own settings."""
    vanishing = AdamW(lr=0.5).with_groups({"b": {"eps": 1e-46}})

    broken = lossref.Cosine(peak=0.5, steps=9)
    object.__setattr__(broken, "_kernel", "none")
    cases = [
        (AdamW().with_groups({"x": {}}), {}, {}, ValueError, r"AdamW: groups has 'x' but params has not"),
        (
            AdamW().with_groups({"b": {}}),
            {"b": np.ones(3, int)},
            {},
            TypeError,
            r"AdamW: params\['b'\] has dtype int64",
        ),
        (
            AdamW().with_groups({"w": {}}),
            {},
            {"b": np.ones(2)},
            ValueError,
            r"AdamW: grads\['b'\] has shape \(2,\) but",
        ),
        (
            AdamW().with_groups({"b": {}}),
            {},
            {"b": np.ones(2)},
            ValueError,
            r"AdamW: grads\['b'\] has shape \(2,\) but",
        ),
        (AdamW().with_groups({"b": {"lr": broken}}), {}, {}, KeyError, "none"),
        (
            vanishing,
            {"b": np.ones(3, np.float32)},
            {},
            ValueError,
            r"AdamW: eps is 0 in float32, the dtype of params\['b",
        ),
    ]
    for optimizer, other_params, other_grads, error, text in cases:
        params = {"w": np.ones(2), "b": np.ones(3), "c": np.ones(1)}
        state = AdamW().init(params)
        AdamW().step(params, params | {key: value.copy() for key, value in params.items()}, state)
        given = params | other_params
        before = pickle.dumps((params, other_params, state.buffers, state.step))
        with pytest.raises(error, match=text):
            optimizer.step(given, {key: np.ones(value.shape) for key, value in given.items()} | other_grads, state)
        assert pickle.dumps((params, other_params, state.buffers, state.step)) == before


def test_an_eps_that_vanishes_in_float32_is_allowed_where_all_are_float64(backend):
    optimizer = Adam(lr=0.5, eps=1e-46).with_groups({0: {"eps": 1e-8}})
    params = [np.ones(2, np.float32), np.ones(2)]
    train(optimizer, params, [[np.ones(2, np.float32), np.ones(2)]])
    np.testing.assert_allclose(params[0], 0.5)
    np.testing.assert_allclose(params[1], 0.5)
    with pytest.raises(ValueError, match=r"^Adam: eps is 0 in float32, the dtype of params\[1\]; choose"):
        optimizer.init([np.ones(2, np.float32)] * 2)


def test_parameters_of_two_groups_that_share_memory_are_refused(backend):
    memory = np.zeros(4)
    optimizer = SGD(lr=1.0).with_groups({1: {"lr": 0.5}})
    state = optimizer.init([np.zeros(3), np.zeros(3)])
    with pytest.raises(ValueError, match=r"^SGD: params\[1\] overlaps params\[0\]; pass arrays apart"):
        optimizer.step([memory[:3], memory[1:]], [np.ones(3), np.ones(3)], state)
    assert not memory.any()
    assert state.step == 0


def test_one_array_has_no_groups(backend):
    with pytest.raises(TypeError, match=r"^SGD: params must be a list or dict to have groups, got ndarray"):
        SGD(lr=1.0).with_groups({0: {"lr": 0.5}}).init(np.ones(3))


def test_strided_tensors_of_groups_are_stepped_where_they_lie(backend, dtype, rng):
    memory = rng.normal(size=(6, 8)).astype(dtype)
    views = [memory[::2, ::-2], memory[1::2, 1]]
    copies = [view.copy() for view in views]
    optimizer = AdamW(lr=0.5).with_groups({1: {"lr": 0.25}})
    all_grads = [[rng.normal(size=x.shape).astype(dtype) for x in copies] for _ in range(3)]
    train(optimizer, views, all_grads)
    train(optimizer, copies, all_grads)
    for view, copy in zip(views, copies, strict=True):
        np.testing.assert_array_equal(view, copy, strict=True)


def test_every_backend_gives_groups_the_same_bits(dtype, rng):
    optimizer = AdamW(lr=0.5).with_groups({("b", "c"): {"lr": 0.25}})
    start, all_grads = tensors(rng, dtype), [tensors(rng, dtype) for _ in range(3)]
    found = []
    for name in _backend.available():
        with lossref.use_backend(name):
            params = {key: value.copy() for key, value in start.items()}
            train(optimizer, params, all_grads)
            found.append(b"".join(value.tobytes() for value in params.values()))
    assert found.count(found[0]) == len(found)
