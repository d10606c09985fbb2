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


def test_a_run_that_stopped_goes_on_with_the_batches_it_has_not_seen():
    for samples, size, drop_last in ((10, 4, False), (10, 4, True), (6, 6, False), (5, 1, False)):
        whole = list(islice(batches(samples, size, seed=7, drop_last=drop_last), 20))
        for seen in range(12):
            rest = list(islice(batches(samples, size, seed=7, drop_last=drop_last, start=seen), 20 - seen))
            assert [r.tolist() for r in rest] == [w.tolist() for w in whole[seen:]]


def test_a_ragged_end_is_kept_or_left_out():
    kept, dropped = (list(islice(batches(11, 4, seed=1, drop_last=d), 12)) for d in (False, True))
    assert [len(batch) for batch in kept] == [4, 4, 3] * 4
    assert [len(batch) for batch in dropped] == [4] * 12
    for epoch in range(4):  # the same order, but for its end
        np.testing.assert_array_equal(dropped[2 * epoch : 2 * epoch + 2], kept[3 * epoch : 3 * epoch + 2])
    assert set(np.concatenate(dropped)) == set(range(11))
    for size in (1, 3, 12):  # and where there is no ragged end, nothing is left out
        epoch = islice(batches(12, size, seed=1, drop_last=True), 12 // size)
        assert sorted(np.concatenate(list(epoch))) == list(range(12))


def test_several_arrays_are_cut_alike():
    x, y = np.arange(14.0).reshape(7, 2), list("abcdefg")
    for chosen, (part, letters) in islice(zip(batches(7, 3, seed=2), batches((x, y), 3, seed=2), strict=False), 6):
        np.testing.assert_array_equal(part, x[chosen])
        assert "".join(letters) == "".join(y[i] for i in chosen)


@pytest.mark.parametrize(
    ("samples", "given", "error", "text"),
    [
        (0, {"size": 1}, ValueError, "samples must be an integer >= 1, got 0"),
        (5, {"size": 0}, ValueError, "size must be an integer >= 1, got 0"),
        (5, {"size": 6}, ValueError, "size must be an integer from 1 to the 5 samples there are, got 6"),
        (5.0, {"size": 1}, TypeError, "samples must be an integer >= 1, got 5.0 of type float"),
        (5, {"size": 1, "start": -1}, ValueError, "start must be an integer >= 0, got -1"),
        (5, {"size": 1, "drop_last": 1}, TypeError, "drop_last must be True or False, got 1 of type int"),
        ((), {"size": 1}, ValueError, "samples must be arrays of one length, got the shapes none"),
        ((1.0,), {"size": 1}, ValueError, r"samples must be arrays of one length, got the shapes \(\)"),
        (
            ([1, 2], [1]),
            {"size": 1},
            ValueError,
            r"samples must be arrays of one length, got the shapes \(2,\), \(1,\)",
        ),
    ],
)
def test_impossible_batches_are_refused_at_the_call(samples, given, error, text):
    with pytest.raises(error, match=f"^batches: {text}"):
        batches(samples, seed=0, **given)


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
