"""
RAdam's steps are as even from the tenth on as Adam's after four hundred
========================================================================

Twenty thousand parameters with gradients of pure normal noise. Each step is the gradient times some factor, and the
factor should be the same for all. Adam takes it from a mean square of few gradients at first: here and there they were
all small, and the step is huge. RAdam multiplies by what makes the spread of the factor the one of the long run. A
linear warm-up of :math:`2 / (1 - \\beta_2)` steps, here 200, keeps it down as well: what had been found by trial, RAdam
derives.
"""

import numpy as np

import lossref
from lossref.plotting import describe, name_lines, panels, series

steps, parameters, beta2 = 500, 20_000, 0.99
long = int(2 / (1 - beta2) + 0.5)
kinds = {
    "Adam": lossref.Adam(lr=1.0, beta1=0.0, beta2=beta2),
    "linear warm-up": lossref.Adam(lr=1.0, beta1=0.0, beta2=beta2),
    "RAdam": lossref.RAdam(lr=1.0, beta1=0.0, beta2=beta2),
}

# %%
# Without memory of the mean, ``beta1=0``, the step divided by the gradient is the factor.

mean, spread = {}, {}
for name, optimizer in kinds.items():
    rng = np.random.default_rng(0)
    theta = np.zeros(parameters)
    state, factors = optimizer.init(theta), []
    for t in range(1, steps + 1):
        grad, before = rng.normal(size=parameters), theta.copy()
        optimizer.step(theta, grad, state)
        factor = (before - theta) / grad * (min(1, t / long) if name == "linear warm-up" else 1)
        factors.append([factor.mean(), factor.std()])
    mean[name], spread[name] = np.array(factors).T

figure, axes = panels(2)
t = np.arange(1, steps + 1)
for index, name in enumerate(kinds):
    divided = t > 5 if name == "RAdam" else t > 0  # the first five steps of RAdam are not divided at all
    for panel, values in zip(axes, (mean, spread), strict=True):
        panel.plot(t[divided], values[name][divided], label=name, **series(index))
axes[0].set(xlabel="step (updates)", ylabel="mean factor (1)", ylim=(0, 1.5), xlim=(0, steps))
axes[1].set(xlabel="step (updates)", ylabel="its standard deviation (1)", xscale="log", yscale="log")
axes[1].set(ylim=(0.005, 10))
for panel in axes:
    name_lines(panel)

for name in kinds:
    print(f"{name:14} spread {', '.join(f'{spread[name][step - 1]:.3f} at {step}' for step in (6, 10, 100, 400))}")
describe(
    figure,
    "Mean and standard deviation of the factor of the gradient over 500 updates. Adam's deviation falls from "
    f"{spread['Adam'][9]:.2f} at step 10 to {spread['Adam'][399]:.3f} at step 400; RAdam's is {spread['RAdam'][9]:.3f} "
    f"at step 10 already, while its mean rises from {mean['RAdam'][9]:.2f} to {mean['RAdam'][199]:.2f} at step 200.",
)
assert abs(spread["RAdam"][9:] - spread["Adam"][399]).max() < 0.01 < 0.2 < spread["Adam"][9]
