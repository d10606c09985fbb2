"""Gradient descent, block by block. ``d`` is the gradient with that of the L2 penalty, ``v`` the velocity."""

from lossref._kernels.entry cimport real
from lossref._kernels.entry_steps cimport step


cdef void sgd(real* theta, const real* g, real** state, const double* p, Py_ssize_t n) noexcept nogil:
    cdef real lr = <real>p[0], decay = <real>p[3]
    cdef Py_ssize_t i
    for i in range(n):
        theta[i] -= lr * (g[i] + decay * theta[i])


cdef void outside(real* theta, const real* g, real** state, const double* p, Py_ssize_t n) noexcept nogil:
    cdef real lr = <real>p[0], beta = <real>p[1], kept = <real>p[2], decay = <real>p[3]
    cdef real* v = state[0]
    cdef Py_ssize_t i
    for i in range(n):
        v[i] = beta * v[i] + kept * (g[i] + decay * theta[i])
        theta[i] -= lr * v[i]


cdef void outside_nesterov(real* theta, const real* g, real** state, const double* p, Py_ssize_t n) noexcept nogil:
    cdef real lr = <real>p[0], beta = <real>p[1], kept = <real>p[2], decay = <real>p[3], d
    cdef real* v = state[0]
    cdef Py_ssize_t i
    for i in range(n):
        d = g[i] + decay * theta[i]
        v[i] = beta * v[i] + kept * d
        theta[i] -= lr * (d + beta * v[i])


cdef void inside(real* theta, const real* g, real** state, const double* p, Py_ssize_t n) noexcept nogil:
    cdef real taken = <real>(p[0] * p[2]), beta = <real>p[1], decay = <real>p[3]
    cdef real* v = state[0]
    cdef Py_ssize_t i
    for i in range(n):
        v[i] = beta * v[i] - taken * (g[i] + decay * theta[i])
        theta[i] += v[i]


cdef void inside_nesterov(real* theta, const real* g, real** state, const double* p, Py_ssize_t n) noexcept nogil:
    cdef real lr = <real>p[0], taken = <real>(p[0] * p[2]), beta = <real>p[1], decay = <real>p[3], d
    cdef real* v = state[0]
    cdef Py_ssize_t i
    for i in range(n):
        d = g[i] + decay * theta[i]
        v[i] = beta * v[i] - taken * d
        theta[i] += beta * v[i] - lr * d


kernels = {
    "sgd": step(sgd[float], sgd[double], 0),
    "sgd_outside": step(outside[float], outside[double], 1),
    "sgd_outside_nesterov": step(outside_nesterov[float], outside_nesterov[double], 1),
    "sgd_inside": step(inside[float], inside[double], 1),
    "sgd_inside_nesterov": step(inside_nesterov[float], inside_nesterov[double], 1),
}
