"""The built site needs no network, breaks no link and describes every picture."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

SITE = Path(__file__).parents[2] / "build" / "book"
PAGES = sorted(SITE.rglob("*.html"))
LOADING = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
    "link": "href",
}
LOADED_LINKS = {"stylesheet", "preload", "modulepreload", "prefetch", "icon", "shortcut icon", "manifest"}

if not PAGES:
    pytest.skip("the book is not built: python -m sphinx -W -n docs build/book", allow_module_level=True)


class Page(HTMLParser):
    """What a page loads, links to, and is made of."""

    def __init__(self, file):
        super().__init__()
        self.loads, self.links, self.ids, self.images, self.tags = [], [], [], [], []
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.tags.append(tag)
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag == "img":
            self.images.append(given)
        if tag in LOADING and given.get(LOADING[tag]) and (tag != "link" or given.get("rel") in LOADED_LINKS):
            self.loads.append(given[LOADING[tag]])
        if "srcset" in given:
            self.loads += [part.split()[0] for part in given["srcset"].split(",")]


@pytest.fixture(scope="module")
def pages():
    return {file: Page(file) for file in PAGES}


def name(file):
    return str(file.relative_to(SITE))


def each(pages, find):
    """What ``find`` complains of, page by page."""
    return {name(file): found for file, page in pages.items() if (found := find(file, page))}


def test_no_page_loads_anything_from_another_place(pages):
    def foreign(file, page):
        return [url for url in page.loads if urlsplit(url).scheme not in ("", "data") or urlsplit(url).netloc]

    assert not each(pages, foreign)


def test_no_stylesheet_loads_anything_from_another_place():
    found = {
        name(file): urls
        for file in SITE.rglob("*.css")
        if (
            urls := re.findall(
                r"""(?:@import\s+|url\()["']?((?:https?:)?//[^"')]+)""", file.read_text(encoding="utf-8")
            )
        )
    }
    assert not found


def test_no_own_script_asks_the_network():
    player = SITE / "_static" / "live.js"
    assert not re.search(r"\bfetch\(|XMLHttpRequest|import\(", player.read_text(encoding="utf-8"))


def test_everything_that_is_loaded_is_there(pages):
    def missing(file, page):
        local = [url for url in page.loads if not urlsplit(url).scheme]
        return [url for url in local if not (file.parent / unquote(urlsplit(url).path)).exists()]

    assert not each(pages, missing)


def test_no_link_inside_the_site_is_broken(pages):
    known = {file: set(page.ids) | {""} for file, page in pages.items()}

    def broken(file, page):
        found = []
        for url in page.links:
            parts = urlsplit(url)
            if parts.scheme or parts.netloc:
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            target = target / "index.html" if target.is_dir() else target
            if not target.exists() or (target in known and unquote(parts.fragment) not in known[target]):
                found.append(url)
        return found

    assert not each(pages, broken)


def test_every_picture_is_described(pages):
    def silent(file, page):
        return [
            image.get("src") for image in page.images if not (image.get("alt") or "").strip() and "alt" not in image
        ]

    assert not each(pages, silent)


def test_the_pictures_of_the_gallery_tell_a_finding_with_numbers(pages):
    def vague(file, page):
        shown = [image for image in page.images if "picture" in (image.get("class") or "").split()]
        return [i["alt"] for i in shown if not 60 <= len(i["alt"]) <= 300 or not re.search(r"\d", i["alt"])]

    assert not each(pages, vague)


def test_headings_landmarks_and_tables_say_what_they_are(pages):
    """What axe-core complained of, before it was mended: levels, names, headers, and code that no key could scroll."""

    def silent(file, page):
        text = file.read_text(encoding="utf-8")
        return [
            *re.findall(r'<[^>]*role="heading"(?![^>]*aria-level)[^>]*>', text),
            *re.findall(r"<aside(?![^>]*aria-label)[^>]*>", text),
            *re.findall(r"<th[^>]*>(?:<p>)?\s*(?:</p>)?</th>", text),
            *re.findall(r'<div class="highlight"><pre(?![^>]*tabindex)[^>]*>', text),
        ]

    assert not each(pages, silent)


def test_every_page_has_one_first_heading(pages):
    assert not each(pages, lambda file, page: page.tags.count("h1") if page.tags.count("h1") != 1 else None)


def test_no_id_stands_twice_on_a_page(pages):
    of_the_theme = re.compile(r"id\d+|sg-tag-list")  # captioned tables, lists of the gallery: nobody links to them

    def twice(file, page):
        return sorted({i for i in page.ids if page.ids.count(i) > 1 and not of_the_theme.fullmatch(i)})

    assert not each(pages, twice)


def test_no_formula_was_left_as_latex(pages):
    raw = {name(file) for file in pages if re.search(r'class="math[^>]*>\s*(\\\(|\\\[|<code)', file.read_text("utf-8"))}
    assert not raw


def test_a_page_is_light(pages):
    """What a first visit loads, pictures left out: a phone on a train opens it."""

    def weight(file, page):
        own = [
            file,
            *(file.parent / unquote(urlsplit(url).path) for url in page.loads if re.search(r"\.(css|js)\b", url)),
        ]
        size = sum(each.stat().st_size for each in own)
        return f"{size // 1000} KB" if size > 900_000 else None

    assert not each(pages, weight)


WIDTHS = """<!doctype html><meta charset=utf-8><body><script>
const report = {}, pages = PAGES;
(async () => {
  for (const page of pages) {
    const frame = document.createElement("iframe");
    frame.style = "width: 390px; height: 844px";
    frame.src = page;
    await new Promise((loaded) => { frame.onload = loaded; document.body.append(frame); });
    report[page] = frame.contentDocument.documentElement.scrollWidth;
    frame.remove();
  }
  const told = document.createElement("pre");
  told.id = "report";
  told.textContent = JSON.stringify(report);
  document.body.append(told);
})();
</script>"""


def test_no_page_is_wider_than_a_phone(tmp_path, reported):
    asked = tmp_path / "widths.html"
    asked.write_text(WIDTHS.replace("PAGES", json.dumps([file.as_uri() for file in PAGES])), encoding="utf-8")
    assert {page: width for page, width in reported(asked.as_uri()).items() if width > 390} == {}
