"""The tools around a step against those of PyTorch and optax."""

import numpy as np
import pytest

import lossref
from lossref.training import (
    Accumulator,
    LossScaler,
    annealed_noise,
    clip_adaptive,
    clip_by_norm,
    clip_by_value,
    clipped_step,
    round_to,
)

SHAPES = [(5, 7), (3, 3, 2, 6), (9,), ()]


@pytest.fixture
def grads(rng):
    return [np.asarray(3 * rng.normal(size=shape), np.float32) for shape in SHAPES]


def with_gradients(torch, grads):
    params = [torch.nn.Parameter(torch.zeros(g.shape)) for g in grads]
    for param, g in zip(params, grads, strict=True):
        param.grad = torch.tensor(g)
    return params


def assert_near(mine, theirs, units=4):
    for a, b in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(a, np.asarray(b), rtol=units * 1.2e-7, atol=0)


@pytest.mark.parametrize("bound", [0.5, 1000.0])
def test_clipping_by_norm_is_that_of_pytorch_but_for_its_epsilon(grads, bound, backend):
    torch = pytest.importorskip("torch")
    params = with_gradients(torch, grads)
    theirs = torch.nn.utils.clip_grad_norm_(params, bound)
    norm = clip_by_norm(grads, bound)
    assert norm == pytest.approx(float(theirs), rel=1e-6)
    epsilon = 1e-6 / norm / 1.2e-7  # they divide by norm + 1e-6
    assert_near(grads, [param.grad for param in params], 4 + epsilon)


def test_clipping_by_value_is_that_of_pytorch_and_optax(grads, backend):
    torch = pytest.importorskip("torch")
    optax = pytest.importorskip("optax")
    grads[0][1, 1], grads[2][3], grads[2][4] = np.nan, np.inf, -np.inf
    params = with_gradients(torch, grads)
    torch.nn.utils.clip_grad_value_(params, 0.5)
    other, _ = optax.clip(0.5).update(grads, None)
    clip_by_value(grads, 0.5)
    for g, param, o in zip(grads, params, other, strict=True):
        np.testing.assert_array_equal(g, param.grad.numpy(), strict=True)
        np.testing.assert_array_equal(g, np.asarray(o), strict=True)


def test_a_norm_that_is_not_finite_is_where_pytorch_spoils_the_rest():
    torch = pytest.importorskip("torch")
    for bad, left in ((np.inf, 0.0), (np.nan, np.nan)):
        g = np.array([bad, 2.0], np.float32)
        (param,) = with_gradients(torch, [g])
        torch.nn.utils.clip_grad_norm_([param], 1.0)
        np.testing.assert_array_equal(param.grad[1].item(), left)
        clip_by_norm(g, 1.0)
        assert g[1] == 2


@pytest.mark.parametrize("bound", [0.5, 1000.0])
def test_clipping_by_norm_is_that_of_optax(grads, bound, backend):
    optax = pytest.importorskip("optax")
    theirs, _ = optax.clip_by_global_norm(bound).update(grads, None)
    clip_by_norm(grads, bound)
    assert_near(grads, theirs)


@pytest.mark.parametrize("ratio", [0.01, 1.0])
def test_adaptive_clipping_is_that_of_optax(grads, ratio, rng):
    optax = pytest.importorskip("optax")
    jax = pytest.importorskip("jax")
    weights = [np.asarray(rng.normal(size=shape), np.float32) for shape in SHAPES]
    weights[0][:, 3] = 0
    rule = optax.adaptive_grad_clip(ratio, eps=1e-3)
    theirs, _ = rule.update(list(map(jax.numpy.asarray, grads)), rule.init(weights), weights)
    clip_adaptive(grads, weights, ratio, eps=1e-3)
    assert_near(grads, theirs, 8)


def test_optax_accumulates_a_mean_of_means(rng):
    """Of parts of one size that is the mean; of others it is not, and the weights of the accumulator make it one."""
    jax = pytest.importorskip("jax")
    optax = pytest.importorskip("optax")
    parts, theta = [rng.normal(size=4).astype(np.float32) for _ in range(3)], np.zeros(4, np.float32)
    rule = optax.MultiSteps(optax.sgd(1.0), every_k_schedule=3)
    state, updates = rule.init(theta), None
    for g in parts:
        updates, state = rule.update(jax.numpy.asarray(g), state, theta)
    equal, ragged = Accumulator(theta), Accumulator(theta)
    for g, size in zip(parts, (64, 64, 8), strict=True):
        equal.add(g)
        ragged.add(g, size)
    np.testing.assert_allclose(equal.mean(), -np.asarray(updates), rtol=1e-6, atol=1e-7)
    assert np.abs(ragged.mean() - equal.mean()).max() > 0.1


