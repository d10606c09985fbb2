"""Numbers in prose that cannot grow stale.

``:lossref:`Huber(delta=5)([2, 2, 1, 3, -20], [0] * 5) | .1f``` computes while the book is built; the names are those of
lossref, and ``np``. ``:measured:`vecmath/exp/float32/ulp | .2f``` reads ``docs/measured/vecmath.json``, where the
commands that measure leave their results. What stands after the bar is a format as in an f-string."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import numpy as np
from docutils import nodes
from rst import table
from sphinx.util.docutils import SphinxDirective, SphinxRole

import lossref

FOLDER = Path(__file__).resolve().parents[1] / "measured"


@functools.cache
def results(name: str) -> Any:
    """A file of measurements, or nothing where it has not been measured."""
    file = FOLDER / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def spelled(seconds: float) -> str:
    """A time in the unit in which it is short."""
    unit, size = next(((u, size) for u, size in (("s", 1), ("ms", 1e-3)) if seconds >= size), ("µs", 1e-6))
    return f"{seconds / size:.3g} {unit}"


def computed(expression: str) -> Any:
    return eval(expression, {"np": np} | {name: getattr(lossref, name) for name in lossref.__all__})


def measured(path: str) -> Any:
    name, *keys = path.split("/")
    found = results(name)
    for key in keys:
        found = found[int(key) if isinstance(found, list) else key]
    return found


class Accuracy(SphinxDirective):
    """``.. accuracy::``: the largest errors of the elementary functions, from ``docs/measured/vecmath.json``."""

    def run(self) -> list[nodes.Node]:
        rows = []
        for function, precisions in results("vecmath").items():
            for dtype, sets in precisions.items():
                worst = max(sets.values(), key=lambda found: found["ulp"])
                complete = worst["kind"] == "exhaustive"
                inputs = f"{worst['inputs']:,}, {'all there are' if complete else worst['kind']}"
                rows.append([f"``{function}``", dtype, f"{worst['ulp']:.3f}", f"``{worst['at']}``", inputs])
        if not rows:
            return self.parse_text_to_nodes("*The functions have not been measured for this copy of the book.*")
        columns = ["function", "precision", "largest error (ULP)", "at", "inputs tried"]
        return self.parse_text_to_nodes(table(columns, rows))


class Shootout(SphinxDirective):
    """``.. shootout:: speed``, ``quality``, ``units`` or ``finish``: from ``docs/measured/optimizers.json``."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        part, found = self.arguments[0], results("optimizers")
        if not found:
            return self.parse_text_to_nodes("*The optimizers have not been compared for this copy of the book.*")
        columns, rows = compared(part, found)
        return self.parse_text_to_nodes(table(columns, rows))


def compared(part: str, found: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """A table of the comparison of optimizers."""
    rows = found["units" if part == "units" else "rows"].items()
    if part == "speed":
        columns = ["optimizer", "passes to the goal", "at a rate of", "ms a pass", "numbers kept for each parameter"]
        cells = [
            [n, f"{r['passes']:g}", setting(n, r["fastest"]), f"{r['milliseconds']:.1f}", f"{r['kept']:.0f}"]
            for n, r in rows
        ]
    elif part == "quality":
        columns = ["optimizer", "misread (%)", "at a rate of", "within a point of that", "at PyTorch's default rate"]
        cells = [
            [n, spread(r), setting(n, r["chosen"]), setting(n, f"{r['from']} to {r['to']}"), default(n, r)]
            for n, r in rows
        ]
    elif part == "units":
        columns = ["optimizer", "passes to the goal", "at a rate of", "misread (%)"]
        cells = [[n, f"{r['passes']:g}", setting(n, r["fastest"]), spread(r)] for n, r in rows]
    else:
        columns = ["how the passes are spent", "misread (%)", "better than Adam by (points)", "cross-entropy (nats)"]
        cells = [[n, f"{w['test']:.2f}", signed(n, w), f"{w['nats']:.3f}"] for n, w in found["finish"].items()]
    return columns, cells


def setting(name: str, value: str) -> str:
    return f"{value} pairs" if name == "L-BFGS" else value


def spread(row: dict[str, float]) -> str:
    return f"{row['test']:.2f} ± {row['error']:.2f}"


def default(name: str, row: dict[str, Any]) -> str:
    return "–" if name == "L-BFGS" else f"{row['default_test']:.1f} %, at {row['default']}"


def signed(name: str, way: dict[str, float]) -> str:
    gain = f"{way['gain']:+.2f}".replace("-", "\N{MINUS SIGN}")
    return "–" if name == "Adam" else f"{gain} ± {way['error']:.2f}"


class Number(SphinxRole):
    """A number, with its origin shown where the reader points at it."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        source, _, style = self.text.rpartition(" | ") if " | " in self.text else (self.text, "", "")
        try:
            text = format({"lossref": computed, "measured": measured}[self.name](source), style)
        except Exception as error:
            message = self.inliner.reporter.error(f"{self.name}: {source}: {error!r}", line=self.lineno)
            return [self.inliner.problematic(self.rawtext, self.rawtext, message)], [message]
        text = text.replace("-", "\N{MINUS SIGN}") if text.startswith("-") else text
        return [nodes.abbreviation(self.rawtext, text, explanation=source, classes=["number"])], []


def setup(app):
    app.add_directive("accuracy", Accuracy)
    app.add_directive("shootout", Shootout)
    app.add_role("lossref", Number())
    app.add_role("measured", Number())
    return {"parallel_read_safe": True, "parallel_write_safe": True}
