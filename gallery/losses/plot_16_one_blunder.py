"""
One certain mistake can outweigh ninety-nine good forecasts under cross-entropy, never under the Brier score
============================================================================================================

Two forecasters of three classes, a hundred forecasts each. The timid one always gives the true class 0.8. The bold one
gives it 0.9 ninety-nine times, and once next to nothing, the rest going to a class that does not come true. Both scores
are proper, and both prefer the bold one as long as the blunder is a mild one. How wrong may it be? The Brier score of a
forecast is at most 2, so a hundredth of it is forgiven whatever it was; cross-entropy charges without bound.
"""

import numpy as np

import lossref
from lossref.plotting import INK, describe, name_lines, panels, series

given = np.logspace(-12, -1, 221)  # to the true class, in the one forecast that is a blunder
losses = {"cross-entropy": lossref.CategoricalCrossEntropy(from_logits=False), "Brier score": lossref.Brier()}


def forecast(chance):
    """Rows with these probabilities of the true class; most of the rest goes to a wrong one."""
    return np.stack([chance, 0.8 * (1 - chance), 0.2 * (1 - chance)], axis=-1).reshape(-1, 3)


figure, (panel,) = panels()
ratios = {}
for index, (name, loss) in enumerate(losses.items()):
    good, timid = (loss(forecast(np.array(chance)), [0]) for chance in (0.9, 0.8))
    blunders = loss.values(forecast(given), np.zeros(given.size, int))
    ratios[name] = (0.99 * good + 0.01 * blunders) / timid
    panel.plot(given, ratios[name], label=name, **series(index))
panel.axhline(1, color=INK, linewidth=0.8, linestyle=":")
panel.set(
    xscale="log", xlim=(1e-12, 0.1), ylim=(0, 1.8),
    xlabel="probability of the true class in the one blunder", ylabel="score of the bold over that of the timid",
)  # fmt: skip
name_lines(panel)

# %%
# From which blunder on is the timid forecaster the better one?

turned = given[ratios["cross-entropy"] > 1].max()
print(f"cross-entropy: where the blunder gives the true class {turned:.1g} or less")
worst = ratios["Brier score"].max()
print(f"Brier score: never; at worst the bold one has {worst:.2f} times the score of the timid one")

describe(
    figure,
    "Mean score of a bold forecaster with one blunder in a hundred, over that of a timid one, against the probability "
    f"that the blunder gave to the truth. Cross-entropy rises above 1 at {turned:.1g} and to "
    f"{ratios['cross-entropy'][0]:.2f} at 1e-12. The Brier score stays below {worst:.2f}.",
)
assert 1e-12 < turned < 1e-3
assert worst < 0.8
