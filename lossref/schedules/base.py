"""What a schedule is: the learning rate as a pure function of the step. It remembers nothing."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar

from lossref import _backend, _fallback
from lossref import symbolic as sp
from lossref._arrays import Array
from lossref._formula import Formula

if TYPE_CHECKING:
    from lossref.schedules.warmup import Warmup


@dataclasses.dataclass(frozen=True, kw_only=True)
class Schedule(Formula):
    """A schedule: called with a step, it gives the learning rate.

    A subclass gives ``formula(t, ...)`` and, in NumPy, ``reference(t)``.
    """

    #: How many warm-ups stand before the kernel's own formula, at the head of its parameters.
    _ramps: ClassVar[int] = 0

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for form in cls.forms:
            _fallback.kernels[cls.name + form] = _fallback.Schedule()

    @_backend.in_c
    def __call__(self, t: Any) -> Any:
        """Return the rate at step ``t``.

        Parameters
        ----------
        t : int, float or array_like
            Steps, at or above 0; the first is 0. In any order, and fractions of a step as well.

        Returns
        -------
        float or numpy.ndarray
            A float for a number, float64 of the shape of ``t`` for an array.

        Raises
        ------
        TypeError
            If ``t`` is not made of real numbers.
        ValueError
            If a step is negative, infinite or NaN.
        """
        return _backend.kernels[self._kernel].at(self, t)

    def with_warmup(self, steps: int, start: float = 0.0) -> Warmup:
        """Return this schedule after a linear rise to its first rate.

        Parameters
        ----------
        steps : int >= 1
            The length of the rise. The schedule itself begins at step ``steps``, and ends that much later.
        start : float >= 0, default 0.0
            The rate at step 0.

        Returns
        -------
        Warmup
            A schedule.

        Examples
        --------
        >>> import lossref
        >>> rate = lossref.Cosine(peak=1.0, steps=4).with_warmup(4)
        >>> rate([0, 1, 2, 3, 4, 6, 8]).round(3)
        array([0.  , 0.25, 0.5 , 0.75, 1.  , 0.5 , 0.  ])
        """
        from lossref.schedules.warmup import Warmup

        return Warmup(schedule=self, steps=steps, start=start)

    def expression_at(self, t: Any) -> Any:
        """The formula at a step, with the numbers of this schedule in place of its symbols."""
        settings = {
            field.name: sp.Rational(value) if isinstance(value := getattr(self, field.name), float) else value
            for field in dataclasses.fields(self)
        }
        return type(self).formula(t, **settings)

    def reference(self, t: Array) -> Array:
        """The rates in NumPy, as one would write them on paper."""
        raise NotImplementedError
