"""
InfoNCE fills the circle with pictures; SupCon, told which digit each one shows, makes ten arcs of them
=======================================================================================================

One hidden layer maps a picture to a direction in the plane. InfoNCE knows only which two are copies of one picture,
with a little noise, and pushes everything else apart, other pictures of the digit among it. SupCon has the labels, and
pulls at all pictures of a digit at once. What is learned is the angle; each digit is drawn on a ring of its own, so
that they can be seen apart.
"""

import numpy as np

import lossref
from lossref.datasets import digits, split
from lossref.plotting import PALETTE, describe, panels

data, steps, size = split(*digits(), held_out=0.25, seed=0), 300, 256
x, y, asked = data.train_x / 8, data.train_y, data.test_x / 8


def embed(params, x):
    hidden = np.maximum(x @ params["first"], 0)
    return hidden, hidden @ params["second"]


def train(copies, slopes):
    """Descend with so many noisy copies of each picture; ``slopes`` are those in their points."""
    rng, optimizer = np.random.default_rng(0), lossref.Adam(lr=lossref.Cosine(peak=0.01, steps=steps))
    params = {"first": rng.normal(0, 0.2, (64, 64)), "second": rng.normal(0, 0.2, (64, 2))}
    state = optimizer.init(params)
    for _ in range(steps):
        batch = np.tile(rng.integers(0, len(x), size), copies)
        rows = x[batch] + 0.03 * rng.standard_normal((copies * size, 64))
        hidden, points = embed(params, rows)
        slope = slopes(points, y[batch])
        grads = {"first": rows.T @ (slope @ params["second"].T * (hidden > 0)), "second": hidden.T @ slope}
        optimizer.step(params, grads, state)
    known, found = (z / np.linalg.norm(z, axis=1, keepdims=True) for _, z in (embed(params, x), embed(params, asked)))
    votes = [np.bincount(y[row]).argmax() for row in (found @ known.T).argsort(axis=1)[:, -5:]]
    return found, 100 * np.mean(votes == data.test_y)


pairs, labelled = lossref.InfoNCE(temperature=0.3), lossref.SupCon(temperature=0.3)
plane = {"InfoNCE": train(2, lambda points, _: np.concatenate(pairs.grad(*np.split(points, 2))))}
plane["SupCon"] = train(1, labelled.grad)
figure, axes = panels(2, height=4.4)
for panel, (name, (points, right)) in zip(axes, plane.items(), strict=True):
    for digit in range(10):
        ring = (1 + 0.14 * digit) * points[data.test_y == digit]
        panel.plot(*ring.T, linestyle="", marker=f"${digit}$", color=PALETTE[digit % 4])
    panel.set(aspect="equal", xticks=[], yticks=[], title=f"{name}: neighbours name {right:.0f} in 100 rightly")
    panel.spines[:].set_visible(False)
    print(f"{name:8} {right:.1f} % of the held-out pictures are named rightly by their five nearest")
describe(
    figure,
    "449 held-out digits by the angle that they were given, each digit on its own ring. Under InfoNCE, left, they "
    f"reach round the circle, and five neighbours name {plane['InfoNCE'][1]:.0f} in 100 rightly; under SupCon, right, "
    f"they lie in short arcs, and it is {plane['SupCon'][1]:.0f} in 100.",
)
assert plane["InfoNCE"][1] < 60 < 80 < plane["SupCon"][1]
