"""Live figures: a formula to take in the hand.

Sliders are its hyper-parameters. The JavaScript that draws is printed from the SymPy formula, so the figure cannot
say anything that the library does not; ``_static/live.js`` knows about axes and sliders and about no formula.
Nothing here needs Sphinx."""

from __future__ import annotations

import dataclasses
import html
import json
import math
from typing import Any

import katex
import mathematics
import sympy
from sympy.printing.jscode import JavascriptCodePrinter

from lossref import registry
from lossref._formula import Formula

#: The surface that optimizers descend, steep across and flat along, and where they start.
RAVINE, START = (1.0, 10.0), (-4.0, 1.5)

#: What the figures leave out, so that no position of the sliders is refused by the library.
CARE: dict[str, dict[str, Any]] = {
    "SGD": {"without": ("dampening",), "sliders": {"momentum": (0.01, 0.99)}},
    "CategoricalCrossEntropy": {"without": ("from_logits",)},
    "Cosine": {"sliders": {"peak": (0.2, 1.0), "floor": (0.0, 0.2)}},
}


# ------------------------------------------------------------------------------------------------------ JavaScript


class Printer(JavascriptCodePrinter):
    """SymPy's JavaScript on one line, without its reserved words for numbers."""

    def _print_Piecewise(self, expr):
        *cases, (last, _) = expr.args
        chain = "".join(f"({self._print(condition)}) ? ({self._print(piece)}) : " for piece, condition in cases)
        return f"({chain}({self._print(last)}))"


def function(expression: Any, names: list[str]) -> str:
    """A JavaScript function of named numbers; a dict of expressions gives an object."""
    if isinstance(expression, dict):
        body = "({" + ", ".join(f"{name}: {printed(e)}" for name, e in expression.items()) + "})"
    else:
        body = printed(expression)
    return f"({{{', '.join(names)}}}) => {body}"


def printed(expression: sympy.Expr) -> str:
    code = Printer({"strict": True}).doprint(sympy.sympify(expression))
    if "\n" in code:
        raise ValueError(f"no JavaScript for {expression}")
    return code


def printed_loss(instance: Formula) -> dict[str, str]:
    symbols, expression = instance.arguments(), instance.expression()
    pred = symbols["pred"] if isinstance(symbols["pred"], sympy.Symbol) else symbols["pred"][0]
    names = sorted(map(str, expression.free_symbols | {pred}))
    return {
        "value": function(expression, names),
        "slope": function(mathematics.slope(expression, pred), names),
    }


def printed_paired(instance: Formula) -> dict[str, str]:
    symbols, expression = instance.arguments(), instance.expression()
    first, names = symbols[instance.learned[0]], sorted(map(str, expression.free_symbols))
    return {"value": function(expression, names), "slope": function(mathematics.slope(expression, first), names)}


def printed_embedding(instance: Formula) -> dict[str, str]:
    expression, x = sympy.piecewise_fold(instance.expression()), instance.arguments()[instance.learned[0]][0]
    names = sorted(map(str, expression.free_symbols - {sympy.Symbol("y", real=True)}))
    if not instance.labels:
        return {"value": function(expression, names), "slope": function(mathematics.slope(expression, x), names)}
    told = {label: function(expression.subs(sympy.Symbol("y", real=True), label), names) for label in instance.labels}
    return {"alike": told[alike(instance)], "different": told[sum(instance.labels) - alike(instance)]}


def alike(instance: Formula) -> int:
    """The label of a pair that is alike."""
    return getattr(instance, "similar", max(instance.labels))


def printed_batch(instance: Formula) -> dict[str, str]:
    """Value and slope in the first number of the first sample; not simplified, which takes SymPy minutes."""
    expression, x = instance.expression(), instance.arguments()[instance.arrays[0]][0][0]
    slope = sympy.diff(expression, x).replace(
        sympy.Heaviside, lambda u, *_: sympy.Piecewise((1, u > 0), (0, True), evaluate=False)
    )
    names = sorted(map(str, expression.free_symbols))
    return {"value": function(expression, names), "slope": function(slope, names)}


