"""
Trained long on little data a model is too sure, with smoothed labels too modest; one number mends both
=======================================================================================================

Softmax regression on 360 digits, judged on the other 1,437. Its answers are sorted by the probability that it gives
them, and in each drawer we count how many were right. A calibrated model is right in 80 % of the cases in which it says
80 %. A temperature divides all logits by one number, chosen on half of the held-out digits and tried on the other
half. It changes no answer.
"""

from itertools import pairwise

import numpy as np

import lossref
from lossref.datasets import digits, split
from lossref.models import Linear
from lossref.plotting import INK, describe, name_lines, panels, series

model, steps, splits = Linear(inputs=64, outputs=10), 300, 8
plain = lossref.CategoricalCrossEntropy()
losses = {"plain": plain, "smoothing 0.1": lossref.CategoricalCrossEntropy(label_smoothing=0.1)}
temperatures, drawers = np.geomspace(0.2, 5.0, 50), np.linspace(0.4, 1.0, 7)


def logits(loss, data):
    """Train on few digits, and return the scores of the held-out ones."""
    params, optimizer = model.init(), lossref.SGD(lr=0.3, momentum=0.9)
    state = optimizer.init(params)
    for _ in range(steps):
        slope = loss.grad(model.forward(params, data.train_x), data.train_y)
        optimizer.step(params, model.backward(params, data.train_x, slope), state)
    return model.forward(params, data.test_x)


def claims(z):
    """The probability that each answer is given: one over the sum of the exponentials below the largest logit."""
    return 1 / np.exp(z - z.max(axis=1, keepdims=True)).sum(axis=1)


said, right = {}, {}
for seed in range(splits):
    data = split(*digits(), held_out=0.8, seed=seed)
    half = np.random.default_rng(seed).permutation(len(data.test_y)) < len(data.test_y) // 2
    for name, loss in losses.items():
        z = logits(loss, data)
        best = min(temperatures, key=lambda heat, z=z, data=data: plain(z[half] / heat, data.test_y[half]))
        for label, heat in ((name, 1.0), (f"{name}, T", best)):
            said.setdefault(label, []).append(claims(z[~half] / heat))
            right.setdefault(label, []).append(z[~half].argmax(axis=1) == data.test_y[~half])

figure, (panel,) = panels(width=5.6, height=4.2)
panel.plot([0.4, 1], [0.4, 1], color=INK, linewidth=0.8)
for index, name in enumerate(said):
    chance, hit = np.concatenate(said[name]), np.concatenate(right[name])
    inside = [(chance >= low) & (chance <= high) for low, high in pairwise(drawers)]
    panel.plot(
        [chance[i].mean() for i in inside], [hit[i].mean() for i in inside], label=name, **series(index, marked=True)
    )
    print(f"{name:17} says {chance.mean():.1%} on average and is right in {hit.mean():.1%}")
panel.set(xlabel="probability given to the answer", ylabel="share of right answers", xlim=(0.4, 1), ylim=(0.4, 1.02))
name_lines(panel)
gap = {name: np.mean(np.concatenate(said[name])) - np.mean(np.concatenate(right[name])) for name in said}
describe(
    figure,
    "Share of right answers against the probability given to them, from 0.4 to 1. Probability minus share, on average: "
    + ", ".join(f"{name} {100 * excess:+.1f} points" for name, excess in gap.items())
    + ".",
)
assert gap["plain"] > 0.02
assert gap["smoothing 0.1"] < -0.1
assert max(abs(gap["plain, T"]), abs(gap["smoothing 0.1, T"])) < 0.02
