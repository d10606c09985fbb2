"""Triplets of a batch: which there are, which of them teach something, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from lossref import _backend, _fallback
from lossref import symbolic as sp
from lossref._arrays import Array, ordered_sum, prepare_batch
from lossref._parameters import Range, choice, flag, nonnegative
from lossref.losses.base import BatchLoss

STRATEGIES = ("all", "easy", "semi-hard", "hard", "batch-hard")
MINED: Range = choice("all", STRATEGIES).metadata["range"]
MARGIN: Range = nonnegative(0.2).metadata["range"]
SQUARED: Range = flag(False).metadata["range"]


@dataclass(frozen=True)
class Choice:
    """Which triplets count: those whose gap is above ``low`` and not above ``high``, or one for each anchor."""

    low: Any
    high: Any
    hardest: bool
    margin: Any
    squared: bool


def choice_of(strategy: str, margin: Any, squared: bool) -> Choice:
    """What a strategy chooses."""
    spans = {"hard": (-np.inf, 0.0), "semi-hard": (0.0, margin), "easy": (margin, np.inf)}
    low, high = spans.get(strategy, (-np.inf, np.inf))
    return Choice(low, high, strategy == "batch-hard", margin, squared)


def scaled(x: Array) -> tuple[Array, float]:
    """The batch divided by a power of two near its largest number, lest squares overflow or vanish; and that power."""
    scale = float(np.ldexp(1.0, max(int(np.frexp(np.abs(x).max(initial=0))[1]) - 1, -1022)))
    return x / scale, scale


def distances(x: Array, scale: float, squared: bool, a: int) -> Array:
    """The distances of one sample from all."""
    total = np.zeros(len(x))
    for column in x.T:
        apart = column[a] - column
        total += apart * apart
    return total * scale * scale if squared else np.sqrt(total) * scale


def sides(labels: Array, a: int) -> tuple[Array, Array]:
    """The positives and the negatives of an anchor: the others of its class, and those of other classes."""
    same = labels == labels[a]
    own = np.flatnonzero(same)
    return own[own != a], np.flatnonzero(~same)


def chosen_gaps(choice: Choice, near: Array, far: Array) -> tuple[Array, Array]:
    """The gaps of the triplets of one anchor, a row for each positive, and which of them are chosen."""
    gap = far - near[:, np.newaxis]
    if choice.hardest and gap.size:
        chosen = np.zeros(gap.shape, bool)
        chosen[np.argmax(near), np.argmin(far)] = True
        return gap, chosen
    return gap, (choice.low < gap) & (gap <= choice.high)


def mine_reference(choice: Choice, x: Array, scale: float, labels: Array) -> Array:
    """The chosen triplets of a batch, anchor by anchor."""
    found = [np.empty((0, 3), np.int64)]
    for a in range(len(x)):
        d, (positive, negative) = distances(x, scale, choice.squared, a), sides(labels, a)
        p, n = np.nonzero(chosen_gaps(choice, d[positive], d[negative])[1])
        found.append(np.stack([np.full(len(p), a), positive[p], negative[n]], axis=1))
    return np.concatenate(found)


class Counts(NamedTuple):
    """How many triplets of a batch a strategy chooses, and how many of those cost something."""

    chosen: int
    active: int


@dataclass(frozen=True, kw_only=True)
class BatchTriplet(BatchLoss):
    r"""Triplet loss over the triplets of a batch: an anchor nearer to its own class than to others, by a margin.

    .. math::

       L = \frac{1}{k} \sum_{(a, p, n) \in T} \max(0, d(a, p) - d(a, n) + m)

    A triplet is two samples of one class, anchor :math:`a` and positive :math:`p`, and a negative :math:`n` of another.
    A batch of 128 samples holds up to half a million of them, and after a little training nearly all cost nothing:
    the negative is far enough away. What a model learns from hangs on which ones are looked at, the set :math:`T` of
    :math:`k` triplets. Two samples are compared once for all triplets they are in, so that looking at all of them costs
    one pass of the batch through the model, and choosing the hardest costs nothing more.

    Parameters
    ----------
    margin : float >= 0, default 0.2
        The margin :math:`m`, in the unit of the distance :math:`d`.
    strategy : {"batch-hard", "all", "hard", "semi-hard", "easy"}, default "batch-hard"
        The triplets :math:`T`, as ``lossref.losses.mine`` defines them: for each anchor its farthest positive and
        nearest negative; every triplet there is; those in which the negative is no farther than the positive; those in
        which it is farther, but by no more than the margin; those in which it is farther by more than that.
    squared : bool, default False
        Take squared Euclidean distances, as FaceNet does, instead of Euclidean ones.
    reduction : {"mean", "sum"}, default "mean"
        How the costs of the triplets in :math:`T` become one number.

    Notes
    -----
    The mean is over the triplets that were chosen, :math:`k`, those that cost nothing included. What others call the
    average of the non-zero ones (Hermans et al.; the default of pytorch-metric-learning) is larger by the quotient of
    the two numbers that ``counts`` returns, and jumps whenever one of them arrives at 0. Under ``"hard"`` and
    ``"semi-hard"``, :math:`k` itself changes from step to step.

    ``"easy"`` is there to be watched, and trains nothing: value and gradient are 0, and ``counts`` says how many
    triplets are done with. While a model learns, that number rises towards the one of ``"all"``. Once it stands close
    to it, means over all triplets are means over zeros, and it is time for a strategy that leaves the easy ones out.

    Embeddings are taken as they are. FaceNet's lie on the unit sphere; without that, or a penalty, a model can buy its
    margin by growing. A common way to fail is the opposite: ``"batch-hard"`` with large learning rates draws all
    samples into one point, where each triplet costs :math:`m` and the gradient is 0, for the slope of a distance of 0
    is taken as 0, the middle of its subgradients. FaceNet chooses, for each anchor and positive, the hardest of the
    semi-hard negatives; here ``"semi-hard"`` means all of them.

    Distances are sums of squared differences, in float64 of numbers divided by a power of two, and never
    :math:`\lVert a \rVert^2 + \lVert b \rVert^2 - 2 a \cdot b`, which loses the digits of samples that are near each
    other. No triplet is stored, nor the distances of all pairs: memory grows with the number of samples and not with
    its square. One NaN or infinity in the batch, with which all others are compared, makes everything NaN.

    References
    ----------
    F. Schroff, D. Kalenichenko and J. Philbin, "FaceNet: A unified embedding for face recognition and clustering",
    *CVPR*, 2015.

    A. Hermans, L. Beyer and B. Leibe, "In defense of the triplet loss for person re-identification",
    arXiv:1703.07737, 2017.

    Examples
    --------
    Of the first class 0 and 1, of the second 0.5 and 1.125: each has a negative that is nearer than its positive.

    >>> import lossref
    >>> embeddings, labels = [[0.0], [1.0], [0.5], [1.125]], [7, 7, 3, 3]
    >>> loss = lossref.BatchTriplet(margin=0.25)
    >>> loss.values(embeddings, labels)
    array([0.75 , 1.125, 0.375, 0.75 ])
    >>> loss(embeddings, labels)
    0.75
    >>> loss.grad(embeddings, labels)
    array([[ 0.],
           [ 1.],
           [-1.],
           [ 0.]])
    >>> lossref.BatchTriplet(strategy="all", margin=0.25).counts(embeddings, labels)
    Counts(chosen=8, active=7)
    >>> lossref.BatchTriplet(strategy="easy", margin=0.25).counts(embeddings, labels)
    Counts(chosen=1, active=0)
    """

    margin: float = nonnegative(0.2, slider=(0.0, 2.0))
    strategy: str = choice("batch-hard", STRATEGIES)
    squared: bool = flag(False)

    samples = (
        {},
        {"strategy": "all", "margin": 1.0},
        {"strategy": "semi-hard", "margin": 0.7, "squared": True},
        {"strategy": "hard", "margin": 0.0},
    )
    exact = True
    counted = "triplet was chosen"

    @staticmethod
    def formula(embeddings: Any, labels: Any, margin: Any, strategy: Any, squared: Any) -> Any:
        def distance(i: int, j: int) -> Any:
            total = sum((x - y) ** 2 for x, y in zip(embeddings[i], embeddings[j], strict=True))
            return total if squared else sp.sqrt(total)

        costs, counts = [], []
        choice = choice_of(strategy, margin, squared)
        for a, label in enumerate(labels):
            near = [distance(a, p) for p in range(len(labels)) if p != a and labels[p] == label]
            far = [distance(a, n) for n in range(len(labels)) if labels[n] != label]
            if choice.hardest and near and far:
                near, far = [sp.Max(*near)], [sp.Min(*far)]
            for gap in (f - n for n in near for f in far):
                chosen = sp.And(gap > choice.low, gap <= choice.high)
                costs.append(sp.Piecewise((sp.Max(0, margin - gap), chosen), (0, True)))
                counts.append(sp.Piecewise((1, chosen), (0, True)))
        return sum(costs) / sum(counts)

    @property
    def _choice(self) -> Choice:
        """Which triplets count."""
        return choice_of(self.strategy, self.margin, self.squared)

    def parts(self, *prepared: Array) -> tuple[Array, int, tuple[Array, ...]]:
        terms, chosen, _, slopes = self._of_triplets(*prepared)
        return terms, chosen, (slopes,)

    def _of_triplets(self, embeddings: Array, labels: Array) -> tuple[Array, int, int, Array]:
        """What the kernel returns: the costs of the anchors, the two counts, and the slopes."""
        result: tuple[Array, int, int, Array] = _backend.kernels[self._kernel].parts(self, *scaled(embeddings), labels)
        return result

    def counts(self, embeddings: Any, labels: Any) -> Counts:
        """Return how many triplets are chosen, and how many of those cost something."""
        prepared, _ = self._prepared((embeddings, labels))
        _, chosen, active, _ = self._of_triplets(*prepared)
        return Counts(chosen, active)

    def reference(self, x: Array, scale: float, labels: Array) -> tuple[Array, int, int, Array]:
        """The same in NumPy, anchor by anchor."""
        terms, total, active, slopes = np.zeros(len(x)), 0, 0, np.zeros_like(x)
        for a in range(len(x)):
            d, (positive, negative) = distances(x, scale, self.squared, a), sides(labels, a)
            gap, chosen = chosen_gaps(self._choice, d[positive], d[negative])
            costly = chosen & (gap < self.margin)
            costs = np.where(costly, self.margin - gap, 0)
            terms[a] = ordered_sum(np.array([ordered_sum(row) for row in costs]))
            total, active = total + int(chosen.sum()), active + int(costly.sum())
            weights = np.zeros(len(x))
            weights[positive], weights[negative] = costly.sum(axis=1), -costly.sum(axis=0)
            if self.squared:
                weights *= 2 * scale
            else:
                weights = np.divide(weights, d / scale, out=np.zeros(len(x)), where=d > 0)
            moves = weights[:, np.newaxis] * (x[a] - x)
            slopes -= moves
            slopes[a] += np.cumsum(moves, axis=0)[-1]  # a sum from the first to the last, in the kernel's order
        return terms, total, active, slopes


_fallback.kernels["batch_triplet"] = _fallback.Triplets(
    lambda formula, *batch: formula.reference(*batch), mine_reference
)


def mine(embeddings: Any, labels: Any, strategy: str = "all", margin: float = 0.2, squared: bool = False) -> Array:
    """List the triplets of a batch that a strategy chooses.

    A triplet is an anchor, a positive, which is another sample of the anchor's class, and a negative, which is a sample
    of another class. Its gap is how much farther from the anchor the negative is than the positive.

    Parameters
    ----------
    embeddings : array_like
        One row of numbers for each sample, as they come out of the model: nothing is normalized here.
    labels : array_like of int
        The class of each sample; any integers.
    strategy : {"all", "easy", "semi-hard", "hard", "batch-hard"}, default "all"
        Which triplets: ``"easy"``, with a gap above the margin, that cost nothing; ``"semi-hard"``, with a gap above 0
        and not above the margin; ``"hard"``, with a gap of 0 or below; ``"all"``, these three together; or
        ``"batch-hard"``, for each anchor the one with its farthest positive and its nearest negative, of several the
        first.
    margin : float >= 0, default 0.2
        Up to which gap a triplet is semi-hard. The other strategies but ``"easy"`` do not look at it.
    squared : bool, default False
        Measure gaps by squared distances, as FaceNet does.

    Returns
    -------
    numpy.ndarray
        int64, of the shape (triplets, 3): the places of anchor, positive and negative, in ascending order.

    Notes
    -----
    Beside the triplets themselves, memory is needed for the distances of all pairs. A NaN or an infinity is refused:
    no gap could be told from another.

    References
    ----------
    F. Schroff, D. Kalenichenko and J. Philbin, "FaceNet: A unified embedding for face recognition and clustering",
    *CVPR*, 2015.

    Examples
    --------
    >>> from lossref.losses import mine
    >>> embeddings, labels = [[0.0], [1.0], [0.5], [1.125], [3.0]], [0, 0, 1, 1, 1]
    >>> len(mine(embeddings, labels))
    18
    >>> mine(embeddings, labels, "semi-hard")
    array([[0, 1, 3],
           [4, 3, 1]])
    >>> mine(embeddings, labels, "batch-hard")
    array([[0, 1, 2],
           [1, 0, 3],
           [2, 4, 0],
           [3, 4, 1],
           [4, 2, 1]])
    """
    strategy = MINED.check("mine", "strategy", strategy)
    choice = choice_of(strategy, MARGIN.check("mine", "margin", margin), SQUARED.check("mine", "squared", squared))
    (x, classes), _ = prepare_batch("mine", BatchTriplet.arrays, 1, (embeddings, labels))
    if not np.isfinite(x).all():
        raise ValueError("mine: embeddings hold a NaN or an infinity; no gap can be told from another there")
    with np.errstate(all="ignore"):
        found: Array = _backend.kernels["batch_triplet"].mine(choice, *scaled(x), classes)
    return found
