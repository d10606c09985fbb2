"""The driver of losses over embeddings: the rows of a sample brought together, labels, weights, threads."""

from cython.parallel cimport prange

from lossref._kernels.entry cimport real
from lossref._kernels.entry_embeddings cimport (
    MOST_ARRAYS, ROOMS, Embedding, EmbeddingCall, embedding32, embedding64,
)


cdef inline void one_span(
    void* row, const EmbeddingCall* call, const real* first_array, double* room, Py_ssize_t first, Py_ssize_t last
) noexcept nogil:
    """Samples one after the other."""
    cdef const real* x[MOST_ARRAYS]
    cdef real* slopes[MOST_ARRAYS]
    cdef real** slope = slopes if call.sloped else NULL
    cdef double label = 0, weight = 1, value
    cdef Py_ssize_t i, k, place
    for i in range(first, last):
        place = i * call.coordinates
        for k in range(call.arrays):
            x[k] = <const real*>call.x[k] + place
            slopes[k] = <real*>call.slopes[k] + place if call.sloped else NULL
        if call.labels != NULL:
            label = call.labels[i]
        if call.weight != NULL:
            weight = call.weight[i]
        if real is float:
            value = (<embedding32>row)(x, label, call.p, weight * call.scale, slope, room, call.coordinates)
        else:
            value = (<embedding64>row)(x, label, call.p, weight * call.scale, slope, room, call.coordinates)
        call.values[i] = weight * value


cdef inline void embeddings_chunk(
    void* row, const EmbeddingCall* call, const real* first_array, Py_ssize_t first, Py_ssize_t last
) noexcept nogil:
    """Samples first to last, in spans of equal length. Each is computed alone, so threads never change its bits."""
    cdef Py_ssize_t span = (last - first + call.spans - 1) // call.spans, k
    if call.threads == 1:
        one_span(row, call, first_array, call.room, first, last)
    else:
        for k in prange(call.spans, schedule="dynamic", num_threads=call.threads):
            one_span(row, call, first_array, call.room + ROOMS * k * call.coordinates,
                     min(first + k * span, last), min(first + (k + 1) * span, last))


cdef inline Embedding embedding(
    embedding32 single, embedding64 double_, embedding32 curvature_single, embedding64 curvature_double
):
    """The kernel of a loss over embeddings: its value and slopes, its curvature."""
    kernel = Embedding()
    kernel.row[0] = <void*>single
    kernel.row[1] = <void*>double_
    kernel.curvature_row[0] = <void*>curvature_single
    kernel.curvature_row[1] = <void*>curvature_double
    kernel.rows32 = embeddings_chunk[float]
    kernel.rows64 = embeddings_chunk[double]
    return kernel
