"""Warm-up: a rate that rises before it falls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lossref import symbolic as sp
from lossref._arrays import Array
from lossref._parameters import count, nonnegative, schedule
from lossref.schedules.base import Schedule
from lossref.schedules.decay import Cosine, Exponential

MOST_RAMPS = 8  # one before the other; as many as drivers_schedules.pxd has room for


@dataclass(frozen=True, kw_only=True)
class Warmup(Schedule):
    r"""Linear warm-up: a straight rise to the first rate of another schedule, which then begins.

    .. math::

       \eta(t) = \begin{cases}
           a + (f(0) - a) \, t / w & t < w \\
           f(t - w) & t \ge w
       \end{cases}

    Every schedule makes one of itself: ``Cosine(peak=0.1, steps=900).with_warmup(100)``.

    Parameters
    ----------
    schedule : Schedule
        What follows, :math:`f`.
    steps : int >= 1
        The length :math:`w` of the rise. The peak is reached at ``t = steps``.
    start : float >= 0, default 0.0
        The rate :math:`a` at step 0.

    Notes
    -----
    From ``start = 0`` the very first step moves nothing, as in Keras, optax and Hugging Face. PyTorch's ``LinearLR``
    refuses to start at 0.

    References
    ----------
    P. Goyal et al., "Accurate, large minibatch SGD: training ImageNet in 1 hour", 2017.

    Examples
    --------
    >>> import lossref
    >>> rate = lossref.Warmup(schedule=lossref.Cosine(peak=1.0, steps=4), steps=2, start=0.5)
    >>> rate([0, 1, 2, 4, 6]).round(3)
    array([0.5 , 0.75, 1.  , 0.5 , 0.  ])
    """

    schedule: Schedule = schedule()
    steps: int = count(slider=(1, 50))
    start: float = nonnegative(0.0, slider=(0.0, 1.0))

    samples = (
        {"schedule": Cosine(peak=1.0, steps=100), "steps": 10},
        {"schedule": Exponential(initial=0.1, rate=0.9), "steps": 3, "start": 0.5},
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "_ramps", self.schedule._ramps + 1)
        if self._ramps > MOST_RAMPS:
            raise ValueError(f"Warmup: there may be {MOST_RAMPS} warm-ups one before the other, got {self._ramps}")

    @property
    def letters(self) -> dict[str, str]:
        return {"schedule": "f", "steps": "w"}

    def _choose_kernel(self) -> str:
        return self.schedule._kernel

    def _kernel_parameters(self) -> tuple[float, ...]:
        return (self.steps, self.start, self.schedule(0), *self.schedule._parameters)

    @staticmethod
    def formula(t: Any, schedule: Any, steps: Any, start: Any) -> Any:
        rise = start + (schedule.expression_at(0) - start) * t / steps
        return sp.Piecewise((rise, t < steps), (schedule.expression_at(t - steps), True))

    def reference(self, t: Array) -> Array:
        # Two shares of positive terms, for a difference of start and peak might cancel.
        rise = self.start * ((self.steps - t) / self.steps) + self.schedule(0) * (t / self.steps)
        return np.where(t < self.steps, rise, self.schedule.reference(np.maximum(t - self.steps, 0.0)))
