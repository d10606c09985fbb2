"""A linear model: with a regression loss it is linear regression, with cross-entropy it is softmax regression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lossref._arrays import Array


@dataclass(frozen=True, kw_only=True)
class Linear:
    r"""Scores that are weighted sums of the features, :math:`z = x W + b`.

    Parameters
    ----------
    inputs : int >= 1
        The number of features of a sample.
    outputs : int >= 1, optional
        The number of scores of a sample. Left out, there is one score and no axis for it: predictions have the shape
        (n,), as regression losses and their targets want it.

    Examples
    --------
    >>> import numpy as np
    >>> import lossref
    >>> from lossref.models import Linear
    >>> model = Linear(inputs=2)
    >>> params = model.init()
    >>> x, y = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([3.0, -1.0])
    >>> slope = lossref.MSE().grad(model.forward(params, x), y)
    >>> model.backward(params, x, slope)["weights"]
    array([-3.,  1.])
    """

    inputs: int
    outputs: int | None = None

    def init(self, dtype: Any = np.float64) -> dict[str, Array]:
        """Return parameters of zero: the loss is convex in them, so every start leads to the same place."""
        columns = () if self.outputs is None else (self.outputs,)
        return {"weights": np.zeros((self.inputs, *columns), dtype), "bias": np.zeros(columns or (1,), dtype)}

    def forward(self, params: dict[str, Array], x: Array) -> Array:
        """Return the scores of the samples, one row of ``x`` each."""
        scores: Array = x @ params["weights"] + params["bias"]
        return scores

    def backward(self, params: dict[str, Array], x: Array, slope: Array) -> dict[str, Array]:
        """Return the gradient in the parameters, given the slope of the loss in each score."""
        return {"weights": x.T @ slope, "bias": slope.sum(axis=0).reshape(params["bias"].shape)}
