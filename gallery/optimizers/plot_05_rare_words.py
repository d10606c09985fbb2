"""
AdaGrad knows a third of the weight of a word that came four times, gradient descent less than a tenth
======================================================================================================

Six thousand made sentences, read once. Of 1000 words, the first stands in every second sentence and the last in one of
2000; each speaks for the one class or for the other, all with the same weight. Gradient descent must choose one rate
for all words. AdaGrad divides each weight's step by the gradients that this weight has seen: a word that has been rare
so far moves far when it comes. Adam, which came later, does as well.
"""

import numpy as np

import lossref
from lossref.plotting import describe, name_lines, panels, series

rng = np.random.default_rng(0)
words, sentences, size = 1000, 6000, 20
often = 0.5 / np.arange(1, words + 1)
truth = rng.choice([-1.0, 1.0], words)
x, unseen = (rng.random((2, sentences, words)) < often).astype(float)
y, answers = (rng.random((2, sentences)) < 1 / (1 + np.exp(-np.stack([x, unseen]) @ truth))).astype(float)
loss = lossref.BinaryCrossEntropy()


def learn(optimizer):
    """Return the weights of the words after one pass over the sentences."""
    w = np.zeros(words)
    state = optimizer.init(w)
    for k in range(0, sentences, size):
        batch = x[k : k + size]
        optimizer.step(w, batch.T @ loss.grad(batch @ w, y[k : k + size]), state)
    return w


# %%
# Each gets the best of ten rates, judged by sentences that it has not seen.

rates = {"SGD": np.geomspace(0.5, 20, 10), "AdaGrad": np.geomspace(0.1, 2, 10), "Adam": np.geomspace(0.005, 0.2, 10)}
bins = np.array_split(np.arange(words), [10, 30, 60, 120, 250, 500])
figure, (panel,) = panels(height=4)
known = {}
for index, kind in enumerate((lossref.SGD, lossref.AdaGrad, lossref.Adam)):
    runs = [learn(kind(lr=lr)) for lr in rates[kind.__name__]]
    losses = [loss(unseen @ w, answers) for w in runs]
    chosen = int(np.argmin(losses))
    lr = rates[kind.__name__][chosen]
    shares = [100 * np.median((runs[chosen] * truth)[each]) for each in bins]
    known[kind.__name__] = shares[-1]
    panel.plot([sentences * often[each].mean() for each in bins], shares, label=kind.__name__, **series(index))
    print(f"{kind.__name__:8} rate {lr:.2f}: loss {losses[chosen]:.3f} nats, rare words {shares[-1]:.0f} %")
print(f"the true weights: loss {loss(unseen @ truth, answers):.3f} nats")
panel.set(xlabel="occurrences of a word (sentences, logarithmic)", xscale="log", xlim=(1000, 3))
panel.set(ylabel="share of its weight that is learned (%)", ylim=(0, 110))
name_lines(panel)
told = ", ".join(f"{name} {share:.0f} %" for name, share in known.items())
describe(figure, f"Share of their weight learned against how often words occur. Of the 500 rarest: {told}.")
assert known["AdaGrad"] > 32 > 10 > known["SGD"]
