"""Every displayed formula of the library is executed: the hand-written ones of docstrings and chapters against SymPy
and against the kernels, and the derivatives that the book prints against the kernels."""

import dataclasses
import functools
import itertools
import re
from pathlib import Path

import mathematics
import mpmath
import numpy as np
import pytest
import sympy
from latex_eval import Display, Indexed, OutOfRange, Unreadable
from mathematics import displays
from oracle import step_function

from lossref import registry
from lossref.live import calculus
from lossref.live.calculus import family, letters
from lossref.losses import mine

BOOK = Path(__file__).parents[2] / "docs"
DIGITS = 60
EDGES = [0.0, 1.0, -1.0, 0.3, -0.3, 4.0, -4.0, 1e-9, -2e-5, 37.5, -600.0]
STATED = [
    pytest.param(f, tex, id=f"{f.__name__}-{k}")
    for f in registry.formulas()
    for k, tex in enumerate(displays(f.__doc__))
]
#: In chapters, a display above a link to the page of its formula. They call the residual r without saying so each time.
RESIDUAL = r",\qquad r = \hat y - y"
CHAPTERS = {
    f"{part}-{file.stem}": file.read_text(encoding="utf-8")
    for part in ("losses", "optimizers")
    for file in sorted((BOOK / part).glob("*.rst"))
}
IN_CHAPTERS = [
    pytest.param(formula, tex + RESIDUAL * (re.search(r"\br\b", tex) is not None), id=f"{chapter}-{formula.__name__}")
    for chapter, text in CHAPTERS.items()
    for tex, name in re.findall(
        r"^\.\. math::\n\n((?:   .*\n|\n)+?)\n:ref:`The page of [^<]+<formula-([\w-]+)>`", text, re.MULTILINE
    )
    for formula in registry.formulas()
    if formula.name.replace("_", "-") == name
]
PRINTED = [
    pytest.param(instance, tex, id=f"{formula.__name__}-{'-'.join(chosen) or 'plain'}-{k}")
    for formula in registry.formulas()
    for chosen, instance in calculus.variants(calculus.representative(formula)).items()
    for k, tex in enumerate(mathematics.derived(instance))
]


@pytest.fixture(autouse=True)
def _many_digits():
    with mpmath.workdps(DIGITS):
        yield


def close(computed, exact, rel=2e-14):
    """Equal to float64's digits: ``exact`` has many more."""
    if not mpmath.isfinite(exact):
        return computed == exact
    return abs(mpmath.mpf(float(computed)) - exact) <= rel * abs(exact) + 1e-300


def numbers(instance):
    """The hyper-parameters that are symbols of the formula, by their letters."""
    return {
        letters(instance)[field.name]: getattr(instance, field.name)
        for field in instance.hyperparameters()
        if instance.range_of(field).number and getattr(instance, field.name) is not None
    }


def settings_shown(formula, tex):
    """The samples that a display speaks of: what does not stand in it is at its default."""
    default = calculus.representative(formula)
    for sample in registry.samples():
        if type(sample) is not formula:
            continue
        written = mathematics.Display(tex, **given_functions(sample)).letters
        hidden = [
            field.name
            for field in sample.hyperparameters()
            if not (sample.range_of(field).number and mathematics.spelled(letters(sample)[field.name]) in written)
            and field.name not in (*given_fields(sample), *OF_THE_INDEX.get(family(formula), ()))
        ]
        given = [getattr(sample, field.name) for field in sample.hyperparameters() if sample.range_of(field).number]
        if None not in given and all(getattr(sample, name) == getattr(default, name) for name in hidden):
            yield sample


#: By family, settings that say over what a sum is taken, and of which distances.
OF_THE_INDEX = {"structured": ("groups",), "batch": ("strategy", "squared")}
#: Functions of the displays of batches; what they are depends on the batch.
OF_A_BATCH = ("d", "s")


def given_fields(instance):
    """Hyper-parameters that are schedules: functions in a display."""
    return [f.name for f in dataclasses.fields(instance) if family_or_none(getattr(instance, f.name)) == "schedule"]


