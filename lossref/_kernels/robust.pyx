"""Redescending losses, block by block. ``r`` is the residual, prediction minus target.

Squares of large residuals overflow in float32; the ratio of the smaller of residual and scale to the larger does not.
"""

from libc.math cimport INFINITY

from lossref._kernels.curves cimport clip, hyperbola
from lossref._kernels.drivers cimport pointwise
from lossref._kernels.entry cimport real
from lossref._kernels.vecmath cimport (
    LOSSREF_FMA, absolute, difference_lost, exp_lowered, exp_of_sum, expm1, log1p, log_parts, mul_add, normalised,
    power_of_two, product_lost, quotient, remainder, rounding_shift, square_lost, with_sign_of,
)


# --- Cauchy ----------------------------------------------------------------------------------------------------------

cdef inline real huge(real x) noexcept nogil:
    """From here on 1 + x² is x², which may overflow."""
    if real is float:
        return 4.611686018427388e+18                            # 2**62
    else:
        return 3.273390607896142e+150                           # 2**500


cdef inline real shrink(real x) noexcept nogil:
    """What makes a residual so small that its quotient by a small scale does not overflow."""
    if real is float:
        return 2.3283064365386963e-10                           # 2**-32
    else:
        return 3.872591914849318e-121                           # 2**-400


cdef inline real shrunk(real x) noexcept nogil:
    """What the doubled logarithm has lost by it."""
    if real is float:
        return 44.3614195558365
    else:
        return 554.5177444479562


cdef void cauchy(
    const real* pred, const real* target, const double* p, real* value, real* slope, Py_ssize_t n
) noexcept nogil:
    """r²/2 · log1p(t) / t with t = (r/σ)², which is less sensitive to t, up to 2σ; σ²/2 · log1p(t) beyond."""
    cdef real scale = <real>p[0], factor = <real>(p[0] * p[0] / 2), least = 8.673617379884035e-19      # 2**-60
    cdef real half = 0.5, one = 1, two = 2, r, a, c, x, t, q, share, large, near, logarithm
    cdef Py_ssize_t i
    for i in range(n):
        r = pred[i] - target[i]
        a = absolute(r)
        x = a / scale
        t = x * x
        large = (a * shrink(a)) / scale
        logarithm = log1p(large if x > huge(x) else t)
        near = half * r * r * (logarithm / t if t > least else one)
        logarithm = mul_add(two, logarithm, shrunk(a)) if x > huge(x) else logarithm
        value[i] = factor * logarithm if x > two else near
        q = scale / a if a > scale else x
        share = q if a > scale else one
        c = scale if r > scale else r
        c = -scale if c < -scale else c
        slope[i] = c * share / mul_add(q, q, one)


cdef void cauchy_curvature(
    const real* pred, const real* target, const double* p, real* out, Py_ssize_t n
) noexcept nogil:
    """(1 - q²) g² / (1 + q²)², where q is the smaller of |r| and σ over the larger, and g is σ over the larger."""
    cdef real scale = <real>p[0], scale_low = <real>(p[0] - scale), zero = 0, one = 1, two = 2
    cdef real off = <real>((p[0] - scale) / p[0]), r, a, gone, larger, q, share, share_low, inside, whole, part
    cdef Py_ssize_t i
    for i in range(n):
        r = pred[i] - target[i]
        a = absolute(r)
        gone = difference_lost(pred[i], target[i], r)   # where the curvature changes its sign nothing else is left
        gone = -gone if r < zero else gone
        larger = a if a > scale else scale
        q = (scale if a > scale else a) / larger
        share = q if a > scale else one
        share_low = q * (off - gone / larger) if a > scale else zero
        inside = ((scale - a) + (scale_low - gone)) / larger
        inside = share - one if a > two * scale else inside
        whole = one + q * q
        part = quotient(share, share_low, whole, (one - whole) + q * q)
        out[i] = inside * (one + q) * part * part


# --- Tukey -----------------------------------------------------------------------------------------------------------

cdef inline real splitter(real x) noexcept nogil:
    """What cuts a number in two halves whose products are not rounded (Dekker)."""
    if real is float:
        return 4097
    else:
        return 134217729


