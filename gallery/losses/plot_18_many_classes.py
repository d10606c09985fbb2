"""
With many classes, the focal loss multiplies each row of cross-entropy's gradient by one number
===============================================================================================

Not the rivals, but only the probability of the true class decides how much an example has to say: up to four tenths
more than under cross-entropy where that is small, and next to nothing where it is near 1. The direction stays what it
was. So the focal loss is a weight for each example that changes while the model learns.
"""

import numpy as np

import lossref
from lossref.plotting import describe, name_lines, panels, series

rng = np.random.default_rng(2017)
logits, labels = rng.normal(0, 3, (4000, 5)), rng.integers(0, 5, 4000)
entropy = lossref.CategoricalCrossEntropy(reduction="sum")
plain, chance = entropy.grad(logits, labels), np.exp(-entropy.values(logits, labels))
order = np.argsort(chance)

figure, (value, weight) = panels(2)
factors = {}
for index, gamma in enumerate((0.0, 1.0, 2.0, 5.0)):
    loss = lossref.CategoricalFocal(gamma=gamma, reduction="sum")
    slopes = loss.grad(logits, labels)
    factors[gamma] = (slopes * plain).sum(axis=1) / (plain * plain).sum(axis=1)
    assert np.allclose(slopes, factors[gamma][:, np.newaxis] * plain, rtol=1e-9)  # the same direction
    value.plot(chance[order], loss.values(logits, labels)[order], label=f"γ = {gamma:g}", **series(index))
    weight.plot(chance[order], factors[gamma][order], label=f"γ = {gamma:g}", **series(index))
value.set(ylabel="loss (nats)", ylim=(0, 5), title="Value")
weight.set(ylabel="gradient over cross-entropy's", ylim=(0, 1.5), title="Factor")
for panel in figure.axes:
    panel.set(xlabel="probability of the true class", xlim=(0, 1))
    name_lines(panel)

# %%
# The largest factor, and the probability from which on an example has less to say than under cross-entropy.

most = {gamma: factor.max() for gamma, factor in factors.items()}
less = {gamma: chance[factor < 0.999].min(initial=1) for gamma, factor in factors.items()}
for gamma in factors:
    print(f"γ = {gamma:g}: at most {most[gamma]:.2f}, and less than 1 from a probability of {less[gamma]:.2f} on")
told = "; ".join(f"γ = {gamma:g} at most {most[gamma]:.2f}, below 1 from {less[gamma]:.2f} on" for gamma in (1, 2, 5))
describe(
    figure,
    "Value of the focal loss and its gradient over that of cross-entropy against the probability of the true class, "
    f"for 4000 examples of five classes: {told}.",
)
assert most[5.0] < 1.41
assert less[5.0] < less[2.0] < less[1.0] < 0.4 < less[0.0] == 1
