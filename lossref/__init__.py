"""lossref: the reference on loss functions, regularizers, optimizers and learning-rate schedules."""

import importlib
from typing import TYPE_CHECKING, Any

from lossref import _backend
from lossref._backend import get_num_threads, set_num_threads, show_config, use_backend

if TYPE_CHECKING:
    from lossref.live import live_figure
    from lossref.losses import (
        ELBO,
        KL,
        MAE,
        MSE,
        NLL,
        Adversarial,
        Barron,
        BatchTriplet,
        BinaryCrossEntropy,
        Brier,
        CategoricalCrossEntropy,
        CategoricalFocal,
        Cauchy,
        Contrastive,
        CosineEmbedding,
        Dice,
        EpsilonInsensitive,
        Focal,
        Gamma,
        GaussianKL,
        GaussianNLL,
        Hinge,
        Huber,
        InfoNCE,
        JensenShannon,
        ListNet,
        LogCosh,
        MarginRanking,
        ModifiedHuber,
        MulticlassHinge,
        PairwiseLogistic,
        Perceptron,
        Perceptual,
        Poisson,
        PseudoHuber,
        Quantile,
        SmoothL1,
        SquaredHinge,
        SupCon,
        Triplet,
        Tukey,
        Tversky,
        Tweedie,
        check_gradient,
        from_formula,
    )
    from lossref.optimizers import (
        BFGS,
        EMA,
        LBFGS,
        SAM,
        SGD,
        AdaBelief,
        AdaDelta,
        AdaGrad,
        Adam,
        Adamax,
        AdamW,
        ConjugateGradient,
        Lion,
        Lookahead,
        NAdam,
        Newton,
        RAdam,
        RMSprop,
        Rprop,
        ScheduleFreeAdamW,
        SignSGD,
    )
    from lossref.regularizers import L1, L2, ElasticNet, GroupLasso, Nuclear, TotalVariation
    from lossref.schedules import Cosine, Exponential, StepDecay, Warmup
    from lossref.training import minimize

__version__ = "0.1.0"

__all__ = [
    "BFGS",
    "ELBO",
    "EMA",
    "KL",
    "L1",
    "L2",
    "LBFGS",
    "MAE",
    "MSE",
    "NLL",
    "SAM",
    "SGD",
    "AdaBelief",
    "AdaDelta",
    "AdaGrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Adversarial",
    "Barron",
    "BatchTriplet",
    "BinaryCrossEntropy",
    "Brier",
    "CategoricalCrossEntropy",
    "CategoricalFocal",
    "Cauchy",
    "ConjugateGradient",
    "Contrastive",
    "Cosine",
    "CosineEmbedding",
    "Dice",
    "ElasticNet",
    "EpsilonInsensitive",
    "Exponential",
    "Focal",
    "Gamma",
    "GaussianKL",
    "GaussianNLL",
    "GroupLasso",
    "Hinge",
    "Huber",
    "InfoNCE",
    "JensenShannon",
    "Lion",
    "ListNet",
    "LogCosh",
    "Lookahead",
    "MarginRanking",
    "ModifiedHuber",
    "MulticlassHinge",
    "NAdam",
    "Newton",
    "Nuclear",
    "PairwiseLogistic",
    "Perceptron",
    "Perceptual",
    "Poisson",
    "PseudoHuber",
    "Quantile",
    "RAdam",
    "RMSprop",
    "Rprop",
    "ScheduleFreeAdamW",
    "SignSGD",
    "SmoothL1",
    "SquaredHinge",
    "StepDecay",
    "SupCon",
    "TotalVariation",
    "Triplet",
    "Tukey",
    "Tversky",
    "Tweedie",
    "Warmup",
    "check_gradient",
    "from_formula",
    "get_num_threads",
    "live_figure",
    "minimize",
    "set_num_threads",
    "show_config",
    "use_backend",
]

# Schedules first: lossref.Exponential is theirs, the loss of that name is lossref.losses.Exponential.
CHAPTERS = ("schedules", "optimizers", "regularizers", "losses", "training", "live", "landscapes")


def __getattr__(name: str) -> Any:
    """Import a chapter when it, or a formula, is first asked for: to make all the classes takes longer than NumPy."""
    if name in CHAPTERS:
        return importlib.import_module(f"lossref.{name}")
    if name in __all__:
        for chapter in CHAPTERS:
            module = importlib.import_module(f"lossref.{chapter}")
            if name in module.__all__:
                globals()[name] = getattr(module, name)
                return globals()[name]
    raise AttributeError(f"module 'lossref' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, *CHAPTERS]


_backend.start()
