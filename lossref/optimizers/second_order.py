"""Second-order methods: steps that know of the curvature, and searches that decide how far to go.

They need values besides gradients, so that they have another interface than the optimizers of a gradient: ``start``
looks at the first point, ``advance`` goes on to the next, and :func:`lossref.minimize` calls both.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lossref._arrays import Array
from lossref._parameters import choice, positive
from lossref._tensors import State
from lossref.optimizers.line_search import ROUNDING, Line, backtrack
from lossref.optimizers.problem import Problem, as_point, is_finite, quiet

#: How many steps a search along a line tries before it gives up.
TRIES = 30
EPS = float(np.finfo(np.float64).eps)


@dataclass(eq=False, kw_only=True)
class Iterate(State):
    """Where a method of second order has come to, and what it remembers; ``start`` makes it, ``advance`` moves it on.

    It is plain data: print it, pickle it, copy it. A run resumed from it gives the same bits as one that was never
    interrupted.

    Attributes
    ----------
    optimizer : str
        Whose state it is.
    step : int
        How many steps have been taken.
    buffers : dict
        By name, what is remembered of earlier steps.
    x : numpy.ndarray
        The point.
    value : float
        The value there.
    grad : numpy.ndarray
        The gradient there.
    rate : float
        How far the last step went: its length in units of the direction, or of the trust region the radius.
    skipped : int
        How many updates of the curvature were left out, because along the step it was not positive.
    restarts : int
        How often all memory was dropped, because the direction that it gave did not lead down, or no step along it did.
    failure : str
        Why the last call of ``advance`` found no step; empty if it found one.
    """

    x: Array
    value: float
    grad: Array
    rate: float = 0.0
    skipped: int = 0
    restarts: int = 0
    failure: str = ""


@dataclass(frozen=True, kw_only=True)
class SecondOrder:
    """A method that looks for the next point by itself: ``start`` and ``advance``.

    A subclass gives ``buffers(x)``, what it remembers at the start, and ``_move(problem, state)``, the step.
    """

    #: Settings under which the laws are tested.
    samples: ClassVar[tuple[dict[str, Any], ...]] = ({},)

    if TYPE_CHECKING:  # made in __post_init__
        _family: ClassVar[str]

    def __post_init__(self) -> None:
        owner = type(self).__name__
        for field in dataclasses.fields(self):
            value = field.metadata["range"].check(owner, field.name, getattr(self, field.name))
            object.__setattr__(self, field.name, value)
        object.__setattr__(self, "_family", repr(self))

    @quiet
    def start(self, problem: Problem, x0: Any) -> Iterate:
        """Look at the first point.

        Parameters
        ----------
        problem : Problem
            What is to be minimized.
        x0 : array_like
            The point; it is copied.

        Returns
        -------
        Iterate
            The state to give to :meth:`advance`.

        Raises
        ------
        TypeError, ValueError
            If the point is not one of finite numbers, or the function returns something else than a value and a
            gradient, or either is not finite.
        """
        owner = type(self).__name__
        if not isinstance(problem, Problem):
            raise TypeError(
                f"{owner}: problem must be a Problem, got {type(problem).__name__}; make one of the function"
            )
        x = as_point(owner, "x0", x0)
        value, grad = problem.value_and_grad(x)
        if not is_finite(value, grad):
            raise ValueError(f"{owner}: at x0 the value is {value} and not all is finite; start from another point")
        return Iterate(optimizer=self._family, step=0, buffers=self.buffers(x), x=x, value=value, grad=grad)

    @quiet
    def advance(self, problem: Problem, state: Iterate) -> None:
        """Take one step: find the next point, and change the state to it.

        Parameters
        ----------
        problem : Problem
            What is to be minimized, as at the start.
        state : Iterate
            What :meth:`start` returned. If no step is found it stays where it is, and ``failure`` says why.

        Raises
        ------
        TypeError, ValueError
            If the state belongs to something else.
        """
        owner = type(self).__name__
        if not isinstance(state, Iterate):
            raise TypeError(f"{owner}: state must be what start(problem, x0) returned, got {type(state).__name__}")
        if state.optimizer != self._family:
            raise ValueError(f"{owner}: state belongs to {state.optimizer}, not to {self._family}; start anew")
        state.failure = self._move(problem, state)

    def buffers(self, x: Array) -> dict[str, Any]:
        """What is remembered at the start."""
        return {}

    def _move(self, problem: Problem, state: Iterate) -> str:
        """Bring the state to the next point, or say why there is none."""
        raise NotImplementedError


def arrive(state: Iterate, x: Array, value: float, grad: Array, rate: float) -> None:
    """Bring the state to a new point."""
    state.x, state.value, state.grad, state.rate, state.step = x, value, grad, rate, state.step + 1


@dataclass(frozen=True, kw_only=True)
class Newton(SecondOrder):
    r"""Newton's method: go to the bottom of the parabola that has the value, the slope and the curvature of this point.

    .. math::

       H d = -\nabla f(x), \qquad x \leftarrow x + t \, d

    On a quadratic that is the minimum, in one step, whatever its condition: the Hessian :math:`H` knows the shape of
    the valley. Near a minimum of a smooth function the number of right digits doubles with every step. The price is
    :math:`H` itself, :math:`n^2` numbers, and a system of :math:`n` equations, about :math:`n^3` operations a step.

    Far from a minimum the parabola is wrong, and where :math:`H` has a negative eigenvalue its resting point is no
    minimum at all: the pure method walks into saddles and up to maxima. The two others look after that.

    Parameters
    ----------
    kind : {"damped", "trust region", "pure"}, default "damped"
        ``"damped"``: where :math:`H` is not positive definite its eigenvalues are replaced by their absolute values, so
        that directions of negative curvature are walked down; the step is halved until the value falls
        (:func:`~lossref.training.backtracking`). ``"trust region"``: the step minimizes the quadratic model within a
        radius, which grows where the model predicts well and shrinks where it does not. ``"pure"``: the step as it
        is, :math:`t = 1`.
    radius : float > 0, default 1.0
        The first radius of the trust region.

    Raises
    ------
    TypeError, ValueError
        If a setting is of the wrong kind, or out of range.

    Notes
    -----
    The trust region's step is exact: with the eigenvalues :math:`\lambda_i` of :math:`H`,

    .. math::

       d(\mu) = -(H + \mu I)^{-1} \nabla f(x), \qquad \lVert d(\mu) \rVert = \Delta, \qquad
       \mu > \max(0, -\min_i \lambda_i)

    is one equation in the number :math:`\mu`, solved by Newton's method for the inverse of the length, which is almost
    linear in :math:`\mu`. If the gradient has no part along the lowest eigenvector (the "hard case": at a saddle, seen
    from its ridge), that vector is added to the step up to the radius; so ``advance`` of this kind leaves even a point
    where the gradient is zero. (:func:`lossref.minimize` stops there.)

    References
    ----------
    J. J. Moré and D. C. Sorensen, "Computing a trust region step", *SIAM Journal on Scientific and Statistical
    Computing* 4, 1983.

    Y. Dauphin, R. Pascanu, C. Gulcehre, K. Cho, S. Ganguli, Y. Bengio, "Identifying and attacking the saddle point
    problem in high-dimensional non-convex optimization", *Advances in Neural Information Processing Systems* 27, 2014.

    J. Nocedal and S. J. Wright, *Numerical Optimization*, 2nd edition, Springer, 2006,
    chapters 3 and 4.

    Examples
    --------
    >>> import lossref
    >>> from lossref.landscapes import Ravine
    >>> ravine = Ravine(curvature=1000.0)
    >>> found = lossref.minimize(ravine.value_and_grad, [3.0, 1.0], hess=ravine.hessian, method=lossref.Newton())
    >>> found.nit, found.fun
    (1, 0.0)
    """

    kind: str = choice("damped", ("damped", "trust region", "pure"))
    radius: float = positive(1.0)

    samples = ({}, {"kind": "trust region"}, {"kind": "trust region", "radius": 0.01}, {"kind": "pure"})

    def buffers(self, x: Array) -> dict[str, Any]:
        return {"radius": self.radius} if self.kind == "trust region" else {}

    def _move(self, problem: Problem, state: Iterate) -> str:
        hessian = problem.hessian(state.x)
        if not np.isfinite(hessian).all():
            return "the Hessian is not finite"
        if self.kind == "trust region":
            return self._trust(problem, state, hessian)
        return (self._pure if self.kind == "pure" else self._damped)(problem, state, hessian)

    def _pure(self, problem: Problem, state: Iterate, hessian: Array) -> str:
        try:
            d = -np.linalg.solve(hessian, state.grad.ravel())
        except np.linalg.LinAlgError:
            return "the Hessian is singular"
        x = state.x + d.reshape(state.x.shape)
        value, grad = problem.value_and_grad(x)
        if (x == state.x).all():
            return "the step is too short to change x"
        if not is_finite(value, grad):
            return f"the step leads to a value of {value}, or to a gradient that is not finite"
        arrive(state, x, value, grad, 1.0)
        return ""

    def _damped(self, problem: Problem, state: Iterate, hessian: Array) -> str:
        g = state.grad.ravel()
        try:
            np.linalg.cholesky(hessian)
            d = -np.linalg.solve(hessian, g)
        except np.linalg.LinAlgError:
            curvatures, axes = np.linalg.eigh(hessian)
            sizes = np.abs(curvatures)
            d = -axes @ ((g @ axes) / np.maximum(sizes, math.sqrt(EPS) * sizes.max() or 1.0))
        slope = float(g @ d)
        if not slope < 0:
            return f"Newton's direction does not lead down: the slope along it is {slope:.3g}"
        line = Line(problem, state.x, state.value, state.grad, d.reshape(state.x.shape), slope)
        if not backtrack(line, 1.0, 0.5, 1e-4, TRIES).success:
            return line.message
        rate, x, value, grad, _ = line.found
        arrive(state, x, value, grad, rate)
        return ""

    def _trust(self, problem: Problem, state: Iterate, hessian: Array) -> str:
        curvatures, axes = np.linalg.eigh(hessian)
        slopes = state.grad.ravel() @ axes
        radius = state.buffers["radius"]
        noise = ROUNDING * abs(state.value)
        for _ in range(TRIES):
            d = within(curvatures, slopes, radius)
            length = float(np.linalg.norm(d))
            promised = -float(d @ (slopes + 0.5 * curvatures * d))
            if not promised > 0:
                return "the model promises no fall"
            x = state.x + (axes @ d).reshape(state.x.shape)
            if (x == state.x).all():
                break
            value, grad = problem.value(x)
            gained = state.value - value
            # where both are rounding, the quotient says nothing of the model
            kept = 1.0 if promised <= noise and abs(gained) <= noise else gained / promised
            if kept > 1e-4 and math.isfinite(value):
                grad = problem.grad(x) if grad is None else grad
                if is_finite(value, grad):
                    grown = 2 * radius if kept > 0.75 and length > 0.99 * radius else radius
                    state.buffers["radius"] = length / 4 if kept < 0.25 else grown
                    arrive(state, x, value, grad, radius)
                    return ""
            radius = length / 4
        return f"no step lowers the value, down to a radius of {radius:.3g}"


def within(curvatures: Array, slopes: Array, radius: float) -> Array:
    """The minimum of a quadratic model within a radius, in the axes of its curvatures, which ascend."""
    lowest = curvatures[0]
    if lowest > 0:
        d = -slopes / curvatures
        if np.linalg.norm(d) <= radius:
            return d
    least = max(0.0, -lowest)
    scale = max(np.abs(curvatures).max(), float(np.linalg.norm(slopes)) / radius)
    flat = curvatures + least <= 4 * EPS * scale
    d = np.where(flat, 0.0, -slopes / np.where(flat, 1.0, curvatures + least))
    left = radius**2 - float(d @ d)
    if np.linalg.norm(slopes[flat]) <= EPS * np.linalg.norm(slopes) and left >= 0:  # the hard case
        if lowest < -4 * EPS * scale:
            d[0] = math.copysign(math.sqrt(left), -slopes[0])
        return d
    # 1/‖d(μ)‖ is concave and nearly straight: Newton's steps from the left of the root do not overshoot
    mu = max(least, float(np.max(np.abs(slopes) / radius - curvatures)))
    for _ in range(50):
        shifted = curvatures + mu
        shifted[shifted <= 0] = math.inf  # an axis along which the slope is zero
        d = -slopes / shifted
        length = float(np.linalg.norm(d))
        if length <= radius * (1 + 1e-10):
            break
        mu += (length / radius - 1) * length**2 / float(d @ (d / shifted))
    return d
