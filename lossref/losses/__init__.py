"""Loss functions: how wrong a prediction is, and in which direction to mend it."""

from lossref.losses.classification import NLL, BinaryCrossEntropy, CategoricalCrossEntropy
from lossref.losses.regression import MAE, MSE, Huber

# In the order of their teaching.
__all__ = ["MSE", "MAE", "Huber", "BinaryCrossEntropy", "CategoricalCrossEntropy", "NLL"]  # noqa: RUF022
