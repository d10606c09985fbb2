"""Triplets of a batch: distances tile by tile, the triplets of one anchor after the other, and their slopes.

No triplet is stored: an anchor turns the row of its distances into the row of their weights in the gradient. All is
float64 and algebra alone, in an order that does not depend on threads, so that the bits are the same everywhere.
"""

from cpython.exc cimport PyErr_CheckSignals
from cython.parallel cimport prange
from libc.math cimport sqrt

import numpy as np

from lossref._fallback import Triplets

from lossref._kernels.drivers cimport ordered_sum
from lossref._kernels.entry cimport PARALLEL_FROM, threads

cdef enum:
    TILE = 32      # samples whose numbers stand side by side, so that their distances are found at once
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
    const long long* labels
    Py_ssize_t n
    Py_ssize_t width
    Py_ssize_t padded          # n rounded up to whole tiles
    double scale
    bint squared

cdef struct Room:              # what an anchor is taken apart into: positives first, then negatives
    Py_ssize_t* place
    double* distance
    double* hits               # how many triplets that cost something each is in
    double* costs              # of the triplets with one positive
    double* sums               # of these, for each positive


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


cdef double spend(
    const Batch* batch, Py_ssize_t a, double* row, Choice choice, Room room, Py_ssize_t* chosen, Py_ssize_t* active
) noexcept nogil:
    """What the triplets of an anchor cost. The row of its distances becomes that of the weights of its slopes."""
    cdef Py_ssize_t positives = part_sides(batch, a, row, room), others = batch.n - 1, i, before
    cdef double* far = room.distance + positives
    cdef double* far_hits = room.hits + positives
    cdef double cost = 0, weight
    for i in range(others):
        room.hits[i] = 0
    if positives > 0 and positives < others:
        if choice.hardest:
            i = nearest(far, others - positives)
            far += i
            far_hits += i
            i = farthest(room.distance, positives)
            chosen[0] += weigh(room.distance[i], far, 1, choice, &cost, far_hits, active)
            room.hits[i] = far_hits[0]
        else:
            for i in range(positives):
                before = active[0]
                chosen[0] += weigh(
                    room.distance[i], far, others - positives, choice, room.costs, far_hits, active)
                room.hits[i] = <double>(active[0] - before)
                room.sums[i] = ordered_sum(room.costs, others - positives)
            cost = ordered_sum(room.sums, positives)
    row[a] = 0
    for i in range(others):
        weight = room.hits[i] if i < positives else -room.hits[i]
        if batch.squared:
            weight *= 2 * batch.scale
        else:
            weight = weight / (room.distance[i] / batch.scale) if room.distance[i] > 0 else 0
        row[room.place[i]] = weight
    return cost


cdef void pull_together(
    const Batch* batch, Py_ssize_t a, const double* weights, Py_ssize_t first, Py_ssize_t count, double* slopes
) noexcept nogil:
    """Add the slopes of an anchor's triplets in a slice of the numbers: weight times difference, to and fro."""
    cdef double own[SLICE]
    cdef double move
    cdef const double* x = batch.x + first
    cdef const double* here = x + a * batch.width
    cdef double* there
    cdef Py_ssize_t j, k
    slopes += first
    for k in range(count):
        own[k] = 0
    for j in range(batch.n):
        if weights[j] != 0:
            there = slopes + j * batch.width
            for k in range(count):
                move = weights[j] * (here[k] - x[j * batch.width + k])
                there[k] -= move
                own[k] += move
    for k in range(count):
        slopes[a * batch.width + k] += own[k]


cdef void share(
    const Batch* batch, Choice choice, double* work, Py_ssize_t* place, Py_ssize_t first, Py_ssize_t last,
    double* rows, double* terms, Py_ssize_t* counts
) noexcept nogil:
    """The anchors that one thread takes at a time."""
    cdef Room room
    cdef Py_ssize_t a
    room.place = place
    room.distance = work
    room.hits = work + batch.n
    room.costs = work + 2 * batch.n
    room.sums = work + 3 * batch.n
    distances(batch, first, last, rows)
    for a in range(first, last):
        terms[a] = spend(batch, a, rows + (a - first) * batch.padded, choice, room, &counts[0], &counts[1])


def tiled(x):
    """The numbers of TILE samples side by side, with zeros after the last sample."""
    cdef Py_ssize_t count = (len(x) + TILE - 1) // TILE
    filled = np.zeros((count * TILE, x.shape[1]))
    filled[: len(x)] = x
    return np.ascontiguousarray(filled.reshape(count, TILE, x.shape[1]).transpose(0, 2, 1))


cdef Batch batch_of(
    const double[:, ::1] x, const double[:, :, ::1] tiles, double scale, const long long[::1] labels, bint squared
) noexcept:
    """The batch, reduced to what C needs."""
    cdef Batch batch
    batch.x = &x[0, 0]
    batch.tiles = &tiles[0, 0, 0]
    batch.labels = &labels[0]
    batch.n = x.shape[0]
    batch.width = x.shape[1]
    batch.padded = tiles.shape[0] * TILE
    batch.scale = scale
    batch.squared = squared
    return batch


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
    cdef Batch batch = batch_of(x, tiles, scale, labels, formula.squared)
    cdef Choice choice = choice_of(formula._choice)
    cdef Py_ssize_t n = batch.n, width = batch.width, first = 0, last, slices = (width + SLICE - 1) // SLICE, a, k
    cdef double[::1] terms = np.zeros(n)
    cdef double[:, ::1] slopes = np.zeros((n, width))
    cdef double[:, ::1] rows = np.empty((min(n, <Py_ssize_t>SHARES * SHARE), batch.padded))
    cdef double[:, ::1] work = np.empty((SHARES, 4 * n))
    cdef Py_ssize_t[:, ::1] places = np.empty((SHARES, n), np.intp), counts = np.zeros((SHARES, 2), np.intp)
    cdef int workers = threads if n * n > PARALLEL_FROM else 1
    while first < n:
        last = min(first + SHARES * SHARE, n)
        with nogil:
            for k in prange((last - first + SHARE - 1) // SHARE, schedule="dynamic", num_threads=workers):
                share(&batch, choice, &work[k, 0], &places[k, 0], first + k * SHARE,
                      min(first + (k + 1) * SHARE, last), &rows[k * SHARE, 0], &terms[0], &counts[k, 0])
            for k in prange(slices, schedule="static", num_threads=workers):
                for a in range(first, last):
                    pull_together(&batch, a, &rows[a - first, 0], k * SLICE,
                                  min(<Py_ssize_t>SLICE, width - k * SLICE), &slopes[0, 0])
        PyErr_CheckSignals()
        first = last
    chosen, active = np.asarray(counts).sum(axis=0)
    return np.asarray(terms), int(chosen), int(active), np.asarray(slopes)


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
    cdef Batch batch = batch_of(x, tiles, scale, labels, asked.squared)
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
