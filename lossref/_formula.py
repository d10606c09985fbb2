"""What a formula is: a frozen dataclass that can be read as mathematics, as NumPy and as a kernel."""

from __future__ import annotations

import dataclasses
import inspect
import re
from typing import TYPE_CHECKING, Any, ClassVar

from lossref import symbolic as sp
from lossref._parameters import Range
from lossref.notation import SYMBOLS


@dataclasses.dataclass(frozen=True, kw_only=True)
class Formula:
    """The base of every loss, penalty, optimizer and schedule.

    A subclass is a frozen dataclass whose fields are the hyper-parameters, each with its range, and which offers the
    three readings: ``formula`` (a static method: symbols in, a SymPy expression out), ``reference`` (NumPy), and a
    compiled kernel of the same name."""

    #: Settings, beside the defaults, under which the laws are tested.
    samples: ClassVar[tuple[dict[str, Any], ...]] = ({},)
    #: The name of the kernel and of the page, made from the class's unless stated (no two formulas share one), and what
    #: is added to it for the kernels of the formula's other forms.
    name: ClassVar[str]
    forms: ClassVar[tuple[str, ...]] = ("",)
    #: Is it + − × ÷ √ alone? Then it has the same bits on every instruction set, and in NumPy.
    exact: ClassVar[bool] = False

    if TYPE_CHECKING:  # made in __post_init__; declared here they would be fields
        _kernel: ClassVar[str]
        _parameters: ClassVar[tuple[float, ...]]

    def __init_subclass__(cls) -> None:
        if "name" not in vars(cls):
            cls.name = re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])", "_", cls.__name__).lower()
        cls.__repr__ = Formula.__repr__  # type: ignore[method-assign]  # set here, it is what the dataclass decorator leaves alone

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            accepted = self.range_of(field).check(type(self).__name__, field.name, getattr(self, field.name))
            object.__setattr__(self, field.name, accepted)
        object.__setattr__(self, "_kernel", self._choose_kernel())
        object.__setattr__(self, "_parameters", self._kernel_parameters())

    @staticmethod
    def range_of(field: dataclasses.Field[Any]) -> Range:
        """The range of a hyper-parameter."""
        accepted: Range = field.metadata["range"]
        return accepted

    @classmethod
    def hyperparameters(cls) -> list[dataclasses.Field[Any]]:
        """The fields in the order of their teaching: the formula's own, then the reduction, which every loss has."""
        return sorted(dataclasses.fields(cls), key=lambda field: field.name == "reduction")

    def _choose_kernel(self) -> str:
        """The kernel's name; a formula with several forms overrides this."""
        return self.name

    def _kernel_parameters(self) -> tuple[float, ...]:
        """The numbers that the kernel reads: those of the fields, unless a formula overrides this."""
        fields = dataclasses.fields(self)
        return tuple(float(getattr(self, field.name)) for field in fields if self.range_of(field).number)

    def __repr__(self) -> str:
        settings = {field.name: getattr(self, field.name) for field in self.hyperparameters()}
        if settings.get("reduction") == "mean":
            del settings["reduction"]
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in settings.items())})"

    def arguments(self) -> dict[str, Any]:
        """What ``formula`` is called with: a symbol for each number, the setting itself for a choice and for None."""
        settings = {field.name: field for field in dataclasses.fields(self)}
        arguments = {}
        for name in inspect.signature(type(self).formula).parameters:
            if name in settings and (not self.range_of(settings[name]).number or getattr(self, name) is None):
                arguments[name] = getattr(self, name)
            else:
                arguments[name] = sp.Symbol(name, real=True, **self._assumptions(settings.get(name)))
        return arguments

    def _assumptions(self, field: dataclasses.Field[Any] | None) -> dict[str, bool]:
        if field is None:
            return {}
        text = self.range_of(field).text
        return (
            {"positive": True}
            if "> 0" in text or "(0" in text
            else {"nonnegative": True}
            if ">= 0" in text or "[0" in text
            else {}
        )

    def expression(self) -> Any:
        """The formula as a SymPy expression in the symbols of :meth:`arguments`."""
        return type(self).formula(**self.arguments())

    @property
    def letters(self) -> dict[str, str]:
        """Letters of this formula that are not those of the book's notation."""
        return {}

    @staticmethod
    def formula(*args: Any) -> Any:
        """The mathematics: symbols in, a SymPy expression out."""
        raise NotImplementedError

    def latex(self, expression: Any = None) -> str:
        """The formula, or an expression in its symbols, as LaTeX in the notation of the book."""
        letters = SYMBOLS | self.letters
        names = {}
        for name, argument in self.arguments().items():
            if isinstance(argument, sp.Symbol):
                names[argument] = letters[name]
            elif isinstance(argument, tuple) and name not in self.__dict__:
                names |= {symbol: f"{letters[name]}_{place}" for place, symbol in enumerate(argument, 1)}
        text: str = sp.latex(self.expression() if expression is None else expression, symbol_names=names)
        return text

    def _repr_latex_(self) -> str | None:
        try:
            return f"$\\displaystyle {self.latex()}$"
        except ImportError:  # a notebook without SymPy shows the plain repr
            return None
