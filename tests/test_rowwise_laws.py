"""What holds of losses over rows of classes: labels, masses, shifts, rows that are left out."""

import dataclasses
import itertools
import math

import cases
import mpmath
import numpy as np
import oracle
import pytest
from cases import CASES, METHODS, ROWWISE, Case

import lossref

over_logits = [case for case in CASES if case.rowwise and case.loss.predictions == "logits"]
of_mass = [case for case in over_logits if case.targets != "relevances"]
cross_entropies = [loss for loss in ROWWISE if isinstance(loss, lossref.CategoricalCrossEntropy | lossref.NLL)]
of_labels_or_rows = [loss for loss in ROWWISE if loss.targets == ("labels", "probabilities")]


@pytest.mark.parametrize("classes", [1, 2, 31, 33, 64, 130])
@pytest.mark.parametrize("loss", [loss for loss in cross_entropies if loss.class_weight is None], ids=repr)
def test_any_number_of_classes_gives_what_the_definition_says(loss, classes, dtype, backend, rng):
    """The definition in mpmath, by hand: minus the mass times the logarithms of the probabilities."""
    pred, labels = Case(loss, "labels").draw(rng, 4, dtype, classes=classes)
    probabilities = rng.dirichlet(np.ones(classes), 4).astype(dtype)
    total = dataclasses.replace(loss, reduction="sum")
    with mpmath.workdps(60):
        rows = [[mpmath.mpf(float(x)) for x in row] for row in pred]
        if cases.takes_probabilities(loss)[0]:
            chances = rows
        else:
            whole = [mpmath.fsum(map(mpmath.exp, row)) if loss.from_logits else 1 for row in rows]
            chances = [[mpmath.exp(x) / size for x in row] for row, size in zip(rows, whole, strict=True)]
        spread = mpmath.mpf(loss.label_smoothing)
        for target in (labels, probabilities):
            hot = np.eye(classes)[target] if target.ndim == 1 else target
            mass = [[(1 - spread) * mpmath.mpf(float(y)) + spread / classes for y in row] for row in hot]
            values = [
                -mpmath.fsum(a * mpmath.log(q) for a, q in zip(*row, strict=True))
                for row in zip(mass, chances, strict=True)
            ]
            got = total.values(pred, target)
            terms = [
                mpmath.fsum(a * abs(mpmath.log(q)) for a, q in zip(*row, strict=True))
                for row in zip(mass, chances, strict=True)
            ]
            scale = [max(size, mpmath.mpf(1) / 4) for size in terms]
            assert oracle.errors(got, values, dtype, scale).max() <= 4
            if loss.from_logits:
                slopes = [
                    [q * mpmath.fsum(row) - a for a, q in zip(row, odds, strict=True)]
                    for row, odds in zip(mass, chances, strict=True)
                ]
                sizes = np.array([
                    [abs(q * mpmath.fsum(row)) + a for a, q in zip(row, odds, strict=True)]
                    for row, odds in zip(mass, chances, strict=True)
                ])  # fmt: skip
                # The masses are rounded, their sum and the sum of the exponentials too: 1 ulp more than in a short row.
                assert oracle.errors(total.grad(pred, target), np.array(slopes), dtype, sizes).max() <= 5


@pytest.mark.parametrize("loss", of_labels_or_rows, ids=repr)
def test_a_label_is_its_one_hot_row(loss, dtype, backend, rng):
    pred, labels = Case(loss, "labels").draw(rng, 50, dtype)
    hot = np.eye(3, dtype=dtype)[labels]
    weight = rng.uniform(0.5, 2, 50)
    for given in (None, weight):
        assert loss(pred, labels, weight=given) == pytest.approx(loss(pred, hot, weight=given), rel=1e-6)
        for method in METHODS:
            one, other = (getattr(loss, method)(pred, target, weight=given) for target in (labels, hot))
            # A curvature that changes its sign, or a slope at smoothed labels, is a difference of terms that may be
            # larger than all of it.
            differs = {"curvature": loss.properties.convex is not True, "grad": loss.label_smoothing > 0}
            least = np.finfo(dtype).eps if differs.get(method) else 0
            np.testing.assert_allclose(one, other, rtol=8 * np.finfo(dtype).eps, atol=least * np.abs(one).max())


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64])
def test_labels_are_the_same_in_every_integer_dtype(kind, backend, rng):
    loss = lossref.CategoricalCrossEntropy()
    pred, labels = Case(loss, "labels").draw(rng, 50, np.float64)
    for form in (labels.astype(kind), labels.astype(np.dtype(kind).newbyteorder(">")), labels.tolist()):
        np.testing.assert_array_equal(loss.grad(pred, form), loss.grad(pred, labels))
        assert loss(pred, form) == loss(pred, labels) > 0


