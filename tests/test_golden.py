"""Numbers that anyone can check with a pencil, or that a framework printed."""

import math

import numpy as np
import pytest

import lossref

ERRORS = np.array([2.0, 2.0, 1.0, 3.0, -20.0])


@pytest.mark.parametrize(
    ("loss", "value"),
    [
        (lossref.MSE(), 83.6),
        (lossref.MAE(), 5.6),
        (lossref.Huber(delta=1.0), 5.1),
        (lossref.Huber(delta=2.0), 9.3),
        (lossref.Huber(delta=5.0), 19.3),
    ],
    ids=repr,
)
def test_five_errors_with_an_outlier(loss, value, backend):
    assert loss(ERRORS, np.zeros(5)) == pytest.approx(value, rel=1e-15)
    assert loss(ERRORS + 7, np.full(5, 7.0)) == pytest.approx(value, rel=1e-15)
    assert loss(np.zeros(5), ERRORS) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(("beta", "value"), [(2.0, 4.65), (5.0, 3.86)])
def test_smooth_l1_is_huber_over_beta(beta, value, backend):
    assert lossref.SmoothL1(beta=beta)(ERRORS, np.zeros(5)) == pytest.approx(value, rel=1e-15)
    assert lossref.Huber(delta=beta)(ERRORS, np.zeros(5)) / beta == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    ("chance", "target", "value"),
    [(0.95, 1, 0.051293), (0.2, 1, 1.609438), (0.8, 1, 0.223144), (0.99, 0, 4.605170), (0.2, 0, 0.223144)],
)
def test_the_surprise_at_a_class(chance, target, value, backend):
    binary = lossref.BinaryCrossEntropy(from_logits=False)
    assert binary([chance], [target]) == pytest.approx(value, abs=5e-7)
    logit = math.log(chance / (1 - chance))
    assert lossref.BinaryCrossEntropy()([logit], [target]) == pytest.approx(value, abs=5e-7)
    pair = [[1 - chance, chance]]
    assert lossref.CategoricalCrossEntropy(from_logits=False)(pair, [target]) == pytest.approx(value, abs=5e-7)


def test_smoothed_cross_entropy_of_four_classes(backend):
    logits = [[1.0, 2.0, 3.0, 4.0]]
    assert lossref.CategoricalCrossEntropy(label_smoothing=0.2)(logits, [2]) == pytest.approx(1.5401897, abs=5e-8)
    by_hand = [[0.05, 0.05, 0.85, 0.05]]
    assert lossref.CategoricalCrossEntropy()(logits, by_hand) == pytest.approx(1.5401897, abs=5e-8)
    # off-target ε/(K − 1) instead of ε/K: the same vector is reached with ε = 0.15
    assert lossref.CategoricalCrossEntropy(label_smoothing=0.15 * 4 / 3)(logits, [2]) == pytest.approx(
        1.5401897, abs=5e-8
    )


def test_confident_predictions_keep_their_digits(backend):
    assert lossref.BinaryCrossEntropy()([36.0], [1.0]) == pytest.approx(2.319522830243569e-16, rel=1e-15, abs=0)
    assert lossref.BinaryCrossEntropy()([30.0], [1.0]) == pytest.approx(9.357622968839737e-14, rel=1e-15, abs=0)
    ce = lossref.CategoricalCrossEntropy()
    assert ce([[0.0, 40.0]], [1]) == pytest.approx(4.248354255291589e-18, rel=1e-15, abs=0)
    narrow = ce(np.array([[20.0, 0.0]], np.float32), [0])
    assert narrow == pytest.approx(2.0611536203143807e-09, rel=2e-7, abs=0)
    slope = lossref.BinaryCrossEntropy().grad(np.array([-100.0], np.float32), [0])
    assert slope[0] == np.float32(3.720075976020836e-44)


def test_a_certain_mistake_costs_infinity(backend):
    loss = lossref.BinaryCrossEntropy(from_logits=False)
    value, grad = loss.value_and_grad([0.0], [1.0])
    assert (value, grad[0]) == (np.inf, -np.inf)  # PyTorch: 100 and -1e12; Keras: 16.118 and 0
    value, grad = loss.value_and_grad([0.0], [0.0])
    assert (value, grad[0]) == (0, 1)


