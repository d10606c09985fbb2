"""Regression losses, block by block. ``r`` is the residual, prediction minus target.

Constants have names and the type of the arrays: a bare ``2`` would make Cython compute in float64, at half the speed.
"""

from lossref._kernels.curves cimport clip, hyperbola
from lossref._kernels.drivers cimport pointwise
from lossref._kernels.entry cimport real
from lossref._kernels.vecmath cimport (
    absolute, difference_lost, exp_nonpositive, exp_of_sum, log1p_unit, log2_first, log2_rest, mul_add, square_lost,
    with_sign_of,
)


cdef void mse(
    const real* pred, const real* target, const double* p, real* value, real* slope, Py_ssize_t n
) noexcept nogil:
    cdef real r
    cdef Py_ssize_t i
    for i in range(n):
        r = pred[i] - target[i]
        value[i] = r * r
        slope[i] = r + r


cdef void mse_curvature(const real* pred, const real* target, const double* p, real* out, Py_ssize_t n) noexcept nogil:
    cdef real two = 2, r
    cdef Py_ssize_t i
    for i in range(n):
        r = pred[i] - target[i]
        out[i] = two if r == r else r       # 2, but NaN at NaN


cdef void mae(
    const real* pred, const real* target, const double* p, real* value, real* slope, Py_ssize_t n
) noexcept nogil:
    cdef real zero = 0, one = 1, r
    cdef Py_ssize_t i
    for i in range(n):
        r = pred[i] - target[i]
        value[i] = -r if r < zero else r + zero
        slope[i] = one if r > zero else (-one if r < zero else r + zero)    # the sign: 0 at 0, NaN at NaN


cdef void mae_curvature(const real* pred, const real* target, const double* p, real* out, Py_ssize_t n) noexcept nogil:
    cdef real zero = 0, r
    cdef Py_ssize_t i
    for i in range(n):
        r = pred[i] - target[i]
        out[i] = zero if r == r else r


cdef void huber(
    const real* pred, const real* target, const double* p, real* value, real* slope, Py_ssize_t n
) noexcept nogil:
    cdef real delta = <real>p[0], half = 0.5, r, c
    cdef Py_ssize_t i
    for i in range(n):
        r = pred[i] - target[i]
        c = clip(r, -delta, delta)
        value[i] = c * (r - half * c)       # r²/2 where c = r, and δ|r| - δ²/2 where c = ±δ
        slope[i] = c


cdef void huber_curvature(
    const real* pred, const real* target, const double* p, real* out, Py_ssize_t n
) noexcept nogil:
    cdef real delta = <real>p[0], zero = 0, one = 1, r
    cdef Py_ssize_t i
    for i in range(n):
        r = pred[i] - target[i]
        out[i] = r if r != r else (zero if r > delta else (zero if r < -delta else one))


cdef void smoothl1(
    const real* pred, const real* target, const double* p, real* value, real* slope, Py_ssize_t n
) noexcept nogil:
    cdef real beta = <real>p[0], half = 0.5, r, c, s
    cdef Py_ssize_t i
    for i in range(n):
        r = pred[i] - target[i]
        c = clip(r, -beta, beta)
        s = c / beta
        value[i] = s * (r - half * c)       # r²/2β where c = r, and |r| - β/2 where c = ±β
        slope[i] = s


cdef void smoothl1_curvature(
    const real* pred, const real* target, const double* p, real* out, Py_ssize_t n
) noexcept nogil:
    cdef real beta = <real>p[0], inside = <real>(1 / p[0]), zero = 0, r
    cdef Py_ssize_t i
    for i in range(n):
        r = pred[i] - target[i]
        out[i] = r if r != r else (zero if r > beta else (zero if r < -beta else inside))


