"""How tensors come into an optimizer: one place that looks at parameters, gradients and state before a step writes.

Both backends go through here, the compiled one only where something is not exactly right. Every check precedes the
first write: a step that is refused changes nothing.
"""

from __future__ import annotations

import operator
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossref._arrays import Array, as_floats, check_shape, may_overlap, overlaps_itself, ready, same_memory
from lossref._parameters import as_real


@dataclass(eq=False, kw_only=True)
class State:
    """What an optimizer remembers from step to step; its ``init`` makes it, its ``step`` brings it forward.

    It is plain data: print it, pickle it, copy it. A run resumed from it gives the same bits as one that was never
    interrupted.

    Attributes
    ----------
    optimizer : str
        Whose state it is.
    step : int
        How many steps have been taken.
    buffers : dict
        By letter, what is remembered of each parameter: arrays in the structure of the parameters.
    inner : State or None
        If it is the state of a wrapper (:class:`~lossref.EMA` is one), that of the optimizer inside.
    """

    optimizer: str
    step: int
    buffers: dict[str, Any]
    inner: State | None = None


def leaves(owner: str, name: str, tree: Any) -> dict[str, Any]:
    """The tensors of a structure, each under the words by which an error calls it."""
    if isinstance(tree, np.ndarray):
        return {name: tree}
    if isinstance(tree, list | tuple):
        return {f"{name}[{i}]": leaf for i, leaf in enumerate(tree)}
    if isinstance(tree, dict):
        return {f"{name}[{key!r}]": leaf for key, leaf in tree.items()}
    raise TypeError(f"{owner}: {name} must be a numpy array, or a list or dict of them, got {type(tree).__name__}")


def like(owner: str, name: str, tree: Any, params: Any, whose: str = "params") -> dict[str, Any]:
    """The tensors of a structure in the order of the parameters, whose structure it must have."""
    if isinstance(params, np.ndarray):
        return {name: tree}
    if not isinstance(tree, dict if isinstance(params, dict) else list | tuple):
        raise TypeError(f"{owner}: {name} must be a {type(params).__name__}, as {whose} is, got {type(tree).__name__}")
    if isinstance(params, dict):
        for key in params:
            if key not in tree:
                raise ValueError(f"{owner}: {name} has no {key!r} but {whose} has")
        for key in tree:
            if key not in params:
                raise ValueError(f"{owner}: {name} has {key!r} but {whose} has not")
        return {f"{name}[{key!r}]": tree[key] for key in params}
    if len(tree) != len(params):
        raise ValueError(f"{owner}: {name} has {len(tree)} tensors but {whose} has {len(params)}")
    return leaves(owner, name, tree)


def shaped_like(params: Any, make: Callable[[Array], Array]) -> Any:
    """The structure of the parameters over again, with what ``make`` makes of each."""
    if isinstance(params, np.ndarray):
        return make(params)
    if isinstance(params, dict):
        return {key: make(leaf) for key, leaf in params.items()}
    return [make(leaf) for leaf in params]


def check_written(owner: str, name: str, array: Any) -> None:
    """Refuse an array that a step cannot write whole and safely."""
    if type(array) not in (np.ndarray, np.memmap):
        raise TypeError(f"{owner}: {name} must be a numpy array, got {type(array).__name__}")
    if array.dtype.kind != "f" or array.itemsize not in (4, 8):
        raise TypeError(f"{owner}: {name} has dtype {array.dtype}, expected float32 or float64")
    if not (array.flags.aligned and array.dtype.isnative):
        raise ValueError(f"{owner}: {name} must be native-endian and aligned; pass a copy made by numpy.array(...)")
    if not array.flags.writeable:
        raise ValueError(f"{owner}: {name} is read-only; pass a writeable array")
    if overlaps_itself(array):
        raise ValueError(f"{owner}: {name} has elements that share memory; pass an array whose elements are apart")


def check_params(owner: str, params: Any, fits_single: bool) -> dict[str, Array]:
    """The parameters under their names, each an array that a step can write."""
    tensors = leaves(owner, "params", params)
    for name, theta in tensors.items():
        check_written(owner, name, theta)
        if theta.dtype == np.float32 and not fits_single:
            raise ValueError(f"{owner}: eps is 0 in float32, the dtype of {name}; choose an eps above 1e-45")
    return tensors


def check_apart(owner: str, written: dict[str, Array], read: dict[str, Array]) -> None:
    """Refuse an array that a step writes and that shares memory with any other."""
    arrays = [*written.items(), *read.items()]
    spans = sorted(
        (*np.lib.array_utils.byte_bounds(array), rank) for rank, (_, array) in enumerate(arrays) if array.size
    )
    reaching: list[tuple[int, int]] = []
    for low, high, rank in spans:
        reaching = [(end, other) for end, other in reaching if end > low]
        for _, other in reaching:
            first, second = sorted((rank, other))
            if first < len(written) and may_overlap(arrays[first][1], arrays[second][1]):
                raise ValueError(f"{owner}: {arrays[second][0]} overlaps {arrays[first][0]}; pass arrays apart")
        reaching.append((high, rank))


