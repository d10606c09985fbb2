"""What the pages of the losses call proven: convex, bounded, symmetric, and the statistic that is the minimizer."""

import dataclasses
import itertools
import math

import cases
import numpy as np
import oracle
import pytest
import sympy as sp
from cases import CASES


def proven():
    """The losses with the settings of which the properties speak: any numbers, but the default form."""
    for case in CASES:
        plain = {
            field.name: field.default for field in dataclasses.fields(case.loss) if not case.loss.range_of(field).number
        }
        numbers = [getattr(case.loss, field.name) for field in dataclasses.fields(case.loss) if field.name not in plain]
        if None not in numbers and all(getattr(case.loss, name) == default for name, default in plain.items()):
            yield case


every_proven = pytest.mark.parametrize("case", list(proven()), ids=str)


def claim(case, text):
    """What a claim such as ``Max(1, pos_weight)/4`` or ``Eq(q, 1/2)`` states: a number, or whether it is so."""
    settings = {name: value for name, value in vars(case.loss).items() if isinstance(value, float)}
    if not isinstance(text, str):
        return text
    stated = sp.sympify(text, locals=settings)
    return bool(stated) if isinstance(stated, sp.logic.boolalg.BooleanAtom) else float(stated)


def wide(case, rng, samples=4000):
    """Predictions from near to far, with targets."""
    pred, target = case.draw(rng, samples, np.float64)
    reach = 10 ** rng.uniform(-3, 3, (samples,) + (1,) * (pred.ndim - 1))
    if cases.takes_probabilities(case.loss)[0]:  # from 0 itself to near 1
        pred[:1] = 0
        return pred**reach, target
    return pred * reach, target


@every_proven
def test_convex_is_what_lies_below_its_chords(case, rng):
    total = case.with_reduction("sum")
    (a, target), (b, _) = wide(case, rng), wide(case, rng)
    share = rng.uniform(0, 1, (len(a),) + (1,) * (a.ndim - 1))
    flat = share.reshape(len(a))
    chord = flat * total.values(a, target) + (1 - flat) * total.values(b, target)
    below = total.values(share * a + (1 - share) * b, target) <= chord * (1 + 1e-12) + 1e-12
    assert below.all() == claim(case, case.loss.properties.convex)


@every_proven
def test_lipschitz_bounds_the_slope_and_is_no_larger_than_it_need_be(case, rng):
    pred, target = wide(case, rng)
    if case.targets == "numbers" and cases.takes_probabilities(case.loss)[1]:
        target = np.round(target)
    steepest = np.abs(case.with_reduction("sum").grad(pred, target)).max()
    text = case.loss.properties.lipschitz
    if text is None or claim(case, text) == math.inf:
        assert steepest > 1e3
    else:
        smoothed = 1 - getattr(case.loss, "label_smoothing", 0.0)
        assert 0.9 * smoothed * claim(case, text) <= steepest <= claim(case, text) * (1 + 1e-12)


@every_proven
def test_smoothness_bounds_the_curvature_and_is_no_larger_than_it_need_be(case, rng):
    pred, target = case.draw(rng, 20000, np.float64, scale=0.7)
    total = case.with_reduction("sum")
    if case.targets == "numbers" and cases.takes_probabilities(case.loss)[1]:
        target = np.round(target)
    text = case.loss.properties.smoothness
    most = math.inf if text is None else claim(case, text)
    slopes = total.grad(pred, target)
    if most == math.inf and (case.loss.properties.differentiable or case.targets == "masks"):  # it grows without bound
        assert np.abs(total.curvature(*wide(case, rng))).max() > 1e3
    elif most == math.inf:  # the slope jumps
        margin, tube = getattr(case.loss, "margin", 0.0), getattr(case.loss, "epsilon", 0.0)
        way = np.eye(3)[target] if case.rowwise else target if case.loss.signs else np.ones_like(target)
        kink = margin * way if case.loss.signs or case.rowwise else target + tube
        step = total.grad(kink + 1e-9 * way, target) - total.grad(kink - 1e-9 * way, target)
        assert np.abs(step).max() > 0
    else:
        sharpest = np.abs(total.curvature(pred, target)).max()
        smoothed = 1 - getattr(case.loss, "label_smoothing", 0.0)
        assert 0.9 * smoothed * most <= sharpest <= most * (1 + 1e-12)
        assert np.isfinite(slopes).all()


