"""AdaGrad and RMSprop, block by block. ``G`` is the sum of squared gradients, ``v`` their running mean."""

from lossref._kernels.algebra cimport root
from lossref._kernels.entry cimport real
from lossref._kernels.entry_steps cimport step


cdef inline real divisor(real s, real eps, bint inside) noexcept nogil:
    return root(s + eps) if inside else root(s) + eps


cdef inline void sum_up(
    real* theta, const real* g, real** state, const double* p, Py_ssize_t n, bint inside
) noexcept nogil:
    cdef real lr = <real>p[0], eps = <real>p[1], decay = <real>p[2], d
    cdef real* G = state[0]
    cdef Py_ssize_t i
    for i in range(n):
        d = g[i] + decay * theta[i]
        G[i] += d * d
        theta[i] -= lr * d / divisor(G[i], eps, inside)


cdef void ada_grad(real* theta, const real* g, real** state, const double* p, Py_ssize_t n) noexcept nogil:
    sum_up(theta, g, state, p, n, False)


cdef void ada_grad_inside(real* theta, const real* g, real** state, const double* p, Py_ssize_t n) noexcept nogil:
    sum_up(theta, g, state, p, n, True)


kernels = {
    "ada_grad": step(ada_grad[float], ada_grad[double], 1),
    "ada_grad_inside": step(ada_grad_inside[float], ada_grad_inside[double], 1),
}
