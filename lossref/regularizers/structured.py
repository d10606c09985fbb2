"""Penalties that look at several parameters together: groups that stay or go as one, neighbours that are equal."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lossref import symbolic as sp
from lossref._arrays import Array, halved_sum
from lossref._parameters import group_of_each, nonnegative
from lossref.regularizers.base import StructuredPenalty


def scaled(w: Array) -> tuple[float, Array]:
    """A power of two near the largest number, and the numbers divided by it, whose squares neither overflow nor vanish.

    Beside an infinity all finite numbers are nothing, and two infinities are taken to be equal, as by ``arctan2``.
    """
    largest = np.fmax.reduce(np.abs(w), axis=None, initial=0)
    if np.isinf(largest):
        return float(largest), np.where(np.isinf(w), np.sign(w), 0 * w)
    scale = np.ldexp(1.0, max(int(np.frexp(largest)[1]) - 1, -1022))
    return scale, w / scale


@dataclass(frozen=True, kw_only=True)
class GroupLasso(StructuredPenalty):
    r"""The group lasso: a group of parameters is kept as a whole or dropped as a whole.

    .. math::

       R(w) = \lambda \sum_g \sqrt{n_g} \lVert w_g \rVert_2

    The lasso decides about each parameter alone. But the parameters that belong to one thing, the columns of a
    categorical feature, the weights that leave one neuron, are of use only together: zeros scattered among them save
    nothing. Here :math:`w_g` are the :math:`n_g` parameters of group :math:`g`, and the norm has its kink only where
    all of them are zero; within a group that stays, it is smooth, and parameters shrink in proportion.

    Parameters
    ----------
    lam : float >= 0
        The strength :math:`\lambda`.
    groups : sequence of int
        The group of each row of ``w``: of each element if ``w`` has one dimension, else of all that lies under one
        first index. The integers are names; they need not be consecutive, nor the members of a group be neighbours.

    Notes
    -----
    The factor :math:`\sqrt{n_g}` is that of Yuan and Lin: without it large groups, whose norm is larger by their
    size alone, would be dropped last. With one parameter in each group the penalty is :class:`~lossref.L1`.

    The gradient of a group that is zero is 0, the middle of its subgradients. The proximal map shrinks the norm of each
    group by :math:`\eta\lambda\sqrt{n_g}` and stops at zero:
    :math:`\max(1 - \eta\lambda\sqrt{n_g} / \lVert w_g \rVert_2, 0) \, w_g`.

    Norms are taken in float64 of numbers divided by a power of two near the largest, so none overflows or vanishes on
    the way. A NaN makes its whole group NaN and no other. Beside an infinite parameter the finite ones of its group are
    nothing; several infinite ones are taken to be equal.

    References
    ----------
    M. Yuan and Y. Lin, "Model selection and estimation in regression with grouped variables", *Journal of the Royal
    Statistical Society B* 68, 2006.

    Examples
    --------
    >>> import lossref
    >>> penalty = lossref.GroupLasso(lam=1.0, groups=[0, 0, 0, 0, 7])
    >>> penalty([3.0, 4.0, 0.0, 0.0, -2.0])
    12.0
    >>> penalty.grad([3.0, 4.0, 0.0, 0.0, 0.0])
    array([1.2, 1.6, 0. , 0. , 0. ])
    >>> penalty.prox([3.0, 4.0, 0.0, 0.0, -2.0], step=2.0)
    array([ 0.6,  0.8,  0. ,  0. , -0. ])
    """

    lam: float = nonnegative(slider=(0.0, 2.0))
    groups: tuple[int, ...] = group_of_each()

    samples = (
        {"lam": 0.7, "groups": (0, 0, 1)},
        {"lam": 3.0, "groups": (5, -1, 5, 5, 2, 5, -1)},
        {"lam": 0.5, "groups": (0, 1, 2)},
        {"lam": 1.0, "groups": (4, 4)},
        {"lam": 0.0, "groups": (1, 1, 0)},
    )

    if TYPE_CHECKING:  # made in __post_init__; declared here they would be fields
        _rows: ClassVar[Array]
        _ends: ClassVar[Array]

    def __post_init__(self) -> None:
        super().__post_init__()
        _, group, counts = np.unique(self.groups, return_inverse=True, return_counts=True)
        # Rows in the order of their groups, and where each group ends among them.
        object.__setattr__(self, "_rows", np.argsort(group, kind="stable").astype(np.intp))
        object.__setattr__(self, "_ends", np.cumsum(counts).astype(np.intp))

    @staticmethod
    def formula(w: Any, lam: Any, groups: Any) -> Any:
        members = {g: [w[j] for j in range(len(w)) if groups[j] == g] for g in groups}
        return lam * sum(sp.sqrt(len(part)) * sp.sqrt(sum(x**2 for x in part)) for part in members.values())

    @staticmethod
    def prox_formula(w: Any, step: Any, lam: Any, groups: Any) -> Any:
        sizes = [groups.count(g) for g in groups]
        norms = [sp.sqrt(sum(w[j] ** 2 for j in range(len(w)) if groups[j] == g)) for g in groups]
        return tuple(
            x * sp.Max(1 - step * lam * sp.sqrt(size) / norm, 0) for x, size, norm in zip(w, sizes, norms, strict=True)
        )

    def parameters_shown(self) -> int:
        return len(self.groups)

    def check_parameters(self, w: Array) -> None:
        if w.shape[:1] != (len(self.groups),):
            raise ValueError(
                f"GroupLasso: w has shape {w.shape}; its first length must be {len(self.groups)}, that of groups"
            )

    def _parts(self, w: Array) -> Iterator[tuple[Array, float, float, Array, float]]:
        """For each group: its rows, its strength, and its parameters as a scale, numbers times it, and their norm."""
        for rows in np.split(self._rows, self._ends[:-1]) if w.size else ():
            scale, x = scaled(w[rows].astype(np.float64))
            yield rows, self.lam * float(np.sqrt(float(x.size))), scale, x, np.sqrt(halved_sum(x * x))

    def reference(self, w: Array) -> tuple[Array, Array]:
        terms, slopes = [], np.empty_like(w)
        for rows, strength, scale, x, norm in self._parts(w):
            terms.append(strength * norm * scale)
            slopes[rows] = (0.0 if norm == 0 else strength / norm) * x
        return np.array(terms, np.float64), slopes

    def reference_prox(self, w: Array, step: float) -> Array:
        u = np.empty_like(w)
        for rows, strength, scale, _, norm in self._parts(w):
            left = norm - step * strength / scale
            u[rows] = (0.0 if left <= 0 else left / norm) * w[rows].astype(np.float64)
        return u


@dataclass(frozen=True, kw_only=True)
class TotalVariation(StructuredPenalty):
    r"""Total variation: neighbours become equal, and what is left are few steps.

    .. math::

       R(w) = \lambda \sum_{j=1}^{n-1} |w_{j+1} - w_j|

    The parameters have an order: times, ages, places along a line. What is dear is to change from one to the next,
    however slowly: a ramp costs as much as one step of its height. So the proximal map, which is a way to take noise
    from a signal, keeps the edges that a moving average would blur, and makes all else flat.

    Parameters
    ----------
    lam : float >= 0
        The strength :math:`\lambda`.

    Notes
    -----
    ``w`` must have one dimension. Between equal neighbours the subgradient is 0, the middle of
    :math:`[-\lambda, \lambda]`, so the gradient of a constant is 0.

    The proximal map is found exactly, in a time proportional to the number of parameters, by dynamic programming: going
    from left to right it keeps the derivative of the best objective so far, a rising line of straight pieces that is
    cut off at :math:`\pm\eta\lambda`; going back it reads off where the solution steps. The height of each flat piece
    is then computed afresh: the mean of its parameters, moved by :math:`\eta\lambda` over its length toward each
    neighbouring piece. All of that is done in float64.

    Every number of the proximal point may depend on every parameter, so a NaN makes all of them NaN. An infinite
    parameter stays where it is and pulls at its neighbours with :math:`\eta\lambda`, which is the limit.

    References
    ----------
    L. I. Rudin, S. Osher and E. Fatemi, "Nonlinear total variation based noise removal algorithms", *Physica D* 60,
    1992. N. A. Johnson, "A dynamic programming algorithm for the fused lasso and L0-segmentation", *Journal of
    Computational and Graphical Statistics* 22, 2013.

    Examples
    --------
    >>> import lossref
    >>> penalty = lossref.TotalVariation(lam=0.5)
    >>> penalty([1.0, 1.0, 4.0, 2.0])
    2.5
    >>> penalty.grad([1.0, 1.0, 4.0, 2.0])
    array([ 0. , -0.5,  1. , -0.5])
    >>> penalty.prox([1.0, 1.0, 4.0, 2.0], step=2.0)
    array([1.5, 1.5, 2.5, 2.5])
    """

    lam: float = nonnegative(slider=(0.0, 2.0))

    samples = ({"lam": 0.7}, {"lam": 0.0}, {"lam": 3.0})

    @staticmethod
    def formula(w: Any, lam: Any) -> Any:
        return lam * sum(sp.Abs(after - before) for before, after in itertools.pairwise(w))

    def check_parameters(self, w: Array) -> None:
        if w.ndim != 1:
            raise ValueError(f"TotalVariation: w has shape {w.shape}; it must have one dimension")

    def reference(self, w: Array) -> tuple[Array, Array]:
        lam, before, after = w.dtype.type(self.lam), w[:-1], w[1:]
        slopes, change = np.zeros_like(w), np.where(before == after, 0, after - before)
        slopes[1:] += lam * np.sign(change)
        slopes[:-1] -= lam * np.sign(change)
        return lam * np.abs(change), slopes

    def reference_prox(self, w: Array, step: float) -> Array:
        return self.flattened(w, step, flat_pieces)

    @staticmethod
    def prox_formula(w: Any, step: Any, lam: Any) -> Any:
        one, other = w  # of two parameters; of more there is an algorithm, and no formula
        moved = sp.sign(other - one) * sp.Min(step * lam, sp.Abs(other - one) / 2)
        return one + moved, other - moved

    def parameters_shown(self) -> int:
        return 2

    def flattened(self, w: Array, step: float, solve: Callable[[Array, float], Array]) -> Array:
        """The proximal map, where ``solve`` knows it of finite numbers around 1, and its threshold."""
        if np.isnan(w).any():
            return np.full_like(w, np.nan)
        u, wide, threshold = w.copy(), np.pad(w.astype(np.float64), 1), step * self.lam
        infinite = np.flatnonzero(np.isinf(wide))
        for start, stop in itertools.pairwise([0, *infinite, len(w) + 1]):
            run = wide[start + 1 : stop].copy()
            if run.size:
                for place, beyond in ((0, wide[start]), (-1, wide[stop])):
                    run[place] += threshold * np.sign(beyond) if np.isinf(beyond) else 0
                scale, x = scaled(run)
                # Above so much, all are equal in any case.
                u[start : stop - 1] = solve(x, min(float(threshold / scale), 4.0 * run.size)) * scale
        return u


@dataclass(frozen=True, kw_only=True)
class Nuclear(StructuredPenalty):
    r"""The nuclear norm: a matrix becomes one of low rank.

    .. math::

       R(w) = \lambda \sum_{k=1}^{n} \sigma_k

    Here :math:`\sigma_k` are the singular values of the matrix :math:`w`. It is the lasso of these: all are pushed down
    with the same force, small ones arrive at zero, and each that does takes a rank away. A table of users and films, or
    the weights of a layer that could be two thinner layers, is then explained by few directions, and nobody has to say
    beforehand by how many.

    Parameters
    ----------
    lam : float >= 0
        The strength :math:`\lambda`.

    Notes
    -----
    ``w`` must be a matrix. One dimension counts as a matrix of a single row, whose only singular value is its length.
    That is the case which is written out under *Mathematics*: singular values of larger matrices have no formula.

    With the decomposition :math:`w = U \Sigma V^T`, the gradient is :math:`\lambda U V^T` over the singular values
    that are not zero, the subgradient of least norm. What is below :math:`\sigma_1` times the larger dimension times
    the rounding unit of ``w`` counts as zero. The proximal map shrinks the singular values and stops at zero:
    :math:`U \max(\Sigma - \eta\lambda, 0) V^T`.

    The kernel is LAPACK: the decomposition is that of ``numpy.linalg.svd``, in float64, of numbers divided by a power
    of two near the largest, and the steps around it are NumPy on every backend. Its results are within a few units in
    the last place of the *largest* singular value, not of each. With a NaN the value is NaN, with an infinity it is
    infinite; neither has a decomposition, so gradient and proximal point are NaN.

    References
    ----------
    J.-F. Cai, E. J. Candès and Z. Shen, "A singular value thresholding algorithm for matrix completion", *SIAM Journal
    on Optimization* 20, 2010.

    Examples
    --------
    >>> import lossref
    >>> penalty = lossref.Nuclear(lam=1.0)
    >>> penalty([[3.0, 0.0], [0.0, -2.0]])
    5.0
    >>> penalty.grad([[3.0, 0.0], [0.0, -2.0]]) + 0.0
    array([[ 1.,  0.],
           [ 0., -1.]])
    >>> penalty.prox([[3.0, 0.0], [0.0, -2.0]], step=2.5) + 0.0
    array([[0.5, 0. ],
           [0. , 0. ]])
    """

    lam: float = nonnegative(slider=(0.0, 2.0))

    samples = ({"lam": 0.7}, {"lam": 0.0}, {"lam": 3.0})
    exact = False

    @staticmethod
    def formula(w: Any, lam: Any) -> Any:
        return lam * sp.sqrt(sum(x**2 for x in w))

    @staticmethod
    def prox_formula(w: Any, step: Any, lam: Any) -> Any:
        norm = sp.sqrt(sum(x**2 for x in w))
        return tuple(x * sp.Max(1 - step * lam / norm, 0) for x in w)

    def check_parameters(self, w: Array) -> None:
        if w.ndim not in (1, 2):
            raise ValueError(f"Nuclear: w has shape {w.shape}; it must be a matrix")

    def _parts(self, w: Array) -> tuple[float, Array, Array, Array]:
        """The singular values as numbers times a scale, between the left and the right singular vectors."""
        scale, x = scaled(np.atleast_2d(w).astype(np.float64))
        if len(x) == 1 and x.size:  # LAPACK would reflect the row into an axis, and lose the digits of small numbers
            norm = np.sqrt(halved_sum(x * x))
            return scale, np.ones((1, 1)), np.array([norm]), x / (norm or 1)
        left, sizes, right = np.linalg.svd(x, full_matrices=False)
        return scale, left, sizes, right

    def reference(self, w: Array) -> tuple[Array, Array]:
        if not np.isfinite(w).all():
            return self.lam * np.max(np.abs(w), keepdims=True).astype(np.float64), np.full_like(w, np.nan)
        scale, left, sizes, right = self._parts(w)
        least = max(left.shape[0], right.shape[1]) * np.finfo(w.dtype).eps * np.max(sizes, initial=0)
        signs = np.where(sizes > least, self.lam, 0)
        return self.lam * sizes * scale, ((left * signs) @ right).reshape(w.shape).astype(w.dtype)

    def reference_prox(self, w: Array, step: float) -> Array:
        if not np.isfinite(w).all():
            return np.full_like(w, np.nan)
        if self.lam == 0:
            return w.copy()
        scale, left, sizes, right = self._parts(w)
        shrunk = np.maximum(sizes - step * self.lam / scale, 0)
        return ((left * shrunk) @ right * scale).reshape(w.shape).astype(w.dtype)


def flat_pieces(y: Array, threshold: float) -> Array:
    """The proximal map of total variation, by Johnson's dynamic programming.

    The derivative of the best objective so far has knots ``x``, at which its slope rises by ``a`` and its offset by
    ``b``. Each round cuts it off on both sides, so knots come and go at the ends only, and all rounds together take a
    time proportional to their number.
    """
    n = len(y)
    if n == 1 or threshold == 0:
        return y.copy()
    x, a, b = ([0.0] * (2 * n) for _ in range(3))
    low, high = [0.0] * n, [0.0] * n
    signal = y.tolist()
    left, right = n - 1, n
    x[left] = low[0] = signal[0] - threshold
    x[right] = high[0] = signal[0] + threshold
    a[left], b[left] = 1.0, threshold - signal[0]
    a[right], b[right] = -1.0, threshold + signal[0]
    for k in range(1, n):
        bottom = -threshold if k < n - 1 else 0.0
        slope, offset = 1.0, -threshold - signal[k]
        first = left
        while first <= right and slope * x[first] + offset <= bottom:
            slope += a[first]
            offset += b[first]
            first += 1
        low[k] = (bottom - offset) / slope
        if k == n - 1:
            break
        fall, drop = -1.0, -threshold + signal[k]
        last = right
        while last >= first and -fall * x[last] - drop >= threshold:
            fall += a[last]
            drop += b[last]
            last -= 1
        high[k] = (threshold + drop) / -fall
        left, right = first - 1, last + 1
        x[left], a[left], b[left] = low[k], slope, offset + threshold
        x[right], a[right], b[right] = high[k], fall, drop + threshold
    u = low
    for k in range(n - 2, -1, -1):
        u[k] = high[k] if u[k + 1] > high[k] else low[k] if u[k + 1] < low[k] else u[k + 1]
    heights, start = np.empty(n), 0
    for stop in range(1, n + 1):
        if stop == n or u[stop] != u[start]:
            pull = (u[start - 1] > u[start]) - (u[start - 1] < u[start]) if start > 0 else 0
            pull += (u[stop] > u[start]) - (u[stop] < u[start]) if stop < n else 0
            heights[start:stop] = (halved_sum(y[start:stop]) + threshold * pull) / (stop - start)
            start = stop
    return heights
