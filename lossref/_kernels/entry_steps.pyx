"""The way in to the optimizers and to the tools around a step: tensors, however many, become one table of pointers,
which the threads go over once.

The fast path takes tensors that are exactly right and costs some ten nanoseconds for each. Everything else, and every
error, goes through one Python helper, ``lossref/_tensors.py``, which the NumPy fallback uses as well. All is checked
before the first write, and from the first write to the last no Python code runs: Ctrl-C waits until the step is whole.
"""

from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.ref cimport Py_DECREF, Py_INCREF, PyObject
from cython.parallel cimport prange
from libc.math cimport isfinite
from libc.stdlib cimport qsort

cimport numpy as cnp

from lossref import _tensors
from lossref._kernels.algebra cimport multiply
from lossref._kernels.drivers cimport tree_sum
from lossref._kernels.entry cimport BLOCK, BLOCKS, PARALLEL_FROM, threads

cnp.import_array()

cdef extern from "Python.h":
    PyObject* PyDict_GetItemWithError(object, object) except? NULL      # borrowed
    PyObject* PySequence_Fast_GET_ITEM(object, Py_ssize_t)              # borrowed

cdef enum:
    GRADIENT = 1             # its place among the arrays of a parameter
    LINE = 64                # elements: threads part the work at multiples of it and share no cache line
    ALIGNED = 64             # bytes, of the widest vectors

cdef struct Span:            # the bytes of one array
    char* start
    char* end
    bint written

cdef object State = _tensors.State


cdef class Step:
    """The kernel of an optimizer: its block in both precisions, and how many buffers it writes."""

    def step(self, formula, params, grads, state, scale=1.0, list parts=None):
        cdef Work work
        cdef list late
        cdef object taken
        work.tensor, work.tensors = NULL, 0
        scale = scale if type(scale) is float and isfinite(<double>scale) else _tensors.as_scale(formula, scale)
        try:
            late = take_in(self, &work, formula, params, grads, state)
            work.scale = scale
            taken = state.step + 1
            if parts is None:
                read_scalars(&work, formula, taken)
                run(&work)
            else:
                run_parts(&work, parts, taken)
            if late is not None:
                for target, result in late:
                    cnp.PyArray_CopyInto(target, result)
            state.step = taken
        finally:
            release(&work)

    def check(self, formula, params, grads, state):
        """Refuse what a step would refuse, and do nothing else."""
        cdef Work work
        work.tensor, work.tensors = NULL, 0
        try:
            take_in(self, &work, formula, params, grads, state)
        finally:
            release(&work)


cdef list take_in(Step kernel, Work* work, object formula, object params, object grads, object state):
    """Fill the table, or raise the error that says why not. Where that took a copy of what is written, the list that
    comes back says where the copy is to be written to.
    """
    work.single, work.double_, work.arrays = kernel.single, kernel.double_, 2 + kernel.buffers
    work.tensor, work.tensors, work.n, work.scale, work.only_reads = NULL, 0, 0, 1, False
    if (
        is_known(formula, state)
        and gather(work, formula._fits_single, params, grads, formula._buffers, state.buffers)
        and are_apart(work, work.arrays)
    ):
        return None
    release(work)
    params, grads, buffers, late = _tensors.into_form(formula, params, grads, state)
    gather(work, formula._fits_single, params, grads, formula._buffers, buffers)
    return late


cdef int read_scalars(Work* work, object formula, object taken) except -1:
    """Take down the numbers that this step reads."""
    cdef tuple scalars = formula.scalars(taken)
    cdef Py_ssize_t i
    for i in range(len(scalars)):
        work.p[i] = scalars[i]
    return 0


cdef int run_parts(const Work* whole, list parts, object taken) except -1:
    """Some tensors by one kernel and formula, others by another. All numbers are there before the first write."""
    cdef Work* work = <Work*>PyMem_Malloc((len(parts) + 1) * sizeof(Work))
    cdef Tensor* tensor = <Tensor*>PyMem_Malloc((whole.tensors + 1) * sizeof(Tensor))
    cdef Py_ssize_t k, place, at = 0
    cdef Step kernel
    try:
        if work == NULL or tensor == NULL:
            raise MemoryError
        for k in range(len(parts)):
            kernel, formula, places = parts[k]
            work[k] = whole[0]
            work[k].single, work[k].double_, work[k].tensor = kernel.single, kernel.double_, tensor + at
            work[k].tensors, work[k].n = len(places), 0
            read_scalars(&work[k], formula, taken)
            for place in places:
                tensor[at] = whole.tensor[place]
                work[k].n += tensor[at].n
                at += 1
        for k in range(len(parts)):
            run(&work[k])
    finally:
        PyMem_Free(work)
        PyMem_Free(tensor)
    return 0


