"""Optimizers: how a gradient moves the parameters."""

from lossref.optimizers.adam import Adam, AdamW
from lossref.optimizers.adaptive import AdaGrad, RMSprop
from lossref.optimizers.descent import SGD
from lossref.optimizers.divisors import AdaBelief, AdaDelta, Adamax
from lossref.optimizers.groups import Grouped
from lossref.optimizers.problem import Problem
from lossref.optimizers.quasi_newton import BFGS, LBFGS, ConjugateGradient
from lossref.optimizers.schedule_free import ScheduleFreeAdamW
from lossref.optimizers.second_order import Newton
from lossref.optimizers.signs import Lion, Rprop, SignSGD
from lossref.optimizers.variants import NAdam, RAdam
from lossref.optimizers.wrappers import EMA, SAM, Lookahead

__all__ = [  # noqa: RUF022  # the order of teaching
    "SGD",
    "AdaGrad",
    "RMSprop",
    "Adam",
    "AdamW",
    "NAdam",
    "RAdam",
    "Adamax",
    "AdaDelta",
    "AdaBelief",
    "Rprop",
    "SignSGD",
    "Lion",
    "ScheduleFreeAdamW",
    "Newton",
    "BFGS",
    "LBFGS",
    "ConjugateGradient",
    "EMA",
    "Lookahead",
    "SAM",
    "Grouped",
    "Problem",
]
