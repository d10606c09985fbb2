"""Divergences: how far one distribution lies from another."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossref import symbolic as sp
from lossref._arrays import Array
from lossref._parameters import flag
from lossref.losses.base import Properties, RowwiseLoss
from lossref.losses.classification import product, softmax_parts


@dataclass(frozen=True, kw_only=True)
class KL(RowwiseLoss):
    r"""Kullback–Leibler divergence: how many nats more a message costs in the code of the model than in its own.

    .. math::

       \ell(z, y) = \sum_{k} \left( h(y_k) + y_k \left( \log \sum_{j} e^{z_j} - z_k \right) \right),
       \qquad h(y) = \begin{cases} y \log y & y > 0 \\ 0 & y = 0 \end{cases}

    With the softmax :math:`p_k = e^{z_k} / \sum_j e^{z_j}` this is :math:`\sum_k y_k \log (y_k / p_k)`, the
    cross-entropy less the entropy of the target. Since the target's entropy is no business of the model, the gradient
    is that of :class:`CategoricalCrossEntropy`; what KL adds is a meaningful zero: it is 0 where the two distributions
    are equal, however uncertain they are. That is what one wants to read in distillation, where a small model learns
    the probabilities of a large one. It is not symmetric: a class that the target has and the model lacks costs
    without bound, a class that the model invents costs little.

    Parameters
    ----------
    from_logits : bool, default True
        Whether predictions are logits. If False they are log-probabilities :math:`\log p_k`, whose gradient is
        :math:`-y_k`.
    reduction : {"mean", "sum"}, default "mean"
        How the values of the rows become one number.

    Notes
    -----
    ``pred`` and ``target`` have the shape (n, C); a row of ``target`` holds probabilities, and labels are refused,
    for their KL is their cross-entropy. **Rows are not normalized for you**: a target that sums to :math:`S` adds
    :math:`S - 1` to the value near equality, and log-probabilities of which the exponentials do not sum to 1 shift it
    by the logarithm of their sum; it may then be negative.

    The mean divides by the number of rows, as PyTorch's ``reduction="batchmean"`` does. PyTorch's default divides by
    the number of *elements*, which is :math:`C` times as much.

    Near equality the textbook's terms are of the size of :math:`p - y` and cancel to its square, and in floating point
    nothing is left. Here, from logits, the sum is one of :math:`y_k \log (y_k / p_k) + p_k - y_k`, each positive and
    already of second order, plus :math:`S - 1`, whose digits are kept apart. The error is at most 4 units in the last
    place of :math:`\sum_k |y_k \log (y_k / p_k)|`, which is of the size of the difference and not of 1 (or, where the
    distributions differ by less than rounding, of that rounding). From log-probabilities, which carry the rounding of
    their own logarithm, it is 4 units of :math:`\sum_k y_k (|\log y_k| + |\log p_k|)`.

    References
    ----------
    S. Kullback and R. A. Leibler, "On information and sufficiency", *Annals of Mathematical Statistics* 22, 1951.

    Examples
    --------
    >>> import lossref
    >>> import numpy as np
    >>> target = np.array([[0.2, 0.2, 0.6], [0.1, 0.8, 0.1]])
    >>> model = np.array([[0.1, 0.2, 0.7], [0.3, 0.3, 0.4]])
    >>> round(lossref.KL(from_logits=False)(np.log(model), target), 7)
    0.2911559
    >>> f"{lossref.KL()([[0.0, 1e-7]], [[0.5, 0.5]]):.7g}"
    '1.25e-15'
    """

    from_logits: bool = flag(True)

    forms = ("", "_log_probabilities")
    samples = ({}, {"from_logits": False})
    targets = ("probabilities",)
    properties = Properties(
        convex=True,
        differentiable=True,
        symmetric=False,
        lipschitz="1",
        smoothness="Rational(1, 4)",
        minimizer="logarithms of the class frequencies",
        proper=True,
    )

    @staticmethod
    def formula(pred: Any, target: Any, from_logits: bool) -> Any:
        total = sp.log(sum(sp.exp(z) for z in pred)) if from_logits else 0
        entropy = sum(sp.Piecewise((y * sp.log(y), y > 0), (0, True)) for y in target)
        return entropy + sum(y * (total - z) for y, z in zip(target, pred, strict=True))

    @property
    def letters(self) -> dict[str, str]:
        return {"pred": "z"}

    @property
    def predictions(self) -> str:
        return "logits" if self.from_logits else "log-probabilities"

    def _choose_kernel(self) -> str:
        return self.name if self.from_logits else f"{self.name}_log_probabilities"

    def _kernel_parameters(self) -> tuple[float, ...]:
        return ()

    def reference(self, pred: Array, mass: Array) -> tuple[Array, Array]:
        x, y = pred.astype(np.float64), mass.astype(np.float64)
        if not self.from_logits:
            wrong = np.where(np.isnan(pred), pred, 0).sum(axis=1, keepdims=True)
            return product(y, np.log(y) - x).sum(axis=1) + wrong[:, 0], -mass + wrong
        top, e, others, total, largest = softmax_parts(x)
        p = e / total
        surplus = p - y
        near = np.abs(surplus) <= np.minimum(p, y)
        # log(y / p): of a quotient where e has all its digits; where it has not, the logits say how small it is.
        far = np.where(e > 1e-290, np.log(y * total / e), np.log(y * total) + (top - x))
        terms = surplus + product(y, np.where(near, -np.log1p(surplus / y), far))
        excess = np.array([math.fsum([*row, -1.0]) for row in y])
        whole = y.sum(axis=1, keepdims=True)
        elsewhere = np.where(largest, 0, y).sum(axis=1, keepdims=True)
        slopes = np.where(largest, elsewhere * p - y * (others / total), whole * p - y)
        return terms.sum(axis=1) + excess, slopes.astype(pred.dtype)

    def reference_curvature(self, pred: Array, mass: Array) -> Array:
        if not self.from_logits:
            flat: Array = 0 * mass + np.where(np.isnan(pred), pred, 0).sum(axis=1, keepdims=True)
            return flat
        _, e, others, total, largest = softmax_parts(pred.astype(np.float64))
        p = e / total
        curvature: Array = (
            mass.astype(np.float64).sum(axis=1, keepdims=True) * p * np.where(largest, others / total, 1 - p)
        )
        return curvature.astype(pred.dtype)


@dataclass(frozen=True, kw_only=True)
class JensenShannon(RowwiseLoss):
    r"""Jensen–Shannon divergence: how far two distributions lie from their mean, the same from either side.

    .. math::

       \ell(p, y) = \frac{1}{2} \sum_{k} \left( h(y_k) + h(p_k) - 2 h\left( \frac{y_k + p_k}{2} \right) \right),
       \qquad h(x) = \begin{cases} x \log x & x > 0 \\ 0 & x = 0 \end{cases}

    It is the mean of the two :class:`KL` divergences from :math:`m = (y + p) / 2`. A class that only one of the two
    has costs it a share of :math:`\log 2` and no more, so that the value lies between 0 and :math:`\log 2`, which two
    distributions without a common class reach, and its root is a metric. What it is symmetric in is the value; the
    gradient is that in the predictions.

    Parameters
    ----------
    reduction : {"mean", "sum"}, default "mean"
        How the values of the rows become one number.

    Notes
    -----
    ``pred`` and ``target`` are probabilities of the shape (n, C); anything outside [0, 1] makes its row NaN. Rows are
    not normalized for you. SciPy's ``scipy.spatial.distance.jensenshannon`` is the root of this value, in nats too,
    after it has divided each row by its sum.

    At :math:`p_k = 0` under a positive target the slope is :math:`-\infty`, though the value is finite: the way back
    from 0 is steep. Where both are 0 the slope is :math:`\frac{1}{2} \log 2`, the limit from the right.

    Each class's share is positive, and is computed as :math:`\frac{m}{2} \psi(v)`, where :math:`v = |p - y| / (p + y)`
    and :math:`\psi(v) = (1 + v) \log (1 + v) + (1 - v) \log (1 - v)` is a series in :math:`v^2` near 0. So nearly equal
    distributions keep all digits, where a difference of entropies has none. A class's share is right within 4 units in
    the last place where one probability is at most three times the other; beyond, two logarithms of which a quarter
    is left at worst make it 10.

    References
    ----------
    J. Lin, "Divergence measures based on the Shannon entropy", *IEEE Transactions on Information Theory* 37, 1991.

    Examples
    --------
    >>> import lossref
    >>> loss = lossref.JensenShannon()
    >>> round(loss([[1.0, 0.0]], [[0.0, 1.0]]), 6)
    0.693147
    >>> loss([[0.3, 0.7]], [[0.6, 0.4]]) == loss([[0.6, 0.4]], [[0.3, 0.7]])
    True
    >>> loss([[0.5, 0.5]], [[0.5 + 2**-30, 0.5 - 2**-30]])
    4.336808689942018e-19
    """

    targets = ("probabilities",)
    properties = Properties(
        convex=True,
        differentiable=True,
        symmetric=False,
        lipschitz=None,
        smoothness=None,
        minimizer="between the least and the largest probability of each class",
        proper=False,
    )

    @staticmethod
    def formula(pred: Any, target: Any) -> Any:
        def share(x: Any, m: Any) -> Any:
            return sp.Piecewise((x * sp.log(x / m), x > 0), (0, True))

        pairs = [(p, y, (p + y) / 2) for p, y in zip(pred, target, strict=True)]
        return sum(share(y, m) + share(p, m) for p, y, m in pairs) / 2

    @property
    def letters(self) -> dict[str, str]:
        return {"pred": "p"}

    def reference(self, pred: Array, mass: Array) -> tuple[Array, Array]:
        x, y = pred.astype(np.float64), mass.astype(np.float64)
        p = np.where((x >= 0) & (x <= 1), x, np.nan)
        wrong = 0 * p.sum(axis=1, keepdims=True)
        whole, size = p + y, np.abs(p - y)
        large, small = np.maximum(p, y), np.minimum(p, y)
        v = np.where(whole == 0, 1, size / whole)
        series = np.zeros_like(v)
        for k in range(26, 0, -1):  # of psi(v) / v², enough of it for v up to 1/2
            series = series * v * v + 1 / (k * (2 * k - 1))
        lift = np.where(small < 1e-290, 2.0**64, 1)  # the quotient of a subnormal number would be one too
        up, down = np.log1p(v), np.log(2 * (lift * small) / np.where(whole == 0, 1, whole)) - np.log(lift)
        down = np.where(v <= 0.5, -np.log1p(size / (2 * small)), down)
        far = 0.5 * (large * up + product(small, down))
        values = np.where(v <= 0.5, 0.25 * size * v * series, far).sum(axis=1)
        slopes = 0.5 * np.where(p >= y, up, down) + wrong
        return values + wrong[:, 0], slopes.astype(pred.dtype)

    def reference_curvature(self, pred: Array, mass: Array) -> Array:
        x, y = pred.astype(np.float64), mass.astype(np.float64)
        p = np.where((x >= 0) & (x <= 1), x, np.nan)
        curvature: Array = np.where(y == 0, 0, 0.5 * (y / (p + y)) / p) + 0 * p.sum(axis=1, keepdims=True)
        return curvature.astype(pred.dtype)
