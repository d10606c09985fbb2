"""Optimizers, as the frameworks spell them."""

from lossref.conventions.spelling import Spelling

PLAIN_MOMENTUM = (("dampening", 0.0), ("weight_decay", 0.0))

SPELLINGS: dict[str, tuple[Spelling, ...]] = {
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
}
