"""
Trained on what mistakes cost, a model is a third cheaper than with squared error
=================================================================================

Too much costs one unit for each; too little costs the more the more is missing. :func:`lossref.from_formula` makes a
loss of that line, :func:`lossref.check_gradient` looks whether the whole way from the weights to the cost and back is
right. The data are 442 diabetes patients, linear models are trained on three quarters of them.
"""

import numpy as np
import sympy as sp

import lossref
from lossref.datasets import diabetes, split
from lossref.models import Linear
from lossref.plotting import curve, describe, name_lines

cost = lossref.from_formula(
    "Cost",
    lambda pred, target, unit: sp.Piecewise((pred - target, pred >= target), ((pred - target) ** 2 / unit, True)),
    unit=20.0,
)
losses = {"MSE": lossref.MSE(), "MAE": lossref.MAE(), "quantile 0.8": lossref.Quantile(q=0.8), "the cost": cost}
model, optimizer = Linear(inputs=10), lossref.Adam(lr=lossref.Cosine(peak=5.0, steps=250))
paid = {name: [] for name in losses}
for seed in range(10):
    data = split(*diabetes(), held_out=0.25, seed=seed)
    for name, loss in losses.items():
        state = optimizer.init(params := model.init())
        for _ in range(250):
            slope = loss.grad(model.forward(params, data.train_x), data.train_y)
            optimizer.step(params, model.backward(params, data.train_x, slope), state)
        paid[name].append(cost(model.forward(params, data.test_x), data.test_y))

# %%
# What held-out patients cost: median and 10–90 % range of the splits. The quantile loss, to which each missing unit has
# one price, comes as near as makes no difference here: what matters is that too little is dearer than too much.

for name, each in paid.items():
    print("{:13} {:4.0f} [{:.0f}, {:.0f}]".format(name, *np.percentile(each, (50, 10, 90))))

# %%
# The check, at the trained weights. A patient is predicted so well that he stands at the corner of the cost, and the
# check says so. Then a common mistake: a sum on the way back where the value has a mean.

x, y, weights, bias = data.train_x, data.train_y, params["weights"], params["bias"]
value, slope = lambda w: cost(x @ w + bias, y), lambda w: x.T @ cost.grad(x @ w + bias, y)
right = lossref.check_gradient(value, slope, weights)
print(right, wrong := lossref.check_gradient(value, lambda w: len(x) * slope(w), weights), sep="\n")

figure = curve([cost, losses["MAE"]], span=(-60, 60), labels=["the cost", "MAE"])
for panel in figure.axes:
    panel.set(xlim=(-60, 60))
    name_lines(panel)
middle = {name: np.median(each) for name, each in paid.items()}
held = ", ".join(f"{name} {each:.0f}" for name, each in middle.items())
describe(figure, f"Value and slope of the cost against the residual from -60 to 60. Median cost, held out: {held}.")
assert right
assert wrong.verdict == "factor"
assert middle["the cost"] < 0.67 * middle["MSE"]