cdef inline real log_cosh_quartic(real s) noexcept nogil:
    """(log(cosh(r)) - r**2/2) / r**4 where 0 <= s = r**2 <= 1, of degree 6 (float32) or 13 (float64)."""
    cdef real w = s * s, p, odd
    if real is float:
        p = -2.6103515e-05
        p = mul_add(p, s, <real>0.00017797941)
        p = mul_add(p, s, <real>-0.000682005)
        p = mul_add(p, s, <real>0.0021632034)
        p = mul_add(p, s, <real>-0.0067405454)
        p = mul_add(p, s, <real>0.022221612)
        p = mul_add(p, s, <real>-0.08333331)
    else:
        odd = 7.2515942743930565e-09
        odd = mul_add(odd, w, <real>3.7817746326664144e-07)
        odd = mul_add(odd, w, <real>4.1928488696344176e-06)
        odd = mul_add(odd, w, <real>3.272216810729623e-05)
        odd = mul_add(odd, w, <real>0.0002565763424788326)
        odd = mul_add(odd, w, <real>0.0021869487852810053)
        odd = mul_add(odd, w, <real>0.022222222222093375)
        p = -7.346882090352196e-08
        p = mul_add(p, w, <real>-1.3773230382001686e-06)
        p = mul_add(p, w, <real>-1.1827945616888799e-05)
        p = mul_add(p, w, <real>-9.097120612481973e-05)
        p = mul_add(p, w, <real>-0.0007386022940637748)
        p = mul_add(p, w, <real>-0.006746031741863971)
        p = mul_add(p, w, <real>-0.08333333333333194)
        p = mul_add(odd, s, p)
    return p


cdef inline real tanh_cubic(real s) noexcept nogil:
    """(tanh(r) - r) / r**3 where 0 <= s = r**2 <= 1/4, of degree 4 (float32) or 9 (float64)."""
    cdef real w = s * s, p, odd
    if real is float:
        p = -0.0066474876
        p = mul_add(p, s, <real>0.021297991)
        p = mul_add(p, s, <real>-0.05389919)
        p = mul_add(p, s, <real>0.13332964)
        p = mul_add(p, s, <real>-0.33333328)
    else:
        odd = 5.680483045948809e-05
        odd = mul_add(odd, w, <real>0.0005833033228514517)
        odd = mul_add(odd, w, <real>0.003591953933175915)
        odd = mul_add(odd, w, <real>0.021869487786502887)
        odd = mul_add(odd, w, <real>0.1333333333330034)
        p = -0.00021783624622436935
        p = mul_add(p, w, <real>-0.0014544897244876704)
        p = mul_add(p, w, <real>-0.00886322103110073)
        p = mul_add(p, w, <real>-0.0539682539459252)
        p = mul_add(p, w, <real>-0.33333333333333165)
        p = mul_add(odd, s, p)
    return p


cdef void log_cosh(
    const real* pred, const real* target, const double* p, real* value, real* slope, Py_ssize_t n
) noexcept nogil:
    """With s = r² and e = exp(-2 |r|): s/2 + s² p(s) up to 1 and |r| - log(2) + log(1 + e) beyond; the slope, tanh, is
    r + r s p(s) up to 1/2 and (1 - e) / (1 + e) beyond."""
    cdef real half = 0.5, one = 1, two = 2, r, a, s, near, far, e
    cdef Py_ssize_t i
    for i in range(n):
        r = pred[i] - target[i]
        a = absolute(r)
        s = r * r
        e = exp_nonpositive(-two * a)
        near = mul_add(half, s, mul_add(s * s, log_cosh_quartic(s), half * square_lost(r, s)))
        far = (a - log2_first(a)) + (log1p_unit(e) - log2_rest(a))
        value[i] = near if a < one else far
        near = mul_add(r, s * tanh_cubic(s), r)
        far = with_sign_of(r, (one - e) / (one + e))
        slope[i] = near if a < half else far


