"""The functions of vecmath over whole arrays, and how far they are from the truth: what tests and benchmarks call.

The losses take the functions themselves, from ``vecmath.pxd``.
"""

from cython.parallel cimport prange
from libc.math cimport INFINITY, fabs, isinf, isnan, signbit
from libc.math cimport exp as c_exp, expm1 as c_expm1, log as c_log, log1p as c_log1p
from libc.stdint cimport uint32_t, uint64_t

cimport numpy as cnp

cimport lossref._kernels.vecmath as vecmath
from lossref._kernels.entry cimport real

cnp.import_array()


# --- One loop a function ---------------------------------------------------------------------------------------------

cdef void exp(const real* x, real* y, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        y[i] = vecmath.exp(x[i])


cdef void expm1(const real* x, real* y, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        y[i] = vecmath.expm1(x[i])


cdef void log(const real* x, real* y, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        y[i] = vecmath.log(x[i])


cdef void log1p(const real* x, real* y, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        y[i] = vecmath.log1p(x[i])


cdef void sigmoid(const real* x, real* y, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        y[i] = vecmath.sigmoid(x[i])


cdef void softplus(const real* x, real* y, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        y[i] = vecmath.softplus(x[i])


cdef void exp_nonpositive(const real* x, real* y, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        y[i] = vecmath.exp_nonpositive(x[i])


cdef void log1p_unit(const real* x, real* y, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        y[i] = vecmath.log1p_unit(x[i])


ctypedef void (*loop32)(const float*, float*, Py_ssize_t) noexcept nogil
ctypedef void (*loop64)(const double*, double*, Py_ssize_t) noexcept nogil
ctypedef double (*oracle64)(double) noexcept nogil

cdef struct Function:
    loop32 single
    loop64 double_
    oracle64 oracle


# --- The oracles: definitions, in the C library's float64 ------------------------------------------------------------

cdef double sigmoid_oracle(double x) noexcept nogil:
    return 1 / (1 + c_exp(-x))


cdef double softplus_oracle(double x) noexcept nogil:
    return x + c_log1p(c_exp(-x)) if x > 0 else c_log1p(c_exp(x))


cdef Function functions[9]
cdef dict places = {}


cdef void enter(str name, loop32 single, loop64 double_, oracle64 oracle) noexcept:
    functions[len(places)] = Function(single, double_, oracle)
    places[name] = len(places)


enter("exp", exp[float], exp[double], c_exp)
enter("expm1", expm1[float], expm1[double], c_expm1)
enter("log", log[float], log[double], c_log)
enter("log1p", log1p[float], log1p[double], c_log1p)
enter("sigmoid", sigmoid[float], sigmoid[double], sigmoid_oracle)
enter("softplus", softplus[float], softplus[double], softplus_oracle)
enter("exp_nonpositive", exp_nonpositive[float], exp_nonpositive[double], c_exp)
enter("log1p_unit", log1p_unit[float], log1p_unit[double], c_log1p)


def names():
    """The functions there are."""
    return list(places)


def apply(str name, cnp.ndarray x not None):
    """The function of that name of each element of a contiguous array of float32 or float64."""
    cdef Function function = functions[<int>places[name]]
    cdef Py_ssize_t n = cnp.PyArray_SIZE(x)
    cdef int kind = cnp.PyArray_TYPE(x)
    if not cnp.PyArray_ISCARRAY_RO(x) or (kind != cnp.NPY_FLOAT32 and kind != cnp.NPY_FLOAT64):
        raise TypeError(f"apply: x must be a contiguous array of float32 or float64, got {x.dtype}")
    cdef cnp.ndarray y = cnp.PyArray_EMPTY(cnp.PyArray_NDIM(x), cnp.PyArray_DIMS(x), kind, 0)
    if kind == cnp.NPY_FLOAT32:
        function.single(<const float*>cnp.PyArray_DATA(x), <float*>cnp.PyArray_DATA(y), n)
    else:
        function.double_(<const double*>cnp.PyArray_DATA(x), <double*>cnp.PyArray_DATA(y), n)
    return y


# --- All float32 inputs ----------------------------------------------------------------------------------------------

cdef enum:
    BLOCK = 4096

cdef struct Worst:
    double ulp
    uint32_t at
    uint64_t wrong               # where one is NaN, infinite or a zero of the other sign and the other is not
    uint32_t wrong_at


cdef inline double float_error(float got, double exact) noexcept nogil:
    """|got - exact| in units in the last place of a float32; infinite where one is no number and the other is."""
    cdef float rounded = <float>exact
    cdef double size, ulp
    if isnan(got) or isnan(exact):
        return 0 if isnan(got) and isnan(exact) else INFINITY
    if isinf(got) or isinf(rounded) or exact == 0:
        return 0 if got == rounded and (signbit(got) != 0) == (signbit(exact) != 0) else INFINITY
    size = fabs(exact)
    # 2**(floor(log2 |exact|) - 23): the exponent, by its bits. Subnormals are spaced like the least normal numbers.
    size = size if size > 1.1754943508222875e-38 else 1.1754943508222875e-38
    ulp = vecmath.lossref_float64(
        (vecmath.lossref_bits64(size) & <uint64_t>0x7ff0000000000000) - (<uint64_t>23 << 52)
    )
    return fabs(got - exact) / ulp


cdef void search(const Function* function, uint64_t first, Py_ssize_t n, Worst* worst) noexcept nogil:
    cdef float x[BLOCK]
    cdef float y[BLOCK]
    cdef double error
    cdef Py_ssize_t i
    x[0] = 0                     # gcc does not see that n > 0
    for i in range(n):
        x[i] = vecmath.lossref_float32(<uint32_t>(first + i))
    function.single(&x[0], &y[0], n)
    for i in range(n):
        error = float_error(y[i], function.oracle(x[i]))
        if error == INFINITY:
            worst.wrong += 1
            worst.wrong_at = <uint32_t>(first + i)
        elif error > worst.ulp:
            worst.ulp = error
            worst.at = <uint32_t>(first + i)


def worst_float32(str name, uint64_t first, uint64_t last, uint64_t stride=1, int threads=1):
    """The largest error of a function over the float32 with bit patterns ``first`` to ``last``.

    The truth is the C library's float64. With a stride s, one block of 4096 neighbours in every s is tried. Returns the
    error in ulp and the pattern of its argument; for how many inputs NaN, infinity or the sign of zero differ from the
    oracle's, and the pattern of one of them; how many inputs were tried.
    """
    cdef Function function = functions[<int>places[name]]
    cdef Py_ssize_t blocks = <Py_ssize_t>((last - first) // BLOCK + 1)
    cdef Py_ssize_t strands = 256, s, b
    cdef Worst worst[256]
    cdef uint64_t tried[256]
    cdef uint64_t start, count
    for s in range(strands):
        worst[s] = Worst(0, 0, 0, 0)
        tried[s] = 0
    with nogil:
        for s in prange(strands, schedule="dynamic", num_threads=threads):
            b = s * <Py_ssize_t>stride
            while b < blocks:
                start = first + <uint64_t>b * BLOCK
                count = last - start + 1 if last - start + 1 < BLOCK else BLOCK
                search(&function, start, <Py_ssize_t>count, &worst[s])
                tried[s] = tried[s] + count
                b = b + strands * <Py_ssize_t>stride
    for s in range(1, strands):
        worst[0].wrong += worst[s].wrong
        tried[0] += tried[s]
        if worst[s].wrong:
            worst[0].wrong_at = worst[s].wrong_at
        if worst[s].ulp > worst[0].ulp:
            worst[0].ulp = worst[s].ulp
            worst[0].at = worst[s].at
    return worst[0].ulp, worst[0].at, worst[0].wrong, worst[0].wrong_at, tried[0]
