"""Curvature tools find what is known: on matrices of known spectrum, and on landscapes whose Hessians are known."""

import collections
import math

import numpy as np
import pytest
from cases import about
from test_landscapes import SURFACES

import lossref
from lossref.landscapes import Himmelblau, MonkeySaddle, Plateau, Ravine, Rosenbrock, Saddle
from lossref.training import (
    check_hessian,
    classify_critical_point,
    hessian_vector_product,
    hutchinson_diagonal,
    hutchinson_trace,
    lanczos,
)


def turned(spectrum, rng):
    """A symmetric matrix with known eigenvalues, and its eigenvectors."""
    vectors = np.linalg.qr(rng.standard_normal((len(spectrum), len(spectrum))))[0]
    matrix = vectors * np.array(spectrum) @ vectors.T
    return (matrix + matrix.T) / 2, vectors


def generic(surface, rng):
    """A point where nothing is zero and nothing equal."""
    return rng.uniform(0.3, 1.4, surface.dimensions) * rng.choice([-1, 1], surface.dimensions)


# --- Products -----------------------------------------------------------------------------------------------------


def test_a_product_is_that_of_the_hessian_on_every_landscape(rng):
    for surface in SURFACES:
        with about(surface):
            x, v = generic(surface, rng), rng.standard_normal(surface.dimensions)
            exact = surface.hessian(x) @ v
            got = hessian_vector_product(surface.grad, x, v)
            room = np.linalg.norm(surface.hessian(x)) * np.linalg.norm(v)
            # Third derivatives times h² where h is 6e-6, and roundings over h: of the size of 1e-10, with constants.
            assert np.abs(got - exact).max() <= 1e-7 * room


def test_of_a_quadratic_a_product_loses_nothing_but_to_the_rounding_of_gradients(rng, dtype):
    matrix = turned([-2.0, 0.5, 1.0, 7.0], rng)[0].astype(dtype)
    for size in (1e-3, 1.0, 1e5):
        for length in (1e-8, 1.0, 1e8):
            x = (size * rng.standard_normal(4)).astype(dtype)
            v = (length * rng.standard_normal(4)).astype(dtype)
            got = hessian_vector_product(lambda p: matrix @ p, x, v)
            assert got.dtype == dtype
            assert np.abs(got - matrix @ v).max() <= 40 * np.cbrt(np.finfo(dtype).eps) ** 2 * np.abs(v).max()


def test_a_product_has_the_shape_of_x_and_zero_gives_zero():
    x = np.arange(6.0).reshape(2, 3)
    np.testing.assert_allclose(hessian_vector_product(lambda p: p**3, x, np.ones((2, 3))), 3 * x**2, atol=1e-8)
    assert not hessian_vector_product(lambda p: p / 0, x, 0 * x).any()
    np.testing.assert_allclose(hessian_vector_product(lambda p: 3 * p, np.zeros(2), [1, 2]), [3, 6], rtol=1e-12)
    assert np.isnan(hessian_vector_product(lambda p: p, [1.0, 2.0], [np.nan, 1.0])).all()


