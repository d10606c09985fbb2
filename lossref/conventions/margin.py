"""Margin losses, as the frameworks spell them."""

from lossref.conventions.spelling import MEAN, Spelling

UNIT_MARGIN = (*MEAN, ("margin", 1.0))

SPELLINGS: dict[str, tuple[Spelling, ...]] = {
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
    "MulticlassHinge": (
        Spelling(
            "PyTorch",
            "pred.shape[1] * torch.nn.functional.multi_margin_loss(pred, target, margin={margin}, "
            "reduction={reduction!r})",
            "multi_margin_loss divides by the number of classes, the reduction 'sum' included.",
            (("kind", "weston-watkins"),),
        ),
        Spelling(
            "Keras",
            "keras.losses.CategoricalHinge()(keras.ops.one_hot(target, pred.shape[1]), pred)",
            "A rival score of 0 is always among those it takes the largest of. Its targets are one-hot rows.",
            UNIT_MARGIN,
            equal=False,
        ),
        Spelling(
            "optax",
            "optax.losses.multiclass_hinge_loss(pred, target).mean()",
            "Not reduced by itself. Of equal rivals each gets a share of the slope.",
            (*UNIT_MARGIN, ("kind", "crammer-singer")),
        ),
        Spelling(
            "scikit-learn",
            "sklearn.metrics.hinge_loss(target, pred, labels=range(pred.shape[1]))",
            "The target comes first.",
            (*UNIT_MARGIN, ("kind", "crammer-singer")),
        ),
    ),
    "ModifiedHuber": (
        Spelling(
            "scikit-learn",
            "sklearn.linear_model.SGDClassifier(loss='modified_huber')",
            "A loss to train with, not a function to call.",
            equal=False,
        ),
        Spelling(
            "JAX",
            "jax.numpy.where(target * pred < -1, -4 * target * pred, jax.nn.relu(1 - target * pred) ** 2).mean()",
            "There is no function for it.",
            MEAN,
        ),
    ),
    "losses.Exponential": (
        Spelling("PyTorch", "torch.exp(-target * pred).mean()", "soft_margin_loss is log(1 + this).", MEAN),
        Spelling("JAX", "jax.numpy.exp(-target * pred).mean()", "There is no function for it.", MEAN),
    ),
}
