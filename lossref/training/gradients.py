"""What is done to gradients between the backward pass and the step: measured, clipped, disturbed, added up."""

from __future__ import annotations

from math import inf, sqrt
from typing import Any

import numpy as np

from lossref import _backend
from lossref._arrays import Array, as_floats, check_shape
from lossref._norms import norm_for
from lossref._parameters import Range, nonnegative, positive
from lossref._tensors import check_params, into_pairs, leaves, like, shaped_like

SIZE: Range = positive().metadata["range"]
AMOUNT: Range = nonnegative().metadata["range"]


def global_norm(grads: Any) -> float:
    r"""Return the Euclidean norm of all gradients together, as of one long vector.

    .. math::

       \lVert g \rVert = \sqrt{\sum_i g_i^2}

    Parameters
    ----------
    grads : numpy.ndarray, list or dict
        The gradients: an array, or a list or dict of arrays. They are only read.

    Returns
    -------
    float
        The norm; NaN or infinite if one of the gradients is, so that it tells at once whether all of them are finite.

    Raises
    ------
    TypeError, ValueError
        If something in the structure is no array of numbers.

    Notes
    -----
    Squares are taken and summed in float64 in a fixed order, with the same bits for every number of threads and every
    backend. In float32 the square of 1e20 is already infinite and that of 1e-23 is zero; here neither happens. Float64
    gradients whose squares leave the range of float64 are gone over once more, divided by a power of two.

    Examples
    --------
    >>> import numpy as np
    >>> from lossref.training import global_norm
    >>> global_norm({"w": np.array([3.0, 0.0]), "b": np.array([4.0])})
    5.0
    >>> huge = np.full(100, 1e30, np.float32)
    >>> f"{global_norm(huge):.6g}"
    '1e+31'
    """
    return norm_for("global_norm", grads)


def clip_by_value(grads: Any, limit: float, out: Any = None) -> None:
    r"""Move every element that is outside :math:`[-c, c]` to the nearer end.

    .. math::

       g_i \leftarrow \max(-c, \min(c, g_i))

    Each element is looked at alone, so the gradient changes its direction: of (10, 0.1) a limit of 1 makes (1, 0.1),
    which points elsewhere. :func:`clip_by_norm` keeps the direction, and is what one mostly wants.

    Parameters
    ----------
    grads : numpy.ndarray, list or dict
        The gradients, which are changed in place unless ``out`` is given.
    limit : float > 0
        The bound :math:`c`.
    out : numpy.ndarray, list or dict, optional
        Where to write instead: arrays in the structure of ``grads``.

    Raises
    ------
    TypeError, ValueError
        If an array cannot be written, structures or shapes differ, or arrays overlap. Nothing has changed then.

    Notes
    -----
    As PyTorch's ``clip_grad_value_``, Keras's ``clipvalue`` and optax's ``clip``. An infinite element becomes
    :math:`\pm c`; NaN stays NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from lossref.training import clip_by_value
    >>> g = np.array([10.0, -0.5, np.nan])
    >>> clip_by_value(g, 1.0)
    >>> g
    array([ 1. , -0.5,  nan])
    """
    limit = SIZE.check("clip_by_value", "limit", limit)
    _backend.kernels["gradient_limit"].apply("clip_by_value", "out", grads if out is None else out, grads, limit)


