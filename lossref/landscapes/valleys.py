"""Valleys: one minimum, and a way down to it that is round, narrow, bent, or flat."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossref import symbolic as sp
from lossref._arrays import Array
from lossref._parameters import integer, positive
from lossref.landscapes.base import Landscape, Point


def ordered_total(terms: Array) -> Array:
    """The sum over the first axis, from the first to the last: the order of the kernels, and so their bits."""
    total: Array = np.cumsum(terms, axis=0)[-1]
    return total


@dataclass(frozen=True, kw_only=True)
class Bowl(Landscape):
    r"""A round bowl: the same curvature in every direction.

    .. math::

       f(x) = \tfrac12 \sum_j x_j^2

    The gradient is the point itself and leads straight to the bottom; with a rate of 1 gradient descent is there in one
    step. What an optimizer does wrong here it does wrong by itself. The one minimum is 0, at the origin.

    Parameters
    ----------
    dimensions : int >= 1, default 2
        How many coordinates a point has.

    Examples
    --------
    >>> from lossref.landscapes import Bowl
    >>> surface = Bowl(dimensions=3)
    >>> surface([1.0, 2.0, 2.0])
    4.5
    >>> surface.grad([1.0, 2.0, 2.0])
    array([1., 2., 2.])
    """

    dimensions: int = integer(2, least=1)

    samples = ({}, {"dimensions": 1}, {"dimensions": 5})
    exact = True

    @property
    def start(self) -> Point:
        return (-2.5, 1.5, *(1.0,) * self.dimensions)[: self.dimensions]

    @property
    def minima(self) -> tuple[Point, ...]:
        return ((0.0,) * self.dimensions,)

    @staticmethod
    def formula(x: Any) -> Any:
        return sum(xj**2 for xj in x) / 2

    def reference(self, x: Array) -> tuple[Array, Array]:
        return 0.5 * ordered_total(x * x), x.copy()

    def reference_hessian(self, x: Array) -> Array:
        hessian = np.zeros((len(x), *x.shape))
        each = np.arange(len(x))
        hessian[each, each] = 1
        return hessian


@dataclass(frozen=True, kw_only=True)
class Ravine(Landscape):
    r"""A quadratic valley: flat along the first axis, steep across it.

    .. math::

       f(x) = \tfrac12 \left( x_1^2 + \kappa\, x_2^2 \right)

    The condition number :math:`\kappa` is the ratio of the two curvatures. Gradient descent is stable only for rates
    below :math:`2 / \max(1, \kappa)`, and at such rates it crawls along the flat axis: the reason why momentum exists.
    With :math:`\kappa = 1` the ravine is a round bowl. The one minimum is 0, at the origin.

    Parameters
    ----------
    curvature : float > 0, default 20.0
        The curvature :math:`\kappa` across the valley; along it the curvature is 1.

    Examples
    --------
    >>> from lossref.landscapes import Ravine
    >>> surface = Ravine(curvature=10.0)
    >>> surface([3.0, 1.0])
    9.5
    >>> surface.grad([3.0, 1.0])
    array([ 3., 10.])
    >>> surface.hessian([3.0, 1.0])
    array([[ 1.,  0.],
           [ 0., 10.]])
    """

    curvature: float = positive(20.0, slider=(1.0, 50.0))

    samples = ({}, {"curvature": 1.0})
    exact = True
    start = (-2.7, 0.8)
    minima = ((0.0, 0.0),)

    @staticmethod
    def formula(x: Any, curvature: Any) -> Any:
        return (x[0] ** 2 + curvature * x[1] ** 2) / 2

    def reference(self, x: Array) -> tuple[Array, Array]:
        slope = np.stack([x[0], self.curvature * x[1]])
        return 0.5 * ordered_total(x * slope), slope

    def reference_hessian(self, x: Array) -> Array:
        one = np.ones_like(x[0])
        return np.array([[one, 0 * one], [0 * one, self.curvature * one]])


@dataclass(frozen=True, kw_only=True)
class Rosenbrock(Landscape):
    r"""Rosenbrock's banana: a narrow valley along a parabola.

    .. math::

       f(x) = \sum_{j=1}^{n-1} b \left( x_{j+1} - x_j^2 \right)^2 + \left( 1 - x_j \right)^2

    The valley floor is found at once; following it around the bend is hard, for the direction that was good a few steps
    ago is steep now. At the minimum of the plane the condition number of the Hessian is 2508. The minimum is 0, where
    all coordinates are 1; from four coordinates on there is a second, higher one near :math:`(-1, 1, \dots, 1)`.

    Parameters
    ----------
    dimensions : int >= 2, default 2
        How many coordinates a point has.
    steepness : float > 0, default 100.0
        The factor :math:`b` of the walls.

    References
    ----------
    H. H. Rosenbrock, "An automatic method for finding the greatest or least value of a function", *The Computer
    Journal* 3, 1960.

    Examples
    --------
    >>> import numpy as np
    >>> from lossref.landscapes import Rosenbrock
    >>> surface = Rosenbrock()
    >>> surface.value_and_grad(surface.start)
    (24.199999999999996, array([-215.6,  -88. ]))
    >>> print(f"{np.linalg.cond(surface.hessian(surface.minima[0])):.0f}")
    2508
    """

    dimensions: int = integer(2, least=2)
    steepness: float = positive(100.0, slider=(1.0, 100.0))

    samples = ({}, {"dimensions": 3, "steepness": 2.5}, {"dimensions": 6})
    exact = True
    span = ((-1.7, 1.7), (-0.8, 2.2))

    @property
    def start(self) -> Point:
        return ((-1.2, 1.0) * self.dimensions)[: self.dimensions]

    @property
    def minima(self) -> tuple[Point, ...]:
        return ((1.0,) * self.dimensions,)

    @staticmethod
    def formula(x: Any, steepness: Any) -> Any:
        return sum(steepness * (after - before**2) ** 2 + (1 - before) ** 2 for before, after in itertools.pairwise(x))

    def reference(self, x: Array) -> tuple[Array, Array]:
        b, before = self.steepness, x[:-1]
        beside, left = x[1:] - before * before, 1 - before
        slope = np.zeros_like(x)
        slope[1:] = 2 * b * beside
        slope[:-1] += -4 * b * beside * before - 2 * left
        return ordered_total(b * beside * beside + left * left), slope

    def reference_hessian(self, x: Array) -> Array:
        b, before = self.steepness, x[:-1]
        hessian = np.zeros((len(x), *x.shape))
        last = np.arange(1, len(x))
        hessian[last, last] = 2 * b
        hessian[last - 1, last - 1] += 8 * b * before * before - 4 * b * (x[1:] - before * before) + 2
        hessian[last - 1, last] = hessian[last, last - 1] = -4 * b * before
        return hessian


@dataclass(frozen=True, kw_only=True)
class Beale(Landscape):
    r"""Beale's function: flat plains between steep walls, and a curved way between them.

    .. math::

       f(x) = \sum_{k=1}^{3} \left( c_k - x_1 \left( 1 - x_2^k \right) \right)^2, \qquad
       c = \left( \tfrac32, \tfrac94, \tfrac{21}{8} \right)

    Slopes differ by many powers of ten within a few units, so that one learning rate cannot suit all of it. The minimum
    is 0, at :math:`(3, \tfrac12)`. Along the line :math:`x_2 = 1` the height is the same everywhere, 14.2.

    References
    ----------
    E. M. L. Beale, "On an iterative method for finding a local minimum of a function of more than one variable",
    technical report 25, Statistical Techniques Research Group, Princeton University, 1958.

    Examples
    --------
    >>> from lossref.landscapes import Beale
    >>> surface = Beale()
    >>> surface([1.0, 1.0]), surface([-3.0, 1.0]), surface([3.0, 0.5])
    (14.203125, 14.203125, 0.0)
    """

    samples = ({},)
    exact = True
    start = (1.0, 1.5)
    span = ((-1.0, 4.5), (-1.5, 2.0))
    minima = ((3.0, 0.5),)

    @staticmethod
    def formula(x: Any) -> Any:
        wanted = sp.Rational(3, 2), sp.Rational(9, 4), sp.Rational(21, 8)
        return sum((c - x[0] * (1 - x[1] ** k)) ** 2 for k, c in enumerate(wanted, 1))

    def reference(self, x: Array) -> tuple[Array, Array]:
        a, height, slope = x[0], np.zeros_like(x[0]), np.zeros_like(x)
        for lacking, rise, bend, _ in self._terms(x):
            height += lacking * lacking
            slope[0] -= 2 * rise * lacking
            slope[1] += 2 * a * bend * lacking
        return height, slope

    def reference_hessian(self, x: Array) -> Array:
        a, hessian = x[0], np.zeros((2, *x.shape))
        for lacking, rise, bend, turn in self._terms(x):
            hessian[0, 0] += 2 * rise * rise
            hessian[0, 1] += 2 * bend * (lacking - a * rise)
            hessian[1, 1] += 2 * a * (turn * lacking + a * bend * bend)
        hessian[1, 0] = hessian[0, 1]
        return hessian

    def _terms(self, x: Array) -> Iterator[tuple[Array, Array, Array, Array]]:
        """Of each term what is squared, 1 - b**k, and the first and second derivative of b**k."""
        a, b = x
        one = np.ones_like(b)
        powers = (b, one, 0 * one), (b * b, 2 * b, 2 * one), (b * b * b, 3 * b * b, 6 * b)
        for wanted, (power, bend, turn) in zip((1.5, 2.25, 2.625), powers, strict=True):
            rise = 1 - power
            yield wanted - a * rise, rise, bend, turn
