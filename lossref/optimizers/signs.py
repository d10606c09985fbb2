"""Steps by the sign of the gradient: which way it points matters, how large it is does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lossref import symbolic as sp
from lossref._arrays import Array
from lossref._parameters import above_one, fraction, inner, nonnegative, positive, rate
from lossref.optimizers.base import Optimizer

if TYPE_CHECKING:
    from lossref.schedules.base import Schedule


@dataclass(frozen=True, kw_only=True)
class Rprop(Optimizer):
    r"""Resilient propagation: each parameter has a step of its own, which grows until the gradient turns.

    .. math::

       \begin{aligned}
           a_t &= \operatorname{sign}(g_t) \, p_{t-1} \\
           s_t &= \min\left(s_{\max}, \max\left(s_{\min}, \begin{cases}
               \eta_+ s_{t-1} & a_t > 0 \\
               \eta_- s_{t-1} & a_t < 0 \\
               s_{t-1} & \text{otherwise}
           \end{cases}\right)\right) \\
           p_t &= \begin{cases} 0 & a_t < 0 \\ \operatorname{sign}(g_t) & \text{otherwise} \end{cases} \\
           \theta_t &= \theta_{t-1} - s_t p_t
       \end{aligned}

    As long as the sign stays the same the step :math:`s` is too short, and grows; when it turns, the minimum was jumped
    over: the step is halved, and the parameter waits for one update. Steps begin at :math:`s_0 = \eta`. The size of
    the gradient is never looked at, so a flat direction is crossed as fast as a steep one.

    It is a rule for whole data sets. The noise of small batches turns signs at random, each turn halves, and the steps
    shrink to nothing far from the minimum.

    Parameters
    ----------
    lr : float > 0 or a schedule, default 0.1
        The first step :math:`\eta` of every parameter, in the unit of the parameter. Of a schedule only the first rate
        counts: from then on each parameter keeps its own.
    eta_minus : float in (0, 1), default 0.5
        By what a step is multiplied when the gradient has turned, :math:`\eta_-`.
    eta_plus : float > 1, default 1.2
        By what it is multiplied when the gradient has not, :math:`\eta_+`.
    min_step : float > 0, default 1e-6
        The shortest step, :math:`s_{\min}`.
    max_step : float > 0, default 50.0
        The longest step, :math:`s_{\max}`; not below ``min_step``.

    Notes
    -----
    This is the form without back-tracking, iRprop⁻ of Igel and Hüsken, as in PyTorch, whose ``lr`` is 0.01; the first
    paper takes its last step back when a gradient turns. What is remembered is the sign :math:`p`. PyTorch keeps the
    gradient itself and asks for the sign of a product, which in float32 is zero for gradients around 1e-23. In optax
    each step is taken one update late.

    References
    ----------
    M. Riedmiller, H. Braun, "A direct adaptive method for faster backpropagation learning: the RPROP algorithm", *IEEE
    International Conference on Neural Networks*, 1993.

    C. Igel, M. Hüsken, "Empirical evaluation of the improved Rprop learning algorithms", *Neurocomputing* 50, 2003.

    Examples
    --------
    >>> import numpy as np
    >>> import lossref
    >>> theta = np.array([1.0, -2.0])
    >>> optimizer = lossref.Rprop(lr=0.5)
    >>> state = optimizer.init(theta)
    >>> for _ in range(3):
    ...     optimizer.step(theta, np.array([1e6, 1e-6]) * theta, state)
    >>> theta.round(4), state.buffers["s"]  # the first one has jumped over 0, and waits
    (array([-0.1 , -0.18]), array([0.3 , 0.72]))
    """

    lr: float | Schedule = rate(0.1, slider=(0.001, 1.0))
    eta_minus: float = inner(0.5, slider=(0.1, 0.9))
    eta_plus: float = above_one(1.2, slider=(1.05, 2.0))
    min_step: float = positive(1e-6)
    max_step: float = positive(50.0)

    samples = (
        {"lr": 0.5},
        {"lr": 0.25, "eta_minus": 0.25, "eta_plus": 1.5, "min_step": 1e-5, "max_step": 0.375},
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.min_step > self.max_step:
            raise ValueError(f"Rprop: max_step must be at least min_step = {self.min_step!r}, got {self.max_step!r}")

    def buffers(self) -> tuple[str, ...]:
        return ("s", "p")

    def scalars(self, t: int) -> tuple[float, ...]:
        start = self.rate_at(t) if t == 1 else 0.0  # added to what is zero before the first step
        return start, self.eta_minus, self.eta_plus, self.min_step, self.max_step

    @staticmethod
    def formula(
        theta: Any,
        g: Any,
        s: Any,
        p: Any,
        t: Any,
        lr: Any,
        eta_minus: Any,
        eta_plus: Any,
        min_step: Any,
        max_step: Any,
    ) -> Any:
        s = s + sp.Piecewise((lr, sp.Eq(t, 1)), (0, True))  # from 0
        agreed = sp.sign(g) * p
        s = s * sp.Piecewise((eta_plus, agreed > 0), (eta_minus, agreed < 0), (1, True))
        s = sp.Min(max_step, sp.Max(min_step, s))
        p = sp.Piecewise((0, agreed < 0), (sp.sign(g), True))
        return {"s": s, "p": p, "theta": theta - s * p}

    def reference(self, theta: Array, g: Array, *buffers: Array, t: int) -> tuple[Array, ...]:
        s, p = buffers
        start, minus, plus, least, most = self.scalars(t)
        now = np.sign(g)
        agreed = now * p
        factor = np.where(agreed > 0, g.dtype.type(plus), np.where(agreed < 0, g.dtype.type(minus), g.dtype.type(1)))
        s = np.clip((s + start) * factor, least, most)
        p = np.where(agreed < 0, g.dtype.type(0), now)
        return theta - s * p, s, p


@dataclass(frozen=True, kw_only=True)
class SignSGD(Optimizer):
    r"""Sign descent: every parameter moves by the learning rate, against the sign of its gradient.

    .. math::

       \theta_t = (1 - \eta \lambda) \theta_{t-1} - \eta \operatorname{sign}(g_t)

    A gradient of a million and one of a millionth move a parameter equally far: nothing explodes, and a badly scaled
    model trains as well as a well scaled one. Machines that train together need to send one bit for each parameter. The
    price is paid at the end: the step does not shrink with the gradient, so the parameters circle the minimum at the
    distance of a step until a schedule makes the rate small.

    Parameters
    ----------
    lr : float > 0, or a schedule
        The learning rate :math:`\eta`, in the unit of the parameters: how far each of them moves.
    weight_decay : float >= 0, default 0.0
        The decay :math:`\lambda`, beside the sign as in :class:`AdamW`: the sign of a gradient with a penalty in it
        would drown the smaller of the two.

    Notes
    -----
    A gradient of zero moves nothing, as in optax. It is :class:`Adam` with ``beta1=0, beta2=0`` and a vanishing
    :math:`\epsilon`. The paper's version with momentum, Signum, is :class:`Lion` with ``beta1`` equal to ``beta2``.

    References
    ----------
    J. Bernstein, Y.-X. Wang, K. Azizzadenesheli, A. Anandkumar, "signSGD: compressed optimisation for non-convex
    problems", *ICML*, 2018.

    Examples
    --------
    >>> import numpy as np
    >>> import lossref
    >>> theta = np.array([1.0, -2.0, 3.0])
    >>> optimizer = lossref.SignSGD(lr=0.5)
    >>> optimizer.step(theta, np.array([1e6, -1e-6, 0.0]), optimizer.init(theta))
    >>> theta
    array([ 0.5, -1.5,  3. ])
    """

    lr: float | Schedule = rate(slider=(0.001, 1.0))
    weight_decay: float = nonnegative(0.0, slider=(0.0, 0.5))

    samples = ({"lr": 0.1}, {"lr": 0.5, "weight_decay": 0.5})

    def buffers(self) -> tuple[str, ...]:
        return ()

    def scalars(self, t: int) -> tuple[float, ...]:
        lr = self.rate_at(t)
        return lr, 1 - lr * self.weight_decay

    @staticmethod
    def formula(theta: Any, g: Any, t: Any, lr: Any, weight_decay: Any) -> Any:
        return {"theta": (1 - lr * weight_decay) * theta - lr * sp.sign(g)}

    def reference(self, theta: Array, g: Array, *buffers: Array, t: int) -> tuple[Array, ...]:
        lr, kept = self.scalars(t)
        return (kept * theta - lr * np.sign(g),)


@dataclass(frozen=True, kw_only=True)
class Lion(Optimizer):
    r"""Lion: the sign of a running mean that the newest gradient enters with more weight than it will keep.

    .. math::

       \begin{aligned}
           c_t &= \beta_1 m_{t-1} + (1 - \beta_1) g_t \\
           m_t &= \beta_2 m_{t-1} + (1 - \beta_2) g_t \\
           \theta_t &= (1 - \eta \lambda) \theta_{t-1} - \eta \operatorname{sign}(c_t)
       \end{aligned}

    The sign is taken of a short memory (:math:`1 / (1 - \beta_1) = 10` steps by default), the mean that is remembered
    is a long one (100 steps), so the rule is steady in noise and still answers to the newest gradient. It was found by
    a program that searched among programs, and needs one buffer where :class:`Adam` needs two.

    Parameters
    ----------
    lr : float > 0 or a schedule, default 1e-4
        The learning rate :math:`\eta`, in the unit of the parameters: how far each of them moves. A step of Adam is
        mostly shorter than its rate, so Lion's should be three to ten times smaller than Adam's.
    beta1 : float in [0, 1), default 0.9
        The share of the memory in what the sign is taken of.
    beta2 : float in [0, 1), default 0.99
        The share of the memory that is kept.
    weight_decay : float >= 0, default 0.0
        The decay :math:`\lambda`, which is multiplied by the rate: with a rate that is ten times smaller it should be
        ten times larger than with :class:`AdamW`.

    Notes
    -----
    No bias is corrected: a sign does not depend on a factor. With ``beta1`` equal to ``beta2`` this is Signum, sign
    descent with momentum; with both 0 it is :class:`SignSGD`. By default optax decays, by 0.001, and Keras's rate is
    0.001.

    References
    ----------
    X. Chen, C. Liang, D. Huang, E. Real, K. Wang, Y. Liu, H. Pham, X. Dong, T. Luong, C.-J. Hsieh, Y. Lu, Q. V. Le,
    "Symbolic discovery of optimization algorithms", *NeurIPS*, 2023.

    Examples
    --------
    >>> import numpy as np
    >>> import lossref
    >>> theta = np.zeros(2)
    >>> optimizer = lossref.Lion(lr=0.5)
    >>> state = optimizer.init(theta)
    >>> optimizer.step(theta, np.array([1.0, -100.0]), state)
    >>> theta
    array([-0.5,  0.5])
    >>> optimizer.step(theta, np.array([-0.05, -0.05]), state)  # the memory outvotes what is small
    >>> theta
    array([-1.,  1.])
    """

    lr: float | Schedule = rate(1e-4, slider=(0.001, 1.0))
    beta1: float = fraction(0.9, slider=(0.0, 0.99))
    beta2: float = fraction(0.99, slider=(0.0, 0.999))
    weight_decay: float = nonnegative(0.0, slider=(0.0, 0.5))

    samples = (
        {"lr": 0.1},
        {"lr": 0.5, "beta1": 0.5, "beta2": 0.75, "weight_decay": 0.5},
        {"lr": 0.1, "beta1": 0.75, "beta2": 0.75},
    )

    def buffers(self) -> tuple[str, ...]:
        return ("m",)

    def scalars(self, t: int) -> tuple[float, ...]:
        lr = self.rate_at(t)
        return lr, 1 - lr * self.weight_decay, self.beta1, 1 - self.beta1, self.beta2, 1 - self.beta2

    @staticmethod
    def formula(theta: Any, g: Any, m: Any, t: Any, lr: Any, beta1: Any, beta2: Any, weight_decay: Any) -> Any:
        c = beta1 * m + (1 - beta1) * g
        m = beta2 * m + (1 - beta2) * g
        return {"m": m, "theta": (1 - lr * weight_decay) * theta - lr * sp.sign(c)}

    def reference(self, theta: Array, g: Array, *buffers: Array, t: int) -> tuple[Array, ...]:
        (m,) = buffers
        lr, kept, beta1, rest1, beta2, rest2 = self.scalars(t)
        c = beta1 * m + rest1 * g
        return kept * theta - lr * np.sign(c), beta2 * m + rest2 * g
