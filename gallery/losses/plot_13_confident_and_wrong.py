"""
Certain and wrong: cross-entropy shouts, squared error falls silent
===================================================================

A classifier gives the true class the probability p. Cross-entropy's loss grows without bound as p goes to 0, and the
slope in the logit tends to −1: the surer the mistake, the harder the pull. Squared error on the probability is never
above 1, and its slope in the logit *vanishes* where the model is most wrong.
"""

import numpy as np

import lossref
from lossref.plotting import describe, name_lines, panels, series

logit = np.linspace(-8, 8, 641)
true = np.ones_like(logit)
entropy = lossref.BinaryCrossEntropy(reduction="sum")
squared = lossref.MSE(reduction="sum")
p = 1 + entropy.grad(logit, true)  # cross-entropy's slope in the logit is p - y, so this is the probability itself
chain = entropy.curvature(logit, true)  # and its curvature is p (1 - p), which is how p moves with the logit

figure, (value, slope) = panels(2)
value.plot(logit, entropy.values(logit, true), label="cross-entropy", **series(0))
value.plot(logit, squared.values(p, true), label="squared error", **series(1))
value.set(
    xlabel="logit z of the true class", ylabel="loss (nats; 1 for the square)", xlim=(-8, 8), ylim=(0, 6), title="Value"
)
slope.plot(logit, entropy.grad(logit, true), label="cross-entropy", **series(0))
slope.plot(logit, squared.grad(p, true) * chain, label="squared error", **series(1))
slope.set(
    xlabel="logit z of the true class", ylabel="slope in the logit", xlim=(-8, 8), ylim=(-1.1, 0.1), title="Slope"
)
name_lines(value)
name_lines(slope)

# %%
# The lecture's four examples: y = 1 with p = 0.95 and 0.20, a softmax that gives the true class 0.8, and y = 0 with
# p = 0.99.

given = lossref.BinaryCrossEntropy(from_logits=False, reduction="sum")
for y, probability in [(1, 0.95), (1, 0.20), (1, 0.80), (0, 0.99)]:
    print(f"y = {y}, p = {probability:.2f}: {given([probability], [y]):.3f}")

pulls = [float(entropy.grad([-8.0], [1.0])[0]), float((squared.grad(p, true) * chain)[0])]
describe(
    figure,
    "Loss, left, and slope, right, against the logit of the true class from -8 to 8, for cross-entropy and squared "
    f"error. At -8 the slope of cross-entropy is {pulls[0]:.3f}, that of squared error {pulls[1]:.4f}.",
)
assert pulls[0] < -0.999
assert abs(pulls[1]) < 0.001
assert [round(given([q], [y]), 3) for y, q in [(1, 0.95), (1, 0.2), (1, 0.8), (0, 0.99)]] == [
    0.051,
    1.609,
    0.223,
    4.605,
]
