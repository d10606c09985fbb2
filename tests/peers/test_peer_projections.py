"""The projections of optax, where it is installed."""

import math

import numpy as np
import pytest

from lossref.regularizers import project_ball, project_box, project_simplex


def test_projections_are_those_of_optax(rng):
    projections = pytest.importorskip("optax").projections
    pytest.importorskip("jax").config.update("jax_enable_x64", True)
    for size in (0.01, 1.0, 30.0):
        w = size * rng.standard_normal(40)
        for ours, theirs in (
            (project_box(w, -0.5, 2.0), projections.projection_box(w, -0.5, 2.0)),
            (project_simplex(w, 3.0), projections.projection_simplex(w, 3.0)),
            (project_ball(w, 3.0, norm=1), projections.projection_l1_ball(w, 3.0)),
            (project_ball(w, 3.0), projections.projection_l2_ball(w, 3.0)),
            (project_ball(w, 3.0, norm=math.inf), projections.projection_linf_ball(w, 3.0)),
        ):
            np.testing.assert_allclose(ours, np.asarray(theirs), rtol=1e-12, atol=1e-14)
