"""
AdaGrad's steps only get shorter: when the goal moves, RMSprop follows and AdaGrad does not
===========================================================================================

One parameter, noisy gradients, and a goal that jumps after every 500 steps. AdaGrad divides by the root of the sum of
all squared gradients, RMSprop by that of a mean which forgets. Both get the rate at which they are closest to the goal
over the first 500 steps, before anything has moved.
"""

import numpy as np

import lossref
from lossref.plotting import describe, name_lines, panels, series

phase = 500
goals = np.repeat([1.0, -1.0, 1.0, -1.0], phase)
noise = np.random.default_rng(0).normal(size=(len(goals), 20))  # of twenty runs at once


def follow(optimizer, steps):
    """Return where the parameters are after each step, and how far a gradient of 1 would move them."""
    state, lengths, places = optimizer.init(theta := np.zeros(20)), [], []
    for goal, shake in zip(goals[:steps], noise, strict=False):
        optimizer.step(theta, theta - goal + shake, state)
        (divisor,) = state.buffers.values()
        lengths.append(optimizer.lr / np.sqrt(divisor).mean())
        places.append(theta.copy())
    return np.array(places), np.array(lengths)


def distance(optimizer):
    """Measure how far the parameters are from the first goal, on average."""
    return np.abs(follow(optimizer, phase)[0] - goals[0]).mean()


rates = np.geomspace(0.005, 2, 14)
kinds = [[kind(lr=lr) for lr in rates] for kind in (lossref.AdaGrad, lossref.RMSprop)]
best = {type(each[0]).__name__: min(each, key=distance) for each in kinds}

# %%
# AdaGrad is the better one while the goal stands still: its falling steps average the noise away. Each time the goal
# has moved it takes longer to get there.

figure, (left, right) = panels(2)
right.plot(goals, label="goal", **series(2))
far = {}
for index, (name, optimizer) in enumerate(best.items()):
    places, lengths = follow(optimizer, len(goals))
    left.plot(lengths, label=name, **series(index))
    right.plot(np.median(places, axis=1), label=name, **series(index))
    far[name] = np.abs(places - goals[:, None]).mean(axis=1).reshape(4, phase).mean(axis=1)
    print(f"{name:8} at {optimizer.lr:.3f}: distance from the goal in the four phases {far[name].round(2)}")
left.set(xlabel="step (updates)", ylabel="step for a gradient of 1 (logarithmic)", yscale="log", ylim=(2e-3, 0.5))
right.set(xlabel="step (updates)", ylabel="parameter, median of 20 runs", ylim=(-1.4, 1.4))
name_lines(left)
name_lines(right)
told = "; ".join(f"{name} {', '.join(f'{value:.2f}' for value in values)}" for name, values in far.items())
describe(figure, f"Step lengths, and parameters behind a jumping goal. Mean distance in the four phases: {told}.")
assert far["AdaGrad"][0] < far["RMSprop"][0]
assert far["AdaGrad"][3] > 1.5 * far["RMSprop"][3]
