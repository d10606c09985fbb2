"""Regression losses: how far a predicted number lies from the true one. ``r`` is the residual, prediction minus
target.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lossref import symbolic as sp
from lossref._arrays import Array
from lossref._parameters import inner, nonnegative, positive
from lossref.losses.base import PointwiseLoss, Properties


def lost(pred: Array, target: Array, r: Array) -> Array:
    """What rounding took from the difference r: pred - target = r + lost exactly; 0 where there is no difference."""
    back = r - pred
    gone = (pred - (r - back)) - (target + back)
    return np.where(np.isnan(gone), 0, gone)


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


@dataclass(frozen=True, kw_only=True)
class SmoothL1(PointwiseLoss):
    r"""Smooth L1: absolute error whose corner is rounded off within ``beta`` of zero.

    .. math::

       \ell(\hat y, y) = \begin{cases}
           r^2 / (2 \beta) & |r| \le \beta \\
           |r| - \tfrac12 \beta & |r| > \beta
       \end{cases}, \qquad r = \hat y - y

    Outside ``beta`` it pulls with force 1, as absolute error does, however ``beta`` is chosen; inside, the pull fades
    to zero, so that descent comes to rest. Made for the box coordinates of object detectors, where a few wild boxes
    must not drown the rest. The loss is in the unit of the target.

    Parameters
    ----------
    beta : float > 0, default 1.0
        Where the parabola ends, in the unit of the target.
    reduction : {"mean", "sum"}, default "mean"
        How the values of the elements become one number.

    Notes
    -----
    It is :class:`Huber` with ``delta=beta``, divided by ``beta``. The two agree at 1 alone: as ``beta`` goes to 0 this
    loss becomes absolute error, while Huber's vanishes; as it grows, this one vanishes. PyTorch also takes ``beta=0``
    and then returns absolute error; here that is :class:`MAE`. The slope is divided before it meets the residual, so
    that no square of a small residual underflows on the way.

    References
    ----------
    R. Girshick, "Fast R-CNN", *International Conference on Computer Vision* 2015.

    Examples
    --------
    >>> import lossref
    >>> loss = lossref.SmoothL1(beta=2.0)
    >>> loss([3.0, -1.0], [0.0, 0.0])
    1.125
    >>> loss.grad([3.0, -1.0], [0.0, 0.0])
    array([ 0.5 , -0.25])
    """

    beta: float = positive(1.0, slider=(0.1, 5.0))

    samples = ({}, {"beta": 0.3}, {"beta": 4.0})
    exact = True
    properties = Properties(
        convex=True,
        differentiable=True,
        symmetric=True,
        lipschitz="1",
        smoothness="1/beta",
        minimizer="between mean and median",
    )

    @staticmethod
    def formula(pred: Any, target: Any, beta: Any) -> Any:
        r = pred - target
        return sp.Piecewise((r**2 / (2 * beta), sp.Abs(r) <= beta), (sp.Abs(r) - beta / 2, True))

    def reference(self, pred: Array, target: Array) -> tuple[Array, Array]:
        r = pred - target
        c = np.clip(r, -self.beta, self.beta)
        slope = c / self.beta
        return slope * (r - 0.5 * c), slope

    def reference_curvature(self, pred: Array, target: Array) -> Array:
        r = pred - target
        return np.where(np.isnan(r), r, np.where(np.abs(r) <= self.beta, r.dtype.type(1 / self.beta), 0))


@dataclass(frozen=True, kw_only=True)
class LogCosh(PointwiseLoss):
    r"""Log-cosh: a parabola near zero, absolute error far away, and no seam between them.

    .. math::

       \ell(\hat y, y) = \log \cosh r, \qquad r = \hat y - y

    Its slope is :math:`\tanh r`. Where :class:`Huber` switches from one piece to the other and its curvature jumps,
    this loss has derivatives of every order, which second-order methods like. It has no parameter for the residual at
    which an error counts as large: that is about 1, so the unit of the targets matters.

    Parameters
    ----------
    reduction : {"mean", "sum"}, default "mean"
        How the values of the elements become one number.

    Notes
    -----
    It is close to :math:`\tfrac12 r^2` for small residuals and to :math:`|r| - \log 2` for large ones; the usual way to
    compute it, :math:`|r| + \log(1 + e^{-2|r|}) - \log 2`, loses all digits near zero, where the terms cancel, and
    :math:`\cosh` itself overflows at 89 (float32) and 710. Here it is a polynomial in :math:`r^2` up to 1, and
    :math:`|r| - \log(1 + \tanh |r|)`, the same thing without overflow, beyond.

    References
    ----------
    P. J. Green, "Bayesian reconstructions from emission tomography data using a modified EM algorithm", *IEEE
    Transactions on Medical Imaging* 9, 1990.

    Examples
    --------
    >>> import lossref
    >>> loss = lossref.LogCosh()
    >>> round(loss([3.0, -0.5], [0.0, 0.0]), 6)
    1.214722
    >>> loss([1e-9], [0.0])
    5e-19
    >>> loss.grad([1000.0, 0.0], [0.0, 0.0])
    array([0.5, 0. ])
    """

    properties = Properties(
        convex=True,
        differentiable=True,
        symmetric=True,
        lipschitz="1",
        smoothness="1",
        minimizer="between mean and median",
    )

    @staticmethod
    def formula(pred: Any, target: Any) -> Any:
        r = pred - target
        return sp.log(sp.cosh(r))

    def reference(self, pred: Array, target: Array) -> tuple[Array, Array]:
        r = pred - target
        a = np.abs(r).astype(np.float64)
        half = np.sinh(np.minimum(a, 1) / 2)  # cosh(r) = 1 + 2 sinh(r/2)**2
        value = np.where(a < 1, np.log1p(2 * half * half), a + (np.log1p(np.exp(-2 * a)) - np.log(2)))
        return value.astype(r.dtype), np.tanh(r)

    def reference_curvature(self, pred: Array, target: Array) -> Array:
        r = pred - target
        e = np.exp(-2 * np.abs(r).astype(np.float64))
        e -= e * 2 * np.sign(r) * lost(pred, target, r)  # a residual's last digit is many in its exponential
        curvature: Array = 4 * e / (1 + e) / (1 + e)
        return curvature.astype(r.dtype)


@dataclass(frozen=True, kw_only=True)
class PseudoHuber(PointwiseLoss):
    r"""Pseudo-Huber: Huber's loss drawn in one stroke, a hyperbola instead of a parabola with straight arms.

    .. math::

       \ell(\hat y, y) = \delta^2 \left( \sqrt{1 + (r / \delta)^2} - 1 \right), \qquad r = \hat y - y

    It begins as :math:`\tfrac12 r^2` and ends in straight lines of slope :math:`\delta`, as :class:`Huber` does, but
    bends gradually, with derivatives of every order. The price is that no residual is small enough to be treated
    exactly as squared error would. Computer vision knows it as the Charbonnier loss. It is in the square of the
    target's unit, ``delta`` in the unit itself.

    Parameters
    ----------
    delta : float > 0, default 1.0
        Where the bend is: residuals much larger than it count as outliers.
    reduction : {"mean", "sum"}, default "mean"
        How the values of the elements become one number.

    Notes
    -----
    As written, the formula cancels for residuals well below ``delta`` and overflows for large ones in float32, where
    squares end at :math:`10^{19}`. The kernel divides the smaller of :math:`|r|` and :math:`\delta` by the larger, so
    that no square overflows, and computes :math:`r^2 / (\sqrt{1 + (r / \delta)^2} + 1)`, which does not cancel. Some
    papers divide the loss by :math:`\delta`.

    References
    ----------
    P. Charbonnier, L. Blanc-Féraud, G. Aubert and M. Barlaud, "Deterministic edge-preserving regularization in computed
    imaging", *IEEE Transactions on Image Processing* 6, 1997.

    Examples
    --------
    >>> import lossref
    >>> loss = lossref.PseudoHuber(delta=4.0)
    >>> loss([3.0, -3.0], [0.0, 0.0])
    4.0
    >>> loss.grad([3.0, -3.0], [0.0, 0.0])
    array([ 1.2, -1.2])
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
        return delta**2 * (sp.sqrt(1 + (r / delta) ** 2) - 1)

    def reference(self, pred: Array, target: Array) -> tuple[Array, Array]:
        r = pred - target
        c = np.clip(r, -self.delta, self.delta)
        root, share = self._parts(r)
        return c * (r / (root + share)), c / root

    def reference_curvature(self, pred: Array, target: Array) -> Array:
        root, share = self._parts(pred - target)
        k = share / root
        return k * k * k

    def _parts(self, r: Array) -> tuple[Array, Array]:
        """The root of r² + δ², and δ, both divided by the larger of δ and the size of r."""
        a = np.abs(r)
        q = np.minimum(a, self.delta) / np.maximum(a, self.delta)
        return np.sqrt(1 + q * q), np.where(a > self.delta, q, r.dtype.type(1))


