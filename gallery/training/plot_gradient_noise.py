"""
Four times the batch halves the noise of its gradient
=====================================================

A mini-batch gradient is the true one plus noise. Over batches of B samples out of N, drawn without replacement, the
noise has a variance of (1/B − 1/N) times that of single samples: half as much for twice the price, and none for the
whole set. Early in a training a batch of 64 shows the way; near the end, where the gradient is small, it points almost
anywhere.
"""

from itertools import islice

import numpy as np

import lossref
from lossref.datasets import digits, split
from lossref.models import Linear
from lossref.plotting import INK, describe, name_lines, panels, series
from lossref.training import batches, global_norm

data, loss = split(*digits(), held_out=0.25, seed=0), lossref.CategoricalCrossEntropy()
x, y, model = data.train_x, data.train_y, Linear(inputs=64, outputs=10)
samples, sizes, optimizer = len(y), 4 ** np.arange(6), lossref.SGD(lr=0.1, momentum=0.9)


def gradient(part):
    return model.backward(params, x[part], loss.grad(model.forward(params, x[part]), y[part]))


def noise(size, draws=100):
    """The root of the mean square distance between the gradients of batches and that of all samples."""
    true, squares = gradient(np.arange(samples)), []
    for batch in islice(batches(samples, size, seed=1, drop_last=True), draws):
        apart = {name: g - true[name] for name, g in gradient(batch).items()}
        squares.append(global_norm(apart) ** 2)
    return np.sqrt(np.mean(squares))


(figure, axes), ratios, state = panels(2, sharey=True), {}, optimizer.init(params := model.init())
for panel, (title, steps) in zip(axes, {"at the start": 0, "after 200 updates": 200}.items(), strict=True):
    for _ in range(steps):
        optimizer.step(params, gradient(np.arange(samples)), state)
    measured, length = np.array([noise(size) for size in sizes]), global_norm(gradient(np.arange(samples)))
    law = measured[0] * np.sqrt((1 / sizes - 1 / samples) / (1 - 1 / samples))
    panel.plot(sizes, measured, label="noise", **series(0, marked=True) | {"linestyle": "none"})
    panel.plot(sizes, law, color=INK, linewidth=1, label="_law")
    panel.plot(sizes, np.full(len(sizes), length), label="gradient", **series(1))
    panel.set(xlabel="batch (samples, logarithmic)", xscale="log", yscale="log", xlim=(0.9, 1100), title=title)
    ratios[title] = measured[3] / length
    print(f"{title}: at a batch of 64 the noise is {ratios[title]:.2f} times as long as the gradient")
    assert np.abs(measured / law - 1).max() < 0.2
axes[0].set_ylabel("length (logarithmic)")
list(map(name_lines, axes))
describe(
    figure,
    "Length of the gradient's noise against the batch size, on the line of the law, half for four times the batch. At "
    f"a batch of 64 it is {ratios['at the start']:.1f} times as long as the gradient at the start, and "
    f"{ratios['after 200 updates']:.0f} times after 200 updates.",
)
assert ratios["at the start"] < 1 < 5 < ratios["after 200 updates"]
