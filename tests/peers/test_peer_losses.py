"""The frameworks' own values and derivatives of losses and penalties, where they are installed."""

import dataclasses

import numpy as np
import pytest

import lossref

SCALES = [0.1, 1.0, 8.0]


def close(one, other, rel=1e-13, least=1e-15):
    np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=rel, atol=least)


def both(loss, pred, target, **more):
    return (*loss.value_and_grad(pred, target, **more), loss.curvature(pred, target, **more))


# --- PyTorch ------------------------------------------------------------------------------------------------------


def torch_derivatives(function, pred):
    """Value, gradient and the diagonal of the Hessian, by autograd."""
    torch = pytest.importorskip("torch")
    x = torch.tensor(pred, requires_grad=True)
    value = function(x)
    (slope,) = torch.autograd.grad(value, x, create_graph=True)
    curvature = torch.zeros(x.numel(), dtype=x.dtype)
    if slope.requires_grad:
        for place, part in enumerate(slope.reshape(-1)):
            (row,) = torch.autograd.grad(part, x, retain_graph=True)
            curvature[place] = row.reshape(-1)[place]
    return value.item(), slope.detach().numpy(), curvature.reshape(x.shape).numpy()


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_regression_losses_are_those_of_pytorch(scale, reduction, backend, rng):
    torch = pytest.importorskip("torch")
    nn = torch.nn.functional
    pred, target = scale * rng.standard_normal((2, 20))
    y = torch.tensor(target)
    for loss, function in (
        (lossref.MSE(reduction=reduction), lambda x: nn.mse_loss(x, y, reduction=reduction)),
        (lossref.MAE(reduction=reduction), lambda x: nn.l1_loss(x, y, reduction=reduction)),
        (lossref.Huber(delta=0.7, reduction=reduction), lambda x: nn.huber_loss(x, y, reduction=reduction, delta=0.7)),
        (
            lossref.SmoothL1(beta=0.7, reduction=reduction),
            lambda x: nn.smooth_l1_loss(x, y, reduction=reduction, beta=0.7),
        ),
    ):
        for one, other in zip(both(loss, pred, target), torch_derivatives(function, pred), strict=True):
            close(one, other)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("omega", [1.0, 3.0])
def test_binary_cross_entropy_from_logits_is_that_of_pytorch(scale, omega, backend, rng):
    torch = pytest.importorskip("torch")
    pred, target = scale * rng.standard_normal(20), rng.uniform(0, 1, 20)
    target[:10] = rng.integers(0, 2, 10)
    y, weight = torch.tensor(target), torch.tensor(omega)

    def function(x):
        return torch.nn.functional.binary_cross_entropy_with_logits(x, y, pos_weight=weight)

    results = both(lossref.BinaryCrossEntropy(pos_weight=omega), pred, target)
    for one, other in zip(results, torch_derivatives(function, pred), strict=True):
        close(one, other, rel=1e-9)


def test_binary_cross_entropy_of_probabilities_is_that_of_pytorch_where_it_does_not_clamp(backend, rng):
    torch = pytest.importorskip("torch")
    pred, target = rng.uniform(0.01, 0.99, 20), rng.uniform(0, 1, 20)
    results = both(lossref.BinaryCrossEntropy(from_logits=False), pred, target)
    wanted = torch_derivatives(lambda x: torch.nn.functional.binary_cross_entropy(x, torch.tensor(target)), pred)
    for one, other in zip(results, wanted, strict=True):
        close(one, other, rel=1e-9)
    # where it clamps, the two differ, as the documentation says
    value = torch.nn.functional.binary_cross_entropy(torch.tensor([0.0]), torch.tensor([1.0])).item()
    assert value == 100
    assert lossref.BinaryCrossEntropy(from_logits=False)([0.0], [1.0]) == np.inf
    _, slope, _ = torch_derivatives(
        lambda x: torch.nn.functional.binary_cross_entropy(x, torch.tensor([1.0])), np.float32([0])
    )
    np.testing.assert_allclose(slope, -1e12)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("class_weight", [None, (0.5, 2.0, 1.0, 0.0, 3.0)])
