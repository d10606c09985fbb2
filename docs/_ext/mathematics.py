"""The lines of mathematics that the book derives from a formula, and how they are written."""

from __future__ import annotations

import inspect
import re
from typing import Any

import sympy
from latex_eval import Display
from latex_tokens import name as spelled
from sympy.printing.latex import LatexPrinter

from lossref import registry
from lossref._formula import Formula
from lossref.live.calculus import (
    RESIDUAL,
    STEP,
    TOO_LONG,
    family,
    in_residual,
    letters,
    prox,
    simplest,
    slope,
)

PROBABILITY = sympy.Symbol("p", positive=True)


def named(name: str) -> type[Formula]:
    """A formula by what one writes after ``lossref.`` to get it."""
    for formula in registry.formulas():
        if registry.path(formula) == name:
            return formula
    raise ValueError(f"{name} is not a formula of lossref.registry")


# ----------------------------------------------------------------------------------------------------------- LaTeX


class Printer(LatexPrinter):
    """SymPy's LaTeX with the book's manners: |x|, cases without "for", positive terms first."""

    def _print_Abs(self, expr, exp=None):
        bars = rf"\left|{self._print(expr.args[0])}\right|"
        return f"{bars}^{{{exp}}}" if exp else bars

    def _print_Piecewise(self, expr):
        rows = []
        for piece, condition in expr.args:
            when = r"\text{otherwise}" if condition == True else self._print(condition)  # noqa: E712 (SymPy's own true)
            rows.append(rf"{self._print(piece)} & {when}")
        return r"\begin{cases} " + r" \\ ".join(rows) + r" \end{cases}"

    def _as_ordered_terms(self, expr, order=None):
        return sorted(super()._as_ordered_terms(expr, order), key=lambda term: term.could_extract_minus_sign())

    def _print_Relational(self, expr):
        if isinstance(expr, (sympy.Gt, sympy.Ge)) and isinstance(expr.rhs, sympy.Abs):  # r on the left
            expr = expr.reversed
        return super()._print_Relational(expr)


def latex(expression: Any, instance: Formula) -> str:
    """An expression of a formula's symbols in the notation of the book."""
    written = letters(instance)
    named = {STEP: written["step"]}
    for name, symbol in instance.arguments().items():
        if isinstance(symbol, sympy.Symbol):
            named[symbol] = written[name]
        elif isinstance(symbol, tuple) and all(isinstance(s, sympy.Symbol) for s in symbol):
            named |= {s: f"{written[name]}_{k}" for k, s in enumerate(symbol, 1)}
    return Printer({"symbol_names": named}).doprint(upright(expression))


def upright(expression: Any) -> Any:
    """Factors like (p - 1) turned into (1 - p), with the sign taken out."""

    def turn(product: sympy.Mul) -> sympy.Expr:
        turned = [f for f in product.args if f.is_Add and f.as_coeff_Add()[0].is_negative]
        kept = [f for f in product.args if f not in turned]
        return sympy.Mul((-1) ** len(turned), *kept, *(-f for f in turned))

    return sympy.sympify(expression).replace(lambda e: e.is_Mul, turn)


def displays(docstring: str) -> list[str]:
    """The displayed formulas of a docstring."""
    blocks = re.findall(r"^\.\. math::\n\n((?:[ ]+.*\n|\n)+)", inspect.cleandoc(docstring) + "\n", re.MULTILINE)
    return [inspect.cleandoc(block).strip() for block in blocks]


def shown(instance: Formula) -> dict[Any, Any]:
    """Values for the hyper-parameters that the formula on the page leaves out: their defaults."""
    written, symbols = letters(instance), instance.arguments()
    display = Display(displays(type(instance).__doc__)[0])
    return {
        symbols[f.name]: sympy.nsimplify(f.default)
        for f in instance.hyperparameters()
        if isinstance(symbols.get(f.name), sympy.Symbol) and spelled(written[f.name]) not in display.letters
    }


def derived(instance: Formula) -> list[str]:
    """The lines of displayed mathematics that the book derives from a formula, each of them complete."""
    return DERIVED[family(type(instance))](instance)


