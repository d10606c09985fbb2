"""Losses for classes of which one is rare: the surprise of cross-entropy, times a power of the doubt that was left.

The doubt 1 - p is exp(-softplus) of a logit, so that any power of it costs one exponential. Its exponent, gamma times a
softplus, may be large, and what it rounds off would be multiplied by its size: it is carried along in two parts.
"""

from libc.math cimport INFINITY

from lossref._kernels.classes cimport distance, exponentials, largest, place_of, present, probability, softmax_slopes
from lossref._kernels.drivers cimport ordered_sum, pointwise
from lossref._kernels.drivers_rows cimport rowwise
from lossref._kernels.entry cimport BLOCK, real
from lossref._kernels.vecmath cimport (
    absolute, exp_nonpositive, exp_of_sum, exp_parts, log, log1p, log1p_parts, log1p_unit, log_unit_parts, mul_add,
    quotient, raised_to_least, remainder, square_lost,
)


cdef inline real power(real logarithm, real low, real gamma, real gamma_low) noexcept nogil:
    """exp((γ + γ_low) (logarithm + low)), where the logarithm is not positive."""
    cdef real least = -1e30, x
    logarithm = least if logarithm < least else logarithm           # 0 to the power of 0 is 1
    x = gamma * logarithm
    return exp_of_sum(x, mul_add(gamma_low, logarithm, mul_add(gamma, low, -remainder(x, gamma, logarithm))))


cdef inline real share_of(real mass, real weight) noexcept nogil:
    """mass weight, which is present wherever both are."""
    cdef real zero = 0
    return present(mass * weight, zero if weight == zero else mass)


# --- Two classes, from logits --------------------------------------------------------------------------------------

cdef inline void part(real z, real target, real first, real second, real* near, real* far) noexcept nogil:
    """The mass on the class that the logit speaks for, and on the one it speaks against."""
    cdef real zero = 0, one = 1, y = probability(target), a = share_of(y, first), b = share_of(one - y, second)
    near[0] = a if z > zero else b
    far[0] = b if z > zero else a


cdef inline real surprises(real reach, real* likely, real* likely_low, real* rare, real* rare_low) noexcept nogil:
    """Both softplus of a logit of that size, in two parts each: log(1 + e) and reach + log(1 + e); returns e."""
    cdef real e, e_low, high, low, most
    e = exp_parts(-reach, &e_low)
    high = log1p_parts(e, e_low, &low)
    likely[0] = high + low
    likely_low[0] = (high - likely[0]) + low
    rare[0] = reach + likely[0]
    most = rare[0] - reach
    rare_low[0] = ((reach - (rare[0] - most)) + (likely[0] - most)) + likely_low[0]
    return e


cdef void focal(
    const real* pred, const real* target, const double* p, real* value, real* slope, Py_ssize_t n
) noexcept nogil:
    """α y (1 - p)^γ softplus(-z) + (1 - α) (1 - y) p^γ softplus(z), with the likelier and the rarer class for 1 and 0.

    The slope of (1 - p)^γ (-log p) in the logit is (1 - p)^γ ((1 - p) - γ p log p), a sum of two positive terms.
    """
    cdef real gamma = <real>p[0], gamma_low = <real>(p[0] - <double>gamma)
    cdef real first = <real>p[1], second = <real>p[2], zero = 0, one = 1
    cdef real z, near, far, size, reach, e, likely, likely_low, rare, rare_low, cost, pull, whole
    cdef Py_ssize_t i
    for i in range(n):
        z = pred[i]
        part(z, target[i], first, second, &near, &far)
        size = absolute(z)
        reach = -raised_to_least(-size)             # what the exponential of is 0 need not be infinite
        e = surprises(reach, &likely, &likely_low, &rare, &rare_low)
        near *= power(-rare, -rare_low, gamma, gamma_low)
        far *= power(-likely, -likely_low, gamma, gamma_low)
        cost = size if size > rare else rare
        cost = far * cost if far > zero else far    # no mass, no cost: not 0 · inf
        value[i] = mul_add(near, likely, cost)
        pull = far * mul_add(gamma, e * rare, one) - near * mul_add(gamma, likely, e)
        whole = one + e
        pull = quotient(pull, zero, whole, (one - whole) + e)
        slope[i] = pull if z > zero else -pull