def certain(case, labels):
    """Targets in the form of the case that leave no doubt about the class."""
    return np.array(labels) if case.targets == "labels" else np.eye(3)[labels]


@pytest.mark.parametrize("case", over_logits, ids=str)
def test_a_shift_of_all_logits_changes_nothing(case, dtype, backend, rng):
    pred, (_, target) = rng.integers(-20, 20, (50, 3)).astype(dtype), case.draw(rng, 50, dtype)
    for method in METHODS:
        here, there = (getattr(case.loss, method)(x, target) for x in (pred, pred + dtype.type(1024)))
        np.testing.assert_array_equal(here, there)
    assert case.loss(pred, target) > 0


@pytest.mark.parametrize("case", over_logits, ids=str)
def test_the_gradient_of_a_row_sums_to_zero(case, dtype, backend, rng):
    pred, target = case.draw(rng, 50, dtype)
    slopes = case.with_reduction("sum").grad(pred, target).astype(np.float64)
    assert np.abs(slopes.sum(axis=1)).max() <= 8 * np.finfo(dtype).eps
    assert np.abs(slopes).max() > 0.1


@pytest.mark.parametrize("case", [case for case in over_logits if case.loss.class_weight is None], ids=str)
def test_one_class_is_never_a_surprise(case, dtype, backend):
    pred = np.array([[3.0], [-1e30]], dtype)
    value, grad = case.loss.value_and_grad(pred, [0, 0] if case.targets == "labels" else [[1.0], [1.0]])
    assert value == 0
    assert not grad.any()


@pytest.mark.parametrize("case", of_mass, ids=str)
def test_an_impossible_class_costs_nothing_unless_it_comes_true(case, dtype, backend):
    loss, total = case.loss, case.with_reduction("sum")
    pred = np.array([[1.0, -np.inf, 2.0]], dtype)
    smooth = loss.label_smoothing * (1.0 if loss.class_weight is None else loss.class_weight[1])
    first, second = certain(case, [0]), certain(case, [1])
    value, grad = total.value_and_grad(pred, first)
    assert np.isfinite(grad).all()
    assert value == np.inf if smooth else np.isfinite(value)
    if not loss.label_smoothing:
        finite = np.array([[1.0, -1e4, 2.0]], dtype)
        assert value == total(finite, first) > 0
        np.testing.assert_array_equal(grad, total.grad(finite, first))
    value, grad = total.value_and_grad(pred, second)
    assert value == np.inf
    assert np.isfinite(grad).all()
    assert grad[0, 1] < 0


@pytest.mark.parametrize("case", over_logits, ids=str)
def test_rows_without_a_softmax_are_nan_and_alone_in_that(case, dtype, backend):
    pred = np.array([[1, 2, 3], [np.inf, 0, 1], [-np.inf] * 3, [np.inf] * 3, [3, 2, 1]], dtype)
    sick = [1, 2, 3]
    for target in (certain(case, [0, 1, 2, 0, 1]), *([] if case.targets == "labels" else [np.full((5, 3), 1 / 3)])):
        for method in METHODS:
            result = getattr(case.loss, method)(pred, target)
            assert np.isnan(result[sick]).all(), method
            assert np.isfinite(result[[0, 4]]).all(), method


