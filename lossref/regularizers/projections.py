"""Projections: the nearest point of a box, a simplex or a ball, for parameters that must not leave it."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable
from typing import Any

import numpy as np

from lossref._arrays import Array, as_floats, check_out, halved_sum, ready
from lossref._parameters import Range, positive
from lossref.regularizers.structured import scaled

SIZE: Range = positive().metadata["range"]


def moved(owner: str, w: Any, out: Array | None, project: Callable[[Array], Array]) -> Any:
    """What ``project`` makes of ``w``, in its dtype, where the caller wants it. All checks precede the first write."""
    given = as_floats(owner, "w", w)
    kind = given.dtype.newbyteorder("=")
    if out is not None:
        check_out(owner, out, kind, given.shape, {"w": given})
    with np.errstate(all="ignore"):
        nearest = project(ready(given, kind)).astype(kind, copy=False)
    if out is None:
        return nearest[()]
    out[...] = nearest
    return out


def within(w: Array, low: float, high: float) -> Array:
    """Each number moved to the nearer end of an interval, if it is outside."""
    kind = w.dtype.type
    nearest: Array = np.asarray(np.minimum(np.maximum(w, kind(low)), kind(high)))
    return nearest


def on_simplex(w: Array, total: float) -> Array:
    """The nearest nonnegative numbers with a given sum, in float64."""
    wide = w.astype(np.float64)
    largest = wide.max()
    below = np.where(wide == largest, 0, wide - largest)
    near = np.sort(below[below > -total])[::-1]  # one threshold serves all, and it lies in this distance
    thresholds = (np.cumsum(near) - total) / np.arange(1, near.size + 1)
    kept = max(int(np.count_nonzero(near > thresholds)), 1)
    threshold = np.nan if np.isnan(largest) else (halved_sum(near[:kept]) - total) / kept
    nearest: Array = np.maximum(below - threshold, 0)
    return nearest


def in_ball_1(w: Array, radius: float) -> Array:
    """The nearest point whose absolute values sum to no more than the radius."""
    sizes = np.abs(w)
    if w.size == 0 or halved_sum(sizes.astype(np.float64)) <= radius:
        return w.copy()
    return np.copysign(on_simplex(sizes, radius), w)


def in_ball_2(w: Array, radius: float) -> Array:
    """The nearest point in a ball of Euclid's."""
    if w.size == 0:
        return w.copy()
    scale, x = scaled(w.astype(np.float64))
    norm = np.sqrt(halved_sum(x * x))
    return w.copy() if norm <= radius / scale else radius / norm * x


BALLS: dict[float, Callable[[Array, float], Array]] = {
    1: in_ball_1,
    2: in_ball_2,
    math.inf: lambda w, radius: within(w, -radius, radius),
}


def project_box(w: Any, low: float, high: float, *, out: Array | None = None) -> Any:
    r"""Return the nearest point whose every number lies between two bounds.

    .. math::

       \operatorname{project}(w)_j = \min(\max(w_j, a), b)

    Parameters
    ----------
    w : array_like
        Parameters, of any shape.
    low, high : float
        The bounds :math:`a \le b`. ``-inf`` and ``inf`` bound nothing: ``low=0, high=inf`` keeps weights nonnegative.
    out : numpy.ndarray, optional
        Where to write the result: of the shape and dtype of ``w``. It may be ``w`` itself.

    Returns
    -------
    numpy.ndarray
        Of the shape and dtype of ``w``. NaN stays in its place.

    Examples
    --------
    >>> from lossref.regularizers import project_box
    >>> project_box([-2.0, 0.5, 3.0], 0.0, 1.0)
    array([0. , 0.5, 1. ])
    """
    bounds: list[float] = []
    for name, bound in (("low", low), ("high", high)):
        if isinstance(bound, bool) or not isinstance(bound, numbers.Real):
            raise TypeError(f"project_box: {name} must be a number, got {bound!r} of type {type(bound).__name__}")
        try:
            bounds.append(float(bound))
        except OverflowError:
            raise ValueError(f"project_box: {name} is beyond the range of float64; no bound is inf or -inf") from None
    if not low <= high:
        raise ValueError(f"project_box: low must be <= high, got {low!r} and {high!r}")
    return moved("project_box", w, out, lambda array: within(array, *bounds))


