"""What screen readers and keyboards need and the theme leaves out, put into each finished page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

MISSING = {
    '<p class="caption" role="heading">': '<p class="caption" role="heading" aria-level="2">',
    '<aside class="sidebar-drawer">': '<aside class="sidebar-drawer" aria-label="The whole book">',
    '<aside class="toc-drawer': '<aside aria-label="On this page" class="toc-drawer',
    '<div class="highlight"><pre>': '<div class="highlight"><pre tabindex="0">',  # so that the arrow keys can scroll it
}


def complete(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        for page in Path(app.outdir).rglob("*.html"):
            text = completed = page.read_text(encoding="utf-8")
            for short, full in MISSING.items():
                completed = completed.replace(short, full)
            if completed != text:
                page.write_text(completed, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("build-finished", complete)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
