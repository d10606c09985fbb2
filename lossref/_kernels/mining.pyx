"""Triplets of a batch: distances tile by tile, the triplets of one anchor after the other, and their slopes.

No triplet is stored: an anchor turns its distances into their weights in the gradient. All is float64 and algebra
alone, in an order that does not depend on threads, so that the bits are the same everywhere. Where only the farthest
and the nearest are wanted, float32 says which samples they can be, at four times the speed, and float64 decides.
"""

from cpython.exc cimport PyErr_CheckSignals
from cython.parallel cimport prange
from libc.math cimport INFINITY, sqrt

import numpy as np

from lossref._fallback import Triplets

from lossref._kernels.drivers cimport LANES, ordered_sum
from lossref._kernels.entry cimport PARALLEL_FROM, threads
from lossref._kernels.vecmath cimport mul_add

cdef enum:
    TILE = 64      # samples whose numbers stand side by side, so that their distances are found at once
    AT_A_TIME = 4  # numbers of a sample that float32 distances take at once
    SHARE = 32     # anchors that one thread takes at a time, while a tile is in the cache
    SHARES = 8     # of which the weights are kept until all threads add up the slopes
    SLICE = 32     # numbers of each sample whose slopes one thread adds up

cdef struct Choice:            # which triplets count: those whose gap is above low and not above high
    double low
    double high
    double margin
    bint hardest               # of each anchor only the one with its farthest positive and its nearest negative

cdef struct Batch:
    const double* x            # n rows of numbers, divided by the scale
    const double* tiles        # the same, TILE rows turned into columns after the other, zeros at the end
    const float* rough         # x and tiles in float32, where they are needed, with zeros for a round number of numbers
    const float* rough_tiles
    Py_ssize_t rough_width
    const int* labels
    Py_ssize_t n
    Py_ssize_t width
    Py_ssize_t padded          # n rounded up to whole tiles
    double scale
    bint squared
    bint rough_is_enough       # to tell which distances cannot be the largest or smallest

cdef struct Room:              # what an anchor is taken apart into: positives first, then negatives
    Py_ssize_t* place
    double* distance
    double* hits               # how many triplets that cost something each is in
    double* costs              # of the triplets with one positive
    double* sums               # of these, for each positive

cdef struct Pull:              # the slopes of an anchor's triplets: samples in ascending order, each with its weight
    Py_ssize_t chosen          # how many triplets there are
    Py_ssize_t count           # of the samples
    Py_ssize_t* place
    double* weight


cdef void tile_distances(const double* x, const double* tile, Py_ssize_t width, double* out) noexcept nogil:
    """The squared distances of a sample from those of a tile."""
    cdef double total[TILE]
    cdef double apart
    cdef Py_ssize_t j, k
    for j in range(TILE):
        total[j] = 0
    for k in range(width):
        for j in range(TILE):
            apart = x[k] - tile[k * TILE + j]
            total[j] += apart * apart
    for j in range(TILE):
        out[j] = total[j]


cdef void measure(double* row, Py_ssize_t n, double scale, bint squared) noexcept nogil:
    """Squared distances of scaled numbers made the distances asked for."""
    cdef Py_ssize_t j
    if squared:
        for j in range(n):
            row[j] = row[j] * scale * scale
    else:
        for j in range(n):
            row[j] = sqrt(row[j]) * scale


cdef void distances(const Batch* batch, Py_ssize_t first, Py_ssize_t last, double* rows) noexcept nogil:
    """The distances of the samples from first to last from all samples, a row each."""
    cdef Py_ssize_t at = 0, a
    while at < batch.padded:
        for a in range(first, last):
            tile_distances(batch.x + a * batch.width, batch.tiles + at * batch.width, batch.width,
                           rows + (a - first) * batch.padded + at)
        at += TILE
    for a in range(last - first):
        measure(rows + a * batch.padded, batch.n, batch.scale, batch.squared)


cdef Py_ssize_t part_sides(const Batch* batch, Py_ssize_t a, const double* row, Room room) noexcept nogil:
    """List the positives of an anchor, then its negatives, and return how many positives there are."""
    cdef Py_ssize_t j, k = 0, positives = 0
    cdef bint negative
    for negative in range(2):
        for j in range(batch.n):
            if j != a and (batch.labels[j] != batch.labels[a]) == negative:
                room.place[k] = j
                room.distance[k] = row[j]
                k += 1
        if not negative:
            positives = k
    return positives


