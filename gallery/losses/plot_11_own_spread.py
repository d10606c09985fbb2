"""
Who claims a large variance is let off: the pull on the mean is divided by it
=============================================================================

The Gaussian likelihood takes a mean and the logarithm of a variance. For a single residual the best variance is its
square. A guess that is too small costs the more the smaller it is, without bound; one that is too large costs half a
nat for each step of the logarithm. And where the variance is large, the mean is hardly corrected any more. A model
that finds something hard to predict can learn to call it noise instead.
"""

import numpy as np

import lossref
from lossref.plotting import INK, describe, name_lines, panels, series

loss, log_variance = lossref.GaussianNLL(reduction="sum"), np.linspace(-3, 5, 801)
figure, axes = panels(3, height=3.4)
best, pulls = {}, {}
for index, r in enumerate((0.5, 1.0, 3.0)):
    arrays = np.full_like(log_variance, r), log_variance, np.zeros_like(log_variance)
    values, slopes = loss.values(*arrays), loss.grad(*arrays)
    for panel, line in zip(axes, (values, *slopes), strict=True):
        panel.plot(log_variance, line, label=f"r = {r:g}", **series(index))
    best[r] = np.exp(log_variance[values.argmin()])
    axes[0].plot(np.log(best[r]), values.min(), "o", color=INK)
    pulls[r] = loss.grad([r, r], [0.0, np.log(9)], [0.0, 0.0])[0]
    print(
        f"r = {r:g}: best variance {best[r]:.2f}; slope in the mean at 1 and at 9: {pulls[r][0]:.3f}, {pulls[r][1]:.3f}"
    )
axes[0].set(ylabel="loss (nats)", ylim=(-1, 6), title="Value")
axes[1].set(ylabel="slope", ylim=(-0.5, 6), title="In the mean")
axes[2].set(ylabel="slope", ylim=(-4, 1), title="In the log variance")
for panel in axes:
    panel.set(xlabel="logarithm of the variance", xlim=(-3, 5), xticks=range(-3, 6, 2))
name_lines(axes[2])
told = ", ".join(f"{at_1:.1f} and {at_9:.2f} (residual {r:g})" for r, (at_1, at_9) in pulls.items())
describe(
    figure,
    "Value and slopes of the Gaussian likelihood against the logarithm of the variance from -3 to 5. Slopes in the "
    f"mean at variances of 1 and 9: {told}. Best variances {best[0.5]:.2f}, {best[1.0]:.2f} and {best[3.0]:.2f}.",
)
assert all(abs(variance / r**2 - 1) < 0.01 for r, variance in best.items())
assert all(np.isclose(at_1, 9 * at_9) for at_1, at_9 in pulls.values())
