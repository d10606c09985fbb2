"""Bad input: the exact kind of error, in words that name the function and the argument, and nothing written."""

import dataclasses
import itertools
import math
import re

import cases
import numpy as np
import pytest
from cases import CASES, PENALTIES

import lossref
from lossref import registry

#: Each class once, over rows with labels and with probabilities.
FIRST = list({(type(case.loss), case.targets): case for case in reversed(CASES)}.values())[::-1]
LOSSES = [dataclasses.replace(case, loss=type(case.loss)(**case.loss.samples[0])) for case in FIRST]
GROUPED = lossref.GroupLasso(lam=0.7, groups=(0, 1, 0, 1, 2))
VARIATION = lossref.TotalVariation(lam=0.7)
NUCLEAR = lossref.Nuclear(lam=0.7)
ONCE = [*{type(penalty): penalty for penalty in PENALTIES}.values(), GROUPED, VARIATION, NUCLEAR]

SHAPED = {"one too many", "one too few", "a dimension more", "a single number", "empty"}
#: Shapes that a penalty does not take; others take any.
REFUSED = {
    GROUPED: SHAPED - {"a dimension more"},
    VARIATION: {"a dimension more", "a single number"},
    NUCLEAR: {"a single number"},
}
METHODS = ("__call__", "values", "grad", "value_and_grad", "curvature")

every_loss = pytest.mark.parametrize("case", LOSSES, ids=str)
every_method = pytest.mark.parametrize("method", METHODS)
every_penalty = pytest.mark.parametrize("penalty", ONCE, ids=repr)


class Series:
    """Something from another library that knows how to become an array."""

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return self.array if dtype is None else self.array.astype(dtype)


def as_structured(array):
    made = np.zeros(array.shape, [("x", array.dtype)])
    made["x"] = array
    return made


def quietly(warning, make):
    def made(array):
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", warning)
            return make(array)

    return made


#: Kinds of array, and what a loss or penalty that only reads them says: None (it takes them), or an error in words.
#: What has no numbers in it is of the wrong kind; what has none of the right shape or place has the wrong value.
KINDS = {
    "float32": (lambda a: a.astype(np.float32), None),
    "float64": (lambda a: a.astype(np.float64), None),
    "big-endian": (lambda a: a.astype(">f8"), None),
    "read-only": (lambda a: frozen(a), None),
    "negative strides": (lambda a: np.ascontiguousarray(a[::-1])[::-1], None),
    "Fortran": (lambda a: np.asfortranarray(np.stack([a, a], -1))[..., 0], None),
    "zero strides": (lambda a: np.broadcast_to(a[:1], a.shape), None),
    "misaligned": (lambda a: misaligned(a), None),
    "list": (lambda a: a.tolist(), None),
    "tuple": (lambda a: tuple(a.tolist()), None),
    "range of ints": (lambda a: np.ones(a.shape, int).tolist(), None),
    "int64": (lambda a: np.ones(a.shape, np.int64), None),
    "uint8": (lambda a: np.ones(a.shape, np.uint8), None),
    "bool": (lambda a: np.ones(a.shape, bool), None),
    "float16": (lambda a: a.astype(np.float16), None),
    "__array__": (Series, None),
    "subclass": (lambda a: a.view(type("Mine", (np.ndarray,), {})), None),
    "longdouble": (lambda a: a.astype(np.longdouble), (TypeError, "has dtype (float128|longdouble|float96)")),
    "complex": (lambda a: a.astype(complex), (TypeError, "has dtype complex128")),
    "object": (lambda a: a.astype(object), (TypeError, "has dtype object")),
    "str": (lambda a: a.astype(str), (TypeError, "has dtype <U")),
    "bytes": (lambda a: a.astype("S4"), (TypeError, r"has dtype \|S4")),
    "datetime": (lambda a: np.zeros(a.shape, "M8[s]"), (TypeError, r"has dtype datetime64\[s\]")),
    "timedelta": (lambda a: np.zeros(a.shape, "m8[s]"), (TypeError, r"has dtype timedelta64\[s\]")),
    "structured": (as_structured, (TypeError, "has dtype ")),
    "masked": (np.ma.masked_array, (TypeError, "is a MaskedArray")),
    "matrix": (quietly(PendingDeprecationWarning, np.matrix), (TypeError, r"is a numpy\.matrix")),
    "None": (lambda a: None, (TypeError, "is None")),
    "text": (lambda a: "0.5", (TypeError, "has dtype <U3")),
    "dict": (lambda a: {0: 0.5}, (TypeError, "has dtype object")),
    "generator": (lambda a: (x for x in a), (TypeError, "has dtype object")),
    "ragged": (lambda a: [[0.1], [0.2, 0.3]], (ValueError, "is not a rectangular array")),
    "one too many": (lambda a: np.concatenate([a, a[:1]]), (ValueError, r"has shape \(6,")),
    "one too few": (lambda a: a[:-1], (ValueError, r"has shape \(4,")),
    "a dimension more": (lambda a: a[..., np.newaxis], (ValueError, r"has shape \(5, ")),
    "a single number": (lambda a: np.float64(0.5), (ValueError, r"has shape \(\)")),
    "empty": (lambda a: a[:0], (ValueError, r"has shape \(0,")),
}


