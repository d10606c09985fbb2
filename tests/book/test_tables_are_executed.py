"""Tables of chapters that state formulas: each cell is read back from its typesetting and held against the library."""

import itertools
import re
from pathlib import Path

import mathematics
import mpmath
import pytest
from latex_eval import Display, Indexed

import lossref
from lossref.losses.generative import PLAYERS

BOOK = Path(__file__).parents[2] / "docs" / "losses"
NUMBERS = [0.0, 1.0, -1.0, 0.3, -0.3, 0.7, -2.1, 4.0, -37.5, 600.0]


def rows(chapter, title):
    """The table with this title: what its first column names, and the mathematics of the others."""
    text = (BOOK / f"{chapter}.rst").read_text(encoding="utf-8")
    (table,) = re.findall(rf"^\.\. list-table:: {re.escape(title)}\n(.+?)\n\n(?=\S)", text, re.MULTILINE | re.DOTALL)
    _, *lines = re.split(r"^   \* - ", table, flags=re.MULTILINE)[1:]
    for line in lines:
        name, *cells = (" ".join(cell.split()) for cell in re.split(r"^     - ", line, flags=re.MULTILINE))
        yield name.strip("`"), *(cell.removeprefix(":math:`").removesuffix("`") for cell in cells)


GAMES = list(rows("divergence", "What is paid for a real sample, for a fake, and by the generator for its fake"))
PENALTIES = list(rows("regularizers", "Of one weight: the penalty, its conjugate, and its envelope with the step η"))
SETTINGS = {"L1": {"lam": 0.7}, "L2": {"lam": 0.7}, "ElasticNet": {"l1": 0.7, "l2": 0.3}}
LETTERS = {"lam": r"\lambda", "l1": r"\lambda_1", "l2": r"\lambda_2"}


@pytest.fixture(autouse=True)
def _many_digits():
    with mpmath.workdps(40):
        yield


def test_the_table_of_adversaries_has_every_kind_of_game():
    assert [kind for kind, *_ in GAMES] == list(PLAYERS)


@pytest.mark.parametrize(("kind", "for_real", "for_fake", "by_generator"), GAMES, ids=[row[0] for row in GAMES])
def test_each_player_pays_what_the_table_says(kind, for_real, for_fake, by_generator):
    game = lossref.Adversarial(kind=kind)
    real, fake, made = (Display(rf"\ell = {tex}") for tex in (for_real, for_fake, by_generator))
    for f, g in itertools.product(NUMBERS, repeat=2):
        paid = real.value({"f": f}) + fake.value({"f": g})
        assert game.discriminator([f], [g]) == pytest.approx(float(paid), rel=1e-14)
        assert game.generator([g]) == pytest.approx(float(made.value({"f": g})), rel=1e-14)


@pytest.mark.parametrize(("name", "conjugate", "_"), PENALTIES, ids=SETTINGS)
def test_the_conjugate_is_the_most_that_can_be_gained(name, conjugate, _):
    """By thirds, since what is gained is concave in the weight; without end means: twice as far, twice as much."""
    penalty, display = getattr(lossref, name)(**SETTINGS[name]), Display(conjugate)
    strengths = {LETTERS[field]: mpmath.mpf(value) for field, value in SETTINGS[name].items()}
    price = Display(mathematics.displays(penalty.__doc__)[0])
    finite = set()
    for u in map(mpmath.mpf, NUMBERS):

        def gain(w, u=u):
            return u * w - price.value({**strengths, "w": Indexed([w])})

        stated = display.value({**strengths, "u": u})
        if mpmath.isinf(stated):
            end = mpmath.sign(u) * 10**6
            assert gain(2 * end) > 1.9 * gain(end) > 1
        else:
            low, high = mpmath.mpf(-(10**4)), mpmath.mpf(10**4)
            while high - low > 1e-12:
                third = (high - low) / 3
                low, high = (low + third, high) if gain(low + third) < gain(high - third) else (low, high - third)
            assert mpmath.almosteq(gain((low + high) / 2), stated, rel_eps=1e-9, abs_eps=1e-9)
        finite.add(bool(mpmath.isfinite(stated)))
    assert finite == ({True, False} if name == "L1" else {True})


@pytest.mark.parametrize(("name", "_", "envelope"), PENALTIES, ids=SETTINGS)
def test_the_envelope_is_the_one_that_the_library_computes(name, _, envelope):
    penalty, display = getattr(lossref, name)(**SETTINGS[name]), Display(envelope)
    strengths = {LETTERS[field]: value for field, value in SETTINGS[name].items()}
    for w, step in itertools.product(NUMBERS, (0.1, 1.0, 3.0)):
        stated = display.value({**strengths, "w": w, r"\eta": step})
        assert penalty.envelope([w], step) == pytest.approx(float(stated), rel=1e-13), (w, step)
