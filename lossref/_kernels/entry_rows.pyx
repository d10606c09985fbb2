"""The way in for losses over rows. Scores of a shape (n, classes), and labels (n,) or probabilities (n, classes)."""

from cpython.exc cimport PyErr_CheckSignals

cimport numpy as cnp

from lossref._kernels.drivers cimport ordered_sum
from lossref._kernels.entry cimport (
    CHUNK, MAP, PARALLEL_FROM, SLOPES, SPANS, TOTAL, VALUES, data_or_null, fresh, is_alike, is_apart, is_ready,
    may_receive, read_parameters, threads,
)

from lossref import _arrays

cnp.import_array()


cdef inline bint are_labels(object target, Py_ssize_t n, Py_ssize_t classes) noexcept:
    """Is it a ready array of n integers (int64) from 0 to classes - 1?"""
    cdef const long long* label
    cdef bint inside = True
    cdef Py_ssize_t i
    if not (
        cnp.PyArray_CheckExact(target) and cnp.PyArray_TYPE(<cnp.ndarray>target) == cnp.NPY_INT64
        and cnp.PyArray_NDIM(<cnp.ndarray>target) == 1 and cnp.PyArray_DIM(<cnp.ndarray>target, 0) == n
        and cnp.PyArray_ISCARRAY_RO(<cnp.ndarray>target)
    ):
        return False
    label = <const long long*>cnp.PyArray_DATA(<cnp.ndarray>target)
    for i in range(n):
        inside &= (label[i] >= 0) & (label[i] < classes)
    return inside


cdef class Rowwise:
    """A formula that treats each row alone: its row functions in both precisions, and their drivers."""

    cdef object run(self, object formula, object pred, object target, object weight, object out, int want):
        cdef RowCall call
        cdef double denominator = 1
        cdef object deliver = None, labels = None, mass = None, hot = None, base = None, values, room, result = None
        cdef double total
        cdef cnp.npy_intp n, size
        if (
            weight is None and is_ready(pred)
            and cnp.PyArray_NDIM(<cnp.ndarray>pred) == 2 and cnp.PyArray_SIZE(<cnp.ndarray>pred) > 0
            and (
                formula._plain_rows and is_alike(target, pred)
                or formula._plain_labels
                and are_labels(target, cnp.PyArray_DIM(<cnp.ndarray>pred, 0), cnp.PyArray_DIM(<cnp.ndarray>pred, 1))
            )
            and (out is None or (not want & VALUES and may_receive(out, pred)
                                 and is_apart(out, pred) and is_apart(out, target)))
        ):
            if cnp.PyArray_NDIM(<cnp.ndarray>target) == 2:
                mass = target
            else:
                labels = target
            if formula._mean:
                denominator = <double>cnp.PyArray_DIM(<cnp.ndarray>pred, 0)
        else:
            pred, labels, mass, weight, hot, base, out, denominator, deliver = _arrays.prepare_rows(
                formula, pred, target, weight, out, (want & VALUES) != 0, want != TOTAL)
            if formula._smooths and mass is None:
                hot = base = None                   # its kernel makes the mass of a label itself
        n = cnp.PyArray_DIM(<cnp.ndarray>pred, 0)
        values = cnp.PyArray_EMPTY(1, &n, cnp.NPY_FLOAT64, 0)
        if out is None and want & (SLOPES | MAP):
            out = fresh(pred)
        call.single = cnp.PyArray_TYPE(<cnp.ndarray>pred) == cnp.NPY_FLOAT32
        call.n = n
        call.classes = cnp.PyArray_DIM(<cnp.ndarray>pred, 1)
        call.x = <char*>cnp.PyArray_DATA(<cnp.ndarray>pred)
        call.q = <char*>data_or_null(mass)
        call.chances = formula._chances
        call.labels = <const long long*>data_or_null(labels)
        call.weight = <const double*>data_or_null(weight)
        call.hot = <char*>data_or_null(hot)
        call.base = <char*>data_or_null(base)
        call.slopes = <char*>data_or_null(out) if want & (SLOPES | MAP) else NULL
        call.values = <double*>cnp.PyArray_DATA(<cnp.ndarray>values)
        call.scale = 1 / denominator if denominator != 0 else 0
        call.threads = threads if n * call.classes > PARALLEL_FROM else 1
        call.spans = SPANS * call.threads if call.threads > 1 else 1
        size = 2 * call.spans * call.classes
        room = cnp.PyArray_EMPTY(1, &size, cnp.PyArray_TYPE(<cnp.ndarray>pred), 0)
        call.room = <char*>cnp.PyArray_DATA(<cnp.ndarray>room)
        read_parameters(formula, call.p)
        self.cross(&call, &self.curvature_row[0] if want == MAP else &self.row[0])
        if want & VALUES:
            return _arrays.deliver_values(values, out, pred.dtype)
        if want & (SLOPES | MAP):
            result = out if deliver is None else deliver(out)
        if want & TOTAL:
            total = ordered_sum(call.values, n) / denominator
            return (total, result) if want & SLOPES else total
        return result

    cdef int cross(self, RowCall* call, void** row) except -1:
        """Go over the rows chunk by chunk; between two chunks of large work, Ctrl-C is answered."""
        cdef Py_ssize_t first = 0, last, rows = max(<Py_ssize_t>1, CHUNK // call.classes)
        while first < call.n:
            last = min(first + rows, call.n)
            if call.n * call.classes <= PARALLEL_FROM:
                self.launch(call, row, first, last)
            else:
                with nogil:
                    self.launch(call, row, first, last)
                PyErr_CheckSignals()
            first = last
        return 0

    cdef void launch(self, RowCall* call, void** row, Py_ssize_t first, Py_ssize_t last) noexcept nogil:
        if call.single:
            self.rows32(row[0], call, <const float*>call.x, first, last)
        else:
            self.rows64(row[1], call, <const double*>call.x, first, last)

    def value(self, formula, pred, target, weight=None):
        return self.run(formula, pred, target, weight, None, TOTAL)

    def values(self, formula, pred, target, weight=None, out=None):
        return self.run(formula, pred, target, weight, out, VALUES)

    def grad(self, formula, pred, target, weight=None, out=None):
        return self.run(formula, pred, target, weight, out, SLOPES)

    def value_and_grad(self, formula, pred, target, weight=None, out=None):
        return self.run(formula, pred, target, weight, out, TOTAL | SLOPES)

    def curvature(self, formula, pred, target, weight=None, out=None):
        return self.run(formula, pred, target, weight, out, MAP)
