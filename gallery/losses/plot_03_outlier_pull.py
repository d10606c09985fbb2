"""
One outlier drags the mean along without end; the median and Huber's estimate let go
====================================================================================

Nine measurements lie around 10. The tenth is wrong, and wanders away from 10 to 60. The best constant prediction under
squared error is the mean, which follows it for ever; under absolute error the median, and under Huber's loss something
between, both of which stop caring.
"""

import numpy as np

import lossref
from lossref.plotting import describe, name_lines, panels, series

rng = np.random.default_rng(1964)
good = np.sort(rng.normal(10.0, 1.0, 9))
places = np.linspace(10.0, 60.0, 201)
losses = {"MSE": lossref.MSE(), "MAE": lossref.MAE(), "Huber, δ = 1": lossref.Huber(delta=1.0)}


def best_constant(loss, targets):
    """Find where the pulls balance: the gradient of the sum changes its sign there."""
    low, high = targets.min(), targets.max()
    for _ in range(50):
        middle = (low + high) / 2
        pull = loss.grad(np.full_like(targets, middle), targets).sum()
        low, high = (middle, high) if pull < 0 else (low, middle)
    return middle


best = {
    name: np.array([best_constant(loss, np.append(good, place)) for place in places]) for name, loss in losses.items()
}
figure, (panel,) = panels()
for index, (name, constants) in enumerate(best.items()):
    panel.plot(places, constants, label=name, **series(index))
panel.set(
    xlabel="where the tenth measurement lies (unit)",
    ylabel="best constant prediction (unit)",
    xlim=(10, 60),
    ylim=(9, 16),
)
name_lines(panel)

# %%
# How far the estimate moves while the outlier moves by 50 units:

moved = {name: constants[-1] - constants[0] for name, constants in best.items()}
for name, distance in moved.items():
    print(f"{name:13} {distance:.2f}")

describe(
    figure,
    "Line chart of the best constant prediction against the place of one outlier from 10 to 60. While it moves by 50, "
    f"the prediction moves by {moved['MSE']:.1f} under MSE, {moved['MAE']:.2f} under MAE and "
    f"{moved['Huber, δ = 1']:.2f} under Huber's loss with delta 1.",
)
assert abs(moved["MSE"] - 5.0) < 0.01  # the mean of ten moves by a tenth of 50
assert max(moved["MAE"], moved["Huber, δ = 1"]) < 0.5
