"""Classification losses: how surprised a model is by the true class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lossref import symbolic as sp
from lossref._arrays import Array, ordered_sums
from lossref._parameters import flag, fraction, optional_integer, optional_weights, positive
from lossref.losses.base import PointwiseLoss, Properties, RowwiseLoss


def product(mass: Array, what: Array) -> Array:
    """Mass times something, where no mass times infinity is nothing."""
    return np.where(mass == 0, 0, mass * what)


def quotient(mass: Array, *chances: Array) -> Array:
    """Mass divided by something, where no mass divided by zero is nothing."""
    share = mass
    for chance in chances:
        share = share / chance
    return np.where(mass == 0, 0, share)


def weighed(weight: float, mass: Array, *chances: Array) -> Array:
    """Weight times mass divided by something, in that order, lest a quotient overflow before it is weighed.

    A tiny mass, which the weight might take below all floats, is weighed last."""
    return np.where(mass < 1e-100, weight * quotient(mass, *chances), quotient(weight * mass, *chances))


@dataclass(frozen=True, kw_only=True)
class BinaryCrossEntropy(PointwiseLoss):
    r"""Binary cross-entropy: the surprise, in nats, at which of two classes it was.

    .. math::

       \ell(z, y) = \omega\, y \log\left(1 + e^{-z}\right) + (1 - y) \log\left(1 + e^{z}\right)

    The logit :math:`z` is the log-odds of class 1, so that its probability is :math:`p = 1 / (1 + e^{-z})` and the loss
    is :math:`-\omega y \log p - (1 - y) \log(1 - p)`. A confident mistake costs as much as its logit is wrong; a
    confident right answer costs next to nothing, and that next to nothing is computed to the last digits.

    Parameters
    ----------
    from_logits : bool, default True
        Whether predictions are logits. If False they are probabilities, and nothing is clamped: a class of
        probability 0 that comes true costs infinity.
    label_smoothing : float in [0, 1), default 0.0
        The share :math:`\varepsilon` of each target that is spread over both classes:
        :math:`y` becomes :math:`(1 - \varepsilon) y + \varepsilon / 2`.
    pos_weight : float > 0, default 1.0
        The weight :math:`\omega` of class 1, against 1 for class 0.
    reduction : {"mean", "sum"}, default "mean"
        How the values of the elements become one number.

    Notes
    -----
    Targets are probabilities from 0 to 1; anything else, such as a label of −1, gives NaN. PyTorch's ``BCELoss`` clamps
    the logarithms at −100, Keras clips probabilities to :math:`[10^{-7}, 1 - 10^{-7}]`, so both return finite losses
    for certain mistakes, and gradients that are not the slopes of those losses.

    References
    ----------
    I. J. Good, "Rational decisions", *Journal of the Royal Statistical Society B* 14, 1952.

    Examples
    --------
    >>> import lossref
    >>> loss = lossref.BinaryCrossEntropy()
    >>> print(f"{loss([36.0], [1.0]):.14g}")
    2.3195228302436e-16
    >>> loss.grad([0.0, 0.0], [1.0, 0.0])
    array([-0.25,  0.25])
    >>> round(lossref.BinaryCrossEntropy(from_logits=False)([0.95], [1.0]), 6)
    0.051293
    """

    from_logits: bool = flag(True)
    label_smoothing: float = fraction(0.0, slider=(0.0, 0.5))
    pos_weight: float = positive(1.0, slider=(0.1, 5.0))

    domain = "probabilities"
    forms = ("", "_probabilities")
    samples = (
        {},
        {"label_smoothing": 0.2},
        {"pos_weight": 3.0},
        {"label_smoothing": 0.1, "pos_weight": 0.5},
        {"from_logits": False},
        {"from_logits": False, "label_smoothing": 0.1, "pos_weight": 2.0},
    )
    properties = Properties(
        convex=True,
        differentiable=True,
        symmetric=False,
        lipschitz="Max(1, pos_weight)",
        smoothness="Max(1, pos_weight)/4",
        minimizer="log-odds of the mean",
        proper="Eq(pos_weight, 1) & Eq(label_smoothing, 0)",
    )

    @staticmethod
    def formula(pred: Any, target: Any, from_logits: bool, label_smoothing: Any, pos_weight: Any) -> Any:
        y = (1 - label_smoothing) * target + label_smoothing / 2
        if from_logits:
            return pos_weight * y * sp.log(1 + sp.exp(-pred)) + (1 - y) * sp.log(1 + sp.exp(pred))
        return -pos_weight * y * sp.log(pred) - (1 - y) * sp.log(1 - pred)

    @property
    def letters(self) -> dict[str, str]:
        return {"pred": "z" if self.from_logits else "p"}

    def _choose_kernel(self) -> str:
        return self.name if self.from_logits else f"{self.name}_probabilities"

    def _masses(self, target: Array) -> tuple[Array, Array]:
        """What the target puts on class 1, before it is weighed, and on class 0, in float64."""
        y = np.where((target >= 0) & (target <= 1), target, np.nan).astype(np.float64)
        keep, spread = 1 - self.label_smoothing, self.label_smoothing / 2
        return y * keep + spread, (1 - y) * keep + spread

    def reference(self, pred: Array, target: Array) -> tuple[Array, Array]:
        a, b = self._masses(target)
        z, weight = pred.astype(np.float64), self.pos_weight
        if self.from_logits:
            e = np.exp(-np.abs(z))
            certain, doubt = 1 / (1 + e), e / (1 + e)
            far = product(np.where(z > 0, b, a), np.abs(z)) * np.where(z > 0, 1, weight)
            value = far + (weight * a + b) * np.log1p(e)
            slope = np.where(z > 0, b * certain - weight * a * doubt, b * doubt - weight * a * certain)
        else:
            q = np.where((z >= 0) & (z <= 1), z, np.nan)
            value = -weight * product(a, np.log(q)) - product(b, np.log1p(-q)) + 0 * q
            slope = quotient(b, 1 - q) - weighed(weight, a, q) + 0 * q
        return value.astype(pred.dtype), slope.astype(pred.dtype)

    def reference_curvature(self, pred: Array, target: Array) -> Array:
        a, b = self._masses(target)
        z, weight = pred.astype(np.float64), self.pos_weight
        if self.from_logits:
            e = np.exp(-np.abs(z))
            curvature: Array = (weight * a + b) * (e / (1 + e)) / (1 + e)
        else:
            q = np.where((z >= 0) & (z <= 1), z, np.nan)
            curvature = quotient(b, 1 - q, 1 - q) + weighed(weight, a, q, q) + 0 * q
        return curvature.astype(pred.dtype)


@dataclass(frozen=True, kw_only=True)
class CategoricalCrossEntropy(RowwiseLoss):
    r"""Categorical cross-entropy: the surprise, in nats, at which of many classes it was.

    .. math::

       \ell(z, y) = \sum_{k} y_k \left( \log \sum_{j} e^{z_j} - z_k \right)

    The softmax of the logits, :math:`p_k = e^{z_k} / \sum_j e^{z_j}`, are the probabilities of the classes, and the
    loss is :math:`-\sum_k y_k \log p_k`. Where the target is a label, that is minus the log-probability of one class.

    Parameters
    ----------
    from_logits : bool, default True
        Whether predictions are logits. If False they are probabilities that sum to 1 (which is not checked), and
        nothing is clamped.
    label_smoothing : float in [0, 1), default 0.0
        The share :math:`\varepsilon` of each target that is spread evenly over all :math:`C` classes, its own included:
        :math:`y_k` becomes :math:`(1 - \varepsilon) y_k + \varepsilon / C`.
    class_weight : sequence of float >= 0, optional
        A weight :math:`w_k` for each class: :math:`y_k` becomes :math:`w_k y_k`, after smoothing. The mean divides by
        the sum of the weights of the targets before smoothing.
    ignore_index : int, optional
        A label whose rows are left out: they are not read, count nothing, and get a gradient of 0.
    reduction : {"mean", "sum"}, default "mean"
        How the values of the rows become one number.

    Notes
    -----
    ``pred`` has the shape (n, C). ``target`` is integer labels of the shape (n,), or probabilities of the shape (n, C).
    With labels this is what PyTorch's ``CrossEntropyLoss`` computes, its class weights and smoothing included; with
    probabilities PyTorch divides the mean by n whatever the class weights are, so that a one-hot row and its label
    disagree there and agree here. Keras takes probabilities unless told otherwise, and clips them.

    References
    ----------
    C. Szegedy et al., "Rethinking the Inception architecture for computer vision", *CVPR* 2016 (label smoothing).

    Examples
    --------
    >>> import lossref
    >>> loss = lossref.CategoricalCrossEntropy()
    >>> round(loss([[1.0, 2.0, 3.0, 4.0]], [2]), 6)
    1.44019
    >>> loss([[0.0, 40.0]], [1])
    4.248354255291589e-18
    >>> loss.grad([[0.0, 0.0]], [[0.0, 1.0]])
    array([[ 0.5, -0.5]])
    """

    from_logits: bool = flag(True)
    label_smoothing: float = fraction(0.0, slider=(0.0, 0.5))
    class_weight: tuple[float, ...] | None = optional_weights()
    ignore_index: int | None = optional_integer()

    forms = ("", "_smoothed", "_probabilities")
    samples = (
        {},
        {"label_smoothing": 0.2},
        {"class_weight": (0.5, 2.0, 1.0)},
        {"label_smoothing": 0.1, "class_weight": (0.5, 2.0, 0.0)},
        {"ignore_index": -100},
        {"from_logits": False},
        {"from_logits": False, "label_smoothing": 0.1, "class_weight": (0.5, 2.0, 1.0)},
    )
    properties = Properties(
        convex=True,
        differentiable=True,
        symmetric=False,
        lipschitz="1",
        smoothness="Rational(1, 4)",
        minimizer="logarithms of the class frequencies",
        proper="Eq(label_smoothing, 0)",
    )

    @staticmethod
    def formula(pred: Any, target: Any, from_logits: bool, label_smoothing: Any, class_weight: Any) -> Any:
        classes = len(pred)
        weight = [1] * classes if class_weight is None else class_weight
        mass = [
            w * ((1 - label_smoothing) * y + label_smoothing / classes) for w, y in zip(weight, target, strict=True)
        ]
        total = sp.log(sum(sp.exp(z) for z in pred)) if from_logits else 0
        return sum(a * (total - (z if from_logits else sp.log(z))) for a, z in zip(mass, pred, strict=True))

    @property
    def letters(self) -> dict[str, str]:
        return {"pred": "z" if self.from_logits else "p"}

    def _choose_kernel(self) -> str:
        if not self.from_logits:
            return f"{self.name}_probabilities"
        return f"{self.name}_smoothed" if self.label_smoothing and self.class_weight is None else self.name

    def _kernel_parameters(self) -> tuple[float, ...]:
        return (self.label_smoothing,)

    def reference(self, pred: Array, mass: Array) -> tuple[Array, Array]:
        x, a = pred.astype(np.float64), mass.astype(np.float64)
        whole = a.sum(axis=1)
        if not self.from_logits:
            q = np.where((x >= 0) & (x <= 1), x, np.nan)
            wrong = 0 * q.sum(axis=1, keepdims=True)
            values = -product(a, np.log(q)).sum(axis=1) + wrong[:, 0]
            return values, (-quotient(a, q) + wrong).astype(pred.dtype)
        top, e, others, total, largest = softmax_parts(x)
        values = whole * np.log1p(others[:, 0]) + product(a, top - x).sum(axis=1)
        share = e / total
        elsewhere = np.where(largest, 0, a).sum(axis=1, keepdims=True)
        slopes = np.where(largest, elsewhere * share - a * (others / total), whole[:, np.newaxis] * share - a)
        return values, slopes.astype(pred.dtype)

    def reference_curvature(self, pred: Array, mass: Array) -> Array:
        x, a = pred.astype(np.float64), mass.astype(np.float64)
        if not self.from_logits:
            q = np.where((x >= 0) & (x <= 1), x, np.nan)
            curvature: Array = quotient(a, q, q) + 0 * q.sum(axis=1, keepdims=True)
        else:
            _, e, others, total, largest = softmax_parts(x)
            share = e / total
            curvature = a.sum(axis=1, keepdims=True) * share * np.where(largest, others / total, 1 - share)
        return curvature.astype(pred.dtype)


@dataclass(frozen=True, kw_only=True)
class NLL(RowwiseLoss):
    r"""Negative log-likelihood: minus the log-probability that was given to the true class.

    .. math::

       \ell(z, y) = -\sum_{k} y_k z_k

    The predictions :math:`z_k` are log-probabilities already: a log-softmax was applied to the logits before. The two
    together are :class:`CategoricalCrossEntropy`, which computes them in one pass and is the better choice unless the
    log-probabilities are wanted for themselves.

    Parameters
    ----------
    class_weight : sequence of float >= 0, optional
        A weight :math:`w_k` for each class: :math:`y_k` becomes :math:`w_k y_k`. The mean divides by the sum of the
        weights of the targets.
    ignore_index : int, optional
        A label whose rows are left out: they are not read, count nothing, and get a gradient of 0.
    reduction : {"mean", "sum"}, default "mean"
        How the values of the rows become one number.

    Notes
    -----
    ``pred`` has the shape (n, C). ``target`` is integer labels of the shape (n,), or probabilities of the shape (n, C).

    Nothing checks that the predictions are log-probabilities. The loss is a straight line in them, so on logits it
    falls without end: a model trained so learns large numbers, not probabilities. The opposite mistake, a softmax
    before :class:`CategoricalCrossEntropy`, trains, but slowly: the second softmax flattens the first.

    References
    ----------
    R. A. Fisher, "On the mathematical foundations of theoretical statistics", *Philosophical Transactions of the Royal
    Society A* 222, 1922.

    Examples
    --------
    >>> import lossref
    >>> import numpy as np
    >>> loss = lossref.NLL()
    >>> round(loss(np.log([[0.2, 0.8], [0.5, 0.5]]), [1, 0]), 6)
    0.458145
    >>> loss.grad([[-1.0, -2.0]], [1])
    array([[ 0., -1.]])
    """

    class_weight: tuple[float, ...] | None = optional_weights()
    ignore_index: int | None = optional_integer()

    samples = ({}, {"class_weight": (0.5, 2.0, 1.0)}, {"ignore_index": -100})
    predictions = "log-probabilities"
    properties = Properties(
        convex=True,
        differentiable=True,
        symmetric=False,
        lipschitz="1",
        smoothness="0",
        minimizer="logarithms of the class frequencies, among log-probabilities",
        proper=True,
    )

    @staticmethod
    def formula(pred: Any, target: Any, class_weight: Any) -> Any:
        weight = [1] * len(pred) if class_weight is None else class_weight
        return -sum(w * y * z for w, y, z in zip(weight, target, pred, strict=True))

    @property
    def letters(self) -> dict[str, str]:
        return {"pred": "z"}

    def _kernel_parameters(self) -> tuple[float, ...]:
        return ()

    def reference(self, pred: Array, mass: Array) -> tuple[Array, Array]:
        wrong = np.where(np.isnan(pred), pred, 0).sum(axis=1, keepdims=True)
        values = -product(mass.astype(np.float64), pred).sum(axis=1)
        return values + wrong[:, 0], -mass + wrong

    def reference_curvature(self, pred: Array, mass: Array) -> Array:
        curvature: Array = 0 * mass + np.where(np.isnan(pred), pred, 0).sum(axis=1, keepdims=True)
        return curvature


@dataclass(frozen=True, kw_only=True)
class Brier(RowwiseLoss):
    r"""Brier score: the squared distance of the predicted probabilities from what came true.

    .. math::

       \ell(p, y) = \sum_{k} (p_k - y_k)^2

    A score for forecasts: of rain, of an election, of a classifier that says how sure it is. It is *proper*, as
    cross-entropy is: whoever wants a small score does best to say what they believe. What differs is the price of a
    mistake. The worst forecast there is, all on a class that does not come true, costs 2, where the surprise is
    infinite; so a mean of Brier scores cannot be ruined by a single forecast. For the same reason it hardly tells one
    chance in a thousand from one in a million, and all :math:`C` probabilities count, not only that of the true class.

    Parameters
    ----------
    reduction : {"mean", "sum"}, default "mean"
        How the values of the rows become one number.

    Notes
    -----
    ``pred`` has the shape (n, C) and holds probabilities; anything outside [0, 1] makes its row NaN. That a row sums to
    1 is not checked. ``target`` is integer labels of the shape (n,), or probabilities of the shape (n, C).

    There are two scales. This is Brier's own, from 0 to 2. With *two* classes both terms are equal, and one usually
    takes one of them, :math:`(p - y)^2` with the probability of class 1, which is :class:`MSE` on probabilities and
    half of this. scikit-learn's ``brier_score_loss`` gives the half for two classes and the whole for more, unless its
    ``scale_by_half`` says otherwise.

    As a loss of *logits*, behind a softmax, it is not convex, and where the model is surest of a mistake its slope
    vanishes. To train, take :class:`CategoricalCrossEntropy`; to compare forecasts, this.

    References
    ----------
    G. W. Brier, "Verification of forecasts expressed in terms of probability", *Monthly Weather Review* 78, 1950.

    Examples
    --------
    Three forecasts of three classes, of which the last is wrong:

    >>> import lossref
    >>> loss = lossref.Brier()
    >>> forecasts = [[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.0, 1.0, 0.0]]
    >>> loss.values(forecasts, [0, 1, 2]).round(2)
    array([0.06, 0.14, 2.  ])
    >>> loss([[0.75, 0.25]], [0]), lossref.MSE()([0.25], [0.0])
    (0.125, 0.0625)
    """

    exact = True
    properties = Properties(
        convex=True,
        differentiable=True,
        symmetric=True,
        lipschitz="2",
        smoothness="2",
        minimizer="class frequencies",
        proper=True,
    )

    @staticmethod
    def formula(pred: Any, target: Any) -> Any:
        return sum((p - y) ** 2 for p, y in zip(pred, target, strict=True))

    @property
    def letters(self) -> dict[str, str]:
        return {"pred": "p"}

    def reference(self, pred: Array, mass: Array) -> tuple[Array, Array]:
        wrong, error = nan_unless_probabilities(pred), pred - mass
        return ordered_sums(error * error) + wrong[:, 0], 2 * error + wrong

    def reference_curvature(self, pred: Array, mass: Array) -> Array:
        curvature: Array = 2 + 0 * mass + nan_unless_probabilities(pred)
        return curvature


def nan_unless_probabilities(pred: Array) -> Array:
    """0 for each row of probabilities, NaN for a row with something else in it."""
    wrong: Array = np.where((pred >= 0) & (pred <= 1), pred.dtype.type(0), np.nan).sum(axis=1, keepdims=True)
    return wrong


def softmax_parts(x: Array) -> tuple[Array, Array, Array, Array, Array]:
    """The largest of each row, exponentials below it, their sum without and with the largest, and where it is."""
    top = x.max(axis=1, keepdims=True)
    largest = np.arange(x.shape[1]) == x.argmax(axis=1)[:, np.newaxis]
    gap = x - top
    back = gap - x
    lost = np.nan_to_num((x - (gap - back)) - (top + back))  # x - top = gap + lost exactly
    e = np.exp(gap)
    e += e * lost
    total = e.max(axis=1, keepdims=True)
    others = np.where(largest, 0, e).sum(axis=1, keepdims=True) + 0 * total  # infinite logits have no softmax
    return top, e, others, others + total, largest