def printed_penalty(instance: Formula) -> dict[str, str]:
    expression, prox = instance.expression(), mathematics.prox(instance)
    return {key: function(e, sorted(map(str, e.free_symbols))) for key, e in (("value", expression), ("prox", prox))}


def printed_structured(instance: Formula) -> dict[str, str]:
    symbols, expression, prox = instance.arguments(), instance.expression(), mathematics.prox(instance)[0]
    names = sorted(map(str, expression.free_symbols | {symbols["w"][0]}))
    return {"value": function(expression, names), "prox": function(prox, sorted({*names, "step"}))}


def printed_schedule(instance: Formula) -> dict[str, str]:
    expression = instance.expression()
    return {"value": function(expression, sorted({"t", *map(str, expression.free_symbols)}))}


def printed_optimizer(instance: Formula) -> dict[str, str]:
    moved = instance.expression()
    names = set().union(*(sympy.sympify(e).free_symbols for e in moved.values()))
    return {"step": function(moved, sorted(map(str, names)))}


PRINTED = {
    "pointwise": printed_loss,
    "rowwise": printed_loss,
    "paired": printed_paired,
    "embedding": printed_embedding,
    "batch": printed_batch,
    "penalty": printed_penalty,
    "structured": printed_structured,
    "schedule": printed_schedule,
    "optimizer": printed_optimizer,
}


# ------------------------------------------------------------------------------------------------------ the figure


def figure(formula: type[Formula]) -> dict[str, Any]:
    """Everything the figure of a formula is made of, as it stands in the page."""
    kind, care = mathematics.family(formula), CARE.get(registry.path(formula), {})
    instance = mathematics.representative(formula)
    letters = mathematics.letters(instance)
    controls, fixed, required = [], {}, []
    for field in formula.hyperparameters():
        value, accepted = getattr(instance, field.name), formula.range_of(field)
        limits = care.get("sliders", {}).get(field.name, accepted.slider)
        if field.name in mathematics.flags(formula) and field.name not in care.get("without", ()):
            controls.append({"name": field.name, "flag": True, "value": value})
        elif accepted.number and limits and field.name not in care.get("without", ()):
            whole = accepted.text.startswith("an integer")
            controls.append(slider(field.name, letters[field.name], value, limits, whole=whole))
        else:
            if accepted.number:
                fixed[field.name] = value
            if field.default is dataclasses.MISSING:
                required.append(f"{field.name}={'lossref.' if isinstance(value, Formula) else ''}{value!r}")
    offered = {c["name"] for c in controls if c.get("flag")}
    return {
        "name": registry.path(formula),
        "kind": kind,
        "controls": controls,
        "fixed": fixed,
        "required": required,
        **SHAPE[kind](instance, letters),
        "functions": {
            "+".join(chosen): PRINTED[kind](variant)
            for chosen, variant in mathematics.variants(formula).items()
            if set(chosen) <= offered
        },
    }


def slider(name: str, letter: str, value: float, limits: tuple[float, float], *, whole: bool = False) -> dict[str, Any]:
    """A slider. One over two powers of ten or more is logarithmic; one that comes close to 1 is so in 1 - value."""
    low, high = limits
    scale = "linear"
    if low > 0 and high / low >= 100 and not whole:
        scale = "log"
    elif low >= 0 and 0.99 <= high < 1:
        scale = "memory"
    return {
        "name": name,
        "letter": letter,
        "value": min(max(value, low), high),
        "min": low,
        "max": high,
        "step": 1 if whole else 10 ** math.floor(math.log10((high - low) / 50)),
        "scale": scale,
    }