@pytest.mark.parametrize("case", [case for case in proven() if not case.rowwise], ids=str)
def test_symmetric_is_what_does_not_tell_over_from_under(case, rng):
    pred, target = case.draw(rng, 500, np.float64)
    if cases.takes_probabilities(case.loss)[1] or case.loss.signs:
        same = case.loss.values(-pred, target) == case.loss.values(pred, target)
    else:
        same = case.loss.values(2 * target - pred, target) == pytest.approx(case.loss.values(pred, target), rel=1e-9)
        mirrored = case.loss.values(-pred, -target) == case.loss.values(pred, target)
        assert mirrored.all() == claim(case, case.loss.properties.symmetric)
    assert np.all(same) == claim(case, case.loss.properties.symmetric)


@pytest.mark.parametrize("case", [case for case in proven() if not case.rowwise], ids=str)
def test_differentiable_is_what_has_one_slope_everywhere(case):
    """SymPy's slope a hair to the left and to the right of the target and of every edge between the formula's pieces.

    (``sympy.limit`` will not do: of a piecewise function it returns the value at the point.)"""
    arguments = oracle.exactly(case.loss.arguments())
    x = arguments["pred"]
    settings = {
        symbol: sp.Rational(*float(getattr(case.loss, name)).as_integer_ratio())
        for name, symbol in arguments.items()
        if hasattr(case.loss, name) and isinstance(symbol, sp.Symbol)
    }
    target = sp.Integer(1) if case.loss.signs else sp.Rational(1, 4)
    slope = sp.diff(type(case.loss).formula(**arguments), x).subs(settings | {arguments["target"]: target})
    edges = [target, *(target + sign * setting for sign in (-1, 1) for setting in settings.values())]
    if case.loss.signs:  # the margin itself
        edges = [-1, 0, 1, *settings.values()]
    hair = sp.Rational(1, 10**60)
    jumps = [abs(sp.N(slope.subs(x, edge + hair) - slope.subs(x, edge - hair), 80)) for edge in edges]
    assert all(jump < 1e-50 for jump in jumps) == case.loss.properties.differentiable


@pytest.mark.parametrize("case", [case for case in proven() if case.targets == "masks"], ids=str)
def test_differentiable_masks_are_those_without_a_jump_beside_the_empty_match(case):
    total, nothing, hair = case.with_reduction("sum"), np.zeros((1, 3)), np.array([[1e-12, 0, 0]])
    assert (total(hair, nothing) - total(nothing, nothing) < 1e-9) == claim(case, case.loss.properties.differentiable)


def as_predicted(case, probabilities):
    """How a loss is told probabilities of classes (of class 1, where there are two)."""
    if case.rowwise:
        return probabilities if cases.takes_probabilities(case.loss)[0] else np.log(probabilities)
    chance = probabilities[:, 1]
    return chance if cases.takes_probabilities(case.loss)[0] else np.log(chance / (1 - chance))


def expected(case, predicted, truth):
    """The expected loss of each row of predicted probabilities, where classes come with the true ones."""
    pred, total = as_predicted(case, predicted), case.with_reduction("sum")
    costs = 0
    for k, chance in enumerate(truth):
        if case.targets == "labels":
            target = np.full(len(predicted), k)
        elif case.rowwise:
            target = np.eye(len(truth))[np.full(len(predicted), k)]
        else:
            target = np.full(len(predicted), float(k))
        costs = costs + chance * total.values(pred, target)
    return costs


@pytest.mark.parametrize("case", [case for case in proven() if case.loss.properties.proper is not None], ids=str)
def test_proper_is_what_rewards_the_true_probabilities(case, rng):
    """Nobody who predicts other probabilities does better; under an improper loss somebody does, by more than noise."""
    gains = []
    for _ in range(20):
        truth = rng.dirichlet(np.full(3 if case.rowwise else 2, 2.0))
        near = truth * np.exp(0.1 * rng.standard_normal((200, truth.size)))
        others = np.concatenate([near / near.sum(axis=1, keepdims=True), rng.dirichlet(np.ones(truth.size), 200)])
        gains.append(np.max(expected(case, truth[np.newaxis], truth) - expected(case, others, truth)))
    if claim(case, case.loss.properties.proper):
        assert max(gains) < 0
    else:
        assert max(gains) > 1e-4


def takes_shares(case):
    """Are targets of classes: probabilities, which smoothing and class weights change, or labels -1 and +1?"""
    return case.loss.signs or cases.takes_probabilities(case.loss)[1]


def slope_at(case, constant, target):
    return case.loss.grad(np.full(target.shape, constant), target).sum()


def is_flat_at(statistic):
    def holds(case, target):
        return abs(slope_at(case, statistic(target), target)) < 1e-12

    return holds


