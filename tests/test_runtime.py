"""The process around a call: fork, spawn, Ctrl-C, the GIL, threads, the environment, the cost of the import, leaks."""

import gc
import os
import platform
import sys
import tracemalloc
import warnings

import cases
import numpy as np
import process
import pytest

import lossref
from lossref import _backend

COMPILED = _backend.available()[0] != "numpy"
linux = pytest.mark.skipif(sys.platform != "linux", reason="uses /proc, fork or sched_setaffinity")
compiled = pytest.mark.skipif(not COMPILED, reason="nothing is compiled here")
#: One setting of each kernel of the losses.
FIRST = list({case.loss._kernel + case.targets: case for case in reversed(cases.CASES)}.values())

# --- Fork and spawn -----------------------------------------------------------------------------------------------


@linux
@compiled
def test_a_child_of_fork_finishes_what_its_parent_ran_on_threads():
    code = """
        import os, signal, numpy as np, lossref
        lossref.set_num_threads(2)
        x, y = np.random.default_rng(0).standard_normal((2, 300_000))
        rows, labels = x[:3 * 60_000].reshape(-1, 3), np.zeros(60_000, int)
        def work():
            return (lossref.Huber().value_and_grad(x, y)[0], lossref.L1(lam=1.0)(x),
                    lossref.CategoricalCrossEntropy()(rows, labels))
        wanted = work()
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            assert lossref.get_num_threads() == 1
            os._exit(0 if work() == wanted else 1)
        _, status = os.waitpid(child, 0)
        assert lossref.get_num_threads() == 2
        assert work() == wanted
        print(os.waitstatus_to_exitcode(status))
    """
    assert process.output(code, timeout=40) == "0"


@compiled
@pytest.mark.parametrize("method", ["spawn", pytest.param("fork", marks=linux)])
def test_workers_of_multiprocessing_compute_the_same(method, tmp_path):
    script = tmp_path / "work.py"
    script.write_text(
        "import multiprocessing, warnings, numpy as np, lossref\n"
        "def work(seed):\n"
        "    x, y = np.random.default_rng(seed).standard_normal((2, 100_000))\n"
        "    return lossref.Huber()(x, y)\n"
        "if __name__ == '__main__':\n"
        "    warnings.simplefilter('ignore', DeprecationWarning)\n"
        "    lossref.set_num_threads(2)\n"
        "    wanted = [work(seed) for seed in range(3)]\n"
        f"    with multiprocessing.get_context({method!r}).Pool(2) as pool:\n"
        "        assert pool.map(work, range(3)) == wanted\n"
        "    print('same')\n"
    )
    root = os.path.dirname(os.path.dirname(lossref.__file__))
    done = process.run(f"import runpy; runpy.run_path({str(script)!r}, run_name='__main__')", PYTHONPATH=root)
    if method == "spawn":  # a child of spawn imports the script by its own path
        import subprocess

        environment = os.environ | {"PYTHONPATH": root}
        done = subprocess.run(
            [sys.executable, str(script)], env=environment, capture_output=True, text=True, timeout=60, check=False
        )
    assert done.stdout.strip() == "same", done.stderr


# --- Ctrl-C and the GIL -------------------------------------------------------------------------------------------


@linux
@pytest.mark.parametrize("what", ["pointwise", "rowwise", "penalty"])
@pytest.mark.parametrize("name", [name for name in _backend.available() if name != "numpy"])
def test_ctrl_c_is_answered_in_the_middle_of_large_work(what, name):
    """The work takes far longer than the wait; the interrupt must end it between two chunks."""
    code = f"""
        import os, signal, threading, time, numpy as np, lossref
        lossref.set_num_threads(1)
        n = 60_000_000
        x = np.zeros(n, np.float32)
        rows, labels = x.reshape(-1, 10), np.zeros(n // 10, int)
        work = {{
            "pointwise": lambda: lossref.BinaryCrossEntropy().value_and_grad(x, x, out=x),
            "rowwise": lambda: lossref.CategoricalCrossEntropy()(rows, labels),
            "penalty": lambda: lossref.ElasticNet(l1=1.0, l2=1.0)(x),
        }}[{what!r}]
        sent = []
        def interrupt():
            time.sleep(0.3)
            sent.append(time.perf_counter())
            os.kill(os.getpid(), signal.SIGINT)
        threading.Thread(target=interrupt, daemon=True).start()
        try:
            while True:
                work()
        except KeyboardInterrupt:
            print(time.perf_counter() - sent[0])
    """
    assert float(process.output(code, LOSSREF_BACKEND=name, timeout=90)) < 5


