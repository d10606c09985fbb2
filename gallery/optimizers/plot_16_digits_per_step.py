"""
Near the minimum, each step of Newton's method doubles the digits; BFGS comes close, without a second derivative
================================================================================================================

Rosenbrock's valley. For most of the way all have to follow the bend. Then the parabola fits, and with it the number of
right digits doubles. BFGS and L-BFGS have learned the curvature on the way, from gradients alone, and come down ever
steeper. Gradient descent is a straight line that hardly falls: its rate is bounded by the steep walls.
"""

import numpy as np

import lossref
from lossref.landscapes import Rosenbrock
from lossref.plotting import describe, name_lines, panels, series

valley = Rosenbrock()
methods = {
    "Newton": lossref.Newton(),
    "BFGS": lossref.BFGS(),
    "L-BFGS": lossref.LBFGS(),
    "descent": lossref.SGD(lr=1e-3),
}
figure, (panel,) = panels(height=4.2)
lines = {}
for index, (name, method) in enumerate(methods.items()):
    found = lossref.minimize(
        valley.value_and_grad,
        valley.start,
        hess=valley.hessian,
        method=method,
        tol=1e-7,
        max_steps=45,
        keep_points=True,
    )
    away = np.linalg.norm(found.history.points - valley.minima[0], axis=1)
    panel.plot(np.arange(len(away)), away, label=name, **series(index))
    lines[name] = away
    print(
        f"{name:8} {found.nit:3} steps, {found.nfev:3} evaluations; the last distances",
        *(f"{d:.0e}" for d in away[-4:]),
    )
panel.set(
    xlabel="step", ylabel="distance from the minimum (1, logarithmic)", yscale="log", ylim=(1e-12, 10), xlim=(0, 45)
)
name_lines(panel)
newton, bfgs = lines["Newton"], lines["BFGS"]
describe(
    figure,
    "Distance from the minimum of Rosenbrock's valley against the step. The last three of Newton's method are "
    f"{newton[-3]:.0e}, {newton[-2]:.0e} and {newton[-1]:.0e}, those of BFGS {bfgs[-3]:.0e}, {bfgs[-2]:.0e} and "
    f"{bfgs[-1]:.0e}; descent stays at {lines['descent'][-1]:.1f}.",
)
assert newton[-1] < 100 * newton[-2] ** 2 < newton[-2]
assert bfgs[-1] < 1e-4 * bfgs[-4]
