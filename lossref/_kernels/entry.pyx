"""The way in: a Python call becomes pointers, the pointers go to a driver, its numbers come back as Python objects.

The fast path takes arrays that are exactly right (one dtype, one shape, C-contiguous, aligned) and costs nanoseconds.
Everything else, and every error, goes through one Python helper, ``lossref/_arrays.py``, which the NumPy fallback uses
as well.
"""

from cpython.exc cimport PyErr_CheckSignals
from cython.parallel cimport prange

cimport numpy as cnp

from lossref import _arrays

cnp.import_array()

threads = 1


def set_threads(int n):
    """Let large work run on ``n`` threads."""
    global threads
    threads = n


cdef inline bint are_signs(const real* y, Py_ssize_t n) noexcept nogil:
    """Is each -1 or +1? (No other float has the square 1.)"""
    cdef real one = 1
    cdef int others = 0
    cdef Py_ssize_t i
    for i in range(n):
        others |= y[i] * y[i] != one
    return others == 0


cdef bint are_all_signs(const real* y, Py_ssize_t n) noexcept nogil:
    """The same, in parts that go to the threads: every check precedes the first write, and must not take as long."""
    cdef Py_ssize_t parts = threads, share = n // parts, k
    cdef int wrong = 0
    for k in prange(parts, schedule="static", num_threads=parts):
        wrong += not are_signs(y + k * share, share if k < parts - 1 else n - k * share)
    return wrong == 0


cdef bint holds_signs(object b) noexcept:
    """Is each number of an array that is ready a label, -1 or +1?"""
    cdef Py_ssize_t n = cnp.PyArray_SIZE(<cnp.ndarray>b)
    cdef bint single = cnp.PyArray_TYPE(<cnp.ndarray>b) == cnp.NPY_FLOAT32, right
    cdef const void* y = cnp.PyArray_DATA(<cnp.ndarray>b)
    if n <= PARALLEL_FROM:
        return are_signs(<const float*>y, n) if single else are_signs(<const double*>y, n)
    with nogil:
        right = are_all_signs(<const float*>y, n) if single else are_all_signs(<const double*>y, n)
    return right


cdef inline bint is_over_or_apart(object out, object a) noexcept:
    """Is each result written over the element it comes from, or over none?"""
    return cnp.PyArray_DATA(<cnp.ndarray>out) == cnp.PyArray_DATA(<cnp.ndarray>a) or is_apart(out, a)


cdef class Elementwise:
    """A formula that treats each element alone: its blocks in both precisions, and their drivers."""

    cdef object run(self, object formula, object a, object b, object weight, object out, object step, int want):
        cdef Call call
        cdef double denominator = 1, total = 0
        cdef object deliver = None, result
        cdef int given
        if (
            weight is None and is_ready(a) and is_alike(b, a)
            and cnp.PyArray_NDIM(<cnp.ndarray>a) > 0 and cnp.PyArray_SIZE(<cnp.ndarray>a) > 0
            and (out is None or (may_receive(out, a) and is_over_or_apart(out, a) and is_over_or_apart(out, b)))
        ):
            if formula._mean:
                denominator = <double>cnp.PyArray_SIZE(<cnp.ndarray>a)
            if self.signs and not holds_signs(b):
                _arrays.check_signs(formula, b)
        else:
            a, b, weight, out, denominator, deliver = _arrays.prepare(formula, a, b, weight, out, want != TOTAL)
        call.single = cnp.PyArray_TYPE(<cnp.ndarray>a) == cnp.NPY_FLOAT32
        call.n = cnp.PyArray_SIZE(<cnp.ndarray>a)
        call.a = <char*>cnp.PyArray_DATA(<cnp.ndarray>a)
        call.b = <char*>cnp.PyArray_DATA(<cnp.ndarray>b)
        call.weight = NULL if weight is None else <char*>cnp.PyArray_DATA(<cnp.ndarray>weight)
        call.scale = 1 / denominator if denominator != 0 else 0
        call.threads = threads if call.n > PARALLEL_FROM else 1
        call.summed = (want & TOTAL) != 0
        given = read_parameters(formula, call.p)
        if step is not None:
            call.p[given] = step
        if want != TOTAL and out is None:
            out = fresh(a)
        call.value = <char*>cnp.PyArray_DATA(<cnp.ndarray>out) if want & VALUES else NULL
        call.slope = <char*>cnp.PyArray_DATA(<cnp.ndarray>out) if want & (SLOPES | MAP) else NULL
        total = self.cross(&call, want == MAP)
        if want == TOTAL:
            return total / denominator
        result = out if deliver is None else deliver(out)
        return (total / denominator, result) if want & TOTAL else result

    cdef double cross(self, Call* call, bint mapped) except? -1:
        """Go over the arrays chunk by chunk; between two chunks of large work, Ctrl-C is answered."""
        cdef double total = 0, part
        cdef Py_ssize_t at = 0, n
        if call.n <= PARALLEL_FROM:
            return self.launch(call, mapped, 0, call.n)
        while at < call.n:
            n = min(<Py_ssize_t>CHUNK, call.n - at)
            with nogil:
                part = self.launch(call, mapped, at, n)
            total += part
            at += n
            PyErr_CheckSignals()
        return total

    cdef double launch(self, Call* call, bint mapped, Py_ssize_t at, Py_ssize_t n) noexcept nogil:
        """One chunk, by the driver of this precision."""
        if call.single:
            return (self.maps32 if mapped else self.pairs32)(
                self.map[0] if mapped else self.pair[0], call, <const float*>call.a, at, n)
        return (self.maps64 if mapped else self.pairs64)(
            self.map[1] if mapped else self.pair[1], call, <const double*>call.a, at, n)


cdef class Pointwise(Elementwise):
    """The kernel of a loss that compares predictions and targets one by one."""

    def value(self, formula, pred, target, weight=None):
        return self.run(formula, pred, target, weight, None, None, TOTAL)

    def values(self, formula, pred, target, weight=None, out=None):
        return self.run(formula, pred, target, weight, out, None, VALUES)

    def grad(self, formula, pred, target, weight=None, out=None):
        return self.run(formula, pred, target, weight, out, None, SLOPES)

    def value_and_grad(self, formula, pred, target, weight=None, out=None):
        return self.run(formula, pred, target, weight, out, None, TOTAL | SLOPES)

    def curvature(self, formula, pred, target, weight=None, out=None):
        return self.run(formula, pred, target, weight, out, None, MAP)


cdef class Penalty(Elementwise):
    """The kernel of a penalty on parameters, which has no target: the array stands in its own place."""

    def value(self, formula, w):
        return self.run(formula, w, w, None, None, None, TOTAL)

    def grad(self, formula, w, out=None):
        return self.run(formula, w, w, None, out, None, SLOPES)

    def value_and_grad(self, formula, w, out=None):
        return self.run(formula, w, w, None, out, None, TOTAL | SLOPES)

    def prox(self, formula, w, step, out=None):
        return self.run(formula, w, w, None, out, step, MAP)
