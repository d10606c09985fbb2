"""``minimize`` and the line searches against SciPy: the same minima, and no more evaluations on the way."""

import statistics

import numpy as np
import pytest

import lossref
from lossref import BFGS, LBFGS, ConjugateGradient, Newton
from lossref.landscapes import Beale, Himmelblau, Rosenbrock

optimize = pytest.importorskip("scipy.optimize")
pytest.importorskip("sklearn")
bench = pytest.importorskip("benchmarks.bench_minimize")

CASES = list(bench.cases(largest=30))


@pytest.mark.parametrize("family", ["Rosenbrock", "Beale", "logistic"])
def test_lbfgs_needs_no_more_evaluations_than_scipys(family):
    shares = []
    for case in CASES:
        if case.family == family:
            for x0 in case.starts:
                ours, theirs = bench.ours(case, x0), bench.scipys(case, x0)
                shares.append(ours.evaluations / theirs.evaluations)
    assert len(shares) >= 10
    assert statistics.median(shares) <= 1


@pytest.mark.parametrize("case", [case for case in CASES if case.family == "logistic"], ids=lambda case: case.name)
def test_both_find_the_lowest_value_of_a_convex_function(case):
    ours, theirs = bench.ours(case, case.starts[1]), bench.scipys(case, case.starts[1])
    assert ours.lowest == pytest.approx(theirs.lowest, rel=1e-5)


@pytest.mark.parametrize(
    ("method", "name"),
    [
        (LBFGS(), "L-BFGS-B"),
        (BFGS(), "BFGS"),
        (ConjugateGradient(), "CG"),
        (Newton(kind="trust region"), "trust-exact"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("surface", [Rosenbrock(), Beale(), Himmelblau()], ids=repr)
def test_the_minimum_is_the_one_that_scipy_finds_from_nearby(method, name, surface):
    for minimum in surface.minima:
        start = np.array(minimum) + np.array([0.1, -0.05])
        bend = {"hess": surface.hessian} if name == "trust-exact" else {}
        ours = lossref.minimize(surface.value_and_grad, start, hess=surface.hessian, method=method, tol=1e-8)
        theirs = optimize.minimize(surface.value_and_grad, start, jac=True, method=name, tol=1e-8, **bend)
        assert ours.success
        np.testing.assert_allclose(ours.x, theirs.x, atol=1e-5)
        np.testing.assert_allclose(ours.x, minimum, atol=1e-6)


def test_pytorchs_lbfgs_jumps_to_and_fro_where_ours_is_done():
    """Without a search, which is its default; the chapter on second-order methods tells of it."""
    torch = pytest.importorskip("torch")

    def tried(**settings):
        x, points = torch.tensor([3.0], dtype=torch.float64, requires_grad=True), []
        optimizer = torch.optim.LBFGS([x], **settings)

        def closure():
            optimizer.zero_grad()
            value = torch.logaddexp(x, -x).sum()
            value.backward()
            points.append(x.item())
            return value

        for _ in range(3):
            optimizer.step(closure)
        return points, x.item()

    points, end = tried()
    assert len(points) == 60
    assert max(map(abs, points)) > 1e11
    assert abs(end) > 1
    points, end = tried(line_search_fn="strong_wolfe")
    assert len(points) == 9
    assert abs(end) < 1e-4
    ours = lossref.minimize(lambda x: (np.logaddexp(x, -x).sum(), np.tanh(x)), [3.0])
    assert ours.success
    assert ours.nfev <= 9