def clip_by_norm(grads: Any, max_norm: float, out: Any = None) -> float:
    r"""Shorten the gradient to a norm of at most ``max_norm``: one factor for all tensors, so its direction stays.

    .. math::

       g \leftarrow g \cdot \min\left( 1, \frac{c}{\lVert g \rVert} \right)

    At a cliff of the loss one gradient can be a thousand times longer than those before. A step along it would throw
    away all that was learnt; a step of bounded length goes the same way and stays in the neighbourhood.

    Parameters
    ----------
    grads : numpy.ndarray, list or dict
        The gradients, which are changed in place unless ``out`` is given.
    max_norm : float > 0
        The largest norm :math:`c` that is let through.
    out : numpy.ndarray, list or dict, optional
        Where to write instead: arrays in the structure of ``grads``.

    Returns
    -------
    float
        The norm *before* clipping, as in PyTorch: worth a curve of its own beside the loss.

    Raises
    ------
    TypeError, ValueError
        If an array cannot be written, structures or shapes differ, or arrays overlap. Nothing has changed then.

    Notes
    -----
    **A norm that is not finite clips nothing.** No factor repairs such a gradient, so it is left as it is, and the
    returned norm says what happened: look at it, or let :func:`clipped_step` leave the step out. PyTorch's
    ``clip_grad_norm_`` multiplies all the same, by default without a word: one NaN becomes NaN everywhere, and one
    infinity makes zeros of everything else.

    The factor is :math:`c / \lVert g \rVert` and gradients within the bound keep their bits, as in optax. PyTorch
    divides by :math:`\lVert g \rVert + 10^{-6}`, a hundredth too much for gradients of 1e-4. Keras's ``clipnorm`` is
    another rule, one norm and one factor for *each* tensor; this rule is its ``global_clipnorm``.

    Under gradient accumulation clip the mean, once; under loss scaling, after unscaling.

    References
    ----------
    R. Pascanu, T. Mikolov, Y. Bengio, "On the difficulty of training recurrent neural networks", *ICML*, 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from lossref.training import clip_by_norm
    >>> grads = [np.array([3.0, 0.0]), np.array([4.0])]
    >>> clip_by_norm(grads, 1.0)
    5.0
    >>> [g.round(6).tolist() for g in grads]
    [[0.6, 0.0], [0.8]]
    """
    max_norm = SIZE.check("clip_by_norm", "max_norm", max_norm)
    norm = norm_for("clip_by_norm", grads)
    factor = max_norm / norm if max_norm < norm < inf else 1.0
    _backend.kernels["gradient_rescale"].apply("clip_by_norm", "out", grads if out is None else out, grads, factor)
    return norm


def clip_adaptive(
    grads: Any, params: Any, ratio: float = 0.01, *, eps: float = 1e-3, unit_axis: int = -1, out: Any = None
) -> None:
    r"""Shorten the gradient of each unit to a share of the norm of the unit's own weights (AGC).

    .. math::

       g_u \leftarrow g_u \cdot \min\left( 1, \frac{\rho \max(\lVert w_u \rVert, \epsilon)}{\lVert g_u \rVert} \right)

    A step of length 1 is nothing to weights of norm 100 and the end of weights of norm 0.1. What matters is the ratio
    of the two, layer by layer and unit by unit; bounded so, networks without batch normalization can be trained at
    large batch sizes.

    Parameters
    ----------
    grads : numpy.ndarray, list or dict
        The gradients, which are changed in place unless ``out`` is given.
    params : numpy.ndarray, list or dict
        The parameters, in the same structure. They are only read.
    ratio : float > 0, default 0.01
        The largest ratio :math:`\rho` of the norms that is let through.
    eps : float > 0, default 1e-3
        The norm :math:`\epsilon` that weights are taken to have at least; without it, weights of zero would stay zero.
    unit_axis : int, default -1
        The axis along which the units of a layer are counted: the last one where inputs come first, as in ``x @ w``,
        in Keras and in JAX; 0 for PyTorch's layers. Arrays of one dimension or none are one unit.
    out : numpy.ndarray, list or dict, optional
        Where to write instead: arrays in the structure of ``grads``.

    Raises
    ------
    TypeError, ValueError
        If an array cannot be written, structures or shapes differ, or arrays overlap. Nothing has changed then.

    Notes
    -----
    A unit whose norm is not finite is left as it is. The rule is that of optax's ``adaptive_grad_clip`` for layers
    (inputs, outputs) and kernels (height, width, inputs, outputs). optax takes arrays of three dimensions for layers of
    many heads and sums over the first axis only, and takes (1, n) for one unit where here there are n.

    References
    ----------
    A. Brock, S. De, S. L. Smith, K. Simonyan, "High-performance large-scale image recognition without normalization",
    *ICML*, 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from lossref.training import clip_adaptive
    >>> w = np.array([[3.0, 0.0], [4.0, 0.0]])  # two inputs, two units, of norms 5 and 0
    >>> g = np.array([[30.0, 1.0], [40.0, 0.0]])
    >>> clip_adaptive(g, w, 0.1)
    >>> g
    array([[3.e-01, 1.e-04],
           [4.e-01, 0.e+00]])
    """
    owner = "clip_adaptive"
    ratio, eps = SIZE.check(owner, "ratio", ratio), SIZE.check(owner, "eps", eps)
    if isinstance(unit_axis, bool) or not isinstance(unit_axis, int):
        raise TypeError(f"{owner}: unit_axis must be an integer, got {unit_axis!r} of type {type(unit_axis).__name__}")
    results, sources, late = into_pairs(owner, "out", grads if out is None else out, grads)
    weights = []
    for (name, given), source in zip(like(owner, "params", params, grads, "grads").items(), sources, strict=True):
        weights.append(as_floats(owner, name, given))
        check_shape(owner, name, weights[-1], "its gradient", source.shape)
        if source.ndim > 1 and not -source.ndim <= unit_axis < source.ndim:
            raise ValueError(f"{owner}: unit_axis is {unit_axis} but {name} has {source.ndim} dimensions")
    with np.errstate(all="ignore"):
        for result, source, w in zip(results, sources, weights, strict=True):
            most = ratio * np.maximum(unit_norms(w, unit_axis), eps)
            norms = unit_norms(source, unit_axis)
            result[...] = source * np.where((norms > most) & (norms < inf), most / norms, 1.0).astype(source.dtype)
    for target, result in late:
        target[...] = result


