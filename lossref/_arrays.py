"""How arrays come in: one place that brings them into the form the kernels take, or says what is wrong with them.

Both backends go through here, so both accept the same arrays and refuse the others in the same words. Every check
precedes the first write.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Deliver = Callable[[Array], Any]

BLOCK = 1024
CHUNK = 4096 * BLOCK
LANES = 32


def as_floats(owner: str, name: str, value: Any) -> Array:
    """The argument as an array of float32 or float64.

    Numbers, sequences, integers and bools become float64, float16 becomes float32.
    """
    array = as_array(owner, name, value)
    kind = array.dtype
    if kind.kind == "f" and kind.itemsize in (4, 8):  # of either byte order
        return array
    if kind == np.float16:
        return array.astype(np.float32)
    if kind.kind in "iub":
        return array.astype(np.float64)
    raise TypeError(f"{owner}: {name} has dtype {kind}; convert it to float32 or float64, which lossref computes in")


def as_array(owner: str, name: str, value: Any) -> Array:
    """The argument as a plain array of whatever dtype."""
    if value is None:
        raise TypeError(f"{owner}: {name} is None; give an array or a sequence of numbers")
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(
            f"{owner}: {name} is a MaskedArray, whose mask would be ignored; pass {name}.filled(...), "
            "and weight=0 where it is masked"
        )
    if isinstance(value, np.matrix):
        raise TypeError(f"{owner}: {name} is a numpy.matrix; pass numpy.asarray({name})")
    try:
        return np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{owner}: {name} is not a rectangular array of numbers ({error})") from None


def ready(array: Array, kind: np.dtype[Any]) -> Array:
    """A contiguous, aligned, native array of that dtype: the one given, where it already is."""
    return np.require(array, dtype=kind, requirements=["C_CONTIGUOUS", "ALIGNED"])


def check_shape(owner: str, name: str, array: Array, like: str, shape: tuple[int, ...]) -> None:
    """Refuse another shape: lossref does not broadcast a prediction against a target."""
    if array.shape != shape:
        raise ValueError(f"{owner}: {name} has shape {array.shape} but {like} has shape {shape}")


def check_out(
    owner: str, out: Any, kind: np.dtype[Any], shape: tuple[int, ...], inputs: dict[str, Array], called: str = "out"
) -> None:
    """Refuse an output that cannot be written whole and safely."""
    if not isinstance(out, np.ndarray) or isinstance(out, np.ma.MaskedArray):
        raise TypeError(f"{owner}: {called} must be a numpy array of dtype {kind}, got {type(out).__name__}")
    if out.dtype != kind:
        raise TypeError(f"{owner}: {called} has dtype {out.dtype} but the result has dtype {kind}")
    check_shape(owner, called, out, "the result", shape)
    if not out.flags.writeable:
        raise ValueError(f"{owner}: {called} is read-only; pass a writeable array")
    if not (out.flags.aligned and out.dtype.isnative):
        raise ValueError(f"{owner}: {called} must be native-endian and aligned; pass numpy.empty(...)")
    if overlaps_itself(out):
        raise ValueError(f"{owner}: {called} has elements that share memory; pass an array whose elements are apart")
    for name, array in inputs.items():
        if not same_memory(out, array) and may_overlap(out, array):
            raise ValueError(f"{owner}: {called} overlaps {name}; pass an array apart from it, or {name} itself")


def check_outs(owner: str, outs: Any, kind: np.dtype[Any], learned: dict[str, Array], inputs: dict[str, Array]) -> None:
    """Refuse outputs, one for each learned array, of which one cannot be written or two share memory."""
    wanted = f"out must be a tuple of {len(learned)} arrays, one for each of {', '.join(learned)}"
    if not isinstance(outs, tuple | list):
        raise TypeError(f"{owner}: {wanted}, got {type(outs).__name__}")
    if len(outs) != len(learned):
        raise ValueError(f"{owner}: {wanted}, got {len(outs)}")
    for place, (out, array) in enumerate(zip(outs, learned.values(), strict=True)):
        check_out(owner, out, kind, array.shape, inputs, f"out[{place}]")
        for before in range(place):
            if may_overlap(out, outs[before]):
                raise ValueError(f"{owner}: out[{place}] overlaps out[{before}]; pass arrays apart from each other")


def overlaps_itself(array: Array) -> bool:
    """Do two elements of the array share memory, as in a broadcast view?"""
    if array.size == 0:
        return False
    low, high = np.lib.array_utils.byte_bounds(array)
    spread = zip(array.strides, array.shape, strict=True)
    return high - low < array.nbytes or any(stride == 0 and length > 1 for stride, length in spread)


def same_memory(a: Array, b: Array) -> bool:
    """Are both the same view of the same memory?"""
    return a.ctypes.data == b.ctypes.data and a.strides == b.strides and a.shape == b.shape


def may_overlap(a: Array, b: Array) -> bool:
    """Do the arrays share a byte, or is that too hard to tell?"""
    try:
        return np.shares_memory(a, b, max_work=100_000)  # type: ignore[arg-type]  # the stubs know only two values
    except np.exceptions.TooHardError:
        return True


def check_signs(formula: Any, labels: Array) -> None:
    """Refuse targets other than -1 and +1, with the first one that is neither; NaN passes, as everywhere."""
    wrong = ~((np.abs(labels) == 1) | np.isnan(labels))
    if wrong.any():
        place = np.unravel_index(np.argmax(wrong), wrong.shape)
        name = f"target[{', '.join(map(str, place))}] =" if place else "target ="
        raise ValueError(
            f"{type(formula).__name__}: {name} {labels[place]} is no label: labels are -1 and 1. "
            "From 0 and 1 they are made by 2 * y - 1"
        )


def prepare(
    formula: Any, a: Any, b: Any, weight: Any, out: Any, wants_array: bool
) -> tuple[Array, Array, Array | None, Array | None, float, Deliver | None]:
    """Bring the arguments of an elementwise formula into kernel form.

    Returns the arrays (weights spread over the elements), the buffer to write to (None: the kernel makes a fresh one),
    what the sum is to be divided by, and a function that turns the buffer into what the caller gets (None: the buffer
    is it).
    """
    owner = type(formula).__name__
    first, second = formula.arrays
    given = as_floats(owner, first, a)
    kind, shape = given.dtype.newbyteorder("="), given.shape
    other = given
    if b is not a:
        other = as_floats(owner, second, b)
        check_shape(owner, second, other, first, shape)
    if getattr(formula, "signs", False):
        check_signs(formula, other)
    weights, denominator = spread_weights(formula, given, weight)
    if out is not None:
        check_out(owner, out, kind, shape, {first: given, second: other})
    if formula._mean and denominator == 0 and not wants_array:
        warn_of_empty_mean(owner, weight is not None)
    given, other = ready(given, kind), ready(other, kind)
    deliver = None
    buffer = out
    if out is not None and not out.flags.c_contiguous:
        buffer = None
        deliver = write_to(out)
    elif out is None and shape == ():
        deliver = as_scalar
    return given, other, weights, buffer, denominator, deliver


def spread_weights(formula: Any, given: Array, weight: Any) -> tuple[Array | None, float]:
    """The weights of the samples as those of the elements, and what a sum is to be divided by."""
    if weight is None:
        return None, float(given.size) if formula._mean else 1.0
    owner, first = type(formula).__name__, formula.arrays[0]
    per_sample = as_floats(owner, "weight", weight)
    check_shape(owner, "weight", per_sample, f"{first}, one for each sample,", given.shape[:1])
    per_sample = per_sample.astype(given.dtype.newbyteorder("="))
    each = given.size // max(per_sample.size, 1)
    weights = np.repeat(per_sample.ravel(), each).reshape(given.shape)
    return weights, each * ordered_sum(per_sample) if formula._mean else 1.0


def prepare_paired(
    formula: Any, arrays: tuple[Any, ...], weight: Any, out: Any, results: int
) -> tuple[tuple[Array, ...], Array | None, list[Array], float, Callable[[list[Array]], list[Any]]]:
    """Bring the arguments of an elementwise loss of two learned arrays into kernel form.

    Returns the arrays; the weights spread over the elements; buffers, as many as there are to be results; what the sum
    is to be divided by; and a function that turns the buffers into what the caller gets.
    """
    owner = type(formula).__name__
    given = {name: as_floats(owner, name, array) for name, array in zip(formula.arrays, arrays, strict=True)}
    first = given[formula.arrays[0]]
    kind, shape = first.dtype.newbyteorder("="), first.shape
    for name, array in given.items():
        check_shape(owner, name, array, formula.arrays[0], shape)
    if formula.signs:
        check_signs(formula, given["target"])
    weights, denominator = spread_weights(formula, first, weight)
    outs: Any = [None] * results
    if out is not None and results == 1:
        check_out(owner, out, kind, shape, given)
        outs = [out]
    elif out is not None:
        check_outs(owner, out, kind, {name: given[name] for name in formula.learned}, given)
        outs = out
    if formula._mean and denominator == 0 and not results:
        warn_of_empty_mean(owner, weight is not None)

    def deliver(buffers: list[Array]) -> list[Any]:
        for out, buffer in zip(outs, buffers, strict=True):
            if out is not None and out is not buffer:
                out[...] = buffer
        each = zip(outs, buffers, strict=True)
        return [(buffer if shape else buffer[()]) if out is None else out for out, buffer in each]

    usable = [out is not None and out.flags.c_contiguous for out in outs]
    buffers = [out if use else np.empty(shape, kind) for out, use in zip(outs, usable, strict=True)]
    return tuple(ready(array, kind) for array in given.values()), weights, buffers, denominator, deliver


def write_to(out: Array) -> Deliver:
    """Deliver into an array whose strides no kernel takes."""

    def deliver(buffer: Array) -> Array:
        out[...] = buffer
        return out

    return deliver


def as_scalar(buffer: Array) -> Any:
    """Deliver an array without dimensions as a NumPy number."""
    return buffer[()]


def warn_of_empty_mean(owner: str, weighted: bool) -> None:
    """A mean over nothing is NaN; say so, as NumPy does."""
    what = "the weights sum to zero" if weighted else "there are zero elements"
    warnings.warn(f"{owner}: the mean is NaN, for {what}", RuntimeWarning, stacklevel=4)


def ordered_sum(terms: Array) -> float:
    """The sum in float64 in the order of the drivers (drivers.pxd), whose bits it has."""
    flat = terms.ravel()
    total = 0.0
    for at in range(0, flat.size, CHUNK):
        chunk = flat[at : at + CHUNK].astype(np.float64)
        blocks = -(-chunk.size // BLOCK)
        rows = np.zeros((blocks, BLOCK // LANES, LANES))
        rows.reshape(-1)[: chunk.size] = chunk
        lanes = np.zeros((blocks, LANES))
        for row in range(BLOCK // LANES):
            lanes += rows[:, row]
        half = LANES // 2
        while half:
            lanes[:, :half] += lanes[:, half : 2 * half]
            half //= 2
        total += halved_sum(lanes[:, 0])
    return total


def ordered_sums(rows: Array) -> Array:
    """:func:`ordered_sum` of each row."""
    samples, length = rows.shape
    if length > BLOCK:
        return np.array([ordered_sum(row) for row in rows])
    width = min(LANES, 1 << (length - 1).bit_length())  # in a short row, the lanes beyond it would stay empty
    padded = np.zeros((samples, -(-length // width) * width))
    padded[:, :length] = rows
    lanes = np.zeros((samples, width))
    for at in range(0, length, width):
        lanes += padded[:, at : at + width]
    half = width // 2
    while half:
        lanes[:, :half] += lanes[:, half : 2 * half]
        half //= 2
    return lanes[:, 0]


def halved_sum(terms: Array) -> float:
    """The sum of one term or more: the second half is added to the first, and so on."""
    part = terms.ravel().copy()
    while part.size > 1:
        half = (part.size + 1) // 2
        part[: part.size - half] += part[half:]
        part = part[:half]
    return float(part[0])


def as_scores(owner: str, value: Any) -> Array:
    """The predictions of a loss over rows: one row of scores for each sample."""
    pred = as_floats(owner, "pred", value)
    if pred.ndim != 2 or pred.shape[1] == 0:
        raise ValueError(
            f"{owner}: pred has shape {pred.shape}; it must be (samples, classes) with at least one class. "
            "One sample is pred[numpy.newaxis, :]"
        )
    return pred


def as_labels(owner: str, target: Array, classes: int, ignored: int | None) -> Array:
    """Integer labels as int64, those to be ignored as -1; the first one out of range is refused."""
    labels = target.astype(np.int64)
    skipped = np.zeros(labels.shape, bool) if ignored is None else labels == ignored
    outside = ((labels < 0) | (labels >= classes) | (labels != target)) & ~skipped
    if outside.any():
        first = int(np.argmax(outside))
        raise ValueError(f"{owner}: target[{first}] = {target[first]} is outside [0, {classes})")
    return np.where(skipped, -1, labels)


def prepare_rows(
    formula: Any, pred: Any, target: Any, weight: Any, out: Any, wants_values: bool, wants_array: bool
) -> tuple[Array, Array | None, Array | None, Array | None, Array | None, Array | None, Array | None, float, Any]:
    """Bring the arguments of a loss over rows into kernel form.

    Returns the scores; labels (n,) or rows of targets (n, classes), of which one is None; the weights of the rows; what
    the formula makes of class weights and smoothing, as ``target_spread`` returns it; the buffer to write to; what the
    sum is to be divided by; and a function that turns the buffer into what the caller gets.
    """
    owner = type(formula).__name__
    scores = as_scores(owner, pred)
    kind = scores.dtype.newbyteorder("=")
    samples, classes = scores.shape
    given = as_array(owner, "target", target)
    labels = mass = None
    if given.ndim == 2 and formula.targets != ("labels",):
        mass = as_floats(owner, "target", given)
        check_shape(owner, "target", mass, "pred", scores.shape)
    elif "labels" in formula.targets and given.ndim != 2 and (given.dtype.kind in "iu" or given.size == 0):
        check_shape(owner, "target", given, "pred, whose first length it needs,", (samples,))
        labels = as_labels(owner, given, classes, formula.ignore_index)
    else:
        misshapen = given.ndim != 1 or "labels" not in formula.targets
        wrong = ValueError if given.dtype.kind in "iubf" and misshapen else TypeError
        wanted = [
            f"integer labels of shape ({samples},)" if form == "labels" else f"{form} of shape {scores.shape}"
            for form in formula.targets
        ]
        raise wrong(f"{owner}: target has dtype {given.dtype} and shape {given.shape}; give {' or '.join(wanted)}")
    weights = None
    if weight is not None:
        weights = as_floats(owner, "weight", weight).astype(np.float64)
        check_shape(owner, "weight", weights, "pred, whose first length it needs,", (samples,))
    if out is not None:
        shape = (samples,) if wants_values else scores.shape
        inputs = {"pred": scores, "target": given} | ({} if weights is None else {"weight": np.asarray(weight)})
        check_out(owner, out, kind, shape, inputs)
    hot, base = formula.target_spread(classes, kind, labels is None)
    effective = np.ones(samples) if weights is None else weights
    if labels is not None:
        effective = np.where(labels < 0, 0.0, effective)
        if formula.class_weight is not None:
            effective = effective * np.asarray(formula.class_weight)[labels]
    elif formula.class_weight is not None:
        assert mass is not None
        effective = effective * (mass.astype(np.float64) @ np.asarray(formula.class_weight))
    denominator = ordered_sum(effective) if formula._mean else 1.0
    if denominator == 0 and not wants_array:
        warn_of_empty_mean(owner, samples > 0)
    buffer, deliver = out, None
    if out is not None and not wants_values:
        # A row is read to its end after its first slope is written: what is an input too gets the slopes at the end.
        is_input = any(same_memory(out, array) for array in inputs.values())
        if is_input or not out.flags.c_contiguous:
            buffer, deliver = None, write_to(out)
    scores = ready(scores, kind)
    mass = None if mass is None else ready(mass, kind)
    return scores, labels, mass, weights, hot, base, buffer, denominator, deliver


def as_embeddings(owner: str, names: tuple[str, ...], values: tuple[Any, ...]) -> list[Array]:
    """The learned arrays of a loss over embeddings: as many rows in each, and as many coordinates in a row."""
    arrays = [as_floats(owner, name, value) for name, value in zip(names, values, strict=True)]
    first, name = arrays[0], names[0]
    if first.ndim != 2 or first.shape[1] == 0:
        raise ValueError(
            f"{owner}: {name} has shape {first.shape}; it must be (samples, coordinates) with at least one coordinate. "
            f"One sample is {name}[numpy.newaxis, :]"
        )
    for other, array in zip(names[1:], arrays[1:], strict=True):
        check_shape(owner, other, array, name, first.shape)
    return arrays


def as_pair_labels(formula: Any, value: Any, samples: int) -> Array:
    """The labels of a loss over embeddings as float64; the first one that is none is refused. NaN passes."""
    owner, name, first = type(formula).__name__, formula.arrays[-1], formula.arrays[0]
    given = as_floats(owner, name, value)
    check_shape(owner, name, given, f"{first}, whose first length it needs,", (samples,))
    labels = given.astype(np.float64)
    wrong = ~(np.isin(labels, formula.labels) | np.isnan(labels))
    if wrong.any():
        place = int(np.argmax(wrong))
        low, high = formula.labels
        raise ValueError(f"{owner}: {name}[{place}] = {given[place]} is no label: labels are {low} and {high}")
    return labels


def prepare_embeddings(
    formula: Any, arrays: tuple[Any, ...], weight: Any, out: Any, wants_values: bool, wants_array: bool
) -> tuple[list[Array], Array | None, Array | None, list[Array], float, Callable[[list[Array]], tuple[Array, ...]]]:
    """Bring the arguments of a loss over embeddings into kernel form.

    Returns the rows; the labels and the weights of the samples, or None; the buffers to write derivatives to; what the
    sum is to be divided by; and a function that turns the buffers into what the caller gets.
    """
    owner, count = type(formula).__name__, len(formula.learned)
    given = as_embeddings(owner, formula.learned, arrays[:count])
    kind, shape = given[0].dtype.newbyteorder("="), given[0].shape
    labels = as_pair_labels(formula, arrays[count], shape[0]) if formula.labels else None
    weights = None
    if weight is not None:
        weights = as_floats(owner, "weight", weight).astype(np.float64)
        check_shape(owner, "weight", weights, f"{formula.arrays[0]}, whose first length it needs,", shape[:1])
    inputs = dict(zip(formula.learned, given, strict=True))
    if out is not None and wants_values:
        check_out(owner, out, kind, shape[:1], inputs)
    elif out is not None:
        check_outs(owner, out, kind, inputs, inputs)
    denominator = 1.0
    if formula._mean:
        denominator = float(shape[0]) if weights is None else ordered_sum(weights)
    if denominator == 0 and not wants_array:
        warn_of_empty_mean(owner, shape[0] > 0)
    outs: Any = [None] * count if out is None or wants_values else out
    usable = [o is not None and o.flags.c_contiguous for o in outs]
    buffers = [o if use else np.empty(shape, kind) for o, use in zip(outs, usable, strict=True) if wants_array]

    def deliver(buffers: list[Array]) -> tuple[Array, ...]:
        for o, buffer in zip(outs, buffers, strict=True):
            if o is not None and o is not buffer:
                o[...] = buffer
        return tuple(buffer if o is None else o for o, buffer in zip(outs, buffers, strict=True))

    return [ready(array, kind) for array in given], labels, weights, buffers, denominator, deliver


def as_classes(owner: str, name: str, value: Any, like: str, samples: int) -> Array:
    """Integer labels, whichever they are, as the numbers of their classes in ascending order, int64."""
    labels = as_array(owner, name, value)
    if labels.dtype.kind not in "iu" and labels.size > 0:
        raise TypeError(f"{owner}: {name} has dtype {labels.dtype}; give integers, one for each sample")
    check_shape(owner, name, labels, like, (samples,))
    classes: Array = np.unique(labels, return_inverse=True)[1].astype(np.int64)
    return classes


def prepare_batch(
    owner: str, names: tuple[str, ...], learned: int, arrays: tuple[Any, ...]
) -> tuple[list[Array], np.dtype[Any]]:
    """Bring the arrays of a batch into the form it is computed in, and say in which dtype gradients are due.

    The first ``learned`` ones become float64, (samples, numbers); what follows are labels, which become classes from 0.
    """
    if len(arrays) != len(names):
        raise TypeError(f"{owner}: takes {len(names)} arrays ({', '.join(names)}), got {len(arrays)}")
    first = as_floats(owner, names[0], arrays[0])
    if first.ndim != 2:
        raise ValueError(f"{owner}: {names[0]} has shape {first.shape}; it must be (samples, numbers), a row for each")
    prepared = [ready(first, np.dtype(np.float64))]
    for place in range(1, len(names)):
        if place < learned:
            array = as_floats(owner, names[place], arrays[place])
            check_shape(owner, names[place], array, names[0], first.shape)
            prepared.append(ready(array, np.dtype(np.float64)))
        else:
            prepared.append(
                as_classes(owner, names[place], arrays[place], f"{names[0]}, whose first length it needs,", len(first))
            )
    return prepared, first.dtype.newbyteorder("=")


def deliver_values(values: Array, out: Array | None, kind: np.dtype[Any]) -> Array:
    """Values computed in float64 in the dtype of the predictions, in the caller's array if there is one."""
    with np.errstate(over="ignore"):
        if out is None:
            return values.astype(kind)
        out[...] = values
        return out


