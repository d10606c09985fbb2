"""``.. formula:: Huber`` writes the page of a formula from its class; ``.. formula-index::`` lists all there are, and
``.. live-figure:: Huber`` shows a live figure alone.

Every part of a page is read from the one place where it is true: the docstring, the fields and their ranges, the
sources of the three readings, the SymPy formula, the files of measurements, the gallery's record of what it uses."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import re
import textwrap
from pathlib import Path
from typing import Any

import katex
import kernel_source
import mathematics
from docutils import nodes
from measured import results, spelled
from numpydoc.docscrape import NumpyDocString
from rst import block, heading, indented, table
from sphinx.util.docutils import SphinxDirective

from lossref import registry
from lossref._formula import Formula
from lossref.conventions import spellings
from lossref.live import calculus
from lossref.live.figure import figure
from lossref.live.page import markup
from lossref.losses.base import Properties
from lossref.registry import path

CHAPTERS = {
    "losses": "Losses",
    "regularizers": "Regularizers",
    "optimizers": "Optimizers",
    "schedules": "Schedules",
}


# ------------------------------------------------------------------------------------------------------- the parts


def label(formula: type[Formula]) -> str:
    return f"formula-{formula.name.replace('_', '-')}"


def document(formula: type[Formula]) -> NumpyDocString:
    return NumpyDocString(inspect.cleandoc(formula.__doc__))


def section(doc: NumpyDocString, name: str, title: str) -> str:
    text = "\n".join(doc[name]).strip()
    text = re.sub(r"^(?=[A-Z]\. )", r"\\", text, flags=re.MULTILINE)  # an author's initial begins no list
    return f"{heading(title)}\n{text}\n" if text else ""


def live(formula: type[Formula]) -> str:
    return f"{heading('Live figure')}\n.. live-figure:: {path(formula)}\n"


def derivatives(formula: type[Formula]) -> str:
    """What SymPy makes of the formula, for each form of it that differs."""
    titles = {
        "penalty": "Gradient and proximal map",
        "structured": "Gradient and proximal map",
        "optimizer": "The step",
        "pointwise": "Slope and curvature",
        "rowwise": "Slope and curvature",
        "paired": "Slopes and curvatures",
        "embedding": "Slope and curvature",
    }
    seen: list[list[str]] = []
    parts = []
    for chosen, instance in calculus.variants(calculus.representative(formula)).items():
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
    title = titles[calculus.family(formula)]
    return (
        f"{heading(title)}\nPrinted by SymPy from the formula, and executed like all mathematics of this book.\n\n"
        + ("\n".join(parts))
    )


def readings(formula: type[Formula]) -> str:
    """The same formula three times; tabs of the same name turn together on the whole page."""
    tabs = [
        ("Mathematics", "python", source(formula, "formula", "prox_formula")),
        ("NumPy", "python", source(formula, "reference", "reference_prox")),
        ("Cython", "cython", kernel_source.excerpt(formula)),
    ]
    items = "".join(
        block(f"tab-item:: {name}", block(f"code-block:: {language}", code), sync=name.lower())
        for name, language, code in tabs
    )
    return f"{heading('Three readings')}\n" + block("tab-set::", items, sync_group="reading")


def source(formula: type[Formula], *methods: str) -> str:
    """The sources of methods, and of what they call in the formula's own module, without the types of signatures."""
    pieces: dict[Any, str] = {}
    left = [vars(owner)[method] for method in methods if (owner := below_the_family(formula, method))]
    module = vars(inspect.getmodule(formula))
    while left:
        function = getattr(left[0], "__func__", left[0])
        left = left[1:]
        if function in pieces:
            continue
        pieces[function] = untyped(function)
        for owned, word in re.findall(r"\b(self\.)?(\w+)\(", pieces[function]):
            if owned and (owner := below_the_family(formula, word)):
                left.append(vars(owner)[word])
            elif not owned and inspect.isfunction(found := module.get(word)) and found.__module__ == formula.__module__:
                left.append(found)
    return "\n\n".join(pieces.values())


def below_the_family(formula: type[Formula], method: str) -> type | None:
    """The class that has a method, unless it is the family, which only promises."""
    owner = next((parent for parent in formula.__mro__ if method in vars(parent)), Formula)
    return None if owner is Formula or owner.__name__ in calculus.FAMILIES else owner


