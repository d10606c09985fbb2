"""How each framework spells each formula, and what it does otherwise.

A spelling is the framework's own call, in which ``pred`` and ``target`` (``w`` for a penalty, ``t`` for a schedule) are
arrays of that framework. The tests run every spelling of an installed framework against lossref.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from lossref._formula import Formula


@dataclasses.dataclass(frozen=True)
class Spelling:
    """One framework's way to write a formula.

    ``call`` is a template over the formula's fields. ``needs`` names settings without which the framework has no such
    call, and ``differs`` says in a sentence what else a reader must know; empty if nothing.
    """

    framework: str
    call: str
    differs: str = ""
    needs: tuple[tuple[str, Any], ...] = ()

    def fits(self, formula: Formula) -> bool:
        """Can the framework express these settings?"""
        return all(getattr(formula, name) == value for name, value in self.needs)

    def write(self, formula: Formula) -> str:
        """The call with the formula's settings in it."""
        fields = {field.name: getattr(formula, field.name) for field in dataclasses.fields(formula)}
        return self.call.format(**fields)


MEAN = (("reduction", "mean"),)
LOGITS = (*MEAN, ("from_logits", True))

SPELLINGS: dict[str, tuple[Spelling, ...]] = {
    "MSE": (
        Spelling("PyTorch", "torch.nn.functional.mse_loss(pred, target, reduction={reduction!r})"),
        Spelling("Keras", "keras.losses.MeanSquaredError()(target, pred)", "The target comes first.", MEAN),
        Spelling(
            "optax",
            "optax.squared_error(pred, target).mean()",
            "Not reduced by itself; l2_loss is half of it.",
            MEAN,
        ),
        Spelling(
            "scikit-learn",
            "sklearn.metrics.mean_squared_error(target, pred)",
            "The target comes first; the losses of the linear models are half of it.",
            MEAN,
        ),
    ),
    "MAE": (
        Spelling(
            "PyTorch",
            "torch.nn.functional.l1_loss(pred, target, reduction={reduction!r})",
            "The slope at a residual of 0 is 0.",
        ),
        Spelling("Keras", "keras.losses.MeanAbsoluteError()(target, pred)", "The target comes first.", MEAN),
        Spelling(
            "JAX",
            "jax.numpy.abs(pred - target).mean()",
            "The slope at a residual of 0 is 1.",
            MEAN,
        ),
        Spelling(
            "scikit-learn",
            "sklearn.metrics.mean_absolute_error(target, pred)",
            "The target comes first; in gradient boosting the slope at a residual of 0 is −1.",
            MEAN,
        ),
    ),
    "Huber": (
        Spelling(
            "PyTorch",
            "torch.nn.functional.huber_loss(pred, target, delta={delta}, reduction={reduction!r})",
            "smooth_l1_loss with beta is this divided by beta.",
        ),
        Spelling("Keras", "keras.losses.Huber(delta={delta})(target, pred)", "The target comes first.", MEAN),
        Spelling(
            "optax",
            "optax.huber_loss(pred, target, delta={delta}).mean()",
            "Not reduced by itself.",
            MEAN,
        ),
    ),
    "BinaryCrossEntropy": (
        Spelling(
            "PyTorch",
            "torch.nn.functional.binary_cross_entropy_with_logits(pred, target, reduction={reduction!r})",
            "binary_cross_entropy, from probabilities, clamps the logarithms at −100.",
            (("from_logits", True), ("label_smoothing", 0.0), ("pos_weight", 1.0)),
        ),
        Spelling(
            "PyTorch",
            "torch.nn.functional.binary_cross_entropy_with_logits("
            "pred, target, pos_weight=torch.tensor({pos_weight}), reduction={reduction!r})",
            "The weight must be a tensor.",
            (("from_logits", True), ("label_smoothing", 0.0)),
        ),
        Spelling(
            "Keras",
            "keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing={label_smoothing})(target, pred)",
            "The default is from_logits=False, which clips probabilities to [1e-7, 1 − 1e-7]. The target comes first.",
            (*LOGITS, ("pos_weight", 1.0)),
        ),
        Spelling(
            "optax",
            "optax.sigmoid_binary_cross_entropy(pred, target).mean()",
            "Not reduced by itself.",
            (*LOGITS, ("label_smoothing", 0.0), ("pos_weight", 1.0)),
        ),
        Spelling(
            "scikit-learn",
            "sklearn.metrics.log_loss(target, pred, labels=[0, 1])",
            "From probabilities, which it clips to [eps, 1 − eps]; labels, not probabilities, as targets.",
            (*MEAN, ("from_logits", False), ("label_smoothing", 0.0), ("pos_weight", 1.0)),
        ),
    ),
    "CategoricalCrossEntropy": (
        Spelling(
            "PyTorch",
            "torch.nn.functional.cross_entropy(pred, target, label_smoothing={label_smoothing}, "
            "weight={class_weight} and torch.tensor({class_weight}, dtype=pred.dtype), "
            "reduction={reduction!r})",
            "ignore_index is −100 by default. With probabilities for targets the weighted mean divides by n.",
            (("from_logits", True), ("ignore_index", None)),
        ),
        Spelling(
            "Keras",
            "keras.losses.SparseCategoricalCrossentropy(from_logits=True)(target, pred)",
            "The default is from_logits=False, which renormalizes and clips probabilities. The target comes first.",
            (*LOGITS, ("label_smoothing", 0.0), ("class_weight", None), ("ignore_index", None)),
        ),
        Spelling(
            "optax",
            "optax.softmax_cross_entropy_with_integer_labels(pred, target).mean()",
            "Not reduced by itself; probabilities for targets have a function of their own.",
            (*LOGITS, ("label_smoothing", 0.0), ("class_weight", None), ("ignore_index", None)),
        ),
        Spelling(
            "scikit-learn",
            "sklearn.metrics.log_loss(target, pred, labels=range(pred.shape[1]))",
            "From probabilities, which it clips to [eps, 1 − eps].",
            (
                *MEAN,
                ("from_logits", False),
                ("label_smoothing", 0.0),
                ("class_weight", None),
                ("ignore_index", None),
            ),
        ),
    ),
    "L1": (
        Spelling("PyTorch", "{lam} * w.abs().sum()", "There is no class for it. The slope at 0 is 0."),
        Spelling("Keras", "keras.regularizers.L1({lam})(w)", "The default strength is 0.01."),
        Spelling("optax", "{lam} * jax.numpy.abs(w).sum()", "There is no function for it. The slope at 0 is 1."),
    ),
    "L2": (
        Spelling(
            "PyTorch",
            "{lam} / 2 * (w ** 2).sum()",
            "What weight_decay={lam} of SGD and Adam adds to the loss.",
            (("half", True),),
        ),
        Spelling("PyTorch", "{lam} * (w ** 2).sum()", "weight_decay is 2λ of this form.", (("half", False),)),
        Spelling(
            "optax", "{lam} * optax.tree.norm(w, squared=True)", "add_decayed_weights adds λw.", (("half", False),)
        ),
        Spelling("Keras", "keras.regularizers.L2({lam})(w)", "The default strength is 0.01.", (("half", False),)),
    ),
    "ElasticNet": (
        Spelling("PyTorch", "{l1} * w.abs().sum() + {l2} * (w ** 2).sum()", "There is no class for it."),
        Spelling("JAX", "{l1} * jax.numpy.abs(w).sum() + {l2} * (w ** 2).sum()", "There is no function for it."),
        Spelling("Keras", "keras.regularizers.L1L2(l1={l1}, l2={l2})(w)", "Both strengths are 0 by default."),
    ),
}


