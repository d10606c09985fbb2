"""The machinery of the book, importable without Sphinx, and a browser to look at pages with."""

import html
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "docs" / "_ext"))

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    *("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking"),
    *("disable-component-update", "disable-sync", "disable-web-security", "virtual-time-budget=20000", "dump-dom"),
)


@pytest.fixture(scope="session")
def reported(tmp_path_factory):
    """Open a page from the file system, let its scripts run, and return what they put into ``<pre id="report">``."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip("NO CHROMIUM ON THIS MACHINE: what scripts do in the book's pages is not tested")

    def report(address):
        profile = tmp_path_factory.mktemp("profile")
        command = [browser, *(f"--{flag}" for flag in FLAGS), f"--user-data-dir={profile}", address]
        environment = {**os.environ, "HOME": str(profile)}
        done = subprocess.run(command, capture_output=True, text=True, timeout=180, env=environment)
        told = re.search(r'<pre id="report">(.+?)</pre>', done.stdout, re.DOTALL)
        assert told, f"the page did not report: a script of it fails\n{done.stderr[-2000:]}"
        return json.loads(html.unescape(told[1]))

    return report