@pytest.mark.parametrize("ignore", [None, 2])
def test_cross_entropy_of_labels_is_that_of_pytorch(scale, reduction, smoothing, class_weight, ignore, backend, rng):
    torch = pytest.importorskip("torch")
    pred, labels = scale * rng.standard_normal((12, 5)), rng.integers(0, 5, 12)
    labels[0] = 1
    loss = lossref.CategoricalCrossEntropy(
        label_smoothing=smoothing, class_weight=class_weight, ignore_index=ignore, reduction=reduction
    )

    def function(x):
        return torch.nn.functional.cross_entropy(
            x,
            torch.tensor(labels),
            weight=None if class_weight is None else torch.tensor(class_weight, dtype=x.dtype),
            ignore_index=-100 if ignore is None else ignore,
            label_smoothing=smoothing,
            reduction=reduction,
        )

    for one, other in zip(both(loss, pred, labels), torch_derivatives(function, pred), strict=True):
        close(one, other, rel=1e-8, least=1e-14)


def test_cross_entropy_of_probabilities_is_that_of_pytorch_but_for_class_weights(backend, rng):
    torch = pytest.importorskip("torch")
    pred, target = rng.standard_normal((12, 3)), rng.dirichlet(np.ones(3), 12)
    close(
        lossref.CategoricalCrossEntropy(label_smoothing=0.1)(pred, target),
        torch.nn.functional.cross_entropy(torch.tensor(pred), torch.tensor(target), label_smoothing=0.1).item(),
    )
    weights = np.array([1.0, 2.0, 3.0])
    ours = lossref.CategoricalCrossEntropy(class_weight=weights)(pred, target)
    theirs = torch.nn.functional.cross_entropy(
        torch.tensor(pred), torch.tensor(target), weight=torch.tensor(weights)
    ).item()
    close(ours * (target @ weights).sum(), theirs * 12)  # they divide by n, lossref by the sum of the weights
    assert abs(ours - theirs) > 0.1


@pytest.mark.parametrize("scale", SCALES)
def test_losses_of_embeddings_have_the_gradients_of_pytorch(scale, backend, rng):
    torch = pytest.importorskip("torch")
    nn = torch.nn.functional
    rows, labels = scale * rng.standard_normal((3, 40, 5)), rng.integers(0, 2, 40)

    def contrastive(a, b, y):
        far = nn.pairwise_distance(a, b, eps=0.0)
        return torch.where(y == 0, far**2, torch.relu(1.5 - far) ** 2).mean()

    def cosine(a, b, y):
        return nn.cosine_embedding_loss(a, b, 2 * y - 1, margin=0.2)

    cases = [
        (lossref.Contrastive(margin=1.5), contrastive, labels),
        (lossref.CosineEmbedding(margin=0.2), cosine, labels),
    ]
    for p, swap in ((1.0, False), (2.0, True), (3.0, False)):
        more = {"margin": 0.7, "p": p, "swap": swap}
        cases.append((lossref.Triplet(**more), lambda *x, more=more: nn.triplet_margin_loss(*x, eps=0.0, **more), None))
    for loss, function, y in cases:
        tensors = [torch.tensor(part, requires_grad=True) for part in rows[: len(loss.learned)]]
        given = [] if y is None else [2 * y - 1 if loss.labels == (-1, 1) else y]
        value = function(*tensors, *([] if y is None else [torch.tensor(y)]))
        ours, slopes = loss.value_and_grad(*rows[: len(loss.learned)], *given)
        close(ours, value.item(), rel=1e-10)
        for slope, wanted in zip(slopes, torch.autograd.grad(value, tensors), strict=True):
            close(slope, wanted, rel=1e-9, least=1e-12)


