"""Wrappers: what is done around the steps of any optimizer. Averages, slow weights, and a climb before each descent."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lossref import _backend, _fallback
from lossref._arrays import Array
from lossref._norms import norm_for
from lossref._parameters import Range, choice, count, fraction, positive, share
from lossref._tensors import (
    State,
    as_scale,
    check_apart,
    check_params,
    check_state,
    kept_under,
    set_all,
    shaped_like,
)
from lossref.optimizers.base import Optimizer
from lossref.optimizers.groups import Grouped
from lossref.optimizers.variants import seen

#: A norm below this, the least normal number of float32, has no inverse there.
LEAST_NORM = 2.0**-126


def as_inner(value: Any) -> Any:
    """What a wrapper may be put around: something that steps by one gradient."""
    if not isinstance(value, Optimizer | Grouped | Wrapper) or isinstance(value, SAM):
        raise TypeError
    return value


@dataclass(frozen=True)
class Wrapper:
    """Something around the steps of an optimizer; ``init`` and ``step`` are the optimizer's.

    The state of the optimizer inside is the ``inner`` of the wrapper's. Both are stepped in one call, one after the
    other, and all is checked before the first of them writes.
    """

    optimizer: Any = dataclasses.field(
        metadata={"range": Range("an optimizer that steps by one gradient, such as SGD(lr=0.1)", as_inner)}
    )

    if TYPE_CHECKING:  # made in __post_init__
        _family: ClassVar[str]

    _buffers: ClassVar[tuple[str, ...]]
    _kernel: ClassVar[str]
    _fits_single: ClassVar[bool] = True

    def __init_subclass__(cls) -> None:
        _fallback.kernels[cls._kernel] = _fallback.Step()

    def __post_init__(self) -> None:
        owner = type(self).__name__
        for field in dataclasses.fields(self):
            accepted = field.metadata["range"].check(owner, field.name, getattr(self, field.name))
            object.__setattr__(self, field.name, accepted)
        object.__setattr__(self, "_family", f"{owner}({self.optimizer._family})")

    def init(self, params: Any) -> State:
        """Return the state from which training starts.

        Parameters
        ----------
        params : numpy.ndarray, list or dict
            The parameters: an array, or a list or dict of arrays, of float32 or float64.

        Returns
        -------
        State
            The step counter at 0, a copy of the parameters, and as ``inner`` the state of the optimizer inside.

        Raises
        ------
        TypeError, ValueError
            If a parameter could not be updated in place.
        """
        inner = self.optimizer.init(params)
        buffers = {letter: shaped_like(params, partial(np.array, order="C")) for letter in self._buffers}
        return State(optimizer=self._family, step=0, buffers=buffers, inner=inner)

    def step(self, params: Any, grads: Any, state: State, *, scale: float = 1.0) -> None:
        """Take one step of the optimizer inside, and then do what the wrapper is for.

        Parameters
        ----------
        params : numpy.ndarray, list or dict
            The parameters, in the structure that ``state`` was made for.
        grads : numpy.ndarray, list or dict
            Their gradients, in the same structure.
        state : State
            What :meth:`init` returned.
        scale : float, default 1.0
            By what the gradients are multiplied on their way in.

        Raises
        ------
        TypeError, ValueError
            For what a step of the optimizer inside refuses, or if the state is not of this wrapper. Nothing has changed
            then.
        """
        self._check(params, grads, state)
        if state.inner.step > state.step:  # type: ignore[union-attr]  # Ctrl-C came between the two
            self._follow(params, grads, state)
        self.optimizer.step(params, grads, state.inner, scale=scale)
        self._follow(params, grads, state)

    def scalars(self, t: int) -> tuple[float, ...]:
        """The numbers that step ``t`` of the wrapper reads."""
        raise NotImplementedError

    def reference(self, theta: Array, g: Array, *buffers: Array, t: int) -> tuple[Array, ...]:
        """What the wrapper does with one parameter, in NumPy."""
        raise NotImplementedError

    def _check(self, params: Any, grads: Any, state: Any) -> None:
        """Refuse what a step would refuse."""
        _backend.kernels[self._kernel].check(self, params, grads, state)
        self.optimizer._check(params, grads, state.inner)

    def _follow(self, params: Any, grads: Any, state: State) -> None:
        """What comes behind a step of the optimizer inside. It counts the step as done."""
        _backend.kernels[self._kernel].step(self, params, grads, state)


@dataclass(frozen=True, kw_only=True)
class EMA(Wrapper):
    r"""Averaged parameters beside the trained ones: an exponential moving average, or the plain mean of all.

    .. math::

       \bar\theta_t = \bar\theta_{t-1} + a_t (\theta_t - \bar\theta_{t-1}),
       \qquad a_t = \frac{1 - d}{1 - d^t} \quad\text{or}\quad a_t = \frac1t

    Under a constant rate noisy gradients never let the parameters rest: they wander around the minimum, and the last
    of them is as far off as any. Their mean is not, for what is noise in them cancels. So one trains with a large rate,
    which gets there fast, and evaluates the average, which is quiet. Training itself does not notice: the parameters
    take the steps of the optimizer inside, bit for bit.

    Parameters
    ----------
    optimizer : Optimizer
        What takes the steps: an optimizer, one with groups, or another wrapper.
    decay : float in [0, 1), default 0.999
        The share :math:`d` of an exponential average that is kept. It reaches back about :math:`1 / (1 - d)` steps.
    weights : {"exponential", "uniform"}, default "exponential"
        How the past counts: less and less, or all of it equally (Polyak-Ruppert). With ``"uniform"`` there is no decay
        and ``decay`` is not read.

    Notes
    -----
    The exponential average is corrected for its start: after the first step it is the first parameters, after two
    their mean with weights :math:`d : 1`, and so on, as if an average that began at zero were divided by
    :math:`1 - d^t`. The correction is in :math:`a_t`, computed in float64 without the difference :math:`1 - d^t`, so
    that the buffer always holds the average itself. This is what ``optax.ema`` with ``debias`` makes of the parameters.
    PyTorch's ``AveragedModel`` (with ``get_ema_multi_avg_fn``) and Keras's ``use_ema`` begin with the parameters after
    the first step instead, which keep the weight :math:`d^{t-1}`. Without that function PyTorch's average is the
    uniform one, and the same as here.

    The average is ``state.buffers["average"]``. To compute with it, :meth:`swap` exchanges it with the parameters, and
    with :meth:`averaged` that is undone when the block ends. While it is swapped in, a step is refused, for it would
    move the average.

    In float32 an average stands still once :math:`a_t \lvert\theta_t - \bar\theta_{t-1}\rvert` is less than half of
    its last place: with a decay of 0.9999 that is when the two agree to three digits.

    If Ctrl-C comes between the step and the average, the next call first makes up for it.

    References
    ----------
    B. T. Polyak, A. B. Juditsky, "Acceleration of stochastic approximation by averaging", *SIAM Journal on Control and
    Optimization* 30 (4), 1992.

    Examples
    --------
    >>> import numpy as np
    >>> import lossref
    >>> theta = np.array([0.0])
    >>> optimizer = lossref.EMA(lossref.SGD(lr=1.0), decay=0.5)
    >>> state = optimizer.init(theta)
    >>> for g in (-1.0, 1.0, -1.0):  # the parameter goes to 1, to 0, to 1
    ...     optimizer.step(theta, np.array([g]), state)
    >>> with optimizer.averaged(theta, state):
    ...     print(theta.round(3))  # (1 + 4 · 1) / 7
    [0.714]
    >>> theta
    array([1.])
    """

    decay: float = fraction(0.999)
    weights: str = choice("exponential", ("exponential", "uniform"))

    _buffers = ("average",)
    _kernel = "ema"

    def scalars(self, t: int) -> tuple[float, ...]:
        return (1 / t if self.weights == "uniform" else (1 - self.decay) / seen(self.decay, t),)

    def reference(self, theta: Array, g: Array, *buffers: Array, t: int) -> tuple[Array, ...]:
        return theta, buffers[0] + self.scalars(t)[0] * (theta - buffers[0])

    def swap(self, params: Any, state: State) -> None:
        """Exchange the parameters and their average, in place; the same call again undoes it, bit for bit.

        Parameters
        ----------
        params : numpy.ndarray, list or dict
            The parameters, in the structure that ``state`` was made for.
        state : State
            What :meth:`init` returned. While the average is swapped in, its buffer is called ``"trained"``.

        Raises
        ------
        TypeError, ValueError
            If the parameters cannot be written, or the state is not of such a wrapper. Nothing has changed then.
        """
        letter, other = ("trained", "average") if is_swapped(state) else ("average", "trained")
        check_state("EMA", self._family, (letter,), state)
        thetas = check_params("EMA", params, True)
        kept = kept_under("EMA", letter, state, params, thetas)
        check_apart("EMA", thetas | kept, {})
        targets, sources = [*thetas.values(), *kept.values()], [*kept.values(), *thetas.values()]
        copies = [source.copy() for source in sources]
        set_all([*targets, vars(state)], [*[...] * len(targets), "buffers"], [*copies, {other: state.buffers[letter]}])

    @contextlib.contextmanager
    def averaged(self, params: Any, state: State) -> Iterator[Any]:
        """In a ``with`` block the parameters are the average; behind it they are again what they were."""
        self.swap(params, state)
        try:
            yield params
        finally:
            self.swap(params, state)

    def _check(self, params: Any, grads: Any, state: Any) -> None:
        if is_swapped(state):
            raise ValueError("EMA: the average is swapped in; swap(params, state) once more before the next step")
        super()._check(params, grads, state)


@dataclass(frozen=True, kw_only=True)
class Lookahead(Wrapper):
    r"""Slow weights that go part of the way after every few steps: k steps forward, one step back.

    .. math::

       \phi \leftarrow \phi + \alpha (\theta_t - \phi), \qquad \theta_t \leftarrow \phi
       \qquad\text{whenever } k \text{ divides } t

    The optimizer inside explores; every :math:`k` steps the slow weights :math:`\phi` move towards the place it has
    found, and it starts again from there. Steps that went to and fro cancel, steps that agreed are kept by half. It
    makes settings less delicate: a rate that is a little too large for the optimizer alone is often right inside.

    Parameters
    ----------
    optimizer : Optimizer
        What takes the steps: an optimizer, one with groups, or another wrapper.
    k : int >= 1, default 5
        How many steps are taken between two of the slow weights.
    alpha : float in (0, 1], default 0.5
        How far the slow weights go, :math:`\alpha`; with 1 they only follow.

    Notes
    -----
    What the optimizer inside remembers is kept when its parameters are set back, as in the paper's main experiments and
    in ``optax.lookahead`` with ``reset_state=False``. There the parameters are a pair, of which the slow ones are to be
    evaluated; here ``state.buffers["slow"]`` is, which right after a multiple of :math:`k` steps is the parameters.

    If Ctrl-C comes between the step and the slow weights, the next call first makes up for it.

    References
    ----------
    M. R. Zhang, J. Lucas, G. Hinton, J. Ba, "Lookahead optimizer: k steps forward, 1 step back", *Advances in Neural
    Information Processing Systems* 32, 2019.

    Examples
    --------
    >>> import numpy as np
    >>> import lossref
    >>> theta = np.array([0.0])
    >>> optimizer = lossref.Lookahead(lossref.SGD(lr=1.0), k=2)
    >>> state = optimizer.init(theta)
    >>> for _ in range(4):
    ...     optimizer.step(theta, np.array([-1.0]), state)
    ...     print(theta)
    [1.]
    [1.]
    [2.]
    [2.]
    """

    k: int = count(5)
    alpha: float = share(0.5)

    _buffers = ("slow",)
    _kernel = "lookahead"

    def scalars(self, t: int) -> tuple[float, ...]:
        return (self.alpha,)

    def reference(self, theta: Array, g: Array, *buffers: Array, t: int) -> tuple[Array, ...]:
        slow = buffers[0] + self.alpha * (theta - buffers[0])
        return slow, slow

    def _follow(self, params: Any, grads: Any, state: State) -> None:
        if (state.step + 1) % self.k == 0:
            super()._follow(params, grads, state)
        else:
            state.step += 1


@dataclass(frozen=True, kw_only=True)
class SAM(Wrapper):
    r"""Sharpness-aware minimization: climb a little, and descend by the gradient that is found up there.

    .. math::

       \hat\theta = \theta + \rho \frac{g(\theta)}{\lVert g(\theta) \rVert},
       \qquad \theta \leftarrow \text{the step of the optimizer inside, from } \theta \text{ by } g(\hat\theta)

    A minimum in a narrow cleft has the same loss as one in a wide valley until the data change a little. So it is not
    the loss at :math:`\theta` that is minimized but the worst within a distance :math:`\rho`, which to first order lies
    straight uphill. In a cleft narrower than :math:`\rho` the gradient up there leads out of it; in a wide valley
    nothing changes.

    Parameters
    ----------
    optimizer : Optimizer
        What takes the steps: an optimizer, one with groups, or another wrapper (``SAM(EMA(...))``, not the other way
        round: what is outside would have to climb as well).
    rho : float > 0, default 0.05
        How far one climbs, :math:`\rho`, in the Euclidean norm of all parameters together.

    Notes
    -----
    A step needs two gradients, each at parameters of its own, and only the caller can compute them. So there are two
    calls, and between them the parameters are where the second gradient is wanted: ``ascend`` moves them there and
    keeps the place they came from, ``step`` brings them back to it, bit for bit, and then takes the step. A function
    that computes the gradient would have to be made for each batch, and would hide that the price is two of them.
    A call out of turn is refused. ``state.step`` counts the climbs, ``state.inner.step`` the steps.

    ``optax.contrib.sam`` does the same with ``sync_period=2``, an inner ``optax.chain(optax.contrib.normalize(),
    optax.sgd(rho))``, and every other update as the climb. The authors' code adds :math:`10^{-12}` to the norm. Here it
    is not needed: from a gradient whose norm is zero, below :math:`2^{-126}` or infinite one does not climb.
    A NaN stays in its element on the way up, and is gone from the parameters when they are brought back.

    References
    ----------
    P. Foret, A. Kleiner, H. Mobahi, B. Neyshabur, "Sharpness-aware minimization for efficiently improving
    generalization", *International Conference on Learning Representations*, 2021.

    Examples
    --------
    >>> import numpy as np
    >>> import lossref
    >>> theta = np.array([3.0, 4.0])
    >>> optimizer = lossref.SAM(lossref.SGD(lr=0.5), rho=5.0)
    >>> state = optimizer.init(theta)
    >>> optimizer.ascend(theta, theta.copy(), state)  # of half the squared distance from 0 the gradient is the place
    >>> theta
    array([6., 8.])
    >>> optimizer.step(theta, theta.copy(), state)
    >>> theta
    array([0., 0.])
    """

    rho: float = positive(0.05)

    _buffers = ("origin",)
    _kernel = "sam"

    def scalars(self, t: int) -> tuple[float, ...]:
        return (self.rho,)

    def reference(self, theta: Array, g: Array, *buffers: Array, t: int) -> tuple[Array, ...]:
        return theta + self.rho * g, theta.copy()

    def ascend(self, params: Any, grads: Any, state: State) -> None:
        """Climb from the parameters to where the second gradient is to be computed.

        Parameters
        ----------
        params : numpy.ndarray, list or dict
            The parameters, in the structure that ``state`` was made for.
        grads : numpy.ndarray, list or dict
            Their gradients. Only the direction counts: it does not matter whether a loss scale is still in them.
        state : State
            What :meth:`init` returned.

        Raises
        ------
        TypeError, ValueError
            For what a step refuses, or if the last climb has not been followed by a step. Nothing has changed then.
        """
        self._check(params, grads, state)
        if state.step != state.inner.step:  # type: ignore[union-attr]
            raise ValueError("SAM: ascend was called before; compute the gradients here and call step")
        norm = norm_for("SAM", grads)
        scale = 1 / norm if LEAST_NORM <= norm < inf else 0.0
        _backend.kernels[self._kernel].step(self, params, grads, state, scale)

    def step(self, params: Any, grads: Any, state: State, *, scale: float = 1.0) -> None:
        """Go back to where the climb began, and take the step of the optimizer inside from there.

        Parameters
        ----------
        params : numpy.ndarray, list or dict
            The parameters, where :meth:`ascend` has moved them.
        grads : numpy.ndarray, list or dict
            Their gradients there.
        state : State
            What :meth:`init` returned.
        scale : float, default 1.0
            By what the gradients are multiplied on their way in.

        Raises
        ------
        TypeError, ValueError
            For what a step of the optimizer inside refuses, or if :meth:`ascend` was not called before. Nothing has
            changed then.
        """
        scale = as_scale(self, scale)
        self._check(params, grads, state)
        if state.step == state.inner.step:  # type: ignore[union-attr]
            raise ValueError("SAM: call ascend first, and compute the gradients where it has moved the parameters")
        thetas = check_params("SAM", params, True)
        origin = kept_under("SAM", "origin", state, params, thetas)
        set_all(thetas.values(), [...] * len(thetas), origin.values())
        self.optimizer.step(params, grads, state.inner, scale=scale)


def is_swapped(state: Any) -> bool:
    """Is the average where the parameters should be?"""
    return isinstance(state, State) and "trained" in state.buffers
