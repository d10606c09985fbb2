"""
One schedule-free run is at each of five ends as good as a cosine that was planned to end there
===============================================================================================

Logistic regression on 569 tumours in batches of 16: the loss over all of them. A rate that falls along a cosine has to
know the last step: each marker is a run of its own. The line is a single run at the same rate that never falls,
evaluated on the way at its average. The rate alone, kept constant, leaves the noise in the weights.
"""

import numpy as np
from sklearn.datasets import load_breast_cancer

import lossref
from lossref.plotting import MARKERS, PALETTE, describe, panels
from lossref.training import batches

x, y = load_breast_cancer(return_X_y=True)
x, y, loss = (x - x.mean(axis=0)) / x.std(axis=0), y.astype(float), lossref.BinaryCrossEntropy()
ends = (100, 200, 400, 800, 1600)


def losses(optimizer, steps, point=lambda w, state: w):
    """Train for so many steps, and return the loss after every twentieth."""
    w, found = np.zeros(30), []
    state = optimizer.init(w)
    for step, (part, label) in enumerate(batches((x, y), 16, seed=0), 1):
        optimizer.step(w, part.T @ loss.grad(part @ w, label), state)
        if step % 20 == 0:
            found.append(loss(x @ point(w, state), y))
        if step == steps:
            return np.array(found)


free = lossref.ScheduleFreeAdamW(lr=0.1)
average = losses(free, ends[-1], free.evaluation_point)
constant = losses(lossref.AdamW(lr=0.1, weight_decay=0.0), ends[-1])
planned = [losses(lossref.AdamW(lr=lossref.Cosine(peak=0.1, steps=T), weight_decay=0.0), T)[-1] for T in ends]
steps = np.arange(20, ends[-1] + 1, 20)
figure, (panel,) = panels(height=4)
panel.plot(steps, constant, color=PALETTE[2], linewidth=1, label="constant rate, last weights")
panel.plot(steps, average, color=PALETTE[0], label="schedule-free, evaluation point")
panel.plot(ends, planned, MARKERS[1], color=PALETTE[1], label="cosine, a run for each end")
panel.set(xlabel="step (updates, logarithmic)", ylabel="loss (nats)", xscale="log", ylim=(0.035, 0.12))
panel.legend(frameon=False)
there = average[np.array(ends) // 20 - 1]
for end, mine, cosine in zip(ends, there, planned, strict=True):
    print(f"{end:4} steps: schedule-free {mine:.4f}, cosine {cosine:.4f}")
told = ", ".join(
    f"{mine:.4f} and {cosine:.4f} at {end}" for end, mine, cosine in zip(ends, there, planned, strict=True)
)
describe(figure, f"Loss against the step: schedule-free and a cosine that ends there are {told}.")
assert np.allclose(there, planned, rtol=0.025)
assert constant[-20:].mean() > 1.1 * average[-1]
