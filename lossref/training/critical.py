"""Hessians that are looked at whole: is this one right, and what kind of point is it at?"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossref._arrays import Array, as_floats
from lossref.losses.check import COARSE, UNSURE, GradientReport, Slopes, compared, measured, named


def as_point(owner: str, x: Any) -> Array:
    """A point as one vector of finite numbers."""
    point = as_floats(owner, "x", x)
    if point.ndim != 1 or point.size == 0 or not np.isfinite(point).all():
        raise ValueError(f"{owner}: x must be a vector of finite numbers, got the shape {point.shape}")
    return np.array(point, point.dtype.newbyteorder("="))


def as_gradient(owner: str, grad: Callable[[Array], Any], point: Array) -> Array:
    """The gradient at a point, of its shape."""
    gradient = np.asarray(grad(point.copy()))
    if gradient.shape != point.shape:
        raise ValueError(f"{owner}: the gradient has shape {gradient.shape} but x has shape {point.shape}")
    return gradient


def measured_rows(owner: str, grad: Callable[[Array], Any], point: Array) -> Slopes:
    """The slopes of each element of a gradient, one row for each: the Hessian, and how sure each of its elements is."""
    seen: dict[bytes, Array] = {}

    def element(at: Array, row: int) -> float:
        key = at.tobytes()
        if key not in seen:
            try:
                seen[key] = as_gradient(owner, grad, at)
            except ArithmeticError:  # beside x the function may have no value
                seen[key] = np.full(point.shape, np.nan)
        return float(seen[key][row])

    places = np.arange(point.size)
    rows = [measured(lambda at, i=row: element(at, i), point, places) for row in places]  # type: ignore[misc]
    return Slopes(*(np.concatenate([getattr(row, name) for row in rows]) for name in vars(rows[0])))


def check_hessian(grad: Callable[[Any], Any], hessian: Callable[[Any], Any], x: Any) -> GradientReport:
    """Hold a Hessian against the gradient that it is said to be the slope of, and name the mistake if there is one.

    The slopes of each element of the gradient are measured as in :func:`lossref.check_gradient`, and how sure they are.
    It takes some hundred gradients and 34 more for each coordinate.

    Parameters
    ----------
    grad : callable
        The gradient: a function of a vector that returns one of the same shape.
    hessian : callable
        Its slopes: a function of a vector of n elements that returns a matrix of n rows and columns.
    x : array_like
        Where to compare, of shape ``(n,)``. Not where a symmetry hides mistakes.

    Returns
    -------
    GradientReport
        True if the Hessian is right. Its ``verdict`` is ``"right"``, ``"kink"`` or ``"noise"``, or the mistake:
        ``"shape"``, ``"dtype"``, ``"not finite"``, ``"gradient"`` (the measured slopes are not symmetric: the gradient
        is none of any function), ``"zero"``, ``"sign"``, ``"factor"``, ``"asymmetric"``, ``"diagonal"`` (all else is
        missing), ``"missing term"`` (a multiple of the identity too much or too little, as damping leaves it),
        ``"element"``, ``"another function"``. ``numeric`` is the measured matrix.

    Raises
    ------
    ValueError
        If ``x`` is no vector of finite numbers, or the gradient has another shape.

    Examples
    --------
    >>> from lossref.landscapes import Himmelblau
    >>> from lossref.training import check_hessian
    >>> surface = Himmelblau()
    >>> bool(check_hessian(surface.grad, surface.hessian, [1.0, 2.0]))
    True
    >>> check_hessian(surface.grad, lambda x: surface.hessian(x) / 2, [1.0, 2.0])
    factor: the Hessian is 0.5 times what it should be; that of half a square is 1, that of a square is 2
    """
    point = as_point("check_hessian", x)
    n = point.size
    stated, gradient = np.asarray(hessian(point.copy())), as_gradient("check_hessian", grad, point)
    if stated.shape != (n, n):
        return GradientReport("shape", f"the Hessian has shape {stated.shape} but x has {n} elements: ({n}, {n})")
    if stated.dtype.newbyteorder("=") != point.dtype:
        return GradientReport("dtype", f"the Hessian has dtype {stated.dtype} but x has dtype {point.dtype}")
    for what, array in (("gradient", gradient), ("Hessian", stated)):
        if not np.isfinite(array).all():
            first = np.unravel_index(int(np.argmax(~np.isfinite(array))), array.shape)
            return GradientReport("not finite", f"the {what} is {array[first]} at {place(first)}")
    with np.errstate(all="ignore"):
        return judged(measured_rows("check_hessian", grad, point), stated.astype(np.float64), point)


def place(index: Any) -> str:
    """How a message writes where in a gradient or a Hessian something stands."""
    return named(index).removeprefix("x")


def judged(slopes: Slopes, stated: Array, point: Array) -> GradientReport:
    """Compare, and where something differs find out what has been done to the matrix."""
    shape, h, d = stated.shape, stated.ravel(), slopes.middle
    comparison = compared(h, slopes, float(np.finfo(point.dtype).eps))
    measured_matrix, room = d.reshape(shape), comparison.allowed.reshape(shape)

    def report(verdict: str, message: str) -> GradientReport:
        return GradientReport(verdict, message, comparison.error, comparison.resolution, measured_matrix)

    def first(wrong: Array) -> tuple[int, int]:
        at = np.unravel_index(int(np.argmax(wrong)), shape)
        return int(at[0]), int(at[1])

    def largest_skew(matrix: Array) -> tuple[int, int] | None:
        skew = np.abs(matrix - matrix.T) - (room + room.T)
        return first(skew) if (skew > 0).any() else None

    bad, kinks = comparison.bad.reshape(shape), slopes.kinks
    if np.isnan(d).any():
        return report("not finite", f"beside x the gradient is not finite, at {place(first(np.isnan(d)))[:-1]}")
    if not kinks.any() and (at := largest_skew(measured_matrix)):
        one, other = measured_matrix[at], measured_matrix.T[at]
        here = f"the slopes at {place(at)} and {place(at[::-1])} are {one:.6g} and {other:.6g}"
        return report("gradient", f"{here}: they differ, so the gradient is that of no function")
    if not bad.any():
        if comparison.resolution * UNSURE > COARSE and d.any():
            return report("noise", f"the slopes are unsure by {comparison.resolution:.1g} of the largest")
        if kinks.any():
            corner = place(first(kinks.reshape(shape)))
            return report("kink", f"at {corner} the gradient has a corner, where no difference can call a slope wrong")
        return report("right", f"{h.size} elements agree to {comparison.error:.1g} of the largest")
    if not h.any():
        return report("zero", f"the Hessian is zero; the largest slope is {d[np.argmax(np.abs(d))]:.6g}")
    factor = comparison.factor(d, h)
    if factor is not None and math.isclose(factor, -1, rel_tol=1e-3):
        return report("sign", "the Hessian has the wrong sign")
    if factor is not None and not math.isclose(factor, 1, rel_tol=1e-5):
        guess = "; that of half a square is 1, that of a square is 2" if factor in (0.5, 2) else ""
        return report("factor", f"the Hessian is {factor:.6g} times what it should be{guess}")
    if at := largest_skew(stated):
        here = f"the Hessian is {stated[at]:.6g} at {place(at)} and {stated.T[at]:.6g} at {place(at[::-1])}"
        return report("asymmetric", f"{here}; measured are {measured_matrix[at]:.6g}")
    if not (bad & np.eye(len(point), dtype=bool)).any() and not h[bad.ravel()].any():
        return report("diagonal", f"the diagonal is right and the rest is missing: {np.count_nonzero(bad)} elements")
    amount = comparison.factor(np.eye(len(point)).ravel(), d - h)
    if amount is not None and not kinks.any():
        what = "lacks" if amount > 0 else "has too much:"
        return report("missing term", f"the Hessian {what} {abs(amount):.6g} times the identity")
    count = int(np.count_nonzero(bad))
    if count <= max(2, h.size // 10):
        at = first(bad)
        more = f", and {count - 1} more" if count > 1 else ""
        here = f"at {place(at)} the Hessian is {stated[at]:.6g}"
        return report("element", f"{here} but the slope {measured_matrix[at]:.6g}{more}")
    alike = float(h @ d / math.sqrt((h @ h) * (d @ d)))
    return report("another function", f"Hessian and slopes have nothing simple in common; their cosine is {alike:.2g}")


@dataclass(frozen=True, eq=False, repr=False)
class CriticalPoint:
    """What :func:`classify_critical_point` found.

    Attributes
    ----------
    kind : str
        ``"minimum"``, ``"maximum"``, ``"saddle"``, ``"degenerate"``; or ``"not critical"``, where the gradient is not
        zero.
    message : str
        The finding in a sentence, with its numbers.
    index : int
        How many curvatures are negative: 0 at a minimum, all at a maximum.
    curvatures : numpy.ndarray
        The eigenvalues of the Hessian, in ascending order.
    directions : numpy.ndarray
        Its eigenvectors, one a column in the same order: the first leads down from a saddle.
    tolerance : float
        What a curvature must exceed not to count as zero.
    """

    kind: str
    message: str
    index: int
    curvatures: Array
    directions: Array
    tolerance: float

    def __repr__(self) -> str:
        return f"{self.kind}: {self.message}"


def classify_critical_point(
    grad: Callable[[Any], Any], x: Any, *, hessian: Callable[[Any], Any] | None = None, tol: float = 1e-6
) -> CriticalPoint:
    r"""Tell a minimum from a maximum, a saddle, a degenerate point, and a point that is not critical at all.

    The eigenvalues of the Hessian are the curvatures along its eigenvectors. All positive: a minimum. All negative: a
    maximum. Of both signs: a saddle, whatever the rest. Otherwise one is zero, and what kind of point it is, no second
    derivative can tell.

    Parameters
    ----------
    grad : callable
        The gradient: a function of a vector that returns one of the same shape.
    x : array_like
        The point, of shape ``(n,)``.
    hessian : callable, optional
        The Hessian: a function of a vector that returns a symmetric matrix. Where none is given, it is measured by
        differences of gradients.
    tol : float > 0, default 1e-6
        How far from the critical point ``x`` may be, in units of its own length (of 1, if that is more).

    Returns
    -------
    CriticalPoint
        Its ``kind`` is the finding in a word, its ``message`` in a sentence.

    Raises
    ------
    ValueError
        If ``x`` is no vector of finite numbers, gradient or Hessian have other shapes or are not finite, or ``tol`` is
        not above 0.

    Notes
    -----
    No computed gradient is exactly zero. It counts as zero where
    :math:`\lVert g \rVert \le \mathrm{tol} \cdot \lVert H \rVert \cdot \max(1, \lVert x \rVert)`, which is the
    gradient that a displacement of that size can make. A computed curvature is not exactly zero either: it counts as
    zero up to :math:`8 n` roundings of :math:`\lVert H \rVert`; of a measured Hessian, up to the uncertainty of the
    differences, since no eigenvalue moves by more than the norm of the change (Weyl).

    References
    ----------
    J. Nocedal and S. J. Wright, *Numerical Optimization*, 2nd edition, Springer, 2006,
    theorems 2.3 and 2.4.

    Examples
    --------
    >>> from lossref.landscapes import MonkeySaddle, Saddle
    >>> from lossref.training import classify_critical_point
    >>> surface = Saddle()
    >>> classify_critical_point(surface.grad, [0.0, 0.0], hessian=surface.hessian)
    saddle: 1 of 2 curvatures is negative; they go from -1 to 1
    >>> classify_critical_point(surface.grad, [0.0, 1.0]).kind
    'minimum'
    >>> classify_critical_point(surface.grad, [0.0, 0.5]).kind
    'not critical'
    >>> classify_critical_point(MonkeySaddle().grad, [0.0, 0.0])
    degenerate: 2 of 2 curvatures are zero, and the others are not of both signs
    """
    owner = "classify_critical_point"
    point = as_point(owner, x)
    n = point.size
    if not 0 < tol < math.inf:
        raise ValueError(f"{owner}: tol must be a finite number > 0, got {tol!r}")
    gradient = as_gradient(owner, grad, point).astype(np.float64)
    if hessian is None:
        with np.errstate(all="ignore"):
            slopes = measured_rows(owner, grad, point)
        matrix, unsure = slopes.middle.reshape(n, n), UNSURE * float(np.linalg.norm(slopes.unsure))
    else:
        matrix, unsure = np.asarray(hessian(point.copy()), dtype=np.float64), 0.0
        if matrix.shape != (n, n):
            raise ValueError(f"{owner}: the Hessian has shape {matrix.shape} but x has {n} elements: ({n}, {n})")
    if not (np.isfinite(matrix).all() and np.isfinite(gradient).all()):
        raise ValueError(f"{owner}: gradient or Hessian are not finite at x, where nothing can be told")
    curvatures, directions = np.linalg.eigh((matrix + matrix.T) / 2)
    largest = float(np.abs(curvatures).max())
    tolerance = max(8 * n * float(np.finfo(point.dtype).eps) * largest, unsure)
    negative, positive = (int(np.count_nonzero(side > tolerance)) for side in (-curvatures, curvatures))
    length, most = float(np.linalg.norm(gradient)), tol * largest * max(1.0, float(np.linalg.norm(point)))
    zero = n - negative - positive
    be = "is" if negative == 1 else "are"
    spread = f"they go from {curvatures[0]:.6g} to {curvatures[-1]:.6g}"
    if length > most:
        kind, message = "not critical", f"the gradient has length {length:.3g}; up to {most:.3g} would count as zero"
    elif negative and positive:
        kind, message = "saddle", f"{negative} of {n} curvatures {be} negative; {spread}"
    elif zero:
        be = "is" if zero == 1 else "are"
        kind = "degenerate"
        message = f"{zero} of {n} curvatures {be} zero, and the others are not of both signs"
    else:
        kind = "maximum" if negative else "minimum"
        message = f"all {n} curvatures are {'negative' if negative else 'positive'}; {spread}"
    return CriticalPoint(kind, message, negative, curvatures, directions, tolerance)
