"""Hyper-parameters: each field of a formula states its range once; construction checks it, and the book prints it."""

from __future__ import annotations

import dataclasses
import math
import numbers
import operator
from collections.abc import Callable, Sequence
from typing import Any


@dataclasses.dataclass(frozen=True)
class Range:
    """What one hyper-parameter may be.

    ``text`` finishes the sentence "the parameter must be ...". ``accept`` returns the value to be stored, and raises
    ``TypeError`` for the wrong kind of thing and ``ValueError`` for a wrong value. ``slider`` is the span that a live
    figure offers; ``number`` tells whether the parameter is a symbol of the formula (a choice between formulas is
    not)."""

    text: str
    accept: Callable[[Any], Any]
    slider: tuple[float, float] | None = None
    number: bool = True

    def check(self, owner: str, name: str, value: Any) -> Any:
        """Return the value to be stored, or raise an error that names the formula and the parameter."""
        try:
            return self.accept(value)
        except TypeError:
            kind = type(value).__name__
            raise TypeError(f"{owner}: {name} must be {self.text}, got {value!r} of type {kind}") from None
        except ValueError:
            raise ValueError(f"{owner}: {name} must be {self.text}, got {value!r}") from None


def as_real(value: Any) -> float:
    """A finite real number as a float; bool and text are the wrong kind of thing."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError
    try:
        number = float(value)
    except OverflowError:
        raise ValueError from None
    if not math.isfinite(number):
        raise ValueError
    return number


def as_integer(value: Any) -> int:
    """An integer as an int; bool and floats are the wrong kind of thing."""
    if isinstance(value, bool):
        raise TypeError
    return operator.index(value)


def refuse_unless(good: Callable[[Any], bool], accept: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Narrow ``accept`` to the values for which ``good`` holds."""

    def narrowed(value: Any) -> Any:
        accepted = accept(value)
        if not good(accepted):
            raise ValueError
        return accepted

    return narrowed


def ranged(default: Any, text: str, accept: Callable[[Any], Any], **more: Any) -> Any:
    """A dataclass field with its range; without a default it must be given."""
    return dataclasses.field(default=default, metadata={"range": Range(text, accept, **more)})


def real(default: Any = dataclasses.MISSING, *, slider: tuple[float, float] | None = None) -> Any:
    """Any finite number."""
    return ranged(default, "a finite number", as_real, slider=slider)


def at_most_two(default: Any = dataclasses.MISSING, *, slider: tuple[float, float] | None = None) -> Any:
    """Any finite number up to 2."""
    return ranged(default, "a finite number <= 2", refuse_unless(lambda x: x <= 2, as_real), slider=slider)


def from_one_to_two(default: Any = dataclasses.MISSING, *, slider: tuple[float, float] | None = None) -> Any:
    """A number in [1, 2], both ends allowed."""
    return ranged(default, "a number in [1, 2]", refuse_unless(lambda x: 1 <= x <= 2, as_real), slider=slider)


def positive(default: Any = dataclasses.MISSING, *, slider: tuple[float, float] | None = None) -> Any:
    """A number above 0."""
    return ranged(default, "a number > 0", refuse_unless(lambda x: x > 0, as_real), slider=slider)


def above_one(default: Any = dataclasses.MISSING, *, slider: tuple[float, float] | None = None) -> Any:
    """A number above 1."""
    return ranged(default, "a number > 1", refuse_unless(lambda x: x > 1, as_real), slider=slider)


def nonnegative(default: Any = dataclasses.MISSING, *, slider: tuple[float, float] | None = None) -> Any:
    """A number at or above 0."""
    return ranged(default, "a number >= 0", refuse_unless(lambda x: x >= 0, as_real), slider=slider)


def optional_nonnegative(default: float | None = None, *, slider: tuple[float, float] | None = None) -> Any:
    """A number at or above 0, or None."""
    accept = refuse_unless(lambda x: x >= 0, as_real)
    return ranged(default, "a number >= 0 or None", lambda v: None if v is None else accept(v), slider=slider)


def fraction(default: Any = dataclasses.MISSING, *, slider: tuple[float, float] | None = None) -> Any:
    """A number in [0, 1): 0 is allowed, 1 is not."""
    return ranged(default, "a number in [0, 1)", refuse_unless(lambda x: 0 <= x < 1, as_real), slider=slider)


def inner(default: Any = dataclasses.MISSING, *, slider: tuple[float, float] | None = None) -> Any:
    """A number in (0, 1): neither end is allowed."""
    return ranged(default, "a number in (0, 1)", refuse_unless(lambda x: 0 < x < 1, as_real), slider=slider)


