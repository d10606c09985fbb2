"""The drivers: everything around a formula's inner loop. Blocks, threads, weights, sums.

All of it is inline, so that a chapter compiled for an instruction set brings drivers compiled for that same set.
"""

from cython.parallel cimport prange

from lossref._kernels.entry cimport (
    BLOCK, BLOCKS, Call, Elementwise, Penalty, Pointwise, map32, map64, pair32, pair64, real,
)

cdef enum:
    LANES = 32     # a sum runs down 32 lanes at once, so that no addition waits for the one before it


cdef inline double tree_sum(double* part, Py_ssize_t n) noexcept nogil:
    """Sum lanes, or a chunk's blocks, as a tree, in place: the far half is folded onto the near until one is left."""
    cdef Py_ssize_t half, k
    if n == 0:
        return 0
    while n > 1:
        half = (n + 1) // 2
        for k in range(n - half):
            part[k] += part[k + half]
        n = half
    return part[0]


cdef inline double block_sum(const real* term, Py_ssize_t n) noexcept nogil:
    """Sum at most BLOCK terms in float64: down the lanes, then the lanes as a tree. The order depends on n alone."""
    cdef double lane[LANES]
    cdef Py_ssize_t rows = n // LANES, i, j
    for j in range(LANES):
        lane[j] = 0
    for i in range(rows):
        for j in range(LANES):
            lane[j] += term[i * LANES + j]
    for j in range(n - rows * LANES):
        lane[j] += term[rows * LANES + j]
    return tree_sum(&lane[0], LANES)


cdef inline double ordered_sum(const real* term, Py_ssize_t n) noexcept nogil:
    """Sum any number of terms: blocks, then each chunk's blocks as a tree, then the chunks one after the other."""
    cdef double part[BLOCKS]
    cdef double total = 0
    cdef Py_ssize_t at = 0, blocks
    while at < n:
        blocks = 0
        while blocks < BLOCKS and at < n:
            part[blocks] = block_sum(term + at, min(<Py_ssize_t>BLOCK, n - at))
            blocks += 1
            at += BLOCK
        total += tree_sum(part, blocks)
    return total


cdef inline double pair_block(void* block, const Call* call, const real* a, Py_ssize_t at, Py_ssize_t n) noexcept nogil:
    """One block: the formula, the weights, the scale of the slopes, the sum. What nobody wants stays on the stack."""
    cdef real values[BLOCK]
    cdef real slopes[BLOCK]
    cdef real* value = &values[0] if call.value == NULL else <real*>call.value + at
    cdef real* out = <real*>call.slope + at
    cdef const real* weight = <const real*>call.weight + at
    cdef real scale = <real>call.scale
    cdef real* slope = &slopes[0] if call.slope == NULL or scale != 1 else out
    cdef Py_ssize_t i
    if real is float:
        (<pair32>block)(a + at, <const real*>call.b + at, call.p, value, slope, n)
    else:
        (<pair64>block)(a + at, <const real*>call.b + at, call.p, value, slope, n)
    if call.weight != NULL:
        for i in range(n):
            value[i] *= weight[i]
        for i in range(n):
            slope[i] *= weight[i]
    if call.slope != NULL and scale != 1:
        for i in range(n):
            out[i] = slope[i] * scale
    return block_sum(value, n) if call.summed else 0


cdef inline double pair_chunk(void* block, const Call* call, const real* a, Py_ssize_t at, Py_ssize_t n) noexcept nogil:
    """At most CHUNK elements. Threads only choose who computes a block: the order of every sum is fixed."""
    cdef double part[BLOCKS]
    cdef Py_ssize_t blocks = (n + BLOCK - 1) // BLOCK, k
    if call.threads == 1:
        for k in range(blocks):
            part[k] = pair_block(block, call, a, at + k * BLOCK, min(<Py_ssize_t>BLOCK, n - k * BLOCK))
    else:
        for k in prange(blocks, schedule="static", num_threads=call.threads):
            part[k] = pair_block(block, call, a, at + k * BLOCK, min(<Py_ssize_t>BLOCK, n - k * BLOCK))
    return tree_sum(part, blocks)


cdef inline void map_block(void* block, const Call* call, const real* a, Py_ssize_t at, Py_ssize_t n) noexcept nogil:
    cdef real* out = <real*>call.slope + at
    cdef const real* weight = <const real*>call.weight + at
    cdef real scale = <real>call.scale
    cdef Py_ssize_t i
    if real is float:
        (<map32>block)(a + at, <const real*>call.b + at, call.p, out, n)
    else:
        (<map64>block)(a + at, <const real*>call.b + at, call.p, out, n)
    if call.weight != NULL:
        for i in range(n):
            out[i] *= weight[i]
    if scale != 1:
        for i in range(n):
            out[i] *= scale


cdef inline double map_chunk(void* block, const Call* call, const real* a, Py_ssize_t at, Py_ssize_t n) noexcept nogil:
    """At most CHUNK elements of a map, which has no sum."""
    cdef Py_ssize_t blocks = (n + BLOCK - 1) // BLOCK, k
    if call.threads == 1:
        for k in range(blocks):
            map_block(block, call, a, at + k * BLOCK, min(<Py_ssize_t>BLOCK, n - k * BLOCK))
    else:
        for k in prange(blocks, schedule="static", num_threads=call.threads):
            map_block(block, call, a, at + k * BLOCK, min(<Py_ssize_t>BLOCK, n - k * BLOCK))
    return 0


cdef inline void equip(Elementwise kernel, pair32 single, pair64 double_, map32 single_map, map64 double_map) noexcept:
    """Give a kernel its blocks and the drivers of this chapter."""
    kernel.pair[0] = <void*>single
    kernel.pair[1] = <void*>double_
    kernel.map[0] = <void*>single_map
    kernel.map[1] = <void*>double_map
    kernel.pairs32 = pair_chunk[float]
    kernel.pairs64 = pair_chunk[double]
    kernel.maps32 = map_chunk[float]
    kernel.maps64 = map_chunk[double]


cdef inline Pointwise pointwise(pair32 single, pair64 double_, map32 curvature_single, map64 curvature_double):
    """The kernel of a pointwise loss: its values and slopes, its curvature."""
    kernel = Pointwise()
    equip(kernel, single, double_, curvature_single, curvature_double)
    return kernel


cdef inline Penalty penalty(pair32 single, pair64 double_, map32 prox_single, map64 prox_double):
    """The kernel of a penalty: its terms and slopes, its proximal map."""
    kernel = Penalty()
    equip(kernel, single, double_, prox_single, prox_double)
    return kernel