def test_ignored_rows_are_not_read_and_count_nothing(dtype, backend, rng):
    for index in (-100, 1, 7):
        loss = lossref.CategoricalCrossEntropy(ignore_index=index, label_smoothing=0.1)
        pred, labels = Case(loss, "labels").draw(rng, 60, dtype)
        labels[::4] = index
        ignored = labels == index
        pred[ignored] = np.nan
        weight = rng.uniform(0.5, 2, 60)
        plain = dataclasses.replace(loss, ignore_index=None)
        for given, rest in ((None, None), (weight, weight[~ignored])):
            value, grad = loss.value_and_grad(pred, labels, weight=given)
            wanted, slopes = plain.value_and_grad(pred[~ignored], labels[~ignored], weight=rest)
            assert value == pytest.approx(wanted, rel=1e-14)
            np.testing.assert_array_equal(grad[ignored], 0)
            np.testing.assert_allclose(grad[~ignored], slopes, rtol=4 * np.finfo(dtype).eps)
            for method in ("values", "curvature"):
                assert not getattr(loss, method)(pred, labels, weight=given)[ignored].any()


def test_all_rows_ignored_is_a_mean_over_nothing(dtype, backend):
    loss = lossref.CategoricalCrossEntropy(ignore_index=-1)
    pred = np.full((3, 2), np.nan, dtype)
    with pytest.warns(RuntimeWarning, match=r"CategoricalCrossEntropy: the mean is NaN"):
        assert math.isnan(loss(pred, [-1, -1, -1]))
    assert not loss.grad(pred, [-1, -1, -1]).any()


def test_binary_cross_entropy_is_that_of_two_classes(dtype, backend, rng):
    logits = (10 * rng.standard_normal(200)).astype(dtype)
    labels = rng.integers(0, 2, 200)
    two = np.stack([np.zeros_like(logits), logits], axis=1)
    for smoothing in (0.0, 0.2):
        binary = lossref.BinaryCrossEntropy(label_smoothing=smoothing)
        categorical = lossref.CategoricalCrossEntropy(label_smoothing=smoothing)
        eps = np.finfo(dtype).eps
        np.testing.assert_allclose(binary.values(logits, labels), categorical.values(two, labels), rtol=8 * eps)
        np.testing.assert_allclose(
            binary.grad(logits, labels), categorical.grad(two, labels)[:, 1], rtol=8 * eps, atol=4 * eps / 200
        )


def test_the_brier_score_is_a_squared_distance_that_both_classes_of_two_share(dtype, backend, rng):
    """The same from either side; from a corner to the next, the furthest there is, 2."""
    loss, total = lossref.Brier(), lossref.Brier(reduction="sum")
    p, y = rng.dirichlet(np.ones(5), (2, 200)).astype(dtype)
    np.testing.assert_array_equal(total.values(p, y), total.values(y, p))
    corners = np.eye(4, dtype=dtype)
    np.testing.assert_array_equal(loss.values(corners, [1, 2, 3, 3]), [2, 2, 2, 0])
    chance, labels = rng.integers(0, 1025, 200).astype(dtype) / 1024, rng.integers(0, 2, 200)
    pair, square = np.stack([1 - chance, chance], axis=1), lossref.MSE()
    assert loss(pair, labels) == 2 * square(chance, labels) > 0.1
    np.testing.assert_array_equal(loss.grad(pair, labels)[:, 1], square.grad(chance, labels))


def test_what_is_no_probability_spoils_the_brier_score_of_its_row_alone(dtype, backend):
    loss, half = lossref.Brier(), np.full((4, 2), 0.5, dtype)
    for outside in (-1e-9, 1.0001, np.inf, -np.inf):
        pred = half.copy()
        pred[2, 0] = outside
        for target in ([0, 1, 1, 0], half):
            for method in METHODS:
                healthy, result = (getattr(loss, method)(x, target) for x in (half, pred))
                assert np.isnan(result[2]).all(), method
                np.testing.assert_array_equal(np.delete(result, 2, axis=0), np.delete(healthy, 2, axis=0))


