"""
Told only which pictures are alike, a network sorts the digits into a plane
===========================================================================

One hidden layer maps each picture of 64 pixels to a point. It is never told which digit is which, only that of three
pictures the first two show the same one and the third another. Pictures that were held out are then named by a vote of
their five nearest neighbours: a quarter rightly before the training, and after it more than nine in ten.
"""

import numpy as np

import lossref
from lossref.datasets import digits, split
from lossref.plotting import PALETTE, describe, panels

data = split(*digits(), held_out=0.25, seed=0)
x, y, steps, size, rng = data.train_x / 8, data.train_y, 600, 128, np.random.default_rng(2015)
params = {"first": rng.normal(0, 0.2, (64, 64)), "second": rng.normal(0, 0.2, (64, 2))}
by_digit, counts = np.argsort(y), np.bincount(y)
loss, optimizer = lossref.Triplet(margin=1.0), lossref.Adam(lr=lossref.Cosine(peak=0.01, steps=steps))


def embed(x):
    """Return what the hidden layer says, and the points of the plane."""
    hidden = np.maximum(x @ params["first"], 0)
    return hidden, hidden @ params["second"]


def named_rightly():
    """Return the points of the pictures held out, and how many in a hundred their neighbours name rightly."""
    (_, known), (_, asked) = embed(x), embed(data.test_x / 8)
    nearest = np.linalg.norm(asked[:, None] - known, axis=2).argsort(axis=1)[:, :5]
    return asked, 100 * np.mean([np.bincount(row).argmax() for row in y[nearest]] == data.test_y)


plane, state, idle = {"before": named_rightly()}, optimizer.init(params), []
for _ in range(steps):
    anchor, shift = rng.integers(0, 10, size), rng.integers(1, 10, size)
    digit = np.concatenate([anchor, anchor, (anchor + shift) % 10])
    rows = x[by_digit[np.cumsum(counts)[digit] - 1 - rng.integers(0, counts[digit])]]
    hidden, points = embed(rows)
    idle.append(np.mean(loss.values(*np.split(points, 3)) == 0))
    slope = np.concatenate(loss.grad(*np.split(points, 3)))
    grads = {"first": rows.T @ (slope @ params["second"].T * (hidden > 0)), "second": hidden.T @ slope}
    optimizer.step(params, grads, state)
plane["after"] = named_rightly()
figure, axes = panels(2, height=4.2)
for panel, (when, (points, right)) in zip(axes, plane.items(), strict=True):
    for digit in range(10):
        panel.plot(*points[data.test_y == digit].T, linestyle="", marker=f"${digit}$", color=PALETTE[digit % 4])
    panel.set(xticks=[], yticks=[], xlabel="first coordinate", ylabel="second coordinate")
    panel.set_title(f"{when}: {right:.0f} in 100 named rightly")
print(f"Triplets that teach nothing: {np.mean(idle[:10]):.0%} of the first, {np.mean(idle[-50:]):.0%} of the last.")
describe(
    figure,
    "449 held-out digits as points of a plane. Before, they lie in one heap, and neighbours name "
    f"{plane['before'][1]:.0f} in 100 rightly; after, in ten islands, and it is {plane['after'][1]:.0f} in 100.",
)
assert plane["before"][1] < 40 < 90 < plane["after"][1]
