"""Redescending losses: beyond some distance they let go of a residual, because it cannot be one of theirs. ``r`` is
the residual, prediction minus target.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossref import symbolic as sp
from lossref._arrays import Array
from lossref._parameters import positive
from lossref.losses.base import PointwiseLoss, Properties
from lossref.losses.regression import lost


@dataclass(frozen=True, kw_only=True)
class Cauchy(PointwiseLoss):
    r"""Cauchy loss: the further away a point lies, the less it pulls.

    .. math::

       \ell(\hat y, y) = \tfrac12 \sigma^2 \log\!\left(1 + (r / \sigma)^2\right), \qquad r = \hat y - y

    Near zero it is :math:`\tfrac12 r^2`. The slope is greatest at a residual of ``scale``, where it is half of
    ``scale``, and from there on falls like :math:`\sigma^2 / r`: a point ten times too far out has a tenth of a say.
    Minimizing it is maximum likelihood under Cauchy's distribution, whose tails are so heavy that it has no mean. It is
    also called the Lorentzian loss. It is in the square of the target's unit, ``scale`` in the unit itself.

    Parameters
    ----------
    scale : float > 0, default 1.0
        The residual of the strongest pull, :math:`\sigma`.
    reduction : {"mean", "sum"}, default "mean"
        How the values of the elements become one number.

    Notes ----- Conventions differ by a factor: with :math:`\tfrac12 \sigma^2` in front, as here, the curvature at zero
    is 1 whatever the scale; others write :math:`\log(1 + (r / \sigma)^2)`, and SciPy's ``least_squares(loss="cauchy")``
    minimizes half of :math:`\sigma^2 \log(1 + (r / \sigma)^2)`, which is this loss. It is not convex: from a bad start
    descent may end in a wrong minimum, so begin with :class:`Huber`. Where the square of a residual would overflow, the
    logarithm is taken of the residual and doubled.

    References
    ----------
    M. J. Black and P. Anandan, "The robust estimation of multiple motions", *Computer Vision and Image Understanding*
    63, 1996.

    Examples
    --------
    >>> import lossref
    >>> loss = lossref.Cauchy(scale=2.0)
    >>> round(loss([2.0, 0.0], [0.0, 0.0]), 6)
    0.693147
    >>> loss.grad([2.0, 2000.0], [0.0, 0.0]).round(6)
    array([0.5  , 0.001])
    """

    scale: float = positive(1.0, slider=(0.1, 5.0))

    samples = ({}, {"scale": 0.3}, {"scale": 4.0})
    properties = Properties(
        convex=False,
        differentiable=True,
        symmetric=True,
        lipschitz="scale/2",
        smoothness="1",
        minimizer="what it would be without a far outlier",
    )

    @staticmethod
    def formula(pred: Any, target: Any, scale: Any) -> Any:
        r = pred - target
        return scale**2 / 2 * sp.log(1 + (r / scale) ** 2)

    def reference(self, pred: Array, target: Array) -> tuple[Array, Array]:
        r = pred - target
        a = np.abs(r).astype(np.float64)
        x = a / self.scale
        t = x * x
        logarithm = np.log1p(t)
        near = 0.5 * a * a * np.where(t < 2.0**-60, 1, logarithm / t)
        far = np.where(x < 1e150, logarithm, 2 * (np.log(a) - math.log(self.scale)))
        value = np.where(x < 2, near, 0.5 * self.scale**2 * far)
        slope = np.clip(r, -self.scale, self.scale).astype(np.float64) * self.share(a) / self.whole(a)
        return value.astype(r.dtype), slope.astype(r.dtype)

    def reference_curvature(self, pred: Array, target: Array) -> Array:
        r = pred - target
        a = np.abs(r).astype(np.float64)
        share, whole = self.share(a), self.whole(a)
        inside = (self.scale - a) - np.sign(r) * lost(pred, target, r)
        inside = np.where(a > 2 * self.scale, share - 1, inside / np.maximum(a, self.scale))
        gone = (1 - whole) + self.ratio(a) ** 2  # what the sum lost, which its square would double
        part = share / whole * (1 - gone / whole)
        curvature: Array = inside * (1 + self.ratio(a)) * part * part
        return curvature.astype(r.dtype)

    def ratio(self, a: Array) -> Array:
        """The smaller of a and the scale over the larger, whose square cannot overflow."""
        return np.minimum(a, self.scale) / np.maximum(a, self.scale)

    def share(self, a: Array) -> Array:
        """The scale over the larger of a and itself."""
        return self.scale / np.maximum(a, self.scale)

    def whole(self, a: Array) -> Array:
        """The sum of the squares of a and of the scale, over that of the larger."""
        return 1 + self.ratio(a) ** 2