cdef Py_ssize_t farthest(const double* x, Py_ssize_t n) noexcept nogil:
    """Where the largest of a row stands first."""
    cdef Py_ssize_t i, found = 0
    for i in range(1, n):
        if x[i] > x[found]:
            found = i
    return found


cdef Py_ssize_t nearest(const double* x, Py_ssize_t n) noexcept nogil:
    """Where the smallest of a row stands first."""
    cdef Py_ssize_t i, found = 0
    for i in range(1, n):
        if x[i] < x[found]:
            found = i
    return found


cdef Py_ssize_t weigh(
    double near, const double* far, Py_ssize_t n, Choice choice, double* costs, double* hits, Py_ssize_t* active
) noexcept nogil:
    """What the triplets with one positive cost; how many are chosen is returned, and how many of them cost something
    is added to what is given.
    """
    cdef double gap
    cdef long long chosen = 0, costly = 0
    cdef bint inside, hit
    cdef Py_ssize_t j
    for j in range(n):
        gap = far[j] - near
        inside = (gap > choice.low) & (gap <= choice.high)
        hit = inside & (gap < choice.margin)
        costs[j] = choice.margin - gap if hit else 0
        hits[j] += 1.0 if hit else 0.0
        chosen += inside
        costly += hit
    active[0] += costly
    return chosen


cdef inline double pulling(const Batch* batch, double hits, double distance) noexcept nogil:
    """The factor of a difference in the slopes of so many triplets, to or from a sample so far away."""
    if batch.squared:
        return hits * (2 * batch.scale)
    return hits / (distance / batch.scale) if distance > 0 else 0


cdef double spend(
    const Batch* batch, Py_ssize_t a, double* row, Choice choice, Room room, Pull* pull, Py_ssize_t* active
) noexcept nogil:
    """What the triplets of an anchor cost. Their slopes are left in ``pull``, whose weights may be the row itself."""
    cdef Py_ssize_t positives = part_sides(batch, a, row, room), others = batch.n - 1, chosen = 0, i, before
    cdef double* far = room.distance + positives
    cdef double* far_hits = room.hits + positives
    cdef double cost = 0
    for i in range(others):
        room.hits[i] = 0
    if positives > 0 and positives < others:
        for i in range(positives):
            before = active[0]
            chosen += weigh(room.distance[i], far, others - positives, choice, room.costs, far_hits, active)
            room.hits[i] = <double>(active[0] - before)
            room.sums[i] = ordered_sum(room.costs, others - positives)
        cost = ordered_sum(room.sums, positives)
    pull.chosen = chosen
    row[a] = 0
    for i in range(others):
        row[room.place[i]] = pulling(batch, room.hits[i] if i < positives else -room.hits[i], room.distance[i])
    pull.count = 0
    for i in range(batch.n):
        if row[i] != 0:
            pull.place[pull.count] = i
            pull.weight[pull.count] = row[i]
            pull.count += 1
    return cost


# --- Of each anchor one triplet ------------------------------------------------------------------------------------

