"""
Halving a step cannot make a short one longer; the Wolfe search goes on to where the line is flat
=================================================================================================

A line through Himmelblau's surface, searched from the left. Armijo's condition wants the value below a line that falls
a little; backtracking halves its first step until that holds, and takes a short one as it is. The strong Wolfe
conditions want the line to have become flatter, too, so that search goes outward, brackets the hollow and closes in.
The numbers tell in which order steps were tried; the last one was taken.
"""

import numpy as np

from lossref.landscapes import Himmelblau
from lossref.plotting import PALETTE, describe, panels
from lossref.training import backtracking, strong_wolfe

surface = Himmelblau()
x, d, end = np.array([0.0, -0.7]), np.array([1.0, 0.9]), 5.2
searches = {
    "backtracking": lambda first: backtracking(surface.value_and_grad, x, d, step=first),
    "strong Wolfe": lambda first: strong_wolfe(surface.value_and_grad, x, d, step=first),
}
steps = np.linspace(0, end, 400)
heights = surface(x[:, None] + steps * d[:, None])
lowest = steps[np.argmin(heights)]

figure, axes = panels(2, height=4.2, sharey=True)
found = {}
for panel, (first, title) in zip(axes, ((0.2, "first step too short"), (5.0, "first step too long")), strict=True):
    panel.plot(steps, heights, color="#8a8a8a")
    for index, (name, search) in enumerate(searches.items()):
        found[name, first] = result = search(first)
        tried = np.array([(trial.step, trial.value) for trial in result.trace[1:]])
        row, colour = 340 - 85 * index, PALETTE[index]
        panel.plot(*tried.T, "os"[index], color=colour, markersize=8 - 3 * index)
        for number, (step, _) in enumerate(tried, 1):
            weight = "bold" if number == len(tried) else "normal"
            panel.annotate(str(number), (step, row), ha="center", color=colour, weight=weight)
        panel.annotate(name, (1.7, row + 28), ha="center", color=colour)
        print(f"{title}: {name} takes step {result.step:.3f}, the lowest is at {lowest:.2f}; {result.nfev} evaluations")
    panel.set(title=title, xlabel="step t (1)", ylim=(-15, 400), xlim=(-0.1, end + 0.1))
axes[0].set_ylabel("height (1)")
short = [found[name, 0.2] for name in searches]
describe(
    figure,
    "Height along a line against the step, with every step that two searches tried. From a first step of 0.2 "
    f"backtracking stays at {short[0].step:.2f}, the Wolfe search goes to {short[1].step:.2f}, near the lowest point "
    f"at {lowest:.2f}, with {short[1].nfev} evaluations.",
)
assert short[0].step == 0.2
assert all(abs(found["strong Wolfe", first].step - lowest) < 0.1 * lowest for first in (0.2, 5.0))
