"""Who is timed at what: every formula of the registry against the same work done elsewhere.

The calls of PyTorch and JAX are those that ``lossref.conventions`` prints for the reader: a formula added to the
registry is timed, and one that has an equal elsewhere is timed against it, without a line here.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import importlib.util
import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import lossref
from lossref import _fallback
from lossref._formula import Formula
from lossref.conventions import Spelling, spellings
from lossref.losses.base import BatchLoss, EmbeddingLoss, JointLoss, Loss, PairedLoss, PredictionLoss, RowwiseLoss
from lossref.registry import formulas, samples
from lossref.regularizers.base import StructuredPenalty
from lossref.training import clip_by_norm, clipped_step

THREADS = 2  # for everybody
SMALL, THOUSAND, MEDIUM, LARGE, HUGE = 256, 1000, 10**6, 10**7, 25_000_000
MANY = 200 * 10_000  # elements of many tensors together
FRAMEWORKS = {"torch": ("PyTorch",), "jax": ("optax", "JAX")}  # and whose spellings it runs

Run = Callable[[], Any]


@functools.cache
def torch() -> Any:
    import torch

    torch.set_num_threads(THREADS)
    return torch


@functools.cache
def jax() -> Any:
    import jax

    jax.config.update("jax_enable_x64", True)  # leaves float32 what it is
    return jax


def is_there(framework: str) -> bool:
    return importlib.util.find_spec(framework) is not None


def spelled(formula: Formula, framework: str) -> str | None:
    """The framework's own call, if it has one."""
    for spelling in spellings(type(formula)):
        if spelling.framework in FRAMEWORKS[framework] and spelling.equal and spelling.fits(formula):
            return spelling.write(formula)
    return None


def peers(formula: Formula) -> list[str]:
    """The frameworks that are installed and can do it."""
    return [name for name in ("torch", "jax") if is_there(name) and spelled(formula, name)]


def function(call: str | None, names: str) -> Callable[..., Any]:
    """A function of arrays of the framework in whose words the call is."""
    assert call is not None
    namespace: dict[str, Any] = {"np": np}
    if "torch" in call:
        namespace["torch"] = torch()
    if "optax" in call or "jax" in call:
        namespace |= {"jax": jax(), "optax": importlib.import_module("optax")}
    made: Callable[..., Any] = eval(f"lambda {names}: {call}", namespace)
    return made


@dataclass(frozen=True)
class Case:
    """One piece of work at one size: who can do it, and the call that does it."""

    formula: Formula
    n: int
    dtype: str

    work = ""

    def __str__(self) -> str:
        return f"{self.formula!r}, {self.work}, {self.n} {self.dtype}"

    @property
    def contenders(self) -> list[str]:
        """Those that can do it here, lossref first."""
        raise NotImplementedError

    def enter(self, contender: str) -> Run:
        """A function of nothing that does the work once, and returns what came out."""
        run: Run = getattr(self, "by_" + re.sub("[^a-z]", "_", contender))()
        return run


@dataclass(frozen=True)
class Gradient(Case):
    """Value and gradient of a loss or a penalty; from a million elements on into ``out``."""

    work = "value and gradient"

    @property
    def contenders(self) -> list[str]:
        return ["lossref", "numpy", *peers(self.formula), "np.add"]

    @property
    def names(self) -> str:
        return ", ".join(self.formula.arrays) if isinstance(self.formula, Loss) else "w"

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        return data(self.formula, self.n, self.dtype)

    def learned(self, parts: Sequence[Any]) -> Any:
        """Of the arrays, or of what belongs to them: those that have a gradient, as the formula gives it."""
        count = len(getattr(self.formula, "learned", "w"))
        return tuple(parts[:count]) if count > 1 or isinstance(self.formula, JointLoss) else parts[0]

    def out(self) -> Any:
        return None if self.n < MEDIUM else self.learned([np.empty_like(array) for array in self.arrays])

    def by_lossref(self) -> Run:
        out = self.out()  # to name None costs a short call a tenth of a microsecond
        given = {} if out is None else {"out": out}
        return functools.partial(self.formula.value_and_grad, *self.arrays, **given)

    def by_numpy(self) -> Run:
        kernel, arrays, out = _fallback.kernels[self.formula._kernel], self.arrays, self.out()
        given = (arrays,) if isinstance(self.formula, JointLoss) else arrays
        return lambda: kernel.value_and_grad(self.formula, *given, out=out)

    def by_np_add(self) -> Run:
        """Not this work, but its bytes: what is read and written here must be read and written by everybody."""
        a, b = self.arrays[0], self.arrays[-1]
        b = b if b.shape == a.shape else a
        given = {} if self.n < MEDIUM else {"out": np.empty_like(a)}
        return functools.partial(np.add, a, b, **given)

    def by_torch(self) -> Run:
        call = function(spelled(self.formula, "torch"), self.names)
        tensors = [torch().tensor(array) for array in self.arrays]
        learned = self.learned(tensors)
        for x in learned if isinstance(learned, tuple) else (learned,):
            x.requires_grad_()

        def run() -> tuple[Any, Any]:
            for x in tensors:
                x.grad = None
            value = call(*tensors)
            value.backward()
            return value.detach(), self.learned([x.grad for x in tensors])

        return run

    def by_jax(self) -> Run:
        arrays = [jax().numpy.asarray(array) for array in self.arrays]
        learned = self.learned(range(len(arrays)))
        call = jax().jit(jax().value_and_grad(function(spelled(self.formula, "jax"), self.names), argnums=learned))
        return lambda: jax().block_until_ready(call(*arrays))


