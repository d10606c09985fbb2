"""The surfaces on which optimizers are shown: heights, slopes and curvatures are those of the formula."""

import numpy as np
import pytest
import sympy

from lossref import landscapes

SURFACES = [
    getattr(landscapes, name)(**settings)
    for name in landscapes.__all__
    for settings in getattr(landscapes, name).samples
]


@pytest.fixture(params=SURFACES, ids=repr)
def surface(request):
    return request.param


def at(surface, expression, point):
    """The value of an expression of the surface's symbols at a point."""
    symbols = surface.arguments()
    settings = {symbols[name]: getattr(surface, name) for name in symbols if name not in ("x1", "x2")}
    return float(expression.subs(settings | {symbols["x1"]: point[0], symbols["x2"]: point[1]}))


@pytest.mark.parametrize("point", np.random.default_rng(0).normal(size=(5, 2)) * 3)
def test_height_slope_and_hessian_are_those_of_the_formula(surface, point):
    symbols = surface.arguments()
    axes = symbols["x1"], symbols["x2"]
    expression = surface.expression()
    assert surface(point) == pytest.approx(at(surface, expression, point), rel=1e-14)
    slope = [at(surface, sympy.diff(expression, axis), point) for axis in axes]
    np.testing.assert_allclose(surface.grad(point), slope, rtol=1e-14)
    bend = [[at(surface, sympy.diff(expression, a, b), point) for b in axes] for a in axes]
    np.testing.assert_allclose(surface.hessian(point), bend, rtol=1e-14)


def test_many_points_are_one_point_many_times(surface):
    points = np.random.default_rng(1).normal(size=(2, 4, 3))
    heights, slopes = surface.value_and_grad(points)
    assert heights.shape == (4, 3)
    assert slopes.shape == points.shape
    for i, j in np.ndindex(4, 3):
        assert heights[i, j] == surface(points[:, i, j])
        np.testing.assert_array_equal(slopes[:, i, j], surface.grad(points[:, i, j]))