cdef inline real product_parts(real x, real y, real* low) noexcept nogil:
    """x y = product + low; returns the product. Exact with fused multiply-add and without, so that the bits agree, as
    those of ``product_lost`` do not to the last: halves by cut-off digits are a digit too long in float64."""
    cdef real wide, x_top, x_rest, y_top, y_rest, product = x * y
    if LOSSREF_FMA:
        low[0] = mul_add(x, y, -product)
        return product
    wide = x * splitter(x)
    x_top = wide - (wide - x)
    x_rest = x - x_top
    wide = y * splitter(y)
    y_top = wide - (wide - y)
    y_rest = y - y_top
    low[0] = (((x_top * y_top - product) + x_top * y_rest) + x_rest * y_top) + x_rest * y_rest
    return product


cdef inline real share_of_square(
    real pred, real target, real r, real unit, real factor, real factor_low, real* low
) noexcept nogil:
    """(r/c)² in two parts; from some distance beyond c on, that distance."""
    cdef real zero = 0, one = 1, two = 2, a = absolute(r) * unit, gone, square, square_low, u
    gone = difference_lost(pred, target, r) * unit          # where the pull ends nothing else is left
    gone = -gone if r < zero else gone
    gone = zero if a > one else gone
    a = one if a > one else a
    square = product_parts(a, a, &square_low)
    u = product_parts(square, factor, low)
    low[0] += (square_low + two * a * gone) * factor + square * factor_low
    return u


cdef inline real rest_of_one(real u, real low) noexcept nogil:
    """1 - u - low where that is positive, else 0; to the last digits, however little it is."""
    cdef real zero = 0, one = 1, rest = one - u, w = rest + (((one - rest) - u) - low)
    return zero if w < zero else w


cdef void tukey(
    const real* pred, const real* target, const double* p, real* value, real* slope, Py_ssize_t n
) noexcept nogil:
    """r²/2 (1 - u + u²/3) up to u = (r/c)² = ½, c²/6 (1 - w³) beyond; the slope is r w² with w = 1 - u."""
    cdef real unit = <real>p[1], factor = <real>p[2], factor_low = <real>((p[2] - <double>factor) + p[3])
    cdef real end = <real>(p[0] * p[0] / 6), third = <real>(1.0 / 3), zero = 0, half = 0.5, one = 1, r, u, low, w
    cdef Py_ssize_t i
    for i in range(n):
        r = pred[i] - target[i]
        u = share_of_square(pred[i], target[i], r, unit, factor, factor_low, &low)
        w = rest_of_one(u, low)
        value[i] = half * r * r * (one - u * (one - u * third)) if u < half else end * (one - w * w * w)
        slope[i] = zero if w <= zero else r * w * w


cdef void tukey_curvature(
    const real* pred, const real* target, const double* p, real* out, Py_ssize_t n
) noexcept nogil:
    """(1 - u)(1 - 5u)."""
    cdef real unit = <real>p[1], factor = <real>p[2], factor_low = <real>((p[2] - <double>factor) + p[3])
    cdef real zero = 0, one = 1, four = 4, five = 5, u, low, w
    cdef Py_ssize_t i
    for i in range(n):
        u = share_of_square(pred[i], target[i], pred[i] - target[i], unit, factor, factor_low, &low)
        w = rest_of_one(u, low)
        out[i] = zero if w <= zero else w * (((one - four * u) - u) - five * low)


# --- Barron ----------------------------------------------------------------------------------------------------------

cdef inline real far_from(real x) noexcept nogil:
    """From here on residuals are shrunk before they are squared."""
    if real is float:
        return 68719476736.0                                    # 2**36
    else:
        return 2.5822498780869086e+120                          # 2**400


cdef inline real shrunk_by(real x) noexcept nogil:
    if real is float:
        return 1.262177448353619e-29                            # 2**-96
    else:
        return 2.6497349136889905e-169                          # 2**-560


cdef inline real powers_shrunk(real x) noexcept nogil:
    """How many powers of two their squares lose by it."""
    if real is float:
        return 192
    else:
        return 1120


