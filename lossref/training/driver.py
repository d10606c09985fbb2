"""``minimize``: one driver for all optimizers, from a function and a first point to a result with its history."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np

from lossref._arrays import Array
from lossref._parameters import Range, as_integer, as_real, refuse_unless
from lossref.optimizers.base import Optimizer
from lossref.optimizers.problem import Problem, as_point, largest, quiet
from lossref.optimizers.quasi_newton import LBFGS
from lossref.optimizers.second_order import SecondOrder

tolerance = Range("a number >= 0", refuse_unless(lambda x: x >= 0, as_real))
#: The method for whoever names none.
DEFAULT = LBFGS()
budget = Range("an integer >= 0", refuse_unless(lambda x: x >= 0, as_integer))


class Step(NamedTuple):
    """What a callback is told after a step: its number, the point, the value, the gradient, and the rate."""

    step: int
    x: Array
    fun: float
    grad: Array
    rate: float


@dataclass(frozen=True, eq=False, kw_only=True)
class History:
    """How a minimization went: one entry for the start and one for each step.

    Attributes
    ----------
    values : numpy.ndarray
        The values.
    gradients : numpy.ndarray
        The largest absolute elements of the gradients.
    rates : numpy.ndarray
        The learning rates; of a method that searches, how far it went along its direction; of a trust region, its
        radius. NaN at the start.
    points : numpy.ndarray or None
        The points, of the shape ``(steps + 1, *x.shape)``, if they were asked for.
    """

    values: Array
    gradients: Array
    rates: Array
    points: Array | None


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Minimum:
    """What :func:`lossref.minimize` found.

    Attributes
    ----------
    x : numpy.ndarray
        The last point, of the shape of ``x0``; after a step into NaN, the last good one.
    fun : float
        The value there.
    grad : numpy.ndarray
        The gradient there.
    success : bool
        Did it stop because there was no more to do?
    status : str
        Why it stopped, in a word. Success: ``"gradient"``, no element of it is above ``tol``; ``"change"``, the value
        hardly changes. Otherwise: ``"budget"``, all steps or evaluations are used up; ``"no step"``, the method found
        none that leads down; ``"not finite"``, a step led into NaN or infinity; ``"callback"``, which asked for it.
    message : str
        Why it stopped, in a sentence, with its numbers.
    nit : int
        How many steps were taken.
    nfev, njev, nhev : int
        How many values, gradients and Hessians were computed.
    history : History
        How it went.
    """

    x: Array
    fun: float
    grad: Array
    success: bool
    status: str
    message: str
    nit: int
    nfev: int
    njev: int
    nhev: int
    history: History

    def __repr__(self) -> str:
        shown = [field.name for field in fields(self) if field.name != "history"]
        return "\n".join(f"{name:>8}: {getattr(self, name)}" for name in shown)


def walk(method: Any, problem: Problem, x: Array) -> Iterator[tuple[Array, float, Array, float, str]]:
    """The points of a method, each with its value, gradient and rate, and with the reason if there is no next one."""
    if isinstance(method, SecondOrder):
        here = method.start(problem, x)
        yield here.x, here.value, here.grad, math.nan, ""
        while True:
            here.failure = method._move(problem, here)
            yield here.x, here.value, here.grad, here.rate, here.failure
    state = method.init(x)
    value, grad = problem.value_and_grad(x)
    if not math.isfinite(value + largest(grad)):
        raise ValueError(f"minimize: at x0 the value is {value} and not all is finite; start from another point")
    yield x, value, grad, math.nan, ""
    while True:
        x, rate = x.copy(), method.rate_at(state.step + 1)
        method.step(x, grad, state)
        value, grad = problem.value_and_grad(x)
        yield x, value, grad, rate, ""


class Bar:
    """A line on the terminal that tells how far a minimization has come; written ten times a second at most."""

    def __init__(self, method: Any, steps: int) -> None:
        self.name, self.steps, self.next = type(method).__name__, steps, 0.0

    def show(self, step: int, value: float, gradient: float, last: str = "") -> None:
        now = time.monotonic()
        if last or now >= self.next:
            filled = "█" * round(20 * step / max(1, self.steps))
            told = f"{self.name} {step}/{self.steps} [{filled:20}] value {value:<10.4g} gradient {gradient:<10.3g}"
            sys.stderr.write(f"\r{told}{last}")
            sys.stderr.flush()
            self.next = now + 0.1


@quiet
def minimize(
    fun: Callable[[Array], Any],
    x0: Any,
    *,
    method: Optimizer | SecondOrder = DEFAULT,
    jac: Callable[[Array], Any] | None = None,
    hess: Callable[[Array], Any] | None = None,
    tol: float = 1e-5,
    ftol: float = 0.0,
    max_steps: int = 10_000,
    max_evaluations: int | None = None,
    callback: Callable[[Step], Any] | None = None,
    keep_points: bool = False,
    progress: bool = False,
) -> Minimum:
    r"""Minimize a function with any optimizer there is.

    From ``x0`` the method goes from point to point until no element of the gradient is above ``tol`` in absolute value,
    or something else ends it; the result says what. A method of descent (:class:`~lossref.SGD`,
    :class:`~lossref.AdamW`, ...) needs one evaluation a step and takes its rate on trust. Those that search along a
    line (:class:`~lossref.LBFGS`, :class:`~lossref.BFGS`, :class:`~lossref.ConjugateGradient`,
    :class:`~lossref.Newton`) have no rate to tune; the function must be the same at each call, though, not that of
    another batch.

    Parameters
    ----------
    fun : callable
        ``fun(x)`` returns the value and the gradient, or with ``jac`` the value alone. It gets a copy of the point.
    x0 : array_like
        Where to start: an array of any shape, which is left as it is. All is computed in float64.
    method : optimizer, default ``LBFGS()``
        With its settings.
    jac : callable, optional
        ``jac(x)`` returns the gradient, of the shape of ``x``.
    hess : callable, optional
        ``hess(x)`` returns the Hessian, of the shape ``(n, n)`` for ``n`` elements; for :class:`~lossref.Newton`.
    tol : float >= 0, default 1e-5
        Stop where no element of the gradient is larger.
    ftol : float >= 0, default 0.0
        Stop after a step that changes the value by no more than this, relative to it or to 1 if that is larger. With 0
        such a step is no reason to stop.
    max_steps : int >= 0, default 10000
        The most steps.
    max_evaluations : int >= 0, optional
        The most evaluations of the value; the step that passes the number is finished.
    callback : callable, optional
        Called with a ``Step`` at the start and after each step; a true answer ends the minimization.
    keep_points : bool, default False
        Whether the history has the points.
    progress : bool, default False
        Whether to tell on the terminal (stderr) how far it has come.

    Returns
    -------
    Minimum
        The point, and how it was found.

    Raises
    ------
    TypeError
        If an argument, or what a function returns, is of the wrong kind.
    ValueError
        If a number is out of range, shapes differ, or the function is not finite at ``x0``.

    Notes
    -----
    A gradient of zero is that of a minimum, a maximum or a saddle: the status ``"gradient"`` does not tell which, but
    ``lossref.training.classify_critical_point`` does.

    ``"no step"`` near a minimum means as a rule that ``tol`` asks for more than float64 has: the value no longer
    changes by more than its rounding. The message has the gradient's size.

    Examples
    --------
    >>> import lossref
    >>> from lossref.landscapes import Rosenbrock
    >>> valley = Rosenbrock()
    >>> found = lossref.minimize(valley.value_and_grad, valley.start)
    >>> found.status, found.x.round(4), found.nfev
    ('gradient', array([1., 1.]), 45)
    >>> found = lossref.minimize(valley.value_and_grad, valley.start, method=lossref.Adam(lr=0.1), max_steps=100)
    >>> found.message
    'the budget of 100 steps is used up; the largest element of the gradient is 2.12'
    """
    owner = "minimize"
    problem = Problem(fun, jac, hess, owner=owner)
    if not isinstance(method, Optimizer | SecondOrder):
        raise TypeError(f"{owner}: method must be an optimizer, such as lossref.LBFGS(), got {method!r}")
    if callback is not None and not callable(callback):
        raise TypeError(f"{owner}: callback must be a function, got {type(callback).__name__}")
    tol, ftol = tolerance.check(owner, "tol", tol), tolerance.check(owner, "ftol", ftol)
    max_steps = budget.check(owner, "max_steps", max_steps)
    most = math.inf if max_evaluations is None else budget.check(owner, "max_evaluations", max_evaluations)
    bar = Bar(method, max_steps) if progress else None
    points: list[Array] = []
    rows: list[tuple[float, float, float]] = []
    for step, (x, value, grad, rate, failure) in enumerate(walk(method, problem, as_point(owner, "x0", x0))):
        size = largest(grad)
        gradient = f"the largest element of the gradient is {size:.3g}"
        if failure:
            status, message = "no step", f"{failure}; {gradient}"
            break
        if not math.isfinite(value + size):
            status, message = "not finite", f"step {step} leads to a value of {value}, or a gradient of {size}"
            break
        last = x, value, grad
        change = abs(value - rows[-1][0]) if rows else math.inf
        rows.append((value, size, rate))
        if keep_points:
            points.append(x)
        if bar:
            bar.show(step, value, size)
        asked = callback is not None and callback(Step(step, x.copy(), value, grad.copy(), rate))
        if size <= tol:
            status, message = "gradient", f"{gradient}, at most tol={tol:g}"
        elif ftol and change <= ftol * max(1.0, abs(value)):
            status, message = "change", f"the value changed by {change:.3g} in the last step"
        elif asked:
            status, message = "callback", f"the callback asked for it after step {step}"
        elif step >= max_steps:
            status, message = "budget", f"the budget of {max_steps} steps is used up; {gradient}"
        elif problem.nfev >= most:
            status, message = "budget", f"the budget of {most} evaluations is used up; {gradient}"
        else:
            continue
        break
    if bar:
        bar.show(len(rows) - 1, *rows[-1][:2], last=f" {status}\n")
    values, gradients, rates = np.array(rows).T.copy()
    return Minimum(
        x=last[0],
        fun=last[1],
        grad=last[2],
        success=status in ("gradient", "change"),
        status=status,
        message=message,
        nit=len(rows) - 1,
        nfev=problem.nfev,
        njev=problem.njev,
        nhev=problem.nhev,
        history=History(
            values=values, gradients=gradients, rates=rates, points=np.array(points) if keep_points else None
        ),
    )
