"""
Of counts that grow, squared error hears only the large ones, and its growth rate scatters more
===============================================================================================

A count with a mean of 50 is missed by about 7, one with a mean of 1 by about 1. Squared error takes the first miss for
49 times as bad, so that the few large counts decide where the curve goes. The Poisson loss expects as much variance as
mean, and learns from all of them.
"""

import numpy as np

import lossref
from lossref.plotting import INK, describe, panels, series

time = np.linspace(0, 4, 60)
inputs = np.stack([np.ones_like(time), time])
mean = np.exp(time)  # it grows by the rate 1
rng = np.random.default_rng(1898)


def fit(loss, counts):
    """The start and the rate of exp(start + rate · time), by Newton's steps on a loss of the logarithm of the mean."""
    weights = np.array([0.5, 0.8])
    for _ in range(30):
        f = weights @ inputs
        if loss is lossref.MSE:  # of the mean itself: the chain rule, and Gauss and Newton's curvature
            m = np.exp(f)
            slope, curvature = loss().grad(m, counts) * m, loss().curvature(m, counts) * m * m
        else:
            slope, curvature = loss().grad(f, counts), loss().curvature(f, counts)
        weights = weights - np.linalg.solve(inputs * curvature @ inputs.T, inputs @ slope)
    return weights


losses = {"squared error": lossref.MSE, "Poisson": lossref.Poisson}
samples = rng.poisson(mean, (200, 60)).astype(float)
fits = {name: np.array([fit(loss, counts) for counts in samples]) for name, loss in losses.items()}
rates = {name: found[:, 1] for name, found in fits.items()}
worst = np.argmax(np.abs(rates["squared error"] - 1))

figure, (left, right) = panels(2)
left.semilogy(time, samples[worst], "o", color=INK, markersize=3)  # without the zeros
for index, name in enumerate(losses):
    left.plot(time, np.exp(fits[name][worst] @ inputs), label=name, **series(index))
    right.plot(np.sort(rates[name]), np.linspace(0, 1, 200), label=name, **series(index))
left.set(xlabel="time (1)", ylabel="count (1)", title="The sample that misled squared error most", xlim=(0, 4))
right.set(xlabel="growth rate found (1)", ylabel="share of samples (1)", title="All samples; the truth is 1")
left.legend(frameon=False)
right.legend(frameon=False)
wide, narrow = (rates[name].std() for name in losses)
describe(
    figure,
    "Left, 60 counts that grow from about 1 to 55, and the curves that the two losses fit. Right, the growth rates "
    f"found in 200 samples: they scatter by {wide:.3f} with squared error and by {narrow:.3f} with the Poisson loss.",
)
assert abs(rates["Poisson"].mean() - 1) < 0.01
assert wide > 1.3 * narrow
