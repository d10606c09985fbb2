"""
One wrong label walks away: the squared hinge follows it, hinge and cross-entropy both stay
===========================================================================================

Fifty samples of each class on a line, with their middles at −2 and 2, and one more of the left class that stands
further and further to the right. A linear classifier with a faint L2 penalty is trained anew for each place. The hinge
is said to bear outliers better than cross-entropy; but both pull at a bad mistake with a slope of 1. What matters is
whether the slope has a bound.
"""

import numpy as np

import lossref
from lossref.models import Linear
from lossref.plotting import describe, name_lines, panels, series

rng = np.random.default_rng(0)
clean = np.concatenate([rng.normal(-2, 1, 50), rng.normal(2, 1, 50)])
labels = np.repeat([-1.0, 1.0], 50)
places = np.array([0.0, 2.5, 5, 10, 20, 30, 40, 50, 60, 70, 80])
losses = {
    "hinge": lossref.Hinge(),
    "squared hinge": lossref.SquaredHinge(),
    "exponential": lossref.losses.Exponential(),
    "cross-entropy": lossref.BinaryCrossEntropy(),
}
model, penalty, steps = Linear(inputs=1), lossref.L2(lam=1e-3), 1500
optimizer = lossref.Adam(lr=lossref.Cosine(peak=0.1, steps=steps))


def boundary(loss, place):
    """Where the trained classifier changes its mind."""
    x, y = np.append(clean, place)[:, np.newaxis], np.append(labels, -1.0)
    y = y if loss.signs else (y + 1) / 2
    params = model.init()
    state = optimizer.init(params)
    for _ in range(steps):
        grads = model.backward(params, x, loss.grad(model.forward(params, x), y))
        grads["weights"] += penalty.grad(params["weights"])
        optimizer.step(params, grads, state)
    return -params["bias"][0] / params["weights"][0]


figure, (panel,) = panels(height=3.8)
ends, mistakes = {}, {}
for index, (name, loss) in enumerate(losses.items()):
    found = np.array([boundary(loss, place) for place in places])
    ends[name], mistakes[name] = found[-1], int(((clean > found[-1]) != (labels > 0)).sum())
    panel.plot(places, found, label=name, **series(index, marked=True))
    print(f"{name:14} boundary at {found[-1]:5.2f}, so that {mistakes[name]:2} of the other 100 samples are misjudged")

panel.set(xlabel="place of the wrong label", ylabel="boundary", xlim=(-1.5, 81.5), ylim=(-0.1, 2.5))
name_lines(panel)
told = ", ".join(f"{name} {ends[name]:.2f} ({count} misjudged)" for name, count in mistakes.items())
describe(figure, f"Where the boundary lies, against the place of one wrong label, from 0 to 80. At 80: {told}.")
assert max(mistakes["hinge"], mistakes["cross-entropy"]) < 5 < 10 < mistakes["squared hinge"] < mistakes["exponential"]
