"""The same bits: for every number of threads, every instruction set, every layout, and wherever the arrays lie."""

import itertools
import mmap

import numpy as np
import pytest
from cases import CASES, EXACT, PENALTIES

import lossref
from lossref import _backend

every_case = pytest.mark.parametrize("case", CASES, ids=str)
every_penalty = pytest.mark.parametrize("penalty", PENALTIES, ids=repr)

METHODS = ("values", "grad", "curvature")
COMPILED = [name for name in _backend.available() if name != "numpy"]
BLOCK, CHUNK = 1024, 4096 * 1024
TAILS = [1, 2, 3, 7, 8, 9, 15, 17, 31, 33, 63, 65, 100, 127, 129, 1023, 1025, 2049, 32769, 40_000]


def class_weight(case):
    return getattr(case.loss, "class_weight", None)


#: One setting of each kernel: what is asked of the drivers does not depend on the numbers.
FIRST = list({case.loss._kernel + case.targets: case for case in reversed(CASES) if not class_weight(case)}.values())


def most_classes(case):
    """How long rows may be for a test that takes no time: pairs are of the square of their number."""
    return 129 if isinstance(case.loss, lossref.PairwiseLogistic) else 2500


def is_straight(loss):
    """Is the loss made of straight lines, with no curvature? In log-probabilities, all that there are here are."""
    return loss.properties.smoothness in (None, "0") or getattr(loss, "predictions", "") == "log-probabilities"


def everything(case, pred, target, weight=None):
    """Every result of a loss, as bytes."""
    loss = case.loss
    value, grad = loss.value_and_grad(pred, target, weight=weight)
    assert np.float64(value).tobytes() == np.float64(loss(pred, target, weight=weight)).tobytes()
    results = [
        value,
        grad,
        *(getattr(loss, name)(pred, target, weight=weight) for name in METHODS),
    ]
    return [np.asarray(result).tobytes() for result in results]


def one_by_one(case, pred, target):
    """The value and the arrays of a loss."""
    return [case.loss(pred, target), *(getattr(case.loss, name)(pred, target) for name in METHODS)]


def all_of_penalty(penalty, w):
    value, grad = penalty.value_and_grad(w)
    return [np.asarray(result).tobytes() for result in (value, grad, penalty(w), penalty.grad(w), penalty.prox(w, 0.3))]


