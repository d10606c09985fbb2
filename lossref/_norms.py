"""The norm of all gradients together, for whoever measures them and for the steps that need it."""

from __future__ import annotations

from math import frexp, inf, isnan, ldexp, sqrt
from typing import Any

import numpy as np

from lossref import _backend
from lossref._tensors import into_floats

#: A sum of squares below this may have lost some of them to underflow: 2**-960 is far above the least float64.
LEAST = 2.0**-960


def norm_for(owner: str, grads: Any) -> float:
    """The global norm, in the name of whoever needs it."""
    kernel = _backend.kernels["gradient_squares"]
    total = kernel.sum(owner, grads, 1.0)
    if isnan(total) or LEAST < total < inf:
        return sqrt(total)
    largest = max((float(np.abs(g).max(initial=0)) for g in into_floats(owner, grads)), default=0.0)
    if largest in (0, inf):
        return largest
    exponent = max(frexp(largest)[1], -1000)
    with np.errstate(over="ignore"):
        return float(np.ldexp(sqrt(kernel.sum(owner, grads, ldexp(1.0, -exponent))), exponent))
