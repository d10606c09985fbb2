"""
Label smoothing gives the logits a place to stop
================================================

With a hard label, cross-entropy always wants the true class's logit a little higher: the slope never reaches zero. If a
share ε of the target is spread evenly over all classes, the loss has a minimum at a finite logit, and being surer than
that costs.
"""

import numpy as np

import lossref
from lossref.plotting import INK, describe, name_lines, panels, series

leads = np.linspace(-2, 12, 561)
logits = np.column_stack([leads, np.zeros((len(leads), 3))])  # four classes; the first is right and leads the others
labels = np.zeros(len(leads), dtype=int)

figure, (panel,) = panels()
stops = {}
for index, eps in enumerate([0.0, 0.05, 0.2]):
    values = lossref.CategoricalCrossEntropy(label_smoothing=eps).values(logits, labels)
    (line,) = panel.plot(leads, values, label=f"ε = {eps:g}", **series(index))
    stops[eps] = float(leads[values.argmin()])
    if eps:
        panel.plot(stops[eps], values.min(), "o", color=INK)
panel.set(xlabel="lead of the true class's logit", ylabel="loss (nats)", xlim=(-2, 12), ylim=(0, 3))
name_lines(panel)

# %%
# The lecture's smoothed label for four classes is 0.05, 0.05, 0.85, 0.05. As a mixture with the uniform distribution,
# which is what frameworks mean, that is ε = 0.2; spread over the three *other* classes it would be ε = 0.15.

scores, smoothed = [[1.0, 2.0, 3.0, 4.0]], [[0.05, 0.05, 0.85, 0.05]]
by_label = lossref.CategoricalCrossEntropy(label_smoothing=0.2)(scores, [2])
by_hand = lossref.CategoricalCrossEntropy()(scores, smoothed)
print(f"label_smoothing=0.2: {by_label:.7f}   the smoothed target: {by_hand:.7f}")

describe(
    figure,
    "Cross-entropy against the lead of the true logit from -2 to 12, with label smoothing 0, 0.05 and 0.2. Without "
    f"smoothing it only falls; with 0.05 it is lowest at a lead of {stops[0.05]:.1f}, with 0.2 at {stops[0.2]:.1f}.",
)
assert stops[0.0] == 12
assert stops[0.2] < stops[0.05] < 6
assert abs(by_label - by_hand) < 1e-12
