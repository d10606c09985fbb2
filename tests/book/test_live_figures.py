"""The numbers of a live figure are the library's, for every position of its sliders."""

import functools
import html
import json
import re

import numpy as np
import process
import pytest
import sympy as sp

import lossref
from lossref import from_formula, live_figure, registry
from lossref.live.calculus import family, representative
from lossref.live.figure import SURFACES, figure
from lossref.live.page import PLAYER, STYLE, markup, plain

#: One of each formula, and settings that have other controls than it: what is no slider then, what stands outside of
#: the book's sliders, flags that exclude each other. And losses of one's own, in the residual and not.
INSTANCES = {registry.path(formula): representative(formula) for formula in registry.formulas()} | {
    "unweighted": lossref.Focal(alpha=None),
    "probabilities": lossref.BinaryCrossEntropy(from_logits=False, label_smoothing=0.3),
    "wide": lossref.Huber(delta=250.0, reduction="sum"),
    "kind": lossref.MulticlassHinge(kind="weston-watkins"),
    "chances": lossref.CategoricalCrossEntropy(from_logits=False),
    "weights": lossref.CategoricalCrossEntropy(class_weight=(0.5, 2.0)),
    "batch": lossref.InfoNCE(temperature=0.5, reduction="sum"),
    "plain": lossref.SGD(lr=0.05),
    "begun": lossref.AdaGrad(lr=0.5, eps=0.125, eps_placement="inside", initial_accumulator=0.5),
    "slow": lossref.Cosine(peak=0.05, steps=3000, floor=0.01),
    "stated": from_formula("Asinh", lambda pred, target, scale: sp.asinh((pred - target) / scale) ** 2, scale=2.0),
    "corner": from_formula(
        "Hinge", lambda pred, target, new: sp.Max(0, pred - target, -new * (pred - target)), new=0.25
    ),
    "relative": from_formula("Relative", lambda pred, target: sp.Abs(pred - target) / sp.Max(sp.Abs(target), 1)),
}


@functools.cache
def made_of(name):
    """The figure, under an id of its own."""
    return figure(INSTANCES[name]) | {"place": f"live-{name.replace('.', '-').lower()}"}


def library(made, call):
    """What the call below a figure returns, in the order of the figure's series."""
    names = {name: getattr(lossref, name) for name in lossref.__all__} | {"lossref": lossref, "np": np}
    *lines, last = call.splitlines()
    if made["kind"] == "optimizer":
        exec(call, names)
        return [*map(float, names["theta"]), names["surface"](names["theta"])]
    exec("\n".join(lines), names)
    result = eval(last, names)
    return [float(np.ravel(value)[0]) for value in (result if isinstance(result, tuple) else (result,))]


def close(page, python):
    return page == pytest.approx(python, rel=1e-9, abs=1e-12)


# ------------------------------------------------------------------------------------ the printed functions, in quickjs


def inside(control, part):
    """A value that the slider can take."""
    value = control["min"] + part * (control["max"] - control["min"])
    return round(value) if (control["step"], control["scale"]) == (1, "linear") else round(value, 3)


def turned(made, variant):
    """The flags as a variant has them."""
    return {c["name"]: c["value"] != (c["name"] in variant.split("+")) for c in made["controls"] if c.get("flag")}


def axis_of(made, variant):
    """The axis: of two, the second one is for predictions that are not logits."""
    return made["x"][0 if turned(made, variant).get(made.get("axis"), True) else 1]


def positions(made, variant):
    """States of all sliders: a few for each, in different orders."""
    controls = [axis_of(made, variant), *(c for c in made["controls"] if not c.get("flag")), *made.get("more", ())]
    for k in range(9):
        parts = np.roll([0.0, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 1.0], k)
        yield {c["name"]: inside(c, float(parts[(3 * j) % 9])) for j, c in enumerate(controls)}


def call_at(made, variant, state):
    """What the player writes below the figure."""
    values = {**state, **turned(made, variant)}
    settings = [f"{c['name']}={values[c['name']]}" for c in made["controls"]]
    formula = f"{made['name']}({', '.join([*made['required'], *settings])})"
    return made["call"].format(formula=formula, **{"target": 0, **state})


