"""The truth to 420 digits: each formula as SymPy states it, evaluated by mpmath on the exact values of given floats.

Nothing here calls a kernel or a ``reference``. Derivatives are SymPy's.
"""

import functools
import math

import mpmath
import numpy as np
import sympy as sp

DIGITS = 420  # 1 + exp(-745) must keep 70 digits of the exponential
PRECISION = {np.dtype(np.float32): (24, -126, 127), np.dtype(np.float64): (53, -1022, 1023)}


def ulp(exact, dtype):
    """The distance of floats around a number: of 2**-149 or 2**-1074 among the subnormals."""
    digits, least, _ = PRECISION[np.dtype(dtype)]
    exponent = least if exact == 0 else max(int(mpmath.floor(mpmath.log(abs(exact), 2))), least)
    return mpmath.ldexp(1, exponent - digits + 1)


def error(got, exact, dtype, scale=None):
    """How many ulp of ``scale`` (of the exact result, if not given) lie between a float and the truth."""
    digits, _, most = PRECISION[np.dtype(dtype)]
    got = float(got)
    if isinstance(exact, float) or not mpmath.isfinite(exact):
        same = (math.isnan(got) and mpmath.isnan(exact)) or got == exact
        return 0.0 if same else math.inf
    if math.isnan(got):
        return math.inf
    with mpmath.workdps(60):
        if math.isinf(got):  # right if the truth lies beyond the largest float, or a few ulp below its end
            limit = mpmath.ldexp(1, most + 1) - 4 * mpmath.ldexp(1, most - digits + 1)
            return 0.0 if exact * (1 if got > 0 else -1) > limit else math.inf
        distance = abs(mpmath.mpf(got) - exact)
        return float(distance / ulp(exact if scale is None else scale, dtype))


def errors(got, exact, dtype, scale=None):
    """:func:`error` over arrays."""
    scale = [None] * np.size(got) if scale is None else np.ravel(scale)
    flat = zip(np.ravel(got), np.ravel(exact), scale, strict=True)
    return np.array([error(one, truth, dtype, size) for one, truth, size in flat]).reshape(np.shape(got))


def without_spikes(expression):
    """A second derivative where it exists: at a kink, where it is a Dirac delta, 0."""
    return expression.replace(sp.DiracDelta, lambda *_: sp.S.Zero)


def remembered(name):
    """A function of mpmath that computes once what value, slopes and curvatures of a formula all ask for."""
    compute = functools.lru_cache(2**14)(lambda x, precision: getattr(mpmath, name)(x))
    return lambda x: compute(x, mpmath.mp.prec)


REMEMBERED = {name: remembered(name) for name in ("exp", "log")}


@functools.cache
def function(symbols, expression):
    """A SymPy expression as a function of mpmath numbers."""
    return sp.lambdify(symbols, expression, [REMEMBERED, "mpmath"], cse=True)


def step_function(symbols, expressions):
    """The expressions of a step as a function of mpmath numbers."""
    products = {product: sp.Dummy() for product in sp.Tuple(*expressions).atoms(sp.Product)}
    run = sp.lambdify([*symbols, *products.values()], [e.xreplace(products) for e in expressions], "mpmath")
    multiply = [(sorted(product.free_symbols, key=str), multiplied(product)) for product in products]

    def evaluate(*numbers):
        values = dict(zip(symbols, numbers, strict=True))
        return run(*numbers, *(total(mpmath.mp.prec, *(values[name] for name in names)) for names, total in multiply))

    return evaluate


def multiplied(product):
    """A product over the steps so far, of factors in (0, 1), as a function: computed once for all parameters, and no
    further than it can change one minus itself."""
    ((index, first, last),) = product.limits
    names = sorted(product.free_symbols, key=str)
    factor = sp.lambdify([index, *names], product.function, "mpmath")

    @functools.cache
    def total(precision, *numbers):
        value, i, end = mpmath.mpf(1), int(first), numbers[names.index(last)]
        while i <= end and value > mpmath.ldexp(1, -2 * precision):
            value *= factor(i, *numbers)
            i += 1
        return value

    return total


@functools.cache
def derivative(expression, symbol, order=1):
    """A derivative of an expression, which under other settings of the formula is often the same."""
    return sp.diff(expression, symbol, order).doit()


@functools.cache
def expanded(expression):
    """An expression as a sum."""
    return sp.expand(expression)


def size(expression):
    """The sum of the absolute terms of an expression, in each of its pieces."""
    if isinstance(expression, sp.Piecewise):
        return sp.Piecewise(*((size(piece), condition) for piece, condition in expression.args))
    return sp.Add(*(sp.Abs(term, evaluate=False) for term in sp.Add.make_args(expression)), evaluate=False)