def shape_pointwise(instance: Formula, letters: dict[str, str]) -> dict[str, Any]:
    series = [["value", "loss"], ["slope", "slope"]]
    call = "loss = lossref.{formula}\nloss.value_and_grad([{x}], [{target}])"
    if instance.signs:
        x = slider("x", letters["pred"], -0.5, (-3.0, 3.0)) | {"label": "score f, for the label 1", "is": "pred"}
        return {"x": [x], "given": {"target": 1}, "series": series, "call": call.replace("{target}", "1")}
    if mathematics.in_residual(instance.expression(), instance.arguments()) is not None:
        x = slider("x", r"r", 2.0, (-6.0, 6.0)) | {"label": "residual r", "is": "pred"}
        return {"x": [x], "given": {"target": 0}, "series": series, "call": call}
    if instance.domain in ("counts", "amounts"):
        x = slider("x", letters["pred"], 2.0, (-3.0, 4.0)) | {"label": "logarithm f of the mean", "is": "pred"}
        target = slider("target", letters["target"], 3.0, (1.0, 12.0)) | {"step": 1}
        return {"x": [x], "more": [target], "series": series, "call": call}
    target = slider("target", letters["target"], 1.0, (0.0, 1.0)) | {"step": 0.05}
    logit = slider("x", letters["pred"], -1.0, (-6.0, 6.0)) | {"label": "logit z", "is": "pred"}
    chance = slider("x", "p", 0.2, (0.01, 0.99)) | {"label": "probability p", "is": "pred", "scale": "linear"}
    return {"x": [logit, chance], "axis": "from_logits", "more": [target], "series": series, "call": call}


#: What one of the predictions is called, where it stands at first and where it may, and what the other classes get.
PREDICTED = {
    "logits": ("logit", -1.0, (-6.0, 6.0), 0),
    "scores": ("score", -1.0, (-6.0, 6.0), 0),
    "log-probabilities": ("log-probability", -1.0, (-6.0, 0.0), -1),
    "probabilities": ("probability", 0.2, (0.01, 0.99), 0.25),
}


def shape_rowwise(instance: Formula, letters: dict[str, str]) -> dict[str, Any]:
    count = len(instance.arguments()["pred"])
    each, start, span, other = PREDICTED[instance.predictions]
    label = f"{each} of the true class; the other {count - 1} are {other}"
    x = slider("x", f"{letters['pred']}_1", start, span) | {"label": label, "is": "pred1"}
    given = {f"pred{k}": other for k in range(2, count + 1)} | {f"target{k}": int(k == 1) for k in range(1, count + 1)}
    others = f", {other}" * (count - 1)
    target = "[0]" if "labels" in instance.targets else "[[1" + ", 0" * (count - 1) + "]]"
    return {
        "x": [x],
        "given": given,
        "series": [["value", "loss"], ["slope", "slope"]],
        "call": "loss = lossref.{formula}\nloss.value_and_grad([[{x}" + others + f"]], {target})",
    }


def shape_paired(instance: Formula, letters: dict[str, str]) -> dict[str, Any]:
    """The curve over the first learned array; what else the loss takes has sliders. A label is 1."""
    first, *others = instance.arrays
    given = {"target": 1} if instance.signs else {}
    words = first.replace("_", " ")
    x = slider("x", letters[first], 2.0, (-4.0, 4.0)) | {"label": f"{words} {letters[first]}", "is": first}
    places = "".join(f", [{given[name]}]" if name in given else f", [{{{name}}}]" for name in others)
    return {
        "x": [x],
        "given": given,
        "more": [slider(name, letters[name], 0.0, (-3.0, 3.0)) for name in others if name not in given],
        "series": [["value", "loss"], ["slope", f"slope in the {words}"]],
        "call": "loss = lossref.{formula}\nloss.value_and_grad([{x}]" + places + ")",
    }


#: Where the other embeddings lie while the first moves along a line that meets none of them.
BESIDE = {"b": (0.0, 0.35), "positive": (1.0, 0.5), "negative": (-1.0, 0.5)}


