"""Laws of ``minimize``: one driver for every optimizer; the result says where it stopped, why, and how it got there."""

import inspect

import numpy as np
import pytest

import lossref
from lossref import BFGS, LBFGS, SGD, Adam, ConjugateGradient, Newton, minimize, optimizers, registry
from lossref.optimizers.second_order import SecondOrder

SEARCHING = [getattr(optimizers, name) for name in optimizers.__all__]
SEARCHING = [cls for cls in SEARCHING if inspect.isclass(cls) and issubclass(cls, SecondOrder)]
SEARCHING = [cls(**settings) for cls in SEARCHING for settings in cls.samples]
EVERY = pytest.mark.parametrize("method", [*registry.samples("optimizers"), *SEARCHING], ids=repr)
SCALES = np.array([1.0, 2.0, 4.0])


def ravine(x):
    return float(x @ (SCALES * x)) / 2, SCALES * x


def hess(x):
    return np.diag(SCALES)


class Watched:
    """A function that counts its calls and remembers what it was asked."""

    def __init__(self, function=ravine):
        self.function, self.points = function, []

    def __call__(self, x):
        self.points.append(x.copy())
        return self.function(x)


@EVERY
def test_the_result_is_where_it_stopped_and_the_history_how_it_got_there(method):
    asked, bends, told = Watched(), Watched(hess), []
    start = np.array([1.0, -2.0, 3.0])
    found = minimize(
        asked, start, method=method, hess=bends, max_steps=25, tol=1e-9, keep_points=True, callback=told.append
    )
    value, grad = ravine(found.x)
    assert found.fun == value
    np.testing.assert_array_equal(found.grad, grad)
    assert (found.nfev, found.njev, found.nhev) == (len(asked.points), len(asked.points), len(bends.points))
    history = found.history
    assert len(history.values) == len(history.gradients) == len(history.rates) == len(history.points) == found.nit + 1
    for point, value, size in zip(history.points, history.values, history.gradients, strict=True):
        assert value == ravine(point)[0]
        assert size == np.abs(ravine(point)[1]).max()
    np.testing.assert_array_equal(history.points[0], start)
    np.testing.assert_array_equal(history.points[-1], found.x)
    assert np.isnan(history.rates[0])
    assert (history.rates[1:] > 0).all()
    assert [step.step for step in told] == list(range(found.nit + 1))
    np.testing.assert_array_equal([step.x for step in told], history.points)
    np.testing.assert_array_equal([step.fun for step in told], history.values)
    assert found.success == (found.status == "gradient") == (history.gradients[-1] <= 1e-9)
    assert (history.gradients[:-1] > 1e-9).all()


@pytest.mark.parametrize("optimizer", registry.samples("optimizers"), ids=repr)
def test_a_method_of_descent_takes_the_steps_that_it_takes_by_hand(optimizer):
    x = np.array([1.0, -2.0, 3.0])
    found = minimize(ravine, x, method=optimizer, max_steps=20, tol=0.0, keep_points=True)
    state = optimizer.init(x)
    for point in found.history.points:
        np.testing.assert_array_equal(point, x)
        optimizer.step(x, ravine(x)[1], state)
    assert found.nfev == found.nit + 1 == 21


def test_the_rates_of_the_history_are_those_of_the_schedule():
    rate = lossref.StepDecay(initial=0.1, factor=0.5, every=2)
    found = minimize(ravine, np.ones(3), method=SGD(lr=rate), max_steps=5)
    np.testing.assert_array_equal(found.history.rates[1:], rate(np.arange(5)))


@pytest.mark.parametrize("method", [LBFGS(), BFGS(), ConjugateGradient(), Newton()], ids=repr)
def test_the_default_tolerance_is_reached_by_all_that_search(method):
    found = minimize(ravine, [1.0, -2.0, 3.0], method=method, hess=hess)
    assert found.success
    assert np.abs(found.grad).max() <= 1e-5
    assert found.message == f"the largest element of the gradient is {np.abs(found.grad).max():.3g}, at most tol=1e-05"