@compiled
@linux
def test_an_interrupted_call_leaves_between_two_chunks():
    """Of a large array some chunks are written and some are not: nobody waited for the end."""
    code = """
        import os, signal, threading, time, numpy as np, lossref
        lossref.set_num_threads(1)
        n = 100_000_000
        zeros = np.broadcast_to(np.float32(0), n)
        x = np.ones(n, np.float32)
        out = np.full(n, 7, np.float32)
        loss = lossref.BinaryCrossEntropy(reduction="sum")
        loss.grad(x[:100_000], x[:100_000])
        threading.Thread(target=lambda: (time.sleep(0.02), os.kill(os.getpid(), signal.SIGINT)), daemon=True).start()
        try:
            loss.grad(x, x, out=out)
            print("missed")
        except KeyboardInterrupt:
            done = int(np.searchsorted(out == 7, True))
            assert not (out[:done] == 7).any() and (out[done:] == 7).all()
            print("left", done % (4096 * 1024), done < n)
    """
    said = process.output(code, timeout=90)
    assert said in ("left 0 True", "missed")


@compiled
def test_another_thread_runs_while_large_work_is_done():
    code = """
        import threading, time, numpy as np, lossref
        lossref.set_num_threads(1)
        x = np.zeros(30_000_000, np.float32)
        loss = lossref.BinaryCrossEntropy()
        ticks, going = [], True
        def tick():
            while going:
                ticks.append(time.perf_counter())
                time.sleep(0.0005)
        thread = threading.Thread(target=tick)
        thread.start()
        start = time.perf_counter()
        loss.grad(x, x, out=x)
        end = time.perf_counter()
        going = False
        thread.join()
        print(sum(start < t < end for t in ticks))
    """
    assert int(process.output(code, timeout=60)) >= 5


@compiled
def test_threads_of_python_may_share_losses(rng):
    import concurrent.futures

    loss = lossref.Huber()
    pairs = [rng.standard_normal((2, 50_000)) for _ in range(8)]
    wanted = [loss.value_and_grad(*pair) for pair in pairs]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            for (value, grad), (one, other) in zip(
                pool.map(lambda p: loss.value_and_grad(*p), pairs), wanted, strict=True
            ):
                assert value == one
                np.testing.assert_array_equal(grad, other)


# --- Threads and the environment ----------------------------------------------------------------------------------

THREADS = "import lossref; print(lossref.get_num_threads())"


@pytest.mark.parametrize(
    ("environment", "number"),
    [
        ({"LOSSREF_NUM_THREADS": "3"}, 3),
        ({"OMP_NUM_THREADS": "5"}, 5),
        ({"OMP_NUM_THREADS": "4,2"}, 4),
        ({"LOSSREF_NUM_THREADS": "2", "OMP_NUM_THREADS": "7"}, 2),
        ({"LOSSREF_NUM_THREADS": " 6 "}, 6),
    ],
)
def test_the_environment_sets_the_number_of_threads(environment, number):
    assert process.output(THREADS, **environment) == str(number)


@pytest.mark.parametrize("text", ["0", "-1", "many", "1.5"])
def test_a_number_of_threads_that_is_none_is_ignored_with_a_warning(text):
    done = process.run(THREADS, LOSSREF_NUM_THREADS=text)
    assert int(done.stdout) == len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert "LOSSREF_NUM_THREADS" in done.stderr
    assert repr(text) in done.stderr