def frozen(array):
    array = array.copy()
    array.flags.writeable = False
    return array


def misaligned(array):
    raw = np.zeros(array.nbytes + 1, np.uint8)[1:].view(array.dtype).reshape(array.shape)
    raw[...] = array
    return raw


def good(case, rng):
    pred, target = case.draw(rng, 5, np.float64)
    return {"pred": pred, "target": target, "weight": rng.uniform(0.5, 2, 5)}


def call(case, method, arguments, **more):
    run = getattr(case.loss, method)
    return run(arguments["pred"], arguments["target"], weight=arguments.get("weight"), **more)


def takes_out(method):
    return method != "__call__"


def refuses(error, owner, argument, words):
    """The error of exactly this type, in one line that starts with who and what."""
    return pytest.raises(error, match=rf"^{owner}: {argument}\b.*{words}", check=lambda raised: type(raised) is error)


class Untouched:
    """Arrays that must not change while something fails."""

    def __init__(self, *arrays):
        self.arrays = [array for array in arrays if isinstance(array, np.ndarray) and array.dtype != object]
        self.before = [array.tobytes() for array in self.arrays]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        assert [array.tobytes() for array in self.arrays] == self.before, "a failed call wrote something"


def fresh(case, method, arguments):
    """An output that fits, full of a number that no result is."""
    shape = arguments["pred"].shape
    return np.full(shape[:1] if case.rowwise and method == "values" else shape, 12345.0)


@pytest.mark.parametrize("argument", ["pred", "target", "weight"])
@every_loss
def test_an_array_of_each_kind_is_taken_or_refused_in_words(case, argument, way_in, rng):
    for kind in KINDS:
        with cases.about(kind):
            check_kind(case, argument, kind, good(case, rng))


def check_kind(case, argument, kind, arguments):
    """Every method takes this kind of array, or refuses it and writes nothing."""
    make, refusal = KINDS[kind]
    labels = argument == "target" and case.targets == "labels"
    if kind == "matrix" and arguments[argument].ndim == 1:
        make = quietly(PendingDeprecationWarning, lambda a: np.matrix(a))
    if labels:
        if kind in {"float32", "float64", "big-endian", "float16", "bool", "longdouble"}:
            refusal = (TypeError, "has dtype ")
            make = KINDS[kind][0]
        elif kind == "a dimension more":
            refusal = (ValueError, r"has shape \(5, 1\)")
        elif kind in {"str", "bytes", "complex", "object"}:
            refusal = (TypeError, "has dtype ")
    if argument == "weight" and kind == "None":
        refusal = None
    given = arguments | {argument: make(arguments[argument])}
    owner = type(case.loss).__name__
    for method in METHODS:
        out = fresh(case, method, arguments)
        with Untouched(*(arguments[name] for name in arguments if name != argument)) as all_of_them:
            all_of_them.arrays.append(out)
            all_of_them.before.append(out.tobytes())
            if kind == "generator":
                given = arguments | {argument: make(arguments[argument])}
            if refusal is None:
                result = call(case, method, given)
                result = result[0] if method == "value_and_grad" else result
                assert np.isfinite(result).all()
            else:
                error, words = refusal
                # Where two arrays disagree, the error names the one or the other, and both shapes.
                name = argument if kind not in SHAPED or argument == "weight" else "(pred|target|weight)"
                words = words if kind not in SHAPED else ".*shape "
                with refuses(error, owner, name, words):
                    call(case, method, given)
                if takes_out(method):
                    with refuses(error, owner, name, words):
                        call(case, method, given, out=out)


