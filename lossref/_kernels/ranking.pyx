"""Ranking losses over rows: a row holds the scores of the items of one list, its target their relevances."""

from lossref._kernels.classes cimport cross_entropy_of_mass, exponentials, largest, nan_of, softmax_curvature
from lossref._kernels.drivers cimport block_sum, ordered_sum
from lossref._kernels.drivers_rows cimport rowwise
from lossref._kernels.entry cimport BLOCK, real
from lossref._kernels.vecmath cimport absolute, difference_lost, exp_of_sum, log1p_unit


cdef inline const real* top_one(const real* a, real* room, Py_ssize_t n) noexcept nogil:
    """The softmax of the relevances, in their own place: the driver has copied the row to where it may be written."""
    cdef real* q = <real*>a
    cdef real share
    cdef Py_ssize_t j
    exponentials(a, largest(a, n), room, n)
    share = <real>(1 / ordered_sum(room, n))
    for j in range(n):
        q[j] = room[j] * share
    return q


cdef double list_net(
    const real* x, const real* a, Py_ssize_t label, double whole, const double* p, double scale,
    real* slope, Py_ssize_t n
) noexcept nogil:
    """Cross-entropy of one softmax under another."""
    return cross_entropy_of_mass(x, top_one(a, slope, n), scale, slope, n)


cdef double list_net_curvature(
    const real* x, const real* a, Py_ssize_t label, double whole, const double* p, double scale,
    real* out, Py_ssize_t n
) noexcept nogil:
    whole = ordered_sum(top_one(a, out, n), n)                      # 1, or NaN
    return softmax_curvature(x, scale if whole == whole else whole, out, n)


cdef inline double shares(const real* a, double scale, Py_ssize_t n) noexcept nogil:
    """The scale divided among the pairs of unequal relevance; 0 if there are none."""
    cdef Py_ssize_t pairs = 0, i, j
    for i in range(n):
        for j in range(n):
            pairs += a[i] > a[j]
    return scale / pairs if pairs > 0 else 0


cdef inline real odds_against(real score, real own, real* gap) noexcept nogil:
    """exp(-|gap|) of the gap between two scores, with what their difference lost by rounding."""
    cdef real zero = 0, lost
    gap[0] = score - own
    lost = difference_lost(score, own, gap[0])
    return exp_of_sum(-absolute(gap[0]), -lost if gap[0] > zero else lost)


cdef double pairwise_logistic(
    const real* x, const real* a, Py_ssize_t label, double whole, const double* p, double scale,
    real* slope, Py_ssize_t n
) noexcept nogil:
    """Each item against all: softplus(gap) where it should be above, and sigmoids that pull it up and down."""
    cdef real cost[BLOCK]
    cdef real pull[BLOCK]
    cdef real zero = 0, one = 1, e, gap, larger, smaller, bad = nan_of(x, n) + nan_of(a, n)
    cdef double value = 0, pulled, factor = shares(a, 1, n)
    cdef Py_ssize_t at, i, j, m
    for i in range(n):
        pulled = 0
        at = 0
        while at < n:
            m = min(<Py_ssize_t>BLOCK, n - at)
            for j in range(m):
                e = odds_against(x[at + j], x[i], &gap)
                larger = one / (one + e)                    # sigmoid(|gap|) and sigmoid(-|gap|)
                smaller = e / (one + e)
                cost[j] = log1p_unit(e) + (gap if gap > zero else zero)
                cost[j] = cost[j] if a[i] > a[at + j] else zero
                pull[j] = (smaller if gap > zero else larger) if a[i] < a[at + j] else zero
                pull[j] = -(larger if gap > zero else smaller) if a[i] > a[at + j] else pull[j]
            value += block_sum(cost, m)
            pulled += block_sum(pull, m)
            at += BLOCK
        slope[i] = <real>(scale * factor * pulled) + bad
    return factor * value + bad


cdef double pairwise_logistic_curvature(
    const real* x, const real* a, Py_ssize_t label, double whole, const double* p, double scale,
    real* out, Py_ssize_t n
) noexcept nogil:
    cdef real bend[BLOCK]
    cdef real zero = 0, one = 1, e, gap, rest, bad = nan_of(x, n) + nan_of(a, n)
    cdef double bent, factor = shares(a, scale, n)
    cdef Py_ssize_t at, i, j, m
    for i in range(n):
        bent = 0
        at = 0
        while at < n:
            m = min(<Py_ssize_t>BLOCK, n - at)
            for j in range(m):
                e = odds_against(x[at + j], x[i], &gap)
                rest = one / (one + e)
                bend[j] = e * rest * rest if a[i] != a[at + j] else zero
            bent += block_sum(bend, m)
            at += BLOCK
        out[i] = <real>(factor * bent) + bad
    return 0


kernels = {
    "list_net": rowwise(list_net[float], list_net[double], list_net_curvature[float], list_net_curvature[double]),
    "pairwise_logistic": rowwise(
        pairwise_logistic[float], pairwise_logistic[double],
        pairwise_logistic_curvature[float], pairwise_logistic_curvature[double],
    ),
}