def given_functions(instance):
    if family(type(instance)) == "batch":
        return dict.fromkeys(OF_A_BATCH)
    return {
        letters(instance)[name]: lambda t, name=name: symbolic(getattr(instance, name), t=t)
        for name in given_fields(instance)
    }


def family_or_none(value):
    return family(type(value)) if isinstance(value, mathematics.Formula) else None


def symbolic(instance, expression=None, **values):
    """The SymPy formula (or another expression in its symbols) at many digits."""
    flat = {}
    settings = {field.name: getattr(instance, field.name) for field in instance.hyperparameters()}
    for name, symbol in {**instance.arguments(), "step": calculus.STEP}.items():
        value = values.get(name, settings.get(name))
        pairs = flattened(symbol, value) if isinstance(symbol, tuple) and name in values else [(symbol, value)]
        flat |= {s: mpmath.mpmathify(v) for s, v in pairs if isinstance(s, sympy.Symbol) and v is not None}
    return compiled(instance.expression() if expression is None else expression, *flat)(*flat.values())


def flattened(symbols, values):
    """Each symbol of a tuple, or of a tuple of tuples, with its value."""
    for symbol, value in zip(symbols, values, strict=True):
        yield from flattened(symbol, value) if isinstance(symbol, tuple) else [(symbol, value)]


@functools.cache
def compiled(expression, *symbols):
    if sympy.sympify(expression).has(sympy.Product):  # which lambdify cannot write
        run = step_function(symbols, [expression])
        return lambda *numbers: run(*numbers)[0]
    return sympy.lambdify(symbols, expression, "mpmath")


# ------------------------------------------------------------------------------- where each family is evaluated, and by


def pointwise(instance):
    """Pairs of prediction and target, with kinks and edges, and what the library says there."""
    of_means = instance.domain in ("counts", "amounts")
    targets = [-1.0, 1.0] if instance.signs else [0.25, 1.0, 7.0] if of_means else [0.0, 1.0, 0.25]
    preds = EDGES if calculus.in_residual(instance.expression(), instance.arguments()) is not None else EDGES[:-1]
    if of_means:  # beside the logarithm of the target the terms cancel, and only their sum is held to the last digits
        preds = [pred for pred in preds if pred == 0 or abs(pred) > 0.1]
    if not getattr(instance, "from_logits", True):
        preds = [0.25, 0.5, 1e-9, 1 - 1e-9, 0.999]
    if hasattr(instance, "delta"):
        preds = [*preds, instance.delta, -instance.delta, instance.delta * (1 + 1e-15)]
    loss = dataclasses.replace(instance, reduction="sum")
    for pred, target in itertools.product(preds, targets):
        yield (
            {letters(instance)["pred"]: pred, letters(instance)["target"]: target},
            {"pred": pred, "target": target},
            lambda order, p=pred, t=target: (loss.values, loss.grad, loss.curvature)[order]([p], [t])[0],
        )


def rowwise(instance):
    """Rows of three classes, against labels and against distributions."""
    rows = [[0.0, 0.0, 0.0], [1.0, 2.0, -3.0], [30.0, -30.0, 0.5], [1e-9, -1e-9, 5.0]]
    if instance.predictions in ("probabilities", "log-probabilities"):
        rows = [[0.25, 0.5, 0.25], [0.9, 0.05, 0.05], [1e-9, 0.5, 0.5], [0.3, 0.3, 0.4]]
    loss = dataclasses.replace(instance, reduction="sum")
    targets = [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.25, 0.25, 0.5]]
    for row, target in itertools.product(rows, targets[:2] if instance.targets == ("labels",) else targets):
        given = target.index(1) if instance.targets == ("labels",) else target
        yield (
            {letters(instance)["pred"]: Indexed(row), letters(instance)["target"]: Indexed(target)},
            {"pred": row, "target": target},
            lambda order, p=row, t=given: np.ravel((loss.values, loss.grad, loss.curvature)[order]([p], [t]))[0],
        )