@pytest.mark.parametrize("kind", ["crammer-singer", "weston-watkins"])
def test_the_hinge_of_many_classes_is_that_of_two(kind, dtype, backend, rng):
    """Of the difference of two scores, and the same for each order of the classes."""
    score = rng.integers(-40, 40, 60).astype(dtype) / 16
    labels = rng.integers(0, 2, 60)
    many, two = (formula(margin=0.7, reduction="sum", **more) for formula, more in (
        (lossref.MulticlassHinge, {"kind": kind}), (lossref.Hinge, {})
    ))  # fmt: skip
    pair, signs = np.stack([np.zeros_like(score), score], axis=1), 2 * labels - 1
    close = {"rtol": 4 * np.finfo(dtype).eps, "atol": 4 * np.finfo(dtype).eps}
    np.testing.assert_allclose(many.values(pair, labels), two.values(score, signs), **close)
    np.testing.assert_array_equal(many.grad(pair, labels)[:, 1], two.grad(score, signs))
    assert two(score, signs) > 0


def test_the_first_of_equal_rivals_gets_the_slope_and_none_does_at_the_kink(dtype, backend):
    nearest = lossref.MulticlassHinge(margin=0.75, reduction="sum")
    each = lossref.MulticlassHinge(margin=0.75, reduction="sum", kind="weston-watkins")
    tied = np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0.5]], dtype)
    np.testing.assert_array_equal(nearest.grad(tied, [0, 1, 2]), [[-1, 1, 0], [1, -1, 0], [1, 0, -1]])
    np.testing.assert_array_equal(each.grad(tied, [0, 1, 2]), [[-2, 1, 1], [1, -2, 1], [1, 1, -2]])
    kink = np.array([[0, 0.75, 0]], dtype)
    for loss, wrong in ((nearest, [[1, -1, 0]]), (each, [[1, -2, 1]])):
        for beyond in (kink, np.nextafter(kink, dtype.type(np.inf))):
            assert not loss.grad(beyond * [0, 1, 0], [1]).any()
        np.testing.assert_array_equal(loss.grad(np.nextafter(kink, dtype.type(0)), [1]), wrong)


# --- Overlap ---------------------------------------------------------------------------------------------------------

OVERLAPS = [lossref.Dice(reduction="sum"), lossref.Dice(smooth=1.0, reduction="sum")] + [
    lossref.Tversky(alpha=alpha, beta=beta, reduction="sum") for alpha, beta in ((0.3, 0.7), (1.0, 1.0), (0.5, 3.0))
]
every_overlap = pytest.mark.parametrize("loss", OVERLAPS, ids=repr)


@every_overlap
def test_masks_of_any_length_overlap_as_the_definition_says(loss, dtype, backend, rng):
    """The definition and its derivative by hand, in mpmath: hits, false alarms and misses, each with its price."""
    alarm, miss, hit, free = map(mpmath.mpf, loss._parameters)
    for length in (1, 2, 33, 1100):
        pred, target = rng.uniform(0, 1, (2, 3, length)).astype(dtype)
        target[:2] = np.round(target[:2])
        target[0, 0] = 1
        with mpmath.workdps(40), cases.about(length):
            values, grad = loss.values(pred, target), loss.grad(pred, target)
            for k in range(3):
                rows = [[mpmath.mpf(float(x)) for x in row[k]] for row in (pred, target)]
                right = hit * mpmath.fsum(p * y for p, y in zip(*rows, strict=True)) + free
                alarms = mpmath.fsum(p * (1 - y) for p, y in zip(*rows, strict=True))
                misses = mpmath.fsum(y * (1 - p) for p, y in zip(*rows, strict=True))
                total = right + alarm * alarms + miss * misses
                assert oracle.error(values[k], 1 - right / total, dtype) <= (4 if dtype == np.float32 else 5)
                some = rows[1][-33:]
                up, down = alarm * right / total**2, (hit * total - (hit - miss) * right) / total**2
                slopes = np.array([up * (1 - y) - down * y for y in some])
                sizes = np.array([up * (1 - y) + down * y for y in some])
                assert oracle.errors(grad[k, -33:], slopes, dtype, sizes).max() <= (4 if dtype == np.float32 else 8)


