"""Landscapes, block by block: heights and slopes of n points in one pass, and their Hessians.

``a`` and ``b`` are the first and the second coordinate, ``da`` and ``db`` the slopes along them, and ``apart`` is how
far it is from one coordinate of a point to the next. No operation but + − × ÷ and rounding: every instruction set gives
the same bits.
"""

from libc.math cimport INFINITY, fabs

from lossref._kernels.entry_landscapes cimport landscape

cdef enum:
    BEALE = 3        # terms


cdef void bowl(
    const double* x, const double* p, double* value, double* slope, Py_ssize_t dims, Py_ssize_t apart, Py_ssize_t n
) noexcept nogil:
    cdef Py_ssize_t i, j
    for i in range(n):
        value[i] = 0
    for j in range(dims):
        for i in range(n):
            value[i] += x[j * apart + i] * x[j * apart + i]
            slope[j * apart + i] = x[j * apart + i]
    for i in range(n):
        value[i] *= 0.5


cdef void bowl_hessian(
    const double* x, const double* p, double* h, Py_ssize_t dims, Py_ssize_t apart, Py_ssize_t n
) noexcept nogil:
    cdef Py_ssize_t i, j
    for j in range(dims):
        for i in range(n):
            h[j * (dims + 1) * apart + i] = 1


cdef void ravine(
    const double* x, const double* p, double* value, double* slope, Py_ssize_t dims, Py_ssize_t apart, Py_ssize_t n
) noexcept nogil:
    cdef double kappa = p[0], steep
    cdef const double* b = x + apart
    cdef double* db = slope + apart
    cdef Py_ssize_t i
    for i in range(n):
        steep = kappa * b[i]
        value[i] = 0.5 * (x[i] * x[i] + b[i] * steep)
        slope[i] = x[i]
        db[i] = steep


cdef void ravine_hessian(
    const double* x, const double* p, double* h, Py_ssize_t dims, Py_ssize_t apart, Py_ssize_t n
) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        h[i] = 1
        h[3 * apart + i] = p[0]


cdef void rosenbrock(
    const double* x, const double* p, double* value, double* slope, Py_ssize_t dims, Py_ssize_t apart, Py_ssize_t n
) noexcept nogil:
    cdef double steep = p[0], beside, left
    cdef const double* a = x
    cdef double* da = slope
    cdef Py_ssize_t i, _
    for i in range(n):
        value[i] = da[i] = 0
    for _ in range(dims - 1):
        for i in range(n):
            beside = a[apart + i] - a[i] * a[i]
            left = 1 - a[i]
            value[i] += steep * beside * beside + left * left
            da[i] += -4 * steep * beside * a[i] - 2 * left
            da[apart + i] = 2 * steep * beside
        a += apart
        da += apart


cdef void rosenbrock_hessian(
    const double* x, const double* p, double* h, Py_ssize_t dims, Py_ssize_t apart, Py_ssize_t n
) noexcept nogil:
    cdef double steep = p[0]
    cdef const double* a = x
    cdef double* here = h
    cdef Py_ssize_t row = dims * apart, i, _
    for _ in range(dims - 1):
        for i in range(n):
            here[i] += 8 * steep * a[i] * a[i] - 4 * steep * (a[apart + i] - a[i] * a[i]) + 2
            here[apart + i] = -4 * steep * a[i]
            here[row + apart + i] = 2 * steep
        a += apart
        here += row + apart


cdef inline void beale_terms(
    double a, double b, double* lacking, double* rise, double* bend, double* turn
) noexcept nogil:
    """Of each term what is squared, 1 - bᵏ, and the first and second derivative of bᵏ."""
    rise[0] = 1 - b
    rise[1] = 1 - b * b
    rise[2] = 1 - b * b * b
    lacking[0] = 1.5 - a * rise[0]
    lacking[1] = 2.25 - a * rise[1]
    lacking[2] = 2.625 - a * rise[2]
    bend[0] = 1
    bend[1] = 2 * b
    bend[2] = 3 * b * b
    turn[0] = 0
    turn[1] = 2
    turn[2] = 6 * b


