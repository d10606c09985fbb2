"""Animated paths: a picture that walks once, where motion is welcome, and is whole where it is not."""

from __future__ import annotations

import io
import itertools
import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D


def animate(lines: Sequence[Line2D], *, seconds: float = 5.0) -> None:
    """Let lines of a figure be walked along, all at the same pace: one vertex after the other in equal times.

    The picture that :func:`svg` makes of the figure plays once, when it is first seen. It needs no script. Where the
    reader's system asks for reduced motion it does not move, and shows the whole line, as everywhere else where
    a figure is drawn.

    Parameters
    ----------
    lines : sequence of matplotlib.lines.Line2D
        The lines, solid ones, all of the same figure.
    seconds : float, default 5.0
        How long the walk takes. What moves for longer than five seconds needs a button to stop it.

    Raises
    ------
    ValueError
        If the time is not above 0 and at most 5 seconds, or there are no lines.
    """
    if not 0 < seconds <= 5:
        raise ValueError(f"animate: seconds must be above 0 and at most 5, got {seconds!r}")
    if not lines:
        raise ValueError("animate: there are no lines to walk along")
    for index, line in enumerate(lines):
        line.set_gid(f"walk-{index}")
    lines[0].figure.walks = (tuple(lines), seconds)  # type: ignore[union-attr]


def svg(figure: Figure) -> str:
    """Return a figure as SVG, with the walks that :func:`animate` asked for.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.

    Returns
    -------
    str
        The drawing, without a date.
    """
    import matplotlib as mpl

    lines, seconds = getattr(figure, "walks", ((), 0.0))
    stream = io.StringIO()
    with mpl.rc_context({"path.simplify": not lines}):  # no vertex of a walk may be left out
        for line in lines:
            line.recache(always=True)
        figure.savefig(stream, format="svg", metadata={"Date": None})
    drawing = stream.getvalue()
    keyframes, names = [], []
    for index in range(len(lines)):
        found = re.search(rf'(<g id="walk-{index}">\s*)(<path d="([^"]*)"[^>]*?stroke: (#\w+)[^>]*/>)', drawing)
        if found is None or found[3].count("M") > 1 or "dasharray" in found[2]:
            raise ValueError(
                f"svg: line number {index} cannot be walked along; it must be solid and inside the picture"
            )
        head, path, vertices, colour = found.groups()
        points = [(float(x), float(y)) for x, y in re.findall(r"[ML] (\S+) (\S+)", vertices)]
        way = [0.0, *itertools.accumulate(math.dist(*pair) for pair in itertools.pairwise(points))]
        trail = path.replace("<path", '<path class="trail"', 1)
        drawing = drawing.replace(
            found[0], f'{head}{path}{trail}<circle class="walker" r="4.5" style="fill: {colour}"/>', 1
        )
        times = [f"{100 * step / (len(points) - 1):.6g}%" for step in range(len(points))]
        for name, frames in (
            ("trail", [f"{{stroke-dashoffset: {way[-1] - gone:.2f}px}}" for gone in way]),
            ("walker", [f"{{transform: translate({x:.2f}px, {y:.2f}px)}}" for x, y in points]),
        ):
            steps = " ".join(f"{time} {frame}" for time, frame in zip(times, frames, strict=True))
            keyframes.append(f"@keyframes {name}-{index} {{{steps}}}")
        names.append(f"#walk-{index} > .trail {{stroke-dasharray: {way[-1]:.2f}px; animation-name: trail-{index}}}")
        names.append(f"#walk-{index} > .walker {{animation-name: walker-{index}}}")
        names.append(f"#walk-{index} > path:not(.trail) {{opacity: 0.25}}")
    if not lines:
        return drawing
    moving = [f".trail, .walker {{display: inline; animation: {seconds:g}s linear both}}", *names]
    style = [
        ".trail, .walker {display: none}",
        "@media (prefers-reduced-motion: no-preference) {",
        *moving,
        "}",
        *keyframes,
    ]
    return drawing.replace("</svg>", "<style>\n" + "\n".join(style) + "\n</style>\n</svg>")