cdef void log_cosh_curvature(
    const real* pred, const real* target, const double* p, real* out, Py_ssize_t n
) noexcept nogil:
    """1 / cosh(r)² = 4 e / (1 + e)² with e = exp(-2 |r|)."""
    cdef real zero = 0, one = 1, two = 2, four = 4, r, gone, e, rest
    cdef Py_ssize_t i
    for i in range(n):
        r = pred[i] - target[i]
        gone = difference_lost(pred[i], target[i], r)          # a residual's last digit is many in its exponential
        e = exp_of_sum(-two * absolute(r), two * (gone if r < zero else -gone))
        rest = one / (one + e)
        out[i] = four * e * rest * rest


cdef void pseudo_huber(
    const real* pred, const real* target, const double* p, real* value, real* slope, Py_ssize_t n
) noexcept nogil:
    """r² / (root + 1) and r / root, where root = sqrt(1 + r²/δ²); beyond δ, both with δ/r taken out."""
    cdef real delta = <real>p[0], r, c, root, share
    cdef Py_ssize_t i
    for i in range(n):
        r = pred[i] - target[i]
        c = clip(r, -delta, delta)
        root = hyperbola(absolute(r), delta, &share)
        value[i] = c * (r / (root + share))
        slope[i] = c / root


cdef void pseudo_huber_curvature(
    const real* pred, const real* target, const double* p, real* out, Py_ssize_t n
) noexcept nogil:
    cdef real delta = <real>p[0], root, share, k
    cdef Py_ssize_t i
    for i in range(n):
        root = hyperbola(absolute(pred[i] - target[i]), delta, &share)
        k = share / root
        out[i] = k * k * k


cdef void quantile(
    const real* pred, const real* target, const double* p, real* value, real* slope, Py_ssize_t n
) noexcept nogil:
    cdef real above = <real>(1 - p[0]), below = <real>p[0], zero = 0, r
    cdef Py_ssize_t i
    for i in range(n):
        r = pred[i] - target[i]
        value[i] = above * r if r > zero else below * (zero - r)
        slope[i] = above if r > zero else (-below if r < zero else r + zero)


cdef void epsilon_insensitive(
    const real* pred, const real* target, const double* p, real* value, real* slope, Py_ssize_t n
) noexcept nogil:
    """|r| - ε where that is positive, with what r and ε have lost by rounding: near the edge nothing else is left."""
    cdef real epsilon = <real>p[0], epsilon_low = <real>(p[0] - epsilon), zero = 0, one = 1, r, gone, beyond, side
    cdef Py_ssize_t i
    for i in range(n):
        r = pred[i] - target[i]
        gone = difference_lost(pred[i], target[i], r)
        beyond = (absolute(r) - epsilon) + ((-gone if r < zero else gone) - epsilon_low)
        side = one if r > zero else (-one if r < zero else r)
        value[i] = zero if beyond <= zero else beyond
        slope[i] = zero if beyond <= zero else side


kernels = {
    "mse": pointwise(mse[float], mse[double], mse_curvature[float], mse_curvature[double]),
    "mae": pointwise(mae[float], mae[double], mae_curvature[float], mae_curvature[double]),
    "huber": pointwise(huber[float], huber[double], huber_curvature[float], huber_curvature[double]),
    "smoothl1": pointwise(smoothl1[float], smoothl1[double], smoothl1_curvature[float], smoothl1_curvature[double]),
    "log_cosh": pointwise(log_cosh[float], log_cosh[double], log_cosh_curvature[float], log_cosh_curvature[double]),
    "pseudo_huber": pointwise(
        pseudo_huber[float], pseudo_huber[double], pseudo_huber_curvature[float], pseudo_huber_curvature[double]
    ),
    # Straight lines: what has the kinks of absolute error has its curvature.
    "quantile": pointwise(quantile[float], quantile[double], mae_curvature[float], mae_curvature[double]),
    "epsilon_insensitive": pointwise(
        epsilon_insensitive[float], epsilon_insensitive[double], mae_curvature[float], mae_curvature[double]
    ),
}
