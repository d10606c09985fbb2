"""
A network becomes steeper until its learning rate only just bears it
====================================================================

The same small network on the same 200 digits from the same start, full batch, at three learning rates. Time is steps
times rate. The dashed lines are at two over the rate: on a quadratic steeper than that, descent diverges. Nothing has
been told to the network, and yet its highest curvature climbs to the line, and stays about there while the loss goes on
falling.
"""

import numpy as np

import lossref
from lossref.datasets import digits
from lossref.plotting import PALETTE, describe, name_lines, panels, series
from lossref.training import hessian_vector_product, lanczos

x, y = digits()
x, y, hidden = x[:200] / 16 - 0.5, np.eye(10)[y[:200]], 16
loss, cut, random = lossref.MSE(), 64 * hidden, np.random.default_rng(0)
start = random.normal(size=cut + 10 * hidden) / 16


def value_and_grad(params):
    """A layer of tanh and a linear one, their weights in one vector."""
    a, b = params[:cut].reshape(64, hidden), params[cut:].reshape(hidden, 10)
    z = np.tanh(x @ a)
    value, slope = loss.value_and_grad(z @ b, y)
    return value, 10 * np.concatenate([(x.T @ (slope @ b.T * (1 - z * z))).ravel(), (z.T @ slope).ravel()])


def train(rate, time=150.0, looks=25):
    """Return the highest curvature, from time to time, and the last loss; a step at half the rate is half the time."""
    params, optimizer, seen = start.copy(), lossref.SGD(lr=rate), []
    state = optimizer.init(params)
    for step in range(round(time / rate) + 1):
        value, grad = value_and_grad(params)
        if step % round(time / rate / looks) == 0:
            products = lambda v: hessian_vector_product(lambda p: value_and_grad(p)[1], params, v)  # noqa: E731
            seen.append([step * rate, lanczos(products, len(params), steps=10).highest])
        optimizer.step(params, grad, state)
    return np.array(seen), value


(figure, (panel,)), ends = panels(height=4), {}
for index, rate in enumerate((0.1, 0.15, 0.2)):
    seen, value = train(rate)
    panel.plot(*seen.T, label=f"rate {rate}", **series(index))
    panel.axhline(2 / rate, color=PALETTE[index], linewidth=1, linestyle=(0, (6, 3)))
    ends[rate] = np.median(seen[-4:, 1])
    print(f"rate {rate}: curvature {ends[rate]:.1f}, two over the rate {2 / rate:.1f}; loss {value:.4f}")
panel.set(xlabel="steps times rate", ylabel="highest curvature", xlim=(0, 150), ylim=(0, 23))
name_lines(panel)
ended = ", ".join(f"{curvature:.1f} at rate {rate}" for rate, curvature in ends.items())
describe(figure, f"Highest curvature of a network in training, from 3 upwards; the last ones are {ended}, near 2/rate.")
assert all(0.95 < curvature * rate / 2 < 1.1 for rate, curvature in ends.items())
