"""
Where one sample in twenty is positive, the loss chooses the threshold and leaves the ranking as it is
======================================================================================================

A linear model on made data, 5 % against 95 %, with cross-entropy, class weights, and the focal loss. Who asks at a
probability of one half finds losses as different as day and night, and none of them good. Who asks how the samples are
*ranked* (AUROC), or moves the threshold to where F1 was best in training, finds the same model each time.
"""

import numpy as np
from sklearn.metrics import f1_score, precision_recall_curve, precision_score, recall_score, roc_auc_score

import lossref
from lossref.datasets import imbalanced, split
from lossref.models import Linear
from lossref.plotting import describe, panels, series

seeds, model = 8, Linear(inputs=10)
losses = {
    "cross-entropy": lossref.BinaryCrossEntropy(),
    "class weights 19 : 1": lossref.BinaryCrossEntropy(pos_weight=19.0),
    **{f"focal γ = {gamma:g}": lossref.Focal(gamma=gamma, alpha=None) for gamma in (1.0, 2.0, 5.0)},
    "focal γ = 2, α = 0.95": lossref.Focal(gamma=2.0, alpha=0.95),
}


def judged(loss, seed):
    """Train, and measure on held-out samples."""
    data, params = split(*imbalanced(4000, seed=seed), held_out=0.5, seed=seed), model.init()
    state = (optimizer := lossref.AdamW(lr=0.05, weight_decay=0.0)).init(params)
    for _ in range(100):
        slope = loss.grad(model.forward(params, data.train_x), data.train_y)
        optimizer.step(params, model.backward(params, data.train_x, slope), state)
    known, z = model.forward(params, data.train_x), model.forward(params, data.test_x)
    precision, recall, cuts = precision_recall_curve(data.train_y, known)
    best = cuts[np.argmax((precision * recall / (precision + recall))[:-1])]
    hard = [score(data.test_y, z > 0) for score in (precision_score, recall_score, f1_score)]
    return [*hard, roc_auc_score(data.test_y, z), f1_score(data.test_y, z >= best)]


medians = np.array([np.median([judged(loss, seed) for seed in range(seeds)], axis=0) for loss in losses.values()])
measures = ["precision at one half", "recall at one half", "F1 at one half", "AUROC", "F1, threshold moved"]
for name, row in zip(losses, medians, strict=True):
    print(f"{name:22}", *(f"{measure} {value:.3f} " for measure, value in zip(measures, row, strict=True)))

figure, (panel,) = panels(height=4.2)
for index, measure in enumerate(measures[1:]):
    look = series(index, marked=True) | {"linestyle": "none"}
    panel.plot(medians[:, index + 1], range(len(losses)), label=measure, **look)
panel.set(xlabel=f"median of {seeds} seeds, held out", xlim=(0, 1), yticks=range(len(losses)), yticklabels=list(losses))
panel.invert_yaxis()
panel.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.4, -0.18), ncols=2)

low, high = medians.min(axis=0), medians.max(axis=0)
ranges = ", ".join(f"{name} {a:.3f} to {b:.3f}" for name, a, b in zip(measures, low, high, strict=True))
describe(figure, f"Four measures of six losses, as dots. Over the losses: {ranges}.")
assert high[1] > 4 * low[1]
assert high[3] - low[3] < 0.01
assert high[2] < low[4]
