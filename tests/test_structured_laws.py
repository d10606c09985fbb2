"""What holds of penalties that look at several parameters together: values, gradients, and the proximal maps."""

import copy
import dataclasses
import functools
import math
import pickle

import cases
import hypothesis
import mpmath
import numpy as np
import oracle
import pytest
from cases import STRUCTURED
from hypothesis import strategies as st
from test_bits import all_of_penalty, guarded, layouts, writable_layouts

import lossref
from lossref import _backend, registry

every_penalty = pytest.mark.parametrize("penalty", STRUCTURED, ids=repr)
every_step = pytest.mark.parametrize("step", [0.1, 1.0, 3.7])


GROUPED = [penalty for penalty in STRUCTURED if isinstance(penalty, lossref.GroupLasso)]
VARIATIONS = [penalty for penalty in STRUCTURED if isinstance(penalty, lossref.TotalVariation)]
NUCLEAR = [penalty for penalty in STRUCTURED if isinstance(penalty, lossref.Nuclear)]


def rows_of(penalty):
    return len(penalty.groups) if penalty in GROUPED else 7


def groups_of(penalty):
    """The rows of each group."""
    return [[j for j, g in enumerate(penalty.groups) if g == each] for each in set(penalty.groups)]


def draw(penalty, rng, dtype, *more):
    """Random parameters; ``more`` are the dimensions after the first."""
    w = rng.standard_normal((rows_of(penalty), *more)).astype(dtype)
    return w if penalty in GROUPED else w.ravel()


@functools.cache
def telling_points(penalty, dtype):
    """Points of as many parameters as the formula has, of all sizes, mixed and alike, none of them zero."""
    rng = np.random.default_rng(22)
    count = penalty.parameters_shown()
    sizes = cases.telling_numbers(dtype)
    sizes = sizes[sizes != 0]
    alike = rng.choice(sizes, (60, 1)) * rng.uniform(0.5, 1, (60, count))
    mixed = rng.choice(sizes, (40, count))
    points = np.concatenate([alike, mixed, rng.standard_normal((30, count))]).astype(dtype)
    return points[np.all(points != 0, axis=1)]


@functools.cache
def truth(penalty, dtype):
    judge, points = oracle.of(penalty), telling_points(penalty, dtype)
    slopes = [[judge.slope(symbol)(*point) for symbol in judge.inputs] for point in points]
    return points, [judge.value(*point) for point in points], np.array(slopes)


@functools.cache
def proximal_truth(penalty, step, dtype):
    points, judge = telling_points(penalty, dtype), oracle.of_prox(penalty)
    parts = [oracle.Oracle(penalty, judge.arguments, part).value for part in judge.expression]
    return points, np.array([[part(*point, step) for part in parts] for point in points])


@every_penalty
def test_each_value_and_slope_is_the_formula_to_the_last_digits(penalty, dtype, backend):
    points, values, slopes = truth(penalty, dtype)
    got = np.array([penalty(point) for point in points])
    assert oracle.errors(got, np.array(values), dtype).max() <= 2
    got = np.array([penalty.grad(point) for point in points])
    assert oracle.errors(got, slopes, dtype).max() <= 3


@every_step
@every_penalty
def test_the_proximal_map_is_its_formula_to_the_last_digits(penalty, step, dtype, backend):
    """In ulp of the parameter, since a threshold is taken away; of the largest, if one parameter moves another."""
    points, wanted = proximal_truth(penalty, step, dtype)
    scale = points if penalty in GROUPED else np.broadcast_to(np.abs(points).max(axis=1, keepdims=True), points.shape)
    got = np.array([penalty.prox(point, step) for point in points])
    assert oracle.errors(got, wanted, dtype, scale).max() <= 2


