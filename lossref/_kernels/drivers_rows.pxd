"""The driver of losses over rows: targets brought into one form, weights, threads."""

from cython.parallel cimport prange
from libc.math cimport NAN

from lossref._kernels.entry cimport real
from lossref._kernels.entry_rows cimport RowCall, Rowwise, row32, row64


cdef inline void target_mass(const RowCall* call, const real* x, Py_ssize_t i, real* a) noexcept nogil:
    """The mass that the target of row i puts on each class, class weights and label smoothing included."""
    cdef const real* q = <const real*>call.q + i * call.classes
    cdef const real* hot = <const real*>call.hot
    cdef const real* base = <const real*>call.base
    cdef real mass
    cdef Py_ssize_t j
    if call.q == NULL:
        for j in range(call.classes):
            a[j] = base[j]
        a[call.labels[i]] += hot[call.labels[i]]
    else:
        for j in range(call.classes):
            a[j] = q[j]
        if call.chances:
            for j in range(call.classes):
                mass = a[j] if a[j] >= 0 else <real>NAN     # what is no probability must not pass for one
                a[j] = mass if mass <= 1 else <real>NAN
        if call.hot != NULL:
            for j in range(call.classes):
                a[j] = hot[j] * a[j] + base[j]


cdef inline void one_span(
    void* row, const RowCall* call, const real* x, real* room, Py_ssize_t first, Py_ssize_t last
) noexcept nogil:
    """Rows one after the other. The room is for their mass, and for slopes that nobody wants."""
    cdef Py_ssize_t classes = call.classes, i, j, label = -1
    cdef bint spread = call.q != NULL or call.base != NULL
    cdef real* a = NULL
    cdef real* slope
    cdef double weight, value, whole = 1
    for i in range(first, last):
        slope = room + classes if call.slopes == NULL else <real*>call.slopes + i * classes
        if call.labels != NULL:
            label = call.labels[i]
            if label < 0:                           # an ignored row is not even read
                call.values[i] = 0
                if call.slopes != NULL:
                    for j in range(classes):
                        slope[j] = 0
                continue
        if spread:
            a = room
            target_mass(call, x, i, a)
        elif call.hot != NULL:
            whole = (<const real*>call.hot)[label]
        weight = 1 if call.weight == NULL else call.weight[i]
        if real is float:
            value = (<row32>row)(x + i * classes, a, label, whole, call.p, weight * call.scale, slope, classes)
        else:
            value = (<row64>row)(x + i * classes, a, label, whole, call.p, weight * call.scale, slope, classes)
        call.values[i] = weight * value


cdef inline void rows_chunk(
    void* row, const RowCall* call, const real* x, Py_ssize_t first, Py_ssize_t last
) noexcept nogil:
    """Rows first to last, in spans of equal length. Each row is computed alone, so threads never change its bits."""
    cdef Py_ssize_t span = (last - first + call.spans - 1) // call.spans, k
    cdef real* room = <real*>call.room
    if call.threads == 1:
        one_span(row, call, x, room, first, last)
    else:
        for k in prange(call.spans, schedule="dynamic", num_threads=call.threads):
            one_span(row, call, x, room + 2 * k * call.classes,
                     min(first + k * span, last), min(first + (k + 1) * span, last))


cdef inline Rowwise rowwise(row32 single, row64 double_, row32 curvature_single, row64 curvature_double):
    """The kernel of a loss over rows: its value and slopes, its curvature."""
    kernel = Rowwise()
    kernel.row[0] = <void*>single
    kernel.row[1] = <void*>double_
    kernel.curvature_row[0] = <void*>curvature_single
    kernel.curvature_row[1] = <void*>curvature_double
    kernel.rows32 = rows_chunk[float]
    kernel.rows64 = rows_chunk[double]
    return kernel
