"""Penalties that look at several parameters together. What is not computed here is asked of NumPy by the formula."""

from libc.math cimport INFINITY, fabs, frexp, ldexp, sqrt

import numpy as np

from lossref._fallback import Structured

from lossref._kernels.entry cimport real


cdef double halved_sum(double* terms, Py_ssize_t n) noexcept nogil:
    """The sum of n > 0 terms, whose memory it uses up: the second half is added to the first, and so on."""
    cdef Py_ssize_t half, i
    while n > 1:
        half = (n + 1) // 2
        for i in range(n - half):
            terms[i] += terms[half + i]
        n = half
    return terms[0]


cdef inline void gather(
    const real* w, const Py_ssize_t* rows, Py_ssize_t count, Py_ssize_t width, double* x
) noexcept nogil:
    """The rows of a group, one after another."""
    cdef Py_ssize_t i, j
    for i in range(count):
        for j in range(width):
            x[i * width + j] = w[rows[i] * width + j]


cdef double scale_and_norm(double* x, Py_ssize_t n, double* norm) noexcept nogil:
    """Divide numbers by a power of two near the largest, which is returned, and give the norm of what they are then.

    Behind the numbers there is room for as many squares.
    """
    cdef double largest = 0, scale
    cdef double* squares = x + n
    cdef Py_ssize_t i
    cdef int exponent
    for i in range(n):
        largest = fabs(x[i]) if fabs(x[i]) > largest else largest
    if largest == INFINITY:
        scale = largest
        for i in range(n):
            x[i] = (1 if x[i] > 0 else -1) if fabs(x[i]) == INFINITY else 0 * x[i]
    else:
        frexp(largest, &exponent)
        scale = ldexp(1, max(exponent - 1, -1022))
        for i in range(n):
            x[i] /= scale
    for i in range(n):
        squares[i] = x[i] * x[i]
    norm[0] = sqrt(halved_sum(squares, n))
    return scale


def group_lasso(formula, const real[:, ::1] w, real[:, ::1] slopes, double[::1] terms):
    cdef const Py_ssize_t[::1] rows = formula._rows, ends = formula._ends
    cdef double[::1] x = np.empty(2 * w.size)
    cdef double lam = formula.lam, strength, scale, norm, pull
    cdef Py_ssize_t g, i, j, start = 0, width = w.shape[1]
    with nogil:
        for g in range(ends.shape[0]):
            gather(&w[0, 0], &rows[start], ends[g] - start, width, &x[0])
            scale = scale_and_norm(&x[0], (ends[g] - start) * width, &norm)
            strength = lam * sqrt(<double>((ends[g] - start) * width))
            terms[g] = strength * norm * scale
            pull = 0 if norm == 0 else strength / norm
            for i in range(start, ends[g]):
                for j in range(width):
                    slopes[rows[i], j] = <real>(pull * x[(i - start) * width + j])
            start = ends[g]


def group_lasso_prox(formula, const real[:, ::1] w, real[:, ::1] u, double step):
    cdef const Py_ssize_t[::1] rows = formula._rows, ends = formula._ends
    cdef double[::1] x = np.empty(2 * w.size)
    cdef double lam = formula.lam, scale, norm, left
    cdef Py_ssize_t g, i, j, start = 0, width = w.shape[1]
    with nogil:
        for g in range(ends.shape[0]):
            gather(&w[0, 0], &rows[start], ends[g] - start, width, &x[0])
            scale = scale_and_norm(&x[0], (ends[g] - start) * width, &norm)
            left = norm - step * (lam * sqrt(<double>((ends[g] - start) * width))) / scale
            left = 0 if left <= 0 else left / norm
            for i in range(start, ends[g]):
                for j in range(width):
                    u[rows[i], j] = <real>(left * w[rows[i], j])
            start = ends[g]


def group_lasso_terms(formula, w):
    """The terms and slopes of all groups."""
    terms, slopes = np.zeros(len(formula._ends)), np.empty_like(w)
    if w.size:
        shape = len(w), -1
        group_lasso(formula, w.reshape(shape), slopes.reshape(shape), terms)
    return terms, slopes


def group_lasso_nearest(formula, w, step):
    """The proximal point of all groups."""
    u = np.empty_like(w)
    if w.size:
        shape = len(w), -1
        group_lasso_prox(formula, w.reshape(shape), u.reshape(shape), step)
    return u


def flat_pieces(double[::1] y, double threshold):
    """The proximal map of total variation, by Johnson's dynamic programming over the knots of a derivative."""
    cdef Py_ssize_t n = y.shape[0], left = n - 1, right = n, first, last, k, start = 0, stop, pull
    cdef double[::1] x = np.empty(2 * n), a = np.empty(2 * n), b = np.empty(2 * n), u = np.empty(n), high = np.empty(n)
    cdef double bottom, slope, offset, fall, drop, height
    if n == 1 or threshold == 0:
        return np.array(y)
    with nogil:
        x[left] = u[0] = y[0] - threshold       # until the way back, u is the lower end of the cut
        x[right] = high[0] = y[0] + threshold
        a[left] = 1
        b[left] = threshold - y[0]
        a[right] = -1
        b[right] = threshold + y[0]
        for k in range(1, n):
            bottom = -threshold if k < n - 1 else 0
            slope = 1
            offset = -threshold - y[k]
            first = left
            while first <= right and slope * x[first] + offset <= bottom:
                slope += a[first]
                offset += b[first]
                first += 1
            u[k] = (bottom - offset) / slope
            if k == n - 1:
                break
            fall = -1
            drop = -threshold + y[k]
            last = right
            while last >= first and -fall * x[last] - drop >= threshold:
                fall += a[last]
                drop += b[last]
                last -= 1
            high[k] = (threshold + drop) / -fall
            left = first - 1
            right = last + 1
            x[left] = u[k]
            a[left] = slope
            b[left] = offset + threshold
            x[right] = high[k]
            a[right] = fall
            b[right] = drop + threshold
        for k in range(n - 2, -1, -1):
            u[k] = high[k] if u[k + 1] > high[k] else (u[k] if u[k + 1] < u[k] else u[k + 1])
        for stop in range(1, n + 1):
            if stop == n or u[stop] != u[start]:
                pull = 0
                if start > 0:
                    pull += (x[start - 1] > u[start]) - (x[start - 1] < u[start])
                if stop < n:
                    pull += (u[stop] > u[start]) - (u[stop] < u[start])
                height = (halved_sum(&y[start], stop - start) + threshold * pull) / (stop - start)
                for k in range(start, stop):
                    x[k] = u[k]                 # the knots are done with: what is left is asked for by the next piece
                    u[k] = height
                start = stop
    return np.asarray(u)


def total_variation_nearest(formula, w, step):
    """The proximal point, found between infinities by the function above."""
    return formula.flattened(w, step, flat_pieces)


kernels = {
    "group_lasso": Structured(group_lasso_terms, group_lasso_nearest),
    "total_variation": Structured(nearest=total_variation_nearest),
    "nuclear": Structured(),  # LAPACK is the kernel, and NumPy calls it
}
