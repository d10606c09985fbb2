"""Cross-entropies: from logits, where nothing cancels, and from probabilities, where nothing is clamped."""

from lossref._kernels.classes cimport (
    cross_entropy_of_mass, even_distance, exponentials, largest, nan_of, nan_unless_probabilities, place_of,
    present, probability, softmax_curvature, sum_of_others,
)
from lossref._kernels.drivers cimport ordered_sum, pointwise
from lossref._kernels.drivers_rows cimport rowwise
from lossref._kernels.entry cimport real
from lossref._kernels.vecmath cimport absolute, exp_nonpositive, log, log1p, log1p_unit, mul_add


# --- Two classes: a logit or a probability, and a target from 0 to 1 ---------------------------------------------

cdef void binary_cross_entropy(
    const real* pred, const real* target, const double* p, real* value, real* slope, Py_ssize_t n
) noexcept nogil:
    """ω y softplus(-z) + (1 - y) softplus(z), both softplus from one e = exp(-|z|) and its log1p."""
    cdef real keep = <real>(1 - p[0]), spread = <real>(p[0] / 2), zero = 0, one = 1
    cdef real omega_keep = <real>(p[1] * (1 - p[0])), omega_spread = <real>(p[1] * (p[0] / 2))
    cdef real z, y, a, b, near, far, size, cost, e, pull
    cdef Py_ssize_t i
    for i in range(n):
        z = pred[i]
        y = probability(target[i])
        a = present(mul_add(y, omega_keep, omega_spread), y)    # the mass on class 1, and on class 0
        b = mul_add(one - y, keep, spread)
        size = absolute(z)
        near = a if z > zero else b                 # the mass on the class that the logit speaks for, and against
        far = b if z > zero else a
        e = exp_nonpositive(-size)
        cost = far * size if far > zero else far    # no mass, no cost: not 0 · inf
        value[i] = mul_add(a + b, log1p_unit(e), cost)
        pull = mul_add(-near, e, far) / (one + e)   # sigmoid(|z|) = 1 / (1 + e), sigmoid(-|z|) = e / (1 + e)
        slope[i] = pull if z > zero else -pull


cdef void binary_cross_entropy_curvature(
    const real* pred, const real* target, const double* p, real* out, Py_ssize_t n
) noexcept nogil:
    cdef real keep = <real>(1 - p[0]), spread = <real>(p[0] / 2), omega = <real>p[1], zero = 0, one = 1
    cdef real z, y, e, rest
    cdef Py_ssize_t i
    for i in range(n):
        z = pred[i]
        y = probability(target[i])
        e = exp_nonpositive(-z if z > zero else z)
        rest = one / (one + e)
        out[i] = (omega * (y * keep + spread) + ((one - y) * keep + spread)) * (e * rest) * rest


cdef inline bint are_hard(const real* y, Py_ssize_t n) noexcept nogil:
    """Is each 0 or 1?"""
    cdef real zero = 0, one = 1
    cdef int others = 0
    cdef Py_ssize_t i
    for i in range(n):
        others |= (y[i] != zero) & (y[i] != one)
    return others == 0


cdef inline void of_hard_labels(
    const real* pred, const real* target, real omega, real* value, real* slope, Py_ssize_t n
) noexcept nogil:
    """-ω log q where y = 1, -log(1 - q) where y = 0: one logarithm and one division instead of two."""
    cdef real zero = 0, one = 1, q, own, lost, mass, pull
    cdef Py_ssize_t i
    for i in range(n):
        q = probability(pred[i])
        own = q if target[i] == one else one - q
        lost = zero if target[i] == one else (one - own) - q
        mass = omega if target[i] == one else one
        pull = mass / own
        # Of log(own + lost) the second part is lost / own, and own is nearly 1 wherever that counts.
        value[i] = mass * (zero - log(own) - lost)
        slope[i] = -pull if target[i] == one else pull


cdef void binary_cross_entropy_probabilities(
    const real* pred, const real* target, const double* p, real* value, real* slope, Py_ssize_t n
) noexcept nogil:
    """-ω y log q - (1 - y) log(1 - q); what has no mass counts nothing, however improbable it was."""
    cdef real keep = <real>(1 - p[0]), spread = <real>(p[0] / 2), omega = <real>p[1], zero = 0, one = 1
    cdef real q, y, a, b
    cdef Py_ssize_t i
    if p[0] == 0 and are_hard(target, n):
        of_hard_labels(pred, target, omega, value, slope, n)
        return
    for i in range(n):
        q = probability(pred[i])
        y = probability(target[i])
        a = present(omega * (y * keep + spread), y)
        b = (one - y) * keep + spread
        value[i] = -(a * log(q) if a != zero else zero * q) - (b * log1p(-q) if b != zero else zero * q)
        slope[i] = (b / (one - q) if b != zero else zero * q) - (a / q if a != zero else zero * q)


