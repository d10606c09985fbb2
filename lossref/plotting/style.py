"""What every picture needs: figures and panels, the look of a series, names at the ends of lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lossref._arrays import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

#: Blue is the item of the page, orange what it is compared with, green the data, mauve the gradient.
PALETTE = ("#0077d9", "#c94f00", "#265235", "#a3498a")
DASHES = ("-", (0, (6, 2)), (0, (2, 1.5)), (0, (6, 2, 1.5, 2)))
MARKERS = ("o", "s", "^", "D")
INK = "#1a1a1a"
GRID = "#d0d0d0"
#: What becomes of each colour on a dark page, where it keeps its meaning.
DARK = {
    **dict(zip(PALETTE, ("#728bff", "#dc7721", "#38ffa4", "#d6bee6"), strict=True)),
    INK: "#e8e8e8",
    GRID: "#4a4a4a",
    "#8a8a8a": "#8a8a8a",
    "#ffffff": "#131416",
}

STYLE: dict[Any, Any] = {
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "xtick.color": INK,
    "ytick.color": INK,
    "text.color": INK,
    "lines.linewidth": 2.0,
    "lines.markersize": 5,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "svg.hashsalt": "lossref",
}


def panels(
    count: int = 1, *, width: float | None = None, height: float = 3.6, **more: Any
) -> tuple[Figure, list[Axes]]:
    """Open a figure with panels in a row, in the style of the house.

    Parameters
    ----------
    count : int, default 1
        How many panels.
    width, height : float, optional
        The size of the whole figure in inches; 6.4 wide for one panel, 9 for more.
    **more
        Passed on to :func:`matplotlib.pyplot.subplots`.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure.
    axes : list of matplotlib.axes.Axes
        Its panels from left to right.
    """
    import matplotlib.pyplot as plt

    plt.rcParams.update(STYLE)
    size = (width or (6.4 if count == 1 else 9.0), height)
    figure, axes = plt.subplots(1, count, figsize=size, squeeze=False, layout="constrained", **more)
    figure.get_layout_engine().set(w_pad=0.1)  # between the names of one panel's lines and the axis of the next
    for panel in axes[0]:
        panel.grid(color=GRID, linewidth=0.6)
        panel.set_axisbelow(True)
    return figure, list(axes[0])


def grid(count: int, *, height: float, columns: int = 2) -> tuple[Figure, list[Axes]]:
    """Open a figure whose panels share both axes and stand in rows.

    Parameters
    ----------
    count : int
        How many panels.
    height : float
        Of the figure, in inches.
    columns : int, default 2
        How many panels a row has at most.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure.
    axes : list of matplotlib.axes.Axes
        Its panels, row by row.
    """
    import matplotlib.pyplot as plt

    plt.rcParams.update(STYLE)
    columns = min(count, columns)
    rows = -(-count // columns)
    figure, axes = plt.subplots(
        rows,
        columns,
        figsize=(6.4 if count == 1 else 9.0, height),
        squeeze=False,
        layout="constrained",
        sharex=True,
        sharey=True,
    )
    for spare in axes.flat[count:]:
        spare.remove()
    return figure, list(axes.flat[:count])


def describe(figure: Figure, alt: str) -> None:
    """Give a figure the text that stands for it where it cannot be seen; the book refuses a picture without one.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.
    alt : str
        60 to 300 characters: the kind of picture, its axes, its finding, and the numbers that show it.

    Raises
    ------
    ValueError
        If the text is too short to say that, or too long to listen to.
    """
    if not 60 <= len(alt) <= 300:
        raise ValueError(f"describe: alt must have 60 to 300 characters, got {len(alt)}: {alt!r}")
    figure.alt = alt  # type: ignore[attr-defined]


def series(index: int, *, marked: bool = False) -> dict[str, Any]:
    """Return the look of one series: its colour, and its dash or marker, which tell it apart without colour.

    Parameters
    ----------
    index : int
        The number of the series, 0 to 3.
    marked : bool, default False
        Whether to give it its marker too.

    Returns
    -------
    dict
        Keyword arguments for :meth:`matplotlib.axes.Axes.plot`.
    """
    look: dict[str, Any] = {"color": PALETTE[index], "linestyle": DASHES[index]}
    return look | ({"marker": MARKERS[index]} if marked else {})


def name_lines(axes: Axes, names: Sequence[str] | None = None, *, lines: Sequence[Line2D] | None = None) -> None:
    """Write each line's name at its end, in its colour, and keep the names apart.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The panel, with its limits already set.
    names : sequence of str, optional
        The names; those the lines carry if not given.
    lines : sequence of matplotlib.lines.Line2D, optional
        The lines; all of the panel that carry a name if not given.
    """
    lines = [line for line in axes.lines if not str(line.get_label()).startswith("_")] if lines is None else lines
    names = [str(line.get_label()) for line in lines] if names is None else names
    axes.figure.canvas.draw()
    left, right = sorted(axes.get_xlim())
    low, high = sorted(axes.get_ylim())
    ends = []
    for line, name in zip(lines, names, strict=True):
        x, y = (np.asarray(data, dtype=float) for data in line.get_data())
        seen = np.flatnonzero((x >= left) & (x <= right) & (y >= low) & (y <= high))
        last = seen[-1]
        end = axes.transAxes.inverted().transform(axes.transData.transform((x[last], y[last])))
        if last + 1 < len(x) and np.isfinite(y[last + 1]):  # follow it to where it leaves the panel
            beyond = axes.transAxes.inverted().transform(axes.transData.transform((x[last + 1], y[last + 1])))
            way = beyond - end
            reach = [(bound - e) / w for bound, e, w in zip((way > 0).astype(float), end, way, strict=True) if w]
            end = end + min(reach) * way
        across, up = end
        ends.append([across, up, name, line.get_color()])
    gap = 13 / 72 * axes.figure.dpi / axes.get_window_extent().height
    margin = [end for end in ends if end[0] > 0.9]
    place = spread([end[1] for end in margin], gap, within=(0, 1))  # what lies below is the axis, above it the title
    for (_, _, name, colour), up in zip(margin, place, strict=True):
        axes.annotate(
            name,
            (1.0, up),
            (5, 0),
            xycoords="axes fraction",
            textcoords="offset points",
            color=colour,
            va="center",
            annotation_clip=False,
        )
    for across, up, name, colour in ends:
        if across <= 0.9:  # it leaves through the top or the bottom
            axes.annotate(
                name,
                (across, up),
                (0, 3 if up > 0.5 else -3),
                xycoords="axes fraction",
                textcoords="offset points",
                color=colour,
                ha="center",
                va="bottom" if up > 0.5 else "top",
                annotation_clip=False,
            )


def spread(places: Sequence[float], gap: float, within: tuple[float, float] = (-np.inf, np.inf)) -> Array:
    """Move numbers as little as it takes to stand at least ``gap`` apart, in the order they have.

    Parameters
    ----------
    places : sequence of float
        The numbers.
    gap : float
        The least distance of two of them.
    within : tuple of float, optional
        Between which numbers all of them shall stand, as far as the gaps allow it.

    Returns
    -------
    numpy.ndarray
        The new places, in the order given.
    """
    order = np.argsort(places, kind="stable")
    rungs = np.asarray(places, dtype=float)[order] - gap * np.arange(len(places))
    blocks: list[list[float]] = []
    for rung in rungs:  # isotonic regression: pool neighbours that are out of order
        blocks.append([rung])
        while len(blocks) > 1 and np.mean(blocks[-2]) > np.mean(blocks[-1]):
            blocks[-2:] = [blocks[-2] + blocks[-1]]
    fitted = np.concatenate([np.full(len(block), np.mean(block)) for block in blocks]) if blocks else rungs
    fitted = np.clip(fitted, within[0], within[1] - gap * (len(places) - 1))
    moved = np.empty(len(places))
    moved[order] = fitted + gap * np.arange(len(places))
    return moved


def broken(x: Array, y: Array) -> tuple[Array, Array, Array]:
    """Open a curve where it jumps, so that no line is drawn through values that it does not take.

    Parameters
    ----------
    x, y : numpy.ndarray
        The sampled curve.

    Returns
    -------
    x, y : numpy.ndarray
        The curve with NaN put in at each jump.
    alone : numpy.ndarray
        The indices of samples between two jumps, which want a dot.
    """
    step = np.abs(np.diff(y))
    jumps = np.flatnonzero(step > max(0.02 * np.ptp(y), 10 * np.median(step)))
    alone = np.intersect1d(jumps, jumps + 1)
    return np.insert(x, jumps + 1, x[jumps]), np.insert(y, jumps + 1, np.nan), alone


def trace(axes: Axes, x: Array, y: Array, index: int, label: str) -> Line2D:
    """Draw one sampled curve, open at its jumps, with a dot on a value that stands alone.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    x, y : numpy.ndarray
        The samples.
    index : int
        The number of the series.
    label : str
        Its name.

    Returns
    -------
    matplotlib.lines.Line2D
        The line.
    """
    open_x, open_y, alone = broken(x, y)
    (line,) = axes.plot(open_x, open_y, label=label, **series(index))
    axes.plot(x[alone], y[alone], marker=MARKERS[index], linestyle="none", color=PALETTE[index], label="_kink")
    return line


def band(axes: Axes, x: Any, runs: Any, index: int, label: str, *, marked: bool = False) -> Line2D:
    """Draw the median of several runs and the band from the 10th to the 90th percentile.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    x : array_like
        The places of the measurements, of shape ``(n,)``.
    runs : array_like
        One run a row, of shape ``(runs, n)``.
    index : int
        The number of the series.
    label : str
        Its name.
    marked : bool, default False
        Whether to mark each measurement.

    Returns
    -------
    matplotlib.lines.Line2D
        The median.
    """
    low, middle, high = np.percentile(np.asarray(runs, dtype=float), (10, 50, 90), axis=0)
    axes.fill_between(x, low, high, color=PALETTE[index], alpha=0.18, linewidth=0)
    (line,) = axes.plot(x, middle, label=label, **series(index, marked=marked))
    return line