def untyped(function: Any) -> str:
    """The source of a function with a signature of names alone."""
    text = textwrap.dedent(inspect.getsource(function))
    (tree,) = ast.parse(text).body
    for argument in ast.walk(tree.args):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    start = f"def {tree.name}("
    signature = textwrap.fill(f"{start}{ast.unparse(tree.args)}):", 88, subsequent_indent=" " * len(start))
    lines, first = text.splitlines(), tree.body[0].lineno - 1
    while lines[first - 1].lstrip().startswith("#"):
        first -= 1
    return "\n".join([signature, *lines[first:]]) + "\n"


def parameters(formula: type[Formula], doc: NumpyDocString) -> str:
    described = {p.name: " ".join(p.desc) for p in doc["Parameters"]}
    symbols = calculus.representative(formula).arguments()
    letters = calculus.letters(calculus.representative(formula))
    rows = []
    for field in formula.hyperparameters():
        default = "required" if field.default is dataclasses.MISSING else f"``{field.default!r}``"
        in_formula = field.name in symbols and not isinstance(symbols[field.name], bool) and field.name in letters
        letter = f":math:`{letters[field.name]}`" if in_formula else ""
        limits = formula.range_of(field).text.replace(">=", "≥")
        rows.append([f"``{field.name}``", letter, limits, default, described[field.name]])
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
    "proper": "best for who predicts the true probabilities (proper)",
    "moved": "the same when all rows are moved alike",
    "turned": "the same when all rows are turned alike",
    "stretched": "the same when each row is stretched",
}


def said_of(formula: type[Formula], name: str) -> str:
    """One claim about the formula, in words or in its letters."""
    value = getattr(formula.properties, name)
    if value in SAY:
        return SAY[value]
    if name == "minimizer":
        return str(value)
    instance = calculus.representative(formula)
    symbols = {str(s): s for s in instance.arguments().values() if hasattr(s, "free_symbols")}
    said = f":math:`{mathematics.latex(mathematics.sympy.sympify(value, locals=symbols), instance)}`"
    return said if name in ("lipschitz", "smoothness") else f"if {said}"


def properties(formula: type[Formula]) -> str:
    """What is claimed of the formula, each claim held against it by a test."""
    claims = getattr(formula, "properties", None)
    if claims is None:
        return ""
    rows = [
        [PROPERTIES[field.name], said_of(formula, field.name)]
        for field in dataclasses.fields(claims)
        if field.name != "proper" or claims.proper is not None
    ]
    return f"{heading('Properties')}\nEach line is proven by a test.\n\n" + table(["property", "value"], rows)


#: The longest formula, in LaTeX, that a cell of the table of all losses has room for.
LONG = 70


def property_table() -> str:
    """What is claimed of all losses, side by side."""
    names = ("minimizer", "convex", "differentiable", "lipschitz", "smoothness", "proper")
    rows = []
    for formula in registry.formulas("losses"):
        if not isinstance(getattr(formula, "properties", None), Properties):
            continue
        said = [said_of(formula, name) for name in names]
        said = ["on its page" if text.startswith(":math:") and len(text) > LONG else text for text in said]
        if formula.properties.proper is None:
            said[names.index("proper")] = ""
        rows.append([f":ref:`{path(formula)} <{label(formula)}>`", *said])
    columns = ["loss", "best constant", "convex", "smooth", "slope ≤", "curvature ≤", "proper"]
    return table(columns, rows, "24 23 9 9 13 12 10")


def conventions(formula: type[Formula]) -> str:
    """How the frameworks spell the formula."""
    rows = [
        [each.framework, f"``{each.call}``", each.differs if each.equal else f"**Not equal.** {each.differs}"]
        for each in spellings(formula)
    ]
    if not rows:
        return ""
    lead = "Names in braces stand for the settings. Each call that is not said to be unequal is run by a test."
    return f"{heading('Conventions of the frameworks')}\n{lead}\n\n" + table(
        ["framework", "call", "what differs"], rows, "15 50 35"
    )


def measurements(formula: type[Formula]) -> str:
    """Speed as ``tests/benchmarks/table.py`` has left it in docs/measured/benchmarks.json."""
    found = results("benchmarks")
    rows = [row for row in found.get("rows", ()) if row["formula"] == path(formula)]
    if not rows:
        return ""
    contenders = list(dict.fromkeys(row["contender"] for row in rows))
    races: dict[tuple[str, ...], dict[str, str]] = {}
    for row in rows:
        race = (f"``{row['settings']}``", row["work"], f"{row['n']:,} {row['dtype']}")
        races.setdefault(race, {})[row["contender"]] = (
            spelled(row["seconds"]) if row["contender"] == "lossref" else f"{row['ratio']:.1f} ×"
        )
    columns = ["settings", "work", "size", *contenders]
    lines = [[*race, *(times.get(contender, "") for contender in contenders)] for race, times in races.items()]
    machine = found["machine"]
    where = f"{machine['processor']}, {machine['threads']} threads, {machine['instructions']}, {machine['date']}"
    said = f"{found['about']} Others as multiples of lossref's time. {where}."
    return f"{heading('Measured')}\n{said}\n\n" + table(columns, lines)


