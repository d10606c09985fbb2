"""A loss of one's own from one line of mathematics."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from lossref import symbolic as sp
from lossref._arrays import Array
from lossref._parameters import real
from lossref.losses.base import PointwiseLoss
from lossref.notation import SYMBOLS

Parameters = tuple[tuple[str, float], ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Custom(PointwiseLoss):
    """The parent of the losses that :func:`lossref.from_formula` makes: everything follows from the expression."""

    _expression: ClassVar[Any]
    _defaults: ClassVar[Parameters]

    def __init_subclass__(cls) -> None:
        super(PointwiseLoss, cls).__init_subclass__()  # no kernel of its own: it might bear the name of another's

    def _choose_kernel(self) -> str:
        return "custom"

    def __reduce__(self) -> tuple[Any, ...]:
        settings = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return restored, (type(self).__name__, self._expression, self._defaults, settings)

    @property
    def letters(self) -> dict[str, str]:
        return {name: sp.latex(sp.Symbol(name)) for name, _ in self._defaults if name not in SYMBOLS}

    def arguments(self) -> dict[str, Any]:
        return {name: symbol(name) for name in ("pred", "target", *(name for name, _ in self._defaults))}

    def expression(self) -> Any:
        return self._expression

    def reference(self, pred: Array, target: Array) -> tuple[Array, Array]:
        value, slope = compiled(self._expression, tuple(self.arguments().values()))[0](*self._numbers(pred, target))
        return known(value, pred, target), known(slope, pred, target)

    def reference_curvature(self, pred: Array, target: Array) -> Array:
        bend = compiled(self._expression, tuple(self.arguments().values()))[1](*self._numbers(pred, target))
        return known(bend, pred, target)

    def _numbers(self, pred: Array, target: Array) -> list[Any]:
        """What the compiled expression is called with: arrays in float64, and the settings."""
        settings = (np.float64(getattr(self, name)) for name, _ in self._defaults)  # by 0 they divide as arrays do
        return [pred.astype(np.float64), target.astype(np.float64), *settings]


def symbol(name: str) -> Any:
    """The symbol that stands for an argument."""
    return sp.Symbol(name, real=True)


def known(result: Any, pred: Array, target: Array) -> Array:
    """A result, or a constant, for each element in the dtype of the predictions; NaN where an input is."""
    array: Array = np.where(np.isnan(pred) | np.isnan(target), np.nan, result).astype(pred.dtype)
    return array


def derivative(expression: Any, x: Any) -> Any:
    """The derivative, without the spikes that second derivatives have at corners."""
    return sp.diff(expression, x).doit().replace(sp.DiracDelta, lambda *_: sp.Integer(0))


@functools.cache
def compiled(expression: Any, symbols: tuple[Any, ...]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Value and slope together, and the curvature, as functions of arrays."""
    slope = derivative(expression, symbols[0])
    both = sp.lambdify(symbols, [expression, slope], cse=True)
    return both, sp.lambdify(symbols, derivative(slope, symbols[0]), cse=True)


@functools.cache
def made(name: str, expression: Any, defaults: Parameters) -> type[Custom]:
    """The class of a formula: the same one whenever it is stated again, or comes out of a pickle."""
    fields = [(parameter, float, real(default, slider=around(default))) for parameter, default in defaults]
    body = {"_expression": expression, "_defaults": defaults, "__doc__": f"The loss {expression}."}
    made_class: type[Custom] = dataclasses.make_dataclass(
        name, fields, bases=(Custom,), namespace=body, frozen=True, kw_only=True
    )
    return made_class


def around(value: float) -> tuple[float, float]:
    """Where the slider of a number goes of which nothing is known: it keeps its sign, for one may divide by it."""
    return (min(value / 4, 4 * value), max(value / 4, 4 * value)) if value else (-1.0, 1.0)


def restored(name: str, expression: Any, defaults: Parameters, settings: dict[str, Any]) -> Custom:
    """A loss from its pickle."""
    return made(name, expression, defaults)(**settings)


