"""``.. disassembly:: regression huber`` shows the inner loop of a compiled kernel, as objdump reads it from its module.

``:set:`` names the instruction set, ``:dtype:`` the precision. What is shown runs on the machine that builds the book;
where there is no objdump, or no such module, the page says so."""

from __future__ import annotations

import functools
import importlib.machinery
import re
import shutil
import subprocess
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective

import lossref

KERNELS = Path(lossref.__file__).parent / "_kernels"
WIDTH = {"x": 16, "y": 32, "z": 64}  # bytes in a register, by the first letter of its name
SIZE = {"float32": 4, "float64": 8}
WORDS = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "div": "divide",
    "min": "the smaller of the two",
    "max": "the larger of the two",
    "and": "keep some bits",
    "andn": "keep the other bits",
    "or": "join bits",
    "xor": "flip bits",
    "cmp": "compare",
    "blendv": "choose",
}


class Missing(Exception):
    """Why there is nothing to show."""


@functools.cache
def inner_loop(kind: str, chapter: str, name: str, dtype: str) -> tuple[tuple[str, ...], int]:
    """The instructions of the widest loop of a kernel, and how many elements one turn of it treats."""
    modules = [
        path
        for suffix in importlib.machinery.EXTENSION_SUFFIXES
        if (path := KERNELS / kind / f"{chapter}{suffix}").exists()
    ]
    if not modules:
        raise Missing(f"the {kind} build of these kernels does not exist on the machine where this book was made")
    if shutil.which("objdump") is None:
        raise Missing("there is no objdump on the machine where this book was made")
    command = ["objdump", "-d", "--no-show-raw-insn", "-M", "intel", str(modules[0])]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    symbol = rf"__pyx_fuse_{'01'[dtype == 'float64']}\w*{chapter}_{name}"
    body = re.search(rf"^[0-9a-f]+ <{symbol}>:\n(.*?)(?:\n\n|\Z)", text, re.MULTILINE | re.DOTALL)
    if not body:
        raise Missing(f"the built module does not name {name}")
    lines = [(int(at, 16), code.strip()) for at, code in re.findall(r"^\s*([0-9a-f]+):\t(.*)$", body[1], re.MULTILINE)]
    best: tuple[int, list[str]] = (0, [])
    for end, (at, code) in enumerate(lines):
        if (jump := re.match(r"j\w+\s+([0-9a-f]+)", code)) and int(jump[1], 16) < at:
            loop = [c for a, c in lines[: end + 1] if a >= int(jump[1], 16)]
            packed = " ".join(code for code in loop if re.match(r"v?(add|sub|mul|div|min|max)p[sd]\b", code))
            width = max((WIDTH[register] for register in re.findall(r"\b([xyz])mm", packed)), default=0)
            if width > best[0]:
                best = (width, loop)
    if not best[1]:
        raise Missing(f"the compiler made no vector loop of {name}")
    advance = [int(move[1], 16) for c in best[1] if (move := re.match(r"add\s+\w+,0x([0-9a-f]+)$", c))]
    turn = (advance[0] if advance else best[0]) // SIZE[dtype]
    return tuple(re.sub(r"\s*[#<].*", "", code) for code in best[1]), turn


def remark(code: str) -> str:
    """What an instruction does, in a word."""
    word, _, operands = code.partition(" ")
    operands = operands.strip()
    root = re.sub(r"^v|p[sd]$", "", word)
    if re.match(r"v?mov", word):
        return "store" if "PTR" in operands.split(",")[0] else "load" if "PTR" in operands else "copy"
    if word.startswith("j"):
        return "next turn"
    if not re.search(r"[xyz]mm", operands):
        return {"cmp": "the end?", "add": "move on"}.get(word, "")
    return WORDS.get(root, "") + (", loading as it goes" if "PTR" in operands and root in WORDS else "")


class Disassembly(SphinxDirective):
    required_arguments = 2
    option_spec: ClassVar = {
        "set": lambda text: directives.choice(text, ("baseline", "avx2", "avx512")),
        "dtype": lambda text: directives.choice(text, tuple(SIZE)),
    }

    def run(self) -> list[nodes.Node]:
        chapter, name = self.arguments
        kind, dtype = self.options.get("set", "avx2"), self.options.get("dtype", "float32")
        try:
            loop, turn = inner_loop(kind, chapter, name, dtype)
        except Missing as reason:
            return [nodes.paragraph("", "", nodes.emphasis("", f"Nothing to show: {reason}."))]
        width = max(len(code) for code in loop)
        listing = "\n".join(f"{code:{width}}  {'; ' if (said := remark(code)) else ''}{said}".rstrip() for code in loop)
        block = nodes.literal_block(listing, listing, language="nasm", classes=["disassembly"])
        caption = f"{len(loop)} instructions for {turn} elements of {dtype}."
        return [block, nodes.paragraph("", caption)]


def setup(app):
    app.add_directive("disassembly", Disassembly)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
