"""
A linear model knows a zero by the ink that is missing from its middle
======================================================================

Softmax regression on 1797 digits has ten weights for each pixel, one a digit, and they can be looked at: blue where ink
speaks for the digit, orange where it speaks against it. What a digit must *not* have counts for as much as what it has.
"""

import numpy as np
from matplotlib.colors import to_rgb

import lossref
from lossref.datasets import digits
from lossref.models import Linear
from lossref.plotting import PALETTE, describe, grid

pixels, y = digits()
middle = [27, 28, 35, 36]
filled = pixels[y == 0].copy()
filled[:, middle] = 16  # as black as can be
mean, spread = pixels.mean(axis=0), np.maximum(pixels.std(axis=0), 1e-9)  # some pixels never see ink
x = (pixels - mean) / spread
loss, penalty, model = lossref.CategoricalCrossEntropy(), lossref.L2(lam=1e-3), Linear(inputs=64, outputs=10)
optimizer = lossref.SGD(lr=0.1, momentum=0.9)
state = optimizer.init(params := model.init())
for _ in range(300):
    grads = model.backward(params, x, loss.grad(model.forward(params, x), y))
    grads["weights"] += penalty.grad(params["weights"])
    optimizer.step(params, grads, state)

weights = params["weights"].T
figure, frames = grid(10, columns=5, height=3.6)
for digit, frame in enumerate(frames):
    colours = np.where(weights[digit][:, np.newaxis] > 0, *map(to_rgb, PALETTE[:2]))
    strength = np.minimum(np.abs(weights[digit]), 1)
    frame.imshow(np.column_stack([colours, strength]).reshape(8, 8, 4))
    frame.set(title=digit, xticks=[], yticks=[])
    frame.spines[:].set_visible(False)

# %%
# How many of the zeros are called a zero, as they are, and with ink in the four pixels of the middle?

before, after = (
    100 * np.mean(model.forward(params, (zeros - mean) / spread).argmax(axis=1) == 0)
    for zeros in (pixels[y == 0], filled)
)
print(f"called a zero: {before:.0f} %, with a filled middle {after:.0f} %")
describe(
    figure,
    "Ten pictures of 8 by 8 weights, one for each digit, blue where ink speaks for it, orange where against. "
    f"The largest weight of the 0 is {weights[0].max():.2f}, the least, in its middle, {weights[0].min():.2f}; with "
    f"ink there {after:.0f} instead of {before:.0f} % of the zeros are known.",
)
assert weights[0].argmin() in middle
assert -weights[0].min() > 1.5 * weights[0].max()
assert after < 20 < 99 < before
