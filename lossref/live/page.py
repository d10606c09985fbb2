"""The HTML of a live figure: in a page of the book, and as a page of its own."""

from __future__ import annotations

import functools
import html
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lossref.plotting import DARK, GRID, INK, PALETTE

#: What plays the figures, and how they look. The book has its own copies of both.
PLAYER, STYLE = (Path(__file__).with_name(name) for name in ("live.js", "live.css"))
#: The colours of the figures as variables of a stylesheet, on a light page.
COLOURS = {**{f"house-{k}": colour for k, colour in enumerate(PALETTE)}, "house-ink": INK, "house-grid": GRID}
#: What the theme of the book says for its pages, and a page of a figure alone says for itself: light, dark.
THEME = {
    "color-background-primary": ("#ffffff", DARK["#ffffff"]),
    "color-background-secondary": ("#f4f4f4", "#202224"),
    "color-background-border": ("#d8d8d8", "#3a3c3e"),
    "color-foreground-primary": (INK, DARK[INK]),
    "color-foreground-secondary": ("#55585c", "#b0b4b8"),
    "color-foreground-muted": ("#8a8a8a", "#8a8a8a"),
    "color-code-background": ("#f4f4f4", "#202224"),
    "color-code-foreground": (INK, DARK[INK]),
}


def plain(tex: str) -> str:
    """A letter of the book in plain HTML, such as β<sub>1</sub>; nothing if it is more than that."""
    text = re.sub(r"\\hat (\w)", "\\1\N{COMBINING CIRCUMFLEX ACCENT}", tex)
    text = text.replace(r"\max", "max").replace(r"\min", "min")
    text = re.sub(r"\\([A-Za-z]+)", lambda word: html.unescape(f"&{word[1]};"), text)
    for mark, tag in (("_", "sub"), ("^", "sup")):
        text = re.sub(rf"\{mark}(?:\{{([^{{}}]+)\}}|(\w))", rf"<{tag}>\1\2</{tag}>", text)
    return "" if re.search(r"[\\{}&]", text) else text


def markup(made: dict[str, Any], typeset: Callable[[str], str] = plain) -> str:
    """A figure as it stands in a page that has the player and the style; ``typeset`` makes HTML of a letter's LaTeX."""
    scripts = ",\n".join(
        f"  {json.dumps(key)}: {{" + ", ".join(f"{name}: {code}" for name, code in variant.items()) + "}"
        for key, variant in sorted(made["functions"].items())
    )
    data = {key: value for key, value in made.items() if key not in ("functions", "place", "says")}
    says, rows = html.escape(made["says"]), [*made["x"][:1], *made["controls"], *made.get("more", ())]
    outputs = "".join(
        f'<span class="live-key live-{k}"><i aria-hidden="true"></i>{label} '
        f'<output data-series="{key}"></output></span>'
        for k, (key, label) in enumerate(made["series"])
    )
    return f"""
<figure class="live live-{made["kind"]}" id="{made["place"]}" role="group" aria-label="Live figure. {says}">
<noscript><p>Here stands a figure with sliders ({says}). It needs JavaScript; the formulas, the pictures
and the Python calls of this page do not.</p></noscript>
<div class="live-body" hidden>
<svg class="live-plot" role="img" aria-label="{says}"></svg>
<p class="live-readout">{outputs}</p>
<div class="live-controls">
{"".join(control(row, typeset) for row in rows)}
</div>
<div class="live-call highlight"><pre><code></code></pre></div>
<p class="live-buttons"><button type="button" data-act="copy">Copy the call</button>
<button type="button" data-act="reset">Reset</button></p>
</div>
<script>(window.lossrefFigures ??= []).push([{json.dumps(made["place"])},
{json.dumps(data, sort_keys=True)},
{{
{scripts}
}}]);</script>
</figure>
"""


def control(c: dict[str, Any], typeset: Callable[[str], str]) -> str:
    """One row: a slider with its letter, its name and its value, a box to tick, or a choice."""
    name = html.escape(c["name"])
    if "options" in c:
        options = "".join(f'<option value="{k}">{html.escape(each)}</option>' for k, each in enumerate(c["options"]))
        return f'<label class="live-select"><span>{name}</span><select name="{name}">{options}</select></label>\n'
    if c.get("flag"):
        ticked = " checked" if c["value"] else ""
        return f'<label class="live-flag"><input type="checkbox" name="{name}"{ticked}> <code>{name}</code></label>\n'
    if "label" in c:
        label = html.escape(c["label"])
    elif c["letter"] == c["name"]:  # of one's own losses
        label = f"<code>{name}</code>"
    else:
        label = f"{typeset(c['letter'])} <code>{name}</code>"
    return (
        f'<label class="live-slider"><span>{label}</span>'
        f'<input type="range" name="{name}"><output data-value="{name}"></output></label>\n'
    )


@functools.cache
def dress() -> tuple[str, str]:
    """The style and the player of a page that stands alone."""
    light = COLOURS | {name: colour for name, (colour, _) in THEME.items()}
    dark = {name: DARK[colour] for name, colour in COLOURS.items()} | {
        name: colour for name, (_, colour) in THEME.items()
    }
    said = ("".join(f"--{name}: {colour}; " for name, colour in colours.items()) for colours in (light, dark))
    variables = (
        ":root {{ color-scheme: light dark; {}}}\n@media (prefers-color-scheme: dark) {{ :root {{ {}}} }}".format(*said)
    )
    body = (
        "body { margin: 0 auto; max-width: 46rem; font-family: system-ui, sans-serif; "
        "background: var(--color-background-primary); color: var(--color-foreground-primary); }"
    )
    style, player = (file.read_text(encoding="utf-8") for file in (STYLE, PLAYER))
    return f"{variables}\n{body}\n{style}", player


def document(made: dict[str, Any], title: str) -> str:
    """A whole page with one figure, which needs nothing beside it."""
    style, player = dress()
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(title)}</title>
<style>
{style}</style>
</head>
<body>
{markup(made)}
<script>
{player}</script>
</body>
</html>
"""
