"""What a live figure is made of: its sliders, its axis, the numbers that are given, the Python call below it."""

from __future__ import annotations

import dataclasses
import math
import re
from typing import Any

import numpy as np

from lossref import landscapes, registry
from lossref._formula import Formula
from lossref.live import calculus
from lossref.live.javascript import alike, functions, surface, unlike
from lossref.losses.base import Loss

#: The surfaces that optimizers may descend; the first is the one that they begin on.
SURFACES = (
    landscapes.Ravine(curvature=10.0),
    landscapes.Bowl(),
    landscapes.Rosenbrock(),
    landscapes.Beale(),
    landscapes.Himmelblau(),
    landscapes.Rastrigin(),
    landscapes.Saddle(),
    landscapes.MonkeySaddle(),
    landscapes.Plateau(),
)
#: Where one begins on the first of them, and the part of it that is seen: the zig-zag takes room.
FAR_OUT = (-4.0, 1.5), ((-5.0, 5.0), (-2.0, 2.0))


def care(instance: Any) -> dict[str, Any]:
    """What the figure of a formula leaves out, so that no position of the sliders is refused by the library."""
    match registry.path(type(instance)):
        case "SGD":
            return {"without": ("dampening",), "sliders": {"momentum": (0.01, 0.99)}}
        case "CategoricalCrossEntropy":
            return {"without": ("from_logits",)}
        case "Cosine":  # the floor is at most the peak
            border = min(max(0.2, instance.floor), instance.peak)
            return {"sliders": {"peak": (border, max(1.0, 2 * border)), "floor": (0.0, border)}}
    return {}


def figure(instance: Formula, span: tuple[float, float] | None = None) -> dict[str, Any]:
    """Everything the figure of a formula is made of, with its sliders where the instance stands."""
    formula = type(instance)
    if isinstance(instance, Loss):  # formulas of batches state a mean; weights of classes, a mean divides out again
        weighs = getattr(instance, "class_weight", None) is not None
        instance = dataclasses.replace(instance, reduction="sum" if weighs else "mean")
    kind, careful, letters = calculus.family(formula), care(instance), calculus.letters(instance)
    try:
        variants = calculus.variants(instance)
    except ValueError:  # its other settings forbid to turn one over
        variants = {(): instance}
    offered = {name for chosen in variants for name in chosen} - set(careful.get("without", ()))
    controls: list[dict[str, Any]] = []
    fixed, required = {}, []
    for field in formula.hyperparameters():
        value, accepted = getattr(instance, field.name), formula.range_of(field)
        limits = careful.get("sliders", {}).get(field.name, accepted.slider)
        if accepted.number and isinstance(value, Formula):
            raise TypeError(
                f"live_figure: {field.name} of {instance!r} is a schedule, for which there is no slider; "
                f"give a number, or show the schedule itself"
            )
        if field.name in offered:
            controls.append({"name": field.name, "flag": True, "value": value})
        elif accepted.number and limits and value is not None and field.name not in careful.get("without", ()):
            whole = accepted.text.startswith("an integer")
            controls.append(slider(field.name, letters[field.name], value, limits, whole=whole))
        else:
            if accepted.number and value is not None:
                fixed[field.name] = value
            if value != field.default:
                required.append(f"{field.name}={'lossref.' if isinstance(value, Formula) else ''}{value!r}")
    made = {
        "name": registry.path(formula),
        "place": f"live-{formula.name.replace('_', '-')}",
        "says": f"{formula.__name__}: {SAYS[kind]}",
        "kind": kind,
        "controls": controls,
        "fixed": fixed,
        "required": required,
        **SHAPE[kind](instance, letters),
        "functions": {
            "+".join(chosen): functions(variant) for chosen, variant in variants.items() if set(chosen) <= offered
        }
        | ({f"surface {k}": surface(each) for k, each in enumerate(SURFACES)} if kind == "optimizer" else {}),
    }
    if span is not None:
        axis = made["x"][-1 if made.get("axis") and not getattr(instance, made["axis"]) else 0]
        for stretched in (axis, *(made.get("more", ()) if kind == "stated" else ())):
            stretched |= stretch(stretched, span)
    return made


