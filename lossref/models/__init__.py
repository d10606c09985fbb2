"""Small models in plain NumPy, forward and backward in plain sight, for the examples and exercises to train."""

from lossref.models.linear import Linear

__all__ = ["Linear"]
