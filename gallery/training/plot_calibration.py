"""
Trained long on little data a model is too sure, with smoothed labels too modest; one number mends both
=======================================================================================================

Softmax regression on 360 digits, judged on the other 1,437. Its answers are sorted by the probability that it gives
them, and in each drawer we count how many were right. A calibrated model is right in 80 % of the cases in which it says
80 %. A temperature divides all logits by one number, chosen on half of the held-out digits and tried on the other
half. It changes no answer.
"""

import numpy as np
from scipy.special import softmax

import lossref
from lossref.datasets import digits, split
from lossref.models import Linear
from lossref.plotting import INK, describe, name_lines, panels, series

model, plain = Linear(inputs=64, outputs=10), lossref.CategoricalCrossEntropy()
losses = {"plain": plain, "smoothing 0.1": lossref.CategoricalCrossEntropy(label_smoothing=0.1)}


def logits(loss, data):
    """Train on few digits, and return the scores of the held-out ones."""
    optimizer = lossref.SGD(lr=0.3, momentum=0.9)
    state = optimizer.init(params := model.init())
    for _ in range(300):
        slope = loss.grad(model.forward(params, data.train_x), data.train_y)
        optimizer.step(params, model.backward(params, data.train_x, slope), state)
    return model.forward(params, data.test_x)


answers = {f"{name}{more}": [] for name in losses for more in ("", ", T")}  # how sure, and whether right
for seed in range(8):
    data = split(*digits(), held_out=0.8, seed=seed)
    half = np.random.default_rng(seed).permutation(len(data.test_y)) < len(data.test_y) // 2
    for name, loss in losses.items():
        known, asked = (logits(loss, data)[part] for part in (half, ~half))
        costs = {heat: plain(known / heat, data.test_y[half]) for heat in np.geomspace(0.2, 5.0, 50)}
        for label, heat in ((name, 1.0), (f"{name}, T", min(costs, key=costs.get))):
            right = asked.argmax(axis=1) == data.test_y[~half]
            answers[label].append([softmax(asked / heat, axis=1).max(axis=1), right])

(figure, (panel,)), gaps = panels(width=5.6, height=4.2), {}
panel.plot([0.4, 1], [0.4, 1], color=INK, linewidth=0.8, label="calibrated")
for index, (name, found) in enumerate(answers.items()):
    sure, right = np.concatenate(found, axis=1)
    drawers = [(sure >= low) & (sure <= low + 0.1) for low in np.arange(4, 10) / 10]
    panel.plot(
        *np.transpose([[sure[d].mean(), right[d].mean()] for d in drawers]), label=name, **series(index, marked=True)
    )
    gaps[name] = 100 * (sure.mean() - right.mean())
    print(f"{name:17} says {sure.mean():.1%} on average and is right in {right.mean():.1%}")
panel.set(xlabel="probability given to the answer", ylabel="share of right answers", xlim=(0.4, 1), ylim=(0.4, 1.02))
name_lines(panel)
told = ", ".join(f"{name} {gap:+.1f} points" for name, gap in gaps.items())
describe(figure, f"Share of right answers against the probability given to them. Excess of the probability: {told}.")
assert gaps["plain"] > 2
assert gaps["smoothing 0.1"] < -10
assert max(abs(gaps["plain, T"]), abs(gaps["smoothing 0.1, T"])) < 2
