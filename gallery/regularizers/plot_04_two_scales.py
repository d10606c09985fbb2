"""
Two scales for one weight: the lasso bets on one of them, the elastic net asks both
===================================================================================

The body-mass index of 442 patients is measured by two instruments, each with a noise of its own, so that two features
say nearly the same. Each dot is one repetition of the measurement. How the lasso shares the weight between them depends
on which of the two happened to have less noise; the square in the elastic net is smallest when they share alike.
"""

import numpy as np

import lossref
from lossref.datasets import diabetes
from lossref.plotting import PALETTE, describe, panels

x, y = diabetes()
x, y = x / x.std(axis=0), y - y.mean()
bmi, loss, repetitions = 2, lossref.MSE(), 50
penalties = {"lasso": lossref.L1(lam=20.0), "elastic net": lossref.ElasticNet(l1=20.0, l2=0.5)}


def weights(penalty, features, rounds=200):
    """Proximal descent: a step of squared error, then the penalty has its say."""
    step = 1 / (2 * np.linalg.eigvalsh(features.T @ features / len(y))[-1])
    w = np.zeros(features.shape[1])
    for _ in range(rounds):
        w = penalty.prox(w - step * (features.T @ loss.grad(features @ w, y)), step)
    return w[-2:]


found = {name: [] for name in penalties}
for seed in range(repetitions):
    noise = 0.3 * np.random.default_rng(seed).normal(size=(len(y), 2))
    twice = x[:, [bmi]] + noise
    features = np.hstack([np.delete(x, bmi, axis=1), (twice - twice.mean(axis=0)) / twice.std(axis=0)])
    for name, penalty in penalties.items():
        found[name].append(weights(penalty, features))

figure, axes = panels(2, width=8.0, height=3.8, sharey=True)
share, alone = {}, {}
for index, (panel, (name, pairs)) in enumerate(zip(axes, found.items(), strict=True)):
    pairs = np.array(pairs)
    panel.plot(*pairs.T, "o", color=PALETTE[1 - index], markersize=4, alpha=0.6)
    panel.set(title=name, xlabel="weight of the first scale (points)", aspect="equal", xlim=(-1, 25), ylim=(-1, 25))
    share[name] = np.median(pairs.min(axis=1) / pairs.max(axis=1))
    alone[name] = int((pairs.min(axis=1) == 0).sum())
    print(f"{name:12} spread {pairs.std(axis=0).mean():.1f} points; the lesser has {share[name]:.0%} of the greater")
axes[0].set_ylabel("weight of the second scale (points)")
describe(
    figure,
    f"Weights of two scales that measure the same, over {repetitions} repetitions. Under the lasso, left, they lie "
    f"along a line, and {alone['lasso']} times one is 0; under the elastic net, right, they lie in a cluster, the "
    f"lesser at {share['elastic net']:.0%} of the greater.",
)
assert alone["lasso"] > 0 == alone["elastic net"]
assert share["lasso"] < 0.6 < 0.8 < share["elastic net"]
