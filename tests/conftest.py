"""What every test can ask for: a backend, a dtype, random numbers (``--seed``), kernels that lie (``--sabotage``)."""

import gc
import os

if "PYTEST_XDIST_WORKER" in os.environ:  # whose neighbours want the processor on which waiting threads would spin
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import hypothesis
import numpy as np
import pytest
import sabotage

import lossref
from lossref import _backend

hypothesis.settings.register_profile(
    "lossref",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=60,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture, hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.register_profile("thorough", hypothesis.settings.get_profile("lossref"), max_examples=2000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "lossref"))


def backends() -> list[str]:
    """The backends under test: all that run here, or the one that LOSSREF_BACKEND names."""
    wanted = os.environ.get("LOSSREF_BACKEND", "auto")
    return _backend.available() if wanted == "auto" else [wanted]


def pytest_addoption(parser):
    parser.addoption(
        "--sabotage",
        choices=sorted(sabotage.WAYS),
        help="replace every kernel by one that lies; a law that still passes tests nothing",
    )
    parser.addoption("--seed", type=int, default=0, help="draw other random numbers than usual")
    parser.addoption("--sample", type=int, help="of each test function, run only this many of its settings")


def pytest_configure(config):
    way = config.getoption("--sabotage")
    if way:
        sabotage.commit(way)


def pytest_collection_modifyitems(config, items):
    most = config.getoption("--sample")
    if most:
        by_function = {}
        for item in items:
            by_function.setdefault(item.nodeid.split("[")[0], []).append(item)
        chosen = [some[:: -(-len(some) // most)] for some in by_function.values()]
        items[:] = [item for some in chosen for item in some]


def pytest_collection_finish():
    """Tens of thousands of tests live as long as the run: no collection of garbage needs to look through them again."""
    gc.collect()
    gc.freeze()


def pytest_report_header(config):
    where = os.path.dirname(lossref.__file__)
    lines = [f"lossref: {where}; backends: {', '.join(backends())}; threads: {lossref.get_num_threads()}"]
    if config.getoption("--sabotage"):
        lines.append(f"SABOTAGE: {config.getoption('--sabotage')}")
    return lines


@pytest.fixture(params=backends())
def backend(request):
    """Run the test on each backend in turn; the value is its name."""
    with lossref.use_backend(request.param):
        yield request.param


@pytest.fixture(params=[*backends()[:1], *backends()[1:][-1:]])
def way_in(request):
    """Run the test on each way in: the compiled one, which all instruction sets share, and NumPy."""
    with lossref.use_backend(request.param):
        yield request.param


@pytest.fixture(params=[np.float32, np.float64], ids=["float32", "float64"])
def dtype(request):
    """Run the test in each precision."""
    return np.dtype(request.param)


@pytest.fixture
def rng(request):
    """Random numbers that are the same at every run, and other ones for each test."""
    name = request.node.nodeid.split("[")[0].encode()
    return np.random.default_rng([request.config.getoption("--seed"), *name])


@pytest.fixture
def threads():
    """``lossref.set_num_threads``; the number is put back after the test."""
    before = lossref.get_num_threads()
    yield lossref.set_num_threads
    lossref.set_num_threads(before)
