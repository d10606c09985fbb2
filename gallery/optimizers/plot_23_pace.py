"""
The fastest rate of descent lies a fifth of a per cent below the one that explodes
==================================================================================

Linear regression on the 442 patients of the diabetes data, full batch: how many steps the distance to the best weights
needs for one more digit, against the learning rate. The line is read from the curvatures, two numbers; the markers are
runs of 4000 steps. Twice as fast costs twice the rate, all the way up to a wall.
"""

import numpy as np
from sklearn.datasets import load_diabetes

import lossref
from lossref.plotting import INK, MARKERS, PALETTE, describe, panels
from lossref.training import largest_stable_rate, spectral_radius, tuned

x, y = load_diabetes(return_X_y=True, scaled=False)
x, y, loss = (x - x.mean(axis=0)) / x.std(axis=0), y - y.mean(), lossref.MSE()
curvatures, best = np.linalg.eigvalsh(2 * x.T @ x / len(y)), np.linalg.lstsq(x, y, rcond=None)[0]
low, high = curvatures[[0, -1]]
wall, top = largest_stable_rate(lossref.SGD(lr=1.0), high), tuned("descent", low, high)


def digits_per_step(optimizer, steps=4000):
    """Run it, and see what became of the distance over the last thousand steps."""
    w, away = np.zeros(10), []
    state = optimizer.init(w)
    for _ in range(steps):
        optimizer.step(w, x.T @ loss.grad(x @ w, y), state)
        away.append(np.linalg.norm(w - best))
    return np.log10(away[-1001] / away[-1]) / 1000


def predicted(rates):
    return [-1 / np.log10(spectral_radius(lossref.SGD(lr=rate), curvatures).max()) for rate in rates]


rates = np.array([0.03, 0.06, 0.12, 0.2, 0.24, top.optimizer.lr, 0.2482])
measured = np.array([1 / digits_per_step(lossref.SGD(lr=rate)) for rate in rates])
for rate, steps, told in zip(rates, measured, predicted(rates), strict=True):
    print(f"rate {rate:.4f}: {steps:5.0f} steps a digit, predicted {told:5.0f}")
print(f"from {wall:.5f} on nothing converges; the best rate is {1 - top.optimizer.lr / wall:.2%} below")

figure, (panel,) = panels(height=4)
line = np.concatenate([np.linspace(0.025, 0.245, 200), wall - np.geomspace(wall - 0.245, 2e-5, 200)])
panel.plot(line, predicted(line), color=PALETTE[0], label="predicted")
panel.plot(rates, measured, MARKERS[1], color=PALETTE[1], label="measured")
panel.axvline(wall, color=INK, linewidth=1)
panel.text(wall - 0.004, 9000, "diverges from here on", ha="right", va="top")
panel.set(xlabel="learning rate", ylabel="steps for one digit (logarithmic)", yscale="log")
panel.set(xlim=(0.02, 0.262), ylim=(400, 12000))
panel.legend(frameon=False, loc="lower left")
told = f"{measured[0]:.0f} at 0.03, {measured.min():.0f} at {top.optimizer.lr:.4f}; the wall is at {wall:.4f}"
describe(figure, f"Steps per digit against the learning rate of descent: {told}. Predicted and measured agree.")
assert np.allclose(measured, predicted(rates), rtol=0.02)
assert 0.001 < 1 - top.optimizer.lr / wall < 0.003
