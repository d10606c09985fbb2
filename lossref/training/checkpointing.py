"""Gradient checkpointing: the gradient of a long chain of layers in little memory, for some layers computed twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import comb
from typing import Any, NamedTuple, Protocol

from lossref._arrays import Array
from lossref._parameters import Range, count

NUMBER: Range = count().metadata["range"]


class Layer(Protocol):
    """What a chain is made of: anything with these two methods."""

    def forward(self, x: Array) -> Array:
        """Return the activation behind the layer."""

    def vjp(self, x: Array, slope: Array) -> tuple[Array, Any]:
        """Given the input again and the gradient in the output: the gradient in the input, and in the parameters."""


class Action(NamedTuple):
    """One line of a plan.

    ``"forward"`` sends the activation at hand through a layer; ``"store"`` keeps it, the input of that layer;
    ``"load"`` takes it up again; ``"drop"`` forgets it; ``"backward"`` takes the gradient through the layer, whose
    input is at hand.
    """

    kind: str
    layer: int


@dataclass(frozen=True)
class Plan:
    """In which order a chain is run forwards and backwards, and what is kept in between.

    Made by :func:`keep_every` and :func:`keep_best`, or by hand: a plan that uses what it does not have is refused.

    Parameters
    ----------
    actions : sequence of Action
        What is done, line by line.

    Attributes
    ----------
    layers : int
        How many layers the chain has.
    forwards : int
        How often a layer is run forwards; ``layers`` if none is run twice. The last layer's run, which gives the
        output, belongs to its ``"backward"`` and is counted too.
    stored : int
        How many activations are stored at most at one time, the input of the chain included. The one at hand, which
        every layer needs in order to run, is not counted.
    """

    actions: tuple[Action, ...]
    layers: int = field(init=False)
    forwards: int = field(init=False)
    stored: int = field(init=False)

    def __post_init__(self) -> None:
        actions = tuple(Action(*action) for action in self.actions)
        layers = sum(action.kind == "backward" for action in actions)
        at_hand, left, kept, most = 0, layers, set[int](), 0
        for place, (kind, layer) in enumerate(actions):
            match kind:
                case "forward" if layer == at_hand < left - 1:
                    at_hand += 1
                case "store" if layer == at_hand:
                    kept.add(layer)
                case "load" if layer in kept:
                    at_hand = layer
                case "drop" if layer in kept:
                    kept.remove(layer)
                case "backward" if layer == at_hand == left - 1:
                    left = layer
                case _:
                    raise ValueError(f"Plan: actions[{place}] = {kind!r} of layer {layer} cannot be done there")
            most = max(most, len(kept))
        forwards = sum(action.kind == "forward" for action in actions) + 1
        for name, value in (("actions", actions), ("layers", layers), ("forwards", forwards), ("stored", most)):
            object.__setattr__(self, name, value)


def keep_every(layers: int, k: int) -> Plan:
    r"""Plan to store every k-th activation, and to run each stretch between two of them once more when its turn comes.

    With :math:`m = \lceil n / k \rceil` stretches of at most :math:`k \ge 2` layers, the gradient takes

    .. math::

       n + (m - 1)(k - 1) \text{ runs forwards and at most } m + k - 2 \text{ stored activations}

    instead of :math:`n` and :math:`n - 1`. The sum :math:`m + k` is least where :math:`k \approx \sqrt n`: memory of
    :math:`2 \sqrt n` for less than one more run through the chain. That is the rule that everybody uses. Where
    :math:`n = m k` no plan with that memory needs fewer runs; with less memory than that, :func:`keep_best` goes on
    where this rule ends.

    Parameters
    ----------
    layers : int >= 1
        The number :math:`n` of layers.
    k : int >= 1
        The length of a stretch. From ``layers`` on all is kept and no layer runs twice.

    Returns
    -------
    Plan
        The plan.

    References
    ----------
    T. Chen, B. Xu, C. Zhang, C. Guestrin, "Training deep nets with sublinear memory cost", arXiv:1604.06174, 2016.

    Examples
    --------
    >>> from lossref.training import keep_every
    >>> for k in (100, 10, 2):
    ...     plan = keep_every(100, k)
    ...     print(f"{k:3}: {plan.stored} stored, {plan.forwards} runs forwards")
    100: 99 stored, 100 runs forwards
     10: 18 stored, 181 runs forwards
      2: 50 stored, 149 runs forwards
    """
    layers, k = NUMBER.check("keep_every", "layers", layers), NUMBER.check("keep_every", "k", k)
    starts = range(0, layers, k)
    actions = [Action("store", 0)]
    for start in starts[1:]:
        actions += [*forwards(start - k, start), Action("store", start)]
    for start in reversed(starts):
        if start != starts[-1]:
            actions.append(Action("load", start))
        actions += [*keep_all(start, min(start + k, layers)), Action("drop", start)]
    return Plan(tuple(actions))


def keep_best(layers: int, slots: int) -> Plan:
    r"""Plan with the fewest runs forwards that are possible if so many activations may be stored at one time.

    Let :math:`r` be the smallest number with :math:`\binom{s + r}{s} \ge n`. Then the least number of runs is

    .. math::

       1 + r n - \binom{s + r}{r - 1}

    and no layer runs more than :math:`r` times. Binomials grow fast: with 9 slots, two runs of each layer are enough
    for 55 layers, three for 220, four for 715. Memory and runs of a layer can both be kept to the order of
    :math:`\log n`, where :func:`keep_every` ends at :math:`\sqrt n`.

    Parameters
    ----------
    layers : int >= 1
        The number :math:`n` of layers.
    slots : int >= 1
        The number :math:`s` of activations that may be stored, the input of the chain among them.

    Returns
    -------
    Plan
        The plan.

    References
    ----------
    A. Griewank, A. Walther, "Algorithm 799: revolve: an implementation of checkpointing for the reverse or adjoint mode
    of computational differentiation", *ACM Transactions on Mathematical Software* 26 (1), 2000.

    Examples
    --------
    >>> from lossref.training import keep_best
    >>> [keep_best(100, slots).forwards for slots in (99, 18, 6, 1)]
    [100, 181, 281, 4951]
    """
    layers, slots = NUMBER.check("keep_best", "layers", layers), NUMBER.check("keep_best", "slots", slots)
    return Plan((Action("store", 0), *reverse(0, layers, slots), Action("drop", 0)))


def forwards(first: int, last: int) -> list[Action]:
    """From the input of one layer to that of another."""
    return [Action("forward", layer) for layer in range(first, last)]


def keep_all(first: int, last: int) -> list[Action]:
    """Take the gradient from ``last`` to ``first``, whose input is at hand and stored, and run no layer twice."""
    actions = []
    for layer in range(first, last - 1):
        actions += [Action("forward", layer), Action("store", layer + 1)]
    actions[-1:] = [Action("backward", last - 1)]  # one layer alone needs only what is at hand
    for layer in range(last - 2, first, -1):
        actions += [Action("load", layer), Action("backward", layer), Action("drop", layer)]
    return actions if last - first == 1 else [*actions, Action("load", first), Action("backward", first)]


def reverse(first: int, last: int, slots: int) -> list[Action]:
    """The same in so many slots, of which the input of ``first`` has one, with as few runs as possible."""
    actions: list[Action] = []
    while last - first - 1 > slots:
        middle = first + split(last - first, slots)
        actions += forwards(first, middle)
        if slots > 1:
            actions += [Action("store", middle), *reverse(middle, last, slots - 1), Action("drop", middle)]
        else:
            actions.append(Action("backward", middle))
        actions.append(Action("load", first))
        last = middle
    return [*actions, *keep_all(first, last)]


def split(layers: int, slots: int) -> int:
    """After how many layers to store. With so many runs of each as are needed, neither side may be out of reach."""
    runs = 0
    while reach(slots, runs) < layers:
        runs += 1
    return max(1, layers - reach(slots - 1, runs), reach(slots, runs - 2))


def reach(slots: int, runs: int) -> int:
    """How many layers can be reversed if none may run more often than that."""
    return comb(slots + runs, slots) if runs >= 0 else 0


class ChainGradient(NamedTuple):
    """What :func:`chain_gradient` returns."""

    #: The output of the chain.
    output: Array
    #: The gradient in its input.
    slope: Array
    #: The gradient in the parameters of each layer, as the layer gives it.
    grads: list[Any]


def chain_gradient(
    layers: Sequence[Layer], x: Array, upstream: Callable[[Array], Array], plan: Plan | None = None
) -> ChainGradient:
    """Run a chain of layers forwards and the gradient back through it, keeping what the plan says.

    The backward pass needs the input of every layer, in reverse order. To keep them all takes memory in proportion to
    the depth; every other plan computes some of them again. The gradient is the same to the bit, for the same functions
    are called with the same numbers.

    Parameters
    ----------
    layers : sequence of Layer
        At least one layer, from the input to the output: anything with ``forward(x)`` and ``vjp(x, slope)``. A layer
        must give the same result when it is run again; one that draws random numbers must remember its draw.
    x : numpy.ndarray
        The input of the chain.
    upstream : callable
        Given the output, the gradient of the loss in it: ``lambda y: loss.grad(y, target)``.
    plan : Plan, optional
        What to keep; everything, if not given.

    Returns
    -------
    ChainGradient
        ``output``, ``slope`` (in the input), ``grads`` (one entry for each layer).

    Raises
    ------
    ValueError
        If there is no layer, or the plan is made for another number of layers. No layer has been run then.

    Examples
    --------
    >>> import numpy as np
    >>> from lossref.training import chain_gradient, keep_best
    >>> class Scale:
    ...     def __init__(self, by):
    ...         self.by = by
    ...     def forward(self, x):
    ...         return self.by * x
    ...     def vjp(self, x, slope):
    ...         return self.by * slope, (slope * x).sum()
    >>> chain = [Scale(2.0), Scale(3.0), Scale(5.0)]
    >>> result = chain_gradient(chain, np.ones(1), lambda y: np.ones(1), keep_best(3, slots=1))
    >>> result.output, result.slope, [float(g) for g in result.grads]
    (array([30.]), array([30.]), [15.0, 10.0, 6.0])
    """
    if not layers:
        raise ValueError("chain_gradient: layers is empty; give at least one layer")
    plan = keep_every(len(layers), 1) if plan is None else plan
    if not isinstance(plan, Plan):
        raise TypeError(f"chain_gradient: plan must be a Plan, got {type(plan).__name__}")
    if plan.layers != len(layers):
        raise ValueError(f"chain_gradient: plan is for {plan.layers} layers but there are {len(layers)}")
    at_hand, output, slope = x, x, x
    stored: dict[int, Array] = {}
    grads: list[Any] = [None] * len(layers)
    for kind, i in plan.actions:
        match kind:
            case "forward":
                at_hand = layers[i].forward(at_hand)
            case "store":
                stored[i] = at_hand
            case "load":
                at_hand = stored[i]
            case "drop":
                del stored[i]
            case "backward":
                if i == len(layers) - 1:
                    output = layers[i].forward(at_hand)
                    slope = upstream(output)
                slope, grads[i] = layers[i].vjp(at_hand, slope)
    return ChainGradient(output, slope, grads)
