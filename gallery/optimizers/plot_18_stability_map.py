"""
Of all pairs of rate and momentum one is the fastest, and a little further it diverges
======================================================================================

A quadratic with curvatures from 1 to 50. In each direction a step is a matrix; the distance from the minimum shrinks by
its largest eigenvalue, and the worst direction decides. Lines join settings of equal factors per step; beyond the line
of 1 nothing converges. Theory says where the star stands: for the heavy ball far out, close to the border.
"""

import numpy as np

from lossref import SGD
from lossref.plotting import INK, PALETTE, describe, panels
from lossref.training import largest_stable_rate, spectral_radius, tuned

lowest, highest = 1.0, 50.0
curvatures = np.geomspace(lowest, highest, 12)
rates, momenta = np.linspace(0.001, 0.08, 80), np.linspace(0.01, 0.98, 80)


def factors(momentum, nesterov):
    """Return the factor per step in the worst direction, for each rate: what counts is rate times curvature."""
    return spectral_radius(SGD(lr=1.0, momentum=momentum, nesterov=nesterov), np.outer(rates, curvatures)).max(axis=1)


figure, axes = panels(2, height=4.2, sharey=True)
found = {}
for panel, (method, title) in zip(axes, {"momentum": "heavy ball", "nesterov": "Nesterov"}.items(), strict=True):
    nesterov = method == "nesterov"
    radii = np.array([factors(beta, nesterov) for beta in momenta])
    lines = panel.contour(rates, momenta, radii, levels=(0.8, 0.85, 0.9, 0.95), colors="#8a8a8a", linewidths=1)
    panel.clabel(lines, fmt="%.2f", fontsize=9, colors=INK)
    border = [largest_stable_rate(SGD(lr=1.0, momentum=b, nesterov=nesterov), highest) for b in momenta]
    panel.plot(border, momenta, color=PALETTE[1])
    panel.text(0.065, 0.1, "diverges", color=PALETTE[1])
    best = tuned(method, lowest, highest)
    panel.plot(best.optimizer.lr, best.optimizer.momentum, marker="*", markersize=13, color=PALETTE[0])
    panel.set(xlabel="learning rate (1 / unit of curvature)", xlim=(0, 0.08), ylim=(0, 1))
    panel.set_title(f"{title}: at best {best.radius:.3f} per step")
    found[method] = best, radii.min()
    print(
        f"{title:10} rate {best.optimizer.lr:.4f}, momentum {best.optimizer.momentum:.3f}: {best.radius:.4f} per step"
    )
axes[0].set_ylabel("momentum (1)")

(ball, ball_map), (nag, nag_map) = found["momentum"], found["nesterov"]
describe(
    figure,
    "Contour maps of the factor per step over rate and momentum, for heavy ball and Nesterov. The best factors are "
    f"{ball.radius:.3f} at rate {ball.optimizer.lr:.3f} and {nag.radius:.3f} at rate {nag.optimizer.lr:.3f}; an orange "
    "line is the border of divergence.",
)
assert ball.radius <= ball_map < ball.radius + 0.03
assert nag.radius <= nag_map < nag.radius + 0.03
assert largest_stable_rate(ball.optimizer, highest) < 1.03 * ball.optimizer.lr
assert largest_stable_rate(nag.optimizer, highest) < 1.1 * nag.optimizer.lr
