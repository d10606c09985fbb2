"""What chapters are written with.

``.. picture::`` shows a figure of the gallery, ``.. notation::`` the letters, ``.. timings::`` and ``.. targets::``
what the benchmarks have left in ``docs/measured/benchmarks.json``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from measured import results, spelled
from rst import table
from sphinx.util.docutils import SphinxDirective

from lossref import registry
from lossref.notation import SYMBOLS


class Picture(SphinxDirective):
    """``.. picture:: losses/plot_02_huber_delta`` and the caption below it.

    The description is the one that the script has computed. ``:number:`` chooses among several figures of a script."""

    required_arguments = 1
    has_content = True
    option_spec: ClassVar = {"number": directives.positive_int}

    def run(self) -> list[nodes.Node]:
        script, number = self.arguments[0], self.options.get("number", 1)
        page = Path(self.env.srcdir, "gallery", f"{script}.rst")
        if not page.exists():
            raise self.error(f"the gallery has no {script}")
        self.env.note_dependency(str(page))
        found = re.findall(
            rf"^\s*\.\. image:: (/\S+_{number:03}(?:_dark)?\.svg)\n\s+:alt: (.+)\n\s+:class: (.+)$",
            page.read_text(encoding="utf-8"),
            re.MULTILINE,
        )
        if not found:
            raise self.error(f"{script} has no figure {number}")
        images = ".. container:: wide\n\n" + "".join(
            f"   .. image:: {uri}\n      :alt: {alt}\n      :class: {classes}\n\n" for uri, alt, classes in found
        )
        figure = nodes.figure(classes=["from-gallery"])
        figure += self.parse_text_to_nodes(images)
        label = f"sphx_glr_gallery_{script.replace('/', '_')}.py"
        caption = "\n".join(self.content).strip()
        parsed, messages = self.parse_inline(f"{' '.join(caption.split())} (:ref:`The script. <{label}>`)")
        figure += nodes.caption(caption, "", *parsed)
        return [figure, *messages]


class Notation(SphinxDirective):
    """One line ``name: meaning`` for each letter of ``lossref.notation``; one too few or too many is an error."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        meanings = dict(line.split(": ", 1) for line in self.content if line.strip())
        if differ := meanings.keys() ^ SYMBOLS.keys():
            raise self.error(f"this table and lossref.notation differ in: {', '.join(sorted(differ))}")
        used: dict[str, list[str]] = {name: [] for name in SYMBOLS}
        for instance in registry.samples():
            for name in instance.arguments():
                link = f":ref:`{registry.path(type(instance))} <formula-{instance.name.replace('_', '-')}>`"
                if name in used and link not in used[name]:
                    used[name].append(link)
        rows = [[f":math:`{SYMBOLS[n]}`", f"``{n}``", meaning, ", ".join(used[n])] for n, meaning in meanings.items()]
        return self.parse_text_to_nodes(table(["letter", "in the code", "meaning", "in"], rows, "8 22 40 30"))


UNMEASURED = "*Nothing has been measured for this copy of the book:* ``{}`` *would do it.*\n"


class Timings(SphinxDirective):
    """``.. timings:: Huber`` and ``:n: 10000000``: who needs how long for that many elements of a formula."""

    required_arguments = 1
    option_spec: ClassVar = {"n": directives.positive_int, "dtype": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        found = results("benchmarks")
        dtype = self.options.get("dtype", "float32")
        wanted = [
            row
            for row in found.get("rows", [])
            if (row["formula"], row["n"], row["dtype"]) == (self.arguments[0], self.options["n"], dtype)
        ]
        if not wanted:
            return self.parse_text_to_nodes(UNMEASURED.format("python tests/benchmarks/table.py"))
        first = [row for row in wanted if (row["settings"], row["work"]) == (wanted[0]["settings"], wanted[0]["work"])]
        rows = [
            [
                row["contender"],
                spelled(row["seconds"]),
                "" if row["contender"] == "lossref" else f"{row['ratio']:.2f} ×",
            ]
            for row in sorted(first, key=lambda row: row["seconds"])
        ]
        machine = found["machine"]
        text = table([f"{first[0]['work']}, {self.options['n']:,} {dtype}", "time", "to lossref"], rows)
        text += f"{found['about']} {machine['processor']}, {machine['instructions']}, {machine['date']}.\n"
        return self.parse_text_to_nodes(text)


class Targets(SphinxDirective):
    """What the library is to reach, and what it has reached."""

    def run(self) -> list[nodes.Node]:
        found = results("benchmarks")
        rows = [
            [t["work"], t["target"], t["measured"], "yes" if t["met"] else "**no**"] for t in found.get("targets", [])
        ]
        text = table(["work", "target", "measured", "met"], rows)
        return self.parse_text_to_nodes(text if rows else UNMEASURED.format("python tests/benchmarks/table.py"))


def setup(app):
    app.add_directive("picture", Picture)
    app.add_directive("notation", Notation)
    app.add_directive("timings", Timings)
    app.add_directive("targets", Targets)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
