"""Divergences of a row of probabilities from another. Each class's share is made positive before it is rounded."""

from lossref._kernels.classes cimport (
    exponentials, largest, nan_of, nan_unless_probabilities, place_of, softmax_curvature, softmax_slopes,
    sum_of_others,
)
from lossref._kernels.drivers cimport LANES, block_sum, ordered_sum
from lossref._kernels.drivers_rows cimport rowwise
from lossref._kernels.entry cimport BLOCK, real
from lossref._kernels.vecmath cimport absolute, difference_lost, log, log1p, log1p_square, mul_add


cdef inline double excess(const real* y, Py_ssize_t n) noexcept nogil:
    """Σ y - 1, with what each addition lost: in float64 nothing else would be left."""
    cdef double lane[LANES]
    cdef double lost[LANES]
    cdef double wide, total
    cdef Py_ssize_t rows = n // LANES, i, j, half = LANES // 2
    for j in range(LANES):
        lane[j] = y[rows * LANES + j] if j < n - rows * LANES else 0
        lost[j] = 0
    for i in range(rows):
        for j in range(LANES):
            wide = y[i * LANES + j]
            total = lane[j] + wide
            lost[j] += difference_lost(lane[j], -wide, total)
            lane[j] = total
    while half:
        for j in range(half):
            total = lane[j] + lane[j + half]
            lost[j] += lost[j + half] + difference_lost(lane[j], -lane[j + half], total)
            lane[j] = total
        half //= 2
    return (lane[0] - 1) + lost[0]


cdef inline real least_with_all_digits(real x) noexcept nogil:
    """From here on the quotient of a probability and an exponential neither overflows nor has lost digits."""
    if real is float:
        return 1e-30
    else:
        return 1e-290


cdef double kl(
    const real* x, const real* a, Py_ssize_t label, double whole, const double* p, double scale,
    real* slope, Py_ssize_t n
) noexcept nogil:
    """Σ (y log(y / p) + p - y) + (Σ y - 1): shares of second order, and an excess that has all its digits."""
    cdef real term[BLOCK]
    cdef real top = largest(x, n), zero = 0, least = least_with_all_digits(top), share, total, e, y, q, d, near, far
    cdef double others, value = excess(a, n)
    cdef Py_ssize_t k = place_of(top, x, n), at = 0, j, m
    exponentials(x, top, slope, n)
    others = sum_of_others(slope, k, n)
    total = <real>(others + slope[k])
    share = <real>(1 / (others + slope[k]))
    while at < n:
        m = min(<Py_ssize_t>BLOCK, n - at)
        for j in range(m):
            e = slope[at + j]
            y = a[at + j]
            q = e * share
            d = q - y
            near = -log1p(d / y)
            far = log(y * total / e if e > least else y * total) + (zero if e > least else top - x[at + j])
            far = near if absolute(d) <= (q if q < y else y) else far
            term[j] = d + (y * far if y > zero else zero)
        value += block_sum(term, m)
        at += BLOCK
    softmax_slopes(slope, a, k, others, scale, n)
    return value


cdef double kl_curvature(
    const real* x, const real* a, Py_ssize_t label, double whole, const double* p, double scale,
    real* out, Py_ssize_t n
) noexcept nogil:
    return softmax_curvature(x, scale * ordered_sum(a, n), out, n)


cdef double kl_log_probabilities(
    const real* x, const real* a, Py_ssize_t label, double whole, const double* p, double scale,
    real* slope, Py_ssize_t n
) noexcept nogil:
    """Σ y (log y - log p): what has no mass counts nothing, even -inf."""
    cdef real zero = 0, factor = <real>-scale, bad = nan_of(x, n)
    cdef double value
    cdef Py_ssize_t j
    for j in range(n):
        slope[j] = a[j] * (log(a[j]) - x[j]) if a[j] != zero else zero
    value = bad + ordered_sum(slope, n)
    for j in range(n):
        slope[j] = factor * a[j] + bad
    return value


cdef double kl_log_probabilities_curvature(
    const real* x, const real* a, Py_ssize_t label, double whole, const double* p, double scale,
    real* out, Py_ssize_t n
) noexcept nogil:
    cdef real zero = 0, bad = nan_of(x, n)
    cdef Py_ssize_t j
    for j in range(n):
        out[j] = zero * a[j] + bad
    return 0


cdef double jensen_shannon(
    const real* x, const real* a, Py_ssize_t label, double whole, const double* p, double scale,
    real* slope, Py_ssize_t n
) noexcept nogil:
    """Σ m/2 ((1 + v) log(1 + v) + (1 - v) log(1 - v)), where v = |p - y| / (p + y) and m = (p + y) / 2.

    Up to v = 1/2 with log(1 + v) = v + v² P(v) and -log(1 - v) = log(1 + w) = w + w² P(w), where w = v / (1 - v): what
    is of first order is taken out on paper.
    """
    cdef real term[BLOCK]
    cdef real zero = 0, one = 1, two = 2, half = 0.5, quarter = 0.25, factor = <real>(0.5 * scale)
    cdef real power = 18446744073709551616.0, powers = 44.3614195558365         # 2**64, and its logarithm
    cdef real least = least_with_all_digits(zero), lift, drop
    cdef real both, size, large, small, v, w, bend, bend_down, up, down
    cdef real bad = nan_unless_probabilities(x, n)
    cdef double value = bad
    cdef Py_ssize_t at = 0, j, m
    while at < n:
        m = min(<Py_ssize_t>BLOCK, n - at)
        for j in range(m):
            large = x[at + j] if x[at + j] > a[at + j] else a[at + j]
            small = a[at + j] if x[at + j] > a[at + j] else x[at + j]
            both = large + small
            size = large - small
            v = one if both == zero else size / both
            w = size / (two * small)
            w = w if v <= half else one
            bend = log1p_square(v - half)
            bend_down = log1p_square(w - half)
            up = mul_add(v * v, bend, v)
            lift = power if small < least else one              # the quotient of a subnormal number is one too
            drop = powers if small < least else zero
            down = -mul_add(w * w, bend_down, w) if v <= half else log(two * (lift * small) / both) - drop
            term[j] = (
                quarter * size * (v + (v * (one + v) * bend - w * bend_down)) if v <= half
                else half * mul_add(large, up, small * down if small > zero else zero)
            )
            slope[at + j] = factor * (up if x[at + j] >= a[at + j] else down) + bad
        value += block_sum(term, m)
        at += BLOCK
    return value


cdef double jensen_shannon_curvature(
    const real* x, const real* a, Py_ssize_t label, double whole, const double* p, double scale,
    real* out, Py_ssize_t n
) noexcept nogil:
    cdef real zero = 0, factor = <real>(0.5 * scale), bad = nan_unless_probabilities(x, n)
    cdef Py_ssize_t j
    for j in range(n):
        out[j] = (factor * (a[j] / (x[j] + a[j])) / x[j] if a[j] != zero else zero) + bad
    return 0


kernels = {
    "kl": rowwise(kl[float], kl[double], kl_curvature[float], kl_curvature[double]),
    "kl_log_probabilities": rowwise(
        kl_log_probabilities[float], kl_log_probabilities[double],
        kl_log_probabilities_curvature[float], kl_log_probabilities_curvature[double],
    ),
    "jensen_shannon": rowwise(
        jensen_shannon[float], jensen_shannon[double], jensen_shannon_curvature[float], jensen_shannon_curvature[double]
    ),
}
