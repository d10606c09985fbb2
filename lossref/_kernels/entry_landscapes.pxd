"""How a landscape is entered from Python, and the shapes of the C functions that stand behind it."""

# A surface block gives the heights and slopes of n points. Their coordinates stand apart: number j of point i is
# x[j * apart + i], and so is its slope. A bend block gives Hessians: the element (j, k) is
# h[(j * dims + k) * apart + i]. It is 0 where nothing is written, and below the diagonal nothing is written.
ctypedef void (*surface)(
    const double*, const double*, double*, double*, Py_ssize_t, Py_ssize_t, Py_ssize_t
) noexcept nogil
ctypedef void (*bend)(const double*, const double*, double*, Py_ssize_t, Py_ssize_t, Py_ssize_t) noexcept nogil


cdef class Landscape:
    cdef surface heights
    cdef bend bends


cdef Landscape landscape(surface heights, bend bends)
