"""Margin losses. For two classes block by block: ``t`` is the margin, label times score; the label is -1 or +1, so it
is exact. For many classes row by row.

That labels are labels is looked at before a kernel runs (``entry.pyx``, ``entry_rows.pyx``); here only NaN has to be
let through.
"""

from libc.math cimport INFINITY

from lossref._kernels.classes cimport largest, nan_of, place_of
from lossref._kernels.drivers cimport ordered_sum, pointwise
from lossref._kernels.drivers_rows cimport rowwise
from lossref._kernels.entry cimport Pointwise, map32, map64, pair32, pair64, real
from lossref._kernels.vecmath cimport difference_lost, exp


cdef inline real shortfall(real t, real margin) noexcept nogil:
    """How much is missing to the margin that is asked for; 0 where nothing is, NaN where one is NaN."""
    cdef real zero = 0, missing = margin - t
    return zero if missing < zero else missing


cdef void hinge(
    const real* pred, const real* target, const double* p, real* value, real* slope, Py_ssize_t n
) noexcept nogil:
    cdef real margin = <real>p[0], zero = 0, missing
    cdef Py_ssize_t i
    for i in range(n):
        missing = shortfall(target[i] * pred[i], margin)
        value[i] = missing
        slope[i] = -target[i] if missing > zero else missing        # 0 at the kink, NaN at NaN


cdef void hinge_curvature(
    const real* pred, const real* target, const double* p, real* out, Py_ssize_t n
) noexcept nogil:
    cdef real zero = 0, t
    cdef Py_ssize_t i
    for i in range(n):
        t = target[i] * pred[i]
        out[i] = zero if t == t else t


cdef void squared_hinge(
    const real* pred, const real* target, const double* p, real* value, real* slope, Py_ssize_t n
) noexcept nogil:
    cdef real margin = <real>p[0], zero = 0, missing
    cdef Py_ssize_t i
    for i in range(n):
        missing = shortfall(target[i] * pred[i], margin)
        value[i] = missing * missing
        slope[i] = zero - target[i] * (missing + missing)


cdef void squared_hinge_curvature(
    const real* pred, const real* target, const double* p, real* out, Py_ssize_t n
) noexcept nogil:
    cdef real margin = <real>p[0], zero = 0, two = 2, missing
    cdef Py_ssize_t i
    for i in range(n):
        missing = shortfall(target[i] * pred[i], margin)
        out[i] = two if missing > zero else missing


cdef void perceptron(
    const real* pred, const real* target, const double* p, real* value, real* slope, Py_ssize_t n
) noexcept nogil:
    """The hinge that asks for no margin."""
    cdef double margin = 0
    hinge(pred, target, &margin, value, slope, n)


cdef void modified_huber(
    const real* pred, const real* target, const double* p, real* value, real* slope, Py_ssize_t n
) noexcept nogil:
    cdef real zero = 0, one = 1, two = 2, four = 4, t, missing
    cdef Py_ssize_t i
    for i in range(n):
        t = target[i] * pred[i]
        missing = shortfall(t, one)
        value[i] = -four * t if t < -one else missing * missing
        missing = two if missing > two else missing                 # beyond t = -1 a straight line
        slope[i] = zero - target[i] * (missing + missing)


cdef void modified_huber_curvature(
    const real* pred, const real* target, const double* p, real* out, Py_ssize_t n
) noexcept nogil:
    cdef real zero = 0, one = 1, two = 2, t, missing
    cdef Py_ssize_t i
    for i in range(n):
        t = target[i] * pred[i]
        missing = shortfall(t, one)
        out[i] = zero if t < -one else (two if missing > zero else missing)


cdef void exponential_loss(
    const real* pred, const real* target, const double* p, real* value, real* slope, Py_ssize_t n
) noexcept nogil:
    cdef real e
    cdef Py_ssize_t i
    for i in range(n):
        e = exp(-target[i] * pred[i])
        value[i] = e
        slope[i] = -target[i] * e


cdef void exponential_loss_curvature(
    const real* pred, const real* target, const double* p, real* out, Py_ssize_t n
) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        out[i] = exp(-target[i] * pred[i])


