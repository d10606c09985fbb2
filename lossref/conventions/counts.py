"""Losses of counts and amounts, as the frameworks spell them. Most drop what depends on the target alone."""

from lossref.conventions.spelling import MEAN, Spelling

SKLEARN = "It is twice this loss, takes means and not their logarithms, and refuses {refused}. The target comes first."

SPELLINGS: dict[str, tuple[Spelling, ...]] = {
    "Poisson": (
        Spelling(
            "PyTorch",
            "torch.nn.functional.poisson_nll_loss(pred, target, reduction='mean')"
            " + (torch.xlogy(target, target) - target).mean()",
            "poisson_nll_loss leaves out what depends on the target alone; full=True adds not that but the logarithm "
            "of the factorial, by Stirling's formula, for targets above 1.",
            MEAN,
        ),
        Spelling(
            "Keras",
            "keras.losses.Poisson()(target, keras.ops.exp(pred))",
            "It takes means, adds 1e-7 to them before the logarithm, and leaves out what depends on the target alone.",
            MEAN,
            equal=False,
        ),
        Spelling(
            "JAX",
            "(jax.numpy.exp(pred) - target * pred + jax.scipy.special.xlogy(target, target) - target).mean()",
            "There is no function for it. Written so, it cancels where the prediction is good.",
            MEAN,
        ),
        Spelling(
            "scikit-learn",
            "sklearn.metrics.mean_poisson_deviance(target, numpy.exp(pred)) / 2",
            SKLEARN.format(refused="negative targets"),
            MEAN,
        ),
    ),
    "Gamma": (
        Spelling(
            "JAX",
            "(target * jax.numpy.exp(-pred) + pred - 1 - jax.numpy.log(target)).mean()",
            "There is no function for it. Written so, it cancels where the prediction is good.",
            MEAN,
        ),
        Spelling(
            "scikit-learn",
            "sklearn.metrics.mean_gamma_deviance(target, numpy.exp(pred)) / 2",
            SKLEARN.format(refused="targets of 0"),
            MEAN,
        ),
    ),
    "Tweedie": (
        Spelling(
            "scikit-learn",
            "sklearn.metrics.mean_tweedie_deviance(target, numpy.exp(pred), power={power}) / 2",
            SKLEARN.format(refused="negative targets"),
            MEAN,
        ),
    ),
}
