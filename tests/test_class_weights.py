"""Weights of classes: against their definition in exact fractions, and against scikit-learn."""

from fractions import Fraction

import numpy as np
import pytest

import lossref
from lossref.losses import balanced_weights, effective_number_weights

COUNTS = (1, 7, 900, 40)
LABELS = np.repeat(np.arange(4), COUNTS)


def test_balanced_weights_are_those_of_scikit_learn():
    learn = pytest.importorskip("sklearn.utils.class_weight")
    theirs = learn.compute_class_weight("balanced", classes=np.arange(4), y=LABELS)
    np.testing.assert_allclose(balanced_weights(LABELS), theirs, rtol=1e-15)


def test_under_balanced_weights_every_class_has_the_same_share(rng):
    labels = rng.permutation(LABELS)
    weights = np.array(balanced_weights(labels))[labels]
    assert weights.mean() == pytest.approx(1, rel=1e-14)
    for k in range(4):
        assert weights[labels == k].sum() == pytest.approx(len(labels) / 4, rel=1e-14)


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 0.9999, 1 - 2.0**-40])
def test_effective_numbers_are_their_definition_in_fractions(beta):
    exact = Fraction(beta)
    numbers = [sum(exact**k for k in range(n)) if n < 50 else (1 - exact**n) / (1 - exact) for n in COUNTS]
    inverse = [1 / n for n in numbers]
    wanted = [float(4 * w / sum(inverse)) for w in inverse]
    np.testing.assert_allclose(effective_number_weights(LABELS, beta), wanted, rtol=1e-14)


def test_effective_numbers_lead_from_no_weights_to_balanced_ones():
    balanced = np.array(balanced_weights(LABELS))
    assert effective_number_weights(LABELS, 0.0) == (1.0,) * 4
    np.testing.assert_allclose(
        effective_number_weights(LABELS, 1 - 2.0**-50), 4 * balanced / balanced.sum(), rtol=1e-11
    )
    spread = [max(w) / min(w) for w in (effective_number_weights(LABELS, b) for b in (0.0, 0.5, 0.9, 0.99, 0.9999))]
    assert spread == sorted(set(spread))


def test_a_loss_takes_the_weights_as_they_come():
    logits = np.zeros((len(LABELS), 4))
    loss = lossref.CategoricalCrossEntropy(class_weight=balanced_weights(LABELS))
    assert loss(logits, LABELS) == pytest.approx(np.log(4), rel=1e-14)
    grad = loss.grad(logits, LABELS)
    assert np.abs(grad.sum(axis=0)).max() < 1e-13  # all classes pull alike


@pytest.mark.parametrize(
    ("y", "classes", "error", "text"),
    [
        ([0, 2], None, ValueError, "class 1 has no sample"),
        ([0, 1], 3, ValueError, "class 2 has no sample"),
        ([0, 3], 2, ValueError, "y has the label 3 but there are 2 classes"),
        ([-1, 0], None, ValueError, "y must hold labels from 0 on, got"),
        ([], None, TypeError, "y must be integer labels"),
        ([0.0, 1.0], None, TypeError, "y must be integer labels of shape"),
        ([[0, 1]], None, TypeError, "y must be integer labels of shape"),
    ],
)
def test_labels_that_have_no_weights_are_refused_by_name(y, classes, error, text):
    with pytest.raises(error, match=f"^balanced_weights: {text}"):
        balanced_weights(y, classes=classes)
    with pytest.raises(error, match=f"^effective_number_weights: {text}"):
        effective_number_weights(y, 0.9, classes=classes)


@pytest.mark.parametrize("beta", [-0.1, 1.0, 2.0, np.nan])
def test_a_beta_out_of_range_is_refused(beta):
    with pytest.raises(ValueError, match=r"^effective_number_weights: beta must be a number in \[0, 1\), got"):
        effective_number_weights(LABELS, beta)
