"""What holds of projections: the point is inside, nothing inside is nearer, and the digits are right."""

import math
import re
from fractions import Fraction

import numpy as np
import pytest
from test_bad_input import KINDS, OUTS, SHAPED, Untouched, refuses
from test_bits import layouts, writable_layouts

import lossref
from lossref.regularizers import project_ball, project_box, project_simplex


def named(name, run, inside):
    """A projection by its name, the call, and what its points must fulfil up to rounding."""
    return pytest.param(run, inside, id=name)


PROJECTIONS = [
    named("box", lambda w, **k: project_box(w, -0.5, 1.25, **k), lambda u: max(np.max(u) - 1.25, -0.5 - np.min(u))),
    named("half", lambda w, **k: project_box(w, 0, math.inf, **k), lambda u: -np.min(u)),
    named("simplex", project_simplex, lambda u: max(-np.min(u), abs(math.fsum(u.ravel()) - 1))),
    named("simplex-7", lambda w, **k: project_simplex(w, 7, **k), lambda u: abs(math.fsum(u.ravel()) - 7) - np.min(u)),
    named("ball-1", lambda w, **k: project_ball(w, 2.5, norm=1, **k), lambda u: math.fsum(np.abs(u).ravel()) - 2.5),
    named("ball-2", lambda w, **k: project_ball(w, 1.5, **k), lambda u: math.sqrt(math.fsum(u.ravel() ** 2)) - 1.5),
    named("ball-inf", lambda w, **k: project_ball(w, 0.75, norm=math.inf, **k), lambda u: np.max(np.abs(u)) - 0.75),
]
every_projection = pytest.mark.parametrize(("project", "outside"), PROJECTIONS)
OWNER = r"^project_(box|simplex|ball): "


def points(rng, dtype):
    for size, count in ((0.1, 3), (1.0, 1), (1.0, 8), (5.0, 40), (1e3, 1000)):
        yield (size * rng.standard_normal(count)).astype(dtype)


@every_projection
def test_the_point_is_inside_and_nothing_inside_is_nearer(project, outside, dtype, rng):
    """The nearest point of a convex set is the one from which no point of the set lies in the direction of w."""
    eps = float(np.finfo(dtype).eps)
    for w in points(rng, dtype):
        u = project(w)
        assert (u.shape, u.dtype) == (w.shape, dtype)
        assert outside(u.astype(np.float64)) <= 8 * eps * w.size
        for _ in range(20):
            v = project((4 * rng.standard_normal(w.size)).astype(dtype))
            ahead = np.vdot((w - u).astype(np.float64), (v - u).astype(np.float64))
            assert ahead <= 16 * eps * w.size * max(1, np.linalg.norm(w))


@every_projection
def test_what_is_inside_stays(project, outside, dtype, rng):
    for w in points(rng, dtype):
        u = project(w)
        np.testing.assert_allclose(project(u), u, rtol=0, atol=4 * np.finfo(dtype).eps)


@every_projection
def test_points_come_no_farther_apart(project, outside, dtype, rng):
    for one, other in zip(points(rng, dtype), points(rng, dtype), strict=True):
        apart = np.linalg.norm(project(one).astype(np.float64) - project(other))
        assert apart <= np.linalg.norm(one.astype(np.float64) - other) + 16 * np.finfo(dtype).eps * math.sqrt(one.size)


def simplex_in_fractions(w, total):
    """The projection on the simplex by its optimality conditions, without rounding."""
    exact = [Fraction(float(x)) for x in w]
    falling = sorted(exact, reverse=True)
    sums = [(sum(falling[:k]) - total) / k for k in range(1, len(falling) + 1)]
    (threshold,) = {t for k, t in enumerate(sums, 1) if falling[k - 1] > t and all(x <= t for x in falling[k:])}
    return [max(x - threshold, Fraction(0)) for x in exact]


