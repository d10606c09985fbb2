"""The way in for elementwise losses of two learned arrays, with a third array of targets or none.

The fast path takes fresh outputs alone: who gives arrays for them has large work, beside which checking is nothing.
"""

from cpython.exc cimport PyErr_CheckSignals

cimport numpy as cnp

from lossref._kernels.entry cimport (
    CHUNK, MAP, PARALLEL_FROM, SLOPES, TOTAL, VALUES, fresh, holds_signs, is_alike, is_ready, read_parameters, threads,
)

from lossref import _arrays

cnp.import_array()


cdef class Paired:
    """A formula that treats each element alone: its blocks in both precisions, and their drivers."""

    cdef object run(self, object formula, tuple arrays, object weight, object out, int want):
        cdef PairedCall call
        cdef double denominator = 1, total
        cdef object first = arrays[0], array, deliver = None, result
        cdef list outs
        cdef int results = 2 if want & (SLOPES | MAP) else (1 if want & VALUES else 0), k
        if (
            weight is None and out is None and is_ready(first)
            and cnp.PyArray_NDIM(<cnp.ndarray>first) > 0 and cnp.PyArray_SIZE(<cnp.ndarray>first) > 0
            and all([is_alike(array, first) for array in arrays])
        ):
            outs = [fresh(first) for _ in range(results)]
            if formula._mean:
                denominator = <double>cnp.PyArray_SIZE(<cnp.ndarray>first)
            if formula.signs and not holds_signs(arrays[2]):
                _arrays.check_signs(formula, arrays[2])
        else:
            arrays, weight, outs, denominator, deliver = _arrays.prepare_paired(formula, arrays, weight, out, results)
        call.first = <char*>cnp.PyArray_DATA(<cnp.ndarray>arrays[0])
        call.second = <char*>cnp.PyArray_DATA(<cnp.ndarray>arrays[1])
        call.third = <char*>cnp.PyArray_DATA(<cnp.ndarray>arrays[2]) if len(arrays) > 2 else call.first
        call.weight = NULL if weight is None else <char*>cnp.PyArray_DATA(<cnp.ndarray>weight)
        call.value = <char*>cnp.PyArray_DATA(<cnp.ndarray>outs[0]) if results == 1 else NULL
        for k in range(2):
            call.slope[k] = <char*>cnp.PyArray_DATA(<cnp.ndarray>outs[k]) if results == 2 else NULL
        call.single = cnp.PyArray_TYPE(<cnp.ndarray>arrays[0]) == cnp.NPY_FLOAT32
        call.n = cnp.PyArray_SIZE(<cnp.ndarray>arrays[0])
        call.scale = 1 / denominator if denominator != 0 else 0
        call.threads = threads if call.n > PARALLEL_FROM else 1
        call.summed = (want & TOTAL) != 0
        read_parameters(formula, call.p)
        total = self.cross(&call, &self.curvature_block[0] if want == MAP else &self.block[0])
        if want == TOTAL:
            return total / denominator
        outs = outs if deliver is None else deliver(outs)
        result = outs[0] if results == 1 else tuple(outs)
        return (total / denominator, result) if want & TOTAL else result

    cdef double cross(self, PairedCall* call, void** block) except? -1:
        """Go over the arrays chunk by chunk; between two chunks of large work, Ctrl-C is answered."""
        cdef double total = 0, part
        cdef Py_ssize_t at = 0, n
        if call.n <= PARALLEL_FROM:
            return self.launch(call, block, 0, call.n)
        while at < call.n:
            n = min(<Py_ssize_t>CHUNK, call.n - at)
            with nogil:
                part = self.launch(call, block, at, n)
            total += part
            at += n
            PyErr_CheckSignals()
        return total

    cdef double launch(self, PairedCall* call, void** block, Py_ssize_t at, Py_ssize_t n) noexcept nogil:
        """One chunk, by the driver of this precision."""
        if call.single:
            return self.chunk32(block[0], call, <const float*>call.first, at, n)
        return self.chunk64(block[1], call, <const double*>call.first, at, n)

    def value(self, formula, arrays, weight=None):
        return self.run(formula, arrays, weight, None, TOTAL)

    def values(self, formula, arrays, weight=None, out=None):
        return self.run(formula, arrays, weight, out, VALUES)

    def grad(self, formula, arrays, weight=None, out=None):
        return self.run(formula, arrays, weight, out, SLOPES)

    def value_and_grad(self, formula, arrays, weight=None, out=None):
        return self.run(formula, arrays, weight, out, TOTAL | SLOPES)

    def curvature(self, formula, arrays, weight=None, out=None):
        return self.run(formula, arrays, weight, out, MAP)
