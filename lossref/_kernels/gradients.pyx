"""The tools around a step, block by block: what is done to gradients before an optimizer sees them."""

from lossref._kernels.algebra cimport multiply
from lossref._kernels.drivers cimport block_sum
from lossref._kernels.entry cimport BLOCK, real
from lossref._kernels.entry_steps cimport squares, tool


cdef double square(const real* g, double scale, Py_ssize_t n) noexcept nogil:
    """In float64, where no square of a float32 is too large or too small."""
    cdef double term[BLOCK]
    cdef double d
    cdef Py_ssize_t i
    for i in range(n):
        d = <double>g[i] * scale
        term[i] = d * d
    return block_sum(&term[0], n)


cdef void rescale(real* out, const real* g, real** state, const double* p, Py_ssize_t n) noexcept nogil:
    if p[0] != 1 or <const real*>out != g:  # else nothing is to be done
        multiply(out, g, p[0], n)


cdef void limit(real* out, const real* g, real** state, const double* p, Py_ssize_t n) noexcept nogil:
    """To [-c, c]. Every comparison with NaN is false, and leaves it."""
    cdef real high = <real>p[0], low = -high, x
    cdef Py_ssize_t i
    for i in range(n):
        x = high if g[i] > high else g[i]
        out[i] = low if x < low else x


cdef void accumulate(real* out, const real* g, real** state, const double* p, Py_ssize_t n) noexcept nogil:
    cdef real weight = <real>p[0]
    cdef Py_ssize_t i
    for i in range(n):
        out[i] += weight * g[i]


kernels = {
    "gradient_squares": squares(square[float], square[double]),
    "gradient_rescale": tool(rescale[float], rescale[double]),
    "gradient_limit": tool(limit[float], limit[double]),
    "gradient_accumulate": tool(accumulate[float], accumulate[double]),
}
