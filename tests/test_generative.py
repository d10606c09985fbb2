"""Objectives of models that generate, which are made of other losses: their definitions, and their gradients."""

import dataclasses
import math

import numpy as np
import pytest

import lossref
from lossref.losses.generative import PLAYERS

KINDS = list(PLAYERS)


def along(value, point, ahead, step=1e-5):
    """The slope of a function of an array in one direction, to fourth order."""
    a, b, c, d = (value(point + k * step * ahead) for k in (-2, -1, 1, 2))
    return (a - 8 * b + 8 * c - d) / (12 * step)


# --- The game of two networks ----------------------------------------------------------------------------------------


def log_sigmoid(f):
    return -np.logaddexp(0, -f)


#: What the papers write: the discriminator's cost of real and of fake scores, and the generator's.
WRITTEN = {
    "minimax": (lambda f: -log_sigmoid(f), lambda f: -log_sigmoid(-f), lambda f: log_sigmoid(-f)),
    "non-saturating": (lambda f: -log_sigmoid(f), lambda f: -log_sigmoid(-f), lambda f: -log_sigmoid(f)),
    "least-squares": (lambda f: (f - 1) ** 2 / 2, lambda f: f**2 / 2, lambda f: (f - 1) ** 2 / 2),
    "hinge": (lambda f: np.maximum(0, 1 - f), lambda f: np.maximum(0, 1 + f), lambda f: -f),
    "wasserstein": (lambda f: -f, lambda f: f, lambda f: -f),
}


@pytest.mark.parametrize("kind", KINDS)
def test_both_players_pay_what_the_papers_say_and_their_gradients_are_slopes(kind, backend, rng):
    game, (real_cost, fake_cost, generator_cost) = lossref.Adversarial(kind=kind), WRITTEN[kind]
    real, fake = 2 * rng.standard_normal((7, 1)), 2 * rng.standard_normal(12)
    value, slopes = game.discriminator_value_and_grad(real, fake)
    assert value == game.discriminator(real, fake)
    assert value == pytest.approx(real_cost(real).mean() + fake_cost(fake).mean(), rel=1e-13)
    ways = [(real, lambda f: game.discriminator(f, fake)), (fake, lambda f: game.discriminator(real, f))]
    for (scores, pays), slope in zip(ways, slopes, strict=True):
        ahead = rng.standard_normal(scores.shape)
        assert slope.shape == scores.shape
        assert np.vdot(slope, ahead) == pytest.approx(along(pays, scores, ahead), rel=1e-8)
    value, slope = game.generator_value_and_grad(fake)
    assert value == game.generator(fake) == pytest.approx(generator_cost(fake).mean(), rel=1e-13)
    ahead = rng.standard_normal(12)
    assert np.vdot(slope, ahead) == pytest.approx(along(game.generator, fake, ahead), rel=1e-8)
    for dtype in (np.float32, np.float64):
        for result in game.discriminator_value_and_grad(real.astype(dtype), fake.tolist())[1]:
            assert result.dtype == (dtype if result.shape == real.shape else np.float64)
        assert game.generator_value_and_grad(fake.astype(">f4")[::2])[1].dtype == np.float32


def test_a_caught_fake_teaches_nothing_under_minimax_and_most_under_the_others(backend):
    scores = np.linspace(-40, -6, 200)
    pulls = {kind: -200 * lossref.Adversarial(kind=kind).generator_value_and_grad(scores)[1] for kind in KINDS}
    np.testing.assert_allclose(pulls["minimax"], np.exp(scores) / (1 + np.exp(scores)), rtol=1e-14)
    np.testing.assert_allclose(pulls["non-saturating"], 1 / (1 + np.exp(scores)), rtol=1e-14)
    assert pulls["minimax"].max() < 0.0025
    assert all(pull.min() > 0.997 for kind, pull in pulls.items() if kind != "minimax")


def test_the_games_have_the_fixed_points_of_the_theory(backend, rng):
    """A discriminator that is best against given shares of real and fake: log-odds, their share, the sign."""
    level = np.zeros(3)
    for kind in ("minimax", "non-saturating"):
        assert lossref.Adversarial(kind=kind).discriminator(level, level) == pytest.approx(2 * math.log(2))
        game, best = lossref.Adversarial(kind=kind), math.log(0.8 / 0.2)
        (in_real,), (in_fake,) = game.discriminator_value_and_grad([best], [best])[1]
        assert 0.8 * in_real + 0.2 * in_fake == pytest.approx(0, abs=1e-15)
    (in_real,), (in_fake,) = lossref.Adversarial(kind="least-squares").discriminator_value_and_grad([0.8], [0.8])[1]
    assert 0.8 * in_real + 0.2 * in_fake == pytest.approx(0, abs=1e-15)
    scores = rng.standard_normal(9)
    assert lossref.Adversarial(kind="wasserstein").discriminator(scores, scores) == 0
    assert lossref.Adversarial(kind="hinge").discriminator(scores / 9, scores / 9) == pytest.approx(2)