@every_loss
def test_a_kind_that_is_taken_means_the_numbers_in_it(case, way_in, rng):
    """Integers, bools and sequences are float64, float16 is float32: the result is that of the array itself."""
    for kind, (make, refusal) in KINDS.items():
        if refusal is not None:
            continue
        arguments = good(case, rng)
        pred = make(arguments["pred"])
        plain = np.array(pred.array if isinstance(pred, Series) else pred)
        wide = {"float32": np.float32, "float16": np.float32}.get(kind, np.float64)
        plain = plain.astype(wide)
        grad = case.loss.grad(pred, arguments["target"])
        with cases.about(kind):
            assert grad.dtype == wide
            assert type(grad) is np.ndarray
            np.testing.assert_array_equal(grad, case.loss.grad(plain, arguments["target"]))
            assert grad.any()


@every_method
@every_loss
def test_the_prediction_decides_the_precision(case, method, way_in, rng):
    arguments = good(case, rng)
    narrow = {name: array.astype(np.float32) if array.dtype.kind == "f" else array for name, array in arguments.items()}
    wanted = call(case, method, narrow)
    mixed = call(case, method, narrow | {"target": narrow["target"].astype(arguments["target"].dtype)})
    for one, other in (
        zip(np.atleast_1d(wanted), np.atleast_1d(mixed), strict=True)
        if method != "value_and_grad"
        else [(wanted[1], mixed[1])]
    ):
        np.testing.assert_array_equal(one, other)
        assert np.asarray(one).dtype == np.asarray(other).dtype


OUTS = {
    "list": (lambda a: a.tolist(), TypeError, "must be a numpy array of dtype float64, got list"),
    "number": (lambda a: 3.0, TypeError, "must be a numpy array of dtype float64, got float"),
    "masked": (np.ma.masked_array, TypeError, "must be a numpy array of dtype float64, got MaskedArray"),
    "float32": (lambda a: a.astype(np.float32), TypeError, "has dtype float32 but the result has dtype float64"),
    "int64": (lambda a: a.astype(int), TypeError, "has dtype int64 but the result has dtype float64"),
    "object": (lambda a: a.astype(object), TypeError, "has dtype object but the result has dtype float64"),
    "big-endian": (lambda a: a.astype(">f8"), (TypeError, ValueError), "dtype|native"),
    "misaligned": (misaligned, ValueError, "must be native-endian and aligned"),
    "read-only": (frozen, ValueError, "is read-only"),
    "another shape": (lambda a: a[:-1], ValueError, r"has shape \(4,.* but the result has shape \(5,"),
    "a dimension more": (lambda a: a[None], ValueError, r"has shape \(1, 5.* but the result has shape \(5,"),
    "no dimension": (lambda a: a.reshape(-1)[0:1].reshape(()), ValueError, r"has shape \(\) but the result has shape"),
    "sharing its elements": (
        lambda a: np.lib.stride_tricks.as_strided(a, a.shape, (0,) * a.ndim), ValueError, "share memory"
    ),
    "elements that overlap": (
        lambda a: np.lib.stride_tricks.as_strided(np.zeros(99), a.shape, (8, 8)[: a.ndim] if a.ndim == 2 else (4,)),
        ValueError,
        "share memory|aligned",
    ),
}  # fmt: skip


