"""Contrast within a batch: which of all samples is the counterpart, asked as a question of classification."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossref import symbolic as sp
from lossref._arrays import Array
from lossref._parameters import positive
from lossref.losses.base import BatchLoss
from lossref.losses.classification import CategoricalCrossEntropy

ENTROPY = CategoricalCrossEntropy(reduction="sum")
ROWS = 256  # of similarities that are looked at together: memory grows with the batch, not with its square


def directions(x: Array) -> tuple[Array, Array]:
    """The rows divided by their lengths, and the lengths. A row of zeros has no direction, and stays what it is."""
    largest = np.abs(x).max(axis=1, keepdims=True, initial=0)
    scale = np.ldexp(1.0, np.maximum(np.frexp(largest)[1] - 1, -1022))  # lest squares overflow or vanish
    x = x / scale
    length = np.sqrt((x * x).sum(axis=1, keepdims=True))
    return np.divide(x, length, out=np.zeros_like(x), where=length > 0), length * scale


def through_directions(slopes: Array, direction: Array, length: Array) -> Array:
    """Slopes in the directions made slopes in the rows: what points along the row changes nothing, and is taken off."""
    across = slopes - direction * (direction * slopes).sum(axis=1, keepdims=True)
    through: Array = np.divide(across, length, out=np.zeros_like(across), where=length > 0)
    return through


def spans(rows: int) -> Iterator[slice]:
    """The rows, so many at a time."""
    return (slice(first, min(first + ROWS, rows)) for first in range(0, rows, ROWS))


def cosine(u: Any, v: Any) -> Any:
    """The similarity of two rows of symbols."""
    product = sum(a * b for a, b in zip(u, v, strict=True))
    return product / (sp.sqrt(sum(a**2 for a in u)) * sp.sqrt(sum(b**2 for b in v)))


@dataclass(frozen=True, kw_only=True)
class InfoNCE(BatchLoss):
    r"""InfoNCE: which of the keys of the batch belongs to this query?

    .. math::

       L = -\frac1n \sum_{i=1}^{n} \log \frac{e^{s(i, i) / \tau}}{\sum_{j=1}^{n} e^{s(i, j) / \tau}}

    Two views of one thing, two crops of a photograph, a picture and its caption, are to be near to each other; what
    keeps a model from mapping everything to one point are the other samples of the batch. The similarities
    :math:`s(i, j)` of a query with all keys, their cosines, are logits, and the key of the same row is the right class.
    So this is cross-entropy with as many classes as the batch has samples: the larger the batch, the harder the
    question. Who can only guess pays :math:`\log n`, and :math:`\log n - L`, what a model gains over guessing, is on
    average no more than the mutual information of the two views, whence the name.

    Parameters
    ----------
    temperature : float > 0, default 0.1
        The temperature :math:`\tau`. Cosines lie between −1 and 1, too near to each other for a softmax to be sure of
        anything. A low temperature spreads them, and turns the attention to the keys most like the right one.
    reduction : {"mean", "sum"}, default "mean"
        How the values of the queries become one number.

    Notes
    -----
    Called as ``loss(queries, keys)``, two arrays of the same shape; ``grad`` returns a pair. Queries and keys are
    divided by their lengths here, as in SimCLR, MoCo and CLIP, and the gradient goes through that: it is always at a
    right angle to the row it belongs to. A row of zeros points nowhere; its similarities are 0, and so is its gradient.

    Only keys serve as negatives. CLIP takes the mean of ``loss(a, b)`` and ``loss(b, a)``. SimCLR's NT-Xent takes the
    other queries as negatives as well, and both views as queries: that is :ref:`SupCon <formula-sup-con>` of all
    :math:`2n` rows with the labels ``[0, ..., n - 1, 0, ..., n - 1]``.

    Logits, softmax and sums are those of :ref:`CategoricalCrossEntropy <formula-categorical-cross-entropy>`, in float64
    whatever the dtype, so that a query that is sure of its key costs the right tiny amount and not 0. The cosines are
    rounded as every sum of products is, and the division by the temperature enlarges that: the loss of a sure query is
    known to about :math:`10^{-16} / \tau` of itself. With a batch of one there is nothing to choose, and the loss is 0.
    The products of matrices are NumPy's, which promises no bits across machines. One NaN or infinity makes everything
    NaN.

    References
    ----------
    A. van den Oord, Y. Li and O. Vinyals, "Representation learning with contrastive predictive coding",
    arXiv:1807.03748, 2018.

    T. Chen, S. Kornblith, M. Norouzi and G. Hinton, "A simple framework for contrastive learning of visual
    representations", *ICML*, 2020.

    Examples
    --------
    Two queries that point along their keys, and two that point halfway between them:

    >>> import lossref
    >>> loss, keys = lossref.InfoNCE(temperature=0.5), [[1.0, 0.0], [0.0, 1.0]]
    >>> round(loss([[2.0, 0.0], [0.0, 3.0]], keys), 6)
    0.126928
    >>> round(loss([[1.0, 1.0], [1.0, 1.0]], keys), 6)  # the logarithm of 2
    0.693147
    >>> queries_slope, keys_slope = loss.grad([[1.0, 1.0], [1.0, 1.0]], keys)
    >>> queries_slope.round(6)
    array([[-0.353553,  0.353553],
           [ 0.353553, -0.353553]])
    """

    temperature: float = positive(0.1, slider=(0.05, 1.0))

    name = "info_nce"
    samples = ({}, {"temperature": 0.5}, {"temperature": 2.0})
    arrays = ("queries", "keys")
    learned = ("queries", "keys")
    counted = "query was given"
    shown = (0, 1)

    @staticmethod
    def formula(queries: Any, keys: Any, temperature: Any) -> Any:
        costs = []
        for i, query in enumerate(queries):
            odds = [sp.exp(cosine(query, key) / temperature) for key in keys]
            costs.append(-sp.log(odds[i] / sum(odds)))
        return sum(costs) / len(costs)

    def parts(self, *prepared: Array) -> tuple[Array, int, tuple[Array, ...]]:
        terms, *slopes = self.reference(*prepared)
        return terms, len(terms), tuple(slopes)

    def reference(self, queries: Array, keys: Array) -> tuple[Array, Array, Array]:
        """The value of each query, and the slopes of the sum in queries and keys."""
        (q, q_length), (k, k_length) = directions(queries), directions(keys)
        terms, q_slopes, k_slopes = np.empty(len(q)), np.empty_like(q), np.zeros_like(k)
        for rows in spans(len(q)):
            logits, right = q[rows] @ k.T / self.temperature, np.arange(rows.start, rows.stop)
            terms[rows] = ENTROPY.values(logits, right)
            pull = ENTROPY.grad(logits, right) / self.temperature
            q_slopes[rows] = pull @ k
            k_slopes += pull.T @ q[rows]
        return terms, through_directions(q_slopes, q, q_length), through_directions(k_slopes, k, k_length)


@dataclass(frozen=True, kw_only=True)
class SupCon(BatchLoss):
    r"""Supervised contrast: each sample is to be more like those of its class than like any other.

    .. math::

       L = -\frac1k \sum_{(i, p) \in P} \frac{1}{c_i}
           \log \frac{e^{s(i, p) / \tau}}{\sum_{j=1}^{n} \mathbb{1}[j \ne i] \, e^{s(i, j) / \tau}}

    For every anchor :math:`i` a softmax over all other samples of the batch, by their cosines :math:`s(i, j)`, and the
    cross-entropy of it with the :math:`c_i` samples of its own class, each with an equal share; :math:`P` are the pairs
    of such samples. Where :ref:`BatchTriplet <formula-batch-triplet>` looks at one positive and one negative at a
    time, here all of them stand beside each other, and those that are hard get the larger part of the gradient by
    themselves, without mining.

    Parameters
    ----------
    temperature : float > 0, default 0.1
        The temperature :math:`\tau`: the lower, the more the nearest samples count.
    reduction : {"mean", "sum"}, default "mean"
        How the values of the anchors become one number.

    Notes
    -----
    It is the form :math:`L_{\text{out}}` of the paper, with the mean over positives outside of the logarithm, which the
    authors found to be the better one. The :math:`k` anchors are those that have a positive; the others are left out of
    the mean, and serve as negatives. The authors' code multiplies the loss by :math:`\tau` over a *base temperature* of
    0.07, which is another learning rate.

    The loss cannot become 0 where a class has three samples or more: an anchor's :math:`c_i` positives share one
    softmax, and pay at least :math:`\log c_i`. They come near to that where each class is one point and the others
    are far away, in units of the temperature.

    Embeddings are divided by their lengths here, and the gradient goes through that. For a row of zeros, precision, and
    NaN, see :ref:`InfoNCE <formula-info-nce>`.

    References
    ----------
    P. Khosla et al., "Supervised contrastive learning", *NeurIPS*, 2020.

    Examples
    --------
    >>> import lossref
    >>> loss = lossref.SupCon(temperature=0.5)
    >>> embeddings = [[1.0, 0.0], [0.0, 2.0], [-1.0, 0.0]]
    >>> loss.values(embeddings, [4, 4, 7]).round(6)  # the third has no positive
    array([0.126928, 0.693147, 0.      ])
    >>> round(loss(embeddings, [4, 4, 7]), 6)
    0.410038
    """

    temperature: float = positive(0.1, slider=(0.05, 1.0))

    samples = ({}, {"temperature": 0.5}, {"temperature": 2.0})
    counted = "sample has another of its class"

    @staticmethod
    def formula(embeddings: Any, labels: Any, temperature: Any) -> Any:
        costs = []
        for i, label in enumerate(labels):
            odds = {j: sp.exp(cosine(embeddings[i], x) / temperature) for j, x in enumerate(embeddings) if j != i}
            own = [odds[j] for j in odds if labels[j] == label]
            if own:
                costs.append(-sum(sp.log(each / sum(odds.values())) for each in own) / len(own))
        return sum(costs) / len(costs)

    def parts(self, *prepared: Array) -> tuple[Array, int, tuple[Array, ...]]:
        terms, anchors, slopes = self.reference(*prepared)
        return terms, anchors, (slopes,)

    def reference(self, embeddings: Array, labels: Array) -> tuple[Array, int, Array]:
        """The value of each anchor, how many have a positive, and the slopes of the sum."""
        x, length = directions(embeddings)
        terms, slopes = np.zeros(len(x)), np.zeros_like(x)
        anchors = np.flatnonzero(np.bincount(labels)[labels] > 1)
        for rows in spans(len(anchors)):
            i = anchors[rows]
            itself = np.arange(len(i)), i
            logits, share = x[i] @ x.T / self.temperature, (labels[i, np.newaxis] == labels).astype(np.float64)
            logits[itself], share[itself] = -np.inf, 0
            share /= share.sum(axis=1, keepdims=True)
            terms[i] = ENTROPY.values(logits, share)
            pull = ENTROPY.grad(logits, share) / self.temperature
            slopes[i] += pull @ x
            slopes += pull.T @ x[i]
        return terms, len(anchors), through_directions(slopes, x, length)