def test_brier_scores_by_hand_and_by_scikit_learn(backend):
    """The example of three classes in scikit-learn's manual, and its example of two, which it halves."""
    forecasts = [[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.2, 0.2, 0.6]]
    assert lossref.Brier()(forecasts, [0, 1, 2]) == pytest.approx(0.44 / 3, rel=1e-14)
    chance = np.array([0.1, 0.9, 0.8, 0.3])
    assert lossref.Brier()(np.stack([1 - chance, chance], axis=1), [0, 1, 1, 0]) == pytest.approx(2 * 0.0375, rel=1e-14)


def test_class_weights_divide_the_mean_by_their_sum(backend):
    """The rows of conventions R0: the same four labels as labels and as one-hot rows."""
    logits = np.zeros((3, 4))
    weighted = lossref.CategoricalCrossEntropy(class_weight=[1, 2, 3, 4])
    labels = np.array([0, 1, 3])
    assert weighted(logits, labels) == pytest.approx(math.log(4))
    assert weighted(logits, np.eye(4)[labels]) == pytest.approx(math.log(4))
    assert weighted.values(logits, labels) == pytest.approx(np.array([1, 2, 4]) * math.log(4))


def test_kinks_have_slope_zero(backend):
    assert lossref.MAE().grad([3.0], [3.0])[0] == 0  # PyTorch 0, scikit-learn -1
    assert lossref.L1(lam=0.5).grad([0.0])[0] == 0


@pytest.mark.parametrize(
    ("loss", "values", "slopes"),
    [
        (lossref.Hinge(), [0, 0.5, 2, 4], [0, -1, -1, 1]),
        (lossref.Hinge(margin=0.25), [0, 0, 1.25, 3.25], [0, 0, -1, 1]),
        (lossref.SquaredHinge(), [0, 0.25, 4, 16], [0, -1, -4, 8]),
        (lossref.Perceptron(), [0, 0, 1, 3], [0, 0, -1, 1]),
        (lossref.ModifiedHuber(), [0, 0.25, 4, 12], [0, -1, -4, 4]),
        (lossref.losses.Exponential(), np.exp([-2, -0.5, 1, 3]), np.exp([-2, -0.5, 1, 3]) * [-1, -1, -1, 1]),
    ],
    ids=repr,
)
def test_margins_right_just_right_and_wrong(loss, values, slopes, backend):
    score, label = [2.0, 0.5, -1.0, 3.0], [1, 1, 1, -1]
    assert loss.values(score, label) == pytest.approx(values, rel=1e-15)
    assert 4 * loss.grad(score, label) == pytest.approx(slopes, rel=1e-15)


def test_the_kinks_of_margins_have_slope_zero(backend):
    assert lossref.Hinge().grad([1.0, -1.0], [1, -1]).tolist() == [0, 0]  # PyTorch's relu 0, maximum -1/2, clamp_min -1
    assert lossref.Perceptron().grad([0.0, 0.0], [1, -1]).tolist() == [0, 0]


def test_divergences_of_two_rows(backend):
    """PyTorch prints 0.5823118 as the sum, 0.2911559 as "batchmean" and 0.0970520 as the "mean" over elements."""
    target, model = np.array([[0.2, 0.2, 0.6], [0.1, 0.8, 0.1]]), np.array([[0.1, 0.2, 0.7], [0.3, 0.3, 0.4]])
    for loss in (lossref.KL(from_logits=False), lossref.KL()):
        assert loss(np.log(model), target) == pytest.approx(0.2911559, abs=5e-8)
    assert lossref.KL(reduction="sum")(np.log(model), target) == pytest.approx(0.5823118, abs=5e-8)
    mixture = (model + target) / 2
    halves = [lossref.KL()(np.log(mixture), rows) for rows in (target, model)]
    assert lossref.JensenShannon()(model, target) == pytest.approx(sum(halves) / 2, rel=1e-14)


