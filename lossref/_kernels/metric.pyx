"""Losses of distances and angles between embeddings, sample by sample.

Whatever the precision of the rows, they are worked on in float64 and each result is rounded to it once: two rows that
are almost alike differ in few digits, and a margin minus a distance has fewer still.
"""

from libc.math cimport INFINITY, fabs, frexp, ldexp, pow, sqrt

from lossref._kernels.drivers cimport tree_sum
from lossref._kernels.drivers_embeddings cimport embedding
from lossref._kernels.entry cimport real


# --- Lengths and directions -----------------------------------------------------------------------------------------

cdef double rescaled(double* r, Py_ssize_t n) noexcept nogil:
    """Divide a vector by a power of two near its largest number, and return that. Beside infinities the rest is 0."""
    cdef double largest = 0, scale
    cdef Py_ssize_t j
    cdef int exponent
    for j in range(n):
        largest = fabs(r[j]) if fabs(r[j]) > largest else largest
    if largest == INFINITY:
        for j in range(n):
            r[j] = (1 if r[j] > 0 else -1) if fabs(r[j]) == INFINITY else 0 * r[j]
        return largest
    frexp(largest, &exponent)
    scale = ldexp(1, max(exponent - 1, -1022))
    for j in range(n):
        r[j] /= scale
    return scale


cdef double length(const double* r, double* scale, double order, double* work, Py_ssize_t n) noexcept nogil:
    """The norm of a vector over ``scale``, which is 1 unless a power of a number might be no float."""
    cdef double total
    cdef Py_ssize_t j
    scale[0] = 1
    if order == 2:
        for j in range(n):
            work[j] = r[j] * r[j]
        total = tree_sum(work, n)
        if 1e-270 < total < 1e300:
            return sqrt(total)
    elif order == 1:
        for j in range(n):
            work[j] = fabs(r[j])
        return tree_sum(work, n)
    for j in range(n):
        work[j] = r[j]
    scale[0] = rescaled(work, n)
    for j in range(n):
        work[j] = work[j] * work[j] if order == 2 else pow(fabs(work[j]), order)
    total = tree_sum(work, n)
    return sqrt(total) if order == 2 else pow(total, 1 / order)


cdef inline double difference(
    const real* a, const real* b, double* r, double* scale, double order, double* work, Py_ssize_t n
) noexcept nogil:
    """a - b, and its length over a scale."""
    cdef Py_ssize_t j
    for j in range(n):
        r[j] = <double>a[j] - <double>b[j]
    return length(r, scale, order, work, n)


cdef inline void to_slopes(double* r, double norm, double scale, double order, Py_ssize_t n) noexcept nogil:
    """Turn a vector into the slope of its length. That of no vector at all is 0, as it stands there already."""
    cdef double size
    cdef Py_ssize_t j
    if norm == 0:
        return
    if scale != 1:
        rescaled(r, n)
    if order == 2:
        for j in range(n):
            r[j] /= norm
    else:
        for j in range(n):
            size = 1 if order == 1 else pow(fabs(r[j]) / norm, order - 1)
            r[j] = size if r[j] > 0 else (-size if r[j] < 0 else r[j])


cdef inline void to_curvatures(double* r, double norm, double scale, double order, Py_ssize_t n) noexcept nogil:
    """Turn a vector into the second derivatives of its length; 0 at a kink."""
    cdef double part
    cdef Py_ssize_t j
    if scale != 1:
        rescaled(r, n)
    for j in range(n):
        part = fabs(r[j]) / norm
        if norm == 0 or order == 1:
            r[j] = 0
        elif order == 2:
            r[j] = (1 - part * part) / norm / scale
        else:
            r[j] = (order - 1) * (pow(part, order - 2) - pow(part, 2 * order - 2)) / norm / scale


# --- Contrastive ----------------------------------------------------------------------------------------------------

cdef double contrastive(
    const real** x, double label, const double* p, double scale, real** slope, double* room, Py_ssize_t n
) noexcept nogil:
    """Equal rows have no direction: where they should be apart, they are not moved."""
    cdef double margin = p[0], factor = p[2]
    cdef double* r = room
    cdef double unit, norm = difference(x[0], x[1], r, &unit, 2, room + n, n)
    cdef double distance = norm * unit + 0 * label, missing = margin - distance, pull, t
    cdef bint alike = label == p[1]
    cdef Py_ssize_t j
    missing = 0 if missing < 0 else missing
    if slope != NULL:
        if not alike:
            to_slopes(r, norm, unit, 2, n)
        pull = 2 * factor * (1 if alike else -missing)
        for j in range(n):
            t = scale * (pull * r[j])
            slope[0][j] = <real>t
            slope[1][j] = <real>-t
    return factor * (distance * distance if alike else missing * missing)


