"""
In the noise of batches, momentum 0.9 at a rate of 0.1 is plain descent at a rate of 1
======================================================================================

Momentum multiplies a steady gradient by 1/(1 − 0.9) = 10. Where noise and not a ravine is the obstacle, that is all it
does: logistic regression on 569 tumours, batches of 32, drawn as the loss over all samples above the lowest there is.
Compare optimizers at their best rates, never at equal ones.
"""

import numpy as np
from sklearn.datasets import load_breast_cancer

import lossref
from lossref.models import Linear
from lossref.plotting import band, describe, name_lines, panels
from lossref.training import batches

x, y = load_breast_cancer(return_X_y=True)
x, y = (x - x.mean(axis=0)) / x.std(axis=0), y.astype(float)
loss, penalty, model = lossref.BinaryCrossEntropy(), lossref.L2(lam=1e-3), Linear(inputs=30)
updates, seeds = 400, 7


def whole(params):
    return loss(model.forward(params, x), y) + penalty(params["weights"])


def train(optimizer, seed, size=32, steps=updates):
    """Return the loss over all samples after each eighth update."""
    state, seen = optimizer.init(params := model.init()), [whole(params)]
    for step, batch in zip(range(1, steps + 1), batches(len(y), size, seed=seed), strict=False):
        grads = model.backward(params, x[batch], loss.grad(model.forward(params, x[batch]), y[batch]))
        grads["weights"] += penalty.grad(params["weights"])
        optimizer.step(params, grads, state)
        if step % 8 == 0:
            seen.append(whole(params))
    return np.array(seen)


lowest = train(lossref.SGD(lr=0.2, momentum=0.95, nesterov=True), 0, size=len(y), steps=2000).min()
kinds = {
    "SGD, 0.1": lossref.SGD(lr=0.1),
    "SGD, 1": lossref.SGD(lr=1.0),
    "momentum, 0.1": lossref.SGD(lr=0.1, momentum=0.9),
    "Adam, 0.03": lossref.Adam(lr=0.03),
}
(figure, (panel,)), halfway = panels(height=4), {}
for index, (name, optimizer) in enumerate(kinds.items()):
    runs = np.array([train(optimizer, seed) for seed in range(seeds)]) - lowest
    band(panel, np.arange(0, updates + 1, 8), runs, index, name)
    halfway[name] = np.median(runs[:, 25])  # after 200 updates
    print(f"{name:14} {halfway[name]:.4f} nats above the lowest after 200 updates")
panel.set(xlabel="step (updates of 32 samples)", ylabel="loss above the lowest (nats, logarithmic)", yscale="log")
panel.set(xlim=(0, updates), ylim=(1e-4, 1))
name_lines(panel)
told = ", ".join(f"{value:.4f} for {name}" for name, value in halfway.items())
describe(figure, f"Loss above its minimum over 400 updates, median and band of 7 seeds. After 200 updates: {told}.")
assert 0.5 < halfway["momentum, 0.1"] / halfway["SGD, 1"] < 2
assert halfway["SGD, 0.1"] > 4 * halfway["momentum, 0.1"]