cdef inline real times_square(real mass, real q, real low) noexcept nogil:
    """mass (q + low)², rounded once."""
    cdef real two = 2, square = q * q
    return mul_add(mass, square, mass * mul_add(two * q, low, square_lost(q, square)))


cdef void focal_square(
    const real* pred, const real* target, const double* p, real* value, real* slope, Py_ssize_t n
) noexcept nogil:
    """The same where γ is 2: the square of a quotient, e / (1 + e) for the rarer class, costs no second exponential.

    Two loops: one alone would wait for each exponential."""
    cdef real odds[BLOCK]
    cdef real odds_low[BLOCK]
    cdef real first = <real>p[1], second = <real>p[2], zero = 0, one = 1, two = 2
    cdef real z, near, far, size, reach, e, e_low, whole, lost, rest, rest_low, doubt, doubt_low
    cdef real likely, likely_low, cost, twice, up, up_low, down, down_low, pull
    cdef Py_ssize_t i
    for i in range(n):
        odds[i] = exp_parts(-absolute(pred[i]), &e_low)
        odds_low[i] = e_low
    for i in range(n):
        z = pred[i]
        part(z, target[i], first, second, &near, &far)
        size = absolute(z)
        e = odds[i]
        e_low = odds_low[i]
        whole = one + e
        lost = ((one - whole) + e) + e_low
        rest = one / whole
        rest_low = (remainder(one, rest, whole) - rest * lost) * rest
        doubt = e * rest
        doubt_low = (remainder(e, doubt, whole) + (e_low - doubt * lost)) * rest
        likely = log1p_unit(e)
        likely_low = e_low * rest
        near = times_square(near, doubt, doubt_low)
        far = times_square(far, rest, rest_low)
        cost = far * (size + likely) if far > zero else far     # no mass, no cost: not 0 · inf
        value[i] = mul_add(near, likely, mul_add(near, likely_low, cost))
        twice = two * likely
        up = twice + e
        up_low = ((twice - up) + e) + mul_add(two, likely_low, e_low)
        reach = -raised_to_least(-size)
        twice = two * (e * (reach + likely))
        down = one + twice
        down_low = (one - down) + twice
        pull = mul_add(far, down, far * down_low) - mul_add(near, up, near * up_low)
        pull = mul_add(pull, rest, pull * rest_low)
        slope[i] = pull if z > zero else -pull


cdef void focal_curvature(
    const real* pred, const real* target, const double* p, real* out, Py_ssize_t n
) noexcept nogil:
    """(1 - p)^γ p ((1 - p) (1 + 2 γ) + γ (1 - p - γ p) log p) for each class.

    The rarer p is applied as the square of its root: alone it may be subnormal where its product with the rest is not.
    """
    cdef real gamma = <real>p[0], gamma_low = <real>(p[0] - <double>gamma), twice = <real>(1 + 2 * p[0])
    cdef real first = <real>p[1], second = <real>p[2], one = 1, half = 0.5
    cdef real z, near, far, size, e, root, rest, likely, likely_low, rare, rare_low
    cdef Py_ssize_t i
    for i in range(n):
        z = pred[i]
        part(z, target[i], first, second, &near, &far)
        size = absolute(z)
        e = surprises(-raised_to_least(-size), &likely, &likely_low, &rare, &rare_low)
        root = exp_nonpositive(-half * size)
        rest = one / (one + e)
        near *= power(-rare, -rare_low, gamma, gamma_low) * mul_add(gamma * likely, gamma - e, twice * e)
        far *= power(-likely, -likely_low, gamma, gamma_low) * root * mul_add(gamma * rare, gamma * e - one, twice)
        out[i] = mul_add(far, root, near) * rest * rest


