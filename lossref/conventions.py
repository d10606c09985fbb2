"""How each framework spells each formula, and what it does otherwise.

A spelling is the framework's own call, in which ``pred`` and ``target`` (``w`` for a penalty, ``params`` for an
optimizer, ``t`` or the ``optimizer`` for a schedule) are objects of that framework. The tests run every spelling that
is said to be equal against lossref.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from lossref._formula import Formula
from lossref.registry import path


@dataclasses.dataclass(frozen=True)
class Spelling:
    """One framework's way to write a formula.

    ``call`` is a template over the formula's fields. ``needs`` names settings without which the framework has no such
    call, ``differs`` says in a sentence what else a reader must know (empty if nothing), and ``equal`` whether the call
    gives the same numbers.
    """

    framework: str
    call: str
    differs: str = ""
    needs: tuple[tuple[str, Any], ...] = ()
    equal: bool = True

    def fits(self, formula: Formula) -> bool:
        """Can the framework express these settings?"""
        return all(getattr(formula, name) == value for name, value in self.needs)

    def write(self, formula: Formula) -> str:
        """The call with the formula's settings in it."""
        fields = {field.name: getattr(formula, field.name) for field in dataclasses.fields(formula)}
        return self.call.format(**fields)


MEAN = (("reduction", "mean"),)
UNIT_MARGIN = (*MEAN, ("margin", 1.0))
LOGITS = (*MEAN, ("from_logits", True))
PLAIN_MOMENTUM = (("dampening", 0.0), ("weight_decay", 0.0))

