"""
Every optimizer has its window of learning rates; beyond it plain descent is lost, and Adam only worse
======================================================================================================

A network of 64, 64 and 10 units reads digits, six passes over 899 of them, at rates from 0.0001 to 3. What matters is
not where a window lies but how wide it is, and what happens outside. A step of SGD grows with the gradient, so that a
rate that is too large feeds on itself. A step of Adam or RMSprop is as long as the rate says, whatever the gradient.
"""

import numpy as np

import lossref
from lossref.datasets import digits, split
from lossref.plotting import band, describe, name_lines, panels
from lossref.training import batches

loss, passes, seeds = lossref.CategoricalCrossEntropy(), 6, 3
rates = [digit * 10.0**power for power in range(-4, 1) for digit in (1, 3)]
kinds = {
    "SGD": lambda lr: lossref.SGD(lr=lr),
    "momentum": lambda lr: lossref.SGD(lr=lr, momentum=0.9),
    "RMSprop": lambda lr: lossref.RMSprop(lr=lr),
    "Adam": lambda lr: lossref.Adam(lr=lr),
}


def layers(params, x):
    hidden = np.maximum(x @ params[0] + params[1], 0)
    return hidden, hidden @ params[2] + params[3]


def wrong(optimizer, seed):
    """Train, and return the share of digits that are misread among those held out, in per cent."""
    data, rng = split(*digits(), held_out=0.5, seed=seed), np.random.default_rng(seed)
    first, second = rng.normal(size=(64, 64)) * (2 / 64) ** 0.5, rng.normal(size=(64, 10)) * (2 / 64) ** 0.5
    params = [first, np.zeros(64), second, np.zeros(10)]
    state, updates = optimizer.init(params), passes * -(-len(data.train_y) // 32)
    with np.errstate(all="ignore"):  # rates that are too large are part of the picture
        for _, i in zip(range(updates), batches(len(data.train_y), 32, seed=seed), strict=False):
            hidden, scores = layers(params, data.train_x[i])
            slope = loss.grad(scores, data.train_y[i])
            below = (slope @ params[2].T) * (hidden > 0)
            grads = [data.train_x[i].T @ below, below.sum(axis=0), hidden.T @ slope, slope.sum(axis=0)]
            optimizer.step(params, grads, state)
        return 100 * np.mean(layers(params, data.test_x)[1].argmax(axis=1) != data.test_y)


(figure, (panel,)), at = panels(height=4.2), {}
for index, (name, make) in enumerate(kinds.items()):
    errors = np.array([[wrong(make(lr), seed) for lr in rates] for seed in range(seeds)])
    band(panel, rates, errors, index, name, marked=True)
    at[name] = middle = np.median(errors, axis=0)
    print(f"{name:9} best {middle.min():.1f} % at {rates[middle.argmin()]:g}; at {rates[-1]:g} {middle[-1]:.1f} %")
panel.set(xlabel="learning rate (1, logarithmic)", ylabel="misread (%, logarithmic)", xscale="log", yscale="log")
panel.set(xlim=(rates[0], rates[-1]), ylim=(2, 100), yticks=[2, 5, 10, 20, 50], yticklabels=[2, 5, 10, 20, 50])
name_lines(panel)
told = ", ".join(f"{name} {errors.min():.1f} and {errors[-1]:.0f} %" for name, errors in at.items())
describe(figure, f"Misread digits against the learning rate, both logarithmic. The best and the last: {told}.")
assert max(errors.min() for errors in at.values()) < 6
assert at["Adam"][-1] < 20 < 50 < at["SGD"][-1]
