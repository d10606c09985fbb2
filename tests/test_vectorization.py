"""The loops became vector instructions: read back from the compiled modules, function by function."""

import importlib
import re
import shutil
import subprocess
from functools import cache

import elementary
import pytest

from lossref import _backend

CHAPTERS = sorted({path.name.partition(".")[0] for path in _backend.KERNELS.glob("*/*.so")})
REGISTER = {"baseline": "xmm", "avx2": "ymm", "avx512": "zmm"}
ARITHMETIC = r"\bv?(?:add|sub|mul|div|min|max|sqrt|fn?m(?:add|sub)\d+)p{precision}\b.*%{register}"

#: Sums over a row are taken in float64, whatever the precision of the row.
SUMS_IN_FLOAT64 = {
    "categorical_cross_entropy[float]",
    "categorical_cross_entropy_curvature[float]",
    "categorical_cross_entropy_probabilities[float]",
    "categorical_cross_entropy_smoothed[float]",
    "brier[float]",
    "categorical_focal[float]",
    "multiclass_hinge_weston_watkins[float]",
    "kl[float]",
    "kl_curvature[float]",
    "kl_log_probabilities[float]",
    "jensen_shannon[float]",
    "list_net[float]",
    "list_net_curvature[float]",
    "overlap[float]",
    "overlap_curvature[float]",
    "pairwise_logistic[float]",
    "pairwise_logistic_curvature[float]",
}
#: What is computed in float64 throughout, for a margin less a distance of float32 would have no digits left.
THROUGHOUT_IN_FLOAT64 = {
    f"{name}{form}[float]" for name in ("contrastive", "triplet", "cosine_embedding") for form in ("", "_curvature")
} | {"square[float]"}  # a square of float32 has no place in float32
#: Loops that gcc leaves scalar. Strict lists: whoever makes one fast strikes it out.
SCALAR = {
    "baseline": set(),
    "avx2": set(),
    "avx512": set(),
}
#: What is no block function, or has nothing to compute.
OTHERS = {
    "enter", "of_signs", "search", "sigmoid_oracle", "softplus_oracle", "gather", "group_lasso", "group_lasso_prox",
    "multiclass_hinge_curvature",
    "bowl_hessian", "ravine_hessian", "batch_of", "choice_of", "part_sides", "farthest", "nearest", "list_chosen",
}  # fmt: skip

pytestmark = [
    pytest.mark.skipif(shutil.which("objdump") is None, reason="no objdump to read the instructions with"),
    pytest.mark.skipif("clang" in (_backend.build_info().get("compiler") or ""), reason="the lists are those of gcc"),
]


@cache
def instructions(instruction_set: str, chapter: str) -> dict[str, str]:
    """The disassembly of a compiled chapter, by function."""
    path = importlib.import_module(f"lossref._kernels.{instruction_set}.{chapter}").__file__
    text = subprocess.run(
        ["objdump", "-d", "--no-show-raw-insn", path], capture_output=True, text=True, check=True
    ).stdout
    parts = re.split(r"^[0-9a-f]+ <([^>]+)>:$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def blocks(instruction_set: str, chapter: str) -> dict[str, str]:
    """The functions of the chapter itself, as ``name[float]`` and ``name[double]``."""
    mark = re.compile(rf"__pyx_(?:fuse_([01])__pyx_)?f_\w+?_{len(chapter)}{chapter}_(\w+?)(?:\.(?!cold)\S+)?$")
    found = {}
    for symbol, text in instructions(instruction_set, chapter).items():
        if (match := mark.match(symbol)) and match[2] not in OTHERS:
            found[f"{match[2]}[{'float' if match[1] == '0' else 'double'}]"] = text
    return found


def arithmetic(precision: str, instruction_set: str) -> re.Pattern:
    """Packed arithmetic, single (``s``) or double (``d``), on the widest registers of an instruction set."""
    return re.compile(ARITHMETIC.format(precision=precision, register=REGISTER[instruction_set]))


CASES = [(which, chapter) for which in elementary.instruction_sets() for chapter in CHAPTERS]


@pytest.mark.parametrize(("instruction_set", "chapter"), CASES)
def test_a_module_keeps_to_its_instruction_set(instruction_set, chapter):
    everything = "".join(instructions(instruction_set, chapter).values())
    assert "%xmm" in everything
    too_wide = {"baseline": r"%[yz]mm|\bv[a-z]+p[sd]\b", "avx2": r"%zmm|\{%k\d\}"}.get(instruction_set)
    assert too_wide is None or not re.search(too_wide, everything)


@pytest.mark.parametrize(("instruction_set", "chapter"), CASES)
def test_every_block_function_is_vector_instructions(instruction_set, chapter):
    found = blocks(instruction_set, chapter)
    scalar = {
        name
        for name, text in found.items()
        if not arithmetic(
            "s" if "[float]" in name and name not in THROUGHOUT_IN_FLOAT64 else "d", instruction_set
        ).search(text)
    }
    assert scalar == {name for name in found if name.partition("[")[0] in SCALAR[instruction_set]}


@pytest.mark.parametrize(("instruction_set", "chapter"), CASES)
def test_float32_is_not_computed_in_float64(instruction_set, chapter):
    """A bare ``1`` beside a float32 is a float64 to Cython, and halves the speed without a word."""
    wide = {
        name
        for name, text in blocks(instruction_set, chapter).items()
        if "[float]" in name and arithmetic("d", instruction_set).search(text)
    }
    assert wide <= SUMS_IN_FLOAT64 | THROUGHOUT_IN_FLOAT64


def test_there_is_something_to_read():
    for instruction_set in elementary.instruction_sets():
        for name in elementary.ORACLES:
            assert {f"{name}[float]", f"{name}[double]"} <= set(blocks(instruction_set, "elementary"))
