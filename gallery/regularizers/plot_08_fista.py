"""
A look ahead, and proximal descent finds the lasso in a quarter of the steps
============================================================================

ISTA takes a step along the slope of the squared error, then the penalty's proximal map. FISTA does the same from a
point a little further on, in the direction of the last move. The objective, ``MSE() + L1(lam=...)``, is the lasso on
442 diabetes patients.
"""

import numpy as np
from sklearn.linear_model import lasso_path

import lossref
from lossref.datasets import diabetes
from lossref.plotting import INK, describe, name_lines, panels, series

features, target = diabetes()
x, y = (features - features.mean(0)) / features.std(0), target - target.mean()
loss = lossref.MSE()
step = 1 / (2 * np.linalg.eigvalsh(x.T @ x / len(x))[-1])  # 1 / the largest curvature: no step overshoots


def descend(penalty, rounds, momentum):
    """The weights after so many rounds, and the objective after each."""
    objective, w, ahead, pace, values = loss + penalty, np.zeros(10), np.zeros(10), 1.0, []
    for _ in range(rounds):
        before, w = w, penalty.prox(ahead - step * (x.T @ loss.grad(x @ ahead, y)), step)
        values.append(objective(x @ w, y, w=w))
        faster = (1 + np.sqrt(1 + 4 * pace * pace)) / 2
        ahead, pace = w + momentum * (pace - 1) / faster * (w - before), faster
    return w, np.array(values)


# %%
# scikit-learn halves the squared error, so its ``alpha`` is half of λ. Both must arrive at the same weights.

strengths = np.geomspace(90, 1, 12)
_, theirs, _ = lasso_path(x, y, alphas=strengths / 2, tol=1e-12, max_iter=100_000)
ours = np.array([descend(lossref.L1(lam=lam), 1200, momentum=1)[0] for lam in strengths]).T
apart, kept, needed = np.abs(ours - theirs).max(), (ours != 0).sum(axis=0), {}
print(f"largest difference from scikit-learn's path: {apart:.1e}")

runs = {name: descend(lossref.L1(lam=1.0), 1500, momentum)[1] for name, momentum in (("ISTA", 0), ("FISTA", 1))}
(figure, (left, right)), best = panels(2), np.min([*runs.values()])
for index, (name, values) in enumerate(runs.items()):
    needed[name] = int(np.argmax(values - best < 1e-3)) + 1
    least = np.maximum(np.minimum.accumulate(values[:400]) - best, 1e-6)  # for FISTA goes up now and then
    left.plot(np.arange(1, 401), least, label=name, **series(index))
    print(f"{name:5} is within 0.001 of the best objective, {best:.3f}, after {needed[name]} steps")
left.set(yscale="log", xlim=(0, 400), ylim=(1e-6, 1e4), xlabel="step", ylabel="above the best (points², log.)")
right.plot(strengths, kept, "o-", color=INK)
right.set(xscale="log", xlabel="strength λ (points, logarithmic)", ylabel="features kept, of 10", ylim=(0, 10.5))
name_lines(left)
describe(
    figure,
    f"Left, objective above the best against the step: below 0.001 after {needed['ISTA']} steps of ISTA and "
    f"{needed['FISTA']} of FISTA. Right, features kept against strength: {kept[-1]} at 1, {kept[0]} at 90.",
)
assert apart < 1e-4
assert 4 * needed["FISTA"] < needed["ISTA"]
