"""Landscapes: surfaces over a plane on which an optimizer's path can be seen, each with its gradient and Hessian."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from lossref._arrays import Array


@dataclasses.dataclass(frozen=True)
class Ravine:
    r"""A parabolic valley that is steep across and flat along: the simplest place where plain descent struggles.

    .. math::

       f(x, y) = \tfrac12 \left(a x^2 + b y^2\right)

    With a fixed learning rate :math:`\eta`, plain gradient descent multiplies the two coordinates by
    :math:`1 - \eta a` and :math:`1 - \eta b` at each step: it is stable only if :math:`\eta < 2 / \max(a, b)`.

    Parameters
    ----------
    along : float, default 1.0
        The curvature :math:`a` along the valley.
    across : float, default 30.0
        The curvature :math:`b` across it.

    Examples
    --------
    >>> from lossref.landscapes import Ravine
    >>> ravine = Ravine(along=1.0, across=30.0)
    >>> value, grad = ravine([2.0, 1.0])
    >>> float(value), grad.tolist()
    (17.0, [2.0, 30.0])
    """

    along: float = 1.0
    across: float = 30.0

    def __call__(self, point: Any) -> tuple[Any, Array]:
        """Return the height and the gradient.

        Parameters
        ----------
        point : array_like
            Coordinates, of shape ``(2,)``, or ``(2, ...)`` for many points at once.

        Returns
        -------
        value : numpy.ndarray
            The height, of shape ``()`` or ``(...)``.
        grad : numpy.ndarray
            The gradient, of the shape of ``point``.
        """
        x, y = np.asarray(point, dtype=float)
        return (self.along * x**2 + self.across * y**2) / 2, np.stack([self.along * x, self.across * y])

    def hessian(self, point: Any) -> Array:
        """Return the matrix of second derivatives, the same everywhere.

        Parameters
        ----------
        point : array_like
            Not used: a parabola curves alike everywhere.

        Returns
        -------
        numpy.ndarray
            Of shape ``(2, 2)``.
        """
        return np.diag([self.along, self.across])
