"""The way in for losses over embeddings. Two or three arrays of a shape (n, d), and labels (n,) where there are any."""

from cpython.exc cimport PyErr_CheckSignals

cimport numpy as cnp

from lossref._kernels.drivers cimport ordered_sum
from lossref._kernels.entry cimport CHUNK, PARALLEL_FROM, read_parameters, threads

from lossref import _arrays

cnp.import_array()

cdef enum Want:
    TOTAL = 1
    SLOPES = 2
    VALUES = 4
    CURVATURE = 8

cdef enum:
    SPANS = 4      # for each thread: the more there are, the fewer rows a slow thread holds up


cdef inline void* data_or_null(object array) noexcept:
    return NULL if array is None else cnp.PyArray_DATA(<cnp.ndarray>array)


cdef class Embedding:
    """A formula that treats each sample alone: its row functions in both precisions, and their drivers."""

    cdef object run(self, object formula, tuple arrays, object weight, object out, int want):
        cdef EmbeddingCall call
        cdef double denominator, total
        cdef object labels, weights, values, room, deliver, result = None
        cdef list rows, buffers
        cdef cnp.npy_intp n, size
        cdef int k
        rows, labels, weights, buffers, denominator, deliver = _arrays.prepare_embeddings(
            formula, arrays, weight, out, (want & VALUES) != 0, want != TOTAL)
        n = cnp.PyArray_DIM(<cnp.ndarray>rows[0], 0)
        values = cnp.PyArray_EMPTY(1, &n, cnp.NPY_FLOAT64, 0)
        call.arrays = <int>len(rows)
        call.sloped = (want & (SLOPES | CURVATURE)) != 0
        for k in range(call.arrays):
            call.x[k] = <char*>cnp.PyArray_DATA(<cnp.ndarray>rows[k])
            call.slopes[k] = <char*>cnp.PyArray_DATA(<cnp.ndarray>buffers[k]) if call.sloped else NULL
        call.single = cnp.PyArray_TYPE(<cnp.ndarray>rows[0]) == cnp.NPY_FLOAT32
        call.n = n
        call.coordinates = cnp.PyArray_DIM(<cnp.ndarray>rows[0], 1)
        call.labels = <const double*>data_or_null(labels)
        call.weight = <const double*>data_or_null(weights)
        call.values = <double*>cnp.PyArray_DATA(<cnp.ndarray>values)
        call.scale = 1 / denominator if denominator != 0 else 0
        call.threads = threads if n * call.coordinates > PARALLEL_FROM else 1
        call.spans = SPANS * call.threads if call.threads > 1 else 1
        size = ROOMS * call.spans * call.coordinates
        room = cnp.PyArray_EMPTY(1, &size, cnp.NPY_FLOAT64, 0)
        call.room = <double*>cnp.PyArray_DATA(<cnp.ndarray>room)
        read_parameters(formula, call.p)
        self.cross(&call, &self.curvature_row[0] if want == CURVATURE else &self.row[0])
        if want & VALUES:
            return _arrays.deliver_values(values, out, rows[0].dtype)
        if call.sloped:
            result = deliver(buffers)
        if want & TOTAL:
            total = ordered_sum(call.values, n) / denominator
            return (total, result) if want & SLOPES else total
        return result

    cdef int cross(self, EmbeddingCall* call, void** row) except -1:
        """Go over the rows chunk by chunk; between two chunks of large work, Ctrl-C is answered."""
        cdef Py_ssize_t first = 0, last, rows = max(<Py_ssize_t>1, CHUNK // call.coordinates)
        while first < call.n:
            last = min(first + rows, call.n)
            if call.n * call.coordinates <= PARALLEL_FROM:
                self.launch(call, row, first, last)
            else:
                with nogil:
                    self.launch(call, row, first, last)
                PyErr_CheckSignals()
            first = last
        return 0

    cdef void launch(self, EmbeddingCall* call, void** row, Py_ssize_t first, Py_ssize_t last) noexcept nogil:
        if call.single:
            self.rows32(row[0], call, <const float*>call.x[0], first, last)
        else:
            self.rows64(row[1], call, <const double*>call.x[0], first, last)

    def value(self, formula, arrays, weight=None):
        return self.run(formula, arrays, weight, None, TOTAL)

    def values(self, formula, arrays, weight=None, out=None):
        return self.run(formula, arrays, weight, out, VALUES)

    def grad(self, formula, arrays, weight=None, out=None):
        return self.run(formula, arrays, weight, out, SLOPES)

    def value_and_grad(self, formula, arrays, weight=None, out=None):
        return self.run(formula, arrays, weight, out, TOTAL | SLOPES)

    def curvature(self, formula, arrays, weight=None, out=None):
        return self.run(formula, arrays, weight, out, CURVATURE)
