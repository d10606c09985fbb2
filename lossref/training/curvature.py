"""Curvature: how a gradient changes from place to place, without ever writing the Hessian down unless it is small.

The functions take an *operator*: a symmetric matrix, or a function that multiplies a vector by one, such as
``lambda v: hessian_vector_product(grad, x, v)``.
"""

from __future__ import annotations

import math
import operator as operators
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossref._arrays import Array, as_floats, check_shape


def hessian_vector_product(grad: Callable[[Array], Any], x: Any, v: Any) -> Array:
    r"""Multiply a Hessian by a vector, with two gradients and no Hessian.

    .. math::

       H v \approx \frac{\nabla f(x + h v) - \nabla f(x - h v)}{2 h}

    The error of the difference grows with :math:`h^2`, that of the rounding of the gradients falls with
    :math:`1 / h`. They meet where the largest element of :math:`h v` is the cube root of the precision times the size
    of ``x`` (its root mean square, or 1 at the origin): in float64 that leaves some ten digits.

    Parameters
    ----------
    grad : callable
        The gradient: a function of an array like ``x`` that returns one of the same shape.
    x : array_like
        Where.
    v : array_like
        The vector, of the shape of ``x``; its length does not matter.

    Returns
    -------
    numpy.ndarray
        The product, of the shape of ``x``.

    Raises
    ------
    ValueError
        If ``v``, or what ``grad`` returns, has another shape than ``x``.

    References
    ----------
    B. A. Pearlmutter, "Fast exact multiplication by the Hessian", *Neural Computation* 6, 1994, which also tells how a
    program that knows its own derivatives does it without a difference.

    Examples
    --------
    >>> from lossref.landscapes import Rosenbrock
    >>> from lossref.training import hessian_vector_product
    >>> surface = Rosenbrock()
    >>> hessian_vector_product(surface.grad, [1.0, 1.0], [1.0, 0.0]).round(6)
    array([ 802., -400.])
    """
    owner = "hessian_vector_product"
    point = as_floats(owner, "x", x)
    point = point.astype(point.dtype.newbyteorder("="))
    vector = as_floats(owner, "v", v).astype(point.dtype)
    check_shape(owner, "v", vector, "x", point.shape)
    length = float(np.max(np.abs(vector), initial=0))
    if length == 0:
        return np.zeros_like(point)
    size = math.sqrt(float(np.mean(np.square(point, dtype=np.float64)))) or 1.0
    step = point.dtype.type(np.cbrt(np.finfo(point.dtype).eps) * size)
    way = step * (vector / point.dtype.type(length))
    ahead, behind = (np.asarray(grad(point + side)) for side in (way, -way))
    for gradient in (ahead, behind):
        check_shape(owner, "what grad returned", gradient, "x", point.shape)
    product: Array = (ahead - behind) * (point.dtype.type(length) / (2 * step))
    return product


def as_product(owner: str, operator: Any, size: int | None) -> tuple[Callable[[Array], Array], int]:
    """An operator as a function that multiplies and looks at what comes out, and its size."""
    if callable(operator):
        if size is None:
            raise TypeError(f"{owner}: size must be given, for the operator is a function and tells no size")
        n, multiply = at_least(owner, "size", size, 1), operator
    else:
        matrix = as_floats(owner, "operator", operator).astype(np.float64)
        if matrix.ndim != 2 or len(matrix) != matrix.shape[1] or matrix.size == 0:
            raise ValueError(f"{owner}: operator has shape {matrix.shape}; it must be a square matrix, or a function")
        n, multiply = len(matrix), matrix.__matmul__
        if size not in (None, n):
            raise ValueError(f"{owner}: size is {size} but the matrix has {n} rows; leave size out")
        if not np.abs(matrix - matrix.T).max() <= 8 * n * np.finfo(float).eps * np.abs(matrix).max():
            raise ValueError(f"{owner}: operator is not a symmetric matrix of finite numbers")

    def product(v: Array) -> Array:
        w = np.asarray(multiply(v), dtype=np.float64)
        check_shape(owner, "what the operator returned", w, "its vector", (n,))
        if not np.isfinite(w).all():
            raise ValueError(f"{owner}: the operator returned a number that is not finite")
        return w

    return product, n