@linux
def test_the_processors_a_process_may_use_set_the_number_of_threads():
    assert process.output(THREADS) == str(len(os.sched_getaffinity(0)))
    assert process.output(f"import os; os.sched_setaffinity(0, {{{min(os.sched_getaffinity(0))}}}); {THREADS}") == "1"


@linux
@compiled
def test_as_many_threads_run_as_are_set():
    if not _backend.build_info()["openmp"]:
        pytest.skip("built without OpenMP")
    code = """
        import os, numpy as np, lossref
        x = np.zeros(100_000)
        before = len(os.listdir("/proc/self/task"))
        counts = []
        for n in (1, 2, 3):
            lossref.set_num_threads(n)
            lossref.MSE()(x, x)
            counts.append(len(os.listdir("/proc/self/task")) - before)
        print(counts)
    """
    assert process.output(code) == "[0, 1, 2]"


# --- The import ---------------------------------------------------------------------------------------------------


def test_the_import_costs_at_most_fifty_milliseconds_more_than_numpy():
    """Without what NumPy takes; the least of many, for whatever else the machine does only adds to it."""

    def cost():
        done = process.run("import numpy, lossref", arguments=["-X", "importtime"])
        lines = [line.split("|") for line in done.stderr.splitlines() if line.startswith("import time:")]
        return {name.strip(): int(total) for _, total, name in lines if total.strip().isdecimal()}["lossref"] / 1000

    assert min(cost() for _ in range(12)) < 50


def test_the_import_brings_nothing_heavier_than_numpy():
    heavy = "{'sympy', 'scipy', 'matplotlib', 'sklearn', 'torch', 'jax', 'pandas', 'setuptools', 'Cython', 'mpmath'}"
    code = f"""
        import sys, numpy as np, lossref
        loss = lossref.Huber(delta=2.0)
        repr(loss), hash(loss), loss([1.0], [2.0]), lossref.L1(lam=1.0).prox([1.0], 0.1)
        print(sorted({heavy} & set(sys.modules)))
    """
    assert process.output(code) == "[]"


def test_the_public_names_are_there_and_documented():
    for name in lossref.__all__:
        assert getattr(lossref, name).__doc__, name
    assert len(set(lossref.__all__)) == len(lossref.__all__)


# --- Leaks --------------------------------------------------------------------------------------------------------


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


@linux
@pytest.mark.parametrize("case", FIRST, ids=str)
def test_calls_leave_nothing_behind(case, way_in, rng):
    """Hundreds of good calls and of failing ones: a leak would be hundreds of objects, or megabytes."""
    pred, target = case.draw(rng, 100 if case.rowwise else 1000, np.float64)
    big = case.draw(rng, 20_000, np.float64)
    out = np.empty_like(pred)
    weight = np.ones(len(pred))
    wrong = np.zeros(3)

    def good():
        case.loss.value_and_grad(pred, target)
        case.loss.grad(pred, target, out=out)

    def less_good():
        case.loss.values(pred[::2], target[::2], weight=weight[::2])

    def bad():
        for arguments, more in (
            ((pred, wrong[:, None, None]), {}),
            ((pred, target), {"out": wrong}),
            ((None, target), {}),
        ):
            try:
                case.loss.grad(*arguments, **more)
            except (TypeError, ValueError):
                continue
            raise AssertionError

    case.loss.grad(*big)
    gc.collect()
    gc.freeze()  # what other tests have left behind need not be looked through at every failing call
    times = 400
    for work in (good, less_good, bad):
        for _ in range(20):
            work()
        counts = [sys.getrefcount(thing) for thing in (pred, target, out, weight, case.loss, np.float64)]
        blocks, size = sys.getallocatedblocks(), resident()
        for _ in range(times):
            work()
        assert sys.getallocatedblocks() - blocks < times / 2
        assert resident() - size < 2e6
        assert [sys.getrefcount(thing) for thing in (pred, target, out, weight, case.loss, np.float64)] == counts