def test_at_equal_rows_and_rows_of_zeros_pytorch_does_what_the_documentation_says():
    torch = pytest.importorskip("torch")
    nn = torch.nn.functional
    row = torch.ones(1, 4, dtype=torch.float64, requires_grad=True)
    assert nn.pairwise_distance(row, row).item() == pytest.approx(2e-6)
    far = nn.pairwise_distance(row, torch.ones(1, 4, dtype=torch.float64), eps=0.0)
    assert not torch.autograd.grad(torch.relu(1 - far).sum() ** 2, row)[0].any()
    root = torch.sqrt(((row - torch.ones_like(row)) ** 2).sum())
    assert torch.autograd.grad(torch.relu(1 - root) ** 2, row)[0].isnan().all()
    zeros = torch.zeros_like(row)
    assert [nn.cosine_embedding_loss(zeros, row, torch.tensor([y])).item() for y in (1, -1)] == [1, 0]
    equal = np.ones((1, 4))
    assert not np.any(lossref.Contrastive().grad(equal, equal, [1]))
    assert np.isnan(lossref.CosineEmbedding()(0 * equal, equal, [1]))


def test_penalties_are_the_gradients_of_pytorch(backend, rng):
    w = rng.standard_normal(20)
    for penalty, function in (
        (lossref.L1(lam=0.3), lambda x: 0.3 * x.abs().sum()),
        (lossref.L2(lam=0.3), lambda x: 0.3 * (x**2).sum()),
        (lossref.L2(lam=0.3, half=True), lambda x: 0.15 * (x**2).sum()),
        (lossref.ElasticNet(l1=0.3, l2=0.2), lambda x: 0.3 * x.abs().sum() + 0.2 * (x**2).sum()),
    ):
        value, slope, _ = torch_derivatives(function, w)
        close(penalty(w), value)
        close(penalty.grad(w), slope)


def test_three_spellings_of_the_hinge_have_three_slopes_at_its_corner():
    """All are subgradients; what lossref says is among them."""
    torch = pytest.importorskip("torch")
    spellings = {
        "relu": lambda f: torch.relu(1 - f),
        "maximum": lambda f: torch.maximum(1 - f, torch.zeros_like(f)),
        "clamp": lambda f: torch.clamp(1 - f, min=0),
    }
    slopes = {name: torch_derivatives(lambda f, g=g: g(f).sum(), [1.0])[1][0] for name, g in spellings.items()}
    assert slopes == {"relu": 0, "maximum": -0.5, "clamp": -1}
    assert lossref.Hinge().grad([1.0], [1]) == [slopes["relu"]]


def test_the_weight_decay_of_pytorch_is_twice_the_strength_of_l2(rng):
    """A hundred steps from the same start: weight_decay=2λ keeps to λΣw², and weight_decay=λ does not."""
    torch = pytest.importorskip("torch")
    features, target, start, lam = rng.standard_normal((40, 3)), rng.standard_normal(40), rng.standard_normal(3), 0.3
    w = start.copy()
    for _ in range(100):
        slope = features.T @ lossref.MSE().grad(features @ w, target) + lossref.L2(lam=lam).grad(w)
        w -= 0.1 * slope
    for decay, equal in ((2 * lam, True), (lam, False)):
        theirs = torch.nn.Parameter(torch.tensor(start))
        optimizer = torch.optim.SGD([theirs], lr=0.1, weight_decay=decay)
        for _ in range(100):
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(torch.tensor(features) @ theirs, torch.tensor(target)).backward()
            optimizer.step()
        assert np.allclose(theirs.detach().numpy(), w, rtol=1e-12) == equal


# --- optax and JAX ------------------------------------------------------------------------------------------------


@pytest.fixture
def optax():
    jax = pytest.importorskip("jax")
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield pytest.importorskip("optax")
    jax.config.update("jax_enable_x64", before)


