"""
Only the ball of the 1-norm makes zeros of parameters that are merely small
===========================================================================

Four hundred random points are moved to the nearest point of a ball of radius 1. Round about a corner, a whole region
has that corner for its nearest point. The corners of the 1-norm lie on the axes, where one parameter is zero; those of
the maximum norm, where both are as large as they may be. The ball of the 2-norm has none.
"""

import math

import numpy as np

from lossref.plotting import INK, describe, panels
from lossref.regularizers import project_ball

points = 1.5 * np.random.default_rng(4).standard_normal((400, 2))
names = {1: "1-norm", 2: "2-norm", math.inf: "maximum norm"}
figure, axes = panels(3, sharey=True)
zeros = {}
for panel, (norm, name) in zip(axes, names.items(), strict=True):
    nearest = np.array([project_ball(point, 1.0, norm=norm) for point in points])
    zeros[norm] = int((nearest == 0).any(axis=1).sum())
    ways = np.stack([points, nearest], axis=1)
    panel.plot(*ways.T, color="#8a8a8a", linewidth=0.4)
    panel.plot(*nearest.T, "o", color=INK, markersize=2)
    panel.set(title=f"{name}: {zeros[norm]} with a zero", xlabel="parameter $w_1$ (1)", xlim=(-3, 3), ylim=(-3, 3))
    panel.set_aspect("equal")
    print(f"{name:12} sends {zeros[norm]:3} of {len(points)} points to where a parameter is zero")
axes[0].set_ylabel("parameter $w_2$ (1)")
describe(
    figure,
    f"Lines from {len(points)} random points to the nearest points of three balls. On the 1-norm's diamond {zeros[1]} "
    f"of them end in a corner, where a parameter is zero; on the circle of the 2-norm {zeros[2]} and on the square of "
    f"the maximum norm {zeros[math.inf]} have a zero.",
)
assert zeros[2] == zeros[math.inf] == 0
assert zeros[1] > len(points) / 3
