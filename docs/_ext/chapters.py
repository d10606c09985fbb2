"""What chapters are written with: ``.. picture::`` shows a figure of the gallery, ``.. notation::`` the letters."""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
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
        images = "".join(f".. image:: {uri}\n   :alt: {alt}\n   :class: {classes}\n\n" for uri, alt, classes in found)
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
                link = f":ref:`{type(instance).__name__} <formula-{instance.name.replace('_', '-')}>`"
                if name in used and link not in used[name]:
                    used[name].append(link)
        rows = ["* - letter\n  - in the code\n  - meaning\n  - in"]
        rows += [
            f"* - :math:`{SYMBOLS[name]}`\n  - ``{name}``\n  - {meaning}\n  - {', '.join(used[name])}"
            for name, meaning in meanings.items()
        ]
        body = "\n".join(rows).replace("\n", "\n      ")
        table = (
            f".. container:: wide\n\n   .. list-table::\n      :header-rows: 1\n      :class: facts\n\n      {body}\n"
        )
        return self.parse_text_to_nodes(table)


def setup(app):
    app.add_directive("picture", Picture)
    app.add_directive("notation", Notation)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
