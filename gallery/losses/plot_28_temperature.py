"""
At a temperature of 0.05 five of 255 negatives get four fifths of the push; at 1 all get their share
====================================================================================================

A picture of a digit is to be told from 255 others by its own copy, to which noise has been added. InfoNCE pushes the
others away, each by its share in a softmax of the cosines. Divided by a low temperature, cosines lie far apart, and the
push is for the few that look most like the picture: hard negatives are mined without a miner. It is for them too if
they look alike because they *are* alike.
"""

import numpy as np

import lossref
from lossref.datasets import digits
from lossref.plotting import INK, describe, name_lines, panels, series

pictures = digits()[0][:256]
pictures = pictures - pictures.mean(axis=0)
copies = pictures + 4 * np.random.default_rng(2018).standard_normal(pictures.shape)


def pushes(loss, i):
    """How hard one picture pushes each copy but its own, as shares of the whole, the hardest first."""
    alone = np.where(np.arange(256)[:, np.newaxis] == i, pictures, 0)  # a row of zeros pulls at nothing
    each = np.linalg.norm(loss.grad(alone, copies)[1], axis=1)
    return np.sort(np.delete(each, i))[::-1] / np.delete(each, i).sum()


# For the curves on the left a query, its own key at a cosine from -1 to 1, and one negative at a right angle to it.
cosines = np.linspace(-1, 1, 401)
own = np.column_stack([cosines, np.sqrt(1 - cosines**2)])
figure, (value, share) = panels(2)
heard = {}
for index, tau in enumerate((0.05, 0.2, 1.0)):
    loss = lossref.InfoNCE(temperature=tau)
    costs = [loss.values([[1, 0], [0, 0]], [key, [0, 1]])[0] for key in own]
    value.plot(cosines, costs, label=f"τ = {tau:g}", **series(index))
    heard[tau] = np.cumsum(np.mean([pushes(loss, i) for i in range(0, 256, 8)], axis=0))
    (line,) = share.plot(np.arange(1, 256), 100 * heard[tau], label=f"τ = {tau:g}", **series(index))
    five = 5, 100 * heard[tau][4]
    share.plot(*five, "o", color=INK)
    share.annotate(f"{five[1]:.0f} %", five, (-5, 4), textcoords="offset points", ha="right", color=line.get_color())
    print(f"τ = {tau:4}   the hardest negative {heard[tau][0]:.1%}, five {heard[tau][4]:.1%}, ten {heard[tau][9]:.1%}")
value.set(xlabel="cosine of the query with its key", ylabel="loss (nats)", xlim=(-1, 1), ylim=(0, 6), title="Value")
share.set(xlabel="hardest negatives (of 255, logarithmic)", ylabel="their share of the push (%)", title="Push")
share.set(xscale="log", xlim=(1, 255), ylim=(0, 100), xticks=[1, 5, 10, 50, 255], xticklabels=[1, 5, 10, 50, 255])
share.minorticks_off()
name_lines(value)
name_lines(share)
told = ", ".join(f"{100 * part[4]:.0f} % at {tau:g}" for tau, part in heard.items())
describe(
    figure,
    "Left, loss of a query against the cosine with its key, for three temperatures. Right, share of the push that goes "
    f"to the hardest negatives, against their number from 1 to 255: the first five get {told}.",
)
assert heard[0.05][4] > 0.75 > 0.04 > heard[1.0][4]
