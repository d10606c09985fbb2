"""The way in to the landscapes: one point or many, of which each coordinate is a row.

The fast path takes float64 arrays that are exactly right. Everything else, and every error, goes through
``lossref/_arrays.py``, which the NumPy fallback uses as well.
"""

cimport numpy as cnp

from lossref._kernels.entry cimport BLOCK, MOST_PARAMETERS, PARALLEL_FROM, is_ready, read_parameters

from lossref import _arrays

cnp.import_array()


cdef inline bint are_points(object x, Py_ssize_t dims) noexcept:
    """Is it an array of float64, exactly right, whose first length is the number of coordinates?"""
    return (
        is_ready(x) and cnp.PyArray_TYPE(<cnp.ndarray>x) == cnp.NPY_FLOAT64
        and cnp.PyArray_NDIM(<cnp.ndarray>x) > 0 and cnp.PyArray_DIM(<cnp.ndarray>x, 0) == dims
    )


cdef inline double* data(object array) noexcept:
    return <double*>cnp.PyArray_DATA(<cnp.ndarray>array)


cdef class Landscape:
    """The kernel of a landscape: its blocks."""

    def value_and_grad(self, formula, x):
        cdef double p[MOST_PARAMETERS]
        cdef double height
        cdef Py_ssize_t dims = formula.dimensions, points
        cdef object slopes, heights
        cdef const double* from_
        cdef double* value
        cdef double* slope
        read_parameters(formula, p)
        if not are_points(x, dims):
            x = _arrays.as_points(formula, x)
        slopes = cnp.PyArray_EMPTY(
            cnp.PyArray_NDIM(<cnp.ndarray>x), cnp.PyArray_DIMS(<cnp.ndarray>x), cnp.NPY_FLOAT64, 0
        )
        if cnp.PyArray_NDIM(<cnp.ndarray>x) == 1:
            self.heights(data(x), p, &height, data(slopes), dims, 1, 1)
            return height, slopes
        heights = cnp.PyArray_EMPTY(
            cnp.PyArray_NDIM(<cnp.ndarray>x) - 1, cnp.PyArray_DIMS(<cnp.ndarray>x) + 1, cnp.NPY_FLOAT64, 0
        )
        points, from_, value, slope = cnp.PyArray_SIZE(<cnp.ndarray>heights), data(x), data(heights), data(slopes)
        if points <= PARALLEL_FROM:
            over_points(self.heights, from_, p, value, slope, dims, points)
        else:
            with nogil:
                over_points(self.heights, from_, p, value, slope, dims, points)
        return heights, slopes

    def hessian(self, formula, x):
        cdef double p[MOST_PARAMETERS]
        cdef Py_ssize_t dims = formula.dimensions, points, at = 0
        cdef cnp.npy_intp shape[cnp.NPY_MAXDIMS + 1]
        cdef int dimension
        read_parameters(formula, p)
        if not are_points(x, dims):
            x = _arrays.as_points(formula, x)
        shape[0] = dims
        for dimension in range(cnp.PyArray_NDIM(<cnp.ndarray>x)):
            shape[1 + dimension] = cnp.PyArray_DIM(<cnp.ndarray>x, dimension)
        bends = cnp.PyArray_ZEROS(1 + cnp.PyArray_NDIM(<cnp.ndarray>x), shape, cnp.NPY_FLOAT64, 0)
        points = cnp.PyArray_SIZE(<cnp.ndarray>x) // dims
        while at < points:
            self.bends(data(x) + at, p, data(bends) + at, dims, points, min(<Py_ssize_t>BLOCK, points - at))
            at += BLOCK
        mirror(data(bends), dims, points)
        return bends


cdef void over_points(
    surface block, const double* x, const double* p, double* value, double* slope, Py_ssize_t dims, Py_ssize_t points
) noexcept nogil:
    """Block by block, so that what several coordinates need is still in the cache."""
    cdef Py_ssize_t at = 0
    while at < points:
        block(x + at, p, value + at, slope + at, dims, points, min(<Py_ssize_t>BLOCK, points - at))
        at += BLOCK


cdef void mirror(double* h, Py_ssize_t dims, Py_ssize_t points) noexcept nogil:
    """A Hessian is symmetric: what stands above the diagonal stands below it."""
    cdef Py_ssize_t i, j, k
    for j in range(1, dims):
        for k in range(j):
            for i in range(points):
                h[(j * dims + k) * points + i] = h[(k * dims + j) * points + i]


cdef Landscape landscape(surface heights, bend bends):
    """The kernel of a landscape."""
    kernel = Landscape()
    kernel.heights, kernel.bends = heights, bends
    return kernel