@pytest.mark.parametrize("name", [name for name, each in INSTANCES.items() if family(type(each)) != "optimizer"])
def test_the_printed_functions_are_the_library(name):
    quickjs = pytest.importorskip("quickjs")
    made = made_of(name)
    for variant, functions in made["functions"].items():
        context = quickjs.Context()
        for state in positions(made, variant):
            numbers = {**made["fixed"], **made.get("given", {}), **state, axis_of(made, variant)["is"]: state["x"]}
            page = [context.eval(f"({functions[key]})({json.dumps(numbers)})") for key, _ in made["series"]]
            assert close(page, library(made, call_at(made, variant, state))), (variant, state)


@pytest.mark.parametrize("k", range(len(SURFACES)))
def test_the_printed_surfaces_are_the_landscapes(k, rng):
    quickjs = pytest.importorskip("quickjs")
    context, printed = quickjs.Context(), made_of("SGD")["functions"][f"surface {k}"]
    for x1, x2 in [SURFACES[k].start, *(rng.uniform(*np.transpose(SURFACES[k].span)) for _ in range(9))]:
        place = json.dumps({"x1": float(x1), "x2": float(x2)})
        height = context.eval(f"({printed['height']})({place})")
        slopes = json.loads(context.eval(f"JSON.stringify(({printed['slopes']})({place}))"))
        wanted = SURFACES[k].value_and_grad([x1, x2])
        assert close([height, slopes["x1"], slopes["x2"]], [wanted[0], *wanted[1]])


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


def page_of(names, folder):
    """The address of a page with some figures."""
    figures = "".join(markup(made_of(name)) for name in names)
    script = f"<script>{PLAYER.read_text(encoding='utf-8')}</script>"
    page = folder / "page.html"
    page.write_text(f"<!doctype html><meta charset=utf-8><body>{figures}{script}{DRIVER}", encoding="utf-8")
    return page.as_uri()


@pytest.fixture(scope="module")
def report(reported, tmp_path_factory):
    return reported(page_of(INSTANCES, tmp_path_factory.mktemp("live")))


@pytest.mark.parametrize("name", INSTANCES)
def test_the_page_shows_what_the_call_below_it_returns(name, report):
    made = made_of(name)
    states = [state for state in report if state["name"] == made["place"]]
    assert len(states) == 8
    for state in states:
        assert state["drawn"]
        shown = [float(value.replace("Infinity", "inf")) for value in state["values"]]
        assert close(shown, library(made, state["call"])), state
    assert states[0] == states[-1], "reset returns to the beginning"
    assert len({state["call"] for state in states}) > 4, "the sliders move the call"


def test_the_chosen_surface_is_the_one_that_is_walked_on(reported, tmp_path):
    choose = """<pre id="report"></pre><script>addEventListener("load", () => {
      const report = [], select = document.querySelector("select[name=surface]");
      for (const {value} of [...select.options]) {
        select.value = value;
        select.dispatchEvent(new Event("input"));
        report.push({
          call: document.querySelector(".live-call code").textContent,
          values: [...document.querySelectorAll("output[data-series]")].map((output) => Number(output.dataset.exact)),
          contour: document.querySelector("path.live-contour").getAttribute("d"),
        });
      }
      document.getElementById("report").textContent = JSON.stringify(report);
    });</script>"""
    made = figure(lossref.Adam(lr=0.01))
    script = f"<script>{PLAYER.read_text(encoding='utf-8')}</script>"
    page = tmp_path / "surfaces.html"
    page.write_text(f"<!doctype html><meta charset=utf-8><body>{markup(made)}{script}{choose}", encoding="utf-8")
    walks = reported(page.as_uri())
    assert len({walk["contour"] for walk in walks}) == len(SURFACES)
    for surface, walk in zip(SURFACES, walks, strict=True):
        assert f"lossref.landscapes.{surface!r}" in walk["call"]
        assert close(walk["values"], library(made, walk["call"]))
        assert walk["contour"].count("M") > 50
        assert "NaN" not in walk["contour"]


def test_the_call_below_a_figure_needs_nothing_but_numpy_and_lossref():
    for name in ("Huber", "L1", "SGD", "Cosine"):
        made = made_of(name)
        state = {c["name"]: c["value"] for c in (*made["x"], *made["controls"], *made.get("more", ()))}
        if made["kind"] == "optimizer":
            state |= {"surface": repr(SURFACES[1]), "start": ", ".join(map(str, SURFACES[1].start))}
        process.output(f"import numpy as np\nimport lossref\n{call_at(made, '', state)}")


