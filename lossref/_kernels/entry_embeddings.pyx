"""The way in for losses over embeddings. Two or three arrays of a shape (n, d), and labels (n,) where there are any.

The fast path takes fresh outputs alone, as that of ``entry_paired.pyx`` does.
"""

from cpython.exc cimport PyErr_CheckSignals

cimport numpy as cnp

from lossref._kernels.drivers cimport ordered_sum
from lossref._kernels.entry cimport (
    CHUNK, MAP, PARALLEL_FROM, SLOPES, SPANS, TOTAL, VALUES, data_or_null, fresh, is_alike, is_ready, read_parameters,
    threads,
)

from lossref import _arrays

cnp.import_array()


cdef inline bint are_alike(tuple arrays, Py_ssize_t count) noexcept:
    """Are the first ones ready, with one dtype and one shape (n, d), neither of the two 0?"""
    cdef object first = arrays[0]
    cdef Py_ssize_t k
    if not (is_ready(first) and cnp.PyArray_NDIM(<cnp.ndarray>first) == 2 and cnp.PyArray_SIZE(<cnp.ndarray>first) > 0):
        return False
    for k in range(1, count):
        if not is_alike(arrays[k], first):
            return False
    return True


cdef inline object pair_labels(object formula, object given, Py_ssize_t n):
    """n labels as float64; None if they are no plain numbers, or one of them is no label."""
    cdef double low = formula.labels[0], high = formula.labels[1]
    cdef const double* label
    cdef bint right = True
    cdef Py_ssize_t i
    if not (
        cnp.PyArray_CheckExact(given) and cnp.PyArray_NDIM(<cnp.ndarray>given) == 1
        and cnp.PyArray_DIM(<cnp.ndarray>given, 0) == n
        and cnp.PyArray_TYPE(<cnp.ndarray>given) in (cnp.NPY_FLOAT64, cnp.NPY_FLOAT32, cnp.NPY_INT64)
    ):
        return None
    given = cnp.PyArray_FROM_OTF(given, cnp.NPY_FLOAT64, cnp.NPY_ARRAY_IN_ARRAY)
    label = <const double*>cnp.PyArray_DATA(<cnp.ndarray>given)
    for i in range(n):
        right &= (label[i] == low) | (label[i] == high)
    return given if right else None


cdef class Embedding:
    """A formula that treats each sample alone: its row functions in both precisions, and their drivers."""

    cdef object run(self, object formula, tuple arrays, object weight, object out, int want):
        cdef EmbeddingCall call
        cdef double denominator, total
        cdef object labels = None, weights = None, deliver = tuple, values, room, result = None, first = arrays[0]
        cdef list rows, buffers
        cdef Py_ssize_t count = len(formula.learned)
        cdef cnp.npy_intp n, size
        cdef int k
        cdef bint plain = weight is None and out is None and are_alike(arrays, count)
        if plain and formula.labels:
            labels = pair_labels(formula, arrays[count], cnp.PyArray_DIM(<cnp.ndarray>first, 0))
            plain = labels is not None
        if plain:
            rows = list(arrays[:count])
            buffers = [fresh(first) for _ in range(count if want & (SLOPES | MAP) else 0)]
            denominator = <double>cnp.PyArray_DIM(<cnp.ndarray>first, 0) if formula._mean else 1
        else:
            rows, labels, weights, buffers, denominator, deliver = _arrays.prepare_embeddings(
                formula, arrays, weight, out, (want & VALUES) != 0, want != TOTAL)
        n = cnp.PyArray_DIM(<cnp.ndarray>rows[0], 0)
        values = cnp.PyArray_EMPTY(1, &n, cnp.NPY_FLOAT64, 0)
        call.arrays = <int>len(rows)
        call.sloped = (want & (SLOPES | MAP)) != 0
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
        self.cross(&call, &self.curvature_row[0] if want == MAP else &self.row[0])
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
        return self.run(formula, arrays, weight, out, MAP)
