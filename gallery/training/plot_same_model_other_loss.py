"""
Same model, start and rate: squared error arrives in 10 steps, absolute error in 2,000, a quantile elsewhere
============================================================================================================

A linear model predicts how far the diabetes of 442 patients has come, by descent on the whole set. The measurements
have mean 0, so that the mean prediction is the model's bias and can be watched. Squared error steps in proportion to
the distance; Huber's loss and absolute error vote, with a force of 30 and of 1. The quantile loss was asked for a
number that nine patients in ten stay below, and goes there.
"""

import numpy as np

import lossref
from lossref.datasets import diabetes
from lossref.models import Linear
from lossref.plotting import INK, describe, name_lines, panels, series

x, y = diabetes()
x = x / x.std(axis=0)
model, rate, steps = Linear(inputs=10), 0.2, 10_000
losses = {
    "MSE": lossref.MSE(),
    "Huber, δ = 30": lossref.Huber(delta=30.0),
    "MAE": lossref.MAE(),
    "quantile, q = 0.9": lossref.Quantile(q=0.9),
}

figure, (panel,) = panels(height=4.0)
arrived, place = {}, {}
for index, (name, loss) in enumerate(losses.items()):
    params, bias, optimizer = model.init(), [], lossref.SGD(lr=rate)
    state = optimizer.init(params)
    for _ in range(steps):
        optimizer.step(params, model.backward(params, x, loss.grad(model.forward(params, x), y)), state)
        bias.append(params["bias"][0])
    place[name] = bias[-1]
    arrived[name] = 1 + int(np.argmax(np.array(bias) > 0.99 * place[name]))
    panel.plot(np.arange(1, steps + 1), bias, label=name, **series(index))
    above = np.mean(model.forward(params, x) > y)
    print(f"{name:18} {place[name]:6.1f} points, there after {arrived[name]:5} steps; {above:.0%} predicted too high")

panel.axhline(y.mean(), color=INK, linewidth=0.8)
panel.annotate("mean of the measurements", (1, y.mean()), (3, 3), textcoords="offset points")
panel.set(
    xscale="log",
    xlabel="step (updates, logarithmic)",
    ylabel="mean prediction (points)",
    xlim=(1, steps),
    ylim=(0, 250),
)
name_lines(panel)
describe(
    figure,
    "Mean prediction of four models against 10000 updates at the same rate. "
    + ", ".join(f"{name} ends at {place[name]:.0f}, there after {arrived[name]} steps" for name in losses)
    + ".",
)
assert abs(place["MSE"] - y.mean()) < 0.01
assert place["quantile, q = 0.9"] > place["MSE"] + 60
assert arrived["MSE"] == 10 < arrived["Huber, δ = 30"] < 2000 < arrived["MAE"] < 2500 < arrived["quantile, q = 0.9"]
