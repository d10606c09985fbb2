"""What the steps of optimizers share beside + − × ÷."""

from libc.math cimport sqrt, sqrtf

from lossref._kernels.entry cimport real


cdef inline real root(real x) noexcept nogil:
    return sqrtf(x) if real is float else sqrt(x)


cdef inline real larger(real a, real b) noexcept nogil:
    """The larger of two numbers; NaN if one of them is."""
    b = a if a > b else b
    return b if a == a else a


cdef inline real sign(real x) noexcept nogil:
    """-1, 0 or 1; NaN of NaN."""
    cdef real one = 1, zero = 0
    return one if x > zero else (-one if x < zero else (zero if x == zero else x))


cdef inline void multiply(real* out, const real* g, double scale, Py_ssize_t n) noexcept nogil:
    """Each element times the scale, which is rounded to the precision of the element."""
    cdef real factor = <real>scale
    cdef Py_ssize_t i
    for i in range(n):
        out[i] = g[i] * factor
