"""What holds of sums of losses and penalties, and of the envelopes of penalties."""

import copy
import dataclasses
import math
import pickle
import tracemalloc

import cases
import numpy as np
import pytest
from cases import PENALTIES, STRUCTURED, Case
from test_bits import layouts, writable_layouts

import lossref
from lossref import plotting, registry
from lossref.adapters.scipy import Objective
from lossref.losses import Penalized
from lossref.models import Linear

MSE, MAE, Huber = lossref.MSE(), lossref.MAE(), lossref.Huber(delta=0.3)
ENTROPY, NLL = lossref.CategoricalCrossEntropy(), lossref.NLL()
FADE = lossref.Cosine(peak=1.0, steps=10)
SUMS = {
    "two": 0.7 * Huber + 0.3 * MAE,
    "three, one rewarded": MSE - 0.25 * lossref.LogCosh() + 3 * lossref.Quantile(q=0.9, reduction="sum"),
    "one": 2.5 * MSE,
    "rows": ENTROPY + 0.5 * lossref.CategoricalCrossEntropy(label_smoothing=0.1),
}
WHOLE = {**SUMS, "schedules": MAE + 2 * (FADE * (MSE - MAE)), "penalties": Huber * FADE + lossref.L2(lam=0.3) - MAE}
every_sum = pytest.mark.parametrize("name", SUMS)
NAMES = {formula.__name__: formula for formula in registry.formulas()} | {"Exponential": lossref.Exponential}


def draw(total, rng, samples, dtype):
    return Case(total.terms[0].of, "labels" if total is SUMS["rows"] else "numbers").draw(rng, samples, dtype)


@every_sum
def test_each_result_is_the_sum_of_those_of_the_terms(name, dtype, backend, rng):
    total = SUMS[name]
    eps = float(np.finfo(dtype).eps)
    for samples in (1, 5, 1025, 17_000):
        pred, target = draw(total, rng, samples, dtype)
        for weight in (None, rng.uniform(0.5, 2, samples)):
            for method in cases.METHODS:
                parts = [t.number * getattr(t.of, method)(pred, target, weight=weight) for t in total.terms]
                got = getattr(total, method)(pred, target, weight=weight)
                assert (got.dtype, got.shape) == (dtype, parts[0].shape)
                sizes = np.sum(np.abs(parts), axis=0, dtype=np.float64)
                assert np.all(np.abs(got - np.sum(parts, axis=0, dtype=np.float64)) <= 2 * eps * sizes)
            value, grad = total.value_and_grad(pred, target, weight=weight)
            assert (
                value
                == total(pred, target, weight=weight)
                == sum(t.number * t.of(pred, target, weight=weight) for t in total.terms)
            )
            assert grad.tobytes() == total.grad(pred, target, weight=weight).tobytes()


@every_sum
def test_the_bits_do_not_depend_on_where_the_result_is_written(name, dtype, backend, rng, tmp_path):
    total = SUMS[name]
    pred, target = draw(total, rng, 37, dtype)
    for method in cases.METHODS:
        wanted = getattr(total, method)(pred, target).tobytes()
        outs = list(writable_layouts(getattr(total, method)(pred, target).shape, dtype))
        for out in [*outs, pred.copy()] if method != "values" or pred.ndim == 1 else outs:
            given = out if np.array_equal(out, pred) else pred
            assert getattr(total, method)(given, target, out=out) is out
            assert out.tobytes() == wanted
        for layout, other in layouts(pred, tmp_path):
            assert getattr(total, method)(other, target).tobytes() == wanted, layout


def test_a_sum_of_many_losses_keeps_no_more_than_two_arrays_beside_what_its_terms_need(backend, rng):
    total = sum((0.1 * lossref.Huber(delta=d) for d in (0.1, 0.2, 0.3, 0.4, 0.5)), MSE - MAE)
    pred, target = rng.standard_normal((2, 100_000))
    out = np.empty_like(pred)

    def peak(loss):
        tracemalloc.start()
        loss.grad(pred, target, out=out)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    alone = max(peak(term.of) for term in total.terms)
    assert peak(total) <= alone + 2.2 * pred.nbytes


