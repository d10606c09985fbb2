"""Line searches: how far to go in a direction, found by trying."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from lossref._arrays import Array, as_floats, check_shape
from lossref._parameters import Range, as_integer, as_real, refuse_unless
from lossref.optimizers.problem import DOUBLE, Problem, as_point, is_finite, quiet

#: Values nearer to each other than this, relative to their size, are the same but for rounding.
ROUNDING = 8 * float(np.finfo(DOUBLE).eps)

above_zero = Range("a number > 0", refuse_unless(lambda x: x > 0, as_real))
share = Range("a number in (0, 1)", refuse_unless(lambda x: 0 < x < 1, as_real))
count = Range("an integer >= 1", refuse_unless(lambda x: x >= 1, as_integer))


class Trial(NamedTuple):
    """A step that was tried: how long, the value there, and the slope along the line (NaN where it was not needed)."""

    step: float
    value: float
    slope: float


@dataclass(frozen=True, eq=False, kw_only=True)
class LineSearch:
    """What a line search found. It is true if the conditions that it searched for hold.

    Attributes
    ----------
    step : float
        The step to take; 0 if no step went down.
    x : numpy.ndarray
        The point to which it leads.
    value : float
        The value there.
    grad : numpy.ndarray
        The gradient there.
    success : bool
        Do the conditions hold at this step?
    message : str
        Why the search ended, with its numbers.
    trace : tuple of Trial
        The start, at step 0, and every step that was tried, each with its value and its slope.
    nfev, njev : int
        How many values and gradients that took, with those at the start if they were not given.
    """

    step: float
    x: Array
    value: float
    grad: Array
    success: bool
    message: str
    trace: tuple[Trial, ...]
    nfev: int
    njev: int

    def __bool__(self) -> bool:
        return self.success


class Line:
    """A function along a line that leads down: what was tried, and the best of it.

    ``found`` are the step, the point, the value, the gradient and the slope of the best trial; ``success`` tells
    whether it is what was searched for, and ``end``, with numbers for its gaps, why the search ended.
    """

    __slots__ = ("before", "direction", "end", "found", "problem", "slope", "success", "trace", "value", "x")

    def __init__(self, problem: Problem, x: Array, value: float, grad: Array, direction: Array, slope: float) -> None:
        self.problem, self.x, self.direction = problem, x, direction
        self.value, self.slope = value, slope
        self.found = 0.0, x, value, grad, slope
        self.trace = [Trial(0.0, value, slope)]
        self.before = problem.nfev, problem.njev
        self.success = False
        self.end: tuple[Any, ...] = ()

    def low(self, step: float, value: float, slope: float, c1: float) -> bool:
        """Armijo's condition; or where values differ by rounding alone, what it says of the slope of a parabola."""
        if abs(value - self.value) <= ROUNDING * abs(self.value):
            return self.slope < slope <= (2 * c1 - 1) * self.slope
        return value <= self.value + c1 * step * self.slope

    @property
    def message(self) -> str:
        text, *numbers = self.end
        return str(text).format(*numbers)

    def result(self) -> LineSearch:
        step, x, value, grad, _ = self.found
        return LineSearch(
            step=step,
            x=x,
            value=value,
            grad=grad,
            success=self.success,
            message=self.message,
            trace=tuple(self.trace),
            nfev=self.problem.nfev - self.before[0],
            njev=self.problem.njev - self.before[1],
        )


def line_of(owner: str, fun: Any, x: Any, direction: Any, jac: Any, start: Any) -> Line:
    """The line that the arguments of a search describe, or the error that says what is wrong with them."""
    problem = fun if isinstance(fun, Problem) else Problem(fun, jac, owner=owner)
    point, way = as_point(owner, "x", x), as_point(owner, "direction", direction)
    check_shape(owner, "direction", way, "x", point.shape)
    before = problem.nfev, problem.njev
    if start is None:
        value, grad = problem.value_and_grad(point)
    else:
        try:
            value, grad = start
        except (TypeError, ValueError):
            raise TypeError(f"{owner}: start must be the value and the gradient at x, got {start!r}") from None
        value, grad = problem._as_value(value), np.array(as_floats(owner, "start[1]", grad), dtype=DOUBLE)
        check_shape(owner, "start[1]", grad, "x", point.shape)
    if not is_finite(value, grad):
        raise ValueError(f"{owner}: at x the value is {value} and not all is finite; start from another point")
    slope = float(np.vdot(grad, way))
    if not slope < 0:
        raise ValueError(
            f"{owner}: direction does not lead down: the slope along it is {slope:.3g}; pass one whose product with "
            "the gradient is negative, such as minus the gradient"
        )
    found = Line(problem, point, value, grad, way, slope)
    found.before = before
    return found


