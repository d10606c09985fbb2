"""The JavaScript of a live figure, printed from SymPy: functions of one object, which holds all numbers by name."""

from __future__ import annotations

from typing import Any

import sympy
from sympy.printing.jscode import JavascriptCodePrinter

from lossref._formula import Formula
from lossref.live.calculus import family, prox, slope
from lossref.losses.design import derivative


class Printer(JavascriptCodePrinter):  # type: ignore[misc]  # SymPy has no types
    """SymPy's JavaScript on one line. Names are looked up in ``q``, where a reserved word is a name like others."""

    def _print_Symbol(self, expr: Any) -> str:
        return f"q.{expr.name}"

    def _print_Piecewise(self, expr: Any) -> str:
        *cases, (last, _) = expr.args
        chain = "".join(f"({self._print(condition)}) ? ({self._print(piece)}) : " for piece, condition in cases)
        return f"({chain}({self._print(last)}))"

    def _print_Heaviside(self, expr: Any) -> str:
        u, at_zero = (self._print(argument) for argument in expr.args)
        return f"(({u}) > 0 ? 1 : ({u}) < 0 ? 0 : {at_zero})"

    def _print_Product(self, expr: Any) -> str:
        ((index, first, last),) = expr.limits
        loop = f"for (let i = {self._print(first)}; i <= {self._print(last)}; i++)"
        factor = f"((q) => {self._print(expr.function)})({{...q, {index.name}: i}})"
        return f"((p) => {{ {loop} p *= {factor}; return p; }})(1)"


def function(expression: Any) -> str:
    """A JavaScript function of an object of numbers; a dict of expressions gives an object."""
    if isinstance(expression, dict):
        return "(q) => ({" + ", ".join(f"{name}: {printed(e)}" for name, e in expression.items()) + "})"
    return f"(q) => {printed(expression)}"


def printed(expression: Any) -> str:
    """An expression as JavaScript; ``NotImplementedError`` if that has no function for it."""
    try:
        code: str = Printer({"strict": True}).doprint(sympy.sympify(expression))
    except NotImplementedError as error:
        raise NotImplementedError(f"live_figure: there is no JavaScript for {expression}") from error
    return code


def functions(instance: Formula) -> dict[str, str]:
    """What the figure of a formula draws and tells, by the names of its series."""
    return {name: function(expression) for name, expression in READ[family(type(instance))](instance).items()}


def surface(landscape: Formula) -> dict[str, str]:
    """Height and gradient of a landscape in its two coordinates."""
    symbols = landscape.arguments()
    settings = {symbol: getattr(landscape, name) for name, symbol in symbols.items() if name != "x"}
    height, (x1, x2) = landscape.expression().subs(settings), symbols["x"]
    slopes = {"x1": sympy.diff(height, x1), "x2": sympy.diff(height, x2)}
    return {"height": function(height), "slopes": function(slopes)}


def read_pointwise(instance: Formula) -> dict[str, Any]:
    expression = instance.expression()
    return {"value": expression, "slope": slope(expression, instance.arguments()["pred"])}


def read_stated(instance: Formula) -> dict[str, Any]:
    expression = instance.expression()
    return {"value": expression, "slope": derivative(expression, instance.arguments()["pred"])}


def read_rowwise(instance: Formula) -> dict[str, Any]:
    expression = instance.expression()
    return {"value": expression, "slope": slope(expression, instance.arguments()["pred"][0])}


def read_paired(instance: Any) -> dict[str, Any]:
    expression = instance.expression()
    return {"value": expression, "slope": slope(expression, instance.arguments()[instance.learned[0]])}


def read_embedding(instance: Any) -> dict[str, Any]:
    expression, x = sympy.piecewise_fold(instance.expression()), instance.arguments()[instance.learned[0]][0]
    if not instance.labels:
        return {"value": expression, "slope": slope(expression, x)}
    told = {label: expression.subs(instance.arguments()["y"], label) for label in instance.labels}
    return {"alike": told[alike(instance)], "different": told[unlike(instance)]}


def alike(instance: Any) -> int:
    """The label of a pair that is alike."""
    label: int = getattr(instance, "similar", max(instance.labels))
    return label


def unlike(instance: Any) -> int:
    """The label of a pair that is not."""
    label: int = sum(instance.labels) - alike(instance)
    return label


def read_batch(instance: Any) -> dict[str, Any]:
    """Value and slope in the first number of the first sample; not simplified, which takes SymPy minutes."""
    expression, x = instance.expression(), instance.arguments()[instance.arrays[0]][0][0]
    slope = sympy.diff(expression, x).replace(sympy.Heaviside, lambda u, *_: sympy.Heaviside(u, 0))
    return {"value": expression, "slope": slope}


def read_penalty(instance: Formula) -> dict[str, Any]:
    return {"value": instance.expression(), "prox": prox(instance)}


def read_structured(instance: Formula) -> dict[str, Any]:
    return {"value": instance.expression(), "prox": prox(instance)[0]}


def read_schedule(instance: Formula) -> dict[str, Any]:
    return {"value": instance.expression()}


def read_optimizer(instance: Formula) -> dict[str, Any]:
    return {"step": instance.expression()}


READ = {
    "stated": read_stated,
    "pointwise": read_pointwise,
    "rowwise": read_rowwise,
    "paired": read_paired,
    "embedding": read_embedding,
    "batch": read_batch,
    "penalty": read_penalty,
    "structured": read_structured,
    "schedule": read_schedule,
    "optimizer": read_optimizer,
}