def at_least(owner: str, name: str, value: Any, least: int) -> int:
    """A whole number that counts something."""
    try:
        count = operators.index(value)
    except TypeError:
        raise TypeError(f"{owner}: {name} must be an integer, got {value!r} of type {type(value).__name__}") from None
    if count < least:
        raise ValueError(f"{owner}: {name} must be an integer >= {least}, got {count}")
    return count


@dataclass(frozen=True, eq=False)
class Estimate:
    """A mean over random vectors.

    Attributes
    ----------
    value : float or numpy.ndarray
        The estimate.
    error : float or numpy.ndarray
        Its standard error: the deviation of the samples, over the root of their number.
    samples : int
        How many random vectors there were.
    """

    value: Any
    error: Any
    samples: int


def probed(owner: str, operator: Any, size: int | None, samples: int, seed: int) -> Array:
    """For each of some vectors z of random signs the products z (Hz), element by element."""
    product, n = as_product(owner, operator, size)
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], (at_least(owner, "samples", samples, 2), n))
    return np.array([z * product(z) for z in signs])


def hutchinson_trace(operator: Any, size: int | None = None, *, samples: int = 64, seed: int = 0) -> Estimate:
    r"""Estimate the trace of a Hessian from its products with vectors of random signs.

    .. math::

       \operatorname{tr} H = \mathbb E\, z^\top H z, \qquad z_j = \pm 1

    The trace is the sum of the curvatures; divided by their number it is the mean curvature. The variance of one sample
    is :math:`2 \sum_{j \ne k} H_{jk}^2`: what stands on the diagonal adds no error.

    Parameters
    ----------
    operator : array_like or callable
        A symmetric matrix, or a function that multiplies a vector by one.
    size : int, optional
        The length of the vectors, where ``operator`` is a function.
    samples : int >= 2, default 64
        How many random vectors.
    seed : int, default 0
        Their seed.

    Returns
    -------
    Estimate
        The estimate and its standard error.

    References
    ----------
    M. F. Hutchinson, "A stochastic estimator of the trace of the influence matrix for Laplacian smoothing splines",
    *Communications in Statistics: Simulation and Computation* 18, 1989.

    Examples
    --------
    >>> from lossref.training import hutchinson_trace
    >>> hutchinson_trace([[2.0, 0.0], [0.0, 3.0]])
    Estimate(value=5.0, error=0.0, samples=64)
    """
    each = probed("hutchinson_trace", operator, size, samples, seed).sum(axis=1)
    return Estimate(float(each.mean()), float(each.std(ddof=1) / math.sqrt(len(each))), len(each))


def hutchinson_diagonal(operator: Any, size: int | None = None, *, samples: int = 64, seed: int = 0) -> Estimate:
    r"""Estimate the diagonal of a Hessian from its products with vectors of random signs.

    .. math::

       H_{jj} = \mathbb E\, z_j (H z)_j, \qquad z_j = \pm 1

    The diagonal is the curvature along each parameter alone, which is what a method that gives each parameter its own
    rate would like to divide by. The variance of one sample is :math:`\sum_{k \ne j} H_{jk}^2`.

    Parameters
    ----------
    operator : array_like or callable
        A symmetric matrix, or a function that multiplies a vector by one.
    size : int, optional
        The length of the vectors, where ``operator`` is a function.
    samples : int >= 2, default 64
        How many random vectors.
    seed : int, default 0
        Their seed.

    Returns
    -------
    Estimate
        The estimates and their standard errors, an array each.

    References
    ----------
    C. Bekas, E. Kokiopoulou, Y. Saad, "An estimator for the diagonal of a matrix", *Applied Numerical Mathematics* 57,
    2007.

    Examples
    --------
    >>> from lossref.training import hutchinson_diagonal
    >>> estimate = hutchinson_diagonal([[2.0, 0.1], [0.1, 3.0]], samples=400)
    >>> bool((abs(estimate.value - [2, 3]) < 4 * estimate.error).all()), estimate.error.round(3)
    (True, array([0.005, 0.005]))
    """
    each = probed("hutchinson_diagonal", operator, size, samples, seed)
    return Estimate(each.mean(axis=0), each.std(axis=0, ddof=1) / math.sqrt(len(each)), len(each))


