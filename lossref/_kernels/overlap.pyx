"""Losses of overlap: a row holds the probabilities of the elements of a mask, its target the mask."""

from lossref._kernels.classes cimport nan_unless_probabilities
from lossref._kernels.drivers cimport ordered_sum
from lossref._kernels.drivers_rows cimport rowwise
from lossref._kernels.entry cimport real


cdef inline void areas(
    const real* q, const real* a, const double* p, real* room, Py_ssize_t n, double* right, double* wrong
) noexcept nogil:
    """What is right, κ Σ q a + s, and what is wrong, α Σ q (1 - a) + β Σ a (1 - q): where the last is small, so are all
    of its terms. The room is for terms."""
    cdef real one = 1
    cdef Py_ssize_t j
    for j in range(n):
        room[j] = q[j] * a[j]
    right[0] = p[2] * ordered_sum(room, n) + p[3]
    for j in range(n):
        room[j] = q[j] * (one - a[j])
    wrong[0] = p[0] * ordered_sum(room, n)
    for j in range(n):
        room[j] = a[j] * (one - q[j])
    wrong[0] += p[1] * ordered_sum(room, n) + nan_unless_probabilities(q, n)


cdef double overlap(
    const real* q, const real* a, Py_ssize_t label, double whole, const double* p, double scale,
    real* slope, Py_ssize_t n
) noexcept nogil:
    """Wrong / (right + wrong), 0 if both are 0: nothing predicted where nothing is. Never 1 minus something."""
    cdef real zero = 0, one = 1, factor = <real>scale, up, down
    cdef double right, wrong, total
    cdef Py_ssize_t j
    areas(q, a, p, slope, n, &right, &wrong)
    total = right + wrong
    up = <real>(p[0] * right / total / total) if total != 0 else zero
    down = <real>((p[1] * right + p[2] * wrong) / total / total) if total != 0 else zero
    for j in range(n):
        slope[j] = factor * (up * (one - a[j]) - (down * a[j] if a[j] != zero else zero))
    return wrong / total if total != 0 else 0


cdef double overlap_curvature(
    const real* q, const real* a, Py_ssize_t label, double whole, const double* p, double scale,
    real* out, Py_ssize_t n
) noexcept nogil:
    """-2 slope / total, times how fast the total grows: α (1 - a) + (κ - β) a."""
    cdef real zero = 0, one = 1, factor = <real>(-2 * scale), alpha = <real>p[0], rest = <real>(p[2] - p[1]), up, down
    cdef double right, wrong, total
    cdef Py_ssize_t j
    areas(q, a, p, out, n, &right, &wrong)
    total = right + wrong
    up = <real>(p[0] * right / total / total / total) if total != 0 else zero
    down = <real>((p[1] * right + p[2] * wrong) / total / total / total) if total != 0 else zero
    for j in range(n):
        out[j] = factor * (
            (up * (one - a[j]) - (down * a[j] if a[j] != zero else zero)) * (alpha * (one - a[j]) + rest * a[j])
        )
    return 0


kernels = {
    "dice": rowwise(overlap[float], overlap[double], overlap_curvature[float], overlap_curvature[double]),
    "tversky": rowwise(overlap[float], overlap[double], overlap_curvature[float], overlap_curvature[double]),
}
