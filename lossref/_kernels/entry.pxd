"""How a formula is entered from Python, and the shapes of the C functions that stand behind it."""

cimport numpy as cnp

ctypedef fused real:
    float
    double

cdef enum:
    BLOCK = 1024             # elements: what a kernel sees at once; four float64 arrays of it fit the L1 cache
    BLOCKS = 4096            # in a chunk, which is what runs between two looks at the keyboard (about a millisecond)
    CHUNK = BLOCKS * BLOCK
    MOST_PARAMETERS = 16
    SPANS = 4                # of rows for each thread: the more there are, the fewer a slow thread holds up
    PARALLEL_FROM = 32768    # elements: below, starting threads and releasing the GIL cost more than they bring

cdef enum Want:              # what a call is to return
    TOTAL = 1                # the sum, or the mean
    SLOPES = 2
    VALUES = 4               # one by one
    MAP = 8                  # curvatures, or proximal points

cdef int threads             # that large work may run on; set from Python

# A pair block gives the values and slopes of n <= BLOCK elements. A penalty is one that does not read its second array.
ctypedef void (*pair32)(const float*, const float*, const double*, float*, float*, Py_ssize_t) noexcept nogil
ctypedef void (*pair64)(const double*, const double*, const double*, double*, double*, Py_ssize_t) noexcept nogil

# A map block gives one output. Curvatures and proximal maps are maps.
ctypedef void (*map32)(const float*, const float*, const double*, float*, Py_ssize_t) noexcept nogil
ctypedef void (*map64)(const double*, const double*, const double*, double*, Py_ssize_t) noexcept nogil

cdef struct Call:            # one call, reduced to what C needs; NULL stands for an array that nobody gave or wants
    char* a
    char* b
    char* weight
    char* value
    char* slope              # what a map writes goes here too
    double p[MOST_PARAMETERS]
    double scale             # of the slopes: 1 / (sum of the weights) for a mean
    bint single              # float32, not float64
    bint summed
    Py_ssize_t n
    int threads

# A driver takes a block over the elements [at, at + n) of a call, n <= CHUNK, and returns the sum of the values. Its
# third argument, a typed copy of call.a, says which precision it is compiled for. drivers.pxd defines them, each
# chapter compiles its own.
ctypedef double (*driver32)(void*, const Call*, const float*, Py_ssize_t, Py_ssize_t) noexcept nogil
ctypedef double (*driver64)(void*, const Call*, const double*, Py_ssize_t, Py_ssize_t) noexcept nogil


cdef class Elementwise:
    cdef void* pair[2]       # blocks: float32, float64
    cdef void* map[2]
    cdef driver32 pairs32
    cdef driver64 pairs64
    cdef driver32 maps32
    cdef driver64 maps64
    cdef bint signs          # are its targets labels, -1 or +1?
    cdef object run(self, object formula, object a, object b, object weight, object out, object step, int want)
    cdef double cross(self, Call* call, bint mapped) except? -1
    cdef double launch(self, Call* call, bint mapped, Py_ssize_t at, Py_ssize_t n) noexcept nogil


cdef class Pointwise(Elementwise):
    pass


cdef class Penalty(Elementwise):
    pass


cdef inline bint is_ready(object a) noexcept:
    """Is it a plain, contiguous, aligned, native array of float32 or float64?"""
    cdef int kind
    if not cnp.PyArray_CheckExact(a):
        return False
    kind = cnp.PyArray_TYPE(<cnp.ndarray>a)
    return (kind == cnp.NPY_FLOAT32 or kind == cnp.NPY_FLOAT64) and cnp.PyArray_ISCARRAY_RO(<cnp.ndarray>a)


cdef inline bint is_alike(object b, object a) noexcept:
    """Is ``b`` ready too, with the dtype and the shape of ``a``?"""
    return (
        cnp.PyArray_CheckExact(b)
        and cnp.PyArray_TYPE(<cnp.ndarray>b) == cnp.PyArray_TYPE(<cnp.ndarray>a)
        and cnp.PyArray_SAMESHAPE(<cnp.ndarray>b, <cnp.ndarray>a)
        and cnp.PyArray_ISCARRAY_RO(<cnp.ndarray>b)
    )


cdef bint holds_signs(object b) noexcept


cdef inline bint is_apart(object out, object a) noexcept:
    """Do two contiguous arrays share no byte?"""
    cdef char* x = <char*>cnp.PyArray_DATA(<cnp.ndarray>out)
    cdef char* y = <char*>cnp.PyArray_DATA(<cnp.ndarray>a)
    return x + cnp.PyArray_NBYTES(<cnp.ndarray>out) <= y or y + cnp.PyArray_NBYTES(<cnp.ndarray>a) <= x


cdef inline bint may_receive(object out, object a) noexcept:
    """Is it an array for results of the form of ``a``?"""
    return is_alike(out, a) and cnp.PyArray_ISWRITEABLE(<cnp.ndarray>out)


cdef inline void* data_or_null(object array) noexcept:
    """Where its numbers are; NULL where there is no array."""
    return NULL if array is None else cnp.PyArray_DATA(<cnp.ndarray>array)


cdef inline object fresh(object a):
    """An array for results of the form of ``a``."""
    return cnp.PyArray_EMPTY(
        cnp.PyArray_NDIM(<cnp.ndarray>a), cnp.PyArray_DIMS(<cnp.ndarray>a), cnp.PyArray_TYPE(<cnp.ndarray>a), 0
    )


cdef inline int read_parameters(object formula, double* p) except -1:
    """Copy the hyper-parameters to where the kernel reads them, and return how many there are."""
    cdef tuple numbers = formula._parameters
    cdef Py_ssize_t i
    for i in range(len(numbers)):
        p[i] = numbers[i]
    return <int>len(numbers)
