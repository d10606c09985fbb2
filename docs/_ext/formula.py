"""``.. formula:: Huber`` writes the page of a formula from its class; ``.. formula-index::`` lists all there are, and
``.. live-figure:: Huber`` shows a live figure alone.

Every part of a page is read from the one place where it is true: the docstring, the fields and their ranges, the
sources of the three readings, the SymPy formula, the files of measurements, the gallery's record of what it uses."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import json
import re
import textwrap
from pathlib import Path

import live_figure
import mathematics
from docutils import nodes
from measured import results
from numpydoc.docscrape import NumpyDocString
from sphinx.util.docutils import SphinxDirective

from lossref import registry
from lossref._formula import Formula
from lossref.conventions import spellings

DOCS = Path(__file__).resolve().parents[1]
KERNELS = DOCS.parent / "lossref" / "_kernels"
CHAPTERS = {
    "losses": "Losses",
    "regularizers": "Regularizers",
    "optimizers": "Optimizers",
    "schedules": "Schedules",
}


def heading(text: str, line: str = "-") -> str:
    return f"{text}\n{line * len(text)}\n"


def indented(text: str, by: int = 3) -> str:
    return textwrap.indent(text, " " * by)


def block(directive: str, body: str, **options: str) -> str:
    """A directive with its options and its indented body."""
    given = "".join(f"   :{name.replace('_', '-')}: {value}\n" for name, value in options.items())
    return f".. {directive}\n{given}\n{indented(body)}\n"


def table(columns: list[str], rows: list[list[str]], widths: str = "auto") -> str:
    """A table that scrolls sideways where the page is narrow."""
    lines = [f"* - {row[0]}\n" + "".join(f"  - {cell}\n" for cell in row[1:]) for row in [columns, *rows]]
    inner = block("list-table::", "".join(lines), header_rows="1", widths=widths, **{"class": "facts"})
    return block("container:: wide", inner)


# ------------------------------------------------------------------------------------------------------- the parts


def label(formula: type[Formula]) -> str:
    return f"formula-{formula.name.replace('_', '-')}"


def document(formula: type[Formula]) -> NumpyDocString:
    return NumpyDocString(inspect.cleandoc(formula.__doc__))


def section(doc: NumpyDocString, name: str, title: str) -> str:
    text = "\n".join(doc[name]).strip()
    return f"{heading(title)}\n{text}\n" if text else ""


def live(formula: type[Formula]) -> str:
    return f"{heading('Live figure')}\n.. live-figure:: {formula.__name__}\n"


def derivatives(formula: type[Formula]) -> str:
    """What SymPy makes of the formula, for each form of it that differs."""
    titles = {
        "penalty": "Gradient and proximal map",
        "optimizer": "The step in one line each",
        "pointwise": "Slope and curvature",
        "rowwise": "Slope and curvature",
    }
    seen: list[list[str]] = []
    parts = []
    for chosen, instance in mathematics.variants(formula).items():
        lines = mathematics.derived(instance)
        if len(chosen) > 1 or not lines or lines in seen:
            continue
        seen.append(lines)
        if chosen:
            (flag,) = chosen
            parts.append(f"With ``{flag}={getattr(instance, flag)}``:\n")
        parts += [block("math::", line) for line in lines]
    if not parts:
        return ""
    title = titles[mathematics.family(formula)]
    return (
        f"{heading(title)}\nPrinted by SymPy from the formula, and executed like all mathematics of this book.\n\n"
        + ("\n".join(parts))
    )


def readings(formula: type[Formula]) -> str:
    """The same formula three times; tabs of the same name turn together on the whole page."""
    tabs = [
        ("Mathematics", "python", source(formula, "formula") + source(formula, "prox_formula")),
        ("NumPy", "python", source(formula, "reference") + source(formula, "reference_prox")),
        ("Cython", "cython", kernel(formula)),
    ]
    items = "".join(
        block(f"tab-item:: {name}", block(f"code-block:: {language}", code), sync=name.lower())
        for name, language, code in tabs
    )
    return f"{heading('Three readings')}\n" + block("tab-set::", items, sync_group="reading")


def source(formula: type[Formula], method: str) -> str:
    """The source of a method, if the formula or a parent below the family has it."""
    function = inspect.getattr_static(formula, method, None)
    if function is None or mathematics.FAMILIES.keys() & {_owner(formula, method).__name__}:
        return ""
    return textwrap.dedent(inspect.getsource(getattr(formula, method))) + "\n"


def _owner(formula: type[Formula], method: str) -> type:
    return next(parent for parent in formula.__mro__ if method in vars(parent))


def kernel(formula: type[Formula]) -> str:
    """The kernels of a formula's forms and the helpers they call, in the order of the source."""
    wanted = [
        IN_DRIVER.get(formula.__name__, f"{formula.name}{form}{tail}") for form in formula.forms for tail in TAILS
    ]
    for functions, table in kernel_files():
        found: set[str] = set()
        left = {name for key in wanted for name in table.get(key, ()) if not name.endswith("_curvature")}
        while left:
            found |= left
            words = {word for name in left for word in re.findall(r"\w+", functions[name])}
            left = (words & functions.keys()) - found
        if found:
            return "\n\n".join(source for name, source in functions.items() if name in found)
    raise LookupError(f"no kernel named {formula.name} in lossref/_kernels")


