"""What a stranger gets: an install with a compiler and without, a source archive, a wheel (``pytest -m packaging``)."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import textwrap
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.packaging

ROOT = Path(__file__).parents[1]
SMOKE = """
    import numpy as np, lossref
    x, y = np.random.default_rng(0).standard_normal((2, 50_000))
    value, grad = lossref.Huber().value_and_grad(x, y)
    assert value > 0 and np.isfinite(grad).all()
    assert lossref.MSE()([2.0, 4.0], [1.0, 2.0]) == 2.5
    assert lossref.CategoricalCrossEntropy()([[0.0, 40.0]], [1]) > 0
    w = np.ones(3)
    optimizer = lossref.SGD(lr=0.5)
    optimizer.step(w, w.copy(), optimizer.init(w))
    assert w.tolist() == [0.5, 0.5, 0.5]
    lossref.show_config()
"""


def run(*command, cwd=None, **environment):
    inherited = {name: text for name, text in os.environ.items() if not name.startswith(("LOSSREF_", "PYTHON", "CC"))}
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=inherited | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"} | environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def succeed(*command, **more):
    done = run(*command, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """What git knows of the working tree: no build leftovers."""
    folder = tmp_path_factory.mktemp("source") / "lossref"
    listed = succeed("git", "ls-files", "--cached", "--others", "--exclude-standard", cwd=ROOT).splitlines()
    for name in listed:
        if (ROOT / name).is_file() and not name.startswith(("docs/", "gallery/", "tests/")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
    return folder


@pytest.fixture
def python(tmp_path):
    """An empty virtual environment."""
    venv.create(tmp_path / "venv", with_pip=True)
    return tmp_path / "venv" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


@pytest.fixture(scope="module")
def archives(source, tmp_path_factory):
    """A source archive and a wheel."""
    folder = tmp_path_factory.mktemp("dist")
    tools = folder / "tools"
    venv.create(tools, with_pip=True)
    succeed(tools / "bin" / "python", "-m", "pip", "install", "-q", "build")
    said = succeed(tools / "bin" / "python", "-m", "build", "-o", folder, source)
    (archive,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return archive, wheel, said


def smoke(python, tmp_path):
    return succeed(python, "-W", "error", "-c", textwrap.dedent(SMOKE), cwd=tmp_path)


def shown(config, what):
    (line,) = (line for line in config.splitlines() if line.strip().startswith(what))
    return line.strip().removeprefix(what).strip()


def test_without_a_compiler_numpy_runs_and_the_config_says_why(source, python, tmp_path):
    succeed(python, "-m", "pip", "install", source, CC="/bin/false")
    config = smoke(python, tmp_path)
    assert shown(config, "backend in use") == "numpy"
    assert shown(config, "compiler") == "none"
    assert "no working C compiler" in shown(config, "baseline")
    done = run(python, "-c", "import lossref", cwd=tmp_path, LOSSREF_BACKEND="baseline")
    assert done.returncode == 1
    assert "ImportError: lossref: the backend 'baseline' is not there" in done.stderr
    assert "no working C compiler" in done.stderr


@pytest.mark.parametrize("compiler", ["cc", "clang"])
def test_a_plain_install_compiles_and_prints_no_warning_of_ours(source, python, tmp_path, compiler):
    if shutil.which(compiler) is None:
        pytest.skip(f"no {compiler} here")
    said = succeed(python, "-m", "pip", "install", "-v", source, CC=compiler)
    complaints = [line for line in said.splitlines() if re.search(r"warning", line, re.IGNORECASE)]
    assert not [line for line in complaints if "lossref" in line or ".pyx" in line or ".c:" in line], complaints
    config = smoke(python, tmp_path)
    assert shown(config, "backend in use") in ("avx512", "avx2", "baseline")
    assert shown(config, "numpy") == "here"
    assert compiler == "clang" or shown(config, "OpenMP") == "yes"  # clang's own is not always installed
    flags = shown(config, "flags")
    assert "-ffp-contract=off" in flags
    assert not re.search(r"fast-math|Ofast|march=native", said + flags)


def test_the_archive_builds_and_runs_in_an_empty_environment(archives, python, tmp_path):
    archive, _, _ = archives
    with tarfile.open(archive) as file:
        names = [name.split("/", 1)[1] for name in file.getnames() if "/" in name]
    assert {"setup.py", "pyproject.toml", "LICENSE", "README.md", "lossref/live/live.js"} <= set(names)
    assert any(name.endswith(".pyx") for name in names)
    assert any(name.endswith(".pxd") for name in names)
    assert not [name for name in names if name.endswith((".c", ".so", ".pyd", ".o", "build_info.json"))]
    succeed(python, "-m", "pip", "install", "-q", archive)
    assert shown(smoke(python, tmp_path), "backend in use") != "numpy"


def test_the_wheel_holds_what_runs_and_nothing_else(archives, python, tmp_path):
    _, wheel, _ = archives
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
    assert not [name for name in names if name.endswith((".c", ".cpp", ".pyx", ".pxd", ".o", ".h", ".html", ".pyc"))]
    assert {name.split("/")[0].split("-")[0] for name in names} == {"lossref"}
    assert not [name for name in names if name.startswith(("lossref/tests", "lossref/build"))]
    assert {"lossref/py.typed", "lossref/_kernels/build_info.json"} <= set(names)
    assert {"lossref/live/live.js", "lossref/live/live.css"} <= set(names)
    for kind in ("baseline", "avx2", "avx512") if os.uname().machine == "x86_64" else ("baseline",):
        assert any(re.match(rf"lossref/_kernels/{kind}/regression\..*\.(so|pyd)$", name) for name in names), kind
    succeed(python, "-m", "pip", "install", "-q", wheel)
    assert shown(smoke(python, tmp_path), "backend in use") != "numpy"


def test_an_installed_package_passes_its_own_examples(archives, python, tmp_path):
    _, wheel, _ = archives
    succeed(python, "-m", "pip", "install", "-q", wheel, "sympy")
    code = """
        import doctest, importlib, pkgutil, lossref
        tried = 0
        regularizers = [f"regularizers.{name}" for name in ("separable", "structured", "projections")]
        for name in ("losses.regression", "losses.classification", *regularizers, "_backend"):
            failed, here = doctest.testmod(importlib.import_module(f"lossref.{name}"))
            assert not failed, name
            tried += here
        print(tried, lossref.Huber()._repr_latex_())
    """
    said = succeed(python, "-c", textwrap.dedent(code), cwd=tmp_path)
    assert int(said.split()[0]) > 20
    assert "delta" in said
