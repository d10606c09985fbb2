"""The book. Build it from the root of the repository: python -m sphinx -W -n docs build/book"""

import sys
import warnings
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

import inventory  # noqa: E402

import lossref  # noqa: E402
from lossref.live import page  # noqa: E402
from lossref.plotting import DARK  # noqa: E402

project = "lossref"
author = "the lossref authors"
copyright = author
version = release = lossref.__version__
language = "en"

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.doctest",
    "sphinx.ext.intersphinx",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "sphinxcontrib.bibtex",
    "accessible",
    "chapters",
    "disassembly",
    "exercises",
    "formula",
    "measured",
    "typeset",
]
exclude_patterns = ["gallery/**/*.ipynb", "gallery/**/*.py", "gallery/**/*.md5"]
nitpicky = True
numfig = True
math_numfig = True
default_role = None
highlight_language = "python"
bibtex_bibfiles = ["references.bib"]
bibtex_default_style = "plain"

# A number that overflows or is not one stops the build instead of being drawn.
warnings.filterwarnings("error", category=RuntimeWarning)

# -- the site ----------------------------------------------------------------------------------------------------------

html_theme = "furo"
html_title = "lossref"
html_static_path = ["_static", str(page.PLAYER), str(page.STYLE)]
html_css_files = ["lossref.css"]
html_math_renderer = "katex"
html_theme_options = {
    "light_css_variables": page.COLOURS,
    "dark_css_variables": {name: DARK[colour] for name, colour in page.COLOURS.items()},
}
html_copy_source = False
html_show_sourcelink = False
html_last_updated_fmt = None
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

# -- what the code says of itself --------------------------------------------------------------------------------------

autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
doctest_global_setup = "import numpy as np\nimport lossref"
intersphinx_mapping = {
    "numpy": ("https://numpy.org/doc/stable", inventory.write("numpy", ["class ndarray", "function where"])),
    "matplotlib": (
        "https://matplotlib.org/stable",
        inventory.write(
            "matplotlib",
            ["class matplotlib.figure.Figure", "class matplotlib.axes.Axes", "function matplotlib.pyplot.subplots"],
        ),
    ),
}

# -- the gallery -------------------------------------------------------------------------------------------------------

sphinx_gallery_conf = {
    "examples_dirs": ["../gallery"],
    "gallery_dirs": ["gallery"],
    "filename_pattern": r"/plot_",
    "subsection_order": [
        *(f"../gallery/{part}" for part in ("losses", "regularizers", "optimizers", "schedules")),
        "*",
    ],
    "within_subsection_order": "FileNameSortKey",
    "image_scrapers": ("gallery_pictures.scraper",),
    "reset_modules": ("matplotlib", "gallery_pictures.none_left"),
    "reset_modules_order": "both",
    "doc_module": ("lossref",),
    "backreferences_dir": "gallery/backreferences",
    "abort_on_example_error": True,
    "capture_repr": (),
    "min_reported_time": 10**9,
    "write_computation_times": False,
    "show_memory": False,
    "show_signature": False,
    "download_all_examples": False,
}
