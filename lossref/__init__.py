"""lossref: the reference on loss functions, regularizers, optimizers and learning-rate schedules."""

from lossref import _backend
from lossref._backend import get_num_threads, set_num_threads, show_config, use_backend
from lossref.losses import MAE, MSE, BinaryCrossEntropy, CategoricalCrossEntropy, Huber
from lossref.regularizers import L1, L2, ElasticNet

__version__ = "0.1.0"

__all__ = [
    "L1",
    "L2",
    "MAE",
    "MSE",
    "BinaryCrossEntropy",
    "CategoricalCrossEntropy",
    "ElasticNet",
    "Huber",
    "get_num_threads",
    "set_num_threads",
    "show_config",
    "use_backend",
]

_backend.start()
