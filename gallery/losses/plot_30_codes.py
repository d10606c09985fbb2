"""
A code three times too wide pays more than four times what one three times too narrow pays
==========================================================================================

For each latent variable a variational autoencoder gives a mean and a width, and pays for the distance from the standard
normal distribution. The price of a wrong mean is a parabola. That of a wrong width is not symmetric: what is too wide
spends much of its time where the standard distribution hardly ever is, what is too narrow only misses some of it. So an
untrained encoder is drawn in at once where it is too wide, and let out slowly where it is too narrow.
"""

import numpy as np

import lossref
from lossref.plotting import INK, describe, name_lines, panels, series

loss = lossref.GaussianKL(reduction="sum")
width = np.geomspace(0.1, 4, 401)
log_variance = 2 * np.log(width)

figure, (value, pull) = panels(2)
for index, mean in enumerate((0.0, 1.0, 2.0)):
    means = np.full_like(width, mean)
    costs = loss.values(means, log_variance)
    value.plot(width, costs, label=f"mean {mean:g}", **series(index))
    value.plot(width[costs.argmin()], costs.min(), "o", color=INK, clip_on=False)
slopes = loss.grad(np.zeros_like(width), log_variance)[1], loss.curvature(np.zeros_like(width), log_variance)[1]
for index, (name, slope) in enumerate(zip(("slope", "curvature"), slopes, strict=True)):
    pull.plot(width, slope, label=name, **series(index))
value.set(ylabel="loss (nats)", ylim=(0, 5), title="Value")
pull.set(ylabel="in the logarithm of the variance", ylim=(-1, 4), title="Slope and curvature")
for panel in figure.axes:
    panel.set(xlabel="width, standard deviation (logarithmic)", xscale="log", xlim=(0.1, 4))
    panel.set_xticks([0.1, 1 / 3, 1, 3], ["0.1", "⅓", "1", "3"])
    panel.minorticks_off()
    name_lines(panel)

# %%
# What widths three times too large and too small cost, how hard they pull at the logarithm of the variance, and what a
# wrong mean adds, at any width. The dots are the least of each curve: the best width is 1, whatever the mean.

price, (_, pulls) = loss.values([0, 0], np.log([9, 1 / 9])), loss.grad([0, 0], np.log([9, 1 / 9]))
print(f"too wide {price[0]:.3f} nats, slope {pulls[0]:.3f};  too narrow {price[1]:.3f} nats, slope {pulls[1]:.3f}")
print("means of 1 and 2 add", *(loss([mean], [0.0]) for mean in (1, 2)), "nats")
describe(
    figure,
    "Price of a normal distribution against its width from 0.1 to 4, for three means, each lowest at 1; slope and "
    f"curvature at a mean of 0. A width of 3 costs {price[0]:.2f} nats and has slope {pulls[0]:.2f}, one of a third "
    f"{price[1]:.2f} and {pulls[1]:.2f}.",
)
assert price[0] > 4 * price[1]
assert pulls[0] > -8 * pulls[1]
