"""The driver of elementwise losses of two learned arrays: blocks, threads, weights, sums."""

from cython.parallel cimport prange

from lossref._kernels.drivers cimport block_sum, tree_sum
from lossref._kernels.entry cimport BLOCK, BLOCKS, real
from lossref._kernels.entry_paired cimport Paired, PairedCall, paired32, paired64


cdef inline void deliver(
    const PairedCall* call, real* term, double scale, char* out, Py_ssize_t at, Py_ssize_t n
) noexcept nogil:
    """Terms weighted in place, and scaled into the output, if there is one."""
    cdef const real* weight = <const real*>call.weight + at
    cdef real* result = <real*>out + at
    cdef real factor = <real>scale
    cdef Py_ssize_t i
    if call.weight != NULL:
        for i in range(n):
            term[i] *= weight[i]
    if out != NULL:
        for i in range(n):
            result[i] = term[i] * factor


cdef inline double paired_block(
    void* block, const PairedCall* call, const real* first, Py_ssize_t at, Py_ssize_t n
) noexcept nogil:
    """One block. Its results stay on the stack until all is read: either output may lie over either input."""
    cdef real values[BLOCK]
    cdef real slopes[2 * BLOCK]
    cdef const real* second = <const real*>call.second + at
    cdef const real* third = <const real*>call.third + at
    cdef int k
    if real is float:
        (<paired32>block)(first + at, second, third, call.p, values, slopes, n)
    else:
        (<paired64>block)(first + at, second, third, call.p, values, slopes, n)
    if call.value != NULL or call.summed:
        deliver(call, values, 1, call.value, at, n)
    if call.slope[0] != NULL:
        for k in range(2):
            deliver(call, slopes + k * BLOCK, call.scale, call.slope[k], at, n)
    return block_sum(values, n) if call.summed else 0


cdef inline double paired_chunk(
    void* block, const PairedCall* call, const real* first, Py_ssize_t at, Py_ssize_t n
) noexcept nogil:
    """At most CHUNK elements. Threads only choose who computes a block: the order of every sum is fixed."""
    cdef double part[BLOCKS]
    cdef Py_ssize_t blocks = (n + BLOCK - 1) // BLOCK, k
    if call.threads == 1:
        for k in range(blocks):
            part[k] = paired_block(block, call, first, at + k * BLOCK, min(<Py_ssize_t>BLOCK, n - k * BLOCK))
    else:
        for k in prange(blocks, schedule="static", num_threads=call.threads):
            part[k] = paired_block(block, call, first, at + k * BLOCK, min(<Py_ssize_t>BLOCK, n - k * BLOCK))
    return tree_sum(part, blocks)


cdef inline Paired paired(paired32 single, paired64 double_, paired32 curvature_single, paired64 curvature_double):
    """The kernel of an elementwise loss of two learned arrays: its values and slopes, its curvatures."""
    kernel = Paired()
    kernel.block[0] = <void*>single
    kernel.block[1] = <void*>double_
    kernel.curvature_block[0] = <void*>curvature_single
    kernel.curvature_block[1] = <void*>curvature_double
    kernel.chunk32 = paired_chunk[float]
    kernel.chunk64 = paired_chunk[double]
    return kernel
