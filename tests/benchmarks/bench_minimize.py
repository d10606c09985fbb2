"""L-BFGS against SciPy's: how many evaluations each needs, and how long it takes beside them.

``python tests/benchmarks/bench_minimize.py`` prints the table. Both stop where no element of the gradient is above
1e-5, and remember ten steps. The counts do not depend on the machine, and ``tests/peers`` asserts them; the time for an
iteration, the median over the starts, is what is left when the function's own is taken away. To compare code and not
thread pools, run it with ``OMP_NUM_THREADS=1``.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from scipy import optimize

import lossref
from lossref.adapters.scipy import Objective
from lossref.datasets import breast_cancer
from lossref.landscapes import Beale, Rosenbrock
from lossref.models import Linear

TOL = 1e-5
TURNS = 5  # of each, one after the other; the shortest counts, so that a busy moment of the machine does not


class Case(NamedTuple):
    """A function with its gradient, and where minimizations of it start."""

    name: str
    family: str
    function: Callable[[Any], Any]
    starts: list[Any]


class Run(NamedTuple):
    """What one minimization took: evaluations, iterations, seconds beside the function's own, and where it ended."""

    evaluations: int
    iterations: int
    seconds: float
    lowest: float


def cases(largest: int = 1000) -> Iterator[Case]:
    """Rosenbrock's valley, up to so many dimensions; Beale's function; logistic regression on tumours."""
    for n in (2, 4, 10, 30, 100, 300, 1000):
        if n <= largest:
            valley = Rosenbrock(dimensions=n)
            starts = [np.array(valley.start), *(np.random.default_rng(seed).uniform(-2, 2, n) for seed in range(4))]
            yield Case(f"Rosenbrock, {n}-D", "Rosenbrock", valley.value_and_grad, starts)
    # on the minimum's side of the level line x₂ = 1: beyond it the value falls toward 0.452 at infinity
    starts = [np.random.default_rng(seed).uniform((0.0, -0.5), (4.0, 0.9)) for seed in range(10)]
    yield Case("Beale", "Beale", Beale().value_and_grad, starts)
    x, y = breast_cancer()
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    for lam in (1e-4, 1e-3, 1e-2, 1e-1):
        objective = Objective(
            loss=lossref.BinaryCrossEntropy(),
            model=Linear(inputs=30),
            x=x,
            target=y.astype(float),
            penalties={"weights": lossref.L2(lam=lam)},
        )
        starts = [objective.start(), *(np.random.default_rng(seed).normal(size=31) for seed in range(2))]
        yield Case(f"logistic, λ = {lam:g}", "logistic", objective, starts)


def measured(function: Callable[[Any], Any], minimize: Callable[[Callable[[Any], Any]], Any]) -> Run:
    """Run a minimization, and take the function's time from its own."""
    inside = 0.0

    def timed(x: Any) -> Any:
        nonlocal inside
        start = time.perf_counter()
        result = function(x)
        inside += time.perf_counter() - start
        return result

    start = time.perf_counter()
    found = minimize(timed)
    seconds = time.perf_counter() - start - inside
    return Run(found.nfev, found.nit, seconds, float(found.fun))


def ours(case: Case, x0: Any) -> Run:
    return measured(case.function, lambda f: lossref.minimize(f, x0, method=lossref.LBFGS(), tol=TOL))


def scipys(case: Case, x0: Any) -> Run:
    options = {"gtol": TOL, "ftol": 0.0, "maxiter": 10_000, "maxfun": 100_000, "maxcor": 10}
    return measured(case.function, lambda f: optimize.minimize(f, x0, jac=True, method="L-BFGS-B", options=options))


def cost(run: Run) -> float:
    """Microseconds for an iteration, beside the function's own."""
    return 1e6 * run.seconds / max(1, run.iterations)


def main() -> None:
    warm = next(cases())
    ours(warm, warm.starts[0]), scipys(warm, warm.starts[0])
    print(f"{'':22}{'evaluations (median)':>24}{'µs an iteration beside them':>34}")
    print(f"{'':22}{'lossref':>12}{'SciPy':>12}{'lossref':>22}{'SciPy':>12}")
    for case in cases():
        runs = [[(ours(case, x0), scipys(case, x0)) for _ in range(TURNS)] for x0 in case.starts]
        counts = [statistics.median(turns[0][who].evaluations for turns in runs) for who in (0, 1)]
        costs = [statistics.median(min(cost(turn[who]) for turn in turns) for turns in runs) for who in (0, 1)]
        print(f"{case.name:22}{counts[0]:12.0f}{counts[1]:12.0f}{costs[0]:22.1f}{costs[1]:12.1f}", flush=True)


if __name__ == "__main__":
    main()
