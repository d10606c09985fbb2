"""
When the rate falls to a tenth, one family brakes at once and the other rolls on
================================================================================

A ball on a slope of 1, momentum 0.9. After 40 steps the rate goes from 1 to a tenth. With the rate outside the velocity
(PyTorch) the very next step is a tenth as long. With the rate inside (Keras) the old velocity has to fade by itself,
and covers three times the way in the next 40 steps. Until the rate changed, the two were one.
"""

import numpy as np

import lossref
from lossref.plotting import describe, name_lines, panels, series

drop, steps = 40, 80
rate = lossref.StepDecay(initial=1.0, factor=0.1, every=drop)
kinds = {"outside": lossref.SGD(lr=rate, momentum=0.9)}
kinds["inside"] = lossref.SGD(lr=rate, momentum=0.9, lr_in_velocity=True)

figure, axes = panels(2)
steps_taken, behind = {}, {}
for index, (name, optimizer) in enumerate(kinds.items()):
    theta, points = np.zeros(1), [0.0]
    state = optimizer.init(theta)
    for _ in range(steps):
        optimizer.step(theta, np.ones(1), state)
        points.append(-theta[0])
    steps_taken[name] = np.diff(points)
    behind[name] = points[-1] - points[drop]
    axes[0].plot(np.arange(1, steps + 1), steps_taken[name], label=name, **series(index))
    axes[1].plot(np.arange(steps + 1), points, label=name, **series(index))
    print(f"{name:8} step {drop}: {steps_taken[name][drop - 1]:.2f}, step {drop + 1}: {steps_taken[name][drop]:.2f}")
axes[0].set(xlabel="step (updates)", ylabel="length of the step", xlim=(1, steps), ylim=(0, 11))
axes[1].set(xlabel="step (updates)", ylabel="way down the slope", xlim=(0, steps), ylim=(0, 450))
for panel in axes:
    name_lines(panel)
told = " and ".join(f"{behind[name]:.0f} with the rate {name}" for name in kinds)
describe(
    figure,
    "Length of each step, and the way covered, against the updates; the rate falls from 1 to 0.1 after 40. The two "
    f"families are equal up to there. The way after it is {told}.",
)
assert np.allclose(*(taken[:drop] for taken in steps_taken.values()))
assert steps_taken["inside"][drop] > 9 * steps_taken["outside"][drop]
assert 2.8 < behind["inside"] / behind["outside"] < 3.2
