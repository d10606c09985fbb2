"""Penalties that are a sum over the parameters, each alone: L1, L2 and the two together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lossref import symbolic as sp
from lossref._arrays import Array
from lossref._parameters import flag, nonnegative
from lossref.regularizers.base import Penalty


def shrink(w: Array, threshold: float) -> Array:
    """Move every number toward zero by ``threshold``, and stop there."""
    size = np.abs(w) - threshold
    return np.copysign(np.where(size < 0, 0, size), w)


@dataclass(frozen=True, kw_only=True)
class L1(Penalty):
    r"""The lasso penalty: it makes most parameters exactly zero.

    .. math::

       R(w) = \lambda \sum_j |w_j|

    Every nonzero parameter is pushed toward zero with the same force :math:`\lambda`, however small it already is; so
    it gets there.

    Parameters
    ----------
    lam : float >= 0
        The strength :math:`\lambda`.

    Notes
    -----
    The gradient at :math:`w_j = 0` is 0, the middle of the subgradients :math:`[-\lambda, \lambda]`. Descent along it
    rarely lands on zero; the proximal map, which shrinks by :math:`\eta\lambda` and stops at zero, does:

    .. math::

       \operatorname{prox}(w) = \operatorname{sign}(w) \max(|w| - \eta\lambda, 0)

    References
    ----------
    R. Tibshirani, "Regression shrinkage and selection via the lasso", *Journal of the Royal Statistical Society B* 58,
    1996.

    Examples
    --------
    >>> import lossref
    >>> penalty = lossref.L1(lam=0.5)
    >>> penalty([3.0, -0.2])
    1.6
    >>> penalty.grad([3.0, 0.0])
    array([0.5, 0. ])
    >>> penalty.prox([3.0, -0.2], step=1.0)
    array([ 2.5, -0. ])
    """

    lam: float = nonnegative(slider=(0.0, 2.0))

    samples = ({"lam": 0.7}, {"lam": 0.0}, {"lam": 3.0})

    @staticmethod
    def formula(w: Any, lam: Any) -> Any:
        return lam * sp.Abs(w)

    @staticmethod
    def prox_formula(w: Any, step: Any, lam: Any) -> Any:
        return sp.sign(w) * sp.Max(sp.Abs(w) - step * lam, 0)

    def reference(self, w: Array) -> tuple[Array, Array]:
        return self.lam * np.abs(w), self.lam * np.sign(w)

    def reference_prox(self, w: Array, step: float) -> Array:
        return shrink(w, step * self.lam)


@dataclass(frozen=True, kw_only=True)
class L2(Penalty):
    r"""The ridge penalty: it keeps all parameters small and none exactly zero.

    .. math::

       R(w) = \lambda \sum_j w_j^2

    The push toward zero is in proportion to the parameter, so large ones shrink fast and small ones hardly at all.

    Parameters
    ----------
    lam : float >= 0
        The strength :math:`\lambda`.
    half : bool, default False
        Whether to halve the penalty. Then its gradient is :math:`\lambda w` instead of :math:`2\lambda w`.

    Notes
    -----
    The ``weight_decay`` of a framework's optimizer adds :math:`\lambda w` to the gradient. It is the penalty with
    ``half=True``; against the form above it is :math:`2\lambda`. The proximal map divides:

    .. math::

       \operatorname{prox}(w) = \frac{w}{1 + 2\eta\lambda}

    References
    ----------
    A. E. Hoerl and R. W. Kennard, "Ridge regression: biased estimation for nonorthogonal problems", *Technometrics* 12,
    1970.

    Examples
    --------
    >>> import lossref
    >>> lossref.L2(lam=0.5)([3.0, -1.0])
    5.0
    >>> lossref.L2(lam=0.5).grad([3.0, -1.0])
    array([ 3., -1.])
    >>> lossref.L2(lam=0.5, half=True).grad([3.0, -1.0])
    array([ 1.5, -0.5])
    >>> lossref.L2(lam=0.5).prox([3.0, -1.0], step=1.0)
    array([ 1.5, -0.5])
    """

    lam: float = nonnegative(slider=(0.0, 2.0))
    half: bool = flag(False)

    samples = ({"lam": 0.7}, {"lam": 0.7, "half": True}, {"lam": 0.0})

    @staticmethod
    def formula(w: Any, lam: Any, half: bool) -> Any:
        return lam * w**2 / 2 if half else lam * w**2

    @staticmethod
    def prox_formula(w: Any, step: Any, lam: Any, half: bool) -> Any:
        return w / (1 + step * lam) if half else w / (1 + 2 * step * lam)

    def _kernel_parameters(self) -> tuple[float, ...]:
        return (self.lam / 2 if self.half else self.lam,)

    def reference(self, w: Array) -> tuple[Array, Array]:
        (lam,) = self._parameters
        return lam * (w * w), 2 * lam * w

    def reference_prox(self, w: Array, step: float) -> Array:
        (lam,) = self._parameters
        return np.divide(w, 1 + 2 * step * lam)


@dataclass(frozen=True, kw_only=True)
class ElasticNet(Penalty):
    r"""The elastic net: zeros as the lasso makes them, but correlated features stay together.

    .. math::

       R(w) = \lambda_1 \sum_j |w_j| + \lambda_2 \sum_j w_j^2

    Of two features that say the same, the lasso keeps one by chance; the square in this penalty is smallest when they
    share the weight.

    Parameters
    ----------
    l1 : float >= 0
        The strength :math:`\lambda_1` of the absolute values.
    l2 : float >= 0
        The strength :math:`\lambda_2` of the squares.

    Notes
    -----
    The gradient at a parameter of 0 is 0. The proximal map shrinks, then divides:

    .. math::

       \operatorname{prox}(w) = \frac{\operatorname{sign}(w) \max(|w| - \eta\lambda_1, 0)}{1 + 2\eta\lambda_2}

    scikit-learn's ``ElasticNet`` with ``alpha`` and ``l1_ratio`` is ``l1 = alpha * l1_ratio`` and
    ``l2 = alpha * (1 - l1_ratio) / 2``.

    References
    ----------
    H. Zou and T. Hastie, "Regularization and variable selection via the elastic net", *Journal of the Royal Statistical
    Society B* 67, 2005.

    Examples
    --------
    >>> import lossref
    >>> penalty = lossref.ElasticNet(l1=0.5, l2=0.25)
    >>> penalty([3.0, -1.0])
    4.5
    >>> penalty.grad([3.0, -1.0])
    array([ 2., -1.])
    >>> penalty.prox([3.0, -0.2], step=1.0)
    array([ 1.66666667, -0.        ])
    """

    l1: float = nonnegative(slider=(0.0, 2.0))
    l2: float = nonnegative(slider=(0.0, 2.0))

    samples = ({"l1": 0.7, "l2": 0.3}, {"l1": 0.0, "l2": 0.3}, {"l1": 0.7, "l2": 0.0})

    @staticmethod
    def formula(w: Any, l1: Any, l2: Any) -> Any:
        return l1 * sp.Abs(w) + l2 * w**2

    @staticmethod
    def prox_formula(w: Any, step: Any, l1: Any, l2: Any) -> Any:
        return sp.sign(w) * sp.Max(sp.Abs(w) - step * l1, 0) / (1 + 2 * step * l2)

    def reference(self, w: Array) -> tuple[Array, Array]:
        return self.l1 * np.abs(w) + self.l2 * (w * w), self.l1 * np.sign(w) + 2 * self.l2 * w

    def reference_prox(self, w: Array, step: float) -> Array:
        return np.divide(shrink(w, step * self.l1), 1 + 2 * step * self.l2)
