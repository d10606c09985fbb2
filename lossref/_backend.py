"""Which kernels run: AVX-512, AVX2, the baseline, or NumPy."""

from __future__ import annotations

import contextlib
import functools
import importlib
import json
import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar, cast

from lossref import _fallback

Method = TypeVar("Method", bound=Callable[..., Any])

KERNELS = Path(__file__).parent / "_kernels"
COMPILED = ("avx512", "avx2", "baseline")
#: The chapters of _kernels that hold formulas.
CHAPTERS = (
    "regression",
    "robust",
    "counts",
    "classification",
    "imbalance",
    "overlap",
    "margin",
    "paired",
    "divergence",
    "ranking",
    "metric",
    "mining",
    "regularizers",
    "structured",
    "descent",
    "adaptive",
    "adam",
    "variants",
    "divisors",
    "signs",
    "averages",
    "gradients",
    "decay",
    "landscapes",
)

#: The kernels in use, by name. Everything that computes looks here, at every call.
kernels: dict[str, Any] = {}
#: The name of the backend in use.
active = ""


def build_info() -> dict[str, Any]:
    """What the build wrote down; empty where nothing was ever built."""
    try:
        info: dict[str, Any] = json.loads((KERNELS / "build_info.json").read_text())
    except FileNotFoundError:
        return {}
    return info


def processor_sets() -> list[str]:
    """The instruction sets that this machine runs, best first; none if nothing was built to ask for them."""
    try:
        from lossref._kernels import cpu
    except ImportError:
        return []
    supported: list[str] = cpu.supported()
    return supported


def why_not(name: str) -> str | None:
    """Why a backend cannot be used here; None if it can."""
    if name == "numpy":
        return None
    info = build_info()
    if not info:
        return "its kernels were never built (pip install builds them)"
    if "all" in info["failed"]:
        return f"not compiled at installation: {info['failed']['all']}"
    if name in info["failed"]:
        return f"not compiled at installation: {info['failed'][name]}"
    if name not in info["flags"]:
        return "not compiled at installation, which was for a processor of another family"
    needed = (f"lossref._kernels.{name}.", "lossref._kernels.entry", "lossref._kernels.cpu")
    broken = [module for module in info["failed"] if module.startswith(needed)]
    if broken:
        return f"not compiled whole at installation: {', '.join(broken)} failed"
    if name not in processor_sets():
        return "this processor, or its operating system, does not run these instructions"
    return None


def load(name: str) -> dict[str, Any]:
    """The kernels of a backend, or ``ImportError`` with the reason."""
    reason = why_not(name)
    if reason is not None:
        raise ImportError(f"lossref: the backend {name!r} is not there: {reason}. There is: {', '.join(available())}.")
    if name == "numpy":
        return _fallback.kernels
    loaded = dict(_fallback.CUSTOM)
    for chapter in CHAPTERS:
        try:
            loaded.update(importlib.import_module(f"lossref._kernels.{name}.{chapter}").kernels)
        except ModuleNotFoundError as error:
            raise ImportError(
                f"lossref: the kernels of {name!r} were built before the chapter {chapter!r} was written. "
                f"Build them again: pip install -e . or python setup.py build_ext --inplace"
            ) from error
    return loaded


def available() -> list[str]:
    """The backends that can run here, best first."""
    return [name for name in (*COMPILED, "numpy") if why_not(name) is None]


def choose(name: str) -> None:
    """Run on the named backend from now on; ``auto`` takes the best there is."""
    global active, kernels
    if name not in {"auto", "numpy", *COMPILED}:
        raise ValueError(f"lossref: backend must be auto, numpy, baseline, avx2 or avx512, got {name!r}")
    if name == "auto":
        name = available()[0]
    kernels = load(name)
    active = name
    if entry_methods := methods_in_c():
        entry_methods.use(kernels)


def methods_in_c() -> Any:
    """The module of the methods that enter a kernel without a frame of Python; None if it was never built."""
    try:
        return importlib.import_module("lossref._kernels.entry_methods")
    except ImportError:
        return None