@every_loss
def test_an_output_that_cannot_be_written_is_refused_and_not_written(case, way_in, rng):
    arguments = good(case, rng)
    owner = type(case.loss).__name__
    for (kind, (make, error, words)), method in itertools.product(OUTS.items(), filter(takes_out, METHODS)):
        out = make(fresh(case, method, arguments))
        wanted = pytest.raises(error, match=rf"^{owner}: out\b.*({words})")
        with cases.about(kind, method), Untouched(out, *arguments.values()), wanted:
            call(case, method, arguments, out=out)


@every_loss
def test_an_output_that_overlaps_an_input_is_refused_and_not_written(case, way_in, rng):
    arguments = good(case, rng)
    pred = arguments["pred"]
    memory = np.zeros(pred.size + 3)
    inside, shifted = memory[: pred.size].reshape(pred.shape), memory[1 : pred.size + 1].reshape(pred.shape)
    inside[...] = pred
    backwards = inside[::-1]
    for method in filter(takes_out, METHODS):
        for out in (shifted, backwards):
            if case.rowwise and method == "values":
                out = out[:, 1]
            with Untouched(memory), refuses(ValueError, type(case.loss).__name__, "out", "overlaps pred"):
                call(case, method, arguments | {"pred": inside}, out=out)


@every_loss
def test_an_output_that_overlaps_the_target_is_refused_and_not_written(case, way_in, rng):
    if case.targets == "labels":
        return
    arguments = good(case, rng)
    memory = np.zeros(arguments["target"].size + 3)
    inside = memory[: arguments["target"].size].reshape(arguments["target"].shape)
    inside[...] = arguments["target"]
    out = memory[1 : inside.size + 1].reshape(inside.shape)
    for method in ("grad", "value_and_grad", "curvature"):
        with Untouched(memory), refuses(ValueError, type(case.loss).__name__, "out", "overlaps target"):
            call(case, method, arguments | {"target": inside}, out=out)


@every_loss
def test_an_output_that_overlaps_the_weights_is_refused_or_right(case, way_in, rng):
    """Weights are read before anything is written, or the output is refused."""
    arguments = good(case, rng)
    wanted = call(case, "values", arguments)
    memory = np.zeros(12)
    weight, out = memory[:5], memory[2:7]
    weight[...] = arguments["weight"]
    try:
        call(case, "values", arguments | {"weight": weight}, out=out)
    except ValueError as error:
        assert re.match(rf"{type(case.loss).__name__}: out overlaps weight", str(error))  # noqa: PT017
        np.testing.assert_array_equal(weight, arguments["weight"])
    else:
        np.testing.assert_array_equal(out, wanted)


# --- Labels -------------------------------------------------------------------------------------------------------

OVER_ROWS = list({type(loss): type(loss)(**loss.samples[0]) for loss in cases.ROWWISE}.values())


def rowwise(good=lambda loss: True):
    """Every loss over rows for which this holds."""
    return pytest.mark.parametrize("loss", list(filter(good, OVER_ROWS)), ids=repr)


@every_method
@rowwise(lambda loss: "labels" in loss.targets)
def test_a_label_out_of_range_is_named_before_it_is_read_through(loss, method, way_in):
    pred = np.zeros((4, 3))
    for label in (3, -1, -100, 2**31, 2**63 - 1, -(2**63)):
        labels = np.array([0, 1, label, -7])
        words = rf"\[2\] = {label} is outside \[0, 3\)"
        with Untouched(pred, labels), refuses(ValueError, type(loss).__name__, "target", words):
            getattr(loss, method)(pred, labels)
    labels = np.array([0, 2**63 + 5, 1, 1], np.uint64)
    with refuses(ValueError, type(loss).__name__, "target", rf"\[1\] = {2**63 + 5} is outside \[0, 3\)"):
        getattr(loss, method)(pred, labels)