@every_step
@every_penalty
def test_nothing_beats_the_proximal_point(penalty, step, backend, rng):
    for size in (0.5, 2.0, 8.0):
        w = size * draw(penalty, rng, np.float64, 4)
        u = penalty.prox(w, step)

        def objective(point, w=w):
            return step * penalty(point) + 0.5 * math.fsum((point - w).ravel() ** 2)

        best = objective(u)
        for _ in range(60):
            way = rng.standard_normal(u.shape) * (rng.uniform(size=u.shape) < 0.4)
            assert objective(u + 10 ** rng.uniform(-6, 0.5) * way) >= best * (1 - 1e-14)
        for toward in (w, 0 * w, w - u, u):  # the ways that a wrong threshold would point
            for part in (1e-3, -1e-3):
                assert objective(u + part * (toward - u)) >= best * (1 - 1e-14)
                assert objective(u + part * toward) >= best * (1 - 1e-14)


@every_penalty
def test_the_proximal_map_brings_points_no_farther_apart(penalty, dtype, backend, rng):
    one, other = (3 * draw(penalty, rng, dtype, 20) for _ in range(2))
    apart = np.linalg.norm(penalty.prox(one, 0.3) - penalty.prox(other, 0.3))
    assert 0.1 < apart <= np.linalg.norm(one - other) * (1 + 8 * np.finfo(dtype).eps)


@pytest.mark.parametrize("penalty", GROUPED, ids=repr)
def test_what_the_proximal_map_takes_away_is_a_subgradient_where_it_arrives(penalty, backend, rng):
    step, w = 0.4, 3 * draw(penalty, rng, np.float64, 5)
    w[0] /= 100
    u = penalty.prox(w, step)
    slopes = penalty.grad(u)
    for rows in groups_of(penalty):
        pulled = (w - u)[rows] / step
        if np.any(u[rows]):
            np.testing.assert_allclose(pulled, slopes[rows], rtol=1e-10, atol=1e-12)
        else:
            assert np.linalg.norm(pulled) <= penalty.lam * math.sqrt(pulled.size)


@every_penalty
def test_no_strength_is_no_penalty(penalty, dtype, backend, rng):
    nothing, w = dataclasses.replace(penalty, lam=0.0), draw(penalty, rng, dtype, 3)
    assert nothing(w) == 0
    assert not nothing.grad(w).any()
    np.testing.assert_array_equal(nothing.prox(w, 0.5), w)


@every_penalty
def test_the_slope_at_zero_is_zero_and_zero_stays(penalty, dtype, backend):
    zeros = np.array([0.0, -0.0] * 10, dtype)[: rows_of(penalty)]
    assert not penalty.grad(zeros).any()
    assert penalty(zeros) == 0
    u = penalty.prox(zeros, 1.0)
    np.testing.assert_array_equal(u, zeros)
    assert penalty not in GROUPED or np.array_equal(np.signbit(u), np.signbit(zeros))


@every_penalty
def test_the_gradient_is_the_slope_of_the_value(penalty, backend, rng):
    w, ahead, step = draw(penalty, rng, np.float64, 3), draw(penalty, rng, np.float64, 3), 1e-4
    around = [penalty(w + k * step * ahead) for k in (-2, -1, 1, 2)]
    slope = (around[0] - 8 * around[1] + 8 * around[2] - around[3]) / (12 * step)
    assert np.vdot(penalty.grad(w), ahead) == pytest.approx(slope, rel=1e-9, abs=1e-9)


@every_penalty
def test_value_and_gradient_have_the_same_bits_together_and_apart(penalty, dtype, backend, rng):
    for width in (1, 7, 400):
        w = draw(penalty, rng, dtype, width)
        value, grad = penalty.value_and_grad(w)
        assert value == penalty(w)
        assert grad.tobytes() == penalty.grad(w).tobytes()
        assert (type(value), type(grad), grad.shape, grad.dtype) == (float, np.ndarray, w.shape, dtype)
        assert penalty.prox(w, 0.3).dtype == dtype