def turns_at_the_median(case, target):
    median = np.median(target)
    return slope_at(case, median - 1e-9, target) <= 0 <= slope_at(case, median + 1e-9, target)


def turns_between_mean_and_median(case, target):
    low, high = sorted([np.mean(target), np.median(target)])
    return slope_at(case, low, target) <= 1e-12 and slope_at(case, high, target) >= -1e-12


def turns_at_the_quantile(case, target):
    quantile = np.quantile(target, case.loss.q, method="inverted_cdf")
    return slope_at(case, quantile - 1e-9, target) <= 0 <= slope_at(case, quantile + 1e-9, target)


def turns_where_the_tube_is_balanced(case, target):
    ends = np.sort(np.concatenate([target - case.loss.epsilon, target + case.loss.epsilon]))
    middles = (ends[1:] + ends[:-1]) / 2
    above = (target[:, np.newaxis] > middles + case.loss.epsilon).sum(axis=0)
    below = (target[:, np.newaxis] < middles - case.loss.epsilon).sum(axis=0)
    low, high = middles[above > below].max(), middles[above < below].min()
    return slope_at(case, low, target) < 0 < slope_at(case, high, target)


def turns_at(best):
    """The slope changes its sign there, or is 0 on one side of it."""

    def holds(case, target):
        place = best(target)
        return slope_at(case, place - 1e-9, target) <= 0 <= slope_at(case, place + 1e-9, target)

    return holds


def forgets_a_far_outlier(case, target):
    """Where the pulls balance, is it the same place with an outlier at a billion and without it?"""

    def balance(targets):
        low, high = np.quantile(target, [0.05, 0.95])
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if slope_at(case, middle, targets) < 0 else (low, middle)
        return middle

    return balance(np.append(target, 1e9)) == pytest.approx(balance(target), abs=1e-7)


def turns_between_or_forgets(case, target):
    return (turns_between_mean_and_median if case.loss.alpha >= 1 else forgets_a_far_outlier)(case, target)


def is_flat_at_the_class_frequencies(case, target):
    mass = np.eye(3)[target] if case.targets == "labels" else target
    pred = np.tile(np.log(mass.mean(axis=0)), (len(mass), 1))
    return np.abs(case.loss.grad(pred, target).sum(axis=0)).max() < 1e-12


def is_flat_at_the_means(case, target):
    mass = np.eye(3)[target] if case.targets == "labels" else target
    return np.abs(case.loss.grad(np.tile(mass.mean(axis=0), (len(mass), 1)), target).sum(axis=0)).max() < 1e-12


def is_least_among_log_probabilities(case, target):
    mass = np.eye(3)[target] if case.targets == "labels" else target
    best = mass.mean(axis=0)
    others = [0.9 * best + 0.1 * corner for corner in np.eye(3)]
    lowest, *higher = (case.loss(np.tile(np.log(q), (len(mass), 1)), target) for q in (best, *others))
    return lowest < min(higher)


def turns_before_the_weighted_log_odds(case, target):
    """The slope is still downhill at 0 and uphill at the log-odds of the targets, those of 1 weighted by alpha."""
    share, alpha = target.mean(), case.loss.alpha
    odds = alpha * share / ((1 - alpha) * (1 - share))
    return slope_at(case, 0.0, target) * slope_at(case, np.log(odds), target) < 0


def leads_for_a_majority_only(case, labels):
    """With a majority, its lead; without one, no lead: nothing that is drawn at random is better (it is convex)."""
    rng = np.random.default_rng(3)
    for shares, best in (((6, 3, 2), (case.loss.margin, 0, 0)), ((5, 4, 3), (0, 0, 0))):
        labels = np.repeat(np.arange(3), shares)
        least = case.loss(np.tile(np.array(best, float), (len(labels), 1)), labels)
        others = [scores - scores.mean() for scores in rng.standard_normal((200, 3))]
        if min(case.loss(np.tile(scores, (len(labels), 1)), labels) for scores in others) <= least:
            return False
    return True


def are_ordered_as_the_class_frequencies(case, target):
    """Descent from three equal logits ends where the commonest class has the highest."""
    mass, logits = np.eye(3)[target] if case.targets == "labels" else target, np.zeros(3)
    for _ in range(300):
        slopes = case.loss.grad(np.tile(logits, (len(mass), 1)), target).sum(axis=0)
        logits -= slopes
    return np.abs(slopes).max() < 1e-9 and (np.argsort(logits) == np.argsort(mass.mean(axis=0))).all()


