"""Regression losses, block by block. ``r`` is the residual, prediction minus target.

Constants have names and the type of the arrays: a bare ``2`` would make Cython compute in float64, at half the speed.
"""

from lossref._kernels.drivers cimport pointwise
from lossref._kernels.entry cimport real


cdef inline real clip(real x, real low, real high) noexcept nogil:
    """The nearest number in [low, high]; NaN stays NaN, because every comparison with it is false."""
    x = high if x > high else x
    return low if x < low else x


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


kernels = {
    "mse": pointwise(mse[float], mse[double], mse_curvature[float], mse_curvature[double]),
    "mae": pointwise(mae[float], mae[double], mae_curvature[float], mae_curvature[double]),
    "huber": pointwise(huber[float], huber[double], huber_curvature[float], huber_curvature[double]),
}
