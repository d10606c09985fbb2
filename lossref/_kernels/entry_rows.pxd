"""How a formula over rows (one sample's scores for all classes) is entered from Python."""

from lossref._kernels.entry cimport MOST_PARAMETERS

# A row function takes the scores of one sample; the mass that its target puts on each class (NULL: all of it is on one
# class, the next two arguments being that label and that mass); the hyper-parameters; the factor of the slopes; where
# to write them, which is its workspace too; and the number of classes. It returns the value.
ctypedef double (*row32)(
    const float*, const float*, Py_ssize_t, double, const double*, double, float*, Py_ssize_t
) noexcept nogil
ctypedef double (*row64)(
    const double*, const double*, Py_ssize_t, double, const double*, double, double*, Py_ssize_t
) noexcept nogil

cdef struct RowCall:
    char* x                      # n rows of `classes` scores
    char* q                      # n rows of target probabilities, or NULL where there are labels
    const long long* labels      # n labels, a negative one for a row to be ignored; or NULL
    const double* weight         # of each row, or NULL
    bint chances                 # is q made of probabilities, and NaN where one is none? If not, of any numbers
    char* hot                    # class weights times (1 - smoothing), or NULL for ones
    char* base                   # class weights times smoothing / classes, or NULL for zeros
    char* slopes                 # n rows of results, or NULL if nobody wants them
    double* values               # of each row, weighted
    char* room                   # two rows for each span to work in
    double p[MOST_PARAMETERS]
    double scale
    bint single
    Py_ssize_t n
    Py_ssize_t classes
    Py_ssize_t spans             # into which the rows of a chunk are divided among the threads
    int threads

# A driver takes a row function over the rows [first, last); drivers_rows.pxd defines it, each chapter compiles its own.
ctypedef void (*driver32)(void*, const RowCall*, const float*, Py_ssize_t, Py_ssize_t) noexcept nogil
ctypedef void (*driver64)(void*, const RowCall*, const double*, Py_ssize_t, Py_ssize_t) noexcept nogil


cdef class Rowwise:
    cdef void* row[2]            # values and slopes: float32, float64
    cdef void* curvature_row[2]
    cdef driver32 rows32
    cdef driver64 rows64
    cdef object run(self, object formula, object pred, object target, object weight, object out, int want)
    cdef int cross(self, RowCall* call, void** row) except -1
    cdef void launch(self, RowCall* call, void** row, Py_ssize_t first, Py_ssize_t last) noexcept nogil