def paired(instance):
    """Numbers for all arrays; derivatives are asked for by their order and the place of the learned array."""
    loss = dataclasses.replace(instance, reduction="sum")
    choices = [[0.0, 1.0, -0.3, 2.5], [0.0, 0.75, -2.0], [-1.0, 1.0] if instance.signs else [0.0, 1.0, -2.5]]
    for numbers in itertools.product(*choices[: len(instance.arrays)]):
        arrays = [[number] for number in numbers]
        yield (
            {letters(instance)[name]: number for name, number in zip(instance.arrays, numbers, strict=True)},
            dict(zip(instance.arrays, numbers, strict=True)),
            lambda order, place=0, a=arrays: np.ravel((loss.values, loss.grad, loss.curvature)[order](*a))[place],
        )


def embedding(instance):
    """Rows of two coordinates, near and far, at both labels."""
    loss = dataclasses.replace(instance, reduction="sum")
    points = [(0.3, 0.4), (-1.0, 2.0), (0.6, -0.3), (5.0, -0.5)]
    for rows in itertools.permutations(points, len(instance.learned)):
        for label in instance.labels or (None,):
            named = dict(zip(instance.learned, rows, strict=True)) | ({} if label is None else {"y": label})
            yield (
                {letters(instance)[k]: Indexed(v) if isinstance(v, tuple) else v for k, v in named.items()},
                named,
                lambda order, named=named: np.ravel(
                    (loss.values, loss.grad, loss.curvature)[order](*([v] for v in named.values()))
                )[0],
            )


SAMPLED = {"pointwise": pointwise, "rowwise": rowwise, "paired": paired, "embedding": embedding}


@pytest.mark.parametrize(("formula", "tex"), STATED + IN_CHAPTERS)
def test_a_docstring_or_a_chapter_states_what_the_library_computes(formula, tex):
    checked = 0
    for instance in settings_shown(formula, tex):
        checked += CHECKS[family(formula)](instance, Display(tex, **given_functions(instance)))
    assert checked >= 10, "the display holds for too few of the samples to be tested by them"


def check_loss(instance, display):
    count = 0
    for stated, named, library in SAMPLED[family(type(instance))](instance):
        value = display.value({**numbers(instance), **stated})
        assert mpmath.almosteq(value, symbolic(instance, **named), rel_eps=1e-40, abs_eps=1e-50)
        assert close(library(0), value), (instance, named)
        count += 1
    return count


def check_penalty(instance, display):
    (statement,) = display.statements
    count = 0
    for w, step in itertools.product(EDGES, (0.1, 1.0, 3.0)):
        values = {**numbers(instance), r"\eta": step}
        if statement.name == "R":
            value = display.value({**values, "w": Indexed([w, -0.5])})
            exact = symbolic(instance, w=w) + symbolic(instance, w=-0.5)
            computed = instance([w, -0.5])
        elif statement.name == "prox":
            value = display.value({**values, "w": w})
            exact = symbolic(instance, calculus.prox(instance), w=w, step=step)
            computed = instance.prox([w], step)[0]
        else:
            pytest.fail(f"nothing tells what {statement.name} is")
        assert mpmath.almosteq(value, exact, rel_eps=1e-40, abs_eps=1e-50)
        assert close(computed, value, rel=1e-12), (instance, w, step)
        count += 1
    return count


POINTS = [[3.0, -4.0, 0.5], [1e-9, 2e-9, -1.0], [0.1, 0.2, 0.3], [-7.0, 1.0, 600.0]]


def check_structured(instance, display):
    (statement,) = display.statements
    assert statement.name == "R"
    points = [[*point, *point, *point][: instance.parameters_shown()] for point in POINTS]
    for point in points:
        value = display.value({**numbers(instance), **READ_AS[type(instance).__name__](instance, point)})
        assert mpmath.almosteq(value, symbolic(instance, w=point), rel_eps=1e-40, abs_eps=1e-50)
        assert close(instance(point), value)
    return len(points)


def parts_of_groups(instance, point):
    """What the letters of the group lasso are: the parameters of each group, and how many they are."""
    parts = [[x for x, g in zip(point, instance.groups, strict=True) if g == each] for each in set(instance.groups)]
    return {"w": Indexed(parts), "n": Indexed([len(part) for part in parts])}


def triplets_of(instance, batch):
    """The triplets that a strategy chooses, counted from 1, and how many there are."""
    found = mine(batch, instance.shown, instance.strategy, instance.margin, instance.squared) + 1
    return {"T": found.tolist(), "k": len(found)}


