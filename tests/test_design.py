"""What holds of losses that are stated as a formula: they are losses like those that have a kernel."""

import copy
import dataclasses
import functools
import pickle

import cases
import numpy as np
import pytest
import sympy as sp
from cases import POINTWISE, Case
from test_bits import layouts, writable_layouts

import lossref
from lossref import from_formula, plotting
from lossref.losses import design


def restated(loss):
    """A loss of the registry as its formula alone says it."""
    symbols = {name: part for name, part in loss.arguments().items() if name not in ("pred", "target")}
    numbers = {name: float(getattr(loss, name)) for name, part in symbols.items() if isinstance(part, sp.Symbol)}
    choices = {name: part for name, part in symbols.items() if name not in numbers}
    return from_formula(
        type(loss).__name__,
        lambda pred, target, **given: type(loss).formula(pred=pred, target=target, **choices, **given),
        reduction=loss.reduction,
        **numbers,
    )


@pytest.mark.parametrize("loss", POINTWISE, ids=repr)
def test_every_loss_can_be_made_of_its_formula(loss, rng):
    """Where not all digits cancel."""
    stated = restated(loss)
    assert repr(stated) == repr(loss) or len(dataclasses.fields(stated)) < len(dataclasses.fields(loss))
    pred, target = Case(loss, "numbers").draw(rng, 400, np.float64, scale=2.0)
    far = rng.uniform(0.01, 0.02, 400) * np.sign(pred)  # off the corners
    pred = (pred + far).clip(0.01, 0.99) if cases.takes_probabilities(loss)[0] else pred
    weight = rng.uniform(0.5, 2, 400)
    for method in cases.METHODS:
        wanted = getattr(loss, method)(pred, target, weight=weight)
        got = getattr(stated, method)(pred, target, weight=weight)
        np.testing.assert_allclose(got, wanted, rtol=2e-9, atol=1e-12 * np.abs(wanted).max())
    assert stated(pred, target) == pytest.approx(loss(pred, target), rel=1e-12)
    single = pred.astype(np.float32), target.astype(np.float32)
    for method in cases.METHODS:
        wide, narrow = (getattr(stated._summed(), method)(*(x.astype(kind) for x in single)) for kind in "df")
        np.testing.assert_array_equal(narrow, wide.astype(np.float32))


SQUARE = from_formula("Square", lambda pred, target: (pred - target) ** 2)
ASINH = from_formula("Asinh", lambda pred, target, scale: sp.asinh((pred - target) / scale) ** 2, scale=2.0)