def unit_norms(array: Array, unit_axis: int) -> Array:
    """The norm of each unit in float64, its array's dimensions kept; squares cannot overflow."""
    wide = array.astype(np.float64)
    across = None if array.ndim < 2 else tuple(axis for axis in range(array.ndim) if axis != unit_axis % array.ndim)
    largest = np.abs(wide).max(axis=across, keepdims=True, initial=0)
    shares = wide / np.where(largest == 0, 1, largest)
    norms: Array = largest * np.sqrt(np.square(shares).sum(axis=across, keepdims=True))
    return norms


def add_noise(grads: Any, sigma: float, random: np.random.Generator, out: Any = None) -> None:
    r"""Add independent normal noise to every element of the gradients.

    .. math::

       g_i \leftarrow g_i + \sigma \xi_i, \qquad \xi_i \sim \mathcal{N}(0, 1)

    Noise shakes a run out of narrow bends and bad starts, like the noise of small batches but of a size that one
    chooses. It is there to fade: :func:`annealed_noise` gives the usual :math:`\sigma` of each step.

    Parameters
    ----------
    grads : numpy.ndarray, list or dict
        The gradients, which are changed in place unless ``out`` is given.
    sigma : float >= 0
        The standard deviation :math:`\sigma`, in the unit of the gradient.
    random : numpy.random.Generator
        Where the noise comes from. One made with a seed, ``numpy.random.default_rng(0)``, makes the run repeatable, and
        pickled with the state of the optimizer it continues where it was.
    out : numpy.ndarray, list or dict, optional
        Where to write instead: arrays in the structure of ``grads``.

    Raises
    ------
    TypeError, ValueError
        If an array cannot be written, structures or shapes differ, or arrays overlap. Nothing has changed then, nor has
        the generator.

    References
    ----------
    A. Neelakantan, L. Vilnis, Q. V. Le, I. Sutskever, L. Kaiser, K. Kurach, J. Martens, "Adding gradient noise improves
    learning for very deep networks", arXiv:1511.06807, 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from lossref.training import add_noise, annealed_noise
    >>> g, random = np.zeros(10_000), np.random.default_rng(0)
    >>> add_noise(g, annealed_noise(0, eta=0.25), random)
    >>> round(float(g.std()), 2)
    0.5
    """
    sigma = AMOUNT.check("add_noise", "sigma", sigma)
    if not isinstance(random, np.random.Generator):
        raise TypeError(f"add_noise: random must be a numpy.random.Generator, got {type(random).__name__}")
    results, sources, late = into_pairs("add_noise", "out", grads if out is None else out, grads)
    with np.errstate(all="ignore"):
        for result, source in zip(results, sources, strict=True):
            result[...] = source + sigma * random.standard_normal(source.shape, source.dtype)
    for target, result in late:
        target[...] = result