@pytest.mark.parametrize("far", [0.0, 1e4, -1e12, 1e25])
@pytest.mark.parametrize("total", [1, 2.0**-40, 300.0])
def test_the_simplex_is_exact_however_far_away(far, total, dtype, rng):
    for count in (1, 2, 5, 30):
        w = (far + total * rng.standard_normal(count)).astype(dtype)
        wanted = simplex_in_fractions(w, Fraction(total))
        errors = [abs(Fraction(float(x)) - y) for x, y in zip(project_simplex(w, total), wanted, strict=True)]
        assert max(errors) <= 2 * float(np.finfo(dtype).eps) * total


@pytest.mark.parametrize("size", [1e-160, 1e-30, 1.0, 1e30, 1e160])
def test_the_ball_neither_overflows_nor_vanishes(size, rng):
    w = rng.standard_normal(20)
    for norm, measure in ((1, lambda u: math.fsum(np.abs(u))), (2, lambda u: math.hypot(*u))):
        u = project_ball(size * w, size, norm=norm)
        assert measure(u) == pytest.approx(size, rel=1e-14)
    np.testing.assert_allclose(project_ball(size * w, size), size * w / math.hypot(*w), rtol=1e-14)


def test_a_point_inside_a_ball_keeps_its_bits(dtype, rng):
    w = rng.standard_normal(9).astype(dtype)
    for norm in (1, 2, math.inf):
        assert project_ball(w, 100, norm=norm).tobytes() == w.tobytes()


def test_moreau_what_a_proximal_map_takes_is_a_projection(rng):
    w, t = 3 * rng.standard_normal(12), 0.9
    np.testing.assert_allclose(w - project_ball(w, t, norm=math.inf), lossref.L1(lam=t).prox(w, 1.0), atol=1e-15)
    group = lossref.GroupLasso(lam=t / math.sqrt(12), groups=[0] * 12)
    np.testing.assert_allclose(w - project_ball(w, t), group.prox(w, 1.0), atol=2e-15)


def test_nan_reaches_what_depends_on_it(dtype):
    w = np.array([3.0, np.nan, -2.0], dtype)
    np.testing.assert_array_equal(project_box(w, -1, 1), [1, np.nan, -1])
    np.testing.assert_array_equal(project_ball(w, 1, norm=math.inf), [1, np.nan, -1])
    for u in (project_simplex(w), project_ball(w, norm=1), project_ball(w)):
        assert np.isnan(u).all()


def test_infinite_parameters_give_the_limit(dtype):
    one, two = np.array([np.inf, -5, -np.inf], dtype), np.array([np.inf, 1, np.inf], dtype)
    np.testing.assert_array_equal(project_box(one, -2, 3), [3, -2, -2])
    np.testing.assert_array_equal(project_simplex(one), [1, 0, 0])
    np.testing.assert_array_equal(project_simplex(two), [0.5, 0, 0.5])
    np.testing.assert_array_equal(project_ball(one, norm=1), [0.5, 0, -0.5])
    np.testing.assert_allclose(project_ball(one), [math.sqrt(0.5), 0, -math.sqrt(0.5)], rtol=np.finfo(dtype).eps)
    np.testing.assert_array_equal(project_ball(one, 2, norm=math.inf), [2, -2, -2])


def test_the_largest_floats_are_projected(dtype):
    w = np.full(3, np.finfo(dtype).max)
    np.testing.assert_allclose(project_ball(w, 3, norm=1), [1, 1, 1], rtol=np.finfo(dtype).eps)
    np.testing.assert_allclose(project_simplex(w, 3), [1, 1, 1], rtol=np.finfo(dtype).eps)
    np.testing.assert_allclose(project_ball(w, math.sqrt(3)), [1, 1, 1], rtol=2 * np.finfo(dtype).eps)


def test_none_are_projected_on_none_and_there_is_no_empty_simplex():
    for norm in (1, 2, math.inf):
        assert project_ball([], norm=norm).shape == (0,)
    assert project_box(np.empty((0, 2)), 0, 1).shape == (0, 2)
    with refuses(ValueError, "project_simplex", "w", r"has shape \(0,\)"):
        project_simplex([])


