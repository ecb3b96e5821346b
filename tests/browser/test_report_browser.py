"""`report.html` as a person sees it: in Chromium, on a phone and on a wide screen, light and dark, and on paper."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from torch.utils.tensorboard import SummaryWriter

from curation.report import write_report
from curation.run.journal import Decision
from tests.support.axe import findings
from tests.support.chromium import patient
from tests.support.report_run import comparison_of, write_json, write_run

# Lines of text, as they can be seen: what a scrolling table hides is cut off, and so is what is cut off by design.
OVERLAPS = """() => {
  const boxes = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (!node.data.trim()) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const line of range.getClientRects()) {
      let [left, top, right, bottom] = [line.left, line.top, line.right, line.bottom];
      for (let parent = node.parentElement; parent !== document.body; parent = parent.parentElement) {
        if (getComputedStyle(parent).overflowX === 'visible') continue;
        const clip = parent.getBoundingClientRect();
        [left, right] = [Math.max(left, clip.left), Math.min(right, clip.right)];
        [top, bottom] = [Math.max(top, clip.top), Math.min(bottom, clip.bottom)];
      }
      if (right - left > 1 && bottom - top > 1) boxes.push({node, left, top, right, bottom});
    }
  }
  boxes.sort((a, b) => a.top - b.top);
  const overlaps = [];
  boxes.forEach((a, i) => {
    for (let j = i + 1; j < boxes.length && boxes[j].top < a.bottom; j++) {
      const b = boxes[j];
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const high = Math.min(a.bottom, b.bottom) - b.top;
      // boxes of neighbouring lines share the room between them, which no letter reaches
      if (a.node !== b.node && wide > 1 && high > 3)
        overlaps.push(`${a.node.data.trim()} | ${b.node.data.trim()}`);
    }
  });
  return {lines: boxes.length, overlaps};
}"""


def new_page(browser: Any, **options: Any) -> Any:
    return patient(browser.new_page(**options))


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a page that has everything there can be."""
    names = [f"Class {place} & {'its rather long name' if place % 3 else 'parts'}" for place in range(12)]
    run = write_run(tmp_path_factory.mktemp("report") / "run", 400, names)
    write_json(run.comparison_file, comparison_of(run))
    ids = run.issues().nsmallest(60, "priority")["id"].tolist()
    by_ana = ("ana", "2026-01-01T00:00:00.000+00:00", "app")
    run.decide([Decision(id, "relabel", names[0], *by_ana) for id in ids[::2]])
    for folder in ("fold-0", "fold-1", "retrain/before-7", "retrain/after-7"):
        with SummaryWriter(str(run.training_folder / folder)) as log:
            for epoch in range(5):
                for tag in ("train/loss", "held_out/loss", "train/accuracy", "held_out/accuracy"):
                    log.add_scalar(tag, 1 / (epoch + 1), epoch)
    return write_report(run)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1600])
def test_the_page_can_be_read(width: int, scheme: str, page_file: Path, browser: Any, tmp_path: Path) -> None:
    page = new_page(browser, viewport={"width": width, "height": 900}, color_scheme=scheme)
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(page_file.as_uri())
    page.wait_for_load_state()
    assert messages == []
    assert [url for url in requests if not url.startswith("data:")] == [page_file.as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth") == width
    broken = "[...document.images].filter((image) => !image.complete || !image.naturalWidth).map((image) => image.alt)"
    assert page.evaluate(broken) == []
    texts = page.evaluate(OVERLAPS)
    assert texts["lines"] > 500
    assert texts["overlaps"] == []
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert findings(page) == []
    assert ground == ("rgb(27, 27, 31)" if scheme == "dark" else "rgb(255, 255, 255)")
    artifacts = Path(os.environ.get("CURATE_ARTIFACTS") or tmp_path)
    artifacts.mkdir(parents=True, exist_ok=True)
    # to be looked at; a browser that is short of memory can't take it, which says nothing about the page
    with suppress(pytest.importorskip("playwright.sync_api").Error):
        page.screenshot(path=artifacts / f"report-{width}-{scheme}.png", full_page=True)
    page.close()


def test_what_nobody_could_read_would_be_found(page_file: Path, browser: Any) -> None:
    page = new_page(browser, viewport={"width": 400, "height": 900})
    page.goto(page_file.as_uri())
    page.evaluate("document.querySelector('.lead').style.color = '#ccc'")
    (found,) = findings(page)
    assert found.startswith("color-contrast (serious), 1 times")
    page.close()


def test_texts_that_overlap_would_be_found(page_file: Path, browser: Any) -> None:
    page = new_page(browser, viewport={"width": 400, "height": 900})
    page.goto(page_file.as_uri())
    page.evaluate("document.querySelector('.card p').style.marginBottom = '-12px'")
    assert page.evaluate(OVERLAPS)["overlaps"]
    page.close()


def test_paper_is_light_and_no_card_is_cut(page_file: Path, browser: Any, tmp_path: Path) -> None:
    # the width of A4 between its margins
    page = new_page(browser, viewport={"width": 688, "height": 1017}, color_scheme="dark")
    page.goto(page_file.as_uri())
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    # a browser looks for another picture when it draws the next time
    page.wait_for_function("document.querySelector('.plot').currentSrc === document.querySelector('.plot').src")
    assert page.evaluate("getComputedStyle(document.querySelector('.card')).breakInside") == "avoid"
    assert page.evaluate("getComputedStyle(document.querySelector('nav')).display") == "none"
    assert page.evaluate("document.documentElement.scrollWidth") == 688
    assert page.evaluate(OVERLAPS)["overlaps"] == []
    page.pdf(path=tmp_path / "report.pdf", format="A4")
    assert (tmp_path / "report.pdf").stat().st_size > 50_000
    page.close()
