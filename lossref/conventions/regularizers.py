"""Penalties, as the frameworks spell them."""

from lossref.conventions.spelling import Spelling

SPELLINGS: dict[str, tuple[Spelling, ...]] = {
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
    "Nuclear": (
        Spelling(
            "PyTorch",
            "{lam} * torch.linalg.matrix_norm(w, ord='nuc')",
            "At a singular value of 0 the slope goes on along directions that the decomposition has chosen.",
        ),
        Spelling("JAX", "{lam} * jax.numpy.linalg.norm(w, ord='nuc')", "As in PyTorch."),
    ),
}