cdef void binary_cross_entropy_probabilities_curvature(
    const real* pred, const real* target, const double* p, real* out, Py_ssize_t n
) noexcept nogil:
    cdef real keep = <real>(1 - p[0]), spread = <real>(p[0] / 2), omega = <real>p[1], zero = 0, one = 1
    cdef real q, y, a, b
    cdef Py_ssize_t i
    for i in range(n):
        q = probability(pred[i])
        y = probability(target[i])
        a = present(omega * (y * keep + spread), y)
        b = (one - y) * keep + spread
        out[i] = (b / (one - q) / (one - q) if b != zero else zero * q) + (a / q / q if a != zero else zero * q)


# --- Many classes: a row of logits or probabilities, and a label or a row of target mass --------------------------

cdef double categorical_cross_entropy(
    const real* x, const real* a, Py_ssize_t label, double whole, const double* p, double scale,
    real* slope, Py_ssize_t n
) noexcept nogil:
    """log Σ exp(z) - z of the target. Sums leave out the largest term, which is 1: confidence costs no digits."""
    cdef real top, own, share
    cdef double others, total
    cdef Py_ssize_t j
    if a != NULL:
        return cross_entropy_of_mass(x, a, scale, slope, n)
    top = largest(x, n)
    exponentials(x, top, slope, n)
    own = slope[label]
    slope[label] = 0
    others = ordered_sum(slope, n)
    total = others + own
    share = <real>(scale * whole / total)
    for j in range(n):
        slope[j] *= share
    slope[label] = <real>(-scale * whole * (others / total))         # p - 1 without the subtraction
    return whole * (log1p(others) if own == 1 else log(total) + (<double>top - x[label]))


cdef double categorical_cross_entropy_smoothed(
    const real* x, const real* a, Py_ssize_t label, double whole, const double* p, double scale,
    real* slope, Py_ssize_t n
) noexcept nogil:
    """The same with a mass of ε/n on each class and 1 - ε more on the label, for which no row of masses is needed."""
    cdef real top, own, share, factor = <real>scale, each = <real>(p[0] / n), hot = <real>(1 - p[0]), peak = hot + each
    cdef double others, total, mass
    cdef Py_ssize_t j, k
    if a != NULL:
        return cross_entropy_of_mass(x, a, scale, slope, n)
    whole = peak + (n - 1) * <double>each
    top = largest(x, n)
    exponentials(x, top, slope, n)
    k = place_of(top, x, n)
    others = sum_of_others(slope, k, n)
    total = others + slope[k]
    mass = peak if k == label else each
    mass = (whole - mass) * (slope[k] / total) - mass * (others / total)
    share = <real>(whole / total)
    own = slope[label] * share - peak
    for j in range(n):
        slope[j] = factor * (slope[j] * share - each)
    slope[label] = factor * own
    slope[k] = <real>(scale * mass)
    return whole * log1p(others) + even_distance(x, top, each, n) + hot * (<double>top - x[label])


cdef double categorical_cross_entropy_curvature(
    const real* x, const real* a, Py_ssize_t label, double whole, const double* p, double scale,
    real* out, Py_ssize_t n
) noexcept nogil:
    return softmax_curvature(x, scale * (whole if a == NULL else ordered_sum(a, n)), out, n)


cdef double categorical_cross_entropy_probabilities(
    const real* q, const real* a, Py_ssize_t label, double whole, const double* p, double scale,
    real* slope, Py_ssize_t n
) noexcept nogil:
    """-Σ a log q. A row with something that is no probability is NaN throughout."""
    cdef real zero = 0, factor = <real>scale, bad = nan_unless_probabilities(q, n)
    cdef double value
    cdef Py_ssize_t j
    if a == NULL:
        for j in range(n):
            slope[j] = bad
        slope[label] = <real>(-scale * whole / q[label]) + bad
        return bad - whole * log(<double>q[label])
    for j in range(n):
        slope[j] = a[j] * log(q[j]) if a[j] != zero else zero
    value = bad - ordered_sum(slope, n)
    for j in range(n):
        slope[j] = (-factor * a[j] / q[j] if a[j] != zero else zero) + bad
    return value


