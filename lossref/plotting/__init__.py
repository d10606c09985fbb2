"""Every picture of the book comes from here: curves of losses, paths of optimizers, ramps of schedules.

The functions draw what the library computes and nothing else. Matplotlib is imported by the first of them that runs.
"""

from lossref.plotting.animation import animate, svg
from lossref.plotting.pictures import contours, curve, descend, path, penalties, ramp, read
from lossref.plotting.style import (
    DARK,
    GRID,
    INK,
    MARKERS,
    PALETTE,
    band,
    broken,
    describe,
    grid,
    name_lines,
    panels,
    series,
    spread,
    trace,
)

__all__ = [
    "DARK",
    "GRID",
    "INK",
    "MARKERS",
    "PALETTE",
    "animate",
    "band",
    "broken",
    "contours",
    "curve",
    "descend",
    "describe",
    "grid",
    "name_lines",
    "panels",
    "path",
    "penalties",
    "ramp",
    "read",
    "series",
    "spread",
    "svg",
    "trace",
]
