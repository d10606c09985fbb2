"""The way in to the schedules: one step or an array of them.

The fast path takes an int, a float, or an array of int64 or float64. Everything else, and every error, goes through
``lossref/_arrays.py``, which the NumPy fallback uses as well.
"""

from cpython.exc cimport PyErr_CheckSignals
from libc.math cimport INFINITY

cimport numpy as cnp

from lossref._kernels.entry cimport CHUNK, PARALLEL_FROM, is_ready, read_parameters, threads

from lossref import _arrays

cnp.import_array()

cdef inline bint is_whole(object t) noexcept:
    """Is it a plain, contiguous, aligned, native array of int64?"""
    return (
        cnp.PyArray_CheckExact(t) and cnp.PyArray_TYPE(<cnp.ndarray>t) == cnp.NPY_INT64
        and cnp.PyArray_ISCARRAY_RO(<cnp.ndarray>t)
    )


cdef class Schedule:
    """The kernel of a schedule: its block, and the driver of its instruction set."""

    def at(self, formula, t):
        cdef Times times
        cdef double one, rate
        times.ramps = formula._ramps
        read_parameters(formula, times.p)
        if type(t) is float or type(t) is int:
            try:
                one = t
            except OverflowError:
                one = INFINITY
            times.t, times.whole, times.out, times.threads = &one, NULL, &rate, 1
            if self.driver(self.block, &times, 0, 1) > 0:
                _arrays.as_times(type(formula).__name__, t)
            return rate
        if not (is_ready(t) and cnp.PyArray_TYPE(<cnp.ndarray>t) == cnp.NPY_FLOAT64 or is_whole(t)):
            steps = _arrays.as_times(type(formula).__name__, t)
            if not isinstance(t, (cnp.ndarray, list, tuple)):
                return self.at(formula, float(steps))
            t = steps
        return self.over(formula, &times, t)

    cdef object over(self, object formula, Times* times, object t):
        """The rates at an array of steps, chunk by chunk; between two chunks of large work, Ctrl-C is answered."""
        cdef object out = cnp.PyArray_EMPTY(
            cnp.PyArray_NDIM(<cnp.ndarray>t), cnp.PyArray_DIMS(<cnp.ndarray>t), cnp.NPY_FLOAT64, 0
        )
        cdef Py_ssize_t size = cnp.PyArray_SIZE(<cnp.ndarray>t), at = 0, wrong = 0
        times.t, times.whole = NULL, NULL
        if cnp.PyArray_TYPE(<cnp.ndarray>t) == cnp.NPY_FLOAT64:
            times.t = <const double*>cnp.PyArray_DATA(<cnp.ndarray>t)
        else:
            times.whole = <const long long*>cnp.PyArray_DATA(<cnp.ndarray>t)
        times.out = <double*>cnp.PyArray_DATA(<cnp.ndarray>out)
        times.threads = threads if size > PARALLEL_FROM else 1
        if size <= PARALLEL_FROM:
            wrong = self.driver(self.block, times, 0, size)
        else:
            while at < size and wrong == 0:
                with nogil:
                    wrong = self.driver(self.block, times, at, min(<Py_ssize_t>CHUNK, size - at))
                at += CHUNK
                PyErr_CheckSignals()
        if wrong > 0:
            _arrays.as_times(type(formula).__name__, t)
        return out
