"""Adam and AdamW: momentum, and a step size for every parameter from the gradients it has seen."""

from __future__ import annotations

from dataclasses import dataclass
from math import expm1, inf, log, sqrt
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lossref import symbolic as sp
from lossref._arrays import Array
from lossref._parameters import choice, flag, fraction, nonnegative, positive, rate
from lossref.optimizers.base import Optimizer

if TYPE_CHECKING:
    from lossref.schedules.base import Schedule


@dataclass(frozen=True, kw_only=True)
class Moments(Optimizer):
    """What Adam and AdamW share: two running means of the gradient, and their correction at the start."""

    lr: float | Schedule = rate(1e-3, slider=(0.001, 1.0))
    beta1: float = fraction(0.9, slider=(0.0, 0.99))
    beta2: float = fraction(0.999, slider=(0.5, 0.9999))
    eps: float = positive(1e-8)
    eps_placement: str = choice("outside", ("outside", "inside"))
    amsgrad: bool = flag(False)
    weight_decay: float = nonnegative(0.0, slider=(0.0, 0.5))

    #: Does weight decay act on the parameters, beside the gradient?
    decoupled: ClassVar[bool] = False
    forms = ("", "_amsgrad", "_inside", "_amsgrad_inside")

    if TYPE_CHECKING:  # made in __post_init__
        _logs: ClassVar[tuple[float, float]]
        _constants: ClassVar[tuple[float, ...]]

    def __post_init__(self) -> None:
        super().__post_init__()
        logs = tuple(log(beta) if beta > 0 else -inf for beta in (self.beta1, self.beta2))
        object.__setattr__(self, "_logs", logs)
        constants = (self.beta1, 1 - self.beta1, self.beta2, 1 - self.beta2, self.eps)
        object.__setattr__(self, "_constants", constants)

    def _choose_kernel(self) -> str:
        return f"{self.name}{'_amsgrad' * self.amsgrad}{'_inside' * (self.eps_placement == 'inside')}"

    def buffers(self) -> tuple[str, ...]:
        return ("m", "v", "v_max") if self.amsgrad else ("m", "v")

    def scalars(self, t: int) -> tuple[float, ...]:
        # 1 - βᵗ, whose difference would cancel: at t = 2 and β = 0.999 it would lose six bits
        log1, log2 = self._logs
        lr, rest1, rest2 = self.rate_at(t), -expm1(t * log1), -expm1(t * log2)
        decay = 1 - lr * self.weight_decay if self.decoupled else self.weight_decay
        return lr / rest1, 1 / (rest2 if self.eps_placement == "inside" else sqrt(rest2)), *self._constants, decay

    def _move(self, g: Array, m: Array, v: Array, *v_max: Array, t: int) -> tuple[Array, ...]:
        """By how much Adam moves against the gradient ``g``, then the new buffers."""
        lr, correction, beta1, rest1, beta2, rest2, eps, _ = self.scalars(t)
        m = beta1 * m + rest1 * g
        v = beta2 * v + rest2 * (g * g)
        v_max = tuple(np.maximum(before, v) for before in v_max)
        s = v_max[0] if v_max else v
        divisor = np.sqrt(s * correction + eps) if self.eps_placement == "inside" else np.sqrt(s) * correction + eps
        return lr * m / divisor, m, v, *v_max


