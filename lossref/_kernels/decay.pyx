"""Decaying rates, block by block. No operation but + − × ÷ and rounding: every instruction set gives the same bits."""

from libc.math cimport fabs, floor
from libc.string cimport memcpy

from lossref._kernels.drivers_schedules cimport schedule


cdef inline double two_to(double n) noexcept nogil:
    """2ⁿ, for a whole number -1022 <= n <= 1023: n goes into the field of the exponent."""
    cdef double number = n + (6755399441055744.0 + 1023)       # 1.5·2⁵²: the last bits are now those of n + 1023
    cdef long long bits
    memcpy(&bits, &number, sizeof(double))
    bits <<= 52
    memcpy(&number, &bits, sizeof(double))
    return number


cdef inline double lost(double a, double b, double product) noexcept nogil:
    """What the product of a and b has lost by rounding (Dekker): the products of their halves are exact."""
    cdef double a_high = 134217729 * a, b_high = 134217729 * b, a_low, b_low       # 2²⁷ + 1
    a_high -= a_high - a
    b_high -= b_high - b
    a_low = a - a_high
    b_low = b - b_high
    return ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


cdef inline double power(double initial, double t, double log, double log_low) noexcept nogil:
    """initial · exp(t · (log + log_low)), to little more than half a unit in the last place.

    The exponent is n·ln 2 + r + rest with |r| <= ln(2)/2 and a rest that rounding took away; exp(r) is a Taylor series.
    """
    cdef double x, rest, n, r, whole, tail, half
    t = t if t < 1e270 else 1e270
    x = t * log
    rest = lost(t, log, x) + t * log_low
    rest = rest if fabs(x) < 1400 else 0                # beyond, the result is 0 or infinite
    x = x if x < 1400 else 1400
    x = x if x > -1400 else -1400
    n = (x * 1.4426950408889634 + 6755399441055744.0) - 6755399441055744.0
    r = x - n * 0.6931471803691238                      # exact: this part of ln 2 has 33 bits
    rest -= n * 1.9082149292705877e-10
    whole = r
    r = whole + rest
    rest += whole - r
    tail = 1 / 479001600.0 + r * (1 / 6227020800.0)         # 1/12! and 1/13!
    tail = 1 / 39916800.0 + r * tail
    tail = 1 / 3628800.0 + r * tail
    tail = 1 / 362880.0 + r * tail
    tail = 1 / 40320.0 + r * tail
    tail = 1 / 5040.0 + r * tail
    tail = 1 / 720.0 + r * tail
    tail = 1 / 120.0 + r * tail
    tail = 1 / 24.0 + r * tail
    tail = 1 / 6.0 + r * tail
    tail = 0.5 + r * tail
    tail = rest + r * r * tail
    x = 1 + r
    x += (1 - x + r) + tail
    half = (n * 0.5 + 6755399441055744.0) - 6755399441055744.0
    return initial * x * two_to(half) * two_to(n - half)    # 2ⁿ itself may be no normal number


cdef inline double stairs(double t, double every) noexcept nogil:
    """How many stairs have been gone down; the quotient may have been rounded up to a whole number."""
    cdef double k = floor(t / every)
    return k - 1 if k * every > t else k


cdef void exponential(double* t, const double* p, double* out, Py_ssize_t n) noexcept nogil:
    cdef double initial = p[0], log = p[1], log_low = p[2]
    cdef Py_ssize_t i
    for i in range(n):
        out[i] = power(initial, t[i], log, log_low)


cdef void staircase(double* t, const double* p, double* out, Py_ssize_t n) noexcept nogil:
    cdef double initial = p[0], log = p[1], log_low = p[2], every = p[3]
    cdef Py_ssize_t i
    for i in range(n):
        out[i] = power(initial, stairs(t[i], every), log, log_low)


cdef inline double sine_square(double w_square) noexcept nogil:
    """sin²(πw/2) for w <= 1/2, as (1 - cos(πw))/2: the series of the cosine without its first term."""
    cdef double y = 9.869604401089358 * w_square, tail      # π²w²
    tail = 1 / 4865804016353280000.0 - y * (1 / 2248001455555215360000.0)       # 1/(2·20!) and 1/(2·22!)
    tail = 1 / 12804747411456000.0 - y * tail
    tail = 1 / 41845579776000.0 - y * tail
    tail = 1 / 174356582400.0 - y * tail
    tail = 1 / 958003200.0 - y * tail
    tail = 1 / 7257600.0 - y * tail
    tail = 1 / 80640.0 - y * tail
    tail = 1 / 1440.0 - y * tail
    tail = 1 / 48.0 - y * tail
    return y * (0.25 - y * tail)


cdef void cosine(double* t, const double* p, double* out, Py_ssize_t n) noexcept nogil:
    cdef double peak = p[0], floor_ = p[1], steps = p[2], fall = p[0] - p[1], left, near
    cdef Py_ssize_t i
    for i in range(n):
        left = steps - t[i]
        left = left if left > 0 else 0
        # Whichever end is nearer, the distance from it is the sum that does not cancel.
        near = t[i] if t[i] < left else left
        near = fall * sine_square(near * near / (steps * steps))
        out[i] = peak - near if t[i] < left else floor_ + near


kernels = {
    "step_decay": schedule(staircase),
    "exponential": schedule(exponential),
    "exponential_staircase": schedule(staircase),
    "cosine": schedule(cosine),
}
