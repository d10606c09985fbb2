"""
With Adam, an L2 penalty hardly touches the weights whose gradients are large
=============================================================================

Two groups of weights start at 1. Their gradients are pure noise, a hundred times larger in one group than in the other,
so nothing but the regularization should matter. AdamW shrinks both groups alike. Adam with the penalty in its gradient
divides the penalty, too, by the size of the gradients, and the loud group feels next to nothing of it.
"""

import numpy as np

import lossref
from lossref.plotting import describe, name_lines, panels, series

steps, lr, decay = 2000, 1e-3, 0.5
scale = np.repeat([0.1, 10.0], 500)
kinds = {
    "Adam + L2": lossref.Adam(lr=lr, weight_decay=decay),
    "AdamW": lossref.AdamW(lr=lr, weight_decay=decay),
}

figure, axes = panels(2, sharey=True)
ends = {}
for panel, (name, optimizer) in zip(axes, kinds.items(), strict=True):
    rng = np.random.default_rng(0)
    w = np.ones(1000)
    state = optimizer.init(w)
    medians = []
    for _ in range(steps):
        optimizer.step(w, scale * rng.normal(size=1000), state)
        medians.append([np.median(w[:500]), np.median(w[500:])])
    ends[name] = medians[-1]
    for index, label in enumerate(["gradients of 0.1", "gradients of 10"]):
        panel.plot(np.array(medians)[:, index], label=label, **series(index))
    panel.set(xlabel="step (updates)", xlim=(0, steps), ylim=(-0.05, 1.05), title=name)
    name_lines(panel)
axes[0].set_ylabel("median weight (1)")

for name, (quiet, loud) in ends.items():
    print(f"{name:10} quiet group {quiet:.3f}   loud group {loud:.3f}")
print(f"decay alone: {(1 - lr * decay) ** steps:.3f}")

describe(
    figure,
    "Median weight against 2000 updates, from 1, for small and large gradients. Under Adam with L2 the groups end at "
    f"{ends['Adam + L2'][0]:.2f} and {ends['Adam + L2'][1]:.2f}, under AdamW at {ends['AdamW'][0]:.2f} and "
    f"{ends['AdamW'][1]:.2f}.",
)
assert abs(ends["AdamW"][0] - ends["AdamW"][1]) < 0.02
assert ends["Adam + L2"][1] - ends["Adam + L2"][0] > 0.5
