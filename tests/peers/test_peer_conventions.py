"""Every spelling of an installed framework, run as it is printed, gives lossref's numbers."""

import dataclasses
import importlib
import os

import numpy as np
import pytest

import lossref
from lossref.conventions import SPELLINGS, spellings, translate
from lossref.losses.base import BatchLoss, EmbeddingLoss, PairedLoss, PredictionLoss, RowwiseLoss
from lossref.registry import formulas, path, samples

MODULES = {
    "PyTorch": ["torch"],
    "optax": ["optax", "jax"],
    "JAX": ["jax"],
    "scikit-learn": ["sklearn", "numpy"],
    "Keras": ["keras"],
}
PRECISION = {"Keras": 2e-6}


def cases(*chapters):
    """Every formula of these chapters with every spelling that its settings fit."""
    return [
        pytest.param(formula, spelling.framework, id=f"{formula}-{spelling.framework}")
        for chapter in chapters
        for formula in samples(chapter)
        for spelling in spellings(type(formula))
        if spelling.equal and spelling.fits(formula)
    ]


def namespace_of(framework):
    """What a reader of the spelling has imported, and how the framework makes an array."""
    os.environ.setdefault("KERAS_BACKEND", "jax")  # else Keras looks for TensorFlow
    modules = {name: pytest.importorskip(name) for name in MODULES[framework]}
    if framework == "PyTorch":
        return modules, modules["torch"].as_tensor
    if framework == "Keras":  # which computes in JAX here
        pytest.importorskip("jax").config.update("jax_enable_x64", True)
    if framework in ("optax", "JAX"):
        modules["jax"].config.update("jax_enable_x64", True)
        return modules, modules["jax"].numpy.asarray
    if framework == "scikit-learn":
        importlib.import_module("sklearn.metrics")
    return modules, np.asarray


def data_for(formula, rng):
    """Arguments that the formula takes, as NumPy arrays by name."""
    if isinstance(formula, PairedLoss):
        arrays = {name: rng.normal(size=50) for name in formula.arrays}
        return arrays | ({"target": rng.choice([-1.0, 1.0], 50)} if formula.signs else {})
    if isinstance(formula, EmbeddingLoss):
        labels = {"y": rng.choice(formula.labels, 50)} if formula.labels else {}
        return {name: rng.normal(size=(50, 4)) for name in formula.learned} | labels
    if isinstance(formula, BatchLoss):
        return {name: rng.normal(size=(50, 8)) for name in formula.learned}
    if not isinstance(formula, PredictionLoss):
        return {"w": rng.normal(size=(10, 5))}
    if isinstance(formula, RowwiseLoss):
        scores = rng.normal(size=(50, 3))
        if "labels" in formula.targets:
            target = rng.integers(0, 3, 50)
        else:
            target = rng.normal(size=(50, 3)) if "relevances" in formula.targets else rng.dirichlet(np.ones(3), 50)
        if formula.predictions in ("probabilities", "log-probabilities"):
            scores = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        if formula.predictions == "log-probabilities":
            scores = np.log(scores)
        return {"pred": scores, "target": target}
    if hasattr(formula, "from_logits"):
        pred = rng.normal(size=50) if formula.from_logits else rng.random(50)
        return {"pred": pred, "target": rng.integers(0, 2, 50).astype(np.float64)}
    if formula.signs:
        return {"pred": rng.normal(size=50), "target": rng.choice([-1.0, 1.0], 50)}
    if formula.domain == "counts":
        return {"pred": rng.normal(size=50), "target": rng.poisson(2.0, 50).astype(np.float64)}
    if formula.domain == "amounts":
        return {"pred": rng.normal(size=50), "target": rng.gamma(2.0, 1.5, 50)}
    return {"pred": rng.normal(size=50), "target": rng.normal(size=50)}


@pytest.mark.parametrize(("formula", "framework"), cases("losses", "regularizers"))
def test_every_spelling_of_a_loss_gives_the_number_of_lossref(formula, framework):
    arguments = data_for(formula, np.random.default_rng(1))
    modules, convert = namespace_of(framework)
    ours = formula(*arguments.values())
    theirs = eval(translate(formula, framework), modules | {k: convert(v) for k, v in arguments.items()})
    np.testing.assert_allclose(float(theirs), ours, rtol=PRECISION.get(framework, 1e-12))


