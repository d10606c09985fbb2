"""Relatives of Adam that divide by something else, block by block.

``d`` is the gradient with that of an L2 penalty, ``kept`` the share of a parameter that decoupled decay leaves: one of
the two decays is always idle.
"""

from lossref._kernels.algebra cimport larger, root
from lossref._kernels.entry cimport real
from lossref._kernels.entry_steps cimport step
from lossref._kernels.vecmath cimport absolute


cdef void adamax(real* theta, const real* g, real** state, const double* p, Py_ssize_t n) noexcept nogil:
    cdef real decay = <real>p[0], kept = <real>p[1], lr = <real>p[2], d
    cdef real beta1 = <real>p[3], rest1 = <real>p[4], beta2 = <real>p[5], eps = <real>p[6]
    cdef real* m = state[0]
    cdef real* u = state[1]
    cdef Py_ssize_t i
    for i in range(n):
        d = g[i] + decay * theta[i]
        m[i] = beta1 * m[i] + rest1 * d
        u[i] = larger(beta2 * u[i], absolute(d) + eps)
        theta[i] = kept * theta[i] - lr * m[i] / u[i]


cdef void ada_delta(real* theta, const real* g, real** state, const double* p, Py_ssize_t n) noexcept nogil:
    cdef real decay = <real>p[0], kept = <real>p[1], lr = <real>p[2], d, ratio
    cdef real rho = <real>p[3], rest = <real>p[4], eps = <real>p[5]
    cdef real* v = state[0]
    cdef real* x = state[1]
    cdef Py_ssize_t i
    for i in range(n):
        d = g[i] + decay * theta[i]
        v[i] = rho * v[i] + rest * (d * d)
        ratio = (x[i] + eps) / (v[i] + eps)
        x[i] = rho * x[i] + rest * (ratio * (d * d))      # the square of the step, without its root
        theta[i] = kept * theta[i] - lr * (root(ratio) * d)


cdef void ada_belief(real* theta, const real* g, real** state, const double* p, Py_ssize_t n) noexcept nogil:
    cdef real decay = <real>p[0], kept = <real>p[1], lr = <real>p[2], correction = <real>p[3], d, error
    cdef real beta1 = <real>p[4], rest1 = <real>p[5], beta2 = <real>p[6], spread = <real>p[7]
    cdef real eps = <real>p[8], eps_root = <real>p[9]
    cdef real* m = state[0]
    cdef real* s = state[1]
    cdef Py_ssize_t i
    for i in range(n):
        d = g[i] + decay * theta[i]
        error = d - m[i]          # from the new mean it would be beta1 times that: a factor of spread
        m[i] = beta1 * m[i] + rest1 * d
        s[i] = beta2 * s[i] + spread * (error * error) + eps_root
        theta[i] = kept * theta[i] - lr * m[i] / (root(s[i]) * correction + eps)


kernels = {
    "adamax": step(adamax[float], adamax[double], 2),
    "ada_delta": step(ada_delta[float], ada_delta[double], 2),
    "ada_belief": step(ada_belief[float], ada_belief[double], 2),
}
