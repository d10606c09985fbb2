"""Laws of gradient checkpointing: the same gradient to the bit, in the memory and the runs that formulas say."""

import math
import pickle
import time
from collections import Counter
from functools import cache

import numpy as np
import pytest

import lossref
from lossref.training import Action, Plan, chain_gradient, keep_best, keep_every


class Dense:
    """``tanh(x W)``, which counts its runs; what lives of its outputs is counted by who keeps them."""

    def __init__(self, rng, width):
        self.weights = rng.normal(size=(width, width)) / width**0.5
        self.runs = 0

    def forward(self, x):
        self.runs += 1
        return np.tanh(x @ self.weights)

    def vjp(self, x, slope):
        slope = slope * (1 - np.tanh(x @ self.weights) ** 2)
        return slope @ self.weights.T, {"weights": x.T @ slope}


def by_hand(chain, x, upstream):
    """Everything kept, as a textbook does it."""
    inputs = [x]
    for layer in chain:
        inputs.append(np.tanh(inputs[-1] @ layer.weights))
    slope, grads = upstream(inputs[-1]), []
    for layer, given in zip(reversed(chain), inputs[-2::-1], strict=True):
        slope, found = layer.vjp(given, slope)
        grads.insert(0, found)
    return inputs[-1], slope, grads


def haphazard(rng, first, last):
    """A plan that stores where chance wants it, and now and then forgets what it could have used."""
    while last - first > 1:
        middle = int(rng.integers(first + 1, last))
        yield from (Action("forward", i) for i in range(first, middle))
        yield Action("store", middle)
        yield from haphazard(rng, middle, last)
        yield Action("drop", middle)
        yield Action("load", first)
        last = middle
    yield Action("backward", first)


def plans(layers, rng):
    yield None
    for k in range(1, layers + 2):
        yield keep_every(layers, k)
    for slots in range(1, layers + 2):
        yield keep_best(layers, slots)
    for _ in range(5):
        yield Plan([("store", 0), *haphazard(rng, 0, layers)])


@pytest.mark.parametrize("layers", [1, 2, 3, 7, 12])
def test_every_plan_gives_the_same_gradient_to_the_bit(layers, rng):
    chain, x, target = [Dense(rng, 5) for _ in range(layers)], rng.normal(size=(4, 5)), rng.normal(size=(4, 5))
    upstream = lambda y: lossref.Huber(delta=0.5).grad(y, target)  # noqa: E731
    output, slope, grads = by_hand(chain, x, upstream)
    for plan in plans(layers, rng):
        for layer in chain:
            layer.runs = 0
        found = chain_gradient(chain, x, upstream, plan)
        assert found.output.tobytes() == output.tobytes()
        assert found.slope.tobytes() == slope.tobytes()
        for mine, theirs in zip(found.grads, grads, strict=True):
            assert mine["weights"].tobytes() == theirs["weights"].tobytes()
        assert sum(layer.runs for layer in chain) == (layers if plan is None else plan.forwards)


def test_the_gradient_is_the_slope_of_the_loss(rng):
    """By a central difference along a direction in all weights: the chain itself is held against its function."""
    chain, x, target = [Dense(rng, 4) for _ in range(6)], rng.normal(size=(3, 4)), rng.normal(size=(3, 4))
    loss = lossref.MSE()
    found = chain_gradient(chain, x, lambda y: loss.grad(y, target), keep_best(6, 2))
    directions = [rng.normal(size=(4, 4)) for _ in chain]
    slope = sum((d * g["weights"]).sum() for d, g in zip(directions, found.grads, strict=True))
    values = []
    for side in (1e-5, -2e-5):
        for layer, d in zip(chain, directions, strict=True):
            layer.weights += side * d
        y = x
        for layer in chain:
            y = layer.forward(y)
        values.append(loss(y, target))
    assert (values[0] - values[1]) / 2e-5 == pytest.approx(slope, rel=1e-7)


