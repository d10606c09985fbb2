"""How a formula over embeddings (rows of two or three learned arrays) is entered from Python."""

from lossref._kernels.entry cimport MOST_PARAMETERS

cdef enum:
    MOST_ARRAYS = 3
    ROOMS = 4                    # rows of float64 that a formula may work in

# An embedding function takes the rows of one sample, one of each array; the sample's label (0 where there is none); the
# hyper-parameters; the factor of the slopes; where to write them (NULL if nobody wants them), which may be the rows
# themselves; room to work in; and the number of coordinates. It returns the value.
ctypedef double (*embedding32)(
    const float**, double, const double*, double, float**, double*, Py_ssize_t
) noexcept nogil
ctypedef double (*embedding64)(
    const double**, double, const double*, double, double**, double*, Py_ssize_t
) noexcept nogil

cdef struct EmbeddingCall:
    char* x[MOST_ARRAYS]         # n rows each
    char* slopes[MOST_ARRAYS]    # n rows of results each
    const double* labels         # n labels, or NULL
    const double* weight         # of each sample, or NULL
    double* values               # of each sample, weighted
    double* room                 # ROOMS rows for each span to work in
    double p[MOST_PARAMETERS]
    double scale
    bint single
    bint sloped                  # does anybody want the slopes?
    int arrays
    Py_ssize_t n
    Py_ssize_t coordinates
    Py_ssize_t spans             # into which the rows of a chunk are divided among the threads
    int threads

# A driver takes an embedding function over the rows [first, last); drivers_embeddings.pxd defines it, each chapter
# compiles its own. Its third argument, a typed copy of call.x[0], says which precision it is compiled for.
ctypedef void (*driver32)(void*, const EmbeddingCall*, const float*, Py_ssize_t, Py_ssize_t) noexcept nogil
ctypedef void (*driver64)(void*, const EmbeddingCall*, const double*, Py_ssize_t, Py_ssize_t) noexcept nogil


cdef class Embedding:
    cdef void* row[2]            # values and slopes: float32, float64
    cdef void* curvature_row[2]
    cdef driver32 rows32
    cdef driver64 rows64
    cdef object run(self, object formula, tuple arrays, object weight, object out, int want)
    cdef int cross(self, EmbeddingCall* call, void** row) except -1
    cdef void launch(self, EmbeddingCall* call, void** row, Py_ssize_t first, Py_ssize_t last) noexcept nogil
