"""How one line of displayed mathematics is read: recursive descent to a closure that awaits the letters' values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import mpmath
from latex_tokens import BARS, FENCES, OPEN, Node, Token, Unreadable, canonical, inside, tokens

Value = Any
Closure = Callable[["Scope"], Value]


@dataclass(frozen=True)
class Indexed:
    """The values of a letter with an index: ``first`` is the index of the first of them."""

    values: Sequence[Any]
    first: int = 1

    def __getitem__(self, index: int) -> Value:
        if not 0 <= index - self.first < len(self.values):
            raise Unreadable(f"index {index} is outside {self.first} ... {self.first + len(self.values) - 1}")
        return mpmath.mpmathify(self.values[index - self.first])

    def indices(self) -> range:
        return range(self.first, self.first + len(self.values))


@dataclass
class Scope:
    """What letters mean: given values, and the display's own definitions, evaluated when they are asked for."""

    values: dict[str, Value]
    definitions: Mapping[str, Closure]
    busy: frozenset[str] = frozenset()

    def bind(self, **more: Any) -> Scope:
        return Scope({**self.values, **more.pop("values", {})}, self.definitions, more.pop("busy", self.busy))

    def defined(self, key: str) -> Value:
        if key in self.busy:
            raise Unreadable(f"{key} is defined by itself; an update is written with \\leftarrow")
        return self.definitions[key](self.bind(busy=self.busy | {key}))


def number(scope: Scope, key: str) -> Value:
    value = scope.values[key]
    if isinstance(value, Indexed):
        raise Unreadable(f"{key} has an index, and stands here without")
    return mpmath.mpmathify(value)


def whole(value: Value) -> int:
    if value != int(value):
        raise Unreadable(f"the index {value} is not whole")
    return int(value)


COMPARE: dict[str, Callable[[Value, Value], bool]] = {
    "=": lambda a, b: a == b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "!=": lambda a, b: a != b,
}
FUNCTIONS: dict[str, Callable[..., Value]] = {
    "exp": mpmath.exp,
    "log": mpmath.log,
    "ln": mpmath.log,
    "cos": mpmath.cos,
    "cosh": mpmath.cosh,
    "sin": mpmath.sin,
    "tanh": mpmath.tanh,
    "sign": mpmath.sign,
    "sgn": mpmath.sign,
}
BIG: dict[str, Callable[[list[Value]], Value]] = {
    "\\sum": mpmath.fsum,
    "\\prod": mpmath.fprod,
    "\\max": max,
    "\\min": min,
}
FENCED: dict[str, Callable[[Value], Value]] = {
    "(": lambda x: x,
    "[": lambda x: x,
    "\\{": lambda x: x,
    "\\lbrace": lambda x: x,
    "|": abs,
    "\\vert": abs,
    "\\lvert": abs,
    "\\lfloor": mpmath.floor,
    "\\lceil": mpmath.ceil,
}
CONSTANTS = {"e": mpmath.e, "\\mathrm{e}": mpmath.e, "\\pi": mpmath.pi, "\\infty": mpmath.inf}
MARKS = {"\\star", "*", "\\prime", "\\prime\\prime", "\\max", "\\min"}  # superscripts that are part of a name
INDICATORS = {"\\mathbb{1}", "\\mathbf{1}"}


