"""Weights for classes of which some are rare, as ``class_weight`` takes them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lossref._arrays import Array


def samples_of_each(owner: str, y: Any, classes: int | None) -> Array:
    """How many labels there are of each class; none may be without."""
    labels = np.asarray(y)
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise TypeError(f"{owner}: y must be integer labels of shape (n,), got {labels.dtype} of shape {labels.shape}")
    if not labels.size or labels.min() < 0:
        found = f"the label {labels.min()}" if labels.size else "no label"
        raise ValueError(f"{owner}: y must hold labels from 0 on, got {found}")
    counts = np.bincount(labels, minlength=classes or 0)
    if classes is not None and len(counts) > classes:
        raise ValueError(f"{owner}: y has the label {labels.max()} but there are {classes} classes")
    if not counts.all():
        raise ValueError(f"{owner}: class {counts.argmin()} has no sample, so that no weight would be large enough")
    return counts


def balanced_weights(y: Any, *, classes: int | None = None) -> tuple[float, ...]:
    r"""Return weights under which every class counts the same, however rare it is.

    The weight of class :math:`k`, of which there are :math:`n_k` of :math:`n` samples, is :math:`n / (C n_k)`.

    Parameters
    ----------
    y : array_like of int
        The labels of the training set, 0 to :math:`C - 1`.
    classes : int, optional
        The number :math:`C` of classes; the largest label and one if not given.

    Returns
    -------
    tuple of float
        A weight for each class. Over the samples they have the mean 1.

    Raises
    ------
    ValueError
        If a class has no sample.

    Notes
    -----
    These are scikit-learn's ``class_weight="balanced"``. Of two classes, the one that has a thousandth of the samples
    gets a weight of 500, and a step that happens to meet it is 500 times as long: with small batches
    :func:`effective_number_weights` is kinder.

    References
    ----------
    G. King, L. Zeng, "Logistic regression in rare events data", *Political Analysis* 9, 2001.

    Examples
    --------
    >>> from lossref.losses import CategoricalCrossEntropy, balanced_weights
    >>> balanced_weights([0, 0, 0, 1])
    (0.6666666666666666, 2.0)
    >>> loss = CategoricalCrossEntropy(class_weight=balanced_weights([0, 0, 0, 1]))
    """
    counts = samples_of_each("balanced_weights", y, classes)
    return tuple((counts.sum() / (len(counts) * counts)).tolist())


def effective_number_weights(y: Any, beta: float, *, classes: int | None = None) -> tuple[float, ...]:
    r"""Return weights by the effective number of samples: between no weights and balanced ones.

    Samples of a class resemble one another, so that each new one brings less news: :math:`n` of them are worth
    :math:`(1 - \beta^n) / (1 - \beta)`, which is at most :math:`1 / (1 - \beta)`. The weight of a class is one over
    that number, scaled so that the weights of all :math:`C` classes sum to :math:`C`.

    Parameters
    ----------
    y : array_like of int
        The labels of the training set, 0 to :math:`C - 1`.
    beta : float in [0, 1)
        How much of the news of a sample the next one still has. At 0 all weights are 1; toward 1 they become one over
        the counts. The paper tries 0.9 to 0.9999.
    classes : int, optional
        The number :math:`C` of classes; the largest label and one if not given.

    Returns
    -------
    tuple of float
        A weight for each class.

    Raises
    ------
    ValueError
        If a class has no sample, or ``beta`` is out of range.

    References
    ----------
    Y. Cui et al., "Class-balanced loss based on effective number of samples", *CVPR*, 2019.

    Examples
    --------
    >>> from lossref.losses import effective_number_weights
    >>> [round(weight, 3) for weight in effective_number_weights([0] * 900 + [1] * 100, beta=0.99)]
    [0.776, 1.224]
    >>> [round(weight, 3) for weight in effective_number_weights([0] * 900 + [1] * 100, beta=0.9999)]
    [0.207, 1.793]
    """
    if not 0 <= beta < 1:
        raise ValueError(f"effective_number_weights: beta must be a number in [0, 1), got {beta!r}")
    counts = samples_of_each("effective_number_weights", y, classes)
    # 1 - beta**n cancels where beta is near 1; expm1 does not.
    weights = 1 / -np.expm1(counts * math.log(beta)) if beta > 0 else np.ones(len(counts))
    return tuple((weights * (len(weights) / weights.sum())).tolist())