cdef class Tool:
    """What makes of each tensor another, or the same tensor anew: a step without buffers."""

    def apply(self, str owner, str called, out, grads, *numbers):
        cdef Work work
        cdef list late = None
        cdef Py_ssize_t i
        work.single, work.double_, work.arrays = self.single, self.double_, 2
        work.tensor, work.tensors, work.n, work.scale, work.only_reads = NULL, 0, 0, 1, False
        try:
            if not (gather(&work, True, out, grads, (), {}) and are_apart(&work, 1 if out is grads else 2)):
                release(&work)
                out, grads, late = _tensors.into_pairs(owner, called, out, grads)
                gather(&work, True, out, grads, (), {})
            for i in range(len(numbers)):
                work.p[i] = numbers[i]
            run(&work)
            if late is not None:
                for target, result in late:
                    cnp.PyArray_CopyInto(target, result)
        finally:
            release(&work)


cdef class Squares:
    """The sum of the squares of all elements of all tensors, in float64."""

    def sum(self, str owner, grads, double scale):
        cdef Work work
        work.arrays, work.tensor, work.tensors, work.n, work.only_reads = 1, NULL, 0, 0, True
        try:
            if not gather(&work, True, grads, None, (), {}):
                release(&work)
                gather(&work, True, _tensors.into_floats(owner, grads), None, (), {})
            return sum_squares(self, &work, scale)
        finally:
            release(&work)


cdef bint is_known(object formula, object state) except -1:
    """Is it the state of such an optimizer?"""
    cdef object step
    if type(state) is not State or state.optimizer != formula._family or type(state.buffers) is not dict:
        return False
    step = state.step
    return type(step) is int and step >= 0


cdef inline bint is_row(object tree) noexcept:
    return type(tree) is list or type(tree) is tuple


cdef bint gather(
    Work* work, bint fits_single, object params, object grads, tuple letters, dict buffers
) except -1:
    """Fill the table. False if something is not exactly right; then the table is of no use."""
    cdef PyObject* tree[MOST_ARRAYS]
    cdef PyObject* leaf[MOST_ARRAYS]
    cdef Py_ssize_t i
    cdef int j
    if len(buffers) != len(letters):
        return False
    tree[0], tree[1] = <PyObject*>params, <PyObject*>grads
    for j, letter in enumerate(letters):
        tree[2 + j] = PyDict_GetItemWithError(buffers, letter)
        if tree[2 + j] == NULL:
            return False
    if is_row(params):
        for j in range(1, work.arrays):
            if not (is_row(<object>tree[j]) and len(<object>tree[j]) == len(params)):
                return False
        reserve(work, len(params))
        for i in range(len(params)):
            for j in range(work.arrays):
                leaf[j] = PySequence_Fast_GET_ITEM(<object>tree[j], i)
            if not add(work, leaf, fits_single):
                return False
    elif type(params) is dict:
        for j in range(1, work.arrays):
            if not (type(<object>tree[j]) is dict and len(<object>tree[j]) == len(params)):
                return False
        reserve(work, len(params))
        for key in <dict>params:
            if type(key) is not str:        # the hash of anything else is Python code
                return False
            for j in range(work.arrays):
                leaf[j] = PyDict_GetItemWithError(<object>tree[j], key)
                if leaf[j] == NULL:
                    return False
            if not add(work, leaf, fits_single):
                return False
    else:
        reserve(work, 1)
        if not add(work, tree, fits_single):
            return False
    return True


cdef int reserve(Work* work, Py_ssize_t tensors) except -1:
    """Room for the table."""
    work.tensor = <Tensor*>PyMem_Malloc((tensors + 1) * sizeof(Tensor))
    if work.tensor == NULL:
        raise MemoryError
    return 0


