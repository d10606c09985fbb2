"""Losses of overlap: how much of what was found is there, and how much of what is there was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lossref import symbolic as sp
from lossref._arrays import Array, ordered_sums
from lossref._parameters import nonnegative, positive
from lossref.losses.base import Properties, RowwiseLoss
from lossref.losses.classification import nan_unless_probabilities, product


@dataclass(frozen=True, kw_only=True)
class Overlap(RowwiseLoss):
    """A loss of a predicted mask and a true one: what is wrong over what is right and wrong together.

    The parameters of the kernel are the prices of a false alarm, of a miss and of a hit, and what is right beforehand.
    """

    exact = True
    targets = ("masks",)

    @property
    def letters(self) -> dict[str, str]:
        return {"pred": "p"}

    def reference(self, pred: Array, mass: Array) -> tuple[Array, Array]:
        right, wrong, total = self._areas(pred, mass)
        return share(wrong, total)[:, 0], self._slopes(mass, right, wrong, total, total)

    def reference_curvature(self, pred: Array, mass: Array) -> Array:
        right, wrong, total = self._areas(pred, mass)
        alarm, miss, hit, _ = self._parameters
        growth = pred.dtype.type(alarm) * (1 - mass) + pred.dtype.type(hit - miss) * mass  # of the total
        curvature: Array = -2 * (self._slopes(mass, right, wrong, total, total, total) * growth)
        return curvature

    def _areas(self, pred: Array, mass: Array) -> tuple[Array, Array, Array]:
        """What is right and what is wrong in each row, and their sum. All terms are positive."""
        alarm, miss, hit, free = self._parameters
        hits, alarms, misses = (
            ordered_sums(terms)[:, None] for terms in (pred * mass, pred * (1 - mass), mass * (1 - pred))
        )
        right = hit * hits + free
        wrong = alarm * alarms + (miss * misses + nan_unless_probabilities(pred))
        return right, wrong, right + wrong

    def _slopes(self, mass: Array, right: Array, wrong: Array, *totals: Array) -> Array:
        """Up where nothing is, down where something is, divided by the totals."""
        alarm, miss, hit, _ = self._parameters
        up = share(alarm * right, *totals).astype(mass.dtype)
        down = share(miss * right + hit * wrong, *totals).astype(mass.dtype)
        slopes: Array = up * (1 - mass) - product(mass, down)
        return slopes


def share(part: Array, *totals: Array) -> Array:
    """A part divided by its total, or by that more than once; of nothing, nothing."""
    quotient = part
    for total in totals:
        quotient = quotient / total
    return np.where(totals[0] == 0, 0, quotient)


@dataclass(frozen=True, kw_only=True)
class Dice(Overlap):
    r"""Dice loss: one minus twice the overlap of two masks, over their sizes.

    .. math::

       \ell(p, y) = 1 - \frac{2 \sum_{k} p_k y_k + s}{\sum_{k} p_k + \sum_{k} y_k + s}

    For a small region in a large picture: a tumour, a road, a defect. A row of ``target`` is a mask, 1 where the region
    is; a row of ``pred`` holds the probability of each of its elements. What is right about the background is counted
    nowhere, so that a model cannot become good by saying "nothing" where there mostly is nothing; and a region counts
    as one, however small it is. With predictions of 0 and 1 it is one minus the F1 score.

    Parameters
    ----------
    smooth : float >= 0, default 0.0
        How many elements :math:`s` are counted as found beforehand. With 0, a picture without a region costs 1 whatever
        is predicted there, unless that is nothing at all, and teaches nothing: its gradient is 0. Above 0, it costs the
        less the less is predicted.
    reduction : {"mean", "sum"}, default "mean"
        How the values of the rows become one number.

    Notes
    -----
    ``pred`` and ``target`` have the shape (n, elements): pictures are made rows by ``reshape(n, -1)``. Predictions are
    probabilities, after the sigmoid, and a row with anything outside [0, 1] is NaN; so is one whose target holds
    anything outside. **Where nothing is predicted and nothing is there, the loss is 0**, a perfect match, and without
    ``smooth`` so are gradient and curvature; no ε hides in the denominator. That is the one point at which the loss
    jumps: beside it, something being predicted where nothing is, it is 1.

    It is no average over elements, so the gradient in one depends on all, and it is not proper: to say 0.3 where the
    chance is 0.3 costs more than to say 0 or 1. Read the outputs of a model that was trained with it as a mask, not as
    probabilities.

    Computed as written, a nearly perfect match would be the difference of two nearly equal numbers. Here it is
    :math:`\sum_k \left( p_k (1 - y_k) + y_k (1 - p_k) \right)` over the denominator, in which nothing cancels. In
    float32 values and slopes are right within 4 units in the last place; in float64, in which the sums round too and
    the denominator counts twice in a slope, values within 5 and slopes within 8. Where a mask is soft, it is units of
    the two terms of which a slope is the difference.

    Others count otherwise. Keras's ``Dice`` adds up over the whole batch unless an ``axis`` is given, which lets the
    large regions of a batch hide the small, and adds 1e-7 to the denominator. segmentation_models_pytorch adds up over
    the batch too, and what does not occur in it costs nothing there, whatever is predicted. In optax's ``dice_loss``
    the overlap is not doubled, its ``smooth`` is half of this and 1 unless told otherwise. Milletari et al. square the
    predictions and masks of the denominator, as MONAI does with ``squared_pred=True``: for masks of 0 and 1 and
    predictions in between that is another loss.

    References
    ----------
    L. R. Dice, "Measures of the amount of ecologic association between species", *Ecology* 26, 1945.

    F. Milletari, N. Navab and S.-A. Ahmadi, "V-Net: fully convolutional neural networks for volumetric medical image
    segmentation", *3DV* 2016.

    Examples
    --------
    A region of two elements, of which one was found, with one false alarm; and a picture without a region:

    >>> import lossref
    >>> loss = lossref.Dice()
    >>> loss([[1.0, 0.0, 1.0, 0.0]], [[1, 1, 0, 0]])
    0.5
    >>> loss.values([[0.5, 0.5], [0.0, 0.0]], [[0, 0], [0, 0]])
    array([1., 0.])
    >>> lossref.Dice(smooth=1.0).grad([[0.5, 0.5]], [[0, 0]])
    array([[0.25, 0.25]])
    """

    smooth: float = nonnegative(0.0, slider=(0.0, 3.0))

    samples = ({}, {"smooth": 1.0})
    properties = Properties(
        convex=False,
        differentiable="smooth > 0",
        symmetric=False,
        lipschitz="Piecewise((2, Eq(smooth, 0)), (1/smooth, True))",
        smoothness="Piecewise((oo, Eq(smooth, 0)), (2/smooth**2, True))",
        minimizer="0 or 1 in all elements but one at most",
        proper=False,
    )

    @staticmethod
    def formula(pred: Any, target: Any, smooth: Any) -> Any:
        both = sum(p * y for p, y in zip(pred, target, strict=True))
        sizes = sum(pred) + sum(target) + smooth
        return sp.Piecewise((1 - (2 * both + smooth) / sizes, sizes > 0), (0, True))

    def _kernel_parameters(self) -> tuple[float, ...]:
        return 1.0, 1.0, 2.0, self.smooth


@dataclass(frozen=True, kw_only=True)
class Tversky(Overlap):
    r"""Tversky loss: the Dice loss with one price for a false alarm and another for a miss.

    .. math::

       \ell(p, y) = 1 - \frac{T}{T + \alpha \sum_{k} p_k (1 - y_k) + \beta \sum_{k} (1 - p_k)\, y_k},
       \qquad T = \sum_{k} p_k y_k

    :math:`T` is what was found, the first sum what was found and is not there, the second what is there and was not
    found. A tumour that is missed is worse than one that is looked at in vain, so one takes :math:`\beta > \alpha`;
    Salehi et al. took 0.7 and 0.3. With both :math:`\frac{1}{2}` it is the :class:`Dice` loss, with both 1 one minus
    the Jaccard index, the overlap over the union. Where they add up to 1, it is one minus the :math:`F_b` score with
    :math:`b^2 = \beta / \alpha`.

    Parameters
    ----------
    alpha : float > 0
        The price :math:`\alpha` of a false alarm, beside 1 for a hit.
    beta : float > 0
        The price :math:`\beta` of a miss.
    reduction : {"mean", "sum"}, default "mean"
        How the values of the rows become one number.

    Notes
    -----
    Shapes, the empty mask and what is outside [0, 1] are as in :class:`Dice`. There is no default: which of the two
    mistakes is the worse one is what the loss is told.

    **Look which is which.** In Tversky's and in Salehi's text :math:`\alpha` belongs to the false alarms. Keras says so
    too, but up to version 3.15 its code multiplies the misses by ``alpha``: a model that was to miss less has missed
    more. (Its pull request 23333 mends that.) optax's ``dice_loss`` takes both and has them right.

    References
    ----------
    A. Tversky, "Features of similarity", *Psychological Review* 84, 1977.

    S. S. M. Salehi, D. Erdogmus and A. Gholipour, "Tversky loss function for image segmentation using 3D fully
    convolutional deep networks", *MLMI* 2017.

    Examples
    --------
    A region of two elements: one of them missed, then both found with a false alarm beside them.

    >>> import lossref
    >>> pred, target = [[1.0, 0.0, 0.0], [1.0, 1.0, 1.0]], [[1, 1, 0], [1, 1, 0]]
    >>> lossref.Tversky(alpha=0.25, beta=0.75).values(pred, target).round(3)
    array([0.429, 0.111])
    >>> lossref.Tversky(alpha=0.5, beta=0.5)(pred, target) == lossref.Dice()(pred, target)
    True
    """

    alpha: float = positive(slider=(0.1, 2.0))
    beta: float = positive(slider=(0.1, 2.0))

    samples = ({"alpha": 0.3, "beta": 0.7}, {"alpha": 2.0, "beta": 0.25})
    properties = Properties(
        convex=False,
        differentiable=False,
        symmetric=False,
        lipschitz="Max(beta, 1/beta, alpha/(4*Min(1/2, beta)*(1 - Min(1/2, beta))))",
        smoothness=None,
        minimizer="if alpha + beta = 1, 0 or 1 in all elements but one at most",
        proper=False,
    )

    @staticmethod
    def formula(pred: Any, target: Any, alpha: Any, beta: Any) -> Any:
        pairs = list(zip(pred, target, strict=True))
        found = sum(p * y for p, y in pairs)
        total = found + alpha * sum(p * (1 - y) for p, y in pairs) + beta * sum((1 - p) * y for p, y in pairs)
        return sp.Piecewise((1 - found / total, total > 0), (0, True))

    def _kernel_parameters(self) -> tuple[float, ...]:
        return self.alpha, self.beta, 1.0, 0.0
