"""
The quieter the gradient, the faster AdaBelief goes; Adam never exceeds its rate
================================================================================

A gradient of 1 under noise, from a hundredth of it to ten times it. Adam and NAdam divide by the root of the mean
square, in which the signal stands beside the noise: their steps shrink when noise drowns the signal, but silence adds
nothing. AdaBelief divides by the deviation from what it expected, which is noise alone. In noise the two are the same
to a tenth; a valley floor whose gradient hardly changes is where they part.
"""

import numpy as np

import lossref
from lossref.plotting import describe, name_lines, panels, series

rate, settling, measured, parameters = 1e-3, 1500, 500, 300
noises = np.geomspace(0.01, 10, 10)
kinds = {
    "Adam": lossref.Adam(lr=rate, beta2=0.99),
    "NAdam": lossref.NAdam(lr=rate, beta2=0.99),
    "AdaBelief": lossref.AdaBelief(lr=rate, beta2=0.99),
}


def speed(optimizer, noise):
    """Return the mean step over many parameters, in units of the rate, after the start is forgotten."""
    rng = np.random.default_rng(0)
    theta = np.zeros(parameters)
    state = optimizer.init(theta)
    for step in range(settling + measured):
        if step == settling:
            before = theta.mean()
        optimizer.step(theta, 1 + noise * rng.normal(size=parameters), state)
    return (before - theta.mean()) / measured / rate


speeds = {name: np.array([speed(optimizer, noise) for noise in noises]) for name, optimizer in kinds.items()}

figure, (panel,) = panels(height=4)
for index, (name, found) in enumerate(speeds.items()):
    panel.plot(noises, found, label=name, **series(index, marked=True))
panel.set(xscale="log", yscale="log", xlabel="noise of the gradient over its mean (1)")
panel.set_ylabel("mean step over the learning rate (1)")
name_lines(panel)

for name, found in speeds.items():
    print(f"{name:10} {found[0]:6.2f} in the least noise, {found[-1]:.3f} in the most")
describe(
    figure,
    "Mean step over the rate against noise from 0.01 to 10 of the gradient's mean. "
    + ", ".join(f"{name} goes from {found[0]:.2f} to {found[-1]:.2f}" for name, found in speeds.items())
    + ".",
)
assert max(*speeds["Adam"], *speeds["NAdam"]) < 1.01 < 30 < speeds["AdaBelief"][0]
assert 1 < speeds["AdaBelief"][-1] / speeds["Adam"][-1] < 1.2