def project_simplex(w: Any, total: float = 1.0, *, out: Array | None = None) -> Any:
    r"""Return the nearest point whose numbers are nonnegative and have a given sum: weights of a mixture, shares.

    .. math::

       \operatorname{project}(w)_j = \max(w_j - \theta, 0), \qquad \theta \text{ such that the sum is right}

    Unlike the softmax it makes exact zeros, and it leaves a point alone that is a distribution already.

    Parameters
    ----------
    w : array_like
        Parameters, of any shape: all of them have the sum together. There must be one at least.
    total : float > 0, default 1.0
        The sum.
    out : numpy.ndarray, optional
        Where to write the result: of the shape and dtype of ``w``. It may be ``w`` itself.

    Returns
    -------
    numpy.ndarray
        Of the shape and dtype of ``w``. With a NaN among them, all are NaN: the threshold depends on each. An infinite
        parameter gets all, several get equal parts.

    Notes
    -----
    The threshold :math:`\theta` is found by sorting. Before, the largest parameter is taken from all, which changes no
    projection; then a sum of 1 is not lost beside parameters of :math:`10^{20}`.

    References
    ----------
    J. Duchi, S. Shalev-Shwartz, Y. Singer and T. Chandra, "Efficient projections onto the l1-ball for learning in high
    dimensions", *ICML*, 2008.

    Examples
    --------
    >>> from lossref.regularizers import project_simplex
    >>> project_simplex([1.0, 0.5, -3.0])
    array([0.75, 0.25, 0.  ])
    """
    size = SIZE.check("project_simplex", "total", total)

    def project(array: Array) -> Array:
        if array.size == 0:
            raise ValueError(f"project_simplex: w has shape {array.shape}; no numbers have no sum but 0")
        return on_simplex(array, size)

    return moved("project_simplex", w, out, project)


def project_ball(w: Any, radius: float = 1.0, *, norm: float = 2, out: Array | None = None) -> Any:
    r"""Return the nearest point whose norm is no larger than a radius.

    In the ball of the 2-norm the point is shortened and keeps its direction. In that of the 1-norm, whose corners lie
    on the axes, small parameters become exactly zero; in that of the maximum norm, a cube, large ones are cut off.

    Parameters
    ----------
    w : array_like
        Parameters, of any shape; the norm is that of all of them together.
    radius : float > 0, default 1.0
        The largest norm that is allowed.
    norm : {2, 1, math.inf}, default 2
        Which norm.
    out : numpy.ndarray, optional
        Where to write the result: of the shape and dtype of ``w``. It may be ``w`` itself.

    Returns
    -------
    numpy.ndarray
        Of the shape and dtype of ``w``; ``w`` to the last bit where it is inside. With a NaN among them, all are NaN
        in the 1-norm and the 2-norm. An infinite parameter gives the limit, several count as equal.

    Notes
    -----
    Projection and proximal map are halves of one whole (Moreau): what the proximal map of a norm takes away is the
    projection on the ball of the dual norm. So ``w - project_ball(w, lam, norm=math.inf)`` is the soft threshold of
    :class:`~lossref.L1`, and with the 2-norm it is :class:`~lossref.GroupLasso` on one group.

    References
    ----------
    N. Parikh and S. Boyd, "Proximal algorithms", *Foundations and Trends in Optimization* 1, 2014.

    Examples
    --------
    >>> import math
    >>> from lossref.regularizers import project_ball
    >>> project_ball([3.0, 4.0])
    array([0.6, 0.8])
    >>> project_ball([3.0, 4.0], norm=1)
    array([0., 1.])
    >>> project_ball([3.0, -4.0], 3.5, norm=math.inf)
    array([ 3. , -3.5])
    """
    size = SIZE.check("project_ball", "radius", radius)
    if isinstance(norm, bool) or not isinstance(norm, numbers.Real):
        raise TypeError(f"project_ball: norm must be 1, 2 or inf, got {norm!r} of type {type(norm).__name__}")
    if norm not in BALLS:
        raise ValueError(f"project_ball: norm must be 1, 2 or inf, got {norm!r}")
    return moved("project_ball", w, out, lambda array: BALLS[float(norm)](array, size))