@pytest.mark.parametrize("scale", SCALES)
def test_losses_are_those_of_optax(scale, optax, rng):
    import jax

    pred, target = scale * rng.standard_normal((2, 30))
    chance, labels = rng.uniform(0, 1, 30), rng.integers(0, 3, 10)
    pairs = [
        (lossref.MSE(), target, optax.squared_error),
        (lossref.MAE(), target, lambda x, y: abs(x - y)),
        (lossref.Huber(delta=0.7), target, lambda x, y: optax.huber_loss(x, y, delta=0.7)),
        (lossref.LogCosh(), target, optax.log_cosh),
        (lossref.BinaryCrossEntropy(), chance, optax.sigmoid_binary_cross_entropy),
        (lossref.CategoricalCrossEntropy(), labels, optax.softmax_cross_entropy_with_integer_labels),
    ]
    for loss, y, function in pairs:
        x = pred.reshape(10, 3) if y is labels else pred
        value, slope = jax.value_and_grad(lambda x, f=function, y=y: f(x, y).mean())(x)
        close(loss(x, y), value, rel=1e-10)
        close(loss.values(x, y), function(x, y), rel=1e-10)
        close(loss.grad(x, y), slope, rel=1e-9)


def test_the_slope_of_a_distance_of_zero_is_nan_in_jax(optax):
    import jax

    equal = np.ones((1, 4))
    slope = jax.grad(lambda a: (jax.nn.relu(1 - jax.numpy.linalg.norm(a - equal, axis=1)) ** 2).mean())(equal)
    assert np.isnan(slope).all()
    assert not np.any(lossref.Contrastive().grad(equal, equal, [1]))


def test_a_norm_of_odd_order_without_absolute_values_is_negative_in_optax(optax):
    a, b = np.zeros((1, 2)), np.ones((1, 2))
    theirs = optax.losses.triplet_margin_loss(a, b, a, norm_degree=1, margin=1.0, eps=0.0)
    assert lossref.Triplet(margin=1.0, p=1.0)(a, b, a) == 3
    assert float(theirs[0]) == 0  # a distance of -2, and a margin of 1


# --- scikit-learn -------------------------------------------------------------------------------------------------


def test_losses_are_those_of_scikit_learn(backend, rng):
    theirs = pytest.importorskip("sklearn._loss.loss")
    raw, target, weight = rng.standard_normal(30), rng.standard_normal(30), rng.uniform(0.5, 2, 30)
    labels = rng.integers(0, 2, 30).astype(float)
    for loss, their, y, factor in (
        (lossref.MSE(), theirs.HalfSquaredError(), target, 0.5),
        (lossref.MAE(), theirs.AbsoluteError(), target, 1),
        (lossref.Quantile(q=0.9), theirs.PinballLoss(quantile=0.9), target, 1),
        (lossref.BinaryCrossEntropy(), theirs.HalfBinomialLoss(), labels, 1),
    ):
        close(factor * loss(raw, y, weight=weight), their(y_true=y, raw_prediction=raw, sample_weight=weight))
        slope, curvature = their.gradient_hessian(y_true=y, raw_prediction=raw, sample_weight=weight)
        total = dataclasses.replace(loss, reduction="sum")
        close(factor * total.grad(raw, y, weight=weight), slope, rel=1e-12)
        if loss.properties.smoothness:  # straight lines have curvature 0; scikit-learn says 1, since boosting needs one
            close(factor * total.curvature(raw, y, weight=weight), curvature, rel=1e-12)


def test_multinomial_loss_is_that_of_scikit_learn(backend, rng):
    theirs = pytest.importorskip("sklearn._loss.loss").HalfMultinomialLoss(n_classes=4)
    raw, labels = 3 * rng.standard_normal((30, 4)), rng.integers(0, 4, 30)
    total = lossref.CategoricalCrossEntropy(reduction="sum")
    close(total.values(raw, labels), theirs.loss(y_true=labels.astype(float), raw_prediction=raw), rel=1e-10)
    slope, curvature = theirs.gradient_hessian(y_true=labels.astype(float), raw_prediction=raw)
    close(total.grad(raw, labels), slope, rel=1e-10)
    close(total.curvature(raw, labels), curvature, rel=1e-10)


