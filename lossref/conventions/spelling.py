"""What a spelling is: one framework's way to write a formula."""

from __future__ import annotations

import dataclasses
from typing import Any

from lossref._formula import Formula

#: The setting that most calls need: what the framework does not reduce by itself, the spelling takes the mean of.
MEAN = (("reduction", "mean"),)


@dataclasses.dataclass(frozen=True)
class Spelling:
    """One framework's way to write a formula.

    ``call`` is a template over the formula's fields. ``needs`` names settings without which the framework has no such
    call, ``differs`` says in a sentence what else a reader must know (empty if nothing), and ``equal`` whether the call
    gives the same numbers.
    """

    framework: str
    call: str
    differs: str = ""
    needs: tuple[tuple[str, Any], ...] = ()
    equal: bool = True

    def fits(self, formula: Formula) -> bool:
        """Can the framework express these settings?"""
        return all(getattr(formula, name) == value for name, value in self.needs)

    def write(self, formula: Formula) -> str:
        """The call with the formula's settings in it."""
        fields = {field.name: getattr(formula, field.name) for field in dataclasses.fields(formula)}
        return self.call.format(**fields)
