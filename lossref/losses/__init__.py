"""Loss functions: how wrong a prediction is, and in which direction to mend it."""

from lossref.losses.check import GradientReport, check_gradient
from lossref.losses.classification import NLL, BinaryCrossEntropy, Brier, CategoricalCrossEntropy
from lossref.losses.compose import Combined, Penalized
from lossref.losses.contrast import InfoNCE, SupCon
from lossref.losses.counts import Gamma, Poisson, Tweedie
from lossref.losses.design import from_formula
from lossref.losses.divergence import KL, JensenShannon
from lossref.losses.generative import ELBO, Adversarial, GaussianKL, Perceptual
from lossref.losses.imbalance import CategoricalFocal, Focal
from lossref.losses.likelihood import GaussianNLL
from lossref.losses.margin import Exponential, Hinge, ModifiedHuber, MulticlassHinge, Perceptron, SquaredHinge
from lossref.losses.metric import Contrastive, CosineEmbedding, Triplet
from lossref.losses.mining import BatchTriplet, mine
from lossref.losses.overlap import Dice, Tversky
from lossref.losses.ranking import ListNet, MarginRanking, PairwiseLogistic
from lossref.losses.regression import (
    MAE,
    MSE,
    EpsilonInsensitive,
    Huber,
    LogCosh,
    PseudoHuber,
    Quantile,
    SmoothL1,
)
from lossref.losses.robust import Barron, Cauchy, Tukey
from lossref.losses.weights import balanced_weights, effective_number_weights

# In the order of their teaching.
__all__ = [  # noqa: RUF022
    "MSE",
    "MAE",
    "Huber",
    "SmoothL1",
    "LogCosh",
    "PseudoHuber",
    "Quantile",
    "EpsilonInsensitive",
    "Cauchy",
    "Tukey",
    "Barron",
    "Poisson",
    "Gamma",
    "Tweedie",
    "GaussianNLL",
    "BinaryCrossEntropy",
    "CategoricalCrossEntropy",
    "NLL",
    "Brier",
    "Focal",
    "CategoricalFocal",
    "Dice",
    "Tversky",
    "Hinge",
    "SquaredHinge",
    "Perceptron",
    "ModifiedHuber",
    "Exponential",
    "MulticlassHinge",
    "KL",
    "JensenShannon",
    "MarginRanking",
    "PairwiseLogistic",
    "ListNet",
    "Contrastive",
    "Triplet",
    "CosineEmbedding",
    "GaussianKL",
    "BatchTriplet",
    "mine",
    "InfoNCE",
    "SupCon",
    "ELBO",
    "Adversarial",
    "Perceptual",
    "Combined",
    "Penalized",
    "from_formula",
    "check_gradient",
    "GradientReport",
    "balanced_weights",
    "effective_number_weights",
]