cdef double categorical_cross_entropy_probabilities_curvature(
    const real* q, const real* a, Py_ssize_t label, double whole, const double* p, double scale,
    real* out, Py_ssize_t n
) noexcept nogil:
    cdef real zero = 0, factor = <real>scale, bad = nan_unless_probabilities(q, n)
    cdef Py_ssize_t j
    for j in range(n):
        out[j] = (factor * a[j] / q[j] / q[j] if a != NULL and a[j] != zero else zero) + bad
    if a == NULL:
        out[label] = <real>(scale * whole / q[label] / q[label]) + bad
    return 0


cdef double nll(
    const real* x, const real* a, Py_ssize_t label, double whole, const double* p, double scale,
    real* slope, Py_ssize_t n
) noexcept nogil:
    """-Σ a z: what has no mass counts nothing, even -inf."""
    cdef real zero = 0, factor = <real>-scale, bad = nan_of(x, n)
    cdef double value
    cdef Py_ssize_t j
    if a == NULL:
        for j in range(n):
            slope[j] = bad
        slope[label] = <real>(-scale * whole) + bad
        return bad - whole * x[label] if whole != 0 else bad
    for j in range(n):
        slope[j] = a[j] * x[j] if a[j] != zero else zero
    value = bad - ordered_sum(slope, n)
    for j in range(n):
        slope[j] = factor * a[j] + bad
    return value


cdef double nll_curvature(
    const real* x, const real* a, Py_ssize_t label, double whole, const double* p, double scale,
    real* out, Py_ssize_t n
) noexcept nogil:
    cdef real zero = 0, bad = nan_of(x, n)
    cdef Py_ssize_t j
    for j in range(n):
        out[j] = bad if a == NULL else zero * a[j] + bad
    return 0


cdef double brier(
    const real* q, const real* a, Py_ssize_t label, double whole, const double* p, double scale,
    real* slope, Py_ssize_t n
) noexcept nogil:
    """Σ (q - a)². A row with something that is no probability is NaN throughout."""
    cdef real zero = 0, one = 1, factor = <real>(2 * scale), bad = nan_unless_probabilities(q, n), error
    cdef double value
    cdef Py_ssize_t j
    for j in range(n):
        error = q[j] - (a[j] if a != NULL else zero)
        slope[j] = error * error
    if a == NULL:
        slope[label] = (q[label] - one) * (q[label] - one)
    value = ordered_sum(slope, n) + bad
    for j in range(n):
        slope[j] = factor * (q[j] - (a[j] if a != NULL else zero)) + bad
    if a == NULL:
        slope[label] = factor * (q[label] - one) + bad
    return value


cdef double brier_curvature(
    const real* q, const real* a, Py_ssize_t label, double whole, const double* p, double scale,
    real* out, Py_ssize_t n
) noexcept nogil:
    cdef real zero = 0, factor = <real>(2 * scale), bad = nan_unless_probabilities(q, n)
    cdef Py_ssize_t j
    for j in range(n):
        out[j] = factor + bad + (zero * a[j] if a != NULL else zero)
    return 0


kernels = {
    "binary_cross_entropy": pointwise(
        binary_cross_entropy[float], binary_cross_entropy[double],
        binary_cross_entropy_curvature[float], binary_cross_entropy_curvature[double],
    ),
    "binary_cross_entropy_probabilities": pointwise(
        binary_cross_entropy_probabilities[float], binary_cross_entropy_probabilities[double],
        binary_cross_entropy_probabilities_curvature[float], binary_cross_entropy_probabilities_curvature[double],
    ),
    "categorical_cross_entropy": rowwise(
        categorical_cross_entropy[float], categorical_cross_entropy[double],
        categorical_cross_entropy_curvature[float], categorical_cross_entropy_curvature[double],
    ),
    "categorical_cross_entropy_smoothed": rowwise(
        categorical_cross_entropy_smoothed[float], categorical_cross_entropy_smoothed[double],
        categorical_cross_entropy_curvature[float], categorical_cross_entropy_curvature[double],
    ),
    "categorical_cross_entropy_probabilities": rowwise(
        categorical_cross_entropy_probabilities[float], categorical_cross_entropy_probabilities[double],
        categorical_cross_entropy_probabilities_curvature[float],
        categorical_cross_entropy_probabilities_curvature[double],
    ),
    "nll": rowwise(nll[float], nll[double], nll_curvature[float], nll_curvature[double]),
    "brier": rowwise(brier[float], brier[double], brier_curvature[float], brier_curvature[double]),
}
