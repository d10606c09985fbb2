"""The optimizers and schedules against those of PyTorch and optax, under settings that amplify every difference."""

import inspect

import numpy as np
import pytest

import lossref
from lossref.conventions import spellings, translate
from lossref.registry import samples

STEPS = 50
SHAPES = [(7,), (3, 4)]


def with_an_equal_in(framework):
    """The optimizers, under the settings of the laws, that a framework has."""
    found = [
        optimizer
        for optimizer in samples("optimizers")
        if any(s.equal and s.framework == framework and s.fits(optimizer) for s in spellings(type(optimizer)))
    ]
    return pytest.mark.parametrize("optimizer", found, ids=repr)


def data(rng, dtype):
    start = [rng.normal(size=shape).astype(dtype) for shape in SHAPES]
    return start, [[rng.normal(size=shape).astype(dtype) for shape in SHAPES] for _ in range(STEPS)]


def ours(optimizer, start, all_grads):
    params = [array.copy() for array in start]
    state = optimizer.init(params)
    for grads in all_grads:
        optimizer.step(params, grads, state)
    return params


def assert_equal_but_for_rounding(params, others, dtype):
    """Fifty steps of rounding apart, no more: the settings make any other difference 100,000 times larger."""
    for mine, other in zip(params, others, strict=True):
        np.testing.assert_allclose(mine, other, rtol=0, atol=40 * np.finfo(dtype).eps * max(1, np.abs(mine).max()))


@pytest.mark.usefixtures("_scalars_in_double")
@pytest.mark.parametrize("way", ["foreach", "fused", "plain"])
@with_an_equal_in("PyTorch")
def test_fifty_steps_are_those_of_pytorch(optimizer, way, dtype, rng):
    torch = pytest.importorskip("torch")
    start, all_grads = data(rng, dtype)
    params = [torch.nn.Parameter(torch.tensor(array)) for array in start]
    theirs = eval(translate(optimizer, "PyTorch"))
    if way not in inspect.signature(type(theirs)).parameters and way != "plain":
        pytest.skip(f"PyTorch has no {way} {type(theirs).__name__}")
    for group in theirs.param_groups:
        group |= {"foreach": way == "foreach", "fused": way == "fused"}
    for grads in all_grads:
        for param, grad in zip(params, grads, strict=True):
            param.grad = torch.tensor(grad)
        theirs.step()
    assert_equal_but_for_rounding(
        ours(optimizer, start, all_grads), [param.detach().numpy() for param in params], dtype
    )


@with_an_equal_in("optax")
def test_fifty_steps_are_those_of_optax(optimizer, rng):
    jax = pytest.importorskip("jax")
    optax = pytest.importorskip("optax")
    jax.config.update("jax_enable_x64", True)  # in single precision it corrects with a 1 - beta**t that is 1e-5 off
    dtype = np.dtype(np.float64)
    start, all_grads = data(rng, dtype)
    rule = eval(translate(optimizer, "optax"), {"optax": optax})
    params = [jax.numpy.asarray(array) for array in start]
    state = rule.init(params)
    for grads in all_grads:
        updates, state = rule.update([jax.numpy.asarray(grad) for grad in grads], state, params)
        params = optax.apply_updates(params, updates)
    assert_equal_but_for_rounding(ours(optimizer, start, all_grads), [np.asarray(array) for array in params], dtype)


def test_centred_rmsprop_is_a_number_where_that_of_pytorch_is_none(rng):
    """It takes the root of a mean square less a squared mean, which in float32 has no right digit here."""
    torch = pytest.importorskip("torch")
    optimizer, theta = lossref.RMSprop(centered=True), np.zeros(100, np.float32)
    state, param = optimizer.init(theta), torch.nn.Parameter(torch.zeros(100))
    theirs = eval(translate(optimizer, "PyTorch"), {"torch": torch, "params": [param]})
    for gradient in (1 + rng.normal(0, 1e-4, (300, 100))).astype(np.float32):
        optimizer.step(theta, gradient, state)
        param.grad = torch.tensor(gradient)
        theirs.step()
    assert np.isfinite(theta).all()
    assert torch.isnan(param).all()


def test_schedules_are_those_of_pytorch(backend):
    torch = pytest.importorskip("torch")
    schedulers = torch.optim.lr_scheduler
    pairs = [
        (lossref.StepDecay(initial=0.1, factor=0.5, every=7), lambda o: schedulers.StepLR(o, 7, 0.5)),
        (lossref.Exponential(initial=0.1, rate=0.9), lambda o: schedulers.ExponentialLR(o, 0.9)),
        (lossref.Cosine(peak=0.1, steps=30, floor=0.01), lambda o: schedulers.CosineAnnealingLR(o, 30, 0.01)),
    ]
    for rate, make in pairs:
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
        scheduler = make(optimizer)
        for t in range(31):
            np.testing.assert_allclose(optimizer.param_groups[0]["lr"], rate(t), rtol=1e-12)
            optimizer.step()
            scheduler.step()


def test_schedules_are_those_of_optax(backend):
    optax = pytest.importorskip("optax")
    pairs = [
        (lossref.Exponential(initial=0.1, rate=0.5, every=7), optax.exponential_decay(0.1, 7, 0.5)),
        (
            lossref.Exponential(initial=0.1, rate=0.5, every=7, staircase=True),
            optax.exponential_decay(0.1, 7, 0.5, staircase=True),
        ),
        (lossref.Cosine(peak=0.1, steps=30), optax.cosine_decay_schedule(0.1, 30)),
        (
            lossref.Cosine(peak=0.1, steps=30, floor=0.01).with_warmup(10),
            optax.warmup_cosine_decay_schedule(0.0, 0.1, 10, 40, 0.01),
        ),
    ]
    for rate, theirs in pairs:
        np.testing.assert_allclose(rate(np.arange(60)), [float(theirs(t)) for t in range(60)], atol=1e-8)