def test_dice_and_jaccard_count_what_two_sets_share(dtype, backend, rng):
    found, there = rng.integers(0, 2, (2, 50, 20)).astype(dtype)
    both, either = (found * there).sum(axis=1), np.maximum(found, there).sum(axis=1)
    eps = np.finfo(dtype).eps
    dice, jaccard = lossref.Dice(), lossref.Tversky(alpha=1.0, beta=1.0)
    np.testing.assert_allclose(dice.values(found, there), 1 - 2 * both / (both + either), rtol=8 * eps)
    np.testing.assert_allclose(jaccard.values(found, there), 1 - both / either, rtol=8 * eps)
    halves = lossref.Tversky(alpha=0.5, beta=0.5)
    for method in METHODS:
        np.testing.assert_array_equal(getattr(halves, method)(found, there), getattr(dice, method)(found, there))


def test_false_alarms_and_misses_have_the_prices_that_bear_their_names(dtype, backend, rng):
    """Found and true exchanged are the prices exchanged; with one mistake, the price is all that there is."""
    pred, target = rng.uniform(0, 1, (2, 60, 7)).astype(dtype)
    here, there = lossref.Tversky(alpha=0.25, beta=2.0), lossref.Tversky(alpha=2.0, beta=0.25)
    np.testing.assert_array_equal(here.values(pred, target), there.values(target, pred))
    one, both = np.array([[1, 0]], dtype), np.ones((1, 2), dtype)
    assert here(both, one) == 0.25 / (1 + 0.25)  # a false alarm beside a hit
    assert here(one, both) == 2.0 / (1 + 2.0)  # a miss beside a hit


@every_overlap
def test_nothing_found_where_nothing_is_is_a_perfect_match(loss, dtype, backend):
    nothing, whole = np.zeros((1, 4), dtype), np.ones((1, 4), dtype)
    for mask in (nothing, whole):
        assert loss(mask, mask) == 0
    if loss != OVERLAPS[1]:  # with smoothing, the edge of a slope that goes on to what is found beside it
        assert not loss.grad(nothing, nothing).any()
        assert not loss.curvature(nothing, nothing).any()
    assert loss(nothing, whole) > 0
    assert (loss.grad(nothing, whole) < 0).all()


def test_where_nothing_is_smoothing_alone_teaches_to_find_nothing(dtype, backend, rng):
    nothing, pred = np.zeros((5, 4), dtype), rng.uniform(0, 1, (5, 4)).astype(dtype)
    pred[0] = np.finfo(dtype).smallest_subnormal
    for loss in (lossref.Dice(), lossref.Tversky(alpha=1.0, beta=0.5)):
        np.testing.assert_array_equal(loss.values(pred, nothing), 1)
        assert not loss.grad(pred, nothing).any()
        assert not loss.curvature(pred, nothing).any()
    smooth, sizes = lossref.Dice(smooth=0.5, reduction="sum"), pred.sum(axis=1, dtype=np.float64)
    np.testing.assert_allclose(smooth.values(pred, nothing), sizes / (sizes + 0.5), rtol=2 * np.finfo(dtype).eps)
    assert (smooth.grad(pred, nothing) > 0).all()


def test_a_region_counts_the_same_in_a_picture_four_times_as_fine(dtype, backend, rng):
    pred, target = rng.uniform(0, 1, (2, 30, 9)).astype(dtype)
    for loss in (lossref.Dice(), lossref.Tversky(alpha=0.3, beta=0.7)):
        coarse, fine = (loss.values(np.repeat(pred, k, axis=1), np.repeat(target, k, axis=1)) for k in (1, 4))
        np.testing.assert_allclose(fine, coarse, rtol=8 * np.finfo(dtype).eps)
        assert coarse.min() > 0.01


@every_overlap
def test_what_is_no_share_spoils_its_mask_alone(loss, dtype, backend):
    half = np.full((3, 4), 0.5, dtype)
    for outside in (-1e-9, 1.0001, np.inf, -np.inf):
        spoilt = half.copy()
        spoilt[1, 2] = outside
        for pred, target in ((spoilt, half), (half, spoilt), (spoilt, 0 * half)):
            for method in METHODS:
                result = getattr(loss, method)(pred, target)
                assert np.isnan(result[1]).all(), method
                assert np.isfinite(result[[0, 2]]).all(), method


