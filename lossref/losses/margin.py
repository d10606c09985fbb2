"""Margin losses: how far a score lies on the right side, for labels -1 and +1, or ahead of those of other classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lossref import symbolic as sp
from lossref._arrays import Array, ordered_sums
from lossref._parameters import choice, positive
from lossref.losses.base import PointwiseLoss, Properties, RowwiseLoss
from lossref.losses.regression import lost


@dataclass(frozen=True, kw_only=True)
class Hinge(PointwiseLoss):
    r"""Hinge loss: nothing to pay once a score is right with room to spare, and a straight line before that.

    .. math::

       \ell(f, y) = \max(0, m - y f)

    The label :math:`y` is −1 or +1 and the score :math:`f` any number, of which only the sign is the decision. Their
    product is the margin: positive where the decision is right. The hinge asks for a margin of at least :math:`m`.
    Samples that have it get a gradient of exactly 0, so that a support vector machine, which is this loss with a
    squared penalty, is a sum over the other samples alone, its support vectors. Cross-entropy never lets a sample go.

    Parameters
    ----------
    margin : float > 0, default 1.0
        The margin :math:`m` that is asked for. With a linear model and no penalty it is only a unit: scores and loss
        grow with it.
    reduction : {"mean", "sum"}, default "mean"
        How the values of the elements become one number.

    Notes
    -----
    Labels 0 and 1 are refused, with the words that say how to convert them: a label of 0 would cost :math:`m` whatever
    the score, and teach nothing. Keras converts them in silence if a batch holds nothing else. At the kink, where the
    margin is exactly :math:`m`, the slope is 0, which is a subgradient; scikit-learn takes :math:`-y` there, and
    PyTorch 0, −½ or −1, depending on whether one writes ``relu``, ``maximum`` or ``clamp_min``. The product
    :math:`y f` is exact, so that the value has one rounding.

    Hinge and cross-entropy grow alike for bad mistakes, both linearly; it is :ref:`SquaredHinge
    <formula-squared-hinge>` that outliers drag along.

    References
    ----------
    C. Cortes and V. Vapnik, "Support-vector networks", *Machine Learning* 20, 1995.

    Examples
    --------
    >>> import lossref
    >>> loss = lossref.Hinge()
    >>> loss.values([2.0, 0.5, -1.0], [1, 1, 1])
    array([0. , 0.5, 2. ])
    >>> lossref.Hinge(reduction="sum").grad([2.0, 0.5, -1.0], [1, 1, 1])
    array([ 0., -1., -1.])
    >>> loss([2.0, 0.5], [1, 0])
    Traceback (most recent call last):
        ...
    ValueError: Hinge: target[1] = 0.0 is no label: labels are -1 and 1. From 0 and 1 they are made by 2 * y - 1
    """

    margin: float = positive(1.0, slider=(0.1, 3.0))

    samples = ({}, {"margin": 2.0**-20}, {"margin": 0.25}, {"margin": 1024.0})
    exact = True
    signs = True
    properties = Properties(
        convex=True,
        differentiable=False,
        symmetric=False,
        lipschitz="1",
        smoothness=None,
        minimizer="margin times the label of the majority",
    )

    @staticmethod
    def formula(pred: Any, target: Any, margin: Any) -> Any:
        return sp.Piecewise((margin - target * pred, target * pred < margin), (0, True))

    def reference(self, pred: Array, target: Array) -> tuple[Array, Array]:
        missing = np.maximum(self.margin - target * pred, 0)
        return missing, np.where(missing > 0, -target, missing)

    def reference_curvature(self, pred: Array, target: Array) -> Array:
        t = target * pred
        return np.where(np.isnan(t), t, 0)


@dataclass(frozen=True, kw_only=True)
class SquaredHinge(PointwiseLoss):
    r"""Squared hinge loss: the hinge without its kink, and with a heavy hand for bad mistakes.

    .. math::

       \ell(f, y) = \left( \max(0, m - y f) \right)^2

    Squaring rounds off the corner: the slope goes to 0 as the margin :math:`y f` comes up to :math:`m`, which Newton's
    method and its relatives like. The price is at the other end. A sample twice as far on the wrong side pulls twice as
    hard, as with squared error, and one wrong label can outvote many right ones.

    Parameters
    ----------
    margin : float > 0, default 1.0
        The margin :math:`m` that is asked for.
    reduction : {"mean", "sum"}, default "mean"
        How the values of the elements become one number.

    Notes
    -----
    Labels are −1 and +1; others are refused. It is what scikit-learn's ``LinearSVC`` minimizes unless told otherwise.
    The curvature is 2 where something is missing to the margin and 0 where nothing is, also exactly at :math:`m`.

    References
    ----------
    T. Zhang, "Statistical behavior and consistency of classification methods based on convex risk minimization",
    *Annals of Statistics* 32, 2004.

    Examples
    --------
    >>> import lossref
    >>> lossref.SquaredHinge().values([2.0, 0.5, -1.0], [1, 1, 1])
    array([0.  , 0.25, 4.  ])
    >>> lossref.SquaredHinge(reduction="sum").grad([2.0, 0.5, -1.0], [1, 1, 1])
    array([ 0., -1., -4.])
    """

    margin: float = positive(1.0, slider=(0.1, 3.0))

    samples = ({}, {"margin": 2.0**-20}, {"margin": 0.25}, {"margin": 1024.0})
    exact = True
    signs = True
    properties = Properties(
        convex=True,
        differentiable=True,
        symmetric=False,
        lipschitz=None,
        smoothness="2",
        minimizer="margin times the mean label",
    )

    @staticmethod
    def formula(pred: Any, target: Any, margin: Any) -> Any:
        return sp.Piecewise(((margin - target * pred) ** 2, target * pred < margin), (0, True))

    def reference(self, pred: Array, target: Array) -> tuple[Array, Array]:
        missing = np.maximum(self.margin - target * pred, 0)
        return missing * missing, 0 - target * (missing + missing)

    def reference_curvature(self, pred: Array, target: Array) -> Array:
        missing = np.maximum(self.margin - target * pred, 0)
        return np.where(missing > 0, 2, missing)


@dataclass(frozen=True, kw_only=True)
class Perceptron(PointwiseLoss):
    r"""Perceptron loss: every mistake costs as much as its score is wrong, and what is right costs nothing.

    .. math::

       \ell(f, y) = \max(0, -y f)

    It is the hinge with a margin of 0. Gradient descent on it, one sample at a time, is Rosenblatt's rule: where the
    decision is wrong, add the sample to the weights if its label is +1, subtract it if −1, and otherwise do nothing.

    Parameters
    ----------
    reduction : {"mean", "sum"}, default "mean"
        How the values of the elements become one number.

    Notes
    -----
    Labels are −1 and +1; others are refused. Because it asks for no room to spare, the loss has a minimum that is of no
    use: all scores 0. There the slope is 0 too, a subgradient, so **a model whose weights are all 0 does not begin to
    learn**; start elsewhere. (Rosenblatt's rule, and scikit-learn's ``Perceptron``, count a score of 0 as a mistake and
    take :math:`-y`.)

    References
    ----------
    F. Rosenblatt, "The perceptron: a probabilistic model for information storage and organization in the brain",
    *Psychological Review* 65, 1958.

    Examples
    --------
    >>> import lossref
    >>> lossref.Perceptron().values([2.0, 0.5, -1.0], [1, 1, 1])
    array([0., 0., 1.])
    >>> lossref.Perceptron(reduction="sum").grad([2.0, 0.0, -1.0], [1, 1, 1])
    array([ 0.,  0., -1.])
    """

    exact = True
    signs = True
    properties = Properties(
        convex=True,
        differentiable=False,
        symmetric=False,
        lipschitz="1",
        smoothness=None,
        minimizer="0, whatever the labels",
    )

    @staticmethod
    def formula(pred: Any, target: Any) -> Any:
        return sp.Piecewise((-target * pred, target * pred < 0), (0, True))

    def reference(self, pred: Array, target: Array) -> tuple[Array, Array]:
        missing = np.maximum(0 - target * pred, 0)
        return missing, np.where(missing > 0, -target, missing)

    def reference_curvature(self, pred: Array, target: Array) -> Array:
        t = target * pred
        return np.where(np.isnan(t), t, 0)


@dataclass(frozen=True, kw_only=True)
class ModifiedHuber(PointwiseLoss):
    r"""Modified Huber loss: a squared hinge near the boundary, a straight line for bad mistakes.

    .. math::

       \ell(f, y) = \begin{cases}
           \left( \max(0, 1 - y f) \right)^2 & y f \ge -1 \\
           -4 y f & y f < -1
       \end{cases}

    What Huber's loss is to squared error, this is to the squared hinge: the parabola where it is of use, and from
    :math:`y f = -1` on its tangent, so that a wrong label pulls with a slope of 4 and no more. There is no kink
    anywhere. And because its best score for a share :math:`p` of positive labels is :math:`2 p - 1`, a score between −1
    and 1 can be read as a probability, :math:`(f + 1) / 2`, which a hinge does not offer.

    Parameters
    ----------
    reduction : {"mean", "sum"}, default "mean"
        How the values of the elements become one number.

    Notes
    -----
    Labels are −1 and +1; others are refused. It is the ``modified_huber`` of scikit-learn's ``SGDClassifier``. The
    curvature at :math:`y f = -1` is that of the parabola, 2, and at :math:`y f = 1` it is 0.

    References
    ----------
    T. Zhang, "Solving large scale linear prediction problems using stochastic gradient descent algorithms", *ICML*
    2004.

    Examples
    --------
    >>> import lossref
    >>> lossref.ModifiedHuber().values([2.0, 0.5, -1.0, -10.0], [1, 1, 1, 1])
    array([ 0.  ,  0.25,  4.  , 40.  ])
    >>> lossref.ModifiedHuber(reduction="sum").grad([2.0, 0.5, -1.0, -10.0], [1, 1, 1, 1])
    array([ 0., -1., -4., -4.])
    """

    exact = True
    signs = True
    properties = Properties(
        convex=True,
        differentiable=True,
        symmetric=False,
        lipschitz="4",
        smoothness="2",
        minimizer="mean label",
    )

    @staticmethod
    def formula(pred: Any, target: Any) -> Any:
        t = target * pred
        return sp.Piecewise((-4 * t, t < -1), ((1 - t) ** 2, t < 1), (0, True))

    def reference(self, pred: Array, target: Array) -> tuple[Array, Array]:
        t = target * pred
        missing = np.maximum(1 - t, 0)
        capped = np.minimum(missing, 2)
        return np.where(t < -1, -4 * t, missing * missing), 0 - target * (capped + capped)

    def reference_curvature(self, pred: Array, target: Array) -> Array:
        t = target * pred
        missing = np.maximum(1 - t, 0)
        return np.where(t < -1, 0, np.where(missing > 0, 2, missing))


@dataclass(frozen=True, kw_only=True)
class Exponential(PointwiseLoss):
    r"""Exponential loss: each step to the wrong side multiplies the price.

    .. math::

       \ell(f, y) = e^{-y f}

    This is what AdaBoost minimizes, one weak learner at a time: the weight that it gives a sample is this loss under
    the learners so far. For a share :math:`p` of positive labels the best score is half the log-odds,
    :math:`\frac{1}{2} \log \frac{p}{1 - p}`, so scores are probabilities in disguise. The slope is as large as the loss
    and has no bound: of all losses here, this one suffers most from a wrong label.

    Parameters
    ----------
    reduction : {"mean", "sum"}, default "mean"
        How the values of the elements become one number.

    Notes
    -----
    Labels are −1 and +1; others are refused. Nothing is clamped: the loss is infinite from a margin of about −709 on
    in float64, −88 in float32, and so are its slope and curvature. It is called ``lossref.losses.Exponential``, because
    ``lossref.Exponential`` is the :ref:`schedule <formula-exponential>`.

    References
    ----------
    J. Friedman, T. Hastie and R. Tibshirani, "Additive logistic regression: a statistical view of boosting", *Annals of
    Statistics* 28, 2000.

    Examples
    --------
    >>> from lossref.losses import Exponential
    >>> Exponential().values([2.0, 0.0, -1.0], [1, 1, 1]).round(6)
    array([0.135335, 1.      , 2.718282])
    >>> Exponential(reduction="sum").grad([0.0, 0.0], [1, -1])
    array([-1.,  1.])
    """

    name = "exponential_loss"
    signs = True
    properties = Properties(
        convex=True,
        differentiable=True,
        symmetric=False,
        lipschitz=None,
        smoothness=None,
        minimizer="half the log-odds of label 1",
    )

    @staticmethod
    def formula(pred: Any, target: Any) -> Any:
        return sp.exp(-target * pred)

    def reference(self, pred: Array, target: Array) -> tuple[Array, Array]:
        e = np.exp(-target * pred)
        return e, -target * e

    def reference_curvature(self, pred: Array, target: Array) -> Array:
        e: Array = np.exp(-target * pred)
        return e


@dataclass(frozen=True, kw_only=True)
class MulticlassHinge(RowwiseLoss):
    r"""Multiclass hinge loss: the score of the label has to lead those of its rivals by a margin.

    .. math::

       \ell(f, y) = \sum_{k} y_k \max\left( 0, m + \max_{j \ne k} f_j - f_k \right)

    Here :math:`y_k` is 1 for the label and 0 for the other classes, so that one term is left. There are two ways to
    take the hinge to many classes. Crammer and Singer ask for a lead over the *nearest* rival, as the display says, and
    pull at two scores. Weston and Watkins ask for it over *each* rival and add up what is missing, :math:`\sum_{j \ne
    k} \max(0, m + f_j - f_k)`, and pull at all that are too near. For two classes both are the :class:`Hinge` of the
    difference of the scores. Like it they let a sample go once it is right with room to spare.

    Parameters
    ----------
    margin : float > 0, default 1.0
        The lead :math:`m` that is asked for.
    kind : {"crammer-singer", "weston-watkins"}, default "crammer-singer"
        Whether the nearest rival counts or all do.
    reduction : {"mean", "sum"}, default "mean"
        How the values of the rows become one number.

    Notes
    -----
    ``pred`` has the shape (n, C), ``target`` is integer labels of the shape (n,); rows of probabilities are refused,
    for a lead over oneself means nothing. Where several rivals are equally near, Crammer and Singer's slope goes to the
    first of them; where the lead is exactly :math:`m`, the slope is 0. Each is one subgradient of many.

    A name tells little here. PyTorch's ``multi_margin_loss`` is Weston and Watkins divided by the number of classes;
    optax's ``multiclass_hinge_loss`` and scikit-learn's ``hinge_loss`` are Crammer and Singer. Keras's
    ``CategoricalHinge`` is neither: among the rivals it counts a score of 0, so that it punishes a label that leads
    by far with a score below 1.

    Neither kind always finds the most frequent class. If none has a majority, the constant scores that Crammer and
    Singer like best are all equal: *whatever* was learned is noise. Cross-entropy has no such gap.

    References
    ----------
    K. Crammer and Y. Singer, "On the algorithmic implementation of multiclass kernel-based vector machines", *Journal
    of Machine Learning Research* 2, 2001.

    J. Weston and C. Watkins, "Support vector machines for multi-class pattern recognition", *ESANN* 1999.

    Examples
    --------
    >>> import lossref
    >>> scores = [[2.0, 1.5, 1.75], [-1.0, -3.0, -4.0]]
    >>> lossref.MulticlassHinge().values(scores, [0, 0])
    array([0.75, 0.  ])
    >>> lossref.MulticlassHinge(kind="weston-watkins").values(scores, [0, 0])
    array([1.25, 0.  ])
    >>> lossref.MulticlassHinge(kind="weston-watkins", reduction="sum").grad(scores, [0, 0])
    array([[-2.,  1.,  1.],
           [ 0.,  0.,  0.]])
    """

    margin: float = positive(1.0, slider=(0.1, 3.0))
    kind: str = choice("crammer-singer", ("crammer-singer", "weston-watkins"))

    forms = ("_crammer_singer", "_weston_watkins")
    samples = ({}, {"kind": "weston-watkins"}, {"margin": 0.7}, {"margin": 1024.0, "kind": "weston-watkins"})
    exact = True
    targets = ("labels",)
    predictions = "scores"
    properties = Properties(
        convex=True,
        differentiable=False,
        symmetric=False,
        lipschitz="1",
        smoothness=None,
        minimizer="a lead for the class of the majority; where there is none, for no class",
    )

    @staticmethod
    def formula(pred: Any, target: Any, margin: Any, kind: str) -> Any:
        cost = 0
        for k, own in enumerate(pred):
            rivals = [*pred[:k], *pred[k + 1 :]]
            if kind == "weston-watkins":
                missing = sum(sp.Piecewise((margin + f - own, own - f < margin), (0, True)) for f in rivals)
            else:  # no smaller than those that follow, and, since its line is reached, than those before
                nearest = [
                    sp.And(own - f < margin, *(f >= later for later in rivals[j:])) for j, f in enumerate(rivals, 1)
                ]
                missing = sp.Piecewise(
                    *((margin + f - own, that) for f, that in zip(rivals, nearest, strict=True)), (0, True)
                )
            cost += target[k] * missing
        return cost

    @property
    def letters(self) -> dict[str, str]:
        return {"pred": "f"}

    def _choose_kernel(self) -> str:
        return f"{self.name}_{self.kind.replace('-', '_')}"

    def reference(self, pred: Array, mass: Array) -> tuple[Array, Array]:
        hot = mass > 0
        own, rivals = pred[hot][:, np.newaxis], np.where(hot, -np.inf, pred)
        nearest = np.arange(pred.shape[1]) == rivals.argmax(axis=1)[:, np.newaxis]
        counted = nearest if self.kind == "crammer-singer" else ~hot
        missing = np.where(counted, self._lead_missing(rivals, own), 0)
        values = ordered_sums(missing) + np.where(np.isnan(pred), pred, 0).sum(axis=1)
        wrong = np.where(np.isnan(values), values, 0).astype(pred.dtype)[:, np.newaxis]
        slopes = np.where(missing > 0, pred.dtype.type(1), 0)
        slopes = np.where(hot, -slopes.sum(axis=1, keepdims=True), slopes)
        return values, slopes + wrong

    def reference_curvature(self, pred: Array, mass: Array) -> Array:
        wrong = np.where(np.isnan(pred), pred, 0).sum(axis=1, keepdims=True)
        return np.broadcast_to(wrong, pred.shape)

    def _lead_missing(self, rival: Array, own: Array) -> Array:
        """The margin plus rival minus own where that is positive, with what the sums lose by rounding."""
        margin = rival.dtype.type(self.margin)
        margin_low = rival.dtype.type(self.margin - float(margin))
        gap = rival - own
        missing = margin + gap
        missing = missing + (lost(rival, own, gap) + (lost(margin, -gap, missing) + margin_low))
        return np.where(missing < 0, 0, missing)
