"""The documents as a site: it builds without a warning, every link leads somewhere, and it needs no other host."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import click
import pytest

import curation
from curation.cli import main
from curation.gate.measures import MEASURES
from curation.issues.registry import KINDS
from tests.project.structure import ROOT
from tests.support.site import build_site

API = (ROOT / "docs/api.md").read_text(encoding="utf-8")

#: What a browser fetches by itself.
FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "link": "href"}


class Page(HTMLParser):
    """What a page of the site links, fetches, and can be linked by."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "id" in given:
            self.ids.add(given["id"])
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if given.get(FETCHED.get(tag, "")):
            self.fetched.append(given[FETCHED[tag]])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_site(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def pages(folder: Path) -> dict[Path, Page]:
    """Each page by its file."""
    return {path: Page(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.html"))}


def leads(link: str, path: Path, pages: dict[Path, Page]) -> bool:
    """Return whether a link of a page leads to a file, and to an anchor there."""
    parts = urlsplit(link)
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if parts.fragment and target in pages:
        return unquote(parts.fragment) in pages[target].ids
    return target.is_file()


def test_every_link_in_the_site_leads_to_a_file_and_an_anchor(folder: Path, pages: dict[Path, Page]) -> None:
    # a server shows the page of what is missing at any depth, so its links begin at the server's root
    inside = {path: page for path, page in pages.items() if path.name != "404.html"}
    links = [(path, link) for path, page in inside.items() for link in page.links if not urlsplit(link).scheme]
    assert len(links) > 1000
    assert [(path.name, link) for path, link in links if not leads(link, path, pages)] == []


def test_a_link_that_leads_nowhere_is_noticed(folder: Path, pages: dict[Path, Page]) -> None:
    home = folder / "index.html"
    assert leads("api.html#errors", home, pages)
    assert not leads("api.html#mistakes", home, pages)
    assert not leads("nowhere.html", home, pages)


def test_no_page_and_no_style_asks_another_host_for_anything(folder: Path, pages: dict[Path, Page]) -> None:
    asked = {link for page in pages.values() for link in page.fetched if urlsplit(link).netloc}
    styles = "".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.css"))
    assert asked | set(re.findall(r"(?:url\(|@import )[\"']?(?:https?:)?//[^)\"']*", styles)) == set()


def test_the_search_works_in_a_folder(folder: Path, pages: dict[Path, Page]) -> None:
    assert (folder / "search/search_index.js").is_file()
    assert all(any(link.endswith("iframe-worker.js") for link in page.fetched) for page in pages.values())


def entries(folder: Path, pages: dict[Path, Page]) -> set[str]:
    """Return the names of the Python API that have an entry in the reference."""
    reference = [page for path, page in pages.items() if path.parent == folder / "reference"]
    return {name.removeprefix("curation.") for page in reference for name in page.ids}


def test_every_public_name_has_an_entry_in_the_reference(folder: Path, pages: dict[Path, Page]) -> None:
    assert [name for name in curation.__all__ if name not in entries(folder, pages)] == []


def test_every_name_that_the_overview_lists_has_an_entry_in_the_reference(
    folder: Path, pages: dict[Path, Page]
) -> None:
    cells = re.findall(r"^\| (`[^|]*`) \|", API, re.M)
    named = {name for cell in cells for name in re.findall(r"`(\.?[A-Za-z][\w.]*)[^`]*`", cell)}
    errors = set(re.findall(r"[├└]── (\w+Error)\b", API))
    assert len(named) > 50
    assert len(errors) == 9
    # the field of a dataclass is a row of its entry
    run = (folder / "reference/run.html").read_text(encoding="utf-8")
    fields = {f"Run.{name}" for name in re.findall(r"<td><code>(?:<[^>]*>)*(\w+)<", run)}
    wanted = {f"Run{name}" if name.startswith(".") else name for name in named | errors}
    there = {name.removeprefix("errors.") for name in entries(folder, pages)}
    assert wanted - there - fields == set()


def commands(command: click.Command, path: str) -> list[tuple[str, click.Command]]:
    """Return a command and those below it, by what is typed."""
    below = getattr(command, "commands", {}).items()
    return [(path, command), *(pair for name, each in below for pair in commands(each, f"{path} {name}"))]


def test_every_command_and_option_is_in_the_reference_as_click_has_it(folder: Path) -> None:
    text = (folder / "reference/commands.html").read_text(encoding="utf-8")
    parts = re.split(r'<h[23] id="([^"]+)"', text)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    every = commands(main, "curate")
    assert list(sections) == [path.replace(" ", "-") for path, _ in sorted(every)]
    for path, command in every:
        options = [name for each in command.params for name in (*each.opts, *each.secondary_opts) if name[:2] == "--"]
        section = sections[path.replace(" ", "-")]
        assert [name for name in options if not re.search(rf"<code>[^<]*{name}\b", section)] == [], path


def test_every_kind_of_issue_has_a_page_that_names_its_columns_and_its_title(folder: Path) -> None:
    assert {path.stem for path in (ROOT / "docs/issues").iterdir()} == {kind.name for kind in KINDS}
    for kind in KINDS:
        text = (ROOT / f"docs/issues/{kind.name}.md").read_text(encoding="utf-8")
        assert text.startswith(f"# {kind.title}\n")
        assert f"`is_{kind.name}_issue`" in text
        assert f'query("is_{kind.name}_issue")' in text


def test_every_measure_that_a_page_of_a_kind_names_can_be_a_limit() -> None:
    named = [
        re.findall(r"in a \[pipeline\].*\| `(\w+)`", path.read_text(encoding="utf-8"))
        for path in (ROOT / "docs/issues").iterdir()
    ]
    assert {name for (name,) in named} <= set(MEASURES)
    assert len(named) == len(KINDS)