@dataclass(frozen=True, kw_only=True)
class Quantile(PointwiseLoss):
    r"""Quantile loss, or pinball loss: absolute error with one price for too much and another for too little.

    .. math::

       \ell(\hat y, y) = \begin{cases}
           (1 - q) \, r & r \ge 0 \\
           q \, |r| & r < 0
       \end{cases}, \qquad r = \hat y - y

    The best constant prediction is the ``q``-quantile of the targets: the number that a share ``q`` of them stays
    below. With ``q=0.9`` a unit too little costs nine times as much as a unit too much, so the prediction moves up
    until only one target in ten exceeds it. Two models, one for 0.05 and one for 0.95, give an interval instead of a
    number. The loss is in the unit of the target.

    Parameters
    ----------
    q : float in (0, 1), default 0.5
        The share of the targets that should lie below the prediction.
    reduction : {"mean", "sum"}, default "mean"
        How the values of the elements become one number.

    Notes
    -----
    At ``q=0.5`` it is half of :class:`MAE`. At :math:`r = 0` the loss has a kink with subgradients
    :math:`[-q, 1 - q]`; the slope given there is 0, so that a perfect prediction stays where it is. scikit-learn gives
    :math:`-q`. The curvature is 0 everywhere.

    References
    ----------
    R. Koenker and G. Bassett, "Regression quantiles", *Econometrica* 46, 1978.

    Examples
    --------
    >>> import lossref
    >>> loss = lossref.Quantile(q=0.75)
    >>> loss([3.0, -3.0], [0.0, 0.0])
    1.5
    >>> loss.grad([3.0, -3.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0])
    array([ 0.0625, -0.1875,  0.    ,  0.    ])
    """

    q: float = inner(0.5, slider=(0.05, 0.95))

    samples = ({}, {"q": 0.9}, {"q": 0.05})
    exact = True
    properties = Properties(
        convex=True,
        differentiable=False,
        symmetric="Eq(q, 1/2)",
        lipschitz="Max(q, 1 - q)",
        smoothness=None,
        minimizer="q-quantile",
    )

    @staticmethod
    def formula(pred: Any, target: Any, q: Any) -> Any:
        r = pred - target
        return sp.Piecewise(((1 - q) * r, r > 0), (-q * r, r < 0), (0, True))

    def reference(self, pred: Array, target: Array) -> tuple[Array, Array]:
        r = pred - target
        above, below = r.dtype.type(1 - self.q), r.dtype.type(self.q)
        return np.where(r > 0, above * r, below * (0 - r)), np.where(r > 0, above, np.where(r < 0, -below, r + 0))

    def reference_curvature(self, pred: Array, target: Array) -> Array:
        r = pred - target
        return np.where(np.isnan(r), r, r.dtype.type(0))


