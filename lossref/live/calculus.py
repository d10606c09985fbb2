"""What a page or a figure derives from a formula: its family, the forms that it has, its slope, its proximal map."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import itertools
from typing import Any

import sympy

from lossref._formula import Formula
from lossref.notation import SYMBOLS

RESIDUAL = sympy.Symbol("r", real=True)
STEP = sympy.Symbol("step", positive=True)
#: Operations: what has more is neither simplified, which would take minutes, nor printed, for nobody would read it.
TOO_LONG = 120
#: Distinctions of cases: folded into one, more than these would have more cases than anybody reads.
FEW = 3

FAMILIES = {
    "Custom": "stated",
    "PointwiseLoss": "pointwise",
    "RowwiseLoss": "rowwise",
    "PairedLoss": "paired",
    "EmbeddingLoss": "embedding",
    "BatchLoss": "batch",
    "StructuredPenalty": "structured",
    "Penalty": "penalty",
    "Optimizer": "optimizer",
    "Schedule": "schedule",
}


def family(formula: type[Formula]) -> str:
    """One word for the parent of a formula, by which it is told what can be derived from it and drawn."""
    for parent in formula.__mro__:
        if kind := FAMILIES.get(parent.__name__):
            return kind
    raise TypeError(f"{formula.__name__} belongs to no family of formulas: {', '.join(FAMILIES)}")


def flags(formula: type[Formula]) -> list[str]:
    """The settings that choose between forms of the formula, each of them True or False."""
    taken = inspect.signature(formula.formula).parameters
    return [f.name for f in formula.hyperparameters() if f.name in taken and isinstance(f.default, bool)]


@functools.cache
def variants(instance: Formula) -> dict[tuple[str, ...], Formula]:
    """A formula with every combination of its flags turned over, by the flags that are; ``ValueError`` if two exclude
    each other under its other settings."""
    names = flags(type(instance))
    chosen = [c for size in range(len(names) + 1) for c in itertools.combinations(names, size)]
    return {c: dataclasses.replace(instance, **{name: not getattr(instance, name) for name in c}) for c in chosen}


def representative(formula: type[Formula]) -> Formula:
    """The instance that stands for a formula where one is needed: its first sample that goes with all flags."""
    for sample in formula.samples:
        instance = formula(**sample)
        try:
            variants(instance)
        except ValueError:
            continue
        return instance
    raise ValueError(f"no sample of {formula.__name__} goes with all of {flags(formula)}")


def letters(instance: Formula) -> dict[str, str]:
    """How the book writes each name of a formula's code."""
    return {**SYMBOLS, **instance.letters}


def slope(expression: Any, x: Any) -> Any:
    """The derivative, with the value 0 for what is undefined at a kink."""
    if isinstance(expression, sympy.Piecewise):
        return sympy.Piecewise(*((slope(piece, x), condition) for piece, condition in expression.args))
    derived = sympy.diff(expression, x).replace(sympy.DiracDelta, lambda *_: sympy.Integer(0))
    if sympy.count_ops(derived) > TOO_LONG:
        return derived
    derived = derived.replace(sympy.Heaviside, lambda u, *_: sympy.Piecewise((1, u > 0), (0, True)))
    if cases := derived.atoms(sympy.Piecewise):  # to fold many into one makes every combination of theirs
        return sympy.piecewise_fold(derived) if len(cases) <= FEW else derived
    return simplest(derived, sympy.simplify(derived), sympy.factor(derived))


def simplest(*forms: Any) -> Any:
    """The shortest form of an expression."""
    return min(forms, key=sympy.count_ops)


def in_residual(expression: Any, symbols: dict[str, Any]) -> Any:
    """The loss as a function of r = prediction - target; None if it is not one."""
    pred, target = symbols["pred"], symbols["target"]
    substituted = expression.subs(pred, target + RESIDUAL)
    if isinstance(substituted, sympy.Piecewise):
        pieces = [(piece.simplify(), condition.simplify()) for piece, condition in substituted.args]
        substituted = sympy.Piecewise(*pieces)
    else:
        substituted = substituted.simplify()
    return None if target in substituted.free_symbols else substituted


def prox(instance: Formula) -> Any:
    """The proximal map as an expression; one for each parameter where several are looked at together."""
    stated = type(instance).prox_formula  # type: ignore[attr-defined]  # every penalty has one
    arguments = {"step": STEP, **instance.arguments()}
    return stated(**{name: arguments[name] for name in inspect.signature(stated).parameters})
