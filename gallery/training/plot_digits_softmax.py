"""
A linear model reads 96 of 100 handwritten digits, whichever optimizer trains it
================================================================================

Softmax regression on 1797 digits of 8 × 8 pixels: cross-entropy with an L2 penalty, mini-batches of 64, a cosine with
warm-up. SGD with momentum has the penalty in its gradient, AdamW decays its weights instead.
"""

import numpy as np

import lossref
from lossref.datasets import digits, split
from lossref.models import Linear
from lossref.plotting import band, describe, name_lines, panels, ramp
from lossref.training import batches

epochs, size = 30, 64
loss = lossref.CategoricalCrossEntropy()
penalty = lossref.L2(lam=1e-3)
model = Linear(inputs=64, outputs=10)


def train(make_optimizer, decay, seed):
    """Train on three quarters; return loss and held-out error after each epoch, and the weights."""
    data = split(*digits(), held_out=0.25, seed=seed)
    updates = -(-len(data.train_y) // size)
    rate = lossref.Cosine(peak=1.0, steps=updates * (epochs - 3)).with_warmup(updates * 3)
    optimizer = make_optimizer(rate)
    params = model.init()
    state = optimizer.init(params)
    stream = batches(len(data.train_y), size, seed=seed)
    history = []
    for _ in range(epochs):
        for _ in range(updates):
            batch = next(stream)
            x = data.train_x[batch]
            grads = model.backward(params, x, loss.grad(model.forward(params, x), data.train_y[batch]))
            grads["weights"] += decay * penalty.grad(params["weights"])
            optimizer.step(params, grads, state)
        seen = loss(model.forward(params, data.train_x), data.train_y)
        wrong = model.forward(params, data.test_x).argmax(axis=1) != data.test_y
        history.append([seen, 100 * wrong.mean()])
    return np.array(history), params["weights"]
