"""Loss functions: how wrong a prediction is, and in which direction to mend it."""

from lossref.losses.regression import MAE, MSE, Huber

__all__ = ["MAE", "MSE", "Huber"]