def pictures(formula: type[Formula], backreferences: Path) -> str:
    """The scripts of the gallery that use the formula."""
    record = backreferences / "backreferences_all.json"
    name = f"lossref.{path(formula)}"
    if not record.exists() or not json.loads(record.read_text(encoding="utf-8")).get(name):
        return ""
    return f"{heading('Pictures')}\n.. minigallery:: {name}\n"


#: What the author of a formula writes or reads, and who calls it does not.
INNER = {
    *("formula", "prox_formula", "reference", "reference_prox", "reference_curvature"),  # shown as readings
    *("expression", "expression_at", "arguments", "hyperparameters", "range_of", "letters", "lengths", "latex"),
    *("predictions", "target_spread", "parts", "parameters_shown", "check_parameters", "flattened"),
    *("buffers", "fresh", "family", "scalars"),
}


def is_method(found: Any) -> bool:
    """A method in Python, or the namesake in C that wraps it."""
    wraps = inspect.isfunction(getattr(found, "__wrapped__", None)) and not isinstance(found, staticmethod)
    return inspect.isfunction(found) or wraps


def methods(formula: type[Formula]) -> list[str]:
    """What one calls on the formula, in the order of the sources from the family down to the formula."""
    names = ["__call__"] if any("__call__" in vars(parent) for parent in formula.__mro__) else []
    for parent in reversed(formula.__mro__[:-2]):
        if parent is not Formula:
            names += [n for n, v in vars(parent).items() if is_method(v) and not n.startswith("_")]
    return [name for name in dict.fromkeys(names) if name not in INNER and inspect.getdoc(getattr(formula, name))]


def api(formula: type[Formula]) -> str:
    body = "\n".join(block(f"automethod:: {name}", "") for name in methods(formula))
    return f"{heading('Interface')}\n" + block(f"autoclass:: lossref.{path(formula)}", body)


def page(formula: type[Formula], backreferences: Path) -> str:
    """The whole page as rST."""
    doc = document(formula)
    extended = "\n".join(doc["Extended Summary"])
    return "\n".join(
        [
            f".. currentmodule:: lossref\n\n.. _{label(formula)}:\n",
            heading(path(formula), "="),
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
        for depended in (inspect.getsourcefile(formula), *map(str, kernel_source.FILES)):
            self.env.note_dependency(depended)
        backreferences = Path(self.env.srcdir, self.config.sphinx_gallery_conf["backreferences_dir"])
        return self.parse_text_to_nodes(page(formula, backreferences), allow_section_headings=True)


class LiveFigure(SphinxDirective):
    """A live figure alone, wherever a chapter wants one."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        made = figure(calculus.representative(mathematics.named(self.arguments[0])))
        return [nodes.raw("", markup(made, katex.render), format="html")]


class FormulaIndex(SphinxDirective):
    """All formulas with their first sentences, chapter by chapter, in the order of their teaching."""

    def run(self) -> list[nodes.Node]:
        parts = []
        for chapter in registry.CHAPTERS:
            formulas = registry.formulas(chapter)
            rows = [[f":ref:`{path(f)} <{label(f)}>`", " ".join(document(f)["Summary"])] for f in formulas]
            if rows:
                pages = "\n".join(f"/formulas/generated/{f.name}" for f in formulas)
                parts += [
                    block(f"rubric:: {CHAPTERS[chapter]}", ""),
                    table(["formula", "in one sentence"], rows, "30 70"),
                ]
                parts.append(".. toctree::\n   :hidden:\n\n" + indented(pages) + "\n")
        return self.parse_text_to_nodes("\n".join(parts))


class PropertyTable(SphinxDirective):
    """What is proven of each loss, in one table."""

    def run(self) -> list[nodes.Node]:
        return self.parse_text_to_nodes(property_table())


def write_pages(app):
    """One file for each formula, with nothing in it but the directive."""
    folder = Path(app.srcdir, "formulas", "generated")
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {f"{f.name}.rst": f".. formula:: {path(f)}\n" for f in registry.formulas()}
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
    app.add_directive("property-table", PropertyTable)
    app.add_js_file("live.js", loading_method="defer")
    app.add_css_file("live.css")
    app.connect("builder-inited", write_pages)
    app.connect("autodoc-process-docstring", shorten, priority=0)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
