"""The book refuses to be built with a defect: each of these was planted to see it found."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("sphinx_gallery", reason="the book's tools are not installed: pip install -e '.[docs]'")

EXTENSIONS = Path(__file__).parents[2] / "docs" / "_ext"
CONF = f"""
import sys, warnings
sys.path.insert(0, {str(EXTENSIONS)!r})
extensions = ["exercises", "measured", "typeset", "chapters"]
nitpicky = True
html_theme = "basic"
html_math_renderer = "katex"
"""
GALLERY = """
extensions += ["sphinx_gallery.gen_gallery"]
exclude_patterns = ["examples"]
warnings.filterwarnings("error", category=RuntimeWarning)
sphinx_gallery_conf = {
    "examples_dirs": ["examples"],
    "gallery_dirs": ["gallery"],
    "image_scrapers": ("gallery_pictures.scraper",),
    "reset_modules": ("matplotlib", "gallery_pictures.none_left"),
    "reset_modules_order": "both",
    "abort_on_example_error": True,
    "write_computation_times": False,
}
"""
HEAD = "Title\n=====\n\n"


def build(folder, conf=CONF, **files):
    """Build a book of a page or two, with warnings as errors."""
    (folder / "conf.py").write_text(conf, encoding="utf-8")
    for path, text in files.items():
        file = folder / path.replace("__", "/").replace("_rst", ".rst").replace("_py", ".py")
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "sphinx", "-W", "-n", "-q", str(folder), str(folder / "out")]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


SOUND = r"""
A number: :lossref:`Huber(delta=5)([2, 2, 1, 3, -20], [0] * 5) | .1f`, a formula: :math:`\tfrac12 r^2`, and one more:

.. math::
   :label: huber

   \ell = r^2

.. exercise:: Show :eq:`huber`.

   It is easy.

.. solution::

   So it is.
"""


def test_a_sound_page_is_built(tmp_path):
    done = build(tmp_path, index_rst=HEAD + SOUND)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    for piece in (">19.3<", 'class="katex"', "<math", "Exercise 1", "Solution of exercise 1", "<details"):
        assert piece in page
    assert (tmp_path / "out" / "_static" / "katex" / "katex.min.css").exists()


@pytest.mark.parametrize(
    ("defect", "complaint"),
    [
        (r"An unknown macro: :math:`\foo`", "Undefined control sequence"),
        (r"Text in mathematics: :math:`größe`", "unicodeTextInMathMode"),
        ("A reference to nothing: :class:`lossref.Hubert`", "reference target not found"),
        ("A number that cannot be computed: :lossref:`Huber(delta=-1)([1], [0])`", "must be a number > 0"),
        ("A number that was not measured: :measured:`nothing/here`", "KeyError"),
        (".. solution::\n\n   Before its exercise.", "follows its exercise"),
        (".. picture:: losses/plot_nowhere\n\n   A caption.", "no losses/plot_nowhere"),
    ],
)
def test_a_defect_in_a_page_stops_the_build(tmp_path, defect, complaint):
    done = build(tmp_path, index_rst=HEAD + defect + "\n")
    assert done.returncode != 0
    assert complaint in done.stderr


SCRIPT = '''"""
Finding
=======

Text.
"""

import numpy as np
from lossref.plotting import describe, panels, series

figure, (panel,) = panels()
panel.plot([0, 1], [0, 1], **series(0))
'''
ALT = "A line chart of a straight line that goes from 0 to 1 while the step goes from 0 to 1."
TOCTREE = HEAD + ".. toctree::\n\n   gallery/index\n"


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (f"describe(figure, {ALT!r})", None),
        ("", "no description"),
        (f"panel.lines[0].set_color('#123456'); describe(figure, {ALT!r})", "#123456"),
        (
            f"panel.text(0.5, 0.5, 'one'); panel.text(0.5, 0.5, 'two'); describe(figure, {ALT!r})",
            "'one' lies over 'two'",
        ),
        (f"np.log(np.zeros(1)); describe(figure, {ALT!r})", "divide by zero"),
        (f"describe(figure, {ALT!r}); assert 1 == 2", "AssertionError"),
    ],
)
def test_a_defect_in_a_script_stops_the_build(tmp_path, line, complaint):
    files = {
        "index_rst": TOCTREE,
        "examples__GALLERY_HEADER_rst": "Gallery\n=======\n",
        "examples__plot_one_py": SCRIPT + line + "\n",
    }
    done = build(tmp_path, CONF + GALLERY, **files)
    assert (done.returncode == 0) == (complaint is None), done.stderr
    if complaint:
        assert complaint in done.stderr
    else:
        page = (tmp_path / "out" / "gallery" / "plot_one.html").read_text(encoding="utf-8")
        assert "only-light" in page
        assert "only-dark" in page
        assert ALT in page
