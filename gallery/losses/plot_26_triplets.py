"""
Soon nearly all triplets are easy; the hardest of each anchor go on teaching
============================================================================

How hard a triplet is depends on where its negative lies: nearer to the anchor than the positive (hard), farther but
within the margin (semi-hard), or beyond it (easy, which costs nothing and teaches nothing). While a model learns to
tell digits apart, the hard ones die out. A mean over all triplets is then a mean of zeros, with a gradient to match;
choosing for each anchor its farthest positive and its nearest negative keeps it alive.
"""

import numpy as np

import lossref
from lossref.datasets import digits
from lossref.losses import mine
from lossref.models import Linear
from lossref.plotting import INK, describe, name_lines, panels, series
from lossref.training import batches

# An anchor, its positive, and a plane of negatives, each of a class of its own.
kinds, margin = ("hard", "semi-hard", "easy"), 0.5
figure, (plane, course) = panels(2, height=4.2)
grid = np.stack(np.meshgrid(np.linspace(-2, 2, 33), np.linspace(-2, 2, 33)), axis=-1).reshape(-1, 2)
points = np.concatenate([[[0, 0], [1, 0]], grid[np.abs(grid[:, 1]) > 0.2]])
for index, kind in enumerate(kinds):
    anchor, _, negative = mine(points, np.append(0, np.arange(len(points) - 1)), kind, margin).T
    seen = points[negative[anchor == 0]]
    plane.plot(*seen.T, linestyle="", marker="s^o"[index], markersize=3, color=series(index)["color"])
plane.plot([0, 1], [0, 0], color=INK, marker="D")
for name, place, side in (("anchor", -0.1, "right"), ("positive", 1.1, "left")):
    plane.annotate(name, (place, 0), ha=side, va="center")
plane.set(xlabel="first number", ylabel="second number", title="Hard ■, semi-hard ▲, easy ●", aspect="equal")

# %%
# The 64 pixels of a digit are mapped to 8 numbers, by the mean over all triplets of batches of 120.

x, y = digits()
model, optimizer, loss = Linear(inputs=64, outputs=8), lossref.Adam(lr=0.002), lossref.BatchTriplet
params = model.init()
params["weights"] += 0.02 * np.random.default_rng(0).standard_normal((64, 8))
state, shares = optimizer.init(params), []
for _, batch in zip(range(150), batches(len(x), 120, seed=1), strict=False):
    points, classes = model.forward(params, x[batch]), y[batch]
    found = [loss(strategy=name, margin=margin).counts(points, classes) for name in ("hard", "semi-hard", "all")]
    hard, semi_hard, _ = (100 * count.chosen / found[-1].chosen for count in found)
    hardest = loss(margin=margin).counts(points, classes)
    shares.append([hard, semi_hard, 100 - hard - semi_hard, 100 * hardest.active / hardest.chosen])
    slope = loss(strategy="all", margin=margin).grad(points, classes)
    optimizer.step(params, model.backward(params, x[batch], slope), state)
for index, (share, name) in enumerate(zip(np.transpose(shares), (*kinds, "batch-hard that cost"), strict=True)):
    course.plot(share, label=name, **series(index))
course.set(xlabel="step (batch of 120)", ylabel="share of the triplets (%)", xlim=(0, 150), ylim=(0, 100))
name_lines(course)
easy, alive = np.mean(shares[-30:], axis=0)[2:]
describe(
    figure,
    f"Left: negatives in the plane, hard within distance 1 of the anchor, semi-hard up to {1 + margin}, easy beyond. "
    f"Right: over 150 steps the easy ones become {easy:.0f} % of all, but {alive:.0f} % of the hardest cost something.",
)
assert shares[0][2] < 60 < 85 < min(easy, alive)
