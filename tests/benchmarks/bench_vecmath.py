"""Nanoseconds an element of the elementary functions, beside NumPy's.

``pytest --benchmark-enable tests/benchmarks/bench_vecmath.py``
"""

import elementary
import numpy as np
import pytest

N = 4096  # in the L1 cache: what is measured is the arithmetic


def numbers(name, dtype):
    x = np.random.default_rng(0).normal(size=N) * 3
    x = {
        "log": np.abs,
        "log1p": np.abs,
        "exp_nonpositive": lambda x: -np.abs(x),
        "log1p_unit": lambda x: np.exp(-np.abs(x)),
    }.get(name, lambda x: x)(x)
    return x.astype(dtype)


def run(benchmark, name, dtype, function):
    x = numbers(name, dtype)
    benchmark.group = f"{name} {dtype.name}"
    assert np.isfinite(function(x)).all()
    benchmark(function, x)
    if benchmark.enabled:
        benchmark.extra_info["ns_per_element"] = benchmark.stats.stats.median / N * 1e9


@pytest.mark.parametrize("name", elementary.ORACLES)
@pytest.mark.parametrize("which", elementary.instruction_sets())
def test_lossref(benchmark, name, dtype, which):
    apply = elementary.functions(which).apply
    run(benchmark, name, dtype, lambda x: apply(name, x))


@pytest.mark.parametrize("name", [name for name in elementary.ORACLES if hasattr(np, name)])
def test_numpy(benchmark, name, dtype):
    run(benchmark, name, dtype, getattr(np, name))
