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
from sphinx.util.docutils import SphinxRole

import lossref

FOLDER = Path(__file__).resolve().parents[1] / "measured"


@functools.cache
def results(name: str) -> Any:
    """A file of measurements, or nothing where it has not been measured."""
    file = FOLDER / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def computed(expression: str) -> Any:
    return eval(expression, {"np": np, **vars(lossref)})


def measured(path: str) -> Any:
    name, *keys = path.split("/")
    found = results(name)
    for key in keys:
        found = found[int(key) if isinstance(found, list) else key]
    return found


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
    app.add_role("lossref", Number())
    app.add_role("measured", Number())
    return {"parallel_read_safe": True, "parallel_write_safe": True}
