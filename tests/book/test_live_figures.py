"""The numbers of a live figure are the library's, for every position of its sliders."""

import dataclasses
import json
import re
from pathlib import Path

import live_figure
import mathematics
import numpy as np
import pytest
import sympy

import lossref
from lossref import registry

PLAYER = Path(live_figure.__file__).parents[1] / "_static" / "live.js"
NAMES = [registry.path(formula) for formula in registry.formulas()]


def library(made, call):
    """What the call below a figure returns, in the order of the figure's series."""
    names = {name: getattr(lossref, name) for name in lossref.__all__} | {"lossref": lossref, "np": np}
    *lines, last = call.splitlines()
    if made["kind"] == "optimizer":
        exec(call, names)
        x, y = (float(value) for value in names["theta"])
        a, b = made["ravine"]
        return [x, y, (a * x * x + b * y * y) / 2]
    exec("\n".join(lines), names)
    result = eval(last, names)
    return [float(np.ravel(value)[0]) for value in (result if isinstance(result, tuple) else (result,))]


def close(page, python):
    return page == pytest.approx(python, rel=1e-9, abs=1e-12)


# ------------------------------------------------------------------------------------ the printed functions, in quickjs


def inside(control, part):
    """A value that the slider can take."""
    if control.get("flag"):
        return part > 0.5
    value = control["min"] + part * (control["max"] - control["min"])
    return round(value) if control["step"] == 1 else round(value, 3)


def positions(made, variant):
    """States of all sliders: a few for each, in different orders."""
    axis = made["x"][-1 if made.get("axis") in variant.split("+") else 0]
    controls = [axis, *(c for c in made["controls"] if not c.get("flag")), *made.get("more", ())]
    for k in range(9):
        parts = np.roll([0.0, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 1.0], k)
        yield {c["name"]: inside(c, float(parts[(3 * j) % 9])) for j, c in enumerate(controls)}


def instance_at(made, variant, state):
    instance = mathematics.representative(mathematics.named(made["name"]))
    turned = {flag: not getattr(instance, flag) for flag in variant.split("+") if flag}
    return dataclasses.replace(
        instance, **{c["name"]: state[c["name"]] for c in made["controls"] if c["name"] in state}, **turned
    )


@pytest.mark.parametrize("name", [name for name in NAMES if mathematics.family(mathematics.named(name)) != "optimizer"])
def test_the_printed_functions_are_the_library(name):
    quickjs = pytest.importorskip("quickjs")
    made = live_figure.figure(mathematics.named(name))
    for variant, functions in made["functions"].items():
        context = quickjs.Context()
        for state in positions(made, variant):
            instance = instance_at(made, variant, state)
            values = {"target": 0, **state}
            settings = repr(instance).removeprefix(type(instance).__name__)
            call = made["call"].format(formula=made["name"] + settings, **values)
            axis = made["x"][-1 if made.get("axis") in variant.split("+") else 0]
            numbers = {**made["fixed"], **made.get("given", {}), **state, axis["is"]: state["x"]}
            page = [context.eval(f"({functions[key]})({json.dumps(numbers)})") for key, _ in made["series"]]
            assert close(page, library(made, call)), (variant, state)


def test_a_loss_that_is_stated_as_a_formula_has_a_live_figure():
    quickjs = pytest.importorskip("quickjs")
    loss = lossref.from_formula("Asinh", lambda pred, target, scale: sympy.asinh((pred - target) / scale), scale=2.0)
    made = live_figure.figure(type(loss))
    for x in (-3.0, 0.5, 4.0):
        given = json.dumps(made["fixed"] | made["given"] | {"pred": x})
        for key, result in (("value", loss([x], [0.0])), ("slope", loss.grad([x], [0.0])[0])):
            assert close(quickjs.Context().eval(f"({made['functions'][''][key]})({given})"), result)
    assert "live-asinh" in live_figure.markup(type(loss))


# ------------------------------------------------------------------------------------------- the player, in a browser

DRIVER = """
<pre id="report"></pre><script>
addEventListener("load", () => {
  const report = [];
  for (const host of document.querySelectorAll(".live")) {
    const inputs = [...host.querySelectorAll("input")];
    const tell = () => report.push({
      name: host.id,
      values: [...host.querySelectorAll("output[data-series]")].map((output) => output.dataset.exact),
      call: host.querySelector(".live-call code").textContent,
      drawn: [...host.querySelectorAll("path.live-line")].every((path) => !/NaN|Infinity/.test(path.getAttribute("d"))),
    });
    tell();
    for (let k = 1; k <= 6; k++) {
      inputs.forEach((input, j) => {
        if (input.type === "checkbox") input.checked = (k >> (j % 3)) % 2 === 1;
        else input.value = Number(input.min) + (input.max - input.min) * ((k * (j + 2) * 0.137) % 1);
        input.dispatchEvent(new Event("input"));
      });
      tell();
    }
    host.querySelector("[data-act=reset]").click();
    tell();
  }
  document.getElementById("report").textContent = JSON.stringify(report);
});
</script>
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("live")
    figures = "".join(live_figure.markup(formula) for formula in registry.formulas())
    script = f"<script>{PLAYER.read_text(encoding='utf-8')}</script>"
    page = folder / "page.html"
    page.write_text(f"<!doctype html><meta charset=utf-8><body>{figures}{script}{DRIVER}", encoding="utf-8")
    return page.as_uri()


@pytest.fixture(scope="module")
def report(page, reported):
    return reported(page)


@pytest.mark.parametrize("name", NAMES)
def test_the_page_shows_what_the_call_below_it_returns(name, report):
    formula = mathematics.named(name)
    made = live_figure.figure(formula)
    states = [state for state in report if state["name"] == live_figure.place(formula)]
    assert len(states) == 8
    for state in states:
        assert state["drawn"]
        shown = [float(value.replace("Infinity", "inf")) for value in state["values"]]
        assert close(shown, library(made, state["call"])), state
    assert states[0] == states[-1], "reset returns to the beginning"
    assert len({state["call"] for state in states}) > 4, "the sliders move the call"


def test_an_address_brings_a_figure_back(page, reported):
    states = reported(f"{page}#live-huber?delta=2.5&x=-4")
    first = next(state for state in states if state["name"] == "live-huber")
    assert first["call"] == "loss = lossref.Huber(delta=2.5)\nloss.value_and_grad([-4], [0])"


def test_nothing_but_the_formulas_differs_between_figures():
    player = PLAYER.read_text(encoding="utf-8")
    assert not [name for name in NAMES if re.search(rf"\b{name}\b", player)]
    assert "innerHTML" not in player
    assert "http" not in player.replace("http://www.w3.org/2000/svg", "")
