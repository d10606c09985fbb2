"""Losses of two learned arrays, block by block.

The slopes in the second array follow those in the first, BLOCK places on: with a pointer of their own there would be
more pairs of arrays that may overlap than gcc is willing to look at, and it would not vectorize.
"""

from libc.math cimport INFINITY

from lossref._kernels.drivers_paired cimport paired
from lossref._kernels.entry cimport BLOCK, real
from lossref._kernels.vecmath cimport (
    absolute, difference_lost, exp_rest, expm1_parts, mul_add, power_of_two, rounding_shift, shifted_power, square_lost,
    without_powers,
)


cdef inline real unless_nan(real x, real other) noexcept nogil:
    """x, but NaN where ``other`` is."""
    return x if other == other else other


# --- The likelihood of a normal distribution -------------------------------------------------------------------------

cdef inline real farthest(real x) noexcept nogil:
    """Half a log variance at which every square has become 0, or infinite: beyond, nothing changes any more."""
    if real is float:
        return 170
    else:
        return 1140


cdef inline real precision(real log_variance, real* factor, real* other) noexcept nogil:
    """exp(-log_variance) = m (factor other)² with m from 1/2 to 2; returns m. The factors are powers of two.

    So r² exp(-s) is computed as (r factor other)² m, which is right wherever it is a float itself, be r² and exp(-s)
    ever so far from being floats."""
    cdef real half = 0.5, one = 1, x = -half * log_variance, shifted, k, k_half, r, tail, y, high, low
    x = farthest(x) if x > farthest(x) else x
    x = -farthest(x) if x < -farthest(x) else x
    shifted = shifted_power(x)
    k = shifted - rounding_shift(x)
    r = without_powers(x, k, &tail)
    y = one + r
    low = ((one - y) + r) + exp_rest(r, tail)
    high = y + low
    low = (y - high) + low
    shifted = mul_add(half, k, rounding_shift(x))
    k_half = shifted - rounding_shift(x)
    factor[0] = power_of_two(shifted)
    other[0] = power_of_two(rounding_shift(x) + (k - k_half))
    y = high * high
    return y + (square_lost(high, y) + (high + high) * low)


cdef inline real standardised(
    real mean, real target, real factor, real other, real m, real* half_square
) noexcept nogil:
    """(mean - target) factor other; and half its square, times m."""
    cdef real half = 0.5, zero = 0, two = 2, r = mean - target, z = r * factor * other
    cdef real gone = two * (difference_lost(mean, target, r) * factor * other)     # squared too: it counts twice
    half_square[0] = (half * z * m) * (z + (gone if absolute(z) < <real>INFINITY else zero))
    return z


cdef void gaussian_nll(
    const real* mean, const real* log_variance, const real* target, const double* p,
    real* value, real* slope, Py_ssize_t n
) noexcept nogil:
    """s/2 + q, r exp(-s) and 1/2 - q, where q = r² exp(-s) / 2."""
    cdef real half = 0.5, two = 2, factor, other, m, z, q
    cdef Py_ssize_t i
    for i in range(n):
        m = precision(log_variance[i], &factor, &other)
        z = standardised(mean[i], target[i], factor, other, m, &q)
        value[i] = mul_add(half, log_variance[i], q) if q < <real>INFINITY else q
        slope[i] = (z * factor * half * other) * (two * m)          # ½ and 2, for the largest floats
        slope[BLOCK + i] = half - q


cdef void gaussian_nll_curvature(
    const real* mean, const real* log_variance, const real* target, const double* p,
    real* value, real* bend, Py_ssize_t n
) noexcept nogil:
    """exp(-s) and q."""
    cdef real factor, other, m, z, q
    cdef Py_ssize_t i
    for i in range(n):
        m = precision(log_variance[i], &factor, &other)
        z = standardised(mean[i], target[i], factor, other, m, &q)
        bend[i] = unless_nan(m * factor * other * factor * other, z)
        bend[BLOCK + i] = q


