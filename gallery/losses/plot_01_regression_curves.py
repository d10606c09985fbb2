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
shown = ("value", "slope", "curvature")
figure = curve(losses, show=shown, labels=["MSE", "MAE", "Huber"], against="residual r (unit)")
value, slope, curvature = figure.axes
value.set(ylim=(0, 8), ylabel="loss (unit²; MAE: unit)", title="Value")
slope.set(ylim=(-4, 4), ylabel="slope: pull on the prediction", title="Slope")
curvature.set(ylim=(-0.1, 2.5), title="Curvature")
for panel in figure.axes:
    panel.set(xlim=(-4, 4), xticks=range(-4, 5, 2))
    name_lines(panel)

# %%
# The pulls of an error of 10, and of one ten times larger. Only the first becomes ten times stronger.

pulls = {type(loss).__name__: read(loss, "slope", [10.0, 100.0], target=0.0).tolist() for loss in losses}
for name, (at_10, at_100) in pulls.items():
    print(f"{name:6} pull at 10: {at_10:5.1f}   at 100: {at_100:6.1f}")

describe(
    figure,
    "Losses, slopes and curvatures against the residual from -4 to 4: a parabola for MSE, a V for MAE, a parabola with "
    f"straight arms for Huber. At a residual of 100 the slope is {pulls['MSE'][1]:.0f} for MSE, "
    f"{pulls['MAE'][1]:.0f} for MAE and {pulls['Huber'][1]:.0f} for Huber.",
)
assert pulls["MSE"][1] == 10 * pulls["MSE"][0]
assert pulls["MAE"] == pulls["Huber"] == [1.0, 1.0]
