"""What the pages of single optimizers claim of them, beside the laws of all."""

import dataclasses

import numpy as np
import pytest
from test_optimizers import gradients, train

import lossref


@pytest.mark.parametrize("optimizer", [lossref.SignSGD(lr=0.1), lossref.Lion()], ids=repr)
def test_under_a_constant_rate_a_sign_circles_the_bottom_and_never_rests(optimizer, backend):
    for lr in (0.1, 0.01):
        theta = np.array([1.0, 0.217])
        circling, path = dataclasses.replace(optimizer, lr=lr), [theta.copy()]
        state = circling.init(theta)
        for _ in range(2000):
            circling.step(theta, np.array([0.1, 10.0]) * theta, state)
            path.append(theta.copy())
        np.testing.assert_allclose(np.abs(np.diff(path, axis=0)), lr, rtol=1e-9)
        assert lr / 2 <= np.abs(path[-500:]).max() < 10 * lr


def test_no_step_of_adamax_is_longer_than_its_bound_and_gradients_that_fade_with_the_maximum_reach_it(backend):
    for beta1, beta2 in ((0.9, 0.999), (0.5, 0.75)):
        longest = []
        for fading in (beta2, 0.85 * beta2, 1.0, -1.0):
            optimizer, theta, path = lossref.Adamax(lr=1.0, beta1=beta1, beta2=beta2), np.zeros(1), [0.0]
            state = optimizer.init(theta)
            for t in range(100):
                optimizer.step(theta, np.array([fading**t]), state)
                path.append(theta[0])
            longest.append(np.abs(np.diff(path)).max())
        bound = (1 - beta1) / (1 - beta1 / beta2)
        assert 0.999 * bound < longest[0] <= bound
        assert max(longest[1:]) <= bound


def test_the_first_step_of_adadelta_is_made_of_epsilon_and_near_a_minimum_it_is_plain_descent(backend):
    optimizer = lossref.AdaDelta(rho=0.75, eps=1e-6)
    for gradient in (1.0, 1e6, -1e6):
        theta = np.zeros(1)
        train(optimizer, theta, [np.array([gradient])])
        assert theta[0] == pytest.approx(-np.sign(gradient) * np.sqrt(1e-6 / 0.25), rel=1e-4)
    rest = {}
    for curvature in (1.9, 2.1):  # descent at a rate of 1 rests below 2
        theta = np.array([1e-9])
        state = optimizer.init(theta)
        for _ in range(1000):
            optimizer.step(theta, curvature * theta, state)
        rest[curvature] = abs(theta[0])
    assert rest[1.9] < 1e-40 < 1e-4 < rest[2.1]


def test_a_gradient_that_never_changes_is_believed_up_to_epsilon(backend):
    optimizer = lossref.AdaBelief(lr=0.5, beta1=0.5, beta2=0.9, eps_root=1e-5)
    for gradient in (2.0, -0.01):
        theta = np.zeros(1)
        state = train(optimizer, theta, [np.array([gradient])] * 300)
        before = theta[0]
        optimizer.step(theta, np.array([gradient]), state)
        assert theta[0] - before == pytest.approx(-0.5 * gradient * np.sqrt(0.1 / 1e-5), rel=1e-6)


def test_lion_is_sign_descent_without_memory_and_signum_with_one_and_adam_is_sign_descent_without_both(backend, rng):
    grads = gradients(rng, 20, np.float64, 10)
    by_sign, lion, adam, signum, expected, mean = (np.zeros(20) for _ in range(6))
    train(lossref.SignSGD(lr=0.5, weight_decay=0.5), by_sign, grads)
    train(lossref.Lion(lr=0.5, weight_decay=0.5, beta1=0.0, beta2=0.0), lion, grads)
    train(lossref.AdamW(lr=0.5, weight_decay=0.5, beta1=0.0, beta2=0.0, eps=1e-300), adam, grads)
    np.testing.assert_array_equal(lion, by_sign)
    np.testing.assert_allclose(adam, by_sign, rtol=1e-13)
    train(lossref.Lion(lr=0.5, beta1=0.75, beta2=0.75), signum, grads)
    for g in grads:
        mean = 0.75 * mean + 0.25 * g
        expected -= 0.5 * np.sign(mean)
    np.testing.assert_array_equal(signum, expected)


def test_rprop_refuses_limits_that_exclude_each_other_and_factors_on_the_wrong_side_of_one():
    for settings, text in (
        ({"max_step": 1e-7}, r"max_step must be at least min_step = 1e-06, got 1e-07"),
        ({"eta_plus": 1.0}, r"eta_plus must be a number > 1, got 1.0"),
        ({"eta_minus": 1.0}, r"eta_minus must be a number in \(0, 1\), got 1.0"),
    ):
        with pytest.raises(ValueError, match=f"^Rprop: {text}"):
            lossref.Rprop(**settings)
