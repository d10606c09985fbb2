"""Losses of models that generate: how a latent distribution is held to the standard one, how images are compared by
what a network sees in them, and the game of two networks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lossref import symbolic as sp
from lossref._arrays import Array
from lossref.losses.base import PairedLoss, Properties


@dataclass(frozen=True, kw_only=True)
class GaussianKL(PairedLoss):
    r"""Divergence of a normal distribution from the standard one: what it costs a latent variable to say something.

    .. math::

       \ell(\mu, s) = \frac{1}{2} \left( e^{s} - 1 - s + \mu^2 \right)

    This is :math:`\mathrm{KL}(\mathcal{N}(\mu, e^s) \,\|\, \mathcal{N}(0, 1))`, with the logarithm :math:`s` of the
    variance, in nats. A variational autoencoder gives each latent variable such a distribution and pays for its
    distance from the standard one: without that price it would make the variances 0 and scatter the means anywhere,
    and nothing drawn from the standard distribution could be decoded. At :math:`\mu = s = 0` the variable costs
    nothing and says nothing.

    The arrays are ``mean`` and ``log_variance``, both of them learned; there is no target.

    Parameters
    ----------
    reduction : {"mean", "sum"}, default "mean"
        How the values of the elements become one number. ``ELBO`` takes the sum over the latent variables.

    Notes
    -----
    Near :math:`s = 0`, where most latent variables of a trained model lie, :math:`e^s - 1 - s` is :math:`s^2 / 2` and
    cancels to nothing if computed as written: at :math:`s = 10^{-8}` not one digit is left of it in float64. Here it is
    a polynomial there.

    References
    ----------
    D. P. Kingma and M. Welling, "Auto-encoding variational Bayes", *International Conference on Learning
    Representations* 2014, appendix B.

    Examples
    --------
    >>> import lossref
    >>> loss = lossref.GaussianKL(reduction="sum")
    >>> loss.values([0.0, 1.0, 0.0], [0.0, 0.0, -4.0]).round(6)
    array([0.      , 0.5     , 1.509158])
    >>> f"{loss([0.0], [1e-8]):.4g}"
    '2.5e-17'
    >>> loss.grad([1.0], [0.0])
    (array([1.]), array([0.]))
    """

    name = "gaussian_kl"
    arrays = ("mean", "log_variance")
    properties = Properties(
        convex=True,
        differentiable=True,
        symmetric=True,
        lipschitz=None,
        smoothness=None,
        minimizer="0 and 0",
    )

    @staticmethod
    def formula(mean: Any, log_variance: Any) -> Any:
        return (sp.exp(log_variance) - 1 - log_variance + mean**2) / 2

    def reference(self, mean: Array, log_variance: Array) -> tuple[Array, Array, Array]:
        kind, s, u = mean.dtype, log_variance.astype(np.float64), mean.astype(np.float64)
        far, root = s > 600, np.exp(s / 2)
        half = np.where(far, root / 2 * root, np.expm1(s) / 2)  # half of it may be a float where exp(s) is none
        series = np.ones_like(s)  # of 2 (exp(s) - 1 - s) / s², by Horner's rule
        for n in range(24, 2, -1):
            series = 1 + series * s / n
        without_s = np.where(np.abs(s) < 1, s / 4 * s * series, np.where(far, half, half - s / 2))
        bad = np.isnan(u) | np.isnan(s)
        slopes = np.where(bad, np.nan, u), np.where(bad, np.nan, half)
        return (without_s + u / 2 * u).astype(kind), slopes[0].astype(kind), slopes[1].astype(kind)

    def reference_curvature(self, mean: Array, log_variance: Array) -> tuple[Array, Array]:
        root, bad = np.exp(log_variance.astype(np.float64) / 2), np.isnan(mean) | np.isnan(log_variance)
        bends = np.where(bad, np.nan, 1), np.where(bad, np.nan, root / 2 * root)
        return bends[0].astype(mean.dtype), bends[1].astype(mean.dtype)
