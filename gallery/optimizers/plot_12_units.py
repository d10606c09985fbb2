"""
AdaDelta has no learning rate, but its ε has a unit: in millimetres a metre takes 180 times the steps
=====================================================================================================

One metre down an even slope, told in metres, in millimetres, and in between. Adam's rate is a number of units per step,
so a thousand times as many units take a thousand times the steps. AdaDelta makes each step from those before. But the
first has none before it: it is made of ε, and what lets the mean square grow at each step is ε again. In the long run
the way grows like :math:`\\sqrt{\\epsilon} \\, t^{3/2}`. Only if ε follows, as the square of the unit, nothing changes.
"""

import numpy as np

import lossref
from lossref.plotting import describe, name_lines, panels, series

units = np.array([1, 3, 10, 30, 100, 300, 1000])  # to the metre
kinds = {
    "Adam": lambda units: lossref.Adam(lr=0.1),
    "AdaDelta": lambda units: lossref.AdaDelta(),
    "AdaDelta, ε by the unit": lambda units: lossref.AdaDelta(eps=1e-6 * units**2),
}


def needed(optimizer, units):
    """Count the steps until a metre is behind; the slope is 1000 per metre."""
    theta, slope = np.zeros(1), np.array([-1e6 / units])
    state = optimizer.init(theta)
    steps = 0
    while theta[0] < units:
        optimizer.step(theta, slope, state)
        steps += 1
    return steps


counts = {name: [needed(make(count), count) for count in units] for name, make in kinds.items()}

figure, (panel,) = panels(height=4)
for index, (name, found) in enumerate(counts.items()):
    panel.plot(units, found, label=name, **series(index, marked=True))
panel.set(xscale="log", yscale="log", xlabel="units in a metre (1)", ylabel="steps for one metre (updates)")
name_lines(panel)

for name, found in counts.items():
    print(f"{name:24} {found[0]:5} steps in metres, {found[-1]:5} in millimetres")
describe(
    figure,
    "Steps for one metre against the number of units in it, from 1 to 1000. "
    + ", ".join(f"{name} goes from {found[0]} to {found[-1]}" for name, found in counts.items())
    + ".",
)
times = {name: found[-1] / found[0] for name, found in counts.items()}
assert 170 < times["AdaDelta"] < 190 < 900 < times["Adam"]
assert times["AdaDelta, ε by the unit"] == 1
