"""Gradient descent: against the gradient, plainly or with momentum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lossref import symbolic as sp
from lossref._arrays import Array
from lossref._parameters import flag, fraction, nonnegative, rate
from lossref.optimizers.base import Optimizer

if TYPE_CHECKING:
    from lossref.schedules.base import Schedule


@dataclass(frozen=True, kw_only=True)
class SGD(Optimizer):
    r"""Gradient descent, with momentum if wanted: the velocity is a sum of past gradients that fades.

    .. math::

       \begin{aligned}
           d_t &= g_t + \lambda \theta_{t-1} \\
           v_t &= \beta v_{t-1} + (1 - \tau) d_t \\
           \theta_t &= \theta_{t-1} - \eta v_t
       \end{aligned}

    Without momentum (:math:`\beta = 0`) the step is :math:`\theta_t = \theta_{t-1} - \eta d_t`. With it, directions
    in which gradients agree are taken up to :math:`1 / (1 - \beta)` times faster, and those in which they alternate
    cancel. The velocity starts as the first gradient: :math:`v_1 = d_1`, without dampening.

    Parameters
    ----------
    lr : float > 0, or a schedule
        The learning rate :math:`\eta`; a schedule is called with the number of steps already taken.
    momentum : float in [0, 1), default 0.0
        The share :math:`\beta` of the velocity that is kept.
    dampening : float in [0, 1), default 0.0
        What is taken off each gradient but the first, :math:`\tau`; it needs momentum.
    nesterov : bool, default False
        Step by :math:`d_t + \beta v_t` instead of :math:`v_t`; it needs momentum and no dampening.
    weight_decay : float >= 0, default 0.0
        The strength :math:`\lambda` of an L2 penalty :math:`\tfrac12 \lambda \lVert \theta \rVert^2`, whose gradient
        is added.
    lr_in_velocity : bool, default False
        Put the rate into the velocity, :math:`v_t = \beta v_{t-1} - \eta (1 - \tau) d_t`, and step by
        :math:`\theta_t = \theta_{t-1} + v_t` (Nesterov: by :math:`\beta v_t - \eta d_t`).

    Notes
    -----
    The two families are the same while the rate is constant and part when it changes: with the rate outside, a new
    rate holds at once for the whole velocity; with the rate inside, past gradients keep the rate of their time. PyTorch
    and optax's ``sgd`` have it outside, Keras and scikit-learn inside.

    Nesterov's rule is the one of all four libraries, in the shifted variable: the parameters are the point at which the
    gradient is taken, not the one from which the look-ahead is made.

    References
    ----------
    B. T. Polyak, "Some methods of speeding up the convergence of iteration methods", *USSR Computational Mathematics
    and Mathematical Physics* 4, 1964.

    I. Sutskever, J. Martens, G. Dahl, G. Hinton, "On the importance of initialization and momentum in deep learning",
    *ICML*, 2013.

    Examples
    --------
    >>> import numpy as np
    >>> import lossref
    >>> theta = np.array([1.0, -2.0])
    >>> optimizer = lossref.SGD(lr=0.5, momentum=0.5)
    >>> state = optimizer.init(theta)
    >>> optimizer.step(theta, theta.copy(), state)  # the gradient of a round bowl is the point itself
    >>> theta
    array([ 0.5, -1. ])
    >>> state.step, state.buffers["v"]
    (1, array([ 1., -2.]))
    """

    lr: float | Schedule = rate(slider=(0.001, 1.0))
    momentum: float = fraction(0.0, slider=(0.0, 0.99))
    dampening: float = fraction(0.0, slider=(0.0, 0.99))
    nesterov: bool = flag(False)
    weight_decay: float = nonnegative(0.0, slider=(0.0, 0.5))
    lr_in_velocity: bool = flag(False)

    forms = ("", "_outside", "_outside_nesterov", "_inside", "_inside_nesterov")
    samples = (
        {"lr": 0.1},
        {"lr": 0.5, "weight_decay": 0.5},
        {"lr": 0.1, "momentum": 0.9},
        {"lr": 0.5, "momentum": 0.5, "dampening": 0.25, "weight_decay": 0.5},
        {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.25},
        {"lr": 0.5, "momentum": 0.5, "dampening": 0.25, "lr_in_velocity": True, "weight_decay": 0.5},
        {"lr": 0.1, "momentum": 0.9, "nesterov": True, "lr_in_velocity": True},
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.nesterov and not (self.momentum > 0 and self.dampening == 0):
            raise ValueError(
                f"SGD: nesterov needs momentum > 0 and dampening = 0, got momentum={self.momentum!r}, "
                f"dampening={self.dampening!r}"
            )
        if self.dampening > 0 and self.momentum == 0:
            raise ValueError(f"SGD: dampening needs momentum > 0, got dampening={self.dampening!r}, momentum=0.0")

    def _choose_kernel(self) -> str:
        if self.momentum == 0:
            return "sgd"
        return f"sgd_{'inside' if self.lr_in_velocity else 'outside'}{'_nesterov' if self.nesterov else ''}"

    def buffers(self) -> tuple[str, ...]:
        return ("v",) if self.momentum > 0 else ()

    def family(self) -> str:
        return "SGD(lr_in_velocity=True)" if self.momentum > 0 and self.lr_in_velocity else "SGD"

    def scalars(self, t: int) -> tuple[float, ...]:
        kept = 1.0 if t == 1 else 1 - self.dampening
        return self.rate_at(t), self.momentum, kept, self.weight_decay

    @staticmethod
    def formula(
        theta: Any,
        g: Any,
        v: Any,
        t: Any,
        lr: Any,
        momentum: Any,
        dampening: Any,
        nesterov: Any,
        weight_decay: Any,
        lr_in_velocity: Any,
    ) -> Any:
        d = g + weight_decay * theta
        kept = sp.Piecewise((1, sp.Eq(t, 1)), (1 - dampening, True))
        if lr_in_velocity:
            v = momentum * v - lr * kept * d
            return {"v": v, "theta": theta + (momentum * v - lr * d if nesterov else v)}
        v = momentum * v + kept * d
        return {"v": v, "theta": theta - lr * (d + momentum * v if nesterov else v)}

    def reference(self, theta: Array, g: Array, *buffers: Array, t: int) -> tuple[Array, ...]:
        lr, beta, kept, decay = self.scalars(t)
        d = g + decay * theta
        if self.momentum == 0:
            return (theta - lr * d,)
        if self.lr_in_velocity:
            v = beta * buffers[0] - (lr * kept) * d
            return theta + (beta * v - lr * d if self.nesterov else v), v
        v = beta * buffers[0] + kept * d
        return theta - lr * (d + beta * v if self.nesterov else v), v
