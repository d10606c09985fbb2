"""Steps by the sign of the gradient, block by block: how large it is does not matter."""

from lossref._kernels.algebra cimport sign
from lossref._kernels.entry cimport real
from lossref._kernels.entry_steps cimport step


cdef void rprop(real* theta, const real* g, real** state, const double* p, Py_ssize_t n) noexcept nogil:
    cdef real start = <real>p[0], minus = <real>p[1], plus = <real>p[2], least = <real>p[3], most = <real>p[4]
    cdef real one = 1, zero = 0, now, agreed, size
    cdef real* s = state[0]
    cdef real* last = state[1]
    cdef Py_ssize_t i
    for i in range(n):
        now = sign(g[i])
        agreed = now * last[i]
        size = (s[i] + start) * (plus if agreed > zero else (minus if agreed < zero else one))
        size = least if size < least else size
        size = most if size > most else size
        s[i] = size
        last[i] = zero if agreed < zero else now
        theta[i] -= size * last[i]


cdef void signsgd(real* theta, const real* g, real** state, const double* p, Py_ssize_t n) noexcept nogil:
    cdef real lr = <real>p[0], kept = <real>p[1]
    cdef Py_ssize_t i
    for i in range(n):
        theta[i] = kept * theta[i] - lr * sign(g[i])


cdef void lion(real* theta, const real* g, real** state, const double* p, Py_ssize_t n) noexcept nogil:
    cdef real lr = <real>p[0], kept = <real>p[1], c
    cdef real beta1 = <real>p[2], rest1 = <real>p[3], beta2 = <real>p[4], rest2 = <real>p[5]
    cdef real* m = state[0]
    cdef Py_ssize_t i
    for i in range(n):
        c = beta1 * m[i] + rest1 * g[i]
        m[i] = beta2 * m[i] + rest2 * g[i]
        theta[i] = kept * theta[i] - lr * sign(c)


kernels = {
    "rprop": step(rprop[float], rprop[double], 2),
    "signsgd": step(signsgd[float], signsgd[double], 0),
    "lion": step(lion[float], lion[double], 1),
}
