"""The elementary functions: how far from the truth, what at the edges, and no matter where in an array."""

import importlib.util
import itertools
import os
import re
from pathlib import Path

import elementary
import numpy as np
import pytest
import sabotage

from lossref import _backend

SETS = elementary.instruction_sets()
NAMES = list(elementary.ORACLES)
INF = np.inf
#: The bit patterns that a float32 campaign covers.
PATTERNS = {"exp_nonpositive": [(0, 0), (0x80000000, 0xFF800000)], "log1p_unit": [(0, 0x3F800000)]}
EVERYTHING = [(0, 0xFFFFFFFF)]

pytestmark = pytest.mark.skipif(not SETS, reason="the kernels are not compiled here")


@pytest.fixture(params=SETS)
def instruction_set(request):
    return request.param


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.fixture
def apply(request, instruction_set):
    """The functions in that instruction set; spoilt, if the run asks for sabotage."""
    module, way = elementary.functions(instruction_set), request.config.getoption("--sabotage")
    return (sabotage.Liar(module, way) if way else module).apply


def campaign(name, instruction_set, stride, threads):
    """The float32 campaign in C: largest error, its argument, inputs wrong in kind, inputs tried."""
    search = elementary.functions(instruction_set).worst_float32
    parts = [search(name, first, last, stride, threads) for first, last in PATTERNS.get(name, EVERYTHING)]
    ulp, at = max((part[0], part[1]) for part in parts)
    wrong = [hex(part[3]) for part in parts if part[2]]
    return ulp, np.uint32(at).view(np.float32), wrong, sum(part[4] for part in parts)


# --- Accuracy ---------------------------------------------------------------------------------------------------------


def test_the_published_errors_are_complete_and_keep_the_promise():
    table = elementary.published()
    for name, dtype, which in itertools.product(NAMES, ["float32", "float64"], ["baseline", "avx2", "avx512"]):
        entry = table[name][dtype][which]
        assert 0.5 <= entry["ulp"] <= elementary.LIMITS[name], (name, dtype, which)
        assert entry["kind"] == ("exhaustive" if dtype == "float32" else "mined")
        everything = sum(last - first + 1 for first, last in PATTERNS.get(name, EVERYTHING))
        assert entry["inputs"] == everything if dtype == "float32" else entry["inputs"] > 500_000


def test_a_function_stays_within_its_published_error(name, instruction_set, apply, dtype, rng):
    x = elementary.strata(name, dtype, 60, rng)
    found = elementary.errors(name, instruction_set, x, apply)
    entry = elementary.published()[name][dtype.name][instruction_set]
    # Every float32 was tried, so that nothing can exceed the maximum. Of float64, mining finds nearly the worst.
    limit = entry["ulp"] + (0 if dtype == np.float32 else 0.05)
    worst = np.argmax(found)
    assert found[worst] <= limit, f"{name}({x[worst]!r}) is {found[worst]:.3f} ulp off"


def test_millions_of_float32_stay_within_the_published_error(name, instruction_set):
    ulp, at, wrong, tried = campaign(name, instruction_set, stride=1999, threads=1)
    assert not wrong
    assert tried > 500_000 or name in PATTERNS
    assert ulp <= elementary.published()[name]["float32"][instruction_set]["ulp"], at


def test_the_worst_arguments_known_are_as_bad_as_published(name, instruction_set, apply, dtype):
    entry = elementary.published()[name][dtype.name][instruction_set]
    x = np.array([float.fromhex(entry["at"])], dtype)
    (found,) = elementary.errors(name, instruction_set, x, apply)
    assert abs(found - entry["ulp"]) <= 1e-4


def test_the_coefficients_are_those_that_their_derivation_gives():
    path = Path(__file__).parent / "derivations" / "minimax.py"
    spec = importlib.util.spec_from_file_location("minimax", path)
    minimax = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(minimax)
    for name, problem in minimax.PROBLEMS.items():
        source = (_backend.KERNELS / problem.file).read_text()
        body = re.split(rf"cdef inline \w+ {name}\(", source)[1].split("\n\n")[0].rpartition('"""')[2]
        written = [float(c) for c in re.findall(r"(?:= |\+ |<real>)(-?\d[\d.]*(?:e-\d+)?)", body)]
        for precision in problem.degree:
            derived, error = problem.solve(precision)
            derived = derived[::-1] if precision == "float" else derived[1::2][::-1] + derived[0::2][::-1]
            kind = np.float32 if precision == "float" else np.float64
            assert [kind(c) for c in written[: len(derived)]] == [kind(c) for c in derived], (name, precision)
            del written[: len(derived)]
            assert error < (2.0**-27.5 if precision == "float" else 2.0**-56)
        assert not written


# --- The edges --------------------------------------------------------------------------------------------------------

SPECIAL = {
    "exp": [(-INF, 0), (INF, INF), (0.0, 1), (-0.0, 1), (1e30, INF), (-1e30, 0)],
    "expm1": [(-INF, -1), (INF, INF), (0.0, 0.0), (-0.0, -0.0), (1e30, INF), (-1e30, -1)],
    "log": [(0.0, -INF), (-0.0, -INF), (INF, INF), (-1, np.nan), (-INF, np.nan), (1, 0.0), (-1e-30, np.nan)],
    "log1p": [(-1, -INF), (INF, INF), (-1.5, np.nan), (-INF, np.nan), (0.0, 0.0), (-0.0, -0.0)],
    "sigmoid": [(-INF, 0), (INF, 1), (0.0, 0.5), (-0.0, 0.5), (1e30, 1), (-1e30, 0)],
    "softplus": [(-INF, 0), (INF, INF), (1e30, 1e30), (-1e30, 0)],
    "exp_nonpositive": [(-INF, 0), (0.0, 1), (-0.0, 1), (-1e30, 0)],
    "log1p_unit": [(0.0, 0.0)],
}


