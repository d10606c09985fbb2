"""The few pieces of rST that the extensions write."""

from __future__ import annotations

import textwrap


def heading(text: str, line: str = "-") -> str:
    return f"{text}\n{line * len(text)}\n"


def indented(text: str) -> str:
    return textwrap.indent(text, "   ")


def block(directive: str, body: str, **options: str) -> str:
    """A directive with its options and its indented body."""
    given = "".join(f"   :{name.replace('_', '-')}: {value}\n" for name, value in options.items())
    return f".. {directive}\n{given}\n{indented(body)}\n"


def table(columns: list[str], rows: list[list[str]], widths: str = "auto") -> str:
    """A table in a box that scrolls sideways where the page is narrow."""
    lines = ["* - " + "\n  - ".join(row) + "\n" for row in [columns, *rows]]
    return block(
        "container:: wide", block("list-table::", "".join(lines), header_rows="1", widths=widths, **{"class": "facts"})
    )
