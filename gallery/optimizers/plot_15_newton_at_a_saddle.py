"""
Newton's method walks into the saddle; damped, or in a trust region, it goes past it
====================================================================================

The pure step goes to where the parabola of this point rests, and beside a saddle that is the saddle: a few steps, and
the gradient is zero. The damped method takes the absolute values of the curvatures, so that it walks down where the
surface bends down, and halves a step that does not lead down. The trust region asks for the lowest point of the same
parabola within a radius, which lies downhill.
"""

import numpy as np

import lossref
from lossref.landscapes import Saddle
from lossref.plotting import INK, MARKERS, PALETTE, contours, describe, grid

surface, start = Saddle(), (-1.5, 0.35)
kinds = {kind: lossref.Newton(kind=kind, radius=0.5) for kind in ("pure", "damped", "trust region")}

figure, axes = grid(3, height=3.6, columns=3)
ends = {}
for index, (panel, (kind, method)) in enumerate(zip(axes, kinds.items(), strict=True)):
    found = lossref.minimize(
        surface.value_and_grad, start, hess=surface.hessian, method=method, tol=1e-10, keep_points=True
    )
    ends[kind] = found
    contours(panel, surface, surface.span)
    panel.plot(*found.history.points.T, color=PALETTE[index], marker=MARKERS[index], markersize=4)
    panel.plot(*start, marker="o", color=INK)
    for minimum in surface.minima:
        panel.plot(*minimum, marker="*", color=INK, markersize=9)
    panel.set(title=f"{kind}: {found.nit} steps", xlabel="parameter x", xlim=surface.span[0], ylim=surface.span[1])
    print(
        f"{kind:13} {found.nit} steps to height {round(found.fun, 3) + 0.0:6}, gradient {np.abs(found.grad).max():.0e}"
    )
axes[0].set_ylabel("parameter y")
describe(
    figure,
    "Paths of three kinds of Newton's method over a surface with a saddle between two wells. Steps and final height: "
    + ", ".join(f"{kind} {found.nit}, {round(found.fun, 2) + 0.0}" for kind, found in ends.items())
    + ".",
)
assert abs(ends["pure"].fun) < 1e-12
assert all(found.success and found.fun + 0.25 < 1e-12 for kind, found in ends.items() if kind != "pure")