@quiet
def backtracking(
    fun: Callable[[Array], Any] | Problem,
    x: Any,
    direction: Any,
    *,
    jac: Callable[[Array], Any] | None = None,
    start: tuple[float, Array] | None = None,
    step: float = 1.0,
    shrink: float = 0.5,
    c1: float = 1e-4,
    max_tries: int = 50,
) -> LineSearch:
    r"""Try a step, a half of it, a quarter, ... until the value falls by a fair share of what the slope promises.

    .. math::

       f(x + t d) \le f(x) + c_1 \, t \, \nabla f(x)^\top d

    This is Armijo's condition. That the value falls is not enough: steps that gain less and less may come to rest on a
    slope. The slope promises :math:`t \, \nabla f(x)^\top d`, and a share :math:`c_1` of that must be kept; a small
    share, so that a step to the far side of a valley is welcome. Where the gradient is Lipschitz the condition holds
    for all short steps, so that halving comes to an end.

    Nothing keeps the step from being too short but that it begins long. It suits directions that carry their own
    length, such as Newton's. For others see :func:`strong_wolfe`.

    Parameters
    ----------
    fun : callable or Problem
        ``fun(x)`` returns the value and the gradient, or with ``jac`` the value alone.
    x : array_like
        Where the line starts.
    direction : array_like
        The direction :math:`d`, of the shape of ``x``; it must lead down.
    jac : callable, optional
        ``jac(x)`` returns the gradient. It is called at the start and at the step that is taken, nowhere else.
    start : tuple of float and numpy.ndarray, optional
        The value and the gradient at ``x``, if they are known.
    step : float > 0, default 1.0
        The first step to try.
    shrink : float in (0, 1), default 0.5
        By what a step that was refused is multiplied.
    c1 : float in (0, 1), default 1e-4
        The share :math:`c_1`.
    max_tries : int >= 1, default 50
        How many steps to try at most.

    Returns
    -------
    LineSearch
        True if a step was found; otherwise its ``step`` is 0.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind.
    ValueError
        If a number is out of range, shapes differ, the start is not finite, or the direction does not lead down.

    Notes
    -----
    A step into NaN or infinity is refused like one that is too high. Where values differ by no more than their
    rounding, eight units in the last place, Armijo's condition can no longer be read off them; there the slope decides,
    :math:`\nabla f(x + t d)^\top d \le (2 c_1 - 1) \nabla f(x)^\top d`, which says the same of a parabola (Hager and
    Zhang), and the line must have become flatter.

    References
    ----------
    L. Armijo, "Minimization of functions having Lipschitz continuous first partial derivatives", *Pacific Journal of
    Mathematics* 16, 1966.

    W. W. Hager and H. Zhang, "A new conjugate gradient method with guaranteed descent and an efficient line search",
    *SIAM Journal on Optimization* 16, 2005.

    Examples
    --------
    >>> import numpy as np
    >>> from lossref.training import backtracking
    >>> def ravine(x):
    ...     return (x[0] ** 2 + 100 * x[1] ** 2) / 2, np.array([x[0], 100 * x[1]])
    >>> found = backtracking(ravine, [1.0, 1.0], [-1.0, -100.0])  # against the gradient
    >>> found.step, found.nfev
    (0.015625, 8)
    >>> [trial.step for trial in found.trace]
    [0.0, 1.0, 0.5, 0.25, 0.125, 0.0625, 0.03125, 0.015625]
    """
    owner = "backtracking"
    step, shrink = above_zero.check(owner, "step", step), share.check(owner, "shrink", shrink)
    c1, max_tries = share.check(owner, "c1", c1), count.check(owner, "max_tries", max_tries)
    return backtrack(line_of(owner, fun, x, direction, jac, start), step, shrink, c1, max_tries).result()


