"""
Larger batches save updates up to some size; beyond it they only read more samples
==================================================================================

Logistic regression on 569 tumours, down to a loss of 0.06 over all of them: how many updates does it take, and how many
samples are read for them, at the best of six learning rates (median of three orders)? At first a batch four times as
large bears a larger rate, for its noise is smaller. Then the rate stands at what the curvature bears, and so do the
updates: from 64 on, each sample that is added is read in vain.
"""

import numpy as np
from sklearn.datasets import load_breast_cancer

import lossref
from lossref.plotting import describe, panels, series
from lossref.training import batches

x, y = load_breast_cancer(return_X_y=True)
x, y, loss = (x - x.mean(axis=0)) / x.std(axis=0), y.astype(float), lossref.BinaryCrossEntropy()
sizes, rates = (1, 4, 16, 64, 256, 569), 2.0 ** np.arange(-2, 4)


def needed(size, rate, seed, most=800):
    """Count the updates until the loss over all samples is below the goal; infinite if it takes too many."""
    w, optimizer = np.zeros(30), lossref.SGD(lr=rate)
    state = optimizer.init(w)
    for update, (part, label) in enumerate(batches((x, y), size, seed=seed), 1):
        optimizer.step(w, part.T @ loss.grad(part @ w, label), state)
        if update % max(1, 16 // size) == 0 and loss(x @ w, y) < 0.06:
            return update
        if update >= most:
            return np.inf


updates, best = [], []
for size in sizes:
    counts = [np.median([needed(size, rate, seed) for seed in range(3)]) for rate in rates]
    updates.append(min(counts))
    best.append(rates[np.argmin(counts)])
    print(f"batches of {size:3}: {updates[-1]:3.0f} updates, {size * updates[-1]:5.0f} samples, best rate {best[-1]:g}")

figure, axes = panels(2)
for panel, what, index in zip(axes, (updates, np.multiply(sizes, updates)), (0, 1), strict=True):
    panel.loglog(sizes, what, **series(index, marked=True))
    panel.set(xlabel="samples in a batch", xticks=sizes, xticklabels=sizes)
    panel.minorticks_off()
axes[0].set(ylabel="updates to a loss of 0.06", yticks=(30, 100, 300), yticklabels=(30, 100, 300), ylim=(20, 800))
ticks = (569, 2 * 569, 5 * 569, 10 * 569, 20 * 569)
axes[1].set(ylabel="epochs to a loss of 0.06", yticks=ticks, yticklabels=(1, 2, 5, 10, 20), ylim=(400, 20000))
told = ", ".join(f"{count:.0f}" for count in updates)
epochs = f"{updates[0] / 569:.1f} to {updates[-1]:.0f}"
describe(figure, f"Updates and epochs against the batch size, 1 to 569: {told} updates, which is {epochs} epochs.")
assert updates[0] > 10 * updates[3]
assert 0.8 < updates[-1] / updates[3] < 1.25
assert best[0] < best[3] == best[4] == best[5]
