"""Losses of counts and amounts: targets that are never negative, and vary the more the larger they are. The prediction
is ``f``, the logarithm of the mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lossref import symbolic as sp
from lossref._arrays import Array
from lossref._parameters import from_one_to_two
from lossref.losses.base import PointwiseLoss, Properties


def curved(x: Any) -> Any:
    """exp(x) - 1 - x."""
    return np.where(x == np.inf, x, np.expm1(x) - x)


def half_deviance(pred: Array, target: Array, power: float) -> tuple[Array, Array, Array]:
    """Values, slopes and curvatures, in more digits: an exponential multiplies what its argument has lost."""
    f, y = pred.astype(np.longdouble), np.where(target >= 0, target, np.nan).astype(np.longdouble)
    a, b = np.longdouble(2 - power), np.longdouble(power - 1)
    y = np.where((y == 0) & (a == 0), np.nan, y)
    gone = f - np.log(y)
    above, below = np.exp(a * f) if a else 1 + 0 * y, y * np.exp(-b * f) if b else y
    below = np.where(y == 0, 0, below)
    value = y**a * ((curved(a * gone) / a if a else 0) + (curved(-b * gone) / b if b else 0))
    value = np.where(y == 0, above / a, value)
    return value.astype(pred.dtype), (above - below).astype(pred.dtype), (a * above + b * below).astype(pred.dtype)


@dataclass(frozen=True, kw_only=True)
class Poisson(PointwiseLoss):
    r"""Poisson loss: for counts, of which a mean of 100 is expected to be missed by 10, and a mean of 1 by 1.

    .. math::

       \ell(f, y) = e^f - y f + (y \log y - y)

    The prediction is the logarithm of the mean count, so that every prediction is a possible one, and effects multiply:
    one more unit of an input adds to :math:`f` and makes the count so many per cent larger. The slope is
    :math:`e^f - y`, predicted minus observed count. Squared error expects the same scatter everywhere, so that the few
    large counts decide the fit; this loss expects a variance equal to the mean.

    Parameters
    ----------
    reduction : {"mean", "sum"}, default "mean"
        How the values of the elements become one number.

    Notes
    -----
    The loss is half the Poisson deviance: 0 where :math:`e^f = y`, and positive elsewhere. The terms in the brackets,
    0 for a count of 0, depend on the target alone. PyTorch's ``PoissonNLLLoss`` and scikit-learn's ``HalfPoissonLoss``
    leave them out, so that their losses can be negative; scikit-learn's ``mean_poisson_deviance`` is twice this loss,
    and takes the mean instead of its logarithm. Gradients agree. Targets need not be whole numbers; negative ones give
    NaN. Near :math:`e^f = y`, where the terms cancel, the loss is a polynomial in :math:`f - \log y`.

    References
    ----------
    P. McCullagh and J. A. Nelder, *Generalized Linear Models*, second edition, Chapman and Hall 1989, chapter 6.

    Examples
    --------
    >>> import lossref
    >>> loss = lossref.Poisson(reduction="sum")
    >>> loss.values([0.0, 0.0, 3.0], [0.0, 1.0, 1.0]).round(6)
    array([ 1.      ,  0.      , 16.085537])
    >>> loss.grad([0.0, 0.0, 3.0], [0.0, 1.0, 1.0]).round(6)
    array([ 1.      ,  0.      , 19.085537])
    """

    domain = "counts"
    properties = Properties(
        convex=True,
        differentiable=True,
        symmetric=False,
        lipschitz=None,
        smoothness=None,
        minimizer="logarithm of the mean",
    )

    @staticmethod
    def formula(pred: Any, target: Any) -> Any:
        rest = sp.Piecewise((0, sp.Eq(target, 0)), (target * sp.log(target), True)) - target
        return sp.exp(pred) - target * pred + rest

    def reference(self, pred: Array, target: Array) -> tuple[Array, Array]:
        return half_deviance(pred, target, 1)[:2]

    def reference_curvature(self, pred: Array, target: Array) -> Array:
        return half_deviance(pred, target, 1)[2]


@dataclass(frozen=True, kw_only=True)
class Gamma(PointwiseLoss):
    r"""Gamma loss: for amounts above 0, where being wrong by a factor costs the same whatever the amount.

    .. math::

       \ell(f, y) = y e^{-f} + f - (1 + \log y)

    The prediction is the logarithm of the mean. The loss depends on the quotient of the target and the predicted mean
    alone, :math:`q = y e^{-f}`: it is :math:`q - 1 - \log q`. Dollars or cents, it is the same, up to a shift of
    :math:`f`. That is right where the scatter is in proportion to the mean: the cost of a claim, the time until
    something fails, the rain of a wet day.

    Parameters
    ----------
    reduction : {"mean", "sum"}, default "mean"
        How the values of the elements become one number.

    Notes
    -----
    The loss is half the deviance of the gamma distribution: 0 where :math:`e^f = y`, and positive elsewhere. The terms
    in the brackets depend on the target alone; scikit-learn's ``HalfGammaLoss`` leaves them out, and its
    ``mean_gamma_deviance`` is twice this loss, and takes the mean instead of its logarithm. The slope is
    :math:`1 - q`: a target that was predicted far too high pulls with force 1, one that was predicted too low with a
    force that has no bound. Targets of 0, or below, give NaN; where zeros occur, see :class:`Tweedie`.

    References
    ----------
    P. McCullagh and J. A. Nelder, *Generalized Linear Models*, second edition, Chapman and Hall 1989, chapter 8.

    Examples
    --------
    >>> import lossref
    >>> loss = lossref.Gamma(reduction="sum")
    >>> loss.values([0.0, 0.0, 0.0], [0.5, 1.0, 2.0]).round(6)
    array([0.193147, 0.      , 0.306853])
    >>> loss.grad([0.0, 0.0, 0.0], [0.5, 1.0, 2.0])
    array([ 0.5,  0. , -1. ])
    """

    domain = "amounts"
    properties = Properties(
        convex=True,
        differentiable=True,
        symmetric=False,
        lipschitz=None,
        smoothness=None,
        minimizer="logarithm of the mean",
    )

    @staticmethod
    def formula(pred: Any, target: Any) -> Any:
        return target * sp.exp(-pred) + pred - 1 - sp.log(target)

    def reference(self, pred: Array, target: Array) -> tuple[Array, Array]:
        return half_deviance(pred, target, 2)[:2]

    def reference_curvature(self, pred: Array, target: Array) -> Array:
        return half_deviance(pred, target, 2)[2]


@dataclass(frozen=True, kw_only=True)
class Tweedie(PointwiseLoss):
    r"""Tweedie loss: for sums of a random number of amounts, which are often exactly 0 and otherwise anything above.

    .. math::

       \ell(f, y) = \frac{e^{(2-p) f}}{2 - p} - \frac{y\, e^{(1-p) f}}{1 - p} + \frac{y^{2-p}}{(1-p)(2-p)}

    What an insured person claims in a year, how much it rains on a day: a Poisson number of gamma amounts. The
    prediction is the logarithm of the mean, and the variance is expected to grow like the mean to the power ``power``:
    1 is :class:`Poisson`, 2 is :class:`Gamma`, and the loss goes from one to the other without a jump.

    Parameters
    ----------
    power : float in [1, 2], default 1.5
        How the variance grows with the mean, :math:`p`.
    reduction : {"mean", "sum"}, default "mean"
        How the values of the elements become one number.

    Notes
    -----
    The loss is half the Tweedie deviance: 0 where :math:`e^f = y`, and positive elsewhere. The last term depends on the
    target alone; scikit-learn's ``HalfTweedieLoss`` leaves it out, and its ``mean_tweedie_deviance`` is twice this
    loss, and takes the mean instead of its logarithm. As ``power`` goes to 1 or 2, two of the terms grow without bound
    and cancel; here they are joined as :math:`y^a (\varphi(a d) / a + \varphi(-b d) / b)`, a sum of positive terms,
    with :math:`\varphi(x) = e^x - 1 - x`, :math:`d = f - \log y`, :math:`a = 2 - p` and :math:`b = p - 1`. Negative
    targets give NaN, and so does 0 where ``power`` is 2.

    References
    ----------
    M. C. K. Tweedie, "An index which distinguishes between some important exponential families", *Statistics:
    Applications and New Directions*, Indian Statistical Institute 1984. B. Jørgensen, "Exponential dispersion models",
    *Journal of the Royal Statistical Society B* 49, 1987.

    Examples
    --------
    >>> import lossref
    >>> loss = lossref.Tweedie(power=1.5, reduction="sum")
    >>> loss.values([0.0, 0.0, 0.0], [0.0, 1.0, 4.0])
    array([2., 0., 2.])
    >>> loss.grad([0.0, 0.0, 0.0], [0.0, 1.0, 4.0])
    array([ 1.,  0., -3.])
    """

    power: float = from_one_to_two(1.5, slider=(1.0, 2.0))

    samples = ({}, {"power": 1.1})
    domain = "counts"
    properties = Properties(
        convex=True,
        differentiable=True,
        symmetric=False,
        lipschitz=None,
        smoothness=None,
        minimizer="logarithm of the mean",
    )

    @staticmethod
    def formula(pred: Any, target: Any, power: Any) -> Any:
        a, b = 2 - power, 1 - power
        rest = sp.Piecewise((0, sp.Eq(target, 0)), (target**a, True)) / (a * b)
        between = sp.exp(a * pred) / a - target * sp.exp(b * pred) / b + rest
        first, last = Poisson.formula(pred, target), Gamma.formula(pred, target)
        return sp.Piecewise((first, sp.Eq(power, 1)), (last, sp.Eq(power, 2)), (between, True))

    def _choose_kernel(self) -> str:
        return Poisson.name if self.power == 1 else Gamma.name if self.power == 2 else self.name

    def reference(self, pred: Array, target: Array) -> tuple[Array, Array]:
        return half_deviance(pred, target, self.power)[:2]

    def reference_curvature(self, pred: Array, target: Array) -> Array:
        return half_deviance(pred, target, self.power)[2]