@pytest.mark.parametrize("penalty", [p for p in GROUPED if p.lam], ids=repr)
def test_nan_spoils_its_group_and_no_other(penalty, dtype, backend, rng):
    w = draw(penalty, rng, dtype, 4)
    for sick in groups_of(penalty):
        spoilt = w.copy()
        spoilt[sick[0], 1] = np.nan
        assert math.isnan(penalty(spoilt))
        others = [j for j in range(len(w)) if j not in sick]
        for method in (penalty.grad, lambda w: penalty.prox(w, 0.1)):
            result, healthy = method(spoilt), method(w)
            assert np.isnan(result[sick]).all()
            np.testing.assert_array_equal(result[others], healthy[others])


@pytest.mark.parametrize("penalty", [p for p in GROUPED if p.lam], ids=repr)
def test_infinite_parameters_give_the_limit(penalty, dtype, backend):
    for count in (1, 2):
        w = np.ones((rows_of(penalty), 3), dtype)
        w[0, :count] = [np.inf, -np.inf][:count]
        big = np.where(np.isinf(w), np.sign(w) * np.finfo(dtype).max, 0)
        rows = next(rows for rows in groups_of(penalty) if 0 in rows)
        assert penalty(w) == np.inf
        np.testing.assert_allclose(penalty.grad(w)[rows], penalty.grad(big)[rows], rtol=4 * np.finfo(dtype).eps)
        np.testing.assert_array_equal(penalty.prox(w, 0.5)[rows], w[rows])


@every_penalty
def test_no_parameters_cost_nothing(penalty, dtype, backend):
    none = np.empty((rows_of(penalty), 0) if penalty in GROUPED else 0, dtype)
    assert penalty(none) == 0
    assert penalty.grad(none).shape == penalty.prox(none, 1.0).shape == none.shape
    nobody = lossref.GroupLasso(lam=1.0, groups=())
    assert nobody(np.empty(0, dtype)) == 0
    assert nobody.prox(np.empty((0, 2), dtype), 1.0).shape == (0, 2)


@every_penalty
@hypothesis.given(data=st.data())
@hypothesis.settings(max_examples=15)
def test_any_floats_have_the_bits_of_numpy(penalty, dtype, backend, data):
    assert penalty.exact or penalty in NUCLEAR  # whose numbers are NumPy's on every backend
    width = data.draw(st.integers(1, 9))
    numbers = st.floats(width=dtype.itemsize * 8, allow_subnormal=True)
    size = rows_of(penalty) * width
    w = np.array(data.draw(st.lists(numbers, min_size=size, max_size=size)), dtype)
    w = w.reshape(-1, width) if penalty in GROUPED else w
    step = data.draw(st.floats(1e-6, 1e6))
    got = all_of_penalty_at(penalty, w, step)
    with lossref.use_backend("numpy"):
        wanted = all_of_penalty_at(penalty, w, step)
    for one, other in zip(got, wanted, strict=True):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(np.signbit(one[one == 0]), np.signbit(other[other == 0]))


def all_of_penalty_at(penalty, w, step):
    return [np.array(penalty(w)), penalty.grad(w), penalty.prox(w, step)]


@every_penalty
def test_the_bits_are_those_of_every_backend_and_layout(penalty, dtype, rng, tmp_path):
    for width in (2, 3, 100):
        w = draw(penalty, rng, dtype, width)
        with lossref.use_backend("numpy"):
            wanted = all_of_penalty(penalty, w)
        for name in _backend.available():
            with lossref.use_backend(name):
                assert all_of_penalty(penalty, w) == wanted
                for layout, other in layouts(w, tmp_path):
                    assert all_of_penalty(penalty, other) == wanted, layout


@every_penalty
def test_nothing_is_read_or_written_beyond_parameters(penalty, dtype, backend, rng):
    for width in (1, 2, 33):
        w = draw(penalty, rng, dtype, width)
        wanted = all_of_penalty(penalty, w)
        for inside in guarded(w):
            assert all_of_penalty(penalty, inside) == wanted
            assert penalty.grad(inside, out=inside) is inside
            assert inside.tobytes() == wanted[1]