def test_a_number_is_distributed_over_the_terms_of_a_sum():
    assert 2 * (MSE + 3 * MAE) == (MSE + 3 * MAE) * 2 == 2 * MSE + 6 * MAE
    assert MSE - MAE == MSE + -MAE == MSE + -1 * MAE == -1 * (-MSE + MAE)
    assert np.float64(0.5) * MSE == 0.5 * MSE == MSE * np.float32(0.5)
    assert FADE * (MSE + MAE) == FADE * MSE + FADE * MAE != MSE + MAE
    assert MSE + MAE != MAE + MSE


def test_a_single_number_gives_a_number(backend):
    for total in (2 * MAE, MSE + 2 * MAE):
        slope = total.grad(3.0, 1.0)
        assert type(slope) is np.float64
        assert slope == (2.0 if len(total.terms) == 1 else 6.0)
        assert type(total(3.0, 1.0)) is float


@pytest.mark.parametrize("name", WHOLE)
def test_a_sum_is_a_value(name):
    total = WHOLE[name]
    again = eval(repr(total), NAMES)
    copies = [again, copy.copy(total), copy.deepcopy(total)]
    copies += [pickle.loads(pickle.dumps(total, protocol)) for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)]
    for other in copies:
        assert (other, hash(other), repr(other)) == (total, hash(total), repr(total))
    assert all(other != total for key, other in WHOLE.items() if key != name)
    for field in dataclasses.fields(total):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(total, field.name, getattr(total, field.name))
    assert total._repr_latex_().count("left(") >= 1
    assert rf"{total.terms[0].number:g}" in total._repr_latex_() or total.terms[0].number == 1


def test_the_latex_of_a_sum_has_the_numbers_of_its_terms():
    written = (0.7 * lossref.Huber(delta=2.0) - MAE + FADE * MSE)._repr_latex_()
    for part in (r"0.7 \, \begin{cases}", r"\leq 2 \\", r"- \left|{\hat y - y}\right| +", r"\frac{\pi t}{10}"):
        assert part in written


# --- Weights that change ----------------------------------------------------------------------------------------------


def test_a_schedule_is_the_number_that_it_gives_at_the_step(dtype, backend, rng):
    pred, target = rng.standard_normal((2, 50)).astype(dtype)
    moving = MAE + 2 * (FADE * (MSE - MAE))
    for t in (0, 3, 10, 4.5):
        still = MAE + 2 * FADE(t) * MSE - 2 * FADE(t) * MAE
        assert moving.at(t) == still
        assert moving(pred, target, t=t) == still(pred, target)
        for method in cases.METHODS:
            got = getattr(moving, method)(pred, target, t=t)
            np.testing.assert_array_equal(got, getattr(still, method)(pred, target))
    assert (MSE + MAE).at(3) == MSE + MAE
    other = lossref.Cosine(peak=4.0, steps=8)
    assert (FADE * (other * MSE)).at(4).terms[0].number == other(4) * FADE(4)


@pytest.mark.parametrize("ask", ["__call__", "values", "grad", "value_and_grad", "curvature"])
def test_without_a_step_a_schedule_has_no_number(ask):
    message = (
        r"^Combined: the weights of Cosine\(peak=1.0, steps=10, floor=0.0\)\*MSE\(\) change with the step; pass t=$"
    )
    with pytest.raises(TypeError, match=message):
        getattr(FADE * MSE, ask)([1.0], [0.0])
    with pytest.raises(TypeError, match=r"^Combined: t must be one step, got \(2,\) of them"):
        getattr(FADE * MSE, ask)([1.0], [0.0], t=[1, 2])
    with pytest.raises(ValueError, match="t = -1 is not a finite number >= 0"):
        getattr(FADE * MSE, ask)([1.0], [0.0], t=-1)


# --- What has no sum --------------------------------------------------------------------------------------------------


def test_losses_of_elements_and_of_rows_have_no_sum():
    for one, other in ((MSE, ENTROPY), (ENTROPY + NLL, 0.5 * MAE)):
        with pytest.raises(TypeError, match=r"^Combined: \w+ is a \w+Loss and \w+ a \w+Loss; they take predictions"):
            one + other


