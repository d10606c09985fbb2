"""
L-BFGS needs a third of the evaluations of momentum at its best, and nobody has to find its rate
================================================================================================

Logistic regression on 569 tumours, all of them at each step, until the loss is within a millionth of the lowest. An
evaluation gives the loss and its gradient, and costs everybody the same; what L-BFGS does beside it is a few products
with the ten steps that it remembers. Descent and momentum have the best of a grid of rates, which took a run each; with
half as much again descent does not arrive. The times are the shortest of five runs.
"""

import time

import numpy as np

import lossref
from lossref.adapters.scipy import Objective
from lossref.datasets import breast_cancer
from lossref.models import Linear
from lossref.plotting import PALETTE, describe, name_lines, panels, series

x, y = breast_cancer()
x, y = (x - x.mean(axis=0)) / x.std(axis=0), y.astype(float)
penalties = {"weights": lossref.L2(lam=1e-4)}
f = Objective(loss=lossref.BinaryCrossEntropy(), model=Linear(inputs=30), x=x, target=y, penalties=penalties)
lowest, gap, limit = lossref.minimize(f, f.start(), tol=1e-9).fun, 1e-6, 900


def run(method):
    """Minimize until the gap is closed; return evaluations, values above the lowest, and times."""
    clock, times = time.perf_counter(), []

    def closed(step):
        times.append(1000 * (time.perf_counter() - clock))
        return step.fun - lowest <= gap

    found = lossref.minimize(f, f.start(), method=method, callback=closed, tol=0.0, max_steps=limit)
    return found.nfev if found.status == "callback" else np.inf, found.history.values - lowest, times


kinds = {
    "L-BFGS": [lossref.LBFGS()],
    "momentum": [lossref.SGD(lr=lr, momentum=beta) for lr in (12, 16) for beta in (0.88, 0.9)],
    "descent": [lossref.SGD(lr=lr) for lr in (14, 16, 24)],
}
(figure, axes), needed = panels(2, sharey=True), {}
for index, (name, methods) in enumerate(kinds.items()):
    best = min(methods, key=lambda method: run(method)[0])
    runs = [run(best) for _ in range(5)]
    needed[name], above, times = *runs[0][:2], np.min([times for _, _, times in runs], axis=0)
    print(f"{name:9} {needed[name]:4} evaluations, {times[-1]:6.1f} ms")
    for panel, across in zip(axes, (np.arange(1, len(above) + 1), times), strict=True):
        panel.plot(across, above, label=name, **series(index))
for panel, what in zip(axes, ("steps (with one evaluation or two)", "time (ms)"), strict=True):
    panel.set(xlabel=what, xscale="log", yscale="log", ylim=(gap / 8, 10))
    name_lines(panel, lines=panel.lines[1:])
    panel.annotate("L-BFGS ", panel.lines[0].get_xydata()[17], ha="right", va="top", color=PALETTE[0])
axes[0].set_ylabel("loss above the lowest (nats)")
counts = ", ".join(f"{name} {count}" for name, count in needed.items())
describe(figure, f"Loss above the lowest, against steps and against time, on logarithmic axes. Evaluations: {counts}.")
assert 3 * needed["L-BFGS"] <= needed["momentum"] < needed["descent"] < np.inf