class Reader:
    """Recursive descent over the tokens of one line, to a closure that awaits a scope."""

    def __init__(self, line: list[Token], display: Any) -> None:
        self.line, self.display = line, display
        self.at = 0
        self.inside_bars = ""

    # -- the tape

    def peek(self, *kinds: str) -> Token | None:
        there = self.line[self.at] if self.at < len(self.line) else None
        return there if there and (not kinds or there.kind in kinds) else None

    def take(self, *kinds: str) -> Token | None:
        if there := self.peek(*kinds):
            self.at += 1
        return there

    def rest(self) -> str:
        return " ".join(map(str, self.line[self.at :])) or "the end"

    def all(self, rule: Callable[[], Any]) -> Any:
        """The whole line by one rule."""
        result = rule()
        if self.peek():
            raise Unreadable(f"cannot read on at: {self.rest()}")
        return result

    def inner(self, node: Node, rule: str = "expression") -> Any:
        """A group, read as a line of its own."""
        body = node["body"] if node["type"] in ("ordgroup", "leftright", "styling") else [node]
        reader = Reader(tokens(body), self.display)
        return reader.all(getattr(reader, rule))

    # -- the grammar

    def expression(self) -> Closure:
        minus = (sign := self.take("operator")) is not None
        if sign and sign.text not in "+-":
            raise Unreadable(f"nothing stands before {sign.text}")
        value = self.product()
        if minus and sign.text == "-":
            value = _apply(lambda a: -a, value)
        while (sign := self.peek("operator")) and sign.text in "+-":
            self.take()
            value = _apply((lambda a, b: a + b) if sign.text == "+" else (lambda a, b: a - b), value, self.product())
        return value

    def product(self) -> Closure:
        value, divided = self.factor(), False
        while True:
            if (sign := self.peek("operator")) and sign.text in "*/":
                self.take()
                divided = sign.text == "/"
                value = _apply((lambda a, b: a / b) if divided else (lambda a, b: a * b), value, self.factor())
            elif self.starts_factor():
                if divided:
                    raise Unreadable(f"a / b c may mean two things; at: {self.rest()}")
                value = _apply(lambda a, b: a * b, value, self.factor())
            else:
                return value

    def starts_factor(self) -> bool:
        there = self.peek()
        if there and there.kind == "bar":
            return there.text != self.inside_bars
        return there is not None and there.kind in (
            *("number", "name", "open", "function", "big", "ordgroup", "genfrac", "sqrt", "leftright"),
        )

    def factor(self) -> Closure:
        value = self.primary()
        while power := self.take("sup"):
            value = _apply(_power, value, self.inner(power.node))
        return value

    def primary(self) -> Closure:
        t = self.take()
        if t is None:
            raise Unreadable("something is missing at the end")
        match t.kind:
            case "number":
                return lambda scope: mpmath.mpf(t.text)
            case "name" if t.text in INDICATORS:
                condition = self.enclosed("condition")
                return lambda scope: mpmath.mpf(condition(scope))
            case "name":
                return self.named(t.text)
            case "function":
                return self.applied(t.text)
            case "big":
                return self.big(t.text)
            case "open" | "bar":
                self.at -= 1
                return self.fenced()
            case "ordgroup":
                return self.inner(t.node)
            case "genfrac":
                if not t.node["hasBarLine"]:
                    raise Unreadable("a binomial is not understood")
                return _apply(lambda a, b: a / b, self.inner(t.node["numer"]), self.inner(t.node["denom"]))
            case "sqrt":
                if t.node.get("index"):
                    raise Unreadable("a root with an index is not understood")
                return _apply(mpmath.sqrt, self.inner(t.node["body"]))
            case "leftright":
                return self.leftright(t.node)
        raise Unreadable(f"nothing can begin with {t}, at: {self.rest()}")

    def named(self, base: str) -> Closure:
        sub = self.take("sub")
        spelled = f"_{{{canonical(sub.node)}}}" if sub else ""
        mark = ""
        if (power := self.peek("sup")) and canonical(power.node) in MARKS:
            mark = f"^{{{canonical(self.take().node)}}}"
        if base + mark in self.display.functions and sub is None and self.peek("open", "leftright"):
            return self.called(base + mark)
        key = base + spelled + mark
        self.display.letters.add(key)
        if sub is None:
            return lambda scope: self.display.look_up(key, scope)
        self.display.subscripts.append((base + mark, canonical(sub.node)))
        try:
            index = self.inner(sub.node)
        except Unreadable:
            index = None
        return lambda scope: self.display.look_up(key, scope, base + mark, index)

    def called(self, base: str) -> Closure:
        parameters, body = self.display.functions[base]
        arguments = self.arguments()
        if parameters is None:
            return lambda scope: mpmath.mpmathify(body(*(argument(scope) for argument in arguments)))
        if len(arguments) != len(parameters):
            raise Unreadable(f"{base} takes {len(parameters)} arguments")
        return lambda scope: body(scope.bind(values={p: a(scope) for p, a in zip(parameters, arguments, strict=True)}))

    def applied(self, function: str) -> Closure:
        if function not in FUNCTIONS:
            raise Unreadable(f"the function {function} is not known; known are {', '.join(FUNCTIONS)}")
        power = self.take("sup")
        if power and not re.fullmatch("[0-9]+", canonical(power.node)):
            raise Unreadable(f"{function} to the power {canonical(power.node)} may mean two things")
        if self.peek("open", "leftright"):
            (argument,) = self.arguments()
            if self.peek("sup"):
                raise Unreadable(f"{function}(...) to a power may mean two things; write the power after {function}")
        elif self.peek("big"):
            argument = self.product()
        else:
            group = self.peek("ordgroup")
            argument = self.primary() if group else self.factor()
            if not group and self.starts_factor() and not self.peek("function"):
                raise Unreadable(f"{function} x y may mean two things; at: {self.rest()}")
        value = _apply(FUNCTIONS[function], argument)
        return _apply(_power, value, self.inner(power.node)) if power else value

    def big(self, operator: str) -> Closure:
        r"""\sum, \prod, \max, \min over an index, or over the members of a set; or \max, \min of a list."""
        sub, sup = self.take("sub"), self.take("sup")
        if sub is None:
            if operator not in ("\\max", "\\min"):
                raise Unreadable(f"{operator} without an index")
            group = self.peek("ordgroup")
            inside = self.inner(self.take().node, "arguments") if group else self.arguments()
            return lambda scope: BIG[operator]([argument(scope) for argument in inside])
        if (members := self.membership(sub)) is not None:
            indices, among = members
            each = self.product() if operator in ("\\sum", "\\prod") else self.factor()
            return lambda scope: BIG[operator](
                [each(scope.bind(values=dict(zip(indices, m, strict=True)))) for m in scope.values[among]]
            )
        index, relation, low = self.bounds(sub)
        high = self.inner(sup.node) if sup else None
        if (relation == "=") != (high is not None):
            raise Unreadable(f"{operator} needs both bounds or none")
        earlier, self.display.subscripts = self.display.subscripts, []
        body = self.product() if operator in ("\\sum", "\\prod") else self.factor()
        bases = {base for base, spelled in self.display.subscripts if spelled == index}
        self.display.subscripts = earlier + self.display.subscripts

        def value(scope: Scope) -> Value:
            if high is not None:
                span = range(whole(low(scope)), whole(high(scope)) + 1)
            else:
                spans = {scope.values[b].indices() for b in bases if isinstance(scope.values.get(b), Indexed)}
                if len(spans) != 1:
                    raise Unreadable(f"the bounds of {operator} over {index} are not clear: write them")
                (span,) = spans
            if relation == "!=":
                span = [k for k in span if k != low(scope)]
            return BIG[operator]([body(scope.bind(values={index: k})) for k in span])

        return value

    def membership(self, sub: Token) -> tuple[list[str], str] | None:
        r"""The indices and the set of ``(a, p, n) \in T``; the value of the set is a list of tuples."""
        line = tokens(sub.node["body"] if sub.node["type"] == "ordgroup" else [sub.node])
        *left, relation, among = line if len(line) > 2 else [*line, Token("end"), Token("end")]
        if relation.kind != "relation" or relation.text != "in" or among.kind != "name":
            return None
        self.display.letters.add(among.text)
        return [t.text for t in left if t.kind == "name"], among.text

    def bounds(self, sub: Token) -> tuple[str, str, Closure | None]:
        line = tokens(sub.node["body"] if sub.node["type"] == "ordgroup" else [sub.node])
        if not line or line[0].kind != "name":
            raise Unreadable("the index of a sum must be a letter")
        if len(line) == 1:
            return line[0].text, "", None
        if line[1].kind != "relation" or line[1].text not in ("=", "!="):
            raise Unreadable(f"the bound {canonical(sub.node)} is not understood")
        reader = Reader(line[2:], self.display)
        return line[0].text, line[1].text, reader.all(reader.expression)

    def arguments(self) -> list[Closure]:
        """What stands in the parentheses after a function."""
        if fence := self.take("leftright"):
            if fence.node["left"] not in OPEN:
                raise Unreadable(f"arguments in {fence.node['left']}")
            return self.inner(fence.node, "listed")
        return self.enclosed("listed")

    def listed(self) -> list[Closure]:
        found = [self.expression()]
        while self.take("comma"):
            found.append(self.expression())
        return found

    def enclosed(self, rule: str) -> Any:
        """What a rule reads between an opening and its closing mark."""
        if fence := self.take("leftright"):
            return self.inner(fence.node, rule)
        if not (mark := self.take("open")):
            raise Unreadable(f"an opening parenthesis is missing, at: {self.rest()}")
        outside, self.inside_bars = self.inside_bars, ""
        result = getattr(self, rule)()
        self.inside_bars = outside
        closing = self.take("close")
        if closing is None or closing.text != {**OPEN, **FENCES}[mark.text]:
            raise Unreadable(f"{mark.text} is not closed, at: {self.rest()}")
        return result

    def fenced(self) -> Closure:
        if bar := self.take("bar"):
            if self.inside_bars:
                raise Unreadable("bars within bars: write \\lvert and \\rvert")
            self.inside_bars = bar.text
            value = self.expression() if bar.text == "|" else self.normed()
            self.inside_bars = ""
            if not ((closing := self.take("bar")) and closing.text == bar.text):
                raise Unreadable(f"{bar.text} is not closed, at: {self.rest()}")
            return _apply(abs, value) if bar.text == "|" else self.norm(value)
        mark = self.peek().text
        if mark == "\\lVert":
            return self.norm(self.enclosed("normed"))
        return _apply(FENCED[mark], self.enclosed("expression"))

    def leftright(self, node: Node) -> Closure:
        left, right = node["left"], node["right"]
        if left == "\\{" and right == "." and len(node["body"]) == 1 and node["body"][0]["type"] == "array":
            return self.cases(node["body"][0])
        if left in BARS and BARS[left] == BARS.get(right):
            return _apply(abs, self.inner(node)) if BARS[left] == "|" else self.norm(self.inner(node, "normed"))
        if {**OPEN, **FENCES}.get(left) != right:
            raise Unreadable(f"\\left{left} ... \\right{right} is not understood")
        return self.norm(self.inner(node, "normed")) if left == "\\lVert" else _apply(FENCED[left], self.inner(node))

    def normed(self) -> tuple[str, Closure | None]:
        """The letter whose norm is taken, and which of its parts: ``w_g`` is the vector of group g."""
        letter = self.take("name")
        if letter is None:
            raise Unreadable(f"the norm of anything but a letter is not understood, at: {self.rest()}")
        if (part := self.take("sub")) is None:
            return letter.text, None
        self.display.subscripts.append((letter.text, canonical(part.node)))
        return letter.text, self.inner(part.node)

    def norm(self, normed: tuple[str, Closure | None]) -> Closure:
        letter, part = normed
        sub = self.take("sub")
        kind = canonical(sub.node) if sub else "2"
        if kind not in ("1", "2"):
            raise Unreadable(f"the norm with index {kind} is not understood")

        def value(scope: Scope) -> Value:
            found = scope.values.get(letter)
            if not isinstance(found, Indexed):
                raise Unreadable(f"the norm of {letter}, which has no values with an index")
            if part is not None:
                found = Indexed(found.values[whole(part(scope)) - found.first])
            entries = [found[k] for k in found.indices()]
            return mpmath.fsum(map(abs, entries)) if kind == "1" else mpmath.sqrt(mpmath.fsum(x**2 for x in entries))

        return value

    def cases(self, array: Node) -> Closure:
        rows = []
        for row in array["body"]:
            cells = [tokens(inside(cell)) for cell in row]
            if not any(cells):
                continue
            if len(cells) != 2:
                raise Unreadable("each of the cases needs its condition")
            value, condition = Reader(_without_comma(cells[0]), self.display), Reader(cells[1], self.display)
            rows.append((value.all(value.expression), condition.all(condition.condition)))

        def chosen(scope: Scope) -> Value:
            for value, condition in rows:
                if condition(scope):
                    return value(scope)
            raise Unreadable("none of the cases holds")

        return chosen

    # -- conditions

    def condition(self) -> Closure:
        either = [self.conjunction()]
        while (word := self.peek("word")) and word.text == "or":
            self.take()
            either.append(self.conjunction())
        return lambda scope: any(part(scope) for part in either)

    def conjunction(self) -> Closure:
        both = [self.comparison()]
        while (word := self.peek("word", "comma")) and word.text in ("and", ","):
            self.take()
            both.append(self.comparison())
        return lambda scope: all(part(scope) for part in both)

    def comparison(self) -> Closure:
        if (word := self.peek("word")) and word.text == "otherwise":
            self.take()
            return lambda scope: True
        if self.peek("leftright", "open"):  # SymPy's (a < b) \vee (c < d)
            start = self.at
            try:
                return self.enclosed("condition")
            except Unreadable:
                self.at = start
        terms, relations = [self.expression()], []
        while relation := self.take("relation"):
            if relation.text not in COMPARE:
                raise Unreadable(f"{relation.text} cannot be in a condition")
            relations.append(COMPARE[relation.text])
            terms.append(self.expression())
        if not relations:
            raise Unreadable(f"a condition needs a comparison, at: {self.rest()}")

        def holds(scope: Scope) -> bool:
            values = [term(scope) for term in terms]
            return all(r(a, b) for r, a, b in zip(relations, values, values[1:], strict=False))

        return holds


def _apply(function: Callable[..., Value], *closures: Closure) -> Closure:
    return lambda scope: function(*(closure(scope) for closure in closures))


def _power(base: Value, exponent: Value) -> Value:
    return base ** (int(exponent) if exponent == int(exponent) else exponent)


def _without_comma(line: list[Token]) -> list[Token]:
    return line[:-1] if line and line[-1].kind == "comma" else line
