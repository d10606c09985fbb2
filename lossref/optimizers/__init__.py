"""Optimizers: how a gradient moves the parameters."""

from lossref.optimizers.adam import Adam, AdamW
from lossref.optimizers.adaptive import AdaGrad
from lossref.optimizers.descent import SGD

__all__ = ["SGD", "AdaGrad", "Adam", "AdamW"]