@rowwise(lambda loss: "ignore_index" in vars(loss))
def test_an_ignored_label_may_be_any_integer_and_another_is_still_refused(loss, way_in):
    for index in (-100, 7, 2**40, -(2**62)):
        ignoring = dataclasses.replace(loss, ignore_index=index)
        assert math.isfinite(ignoring(np.ones((2, 3)) / 3, [0, index]))
        with refuses(ValueError, type(loss).__name__, "target", r"\[1\] = -1 is outside \[0, 3\)"):
            ignoring(np.zeros((3, 3)), [index, -1, 0])


@every_method
@rowwise()
def test_scores_without_rows_or_classes_are_refused(loss, method, way_in):
    for shape in ((3,), (), (2, 3, 1), (4, 0)):
        with refuses(ValueError, type(loss).__name__, "pred", rf"has shape {re.escape(str(shape))}.*classes"):
            getattr(loss, method)(np.zeros(shape), np.zeros(shape[:1], int))


@rowwise(lambda loss: "class_weight" in vars(loss))
def test_class_weights_for_other_classes_are_refused(loss, way_in):
    weighted = dataclasses.replace(loss, class_weight=(1.0, 2.0))
    for target in ([0, 1], np.full((2, 3), 1 / 3)):
        with refuses(ValueError, type(loss).__name__, "class_weight", "has 2 weights but pred has 3 classes"):
            weighted.grad(np.zeros((2, 3)), target)


@every_method
@rowwise()
def test_targets_of_another_form_are_refused_with_the_forms_that_are_taken(loss, method, way_in):
    rows = {"probabilities", "masks", "relevances"}
    forms = {"labels": np.array([0, 1])} | dict.fromkeys(rows, np.full((2, 3), 1 / 3))
    taken = rows | {*loss.targets} if rows & {*loss.targets} else {*loss.targets}
    for form in forms.keys() - taken:
        wanted = " or ".join(f"(integer )?{each} of shape .*" for each in loss.targets)
        with refuses(ValueError, type(loss).__name__, "target", rf"has dtype \w+ and shape .*; give {wanted}"):
            getattr(loss, method)(np.full((2, 3), 0.5), forms[form])
    wrong = np.array([0.5, 1]) if "labels" in loss.targets else np.zeros((2, 3, 1))
    with refuses(TypeError if "labels" in loss.targets else ValueError, type(loss).__name__, "target", "; give "):
        getattr(loss, method)(np.full((2, 3), 0.5), wrong)


signs = pytest.mark.parametrize(
    "loss", list({type(loss): type(loss)() for loss in cases.POINTWISE if loss.signs}.values()), ids=repr
)


@every_method
@signs
def test_what_is_no_label_is_named_before_anything_is_written(loss, method, dtype, way_in):
    """In the fast way in, the one for lists and strides, and the one with weights; neighbours of a label among them."""
    name = type(loss).__name__
    pred, right = np.full(70, 0.5, dtype), np.where(np.arange(70) % 3, 1, -1).astype(dtype)
    one = dtype.type(1)
    for label in (0, 2, 0.5, -1e-30, np.inf, -np.inf, np.nextafter(one, 2 * one), np.nextafter(-one, 0 * one)):
        target = right.copy()
        target[67] = label
        words = r"\[67\] = \S+ is no label: .* 2 \* y - 1$"
        out = np.full(70, 12345, dtype)
        with Untouched(pred, target, out):
            for given in (target, target.tolist(), np.repeat(target, 2)[::2]):
                with refuses(ValueError, name, "target", words):
                    getattr(loss, method)(pred, given, **({"out": out} if takes_out(method) else {}))
            with refuses(ValueError, name, "target", words):
                getattr(loss, method)(pred, target, weight=np.zeros(70))
        with refuses(ValueError, name, "target", r"\[33, 1\] = "):
            getattr(loss, method)(pred.reshape(35, 2), target.reshape(35, 2))
    with refuses(ValueError, name, "target", "= 0.0 is no label"):
        getattr(loss, method)(0.5, 0)
    with refuses(ValueError, name, "target", r"\[0\] = 0.5 is no label"):  # the same array twice
        getattr(loss, method)(pred, pred)
    right[3] = np.nan
    assert np.isnan(loss.values(pred, right)).sum() == 1


