"""Relatives of Adam that divide by something else: the largest gradient of late, past gradients over past steps, or how
far gradients lie from their mean."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from lossref import symbolic as sp
from lossref._arrays import Array
from lossref._parameters import flag, fraction, nonnegative, positive, rate
from lossref.optimizers.base import Optimizer
from lossref.optimizers.variants import Relative, decayed, decays, seen

if TYPE_CHECKING:
    from lossref.schedules.base import Schedule


@dataclass(frozen=True, kw_only=True)
class Adamax(Relative):
    r"""Adamax: Adam that divides by the largest gradient of late instead of the root of a mean square.

    .. math::

       \begin{aligned}
           d_t &= g_t + \lambda \theta_{t-1} \\
           m_t &= \beta_1 m_{t-1} + (1 - \beta_1) d_t \\
           u_t &= \max(\beta_2 u_{t-1}, |d_t| + \epsilon) \\
           \theta_t &= \theta_{t-1} - \frac{\eta}{1 - \beta_1^t} \cdot \frac{m_t}{u_t}
       \end{aligned}

    The root of a mean square is a 2-norm over time with fading weights; the :math:`p`-norm in its place becomes a
    maximum for :math:`p \to \infty`. A maximum needs no correction at the start, and it bounds the step: where
    :math:`\beta_1 < \beta_2` none is longer than :math:`\eta (1 - \beta_1) / (1 - \beta_1 / \beta_2)`, hardly more than
    :math:`\eta` if :math:`\beta_2` is near 1. One large gradient shortens the steps for some
    :math:`1 / (1 - \beta_2)` updates.

    Parameters
    ----------
    lr : float > 0 or a schedule, default 2e-3
        The learning rate :math:`\eta`; a schedule is called with the number of steps already taken.
    beta1 : float in [0, 1), default 0.9
        The memory of the mean.
    beta2 : float in [0, 1), default 0.999
        What is kept of the largest gradient at each step.
    eps : float > 0, default 1e-8
        What keeps the denominator from zero, :math:`\epsilon`; in the unit of the gradient.
    weight_decay : float >= 0, default 0.0
        The strength :math:`\lambda` of an L2 penalty, whose gradient is added to :math:`g`.
    decoupled : bool, default False
        Instead of the penalty shrink the parameters by the share :math:`\eta \lambda`, as :class:`AdamW` does.

    Notes
    -----
    The paper has no :math:`\epsilon`. PyTorch and optax add it to the size of each gradient, as here, so that it fades
    with the gradient that it was added to; Keras adds it to :math:`u`.

    References
    ----------
    D. P. Kingma, J. Ba, "Adam: a method for stochastic optimization", *ICLR*, 2015, section 7.1.

    Examples
    --------
    >>> import numpy as np
    >>> import lossref
    >>> theta = np.zeros(2)
    >>> optimizer = lossref.Adamax(lr=0.5)
    >>> state = optimizer.init(theta)
    >>> for _ in range(2):
    ...     optimizer.step(theta, np.array([100.0, -0.01]), state)
    >>> theta.round(4), state.buffers["u"].round(4)
    (array([-1.,  1.]), array([1.e+02, 1.e-02]))
    """

    lr: float | Schedule = rate(2e-3, slider=(0.001, 1.0))

    samples = (
        {"lr": 0.1},
        {"lr": 0.5, "beta1": 0.5, "beta2": 0.75, "eps": 0.125, "weight_decay": 0.5},
        {"lr": 0.5, "beta2": 0.75, "weight_decay": 0.5, "decoupled": True},
    )

    def buffers(self) -> tuple[str, ...]:
        return ("m", "u")

    def scalars(self, t: int) -> tuple[float, ...]:
        lr = self.rate_at(t)
        return *self._decays(lr), lr / seen(self.beta1, t), self.beta1, 1 - self.beta1, self.beta2, self.eps

    @staticmethod
    def formula(
        theta: Any,
        g: Any,
        m: Any,
        u: Any,
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
        u = sp.Max(beta2 * u, sp.Abs(d) + eps)
        return {"m": m, "u": u, "theta": theta - lr / (1 - beta1**t) * m / u}

    def reference(self, theta: Array, g: Array, *buffers: Array, t: int) -> tuple[Array, ...]:
        m, u = buffers
        decay, kept, lr, beta1, rest1, beta2, eps = self.scalars(t)
        d = g + decay * theta
        m = beta1 * m + rest1 * d
        u = np.maximum(beta2 * u, np.abs(d) + eps)
        return kept * theta - lr * m / u, m, u


@dataclass(frozen=True, kw_only=True)
class AdaDelta(Optimizer):
    r"""AdaDelta: the step is the gradient in units of past gradients, times past steps: no rate is to be chosen.

    .. math::

       \begin{aligned}
           d_t &= g_t + \lambda \theta_{t-1} \\
           v_t &= \rho v_{t-1} + (1 - \rho) d_t^2 \\
           \Delta_t &= \frac{\sqrt{x_{t-1} + \epsilon}}{\sqrt{v_t + \epsilon}} d_t \\
           x_t &= \rho x_{t-1} + (1 - \rho) \Delta_t^2 \\
           \theta_t &= \theta_{t-1} - \eta \Delta_t
       \end{aligned}

    A gradient has the unit of the loss over that of the parameter; divided by the size of its like it has none, and a
    step must have the unit of the parameter. A learning rate brings that unit in, but who has chosen one for metres
    must choose another for millimetres. Here the size of past steps brings it in.

    What starts the steps is :math:`\epsilon`, for no step has been taken yet: the first one is
    :math:`\sqrt{\epsilon / (1 - \rho)}`, whatever the gradient. On an even slope :math:`x` grows by
    :math:`(1 - \rho) \epsilon` at each step, and the way like :math:`\sqrt{\epsilon} \, t^{3/2}`. So the unit has not
    gone, it is hidden in :math:`\epsilon`.

    Parameters
    ----------
    lr : float > 0 or a schedule, default 1.0
        A factor :math:`\eta` to the step, which the paper does not have.
    rho : float in [0, 1), default 0.95
        The memory of both mean squares, :math:`\rho`.
    eps : float > 0, default 1e-6
        What is added to both mean squares, :math:`\epsilon`. It is in the square of the unit of the parameter above, of
        the gradient below.
    weight_decay : float >= 0, default 0.0
        The strength :math:`\lambda` of an L2 penalty, whose gradient is added to :math:`g`.
    decoupled : bool, default False
        Instead of the penalty shrink the parameters by the share :math:`\eta \lambda`, as :class:`AdamW` does.

    Notes
    -----
    The mean square :math:`x` is of the steps before :math:`\eta`, as in all libraries. Near a minimum, where all is
    small beside :math:`\epsilon`, the rule is plain descent at the rate :math:`\eta`: with :math:`\eta = 1` it does not
    come to rest where the curvature is above 2. PyTorch's and optax's :math:`\rho` is 0.9; Keras's rate is 0.001, and
    its :math:`\epsilon` 1e-7.

    References
    ----------
    M. D. Zeiler, "ADADELTA: an adaptive learning rate method", *arXiv:1212.5701*, 2012.

    Examples
    --------
    >>> import numpy as np
    >>> import lossref
    >>> metres, millimetres = np.array([1.0]), np.array([1000.0])
    >>> for theta, unit in ((metres, 1.0), (millimetres, 1000.0)):
    ...     optimizer = lossref.AdaDelta(eps=1e-6 * unit**2)
    ...     state = optimizer.init(theta)
    ...     for _ in range(100):
    ...         optimizer.step(theta, theta / unit**2 * 1e6, state)  # of 1e6 x²/2 in metres
    >>> metres.round(4), millimetres.round(1)
    (array([0.5973]), array([597.3]))
    """

    lr: float | Schedule = rate(1.0, slider=(0.001, 1.0))
    rho: float = fraction(0.95, slider=(0.5, 0.99))
    eps: float = positive(1e-6)
    weight_decay: float = nonnegative(0.0, slider=(0.0, 0.5))
    decoupled: bool = flag(False)

    samples = (
        {"lr": 1.0},
        {"lr": 0.5, "rho": 0.75, "eps": 0.125, "weight_decay": 0.5},
        {"lr": 0.5, "rho": 0.5, "eps": 0.125, "weight_decay": 0.5, "decoupled": True},
    )

    def buffers(self) -> tuple[str, ...]:
        return ("v", "x")

    def scalars(self, t: int) -> tuple[float, ...]:
        lr = self.rate_at(t)
        return *decays(self.weight_decay, self.decoupled, lr), lr, self.rho, 1 - self.rho, self.eps

    @staticmethod
    def formula(
        theta: Any, g: Any, v: Any, x: Any, t: Any, lr: Any, rho: Any, eps: Any, weight_decay: Any, decoupled: Any
    ) -> Any:
        theta, d = decayed(theta, g, lr, weight_decay, decoupled)
        v = rho * v + (1 - rho) * d**2
        moved = sp.sqrt(x + eps) / sp.sqrt(v + eps) * d
        x = rho * x + (1 - rho) * moved**2
        return {"v": v, "x": x, "theta": theta - lr * moved}

    def reference(self, theta: Array, g: Array, *buffers: Array, t: int) -> tuple[Array, ...]:
        v, x = buffers
        decay, kept, lr, rho, rest, eps = self.scalars(t)
        d = g + decay * theta
        v = rho * v + rest * (d * d)
        ratio = (x + eps) / (v + eps)
        return kept * theta - lr * (np.sqrt(ratio) * d), v, rho * x + rest * (ratio * (d * d))


@dataclass(frozen=True, kw_only=True)
class AdaBelief(Relative):
    r"""AdaBelief: Adam that divides by how far gradients lie from their mean, not by how large they are.

    .. math::

       \begin{aligned}
           d_t &= g_t + \lambda \theta_{t-1} \\
           m_t &= \beta_1 m_{t-1} + (1 - \beta_1) d_t \\
           s_t &= \beta_2 s_{t-1} + (1 - \beta_2) (d_t - m_t)^2 + \epsilon_0 \\
           \theta_t &= \theta_{t-1} - \frac{\eta}{1 - \beta_1^t} \cdot
               \frac{m_t}{\sqrt{s_t / (1 - \beta_2^t)} + \epsilon}
       \end{aligned}

    The mean is taken for a forecast of the next gradient. Where the forecast is right, it is believed, and the step is
    long, however small or large the gradient; where it is wrong, the step is short. In a steady slope :class:`Adam`
    goes at its rate, and this rule goes faster and faster.

    Parameters
    ----------
    lr : float > 0 or a schedule, default 1e-3
        The learning rate :math:`\eta`; a schedule is called with the number of steps already taken.
    beta1 : float in [0, 1), default 0.9
        The memory of the mean. With 0 the newest gradient is its own forecast, and nothing is ever doubted.
    beta2 : float in [0, 1), default 0.999
        The memory of the mean square of what was not foreseen.
    eps : float > 0, default 1e-16
        What keeps the denominator from zero, :math:`\epsilon`; in the unit of the gradient.
    weight_decay : float >= 0, default 0.0
        The strength :math:`\lambda` of an L2 penalty, whose gradient is added to :math:`g`.
    decoupled : bool, default False
        Instead of the penalty shrink the parameters by the share :math:`\eta \lambda`, as :class:`AdamW` does.
    eps_root : float >= 0, default 1e-16
        What is added to :math:`s` at every step, :math:`\epsilon_0`; in the square of the unit of the gradient.

    Notes
    -----
    The paper adds one :math:`\epsilon` in both places; optax has two, as here. Since :math:`s` keeps what is added, it
    grows to :math:`\epsilon_0 / (1 - \beta_2)`, so :math:`\epsilon_0` limits a step more than :math:`\epsilon` does:
    under a gradient that never changes, to :math:`\sqrt{(1 - \beta_2) / \epsilon_0}` times the rate and the gradient.
    PyTorch and Keras do not have the rule.

    The deviation from the new mean is :math:`\beta_1` times that from the old one, :math:`d_t - m_t = \beta_1 (d_t -
    m_{t-1})`, by which it is computed: with one rounding less.

    References
    ----------
    J. Zhuang, T. Tang, Y. Ding, S. Tatikonda, N. Dvornek, X. Papademetris, J. Duncan, "AdaBelief optimizer: adapting
    stepsizes by the belief in observed gradients", *NeurIPS*, 2020.

    Examples
    --------
    >>> import numpy as np
    >>> import lossref
    >>> theta = np.zeros(2)
    >>> optimizer = lossref.AdaBelief(lr=0.01)
    >>> state = optimizer.init(theta)
    >>> for t in range(50):  # a steady gradient, and one that alternates
    ...     optimizer.step(theta, np.array([1.0, (-1.0) ** t]), state)
    >>> theta.round(4)
    array([-1.1974, -0.0192])
    """

    eps: float = positive(1e-16)
    eps_root: float = nonnegative(1e-16)

    samples = (
        {"lr": 0.1},
        {"lr": 0.5, "beta1": 0.5, "beta2": 0.75, "eps": 0.125, "eps_root": 0.0625, "weight_decay": 0.5},
        {"lr": 0.5, "beta2": 0.75, "eps_root": 0.0, "weight_decay": 0.5, "decoupled": True},
    )

    def buffers(self) -> tuple[str, ...]:
        return ("m", "s")

    def scalars(self, t: int) -> tuple[float, ...]:
        lr, beta1, beta2 = self.rate_at(t), self.beta1, self.beta2
        corrected = lr / seen(beta1, t), 1 / sqrt(seen(beta2, t))
        return *self._decays(lr), *corrected, beta1, 1 - beta1, beta2, (1 - beta2) * beta1**2, self.eps, self.eps_root

    @staticmethod
    def formula(
        theta: Any,
        g: Any,
        m: Any,
        s: Any,
        t: Any,
        lr: Any,
        beta1: Any,
        beta2: Any,
        eps: Any,
        weight_decay: Any,
        decoupled: Any,
        eps_root: Any,
    ) -> Any:
        theta, d = decayed(theta, g, lr, weight_decay, decoupled)
        m = beta1 * m + (1 - beta1) * d
        s = beta2 * s + (1 - beta2) * (d - m) ** 2 + eps_root
        return {"m": m, "s": s, "theta": theta - lr / (1 - beta1**t) * m / (sp.sqrt(s / (1 - beta2**t)) + eps)}

    def reference(self, theta: Array, g: Array, *buffers: Array, t: int) -> tuple[Array, ...]:
        m, s = buffers
        decay, kept, lr, correction, beta1, rest1, beta2, spread, eps, eps_root = self.scalars(t)
        d = g + decay * theta
        error = d - m
        m = beta1 * m + rest1 * d
        s = beta2 * s + spread * (error * error) + eps_root
        return kept * theta - lr * m / (np.sqrt(s) * correction + eps), m, s
