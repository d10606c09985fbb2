"""lossref: the reference on loss functions, regularizers, optimizers and learning-rate schedules."""

from lossref import _backend
from lossref._backend import get_num_threads, set_num_threads, show_config, use_backend
from lossref.losses import (
    MAE,
    MSE,
    NLL,
    BinaryCrossEntropy,
    CategoricalCrossEntropy,
    Cauchy,
    EpsilonInsensitive,
    Hinge,
    Huber,
    LogCosh,
    ModifiedHuber,
    Perceptron,
    PseudoHuber,
    Quantile,
    SmoothL1,
    SquaredHinge,
)
from lossref.optimizers import SGD, Adam, AdamW
from lossref.regularizers import L1, L2, ElasticNet, GroupLasso, TotalVariation
from lossref.schedules import Cosine, Exponential, StepDecay, Warmup

__version__ = "0.1.0"

__all__ = [
    "L1",
    "L2",
    "MAE",
    "MSE",
    "NLL",
    "SGD",
    "Adam",
    "AdamW",
    "BinaryCrossEntropy",
    "CategoricalCrossEntropy",
    "Cauchy",
    "Cosine",
    "ElasticNet",
    "EpsilonInsensitive",
    "Exponential",
    "GroupLasso",
    "Hinge",
    "Huber",
    "LogCosh",
    "ModifiedHuber",
    "Perceptron",
    "PseudoHuber",
    "Quantile",
    "SmoothL1",
    "SquaredHinge",
    "StepDecay",
    "TotalVariation",
    "Warmup",
    "get_num_threads",
    "set_num_threads",
    "show_config",
    "use_backend",
]

_backend.start()
