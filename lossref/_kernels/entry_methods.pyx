"""The methods of formulas once more, without a frame of Python: of a short call that would be a quarter.

Each class here has the name of one in Python, and each method does what its namesake there says. Python's own methods
remain the documentation, and run where nothing is compiled.
"""

from lossref._kernels.entry cimport SLOPES, TOTAL, Pointwise

cdef dict kernels = {}       # those in use; set from Python


def use(dict chosen):
    """Let the methods find their kernels here from now on."""
    global kernels
    kernels = chosen


class PredictionLoss:
    def __call__(self, pred, target, *, weight=None):
        return kernels[self._kernel].value(self, pred, target, weight)

    def values(self, pred, target, *, weight=None, out=None):
        return kernels[self._kernel].values(self, pred, target, weight, out)

    def grad(self, pred, target, *, weight=None, out=None):
        return kernels[self._kernel].grad(self, pred, target, weight, out)

    def value_and_grad(self, pred, target, *, weight=None, out=None):
        kernel = kernels[self._kernel]
        if type(kernel) is Pointwise:           # the most frequent call of all: straight on, in C
            return (<Pointwise>kernel).run(self, pred, target, weight, out, None, TOTAL | SLOPES)
        return kernel.value_and_grad(self, pred, target, weight, out)

    def curvature(self, pred, target, *, weight=None, out=None):
        return kernels[self._kernel].curvature(self, pred, target, weight, out)


class Penalty:
    def __call__(self, w):
        return kernels[self._kernel].value(self, w)

    def grad(self, w, *, out=None):
        return kernels[self._kernel].grad(self, w, out)

    def value_and_grad(self, w, *, out=None):
        return kernels[self._kernel].value_and_grad(self, w, out)


class Schedule:
    def __call__(self, t):
        return kernels[self._kernel].at(self, t)
