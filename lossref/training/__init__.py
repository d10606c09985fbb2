"""What surrounds a step: the batches it is computed on, how far it goes, and the loop around it."""

from lossref.optimizers.line_search import backtracking, strong_wolfe
from lossref.training.batches import batches
from lossref.training.driver import minimize

__all__ = ["backtracking", "batches", "minimize", "strong_wolfe"]
