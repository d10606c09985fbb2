"""
Four letters for one thing: the scale of a robust loss says from which residual on an error is large
====================================================================================================

β, δ, σ, c. Each of these losses is a parabola up to about its scale, and something else beyond. Twice the scale gives
the same curve, drawn twice as wide (and, but for smooth L1, twice as high, for the slope has the unit of the residual).
So a scale belongs to the noise of the target, and changes with its unit: inches want another δ than centimetres.
"""

import numpy as np

import lossref
from lossref.plotting import GRID, describe, grid, name_lines, read, series

r, scales = np.linspace(-6, 6, 1201), (1.0, 2.0, 4.0)
kinds = {
    "smooth L1, β": lambda scale: lossref.SmoothL1(beta=scale),
    "pseudo-Huber, δ": lambda scale: lossref.PseudoHuber(delta=scale),
    "Cauchy, σ": lambda scale: lossref.Cauchy(scale=scale),
    "Tukey, c": lambda scale: lossref.Tukey(c=scale),
}
figure, axes = grid(4, height=5.4)
for panel, (name, kind) in zip(axes, kinds.items(), strict=True):
    for index, scale in enumerate(scales):
        panel.plot(r, read(kind(scale), "slope", r, target=0.0), label=f"{scale:g}", **series(index))
    panel.set(title=name, xlabel="residual r (unit)", ylabel="slope", xlim=(-6, 6), ylim=(-3.6, 3.6))
    panel.label_outer()
    panel.grid(color=GRID, linewidth=0.6)
    name_lines(panel)

# %%
# The slope at residuals of a half, one and two scales, over the slope at a tenth of the scale: a loss has its own three
# numbers, and they are the same for each of its scales.

places, told = np.array([0.1, 0.5, 1.0, 2.0]), []
for name, kind in kinds.items():
    slopes = np.array([read(kind(scale), "slope", scale * places, target=0.0) for scale in scales])
    shapes = slopes[:, 1:] / slopes[:, :1]
    assert np.allclose(shapes, shapes[0])
    told.append(f"{name[:-3]} " + ", ".join(f"{shape:.1f}" for shape in shapes[0]))
print(*told, sep="\n")
describe(
    figure,
    "Slopes of four losses against the residual from -6 to 6, each for scales of 1, 2 and 4. At 0.5, 1 and 2 scales "
    f"the slope is so many times that at a tenth of the scale: {'; '.join(told)}.",
)
