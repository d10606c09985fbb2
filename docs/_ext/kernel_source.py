"""The kernels as they stand in lossref/_kernels, found by the names under which they run."""

from __future__ import annotations

import functools
import re
from pathlib import Path

from lossref._formula import Formula

FILES = sorted((Path(__file__).resolve().parents[2] / "lossref" / "_kernels").glob("*.p[yx][xd]"))
#: Words that are shown with the kernels made of them: those of the rows of classes, and those of the steps.
SHARED = [file for file in FILES if file.name in ("classes.pxd", "algebra.pxd")]
FUNCTION = re.compile(
    r"^(?:cdef (?:inline )?[\w ]+\*? ?\b|def )(\w+)\((?:.*\n)(?:(?:[ \t]|\)).*\n|\n(?=[ \t]))*", re.MULTILINE
)
TABLE = re.compile(r"^kernels = \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
ENTRY = re.compile(r'^    "(\w+)": (.*?(?=^    "|\Z))', re.MULTILINE | re.DOTALL)
#: What has no kernel of its own: what every kernel of its family can do, or a kernel of another formula.
IN_DRIVER = {
    "Warmup": "block_rates",
    "InfoNCE": "categorical_cross_entropy",
    "SupCon": "categorical_cross_entropy",
}


@functools.cache
def functions(file: Path) -> dict[str, str]:
    """The functions of a source by their names, in its order."""
    text = file.read_text(encoding="utf-8")
    return {match[1]: match[0].rstrip() + "\n" for match in FUNCTION.finditer(text)}


@functools.cache
def words(file: Path) -> dict[str, str]:
    """The functions of a source, after those that it takes from what is shared."""
    text = file.read_text(encoding="utf-8")
    taken = [functions(shared) for shared in SHARED if f"lossref._kernels.{shared.stem} cimport" in text]
    return {name: source for many in [*taken, functions(file)] for name, source in many.items()}


@functools.cache
def entries(file: Path) -> dict[str, str]:
    """What a source's table says of each kernel that it offers."""
    listed = TABLE.search(file.read_text(encoding="utf-8"))
    return dict(ENTRY.findall(listed[1])) if listed else {}


@functools.cache
def made_of(file: Path) -> dict[str, list[str]]:
    """By the name of each kernel that a source offers, the functions that it lists there."""
    known = functions(file)
    return {
        name: [word for word in re.findall(r"\w+", entry) if word in known] for name, entry in entries(file).items()
    }


def excerpt(formula: type[Formula]) -> str:
    """The kernels of all forms of a formula, and the helpers in the same source that they call."""
    wanted = [formula.name + form for form in formula.forms]
    for file in FILES:
        known = words(file)
        if (driver := IN_DRIVER.get(formula.__name__)) in known:
            return known[driver]
        found: set[str] = set()
        left = {name for kernel in wanted for name in made_of(file).get(kernel, ()) if not name.endswith("_curvature")}
        while left:
            found |= left
            left = {word for name in left for word in re.findall(r"\w+", known[name])} & known.keys() - found
        if found:
            return "\n\n".join(source for name, source in known.items() if name in found)
        if lines := [f'"{kernel}": {entries(file)[kernel]}' for kernel in wanted if kernel in entries(file)]:
            return "".join(lines)  # it has no function of its own here, and says whose it has
    raise LookupError(f"no kernel named {formula.name} in lossref/_kernels")
