"""
One step at a cliff ends a training; clipped, the same run arrives
==================================================================

A recurrent cell multiplies its state by the same weight fifty times. Below 1 the state dies out and the loss is flat;
above 1 it explodes, and the loss is a wall. Momentum carries the weight over the edge, where the gradient is seventy
times longer than any before; the step along it lands so far away that the next ones lead out of all numbers. A bound
on the gradient's length keeps its direction.
"""

import numpy as np

import lossref
from lossref.plotting import PALETTE, describe, name_lines, panels, series
from lossref.training import clip_by_norm

times, target, start, steps, loss = 50, np.array([3.0]), 0.98, 120, lossref.MSE()
optimizer = lossref.SGD(lr=lossref.Cosine(peak=1e-4, steps=steps), momentum=0.9)


def unroll(w):
    """The state after all steps, and its slope in the weight, carried along."""
    state, slope = np.ones_like(w), np.zeros_like(w)
    for _ in range(times):
        state, slope = w * state, state + w * slope
    return state, slope


def train(max_norm):
    running, seen = optimizer.init(w := np.array([start])), []
    with np.errstate(all="ignore"):
        for _ in range(steps):
            state, slope = unroll(w)
            g = loss.grad(state, target) * slope
            seen.append((w[0], loss(state, target), clip_by_norm(g, max_norm)))
            optimizer.step(w, g, running)
    return np.array(seen).T


runs = {"clipped": train(10.0), "unclipped": train(1e300)}
(figure, (valley, curves)), w = panels(2), np.linspace(0.96, 1.09, 400)
valley.plot(w, [loss(unroll(np.array([x]))[0], target) for x in w], color="#8a8a8a")
for index, (name, (weights, losses, norms)) in enumerate(runs.items()):
    look, near = series(index, marked=True), np.abs(weights - 1.025) < 0.065
    valley.plot(weights[near], losses[near], **look | {"linestyle": "none"})
    curves.plot(losses, label=name, **look | {"markersize": 3})
    print(f"{name}: gradients of " + ", ".join(f"{norm:.1e}" for norm in norms[:7]) + f"; loss {losses[-1]:.1e}")
valley.set(xlabel="weight w (1)", ylabel="loss (logarithmic)", yscale="log", xlim=(0.96, 1.09), ylim=(1e-4, 1e4))
curves.set(xlabel="step (updates)", ylabel="loss (logarithmic)", yscale="log", xlim=(0, steps), ylim=(1e-10, 1e30))
name_lines(curves, lines=curves.lines[:1])
last, end = int(np.flatnonzero(np.isfinite(losses))[-1]), runs["clipped"][1][-1]  # of the unclipped run; of the other
curves.annotate("unclipped, then NaN", (last, losses[last]), (6, 0), textcoords="offset points", color=PALETTE[1])
describe(
    figure,
    f"Loss against the weight, flat below 1 and a wall above, and loss by step. Unclipped, the run is NaN after step "
    f"{last}; clipped to a norm of 10 its loss falls to {end:.0e} in {steps} steps.",
)
assert not np.isfinite(losses[-1])
assert end < 1e-6
assert norms[3] > 70 * norms[:3].max()
