"""
Three ways down: in jumps, by equal shares, or slow, fast, slow
===============================================================

A step schedule waits, and then divides the rate by ten. An exponential loses the same share at every step. A cosine
starts flat and ends flat: it falls fastest in the middle, and not, as one reads, at the start.
"""

import numpy as np

import lossref
from lossref.plotting import describe, name_lines, ramp

epochs = 90
schedules = {
    "step": lossref.StepDecay(initial=1.0, factor=0.1, every=30),
    "exponential": lossref.Exponential(initial=1.0, rate=0.95),
    "cosine": lossref.Cosine(peak=1.0, steps=epochs),
    "cosine, warm-up of 10": lossref.Cosine(peak=1.0, steps=epochs - 10).with_warmup(10),
}
figure = ramp(list(schedules.values()), steps=epochs, labels=list(schedules), unit="epochs")
figure.axes[0].set(ylim=(-0.02, 1.05))
name_lines(figure.axes[0])

# %%
# The same on a logarithmic axis, where equal heights are equal factors: now the exponential is the straight one.

three = list(schedules)[:3]
logarithmic = ramp([schedules[name] for name in three], steps=epochs, labels=three, unit="epochs", logarithmic=True)
logarithmic.axes[0].set(ylim=(5e-4, 1.5))
name_lines(logarithmic.axes[0])

# %%
# How far a schedule lets the parameters travel is the area under it, the sum of its rates.

t = np.arange(epochs)
for name, schedule in schedules.items():
    at = ", ".join(f"{schedule(k):.3g}" for k in (0, 45, 89))
    print(f"{name:22} sum {schedule(t).sum():5.1f}   at 0, 45 and 89: {at}")

fall = -np.diff(schedules["cosine"](np.arange(epochs + 1)))
describe(
    figure,
    "Learning rate over 90 epochs: step decay falls from 1 to 0.1 to 0.01, an exponential falls at once, a cosine is "
    f"flat at both ends and falls fastest at epoch {fall.argmax()}; with warm-up it climbs for 10 epochs first.",
)
describe(
    logarithmic,
    "The same learning rates on a logarithmic axis: the exponential is a straight line down to "
    f"{schedules['exponential'](epochs):.3f}, step decay a staircase, and the cosine plunges at the end.",
)
assert 40 <= fall.argmax() <= 49
assert fall[0] < fall.max() / 20