def from_formula(name: str, formula: Callable[..., Any], /, *, reduction: str = "mean", **parameters: float) -> Custom:
    r"""Return a loss that is computed from a formula of one element.

    Slope and curvature are SymPy's derivatives. In all else the result is a loss like the others: weights, dtypes,
    ``out=``, the refusal of shapes that differ, sums with other losses, pictures, LaTeX, and a live figure
    (:func:`lossref.live_figure`).

    Parameters
    ----------
    name : str
        The name of the loss's class, as errors and pictures write it.
    formula : callable
        A function of ``pred``, ``target`` and the parameters, called with SymPy symbols, that returns a SymPy
        expression: written with ``sympy.log``, not ``numpy.log``.
    reduction : {"mean", "sum"}, default "mean"
        How the values of the elements become one number.
    **parameters : float
        The hyper-parameters, with the values that they are to have. ``dataclasses.replace`` changes them.

    Returns
    -------
    PointwiseLoss
        The loss. It is frozen, it can be hashed, and pickled although the formula is a lambda: what is kept of that is
        its expression.

    Raises
    ------
    TypeError
        If the formula is not callable or returns something else than an expression.
    ValueError
        If a name cannot be that of a loss or a parameter, or the expression does not depend on ``pred``.

    Notes
    -----
    At a corner of ``Abs``, ``Max`` or ``Min`` the slope is the mean of those on both sides; in a ``Piecewise`` it is
    that of the piece whose condition holds. The curvature leaves out the spike. A NaN among prediction and target gives
    NaN, whatever the piece says.

    **A formula is not a kernel.** It is computed as it is written, in float64 also for float32, by NumPy, with a new
    array for each operation. Where terms cancel, the digits are gone, and where a part overflows, so does the whole:

    >>> import lossref, sympy
    >>> naive = lossref.from_formula("Naive", lambda pred, target: sympy.log(sympy.cosh(pred - target)))
    >>> print(naive.values([1e-9, 1e-5, 1.0, 800.0], [0.0] * 4))
    [0.00000000e+00 5.00000041e-11 4.33780830e-01            inf]
    >>> print(lossref.LogCosh().values([1e-9, 1e-5, 1.0, 800.0], [0.0] * 4))
    [5.00000000e-19 5.00000000e-11 4.33780830e-01 7.99306853e+02]

    Functions beyond NumPy's, such as ``sympy.loggamma``, need SciPy.

    Examples
    --------
    An error that counts by its order of magnitude once it is large:

    >>> import lossref, sympy
    >>> loss = lossref.from_formula(
    ...     "Asinh", lambda pred, target, scale: sympy.asinh((pred - target) / scale) ** 2, scale=2.0
    ... )
    >>> loss
    Asinh(scale=2.0)
    >>> value, slope = loss.value_and_grad([3.0, -0.5], [0.0, 0.0])
    >>> round(value, 6), slope.round(6)
    (0.744349, array([ 0.331368, -0.120039]))
    >>> 0.5 * loss + lossref.MAE()
    0.5*Asinh(scale=2.0) + MAE()
    """
    if not isinstance(name, str) or not callable(formula):
        wrong = name if not isinstance(name, str) else formula
        raise TypeError(f"from_formula: it takes a name and a function, got {wrong!r} of type {type(wrong).__name__}")
    for word in (name, *parameters):
        if not word.isidentifier() or (word != name and (word in ("pred", "target") or hasattr(Custom, word))):
            raise ValueError(
                f"from_formula: {word!r} cannot be the name of a {'loss' if word == name else 'parameter'}"
            )
    accepted = real().metadata["range"]
    settings = {word: accepted.check(name, word, value) for word, value in parameters.items()}
    try:
        expression = sp.sympify(formula(*map(symbol, ("pred", "target")), **{word: symbol(word) for word in settings}))
    except (TypeError, AttributeError, sp.SympifyError) as error:
        raise TypeError(
            f"from_formula: {name} cannot be written with SymPy's symbols pred, target"
            f"{''.join(', ' + word for word in settings)} ({error}); its functions are those of sympy"
        ) from error
    if not isinstance(expression, sp.Expr):
        raise TypeError(f"from_formula: {name} must be one SymPy expression, got a {type(expression).__name__}")
    if symbol("pred") not in expression.free_symbols:
        raise ValueError(f"from_formula: {name} does not depend on pred: {expression}")
    return made(name, expression, tuple(settings.items()))(reduction=reduction)