def divergence_by_definition(loss, predicted, target):
    """The value of a row in mpmath, and the sum of the sizes of its terms."""
    p, y = ([mpmath.mpf(float(x)) for x in row] for row in (predicted, target))
    if loss.predictions == "logits":
        whole = mpmath.fsum(map(mpmath.exp, p))
        terms = [b * (mpmath.log(b) - a + mpmath.log(whole)) if b else mpmath.mpf(0) for a, b in zip(p, y, strict=True)]
    else:
        halves = [
            (a * mpmath.log(2 * a / (a + b)) if a else 0, b * mpmath.log(2 * b / (a + b)) if b else 0)
            for a, b in zip(p, y, strict=True)
        ]
        terms = [mpmath.fsum(pair) / 2 for pair in halves]
    return mpmath.fsum(terms), mpmath.fsum(map(abs, terms))


@pytest.mark.parametrize("loss", [lossref.KL(reduction="sum"), lossref.JensenShannon(reduction="sum")], ids=repr)
def test_the_divergence_of_near_equals_keeps_its_digits(loss, dtype, backend, rng):
    """However near: the error is one of the small terms, never of the entropies whose difference they are.

    Those of Jensen and Shannon are all positive; those of KL differ in sign, and their sum is of second order."""
    for classes, distance in itertools.product((2, 5, 33), (0, 1e-1, 1e-3, 1e-5, 1e-9)):
        target = rng.dirichlet(np.ones(classes), 20).astype(dtype)
        logits = np.log(target) + distance * rng.standard_normal(target.shape)
        chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        pred = (logits if loss.predictions == "logits" else chances).astype(dtype)
        with mpmath.workdps(60), cases.about(classes, distance):
            truths = [divergence_by_definition(loss, *row) for row in zip(pred, target, strict=True)]
            values, sizes = map(np.array, zip(*truths, strict=True))
            sizes += float(np.finfo(dtype).eps)  # nearer than the last place of a probability, its rounding decides
            assert oracle.errors(loss.values(pred, target), values, dtype, sizes).max() <= 4


def test_kl_is_cross_entropy_less_the_entropy_of_the_target_and_has_its_gradient(dtype, backend, rng):
    pred, target = Case(lossref.KL(), "probabilities").draw(rng, 50, dtype, classes=7)
    cross = lossref.CategoricalCrossEntropy()
    entropy = -(target * np.log(target)).sum(axis=1).mean()
    assert lossref.KL()(pred, target) == pytest.approx(
        cross(pred, target) - entropy, rel=8 * float(np.finfo(dtype).eps)
    )
    slopes = cross.grad(pred, target)
    np.testing.assert_allclose(lossref.KL().grad(pred, target), slopes, rtol=4 * np.finfo(dtype).eps, atol=1e-9)
    assert np.abs(slopes).max() > 1e-3


def test_jensen_shannon_is_symmetric_and_at_most_the_logarithm_of_2(dtype, backend, rng):
    loss = lossref.JensenShannon()
    p, y = rng.dirichlet(np.full(5, 0.05), (2, 200)).astype(dtype)
    there, back = loss.values(p, y), loss.values(y, p)
    np.testing.assert_array_equal(there, back)
    assert 0 < there.max() <= np.log(2) * (1 + 4 * np.finfo(dtype).eps)
    apart = loss.values(np.eye(4, dtype=dtype), np.roll(np.eye(4, dtype=dtype), 1, axis=0))
    np.testing.assert_allclose(apart, math.log(2), rtol=np.finfo(dtype).eps)


