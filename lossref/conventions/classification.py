"""Classification losses, as the frameworks spell them."""

from lossref.conventions.spelling import MEAN, Spelling

LOGITS = (*MEAN, ("from_logits", True))

SPELLINGS: dict[str, tuple[Spelling, ...]] = {
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
    "Focal": (
        Spelling(
            "Keras",
            "keras.losses.BinaryFocalCrossentropy("
            "apply_class_balancing={alpha} != None, alpha={alpha}, gamma={gamma}, from_logits={from_logits}"
            ")(target, pred)",
            "alpha is ignored unless apply_class_balancing=True. Probabilities are the default, and are clipped to "
            "[1e-7, 1 − 1e-7], those of logits too. For targets between 0 and 1 it is another loss: the power is that "
            "of the mixed doubt. The target comes first.",
            MEAN,
        ),
        Spelling(
            "optax",
            "optax.sigmoid_focal_loss(pred, target, alpha={alpha}, gamma={gamma}).mean()",
            "alpha is None by default. Not reduced by itself. Another loss for targets between 0 and 1, as in Keras.",
            LOGITS,
        ),
    ),
    "CategoricalFocal": (
        Spelling(
            "Keras",
            "keras.losses.CategoricalFocalCrossentropy("
            "alpha=1.0, gamma={gamma}, label_smoothing={label_smoothing}, from_logits=True"
            ")(keras.ops.one_hot(target, pred.shape[1]), pred)",
            "alpha is 0.25 by default and multiplies every class: a factor of the whole loss. Rows of probabilities "
            "alone as targets, which come first. Probabilities are the default, and are clipped to [1e-7, 1 − 1e-7].",
            (*MEAN, ("class_weight", None)),
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
    "Brier": (
        Spelling(
            "scikit-learn",
            "sklearn.metrics.brier_score_loss(target, pred, labels=range(pred.shape[1]), scale_by_half=False)",
            "The target comes first. Of two classes it takes the half unless told otherwise.",
            MEAN,
        ),
        Spelling(
            "PyTorch",
            "((pred - torch.nn.functional.one_hot(target, pred.shape[1])) ** 2).sum(1).mean()",
            "There is no function for it: mse_loss divides by the number of classes too.",
            MEAN,
        ),
        Spelling(
            "JAX",
            "((pred - jax.nn.one_hot(target, pred.shape[1])) ** 2).sum(1).mean()",
            "There is no function for it.",
            MEAN,
        ),
    ),
}
