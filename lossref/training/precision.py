"""Half the bits: numbers rounded as narrow formats do it, and a loss scale that keeps gradients from vanishing."""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import inf
from typing import Any, NamedTuple

import numpy as np

from lossref._arrays import Array, as_floats
from lossref._parameters import as_real, count, inner, positive, ranged, refuse_unless
from lossref._tensors import State
from lossref.training.fused import Taken, clipped_step


class Format(NamedTuple):
    """A narrow floating-point format."""

    digits: int  #: of the significand behind the point
    least: int  #: the exponent of the smallest normal number
    largest: float
    beyond: float  #: what becomes of a number that would round to more than the largest


#: The formats that :func:`round_to` knows.
FORMATS = {
    "float16": Format(10, -14, 65504.0, inf),
    "bfloat16": Format(7, -126, (2 - 2.0**-7) * 2.0**127, inf),
    "float8_e4m3": Format(3, -6, 448.0, np.nan),
    "float8_e5m2": Format(2, -14, 57344.0, inf),
}

#: The normal numbers of float32, in which a loss scale is to stay.
SMALLEST, LARGEST = 2.0**-126, (2 - 2.0**-23) * 2.0**127


def round_to(x: Any, format: str) -> Array:
    r"""Round every number to the nearest one that a narrow format has, and keep it in its wide dtype.

    So one sees on any machine what a training in few bits would do to numbers: which gradients become zero, which
    overflow, how coarse the rest is.

    Parameters
    ----------
    x : array_like
        Numbers; float32 and float64 keep their dtype, all else is converted as by a loss.
    format : {"float16", "bfloat16", "float8_e4m3", "float8_e5m2"}
        Which format. Between them lie all trade-offs of range against precision:

        ===============  ========  ===========================  ============
        format           digits    smallest number above 0      largest
        ===============  ========  ===========================  ============
        ``float16``      3.3       :math:`2^{-24} = 6.0e-8`     65504
        ``bfloat16``     2.4       :math:`2^{-133} = 9.2e-41`   3.4e38
        ``float8_e4m3``  1.2       :math:`2^{-9} = 0.002`       448
        ``float8_e5m2``  0.9       :math:`2^{-16} = 1.5e-5`     57344
        ===============  ========  ===========================  ============

    Returns
    -------
    numpy.ndarray
        The rounded numbers, in an array of the same shape.

    Raises
    ------
    TypeError, ValueError
        If ``x`` is no array of numbers or the format is unknown.

    Notes
    -----
    To nearest, ties to even, subnormal numbers included, in one rounding. What would round to more than the largest
    becomes infinite; ``float8_e4m3`` has no infinity and makes it NaN (hardware may be told to saturate instead).
    ``float16`` is ``numpy.float16`` bit for bit.

    References
    ----------
    P. Micikevicius, S. Narang, J. Alben et al., "Mixed precision training", *ICLR*, 2018.

    D. Kalamkar, D. Mudigere, N. Mellempudi et al., "A study of BFLOAT16 for deep learning training", arXiv:1905.12322,
    2019.

    P. Micikevicius, D. Stosic, N. Burgess et al., "FP8 formats for deep learning", arXiv:2209.05433, 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from lossref.training import round_to
    >>> gradients = np.array([1e-8, 1e-3, 1.0, 1e5])
    >>> round_to(gradients, "float16")  # the small one is lost, the large one too
    array([0.       , 0.0010004, 1.       ,       inf])
    >>> scaled = round_to(gradients[0] * 2.0**16, "float16") / 2.0**16
    >>> f"{scaled:.3e}"  # multiplied before and divided after, the small one is kept
    '9.997e-09'
    """
    if not isinstance(format, str):
        raise TypeError(f"round_to: format must be one of {', '.join(FORMATS)}, got {format!r}")
    if format not in FORMATS:
        raise ValueError(f"round_to: format must be one of {', '.join(FORMATS)}, got {format!r}")
    digits, least, largest, beyond = FORMATS[format]
    given = as_floats("round_to", "x", x)
    kind = given.dtype.newbyteorder("=")
    with np.errstate(all="ignore"):
        wide = given.astype(np.float64)
        spacing = np.ldexp(1.0, np.maximum(np.frexp(wide)[1] - 1, least) - digits)
        rounded = np.rint(wide / spacing) * spacing
        rounded = np.where(np.abs(rounded) > largest, np.copysign(beyond, wide), rounded)
        result: Array = np.asarray(np.where(np.isnan(wide), wide, rounded)).astype(kind)
    return result