cdef double contrastive_curvature(
    const real** x, double label, const double* p, double scale, real** out, double* room, Py_ssize_t n
) noexcept nogil:
    cdef double margin = p[0], factor = p[2]
    cdef double* r = room
    cdef double unit, norm = difference(x[0], x[1], r, &unit, 2, room + n, n)
    cdef double distance = norm * unit + 0 * label, t
    cdef bint alike = label == p[1], idle = norm == 0 or distance >= margin
    cdef Py_ssize_t j
    to_slopes(r, norm, unit, 2, n)
    for j in range(n):
        t = 2 - (1 - r[j] * r[j]) * (2 * margin) / distance
        t = (2 if distance == distance else distance) if alike else (0 if idle else t)
        out[0][j] = <real>(scale * (factor * t))
        out[1][j] = out[0][j]
    return 0


# --- Triplet --------------------------------------------------------------------------------------------------------

cdef inline double missing_distance(
    const real** x, const double* p, double* near, double* far, double* near_norm, double* far_norm,
    double* near_scale, double* far_scale, bint* swapped, double* work, Py_ssize_t n
) noexcept nogil:
    """How much the negative lacks to being farther away than the positive by the margin, and the two differences.

    With a swap, the negative is held against the positive where it is nearer to that than to the anchor.
    """
    cdef double order = p[1], near_length, far_length, side_norm, side_scale
    near_norm[0] = difference(x[0], x[1], near, near_scale, order, work, n)
    far_norm[0] = difference(x[0], x[2], far, far_scale, order, work, n)
    near_length = near_norm[0] * near_scale[0]
    far_length = far_norm[0] * far_scale[0]
    swapped[0] = False
    if p[3] != 0:
        side_norm = difference(x[1], x[2], work, &side_scale, order, work + n, n)
        swapped[0] = side_norm * side_scale < far_length
        if swapped[0]:
            far_norm[0] = difference(x[1], x[2], far, far_scale, order, work, n)
            far_length = far_norm[0] * far_scale[0]
    if p[2] != 0:
        return near_length * near_length - far_length * far_length + p[0]
    return near_length - far_length + p[0]


cdef double triplet(
    const real** x, double label, const double* p, double scale, real** slope, double* room, Py_ssize_t n
) noexcept nogil:
    cdef double* near = room
    cdef double* far = room + n
    cdef double near_norm, far_norm, near_scale, far_scale, active, t, s
    cdef bint swapped
    cdef double missing = missing_distance(
        x, p, near, far, &near_norm, &far_norm, &near_scale, &far_scale, &swapped, room + 2 * n, n)
    cdef Py_ssize_t j
    if slope != NULL:
        active = 1 if missing > 0 else (0 if missing <= 0 else missing)
        if p[2] == 0:
            to_slopes(near, near_norm, near_scale, p[1], n)
            to_slopes(far, far_norm, far_scale, p[1], n)
        elif active == 1:
            active = 2
        for j in range(n):
            t = active * near[j]
            s = active * far[j]
            slope[0][j] = <real>(scale * (t if swapped else t - s))
            slope[1][j] = <real>(scale * (-t - s if swapped else -t))
            slope[2][j] = <real>(scale * s)
    return 0 if missing < 0 else missing


cdef double triplet_curvature(
    const real** x, double label, const double* p, double scale, real** out, double* room, Py_ssize_t n
) noexcept nogil:
    cdef double* near = room
    cdef double* far = room + n
    cdef double near_norm, far_norm, near_scale, far_scale, t, s
    cdef bint swapped
    cdef double missing = missing_distance(
        x, p, near, far, &near_norm, &far_norm, &near_scale, &far_scale, &swapped, room + 2 * n, n)
    cdef double idle = 0 if missing <= 0 else missing
    cdef Py_ssize_t j
    to_curvatures(near, near_norm, near_scale, p[1], n)
    to_curvatures(far, far_norm, far_scale, p[1], n)
    for j in range(n):
        t = near[j] if p[2] == 0 else 2
        s = far[j] if p[2] == 0 else 2
        t = t if missing > 0 else idle
        s = s if missing > 0 else idle
        out[0][j] = <real>(scale * (t if swapped else t - s))
        out[1][j] = <real>(scale * (t - s if swapped else t))
        out[2][j] = <real>(scale * -s)
    return 0