def test_special_values(name, apply, dtype):
    x, y = np.array(SPECIAL[name], dtype).T
    got = apply(name, np.ascontiguousarray(x))
    np.testing.assert_array_equal(got, y)
    np.testing.assert_array_equal(np.signbit(got[y == 0]), np.signbit(y[y == 0]))


@pytest.mark.parametrize("payload", [0, 1, 0x1234])
def test_nan_in_nan_out_and_nowhere_else(name, apply, dtype, payload):
    x = np.full(67, 0.25, dtype) * (-1 if name == "exp_nonpositive" else 1)
    clean = apply(name, x)
    x[7] = np.nan
    x.view(np.uint32 if dtype == np.float32 else np.uint64)[7] |= np.uint32(payload)
    for sign in 1, -1:
        x[7] = np.copysign(x[7], sign)
        y = apply(name, x)
        assert np.isnan(y[7])
        np.testing.assert_array_equal(np.delete(y, 7), np.delete(clean, 7))


@pytest.mark.parametrize("name", ["expm1", "log1p", "log1p_unit"], indirect=True)
def test_the_smallest_numbers_are_their_own_image(name, apply, dtype):
    tiny = np.finfo(dtype).smallest_subnormal
    x = np.array([tiny, 2 * tiny, 3 * tiny, 12345 * tiny, np.finfo(dtype).tiny])
    np.testing.assert_array_equal(apply(name, x), x)
    if name != "log1p_unit":
        np.testing.assert_array_equal(apply(name, -x), -x)


@pytest.mark.parametrize("name", ["exp", "sigmoid", "softplus", "exp_nonpositive"], indirect=True)
def test_results_too_small_to_be_normal_are_not_lost(name, apply):
    assert apply(name, np.float32([-100]))[0] == np.float32(3.783506e-44)
    assert apply(name, np.array([-740.0]))[0] == 4.2e-322


def test_the_functions_do_not_turn_back(name, apply, dtype, rng):
    x = elementary.strata(name, dtype, 3000, rng)
    y = apply(name, x)
    assert np.all(y[:-1] <= np.nextafter(y[1:], dtype.type(INF)))  # by more than an ulp


def test_the_place_in_the_array_does_not_matter(name, apply, dtype, rng):
    x = rng.permutation(elementary.strata(name, dtype, 60, rng))[:80]
    alone = np.concatenate([apply(name, x[i : i + 1]) for i in range(len(x))])
    for offset in range(8):
        for n in range(68):
            np.testing.assert_array_equal(apply(name, x[offset : offset + n]), alone[offset : offset + n])


@pytest.mark.skipif(not {"avx2", "avx512"} <= set(SETS), reason="needs both instruction sets")
def test_avx2_and_avx512_give_the_same_bits(name, dtype, rng):
    x = elementary.strata(name, dtype, 20_000, rng)
    x = np.concatenate([x, np.array([INF, -INF, np.nan], dtype)])
    narrow, wide = (elementary.functions(which).apply(name, x) for which in ("avx2", "avx512"))
    np.testing.assert_array_equal(narrow.view(np.uint8), wide.view(np.uint8))


def test_what_is_not_a_contiguous_array_of_floats_is_refused(instruction_set):
    apply = elementary.functions(instruction_set).apply
    for x in np.arange(4), np.ones(4)[::2], np.ones(4, ">f8"), np.ones(4, np.float16):
        with pytest.raises(TypeError, match="apply: x must be a contiguous array"):
            apply("exp", x)


# --- Campaigns: pytest -m exhaustive tests/test_vecmath.py ------------------------------------------------------------


@pytest.mark.exhaustive
@pytest.mark.parametrize("instruction_set", [s for s in SETS if s != "avx512" or "avx2" not in SETS], indirect=True)
def test_every_float32(name, instruction_set):
    ulp, at, wrong, tried = campaign(name, instruction_set, stride=1, threads=len(os.sched_getaffinity(0)))
    assert not wrong
    elementary.publish(name, "float32", instruction_set, ulp, at, tried, "exhaustive")
    assert ulp <= elementary.LIMITS[name], at


@pytest.mark.exhaustive
@pytest.mark.skipif(not {"avx2", "avx512"} <= set(SETS), reason="needs both instruction sets")
def test_every_float32_has_the_same_bits_in_avx512(name):
    narrow, wide = (elementary.functions(which).apply for which in ("avx2", "avx512"))
    for first, last in PATTERNS.get(name, EVERYTHING):
        for start in range(first, last + 1, 1 << 22):
            x = np.arange(start, min(start + (1 << 22), last + 1), dtype=np.uint32).view(np.float32)
            assert np.array_equal(narrow(name, x).view(np.uint32), wide(name, x).view(np.uint32)), hex(start)
    entry = elementary.published()[name]["float32"]["avx2"]
    elementary.publish(
        name, "float32", "avx512", entry["ulp"], float.fromhex(entry["at"]), entry["inputs"], entry["kind"]
    )


@pytest.mark.exhaustive
def test_mined_float64(name, instruction_set, rng):
    ulp, at, tried = elementary.mine(name, instruction_set, rng)
    elementary.publish(name, "float64", instruction_set, ulp, at, tried, "mined")
    assert ulp <= elementary.LIMITS[name], at
