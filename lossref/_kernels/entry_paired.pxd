"""How an elementwise loss of two learned arrays is entered from Python."""

from lossref._kernels.entry cimport MOST_PARAMETERS

# A paired block gives, for n <= BLOCK elements, the values and the slopes: n for the first learned array and, BLOCK
# places after the beginning, n for the second. A block of curvatures has the same form and leaves the values alone. It
# gets three arrays: where there is no third, the first once more.
ctypedef void (*paired32)(
    const float*, const float*, const float*, const double*, float*, float*, Py_ssize_t
) noexcept nogil
ctypedef void (*paired64)(
    const double*, const double*, const double*, const double*, double*, double*, Py_ssize_t
) noexcept nogil

cdef struct PairedCall:      # one call, reduced to what C needs; NULL stands for an array that nobody gave or wants
    char* first
    char* second
    char* third
    char* weight
    char* value
    char* slope[2]
    double p[MOST_PARAMETERS]
    double scale             # of the slopes: 1 / (sum of the weights) for a mean
    bint single              # float32, not float64
    bint summed
    Py_ssize_t n
    int threads

# A driver takes a block over the elements [at, at + n) of a call, n <= CHUNK, and returns the sum of the values;
# drivers_paired.pxd defines it, each chapter compiles its own.
ctypedef double (*driver32)(void*, const PairedCall*, const float*, Py_ssize_t, Py_ssize_t) noexcept nogil
ctypedef double (*driver64)(void*, const PairedCall*, const double*, Py_ssize_t, Py_ssize_t) noexcept nogil


cdef class Paired:
    cdef void* block[2]      # values and slopes: float32, float64
    cdef void* curvature_block[2]
    cdef driver32 chunk32
    cdef driver64 chunk64
    cdef object run(self, object formula, tuple arrays, object weight, object out, int want)
    cdef double cross(self, PairedCall* call, void** block) except? -1
    cdef double launch(self, PairedCall* call, void** block, Py_ssize_t at, Py_ssize_t n) noexcept nogil
