"""What the laws are tested on: every loss and penalty of the registry, and arrays that suit it."""

import contextlib
import dataclasses
import functools

import numpy as np

import lossref
from lossref import registry
from lossref.losses.base import PointwiseLoss, RowwiseLoss
from lossref.regularizers.base import StructuredPenalty

POINTWISE = [formula for formula in registry.samples("losses") if isinstance(formula, PointwiseLoss)]
ROWWISE = [formula for formula in registry.samples("losses") if isinstance(formula, RowwiseLoss)]
STRUCTURED = [penalty for penalty in registry.samples("regularizers") if isinstance(penalty, StructuredPenalty)]
PENALTIES = [penalty for penalty in registry.samples("regularizers") if penalty not in STRUCTURED]
#: What a loss gives element by element.
METHODS = ("values", "grad", "curvature")


def takes_probabilities(formula):
    """Are predictions, are targets probabilities, so that what lies outside [0, 1] gives NaN?"""
    if isinstance(formula, RowwiseLoss):
        return formula.predictions == "probabilities", not {"probabilities", "masks"}.isdisjoint(formula.targets)
    return not getattr(formula, "from_logits", True), formula.domain == "probabilities"


def is_of_means(formula):
    """Are predictions logarithms of means, and the loss a difference of the terms of a likelihood?"""
    return getattr(formula, "domain", None) in ("counts", "amounts")


def telling_targets(loss):
    """A few targets of a pointwise loss, 0 among them where it is one."""
    return [-1, 1] if loss.signs else ["1/4", 1, 7] if loss.domain == "amounts" else [0, 1, "1/4"]


@dataclasses.dataclass(frozen=True)
class Case:
    """A loss, and the form of its targets: numbers, labels of classes, or rows: probabilities, masks, relevances."""

    loss: lossref.losses.base.PredictionLoss
    targets: str

    def __str__(self):
        return repr(self.loss) + ("" if self.targets == "numbers" else f" {self.targets}")

    @property
    def rowwise(self):
        return isinstance(self.loss, RowwiseLoss)

    def with_reduction(self, reduction):
        return dataclasses.replace(self.loss, reduction=reduction)

    def draw(self, rng, samples, dtype, *, classes=3, scale=3.0):
        """Random predictions and targets: (samples,), or for rows (samples, classes)."""
        odds, mass = takes_probabilities(self.loss)
        shape = (samples, classes) if self.rowwise else (samples,)
        pred = rng.uniform(0.05, 0.95, shape) if odds else scale * rng.standard_normal(shape)
        if self.rowwise and self.loss.predictions == "log-probabilities":
            pred -= np.log(np.exp(pred).sum(axis=1, keepdims=True))
        if self.targets == "labels":
            target = rng.integers(0, classes, samples)
            target[:1] = 0  # a class whose weight is not 0 in any sample of the registry
            return pred.astype(dtype), target
        if self.targets == "probabilities":
            target = rng.dirichlet(np.ones(classes), samples)
        elif self.targets == "masks":  # of all sizes, and so what is predicted
            pred = pred * 10 ** rng.uniform(-1.5, 0, (samples, 1))
            target = rng.uniform(0, 1, shape) * 10 ** rng.uniform(-5, 0, (samples, 1))
        elif self.targets == "relevances":
            target = rng.integers(0, 4, shape).astype(np.float64)
            target[:1] = np.arange(classes)  # one row at least in which something is to be ranked
        elif self.loss.signs:
            target = rng.choice([-1.0, 1.0], shape)
            target[:1] = -np.sign(pred[:1])  # one mistake at least: what is right may cost nothing
        elif is_of_means(self.loss):
            target = rng.poisson(3.0, shape) if self.loss.domain == "counts" else rng.gamma(2.0, 1.5, shape)
            target = np.asarray(target, np.float64)
        else:
            target = rng.uniform(0, 1, shape) if mass else scale * rng.standard_normal(shape)
        return pred.astype(dtype), target.astype(dtype)


def cases():
    """Every loss of the registry with every form of target it takes."""
    return [Case(loss, "numbers") for loss in POINTWISE] + [
        Case(loss, targets) for loss in ROWWISE for targets in loss.targets
    ]


CASES = cases()
EXACT = [case for case in CASES if case.loss.exact]


