"""Regression losses, as the frameworks spell them."""

from lossref.conventions.spelling import MEAN, Spelling

SPELLINGS: dict[str, tuple[Spelling, ...]] = {
    "MSE": (
        Spelling("PyTorch", "torch.nn.functional.mse_loss(pred, target, reduction={reduction!r})"),
        Spelling("Keras", "keras.losses.MeanSquaredError()(target, pred)", "The target comes first.", MEAN),
        Spelling(
            "optax",
            "optax.squared_error(pred, target).mean()",
            "Not reduced by itself; l2_loss is half of it.",
            MEAN,
        ),
        Spelling(
            "scikit-learn",
            "sklearn.metrics.mean_squared_error(target, pred)",
            "The target comes first; the losses of the linear models are half of it.",
            MEAN,
        ),
    ),
    "MAE": (
        Spelling(
            "PyTorch",
            "torch.nn.functional.l1_loss(pred, target, reduction={reduction!r})",
            "The slope at a residual of 0 is 0.",
        ),
        Spelling("Keras", "keras.losses.MeanAbsoluteError()(target, pred)", "The target comes first.", MEAN),
        Spelling(
            "JAX",
            "jax.numpy.abs(pred - target).mean()",
            "The slope at a residual of 0 is 1.",
            MEAN,
        ),
        Spelling(
            "scikit-learn",
            "sklearn.metrics.mean_absolute_error(target, pred)",
            "The target comes first; in gradient boosting the slope at a residual of 0 is −1.",
            MEAN,
        ),
    ),
    "Huber": (
        Spelling(
            "PyTorch",
            "torch.nn.functional.huber_loss(pred, target, delta={delta}, reduction={reduction!r})",
            "smooth_l1_loss with beta is this divided by beta.",
        ),
        Spelling("Keras", "keras.losses.Huber(delta={delta})(target, pred)", "The target comes first.", MEAN),
        Spelling(
            "optax",
            "optax.huber_loss(pred, target, delta={delta}).mean()",
            "Not reduced by itself.",
            MEAN,
        ),
    ),
    "SmoothL1": (
        Spelling(
            "PyTorch",
            "torch.nn.functional.smooth_l1_loss(pred, target, beta={beta}, reduction={reduction!r})",
            "huber_loss with delta=beta is β times this.",
        ),
        Spelling(
            "Keras",
            "keras.losses.Huber(delta={beta})(target, pred) / {beta}",
            "There is no class for it; it is Huber's loss over its parameter. The target comes first.",
            MEAN,
        ),
        Spelling(
            "optax",
            "optax.huber_loss(pred, target, delta={beta}).mean() / {beta}",
            "There is no function for it; it is Huber's loss over its parameter.",
            MEAN,
        ),
    ),
    "LogCosh": (
        Spelling("Keras", "keras.losses.LogCosh()(target, pred)", "The target comes first.", MEAN),
        Spelling("optax", "optax.log_cosh(pred, target).mean()", "Not reduced by itself.", MEAN),
    ),
    "PseudoHuber": (
        Spelling(
            "JAX",
            "({delta} ** 2 * (jax.numpy.sqrt(1 + ((pred - target) / {delta}) ** 2) - 1)).mean()",
            "There is no function for it. Written so, it cancels near 0.",
            MEAN,
        ),
    ),
    "Quantile": (
        Spelling(
            "scikit-learn",
            "sklearn.metrics.mean_pinball_loss(target, pred, alpha={q})",
            "The target comes first; in gradient boosting the slope at a residual of 0 is −q.",
            MEAN,
        ),
    ),
    "EpsilonInsensitive": (
        Spelling(
            "scikit-learn",
            "sklearn.linear_model.SGDRegressor(loss='epsilon_insensitive', epsilon={epsilon})",
            "The loss is a setting of models (SVR and LinearSVR have it too), not a function that could be called.",
            equal=False,
        ),
    ),
    "Cauchy": (
        Spelling(
            "JAX",
            "({scale} ** 2 / 2 * jax.numpy.log1p(((pred - target) / {scale}) ** 2)).mean()",
            "There is no function for it. The square overflows for large residuals.",
            MEAN,
        ),
    ),
    "Tukey": (
        Spelling(
            "JAX",
            "({c} ** 2 / 6 * (1 - jax.numpy.maximum(1 - ((pred - target) / {c}) ** 2, 0) ** 3)).mean()",
            "There is no function for it. Written so, it cancels near 0.",
            MEAN,
        ),
    ),
    "Barron": (
        Spelling(
            "JAX",
            "(jax.numpy.sqrt(((pred - target) / {scale}) ** 2 + 1) - 1).mean()",
            "There is no function for it. Written so, it cancels near 0.",
            (("alpha", 1.0), *MEAN),
        ),
        Spelling(
            "JAX",
            "jax.numpy.log1p(((pred - target) / {scale}) ** 2 / 2).mean()",
            "The case that the general formula divides by zero at.",
            (("alpha", 0.0), *MEAN),
        ),
    ),
}
