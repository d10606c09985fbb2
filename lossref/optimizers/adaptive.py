"""Adaptive methods: every parameter has a step size of its own, made from the gradients it has seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lossref import symbolic as sp
from lossref._arrays import Array
from lossref._parameters import choice, flag, fraction, nonnegative, positive, rate
from lossref.optimizers.base import Optimizer

if TYPE_CHECKING:
    from lossref.schedules.base import Schedule


@dataclass(frozen=True, kw_only=True)
class AdaGrad(Optimizer):
    r"""AdaGrad: each parameter's step is divided by the root of the sum of all its squared gradients.

    .. math::

       \begin{aligned}
           d_t &= g_t + \lambda \theta_{t-1} \\
           G_t &= G_{t-1} + d_t^2 \\
           \theta_t &= \theta_{t-1} - \eta \frac{d_t}{\sqrt{G_t} + \epsilon}
       \end{aligned}

    Made for sparse features: a word that occurs once in a thousand sentences has seen few gradients, so when it occurs
    its parameter takes a large step, while the parameters of common words have settled. The price is that the sum
    only grows. Under gradients of one size the :math:`t`-th step is :math:`\eta / \sqrt t`, and nothing ever makes the
    steps larger again; :class:`RMSprop` forgets instead.

    Parameters
    ----------
    lr : float > 0 or a schedule, default 1e-2
        The learning rate :math:`\eta`, which is also the length of each parameter's first step; a schedule is called
        with the number of steps already taken.
    eps : float > 0, default 1e-10
        What keeps the denominator from zero, :math:`\epsilon`; in the unit of the gradient, or of its square if it
        stands inside the root.
    eps_placement : {"outside", "inside"}, default "outside"
        Divide by :math:`\sqrt{G_t} + \epsilon`, or by :math:`\sqrt{G_t + \epsilon}`.
    initial_accumulator : float >= 0, default 0.0
        The sum before the first step, :math:`G_0`: as if there had been gradients already, so that the first steps are
        shorter.
    weight_decay : float >= 0, default 0.0
        The strength :math:`\lambda` of an L2 penalty, whose gradient is added to :math:`g`.

    Notes
    -----
    The paper has :math:`\epsilon` outside the root and a sum that begins at zero, and so has PyTorch; its value is
    PyTorch's, for the paper names none. Keras and optax put it inside, with 1e-7, and begin the sum at 0.1. That is
    felt where gradients are small: of a first gradient of 0.1 the step is :math:`\eta` here and :math:`0.30 \, \eta`
    there.

    PyTorch's ``lr_decay`` is a schedule, :math:`\eta / (1 + (t - 1) \cdot \text{decay})`, on top of the rule's own
    decline.

    References
    ----------
    J. Duchi, E. Hazan, Y. Singer, "Adaptive subgradient methods for online learning and stochastic optimization",
    *Journal of Machine Learning Research* 12, 2011.

    Examples
    --------
    >>> import numpy as np
    >>> import lossref
    >>> theta = np.array([0.0, 0.0])
    >>> optimizer = lossref.AdaGrad(lr=1.0)
    >>> state = optimizer.init(theta)
    >>> for t in range(4):  # the gradient of the second parameter is zero but for the last step
    ...     optimizer.step(theta, np.array([-1.0, -1.0 if t == 3 else 0.0]), state)
    ...     print(theta.round(3))
    [1. 0.]
    [1.707 0.   ]
    [2.284 0.   ]
    [2.784 1.   ]
    """

    lr: float | Schedule = rate(1e-2, slider=(0.01, 3.0))
    eps: float = positive(1e-10)
    eps_placement: str = choice("outside", ("outside", "inside"))
    initial_accumulator: float = nonnegative(0.0)
    weight_decay: float = nonnegative(0.0, slider=(0.0, 0.5))

    forms = ("", "_inside")
    samples = (
        {"lr": 0.5},
        {"lr": 0.5, "eps": 0.125, "weight_decay": 0.5},
        {"lr": 0.5, "eps": 0.125, "eps_placement": "inside", "initial_accumulator": 0.25},
        {"lr": 0.5, "eps_placement": "inside", "initial_accumulator": 0.5, "weight_decay": 0.5},
    )

    def _choose_kernel(self) -> str:
        return "ada_grad_inside" if self.eps_placement == "inside" else "ada_grad"

    def buffers(self) -> tuple[str, ...]:
        return ("G",)

    def fresh(self, letter: str, theta: Array) -> Array:
        return np.full(theta.shape, self.initial_accumulator, theta.dtype)

    def scalars(self, t: int) -> tuple[float, ...]:
        return self.rate_at(t), self.eps, self.weight_decay

    @staticmethod
    def formula(theta: Any, g: Any, G: Any, lr: Any, eps: Any, eps_placement: Any, weight_decay: Any) -> Any:
        d = g + weight_decay * theta
        G = G + d**2
        divisor = sp.sqrt(G + eps) if eps_placement == "inside" else sp.sqrt(G) + eps
        return {"G": G, "theta": theta - lr * d / divisor}

    def reference(self, theta: Array, g: Array, *buffers: Array, t: int) -> tuple[Array, ...]:
        lr, eps, decay = self.scalars(t)
        d = g + decay * theta
        G = buffers[0] + d * d
        divisor = np.sqrt(G + eps) if self.eps_placement == "inside" else np.sqrt(G) + eps
        return theta - lr * d / divisor, G


@dataclass(frozen=True, kw_only=True)
class RMSprop(Optimizer):
    r"""RMSprop: each parameter's step is divided by the root of a running mean of its squared gradients.

    .. math::

       \begin{aligned}
           d_t &= g_t + \lambda \theta_{t-1} \\
           v_t &= \rho v_{t-1} + (1 - \rho) d_t^2 \\
           u_t &= \beta u_{t-1} + \frac{d_t}{\sqrt{v_t} + \epsilon} \\
           \theta_t &= \theta_{t-1} - \eta u_t
       \end{aligned}

    :class:`AdaGrad` remembers every gradient for ever; here they fade, so that the steps grow again when the gradients
    have become small, and a goal that moves is followed. The mean reaches back about :math:`1 / (1 - \rho)` steps. A
    gradient of the usual size moves its parameter by :math:`\eta`, whatever the usual size is.

    Parameters
    ----------
    lr : float > 0 or a schedule, default 1e-3
        The learning rate :math:`\eta`; a schedule is called with the number of steps already taken.
    rho : float in [0, 1), default 0.9
        The share :math:`\rho` of the mean that is kept.
    centered : bool, default False
        Divide by the root of the gradient's running variance, :math:`v_t - m_t^2` with
        :math:`m_t = \rho m_{t-1} + (1 - \rho) d_t`, instead of that of its mean square.
    momentum : float in [0, 1), default 0.0
        The share :math:`\beta` of the velocity :math:`u` that is kept. Without it :math:`u` is not remembered.
    eps : float > 0, default 1e-8
        What keeps the denominator from zero, :math:`\epsilon`; in the unit of the gradient, or of its square if it
        stands inside the root.
    eps_placement : {"outside", "inside"}, default "outside"
        Divide by :math:`\sqrt{v_t} + \epsilon`, or by :math:`\sqrt{v_t + \epsilon}`.
    weight_decay : float >= 0, default 0.0
        The strength :math:`\lambda` of an L2 penalty, whose gradient is added to :math:`g`.

    Notes
    -----
    The mean starts at zero and nothing makes up for it: with :math:`\rho = 0.9` the first step has the length
    :math:`\eta / \sqrt{0.1} = 3.16 \, \eta`. :class:`Adam` corrects that.

    The lecture in which the rule was published has no :math:`\epsilon`. PyTorch has it outside the root, and
    :math:`\rho = 0.99`; Keras and optax have it inside, optax outside by an option. A gradient of :math:`10^{-4}` takes
    a first step of :math:`3.16 \, \eta` with 1e-8 outside, of :math:`0.95 \, \eta` with 1e-8 inside, and of
    :math:`0.31 \, \eta` with the 1e-7 inside of Keras. Keras and optax have the rate in the velocity, which is the same
    until the rate changes.

    If the rule is centred, ``v`` in the state is the variance itself, which is brought forward without ever being a
    difference of two large numbers:

    .. math:: v_t = \rho \left( v_{t-1} + (1 - \rho) (d_t - m_{t-1})^2 \right)

    Computed as a mean square less a squared mean it cancels where gradients hardly vary, and where it comes out
    negative its root is NaN. So it goes in PyTorch for gradients of 1 ± 0.0001 in float32, in each of a hundred
    parameters within 300 steps.

    References
    ----------
    T. Tieleman, G. Hinton, "Lecture 6.5: RMSprop, divide the gradient by a running average of its recent magnitude",
    *COURSERA: Neural Networks for Machine Learning*, 2012.

    A. Graves, "Generating sequences with recurrent neural networks", arXiv:1308.0850, 2013: the centred form.

    Examples
    --------
    >>> import numpy as np
    >>> import lossref
    >>> theta = np.array([0.0, 0.0])
    >>> optimizer = lossref.RMSprop(lr=0.1)
    >>> state = optimizer.init(theta)
    >>> for size in (1.0, 1.0, 0.01):  # the second gradient is always a thousandth of the first
    ...     optimizer.step(theta, np.array([-size, -size / 1000]), state)
    >>> theta.round(3)
    array([0.548, 0.548])
    """

    lr: float | Schedule = rate(1e-3, slider=(0.001, 1.0))
    rho: float = fraction(0.9, slider=(0.0, 0.99))
    centered: bool = flag(False)
    momentum: float = fraction(0.0, slider=(0.0, 0.99))
    eps: float = positive(1e-8)
    eps_placement: str = choice("outside", ("outside", "inside"))
    weight_decay: float = nonnegative(0.0, slider=(0.0, 0.5))

    forms = tuple(
        f"{centered}{momentum}{inside}"
        for inside in ("", "_inside")
        for centered in ("", "_centered")
        for momentum in ("", "_momentum")
    )
    samples = (
        {"lr": 0.1},
        {"lr": 0.5, "rho": 0.5, "eps": 0.125, "weight_decay": 0.5},
        {"lr": 0.1, "momentum": 0.5, "centered": True, "rho": 0.75},
        {"lr": 0.5, "momentum": 0.5, "eps": 0.125, "eps_placement": "inside", "weight_decay": 0.25},
        {"lr": 0.5, "rho": 0.5, "centered": True, "eps": 0.125, "eps_placement": "inside"},
    )

    def _choose_kernel(self) -> str:
        momentum, inside = self.momentum > 0, self.eps_placement == "inside"
        return f"rmsprop{'_centered' * self.centered}{'_momentum' * momentum}{'_inside' * inside}"

    def buffers(self) -> tuple[str, ...]:
        return ("v", *["m"] * self.centered, *["u"] * (self.momentum > 0))

    def scalars(self, t: int) -> tuple[float, ...]:
        return self.rate_at(t), self.rho, 1 - self.rho, self.momentum, self.eps, self.weight_decay

    @staticmethod
    def formula(
        theta: Any,
        g: Any,
        v: Any,
        m: Any,
        u: Any,
        lr: Any,
        rho: Any,
        centered: Any,
        momentum: Any,
        eps: Any,
        eps_placement: Any,
        weight_decay: Any,
    ) -> Any:
        d = g + weight_decay * theta
        if centered:
            moments = {"v": rho * (v + (1 - rho) * (d - m) ** 2), "m": rho * m + (1 - rho) * d}
        else:
            moments = {"v": rho * v + (1 - rho) * d**2}
        v = moments["v"]
        u = momentum * u + d / (sp.sqrt(v + eps) if eps_placement == "inside" else sp.sqrt(v) + eps)
        return {**moments, "u": u, "theta": theta - lr * u}

    def reference(self, theta: Array, g: Array, *buffers: Array, t: int) -> tuple[Array, ...]:
        lr, rho, rest, beta, eps, decay = self.scalars(t)
        d = g + decay * theta
        kept = dict(zip(self.buffers(), buffers, strict=True))
        if self.centered:
            r = d - kept["m"]
            kept |= {"m": rho * kept["m"] + rest * d, "v": rho * (kept["v"] + rest * (r * r))}
        else:
            kept["v"] = rho * kept["v"] + rest * (d * d)
        u = d / (np.sqrt(kept["v"] + eps) if self.eps_placement == "inside" else np.sqrt(kept["v"]) + eps)
        if self.momentum > 0:
            u = kept["u"] = beta * kept["u"] + u
        return theta - lr * u, *kept.values()
