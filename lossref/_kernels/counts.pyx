"""Losses of counts and amounts, block by block. The prediction f is the logarithm of the mean, and d is f - log(y)."""

from libc.math cimport INFINITY, NAN

from lossref._kernels.drivers cimport pointwise
from lossref._kernels.entry cimport BLOCK, real
from lossref._kernels.vecmath cimport (
    absolute, difference_lost, exp, exp_and_rest, exp_rest, log_of_product, log_parts, mul_add, normalised_of_any,
    product_lost,
)


cdef inline real count(real y) noexcept nogil:
    """y itself where it is 0 or more, NaN elsewhere."""
    cdef real zero = 0, nan = <real>NAN
    return y if y >= zero else nan


cdef inline real amount(real y) noexcept nogil:
    """y itself where it is more than 0, NaN elsewhere."""
    cdef real zero = 0, nan = <real>NAN
    return y if y > zero else nan


cdef inline real logarithm(real y, real* low) noexcept nogil:
    """log(y) in two parts where y > 0."""
    cdef real zero = 0, one = 1, k, m = normalised_of_any(y, &k)
    return log_parts(k, m - one, zero, low)


cdef inline real nearly(real x) noexcept nogil:
    """Up to here exp(x) - 1 - x is a polynomial; beyond, the terms hardly cancel."""
    return <real>0.34


# --- Poisson ---------------------------------------------------------------------------------------------------------

cdef void poisson(
    const real* pred, const real* target, const double* p, real* value, real* slope, Py_ssize_t n
) noexcept nogil:
    """y (exp(d) - 1 - d) near exp(f) = y, exp(f) - y - y d elsewhere."""
    cdef real zero = 0, one = 1, infinity = <real>INFINITY, f, y, m, k, mean, d, far
    cdef Py_ssize_t i
    for i in range(n):
        f = pred[i]
        y = count(target[i])
        mean = exp(f)
        m = normalised_of_any(y, &k)
        d = f - log_of_product(k, m - one)
        far = mean if y == zero else (mean - y) - y * d
        far = mean + y if mean == infinity else far             # not inf - inf, and NaN if y is
        value[i] = y * exp_rest(d, zero) if absolute(d) < nearly(d) else far
        slope[i] = mean - y


cdef void poisson_curvature(
    const real* pred, const real* target, const double* p, real* out, Py_ssize_t n
) noexcept nogil:
    """exp(f)."""
    cdef real y, mean
    cdef Py_ssize_t i
    for i in range(n):
        y = count(target[i])
        mean = exp(pred[i])
        out[i] = mean if y == y else y


# --- Gamma -----------------------------------------------------------------------------------------------------------

cdef inline void falls(const real* pred, const real* target, real* fall, real* lost, Py_ssize_t n) noexcept nogil:
    """-d = log(y) - f in two parts. A loop of its own: one that took the exponential as well would wait for each
    logarithm."""
    cdef real f, y, high, low
    cdef Py_ssize_t i
    for i in range(n):
        f = pred[i]
        y = amount(target[i])
        high = logarithm(y, &low)
        high = high if y < <real>INFINITY else y                # the logarithm takes NaN for a number
        fall[i] = high - f
        lost[i] = difference_lost(high, f, fall[i]) + low


cdef void gamma(
    const real* pred, const real* target, const double* p, real* value, real* slope, Py_ssize_t n
) noexcept nogil:
    """exp(-d) - 1 + d."""
    cdef real fall[BLOCK]
    cdef real lost[BLOCK]
    cdef real one = 1, infinity = <real>INFINITY, q, rest, far
    cdef Py_ssize_t i
    falls(pred, target, fall, lost, n)
    for i in range(n):
        q = exp_and_rest(fall[i], lost[i], &rest)               # exp(-f) alone may be no float
        far = q if q == infinity else (q - one) - fall[i]
        value[i] = rest if absolute(fall[i]) < nearly(rest) else far
        slope[i] = one - q


