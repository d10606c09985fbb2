"""
Half of a table is hidden: the nuclear norm finds its rank of three, and fills the gaps
=======================================================================================

Sixty users have opinions of forty films, sums of three tastes times three qualities, and half of them were asked for,
with some noise. Descent on the squared error of these alone leaves the gaps where they are, at 0. Between its steps the
proximal map of the nuclear norm shrinks all singular values, the small ones to nothing. Nobody has told it that there
are three.
"""

import numpy as np

import lossref
from lossref.plotting import INK, describe, name_lines, panels, series

rng = np.random.default_rng(2010)
truth = rng.standard_normal((60, 3)) @ rng.standard_normal((3, 40))
told = truth + 0.5 * rng.standard_normal(truth.shape)
asked = rng.random(truth.shape) < 0.5
loss, step = lossref.MSE(reduction="sum"), 0.5  # 1 / the curvature: no step overshoots
strengths, table = np.geomspace(50, 0.5, 24), np.zeros_like(truth)
ranks, hidden, seen = [], [], []
for penalty in (lossref.Nuclear(lam=lam) for lam in strengths):
    for _ in range(60):  # from where the search before has ended
        table = penalty.prox(table - step * np.where(asked, loss.grad(table, told), 0), step)
    ranks.append(np.linalg.matrix_rank(table, tol=1e-6))
    hidden.append(np.sqrt(np.mean((table - truth)[~asked] ** 2)))
    seen.append(np.sqrt(np.mean((table - told)[asked] ** 2)))

figure, (error, rank) = panels(2)
error.plot(strengths, hidden, label="hidden", **series(0))
error.plot(strengths, seen, label="asked for", **series(1))
error.axhline(gaps := np.sqrt(np.mean(truth[~asked] ** 2)), color=INK, linewidth=0.8)
error.annotate("gaps of 0", (50, gaps), (0, 3), textcoords="offset points")
rank.plot(strengths, ranks, "o-", color=INK, markersize=4)
error.set(ylabel="root mean squared error (1)", ylim=(0, 2), title="Error")
rank.set(ylabel="rank of the table found (logarithmic)", yscale="log", ylim=(0.8, 40), title="Rank")
rank.set(yticks=[1, 3, 10, 30], yticklabels=[1, 3, 10, 30])
for panel in figure.axes:
    panel.set(xscale="log", xlim=(60, 0.4), xlabel="strength λ (falling, logarithmic)")
    panel.set(xticks=[50, 10, 1], xticklabels=[50, 10, 1])
    panel.minorticks_off()
name_lines(error)

# %%
# Where the rank is found, and where the gaps are guessed best. The second wants less force: what keeps out the noise
# takes something from the three true singular values too.

three, best = strengths[np.array(ranks) == 3], int(np.argmin(hidden))
print(f"rank 3 from λ = {three.min():.1f} to {three.max():.1f}")
print(f"least error of the gaps: {hidden[best]:.2f} at λ = {strengths[best]:.1f}, with rank {ranks[best]}")
describe(
    figure,
    f"Errors, left, and rank, right, against falling strength. The rank is 3 from {three.max():.0f} to "
    f"{three.min():.0f} and rises to {ranks[-1]}; the error of the hidden half falls from {hidden[0]:.2f} to "
    f"{hidden[best]:.2f} at {strengths[best]:.1f}, while that of the other half goes on falling.",
)
assert three.max() > 2.5 * three.min()
assert 0 < best < len(strengths) - 1
assert hidden[best] < 0.4 * gaps