def test_it_stops_for_each_of_its_reasons():
    def falls(x):
        return -float(x.sum()), -np.ones_like(x)

    def wall(x):
        return ravine(x) if x[0] > -1 else (np.nan, x)

    start, singular = [1.0, 1.0, 1.0], {"method": Newton(kind="pure"), "hess": lambda x: 0 * hess(x)}
    for status, text, settings in (
        ("gradient", "the largest element of the gradient is 0, at most tol=1e-05", {"x0": np.zeros(3)}),
        ("change", "the value changed by 0.00", {"method": SGD(lr=0.01), "ftol": 1e-2}),
        ("budget", "the budget of 3 steps is used up; the largest", {"method": Adam(), "max_steps": 3}),
        ("budget", "the budget of 0 steps is used up; the largest", {"max_steps": 0}),
        ("budget", "the budget of 4 evaluations is used up", {"method": Adam(), "max_evaluations": 4}),
        ("callback", "the callback asked for it after step 2", {"callback": lambda step: step.step == 2}),
        ("not finite", "step 1 leads to a value of nan", {"fun": wall, "method": SGD(lr=10.0)}),
        ("not finite", "step", {"method": SGD(lr=10.0)}),
        ("no step", "the Hessian is singular; the largest", singular),
        ("no step", "no step lowers the value, down to", {"fun": lambda x: (ravine(x)[0], -ravine(x)[1])}),
        ("no step", "no step lowers the value, down to", {"fun": falls}),  # from 1e18 on x hardly changes
    ):  # fmt: skip
        found = minimize(**({"fun": ravine, "x0": start} | settings))
        assert (found.status, found.success) == (status, status in ("gradient", "change"))
        assert found.message.startswith(text), found.message
        assert np.isfinite(found.fun)
        assert np.isfinite(found.x).all()


def test_after_a_step_into_nan_the_last_good_point_is_the_result():
    def wall(x):
        return ravine(x) if np.abs(x).max() < 1e3 else (np.nan, x)

    found = minimize(wall, np.ones(3), method=SGD(lr=1.0), keep_points=True)
    x = np.ones(3)
    while np.abs(x - SCALES * x).max() < 1e3:
        x = x - SCALES * x
    np.testing.assert_array_equal(found.x, x)
    np.testing.assert_array_equal(found.history.points[-1], x)
    assert found.nfev == found.nit + 2  # and the one that was NaN


def test_an_infinite_gradient_is_no_good_point():
    found = minimize(lambda x: (1.0, np.full(2, np.inf) if x[0] < 0 else np.ones(2)), [1.0, 1.0], method=SGD(lr=0.75))
    assert (found.status, found.nit) == ("not finite", 1)
    np.testing.assert_array_equal(found.x, [0.25, 0.25])


def test_value_and_gradient_apart_are_the_same_as_together():
    for method in (LBFGS(), ConjugateGradient(), Newton(), Newton(kind="trust region", radius=100.0), Adam(lr=0.1)):
        values, slopes = Watched(lambda x: ravine(x)[0]), Watched(lambda x: ravine(x)[1])
        apart = minimize(values, np.ones(3), jac=slopes, hess=hess, method=method, max_steps=50)
        whole = minimize(ravine, np.ones(3), hess=hess, method=method, max_steps=50)
        np.testing.assert_array_equal(apart.history.values, whole.history.values)
        assert (apart.nfev, apart.njev) == (len(values.points), len(slopes.points))
        assert apart.njev <= apart.nfev == whole.nfev


def test_a_trust_region_computes_no_gradient_where_it_does_not_go():
    def valley(x):
        return float(100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2)

    def slope(x):
        return np.array([-400 * x[0] * (x[1] - x[0] ** 2) - 2 * (1 - x[0]), 200 * (x[1] - x[0] ** 2)])

    def bend(x):
        return np.array([[1200 * x[0] ** 2 - 400 * x[1] + 2, -400 * x[0]], [-400 * x[0], 200.0]])

    found = minimize(valley, [-1.2, 1.0], jac=slope, hess=bend, method=Newton(kind="trust region"))
    assert found.success
    assert found.njev == found.nit + 1 < found.nfev


@EVERY
def test_what_the_function_does_to_its_arrays_does_no_harm(method):
    kept = np.zeros(3)

    def careless(x):
        value, kept[:] = ravine(x)
        x[:] = np.nan
        return value, kept

    start = np.array([1.0, -2.0, 3.0])
    found = minimize(careless, start, hess=hess, method=method, max_steps=9)
    clean = minimize(ravine, start, hess=hess, method=method, max_steps=9)
    np.testing.assert_array_equal(found.x, clean.x)
    np.testing.assert_array_equal(found.history.values, clean.history.values)
    np.testing.assert_array_equal(start, [1.0, -2.0, 3.0])


