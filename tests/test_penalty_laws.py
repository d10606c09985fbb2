"""What holds of every penalty on parameters: value, gradient, and the proximal map against its definition."""

import copy
import dataclasses
import functools
import math
import pickle

import cases
import hypothesis
import hypothesis.extra.numpy as hnp
import mpmath
import numpy as np
import oracle
import pytest
from cases import PENALTIES
from hypothesis import strategies as st

import lossref
from lossref import registry

every_penalty = pytest.mark.parametrize("penalty", PENALTIES, ids=repr)
every_step = pytest.mark.parametrize("step", [0.1, 1.0, 3.7])
KINKED = [penalty for penalty in PENALTIES if oracle.of(penalty).expression.has(oracle.sp.Abs)]


@functools.cache
def truth(penalty, dtype):
    judge = oracle.of(penalty)
    w = cases.telling_numbers(dtype)
    return w, np.array([judge.value(x) for x in w]), np.array([judge.slope(judge.inputs[0])(x) for x in w])


@functools.cache
def proximal_truth(penalty, step, dtype):
    w = cases.telling_numbers(dtype)
    edges = cases.neighbours([step * strength for strength in vars(penalty).values() if type(strength) is float], dtype)
    w = np.concatenate([w, edges, -edges])
    return w, np.array([oracle.of_prox(penalty).value(x, step) for x in w])


@every_penalty
def test_each_term_and_slope_is_the_formula_to_the_last_digits(penalty, dtype, backend):
    w, values, slopes = truth(penalty, dtype)
    got = np.array([penalty(w[i : i + 1]) for i in range(len(w))])
    assert oracle.errors(got, values, dtype).max() <= 2
    assert oracle.errors(penalty.grad(w), slopes, dtype).max() <= 2


@every_step
@every_penalty
def test_the_proximal_map_is_its_formula_to_the_last_digits(penalty, step, dtype, backend):
    """In ulp of the result; where a threshold is taken away from the parameter, of the parameter."""
    w, wanted = proximal_truth(penalty, step, dtype)
    scale = w if oracle.of_prox(penalty).expression.has(oracle.sp.Max) else None
    assert oracle.errors(penalty.prox(w, step), wanted, dtype, scale).max() <= 2


@every_step
@every_penalty
def test_the_proximal_formula_is_the_argmin_of_its_definition(penalty, step):
    """In mpmath, without the library: zero is a subgradient of step * R(u) + (u - w)**2 / 2 at the formula's u."""
    judge, prox = oracle.of(penalty), oracle.of_prox(penalty)
    small = mpmath.mpf(10) ** -100

    def objective(u, w):
        return step * judge.value(u) + (u - w) ** 2 / 2

    with mpmath.workdps(oracle.DIGITS):
        for w in map(mpmath.mpf, [-7.5, -2.6, -0.7, -0.1, -1e-9, 0, 1e-9, 0.07, 0.3, 0.7, 2.59, 2.6, 11.0]):
            u = prox.value(w, step)
            best = objective(u, w)
            assert objective(u + small, w) > best < objective(u - small, w)


@every_step
@every_penalty
def test_nothing_beats_the_proximal_point(penalty, step, backend, rng):
    w = np.concatenate([4 * rng.standard_normal(40), [0.0, step * 0.7, -step * 0.7]])
    u = penalty.prox(w, step)

    def objective(point):
        return step * penalty(point) + 0.5 * math.fsum((point - w) ** 2)

    best = objective(u)
    assert best <= objective(w)
    for _ in range(50):
        other = u + 10 ** rng.uniform(-6, 0.5) * rng.standard_normal(u.shape) * (rng.uniform(size=u.shape) < 0.3)
        assert objective(other) >= best * (1 - 1e-14)
    for place in range(len(u)):
        for shift in (-1e-3, 1e-3):
            other = u.copy()
            other[place] += shift
            assert objective(other) > best - 1e-12


