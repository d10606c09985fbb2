"""
A pair that is alike and points in opposite directions hardly feels it: the pull is the sine of the angle
=========================================================================================================

The cosine loss looks at the angle of two vectors alone. A pair that is alike pays 1 − cos, one that is not alike pays
for what the cosine exceeds the margin by. So the pull is strongest at a right angle and nothing at 180 degrees, where a
pair that is alike is as wrong as can be. It is also divided by the length of the vector, which the same move turns the
less the longer it is: twice as long is four times as slow.
"""

import numpy as np

import lossref
from lossref.plotting import describe, name_lines, panels, trace

angles, cases = np.linspace(0, np.pi, 721), {"alike": (1, 0), "unlike, m = 0": (-1, 0), "unlike, m = 0.5": (-1, 0.5)}


def pair(loss, label, angles, length=1.0):
    """Values, and the pulls that make the angle larger, for a vector of some length beside one along the first axis."""
    directions = np.column_stack([np.cos(angles), np.sin(angles)])
    across = np.column_stack([-np.sin(angles), np.cos(angles)])
    arrays = length * directions, np.eye(2)[np.zeros(len(angles), int)], np.full(len(angles), label)
    return loss.values(*arrays), -(loss.grad(*arrays)[0] * across).sum(axis=1)


figure, (value, pull) = panels(2)
for index, (name, (label, margin)) in enumerate(cases.items()):
    values, pulls = pair(lossref.CosineEmbedding(margin=margin, reduction="sum"), label, angles)
    trace(value, np.degrees(angles), values, index, name)
    trace(pull, np.degrees(angles), pulls, index, name)
value.set(ylabel="loss", ylim=(0, 2.1), title="Value")
pull.set(ylabel="pull: apart above 0, together below", ylim=(-1.1, 1.1), title="Pull")
for panel in figure.axes:
    panel.set(xlabel="angle (degrees)", xlim=(0, 180), xticks=range(0, 181, 45))
    name_lines(panel)

# %%
# The same descent, with steps of 0.1, from several angles, until the pair is within one degree.

loss, needed = lossref.CosineEmbedding(reduction="sum"), {}
for start, length in ((90, 1), (170, 1), (179.9, 1), (90, 2)):
    angle, steps = np.radians([start]), 0
    while angle[0] > np.radians(1):
        angle, steps = angle + 0.1 * pair(loss, 1, angle, length)[1] / length, steps + 1
    needed[start, length] = steps
    print(f"from {start:5} degrees, length {length}: {steps} steps")
at = {angle: abs(pair(loss, 1, np.radians([angle]))[1][0]) for angle in (90, 179)}
describe(
    figure,
    "Loss and pull of a pair against its angle from 0 to 180 degrees: alike; unlike with margin 0, which lets go at "
    f"90; unlike with margin 0.5, which does at 60. The pull on a pair that is alike is {at[90]:.0f} at 90 degrees and "
    f"{at[179]:.3f} at 179.",
)
assert at[179] < 0.02 < 1 == round(at[90], 12)
assert needed[179.9, 1] > 2 * needed[90, 1]
assert 3.9 < needed[90, 2] / needed[90, 1] < 4.1
