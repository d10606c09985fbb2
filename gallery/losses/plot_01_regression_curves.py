"""
The pull of squared error grows without end; the other two stop pulling harder
==============================================================================

The three regression losses agree that an error of zero is best. They differ in how hard an error pulls: the slope of
squared error is twice the residual, however large; that of absolute error is 1 or −1, however small; Huber's follows
the first inside ±δ and the second outside.
"""

import lossref
from lossref.plotting import curve, describe, name_lines, read

losses = [lossref.MSE(), lossref.MAE(), lossref.Huber(delta=1.0)]
figure = curve(losses, span=(-4, 4), labels=["MSE", "MAE", "Huber, δ = 1"])
value, slope = figure.axes
value.set(ylim=(0, 8), xlim=(-4, 4), ylabel="loss (unit²; MAE: unit)", title="Value")
slope.set(ylim=(-4, 4), xlim=(-4, 4), ylabel="slope: pull on the prediction", title="Slope")
for panel in figure.axes:
    name_lines(panel)

# %%
# The pulls of an error of 10, and of one ten times larger. Only the first becomes ten times stronger.

pulls = {type(loss).__name__: read(loss, "slope", [10.0, 100.0], target=0.0).tolist() for loss in losses}
for name, (at_10, at_100) in pulls.items():
    print(f"{name:6} pull at 10: {at_10:5.1f}   at 100: {at_100:6.1f}")

describe(
    figure,
    "Two line charts against the residual from -4 to 4. Left, the losses: a parabola for MSE, a V for MAE, a parabola "
    f"with straight arms for Huber. Right, their slopes: at a residual of 100, {pulls['MSE'][1]:.0f} for MSE, "
    f"{pulls['MAE'][1]:.0f} for MAE and {pulls['Huber'][1]:.0f} for Huber.",
)
assert pulls["MSE"][1] == 10 * pulls["MSE"][0]
assert pulls["MAE"] == pulls["Huber"] == [1.0, 1.0]
