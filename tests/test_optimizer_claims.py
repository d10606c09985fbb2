"""What the pages of single optimizers claim of them, beside the laws of all."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from test_optimizers import gradients, train

import lossref


def test_under_gradients_of_one_size_the_steps_of_adagrad_fall_as_one_over_the_root_of_their_number(backend):
    theta, places = np.zeros(2), [np.zeros(2)]
    optimizer = lossref.AdaGrad(lr=0.5)
    state = optimizer.init(theta)
    for _ in range(1000):
        optimizer.step(theta, np.array([-3.0, 0.01]), state)
        places.append(theta.copy())
    expected = np.outer(0.5 / np.sqrt(np.arange(1, 1001)), [1, -1])
    np.testing.assert_allclose(np.diff(places, axis=0), expected, rtol=1e-6)


def test_the_variance_of_centred_rmsprop_is_the_mean_square_less_the_squared_mean(backend, rng):
    """In exact numbers, from gradients around 1000 that vary by 1: there the difference would lose six digits."""
    rho, mean, square = Fraction(3, 4), Fraction(0), Fraction(0)
    optimizer = lossref.RMSprop(lr=1.0, rho=0.75, centered=True)
    theta = np.zeros(1)
    state = optimizer.init(theta)
    for g in rng.normal(1000.0, 1.0, 200):
        optimizer.step(theta, np.array([g]), state)
        mean, square = rho * mean + (1 - rho) * Fraction(g), rho * square + (1 - rho) * Fraction(g) ** 2
        assert state.buffers["v"][0] == pytest.approx(float(square - mean**2), rel=1e-12)
        assert state.buffers["m"][0] == pytest.approx(float(mean), rel=1e-14)


def test_centred_rmsprop_keeps_the_variance_of_gradients_that_hardly_vary(backend, dtype, rng):
    """A mean square less a squared mean has no right digit left here in float32, and is negative now and then."""
    all_grads = (1 + rng.normal(0, 1e-4, (400, 100))).astype(dtype)
    theta = np.zeros(100, dtype)
    state = train(lossref.RMSprop(rho=0.9, centered=True), theta, list(all_grads))
    assert np.isfinite(theta).all()
    weights, deviations = 0.1 * 0.9 ** np.arange(400)[::-1], all_grads - 1.0  # the weights' sum is 1 - 5e-19
    variance = weights @ deviations**2 - (weights @ deviations) ** 2
    # ten roundings of a mean around 1, which is what it remembers, beside deviations of 1e-4, some of which are small
    np.testing.assert_allclose(state.buffers["v"], variance, rtol={4: 1e-2, 8: 1e-9}[dtype.itemsize])


def step_from_zero(optimizer, gradient):
    """How far the first step goes, as a multiple of the rate."""
    theta = np.zeros(1)
    train(optimizer, theta, [np.array([gradient])])
    return -theta[0] / optimizer.lr


def test_the_first_steps_of_the_frameworks_differ_by_where_epsilon_stands_and_what_the_sum_begins_with(backend):
    keras = {"eps": 1e-7, "eps_placement": "inside"}
    late = 1e-3**-0.5  # in Keras ε stands before the correction of β₂ = 0.999, by which it grows
    for optimizer, gradient, expected in (
        (lossref.RMSprop(), 1e-4, 3.1613),
        (lossref.RMSprop(eps_placement="inside"), 1e-4, 0.9535),
        (lossref.RMSprop(**keras), 1e-4, 0.3147),
        (lossref.AdaGrad(), 0.1, 1.0),
        (lossref.AdaGrad(**keras, initial_accumulator=0.1), 0.1, 0.3015),
        (lossref.Adam(), 1e-8, 0.5),
        (lossref.Adam(eps=1e-8 * late), 1e-8, 0.0307),
        (lossref.Adam(eps=1e-7 * late), 1e-8, 0.00315),
        (lossref.Adam(eps_placement="inside"), 1e-8, 1e-4),
    ):
        assert step_from_zero(optimizer, gradient) == pytest.approx(expected, rel=2e-3), optimizer


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
