"""What a landscape is: a function of a point, with its gradient, its Hessian, and the places where it is lowest."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from lossref import _backend, _fallback
from lossref import symbolic as sp
from lossref._arrays import Array
from lossref._formula import Formula

Point = tuple[float, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Landscape(Formula):
    """The base of every landscape.

    A subclass gives ``formula(x, ...)``, where ``x`` is a tuple of symbols, one for each coordinate; and in NumPy
    ``reference(x)``, heights and slopes, and ``reference_hessian(x)``, of points that stand side by side: ``x[j]`` is
    the coordinate j of all of them.
    """

    #: The part of the plane of the first two coordinates that is worth a picture.
    span: ClassVar[tuple[tuple[float, float], tuple[float, float]]] = ((-3.0, 3.0), (-2.0, 2.0))

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        _fallback.kernels[cls.name] = _fallback.Landscape()

    def arguments(self) -> dict[str, Any]:
        return super().arguments() | {"x": sp.symbols(f"x1:{self.dimensions + 1}", real=True)}

    @property
    def dimensions(self) -> int:
        """How many coordinates a point has; a field where that is for the caller to say."""
        return 2

    @property
    def start(self) -> Point:
        """A point from which an optimizer may set out."""
        raise NotImplementedError

    @property
    def minima(self) -> tuple[Point, ...]:
        """The points where it is lowest; none where it has no bottom."""
        raise NotImplementedError

    def __call__(self, x: Any) -> Any:
        """Return the height.

        Parameters
        ----------
        x : array_like
            A point, of the shape ``(dimensions,)``, or many, of the shape ``(dimensions, ...)``. All is computed in
            float64.

        Returns
        -------
        float or numpy.ndarray
            The height of each point.

        Raises
        ------
        TypeError
            If ``x`` is not made of real numbers.
        ValueError
            If its first length is not the number of coordinates.
        """
        return self.value_and_grad(x)[0]

    def grad(self, x: Any) -> Array:
        """Return the gradient, of the shape of ``x``, which is as for a call."""
        gradient: Array = self.value_and_grad(x)[1]
        return gradient

    def value_and_grad(self, x: Any) -> tuple[Any, Array]:
        """Return the height and the gradient, in one pass; ``x`` is as for a call."""
        pair: tuple[Any, Array] = _backend.kernels[self._kernel].value_and_grad(self, x)
        return pair

    def hessian(self, x: Any) -> Array:
        """Return the Hessian, of the shape ``(dimensions, dimensions, ...)``; ``x`` is as for a call."""
        bend: Array = _backend.kernels[self._kernel].hessian(self, x)
        return bend

    def reference(self, x: Array) -> tuple[Array, Array]:
        """Heights and slopes in NumPy, as one would write them on paper."""
        raise NotImplementedError

    def reference_hessian(self, x: Array) -> Array:
        """Hessians in NumPy, as one would write them on paper."""
        raise NotImplementedError
