"""What the comparisons with the frameworks share."""

import importlib.util

import pytest


@pytest.fixture
def _scalars_in_double():
    """PyTorch keeps the product of NAdam's momenta in its default dtype, in float32 if nobody objects."""
    if importlib.util.find_spec("torch") is None:
        yield
        return
    import torch

    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)
