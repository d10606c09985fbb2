"""Steps that keep a second point beside the parameters: an average, slow weights, the place from which SAM climbed, and
the fast point of the schedule-free step.
"""

from lossref._kernels.algebra cimport root
from lossref._kernels.entry cimport real
from lossref._kernels.entry_steps cimport step


cdef void ema(real* theta, const real* g, real** state, const double* p, Py_ssize_t n) noexcept nogil:
    cdef real share = <real>p[0]
    cdef real* average = state[0]
    cdef Py_ssize_t i
    for i in range(n):
        average[i] += share * (theta[i] - average[i])


cdef void lookahead(real* theta, const real* g, real** state, const double* p, Py_ssize_t n) noexcept nogil:
    cdef real alpha = <real>p[0]
    cdef real* slow = state[0]
    cdef Py_ssize_t i
    for i in range(n):
        slow[i] += alpha * (theta[i] - slow[i])
        theta[i] = slow[i]


cdef void sam(real* theta, const real* g, real** state, const double* p, Py_ssize_t n) noexcept nogil:
    cdef real rho = <real>p[0]
    cdef real* origin = state[0]
    cdef Py_ssize_t i
    for i in range(n):
        origin[i] = theta[i]
        theta[i] += rho * g[i]


cdef void schedule_free(real* theta, const real* g, real** state, const double* p, Py_ssize_t n) noexcept nogil:
    """``theta`` is the point between the fast one, ``z``, and the average of all fast ones."""
    cdef real lr = <real>p[0], part = <real>p[1], share = <real>p[2], decay = <real>p[3]
    cdef real beta2 = <real>p[4], rest2 = <real>p[5], correction = <real>p[6], eps = <real>p[7], d
    cdef real* z = state[0]
    cdef real* v = state[1]
    cdef Py_ssize_t i
    for i in range(n):
        v[i] = beta2 * v[i] + rest2 * (g[i] * g[i])
        d = g[i] / (root(v[i]) * correction + eps) + decay * theta[i]
        theta[i] += share * (z[i] - theta[i]) - part * d
        z[i] -= lr * d


kernels = {
    "ema": step(ema[float], ema[double], 1),
    "lookahead": step(lookahead[float], lookahead[double], 1),
    "sam": step(sam[float], sam[double], 1),
    "schedule_free": step(schedule_free[float], schedule_free[double], 2),
}
