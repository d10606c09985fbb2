"""Relatives of Adam that do something else at the start, block by block.

``d`` is the gradient with that of an L2 penalty, ``kept`` the share of a parameter that decoupled decay leaves: one of
the two decays is always idle. ``m`` and ``v`` are the running means of the gradient and of its square.
"""

from lossref._kernels.algebra cimport root
from lossref._kernels.entry cimport real
from lossref._kernels.entry_steps cimport step


cdef void nadam(real* theta, const real* g, real** state, const double* p, Py_ssize_t n) noexcept nogil:
    cdef real decay = <real>p[0], kept = <real>p[1], now = <real>p[2], lr = <real>p[3], correction = <real>p[4], d
    cdef real beta1 = <real>p[5], rest1 = <real>p[6], beta2 = <real>p[7], rest2 = <real>p[8], eps = <real>p[9]
    cdef real* m = state[0]
    cdef real* v = state[1]
    cdef Py_ssize_t i
    for i in range(n):
        d = g[i] + decay * theta[i]
        m[i] = beta1 * m[i] + rest1 * d
        v[i] = beta2 * v[i] + rest2 * (d * d)
        theta[i] = kept * theta[i] - (now * d + lr * m[i]) / (root(v[i]) * correction + eps)


cdef void radam(real* theta, const real* g, real** state, const double* p, Py_ssize_t n) noexcept nogil:
    cdef real decay = <real>p[0], kept = <real>p[1], lr = <real>p[2], one = 1, d
    cdef real beta1 = <real>p[4], rest1 = <real>p[5], beta2 = <real>p[6], rest2 = <real>p[7], eps = <real>p[8]
    cdef bint rectified = p[3] != 0
    cdef real* m = state[0]
    cdef real* v = state[1]
    cdef Py_ssize_t i
    for i in range(n):
        d = g[i] + decay * theta[i]
        m[i] = beta1 * m[i] + rest1 * d
        v[i] = beta2 * v[i] + rest2 * (d * d)
        theta[i] = kept * theta[i] - lr * m[i] / (root(v[i]) + eps if rectified else one)


kernels = {
    "nadam": step(nadam[float], nadam[double], 2),
    "radam": step(radam[float], radam[double], 2),
}
