"""
With features of one scale all optimizers are equally fast; give each pixel a unit of its own, and Adam wins
============================================================================================================

The same network and the same digits twice. On the left the pixels are standardized, as they should be. On the right
each is multiplied by a factor between 0.03 and 30, as measurements come that are in millimetres and in miles. Each
optimizer has the best of its rates for each of the two. (29 batches of 32 are a pass over 899 digits.)
"""

import numpy as np

import lossref
from lossref.datasets import digits, split
from lossref.plotting import band, describe, name_lines, panels
from lossref.training import batches

loss, passes, seeds = lossref.CategoricalCrossEntropy(), 24, 5
kinds = {
    "SGD": (lossref.SGD(lr=1.0), lossref.SGD(lr=0.05)),
    "momentum": (lossref.SGD(lr=0.1, momentum=0.9), lossref.SGD(lr=0.005, momentum=0.9)),
    "RMSprop": (lossref.RMSprop(lr=0.01), lossref.RMSprop(lr=0.005)),
    "Adam": (lossref.Adam(lr=0.02), lossref.Adam(lr=0.01)),
}


def layers(params, x):
    hidden = np.maximum(x @ params[0] + params[1], 0)
    return hidden, hidden @ params[2] + params[3]


def train(optimizer, seed, decades):
    """Return the loss on what is learned from after each pass."""
    x, y = (data := split(*digits(), held_out=0.5, seed=seed)).train_x, data.train_y
    x = x * 10 ** np.random.default_rng(seed).uniform(-decades / 2, decades / 2, 64)
    w, history = np.random.default_rng(seed).normal(size=(64, 74)) / 32**0.5, []
    state = optimizer.init(params := [w[:, :64].copy(), np.zeros(64), w[:, 64:].copy(), np.zeros(10)])
    for step, i in zip(range(1, passes * 29 + 1), batches(len(y), 32, seed=seed), strict=False):
        hidden, scores = layers(params, x[i])
        slope = loss.grad(scores, y[i])
        below = (slope @ params[2].T) * (hidden > 0)
        optimizer.step(params, [x[i].T @ below, below.sum(axis=0), hidden.T @ slope, slope.sum(axis=0)], state)
        if step % 29 == 0:
            history.append(loss(layers(params, x)[1], y))
    return np.maximum(history, 1e-4)


(figure, axes), reached = panels(2, height=4, sharey=True), {}
for panel, decades, title in zip(axes, (0, 3), ("one scale", "units over three decades"), strict=True):
    for index, (name, optimizers) in enumerate(kinds.items()):
        runs = np.array([train(optimizers[decades > 0], seed, decades) for seed in range(seeds)])
        band(panel, np.arange(1, passes + 1), runs, index, name)
        reached[name, decades] = int(np.argmax(np.append(np.median(runs, axis=0), 0) < 0.01)) + 1
    panel.set(title=title, xlabel="passes over the data", yscale="log", xlim=(1, passes), ylim=(1e-4, 20))
    name_lines(panel)
axes[0].set_ylabel("loss in training (nats, logarithmic)")
told = ", ".join(f"{name} {reached[name, 0]} and {reached[name, 3]}" for name in kinds)
print(told)
describe(figure, f"Loss in training against passes. Left and right, passes until it is below 0.01 nats: {told}.")
assert max(reached[name, 0] for name in kinds) <= 7 < reached["Adam", 3] < 0.8 * reached["SGD", 3]