def test_noise_anneals_as_in_optax():
    jax = pytest.importorskip("jax")
    optax = pytest.importorskip("optax")
    rule = optax.add_noise(0.3, 0.55, jax.random.key(0))
    zeros = jax.numpy.zeros(20_000)
    state = rule.init(zeros)
    for t in range(3):
        noise, state = rule.update(zeros, state)
        assert float(noise.std()) == pytest.approx(annealed_noise(t, eta=0.3), rel=0.03)


def test_the_defaults_of_the_scaler_are_those_of_pytorch():
    torch = pytest.importorskip("torch")
    peer, scaler = torch.amp.GradScaler("cpu"), LossScaler()
    theirs = peer.get_scale(), peer.get_growth_factor(), peer.get_backoff_factor(), peer.get_growth_interval()
    assert (scaler.initial, scaler.growth, scaler.backoff, scaler.every) == theirs == (65536.0, 2.0, 0.5, 2000)


def test_a_scaled_run_is_that_of_pytorch(rng):
    """Overflows, skipped steps and doublings included; torch's fused step takes scale and overflow inside."""
    torch = pytest.importorskip("torch")
    start = rng.normal(size=6).astype(np.float32)
    param = torch.nn.Parameter(torch.tensor(start))
    theirs = torch.optim.AdamW([param], lr=0.5, weight_decay=0.5)
    peer = torch.amp.GradScaler("cpu", init_scale=2.0**14, growth_interval=3)
    optimizer, scaler = lossref.AdamW(lr=0.5, weight_decay=0.5), LossScaler(initial=2.0**14, every=3)
    state, scale = optimizer.init(start), scaler.init()
    skipped = 0
    for _ in range(50):
        g = round_to((rng.normal(size=6) * scale.value).astype(np.float32), "float16")
        assert peer.get_scale() == scale.value
        peer.scale(torch.zeros(1))  # a scaler that has scaled nothing does not step
        param.grad = torch.tensor(g)
        peer.step(theirs)
        peer.update()
        skipped += not scaler.step(optimizer, start, g, state, scale).taken
        np.testing.assert_allclose(start, param.detach().numpy(), rtol=0, atol=5e-6)
    assert 5 < skipped < 30


def test_unscaling_clipping_and_stepping_is_that_of_pytorch(rng):
    torch = pytest.importorskip("torch")
    start = [rng.normal(size=shape).astype(np.float32) for shape in SHAPES]
    params = [torch.nn.Parameter(torch.tensor(x)) for x in start]
    theirs = torch.optim.AdamW(params, lr=0.1, weight_decay=0.5, fused=True)
    optimizer = lossref.AdamW(lr=0.1, weight_decay=0.5)
    state = optimizer.init(start)
    for _ in range(50):
        grads = [np.asarray(rng.normal(size=x.shape), np.float32) for x in start]
        for param, g in zip(params, grads, strict=True):
            param.grad = torch.tensor(g)
        torch.nn.utils.clip_grad_norm_(params, 1.0)
        theirs.step()
        clipped_step(optimizer, start, [1024 * g for g in grads], state, max_norm=1.0, loss_scale=1024.0)
    for mine, param in zip(start, params, strict=True):
        np.testing.assert_allclose(mine, param.detach().numpy(), rtol=0, atol=2e-5)


@pytest.mark.parametrize(
    ("format", "name"),
    [("bfloat16", "bfloat16"), ("float8_e4m3", "float8_e4m3fn"), ("float8_e5m2", "float8_e5m2")],
)
def test_narrow_formats_are_those_of_ml_dtypes(format, name, dtype, rng):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    x = (np.exp2(rng.uniform(-136, 20, 50_000)) * rng.choice([-1, 1], 50_000)).astype(dtype)
    x[:200] = rng.integers(-1000, 1000, 200)  # among them ties
    x[200:205] = np.nan, np.inf, -np.inf, 0, -0.0
    with np.errstate(all="ignore"):
        # from float64 they round to float32 first, which parts from one rounding next to ties
        wanted = x.astype(np.float32).astype(getattr(ml_dtypes, name)).astype(dtype)
    np.testing.assert_array_equal(round_to(x.astype(np.float32).astype(dtype), format), wanted, strict=True)
