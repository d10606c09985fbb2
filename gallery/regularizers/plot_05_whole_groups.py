"""
For as many zero weights, the group lasso drops half again as many pixels as the lasso
======================================================================================

A linear classifier of handwritten digits has ten weights for each of 64 pixels, one a class. Only a pixel whose ten
weights are all zero need not be measured. Both penalties are set so that they zero some 270 of the 640 weights: the
lasso scatters many of its zeros; the group lasso, to which the weights of a pixel are a group, zeros whole pixels.
"""

import numpy as np
from sklearn.datasets import load_digits

import lossref
from lossref.plotting import describe, panels

pixels, digit = load_digits(return_X_y=True)
x = pixels / 16
loss = lossref.CategoricalCrossEntropy()
step = 2 * len(x) / np.linalg.eigvalsh(x.T @ x)[-1]  # 1 / the largest curvature: no step overshoots


def train(penalty, rounds=400):
    """Proximal gradient descent: a step along the loss, then the penalty's proximal map."""
    w = np.zeros((64, 10))
    for _ in range(rounds):
        w = penalty.prox(w - step * (x.T @ loss.grad(x @ w, digit)), step)
    return w


penalties = {"lasso": lossref.L1(lam=0.002), "group lasso": lossref.GroupLasso(lam=0.006, groups=range(64))}
weights = {name: train(penalty) for name, penalty in penalties.items()}
zeros = {name: int((w == 0).sum()) for name, w in weights.items()}
dropped = {name: int((w == 0).all(axis=1).sum()) for name, w in weights.items()}
right = {name: float(((x @ w).argmax(axis=1) == digit).mean()) for name, w in weights.items()}

figure, axes = panels(2, sharey=True)
for panel, (name, w) in zip(axes, weights.items(), strict=True):
    kept = (w != 0).sum(axis=1).reshape(8, 8)
    panel.imshow(np.dstack([np.full((8, 8, 3), 0.54), kept / 16]))  # grey, the less transparent the more are kept
    for (row, column), count in np.ndenumerate(kept):
        panel.text(column, row, count, ha="center", va="center", fontsize=8)
    panel.set(title=f"{name}: {dropped[name]} pixels dropped", xticks=[], yticks=[], xlabel="column of the image")
    print(f"{name:12} {zeros[name]} of 640 weights zero, {dropped[name]} of 64 pixels dropped, {right[name]:.1%} right")
axes[0].set_ylabel("row of the image")
describe(
    figure,
    f"Two 8 by 8 grids of pixels with the number of weights that each keeps, of ten. Lasso: {zeros['lasso']} weights "
    f"are zero but only {dropped['lasso']} pixels; many keep a few. Group lasso: {zeros['group lasso']} weights are "
    f"zero, and with them {dropped['group lasso']} pixels; every other pixel keeps all ten.",
)
assert zeros["group lasso"] == 10 * dropped["group lasso"]
assert abs(zeros["group lasso"] - zeros["lasso"]) < 10
assert dropped["group lasso"] > 1.5 * dropped["lasso"]