def share(default: Any = dataclasses.MISSING, *, slider: tuple[float, float] | None = None) -> Any:
    """A number in (0, 1]: 1 is allowed, 0 is not."""
    return ranged(default, "a number in (0, 1]", refuse_unless(lambda x: 0 < x <= 1, as_real), slider=slider)


def proportion(default: Any = dataclasses.MISSING, *, slider: tuple[float, float] | None = None) -> Any:
    """A number in [0, 1], both ends allowed."""
    return ranged(default, "a number in [0, 1]", refuse_unless(lambda x: 0 <= x <= 1, as_real), slider=slider)


def optional_proportion(default: float | None = None, *, slider: tuple[float, float] | None = None) -> Any:
    """A number in [0, 1], both ends allowed, or None."""
    accept = refuse_unless(lambda x: 0 <= x <= 1, as_real)
    text = "a number in [0, 1] or None"
    return ranged(default, text, lambda v: None if v is None else accept(v), slider=slider)


def order(default: Any = dataclasses.MISSING) -> Any:
    """The order of a norm: a number at or above 1."""
    return ranged(default, "a number >= 1", refuse_unless(lambda x: x >= 1, as_real), number=False)


def cosine(default: Any = dataclasses.MISSING, *, slider: tuple[float, float] | None = None) -> Any:
    """A number in [-1, 1], both ends allowed."""
    return ranged(default, "a number in [-1, 1]", refuse_unless(lambda x: -1 <= x <= 1, as_real), slider=slider)


def binary(default: int) -> Any:
    """One of the labels 0 and 1."""
    accept = refuse_unless(lambda x: x in (0, 1), as_integer)
    return ranged(default, "0 or 1", accept, number=False)


def count(default: Any = dataclasses.MISSING, *, slider: tuple[float, float] | None = None) -> Any:
    """An integer at or above 1."""
    return ranged(default, "an integer >= 1", refuse_unless(lambda x: x >= 1, as_integer), slider=slider)


def integer(default: Any = dataclasses.MISSING, *, least: int) -> Any:
    """An integer that counts something of the formula itself and is no symbol of it."""
    accept = refuse_unless(lambda x: x >= least, as_integer)
    return ranged(default, f"an integer >= {least}", accept, number=False)


def is_schedule(value: Any) -> bool:
    """Is it a schedule? (They are formulas, with hyper-parameters of their own: their module imports this one.)"""
    from lossref.schedules.base import Schedule

    return isinstance(value, Schedule)


def rate(default: Any = dataclasses.MISSING, *, slider: tuple[float, float] | None = None) -> Any:
    """A learning rate: a number above 0, or a schedule."""
    above = refuse_unless(lambda x: x > 0, as_real)
    return ranged(default, "a number > 0 or a schedule", lambda v: v if is_schedule(v) else above(v), slider=slider)


def schedule() -> Any:
    """A schedule, which must be given."""

    def accept(value: Any) -> Any:
        if not is_schedule(value):
            raise TypeError
        return value

    return ranged(dataclasses.MISSING, "a schedule", accept, number=False)


def flag(default: bool) -> Any:
    """True or False."""

    def accept(value: Any) -> bool:
        if not isinstance(value, bool):
            raise TypeError
        return value

    return ranged(default, "True or False", accept, number=False)


def choice(default: str, options: Sequence[str]) -> Any:
    """One of a few names."""

    def accept(value: Any) -> str:
        if not isinstance(value, str):
            raise TypeError
        if value not in options:
            raise ValueError
        return value

    return ranged(default, " or ".join(repr(option) for option in options), accept, number=False)


def optional_integer(default: int | None = None) -> Any:
    """An integer, or None."""
    return ranged(default, "an integer or None", lambda v: None if v is None else as_integer(v), number=False)


def as_sequence(value: Any, accept: Callable[[Any], Any]) -> tuple[Any, ...]:
    """The members of a sequence, each accepted; text and what has no order are the wrong kind of thing."""
    if isinstance(value, str | bytes | dict | set) or not hasattr(value, "__iter__"):
        raise TypeError
    return tuple(accept(member) for member in value)


def group_of_each() -> Any:
    """A sequence of integers, one a row, stored as a tuple."""
    text = "a sequence of integers, one for each row of w"
    return ranged(dataclasses.MISSING, text, lambda v: as_sequence(v, as_integer), number=False)


def optional_weights(default: Sequence[float] | None = None) -> Any:
    """A sequence of numbers at or above 0, one a class, stored as a tuple; or None."""

    def accept(value: Any) -> tuple[float, ...] | None:
        if value is None:
            return None
        weights = as_sequence(value, as_real)
        if not weights or min(weights) < 0:
            raise ValueError
        return weights

    return ranged(default, "a sequence of numbers >= 0, one for each class, or None", accept, number=False)
