"""Wells, saddles and plateaus: where a gradient of zero is not the end, or not the best one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lossref import symbolic as sp
from lossref._arrays import Array
from lossref._parameters import integer, positive
from lossref.landscapes.base import Landscape, Point
from lossref.landscapes.valleys import ordered_total


@dataclass(frozen=True, kw_only=True)
class Himmelblau(Landscape):
    r"""Himmelblau's function: four minima, all equally low.

    .. math::

       f(x) = \left( x_1^2 + x_2 - 11 \right)^2 + \left( x_1 + x_2^2 - 7 \right)^2

    Which of the four is found depends on where one starts and on how long the steps are. Between them lie four saddle
    points, and one maximum near :math:`(-0.27, -0.92)`. The minima are 0: one at :math:`(3, 2)`, the others at roots of
    a polynomial, to the nearest float in ``minima``.

    References
    ----------
    D. M. Himmelblau, *Applied Nonlinear Programming*,
    McGraw-Hill, 1972.

    Examples
    --------
    >>> from lossref.landscapes import Himmelblau
    >>> surface = Himmelblau()
    >>> surface([3.0, 2.0]), surface([0.0, 0.0])
    (0.0, 170.0)
    >>> [(round(a, 3), round(b, 3)) for a, b in surface.minima]
    [(3.0, 2.0), (-2.805, 3.131), (-3.779, -3.283), (3.584, -1.848)]
    """

    samples = ({},)
    exact = True
    start = (0.0, 0.0)
    span = ((-5.5, 5.5), (-5.5, 5.5))
    minima = (
        (3.0, 2.0),
        (-2.805118086952745, 3.131312518250573),
        (-3.779310253377747, -3.2831859912861696),
        (3.5844283403304917, -1.8481265269644036),
    )

    @staticmethod
    def formula(x: Any) -> Any:
        return (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2

    def reference(self, x: Array) -> tuple[Array, Array]:
        a, b = x
        first, second = a * a + b - 11, a + b * b - 7
        slope = np.stack([4 * a * first + 2 * second, 2 * first + 4 * b * second])
        return first * first + second * second, slope

    def reference_hessian(self, x: Array) -> Array:
        a, b = x
        first, second, mixed = a * a + b - 11, a + b * b - 7, 4 * (a + b)
        return np.array([[4 * first + 8 * a * a + 2, mixed], [mixed, 4 * second + 8 * b * b + 2]])


@dataclass(frozen=True, kw_only=True)
class Rastrigin(Landscape):
    r"""Rastrigin's function: a bowl covered with ripples, each of them a local minimum.

    .. math::

       f(x) = \sum_j x_j^2 + A \left( 1 - \cos 2 \pi x_j \right)

    Near every point of whole numbers there is a minimum, as far out as :math:`|x_j| < \pi A`, and only that at the
    origin, of height 0, is the lowest. Descent ends in the ripple where it starts; what leaves ripples is noise,
    momentum, or another start.

    Parameters
    ----------
    dimensions : int >= 1, default 2
        How many coordinates a point has.
    amplitude : float > 0, default 10.0
        The height :math:`A` of a ripple, half from crest to trough.

    Notes
    -----
    The cosine of :math:`2 \pi x` is taken of what is left of :math:`x` beside the nearest whole number, which is exact,
    and :math:`1 - \cos 2 \pi x` is computed as :math:`2 \sin^2 \pi x`: near a whole number no digits cancel.

    References
    ----------
    L. A. Rastrigin, *Systems of Extremal Control*,
    Nauka, Moscow, 1974 (in Russian).

    Examples
    --------
    >>> from lossref.landscapes import Rastrigin
    >>> surface = Rastrigin()
    >>> surface([0.0, 0.0]), surface([1.0, 0.0]), surface([0.5, 0.0])
    (0.0, 1.0, 20.25)
    """

    dimensions: int = integer(2, least=1)
    amplitude: float = positive(10.0, slider=(0.0, 10.0))

    samples = ({}, {"dimensions": 3, "amplitude": 0.5})
    span = ((-3.0, 3.0), (-3.0, 3.0))

    @property
    def start(self) -> Point:
        return (2.3, -1.8, *(1.7,) * self.dimensions)[: self.dimensions]

    @property
    def minima(self) -> tuple[Point, ...]:
        return ((0.0,) * self.dimensions,)

    @staticmethod
    def formula(x: Any, amplitude: Any) -> Any:
        return sum(xj**2 + amplitude * (1 - sp.cos(2 * sp.pi * xj)) for xj in x)

    def reference(self, x: Array) -> tuple[Array, Array]:
        beside = self._beside(x)
        sine = np.sin(np.pi * beside)
        nearest = np.where(np.abs(beside) < 0.25, beside, np.copysign(0.5, beside) - beside)  # the same sine of 2πr
        height = ordered_total(x * x + 2 * self.amplitude * sine * sine)
        return height, 2 * x + 2 * np.pi * self.amplitude * np.sin(2 * np.pi * nearest)

    def reference_hessian(self, x: Array) -> Array:
        sine = np.sin(np.pi * self._beside(x))
        hessian = np.zeros((len(x), *x.shape))
        each = np.arange(len(x))
        hessian[each, each] = 2 + 4 * np.pi**2 * self.amplitude * (1 - 2 * sine * sine)
        return hessian

    @staticmethod
    def _beside(x: Array) -> Array:
        """What lies between a number and the nearest whole one; nothing of an infinity."""
        beside: Array = np.where(np.isinf(x), 0, x - np.rint(x))
        return beside


@dataclass(frozen=True, kw_only=True)
class Saddle(Landscape):
    r"""A saddle between two wells: downhill across it, uphill along it.

    .. math::

       f(x) = \tfrac12 x_1^2 - \tfrac12 x_2^2 + \tfrac14 x_2^4

    At the origin the gradient is zero and the curvatures are 1 and -1. Whoever comes along the first axis walks up to
    the saddle and stays, unless something pushes him off; the push then grows by a constant factor in each step. The
    two minima are :math:`-\tfrac14`, at :math:`(0, \pm 1)`.

    Examples
    --------
    >>> import numpy as np
    >>> from lossref.landscapes import Saddle
    >>> surface = Saddle()
    >>> np.diag(surface.hessian([0.0, 0.0])), surface([0.0, 1.0])
    (array([ 1., -1.]), -0.25)
    """

    samples = ({},)
    exact = True
    start = (-1.5, 1e-3)
    span = ((-2.0, 2.0), (-1.7, 1.7))
    minima = ((0.0, -1.0), (0.0, 1.0))

    @staticmethod
    def formula(x: Any) -> Any:
        return x[0] ** 2 / 2 - x[1] ** 2 / 2 + x[1] ** 4 / 4

    def reference(self, x: Array) -> tuple[Array, Array]:
        a, b = x
        square = b * b
        return 0.5 * a * a + square * (0.25 * square - 0.5), np.stack([a, b * (square - 1)])

    def reference_hessian(self, x: Array) -> Array:
        one = np.ones_like(x[0])
        return np.array([[one, 0 * one], [0 * one, 3 * x[1] * x[1] - 1]])


@dataclass(frozen=True, kw_only=True)
class MonkeySaddle(Landscape):
    r"""The monkey saddle: three ways down, one for the tail, and a Hessian that sees none of them.

    .. math::

       f(x) = x_1^3 - 3 x_1 x_2^2

    At the origin gradient and Hessian are both zero. Curvature cannot tell what kind of point it is: it takes the third
    derivatives. The surface has no bottom.

    Examples
    --------
    >>> from lossref.landscapes import MonkeySaddle
    >>> surface = MonkeySaddle()
    >>> surface([-1.0, 0.0]), surface([1.0, 1.0])
    (-1.0, -2.0)
    >>> bool(surface.hessian([0.0, 0.0]).any())
    False
    """

    samples = ({},)
    exact = True
    start = (0.9, 0.1)
    span = ((-1.5, 1.5), (-1.5, 1.5))
    minima = ()

    @staticmethod
    def formula(x: Any) -> Any:
        return x[0] ** 3 - 3 * x[0] * x[1] ** 2

    def reference(self, x: Array) -> tuple[Array, Array]:
        a, b = x
        return a * (a * a - 3 * b * b), np.stack([3 * (a - b) * (a + b), -6 * a * b])

    def reference_hessian(self, x: Array) -> Array:
        a, b = x
        return np.array([[6 * a, -6 * b], [-6 * b, -6 * a]])


@dataclass(frozen=True, kw_only=True)
class Plateau(Landscape):
    r"""A dent in a plateau: far from the minimum there is hardly a slope to follow.

    .. math::

       f(x) = \frac{x_1^2 + x_2^2}{1 + x_1^2 + x_2^2}

    The slope is steepest at the distance :math:`1/\sqrt 3` and falls with the cube of the distance, while the curvature
    outwards is negative: a Newton step leads away. This is what a saturated unit looks like to an optimizer. The one
    minimum is 0, at the origin; the plateau has the height 1.

    Examples
    --------
    >>> from lossref.landscapes import Plateau
    >>> surface = Plateau()
    >>> surface([1.0, 0.0]), surface([100.0, 0.0])
    (0.5, 0.9999000099990001)
    >>> surface.grad([10.0, 0.0])
    array([0.00196059, 0.        ])
    """

    samples = ({},)
    exact = True
    start = (2.0, 1.0)
    span = ((-3.0, 3.0), (-3.0, 3.0))
    minima = ((0.0, 0.0),)

    @staticmethod
    def formula(x: Any) -> Any:
        square = x[0] ** 2 + x[1] ** 2
        return square / (1 + square)

    def reference(self, x: Array) -> tuple[Array, Array]:
        square = x[0] * x[0] + x[1] * x[1]
        below = 1 + square
        return np.where(np.isinf(square), 1, square / below), 2 / (below * below) * x

    def reference_hessian(self, x: Array) -> Array:
        a, b = x
        below = 1 + (a * a + b * b)
        level = 2 / (below * below)
        mixed = -4 * level * (a * (b / below))
        along, across = (level * (1 - 4 * (c * (c / below))) for c in x)
        return np.array([[along, mixed], [mixed, across]])
