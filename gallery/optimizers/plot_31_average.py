"""
Under a constant rate the last weights stay noisy; their average is a hundred times closer to the best
======================================================================================================

Linear regression on the 442 patients of the diabetes data, in batches of four, at one constant rate: how much more loss
than the least over all of them. The steps get nowhere after the first thousand, for each batch pulls elsewhere. Two
averages of the same weights go on: the noise cancels in them, the more of it the further the average reaches back.
"""

import numpy as np
from sklearn.datasets import load_diabetes

import lossref
from lossref.plotting import describe, name_lines, panels, series
from lossref.training import batches

x, y = load_diabetes(return_X_y=True, scaled=False)
x, y, loss = (x - x.mean(axis=0)) / x.std(axis=0), (y - y.mean()) / y.std(), lossref.MSE()
least = loss(x @ np.linalg.lstsq(x, y, rcond=None)[0], y)


def excess(decay, steps=5000):
    """Train, and return every tenth step what the loss of the last weights and of their average has above the least."""
    w, optimizer, found = np.zeros(10), lossref.EMA(lossref.SGD(lr=0.03), decay=decay), []
    state = optimizer.init(w)
    for step, (part, label) in enumerate(batches((x, y), 4, seed=0), 1):
        optimizer.step(w, part.T @ loss.grad(part @ w, label), state)
        if step % 10 == 0:
            found.append([loss(x @ point, y) - least for point in (w, state.buffers["average"])])
        if step == steps:
            return np.array(found).T


last, short = excess(0.99)
lines = {"last weights": last, "decay 0.99": short, "decay 0.999": excess(0.999)[1]}
figure, (panel,) = panels(height=4)
for index, (name, line) in enumerate(lines.items()):
    panel.plot(line, label=name, **series(index))
panel.set(xlabel="step (tens of updates)", ylabel="loss above the least (logarithmic)", yscale="log", xlim=(0, 500))
name_lines(panel)
ends = {name: line[-100:].mean() for name, line in lines.items()}
told = ", ".join(f"{name} {end:.5f}" for name, end in ends.items())
print(f"above the least, mean of the last thousand steps: {told}")
describe(figure, f"Loss above the least against the step, at a constant rate. Mean of the last thousand steps: {told}.")
assert ends["last weights"] > 100 * ends["decay 0.999"]
assert ends["last weights"] > 20 * ends["decay 0.99"]
