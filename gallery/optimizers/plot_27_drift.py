"""
In faint signals a sign goes four fifths as far as Adam, and Lion, which averages first, nearly seven times as far
==================================================================================================================

Gradients of normal noise with a signal in it, a hundredth of the noise to three times it. How far does a rule go per
step, in units of its rate? Adam divides signal by size. A sign is right with a known probability. Lion takes it of a
mean, in which there is less noise. AdaBelief divides by the noise alone. Lines are predictions, marks are measured.
"""

from math import erf

import numpy as np

import lossref
from lossref.plotting import MARKERS, PALETTE, describe, name_lines, panels, series

kinds = {
    "Lion": lossref.Lion(lr=1.0),
    "Adam": lossref.Adam(lr=1.0, beta2=0.99),
    "SignSGD": lossref.SignSGD(lr=1.0),
    "AdaBelief": lossref.AdaBelief(lr=1.0, beta2=0.99),
}
lion, wrong = 0.9**2 * 0.01 / 1.99 + 0.1**2, 0.9**2 * (1 + 0.1 / 1.9)  # variances, in units of the noise's
told = {
    "Lion": lambda s: erf(s / (2 * lion) ** 0.5),
    "Adam": lambda s: s / (1 + s * s) ** 0.5,
    "SignSGD": lambda s: erf(s / 2**0.5),
    "AdaBelief": lambda s: s / wrong**0.5,
}
ratios, fine = np.geomspace(0.01, 3, 8), np.geomspace(0.01, 3, 100)


def drift(optimizer, samples=2000, steps=500, late=300):
    """Let parameters walk, as many under each ratio; return their mean step at the end."""
    rng, theta = np.random.default_rng(0), np.zeros((len(ratios), samples))
    state = optimizer.init(theta)
    for step in range(steps):
        if step == late:
            before = theta.copy()
        optimizer.step(theta, -ratios[:, None] - rng.normal(size=samples), state)
    return (theta - before).mean(axis=1) / (steps - late)


(figure, (panel,)), measured = panels(height=4.2), {}
for index, (name, optimizer) in enumerate(kinds.items()):
    measured[name] = drift(optimizer)
    panel.plot(ratios, measured[name], color=PALETTE[index], marker=MARKERS[index], linestyle="none")
    panel.plot(fine, [told[name](s) for s in fine], label=name, **series(index))
    print(f"{name:9}", *(f"{found:.3f}" for found in measured[name]))
panel.set(xscale="log", yscale="log", xlabel="signal over noise (1, logarithmic)")
panel.set(ylabel="mean step (learning rates, logarithmic)", ylim=(0.005, 4))
name_lines(panel)
first = {name: found[2] / measured["Adam"][2] for name, found in measured.items()}
describe(
    figure,
    "Mean step over the rate against the ratio of signal to noise, predicted and measured. At a ratio of 0.05 SignSGD "
    f"goes {first['SignSGD']:.2f}, AdaBelief {first['AdaBelief']:.2f}, Lion {first['Lion']:.1f} times as far as Adam.",
)
assert all(np.allclose(measured[name], [told[name](s) for s in ratios], rtol=0.15, atol=0.003) for name in kinds)
assert 0.7 < first["SignSGD"] < 0.9 < 5.5 < first["Lion"] < 7
