"""
A chain of 100 layers in a quarter of the memory, for less than one more run forwards
=====================================================================================

The backward pass needs the input of every layer. Every tenth of them kept and the rest computed again takes 18
activations instead of 99. No plan with that memory needs fewer runs; with less, the best plan goes on where the rule of
every k-th ends. Memory is what NumPy had allocated, work is counted in runs of a layer, and the seconds are printed.
"""

import time
import tracemalloc

import numpy as np

import lossref
from lossref.plotting import PALETTE, describe, name_lines, panels, series
from lossref.training import chain_gradient, keep_best, keep_every

depth, loss, rng = 100, lossref.MSE(), np.random.default_rng(0)
x, target = rng.normal(size=(2, 500, 32))


class Gate:
    def __init__(self):
        self.weights = rng.normal(1, 0.3, 32)  # one for each number of a sample

    def forward(self, x):
        return np.tanh(self.weights * x)

    def vjp(self, x, slope):
        slope = slope * (1 - self.forward(x) ** 2)
        return slope * self.weights, (slope * x).sum(axis=0)


chain, upstream = [Gate() for _ in range(depth)], lambda y: loss.grad(y, target)
plans = {"every k-th": [keep_every(depth, k) for k in (depth, 50, 25, 10)]}
plans["best"] = [keep_best(depth, slots) for slots in (99, 18, 9, 6, 4, 3)]
(figure, (panel,)), first, taken = panels(), None, {}
for index, (name, each) in enumerate(plans.items()):
    for plan in each:
        start = time.perf_counter()
        chain_gradient(chain, x, upstream, plan)
        seconds = time.perf_counter() - start
        tracemalloc.start()
        gradient = chain_gradient(chain, x, upstream, plan).slope
        taken[plan] = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
        first = gradient if first is None else first
        assert (gradient == first).all()
        print(f"{name:10} {plan.stored:3} stored {taken[plan]:5.1f} MB {plan.forwards:4} runs {1e3 * seconds:4.0f} ms")
    runs, megabytes = zip(*((plan.forwards, taken[plan]) for plan in each), strict=True)
    panel.plot(runs, megabytes, label=name, **series(index, marked=True))
panel.set(xlabel="runs of a layer forwards (count)", ylabel="memory (MB)", ylim=(0, None), xlim=(90, 500))
name_lines(panel, lines=panel.lines[1:])
everything, *_, tenth, few = *plans["every k-th"], plans["best"][-1]
end = (tenth.forwards, taken[tenth])
panel.annotate("every k-th", end, (6, 8), textcoords="offset points", color=PALETTE[0])
told = (f"{plan.stored} stored take {taken[plan]:.1f} MB and {plan.forwards} runs" for plan in (everything, tenth, few))
describe(figure, "Peak memory against runs of a layer forwards, for a chain of 100. " + "; ".join(told) + ".")
assert taken[tenth] < taken[everything] / 4
