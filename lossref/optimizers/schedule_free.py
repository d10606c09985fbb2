"""AdamW without a schedule: an average of all points takes the place of a rate that falls."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from lossref import symbolic as sp
from lossref._arrays import Array
from lossref._parameters import fraction, inner, integer, nonnegative, positive, rate
from lossref._tensors import State, check_params, check_state, kept_under
from lossref.optimizers.base import Optimizer
from lossref.optimizers.variants import seen

if TYPE_CHECKING:
    from lossref.schedules.base import Schedule


@dataclass(frozen=True, kw_only=True)
class ScheduleFreeAdamW(Optimizer):
    r"""AdamW under a constant rate, whose average is evaluated: nobody has to know when training will end.

    .. math::

       \begin{aligned}
           v_t &= \beta_2 v_{t-1} + (1 - \beta_2) g_t^2 \\
           d_t &= \frac{g_t}{\sqrt{v_t / (1 - \beta_2^t)} + \epsilon} + \lambda \theta_{t-1} \\
           z_t &= z_{t-1} - \eta d_t \\
           x_{t-1} &= \frac{\theta_{t-1} - (1 - \beta_1) z_{t-1}}{\beta_1} \\
           x_t &= \left(1 - \frac1t\right) x_{t-1} + \frac1t z_t \\
           \theta_t &= \beta_1 x_t + (1 - \beta_1) z_t
       \end{aligned}

    A rate that falls to zero quiets the noise of the gradients, and so does an average; but to let the rate fall one
    must know the number of steps, and until the last of them the parameters are not worth much. Here a fast point
    :math:`z` goes on under a constant rate, :math:`x` is the average of all its places, and the gradient is taken
    between them, mostly at :math:`x`: that keeps :math:`z` from wandering off, and it is what momentum does in Adam.
    Once the way down weighs little in the average, :math:`x` is at any step about as good as if the rate had just
    fallen to zero.

    The parameters are :math:`\theta`, where gradients are taken. What one evaluates and keeps is :math:`x`, which
    :meth:`~lossref.ScheduleFreeAdamW.evaluation_point` returns.

    Parameters
    ----------
    lr : float > 0 or a schedule, default 2.5e-3
        The learning rate :math:`\eta`; a schedule is called with the number of steps already taken.
    beta1 : float in (0, 1), default 0.9
        How far towards the average the gradient is taken, :math:`\beta_1`.
    beta2 : float in [0, 1), default 0.999
        The share of the running mean of squared gradients that is kept, :math:`\beta_2`.
    eps : float > 0, default 1e-8
        What keeps the denominator from zero, :math:`\epsilon`, in the unit of the gradient.
    weight_decay : float >= 0, default 0.0
        The decoupled decay :math:`\lambda`, of the point where the gradient is taken.
    warmup : int >= 0, default 0
        In how many steps :math:`W` the rate grows to its whole size, in equal parts. 0 and 1 are the same: no warm-up.

    Notes
    -----
    With a warm-up the rate is :math:`\eta \min(1, t / W)`, and in the average a place counts by the square of that: in
    the stead of :math:`1 / t` there is :math:`c_t = w_t / \sum_{s \le t} w_s` with :math:`w_t = \min(1, t / W)^2`. The
    sum is known without adding up,

    .. math:: c_t = \frac{n^2}{n (n + 1) (2 n + 1) / 6 + W^2 (t - n)}, \qquad n = \min(t, W),

    so that a step depends on the state and its number alone. The authors weigh by the square of the largest rate so
    far, which is the same under a constant rate; if ``lr`` is a schedule, it does not change the weights here.

    Of the three points two are stored, :math:`\theta` and :math:`z`: as much memory as Adam. The step of :math:`\theta`
    needs no division by :math:`\beta_1`, for :math:`x` can be put in:
    :math:`\theta_t = \theta_{t-1} + c_t (z_{t-1} - \theta_{t-1}) - \eta (1 - \beta_1 (1 - c_t)) d_t`.

    So the authors' PyTorch code does it, whose ``optimizer.eval()`` puts :math:`x` in the place of the parameters.
    optax divides in every step, and its ``schedule_free_eval_params`` returns :math:`x`. Its warm-up begins with a step
    of rate 0, one later than the weights; without warm-up the two are equal.

    References
    ----------
    A. Defazio, X. Yang, H. Mehta, K. Mishchenko, A. Khaled, A. Cutkosky, "The road less scheduled", *Advances in Neural
    Information Processing Systems* 37, 2024.

    Examples
    --------
    >>> import numpy as np
    >>> import lossref
    >>> theta = np.array([0.0])
    >>> optimizer = lossref.ScheduleFreeAdamW(lr=1.0, beta1=0.5)
    >>> state = optimizer.init(theta)
    >>> for _ in range(3):  # the fast point goes to 1, 2, 3
    ...     optimizer.step(theta, np.array([-1.0]), state)
    >>> optimizer.evaluation_point(theta, state).round(6)
    array([2.])
    >>> theta.round(6)  # half-way to the fast point
    array([2.5])
    """

    lr: float | Schedule = rate(2.5e-3, slider=(0.001, 1.0))
    beta1: float = inner(0.9, slider=(0.05, 0.99))
    beta2: float = fraction(0.999, slider=(0.0, 0.999))
    eps: float = positive(1e-8)
    weight_decay: float = nonnegative(0.0, slider=(0.0, 0.5))
    warmup: int = integer(0, least=0)

    name = "schedule_free"
    samples = (
        {"lr": 0.5, "beta1": 0.5, "beta2": 0.5},
        {"lr": 0.5, "beta1": 0.9, "beta2": 0.75, "eps": 0.125, "weight_decay": 0.5},
        {"lr": 0.5, "beta1": 0.75, "beta2": 0.9, "eps": 0.125, "weight_decay": 0.25, "warmup": 10},
    )

    def buffers(self) -> tuple[str, ...]:
        return ("z", "v")

    def fresh(self, letter: str, theta: Array) -> Array:
        return np.array(theta, order="C") if letter == "z" else super().fresh(letter, theta)

    def scalars(self, t: int) -> tuple[float, ...]:
        whole = max(self.warmup, 1)
        n = min(t, whole)
        lr = self.rate_at(t) * (n / whole)
        share = n**2 / (n * (n + 1) * (2 * n + 1) // 6 + whole**2 * (t - n))
        part = lr * (1 - self.beta1 * (1 - share))
        correction = 1 / sqrt(seen(self.beta2, t))
        return lr, part, share, self.weight_decay, self.beta2, 1 - self.beta2, correction, self.eps

    @staticmethod
    def formula(
        theta: Any,
        g: Any,
        z: Any,
        v: Any,
        t: Any,
        lr: Any,
        beta1: Any,
        beta2: Any,
        eps: Any,
        weight_decay: Any,
        warmup: Any,
    ) -> Any:
        share = 1 / t
        if warmup > 1:
            n = sp.Min(t, warmup)
            lr, share = lr * n / warmup, n**2 / (n * (n + 1) * (2 * n + 1) / 6 + warmup**2 * (t - n))
        v = beta2 * v + (1 - beta2) * g**2
        d = g / (sp.sqrt(v / (1 - beta2**t)) + eps) + weight_decay * theta
        part = lr * (1 - beta1 * (1 - share))
        return {"v": v, "z": z - lr * d, "theta": theta + share * (z - theta) - part * d}

    def reference(self, theta: Array, g: Array, *buffers: Array, t: int) -> tuple[Array, ...]:
        lr, part, share, decay, beta2, rest2, correction, eps = self.scalars(t)
        z, v = buffers
        v = beta2 * v + rest2 * (g * g)
        d = g / (np.sqrt(v) * correction + eps) + decay * theta
        return theta + (share * (z - theta) - part * d), z - lr * d, v

    def evaluation_point(self, params: Any, state: State) -> Any:
        r"""Return the average :math:`x`, which is what one evaluates and keeps; training goes on from the parameters.

        Parameters
        ----------
        params : numpy.ndarray, list or dict
            The parameters, which are only read.
        state : State
            What ``init`` returned.

        Returns
        -------
        numpy.ndarray, list or dict
            New arrays in the structure of the parameters.

        Raises
        ------
        TypeError, ValueError
            If the state is not of this optimizer, or does not fit the parameters.
        """
        owner = type(self).__name__
        check_state(owner, self._family, self._buffers, state)
        thetas = check_params(owner, params, self._fits_single)
        fast = kept_under(owner, "z", state, params, thetas)
        beyond = 1 / self.beta1 - 1
        found = [theta + beyond * (theta - z) for theta, z in zip(thetas.values(), fast.values(), strict=True)]
        if isinstance(params, np.ndarray):
            return np.asarray(found[0])
        return dict(zip(params, found, strict=True)) if isinstance(params, dict) else found
