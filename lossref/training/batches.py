"""Batches: which samples an update looks at."""

from __future__ import annotations

import operator
from collections.abc import Iterator

import numpy as np

from lossref._arrays import Array


def batches(samples: int, size: int, *, seed: int) -> Iterator[Array]:
    """Yield the indices of one mini-batch after the other, for ever.

    Each epoch goes once through all samples in a fresh random order; its last batch is smaller where ``size`` does not
    divide ``samples``. Batches of all samples are full-batch descent, batches of one are stochastic descent.

    Parameters
    ----------
    samples : int >= 1
        How many samples there are.
    size : int >= 1
        How many a batch has; at most ``samples``.
    seed : int
        The seed of the random order. The same seed gives the same batches.

    Yields
    ------
    numpy.ndarray
        Indices of samples.

    Raises
    ------
    ValueError
        If a number is out of range.

    Examples
    --------
    >>> from itertools import islice
    >>> from lossref.training import batches
    >>> [len(batch) for batch in islice(batches(10, 4, seed=0), 5)]
    [4, 4, 2, 4, 4]
    """
    samples, size = operator.index(samples), operator.index(size)
    if samples < 1:
        raise ValueError(f"batches: samples must be an integer >= 1, got {samples}")
    if not 1 <= size <= samples:
        raise ValueError(f"batches: size must be an integer from 1 to the {samples} samples there are, got {size}")
    return endless(samples, size, np.random.default_rng(seed))


def endless(samples: int, size: int, random: np.random.Generator) -> Iterator[Array]:
    """The generator itself, apart from its checks, which are to happen at the call."""
    while True:
        order = random.permutation(samples)
        for first in range(0, samples, size):
            yield order[first : first + size]