def lies_between_least_and_largest(case, target):
    """Below the least of a class the slope is negative, above the largest positive."""
    ends = target.min(axis=0), target.max(axis=0)
    falling, rising = (case.loss.grad(np.tile(end, (len(target), 1)), target).sum(axis=0) for end in ends)
    return np.all(falling < 0) and np.all(rising > 0)


def is_hard_in_all_elements_but_one_at_most(case, target):
    """Where the sum of a prediction is given, the loss of any masks is a straight line, and best is a corner.

    Of three elements one goes from 0 to 1 and the others are 0 or 1; no prediction at random does better."""
    steps, corners = np.linspace(0, 1, 101), list(itertools.product([0.0, 1.0], repeat=2))
    hard = [np.insert(corner, place, t) for place in range(3) for corner in corners for t in steps]
    rng = np.random.default_rng(5)
    best, other = (
        min(case.loss(np.tile(row, (len(target), 1)), target) for row in rows) for rows in (hard, rng.random((300, 3)))
    )
    return best < other


def is_flat_at_the_mean_softmax(case, target):
    softmax = np.exp(target) / np.exp(target).sum(axis=1, keepdims=True)
    pred = np.tile(np.log(softmax.mean(axis=0)), (len(target), 1))
    return np.abs(case.loss.grad(pred, target).sum(axis=0)).max() < 1e-12


def is_flat_at_the_log_odds_of_two(case, target):
    two = target[target[:, 0] != target[:, 1], :2]
    odds = np.mean(two[:, 0] > two[:, 1])
    pred = np.tile([np.log(odds / (1 - odds)), 0.0], (len(two), 1))
    return np.abs(case.loss.grad(pred, two).sum(axis=0)).max() < 1e-12


MINIMIZERS = {
    "mean": is_flat_at(np.mean),
    "median": turns_at_the_median,
    "between mean and median": turns_between_mean_and_median,
    "q-quantile": turns_at_the_quantile,
    "where as many targets lie beyond the tube above as below": turns_where_the_tube_is_balanced,
    "what it would be without a far outlier": forgets_a_far_outlier,
    "between mean and median for alpha from 1 to 2; below, what it would be without a far outlier": (
        turns_between_or_forgets
    ),
    "logarithm of the mean": is_flat_at(lambda target: np.log(target.mean())),
    "log-odds of the mean": is_flat_at(lambda target: np.log(target.mean() / (1 - target.mean()))),
    "nearer to 0 than the log-odds of the mean weighted by alpha": turns_before_the_weighted_log_odds,
    "margin times the label of the majority": turns_at(lambda label: np.sign(label.mean())),
    "margin times the mean label": is_flat_at(np.mean),
    "mean label": is_flat_at(np.mean),
    "0, whatever the labels": turns_at(lambda _: 0.0),
    "half the log-odds of label 1": is_flat_at(lambda label: np.arctanh(label.mean())),
    "a lead for the class of the majority; where there is none, for no class": leads_for_a_majority_only,
    "logits in the order of the class frequencies": are_ordered_as_the_class_frequencies,
    "between the least and the largest probability of each class": lies_between_least_and_largest,
    "logarithms of the mean softmax of the relevances": is_flat_at_the_mean_softmax,
    "of two items, the log-odds that the first is the more relevant": is_flat_at_the_log_odds_of_two,
    "0 or 1 in all elements but one at most": is_hard_in_all_elements_but_one_at_most,
    "if alpha + beta = 1, 0 or 1 in all elements but one at most": is_hard_in_all_elements_but_one_at_most,
    "class frequencies": is_flat_at_the_means,
    "logarithms of the class frequencies": is_flat_at_the_class_frequencies,
    "logarithms of the class frequencies, among log-probabilities": is_least_among_log_probabilities,
}


@pytest.mark.parametrize(
    "case",
    [
        case
        for case in proven()
        if case.loss == type(case.loss)(**case.loss.samples[0]) or not (case.rowwise or takes_shares(case))
    ],
    ids=str,
)
def test_the_best_constant_prediction_is_the_statistic_it_is_said_to_be(case, rng):
    _, target = case.draw(rng, 501, np.float64)
    if case.targets == "numbers" and not takes_shares(case):
        target = np.exp(target / 3)  # skewed, so that mean and median differ
    holds = MINIMIZERS[case.loss.properties.minimizer]
    assert holds(case, target)
    constant = 0.25 if cases.takes_probabilities(case.loss)[0] else -1.0
    value = case.loss(np.full(target.shape if target.dtype.kind == "f" else (501, 3), constant), target)
    assert value > 0
