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
    *("enable-logging=stderr",),
)


@pytest.fixture(scope="session")
def opened(tmp_path_factory):
    """Open a page from the file system, let its scripts run, and return what became of it and what it complained of."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip("NO CHROMIUM ON THIS MACHINE: what scripts do in the book's pages is not tested")

    def open_page(address):
        profile = tmp_path_factory.mktemp("profile")
        command = [browser, *(f"--{flag}" for flag in FLAGS), f"--user-data-dir={profile}", address]
        environment = {**os.environ, "HOME": str(profile)}
        done = subprocess.run(command, capture_output=True, text=True, timeout=180, env=environment)
        return done.stdout, [line for line in done.stderr.splitlines() if ":CONSOLE" in line]

    return open_page


@pytest.fixture(scope="session")
def reported(opened):
    """Open a page and return what its scripts put into ``<pre id="report">``."""

    def report(address):
        dom, complaints = opened(address)
        told = re.search(r'<pre id="report">(.+?)</pre>', dom, re.DOTALL)
        assert told, f"the page did not report: a script of it fails\n{complaints}"
        return json.loads(html.unescape(told[1]))

    return report
