"""
Contrastive loss clears a disc of fixed size, triplet loss one that grows with the pair in it
=============================================================================================

Where does descent send an embedding? One partner stands in the middle, and each arrow is minus the gradient where the
other one is (in each panel on a scale of its own). What is alike is pulled from everywhere, the harder the farther.
What is different is pushed out of a disc, and beyond it nothing happens: that zero is why most pairs soon teach
nothing. The second dot of a triplet is the positive, and it carries the edge of the disc with it.
"""

import numpy as np

import lossref
from lossref.plotting import INK, PALETTE, describe, panels

margin = 1.0
side = np.linspace(-2.6, 2.6, 17)
places = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
middle, labels = np.zeros_like(places), np.ones(len(places), int)
pair = lossref.Contrastive(margin=margin, reduction="sum")
triplet = lossref.Triplet(margin=margin, reduction="sum")


def negative_beside(distance):
    """Return the force on a negative, if the positive lies at a distance from the anchor in the middle."""
    return -triplet.grad(middle, middle + np.array([distance, 0.0]), places)[2]


fields = {
    "a pair that is alike": (-pair.grad(places, middle, 0 * labels)[0], np.nan),
    "a pair that is different": (-pair.grad(places, middle, labels)[0], margin),
    "a negative, positive at 0.3": (negative_beside(0.3), 0.3 + margin),
    "a negative, positive at 1.2": (negative_beside(1.2), 1.2 + margin),
}
figure, axes = panels(4, height=2.9)
reach = {}
for index, (panel, (name, (force, radius))) in enumerate(zip(axes, fields.items(), strict=True)):
    felt = np.linalg.norm(places[np.any(force != 0, axis=1)], axis=1)
    reach[name] = felt.max()
    strongest = np.linalg.norm(force, axis=1).max()
    panel.quiver(*places.T, *force.T, color=PALETTE[index], angles="xy", scale=10 * strongest, width=0.007)
    turn = np.linspace(0, 2 * np.pi, 200)
    panel.plot(radius * np.cos(turn), radius * np.sin(turn), color=INK, linewidth=0.8)
    panel.plot([0, radius - margin], [0, 0], "o", color=INK, markersize=4)
    panel.set(aspect="equal", xticks=[], yticks=[], xlim=(-2.8, 2.8), ylim=(-2.8, 2.8), title=name)

# %%
# How far away the force is still felt on this grid, and the radius of the disc where there is one.

for name, (_, radius) in fields.items():
    print(f"{name:28} felt up to {reach[name]:.2f}, radius {radius:.2f}")
describe(
    figure,
    "Arrows of minus the gradient around a partner in the middle; felt up to a distance of "
    + ", ".join(f"{reach[name]:.1f} by {name}" for name in fields)
    + ". The first point inward, the others outward, up to a circle.",
)
for name, (_, radius) in list(fields.items())[1:]:
    assert radius - 0.35 < reach[name] <= radius
