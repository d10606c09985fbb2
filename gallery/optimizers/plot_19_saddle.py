"""
At a saddle descent waits, momentum hurries, noise gets anyone off, and Newton walks in
=======================================================================================

The ridge between two wells. Gradient descent comes along it from a thousandth beside it and loses many steps at the
saddle; momentum multiplies the small push faster. Exactly on the ridge no gradient leads off, but any noise does.
Newton's step divides by the curvature, which is negative across: it turns the way down into a way up.
"""

import numpy as np

from lossref import SGD
from lossref.landscapes import Saddle
from lossref.plotting import PALETTE, contours, describe, name_lines, panels, series
from lossref.training import classify_critical_point

surface, steps = Saddle(), 120


def walk(start, optimizer=None, noise=0.0):
    """Return the points on the way down; without an optimizer, Newton's."""
    rng, x = np.random.default_rng(0), np.array(start)
    points, state = [x.copy()], optimizer and optimizer.init(x)
    for _ in range(steps):
        if optimizer:
            optimizer.step(x, surface.grad(x) + noise * rng.standard_normal(2), state)
        else:
            x = x - np.linalg.solve(surface.hessian(x), surface.grad(x))
        points.append(x.copy())
    return np.array(points)


walks = {
    "descent": walk((-1.5, 1e-3), SGD(lr=0.1)),
    "momentum": walk((-1.5, 1e-3), SGD(lr=0.1, momentum=0.7)),
    "noise": walk((-1.5, 0.0), SGD(lr=0.1), noise=0.03),
    "Newton": walk((-1.5, 1e-3)),
}
figure, (plane, panel) = panels(2, height=4)
contours(plane, surface, surface.span)
left = {}
for index, (name, points) in enumerate(walks.items()):
    plane.plot(*points.T, **series(index) | {"linewidth": 1.4})
    panel.plot(heights := surface(points.T), label=name, **series(index))
    left[name] = int(np.argmax(heights < -0.2)) or None
    kind = classify_critical_point(surface.grad, points[-1], hessian=surface.hessian, tol=0.1).kind
    print(f"{name:9} {left[name] or 'never, in ' + str(steps)} steps to come below -0.2; ends at a {kind}")
for minimum in surface.minima:
    plane.plot(*minimum, marker="*", color=PALETTE[2], markersize=10)
plane.set(xlabel="parameter x", ylabel="parameter y", xlim=surface.span[0], ylim=surface.span[1])
panel.set(xlabel="step (updates)", ylabel="height (1)", xlim=(0, steps), ylim=(-0.3, 0.3))
name_lines(panel)
describe(
    figure,
    "Paths over a saddle between two wells, and their heights against 120 steps. Below a height of -0.2: descent after "
    f"{left['descent']}, momentum after {left['momentum']}, descent with noise after {left['noise']} steps; Newton's "
    "method stays at the saddle.",
)
assert left["momentum"] < left["noise"] < left["descent"]
assert (kind, left["Newton"]) == ("saddle", None)