# --- Two classes, from probabilities -------------------------------------------------------------------------------

cdef inline real complement_parts(real q, real* low) noexcept nogil:
    """log(1 - q) = high + low where 0 <= q <= 1, with what 1 - q rounds off; returns high, rounded."""
    cdef real zero = 0, one = 1, w = one - q, rest, high, y
    high = log_unit_parts(w, &rest)
    rest = rest + ((one - w) - q) / w if w > zero else zero
    y = high + rest
    low[0] = (high - y) + rest if w > zero else zero
    return y


cdef inline real over_doubt(real surprise, real doubt) noexcept nogil:
    """-log p over 1 - p, which is 1 at p = 1. At p = 0 a large number: infinity times a gamma of 0 would be none."""
    cdef real zero = 0, one = 1, most = 1e30
    surprise = most if surprise > most else surprise
    return surprise / doubt if doubt != zero else one


cdef inline real focal_slope(real mass, real surprise, real chance, real doubt, real gamma) noexcept nogil:
    """Minus the slope of (1 - p)^γ (-log p), where the mass contains the power."""
    return mass / chance + mass * gamma * over_doubt(surprise, doubt)


cdef void focal_probabilities(
    const real* pred, const real* target, const double* p, real* value, real* slope, Py_ssize_t n
) noexcept nogil:
    """-α y (1 - q)^γ log q - (1 - α) (1 - y) q^γ log(1 - q); what has no mass counts nothing."""
    cdef real gamma = <real>p[0], gamma_low = <real>(p[0] - <double>gamma)
    cdef real first = <real>p[1], second = <real>p[2], zero = 0, one = 1
    cdef real q, y, a, b, log_q, log_q_low, log_w, log_w_low
    cdef Py_ssize_t i
    for i in range(n):
        q = probability(pred[i]) + zero              # -0.0 is 0.0
        y = probability(target[i])
        log_q = log_unit_parts(q, &log_q_low)
        log_w = complement_parts(q, &log_w_low)
        a = share_of(y, first)
        b = share_of(one - y, second)
        a = a * power(log_w, log_w_low, gamma, gamma_low) if a != zero else zero * q
        b = b * power(log_q, log_q_low, gamma, gamma_low) if b != zero else zero * q
        value[i] = -(a * log_q if a != zero else a) - (b * log_w if b != zero else b)
        slope[i] = (
            (focal_slope(b, -log_w, one - q, q, gamma) if b != zero else b)
            - (focal_slope(a, -log_q, q, one - q, gamma) if a != zero else a)
        )


cdef inline real focal_bend(
    real mass, real surprise, real chance, real doubt, real square, real twice, bint low_power
) noexcept nogil:
    """The curvature of (1 - p)^γ (-log p), with γ (γ - 1) and 2 γ.

    The mass contains (1 - p)^(γ - 1), or where γ < 1, so that this might overflow alone, (1 - p)^γ."""
    cdef real one = 1, over = doubt if low_power else one, kept = one if low_power else doubt
    cdef real first = mass * square * over_doubt(surprise, doubt) / over
    return first + mass * twice / chance / over + mass * kept / chance / chance