class Oracle:
    """The truth about one loss, penalty or map, as functions of its arguments.

    ``variable`` is what is differentiated by: for a loss over rows, each of the predictions in turn.
    """

    def __init__(self, formula, arguments, expression=None):
        self.arguments = arguments
        self.flat = []
        for argument in arguments.values():
            self.flat += argument if isinstance(argument, tuple) else [argument]
        self.symbols = [symbol for symbol in self.flat if isinstance(symbol, sp.Symbol)]
        self.settings = {
            symbol: getattr(formula, symbol.name) for symbol in self.symbols if hasattr(formula, symbol.name)
        }
        self.inputs = [symbol for symbol in self.symbols if symbol not in self.settings]
        # A tuple, one expression for each parameter, becomes one of SymPy's, which can be asked as a whole.
        self.expression = sp.sympify(type(formula).formula(**arguments) if expression is None else expression)
        # A setting in which a formula takes its limit: decided here, or what is 0/0 there would be computed after all.
        self.expression = self.expression.xreplace({
            equation: sp.true if exactly({"": float(setting)})[""] == equation.rhs else sp.false
            for symbol, setting in self.settings.items()
            for equation in self.expression.atoms(sp.Eq)
            if equation.lhs == symbol and equation.rhs.is_number
        })  # fmt: skip

    @functools.cached_property
    def value(self):
        return self.compile(self.expression)

    def compile(self, expression):
        run = function((*self.inputs, *self.settings), expression)
        settings = [float(setting) for setting in self.settings.values()]

        def evaluate(*numbers):
            with mpmath.workdps(DIGITS):
                try:
                    return run(
                        *[mpmath.mpf(float(x) if isinstance(x, np.generic) else x) for x in (*numbers, *settings)]
                    )
                except ZeroDivisionError:
                    return mpmath.nan

        return evaluate

    @functools.cached_property
    def value_size(self):
        """The sum of the absolute terms of the value, for losses that are differences of terms."""
        return self.size(self.expression)

    @functools.cache  # noqa: B019  # an oracle lives as long as the tests
    def slope(self, symbol):
        """The derivative in a symbol."""
        return self.compile(derivative(self.expression, symbol))

    @functools.cache  # noqa: B019
    def slope_size(self, symbol):
        """The sum of the absolute terms of the derivative: what its rounding errors are measured against."""
        return self.size(derivative(self.expression, symbol))

    def size(self, expression):
        """The sum of the absolute terms of an expression, in each of its pieces."""
        return self.compile(size(expression))

    @functools.cache  # noqa: B019
    def sizes_in_floats(self, method):
        """``value_size`` or ``slope_size`` in float64, for many points."""
        expression = self.expression if method == "values" else derivative(self.expression, self.inputs[0])
        run = sp.lambdify([*self.inputs, *self.settings], size(expression), "numpy")
        return lambda *arrays: run(*arrays, *map(float, self.settings.values()))

    @functools.cache  # noqa: B019
    def curvature(self, symbol):
        """The second derivative in a symbol."""
        return self.compile(without_spikes(derivative(self.expression, symbol, 2)))

    @functools.cache  # noqa: B019
    def curvature_size(self, symbol):
        """The sum of the absolute terms of the second derivative."""
        return self.size(expanded(without_spikes(derivative(self.expression, symbol, 2))))


def exactly(arguments):
    """Floats among the settings as fractions, lest SymPy compute with them in 15 digits."""

    def exact(setting):
        if isinstance(setting, float):
            return sp.Rational(*setting.as_integer_ratio())
        return tuple(map(exact, setting)) if isinstance(setting, tuple) else setting

    return {name: exact(setting) for name, setting in arguments.items()}


@functools.cache
def of(formula):
    """The oracle of a pointwise loss or a penalty."""
    return Oracle(formula, exactly(formula.arguments()))


@functools.cache
def of_rows(formula, classes):
    """The oracle of a loss over rows of so many classes."""
    arguments = exactly(formula.arguments())
    for name in formula.arrays:
        arguments[name] = sp.symbols(f"{name}1:{classes + 1}", real=True)
    return Oracle(formula, arguments)


@functools.cache
def of_prox(penalty):
    """The oracle of a proximal map, as the class states it; a test holds that against the definition."""
    symbols = exactly(penalty.arguments())
    step = sp.Symbol("step", positive=True)
    w = symbols.pop("w")
    arguments = {"w": w, "step": step} | symbols
    return Oracle(penalty, arguments, type(penalty).prox_formula(**arguments))


def rosenbrock(x):
    """Rosenbrock's valley as one would write it on paper, with its gradient."""
    value = float(np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2))
    slope = np.zeros_like(x)
    slope[:-1] = -400 * x[:-1] * (x[1:] - x[:-1] ** 2) - 2 * (1 - x[:-1])
    slope[1:] += 200 * (x[1:] - x[:-1] ** 2)
    return value, slope