cdef inline real least_share(real x) noexcept nogil:
    """A t so small that nothing is left of the steepest slopes, and normal as a float."""
    if real is float:
        return 2.350988701644575e-38                            # 2**-125
    else:
        return 9.332636185032189e-302                           # 2**-1000


cdef inline real furthest_exponent(real x) noexcept nogil:
    """An exponent whose power is beyond the floats even beside the smallest 2 - α."""
    if real is float:
        return 130
    else:
        return 753


cdef inline real parabola_below(real x) noexcept nogil:
    """Up to here the loss is its parabola: what follows is less than a rounding, and t may vanish."""
    if real is float:
        return 6.103515625e-05                                  # 2**-14
    else:
        return 1.862645149230957e-09                            # 2**-29


cdef inline real one_plus(real pred, real target, real r, real unit, real whole, real whole_low, real inverse,
                          real* one, real* t_low, real* low, real* t) noexcept nogil:
    """log(1 + t + t_low) = high + low, t = (r/σ)² / (2 - α); far out ``one`` is 0, and t is shrunk. Returns high."""
    cdef real zero = 0, whole_one = 1, two = 2, quarter = 0.25, least = least_share(r)
    cdef real a = absolute(r), gone = difference_lost(pred, target, r), x, square, share, k, scale, part, more
    a = whole_one if a == <real>INFINITY else a
    x = a * unit
    one[0] = zero if x > far_from(x) else whole_one
    gone = zero if x > far_from(x) else (-gone if r < zero else gone)
    x = a * shrunk_by(x) * unit if x > far_from(x) else x
    square = x * x
    share = square * inverse
    t_low[0] = (
        remainder(square, share, whole) + (square_lost(x, square) + two * x * (gone * unit) - share * whole_low)
    ) * inverse
    share = least if share < least * (whole_one - one[0]) else share
    t[0] = share
    normalised(one[0] + share, &k)
    scale = power_of_two(rounding_shift(x) + (two - k))         # 4 2**-k: 2**-k itself may be subnormal
    part = mul_add(share * scale, quarter, one[0] * (scale * quarter) - whole_one)
    more = t_low[0] * (scale * quarter) / (whole_one + part)
    return log_parts(k + powers_shrunk(x) * (whole_one - one[0]), part, more, low)


cdef inline real times(real high, real low, real factor, real factor_low, real* rest) noexcept nogil:
    """(high + low) (factor + factor_low) = product + rest; returns the product."""
    cdef real product = factor * high
    rest[0] = product_lost(factor, high, product) + mul_add(factor, low, factor_low * high)
    return product


cdef void barron(
    const real* pred, const real* target, const double* p, real* value, real* slope, Py_ssize_t n
) noexcept nogil:
    """(2-α)/2 log(1+t) (exp(y) - 1) / y with y = α/2 log(1+t): α near 0 or 2 is no special case."""
    cdef real unit = <real>p[1], whole = <real>p[2], whole_low = <real>((p[2] - <double>whole) + p[3])
    cdef real inverse = <real>(1 / p[2]), half_alpha = <real>p[0], half_alpha_low = <real>(p[0] - <double>half_alpha)
    cdef real exponent = <real>p[4], exponent_low = <real>((p[4] - <double>exponent) + p[5])
    cdef real half_rest = <real>p[8], half_inverse = <real>p[9], steep = <real>p[10], ceiling = <real>p[11]
    cdef real pull = <real>p[12], zero = 0, unity = 1, half = 0.5, most = 60, up = 18446744073709551616.0
    cdef real r, a, one, t, t_low, high, low, y, rest, growth, logarithm, usual, power
    cdef Py_ssize_t i
    for i in range(n):
        r = pred[i] - target[i]
        a = absolute(r)
        high = one_plus(pred[i], target[i], r, unit, whole, whole_low, inverse, &one, &t_low, &low, &t)
        y = times(high, low, half_alpha, half_alpha_low, &rest)
        growth = expm1(y)
        growth = (growth + mul_add(growth, rest, rest)) / y if y != zero else unity
        logarithm = half_rest * high
        usual = (a * unit * half_inverse) * (a * unit) if a * unit < parabola_below(r) else logarithm * growth
        y = furthest_exponent(y) if y > furthest_exponent(y) else y
        growth = exp_lowered(y, rest) / y * up
        usual = logarithm * up * growth if y > most else usual
        value[i] = ceiling if a == <real>INFINITY else usual
        power = times(high, low, exponent, exponent_low, &rest)
        power = exp_of_sum(half * power, half * rest)           # the root, for the power itself may underflow
        power = r * power * steep * power
        slope[i] = with_sign_of(r, pull) if a == <real>INFINITY else power