IN_DRIVER = {"Warmup": "block_rates"}  # a formula that every kernel of its family can do
FUNCTION = re.compile(r"^cdef (?:inline )?[\w ]+\*? ?\b(\w+)\((?:.*\n)(?:(?:[ \t]|\)).*\n|\n(?=[ \t]))*", re.MULTILINE)


@functools.cache
def kernel_files() -> list[tuple[dict[str, str], dict[str, list[str]]]]:
    """For each source: its functions by name, and by the kernels' names the functions that they are made of."""
    files = []
    for file in sorted(KERNELS.glob("*.p[yx][xd]")):
        text = file.read_text(encoding="utf-8")
        functions = {match[1]: match[0].rstrip() + "\n" for match in FUNCTION.finditer(text)}
        table = {}
        if listed := re.search(r"^kernels = \{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL):
            for name, made_of in re.findall(r'^    "(\w+)": (.*?(?=^    "|\Z))', listed[1], re.MULTILINE | re.DOTALL):
                table[name] = [word for word in dict.fromkeys(re.findall(r"\w+", made_of)) if word in functions]
        files.append((functions, table))
    return files


def parameters(formula: type[Formula], doc: NumpyDocString) -> str:
    described = {p.name: " ".join(p.desc) for p in doc["Parameters"]}
    symbols = mathematics.representative(formula).arguments()
    letters = mathematics.letters(mathematics.representative(formula))
    rows = []
    for field in formula.hyperparameters():
        default = "required" if field.default is dataclasses.MISSING else f"``{field.default!r}``"
        in_formula = field.name in symbols and not isinstance(symbols[field.name], bool) and field.name in letters
        letter = f":math:`{letters[field.name]}`" if in_formula else ""
        rows.append([f"``{field.name}``", letter, formula.range_of(field).text, default, described[field.name]])
    return (
        f"{heading('Parameters')}\n" + table(["name", "letter", "must be", "default", "meaning"], rows) if rows else ""
    )


SAY = {True: "yes", False: "no", None: "none"}
PROPERTIES = {
    "convex": "convex in the prediction",
    "differentiable": "differentiable everywhere",
    "symmetric": "the same for errors of either sign",
    "lipschitz": "the slope is at most (Lipschitz constant)",
    "smoothness": "the curvature is at most (smoothness constant)",
    "minimizer": "best constant prediction",
}


def properties(formula: type[Formula]) -> str:
    """What is claimed of the formula, each claim held against it by a test."""
    claims = getattr(formula, "properties", None)
    if claims is None:
        return ""
    rows = []
    for field in dataclasses.fields(claims):
        value = getattr(claims, field.name)
        if value in SAY:
            said = SAY[value]
        elif field.name in ("lipschitz", "smoothness"):
            instance = mathematics.representative(formula)
            symbols = {str(s): s for s in instance.arguments().values() if hasattr(s, "free_symbols")}
            said = f":math:`{mathematics.latex(mathematics.sympy.sympify(value, locals=symbols), instance)}`"
        else:
            said = str(value)
        rows.append([PROPERTIES.get(field.name, field.name.replace("_", " ")), said])
    return f"{heading('Properties')}\nEach line is proven by a test.\n\n" + table(["property", ""], rows)


def conventions(formula: type[Formula]) -> str:
    """How the frameworks spell the formula."""
    rows = [[each.framework, f"``{each.call}``", each.differs] for each in spellings(formula)]
    if not rows:
        return ""
    lead = "Names in braces stand for the settings. Each call is run against lossref by a test."
    return f"{heading('Conventions of the frameworks')}\n{lead}\n\n" + table(
        ["", "call", "what differs"], rows, "15 50 35"
    )


def measurements(formula: type[Formula]) -> str:
    """Accuracy and speed as the commands that measure have left them in docs/measured."""
    parts = []
    for name, title in (("accuracy", "Accuracy"), ("benchmarks", "Speed")):
        found = results(name)
        rows = [row for row in found.get("rows", []) if row["formula"] == formula.__name__]
        if rows:
            columns = [column for column in rows[0] if column != "formula"]
            cells = [[str(row[column]) for column in columns] for row in rows]
            parts.append(f"{heading(title, '~')}\n{found['about']}\n\n" + table(columns, cells))
    return f"{heading('Measured')}\n" + "\n".join(parts) if parts else ""


def pictures(formula: type[Formula], backreferences: Path) -> str:
    """The scripts of the gallery that use the formula."""
    record = backreferences / "backreferences_all.json"
    name = f"lossref.{formula.__name__}"
    if not record.exists() or not json.loads(record.read_text(encoding="utf-8")).get(name):
        return ""
    return f"{heading('Pictures')}\n.. minigallery:: {name}\n"


INNER = {"formula", "prox_formula", "reference", "reference_prox", "reference_curvature"}  # shown as readings
INNER |= {"latex", "expression", "arguments", "hyperparameters", "range_of"}  # of use to the book and the tests


def methods(formula: type[Formula]) -> list[str]:
    """What one calls on the formula, in the order of the sources from the family down to the formula."""
    names = ["__call__"] if any("__call__" in vars(parent) for parent in formula.__mro__) else []
    for parent in reversed(formula.__mro__[:-2]):
        if parent is not Formula:
            names += [n for n, v in vars(parent).items() if inspect.isfunction(v) and not n.startswith("_")]
    return [name for name in dict.fromkeys(names) if name not in INNER and inspect.getdoc(getattr(formula, name))]


def api(formula: type[Formula]) -> str:
    body = "\n".join(block(f"automethod:: {name}", "") for name in methods(formula))
    return f"{heading('Interface')}\n" + block(f"autoclass:: lossref.{formula.__name__}", body)


def page(formula: type[Formula], backreferences: Path) -> str:
    """The whole page as rST."""
    doc = document(formula)
    extended = "\n".join(doc["Extended Summary"])
    return "\n".join(
        [
            f".. currentmodule:: lossref\n\n.. _{label(formula)}:\n",
            heading(formula.__name__, "="),
            " ".join(doc["Summary"]) + "\n",
            extended + "\n",
            live(formula),
            derivatives(formula),
            readings(formula),
            parameters(formula, doc),
            properties(formula),
            conventions(formula),
            section(doc, "Notes", "Notes"),
            section(doc, "Examples", "Examples"),
            measurements(formula),
            pictures(formula, backreferences),
            section(doc, "References", "Sources"),
            api(formula),
        ]
    )


# -------------------------------------------------------------------------------------------------- the directives


class FormulaPage(SphinxDirective):
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        formula = mathematics.named(self.arguments[0])
        for depended in (inspect.getsourcefile(formula), *map(str, KERNELS.glob("*.p[yx][xd]"))):
            self.env.note_dependency(depended)
        backreferences = Path(self.env.srcdir, self.config.sphinx_gallery_conf["backreferences_dir"])
        return self.parse_text_to_nodes(page(formula, backreferences), allow_section_headings=True)


class LiveFigure(SphinxDirective):
    """A live figure alone, wherever a chapter wants one."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        return [nodes.raw("", live_figure.markup(mathematics.named(self.arguments[0])), format="html")]


class FormulaIndex(SphinxDirective):
    """All formulas with their first sentences, chapter by chapter, in the order of their teaching."""

    def run(self) -> list[nodes.Node]:
        parts = []
        for chapter in registry.CHAPTERS:
            formulas = registry.formulas(chapter)
            rows = [[f":ref:`{f.__name__} <{label(f)}>`", " ".join(document(f)["Summary"])] for f in formulas]
            if rows:
                pages = "\n".join(f"/formulas/generated/{f.name}" for f in formulas)
                parts += [
                    block(f"rubric:: {CHAPTERS[chapter]}", ""),
                    table(["formula", "in one sentence"], rows, "30 70"),
                ]
                parts.append(".. toctree::\n   :hidden:\n\n" + indented(pages) + "\n")
        return self.parse_text_to_nodes("\n".join(parts))


def write_pages(app):
    """One file for each formula, with nothing in it but the directive."""
    folder = Path(app.srcdir, "formulas", "generated")
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {f"{f.name}.rst": f".. formula:: {f.__name__}\n" for f in registry.formulas()}
    for old in folder.glob("*.rst"):
        if old.name not in wanted:
            old.unlink()
    for name, text in wanted.items():
        file = folder / name
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")


def shorten(app, what, name, obj, options, lines):
    """Leave one sentence of a formula's docstring in its interface: the rest is the page itself."""
    if what == "class" and isinstance(obj, type) and issubclass(obj, Formula):
        lines[:] = [*document(obj)["Summary"], ""]


def setup(app):
    app.add_directive("formula", FormulaPage)
    app.add_directive("formula-index", FormulaIndex)
    app.add_directive("live-figure", LiveFigure)
    app.add_js_file("live.js", loading_method="defer")
    app.connect("builder-inited", write_pages)
    app.connect("autodoc-process-docstring", shorten, priority=0)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
