"""
Momentum crosses the ravine in a third of the steps
===================================================

A valley, thirty times steeper across than along. The step must be small enough for the steep walls, so plain descent
crawls along the floor. Momentum adds up what successive gradients agree on, which is the way along, and cancels what
they do not, which is the zig-zag. Adam scales each coordinate by the size of its own gradients.
"""

import numpy as np

import lossref
from lossref.landscapes import Ravine
from lossref.plotting import descend, describe, path

surface = Ravine(curvature=30.0)
start = (-2.7, 0.6)
walkers = {
    "gradient descent": lossref.SGD(lr=0.06),
    "momentum": lossref.SGD(lr=0.03, momentum=0.8),
    "Nesterov": lossref.SGD(lr=0.03, momentum=0.8, nesterov=True),
    "Adam": lossref.Adam(lr=0.2),
}

# %%
# How many steps does each need until it stays below a height of 0.001?


def needed(optimizer):
    heights = surface(descend(optimizer, surface, start, 600).T)
    return int(np.flatnonzero(heights > 1e-3)[-1]) + 1


counts = {name: needed(optimizer) for name, optimizer in walkers.items()}
for name, count in counts.items():
    print(f"{name:17} {count:4} steps")

labels = [f"{name}: {counts[name]} steps" for name in walkers]
figure = path(list(walkers.values()), surface, start=start, steps=100, labels=labels, span=((-3, 1), (-0.8, 0.8)))
describe(
    figure,
    "Paths of gradient descent, momentum, Nesterov and Adam over the contours of a ravine, in four panels. To stay "
    f"below a height of 0.001 they need {', '.join(str(count) for count in counts.values())} steps.",
)
assert 3 * counts["momentum"] <= counts["gradient descent"]
