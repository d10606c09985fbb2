"""
A fake that is caught teaches nothing under minimax, and most under every other rule
====================================================================================

Two networks play: a generator makes samples, a discriminator gives each a score, high for what it takes to be real. At
the beginning all fakes are bad, and the discriminator sees that with certainty. Just then the generator should learn
most. In the game of the theory it learns least: its cost is flat where the score is low. The other rules leave the
discriminator as it is, or nearly so, and turn the generator's cost round.
"""

import numpy as np

import lossref
from lossref.plotting import describe, name_lines, panels, series

score = np.linspace(-6, 4, 501)
kinds = ("minimax", "non-saturating", "least-squares", "hinge")

figure, (value, pull) = panels(2)
costs, pulls = {}, {}
for index, kind in enumerate(kinds):
    game = lossref.Adversarial(kind=kind)
    costs[kind] = np.array([game.generator([one]) for one in score])
    pulls[kind] = -game.generator_value_and_grad(score)[1] * score.size
    name = "hinge, Wasserstein" if kind == "hinge" else kind
    value.plot(score, costs[kind], label=name, **series(index))
    pull.plot(score, pulls[kind], label=name, **series(index))
value.set(xlabel="score of a fake", ylabel="the generator's cost", xlim=(-6, 4), ylim=(-5, 10), title="Value")
pull.set(xlabel="score of a fake", ylabel="pull upward, −slope", xlim=(-6, 4), ylim=(-3.2, 4), title="Pull")
for panel in figure.axes:
    panel.set_xticks(range(-6, 5, 2))
    name_lines(panel)

# %%
# The pull on a fake that is caught, on one that nobody can tell, and on one that passes.

for kind in (*kinds, "wasserstein"):
    _, slopes = lossref.Adversarial(kind=kind).generator_value_and_grad([-6.0, 0.0, 4.0])
    print(f"{kind:15} caught {-3 * slopes[0]:7.4f}   undecided {-3 * slopes[1]:7.4f}   passes {-3 * slopes[2]:7.4f}")

caught = {kind: pulls[kind][0] for kind in kinds}
describe(
    figure,
    "The generator's cost, left, and the pull on it, right, against the score of a fake from -6 to 4. At -6, where the "
    "fake is caught, the pulls are " + ", ".join(f"{kind} {pull:.4f}" for kind, pull in caught.items()) + ".",
)
assert caught["minimax"] < 0.0025
assert min(caught[kind] for kind in kinds[1:]) > 0.997
assert pulls["minimax"][-1] > 0.98 > 0.02 > pulls["non-saturating"][-1] > 0 > pulls["least-squares"][-1]
