"""Losses for classes of which one is rare: what is easy is made to count less."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lossref import symbolic as sp
from lossref._arrays import Array
from lossref._parameters import flag, fraction, nonnegative, optional_proportion, optional_weights
from lossref.losses.base import PointwiseLoss, Properties, RowwiseLoss
from lossref.losses.classification import product, quotient, softmax_parts


@dataclass(frozen=True, kw_only=True)
class Focal(PointwiseLoss):
    r"""Focal loss: cross-entropy in which an example counts by the doubt that is left about it.

    .. math::

       \ell(z, y) = \alpha\, y\, (1 - p)^\gamma \log \frac{1}{p} + (1 - \alpha) (1 - y)\, p^\gamma \log \frac{1}{1 - p},
       \qquad p = \frac{1}{1 + e^{-z}}

    Where one class is rare, most examples are easy ones of the other, and the sum of their small surprises drowns the
    few that matter. The surprise at the true class is therefore multiplied by a power of the probability that was
    withheld from it. With :math:`\gamma = 2`, an example whose class had 0.9 counts a hundredth, one that had 0.1
    still 0.81. At :math:`\gamma = 0` it is :class:`BinaryCrossEntropy` with class weights.

    Parameters
    ----------
    gamma : float >= 0, default 2.0
        How much less an easy example counts, :math:`\gamma`.
    alpha : float in [0, 1] or None, default 0.25
        The weight :math:`\alpha` of class 1, against :math:`1 - \alpha` for class 0. None is a weight of 1 for both.
    from_logits : bool, default True
        Whether predictions are logits. If False they are probabilities, and nothing is clamped.
    reduction : {"mean", "sum"}, default "mean"
        How the values of the elements become one number.

    Notes
    -----
    The defaults are those of the paper, where the rare class weighs *less*: at :math:`\gamma = 2` the common one counts
    so little already that :math:`\alpha = 0.25` was best. The paper divides the sum by the number of objects; here the
    mean is over all elements. Targets between 0 and 1 share the two terms out, as in :class:`BinaryCrossEntropy`;
    targets outside give NaN.

    PyTorch has none of its own; ``torchvision.ops.sigmoid_focal_loss`` has these defaults, is not reduced, and takes a
    negative alpha for None.

    The price: the loss is not convex unless :math:`\gamma = 0`, and the probabilities it leads to are too near to one
    half. The bounds among the properties are no more than a tenth above the truth, for which there is no closed form.

    The withheld probability is never computed as a difference. It is the exponential of minus a softplus of the logit,
    so that its power is an exponential too; what the exponent loses by rounding is carried along. For
    :math:`\gamma = 2` the kernel squares a quotient instead, in two parts, which is quicker.

    References
    ----------
    T.-Y. Lin, P. Goyal, R. Girshick, K. He, P. Dollár, "Focal loss for dense object detection", *ICCV*, 2017.

    Examples
    --------
    >>> import lossref
    >>> loss = lossref.Focal(gamma=2.0, alpha=None)
    >>> loss.values([0.9, 0.1], [1.0, 1.0]).round(6)
    array([0.028503, 0.145405])
    >>> even = lossref.Focal(gamma=0.0, alpha=0.5)
    >>> 2 * even([36.0], [1.0]) == lossref.BinaryCrossEntropy()([36.0], [1.0])
    True
    """

    gamma: float = nonnegative(2.0, slider=(0.0, 5.0))
    alpha: float | None = optional_proportion(0.25, slider=(0.05, 0.95))
    from_logits: bool = flag(True)

    domain = "probabilities"
    forms = ("", "_square", "_probabilities")
    samples = (
        {},
        {"gamma": 0.5, "alpha": None},
        {"gamma": 5.0, "alpha": 0.9},
        {"from_logits": False},
    )
    properties = Properties(
        convex="Eq(gamma, 0)",
        differentiable=True,
        symmetric=False,
        lipschitz="Max(alpha, 1 - alpha) * (1 + exp(-1) * log(1 + gamma/3))",
        smoothness="Max(alpha, 1 - alpha) * (Rational(1, 4) + Rational(31, 100) * log(1 + 3*gamma/4))",
        minimizer="nearer to 0 than the log-odds of the mean weighted by alpha",
        proper="Eq(gamma, 0) & Eq(alpha, 1/2)",
    )

    @staticmethod
    def formula(pred: Any, target: Any, gamma: Any, alpha: Any, from_logits: bool) -> Any:
        first, second = (1, 1) if alpha is None else (alpha, 1 - alpha)
        p, rest = (1 / (1 + sp.exp(-pred)), 1 / (1 + sp.exp(pred))) if from_logits else (pred, 1 - pred)
        return -first * target * rest**gamma * sp.log(p) - second * (1 - target) * p**gamma * sp.log(rest)

    @property
    def letters(self) -> dict[str, str]:
        return {"pred": "z" if self.from_logits else "p"}

    def _choose_kernel(self) -> str:
        form = "_probabilities" if not self.from_logits else "_square" if self.gamma == 2 else ""
        return self.name + form

    def _kernel_parameters(self) -> tuple[float, ...]:
        return (self.gamma, *((1.0, 1.0) if self.alpha is None else (self.alpha, 1 - self.alpha)))

    def _masses(self, target: Array) -> tuple[Array, Array]:
        """What the target puts on class 1 and on class 0, in float64."""
        y = np.where((target >= 0) & (target <= 1), target, np.nan).astype(np.float64)
        _, first, second = self._parameters
        a, b = first * y, second * (1 - y)
        # The least mass stays one, for against an infinite surprise there is a difference to none.
        return np.where((a == 0) & (first > 0), y, a), np.where((b == 0) & (second > 0), 1 - y, b)

    def reference(self, pred: Array, target: Array) -> tuple[Array, Array]:
        a, b = self._masses(target)
        z, gamma = pred.astype(np.float64), self.gamma
        if self.from_logits:
            size = np.abs(z)
            reach, e, likely = softplus_parts(size)
            doubt, trust = self._powers(reach, e)
            near, far = np.where(z > 0, a, b), np.where(z > 0, b, a)
            value = near * doubt * likely + product(far, trust * (size + likely))
            pull = far * trust * (1 + gamma * (e * (reach + likely))) - near * doubt * (e + gamma * likely)
            slope = np.where(z > 0, pull, -pull) / (1 + e)
        else:
            q = np.where((z >= 0) & (z <= 1), z, np.nan) + 0.0  # -0.0 is 0.0
            a, b = product(a, power_of_rest(q, gamma)), product(b, np.power(q, gamma))
            value = -product(a, np.log(q)) - product(b, np.log1p(-q)) + 0 * q
            up, down = (
                quotient(mass, chance) + product(mass * gamma, np.where(doubt == 0, 1, surprise / doubt))
                for mass, surprise, chance, doubt in ((a, -np.log(q), q, 1 - q), (b, -np.log1p(-q), 1 - q, q))
            )
            slope = down - up + 0 * q
        return value.astype(pred.dtype), slope.astype(pred.dtype)

    def reference_curvature(self, pred: Array, target: Array) -> Array:
        a, b = self._masses(target)
        z, gamma = pred.astype(np.float64), self.gamma
        if self.from_logits:
            size = np.abs(z)
            reach, e, likely = softplus_parts(size)
            doubt, trust = self._powers(reach, e)
            near, far = np.where(z > 0, a, b), np.where(z > 0, b, a)
            root = np.exp(-0.5 * size)  # e itself may be subnormal where the product is not
            up = near * doubt * (e * (1 + 2 * gamma) + gamma * likely * (gamma - e))
            down = far * trust * root * (1 + 2 * gamma + gamma * (reach + likely) * (gamma * e - 1)) * root
            curvature: Array = (up + down) / (1 + e) ** 2
        else:
            q = np.where((z >= 0) & (z <= 1), z, np.nan) + 0.0  # -0.0 is 0.0
            last = 1 if gamma == 0 else np.inf if gamma < 1 else 2 if gamma == 1 else 0
            less = gamma if gamma < 1 else gamma - 1
            up, down = (
                np.where(doubt == 0, product(mass, np.asarray(last)), self._bend(mass * power, surprise, chance, doubt))
                for mass, power, surprise, chance, doubt in (
                    (a, power_of_rest(q, less), -np.log(q), q, 1 - q),
                    (b, np.power(q, less), -np.log1p(-q), 1 - q, q),
                )
            )
            curvature = up + down + 0 * q
        return curvature.astype(pred.dtype)

    def _powers(self, reach: Array, e: Array) -> tuple[Array, Array]:
        """The smaller and the larger probability of a logit of that size, to the power of gamma."""
        whole = 1 + e
        trust = np.power(whole, -self.gamma) * (1 - self.gamma * (((1 - whole) + e) / whole))
        x = self.gamma * reach
        return np.exp(-x) * (1 + product_lost(self.gamma, reach, x)) * trust, trust

    def _bend(self, mass: Array, surprise: Array, chance: Array, doubt: Array) -> Array:
        """The curvature of one class's term in its probability, where the mass contains the doubt to the power of
        gamma - 1, or of gamma where that is below 1."""
        gamma = self.gamma
        one = np.ones_like(doubt)
        over, kept = (doubt, one) if gamma < 1 else (one, doubt)
        return (
            product(mass * (gamma * (gamma - 1)), surprise / doubt) / over
            + quotient(mass * (2 * gamma), chance, over)
            + quotient(mass * kept, chance, chance)
        )


@dataclass(frozen=True, kw_only=True)
class CategoricalFocal(RowwiseLoss):
    r"""Categorical focal loss: cross-entropy of many classes in which an example counts by the doubt about it.

    .. math::

       \ell(z, y) = \sum_k y_k (1 - p_k)^\gamma \log \frac{1}{p_k}, \qquad p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}

    What :class:`Focal` is for two classes: a row whose class has a probability of 0.9 already counts, at
    :math:`\gamma = 2`, a hundredth of its cross-entropy, so that the many easy rows leave room for the few hard ones.
    At :math:`\gamma = 0` it is :class:`CategoricalCrossEntropy`.

    Parameters
    ----------
    gamma : float >= 0, default 2.0
        How much less an easy example counts, :math:`\gamma`.
    class_weight : sequence of float >= 0, optional
        A weight :math:`w_k` for each class: :math:`y_k` becomes :math:`w_k y_k`, after smoothing. The mean divides by
        the sum of the weights of the targets before smoothing.
    label_smoothing : float in [0, 1), default 0.0
        The share :math:`\varepsilon` of each target that is spread evenly over all :math:`C` classes, its own included:
        :math:`y_k` becomes :math:`(1 - \varepsilon) y_k + \varepsilon / C`.
    reduction : {"mean", "sum"}, default "mean"
        How the values of the rows become one number.

    Notes
    -----
    ``pred`` has the shape (n, C). ``target`` is integer labels of the shape (n,), or probabilities of the shape (n, C).

    Label smoothing has two definitions. The one here and in the frameworks mixes the target with the uniform
    distribution, so that the true class keeps :math:`1 - \varepsilon + \varepsilon / C`. The other spreads
    :math:`\varepsilon` over the other :math:`C - 1` classes, and the true one keeps :math:`1 - \varepsilon`. Of four
    classes the target 0.05, 0.05, 0.85, 0.05 is :math:`\varepsilon = 0.2` in the first and 0.15 in the second;
    :math:`\varepsilon` of the second is :math:`\varepsilon\, C / (C - 1)` here.

    The doubt about the likeliest class is the sum of the probabilities of the others and no difference, so that
    confidence costs no digits. That sum carries the roundings of its terms, and its power has them :math:`\gamma`
    times: the accuracy is 4 units in the last place and :math:`2 \gamma` more.

    References
    ----------
    T.-Y. Lin, P. Goyal, R. Girshick, K. He, P. Dollár, "Focal loss for dense object detection", *ICCV*, 2017.

    Examples
    --------
    >>> import lossref
    >>> loss = lossref.CategoricalFocal(gamma=2.0)
    >>> round(loss([[0.0, 0.0, 0.0, 0.0]], [2]), 6)
    0.779791
    >>> smooth = lossref.CategoricalFocal(label_smoothing=0.2)
    >>> round(smooth([[1.0, 2.0, 3.0, 4.0]], [2]), 6)
    0.978507
    >>> round(loss([[1.0, 2.0, 3.0, 4.0]], [[0.05, 0.05, 0.85, 0.05]]), 6)
    0.978507
    """

    gamma: float = nonnegative(2.0, slider=(0.0, 5.0))
    class_weight: tuple[float, ...] | None = optional_weights()
    label_smoothing: float = fraction(0.0, slider=(0.0, 0.5))

    from_logits = True
    samples = (
        {},
        {"gamma": 0.5, "class_weight": (0.5, 2.0, 1.0)},
        {"gamma": 3.0, "label_smoothing": 0.1},
    )
    properties = Properties(
        convex="Eq(gamma, 0)",
        differentiable=True,
        symmetric=False,
        lipschitz="1 + exp(-1) * log(1 + gamma/3)",
        smoothness="Rational(1, 4) + Rational(31, 100) * log(1 + 3*gamma/4)",
        minimizer="logits in the order of the class frequencies",
        proper="Eq(gamma, 0) & Eq(label_smoothing, 0)",
    )

    @staticmethod
    def formula(pred: Any, target: Any, gamma: Any, class_weight: Any, label_smoothing: Any) -> Any:
        classes = len(pred)
        weight = [1] * classes if class_weight is None else class_weight
        odds = [sp.exp(z) for z in pred]
        total = sum(odds)
        return sum(
            w
            * ((1 - label_smoothing) * y + label_smoothing / classes)
            * ((sum(odds[:k]) + sum(odds[k + 1 :])) / total) ** gamma
            * (sp.log(total) - pred[k])
            for k, (w, y) in enumerate(zip(weight, target, strict=True))
        )

    @property
    def letters(self) -> dict[str, str]:
        return {"pred": "z"}

    def _kernel_parameters(self) -> tuple[float, ...]:
        return (self.gamma,)

    def reference(self, pred: Array, mass: Array) -> tuple[Array, Array]:
        share, doubt, surprise, gain, largest = self._parts(pred)
        powered = mass.astype(np.float64) * np.power(doubt, self.gamma)
        values = product(powered, surprise).sum(axis=1)
        force = powered * (1 + self.gamma * gain)
        elsewhere = np.where(largest, 0, force).sum(axis=1, keepdims=True)
        whole = force.sum(axis=1, keepdims=True)
        slopes = np.where(largest, elsewhere * share - force * doubt, whole * share - force)
        return values, slopes.astype(pred.dtype)

    def reference_curvature(self, pred: Array, mass: Array) -> Array:
        gamma = self.gamma
        share, doubt, surprise, gain, largest = self._parts(pred)
        powered = mass.astype(np.float64) * np.power(doubt, gamma)
        whole = (powered * (1 + gamma * gain)).sum(axis=1, keepdims=True)
        bent = product(gamma * powered * share, surprise - 2 - (gamma - 1) * gain)  # (1 - p) p dh / dp
        most = np.where(largest, bent, 0).sum(axis=1, keepdims=True)
        bend = np.where(largest, 0, bent / doubt)
        rest = bend.sum(axis=1, keepdims=True)
        odds = share / np.where(largest, doubt, 0).sum(axis=1, keepdims=True)
        curvature: Array = np.where(
            largest,
            doubt * (share * whole - bent) - share * share * rest,
            share * (doubt * whole - share * rest - np.where(share == 0, 0, odds) * most) - bend * (1 - 2 * share),
        )
        return curvature.astype(pred.dtype)

    def _parts(self, pred: Array) -> tuple[Array, Array, Array, Array, Array]:
        """Of each class p, 1 - p, -log p, and -p log p / (1 - p); and which is the largest."""
        x = pred.astype(np.float64)
        top, e, others, total, largest = softmax_parts(x)
        share = e / total
        doubt = np.where(largest, others / total, 1 - share)
        surprise = np.log1p(others) + (top - x)
        gain = product(share, np.where(doubt == 0, 1, surprise / doubt))
        return share, doubt, surprise, gain, largest


def softplus_parts(size: Array) -> tuple[Array, Array, Array]:
    """The size of a logit, no larger than its exponential can tell; exp(-size); log(1 + exp(-size))."""
    reach = np.minimum(size, 746.0)
    e = np.exp(-reach)
    return reach, e, np.log1p(e)


def product_lost(a: float, b: Array, ab: Array) -> Array:
    """ab - a b, where ``ab`` is the rounded product: both are cut into halves whose products are exact."""
    a_high, b_high = float(np.float32(a)), b.astype(np.float32).astype(np.float64)
    a_low, b_low = a - a_high, b - b_high
    return ab - a_high * b_high - a_high * b_low - a_low * b_high - a_low * b_low


def power_of_rest(q: Array, gamma: float) -> Array:
    """(1 - q)^γ, with what the difference loses."""
    rest = 1 - q
    powered: Array = np.power(rest, gamma) * (1 + gamma * np.where(rest > 0, ((1 - rest) - q) / rest, 0))
    return powered
