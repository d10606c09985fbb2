"""Regularizers: penalties on the parameters themselves, with their gradients and proximal maps; and projections."""

from lossref.regularizers.compose import CombinedPenalty
from lossref.regularizers.projections import project_ball, project_box, project_simplex
from lossref.regularizers.separable import L1, L2, ElasticNet
from lossref.regularizers.structured import GroupLasso, Nuclear, TotalVariation

# In the order of their teaching.
__all__ = [  # noqa: RUF022
    "L1",
    "L2",
    "ElasticNet",
    "GroupLasso",
    "TotalVariation",
    "Nuclear",
    "CombinedPenalty",
    "project_box",
    "project_simplex",
    "project_ball",
]