#: By what one writes after ``lossref.`` to get the formula.
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
    "SmoothL1": (
        Spelling(
            "PyTorch",
            "torch.nn.functional.smooth_l1_loss(pred, target, beta={beta}, reduction={reduction!r})",
            "huber_loss with delta=beta is β times this.",
        ),
        Spelling(
            "Keras",
            "keras.losses.Huber(delta={beta})(target, pred) / {beta}",
            "There is no class for it; it is Huber's loss over its parameter. The target comes first.",
            MEAN,
        ),
        Spelling(
            "optax",
            "optax.huber_loss(pred, target, delta={beta}).mean() / {beta}",
            "There is no function for it; it is Huber's loss over its parameter.",
            MEAN,
        ),
    ),
    "LogCosh": (
        Spelling("Keras", "keras.losses.LogCosh()(target, pred)", "The target comes first.", MEAN),
        Spelling("optax", "optax.log_cosh(pred, target).mean()", "Not reduced by itself.", MEAN),
    ),
    "PseudoHuber": (
        Spelling(
            "JAX",
            "({delta} ** 2 * (jax.numpy.sqrt(1 + ((pred - target) / {delta}) ** 2) - 1)).mean()",
            "There is no function for it. Written so, it cancels near 0.",
            MEAN,
        ),
    ),
    "Quantile": (
        Spelling(
            "scikit-learn",
            "sklearn.metrics.mean_pinball_loss(target, pred, alpha={q})",
            "The target comes first; in gradient boosting the slope at a residual of 0 is −q.",
            MEAN,
        ),
    ),
    "EpsilonInsensitive": (
        Spelling(
            "scikit-learn",
            "sklearn.linear_model.SGDRegressor(loss='epsilon_insensitive', epsilon={epsilon})",
            "The loss is a setting of models (SVR and LinearSVR have it too), not a function that could be called.",
            equal=False,
        ),
    ),
    "Cauchy": (
        Spelling(
            "JAX",
            "({scale} ** 2 / 2 * jax.numpy.log1p(((pred - target) / {scale}) ** 2)).mean()",
            "There is no function for it. The square overflows for large residuals.",
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
    "NLL": (
        Spelling(
            "PyTorch",
            "torch.nn.functional.nll_loss("
            "pred, target, weight={class_weight} and torch.tensor({class_weight}, dtype=pred.dtype), "
            "reduction={reduction!r})",
            "Labels alone, no probabilities, as targets. ignore_index is −100 by default.",
            (("ignore_index", None),),
        ),
        Spelling(
            "JAX",
            "-jax.numpy.take_along_axis(pred, target[:, None], axis=1).mean()",
            "There is no function for it.",
            (*MEAN, ("class_weight", None), ("ignore_index", None)),
        ),
    ),
    "Hinge": (
        Spelling(
            "PyTorch",
            "torch.nn.functional.relu({margin} - target * pred).mean()",
            "There is no function for it: hinge_embedding_loss takes distances, multi_margin_loss many classes.",
            MEAN,
        ),
        Spelling(
            "Keras",
            "keras.losses.Hinge()(target, pred)",
            "A batch that holds no labels but 0 and 1 is converted in silence. The target comes first.",
            UNIT_MARGIN,
        ),
        Spelling("optax", "optax.hinge_loss(pred, target).mean()", "Not reduced by itself.", UNIT_MARGIN),
        Spelling(
            "scikit-learn",
            "sklearn.metrics.hinge_loss(target, pred)",
            "The target comes first. The slope of SGDClassifier at the kink is −y.",
            UNIT_MARGIN,
        ),
    ),
    "SquaredHinge": (
        Spelling(
            "PyTorch",
            "(torch.nn.functional.relu({margin} - target * pred) ** 2).mean()",
            "There is no function for it; multi_margin_loss with p=2 takes many classes.",
            MEAN,
        ),
        Spelling(
            "Keras",
            "keras.losses.SquaredHinge()(target, pred)",
            "A batch that holds no labels but 0 and 1 is converted in silence. The target comes first.",
            UNIT_MARGIN,
        ),
        Spelling(
            "optax",
            "(optax.hinge_loss(pred, target) ** 2).mean()",
            "There is no function for it.",
            UNIT_MARGIN,
        ),
    ),
    "Perceptron": (
        Spelling("PyTorch", "torch.nn.functional.relu(-target * pred).mean()", "There is no function for it.", MEAN),
        Spelling("optax", "optax.losses.perceptron_loss(pred, target).mean()", "Not reduced by itself.", MEAN),
    ),
    "losses.Exponential": (
        Spelling("PyTorch", "torch.exp(-target * pred).mean()", "soft_margin_loss is log(1 + this).", MEAN),
        Spelling("JAX", "jax.numpy.exp(-target * pred).mean()", "There is no function for it.", MEAN),
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
    "SGD": (
        Spelling(
            "PyTorch",
            "torch.optim.SGD(params, lr={lr}, momentum={momentum}, dampening={dampening}, nesterov={nesterov}, "
            "weight_decay={weight_decay})",
            "The default rate is 0.001.",
            (("lr_in_velocity", False),),
        ),
        Spelling(
            "Keras",
            "keras.optimizers.SGD(learning_rate={lr}, momentum={momentum}, nesterov={nesterov})",
            "The other family: a change of the rate leaves the velocity as it is. Its weight_decay is decoupled.",
            (*PLAIN_MOMENTUM, ("lr_in_velocity", True)),
        ),
        Spelling(
            "optax",
            "optax.sgd({lr}, momentum={momentum} or None, nesterov={nesterov})",
            "Weight decay is a transformation of its own, add_decayed_weights.",
            (*PLAIN_MOMENTUM, ("lr_in_velocity", False)),
        ),
    ),
    "Adam": (
        Spelling(
            "PyTorch",
            "torch.optim.Adam(params, lr={lr}, betas=({beta1}, {beta2}), eps={eps}, amsgrad={amsgrad}, "
            "weight_decay={weight_decay})",
        ),
        Spelling(
            "Keras",
            "keras.optimizers.Adam(learning_rate={lr}, beta_1={beta1}, beta_2={beta2}, epsilon={eps})",
            "ε stands before the correction, which makes it larger by up to 1/√(1 − β₂). The default is 1e-7, and "
            "weight_decay is decoupled, as in AdamW.",
            equal=False,
        ),
        Spelling(
            "optax",
            "optax.adam({lr}, b1={beta1}, b2={beta2}, eps={eps})",
            "optax.amsgrad keeps the largest of the corrected means, not of the raw ones.",
            (("amsgrad", False), ("weight_decay", 0.0)),
        ),
    ),
    "AdamW": (
        Spelling(
            "PyTorch",
            "torch.optim.AdamW(params, lr={lr}, betas=({beta1}, {beta2}), eps={eps}, amsgrad={amsgrad}, "
            "weight_decay={weight_decay})",
        ),
        Spelling(
            "Keras",
            "keras.optimizers.AdamW(learning_rate={lr}, beta_1={beta1}, beta_2={beta2}, epsilon={eps}, "
            "weight_decay={weight_decay})",
            "ε stands before the correction, as in its Adam. The default decay is 0.004.",
            equal=False,
        ),
        Spelling(
            "optax",
            "optax.adamw({lr}, b1={beta1}, b2={beta2}, eps={eps}, weight_decay={weight_decay})",
            "The default decay is 0.0001.",
            (("amsgrad", False),),
        ),
    ),
    "StepDecay": (
        Spelling("PyTorch", "torch.optim.lr_scheduler.StepLR(optimizer, step_size={every}, gamma={factor})"),
        Spelling(
            "Keras",
            "keras.optimizers.schedules.ExponentialDecay("
            "{initial}, decay_steps={every}, decay_rate={factor}, staircase=True)(t)",
        ),
        Spelling(
            "optax",
            "optax.exponential_decay({initial}, transition_steps={every}, decay_rate={factor}, staircase=True)(t)",
        ),
    ),
    "Exponential": (
        Spelling(
            "PyTorch",
            "torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma={rate} ** (1 / {every}))",
            "Its gamma is the ratio of one step.",
            (("staircase", False),),
        ),
        Spelling(
            "PyTorch",
            "torch.optim.lr_scheduler.StepLR(optimizer, step_size={every}, gamma={rate})",
            needs=(("staircase", True),),
        ),
        Spelling(
            "Keras",
            "keras.optimizers.schedules.ExponentialDecay("
            "{initial}, decay_steps={every}, decay_rate={rate}, staircase={staircase})(t)",
        ),
        Spelling(
            "optax",
            "optax.exponential_decay({initial}, transition_steps={every}, decay_rate={rate}, staircase={staircase})(t)",
        ),
    ),
    "Cosine": (
        Spelling(
            "PyTorch",
            "torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max={steps}, eta_min={floor})",
            "Past the end it rises again.",
        ),
        Spelling(
            "Keras",
            "keras.optimizers.schedules.CosineDecay({peak}, decay_steps={steps}, alpha={floor} / {peak})(t)",
            "Its decay_steps do not contain its warm-up, as here.",
        ),
        Spelling(
            "optax",
            "optax.cosine_decay_schedule({peak}, decay_steps={steps}, alpha={floor} / {peak})(t)",
            "The decay_steps of warmup_cosine_decay_schedule contain the warm-up.",
        ),
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
    return SPELLINGS.get(path(formula), ())


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
        An expression of that framework in ``pred`` and ``target``, ``w``, ``params``, ``t`` or ``optimizer``.

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
    equals = [spelling for spelling in spellings(type(formula)) if spelling.equal]
    known = [spelling for spelling in equals if spelling.framework.lower() == to.lower()]
    for spelling in known:
        if spelling.fits(formula):
            return spelling.write(formula)
    if known:
        wanted = " or ".join(", ".join(f"{name}={value!r}" for name, value in spelling.needs) for spelling in known)
        raise ValueError(f"translate: {known[0].framework} has no equal of {formula!r}; it has one with {wanted}")
    names = ", ".join(dict.fromkeys(spelling.framework for spelling in equals)) or "no framework"
    raise ValueError(f"translate: {to} has no equal of {type(formula).__name__}; there is one in: {names}")
