"""Fresh interpreters, for what a test cannot do to its own."""

import os
import subprocess
import sys
import textwrap


def run(code, *, timeout=60, arguments=(), **environment):
    """Run Python code in a new interpreter, none of lossref's settings inherited, and return what became of it."""
    inherited = {name: text for name, text in os.environ.items() if not name.startswith(("LOSSREF_", "OMP_", "PYTEST"))}
    return subprocess.run(
        [sys.executable, *arguments, "-c", textwrap.dedent(code)],
        env=inherited | environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def output(code, **more):
    """What the code prints; it must end well and say nothing else."""
    done = run(code, **more)
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr
    return done.stdout.strip()
