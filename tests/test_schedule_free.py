"""Laws of the schedule-free step: where its three points are, and what its average is."""

from fractions import Fraction

import numpy as np
import pytest

import lossref
from lossref import ScheduleFreeAdamW


def train(optimizer, theta, all_grads):
    state, path = optimizer.init(theta), []
    for g in all_grads:
        optimizer.step(theta, g, state)
        path.append([Fraction(float(z)) for z in state.buffers["z"]])
    return state, path


@pytest.mark.parametrize("warmup", [0, 1, 4, 100])
def test_the_evaluation_point_is_the_mean_of_the_fast_points_weighted_by_the_squares_of_the_warmup(
    warmup, backend, dtype, rng
):
    optimizer = ScheduleFreeAdamW(lr=0.5, beta1=0.75, beta2=0.5, weight_decay=0.5, warmup=warmup)
    for steps in (1, 2, 9, 30):
        theta = rng.normal(size=4).astype(dtype)
        state, path = train(optimizer, theta, rng.normal(size=(steps, 4)).astype(dtype))
        weights = [min(Fraction(1), Fraction(t, max(warmup, 1))) ** 2 for t in range(1, steps + 1)]
        mean = [
            float(sum(w * z for w, z in zip(weights, zs, strict=True)) / sum(weights)) for zs in zip(*path, strict=True)
        ]
        before = theta.copy()
        np.testing.assert_allclose(
            optimizer.evaluation_point(theta, state), mean, rtol=0, atol=8 * steps * np.finfo(dtype).eps
        )
        np.testing.assert_array_equal(theta, before, strict=True)


def test_before_the_first_step_all_points_are_the_parameters(backend, dtype, rng):
    for params in (rng.normal(size=(2, 3)).astype(dtype), [np.ones(2, dtype)], {"w": np.ones((), dtype)}):
        optimizer = ScheduleFreeAdamW()
        found = optimizer.evaluation_point(params, optimizer.init(params))
        assert type(found) is type(params)
        for key in ((),) if isinstance(params, np.ndarray) else range(1) if isinstance(params, list) else params:
            np.testing.assert_array_equal(found[key], params[key], strict=True)


def test_the_evaluation_point_of_something_else_is_refused(backend):
    optimizer, params = ScheduleFreeAdamW(), [np.ones(2)]
    state = optimizer.init(params)
    for given, kept, error, text in (
        (
            [np.ones(3)],
            state,
            ValueError,
            r"state.buffers\['z'\]\[0\] has shape \(2,\) but params\[0\] has ",
        ),
        (params * 2, state, ValueError, r"state.buffers\['z'\] has 1 tensors but params has 2"),
        (params, lossref.Adam().init(params), ValueError, r"state belongs to Adam, not to ScheduleFreeAdamW"),
        (params, None, TypeError, r"state must be what init\(params\) returned, got NoneType"),
    ):
        with pytest.raises(error, match=rf"^ScheduleFreeAdamW: {text}"):
            optimizer.evaluation_point(given, kept)
    for settings, text in (
        ({"beta1": 0.0}, r"beta1 must be a number in \(0, 1\), got 0.0"),
        ({"warmup": -1}, r"warmup must be an integer >= 0, got -1"),
    ):
        with pytest.raises(ValueError, match=rf"^ScheduleFreeAdamW: {text}"):
            ScheduleFreeAdamW(**settings)


def test_the_first_rates_grow_in_equal_parts(backend):
    optimizer, theta = ScheduleFreeAdamW(lr=1.0, warmup=4), np.zeros(1)
    _, path = train(optimizer, theta, -np.ones((6, 1)))
    np.testing.assert_allclose(np.diff([0.0, *(float(z) for (z,) in path)]), [0.25, 0.5, 0.75, 1, 1, 1], rtol=1e-7)
