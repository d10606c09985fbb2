"""
Only a penalty with a kink has a proximal map that is flat at zero
==================================================================

The proximal map answers: given that descent would put the parameter at w, where should the penalty move it? L2 divides
every w by the same number and never reaches zero. L1 subtracts a constant and stops at zero: all of a whole interval
lands on it. The elastic net does both.
"""

import numpy as np

import lossref
from lossref.plotting import describe, name_lines, penalties

items = [lossref.L1(lam=1.0), lossref.L2(lam=0.5), lossref.ElasticNet(l1=1.0, l2=0.5)]
figure = penalties(items, step=1.0, span=(-3, 3), labels=["L1", "L2", "elastic net"])
value, slope, prox = figure.axes
value.set(xlim=(-3, 3), ylim=(0, 5), title="Value")
slope.set(xlim=(-3, 3), ylim=(-4, 4), title="Slope")
prox.set(xlim=(-3, 3), ylim=(-3, 3), title="Proximal map")
for panel in figure.axes:
    name_lines(panel)

# %%
# Which parameters does each send to zero exactly?

w = np.linspace(-3, 3, 601)
zeros = {type(item).__name__: w[item.prox(w, 1.0) == 0] for item in items}
for name, sent in zeros.items():
    print(f"{name:10} sends {len(sent):3} of {len(w)} to zero: from {sent.min():.2f} to {sent.max():.2f}")

describe(
    figure,
    "Three line charts against a parameter from -3 to 3: penalty, slope and proximal map of L1, L2 and elastic net. "
    f"The proximal map of L1 is zero from {zeros['L1'].min():.1f} to {zeros['L1'].max():.1f}; that of L2 is a straight "
    "line which is zero at one point only.",
)
assert len(zeros["L2"]) == 1
assert len(zeros["L1"]) == len(zeros["ElasticNet"]) > 195
