"""
Forward KL covers both peaks, reverse KL chooses one
====================================================

A bell must stand for a distribution with two peaks. Which bell is nearest depends on who pays for what. KL of the
target from the bell, the loss of every classifier, charges what the target has and the bell lacks: the bell spreads
over both peaks and the valley between them. With the two exchanged, what the bell invents is charged, and it settles on
the larger peak. To Jensen and Shannon's divergence, which charges both alike, both bells are almost equally near.
"""

import numpy as np

import lossref
from lossref.plotting import INK, describe, name_lines, panels, series

x = np.linspace(-6, 6, 241)
target = 0.65 * np.exp(-((x + 2) ** 2) / (2 * 0.7**2)) / 0.7 + 0.35 * np.exp(-((x - 2) ** 2) / (2 * 0.7**2)) / 0.7
target /= target.sum()

# Every bell of these centers and widths is a row; its logits are a parabola.
centers, widths = (part.ravel() for part in np.meshgrid(np.linspace(-3, 3, 61), np.linspace(0.3, 3, 55)))
logits = -((x - centers[:, np.newaxis]) ** 2) / (2 * widths[:, np.newaxis] ** 2)
bells = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
targets = np.broadcast_to(target, bells.shape)
distances = {
    "forward KL": lossref.KL().values(logits, targets),
    "reverse KL": lossref.KL(from_logits=False).values(np.log(targets), bells),
    "Jensen–Shannon": lossref.JensenShannon().values(bells, targets),
}
nearest = {name: int(np.argmin(distance)) for name, distance in distances.items()}

figure, (curves, panel) = panels(2, gridspec_kw={"width_ratios": [1, 1.6]})
p = np.linspace(0.005, 0.995, 199)  # the shares of two classes, of which the first should have 0.65
coins, wanted = np.column_stack([p, 1 - p]), np.tile([0.65, 0.35], (199, 1))
curves.plot(p, lossref.KL(from_logits=False).values(np.log(coins), wanted), **series(0))
curves.plot(p, lossref.KL(from_logits=False).values(np.log(wanted), coins), **series(1))
curves.plot(p, lossref.JensenShannon().values(coins, wanted), **series(2))
curves.set(xlabel="share of the first class", ylabel="divergence (nats)", xlim=(0, 1), ylim=(0, 1.5), title="Value")
step = x[1] - x[0]
panel.fill_between(x, target / step, color=INK, alpha=0.15, linewidth=0, label="target")
for index, (name, best) in enumerate(nearest.items()):
    panel.plot(x, bells[best] / step, label=name, **series(index))
panel.set(xlabel="x", ylabel="density", xlim=(-6, 6), ylim=(0, 0.65), title="The nearest bell")
name_lines(panel)

# %%
# Center and width of the nearest bell, and how far it stays from the target by each measure, in nats.

for name, best in nearest.items():
    apart = ", ".join(f"{each} {distance[best]:.3f}" for each, distance in distances.items())
    print(f"{name:15} center {centers[best]:5.2f}, width {widths[best]:.2f}: {apart}")

told = "; ".join(f"by {name} centered at {centers[i]:.1f}, of width {widths[i]:.2f}" for name, i in nearest.items())
describe(figure, f"A density with peaks at -2, the larger, and 2, and the nearest bell by three divergences: {told}.")
forward, reverse, both = nearest.values()
assert widths[forward] > 1.9
assert abs(centers[forward] - (0.65 * -2 + 0.35 * 2)) < 0.1
assert abs(centers[reverse] + 2) < 0.15
assert widths[reverse] < widths[both] <= widths[forward]
assert distances["Jensen–Shannon"][reverse] < 1.25 * distances["Jensen–Shannon"][both]
