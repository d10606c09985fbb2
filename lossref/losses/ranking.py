"""Ranking losses: of two scores, the right one should be the larger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lossref import symbolic as sp
from lossref._arrays import Array
from lossref._parameters import nonnegative
from lossref.losses.base import PairedLoss, Properties
from lossref.losses.regression import lost


@dataclass(frozen=True, kw_only=True)
class MarginRanking(PairedLoss):
    r"""Margin ranking loss: nothing to pay once the better of two scores leads by the margin.

    .. math::

       \ell(f_1, f_2, y) = \max\left(0, m - y (f_1 - f_2)\right)

    For learning an order instead of numbers: which of two search results is clicked, which of two answers is preferred.
    The label :math:`y` is +1 if the first of the pair should have the larger score and −1 if the second should. It is
    the hinge of the difference of two scores, so only their difference is learned: a constant added to all scores
    changes nothing.

    The arrays are ``first``, ``second`` and ``target``; the scores are learned.

    Parameters
    ----------
    margin : float >= 0, default 0.0
        The lead that is asked for. With 0, equal scores cost nothing, and a model that gives every item the same score
        never begins to learn.
    reduction : {"mean", "sum"}, default "mean"
        How the values of the elements become one number.

    Notes
    -----
    Labels other than −1 and +1 are refused; PyTorch takes any number, and a label of 0 then costs the margin and
    teaches nothing. The gradients in the two scores are opposite. Where the lead is exactly the margin there is a kink,
    and the slope given is 0. Just before it :math:`m - y (f_1 - f_2)` cancels, and what the subtraction of the scores
    and the rounding of the margin to float32 have lost would be all that is left; both are therefore added back.

    References
    ----------
    R. Herbrich, T. Graepel and K. Obermayer, "Large margin rank boundaries for ordinal regression", *Advances in Large
    Margin Classifiers*, MIT Press 2000.

    Examples
    --------
    The first should lead in all three pairs; by 1 it does so in the last alone:

    >>> import lossref
    >>> loss = lossref.MarginRanking(margin=1.0, reduction="sum")
    >>> loss.values([0.0, 2.0, 3.0], [1.0, 1.5, 1.0], [1, 1, 1])
    array([2. , 0.5, 0. ])
    >>> loss.grad([0.0, 2.0, 3.0], [1.0, 1.5, 1.0], [1, 1, 1])
    (array([-1., -1.,  0.]), array([1., 1., 0.]))
    """

    margin: float = nonnegative(0.0, slider=(0.0, 3.0))

    samples = ({}, {"margin": 0.3}, {"margin": 1.0})
    exact = True
    signs = True
    arrays = ("first", "second", "target")
    properties = Properties(
        convex=True,
        differentiable=False,
        symmetric=False,
        lipschitz="1",
        smoothness=None,
        minimizer="a lead of the margin for whom the majority prefers",
    )

    @staticmethod
    def formula(first: Any, second: Any, target: Any, margin: Any) -> Any:
        lead = target * (first - second)
        return sp.Piecewise((margin - lead, lead < margin), (0, True))

    def reference(self, first: Array, second: Array, target: Array) -> tuple[Array, Array, Array]:
        lead, margin = first - second, first.dtype.type(self.margin)
        low = first.dtype.type(self.margin - float(margin)) - target * lost(first, second, lead)
        missing = np.maximum((margin - target * lead) + low, 0)
        pull = np.where(missing > 0, target, missing)
        return missing, 0 - pull, pull

    def reference_curvature(self, first: Array, second: Array, target: Array) -> tuple[Array, Array]:
        t = target * (first - second)
        bend = np.where(np.isnan(t), t, t.dtype.type(0))
        return bend, bend