def backtrack(line: Line, step: float, shrink: float, c1: float, max_tries: int) -> Line:
    """:func:`backtracking`, on a line that has been checked; returns the line."""
    problem, d = line.problem, line.direction
    for _ in range(max_tries):
        x = line.x + step * d
        value, grad = problem.value(x)
        near = abs(value - line.value) <= ROUNDING * abs(line.value)
        if grad is None and (near or value <= line.value + c1 * step * line.slope):
            grad = problem.grad(x)
        slope = math.nan if grad is None else float(np.vdot(grad, d))
        line.trace.append(Trial(step, value, slope))
        if grad is not None and math.isfinite(value + slope) and line.low(step, value, slope, c1):
            line.found, line.success = (step, x, value, grad, slope), True
            line.end = "Armijo's condition holds at step {:.3g}", step
            return line
        step *= shrink
    line.end = "no step lowers the value enough, down to {:.3g}", line.trace[-1].step
    return line


@quiet
def strong_wolfe(
    fun: Callable[[Array], Any] | Problem,
    x: Any,
    direction: Any,
    *,
    jac: Callable[[Array], Any] | None = None,
    start: tuple[float, Array] | None = None,
    step: float = 1.0,
    c1: float = 1e-4,
    c2: float = 0.9,
    max_tries: int = 30,
) -> LineSearch:
    r"""Find a step where the value has fallen by a fair share, and where the line has become flatter.

    .. math::

       \begin{aligned}
           f(x + t d) &\le f(x) + c_1 \, t \, \nabla f(x)^\top d \\
           \lvert \nabla f(x + t d)^\top d \rvert &\le c_2 \, \lvert \nabla f(x)^\top d \rvert
       \end{aligned}

    These are the strong Wolfe conditions. The first is Armijo's, against steps that are too long for what they gain.
    The second is against steps that are too short: where the line still falls as steeply as at its start, there is more
    to be had further on. It also makes the change of the gradient along the step positive,
    :math:`(\nabla f(x + t d) - \nabla f(x))^\top d > 0`, which :class:`~lossref.BFGS` and :class:`~lossref.LBFGS` live
    on.

    The search goes outward until it has a bracket, two steps with such a step in between, and then closes it: each
    trial is the minimum of the cubic that has the values and the slopes of both ends, kept away from the ends, and the
    middle where cubics do not get on.

    Parameters
    ----------
    fun : callable or Problem
        ``fun(x)`` returns the value and the gradient, or with ``jac`` the value alone.
    x : array_like
        Where the line starts.
    direction : array_like
        The direction :math:`d`, of the shape of ``x``; it must lead down.
    jac : callable, optional
        ``jac(x)`` returns the gradient.
    start : tuple of float and numpy.ndarray, optional
        The value and the gradient at ``x``, if they are known.
    step : float > 0, default 1.0
        The first step to try.
    c1 : float in (0, 1), default 1e-4
        The share of the promised fall that must be kept, :math:`c_1`; below ``c2``.
    c2 : float in (0, 1), default 0.9
        The share of the slope that may be left, :math:`c_2`: 0.9 for quasi-Newton directions, whose step of 1 is good
        as it is; 0.1 for conjugate gradients; next to 0 for the minimum along the line.
    max_tries : int >= 1, default 30
        How many steps to try at most.

    Returns
    -------
    LineSearch
        True if both conditions hold. If not, its ``step`` is the best one that satisfies Armijo's, or 0.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind.
    ValueError
        If a number is out of range, shapes differ, the start is not finite, or the direction does not lead down.

    Notes
    -----
    A step into NaN or infinity bounds the bracket from above; the next trial is a fifth as far. What happens
    where values differ by their rounding alone is told at :func:`backtracking`.

    References
    ----------
    P. Wolfe, "Convergence conditions for ascent methods", *SIAM Review* 11, 1969.

    J. J. Moré and D. J. Thuente, "Line search algorithms with guaranteed sufficient decrease", *ACM Transactions on
    Mathematical Software* 20, 1994.

    J. Nocedal and S. J. Wright, *Numerical Optimization*, 2nd edition, Springer, 2006,
    sections 3.1 and 3.5.

    Examples
    --------
    >>> import numpy as np
    >>> from lossref.training import strong_wolfe
    >>> def ravine(x):
    ...     return (x[0] ** 2 + 100 * x[1] ** 2) / 2, np.array([x[0], 100 * x[1]])
    >>> found = strong_wolfe(ravine, [1.0, 1.0], [-1.0, -100.0], c2=0.1)
    >>> round(found.step, 6), found.nfev  # of a parabola, the first cubic finds the minimum
    (0.010001, 4)
    >>> [round(trial.step, 6) for trial in found.trace]
    [0.0, 1.0, 0.1, 0.010001]
    """
    owner = "strong_wolfe"
    step, max_tries = above_zero.check(owner, "step", step), count.check(owner, "max_tries", max_tries)
    c1, c2 = share.check(owner, "c1", c1), share.check(owner, "c2", c2)
    if c1 >= c2:
        raise ValueError(f"{owner}: c1 must be below c2, got c1={c1!r}, c2={c2!r}")
    return wolfe(line_of(owner, fun, x, direction, jac, start), step, c1, c2, max_tries).result()


