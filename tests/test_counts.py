"""What holds of the losses of counts and amounts alone: they are half deviances, and one family."""

import mpmath
import numpy as np
import oracle
import pytest

import lossref

LOSSES = [lossref.Poisson(), lossref.Gamma(), lossref.Tweedie(), lossref.Tweedie(power=1.1)]


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_the_logarithm_of_the_target_costs_nothing_and_everything_else_something(loss, dtype, backend):
    target = np.array([1e-6, 0.3, 1.0, 2.0, 17.0, 3e5], dtype)
    best = np.log(target)
    eps = float(np.finfo(dtype).eps)
    assert np.all(loss.values(best, target) <= (16 * eps) ** 2 * np.maximum(target, 1))
    for step in (-3, -0.3, -0.01, 0.01, 0.3, 3):
        assert np.all(loss.values(best + dtype.type(step), target) > 0)


def test_the_powers_1_and_2_are_poisson_and_gamma_to_the_last_bit(dtype, backend, rng):
    pred, target = rng.normal(size=99).astype(dtype), rng.gamma(2.0, 1.5, 99).astype(dtype)
    for power, same in ((1, lossref.Poisson()), (2, lossref.Gamma())):
        loss = lossref.Tweedie(power=power)
        for method in ("values", "grad", "curvature"):
            results = getattr(loss, method)(pred, target)
            np.testing.assert_array_equal(results, getattr(same, method)(pred, target))
            assert results.any()
        for outside in (-1.0, 0.0):
            one, other = (each([0.5], [outside]) for each in (loss, same))
            assert one == other or np.isnan([one, other]).all()


def test_beside_the_powers_1_and_2_nothing_cancels(dtype, backend):
    """There two terms of the formula grow like 1 / (p - 1) or 1 / (2 - p); joined, they are of the size of the loss."""
    pred, target = (part.ravel() for part in np.meshgrid([-7, -1.5, -0.1, 0, 0.2, 2, 9], [0.02, 1, 3, 80]))
    pred, target = pred.astype(dtype), target.astype(dtype)
    for power in (1 + 1e-15, 1 + 1e-9, 1.01, 1.99, 2 - 1e-9, 2 - 2**-52):
        got = lossref.Tweedie(power=power).values(pred, target)
        with mpmath.workdps(60):
            a, b = 2 - mpmath.mpf(power), mpmath.mpf(power) - 1
            exact, size = [], []
            for f, y in zip(pred, target, strict=True):
                mean, y = mpmath.exp(mpmath.mpf(float(f))), mpmath.mpf(float(y))
                above, below = (mean**a - y**a) / a, (y * mean**-b - y**a) / b
                exact.append(above + below)
                size.append(abs(above) + abs(below) + mean**a + y**a)
        assert oracle.errors(got, np.array(exact), dtype, size).max() <= 4, power


def test_a_gamma_loss_does_not_know_the_currency(dtype, backend, rng):
    pred, target = rng.normal(size=50).astype(dtype), rng.gamma(2.0, 1.5, 50).astype(dtype)
    factor = dtype.type(100)
    eps = float(np.finfo(dtype).eps)
    for method in ("values", "grad", "curvature"):
        here = getattr(lossref.Gamma(), method)(pred, target)
        there = getattr(lossref.Gamma(), method)(pred + np.log(factor), factor * target)
        np.testing.assert_allclose(there, here, atol=32 * eps * (1 + np.abs(here).max()), rtol=0)
        assert here.any()


def test_counts_by_hand(backend):
    poisson, gamma = lossref.Poisson(reduction="sum"), lossref.Gamma(reduction="sum")
    log2 = np.log(2.0)
    assert poisson.values([log2, log2, log2], [0, 2, 4]) == pytest.approx([2, 0, 4 * log2 - 2], rel=1e-15, abs=1e-30)
    assert poisson.grad([log2, log2], [0, 5]) == pytest.approx([2, -3], rel=1e-15)
    assert gamma.values([log2, log2], [4, 1]) == pytest.approx([1 - log2, log2 - 0.5], rel=1e-15)
    assert gamma.curvature([log2, log2], [4, 1]) == pytest.approx([2, 0.5], rel=1e-15)
    assert lossref.Tweedie(power=1.5).values([0.0, log2], [0.0, 8.0]) == pytest.approx([2, 2 * 2**0.5], rel=1e-15)