def slider(name: str, letter: str, value: float, limits: tuple[float, float], *, whole: bool = False) -> dict[str, Any]:
    """A slider, wide enough for its value. One over two powers of ten or more is logarithmic; one that comes close to 1
    is so in 1 - value."""
    low, high = min(limits[0], value), max(limits[1], value)
    scale = "linear"
    if low > 0 and high / low >= 100 and not whole:
        scale = "log"
    elif low >= 0 and 0.99 <= high < 1:
        scale = "memory"
    step = 1 if whole else grain(low, high)
    return {"name": name, "letter": letter, "value": value, "min": low, "max": high, "step": step, "scale": scale}


def grain(low: float, high: float) -> float:
    """The step of a slider: a power of ten, of which there are between fifty and five hundred on the way."""
    step: float = 10 ** math.floor(math.log10((high - low) / 50))
    return step


def stretch(axis: dict[str, Any], span: tuple[float, float]) -> dict[str, Any]:
    """What changes of an axis that is to have other ends: its value stays at the same part of the way."""
    low, high = span
    step = grain(low, high)
    value = low + (axis["value"] - axis["min"]) / (axis["max"] - axis["min"]) * (high - low)
    return {
        "min": low,
        "max": high,
        "step": step,
        "value": float(f"{round(value / step) * step:.12g}"),
        "scale": "linear",
    }


def shape_pointwise(instance: Any, letters: dict[str, str]) -> dict[str, Any]:
    series = [["value", "loss"], ["slope", "slope"]]
    call = "loss = lossref.{formula}\nloss.value_and_grad([{x}], [{target}])"
    if instance.signs:
        x = slider("x", letters["pred"], -0.5, (-3.0, 3.0)) | {"label": "score f, for the label 1", "is": "pred"}
        return {"x": [x], "given": {"target": 1}, "series": series, "call": call.replace("{target}", "1")}
    if calculus.in_residual(instance.expression(), instance.arguments()) is not None:
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


def shape_stated(instance: Any, letters: dict[str, str]) -> dict[str, Any]:
    """The call states the formula again, so that it can be run wherever it is copied to."""
    symbols, expression = instance.arguments(), instance.expression()
    spelled = re.sub(
        r"\b[A-Za-z_]\w*", lambda word: word[0] if word[0] in symbols else f"sympy.{word[0]}", str(expression)
    )
    made = {
        "name": "from_formula",
        "required": [repr(type(instance).__name__), f"lambda {', '.join(symbols)}: {spelled}"],
        "series": [["value", "loss"], ["slope", "slope"]],
        "call": "import sympy\nloss = lossref.{formula}\nloss.value_and_grad([{x}], [{target}])",
    }
    if calculus.in_residual(expression, symbols) is not None:
        x = slider("x", "r", 2.0, (-6.0, 6.0)) | {"label": "residual r", "is": "pred"}
        return made | {"x": [x], "given": {"target": 0}}
    x = slider("x", letters["pred"], -1.0, (-4.0, 4.0)) | {"label": "prediction", "is": "pred"}
    return made | {"x": [x], "more": [slider("target", letters["target"], 2.0, (-4.0, 4.0))]}


#: What one of the predictions is called, where it stands at first and where it may, and what the other classes get.
PREDICTED = {
    "logits": ("logit", -1.0, (-6.0, 6.0), 0),
    "scores": ("score", -1.0, (-6.0, 6.0), 0),
    "log-probabilities": ("log-probability", -1.0, (-6.0, 0.0), -1),
    "probabilities": ("probability", 0.2, (0.01, 0.99), 0.25),
}


def shape_rowwise(instance: Any, letters: dict[str, str]) -> dict[str, Any]:
    count = len(instance.arguments()["pred"])
    each, start, span, other = PREDICTED[instance.predictions]
    which = "one element of the mask" if "masks" in instance.targets else "the true class"
    label = f"{each} of {which}; the other {count - 1} are {other}"
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


def shape_paired(instance: Any, letters: dict[str, str]) -> dict[str, Any]:
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


