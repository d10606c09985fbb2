"""Ranking losses: of two scores, the right one should be the larger."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossref import symbolic as sp
from lossref._arrays import Array
from lossref._parameters import nonnegative
from lossref.losses.base import PairedLoss, Properties, RowwiseLoss
from lossref.losses.classification import CategoricalCrossEntropy, softmax_parts
from lossref.losses.regression import lost

cross_entropy = CategoricalCrossEntropy()


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


@dataclass(frozen=True, kw_only=True)
class ListNet(RowwiseLoss):
    r"""ListNet's loss: the cross-entropy between who should be on top of a list and who is.

    .. math::

       \ell(s, y) = \sum_{k} q_k \left( \log \sum_{j} e^{s_j} - s_k \right), \qquad
       q_k = \frac{e^{y_k}}{\sum_{j} e^{y_j}}

    A row is a list, for example the documents that a query has found: their scores :math:`s`, which the model gives,
    and their relevances :math:`y`, any numbers. A softmax makes of each the chance that an item is the one on top, and
    the loss is cross-entropy between the two. So the list is judged as a whole, and its first places count most: an
    item that is irrelevant beside the others has hardly any part in it, wherever it stands.

    Parameters
    ----------
    reduction : {"mean", "sum"}, default "mean"
        How the values of the rows become one number.

    Notes
    -----
    ``pred`` and ``target`` have the shape (n, C). Each row counts alike, however long its list is. The unit of the
    relevances matters: a grade more makes an item :math:`e` times as probable on top, so that grades from 0 to 4 differ
    by a factor of 55, and grades from 0 to 100 by more than a float holds. The loss of a perfect model is not 0 but the
    entropy of :math:`q`.

    What optax calls ``ranking_softmax_loss`` takes the relevances as they are, without the softmax: with a single
    relevant item it is the cross-entropy of that item.

    References
    ----------
    Z. Cao, T. Qin, T.-Y. Liu, M.-F. Tsai and H. Li, "Learning to rank: from pairwise approach to listwise approach",
    *ICML* 2007.

    Examples
    --------
    >>> import lossref
    >>> loss = lossref.ListNet()
    >>> relevances = [[2.0, 0.0, 1.0]]
    >>> round(loss([[2.0, 0.0, 1.0]], relevances), 6), round(loss([[0.0, 2.0, 1.0]], relevances), 6)
    (0.832396, 1.982816)
    """

    targets = ("relevances",)
    predictions = "logits"
    properties = Properties(
        convex=True,
        differentiable=True,
        symmetric=False,
        lipschitz="1",
        smoothness="Rational(1, 4)",
        minimizer="logarithms of the mean softmax of the relevances",
    )

    @staticmethod
    def formula(pred: Any, target: Any) -> Any:
        total, weights = sp.log(sum(sp.exp(s) for s in pred)), [sp.exp(y) for y in target]
        return sum(w / sum(weights) * (total - s) for w, s in zip(weights, pred, strict=True))

    @property
    def letters(self) -> dict[str, str]:
        return {"pred": "s"}

    def reference(self, pred: Array, mass: Array) -> tuple[Array, Array]:
        return cross_entropy.reference(pred, self._top_one(mass))

    def reference_curvature(self, pred: Array, mass: Array) -> Array:
        return cross_entropy.reference_curvature(pred, self._top_one(mass))

    def _top_one(self, relevances: Array) -> Array:
        """The softmax of the relevances: how probable each item is on top."""
        _, e, _, total, _ = softmax_parts(relevances.astype(np.float64))
        chances: Array = e / total
        return chances


@dataclass(frozen=True, kw_only=True)
class PairwiseLogistic(RowwiseLoss):
    r"""Pairwise logistic loss (RankNet): of every two items, the more relevant should have the larger score.

    .. math::

       \ell(s, y) = \frac{\sum_{i} \sum_{j} o(y_i - y_j) \log\left( 1 + e^{s_j - s_i} \right)}
       {\sum_{i} \sum_{j} o(y_i - y_j)}, \qquad
       o(t) = \begin{cases} 1 & t > 0 \\ 0 & t \le 0 \end{cases}

    A row is a list of items with scores :math:`s` and relevances :math:`y`. Each pair of unequal relevance asks for one
    binary decision, and pays its :class:`BinaryCrossEntropy`, with the difference of the scores for a logit. Only
    the order of the relevances counts, not by how much they differ, and only differences of scores are learned. With
    relevances 0 and 1 the share of pairs in the wrong order is one minus the area under the ROC curve, of which this
    is, over :math:`\log 2`, a smooth upper bound: whom a metric of ranks will judge should train on ranks.

    Parameters
    ----------
    reduction : {"mean", "sum"}, default "mean"
        How the values of the rows become one number.

    Notes
    -----
    ``pred`` and ``target`` have the shape (n, C). The value of a row is the **mean over its pairs**, so that all equal
    scores cost :math:`\log 2` whatever the length of the list, and a list of a hundred items does not outweigh a
    thousand lists of three. A row without a pair, all its relevances being equal, costs 0, and still counts as a row.
    Others count otherwise: allRank's ``rankNet`` takes the mean over the pairs of the whole batch, so that long lists
    weigh more; TF-Ranking and KerasRS sum the pairs of each item and divide by the number of items.

    The work grows with the square of the length of a list.

    References
    ----------
    C. Burges et al., "Learning to rank using gradient descent", *ICML* 2005.

    Examples
    --------
    >>> import lossref
    >>> loss = lossref.PairwiseLogistic(reduction="sum")
    >>> round(loss([[0.0, 0.0, 0.0]], [[2, 0, 1]]), 6)
    0.693147
    >>> loss.grad([[0.0, 0.0, 0.0]], [[2, 0, 2]])
    array([[-0.25,  0.5 , -0.25]])
    """

    targets = ("relevances",)
    predictions = "scores"
    properties = Properties(
        convex=True,
        differentiable=True,
        symmetric=False,
        lipschitz="1",
        smoothness="Rational(1, 4)",
        minimizer="of two items, the log-odds that the first is the more relevant",
    )

    @staticmethod
    def formula(pred: Any, target: Any) -> Any:
        def pair(what: Any, i: int, j: int) -> Any:
            return sp.Piecewise((what, target[i] > target[j]), (0, True))

        ordered = list(itertools.permutations(range(len(pred)), 2))
        pairs = sp.Max(1, sum(pair(1, i, j) for i, j in ordered))
        return sum(pair(sp.log(1 + sp.exp(pred[j] - pred[i])), i, j) / pairs for i, j in ordered)

    @property
    def letters(self) -> dict[str, str]:
        return {"pred": "s"}

    def reference(self, pred: Array, mass: Array) -> tuple[Array, Array]:
        costs, slopes, share = 0, [], self._share_of_a_pair(pred, mass)
        for above, below, gap, e in self._pairs(pred, mass):
            likely, unlikely = (np.where(up, 1, e) / (1 + e) for up in (gap > 0, gap <= 0))
            costs = costs + np.where(above, np.log1p(e) + np.maximum(gap, 0), 0).sum(axis=1)
            slopes.append((np.where(below, unlikely, 0) - np.where(above, likely, 0)).sum(axis=1))
        return share * costs, (share * np.array(slopes)).T.astype(pred.dtype)

    def reference_curvature(self, pred: Array, mass: Array) -> Array:
        share = self._share_of_a_pair(pred, mass)
        bends = [np.where(above | below, e / (1 + e) / (1 + e), 0) for above, below, _, e in self._pairs(pred, mass)]
        curvature: Array = (share * np.array([bend.sum(axis=1) for bend in bends])).T.astype(pred.dtype)
        return curvature

    def _pairs(self, pred: Array, mass: Array) -> Iterator[tuple[Array, Array, Array, Array]]:
        """For each item: whether it should be above or below each other one, how far that leads, and e to minus it."""
        scores = pred.astype(np.float64)
        for k in range(pred.shape[1]):
            own, relevance = scores[:, k : k + 1], mass[:, k : k + 1]
            gap = scores - own
            e = np.exp(-np.abs(gap))
            yield relevance > mass, relevance < mass, gap, e - e * np.sign(gap) * lost(scores, own, gap)

    def _share_of_a_pair(self, pred: Array, mass: Array) -> Array:
        """One divided by the number of pairs of each row; 0 where there are none, NaN where something is NaN."""
        pairs = sum((mass[:, k : k + 1] > mass).sum(axis=1) for k in range(mass.shape[1]))
        wrong = np.where(np.isnan(pred) | np.isnan(mass), np.nan, 0).sum(axis=1)
        share: Array = np.where(pairs == 0, 0, 1 / pairs) + wrong
        return share
