"""
The focal loss lets easy examples go, and pulls harder at the hard ones
=======================================================================

Under cross-entropy (γ = 0) an example that is right by far still pulls a little, and where a thousand such examples
stand against one that is wrong, their pulls add up. The focal loss multiplies the surprise by a power of the doubt that
is left. The price is in the third panel: on the wrong side the curvature is below zero, and the loss not convex.
"""

import numpy as np

import lossref
from lossref.plotting import describe, name_lines, panels, series

logit = np.linspace(-6, 6, 601)
label = np.ones_like(logit)
gammas = [0.0, 1.0, 2.0, 5.0]
losses = {gamma: lossref.Focal(gamma=gamma, alpha=None, reduction="sum") for gamma in gammas}

figure, (value, pull, bend) = panels(3)
for index, (gamma, loss) in enumerate(losses.items()):
    value.plot(logit, loss.values(logit, label), label=f"γ = {gamma:g}", **series(index))
    pull.plot(logit, -loss.grad(logit, label), label=f"γ = {gamma:g}", **series(index))
    bend.plot(logit, loss.curvature(logit, label), label=f"γ = {gamma:g}", **series(index))
value.set(ylabel="loss (nats)", ylim=(0, 6), title="Value")
pull.set(ylabel="pull toward the class, −slope", ylim=(0, 1.4), title="Pull")
bend.set(ylabel="curvature", ylim=(-0.2, 0.8), title="Curvature")
for panel in (value, pull, bend):
    panel.set(xlabel="logit of the true class", xlim=(-6, 6))
    name_lines(panel)

# %%
# The pull of an example whose class has a probability of 0.99, 0.9 and 0.1, and how many of the easiest ones it takes
# to outweigh the hard one.

chances = np.array([0.99, 0.9, 0.1])
pulls = {gamma: -loss.grad(np.log(chances / (1 - chances)), np.ones(3)) for gamma, loss in losses.items()}
for gamma, (easiest, easy, hard) in pulls.items():
    print(f"γ = {gamma:g}   at 0.99: {easiest:.1e}   0.9: {easy:.1e}   0.1: {hard:.2f}   {hard / easiest:,.0f} to 1")

lowest = {gamma: loss.curvature(logit, label).min() for gamma, loss in losses.items()}
describe(
    figure,
    "Value, pull and curvature of the focal loss against the logit of the true class from -6 to 6, for γ of 0, 1, 2 "
    f"and 5. At a probability of 0.9 the pull falls from {pulls[0][1]:.2f} to {pulls[2][1]:.4f} with γ = 2; at 0.1 it "
    f"rises from {pulls[0][2]:.2f} to {pulls[2][2]:.2f}. The curvature falls to {lowest[2]:.3f} with γ = 2.",
)
assert pulls[2.0][1] < 0.05 * pulls[0.0][1]
assert pulls[2.0][2] > 1.2 * pulls[0.0][2]
assert lowest[0.0] > 0 > max(lowest[gamma] for gamma in gammas[1:])