def spellings(formula: type[Formula]) -> tuple[Spelling, ...]:
    """The frameworks' ways to write a formula.

    Examples
    --------
    >>> import lossref
    >>> from lossref.conventions import spellings
    >>> [spelling.framework for spelling in spellings(lossref.Huber)]
    ['PyTorch', 'Keras', 'optax']
    """
    return SPELLINGS.get(formula.__name__, ())


def translate(formula: Formula, to: str) -> str:
    """Write a formula, with its settings, as a call of another framework.

    Parameters
    ----------
    formula : Formula
        A loss, penalty, optimizer or schedule of lossref.
    to : str
        The framework: "PyTorch", "Keras", "optax", "JAX" or "scikit-learn", in any case.

    Returns
    -------
    str
        An expression of that framework in ``pred`` and ``target``, in ``w``, or in ``t``.

    Raises
    ------
    ValueError
        If the framework has no equal for it, or none with these settings.

    Examples
    --------
    >>> import lossref
    >>> from lossref.conventions import translate
    >>> translate(lossref.Huber(delta=2.0), to="PyTorch")
    "torch.nn.functional.huber_loss(pred, target, delta=2.0, reduction='mean')"
    """
    known = [spelling for spelling in spellings(type(formula)) if spelling.framework.lower() == to.lower()]
    for spelling in known:
        if spelling.fits(formula):
            return spelling.write(formula)
    if known:
        wanted = " or ".join(", ".join(f"{name}={value!r}" for name, value in spelling.needs) for spelling in known)
        raise ValueError(f"translate: {known[0].framework} has no equal of {formula!r}; it has one with {wanted}")
    names = ", ".join(dict.fromkeys(spelling.framework for spelling in spellings(type(formula)))) or "none"
    raise ValueError(f"translate: {to} has no equal of {type(formula).__name__}; there is one in: {names}")
