"""For ``scipy.optimize``: a model, its data and a loss as one function of one vector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lossref._arrays import Array
from lossref.losses.base import PredictionLoss
from lossref.losses.compose import Combined
from lossref.regularizers.base import Penalty
from lossref.regularizers.compose import CombinedPenalty


@dataclass(frozen=True, kw_only=True)
class Objective:
    """The loss of a model on its data as a function of all its parameters, laid end to end.

    Called with such a vector it returns the value and the gradient, which is what :func:`scipy.optimize.minimize` wants
    with ``jac=True``.

    Parameters
    ----------
    loss : PredictionLoss or Combined
        The loss of the model's predictions.
    model : Linear
        The model, or another of :mod:`lossref.models`.
    x, target : numpy.ndarray
        The samples and what should be predicted for them.
    penalties : dict of str to Penalty or CombinedPenalty, optional
        Penalties added to the loss, each under the name of the parameter that it is on.

    Examples
    --------
    Least squares on the diabetes data by L-BFGS, where the normal equations would do as well:

    >>> import lossref
    >>> from lossref.adapters.scipy import Objective
    >>> from lossref.datasets import diabetes
    >>> from lossref.models import Linear
    >>> from scipy.optimize import minimize
    >>> x, y = diabetes()
    >>> objective = Objective(loss=lossref.MSE(), model=Linear(inputs=10), x=x, target=y)
    >>> found = minimize(objective, objective.start(), jac=True, method="L-BFGS-B")
    >>> round(found.fun, 1)
    2859.7
    >>> objective.params(found.x)["weights"].shape
    (10,)
    """

    loss: PredictionLoss | Combined
    model: Any
    x: Array
    target: Array
    penalties: dict[str, Penalty | CombinedPenalty] | None = None

    def start(self) -> Array:
        """Return the parameters that the model begins with, end to end."""
        return self.flat(self.model.init())

    def params(self, theta: Array) -> dict[str, Array]:
        """Return a vector as the model's parameters, each a view of its part."""
        initial = self.model.init()
        ends = np.cumsum([array.size for array in initial.values()])
        if len(theta) != ends[-1]:
            raise ValueError(f"Objective: theta must have {ends[-1]} numbers, one for each parameter, got {len(theta)}")
        parts = zip(initial, np.split(theta, ends[:-1]), strict=True)
        return {name: part.reshape(initial[name].shape) for name, part in parts}

    def flat(self, params: dict[str, Array]) -> Array:
        """Return the model's parameters, or gradients in them, as one vector."""
        return np.concatenate([params[name].ravel() for name in self.model.init()])

    def __call__(self, theta: Array) -> tuple[float, Array]:
        """Return the value at a vector, and the gradient."""
        params = self.params(theta)
        value, slope = self.loss.value_and_grad(self.model.forward(params, self.x), self.target)
        grads = self.model.backward(params, self.x, slope)
        for name, penalty in (self.penalties or {}).items():
            cost, pull = penalty.value_and_grad(params[name])
            value, grads[name] = value + cost, grads[name] + pull
        return value, self.flat(grads)