def as_times(owner: str, t: Any) -> Array:
    """Steps at which a schedule is asked for its rate, as float64; or the error that says what is wrong with them."""
    array = as_array(owner, "t", t)
    if array.dtype.kind == "O" and type(t) is int:  # beyond int64, but a float may hold it
        array = np.array(t if abs(t) < 2**1023 else np.inf, np.float64)
    if array.dtype.kind not in "iuf":
        got = f"{t!r} of type {type(t).__name__}" if array.ndim == 0 else f"an array of {array.dtype}"
        raise TypeError(f"{owner}: t must be a number >= 0 or an array of them, got {got}")
    times = ready(array, np.dtype(np.float64))
    wrong = ~((times >= 0) & (times < np.inf))
    if wrong.any():
        place = np.unravel_index(np.argmax(wrong), wrong.shape)
        name = f"t[{', '.join(map(str, place))}] =" if place else "t ="
        raise ValueError(f"{owner}: {name} {array[place]} is not a finite number >= 0")
    return times


def as_points(formula: Any, x: Any) -> Array:
    """Points of a landscape as float64, one or many."""
    owner = type(formula).__name__
    points = as_floats(owner, "x", x)
    if points.ndim == 0 or len(points) != formula.dimensions:
        raise ValueError(
            f"{owner}: x has shape {points.shape} but a point has {formula.dimensions} coordinates: "
            f"give ({formula.dimensions},), or for many points ({formula.dimensions}, ...)"
        )
    return ready(points, np.dtype(np.float64))