cdef void focal_probabilities_curvature(
    const real* pred, const real* target, const double* p, real* out, Py_ssize_t n
) noexcept nogil:
    cdef bint low_power = p[0] < 1
    cdef double exponent = p[0] if low_power else p[0] - 1
    cdef real gamma = <real>exponent, gamma_low = <real>(exponent - <double>gamma)
    cdef real square = <real>(p[0] * (p[0] - 1)), twice = <real>(2 * p[0])
    cdef real last = <real>(1 if p[0] == 0 else INFINITY if low_power else 2 if p[0] == 1 else 0)
    cdef real first = <real>p[1], second = <real>p[2], zero = 0, one = 1
    cdef real q, w, y, a, b, log_q, log_q_low, log_w, log_w_low, up, down
    cdef Py_ssize_t i
    for i in range(n):
        q = probability(pred[i]) + zero              # -0.0 is 0.0
        w = one - q
        y = probability(target[i])
        log_q = log_unit_parts(q, &log_q_low)
        log_w = complement_parts(q, &log_w_low)
        a = share_of(y, first)
        b = share_of(one - y, second)
        up = a * power(log_w, log_w_low, gamma, gamma_low)
        down = b * power(log_q, log_q_low, gamma, gamma_low)
        up = focal_bend(up, -log_q, q, w, square, twice, low_power) if w != zero else a * last
        down = focal_bend(down, -log_w, w, q, square, twice, low_power) if q != zero else b * last
        out[i] = (up if a != zero else zero * q) + (down if b != zero else zero * q)


# --- Many classes, from a row of logits ----------------------------------------------------------------------------

cdef inline double power_of_share(double part, double total, double gamma) noexcept nogil:
    """(part / total)^γ, where the part is not negative and not more than the total."""
    cdef double low, high = log_unit_parts(part / total, &low)
    return power(high, low, gamma, 0)


cdef inline void doubts(const real* e, real* a, real share, real gamma, Py_ssize_t n) noexcept nogil:
    """The mass of each class times (1 - p)^γ. No p here is above 1/2: the largest is left to who calls."""
    cdef Py_ssize_t j
    for j in range(n):
        a[j] *= exp_nonpositive(gamma * log1p(-e[j] * share))


cdef inline real gain(real p, real surprise) noexcept nogil:
    """-p log p / (1 - p); nothing for a class that is impossible."""
    cdef real zero = 0, one = 1
    return p * surprise / (one - p) if p > zero else p


cdef inline void forces(
    const real* x, const real* e, real* h, real top, real whole, real share, real gamma, Py_ssize_t n
) noexcept nogil:
    """What the doubts become in the slope: times 1 - γ p log p / (1 - p)."""
    cdef real one = 1, p
    cdef Py_ssize_t j
    for j in range(n):
        p = e[j] * share
        h[j] *= mul_add(gamma, gain(p, whole + (top - x[j])), one)


cdef inline void bends(
    const real* x, const real* e, real* h, real top, real whole, real share, real gamma, Py_ssize_t n
) noexcept nogil:
    """What the forces become in the curvature: their derivatives, times p."""
    cdef real one = 1, two = 2, p, odds, g
    cdef Py_ssize_t j
    for j in range(n):
        p = e[j] * share
        odds = p / (one - p)
        g = gain(p, whole + (top - x[j]))
        h[j] *= gamma * (g - odds * mul_add(gamma - one, g, two)) / mul_add(gamma, g, one)


cdef double categorical_focal(
    const real* x, const real* a, Py_ssize_t label, double whole, const double* p, double scale,
    real* slope, Py_ssize_t n
) noexcept nogil:
    """Σ a (1 - p)^γ (-log p). With the force h of each class, the slope in logit j is p_j Σ h - h_j."""
    cdef real top = largest(x, n), share
    cdef real* h = <real*>a                                         # the driver's own row, which it reads no more
    cdef double others, total, own, surprise, doubt, ratio, force, value
    cdef Py_ssize_t j, k
    exponentials(x, top, slope, n)
    k = label if a == NULL else place_of(top, x, n)
    own = slope[k]
    slope[k] = 0
    others = ordered_sum(slope, n)
    total = others + own
    surprise = log1p(others) if own == 1 else log(total) + (<double>top - x[k])
    doubt = others / total                                          # 1 - p without the subtraction
    ratio = 1 + p[0] * (own / total) * (surprise / doubt if others != 0 else 1) if own != 0 else 1
    share = <real>(1 / total)
    if a == NULL:
        whole *= power_of_share(others, total, p[0])
        force = scale * whole * ratio
        share = <real>(force / total)
        for j in range(n):
            slope[j] *= share
        slope[k] = <real>(-force * doubt)
        return whole * surprise if whole != 0 else whole
    doubts(slope, h, share, <real>p[0], n)
    h[k] *= <real>power_of_share(others, total, p[0])
    value = log(total) if own != 1 else log1p(others)
    value = value * ordered_sum(h, n) + distance(x, top, h, n)
    forces(x, slope, h, top, <real>log(total), share, <real>p[0], n)
    h[k] = <real>(ratio * h[k])
    slope[k] = <real>own
    softmax_slopes(slope, h, k, others, scale, n)
    return value