@pytest.mark.parametrize("loss", [MSE, MSE + MAE, lossref.L1(lam=1.0), MSE + lossref.L2(lam=1.0)], ids=repr)
def test_what_is_no_number_is_no_factor(loss):
    for wrong in (math.nan, math.inf, True, np.ones(2), None):
        with pytest.raises((TypeError, ValueError), match="a factor must be a finite number, got"):
            loss * wrong
    for wrong in ("2", MSE):
        with pytest.raises(TypeError):
            loss * wrong
    with pytest.raises(TypeError, match="unsupported operand"):
        loss + 1
    with pytest.raises(TypeError, match="unsupported operand"):
        loss - 1


# --- Wherever a loss is taken -----------------------------------------------------------------------------------------


def test_a_sum_is_taken_wherever_a_loss_is(rng):
    x, y, theta = rng.standard_normal((30, 4)), rng.standard_normal(30), rng.standard_normal(5)
    parts = {"loss": MSE, "model": Linear(inputs=4), "x": x, "target": y}
    penalty = lossref.L1(lam=0.1) + 2 * lossref.L2(lam=0.2)
    total = Objective(**parts | {"loss": 2 * MSE - MAE}, penalties={"weights": penalty})
    wanted = [Objective(**parts | {"loss": loss})(theta) for loss in (MSE, MAE)]
    value, slope = total(theta)
    pull = np.append(penalty.grad(theta[:4]), 0)
    assert value == pytest.approx(2 * wanted[0][0] - wanted[1][0] + penalty(theta[:4]), rel=1e-14)
    np.testing.assert_allclose(slope, 2 * wanted[0][1] - wanted[1][1] + pull, rtol=1e-13, atol=1e-14)


def test_a_picture_of_a_sum_does_not_depend_on_reductions():
    for reduction in ("mean", "sum"):
        total = 0.5 * lossref.MSE(reduction=reduction) + MAE
        np.testing.assert_array_equal(plotting.read(total, "slope", [1.0, -2.0], 0.0), [2.0, -3.0])


# --- Objectives with penalties ----------------------------------------------------------------------------------------


def test_an_objective_is_its_losses_and_its_penalties(dtype, backend, rng):
    loss, penalty = 0.7 * Huber + FADE * MAE, lossref.L1(lam=0.1) + FADE * lossref.L2(lam=0.5)
    objective = lossref.L1(lam=0.1) + loss + FADE * lossref.L2(lam=0.5)
    assert objective == Penalized(loss, penalty)
    pred, target = rng.standard_normal((2, 40)).astype(dtype)
    w, weight = rng.standard_normal((3, 2)).astype(dtype), rng.uniform(0.5, 2, 40)
    given = {"weight": weight, "t": 3}
    slope, pull = loss.grad(pred, target, **given), penalty.grad(w, t=3)
    places = np.empty_like(slope), np.empty_like(pull)
    results = [objective.grad(pred, target, w=w, **given), objective.grad(pred, target, w=w, out=places, **given)]
    value, slopes = objective.value_and_grad(pred, target, w=w, **given)
    for one, other in [*results, slopes]:
        np.testing.assert_array_equal(one, slope)
        np.testing.assert_array_equal(other, pull)
    assert results[1][0] is places[0]
    assert results[1][1] is places[1]
    assert value == objective(pred, target, w=w, **given) == loss(pred, target, **given) + penalty(w, t=3)
    for method in ("values", "curvature"):
        got = getattr(objective, method)(pred, target, **given)
        np.testing.assert_array_equal(got, getattr(loss, method)(pred, target, **given))


@pytest.mark.parametrize("ask", ["__call__", "grad", "value_and_grad"])
def test_a_penalty_without_parameters_has_no_value(ask):
    message = r"^Penalized: L1\(lam=1.0\) is a penalty on the parameters; pass them as w=$"
    with pytest.raises(TypeError, match=message):
        getattr(MSE + lossref.L1(lam=1.0), ask)([1.0], [0.0])


# --- Sums of penalties ------------------------------------------------------------------------------------------------


