"""What surrounds a step: the batches it is computed on."""

from lossref.training.batches import batches

__all__ = ["batches"]