@pytest.mark.parametrize("layers", [1, 2, 9, 30, 36, 100])
def test_runs_and_memory_of_every_kth_are_those_of_the_formulas(layers):
    for k in range(1, layers + 3):
        plan = keep_every(layers, k)
        stretches = -(-layers // k)
        last = layers - (stretches - 1) * k
        assert plan.layers == layers
        # all but the last stretch run again, but for their last layer, whose output is stored already
        assert plan.forwards == layers + (stretches - 1) * (min(k, layers) - 1)
        # the starts of the stretches so far, and what lies inside of this one but for the activation at hand
        assert plan.stored == max(stretches + max(last - 2, 0), stretches - 1 + (max(k - 2, 0) if stretches > 1 else 0))
        if 2 <= k <= layers:
            assert plan.stored <= stretches + k - 2


@pytest.mark.parametrize("root", [3, 6, 10])
def test_the_square_root_stores_least_for_less_than_one_more_run_through_the_chain(root):
    layers = root * root
    each = {k: keep_every(layers, k) for k in range(1, layers + 1)}
    assert each[root].stored == 2 * root - 2 == min(plan.stored for plan in each.values())
    assert layers < each[root].forwards < 2 * layers
    assert each[root].forwards == keep_best(layers, each[root].stored).forwards


@cache
def least_runs(layers, slots):
    """By trying every place of the next activation to be stored: Bellman's equation, no binomials."""
    if layers == 1:
        return 0
    if slots == 0:
        return math.inf
    return min(j + least_runs(layers - j, slots - 1) + least_runs(j, slots) for j in range(1, layers))


def test_the_best_plan_needs_as_few_runs_as_any_can():
    for layers in range(1, 41):
        for slots in range(1, 12):
            plan = keep_best(layers, slots)
            assert plan.forwards == 1 + least_runs(layers, slots)
            assert plan.stored <= slots
            assert plan.layers == layers


def test_the_runs_of_the_best_plan_are_the_binomial_formula():
    for layers, slots in [(1, 1), (10, 1), (55, 9), (56, 9), (220, 9), (100, 3), (300, 6)]:
        r = next(r for r in range(layers + 1) if math.comb(slots + r, slots) >= layers)
        plan = keep_best(layers, slots)
        assert plan.forwards == 1 + (r * layers - math.comb(slots + r, r - 1) if r else 0)
        runs = Counter(action.layer for action in plan.actions if action.kind == "forward")
        assert max(runs.values(), default=0) == r


def test_more_memory_never_costs_runs():
    for layers in (17, 64):
        runs = [keep_best(layers, slots).forwards for slots in range(1, layers + 1)]
        assert runs == sorted(runs, reverse=True)
        assert runs[-1] == layers
        assert runs[0] == 1 + layers * (layers - 1) // 2


def test_a_plan_for_a_thousand_layers_is_made_at_once():
    start = time.process_time()
    plan = keep_best(1000, 10)
    assert time.process_time() - start < 1
    assert plan.forwards == 1 + 4 * 1000 - math.comb(14, 3)


def test_plans_are_compared_hashed_and_pickled():
    plan = keep_best(9, 3)
    assert pickle.loads(pickle.dumps(plan)) == plan == keep_best(9, 3) != keep_best(9, 4)
    assert hash(plan) == hash(keep_best(9, 3))
    assert Plan(list(plan.actions)) == plan


@pytest.mark.parametrize(
    ("actions", "place"),
    [
        ([("forward", 1)], 0),
        ([("store", 0), ("forward", 0), ("backward", 0)], 1),
        ([("store", 1), ("backward", 0)], 0),
        ([("load", 0), ("backward", 0)], 0),
        ([("store", 0), ("drop", 0), ("drop", 0), ("backward", 0)], 2),
        ([("backward", 0), ("backward", 1)], 0),
        ([("store", 0), ("forward", 0), ("backward", 1), ("drop", 0), ("load", 0), ("backward", 0)], 4),
        ([("store", 0), ("forward", 0), ("backward", 1), ("backward", 0)], 3),
        ([("store", 0), ("forward", 1), ("backward", 2), ("backward", 1), ("backward", 0)], 1),
        ([("forget", 0), ("backward", 0)], 0),
    ],
)
def test_a_plan_that_cannot_be_carried_out_is_refused(actions, place):
    kind, layer = actions[place]
    with pytest.raises(
        ValueError, match=rf"^Plan: actions\[{place}\] = '{kind}' of layer {layer} cannot be done there"
    ):
        Plan(actions)


def test_wrong_calls_are_refused_before_any_layer_runs(rng):
    chain, x = [Dense(rng, 2) for _ in range(3)], np.ones((1, 2))
    for call, error, text in (
        (lambda: keep_every(0, 1), ValueError, "keep_every: layers must be an integer >= 1, got 0"),
        (lambda: keep_every(3, 1.5), TypeError, "keep_every: k must be an integer >= 1, got 1.5 of type float"),
        (lambda: keep_best(3, 0), ValueError, "keep_best: slots must be an integer >= 1, got 0"),
        (lambda: chain_gradient([], x, np.copy), ValueError, "chain_gradient: layers is empty; give at least one"),
        (lambda: chain_gradient(chain, x, np.copy, 2), TypeError, "chain_gradient: plan must be a Plan, got int"),
        (
            lambda: chain_gradient(chain, x, np.copy, keep_every(4, 2)),
            ValueError,
            "chain_gradient: plan is for 4 layers but there are 3",
        ),
    ):
        with pytest.raises(error, match=f"^{text}"):
            call()
    assert all(layer.runs == 0 for layer in chain)