def annealed_noise(t: int, *, eta: float = 0.01, gamma: float = 0.55) -> float:
    r"""Return the standard deviation of gradient noise that fades with the step.

    .. math::

       \sigma_t = \sqrt{\frac{\eta}{(1 + t)^\gamma}}

    Parameters
    ----------
    t : int >= 0
        The number of steps already taken.
    eta : float >= 0, default 0.01
        The variance :math:`\eta` at the first step; the paper tries 0.01, 0.3 and 1.
    gamma : float >= 0, default 0.55
        How fast it fades, :math:`\gamma`.

    Returns
    -------
    float
        The standard deviation :math:`\sigma_t`. optax's ``add_noise`` has the same defaults and counts the same steps.

    References
    ----------
    A. Neelakantan et al., "Adding gradient noise improves learning for very deep networks", arXiv:1511.06807, 2015.

    Examples
    --------
    >>> from lossref.training import annealed_noise
    >>> [round(annealed_noise(t), 4) for t in (0, 99, 9999)]
    [0.1, 0.0282, 0.0079]
    """
    owner = "annealed_noise"
    t = AMOUNT.check(owner, "t", t)
    return sqrt(AMOUNT.check(owner, "eta", eta) / (1 + t) ** AMOUNT.check(owner, "gamma", gamma))


class Accumulator:
    r"""A sum of the gradients of micro-batches, and the mean it makes: a large batch in the memory of a small one.

    .. math::

       \bar g = \frac{\sum_b n_b \, g_b}{\sum_b n_b}

    where :math:`g_b` is the gradient of the *mean* loss of micro-batch :math:`b` and :math:`n_b` the number of its
    samples (or tokens: whatever its mean was divided by). The mean of the means :math:`g_b` alone would be wrong as
    soon as one micro-batch is smaller than the others, as the last one of an epoch mostly is: its samples would count
    for more than their neighbours.

    Parameters
    ----------
    params : numpy.ndarray, list or dict
        The parameters, whose structure, shapes and dtypes the gradients have. They are only looked at.

    Attributes
    ----------
    sums : numpy.ndarray, list or dict
        The weighted sum so far. A step can take it as it is:
        ``optimizer.step(params, accumulator.sums, state, scale=1 / accumulator.weight)``.
    weight : float
        The sum of the weights so far.

    Notes
    -----
    The sums are updated in place, in the dtype of the parameters, and an accumulator can be pickled between two
    micro-batches. optax's ``MultiSteps`` and Keras's ``gradient_accumulation_steps`` take the mean of means; PyTorch
    adds up whatever ``backward`` is called on, so there the loss must be divided by hand.

    Examples
    --------
    >>> import numpy as np
    >>> from lossref.training import Accumulator
    >>> x = np.array([1.0, 2.0, 3.0, 4.0, 20.0])  # gradients of five samples; micro-batches of four and one
    >>> accumulator = Accumulator(np.zeros(1))
    >>> for part in (x[:4], x[4:]):
    ...     accumulator.add(np.array([part.mean()]), weight=len(part))
    >>> float(accumulator.mean()[0]), float(x.mean()), (x[:4].mean() + x[4:].mean()).item() / 2
    (6.0, 6.0, 11.25)
    """

    def __init__(self, params: Any) -> None:
        check_params("Accumulator", params, True)
        self.sums = shaped_like(params, lambda theta: np.zeros(theta.shape, theta.dtype))
        self.weight = 0.0

    def add(self, grads: Any, weight: float = 1.0) -> None:
        """Add the gradient of one micro-batch.

        Parameters
        ----------
        grads : numpy.ndarray, list or dict
            The gradient of its mean loss, in the structure of the parameters. It is only read.
        weight : float > 0, default 1.0
            What the mean was divided by: the number of its samples.

        Raises
        ------
        TypeError, ValueError
            If structures or shapes differ, or ``weight`` is out of range. Nothing has changed then.
        """
        weight = SIZE.check("Accumulator", "weight", weight)
        like("Accumulator", "grads", grads, self.sums)
        _backend.kernels["gradient_accumulate"].apply("Accumulator", "sums", self.sums, grads, weight)
        self.weight += weight

    def mean(self, out: Any = None) -> Any:
        """Return the weighted mean of what was added; it is written to ``out`` if that is given.

        Raises
        ------
        ValueError
            If nothing was added since the start or the last :meth:`reset`.
        """
        if self.weight == 0:
            raise ValueError("Accumulator: nothing was added, so there is no mean; call add(grads, weight) before")
        result = shaped_like(self.sums, np.empty_like) if out is None else out
        _backend.kernels["gradient_rescale"].apply("Accumulator", "out", result, self.sums, 1 / self.weight)
        return result

    def reset(self) -> None:
        """Begin anew, in the same memory."""
        for array in leaves("Accumulator", "sums", self.sums).values():
            array[...] = 0
        self.weight = 0.0
