"""What the chapters of losses of classes share: probabilities that are none, and the softmax of a row."""

from libc.math cimport NAN

from lossref._kernels.drivers cimport LANES
from lossref._kernels.entry cimport real
from lossref._kernels.vecmath cimport difference_lost, exp_of_sum


cdef inline real probability(real x) noexcept nogil:
    """x itself where it is a probability, NaN where it is none."""
    cdef real zero = 0, one = 1, nan = <real>NAN
    x = x if x >= zero else nan
    return x if x <= one else nan


cdef inline real larger(real a, real b) noexcept nogil:
    return a if a > b else b


cdef inline real largest(const real* x, Py_ssize_t n) noexcept nogil:
    """The largest of a row. NaN is passed over here, and makes the sum of the exponentials NaN later."""
    cdef real lane[LANES]
    cdef real top = x[0]
    cdef const real* row
    cdef Py_ssize_t rows = n // LANES, i, j, half = LANES // 2
    if rows > 0:
        for j in range(LANES):
            lane[j] = top
        for i in range(rows):
            row = x + i * LANES
            for j in range(LANES):
                lane[j] = larger(row[j], lane[j])
        while half:
            for j in range(half):
                lane[j] = larger(lane[j + half], lane[j])
            half //= 2
        top = lane[0]
    for j in range(rows * LANES, n):
        top = larger(x[j], top)
    return top


cdef inline void exponentials(const real* x, real top, real* e, Py_ssize_t n) noexcept nogil:
    """exp(z - top). What the subtraction rounds off is put back: at a gap of 40 it would cost the result 16 ulp."""
    cdef real gap
    cdef Py_ssize_t j
    for j in range(n):
        gap = x[j] - top
        e[j] = exp_of_sum(gap, difference_lost(x[j], top, gap))


cdef inline Py_ssize_t place_of(real top, const real* x, Py_ssize_t n) noexcept nogil:
    """Where the largest of a row stands first; anywhere, if the row holds NaN alone."""
    cdef Py_ssize_t j
    for j in range(n - 1):
        if x[j] == top:
            return j
    return n - 1