@pytest.mark.parametrize("scale", SCALES)
def test_margin_losses_are_those_of_scikit_learn(scale, backend, rng):
    theirs = pytest.importorskip("sklearn.linear_model._sgd_fast")
    score, label = scale * rng.standard_normal(30), rng.choice([-1.0, 1.0], 30)
    for loss, their in (
        (lossref.Hinge(margin=0.7, reduction="sum"), theirs.Hinge(0.7)),
        (lossref.SquaredHinge(margin=0.7, reduction="sum"), theirs.SquaredHinge(0.7)),
        (lossref.Perceptron(reduction="sum"), theirs.Hinge(0.0)),
        (lossref.ModifiedHuber(reduction="sum"), theirs.ModifiedHuber()),
    ):
        close(loss.values(score, label), [their.py_loss(f, y) for f, y in zip(score, label, strict=True)])
        close(loss.grad(score, label), [their.py_dloss(f, y) for f, y in zip(score, label, strict=True)])
    exponential = pytest.importorskip("sklearn._loss.loss").ExponentialLoss()
    ours, zero_one = lossref.losses.Exponential(reduction="sum"), (label + 1) / 2
    slope, curvature = exponential.gradient_hessian(y_true=zero_one, raw_prediction=score)
    close(ours.values(score, label), exponential.loss(y_true=zero_one, raw_prediction=score), rel=1e-12)
    close(ours.grad(score, label), slope, rel=1e-12)
    close(ours.curvature(score, label), curvature, rel=1e-12)


@pytest.mark.parametrize("scale", SCALES)
def test_multiclass_hinges_are_those_of_pytorch_and_optax(scale, backend, optax, rng):
    torch, jax = pytest.importorskip("torch"), pytest.importorskip("jax")
    scores, labels = scale * rng.standard_normal((30, 5)), rng.integers(0, 5, 30)
    each = lossref.MulticlassHinge(margin=0.7, kind="weston-watkins")

    def theirs(x):  # which divides by the number of classes
        return 5 * torch.nn.functional.multi_margin_loss(x, torch.tensor(labels), margin=0.7)

    x = torch.tensor(scores, requires_grad=True)
    theirs(x).backward()
    close(each(scores, labels), theirs(x).item())
    close(each.grad(scores, labels), x.grad.numpy())
    value, slope = jax.value_and_grad(lambda x: optax.losses.multiclass_hinge_loss(x, labels).mean())(scores)
    close(lossref.MulticlassHinge()(scores, labels), value)
    close(lossref.MulticlassHinge().grad(scores, labels), slope)


