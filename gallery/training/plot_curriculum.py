"""
Neither of two losses finds the fit alone; faded from one into the other, they do
=================================================================================

Huber's loss listens to every outlier. Tukey's lets go beyond ``c``, and from a bad start that is nearly everything:
``tukey + fade * (huber - tukey)`` begins as the first and ends as the second. Features of 442 patients, targets made of
known weights and of noise, so that the error of a perfect fit is known.
"""

import numpy as np

import lossref
from lossref.datasets import diabetes, plant_outliers, split
from lossref.models import Linear
from lossref.plotting import band, describe, name_lines, panels

steps, seeds, shares, judge, model = 240, 8, (0.0, 0.2, 0.3, 0.4), lossref.MAE(), Linear(inputs=10)
huber, tukey = lossref.Huber(delta=5.0), lossref.Tukey(c=25.0)
fade = lossref.Cosine(peak=1.0, steps=3 * steps // 4)
switch = lossref.StepDecay(initial=1.0, factor=1e-9, every=steps // 2)
optimizer = lossref.Adam(lr=lossref.Cosine(peak=5.0, steps=steps))
losses = {"Huber": 1.0 * huber, "Tukey": 1.0 * tukey}
losses |= {"switched halfway": tukey + switch * (huber - tukey), "faded": tukey + fade * (huber - tukey)}


def fit(loss, x, y):
    """Train with weights that change with the step."""
    state = optimizer.init(params := model.init())
    for t in range(steps):
        optimizer.step(params, model.backward(params, x, loss.grad(model.forward(params, x), y, t=t)), state)
    return params


errors = {name: np.empty((seeds, len(shares))) for name in losses}
for seed in range(seeds):
    rng, data = np.random.default_rng(seed), split(*diabetes(), held_out=0.25, seed=seed)
    weights = rng.normal(0, 15, 10)
    train_y, test_y = (150 + x @ weights + rng.normal(0, 5, len(x)) for x in (data.train_x, data.test_x))
    for column, share in enumerate(shares):
        spoiled = plant_outliers(train_y, share=share, size=2, seed=seed)
        for name, loss in losses.items():
            errors[name][seed, column] = judge(model.forward(fit(loss, data.train_x, spoiled), data.test_x), test_y)

# %%
# Held-out error, the median of all seeds. Without outliers the curriculum gains nothing over Huber's loss, at two in
# ten it gains little; and to switch at once is nearly as good as to fade.

figure, (panel,) = panels()
middle = {name: np.median(table, axis=0) for name, table in errors.items()}
for index, (name, each) in enumerate(middle.items()):
    print(f"{name:17}" + "".join(f"{s:8.0%}: {error:5.1f}" for s, error in zip(shares, each, strict=True)))
    band(panel, np.array(shares) * 100, errors[name], index, name, marked=True)
print(f"a perfect fit: {5 * np.sqrt(2 / np.pi):.1f}, the mean size of the noise")
panel.set(xlabel="spoiled training targets (%)", ylabel="held-out error (logarithmic)", yscale="log", xlim=(-0.8, 40.8))
name_lines(panel)
ends = ", ".join(f"{name} {each[-1]:.1f}" for name, each in middle.items())
describe(figure, f"Held-out error against the share of spoiled targets, from 0 to 40 %. At 40 %: {ends}.")
assert middle["faded"][-1] < 0.6 * middle["Huber"][-1] < 0.1 * middle["Tukey"][-1]
