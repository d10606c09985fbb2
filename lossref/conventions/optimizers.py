"""Optimizers, as the frameworks spell them."""

from typing import Any

from lossref.conventions.spelling import Spelling

PLAIN_MOMENTUM = (("dampening", 0.0), ("weight_decay", 0.0))
OUTSIDE, INSIDE = ("eps_placement", "outside"), ("eps_placement", "inside")


def in_optax(call: str, differs: str = "", *needs: tuple[str, Any]) -> tuple[Spelling, Spelling]:
    """A call of optax, and the same with an L2 penalty, which is a transformation of its own there."""
    decayed = f"optax.chain(optax.add_decayed_weights({{weight_decay}}), {call})"
    plain = (*needs, ("weight_decay", 0.0))
    return Spelling("optax", call, differs, plain), Spelling("optax", decayed, "The same with weight decay.", needs)


#: How weight decay has to be set for a framework that has only one kind of it, or none.
COUPLED = (("decoupled", False),)
DECOUPLED = (("decoupled", True),)
UNDECAYED = (("weight_decay", 0.0),)

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
        *in_optax(
            "optax.sgd({lr}, momentum={momentum} or None, nesterov={nesterov})",
            "",
            ("dampening", 0.0),
            ("lr_in_velocity", False),
        ),
    ),
    "AdaGrad": (
        Spelling(
            "PyTorch",
            "torch.optim.Adagrad(params, lr={lr}, initial_accumulator_value={initial_accumulator}, eps={eps}, "
            "weight_decay={weight_decay})",
            "Its lr_decay divides the rate by 1 + (t − 1) · lr_decay, which is a schedule here.",
            (OUTSIDE,),
        ),
        Spelling(
            "Keras",
            "keras.optimizers.Adagrad(learning_rate={lr}, initial_accumulator_value={initial_accumulator}, "
            "epsilon={eps})",
            "The sum starts at 0.1 by default, ε is 1e-7, and weight_decay is decoupled.",
            (INSIDE, ("weight_decay", 0.0)),
        ),
        *in_optax(
            "optax.adagrad({lr}, initial_accumulator_value={initial_accumulator}, eps={eps})",
            "The sum starts at 0.1 by default, and ε is 1e-7.",
            INSIDE,
        ),
    ),
    "RMSprop": (
        Spelling(
            "PyTorch",
            "torch.optim.RMSprop(params, lr={lr}, alpha={rho}, eps={eps}, weight_decay={weight_decay}, "
            "momentum={momentum}, centered={centered})",
            "α is 0.99 by default, and the rate 0.01. Centred, it takes the root of a difference, which may be NaN.",
            (OUTSIDE,),
        ),
        Spelling(
            "Keras",
            "keras.optimizers.RMSprop(learning_rate={lr}, rho={rho}, momentum={momentum}, epsilon={eps}, "
            "centered={centered})",
            "ε is 1e-7, the rate is in the velocity, which matters when it changes, and weight_decay is decoupled.",
            (INSIDE, ("weight_decay", 0.0)),
        ),
        *in_optax(
            "optax.rmsprop({lr}, decay={rho}, eps={eps}, eps_in_sqrt={eps_placement!r} == 'inside', "
            "centered={centered}, momentum={momentum} or None)",
            "ε is inside by default. The rate is in the velocity, which matters when it changes.",
        ),
    ),
    "Adam": (
        Spelling(
            "PyTorch",
            "torch.optim.Adam(params, lr={lr}, betas=({beta1}, {beta2}), eps={eps}, amsgrad={amsgrad}, "
            "weight_decay={weight_decay})",
            "",
            (OUTSIDE,),
        ),
        Spelling(
            "Keras",
            "keras.optimizers.Adam(learning_rate={lr}, beta_1={beta1}, beta_2={beta2}, epsilon={eps})",
            "ε stands before the correction, which makes it larger by up to 1/√(1 − β₂). The default is 1e-7, and "
            "weight_decay is decoupled, as in AdamW.",
            equal=False,
        ),
        *in_optax(
            "optax.adam({lr}, b1={beta1}, b2={beta2}, eps={eps})",
            "optax.amsgrad keeps the largest of the corrected means, not of the raw ones.",
            ("amsgrad", False),
            OUTSIDE,
        ),
        *in_optax(
            "optax.adam({lr}, b1={beta1}, b2={beta2}, eps=0.0, eps_root={eps})",
            "eps_root is the ε inside; both may be there at once.",
            ("amsgrad", False),
            INSIDE,
        ),
    ),
    "AdamW": (
        Spelling(
            "PyTorch",
            "torch.optim.AdamW(params, lr={lr}, betas=({beta1}, {beta2}), eps={eps}, amsgrad={amsgrad}, "
            "weight_decay={weight_decay})",
            "",
            (OUTSIDE,),
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
            (("amsgrad", False), OUTSIDE),
        ),
        Spelling(
            "optax",
            "optax.adamw({lr}, b1={beta1}, b2={beta2}, eps=0.0, eps_root={eps}, weight_decay={weight_decay})",
            "eps_root is the ε inside; both may be there at once.",
            (("amsgrad", False), INSIDE),
        ),
    ),
    "NAdam": (
        Spelling(
            "PyTorch",
            "torch.optim.NAdam(params, lr={lr}, betas=({beta1}, {beta2}), eps={eps}, weight_decay={weight_decay}, "
            "momentum_decay=1e6, decoupled_weight_decay={decoupled})",
            "There is no None: with a large number the momentum is whole from the start.",
            (("momentum_decay", None),),
        ),
        Spelling(
            "PyTorch",
            "torch.optim.NAdam(params, lr={lr}, betas=({beta1}, {beta2}), eps={eps}, weight_decay={weight_decay}, "
            "momentum_decay={momentum_decay}, decoupled_weight_decay={decoupled})",
            "The product of momenta is carried along in the default dtype, which is float32 unless told otherwise.",
        ),
        Spelling(
            "Keras",
            "keras.optimizers.Nadam(learning_rate={lr}, beta_1={beta1}, beta_2={beta2}, epsilon={eps}, "
            "weight_decay={weight_decay})",
            "The momentum is whole 250 times sooner than in the paper. The default of ε is 1e-7, and weight_decay is "
            "decoupled.",
            (("momentum_decay", 1.0), *UNDECAYED),
        ),
        Spelling(
            "optax",
            "optax.nadam({lr}, b1={beta1}, b2={beta2}, eps={eps})",
            "The momentum is whole from the start.",
            (("momentum_decay", None), *UNDECAYED),
        ),
        Spelling(
            "optax",
            "optax.nadamw({lr}, b1={beta1}, b2={beta2}, eps={eps}, weight_decay={weight_decay})",
            "The momentum is whole from the start. The default decay is 0.0001.",
            (("momentum_decay", None), *DECOUPLED),
        ),
    ),
    "RAdam": (
        Spelling(
            "PyTorch",
            "torch.optim.RAdam(params, lr={lr}, betas=({beta1}, {beta2}), eps={eps}, weight_decay={weight_decay}, "
            "decoupled_weight_decay={decoupled})",
        ),
        Spelling(
            "optax",
            "optax.radam({lr}, b1={beta1}, b2={beta2}, eps={eps})",
            "ε stands behind the correction, which makes it smaller by up to √(1 − β₂). Weight decay is a "
            "transformation of its own.",
            equal=False,
        ),
    ),
    "Adamax": (
        Spelling(
            "PyTorch",
            "torch.optim.Adamax(params, lr={lr}, betas=({beta1}, {beta2}), eps={eps}, weight_decay={weight_decay})",
            needs=COUPLED,
        ),
        Spelling(
            "Keras",
            "keras.optimizers.Adamax(learning_rate={lr}, beta_1={beta1}, beta_2={beta2}, epsilon={eps}, "
            "weight_decay={weight_decay})",
            "ε is added to the largest gradient and not to the newest. Its default is 1e-7, that of the rate 0.001, "
            "and weight_decay is decoupled.",
            equal=False,
        ),
        Spelling("optax", "optax.adamax({lr}, b1={beta1}, b2={beta2}, eps={eps})", needs=UNDECAYED),
        Spelling(
            "optax",
            "optax.adamaxw({lr}, b1={beta1}, b2={beta2}, eps={eps}, weight_decay={weight_decay})",
            "The default decay is 0.0001.",
            DECOUPLED,
        ),
    ),
    "AdaDelta": (
        Spelling(
            "PyTorch",
            "torch.optim.Adadelta(params, lr={lr}, rho={rho}, eps={eps}, weight_decay={weight_decay})",
            "The default of ρ is 0.9.",
            COUPLED,
        ),
        Spelling(
            "Keras",
            "keras.optimizers.Adadelta(learning_rate={lr}, rho={rho}, epsilon={eps}, weight_decay={weight_decay})",
            "The default rate is 0.001, a thousandth of the paper's, and ε is 1e-7. weight_decay is decoupled.",
            DECOUPLED,
        ),
        Spelling(
            "optax",
            "optax.adadelta({lr}, rho={rho}, eps={eps}, weight_decay={weight_decay})",
            "The default of ρ is 0.9.",
            COUPLED,
        ),
    ),
    "AdaBelief": (
        Spelling(
            "optax",
            "optax.adabelief({lr}, b1={beta1}, b2={beta2}, eps={eps}, eps_root={eps_root})",
            needs=UNDECAYED,
        ),
        Spelling(
            "optax",
            "optax.chain(optax.scale_by_belief(b1={beta1}, b2={beta2}, eps={eps}, eps_root={eps_root}), "
            "optax.add_decayed_weights({weight_decay}), optax.scale_by_learning_rate({lr}))",
            needs=DECOUPLED,
        ),
        Spelling(
            "optax",
            "optax.chain(optax.add_decayed_weights({weight_decay}), "
            "optax.adabelief({lr}, b1={beta1}, b2={beta2}, eps={eps}, eps_root={eps_root}))",
            needs=COUPLED,
        ),
    ),
    "Rprop": (
        Spelling(
            "PyTorch",
            "torch.optim.Rprop(params, lr={lr}, etas=({eta_minus}, {eta_plus}), step_sizes=({min_step}, {max_step}))",
            "The default of the first step is 0.01. Turns are not seen where the product of two gradients is too small "
            "for a float.",
        ),
        Spelling(
            "optax",
            "optax.rprop({lr}, eta_minus={eta_minus}, eta_plus={eta_plus}, min_step_size={min_step}, "
            "max_step_size={max_step})",
            "Each step is taken one update late: the first update moves nothing, and a turn drops the step before it.",
            equal=False,
        ),
    ),
    "SignSGD": (
        Spelling("optax", "optax.sign_sgd({lr})", needs=(("weight_decay", 0.0),)),
        Spelling(
            "optax",
            "optax.chain(optax.scale_by_sign(), optax.add_decayed_weights({weight_decay}), "
            "optax.scale_by_learning_rate({lr}))",
        ),
    ),
    "Lion": (
        Spelling(
            "Keras",
            "keras.optimizers.Lion(learning_rate={lr}, beta_1={beta1}, beta_2={beta2}, weight_decay={weight_decay})",
            "The default rate is 0.001.",
        ),
        Spelling(
            "optax",
            "optax.lion({lr}, b1={beta1}, b2={beta2}, weight_decay={weight_decay})",
            "The default decay is 0.001.",
        ),
    ),
    "ScheduleFreeAdamW": (
        Spelling(
            "optax",
            "optax.contrib.schedule_free_adamw({lr}, b1={beta1}, b2={beta2}, eps={eps}, weight_decay={weight_decay})",
            "The average is schedule_free_eval_params(state, params). With warmup_steps the first step has the rate 0.",
            (("warmup", 0),),
        ),
    ),
}