def check_state(owner: str, family: str, buffers: tuple[str, ...], state: Any) -> None:
    """Refuse what is not the state of this optimizer."""
    if not isinstance(state, State):
        raise TypeError(f"{owner}: state must be what init(params) returned, got {type(state).__name__}")
    if state.optimizer != family:
        raise ValueError(f"{owner}: state belongs to {state.optimizer}, not to {family}; make one with init(params)")
    if isinstance(state.step, bool) or not isinstance(state.step, int) or state.step < 0:
        raise ValueError(f"{owner}: state.step must be an integer >= 0, got {state.step!r}")
    if set(state.buffers) != set(buffers):
        kept = ", ".join(state.buffers) or "nothing"
        wanted = ", ".join(buffers) or "nothing"
        raise ValueError(f"{owner}: state keeps {kept} but these settings need {wanted}; make one with init(params)")


def as_scale(optimizer: Any, scale: Any) -> float:
    """By what a step is to multiply the gradients, or the error that says why it cannot."""
    try:
        return as_real(scale)
    except (TypeError, ValueError) as error:
        got = f"{scale!r} of type {type(scale).__name__}"
        raise type(error)(f"{type(optimizer).__name__}: scale must be a finite number, got {got}") from None


def kept_under(owner: str, letter: str, state: State, params: Any, thetas: dict[str, Array]) -> dict[str, Array]:
    """What is remembered under a letter, in the order of the parameters, or the error that says why it cannot be."""
    buffers = like(owner, f"state.buffers[{letter!r}]", state.buffers[letter], params)
    for (name, buffer), (whose, theta) in zip(buffers.items(), thetas.items(), strict=True):
        check_written(owner, name, buffer)
        check_shape(owner, name, buffer, whose, theta.shape)
        if buffer.dtype != theta.dtype:
            raise ValueError(f"{owner}: {name} has dtype {buffer.dtype} but {whose} has dtype {theta.dtype}")
    return buffers


def checked(optimizer: Any, params: Any, grads: Any, state: Any) -> list[tuple[Array, ...]]:
    """Of each parameter: itself, its gradient, its buffers. All checked, the gradients converted, nothing written."""
    owner = type(optimizer).__name__
    thetas = check_params(owner, params, optimizer._fits_single)
    given = like(owner, "grads", grads, params)
    check_state(owner, optimizer._family, optimizer._buffers, state)
    written, read = dict(thetas), {}
    rows = [thetas]
    for letter in optimizer._buffers:
        buffers = kept_under(owner, letter, state, params, thetas)
        written |= buffers
        rows.append(buffers)
    converted = {}
    for (name, grad), (whose, theta) in zip(given.items(), thetas.items(), strict=True):
        read[name] = as_floats(owner, name, grad)
        check_shape(owner, name, read[name], whose, theta.shape)
        with np.errstate(all="ignore"):
            converted[name] = ready(read[name], theta.dtype)
    check_apart(owner, written, read)
    rows.insert(1, converted)
    return list(zip(*(row.values() for row in rows), strict=True))


def into_form(
    optimizer: Any, params: Any, grads: Any, state: Any
) -> tuple[list[Array], list[Array], dict[str, list[Array]], list[tuple[Array, Array]]]:
    """Parameters, gradients and buffers as the kernels take them, or the error that says why not.

    Where that takes a copy of what a step writes, the last list says where the copy is to be written back.
    """
    columns: list[list[Array]] = []
    late = []
    for place, column in enumerate(zip(*checked(optimizer, params, grads, state), strict=True)):
        columns.append([ready(np.asarray(array), array.dtype) for array in column])
        if place != 1:
            pairs = zip(column, columns[-1], strict=True)
            late += [(array, copy) for array, copy in pairs if not same_memory(array, copy)]
    columns = columns or [[] for _ in range(2 + len(optimizer._buffers))]
    return columns[0], columns[1], dict(zip(optimizer._buffers, columns[2:], strict=True)), late


def into_floats(owner: str, grads: Any) -> list[Array]:
    """Gradients that are only read, as the kernels take them."""
    given = {name: as_floats(owner, name, grad) for name, grad in leaves(owner, "grads", grads).items()}
    return [ready(grad, grad.dtype.newbyteorder("=")) for grad in given.values()]


def into_pairs(
    owner: str, called: str, out: Any, grads: Any
) -> tuple[list[Array], list[Array], list[tuple[Array, Array]]]:
    """Results and gradients as the kernels take them; the last list says which copies are to be written back where.

    A gradient may be written over itself, and over nothing else. It is brought to the dtype of its result.
    """
    given = leaves(owner, "grads", grads)
    results = given if out is grads else like(owner, called, out, grads, "grads")
    sources, apart = [], {}
    for (name, result), (whose, grad) in zip(results.items(), given.items(), strict=True):
        check_written(owner, name, result)
        source = as_floats(owner, whose, grad)
        check_shape(owner, name, result, whose, source.shape)
        if source.dtype != result.dtype or not same_memory(source, result):
            apart[whose] = source
        with np.errstate(all="ignore"):
            sources.append(ready(source, result.dtype))
    check_apart(owner, results, apart)
    outs = [ready(np.asarray(result), result.dtype) for result in results.values()]
    late = [(result, out) for result, out in zip(results.values(), outs, strict=True) if not same_memory(result, out)]
    return outs, sources, late


def set_all(containers: Iterable[Any], places: Iterable[Any], values: Iterable[Any]) -> None:
    """Many assignments in one call into C: Ctrl-C comes before it or after it."""
    deque(map(operator.setitem, containers, places, values), maxlen=0)


def write_all(targets: Iterable[Array], results: Iterable[Array], state: State) -> None:
    """Write the results of a step and count it."""
    containers: list[Any] = [*targets, vars(state)]
    set_all(containers, [*[...] * (len(containers) - 1), "step"], [*results, state.step + 1])
