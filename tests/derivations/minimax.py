"""Derive the polynomials of ``lossref/_kernels``: run this file to print them.

Remez's exchange finds the polynomial ``p`` of a given degree for which the largest ``weight * |p - f|`` is as small as
possible: solve for a polynomial whose error takes the same size, with alternating sign, at ``degree + 2`` points; move
the points to the peaks of the error; repeat until all peaks are equally high.
"""

import functools
from dataclasses import dataclass
from itertools import pairwise

import mpmath as mp


@dataclass(frozen=True)
class Problem:
    """Approximate ``f`` on ``[low, high]``; ``weight`` makes its error the relative error of the whole function.

    ``file`` is the source whose function of the problem's name holds the polynomial."""

    file: str
    f: object
    weight: object
    low: object
    high: object
    degree: dict

    def solve(self, precision: str) -> tuple[list[float], float]:
        """The coefficients, lowest power first, rounded to ``precision``, and the largest error before rounding."""
        with mp.workdps(50):
            exact, error = remez(self.f, self.weight, mp.mpf(self.low), mp.mpf(self.high), self.degree[precision])
            return [round_to(c, 24 if precision == "float" else 53) for c in exact], float(error)


def remez(f, weight, low, high, degree, grid=60, rounds=12):
    n = degree + 2
    # Chebyshev's points, a little off centre: where the weight is zero, at zero, no error can be asked for.
    points = [(low + high) / 2 - (high - low) / 2 * mp.cos(mp.pi * (i + mp.mpf("0.1")) / n) for i in range(n)]
    for _ in range(rounds):
        rows = mp.matrix(n, n)
        for i, x in enumerate(points):
            for j in range(degree + 1):
                rows[i, j] = x**j
            rows[i, degree + 1] = (-1) ** i / weight(x)
        solution = mp.lu_solve(rows, mp.matrix([f(x) for x in points]))
        coefficients = list(solution[: degree + 1])

        def difference(x, c=coefficients):
            return mp.polyval(c[::-1], x) - f(x)

        def error(x, difference=difference):
            return difference(x) * weight(x)

        # One peak lies between each two neighbouring zeros of the error, and one beside each end.
        zeros = [mp.findroot(difference, pair, solver="illinois", verify=False) for pair in pairwise(points)]
        edges = [low, *zeros, high]
        points = [peak(error, a, b, grid) for a, b in pairwise(edges)]
        heights = [abs(error(x)) for x in points]
        if max(heights) < min(heights) * mp.mpf("1.0001"):
            break
    return coefficients, max(heights)


def peak(error, a, b, grid):
    """Where ``|error|``, which rises and falls once between two zeros, is largest: on a grid, by halving it, and then
    on a grid in the cells beside that point."""
    for _ in range(2):
        first, last = 0, grid
        while first < last:
            middle = (first + last) // 2
            here, next_ = (abs(error(a + (b - a) * i / grid)) for i in (middle, middle + 1))
            first, last = (middle + 1, last) if here < next_ else (first, middle)
        x, step = a + (b - a) * first / grid, (b - a) / grid
        a, b = max(a, x - step), min(b, x + step)
    return x


def round_to(x, bits: int) -> float:
    with mp.workprec(bits):
        return float(+x)


@functools.cache
def exp_series():
    return [1 / mp.factorial(n + 3) for n in range(30)][::-1]


@functools.cache  # error and weight ask for the same
def exp_cubic(r):
    """(exp(r) - 1 - r - r**2/2) / r**3, by its series."""
    return mp.polyval(exp_series(), r)


def exp_square(r):
    """(exp(r) - 1 - r) / r**2, by its series."""
    return mp.mpf(1) / 2 + r * exp_cubic(r)


@functools.cache
def log_cubic(f):
    """(log(1 + f) - f + f**2/2) / f**3; by its series where the difference would cancel."""
    if abs(f) < mp.mpf("1e-6"):
        return mp.polyval([mp.mpf((-1) ** n) / (n + 3) for n in range(10)][::-1], f)
    return (mp.log1p(f) - f + f**2 / 2) / f**3


def log1p_square(u):
    """(log(1 + t) - t) / t**2 at t = u + 1/2."""
    t = u + mp.mpf(1) / 2
    return t * log_cubic(t) - mp.mpf(1) / 2


@functools.cache
def log_cosh_quartic(s):
    """(log(cosh(r)) - r**2/2) / r**4 at s = r**2; at 0, where the quotient is none, its limit."""
    if s == 0:
        return -mp.mpf(1) / 12
    with mp.workdps(120):  # the difference cancels
        return (mp.log(mp.cosh(mp.sqrt(s))) - s / 2) / s**2


@functools.cache
def tanh_cubic(s):
    """(tanh(r) - r) / r**3 at s = r**2; at 0, where the quotient is none, its limit."""
    if s == 0:
        return -mp.mpf(1) / 3
    with mp.workdps(120):  # the difference cancels
        r = mp.sqrt(s)
        return (mp.tanh(r) - r) / r**3


PROBLEMS = {
    # exp(r) = 1 + r + r**2/2 + r**3 p(r) where |r| <= log(2)/2 and a hair, which whole powers of two leave.
    # The error is weighed against expm1(r), which is the harder of the two.
    "exp_cubic": Problem(
        "vecmath.pxd",
        exp_cubic,
        lambda r: abs(r**2 / (1 + r / 2 + r**2 * exp_cubic(r))),
        "-0.34658",
        "0.34658",
        {"float": 4, "double": 9},
    ),
    # In decay.pyx exp(r) = 1 + r + r**2 p(r), on a slightly longer interval.
    "exp_square": Problem("decay.pyx", exp_square, lambda r: r**2 / mp.exp(r), "-0.34662", "0.34662", {"double": 9}),
    # log(1 + f) = f - f**2/2 + f**3 p(f) where 3/4 <= 1 + f <= 3/2.
    "log_cubic": Problem(
        "vecmath.pxd",
        log_cubic,
        lambda f: abs(f**2 / (1 - f / 2 + f**2 * log_cubic(f))),
        "-0.25",
        "0.5",
        {"float": 8, "double": 19},
    ),
    # log(1 + t) = t + t**2 p(t - 1/2) where 0 <= t <= 1: for loops that count operations. Powers of t itself would
    # cancel each other near 1.
    "log1p_square": Problem(
        "vecmath.pxd",
        log1p_square,
        lambda u: (u + 0.5) / (1 + (u + 0.5) * log1p_square(u)),
        "-0.5",
        "0.5",
        {"float": 8, "double": 19},
    ),
    # log(cosh(r)) = s/2 + s**2 p(s) where s = r**2 <= 1.
    "log_cosh_quartic": Problem(
        "regression.pyx",
        log_cosh_quartic,
        lambda s: s / (mp.mpf(1) / 2 + s * log_cosh_quartic(s)),
        0,
        1,
        {"float": 6, "double": 13},
    ),
    # tanh(r) = r + r**3 p(s) where s = r**2 <= 1/4.
    "tanh_cubic": Problem(
        "regression.pyx",
        tanh_cubic,
        lambda s: s / (1 + s * tanh_cubic(s)),
        0,
        "0.25",
        {"float": 4, "double": 9},
    ),
}

if __name__ == "__main__":
    for name, problem in PROBLEMS.items():
        for precision in problem.degree:
            coefficients, error = problem.solve(precision)
            print(f"{name}, {precision}: relative error 2**{float(mp.log(error, 2)):.1f}")
            for power, c in enumerate(coefficients):
                print(f"    {c!r:>25}  {float.hex(c):>24}  r**{power}")
