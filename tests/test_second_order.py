"""Laws of the methods that know of curvature: they end on quadratics, are what their formulas say, and keep count."""

import copy
import inspect
import itertools
import pickle
from fractions import Fraction

import numpy as np
import pytest
from oracle import rosenbrock

import lossref
from lossref import BFGS, LBFGS, ConjugateGradient, Newton, optimizers
from lossref.optimizers import Problem
from lossref.optimizers.quasi_newton import BETAS
from lossref.optimizers.second_order import SecondOrder, within

PUBLIC = {name: getattr(lossref, name) for name in lossref.__all__}
CLASSES = [getattr(optimizers, name) for name in optimizers.__all__]
CLASSES = [cls for cls in CLASSES if inspect.isclass(cls) and issubclass(cls, SecondOrder)]
SAMPLES = [cls(**settings) for cls in CLASSES for settings in cls.samples]
EVERY = pytest.mark.parametrize("method", SAMPLES, ids=repr)
EACH = pytest.mark.parametrize("method", [cls() for cls in CLASSES], ids=repr)
#: Searches that find the minimum along the line.
EXACT = {"c1": 1e-12, "c2": 1e-10}


def bend_of_rosenbrock(x):
    bend = np.diag(np.append(1200 * x[:-1] ** 2 - 400 * x[1:] + 2, 0.0) + np.append(0.0, np.full(len(x) - 1, 200.0)))
    off = np.diag(-400 * x[:-1], 1)
    return bend + off + off.T


def quadratic(matrix):
    return Problem(lambda x: (float(x @ matrix @ x) / 2, matrix @ x), hess=lambda x: matrix)


def posed(n, rng, condition=100.0):
    """A symmetric matrix of given condition, in axes that are not those of the coordinates."""
    axes = np.linalg.qr(rng.normal(size=(n, n)))[0]
    return axes @ np.diag(np.geomspace(1, condition, n)) @ axes.T


def run(method, problem, x0, steps):
    """The states after 0, 1, ... steps, until there is no next one."""
    state = method.start(problem, x0)
    states = [copy.deepcopy(state)]
    for _ in range(steps):
        method.advance(problem, state)
        if state.failure:
            break
        states.append(copy.deepcopy(state))
    return states


def bits(state):
    return pickle.dumps((state.step, state.value, state.rate, state.skipped, state.restarts, state.failure)) + b"".join(
        np.asarray(array, dtype=float).tobytes() for array in (state.x, state.grad, *state.buffers.values())
    )


@EVERY
def test_the_minimum_of_bowl_ravine_and_rosenbrock_is_reached(method, rng):
    for n, condition in ((2, 1.0), (5, 1000.0)):
        last = run(method, quadratic(posed(n, rng, condition)), rng.normal(size=n), 400)[-1]
        assert np.abs(last.x).max() < 1e-6
    last = run(method, Problem(rosenbrock, hess=bend_of_rosenbrock), [-1.2, 1.0], 400)[-1]
    np.testing.assert_allclose(last.x, 1, atol=1e-6)


@EVERY
def test_no_step_goes_up_but_of_newton_pure(method, rng):
    problem = Problem(rosenbrock, hess=bend_of_rosenbrock)
    states = run(method, problem, [-1.2, 1.0, -1.2, 1.0, 0.5], 60)
    assert len(states) > 7
    ups = sum(after.value > before.value * (1 + 1e-14) for before, after in itertools.pairwise(states))
    assert ups == 0 or getattr(method, "kind", None) == "pure"


@pytest.mark.parametrize("beta", ["PR+", "FR", "HS", "DY", "HZ"])
def test_conjugate_gradients_end_on_a_quadratic_after_as_many_steps_as_dimensions(beta, rng):
    matrix = posed(8, rng)
    states = run(ConjugateGradient(beta=beta, **EXACT), quadratic(matrix), rng.normal(size=8), 8)
    largest = np.abs(states[0].grad).max()
    assert np.abs(states[7].grad).max() > 1e-4 * largest  # not before
    assert np.abs(states[8].grad).max() < 1e-6 * largest
    directions = [state.buffers["direction"] for state in states[1:]]
    sizes = [np.sqrt(d @ matrix @ d) for d in directions]
    for i, d in enumerate(directions):
        for j in range(i):
            assert abs(d @ matrix @ directions[j]) < 1e-6 * sizes[i] * sizes[j]


