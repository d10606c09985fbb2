"""Rosenbrock's function, the one surface that a peer has, is SciPy's, in value, gradient and Hessian."""

import numpy as np
import pytest

from lossref.landscapes import Rosenbrock

optimize = pytest.importorskip("scipy.optimize")


@pytest.mark.parametrize("dimensions", [2, 3, 50])
def test_rosenbrock_is_scipys(dimensions, backend, rng):
    surface = Rosenbrock(dimensions=dimensions)
    for scale in (1e-3, 1.0, 10.0):
        x = scale * rng.standard_normal(dimensions)
        hessian = optimize.rosen_hess(x)
        np.testing.assert_allclose(surface(x), optimize.rosen(x), rtol=1e-13)
        np.testing.assert_allclose(
            surface.grad(x), optimize.rosen_der(x), rtol=1e-12, atol=1e-13 * np.abs(hessian).max()
        )
        np.testing.assert_allclose(surface.hessian(x), hessian, rtol=1e-13, atol=1e-14 * np.abs(hessian).max())
        points = x[:, None] + rng.standard_normal((dimensions, 7))
        np.testing.assert_allclose(surface(points), optimize.rosen(points), rtol=1e-12)
