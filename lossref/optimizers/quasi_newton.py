"""Quasi-Newton methods and conjugate gradients: curvature learned from gradients alone, along the way."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossref._arrays import Array
from lossref._parameters import choice, count, inner
from lossref.optimizers.line_search import Line, wolfe
from lossref.optimizers.problem import Problem
from lossref.optimizers.second_order import EPS, TRIES, Iterate, SecondOrder, arrive


@dataclass(frozen=True, kw_only=True)
class Searching(SecondOrder):
    """What searches along a line for a step that satisfies the strong Wolfe conditions.

    A subclass gives ``buffers(x)``; ``_direction(state)``, which is None while nothing is known of the curvature; and
    ``_learn(state, line)``, which brings the memory forward by a step that is about to be taken.
    """

    c1: float = inner(1e-4)
    c2: float = inner(0.9)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.c1 >= self.c2:
            raise ValueError(f"{type(self).__name__}: c1 must be below c2, got c1={self.c1!r}, c2={self.c2!r}")

    def _move(self, problem: Problem, state: Iterate) -> str:
        direction = self._direction(state)
        if direction is not None:
            slope = float(np.vdot(state.grad, direction))
            if slope < 0 and self._go(problem, state, direction, slope, self._first_step(state, slope)).found[0] > 0:
                return ""
            state.restarts += 1
            state.buffers = self.buffers(state.x)
        slope = -float(np.vdot(state.grad, state.grad))
        if not slope < 0:
            return "the gradient is zero"
        line = self._go(problem, state, -state.grad, slope, min(1.0, 1 / math.sqrt(-slope)))
        return "" if line.found[0] > 0 else line.message

    def _go(self, problem: Problem, state: Iterate, direction: Array, slope: float, step: float) -> Line:
        """Search in a direction and go to where a step was found."""
        line = Line(problem, state.x, state.value, state.grad, direction, slope)
        rate, x, value, grad, _ = wolfe(line, step, self.c1, self.c2, TRIES).found
        if rate > 0:
            self._learn(state, line)
            arrive(state, x, value, grad, rate)
        return line

    def _first_step(self, state: Iterate, slope: float) -> float:
        """The step that a search tries first: a direction that knows the curvature has the right length."""
        return 1.0

    def _direction(self, state: Iterate) -> Array | None:
        raise NotImplementedError

    def _learn(self, state: Iterate, line: Line) -> None:
        raise NotImplementedError


def pair(state: Iterate, line: Line) -> tuple[Array, Array, float] | None:
    """A step, the change of the gradient along it, and their product; None, and counted, if that is not positive."""
    step, _, _, grad, slope = line.found
    product = step * (slope - line.slope)
    if product > -EPS * step * line.slope:
        return step * line.direction.ravel(), (grad - state.grad).ravel(), product
    state.skipped += 1
    return None


@dataclass(frozen=True, kw_only=True)
class BFGS(Searching):
    r"""BFGS: Newton's method with an inverse Hessian that is learned from the gradients seen on the way.

    .. math::

       d = -H \nabla f(x), \qquad
       H \leftarrow \left(I - \frac{s y^\top}{y^\top s}\right) H \left(I - \frac{y s^\top}{y^\top s}\right)
       + \frac{s s^\top}{y^\top s}

    A step :math:`s` that changes the gradient by :math:`y` tells one thing about the curvature: the inverse Hessian
    takes :math:`y` to :math:`s`. Of all symmetric matrices that say so, the new :math:`H` is the one nearest to the
    old, in a norm weighted by the mean Hessian along the step. On a quadratic in :math:`n` dimensions, with exact line
    searches, it is the inverse Hessian after :math:`n` steps; elsewhere the method converges faster than any geometric
    series, without one second derivative. It stores :math:`n^2` numbers and needs as many operations a step: a method
    for some thousand parameters, beyond which :class:`LBFGS` takes over.

    Parameters
    ----------
    c1 : float in (0, 1), default 1e-4
        The share of the promised fall that a step must keep (see :func:`~lossref.training.strong_wolfe`).
    c2 : float in (0, 1), default 0.9
        The share of the slope that may be left after it; above ``c1``.

    Raises
    ------
    TypeError, ValueError
        If a setting is of the wrong kind, or out of range.

    Notes
    -----
    :math:`H` stays positive definite as long as :math:`y^\top s > 0`, which the strong Wolfe conditions see to. Where a
    search ended without them and the product is not positive, the update is left out and counted (``skipped``). The
    first :math:`H` is the identity times :math:`y^\top s / y^\top y` of the first step, so that it has the scale of
    the problem before anything is added to it.

    References
    ----------
    C. G. Broyden, "The convergence of a class of double-rank minimization algorithms", *IMA Journal of Applied
    Mathematics* 6, 1970; R. Fletcher, *The Computer Journal* 13, 1970; D. Goldfarb, *Mathematics of Computation* 24,
    1970; D. F. Shanno, *Mathematics of Computation* 24, 1970.

    J. Nocedal and S. J. Wright, *Numerical Optimization*, 2nd edition, Springer, 2006,
    chapter 6.

    Examples
    --------
    >>> import lossref
    >>> from lossref.landscapes import Ravine
    >>> ravine = Ravine(curvature=1000.0)
    >>> found = lossref.minimize(ravine.value_and_grad, [3.0, 1.0], method=lossref.BFGS())
    >>> found.success, found.nit < 12, bool(abs(found.x).max() < 1e-5)
    (True, True, True)
    """

    def buffers(self, x: Array) -> dict[str, Any]:
        return {"inverse": None}

    def _direction(self, state: Iterate) -> Array | None:
        inverse = state.buffers["inverse"]
        return None if inverse is None else -(inverse @ state.grad.ravel()).reshape(state.x.shape)

    def _learn(self, state: Iterate, line: Line) -> None:
        learned = pair(state, line)
        if learned is None:
            return
        s, y, product = learned
        inverse = state.buffers["inverse"]
        if inverse is None:
            inverse = np.eye(s.size) * (product / float(y @ y))
        seen = inverse @ y
        # the product of three matrices, multiplied out: two outer products, each the other's transpose
        half = np.outer(0.5 * (1 + float(y @ seen) / product) * s - seen, s / product)
        state.buffers["inverse"] = inverse + (half + half.T)


@dataclass(frozen=True, kw_only=True)
class LBFGS(Searching):
    r"""L-BFGS: BFGS that remembers the last steps instead of a matrix.

    .. math::

       d = -H_k \nabla f(x), \qquad H_{k-m} = \frac{y_{k-1}^\top s_{k-1}}{y_{k-1}^\top y_{k-1}} I

    .. math::

       H_{i+1} = \left(I - \frac{s_i y_i^\top}{y_i^\top s_i}\right) H_i
       \left(I - \frac{y_i s_i^\top}{y_i^\top s_i}\right) + \frac{s_i s_i^\top}{y_i^\top s_i}

    The matrix of :class:`BFGS` is never needed, only its product with the gradient, and that follows from the
    :math:`m` last steps :math:`s_i` and the changes :math:`y_i` of the gradient along them: the two-loop recursion,
    from the latest to the oldest and back. It costs :math:`4 m n` multiplications and :math:`2 m n` numbers of memory;
    with :math:`m = 10` that is little beside most gradients. It is the method for smooth functions of many parameters
    whose gradient is computed on all data. In the noise of batches the changes of the gradient tell of the batch, not
    of the curvature.

    Parameters
    ----------
    memory : int >= 1, default 10
        How many steps :math:`m` are remembered.
    c1 : float in (0, 1), default 1e-4
        The share of the promised fall that a step must keep (see :func:`~lossref.training.strong_wolfe`).
    c2 : float in (0, 1), default 0.9
        The share of the slope that may be left after it; above ``c1``.

    Raises
    ------
    TypeError, ValueError
        If a setting is of the wrong kind, or out of range.

    Notes
    -----
    The recursion is computed as what it is, two triangular systems. Let the rows of :math:`S` and :math:`Y` be the
    steps and the changes, and :math:`R` the upper triangle of :math:`S Y^\top`. The first loop solves
    :math:`R \alpha = S \nabla f`, the second :math:`R^\top (\alpha - \beta) = D \alpha - \gamma Y q` with
    :math:`q = \nabla f - Y^\top \alpha`, the diagonal :math:`D` of :math:`R` and the scale :math:`\gamma` of the first
    matrix. The inverse of :math:`R` is kept: a new step adds a column to it, and one that is forgotten takes its row
    and column away. So the loops become a few products of a matrix with a vector, and neither order nor age of the rows
    matters.

    PyTorch's ``LBFGS`` remembers 100 steps, searches along its direction only if told ``line_search_fn="strong_wolfe"``
    (else it takes ``lr`` times the direction), and leaves out an update where :math:`y^\top s \le 10^{-10}`, whatever
    the scale of the problem; here that is measured against the fall that the slope promised. Its one ``step`` is up to
    20 iterations. optax's ``lbfgs`` remembers 10 and searches.

    References
    ----------
    J. Nocedal, "Updating quasi-Newton matrices with limited storage", *Mathematics of Computation* 35, 1980.

    D. C. Liu and J. Nocedal, "On the limited memory BFGS method for large scale optimization", *Mathematical
    Programming* 45, 1989.

    R. H. Byrd, J. Nocedal, R. B. Schnabel, "Representations of quasi-Newton matrices and their use in limited memory
    methods", *Mathematical Programming* 63, 1994.

    Examples
    --------
    >>> import numpy as np
    >>> import lossref
    >>> curvatures = np.geomspace(1, 1000, 100)
    >>> found = lossref.minimize(lambda x: (x @ (curvatures * x) / 2, curvatures * x), np.ones(100))
    >>> found.status, found.fun < 1e-10
    ('gradient', True)
    """

    memory: int = count(10)

    samples = ({}, {"memory": 1}, {"memory": 3, "c2": 0.5})

    def buffers(self, x: Array) -> dict[str, Any]:
        m, n = self.memory, x.size
        return {
            "taken": 0,
            "steps": np.zeros((m, n)),
            "changes": np.zeros((m, n)),
            "inverse": np.zeros((m, m)),
            "products": np.zeros(m),
            "scale": 1.0,
        }

    def _direction(self, state: Iterate) -> Array | None:
        kept = state.buffers
        if kept["taken"] == 0:
            return None
        g, s, y, inverse = state.grad.ravel(), kept["steps"], kept["changes"], kept["inverse"]
        alpha = inverse.dot(s.dot(g))  # .dot, for @ takes half a microsecond longer, six times a step
        q = g - alpha.dot(y)
        q *= kept["scale"]
        q += (kept["products"] * alpha - y.dot(q)).dot(inverse).dot(s)
        direction: Array = np.negative(q, out=q).reshape(state.x.shape)
        return direction

    def _learn(self, state: Iterate, line: Line) -> None:
        learned = pair(state, line)
        if learned is None:
            return
        s, y, product = learned
        kept = state.buffers
        place = kept["taken"] % self.memory
        inverse = kept["inverse"]
        inverse[place] = inverse[:, place] = 0.0
        kept["steps"][place], kept["changes"][place], kept["products"][place] = s, y, product
        # the inverse of a triangle with a column more: the row and column of this place are still zero
        column = inverse.dot(kept["steps"].dot(y))
        column *= -1 / product
        column[place] = 1 / product
        inverse[:, place] = column
        kept["scale"] = product / float(y.dot(y))
        kept["taken"] += 1


#: How much of the last direction is kept: from the new gradient, the old one, their difference y, the direction d.
BETAS: dict[str, Callable[[Array, Array, Array, Array], float]] = {
    "PR+": lambda new, old, y, d: max(0.0, float(new @ y) / float(old @ old)),
    "FR": lambda new, old, y, d: float(new @ new) / float(old @ old),
    "HS": lambda new, old, y, d: float(new @ y) / float(d @ y),
    "DY": lambda new, old, y, d: float(new @ new) / float(d @ y),
    "HZ": lambda new, old, y, d: hager_zhang(new, old, y, d),
}


def hager_zhang(new: Array, old: Array, y: Array, d: Array) -> float:
    """The choice of Hager and Zhang, with the bound below which it must not fall."""
    product = float(d @ y)
    beta = (float(y @ new) - 2 * float(d @ new) * float(y @ y) / product) / product
    bound = -1 / (math.sqrt(float(d @ d)) * min(0.01, math.sqrt(float(old @ old))))
    return max(beta, bound)


@dataclass(frozen=True, kw_only=True)
class ConjugateGradient(Searching):
    r"""Nonlinear conjugate gradients: each direction keeps as much of the last one as not to undo its work.

    .. math::

       d_{k+1} = -g_{k+1} + \beta_k d_k, \qquad y_k = g_{k+1} - g_k

    .. math::

       \beta_k^{\mathrm{PR+}} = \max\!\left(0, \frac{g_{k+1}^\top y_k}{g_k^\top g_k}\right), \quad
       \beta_k^{\mathrm{FR}} = \frac{g_{k+1}^\top g_{k+1}}{g_k^\top g_k}, \quad
       \beta_k^{\mathrm{HS}} = \frac{g_{k+1}^\top y_k}{d_k^\top y_k}, \quad
       \beta_k^{\mathrm{DY}} = \frac{g_{k+1}^\top g_{k+1}}{d_k^\top y_k}

    Momentum with a share that is computed instead of chosen. On a quadratic with exact line searches all choices are
    the same: the directions are conjugate, each minimizes along itself for good, and after :math:`n` steps nothing is
    left to do. The memory is one direction, and a step costs a few products of vectors; there is no cheaper method
    that knows of curvature.

    Parameters
    ----------
    beta : {"PR+", "FR", "HS", "DY", "HZ"}, default "PR+"
        The share of the last direction that is kept: Polak and Ribière's, where it is positive; Fletcher and Reeves';
        Hestenes and Stiefel's; Dai and Yuan's; Hager and Zhang's.
    c1 : float in (0, 1), default 1e-4
        The share of the promised fall that a step must keep (see :func:`~lossref.training.strong_wolfe`).
    c2 : float in (0, 1), default 0.1
        The share of the slope that may be left after it; above ``c1``. Conjugacy lives on good line searches.

    Raises
    ------
    TypeError, ValueError
        If a setting is of the wrong kind, or out of range.

    Notes
    -----
    Away from a quadratic the choices differ. After a step that hardly moved, :math:`y_k` is small: Polak and Ribière's
    share becomes 0, a restart along the gradient, while Fletcher and Reeves' stays near 1 and the bad direction
    remains. A direction that does not lead down is replaced by the gradient's and counted (``restarts``). The first
    step tried is the last one, times the quotient of the two slopes.

    Hager and Zhang's share is
    :math:`(y_k - 2 d_k \, y_k^\top y_k / d_k^\top y_k)^\top g_{k+1} / d_k^\top y_k`, bounded from below by
    :math:`-1 / (\lVert d_k \rVert \min(0.01, \lVert g_k \rVert))`.

    References
    ----------
    M. R. Hestenes and E. Stiefel, "Methods of conjugate gradients for solving linear systems", *Journal of Research of
    the National Bureau of Standards* 49, 1952.

    R. Fletcher and C. M. Reeves, "Function minimization by conjugate gradients",
    *The Computer Journal* 7, 1964.

    E. Polak and G. Ribière, "Note sur la convergence de méthodes de directions conjuguées", *Revue française
    d'informatique et de recherche opérationnelle* 3, 1969.

    Y. H. Dai and Y. Yuan, "A nonlinear conjugate gradient method with a strong global convergence property", *SIAM
    Journal on Optimization* 10, 1999.

    W. W. Hager and H. Zhang, "A new conjugate gradient method with guaranteed descent and an efficient line search",
    *SIAM Journal on Optimization* 16, 2005.

    Examples
    --------
    >>> import numpy as np
    >>> import lossref
    >>> curvatures = np.array([1.0, 10.0, 100.0, 1000.0])
    >>> exact = lossref.ConjugateGradient(c1=1e-12, c2=1e-10)  # the minimum along each line
    >>> found = lossref.minimize(lambda x: (x @ (curvatures * x) / 2, curvatures * x), np.ones(4), method=exact)
    >>> found.nit, found.status
    (4, 'gradient')
    """

    beta: str = choice("PR+", tuple(BETAS))
    c2: float = inner(0.1)

    samples = ({}, *({"beta": name} for name in ("FR", "HS", "DY", "HZ")))

    def buffers(self, x: Array) -> dict[str, Any]:
        return {"direction": None, "share": 0.0, "slope": 0.0}

    def _direction(self, state: Iterate) -> Array | None:
        last = state.buffers["direction"]
        if last is None:
            return None
        direction: Array = state.buffers["share"] * last - state.grad
        return direction

    def _first_step(self, state: Iterate, slope: float) -> float:
        guess: float = state.rate * state.buffers["slope"] / slope
        return min(max(guess, 1e-10), 1e10)  # a quotient of slopes may be anything

    def _learn(self, state: Iterate, line: Line) -> None:
        new, old, d = line.found[3].ravel(), state.grad.ravel(), line.direction.ravel()
        y = new - old
        along = float(d @ y) > 0  # which the strong Wolfe conditions see to, and three of the choices divide by
        share = BETAS[self.beta](new, old, y, d) if along else 0.0
        state.skipped += not along
        state.buffers = {"direction": line.direction, "share": share, "slope": line.slope}