def pairs_of(instance, _):
    """The samples of one class, counted from 1: each with each other, how many others there are, how many have any."""
    labels = instance.shown
    pairs = [(i, p) for i, a in enumerate(labels, 1) for p, b in enumerate(labels, 1) if i != p and a == b]
    others = [sum(i == anchor for anchor, _ in pairs) for i in range(1, len(labels) + 1)]
    return {"P": pairs, "c": Indexed(others), "k": sum(map(bool, others)), "n": len(labels)}


READ_AS = {
    "BatchTriplet": triplets_of,
    "InfoNCE": lambda instance, _: {"n": len(instance.shown)},
    "SupCon": pairs_of,
    "GroupLasso": parts_of_groups,
    "TotalVariation": lambda _, point: {"w": Indexed(point), "n": len(point)},
    "Nuclear": lambda _, point: {r"\sigma": Indexed([mpmath.norm(point)]), "n": 1},  # of a single row
}


def check_schedule(instance, display):
    count = 0
    for t in [0, 1, 2, 3, 6, 7, 8, 29, 30, 31, 99, 100, 101, 1000]:
        try:
            value = display.value({**numbers(instance), "t": t})
        except OutOfRange:
            continue
        assert mpmath.almosteq(value, symbolic(instance, t=t), rel_eps=1e-40, abs_eps=1e-50)
        assert close(instance(t), value), (instance, t)
        count += 1
    return count


def taken(instance, theta, g, buffers, t):
    """Step ``t`` of the library, from given buffers."""
    params = np.array([theta])
    state = instance.init(params)
    state.step = t - 1
    for name in state.buffers:
        state.buffers[name][:] = buffers[name]
    instance.step(params, np.array([g]), state)
    return {"theta": params[0], **{name: value[0] for name, value in state.buffers.items()}}


BUFFERS = {"G": 0.75, "m": 0.25, "v": 0.5, "v_max": 0.625, "u": 0.375, "x": 0.125, "s": 0.25, "p": 1.0, "z": 0.875}


def check_optimizer(instance, display):
    count = 0
    for theta, g, t in itertools.product((1.0, -0.3), (0.5, -2.0, 0.0), (2, 3, 10)):
        quantities = {"theta": theta, **BUFFERS}
        updated = instance.expression()
        before = {letters(instance)[name] + "_{t-1}": quantities[name] for name in quantities if name in updated}
        after = display.run({**numbers(instance), **before, "g_t": g, "t": t})
        exact = {name: symbolic(instance, e, g=g, t=t, **quantities) for name, e in updated.items()}
        for name, computed in taken(instance, theta, g, BUFFERS, t).items():
            value = after[mathematics.spelled(letters(instance)[name] + "_{t}")]
            assert mpmath.almosteq(value, exact[name], rel_eps=1e-40, abs_eps=1e-50), name
            assert close(computed, value, rel=1e-13), (instance, name)
        count += 1
    return count


BATCHES = [[[x, 1.0], [0.5, y], [-1.0, 0.25]] for x in (-0.75, 0.0, 1.5) for y in (-2.0, 0.125)]
KEYS = [[1.0, 0.5], [-1.0, 0.25]]


def distance(instance, a, b):
    """Of two rows, as the formula takes it."""
    total = mpmath.fsum((mpmath.mpf(x) - y) ** 2 for x, y in zip(a, b, strict=True))
    return total if instance.squared else mpmath.sqrt(total)


def cosine(a, b):
    """Of two rows."""
    products = [[mpmath.fdot(u, v) for v in (a, b)] for u in (a, b)]
    return products[0][1] / mpmath.sqrt(products[0][0] * products[1][1])


