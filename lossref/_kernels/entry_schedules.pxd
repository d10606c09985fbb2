"""How a schedule is entered from Python, and the shape of the C functions that stand behind it."""

cdef enum:
    MOST_RAMPS = 8           # warm-ups, one before the other
    MOST_NUMBERS = 4         # that a schedule reads
    RAMP = 3                 # numbers of a warm-up: its steps, where it starts, where it ends

# A rate block gives the rates at n <= BLOCK steps, which it may overwrite.
ctypedef void (*rates)(double*, const double*, double*, Py_ssize_t) noexcept nogil


cdef struct Times:           # one call, reduced to what C needs
    const double* t          # one of these two, the other is NULL
    const long long* whole
    double* out
    double p[MOST_RAMPS * RAMP + MOST_NUMBERS]      # the warm-ups, the outermost first, then what the block reads
    int ramps
    int threads

# A driver goes over the elements [at, at + n) of a call, n <= CHUNK. It returns how many were no finite number >= 0.
ctypedef Py_ssize_t (*rates_driver)(rates, const Times*, Py_ssize_t, Py_ssize_t) noexcept nogil


cdef class Schedule:
    cdef rates block
    cdef rates_driver driver
    cdef object over(self, object formula, Times* times, object t)
