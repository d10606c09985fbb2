"""Losses of embeddings, as the frameworks spell them."""

from lossref.conventions.spelling import MEAN, Spelling

EUCLIDEAN = (("p", 2.0), ("squared", False), ("swap", False), *MEAN)

SPELLINGS: dict[str, tuple[Spelling, ...]] = {
    "Contrastive": (
        Spelling(
            "PyTorch",
            "torch.where(y == {similar}, torch.nn.functional.pairwise_distance(a, b, eps=0.0) ** 2, "
            "torch.relu({margin} - torch.nn.functional.pairwise_distance(a, b, eps=0.0)) ** 2).mean()",
            "There is no function for it: hinge_embedding_loss takes distances, is linear, and has labels −1 and 1. "
            "With the eps of 1e-6 that pairwise_distance adds unless told otherwise, equal rows are not at distance 0.",
            (("half", False), *MEAN),
        ),
        Spelling(
            "JAX",
            "jax.numpy.where(y == {similar}, ((a - b) ** 2).sum(1), "
            "jax.nn.relu({margin} - jax.numpy.linalg.norm(a - b, axis=1)) ** 2).mean()",
            "There is no function for it. The gradient of equal rows is NaN.",
            (("half", False), *MEAN),
        ),
    ),
    "Triplet": (
        Spelling(
            "PyTorch",
            "torch.nn.functional.triplet_margin_loss(anchor, positive, negative, margin={margin}, p={p}, "
            "swap={swap}, eps=0.0, reduction={reduction!r})",
            "Its margin is 1 unless told otherwise, and it adds eps, 1e-6 unless told otherwise, to each difference.",
            (("squared", False),),
        ),
        Spelling(
            "optax",
            "optax.losses.triplet_margin_loss(anchor, positive, negative, margin={margin}, eps=0.0).mean()",
            "Not reduced by itself. Its eps, 1e-6 unless told otherwise, stands below the root. In a norm of odd order "
            "it takes no absolute values, so that distances may be negative or NaN.",
            EUCLIDEAN,
        ),
    ),
    "CosineEmbedding": (
        Spelling(
            "PyTorch",
            "torch.nn.functional.cosine_embedding_loss(a, b, y, margin={margin}, reduction={reduction!r})",
            "It adds 1e-12 to the squared lengths, which gives a row of zeros the cosine 0 with everything.",
        ),
    ),
}
