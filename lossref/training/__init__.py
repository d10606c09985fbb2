"""What surrounds a step: its batch, what is done to its gradient, how far it goes, what the surface is like, and the
loop around it."""

from lossref.optimizers.line_search import backtracking, strong_wolfe
from lossref.training.batches import batches
from lossref.training.checkpointing import Action, ChainGradient, Plan, chain_gradient, keep_best, keep_every
from lossref.training.critical import CriticalPoint, check_hessian, classify_critical_point
from lossref.training.curvature import (
    Estimate,
    Spectrum,
    hessian_vector_product,
    hutchinson_diagonal,
    hutchinson_trace,
    lanczos,
)
from lossref.training.driver import minimize
from lossref.training.fused import Taken, clipped_step
from lossref.training.gradients import (
    Accumulator,
    add_noise,
    annealed_noise,
    clip_adaptive,
    clip_by_norm,
    clip_by_value,
    global_norm,
)
from lossref.training.precision import LossScale, LossScaler, round_to
from lossref.training.stability import Tuned, largest_stable_rate, spectral_radius, step_matrix, tuned

__all__ = [
    "Accumulator",
    "Action",
    "ChainGradient",
    "CriticalPoint",
    "Estimate",
    "LossScale",
    "LossScaler",
    "Plan",
    "Spectrum",
    "Taken",
    "Tuned",
    "add_noise",
    "annealed_noise",
    "backtracking",
    "batches",
    "chain_gradient",
    "check_hessian",
    "classify_critical_point",
    "clip_adaptive",
    "clip_by_norm",
    "clip_by_value",
    "clipped_step",
    "global_norm",
    "hessian_vector_product",
    "hutchinson_diagonal",
    "hutchinson_trace",
    "keep_best",
    "keep_every",
    "lanczos",
    "largest_stable_rate",
    "minimize",
    "round_to",
    "spectral_radius",
    "step_matrix",
    "strong_wolfe",
    "tuned",
]
