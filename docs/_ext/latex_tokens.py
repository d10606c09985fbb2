"""From the parse tree that KaTeX typesets to the flat list of tokens that one line of mathematics is read from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import katex

Node = dict[str, Any]


class Unreadable(ValueError):
    """LaTeX that has no one meaning."""


@dataclass(frozen=True)
class Token:
    kind: str
    text: str = ""
    node: Any = None

    def __str__(self) -> str:
        return self.text or self.kind


OPERATORS = {"+": "+", "-": "-", "−": "-", "\\cdot": "*", "\\times": "*", "\\odot": "*", "/": "/", "*": "*"}
RELATIONS = {
    **dict.fromkeys(("=", ":=", "≔", "\\coloneqq"), "="),
    **dict.fromkeys(("\\leftarrow", "\\gets"), "<-"),
    **dict.fromkeys(("\\le", "\\leq", "\\leqslant"), "<="),
    **dict.fromkeys(("\\ge", "\\geq", "\\geqslant"), ">="),
    **dict.fromkeys(("<", "\\lt"), "<"),
    **dict.fromkeys((">", "\\gt"), ">"),
    **dict.fromkeys(("≠", "\\ne", "\\neq"), "!="),
    **dict.fromkeys(("∈", "\\in"), "in"),
}
WORDS = {
    **dict.fromkeys(("if", "for", "when", ""), ""),
    **dict.fromkeys(("otherwise", "else"), "otherwise"),
    **dict.fromkeys(("where", "with"), ","),
    "and": "and",
    "or": "or",
}
OPEN = {"(": ")", "[": "]", "\\{": "\\}", "\\lbrace": "\\rbrace"}
FENCES = {"\\lfloor": "\\rfloor", "\\lceil": "\\rceil", "\\lvert": "\\rvert", "\\lVert": "\\rVert"}
BARS = {"|": "|", "\\vert": "|", "\\|": "\\|", "\\Vert": "\\|"}


def plain(nodes: Any) -> str:
    """The letters of a piece of text."""
    if isinstance(nodes, list):
        return "".join(plain(node) for node in nodes)
    return nodes["text"] if "text" in nodes else plain(nodes["body"])


def tokens(nodes: list[Node]) -> list[Token]:
    """The flat list of what stands on one line; groups, fractions, roots, fences and arrays stay whole."""
    found: list[Token] = []
    for node in nodes:
        found += token(node)
    return merge_digits(found)


def token(node: Node) -> list[Token]:
    kind, text = node["type"], node.get("text", "")
    match kind:
        case "spacing" | "kern" | "internal":
            return []
        case "ordgroup" if not node["body"]:
            return []
        case "styling" | "color" | "mclass":
            return [t for child in node["body"] for t in token(child)]
        case "htmlmathml":
            return delimiter_or_relation(plain(node["mathml"]))
        case "supsub":
            found = token(node["base"]) if node.get("base") else []
            for place in ("sub", "sup"):
                if node.get(place):
                    found.append(Token(place, node=node[place]))
            return found
        case "atom" | "textord" if re.fullmatch(r"[0-9.]", text):
            return [Token("digit", text)]
        case "atom" | "textord" if text in OPERATORS:
            return [Token("operator", OPERATORS[text])]
        case "atom" | "textord" if text in BARS:
            return [Token("bar", BARS[text])]
        case "atom" if text in (",", ";"):
            return [Token("comma", ",")]
        case "atom" if text in ("\\wedge", "\\land", "\\vee", "\\lor"):
            return [Token("word", "and" if text in ("\\wedge", "\\land") else "or")]
        case "atom":
            return delimiter_or_relation(text)
        case "delimsizing":
            mark = node["delim"]
            if mark in BARS:
                mark = {"mopen": "\\l", "mclose": "\\r"}[node["mclass"]] + {"|": "vert", "\\|": "Vert"}[BARS[mark]]
            return delimiter_or_relation(mark)
        case "mathord" | "textord" | "accent" | "font":
            return [Token("name", canonical(node))]
        case "text":
            word = plain(node["body"]).strip().rstrip(":,")
            if word not in WORDS:
                raise Unreadable(f"the text {word!r} has no meaning here; known are {sorted(filter(None, WORDS))}")
            meaning = WORDS[word]
            return [Token("comma", ",")] if meaning == "," else [Token("word", meaning)] if meaning else []
        case "op" if node.get("symbol") or node["name"] in ("\\max", "\\min"):
            return [Token("big", node["name"])]
        case "op":
            return [Token("function", node["name"].removeprefix("\\"))]
        case "operatorname":
            return [Token("function", plain(node["body"]))]
        case "ordgroup" | "genfrac" | "sqrt" | "leftright" | "array":
            return [Token(kind, node=node)]
    raise Unreadable(f"{kind} {text or node.get('label', '')} is not understood")


def delimiter_or_relation(text: str) -> list[Token]:
    if text in RELATIONS:
        return [Token("relation", RELATIONS[text])]
    if text in OPEN or text in FENCES:
        return [Token("open", text)]
    if text in OPEN.values() or text in FENCES.values():
        return [Token("close", text)]
    raise Unreadable(f"{text} is not understood")


def merge_digits(found: list[Token]) -> list[Token]:
    merged: list[Token] = []
    digits = ""
    for t in [*found, Token("end")]:
        if t.kind == "digit":
            digits += t.text
            continue
        if number := digits.rstrip("."):
            merged.append(Token("number", number))
        if digits.endswith("."):  # the full stop of a sentence
            merged.append(Token("comma", "."))
        digits = ""
        merged.append(t)
    return merged[:-1]


def canonical(node: Node | list[Node]) -> str:
    r"""One spelling for each name: ``\hat y`` and ``\hat{y}`` are both ``\hat{y}``."""
    if isinstance(node, list):
        return "".join(canonical(child) for child in node)
    match node["type"]:
        case "spacing" | "kern":
            return ""
        case "ordgroup" | "styling" | "color" | "mclass":
            return canonical(node["body"])
        case "accent":
            return f"{node['label']}{{{canonical(node['base'])}}}"
        case "font":
            return f"\\{node['font']}{{{canonical(node['body'])}}}"
        case "supsub":
            text = canonical(node["base"]) if node.get("base") else ""
            text += f"_{{{canonical(node['sub'])}}}" if node.get("sub") else ""
            return text + (f"^{{{canonical(node['sup'])}}}" if node.get("sup") else "")
        case "genfrac":
            return f"\\frac{{{canonical(node['numer'])}}}{{{canonical(node['denom'])}}}"
        case "text":
            return f"\\text{{{plain(node['body'])}}}"
        case "operatorname":
            return f"\\operatorname{{{plain(node['body'])}}}"
        case "op" if node.get("name"):
            return node["name"]
        case "leftright":  # in the exponent of what may be a name
            return f"{node['left']}{canonical(node['body'])}{node['right']}"
        case "atom" | "mathord" | "textord":
            return node["text"]
    raise Unreadable(f"{node['type']} cannot be part of a name")


def name(tex: str) -> str:
    r"""The canonical spelling of a name: ``name(r"\hat y") == name(r"\hat{y}")``."""
    return canonical(katex.parse(tex))


def inside(cell: Node) -> list[Node]:
    """What stands in a cell of an array."""
    (group,) = cell["body"]
    return group["body"]
