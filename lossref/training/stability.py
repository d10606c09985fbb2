"""Theory that can be checked: on a quadratic a step is a matrix, and its eigenvalues say what will happen."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossref import symbolic as sp
from lossref._arrays import Array, as_floats
from lossref.optimizers.base import Optimizer
from lossref.optimizers.descent import SGD


@dataclass(frozen=True)
class LinearStep:
    """A step on a quadratic as a matrix, in numbers: functions of the curvature, the rate, and the other settings."""

    size: int
    settings: tuple[str, ...]
    entries: Callable[..., list[Any]]
    #: The coefficients of three polynomials in the rate, one of which is 0 where an eigenvalue leaves the unit circle.
    leaving: Callable[..., list[list[float]]]

    def matrices(self, optimizer: Optimizer, h: Any, lr: float) -> Array:
        """The matrices for curvatures of any shape, in the last two axes."""
        h = np.asarray(h)
        filled = [np.broadcast_to(entry, h.shape) for entry in self.entries(h, lr, *self.numbers(optimizer))]
        return np.stack(filled, axis=-1).reshape(*h.shape, self.size, self.size)

    def numbers(self, optimizer: Optimizer) -> list[float]:
        """The other settings."""
        return [getattr(optimizer, name) for name in self.settings]


@functools.cache
def read_formula(kind: Any, choices: tuple[tuple[str, Any], ...], letters: tuple[str, ...]) -> Any:
    """The step of one form of an optimizer as a :class:`LinearStep`, from its formula; None if it is not linear."""
    given = dict(choices)
    fields = [field.name for field in dataclasses.fields(kind)]
    symbols = {name: sp.Symbol(name, real=True) for name in inspect.signature(kind.formula).parameters}
    arguments = symbols | given | {"g": sp.Symbol("h") * symbols["theta"]}
    arguments |= {name: 0 for name in symbols if name not in (*fields, *letters, "g", "t")}  # not used in this form
    remembered = [symbols[letter] for letter in letters]
    found = []
    for t in (2, 3):  # the first step may be another, as that of a velocity with dampening is
        if "t" in symbols:
            arguments["t"] = sp.Integer(t)
        updates = kind.formula(**arguments)
        try:
            rows = [sp.Poly(updates[letter], *remembered) for letter in letters]
        except sp.PolynomialError:
            return None
        if any(row.total_degree() > 1 or row.coeff_monomial(1) != 0 for row in rows):
            return None
        found.append(sp.Matrix([[row.coeff_monomial(symbol) for symbol in remembered] for row in rows]))
    first, matrix = found
    if first != matrix:
        return None
    settings = tuple(name for name in fields if name in symbols and name not in given and name != "lr")
    numbers = [sp.Symbol("h"), *(symbols[name] for name in settings)]
    one, lr = sp.eye(len(letters)), symbols["lr"]
    equations = (one - matrix).det(), (one + matrix).det(), matrix.det() - 1
    return LinearStep(
        len(letters),
        settings,
        sp.lambdify([numbers[0], lr, *numbers[1:]], list(matrix), "numpy"),
        sp.lambdify(numbers, [sp.Poly(equation, lr).all_coeffs() for equation in equations], "numpy"),
    )


def linear_step(owner: str, optimizer: Any) -> LinearStep:
    """The step of an optimizer on a quadratic, or the error that says why there is none."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{owner}: optimizer must be an optimizer, got {type(optimizer).__name__}")
    symbol: type = sp.Symbol
    kind: Any = type(optimizer)
    choices = tuple((name, value) for name, value in optimizer.arguments().items() if not isinstance(value, symbol))
    step: LinearStep | None = read_formula(kind, choices, ("theta", *optimizer.buffers()))
    if step is None:
        raise ValueError(
            f"{owner}: a step of {kind.__name__} is not linear in what it remembers, or not always the "
            "same: no matrix says where it leads. SGD has one, in all its forms"
        )
    return step


def matrices(owner: str, optimizer: Any, curvature: Any) -> Array:
    """The step matrices for curvatures of any shape, in the last two axes."""
    step = linear_step(owner, optimizer)
    if not isinstance(optimizer.lr, float):
        raise ValueError(f"{owner}: lr is a schedule, {optimizer.lr!r}; give a number: the rate of one step")
    return step.matrices(optimizer, as_floats(owner, "curvature", curvature).astype(np.float64), optimizer.lr)


