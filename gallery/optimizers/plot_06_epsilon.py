"""
Inside the root an epsilon of 1e-8 stands for 1e-4: below that, Adam is gradient descent
========================================================================================

Adam's first step is the rate, whatever the size of the gradient, until the gradient is as small as what keeps the
division from zero. Outside the root that is ε itself; inside it is √ε. Keras and scikit-learn have ε outside but before
the correction, where it counts for ε/√(1 − β₂), at the first step thirty times as much. A gradient of 1e-6 is worth a
whole step, three quarters of one, or a hundredth, and all three are called Adam with an epsilon of 1e-8.
"""

import numpy as np

import lossref
from lossref.plotting import describe, name_lines, panels, series

gradients = np.geomspace(1, 1e-12, 241)
before = lossref.Adam().eps / np.sqrt(1 - lossref.Adam().beta2)
kinds = {
    "outside, 1e-8": lossref.Adam(lr=1.0, eps=1e-8),
    "before the correction": lossref.Adam(lr=1.0, eps=before),
    "inside, 1e-8": lossref.Adam(lr=1.0, eps=1e-8, eps_placement="inside"),
}

figure, (panel,) = panels(height=4.2)
half, small = {}, {}
for index, (name, optimizer) in enumerate(kinds.items()):
    theta = np.zeros_like(gradients)
    optimizer.step(theta, gradients, optimizer.init(theta))
    panel.plot(gradients, -theta, label=name, **series(index))
    half[name] = gradients[np.argmax(-theta < 0.5)]
    small[name] = float(np.interp(1e-6, gradients[::-1], -theta[::-1]))
    print(f"{name:22} half a step at {half[name]:.0e}; a gradient of 1e-6 goes {small[name]:.4f} of the rate")
panel.set(xlabel="gradient (its own unit, logarithmic)", ylabel="first step (multiples of the rate, logarithmic)")
panel.set(xscale="log", yscale="log", xlim=(1, 1e-12), ylim=(1e-9, 3))
name_lines(panel)

told = ", ".join(f"{small[name]:.3g} for {name}" for name in kinds)
describe(figure, f"First step of Adam against the size of the gradient, in logarithms. At 1e-6: {told} of the rate.")
assert half["inside, 1e-8"] > 5e3 * half["outside, 1e-8"]
assert small["inside, 1e-8"] < 0.011 < 0.7 < small["before the correction"] < 0.8 < 0.98 < small["outside, 1e-8"]
