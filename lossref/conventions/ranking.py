"""Ranking losses of lists, as the frameworks spell them."""

from lossref.conventions.spelling import MEAN, Spelling

SPELLINGS: dict[str, tuple[Spelling, ...]] = {
    "PairwiseLogistic": (
        Spelling(
            "PyTorch",
            "(lambda gap, above: ((torch.nn.functional.softplus(-gap) * above).sum((1, 2)) / above.sum((1, 2))).mean())"
            "(pred[:, :, None] - pred[:, None], target[:, :, None] > target[:, None])",
            "There is no function for it: margin_ranking_loss is a hinge. A row without a pair is NaN here.",
            MEAN,
        ),
    ),
    "ListNet": (
        Spelling(
            "PyTorch",
            "torch.nn.functional.cross_entropy(pred, torch.softmax(target, 1), reduction={reduction!r})",
            "There is no function of that name.",
        ),
        Spelling(
            "Keras",
            "keras.losses.CategoricalCrossentropy(from_logits=True)(keras.ops.softmax(target), pred)",
            "There is no function of that name.",
            MEAN,
        ),
        Spelling(
            "optax",
            "optax.losses.ranking_softmax_loss(pred, jax.nn.softmax(target))",
            "It takes the relevances as they are: the softmax of them is up to the caller.",
            MEAN,
        ),
    ),
}
