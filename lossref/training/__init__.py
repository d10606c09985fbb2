"""What surrounds a step: its batch, what is done to its gradient, how far it goes, and the loop around it."""

from lossref.optimizers.line_search import backtracking, strong_wolfe
from lossref.training.batches import batches
from lossref.training.checkpointing import Action, ChainGradient, Plan, chain_gradient, keep_best, keep_every
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

__all__ = [
    "Accumulator",
    "Action",
    "ChainGradient",
    "LossScale",
    "LossScaler",
    "Plan",
    "Taken",
    "add_noise",
    "annealed_noise",
    "backtracking",
    "batches",
    "chain_gradient",
    "clip_adaptive",
    "clip_by_norm",
    "clip_by_value",
    "clipped_step",
    "global_norm",
    "keep_best",
    "keep_every",
    "minimize",
    "round_to",
    "strong_wolfe",
]
