"""What the elementary functions are held against: definitions in mpmath, inputs that find faults, published errors."""

import importlib
import json
from pathlib import Path

import mpmath
import numpy as np

from lossref import _backend

MEASURED = Path(__file__).parent.parent / "docs" / "measured" / "vecmath.json"

#: The functions by definition.
ORACLES = {
    "exp": mpmath.exp,
    "expm1": mpmath.expm1,
    "log": mpmath.log,
    "log1p": mpmath.log1p,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "exp_nonpositive": mpmath.exp,
    "log1p_unit": mpmath.log1p,
}
#: The most ulp that a function may be off: the promise is 1.5, but 2 of log1p_unit, for loops that count operations.
LIMITS = dict.fromkeys(ORACLES, 1.0) | {"log1p_unit": 2.0}
#: Where a function is defined, and where its code changes over: where another power of two is taken out, clamps, ends.
DOMAINS = {"log": (0, np.inf), "log1p": (-1, np.inf), "exp_nonpositive": (-np.inf, 0), "log1p_unit": (0, 1)}
EXPONENTIAL = [
    0,
    *(np.log(2) * (k + 0.5) for k in (-1075, -1023, -150, -127, -61, -60, -2, -1, 0, 1, 63, 64, 126, 127)),
]
EDGES = {
    **dict.fromkeys(["exp", "expm1", "exp_nonpositive", "sigmoid", "softplus"], EXPONENTIAL),
    "log": [0.75, 1.0, 1.5, 3.0, 0.375, 2.0**-126, 2.0**-1022],
    "log1p": [-1.0, -0.25, -0.625, 0.0, 0.5, 2.0, 2.0**24, 2.0**53],
    "log1p_unit": [0.0, 0.5, 1.0],
}
EDGES["exp"] = EDGES["expm1"] = [
    *EXPONENTIAL,
    88.722839,
    -103.97208,
    709.782712893384,
    -745.1332191019411,
    -17.4,
    -37.5,
]
EDGES["sigmoid"] = EDGES["softplus"] = [*EXPONENTIAL, -103.97208, -745.1332191019411, 17.4, 37.5]


def instruction_sets() -> list[str]:
    """Those that were built and that run here."""
    return [name for name in _backend.COMPILED if _backend.why_not(name) is None]


def functions(instruction_set: str):
    """The module of loops that was compiled for an instruction set."""
    return importlib.import_module(f"lossref._kernels.{instruction_set}.elementary")


def error(got, exact, dtype) -> float:
    """|got - exact| in units in the last place of ``exact``; infinite where one is no number and the other is."""
    kind = np.finfo(dtype)
    with np.errstate(over="ignore"):
        if not np.isfinite(got) or mpmath.isnan(exact):
            with mpmath.workprec(kind.nmant + 1):
                same = (
                    np.isnan(got) if mpmath.isnan(exact) else got == float(+exact) or abs(exact) >= rounds_to_inf(kind)
                )
            return 0.0 if same else np.inf
    exponent = max(mpmath.frexp(exact)[1] - 1, int(kind.minexp)) if exact else int(kind.minexp)
    return float(abs(mpmath.mpf(float(got)) - exact) * mpmath.mpf(2) ** (int(kind.nmant) - exponent))


def rounds_to_inf(kind):
    return mpmath.mpf(2) ** int(kind.maxexp) * (1 - mpmath.mpf(2) ** -(int(kind.nmant) + 2))


def errors(name, instruction_set, x, apply=None) -> np.ndarray:
    """The error of the function at each x, against its definition at 200 bits."""
    y = (apply or functions(instruction_set).apply)(name, x)
    with mpmath.workprec(200):
        return np.array(
            [error(got, ORACLES[name](mpmath.mpf(float(at))), x.dtype) for at, got in zip(x, y, strict=True)]
        )


def neighbours(x, steps, dtype) -> np.ndarray:
    """The floats that lie the given numbers of steps from x, in the order of the real line."""
    whole = np.int32 if dtype == np.float32 else np.int64
    bits = np.atleast_1d(np.asarray(x, dtype)).view(whole)
    line = np.where(bits < 0, np.iinfo(whole).min - bits, bits)[:, None] + np.asarray(steps, whole)
    line = line.ravel()
    return np.where(line < 0, np.iinfo(whole).min - line, line).astype(whole).view(dtype)


