"""
A softmax too many: the loss cannot fall below 1.46 nats, and learning slows down
=================================================================================

A model that ends in a softmax, trained with a loss that expects logits and applies its own: nothing fails, and the
curves look like learning. But the softmax of numbers between 0 and 1 is almost flat: who is certain and right is told
that he might be wrong, and for a hundred steps one of the ten digits is never the answer, because where its probability
is near 0 the first softmax is flat as well. Right is either logits, or log-probabilities and ``NLL``.
"""

import numpy as np
from scipy.special import softmax

import lossref
from lossref.datasets import digits
from lossref.models import Linear
from lossref.plotting import INK, describe, name_lines, panels, series

x, y = digits()
model, steps = Linear(inputs=64, outputs=10), 150
entropy, floor = lossref.CategoricalCrossEntropy(), np.log(9 + np.e) - 1


def once(scores):
    return entropy.value_and_grad(scores, y)


def twice(scores):
    value, slope = entropy.value_and_grad(chances := softmax(scores, axis=1), y)
    return value, chances * (slope - (chances * slope).sum(axis=1, keepdims=True))


(figure, (seen, error)), wrong = panels(2, height=3.4), {}
for index, (name, way) in enumerate({"once": once, "twice": twice}.items()):
    optimizer, history = lossref.SGD(lr=0.005, momentum=0.9), []
    state = optimizer.init(params := model.init())
    for _ in range(steps):
        value, slope = way(scores := model.forward(params, x))
        history.append([value, 100 * np.mean((found := scores.argmax(axis=1)) != y), len(np.unique(found))])
        optimizer.step(params, model.backward(params, x, slope), state)
    loss, wrong[name], known = np.array(history).T
    seen.plot(loss, label=f"softmax {name}", **series(index))
    error.plot(wrong[name], label=f"softmax {name}", **series(index))
    print(f"{name:5}: loss {loss[-1]:.3f}, {wrong[name][-1]:.1f} % wrong; {known[80]:.0f} different answers at step 80")
seen.axhline(floor, color=INK, linewidth=0.8)
seen.annotate(f"the least it can be: {floor:.2f}", (steps, floor), (-2, -13), textcoords="offset points", ha="right")
seen.set(ylabel="loss that is reported (nats)", ylim=(0, 2.5))
error.set(ylabel="read wrongly (%, logarithmic)", yscale="log", yticks=[1, 10, 100], yticklabels=[1, 10, 100])
for panel in (seen, error):
    panel.set(xlabel="step (whole data set)", xlim=(0, steps))
    name_lines(panel)
describe(
    figure,
    f"Loss and error of softmax regression over {steps} steps. With a second softmax the loss stays above {floor:.2f} "
    f"nats, and after 50 steps {wrong['twice'][50]:.1f} % of digits are wrong instead of {wrong['once'][50]:.1f} %.",
)
assert loss.min() > floor
assert known[80] == 9
assert wrong["twice"][50] > 1.5 * wrong["once"][50]
assert abs(lossref.NLL()(np.log(softmax(scores, axis=1)), y) - entropy(scores, y)) < 1e-12
