"""
The lasso throws out one feature after another; ridge keeps all ten
===================================================================

Ten measurements of 442 patients predict how far their diabetes has come a year later. Proximal gradient descent,
one step of the squared error and then the penalty's proximal map, finds the weights for each strength λ. (``s5`` is the
logarithm of the triglycerides in the blood, ``bp`` the blood pressure.)
"""

import numpy as np
from sklearn.datasets import load_diabetes

import lossref
from lossref.plotting import INK, describe, name_lines, panels

patients, loss = load_diabetes(scaled=False), lossref.MSE()
x = (patients.data - patients.data.mean(0)) / patients.data.std(0)
y = patients.target - patients.target.mean()
step = 1 / (2 * np.linalg.eigvalsh(x.T @ x / len(x))[-1])  # 1 / the largest curvature: no step overshoots


def weights(penalty, start, rounds=400):
    """Descend along the loss, then let the penalty's proximal map have its say."""
    w = start
    for _ in range(rounds):
        w = penalty.prox(w - step * (x.T @ loss.grad(x @ w, y)), step)
    return w


strengths = np.geomspace(100, 0.5, 40)
paths = {}
for kind in (lossref.L1, lossref.L2):
    w, paths[kind.__name__] = np.zeros(10), []
    for lam in strengths:  # each search starts where the one before has ended
        w = weights(kind(lam=lam if kind is lossref.L1 else lam / 10), w)
        paths[kind.__name__].append(w)

figure, axes = panels(2, sharey=True)
for panel, (kind, path) in zip(axes, paths.items(), strict=True):
    scale = strengths if kind == "L1" else strengths / 10
    for name, line in zip(patients.feature_names, np.transpose(path), strict=True):
        strong = name in ("bmi", "s5", "bp", "sex")
        look = {"color": INK, "linewidth": 1.8} if strong else {"color": "#8a8a8a", "linewidth": 1.0}
        panel.plot(scale, line, label=name if strong else f"_{name}", **look)
    panel.set(xscale="log", xlabel="strength λ (unit²; logarithmic, falling)", title=kind, xlim=scale[[0, -1]])
    name_lines(panel)
axes[0].set_ylabel("weight (points per standard deviation)")
kept = {kind: int((path[20] != 0).sum()) for kind, path in paths.items()}
print(f"features kept in the middle of the path: L1 {kept['L1']}, L2 {kept['L2']}")
describe(
    figure,
    f"Ten weights against falling strength, L1 left, L2 right. At lambda {strengths[20]:.1f} L1 keeps {kept['L1']} of "
    f"10 weights, bmi and s5 first; L2 at a tenth of that strength keeps all {kept['L2']}.",
)
assert kept["L1"] < 10 == kept["L2"]
