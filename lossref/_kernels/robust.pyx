"""Redescending losses, block by block. ``r`` is the residual, prediction minus target.

Squares of large residuals overflow in float32; the ratio of the smaller of residual and scale to the larger does not.
"""

from lossref._kernels.drivers cimport pointwise
from lossref._kernels.entry cimport real
from lossref._kernels.vecmath cimport absolute, difference_lost, log1p, mul_add, quotient


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
    """x y = product + low, exactly, and with the same bits with fused multiply-add and without; returns the product."""
    cdef real wide = x * splitter(x), x_top = wide - (wide - x), x_rest = x - x_top, y_top, y_rest, product = x * y
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


kernels = {
    "cauchy": pointwise(cauchy[float], cauchy[double], cauchy_curvature[float], cauchy_curvature[double]),
    "tukey": pointwise(tukey[float], tukey[double], tukey_curvature[float], tukey_curvature[double]),
}