@pytest.mark.parametrize("kind", KINDS)
def test_nan_and_nothing_reach_what_a_player_pays(kind, backend):
    game = lossref.Adversarial(kind=kind)
    value, (slope, pull) = game.discriminator_value_and_grad([1.0, np.nan, 2.0], [0.5])
    assert math.isnan(value)
    if kind != "wasserstein":  # whose slope is the same whatever the score
        assert np.isnan(slope).tolist() == [False, True, False]
    assert np.isfinite(pull).all()
    with pytest.warns(RuntimeWarning, match="the mean is NaN, for there are zero elements"):
        assert math.isnan(game.generator(np.empty(0)))
    assert game.generator_value_and_grad(np.float64(0.5))[1].shape == ()


def test_unknown_rules_and_scores_of_the_wrong_kind_are_refused_in_words(way_in):
    with pytest.raises(ValueError, match=r"^Adversarial: kind must be 'minimax' or .* or 'wasserstein', got 'gan'$"):
        lossref.Adversarial(kind="gan")
    with pytest.raises(TypeError, match=r"^Adversarial: kind must be .*, got 1 of type int$"):
        lossref.Adversarial(kind=1)
    for kind in KINDS:
        game = lossref.Adversarial(kind=kind)
        assert eval(repr(game), {"Adversarial": lossref.Adversarial}) == game
        with pytest.raises(TypeError, match=r"^Adversarial: fake has dtype <U1"):
            game.generator(["a"])
        with pytest.raises(TypeError, match=r"^Adversarial: real is None"):
            game.discriminator(None, [1.0])


# --- The variational autoencoder -------------------------------------------------------------------------------------


def coded(rng, samples=5):
    """What a decoder and an encoder might give for images of 3 x 4 pixels and two latent variables."""
    return (
        rng.standard_normal((samples, 3, 4)),
        rng.random((samples, 3, 4)),
        rng.standard_normal((samples, 2)),
        rng.standard_normal((samples, 2)),
    )


RECONSTRUCTIONS = [
    lossref.BinaryCrossEntropy(reduction="sum"),
    0.5 * lossref.MSE(reduction="sum") + 0.1 * lossref.MAE(reduction="sum"),
]


@pytest.mark.parametrize("reconstruction", RECONSTRUCTIONS, ids=repr)
def test_the_elbo_is_sums_over_pixels_and_latent_variables_and_a_mean_over_samples(reconstruction, backend, rng):
    for beta in (0.0, 1.0, 4.0):
        elbo = lossref.ELBO(reconstruction=reconstruction, beta=beta)
        arrays = pred, target, mean, log_variance = coded(rng)
        latent = (np.exp(log_variance) - 1 - log_variance + mean**2).sum(axis=1) / 2
        each = [reconstruction(*pair) for pair in zip(pred, target, strict=True)]
        value, slopes = elbo.value_and_grad(*arrays)
        assert value == elbo(*arrays) == pytest.approx(np.mean(each + beta * latent), rel=1e-13)
        for slope, place in zip(slopes, (0, 2, 3), strict=True):
            ahead = rng.standard_normal(slope.shape)

            def moved(array, place=place, arrays=arrays, elbo=elbo):
                return elbo(*arrays[:place], array, *arrays[place + 1 :])

            wanted = along(moved, arrays[place], ahead)
            assert np.vdot(slope, ahead) == pytest.approx(wanted, rel=1e-7, abs=1e-9)
        narrow = [array.astype(np.float32) for array in arrays]
        assert [slope.dtype for slope in elbo.value_and_grad(*narrow)[1]] == 3 * [np.float32]


def test_the_bound_is_met_by_the_true_posterior_and_by_no_other(backend):
    """x = 2 z + noise, all normal: the evidence is known, and the mean over z is a Gauss-Hermite sum without error."""
    x, w = 1.3, 2.0
    nodes, shares = np.polynomial.hermite_e.hermegauss(20)
    shares = shares / shares.sum()
    evidence = 0.5 * (math.log(1 + w * w) + x * x / (1 + w * w))  # less log(2 pi) / 2, which squared error leaves out

    def bound(mean, log_variance):
        drawn = w * (mean + np.exp(log_variance / 2) * nodes)
        elbo = lossref.ELBO(reconstruction=0.5 * lossref.MSE(reduction="sum"))
        costs = [elbo([[one]], [[x]], [[mean]], [[log_variance]]) for one in drawn]
        return float(np.dot(shares, costs))

    mean, log_variance = w * x / (1 + w * w), -math.log(1 + w * w)
    assert bound(mean, log_variance) == pytest.approx(evidence, rel=1e-12)
    for far, wide in ((0.1, 0), (-0.1, 0), (0, 0.2), (0, -0.2)):
        assert bound(mean + far, log_variance + wide) > evidence + 1e-3