cdef void gamma_curvature(
    const real* pred, const real* target, const double* p, real* out, Py_ssize_t n
) noexcept nogil:
    """y exp(-f)."""
    cdef real fall[BLOCK]
    cdef real lost[BLOCK]
    cdef real rest
    cdef Py_ssize_t i
    falls(pred, target, fall, lost, n)
    for i in range(n):
        out[i] = exp_and_rest(fall[i], lost[i], &rest)


# --- Tweedie ---------------------------------------------------------------------------------------------------------

cdef inline real exp_times(real x, real x_low, real factor, real factor_low) noexcept nogil:
    """exp((factor + factor_low) (x + x_low)): what the product rounds off would be many digits of the exponential."""
    cdef real zero = 0, product = factor * x, y = exp(product)
    cdef real low = product_lost(factor, x, product) + mul_add(factor, x_low, factor_low * x)
    low = low if absolute(low) < absolute(product) else zero    # at infinity, where nothing is lost
    return y if y == <real>INFINITY else mul_add(y, low, y)


cdef inline real moderate(real x) noexcept nogil:
    """Up to this size of x both exp(x) and exp(-x) are normal floats; beyond, their product with y may still be one."""
    if real is float:
        return 86
    else:
        return 707


cdef inline real mixed(real f, real y, real b, real b_low) noexcept nogil:
    """y exp(-b f), likewise."""
    cdef real zero = 0, half = 0.5, root = exp_times(f, zero, -half * b, -half * b_low)
    root = y * exp_times(f, zero, -b, -b_low) if b * absolute(f) < moderate(f) else y * root * root
    return zero if y == zero else root


cdef inline real part(real power, real whole, real a, real d) noexcept nogil:
    """(power - whole (1 + a d)) / a where power = whole exp(a d); near 0 as whole (exp(a d) - 1 - a d) / a."""
    cdef real zero = 0, one = 1, x = a * d
    return whole * exp_rest(x, zero) / a if absolute(x) < nearly(x) else (power - whole * (one + x)) / a


cdef void tweedie(
    const real* pred, const real* target, const double* p, real* value, real* slope, Py_ssize_t n
) noexcept nogil:
    """Where the powers are those of the mean, exp(a f), of the target, and of the two mixed, y exp(-b f)."""
    cdef real a = <real>(2 - p[0]), a_low = <real>((2 - p[0]) - <double>a)
    cdef real b = <real>(p[0] - 1), b_low = <real>((p[0] - 1) - <double>b)
    cdef real zero = 0, infinity = <real>INFINITY, f, y, above, below, high, low, whole, d, total
    cdef Py_ssize_t i
    for i in range(n):
        f = pred[i]
        y = count(target[i])
        above = exp_times(f, zero, a, a_low)
        below = mixed(f, y, b, b_low)
        high = logarithm(y, &low)
        whole = exp_times(high, low, a, a_low)
        whole = whole if y < infinity else y                    # the logarithm takes NaN for a number
        d = (f - high) - low
        total = part(above, whole, a, d) - part(below, whole, -b, d)
        total = above / a if y == zero else total
        total = above + y if above == infinity else total       # not inf - inf, and NaN if y is
        value[i] = below if below == infinity else total
        slope[i] = above - below


cdef void tweedie_curvature(
    const real* pred, const real* target, const double* p, real* out, Py_ssize_t n
) noexcept nogil:
    """a exp(a f) + b y exp(-b f)."""
    cdef real a = <real>(2 - p[0]), a_low = <real>((2 - p[0]) - <double>a)
    cdef real b = <real>(p[0] - 1), b_low = <real>((p[0] - 1) - <double>b)
    cdef real zero = 0
    cdef Py_ssize_t i
    for i in range(n):
        out[i] = a * exp_times(pred[i], zero, a, a_low) + b * mixed(pred[i], count(target[i]), b, b_low)


kernels = {
    "poisson": pointwise(poisson[float], poisson[double], poisson_curvature[float], poisson_curvature[double]),
    "gamma": pointwise(gamma[float], gamma[double], gamma_curvature[float], gamma_curvature[double]),
    "tweedie": pointwise(tweedie[float], tweedie[double], tweedie_curvature[float], tweedie_curvature[double]),
}
