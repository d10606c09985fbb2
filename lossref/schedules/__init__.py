"""Schedules: the learning rate as a function of the step."""

from lossref.schedules.decay import Cosine, Exponential, StepDecay
from lossref.schedules.warmup import Warmup

__all__ = ["StepDecay", "Exponential", "Cosine", "Warmup"]  # noqa: RUF022  # the order of teaching
