"""Losses that learn a whole distribution: where the targets lie, and how far around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lossref import symbolic as sp
from lossref._arrays import Array
from lossref.losses.base import PairedLoss, Properties
from lossref.losses.regression import lost

#: The logarithm of 2 in two parts. The first has so few digits that its multiples by an exponent are exact.
LOG2_FIRST, LOG2_REST = 0.6931471805598903, 5.497923018708371e-14


def precision(log_variance: Array) -> tuple[Array, Array]:
    """``exp(-log_variance)`` as 4**k times a number near 1; returns that number and k."""
    half = np.clip(log_variance.astype(np.float64) / -2, -1140, 1140)  # beyond, nothing changes any more
    k = np.rint(half / np.log(2))
    return np.exp(2 * ((half - k * LOG2_FIRST) - k * LOG2_REST)), k.astype(np.int32)


@dataclass(frozen=True, kw_only=True)
class GaussianNLL(PairedLoss):
    r"""Negative log likelihood of a normal distribution: a prediction that also says how sure it is.

    .. math::

       \ell(\mu, s, y) = \frac{1}{2} \left( s + (y - \mu)^2 e^{-s} \right)

    The model gives two numbers for each target: the mean :math:`\mu` of what it expects and the logarithm :math:`s` of
    the variance. The squared error is then measured in standard deviations that the model itself has chosen. A large
    variance makes every error cheap, and :math:`s` is its price: best is the variance that the errors really have. So
    the noise level is learned although nobody has ever measured it, and where it is high, errors pull less.

    The arrays are ``mean``, ``log_variance`` and ``target``; the first two are learned.

    Parameters
    ----------
    reduction : {"mean", "sum"}, default "mean"
        How the values of the elements become one number.

    Notes
    -----
    The constant :math:`\tfrac12 \log 2 \pi \approx 0.919`, which makes it the likelihood proper, is left out, as in
    PyTorch unless ``full=True``; no gradient knows of it. The value can be negative: densities have no upper bound, and
    a target that is met exactly drives :math:`s` to :math:`-\infty`. Data with repeated or noiseless targets need a
    penalty on :math:`s` or a floor under it.

    The second argument is the *logarithm* of the variance, which any network can give. PyTorch takes the variance,
    raises it to ``eps=1e-6`` where it is lower, and passes the gradient on as though it had not; here nothing is
    clamped. For the same reason nothing overflows on the way: :math:`r^2 e^{-s}` is right wherever it is a float
    itself, also where :math:`r^2` or :math:`e^{-s}` is none.

    It is convex in the mean and convex in :math:`s`, but not in both together: from a bad start, descent may explain
    large errors by a large variance before it has learned the mean. Training the mean first, by :class:`MSE`, helps.

    References
    ----------
    D. A. Nix and A. S. Weigend, "Estimating the mean and variance of the target probability distribution", *IEEE
    International Conference on Neural Networks* 1994.

    Examples
    --------
    Both errors are 2. To the first model, which expects a standard deviation of 1, that is more than to the second,
    which expects 2:

    >>> import numpy as np
    >>> import lossref
    >>> loss = lossref.GaussianNLL(reduction="sum")
    >>> loss.values([0.0, 0.0], [0.0, np.log(4.0)], [2.0, 2.0]).round(6)
    array([2.      , 1.193147])
    >>> in_mean, in_log_variance = loss.grad([0.0, 0.0], [0.0, np.log(4.0)], [2.0, 2.0])
    >>> in_mean.round(6), in_log_variance.round(6)
    (array([-2. , -0.5]), array([-1.5,  0. ]))
    """

    name = "gaussian_nll"
    arrays = ("mean", "log_variance", "target")
    properties = Properties(
        convex=False,
        differentiable=True,
        symmetric=True,
        lipschitz=None,
        smoothness=None,
        minimizer="mean and logarithm of the variance",
    )

    @staticmethod
    def formula(mean: Any, log_variance: Any, target: Any) -> Any:
        return (log_variance + (target - mean) ** 2 * sp.exp(-log_variance)) / 2

    def reference(self, mean: Array, log_variance: Array, target: Array) -> tuple[Array, Array, Array]:
        s, (m, k) = log_variance.astype(np.float64), precision(log_variance)
        z, q = self._squares(mean, target, m, k)
        value = np.where(np.isinf(q), q, s / 2 + q)
        kind = mean.dtype
        return value.astype(kind), (np.ldexp(z / 2, k) * (2 * m)).astype(kind), (0.5 - q).astype(kind)

    def reference_curvature(self, mean: Array, log_variance: Array, target: Array) -> tuple[Array, Array]:
        m, k = precision(log_variance)
        z, q = self._squares(mean, target, m, k)
        bend = np.where(np.isnan(z), z, np.ldexp(np.ldexp(m, k), k))
        return bend.astype(mean.dtype), q.astype(mean.dtype)

    def _squares(self, mean: Array, target: Array, m: Array, k: Array) -> tuple[Array, Array]:
        """The residual times 2**k; and half its square, times m."""
        mean, target = mean.astype(np.float64), target.astype(np.float64)
        r = mean - target
        z = np.ldexp(r, k)
        gone = np.where(np.isinf(z), 0, 2 * np.ldexp(lost(mean, target, r), k))  # squared too: it counts twice
        return z, (z / 2 * m) * (z + gone)