def test_a_mean_over_pixels_is_refused_for_it_is_another_beta(way_in, rng):
    pred, target, mean, log_variance = coded(rng)
    mixed_up = lossref.BinaryCrossEntropy()(pred, target) + lossref.GaussianKL(reduction="sum")(mean, log_variance) / 5
    assert mixed_up == pytest.approx(lossref.ELBO(beta=12.0)(pred, target, mean, log_variance) / 12, rel=1e-13)
    with pytest.raises(ValueError, match=r"^ELBO: reconstruction must have reduction='sum', got MSE\(\): its mean"):
        lossref.ELBO(reconstruction=lossref.MSE())
    with pytest.raises(ValueError, match=r"^ELBO: reconstruction must have reduction='sum'"):
        lossref.ELBO(reconstruction=lossref.MSE(reduction="sum") + lossref.MAE())


def test_what_is_no_elbo_is_refused_in_words(way_in, rng):
    for wrong in (None, "mse", lossref.GaussianKL(reduction="sum"), lossref.L2(lam=1.0), lossref.MSE):
        with pytest.raises(TypeError, match=r"^ELBO: reconstruction must be a loss of predictions, got "):
            lossref.ELBO(reconstruction=wrong)
    with pytest.raises(ValueError, match=r"^ELBO: beta must be a number >= 0, got -1$"):
        lossref.ELBO(beta=-1)
    pred, target, mean, log_variance = coded(rng)
    elbo = lossref.ELBO()
    assert type(lossref.ELBO(beta=2).beta) is float
    with pytest.raises(ValueError, match=r"^ELBO: pred has shape \(5, 3, 4\) and mean \(4, 2\); each needs a row"):
        elbo(pred, target, mean[:4], log_variance[:4])
    with pytest.raises(ValueError, match=r"^GaussianKL: log_variance has shape \(5, 1\)"):
        elbo(pred, target, mean, log_variance[:, :1])
    with pytest.warns(RuntimeWarning, match=r"^ELBO: the mean is NaN, for there are zero elements$"):
        assert math.isnan(elbo(pred[:0], target[:0], mean[:0], log_variance[:0]))
    target[2, 1, 1] = np.nan
    assert math.isnan(elbo(pred, target, mean, log_variance))


# --- What a network sees ---------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Layer:
    """Convolution of images by a few random filters, and tanh: the smallest map that has the parts of a network."""

    filters: np.ndarray

    def windows(self, x):
        return np.lib.stride_tricks.sliding_window_view(x, self.filters.shape[1:], axis=(1, 2))

    def forward(self, x):
        return np.tanh(np.einsum("nijab,kab->nkij", self.windows(x), self.filters))

    def vjp(self, x, cotangent):
        pulled = cotangent * (1 - self.forward(x) ** 2)
        grad, (height, width) = np.zeros_like(x), cotangent.shape[2:]
        for a, b in np.ndindex(self.filters.shape[1:]):
            weights = self.filters[:, a, b]
            grad[:, a : a + height, b : b + width] += np.einsum("nkij,k->nij", pulled, weights)
        return grad


def test_the_gradient_of_a_perceptual_loss_is_its_slope_in_pixels(backend, rng):
    layer = Layer(rng.standard_normal((4, 3, 3)))
    pred, target = rng.standard_normal((2, 3, 8, 9))
    for loss in (lossref.MSE(), lossref.Huber(delta=0.3), 0.5 * lossref.MSE() + lossref.MAE(reduction="sum")):
        seen = lossref.Perceptual(features=layer, loss=loss)
        value, grad = seen.value_and_grad(pred, target)
        assert value == seen(pred, target) == loss(layer.forward(pred), layer.forward(target)) > 0
        ahead = rng.standard_normal(pred.shape)
        wanted = along(lambda x, seen=seen: seen(x, target), pred, ahead)
        assert np.vdot(grad, ahead) == pytest.approx(wanted, rel=1e-7)
        value, grad = seen.value_and_grad(target, target)
        assert value == 0
        assert not grad.any()


def test_what_is_no_feature_map_is_refused_in_words(way_in, rng):
    layer = Layer(rng.standard_normal((4, 3, 3)))
    with pytest.raises(TypeError, match=r"^Perceptual: features must have the methods forward and vjp; .* no forward$"):
        lossref.Perceptual(features=np.tanh)
    with pytest.raises(TypeError, match=r"^Perceptual: loss must be a loss of predictions, got "):
        lossref.Perceptual(features=layer, loss=lossref.L1(lam=1.0))
    seen = lossref.Perceptual(features=layer)
    with pytest.raises(ValueError, match=r"^Perceptual: target has shape \(1, 8, 8\) but pred has shape \(2, 8, 8\)$"):
        seen(np.zeros((2, 8, 8)), np.zeros((1, 8, 8)))

    class Forgetful(Layer):
        def vjp(self, x, cotangent):
            return cotangent

    with pytest.raises(ValueError, match=r"^Perceptual: what features.vjp returns has shape \(2, 4, 6, 6\)"):
        lossref.Perceptual(features=Forgetful(layer.filters)).value_and_grad(*np.zeros((2, 2, 8, 8)))