def test_rankings_by_hand(backend):
    """Two lists of three; the four pairs are those of a test of TF-Ranking, the list of two stands in its manual."""
    pairs = lossref.PairwiseLogistic()
    scores, relevances = [[1.0, 3.0, 2.0], [1.0, 2.0, 3.0]], [[0.0, 0.0, 1.0], [0.0, 0.0, 2.0]]
    wanted = np.mean([math.log1p(math.exp(gap)) for gap in (3 - 2, 1 - 2, 1 - 3, 2 - 3)])
    assert pairs(scores, relevances) == pytest.approx(wanted, rel=1e-15)
    assert pairs([[0.6, 0.8]], [[1, 0]]) == pytest.approx(2 * 0.39906943, abs=1e-7)  # which divides by two items
    chances = np.exp([2.0, 0.0, 1.0]) / np.exp([2.0, 0.0, 1.0]).sum()
    assert lossref.ListNet()([[2.0, 0.0, 1.0]], [[2, 0, 1]]) == pytest.approx(-chances @ np.log(chances), rel=1e-15)


def test_many_classes_by_hand(backend):
    """The scores of conventions R6, on which Keras's categorical hinge gives 2, and a row between the two kinds."""
    nearest, each = lossref.MulticlassHinge(), lossref.MulticlassHinge(kind="weston-watkins")
    assert nearest([[-1.0, -3.0, -4.0]], [0]) == each([[-1.0, -3.0, -4.0]], [0]) == 0
    assert nearest([[2.0, 1.5, 1.75]], [0]) == 0.75
    assert each([[2.0, 1.5, 1.75]], [0]) == 1.25


def test_penalties_by_hand(backend):
    w = [3.0, -4.0]
    assert lossref.L1(lam=0.5)(w) == 3.5
    assert lossref.L2(lam=0.5)(w) == 12.5
    assert lossref.L2(lam=0.5, half=True)(w) == 6.25
    assert lossref.L2(lam=0.5, half=True).grad(w).tolist() == [1.5, -2.0]  # a framework's weight_decay=0.5
    assert lossref.ElasticNet(l1=1.0, l2=0.5)(w) == 19.5
    assert lossref.L1(lam=1.0).prox(w, 3.5).tolist() == [0.0, -0.5]
    assert lossref.L2(lam=0.5).prox(w, 1.0).tolist() == [1.5, -2.0]
    assert lossref.ElasticNet(l1=1.0, l2=0.5).prox(w, 1.0).tolist() == [1.0, -1.5]
    assert lossref.TotalVariation(lam=0.5)([*w, -4.0]) == 3.5
    assert lossref.TotalVariation(lam=1.0).prox([0.0, 0.0, 6.0, 6.0], 1.0).tolist() == [0.5, 0.5, 5.5, 5.5]
    assert lossref.GroupLasso(lam=1.0, groups=[0, 0])(w) == 5 * math.sqrt(2)
    assert lossref.GroupLasso(lam=1.0, groups=[0, 0, 0, 0])([*w, 0, 0]) == 10
    assert lossref.GroupLasso(lam=1.0, groups=[0, 0, 0, 0]).prox([*w, 0, 0], 1.25).tolist() == [1.5, -2.0, 0, 0]


def test_smooth_relatives_of_absolute_error_keep_their_digits_near_zero_and_far_away(backend):
    """By their series and by their asymptotes; as usually written, they are 0 here, or infinite."""
    for loss in (lossref.LogCosh(), lossref.PseudoHuber(delta=3.0)):
        assert loss([1e-9], [0.0]) == pytest.approx(5e-19, rel=1e-15, abs=0)
    assert lossref.LogCosh()([1000.0], [0.0]) == pytest.approx(1000 - math.log(2), rel=1e-15)
    assert lossref.PseudoHuber(delta=3.0)(np.array([1e30], np.float32), [0.0]) == pytest.approx(3e30, rel=2e-7)
    assert lossref.PseudoHuber(delta=4.0)([3.0], [0.0]) == 4.0  # the triangle 3, 4, 5


def test_the_pull_of_cauchy_is_strongest_at_its_scale_and_no_square_overflows(backend):
    loss = lossref.Cauchy(scale=2.0, reduction="sum")
    assert loss([2.0], [0.0]) == pytest.approx(2 * math.log(2), rel=1e-15)
    assert loss.grad([2.0, 200.0], [0.0, 0.0]) == pytest.approx([1.0, 200 / 10001], rel=1e-15)
    far = np.array([1e30, -3e38], np.float32)
    wanted = [4 * math.log(float(abs(r)) / 2) for r in far]
    assert loss.values(far, np.zeros(2)) == pytest.approx(wanted, rel=2e-7)
    assert loss.grad(far[:1], np.zeros(1)) == pytest.approx([4e-30], rel=2e-7)
    tight = lossref.Cauchy(scale=0.01)  # the quotient itself would overflow
    assert tight(far[1:], np.zeros(1)) == pytest.approx(1e-4 * math.log(3e40), rel=2e-7)