# --- Penalties ----------------------------------------------------------------------------------------------------


@every_penalty
def test_parameters_of_each_kind_are_taken_or_refused_in_words(penalty, way_in, rng):
    runs = (penalty, penalty.grad, penalty.value_and_grad, lambda w: penalty.prox(w, 0.5))
    for (kind, (make, refusal)), run in itertools.product(KINDS.items(), runs):
        w = rng.standard_normal(5)
        with cases.about(kind):
            if refusal is None or (kind in SHAPED and kind not in REFUSED.get(penalty, ())):
                result = run(make(w))
                assert np.isfinite(result[0] if isinstance(result, tuple) else result).all()
            else:
                with Untouched(w), refuses(refusal[0], type(penalty).__name__, "w", refusal[1]):
                    run(make(w))


@every_penalty
def test_an_output_of_a_penalty_that_cannot_be_written_is_refused_and_not_written(penalty, way_in, rng):
    w = rng.standard_normal(5)
    runs = (penalty.grad, penalty.value_and_grad, lambda w, out: penalty.prox(w, 0.5, out=out))
    for (kind, (make, error, words)), run in itertools.product(OUTS.items(), runs):
        out = make(np.full(5, 12345.0))
        wanted = rf"^{type(penalty).__name__}: out\b.*({words})"
        with cases.about(kind), Untouched(out, w), pytest.raises(error, match=wanted):
            run(w, out=out)


STEPS = {
    ValueError: (0, -1.0, math.nan, math.inf), TypeError: (None, "1", True, [0.1], 1j, np.ones(3))
}  # fmt: skip


@every_penalty
def test_a_step_that_is_no_positive_number_is_refused(penalty, way_in):
    w = np.ones(3)
    for error, steps in STEPS.items():
        for step in steps:
            wanted = refuses(error, type(penalty).__name__, "step", "must be a number > 0, got ")
            with cases.about(step), Untouched(w), wanted:
                penalty.prox(w, step, out=w)


# --- Hyper-parameters ---------------------------------------------------------------------------------------------

VALUES = [
    None, "1", "mean", "sum", "hard", "median", b"mean", True, False, math.nan, math.inf, -math.inf, -1, -0.5, 0, 0.0,
    1e-320, 0.25, 0.5, 1, 1.0, 1.5, 2, 10**400, 1j, np.float32(0.5), np.float64(2), np.int64(3), np.bool_(True),
    np.ones(3), np.array(0.5), [0.5, 1.0], (1, 2.0), [], [1, -1], [1, math.nan], [1, "1"], {}, ...,
]  # fmt: skip

#: From the words of a range to what is of the right kind, and what then has the right value.
REAL = (int, float, np.floating, np.integer)


def is_real(value):
    return isinstance(value, REAL) and not isinstance(value, bool | np.bool_)


def is_integer(value):
    return isinstance(value, int | np.integer) and not isinstance(value, bool | np.bool_)


def finite(value):
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def is_sequence(value):
    return value is None or (
        isinstance(value, list | tuple | np.ndarray) and np.ndim(value) == 1 and all(map(is_real, value))
    )


