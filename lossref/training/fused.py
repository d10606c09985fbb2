"""One pass instead of four: what is done to gradients before a step, done on their way into it."""

from __future__ import annotations

from math import inf, isfinite
from typing import Any, NamedTuple

from lossref._norms import norm_for
from lossref._tensors import State
from lossref.training.gradients import SIZE


class Taken(NamedTuple):
    """What :func:`clipped_step` did."""

    #: The norm of the gradient, unscaled and before clipping; not finite if the gradient was not.
    norm: float
    #: Was the step taken? If not, nothing has changed.
    taken: bool


def clipped_step(
    optimizer: Any,
    params: Any,
    grads: Any,
    state: State,
    *,
    max_norm: float | None = None,
    loss_scale: float | None = None,
) -> Taken:
    r"""Unscale, clip by the global norm and step: one pass over the gradients for their norm, and one for all the rest.

    .. math::

       g \leftarrow \frac{g}{s} \min\left( 1, \frac{c}{\lVert g / s \rVert} \right), \qquad \text{then the step}

    Done one after the other these are four trips through memory, and memory is what a step waits for. Here both factors
    become one ``scale``, by which the optimizer's kernel multiplies the gradients on their way in.

    Parameters
    ----------
    optimizer : Optimizer
        Whose step it is.
    params, grads, state
        As for ``Optimizer.step``. The gradients are only read: they stay scaled and unclipped.
    max_norm : float > 0, optional
        The largest norm :math:`c` that is let through; without it, nothing is clipped.
    loss_scale : float > 0, optional
        By what :math:`s` the loss was multiplied before the backward pass; by nothing, if not given.

    Returns
    -------
    Taken
        ``norm``, that of the unscaled gradient before clipping, and ``taken``. A gradient that is not finite is no
        direction: the step is left out, ``taken`` is False, and neither parameters nor state have changed.

    Raises
    ------
    TypeError, ValueError
        If a number is out of range, or the step refuses its arrays. Nothing has changed then.

    Notes
    -----
    The bits are those of ``optimizer.step(..., scale=...)``; against clipping first and stepping then, the gradient is
    rounded once instead of twice where the loss scale is no power of two.

    Examples
    --------
    >>> import numpy as np
    >>> import lossref
    >>> from lossref.training import clipped_step
    >>> theta, optimizer = np.zeros(2), lossref.SGD(lr=1.0)
    >>> state = optimizer.init(theta)
    >>> clipped_step(optimizer, theta, np.array([30.0, 40.0]), state, max_norm=1.0)
    Taken(norm=50.0, taken=True)
    >>> theta
    array([-0.6, -0.8])
    >>> clipped_step(optimizer, theta, np.array([np.inf, 0.0]), state, max_norm=1.0)
    Taken(norm=inf, taken=False)
    """
    owner = "clipped_step"
    loss_scale = 1.0 if loss_scale is None else SIZE.check(owner, "loss_scale", loss_scale)
    max_norm = inf if max_norm is None else SIZE.check(owner, "max_norm", max_norm)
    norm = norm_for(owner, grads) / loss_scale
    if not isfinite(norm):
        return Taken(norm, False)
    optimizer.step(params, grads, state, scale=(max_norm / norm if norm > max_norm else 1.0) / loss_scale)
    return Taken(norm, True)
