"""Losses of overlap, as the frameworks spell them."""

from lossref.conventions.spelling import MEAN, Spelling

SPELLINGS: dict[str, tuple[Spelling, ...]] = {
    "Dice": (
        Spelling(
            "Keras",
            "keras.ops.mean(keras.losses.Dice(axis=1, reduction=None)(target, pred))",
            "Without an axis it adds up over the batch before it divides. It adds 1e-7 to the denominator. The target "
            "comes first.",
            (*MEAN, ("smooth", 0.0)),
        ),
        Spelling(
            "optax",
            "optax.losses.dice_loss("
            "jax.scipy.special.logit(pred)[..., None], target[..., None], smooth={smooth} / 2).mean()",
            "From logits, with an axis for the classes. Its smooth is 1 unless told otherwise, and counts double.",
            MEAN,
        ),
    ),
    "Tversky": (
        Spelling(
            "Keras",
            "keras.ops.mean(keras.losses.Tversky(alpha={beta}, beta={alpha}, axis=1, reduction=None)(target, pred))",
            "Up to version 3.15 its alpha multiplies the misses and its beta the false alarms, against its own manual. "
            "Without an axis it adds up over the batch before it divides. The target comes first.",
            MEAN,
        ),
        Spelling(
            "optax",
            "optax.losses.dice_loss(jax.scipy.special.logit(pred)[..., None], target[..., None], "
            "alpha={alpha}, beta={beta}, smooth=0.0).mean()",
            "From logits, with an axis for the classes.",
            MEAN,
        ),
    ),
}
