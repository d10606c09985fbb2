"""Sums of losses and penalties: the operators, the terms they collect, and how the results of terms are added up."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lossref import symbolic as sp
from lossref._arrays import Array
from lossref._parameters import is_schedule, real

NUMBER = real().metadata["range"]
BLOCK = 16_384  # elements that are scaled and added while the cache holds them


class Composable:
    """What is added to its like and multiplied by numbers and schedules: a loss, a penalty, or a sum of these."""

    __array_ufunc__ = None  # a NumPy number times this is this times the number, not an array of objects

    def _terms(self) -> tuple[Term, ...]:
        return (Term(self),)

    def __add__(self, other: Any) -> Any:
        if not isinstance(other, Composable):
            return NotImplemented
        return composed((*self._terms(), *other._terms()))

    def __mul__(self, factor: Any) -> Any:
        if isinstance(factor, Composable | str | bytes):
            return NotImplemented
        if not is_schedule(factor):
            factor = NUMBER.check(type(self).__name__, "a factor", factor)
        return composed(tuple(term.times(factor) for term in self._terms()))

    __rmul__ = __mul__

    def __neg__(self) -> Any:
        return -1.0 * self

    def __sub__(self, other: Any) -> Any:
        return self + -other if isinstance(other, Composable) else NotImplemented


@dataclasses.dataclass(frozen=True)
class Term:
    """A loss or a penalty times a number and, where its weight changes with the step, times schedules."""

    of: Any
    number: float = 1.0
    schedules: tuple[Any, ...] = ()

    def times(self, factor: Any) -> Term:
        """This term once more multiplied."""
        if is_schedule(factor):
            return dataclasses.replace(self, schedules=(*self.schedules, factor))
        return dataclasses.replace(self, number=factor * self.number)

    def at(self, t: Any) -> Term:
        """This term with the numbers that its schedules have at a step."""
        number = self.number
        for schedule in self.schedules:
            number *= float(schedule(t))
        return Term(self.of, number)

    def __repr__(self) -> str:
        text = repr(self.of)
        for schedule in self.schedules:
            text = f"{schedule!r}*{text}"
        if self.number in (1.0, -1.0):
            return text if self.number == 1 else f"-{text}"
        return f"{self.number!r}*({text})" if self.schedules else f"{self.number!r}*{text}"

    def latex(self) -> str:
        """The term with its settings as numbers: two terms may use one letter for different things."""
        numbers = {
            symbol: sp.Integer(value) if value == int(value) else sp.Float(value)
            for name, symbol in self.of.arguments().items()
            if isinstance(value := getattr(self.of, name, None), float)
        }
        text = bracketed(self.of.expression().subs(numbers), self.of.latex)
        for schedule in self.schedules:
            rate = schedule.expression_at(sp.Symbol("t", real=True)).evalf(6)
            text = rf"{bracketed(rate, sp.latex)} \, {text}"
        if self.number in (1.0, -1.0):
            return text if self.number == 1 else f"-{text}"
        return rf"{self.number:.6g} \, {text}"


def bracketed(expression: Any, write: Callable[[Any], str]) -> str:
    """An expression as LaTeX, in brackets if it is a sum itself."""
    text = write(expression)
    return rf"\left({text}\right)" if expression.is_Add else text


class Sum(Composable):
    """What sums of either kind share: terms, how they are written, and their weights at a step."""

    terms: tuple[Term, ...]

    def _terms(self) -> tuple[Term, ...]:
        return self.terms

    def __repr__(self) -> str:
        return joined([repr(term) for term in self.terms])

    def _repr_latex_(self) -> str | None:
        try:
            return rf"$\displaystyle {joined([term.latex() for term in self.terms])}$"
        except ImportError:  # a notebook without SymPy shows the plain repr
            return None

    def at(self, t: Any) -> Any:
        """Return the sum as it is at a step, its schedules replaced by the numbers that they give there.

        Parameters
        ----------
        t : int or float
            The step, at or above 0.
        """
        if not any(term.schedules for term in self.terms):
            return self
        if t is None:
            raise TypeError(f"{type(self).__name__}: the weights of {self!r} change with the step; pass t=")
        if np.ndim(t):
            raise TypeError(
                f"{type(self).__name__}: t must be one step, got {np.shape(t)} of them; a sum has one value"
            )
        return composed(tuple(term.at(t) for term in self.terms))


def joined(texts: Sequence[str]) -> str:
    """Texts of terms as that of their sum."""
    text = texts[0]
    for more in texts[1:]:
        text += f" - {more[1:]}" if more.startswith("-") else f" + {more}"
    return text


def composed(terms: tuple[Term, ...]) -> Any:
    """The sum of terms, as one of the classes that can compute it."""
    from lossref.losses.base import PredictionLoss
    from lossref.losses.compose import Combined, Penalized
    from lossref.regularizers.compose import CombinedPenalty

    losses = tuple(term for term in terms if isinstance(term.of, PredictionLoss))
    penalties = tuple(term for term in terms if not isinstance(term.of, PredictionLoss))
    if not penalties:
        return Combined(losses)
    if not losses:
        return CombinedPenalty(penalties)
    return Penalized(Combined(losses), CombinedPenalty(penalties))


def added(terms: Sequence[Term], out: Array | None, ask: Callable[[Any, Array | None], Any]) -> Any:
    """The sum of the arrays that ``ask`` gets from each term, times their numbers.

    Only the last array is asked for in ``out``: that may be one of the inputs, which the others must have read before.
    """
    *first, last = terms
    total, share = None, 1.0
    for term in first:
        each = ask(term.of, None)
        total, share = (each, term.number) if total is None else (mixed(total, share, each, term.number), 1.0)
    result = ask(last.of, out)
    with np.errstate(all="ignore"):
        if total is not None:
            return mixed(total, share, result, last.number)
        if last.number != 1:
            result *= last.number
        return result


def mixed(total: Any, share: float, new: Any, number: float) -> Any:
    """``share * total + number * new``, in the memory of ``new``, block by block: memory is passed through once."""
    with np.errstate(all="ignore"):
        if not np.ndim(new):
            return share * total + number * new
        rows = max(1, BLOCK * len(new) // max(new.size, 1))
        for start in range(0, len(new), rows):
            part = new[start : start + rows]
            part *= number
            part += share * total[start : start + rows]
        return new