@contextlib.contextmanager
def about(*what):
    """Say, should something inside fail, which turn of a loop it was."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"at {', '.join(map(str, what))}")
        raise


def neighbours(numbers, dtype):
    """Numbers with the floats next to them."""
    numbers = np.asarray(numbers, dtype)
    return np.unique(
        np.concatenate([numbers, np.nextafter(numbers, dtype.type(np.inf)), np.nextafter(numbers, dtype.type(-np.inf))])
    )


def limits(dtype):
    """The least subnormal, the least normal, and the largest float."""
    info = np.finfo(dtype)
    return info.smallest_subnormal, info.tiny, info.max


def telling_numbers(dtype):
    """Numbers of all sizes with both signs, the ones where formulas change branch among them."""
    least, tiny, _ = limits(dtype)
    big = 1e15 if dtype == np.float32 else 1e120
    sizes = np.array(
        [least, 7 * least, tiny, 1e-30, 1e-18, 1e-8, 1e-3, 0.3, 0.5, 0.7, 1, 1.5, 2.1, 3, 4, 17.3, 1e4, big]
    )
    sizes = neighbours(sizes, dtype)
    return np.concatenate([-sizes[sizes > 0], [0], sizes[sizes > 0]]).astype(dtype)


def telling_logits(dtype):
    """Logits up to and beyond where exponentials vanish."""
    ends = [87.3, 88.7, 103.9, 104.5] if dtype == np.float32 else [708.3, 709.7, 744.4, 745.2]
    sizes = [1e-30, 1e-9, 1e-4, 0.01, 0.3, 0.69314718, 1, 2.5, 5, 9.7, 16.6, 17.4, 20, 30, 36, 36.8, 40, 60, *ends, 1e4]
    return np.array([-x for x in sizes] + [0] + sizes, dtype)


def telling_probabilities(dtype):
    """Probabilities as near to 0 and to 1 as floats come, the ends left out."""
    least, tiny, _ = limits(dtype)
    near = np.finfo(dtype).epsneg
    return np.array([least, tiny, 1e-30, 1e-9, 0.01, 0.3, 0.5, 0.63, 0.9, 0.999, 1 - 4 * near, 1 - near], dtype)


@functools.cache
def telling_points(loss, dtype):
    """Predictions and targets that try a pointwise loss hard."""
    rng = np.random.default_rng(20)
    odds, mass = takes_probabilities(loss)
    if loss.signs:
        edges = neighbours([1, *(value for value in vars(loss).values() if isinstance(value, float))], dtype)
        margins = np.concatenate([telling_numbers(dtype), telling_logits(dtype), edges, -edges])
        return np.concatenate([margins, -margins]), np.repeat(np.array([1, -1], dtype), margins.size)
    if is_of_means(loss):
        targets = [0, 1, 2, 7, 0.25, 1e-20, 1e3, 1e6][loss.domain == "amounts" :]
        pred = np.concatenate([telling_logits(dtype), 5 * rng.standard_normal(30), np.log(targets[-6:])])
        pred, target = np.meshgrid(pred.astype(dtype), np.array(targets, dtype))
        return pred.ravel(), target.ravel()
    if not mass:
        residuals = telling_numbers(dtype)
        scale = np.exp(rng.uniform(-12, 12, 150))
        pred = np.concatenate([residuals, (scale * rng.standard_normal(150)).astype(dtype)])
        target = np.concatenate([np.zeros_like(residuals), (scale * rng.standard_normal(150)).astype(dtype)])
        edges = neighbours([value for value in vars(loss).values() if isinstance(value, float)] or [1], dtype)
        return np.concatenate([pred, edges, -edges]), np.concatenate([target, 0 * edges, 0 * edges])
    pred = telling_probabilities(dtype) if odds else telling_logits(dtype)
    more = rng.uniform(0.001, 0.999, 40) if odds else 20 * rng.standard_normal(40)
    pred = np.concatenate([pred, more.astype(dtype)])
    pred, target = np.meshgrid(pred, np.array([0, 1, 0.25, 0.9, 1e-20], dtype))
    return pred.ravel(), target.ravel()


@functools.cache
def telling_rows(loss, dtype, classes=3):
    """Rows of predictions that try a loss over rows hard, and targets for them in each form."""
    rng = np.random.default_rng(21)
    odds, _ = takes_probabilities(loss)
    if odds:
        pred = rng.choice(telling_probabilities(dtype), (60, classes))
    else:
        pred = np.concatenate([
            rng.choice(telling_logits(dtype), (80, classes)),
            20 * rng.standard_normal((40, classes)),
            rng.standard_normal((10, classes)) + 1000,
            np.ones((3, classes)),
            40 * np.eye(classes),
            -40 * np.eye(classes),
        ])  # fmt: skip
    if loss.predictions == "log-probabilities":
        pred = -np.abs(pred)
    labels = rng.integers(0, classes, len(pred))
    labels[::2] = pred[::2].argmax(axis=1)  # confident and right
    probabilities = rng.dirichlet(np.full(classes, 0.3), len(pred))
    masks = np.where(
        rng.random(pred.shape) < 0.2, rng.choice(telling_probabilities(dtype), pred.shape), labels[:, None] < 1
    )
    relevances = np.where(rng.random(pred.shape) < 0.2, 20, 1) * rng.integers(0, 4, pred.shape)  # with ties
    return pred.astype(dtype), {
        "labels": labels,
        "probabilities": probabilities.astype(dtype),
        "masks": masks.astype(dtype),
        "relevances": relevances.astype(dtype),
    }
