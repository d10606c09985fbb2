"""
With a margin of 0 a ranker that starts at zero never begins; asked for a lead, it orders three pairs in four
=============================================================================================================

Of two patients, whose diabetes will have come further? Only the order of the two scores counts. Without a margin, equal
scores cost nothing and pull nowhere, and a model whose weights are zero gives every patient the same score. With one,
each pair pulls until it is in order by that much. The logistic loss of a pair wants ever more of a lead; ListNet, told
of grades of 1 and 0, wants a lead of 1 and pulls back beyond.
"""

import numpy as np

import lossref
from lossref.datasets import diabetes, split
from lossref.plotting import describe, name_lines, panels, trace

leads = np.linspace(-3, 3, 601)
first, second = leads, np.zeros_like(leads)
figure, (value, pull) = panels(2)
for index, margin in enumerate((0.0, 1.0)):
    loss = lossref.MarginRanking(margin=margin, reduction="sum")
    arrays = first, second, np.ones_like(leads)
    trace(value, leads, loss.values(*arrays), index, f"margin {margin:g}")
    trace(pull, leads, -loss.grad(*arrays)[0], index, f"margin {margin:g}")
scores, grades = np.column_stack([first, second]), np.tile([1.0, 0.0], (len(leads), 1))
for index, loss in enumerate((lossref.PairwiseLogistic(reduction="sum"), lossref.ListNet(reduction="sum")), start=2):
    trace(value, leads, loss.values(scores, grades), index, type(loss).__name__)
    trace(pull, leads, -loss.grad(scores, grades)[:, 0], index, type(loss).__name__)
value.set(xlabel="lead of the better one", ylabel="loss", xlim=(-3, 3), ylim=(0, 4), title="Value")
pull.set(xlabel="lead of the better one", ylabel="pull on the better one", xlim=(-3, 3), ylim=(-0.3, 1.1), title="Pull")
name_lines(value)
name_lines(pull)

# %%
# A linear model learns from random pairs of 331 patients, and is asked about all pairs of 111 others.

data = split(*diabetes(), held_out=0.25, seed=0)
order = np.argsort(data.train_y)
one, other = np.triu_indices(len(data.test_y), 1)
right = {}
for margin in (0.0, 1.0, 10.0):
    weights, rng, loss = np.zeros(10), np.random.default_rng(0), lossref.MarginRanking(margin=margin)
    for _ in range(400):
        worse, better = data.train_x[order[np.sort(rng.integers(0, len(order), (2, 256)), axis=0)]]
        up, down = loss.grad(better @ weights, worse @ weights, np.ones(256))
        weights -= 0.3 * (better.T @ up + worse.T @ down)
    scores = data.test_x @ weights
    right[margin] = np.mean((scores[one] - scores[other]) * (data.test_y[one] - data.test_y[other]) > 0)
    print(f"margin {margin:2g}: {right[margin]:.1%} of the pairs in order; largest weight {np.abs(weights).max():.2f}")
told = ", ".join(f"{100 * share:.0f} % with {margin:g}" for margin, share in right.items())
describe(
    figure,
    "Loss and pull against the lead of the better one, from -3 to 3, for two margins, pairs and lists; with "
    f"margin 0 both are 0 from a lead of 0 on. Pairs in order after training: {told}.",
)
assert right[0.0] == 0
assert min(right[1.0], right[10.0]) > 0.73