def test_the_categorical_hinge_of_keras_asks_for_a_score_above_zero_too(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    keras = pytest.importorskip("keras")
    scores = np.array([[-1.0, -3.0, -4.0]])
    assert float(keras.losses.CategoricalHinge()(np.array([[1.0, 0.0, 0.0]]), scores)) == 2
    assert lossref.MulticlassHinge()(scores, [0]) == 0


@pytest.mark.parametrize("scale", SCALES)
def test_divergences_are_those_of_pytorch_optax_and_scipy(scale, backend, optax, rng):
    torch, distance = pytest.importorskip("torch"), pytest.importorskip("scipy.spatial.distance")
    logits, target = scale * rng.standard_normal((12, 5)), rng.dirichlet(np.ones(5), 12)
    y, kl_div = torch.tensor(target), torch.nn.functional.kl_div

    def from_logits(x):
        return kl_div(torch.log_softmax(x, 1), y, reduction="batchmean")

    for one, other in zip(both(lossref.KL(), logits, target), torch_derivatives(from_logits, logits), strict=True):
        close(one, other, rel=1e-9, least=1e-14)
    logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    plain = lossref.KL(from_logits=False)
    wanted = torch_derivatives(lambda x: kl_div(x, y, reduction="batchmean"), logs)
    for one, other in zip(both(plain, logs, target), wanted, strict=True):
        close(one, other, rel=1e-12)
    close(plain.values(logs, target), optax.kl_divergence(logs, target), rel=1e-11)
    with pytest.warns(UserWarning, match="batchmean"):  # its mean divides by the elements, and it says so
        by_elements = kl_div(torch.tensor(logs), y, reduction="mean").item()
    close(by_elements * 5, plain(logs, target))

    def jensen_shannon(x):
        return (kl_div(((x + y) / 2).log(), x, reduction="sum") + kl_div(((x + y) / 2).log(), y, reduction="sum")) / 2

    shannon, chances = lossref.JensenShannon(reduction="sum"), np.exp(logs)
    for one, other in zip(both(shannon, chances, target), torch_derivatives(jensen_shannon, chances), strict=True):
        close(one, other, rel=1e-9, least=1e-13)
    close(shannon.values(chances, target), distance.jensenshannon(chances, target, axis=1) ** 2, rel=1e-11)


def test_near_equality_divergences_keep_digits_that_the_frameworks_lose(backend):
    torch = pytest.importorskip("torch")
    target, logits = np.full((1, 2), 0.5), np.array([[0.0, 2e-9]])
    log_p = torch.log_softmax(torch.tensor(logits), 1)
    theirs = torch.nn.functional.kl_div(log_p, torch.tensor(target), reduction="sum").item()
    assert lossref.KL()(logits, target) == pytest.approx(5e-19, rel=1e-6, abs=0)
    assert abs(theirs - 5e-19) > 1e-19


def test_the_kinks_of_scikit_learn_count_as_mistakes():
    theirs = pytest.importorskip("sklearn.linear_model._sgd_fast")
    assert theirs.Hinge(1.0).py_dloss(1.0, 1.0) == theirs.Hinge(0.0).py_dloss(0.0, 1.0) == -1


def test_confident_predictions_keep_digits_that_scikit_learn_loses(backend):
    theirs = pytest.importorskip("sklearn._loss.loss").HalfBinomialLoss()
    raw, label = np.array([36.0]), np.array([1.0])
    assert lossref.BinaryCrossEntropy().values(raw, label)[0] == pytest.approx(2.319522830243569e-16, rel=1e-15, abs=0)
    assert abs(theirs.loss(y_true=label, raw_prediction=raw)[0] - 2.319522830243569e-16) > 1e-17


def test_the_elastic_net_of_scikit_learn_is_reached_by_proximal_steps(backend, rng):
    linear = pytest.importorskip("sklearn.linear_model")
    features, w = rng.standard_normal((80, 6)), np.array([2.0, -1.0, 0.0, 0.0, 0.5, 0.0])
    target = features @ w + 0.1 * rng.standard_normal(80)
    alpha, ratio = 0.1, 0.7
    theirs = linear.ElasticNet(alpha=alpha, l1_ratio=ratio, fit_intercept=False, tol=1e-12, max_iter=100_000)
    wanted = theirs.fit(features, target).coef_
    penalty = lossref.ElasticNet(l1=alpha * ratio, l2=alpha * (1 - ratio) / 2)
    loss, found, step = lossref.MSE(), np.zeros(6), 0.2
    for _ in range(1000):
        slope = features.T @ (0.5 * loss.grad(features @ found, target))
        found = penalty.prox(found - step * slope, step)
    close(found, wanted, rel=1e-8, least=1e-9)
    np.testing.assert_array_equal(found == 0, wanted == 0)
    assert (found == 0).any()


# --- Losses of a batch --------------------------------------------------------------------------------------------


def torch_gradients(function, *arrays):
    """Value and gradients by autograd."""
    torch = pytest.importorskip("torch")
    leaves = [torch.tensor(array, requires_grad=True) for array in arrays]
    value = function(*leaves)
    value.backward()
    return value.item(), [leaf.grad.numpy() for leaf in leaves]


@pytest.mark.parametrize("strategy", ["all", "hard", "semi-hard", "batch-hard"])
def test_batch_triplets_are_those_of_the_definition_under_autograd(strategy, backend, rng):
    torch = pytest.importorskip("torch")
    x, labels = rng.standard_normal((60, 7)), rng.integers(0, 8, 60)
    classes = torch.tensor(labels)
    same, far = classes[:, None] == classes, torch.inf * torch.ones(60, 60, dtype=torch.float64)
    mates, others = same & ~torch.eye(60, dtype=torch.bool), ~same
    for squared, margin in ((False, 0.7), (True, 3.0)):

        def defined(rows, squared=squared, margin=margin):
            d = ((rows[:, None] - rows) ** 2).sum(-1)
            d = d if squared else torch.where(d > 0, d, 1).sqrt() * (d > 0)
            if strategy == "batch-hard":
                hardest, nearest = torch.where(mates, d, -far).amax(1), torch.where(others, d, far).amin(1)
                return torch.relu(hardest - nearest + margin)[mates.any(1)].mean()
            gap = d[:, None, :] - d[:, :, None]  # anchor, positive, negative
            chosen = mates[:, :, None] & others[:, None, :]
            chosen = chosen & {"all": gap == gap, "hard": gap <= 0, "semi-hard": (gap > 0) & (gap <= margin)}[strategy]
            return torch.relu(margin - gap)[chosen].mean()

        loss = lossref.BatchTriplet(strategy=strategy, margin=margin, squared=squared)
        value, grad = loss.value_and_grad(x, labels)
        wanted, (slopes,) = torch_gradients(defined, x)
        close(value, wanted)
        close(grad, slopes, rel=1e-11)


def test_contrast_is_cross_entropy_of_cosines_under_autograd(backend, rng):
    torch = pytest.importorskip("torch")
    nn = torch.nn.functional
    queries, keys = rng.standard_normal((2, 40, 6))
    labels = rng.integers(0, 15, 40)
    mates = torch.tensor(labels)[:, None] == torch.tensor(labels)
    mates.fill_diagonal_(False)

    def info_nce(q, k):
        return nn.cross_entropy(nn.normalize(q) @ nn.normalize(k).T / 0.2, torch.arange(40))

    def sup_con(x):
        logits = nn.normalize(x) @ nn.normalize(x).T / 0.2
        logs = logits - logits.masked_fill(torch.eye(40, dtype=torch.bool), -torch.inf).logsumexp(1, keepdim=True)
        each = -(logs * mates).sum(1) / mates.sum(1).clamp(min=1)
        return each[mates.any(1)].mean()

    for loss, arrays, defined in (
        (lossref.InfoNCE(temperature=0.2), (queries, keys), info_nce),
        (lossref.SupCon(temperature=0.2), (queries, labels), sup_con),
    ):
        value, grads = loss.value_and_grad(*arrays)
        wanted, slopes = torch_gradients(defined, *(array for array in arrays if array is not labels))
        close(value, wanted)
        close(grads, slopes if isinstance(grads, tuple) else slopes[0], rel=1e-11)


def test_batch_losses_and_mined_triplets_are_those_of_pytorch_metric_learning(backend, rng):
    torch = pytest.importorskip("torch")
    metric = pytest.importorskip("pytorch_metric_learning", exc_type=ImportError)
    distances, losses, miners, reducers = (
        pytest.importorskip(f"{metric.__name__}.{part}") for part in ("distances", "losses", "miners", "reducers")
    )
    x, labels = rng.standard_normal((40, 5)), rng.integers(0, 6, 40)
    rows, classes = torch.tensor(x), torch.tensor(labels)
    plain = distances.LpDistance(normalize_embeddings=False)
    triplets = losses.TripletMarginLoss(margin=0.7, distance=plain, reducer=reducers.MeanReducer())
    close(lossref.BatchTriplet(strategy="all", margin=0.7)(x, labels), triplets(rows, classes), rel=1e-12)
    hardest = miners.BatchHardMiner(distance=plain)(rows, classes)
    close(lossref.BatchTriplet(margin=0.7)(x, labels), triplets(rows, classes, hardest), rel=1e-12)
    for ours, theirs in (("hard", "hard"), ("semi-hard", "semihard"), ("easy", "easy")):
        found = torch.stack(miners.TripletMarginMiner(0.7, theirs, distance=plain)(rows, classes), dim=1).numpy()
        np.testing.assert_array_equal(found[np.lexsort(found.T[::-1])], lossref.losses.mine(x, labels, ours, 0.7))
    close(lossref.SupCon(temperature=0.3)(x, labels), losses.SupConLoss(temperature=0.3)(rows, classes), rel=1e-10)
