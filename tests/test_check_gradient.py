"""A gradient that is right is called right, and each mistake by its name: counted over all losses of the registry."""

import collections
import functools
import math

import numpy as np
import pytest
from cases import CASES, POINTWISE, Case

import lossref
from lossref import check_gradient


def problems(rng, dtype=np.float64, most=24):
    """Losses of the registry where slopes differ, are not zero, and are not in proportion to the prediction's sign."""
    found = 0
    for place in rng.permutation(len(CASES)):
        case = CASES[place]
        loss = case.loss._summed()
        pred, target = case.draw(rng, 5, dtype, scale=1.3)
        slopes = loss.grad(pred, target)
        shares = slopes * np.sign(pred)
        if np.count_nonzero(slopes) == slopes.size and min(np.ptp(slopes), np.ptp(shares)) > 1e-3 and found < most:
            found += 1
            yield loss, pred, target


def confusion(rng, spoil, dtype=np.float64):
    """How often each verdict is passed on gradients that ``spoil`` has been at, with an example of each."""
    counted, told = collections.Counter(), {}
    for loss, pred, target in problems(rng, dtype):
        report = check_gradient(
            functools.partial(loss, target=target), lambda p, y=target, f=loss: spoil(f.grad(p, y), p), pred
        )
        counted[report.verdict] += 1
        told.setdefault(report.verdict, f"{loss!r}: {report!r}")
    assert counted.total() >= 20
    return counted, told


def at_one(change):
    """Change the third element."""
    return lambda g, p: np.where(np.arange(g.size).reshape(g.shape) == 2, change(g), g)


def twice_in(rows):
    return lambda g, p: g * np.where(np.arange(len(g)) < rows, 2, 1).reshape(-1, *[1] * (g.ndim - 1))


