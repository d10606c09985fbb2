"""What other libraries do with a loss of ours."""

import numpy as np
import pytest
from scipy.optimize import check_grad, minimize

import lossref
from lossref.adapters.scipy import Objective
from lossref.datasets import diabetes, digits
from lossref.models import Linear


def test_the_gradient_of_an_objective_is_the_slope_of_its_value(rng):
    x, labels = rng.standard_normal((30, 4)), rng.integers(0, 3, 30)
    objective = Objective(
        loss=lossref.CategoricalCrossEntropy(),
        model=Linear(inputs=4, outputs=3),
        x=x,
        target=labels,
        penalties={"weights": lossref.L2(lam=0.3), "bias": lossref.L1(lam=0.1)},
    )
    theta = rng.standard_normal(15)
    assert check_grad(lambda t: objective(t)[0], lambda t: objective(t)[1], theta, epsilon=1e-7) < 1e-5


def test_parameters_survive_the_way_into_a_vector_and_back(rng):
    objective = Objective(
        loss=lossref.MSE(), model=Linear(inputs=4, outputs=3), x=np.zeros((1, 4)), target=np.zeros((1, 3))
    )
    theta = rng.standard_normal(15)
    np.testing.assert_array_equal(objective.flat(objective.params(theta)), theta)
    assert objective.start().tolist() == [0.0] * 15
    with pytest.raises(ValueError, match=r"^Objective: theta must have 15 numbers, one for each parameter, got 14$"):
        objective(theta[:14])


def test_the_least_squares_are_those_of_linear_algebra():
    x, y = diabetes()
    objective = Objective(loss=lossref.MSE(), model=Linear(inputs=10), x=x, target=y)
    found = minimize(
        objective, objective.start(), jac=True, method="L-BFGS-B", options={"maxiter": 5000, "ftol": 1e-15}
    )
    solution, *_ = np.linalg.lstsq(np.column_stack([x, np.ones(len(x))]), y)
    np.testing.assert_allclose(found.x, solution, rtol=1e-3, atol=1e-3 * np.abs(solution).max())


def test_softmax_regression_is_that_of_scikit_learn():
    linear_model = pytest.importorskip("sklearn.linear_model")
    x, y = (part[::3] for part in digits())
    x = x / 16
    theirs = linear_model.LogisticRegression(C=1.0, max_iter=1000, tol=1e-5).fit(x, y)
    objective = Objective(
        loss=lossref.CategoricalCrossEntropy(),
        model=Linear(inputs=64, outputs=10),
        x=x,
        target=y,
        penalties={"weights": lossref.L2(lam=1 / len(y), half=True)},
    )
    found = minimize(objective, objective.start(), jac=True, method="L-BFGS-B", options={"ftol": 1e-13})
    np.testing.assert_allclose(objective.params(found.x)["weights"].T, theirs.coef_, atol=5e-3)
