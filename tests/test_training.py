"""What surrounds a step: models, batches, data."""

from itertools import islice

import numpy as np
import pytest

import lossref
from lossref.datasets import diabetes, digits, plant_outliers, split
from lossref.models import Linear
from lossref.training import batches


@pytest.mark.parametrize("outputs", [None, 1, 3])
def test_backward_is_the_slope_of_forward(outputs):
    random = np.random.default_rng(0)
    model = Linear(inputs=4, outputs=outputs)
    params = {name: random.normal(size=value.shape) for name, value in model.init().items()}
    x = random.normal(size=(6, 4))
    upstream = random.normal(size=model.forward(params, x).shape)
    grads = model.backward(params, x, upstream)
    for name, value in params.items():
        assert grads[name].shape == value.shape
        for place in np.ndindex(value.shape):
            # The scores are linear in each parameter, so that a whole step is as exact as a small one.
            moved = {key: array.copy() for key, array in params.items()}
            moved[name][place] += 1
            change = (upstream * (model.forward(moved, x) - model.forward(params, x))).sum()
            assert grads[name][place] == pytest.approx(change, rel=1e-12)


def test_predictions_of_one_output_have_the_shape_of_their_targets():
    x, y = diabetes()
    assert Linear(inputs=10).forward(Linear(inputs=10).init(), x).shape == y.shape


def test_an_epoch_visits_every_sample_once():
    epoch = np.concatenate(list(islice(batches(10, 4, seed=3), 3)))
    assert sorted(epoch) == list(range(10))


def test_epochs_differ_and_seeds_repeat():
    first, second = (np.concatenate(list(islice(batches(50, 50, seed=s), 2))) for s in (1, 1))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first[:50], first[50:])


@pytest.mark.parametrize(("samples", "size"), [(0, 1), (5, 0), (5, 6)])
def test_impossible_batches_are_refused_at_the_call(samples, size):
    with pytest.raises(ValueError, match=r"batches: (samples|size) must be an integer"):
        batches(samples, size, seed=0)


def test_a_split_keeps_every_sample_on_one_side_and_the_classes_in_proportion():
    x, y = digits()
    parts = split(x, y, held_out=0.25, seed=0)
    assert len(parts.train_y) + len(parts.test_y) == len(y) == 1797
    for label in range(10):
        assert np.mean(parts.test_y == label) == pytest.approx(np.mean(y == label), abs=0.002)


def test_scaling_looks_at_the_training_samples_alone():
    x, y = diabetes()
    parts = split(x, y, held_out=0.3, seed=1)
    np.testing.assert_allclose(parts.train_x.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(parts.train_x.std(axis=0), 1, atol=1e-12)
    assert np.abs(parts.test_x.mean(axis=0)).max() > 1e-3


def test_outliers_are_planted_where_and_as_said():
    _, y = diabetes()
    spoiled = plant_outliers(y, share=0.1, size=6, seed=0)
    moved = spoiled != y
    assert moved.sum() == round(0.1 * len(y))
    np.testing.assert_allclose((spoiled - y)[moved], 6 * y.std(), rtol=1e-12)


def test_descent_on_a_linear_model_finds_least_squares():
    x, y = diabetes()
    parts = split(x, y, held_out=0.2, seed=0)
    model = Linear(inputs=10)
    params = model.init()
    loss = lossref.MSE()
    for _ in range(20_000):
        grads = model.backward(params, parts.train_x, loss.grad(model.forward(params, parts.train_x), parts.train_y))
        for name in params:
            params[name] -= 0.1 * grads[name]
    with_bias = np.column_stack([parts.train_x, np.ones(len(parts.train_y))])
    exact = np.linalg.lstsq(with_bias, parts.train_y, rcond=None)[0]
    np.testing.assert_allclose(np.append(params["weights"], params["bias"]), exact, rtol=1e-5, atol=1e-5)
