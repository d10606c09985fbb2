"""What the chapter on choosing an optimizer says in words of the comparison, held against what was measured."""

import inspect
import json
from pathlib import Path

import pytest

FILE = Path(__file__).parents[2] / "docs" / "measured" / "optimizers.json"
FOUND = json.loads(FILE.read_text(encoding="utf-8"))
ROWS, UNITS, FINISH = FOUND["rows"], FOUND["units"], FOUND["finish"]
IN_BATCHES = ["SGD", "SGD, momentum", "AdaGrad", "RMSprop", "Adam", "AdamW"]


def passes(rows, *names):
    return [rows[name]["passes"] for name in names]


def test_it_is_the_experiment_that_the_chapter_describes():
    assert (FOUND["passes"], FOUND["seeds"], FOUND["goal"], FOUND["judged_by"]) == (40, 20, 0.01, 449)
    assert list(ROWS) == list(UNITS) == [*IN_BATCHES, "L-BFGS"]
    assert all(len(FOUND["kinds"][name]) == 15 for name in IN_BATCHES)


def test_no_rate_is_best_at_the_end_of_the_grid():
    for name in IN_BATCHES:
        for rows in (ROWS, UNITS):
            assert {rows[name]["chosen"], rows[name]["fastest"]}.isdisjoint({"0.0001", "5"})


def test_on_one_scale_there_is_no_ranking_in_speed():
    times = passes(ROWS, *IN_BATCHES)
    assert max(times) <= 1.25 * min(times)
    assert ROWS["L-BFGS"]["passes"] > 2 * max(times)
    assert ROWS["L-BFGS"]["milliseconds"] < min(ROWS[name]["milliseconds"] for name in IN_BATCHES)


def test_in_strange_units_the_ranking_is_the_lectures():
    adagrad, *others = passes(UNITS, "AdaGrad", "Adam", "RMSprop", "SGD, momentum", "SGD")
    assert [adagrad, *others] == sorted([adagrad, *others])
    assert others[-1] > 2 * others[0]
    for name in UNITS:
        assert UNITS[name]["test"] > ROWS[name]["test"] + 2


def test_adaptive_methods_misread_fewer_digits_here():
    errors = [ROWS[name]["test"] for name in ("RMSprop", "Adam", "SGD", "SGD, momentum", "L-BFGS")]
    assert errors == sorted(errors)
    assert errors[-1] - errors[0] < 1
    worse = FINISH["SGD with momentum"]
    assert worse["gain"] < -3 * worse["error"]
    for name in IN_BATCHES:
        assert FOUND["kinds"][name][ROWS[name]["chosen"]]["loss"] < FOUND["goal"]


def test_nothing_is_gained_by_a_change_to_sgd():
    assert FINISH["Adam, then SGD with momentum"]["gain"] < 0
    assert abs(FINISH["Adam, then Adam at a tenth of the rate"]["gain"]) < 0.1
    assert min(FINISH, key=lambda name: FINISH[name]["nats"]) == "Adam, along a cosine"


def test_windows_are_alike_and_adagrads_is_not_the_widest():
    factors = {name: ROWS[name]["factor"] for name in IN_BATCHES}
    assert all(9 < factor < 41 for factor in factors.values())
    assert factors["AdaGrad"] <= factors["SGD"]
    assert all(FOUND["kinds"][name]["5"]["test"] > 80 for name in ("SGD", "SGD, momentum"))
    assert all(FOUND["kinds"][name]["5"]["test"] < 8 for name in ("Adam", "RMSprop"))


def test_the_defaults_are_those_of_pytorch():
    torch = pytest.importorskip("torch")
    shootout = pytest.importorskip("benchmarks.shootout")
    for name, theirs in {"SGD": "SGD", "AdaGrad": "Adagrad", "RMSprop": "RMSprop", "Adam": "Adam"}.items():
        rate = inspect.signature(getattr(torch.optim, theirs)).parameters["lr"].default
        assert float(shootout.DEFAULTS[name]) == rate
        assert ROWS[name]["default"] == shootout.DEFAULTS[name]
    assert ROWS["SGD"]["default_test"] > 30
    assert ROWS["Adam"]["default_test"] < ROWS["Adam"]["test"] + 1
