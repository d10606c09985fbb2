"""Elementary functions that become vector instructions: exp, expm1, log, log1p, sigmoid, softplus.

Nothing here branches: where a case is special, both answers are computed and one is chosen. Each function follows one
plan. *Reduce* the argument to a short interval by taking out whole powers of two; *approximate* there by a polynomial
(``tests/derivations/minimax.py`` derives its coefficients); *put back* the powers of two. What a step rounds off and
the result would miss is computed exactly and carried along as a second, small number: ``tail``, ``lost`` or ``low``.

A bare ``1`` beside a float32 would be a float64 to Cython, and a vector would hold half as many numbers; hence ``one``,
``half``, ``two``.

Everything is inline, so that a chapter compiled for an instruction set brings its own copy. With fused multiply-add
(AVX2, AVX-512) the bits are the same everywhere; without, they may differ within the published error,
``docs/measured/vecmath.json``.
"""

from libc.math cimport INFINITY, NAN
from libc.stdint cimport uint32_t, uint64_t

from lossref._kernels.entry cimport real

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>

    static inline uint32_t lossref_bits32(float x) { uint32_t u; memcpy(&u, &x, sizeof u); return u; }
    static inline uint64_t lossref_bits64(double x) { uint64_t u; memcpy(&u, &x, sizeof u); return u; }
    static inline float lossref_float32(uint32_t u) { float x; memcpy(&x, &u, sizeof x); return x; }
    static inline double lossref_float64(uint64_t u) { double x; memcpy(&x, &u, sizeof x); return x; }

    #if defined(__FMA__) || defined(__ARM_FEATURE_FMA) || (defined(_MSC_VER) && defined(__AVX2__))
      #include <math.h>
      #define LOSSREF_FMA 1
      #define lossref_mul_add32(a, b, c) fmaf(a, b, c)
      #define lossref_mul_add64(a, b, c) fma(a, b, c)
    #else
      #define LOSSREF_FMA 0
      #define lossref_mul_add32(a, b, c) ((a) * (b) + (c))
      #define lossref_mul_add64(a, b, c) ((a) * (b) + (c))
    #endif
    """
    const bint LOSSREF_FMA
    uint32_t lossref_bits32(float x) noexcept nogil
    uint64_t lossref_bits64(double x) noexcept nogil
    float lossref_float32(uint32_t u) noexcept nogil
    double lossref_float64(uint64_t u) noexcept nogil
    float lossref_mul_add32(float a, float b, float c) noexcept nogil
    double lossref_mul_add64(double a, double b, double c) noexcept nogil


# --- Bits and exact arithmetic ---------------------------------------------------------------------------------------

cdef inline real mul_add(real a, real b, real c) noexcept nogil:
    """a b + c, rounded once where the processor can."""
    if real is float:
        return lossref_mul_add32(a, b, c)
    else:
        return lossref_mul_add64(a, b, c)


cdef inline real absolute(real x) noexcept nogil:
    """|x|, of -0.0 and NaN too: all bits but the sign."""
    if real is float:
        return lossref_float32(lossref_bits32(x) & <uint32_t>0x7fffffff)
    else:
        return lossref_float64(lossref_bits64(x) & <uint64_t>0x7fffffffffffffff)


cdef inline real with_sign_of(real x, real size) noexcept nogil:
    """``size``, which is not negative, with the sign of x."""
    if real is float:
        return lossref_float32(lossref_bits32(size) | (lossref_bits32(x) & <uint32_t>0x80000000))
    else:
        return lossref_float64(lossref_bits64(size) | (lossref_bits64(x) & <uint64_t>0x8000000000000000))


cdef inline real upper_half(real x) noexcept nogil:
    """x with the lower half of its digits cut off: products of two such numbers are exact."""
    if real is float:
        return lossref_float32(lossref_bits32(x) & <uint32_t>0xfffff000)
    else:
        return lossref_float64(lossref_bits64(x) & <uint64_t>0xfffffffff8000000)


cdef inline real square_lost(real x, real square) noexcept nogil:
    """x² - square, where ``square`` is the rounded x²: what the rounding lost."""
    cdef real high
    if LOSSREF_FMA:
        return mul_add(x, x, -square)
    high = upper_half(x)
    return (high * high - square) + (x - high) * (x + high)


cdef inline real product_lost(real a, real b, real product) noexcept nogil:
    """a b - product, where ``product`` is the rounded a b: what the rounding lost."""
    cdef real a_high, b_high
    if LOSSREF_FMA:
        return mul_add(a, b, -product)
    a_high = upper_half(a)
    b_high = upper_half(b)
    return (((a_high * b_high - product) + (a - a_high) * b_high) + a_high * (b - b_high)) + (a - a_high) * (b - b_high)


cdef inline real difference_lost(real a, real b, real difference) noexcept nogil:
    """What rounding took from a difference: a - b = difference + lost exactly (Knuth); 0 where there is no number."""
    cdef real zero = 0, back = difference - a, lost = (a - (difference - back)) - (b + back)
    return lost if lost == lost else zero


cdef inline real remainder(real a, real q, real b) noexcept nogil:
    """a - q b, exactly, where q is a / b up to a few roundings."""
    cdef real q_high, q_low, b_high, b_low
    if LOSSREF_FMA:
        return mul_add(-q, b, a)
    q_high = upper_half(q)
    q_low = q - q_high
    b_high = upper_half(b)
    b_low = b - b_high
    return (((a - q_high * b_high) - q_high * b_low) - q_low * b_high) - q_low * b_low


cdef inline real quotient(real a, real a_low, real b, real b_low) noexcept nogil:
    """(a + a_low) / (b + b_low): one division, then one step of long division on what it left over."""
    cdef real one = 1, inverse = one / b, q = a * inverse
    return q + (remainder(a, q, b) + (a_low - q * b_low)) * inverse


# --- The exponential -------------------------------------------------------------------------------------------------

cdef inline real rounding_shift(real x) noexcept nogil:
    """1.5 times 2**23 (float32) or 2**52: beside it a float has no room for a fraction, so that adding it rounds."""
    if real is float:
        return 12582912.0
    else:
        return 6755399441055744.0


cdef inline real power_of_two(real shifted) noexcept nogil:
    """2**k, where ``shifted`` is k plus the rounding shift: its last bits are k, moved to where the exponent sits."""
    if real is float:
        return lossref_float32((lossref_bits32(shifted) + <uint32_t>127) << 23)
    else:
        return lossref_float64((lossref_bits64(shifted) + <uint64_t>1023) << 52)


cdef inline real log2_first(real x) noexcept nogil:
    """The first digits of log(2), so few that a multiple by an exponent is exact."""
    if real is float:
        return 0.693145752
    else:
        return 0.6931471805598903


cdef inline real log2_rest(real x) noexcept nogil:
    """The digits of log(2) that follow."""
    if real is float:
        return 1.42860677e-06
    else:
        return 5.497923018708371e-14


cdef inline real shifted_power(real x) noexcept nogil:
    """The whole number next to x / log(2), plus the rounding shift."""
    if real is float:
        return mul_add(x, <real>1.44269502, rounding_shift(x))
    else:
        return mul_add(x, <real>1.4426950408889634, rounding_shift(x))


cdef inline real without_powers(real x, real k, real* tail) noexcept nogil:
    """x - k log(2) = r + tail, where |r| <= log(2) / 2."""
    cdef real first = mul_add(-k, log2_first(x), x), r = mul_add(-k, log2_rest(x), first)
    tail[0] = mul_add(-k, log2_rest(x), first - r)
    return r


cdef inline real exp_cubic(real r) noexcept nogil:
    """(exp(r) - 1 - r - r**2/2) / r**3, of degree 4 (float32) or 9 (float64)."""
    cdef real s = r * r, p, odd
    if real is float:
        p = 0.00019824128
        p = mul_add(p, r, <real>0.0013933246)
        p = mul_add(p, r, <real>0.008333419)
        p = mul_add(p, r, <real>0.04166648)
        p = mul_add(p, r, <real>0.16666666)
    else:
        # Odd and even powers apart: two short chains instead of one long one, in which each step waits for the last.
        odd = 2.087891109204134e-09
        odd = mul_add(odd, s, <real>2.755738702446288e-07)
        odd = mul_add(odd, s, <real>2.480158719826935e-05)
        odd = mul_add(odd, s, <real>0.0013888888888942631)
        odd = mul_add(odd, s, <real>0.04166666666666658)
        p = 2.5108678175781753e-08
        p = mul_add(p, s, <real>2.755724531572878e-06)
        p = mul_add(p, s, <real>0.00019841269884923553)
        p = mul_add(p, s, <real>0.008333333333322165)
        p = mul_add(p, s, <real>0.16666666666666677)
        p = mul_add(odd, r, p)
    return p


cdef inline real exp_rest(real r, real tail) noexcept nogil:
    """exp(r) - 1 - r + tail = r**2/2 + r**3 p(r) + tail."""
    cdef real s = r * r, half = 0.5
    return mul_add(s, half, mul_add(s, r * exp_cubic(r), tail))


cdef inline real times_power(real y, real shifted, real k) noexcept nogil:
    """y 2**k, rounded once. In two factors, as at both ends of the range 2**k is no normal float and y 2**k may be."""
    cdef real small = 5.421010862427522e-20                     # 2**-64
    cdef real step = <real>64 if k < -60 else <real>-1
    cdef real other = small if k < -60 else <real>2
    return y * power_of_two(shifted + step) * other


cdef inline real times_power_down(real y, real shifted) noexcept nogil:
    """y 2**k where k <= 0, rounded once: 64 powers higher it is a normal float, whatever k is."""
    cdef real small = 5.421010862427522e-20                     # 2**-64
    if real is float:
        return y * lossref_float32((lossref_bits32(shifted) + <uint32_t>(127 + 64)) << 23) * small
    else:
        return y * lossref_float64((lossref_bits64(shifted) + <uint64_t>(1023 + 64)) << 52) * small


cdef inline real least_exponent(real x) noexcept nogil:
    """A number whose exponential is already 0."""
    if real is float:
        return -104.5
    else:
        return -746


cdef inline real raised_to_least(real x) noexcept nogil:
    """x, or the least exponent where x is below it."""
    return least_exponent(x) if x < least_exponent(x) else x


cdef inline real most_exponent(real x) noexcept nogil:
    """A number whose exponential is already infinite."""
    if real is float:
        return 89
    else:
        return 710


cdef inline real exp(real x) noexcept nogil:
    """exp(x) = 2**k exp(r), where k is the whole number next to x / log(2) and r = x - k log(2)."""
    cdef real one = 1, shifted, k, r, tail, y
    x = raised_to_least(x)
    x = most_exponent(x) if x > most_exponent(x) else x
    shifted = shifted_power(x)
    k = shifted - rounding_shift(x)
    r = without_powers(x, k, &tail)
    y = one + r
    y = y + (((one - y) + r) + exp_rest(r, tail))               # (1 - y) + r: what 1 + r lost
    return times_power(y, shifted, k)


cdef inline real exp_and_rest(real x, real low, real* rest) noexcept nogil:
    """exp(x + low), where ``low`` is no more than x has lost by rounding, and exp(x + low) - 1 - x - low where
    |x| <= 0.34, so that k is 0."""
    cdef real zero = 0, half = 0.5, one = 1, shifted, k, r
    low = zero if x < least_exponent(x) else (zero if x > most_exponent(x) else low)
    x = raised_to_least(x)
    x = most_exponent(x) if x > most_exponent(x) else x
    shifted = shifted_power(x)
    k = shifted - rounding_shift(x)
    r = mul_add(-k, log2_rest(x), mul_add(-k, log2_first(x), x)) + low
    rest[0] = r * r * mul_add(r, exp_cubic(r), half)
    return times_power(one + (r + rest[0]), shifted, k)


cdef inline real exp_reduced(real r, real shifted) noexcept nogil:
    """2**k exp(r) where k <= 0, without what 1 + r loses."""
    cdef real half = 0.5, one = 1
    return times_power_down(one + mul_add(r * r, mul_add(r, exp_cubic(r), half), r), shifted)


cdef inline real exp_nonpositive(real x) noexcept nogil:
    """exp(x) where x <= 0, without what r and 1 + r lose, a quarter of an ulp each. For loops that count operations."""
    cdef real shifted, k
    x = raised_to_least(x)
    shifted = shifted_power(x)
    k = shifted - rounding_shift(x)
    return exp_reduced(mul_add(-k, log2_rest(x), mul_add(-k, log2_first(x), x)), shifted)


cdef inline real exp_of_sum(real x, real low) noexcept nogil:
    """exp(x + low) as ``exp_nonpositive``, where ``low`` is no more than x has lost by rounding."""
    cdef real zero = 0, shifted, k
    low = zero if x < least_exponent(x) else low
    x = raised_to_least(x)
    shifted = shifted_power(x)
    k = shifted - rounding_shift(x)
    return exp_reduced(mul_add(-k, log2_rest(x), mul_add(-k, log2_first(x), x)) + low, shifted)


cdef inline real exp_lowered(real x, real low) noexcept nogil:
    """2**-128 exp(x + low) where x > 50: also where the exponential itself is beyond the floats."""
    cdef real shifted = shifted_power(x), k = shifted - rounding_shift(x)
    return exp_reduced(
        mul_add(-k, log2_rest(x), mul_add(-k, log2_first(x), x)) + low, shifted - <real>128
    )


cdef inline real exp_parts(real x, real* low) noexcept nogil:
    """exp(x) = high + low where x <= 0, to half as many digits again as a float has; returns high."""
    cdef real one = 1, shifted, k, r, tail, y, lost, high
    x = raised_to_least(x)
    shifted = shifted_power(x)
    k = shifted - rounding_shift(x)
    r = without_powers(x, k, &tail)
    y = one + r
    lost = ((one - y) + r) + exp_rest(r, tail)
    high = y + lost
    low[0] = times_power((y - high) + lost, shifted, k)
    return times_power(high, shifted, k)


cdef inline real expm1_parts(real x, real k, real shifted, real* low) noexcept nogil:
    """exp(x) - 1 = (2**k - 1) + 2**k (exp(r) - 1) = high + low; returns high. ``shifted`` holds the power to use."""
    cdef real one = 1, half = 0.5, r, tail, power, whole, part, high, lost
    r = without_powers(x, k, &tail)
    power = power_of_two(shifted)
    whole = power - one
    part = power * r
    high = whole + part
    # What the sum lost; what the difference lost, if 2**k is the larger, or if 1 is (one of the two is always zero).
    lost = (part - (high - whole)) + (((power - whole) - one) + (power - (whole + one)))
    # exp(r + tail) = exp(r) + exp(r) tail, and half of what r * r loses.
    tail = mul_add(half, square_lost(r, r * r), mul_add(tail, r, tail))
    low[0] = mul_add(power, exp_rest(r, tail), lost)
    return high


cdef inline real expm1(real x) noexcept nogil:
    """exp(x) - 1 without cancellation near zero: the reduction of ``exp``, with the 1 taken off the power of two."""
    cdef real one = 1, least = -40, z, shifted, k, low, y
    z = least if x < least else x
    z = most_exponent(x) if z > most_exponent(x) else z
    shifted = shifted_power(z)
    k = shifted - rounding_shift(z)
    # Where the 1 no longer counts, half the result: the last power of two is too large for a float.
    y = expm1_parts(z, k, shifted - one if k > 64 else shifted, &low)
    y = (y + low) * (<real>2 if k > 64 else one)
    return y if x != 0 else x                                   # the sign of zero


# --- The logarithm ---------------------------------------------------------------------------------------------------

cdef inline real normalised(real x, real* k) noexcept nogil:
    """x = 2**k m with 3/4 <= m < 3/2; returns m. For x normal and positive."""
    cdef uint32_t b, e
    cdef uint64_t c, d
    if real is float:
        b = lossref_bits32(x)
        e = (b + <uint32_t>0x00400000) & <uint32_t>0xff800000  # half a binade up, and only the exponent: k + 127
        k[0] = lossref_float32((e >> 23) | <uint32_t>0x4b000000) - <real>8388735    # 2**23 + k + 127, less 2**23 + 127
        return lossref_float32(b - e + <uint32_t>0x3f800000)
    else:
        c = lossref_bits64(x)
        d = (c + <uint64_t>0x0008000000000000) & <uint64_t>0xfff0000000000000
        k[0] = lossref_float64((d >> 52) | <uint64_t>0x4330000000000000) - <real>4503599627371519
        return lossref_float64(c - d + <uint64_t>0x3ff0000000000000)


cdef inline real log_cubic(real f) noexcept nogil:
    """(log(1 + f) - f + f**2/2) / f**3 where -1/4 <= f <= 1/2, of degree 8 (float32) or 19 (float64)."""
    cdef real s = f * f, p, odd
    if real is float:
        p = 0.03767293
        p = mul_add(p, f, <real>-0.09116192)
        p = mul_add(p, f, <real>0.117006615)
        p = mul_add(p, f, <real>-0.12727779)
        p = mul_add(p, f, <real>0.1427624)
        p = mul_add(p, f, <real>-0.16655296)
        p = mul_add(p, f, <real>0.19999605)
        p = mul_add(p, f, <real>-0.25000164)
        p = mul_add(p, f, <real>0.3333334)
    else:
        odd = -0.007087698688584716
        odd = mul_add(odd, s, <real>-0.04721305917879095)
        odd = mul_add(odd, s, <real>-0.057783274829239645)
        odd = mul_add(odd, s, <real>-0.06224722114771546)
        odd = mul_add(odd, s, <real>-0.07143926298501409)
        odd = mul_add(odd, s, <real>-0.08333329753376421)
        odd = mul_add(odd, s, <real>-0.09999998827371114)
        odd = mul_add(odd, s, <real>-0.12500000038493864)
        odd = mul_add(odd, s, <real>-0.1666666666619518)
        odd = mul_add(odd, s, <real>-0.2500000000000191)
        p = 0.02659296192738827
        p = mul_add(p, s, <real>0.056593778640997294)
        p = mul_add(p, s, <real>0.058919257504990864)
        p = mul_add(p, s, <real>0.06660701915728792)
        p = mul_add(p, s, <real>0.07692821700423402)
        p = mul_add(p, s, <real>0.09090887930948788)
        p = mul_add(p, s, <real>0.11111111582560614)
        p = mul_add(p, s, <real>0.14285714280092707)
        p = mul_add(p, s, <real>0.20000000000032075)
        p = mul_add(p, s, <real>0.3333333333333327)
        p = mul_add(odd, f, p)
    return p


cdef inline real log_rest(real f, real tail) noexcept nogil:
    """log(1 + f) - f + tail = -f**2/2 + f**3 p(f) + tail."""
    cdef real s = f * f, minus_half = -0.5
    tail = mul_add(minus_half, square_lost(f, s), tail)
    return mul_add(s, minus_half, mul_add(s, f * log_cubic(f), tail))


cdef inline real log_of_product(real k, real f) noexcept nogil:
    """log(2**k (1 + f)) = k log(2) + log(1 + f)."""
    cdef real whole = k * log2_first(k), high = whole + f
    return high + log_rest(f, mul_add(k, log2_rest(k), f - (high - whole)))


cdef inline real log_parts(real k, real f, real more, real* low) noexcept nogil:
    """log(2**k (1 + f)) + more = high + low, to some digits more than a float has, for a small addend; returns high."""
    cdef real whole = k * log2_first(k), near = whole + f
    cdef real rest = log_rest(f, mul_add(k, log2_rest(k), f - (near - whole)) + more), high = near + rest
    low[0] = rest - (high - near)
    return high


cdef inline real normalised_of_any(real x, real* k) noexcept nogil:
    """x = 2**k m as ``normalised``, for x positive: subnormals are taken up first."""
    cdef real zero = 0, least, up, up_power, m
    if real is float:
        least = 1.17549435e-38                                  # the least normal float
        up = 16777216
        up_power = 24
    else:
        least = 2.2250738585072014e-308
        up = 18014398509481984
        up_power = 54
    m = normalised(x * up if x < least else x, k)
    k[0] -= up_power if x < least else zero
    return m


cdef inline real log(real x) noexcept nogil:
    """log(x) = k log(2) + log(1 + f) where x = 2**k (1 + f) and -1/4 <= f < 1/2."""
    cdef real one = 1, k, m = normalised_of_any(x, &k), y = log_of_product(k, m - one)
    y = y if x < <real>INFINITY else x
    return y if x > 0 else (-<real>INFINITY if x == 0 else <real>NAN)


cdef inline real log_unit_parts(real x, real* low) noexcept nogil:
    """log(x) = high + low where 0 <= x <= 1, to some digits more than a float has; returns high."""
    cdef real zero = 0, one = 1, k, m = normalised_of_any(x, &k), high = log_parts(k, m - one, zero, low)
    low[0] = low[0] if x > 0 else zero
    return high if x > 0 else (-<real>INFINITY if x == 0 else <real>NAN)


cdef inline real log1p(real x) noexcept nogil:
    """log(1 + x) as ``log``, with f = 2**-k x + (2**-k - 1): for f from -1/4 to 1/2 this sum is exact."""
    cdef real one = 1, two = 2, quarter = 0.25, u = one + x, k, scale, y
    normalised(u, &k)
    scale = power_of_two(rounding_shift(x) + (two - k))         # 4 2**-k: 2**-k itself may be subnormal
    y = log_of_product(k, mul_add(x * scale, quarter, scale * quarter - one))
    y = y if x < <real>INFINITY else x
    y = y if x > -1 else (-<real>INFINITY if x == -1 else <real>NAN)
    return y if x != 0 else x                                   # the sign of zero


cdef inline real log1p_parts(real t, real t_low, real* low) noexcept nogil:
    """log(1 + t + t_low) = high + low where 0 <= t <= 1, so that the k of ``log1p`` is 0 or 1; returns high."""
    cdef real half = 0.5, zero = 0
    cdef real f = t * half - half if t >= half else t
    cdef real f_low = t_low * half if t >= half else t_low
    cdef real whole = log2_first(t) if t >= half else zero
    cdef real rest = log2_rest(t) if t >= half else zero
    cdef real high = whole + f
    # log(1 + f + f_low) = log(1 + f) + f_low / (1 + f), and 1 / (1 + f) is nearly 1 - f.
    low[0] = log_rest(f, rest + ((f - (high - whole)) + mul_add(-f, f_low, f_low)))
    return high


cdef inline real log1p_square(real u) noexcept nogil:
    """(log(1 + t) - t) / t**2 where 0 <= t = u + 1/2 <= 1, of degree 8 (float32) or 19 (float64)."""
    cdef real s = u * u, p, odd
    if real is float:
        p = -0.003318476
        p = mul_add(p, u, <real>0.006930697)
        p = mul_add(p, u, <real>-0.010177704)
        p = mul_add(p, u, <real>0.016656986)
        p = mul_add(p, u, <real>-0.028904999)
        p = mul_add(p, u, <real>0.05108906)
        p = mul_add(p, u, <real>-0.09323186)
        p = mul_add(p, u, <real>0.1792249)
        p = mul_add(p, u, <real>-0.37813956)
    else:
        odd = 2.5329879047318285e-05
        odd = mul_add(odd, s, <real>5.2745131802596266e-05)
        odd = mul_add(odd, s, <real>0.0001254490848064466)
        odd = mul_add(odd, s, <real>0.0003234659710502723)
        odd = mul_add(odd, s, <real>0.0008313430170967901)
        odd = mul_add(odd, s, <real>0.0021876475783649658)
        odd = mul_add(odd, s, <real>0.0059290115608340195)
        odd = mul_add(odd, s, <real>0.01678874249128049)
        odd = mul_add(odd, s, <real>0.05108344610540022)
        odd = mul_add(odd, s, <real>0.1792249369360372)
        p = -5.1126741603456526e-05
        p = mul_add(p, s, <real>-7.108722459749397e-05)
        p = mul_add(p, s, <real>-0.00020487929979145898)
        p = mul_add(p, s, <real>-0.0005165391011696251)
        p = mul_add(p, s, <real>-0.001344531174659587)
        p = mul_add(p, s, <real>-0.003585664773791586)
        p = mul_add(p, s, <real>-0.009909900766968458)
        p = mul_add(p, s, <real>-0.028943183164417196)
        p = mul_add(p, s, <real>-0.09323036636366903)
        p = mul_add(p, s, <real>-0.37813956756734246)
        p = mul_add(odd, u, p)
    return p


cdef inline real log1p_unit(real t) noexcept nogil:
    """log(1 + t) = t + t**2 p(t - 1/2) where 0 <= t <= 1, in half the operations of ``log1p``."""
    cdef real half = 0.5
    return mul_add(t * t, log1p_square(t - half), t)


# --- What is made of the two -----------------------------------------------------------------------------------------

cdef inline real softplus(real x) noexcept nogil:
    """log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)), a sum of two positive terms."""
    cdef real t, t_low, high, low, ramp = x if x > 0 else <real>0, y, gone
    t = exp_parts(-absolute(x), &t_low)
    high = log1p_parts(t, t_low, &low)
    y = ramp + high
    gone = y - ramp
    low += (ramp - (y - gone)) + (high - gone)                  # what ramp + high lost, whichever of the two is larger
    y = y + low
    return y if x < <real>INFINITY else x


cdef inline real sigmoid(real x) noexcept nogil:
    """1 / (1 + exp(-x)) = t / (1 + t) where x < 0, 1 / (1 + t) elsewhere, with t = exp(-|x|)."""
    cdef real one = 1, t, t_low, whole
    t = exp_parts(-absolute(x), &t_low)
    whole = one + t
    return quotient(
        t if x < 0 else one, t_low if x < 0 else <real>0,
        whole, ((one - whole) + t) + t_low,
    )