cdef void rough_tile(const float* x, const float* tile, Py_ssize_t width, float* out) noexcept nogil:
    """The squared distances of a sample from those of a tile, in float32, some numbers at a time."""
    cdef float total[TILE]
    cdef float p, q, r, t
    cdef Py_ssize_t j
    for j in range(TILE):
        total[j] = 0
    for _ in range(width // AT_A_TIME):
        for j in range(TILE):
            p = x[0] - tile[j]
            q = x[1] - tile[TILE + j]
            r = x[2] - tile[2 * TILE + j]
            t = x[3] - tile[3 * TILE + j]
            total[j] += mul_add(p, p, q * q) + mul_add(r, r, t * t)
        x += AT_A_TIME
        tile += AT_A_TIME * TILE
    for j in range(TILE):
        out[j] = total[j]


cdef void rough_distances(const Batch* batch, Py_ssize_t first, Py_ssize_t last, float* rows) noexcept nogil:
    """The squared distances of the samples from first to last from all samples, a row each."""
    cdef Py_ssize_t at = 0, a
    while at < batch.padded:
        for a in range(first, last):
            rough_tile(batch.rough + a * batch.rough_width, batch.rough_tiles + at * batch.rough_width,
                       batch.rough_width, rows + (a - first) * batch.padded + at)
        at += TILE


cdef void rough_extremes(
    const float* row, const int* labels, int own, Py_ssize_t n, float* far, float* near
) noexcept nogil:
    """The largest distance from a sample of the class, and the smallest from one of another."""
    cdef float far_lane[LANES]
    cdef float near_lane[LANES]
    cdef float d
    cdef Py_ssize_t rows = n // LANES, i, j
    for j in range(LANES):
        far_lane[j] = -1
        near_lane[j] = <float>INFINITY
    for i in range(rows):
        for j in range(LANES):
            d = row[i * LANES + j]
            far_lane[j] = d if (labels[i * LANES + j] == own) & (d > far_lane[j]) else far_lane[j]
            near_lane[j] = d if (labels[i * LANES + j] != own) & (d < near_lane[j]) else near_lane[j]
    for i in range(rows * LANES, n):
        if labels[i] == own:
            far_lane[0] = max(far_lane[0], row[i])
        else:
            near_lane[0] = min(near_lane[0], row[i])
    for j in range(1, LANES):
        far_lane[0] = max(far_lane[0], far_lane[j])
        near_lane[0] = min(near_lane[0], near_lane[j])
    far[0] = far_lane[0]
    near[0] = near_lane[0]


cdef bint any_beyond(const float* row, const int* labels, int own, float far, float near) noexcept nogil:
    """Is one of a tile so far, in the class, or so near, in another, that it may be the one?"""
    cdef int found = 0
    cdef Py_ssize_t j
    for j in range(TILE):
        found |= (row[j] >= far) if labels[j] == own else (row[j] <= near)
    return found


cdef void bounds(float* far, float* near, Py_ssize_t width) noexcept nogil:
    """Replace the rough extremes by how far, or near, a sample must be to possibly be the true one.

    A number of the batch is below 2, and rounding takes 2**-24 of it and of the difference: a distance of rounded
    differences is off by no more than 9 2**-24 sqrt(width), whatever its size; and the sum of the squares by a share
    of (width + 2) 2**-24, here taken twice."""
    cdef double unit = 5.9604644775390625e-08, share = 2 * (width + 2) * unit, off = 2 * 9 * unit * sqrt(width)
    cdef double root = sqrt(far[0] / (1 + share)) - off
    far[0] = <float>((1 - 2 * share) * root * root) if root > 0 else 0
    root = sqrt(near[0] / (1 - share)) + off
    near[0] = <float>((1 + 2 * share) * root * root)


cdef double spend_hardest(
    const Batch* batch, Py_ssize_t a, float* row, Choice choice, Pull* pull, Py_ssize_t* active
) noexcept nogil:
    """What the triplet of an anchor with its farthest positive and its nearest negative costs."""
    cdef double exact[TILE]
    cdef double farthest = -1, nearest = INFINITY, cost = 0, hit = 0
    cdef float far, near
    cdef int own = batch.labels[a]
    cdef Py_ssize_t at = 0, j, positive = -1, negative = -1
    row[a] = -1                                                 # nobody is his own positive
    rough_extremes(row, batch.labels, own, batch.n, &far, &near)
    pull.chosen = pull.count = 0
    if far < 0 or near == <float>INFINITY:
        return 0
    if batch.rough_is_enough:
        bounds(&far, &near, batch.width)
    else:
        far = 0
        near = <float>INFINITY
    while at < batch.n:
        if any_beyond(row + at, batch.labels + at, own, far, near):
            tile_distances(batch.x + a * batch.width, batch.tiles + at * batch.width, batch.width, exact)
            measure(exact, TILE, batch.scale, batch.squared)
            for j in range(min(<Py_ssize_t>TILE, batch.n - at)):
                if batch.labels[at + j] != own:
                    if negative < 0 or exact[j] < nearest:
                        nearest = exact[j]
                        negative = at + j
                elif at + j != a and (positive < 0 or exact[j] > farthest):
                    farthest = exact[j]
                    positive = at + j
        at += TILE
    pull.chosen = weigh(farthest, &nearest, 1, choice, &cost, &hit, active)
    if hit > 0:
        pull.count = 2
        j = positive > negative                                 # which of the two places is the positive's
        pull.place[j] = positive
        pull.place[1 - j] = negative
        pull.weight[j] = pulling(batch, 1, farthest)
        pull.weight[1 - j] = pulling(batch, -1, nearest)
    return cost


# --- Anchors and slopes --------------------------------------------------------------------------------------------

cdef void pull_together(
    const Batch* batch, Py_ssize_t a, const Pull* pull, Py_ssize_t first, Py_ssize_t count, double* slopes
) noexcept nogil:
    """Add the slopes of an anchor's triplets in a slice of the numbers: weight times difference, to and fro."""
    cdef double own[SLICE]
    cdef double move
    cdef const double* x = batch.x + first
    cdef const double* here = x + a * batch.width
    cdef const double* other
    cdef double* there
    cdef Py_ssize_t i, k
    slopes += first
    for k in range(count):
        own[k] = 0
    for i in range(pull.count):
        other = x + pull.place[i] * batch.width
        there = slopes + pull.place[i] * batch.width
        for k in range(count):
            move = pull.weight[i] * (here[k] - other[k])
            there[k] -= move
            own[k] += move
    for k in range(count):
        slopes[a * batch.width + k] += own[k]


cdef void share(
    const Batch* batch, Choice choice, double* work, Py_ssize_t* place, Py_ssize_t first, Py_ssize_t last,
    double* rows, float* rough_rows, Pull* pulls, double* terms, Py_ssize_t* active
) noexcept nogil:
    """The anchors that one thread takes at a time."""
    cdef Room room
    cdef Py_ssize_t a, k
    if choice.hardest:
        rough_distances(batch, first, last, rough_rows)
        for a in range(first, last):
            k = a - first
            terms[a] = spend_hardest(batch, a, rough_rows + k * batch.padded, choice, &pulls[k], active)
        return
    room.place = place
    room.distance = work
    room.hits = work + batch.n
    room.costs = work + 2 * batch.n
    room.sums = work + 3 * batch.n
    distances(batch, first, last, rows)
    for a in range(first, last):
        k = a - first
        terms[a] = spend(batch, a, rows + k * batch.padded, choice, room, &pulls[k], active)


def tiled(x):
    """The numbers of TILE samples side by side, with zeros after the last sample."""
    cdef Py_ssize_t count = (len(x) + TILE - 1) // TILE
    filled = np.zeros((count * TILE, x.shape[1]), x.dtype)
    filled[: len(x)] = x
    return np.ascontiguousarray(filled.reshape(count, TILE, x.shape[1]).transpose(0, 2, 1))


cdef Batch batch_of(
    const double[:, ::1] x, const double[:, :, ::1] tiles, double scale, const int[::1] labels, bint squared
) noexcept:
    """The batch, reduced to what C needs."""
    cdef Batch batch
    batch.x = &x[0, 0]
    batch.tiles = &tiles[0, 0, 0]
    batch.rough = NULL
    batch.rough_tiles = NULL
    batch.rough_width = 0
    batch.labels = &labels[0]
    batch.n = x.shape[0]
    batch.width = x.shape[1]
    batch.padded = tiles.shape[0] * TILE
    batch.scale = scale
    batch.squared = squared
    # Distances that overflow or vanish are alike, whatever float32 says; and sums of very many squares lose too much.
    batch.rough_is_enough = 1e-120 < scale < 1e120 and batch.width < 1 << 20
    return batch


def padded(labels):
    """Labels as the kernels read them, up to the end of the last tile."""
    cdef Py_ssize_t count = (len(labels) + TILE - 1) // TILE
    filled = np.zeros(count * TILE, np.intc)
    filled[: len(labels)] = labels
    return filled


cdef Choice choice_of(object asked):
    """Which triplets count, reduced to what C needs."""
    cdef Choice choice
    choice.low = asked.low
    choice.high = asked.high
    choice.margin = asked.margin
    choice.hardest = asked.hardest
    return choice


def triplets(formula, const double[:, ::1] x, double scale, const long long[::1] labels):
    """What the triplets of each anchor cost, how many are chosen, how many cost something, and the slopes."""
    cdef const double[:, :, ::1] tiles = tiled(np.asarray(x))
    cdef const int[::1] classes = padded(labels)
    cdef Batch batch = batch_of(x, tiles, scale, classes, formula.squared)
    cdef Choice choice = choice_of(formula._choice)
    cdef Py_ssize_t n = batch.n, width = batch.width, first = 0, last, slices = (width + SLICE - 1) // SLICE, a, k
    cdef Py_ssize_t together = min(n, <Py_ssize_t>SHARES * SHARE), pulled = 2 if choice.hardest else batch.padded
    cdef double[::1] terms = np.zeros(n)
    cdef double[:, ::1] slopes = np.zeros((n, width))
    cdef double[:, ::1] rows = np.empty((together, pulled))
    cdef Py_ssize_t[:, ::1] pulled_places = np.empty((together, pulled), np.intp)
    cdef double[:, ::1] work = np.empty((SHARES, 4 * n))
    cdef Py_ssize_t[:, ::1] places = np.empty((SHARES, n), np.intp)
    cdef const float[:, ::1] rough
    cdef const float[:, :, ::1] rough_tiles
    cdef float[:, ::1] rough_rows = np.empty((together if choice.hardest else 1, batch.padded), np.float32)
    cdef Py_ssize_t[::1] active = np.zeros(SHARES, np.intp)
    cdef Pull pulls[SHARES * SHARE]
    cdef Py_ssize_t chosen = 0
    cdef int workers = threads if n * n > PARALLEL_FROM else 1
    if choice.hardest:
        batch.rough_width = (width + AT_A_TIME - 1) // AT_A_TIME * AT_A_TIME
        filled = np.zeros((n, batch.rough_width), np.float32)
        filled[:, :width] = x
        rough = filled
        rough_tiles = tiled(filled)
        batch.rough = &rough[0, 0]
        batch.rough_tiles = &rough_tiles[0, 0, 0]
    for k in range(together):
        pulls[k].place = &pulled_places[k, 0]
        pulls[k].weight = &rows[k, 0]
    while first < n:
        last = min(first + SHARES * SHARE, n)
        with nogil:
            for k in prange((last - first + SHARE - 1) // SHARE, schedule="dynamic", num_threads=workers):
                share(&batch, choice, &work[k, 0], &places[k, 0], first + k * SHARE,
                      min(first + (k + 1) * SHARE, last), &rows[k * SHARE, 0],
                      &rough_rows[k * SHARE if choice.hardest else 0, 0], &pulls[k * SHARE], &terms[0], &active[k])
            for k in prange(slices, schedule="static", num_threads=workers):
                for a in range(first, last):
                    pull_together(&batch, a, &pulls[a - first], k * SLICE,
                                  min(<Py_ssize_t>SLICE, width - k * SLICE), &slopes[0, 0])
        for k in range(last - first):
            chosen += pulls[k].chosen
        PyErr_CheckSignals()
        first = last
    return np.asarray(terms), chosen, int(np.sum(active)), np.asarray(slopes)


cdef Py_ssize_t list_chosen(
    const Batch* batch, Py_ssize_t a, const double* row, Choice choice, Room room, long long* found
) noexcept nogil:
    """Write down the chosen triplets of an anchor, if there is where to, and return how many there are."""
    cdef Py_ssize_t positives = part_sides(batch, a, row, room), others = batch.n - 1, p, n, count = 0
    cdef Py_ssize_t first = 0, last = positives, first_negative = positives
    cdef double gap
    if positives == 0 or positives == others:
        return 0
    if choice.hardest:
        first = farthest(room.distance, positives)
        last = first + 1
        first_negative += nearest(room.distance + positives, others - positives)
        others = first_negative + 1
    for p in range(first, last):
        for n in range(first_negative, others):
            gap = room.distance[n] - room.distance[p]
            if gap > choice.low and gap <= choice.high:
                if found != NULL:
                    found[3 * count] = a
                    found[3 * count + 1] = room.place[p]
                    found[3 * count + 2] = room.place[n]
                count += 1
    return count


def mined(asked, const double[:, ::1] x, double scale, const long long[::1] labels):
    """The chosen triplets of a batch, counted before they are listed."""
    cdef const double[:, :, ::1] tiles = tiled(np.asarray(x))
    cdef const int[::1] classes = padded(labels)
    cdef Batch batch = batch_of(x, tiles, scale, classes, asked.squared)
    cdef Choice choice = choice_of(asked)
    cdef Py_ssize_t n = batch.n, a, k, count = 0
    cdef double[:, ::1] rows = np.empty((n, batch.padded))
    cdef double[::1] apart = np.empty(n)
    cdef Py_ssize_t[::1] place = np.empty(n, np.intp)
    cdef long long[:, ::1] found
    cdef Room room
    cdef int workers = threads if n * n > PARALLEL_FROM else 1
    room.place = &place[0]
    room.distance = &apart[0]
    with nogil:
        for k in prange((n + SHARE - 1) // SHARE, schedule="dynamic", num_threads=workers):
            distances(&batch, k * SHARE, min((k + 1) * SHARE, n), &rows[k * SHARE, 0])
        for a in range(n):
            count += list_chosen(&batch, a, &rows[a, 0], choice, room, NULL)
    found = np.empty((count, 3), np.int64)
    count = 0
    with nogil:
        for a in range(n):
            count += list_chosen(&batch, a, &rows[a, 0], choice, room, &found[count, 0])
    return np.asarray(found)


kernels = {
    "batch_triplet": Triplets(triplets, mined),
}