def steps_of(framework, call, start, gradients):
    """Where the framework's optimizer is after each gradient."""
    modules, convert = namespace_of(framework)
    places = []
    if framework == "PyTorch":
        params = [convert(start.copy()).requires_grad_()]
        optimizer = eval(call, modules | {"params": params})
        for gradient in gradients:
            params[0].grad = convert(gradient)
            optimizer.step()
            places.append(params[0].detach().numpy().copy())
    elif framework == "optax":
        theta, transformation = convert(start), eval(call, modules)
        state = transformation.init(theta)
        for gradient in gradients:
            update, state = transformation.update(convert(gradient), state, theta)
            theta = modules["optax"].apply_updates(theta, update)
            places.append(np.asarray(theta))
    else:
        variable, optimizer = modules["keras"].Variable(start, dtype="float64"), eval(call, modules)
        for gradient in gradients:
            optimizer.apply([modules["keras"].ops.convert_to_tensor(gradient)], [variable])
            places.append(np.asarray(variable))
    return places


@pytest.mark.usefixtures("_scalars_in_double")
@pytest.mark.parametrize(("formula", "framework"), cases("optimizers"))
def test_every_spelling_of_an_optimizer_takes_the_steps_of_lossref(formula, framework):
    random = np.random.default_rng(2)
    theta, gradients = random.normal(size=20), random.normal(size=(50, 20))
    theirs = steps_of(framework, translate(formula, framework), theta, gradients)
    state = formula.init(theta)
    for gradient, place in zip(gradients, theirs, strict=True):
        formula.step(theta, gradient, state)
        np.testing.assert_allclose(
            theta, place, rtol=PRECISION.get(framework, 1e-10), atol=1e-6 * (framework == "Keras")
        )


def test_optax_takes_each_step_of_rprop_one_update_late():
    """While no gradient turns. When this fails, its spelling has become an equal."""
    formula, theta = lossref.Rprop(lr=0.5), np.zeros(2)
    late = steps_of("optax", spellings(lossref.Rprop)[1].write(formula), theta, np.ones((5, 2)))
    state = formula.init(theta)
    for place in late:
        np.testing.assert_allclose(place, theta, rtol=1e-12)
        formula.step(theta, np.ones(2), state)


@pytest.mark.parametrize(
    "formula",
    [lossref.RAdam(lr=0.5, beta2=0.875, eps=1e-30), lossref.Adamax(lr=0.5, beta2=0.75, eps=1e-30)],
    ids=repr,
)
def test_without_epsilon_the_spellings_that_put_it_elsewhere_take_the_same_steps(formula):
    random = np.random.default_rng(3)
    (spelling,) = (each for each in spellings(type(formula)) if not each.equal)
    theta, gradients = random.normal(size=20), random.normal(size=(50, 20))
    theirs = steps_of(spelling.framework, spelling.write(formula), theta, gradients)
    state = formula.init(theta)
    for gradient, place in zip(gradients, theirs, strict=True):
        formula.step(theta, gradient, state)
        np.testing.assert_allclose(theta, place, rtol=PRECISION.get(spelling.framework, 1e-10), atol=1e-6)


def rates_of(framework, call, first, steps):
    """The framework's rates at the steps 0, 1, 2, ..."""
    modules, _ = namespace_of(framework)
    if framework != "PyTorch":
        return [float(eval(call, modules | {"t": t})) for t in range(steps)]
    torch = modules["torch"]
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=first)
    scheduler = eval(call, modules | {"optimizer": optimizer})
    rates = []
    for _ in range(steps):
        rates += scheduler.get_last_lr()
        optimizer.step()
        scheduler.step()
    return rates


@pytest.mark.parametrize(("formula", "framework"), cases("schedules"))
def test_every_spelling_of_a_schedule_gives_the_rates_of_lossref(formula, framework):
    steps = min(getattr(formula, "steps", 70), 70) + 1
    theirs = rates_of(framework, translate(formula, framework), formula(0), steps)
    np.testing.assert_allclose(formula(np.arange(steps)), theirs, rtol=PRECISION.get(framework, 1e-10), atol=1e-8)


def test_every_table_belongs_to_a_formula():
    assert set(SPELLINGS) <= {path(formula) for formula in formulas()}


def test_what_a_framework_cannot_express_is_refused_with_what_it_can():
    smoothed = lossref.BinaryCrossEntropy(label_smoothing=0.1)
    with pytest.raises(ValueError, match=r"PyTorch has no equal of .*; it has one with from_logits=True, label_smooth"):
        translate(smoothed, "pytorch")
    with pytest.raises(ValueError, match=r"translate: fastai has no equal of MSE; there is one in: PyTorch, Keras"):
        translate(lossref.MSE(), "fastai")
    with pytest.raises(ValueError, match=r"translate: Keras has no equal of Adam; there is one in: PyTorch, optax"):
        translate(lossref.Adam(), "Keras")


def test_templates_name_fields_only():
    for formula in formulas():
        fields = {field.name for field in dataclasses.fields(formula)}
        for spelling in spellings(formula):
            assert {name for name, _ in spelling.needs} <= fields