cdef bint add(Work* work, PyObject** leaf, bint fits_single) noexcept:
    """Enter one parameter with its gradient and buffers, and hold on to them. False if one is not exactly right."""
    cdef Tensor* tensor = &work.tensor[work.tensors]
    cdef int kind, j
    if not cnp.PyArray_CheckExact(<object>leaf[0]):
        return False
    kind = cnp.PyArray_TYPE(<cnp.ndarray>leaf[0])
    if kind != cnp.NPY_FLOAT64 and not (kind == cnp.NPY_FLOAT32 and fits_single):
        return False
    for j in range(work.arrays):
        if not (
            cnp.PyArray_CheckExact(<object>leaf[j])
            and cnp.PyArray_TYPE(<cnp.ndarray>leaf[j]) == kind
            and cnp.PyArray_SAMESHAPE(<cnp.ndarray>leaf[j], <cnp.ndarray>leaf[0])
            and cnp.PyArray_ISCARRAY_RO(<cnp.ndarray>leaf[j])
            and (j == GRADIENT or work.only_reads or cnp.PyArray_ISWRITEABLE(<cnp.ndarray>leaf[j]))
        ):
            return False
    for j in range(work.arrays):
        Py_INCREF(<object>leaf[j])
        tensor.array[j] = leaf[j]
        tensor.data[j] = <char*>cnp.PyArray_DATA(<cnp.ndarray>leaf[j])
    tensor.n = cnp.PyArray_SIZE(<cnp.ndarray>leaf[0])
    tensor.single = kind == cnp.NPY_FLOAT32
    work.n += tensor.n
    work.tensors += 1
    return True


cdef void release(Work* work) noexcept:
    """Let go of the arrays and of the table."""
    cdef Py_ssize_t i
    cdef int j
    for i in range(work.tensors):
        for j in range(work.arrays):
            Py_DECREF(<object>work.tensor[i].array[j])
    PyMem_Free(work.tensor)
    work.tensor, work.tensors, work.n = NULL, 0, 0


cdef int by_start(const void* a, const void* b) noexcept nogil:
    return ((<const Span*>a).start > (<const Span*>b).start) - ((<const Span*>a).start < (<const Span*>b).start)


cdef bint are_apart(Work* work, int arrays) except -1:
    """Does no array that is written share a byte with any other, of the first so many of each tensor?"""
    cdef Span* span = <Span*>PyMem_Malloc((work.tensors * arrays + 1) * sizeof(Span))
    cdef char* end_of_all = NULL
    cdef char* end_of_written = NULL
    cdef Py_ssize_t i, spans = 0
    cdef bint apart = True
    cdef int j
    if span == NULL:
        raise MemoryError
    for i in range(work.tensors):
        for j in range(arrays if work.tensor[i].n > 0 else 0):
            span[spans].start = work.tensor[i].data[j]
            span[spans].end = span[spans].start + work.tensor[i].n * (4 if work.tensor[i].single else 8)
            span[spans].written = j != GRADIENT
            spans += 1
    qsort(span, spans, sizeof(Span), by_start)
    for i in range(spans):
        if span[i].start < (end_of_all if span[i].written else end_of_written):
            apart = False
        end_of_all = max(end_of_all, span[i].end)
        if span[i].written:
            end_of_written = max(end_of_written, span[i].end)
    PyMem_Free(span)
    return apart


cdef void run(const Work* work) noexcept:
    """Large work goes to the threads. They only choose who moves a parameter: no bit depends on them."""
    cdef int k, parts = threads
    if work.n <= PARALLEL_FROM:
        move(work, 0, work.n)
    elif parts == 1:
        with nogil:
            move(work, 0, work.n)
    else:
        with nogil:
            for k in prange(parts, schedule="static", num_threads=parts):
                move(work, border(work, k, parts), border(work, k + 1, parts))


cdef Py_ssize_t border(const Work* work, int k, int parts) noexcept nogil:
    """Where part k begins in the row of all tensors, one behind the other."""
    return work.n if k == parts else work.n // parts * k // LINE * LINE


cdef void move(const Work* work, Py_ssize_t first, Py_ssize_t last) noexcept nogil:
    """The elements [first, last) of the row of all tensors."""
    cdef const Tensor* tensor
    cdef Py_ssize_t i, low, high, head, at = 0
    for i in range(work.tensors):
        tensor = &work.tensor[i]
        low, high = max(first - at, 0), min(last - at, tensor.n)
        at += tensor.n
        if low >= high:
            continue
        # Large arrays of NumPy all begin 16 bytes behind a border; stores across borders would cost twice the time.
        head = min(low + to_border(tensor, low), high)
        move_part(work, tensor, low, head)
        move_part(work, tensor, head, high)