@every_penalty
def test_the_proximal_map_brings_points_no_farther_apart(penalty, dtype, backend, rng):
    one, other = ((5 * rng.standard_normal(500)).astype(dtype) for _ in range(2))
    apart = np.abs(penalty.prox(one, 0.8) - penalty.prox(other, 0.8))
    assert np.all(apart <= np.abs(one - other) * (1 + 8 * np.finfo(dtype).eps) + 8 * np.finfo(dtype).eps)
    assert apart.max() > 0.1


@every_penalty
def test_no_strength_is_no_penalty(penalty, dtype, backend, rng):
    nothing = dataclasses.replace(
        penalty, **{field.name: 0.0 for field in dataclasses.fields(penalty) if penalty.range_of(field).number}
    )
    w = rng.standard_normal(50).astype(dtype)
    assert nothing(w) == 0
    assert not nothing.grad(w).any()
    np.testing.assert_array_equal(nothing.prox(w, 0.5), w)


@pytest.mark.parametrize("penalty", KINKED, ids=repr)
def test_the_slope_at_zero_is_zero(penalty, dtype, backend):
    zeros = np.array([0.0, -0.0, 0.0], dtype)
    assert not penalty.grad(zeros).any()
    assert penalty(zeros) == 0


@pytest.mark.parametrize("penalty", [p for p in KINKED if getattr(p, "lam", getattr(p, "l1", 0)) > 0], ids=repr)
def test_the_proximal_map_of_a_kink_makes_exact_zeros_and_keeps_signs(penalty, dtype, backend):
    strength = getattr(penalty, "lam", getattr(penalty, "l1", None))
    w = np.array([0.9, -0.9, 0.5, -0.5, 0.0, -0.0, 1.5, -1.5], dtype)
    u = penalty.prox(w, 1 / strength)
    np.testing.assert_array_equal(u == 0, np.abs(w) <= 1)
    np.testing.assert_array_equal(np.signbit(u), np.signbit(w))


@every_penalty
def test_the_gradient_is_the_slope_of_the_value(penalty, backend, rng):
    w = rng.standard_normal(9)
    w += np.sign(w) * 0.01
    ahead = rng.standard_normal(9)
    step = 1e-4
    around = [penalty(w + k * step * ahead) for k in (-2, -1, 1, 2)]
    slope = (around[0] - 8 * around[1] + 8 * around[2] - around[3]) / (12 * step)
    assert np.vdot(penalty.grad(w), ahead) == pytest.approx(slope, rel=1e-9, abs=1e-10)


@every_penalty
def test_value_and_gradient_have_the_same_bits_together_and_apart(penalty, dtype, backend, rng):
    for count in (1, 7, 1025):
        w = rng.standard_normal(count).astype(dtype)
        value, grad = penalty.value_and_grad(w)
        assert value == penalty(w)
        assert grad.tobytes() == penalty.grad(w).tobytes()


@every_penalty
def test_the_penalty_is_the_sum_over_the_parameters(penalty, dtype, backend, rng):
    w = rng.standard_normal((30, 7)).astype(dtype)
    terms = [penalty(w[i, j : j + 1]) for i in range(30) for j in range(7)]
    assert penalty(w) == pytest.approx(math.fsum(terms), rel=1e-14)
    assert penalty(w) == penalty(w.ravel())
    for result in (penalty.grad(w), penalty.value_and_grad(w)[1], penalty.prox(w, 0.3)):
        assert (type(result), result.shape, result.dtype) == (np.ndarray, w.shape, dtype)
    assert type(penalty(w)) is float


@every_penalty
def test_nan_stays_in_its_place_and_reaches_the_total(penalty, dtype, backend, rng):
    for count in (1, 5, 40, 1200):
        w = rng.standard_normal(count).astype(dtype)
        sick = int(rng.integers(count))
        spoilt = w.copy()
        spoilt[sick] = np.nan
        others = np.arange(count) != sick
        assert math.isnan(penalty(spoilt))
        assert math.isnan(penalty.value_and_grad(spoilt)[0])
        for method in (penalty.grad, lambda w: penalty.prox(w, 0.4)):
            result, healthy = method(spoilt), method(w)
            assert np.isnan(result[sick])
            np.testing.assert_array_equal(result[others], healthy[others])


