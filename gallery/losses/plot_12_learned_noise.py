"""
A likelihood learns how noisy the data are; squared error must be told
======================================================================

The noise of these measurements grows with x, from a standard deviation of 0.1 to one of 3. Squared error fits a line
and says nothing of how far it may be off: the spread of its residuals is far too wide on the left and too narrow on
the right. The Gaussian likelihood fits two lines, for the mean and for the logarithm of the variance.
"""

import numpy as np

import lossref
from lossref.plotting import INK, describe, name_lines, panels, series

rng = np.random.default_rng(1994)
x = np.sort(rng.uniform(0, 1, 1000))
true_spread = 0.1 * 30**x
y = 1 + 2 * x + true_spread * rng.standard_normal(1000)
features, optimizer = np.column_stack([np.ones_like(x), x]), lossref.Adam(lr=lossref.Cosine(peak=0.05, steps=1500))


def fit(slopes_at, outputs):
    """Descend with Adam on the weights of the two features; ``slopes_at`` gives the slopes in each output."""
    state = optimizer.init(weights := np.zeros((2, outputs)))
    for _ in range(1500):
        optimizer.step(weights, features.T @ np.column_stack(slopes_at(*(features @ weights).T)), state)
    return (features @ weights).T


(plain,) = fit(lambda mean: (lossref.MSE().grad(mean, y),), outputs=1)
mean, log_variance = fit(lambda mean, spread: lossref.GaussianNLL().grad(mean, spread, y), outputs=2)
fits = {"squared error": (plain, np.full_like(x, (plain - y).std())), "likelihood": (mean, np.exp(log_variance / 2))}

# %%
# How many measurements lie within two standard deviations of the fit, which 95 % of them should?

figure, (left, right) = panels(2)
left.plot(x, y, ".", color="#8a8a8a", markersize=2)
right.plot(x, true_spread, color=INK, linewidth=1, label="true")
within = {}
for index, (name, (middle, spread)) in enumerate(fits.items()):
    inside = np.abs(y - middle) < 2 * spread
    within[name] = inside[x < 1 / 3].mean(), inside[x > 2 / 3].mean()
    print(f"{name:13}   on the left {within[name][0]:.1%}   on the right {within[name][1]:.1%}")
    left.plot(x, middle + 2 * spread, label=name, **series(index))
    left.plot(x, middle - 2 * spread, **series(index))
    right.plot(x, spread, label=name, **series(index))
left.set(xlabel="x", ylabel="measured; fit ± two deviations", xlim=(0, 1), ylim=(-6, 10))
right.set(xlabel="x", ylabel="standard deviation (logarithmic)", yscale="log", xlim=(0, 1), ylim=(0.08, 4))
right.set(yticks=[0.1, 0.3, 1, 3], yticklabels=[0.1, 0.3, 1, 3])
name_lines(left)
name_lines(right)
low, high = (fits["likelihood"][1] / true_spread)[[0, -1]]
describe(
    figure,
    "Noisy data, two fits with bands, and their deviations against x: the true one rises from 0.1 to 3; that of the "
    f"likelihood is {low:.2f} and {high:.2f} times it, squared error's is {fits['squared error'][1][0]:.2f}.",
)
assert 0.85 < min(low, high) < max(low, high) < 1.15
assert within["squared error"][1] < 0.85 < 0.93 < min(within["likelihood"]) < 0.97 < within["squared error"][0]