def pointwise(instance: Formula) -> list[str]:
    symbols, variable = instance.arguments(), letters(instance)["pred"]
    expression, x, tail = instance.expression().subs(shown(instance)), symbols["pred"], ""
    if (residual := in_residual(expression, symbols)) is not None:
        expression, x = residual, RESIDUAL
        tail = rf", \qquad r = {letters(instance)['pred']} - {letters(instance)['target']}"
    first = slope(expression, x)
    second = slope(first, x)
    if instance.signs:  # the square of a label is 1
        second = second.subs(symbols["target"] ** 2, 1)
    if getattr(instance, "from_logits", False):
        first, second = (in_probability(sympy.diff(expression, x, order), x) for order in (1, 2))
        tail = rf", \qquad p = \frac{{1}}{{1 + e^{{-{variable}}}}}"
    lines = []
    for order, found in ((r"\partial", first), (r"\partial^2", second)):
        below = rf"\partial {variable}" + ("^2" if order.endswith("2") else "")
        written = latex(found, instance)
        lines.append(rf"\frac{{{order} \ell}}{{{below}}} = {written}")
        if found.free_symbols & {RESIDUAL, PROBABILITY}:
            lines[-1] += tail
    return lines


def in_probability(expression: sympy.Expr, logit: sympy.Symbol) -> sympy.Expr:
    """An expression of a logit as one of the probability p = 1 / (1 + exp(-logit))."""
    p, rest = (
        PROBABILITY,
        sympy.Symbol("rest", positive=True),
    )  # SymPy leaves powers of 1 - p alone: its sign is unknown
    written = expression.subs(logit, sympy.log(p / rest))
    written = written.replace(lambda e: e.is_Add, lambda e: sympy.together(e).subs(p + rest, 1))
    written = sympy.expand(sympy.powsimp(written))
    if sorted_out := by_powers(written, {rest: 1 - p}):
        return sorted_out
    polynomial = sympy.simplify(expression.subs(logit, sympy.log(p / (1 - p))))
    return simplest(polynomial, sympy.collect(sympy.expand(polynomial), p), sympy.factor(polynomial))


def by_powers(expression: sympy.Expr, names: dict[Any, Any]) -> sympy.Expr | None:
    """A sum sorted by its powers with symbolic exponents, of which ``simplify`` makes a mess; None if there is none."""
    powers = {factor for factor in expression.atoms(sympy.Pow) if not factor.exp.is_number}
    parts = sympy.collect(expression, sorted(powers, key=str), evaluate=False) if powers else {}
    return sympy.Add(*(power.subs(names) * sympy.factor(e.subs(names)) for power, e in parts.items())) or None


def rowwise(instance: Formula) -> list[str]:
    """The first of three classes stands for all."""
    scores, letter = instance.arguments()["pred"], letters(instance)["pred"]
    expression = instance.expression().subs(shown(instance))
    shares = sympy.symbols(f"p1:{len(scores) + 1}", positive=True)
    lines = []
    for order in (1, 2):
        expression = sympy.diff(expression, scores[0])
        found = expression
        if instance.predictions == "logits":
            logs = dict(zip(scores, map(sympy.log, shares), strict=True))
            written = expression.subs(logs).subs(shares[-1], 1 - sum(shares[:-1]))
            if not (found := by_powers(sympy.expand(written), {})):
                found = sympy.simplify(written)
                found = simplest(found, sympy.factor(found), sympy.collect(sympy.expand(found), shares[0]))
        if sympy.count_ops(found) > TOO_LONG:
            break
        power = "^2" if order == 2 else ""
        line = rf"\frac{{\partial{power} \ell}}{{\partial {letter}_1{power}}} = {latex(found, instance)}"
        if instance.predictions == "logits":
            line += rf", \qquad p_k = \frac{{e^{{{letter}_k}}}}{{\sum_{{j=1}}^{{{len(scores)}}} e^{{{letter}_j}}}}"
        lines.append(line.replace("p_{1}", "p_1"))
    return lines