def wolfe(line: Line, step: float, c1: float, c2: float, max_tries: int) -> Line:
    """:func:`strong_wolfe`, on a line that has been checked; returns the line."""
    problem, d, flat = line.problem, line.direction, -c2 * line.slope
    low, high = line.trace[0], None  # the best step so far, and the other end of the bracket once there is one
    widths = math.inf, math.inf
    for _ in range(max_tries):
        x = line.x + step * d
        value, grad = problem.value_and_grad(x)
        slope = float(np.vdot(grad, d))  # where the gradient is not finite, this is not either
        trial = Trial(step, value, slope)
        line.trace.append(trial)
        if not math.isfinite(value + slope):
            high, step = trial, inward(low, trial, False)
            continue
        before = low
        if not line.low(step, value, slope, c1) or value > low.value + ROUNDING * abs(low.value):
            high = trial
        else:
            line.found = step, x, value, grad, slope
            if abs(slope) <= flat:
                line.success = True
                line.end = "the strong Wolfe conditions hold at step {:.3g}", step
                return line
            if slope * ((math.inf if high is None else high.step) - low.step) >= 0:
                high = low
            low = trial
        if high is None:
            step = outward(before, low)
            continue
        width = abs(high.step - low.step)
        if width <= ROUNDING * max(low.step, high.step):
            line.end = "the bracket has closed at step {:.3g}; rounding hides what is inside", low.step
            return line
        step, widths = inward(low, high, width > 0.66 * widths[0]), (widths[1], width)
    if high is None:
        line.end = "after {} tries the value still falls at step {:.3g}", max_tries, low.step
    elif low.step:
        line.end = "after {} tries the line is still steep at step {:.3g}", max_tries, low.step
    else:
        line.end = "no step lowers the value, down to {:.3g}", line.trace[-1].step
    return line


def cubic(a: Trial, b: Trial) -> float:
    """The minimum of the cubic with the values and slopes of two trials; NaN if it has none."""
    # Hermite's cubic, in the form of Nocedal and Wright (3.59)
    width = b.step - a.step
    middle = a.slope + b.slope - 3 * (b.value - a.value) / width
    square = middle * middle - a.slope * b.slope
    if not 0 <= square < math.inf:
        return math.nan
    root = math.copysign(math.sqrt(square), width)
    below = b.slope - a.slope + 2 * root
    return b.step - width * (b.slope + root - middle) / below if below else math.nan


def outward(before: Trial, last: Trial) -> float:
    """The next step while there is no bracket: where the cubic has its minimum, 1.1 to 4 times as far."""
    guess = cubic(before, last)
    way = last.step - before.step
    if not guess > last.step:  # the cubic falls for ever, or is NaN
        return last.step + 4 * way
    return min(max(guess, last.step + 1.1 * way), last.step + 4 * way)


def inward(low: Trial, high: Trial, slow: bool) -> float:
    """The next step inside a bracket: where the cubic has its minimum, a tenth of the width away from both ends.

    The middle, if the bracket has not become a third smaller in two trials, or there is no cubic; a fifth from the
    start, if the other end is not finite.
    """
    width = high.step - low.step
    guess = math.nan if slow else cubic(low, high)
    if not math.isfinite(guess):
        return low.step + (0.2 if low.step == 0 and not math.isfinite(high.value + high.slope) else 0.5) * width
    ends = sorted((low.step + 0.1 * width, high.step - 0.1 * width))
    return min(max(guess, ends[0]), ends[1])
