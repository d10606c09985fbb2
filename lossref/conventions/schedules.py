"""Schedules, as the frameworks spell them."""

from lossref.conventions.spelling import Spelling

SPELLINGS: dict[str, tuple[Spelling, ...]] = {
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
