"""Optimizers: how a gradient moves the parameters."""

from lossref.optimizers.adam import Adam, AdamW
from lossref.optimizers.adaptive import AdaGrad
from lossref.optimizers.descent import SGD
from lossref.optimizers.signs import Lion, Rprop, SignSGD

__all__ = ["SGD", "AdaGrad", "Adam", "AdamW", "Rprop", "SignSGD", "Lion"]  # noqa: RUF022  # the order of teaching
