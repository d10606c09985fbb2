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


cdef inline void average(
    real* theta, const real* g, real** state, const double* p, Py_ssize_t n, bint centered, bint momentum, bint inside
) noexcept nogil:
    """All of RMSprop in one loop; the three choices are known where it is compiled into the kernels below."""
    cdef real lr = <real>p[0], rho = <real>p[1], rest = <real>p[2], beta = <real>p[3]
    cdef real eps = <real>p[4], decay = <real>p[5], d, u
    cdef real* v = state[0]
    cdef real* m = state[1]
    cdef real* velocity = state[2] if centered else state[1]
    cdef Py_ssize_t i
    for i in range(n):
        d = g[i] + decay * theta[i]
        if centered:
            u = d - m[i]
            m[i] = rho * m[i] + rest * d
            v[i] = rho * (v[i] + rest * (u * u))
        else:
            v[i] = rho * v[i] + rest * (d * d)
        u = d / divisor(v[i], eps, inside)
        if momentum:
            u = beta * velocity[i] + u
            velocity[i] = u
        theta[i] -= lr * u


cdef void rmsprop(real* theta, const real* g, real** state, const double* p, Py_ssize_t n) noexcept nogil:
    average(theta, g, state, p, n, False, False, False)


cdef void rmsprop_momentum(real* theta, const real* g, real** state, const double* p, Py_ssize_t n) noexcept nogil:
    average(theta, g, state, p, n, False, True, False)


cdef void rmsprop_centered(real* theta, const real* g, real** state, const double* p, Py_ssize_t n) noexcept nogil:
    average(theta, g, state, p, n, True, False, False)


cdef void rmsprop_centered_momentum(
    real* theta, const real* g, real** state, const double* p, Py_ssize_t n
) noexcept nogil:
    average(theta, g, state, p, n, True, True, False)


cdef void rmsprop_inside(real* theta, const real* g, real** state, const double* p, Py_ssize_t n) noexcept nogil:
    average(theta, g, state, p, n, False, False, True)


cdef void rmsprop_momentum_inside(
    real* theta, const real* g, real** state, const double* p, Py_ssize_t n
) noexcept nogil:
    average(theta, g, state, p, n, False, True, True)


cdef void rmsprop_centered_inside(
    real* theta, const real* g, real** state, const double* p, Py_ssize_t n
) noexcept nogil:
    average(theta, g, state, p, n, True, False, True)


cdef void rmsprop_centered_momentum_inside(
    real* theta, const real* g, real** state, const double* p, Py_ssize_t n
) noexcept nogil:
    average(theta, g, state, p, n, True, True, True)


kernels = {
    "ada_grad": step(ada_grad[float], ada_grad[double], 1),
    "ada_grad_inside": step(ada_grad_inside[float], ada_grad_inside[double], 1),
    "rmsprop": step(rmsprop[float], rmsprop[double], 1),
    "rmsprop_momentum": step(rmsprop_momentum[float], rmsprop_momentum[double], 2),
    "rmsprop_centered": step(rmsprop_centered[float], rmsprop_centered[double], 2),
    "rmsprop_centered_momentum": step(rmsprop_centered_momentum[float], rmsprop_centered_momentum[double], 3),
    "rmsprop_inside": step(rmsprop_inside[float], rmsprop_inside[double], 1),
    "rmsprop_momentum_inside": step(rmsprop_momentum_inside[float], rmsprop_momentum_inside[double], 2),
    "rmsprop_centered_inside": step(rmsprop_centered_inside[float], rmsprop_centered_inside[double], 2),
    "rmsprop_centered_momentum_inside": step(
        rmsprop_centered_momentum_inside[float], rmsprop_centered_momentum_inside[double], 3
    ),
}
