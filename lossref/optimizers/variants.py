"""Relatives of Adam that do something else at the start: momentum that looks ahead, and a warm-up by itself."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, expm1, inf, log, log1p, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from lossref import symbolic as sp
from lossref._arrays import Array
from lossref._parameters import flag, fraction, nonnegative, optional_nonnegative, positive, rate
from lossref.optimizers.base import Optimizer

if TYPE_CHECKING:
    from lossref.schedules.base import Schedule

#: log 0.96, the pace of NAdam's momentum; the error of 0.96 itself would grow with the step in its powers.
PACE = log1p(-0.04)


def seen(beta: float, t: int) -> float:
    """1 - βᵗ: the weight of all gradients so far in a running mean. The difference itself would cancel."""
    return -expm1(t * log(beta)) if beta > 0 else 1.0


def decays(weight_decay: float, decoupled: bool, lr: float) -> tuple[float, float]:
    """How much of a parameter is added to its gradient, and what is kept of it: one of the two does nothing."""
    return (0.0, 1 - lr * weight_decay) if decoupled else (weight_decay, 1.0)


def decayed(theta: Any, g: Any, lr: Any, weight_decay: Any, decoupled: bool) -> tuple[Any, Any]:
    """The same as mathematics: the parameter and the gradient from which the step is made."""
    return ((1 - lr * weight_decay) * theta, g) if decoupled else (theta, g + weight_decay * theta)


@dataclass(frozen=True, kw_only=True)
class Relative(Optimizer):
    """What most relatives of Adam share: two memories, and two kinds of weight decay."""

    lr: float | Schedule = rate(1e-3, slider=(0.001, 1.0))
    beta1: float = fraction(0.9, slider=(0.0, 0.99))
    beta2: float = fraction(0.999, slider=(0.5, 0.9999))
    eps: float = positive(1e-8)
    weight_decay: float = nonnegative(0.0, slider=(0.0, 0.5))
    decoupled: bool = flag(False)

    def _decays(self, lr: float) -> tuple[float, float]:
        return decays(self.weight_decay, self.decoupled, lr)


@dataclass(frozen=True, kw_only=True)
class NAdam(Relative):
    r"""NAdam: Adam with Nesterov's look-ahead, under a momentum that grows slowly at the start.

    .. math::

       \begin{aligned}
           d_t &= g_t + \lambda \theta_{t-1} \\
           m_t &= \beta_1 m_{t-1} + (1 - \beta_1) d_t \\
           v_t &= \beta_2 v_{t-1} + (1 - \beta_2) d_t^2 \\
           \mu_t &= \beta_1 \left(1 - \tfrac12 \cdot 0.96^{\psi t}\right) \\
           P_t &= \prod_{i=1}^{t} \mu_i \\
           \theta_t &= \theta_{t-1} - \frac{\eta}{\sqrt{v_t / (1 - \beta_2^t)} + \epsilon} \left(
               \frac{1 - \mu_t}{1 - P_t} d_t + \frac{\mu_{t+1}}{1 - P_t \mu_{t+1}} m_t \right)
       \end{aligned}

    Where :class:`Adam` steps by the mean of past gradients, this one steps by what that mean will be after the next
    one, so the newest gradient counts more. How much of the mean is trusted, :math:`\mu`, rises from half of
    :math:`\beta_1` to :math:`\beta_1`, for early means rest on few gradients.

    Parameters
    ----------
    lr : float > 0 or a schedule, default 2e-3
        The learning rate :math:`\eta`; a schedule is called with the number of steps already taken.
    beta1 : float in [0, 1), default 0.9
        The memory of the mean, and the momentum :math:`\mu` in the long run.
    beta2 : float in [0, 1), default 0.999
        The memory of the mean square.
    eps : float > 0, default 1e-8
        What keeps the denominator from zero, :math:`\epsilon`; in the unit of the gradient.
    weight_decay : float >= 0, default 0.0
        The strength :math:`\lambda` of an L2 penalty, whose gradient is added to :math:`g`.
    decoupled : bool, default False
        Instead of the penalty shrink the parameters by the share :math:`\eta \lambda`, as :class:`AdamW` does.
    momentum_decay : float >= 0 or None, default 0.004
        How soon the momentum is whole, :math:`\psi`: half of what is missing is made up in :math:`17 / \psi` steps.
        None takes :math:`\mu_t = \beta_1` from the start.

    Notes
    -----
    The paper proposes the schedule of :math:`\mu` with :math:`\psi = 0.004`, which is PyTorch's default. Keras has
    :math:`\psi = 1` and nothing else, optax ``None`` and nothing else. The paper also multiplies :math:`v` by
    :math:`\beta_2` in its denominator; no library does, nor does this one.

    The product :math:`P_t` is not carried along. The logarithm of each of its factors is a power series in
    :math:`0.96^\psi`, and the steps of each power are a geometric sum, so that any step can be computed by itself and
    the state holds nothing but arrays. Below :math:`e^{-40}` the product no longer changes :math:`1 - P_t`.

    References
    ----------
    T. Dozat, "Incorporating Nesterov momentum into Adam", *ICLR workshop*, 2016.

    Examples
    --------
    >>> import numpy as np
    >>> import lossref
    >>> for optimizer in (lossref.Adam(lr=0.1), lossref.NAdam(lr=0.1)):
    ...     theta, moves = np.zeros(1), []
    ...     state = optimizer.init(theta)
    ...     for gradient in [1.0] * 10 + [-1.0]:  # ten steps one way, and the gradient turns
    ...         before = theta[0]
    ...         optimizer.step(theta, np.array([gradient]), state)
    ...         moves.append(theta[0] - before)
    ...     print(f"{moves[9]:+.4f} {moves[10]:+.4f}")
    -0.1000 -0.0709
    -0.0843 +0.0330
    """

    lr: float | Schedule = rate(2e-3, slider=(0.001, 1.0))
    momentum_decay: float | None = optional_nonnegative(0.004, slider=(0.0, 1.0))

    samples = (
        {"lr": 0.1},
        {"lr": 0.5, "beta1": 0.5, "beta2": 0.75, "eps": 0.125, "weight_decay": 0.5, "momentum_decay": 0.25},
        {"lr": 0.1, "beta2": 0.75, "momentum_decay": 1.0},
        {"lr": 0.5, "beta2": 0.75, "weight_decay": 0.5, "decoupled": True, "momentum_decay": None},
    )

    def _missing(self, t: int) -> float:
        """The part of the momentum that step ``t`` does not have yet."""
        return 0.0 if self.momentum_decay is None else 0.5 * exp(t * self.momentum_decay * PACE)

    def _log_product(self, t: int) -> float:
        """The logarithm of the product of the first momenta, by the series of log(1 - x) in powers of what is missing.

        Each of its powers, over all steps, is a geometric sum."""
        total = t * log(self.beta1)
        if self.momentum_decay is None:
            return total
        power = 0
        while total > -40 and power < 54:  # beyond, neither the product nor the rest of the series changes 1 - P
            power += 1
            fall = power * self.momentum_decay * PACE
            steps = exp(fall) * expm1(t * fall) / expm1(fall) if fall < 0 else t
            total -= 0.5**power / power * steps
        return total

    def scalars(self, t: int) -> tuple[float, ...]:
        lr, beta1 = self.rate_at(t), self.beta1
        product = self._log_product(t) if beta1 > 0 else -inf
        rest = -expm1(product)
        # 1 - μ of this step and of the next, from terms of one sign
        unmoved, unmoved_next = (1 - beta1 + beta1 * self._missing(step) for step in (t, t + 1))
        now = lr * unmoved / rest
        mean = lr * (1 - unmoved_next) / (rest + exp(product) * unmoved_next)
        constants = (1 / sqrt(seen(self.beta2, t)), beta1, 1 - beta1, self.beta2, 1 - self.beta2, self.eps)
        return *self._decays(lr), now, mean, *constants

    def buffers(self) -> tuple[str, ...]:
        return ("m", "v")

    @staticmethod
    def formula(
        theta: Any,
        g: Any,
        m: Any,
        v: Any,
        t: Any,
        lr: Any,
        beta1: Any,
        beta2: Any,
        eps: Any,
        weight_decay: Any,
        decoupled: Any,
        momentum_decay: Any,
    ) -> Any:
        def mu(t: Any) -> Any:
            return beta1 if momentum_decay is None else beta1 * (1 - sp.Rational(24, 25) ** (momentum_decay * t) / 2)

        i = sp.Symbol("i", integer=True)
        product = beta1**t if momentum_decay is None else sp.Product(mu(i), (i, 1, t))
        theta, d = decayed(theta, g, lr, weight_decay, decoupled)
        m = beta1 * m + (1 - beta1) * d
        v = beta2 * v + (1 - beta2) * d**2
        ahead = (1 - mu(t)) / (1 - product) * d + mu(t + 1) / (1 - product * mu(t + 1)) * m
        return {"m": m, "v": v, "theta": theta - lr * ahead / (sp.sqrt(v / (1 - beta2**t)) + eps)}

    def reference(self, theta: Array, g: Array, *buffers: Array, t: int) -> tuple[Array, ...]:
        m, v = buffers
        decay, kept, now, lr, correction, beta1, rest1, beta2, rest2, eps = self.scalars(t)
        d = g + decay * theta
        m = beta1 * m + rest1 * d
        v = beta2 * v + rest2 * (d * d)
        return kept * theta - (now * d + lr * m) / (np.sqrt(v) * correction + eps), m, v


@dataclass(frozen=True, kw_only=True)
class RAdam(Relative):
    r"""RAdam: Adam that warms up by itself, by as much as its mean square can be trusted.

    .. math::

       \begin{aligned}
           d_t &= g_t + \lambda \theta_{t-1} \\
           m_t &= \beta_1 m_{t-1} + (1 - \beta_1) d_t \\
           v_t &= \beta_2 v_{t-1} + (1 - \beta_2) d_t^2 \\
           \rho_\infty &= \frac{2}{1 - \beta_2} - 1 \\
           \rho_t &= \rho_\infty - \frac{2 t \beta_2^t}{1 - \beta_2^t} \\
           \theta_t &= \theta_{t-1} - \frac{\eta \, m_t}{1 - \beta_1^t} \begin{cases}
               \sqrt{\frac{(\rho_t - 4) (\rho_t - 2) \rho_\infty}{(\rho_\infty - 4) (\rho_\infty - 2) \rho_t}}
                   \cdot \frac{\sqrt{1 - \beta_2^t}}{\sqrt{v_t} + \epsilon} & \rho_t > 5 \\
               1 & \text{otherwise}
           \end{cases}
       \end{aligned}

    After one step the mean square rests on one gradient, and dividing by its root is dividing by chance. The number of
    gradients that it is worth is :math:`\rho_t`. Up to five, nothing is divided, and the step is one of momentum, in
    the unit of the gradient; from then on the variance of the divided step, which is known for normal gradients, is
    made as small as it is in the long run. That is a warm-up whose length nobody has to choose.

    Parameters
    ----------
    lr : float > 0 or a schedule, default 1e-3
        The learning rate :math:`\eta`; a schedule is called with the number of steps already taken.
    beta1 : float in [0, 1), default 0.9
        The memory of the mean.
    beta2 : float in [0, 1), default 0.999
        The memory of the mean square. Up to 2/3 its worth never passes five, and no step is ever divided.
    eps : float > 0, default 1e-8
        What keeps the denominator from zero, :math:`\epsilon`; in the unit of the gradient.
    weight_decay : float >= 0, default 0.0
        The strength :math:`\lambda` of an L2 penalty, whose gradient is added to :math:`g`.
    decoupled : bool, default False
        Instead of the penalty shrink the parameters by the share :math:`\eta \lambda`, as :class:`AdamW` does.

    Notes
    -----
    The paper divides from :math:`\rho_t > 4` on, where the variance begins to exist, and has no :math:`\epsilon`. Its
    authors' program, and after it PyTorch and optax, wait for five. :math:`\epsilon` stands before the correction of
    :math:`v` in that program and in PyTorch, as here; in optax behind it, where it is smaller by
    :math:`\sqrt{1 - \beta_2^t}`.

    In the first steps :math:`\rho_t` is the small difference of two numbers around 2000. It is computed as
    :math:`t (1 - L(z)) + L(z / t)` with :math:`z = -\tfrac12 t \log \beta_2` and
    :math:`L(z) = \coth z - 1 / z`, whose continued fraction has only positive terms.

    References
    ----------
    L. Liu, H. Jiang, P. He, W. Chen, X. Liu, J. Gao, J. Han, "On the variance of the adaptive learning rate and
    beyond", *ICLR*, 2020.

    Examples
    --------
    >>> import numpy as np
    >>> import lossref
    >>> theta = np.zeros(1)
    >>> optimizer = lossref.RAdam(lr=0.001)
    >>> state, steps = optimizer.init(theta), []
    >>> for _ in range(2000):
    ...     before = theta[0]
    ...     optimizer.step(theta, np.array([100.0]), state)
    ...     steps.append(before - theta[0])
    >>> [round(float(steps[t - 1]), 6) for t in (1, 5, 6, 100, 2000)]  # five steps of momentum, and a warm-up
    [0.1, 0.1, 2.6e-05, 0.000215, 0.000828]
    """

    samples = (
        {"lr": 0.1},
        {"lr": 0.5, "beta1": 0.5, "beta2": 0.875, "eps": 0.125, "weight_decay": 0.5},
        {"lr": 0.5, "beta2": 0.875, "weight_decay": 0.5, "decoupled": True},
        {"lr": 0.1, "beta2": 0.5},
    )

    def _worth(self, t: int) -> float:
        """How many gradients the mean square of step ``t`` is worth, ρ."""
        if self.beta2 == 0:
            return 1.0
        half = -0.5 * log(self.beta2)
        if t * half < 1:  # the difference below would cancel
            return t * (1 - langevin(t * half)) + langevin(half)
        return 2 / (1 - self.beta2) - 1 - 2 * t * exp(-2 * t * half) / seen(self.beta2, t)

    def scalars(self, t: int) -> tuple[float, ...]:
        lr = self.rate_at(t)
        now, last = self._worth(t), 2 / (1 - self.beta2) - 1
        step = lr / seen(self.beta1, t)
        if now > 5:
            step *= sqrt(seen(self.beta2, t) * (now - 4) * (now - 2) * last / ((last - 4) * (last - 2) * now))
        constants = (self.beta1, 1 - self.beta1, self.beta2, 1 - self.beta2, self.eps)
        return *self._decays(lr), step, float(now > 5), *constants

    def buffers(self) -> tuple[str, ...]:
        return ("m", "v")

    @staticmethod
    def formula(
        theta: Any,
        g: Any,
        m: Any,
        v: Any,
        t: Any,
        lr: Any,
        beta1: Any,
        beta2: Any,
        eps: Any,
        weight_decay: Any,
        decoupled: Any,
    ) -> Any:
        theta, d = decayed(theta, g, lr, weight_decay, decoupled)
        m = beta1 * m + (1 - beta1) * d
        v = beta2 * v + (1 - beta2) * d**2
        last = 2 / (1 - beta2) - 1
        now = last - 2 * t * beta2**t / (1 - beta2**t)
        share = (now - 4) * (now - 2) * last / ((last - 4) * (last - 2) * now)
        divided = sp.sqrt(share) * sp.sqrt(1 - beta2**t) / (sp.sqrt(v) + eps)
        step = lr * m / (1 - beta1**t) * sp.Piecewise((divided, now > 5), (1, True))
        return {"m": m, "v": v, "theta": theta - step}

    def reference(self, theta: Array, g: Array, *buffers: Array, t: int) -> tuple[Array, ...]:
        m, v = buffers
        decay, kept, lr, rectified, beta1, rest1, beta2, rest2, eps = self.scalars(t)
        d = g + decay * theta
        m = beta1 * m + rest1 * d
        v = beta2 * v + rest2 * (d * d)
        return kept * theta - (lr * m / (np.sqrt(v) + eps) if rectified else lr * m), m, v


def langevin(z: float) -> float:
    """Langevin's function coth z - 1/z up to z = 1, by its continued fraction."""
    fraction = 0.0
    for odd in range(21, 1, -2):
        fraction = z * z / (odd + fraction)
    return fraction / z