@dataclass(kw_only=True)
class LossScale:
    """What a :class:`LossScaler` remembers: plain data, to be pickled with the state of the optimizer.

    Attributes
    ----------
    value : float
        By what the loss is to be multiplied now.
    clean : int
        How many steps in a row were finite since the value last changed.
    """

    value: float
    clean: int = 0


@dataclass(frozen=True, kw_only=True)
class LossScaler:
    r"""A loss scale that finds its own size: doubled after many finite steps, halved at the first that is not.

    .. math::

       s \leftarrow \begin{cases}
           b \, s & \text{if a gradient is not finite (its step is left out)} \\
           a \, s & \text{after } n \text{ finite steps in a row} \\
           s & \text{otherwise}
       \end{cases}

    Gradients of a loss near 1 are often below 1e-7, and float16 has no such numbers: they become zero. Multiplied by
    :math:`s` the loss makes gradients that are :math:`s` times larger and fit; before the step they are divided by
    :math:`s` again, in float32. How large :math:`s` may be cannot be known beforehand, so it grows until something
    overflows, and then gives way.

    Parameters
    ----------
    initial : float > 0, default 2**16
        The first :math:`s`.
    growth : float > 1, default 2.0
        The factor :math:`a`.
    backoff : float in (0, 1), default 0.5
        The factor :math:`b`.
    every : int >= 1, default 2000
        The number :math:`n` of finite steps before it grows.

    Notes
    -----
    The rules and the defaults are those of ``torch.amp.GradScaler``; Keras's ``LossScaleOptimizer`` begins with
    :math:`2^{15}`. Powers of two cost no digit: scaled and unscaled, a gradient that fits has the bits it had. The
    value stays within the normal numbers of float32, :math:`2^{-126}` to :math:`3.4 \cdot 10^{38}`: PyTorch's ends at
    zero when all steps overflow, and then nothing can be unscaled any more.

    References
    ----------
    P. Micikevicius, S. Narang, J. Alben et al., "Mixed precision training", *ICLR*, 2018.

    Examples
    --------
    >>> import numpy as np
    >>> import lossref
    >>> from lossref.training import LossScaler, round_to
    >>> theta, optimizer, scaler = np.zeros(1, np.float32), lossref.SGD(lr=1e6), LossScaler()
    >>> state, scale = optimizer.init(theta), scaler.init()
    >>> gradient = np.array([1e-8])
    >>> scaler.step(optimizer, theta, round_to(gradient * scale.value, "float16"), state, scale).taken
    True
    >>> theta.round(4), round_to(gradient, "float16")  # without the scale there would be nothing to step along
    (array([-0.01], dtype=float32), array([0.]))
    >>> scaler.step(optimizer, theta, round_to(1e3 * np.array([scale.value]), "float16"), state, scale)
    Taken(norm=inf, taken=False)
    >>> scale
    LossScale(value=32768.0, clean=0)
    """

    initial: float = positive(2.0**16)
    growth: float = ranged(2.0, "a number > 1", refuse_unless(lambda x: x > 1, as_real))
    backoff: float = inner(0.5)
    every: int = count(2000)

    def __post_init__(self) -> None:
        for each in fields(self):
            accepted = each.metadata["range"].check("LossScaler", each.name, getattr(self, each.name))
            object.__setattr__(self, each.name, accepted)

    def init(self) -> LossScale:
        """Return the state from which training starts."""
        return LossScale(value=self.initial)

    def step(
        self,
        optimizer: Any,
        params: Any,
        grads: Any,
        state: State,
        scale: LossScale,
        *,
        max_norm: float | None = None,
    ) -> Taken:
        """Take one step with the gradients of a scaled loss, or leave it out, and adapt the scale.

        Parameters
        ----------
        optimizer, params, grads, state, max_norm
            As for :func:`clipped_step`; the gradients are those of ``scale.value`` times the loss.
        scale : LossScale
            What :meth:`init` returned; it is updated.

        Returns
        -------
        Taken
            What :func:`clipped_step` returns. A step that was left out changed neither parameters nor ``state``.
        """
        if not isinstance(scale, LossScale):
            raise TypeError(f"LossScaler: scale must be what init() returned, got {type(scale).__name__}")
        done = clipped_step(optimizer, params, grads, state, max_norm=max_norm, loss_scale=scale.value)
        self.update(scale, done.taken)
        return done

    def update(self, scale: LossScale, finite: bool) -> None:
        """Adapt the scale to one more gradient, which was finite or not; :meth:`step` does so by itself."""
        if not finite:
            scale.value, scale.clean = max(self.backoff * scale.value, SMALLEST), 0
        elif scale.clean + 1 < self.every:
            scale.clean += 1
        else:
            grown = self.growth * scale.value
            scale.value, scale.clean = grown if grown <= LARGEST else scale.value, 0
