"""
If too little costs nine times as much as too much, the best prediction exceeds nine targets in ten
====================================================================================================

Two relatives of absolute error. The quantile loss has two prices: q for a unit too little, 1 − q for a unit too much,
and the best constant moves from the median to the q-quantile. The epsilon-insensitive loss has a tolerance: what lies
within ±ε costs nothing and pulls nowhere.
"""

import numpy as np

import lossref
from lossref.plotting import INK, curve, describe, name_lines, panels, series

waits = np.random.default_rng(1978).exponential(10.0, 400)  # minutes, skewed as waiting times are
guesses = np.linspace(0, 40, 801)

figure, (panel,) = panels()
best = {}
for index, q in enumerate([0.1, 0.5, 0.9]):
    loss = lossref.Quantile(q=q)
    costs = np.array([loss(np.full_like(waits, guess), waits) for guess in guesses])
    best[q] = guesses[costs.argmin()]
    panel.plot(guesses, costs, label=f"q = {q:g}", **series(index))
    panel.plot(best[q], costs.min(), "o", color=INK)
panel.set(xlabel="the constant predicted (min)", ylabel="mean quantile loss (min)", xlim=(0, 40), ylim=(0, 10))
name_lines(panel)

# %%
# The share of the waiting times that each best constant exceeds, and the two losses' slopes.

shares = {q: float(np.mean(waits < guess)) for q, guess in best.items()}
for q, share in shares.items():
    print(f"q = {q:.1f}: predict {best[q]:5.2f} minutes, and {share:.0%} wait less")

some = [lossref.Quantile(q=0.9), *(lossref.EpsilonInsensitive(epsilon=epsilon) for epsilon in (1.0, 2.0))]
slopes = curve(some, show=("value", "slope"), labels=["quantile, q = 0.9", "ε = 1", "ε = 2"])
for panel, top, title in zip(slopes.axes, (4, 1.2), ("Value", "Slope"), strict=True):
    panel.set(xlim=(-4, 4), ylim=(-top * (title == "Slope"), top), title=title)
    name_lines(panel)

describe(
    figure,
    "Line chart of the mean quantile loss of 400 waiting times against the constant predicted, from 0 to 40 minutes. "
    f"With q = 0.1 it is lowest at {best[0.1]:.1f}, with 0.5 at {best[0.5]:.1f}, with 0.9 at {best[0.9]:.1f} minutes.",
)
describe(
    slopes,
    "Values and slopes against the residual from -4 to 4: the slope of the quantile loss with q = 0.9 jumps at zero "
    "from -0.9 to 0.1; that of the epsilon-insensitive loss is -1, then 0 between -ε and ε, then 1, for ε = 1 and 2.",
)
assert all(abs(shares[q] - q) < 0.01 for q in shares)