cdef inline Py_ssize_t to_border(const Tensor* tensor, Py_ssize_t low) noexcept nogil:
    """How many elements of the parameter stand between this one and the next whole vector."""
    cdef Py_ssize_t size = 4 if tensor.single else 8
    return -(<Py_ssize_t>tensor.data[0] // size + low) & (ALIGNED // size - 1)


cdef inline void move_part(const Work* work, const Tensor* tensor, Py_ssize_t low, Py_ssize_t high) noexcept nogil:
    """The elements [low, high) of one tensor. Gradients that are to be scaled go block by block over the stack."""
    cdef char* data[MOST_ARRAYS]
    cdef double block[BLOCK]
    cdef Py_ssize_t n
    cdef int j
    while low < high:
        n = high - low if work.scale == 1 else min(high - low, <Py_ssize_t>BLOCK)
        for j in range(work.arrays):
            data[j] = tensor.data[j] + low * (4 if tensor.single else 8)
        if work.scale != 1:
            if tensor.single:
                multiply(<float*>block, <const float*>data[GRADIENT], work.scale, n)
            else:
                multiply(block, <const double*>data[GRADIENT], work.scale, n)
            data[GRADIENT] = <char*>block
        if tensor.single:
            work.single(<float*>data[0], <const float*>data[1], <float**>&data[2], work.p, n)
        else:
            work.double_(<double*>data[0], <const double*>data[1], <double**>&data[2], work.p, n)
        low += n


cdef double sum_squares(Squares kernel, const Work* work, double scale) except? -1:
    """Threads only choose who computes a block. A chunk's blocks are summed as a tree, chunks and tensors in order."""
    cdef Py_ssize_t blocks = 0, at = 0, left, i
    cdef double* part
    cdef double total = 0, of_tensor
    cdef int k, parts = threads
    for i in range(work.tensors):
        blocks += blocks_of(&work.tensor[i])
    part = <double*>PyMem_Malloc((blocks + 1) * sizeof(double))
    if part == NULL:
        raise MemoryError
    if work.n <= PARALLEL_FROM:
        square_blocks(kernel, work, scale, part, 0, blocks)
    elif parts == 1:
        with nogil:
            square_blocks(kernel, work, scale, part, 0, blocks)
    else:
        with nogil:
            for k in prange(parts, schedule="static", num_threads=parts):
                square_blocks(kernel, work, scale, part, blocks * k // parts, blocks * (k + 1) // parts)
    for i in range(work.tensors):
        left, of_tensor = blocks_of(&work.tensor[i]), 0
        while left > 0:
            of_tensor += tree_sum(part + at, min(left, <Py_ssize_t>BLOCKS))
            at += min(left, <Py_ssize_t>BLOCKS)
            left -= BLOCKS
        total += of_tensor
    PyMem_Free(part)
    return total


cdef inline Py_ssize_t blocks_of(const Tensor* tensor) noexcept nogil:
    return (tensor.n + BLOCK - 1) // BLOCK


cdef void square_blocks(
    Squares kernel, const Work* work, double scale, double* part, Py_ssize_t first, Py_ssize_t last
) noexcept nogil:
    """The sums of the blocks [first, last) of all tensors, which are counted one behind the other."""
    cdef const Tensor* tensor
    cdef Py_ssize_t i, k, n, at = 0
    for i in range(work.tensors):
        tensor = &work.tensor[i]
        for k in range(max(first, at), min(last, at + blocks_of(tensor))):
            n = min(<Py_ssize_t>BLOCK, tensor.n - (k - at) * BLOCK)
            if tensor.single:
                part[k] = kernel.single(<const float*>tensor.data[0] + (k - at) * BLOCK, scale, n)
            else:
                part[k] = kernel.double_(<const double*>tensor.data[0] + (k - at) * BLOCK, scale, n)
        at += blocks_of(tensor)


cdef Step step(step32 single, step64 double_, int buffers):
    """The kernel of an optimizer that keeps so many buffers of each parameter."""
    kernel = Step()
    kernel.single, kernel.double_, kernel.buffers = single, double_, buffers
    return kernel


cdef Tool tool(step32 single, step64 double_):
    """The kernel of a tool: a step block that has no buffers."""
    kernel = Tool()
    kernel.single, kernel.double_ = single, double_
    return kernel


cdef Squares squares(square32 single, square64 double_):
    """The kernel of the sum of squares."""
    kernel = Squares()
    kernel.single, kernel.double_ = single, double_
    return kernel