def shape_embedding(instance: Formula, letters: dict[str, str]) -> dict[str, Any]:
    """The first embedding moves along a line, the others stand still."""
    first, *others = instance.learned
    letter = letters[first]
    x = slider("x", f"{letter}_1", -0.5, (-2.0, 2.0))
    x |= {"label": f"first coordinate of {letter}, which moves along a line", "is": f"{first}1"}
    given = {f"{first}2": 0.25} | {f"{name}{k}": BESIDE[name][k - 1] for name in others for k in (1, 2)}
    rows = ", ".join(f"[[{BESIDE[name][0]}, {BESIDE[name][1]}]]" for name in others)
    call = f"lossref.{{formula}}\nloss.value_and_grad([[{{x}}, 0.25]], {rows})"
    series = [["value", "loss"], ["slope", "slope"]]
    if instance.labels:
        series = [["alike", "loss if alike"], ["different", "loss if different"]]
        both = alike(instance), sum(instance.labels) - alike(instance)
        call = "lossref.{formula}\n" + ", ".join(f"loss([[{{x}}, 0.25]], {rows}, [{label}])" for label in both)
    return {"x": [x], "given": given, "series": series, "call": f"loss = {call}"}


#: The rows of the small batches that are drawn; the first number of the first one is the slider's.
SMALL = {
    "embeddings": ((-2, 1), (1, 0), (-1, 0.5)),
    "queries": ((-2, 1), (1, -1)),
    "keys": ((1, 0.5), (-1, 0.25)),
}


def shape_batch(instance: Formula, letters: dict[str, str]) -> dict[str, Any]:
    arguments, given, written = instance.arguments(), {}, []
    for name in instance.arrays:
        if name in SMALL:
            rows = zip(arguments[name], SMALL[name], strict=True)
            given |= {str(symbol): number for row in rows for symbol, number in zip(*row, strict=True)}
            written.append(str([list(row) for row in SMALL[name]]))
        else:
            written.append(str(list(arguments[name])))
    first = str(arguments[instance.arrays[0]][0][0])
    del given[first]
    x = slider("x", f"{letters[instance.arrays[0]]}_{{11}}", -2, (-3.0, 3.0))
    return {
        "x": [x | {"label": "first number of the first sample", "is": first}],
        "given": given,
        "series": [["value", "loss"], ["slope", "slope"]],
        "call": "loss = lossref.{formula}\nloss.value_and_grad(" + ", ".join(written).replace("-2", "{x}", 1) + ")",
    }


def shape_penalty(instance: Formula, letters: dict[str, str]) -> dict[str, Any]:
    x = slider("x", letters["w"], 1.5, (-3.0, 3.0)) | {"label": "parameter w", "is": "w"}
    return {
        "x": [x],
        "more": [slider("step", letters["step"], 1.0, (0.05, 3.0))],
        "series": [["value", "penalty"], ["prox", "proximal map"]],
        "call": "penalty = lossref.{formula}\npenalty([{x}]), penalty.prox([{x}], step={step})",
    }


def shape_structured(instance: Formula, letters: dict[str, str]) -> dict[str, Any]:
    x = slider("x", f"{letters['w']}_1", 1.5, (-3.0, 3.0))
    count = len(instance.arguments()["w"])
    point = "[{x}" + ", 1" * (count - 1) + "]"
    return {
        "x": [x | {"label": f"first parameter; the other {count - 1} are 1", "is": "w1"}],
        "given": {f"w{k}": 1 for k in range(2, count + 1)},
        "more": [slider("step", letters["step"], 1.0, (0.05, 3.0))],
        "series": [["value", "penalty"], ["prox", "proximal map"]],
        "call": f"penalty = lossref.{{formula}}\npenalty({point}), penalty.prox({point}, step={{step}})",
    }


