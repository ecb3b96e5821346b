"""Draw the pictures of docs/review.md from a run of the demo.

    curate demo demo && curate find-issues demo
    PYTHONPATH=. python docs/screenshots.py runs/demo/1

Decides by key on a copy of the run, in headless Chromium; the run stays as it is. Needs Chromium and Playwright.
"""

from __future__ import annotations

import argparse
import io
import math
import os
import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator, Page, sync_playwright

from benchmarks.review import CHROMIUM, FLAGS, drop_database, server, wait_for_card
from curation.review.page.write import write_page
from curation.run.folder import RunFolder
from curation.run.lookup import open_run

IMAGES = Path(__file__).parent / "images"
SIZE = {"width": 1440, "height": 860}
LIVE = {"width": 1280, "height": 720}
#: Plausible decisions, one key for each photo.
DECIDED = "aakaaadaakaadkaaka"


def main() -> None:
    """Write docs/images/*.webp."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    run = open_run(parser.parse_args().run)
    IMAGES.mkdir(exist_ok=True)
    os.environ["CURATE_REVIEWER"] = "ana"
    with tempfile.TemporaryDirectory() as folder:
        copy = RunFolder(Path(folder) / "runs" / "demo" / "1")
        shutil.copytree(run.folder, copy.folder, ignore=shutil.ignore_patterns("decisions.jsonl", "cleaned", "models"))
        with server(copy) as (_, url), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
            page = browser.new_page(viewport=SIZE, device_scale_factor=1.25)
            draw_app(page, url)
            page = browser.new_page(viewport=SIZE, device_scale_factor=1.25)
            draw_page(page, copy)
            browser.close()
        with server(copy, "--page", "--no-learn") as (_, url), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
            draw_live(browser.new_page(viewport=LIVE), url)
            browser.close()
    drop_database()


def draw_app(page: Page, url: str) -> None:
    """Draw the card and the form of an open photo, the grid and the progress."""
    page.goto(url)
    page.wait_for_selector("[data-cy=looker]", timeout=300_000)
    page.wait_for_selector('[data-item-id="@curate/review/keep"]', timeout=60_000)
    page.locator("[data-cy=looker]").first.click()
    shown = wait_for_card(page, "")
    for key in DECIDED:
        page.keyboard.press(key)
        shown = wait_for_card(page, shown)
    page.wait_for_timeout(2000)  # pictures, and FiftyOne's messages
    save(page, "card")
    page.keyboard.press("e")
    page.locator("[data-cy=operators-prompt-modal] label").last.wait_for()
    page.wait_for_timeout(500)
    save(page, "relabel")
    page.locator("[data-cy=operators-prompt-modal]").get_by_role("button", name="Cancel").click()
    page.wait_for_timeout(500)
    page.keyboard.press("Escape")
    page.locator("[data-listing]").wait_for(state="detached")
    page.get_by_text("photos", exact=True).click()
    page.wait_for_timeout(5000)  # the plot
    save(page, "grid")
    save(page.locator("[data-curate=progress]"), "progress")


def draw_page(page: Page, run: RunFolder) -> None:
    """Draw the page that needs no server."""
    path = write_page(run).path
    assert path is not None
    page.goto(path.resolve().as_uri())
    for key in DECIDED:
        page.keyboard.press(key)
    page.wait_for_timeout(500)
    save(page, "page")


def draw_live(page: Page, url: str) -> None:
    """Draw the live page: a grid, the map with a lasso, and the grid that it makes."""
    page.goto(url)
    page.wait_for_function("() => isLoaded()")
    page.select_option("#kind", "label")
    page.locator("#card").focus()
    page.keyboard.press("g")
    page.wait_for_function("() => grids.here")
    for key in ("ArrowRight", "ArrowRight", "Space"):
        page.keyboard.press(key)
    stand(page)
    save(page, "grids")
    page.select_option("#kind", "")
    page.locator("#grid").focus()
    page.keyboard.press("m")
    page.wait_for_function("() => drawing.painted > 0", timeout=120_000)
    # around the photo that has the most others near it
    across, down = page.evaluate(
        "() => { const near = at => map.shown.filter(to =>"
        " Math.hypot(map.x[at] - map.x[to], map.y[at] - map.y[to]) < 0.06).length;"
        " const middle = [...map.shown].sort((one, other) => near(other) - near(one))[0];"
        " const { left, top } = $('canvas').getBoundingClientRect();"
        " return [left + across(map.x[middle]), top + down(map.y[middle])] }"
    )
    page.keyboard.down("Shift")
    page.mouse.move(across + 60, down)
    page.mouse.down()
    for step in range(40):
        turn = 2 * math.pi * step / 40
        page.mouse.move(across + 60 * math.cos(turn), down + 50 * math.sin(turn))
    page.wait_for_timeout(1000)
    save(page, "map")
    page.mouse.up()
    page.keyboard.up("Shift")
    page.wait_for_function("() => grids.here")
    stand(page)
    save(page, "picked")


def stand(page: Page) -> None:
    """Wait until the photos of a grid are there."""
    page.wait_for_function(
        "() => [...document.querySelectorAll('.pick img, #grid-beside img')].every(one => one.complete)"
    )
    page.wait_for_timeout(500)


def save(shown: Page | Locator, name: str) -> None:
    """Write one picture."""
    with Image.open(io.BytesIO(shown.screenshot())) as picture:
        picture.save(IMAGES / f"{name}.webp", quality=85, method=6)


if __name__ == "__main__":
    main()
