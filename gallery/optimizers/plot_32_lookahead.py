"""
Five steps forward and one back move the wall of stability from 2 to 2.25
=========================================================================

Descent at a rate times curvature of more than 2 overshoots by more than it came from. Lookahead goes half of the way
back after every five steps: of a factor c = (1 − ηh)⁵ over five steps it makes (1 + c) / 2, which does not explode
until c is below −3. Lines are these factors, markers are runs. At small rates the price is seen: half of the way is
lost.
"""

import numpy as np

import lossref
from lossref.plotting import INK, MARKERS, PALETTE, describe, name_lines, panels, series

plain, ahead = lossref.SGD(lr=1.0), lossref.Lookahead(lossref.SGD(lr=1.0), k=5, alpha=0.5)
names, wall = ("descent", "Lookahead"), 1 + 3 ** (1 / 5)


def sizes(optimizer, h, steps=60):
    """Run it down a parabola of curvature h, and return the distances after every five steps."""
    theta, found = np.ones(1), [1.0]
    state = optimizer.init(theta)
    for step in range(1, steps + 1):
        optimizer.step(theta, h * theta, state)
        if step % 5 == 0:
            found.append(abs(theta[0]))
    return np.array(found)


def predicted(name, h):
    five = (1 - h) ** 5
    return np.abs(five if name == "descent" else (1 + five) / 2)


figure, (left, right) = panels(2, height=3.8)
curvatures, tried = np.linspace(0.02, 2.35, 300), np.array([0.1, 0.4, 1.7, 1.9, 2.05, 2.15, 2.3])
for index, (name, optimizer) in enumerate(zip(names, (plain, ahead), strict=True)):
    left.plot(curvatures, predicted(name, curvatures), label=name, **series(index))
    measured = [sizes(optimizer, h)[1] for h in tried]
    left.plot(tried, measured, MARKERS[index], color=PALETTE[index])
    assert np.allclose(measured, predicted(name, tried), rtol=1e-9)
    right.plot(5 * np.arange(13), sizes(optimizer, 2.1), label=name, **series(index))
left.axhline(1, color=INK, linewidth=0.8)
left.set(xlabel="rate × curvature (1)", ylabel="factor of five steps (1)", xlim=(0, 2.35), ylim=(0, 2.5))
right.set(xlabel="step (updates)", ylabel="distance (logarithmic)", yscale="log", xlim=(0, 60))
name_lines(right)
ends = {name: sizes(optimizer, 2.1)[-1] for name, optimizer in zip(names, (plain, ahead), strict=True)}
told = ", ".join(f"{name} {end:.2g}" for name, end in ends.items())
print(f"walls at 2 and {wall:.4f}; after 60 steps at 2.1: {told}")
describe(
    figure,
    f"Left, the factor of five steps against rate times curvature: descent passes 1 at 2, Lookahead at {wall:.2f}. "
    f"Right, the distance over 60 steps at 2.1: {told}.",
)
assert sizes(ahead, wall - 0.01)[-1] < 1 < sizes(ahead, wall + 0.01)[-1]
assert ends["descent"] > 100 > 1 > ends["Lookahead"]
