"""The pictures: curves of losses, pictures of penalties, paths of optimizers, ramps of schedules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lossref._arrays import Array
from lossref.plotting.style import INK, MARKERS, PALETTE, grid, panels, series, trace

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


# --- losses and penalties ---------------------------------------------------------------------------------------------

READINGS = {"value": "loss", "slope": "slope", "curvature": "curvature"}


def curve(
    losses: Any,
    *,
    show: Sequence[str] = ("value", "slope"),
    span: tuple[float, float] = (-4.0, 4.0),
    target: float = 0.0,
    labels: Sequence[str] | None = None,
    against: str = "residual r (unit of the target)",
    units: Sequence[str] | None = None,
    height: float = 3.6,
) -> Figure:
    """Draw losses of one prediction: value, slope and curvature, one panel each.

    Parameters
    ----------
    losses : Loss or sequence of Loss
        At most four pointwise losses.
    show : sequence of {"value", "slope", "curvature"}, default ("value", "slope")
        The panels, from left to right.
    span : tuple of float, default (-4.0, 4.0)
        From where to where, in ``prediction - target``.
    target : float, default 0.0
        The target that all predictions are compared with.
    labels : sequence of str, optional
        The names at the lines' ends; the class names if not given.
    against : str
        What the horizontal axis is, with its unit.
    units : sequence of str, optional
        The vertical axes' labels, with units, one for each panel.
    height : float, default 3.6
        Of the figure, in inches.

    Returns
    -------
    matplotlib.figure.Figure
        The figure; its panels are ``figure.axes``.

    Examples
    --------
    >>> import lossref
    >>> from lossref.plotting import curve
    >>> figure = curve([lossref.MSE(), lossref.MAE()])
    >>> [panel.get_ylabel() for panel in figure.axes]
    ['loss', 'slope']
    """
    losses = list(losses) if isinstance(losses, Sequence) else [losses]
    labels = [type(loss).__name__ for loss in losses] if labels is None else labels
    figure, axes = panels(len(show), height=height)
    pred = np.linspace(span[0] + target, span[1] + target, 1601)
    for panel, reading in zip(axes, show, strict=True):
        for index, (loss, label) in enumerate(zip(losses, labels, strict=True)):
            trace(panel, pred - target, read(loss, reading, pred, target), index, label)
        panel.set_xlabel(against)
        panel.set_ylabel(READINGS[reading])
    for panel, unit in zip(axes, units or (), strict=units is not None):
        panel.set_ylabel(unit)
    return figure


def read(loss: Any, reading: str, pred: Any, target: Any) -> Array:
    """Return the value, slope or curvature of a loss at each prediction, as if each stood alone.

    Parameters
    ----------
    loss : PointwiseLoss or Combined
        The loss; its reduction does not matter.
    reading : {"value", "slope", "curvature"}
        What to return.
    pred : array_like
        The predictions.
    target : float
        The target of all of them.

    Returns
    -------
    numpy.ndarray
        Of the shape of ``pred``.
    """
    pred = np.asarray(pred, dtype=float)
    each = loss._summed()
    ask: dict[str, Callable[..., Any]] = {"value": each.values, "slope": each.grad, "curvature": each.curvature}
    result: Array = ask[reading](pred, np.full_like(pred, target))
    return result


def penalties(
    items: Any,
    *,
    step: float = 1.0,
    span: tuple[float, float] = (-3.0, 3.0),
    labels: Sequence[str] | None = None,
    height: float = 3.4,
) -> Figure:
    """Draw penalties on one parameter in a row: value, slope and proximal map.

    Parameters
    ----------
    items : Penalty or sequence of Penalty
        At most four penalties.
    step : float, default 1.0
        The step of the proximal map.
    span : tuple of float, default (-3.0, 3.0)
        From where to where the parameter goes.
    labels : sequence of str, optional
        The names at the lines' ends; the class names if not given.
    height : float, default 3.4
        Of the figure, in inches.

    Returns
    -------
    matplotlib.figure.Figure
        The figure with three panels.
    """
    items = list(items) if isinstance(items, Sequence) else [items]
    labels = [type(item).__name__ for item in items] if labels is None else labels
    figure, (value, slope, prox) = panels(3, height=height)
    w = np.linspace(*span, 1601)
    for index, (item, label) in enumerate(zip(items, labels, strict=True)):
        trace(value, w, np.array([item([x]) for x in w]), index, label)
        trace(slope, w, item.grad(w), index, label)
        trace(prox, w, item.prox(w, step), index, label)
    prox.plot(w, w, color=INK, linewidth=0.8, label="no penalty")
    for panel, what in zip((value, slope, prox), ("penalty", "slope", f"proximal map, step {step:g}"), strict=True):
        panel.set(xlabel="parameter w", ylabel=what)
    return figure


# --- optimizers -------------------------------------------------------------------------------------------------------


def descend(optimizer: Any, surface: Any, start: Sequence[float], steps: int) -> Array:
    """Let an optimizer walk down a surface.

    Parameters
    ----------
    optimizer : Optimizer
        The optimizer.
    surface : Landscape
        The surface, one of :mod:`lossref.landscapes`.
    start : sequence of float
        The point of departure.
    steps : int
        How many.

    Returns
    -------
    numpy.ndarray
        The points, of shape ``(steps + 1, 2)``, the first of them ``start``.
    """
    point = np.array(start, dtype=float)
    points = [point.copy()]
    state = optimizer.init(point)
    for _ in range(steps):
        optimizer.step(point, surface.grad(point), state)
        points.append(point.copy())
    return np.array(points)


def path(
    optimizers: Any,
    surface: Any,
    *,
    steps: int,
    start: Sequence[float] | None = None,
    labels: Sequence[str] | None = None,
    span: tuple[tuple[float, float], tuple[float, float]] | None = None,
    names: tuple[str, str] = ("parameter x", "parameter y"),
    height: float = 4.6,
) -> Figure:
    """Draw the paths of optimizers over a surface, one panel each, with the same start and number of steps.

    Parameters
    ----------
    optimizers : Optimizer or sequence of Optimizer
        The optimizers.
    surface : Landscape
        The surface, one of :mod:`lossref.landscapes`.
    steps : int
        How many each may make.
    start : sequence of float, optional
        The point of departure; the surface's own if not given.
    labels : sequence of str, optional
        The panels' titles; the class names if not given.
    span : tuple of tuple of float, optional
        The limits of the two axes; the surface's own if not given.
    names : tuple of str
        The labels of the two axes.
    height : float, default 4.6
        Of the figure, in inches.

    Returns
    -------
    matplotlib.figure.Figure
        The figure; its panels stand in two columns if there are more than two.
    """
    optimizers = list(optimizers) if isinstance(optimizers, Sequence) else [optimizers]
    labels = [type(optimizer).__name__ for optimizer in optimizers] if labels is None else labels
    start, span = surface.start if start is None else start, surface.span if span is None else span
    figure, axes = grid(len(optimizers), height=height)
    for index, (panel, optimizer, label) in enumerate(zip(axes, optimizers, labels, strict=True)):
        contours(panel, surface, span)
        points = descend(optimizer, surface, start, steps)
        panel.plot(*points.T, markersize=3, linewidth=1.4, color=PALETTE[index], marker=MARKERS[index])
        panel.plot(*points[0], marker="o", color=INK, markersize=6)
        for minimum in surface.minima:
            panel.plot(*minimum, marker="*", color=INK, markersize=9)
        panel.set(xlim=span[0], ylim=span[1], title=label)
    for panel in axes:
        panel.set(xlabel=names[0], ylabel=names[1])
        panel.label_outer()
    return figure


def contours(axes: Axes, surface: Any, span: tuple[tuple[float, float], tuple[float, float]]) -> None:
    """Draw lines of equal height, each one double the height of the one below, over the lowest that there is.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    surface : Landscape
        The surface, one of :mod:`lossref.landscapes`.
    span : tuple of tuple of float
        The limits of the two axes.
    """
    x, y = np.meshgrid(np.linspace(*span[0], 241), np.linspace(*span[1], 241))
    heights = surface(np.stack([x, y]))
    bottom = surface(surface.minima[0]) if surface.minima else heights.min()
    levels = bottom + (heights.max() - bottom) * 2.0 ** np.arange(-9, 1)
    axes.contour(x, y, heights, levels=levels, colors="#8a8a8a", linewidths=0.7, linestyles="solid")


# --- schedules --------------------------------------------------------------------------------------------------------


def ramp(
    schedules: Any,
    *,
    steps: int,
    labels: Sequence[str] | None = None,
    unit: str = "updates",
    logarithmic: bool = False,
    height: float = 3.6,
) -> Figure:
    """Draw learning rates against the step.

    Parameters
    ----------
    schedules : Schedule or sequence of Schedule
        At most four schedules.
    steps : int
        How many steps, the first of them 0.
    labels : sequence of str, optional
        The names at the lines' ends; the class names if not given.
    unit : str, default "updates"
        What a step is.
    logarithmic : bool, default False
        Whether the axis of the learning rate is logarithmic.
    height : float, default 3.6
        Of the figure, in inches.

    Returns
    -------
    matplotlib.figure.Figure
        The figure with one panel.
    """
    schedules = list(schedules) if isinstance(schedules, Sequence) else [schedules]
    labels = [type(schedule).__name__ for schedule in schedules] if labels is None else labels
    figure, (panel,) = panels(height=height)
    t = np.arange(steps)
    for index, (schedule, label) in enumerate(zip(schedules, labels, strict=True)):
        rates = schedule(t)
        stands = np.median(np.abs(np.diff(rates))) == 0  # then its falls are jumps, and drawn as such
        panel.plot(t, rates, label=label, drawstyle="steps-post" if stands else "default", **series(index))
    panel.set(xlabel=f"step t ({unit})", ylabel="learning rate (1)", xlim=(0, steps - 1))
    if logarithmic:
        panel.set(yscale="log", ylabel="learning rate (1, logarithmic)")
    return figure