cdef double categorical_focal_curvature(
    const real* x, const real* a, Py_ssize_t label, double whole, const double* p, double scale,
    real* out, Py_ssize_t n
) noexcept nogil:
    """p_j (1 - p_j) Σ h - c_j (1 - 2 p_j) - p_j^2 Σ c, where c_k = p_k dh_k / dp_k.

    The label, or without one the likeliest class, is treated alone: its c may be large, but not c times 1 - p. So is
    the likeliest class beside a label, whose 1 - p is the sum of all others."""
    cdef real top = largest(x, n), one = 1, two = 2, factor = <real>scale, share, rest, e, q
    cdef real all_forces, all_bends, bend
    cdef real* h = <real*>a
    cdef double peak = 0, remaining, others, total, own, surprise, doubt, gains, force, bent
    cdef double elsewhere = 0, others_bent = 0
    cdef Py_ssize_t j, likeliest = place_of(top, x, n), k = likeliest if a != NULL else label
    exponentials(x, top, out, n)
    own = out[k]
    out[k] = 0
    if k != likeliest:
        peak = out[likeliest]
        out[likeliest] = 0
    remaining = ordered_sum(out, n)
    others = remaining + peak
    total = others + own
    surprise = log1p(others) if own == 1 else log(total) + (<double>top - x[k])
    doubt = others / total
    gains = own / total * (surprise / doubt if others != 0 else 1) if own != 0 else 0
    force = (whole if a == NULL else <double>h[k]) * power_of_share(others, total, p[0])
    bent = force * p[0] * (own / total) * (surprise - 2 - (p[0] - 1) * gains) if own != 0 else 0
    force *= 1 + p[0] * gains
    share = <real>(1 / total)
    if a != NULL:
        doubts(out, h, share, <real>p[0], n)
        forces(x, out, h, top, <real>log(total), share, <real>p[0], n)
        h[k] = 0
        elsewhere = ordered_sum(h, n)
        bends(x, out, h, top, <real>log(total), share, <real>p[0], n)
        others_bent = ordered_sum(h, n)
        for j in range(n):
            h[j] *= one - two * out[j] * share
    all_forces = <real>(elsewhere + force)
    all_bends = <real>others_bent
    bend = <real>bent
    rest = <real>others if others != 0 else one
    for j in range(n):
        e = out[j]
        q = e * share
        e = q * ((one - q) * all_forces - q * all_bends - e / rest * bend)
        out[j] = factor * (e if a == NULL else e - h[j])
    if k != likeliest:
        out[likeliest] = <real>(scale * (peak / total) * ((remaining + own) / total * force - peak / others * bent))
    own /= total
    out[k] = <real>(scale * (doubt * (own * (elsewhere + force) - bent) - own * own * others_bent))
    return 0


kernels = {
    "focal": pointwise(focal[float], focal[double], focal_curvature[float], focal_curvature[double]),
    "focal_square": pointwise(
        focal_square[float], focal_square[double], focal_curvature[float], focal_curvature[double]
    ),
    "focal_probabilities": pointwise(
        focal_probabilities[float], focal_probabilities[double],
        focal_probabilities_curvature[float], focal_probabilities_curvature[double],
    ),
    "categorical_focal": rowwise(
        categorical_focal[float], categorical_focal[double],
        categorical_focal_curvature[float], categorical_focal_curvature[double],
    ),
}