def within(name, x) -> np.ndarray:
    low, high = DOMAINS.get(name, (-np.inf, np.inf))
    x = x[np.isfinite(x) & (x > low if name in {"log", "log1p"} else x >= low) & (x <= high)]
    return np.unique(x)


def strata(name, dtype, each, rng) -> np.ndarray:
    """Inputs from everywhere: each edge and its neighbours, powers of two, subnormals, every scale, every bend."""
    kind = np.finfo(dtype)
    sign = rng.choice([-1, 1], each)
    with np.errstate(over="ignore"):
        parts = [
            neighbours(EDGES[name], range(-64, 65, max(1, 2000 // each)), dtype),
            rng.choice([-1, 1], 40) * np.exp2(rng.integers(kind.minexp - kind.nmant, kind.maxexp, 40).astype(float)),
            sign * rng.integers(1, 2**kind.nmant, each) * float(kind.smallest_subnormal),
            sign * np.exp2(rng.uniform(kind.minexp, kind.maxexp, each)),
            sign * np.exp2(rng.uniform(-kind.nmant - 2, 3, each)),
            rng.uniform(-4, 4, each),
            rng.uniform(-1, 2, each),
            rng.uniform(*((-105, 90) if dtype == np.float32 else (-750, 711)), each),
            np.linspace(-45, 45, each),
        ]
        return within(name, np.concatenate([np.asarray(part, dtype) for part in parts]))


def mine(name, instruction_set, rng, rounds=8, keep=200) -> tuple[float, float, int]:
    """Climb towards the largest error in float64: from the worst of many inputs look near and far, and again.

    The search itself asks NumPy's long double, which is quick (and where it is no wider than float64, blind); what it
    finds is measured with mpmath. Of a binade no more than eight inputs are kept, so that one bad place does not hide
    the others.
    """
    known = [float.fromhex(entry["at"]) for entry in published().get(name, {}).get("float64", {}).values()]
    x = np.union1d(strata(name, np.float64, 100_000, rng), known)
    tried = len(x)
    for _ in range(rounds):
        order = np.argsort(suspicion(name, instruction_set, x))[::-1][: 40 * keep]
        binade = np.frexp(x[order])[1] * 2 + (x[order] < 0)
        rank = np.array([np.sum(binade[:i] == b) for i, b in enumerate(binade)])
        x = x[order[rank < 8][:keep]]
        reach = np.exp2(rng.uniform(0, 50, 500)).astype(int) * rng.choice([-1, 1], 500)
        more = np.setdiff1d(within(name, neighbours(x, reach, np.float64)), x)
        tried += len(more)
        x = np.concatenate([x, more])
    x = x[np.argsort(suspicion(name, instruction_set, x))[-keep:]]
    found = errors(name, instruction_set, x)
    worst = np.argmax(found)
    return float(found[worst]), float(x[worst]), tried


def suspicion(name, instruction_set, x) -> np.ndarray:
    """About the error of the function at each x."""
    y = functions(instruction_set).apply(name, x)
    wide = x.astype(np.longdouble)
    with np.errstate(all="ignore"):
        exact = {
            "sigmoid": lambda: 1 / (1 + np.exp(-wide)),
            "softplus": lambda: np.maximum(wide, 0) + np.log1p(np.exp(-np.abs(wide))),
            "exp_nonpositive": lambda: np.exp(wide),
            "log1p_unit": lambda: np.log1p(wide),
        }.get(name, lambda: getattr(np, name)(wide))()
        found = np.abs(y - exact) / np.spacing(np.abs(exact).astype(np.float64))
    return np.where(np.isfinite(found), found, 0).astype(float)


def published() -> dict:
    return json.loads(MEASURED.read_text()) if MEASURED.exists() else {}


def publish(name, dtype, instruction_set, ulp, at, inputs, kind) -> None:
    """Write a measured maximum to the file that the book prints and the tests enforce."""
    table = published()
    entry = {"ulp": float(np.ceil(ulp * 1e4) / 1e4), "at": float(at).hex(), "inputs": inputs, "kind": kind}
    table.setdefault(name, {}).setdefault(dtype, {})[instruction_set] = entry
    MEASURED.parent.mkdir(exist_ok=True)
    MEASURED.write_text(json.dumps(table, indent=1) + "\n")