def shape_embedding(instance: Any, letters: dict[str, str]) -> dict[str, Any]:
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
        both = alike(instance), unlike(instance)
        call = "lossref.{formula}\n" + ", ".join(f"loss([[{{x}}, 0.25]], {rows}, [{label}])" for label in both)
    return {"x": [x], "given": given, "series": series, "call": f"loss = {call}"}


#: The rows of the small batches that are drawn; the first number of the first one is the slider's.
SMALL = {
    "embeddings": ((-2, 1), (1, 0), (-1, 0.5)),
    "queries": ((-2, 1), (1, -1)),
    "keys": ((1, 0.5), (-1, 0.25)),
}


def shape_batch(instance: Any, letters: dict[str, str]) -> dict[str, Any]:
    arguments, written = instance.arguments(), []
    given: dict[str, float] = {}
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


def shape_penalty(instance: Any, letters: dict[str, str]) -> dict[str, Any]:
    x = slider("x", letters["w"], 1.5, (-3.0, 3.0)) | {"label": "parameter w", "is": "w"}
    return {
        "x": [x],
        "more": [slider("step", letters["step"], 1.0, (0.05, 3.0))],
        "series": [["value", "penalty"], ["prox", "proximal map"]],
        "call": "penalty = lossref.{formula}\npenalty([{x}]), penalty.prox([{x}], step={step})",
    }


def shape_structured(instance: Any, letters: dict[str, str]) -> dict[str, Any]:
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


def shape_schedule(instance: Any, letters: dict[str, str]) -> dict[str, Any]:
    formula = type(instance)
    counts = [
        max(limits[1], getattr(instance, f.name))
        for f in formula.hyperparameters()
        if formula.range_of(f).text.startswith("an integer") and (limits := formula.range_of(f).slider)
    ]
    last = int(max([*counts, 100]))
    x = slider("x", "t", last // 4, (0, last), whole=True) | {"label": "step t", "is": "t"}
    return {"x": [x], "series": [["value", "learning rate"]], "follow": True, "call": "lossref.{formula}({x})"}


def shape_optimizer(instance: Any, letters: dict[str, str]) -> dict[str, Any]:
    every = calculus.variants(calculus.representative(type(instance))).values()
    kept = sorted({letter for variant in every for letter in variant.expression()} - {"theta"})
    return {
        "x": [slider("x", "n", 30, (0, 100), whole=True) | {"label": "steps n"}],
        "more": [
            {"name": "surface", "value": 0, "min": 0, "max": len(SURFACES) - 1, "options": list(map(repr, SURFACES))}
        ],
        "series": [["0", "x\N{SUBSCRIPT ONE}"], ["1", "x\N{SUBSCRIPT TWO}"], ["height", "height"]],
        "surfaces": [
            {
                "span": span,
                "start": start,
                "buffers": [
                    {letter: float(instance.fresh(letter, np.full((), at))) for letter in kept} for at in start
                ],
            }
            for start, span in (FAR_OUT, *((each.start, each.span) for each in SURFACES[1:]))
        ],
        "call": "surface = lossref.landscapes.{surface}\n"
        "optimizer = lossref.{formula}\n"
        "theta = np.array([{start}], float)\n"
        "state = optimizer.init(theta)\n"
        "for _ in range({x}):\n"
        "    optimizer.step(theta, surface.grad(theta), state)",
    }


SHAPE = {
    "stated": shape_stated,
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
    "stated": "value and slope of the loss",
    "pointwise": "value and slope of the loss",
    "paired": "value of the loss, and its slope in the first of the learned arrays",
    "rowwise": "value and slope of the loss in what is predicted for the true class, or for one element of a mask",
    "embedding": "the loss while the first embedding moves along a line and the others stand still",
    "batch": "value of the loss of a small batch, and its slope in the first number of the first sample",
    "penalty": "the penalty on one parameter, and where its proximal map sends it",
    "structured": "the penalty, and where its proximal map sends the first of a few parameters",
    "schedule": "the learning rate against the step",
    "optimizer": "the path of a point down a surface of your choice, which begins as a ravine",
}
