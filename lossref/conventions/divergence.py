"""Divergences, as the frameworks spell them."""

from lossref.conventions.spelling import MEAN, Spelling

SPELLINGS: dict[str, tuple[Spelling, ...]] = {
    "KL": (
        Spelling(
            "PyTorch",
            "torch.nn.functional.kl_div(torch.log_softmax(pred, 1), target, reduction='batchmean')",
            "The default reduction, 'mean', divides by the number of elements, not of rows.",
            (*MEAN, ("from_logits", True)),
        ),
        Spelling(
            "PyTorch",
            "torch.nn.functional.kl_div(pred, target, reduction='batchmean')",
            "The default reduction, 'mean', divides by the number of elements, not of rows.",
            (*MEAN, ("from_logits", False)),
        ),
        Spelling(
            "Keras",
            "keras.losses.KLDivergence()(target, keras.ops.exp(pred))",
            "From probabilities; it clips both arguments to [1e-7, 1]. The target comes first.",
            (*MEAN, ("from_logits", False)),
        ),
        Spelling(
            "optax",
            "optax.kl_divergence(jax.nn.log_softmax(pred), target).mean()",
            "Not reduced by itself.",
            (*MEAN, ("from_logits", True)),
        ),
        Spelling(
            "optax",
            "optax.kl_divergence(pred, target).mean()",
            "Not reduced by itself.",
            (*MEAN, ("from_logits", False)),
        ),
        Spelling(
            "JAX",
            "jax.scipy.special.rel_entr(target, jax.numpy.exp(pred)).sum(axis=1).mean()",
            "From probabilities, and element by element.",
            (*MEAN, ("from_logits", False)),
        ),
    ),
    "JensenShannon": (
        Spelling(
            "PyTorch",
            "sum(torch.nn.functional.kl_div(((pred + target) / 2).log(), each, reduction='batchmean') "
            "for each in (pred, target)) / 2",
            "There is no function for it. Where pred is 0 its gradient is NaN.",
            MEAN,
        ),
        Spelling(
            "JAX",
            "sum(jax.scipy.special.rel_entr(each, (pred + target) / 2).sum(axis=1).mean() "
            "for each in (pred, target)) / 2",
            "There is no function for it.",
            MEAN,
        ),
    ),
}
