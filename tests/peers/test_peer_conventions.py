"""Every spelling of an installed framework, run as it is printed, gives lossref's number."""

import dataclasses
import importlib
import os

import numpy as np
import pytest

import lossref
from lossref.conventions import SPELLINGS, translate
from lossref.losses.base import Loss, RowwiseLoss
from lossref.registry import formulas, samples

MODULES = {
    "PyTorch": ["torch"],
    "optax": ["optax", "jax"],
    "JAX": ["jax"],
    "scikit-learn": ["sklearn"],
    "Keras": ["keras"],
}
CASES = [
    pytest.param(formula, spelling, id=f"{formula}-{spelling.framework}")
    for chapter in ("losses", "regularizers")
    for formula in samples(chapter)
    for spelling in SPELLINGS.get(type(formula).__name__, ())
    if spelling.fits(formula)
]


def data_for(formula, rng):
    """Arguments that the formula takes, as NumPy arrays by name."""
    if not isinstance(formula, Loss):
        return {"w": rng.normal(size=50)}
    if isinstance(formula, RowwiseLoss):
        scores, target = rng.normal(size=(50, 3)), rng.integers(0, 3, 50)
        if not formula.from_logits:
            scores = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        return {"pred": scores, "target": target}
    if hasattr(formula, "from_logits"):
        pred = rng.normal(size=50) if formula.from_logits else rng.random(50)
        return {"pred": pred, "target": rng.integers(0, 2, 50).astype(np.float64)}
    return {"pred": rng.normal(size=50), "target": rng.normal(size=50)}


def namespace_of(framework):
    """What a reader of the spelling has imported, and how the framework makes an array."""
    os.environ.setdefault("KERAS_BACKEND", "jax")  # else Keras looks for TensorFlow
    modules = {name: pytest.importorskip(name) for name in MODULES[framework]}
    if framework == "PyTorch":
        return modules, modules["torch"].as_tensor
    if framework in ("optax", "JAX"):
        modules["jax"].config.update("jax_enable_x64", True)
        return modules, modules["jax"].numpy.asarray
    if framework == "scikit-learn":
        importlib.import_module("sklearn.metrics")
    return modules, np.asarray


@pytest.mark.parametrize(("formula", "spelling"), CASES)
def test_every_spelling_gives_the_number_of_lossref(formula, spelling):
    arguments = data_for(formula, np.random.default_rng(1))
    modules, convert = namespace_of(spelling.framework)
    ours = formula(*arguments.values())
    theirs = eval(translate(formula, spelling.framework), modules | {k: convert(v) for k, v in arguments.items()})
    np.testing.assert_allclose(float(theirs), ours, rtol=1e-6 if spelling.framework == "Keras" else 1e-12)


def test_every_table_belongs_to_a_formula():
    assert set(SPELLINGS) <= {formula.__name__ for formula in formulas()}


def test_what_a_framework_cannot_express_is_refused_with_what_it_can():
    smoothed = lossref.BinaryCrossEntropy(label_smoothing=0.1)
    with pytest.raises(
        ValueError, match=r"PyTorch has no equal of .*; it has one with from_logits=True, label_smoothing"
    ):
        translate(smoothed, "pytorch")
    with pytest.raises(ValueError, match=r"translate: fastai has no equal of MSE; there is one in: PyTorch, Keras"):
        translate(lossref.MSE(), "fastai")


def test_templates_name_fields_only():
    for formula in formulas():
        fields = {field.name for field in dataclasses.fields(formula)}
        for spelling in SPELLINGS.get(formula.__name__, ()):
            assert {name for name, _ in spelling.needs} <= fields