@every_penalty
def test_out_may_be_the_parameters_or_any_layout(penalty, dtype, backend, rng):
    w = draw(penalty, rng, dtype, 4)
    for run in (penalty.grad, lambda w, out=None: penalty.prox(w, 0.3, out=out)):
        wanted = run(w)
        for out in (w.copy(), *writable_layouts(w.shape, dtype)):
            assert run(out if np.array_equal(out, w) else w, out=out) is out
            assert out.tobytes() == wanted.tobytes()


@every_penalty
def test_a_penalty_is_a_value(penalty, backend, rng):
    w = draw(penalty, rng, np.float64, 2)
    wanted = penalty.prox(w, 0.3)
    again = eval(repr(penalty), {type(penalty).__name__: type(penalty)})
    copies = [again, copy.copy(penalty), copy.deepcopy(penalty)]
    copies += [pickle.loads(pickle.dumps(penalty, protocol)) for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)]
    for other in copies:
        assert (other, hash(other)) == (penalty, hash(penalty))
        np.testing.assert_array_equal(other.prox(w, 0.3), wanted)
    assert all(other != penalty for other in registry.samples() if repr(other) != repr(penalty))
    for field in dataclasses.fields(penalty):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(penalty, field.name, getattr(penalty, field.name))
    assert "w_1" in penalty._repr_latex_()


# --- Groups -----------------------------------------------------------------------------------------------------------


def test_groups_of_one_are_the_lasso(dtype, backend, rng):
    w = rng.standard_normal(30).astype(dtype)
    alone, lasso = lossref.GroupLasso(lam=0.7, groups=range(30)), lossref.L1(lam=0.7)
    eps = float(np.finfo(dtype).eps)
    assert alone(w) == pytest.approx(lasso(w), rel=4 * eps)
    np.testing.assert_allclose(alone.grad(w), lasso.grad(w), rtol=2 * eps)
    np.testing.assert_allclose(alone.prox(w, 0.4), lasso.prox(w, 0.4), atol=4 * eps)


def test_the_names_of_the_groups_do_not_matter(dtype, backend, rng):
    w = rng.standard_normal((6, 2)).astype(dtype)
    small = lossref.GroupLasso(lam=1.0, groups=[0, 1, 0, 2, 1, 0])
    large = lossref.GroupLasso(lam=1.0, groups=[10**30, -5, 10**30, 7, -5, 10**30])
    np.testing.assert_array_equal(small.grad(w), large.grad(w))
    np.testing.assert_array_equal(small.prox(w, 0.3), large.prox(w, 0.3))


def test_a_group_of_many_keeps_its_digits(dtype, backend, rng):
    w = rng.standard_normal(100_003).astype(dtype)
    norm = math.sqrt(math.fsum(w.astype(np.float64) ** 2))
    whole = lossref.GroupLasso(lam=1.0, groups=np.zeros(w.size, int))
    assert whole(w) == pytest.approx(math.sqrt(w.size) * norm, rel=4 * np.finfo(np.float64).eps)
    np.testing.assert_allclose(whole.grad(w), math.sqrt(w.size) * w / norm, rtol=4 * np.finfo(dtype).eps)


# --- Neighbours -------------------------------------------------------------------------------------------------------


