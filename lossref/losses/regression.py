"""Regression losses: how far a predicted number lies from the true one. ``r`` is the residual, prediction minus
target.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lossref import symbolic as sp
from lossref._arrays import Array
from lossref._parameters import positive
from lossref.losses.base import PointwiseLoss, Properties


@dataclass(frozen=True, kw_only=True)
class MSE(PointwiseLoss):
    r"""Squared error: the mean of it is what least squares minimizes.

    .. math::

       \ell(\hat y, y) = r^2, \qquad r = \hat y - y

    Large errors count out of proportion: one that is ten times larger costs a hundred times more. The best constant
    prediction is the mean of the targets. If targets are in metres, the loss is in square metres.

    Parameters
    ----------
    reduction : {"mean", "sum"}, default "mean"
        How the values of the elements become one number.

    Notes
    -----
    There is no factor ½ here, so the slope is :math:`2r`. Some libraries halve it: scikit-learn's
    ``HalfSquaredError``, optax's ``l2_loss``.

    References
    ----------
    C. F. Gauss, *Theoria combinationis observationum erroribus minimis obnoxiae*, 1821.

    Examples
    --------
    >>> import lossref
    >>> loss = lossref.MSE()
    >>> loss([3.0, -1.0], [1.0, 0.0])
    2.5
    >>> loss.grad([3.0, -1.0], [1.0, 0.0])
    array([ 2., -1.])
    """

    exact = True
    properties = Properties(
        convex=True, differentiable=True, symmetric=True, lipschitz=None, smoothness="2", minimizer="mean"
    )

    @staticmethod
    def formula(pred: Any, target: Any) -> Any:
        r = pred - target
        return r**2

    def reference(self, pred: Array, target: Array) -> tuple[Array, Array]:
        r = pred - target
        return r * r, 2 * r

    def reference_curvature(self, pred: Array, target: Array) -> Array:
        r = pred - target
        return np.where(np.isnan(r), r, r.dtype.type(2))


@dataclass(frozen=True, kw_only=True)
class MAE(PointwiseLoss):
    r"""Absolute error: every unit of error costs the same.

    .. math::

       \ell(\hat y, y) = |r|, \qquad r = \hat y - y

    An outlier pulls no harder than any other point, and the best constant prediction is the median of the targets.
    The loss is in the unit of the target.

    Parameters
    ----------
    reduction : {"mean", "sum"}, default "mean"
        How the values of the elements become one number.

    Notes
    -----
    At :math:`r = 0` the loss has a kink. The slope given there is 0, the middle of the subgradients :math:`[-1, 1]`;
    PyTorch gives 0, scikit-learn −1, JAX 1. The curvature is 0 everywhere.

    References
    ----------
    P. S. Laplace, *Mémoire sur la probabilité des causes par les événements*, 1774.

    Examples
    --------
    >>> import lossref
    >>> loss = lossref.MAE()
    >>> loss([3.0, -1.0], [1.0, 0.0])
    1.5
    >>> loss.grad([3.0, 0.0], [1.0, 0.0])
    array([0.5, 0. ])
    """

    exact = True
    properties = Properties(
        convex=True, differentiable=False, symmetric=True, lipschitz="1", smoothness=None, minimizer="median"
    )

    @staticmethod
    def formula(pred: Any, target: Any) -> Any:
        r = pred - target
        return sp.Abs(r)

    def reference(self, pred: Array, target: Array) -> tuple[Array, Array]:
        r = pred - target
        return np.abs(r), np.sign(r)

    def reference_curvature(self, pred: Array, target: Array) -> Array:
        r = pred - target
        return np.where(np.isnan(r), r, r.dtype.type(0))


@dataclass(frozen=True, kw_only=True)
class Huber(PointwiseLoss):
    r"""Huber's loss: a parabola near zero, straight lines beyond ``delta``.

    .. math::

       \ell(\hat y, y) = \begin{cases}
           \tfrac12 r^2 & |r| \le \delta \\
           \delta \left(|r| - \tfrac12 \delta\right) & |r| > \delta
       \end{cases}, \qquad r = \hat y - y

    Small errors are treated as squared error does, large ones as absolute error does; the pieces meet with equal
    value and equal slope. The loss is in the square of the target's unit, ``delta`` in the unit itself.

    Parameters
    ----------
    delta : float > 0, default 1.0
        Where the parabola ends: residuals beyond it are outliers.
    reduction : {"mean", "sum"}, default "mean"
        How the values of the elements become one number.

    Notes
    -----
    The slope is the residual clipped to :math:`[-\delta, \delta]`. PyTorch's ``SmoothL1Loss`` with
    ``beta`` is this loss divided by ``beta``.

    References
    ----------
    P. J. Huber, "Robust estimation of a location parameter", *Annals of Mathematical Statistics* 35, 1964.

    Examples
    --------
    >>> import lossref
    >>> loss = lossref.Huber(delta=1.0)
    >>> loss([3.0, -0.5], [0.0, 0.0])
    1.3125
    >>> loss.grad([3.0, -0.5], [0.0, 0.0])
    array([ 0.5 , -0.25])
    """

    delta: float = positive(1.0, slider=(0.1, 5.0))

    samples = ({}, {"delta": 0.3}, {"delta": 4.0})
    exact = True
    properties = Properties(
        convex=True,
        differentiable=True,
        symmetric=True,
        lipschitz="delta",
        smoothness="1",
        minimizer="between mean and median",
    )

    @staticmethod
    def formula(pred: Any, target: Any, delta: Any) -> Any:
        r = pred - target
        return sp.Piecewise((r**2 / 2, sp.Abs(r) <= delta), (delta * (sp.Abs(r) - delta / 2), True))

    def reference(self, pred: Array, target: Array) -> tuple[Array, Array]:
        r = pred - target
        c = np.clip(r, -self.delta, self.delta)
        return c * (r - 0.5 * c), c

    def reference_curvature(self, pred: Array, target: Array) -> Array:
        r = pred - target
        return np.where(np.isnan(r), r, np.abs(r) <= self.delta)
