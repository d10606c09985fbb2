"""The surfaces on which optimizers are shown: heights, slopes and curvatures are those of the formula."""

import functools
import inspect
import pickle

import numpy as np
import oracle
import process
import pytest
import sympy as sp
from cases import about

import lossref
from lossref import _backend, landscapes
from lossref.landscapes import Landscape

KINDS = [
    kind
    for name in landscapes.__all__
    if issubclass(kind := getattr(landscapes, name), Landscape) and kind is not Landscape
]
SURFACES = [kind(**settings) for kind in KINDS for settings in kind.samples]
EVERY = pytest.mark.parametrize("surface", SURFACES, ids=repr)


@functools.cache
def truth(surface):
    """The height, its slopes and its curvatures, each with the sum of its absolute terms, as functions of a point."""
    arguments = oracle.exactly(surface.arguments())
    asked = oracle.Oracle(surface, arguments)
    slopes = [sp.diff(asked.expression, axis) for axis in arguments["x"]]
    bends = [[sp.diff(slope, axis) for axis in arguments["x"]] for slope in slopes]

    def pair(expression):
        return asked.compile(expression), asked.compile(oracle.size(sp.expand(expression)))

    return pair(asked.expression), [pair(s) for s in slopes], [[pair(b) for b in row] for row in bends]


def is_near(got, exact, point, ulps=8):
    """Within a few units in the last place of what cancels at worst: the size of the largest terms."""
    value, size = (float(ask(*point)) for ask in exact)
    assert abs(got - value) <= ulps * np.finfo(float).eps * size, (got, value, size)


def points_of(surface, rng, count):
    """Near and far, at whole numbers and at halves, and where it is lowest."""
    scales = 10.0 ** rng.uniform(-3, 1, count)
    near = scales * rng.standard_normal((surface.dimensions, count))
    whole = np.round(rng.uniform(-6, 6, (surface.dimensions, 4))) / 2
    return np.hstack([near, whole, np.array(surface.minima).reshape(-1, surface.dimensions).T])


@EVERY
def test_height_slope_and_hessian_are_those_of_the_formula(surface, backend, rng):
    height, slopes, bends = truth(surface)
    for point in points_of(surface, rng, 8).T:
        with about(point):
            value, gradient = surface.value_and_grad(point)
            hessian = surface.hessian(point)
            assert type(value) is float
            assert (surface(point), surface.grad(point).tolist()) == (value, gradient.tolist())
            assert (gradient.shape, hessian.shape) == (point.shape, 2 * point.shape)
            is_near(value, height, point)
            for j in range(surface.dimensions):
                is_near(gradient[j], slopes[j], point)
                for k in range(surface.dimensions):
                    is_near(hessian[j, k], bends[j][k], point)


@EVERY
def test_many_points_are_one_point_many_times(surface, backend, rng):
    for shape in ((0,), (7,), (4, 3), (1, 0, 2)):
        points = 2 * rng.standard_normal((surface.dimensions, *shape))
        heights, slopes = surface.value_and_grad(points)
        bends = surface.hessian(points)
        assert (heights.shape, slopes.shape, bends.shape) == (shape, points.shape, (len(points), *points.shape))
        for place in np.ndindex(shape):
            assert heights[place] == surface(points[:, *place])
            np.testing.assert_array_equal(slopes[:, *place], surface.grad(points[:, *place]))
            np.testing.assert_array_equal(bends[:, :, *place], surface.hessian(points[:, *place]))


