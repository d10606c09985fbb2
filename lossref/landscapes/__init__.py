"""Landscapes: surfaces on which optimizers show what they do, with gradient, Hessian and known minima."""

from lossref.landscapes.base import Landscape
from lossref.landscapes.valleys import Beale, Bowl, Ravine, Rosenbrock
from lossref.landscapes.wells import Himmelblau, MonkeySaddle, Plateau, Rastrigin, Saddle

__all__ = [  # noqa: RUF022  # the order of teaching
    "Bowl",
    "Ravine",
    "Rosenbrock",
    "Beale",
    "Himmelblau",
    "Rastrigin",
    "Saddle",
    "MonkeySaddle",
    "Plateau",
    "Landscape",
]