def paired(instance: Formula) -> list[str]:
    """First and second derivatives in both learned arrays."""
    expression, symbols, lines = instance.expression().subs(shown(instance)), instance.arguments(), []
    for name in instance.learned:
        letter, found = letters(instance)[name], expression
        for power in ("", "^2"):
            found = slope(found, symbols[name])
            if instance.signs:  # the square of a label is 1
                found = found.subs(symbols["target"] ** 2, 1)
            below = f"{{{letter}}}{power}" if power and "_" in letter else letter + power
            lines.append(rf"\frac{{\partial{power} \ell}}{{\partial {below}}} = {latex(found, instance)}")
    return lines


def embedding(instance: Formula) -> list[str]:
    """The first coordinate of the first embedding stands for all; lengths are written as letters."""
    x = instance.arguments()[instance.learned[0]][0]
    lengths = {sympy.Symbol(letter, positive=True): stated for letter, stated in instance.lengths().items()}
    slopes = {}
    for letter, stated in lengths.items():
        inside, power = stated.as_base_exp()
        slopes[letter] = sympy.powsimp(sympy.diff(stated, x).subs(inside, letter ** (1 / power)))

    def along(expression: sympy.Expr) -> sympy.Expr:
        """The derivative in x, of which the lengths are functions."""
        if isinstance(expression, sympy.Piecewise):
            return sympy.Piecewise(*((along(piece), condition) for piece, condition in expression.args))
        through = sum(sympy.diff(expression, letter) * inner for letter, inner in slopes.items())
        derived = sympy.diff(expression, x).replace(sympy.DiracDelta, lambda *_: sympy.Integer(0)) + through
        return simplest(derived, sympy.simplify(derived), sympy.factor(derived))

    found = sympy.piecewise_fold(instance.expression().subs({stated: letter for letter, stated in lengths.items()}))
    below, lines = f"{letters(instance)[instance.learned[0]]}_1", []
    for power in ("", "^2"):
        found = along(found)
        line = rf"\frac{{\partial{power} \ell}}{{\partial {below}{power}}} = {latex(found, instance)}"
        for letter, stated in lengths.items():
            if letter in found.free_symbols:
                line += rf", \qquad {latex(letter, instance)} = {latex(stated, instance)}"
        lines.append(line)
    return lines


def penalty(instance: Formula) -> list[str]:
    w = instance.arguments()["w"]
    first = latex(slope(instance.expression(), w), instance)
    return [
        rf"\frac{{\partial R}}{{\partial w}} = {first}",
        rf"\operatorname{{prox}}(w) = {latex(prox(instance), instance)}",
    ]


def structured(instance: Formula) -> list[str]:
    """The first of a few parameters stands for all."""
    w = instance.arguments()["w"][0]
    first = latex(sympy.diff(instance.expression(), w), instance)
    moved = latex(prox(instance)[0], instance)
    return [rf"\frac{{\partial R}}{{\partial w_1}} = {first}", rf"\operatorname{{prox}}_1(w) = {moved}"]


def optimizer(instance: Formula) -> list[str]:
    """The whole step, line by line: a line sees the letters as those above it have left them."""
    lines, before = [], {}
    for name, new in instance.expression().items():
        for earlier, (old, value) in before.items():
            moved = sympy.Dummy(earlier, real=True)
            replaced = new.subs(value, moved)
            if moved in replaced.free_symbols and old not in replaced.free_symbols:
                new = replaced.subs(moved, old)
        before[name] = instance.arguments()[name], new
        lines.append(rf"{letters(instance)[name]} &\leftarrow {latex(new, instance)}")
    return [r"\begin{aligned} " + r" \\ ".join(lines) + r" \end{aligned}"]


def schedule(instance: Formula) -> list[str]:
    return []


def batch(instance: Formula) -> list[str]:
    """None: in the numbers of a few samples the slopes would fill the page, and tell nothing of a batch."""
    return []


DERIVED = {
    "pointwise": pointwise,
    "rowwise": rowwise,
    "paired": paired,
    "embedding": embedding,
    "batch": batch,
    "penalty": penalty,
    "structured": structured,
    "optimizer": optimizer,
    "schedule": schedule,
}
