"""Batches: which samples an update looks at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from lossref._arrays import Array
from lossref._parameters import Range, as_integer, count, flag, refuse_unless

NUMBER: Range = count().metadata["range"]
PLACE = Range("an integer >= 0", refuse_unless(lambda x: x >= 0, as_integer))
FLAG: Range = flag(False).metadata["range"]


def batches(
    samples: int | Sequence[Any], size: int, *, seed: int, drop_last: bool = False, start: int = 0
) -> Iterator[Any]:
    """Yield one mini-batch after the other, for ever.

    Each epoch goes once through all samples in a fresh random order. Batches of all samples are full-batch descent,
    batches of one are stochastic descent; what lies between pays for a gradient with the size of the batch, and gets
    one whose variance falls with it.

    Parameters
    ----------
    samples : int >= 1, or a list or tuple of arrays
        How many samples there are; or the arrays themselves, of one length, which are then cut together.
    size : int >= 1
        How many a batch has; at most as many as there are.
    seed : int
        The seed of the random order. The same seed gives the same batches.
    drop_last : bool, default False
        Where ``size`` does not divide the samples, the last batch of an epoch is smaller; True leaves it out. Its
        samples miss this epoch only, for the next one has another order. Kept, it must be weighed by its length
        wherever means of batches are averaged (:class:`lossref.training.Accumulator`).
    start : int >= 0, default 0
        How many batches to pass over: to go on where a run stopped, give the number of batches that it has seen.

    Yields
    ------
    numpy.ndarray or tuple
        Indices of samples, if their number was given; else a tuple with the part of each array.

    Raises
    ------
    TypeError, ValueError
        If something is of the wrong kind or out of range, or the arrays have different lengths: at the call, not at
        the first batch.

    Examples
    --------
    >>> from itertools import islice
    >>> import numpy as np
    >>> from lossref.training import batches
    >>> [len(batch) for batch in islice(batches(10, 4, seed=0), 5)]
    [4, 4, 2, 4, 4]
    >>> [len(batch) for batch in islice(batches(10, 4, seed=0, drop_last=True), 5)]
    [4, 4, 4, 4, 4]
    >>> x, y = np.arange(10.0), np.arange(10)
    >>> part, labels = next(batches((x, y), 3, seed=0))
    >>> bool((part == labels).all())
    True
    """
    arrays: tuple[Any, ...] | None = None
    if isinstance(samples, list | tuple):
        arrays = tuple(np.asarray(array) for array in samples)
        lengths = {array.shape[:1] for array in arrays}
        if len(lengths) != 1 or lengths == {()}:
            given = ", ".join(str(array.shape) for array in arrays) or "none"
            raise ValueError(f"batches: samples must be arrays of one length, got the shapes {given}")
        samples = len(arrays[0])
    there = NUMBER.check("batches", "samples", samples)
    size = NUMBER.check("batches", "size", size)
    start, drop_last = PLACE.check("batches", "start", start), FLAG.check("batches", "drop_last", drop_last)
    if size > there:
        raise ValueError(f"batches: size must be an integer from 1 to the {there} samples there are, got {size}")
    chosen = endless(there, size, np.random.default_rng(seed), drop_last, start)
    return chosen if arrays is None else (tuple(array[batch] for array in arrays) for batch in chosen)


def endless(samples: int, size: int, random: np.random.Generator, drop_last: bool, start: int) -> Iterator[Array]:
    """The generator itself, apart from its checks, which are to happen at the call."""
    firsts = range(0, samples - size + 1 if drop_last else samples, size)
    epochs, done = divmod(start, len(firsts))
    for _ in range(epochs):  # an order depends on how many were drawn before it
        random.permutation(samples)
    while True:
        order = random.permutation(samples)
        for first in firsts[done:]:
            yield order[first : first + size]
        done = 0
