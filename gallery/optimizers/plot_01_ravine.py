"""
Momentum crosses the ravine in a sixth of the steps, each at its best learning rate
===================================================================================

A valley that is a hundred times steeper across than along. The step must be small enough for the steep walls, so plain
descent crawls along the floor. Momentum adds up what successive gradients agree on, which is the way along, and cancels
what they do not, which is the zig-zag. Adam scales each coordinate by the size of its own gradients.
"""

import numpy as np

import lossref
from lossref.landscapes import Ravine
from lossref.plotting import descend, describe, path

surface = Ravine(curvature=100.0)
start, limit = (-2.7, 0.35), 250
rates, betas = np.geomspace(0.005, 0.5, 30), (0.5, 0.6, 0.7, 0.8, 0.9)
kinds = {
    "gradient descent": [lossref.SGD(lr=lr) for lr in rates],
    "momentum": [lossref.SGD(lr=lr, momentum=beta) for lr in rates for beta in betas],
    "Nesterov": [lossref.SGD(lr=lr, momentum=beta, nesterov=True) for lr in rates for beta in betas],
    "Adam": [lossref.Adam(lr=lr) for lr in rates],
}


def needed(optimizer):
    """Count the steps until the path stays below a height of 0.001."""
    with np.errstate(over="ignore", invalid="ignore"):  # a rate that is too large leaves the earth
        heights = surface(descend(optimizer, surface, start, limit).T)
    return int(np.flatnonzero(~(heights < 1e-3))[-1]) + 1


# %%
# To be fair, each gets the best of thirty learning rates, and of five momenta where it has one.

best = {name: min(candidates, key=needed) for name, candidates in kinds.items()}
counts = {name: needed(optimizer) for name, optimizer in best.items()}
for name, optimizer in best.items():
    momentum = f", momentum {optimizer.momentum}" if name in ("momentum", "Nesterov") else ""
    print(f"{name:17} {counts[name]:4} steps at a rate of {optimizer.lr:.3f}{momentum}")

figure = path(
    list(best.values()),
    surface,
    start=start,
    steps=80,
    labels=[f"{name}: {count} steps" for name, count in counts.items()],
    span=((-3, 1.2), (-0.62, 0.62)),
)
describe(
    figure,
    "Paths of gradient descent, momentum, Nesterov and Adam over the contours of a ravine, in four panels. To stay "
    f"below a height of 0.001 they need {', '.join(str(count) for count in counts.values())} steps.",
)
assert 6 * counts["momentum"] <= counts["gradient descent"] < limit