cdef void beale(
    const double* x, const double* p, double* value, double* slope, Py_ssize_t dims, Py_ssize_t apart, Py_ssize_t n
) noexcept nogil:
    cdef double lacking[BEALE]
    cdef double rise[BEALE]
    cdef double bend[BEALE]
    cdef double turn[BEALE]
    cdef double a, height, da, db
    cdef Py_ssize_t i
    cdef int k
    for i in range(n):
        a, height, da, db = x[i], 0, 0, 0
        beale_terms(a, x[apart + i], lacking, rise, bend, turn)
        for k in range(BEALE):
            height += lacking[k] * lacking[k]
            da -= 2 * rise[k] * lacking[k]
            db += 2 * a * bend[k] * lacking[k]
        value[i] = height
        slope[i] = da
        slope[apart + i] = db


cdef void beale_hessian(
    const double* x, const double* p, double* h, Py_ssize_t dims, Py_ssize_t apart, Py_ssize_t n
) noexcept nogil:
    cdef double lacking[BEALE]
    cdef double rise[BEALE]
    cdef double bend[BEALE]
    cdef double turn[BEALE]
    cdef double a, along, mixed, across
    cdef Py_ssize_t i
    cdef int k
    for i in range(n):
        a, along, mixed, across = x[i], 0, 0, 0
        beale_terms(a, x[apart + i], lacking, rise, bend, turn)
        for k in range(BEALE):
            along += 2 * rise[k] * rise[k]
            mixed += 2 * bend[k] * (lacking[k] - a * rise[k])
            across += 2 * a * (turn[k] * lacking[k] + a * bend[k] * bend[k])
        h[i] = along
        h[apart + i] = mixed
        h[3 * apart + i] = across


cdef void himmelblau(
    const double* x, const double* p, double* value, double* slope, Py_ssize_t dims, Py_ssize_t apart, Py_ssize_t n
) noexcept nogil:
    cdef double a, b, first, second
    cdef Py_ssize_t i
    for i in range(n):
        a, b = x[i], x[apart + i]
        first = a * a + b - 11
        second = a + b * b - 7
        value[i] = first * first + second * second
        slope[i] = 4 * a * first + 2 * second
        slope[apart + i] = 2 * first + 4 * b * second


cdef void himmelblau_hessian(
    const double* x, const double* p, double* h, Py_ssize_t dims, Py_ssize_t apart, Py_ssize_t n
) noexcept nogil:
    cdef double a, b
    cdef Py_ssize_t i
    for i in range(n):
        a, b = x[i], x[apart + i]
        h[i] = 4 * (a * a + b - 11) + 8 * a * a + 2
        h[apart + i] = 4 * (a + b)
        h[3 * apart + i] = 4 * (a + b * b - 7) + 8 * b * b + 2


cdef inline double beside(double x) noexcept nogil:
    """How far a number |x| is from the nearest whole one, exactly, with the sign of that way; 0 for an infinity."""
    cdef double size = fabs(x), whole
    whole = (size + 4503599627370496.0) - 4503599627370496.0            # 2⁵²: from there on, all numbers are whole
    return 0 if size >= 4503599627370496.0 else size - whole


cdef inline double sine(double y) noexcept nogil:
    """sin(y) for |y| <= π/2: Taylor's series."""
    cdef double z = y * y, tail
    tail = 1 / 51090942171709440000.0                                   # 1/21!
    tail = 1 / 121645100408832000.0 - z * tail
    tail = 1 / 355687428096000.0 - z * tail
    tail = 1 / 1307674368000.0 - z * tail
    tail = 1 / 6227020800.0 - z * tail
    tail = 1 / 39916800.0 - z * tail
    tail = 1 / 362880.0 - z * tail
    tail = 1 / 5040.0 - z * tail
    tail = 1 / 120.0 - z * tail
    tail = 1 / 6.0 - z * tail
    return y - y * z * tail


cdef void rastrigin(
    const double* x, const double* p, double* value, double* slope, Py_ssize_t dims, Py_ssize_t apart, Py_ssize_t n
) noexcept nogil:
    cdef double amplitude = p[0], pi = 3.141592653589793, a, r, half, s
    cdef Py_ssize_t i, j
    for i in range(n):
        value[i] = 0
    for j in range(dims):
        for i in range(n):
            a = x[j * apart + i]
            r = beside(a)
            s = sine(pi * r)
            value[i] += a * a + 2 * amplitude * s * s
            half = 0.5 if r > 0 else -0.5
            r = r if fabs(r) < 0.25 else half - r                       # where the sine of 2πr is the same
            s = sine(2 * pi * r)
            slope[j * apart + i] = 2 * a + 2 * pi * amplitude * (-s if a < 0 else s)


