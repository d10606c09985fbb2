"""
Where lists differ in level, whom ranks will judge should train on ranks
========================================================================

A linear model scores the items of 150 lists, and NDCG judges their order in 150 others. Grades depend on the worth of
an item and on the level of its list, such as how hard a query is, which moves all grades of a list together and says
nothing about their order. Squared error learns the level too, and pays for it with worth; losses over a list do not see
it. If all lists have one level, squared error ranks just as well.
"""

import numpy as np
from scipy.optimize import minimize

import lossref
from lossref.plotting import band, describe, name_lines, panels

losses = {"squared error": lossref.MSE(), "ListNet": lossref.ListNet(), "pairs": lossref.PairwiseLogistic()}
levels, seeds, half = np.linspace(0, 2, 5), 6, 150


def draw(level, seed):
    """Features and grades of 300 lists of 12 items; the last feature knows something of the level, and of worth."""
    rng = np.random.default_rng(seed)
    hardness, features = level * rng.standard_normal((300, 1)), rng.standard_normal((300, 12, 8))
    worth = features @ rng.standard_normal(8) / np.sqrt(8) + 0.5 * rng.standard_normal((300, 12))
    features[..., -1] -= hardness
    return features, np.digitize(worth - hardness, [0.8, 1.8]).astype(float)


def objective(weights, loss, features, grades):
    """A loss of the scores and its slopes; the last weight is an intercept, to which losses over a list are blind."""
    value, slopes = loss.value_and_grad(features @ weights[:8] + weights[8], grades)
    return value, np.append(np.tensordot(slopes, features, 2), slopes.sum())


def ndcg(scores, grades, places=5):
    """The mean, over the lists in which something is graded, of the discounted gain over that of the best order."""
    gain, discount = 2**grades - 1, 1 / np.log2(np.arange(2, places + 2))
    found, best = (np.take_along_axis(gain, np.argsort(-by, axis=1)[:, :places], 1) @ discount for by in (scores, gain))
    return np.mean(found[best > 0] / best[best > 0])


reached = {name: np.zeros((seeds, len(levels))) for name in losses}
for seed, (place, level) in ((seed, each) for seed in range(seeds) for each in enumerate(levels)):
    features, grades = draw(level, seed)
    for name, loss in losses.items():
        weights = minimize(objective, np.zeros(9), (loss, features[:half], grades[:half]), "L-BFGS-B", jac=True).x[:8]
        reached[name][seed, place] = ndcg(features[half:] @ weights, grades[half:])

(figure, (panel,)), means = panels(), {}
for index, (name, runs) in enumerate(reached.items()):
    band(panel, levels, list(runs), index, name)
    means[name] = runs.mean(axis=0)
    print(f"{name:14} NDCG of five: {means[name][0]:.3f} with one level, {means[name][-1]:.3f} with levels apart")
panel.set(xlabel="spread of the levels of lists", ylabel="NDCG of the first five", xlim=(0, 2))
name_lines(panel)
said = ", ".join(f"{name} {mean[0]:.2f} and {mean[-1]:.2f}" for name, mean in means.items())
describe(figure, f"NDCG on held-out lists against the spread of their levels. At spreads of 0 and 2: {said}.")
assert min(means["ListNet"][-1], means["pairs"][-1]) > means["squared error"][-1] + 0.05
assert max(abs(means[name][0] - means["squared error"][0]) for name in losses) < 0.02
