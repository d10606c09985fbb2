"""Every formula and its equals under pytest-benchmark:
``pytest tests/benchmarks --benchmark-enable --benchmark-group-by=group``.

In a run of the tests nothing is timed; each contender of the smallest cases works once, and must get what lossref gets.
The table of the book, where the contenders take turns, is made by ``table.py``.
"""

import pytest
from benchmarks.contenders import SMALL, THOUSAND, THREADS, cases, check

import lossref


def pytest_generate_tests(metafunc):
    timed = metafunc.config.getoption("benchmark_enable") or not metafunc.config.getoption("benchmark_disable")
    wanted = [case for case in cases() if timed or (case.n <= THOUSAND and (case.n, case.dtype) != (SMALL, "float64"))]
    pairs = [pytest.param(case, name, id=f"{case}-{name}") for case in wanted for name in case.contenders]
    metafunc.parametrize(("case", "contender"), pairs)


@pytest.fixture
def two_threads():
    before = lossref.get_num_threads()
    lossref.set_num_threads(THREADS)
    yield
    lossref.set_num_threads(before)


@pytest.mark.usefixtures("two_threads")
def test_speed(case, contender, benchmark):
    run = case.enter(contender)
    if contender != "np.add":
        check(case, case.enter("lossref")(), run())
    benchmark.group = str(case)
    benchmark(run)