def check_batch(instance, display):
    count = 0
    for batch in BATCHES:
        values = READ_AS[type(instance).__name__](instance, batch)
        if values.get("k") == 0:  # nothing was chosen, and there is no mean
            continue
        one = batch[: len(instance.shown)]
        other, last = (KEYS, KEYS) if len(instance.learned) > 1 else (one, instance.shown)
        given = Display(
            display.tex,
            d=lambda i, j, one=one: distance(instance, one[int(i) - 1], one[int(j) - 1]),
            s=lambda i, j, one=one, other=other: cosine(one[int(i) - 1], other[int(j) - 1]),
        )
        value = given.value({**numbers(instance), **values})
        exact = symbolic(instance, **dict(zip(instance.arrays, (one, last), strict=True)))
        assert mpmath.almosteq(value, exact, rel_eps=1e-40, abs_eps=1e-50)
        assert close(instance(one, last), value, rel=1e-13), (instance, batch)
        count += 1
    return count


CHECKS = {
    "pointwise": check_loss,
    "rowwise": check_loss,
    "paired": check_loss,
    "embedding": check_loss,
    "batch": check_batch,
    "penalty": check_penalty,
    "structured": check_structured,
    "schedule": check_schedule,
    "optimizer": check_optimizer,
}


@pytest.mark.parametrize(("instance", "tex"), PRINTED)
def test_a_printed_derivative_is_what_the_library_computes(instance, tex):
    display, kind = Display(tex), family(type(instance))
    name = display.statements[0].name
    hidden = {str(symbol): float(value) for symbol, value in mathematics.shown(instance).items()}
    instance = dataclasses.replace(instance, **hidden)
    if kind == "paired":
        order = 2 if name.startswith(r"\frac{\partial^{2}") else 1
        in_second = r"\partial" + mathematics.spelled(letters(instance)[instance.learned[1]]) in name
        for stated, named, library in SAMPLED[kind](instance):
            value = display.value({**numbers(instance), **stated})
            assert close(library(order, int(in_second)), value), (instance, named)
    elif kind in SAMPLED:
        order = 2 if name.startswith(r"\frac{\partial^{2}") else 1
        for stated, named, library in SAMPLED[kind](instance):
            value = display.value({**numbers(instance), **stated})
            assert close(library(order), value), (instance, named)
    elif kind == "penalty":
        for w, step in itertools.product(EDGES, (0.1, 1.0, 3.0)):
            value = display.value({**numbers(instance), "w": w, r"\eta": step})
            computed = instance.prox([w], step) if name == "prox" else instance.grad([w])
            assert close(computed[0], value, rel=1e-12), (instance, w, step)
    elif kind == "structured":
        for point, step in itertools.product((p[: instance.parameters_shown()] for p in POINTS), (0.1, 1.0, 3.0)):
            value = display.value({**numbers(instance), "w": Indexed(point), r"\eta": step})
            computed = instance.grad(point) if name.startswith(r"\frac") else instance.prox(point, step)
            assert close(computed[0], value, rel=1e-12), (instance, point, step)
    else:
        written = {mathematics.spelled(letters(instance)[each]): each for each in ("theta", *BUFFERS)}
        for theta, g, t in itertools.product((1.0, -0.3), (0.5, -2.0), (1, 2, 10)):
            quantities = {"theta": theta, **BUFFERS}
            before = {letters(instance)[each]: value for each, value in quantities.items()}
            after = display.run({**numbers(instance), **before, "g": g, "t": t})[name]
            computed = taken(instance, theta, g, BUFFERS, t)
            if written[name] in computed:
                assert close(computed[written[name]], after, rel=1e-13), (instance, name)


def test_every_link_of_a_chapter_to_the_page_of_a_formula_stands_below_it():
    assert len(IN_CHAPTERS) == sum(text.count("\n:ref:`The page of ") for text in CHAPTERS.values()) > 10


def test_every_formula_states_itself():
    assert not [f.__name__ for f in registry.formulas() if not displays(f.__doc__)]


@pytest.mark.parametrize(
    ("right", "wrong"), [(r"\tfrac12 r^2", "r^2"), (r"\le", "<"), (r"|r| - \tfrac12", "|r| - "), (r"\hat y - y", "y")]
)
def test_a_planted_error_is_found(right, wrong):
    (tex,) = displays(mathematics.named("Huber").__doc__)
    huber = calculus.representative(mathematics.named("Huber"))
    assert check_loss(huber, Display(tex))
    assert right in tex
    with pytest.raises((AssertionError, Unreadable)):
        check_loss(huber, Display(tex.replace(right, wrong)))
