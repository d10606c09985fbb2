"""Losses of several learned arrays, as the frameworks spell them."""

from lossref.conventions.spelling import MEAN, Spelling

SPELLINGS: dict[str, tuple[Spelling, ...]] = {
    "GaussianNLL": (
        Spelling(
            "PyTorch",
            "torch.nn.functional.gaussian_nll_loss(mean, target, torch.exp(log_variance), reduction={reduction!r})",
            "Takes the variance and raises it to 1e-6 where it is lower. The target comes second.",
        ),
    ),
    "MarginRanking": (
        Spelling(
            "PyTorch",
            "torch.nn.functional.margin_ranking_loss(first, second, target, margin={margin}, reduction={reduction!r})",
            "Labels other than −1 and 1 are taken as they are.",
        ),
    ),
    "GaussianKL": (
        Spelling(
            "PyTorch",
            "torch.distributions.kl_divergence(torch.distributions.Normal(mean, torch.exp(log_variance / 2)), "
            "torch.distributions.Normal(0.0, 1.0)).mean()",
            "Takes the standard deviation. Near a log variance of 0 the value has lost its digits.",
            MEAN,
        ),
    ),
}
