"""Landscapes: surfaces over the plane on which optimizers show what they do, with gradient and Hessian."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lossref._arrays import Array
from lossref._formula import Formula
from lossref._parameters import positive

__all__ = ["Ravine"]


@dataclass(frozen=True, kw_only=True)
class Ravine(Formula):
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

    @staticmethod
    def formula(x1: Any, x2: Any, curvature: Any) -> Any:
        return (x1**2 + curvature * x2**2) / 2

    def __call__(self, x: Any) -> Any:
        """Return the height.

        Parameters
        ----------
        x : array_like
            A point, of the shape (2,), or many, of the shape (2, ...).

        Returns
        -------
        float or numpy.ndarray
            The height of each point.
        """
        return self.value_and_grad(x)[0]

    def grad(self, x: Any) -> Array:
        """Return the gradient, of the shape of ``x``."""
        return self.value_and_grad(x)[1]

    def value_and_grad(self, x: Any) -> tuple[Any, Array]:
        """Return the height and the gradient."""
        x = np.asarray(x, dtype=np.float64)
        slope = np.stack([x[0], self.curvature * x[1]])
        height = 0.5 * (x * slope).sum(axis=0)
        return (float(height) if x.ndim == 1 else height), slope

    def hessian(self, x: Any) -> Array:
        """Return the Hessian, of the shape (2, 2); here it is the same everywhere."""
        return np.diag([1.0, self.curvature])