cdef void rastrigin_hessian(
    const double* x, const double* p, double* h, Py_ssize_t dims, Py_ssize_t apart, Py_ssize_t n
) noexcept nogil:
    cdef double amplitude = p[0], pi = 3.141592653589793, s
    cdef Py_ssize_t i, j
    for j in range(dims):
        for i in range(n):
            s = sine(pi * beside(x[j * apart + i]))
            h[j * (dims + 1) * apart + i] = 2 + 4 * pi * pi * amplitude * (1 - 2 * s * s)


cdef void saddle(
    const double* x, const double* p, double* value, double* slope, Py_ssize_t dims, Py_ssize_t apart, Py_ssize_t n
) noexcept nogil:
    cdef double a, b, square
    cdef Py_ssize_t i
    for i in range(n):
        a, b = x[i], x[apart + i]
        square = b * b
        value[i] = 0.5 * a * a + square * (0.25 * square - 0.5)
        slope[i] = a
        slope[apart + i] = b * (square - 1)


cdef void saddle_hessian(
    const double* x, const double* p, double* h, Py_ssize_t dims, Py_ssize_t apart, Py_ssize_t n
) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        h[i] = 1
        h[3 * apart + i] = 3 * x[apart + i] * x[apart + i] - 1


cdef void monkey_saddle(
    const double* x, const double* p, double* value, double* slope, Py_ssize_t dims, Py_ssize_t apart, Py_ssize_t n
) noexcept nogil:
    cdef double a, b
    cdef Py_ssize_t i
    for i in range(n):
        a, b = x[i], x[apart + i]
        value[i] = a * (a * a - 3 * b * b)
        slope[i] = 3 * (a - b) * (a + b)
        slope[apart + i] = -6 * a * b


cdef void monkey_saddle_hessian(
    const double* x, const double* p, double* h, Py_ssize_t dims, Py_ssize_t apart, Py_ssize_t n
) noexcept nogil:
    cdef double a, b
    cdef Py_ssize_t i
    for i in range(n):
        a, b = x[i], x[apart + i]
        h[i] = 6 * a
        h[apart + i] = -6 * b
        h[3 * apart + i] = -6 * a


cdef void plateau(
    const double* x, const double* p, double* value, double* slope, Py_ssize_t dims, Py_ssize_t apart, Py_ssize_t n
) noexcept nogil:
    cdef double a, b, square, below, level
    cdef Py_ssize_t i
    for i in range(n):
        a, b = x[i], x[apart + i]
        square = a * a + b * b
        below = 1 + square
        level = 2 / (below * below)
        value[i] = 1 if square == INFINITY else square / below
        slope[i] = level * a
        slope[apart + i] = level * b


cdef void plateau_hessian(
    const double* x, const double* p, double* h, Py_ssize_t dims, Py_ssize_t apart, Py_ssize_t n
) noexcept nogil:
    cdef double a, b, below, level
    cdef Py_ssize_t i
    for i in range(n):
        a, b = x[i], x[apart + i]
        below = 1 + (a * a + b * b)
        level = 2 / (below * below)
        h[i] = level * (1 - 4 * (a * (a / below)))
        h[apart + i] = -4 * level * (a * (b / below))
        h[3 * apart + i] = level * (1 - 4 * (b * (b / below)))


kernels = {
    "bowl": landscape(bowl, bowl_hessian),
    "ravine": landscape(ravine, ravine_hessian),
    "rosenbrock": landscape(rosenbrock, rosenbrock_hessian),
    "beale": landscape(beale, beale_hessian),
    "himmelblau": landscape(himmelblau, himmelblau_hessian),
    "rastrigin": landscape(rastrigin, rastrigin_hessian),
    "saddle": landscape(saddle, saddle_hessian),
    "monkey_saddle": landscape(monkey_saddle, monkey_saddle_hessian),
    "plateau": landscape(plateau, plateau_hessian),
}
