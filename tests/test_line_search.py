"""Laws of the line searches: what they promise of a step holds there, and nothing that leads into NaN is taken."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from oracle import rosenbrock

from lossref.optimizers import Problem
from lossref.training import backtracking, strong_wolfe

BOTH = pytest.mark.parametrize("search", [backtracking, strong_wolfe])


def barrier(x):
    """Finite inside the positive quadrant alone; the minimum is at 1."""
    return float(np.sum(x - np.log(x))), 1 - 1 / x


def waves(x):
    """Hills and hollows on a bowl."""
    return float(np.sum(x**2 / 20 + np.sin(3 * x))), x / 10 + 3 * np.cos(3 * x)


FUNCTIONS = {"rosenbrock": rosenbrock, "barrier": barrier, "waves": waves}


class Watched:
    """A function that remembers where it was asked."""

    def __init__(self, function):
        self.function, self.points = function, []

    def __call__(self, x):
        self.points.append(x.copy())
        return self.function(x)


def downhill(name, rng):
    """A start, and a direction that leads down with a length of anything between much too short and much too long."""
    x = rng.uniform(0.1, 3, size=4)
    grad = FUNCTIONS[name](x)[1]
    d = -grad * rng.uniform(0.2, 1, size=4) * 10.0 ** rng.uniform(-4, 3)
    return x, d


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_step_satisfies_the_strong_wolfe_conditions(name, rng):
    function = FUNCTIONS[name]
    for c1, c2 in ((1e-4, 0.9), (1e-4, 0.1), (0.1, 0.5), (1e-6, 1e-3)):
        for _ in range(40):
            x, d = downhill(name, rng)
            found = strong_wolfe(function, x, d, c1=c1, c2=c2)
            (value, grad), (there, flatter) = function(x), function(x + found.step * d)
            assert found, found
            assert found.step > 0
            assert there <= value + c1 * found.step * (grad @ d) + 1e-12 * abs(value)
            assert abs(flatter @ d) <= c2 * abs(grad @ d)
            assert (flatter - grad) @ d > 0


@pytest.mark.parametrize("name", FUNCTIONS)
def test_backtracking_takes_the_first_step_that_armijo_accepts(name, rng):
    function = FUNCTIONS[name]
    for c1, shrink in ((1e-4, 0.5), (0.3, 0.7)):
        for _ in range(40):
            x, d = downhill(name, rng)
            found = backtracking(function, x, d, c1=c1, shrink=shrink, max_tries=100)
            value, grad = function(x)
            step, tried = 1.0, [0.0]
            with np.errstate(invalid="ignore", over="ignore"):
                while not function(x + step * d)[0] <= value + c1 * step * (grad @ d):
                    tried.append(step)
                    step *= shrink
            assert found.step == step
            assert [trial.step for trial in found.trace] == [*tried, step]


@BOTH
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_trace_is_where_the_function_was_asked_and_the_counts_are_how_often(search, name, rng):
    for apart in (False, True):
        x, d = downhill(name, rng)
        both, values, slopes = (
            Watched(FUNCTIONS[name]),
            Watched(lambda x: FUNCTIONS[name](x)[0]),
            Watched(lambda x: FUNCTIONS[name](x)[1]),
        )
        with np.errstate(invalid="ignore"):
            found = search(values, x, d, jac=slopes) if apart else search(both, x, d)
        asked = values.points if apart else both.points
        np.testing.assert_array_equal(asked, [x + trial.step * d for trial in found.trace])
        assert found.nfev == len(asked)
        assert found.njev == len(slopes.points if apart else both.points)
        if apart and search is backtracking:
            assert found.njev == 2  # at both ends, nowhere between
        for trial in found.trace:
            with np.errstate(invalid="ignore"):
                value, grad = FUNCTIONS[name](x + trial.step * d)
            np.testing.assert_array_equal(trial.value, value)
            assert np.isnan(trial.slope) or trial.slope == pytest.approx(grad @ d, rel=1e-12)
        assert (found.step, found.value) == found.trace[-1][:2]
        np.testing.assert_array_equal(found.x, x + found.step * d)
        np.testing.assert_array_equal(found.grad, FUNCTIONS[name](found.x)[1])


@BOTH
def test_a_start_that_is_known_is_not_computed_again(search):
    x, d = np.array([2.0, 2.0]), np.array([-0.5, -0.5])
    known, asked = search(barrier, x, d, start=barrier(x)), search(barrier, x, d)
    assert (known.step, known.nfev, known.njev) == (asked.step, asked.nfev - 1, asked.njev - 1)


def test_on_a_parabola_the_search_finds_the_minimum_along_the_line(rng):
    for _ in range(30):
        scales = rng.integers(1, 100, size=3)
        x, d = rng.integers(1, 9, size=3), rng.integers(-9, 10, size=3)
        slope = sum(Fraction(int(a * b * c)) for a, b, c in zip(scales, x, d, strict=True))
        d = -d if slope > 0 else d
        if slope == 0:
            continue
        exact = abs(slope) / sum(Fraction(int(a * c * c)) for a, c in zip(scales, d, strict=True))
        found = strong_wolfe(lambda x, a=scales: (x @ (a * x) / 2, a * x), x, d, c1=1e-12, c2=1e-9)
        assert found
        assert found.step == pytest.approx(float(exact), rel=1e-8)


@BOTH
def test_a_step_into_nan_or_infinity_is_shortened(search):
    for wall, slope in itertools.product((np.nan, np.inf, -np.inf), (np.nan, np.inf, 1.0)):

        def function(x, wall=wall, slope=slope):
            return (float(x[0] ** 2), 2 * x) if x[0] > -1 else (wall, np.full(1, slope))

        found = search(function, [3.0], [-1000.0])
        assert found
        assert not np.isfinite(found.trace[1].value)
        assert -3 < found.x[0] < 3
        assert np.isfinite(found.value)


@BOTH
def test_a_gradient_of_nan_is_refused_where_the_value_is_finite(search):
    def function(x):
        return float(x[0] ** 2 + x[1] ** 2), 2 * x if x[0] > 0.5 else np.array([np.nan, 0.0])

    found = search(function, [3.0, 3.0], [-3.0, -3.0])
    assert found
    assert found.x[0] > 0.5


@BOTH
def test_where_all_else_is_nan_the_search_stays_at_its_start(search):
    def function(x):
        return (float(x[0] ** 2), 2 * x) if x[0] == 3 else (np.nan, 2 * x)

    for tries in (10, 80):  # until the step is too short to change x
        found = search(function, [3.0], [-1.0], max_tries=tries)
        assert not found
        assert found.step == 0
        assert (found.x[0], found.value, found.grad[0]) == (3, 9, 6)


@BOTH
def test_where_values_are_rounding_the_slope_decides(search):
    def function(x):  # 1e-20 is nothing beside 1
        return 1 + float(x @ x), 2 * x

    found = search(function, [1e-10, -2e-10], [-1e-10, 2e-10])
    assert found
    assert found.step == 1
    found = search(function, [1e-10, -2e-10], [-1e-9, 2e-9])  # ten times too far, and not a bit higher
    assert found
    assert np.abs(found.x).max() < 2e-10


def test_a_function_without_a_bottom_is_said_to_fall():
    found = strong_wolfe(lambda x: (-float(x.sum()), -np.ones(2)), [0.0, 0.0], [1.0, 1.0], max_tries=9)
    assert not found
    assert found.step > 1e4
    assert found.message.startswith("after 9 tries the value still falls at step")


@BOTH
def test_what_the_function_does_to_its_arrays_does_no_harm(search):
    kept = np.zeros(2)

    def careless(x):
        value = float(x @ x)
        kept[:] = 2 * x
        x[:] = np.nan
        return value, kept

    x, d = np.array([3.0, 4.0]), np.array([-4.0, -4.0])
    found, clean = search(careless, x, d), search(lambda x: (float(x @ x), 2 * x), x, d)
    assert found.step == clean.step
    np.testing.assert_array_equal(found.grad, clean.grad)
    np.testing.assert_array_equal(x, [3, 4])


@BOTH
def test_points_of_any_shape_are_searched_from(search):
    flat = search(rosenbrock, np.full(6, 2.0), -rosenbrock(np.full(6, 2.0))[1])
    square = search(
        lambda x: (rosenbrock(x.ravel())[0], rosenbrock(x.ravel())[1].reshape(2, 3)),
        np.full((2, 3), 2.0),
        -rosenbrock(np.full(6, 2.0))[1].reshape(2, 3),
    )
    assert flat.step == square.step
    np.testing.assert_array_equal(flat.x.reshape(2, 3), square.x)


BAD = {
    "ascent": ({"direction": [1.0, 1.0]}, ValueError, r"direction does not lead down: the slope along it is 4; pass"),
    "level": ({"direction": [1.0, -1.0]}, ValueError, r"direction does not lead down: the slope along it is 0; pass"),
    "shape": ({"direction": [-1.0]}, ValueError, r"direction has shape \(1,\) but x has shape \(2,\)"),
    "nan": ({"direction": [-1.0, np.nan]}, ValueError, r"direction\[1\] = nan is not a finite number"),
    "number": ({"x": 1.0}, ValueError, r"x is a single number; pass an array of one element"),
    "text": ({"x": ["a", "b"]}, TypeError, r"x has dtype <U1; convert it"),
    "no x": ({"x": None}, TypeError, r"x is None; give an array"),
    "not a function": ({"fun": 3}, TypeError, r"fun must be a function of x, got int"),
    "jac is none": ({"jac": 3}, TypeError, r"jac must be a function of x, got int"),
    "value alone": ({"fun": lambda x: 1.0}, TypeError, r"fun must return the value and the gradient, or jac must be"),
    "no value": ({"fun": lambda x: (None, x)}, TypeError, r"the value that fun returned is None; give"),
    "values": ({"fun": lambda x: (x, x)}, TypeError, r"fun must return one number, it returned an array of \(2,\)"),
    "gradient": ({"fun": lambda x: (1.0, x[:1])}, ValueError, r"the gradient that fun returned has shape \(1,\) but"),
    "complex": ({"fun": lambda x: (1.0, x * 1j)}, TypeError, r"the gradient that fun returned has dtype complex128"),
    "infinite": ({"fun": lambda x: (np.inf, x)}, ValueError, r"at x the value is inf and not all is finite; start"),
    "start": ({"start": 3.0}, TypeError, r"start must be the value and the gradient at x, got 3.0"),
    "start's shape": ({"start": (3.0, [1.0])}, ValueError, r"start\[1\] has shape \(1,\) but x has shape \(2,\)"),
    "step": ({"step": 0.0}, ValueError, r"step must be a number > 0, got 0.0"),
    "c1": ({"c1": 1.0}, ValueError, r"c1 must be a number in \(0, 1\), got 1.0"),
    "tries": ({"max_tries": 0}, ValueError, r"max_tries must be an integer >= 1, got 0"),
    "half a try": ({"max_tries": 2.5}, TypeError, r"max_tries must be an integer >= 1, got 2.5 of type float"),
}


@BOTH
@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_by_name(search, case):
    change, error, text = BAD[case]
    good = {"fun": lambda x: (float(x @ x), 2 * x), "x": [1.0, 1.0], "direction": [-1.0, -1.0]}
    with pytest.raises(error, match=f"^{search.__name__}: {text}"):
        search(**(good | change))


def test_the_first_constant_is_below_the_second():
    with pytest.raises(ValueError, match=r"^strong_wolfe: c1 must be below c2, got c1=0.5, c2=0.25"):
        strong_wolfe(barrier, [2.0], [-1.0], c1=0.5, c2=0.25)
    with pytest.raises(ValueError, match=r"^backtracking: shrink must be a number in \(0, 1\), got 1.5"):
        backtracking(barrier, [2.0], [-1.0], shrink=1.5)


def test_a_problem_counts_over_several_searches():
    problem = Problem(barrier)
    first = strong_wolfe(problem, [3.0, 0.5], [-1.0, 0.2])
    second = backtracking(problem, first.x, -first.grad, start=(first.value, first.grad))
    assert problem.nfev == problem.njev == first.nfev + second.nfev
