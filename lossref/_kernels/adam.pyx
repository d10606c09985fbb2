"""Adam and AdamW, block by block. ``m`` and ``v`` are the running means of the gradient and of its square."""

from lossref._kernels.algebra cimport larger, root
from lossref._kernels.entry cimport real
from lossref._kernels.entry_steps cimport step


cdef inline void move(
    real* theta, const real* g, real** state, const double* p, Py_ssize_t n, bint decoupled, bint amsgrad, bint inside
) noexcept nogil:
    """All of the family in one loop; the three choices are known where it is compiled into the kernels below."""
    cdef real lr = <real>p[0], correction = <real>p[1], eps = <real>p[6], decay = <real>p[7], d, s
    cdef real beta1 = <real>p[2], rest1 = <real>p[3], beta2 = <real>p[4], rest2 = <real>p[5]
    cdef real* m = state[0]
    cdef real* v = state[1]
    cdef real* v_max = state[2]
    cdef Py_ssize_t i
    for i in range(n):
        d = g[i] if decoupled else g[i] + decay * theta[i]
        m[i] = beta1 * m[i] + rest1 * d
        v[i] = beta2 * v[i] + rest2 * (d * d)
        s = v[i]
        if amsgrad:
            s = larger(v_max[i], s)
            v_max[i] = s
        s = root(s * correction + eps) if inside else root(s) * correction + eps
        theta[i] = (decay * theta[i] if decoupled else theta[i]) - lr * m[i] / s


cdef void adam(real* theta, const real* g, real** state, const double* p, Py_ssize_t n) noexcept nogil:
    move(theta, g, state, p, n, False, False, False)


cdef void adam_amsgrad(real* theta, const real* g, real** state, const double* p, Py_ssize_t n) noexcept nogil:
    move(theta, g, state, p, n, False, True, False)


cdef void adam_inside(real* theta, const real* g, real** state, const double* p, Py_ssize_t n) noexcept nogil:
    move(theta, g, state, p, n, False, False, True)


cdef void adam_amsgrad_inside(real* theta, const real* g, real** state, const double* p, Py_ssize_t n) noexcept nogil:
    move(theta, g, state, p, n, False, True, True)


cdef void adamw(real* theta, const real* g, real** state, const double* p, Py_ssize_t n) noexcept nogil:
    move(theta, g, state, p, n, True, False, False)


cdef void adamw_amsgrad(real* theta, const real* g, real** state, const double* p, Py_ssize_t n) noexcept nogil:
    move(theta, g, state, p, n, True, True, False)


cdef void adamw_inside(real* theta, const real* g, real** state, const double* p, Py_ssize_t n) noexcept nogil:
    move(theta, g, state, p, n, True, False, True)


cdef void adamw_amsgrad_inside(real* theta, const real* g, real** state, const double* p, Py_ssize_t n) noexcept nogil:
    move(theta, g, state, p, n, True, True, True)


kernels = {
    "adam": step(adam[float], adam[double], 2),
    "adam_amsgrad": step(adam_amsgrad[float], adam_amsgrad[double], 3),
    "adam_inside": step(adam_inside[float], adam_inside[double], 2),
    "adam_amsgrad_inside": step(adam_amsgrad_inside[float], adam_amsgrad_inside[double], 3),
    "adamw": step(adamw[float], adamw[double], 2),
    "adamw_amsgrad": step(adamw_amsgrad[float], adamw_amsgrad[double], 3),
    "adamw_inside": step(adamw_inside[float], adamw_inside[double], 2),
    "adamw_amsgrad_inside": step(adamw_amsgrad_inside[float], adamw_amsgrad_inside[double], 3),
}