@dataclass(frozen=True, kw_only=True)
class EpsilonInsensitive(PointwiseLoss):
    r"""Epsilon-insensitive loss: errors up to ``epsilon`` are free, and beyond it each unit costs the same.

    .. math::

       \ell(\hat y, y) = \max(0, |r| - \epsilon), \qquad r = \hat y - y

    The loss of support vector regression. A sample inside the tube of half-width ``epsilon`` has no slope, so the fit
    depends on the samples outside it alone: the support vectors. Choose it where a tolerance is part of the problem,
    as in "half a degree does not matter". The loss is in the unit of the target.

    Parameters
    ----------
    epsilon : float >= 0, default 0.1
        How far off a prediction may be for nothing, in the unit of the target. With 0 this is :class:`MAE`.
    reduction : {"mean", "sum"}, default "mean"
        How the values of the elements become one number.

    Notes
    -----
    At :math:`|r| = \epsilon` the loss has kinks, where the slope given is 0, that of the tube. Just outside,
    :math:`|r| - \epsilon` cancels, and what the subtraction of the target and the rounding of ``epsilon`` to float32
    have lost would be all that is left of the result; both are therefore added back. The curvature is 0 everywhere.

    References
    ----------
    V. N. Vapnik, *The Nature of Statistical Learning Theory*, Springer 1995.

    Examples
    --------
    >>> import lossref
    >>> loss = lossref.EpsilonInsensitive(epsilon=0.5)
    >>> loss([3.0, -0.25], [0.0, 0.0])
    1.25
    >>> loss.grad([3.0, -0.25], [0.0, 0.0])
    array([0.5, 0. ])
    """

    epsilon: float = nonnegative(0.1, slider=(0.0, 2.0))

    samples = ({}, {"epsilon": 0.0}, {"epsilon": 0.3})
    exact = True
    properties = Properties(
        convex=True,
        differentiable=False,
        symmetric=True,
        lipschitz="1",
        smoothness=None,
        minimizer="where as many targets lie beyond the tube above as below",
    )

    @staticmethod
    def formula(pred: Any, target: Any, epsilon: Any) -> Any:
        r = pred - target
        return sp.Piecewise((sp.Abs(r) - epsilon, sp.Abs(r) > epsilon), (0, True))

    def reference(self, pred: Array, target: Array) -> tuple[Array, Array]:
        r = pred - target
        epsilon = r.dtype.type(self.epsilon)
        gone = np.sign(r) * lost(pred, target, r) - r.dtype.type(self.epsilon - float(epsilon))
        beyond = (np.abs(r) - epsilon) + gone
        return np.where(beyond <= 0, 0, beyond), np.where(beyond <= 0, 0, np.sign(r))

    def reference_curvature(self, pred: Array, target: Array) -> Array:
        r = pred - target
        return np.where(np.isnan(r), r, r.dtype.type(0))
