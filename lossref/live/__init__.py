"""Live figures: a formula to take in the hand, in a notebook or in a file of its own.

Sliders are the hyper-parameters. The JavaScript that draws is printed from the SymPy formula, so that a figure cannot
say anything that the library does not; ``live.js``, which plays it, knows about axes and sliders and about no formula.
The figures of the book are the same.
"""

from __future__ import annotations

import html
import math
import os
from pathlib import Path
from typing import Any

from lossref._formula import Formula
from lossref.live.figure import figure
from lossref.live.page import document

__all__ = ["LiveFigure", "live_figure"]


class LiveFigure:
    """What :func:`lossref.live_figure` returns: a notebook shows it, and :meth:`save` writes it to a file."""

    def __init__(self, formula: Formula, made: dict[str, Any]) -> None:
        self._title = repr(formula)
        self._made = made

    def __repr__(self) -> str:
        return f"<live figure of {self._title}>"

    def _repr_html_(self) -> str:
        """A frame, so that neither the notebook's styles nor another figure's names reach into this one."""
        page = html.escape(document(self._made, self._title))
        grow = "this.style.height = this.contentDocument.documentElement.scrollHeight + 'px'"
        return (
            f'<iframe srcdoc="{page}" title="{html.escape(self._made["says"])}" onload="{grow}" '
            f'style="width: 100%; height: 36rem; border: 0"></iframe>'
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the figure to a file that every browser opens, from a disk as well as from a server.

        Parameters
        ----------
        path : str or path-like
            The file, ``something.html``. What is there is overwritten.
        """
        Path(path).write_text(document(self._made, self._title), encoding="utf-8")


def live_figure(formula: Formula, *, span: tuple[float, float] | None = None) -> LiveFigure:
    """Return a formula as a figure with a slider for each hyper-parameter, which stands where the formula has it.

    It draws a loss and its slope, a penalty and its proximal map, the ramp of a schedule, or the path of an optimizer
    down a surface that one chooses. Below the curves stand their values at the place that one points to, and the Python
    call that returns them. In a notebook the figure is shown when it is the last thing in a cell.

    Parameters
    ----------
    formula : Loss, Penalty, Optimizer or Schedule
        Any formula of the library, or a loss that :func:`lossref.from_formula` has made.
    span : tuple of float, optional
        From where to where the horizontal axis goes. For losses of one's own that do not depend on the residual alone
        the slider of the target goes as far. Where it is not given, some numbers around 0.

    Returns
    -------
    LiveFigure
        What a notebook shows, and what has a method ``save(path)``. It is one text with script and style inside, which
        needs no network.

    Raises
    ------
    TypeError
        If that is no formula (sums are none), or its learning rate is a schedule.
    ValueError
        If the span has no length.
    NotImplementedError
        If a formula of one's own has a function that JavaScript does not.

    Notes
    -----
    Value and slope are computed by the browser, from the formula as SymPy prints it: in float64, with no kernel's care
    for the last digits. Losses of many numbers are drawn along one of them while the others stand still; those of a
    batch show its mean, whatever their ``reduction``.

    Parameters of one's own losses have sliders from a quarter to four times their value.

    Examples
    --------
    >>> import lossref
    >>> lossref.live_figure(lossref.Huber(delta=2.0))
    <live figure of Huber(delta=2.0)>

    Money, in which the axis should go further than six:

    >>> figure = lossref.live_figure(lossref.Quantile(q=0.8), span=(-500, 500))
    >>> figure.save("quantile.html")  # doctest: +SKIP
    """
    if not isinstance(formula, Formula):
        raise TypeError(
            f"live_figure: formula must be a loss, a penalty, an optimizer or a schedule, and no sum of them; "
            f"got {formula!r} of type {type(formula).__name__}"
        )
    if span is not None:
        low, high = map(float, span)
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ValueError(f"live_figure: span must go from a finite number to a larger one, got {span!r}")
        span = low, high
    return LiveFigure(formula, figure(formula, span))