@compiled
@pytest.mark.parametrize("case", [case for case in FIRST if not case.rowwise], ids=str)
def test_a_call_into_out_takes_no_memory_that_grows_with_the_arrays(case, rng):
    pred, target = case.draw(rng, 200_000, np.float64)
    out = np.empty_like(pred)
    case.loss.value_and_grad(pred, target, out=out)
    tracemalloc.start()
    case.loss.value_and_grad(pred, target, out=out)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 20_000


# --- The floating-point environment -------------------------------------------------------------------------------


@pytest.mark.parametrize("case", cases.CASES, ids=str)
def test_calls_are_the_same_whatever_numpy_does_about_errors(case, dtype, backend):
    """Overflow, underflow, 0/0: a kernel neither raises nor warns, and leaves no flag behind that NumPy would find."""
    odds, mass = cases.takes_probabilities(case.loss)
    ends = [0.0, 1.0, np.nan, 1e-300] if odds else [0.0, np.inf, -np.inf, np.nan, np.finfo(dtype).max, 1e-40, -1e4]
    with np.errstate(all="ignore"):
        pred = np.array(ends, dtype)
        if case.rowwise:
            pred = np.array([[a, b, 0.5] for a in pred for b in pred], dtype)
        if case.targets == "labels":
            target = np.arange(len(pred)) % 3
        elif case.rowwise:
            target = np.tile(np.array([1, 0, 0], dtype), (len(pred), 1))
        else:
            target = np.ones_like(pred) if mass or case.loss.signs else pred[::-1].copy()
    results = []
    for state in ("ignore", "raise"):
        with np.errstate(all=state), warnings.catch_warnings():
            warnings.simplefilter("error")
            for method in ("values", "grad", "curvature", "value_and_grad"):
                result = getattr(case.with_reduction("sum"), method)(pred, target)
                results += result if isinstance(result, tuple) else [result]
            half = np.ones(4, dtype) / dtype.type(2)  # would raise now, were a flag left over
            assert half[0] == 0.5
    for one, other in zip(results[: len(results) // 2], results[len(results) // 2 :], strict=True):
        np.testing.assert_array_equal(one, other)
    if COMPILED:
        assert any(np.isnan(result).any() for result in results)


@pytest.mark.parametrize("penalty", cases.PENALTIES, ids=repr)
def test_penalties_are_the_same_whatever_numpy_does_about_errors(penalty, dtype, backend):
    w = np.array([np.inf, -np.inf, np.nan, np.finfo(dtype).max, np.finfo(dtype).tiny, 0.0], dtype)
    with np.errstate(all="raise"):
        results = [penalty(w), *penalty.value_and_grad(w), penalty.prox(w, 0.3)]
    with np.errstate(all="ignore"):
        again = [penalty(w), *penalty.value_and_grad(w), penalty.prox(w, 0.3)]
    for one, other in zip(results, again, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="reads the x86 control word")
def test_importing_and_computing_leave_subnormals_alone():
    code = """
        import numpy as np, lossref
        assert 5e-324 / 1 > 0 and 5e-324 != 0
        lossref.set_num_threads(2)
        x = np.full(100_000, 5e-324)
        assert lossref.MAE(reduction="sum").values(x, np.zeros_like(x)).all()
        assert lossref.L2(lam=1.0).prox(x, 0.1).all()
        assert lossref.BinaryCrossEntropy(reduction="sum").grad(np.full(4, -744.0), np.zeros(4)).all()
        tiny = np.full(100_000, 1e-45, np.float32)
        assert lossref.MAE(reduction="sum").grad(tiny, 0 * tiny).all()
        assert float("5e-324") * 1.0 > 0 and np.float32(1e-45) * np.float32(1) > 0
        print(5e-324)
    """
    assert process.output(code) == "5e-324"