def test_what_no_distribution_has_costs_nothing_and_what_one_lacks_is_a_limit(dtype, backend):
    zero, loss = np.zeros((1, 2), dtype), lossref.JensenShannon(reduction="sum")
    one = np.array([[1, 0]], dtype)
    assert loss(one, one) == 0
    np.testing.assert_allclose(loss.grad(one, one), [[0, math.log(2) / 2]], rtol=np.finfo(dtype).eps)
    np.testing.assert_array_equal(loss.grad(one[:, ::-1], one), [[-np.inf, loss.grad(zero, zero)[0, 0]]])
    np.testing.assert_array_equal(loss.curvature(one[:, ::-1], one), [[np.inf, 0]])
    plain = lossref.KL(from_logits=False)
    assert plain([[0.0, -np.inf]], one) == 0
    assert plain([[-np.inf, 0.0]], one) == np.inf


def test_list_net_is_cross_entropy_under_the_softmax_of_the_relevances(dtype, backend, rng):
    pred, target = Case(lossref.ListNet(), "relevances").draw(rng, 50, dtype, classes=7)
    wide = np.exp(target.astype(np.float64))
    chances = (wide / wide.sum(axis=1, keepdims=True)).astype(dtype)
    loss, cross = lossref.ListNet(), lossref.CategoricalCrossEntropy()
    for method in METHODS:
        one, other = getattr(loss, method)(pred, target), getattr(cross, method)(pred, chances)
        np.testing.assert_allclose(one, other, rtol=8 * np.finfo(dtype).eps, atol=np.finfo(dtype).eps / 10)
    np.testing.assert_allclose(loss.values(pred, target + 16), loss.values(pred, target), rtol=4 * np.finfo(dtype).eps)
    assert loss(pred, target) > 0


def test_pairwise_logistic_is_binary_cross_entropy_of_every_pair(dtype, backend, rng):
    """In lists of every length, long ones among them, and with pairs of equals, which say nothing."""
    loss, binary = lossref.PairwiseLogistic(), lossref.BinaryCrossEntropy(reduction="sum")
    for items in (2, 3, 17, 33, 1100 if backend != "numpy" else 130):
        pred = (3 * rng.standard_normal((1, items))).astype(dtype)
        target = rng.integers(0, 4, (1, items))
        target[0, :2] = 0, 3
        above, below = np.nonzero(target[0][:, np.newaxis] > target[0])
        gaps = pred[0][above].astype(np.float64) - pred[0][below].astype(np.float64)
        eps = float(np.finfo(dtype).eps)
        costs, pulls = binary.values(gaps, np.ones(len(gaps))), binary.grad(gaps, np.ones(len(gaps)))
        slopes, sizes = np.zeros(items), np.zeros(items)
        for place, sign in ((above, 1), (below, -1)):
            np.add.at(slopes, place, sign * pulls / len(gaps))
            np.add.at(sizes, place, np.abs(pulls) / len(gaps))
        with cases.about(items):
            assert loss(pred, target) == pytest.approx(costs.mean(), rel=4 * eps)
            assert (
                np.abs(loss.grad(pred, target)[0] - slopes) <= (4 * eps + items * 2.0**-53) * sizes
            ).all()  # sums in float64, here too


def test_only_the_order_of_the_relevances_and_differences_of_scores_count(dtype, backend, rng):
    loss = lossref.PairwiseLogistic()
    pred, target = rng.integers(-20, 20, (50, 5)).astype(dtype), rng.integers(0, 4, (50, 5)).astype(dtype)
    for method in METHODS:
        wanted = getattr(loss, method)(pred, target)
        np.testing.assert_array_equal(getattr(loss, method)(pred + dtype.type(1024), target), wanted)
        np.testing.assert_array_equal(getattr(loss, method)(pred, target**3 - 7), wanted)
    assert loss(pred, target) > 0


def test_a_list_of_equals_costs_nothing_and_counts_as_a_row(dtype, backend):
    loss = lossref.PairwiseLogistic()
    pred = np.array([[1, 2, 3], [0, 0, 0]], dtype)
    for equals in (1.0, np.inf):
        value, grad = loss.value_and_grad(pred, [[equals] * 3, [2.0, 0.0, 1.0]])
        assert value == pytest.approx(math.log(2) / 2, rel=2 * float(np.finfo(dtype).eps))
        assert not grad[0].any()
        np.testing.assert_allclose(grad[1], np.array([-1, 1, 0]) / 6, rtol=np.finfo(dtype).eps)
