"""Time every formula against its equals and write the table that the book shows: ``python tests/benchmarks/table.py``.

The contenders of a case take turns in one process, so that a busy moment of the machine hits them alike; what counts is
the median over the turns. Everybody has two threads. ``--only Huber`` times less (a part of a case's name) and writes
nothing; ``--out`` writes elsewhere than to ``docs/measured/benchmarks.json``, which holds

``about``    one sentence;
``machine``  the processor, its instruction set in use, versions, date;
``rows``     one for each case and contender: ``formula`` (the class), ``settings`` (its repr), ``work``, ``n``
             (elements), ``dtype``, ``contender``, ``seconds`` (median), ``ratio`` (to lossref: 2 is twice as slow);
``targets``  what lossref is to reach: ``work``, ``target``, ``measured``, ``met``.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.contenders import (
    HUGE,
    LARGE,
    MANY,
    MEDIUM,
    SMALL,
    THOUSAND,
    THREADS,
    Case,
    ClippedStep,
    Run,
    Steps,
    cases,
    check,
)

import lossref
from lossref import _backend, registry
from lossref._formula import Formula
from lossref.losses.base import PointwiseLoss

FILE = Path(__file__).parents[2] / "docs" / "measured" / "benchmarks.json"
ROUNDS = 25
TURN = 0.004  # seconds at least: short work is repeated until a turn lasts that long
REST = 0.008  # seconds after which the idle threads of the one before have stopped spinning
BUDGET = 1.5  # seconds for a case: what is slow gets fewer rounds, though never fewer than five
PATIENCE = 0.3  # seconds: who needs longer for one run takes no turns, for that run says all there is to say


def turn(run: Run, times: int) -> float:
    """Seconds for one of ``times`` runs in a row, after as many that warm up threads and caches."""
    time.sleep(REST)
    for _ in range(times):
        run()
    start = time.perf_counter()
    for _ in range(times):
        run()
    return (time.perf_counter() - start) / times


def race(runs: dict[str, Run]) -> dict[str, float]:
    """The median seconds of each."""
    alone = {name: turn(run, 1) for name, run in runs.items()}
    racing = {name: seconds for name, seconds in alone.items() if seconds < PATIENCE}
    times = {name: max(1, round(TURN / seconds)) for name, seconds in racing.items()}
    length = sum(2 * max(TURN, seconds) + REST for seconds in racing.values())
    rounds = max(5, min(ROUNDS, round(BUDGET / length)))
    taken = {name: [] if name in racing else [seconds] for name, seconds in alone.items()}
    for k in range(rounds):
        for name in list(racing)[:: -1 if k % 2 else 1]:
            taken[name].append(turn(runs[name], times[name]))
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def rows_of(case: Case) -> list[dict[str, Any]]:
    """Enter everybody, see that they agree, and let them run."""
    runs = {name: case.enter(name) for name in case.contenders}
    ours = runs["lossref"]()
    for name in case.contenders[1:]:
        if name != "np.add":
            check(case, ours, runs[name]())
    medians = race(runs)
    common = {
        "formula": registry.path(type(case.formula)),
        "settings": repr(case.formula),
        "work": case.work,
        "n": case.n,
        "dtype": case.dtype,
    }
    return [
        common | {"contender": name, "seconds": seconds, "ratio": seconds / medians["lossref"]}
        for name, seconds in medians.items()
    ]


def machine() -> dict[str, Any]:
    """Where it was measured."""
    described = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    models = [line.partition(": ")[2] for line in described if line.startswith("model name")]
    packages = ("numpy", "torch", "jax", "optax")
    installed = {package: version(package) for package in packages}
    return {
        "processor": models[0] if models else platform.processor(),
        "threads": lossref.get_num_threads(),
        "instructions": _backend.active,
        "system": platform.system(),
        "date": datetime.date.today().isoformat(),
        "versions": {"python": platform.python_version(), "lossref": lossref.__version__} | installed,
    }


def version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def targets(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What lossref is to reach, and what it reaches; what was not measured is left out."""
    found = []

    def pick(contender: str, n: int, names: tuple[str, ...], what: str, dtype: str = "float32") -> list[float]:
        first: dict[str, float] = {}
        for row in rows:
            if row["work"] in (Steps.work, ClippedStep.work):
                continue  # which are of the same formulas, and have targets of their own
            if (row["contender"], row["n"], row["dtype"]) == (contender, n, dtype) and row["formula"] in names:
                first.setdefault(row["formula"], row[what])
        return list(first.values())

    def at_most(work: str, bound: float, unit: str, measured: list[float], scale: float = 1) -> None:
        if measured:
            worst = max(measured) * scale
            add(work, f"≤ {bound:g} {unit}", f"{worst:.2f} {unit}", worst <= bound)

    def at_least(work: str, bound: float, whom: str, measured: list[float]) -> None:
        if measured:
            worst = min(measured)
            add(work, f"≥ {bound:g} × {whom}", f"{worst:.1f} × {whom}", worst >= bound)

    def add(work: str, target: str, measured: str, met: bool) -> None:
        found.append({"work": work, "target": target, "measured": measured, "met": met})

    def seconds(n: int, settings: Formula) -> list[float]:
        return [
            row["seconds"]
            for row in rows
            if (row["contender"], row["n"], row["dtype"], row["settings"]) == ("lossref", n, "float32", repr(settings))
        ]

    def no_dearer(work: str, bound: float, n: int, dear: list[Formula], plain: Formula) -> None:
        measured = [ours / base for each in dear for ours in seconds(n, each) for base in seconds(n, plain)]
        at_most(work, bound, f"× {type(plain).__name__}", measured)

    regression = ("MSE", "MAE", "Huber")
    work = "regression losses, 256 float32"
    at_most(work, 0.5, "µs", pick("lossref", SMALL, regression, "seconds"), 1e6)
    at_least(work, 20, "PyTorch", pick("torch", SMALL, regression, "ratio"))
    work = "regression losses, 10⁷ float32 into out"
    at_most(work, 1.15, "np.add", [1 / ratio for ratio in pick("np.add", LARGE, regression, "ratio")])
    work = "binary cross-entropy from logits, 10⁶ float32"
    at_least(work, 4, "PyTorch", pick("torch", MEDIUM, ("BinaryCrossEntropy",), "ratio"))
    at_least(work, 4, "JAX", pick("jax", MEDIUM, ("BinaryCrossEntropy",), "ratio"))
    work = "softmax cross-entropy, 8192 × 1000 float32"
    at_least(work, 5, "PyTorch", pick("torch", 8_192_000, ("CategoricalCrossEntropy",), "ratio"))
    at_least(work, 1.5, "JAX", pick("jax", 8_192_000, ("CategoricalCrossEntropy",), "ratio"))
    pointwise = [formula for formula in registry.formulas("losses") if issubclass(formula, PointwiseLoss)]
    algebraic = tuple(registry.path(formula) for formula in pointwise if formula.exact)
    transcendental = tuple(registry.path(formula) for formula in pointwise if not formula.exact)
    at_most(
        "pointwise losses, 256 float32",
        0.6,
        "µs",
        pick("lossref", SMALL, (*algebraic, *transcendental), "seconds"),
        1e6,
    )
    work = "algebraic losses, 10⁷ float32 into out"
    at_most(work, 1.3, "np.add", [1 / ratio for ratio in pick("np.add", LARGE, algebraic, "ratio")])
    work = "transcendental losses, 10⁶ float32"
    at_least(work, 4, "PyTorch", pick("torch", MEDIUM, transcendental, "ratio"))
    at_least(work, 4, "JAX", pick("jax", MEDIUM, transcendental, "ratio"))
    entropy, categorical = lossref.BinaryCrossEntropy(), lossref.CategoricalCrossEntropy()
    no_dearer("focal loss, 10⁶ float32", 1.3, MEDIUM, [lossref.Focal()], entropy)
    dear = [lossref.CategoricalCrossEntropy(label_smoothing=0.2), lossref.CategoricalFocal()]
    no_dearer("smoothed and focal cross-entropy, 8192 × 1000 float32", 1.3, 8_192_000, dear, categorical)
    batch = [row["ratio"] for row in rows if (row["contender"], row["n"]) == ("pytorch-metric-learning", 2048 * 128)]
    at_least("batch-hard triplets, 2048 × 128 float32", 5, "pytorch-metric-learning", batch)
    kinds = tuple(registry.path(kind) for kind in registry.formulas("optimizers"))
    for whose, short, long in (("torch fused", 20, 1), ("torch", 20, 4)):
        name = "PyTorch fused" if whose == "torch fused" else "PyTorch"
        at_least("optimizer steps, 10³ parameters", short, name, pick(whose, THOUSAND, kinds, "ratio"))
        at_least("optimizer steps, 2.5·10⁷ parameters", long, name, pick(whose, HUGE, kinds, "ratio"))
    many = [
        row["ratio"] for row in rows if row["work"] == Steps.work and (row["contender"], row["n"]) == ("torch", MANY)
    ]
    at_least("AdamW step, 200 tensors of 10⁴", 5, "PyTorch", many)
    schedules = ("StepDecay", "Exponential", "Cosine")
    at_most("schedule, one step", 0.3, "µs", pick("lossref", 1, schedules, "seconds", "float64"), 1e6)
    at_least("schedule, 10⁶ steps", 5, "NumPy", pick("numpy", MEDIUM, schedules, "ratio", "float64"))
    return found


def spell(seconds: float) -> str:
    """Seconds in the unit in which they are short."""
    unit, size = next(((unit, size) for unit, size in (("s", 1), ("ms", 1e-3)) if seconds >= size), ("µs", 1e-6))
    return f"{seconds / size:.3g} {unit}"


def main(say: Callable[[str], None] = print) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--only", default="", help="time the cases whose name holds this text, and write nothing")
    parser.add_argument("--out", type=Path, default=FILE)
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):  # before JAX counts processors
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    lossref.set_num_threads(THREADS)
    rows = []
    for case in cases():
        if options.only in str(case):
            made = rows_of(case)
            say(f"{case}\n    " + ", ".join(f"{r['contender']} {spell(r['seconds'])} ({r['ratio']:.2f})" for r in made))
            rows += made
    reached = targets(rows)
    for each in reached:
        say(f"{'met   ' if each['met'] else 'MISSED'}  {each['work']}: {each['measured']} (target {each['target']})")
    if not options.only:
        about = "Median seconds of contenders that take turns, two threads each; the ratio is to lossref."
        result = {"about": about, "machine": machine(), "rows": rows, "targets": reached}
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        say(f"written to {options.out}")


if __name__ == "__main__":
    main()
