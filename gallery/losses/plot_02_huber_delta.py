"""
At δ = 1 the lecture's five errors cost 5.1; to get 19.3, δ must be 5
=====================================================================

δ decides which residuals are outliers. Between "all of them" (δ → 0, a scaled absolute error) and "none" (δ beyond the
largest, half the squared error) the same five errors, 2, 2, 1, 3 and −20, cost anything from 0 to 41.8.
"""

import numpy as np

import lossref
from lossref.plotting import INK, curve, describe, name_lines, panels, series

errors, right = [2, 2, 1, 3, -20], [0, 0, 0, 0, 0]
deltas = np.linspace(0.05, 24, 480)
costs = [lossref.Huber(delta=delta)(errors, right) for delta in deltas]
half_mse = lossref.MSE()(errors, right) / 2

figure, (panel,) = panels()
panel.plot(deltas, costs, label="Huber", **series(0))
panel.plot(deltas, np.full_like(deltas, half_mse), label="½ MSE", **series(1))
for delta in (1, 5):
    cost = lossref.Huber(delta=delta)(errors, right)
    panel.plot(delta, cost, "o", color=INK)
    panel.annotate(f"δ = {delta}: {cost:.1f}", (delta, cost), (8, -9), textcoords="offset points")
panel.set(xlabel="δ (unit of the target)", ylabel="mean Huber loss (unit²)", xlim=(0, 24), ylim=(0, 46))
name_lines(panel)

# %%
# The slope is the residual clipped to ±δ: what lies outside pulls with force δ, however far out it is.

slopes = curve([lossref.Huber(delta=d) for d in (0.5, 1, 2)], show=["slope"], labels=["δ = 0.5", "δ = 1", "δ = 2"])
slopes.axes[0].set(ylabel="slope (unit)", xlim=(-4, 4), ylim=(-2.4, 2.4))
name_lines(slopes.axes[0])

one, five = (lossref.Huber(delta=delta)(errors, right) for delta in (1, 5))
describe(
    figure,
    f"Line chart of the mean Huber loss of the errors 2, 2, 1, 3, -20 against delta from 0 to 24: it is {one:.1f} at "
    f"delta 1 and {five:.1f} at delta 5, and reaches half the mean squared error, {half_mse:.1f}, at delta 20.",
)
describe(
    slopes,
    "Line chart of the slope of Huber's loss against the residual from -4 to 4 for delta 0.5, 1 and 2: a straight line "
    "through zero that turns flat at plus and minus delta.",
)
assert round(one, 1) == 5.1
assert round(five, 1) == 19.3
assert lossref.Huber(delta=20)(errors, right) == half_mse
