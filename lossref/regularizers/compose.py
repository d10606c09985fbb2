"""Sums of penalties, weighted by numbers or by schedules: ``L1(lam=0.1) + L2(lam=0.2)``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lossref._arrays import Array
from lossref._terms import Sum, Term, added
from lossref.regularizers.base import Enveloped
from lossref.regularizers.separable import L1, L2, ElasticNet


@dataclass(frozen=True, repr=False)
class CombinedPenalty(Enveloped, Sum):
    r"""A weighted sum of penalties, which is a penalty.

    .. math::

       R(w) = \sum_k c_k \, R_k(w)

    Parameters
    ----------
    terms : tuple of Term
        The penalties and their factors, in their order.

    Notes
    -----
    Proximal maps do not add up. The one of a sum is known here where it has a closed form: for any number of
    :class:`~lossref.L1`, :class:`~lossref.L2` and :class:`~lossref.ElasticNet`, which make one elastic net, and for any
    one penalty beside them that are squares alone: with :math:`\lambda_2` their strength, it is that of the penalty at
    the point :math:`w / (1 + 2\eta\lambda_2)` with the step :math:`\eta / (1 + 2\eta\lambda_2)`.

    Examples
    --------
    >>> import lossref
    >>> penalty = lossref.L1(lam=0.5) + lossref.L2(lam=0.25)
    >>> penalty([3.0, -1.0]), penalty.grad([3.0, -1.0])
    (4.5, array([ 2., -1.]))
    >>> penalty.prox([3.0, -0.2], step=1.0)
    array([ 1.66666667, -0.        ])
    """

    terms: tuple[Term, ...]

    def __call__(self, w: Any, *, t: Any = None) -> float:
        """Return the sum of the penalties, times their factors.

        Parameters
        ----------
        w : array_like
            Parameters, as each of the penalties takes them.
        t : int or float, optional
            The step; needed if a factor is a schedule.

        Returns
        -------
        float
            The sum.
        """
        return float(sum(term.number * term.of(w) for term in self.at(t).terms))

    def grad(self, w: Any, *, out: Array | None = None, t: Any = None) -> Any:
        """Return the gradient of the sum.

        Parameters
        ----------
        w, out
            As of :meth:`lossref.L1.grad`.
        t : int or float, optional
            The step; needed if a factor is a schedule.
        """
        return added(self.at(t).terms, out, lambda penalty, place: penalty.grad(w, out=place))

    def value_and_grad(self, w: Any, *, out: Array | None = None, t: Any = None) -> tuple[float, Any]:
        """Return the sum and its gradient, computed together.

        Parameters
        ----------
        w, out
            As of :meth:`lossref.L1.value_and_grad`.
        t : int or float, optional
            The step; needed if a factor is a schedule.
        """
        terms, costs = self.at(t).terms, []

        def ask(penalty: Any, place: Array | None) -> Any:
            cost, slope = penalty.value_and_grad(w, out=place)
            costs.append(cost)
            return slope

        slope = added(terms, out, ask)
        return float(sum(term.number * cost for term, cost in zip(terms, costs, strict=True))), slope

    def prox(self, w: Any, step: float, *, out: Array | None = None, t: Any = None) -> Any:
        """Return the proximal map of the sum, where it has a closed form.

        Parameters
        ----------
        w, step, out
            As of :meth:`lossref.L1.prox`.
        t : int or float, optional
            The step of training; needed if a factor is a schedule.

        Raises
        ------
        NotImplementedError
            If the sum has no closed form here; the message says what has one.
        """
        l1 = l2 = 0.0
        others = []
        for term in self.at(t).terms:
            match term.of:
                case ElasticNet():
                    l1, l2 = l1 + term.number * term.of.l1, l2 + term.number * term.of.l2
                case L1():
                    l1 += term.number * term.of.lam
                case L2():
                    l2 += term.number * term.of._parameters[0]
                case _:
                    others.append(term)
        if l1 < 0 or l2 < 0 or len(others) + (l1 > 0) > 1 or any(term.number <= 0 for term in others):
            raise NotImplementedError(
                f"CombinedPenalty: {self!r} has no proximal map in closed form here. Sums of L1, L2 and ElasticNet "
                "have one, that of ElasticNet, and so has one other penalty with L2 beside it; factors must be positive"
            )
        if not others:
            return ElasticNet(l1=l1, l2=l2).prox(w, step, out=out)
        (other,) = others
        shrunk = 1 + 2 * step * l2
        return other.of.prox(np.divide(w, shrunk), step * other.number / shrunk, out=out)