@dataclass(frozen=True)
class Batch(Gradient):
    """The same of a loss of a whole batch, whose bytes are few beside its pairs."""

    @property
    def contenders(self) -> list[str]:
        mines = isinstance(self.formula, lossref.BatchTriplet) and is_there("pytorch_metric_learning")
        return ["lossref", *peers(self.formula), *(["pytorch-metric-learning"] if mines else [])]

    def by_pytorch_metric_learning(self) -> Run:
        from pytorch_metric_learning import distances, losses, miners, reducers

        embeddings, labels = map(torch().tensor, self.arrays)
        distance = distances.LpDistance(normalize_embeddings=False)
        mine = miners.BatchHardMiner(distance=distance)
        loss = losses.TripletMarginLoss(self.formula.margin, distance=distance, reducer=reducers.MeanReducer())
        embeddings.requires_grad_()

        def run() -> tuple[Any, Any]:
            embeddings.grad = None
            value = loss(embeddings, labels, mine(embeddings, labels))
            value.backward()
            return value.detach(), embeddings.grad

        return run


@dataclass(frozen=True)
class Step(Case):
    """One step of an optimizer, in place."""

    work = "step"
    parts = 1

    @property
    def contenders(self) -> list[str]:
        return ["lossref", "numpy", *(name for peer in peers(self.formula) for name in self.of(peer)), "np.add"]

    def of(self, peer: str) -> list[str]:
        """The ways to take the step in one framework: PyTorch has a fused kernel for some."""
        if peer == "jax":
            return ["jax"]
        call = spelled(self.formula, peer)
        assert call is not None
        kind = function(call.partition("(")[0], "")()
        return ["torch fused", "torch"] if "fused" in inspect.signature(kind).parameters else ["torch"]

    def tensors(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Parameters and gradients."""
        rng = np.random.default_rng(self.n)
        theta, grad = (rng.standard_normal(self.n, self.dtype) for _ in range(2))
        return np.split(theta, self.parts), np.split(grad, self.parts)

    def by_lossref(self) -> Run:
        params, grads = self.tensors()
        state = self.formula.init(params)

        def run() -> list[Any]:
            self.formula.step(params, grads, state)
            return params

        return run

    def by_numpy(self) -> Run:
        params, grads = self.tensors()
        state = self.formula.init(params)
        kernel = _fallback.kernels[self.formula._kernel]

        def run() -> list[Any]:
            kernel.step(self.formula, params, grads, state)
            return params

        return run

    def in_torch(self, **settings: bool) -> tuple[list[Any], Any]:
        """The parameters with their gradients, and the optimizer that moves them."""
        params, grads = ([torch().tensor(array) for array in arrays] for arrays in self.tensors())
        for param, grad in zip(params, grads, strict=True):
            param.requires_grad_()
            param.grad = grad
        call = spelled(self.formula, "torch")
        assert call is not None
        return params, function(f"{call[:-1]}, **settings)", "params, settings")(params, settings)

    def by_torch(self, **settings: bool) -> Run:
        params, optimizer = self.in_torch(**settings)

        def run() -> list[Any]:
            optimizer.step()
            return [param.detach() for param in params]

        return run

    def by_torch_fused(self) -> Run:
        return self.by_torch(fused=True)

    def by_jax(self) -> Run:
        optimizer = function(spelled(self.formula, "jax"), "")()
        params, grads = ([jax().numpy.asarray(array) for array in arrays] for arrays in self.tensors())
        state = optimizer.init(params)

        def step(params: Any, grads: Any, state: Any) -> tuple[Any, Any]:
            updates, state = optimizer.update(grads, state, params)
            return [theta + update for theta, update in zip(params, updates, strict=True)], state

        call = jax().jit(step, donate_argnums=(0, 2))

        def run() -> list[Any]:
            nonlocal params, state
            params, state = jax().block_until_ready(call(params, grads, state))
            return params

        return run

    def by_np_add(self) -> Run:
        """As many bytes: the gradient is read, the parameters and each buffer are read and written."""
        arrays = 3 + 2 * len(self.formula._buffers)
        a, b, out = (np.ones(self.n * arrays // 3, self.dtype) for _ in range(3))
        return lambda: np.add(a, b, out=out)


@dataclass(frozen=True)
class Steps(Step):
    """One step of many tensors, in one call: where a call for each would cost more than its work."""

    work = "step of 200 tensors"
    parts = 200

    @property
    def contenders(self) -> list[str]:
        return ["lossref", *(self.of("torch") if "torch" in peers(self.formula) else [])]


@dataclass(frozen=True)
class ClippedStep(Step):
    """The norm of the gradient, its clipping and the step: in two passes, or one thing after the other."""

    work = "clip and step"

    @property
    def contenders(self) -> list[str]:
        fused = [name for name in self.of("torch") if name == "torch fused"] if "torch" in peers(self.formula) else []
        return ["lossref", "one by one", *fused]

    def by_lossref(self) -> Run:
        params, grads = self.tensors()
        state = self.formula.init(params)

        def run() -> list[Any]:
            clipped_step(self.formula, params, grads, state, max_norm=1.0)
            return params

        return run

    def by_one_by_one(self) -> Run:
        """Into another array, for in place a gradient needs clipping only once; read and written is the same."""
        params, grads = self.tensors()
        state, clipped = self.formula.init(params), [np.empty_like(grad) for grad in grads]

        def run() -> list[Any]:
            clip_by_norm(grads, 1.0, out=clipped)
            self.formula.step(params, clipped, state)
            return params

        return run

    def by_torch_fused(self) -> Run:
        """In place, where PyTorch multiplies every time."""
        params, optimizer = self.in_torch(fused=True)

        def run() -> list[Any]:
            torch().nn.utils.clip_grad_norm_(params, 1.0)
            optimizer.step()
            return [param.detach() for param in params]

        return run


@dataclass(frozen=True)
class Rate(Case):
    """The rate at one step, or at many."""

    work = "rate"

    @property
    def contenders(self) -> list[str]:
        return ["lossref", "numpy", *(name for name in peers(self.formula) if name == "jax")]

    @property
    def t(self) -> Any:
        return 12_345 if self.n == 1 else np.arange(self.n)

    def by_lossref(self) -> Run:
        return functools.partial(self.formula, self.t)

    def by_numpy(self) -> Run:
        t, template = self.t, RATES.get(type(self.formula).__name__)
        if template is None or getattr(self.formula, "staircase", False):
            return lambda: self.formula.reference(t)
        rate = function(Spelling("NumPy", template).write(self.formula), "t")
        return lambda: rate(t)

    def by_jax(self) -> Run:
        t = jax().numpy.asarray(self.t)
        call = jax().jit(function(spelled(self.formula, "jax"), "t"))
        return lambda: jax().block_until_ready(call(t))


@functools.lru_cache(maxsize=2)
def data(formula: Formula, n: int, dtype: str) -> tuple[np.ndarray, ...]:
    """Predictions and targets, or parameters, of some n elements."""
    rng = np.random.default_rng(n)
    x = rng.standard_normal(n, dtype)
    x[x == 0] = 1  # at a kink everybody has a subgradient of his own
    if isinstance(formula, EmbeddingLoss):
        rows = rng.standard_normal((len(formula.learned), n // 64, 64), dtype)
        return (*rows, rng.choice(formula.labels, n // 64)) if formula.labels else tuple(rows)
    if isinstance(formula, BatchLoss):  # 16 times as many samples as numbers, 32 samples of a class if there are
        width = round((n / 16) ** 0.5)
        samples = n // width
        views = tuple(rng.standard_normal((samples, width), dtype) for _ in formula.learned)
        return (*views, rng.integers(0, max(2, samples // 32), samples)) if "labels" in formula.arrays else views
    if isinstance(formula, PairedLoss):
        target = rng.choice(np.array([-1, 1], dtype), n) if formula.signs else rng.standard_normal(n, dtype)
        return (x, rng.standard_normal(n, dtype), target)[: len(formula.arrays)]
    if isinstance(formula, StructuredPenalty):
        rows = len(formula.groups) if isinstance(formula, lossref.GroupLasso) else round(n**0.5)
        return (x if isinstance(formula, lossref.TotalVariation) else x[: n // rows * rows].reshape(rows, -1),)
    if not isinstance(formula, PredictionLoss):
        return (x,)
    if isinstance(formula, RowwiseLoss):
        ranked = "relevances" in formula.targets  # lists are short, and their pairs many
        classes = 16 if n < MEDIUM or ranked else 1000
        x = x.reshape(-1, classes)
        chances = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
        x = {"probabilities": chances, "log-probabilities": np.log(chances)}.get(formula.predictions, x)
        if "labels" in formula.targets:
            return x, rng.integers(0, classes, n // classes)
        target = rng.integers(0, 4, x.shape) if ranked else rng.dirichlet(np.ones(classes), len(x))
        return x, target.astype(dtype)
    if hasattr(formula, "from_logits"):
        target = rng.integers(0, 2, n).astype(dtype)
        if not formula.from_logits:
            x = 1 / (1 + np.exp(-x))
    elif formula.signs:
        target = rng.choice(np.array([-1, 1], dtype), n)
    elif formula.domain in ("counts", "amounts"):
        target = 1 + rng.poisson(3.0, n).astype(dtype)
    else:
        target = rng.standard_normal(n, dtype)
        target[target == x] += 1
    return x, target


# What one would write in NumPy; it may be less exact than a formula's own NumPy reading.
RATES = {
    "StepDecay": "{initial} * {factor} ** (t // {every})",
    "Exponential": "{initial} * {rate} ** (t / {every})",
    "Cosine": "{floor} + ({peak} - {floor}) / 2 * (1 + np.cos(np.pi / {steps} * np.minimum(t, {steps})))",
}


def one_for_each_kernel(chapter: str) -> list[Formula]:
    """The first of a formula's tested settings, and the first of each of its other forms."""
    found: dict[str, Formula] = {}
    for formula in samples(chapter):
        found.setdefault(formula._kernel, formula)
    return list(found.values())


def cases() -> Iterator[Case]:
    """Everything that is timed, in the order of the book."""
    for formula in [*one_for_each_kernel("losses"), *one_for_each_kernel("regularizers")]:
        large = 8192 * 1000 if isinstance(formula, RowwiseLoss) else LARGE
        if isinstance(formula, BatchLoss):
            for n in (SMALL, 2048 * 128):
                yield Batch(formula, n, "float32")
            continue
        for n in (SMALL, MEDIUM) if isinstance(formula, StructuredPenalty) else (SMALL, MEDIUM, large):
            for dtype in ("float32",) if n == large else ("float32", "float64"):
                if not (isinstance(formula, lossref.Nuclear) and (n, dtype) == (MEDIUM, "float32")):
                    yield Gradient(
                        formula, n, dtype
                    )  # others have few digits of a thousand singular vectors in float32
    for formula in one_for_each_kernel("optimizers"):
        yield Step(formula, THOUSAND, "float32")
    for kind in formulas("optimizers"):
        yield Step(kind(**kind.samples[0]), HUGE, "float32")
    for n in (THOUSAND, MANY):
        yield Steps(lossref.AdamW(), n, "float32")
    for n in (THOUSAND, HUGE):
        yield ClippedStep(lossref.AdamW(), n, "float32")
    for formula in one_for_each_kernel("schedules"):
        stretched = {name: getattr(formula, name) * 10_000 for name in ("steps", "every") if hasattr(formula, name)}
        for n in (1, MEDIUM):
            yield Rate(dataclasses.replace(formula, **stretched), n, "float64")


def check(case: Case, ours: Any, theirs: Any) -> None:
    """Refuse to time two things that are not the same."""
    tolerance = 1e-4 if case.dtype == "float32" else 1e-9
    if isinstance(case, Rate):
        ours, theirs = (ours,), (theirs,)
    for mine, other in zip(ours, theirs, strict=True):
        mine, other = np.asarray(mine, np.float64), np.asarray(other, np.float64)
        size = np.abs(mine).max(initial=0)
        near = np.isclose(other, mine, rtol=tolerance, atol=tolerance / 100 * size)
        if np.count_nonzero(~near) > near.size / 10**6:  # of millions a few lie at a kink
            np.testing.assert_allclose(other, mine, rtol=tolerance, atol=tolerance / 100 * size, err_msg=str(case))
