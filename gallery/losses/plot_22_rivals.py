"""
Without a majority, one multiclass hinge gives up
=================================================

At one place in the world three classes occur, with shares from a clear majority to a near tie. Which constant scores
does each loss like best there, and how far does the most frequent class lead? Cross-entropy lets it lead as long as it
is the most frequent. Crammer and Singer's hinge drops to no lead at all as soon as the class has no majority, and a
model that has learned it decides by noise. Weston and Watkins's holds on for longer, but not to the end.
"""

import numpy as np

import lossref
from lossref.plotting import describe, name_lines, panels, series, trace

shares = np.linspace(0.34, 0.6, 53)
leads = np.linspace(0, 1.1, 221)
# The first class leads the second, and that the third, which is the rarest, by multiples of a half.
second, third = np.meshgrid(leads, leads[::2], indexing="ij")
scores = np.column_stack([np.zeros(second.size), -second.ravel(), -(second + third).ravel()])
losses = {
    "cross-entropy": lossref.CategoricalCrossEntropy(),
    "Crammer–Singer": lossref.MulticlassHinge(),
    "Weston–Watkins": lossref.MulticlassHinge(kind="weston-watkins"),
}


def best_lead(loss, share):
    """How far the first class leads in the best constant scores, where the others share the rest 6 : 5."""
    frequencies = share, (1 - share) * 6 / 11, (1 - share) * 5 / 11
    costs = sum(p * loss.values(scores, np.full(len(scores), k)) for k, p in enumerate(frequencies))
    return second.ravel()[np.argmin(np.round(costs, 12))]


figure, (value, panel) = panels(2)
ahead = np.column_stack([np.linspace(-2, 2, 401), np.zeros((401, 2))])  # of two rivals that are level
for index, loss in enumerate(losses.values()):
    value.plot(ahead[:, 0], loss.values(ahead, np.zeros(401, int)), **series(index))
value.set(xlabel="lead of the true class", ylabel="loss", xlim=(-2, 2), ylim=(0, 4), title="Value")
found = {name: np.array([best_lead(loss, share) for share in shares]) for name, loss in losses.items()}
for index, (name, lead) in enumerate(found.items()):
    trace(panel, shares, lead, index, name)
panel.set(xlabel="share of the most frequent class", ylabel="its lead", xlim=(0.34, 0.6), title="Best constant scores")
name_lines(panel)

# %%
# The smallest share of the first class with which each loss lets it lead. The other two share the rest as 6 to 5.

starts = {name: shares[np.argmax(lead > 0)] for name, lead in found.items()}
for name, share in starts.items():
    print(f"{name:15} leads from a share of {share:.3f} on")

describe(
    figure,
    "The lead of the most frequent of three classes in the best constant scores, against its share from 0.34 to 0.6. "
    + ", ".join(f"{name} leads from {share:.3f} on" for name, share in starts.items())
    + f". The hinges lead by {found['Crammer–Singer'].max():g} or not at all.",
)
assert starts["cross-entropy"] < starts["Weston–Watkins"] < 0.5 < starts["Crammer–Singer"]
assert set(found["Crammer–Singer"]) == {0, 1}
