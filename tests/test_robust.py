"""What holds of the robust losses alone: the family that contains most of them, and how it is accurate in between."""

import itertools

import mpmath
import numpy as np
import oracle
import pytest

import lossref

#: Beside the special shapes, where the formula as written cancels, and as far down as floats can tell.
SHAPES = (1e-300, 1e-9, -1e-9, 1 - 1e-9, 2 - 1e-9, 2 - 2**-52, -50.0, -1e30)


def truth(alpha, residual):
    """Value, slope and curvature of Barron's loss with scale 1, in a form that does not cancel."""
    with mpmath.workdps(60):
        r, rest = mpmath.mpf(float(residual)), 2 - mpmath.mpf(alpha)
        t = r * r / rest
        logarithm = mpmath.log1p(t)
        value = rest / alpha * mpmath.expm1(alpha / mpmath.mpf(2) * logarithm)
        power = mpmath.exp(-rest / 2 * logarithm)
        return value, r * power, power * (1 + (1 - rest) * t) / (1 + t)


def test_near_its_special_shapes_barron_keeps_its_digits(dtype, backend):
    far = [1e25, 3e38] if dtype == np.float32 else [1e200, 1e308]
    residuals = np.array([1e-30, 1e-9, 1e-3, 0.1, 0.7, 1.3, 2.5, 7.0, 12.0, 1e3, 1e9, *far], dtype)
    for alpha in SHAPES:
        loss = lossref.Barron(alpha=alpha, reduction="sum")
        exact = np.array([truth(alpha, r) for r in residuals])
        for method, wanted in zip(("values", "grad", "curvature"), exact.T, strict=True):
            errors = oracle.errors(getattr(loss, method)(residuals, 0 * residuals), wanted, dtype)
            assert errors.max() <= 4, (alpha, method, residuals[errors.argmax()])


@pytest.mark.parametrize(
    ("alpha", "relative"),
    [
        (2.0, lambda r, scale: lossref.MSE().values(r, 0 * r) / scale**2 / 2),
        (1.0, lambda r, scale: lossref.PseudoHuber(delta=scale).values(r, 0 * r) / scale**2),
        (0.0, lambda r, scale: lossref.Cauchy(scale=2**0.5 * scale).values(r, 0 * r) / scale**2),
        (-2.0, lambda r, scale: 2 * r**2 / (r**2 + 4 * scale**2)),  # Geman and McClure
        (-1e30, lambda r, scale: -np.expm1(-((r / scale) ** 2) / 2)),  # Welsch
    ],
)
def test_barron_is_the_losses_it_unites(alpha, relative, backend):
    residuals = np.array([-1e6, -3.0, -0.2, 1e-8, 0.9, 40.0])
    for scale in (1.0, 0.3, 5.0):
        values = lossref.Barron(alpha=alpha, scale=scale).values(residuals, 0 * residuals)
        np.testing.assert_allclose(values, relative(residuals, scale), rtol=1e-14)


def test_a_lower_alpha_costs_less_and_pulls_less(backend, rng):
    residuals = np.sort(10 ** rng.uniform(-1, 3, 50))
    shapes = [2.0, 1.9, 1.0, 1e-9, 0.0, -1e-9, -2.0, -50.0]
    for method in ("values", "grad"):
        results = [getattr(lossref.Barron(alpha=alpha), method)(residuals, 0 * residuals) for alpha in shapes]
        for more, less in itertools.pairwise(results):
            np.testing.assert_array_less(less, more * (1 + 1e-14))
        assert np.all(results[-1] < results[0])


def test_slopes_that_all_but_vanish_are_right_to_two_hundred_units(dtype, backend):
    """A large exponent multiplies what its logarithm has rounded off."""
    residuals = np.linspace(2, 40, 60).astype(dtype)
    for alpha in (-300.0, -1e3, -3e3, -1e4, -3e4):
        exact = np.array([truth(alpha, r)[1] for r in residuals])
        slopes = lossref.Barron(alpha=alpha, reduction="sum").grad(residuals, 0 * residuals)
        errors = oracle.errors(slopes, exact, dtype)
        assert errors.max() <= 200, alpha
        assert errors[exact > 1e-5].max() <= 4, alpha


def test_infinity_costs_its_limit_under_a_scale_that_float32_does_not_hold(backend):
    """Beside it a finite residual is nothing, and an infinite one is still infinite."""
    for alpha, ceiling in ((1.0, np.inf), (0.0, np.inf), (-2.0, 2.0)):
        loss = lossref.Barron(alpha=alpha, scale=1e300, reduction="sum")
        pred = np.array([np.inf, -np.inf, 1.0], np.float32)
        assert loss.values(pred, np.zeros(3, np.float32)).tolist() == [ceiling, ceiling, 0]
        assert loss.grad(pred, np.zeros(3, np.float32)).tolist() == [0, 0, 0]
