"""Metric learning: losses of distances and angles, which teach a map what is alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lossref import symbolic as sp
from lossref._arrays import Array
from lossref._parameters import binary, cosine, flag, order, positive
from lossref.losses.base import EmbeddingLoss, Invariances


def folded(terms: Array) -> Array:
    """The sum of each row, as in the kernels: the far half is folded onto the near half until one is left."""
    part = terms.copy()
    while part.shape[1] > 1:
        half = (part.shape[1] + 1) // 2
        part[:, : part.shape[1] - half] += part[:, half:]
        part = part[:, :half]
    return part[:, 0]


def column(numbers: Array) -> Array:
    """One number for each row."""
    return numbers[:, np.newaxis]


def rescaled(r: Array, scale: Array) -> Array:
    """Rows over their scales. Beside an infinity all finite numbers are nothing; two infinities are alike."""
    infinite = np.where(np.isinf(r), np.sign(r), 0 * r)
    return np.where(np.isinf(column(scale)), infinite, r / column(scale))


def length(r: Array, p: float = 2) -> tuple[Array, Array]:
    """The norm of each row over a scale, and that scale: 1, unless a power of a number might be no float."""
    if p == 1:
        return folded(np.abs(r)), np.ones(len(r))
    squares = folded(r * r)
    usual = (squares > 1e-270) & (squares < 1e300) & (p == 2)
    largest = np.fmax.reduce(np.abs(r), axis=1, initial=0)
    near = np.ldexp(1.0, np.maximum(np.frexp(largest)[1] - 1, -1022))
    scale = np.where(usual, 1, np.where(np.isinf(largest), largest, near))
    r = rescaled(r, scale)
    return (np.sqrt(folded(r * r)) if p == 2 else folded(np.abs(r) ** p) ** (1 / p)), scale


def slopes_of_length(r: Array, norm: Array, scale: Array, p: float = 2) -> Array:
    """The slope of the length of each row; that of no vector at all is 0."""
    r = rescaled(r, scale)
    sizes = (np.abs(r) / column(norm)) ** (p - 1)
    return np.where(column(norm) == 0, r, r / column(norm) if p == 2 else np.sign(r) * sizes)


def curvatures_of_length(r: Array, norm: Array, scale: Array, p: float) -> Array:
    """The second derivatives of the length of each row; 0 at a kink."""
    part = np.abs(rescaled(r, scale)) / column(norm)
    if p == 1:
        return np.zeros_like(r)
    bend = 1 - part * part if p == 2 else (p - 1) * (part ** (p - 2) - part ** (2 * p - 2))
    return np.where(column(norm) == 0, 0, bend / column(norm) / column(scale))


def active(missing: Array) -> Array:
    """1 where something is missing, 0 where nothing is, and NaN."""
    return np.where(missing > 0, 1, np.where(missing <= 0, 0, missing))


def distance(a: Any, b: Any, p: Any = 2) -> Any:
    """The distance of two tuples of symbols."""
    if p == 2:
        return sp.sqrt(sum((x - y) ** 2 for x, y in zip(a, b, strict=True)))
    order_ = sp.nsimplify(p)
    return sum(sp.Abs(x - y) ** order_ for x, y in zip(a, b, strict=True)) ** (1 / order_)


@dataclass(frozen=True, kw_only=True)
class Contrastive(EmbeddingLoss):
    r"""Contrastive loss: pull a pair together if it is alike, push it apart to a margin if it is not.

    .. math::

       \ell(a, b, y) = (1 - y) D^2 + y \left( \max(0, m - D) \right)^2,
       \qquad D = \sqrt{\sum_i (a_i - b_i)^2}

    There are no classes here and no target to hit, only pairs and the word *alike* or *different*. Two copies of one
    network map the members of a pair to rows :math:`a` and :math:`b`, and the loss acts on the distance between them
    like a spring: pairs that are alike attract each other from any distance, pairs that are different repel each other
    until they are :math:`m` apart, and then let go. Without the second term the map would send everything to one
    point, which makes all that is alike perfectly alike.

    Parameters
    ----------
    margin : float > 0, default 1.0
        The distance :math:`m` at which pairs that are different let go. It is only a unit: a map that may stretch its
        output freely reaches any margin.
    similar : {0, 1}, default 0
        The label of a pair that is alike. The paper, and the formula above, say 0; much code says 1.
    half : bool, default False
        Whether the loss is multiplied by ½, as in the paper.
    reduction : {"mean", "sum"}, default "mean"
        How the values of the pairs become one number.

    Notes
    -----
    ``loss(a, b, y)`` takes two arrays of the shape (n, d) and n labels, 0 or 1; other labels are refused. Results for
    :math:`a` and :math:`b` come as a tuple. The wrong ``similar`` pulls apart what belongs together, and the loss
    still falls nicely while it does: look at the pictures, not only at the curve.

    Two equal rows that should be apart are at a peak, where every direction leads down and none is the slope's: their
    gradient is 0, and so is the curvature, by convention. Without one it would be 0/0. So a network that maps
    everything to one point gets no push from different pairs, and stays. For the pairs at exactly :math:`m`, gradient
    and curvature are 0 as well.

    Distances are taken in float64 whatever the precision of the rows, of which each result is rounded once. Squares
    neither overflow nor vanish on the way: rows around :math:`10^{200}` have their distance.

    References
    ----------
    R. Hadsell, S. Chopra and Y. LeCun, "Dimensionality reduction by learning an invariant mapping", *CVPR* 2006.

    Examples
    --------
    >>> import lossref
    >>> loss = lossref.Contrastive(margin=10.0)
    >>> a, b = [[3.0, 4.0], [3.0, 4.0]], [[0.0, 0.0], [0.0, 0.0]]
    >>> loss.values(a, b, [0, 1])
    array([25., 25.])
    >>> value, (slope_a, slope_b) = loss.value_and_grad(a, b, [0, 1])
    >>> slope_a
    array([[ 3.,  4.],
           [-3., -4.]])
    >>> lossref.Contrastive(margin=10.0, half=True, similar=1)([[3.0, 4.0]], [[0.0, 0.0]], [1])
    12.5
    """

    margin: float = positive(1.0, slider=(0.1, 3.0))
    similar: int = binary(0)
    half: bool = flag(False)

    samples = ({}, {"margin": 3.0}, {"margin": 2.5, "half": True}, {"similar": 1})
    arrays = ("a", "b", "y")
    learned = ("a", "b")
    labels = (0, 1)
    exact = True
    properties = Invariances(moved=True, turned=True, stretched=False)

    @staticmethod
    def formula(a: Any, b: Any, y: Any, margin: Any, similar: int, half: bool) -> Any:
        between = distance(a, b)
        different = 1 - y if similar else y
        missing = sp.Piecewise((margin - between, between < margin), (0, True))
        whole = (1 - different) * between**2 + different * missing**2
        return whole / 2 if half else whole

    def lengths(self) -> dict[str, Any]:
        symbols = self.arguments()
        return {"D": distance(symbols["a"], symbols["b"])}

    def _kernel_parameters(self) -> tuple[float, ...]:
        return self.margin, self.similar, 0.5 if self.half else 1.0

    def reference(self, *arrays: Array) -> tuple[Array, tuple[Array, ...]]:
        a, b, y = arrays
        r, alike, factor = a - b, y == self.similar, 0.5 if self.half else 1.0
        norm, scale = length(r)
        far = norm * scale + 0 * y
        missing = np.maximum(self.margin - far, 0)
        pull = 2 * factor * np.where(alike, 1, -missing)
        slope = column(pull) * np.where(column(alike), r, slopes_of_length(r, norm, scale))
        return factor * np.where(alike, far * far, missing * missing), (slope, -slope)

    def reference_curvature(self, *arrays: Array) -> tuple[Array, ...]:
        a, b, y = arrays
        r, factor = a - b, 0.5 if self.half else 1.0
        norm, scale = length(r)
        far, unit = norm * scale + 0 * y, slopes_of_length(r, norm, scale)
        idle = (norm == 0) | (far >= self.margin)
        apart = np.where(column(idle), 0, 2 - (1 - unit * unit) * (2 * self.margin) / column(far))
        alike = np.where(np.isnan(far), far, 2)
        curvature = factor * np.where(column(y == self.similar), column(alike), apart)
        return curvature, curvature


@dataclass(frozen=True, kw_only=True)
class Triplet(EmbeddingLoss):
    r"""Triplet loss: the positive has to be nearer to the anchor than the negative is, by a margin.

    .. math::

       \ell(a, p, n) = \max(0, D_p - D_n + m), \qquad
       D_p = \sqrt{\sum_i (a_i - p_i)^2}, \qquad
       D_n = \sqrt{\sum_i (a_i - n_i)^2}

    An anchor :math:`a`, a positive :math:`p` that is alike, a negative :math:`n` that is not. Only the *order* of the
    two distances is asked for, not their size: faces of one person may lie close together or wide apart, as long as
    everybody else's lie farther away. A triplet that is in order by the margin costs nothing and has a gradient of
    exactly 0, so that after a while most triplets teach nothing, and everything hangs on which ones are picked.

    Parameters
    ----------
    margin : float > 0, default 0.2
        By how much, :math:`m`, the negative has to be farther away. In squared distances if ``squared``.
    p : float >= 1, default 2.0
        The order of the norm that is the distance: 2 is Euclid's, as above, and 1 the sum of the absolute differences.
    squared : bool, default False
        Whether distances are squared, as in FaceNet; only with ``p=2``.
    swap : bool, default False
        Whether the negative is held against the positive instead of the anchor where it is nearer to that:
        :math:`D_n` is then the smaller one of its two distances.
    reduction : {"mean", "sum"}, default "mean"
        How the values of the triplets become one number.

    Notes
    -----
    ``loss(anchor, positive, negative)`` takes three arrays of the shape (n, d), and gradients come as a tuple of three.
    They sum to 0 in every coordinate: moving all three rows alike changes no distance.

    Where two rows are equal, their distance has a kink, with the slope 0 here; as usually written it is 0/0 there, and
    NaN from then on. So an anchor that equals its negative is pulled to its positive and not pushed. PyTorch adds
    :math:`10^{-6}` to each difference to come round the kink, which makes the distance of a row of four from itself
    :math:`2 \cdot 10^{-6}`; optax adds as much below the root. There is nothing of the kind here.

    With ``p`` near 1 the curvature of a coordinate in which two rows agree is infinite (1 < p < 2) or left out (p = 1).
    Distances are taken in float64 whatever the precision of the rows, of which each result is rounded once, and no
    square or power overflows or vanishes on the way. The same bits on every instruction set are promised for orders 1
    and 2. Other orders ask the C library for powers, and the rounding errors of float64 gradients grow with p − 1.

    References
    ----------
    F. Schroff, D. Kalenichenko and J. Philbin, "FaceNet: a unified embedding for face recognition and clustering",
    *CVPR* 2015.

    V. Balntas, E. Riba, D. Ponsa and K. Mikolajczyk, "Learning local feature descriptors with triplets and shallow
    convolutional neural networks", *BMVC* 2016 (the swap).

    Examples
    --------
    >>> import lossref
    >>> loss = lossref.Triplet(margin=1.0)
    >>> anchor, positive, negative = [[0.0, 0.0]], [[3.0, 4.0]], [[0.0, 5.5]]
    >>> loss(anchor, positive, negative)
    0.5
    >>> for slope in loss.grad(anchor, positive, negative):
    ...     print(slope)
    [[-0.6  0.2]]
    [[0.6 0.8]]
    [[ 0. -1.]]
    >>> round(lossref.Triplet(margin=1.0, swap=True)(anchor, positive, negative), 6)
    2.645898
    """

    margin: float = positive(0.2, slider=(0.05, 3.0))
    p: float = order(2.0)
    squared: bool = flag(False)
    swap: bool = flag(False)

    samples = ({"margin": 1.0}, {"squared": True}, {"swap": True}, {"p": 1.0}, {"p": 3.0})
    arrays = ("anchor", "positive", "negative")
    learned = ("anchor", "positive", "negative")
    properties = Invariances(moved=True, turned="Eq(p, 2)", stretched=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.squared and self.p != 2:
            raise ValueError(f"Triplet: squared distances are Euclidean: p must be 2, got {self.p!r}")

    @staticmethod
    def formula(anchor: Any, positive: Any, negative: Any, margin: Any, p: Any, squared: bool, swap: bool) -> Any:
        pairs = (anchor, positive), (anchor, negative), (positive, negative)
        near, far, side = (distance(*pair, p) ** (2 if squared else 1) for pair in pairs)
        if not swap:
            return sp.Piecewise((near - far + margin, near - far + margin > 0), (0, True))
        return sp.Piecewise(
            (near - far + margin, sp.And(far <= side, near - far + margin > 0)),
            (near - side + margin, sp.And(side < far, near - side + margin > 0)),
            (0, True),
        )

    def lengths(self) -> dict[str, Any]:
        symbols = self.arguments()
        anchor, positive, negative = (symbols[name] for name in self.learned)
        found = {"D_p": distance(anchor, positive, self.p), "D_n": distance(anchor, negative, self.p)}
        return found | {"D_s": distance(positive, negative, self.p)} if self.swap else found

    def _kernel_parameters(self) -> tuple[float, ...]:
        return self.margin, self.p, float(self.squared), float(self.swap)

    def _missing(self, anchor: Array, positive: Array, negative: Array) -> tuple[Array, Array, Array, Array]:
        """How much the negative lacks to being far enough, whether it is swapped, and the two differences."""
        near, far, side = anchor - positive, anchor - negative, positive - negative
        near_length, far_length, side_length = (np.multiply(*length(r, self.p)) for r in (near, far, side))
        swapped = (side_length < far_length) & self.swap
        far = np.where(column(swapped), side, far)
        far_length = np.where(swapped, side_length, far_length)
        if self.squared:
            near_length, far_length = near_length * near_length, far_length * far_length
        return near_length - far_length + self.margin, column(swapped), near, far

    def reference(self, *arrays: Array) -> tuple[Array, tuple[Array, ...]]:
        missing, swapped, *differences = self._missing(*arrays)
        if self.squared:
            t, s = (2 * column(active(missing)) * r for r in differences)
        else:
            t, s = (column(active(missing)) * slopes_of_length(r, *length(r, self.p), self.p) for r in differences)
        slopes = np.where(swapped, t, t - s), np.where(swapped, -t - s, -t), s
        return np.maximum(missing, 0), slopes

    def reference_curvature(self, *arrays: Array) -> tuple[Array, ...]:
        missing, swapped, *differences = self._missing(*arrays)
        t, s = (
            np.full_like(r, 2) if self.squared else curvatures_of_length(r, *length(r, self.p), self.p)
            for r in differences
        )
        t, s = (np.where(column(missing) > 0, part, column(active(missing))) for part in (t, s))
        return np.where(swapped, t, t - s), np.where(swapped, t - s, t), -s


@dataclass(frozen=True, kw_only=True)
class CosineEmbedding(EmbeddingLoss):
    r"""Cosine embedding loss: rows that are alike are to point the same way, others at least a little apart.

    .. math::

       \ell(a, b, y) = \begin{cases} 1 - c & y = 1 \\ \max(0, c - m) & y = -1 \end{cases},
       \qquad c = \frac{\sum_i a_i b_i}{\sqrt{\sum_i a_i^2} \sqrt{\sum_i b_i^2}}

    Only directions count. How long a row is says often how *much* there is, how long a text, how bright a picture, and
    not what it is about; the cosine :math:`c` of the angle does not see it. So the gradient is perpendicular to the row
    and only ever turns it; and it is inverse to its length, so that long rows turn slowly.

    Parameters
    ----------
    margin : float in [-1, 1], default 0.0
        The cosine :math:`m` below which pairs that are different let go. At 0 a right angle is enough; PyTorch suggests
        0 to 0.5.
    reduction : {"mean", "sum"}, default "mean"
        How the values of the pairs become one number.

    Notes
    -----
    ``loss(a, b, y)`` takes two arrays of the shape (n, d) and n labels, +1 for alike and −1 for different; others are
    refused.

    **A row of zeros has no direction**, and so no cosine: value and gradients of its pair are NaN. PyTorch adds
    :math:`10^{-12}` to the squared lengths; there a dead row has the cosine 0 with everything, which is a loss of 1,
    and nobody is told.

    Subtracted from 1, the cosine of a small angle has no digits left: for two float32 rows that differ in the fifth
    digit there remains 0. Here :math:`1 - c` is half of the squared distance of the two directions, which is the same
    in mathematics and keeps them; and the gradient is put together from what is small. Directions are computed in
    float64, whatever the precision of the rows. Of float64 rows at an angle :math:`\theta` the loss has a relative
    error of some :math:`10^{-16} / \theta`.

    References
    ----------
    J. Bromley, I. Guyon, Y. LeCun, E. Säckinger and R. Shah, "Signature verification using a 'siamese' time delay
    neural network", *NIPS* 1993 (the cosine between the outputs of two copies of a network).

    Examples
    --------
    >>> import lossref
    >>> loss = lossref.CosineEmbedding()
    >>> a, b = [[3.0, 4.0], [3.0, 4.0]], [[4.0, 3.0], [4.0, 3.0]]
    >>> loss.values(a, b, [1, -1]).round(6)
    array([0.04, 0.96])
    >>> slope_a, slope_b = loss.grad(a, b, [1, -1])
    >>> slope_a.round(6)
    array([[-0.0224,  0.0168],
           [ 0.0224, -0.0168]])
    >>> loss([[1.0, 1e-9]], [[1.0, 0.0]], [1])
    5e-19
    """

    margin: float = cosine(0.0, slider=(-1.0, 1.0))

    samples = ({}, {"margin": 0.4})
    arrays = ("a", "b", "y")
    learned = ("a", "b")
    labels = (-1, 1)
    exact = True
    properties = Invariances(moved=False, turned=True, stretched=True)

    @staticmethod
    def formula(a: Any, b: Any, y: Any, margin: Any) -> Any:
        nothing = [0] * len(a)
        c = sum(x * z for x, z in zip(a, b, strict=True)) / (distance(a, nothing) * distance(b, nothing))
        return sp.Piecewise((1 - c, sp.Eq(y, 1)), (c - margin, c > margin), (0, True))

    def lengths(self) -> dict[str, Any]:
        symbols = self.arguments()
        return {letter: distance(symbols[name], [0, 0]) for letter, name in (("A", "a"), ("B", "b"))}

    def _angle(self, a: Array, b: Array, y: Array) -> tuple[Any, ...]:
        """The cosine, what it lacks to 1, the two directions, and the norms and scales of the rows."""
        (norm_a, scale_a), (norm_b, scale_b) = length(a), length(b)
        u, v = slopes_of_length(a, norm_a, scale_a), slopes_of_length(b, norm_b, scale_b)
        undefined = 0 / norm_a + 0 / norm_b
        lost = 0.5 * folded((u - v) * (u - v)) + undefined
        return folded(u * v) + undefined + 0 * y, lost, u, v, (norm_a, scale_a), (norm_b, scale_b)

    def reference(self, *arrays: Array) -> tuple[Array, tuple[Array, ...]]:
        *_, y = arrays
        c, lost, u, v, of_a, of_b = self._angle(*arrays)
        missing, alike = c - self.margin, y == 1
        turn = column(np.where(alike, -1, active(missing)))
        kept, rest = column(np.where(c > 0.5, 1, c)), column(np.where(c > 0.5, lost, 0))
        slopes = (
            turn * ((other - kept * own) + rest * own) / column(norm) / column(scale)
            for own, other, (norm, scale) in ((u, v, of_a), (v, u, of_b))
        )
        return np.where(alike, lost, np.maximum(missing, 0)), tuple(slopes)

    def reference_curvature(self, *arrays: Array) -> tuple[Array, ...]:
        *_, y = arrays
        c, _, u, v, of_a, of_b = self._angle(*arrays)
        turn = column(np.where(y == 1, 1, 0 - active(c - self.margin)))
        bends = (column(c) + 2 * (u * v) - 3 * (column(c) * (own * own)) for own in (u, v))
        return tuple(
            turn * bend / column(norm) / column(scale) / column(norm) / column(scale)
            for bend, (norm, scale) in zip(bends, (of_a, of_b), strict=True)
        )
