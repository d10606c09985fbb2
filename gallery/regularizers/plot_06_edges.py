"""
Total variation takes the noise and keeps the edges that a moving average blurs
===============================================================================

A signal that stands still, jumps, and stands still again is measured with noise. A moving average of 25 numbers and the
proximal map of the total variation make about the same calm of it. But at an edge the average mixes both sides; the
total variation makes neighbours equal, and what it leaves is steps.
"""

import numpy as np

import lossref
from lossref.plotting import INK, describe, name_lines, panels

signal = np.repeat([0.0, 3.0, 1.0, 2.0], [120, 80, 150, 50])
noisy = signal + 0.4 * np.random.default_rng(7).standard_normal(signal.size)
calm = lossref.TotalVariation(lam=2.5).prox(noisy, 1.0)
average = np.convolve(np.pad(noisy, 12, mode="edge"), np.ones(25) / 25, mode="valid")

places = np.flatnonzero(np.diff(signal)) + 1
near_edges = np.abs(np.arange(signal.size)[:, None] - places).min(axis=1) <= 6
loss = lossref.MSE()
errors = {
    name: (np.sqrt(loss(found[near_edges], signal[near_edges])), np.sqrt(loss(found, signal)))
    for name, found in (("total variation", calm), ("moving average", average))
}
figure, axes = panels(2, sharey=True)
for panel, (name, found) in zip(axes, (("moving average", average), ("total variation", calm)), strict=True):
    panel.plot(noisy, ".", color="#8a8a8a", alpha=0.5, markersize=2, label="_measured")
    panel.plot(signal, color="#8a8a8a", linewidth=1.0, label="truth")
    panel.plot(found, color=INK, linewidth=1.8, label=name)
    panel.set(title=f"{name}: {errors[name][0]:.2f} from the truth at edges", xlabel="place (1)")
    name_lines(panel)
axes[0].set_ylabel("signal (1)")
steps = int(np.count_nonzero(np.diff(calm)))
print(f"root mean squared errors at edges: {errors['total variation'][0]:.2f} and {errors['moving average'][0]:.2f}")
print(f"the total variation leaves {steps} steps between {noisy.size} numbers")
describe(
    figure,
    f"A noisy signal with three edges, smoothed twice. Within six places of an edge the moving average is off by "
    f"{errors['moving average'][0]:.2f}, the proximal map of total variation by {errors['total variation'][0]:.2f}; it "
    f"leaves {steps} steps between {noisy.size} numbers.",
)
assert errors["total variation"][0] < errors["moving average"][0] / 2
assert errors["total variation"][1] < errors["moving average"][1]