def of_optax(rule, start, all_grads):
    """What optax makes of the parameters, and every stage on the way."""
    jax, optax = pytest.importorskip("jax"), pytest.importorskip("optax")
    jax.config.update("jax_enable_x64", True)
    params = [jax.numpy.asarray(array) for array in start]
    state, stages = rule(optax).init(params), []
    for grads in all_grads:
        updates, state = rule(optax).update([jax.numpy.asarray(grad) for grad in grads], state, params)
        params = optax.apply_updates(params, updates)
        stages.append([np.asarray(array) for array in params])
    return stages


def test_fifty_steps_of_lookahead_are_those_of_optax(rng):
    jax, optax = pytest.importorskip("jax"), pytest.importorskip("optax")
    jax.config.update("jax_enable_x64", True)
    start, all_grads = data(rng, np.dtype(np.float64))
    theirs = optax.lookahead(optax.sgd(0.5, momentum=0.5), sync_period=7, slow_step_size=0.3)
    params = optax.LookaheadParams.init_synced([jax.numpy.asarray(array) for array in start])
    state = theirs.init(params)
    for grads in all_grads:
        updates, state = theirs.update([jax.numpy.asarray(grad) for grad in grads], state, params)
        params = optax.apply_updates(params, updates)
    wrapper = lossref.Lookahead(lossref.SGD(lr=0.5, momentum=0.5), k=7, alpha=0.3)
    assert_equal_but_for_rounding(ours(wrapper, start, all_grads), map(np.asarray, params.fast), np.dtype(np.float64))


def test_fifty_steps_of_sam_are_those_of_optax(rng):
    start, all_grads = data(rng, np.dtype(np.float64))

    def rule(optax):
        climb = optax.chain(optax.contrib.normalize(), optax.sgd(0.7))
        return optax.contrib.sam(optax.sgd(0.5, momentum=0.5), climb, sync_period=2, reset_state=False)

    stages = of_optax(rule, start, all_grads)
    wrapper, params = lossref.SAM(lossref.SGD(lr=0.5, momentum=0.5), rho=0.7), [array.copy() for array in start]
    state = wrapper.init(params)
    for up, down, high, low in zip(all_grads[::2], all_grads[1::2], stages[::2], stages[1::2], strict=True):
        wrapper.ascend(params, up, state)
        assert_equal_but_for_rounding(params, high, np.dtype(np.float64))
        wrapper.step(params, down, state)
        assert_equal_but_for_rounding(params, low, np.dtype(np.float64))


def test_fifty_averages_are_those_of_pytorch_and_optax(rng):
    torch, jax, optax = (pytest.importorskip(name) for name in ("torch", "jax", "optax"))
    jax.config.update("jax_enable_x64", True)
    start, all_grads = data(rng, np.dtype(np.float64))
    means = {
        weights: lossref.EMA(lossref.SGD(lr=0.5), decay=0.9, weights=weights) for weights in ("exponential", "uniform")
    }
    params = {weights: [array.copy() for array in start] for weights in means}
    states = {weights: mean.init(params[weights]) for weights, mean in means.items()}
    rule = optax.ema(0.9, debias=True)
    corrected = rule.init(start)
    model = torch.nn.ParameterList([torch.tensor(array) for array in start])
    uniform = torch.optim.swa_utils.AveragedModel(model)
    for grads in all_grads:
        for weights, mean in means.items():
            mean.step(params[weights], grads, states[weights])
        theirs, corrected = rule.update([jax.numpy.asarray(x) for x in params["exponential"]], corrected)
        for x, theta in zip(model, params["uniform"], strict=True):
            x.data = torch.tensor(theta)
        uniform.update_parameters(model)
    kept = {weights: state.buffers["average"] for weights, state in states.items()}
    assert_equal_but_for_rounding(kept["exponential"], map(np.asarray, theirs), np.dtype(np.float64))
    assert_equal_but_for_rounding(kept["uniform"], [x.detach().numpy() for x in uniform.module], np.dtype(np.float64))


def test_the_evaluation_point_after_fifty_steps_is_that_of_optax(rng):
    jax, optax = pytest.importorskip("jax"), pytest.importorskip("optax")
    jax.config.update("jax_enable_x64", True)
    start, all_grads = data(rng, np.dtype(np.float64))
    optimizer = lossref.ScheduleFreeAdamW(lr=0.5, beta1=0.75, beta2=0.5, weight_decay=0.5)
    rule = eval(translate(optimizer, "optax"), {"optax": optax})
    params, theirs = [array.copy() for array in start], [jax.numpy.asarray(array) for array in start]
    mine, state = optimizer.init(params), rule.init(theirs)
    for grads in all_grads:
        optimizer.step(params, grads, mine)
        updates, state = rule.update([jax.numpy.asarray(grad) for grad in grads], state, theirs)
        theirs = optax.apply_updates(theirs, updates)
    point = map(np.asarray, optax.contrib.schedule_free_eval_params(state, theirs))
    assert_equal_but_for_rounding(optimizer.evaluation_point(params, mine), point, np.dtype(np.float64))