def test_beyond_c_tukey_does_not_move_at_all(dtype, backend):
    loss = lossref.Tukey(c=3.0, reduction="sum")
    residuals = np.array([1.0, 1.5, 3.0, -3.0, 3.0000002, 1e30, np.inf, -np.inf], dtype)
    values = [1.5 * (1 - (8 / 9) ** 3), 1.5 * (1 - 0.75**3), *[1.5] * 6]
    for target in np.zeros(8, dtype), np.ones(8, dtype):
        pred = residuals + target
        assert loss.values(pred, target) == pytest.approx(values, rel=4e-7)
        assert loss.grad(pred, target)[:2] == pytest.approx([(8 / 9) ** 2, 1.5 * 0.75**2], rel=4e-7)
        assert not loss.grad(pred, target)[2:].any()
        assert not loss.curvature(pred, target)[2:].any()
    just_inside = np.nextafter(dtype.type(3), dtype.type(0))
    step = 3 - float(just_inside)
    assert loss.grad(np.array([just_inside]), np.zeros(1, dtype)) == pytest.approx([4 * step * step / 3], rel=4e-7)


def test_two_prices_and_a_tolerance_by_hand(backend):
    assert lossref.Quantile(q=0.9, reduction="sum")([0.0, 20.0], [10.0, 10.0]) == pytest.approx(9 + 1)
    assert lossref.Quantile()(ERRORS, np.zeros(5)) == 2.8  # half of the mean absolute error
    assert lossref.EpsilonInsensitive(epsilon=1.5)(ERRORS, np.zeros(5)) == pytest.approx((0.5 + 0.5 + 1.5 + 18.5) / 5)


def test_an_error_of_two_costs_less_to_who_expects_it(backend):
    """By hand, and as ``torch.nn.functional.gaussian_nll_loss`` prints it."""
    loss = lossref.GaussianNLL(reduction="sum")
    spread = [0.0, math.log(4), math.log(16)]
    wanted = [2.0, 0.5 * math.log(4) + 0.5, 0.5 * math.log(16) + 0.125]
    assert loss.values([0.0] * 3, spread, [2.0] * 3) == pytest.approx(wanted, rel=1e-15)
    in_mean, in_spread = loss.grad([0.0] * 3, spread, [2.0] * 3)
    assert in_mean == pytest.approx([-2, -0.5, -0.125], rel=1e-15)
    assert in_spread == pytest.approx([-1.5, 0, 0.375], rel=1e-15, abs=1e-15)
    far = np.array([1e25], np.float32)  # whose square is no float
    assert loss(far, [np.float32(120)], [0.0]) == pytest.approx(60 + 0.5e50 * math.exp(-120), rel=2e-7)


def test_a_latent_variable_that_says_little_costs_little_but_not_nothing(backend):
    loss = lossref.GaussianKL(reduction="sum")
    assert loss([0.0], [1e-9]) == pytest.approx(2.5e-19, rel=1e-9, abs=0)  # as written: 0 or 4e-17
    assert loss([1.0, -2.0], [0.0, math.log(4)]) == pytest.approx(0.5 + 0.5 * (4 - 1 - math.log(4) + 4), rel=1e-15)
    assert loss([0.0], [710.0]) == pytest.approx(0.5 * math.exp(700) * math.exp(10), rel=1e-13)


def test_a_pair_in_order_costs_nothing_and_one_in_disorder_its_distance(backend):
    first, second, label = [3.0, 1.0, 1.0, 1.0], [1.0, 3.0, 3.0, 1.0], [1, 1, -1, 1]
    assert lossref.MarginRanking().values(first, second, label).tolist() == [0, 2, 0, 0]
    loss = lossref.MarginRanking(margin=2.0, reduction="sum")
    assert loss.values(first, second, label).tolist() == [0, 4, 0, 2]
    in_first, in_second = loss.grad(first, second, label)
    assert in_first.tolist() == [0, -1, 0, -1]  # at a lead of just the margin 0; PyTorch's clamp gives -1 there
    assert in_second.tolist() == [0, 1, 0, 1]