def test_a_callback_that_spoils_its_arrays_does_no_harm():
    def spoil(step):
        step.x[:] = np.nan
        step.grad[:] = np.nan

    for method in (LBFGS(), Adam(lr=0.1)):
        found = minimize(ravine, np.ones(3), method=method, callback=spoil, max_steps=9)
        np.testing.assert_array_equal(found.x, minimize(ravine, np.ones(3), method=method, max_steps=9).x)


def test_points_of_any_shape_and_kind_are_computed_in_double_precision():
    def square(x):
        return float(np.sum(x**2)), 2 * x

    for start in (np.ones((2, 3), np.float32), [[1, 2], [3, 4]], np.ones((1, 1, 2))[:, :, ::-1]):
        for method in (LBFGS(), SGD(lr=0.1)):
            found = minimize(square, start, method=method)
            assert found.x.shape == np.shape(start)
            assert found.x.dtype == np.float64
            assert found.success


def test_the_progress_is_told_on_the_terminal_and_ends_with_its_line(capsys):
    minimize(ravine, np.ones(3), method=Adam(), max_steps=40, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.split("\r")
    assert lines[1].startswith("Adam 0/40 [                    ] value 3.5 ")
    assert "Adam 40/40 [████████████████████] value" in lines[-1]
    assert lines[-1].endswith(" budget\n")
    minimize(ravine, np.ones(3))
    assert capsys.readouterr() == ("", "")


def test_a_result_shows_all_but_its_history():
    lines = repr(minimize(ravine, np.zeros(3))).splitlines()
    names = [line.split(":")[0].strip() for line in lines]
    assert names == ["x", "fun", "grad", "success", "status", "message", "nit", "nfev", "njev", "nhev"]
    assert lines[4] == "  status: gradient"


BAD = {
    "method": ({"method": "LBFGS"}, TypeError, r"method must be an optimizer, such as lossref.LBFGS\(\), got 'LBFGS'"),
    "class": ({"method": LBFGS}, TypeError, r"method must be an optimizer, such as lossref.LBFGS\(\), got <class"),
    "fun": ({"fun": None}, TypeError, r"fun must be a function of x, got NoneType"),
    "jac": ({"jac": True}, TypeError, r"jac must be a function of x, got bool"),
    "callback": ({"callback": 3}, TypeError, r"callback must be a function, got int"),
    "tol": ({"tol": -1.0}, ValueError, r"tol must be a number >= 0, got -1.0"),
    "ftol": ({"ftol": np.nan}, ValueError, r"ftol must be a number >= 0, got nan"),
    "steps": ({"max_steps": -1}, ValueError, r"max_steps must be an integer >= 0, got -1"),
    "half a step": ({"max_steps": 0.5}, TypeError, r"max_steps must be an integer >= 0, got 0.5 of type float"),
    "evaluations": ({"max_evaluations": "3"}, TypeError, r"max_evaluations must be an integer >= 0, got '3' of type"),
    "x0": ({"x0": {"w": 1}}, TypeError, r"x0 has dtype object; convert it"),
    "number": ({"x0": 1.0}, ValueError, r"x0 is a single number; pass an array of one element"),
    "infinite x0": ({"x0": [1.0, np.inf]}, ValueError, r"x0\[1\] = inf is not a finite number"),
    "value alone": ({"fun": lambda x: 1.0}, TypeError, r"fun must return the value and the gradient, or jac must be g"),
    "gradient": ({"fun": lambda x: (1.0, x[:1])}, ValueError, r"the gradient that fun returned has shape \(1,\) but x"),
    "jac's": ({"fun": np.sum, "jac": lambda x: x[:1]}, ValueError, r"the gradient that jac returned has shape \(1,\)"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_by_name(case):
    change, error, text = BAD[case]
    with pytest.raises(error, match=f"^minimize: {text}"):
        minimize(**({"fun": ravine, "x0": [1.0, 2.0, 3.0]} | change))


@pytest.mark.parametrize("method", [LBFGS(), SGD(lr=0.1)], ids=repr)
def test_a_start_in_nan_is_refused(method):
    with pytest.raises(ValueError, match=r"^\w+: at x0 the value is nan and not all is finite; start from another"):
        minimize(lambda x: (np.nan, x), [1.0, 2.0], method=method)