def signals(rng, dtype):
    """Steps, ramps, noise, ties and plateaus of many lengths."""
    for n in (1, 2, 3, 10, 57, 1500):
        for w in (
            rng.standard_normal(n),
            np.cumsum(rng.standard_normal(n)),
            np.repeat(rng.integers(-3, 4, -(-n // 4)), 4)[:n] + 0.1 * rng.standard_normal(n),
            rng.integers(0, 3, n),
            np.linspace(-2, 5, n),
            1e6 + rng.standard_normal(n),
        ):
            yield w.astype(dtype)


@pytest.mark.parametrize("threshold", [1e-6, 0.3, 1.0, 20.0, 1e9])
def test_the_proximal_map_of_total_variation_meets_its_conditions(threshold, dtype, backend, rng):
    """What is taken away up to some place is within the threshold, and is all of it where the point steps."""
    penalty = lossref.TotalVariation(lam=threshold)
    for w in signals(rng, dtype):
        u = penalty.prox(w, 1.0).astype(np.float64)
        near = 8 * np.finfo(dtype).eps * np.abs(w).max() * len(w) + 1e-15
        taken = np.cumsum(w - u)
        assert abs(taken[-1]) <= near
        assert np.all(np.abs(taken) <= threshold + near)
        for steps, sign in ((np.diff(u) > near, -1), (np.diff(u) < -near, 1)):
            np.testing.assert_allclose(taken[:-1][steps], sign * threshold, rtol=1e-12, atol=near)


def test_total_variation_gives_equal_neighbours_to_the_last_bit(dtype, backend, rng):
    u = lossref.TotalVariation(lam=1.0).prox(rng.standard_normal(1000).astype(dtype), 2.0)
    assert 1 < np.count_nonzero(np.diff(u)) < 200


def test_what_is_not_a_number_spoils_the_total_variation(dtype, backend):
    penalty = lossref.TotalVariation(lam=0.5)
    w = np.array([1.0, np.nan, 2.0, 4.0, 4.0], dtype)
    assert math.isnan(penalty(w))
    np.testing.assert_array_equal(penalty.grad(w), [np.nan, np.nan, np.nan, 0.5, 0])
    assert np.isnan(penalty.prox(w, 1.0)).all()


def test_infinite_parameters_of_a_total_variation_give_the_limit(dtype, backend):
    penalty = lossref.TotalVariation(lam=0.5)
    w = np.array([1.0, 3.0, np.inf, np.inf, 0.0, 0.0, -np.inf], dtype)
    assert penalty(w) == np.inf
    np.testing.assert_array_equal(penalty.grad(w), [-0.5, 0, 0.5, 0.5, -0.5, 0.5, -0.5])
    far = np.where(np.isinf(w), np.sign(w) * 1e4, w).astype(dtype)
    got, near = penalty.prox(w, 1.0), penalty.prox(far, 1.0)
    finite = np.isfinite(w)
    np.testing.assert_array_equal(got[~finite], w[~finite])
    np.testing.assert_allclose(got[finite], near[finite], rtol=1e-6, atol=1e-6)


def test_the_largest_and_least_signals_are_flattened(dtype, backend):
    for size in (np.finfo(dtype).max, np.finfo(dtype).tiny, np.finfo(dtype).smallest_subnormal):
        w = np.array([1, -1, 1, 1], dtype) * size
        u = lossref.TotalVariation(lam=1e300).prox(w, 1e300)
        np.testing.assert_array_equal(u, np.full(4, size / 2))


# --- Ranks ------------------------------------------------------------------------------------------------------------


def matrices(rng, dtype):
    """Matrices of many shapes, sizes and ranks, with singular values far apart, alike, and zero."""
    for shape in ((1, 1), (1, 4), (3, 1), (4, 4), (7, 3), (3, 8)):
        left, right = (np.linalg.qr(rng.standard_normal((n, n)))[0][:, : min(shape)] for n in shape)
        count = min(shape)
        for sizes in (
            rng.uniform(0.5, 2, count),
            np.ones(count),
            10.0 ** -np.arange(count),
            np.arange(count) % 2 * 1.0,
        ):
            for scale in (1.0, 1e30, 1e-30):
                yield ((left * sizes) @ right.T * scale).astype(dtype)


def exact_parts(w):
    """A singular value decomposition to forty digits."""
    with mpmath.workdps(40):
        left, sizes, right = mpmath.svd_r(mpmath.matrix(w.astype(float).tolist()), full_matrices=False)
        return left, sizes, right


def test_the_nuclear_norm_of_a_matrix_is_the_sum_of_its_singular_values(dtype, backend, rng):
    penalty = lossref.Nuclear(lam=0.7)
    for w in matrices(rng, dtype):
        left, sizes, right = exact_parts(w)
        count, near = len(sizes), 16 * np.finfo(np.float64).eps * float(max(sizes))
        total = 0.7 * float(mpmath.fsum(sizes))
        assert penalty(w) == pytest.approx(total, rel=0, abs=count * near)
        step = float(max(sizes)) or 1.0
        shrunk = mpmath.diag([max(size - step * 0.7, 0) for size in sizes])
        nearest = np.array((left * shrunk * right).tolist(), float)
        np.testing.assert_allclose(penalty.prox(w, step), nearest, rtol=np.finfo(dtype).eps, atol=near)
        if min(sizes) > 0.05 * max(sizes):
            slopes = np.array((left * right).tolist(), float) * 0.7
            np.testing.assert_allclose(penalty.grad(w), slopes, rtol=0, atol=20 * np.finfo(dtype).eps)


def test_what_the_proximal_map_takes_from_a_matrix_is_a_subgradient_where_it_arrives(dtype, backend, rng):
    """Its singular values are the strength in the directions that stay, and no more in the others."""
    for w in matrices(rng, dtype):
        step = float(np.linalg.norm(w, 2)) / 3 + 1e-300
        u = lossref.Nuclear(lam=1.0).prox(w, step).astype(np.float64)
        pull = (w - u) / step
        assert np.linalg.norm(pull, 2) <= 1 + 40 * np.finfo(dtype).eps
        assert np.vdot(pull, u) == pytest.approx(np.linalg.norm(u, "nuc"), rel=100 * float(np.finfo(dtype).eps))


def test_the_slope_leaves_out_the_directions_that_are_not_there(dtype, backend):
    penalty, w = lossref.Nuclear(lam=2.0), np.outer([1.0, 2.0, 0.0], [3.0, 4.0]).astype(dtype)
    wanted = 2 * w / np.linalg.norm(w)
    np.testing.assert_allclose(penalty.grad(w), wanted, atol=8 * np.finfo(dtype).eps)
    noisy = w + np.array([[0, 0], [0, 0], [0.01, 0]], dtype)
    assert np.linalg.matrix_rank(penalty.grad(noisy), tol=0.1) == 2


def test_the_proximal_map_of_the_nuclear_norm_lowers_the_rank(dtype, backend, rng):
    w = np.diag([5.0, 3.0, 2.0, 0.5]).astype(dtype)
    for step, rank in ((0.1, 4), (1.0, 3), (2.5, 2), (4.0, 1), (6.0, 0)):
        u = lossref.Nuclear(lam=1.0).prox(w, step)
        np.testing.assert_allclose(u, np.diag(np.maximum(np.diag(w) - step, 0)), atol=8 * np.finfo(dtype).eps)
        assert np.linalg.matrix_rank(u, tol=1e-3) == rank


def test_the_nuclear_norm_does_not_see_rotations_and_transposition(backend, rng):
    penalty, w = lossref.Nuclear(lam=0.7), rng.standard_normal((5, 3))
    turn, other = (np.linalg.qr(rng.standard_normal((n, n)))[0] for n in (5, 3))
    assert penalty(turn @ w @ other) == pytest.approx(penalty(w), rel=1e-14)
    np.testing.assert_allclose(penalty.prox(turn @ w @ other, 0.5), turn @ penalty.prox(w, 0.5) @ other, atol=1e-14)
    np.testing.assert_allclose(penalty.grad(w.T), penalty.grad(w).T, atol=1e-14)


def test_what_is_not_a_number_has_no_decomposition(dtype, backend):
    penalty = lossref.Nuclear(lam=0.5)
    for sick, value in ((np.nan, np.nan), (np.inf, np.inf), (-np.inf, np.inf)):
        w = np.ones((3, 2), dtype)
        w[1, 1] = sick
        np.testing.assert_equal(penalty(w), value)
        assert np.isnan(penalty.grad(w)).all()
        assert np.isnan(penalty.prox(w, 1.0)).all()
