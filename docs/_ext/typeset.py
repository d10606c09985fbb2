"""Sphinx's mathematics, typeset by KaTeX while the book is built: the page needs no script to show a formula."""

from __future__ import annotations

import html
import shutil
from pathlib import Path

import katex
from docutils import nodes
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

log = logging.getLogger(__name__)


def typeset(node: nodes.Element, display: bool) -> str:
    tex = node.astext()
    try:
        return katex.render(tex, display)
    except katex.KatexError as error:
        log.warning("%s in %r", error, tex, location=node, type="typeset")
        return f"<code>{html.escape(tex)}</code>"


def inline(translator, node):
    translator.body.append(typeset(node, display=False))
    raise nodes.SkipNode


def display(translator, node):
    translator.body.append(translator.starttag(node, "div", CLASS="math notranslate nohighlight", tabindex="0"))
    translator.body.append(typeset(node, display=True))
    if node["number"]:
        number = get_node_equation_number(translator, node)
        translator.body.append(f'<span class="eqno">({number})')
        translator.add_permalink_ref(node, "Link to this equation")
        translator.body.append("</span>")
    translator.body.append("</div>\n")
    raise nodes.SkipNode


def copy_styles(app):
    if app.builder.format == "html":
        target = Path(app.outdir, "_static", "katex")
        shutil.copytree(katex.home(), target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.js"))


def setup(app):
    app.add_html_math_renderer("katex", inline_renderers=(inline, None), block_renderers=(display, None))
    app.add_css_file("katex/katex.min.css")
    app.connect("builder-inited", copy_styles)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
