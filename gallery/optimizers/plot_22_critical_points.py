"""
Himmelblau's surface has nine critical points, and only four of them are minima
===============================================================================

Newton's method finds points where the gradient is zero and does not ask of what kind they are. From a grid of starts it
finds all nine; the eigenvalues of the Hessian tell them apart. A saddle has one way down: the eigenvector of its
negative curvature, drawn as a line. Counted with signs, minima − saddles + maxima is 1, as on every such bowl.
"""

import numpy as np

from lossref.landscapes import Himmelblau
from lossref.plotting import INK, MARKERS, PALETTE, contours, describe, panels
from lossref.training import classify_critical_point

surface = Himmelblau()
starts = np.stack(np.meshgrid(np.linspace(-5, 5, 15), np.linspace(-5, 5, 15))).reshape(2, -1)
points = []
for start in starts.T:
    x = start
    for _ in range(60):
        x = x - np.linalg.solve(surface.hessian(x), surface.grad(x))
    if np.abs(surface.grad(x)).max() < 1e-9 and not any(np.allclose(x, known) for known in points):
        points.append(x)

figure, (panel,) = panels(height=5)
contours(panel, surface, surface.span)
counts, looks = {"minimum": 0, "saddle": 0, "maximum": 0}, {"minimum": 2, "saddle": 1, "maximum": 3}
for x in sorted(points, key=surface):
    found = classify_critical_point(surface.grad, x, hessian=surface.hessian)
    print(f"({x[0]:7.4f}, {x[1]:7.4f})  height {surface(x):7.3f}  {found!r}")
    if found.kind == "saddle":
        way = 0.8 * found.directions[:, :1] * [-1, 1]
        panel.plot(*(x[:, None] + way), color=PALETTE[1], linewidth=1.6)
    look = looks[found.kind]
    panel.plot(*x, color=PALETTE[look], marker=MARKERS[look], markersize=8, linestyle="none")
    counts[found.kind] += 1
for kind, place in {"minimum": (3.25, 2.35), "saddle": (0.45, 3.2), "maximum": (-0.1, -0.6)}.items():
    panel.text(*place, kind, color=INK)
panel.set(xlabel="parameter x", ylabel="parameter y", xlim=surface.span[0], ylim=surface.span[1])
describe(
    figure,
    f"Contours of Himmelblau's function with its {len(points)} critical points: {counts['minimum']} minima, "
    f"{counts['saddle']} saddles with the direction that leads down from each, and {counts['maximum']} maximum.",
)
assert counts == {"minimum": 4, "saddle": 4, "maximum": 1}
