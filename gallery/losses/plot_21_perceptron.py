"""
The perceptron stops at the first line that separates; the hinge goes on to the middle of the gap
=================================================================================================

Petals tell *Iris setosa* from *Iris versicolor*, and many lines part the fifty from the fifty. The perceptron loss is
the hinge with a margin of 0: a flower on its own side costs nothing, however narrowly. So descent ends at another line
from each start, and some of them all but touch a flower. The hinge wants a lead of 1, and with a faint penalty on the
weights a large lead is to be had only in the middle.
"""

import numpy as np
from sklearn.datasets import load_iris

import lossref
from lossref.plotting import INK, describe, name_lines, panels, read, series, trace

flowers, kind = load_iris(return_X_y=True)
x, y = flowers[:100, 2:], np.where(kind[:100] == 0, -1.0, 1.0)
inputs = np.column_stack([x - x.mean(axis=0), np.ones(100)])
losses = {"perceptron": (lossref.Perceptron(), lossref.L2(lam=0.0)), "hinge": (lossref.Hinge(), lossref.L2(lam=1e-3))}


def line(loss, penalty, start):
    """Descend in ever smaller steps."""
    w = start.copy()
    for t in range(2000):
        w -= 0.5 / (1 + t / 500) * (inputs.T @ loss.grad(inputs @ w, y) + np.append(penalty.grad(w[:2]), 0))
    return w


starts, ends = np.random.default_rng(1957).normal(size=(12, 3)), np.array([0.8, 5.4])
figure, (value, pull, plane) = panels(3, height=3.4, gridspec_kw={"width_ratios": [1, 1, 1.5]})
margins, gaps = np.linspace(-2, 2, 401), {}
for index, (name, (loss, penalty)) in enumerate(losses.items()):
    value.plot(margins, read(loss, "value", margins, target=1.0), label=name, **series(index))
    trace(pull, margins, -read(loss, "slope", margins, target=1.0), index, name)
    found = np.array([line(loss, penalty, start) for start in starts])
    gaps[name] = (y * (inputs @ found.T).T).min(axis=1) / np.linalg.norm(found[:, :2], axis=1)
    for a, b, c in found:
        across = x[:, 1].mean() - (a * (ends - x[:, 0].mean()) + c) / b
        plane.plot(ends, across, linewidth=0.8, color=series(index)["color"])
    print(f"{name:10} least distance of a flower: from {gaps[name].min():.3f} to {gaps[name].max():.3f} cm")
for side, marker in ((-1, "o"), (1, "^")):
    plane.plot(*x[y == side].T, marker, color=INK, markersize=3)
value.set(xlabel="margin y f", ylabel="loss", xlim=(-2, 2), ylim=(0, 3), title="Value")
pull.set(xlabel="margin y f", ylabel="pull, −slope", xlim=(-2, 2), ylim=(-0.1, 1.2), title="Pull")
plane.set(xlabel="petal length (cm)", ylabel="width (cm)", xlim=(0.8, 5.4), ylim=(0, 2), title="Twelve starts each")
name_lines(value)
describe(
    figure,
    "Value and pull against the margin, and lines between two kinds of flowers. From twelve starts the nearest flower "
    f"is {gaps['perceptron'].min():.2f} to {gaps['perceptron'].max():.2f} cm from the perceptron's line, and "
    f"{gaps['hinge'].min():.2f} to {gaps['hinge'].max():.2f} cm from the hinge's.",
)
assert (gaps["perceptron"] > -1e-9).all()
assert np.median(gaps["perceptron"]) < 0.5 * gaps["hinge"].min()
