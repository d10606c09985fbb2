"""Every formula there is. Tests, benchmarks, pages and live figures are made by walking this list, never a copy of
it.
"""

from __future__ import annotations

import importlib

from lossref._formula import Formula

#: The chapters of the package, in the order of the book.
CHAPTERS = ("losses", "regularizers", "optimizers", "schedules")


def formulas(chapter: str | None = None) -> list[type[Formula]]:
    """The formulas of one chapter, or of all, in the order of their teaching.

    Examples
    --------
    >>> from lossref.registry import formulas
    >>> [formula.__name__ for formula in formulas("losses")][:3]
    ['MSE', 'MAE', 'Huber']
    """
    found = []
    for name in CHAPTERS if chapter is None else (chapter,):
        module = importlib.import_module(f"lossref.{name}")
        members = (getattr(module, member) for member in module.__all__)
        found += [member for member in members if isinstance(member, type) and issubclass(member, Formula)]
    return found


def path(formula: type[Formula]) -> str:
    """What one writes after ``lossref.`` to get a formula: its name, or where an earlier name was the same, its chapter
    and its name.

    Examples
    --------
    >>> import lossref
    >>> lossref.registry.path(lossref.schedules.Exponential)
    'Exponential'
    """
    import lossref

    name = formula.__name__
    if getattr(lossref, name, None) is formula:
        return name
    return ".".join([*formula.__module__.split(".")[1:2], name])


def samples(chapter: str | None = None) -> list[Formula]:
    """An instance of each formula for every setting that the laws are tested under."""
    return [formula(**settings) for formula in formulas(chapter) for settings in formula.samples]