@EVERY
def test_more_points_than_a_block_holds_are_as_two_halves(surface, backend, rng):
    points = rng.standard_normal((surface.dimensions, 40_000 // surface.dimensions))
    cut = points.shape[1] // 2 + 13
    whole, first, second = (surface.value_and_grad(part) for part in (points, points[:, :cut], points[:, cut:]))
    np.testing.assert_array_equal(whole[0], np.concatenate([first[0], second[0]]))
    np.testing.assert_array_equal(whole[1], np.hstack([first[1], second[1]]))
    some = points[:, : 2500 // surface.dimensions]
    parts = [surface.hessian(part) for part in (some[:, :300], some[:, 300:])]
    np.testing.assert_array_equal(surface.hessian(some), np.concatenate(parts, axis=-1))


@EVERY
def test_every_backend_gives_the_same_bits(surface, rng):
    points = np.hstack([points_of(surface, rng, 400), 1e4 * rng.standard_normal((surface.dimensions, 40))])
    found = []
    for name in _backend.available():
        with lossref.use_backend(name):
            found.append([*surface.value_and_grad(points), surface.hessian(points)])
    compiled = found if surface.exact else found[:-1]  # NumPy has a sine of its own
    for other in compiled[1:]:
        for one, result in zip(compiled[0], other, strict=True):
            np.testing.assert_array_equal(one, result)


@EVERY
def test_at_a_minimum_the_slope_is_zero_and_no_direction_bends_down(surface, backend):
    _, slopes, _ = truth(surface)
    for point in np.array(surface.minima):
        nearest = np.finfo(float).eps * np.abs(np.linalg.norm(surface.hessian(point))) * np.linalg.norm(point)
        for j in range(surface.dimensions):  # the float next to the root, and the rounding of the slope
            rounding = 8 * np.finfo(float).eps * float(slopes[j][1](*point))
            assert abs(surface.grad(point)[j]) <= nearest + rounding
        assert np.linalg.eigvalsh(surface.hessian(point)).min() > 0


@EVERY
def test_nothing_lies_below_a_minimum_and_all_minima_are_equally_low(surface, backend, rng):
    if surface.minima:
        heights = surface(np.array(surface.minima).T)
        assert np.ptp(heights) < 1e-25
        spread = 10.0 ** rng.uniform(-3, 1, 3000) * rng.standard_normal((surface.dimensions, 3000))
        around = np.concatenate([point[:, None] + spread for point in np.array(surface.minima)], axis=1)
        assert surface(around).min() >= heights.min()
    else:  # bottomless
        assert surface(100 * rng.standard_normal((surface.dimensions, 50))).min() < -1000


@EVERY
def test_the_start_and_the_minima_are_in_the_picture_and_the_start_is_no_end(surface, backend):
    for point in (surface.start, *surface.minima):
        assert len(point) == surface.dimensions
        for (low, high), coordinate in zip(surface.span, point, strict=False):
            assert low < coordinate < high
    if surface.start != (0.0, 0.0):
        assert surface.start not in surface.minima
    assert np.abs(surface.grad(surface.start)).max() > 1e-4


@EVERY
def test_a_nan_stays_in_its_point(surface, backend, rng):
    points = rng.standard_normal((surface.dimensions, 9))
    spoilt = points.copy()
    spoilt[-1, 4] = np.nan
    (heights, slopes), (clean, wanted) = surface.value_and_grad(spoilt), surface.value_and_grad(points)
    assert np.isnan(heights[4])
    assert np.isnan(slopes[-1, 4])
    np.testing.assert_array_equal(np.delete(heights, 4), np.delete(clean, 4))
    np.testing.assert_array_equal(np.delete(slopes, 4, axis=1), np.delete(wanted, 4, axis=1))
    bends, right = surface.hessian(spoilt), surface.hessian(points)
    np.testing.assert_array_equal(np.delete(bends, 4, axis=2), np.delete(right, 4, axis=2))
    depends = any(axis in entry.free_symbols for axis in surface.arguments()["x"][-1:] for entry in curvatures(surface))
    assert np.isnan(bends[:, :, 4]).any() == depends


def curvatures(surface):
    """All second derivatives of the formula."""
    axes, expression = surface.arguments()["x"], surface.expression()
    return [sp.diff(expression, a, b) for a in axes for b in axes]


@EVERY
def test_far_from_the_bottom_the_height_is_infinite_or_a_level_and_never_nan(surface, backend):
    """An optimizer that has left the earth is to be seen high up. (What has no bottom goes both ways.)"""
    for size in (1e100, -1e200, 1e308) if surface.minima else ():
        point = np.full(surface.dimensions, size) / np.arange(1, surface.dimensions + 1)
        assert surface(point) >= 1


@EVERY
def test_other_numbers_and_layouts_are_the_same_points(surface, backend, rng):
    points = np.round(4 * rng.standard_normal((surface.dimensions, 6)))
    heights, slopes = surface.value_and_grad(points)
    strided = np.repeat(points, 2, axis=1)[:, ::2]
    for other in (points.tolist(), points.astype(np.float32), points.astype(int), points.astype(">f8"), strided):
        got = surface.value_and_grad(other)
        np.testing.assert_array_equal(got[0], heights, strict=True)
        np.testing.assert_array_equal(got[1], slopes, strict=True)
        np.testing.assert_array_equal(surface.hessian(other), surface.hessian(points), strict=True)
    assert surface(tuple(points[:, 0])) == heights[0]


@EVERY
def test_what_is_no_point_is_refused(surface, way_in):
    name, n = type(surface).__name__, surface.dimensions
    for ask in (surface, surface.grad, surface.value_and_grad, surface.hessian):
        for x in (1.0, np.zeros(n + 1), np.zeros((n + 1, n)), np.zeros(0)):
            shape = str(np.shape(x)).replace("(", r"\(").replace(")", r"\)")
            with pytest.raises(
                ValueError, match=rf"^{name}: x has shape {shape} but a point has {n} coordinates: give "
            ):
                ask(x)
        with pytest.raises(TypeError, match=rf"^{name}: x has dtype complex128"):
            ask(np.zeros(n, complex))
        with pytest.raises(TypeError, match=rf"^{name}: x is None"):
            ask(None)


@EVERY
def test_it_is_a_value(surface):
    again = pickle.loads(pickle.dumps(surface))
    assert (again, hash(again), repr(again)) == (surface, hash(surface), repr(surface))
    assert eval(repr(surface), vars(landscapes)) == surface
    assert "x_{1}" in surface._repr_latex_() or "x_1" in surface._repr_latex_()


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: landscapes.Rosenbrock(dimensions=1), ValueError, "dimensions must be an integer >= 2, got 1"),
        (lambda: landscapes.Bowl(dimensions=2.0), TypeError, "dimensions must be an integer >= 1, got 2.0 of type"),
        (lambda: landscapes.Rastrigin(amplitude=0.0), ValueError, "amplitude must be a number > 0, got 0.0"),
        (lambda: landscapes.Ravine(curvature=-1.0), ValueError, "curvature must be a number > 0, got -1.0"),
    ],
)
def test_settings_out_of_range_are_refused(make, error, text):
    with pytest.raises(error, match=text):
        make()


def test_rosenbrocks_numbers_are_the_literatures(backend):
    surface = landscapes.Rosenbrock()
    assert surface(surface.start) == pytest.approx(24.2, rel=1e-15)  # Moré, Garbow and Hillstrom 1981, problem 1
    np.testing.assert_allclose(surface.grad(surface.start), [-215.6, -88.0], rtol=1e-14)
    np.testing.assert_array_equal(surface.hessian([1.0, 1.0]), [[802, -400], [-400, 200]])


def test_every_landscape_is_told_of_and_none_takes_two_names():
    assert len({surface._kernel for surface in SURFACES}) == len(KINDS) >= 9
    for kind in KINDS:
        told = inspect.getdoc(kind)
        assert ".. math::" in told
        assert "Examples" in told


def test_a_landscape_is_computed_without_sympy():
    code = """
        import sys
        from lossref.landscapes import Himmelblau
        print(Himmelblau()([3.0, 2.0]), {"sympy", "scipy", "matplotlib"} & set(sys.modules))
    """
    assert process.output(code) == "0.0 set()"