def adam(
    theta: Any,
    g: Any,
    m: Any,
    v: Any,
    v_max: Any,
    t: Any,
    lr: Any,
    beta1: Any,
    beta2: Any,
    eps: Any,
    eps_placement: Any,
    amsgrad: Any,
) -> dict[str, Any]:
    """Adam's step as mathematics."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    v_max = sp.Max(v_max, v)
    m_hat = m / (1 - beta1**t)
    v_hat = (v_max if amsgrad else v) / (1 - beta2**t)
    divisor = sp.sqrt(v_hat + eps) if eps_placement == "inside" else sp.sqrt(v_hat) + eps
    moved = {"m": m, "v": v, "v_max": v_max} if amsgrad else {"m": m, "v": v}
    return {**moved, "theta": theta - lr * m_hat / divisor}


@dataclass(frozen=True, kw_only=True)
class Adam(Moments):
    r"""Adam: momentum, divided by the root of the mean square of the gradient.

    .. math::

       \begin{aligned}
           d_t &= g_t + \lambda \theta_{t-1} \\
           m_t &= \beta_1 m_{t-1} + (1 - \beta_1) d_t \\
           v_t &= \beta_2 v_{t-1} + (1 - \beta_2) d_t^2 \\
           \hat m_t &= \frac{m_t}{1 - \beta_1^t} \\
           \hat v_t &= \frac{v_t}{1 - \beta_2^t} \\
           \theta_t &= \theta_{t-1} - \eta \frac{\hat m_t}{\sqrt{\hat v_t} + \epsilon}
       \end{aligned}

    Every parameter moves by about :math:`\eta`, however large its gradients are. Both means start at zero; dividing by
    :math:`1 - \beta^t` makes up for that.

    Parameters
    ----------
    lr : float > 0 or a schedule, default 1e-3
        The learning rate :math:`\eta`; a schedule is called with the number of steps already taken.
    beta1 : float in [0, 1), default 0.9
        The memory of the mean: it reaches back about :math:`1 / (1 - \beta_1)` steps.
    beta2 : float in [0, 1), default 0.999
        The memory of the mean square.
    eps : float > 0, default 1e-8
        What keeps the denominator from zero, :math:`\epsilon`; in the unit of the gradient, or of its square if it
        stands inside the root.
    eps_placement : {"outside", "inside"}, default "outside"
        Divide by :math:`\sqrt{\hat v_t} + \epsilon`, or by :math:`\sqrt{\hat v_t + \epsilon}`.
    amsgrad : bool, default False
        Divide by the largest :math:`v` so far instead of the latest.
    weight_decay : float >= 0, default 0.0
        The strength :math:`\lambda` of an L2 penalty, whose gradient is added to :math:`g`. It is divided by the root
        like all of the gradient; :class:`AdamW` decays without that.

    Notes
    -----
    By default :math:`\epsilon` stands outside the root and after the correction, as in the paper's Algorithm 1, in
    PyTorch and in optax, whose ``eps_root`` stands inside, after the correction as well. Keras and scikit-learn correct
    the rate instead, which multiplies their :math:`\epsilon` by :math:`1 / \sqrt{1 - \beta_2^t}`. With ``amsgrad``
    the largest raw :math:`v` is kept and then corrected, as in PyTorch and Keras; optax keeps the largest corrected
    one.

    References
    ----------
    D. P. Kingma, J. Ba, "Adam: a method for stochastic optimization", *ICLR*, 2015.

    S. J. Reddi, S. Kale, S. Kumar, "On the convergence of Adam and beyond", *ICLR*, 2018.

    Examples
    --------
    >>> import numpy as np
    >>> import lossref
    >>> theta = np.array([1.0, -2.0])
    >>> optimizer = lossref.Adam(lr=0.5)
    >>> state = optimizer.init(theta)
    >>> optimizer.step(theta, np.array([100.0, -0.01]), state)  # the first step is the rate, whatever the gradient
    >>> theta.round(4)
    array([ 0.5, -1.5])
    """

    samples = (
        {"lr": 0.1},
        {"lr": 0.5, "beta1": 0.5, "beta2": 0.75, "eps": 0.125, "weight_decay": 0.5},
        {"lr": 0.1, "amsgrad": True, "beta2": 0.5},
        {"lr": 0.5, "beta2": 0.75, "eps": 0.125, "eps_placement": "inside", "weight_decay": 0.25},
        {"lr": 0.1, "amsgrad": True, "beta2": 0.5, "eps_placement": "inside"},
        {"lr": 0.1, "beta1": 0.0, "beta2": 0.0},
    )

    @staticmethod
    def formula(
        theta: Any,
        g: Any,
        m: Any,
        v: Any,
        v_max: Any,
        t: Any,
        lr: Any,
        beta1: Any,
        beta2: Any,
        eps: Any,
        eps_placement: Any,
        amsgrad: Any,
        weight_decay: Any,
    ) -> Any:
        return adam(theta, g + weight_decay * theta, m, v, v_max, t, lr, beta1, beta2, eps, eps_placement, amsgrad)

    def reference(self, theta: Array, g: Array, *buffers: Array, t: int) -> tuple[Array, ...]:
        moved, *moments = self._move(g + self.weight_decay * theta, *buffers, t=t)
        return theta - moved, *moments


@dataclass(frozen=True, kw_only=True)
class AdamW(Moments):
    r"""AdamW: Adam, with a weight decay that is not divided by the root.

    .. math::

       \begin{aligned}
           m_t &= \beta_1 m_{t-1} + (1 - \beta_1) g_t \\
           v_t &= \beta_2 v_{t-1} + (1 - \beta_2) g_t^2 \\
           \hat m_t &= \frac{m_t}{1 - \beta_1^t} \\
           \hat v_t &= \frac{v_t}{1 - \beta_2^t} \\
           \theta_t &= (1 - \eta \lambda) \theta_{t-1} - \eta \frac{\hat m_t}{\sqrt{\hat v_t} + \epsilon}
       \end{aligned}

    In :class:`Adam` an L2 penalty is part of the gradient, so parameters with large gradients hardly decay. Here all
    shrink by the same share :math:`\eta \lambda` at each step.

    Parameters
    ----------
    lr : float > 0 or a schedule, default 1e-3
        The learning rate :math:`\eta`; a schedule is called with the number of steps already taken.
    beta1 : float in [0, 1), default 0.9
        The memory of the mean: it reaches back about :math:`1 / (1 - \beta_1)` steps.
    beta2 : float in [0, 1), default 0.999
        The memory of the mean square.
    eps : float > 0, default 1e-8
        What keeps the denominator from zero, :math:`\epsilon`; in the unit of the gradient, or of its square if it
        stands inside the root.
    eps_placement : {"outside", "inside"}, default "outside"
        Divide by :math:`\sqrt{\hat v_t} + \epsilon`, or by :math:`\sqrt{\hat v_t + \epsilon}`.
    amsgrad : bool, default False
        Divide by the largest :math:`v` so far instead of the latest.
    weight_decay : float >= 0, default 0.01
        The decay :math:`\lambda`.

    Notes
    -----
    The decay is multiplied by the scheduled rate, as in PyTorch, Keras and optax; the paper multiplies by the schedule
    alone, without :math:`\eta`. The default of :math:`\lambda` is PyTorch's; Keras has 0.004, optax 0.0001. Where
    :math:`\epsilon` stands is the same as in :class:`Adam`.

    References
    ----------
    I. Loshchilov, F. Hutter, "Decoupled weight decay regularization", *ICLR*, 2019.

    Examples
    --------
    >>> import numpy as np
    >>> import lossref
    >>> params = {"w": np.array([1.0, -2.0]), "b": np.array([0.0])}
    >>> grads = {"w": np.array([0.5, 0.0]), "b": np.array([3.0])}
    >>> optimizer = lossref.AdamW(lr=0.1, weight_decay=0.5)
    >>> state = optimizer.init(params)
    >>> optimizer.step(params, grads, state)
    >>> params["w"].round(4), params["b"].round(4)
    (array([ 0.85, -1.9 ]), array([-0.1]))
    """

    weight_decay: float = nonnegative(0.01, slider=(0.0, 0.5))

    decoupled = True
    samples = (
        {"lr": 0.1},
        {"lr": 0.5, "beta1": 0.5, "beta2": 0.75, "eps": 0.125, "weight_decay": 0.5},
        {"lr": 0.1, "amsgrad": True, "beta2": 0.5},
        {"lr": 0.5, "beta2": 0.75, "eps": 0.125, "eps_placement": "inside", "weight_decay": 0.25},
        {"lr": 0.1, "amsgrad": True, "beta2": 0.5, "eps_placement": "inside"},
        {"lr": 0.1, "beta1": 0.0, "beta2": 0.0, "weight_decay": 0.0},
    )

    @staticmethod
    def formula(
        theta: Any,
        g: Any,
        m: Any,
        v: Any,
        v_max: Any,
        t: Any,
        lr: Any,
        beta1: Any,
        beta2: Any,
        eps: Any,
        eps_placement: Any,
        amsgrad: Any,
        weight_decay: Any,
    ) -> Any:
        return adam((1 - lr * weight_decay) * theta, g, m, v, v_max, t, lr, beta1, beta2, eps, eps_placement, amsgrad)

    def reference(self, theta: Array, g: Array, *buffers: Array, t: int) -> tuple[Array, ...]:
        moved, *moments = self._move(g, *buffers, t=t)
        kept = self.scalars(t)[-1]
        return kept * theta - moved, *moments