def test_focal_loss_of_an_even_chance_and_of_nine_in_ten(backend):
    even = [0.0, 0.0]
    assert lossref.Focal().values(even, [1.0, 0.0]) == pytest.approx(np.log(2) * np.array([1, 3]) / 16, rel=1e-15)
    nine = [math.log(9)]
    assert lossref.Focal(alpha=None)(nine, [1.0]) == pytest.approx(0.01 * -math.log(0.9), rel=1e-14)
    assert lossref.Focal(alpha=None)(nine, [0.0]) == pytest.approx(0.81 * math.log(10), rel=1e-14)
    confident = lossref.Focal(gamma=1.0, alpha=None)([36.0], [1.0])
    assert confident == pytest.approx(2.319522830243569e-16**2, rel=1e-15, abs=0)


def test_contrastive_pairs_by_hand(backend):
    """Two rows at distance 5 in the conventions of the frameworks: which label is alike, with ½ or without."""
    a, b = np.array([[3.0, 4.0]]), np.zeros((1, 2))
    for settings, same, different in (
        ({}, 25, 9),
        ({"half": True}, 12.5, 4.5),  # Hadsell, Chopra and LeCun
        ({"similar": 1}, 9, 25),  # TensorFlow Addons
    ):
        loss = lossref.Contrastive(margin=8.0, **settings)
        assert (loss(a, b, [0]), loss(a, b, [1])) == (same, different)
    slope, opposite = lossref.Contrastive(margin=10.0).grad(a, b, [1])
    assert slope.tolist() == [[-6.0, -8.0]]  # twice what is missing, along the line between them
    assert opposite.tolist() == [[6.0, 8.0]]
    assert lossref.Contrastive(margin=10.0).curvature(a, b, [1])[0] == pytest.approx(np.array([[-0.56, 0.56]]))


def test_triplets_by_hand(backend):
    anchor, positive, negative = np.array([[0.0, 0.0]]), np.array([[3.0, 4.0]]), np.array([[0.0, 6.0]])
    for settings, value in (
        ({"margin": 2.0}, 1),  # 5 - 6 + 2
        ({"margin": 2.0, "p": 1.0}, 3),  # 7 - 6 + 2
        ({"margin": 2.0, "squared": True}, 0),  # 25 - 36 + 2
        ({"margin": 2.0, "swap": True}, 7 - math.sqrt(13)),  # the negative is nearer to the positive
    ):
        assert lossref.Triplet(**settings)(anchor, positive, negative) == pytest.approx(value, rel=1e-15)
    same = lossref.Triplet(margin=1e-9).values(positive, positive, positive)
    assert same == [1e-9]  # of a row and itself PyTorch says 2e-6 in four dimensions


def test_a_distance_of_order_one_takes_absolute_values(backend):
    """Differences of (-1, -1) and order 1: a distance of 2; optax says -2."""
    loss = lossref.Triplet(margin=1.0, p=1.0)
    assert loss([[0.0, 0.0]], [[1.0, 1.0]], [[0.0, 0.0]]) == 3


def test_angles_by_hand(backend):
    loss = lossref.CosineEmbedding(margin=0.5)
    a, b = [[3.0, 4.0]] * 2, [[4.0, 3.0], [-4.0, 3.0]]
    assert loss.values(a, b, [1, 1]) == pytest.approx([0.04, 1])  # cosines 24/25 and 0
    assert loss.values(a, b, [-1, -1]) == pytest.approx([0.46, 0])


def test_triplets_on_a_line_by_hand(backend):
    """Anchors 0 and 1 of one class, 0.5 and 1.125 of the other; the distances are differences."""
    x, labels = [[0.0], [1.0], [0.5], [1.125]], [7, 7, 3, 3]
    for strategy, chosen, costs in (
        ("all", 8, [0.75 + 0.125, 1.125 + 0.75, 0.375 + 0.375, 0.75]),
        ("batch-hard", 4, [0.75, 1.125, 0.375, 0.75]),
        ("hard", 6, [0.75, 1.125 + 0.75, 0.375 + 0.375, 0.75]),
        ("semi-hard", 1, [0.125, 0, 0, 0]),
    ):
        loss = lossref.BatchTriplet(strategy=strategy, margin=0.25)
        assert loss.values(x, labels).tolist() == costs
        assert loss(x, labels) == sum(costs) / chosen
