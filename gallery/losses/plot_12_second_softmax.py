"""
A softmax too many: the loss cannot fall below 1.46 nats, and learning slows down
=================================================================================

A model that ends in a softmax, trained with a loss that expects logits and applies its own: nothing fails, and the
curves look like learning. But probabilities lie between 0 and 1, and the softmax of such numbers is almost flat: a
model that is certain and right is told that it might be wrong, and for a hundred steps one of the ten digits is never
the answer, because where its probability is near 0 the first softmax is flat as well. Right is either logits, or
log-probabilities and ``NLL``.
"""

import numpy as np

import lossref
from lossref.datasets import digits
from lossref.models import Linear
from lossref.plotting import INK, describe, name_lines, panels, series

x, y = digits()
model, steps = Linear(inputs=64, outputs=10), 150
entropy, floor = lossref.CategoricalCrossEntropy(), np.log(9 + np.e) - 1


def softmax(scores):
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def once(scores):
    return entropy.value_and_grad(scores, y)


def twice(scores):
    chances = softmax(scores)
    value, slope = entropy.value_and_grad(chances, y)
    return value, chances * (slope - (chances * slope).sum(axis=1, keepdims=True))


figure, (seen, error) = panels(2, height=3.4)
wrong = {}
for index, way in enumerate((once, twice)):
    params, optimizer, history = model.init(), lossref.SGD(lr=0.005, momentum=0.9), []
    state = optimizer.init(params)
    for _ in range(steps):
        scores = model.forward(params, x)
        value, slope = way(scores)
        answers = scores.argmax(axis=1)
        history.append([value, 100 * np.mean(answers != y), len(np.unique(answers))])
        optimizer.step(params, model.backward(params, x, slope), state)
    loss, wrong[way], known = np.array(history).T
    seen.plot(loss, label=f"softmax {way.__name__}", **series(index))
    error.plot(wrong[way], label=f"softmax {way.__name__}", **series(index))
    print(
        f"softmax {way.__name__:6} loss {loss[-1]:.3f} nats, {wrong[way][-1]:.1f} % wrong after {steps} steps;", end=" "
    )
    print(f"{known[80]:.0f} different answers after 80 steps")

seen.axhline(floor, color=INK, linewidth=0.8)
seen.set(ylabel="loss that is reported (nats)", ylim=(0, 2.5))
error.set(ylabel="digits read wrongly (%, logarithmic)", yscale="log")
for panel in (seen, error):
    panel.set(xlabel="step (whole data set)", xlim=(0, steps))
    name_lines(panel)
describe(
    figure,
    f"Loss and error of softmax regression over {steps} steps. With a second softmax the loss stays above {floor:.2f} "
    f"nats, and after 50 steps {wrong[twice][50]:.1f} % of the digits are wrong instead of {wrong[once][50]:.1f} %.",
)
assert loss.min() > floor
assert known[80] == 9
assert wrong[twice][50] > 1.5 * wrong[once][50]
assert abs(lossref.NLL()(np.log(softmax(scores)), y) - entropy(scores, y)) < 1e-12
