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


kernels = {
    "cauchy": pointwise(cauchy[float], cauchy[double], cauchy_curvature[float], cauchy_curvature[double]),
}
