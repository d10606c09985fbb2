"""
A warm-up from zero gives away its first step
=============================================

Step by step through the junction: the rate climbs on a straight line, reaches the peak exactly at the end of the
warm-up, and hands over without a jump. If the climb starts at 0, the first update of the training does nothing at all.
"""

import numpy as np

import lossref
from lossref.plotting import INK, describe, panels, series

warm, steps = 5, 20
rate = lossref.Cosine(peak=1.0, steps=steps - warm)
ways = {"start at 0": rate.with_warmup(warm), "start at 0.2": rate.with_warmup(warm, start=0.2)}

figure, (panel,) = panels()
t = np.arange(steps + 1)
for index, (name, schedule) in enumerate(ways.items()):
    panel.plot(t, schedule(t), label=name, **{**series(index, marked=True), "linewidth": 1.2})
panel.axvline(warm, color=INK, linewidth=0.8)
panel.annotate("end of the warm-up", (warm, 0.05), (6, 0), textcoords="offset points")
panel.set(xlabel="step t (updates)", ylabel="learning rate (1)", xlim=(-0.3, 20.3), ylim=(-0.03, 1.08), xticks=t[::5])
panel.legend(frameon=False, loc="upper right")

# %%
# The rates of the first updates, and what a training that starts at 0 does with its first one:

for name, schedule in ways.items():
    print(f"{name:13} {np.round(schedule(t[:8]), 3)}")
w = np.ones(3)
optimizer = lossref.SGD(lr=ways["start at 0"])
optimizer.step(w, np.full(3, 100.0), optimizer.init(w))
print("weights after the first update:", w)

describe(
    figure,
    "Learning rate of each of 20 updates, with 5 updates of warm-up from 0 or from 0.2. Both reach the peak of "
    f"{ways['start at 0'](warm):.0f} at step {warm} and then follow the same cosine; the first starts at "
    f"{ways['start at 0'](0):.0f}.",
)
assert (w == 1).all()
assert all(schedule(warm) == 1.0 for schedule in ways.values())
