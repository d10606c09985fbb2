"""
Hinge and cross-entropy forgive alike; the squared hinge does not
=================================================================

It is often said that the hinge minds outliers less than cross-entropy does. Far on the wrong side both are straight
lines with the same slope, so a wrong label pulls equally hard. They differ on the *right* side, where the hinge lets go
and cross-entropy never does. What an outlier drags along is the squared hinge, unless its arm is bent straight: that
is the modified Huber loss.
"""

import numpy as np

import lossref
from lossref.plotting import describe, name_lines, panels, series, trace

margin = np.linspace(-4, 3, 701)
label = np.ones_like(margin)
losses = {
    "cross-entropy": lossref.BinaryCrossEntropy(reduction="sum"),
    "hinge": lossref.Hinge(reduction="sum"),
    "squared hinge": lossref.SquaredHinge(reduction="sum"),
    "modified Huber": lossref.ModifiedHuber(reduction="sum"),
}

figure, (value, pull, bend) = panels(3)
for index, (name, loss) in enumerate(losses.items()):
    value.plot(margin, loss.values(margin, label), label=name, **series(index))
    pull.plot(margin, -loss.grad(margin, label), **series(index))
    trace(bend, margin, loss.curvature(margin, label), index, name)
value.set(xlabel="margin y f", ylabel="loss", xlim=(-4, 3), ylim=(0, 12), title="Value")
pull.set(xlabel="margin y f", ylabel="pull toward the label, −slope", xlim=(-4, 3), ylim=(0, 8), title="Pull")
bend.set(xlabel="margin y f", ylabel="curvature", xlim=(-4, 3), ylim=(-0.1, 2.2), title="Curvature")
name_lines(bend)

# %%
# How hard one sample pulls that is far on the wrong side, just beyond the boundary, and safely right. The exponential
# loss of AdaBoost has left the picture long before.

losses["exponential"] = lossref.losses.Exponential(reduction="sum")
places = np.array([-8.0, 0.0, 3.0])
pulls = {name: np.abs(loss.grad(places, np.ones(3))) for name, loss in losses.items()}
for name, (wrong, undecided, right) in pulls.items():
    print(f"{name:15}  wrong by 8: {wrong:8.3f}   at 0: {undecided:5.3f}   right by 3: {right:5.3f}")

describe(
    figure,
    "Loss, pull toward the label and curvature against the margin from -4 to 3. At -8 the pulls are "
    + ", ".join(f"{name} {wrong:.1f}" for name, (wrong, *_) in pulls.items())
    + f". At +3 cross-entropy still pulls with {pulls['cross-entropy'][2]:.3f}; the three hinges do not pull at all.",
)
assert abs(pulls["hinge"][0] - pulls["cross-entropy"][0]) < 0.001
assert pulls["squared hinge"][0] == 18 > pulls["modified Huber"][0] == 4
assert pulls["hinge"][2] == 0 < pulls["cross-entropy"][2]
