"""The driver of schedules: blocks, threads, warm-ups.

All of it is inline, so that a chapter compiled for an instruction set brings drivers compiled for that same set.
"""

from cython.parallel cimport prange

from lossref._kernels.entry cimport BLOCK, BLOCKS
from lossref._kernels.entry_schedules cimport RAMP, Schedule, Times, rates

cdef extern from "<float.h>":
    const double DBL_MAX


cdef inline Py_ssize_t block_rates(rates block, const Times* times, Py_ssize_t at, Py_ssize_t n) noexcept nogil:
    """One block: the schedule, each step taken as much earlier as the warm-ups are long; over it the warm-ups."""
    cdef double t[BLOCK]
    cdef double later[BLOCK]
    cdef double* out = times.out + at
    cdef double shift = 0, length, start, peak, past, rate
    cdef Py_ssize_t i, wrong = 0
    cdef int k
    if times.t != NULL:
        for i in range(n):
            t[i] = times.t[at + i]
    else:
        for i in range(n):
            t[i] = <double>times.whole[at + i]
    for i in range(n):
        wrong += 0 if t[i] >= 0 and t[i] <= DBL_MAX else 1
    if wrong > 0:
        return wrong
    for k in range(times.ramps):
        shift += times.p[k * RAMP]
    for i in range(n):
        later[i] = t[i] - shift if t[i] > shift else 0
    block(later, &times.p[times.ramps * RAMP], out, n)
    for k in range(times.ramps - 1, -1, -1):
        length, start, peak = times.p[k * RAMP], times.p[k * RAMP + 1], times.p[k * RAMP + 2]
        shift -= length
        for i in range(n):
            past = t[i] - shift
            # Two shares of positive terms, for a difference of start and peak might cancel.
            rate = start * ((length - past) / length) + peak * (past / length)
            out[i] = rate if past < length else out[i]
    return 0


cdef inline Py_ssize_t chunk_rates(rates block, const Times* times, Py_ssize_t at, Py_ssize_t n) noexcept nogil:
    """At most CHUNK steps."""
    cdef Py_ssize_t wrong[BLOCKS]
    cdef Py_ssize_t blocks = (n + BLOCK - 1) // BLOCK, k, total = 0
    if blocks == 1:
        return block_rates(block, times, at, n)
    for k in prange(blocks, schedule="static", num_threads=times.threads):
        wrong[k] = block_rates(block, times, at + k * BLOCK, min(<Py_ssize_t>BLOCK, n - k * BLOCK))
    for k in range(blocks):
        total += wrong[k]
    return total


cdef inline Schedule schedule(rates block):
    """The kernel of a schedule."""
    kernel = Schedule()
    kernel.block, kernel.driver = block, chunk_rates
    return kernel
