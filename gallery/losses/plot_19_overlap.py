"""
On a small region cross-entropy has to be told where to cut; the Dice loss has learned it
=========================================================================================

In noisy pictures a disc, two pixels in a hundred, is to be found pixel by pixel, from the brightness around each.
Cross-entropy gives a pixel its chance, and few chances exceed one half. The Dice loss pushes pixels to 0 or 1, and it
hardly matters where one cuts; so does Tversky's, told here that a miss is the worse mistake. But at its own best cut
cross-entropy finds as much: what the others know more than it is where to cut.
"""

import numpy as np

import lossref
from lossref.models import Linear
from lossref.plotting import describe, name_lines, panels, series

rng, side, model = np.random.default_rng(0), 32, Linear(inputs=4)
centers = rng.uniform(5, side - 5, (60, 2, 1, 1))
masks = (((np.indices((side, side)) - centers) ** 2).sum(axis=1) < 2.6**2).astype(float)
pictures = masks + rng.normal(0, 1.2, masks.shape)


def blurred(radius):
    """The mean brightness around each pixel."""
    shifts = range(-radius, radius + 1)
    return np.mean([np.roll(pictures, (i, j), (1, 2)) for i in shifts for j in shifts], axis=0)


train_x, test_x = np.stack([blurred(radius) for radius in range(4)], axis=-1).reshape(2, -1, 4)
train_y, test_y = masks.reshape(2, 30, -1)


def chances(params, x):
    return 1 / (1 + np.exp(-model.forward(params, x).reshape(30, -1)))


cuts, overlaps = np.linspace(0.02, 0.98, 97), {}
entropy, dice = lossref.BinaryCrossEntropy(from_logits=False), lossref.Dice()
losses = {"cross-entropy": entropy, "Dice": dice, "Tversky": lossref.Tversky(alpha=0.3, beta=0.7)}
for name, loss in losses.items():
    params, optimizer = model.init(), lossref.Adam(lr=0.1)
    state = optimizer.init(params)
    for _ in range(200):
        p = chances(params, train_x)
        slope = loss.grad(p, train_y) * p * (1 - p)
        optimizer.step(params, model.backward(params, train_x, slope.ravel()), state)
    overlaps[name] = np.array([1 - dice((chances(params, test_x) > cut) * 1.0, test_y) for cut in cuts])

figure, (panel,) = panels()
told = []
for index, (name, overlap) in enumerate(overlaps.items()):
    panel.plot(cuts, overlap, label=name, **series(index))
    told.append(f"{name} {overlap[48]:.3f} at one half, at best {overlap.max():.3f} at {cuts[overlap.argmax()]:.2f}")
    print(told[-1])
panel.set(xlabel="probability from which on a pixel is found", ylabel="overlap, 1 − Dice", xlim=(0, 1), ylim=(0, 0.6))
name_lines(panel)
describe(figure, f"Overlap of found and true masks in unseen pictures against the cut. By the loss: {'; '.join(told)}.")
assert overlaps["cross-entropy"][48] < 0.4 < 0.5 < min(overlaps["Dice"][48], overlaps["Tversky"][48])
assert np.ptp([overlap.max() for overlap in overlaps.values()]) < 0.01