# --- Cosines --------------------------------------------------------------------------------------------------------

cdef inline double cosine(
    const real* a, const real* b, double* u, double* v, double* norm, double* unit, double* work, double* lost,
    Py_ssize_t n
) noexcept nogil:
    """The cosine of two rows, u and v their directions, and what the cosine lacks to 1: half of the square of u - v.

    A row of zeros has no direction: NaN.
    """
    cdef double product, undefined
    cdef Py_ssize_t j
    for j in range(n):
        u[j] = a[j]
        v[j] = b[j]
    norm[0] = length(u, &unit[0], 2, work, n)
    norm[1] = length(v, &unit[1], 2, work, n)
    to_slopes(u, norm[0], unit[0], 2, n)
    to_slopes(v, norm[1], unit[1], 2, n)
    undefined = 0 / norm[0] + 0 / norm[1]
    for j in range(n):
        work[j] = u[j] * v[j]
    product = tree_sum(work, n)
    for j in range(n):
        work[j] = (u[j] - v[j]) * (u[j] - v[j])
    lost[0] = 0.5 * tree_sum(work, n) + undefined
    return product + undefined


cdef double cosine_embedding(
    const real** x, double label, const double* p, double scale, real** slope, double* room, Py_ssize_t n
) noexcept nogil:
    """Near a cosine of 1 its slope v - cos u is (v - u) + (1 - cos) u, two small terms, not two large ones."""
    cdef double* u = room
    cdef double* v = room + n
    cdef double norm[2]
    cdef double unit[2]
    cdef double lost, angle = cosine(x[0], x[1], u, v, norm, unit, room + 2 * n, &lost, n) + 0 * label
    cdef double missing = angle - p[0], active, kept, rest, t, s
    cdef Py_ssize_t j
    if slope != NULL:
        active = 1 if missing > 0 else (0 if missing <= 0 else missing)
        active = -1 if label == 1 else active
        kept = 1 if angle > 0.5 else angle
        rest = lost if angle > 0.5 else 0
        for j in range(n):
            t = active * ((v[j] - kept * u[j]) + rest * u[j])
            s = active * ((u[j] - kept * v[j]) + rest * v[j])
            slope[0][j] = <real>(scale * (t / norm[0] / unit[0]))
            slope[1][j] = <real>(scale * (s / norm[1] / unit[1]))
    return lost if label == 1 else (0 if missing < 0 else missing)


cdef double cosine_embedding_curvature(
    const real** x, double label, const double* p, double scale, real** out, double* room, Py_ssize_t n
) noexcept nogil:
    cdef double* u = room
    cdef double* v = room + n
    cdef double norm[2]
    cdef double unit[2]
    cdef double lost, angle = cosine(x[0], x[1], u, v, norm, unit, room + 2 * n, &lost, n) + 0 * label
    cdef double missing = angle - p[0], active, t, s
    cdef Py_ssize_t j
    active = -1 if missing > 0 else (0 if missing <= 0 else missing)
    active = 1 if label == 1 else active
    for j in range(n):
        t = active * ((angle + 2 * (u[j] * v[j])) - 3 * (angle * (u[j] * u[j])))
        s = active * ((angle + 2 * (u[j] * v[j])) - 3 * (angle * (v[j] * v[j])))
        out[0][j] = <real>(scale * (t / norm[0] / unit[0] / norm[0] / unit[0]))
        out[1][j] = <real>(scale * (s / norm[1] / unit[1] / norm[1] / unit[1]))
    return 0


kernels = {
    "contrastive": embedding(
        contrastive[float], contrastive[double], contrastive_curvature[float], contrastive_curvature[double]
    ),
    "triplet": embedding(triplet[float], triplet[double], triplet_curvature[float], triplet_curvature[double]),
    "cosine_embedding": embedding(
        cosine_embedding[float], cosine_embedding[double],
        cosine_embedding_curvature[float], cosine_embedding_curvature[double],
    ),
}
