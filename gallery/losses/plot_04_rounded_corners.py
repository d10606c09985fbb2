"""
Huber's curvature falls off a cliff; log-cosh and pseudo-Huber let it fade
==========================================================================

All of these losses are parabolas near zero and straight lines far away, and their slopes look alike. A method that also
asks for the curvature (Newton's, or boosting) sees the difference: Huber's loss and smooth L1 have a constant one up to
the seam and none beyond, so that an outlier tells such a method nothing; the other two always answer something.
"""

import lossref
from lossref.plotting import curve, describe, name_lines, read

losses = {
    "Huber, δ = 1": lossref.Huber(delta=1.0),
    "smooth L1, β = ½": lossref.SmoothL1(beta=0.5),
    "log-cosh": lossref.LogCosh(),
    "pseudo-Huber, δ = 1": lossref.PseudoHuber(delta=1.0),
}
figure = curve(list(losses.values()), span=(-4, 4), show=["slope", "curvature"], labels=list(losses))
slope, curvature = figure.axes
slope.set(xlim=(-4, 4), ylim=(-1.2, 1.2), ylabel="slope (unit; smooth L1: 1)", title="Slope")
curvature.set(xlim=(-4, 4), ylim=(-0.1, 2.2), ylabel="curvature (1; smooth L1: 1/unit)", title="Curvature")
for panel in figure.axes:
    name_lines(panel)

# %%
# How curved is each at residuals of 0, 2 and 4?

bends = {name: read(loss, "curvature", [0.0, 2.0, 4.0], target=0.0) for name, loss in losses.items()}
for name, (center, at_2, at_4) in bends.items():
    print(f"{name:20} at 0: {center:.0f}   at 2: {at_2:.4f}   at 4: {at_4:.4f}")

describe(
    figure,
    "Slope, left, and curvature, right, of four losses against the residual from -4 to 4. The slopes are S-shaped, "
    "from -1 to 1. At a residual of 2 the curvature of Huber's loss and smooth L1 is 0, that of log-cosh "
    f"{bends['log-cosh'][1]:.3f} and that of pseudo-Huber {bends['pseudo-Huber, δ = 1'][1]:.3f}.",
)
assert bends["Huber, δ = 1"].tolist() == [1, 0, 0]
assert bends["smooth L1, β = ½"].tolist() == [2, 0, 0]
assert all(bends[name][2] > 0.001 for name in ("log-cosh", "pseudo-Huber, δ = 1"))
