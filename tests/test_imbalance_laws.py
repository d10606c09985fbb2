"""What holds of losses for rare classes: where they are cross-entropy, how they bound, what their ends are."""

import cases
import mpmath
import numpy as np
import oracle
import pytest
from cases import Case

import lossref
from lossref.losses import BinaryCrossEntropy, CategoricalCrossEntropy, CategoricalFocal, Focal

GAMMAS = (0.0, 0.1, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 1000.0)


def test_without_gamma_the_focal_loss_is_binary_cross_entropy(dtype, backend):
    """To the last digits, over all the range of the floats, from logits and from probabilities."""
    for form in (True, False):
        plain = BinaryCrossEntropy(from_logits=form, reduction="sum")
        focal = Focal(gamma=0.0, alpha=None, from_logits=form, reduction="sum")
        pred, target = cases.telling_points(plain, dtype)
        target = np.round(target)  # in a slope between two classes, the rounding of each term shows
        for method in cases.METHODS:
            np.testing.assert_allclose(
                getattr(focal, method)(pred, target),
                getattr(plain, method)(pred, target),
                rtol=4 * np.finfo(dtype).eps,
                atol=np.finfo(dtype).smallest_subnormal,
                err_msg=method,
            )


def test_alpha_weighs_class_1_and_the_rest_of_1_class_0(dtype, backend):
    even = Focal(gamma=2.0, alpha=None, reduction="sum")
    tilted = Focal(gamma=2.0, alpha=0.25, reduction="sum")
    pred = np.linspace(-9, 9, 37).astype(dtype)
    for method in cases.METHODS:
        for label, weight in ((1, 0.25), (0, 0.75)):
            target = np.full_like(pred, label)
            np.testing.assert_allclose(
                getattr(tilted, method)(pred, target),
                weight * getattr(even, method)(pred, target),
                rtol=4 * np.finfo(dtype).eps,
            )


def test_the_bounds_of_the_focal_loss_hold_for_every_gamma_and_are_near(backend):
    """For most a formula of gamma is known only as the root of an equation: the claims stay within a tenth of it."""
    logits = np.linspace(-40, 20, 24_001)
    target = np.ones_like(logits)
    for gamma in GAMMAS:
        loss = Focal(gamma=gamma, alpha=None, reduction="sum")
        for method, claim in (
            ("grad", 1 + np.exp(-1) * np.log(1 + gamma / 3)),
            ("curvature", 0.25 + 0.31 * np.log(1 + 0.75 * gamma)),
        ):
            results = getattr(loss, method)(logits, target)
            most = np.abs(results).max() if method == "grad" else results.max()
            assert 0.9 * claim <= most <= claim * (1 + 1e-12), (gamma, method)


def test_certain_probabilities_have_the_limits_of_the_focal_loss(dtype, backend):
    """Where no doubt is left: the slope is that of cross-entropy or none; the curvature depends on gamma."""
    right, wrong = np.array([1, 0], dtype), np.array([0, 1], dtype)
    target = np.array([1, 0], dtype)
    for gamma, slope, curvature in ((0, 1, 1), (0.5, 0, np.inf), (1, 0, 2), (1.5, 0, 0), (2, 0, 0), (7, 0, 0)):
        loss = Focal(gamma=gamma, alpha=None, from_logits=False, reduction="sum")
        assert loss.values(right, target).tolist() == [0, 0]
        assert np.abs(loss.grad(right, target)).tolist() == [slope, slope], gamma
        assert loss.curvature(right, target).tolist() == [curvature, curvature], gamma
        assert loss.values(wrong, target).tolist() == [np.inf, np.inf]
        assert loss.grad(wrong, target).tolist() == [-np.inf, np.inf]


@pytest.mark.parametrize("gamma", [0.5, 2.0, 5.0])
def test_the_focal_loss_of_probabilities_is_that_of_their_logits(gamma, backend, rng):
    logits, target = 2 * rng.standard_normal(300), rng.uniform(0, 1, 300)
    chances = 1 / (1 + np.exp(-logits))
    from_logits, from_chances = (Focal(gamma=gamma, from_logits=form, reduction="sum") for form in (True, False))
    np.testing.assert_allclose(
        from_chances.values(chances, target), from_logits.values(logits, target), rtol=1e-12, atol=0
    )
    np.testing.assert_allclose(
        chances * (1 - chances) * from_chances.grad(chances, target), from_logits.grad(logits, target), rtol=1e-10
    )
    assert lossref.Focal(gamma=gamma)(logits, target) > 0


@pytest.mark.parametrize("form", ["labels", "probabilities"])
def test_without_gamma_the_categorical_focal_loss_is_cross_entropy(form, dtype, backend):
    for settings in ({}, {"label_smoothing": 0.1}, {"class_weight": (0.5, 2.0, 1.0)}):
        plain = CategoricalCrossEntropy(reduction="sum", **settings)
        focal = CategoricalFocal(gamma=0.0, reduction="sum", **settings)
        pred, targets = cases.telling_rows(plain, dtype)
        soft = form == "probabilities" or plain.label_smoothing  # a slope is then p - a, of which an ulp is one of p
        for method in cases.METHODS:
            np.testing.assert_allclose(
                getattr(focal, method)(pred, targets[form]),
                getattr(plain, method)(pred, targets[form]),
                rtol=8 * np.finfo(dtype).eps,
                atol=np.finfo(dtype).eps if method == "grad" and soft else 0,
                err_msg=method,
            )


def test_the_focal_loss_of_two_classes_is_the_binary_one(dtype, backend, rng):
    logits, labels = (10 * rng.standard_normal(200)).astype(dtype), rng.integers(0, 2, 200)
    two, eps = np.stack([np.zeros_like(logits), logits], axis=1), float(np.finfo(dtype).eps)
    for gamma in (0.5, 2.0, 5.0):
        binary = Focal(gamma=gamma, alpha=None, reduction="sum")
        categorical = CategoricalFocal(gamma=gamma, reduction="sum")
        most = (8 + gamma) * eps
        np.testing.assert_allclose(binary.values(logits, labels), categorical.values(two, labels), rtol=most)
        for method in ("grad", "curvature"):
            one, other = (getattr(loss, method) for loss in (binary, categorical))
            np.testing.assert_allclose(
                one(logits, labels), other(two, labels)[:, 1], rtol=most, atol=most, err_msg=method
            )


def test_any_number_of_classes_gives_the_focal_loss_of_the_definition(dtype, backend, rng):
    loss = CategoricalFocal(gamma=2.0, reduction="sum")
    with mpmath.workdps(60):
        for classes in (1, 2, 31, 33, 130):
            pred, labels = Case(loss, "labels").draw(rng, 3, dtype, classes=classes)
            soft = rng.dirichlet(np.ones(classes), 3).astype(dtype)
            for target in (labels, soft):
                wanted = []
                for row, mass in zip(pred, np.eye(classes)[target] if target.ndim == 1 else target, strict=True):
                    odds = [mpmath.exp(mpmath.mpf(float(z))) for z in row]
                    chances = [each / mpmath.fsum(odds) for each in odds]
                    terms = [
                        mpmath.mpf(float(y)) * (1 - p) ** 2 * -mpmath.log(p) for y, p in zip(mass, chances, strict=True)
                    ]
                    wanted.append(mpmath.fsum(terms))
                assert oracle.errors(loss.values(pred, target), wanted, dtype).max() <= 4 + loss.gamma, classes
