"""The review as one page in a browser, and what was decided there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from curation.fixes.decisions_file import read_decisions
from curation.review.page.write import write_page
from curation.run.folder import RunFolder
from tests.curation.review.test_review_page import make_run
from tests.support.chromium import patient
from tests.support.waiting import waited_for

# a message leaves the screen after some seconds, which a busy machine may need to look at it
_HEAR = """addEventListener("DOMContentLoaded", () => {
    const line = document.getElementById("message");
    window.messagesHeard = [];
    const hear = () => line.textContent && messagesHeard.push(line.textContent);
    if (line) new MutationObserver(hear).observe(line, {childList: true});
})"""


def make_latest(folder: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """Write a run below the current folder, which is the latest."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("CURATE_REVIEWER", "ana")
    return make_run(folder)


class Window:
    """A tab of a browser that notes what it asks for and what goes wrong."""

    def __init__(self, context: Any) -> None:
        self.tab = patient(context).new_page()
        self.tab.add_init_script(_HEAR)
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.tab.on("request", lambda request: self.requests.append(request.url))
        self.tab.on("pageerror", lambda error: self.errors.append(str(error)))
        self.tab.on("console", lambda message: message.type == "error" and self.errors.append(message.text))

    def press(self, keys: str) -> None:
        """Press keys one after the other, at once; what was said before is forgotten."""
        self.tab.evaluate("messagesHeard.length = 0")
        for key in keys.split():
            self.tab.keyboard.press(key)

    @property
    def heard(self) -> list[str]:
        """The messages since the last keys were pressed."""
        return list(self.tab.evaluate("messagesHeard"))

    def hear(self, words: str) -> None:
        """Wait for a message since the last keys were pressed."""
        assert waited_for(lambda: any(words in line for line in self.heard), every=0.05), (words, self.heard)

    def text(self, id: str) -> str:
        if id == "message":
            return next(reversed(self.heard), "")
        return str(self.tab.locator(f"#{id}").inner_text())


class Opened(Window):
    """A page of ours in a browser."""

    def __init__(self, context: Any, page: Path) -> None:
        super().__init__(context)
        self.tab.goto(page.resolve().as_uri())

    @property
    def id(self) -> str:
        return self.text("where").split(" · ")[1]

    @property
    def rows(self) -> int:
        return int(self.tab.locator(".item").count())

    def download(self, folder: Path, name: str | None = None) -> Path:
        self.tab.click("#download")
        if name is not None:
            self.tab.fill("#reviewer", name)
        with self.tab.expect_download() as download:
            self.tab.click("#save")
        assert download.value.suggested_filename == "decisions.csv"
        path = folder / "downloaded.csv"
        download.value.save_as(path)
        return path


def open_page(run: RunFolder, context: Any) -> Opened:
    """Write the page of a run, and open it."""
    page = write_page(run).path
    assert page is not None
    return Opened(context, page)


def decided(path: Path) -> list[tuple[str, str, str | None]]:
    return [(one.id, one.action, one.new_label) for one in read_decisions(path, reviewer="ana")]


def meanings(path: Path) -> list[tuple[object, ...]]:
    read = read_decisions(path, reviewer="ana", currency="SGD")
    return [(one.id, *one.meaning, one.new_class) for one in read]