MISTAKES = {
    "the wrong sign": ("sign", lambda g, p: -g),
    "forgotten": ("zero", lambda g, p: 0 * g),
    "twice": ("factor", lambda g, p: 2 * g),
    "half": ("factor", lambda g, p: g / 2),
    "a thousandth more": ("factor", lambda g, p: 1.001 * g),
    "another learning rate, uphill": ("factor", lambda g, p: -0.03 * g),
    "a sum for a mean": ("mean or sum", lambda g, p: g.size * g),
    "a mean for a sum": ("mean or sum", lambda g, p: g / g.size),
    "a mean over rows": ("mean or sum", lambda g, p: g / len(g)),
    "one element": ("element", at_one(lambda g: 1.01 * g)),
    "one element left out": ("element", at_one(lambda g: 0 * g)),
    "an L2 penalty too much": ("missing term", lambda g, p: g + 0.01 * p),
    "an L1 penalty too little": ("missing term", lambda g, p: g - 0.1 * np.abs(g).max() * np.sign(p)),
    "an offset": ("missing term", lambda g, p: g + 0.01 * np.abs(g).max()),
    "another function": (
        "another function",
        lambda g, p: np.abs(g).max() * np.cos(17 * p + np.arange(p.size).reshape(p.shape)),
    ),
    "half of the rows twice": ("another function", twice_in(3)),
    "a column": ("shape", lambda g, p: g[..., np.newaxis]),
    "a sum over all": ("shape", lambda g, p: g.sum()),
    "single precision": ("dtype", lambda g, p: g.astype(np.float32)),
    "integers": ("dtype", lambda g, p: g.astype(int)),
    "nan": ("not finite", at_one(lambda g: g * np.nan)),
    "infinity": ("not finite", at_one(lambda g: g + np.inf)),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_called_by_its_name(mistake, rng):
    verdict, spoil = MISTAKES[mistake]
    counted, told = confusion(rng, spoil)
    assert set(counted) == {verdict}, (counted, told)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_no_gradient_of_the_registry_is_called_wrong(case, rng):
    for dtype, allowed in ((np.float64, {"right", "kink"}), (np.float32, {"right", "noise", "kink"})):
        for _ in range(2):
            pred, target = case.draw(rng, 3, dtype)
            f, df = (functools.partial(ask, target=target) for ask in (case.loss, case.loss.grad))
            report = check_gradient(f, df, pred)
            assert report.verdict in allowed, report
            assert bool(report) is (report.verdict != "noise")
            assert report.verdict != "right" or report.error < (1e-6 if dtype == np.float64 else 1e-2)


def test_a_function_that_rounds_is_called_noisy_and_its_gradient_not_wrong(rng):
    """Values that are rounded to float32 beside a large constant: a spacing of 0.001."""
    counted = collections.Counter()
    for loss, pred, target in problems(rng):
        rough = lambda p, f=loss, y=target: np.float32(f(p, y) + 1e4)  # noqa: E731
        report = check_gradient(rough, functools.partial(loss.grad, target=target), pred)
        counted[report.verdict] += 1
        assert report.verdict != "noise" or not report
    assert set(counted) <= {"noise", "right"}, counted
    assert counted["noise"] > 0.8 * counted.total() >= 16


def test_a_mistake_is_seen_through_noise_that_is_smaller(rng):
    counted, told = confusion(rng, lambda g, p: 2 * g, np.float32)
    assert set(counted) == {"factor"}, told


def test_a_transposed_gradient_is_recognized(rng):
    counted = collections.Counter()
    for case in (Case(POINTWISE[place], "numbers") for place in rng.permutation(len(POINTWISE))[:16]):
        for shape in ((3, 3), (2, 4)):
            pred, target = (part.reshape(shape) for part in case.draw(rng, math.prod(shape), np.float64))
            loss = case.loss._summed()
            slopes = loss.grad(pred, target)
            if np.ptp(slopes) > 1e-3 and not np.array_equal(slopes, slopes.T):
                report = check_gradient(lambda p, f=loss, y=target: f(p, y), lambda p, g=slopes: g.T, pred)
                counted[report.verdict] += 1
    assert set(counted) == {"transposed"}
    assert counted.total() >= 20


def test_at_a_kink_every_slope_between_those_of_both_sides_is_right_and_no_other(rng):
    counted = collections.Counter()
    for loss in (
        lossref.MAE(),
        *(lossref.Quantile(q=q) for q in (0.05, 0.5, 0.9)),
        lossref.EpsilonInsensitive(epsilon=0.0),
    ):
        for _ in range(4):
            pred, target = rng.standard_normal((2, 4))
            pred[3] = target[3]
            low, high = (loss.grad(pred + shift, target)[3] for shift in (-1e-9, 1e-9))
            for part, wanted in (
                (rng.uniform(0, 1), "kink"),
                (0, "kink"),
                (1, "kink"),
                (1.2, "element"),
                (-0.2, "element"),
            ):
                slopes = loss.grad(pred, target)
                slopes[3] = low + part * (high - low)
                report = check_gradient(functools.partial(loss, target=target), lambda p, g=slopes: g, pred)
                counted[wanted, report.verdict] += 1
                assert bool(report) is (wanted == "kink")
                assert "x[3]" in report.message
    assert set(counted) == {("kink", "kink"), ("element", "element")}, counted


def test_the_message_has_the_place_and_the_numbers(rng):
    pred, target = rng.standard_normal((2, 4, 3))
    loss = lossref.MSE(reduction="sum")
    f = functools.partial(loss, target=target)

    def said(df):
        return check_gradient(f, df, pred).message

    wrong = loss.grad(pred, target)
    right = wrong[2, 1]
    wrong[2, 1] = 7.5
    assert f"at x[2, 1] the gradient is 7.5 but the slope {right:.6g}" in said(lambda p: wrong)
    assert "1.3 times" in said(lambda p: 1.3 * loss.grad(p, target))
    assert "if there are 32 samples" in said(lambda p: 32 * loss.grad(p, target))
    assert "x has 12 elements: a sum stands where a mean should" in said(lambda p: 12 * loss.grad(p, target))
    assert "x has 4 rows: a mean stands where a sum should" in said(lambda p: loss.grad(p, target) / 4)
    assert "a square's slope has a factor 2" in said(lambda p: p - target)
    assert "0.25 times x" in said(lambda p: loss.grad(p, target) - 0.25 * p)


def test_of_a_large_array_a_part_is_measured(rng):
    pred, target = rng.standard_normal((2, 500))
    loss = lossref.LogCosh(reduction="sum")
    f, df = functools.partial(loss, target=target), functools.partial(loss.grad, target=target)
    report = check_gradient(f, df, pred, most=20, seed=3)
    seen = np.isfinite(report.numeric)
    assert report
    assert np.count_nonzero(seen) == 20
    np.testing.assert_allclose(report.numeric[seen], df(pred)[seen], atol=1e-9)
    assert not np.array_equal(seen, np.isfinite(check_gradient(f, df, pred, most=20, seed=4).numeric))


def test_a_function_with_an_edge_is_looked_at_inside(rng):
    """Beside a probability near 1 there are steps that lead out of the domain."""
    loss = lossref.BinaryCrossEntropy(from_logits=False)
    pred, target = np.array([1e-4, 0.5, 0.9999]), np.array([1.0, 0.0, 1.0])
    assert check_gradient(functools.partial(loss, target=target), functools.partial(loss.grad, target=target), pred)
    assert check_gradient(lambda x: math.log(x[0]), lambda x: 1 / x, np.array([1e-3]))
    alone = lambda x: 1.0 if x[0] == 3 else math.nan  # noqa: E731
    assert check_gradient(alone, lambda x: x, np.array([3.0])).verdict == "not finite"
    assert check_gradient(lambda x: math.inf, lambda x: x, np.array([3.0])).verdict == "not finite"


def test_a_flat_function_has_the_gradient_zero():
    assert check_gradient(lambda x: 5.0, lambda x: 0 * x, [1.0, 2.0])
    assert not check_gradient(lambda x: 5.0, lambda x: x, [1.0, 2.0])


def test_what_cannot_be_checked_is_refused():
    for x in ([], [1.0, np.nan], [np.inf]):
        with pytest.raises(ValueError, match=r"^check_gradient: x must have elements, all of them finite$"):
            check_gradient(np.sum, np.ones_like, x)
    with pytest.raises(TypeError, match=r"^check_gradient: f must return one number, got an array of shape \(2,\)$"):
        check_gradient(np.sin, np.cos, [1.0, 2.0])
    with pytest.raises(TypeError, match=r"^check_gradient: df returned 2 things; it must return the gradient alone$"):
        check_gradient(np.sum, lambda x: (1.0, x), [1.0])
