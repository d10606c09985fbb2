"""
Ten thousand times steeper one way: descent takes ten thousand times the steps, Rprop not one more
==================================================================================================

Two parameters, the loss up to ten thousand times steeper in one than in the other. Gradient descent, at its best rate,
must fit the steep one and starves the flat one. A sign is the same on both: where the valley lies along an axis, the
three rules that look at nothing else walk the same path whatever the steepness. Turned by 45° the valley's direction is
no axis any more. Rprop then pays, too, though far less; sign descent at a constant rate bounces between the walls and
does not arrive, and in Lion's memory the bouncing cancels.
"""

import numpy as np

import lossref
from lossref.plotting import describe, name_lines, panels, series

limit, near = 25_000, 0.01
curvatures = np.array([1.0, 10.0, 100.0, 1000.0, 10_000.0])
kinds = {
    "descent": lambda kappa: lossref.SGD(lr=1.98 / (1 + kappa)),
    "Lion": lambda kappa: lossref.Lion(lr=0.005),
    "signs": lambda kappa: lossref.SignSGD(lr=0.0099),
    "Rprop": lambda kappa: lossref.Rprop(),
}


def needed(optimizer, hessian):
    """Count the steps until both parameters are near their best, or up to the limit."""
    theta = np.array([1.0, 0.7])
    state = optimizer.init(theta)
    for step in range(1, limit + 1):
        optimizer.step(theta, hessian @ theta, state)
        if np.abs(theta).max() < near:
            return step
    return limit


figure, axes = panels(2, sharey=True)
counts = {}
for panel, degrees in zip(axes, (0, 45), strict=True):
    turn = np.array([[1, -1], [1, 1]]) / np.sqrt(2) if degrees else np.eye(2)
    for index, (name, make) in enumerate(kinds.items()):
        counts[name, degrees] = [needed(make(kappa), turn @ np.diag([1, kappa]) @ turn.T) for kappa in curvatures]
        panel.plot(curvatures, counts[name, degrees], label=name, **series(index, marked=True))
    panel.set(xscale="log", yscale="log", title=f"valley at {degrees}° to the axes")
    panel.set(xlabel="curvature across over curvature along (1)")
    name_lines(panel)
axes[0].set_ylabel(f"steps until within 0.01 (at most {limit:,})")

for (name, degrees), found in counts.items():
    print(f"{name:8} {degrees:2}°  {found}")
describe(
    figure,
    "Steps needed against the ratio of curvatures from 1 to 10,000. Along the axes descent goes from "
    f"{counts['descent', 0][0]} to {counts['descent', 0][-1]}, Rprop stays at {counts['Rprop', 0][-1]}, Lion at "
    f"{counts['Lion', 0][-1]}, signs at {counts['signs', 0][-1]}. At 45 degrees Rprop goes up to "
    f"{counts['Rprop', 45][-1]}, and signs do not arrive.",
)
assert counts["descent", 0][-1] > 10_000 * counts["descent", 0][0]
assert all(len(set(counts[name, 0])) == 1 for name in ("Rprop", "Lion", "signs"))
