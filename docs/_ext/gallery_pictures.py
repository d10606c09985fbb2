"""Pictures of the gallery: each figure once for light pages and once for dark ones, none without its description, and
none with words over words.

The dark twin is the same drawing with the colours of the house exchanged, so that a colour keeps its meaning."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

from sphinx.errors import ExtensionError

from lossref.plotting import DARK, svg


def dark(svg: str, where: str) -> str:
    """The drawing for a dark page; a colour that has no twin is an error."""
    if foreign := {colour.lower() for colour in re.findall(r"#[0-9a-fA-F]{6}\b", svg)} - DARK.keys():
        raise ExtensionError(f"{where}: colours that lossref.plotting does not know: {', '.join(sorted(foreign))}")
    return re.sub(r"#[0-9a-fA-F]{6}\b", lambda match: DARK[match[0].lower()], svg)


def words(figure):
    """Every word that is drawn, and the box around it. Ticks beyond the ends of their axis exist, but are not drawn."""
    from matplotlib.text import Text

    ticks = {}
    for axes in figure.axes:
        for axis, place in ((axes.xaxis, 0), (axes.yaxis, 1)):
            low, high = sorted(axis.get_view_interval())
            for label in axis.get_ticklabels(which="both"):
                ticks[label] = low <= label.get_position()[place] <= high
    for text in figure.findobj(Text):
        if text.get_visible() and text.get_text().strip() and ticks.get(text, True):
            yield text.get_text(), text.get_window_extent()


def illegible(figure):
    """What cannot be read: words over other words, and words that the edge of the picture cuts off."""
    figure.canvas.draw()
    found = list(words(figure))
    for (one, here), (other, there) in combinations(found, 2):
        across = min(here.x1, there.x1) - max(here.x0, there.x0)
        if across > 1 and min(here.y1, there.y1) - max(here.y0, there.y0) > 3:  # boxes are higher than their letters
            yield f"{one!r} lies over {other!r}"
    for word, box in found:
        if box.x0 < -1 or box.y0 < -1 or box.x1 > figure.bbox.x1 + 1 or box.y1 > figure.bbox.y1 + 1:
            yield f"{word!r} is cut off"


def scraper(block, block_vars, gallery_conf):
    """Save the figures that have been described so far, and return the rST that shows them at this place."""
    import matplotlib.pyplot as plt

    rst = []
    for figure in map(plt.figure, plt.get_fignums()):
        if not (alt := getattr(figure, "alt", None)):
            continue
        png = Path(next(block_vars["image_path_iterator"]))  # for the thumbnail
        light = png.with_suffix(".svg")
        twin = png.with_name(f"{png.stem}_dark.svg")
        figure.savefig(png, dpi=150, facecolor="white", metadata={"Software": None})
        light.write_text(svg(figure), encoding="utf-8")
        where = Path(block_vars["src_file"]).name
        if complaints := list(illegible(figure)):
            raise ExtensionError(f"{where}: {'; '.join(complaints)}")
        twin.write_text(dark(light.read_text(encoding="utf-8"), where), encoding="utf-8")
        size = "broad picture" if figure.get_figwidth() > 7 else "picture"
        rst.append(".. container:: wide\n")
        for file, shown in ((light, "only-light"), (twin, "only-dark")):
            place = file.relative_to(gallery_conf["src_dir"]).as_posix()
            rst.append(f"   .. image:: /{place}\n      :alt: {alt}\n      :class: {shown} {size}\n")
        plt.close(figure)
    return "\n".join(rst)


def none_left(gallery_conf, script, when):
    """After a script: a figure that nobody has described is still open."""
    import matplotlib.pyplot as plt

    if when == "after" and (left := plt.get_fignums()):
        plt.close("all")
        raise ExtensionError(
            f"{script}: figures {left} have no description; call lossref.plotting.describe(figure, alt)"
        )
