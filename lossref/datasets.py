"""Data: the real sets that ship with scikit-learn, split and scaled, outliers planted in them, and made samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lossref._arrays import Array


@dataclass(frozen=True)
class Split:
    """Samples to learn from and samples held out, with features scaled by what the former show."""

    train_x: Array
    train_y: Array
    test_x: Array
    test_y: Array


def split(x: Array, y: Array, *, held_out: float, seed: int) -> Split:
    """Hold out a random share of the samples, and scale every feature to mean 0 and variance 1 over the others.

    Parameters
    ----------
    x : numpy.ndarray
        Features, of the shape (n, k).
    y : numpy.ndarray
        Targets, of the shape (n,). Integer targets are classes, each of which is held out by the same share.
    held_out : float in (0, 1)
        The share.
    seed : int
        The seed of the random choice.

    Returns
    -------
    Split
        Training and held-out samples. A feature that never varies is left at 0.
    """
    if not 0 < held_out < 1:
        raise ValueError(f"split: held_out must be a number in (0, 1), got {held_out!r}")
    random = np.random.default_rng(seed)
    groups = [np.flatnonzero(y == label) for label in np.unique(y)] if y.dtype.kind in "iu" else [np.arange(len(y))]
    test = np.concatenate([random.permutation(group)[: round(held_out * len(group))] for group in groups])
    train = np.setdiff1d(np.arange(len(y)), test)
    mean, spread = x[train].mean(axis=0), x[train].std(axis=0)
    scaled = (x - mean) / np.where(spread == 0, 1, spread)
    return Split(scaled[train], y[train], scaled[test], y[test])


def digits() -> tuple[Array, Array]:
    """Return 1,797 handwritten digits: 64 pixels each from 0 to 16, and labels from 0 to 9. Needs scikit-learn."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return x, y


def diabetes() -> tuple[Array, Array]:
    """Return 442 patients: ten measurements, and how far their diabetes was a year on. Needs scikit-learn."""
    from sklearn.datasets import load_diabetes

    x, y = load_diabetes(return_X_y=True)
    return x, y


def breast_cancer() -> tuple[Array, Array]:
    """Return 569 tumours: thirty measurements each, and 0 for malignant or 1 for benign. Needs scikit-learn."""
    from sklearn.datasets import load_breast_cancer

    x, y = load_breast_cancer(return_X_y=True)
    return x, y


def plant_outliers(y: Array, *, share: float, size: float, seed: int) -> Array:
    """Return a copy of the targets in which some, chosen at random, are raised by ``size`` standard deviations.

    Parameters
    ----------
    y : numpy.ndarray
        Targets.
    share : float in [0, 1]
        How many of them are spoiled.
    size : float
        By how many standard deviations of ``y``.
    seed : int
        The seed of the random choice.

    Returns
    -------
    numpy.ndarray
        The spoiled targets, in float64.

    Examples
    --------
    >>> import numpy as np
    >>> from lossref.datasets import plant_outliers
    >>> plant_outliers(np.array([0.0, 2.0, 0.0, 2.0]), share=0.25, size=10, seed=1)
    array([10.,  2.,  0.,  2.])
    """
    if not 0 <= share <= 1:
        raise ValueError(f"plant_outliers: share must be a number in [0, 1], got {share!r}")
    spoiled = np.array(y, dtype=np.float64)
    chosen = np.random.default_rng(seed).permutation(len(spoiled))[: round(share * len(spoiled))]
    spoiled[chosen] += size * spoiled.std()
    return spoiled


def imbalanced(samples: int, *, rare: float = 0.05, inputs: int = 10, seed: int) -> tuple[Array, Array]:
    """Return made samples of two classes of which one is rare, and whose clouds overlap.

    The common class is a standard normal cloud. That of the rare one lies one half further along every axis and is half
    as wide again, so that the best boundary is curved, and a linear model cannot be right everywhere.

    Parameters
    ----------
    samples : int
        How many samples.
    rare : float in (0, 1), default 0.05
        The share of the rare class, label 1; rounded to whole samples.
    inputs : int, default 10
        The number of features.
    seed : int
        The seed of the random choice.

    Returns
    -------
    x : numpy.ndarray
        Features, of the shape (samples, inputs).
    y : numpy.ndarray
        Labels 0 and 1, of the shape (samples,), in random order.

    Examples
    --------
    >>> from lossref.datasets import imbalanced
    >>> x, y = imbalanced(1000, seed=1)
    >>> x.shape, int(y.sum())
    ((1000, 10), 50)
    """
    if not 0 < rare < 1:
        raise ValueError(f"imbalanced: rare must be a number in (0, 1), got {rare!r}")
    random = np.random.default_rng(seed)
    y = random.permutation((np.arange(samples) < round(rare * samples)).astype(np.int64))
    cloud = random.standard_normal((samples, inputs))
    return np.where(y[:, np.newaxis] == 1, 0.5 + 1.5 * cloud, cloud), y
