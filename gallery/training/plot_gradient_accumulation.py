"""
Four micro-batches of 64 are one batch of 256; a ragged fifth needs its weight
==============================================================================

Softmax regression on digits, with updates from 256 samples. If memory holds only 64, four gradients are added up before
the step, and the two runs differ by the rounding of sums alone. Parts of different lengths go as well, if each mean is
weighed by its length. The mean of the means is another gradient, in which samples of short parts count for more.
"""

import numpy as np

import lossref
from lossref.datasets import digits, split
from lossref.models import Linear
from lossref.plotting import describe, name_lines, panels, series
from lossref.training import Accumulator, batches

data, loss = split(*digits(), held_out=0.25, seed=0), lossref.CategoricalCrossEntropy()
x, y, steps, model = data.train_x, data.train_y, 60, Linear(inputs=64, outputs=10)
optimizer = lossref.SGD(lr=0.1, momentum=0.9)


def gradient(params, part):
    return model.backward(params, x[part], loss.grad(model.forward(params, x[part]), y[part]))


def train(cuts, weighted=True):
    """Parameters after each update from 256 samples that are cut at the given places."""
    params, seen = model.init(), []
    state, accumulator = optimizer.init(params), Accumulator(params)
    for _, batch in zip(range(steps), batches(len(y), 256, seed=0, drop_last=True), strict=False):
        accumulator.reset()
        for part in np.split(batch, cuts):
            accumulator.add(gradient(params, part), weight=len(part) if weighted else 1)
        optimizer.step(params, accumulator.sums, state, scale=1 / accumulator.weight)
        seen.append(np.append(params["weights"], params["bias"]))
    return np.array(seen)


whole = train([])
kinds = {
    "4 × 64": train([64, 128, 192]),
    "64, 64, 64, 63, 1": train([64, 128, 192, 255]),
    "its mean of means": train([64, 128, 192, 255], weighted=False),
}
(figure, (panel,)), apart = panels(), {}
for index, (name, run) in enumerate(kinds.items()):
    distance = np.linalg.norm(run - whole, axis=1) / np.linalg.norm(whole, axis=1)
    apart[name] = distance[-1]
    panel.plot(np.arange(1, steps + 1), distance, label=name, **series(index))
    print(f"{name:18} after {steps} updates {distance[-1]:.1e} of the parameters' length away from the whole batch")
panel.set(xlabel="step (updates of 256 samples)", ylabel="distance (relative, logarithmic)")
panel.set(yscale="log", xlim=(1, steps), ylim=(1e-17, 10))
name_lines(panel)
told = ", ".join(f"{value:.0e} for {name}" for name, value in apart.items())
describe(
    figure, f"Relative distance of the parameters from those of a run with whole batches, over 60 updates: {told}."
)
assert max(apart["4 × 64"], apart["64, 64, 64, 63, 1"]) < 1e-14
assert apart["its mean of means"] > 0.1
