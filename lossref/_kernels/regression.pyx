"""Regression losses, block by block. ``r`` is the residual, prediction minus target."""

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
        slope[i] = 2 * r


cdef void mse_curvature(const real* pred, const real* target, const double* p, real* out, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        out[i] = 2 + 0 * (pred[i] - target[i])      # the second term lets NaN through


cdef void mae(
    const real* pred, const real* target, const double* p, real* value, real* slope, Py_ssize_t n
) noexcept nogil:
    cdef real r
    cdef Py_ssize_t i
    for i in range(n):
        r = pred[i] - target[i]
        value[i] = -r if r < 0 else r
        slope[i] = 1 if r > 0 else (-1 if r < 0 else r)     # the sign; 0 at 0, NaN at NaN


cdef void mae_curvature(const real* pred, const real* target, const double* p, real* out, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        out[i] = 0 * (pred[i] - target[i])


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
    cdef real delta = <real>p[0], r
    cdef Py_ssize_t i
    for i in range(n):
        r = pred[i] - target[i]
        out[i] = 0 if r > delta else (0 if r < -delta else 1 + 0 * r)


kernels = {
    "mse": pointwise(mse[float], mse[double], mse_curvature[float], mse_curvature[double]),
    "mae": pointwise(mae[float], mae[double], mae_curvature[float], mae_curvature[double]),
    "huber": pointwise(huber[float], huber[double], huber_curvature[float], huber_curvature[double]),
}