# --- Its divergence from the standard one ----------------------------------------------------------------------------

cdef inline real half_expm1(real s, real* without_s) noexcept nogil:
    """(exp(s) - 1) / 2; and (exp(s) - 1 - s) / 2, which is far smaller near 0, where it is s²/4."""
    cdef real half = 0.5, two = 2, zero = 0, least = -40, most, x, shifted, k, high, low, unit
    if real is float:
        most = 89.5
    else:
        most = 710.5
    x = least if s < least else s
    x = most if x > most else x
    shifted = shifted_power(x)
    k = shifted - rounding_shift(x)
    # Where neither the 1 nor s counts, from a quarter of the power, for the power itself may be too large for a float.
    high = expm1_parts(x, k, shifted - two if k > 64 else shifted, &low)
    unit = two if k > 64 else half
    without_s[0] = ((high - (zero if k > 64 else s)) + low) * unit
    without_s[0] = half * exp_rest(x, zero) if k == zero else without_s[0]
    return (high + low) * unit


cdef void gaussian_kl(
    const real* mean, const real* log_variance, const real* nothing, const double* p,
    real* value, real* slope, Py_ssize_t n
) noexcept nogil:
    cdef real half = 0.5, without_s, bent
    cdef Py_ssize_t i
    for i in range(n):
        bent = half_expm1(log_variance[i], &without_s)
        value[i] = mul_add(half * mean[i], mean[i], without_s)
        slope[i] = unless_nan(mean[i], log_variance[i])
        slope[BLOCK + i] = unless_nan(bent, mean[i])


cdef void gaussian_kl_curvature(
    const real* mean, const real* log_variance, const real* nothing, const double* p,
    real* value, real* bend, Py_ssize_t n
) noexcept nogil:
    """1 and exp(s) / 2, which may be a float where exp(s) is none."""
    cdef real one = 1, half = 0.5, factor, other, m
    cdef Py_ssize_t i
    for i in range(n):
        m = half * precision(-log_variance[i], &factor, &other)
        bend[i] = unless_nan(unless_nan(one, mean[i]), log_variance[i])
        bend[BLOCK + i] = unless_nan(m * factor * other * factor * other, mean[i])


# --- An order of two scores ------------------------------------------------------------------------------------------

cdef void margin_ranking(
    const real* first, const real* second, const real* target, const double* p,
    real* value, real* slope, Py_ssize_t n
) noexcept nogil:
    """m - y (a - b) where positive, with what a - b and m have lost by rounding: near the edge nothing else is left."""
    cdef real margin = <real>p[0], margin_low = <real>(p[0] - margin), zero = 0, lead, missing, pull
    cdef Py_ssize_t i
    for i in range(n):
        lead = first[i] - second[i]
        missing = margin_low - target[i] * difference_lost(first[i], second[i], lead)
        missing = (margin - target[i] * lead) + missing
        missing = zero if missing < zero else missing
        pull = target[i] if missing > zero else missing             # 0 at the kink, NaN at NaN
        value[i] = missing
        slope[i] = zero - pull
        slope[BLOCK + i] = pull


cdef void margin_ranking_curvature(
    const real* first, const real* second, const real* target, const double* p,
    real* value, real* bend, Py_ssize_t n
) noexcept nogil:
    cdef real zero = 0, t
    cdef Py_ssize_t i
    for i in range(n):
        t = target[i] * (first[i] - second[i])
        bend[i] = zero if t == t else t
        bend[BLOCK + i] = zero if t == t else t


kernels = {
    "gaussian_nll": paired(
        gaussian_nll[float], gaussian_nll[double], gaussian_nll_curvature[float], gaussian_nll_curvature[double]
    ),
    "margin_ranking": paired(
        margin_ranking[float], margin_ranking[double],
        margin_ranking_curvature[float], margin_ranking_curvature[double],
    ),
    "gaussian_kl": paired(
        gaussian_kl[float], gaussian_kl[double], gaussian_kl_curvature[float], gaussian_kl_curvature[double]
    ),
}
