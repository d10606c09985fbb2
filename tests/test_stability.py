"""What the eigenvalues of a step predict is what happens: predicted against measured over hundreds of steps."""

import dataclasses
import math

import numpy as np
import pytest
from cases import about

import lossref
from lossref import SGD, _fallback, registry
from lossref.optimizers.base import Optimizer
from lossref.training import largest_stable_rate, spectral_radius, step_matrix, tuned

FORMS = [optimizer for optimizer in registry.samples("optimizers") if isinstance(optimizer, SGD)]
CURVATURES = (0.01, 0.3, 1.0, 2.7)


def state_of(theta, state):
    """All that a step changes, as one vector for each curvature."""
    return np.stack([theta, *state.buffers.values()])


def measured_factor(optimizer, curvatures, steps=400):
    """By what a step multiplies what it changes, on average over the second half of the steps.

    The step is linear, so that numbers are kept of the size of 1 by powers of two, without any rounding."""
    curvatures = np.atleast_1d(np.array(curvatures, dtype=float))
    theta = np.ones_like(curvatures)
    state = optimizer.init(theta)
    grown = np.zeros_like(theta)
    for t in range(steps):
        optimizer.step(theta, curvatures * theta, state)
        scale = np.frexp(np.abs(state_of(theta, state)).max(axis=0) + 1e-300)[1]
        for array in (theta, *state.buffers.values()):
            array[:] = np.ldexp(array, -scale)
        if t == steps // 2:
            grown[:], before = 0, np.linalg.norm(state_of(theta, state), axis=0)
        elif t > steps // 2:
            grown += scale * math.log(2)
    after = np.linalg.norm(state_of(theta, state), axis=0)
    return np.exp((grown + np.log(after / before)) / (steps - 1 - steps // 2))


def test_a_step_is_its_matrix(rng):
    for optimizer in FORMS:
        for h in CURVATURES:
            with about(optimizer, h):
                theta = rng.standard_normal(1)
                state = optimizer.init(theta)
                state.step = 7
                for buffer in state.buffers.values():
                    buffer[:] = rng.standard_normal(1)
                before = state_of(theta, state)
                optimizer.step(theta, h * theta, state)
                np.testing.assert_allclose(step_matrix(optimizer, h) @ before, state_of(theta, state), rtol=1e-13)


def test_the_measured_factor_is_the_predicted_one():
    """Up to one part in a hundred: what oscillates is caught at some phase, and two hundred steps divide that."""
    for optimizer in FORMS:
        predicted = spectral_radius(optimizer, CURVATURES)
        np.testing.assert_allclose(
            measured_factor(optimizer, CURVATURES), predicted, rtol=0.01, err_msg=repr(optimizer)
        )


def test_the_largest_stable_rate_is_that_of_the_textbook_and_parts_what_converges_from_what_does_not():
    for optimizer in FORMS:
        beta, tau, decay = optimizer.momentum, optimizer.dampening, optimizer.weight_decay
        for h in (1e-3, 1.0, 50.0):
            with about(optimizer, h):
                found = largest_stable_rate(optimizer, h)
                textbook = 2 * (1 + beta) / ((h + decay) * (1 + 2 * beta if optimizer.nesterov else 1 - tau))
                assert found == pytest.approx(textbook, rel=1e-12)
                for part, converges in ((0.97, True), (1.03, False)):
                    changed = dataclasses.replace(optimizer, lr=part * found)
                    assert (spectral_radius(changed, h) < 1) == converges
                    assert h != 1.0 or (measured_factor(changed, h)[0] < 1) == converges


def test_a_step_by_the_gradient_before_leaves_the_circle_as_a_complex_pair(monkeypatch):
    """No form of SGD does; a gradient that comes one step late does, where rate times curvature is 1."""
    monkeypatch.setitem(_fallback.kernels, "stale", None)  # and take it out again

    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Stale(Optimizer):
        def buffers(self):
            return ("v",)

        @staticmethod
        def formula(theta, g, v, lr):
            return {"v": g, "theta": theta - lr * v}

    assert largest_stable_rate(Stale(lr=1.0), 4.0) == pytest.approx(0.25, rel=1e-14)
    np.testing.assert_array_equal(step_matrix(Stale(lr=0.5), 4.0), [[1, -0.5], [4, 0]])
    assert spectral_radius(Stale(lr=0.2), 4.0) == pytest.approx(math.sqrt(0.8), rel=1e-14)


def test_of_many_curvatures_the_highest_decides():
    optimizer = SGD(lr=0.999 * largest_stable_rate(SGD(lr=1.0, momentum=0.9), 8.0), momentum=0.9)
    radii = spectral_radius(optimizer, np.linspace(0.01, 8.1, 60).reshape(3, 20))
    assert radii.shape == (3, 20)
    np.testing.assert_array_equal(radii.ravel() < 1, np.linspace(0.01, 8.1, 60) < 8.008)


METHODS = ("descent", "momentum", "nesterov")


@pytest.mark.parametrize("method", METHODS)
def test_the_best_settings_bring_what_they_promise_and_no_others_bring_more(method, rng):
    for lowest, highest in ((1.0, 4.0), (0.5, 60.0), (1e-3, 10.0)):
        best = tuned(method, lowest, highest)
        curvatures = np.concatenate([[lowest, highest], np.geomspace(lowest, highest, 200)])
        # Two eigenvalues meet at the ends of the spectrum, where half of their digits are lost.
        assert spectral_radius(best.optimizer, curvatures).max() == pytest.approx(best.radius, abs=1e-6)
        for _ in range(30):
            lr = best.optimizer.lr * math.exp(rng.uniform(-0.3, 0.3))
            settings = {"lr": lr}
            if method != "descent":
                left = (1 - best.optimizer.momentum) * math.exp(rng.uniform(-0.5, 0.5))
                settings |= {"momentum": max(1 - left, 0.01), "nesterov": method == "nesterov"}
            assert spectral_radius(SGD(**settings), curvatures).max() > best.radius


@pytest.mark.parametrize("method", METHODS)
def test_the_best_settings_measured(method):
    """The distance falls like t times the power of the factor: the first t costs its logarithm over the steps."""
    best = tuned(method, 0.5, 60.0)
    steps, curvatures = 600, np.geomspace(0.5, 60.0, 50)
    theta = np.ones_like(curvatures)
    state = best.optimizer.init(theta)
    heights = []
    for _ in range(steps):
        optimizer_step(best.optimizer, theta, curvatures, state)
        heights.append(np.linalg.norm(theta))
    measured = (heights[-1] / heights[99]) ** (1 / (steps - 100))
    assert best.radius * 0.999 <= measured <= best.radius * 6 ** (1 / (steps - 100)) * 1.001


def optimizer_step(optimizer, theta, curvatures, state):
    optimizer.step(theta, curvatures * theta, state)


def test_momentum_takes_the_root_of_the_condition_number():
    steps = {method: [-1 / math.log(tuned(method, 1.0, k).radius) for k in (1e3, 1e5, 1e7)] for method in METHODS}
    for method, power in (("descent", 1.0), ("momentum", 0.5), ("nesterov", 0.5)):
        ratios = np.log10(np.array(steps[method][1:]) / steps[method][:-1]) / 2
        np.testing.assert_allclose(ratios, power, atol=0.01)


def test_of_one_curvature_alone_every_method_is_descent_that_arrives_at_once():
    for method in METHODS:
        best = tuned(method, 4.0, 4.0)
        assert (best.radius, best.optimizer) == (0.0, SGD(lr=0.25))
        assert spectral_radius(best.optimizer, 4.0) == 0


# --- Nesterov's look-ahead ----------------------------------------------------------------------------------------


def look_ahead(h, lr, beta, steps, *, with_rate):
    """Nesterov's method as textbooks write it; without the rate in the look-ahead, as some write it wrongly."""
    theta, v = 1.0, 0.0
    for _ in range(steps):
        v = beta * v + h * (theta - (lr if with_rate else 1) * beta * v)
        theta -= lr * v
    return theta, v


def test_a_look_ahead_without_the_rate_diverges_beyond_its_curvature_whatever_the_rate():
    for h, right, wrong in ((5.0, -1.67e-5, 1.93e108), (2.2, 0.00407, 3.29e3)):
        assert look_ahead(h, 1e-3, 0.9, 200, with_rate=True)[0] == pytest.approx(right, rel=5e-3)
        assert abs(look_ahead(h, 1e-3, 0.9, 200, with_rate=False)[0]) == pytest.approx(wrong, rel=5e-3)
    for lr in (1e-2, 1e-5, 1e-9):
        for part, diverges in ((0.95, False), (1.05, True)):
            _, v = look_ahead(part * (1 + 1 / 0.9), lr, 0.9, 1000, with_rate=False)
            assert (abs(v) > 1e6) == diverges, (lr, part)
            assert spectral_radius(SGD(lr=lr, momentum=0.9, nesterov=True), part * (1 + 1 / 0.9)) < 1


def test_the_shifted_form_of_the_library_is_the_point_looked_at():
    lr, beta, h = 0.05, 0.8, 3.0
    theta = np.ones(1)
    optimizer = SGD(lr=lr, momentum=beta, nesterov=True)
    state = optimizer.init(theta)
    for steps in range(1, 40):
        optimizer.step(theta, h * theta, state)
        textbook, v = look_ahead(h, lr, beta, steps, with_rate=True)
        assert theta[0] == pytest.approx(textbook - lr * beta * v, abs=1e-14)


# --- What has no matrix -------------------------------------------------------------------------------------------


def test_only_a_step_that_is_linear_has_a_matrix():
    for optimizer in registry.samples("optimizers"):
        if not isinstance(optimizer, SGD) and "g" in optimizer.arguments():
            name = type(optimizer).__name__
            with pytest.raises(ValueError, match=rf"^spectral_radius: a step of {name} is not linear in what it rem"):
                spectral_radius(dataclasses.replace(optimizer, lr=0.1), 1.0)


def test_what_cannot_be_told_is_refused():
    rate = lossref.StepDecay(initial=1.0, every=5)
    for ask in (step_matrix, spectral_radius):
        with pytest.raises(ValueError, match=rf"^{ask.__name__}: lr is a schedule, StepDecay\(.*give a number"):
            ask(SGD(lr=rate), 1.0)
        with pytest.raises(TypeError, match=rf"^{ask.__name__}: curvature is None"):
            ask(SGD(lr=1.0), None)
    for ask in (step_matrix, spectral_radius, largest_stable_rate):
        with pytest.raises(TypeError, match=rf"^{ask.__name__}: optimizer must be an optimizer, got float"):
            ask(1.0, 1.0)
    assert largest_stable_rate(SGD(lr=rate), 1.0) == 2.0
    for wrong in (0.0, -1.0, math.nan, math.inf):
        for ask in (lambda h: largest_stable_rate(SGD(lr=1.0), h), lambda h: tuned("descent", h, 2.0)):
            with pytest.raises(
                ValueError, match=r"^(largest_stable_rate: curvature|tuned: lowest) must be a finite num"
            ):
                ask(wrong)
    for wrong in ("1", None, True):
        with pytest.raises(TypeError, match=r"^largest_stable_rate: curvature must be a number > 0, got .* of type"):
            largest_stable_rate(SGD(lr=1.0), wrong)
    with pytest.raises(ValueError, match=r"^tuned: lowest must be at most highest, got 3.0 and 2.0$"):
        tuned("momentum", 3.0, 2.0)
    with pytest.raises(ValueError, match=r"^tuned: method must be 'descent', 'momentum' or 'nesterov', got 'adam'$"):
        tuned("adam", 1.0, 2.0)
