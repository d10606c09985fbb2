"""What chapters owe their readers: every formula is told somewhere, and no exercise is left without its solution."""

import re
from pathlib import Path

import mathematics
import pytest

from lossref import registry

DOCS = Path(__file__).parents[2] / "docs"
#: Pages that send readers to chapters tell nothing themselves.
SIGNPOSTS = ("losses/choosing", "losses/properties")
CHAPTERS = {
    name: file.read_text(encoding="utf-8")
    for part in ("losses", "optimizers")
    for file in sorted((DOCS / part).glob("*.rst"))
    if (name := f"{part}/{file.stem}") not in SIGNPOSTS
}
TAUGHT = [f for f in registry.formulas() if mathematics.family(f) != "schedule"]
each_chapter = pytest.mark.parametrize("chapter", CHAPTERS)


def test_every_loss_penalty_and_optimizer_is_linked_from_a_chapter():
    text = "".join(CHAPTERS.values())
    unheard = [f.__name__ for f in TAUGHT if f"<formula-{f.name.replace('_', '-')}>" not in text]
    assert len(TAUGHT) > 55
    assert not unheard


@each_chapter
def test_every_exercise_is_followed_by_its_solution(chapter):
    found = re.findall(r"^\.\. (exercise|solution)::", CHAPTERS[chapter], re.MULTILINE)
    assert len(found) >= 6
    assert found == ["exercise", "solution"] * (len(found) // 2)


@each_chapter
def test_a_chapter_ends_as_readers_expect(chapter):
    """In this order, whatever else stands between."""
    headings = re.findall(r"^(.+)\n=+$", CHAPTERS[chapter], re.MULTILINE)
    expected = ["Pitfalls", "When to use what", "What the frameworks do", "Exercises", "Sources"]
    if chapter == "losses/what-a-loss-is":  # of no loss in particular
        expected.remove("When to use what")
    assert headings[-len(expected) :] == expected