def test_arrays_come_in_and_go_out_as_with_every_loss(dtype, backend, rng, tmp_path):
    for shape in ((), (1,), (5,), (4, 3), (1500,)):
        pred, target = rng.standard_normal((2, *shape)).astype(dtype)
        for weight in (None, rng.uniform(0.5, 2, shape[:1])):
            for method in cases.METHODS:
                got, wanted = (getattr(each, method)(pred, target, weight=weight) for each in (SQUARE, lossref.MSE()))
                assert (type(got), got.dtype, got.shape) == (type(wanted), wanted.dtype, wanted.shape)
                np.testing.assert_allclose(got, wanted, rtol=4 * np.finfo(dtype).eps)
            value, grad = SQUARE.value_and_grad(pred, target, weight=weight)
            assert value == SQUARE(pred, target, weight=weight)
            np.testing.assert_array_equal(grad, SQUARE.grad(pred, target, weight=weight))
    pred, target = rng.standard_normal((2, 6, 4)).astype(dtype)
    wanted = SQUARE.grad(pred, target)
    for out in (*writable_layouts(pred.shape, dtype), pred.copy()):
        assert SQUARE.grad(out if np.array_equal(out, pred) else pred, target, out=out) is out
        np.testing.assert_array_equal(out, wanted)
    for layout, other in layouts(pred, tmp_path):
        np.testing.assert_array_equal(SQUARE.grad(other, target), wanted, err_msg=layout)
    with pytest.raises(ValueError, match=r"^Square: target has shape \(3,\) but pred has shape \(2,\)$"):
        SQUARE([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(TypeError, match=r"^Square: pred is None"):
        SQUARE(None, [1.0])


def test_at_a_corner_the_slope_is_the_mean_of_both_sides_and_there_is_no_spike(backend):
    corner = np.zeros(3)
    for formula, slope in (
        (lambda pred, target: sp.Abs(pred - target), 0.0),
        (lambda pred, target: sp.Max(0, pred - target), 0.5),
        (lambda pred, target: sp.Max(pred - target, 3 * (pred - target)), 2.0),
        (lambda pred, target: sp.Min(pred - target, 0), 0.5),
        (lambda pred, target: sp.Piecewise((3 * (pred - target), pred >= target), (target - pred, True)), 3.0),
    ):
        loss = from_formula("Corner", formula, reduction="sum")
        np.testing.assert_array_equal(loss.grad(corner, corner), [slope] * 3)
        np.testing.assert_array_equal(loss.curvature(corner, corner), corner)


def test_nan_gives_nan_in_its_element_whatever_a_piece_says(dtype, backend):
    flat = from_formula("Flat", lambda pred, target: sp.Piecewise((pred - target, pred > target), (0, True)))
    for pred, target in (([np.nan, 1, 2], [0, 0, 5]), ([0, 1, 2], [np.nan, 0, 5])):
        pred, target = np.array(pred, dtype), np.array(target, dtype)
        for method in cases.METHODS:
            np.testing.assert_array_equal(np.isnan(getattr(flat, method)(pred, target)), [True, False, False])
        assert np.isnan(flat(pred, target))


def test_a_stated_loss_is_a_value(rng, monkeypatch):
    pred, target = rng.standard_normal((2, 20))
    again = from_formula("Asinh", lambda pred, target, scale: sp.asinh((pred - target) / scale) ** 2, scale=2.0)
    copies = [again, copy.copy(ASINH), copy.deepcopy(ASINH)]
    copies += [pickle.loads(pickle.dumps(ASINH, protocol)) for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)]
    for other in copies:
        assert (other, hash(other), repr(other)) == (ASINH, hash(ASINH), "Asinh(scale=2.0)")
    wide = dataclasses.replace(ASINH, scale=5.0, reduction="sum")
    assert wide != ASINH
    assert repr(wide) == "Asinh(scale=5.0, reduction='sum')"
    stored = pickle.dumps(wide)
    monkeypatch.setattr(design, "made", functools.cache(design.made.__wrapped__))  # as in another process
    assert (
        pickle.loads(stored)(pred, target)
        == wide(pred, target)
        == pytest.approx((np.arcsinh((pred - target) / 5) ** 2).sum())
    )
    with pytest.raises(dataclasses.FrozenInstanceError):
        ASINH.scale = 1.0
    with pytest.raises(TypeError, match=r"^Asinh: scale must be a finite number, got 'x' of type str$"):
        dataclasses.replace(ASINH, scale="x")


def test_a_stated_loss_is_read_as_mathematics_drawn_and_added(rng):
    width = from_formula("Width", lambda pred, target, width_0: (pred - target) ** 2 / width_0, width_0=4.0)
    assert r"width_{0}" in width._repr_latex_()
    assert r"\operatorname{asinh}^{2}{\left(\frac{\hat y - y}{\sigma} \right)}" in ASINH._repr_latex_()
    np.testing.assert_array_equal(plotting.read(ASINH, "slope", [2.0], 0.0), ASINH.grad([2.0], [0.0]))
    pred, target = rng.standard_normal((2, 9))
    total = 0.5 * ASINH + lossref.MAE()
    assert total(pred, target) == 0.5 * ASINH(pred, target) + lossref.MAE()(pred, target)
    assert pickle.loads(pickle.dumps(total)) == total


def test_a_stated_loss_takes_nobodys_kernel(backend, rng):
    scores, labels = rng.standard_normal((5, 3)), [0, 1, 2, 0, 1]
    wanted = lossref.CategoricalCrossEntropy()(scores, labels)
    for name in ("CategoricalCrossEntropy", "L1", "Custom"):
        assert from_formula(name, lambda pred, target: pred * target)([2.0], [3.0]) == 6.0
        assert lossref.CategoricalCrossEntropy()(scores, labels) == wanted
        assert lossref.L1(lam=1.0).prox([3.0], 1.0) == [2.0]


@pytest.mark.parametrize(
    ("arguments", "settings", "error", "message"),
    [
        ((1, lambda pred, target: pred), {}, TypeError, "it takes a name and a function, got 1 of type int"),
        (("A", "pred"), {}, TypeError, "it takes a name and a function, got 'pred' of type str"),
        (("A b", lambda pred, target: pred), {}, ValueError, "'A b' cannot be the name of a loss"),
        (("A", lambda pred, target, grad: pred), {"grad": 1.0}, ValueError, "'grad' cannot be the name of a parameter"),
        (("A", lambda pred, target: target), {}, ValueError, "A does not depend on pred: target"),
        (("A", lambda pred, target: (pred, target)), {}, TypeError, "A must be one SymPy expression, got a Tuple"),
        (("A", lambda pred, target: np.log(pred)), {}, TypeError, "its functions are those of sympy"),
        (("A", lambda pred: pred), {}, TypeError, "cannot be written with SymPy's symbols pred, target "),
    ],
)
def test_what_is_no_formula_is_refused(arguments, settings, error, message):
    with pytest.raises(error, match=rf"^from_formula: .*{message}"):
        from_formula(*arguments, **settings)


def test_what_is_no_parameter_is_refused():
    for wrong in (np.inf, "2", None, True):
        with pytest.raises((TypeError, ValueError), match=r"^A: s must be a finite number, got"):
            from_formula("A", lambda pred, target, s: s * pred, s=wrong)
