r"""Execute displayed LaTeX: the parse tree from which KaTeX typesets the page is evaluated as a number.

>>> Display(r"\ell = \tfrac12 r^2, \qquad r = \hat y - y").value({r"\hat y": 5, "y": 2})
mpf('4.5')

What a reader could take in two ways is refused with :class:`Unreadable`, never guessed: ``a / b c``, ``\log x y``, a
letter without a value, a macro without a meaning.

The first statement is what is displayed; those that follow (", \\qquad r = ...", "where ...", further lines) define
its letters, in any order. A line with ``\leftarrow`` assigns: it changes the letter for the lines below it. A
definition with a free index, ``p_c = ...``, serves every index; one with arguments, ``\sigma(x) = ...``, is a function.
Functions that are not defined in the display can be given by keyword. A part like ``0 \le t \le T`` limits the letters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import katex
import mpmath
from latex_grammar import CONSTANTS, Closure, Indexed, Reader, Scope, Value, number, whole
from latex_tokens import Node, Token, Unreadable, canonical, inside, name, tokens

__all__ = ["Display", "Indexed", "OutOfRange", "Unreadable"]


class OutOfRange(ValueError):
    """Values for which the display states nothing: it ends in a condition that they do not meet."""


@dataclass
class Statement:
    """``name(parameters) = expression = expression ...``, or with an arrow."""

    name: str
    parameters: list[str]
    arrow: bool
    sides: list[list[Token]] = field(repr=False)
    value: Closure = field(init=False, repr=False)


class Display:
    """A displayed formula, ready to be evaluated; ``letters`` are the names that stand in it."""

    def __init__(self, tex: str, **functions: Callable[..., Value]) -> None:
        self.tex = tex
        self.letters: set[str] = set()
        self.subscripts: list[tuple[str, str]] = []
        self.functions: dict[str, tuple[list[str] | None, Callable]] = {f: (None, v) for f, v in functions.items()}
        self.definitions: dict[str, Closure] = {}
        try:
            lines = _lines(katex.parse(tex))
            self.statements = [_statement(line) for line in lines if not _is_condition(line)]
            for later in self.statements[1:]:
                if later.parameters:
                    self.functions[later.name] = (later.parameters, lambda scope, s=later: s.value(scope))
            for statement in self.statements:
                statement.value = self._agreeing(statement)
                if not statement.arrow and not statement.parameters:
                    if statement.name in self.definitions:
                        raise Unreadable(f"{statement.name} is defined twice")
                    self.definitions[statement.name] = statement.value
            readers = [Reader(line, self) for line in lines if _is_condition(line)]
            self.conditions = [reader.all(reader.condition) for reader in readers]
        except (Unreadable, katex.KatexError) as error:
            raise Unreadable(f"{error}\n    in {tex}") from None
        if not self.statements:
            raise Unreadable(f"nothing is stated\n    in {tex}")

    def _agreeing(self, statement: Statement) -> Closure:
        """The value of a statement; where it gives several forms, they must be equal."""
        readers = [Reader(side, self) for side in statement.sides]
        forms = [reader.all(reader.expression) for reader in readers]

        def value(scope: Scope) -> Value:
            first, *others = (form(scope) for form in forms)
            for other in others:
                if not mpmath.almosteq(first, other, rel_eps=1e-9, abs_eps=1e-12):
                    raise Unreadable(f"{statement.name} = {first} = {other}: the sides differ")
            return first

        return value

    def look_up(self, key: str, scope: Scope, stem: str = "", index: Closure | None = None) -> Value:
        if key in scope.values:
            return number(scope, key)
        if key in self.definitions:
            return scope.defined(key)
        if index is not None:
            if isinstance(found := scope.values.get(stem), Indexed):
                return found[whole(index(scope))]
            for pattern in self.definitions:
                if (match := re.fullmatch(re.escape(stem) + r"_\{([a-zA-Z])\}", pattern)) is not None:
                    return scope.bind(values={match[1]: index(scope)}).defined(pattern)
        if key in CONSTANTS:
            return +CONSTANTS[key]
        raise Unreadable(f"{key} has no value")

    def _scope(self, values: Mapping[str, Any]) -> Scope:
        given = {name(key): value for key, value in values.items()}
        if twice := given.keys() & self.definitions.keys():
            raise Unreadable(f"given and defined: {', '.join(sorted(twice))}\n    in {self.tex}")
        scope = Scope(given, self.definitions)
        if not all(holds(scope) for holds in self.conditions):
            raise OutOfRange(f"not stated for these values\n    in {self.tex}")
        return scope

    def value(self, values: Mapping[str, Any]) -> Value:
        """The value of the first statement. ``values`` are numbers or :class:`Indexed`, by their LaTeX."""
        scope = self._scope(values)
        try:
            return self.statements[0].value(scope)
        except Unreadable as error:
            raise Unreadable(f"{error}\n    in {self.tex}") from None

    def run(self, values: Mapping[str, Any]) -> dict[str, Value]:
        """Execute all statements as lines of an update rule: what each letter is afterwards."""
        scope, result = self._scope(values), {}
        try:
            for statement in self.statements:
                if not statement.parameters:
                    result[statement.name] = statement.value(scope)
                    if statement.arrow:
                        scope = scope.bind(values={statement.name: result[statement.name]})
        except Unreadable as error:
            raise Unreadable(f"{error}\n    in {self.tex}") from None
        return result


def _lines(tree: list[Node]) -> list[list[Token]]:
    """The statements: parts between commas, words like "where", and the rows of an aligned array."""
    rows = [tree]
    arrays = [node for node in tree if node["type"] == "array"]
    if arrays:
        if len(arrays) > 1 or any(t.kind != "comma" for t in tokens([node for node in tree if node not in arrays])):
            raise Unreadable("an aligned array must stand alone")
        rows = [[node for cell in row for node in inside(cell)] for row in arrays[0]["body"]]
    found: list[list[Token]] = []
    for row in rows:
        line = tokens(row)
        continued = bool(line) and line[0].kind in ("relation", "operator") and bool(found)
        depth, part = 0, (found.pop() if continued else [])
        for t in line:
            depth += (t.kind == "open") - (t.kind == "close")
            if t.kind == "comma" and depth == 0:
                found.append(part)
                part = []
            else:
                part.append(t)
        found.append(part)
    return [part for part in found if part]


def _is_condition(line: list[Token]) -> bool:
    """Whether a part only limits the letters, like ``0 <= t <= T``."""
    relations = [t.text for t in line if t.kind == "relation"]
    return bool(relations) and not {"=", "<-"} & set(relations)


def _statement(line: list[Token]) -> Statement:
    sides: list[list[Token]] = [[]]
    relations, depth = [], 0
    for t in line:
        depth += (t.kind == "open") - (t.kind == "close")
        if t.kind == "relation" and t.text in ("=", "<-") and depth == 0:
            relations.append(t.text)
            sides.append([])
        else:
            sides[-1].append(t)
    left, *right = sides
    if not relations or not left or not all(right) or len(set(relations)) > 1:
        raise Unreadable(f"a statement is written name = expression, unlike: {' '.join(map(str, line))}")
    opening = next((k for k, t in enumerate(left) if t.kind == "open" and t.text == "("), len(left))
    named, arguments = left[:opening], left[opening + 1 : -1]
    return Statement(
        "".join(_side(t) for t in named),
        [_side(t) for t in arguments if t.kind != "comma"],
        relations[0] == "<-",
        right,
    )


def _side(t: Token) -> str:
    """A token of a left side, spelled as in a name."""
    if t.kind in ("sub", "sup"):
        return f"{'_' if t.kind == 'sub' else '^'}{{{canonical(t.node)}}}"
    return canonical(t.node) if t.node else t.text
