"""Regularizers: penalties on the parameters themselves, with their gradients and proximal maps."""

from lossref.regularizers.separable import L1, L2, ElasticNet
from lossref.regularizers.structured import GroupLasso

# In the order of their teaching.
__all__ = ["L1", "L2", "ElasticNet", "GroupLasso"]
