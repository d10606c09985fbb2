"""
Watch it: in a ravine descent zig-zags across, while momentum is at the bottom in a third of the steps
======================================================================================================

Both take one step in the same time. Descent uses nearly the largest rate that is stable, and bounces from wall to wall
while it hardly moves along; at a smaller rate it would not bounce, and move even less. With momentum what bounces
cancels, and what agrees adds up; (1 − √η)² is the momentum that is fastest along the floor, whose curvature is 1.
Where motion is not welcome the picture stands still and shows the whole paths.
"""

import numpy as np

from lossref import SGD
from lossref.landscapes import Ravine
from lossref.plotting import animate, descend, describe, path
from lossref.training import largest_stable_rate

surface, start, steps = Ravine(curvature=40.0), (-2.7, 0.5), 60
plain = SGD(lr=0.97 * largest_stable_rate(SGD(lr=1.0), surface.curvature))
kinds = {"descent": plain, "momentum": SGD(lr=0.04, momentum=(1 - 0.04**0.5) ** 2)}

needed = {}
for name, optimizer in kinds.items():
    heights = surface(descend(optimizer, surface, start, 400).T)
    needed[name] = int(np.flatnonzero(heights >= 1e-3)[-1]) + 1
    print(f"{name:9} rate {optimizer.lr:.4f}, momentum {optimizer.momentum:.2f}: {needed[name]} steps")

figure = path(
    list(kinds.values()),
    surface,
    start=start,
    steps=steps,
    labels=[f"{name}: below 0.001 after {count} steps" for name, count in needed.items()],
    span=((-3, 1), (-0.6, 0.6)),
    height=3.4,
)
animate([panel.lines[0] for panel in figure.axes])
describe(
    figure,
    f"Animated paths of {steps} steps over the contours of a ravine 40 times steeper across than along. Descent "
    f"bounces between the walls and needs {needed['descent']} steps to stay below a height of 0.001, momentum "
    f"{needed['momentum']}.",
)
assert 3 * needed["momentum"] <= needed["descent"] < 4 * needed["momentum"]