@pytest.mark.parametrize("penalty", [p for p in PENALTIES if all(p._parameters)], ids=repr)
def test_infinite_parameters_cost_infinitely_much(penalty, dtype, backend):
    w = np.array([np.inf, -np.inf], dtype)
    assert penalty(w) == np.inf
    slopes = penalty.grad(w)
    finite = penalty.grad(np.array([np.finfo(dtype).max, -np.finfo(dtype).max], dtype))
    np.testing.assert_array_equal(np.sign(slopes), [1, -1])
    assert np.all(np.abs(slopes) >= np.abs(finite))
    np.testing.assert_array_equal(penalty.prox(w, 0.5), w)


@every_penalty
def test_no_parameters_cost_nothing(penalty, dtype, backend):
    none = np.empty((0, 3), dtype)
    assert penalty(none) == 0
    assert penalty.grad(none).shape == penalty.prox(none, 1.0).shape == (0, 3)


@every_penalty
def test_a_single_parameter_gives_a_number(penalty, dtype, backend):
    w = np.array(0.6, dtype)
    assert type(penalty.grad(w)) is type(penalty.prox(w, 0.1)) is dtype.type
    assert type(penalty.grad(0.6)) is np.float64
    assert penalty.grad(w) == penalty.grad(w[None])[0]
    assert penalty.prox(w, 0.1) == penalty.prox(w[None], 0.1)[0]


@every_penalty
@hypothesis.given(data=st.data())
@hypothesis.settings(max_examples=15)
def test_any_floats_have_the_bits_of_numpy(penalty, dtype, backend, data):
    assert penalty.exact
    shape = data.draw(hnp.array_shapes(max_dims=3, min_side=1, max_side=9))
    elements = st.floats(width=dtype.itemsize * 8, allow_subnormal=True)
    w = data.draw(hnp.arrays(dtype, shape, elements=elements, fill=st.nothing()))
    step = data.draw(st.floats(1e-6, 1e6))
    with np.errstate(all="ignore"):
        _, slopes = penalty.reference(w)
        u = penalty.reference_prox(w, step)
    for got, wanted in ((penalty.grad(w), slopes), (penalty.prox(w, step), u)):
        assert got.dtype == dtype
        np.testing.assert_array_equal(got, wanted)
        np.testing.assert_array_equal(np.signbit(got[got == 0]), np.signbit(wanted[got == 0]))


# --- A penalty is a value --------------------------------------------------------------------------------------------


@every_penalty
def test_the_repr_rebuilds_the_penalty(penalty):
    again = eval(repr(penalty), {type(penalty).__name__: type(penalty)})
    assert again == penalty
    assert hash(again) == hash(penalty)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@every_penalty
def test_a_pickled_penalty_computes_the_same_bits_on_every_backend(penalty, protocol, backend, rng):
    w = rng.standard_normal(20)
    stored = pickle.dumps(penalty, protocol)
    here = penalty.prox(w, 0.3)
    for other in lossref._backend.available():
        with lossref.use_backend(other):
            again = pickle.loads(stored)
            assert again == penalty
            np.testing.assert_array_equal(again.prox(w, 0.3), here)
    assert copy.deepcopy(penalty) == copy.copy(penalty) == penalty


@every_penalty
def test_penalties_are_equal_when_their_settings_are_and_cannot_be_changed(penalty):
    others = [other for other in registry.samples() if repr(other) != repr(penalty)]
    assert all(other != penalty for other in others)
    for field in dataclasses.fields(penalty):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(penalty, field.name, getattr(penalty, field.name))
    assert "w" in penalty._repr_latex_()