def test_what_has_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"^hessian_vector_product: v has shape \(3,\) but x has shape \(2,\)$"):
        hessian_vector_product(np.sin, [1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"^hessian_vector_product: what grad returned has shape \(\) but x has "):
        hessian_vector_product(np.sum, [1.0, 2.0], [1.0, 2.0])


# --- Hutchinson ---------------------------------------------------------------------------------------------------


def test_the_estimates_are_within_their_standard_errors_as_often_as_they_should(rng):
    """Within two of them in 95 of 100 cases; the bounds leave five deviations of that count on both sides."""
    matrix, _ = turned(rng.normal(size=12), rng)
    inside, beside = 0, 0
    for seed in range(200):
        trace = hutchinson_trace(matrix, samples=40, seed=seed)
        diagonal = hutchinson_diagonal(lambda v: matrix @ v, 12, samples=40, seed=seed)
        inside += abs(trace.value - np.trace(matrix)) < 2 * trace.error
        beside += np.count_nonzero(np.abs(diagonal.value - np.diag(matrix)) < 2 * diagonal.error)
        assert trace.value == pytest.approx(diagonal.value.sum(), rel=1e-12)
    assert 174 <= inside <= 200
    assert 0.92 <= beside / 2400 <= 0.975


def test_the_variance_is_that_of_the_definition(rng):
    """Of one sample of the trace twice the squares beside the diagonal, of the diagonal the squares in its row."""
    matrix, _ = turned(rng.normal(size=6), rng)
    beside = matrix - np.diag(np.diag(matrix))
    trace, diagonal = (f(matrix, samples=20_000) for f in (hutchinson_trace, hutchinson_diagonal))
    assert trace.error**2 * 20_000 == pytest.approx(2 * (beside**2).sum(), rel=0.1)
    np.testing.assert_allclose(diagonal.error**2 * 20_000, (beside**2).sum(axis=1), rtol=0.1)


def test_of_a_diagonal_matrix_every_sample_is_exact_and_a_seed_repeats(rng):
    spectrum = np.array([1.0, -2.0, 5.0])
    for f, exact in ((hutchinson_trace, 4.0), (hutchinson_diagonal, spectrum)):
        found = f(np.diag(spectrum), samples=2)
        np.testing.assert_array_equal(found.value, exact)
        assert not np.any(found.error)
        assert found.samples == 2
        matrix, _ = turned(spectrum, rng)
        first, again, other = (f(matrix, samples=5, seed=seed) for seed in (1, 1, 2))
        np.testing.assert_array_equal(first.value, again.value)
        assert not np.array_equal(first.value, other.value)


# --- Lanczos ------------------------------------------------------------------------------------------------------


def test_as_many_steps_as_rows_give_the_whole_spectrum(rng):
    for spectrum in ([3.0], [-1.0, 2.0], np.linspace(-5, 5, 21), 10.0 ** np.arange(-6, 7)):
        matrix, _ = turned(spectrum, rng)
        found = lanczos(matrix, steps=100)
        np.testing.assert_allclose(found.values, spectrum, atol=1e-14 * len(spectrum) ** 2 * np.abs(spectrum).max())


def test_within_each_bound_there_is_an_eigenvalue_and_the_ends_come_from_inside(rng):
    spectrum = np.sort(np.concatenate([rng.normal(size=60), [-9.0, 12.0]]))
    matrix, _ = turned(spectrum, rng)
    before = (math.inf, -math.inf)
    for steps in (1, 2, 5, 10, 20, 40, 62):
        found = lanczos(lambda v: matrix @ v, 62, steps=steps, seed=3)
        assert (len(found.values), found.vectors.shape) == (steps, (62, steps))
        distance = np.abs(found.values[:, None] - spectrum).min(axis=1)
        assert (distance <= found.errors).all()
        assert spectrum[0] - 1e-12 <= found.lowest <= before[0]
        assert spectrum[-1] + 1e-12 >= found.highest >= before[1]
        before = found.lowest + 1e-12, found.highest - 1e-12
        np.testing.assert_allclose(found.vectors.T @ found.vectors, np.eye(steps), atol=1e-13)
        residual = np.linalg.norm(matrix @ found.vectors - found.values * found.vectors, axis=0)
        np.testing.assert_allclose(residual, found.errors, atol=1e-11)
    assert lanczos(matrix, steps=20, seed=3).errors[[0, -1]].max() < 1e-6


def test_no_eigenvalue_is_found_twice_where_the_plain_iteration_finds_it_again(rng):
    """One far from the others: the plain iteration loses its orthogonality when it has found it."""
    spectrum = np.append(np.linspace(0, 1, 99), 1e4)
    found = lanczos(np.diag(spectrum), steps=60)
    assert np.count_nonzero(found.values > 1.001) == 1
    assert np.diff(found.values).min() > 1e-9


def test_where_the_space_is_exhausted_it_stops_with_every_eigenvalue(rng):
    for spectrum in ([2.0] * 30, [0.0] * 5, [1.0] * 10 + [4.0] * 20, [-1.0] + [0.0] * 28 + [1.0]):
        matrix, _ = turned(spectrum, rng)
        found = lanczos(matrix, steps=30)
        wanted = np.unique(spectrum)
        assert len(found.values) <= len(wanted) + 1
        for value in wanted:
            assert np.abs(found.values - value).min() < 1e-12


def test_the_curvatures_of_a_landscape_come_from_its_gradients_alone():
    surface = Rosenbrock(dimensions=6)
    x = np.array(surface.start)
    found = lanczos(lambda v: hessian_vector_product(surface.grad, x, v), 6, steps=6)
    np.testing.assert_allclose(found.values, np.linalg.eigvalsh(surface.hessian(x)), rtol=1e-6)


@pytest.mark.parametrize("tool", [hutchinson_trace, hutchinson_diagonal, lanczos])
def test_what_is_no_operator_is_refused(tool):
    name = tool.__name__
    count = "steps" if tool is lanczos else "samples"
    for error, text, given, more in (
        (TypeError, "size must be given", (np.sin,), {}),
        (TypeError, "size must be an integer, got 2.0 of type float", (np.sin, 2.0), {}),
        (ValueError, "size must be an integer >= 1, got 0", (np.sin, 0), {}),
        (ValueError, r"operator has shape \(2, 3\); it must be a square matrix", (np.ones((2, 3)),), {}),
        (ValueError, "size is 3 but the matrix has 2 rows", (np.eye(2), 3), {}),
        (ValueError, "operator is not a symmetric matrix", (np.array([[1.0, 2.0], [0.0, 1.0]]),), {}),
        (ValueError, "operator is not a symmetric matrix of finite", (np.array([[np.nan]]),), {}),
        (ValueError, r"what the operator returned has shape \(\) but its vector has", (np.sum, 3), {}),
        (ValueError, "the operator returned a number that is not finite", (lambda v: v * np.inf, 3), {}),
        (ValueError, f"{count} must be an integer >= ", (np.eye(2),), {count: 0}),
        (TypeError, f"{count} must be an integer, got '3' of type str", (np.eye(2),), {count: "3"}),
    ):
        with about(text), pytest.raises(error, match=f"^{name}: {text}"):
            tool(*given, **more)


# --- Is this Hessian right? ---------------------------------------------------------------------------------------


def test_no_hessian_of_a_landscape_is_called_wrong(rng):
    for surface in SURFACES:
        x = generic(surface, rng)
        report = check_hessian(surface.grad, surface.hessian, x)
        assert report.verdict == "right", (surface, report)
        assert report.error < 1e-6
        np.testing.assert_allclose(report.numeric, surface.hessian(x), atol=1e-6 * np.abs(report.numeric).max())


def in_one_pair(h):
    """Two mirror images of one element."""
    spoilt = h.copy()
    spoilt[0, 1] = spoilt[1, 0] = 1.1 * h[0, 1] + 0.01 * np.abs(h).max()
    return spoilt


MISTAKES = {
    "the wrong sign": ("sign", lambda h: -h),
    "forgotten": ("zero", lambda h: 0 * h),
    "twice": ("factor", lambda h: 2 * h),
    "a mean for a sum": ("factor", lambda h: h / 3),
    "one triangle": ("asymmetric", lambda h: np.triu(h)),
    "the diagonal alone": ("diagonal", lambda h: np.diag(np.diag(h))),
    "damping": ("missing term", lambda h: h + 0.1 * np.abs(h).max() * np.eye(len(h))),
    "no decay": ("missing term", lambda h: h - 0.1 * np.abs(h).max() * np.eye(len(h))),
    "one pair": ("element", in_one_pair),
    "one on the diagonal": ("element", lambda h: h + np.eye(len(h))[0] * np.eye(len(h)) * np.abs(h).max()),
    "the inverse": ("another function", lambda h: np.linalg.inv(h) + 0.3 * np.ones_like(h)),
    "rows": ("shape", lambda h: h[0]),
    "single precision": ("dtype", lambda h: h.astype(np.float32)),
    "nan": ("not finite", lambda h: h * np.where(h == h[0, 0], np.nan, 1)),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_a_hessian_is_called_by_its_name(mistake, rng):
    verdict, spoil = MISTAKES[mistake]
    counted, told = collections.Counter(), {}
    for _ in range(4):
        matrix, _ = turned(rng.uniform(0.5, 3, 3) * [1, -1, 1], rng)
        for grad, hessian in (
            (lambda x, a=matrix: a @ x, lambda x, a=matrix: a),
            (lambda x, a=matrix: a @ np.sin(a @ x), lambda x, a=matrix: a @ np.diag(np.cos(a @ x)) @ a),
        ):
            report = check_hessian(grad, lambda x, h=hessian: spoil(h(x)), rng.uniform(0.2, 0.6, 3))
            assert not report
            counted[report.verdict] += 1
            told[report.verdict] = repr(report)
    assert set(counted) == {verdict}, told


def test_a_gradient_that_is_none_is_told_from_a_hessian_that_is_wrong():
    report = check_hessian(lambda x: np.array([x[1], 3 * x[0]]), lambda x: np.ones((2, 2)), [1.0, 2.0])
    assert report.verdict == "gradient"
    assert "[0, 1] and [1, 0] are 1 and 3" in report.message


def test_at_a_corner_of_the_gradient_nothing_between_is_called_wrong():
    loss, target = lossref.Huber(delta=1.0, reduction="sum"), np.zeros(2)
    grad = lambda x: loss.grad(x, target)  # noqa: E731
    for at_corner, verdict in ((0.0, "kink"), (1.0, "kink"), (1.5, "element")):
        assert check_hessian(grad, lambda x, c=at_corner: np.diag([1.0, c]), [0.3, 1.0]).verdict == verdict


def test_a_rough_gradient_is_called_noisy():
    rough = lambda x: np.round(x, 2)  # noqa: E731
    assert check_hessian(rough, lambda x: np.eye(2), [1.234, 2.345]).verdict == "noise"


def test_what_is_no_point_cannot_be_checked():
    for ask in (lambda x: check_hessian(np.sin, np.diag, x), lambda x: classify_critical_point(np.sin, x)):
        for x in (1.0, [], [1.0, np.nan], np.ones((2, 2))):
            with pytest.raises(ValueError, match=r"^\w+: x must be a vector of finite numbers, got the shape "):
                ask(x)
    with pytest.raises(ValueError, match=r"^check_hessian: the gradient has shape \(\) but x has shape \(2,\)$"):
        check_hessian(np.sum, np.diag, [1.0, 2.0])


# --- What kind of point -------------------------------------------------------------------------------------------


def test_the_signs_of_a_known_spectrum_decide(rng):
    for n in (1, 2, 5):
        for signs in ([1] * n, [-1] * n, [0] * n, [0] + [1] * (n - 1), [-1] + [1] * (n - 1), [0, -1, 1, 1, 1][:n]):
            spectrum = np.array(signs) * rng.uniform(0.5, 50, n)
            matrix, _ = turned(spectrum, rng)
            negative, positive = np.count_nonzero(spectrum < 0), np.count_nonzero(spectrum > 0)
            kind = (
                "saddle"
                if negative and positive
                else "degenerate"
                if negative + positive < n
                else "maximum"
                if negative
                else "minimum"
            )
            at = rng.standard_normal(n)
            for hessian in (None, lambda x, h=matrix: h):
                found = classify_critical_point(lambda x, a=at, h=matrix: h @ (x - a), at, hessian=hessian)
                assert (found.kind, found.index) == (kind, negative), (spectrum, found)
                np.testing.assert_allclose(found.curvatures, np.sort(spectrum), atol=1e-9 * np.abs(spectrum).max())
                np.testing.assert_allclose(
                    matrix @ found.directions, found.directions * found.curvatures, atol=1e-7 * np.abs(spectrum).max()
                )


def test_every_minimum_of_every_landscape_is_called_one_with_and_without_its_hessian():
    for surface in SURFACES:
        for minimum in surface.minima:
            for hessian in (None, surface.hessian):
                found = classify_critical_point(surface.grad, minimum, hessian=hessian)
                assert found.kind == "minimum", (surface, found)
                assert f"all {surface.dimensions} curvatures are positive" in repr(found)


def test_saddles_and_flat_points_are_called_so():
    for point, surface, kind, index in (
        ([0.0, 0.0], Saddle(), "saddle", 1),
        ([0.0, 0.0], MonkeySaddle(), "degenerate", 0),
        ([-0.270844590667299, -0.923038556480046], Himmelblau(), "maximum", 2),
        ([0.086677504555154, 2.884254701174806], Himmelblau(), "saddle", 1),
    ):
        for hessian in (None, surface.hessian):
            found = classify_critical_point(surface.grad, point, hessian=hessian)
            assert (found.kind, found.index) == (kind, index), (surface, found)


def test_a_fourth_power_is_degenerate_although_every_difference_is_positive():
    found = classify_critical_point(lambda x: np.array([x[0], 4 * x[1] ** 3]), [0.0, 0.0])
    assert (found.kind, found.index) == ("degenerate", 0)
    assert "1 of 2 curvatures is zero" in found.message
    # With nothing beside it to be small against, only what the differences are unsure of tells.
    assert classify_critical_point(lambda x: x**5, [0.0]).kind == "degenerate"


def test_what_lies_within_the_tolerance_is_critical_and_nothing_else_is():
    for surface in (Ravine(curvature=1e6), Himmelblau(), Rosenbrock(), Plateau()):
        minimum = np.array(surface.minima[0])
        for distance, critical in ((0.0, True), (1e-8, True), (1e-3, False), (0.3, False)):
            moved = minimum + distance / math.sqrt(2)
            found = classify_critical_point(surface.grad, moved, hessian=surface.hessian)
            assert (found.kind == "minimum") == critical, (surface, distance, found)
            assert (found.kind == "not critical") != critical
            assert ("gradient has length" in found.message) != critical
    far = classify_critical_point(Plateau().grad, [1e3, 0.0], hessian=Plateau().hessian)
    assert far.kind == "not critical"  # a gradient of 2e-9: small, but so is the curvature
    found = classify_critical_point(Ravine().grad, [1e-3, 0.0], hessian=Ravine().hessian, tol=0.01)
    assert found.kind == "minimum"


def test_a_bad_tolerance_or_hessian_is_refused():
    for tol in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match=r"^classify_critical_point: tol must be a finite number > 0, got"):
            classify_critical_point(np.sin, [0.0], tol=tol)
    with pytest.raises(
        ValueError, match=r"^classify_critical_point: the Hessian has shape \(1,\) but x has 1 elements"
    ):
        classify_critical_point(np.sin, [0.0], hessian=np.cos)
    with pytest.raises(ValueError, match=r"^classify_critical_point: gradient or Hessian are not finite at x"):
        classify_critical_point(lambda x: x / 0 if x.all() else x * np.nan, [0.0])
