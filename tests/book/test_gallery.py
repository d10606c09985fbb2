"""The gallery is complete, in order, and each of its scripts short enough to be read."""

import ast
from pathlib import Path

import pytest

import lossref
from lossref.plotting import panels
from lossref.registry import formulas, path

GALLERY = Path(__file__).parents[2] / "gallery"
SCRIPTS = sorted(GALLERY.rglob("plot_*.py"))


def used(script):
    """Everything that a script names as ``lossref.something``, or ``lossref.chapter.something``."""
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        match node:
            case ast.Attribute(value=ast.Name(id="lossref"), attr=name):
                yield getattr(lossref, name)
            case ast.Attribute(value=ast.Attribute(value=ast.Name(id="lossref"), attr=chapter), attr=name):
                yield getattr(getattr(lossref, chapter), name)


def test_every_loss_and_every_regularizer_is_used_in_a_picture():
    seen = [thing for script in SCRIPTS for thing in used(script)]
    wanted = [*formulas("losses"), *formulas("regularizers")]
    assert [path(formula) for formula in wanted if formula not in seen] == []


@pytest.mark.parametrize("part", ["losses", "regularizers", "optimizers", "schedules"])
def test_scripts_are_numbered_without_gap_or_doublet(part):
    numbers = [int(script.name.split("_")[1]) for script in SCRIPTS if script.parent.name == part]
    assert numbers == list(range(1, len(numbers) + 1))


def test_no_script_is_longer_than_sixty_lines():
    lengths = {script.name: len(script.read_text(encoding="utf-8").splitlines()) for script in SCRIPTS}
    assert {name: length for name, length in lengths.items() if length > 60} == {}


def test_words_that_cannot_be_read_are_found():
    """Planted, each to be seen; what stands beside its neighbour, and a tick beyond the end of the axis, are sound."""
    pytest.importorskip("matplotlib").use("Agg")
    illegible = pytest.importorskip("gallery_pictures").illegible
    figure, (panel, _) = panels(2)
    panel.set(xticks=[0, 0.5, 1, 1.01], xlim=(0, 1), ylim=(0, 1))
    panel.text(0.1, 0.5, "left")
    assert list(illegible(figure)) == []
    panel.text(0.12, 0.5, "upon")
    panel.text(-9, 0.5, "beyond").set_in_layout(False)
    assert list(illegible(figure)) == ["'left' lies over 'upon'", "'beyond' is cut off"]
    figure.clear()
