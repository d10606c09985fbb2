"""
Float16 makes zeros of two slopes in three; multiplied by a power of two they fit
=================================================================================

The backward pass hands on the slope of the loss in each score, divided by the batch. The better a model is, the smaller
they are, and float16 has nothing between zero and 6e-8. A loss that is multiplied by a large number before the backward
pass moves all of them up together; too large a number, and the largest overflow.
"""

import numpy as np

import lossref
from lossref.datasets import digits, split
from lossref.models import Linear
from lossref.plotting import INK, describe, name_lines, panels, series
from lossref.training import LossScaler, round_to

data, loss = split(*digits(), held_out=0.25, seed=0), lossref.CategoricalCrossEntropy()
optimizer, model = lossref.Adam(lr=0.02), Linear(inputs=64, outputs=10)
state = optimizer.init(params := model.init())
for _ in range(300):
    slopes = loss.grad(model.forward(params, data.train_x), data.train_y)
    optimizer.step(params, model.backward(params, data.train_x, slopes), state)
slopes = loss.grad(model.forward(params, data.train_x), data.train_y).ravel()

figure, (sizes, shares) = panels(2)
exponents = np.log2(np.abs(slopes))
sizes.hist(exponents, bins=np.arange(-60, 1), color=series(0)["color"])
sizes.axvline(-25, color=INK)  # half of the least number: what is below rounds to zero
sizes.annotate("float16:\nzero from\nhere down", (-25, 0.97), (-5, 0), xycoords=("data", "axes fraction"), ha="right",
               va="top", textcoords="offset points")  # fmt: skip
sizes.set(xlabel="size of the slope (power of two)", ylabel="slopes (count)", xlim=(-60, 0), ylim=(0, 1000))

scales = 2.0 ** np.arange(0, 41)
formats = ("float16", "bfloat16", "float8_e5m2")
lost = {}
for index, format in enumerate(formats):
    rounded = np.array([round_to(scale * slopes, format) for scale in scales])
    lost[format] = 100 * np.mean((rounded == 0) | ~np.isfinite(rounded), axis=1)
    shares.plot(np.log2(scales), lost[format], label=format, **series(index))
shares.set(xlabel="loss scale (power of two)", ylabel="lost or overflown (%)", xlim=(0, 40), ylim=(-2, 102))
name_lines(shares)

start = int(np.log2(LossScaler().init().value))
before, after, best = lost["float16"][0], lost["float16"][start], lost["float16"].argmin()
for format, each in lost.items():
    print(f"{format:12} loses {each[0]:5.1f} % unscaled, {each[start]:5.1f} % scaled by 2^{start}")
print(f"float16 loses least at 2^{best}: {lost['float16'].min():.2f} %")
describe(
    figure,
    f"Sizes of the slopes of a trained classifier, and the share that narrow formats lose against the loss scale. "
    f"Float16 loses {before:.0f} % unscaled, {after:.1f} % at a scale of 2 to the {start}.",
)
assert before > 60
assert after < 10
assert lost["float16"][-1] > after
