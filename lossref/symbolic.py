"""SymPy, imported at the first formula that is asked for and not before."""

import importlib
from typing import Any


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return getattr(importlib.import_module("sympy"), name)