cdef void barron_curvature(
    const real* pred, const real* target, const double* p, real* out, Py_ssize_t n
) noexcept nogil:
    """(1 + (α-1) t) / (1 + t) (1 + t)^-b / σ²."""
    cdef real unit = <real>p[1], whole = <real>p[2], whole_low = <real>((p[2] - <double>whole) + p[3])
    cdef real inverse = <real>(1 / p[2]), zero = 0, half = 0.5, steep = <real>p[10]
    cdef real exponent = <real>p[4], exponent_low = <real>((p[4] - <double>exponent) + p[5])
    cdef real turn = <real>p[6], turn_low = <real>((p[6] - <double>turn) + p[7])
    cdef real r, one, t, t_low, high, low, power, rest, bend, beyond
    cdef Py_ssize_t i
    for i in range(n):
        r = pred[i] - target[i]
        high = one_plus(pred[i], target[i], r, unit, whole, whole_low, inverse, &one, &t_low, &low, &t)
        power = times(high, low, exponent, exponent_low, &rest)
        power = exp_of_sum(half * power, half * rest)
        bend = times(t, t_low, turn, turn_low, &rest)           # where the curvature changes its sign, -1 and a rest
        bend = quotient(one + bend, rest, one + t, t_low + difference_lost(one, -t, one + t))
        beyond = shrunk_by(t) / t * shrunk_by(t)                # far out, 1 / t
        bend = bend + (zero if one > zero else beyond)
        power = zero if absolute(r) == <real>INFINITY else power
        out[i] = zero if power <= zero else bend * power * steep * power


cdef void barron_square(
    const real* pred, const real* target, const double* p, real* value, real* slope, Py_ssize_t n
) noexcept nogil:
    """α = 2: half the square."""
    cdef real steep = <real>p[10], half = 0.5, r
    cdef Py_ssize_t i
    for i in range(n):
        r = pred[i] - target[i]
        value[i] = half * (r * steep) * r
        slope[i] = r * steep


cdef void barron_square_curvature(
    const real* pred, const real* target, const double* p, real* out, Py_ssize_t n
) noexcept nogil:
    cdef real steep = <real>p[10], r
    cdef Py_ssize_t i
    for i in range(n):
        r = pred[i] - target[i]
        out[i] = steep if r == r else r


cdef void barron_hyperbola(
    const real* pred, const real* target, const double* p, real* value, real* slope, Py_ssize_t n
) noexcept nogil:
    """α = 1: the hyperbola of PseudoHuber, with δ = σ, over σ²."""
    cdef real scale = <real>p[13], inverse = <real>(1 / p[13]), ceiling = <real>p[11], pull = <real>p[12]
    cdef real r, a, c, root, share
    cdef Py_ssize_t i
    for i in range(n):
        r = pred[i] - target[i]
        a = absolute(r)
        c = clip(r, -scale, scale) * inverse
        root = hyperbola(a, scale, &share)
        value[i] = ceiling if a == <real>INFINITY else c * (r * inverse / (root + share))
        slope[i] = with_sign_of(r, pull) if a == <real>INFINITY else c / root * inverse


kernels = {
    "cauchy": pointwise(cauchy[float], cauchy[double], cauchy_curvature[float], cauchy_curvature[double]),
    "tukey": pointwise(tukey[float], tukey[double], tukey_curvature[float], tukey_curvature[double]),
    "barron": pointwise(barron[float], barron[double], barron_curvature[float], barron_curvature[double]),
    "barron_hyperbola": pointwise(
        barron_hyperbola[float], barron_hyperbola[double], barron_curvature[float], barron_curvature[double]
    ),
    "barron_square": pointwise(
        barron_square[float], barron_square[double], barron_square_curvature[float], barron_square_curvature[double]
    ),
}
