"""
A look-ahead that forgets the rate diverges beyond a curvature of 2.11, however small the rate
==============================================================================================

Nesterov takes the gradient where the velocity is about to lead, at θ − ηβv. Written without the η, as it sometimes is,
the look-ahead does not shrink with the rate: where the curvature exceeds 1 + 1/β, the velocity grows by itself. A mean
of losses is often flat enough to hide it. The specimen is kept here; the library has only the right one.
"""

import numpy as np

from lossref import SGD
from lossref.plotting import INK, describe, name_lines, panels, series
from lossref.training import spectral_radius

beta, border = 0.9, 1 + 1 / 0.9


def specimen(h, lr):
    """Return the matrix of v = βv + h (θ − βv), θ = θ − ηv: it should read θ − ηβv."""
    return np.array([[1 - lr * h, -lr * beta * (1 - h)], [h, beta * (1 - h)]])


def factor(h, lr):
    return np.abs(np.linalg.eigvals(specimen(h, lr))).max()


figure, (left, right) = panels(2, height=3.8)
curvatures = np.linspace(0.01, 4, 400)
for index, lr in enumerate((0.1, 0.01, 0.0001)):
    left.plot(curvatures, [factor(h, lr) for h in curvatures], label=f"rate {lr:g}", **series(index))
right_one = SGD(lr=0.1, momentum=beta, nesterov=True)
left.plot(curvatures, spectral_radius(right_one, curvatures), label="right, 0.1", **series(3))
left.axhline(1, color=INK, linewidth=0.8)
left.set(xlabel="curvature (1 / unit of the rate)", ylabel="factor per step (1)", xlim=(0, 4), ylim=(0, 2.8))
name_lines(left)

theta, optimizer = np.ones(1), SGD(lr=1e-3, momentum=beta, nesterov=True)
memory, state, sizes = optimizer.init(theta), np.array([1.0, 0.0]), {"with the rate": [], "without": []}
for _ in range(200):
    optimizer.step(theta, 5.0 * theta, memory)
    sizes["with the rate"].append(abs(theta[0] + 1e-3 * beta * memory.buffers["v"][0]))  # back from the look-ahead
    state = specimen(5.0, 1e-3) @ state
    sizes["without"].append(abs(state[0]))
for index, (name, line) in enumerate(sizes.items()):
    right.plot(line, label=name, **series(index))
ends = {name: line[-1] for name, line in sizes.items()}
print(", ".join(f"{name}: {end:.3g}" for name, end in ends.items()), "after 200 steps")
right.set(xlabel="step (updates)", ylabel="|θ| (logarithmic)", yscale="log", xlim=(0, 200), ylim=(1e-7, 1e111))
name_lines(right)
describe(
    figure,
    f"Left, the factor per step against curvature: without the rate it passes 1 at {border:.2f} for all rates. Right, "
    f"200 steps at curvature 5 and rate 0.001 end at {ends['with the rate']:.1e} with it and at {ends['without']:.1e} "
    "without.",
)
assert all(factor(border * 1.01, lr) > 1 for lr in (0.1, 1e-3, 1e-9))
assert factor(border * 0.99, 1e-9) <= 1
assert ends["without"] > 1e100
