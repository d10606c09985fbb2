"""Optimizers against each other on one real task: ``python tests/benchmarks/shootout.py`` measures what the chapter on
choosing an optimizer tells, and writes ``docs/measured/optimizers.json``.

A network of 64, 64 and 10 units reads 8 × 8 digits: half of them to learn from, a quarter to choose settings by, a
quarter to judge. Each seed draws the split, the first weights and the batches, the same for all contenders. All get the
same number of passes over the data. The file holds

``about``    the task in a sentence;
``kinds``    for each contender, for each of its settings: ``passes`` (median; until the loss on what is learned from is
             below ``GOAL``; null if never), ``loss`` (the median of the last), ``valid`` and ``test`` (mean errors, %);
``rows``     for each contender what the chapter's table shows;
``units``    such rows again, of the same digits with each pixel in a unit of its own, over three decades;
``finish``   for each way to end a run the mean ``test`` error in %, the loss in ``nats`` on the same digits, and
             ``gain``: by how many points of error that is better than Adam to the end, with the ``error`` of that mean.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import lossref
from lossref.datasets import Split, digits, split
from lossref.optimizers.second_order import SecondOrder
from lossref.training import batches

FILE = Path(__file__).parents[2] / "docs" / "measured" / "optimizers.json"
UNITS, BATCH, PASSES, SEEDS, GOAL = (64, 64, 10), 32, 40, 20, 0.01
LOSS = lossref.CategoricalCrossEntropy()
RATES = [float(f"{digit}e{power}") for power in range(-4, 1) for digit in (1, 2, 5)]
Params = dict[str, np.ndarray]
Run = dict[str, Any]


class Task(NamedTuple):
    """Digits to learn from, to choose by, and to judge by, and the first weights."""

    learn: Split
    valid: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray]
    params: Params


def task(seed: int, decades: float = 0.0) -> Task:
    """The task of a seed; with ``decades`` each pixel is in a unit of its own, drawn from so many powers of ten."""
    learn = split(*digits(), held_out=0.5, seed=seed)
    units = 10 ** np.random.default_rng(seed).uniform(-decades / 2, decades / 2, UNITS[0])
    learn = dataclasses.replace(learn, train_x=learn.train_x * units, test_x=learn.test_x * units)
    half = len(learn.test_y) // 2
    mixed = np.random.default_rng(seed).permutation(len(learn.test_y))
    valid, test = ((learn.test_x[part], learn.test_y[part]) for part in (mixed[:half], mixed[half:]))
    rng, params = np.random.default_rng(seed), {}
    for layer, (inputs, outputs) in enumerate(itertools.pairwise(UNITS)):
        params[f"w{layer}"] = rng.normal(size=(inputs, outputs)) * (2 / inputs) ** 0.5
        params[f"b{layer}"] = np.zeros(outputs)
    return Task(learn, valid, test, params)


def scores(params: Params, x: np.ndarray) -> np.ndarray:
    return np.maximum(x @ params["w0"] + params["b0"], 0) @ params["w1"] + params["b1"]


def value_and_grad(params: Params, x: np.ndarray, y: np.ndarray) -> tuple[float, Params]:
    """The loss and its gradient, forward and backward through both layers."""
    hidden = np.maximum(x @ params["w0"] + params["b0"], 0)
    value, slope = LOSS.value_and_grad(hidden @ params["w1"] + params["b1"], y)
    below = (slope @ params["w1"].T) * (hidden > 0)
    return value, {"w0": x.T @ below, "b0": below.sum(axis=0), "w1": hidden.T @ slope, "b1": slope.sum(axis=0)}


def descent(optimizer: Any, given: Task, seed: int, passes: int = PASSES) -> Iterator[tuple[Params, Any, float]]:
    """After each pass over the data in batches: the parameters, the optimizer's state, the seconds that it took."""
    params = {name: array.copy() for name, array in given.params.items()}
    state, x, y = optimizer.init(params), given.learn.train_x, given.learn.train_y
    stream, clock = batches(len(y), BATCH, seed=seed), time.perf_counter()
    updates = -(-len(y) // BATCH)
    for step, batch in zip(range(1, passes * updates + 1), stream, strict=False):
        optimizer.step(params, value_and_grad(params, x[batch], y[batch])[1], state)
        if step % updates == 0:
            yield params, state, time.perf_counter() - clock
            clock = time.perf_counter()


def flat(params: Params) -> np.ndarray:
    return np.concatenate([array.ravel() for array in params.values()])


def shaped(x: np.ndarray, like: Params) -> Params:
    ends = np.cumsum([array.size for array in like.values()])[:-1]
    return {
        name: part.reshape(array.shape) for (name, array), part in zip(like.items(), np.split(x, ends), strict=True)
    }


def whole(method: Any, given: Task, seed: int, passes: int = PASSES) -> Iterator[tuple[Params, Any, float]]:
    """The same of a method that sees all data at each evaluation, which is a pass."""
    x, y, like = given.learn.train_x, given.learn.train_y, given.params

    def fun(point: np.ndarray) -> tuple[float, np.ndarray]:
        value, grads = value_and_grad(shaped(point, like), x, y)
        return value, flat(grads)

    problem, clock, seen = lossref.optimizers.Problem(fun), time.perf_counter(), 1
    state = method.start(problem, flat(like))
    while seen < passes + 1:
        before = state.x
        method.advance(problem, state)
        spent, taken = time.perf_counter() - clock, problem.nfev - seen
        for k in range(taken):  # within a search the point is still the one before
            yield shaped(state.x if k == taken - 1 else before, like), state, spent / taken
        seen, clock = problem.nfev, time.perf_counter()
        if state.failure:
            return


def error(params: Params, x: np.ndarray, y: np.ndarray) -> float:
    found = scores(params, x)
    return 100.0 * float(np.mean(found.argmax(axis=1) != y)) if np.isfinite(found).all() else 90.0


def run(optimizer: Any, given: Task, seed: int) -> Run:
    """One run, judged after each pass, and at its end on digits that it has not seen."""
    follow = whole if isinstance(optimizer, SecondOrder) else descent
    train, seconds, params, state = [], [], given.params, None
    with np.errstate(all="ignore"):  # rates that are too large are part of the experiment
        for seen in itertools.islice(follow(optimizer, given, seed), PASSES):
            params, state, spent = seen
            value = LOSS(scores(params, given.learn.train_x), given.learn.train_y)
            train.append(value if np.isfinite(value) else np.inf)
            seconds.append(spent)
    return judged(params, given) | {
        "loss": train[-1],
        "passes": next((k for k, value in enumerate(train, 1) if value < GOAL), np.inf),
        "kept": numbers(state.buffers) / flat(given.params).size,
        "milliseconds": 1000 * statistics.median(seconds),
    }


def judged(params: Params, given: Task) -> Run:
    with np.errstate(all="ignore"):
        nats = LOSS(scores(params, given.test[0]), given.test[1])
    return {"valid": error(params, *given.valid), "test": error(params, *given.test), "nats": nats}


def numbers(buffers: Any) -> int:
    """How many numbers a state keeps."""
    if isinstance(buffers, dict):
        return sum(map(numbers, buffers.values()))
    if isinstance(buffers, list | tuple):
        return sum(map(numbers, buffers))
    return int(np.size(buffers)) if isinstance(buffers, np.ndarray) else 0


def by_rate(make: Callable[[float], Any], rates: list[float]) -> dict[str, Any]:
    return {f"{rate:g}": make(rate) for rate in rates}


KINDS: dict[str, dict[str, Any]] = {
    "SGD": by_rate(lambda lr: lossref.SGD(lr=lr), RATES),
    "SGD, momentum": by_rate(lambda lr: lossref.SGD(lr=lr, momentum=0.9), RATES),
    "AdaGrad": by_rate(lambda lr: lossref.AdaGrad(lr=lr), RATES),
    "RMSprop": by_rate(lambda lr: lossref.RMSprop(lr=lr), RATES),
    "Adam": by_rate(lambda lr: lossref.Adam(lr=lr), RATES),
    "AdamW": by_rate(lambda lr: lossref.AdamW(lr=lr, weight_decay=0.01), RATES),
    "L-BFGS": {str(m): lossref.LBFGS(memory=m) for m in (3, 5, 10, 20, 30)},
}
#: What each framework's user gets who names no rate: PyTorch 2.13. Its L-BFGS is another, without a search.
DEFAULTS = {
    "SGD": "0.001",
    "SGD, momentum": "0.001",
    "AdaGrad": "0.01",
    "RMSprop": "0.01",
    "Adam": "0.001",
    "AdamW": "0.001",
    "L-BFGS": "10",
}


def middle(runs: list[Run], what: str) -> float | None:
    found = statistics.median(one[what] for one in runs)
    return found if np.isfinite(found) else None


def mean(runs: list[Run], what: str) -> float:
    return statistics.fmean(one[what] for one in runs)


def row(name: str, settings: dict[str, list[Run]]) -> dict[str, Any]:
    """What the table says of a contender."""
    fastest = min(settings, key=lambda s: (middle(settings[s], "passes") or np.inf, mean(settings[s], "valid")))
    chosen = min(settings, key=lambda s: mean(settings[s], "valid"))
    least = mean(settings[chosen], "valid")
    good, order = [chosen], list(settings)
    here = order.index(chosen)
    for side in (reversed(order[:here]), order[here + 1 :]):  # as far as all between them are good
        good += itertools.takewhile(lambda s: mean(settings[s], "valid") <= least + 1, side)
    good.sort(key=float)
    test = [one["test"] for one in settings[chosen]]
    return {
        "fastest": fastest,
        "passes": middle(settings[fastest], "passes"),
        "milliseconds": min(one["milliseconds"] for one in settings[fastest]),
        "chosen": chosen,
        "test": mean(settings[chosen], "test"),
        "error": statistics.stdev(test) / len(test) ** 0.5,
        "kept": settings[chosen][0]["kept"],
        "from": good[0],
        "to": good[-1],
        "factor": float(good[-1]) / float(good[0]),
        "default": DEFAULTS[name],
        "default_test": mean(settings[DEFAULTS[name]], "test"),
    }


class Relay(NamedTuple):
    """One optimizer for the first half of the passes, another for the second."""

    first: Any
    second: Any


def endings(adam: float, momentum: float) -> dict[str, Relay | Any]:
    """Ways to spend the passes, with the rates that the comparison has chosen."""
    updates = PASSES * -(-(len(digits()[1]) // 2) // BATCH)
    fast, slow = lossref.Adam(lr=adam), lossref.SGD(lr=momentum, momentum=0.9)
    return {
        "Adam": fast,
        "Adam, then SGD with momentum": Relay(fast, slow),
        "Adam, then Adam at a tenth of the rate": Relay(fast, lossref.Adam(lr=adam / 10)),
        "Adam, along a cosine": lossref.Adam(lr=lossref.Cosine(peak=adam, steps=updates)),
        "SGD with momentum": slow,
        "SGD with momentum, along a cosine": lossref.SGD(lr=lossref.Cosine(peak=momentum, steps=updates), momentum=0.9),
    }


def finished(way: Relay | Any, given: Task, seed: int) -> Run:
    legs = [(way.first, PASSES // 2), (way.second, PASSES // 2)] if isinstance(way, Relay) else [(way, PASSES)]
    for leg, (optimizer, passes) in enumerate(legs):
        *_, last = descent(optimizer, given, seed + 1000 * leg, passes)
        given = given._replace(params=last[0])
    return judged(given.params, given)


def compared(tasks: list[Task]) -> tuple[dict[str, Any], dict[str, Any]]:
    """All contenders at all their settings, and a row for each."""
    kinds, rows = {}, {}
    for name, settings in KINDS.items():
        runs = {
            setting: [run(optimizer, given, seed) for seed, given in enumerate(tasks)]
            for setting, optimizer in settings.items()
        }
        kinds[name] = {
            setting: {"passes": middle(found, "passes"), "loss": middle(found, "loss")}
            | {what: mean(found, what) for what in ("valid", "test")}
            for setting, found in runs.items()
        }
        rows[name] = row(name, runs)
        print(name, json.dumps(rows[name]), flush=True)
    return kinds, rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--out", type=Path, default=FILE)
    chosen = parser.parse_args()
    tasks = [task(seed) for seed in range(chosen.seeds)]
    kinds, rows = compared(tasks)
    _, units = compared([task(seed, decades=3) for seed in range(chosen.seeds // 2)])
    finish, first = {}, []
    rates = (float(rows[name]["chosen"]) for name in ("Adam", "SGD, momentum"))
    for name, way in endings(*rates).items():
        runs = [finished(way, given, seed) for seed, given in enumerate(tasks)]
        first = first or runs
        gains = [start["test"] - one["test"] for start, one in zip(first, runs, strict=True)]
        finish[name] = {what: mean(runs, what) for what in ("test", "nats")} | {
            "gain": statistics.fmean(gains),
            "error": statistics.stdev(gains) / len(gains) ** 0.5,
        }
        print(name, json.dumps(finish[name]), flush=True)
    about = (
        f"{UNITS[0]}-{UNITS[1]}-{UNITS[2]} network, {len(tasks[0].learn.train_y)} digits, batches of {BATCH}, {PASSES} "
        f"passes, {chosen.seeds} seeds; goal: a loss of {GOAL} nats."
    )
    found = {"about": about, "passes": PASSES, "seeds": chosen.seeds, "goal": GOAL}
    found |= {"judged_by": len(tasks[0].test[1]), "kinds": kinds, "rows": rows, "units": units, "finish": finish}
    chosen.out.write_text(json.dumps(rounded(found), indent=1) + "\n", encoding="utf-8")


def rounded(found: Any) -> Any:
    """Five digits are enough, and infinity is no JSON."""
    if isinstance(found, dict):
        return {key: rounded(value) for key, value in found.items()}
    if isinstance(found, float):
        return float(f"{found:.5g}") if np.isfinite(found) else None
    return found


if __name__ == "__main__":
    main()