# --- Many classes: a row of scores and a label --------------------------------------------------------------------

cdef inline real lead_missing(real rival, real own, real margin, real margin_low) noexcept nogil:
    """margin + rival - own where that is positive, with what the sums lose by rounding: near 0 nothing else is left."""
    cdef real zero = 0, gap = rival - own, missing = margin + gap
    missing += difference_lost(rival, own, gap) + (difference_lost(margin, -gap, missing) + margin_low)
    return zero if missing < zero else missing


cdef double multiclass_hinge_crammer_singer(
    const real* x, const real* a, Py_ssize_t label, double whole, const double* p, double scale,
    real* slope, Py_ssize_t n
) noexcept nogil:
    """What the label misses to its nearest rival; of equal rivals the first gets the slope."""
    cdef real margin = <real>p[0], margin_low = <real>(p[0] - margin), zero = 0, factor = <real>scale, missing
    cdef Py_ssize_t j, rival
    for j in range(n):
        slope[j] = x[j]
    slope[label] = -<real>INFINITY
    rival = place_of(largest(slope, n), slope, n)
    missing = lead_missing(slope[rival], x[label], margin, margin_low) + nan_of(x, n)
    for j in range(n):
        slope[j] = zero if missing == missing else missing
    if missing > zero:
        slope[rival] = factor
        slope[label] = -factor
    return missing


cdef double multiclass_hinge_weston_watkins(
    const real* x, const real* a, Py_ssize_t label, double whole, const double* p, double scale,
    real* slope, Py_ssize_t n
) noexcept nogil:
    """What the label misses to each of its rivals, added up; each rival too near gets a slope."""
    cdef real margin = <real>p[0], margin_low = <real>(p[0] - margin), zero = 0, one = 1, factor = <real>scale
    cdef real own = x[label], bad
    cdef double value
    cdef Py_ssize_t j
    for j in range(n):
        slope[j] = lead_missing(x[j], own, margin, margin_low)
    slope[label] = zero
    value = ordered_sum(slope, n) + nan_of(x, n)
    bad = zero if value == value else <real>value
    for j in range(n):
        slope[j] = one if slope[j] > zero else zero
    slope[label] = <real>-ordered_sum(slope, n)
    for j in range(n):
        slope[j] = factor * slope[j] + bad
    return value


cdef double multiclass_hinge_curvature(
    const real* x, const real* a, Py_ssize_t label, double whole, const double* p, double scale,
    real* out, Py_ssize_t n
) noexcept nogil:
    cdef real bad = nan_of(x, n)
    cdef Py_ssize_t j
    for j in range(n):
        out[j] = bad
    return 0


cdef Pointwise of_signs(pair32 single, pair64 double_, map32 curvature_single, map64 curvature_double):
    """The kernel of a loss whose targets are labels, -1 or +1."""
    kernel = pointwise(single, double_, curvature_single, curvature_double)
    kernel.signs = True
    return kernel


kernels = {
    "hinge": of_signs(hinge[float], hinge[double], hinge_curvature[float], hinge_curvature[double]),
    "squared_hinge": of_signs(
        squared_hinge[float], squared_hinge[double], squared_hinge_curvature[float], squared_hinge_curvature[double]
    ),
    "perceptron": of_signs(perceptron[float], perceptron[double], hinge_curvature[float], hinge_curvature[double]),
    "modified_huber": of_signs(
        modified_huber[float], modified_huber[double], modified_huber_curvature[float], modified_huber_curvature[double]
    ),
    "exponential_loss": of_signs(
        exponential_loss[float], exponential_loss[double],
        exponential_loss_curvature[float], exponential_loss_curvature[double],
    ),
    "multiclass_hinge_crammer_singer": rowwise(
        multiclass_hinge_crammer_singer[float], multiclass_hinge_crammer_singer[double],
        multiclass_hinge_curvature[float], multiclass_hinge_curvature[double],
    ),
    "multiclass_hinge_weston_watkins": rowwise(
        multiclass_hinge_weston_watkins[float], multiclass_hinge_weston_watkins[double],
        multiclass_hinge_curvature[float], multiclass_hinge_curvature[double],
    ),
}
