"""Kernels that lie, to see which tests notice (``pytest --sabotage=zeros``)."""

import itertools

import numpy as np

from lossref import _backend

#: What becomes of the n-th result, or of the n-th call's arguments.
WAYS = {
    "zeros": lambda number, n: number * 0,
    "scale": lambda number, n: number * (1 + 1e-6),
    "drift": lambda number, n: number * (1 + 1e-6 * (1 + n % 1000)),  # no two calls agree
    "shift": lambda number, n: number + 1e-3,
    "swallow": lambda number, n: np.nan_to_num(number, posinf=1e9, neginf=-1e9),
    "widen": lambda number, n: np.float16(number) if np.ndim(number) == 0 else number.astype(np.float16),
    "scribble": lambda number, n: number,
    "miscount": lambda number, n: number + 1 + n % 2,
}


class Liar:
    """A kernel whose every result is spoilt on the way out."""

    calls = itertools.count()

    def __init__(self, kernel, way):
        self.kernel, self.way = kernel, way

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        method = getattr(self.kernel, name)
        if not callable(method):
            return method

        def lie(*args, **more):
            result = self.spoil(method(*args, **more))
            if self.way == "scribble":
                for given in args:
                    if isinstance(given, np.ndarray) and given.flags.writeable and given is not result:
                        given[...] = 0
            return result

        return lie

    def spoil(self, result):
        """The same result with other numbers in it, in the same memory: it may be the caller's ``out``."""
        if isinstance(result, tuple):
            return tuple(self.spoil(part) for part in result)
        kind = "i" if self.way == "miscount" else "f"  # counts and places are integers, and all else is not
        if isinstance(result, np.ndarray | np.floating | float | int) and np.asarray(result).dtype.kind == kind:
            with np.errstate(all="ignore"):
                spoilt = WAYS[self.way](result, next(self.calls))
            if self.way == "widen":
                return spoilt
            if isinstance(result, np.ndarray):
                result[...] = spoilt
            else:
                result = type(result)(spoilt)
        return result


def commit(way):
    """From now on, every backend that is loaded lies."""
    honest = _backend.load
    _backend.load = lambda name: {key: Liar(kernel, way) for key, kernel in honest(name).items()}
    _backend.choose(_backend.active)