@every_projection
def test_a_single_number_gives_a_number(project, outside, dtype):
    assert type(project(np.array(0.3, dtype))) is dtype.type
    assert type(project(0.3)) is np.float64


@every_projection
def test_layout_and_out_change_no_bit(project, outside, dtype, rng, tmp_path):
    w = rng.standard_normal((14, 3)).astype(dtype)
    wanted = project(w).tobytes()
    for name, other in layouts(w, tmp_path):
        assert project(other).tobytes() == wanted, name
    for out in (w.copy(), *writable_layouts(w.shape, dtype)):
        assert project(out if np.array_equal(out, w) else w, out=out) is out
        assert out.tobytes() == wanted


# --- Bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in SHAPED])
@every_projection
def test_parameters_of_each_kind_are_taken_or_refused_in_words(project, outside, kind, rng):
    make, refusal = KINDS[kind]
    w = rng.standard_normal(5)
    if refusal is None:
        assert np.isfinite(project(make(w))).all()
    else:
        with Untouched(w), pytest.raises(refusal[0], match=OWNER + rf"w\b.*({refusal[1]})"):
            project(make(w))


@pytest.mark.parametrize("kind", OUTS)
@every_projection
def test_an_output_that_cannot_be_written_is_refused_and_not_written(project, outside, kind, rng):
    make, error, words = OUTS[kind]
    w, out = rng.standard_normal(5), make(np.full(5, 12345.0))
    with Untouched(out, w), pytest.raises(error, match=OWNER + rf"out\b.*({words})"):
        project(w, out=out)


@pytest.mark.parametrize(
    ("size", "error"),
    [(0, ValueError), (-1.0, ValueError), (math.nan, ValueError), (math.inf, ValueError), (None, TypeError),
     ("1", TypeError), (True, TypeError), ([0.1], TypeError), (1j, TypeError)],
    ids=repr,
)  # fmt: skip
def test_a_size_that_is_no_positive_number_is_refused(size, error):
    w = np.ones(3)
    with Untouched(w), refuses(error, "project_simplex", "total", "must be a number > 0, got "):
        project_simplex(w, size, out=w)
    with Untouched(w), refuses(error, "project_ball", "radius", "must be a number > 0, got "):
        project_ball(w, size, out=w)


@pytest.mark.parametrize(
    ("low", "high", "error", "words"),
    [(1, 0, ValueError, "low must be <= high, got 1 and 0"), (math.nan, 1, ValueError, "low must be <= high"),
     (0, math.nan, ValueError, "low must be <= high"), ("0", 1, TypeError, "low must be a number, got '0'"),
     (0, None, TypeError, "high must be a number, got None"), (False, 1, TypeError, "low must be a number")],
)  # fmt: skip
def test_bounds_that_bound_nothing_are_refused(low, high, error, words):
    with pytest.raises(error, match=rf"^project_box: {re.escape(words)}"):
        project_box(np.ones(3), low, high)


def test_a_bound_beyond_float64_is_refused_in_words():
    for huge in (10**400, 10**5000, Fraction(10**400)):  # of 5000 digits Python does not even make a text
        for place, bounds in (("low", (-huge, 0)), ("high", (0, huge))):
            with pytest.raises(ValueError, match=rf"^project_box: {place} is beyond the range of float64"):
                project_box(np.ones(3), *bounds)


@pytest.mark.parametrize(
    ("norm", "error"), [(0, ValueError), (3, ValueError), (math.nan, ValueError), ("2", TypeError), (None, TypeError)]
)
def test_a_norm_without_a_ball_is_refused(norm, error):
    with pytest.raises(error, match=r"^project_ball: norm must be 1, 2 or inf, got "):
        project_ball(np.ones(3), norm=norm)
