"""
Decay on the bias lowers every prediction; a group spares it
============================================================

Weight decay pulls parameters towards zero, because small weights make a function smooth. A bias does not bend anything:
pulled to zero, it only makes all predictions too low. Progression of diabetes after a year, 152 on average, by a linear
model under stronger and stronger decay: of everything, and of the weights alone.
"""

import numpy as np
from sklearn.datasets import load_diabetes

import lossref
from lossref.models import Linear
from lossref.plotting import describe, name_lines, panels, series

x, y = load_diabetes(return_X_y=True)
x = (x - x.mean(axis=0)) / x.std(axis=0)
train, unseen = np.split(np.random.default_rng(0).permutation(len(y)), [300])
model, loss = Linear(inputs=10), lossref.MSE()
decays = np.geomspace(1e-3, 3, 15)


def fit(optimizer):
    """Return the bias, and the typical error on patients that were not seen."""
    state = optimizer.init(params := model.init())
    for _ in range(400):
        slope = loss.grad(model.forward(params, x[train]), y[train])
        optimizer.step(params, model.backward(params, x[train], slope), state)
    return params["bias"][0], np.sqrt(loss(model.forward(params, x[unseen]), y[unseen]))


# %%
# The settings of a group hold for the parameters that it names, here by their key.

everything = [lossref.SGD(lr=0.08, weight_decay=decay) for decay in decays]
spared = [optimizer.with_groups({"bias": {"weight_decay": 0.0}}) for optimizer in everything]
figure, panels_ = panels(2)
ends = {}
for index, (name, optimizers) in enumerate({"everything decays": everything, "bias spared": spared}.items()):
    found = np.array([fit(optimizer) for optimizer in optimizers])
    ends[name] = found[-1]
    for panel, values in zip(panels_, found.T, strict=True):
        panel.plot(decays, values, label=name, **series(index))
    print(f"{name:18} bias {found[-1, 0]:5.1f}, error {found[:, 1].min():.1f} at best, {found[-1, 1]:.1f} at the end")
for panel, label in zip(panels_, ("bias (points)", "error on unseen patients (points)"), strict=True):
    panel.set(xlabel="weight decay (1, logarithmic)", ylabel=label, xscale="log", xlim=(1e-3, 3), ylim=(0, None))
    name_lines(panel)
told = "; ".join(f"{name}: bias {bias:.0f}, error {error:.0f}" for name, (bias, error) in ends.items())
describe(figure, f"Bias, and error on unseen patients, against the weight decay. At a decay of 3: {told} points.")
assert abs(ends["bias spared"][0] - y[train].mean()) < 1 < 60 < y[train].mean() - ends["everything decays"][0]