@dataclass(frozen=True, eq=False)
class Spectrum:
    """What :func:`lanczos` found: approximate eigenvalues, of which those at both ends are the best.

    Attributes
    ----------
    values : numpy.ndarray
        The approximate eigenvalues, in ascending order, of shape ``(k,)``.
    errors : numpy.ndarray
        For each of them a distance within which there is an eigenvalue.
    vectors : numpy.ndarray
        Their approximate eigenvectors, of shape ``(n, k)``: one a column.
    """

    values: Array
    errors: Array
    vectors: Array

    @property
    def lowest(self) -> float:
        """The lowest of them; the lowest eigenvalue of the operator is no higher."""
        return float(self.values[0])

    @property
    def highest(self) -> float:
        """The highest of them; the highest eigenvalue of the operator is no lower."""
        return float(self.values[-1])


def lanczos(operator: Any, size: int | None = None, *, steps: int = 32, seed: int = 0) -> Spectrum:
    r"""Find the lowest and the highest curvature by Lanczos' iteration, one product a step.

    From a random vector :math:`q_1` an orthonormal basis :math:`Q` of the space of
    :math:`q_1, H q_1, H^2 q_1, \dots` is built, in which the Hessian is tridiagonal:

    .. math::

       H Q_k = Q_k T_k + \beta_k q_{k+1} e_k^\top

    The eigenvalues of the small matrix :math:`T_k` approach those of :math:`H` from inside, the outermost first. The
    highest curvature says how large a rate may be; a negative lowest one is a way out of a saddle.

    Parameters
    ----------
    operator : array_like or callable
        A symmetric matrix, or a function that multiplies a vector by one.
    size : int, optional
        The length of the vectors, where ``operator`` is a function.
    steps : int >= 1, default 32
        How many products at most. As many as ``size`` give the whole spectrum; fewer are taken where the space is
        exhausted before.
    seed : int, default 0
        The seed of the first vector.

    Returns
    -------
    Spectrum
        Approximate eigenvalues, each with an error bound, and eigenvectors.

    Notes
    -----
    The residual of the pair number i is :math:`\beta_k |s_{ki}|`, where :math:`s_i` is its eigenvector in the small
    basis: within that distance there is an eigenvalue of the operator. To that the bound adds what rounding does, and
    not what a finite difference does that stands in for the product.

    In floating point the vectors of the plain iteration lose their orthogonality as soon as one eigenvalue is found,
    and it is found again and again. Here each new vector is made orthogonal to all before it, twice; that costs
    :math:`O(n k^2)` and is the reason why no eigenvalue appears twice that is there once.

    References
    ----------
    C. Lanczos, "An iteration method for the solution of the eigenvalue problem of linear differential and integral
    operators", *Journal of Research of the National Bureau of Standards* 45, 1950.

    B. N. Parlett, *The Symmetric Eigenvalue Problem*,
    SIAM, 1998, chapter 13.

    Examples
    --------
    >>> import numpy as np
    >>> from lossref.training import lanczos
    >>> curvatures = np.append(np.linspace(1.0, 2.0, 500), [-3.0, 40.0])
    >>> spectrum = lanczos(lambda v: curvatures * v, 502, steps=20)
    >>> round(spectrum.lowest, 6), round(spectrum.highest, 6), bool(spectrum.errors[[0, -1]].max() < 1e-6)
    (-3.0, 40.0, True)
    """
    product, n = as_product("lanczos", operator, size)
    most = min(at_least("lanczos", "steps", steps, 1), n)
    q = np.random.default_rng(seed).standard_normal(n)
    basis = np.empty((most, n))
    along, beside = [], [0.0]
    eps = float(np.finfo(float).eps)
    for k in range(most):
        basis[k] = q / np.linalg.norm(q)
        q = product(basis[k])
        along.append(float(basis[k] @ q))
        for _ in range(2):
            q = q - basis[: k + 1].T @ (basis[: k + 1] @ q)
        beside.append(float(np.linalg.norm(q)))
        if beside[-1] <= n * eps * max(*map(abs, along), *beside):
            break  # the space is exhausted, and holds every eigenvalue that the first vector has a part of
    k = len(along)
    small = np.diag(along) + np.diag(beside[1:k], 1) + np.diag(beside[1:k], -1)
    values, vectors = np.linalg.eigh(small)
    errors = beside[k] * np.abs(vectors[-1]) + 8 * n * eps * np.abs(values).max()
    return Spectrum(values, errors, basis[:k].T @ vectors)
