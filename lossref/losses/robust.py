"""Redescending losses: beyond some distance they let go of a residual, because it cannot be one of theirs. ``r`` is
the residual, prediction minus target.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from lossref import symbolic as sp
from lossref._arrays import Array
from lossref._parameters import at_most_two, positive
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

    Notes
    -----
    Conventions differ by a factor: with :math:`\tfrac12 \sigma^2` in front, as here, the curvature at zero is 1
    whatever the scale; others write :math:`\log(1 + (r / \sigma)^2)`, and SciPy's ``least_squares(loss="cauchy")``
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
        slope = np.clip(r, -self.scale, self.scale).astype(np.float64) * self._share(a) / self._whole(a)
        return value.astype(r.dtype), slope.astype(r.dtype)

    def reference_curvature(self, pred: Array, target: Array) -> Array:
        r = pred - target
        a = np.abs(r).astype(np.float64)
        share, whole = self._share(a), self._whole(a)
        inside = (self.scale - a) - np.sign(r) * lost(pred, target, r)
        inside = np.where(a > 2 * self.scale, share - 1, inside / np.maximum(a, self.scale))
        gone = (1 - whole) + self._ratio(a) ** 2  # what the sum lost, which its square would double
        part = share / whole * (1 - gone / whole)
        curvature: Array = inside * (1 + self._ratio(a)) * part * part
        return curvature.astype(r.dtype)

    def _ratio(self, a: Array) -> Array:
        """The smaller of a and the scale over the larger, whose square cannot overflow."""
        return np.minimum(a, self.scale) / np.maximum(a, self.scale)

    def _share(self, a: Array) -> Array:
        """The scale over the larger of a and itself."""
        return self.scale / np.maximum(a, self.scale)

    def _whole(self, a: Array) -> Array:
        """The sum of the squares of a and of the scale, over that of the larger."""
        return 1 + self._ratio(a) ** 2


def split(exact: Fraction) -> tuple[float, float]:
    """A fraction as the nearest float and what that leaves over."""
    near = float(exact)
    return near, float(exact - Fraction(near))


def halves(x: Array) -> tuple[Array, Array]:
    """Two numbers of half as many digits, whose sum is x."""
    wide = x * x.dtype.type(4097 if x.dtype == np.float32 else 134217729)
    top = wide - (wide - x)
    return top, x - top


def product_parts(x: Array, y: Array) -> tuple[Array, Array]:
    """x y = product + lost, exactly: products of halves are not rounded (Dekker)."""
    (x_top, x_rest), (y_top, y_rest) = halves(x), halves(y)
    product = x * y
    return product, (((x_top * y_top - product) + x_top * y_rest) + x_rest * y_top) + x_rest * y_rest


@dataclass(frozen=True, kw_only=True)
class Tukey(PointwiseLoss):
    r"""Tukey's biweight: a residual beyond ``c`` is not a large error but no error at all.

    .. math::

       \ell(\hat y, y) = \begin{cases}
           \tfrac16 c^2 \left(1 - \left(1 - (r / c)^2\right)^3\right) & |r| \le c \\
           \tfrac16 c^2 & |r| > c
       \end{cases}, \qquad r = \hat y - y

    Near zero it is :math:`\tfrac12 r^2`. The pull grows up to :math:`c / \sqrt 5`, then weakens, and is gone at
    :math:`c`, without a jump in the loss, its slope or its curvature. :class:`Cauchy` listens less and less to a far
    point; this loss does not listen at all: moving an outlier from :math:`2c` to :math:`1000c` changes nothing. It is
    in the square of the target's unit, ``c`` in the unit itself.

    Parameters
    ----------
    c : float > 0, default 4.685
        The residual at which the loss lets go. At 4.685 standard deviations the estimate is 95 % as sharp as the mean
        where the noise is Gaussian after all.
    reduction : {"mean", "sum"}, default "mean"
        How the values of the elements become one number.

    Notes
    -----
    A sample beyond ``c`` has gradient 0, and if all are, descent stands still: begin with :class:`Huber`, and give
    ``c`` in units of the spread of its residuals. Some write the loss without :math:`\tfrac16 c^2`, so that it ends at
    1. The slope is :math:`r w^2` with :math:`w = 1 - (r / c)^2`, which cancels near ``c``: the squares are subtracted
    with what their rounding has lost.

    References
    ----------
    A. E. Beaton and J. W. Tukey, "The fitting of power series, meaning polynomials, illustrated on band-spectroscopic
    data", *Technometrics* 16, 1974.

    Examples
    --------
    >>> import lossref
    >>> loss = lossref.Tukey(c=3.0)
    >>> loss.values([1.0, 3.0, 300.0], [0.0, 0.0, 0.0]).round(6)
    array([0.446502, 1.5     , 1.5     ])
    >>> loss.grad([1.0, 3.0, 300.0], [0.0, 0.0, 0.0]).round(6)
    array([0.263374, 0.      , 0.      ])
    """

    c: float = positive(4.685, slider=(0.5, 6.0))

    samples = ({}, {"c": 2.0})
    exact = True
    properties = Properties(
        convex=False,
        differentiable=True,
        symmetric=True,
        lipschitz="16*sqrt(5)/125*c",
        smoothness="1",
        minimizer="what it would be without a far outlier",
    )

    @staticmethod
    def formula(pred: Any, target: Any, c: Any) -> Any:
        r = pred - target
        inside = c**2 / 6 * (1 - (1 - (r / c) ** 2) ** 3)
        return sp.Piecewise((inside, sp.Abs(r) <= c), (c**2 / 6, True))

    def _kernel_parameters(self) -> tuple[float, ...]:
        """c; a power of two that brings it next to 1, where no square overflows; and 1 / c² there, in two parts."""
        unit = math.ldexp(1.0, min(-math.frexp(self.c)[1], 1000))
        inverse = 1 / Fraction(self.c * unit) ** 2
        return self.c, unit, *split(inverse)

    def reference(self, pred: Array, target: Array) -> tuple[Array, Array]:
        r = pred - target
        real = r.dtype.type
        u, low = self._share(pred, target)
        w = rest_of_one(u, low)
        near = real(0.5) * r * r * (1 - u * (1 - u * real(1 / 3)))
        far = real(self.c * self.c / 6) * (1 - w * w * w)
        return np.where(u < 0.5, near, far), np.where(w <= 0, 0, r * w * w)

    def reference_curvature(self, pred: Array, target: Array) -> Array:
        u, low = self._share(pred, target)
        w = rest_of_one(u, low)
        return np.where(w <= 0, 0, w * (((1 - 4 * u) - u) - 5 * low))

    def _share(self, pred: Array, target: Array) -> tuple[Array, Array]:
        """(r/c)² in two parts; from some distance beyond c on, that distance."""
        r = pred - target
        real = r.dtype.type
        _, unit, inverse, rest = self._parameters
        factor, factor_low = real(inverse), real((inverse - float(real(inverse))) + rest)
        a = np.abs(r) * real(unit)
        outside = a > 1
        a = np.where(outside, real(1), a)
        gone = np.where(outside, 0, np.sign(r) * lost(pred, target, r) * real(unit))
        square, square_low = product_parts(a, a)
        u, u_low = product_parts(square, np.full_like(square, factor))
        return u, u_low + ((square_low + 2 * a * gone) * factor + square * factor_low)


def rest_of_one(u: Array, low: Array) -> Array:
    """1 - u - low where that is positive, else 0; to the last digits, however little it is."""
    rest = 1 - u
    w: Array = rest + (((1 - rest) - u) - low)
    return np.where(w < 0, 0, w)


#: From here on 2 - alpha is as good as infinite: no float can tell Barron's loss from Welsch's.
MOST = Fraction(2**80)


@dataclass(frozen=True, kw_only=True)
class Barron(PointwiseLoss):
    r"""Barron's general robust loss: one parameter leads from squared error to losses that let go.

    .. math::

       \ell(\hat y, y) = \begin{cases}
           \tfrac12 z & \alpha = 2 \\
           \log\left(1 + \tfrac12 z\right) & \alpha = 0 \\
           \frac{2 - \alpha}{\alpha} \left( \left( 1 + \frac{z}{2 - \alpha} \right)^{\alpha / 2} - 1 \right)
               & \text{otherwise}
       \end{cases}, \qquad z = (r / \sigma)^2, \qquad r = \hat y - y

    All of the family are :math:`\tfrac12 (r / \sigma)^2` near zero; ``alpha`` says how they go on. Far out the pull
    goes like :math:`|r|^{\alpha - 1}`: at 2 in proportion to the error, at 1 with the same force for all, below 1 the
    less the further away a point lies, and below 0 so little that the loss has a ceiling. The choice between losses of
    known names becomes the choice of a number, which can be searched for like any other.

    Parameters
    ----------
    alpha : float <= 2, default 1.0
        The shape. 2 is half the squared error, 1 :class:`PseudoHuber`, 0 :class:`Cauchy`, −2 Geman and McClure's loss;
        minus infinity, Welsch's.
    scale : float > 0, default 1.0
        The residual :math:`\sigma` from which on the shape is seen.
    reduction : {"mean", "sum"}, default "mean"
        How the values of the elements become one number.

    Notes
    -----
    At ``alpha`` 2 and 0 the last line is 0/0, and the first two are its limits. *Near* them it cancels as written; here
    the power is never formed where 1 is to be taken from it, so that ``alpha=1e-9`` is as accurate as 1. (The usual
    remedy, to keep away from those two, computes another loss.) For Welsch's, :math:`1 - e^{-(r / \sigma)^2 / 2}`, give
    ``alpha=-1e30``: no float can tell the difference. An ``alpha`` above 2 is refused: such a loss pulls at outliers
    harder than squared error does, and its curvature has no bound. Between ``alpha`` −100 and −100,000 slopes above
    :math:`10^{-5}` are right to 4 units in the last place, as everywhere, but those that have all but vanished only to
    200: the exponent is so large that it multiplies the rounding errors of the logarithm.

    The loss is free of units. :class:`PseudoHuber` and :class:`Cauchy` are not: they are :math:`\sigma^2` times this
    one, where ``delta`` is :math:`\sigma` and Cauchy's ``scale`` is :math:`\sqrt 2 \sigma`. Barron also learns
    ``alpha`` from the data, for which the logarithm of a normalizing constant is added to the loss; without it every
    residual would vote for the lowest ``alpha``.

    References
    ----------
    J. T. Barron, "A general and adaptive robust loss function", *CVPR* 2019.

    Examples
    --------
    >>> import lossref
    >>> for alpha in (2.0, 1.0, 0.0, -2.0, -1e30):
    ...     print(lossref.Barron(alpha=alpha).values([0.1, 2.0, 10.0], [0.0, 0.0, 0.0]).round(3))
    [5.e-03 2.e+00 5.e+01]
    [5.000e-03 1.236e+00 9.050e+00]
    [0.005 1.099 3.932]
    [0.005 1.    1.923]
    [0.005 0.865 1.   ]
    """

    alpha: float = at_most_two(1.0, slider=(-8.0, 2.0))
    scale: float = positive(1.0, slider=(0.1, 5.0))

    forms = ("", "_square", "_hyperbola")
    samples = (
        {},
        {"alpha": 0.0, "scale": 4.0},
        {"alpha": -2.0},
        {"alpha": 1.75, "scale": 0.3},
        {"alpha": 2.0, "scale": 0.5},
    )
    properties = Properties(
        convex="alpha >= 1",
        differentiable=True,
        symmetric=True,
        lipschitz="Piecewise((((1-alpha)/(2-alpha))**((1-alpha)/2)/scale, alpha<1), (1/scale, alpha<=1), (oo, True))",
        smoothness="1/scale**2",
        minimizer="between mean and median for alpha from 1 to 2; below, what it would be without a far outlier",
    )

    @staticmethod
    def formula(pred: Any, target: Any, alpha: Any, scale: Any) -> Any:
        z = ((pred - target) / scale) ** 2
        power = (2 - alpha) / alpha * ((1 + z / (2 - alpha)) ** (alpha / 2) - 1)
        return sp.Piecewise((z / 2, sp.Eq(alpha, 2)), (sp.log(1 + z / 2), sp.Eq(alpha, 0)), (power, True))

    def _choose_kernel(self) -> str:
        return self.name + {2.0: "_square", 1.0: "_hyperbola"}.get(self.alpha, "")

    def _kernel_parameters(self) -> tuple[float, ...]:
        """alpha/2; what brings the scale next to 1; its square there, times 2 - alpha; exponents; what far errors get;
        the scale.

        Exponents multiply rounding errors, so they come in two parts."""
        unit = math.ldexp(1.0, min(-math.frexp(self.scale)[1], 1000))
        rest = min(2 - Fraction(self.alpha), MOST)
        square = Fraction(self.scale * unit) ** 2
        ceiling = math.inf if self.alpha >= 0 else float(rest / (rest - 2))
        pull = 0.0 if self.alpha < 1 else 1 / self.scale if self.alpha == 1 else math.inf
        parts = (*split(rest * square), *split(-rest / 2), *split(1 - rest))
        constants = (float(rest / 2), float(1 / (2 * square)), 1 / self.scale / self.scale)
        return float(1 - rest / 2), unit, *parts, *constants, ceiling, pull, self.scale

    def reference(self, pred: Array, target: Array) -> tuple[Array, Array]:
        r, z, rest, logarithm = self._wide(pred, target)
        y = (1 - rest / 2) * logarithm
        value = rest / 2 * logarithm * np.where(y == 0, 1, np.expm1(y) / y)
        value = np.where((z < 1e-18) | (rest == 0), z / 2, value)
        slope = r * np.exp(-rest / 2 * logarithm) / self.scale / self.scale
        if self.alpha < 2:
            *_, ceiling, pull, _ = self._parameters
            value = np.where(np.isinf(r), ceiling, value)
            slope = np.where(np.isinf(r), np.copysign(pull, r), slope)
        return value.astype(pred.dtype), slope.astype(pred.dtype)

    def reference_curvature(self, pred: Array, target: Array) -> Array:
        r, z, rest, logarithm = self._wide(pred, target)
        bend = np.where(rest == 0, 1, (rest + (1 - rest) * z) / (rest + z))
        curvature = np.exp(-rest / 2 * logarithm) * bend / self.scale / self.scale
        curvature = np.where(np.isinf(r) & (rest > 0), 0, np.where(np.isnan(r), r, curvature))
        return curvature.astype(pred.dtype)

    def _wide(self, pred: Array, target: Array) -> tuple[Any, ...]:
        """r, (r/σ)², 2 - alpha and log(1 + (r/σ)² / (2 - alpha)), in more digits: its powers multiply what is lost."""
        r = pred.astype(np.longdouble) - target.astype(np.longdouble)
        z = (r / self.scale) ** 2
        rest = np.minimum(2 - np.longdouble(self.alpha), np.longdouble(int(MOST)))
        return r, z, rest, np.log1p(z / rest) if rest else np.zeros_like(r)