CONTRACT = {
    "a finite number": (is_real, finite),
    "a finite number <= 2": (is_real, lambda v: finite(v) and v <= 2),
    "a number in [1, 2]": (is_real, lambda v: finite(v) and 1 <= v <= 2),
    "a number > 0": (is_real, lambda v: finite(v) and v > 0),
    "a number >= 0": (is_real, lambda v: finite(v) and v >= 0),
    "a number in [0, 1)": (is_real, lambda v: finite(v) and 0 <= v < 1),
    "a number in (0, 1)": (is_real, lambda v: finite(v) and 0 < v < 1),
    "a number in [0, 1]": (is_real, lambda v: finite(v) and 0 <= v <= 1),
    "a number in [0, 1] or None": (
        lambda v: v is None or is_real(v), lambda v: v is None or (finite(v) and 0 <= v <= 1)
    ),
    "a number >= 1": (is_real, lambda v: finite(v) and v >= 1),
    "a number in [-1, 1]": (is_real, lambda v: finite(v) and -1 <= v <= 1),
    "0 or 1": (is_integer, lambda v: v in (0, 1)),
    "an integer >= 1": (is_integer, lambda v: v >= 1),
    "True or False": (lambda v: isinstance(v, bool), lambda v: True),
    "'all' or 'easy' or 'semi-hard' or 'hard' or 'batch-hard'": (
        lambda v: isinstance(v, str), lambda v: v in ("all", "easy", "semi-hard", "hard", "batch-hard")
    ),
    "'mean' or 'sum'": (lambda v: isinstance(v, str), lambda v: v in ("mean", "sum")),
    "'crammer-singer' or 'weston-watkins'": (
        lambda v: isinstance(v, str), lambda v: v in ("crammer-singer", "weston-watkins")
    ),
    "a sequence of integers, one for each row of w": (
        lambda v: isinstance(v, list | tuple | np.ndarray) and np.ndim(v) == 1 and all(map(is_integer, v)),
        lambda v: True,
    ),
    "an integer or None": (lambda v: v is None or is_integer(v), lambda v: True),
    "a sequence of numbers >= 0, one for each class, or None": (
        is_sequence, lambda v: v is None or (len(v) > 0 and all(finite(x) and x >= 0 for x in v))
    ),
}  # fmt: skip

FIELDS = [
    (formula, field)
    for chapter in ("losses", "regularizers")
    for formula in registry.formulas(chapter)
    for field in dataclasses.fields(formula)
]


@pytest.mark.parametrize(("formula", "field"), FIELDS, ids=lambda part: getattr(part, "__name__", None) or part.name)
def test_a_hyper_parameter_is_within_its_range_or_refused_in_words(formula, field):
    for value in VALUES:
        with cases.about(value):
            check_setting(formula, field, value)


def check_setting(formula, field, value):
    """The value is stored, and the repr rebuilds it; or it is refused, by name."""
    text = formula.range_of(field).text
    right_kind, right_value = CONTRACT[text]
    settings = dict(formula.samples[0]) | {field.name: value}
    wanted = rf"^{formula.__name__}: {field.name} must be {re.escape(text)}, got "
    if right_kind(value) and right_value(value):
        stored = getattr(formula(**settings), field.name)
        assert type(stored) in (bool, int, float, str, tuple, type(None))
        if value is None or isinstance(value, str):
            assert stored == value
        else:
            np.testing.assert_array_equal(stored, value)
        assert eval(repr(formula(**settings)), {formula.__name__: formula}) == formula(**settings)
    elif right_kind(value):
        with pytest.raises(ValueError, match=wanted):
            formula(**settings)
    else:  # [1, "1"] is of the wrong kind, as is everything that is not even a number
        with pytest.raises(TypeError, match=wanted):
            formula(**settings)


@pytest.mark.parametrize("formula", [f for c in ("losses", "regularizers") for f in registry.formulas(c)])
def test_an_unknown_setting_is_refused_by_name(formula):
    with pytest.raises(TypeError, match="sharpness"):
        formula(**formula.samples[0], sharpness=1.0)


@pytest.mark.parametrize(
    ("n", "error"),
    [(0, ValueError), (-3, ValueError), (2.0, TypeError), (True, TypeError), ("2", TypeError), (None, TypeError)],
)
def test_a_number_of_threads_that_is_none_is_refused(n, error):
    before = lossref.get_num_threads()
    with pytest.raises(error, match=r"^set_num_threads: n must be "):
        lossref.set_num_threads(n)
    assert lossref.get_num_threads() == before


def test_what_is_no_matrix_has_no_nuclear_norm(backend):
    for w in (np.float64(1.0), np.ones((2, 2, 2))):
        with pytest.raises(ValueError, match=r"^Nuclear: w has shape \(.*\); it must be a matrix$"):
            NUCLEAR(w)
