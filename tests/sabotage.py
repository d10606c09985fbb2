"""Kernels that lie, to see which tests notice (``pytest --sabotage=zeros``)."""

import itertools

import numpy as np

from lossref import _backend

#: What becomes of the n-th result.
WAYS = {
    "zeros": lambda number, n: number * 0,
    "scale": lambda number, n: number * (1 + 1e-6),
    "drift": lambda number, n: number * (1 + 1e-6 * (1 + n % 1000)),  # no two calls agree
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
        if name == "step":  # it returns nothing, and writes to the parameters
            return lambda formula, params, grads, state: (method(formula, params, grads, state), self.spoil(params))[0]
        return (lambda *args, **more: self.spoil(method(*args, **more))) if callable(method) else method

    def spoil(self, result):
        """The same result with other numbers in it; an array is spoilt in place, for it may be the caller's ``out``."""
        if isinstance(result, dict):
            result = list(result.values())
        if isinstance(result, list | tuple):
            return tuple(self.spoil(part) for part in result)
        if isinstance(result, np.ndarray) and result.dtype.kind == "f":
            with np.errstate(all="ignore"):
                result[...] = WAYS[self.way](result, next(self.calls))
        elif isinstance(result, float | np.floating):
            result = type(result)(WAYS[self.way](result, next(self.calls)))
        return result


def commit(way):
    """From now on, every backend that is loaded lies."""
    honest = _backend.load
    _backend.load = lambda name: {key: Liar(kernel, way) for key, kernel in honest(name).items()}
    _backend.choose(_backend.active)
