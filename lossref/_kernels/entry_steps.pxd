"""How optimizers and the tools around a step are entered from Python, and the shapes of the C functions behind them."""

from cpython.ref cimport PyObject

cdef enum:
    MOST_BUFFERS = 3
    MOST_ARRAYS = 2 + MOST_BUFFERS
    MOST_SCALARS = 10

# A step block moves n parameters in place: theta, the gradient, the buffers, the scalars of this step.
ctypedef void (*step32)(float*, const float*, float**, const double*, Py_ssize_t) noexcept nogil
ctypedef void (*step64)(double*, const double*, double**, const double*, Py_ssize_t) noexcept nogil

# A square block sums the squares of at most BLOCK elements, each times a scale, in float64.
ctypedef double (*square32)(const float*, double, Py_ssize_t) noexcept nogil
ctypedef double (*square64)(const double*, double, Py_ssize_t) noexcept nogil


cdef struct Tensor:          # a parameter, its gradient, its buffers
    PyObject* array[MOST_ARRAYS]
    char* data[MOST_ARRAYS]
    Py_ssize_t n
    bint single              # float32, not float64


cdef struct Work:            # one step, reduced to what C needs
    step32 single
    step64 double_
    Tensor* tensor
    Py_ssize_t tensors
    Py_ssize_t n             # elements of all tensors together
    int arrays               # in use, of each tensor
    double scale             # of the gradients, on their way in
    bint only_reads          # and writes to no tensor
    double p[MOST_SCALARS]


cdef class Step:
    cdef step32 single
    cdef step64 double_
    cdef int buffers


cdef Step step(step32 single, step64 double_, int buffers)


cdef class Tool:
    cdef step32 single
    cdef step64 double_


cdef class Squares:
    cdef square32 single
    cdef square64 double_


cdef Tool tool(step32 single, step64 double_)
cdef Squares squares(square32 single, square64 double_)
