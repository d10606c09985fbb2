"""Groups of parameters: one optimizer, whose settings differ between them."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from lossref import _backend
from lossref._tensors import State, check_params

if TYPE_CHECKING:
    from lossref.optimizers.base import Optimizer

    Keys = tuple[Hashable, ...]
    Settings = tuple[tuple[str, Any], ...]


@dataclasses.dataclass(frozen=True, repr=False)
class Grouped:
    """An optimizer with other settings for some of the parameters; its :meth:`~lossref.SGD.with_groups` makes it.

    What is remembered is the same for all parameters, and so is the count of steps: the state is that of the optimizer
    without groups, which may take it over, and the other way round.

    Parameters
    ----------
    optimizer : Optimizer
        The settings of all parameters that are in no group.
    groups : dict
        By parameter, or by a tuple of several, what is different there: a dict of hyper-parameters. A parameter is
        called by its key in a dict of parameters, by its index in a list.

    Examples
    --------
    >>> import numpy as np
    >>> import lossref
    >>> params = [np.ones(2), np.ones(2)]
    >>> everything = lossref.AdamW(lr=0.1)
    >>> slower = everything.with_groups({1: {"lr": 0.01}})
    >>> state = everything.init(params)
    >>> everything.step(params, [np.ones(2), np.ones(2)], state)
    >>> slower.step(params, [np.ones(2), np.ones(2)], state)  # it goes on with the same state
    >>> params[0].round(3), params[1].round(3), state.step
    (array([0.798, 0.798]), array([0.889, 0.889]), 2)
    """

    optimizer: Optimizer
    groups: tuple[tuple[Keys, Settings], ...]

    if TYPE_CHECKING:  # made in __post_init__
        _rules: ClassVar[tuple[tuple[Keys, Optimizer], ...]]
        _lead: ClassVar[Optimizer]

    def __post_init__(self) -> None:
        owner = type(self.optimizer).__name__
        groups: Any = self.groups
        if not isinstance(groups, Mapping):
            raise TypeError(f"{owner}: groups must be a dict of dicts, got {type(groups).__name__}")
        rules, kept = [], []
        for keys, settings in groups.items():
            named = keys if isinstance(keys, tuple) else (keys,)
            rule = changed(self.optimizer, named, settings)
            rules.append((named, rule))
            kept.append((named, tuple((name, getattr(rule, name)) for name in settings)))
        for key, times in Counter(key for named, _ in rules for key in named).items():
            if times > 1:
                raise ValueError(f"{owner}: groups has {key!r} twice; leave it in one group")
        object.__setattr__(self, "groups", tuple(kept))
        object.__setattr__(self, "_rules", tuple(rules))
        # It checks the tensors of all: with an eps that float32 holds, if there is one, for which float32 is allowed.
        everybody = [self.optimizer, *(rule for _, rule in rules)]
        object.__setattr__(self, "_lead", max(everybody, key=lambda rule: rule._fits_single))

    def __repr__(self) -> str:
        alone = [len(keys) == 1 and not isinstance(keys[0], tuple) for keys, _ in self.groups]
        groups = {keys[0] if one else keys: dict(given) for one, (keys, given) in zip(alone, self.groups, strict=True)}
        return f"{self.optimizer!r}.with_groups({groups!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.optimizer, {keys: dict(settings) for keys, settings in self.groups})

    def init(self, params: Any) -> State:
        """Return the state from which training starts: that of the optimizer without groups.

        Parameters
        ----------
        params : list or dict
            The parameters: float32 or float64 arrays.

        Returns
        -------
        State
            The step counter at 0, and what is remembered before the first step.

        Raises
        ------
        TypeError, ValueError
            If a group names a parameter that is not there, or a parameter could not be updated in place.
        """
        parts = self._parts(params)
        state = self._lead.init(params)
        keys = list(params) if isinstance(params, dict) else range(len(params))
        for rule, places in parts:
            for letter, tensors in state.buffers.items():
                for key in (keys[place] for place in places):
                    tensors[key] = rule.fresh(letter, params[key])
        return state

    def step(self, params: Any, grads: Any, state: State, *, scale: float = 1.0) -> None:
        """Take one step, of each group by its own settings. Everything is checked before anything is written.

        Parameters
        ----------
        params : list or dict
            The parameters, in the structure that ``state`` was made for.
        grads : list or dict
            Their gradients, in the same structure.
        state : State
            What :meth:`init` returned, or the ``init`` of the optimizer without groups.
        scale : float, default 1.0
            By what the gradients are multiplied on their way in.

        Raises
        ------
        TypeError, ValueError
            If a group names a parameter that is not there, or for what a step without groups refuses. Nothing has
            changed then.
        """
        kernels = _backend.kernels
        parts = [(kernels[rule._kernel], rule, places) for rule, places in self._parts(params)]
        kernels[self._lead._kernel].step(self._lead, params, grads, state, scale, parts)

    @property
    def _family(self) -> str:
        return self.optimizer._family

    def _check(self, params: Any, grads: Any, state: Any) -> None:
        """Refuse what a step would refuse."""
        self._parts(params)
        _backend.kernels[self._lead._kernel].check(self._lead, params, grads, state)

    def _parts(self, params: Any) -> list[tuple[Optimizer, list[int]]]:
        """Each of the settings with the places of its parameters."""
        owner = type(self.optimizer).__name__
        if not isinstance(params, list | tuple | dict):
            raise TypeError(f"{owner}: params must be a list or dict to have groups, got {type(params).__name__}")
        keys = list(params) if isinstance(params, dict) else range(len(params))
        place_of = dict(zip(keys, range(len(keys)), strict=True))
        parts = []
        for group, rule in self._rules:
            for key in group:
                if key not in place_of:
                    raise ValueError(f"{owner}: groups has {key!r} but params has not")
            parts.append((rule, [place_of.pop(key) for key in group]))
        parts.append((self.optimizer, list(place_of.values())))
        for rule, places in parts:
            if not rule._fits_single:
                check_params(owner, {keys[place]: params[keys[place]] for place in places}, False)
        return parts


def changed(optimizer: Optimizer, keys: Keys, settings: Any) -> Optimizer:
    """The optimizer with a group's settings."""
    owner = type(optimizer).__name__
    called = ", ".join(map(repr, keys))
    if not keys:
        raise ValueError(f"{owner}: a group of no parameters has the settings {settings!r}; name some or leave it out")
    if not isinstance(settings, Mapping):
        raise TypeError(f"{owner}: the settings of {called} must be a dict, got {type(settings).__name__}")
    known = [field.name for field in dataclasses.fields(optimizer)]
    for name in settings:
        if name not in known:
            raise TypeError(f"{owner}: {name!r} of {called} is no hyper-parameter; there is {', '.join(known)}")
    rule = dataclasses.replace(optimizer, **settings)
    if (rule._family, rule._buffers) != (optimizer._family, optimizer._buffers):
        given = ", ".join(f"{name}={value!r}" for name, value in settings.items())
        raise ValueError(
            f"{owner}: with {given} the state of {called} would not be that of the other parameters; "
            f"choose for all what decides about the state"
        )
    return rule
