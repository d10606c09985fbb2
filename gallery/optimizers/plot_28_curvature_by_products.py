"""
Ten products with the Hessian give its largest curvature to nine digits; hundreds give its trace to two
=======================================================================================================

Softmax regression on digits has 650 parameters, and a Hessian of 422,500 numbers that nobody has to write down: two
gradients on both sides of a point give its product with a vector. Lanczos' iteration finds the ends of the spectrum
from a few of these, for each product builds on the ones before. Hutchinson's trace is a mean over random vectors, and
gains a digit from a hundred times as many. (For the true values the picture computes all 650 columns.)
"""

import numpy as np

import lossref
from lossref.adapters.scipy import Objective
from lossref.datasets import digits
from lossref.models import Linear
from lossref.plotting import INK, describe, name_lines, panels, series
from lossref.training import hessian_vector_product, hutchinson_trace, lanczos

x, y = digits()
f = Objective(
    loss=lossref.CategoricalCrossEntropy(),
    model=Linear(inputs=64, outputs=10),
    x=x / 16,
    target=y,
    penalties={"weights": lossref.L2(lam=1e-3)},
)
point = lossref.minimize(f, f.start(), max_steps=10).x
n = len(point)


def product(v):
    return hessian_vector_product(lambda w: f(w)[1], point, v)


hessian = np.array([product(column) for column in np.eye(n)])
hessian = (hessian + hessian.T) / 2
curvatures = np.linalg.eigvalsh(hessian)
(figure, (largest, trace)), counts = panels(2, height=3.8), np.arange(2, 15)
off = [abs(lanczos(hessian, steps=k).highest / curvatures[-1] - 1) for k in counts]
largest.plot(counts, np.maximum(off, 1e-16), **series(0, marked=True))
largest.set(xlabel="products", ylabel="relative error (1)", yscale="log", title="largest curvature (Lanczos)")
samples = 2 ** np.arange(1, 9)
total = curvatures.sum()
runs = np.array([[hutchinson_trace(hessian, samples=k, seed=s).value for k in samples] for s in range(12)])
spread = np.sqrt(np.mean((runs / total - 1) ** 2, axis=0))
trace.plot(samples, spread, label="measured", **series(1, marked=True))
off_diagonal = np.sqrt(2 * (np.sum(hessian**2) - np.sum(np.diag(hessian) ** 2))) / total
trace.plot(samples, off_diagonal / np.sqrt(samples), color=INK, linestyle=":", label="theory")
trace.set(xlabel="products", xscale="log", yscale="log", title="trace (Hutchinson)")
name_lines(trace)
print(f"curvatures from {curvatures[0]:.4f} to {curvatures[-1]:.3f}; the trace is {total:.2f}")
describe(
    figure,
    f"Relative error against the number of products. The largest of {n} curvatures, {curvatures[-1]:.2f}, is off by "
    f"{off[8]:.0e} after ten; the trace, {total:.1f}, by {spread[-1]:.0e} after {samples[-1]}.",
)
assert off[8] < 1e-9
assert 5e-3 < spread[-1] < 5e-2
