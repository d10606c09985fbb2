"""
Conjugate gradients are done after as many steps as there are dimensions, whatever the condition
================================================================================================

Quadratics in eight dimensions, with line searches so sharp that they find the minimum along their line. Each direction
keeps as much of the last one as not to undo its work, so that after eight steps nothing is left to do but what
rounding has left, which grows with the condition number. Momentum, at its best rate and share for the condition, loses
a constant part of the error at each step.
"""

import numpy as np

import lossref
from lossref.plotting import describe, name_lines, panels, series

n, steps = 8, 10
exact = lossref.ConjugateGradient(c1=1e-12, c2=1e-10)
turn = np.linalg.qr(np.random.default_rng(0).normal(size=(n, n)))[0]
figure, axes = panels(2, sharey=True, height=4)
left = {}
for panel, condition in zip(axes, (10.0, 1000.0), strict=True):
    matrix = turn @ np.diag(np.geomspace(1, condition, n)) @ turn.T
    root = condition**0.5  # Polyak's rate and share
    momentum = lossref.SGD(lr=4 / (root + 1) ** 2, momentum=((root - 1) / (root + 1)) ** 2)
    for index, (name, method) in enumerate({"conjugate gradients": exact, "momentum": momentum}.items()):

        def quadratic(x, matrix=matrix):
            return x @ matrix @ x / 2, matrix @ x

        found = lossref.minimize(quadratic, turn.sum(axis=1), method=method, tol=0.0, max_steps=steps)
        share = found.history.gradients / found.history.gradients[0]
        panel.plot(np.arange(len(share)), share, label=name, **series(index))
        left[name, condition] = share[n]
        print(f"condition {condition:5g}, {name:19}: after {n} steps {share[n]:.0e} of the gradient is left")
    panel.axvline(n, color="#8a8a8a", linewidth=1)
    panel.set(
        title=f"condition {condition:g}",
        xlabel="step",
        xticks=range(0, 11, 2),
        yscale="log",
        ylim=(1e-19, 100),
        xlim=(0, steps),
    )
    name_lines(panel)
axes[0].set_ylabel("gradient, as a share of the first (1)")
told = "; ".join(f"{name}, condition {condition:g}: {share:.0e}" for (name, condition), share in left.items())
describe(figure, f"The gradient against the step for two condition numbers. After {n} steps is left, {told}.")
assert all(left["conjugate gradients", condition] < 1e-5 for condition in (10.0, 1000.0))
assert all(left["momentum", condition] > 1e-2 for condition in (10.0, 1000.0))