def test_penalties_that_are_sums_over_parameters_make_an_elastic_net(dtype, backend, rng):
    w = rng.standard_normal(40).astype(dtype)
    total = 2 * lossref.L1(lam=0.25) + lossref.L2(lam=0.5, half=True) + 0.5 * lossref.ElasticNet(l1=0.5, l2=1.0)
    net = lossref.ElasticNet(l1=0.75, l2=0.75)
    eps = float(np.finfo(dtype).eps)
    assert total(w) == pytest.approx(net(w), rel=8 * eps)
    np.testing.assert_allclose(total.grad(w), net.grad(w), rtol=4 * eps)
    np.testing.assert_array_equal(total.prox(w, 0.3), net.prox(w, 0.3))
    value, grad = total.value_and_grad(w)
    assert value == total(w)
    np.testing.assert_array_equal(grad, total.grad(w))


@pytest.mark.parametrize(
    "other",
    [lossref.TotalVariation(lam=0.4), lossref.GroupLasso(lam=0.3, groups=[0, 1, 0, 0, 2, 1, 1]), lossref.L1(lam=0.4)],
    ids=repr,
)
def test_nothing_beats_the_proximal_point_of_a_penalty_and_squares(other, backend, rng):
    total, step = 1.5 * other + lossref.L2(lam=0.2) + FADE * lossref.L2(lam=0.6), 0.7
    for size in (0.5, 2.0, 8.0):
        w = size * rng.standard_normal(7)
        u = total.prox(w, step, t=5)
        out = np.empty_like(w)
        assert total.prox(w, step, t=5, out=out) is out
        np.testing.assert_array_equal(out, u)

        def objective(point, w=w):
            return step * total(point, t=5) + 0.5 * math.fsum((point - w) ** 2)

        best = objective(u)
        for way in [*rng.standard_normal((60, 7)), w - u, u, w]:
            for part in (1e-1, 1e-3, -1e-3):
                assert objective(u + part * way) >= best * (1 - 1e-14)


def test_a_sum_whose_proximal_map_is_not_known_refuses_it():
    lasso, variation = lossref.L1(lam=1.0), lossref.TotalVariation(lam=1.0)
    for total in (lasso + variation, variation + variation, lasso - lossref.L2(lam=1.0), -variation, -lasso):
        with pytest.raises(NotImplementedError, match="ElasticNet"):
            total.prox([1.0, 2.0], 0.1)


# --- Envelopes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("penalty", [*PENALTIES, *STRUCTURED, lossref.L1(lam=0.5) + lossref.L2(lam=0.2)], ids=repr)
def test_an_envelope_lies_below_the_penalty_and_its_gradient_is_its_slope(penalty, backend, rng):
    rows = len(getattr(penalty, "groups", range(6)))
    for step in (0.01, 1.0, 30.0):
        w, ahead = rng.standard_normal((2, rows))
        assert 0 <= penalty.envelope(w, step) <= penalty(w) * (1 + 1e-15)
        assert penalty.envelope(w, step / 100) >= penalty.envelope(w, step) * (1 - 1e-15)
        h = 1e-3 * min(step, 1)
        around = [penalty.envelope(w + k * h * ahead, step) for k in (-1, 1)]
        slope = (around[1] - around[0]) / (2 * h)
        assert np.vdot(penalty.envelope_grad(w, step), ahead) == pytest.approx(slope, abs=5e-3)


def test_the_envelope_of_the_absolute_value_is_hubers_loss(dtype, backend, rng):
    w = (3 * rng.standard_normal(200)).astype(dtype)
    eps = float(np.finfo(dtype).eps)
    for lam, step in ((1.0, 1.0), (0.4, 2.5), (2.0, 0.3)):
        huber = lossref.Huber(delta=lam * step, reduction="sum")
        penalty = lossref.L1(lam=lam)
        assert penalty.envelope(w, step) == pytest.approx(huber(w, 0 * w) / step, rel=20 * eps)
        got = penalty.envelope_grad(w, step)
        assert got.dtype == dtype
        np.testing.assert_allclose(got, huber.grad(w, 0 * w) / step, rtol=0, atol=8 * eps * np.abs(w).max() / step)
