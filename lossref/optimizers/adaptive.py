"""Adaptive methods: every parameter has a step size of its own, made from the gradients it has seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lossref import symbolic as sp
from lossref._arrays import Array
from lossref._parameters import choice, nonnegative, positive, rate
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
