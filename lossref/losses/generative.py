"""Losses of models that generate: how a latent distribution is held to the standard one, how images are compared by
what a network sees in them, and the game of two networks.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Protocol

import numpy as np

from lossref import symbolic as sp
from lossref._arrays import Array, as_floats, check_shape, ordered_sum, ready, warn_of_empty_mean
from lossref._parameters import choice, nonnegative
from lossref._terms import Composable
from lossref.losses.base import PairedLoss, PointwiseLoss, PredictionLoss, Properties
from lossref.losses.classification import BinaryCrossEntropy
from lossref.losses.margin import Hinge
from lossref.losses.regression import MSE


@dataclass(frozen=True, kw_only=True)
class GaussianKL(PairedLoss):
    r"""Divergence of a normal distribution from the standard one: what it costs a latent variable to say something.

    .. math::

       \ell(\mu, s) = \frac{1}{2} \left( e^{s} - 1 - s + \mu^2 \right)

    This is :math:`\mathrm{KL}(\mathcal{N}(\mu, e^s) \,\|\, \mathcal{N}(0, 1))`, with the logarithm :math:`s` of the
    variance, in nats. A variational autoencoder gives each latent variable such a distribution and pays for its
    distance from the standard one: without that price it would make the variances 0 and scatter the means anywhere,
    and nothing drawn from the standard distribution could be decoded. At :math:`\mu = s = 0` the variable costs
    nothing and says nothing.

    The arrays are ``mean`` and ``log_variance``, both of them learned; there is no target.

    Parameters
    ----------
    reduction : {"mean", "sum"}, default "mean"
        How the values of the elements become one number. ``ELBO`` takes the sum over the latent variables.

    Notes
    -----
    Near :math:`s = 0`, where most latent variables of a trained model lie, :math:`e^s - 1 - s` is :math:`s^2 / 2` and
    cancels to nothing if computed as written: at :math:`s = 10^{-8}` not one digit is left of it in float64. Here it is
    a polynomial there.

    References
    ----------
    D. P. Kingma and M. Welling, "Auto-encoding variational Bayes", *International Conference on Learning
    Representations* 2014, appendix B.

    Examples
    --------
    >>> import lossref
    >>> loss = lossref.GaussianKL(reduction="sum")
    >>> loss.values([0.0, 1.0, 0.0], [0.0, 0.0, -4.0]).round(6)
    array([0.      , 0.5     , 1.509158])
    >>> f"{loss([0.0], [1e-8]):.4g}"
    '2.5e-17'
    >>> loss.grad([1.0], [0.0])
    (array([1.]), array([0.]))
    """

    name = "gaussian_kl"
    arrays = ("mean", "log_variance")
    properties = Properties(
        convex=True,
        differentiable=True,
        symmetric=True,
        lipschitz=None,
        smoothness=None,
        minimizer="0 and 0",
    )

    @staticmethod
    def formula(mean: Any, log_variance: Any) -> Any:
        return (sp.exp(log_variance) - 1 - log_variance + mean**2) / 2

    def reference(self, mean: Array, log_variance: Array) -> tuple[Array, Array, Array]:
        kind, s, u = mean.dtype, log_variance.astype(np.float64), mean.astype(np.float64)
        far, root = s > 600, np.exp(s / 2)
        half = np.where(far, root / 2 * root, np.expm1(s) / 2)  # half of it may be a float where exp(s) is none
        series = np.ones_like(s)  # of 2 (exp(s) - 1 - s) / s², by Horner's rule
        for n in range(24, 2, -1):
            series = 1 + series * s / n
        without_s = np.where(np.abs(s) < 1, s / 4 * s * series, np.where(far, half, half - s / 2))
        bad = np.isnan(u) | np.isnan(s)
        slopes = np.where(bad, np.nan, u), np.where(bad, np.nan, half)
        return (without_s + u / 2 * u).astype(kind), slopes[0].astype(kind), slopes[1].astype(kind)

    def reference_curvature(self, mean: Array, log_variance: Array) -> tuple[Array, Array]:
        root, bad = np.exp(log_variance.astype(np.float64) / 2), np.isnan(mean) | np.isnan(log_variance)
        bends = np.where(bad, np.nan, 1), np.where(bad, np.nan, root / 2 * root)
        return bends[0].astype(mean.dtype), bends[1].astype(mean.dtype)


def losses_in(owner: str, name: str, loss: Any) -> list[PredictionLoss]:
    """The losses that a loss of predictions is a sum of: itself, or its terms; or the error that says what it is."""
    losses = [term.of for term in loss._terms()] if isinstance(loss, Composable) else [loss]
    if not all(isinstance(each, PredictionLoss) for each in losses):
        raise TypeError(f"{owner}: {name} must be a loss of predictions, got {loss!r}")
    return losses


@dataclass(frozen=True, kw_only=True)
class ELBO:
    r"""The objective of a variational autoencoder: how badly it draws what it saw, and how much it had to remember.

    .. math::

       L = \frac{1}{n} \sum_{i=1}^{n} \left( R_i + \beta \sum_k \ell(\mu_{ik}, s_{ik}) \right)

    :math:`R_i` is the reconstruction loss of sample :math:`i`, *summed* over its elements, and :math:`\ell` is
    :class:`GaussianKL`, summed over the latent variables. With :math:`\beta = 1` this is the negative of the evidence
    lower bound: no less than the negative log likelihood of the data under the model, and equal to it where the encoder
    gives the true posterior. The name is that of the bound; the loss is to be made small.

    Parameters
    ----------
    reconstruction : loss, default ``BinaryCrossEntropy(reduction="sum")``
        What the decoder's output costs, with ``reduction="sum"``. Binary cross-entropy takes logits of pixels between 0
        and 1. ``0.5 * MSE(reduction="sum")`` is the likelihood of numbers with normal noise of variance 1.
    beta : float >= 0, default 1.0
        The price of a nat in the latent variables. Above 1 the code becomes poorer and more orderly (β-VAE); with 0
        this is an autoencoder, from whose latent space nothing can be drawn.

    Raises
    ------
    ValueError
        If the reconstruction is a mean.

    Notes
    -----
    The best-known mistake with this objective is to add a *mean* over pixels to a *sum* over latent variables. It is
    the same objective, divided by the number of pixels, with that number for :math:`\beta`: for an image of 28 × 28, a
    latent variable must then save 784 nats of reconstruction to be worth one. None does, all of them become standard
    normal, and the decoder draws the mean image. It is refused here.

    References
    ----------
    D. P. Kingma and M. Welling, "Auto-encoding variational Bayes", *International Conference on Learning
    Representations* 2014. I. Higgins et al., "β-VAE: learning basic visual concepts with a constrained variational
    framework", *International Conference on Learning Representations* 2017.

    Examples
    --------
    Two images of 64 pixels, and 8 latent variables each:

    >>> import numpy as np
    >>> import lossref
    >>> rng = np.random.default_rng(0)
    >>> logits, pixels = rng.normal(size=(2, 64)), rng.random((2, 64))
    >>> mean, log_variance = rng.normal(size=(2, 2, 8))
    >>> round(lossref.ELBO(beta=0.0)(logits, pixels, mean, log_variance), 2)
    49.21
    >>> round(lossref.ELBO()(logits, pixels, mean, log_variance), 2)
    57.33

    The latent variables are a seventh of the objective. With a mean over the pixels they would be nearly all of it:

    >>> right, wrong = lossref.ELBO(), lossref.ELBO(beta=64.0)
    >>> latent = lossref.GaussianKL(reduction="sum")(mean, log_variance) / 2
    >>> mixed_up = lossref.BinaryCrossEntropy()(logits, pixels) + latent
    >>> round(mixed_up, 4), round(wrong(logits, pixels, mean, log_variance) / 64, 4)
    (8.887, 8.887)
    >>> [f"{latent / total:.0%}" for total in (right(logits, pixels, mean, log_variance), mixed_up)]
    ['14%', '91%']
    """

    reconstruction: Any = field(default=BinaryCrossEntropy(reduction="sum"))
    beta: float = nonnegative(1.0)

    def __post_init__(self) -> None:
        beta = fields(self)[1].metadata["range"].check("ELBO", "beta", self.beta)
        object.__setattr__(self, "beta", beta)
        if any(loss.reduction != "sum" for loss in losses_in("ELBO", "reconstruction", self.reconstruction)):
            raise ValueError(
                f"ELBO: reconstruction must have reduction='sum', got {self.reconstruction!r}: its mean over the "
                "elements, beside a sum over the latent variables, would multiply beta by the number of elements"
            )

    def __call__(self, pred: Any, target: Any, mean: Any, log_variance: Any) -> float:
        """Return the objective, the mean over the samples.

        Parameters
        ----------
        pred, target : array_like
            What the decoder gives, and what the encoder saw, as the reconstruction loss takes them. A row is a sample.
        mean, log_variance : array_like
            What the encoder gives: one row for each sample, one number for each latent variable.

        Returns
        -------
        float
            In nats for each sample, if the reconstruction is a negative log likelihood.
        """
        return self.value_and_grad(pred, target, mean, log_variance)[0]

    def value_and_grad(
        self, pred: Any, target: Any, mean: Any, log_variance: Any
    ) -> tuple[float, tuple[Array, Array, Array]]:
        """Return the objective and its gradients, computed together.

        Parameters
        ----------
        pred, target, mean, log_variance : array_like
            As when the objective is called.

        Returns
        -------
        value : float
            What calling the objective returns.
        grad : tuple of numpy.ndarray
            In the decoder's output, in the means and in the log variances. Through the sample that was decoded, the
            last two also depend on the first: that part is the encoder's affair (the reparametrization trick).
        """
        pred, mean = as_floats("ELBO", "pred", pred), as_floats("ELBO", "mean", mean)
        samples = pred.shape[:1]
        if not samples or mean.shape[:1] != samples:
            raise ValueError(f"ELBO: pred has shape {pred.shape} and mean {mean.shape}; each needs a row for a sample")
        drawn, slope = self.reconstruction.value_and_grad(pred, target)
        said, pulls = GaussianKL(reduction="sum").value_and_grad(mean, log_variance)
        if not samples[0]:
            warn_of_empty_mean("ELBO", weighted=False)
            return np.nan, (slope, *pulls)
        share = 1 / samples[0]
        in_mean, in_log_variance = (pull * (self.beta * share) for pull in pulls)
        return (drawn + self.beta * said) * share, (slope * share, in_mean, in_log_variance)


@dataclass(frozen=True)
class Side:
    """What a player pays for scores: a factor times the mean of a loss against one target, or of the scores."""

    factor: float
    loss: PointwiseLoss | None = None
    target: float = 0.0

    def value_and_grad(self, name: str, scores: Any) -> tuple[float, Array]:
        scores = as_floats("Adversarial", name, scores)
        scores = ready(scores, scores.dtype.newbyteorder("="))
        if not scores.size:
            warn_of_empty_mean("Adversarial", weighted=False)
            return np.nan, np.zeros_like(scores)
        if self.loss is not None:
            value, slope = self.loss.value_and_grad(scores, np.full_like(scores, self.target))
            return self.factor * value, slope * self.factor
        return self.factor * ordered_sum(scores) / scores.size, np.full_like(scores, self.factor / scores.size)


CROSS_ENTROPY = BinaryCrossEntropy()
#: By kind: what the discriminator pays for real samples and for fake ones, and what the generator pays for its fakes.
PLAYERS = {
    "minimax": (Side(1, CROSS_ENTROPY, 1), Side(1, CROSS_ENTROPY, 0), Side(-1, CROSS_ENTROPY, 0)),
    "non-saturating": (Side(1, CROSS_ENTROPY, 1), Side(1, CROSS_ENTROPY, 0), Side(1, CROSS_ENTROPY, 1)),
    "least-squares": (Side(0.5, MSE(), 1), Side(0.5, MSE(), 0), Side(0.5, MSE(), 1)),
    "hinge": (Side(1, Hinge(), 1), Side(1, Hinge(), -1), Side(-1)),
    "wasserstein": (Side(-1), Side(1), Side(-1)),
}


@dataclass(frozen=True, kw_only=True)
class Adversarial:
    r"""The game of two networks: a generator makes samples, a discriminator tells them from real ones.

    The discriminator gives each sample a score :math:`f`, high for what it takes to be real. With the scores of real
    samples :math:`f_r`, those of generated ones :math:`f_g`, and :math:`\sigma` for the sigmoid, the two players
    minimize in turn, each a mean over its batch:

    .. math::

       L_D = \operatorname{mean}(a(f_r)) + \operatorname{mean}(b(f_g)), \qquad L_G = \operatorname{mean}(c(f_g))

    * ``minimax``: :math:`a = -\log \sigma(f)`, :math:`b = -\log(1 - \sigma(f))`, :math:`c = \log(1 - \sigma(f))`;
    * ``non-saturating``: :math:`a` and :math:`b` the same, :math:`c = -\log \sigma(f)`;
    * ``least-squares``: :math:`a = \tfrac12 (f - 1)^2`, :math:`b = \tfrac12 f^2`, :math:`c = \tfrac12 (f - 1)^2`;
    * ``hinge``: :math:`a = \max(0, 1 - f)`, :math:`b = \max(0, 1 + f)`, :math:`c = -f`;
    * ``wasserstein``: :math:`a = -f`, :math:`b = f`, :math:`c = -f`.

    ``minimax`` is the game of the theory, and the one not to train with: a fake that is caught, :math:`\sigma(f_g)`
    near 0, sends back a slope of :math:`-\sigma(f_g)`, so the generator learns least where it is worst. Its
    ``non-saturating`` sister has the same fixed point and a slope of −1 there. ``least-squares`` pulls the harder the
    further a fake is from passing, and pulls back those that pass too well. ``hinge`` and ``wasserstein`` pull on all
    fakes alike.

    Parameters
    ----------
    kind : {"minimax", "non-saturating", "least-squares", "hinge", "wasserstein"}, default "non-saturating"
        The rules.

    Notes
    -----
    Built from :class:`BinaryCrossEntropy` on logits, :class:`MSE` and :class:`Hinge`, with their accuracy: scores are
    never turned into probabilities, and no logarithm is clamped. The slope of the discriminator at the kinks of the
    hinge is 0.

    A ``wasserstein`` score must not rise without end, or the value has no bound: the discriminator (called critic here)
    must be kept from growing steep by a penalty on its gradient, by bounded weights or by spectral normalization.
    That is part of the network, not of this loss.

    References
    ----------
    I. Goodfellow et al., "Generative adversarial nets", *Advances in Neural Information Processing Systems* 27, 2014
    (the first two). X. Mao et al., "Least squares generative adversarial networks", *ICCV* 2017. J. H. Lim and J. C.
    Ye, "Geometric GAN", 2017 (hinge). M. Arjovsky, S. Chintala and L. Bottou, "Wasserstein generative adversarial
    networks", *ICML* 2017.

    Examples
    --------
    A fake with the score −6 is caught with certainty. Which rules tell the generator so?

    >>> import lossref
    >>> for kind in ("minimax", "non-saturating", "least-squares", "hinge", "wasserstein"):
    ...     value, slope = lossref.Adversarial(kind=kind).generator_value_and_grad([-6.0])
    ...     print(f"{kind:15} {value:7.4f} {slope[0]:8.4f}")
    minimax         -0.0025  -0.0025
    non-saturating   6.0025  -0.9975
    least-squares   24.5000  -7.0000
    hinge            6.0000  -1.0000
    wasserstein      6.0000  -1.0000

    Where nobody can tell, all scores are 0, and the discriminator of the first two pays 2 log 2:

    >>> round(lossref.Adversarial(kind="minimax").discriminator([0.0], [0.0, 0.0]), 6)
    1.386294
    """

    kind: str = choice("non-saturating", tuple(PLAYERS))

    def __post_init__(self) -> None:
        fields(self)[0].metadata["range"].check("Adversarial", "kind", self.kind)

    def discriminator(self, real: Any, fake: Any) -> float:
        """Return what the discriminator pays.

        Parameters
        ----------
        real, fake : array_like
            Its scores of real samples and of generated ones, of any shapes.

        Returns
        -------
        float
            The mean over the real samples plus the mean over the fakes.
        """
        return self.discriminator_value_and_grad(real, fake)[0]

    def discriminator_value_and_grad(self, real: Any, fake: Any) -> tuple[float, tuple[Array, Array]]:
        """Return what the discriminator pays, and the gradients in its scores.

        Parameters
        ----------
        real, fake : array_like
            As in :meth:`discriminator`.

        Returns
        -------
        value : float
            What :meth:`discriminator` returns.
        grad : tuple of numpy.ndarray
            In the scores of the real samples, and in those of the fakes.
        """
        for_real, for_fake, _ = PLAYERS[self.kind]
        value, slope = for_real.value_and_grad("real", real)
        other, pull = for_fake.value_and_grad("fake", fake)
        return value + other, (slope, pull)

    def generator(self, fake: Any) -> float:
        """Return what the generator pays.

        Parameters
        ----------
        fake : array_like
            The discriminator's scores of generated samples, of any shape.

        Returns
        -------
        float
            The mean over the fakes.
        """
        return self.generator_value_and_grad(fake)[0]

    def generator_value_and_grad(self, fake: Any) -> tuple[float, Array]:
        """Return what the generator pays, and the gradient in the scores, which goes back through the discriminator.

        Parameters
        ----------
        fake : array_like
            As in :meth:`generator`.

        Returns
        -------
        value : float
            What :meth:`generator` returns.
        grad : numpy.ndarray
            Of the shape of ``fake``.
        """
        return PLAYERS[self.kind][2].value_and_grad("fake", fake)


class FeatureMap(Protocol):
    """What a perceptual loss looks through: features of samples, and the way back for their gradients."""

    def forward(self, x: Array) -> Array:
        """Return the features of samples."""

    def vjp(self, x: Array, cotangent: Array) -> Array:
        """Return the gradient in the samples, given the slope of something in each of their features."""


@dataclass(frozen=True, kw_only=True)
class Perceptual:
    r"""Perceptual loss: two images are as different as what a network sees in them.

    .. math::

       L(x, y) = \ell(\phi(x), \phi(y))

    Pixel by pixel, an image and its copy shifted by one pixel are as different as two images can be, and the mean of
    all sharp images that would do is a blurred one. So both are first sent through a feature map :math:`\phi`, as a
    rule the first layers of a network that was trained to tell objects apart, and the features are compared.

    Parameters
    ----------
    features : object
        The map: an object with the methods ``forward(x)``, which returns the features of samples, and
        ``vjp(x, cotangent)``, which takes a slope in each feature and returns the gradient in ``x``.
    loss : loss, default ``MSE()``
        How features are compared.

    Notes
    -----
    The gradient, in pixels, is :math:`J_\phi(x)^\top` times the slope of :math:`\ell` in the features of :math:`x`; the
    map itself is not trained, and the target's features are constants. What the map cannot see costs nothing: images
    with equal features can look different, so most people add a small share of a pixel loss, or compare the features of
    several layers, each by a loss of its own.

    References
    ----------
    J. Johnson, A. Alahi and L. Fei-Fei, "Perceptual losses for real-time style transfer and super-resolution",
    *European Conference on Computer Vision* 2016.

    Examples
    --------
    A map that sees the mean brightness of an image, and nothing else:

    >>> import numpy as np
    >>> import lossref
    >>> class Brightness:
    ...     def forward(self, x):
    ...         return x.mean(axis=(1, 2))
    ...     def vjp(self, x, cotangent):
    ...         return np.broadcast_to(cotangent[:, None, None] / x[0].size, x.shape)
    >>> image = np.eye(4)[np.newaxis]
    >>> seen = lossref.Perceptual(features=Brightness())
    >>> seen(np.roll(image, 1, axis=2), image), lossref.MSE()(np.roll(image, 1, axis=2), image)
    (0.0, 0.5)
    >>> value, grad = seen.value_and_grad(image + 1, image)
    >>> value, grad.shape, grad[0, 0, 0]
    (1.0, (1, 4, 4), np.float64(0.125))
    """

    features: FeatureMap
    loss: Any = field(default=MSE())

    def __post_init__(self) -> None:
        for name in ("forward", "vjp"):
            if not callable(getattr(self.features, name, None)):
                kind = type(self.features).__name__
                raise TypeError(f"Perceptual: features must have the methods forward and vjp; {kind} has no {name}")
        losses_in("Perceptual", "loss", self.loss)

    def __call__(self, pred: Any, target: Any) -> float:
        """Return how different two batches of samples look.

        Parameters
        ----------
        pred, target : array_like
            The samples, and those that they should resemble; of the same shape.

        Returns
        -------
        float
            The loss of their features.
        """
        pred, target = self._prepared(pred, target)
        value: float = self.loss(self.features.forward(pred), self.features.forward(target))
        return value

    def value_and_grad(self, pred: Any, target: Any) -> tuple[float, Array]:
        """Return the value and its gradient in the samples.

        Parameters
        ----------
        pred, target : array_like
            As when the loss is called.

        Returns
        -------
        value : float
            What calling the loss returns.
        grad : numpy.ndarray
            Of the shape of ``pred``.
        """
        pred, target = self._prepared(pred, target)
        value, slope = self.loss.value_and_grad(self.features.forward(pred), self.features.forward(target))
        grad = self.features.vjp(pred, slope)
        check_shape("Perceptual", "what features.vjp returns", grad, "pred", pred.shape)
        return value, grad

    @staticmethod
    def _prepared(pred: Any, target: Any) -> tuple[Array, Array]:
        """Both as arrays of one shape."""
        pred, target = as_floats("Perceptual", "pred", pred), as_floats("Perceptual", "target", target)
        check_shape("Perceptual", "target", target, "pred", pred.shape)
        return pred, target
