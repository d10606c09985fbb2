"""
One number leads from the mean to an estimate that does not see the outliers
============================================================================

Barron's loss has its shape as a parameter. At 2 it is squared error, at 1 a rounded absolute error, at 0 Cauchy's loss,
and far below zero Welsch's, which has a ceiling. All are the same parabola near zero; what differs is the say of
a far point, and with it where the estimate comes to rest.
"""

import numpy as np

import lossref
from lossref.plotting import curve, describe, name_lines, panels, series

shapes = [2.0, 1.0, 0.0, -1e30]
labels = ["α = 2", "α = 1", "α = 0", "α → −∞"]
losses = [lossref.Barron(alpha=alpha) for alpha in shapes]
figure = curve(losses, span=(-6, 6), labels=labels)
value, slope = figure.axes
value.set(xlim=(-6, 6), ylim=(0, 4), xlabel="residual (σ)", ylabel="loss (1)", title="Value")
slope.set(xlim=(-6, 6), ylim=(-2, 2), xlabel="residual (σ)", ylabel="slope (1/σ): pull", title="Slope")
for panel in figure.axes:
    name_lines(panel)
ceiling = losses[-1].values([6.0], [0.0])[0]
describe(
    figure,
    "Values, left, and slopes, right, of Barron's loss for four shapes α against the residual from -6 to 6 scales. All "
    f"agree near 0. At 6 squared error costs {losses[0].values([6.0], [0.0])[0]:.0f}, α = 0 costs "
    f"{losses[2].values([6.0], [0.0])[0]:.1f}, and the limit {ceiling:.1f}, without a pull.",
)

# %%
# 160 measurements around 0, and 40 around 6: not so far out that it is plain which are which. The estimate descends
# from the median.

rng = np.random.default_rng(2019)
good, other = rng.normal(0.0, 1.0, 160), rng.normal(6.0, 1.0, 40)
measured = np.concatenate([good, other])
alphas = np.concatenate([np.linspace(2, -2, 33), np.linspace(-2.5, -8, 12)])
estimates = []
for alpha in alphas:
    loss, guess = lossref.Barron(alpha=alpha), np.median(measured)
    for _ in range(300):
        guess -= loss.grad(np.full_like(measured, guess), measured).sum()
    estimates.append(guess)

figure, (panel,) = panels()
panel.plot(alphas, estimates, label="estimate", **series(0))
panel.plot(alphas, np.full_like(alphas, good.mean()), label="mean of the 160", **series(1))
panel.set(xlabel="shape α (1)", ylabel="estimate (unit)", xlim=(2, -8), ylim=(-0.3, 1.3))
panel.legend(frameon=False)
describe(
    figure,
    f"The estimate against the shape α, from 2 to -8: it falls from {estimates[0]:.2f}, the mean, over "
    f"{estimates[8]:.2f} at α = 1 and {estimates[16]:.2f} at α = 0 to {estimates[-1]:.2f}; the mean "
    f"of the good measurements is {good.mean():.2f}.",
)
assert np.isclose(estimates[0], measured.mean())
assert np.all(np.diff(estimates) < 0)
assert abs(estimates[-1] - good.mean()) < (estimates[0] - good.mean()) / 30
