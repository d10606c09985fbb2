"""The few names of other projects that the book links to, so that a link is checked without asking the network."""

from __future__ import annotations

import zlib
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "build" / "inventories"
PAGES = {"numpy": "reference/generated/{}.html#$", "matplotlib": "api/_as_gen/{}.html#$"}


def write(project: str, names: list[str]) -> str:
    """Write an inventory for intersphinx and return its place.

    A name is given as its role and itself, ``"class ndarray"``; without a dot it is of the project's own namespace.
    """
    rows = []
    for entry in sorted(names):
        role, name = entry.split()
        name = name if "." in name else f"{project}.{name}"
        rows.append(f"{name} py:{role} 1 {PAGES[project].format(name)} -\n")
    head = f"# Sphinx inventory version 2\n# Project: {project}\n# Version: \n"
    head += "# The remainder of this file is compressed using zlib.\n"
    FOLDER.mkdir(parents=True, exist_ok=True)
    place = FOLDER / f"{project}.inv"
    place.write_bytes(head.encode() + zlib.compress("".join(rows).encode(), 9))
    return str(place)