def share_by_definition(beta, new, old, d):
    new, old, d = exact(new), exact(old), exact(d)
    y = new - old
    if beta == "HZ":
        bound = -1 / (float(d @ d) ** 0.5 * min(0.01, float(old @ old) ** 0.5))
        return max(float(((y - 2 * d * ((y @ y) / (d @ y))) @ new) / (d @ y)), bound)
    shares = {
        "PR+": max(Fraction(0), (new @ y) / (old @ old)),
        "FR": (new @ new) / (old @ old),
        "HS": (new @ y) / (d @ y),
        "DY": (new @ new) / (d @ y),
    }
    return float(shares[beta])


@pytest.mark.parametrize("beta", ["PR+", "FR", "HS", "DY", "HZ"])
def test_the_share_of_the_last_direction_is_that_of_its_definition(beta, rng):
    states = run(ConjugateGradient(beta=beta), Problem(rosenbrock), rng.normal(size=5), 15)
    for before, after in itertools.pairwise(states):
        defined = share_by_definition(beta, after.grad, before.grad, after.buffers["direction"])
        assert after.buffers["share"] == pytest.approx(defined, rel=1e-9, abs=1e-12)
    found = []
    for slant in 10.0 ** rng.uniform(-3, 0, size=50):  # small ones lead to the bounds, which few steps reach
        new, old, d = rng.normal(size=(3, 4))
        y = new - old
        d = d + (slant - d @ y) / (y @ y) * y  # so that d @ y is the slant
        found.append((BETAS[beta](new, old, y, d), share_by_definition(beta, new, old, d)))
    np.testing.assert_allclose(*zip(*found, strict=True), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("method", [BFGS(**EXACT), LBFGS(memory=8, **EXACT)], ids=repr)
def test_quasi_newton_methods_end_on_a_quadratic_after_as_many_steps_as_dimensions(method, rng):
    matrix = posed(8, rng)
    states = run(method, quadratic(matrix), rng.normal(size=8), 8)
    assert np.abs(states[7].grad).max() > 1e-4 * np.abs(states[0].grad).max()
    assert np.abs(states[8].grad).max() < 1e-6 * np.abs(states[0].grad).max()


def test_after_so_many_exact_steps_the_matrix_of_bfgs_is_the_inverse_hessian(rng):
    matrix = posed(8, rng)
    states = run(BFGS(**EXACT), quadratic(matrix), rng.normal(size=8), 8)
    inverse = np.linalg.inv(matrix)
    np.testing.assert_allclose(states[8].buffers["inverse"], inverse, atol=1e-6 * np.abs(inverse).max())
    assert np.abs(states[7].buffers["inverse"] - inverse).max() > 1e-3 * np.abs(inverse).max()


def exact(array):
    return np.vectorize(Fraction, otypes=[object])(np.asarray(array, dtype=float))


def test_an_update_of_bfgs_is_the_product_of_its_definition(rng):
    problem = Problem(rosenbrock)
    states = run(BFGS(), problem, rng.normal(size=5), 6)
    for before, after in itertools.pairwise(states[1:]):
        last, new = before.buffers["inverse"], after.buffers["inverse"]
        direction = -(last @ before.grad)
        s, y = exact(after.rate * direction), exact(after.grad) - exact(before.grad)
        change = exact(np.eye(5)) - np.outer(s, y) / (s @ y)
        defined = (change @ exact(last) @ change.T + np.outer(s, s) / (s @ y)).astype(float)
        np.testing.assert_allclose(new, defined, rtol=1e-9, atol=1e-12 * np.abs(defined).max())
        np.testing.assert_array_equal(new, new.T)
        assert np.linalg.eigvalsh(new).min() > 0
        np.testing.assert_allclose(new @ y.astype(float), s.astype(float), rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("memory", [1, 3, 20])
def test_the_direction_of_lbfgs_is_that_of_the_two_loop_recursion(memory, rng):
    method = LBFGS(memory=memory)
    for state in run(method, Problem(rosenbrock), rng.normal(size=6), 11)[1:]:
        kept, taken = state.buffers, state.buffers["taken"]
        ages = [place % memory for place in range(max(0, taken - memory), taken)]  # from the oldest to the latest
        pairs = [(exact(kept["steps"][place]), exact(kept["changes"][place])) for place in ages]
        q, alphas = exact(state.grad), []
        for s, y in reversed(pairs):
            alphas.append((s @ q) / (s @ y))
            q = q - alphas[-1] * y
        s, y = pairs[-1]
        r = q * ((s @ y) / (y @ y))
        for (s, y), alpha in zip(pairs, reversed(alphas), strict=True):
            r = r + (alpha - (y @ r) / (s @ y)) * s
        np.testing.assert_allclose(-r.astype(float), method._direction(state), rtol=1e-7, atol=1e-11)


def test_bfgs_and_lbfgs_that_remembers_all_take_the_same_steps(rng):
    start = rng.normal(size=5)
    dense, limited = (run(method, Problem(rosenbrock), start, 12) for method in (BFGS(), LBFGS(memory=1000)))
    # They part at the first matrix, which L-BFGS scales anew at each step: the first two steps are the same.
    np.testing.assert_allclose(dense[1].x, limited[1].x, rtol=1e-12)
    np.testing.assert_allclose(dense[2].x, limited[2].x, rtol=1e-9)


def test_newton_solves_a_quadratic_in_one_step(rng):
    for kind in ("damped", "pure", "trust region"):
        states = run(Newton(kind=kind, radius=1e6), quadratic(posed(6, rng, 1e4)), rng.normal(size=6), 1)
        assert np.abs(states[1].x).max() < 1e-10


@pytest.mark.parametrize("kind", ["damped", "pure", "trust region"])
def test_near_the_minimum_newton_doubles_the_digits(kind):
    problem = Problem(rosenbrock, hess=bend_of_rosenbrock)
    errors = [np.abs(state.x - 1).max() for state in run(Newton(kind=kind), problem, [1.02, 1.03, 1.05], 6)]
    # The constant: the change of the Hessian, up to 2400 from 1 to 2, over twice its lowest eigenvalue there, 0.3.
    near = [(e, after) for e, after in itertools.pairwise(errors) if 1e-7 < e < 1e-4]
    assert len(near) >= 1
    for e, after in near:
        assert after <= 4000 * e**2
    assert min(errors) < 1e-13


@pytest.mark.parametrize("method", [BFGS(), LBFGS(memory=30)], ids=repr)
def test_the_tail_is_faster_than_any_geometric_series(method):
    states = run(method, Problem(rosenbrock), [-1.2, 1.0, 0.8], 100)
    errors = np.array([np.linalg.norm(state.x - 1) for state in states])
    errors = errors[errors > 1e-12]
    ratios = errors[1:] / errors[:-1]
    assert ratios[-1] < 0.05 < np.median(ratios[:-6])


def saddle(x):
    """A saddle at the origin, minima at (0, 1) and (0, -1)."""
    return float(x[0] ** 2 / 2 + x[1] ** 4 / 4 - x[1] ** 2 / 2), np.array([x[0], x[1] ** 3 - x[1]])


def bend_of_saddle(x):
    return np.diag([1.0, 3 * x[1] ** 2 - 1])


def test_newton_pure_walks_into_a_saddle_and_the_others_past_it():
    problem = Problem(saddle, hess=bend_of_saddle)
    ends = {kind: run(Newton(kind=kind), problem, [1.0, 0.3], 30)[-1].x for kind in ("pure", "damped", "trust region")}
    np.testing.assert_allclose(ends["pure"], [0, 0], atol=1e-9)
    np.testing.assert_allclose(ends["damped"], [0, 1], atol=1e-9)
    np.testing.assert_allclose(ends["trust region"], [0, 1], atol=1e-9)


def test_a_damped_step_divides_by_the_absolute_curvatures(rng):
    turn = np.linalg.qr(rng.normal(size=(2, 2)))[0]
    problem = Problem(
        lambda x: (saddle(turn @ x)[0], turn.T @ saddle(turn @ x)[1]),
        hess=lambda x: turn.T @ bend_of_saddle(turn @ x) @ turn,
    )
    before, after = run(Newton(), problem, turn.T @ [1.0, 0.3], 1)
    direction = turn @ (after.x - before.x) / after.rate
    np.testing.assert_allclose(direction, [-1.0, (0.3 - 0.3**3) / abs(3 * 0.3**2 - 1)], rtol=1e-12)


def test_the_radius_follows_from_how_well_the_model_predicted():
    seen = set()
    problem = Problem(rosenbrock, hess=bend_of_rosenbrock)
    for first in (0.01, 1.0, 100.0):
        states = run(Newton(kind="trust region", radius=first), problem, [-1.2, 1.0, 0.5], 40)
        for before, after in itertools.pairwise(states):
            if np.abs(after.grad).max() < 1e-4:
                break  # where the quotient is rounding
            s = after.x - before.x
            length, radius = np.linalg.norm(s), after.rate
            promised = -(before.grad @ s + s @ bend_of_rosenbrock(before.x) @ s / 2)
            kept = (before.value - after.value) / promised
            assert kept > 1e-4
            if kept < 0.25:
                case, wanted = "shrinks", length / 4
            elif kept > 0.75 and length > 0.99 * radius:
                case, wanted = "grows", 2 * radius
            else:
                case, wanted = "stays", radius
            seen.add(case)
            assert after.buffers["radius"] == pytest.approx(wanted, rel=1e-9)
            assert radius <= before.buffers["radius"]
    assert seen == {"shrinks", "grows", "stays"}


def test_a_trust_region_leaves_a_saddle_where_the_gradient_is_zero():
    last = run(Newton(kind="trust region"), Problem(saddle, hess=bend_of_saddle), [0.0, 0.0], 30)[-1]
    np.testing.assert_allclose(np.abs(last.x), [0, 1], atol=1e-9)


def models(rng):
    """Quadratic models in their axes: curvatures that ascend, slopes, a radius; the hard case among them."""
    for _ in range(100):
        n = rng.integers(1, 7)
        curvatures = np.sort(rng.normal(size=n) * 10.0 ** rng.uniform(-3, 3))
        slopes = rng.normal(size=n) * 10.0 ** rng.uniform(-3, 3)
        if rng.random() < 0.3:
            slopes[0] = 0.0
        if rng.random() < 0.2:
            curvatures = np.abs(curvatures[::-1])[np.argsort(np.abs(curvatures[::-1]))]
        if rng.random() < 0.1:
            slopes *= 0
        yield curvatures, slopes, 10.0 ** rng.uniform(-3, 3)


def test_the_step_of_a_trust_region_minimizes_its_model(rng):
    """The conditions of Moré and Sorensen, which hold at the minimum and nowhere else."""
    for curvatures, slopes, radius in models(rng):
        d = within(curvatures, slopes, radius)
        length = np.linalg.norm(d)
        assert length <= radius * (1 + 1e-9)
        residual = -(slopes + curvatures * d)  # equal to mu * d
        mu = float(residual @ d) / length**2 if length else 0.0
        scale = np.abs(slopes).max(initial=0) + np.abs(curvatures).max() * length
        np.testing.assert_allclose(residual, mu * d, atol=1e-7 * scale + 1e-300)
        size = np.abs(curvatures).max()
        if length:
            assert mu >= -1e-9 * size
            assert curvatures[0] + mu >= -1e-7 * size
        if length < radius * (1 - 1e-6):
            assert mu * length <= 1e-7 * scale + 1e-300
            assert curvatures[0] >= -1e-9 * size


@EVERY
def test_a_run_resumed_from_a_pickle_gives_the_same_bits(method):
    problem = Problem(rosenbrock, hess=bend_of_rosenbrock)
    whole = method.start(problem, [-1.2, 1.0, 0.7])
    half = method.start(problem, [-1.2, 1.0, 0.7])
    for _ in range(3):
        method.advance(problem, whole)
        method.advance(problem, half)
    restored, half = pickle.loads(pickle.dumps((method, half)))
    for _ in range(3):
        method.advance(problem, whole)
        restored.advance(problem, half)
    assert whole.step == 6 or whole.failure
    assert bits(whole) == bits(half)


@EVERY
def test_a_point_of_any_shape_takes_the_steps_of_a_flat_one(method):
    flat = Problem(rosenbrock, hess=bend_of_rosenbrock)
    shaped = Problem(
        lambda x: (rosenbrock(x.ravel())[0], rosenbrock(x.ravel())[1].reshape(2, 2)),
        hess=lambda x: bend_of_rosenbrock(x.ravel()),
    )
    start = np.array([-1.2, 1.0, 0.5, 0.5])
    for a, b in zip(run(method, flat, start, 6), run(method, shaped, start.reshape(2, 2), 6), strict=True):
        assert b.x.shape == b.grad.shape == (2, 2)
        np.testing.assert_array_equal(a.x, b.x.ravel())


def test_an_update_along_which_the_gradient_does_not_grow_is_skipped_and_counted():
    for method in (BFGS(), LBFGS()):
        problem = Problem(lambda x: (-float(x.sum()), -np.ones(2)))
        state = method.start(problem, [0.0, 0.0])
        fresh = {name: np.array(value) for name, value in method.buffers(state.x).items()}
        method.advance(problem, state)
        assert (state.skipped, state.step) == (1, 1)
        for name, value in fresh.items():
            np.testing.assert_array_equal(np.array(state.buffers[name]), value)


def test_the_product_of_step_and_change_is_positive_in_all_that_is_remembered(rng):
    def waves(x):
        return float(np.sum(x**2 / 20 + np.sin(3 * x))), x / 10 + 3 * np.cos(3 * x)

    for state in run(LBFGS(memory=5), Problem(waves), rng.normal(size=6) * 5, 30)[1:]:
        kept = state.buffers
        filled = min(kept["taken"], 5)
        products = np.sum(kept["steps"][:filled] * kept["changes"][:filled], axis=1)
        assert (products > 0).all()
        np.testing.assert_allclose(kept["products"][:filled], products, rtol=1e-6)


def test_a_direction_that_leads_up_is_dropped_and_counted():
    problem = Problem(rosenbrock)
    for method in (BFGS(), ConjugateGradient()):
        state = method.start(problem, [-1.2, 1.0])
        for _ in range(3):
            method.advance(problem, state)
        before, dropped = state.value, state.restarts
        spoilt = {"inverse": -np.eye(2)} if isinstance(method, BFGS) else {"direction": state.grad, "share": 2.0}
        state.buffers.update(spoilt)
        method.advance(problem, state)
        assert state.restarts == dropped + 1
        assert state.value < before


def test_the_damped_step_is_halved_until_the_value_falls():
    def root(x):  # Newton's step overshoots from far away
        return float(np.sum(np.sqrt(1 + x**2))), x / np.sqrt(1 + x**2)

    problem = Problem(root, hess=lambda x: np.diag((1 + x**2) ** -1.5))
    states = run(Newton(), problem, [3.0, -2.0], 12)
    assert states[1].rate in (0.5**k for k in range(1, 9))
    assert np.abs(states[-1].x).max() < 1e-9
    assert np.abs(run(Newton(kind="pure"), problem, [3.0, -2.0], 3)[-1].x).max() > 100


def test_a_step_into_nan_is_taken_back():
    def barrier(x):
        return float(np.sum(x - np.log(x))), 1 - 1 / x

    for method in (Newton(), Newton(kind="trust region", radius=100.0), BFGS(), LBFGS(), ConjugateGradient()):
        problem = Problem(barrier, hess=lambda x: np.diag(1 / x**2))
        states = run(method, problem, [5.0, 0.01], 100)
        assert all(np.isfinite(state.value) for state in states)
        np.testing.assert_allclose(states[-1].x, 1, atol=1e-6)


def test_where_there_is_no_next_point_the_state_stays_and_says_why():
    everywhere = np.array([1.0, 1.0])
    for method, hess, text in (
        (Newton(kind="pure"), lambda x: np.zeros((2, 2)), "the Hessian is singular"),
        (Newton(), lambda x: np.full((2, 2), np.nan), "the Hessian is not finite"),
        (BFGS(), None, "no step lowers the value, down to"),
        (Newton(), lambda x: np.eye(2), "no step lowers the value enough, down to"),
        (Newton(kind="trust region"), lambda x: np.eye(2), "no step lowers the value, down to a radius of"),
        (Newton(kind="pure"), lambda x: np.eye(2), "the step leads to a value of nan"),
    ):
        problem = Problem(lambda x: (1.0, np.ones(2)) if (x == 1).all() else (np.nan, np.ones(2)), hess=hess)
        state = method.start(problem, everywhere)
        method.advance(problem, state)
        assert state.failure.startswith(text), state.failure
        assert (state.step, state.value) == (0, 1)
        np.testing.assert_array_equal(state.x, everywhere)


@EACH
def test_bad_input_is_refused_by_name(method):
    owner = type(method).__name__
    problem = quadratic(np.eye(2))
    with pytest.raises(TypeError, match=f"^{owner}: problem must be a Problem, got function; make one"):
        method.start(lambda x: (x @ x, x), [1.0, 1.0])
    with pytest.raises(ValueError, match=rf"^{owner}: x0\[1\] = nan is not a finite number"):
        method.start(problem, [1.0, np.nan])
    with pytest.raises(ValueError, match=f"^{owner}: at x0 the value is nan and not all is finite; start"):
        method.start(Problem(lambda x: (np.nan, x)), [1.0, 1.0])
    with pytest.raises(TypeError, match=rf"^{owner}: state must be what start\(problem, x0\) returned, got NoneType"):
        method.advance(problem, None)
    other = BFGS(c2=0.5).start(problem, [1.0, 1.0])
    before = bits(other)
    with pytest.raises(ValueError, match=rf"^{owner}: state belongs to BFGS\(c1=0.0001, c2=0.5\), not to {owner}\("):
        method.advance(problem, other)
    assert bits(other) == before


def test_newton_without_a_hessian_is_refused():
    for hess, error, text in (
        (None, TypeError, "Newton needs the Hessian; give hess, a function of x that returns it"),
        (lambda x: np.eye(3), ValueError, r"the Hessian that hess returned has shape \(3, 3\) but a Hessian of x has"),
        (lambda x: None, TypeError, "the Hessian that hess returned is None"),
    ):
        problem = Problem(lambda x: (float(x @ x), 2 * x), hess=hess)
        state = Newton().start(problem, [1.0, 1.0])
        with pytest.raises(error, match=f"^Problem: {text}"):
            Newton().advance(problem, state)
        assert state.step == 0


@pytest.mark.parametrize(
    ("cls", "settings", "error", "text"),
    [
        (LBFGS, {"memory": 0}, ValueError, "memory must be an integer >= 1, got 0"),
        (LBFGS, {"memory": 2.0}, TypeError, "memory must be an integer >= 1, got 2.0 of type float"),
        (BFGS, {"c1": 0.9}, ValueError, "c1 must be below c2, got c1=0.9, c2=0.9"),
        (BFGS, {"c2": 1.0}, ValueError, r"c2 must be a number in \(0, 1\), got 1.0"),
        (ConjugateGradient, {"beta": "PR"}, ValueError, r"beta must be 'PR\+' or 'FR' or"),
        (Newton, {"kind": 1}, TypeError, "kind must be 'damped' or 'trust region' or 'pure', got 1 of type int"),
        (Newton, {"radius": 0}, ValueError, "radius must be a number > 0, got 0"),
    ],
)
def test_settings_out_of_range_are_refused_at_construction(cls, settings, error, text):
    with pytest.raises(error, match=f"^{cls.__name__}: {text}"):
        cls(**settings)


@EVERY
def test_a_repr_rebuilds_its_method(method):
    assert eval(repr(method), PUBLIC) == method
    assert hash(pickle.loads(pickle.dumps(method))) == hash(method)
