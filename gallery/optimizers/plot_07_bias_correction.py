"""
Without its bias corrections, Adam's tenth step is six times too long
=====================================================================

Both running means start at zero, and are too small at first: the mean of the gradients by 1 − β₁ᵗ, that of their
squares by 1 − β₂ᵗ, of which the root is taken. With β₂ = 0.999 the second needs a thousand steps to recover, and
meanwhile every step is divided by too little. The corrections depend on nothing but the count of steps. So Adam without
them is Adam with a fresh state that believes to be old.
"""

import numpy as np
from sklearn.datasets import load_breast_cancer

import lossref
from lossref.models import Linear
from lossref.plotting import describe, name_lines, panels, series

OLD = 10**9  # steps, after which there is nothing left to correct
x, y = load_breast_cancer(return_X_y=True)
x, y = (x - x.mean(axis=0)) / x.std(axis=0), y.astype(float)
model, loss = Linear(inputs=30), lossref.BinaryCrossEntropy()


def lengths(beta2, count):
    """Return the lengths of 300 steps under gradients of 1, in multiples of the rate."""
    optimizer, places = lossref.Adam(lr=1.0, beta2=beta2), [0.0]
    state = optimizer.init(theta := np.zeros(1))
    state.step = count
    for _ in range(300):
        optimizer.step(theta, np.ones(1), state)
        places.append(-theta[0])
    return np.diff(places)


def losses(count):
    """Return the loss over all tumours before each of forty steps, and after the last."""
    optimizer, seen = lossref.Adam(lr=0.3), []
    state = optimizer.init(params := model.init())
    state.step = count
    for _ in range(41):
        seen.append(loss(scores := model.forward(params, x), y))
        optimizer.step(params, model.backward(params, x, loss.grad(scores, y)), state)
    return seen


figure, (left, right) = panels(2)
runs = {"β₂ 0.99": lengths(0.99, OLD), "β₂ 0.999": lengths(0.999, OLD), "corrected": lengths(0.999, 0)}
for index, (name, run) in enumerate(runs.items()):
    left.plot(np.arange(1, 301), run, label=name, **series(index))
for index, name, run in ((1, "without", without := losses(OLD)), (2, "corrected", corrected := losses(0))):
    right.plot(run, label=name, **series(index))
left.set(xlabel="step (updates)", ylabel="step (multiples of the rate)", ylim=(0, 7))
right.set(xlabel="step (updates)", ylabel="loss over all samples (nats)", xlim=(0, 40), ylim=(0, 0.75))
name_lines(left)
name_lines(right)
tenth, ratio = runs["β₂ 0.999"][9], without[-1] / corrected[-1]
told = f"Without them the tenth step is {tenth:.1f} times too long, after 40 the loss is {ratio:.1f} times higher"
describe(figure, f"Length of steps of Adam, and its losses on 569 tumours. {told}.")
assert tenth > 6
assert ratio > 3