def test_an_address_brings_a_figure_back(reported, tmp_path):
    states = reported(f"{page_of(['MSE', 'Huber'], tmp_path)}#live-huber?delta=2.5&x=-4")
    first = next(state for state in states if state["name"] == "live-huber")
    assert first["call"] == "loss = lossref.Huber(delta=2.5)\nloss.value_and_grad([-4], [0])"


# ---------------------------------------------------------------------------------------------- a figure of its own


def test_a_file_of_one_figure_shows_it_without_a_complaint_and_without_a_network(opened, tmp_path):
    for name, span in (("stated", (-40, 60)), ("Focal", None), ("AdamW", None)):
        file = tmp_path / f"{name}.html"
        live_figure(INSTANCES[name], span=span).save(file)
        assert not re.search(r"""(src|href|@import|url\()\s*=?\s*["']?(?!#|\$)""", file.read_text(encoding="utf-8"))
        dom, complaints = opened(file.as_uri())
        assert not complaints
        (call,) = re.findall(r"<pre><code>(.+?)</code></pre>", dom, re.DOTALL)
        shown = [float(value) for value in re.findall(r'data-exact="([^"]+)"', dom)]
        assert close(shown, library(made_of(name), html.unescape(call)))
        assert re.search(r'<path d="M[^"]+" class="live-line live-0">', dom)
        assert span is None or {"−40", "60"} <= set(re.findall(r'class="live-tick"[^>]*>([^<]+)<', dom))


def test_a_notebook_may_show_the_same_figure_twice(reported, tmp_path):
    shown = live_figure(INSTANCES["Huber"])._repr_html_(), live_figure(lossref.Huber(delta=0.5))._repr_html_()
    report = """<pre id="report"></pre><script>addEventListener("load", () => {
      const told = [...document.querySelectorAll("iframe")].map((frame) => [
        frame.contentDocument.querySelector(".live-call code").textContent,
        frame.contentDocument.documentElement.scrollHeight <= frame.clientHeight,
      ]);
      document.getElementById("report").textContent = JSON.stringify(told);
    });</script>"""
    file = tmp_path / "notebook.html"
    file.write_text(f"<!doctype html><meta charset=utf-8><body>{''.join(shown)}{report}", encoding="utf-8")
    call = "loss = lossref.Huber(delta={})\nloss.value_and_grad([2], [0])"
    assert reported(file.as_uri()) == [[call.format("1"), True], [call.format("0.5"), True]]


@pytest.mark.parametrize(
    ("formula", "options", "error", "message"),
    [
        (lossref.Huber, {}, TypeError, "formula must be a loss, .* got <class"),
        (lossref.Huber() + lossref.MAE(), {}, TypeError, "and no sum of them"),
        (lossref.AdamW(lr=lossref.Cosine(peak=1.0, steps=9)), {}, TypeError, r"lr of AdamW\(.* is a schedule"),
        (lossref.Huber(), {"span": (2, 2)}, ValueError, r"span must go .* got \(2, 2\)"),
        (lossref.Huber(), {"span": (0, np.inf)}, ValueError, "span must go from a finite number to a larger one"),
        (
            from_formula("Erf", lambda pred, target: sp.erf(pred)),
            {},
            NotImplementedError,
            r"no JavaScript for erf\(pred",
        ),
    ],
)
def test_what_cannot_be_shown_is_refused(formula, options, error, message):
    with pytest.raises(error, match=f"^live_figure: .*{message}"):
        live_figure(formula, **options)


def test_letters_are_legible_without_a_typesetter():
    letters = {r"\beta_1": "β<sub>1</sub>", r"\hat y": "y\u0302", r"\eta_{\max}": "η<sub>max</sub>", "q": "q"}
    assert {tex: plain(tex) for tex in letters} == letters
    assert plain(r"\bar{x}_{\frac12}") == ""


def test_nothing_but_the_formulas_differs_between_figures():
    player = PLAYER.read_text(encoding="utf-8")
    assert not [name for name in INSTANCES if name[0].isupper() and re.search(rf"\b{name}\b", player)]
    assert "innerHTML" not in player
    assert "http" not in player.replace("http://www.w3.org/2000/svg", "") + STYLE.read_text(encoding="utf-8")