# --- Threads ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("case", FIRST, ids=str)
def test_the_number_of_threads_changes_no_bit(case, weighted, dtype, backend, threads, rng):
    size = 40_003
    pred, target = case.draw(rng, size // 3 if case.rowwise else size, dtype)
    weight = rng.uniform(0.5, 2, len(pred)) if weighted else None
    threads(1)
    alone = everything(case, pred, target, weight)
    for n in (2, 7):
        threads(n)
        assert everything(case, pred, target, weight) == alone, n


@pytest.mark.parametrize("case", [case for case in FIRST if not case.rowwise], ids=str)
def test_the_number_of_threads_changes_no_bit_across_chunks(case, dtype, threads, rng):
    pred, target = case.draw(rng, 4099, dtype)
    pred, target = (np.tile(array, 1030)[: CHUNK + 3 * BLOCK + 17] for array in (pred, target))
    threads(1)
    alone = case.loss.value_and_grad(pred, target)
    for n in (2, 7):
        threads(n)
        value, grad = case.loss.value_and_grad(pred, target)
        assert value == alone[0]
        assert grad.tobytes() == alone[1].tobytes()


@pytest.mark.parametrize("penalty", list({p._kernel: p for p in PENALTIES}.values()), ids=repr)
def test_the_number_of_threads_changes_no_bit_of_a_penalty(penalty, dtype, backend, threads, rng):
    for size in (70_003,):
        w = rng.standard_normal(size).astype(dtype)
        threads(1)
        alone = all_of_penalty(penalty, w)
        for n in (2, 3, 7):
            threads(n)
            assert all_of_penalty(penalty, w) == alone


def test_a_call_is_the_same_every_time(dtype, threads, rng):
    pred, target = rng.standard_normal((2, 70_001)).astype(dtype)
    loss = lossref.Huber()
    threads(2)
    first = loss.value_and_grad(pred, target)
    for _ in range(20):
        value, grad = loss.value_and_grad(pred, target)
        assert value == first[0]
        assert grad.tobytes() == first[1].tobytes()


# --- Instruction sets ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("case", EXACT, ids=str)
def test_exact_algebra_has_the_same_bits_on_every_instruction_set_and_in_numpy(case, weighted, dtype, rng):
    # Each row is computed alone, and their sum has several blocks with 2049 of them.
    tails = TAILS[:-2] if case.rowwise else TAILS
    for size in (*tails, CHUNK + 1500) if case is EXACT[0] else tails:
        pred, target = (np.resize(part, (size, *part.shape[1:])) for part in case.draw(rng, min(size, 50_000), dtype))
        weight = rng.uniform(0.5, 2, size).astype(dtype) if weighted else None
        by_backend = {}
        for name in _backend.available():
            with lossref.use_backend(name):
                by_backend[name] = everything(case, pred, target, weight)
        assert all(results == by_backend["numpy"] for results in by_backend.values()), size


@every_penalty
def test_penalties_have_the_same_bits_on_every_instruction_set_and_in_numpy(penalty, dtype, rng):
    assert penalty.exact
    for size in TAILS:
        w = rng.standard_normal(size).astype(dtype)
        by_backend = {}
        for name in _backend.available():
            with lossref.use_backend(name):
                by_backend[name] = all_of_penalty(penalty, w)
        assert all(results == by_backend["numpy"] for results in by_backend.values()), size


@every_case
def test_compiled_kernels_agree_with_numpy_to_a_few_digits(case, dtype, rng):
    """What is not exact algebra differs in the last digits only: each side is held against the truth elsewhere."""
    pred, target = case.draw(rng, 3000, dtype, scale=6.0)
    eps = np.finfo(dtype).eps
    with lossref.use_backend("numpy"):
        wanted = one_by_one(case, pred, target)
    for name in COMPILED:
        with lossref.use_backend(name):
            got = one_by_one(case, pred, target)
        for one, other in zip(got, wanted, strict=True):
            size = np.abs(other).max()
            np.testing.assert_allclose(one, other, rtol=32 * eps, atol=4 * eps * size)
            assert size > 0 or is_straight(case.loss)


# --- Place and length ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", FIRST, ids=str)
def test_an_element_does_not_know_its_place(case, dtype, backend, rng):
    """Vector body or tail, first lane or last: the bits of an element's results are those it has alone."""
    most = 140
    pred, target = case.draw(rng, most, dtype)
    loss = case.with_reduction("sum")
    whole = {method: getattr(loss, method)(pred, target) for method in METHODS}
    for length in range(1, most):
        for method, wanted in whole.items():
            start = length % 9
            stop = min(start + length, most)
            part = getattr(loss, method)(pred[start:stop], target[start:stop])
            assert part.tobytes() == wanted[start:stop].tobytes(), (method, start, stop)
    for method in whole:
        assert np.any(whole[method]) or is_straight(loss)


@pytest.mark.parametrize("case", [case for case in FIRST if case.rowwise], ids=str)
def test_a_row_does_not_know_its_place(case, dtype, backend, rng):
    loss = case.with_reduction("sum")
    for classes in (1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 128, 129, 1023, 1024, 1025, 2500):
        if classes > most_classes(case):
            break
        pred, target = case.draw(rng, 5, dtype, classes=classes)
        for method in METHODS:
            whole = getattr(loss, method)(pred, target)
            for row in range(5):
                apart = pred[row : row + 1].copy(), target[row : row + 1].copy()
                assert getattr(loss, method)(*apart).tobytes() == whole[row : row + 1].tobytes(), (method, classes)
        assert loss(pred, target) > 0 or classes == 1


def guarded(array):
    """The same array at the very end, and at the very beginning, of memory whose neighbours may not be touched."""
    import ctypes

    page = mmap.PAGESIZE
    size = -(-max(array.nbytes, 1) // page) * page
    memory = mmap.mmap(-1, size + 2 * page)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    libc = ctypes.CDLL(None, use_errno=True)
    for edge in (address, address + page + size):
        assert libc.mprotect(ctypes.c_void_p(edge), ctypes.c_size_t(page), 0) == 0
    for offset in (page + size - array.nbytes, page):
        inside = np.frombuffer(memory, array.dtype, array.size, offset).reshape(array.shape)
        inside[...] = array
        yield inside


@pytest.mark.skipif(not hasattr(mmap, "MAP_ANONYMOUS"), reason="needs POSIX memory protection")
@pytest.mark.parametrize("case", FIRST, ids=str)
def test_nothing_is_read_or_written_beyond_an_array(case, dtype, backend, rng):
    """Guard pages on both sides: a single byte out of bounds kills the process."""
    for size in (*range(1, 34), 63, 64, 65, 127, 129, 1023, 1024, 1025):
        if size > most_classes(case):
            break
        pred, target = case.draw(rng, 2 if case.rowwise else size, dtype, classes=size)
        wanted = everything(case, pred, target)
        for x, y, out in zip(guarded(pred), guarded(target), guarded(np.zeros_like(pred)), strict=True):
            assert everything(case, x, y) == wanted
            assert case.loss.grad(x, y, out=out) is out
            assert out.tobytes() == wanted[1]
            values = next(guarded(case.loss.values(pred, target)))
            case.loss.values(x, y, out=values)
            assert values.tobytes() == wanted[2]


@pytest.mark.skipif(not hasattr(mmap, "MAP_ANONYMOUS"), reason="needs POSIX memory protection")
@pytest.mark.parametrize("penalty", list({p._kernel: p for p in PENALTIES}.values()), ids=repr)
def test_nothing_is_read_or_written_beyond_parameters(penalty, dtype, backend, rng):
    for size in (*range(1, 34), 63, 64, 65, 127, 129, 1023, 1024, 1025):
        w = rng.standard_normal(size).astype(dtype)
        wanted = all_of_penalty(penalty, w)
        for inside, out in zip(guarded(w), guarded(np.zeros_like(w)), strict=True):
            assert all_of_penalty(penalty, inside) == wanted
            assert penalty.prox(inside, 0.3, out=out) is out
            assert out.tobytes() == wanted[4]
            assert penalty.grad(inside, out=inside) is inside
            assert inside.tobytes() == wanted[1]


# --- Layouts ------------------------------------------------------------------------------------------------------


def layouts(array, tmp_path):
    """The same numbers in other places and orders."""
    shape, kind = array.shape, array.dtype
    spread = np.zeros((*shape[:-1], 3 * shape[-1]), kind)
    spread[..., ::3] = array
    yield "strided", spread[..., ::3]
    yield "negative", np.ascontiguousarray(array[::-1])[::-1]
    yield "negative in both", np.ascontiguousarray(array[::-1, ::-1])[::-1, ::-1] if array.ndim > 1 else array
    yield "Fortran", np.asfortranarray(array)
    yield "offset", np.concatenate([array.ravel()[:3], array.ravel()])[3:].reshape(shape)
    raw = np.zeros(array.nbytes + 1, np.uint8)
    misaligned = raw[1:].view(kind).reshape(shape)
    misaligned[...] = array
    assert not misaligned.flags.aligned or kind.itemsize == 1
    yield "misaligned", misaligned
    yield "big-endian", array.astype(kind.newbyteorder(">"))
    frozen = array.copy()
    frozen.flags.writeable = False
    yield "read-only", frozen
    file = tmp_path / f"{kind.name}{shape}{id(array)}"
    array.tofile(file)
    yield "memmap", np.memmap(file, kind, "r", shape=shape)
    yield "subclass", array.view(type("Series", (np.ndarray,), {}))
    yield "transposed", np.ascontiguousarray(array.T).T


@every_case
def test_layout_changes_no_bit(case, dtype, backend, rng, tmp_path):
    pred, target = case.draw(rng, 42, dtype)
    if not case.rowwise:
        pred, target = pred.reshape(14, 3), target.reshape(14, 3)
    weight = rng.uniform(0.5, 2, len(pred)).astype(dtype)
    for given in (None, weight):
        wanted = everything(case, pred, target, given)
        others = zip(layouts(pred, tmp_path), layouts(target, tmp_path), layouts(weight, tmp_path), strict=True)
        for (name, x), (_, y), (_, z) in others:
            for a, b in ((x, target), (pred, y), (x, y)):
                assert everything(case, a, b, given) == wanted, name
            if given is not None:
                assert everything(case, pred, target, z) == wanted, name


@every_penalty
def test_layout_changes_no_bit_of_a_penalty(penalty, dtype, backend, rng, tmp_path):
    w = rng.standard_normal((14, 3)).astype(dtype)
    wanted = all_of_penalty(penalty, w)
    for name, other in layouts(w, tmp_path):
        assert all_of_penalty(penalty, other) == wanted, name


@every_case
def test_a_view_without_strides_is_the_array_it_looks_like(case, dtype, backend, rng):
    pred, target = case.draw(rng, 1, dtype)
    many = [np.broadcast_to(array, (50, *array.shape[1:])) for array in (pred, target)]
    assert many[0].strides[0] == 0
    assert everything(case, *many) == everything(case, *(array.copy() for array in many))


# --- Output arrays ------------------------------------------------------------------------------------------------


def writable_layouts(shape, kind):
    yield np.zeros(shape, kind)
    yield np.zeros((*shape[:-1], 2 * shape[-1]), kind)[..., ::2]
    yield np.zeros(shape, kind)[::-1]
    yield np.asfortranarray(np.zeros(shape, kind))


@pytest.mark.parametrize("method", ["values", "grad", "curvature", "value_and_grad"])
@pytest.mark.parametrize("case", FIRST, ids=str)
def test_out_gets_the_result_in_any_layout(case, method, dtype, backend, rng):
    for length in (42, 11_334 if case.rowwise else 34_002):
        pred, target = case.draw(rng, length, dtype)
        if not case.rowwise:
            pred, target = pred.reshape(-1, 3), target.reshape(-1, 3)
        run = getattr(case.loss, method)
        wanted = run(pred, target)
        wanted_array = wanted[1] if method == "value_and_grad" else wanted
        for out in writable_layouts(wanted_array.shape, dtype):
            got = run(pred, target, out=out)
            if method == "value_and_grad":
                assert got[0] == wanted[0]
                got = got[1]
            assert got is out
            assert out.tobytes() == wanted_array.tobytes()


@pytest.mark.parametrize("method", ["values", "grad", "curvature", "value_and_grad"])
@pytest.mark.parametrize("case", FIRST, ids=str)
def test_out_may_be_an_input_itself(case, method, dtype, backend, rng):
    for length, weighted in itertools.product((42, 11_334 if case.rowwise else 34_002), (False, True)):
        pred, target = case.draw(rng, length, dtype)
        weight = rng.uniform(0.5, 2, length) if weighted else None
        run = getattr(case.loss, method)
        wanted = run(pred, target, weight=weight)
        for which in (0, 1):
            arrays = [pred.copy(), target.copy()]
            out = arrays[which]
            result = wanted[1] if method == "value_and_grad" else wanted
            if (out.shape, out.dtype) != (result.shape, result.dtype):
                continue
            got = run(*arrays, weight=weight, out=out)
            assert out.tobytes() == result.tobytes(), which
            if method == "value_and_grad":
                assert got[0] == wanted[0]


@every_case
def test_out_may_lie_between_the_elements_of_an_input(case, dtype, backend, rng):
    pred, target = case.draw(rng, 42, dtype)
    memory = np.zeros((*pred.shape, 2), dtype)
    x, out = memory[..., 0], memory[..., 1]
    x[...] = pred
    wanted = case.loss.grad(pred, target)
    assert case.loss.grad(x, target, out=out) is out
    np.testing.assert_array_equal(out, wanted)
    np.testing.assert_array_equal(x, pred)


@every_penalty
def test_out_of_a_penalty_may_be_the_parameters_or_any_layout(penalty, dtype, backend, rng):
    w = rng.standard_normal((34_002 // 3, 3)).astype(dtype)
    for run in (
        penalty.grad,
        lambda w, out=None: penalty.value_and_grad(w, out=out)[1],
        lambda w, out=None: penalty.prox(w, 0.3, out=out),
    ):
        wanted = run(w)
        for out in (w.copy(), *writable_layouts(w.shape, dtype)):
            source = out if out.flags.c_contiguous and np.array_equal(out, w) else w
            assert run(source, out=out) is out
            assert out.tobytes() == wanted.tobytes()
