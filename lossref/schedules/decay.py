"""Decay: rates that fall as training goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lossref import symbolic as sp
from lossref._arrays import Array
from lossref._parameters import count, flag, nonnegative, positive
from lossref.schedules.base import Schedule


def logarithm(x: float, divisor: int = 1) -> tuple[float, float]:
    """``log(x) / divisor`` to twice the digits of a float, as the sum of two.

    In ``exp(t * log(x))`` an error of the logarithm is multiplied by ``t``."""
    import decimal

    with decimal.localcontext(prec=50):
        exact = decimal.Decimal(x).ln() / divisor
        high = float(exact)
        return high, float(exact - decimal.Decimal(high))


def power(initial: float, t: Array, log: float, log_low: float) -> Array:
    """``initial * exp(t * (log + log_low))``, with what rounding takes from the product made good.

    The power goes in as its root, twice: alone it may be out of range where ``initial`` times it is not."""
    t = np.minimum(t, 1e270)
    product = t * log
    t_high, log_high = upper_half(t), upper_half(log)
    t_rest, log_rest = t - t_high, log - log_high
    lost = ((t_high * log_high - product) + t_high * log_rest + t_rest * log_high) + t_rest * log_rest + t * log_low
    root = np.exp(product / 2)
    rates: Array = initial * root * (root * (1 + np.where(np.abs(product) < 1416, lost, 0)))
    return rates


def upper_half(x: Any) -> Any:
    """The upper 26 bits of a float: the product of two such halves is exact."""
    shifted = (2.0**27 + 1) * x
    return shifted - (shifted - x)


@dataclass(frozen=True, kw_only=True)
class StepDecay(Schedule):
    r"""A staircase: the rate is multiplied by ``factor`` after every so many steps.

    .. math::

       \eta(t) = \eta_0 \, \gamma^{\lfloor t / s \rfloor}

    Parameters
    ----------
    initial : float > 0
        The rate :math:`\eta_0` of the first stair.
    factor : float > 0, default 0.1
        The ratio :math:`\gamma` of a stair to the one before.
    every : int >= 1, default 30
        The length :math:`s` of a stair, in steps (or in epochs, if that is what ``t`` counts).

    Notes
    -----
    The first step on a new stair is :math:`t = s`, as in PyTorch's ``StepLR``; Keras' ``PiecewiseConstantDecay`` goes
    down one step later.

    Examples
    --------
    >>> import lossref
    >>> rate = lossref.StepDecay(initial=1.0, factor=0.5, every=10)
    >>> rate([0, 9, 10, 20])
    array([1.  , 1.  , 0.5 , 0.25])
    """

    initial: float = positive(slider=(0.01, 1.0))
    factor: float = positive(0.1, slider=(0.05, 1.0))
    every: int = count(30, slider=(1, 50))

    samples = (
        {"initial": 0.1},
        {"initial": 1.0, "factor": 0.5, "every": 1},
        {"initial": 3e-4, "factor": 0.97, "every": 7},
    )

    def _kernel_parameters(self) -> tuple[float, ...]:
        return (self.initial, *logarithm(self.factor), self.every)

    @staticmethod
    def formula(t: Any, initial: Any, factor: Any, every: Any) -> Any:
        return initial * factor ** sp.floor(t / every)

    def reference(self, t: Array) -> Array:
        return self.initial * self.factor ** (t // self.every)


@dataclass(frozen=True, kw_only=True)
class Exponential(Schedule):
    r"""Exponential decay: every step multiplies the rate by the same number.

    .. math::

       \eta(t) = \eta_0 \, r^{t / s}

    Parameters
    ----------
    initial : float > 0
        The rate :math:`\eta_0` at the start.
    rate : float > 0
        The ratio :math:`r` of two rates that are ``every`` steps apart. Above 1 the rate grows, as in a range test.
    every : int >= 1, default 1
        The number :math:`s` of steps in which the rate is multiplied by ``rate``.
    staircase : bool, default False
        Go down only at multiples of ``every``: :math:`\lfloor t / s \rfloor` in place of :math:`t / s`, which makes it
        a :class:`StepDecay`.

    Notes
    -----
    The lecture's, Keras' and optax's form; with ``every=1`` it is PyTorch's ``ExponentialLR``. There is no floor: in
    the end the rate underflows to 0 (or, growing, overflows to infinity).

    Examples
    --------
    >>> import lossref
    >>> rate = lossref.Exponential(initial=1.0, rate=0.25, every=10)
    >>> rate([0, 5, 10])
    array([1.  , 0.5 , 0.25])
    """

    initial: float = positive(slider=(0.01, 1.0))
    rate: float = positive(slider=(0.05, 1.0))
    every: int = count(1, slider=(1, 50))
    staircase: bool = flag(False)

    forms = ("", "_staircase")
    samples = (
        {"initial": 0.1, "rate": 0.9},
        {"initial": 1.0, "rate": 0.5, "every": 10},
        {"initial": 3e-4, "rate": 0.96, "every": 100, "staircase": True},
        {"initial": 1e-7, "rate": 1.1, "every": 3},
    )

    def _choose_kernel(self) -> str:
        return "exponential_staircase" if self.staircase else "exponential"

    def _kernel_parameters(self) -> tuple[float, ...]:
        return (self.initial, *logarithm(self.rate, 1 if self.staircase else self.every), self.every)

    @staticmethod
    def formula(t: Any, initial: Any, rate: Any, every: Any, staircase: Any) -> Any:
        return initial * rate ** (sp.floor(t / every) if staircase else t / every)

    def reference(self, t: Array) -> Array:
        if self.staircase:
            return self.initial * self.rate ** (t // self.every)
        _, log, log_low, _ = self._parameters
        return power(self.initial, t, log, log_low)


@dataclass(frozen=True, kw_only=True)
class Cosine(Schedule):
    r"""Cosine annealing: half a wave, from the peak down to the floor.

    .. math::

       \eta(t) = \eta_{\min} + \tfrac12 (\eta_{\max} - \eta_{\min}) \left(1 + \cos \frac{\pi t}{T}\right),
       \qquad 0 \le t \le T

    It is flat at both ends: the rate stays high for long, and takes leave of the floor slowly. After :math:`T` it stays
    on the floor.

    Parameters
    ----------
    peak : float > 0
        The rate :math:`\eta_{\max}` at the start.
    steps : int >= 1
        The length :math:`T`: the floor is reached at ``t = steps``.
    floor : float >= 0, default 0.0
        The rate :math:`\eta_{\min}` at the end, at most ``peak``.

    Notes
    -----
    After the end, Keras and optax stay on the floor as well; PyTorch's ``CosineAnnealingLR`` rises again. ``steps``
    does not include a warm-up, as in Keras' ``decay_steps``; optax' ``warmup_cosine_decay_schedule`` includes it.

    Near the end :math:`1 + \cos` cancels, and with it all digits of the rate. It is computed as
    :math:`2 \sin^2 \frac{\pi (T - t)}{2T}`, which does not.

    References
    ----------
    I. Loshchilov, F. Hutter, "SGDR: stochastic gradient descent with warm restarts", *ICLR*, 2017.

    Examples
    --------
    >>> import lossref
    >>> rate = lossref.Cosine(peak=1.0, steps=4)
    >>> rate([0, 1, 2, 3, 4]).round(6)
    array([1.      , 0.853553, 0.5     , 0.146447, 0.      ])
    >>> rate(1000)
    0.0
    """

    peak: float = positive(slider=(0.01, 1.0))
    steps: int = count(slider=(1, 100))
    floor: float = nonnegative(0.0, slider=(0.0, 0.5))

    samples = (
        {"peak": 1.0, "steps": 100},
        {"peak": 1e-3, "steps": 7, "floor": 1e-5},
        {"peak": 0.1, "steps": 1},
        {"peak": 0.1, "steps": 2},
        {"peak": 0.1, "steps": 3},
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.floor > self.peak:
            raise ValueError(f"Cosine: floor must be at most peak, got floor={self.floor!r}, peak={self.peak!r}")

    def _kernel_parameters(self) -> tuple[float, ...]:
        return self.peak, self.floor, self.steps

    @staticmethod
    def formula(t: Any, peak: Any, steps: Any, floor: Any) -> Any:
        fall = floor + (peak - floor) * (1 + sp.cos(sp.pi * t / steps)) / 2
        return sp.Piecewise((fall, t < steps), (floor, True))

    def reference(self, t: Array) -> Array:
        left = np.maximum(self.steps - t, 0.0)
        # Whichever end is nearer, the distance from it is the sum that does not cancel.
        sine = np.sin(np.pi / 2 * (np.minimum(t, left) / self.steps))
        near = sine * sine * (self.peak - self.floor)
        rates: Array = np.where(t < left, self.peak - near, self.floor + near)
        return rates
