"""
Cauchy's loss listens less the further away a point lies, and Tukey's soon not at all
=====================================================================================

Squared error lets an outlier pull the harder the further out it is, Huber's loss lets all outliers pull with the same
force. A redescending loss lets go: what lies far enough away must belong to something else. The price is a curvature
below zero. With a tenth of the measurements wrong, and all on the same side, this is the difference between a biased
estimate and a clean one.
"""

import numpy as np

import lossref
from lossref.plotting import curve, describe, name_lines

losses = {"Huber": lossref.Huber(delta=1.0), "Cauchy": lossref.Cauchy(scale=1.0), "Tukey": lossref.Tukey(c=4.685)}
shown = ("value", "slope", "curvature")
figure = curve(list(losses.values()), show=shown, span=(-8, 8), labels=list(losses), against="residual r (unit)")
value, slope, curvature = figure.axes
value.set(ylim=(0, 8), ylabel="loss (unit²)", title="Value")
slope.set(ylim=(-1.6, 1.6), ylabel="slope (unit): pull on the prediction", title="Slope")
curvature.set(ylim=(-1, 1.1), title="Curvature")
for panel in figure.axes:
    panel.set_xlim(-8, 8)
    name_lines(panel)

# %%
# 180 measurements around 0, then 20 more around 30. How far does each estimate move? Descent starts at the median, as
# it should where a loss is not convex.

rng = np.random.default_rng(1996)
clean, wrong = rng.normal(0.0, 1.0, 180), rng.normal(30.0, 1.0, 20)


def estimate(loss, measured):
    """Descend to where the pulls balance."""
    guess = np.median(measured)
    for _ in range(300):
        guess -= loss.grad(np.full_like(measured, guess), measured).sum()
    return guess


everything = np.concatenate([clean, wrong])
moved = {name: estimate(loss, everything) - estimate(loss, clean) for name, loss in losses.items()}
moved["mean"] = everything.mean() - clean.mean()
for name, distance in moved.items():
    print(f"{name:6} moves by {distance:.3f}")

at_8 = {name: loss.grad([8.0], [0.0])[0] for name, loss in losses.items()}
describe(
    figure,
    "Values, slopes and curvatures of three losses against the residual from -8 to 8. At 8 Huber's slope is "
    f"{at_8['Huber']:.0f}, Cauchy's {at_8['Cauchy']:.2f} and Tukey's {at_8['Tukey']:.0f}. A tenth of the data at 30 "
    f"moves the estimates by {moved['Huber']:.2f}, {moved['Cauchy']:.3f} and {abs(moved['Tukey']):.3f}.",
)
assert abs(moved["Tukey"]) < 1e-9 < moved["Cauchy"] < moved["Huber"] / 10 < moved["mean"] / 100
assert at_8["Tukey"] == 0
