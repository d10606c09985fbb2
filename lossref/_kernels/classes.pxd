"""What the chapters of losses of classes share: rows that are none, the softmax of a row, and its cross-entropy."""

from libc.math cimport NAN

from lossref._kernels.drivers cimport LANES, ordered_sum, tree_sum
from lossref._kernels.entry cimport real
from lossref._kernels.vecmath cimport difference_lost, exp_of_sum, log, log1p, mul_add


cdef inline real probability(real x) noexcept nogil:
    """x itself where it is a probability, NaN where it is none."""
    cdef real zero = 0, one = 1, nan = <real>NAN
    x = x if x >= zero else nan
    return x if x <= one else nan


cdef inline real present(real share, real mass) noexcept nogil:
    """A mass times its weight; the least mass stays one, for an infinite surprise tells it from none."""
    cdef real zero = 0
    return mass if share == zero else share


cdef inline real nan_unless_probabilities(const real* q, Py_ssize_t n) noexcept nogil:
    """0 for a row of probabilities, NaN for a row with something else in it."""
    cdef real zero = 0, bad = 0
    cdef Py_ssize_t j
    for j in range(n):
        bad += zero * probability(q[j])
    return bad


cdef inline real nan_of(const real* x, Py_ssize_t n) noexcept nogil:
    """0, or NaN if there is one in the row."""
    cdef real zero = 0
    cdef int bad = 0
    cdef Py_ssize_t j
    for j in range(n):
        bad |= x[j] != x[j]
    return <real>NAN if bad else zero


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


cdef inline bint is_among(real top, const real* x) noexcept nogil:
    """Is the number one of LANES?"""
    cdef int found = 0
    cdef Py_ssize_t j
    for j in range(LANES):
        found |= x[j] == top
    return found


cdef inline Py_ssize_t place_of(real top, const real* x, Py_ssize_t n) noexcept nogil:
    """Where the largest of a row stands first; anywhere, if the row holds NaN alone."""
    cdef Py_ssize_t at = 0, j
    while at + LANES < n and not is_among(top, x + at):
        at += LANES
    for j in range(at, n - 1):
        if x[j] == top:
            return j
    return n - 1


cdef inline double distance(const real* x, real top, const real* a, Py_ssize_t n) noexcept nogil:
    """How far the mass lies below the largest logit, on average: Σ a (top - z); where there is no mass, none."""
    cdef double lane[LANES]
    cdef Py_ssize_t rows = n // LANES, i, j
    for j in range(LANES):
        lane[j] = 0
    for i in range(rows):
        for j in range(LANES):
            lane[j] += a[i * LANES + j] * (<double>top - x[i * LANES + j]) if a[i * LANES + j] != 0 else 0
    for j in range(n - rows * LANES):
        i = rows * LANES + j
        lane[j] += a[i] * (<double>top - x[i]) if a[i] != 0 else 0
    return tree_sum(&lane[0], LANES)


cdef inline double even_distance(const real* x, double top, double each, Py_ssize_t n) noexcept nogil:
    """The same for a mass that is on each class."""
    cdef double lane[LANES]
    cdef const real* row
    cdef Py_ssize_t rows = n // LANES, i, j
    for j in range(LANES):
        lane[j] = 0
    for i in range(rows):
        row = x + i * LANES
        for j in range(LANES):
            lane[j] = mul_add(each, top - row[j], lane[j])
    for j in range(n - rows * LANES):
        lane[j] = mul_add(each, top - x[rows * LANES + j], lane[j])
    return tree_sum(&lane[0], LANES)


cdef inline double sum_of_others(real* e, Py_ssize_t k, Py_ssize_t n) noexcept nogil:
    """The sum of all but the largest, which is 1: beside it they would lose their digits."""
    cdef real own = e[k]
    cdef double others
    e[k] = 0
    others = ordered_sum(e, n)
    e[k] = own
    return others


cdef inline double softmax_slopes(
    real* slope, const real* a, Py_ssize_t k, double others, double scale, Py_ssize_t n
) noexcept nogil:
    """The softmax times the whole mass, less the mass, made of exponentials of which the k-th is the largest. Returns
    the whole mass."""
    cdef double total = others + slope[k], mass = a[k], own = slope[k] / total
    cdef double elsewhere = ordered_sum(a, k) + ordered_sum(a + k + 1, n - k - 1), whole = elsewhere + mass
    cdef real share = <real>(whole / total), factor = <real>scale
    cdef Py_ssize_t j
    for j in range(n):
        slope[j] = factor * (slope[j] * share - a[j])
    slope[k] = <real>(scale * (elsewhere * own - mass * (others / total)))
    return whole


cdef inline double cross_entropy_of_mass(
    const real* x, const real* a, double scale, real* slope, Py_ssize_t n
) noexcept nogil:
    """log Σ exp(z) - z, on average over the mass."""
    cdef real top = largest(x, n), own
    cdef double others, whole
    cdef Py_ssize_t k = place_of(top, x, n)
    exponentials(x, top, slope, n)
    own = slope[k]
    others = sum_of_others(slope, k, n)
    whole = softmax_slopes(slope, a, k, others, scale, n)
    return whole * (log1p(others) if own == 1 else log(others + own)) + distance(x, top, a, n)


cdef inline double softmax_curvature(const real* x, double scale, real* out, Py_ssize_t n) noexcept nogil:
    """p (1 - p), times a scale. For the largest p, 1 - p is the sum of the others."""
    cdef real one = 1, top = largest(x, n), share, own, e
    cdef real mass = <real>scale
    cdef double others
    cdef Py_ssize_t j, k = place_of(top, x, n)
    exponentials(x, top, out, n)
    own = out[k]
    others = sum_of_others(out, k, n)
    share = <real>(1 / (others + own))
    for j in range(n):
        e = out[j] * share
        out[j] = mass * (e * (one - e))
    out[k] = mass * <real>(own * others / ((others + own) * (others + own)))
    return 0
