"""
Ten times too high alarms the Poisson loss, ten times too low the gamma loss, and Tweedie's between them both
=============================================================================================================

All three take the logarithm of a mean, so that a miss is a factor, and expect a variance that grows like the power p of
the mean: 1 for counts, 2 for amounts that scatter in proportion to themselves, and in between for sums of a random
number of such amounts, like the rain of a day. In proportion, a small amount under a large mean is nothing strange, but
a large one over a small mean is. For counts it is the other way round.
"""

import numpy as np

import lossref
from lossref.plotting import describe, name_lines, panels, read, series

losses = {"Poisson": lossref.Poisson(), "Tweedie, p = 1.5": lossref.Tweedie(power=1.5), "gamma": lossref.Gamma()}
factor = np.geomspace(0.1, 10, 401)

figure, axes = panels(3, height=3.4)
for panel, reading in zip(axes, ("value", "slope", "curvature"), strict=True):
    for index, (name, loss) in enumerate(losses.items()):
        panel.plot(factor, read(loss, reading, np.log(factor), target=1.0), label=name, **series(index))
    panel.set(xscale="log", xlim=(0.1, 10), xlabel="mean / amount (logarithmic)", title=reading.capitalize())
    panel.set_xticks([0.1, 1, 10], ["0.1", "1", "10"])
axes[0].set(ylabel="loss (1; Poisson: counts)", ylim=(0, 7))
axes[1].set(ylabel="slope in the logarithm", ylim=(-9, 9))
axes[2].set(ylabel="curvature", ylim=(0, 10))
name_lines(axes[2])

# %%
# The pulls at both ends. Then the curvature where the prediction is right, which is what a sample weighs in a fit:
# under the Poisson loss an amount of 100 has the say of a hundred amounts of 1; under the gamma loss of one.

pulls = {name: read(loss, "slope", np.log([10, 0.1]), target=1.0) for name, loss in losses.items()}
says = {name: float(read(loss, "curvature", np.log([100]), target=100.0)[0]) for name, loss in losses.items()}
for name, (high, low) in pulls.items():
    print(f"{name:17} ten times too high: {high:5.2f}   too low: {low:5.2f}   weight of 100: {says[name]:5.1f}")

told = ", ".join(f"{name} {high:.1f} and {low:.1f}" for name, (high, low) in pulls.items())
describe(
    figure,
    "Value, slope and curvature of three losses against the predicted mean over the amount, from 0.1 to 10. "
    f"The slopes at 10 and at 0.1 are: {told}.",
)
assert np.isclose(pulls["Poisson"][0], -pulls["gamma"][1])
assert np.isclose(*np.abs(pulls["Tweedie, p = 1.5"]))
assert pulls["Poisson"][0] > 3 * pulls["Tweedie, p = 1.5"][0] > 9 * pulls["gamma"][0]
