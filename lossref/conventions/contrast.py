"""Losses of a batch, as the frameworks spell them."""

from lossref.conventions.spelling import MEAN, Spelling

SPELLINGS: dict[str, tuple[Spelling, ...]] = {
    "InfoNCE": (
        Spelling(
            "PyTorch",
            "torch.nn.functional.cross_entropy(torch.nn.functional.normalize(queries) "
            "@ torch.nn.functional.normalize(keys).T / {temperature}, torch.arange(len(queries)), "
            "reduction='{reduction}')",
            "There is no function for it. normalize divides by 1e-12 at least.",
        ),
        Spelling(
            "optax",
            "optax.softmax_cross_entropy_with_integer_labels("
            "optax.cosine_similarity(queries[:, None], keys) / {temperature}, jax.numpy.arange(len(queries))).mean()",
            "There is no function for it; a row of zeros gives NaN.",
            MEAN,
        ),
    ),
    "SupCon": (
        Spelling(
            "optax",
            "optax.losses.ntxent(embeddings, labels, temperature={temperature})",
            "Each positive is set against the negatives alone, and the mean is over pairs; with two samples of each "
            "class it is the same.",
            equal=False,
        ),
    ),
}