def in_c(method: Method) -> Method:
    """Put the namesake in ``_kernels/entry_methods.pyx``, where there is one, in the place of a method."""
    module = methods_in_c()
    if module is None:
        return method
    owner, name = method.__qualname__.split(".")
    return cast(Method, functools.update_wrapper(vars(getattr(module, owner))[name], method))


@contextlib.contextmanager
def use_backend(name: str) -> Iterator[None]:
    """Run on another backend inside a ``with`` block.

    The choice holds for the whole process, not for one thread.

    Parameters
    ----------
    name : {"auto", "numpy", "baseline", "avx2", "avx512"}
        What is to compute. ``"auto"`` is the best that was built and that the processor runs.

    Raises
    ------
    ImportError
        If that backend is not there; the message says why. It never falls back in silence.

    Examples
    --------
    >>> import lossref
    >>> with lossref.use_backend("numpy"):
    ...     lossref.MSE()([1.0, 2.0], [0.0, 0.0])
    2.5
    """
    before = active
    choose(name)
    try:
        yield
    finally:
        choose(before)


def available_processors() -> int:
    """How many processors this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def wanted_threads() -> int:
    """What ``LOSSREF_NUM_THREADS``, or else ``OMP_NUM_THREADS``, or else the processors say."""
    for variable in ("LOSSREF_NUM_THREADS", "OMP_NUM_THREADS"):
        text = os.environ.get(variable, "").split(",")[0].strip()
        if text.isdecimal() and int(text) > 0:
            return int(text)
        if text:
            warnings.warn(f"lossref: {variable}={text!r} is not a number of threads >= 1; it is ignored", stacklevel=2)
    return available_processors()


_threads = 1


def set_num_threads(n: int) -> None:
    """Let large work run on ``n`` threads.

    The number never changes a bit of any result. Without OpenMP there is one thread, whatever is set.

    Parameters
    ----------
    n : int
        At least 1.

    Examples
    --------
    >>> import lossref
    >>> before = lossref.get_num_threads()
    >>> lossref.set_num_threads(1)
    >>> lossref.get_num_threads()
    1
    >>> lossref.set_num_threads(before)
    """
    global _threads
    if isinstance(n, bool) or not isinstance(n, int):
        raise TypeError(f"set_num_threads: n must be an integer, got {n!r} of type {type(n).__name__}")
    if n < 1:
        raise ValueError(f"set_num_threads: n must be at least 1, got {n}")
    _threads = n
    if processor_sets():
        from lossref._kernels import entry

        entry.set_threads(n)


def get_num_threads() -> int:
    """How many threads large work may run on.

    It starts as ``LOSSREF_NUM_THREADS``, or else ``OMP_NUM_THREADS``, or else the number of processors this process
    may use.

    Returns
    -------
    int
        The number, at least 1.
    """
    return _threads


def show_config() -> None:
    """Print what was built, what runs, and why.

    Examples
    --------
    >>> import lossref
    >>> lossref.show_config()  # doctest: +ELLIPSIS
    lossref ...
    """
    from lossref import __version__

    info = build_info()
    print(f"lossref {__version__}")
    print(f"  backend in use   {active}")
    for name in (*COMPILED, "numpy"):
        print(f"  {name:<16} {why_not(name) or 'here'}")
    print(f"  compiler         {info.get('compiler') or 'none'}")
    print(f"  flags            {' '.join(info.get('flags', {}).get('baseline', [])) or 'none'}")
    print(f"  OpenMP           {'yes' if info.get('openmp') else 'no'}")
    print(f"  threads          {_threads}")


def start() -> None:
    """Choose the backend and the threads when lossref is imported."""
    choose(os.environ.get("LOSSREF_BACKEND", "auto"))
    set_num_threads(wanted_threads())
    if hasattr(os, "register_at_fork"):
        # A child of fork has none of the OpenMP threads its parent started, and would wait for them for ever.
        os.register_at_fork(after_in_child=lambda: set_num_threads(1))
