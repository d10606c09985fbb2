"""Is this gradient right, and if not, what is the mistake?"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossref._arrays import Array, as_floats

#: The steps of the differences, over the size of an element; powers of two, so that few digits of x are lost.
STEPS = 2.0 ** -np.arange(3, 20)
#: A gradient may differ from the measured slopes by so much of them, and so many times what these are unsure of.
RELATIVE, UNSURE = 1e-6, 10.0
#: Slopes that are less sure than this, over the largest, test nothing.
COARSE = 1e-2
#: What a term that was forgotten, or is there in excess, may be in proportion to.
TERMS: dict[str, Callable[[Array], Array]] = {
    "a constant": np.ones_like,
    "x, as the gradient of an L2 penalty is": np.array,
    "the sign of x, as the gradient of an L1 penalty is": np.sign,
}


@dataclass(frozen=True, eq=False, repr=False)
class GradientReport:
    """What :func:`lossref.check_gradient` found. It is true if the gradient is right.

    Attributes
    ----------
    verdict : str
        The finding in a word. ``"right"``; ``"kink"``, where x lies at a corner and the gradient between the slopes of
        both sides; ``"noise"``, where the function is too rough to tell. The mistakes: ``"shape"``, ``"dtype"``, ``"not
        finite"``, ``"zero"``, ``"sign"``, ``"mean or sum"``, ``"factor"``, ``"transposed"``, ``"element"``, ``"missing
        term"``, ``"another function"``.
    message : str
        The finding in a sentence, with its numbers.
    error : float
        The largest difference between the gradient and the measured slopes, over the largest of these.
    resolution : float
        How sure the measured slopes are, in the same unit.
    numeric : numpy.ndarray or None
        The measured slopes, of the shape of ``x``; NaN where none was measured, None where nothing was.
    """

    verdict: str
    message: str
    error: float = math.nan
    resolution: float = math.nan
    numeric: Array | None = None

    def __bool__(self) -> bool:
        return self.verdict in ("right", "kink")

    def __repr__(self) -> str:
        return f"{self.verdict}: {self.message}"


@dataclass(frozen=True, eq=False)
class Slopes:
    """What differences say of a function in some elements: the slope, those on both sides, and how sure each is."""

    middle: Array
    left: Array
    right: Array
    unsure: Array
    sides_unsure: Array

    @property
    def kinks(self) -> Array:
        """Where the slopes of both sides disagree."""
        least = UNSURE * self.sides_unsure + 1e-4 * np.max(np.abs(self.middle), initial=0)
        found: Array = np.abs(self.right - self.left) > least
        return found


def noise_of(values: Callable[[float], float], size: float) -> float:
    """How far a function is from a smooth one: ECNoise of Moré and Wild, from the differences of eight neighbours.

    Of neighbours so near that many are equal, those that differ do so by the last digit that the function has. Where
    they are so far apart that the function itself is seen, nothing is learned.
    """
    digit = 0.0
    for spacing in size * 10.0 ** np.arange(-14, 0):
        differences = np.array([values(k * spacing) for k in range(8)])
        if not np.isfinite(differences).all():
            break
        if np.count_nonzero(np.diff(differences) == 0) > 3:
            digit = digit or float(np.max(np.abs(np.diff(differences))))
            continue
        levels, turns, factor = [], [], 1.0
        for order in range(1, 7):
            differences = np.diff(differences)
            factor *= order / (2 * (2 * order - 1))  # (order!)² / (2 order)!: the square of noise grows by its inverse
            levels.append(math.sqrt(factor * float(np.mean(differences**2))))
            turns.append(differences.min() < 0 < differences.max())
        for order in range(3):
            near = levels[order : order + 4]
            if turns[order] and max(near) <= 4 * min(near):
                return max(digit, levels[order])
    return digit


def surest(estimates: Array, noise: Array) -> tuple[float, float]:
    """The estimate that agrees best with those of the next two steps, and how sure it is."""
    changes = np.abs(np.diff(estimates))
    unsure = np.maximum(changes[:-1], changes[1:]) + noise[2:]
    if np.isnan(unsure).all():
        return math.nan, math.inf
    best = int(np.nanargmin(unsure))
    return float(estimates[best + 1]), float(unsure[best])


def measured(f: Callable[[Array], float], point: Array, places: Array) -> Slopes:
    """The slopes of a function in some of its elements."""
    size = float(np.sqrt(np.mean(np.square(point, dtype=np.float64)))) or 1.0
    direction = np.sin(1.0 + np.arange(point.size)).reshape(point.shape).astype(point.dtype)  # no level line
    here = f(point)
    rough = noise_of(lambda t: f(point + point.dtype.type(t) * direction), size)
    noise = max(rough, float(np.finfo(point.dtype).eps) * abs(here))
    rows = []
    for place in places:
        steps = STEPS * 2.0 ** np.ceil(np.log2(max(abs(float(point.flat[place])), size)))
        sides = []
        for sign in (1, -1):
            line = []
            for step in steps:
                moved = point.copy()
                moved.flat[place] += point.dtype.type(sign * step)
                line.append(f(moved))
            sides.append(np.array(line))
        ahead, behind = sides
        whole, half, h = slice(None, -1), slice(1, None), steps[:-1]
        with np.errstate(all="ignore"):
            central = (8 * (ahead[half] - behind[half]) - (ahead[whole] - behind[whole])) / (6 * h)
            right, left = (
                sign * (4 * side[half] - side[whole] - 3 * here) / h for sign, side in ((1, ahead), (-1, behind))
            )
            (middle, unsure), (on_right, sure_right), (on_left, sure_left) = (
                surest(central, 2 * noise / h),
                surest(right, 8 * noise / h),
                surest(left, 8 * noise / h),
            )
        rows.append((middle, on_left, on_right, unsure, sure_left + sure_right))
    return Slopes(*np.array(rows).T)


def check_gradient(
    f: Callable[[Any], Any], df: Callable[[Any], Any], x: Any, *, most: int = 64, seed: int = 0
) -> GradientReport:
    r"""Hold a gradient against the function that it is said to be of, and name the mistake if there is one.

    The slope in an element is measured by central differences of fourth order,

    .. math::

       \frac{8\,(f(x + \tfrac h2) - f(x - \tfrac h2)) - (f(x + h) - f(x - h))}{6 h},

    for steps from an eighth of the size of ``x`` down to a millionth. The one is taken that agrees best with the next
    two, and by how much they differ says how sure it is. Together with the roughness of the function itself, which is
    measured too, that decides what is a mistake and what is rounding.

    Parameters
    ----------
    f : callable
        A function of an array like ``x`` that returns one number.
    df : callable
        Its gradient: a function of an array like ``x`` that returns one of the same shape.
    x : array_like
        Where to compare. Not where a symmetry hides mistakes: not at zero, and not with all elements equal.
    most : int >= 1, default 64
        In how many elements to compare. If ``x`` has more, so many are chosen at random; a mistake in one of the others
        is not seen.
    seed : int, default 0
        The seed of the random choice.

    Returns
    -------
    GradientReport
        True if the gradient is right. Its ``verdict`` is the finding in a word, its ``message`` in a sentence.

    Raises
    ------
    TypeError
        If ``f`` returns something else than one number, or ``df`` several arrays.
    ValueError
        If ``x`` is empty or not finite.

    References
    ----------
    J. J. Moré and S. M. Wild, "Estimating computational noise", *SIAM Journal on Scientific Computing* 33, 2011.

    Examples
    --------
    >>> import numpy as np
    >>> import lossref
    >>> loss, rng = lossref.LogCosh(), np.random.default_rng(0)
    >>> pred, target = rng.standard_normal((2, 5))
    >>> check = lambda df: lossref.check_gradient(lambda p: loss(p, target), df, pred)
    >>> bool(check(lambda p: loss.grad(p, target)))
    True
    >>> check(lambda p: 5 * loss.grad(p, target))
    mean or sum: the gradient is 5 times what it should be, and x has 5 elements: a sum stands where a mean should
    >>> check(lambda p: -loss.grad(p, target)).verdict
    'sign'
    """
    point = np.array(as_floats("check_gradient", "x", x))
    point = point.astype(point.dtype.newbyteorder("="))
    if point.size == 0 or not np.isfinite(point).all():
        raise ValueError("check_gradient: x must have elements, all of them finite")
    value, gradient = f(point.copy()), df(point.copy())
    if np.ndim(value):
        raise TypeError(f"check_gradient: f must return one number, got an array of shape {np.shape(value)}")
    if isinstance(gradient, tuple):
        raise TypeError(f"check_gradient: df returned {len(gradient)} things; it must return the gradient alone")
    gradient = np.asarray(gradient)
    if (finding := of_form(float(value), gradient, point)) is not None:
        return finding
    places = np.arange(point.size)
    if point.size > most:
        places = np.sort(np.random.default_rng(seed).choice(point.size, most, replace=False))

    def number(at: Array) -> float:
        try:
            return float(f(at))
        except (ValueError, ArithmeticError):  # beside x the function may have no value
            return math.nan

    with np.errstate(all="ignore"):
        return diagnosis(measured(number, point, places), gradient, point, places)


def of_form(value: float, gradient: Array, point: Array) -> GradientReport | None:
    """The mistake that can be seen without looking at slopes, if there is one."""
    if gradient.shape != point.shape:
        message = f"the gradient has shape {gradient.shape} but x has shape {point.shape}"
        if point.ndim == 2 and gradient.shape == point.shape[::-1]:
            return GradientReport("transposed", message)
        return GradientReport("shape", message)
    if gradient.dtype.newbyteorder("=") != point.dtype:
        return GradientReport("dtype", f"the gradient has dtype {gradient.dtype} but x has dtype {point.dtype}")
    if not math.isfinite(value):
        return GradientReport("not finite", f"the function is {value} at x, where nothing has a slope")
    if not np.isfinite(gradient).all():
        first = np.unravel_index(int(np.argmax(~np.isfinite(gradient))), point.shape)
        return GradientReport("not finite", f"the gradient is {gradient[first]} at {named(first)}")
    return None


@dataclass(frozen=True, eq=False)
class Comparison:
    """What somebody states of the slopes beside what was measured: where it is wrong, and by how much it may differ."""

    slopes: Slopes
    allowed: Array
    bad: Array
    error: float
    resolution: float

    def factor(self, by: Array, of: Array) -> float | None:
        """The factor by which one array is the other in all smooth elements, if there is one."""
        smooth = ~self.slopes.kinks
        one, other, room = by[smooth], of[smooth], self.allowed[smooth]
        if not np.any(one):
            return None
        factor = float(one @ other / (one @ one))
        return factor if np.all(np.abs(other - factor * one) <= max(1.0, abs(factor)) * room) else None


def compared(given: Array, slopes: Slopes, precision: float) -> Comparison:
    """Hold what is stated against what was measured, in a precision of so much."""
    d, smooth = slopes.middle, ~slopes.kinks
    scale = float(np.nanmax(np.abs(d), initial=0.0))
    allowed = UNSURE * slopes.unsure + RELATIVE * np.abs(d) + 32 * precision * scale
    low, high = np.minimum(slopes.left, slopes.right), np.maximum(slopes.left, slopes.right)
    sides = UNSURE * slopes.sides_unsure + RELATIVE * scale
    bad = np.where(smooth, ~(np.abs(given - d) <= allowed), (given < low - sides) | (given > high + sides))
    error = float(np.max(np.abs(given - d)[smooth], initial=0)) / (scale or 1.0)
    resolution = float(np.max(slopes.unsure[smooth], initial=0)) / (scale or 1.0)
    return Comparison(slopes, allowed, bad, error, resolution)


def diagnosis(slopes: Slopes, gradient: Array, point: Array, places: Array) -> GradientReport:
    """Compare, and where something differs find out what has been done to the slopes."""
    x, g, d = point.ravel()[places].astype(np.float64), gradient.ravel()[places].astype(np.float64), slopes.middle
    comparison = compared(g, slopes, float(np.finfo(point.dtype).eps))
    bad, explained = comparison.bad, comparison.factor
    error, resolution = comparison.error, comparison.resolution
    numeric = np.full(point.size, np.nan)
    numeric[places] = d

    def report(verdict: str, message: str) -> GradientReport:
        return GradientReport(verdict, message, error, resolution, numeric.reshape(point.shape))

    def index(position: int) -> str:
        return named(np.unravel_index(places[position], point.shape))

    if np.isnan(d).any():
        return report("not finite", f"beside {index(int(np.argmax(np.isnan(d))))} the function is not finite")
    if resolution * UNSURE > COARSE and d.any() and not bad.any():
        advice = "; use float64" if point.dtype == np.float32 else "; does f compute in float32 somewhere?"
        return report("noise", f"the slopes are unsure by {resolution:.1g} of the largest{advice}")
    if not bad.any():
        if (kinks := slopes.kinks).any():
            at = int(np.argmax(kinks))
            return report(
                "kink",
                f"at {index(at)} the slope is {slopes.left[at]:.6g} on the left, {slopes.right[at]:.6g} on the right, "
                f"and the gradient is {g[at]:.6g}, which no difference can call wrong",
            )
        return report("right", f"{len(places)} slopes agree to {error:.1g} of the largest")
    if not g.any():
        return report("zero", f"the gradient is zero; the largest slope is {d[np.nanargmax(np.abs(d))]:.6g}")
    factor = explained(d, g)
    if factor is not None and not math.isclose(factor, 1, rel_tol=1e-5):
        return report(*of_factor(factor, point))
    count = int(np.count_nonzero(bad))
    if count <= max(1, len(places) // 10):
        at = int(np.argmax(bad))
        more = f", and {count - 1} more" if count > 1 else ""
        return report("element", f"at {index(at)} the gradient is {g[at]:.6g} but the slope {d[at]:.6g}{more}")
    if point.ndim == 2 and point.shape[0] == point.shape[1] and explained(d, gradient.T.ravel()[places]) is not None:
        return report("transposed", "the gradient is the transpose of what it should be")
    for name, term in TERMS.items():
        amount = explained(term(x), d - g)
        if amount is not None:
            what = "lacks something" if amount > 0 else "has too much of something"
            return report("missing term", f"the gradient {what}: {abs(amount):.6g} times {name}")
    alike = float(g @ d / math.sqrt((g @ g) * (d @ d)))
    return report("another function", f"gradient and slopes have nothing simple in common; their cosine is {alike:.2g}")


def of_factor(factor: float, point: Array) -> tuple[str, str]:
    """The mistake that multiplies all slopes by the same number."""

    def like(number: float) -> bool:
        return math.isclose(factor, number, rel_tol=1e-3)

    if like(-1):
        return "sign", "the gradient has the wrong sign: it leads uphill"
    for n, what in ((point.size, "elements"), (len(point) if point.ndim else 1, "rows")):
        if n > 2 and (like(n) or like(1 / n)):
            times, swapped = (
                (f"{n}", "a sum stands where a mean") if like(n) else (f"1/{n}", "a mean stands where a sum")
            )
            return "mean or sum", (
                f"the gradient is {times} times what it should be, and x has {n} {what}: {swapped} should"
            )
    guess = ""
    many = max(factor, 1 / factor)
    if like(2) or like(1 / 2):
        guess = "; a square's slope has a factor 2, half a square's has none"
    elif many > 1 and math.isclose(many, round(many), rel_tol=1e-3):
        guess = f"; if there are {round(many)} samples, mean and sum were taken for each other"
    return "factor", f"the gradient is {factor:.6g} times what it should be{guess}"


def named(place: Any) -> str:
    """How a message writes an index."""
    return f"x[{', '.join(str(int(i)) for i in place)}]" if place else "x"