def shape_schedule(instance: Formula, letters: dict[str, str]) -> dict[str, Any]:
    formula = type(instance)
    counts = [
        formula.range_of(f).slider[1]
        for f in formula.hyperparameters()
        if formula.range_of(f).text.startswith("an integer") and formula.range_of(f).slider
    ]
    last = int(max([*counts, 100]))
    x = slider("x", "t", last // 4, (0, last), whole=True) | {"label": "step t", "is": "t"}
    return {"x": [x], "series": [["value", "learning rate"]], "follow": True, "call": "lossref.{formula}({x})"}


def shape_optimizer(instance: Formula, letters: dict[str, str]) -> dict[str, Any]:
    a, b = RAVINE
    return {
        "x": [slider("x", "n", 30, (0, 100), whole=True) | {"label": "steps n"}],
        "series": [["0", "along"], ["1", "across"], ["height", "height"]],
        "ravine": RAVINE,
        "start": START,
        "buffers": sorted(
            {b for v in mathematics.variants(type(instance)).values() for b in v.expression()} - {"theta"}
        ),
        "call": f"optimizer = lossref.{{formula}}\n"
        f"theta = np.array([{START[0]}, {START[1]}])\n"
        f"state = optimizer.init(theta)\n"
        f"for _ in range({{x}}):\n"
        f"    optimizer.step(theta, np.array([{a}, {b}]) * theta, state)",
    }


SHAPE = {
    "pointwise": shape_pointwise,
    "rowwise": shape_rowwise,
    "paired": shape_paired,
    "embedding": shape_embedding,
    "batch": shape_batch,
    "penalty": shape_penalty,
    "structured": shape_structured,
    "schedule": shape_schedule,
    "optimizer": shape_optimizer,
}
SAYS = {
    "pointwise": "value and slope of the loss",
    "paired": "value of the loss, and its slope in the first of the learned arrays",
    "rowwise": "value and slope of the loss in the logit of the true class",
    "embedding": "the loss while the first embedding moves along a line and the others stand still",
    "batch": "value of the loss of a small batch, and its slope in the first number of the first sample",
    "penalty": "the penalty on one parameter, and where its proximal map sends it",
    "structured": "the penalty, and where its proximal map sends the first of a few parameters",
    "schedule": "the learning rate against the step",
    "optimizer": "the path down a ravine, ten times steeper across than along",
}


# -------------------------------------------------------------------------------------------------------- the HTML


def place(formula: type[Formula]) -> str:
    """The figure's id in the page."""
    return f"live-{formula.name.replace('_', '-')}"


def markup(formula: type[Formula]) -> str:
    """The figure as it stands in the page."""
    made = figure(formula)
    scripts = {key: made["functions"][key] for key in sorted(made["functions"])}
    printed = ",\n".join(
        f"  {json.dumps(key)}: {{" + ", ".join(f"{name}: {code}" for name, code in variant.items()) + "}"
        for key, variant in scripts.items()
    )
    data = {key: value for key, value in made.items() if key != "functions"}
    id_ = place(formula)
    says = f"{made['name']}: {SAYS[made['kind']]}"
    rows = [control(c) for c in [*made["x"][:1], *made["controls"], *made.get("more", ())]]
    outputs = "".join(
        f'<span class="live-key live-{k}"><i aria-hidden="true"></i>{label} '
        f'<output data-series="{key}"></output></span>'
        for k, (key, label) in enumerate(made["series"])
    )
    return f"""
<figure class="live live-{made["kind"]}" id="{id_}" role="group" aria-label="Live figure. {html.escape(says)}">
<noscript><p>Here stands a figure with sliders ({html.escape(says)}). It needs JavaScript; the formulas, the pictures
and the Python calls of this page do not.</p></noscript>
<div class="live-body" hidden>
<svg class="live-plot" role="img" aria-label="{html.escape(says)}"></svg>
<p class="live-readout">{outputs}</p>
<div class="live-controls">
{"".join(rows)}
</div>
<div class="live-call highlight"><pre><code></code></pre></div>
<p class="live-buttons"><button type="button" data-act="copy">Copy the call</button>
<button type="button" data-act="reset">Reset</button></p>
</div>
<script>(window.lossrefFigures ??= []).push([{json.dumps(id_)},
{json.dumps(data, sort_keys=True)},
{{
{printed}
}}]);</script>
</figure>
"""


def control(c: dict[str, Any]) -> str:
    """One row: a slider with its letter, its name and its value, or a box to tick."""
    name = html.escape(c["name"])
    if c.get("flag"):
        ticked = " checked" if c["value"] else ""
        return f'<label class="live-flag"><input type="checkbox" name="{name}"{ticked}> <code>{name}</code></label>\n'
    label = html.escape(c["label"]) if "label" in c else f"{katex.render(c['letter'])} <code>{name}</code>"
    return (
        f'<label class="live-slider"><span>{label}</span>'
        f'<input type="range" name="{name}"><output data-value="{name}"></output></label>\n'
    )
