"""Which kernels run, and who may choose."""

import inspect
import re
from pathlib import Path

import numpy as np
import process
import pytest

import lossref
from lossref import _backend
from lossref.losses.base import PredictionLoss
from lossref.regularizers.base import Penalty
from lossref.schedules.base import Schedule


def test_the_fixture_runs_on_the_backend_it_names(backend):
    assert _backend.active == backend
    assert lossref.MSE()(np.ones(4), np.zeros(4)) == 1


def test_use_backend_nests_and_comes_back(backend):
    for other in _backend.available():
        with lossref.use_backend(other):
            assert _backend.active == other
        assert _backend.active == backend


def test_use_backend_comes_back_after_an_exception(backend):
    for other in _backend.available():
        with pytest.raises(KeyError), lossref.use_backend(other):
            raise KeyError
        assert _backend.active == backend


def test_an_unknown_backend_is_refused_and_changes_nothing(backend):
    with pytest.raises(ValueError, match=r"backend must be auto, .*avx512, got 'sse9'"), lossref.use_backend("sse9"):
        pass
    assert _backend.active == backend


def test_a_backend_that_is_not_there_is_refused_with_the_reason(backend, monkeypatch):
    monkeypatch.setattr(_backend, "processor_sets", lambda: ["baseline"])
    with (
        pytest.raises(ImportError, match=r"'avx512' is not there: .+ There is: .*numpy"),
        lossref.use_backend("avx512"),
    ):
        pass
    assert _backend.active == backend


def test_kernels_that_are_older_than_a_chapter_say_how_to_build_them_again(backend, monkeypatch):
    monkeypatch.setattr(_backend, "CHAPTERS", (*_backend.CHAPTERS, "unwritten"))
    for name in _backend.available()[:-1]:
        with (
            pytest.raises(ImportError, match=rf"kernels of '{name}' .* chapter 'unwritten' .* pip install -e \."),
            lossref.use_backend(name),
        ):
            pass
        assert _backend.active == backend


@pytest.mark.parametrize("name", ["baseline", "avx2", "avx512", "numpy"])
def test_the_environment_chooses_the_backend_or_the_import_fails(name):
    done = process.run("import lossref._backend as b; print(b.active)", LOSSREF_BACKEND=name)
    if name in _backend.available():
        assert done.stdout.strip() == name
    else:
        assert done.returncode == 1
        assert f"ImportError: lossref: the backend {name!r} is not there" in done.stderr


def test_auto_and_no_choice_take_the_best():
    for environment in ({}, {"LOSSREF_BACKEND": "auto"}):
        assert process.output("import lossref._backend as b; print(b.active)", **environment) == _backend.available()[0]


def test_an_unknown_backend_in_the_environment_stops_the_import():
    done = process.run("import lossref", LOSSREF_BACKEND="fast")
    assert done.returncode == 1
    assert "backend must be auto, numpy, baseline, avx2 or avx512, got 'fast'" in done.stderr


def test_a_backend_that_is_not_built_stops_the_import_with_the_reason():
    code = """
        import json, pathlib
        read = pathlib.Path.read_text
        def without(path, *a, **k):
            info = json.loads(read(path, *a, **k))
            info["flags"].pop("avx2", None)
            info["failed"]["avx2"] = "the compiler does not know -mavx2"
            return json.dumps(info)
        pathlib.Path.read_text = without
        import lossref
    """
    done = process.run(code, LOSSREF_BACKEND="avx2")
    assert done.returncode == 1
    assert "ImportError: lossref: the backend 'avx2' is not there: not compiled at installation" in done.stderr
    assert "the compiler does not know -mavx2. There is: " in done.stderr


def test_show_config_tells_what_runs_and_what_does_not(backend, capsys):
    lossref.show_config()
    text = capsys.readouterr().out
    assert text.startswith(f"lossref {lossref.__version__}")
    assert f"backend in use   {backend}" in text
    for name in ("avx512", "avx2", "baseline", "numpy"):
        (line,) = (line for line in text.splitlines() if line.split()[:1] == [name])
        assert ("here" in line) == (name in _backend.available())
    for word in ("compiler", "flags", "OpenMP", "threads"):
        assert word in text


def test_the_build_asks_for_no_dangerous_flag():
    root = Path(lossref.__file__).parents[1]
    if not (root / "setup.py").exists():
        pytest.skip("installed without its sources")
    text = (root / "setup.py").read_text()
    for flag in ("-ffast-math", "-Ofast", "-march=native", "-funsafe", "-fassociative", "fp:fast"):
        assert flag not in text
    for path in (root / "lossref").rglob("*.p[yx][xd]"):
        assert not re.search(r"cython:\s|boundscheck|wraparound|cdivision", path.read_text()), path


@pytest.mark.parametrize("owner", [PredictionLoss, Penalty, Schedule])
def test_a_method_in_c_takes_and_gives_what_its_namesake_in_python_does(owner, backend):
    module = _backend.methods_in_c()
    if module is None:
        pytest.skip("nothing is compiled")
    formula = {PredictionLoss: lossref.Huber(), Penalty: lossref.L1(lam=0.5)}.get(owner, lossref.StepDecay(initial=0.1))
    x, y = np.array([1.0, -3.0]), np.array([0.5, 2.0])
    given = {"pred": x, "target": y, "w": x, "t": 7, "weight": y, "out": None}
    twins = [name for name, twin in vars(getattr(module, owner.__name__)).items() if callable(twin)]
    assert twins
    for name in twins:
        method = getattr(owner, name).__wrapped__
        twin = vars(getattr(module, owner.__name__))[name]
        assert inspect.unwrap(getattr(owner, name)) is method
        bare = [
            [p.replace(annotation=p.empty) for p in inspect.signature(f, follow_wrapped=False).parameters.values()]
            for f in (method, twin)
        ]
        assert bare[0] == bare[1], name
        arguments = {p.name: given[p.name] for p in bare[0] if p.name in given}
        assert repr(twin(formula, **arguments)) == repr(method(formula, **arguments))
