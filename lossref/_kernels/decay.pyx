"""Decaying rates, block by block. No operation but + − × ÷ and rounding: every instruction set gives the same bits."""

from libc.math cimport fabs
from libc.string cimport memcpy

from lossref._kernels.drivers_schedules cimport schedule

cdef enum:
    NEAR = 64        # stairs up and down from the first step of a block


cdef inline double two_to(double n) noexcept nogil:
    """2ⁿ, for a whole number -1022 <= n <= 1023: n goes into the field of the exponent."""
    cdef double number = n + (6755399441055744.0 + 1023)       # 1.5·2⁵²: the last bits are now those of n + 1023
    cdef unsigned long long bits
    memcpy(&bits, &number, sizeof(double))
    bits <<= 52
    memcpy(&number, &bits, sizeof(double))
    return number


cdef struct Base:            # of a power: its logarithm in parts, for an error there is multiplied by the exponent
    double log               # the nearest number
    double high              # its upper 26 bits
    double low               # all that high leaves of the logarithm
    double furthest          # exponent: beyond, the power is 0 or infinite


cdef inline double upper_half(double x) noexcept nogil:
    """The upper 26 bits: the product of two such halves is exact (Dekker)."""
    cdef double shifted = 134217729 * x                         # 2²⁷ + 1
    return shifted - (shifted - x)


cdef inline Base base_of(double log, double log_low) noexcept nogil:
    """The base whose logarithm is log + log_low."""
    cdef Base base
    base.log = log
    base.high = upper_half(log)
    base.low = (log - base.high) + log_low
    base.furthest = 1416 / fabs(log) if fabs(log) * 1e270 > 1416 else 1e270
    return base


cdef inline double exp_square(double r) noexcept nogil:
    """(exp(r) - 1 - r) / r² where |r| <= ln(2)/2 and a hair (tests/derivations/minimax.py), as two short chains."""
    cdef double s = r * r, odd, even
    odd = 2.5000055272380365e-08
    odd = odd * s + 2.755758641847958e-06
    odd = odd * s + 0.000198412695065018
    odd = odd * s + 0.00833333333349451
    odd = odd * s + 0.16666666666666413
    even = 2.763025332439767e-07
    even = even * s + 2.4801493086146738e-05
    even = even * s + 0.0013888888943641216
    even = even * s + 0.04166666666653012
    even = even * s + 0.5000000000000011
    return even + r * odd


cdef inline double power(double initial, double t, Base base) noexcept nogil:
    """initial · baseᵗ, to little more than a unit in the last place.

    The exponent t · log(base) is n·ln 2 + r + rest with |r| <= ln(2)/2 and a small rest, which holds what the digits of
    r do not.
    """
    cdef double t_high, x, rest, n, r, whole, tail, half
    t = t if t < base.furthest else base.furthest
    t_high = upper_half(t)
    x = t_high * base.high                              # exact
    rest = t_high * base.low + (t - t_high) * base.log
    n = (x * 1.4426950408889634 + 6755399441055744.0) - 6755399441055744.0
    r = x - n * 0.6931471803691238                      # exact: this part of ln 2 has 33 bits
    rest -= n * 1.9082149292705877e-10
    whole = r
    r = whole + rest
    rest += whole - r
    tail = rest + r * r * exp_square(r)
    x = 1 + r
    x += (1 - x + r) + tail
    half = (n * 0.5 + 6755399441055744.0) - 6755399441055744.0
    return initial * x * two_to(half) * two_to(n - half)        # 2ⁿ itself may be no normal number


cdef inline double stairs(double t, double every) noexcept nogil:
    """How many stairs have been gone down: the quotient without its fraction (SSE2 has no instruction for that)."""
    cdef double quotient = t / every, k
    k = (quotient + 4503599627370496.0) - 4503599627370496.0            # 2⁵²: to the nearest whole number
    k = k if quotient < 4503599627370496.0 else quotient
    return k - 1 if k * every > t else k


cdef void exponential(double* t, const double* p, double* out, Py_ssize_t n) noexcept nogil:
    cdef double initial = p[0]
    cdef Base base = base_of(p[1], p[2])
    cdef Py_ssize_t i
    for i in range(n):
        out[i] = power(initial, t[i], base)


cdef void staircase(double* t, const double* p, double* out, Py_ssize_t n) noexcept nogil:
    """A block of steps meets few stairs, as a rule: the rate of each is computed once and looked up."""
    cdef double rate[2 * NEAR + 1]
    cdef double initial = p[0], every = p[3], bottom
    cdef Base base = base_of(p[1], p[2])
    cdef Py_ssize_t i, far = 0
    for i in range(n):
        t[i] = stairs(t[i], every)
    bottom = t[0] - NEAR
    for i in range(n):
        far += 1 if fabs(t[i] - t[0]) > NEAR else 0
    if far or n < 4 * NEAR:
        for i in range(n):
            out[i] = power(initial, t[i], base)
    else:
        for i in range(2 * NEAR + 1):
            rate[i] = power(initial, bottom + i, base)
        for i in range(n):
            out[i] = rate[<int>(t[i] - bottom)]


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
