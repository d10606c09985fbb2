"""Penalties that look at several parameters together: groups that stay or go as one."""

from __future__ import annotations

from collections.abc import Iterator
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

    def parts(self, w: Array) -> Iterator[tuple[Array, float, float, Array, float]]:
        """For each group: its rows, its strength, and its parameters as a scale, numbers times it, and their norm."""
        for rows in np.split(self._rows, self._ends[:-1]) if w.size else ():
            scale, x = scaled(w[rows].astype(np.float64))
            yield rows, self.lam * float(np.sqrt(float(x.size))), scale, x, np.sqrt(halved_sum(x * x))

    def reference(self, w: Array) -> tuple[Array, Array]:
        terms, slopes = [], np.empty_like(w)
        for rows, strength, scale, x, norm in self.parts(w):
            terms.append(strength * norm * scale)
            slopes[rows] = (0.0 if norm == 0 else strength / norm) * x
        return np.array(terms, np.float64), slopes

    def reference_prox(self, w: Array, step: float) -> Array:
        u = np.empty_like(w)
        for rows, strength, scale, _, norm in self.parts(w):
            left = norm - step * strength / scale
            u[rows] = (0.0 if left <= 0 else left / norm) * w[rows].astype(np.float64)
        return u
