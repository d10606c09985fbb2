"""What an optimizer is: a rule that moves the parameters by the gradient and by what it remembers."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lossref import _backend, _fallback
from lossref._arrays import Array
from lossref._formula import Formula
from lossref._parameters import rate
from lossref._tensors import State, check_apart, check_params, shaped_like
from lossref.notation import SYMBOLS
from lossref.optimizers.groups import Grouped

if TYPE_CHECKING:
    from lossref.schedules.base import Schedule

__all__ = ["Optimizer", "State"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Optimizer(Formula):
    """An optimizer: ``init`` makes its state for some parameters, ``step`` moves them.

    A subclass gives ``formula(theta, g, ..., t, ...)``, the step of one parameter as a dict of the updated quantities;
    ``reference(theta, g, ..., t=...)``, the same in NumPy; ``buffers()``, the letters of what it remembers; and
    ``scalars(t)``.
    """

    lr: float | Schedule = rate()

    if TYPE_CHECKING:  # made in __post_init__
        _buffers: ClassVar[tuple[str, ...]]
        _family: ClassVar[str]
        _fits_single: ClassVar[bool]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for form in cls.forms:
            _fallback.kernels[cls.name + form] = _fallback.Step()

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "_buffers", self.buffers())
        object.__setattr__(self, "_family", self.family())
        # Half of the smallest float32 and all below rounds to 0, and a zero gradient would become 0/0.
        object.__setattr__(self, "_fits_single", getattr(self, "eps", 1.0) > 2.0**-150)

    def _kernel_parameters(self) -> tuple[float, ...]:
        return ()  # a step reads the numbers of scalars(t)

    def init(self, params: Any) -> State:
        """Return the state from which training starts.

        Parameters
        ----------
        params : numpy.ndarray, list or dict
            The parameters: an array, or a list or dict of arrays, of float32 or float64.

        Returns
        -------
        State
            The step counter at 0, and what is remembered before the first step: zeros, unless the rule says otherwise.

        Raises
        ------
        TypeError, ValueError
            If a parameter could not be updated in place.
        """
        owner = type(self).__name__
        check_apart(owner, check_params(owner, params, self._fits_single), {})
        buffers = {letter: shaped_like(params, partial(self.fresh, letter)) for letter in self.buffers()}
        return State(optimizer=self.family(), step=0, buffers=buffers)

    def step(self, params: Any, grads: Any, state: State, *, scale: float = 1.0) -> None:
        """Take one step: update the parameters and the state in place, all tensors in one pass.

        Parameters
        ----------
        params : numpy.ndarray, list or dict
            The parameters, in the structure that ``state`` was made for.
        grads : numpy.ndarray, list or dict
            Their gradients, in the same structure. They are only read; other dtypes are converted to the parameter's.
        state : State
            What :meth:`init` returned.
        scale : float, default 1.0
            By what the gradients are multiplied on their way in, at no cost in memory traffic: to undo a loss scale, to
            make a sum of gradients a mean, to clip (:func:`lossref.training.clipped_step`).

        Raises
        ------
        TypeError, ValueError
            If an array cannot be written, shapes or structures differ, arrays overlap, or the state belongs to
            something else. Nothing has changed then.
        """
        _backend.kernels[self._kernel].step(self, params, grads, state, scale)

    def _check(self, params: Any, grads: Any, state: Any) -> None:
        """Refuse what a step would refuse."""
        _backend.kernels[self._kernel].check(self, params, grads, state)

    def with_groups(self, groups: dict[Any, dict[str, Any]]) -> Grouped:
        """This optimizer, with other settings for some of the parameters.

        Biases and the scales of normalizations are usually spared the weight decay, and what was trained before gets a
        smaller rate than what is new.

        Parameters
        ----------
        groups : dict
            By parameter, or by a tuple of several, what is different there: a dict of hyper-parameters. A parameter is
            called by its key in a dict of parameters, by its index in a list.

        Returns
        -------
        Grouped
            It has the same ``init`` and ``step``, and states of the same kind. Settings that decide what is remembered
            (a momentum where there was none, ``amsgrad``) are those of all parameters.

        Raises
        ------
        TypeError, ValueError
            If a setting is out of range or there is none of that name, if it changes what is remembered, or if a
            parameter is in two groups. (Whether there is such a parameter is seen when there are parameters.)

        Examples
        --------
        >>> import numpy as np
        >>> import lossref
        >>> params = {"w": np.ones(2), "b": np.ones(1)}
        >>> optimizer = lossref.SGD(lr=0.5, weight_decay=0.5).with_groups({"b": {"weight_decay": 0.0}})
        >>> optimizer.step(params, {"w": np.zeros(2), "b": np.zeros(1)}, optimizer.init(params))
        >>> params["w"], params["b"]
        (array([0.75, 0.75]), array([1.]))
        """
        return Grouped(self, groups)  # type: ignore[arg-type]  # it makes them a tuple

    def rate_at(self, t: int) -> float:
        """The learning rate of step ``t``, which counts from 1: a schedule is called with the steps already taken."""
        lr = self.lr
        return lr if isinstance(lr, float) else float(lr(t - 1))

    def buffers(self) -> tuple[str, ...]:
        """The letters of what is remembered of each parameter."""
        raise NotImplementedError

    def fresh(self, letter: str, theta: Array) -> Array:
        """What is remembered of a parameter before the first step, under one letter."""
        return np.zeros(theta.shape, theta.dtype)

    def family(self) -> str:
        """Whose state this is: optimizers of one family may take over each other's."""
        return type(self).__name__

    def scalars(self, t: int) -> tuple[float, ...]:
        """The numbers that step ``t`` reads. They are computed once for all tensors and all backends, in float64."""
        raise NotImplementedError

    def reference(self, theta: Array, g: Array, *buffers: Array, t: int) -> tuple[Array, ...]:
        """Step ``t`` in NumPy, as one would write it on paper: the new parameters, then the new buffers."""
        raise NotImplementedError

    def latex(self, expression: Any = None) -> str:
        """The step as LaTeX, one line for each quantity; or an expression in its symbols."""
        if expression is not None:
            return super().latex(expression)
        updates = self.expression().items()
        lines = [rf"{SYMBOLS[name]} &\leftarrow {super(Optimizer, self).latex(new)}" for name, new in updates]
        return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"
