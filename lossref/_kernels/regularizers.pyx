"""Penalties on parameters, block by block. The second array of each block is not read: a penalty has no target."""

from lossref._kernels.drivers cimport penalty
from lossref._kernels.entry cimport real
from lossref._kernels.vecmath cimport absolute, with_sign_of


cdef inline real sign(real x) noexcept nogil:
    """1 or -1; 0 at 0, and NaN at NaN."""
    cdef real zero = 0, one = 1
    return one if x > zero else (-one if x < zero else x + zero)


cdef inline real shrink(real x, real threshold) noexcept nogil:
    """Move x toward zero by the threshold, and stop there."""
    cdef real zero = 0, left = absolute(x) - threshold
    left = zero if left < zero else left
    return with_sign_of(x, left)


cdef void l1(const real* w, const real* _, const double* p, real* value, real* slope, Py_ssize_t n) noexcept nogil:
    cdef real lam = <real>p[0]
    cdef Py_ssize_t i
    for i in range(n):
        value[i] = lam * absolute(w[i])
        slope[i] = lam * sign(w[i])


cdef void l1_prox(const real* w, const real* _, const double* p, real* out, Py_ssize_t n) noexcept nogil:
    cdef real threshold = <real>(p[1] * p[0])       # the step, which comes last, times λ
    cdef Py_ssize_t i
    for i in range(n):
        out[i] = shrink(w[i], threshold)


cdef void l2(const real* w, const real* _, const double* p, real* value, real* slope, Py_ssize_t n) noexcept nogil:
    cdef real lam = <real>p[0], twice = <real>(2 * p[0])
    cdef Py_ssize_t i
    for i in range(n):
        value[i] = lam * (w[i] * w[i])
        slope[i] = twice * w[i]


cdef void l2_prox(const real* w, const real* _, const double* p, real* out, Py_ssize_t n) noexcept nogil:
    cdef real divisor = <real>(1 + 2 * p[1] * p[0])
    cdef Py_ssize_t i
    for i in range(n):
        out[i] = w[i] / divisor


cdef void elastic_net(
    const real* w, const real* _, const double* p, real* value, real* slope, Py_ssize_t n
) noexcept nogil:
    cdef real a = <real>p[0], b = <real>p[1], twice = <real>(2 * p[1])
    cdef Py_ssize_t i
    for i in range(n):
        value[i] = a * absolute(w[i]) + b * (w[i] * w[i])
        slope[i] = a * sign(w[i]) + twice * w[i]


cdef void elastic_net_prox(const real* w, const real* _, const double* p, real* out, Py_ssize_t n) noexcept nogil:
    cdef real threshold = <real>(p[2] * p[0]), divisor = <real>(1 + 2 * p[2] * p[1])
    cdef Py_ssize_t i
    for i in range(n):
        out[i] = shrink(w[i], threshold) / divisor


kernels = {
    "l1": penalty(l1[float], l1[double], l1_prox[float], l1_prox[double]),
    "l2": penalty(l2[float], l2[double], l2_prox[float], l2_prox[double]),
    "elastic_net": penalty(
        elastic_net[float], elastic_net[double], elastic_net_prox[float], elastic_net_prox[double]
    ),
}
