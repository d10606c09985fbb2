"""
Beyond its scale, the Cauchy loss listens less the further away a point lies
============================================================================

Squared error lets an outlier pull the harder the further out it is, Huber's loss lets all outliers pull with the same
force. A redescending loss lets go: what lies far enough away must belong to something else. With a tenth of the
measurements wrong, and all on the same side, this is the difference between a biased estimate and a clean one.
"""

import numpy as np

import lossref
from lossref.plotting import curve, describe, name_lines

losses = {"Huber, δ = 1": lossref.Huber(delta=1.0), "Cauchy, σ = 1": lossref.Cauchy(scale=1.0)}
figure = curve(list(losses.values()), span=(-8, 8), labels=list(losses))
value, slope = figure.axes
value.set(xlim=(-8, 8), ylim=(0, 8), ylabel="loss (unit²)", title="Value")
slope.set(xlim=(-8, 8), ylim=(-1.2, 1.2), ylabel="slope (unit): pull on the prediction", title="Slope")
for panel in figure.axes:
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
    print(f"{name:14} moves by {distance:.3f}")

huber, cauchy = moved["Huber, δ = 1"], moved["Cauchy, σ = 1"]
describe(
    figure,
    "Values, left, and slopes, right, of Huber's and Cauchy's loss against the residual from -8 to 8. Huber's slope "
    f"stays at 1; Cauchy's is 0.5 at 1 and {losses['Cauchy, σ = 1'].grad([8.0], [0.0])[0]:.2f} at 8. A tenth of the "
    f"data at 30 moves Huber's estimate by {huber:.2f} and Cauchy's by {cauchy:.2f}.",
)
assert 0 < cauchy < huber / 10 < huber < moved["mean"] / 10