def check_curvature(owner: str, name: str, value: Any) -> float:
    """A finite number above 0."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(f"{owner}: {name} must be a number > 0, got {value!r} of type {type(value).__name__}")
    if not 0 < value < math.inf:
        raise ValueError(f"{owner}: {name} must be a finite number > 0, got {value!r}")
    return float(value)


def step_matrix(optimizer: Optimizer, curvature: float) -> Array:
    r"""Return the matrix that one step of an optimizer is on a quadratic.

    On :math:`f(\theta) = \tfrac12 h \theta^2` the gradient is :math:`h \theta`, and a step that is linear in the
    gradient is a matrix: with momentum,

    .. math::

       \begin{pmatrix} \theta_t \\ v_t \end{pmatrix} =
       \begin{pmatrix} 1 - \eta h & -\eta \beta \\ h & \beta \end{pmatrix}
       \begin{pmatrix} \theta_{t-1} \\ v_{t-1} \end{pmatrix}

    It is read from the optimizer's own formula. A quadratic of many parameters falls apart into such numbers along its
    eigenvectors, one for each curvature.

    Parameters
    ----------
    optimizer : Optimizer
        One whose step is linear: ``SGD``, in all its forms. Its rate is a number.
    curvature : float or array_like
        The curvature :math:`h`, or many.

    Returns
    -------
    numpy.ndarray
        The matrix of a step after the first, over the parameter and then the buffers: of shape ``(k, k)``, or
        ``(..., k, k)`` for curvatures of shape ``(...)``.

    Raises
    ------
    TypeError
        If ``optimizer`` is none.
    ValueError
        If its step is not linear, or its rate a schedule.

    Examples
    --------
    >>> import lossref
    >>> from lossref.training import step_matrix
    >>> step_matrix(lossref.SGD(lr=0.25, momentum=0.5), 2.0)
    array([[ 0.5  , -0.125],
           [ 2.   ,  0.5  ]])
    """
    return matrices("step_matrix", optimizer, curvature)


def spectral_radius(optimizer: Optimizer, curvature: Any) -> Any:
    r"""Return the factor by which a step shrinks the distance from the minimum in the long run.

    It is the largest absolute eigenvalue of :func:`step_matrix`: below 1 the optimizer converges, above it diverges,
    and after :math:`t` steps the distance is of the size of :math:`\rho^t`, times :math:`t` where two eigenvalues meet.

    Parameters
    ----------
    optimizer : Optimizer
        One whose step is linear: ``SGD``, in all its forms. Its rate is a number.
    curvature : float or array_like
        The curvature, or many.

    Returns
    -------
    float or numpy.ndarray
        The factor, for each curvature.

    Notes
    -----
    Where two eigenvalues meet, the matrix has one eigenvector only, and they are found to half of the digits.

    Examples
    --------
    >>> import lossref
    >>> from lossref.training import spectral_radius
    >>> spectral_radius(lossref.SGD(lr=0.1), 1.0), spectral_radius(lossref.SGD(lr=0.1), 21.0)
    (0.9, 1.1)
    >>> print(f"{spectral_radius(lossref.SGD(lr=0.1, momentum=0.81), 1.0):.6f}")  # complex: the root of the momentum
    0.900000
    """
    radius = np.abs(np.linalg.eigvals(matrices("spectral_radius", optimizer, curvature))).max(axis=-1)
    return float(radius) if radius.ndim == 0 else radius


def largest_stable_rate(optimizer: Optimizer, curvature: float) -> float:
    r"""Return the rate up to which an optimizer converges on a quadratic, all its other settings being as they are.

    An eigenvalue leaves the unit circle at 1, at -1, or as one of a complex pair, whose product is 1. Each of these is
    an equation for the rate. For plain descent the answer is :math:`2 / h`; with momentum it is
    :math:`2 (1 + \beta) / h`, nearly twice that; with Nesterov's :math:`2 (1 + \beta) / ((1 + 2 \beta) h)`, which is
    less than without momentum.

    Parameters
    ----------
    optimizer : Optimizer
        One whose step is linear: ``SGD``, in all its forms. Its rate is not looked at.
    curvature : float > 0
        The curvature :math:`h`. Of many it is the highest that decides.

    Returns
    -------
    float
        The rate. At it, the optimizer neither converges nor diverges exponentially.

    Raises
    ------
    TypeError
        If ``optimizer`` is none, or ``curvature`` no number.
    ValueError
        If the step is not linear, or ``curvature`` not above 0.

    Examples
    --------
    >>> import lossref
    >>> from lossref.training import largest_stable_rate
    >>> largest_stable_rate(lossref.SGD(lr=1.0), 10.0)
    0.2
    >>> print(f"{largest_stable_rate(lossref.SGD(lr=1.0, momentum=0.9), 10.0):.3f}")
    0.380
    """
    owner = "largest_stable_rate"
    step = linear_step(owner, optimizer)
    height = check_curvature(owner, "curvature", curvature)
    equations = step.leaving(height, *step.numbers(optimizer))
    roots = [root for coefficients in equations for root in np.roots(coefficients)]
    borders = [0.0, *sorted({float(root.real) for root in roots if abs(root.imag) < 1e-9 * root.real})]
    for low, high in zip(borders, [*borders[1:], 2 * borders[-1] + 1], strict=True):
        if np.abs(np.linalg.eigvals(step.matrices(optimizer, height, (low + high) / 2))).max() > 1:
            return low
    return math.inf


@dataclass(frozen=True)
class Tuned:
    """The best settings for a quadratic, and what they bring.

    Attributes
    ----------
    optimizer : SGD
        With the best rate, and the best momentum where it has one.
    radius : float
        The factor by which the distance from the minimum shrinks in each step, in the long run.
    """

    optimizer: SGD
    radius: float


def tuned(method: str, lowest: float, highest: float) -> Tuned:
    r"""Return the best rate and momentum for a quadratic whose curvatures lie between two numbers.

    With curvatures from :math:`\mu` to :math:`L`:

    .. math::

       \begin{array}{llll}
           \text{descent} & \eta = \dfrac{2}{L + \mu} & & \rho = \dfrac{L - \mu}{L + \mu} \\[2ex]
           \text{momentum} & \eta = \dfrac{4}{(\sqrt L + \sqrt \mu)^2} &
               \beta = \left( \dfrac{\sqrt L - \sqrt \mu}{\sqrt L + \sqrt \mu} \right)^{2} & \rho = \sqrt \beta \\[2ex]
           \text{Nesterov} & \eta = \dfrac{4}{3 L + \mu} &
               \beta = \dfrac{\sqrt{3 L + \mu} - 2 \sqrt \mu}{\sqrt{3 L + \mu} + 2 \sqrt \mu} &
               \rho = 1 - \dfrac{2 \sqrt \mu}{\sqrt{3 L + \mu}}
       \end{array}

    For a condition number :math:`\kappa = L / \mu` descent takes some :math:`\kappa / 2` steps to shrink the distance
    by :math:`e`, the other two some :math:`\sqrt \kappa`: that is all the difference momentum makes on a quadratic, and
    it is much.

    Parameters
    ----------
    method : {"descent", "momentum", "nesterov"}
        Plain descent, Polyak's heavy ball, or Nesterov's method.
    lowest, highest : float > 0
        The lowest curvature :math:`\mu` and the highest :math:`L`.

    Returns
    -------
    Tuned
        The optimizer, and the factor by which each step shrinks the distance in the long run.

    Raises
    ------
    ValueError
        If the method is none of these, or the curvatures are not above 0 and in order.

    Notes
    -----
    The heavy ball's settings make the two eigenvalues meet at both ends of the spectrum, so that the distance falls
    like :math:`t \rho^t`. They are the best for quadratics; on other convex functions with the same bounds of curvature
    they may go round in a cycle for ever, and Nesterov's do not.

    References
    ----------
    B. T. Polyak, "Some methods of speeding up the convergence of iteration methods", *USSR Computational Mathematics
    and Mathematical Physics* 4, 1964.

    L. Lessard, B. Recht, A. Packard, "Analysis and design of optimization algorithms via integral quadratic
    constraints", *SIAM Journal on Optimization* 26, 2016, proposition 1 (Nesterov's settings) and section 4.6 (the
    cycle).

    Examples
    --------
    >>> from lossref.training import tuned
    >>> for method in ("descent", "momentum", "nesterov"):
    ...     best = tuned(method, 1.0, 100.0)
    ...     print(f"{method:9} rate {best.optimizer.lr:.4f}  momentum {best.optimizer.momentum:.3f}  {best.radius:.3f}")
    descent   rate 0.0198  momentum 0.000  0.980
    momentum  rate 0.0331  momentum 0.669  0.818
    nesterov  rate 0.0133  momentum 0.793  0.885
    """
    low, high = (check_curvature("tuned", name, h) for name, h in (("lowest", lowest), ("highest", highest)))
    if low > high:
        raise ValueError(f"tuned: lowest must be at most highest, got {low!r} and {high!r}")
    if method == "descent":
        return Tuned(SGD(lr=2 / (high + low)), (high - low) / (high + low))
    if method == "momentum":
        radius = (math.sqrt(high) - math.sqrt(low)) / (math.sqrt(high) + math.sqrt(low))
        return Tuned(SGD(lr=4 / (math.sqrt(high) + math.sqrt(low)) ** 2, momentum=radius * radius), radius)
    if method == "nesterov":
        root, least = math.sqrt(3 * high + low), 2 * math.sqrt(low)
        momentum = (root - least) / (root + least)
        return Tuned(SGD(lr=4 / (3 * high + low), momentum=momentum, nesterov=momentum > 0), 1 - least / root)
    raise ValueError(f"tuned: method must be 'descent', 'momentum' or 'nesterov', got {method!r}")
