"""The speed and memory of a review: seconds to the first photo, and milliseconds per decision.

    python benchmarks/review.py --listings 600 5000 50000 --decisions 100
    python benchmarks/review.py --learn runs/demo/1
    python benchmarks/review.py --map --listings 5000 200000
    python benchmarks/review.py --open --listings 5000 1000000

Each size is a synthetic run: a third of the listings is flagged, and photos are drawn blots of 400 x 300 pixels. The
review starts twice: the first opening writes every listing to FiftyOne's database, the second reads them. Headless
Chromium presses keys on the open photo: keep, accept and delete in turn, each as soon as the decision is in the journal
and the card and the photo of the next listing stand. So the figures are the limit of the software, not the speed of a
person. The page of `--html`, with the first 300 of the queue, and the live page of `--page` are measured in the same
way; `--without-app` leaves the App out. On the live page, the time to the next photo is the browser's own, from the key
to the frame that shows it. In its grids, keys leave two tiles out of each, and one key decides the others, until there
are no more. `--learn` measures, on copies of finished runs with features, the seconds from the 25th decision to the new
order, and keys meanwhile. `--map` measures the map of photos, in runs of which every listing is flagged and whose
photos are of 50 sorts. `--open` measures only the time to the first photo, and the processor time and the memory that
it takes, with what a review loads by default and, on the page, with all of it. This needs Chromium, Playwright, and no
other process of FiftyOne, which would share its mongod.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from curation.issues.queue import COLUMNS
from curation.review.live.learner import EVERY
from curation.review.page.write import write_page
from curation.run.folder import RunFolder
from training.utils.files import write_json

CHROMIUM = "/usr/bin/chromium"
FLAGS = "--headless --no-sandbox --disable-gpu --disable-quic --disable-background-networking --disable-sync"
CLASSES = [f"class {number}" for number in range(12)]
KEYS = "kad"
PHOTOS = 500
FEATURES = 512
# of 1,000,000 listings
FEW_FEATURES = 32
SORTS = 50
IN_PAGE = 300
# milliseconds from each key to the frame that shows the next photo
CLOCK = """() => { window.took = []; document.addEventListener("keydown", () => {
    const [start, before] = [performance.now(), document.querySelector("#where").textContent];
    const look = () => { const photo = document.querySelector("#photo img");
        const isNext = document.querySelector("#where").textContent !== before;
        if (isNext && photo && photo.complete && photo.naturalWidth > 0) took.push(performance.now() - start);
        else requestAnimationFrame(look); };
    requestAnimationFrame(look); }, true) }"""
# milliseconds of drawing the map, moved and enlarged, and of the point under the mouse
MOVES = {
    "ms to draw the map moved": """() => Array.from({ length: 60 }, (_, step) => {
        pan(step % 2 ? 40 : -40, 10 * (step % 3) - 10); const start = performance.now(); paint();
        return performance.now() - start })""",
    "ms to draw the map enlarged": """() => { zoom(4); const took = Array.from({ length: 60 }, (_, step) => {
        pan(step % 2 ? 40 : -40, 0); const start = performance.now(); paint(); return performance.now() - start });
        showAll(); return took }""",
    "ms to the point under the mouse": """() => Array.from({ length: 60 }, (_, step) => {
        const start = performance.now(); pointAt(500 + step, 300); return performance.now() - start })""",
}
# the same from each key to the frame that shows all tiles of the next grid
GRID_CLOCK = """() => { window.took = []; document.addEventListener("keydown", event => {
    if (!"ak".includes(event.key)) return;
    const [start, before] = [performance.now(), grids.here];
    const look = () => { const photos = [...document.querySelectorAll(".pick img")];
        const isNext = grids.here !== before && (grids.here || grids.isEnd);
        const isThere = photo => photo.complete && photo.naturalWidth > 0;
        if (isNext && photos.every(isThere)) took.push(performance.now() - start);
        else requestAnimationFrame(look); };
    requestAnimationFrame(look); }, true) }"""
# the App shows a photo before FiftyOne has opened it
CARD_AND_PHOTO = """before => { const card = document.querySelector("#modal [data-listing]");
    const photo = document.querySelector("[data-curate=photo] img");
    const isThere = !photo || (photo.complete && photo.naturalWidth > 0);
    return card && card.dataset.listing !== before && isThere && card.dataset.listing }"""
PHOTO_STANDS = """before => { const photo = document.querySelector("#photo img, img#photo");
    const isNext = document.querySelector("#where").innerText !== before;
    return isNext && photo && photo.complete && photo.naturalWidth > 0 }"""


def main() -> None:
    """Print one JSON object per size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listings", type=int, nargs="+", default=[600, 5000, 50000])
    parser.add_argument("--decisions", type=int, default=100, help="number of decisions at the second opening")
    parser.add_argument(
        "--learn", type=Path, nargs="+", default=[], metavar="RUN", help="only learning, in copies of runs"
    )
    parser.add_argument("--map", action="store_true", help="only the map of photos")
    parser.add_argument("--open", action="store_true", help="only the time to the first photo")
    parser.add_argument("--without-app", action="store_true", help="only the pages")
    arguments = parser.parse_args()
    for folder in arguments.learn:
        print(json.dumps({"run": str(folder), **learning(folder)}), flush=True)
    for listings in arguments.listings if arguments.map else []:
        with tempfile.TemporaryDirectory() as place:
            run = make_run(Path(place), listings, flagged=1)
            print(json.dumps({"listings": listings, "map": photo_map(run)}), flush=True)
    for listings in arguments.listings if arguments.open else []:
        with tempfile.TemporaryDirectory() as place:
            run = make_run(Path(place), listings, features=FEW_FEATURES)
            ways = [("--page",), ("--page", "--all"), *([] if arguments.without_app else [(), ()])]
            opened = [{"options": " ".join(way) or "the App", **opening(run, *way)} for way in ways]
            print(json.dumps({"listings": listings, "opened": opened}), flush=True)
    if arguments.open and not arguments.without_app:
        drop_database()
    if arguments.learn or arguments.map or arguments.open:
        return
    for listings in arguments.listings:
        figures: dict[str, Any] = {"listings": listings}
        with tempfile.TemporaryDirectory() as folder:
            run = make_run(Path(folder), listings)
            # its decisions stay in the browser
            figures["page"] = one_page(run, arguments.decisions)
            figures["live"] = live_page(run, arguments.decisions)
            figures["grids"] = grid_page(run)
            if not arguments.without_app:
                figures["first"] = review(run, 0)
                figures["again"] = review(run, arguments.decisions)
        print(json.dumps(figures), flush=True)
    if not arguments.without_app:
        drop_database()


def make_run(folder: Path, listings: int, flagged: float = 1 / 3, features: int = FEATURES) -> RunFolder:
    """Write a finished run, with this share of flagged listings, and so many features of each."""
    rng = np.random.default_rng(0)
    photos = folder / "photos"
    photos.mkdir()
    for number in range(min(PHOTOS, listings)):
        blots = Image.fromarray(rng.integers(0, 255, (6, 8, 3), dtype=np.uint8))
        blots.resize((400, 300), Image.Resampling.BICUBIC).save(photos / f"{number}.jpg", quality=85)
    for number in range(PHOTOS, listings):
        os.link(photos / f"{number % PHOTOS}.jpg", photos / f"{number}.jpg")
    given = rng.integers(0, len(CLASSES), listings)
    # where they stand in the table, and how urgent they are, have nothing to do with each other
    wrong = rng.permutation(np.arange(listings) < int(listings * flagged))
    priority = np.empty(listings, dtype=np.int64)
    priority[np.lexsort((rng.random(listings), ~wrong))] = np.arange(listings) + 1
    issues = pd.DataFrame({"id": [f"L{number:06}" for number in range(listings)]}).assign(
        image=[f"{number}.jpg" for number in range(listings)],
        given_label=[CLASSES[number] for number in given],
        price=np.round(np.exp(rng.normal(4, 1, listings)), 2),
        is_label_issue=wrong,
        label_score=np.where(wrong, rng.uniform(0, 0.4, listings), 0.95),
        suggested_label=[
            CLASSES[(number + 1) % 12] if is_wrong else None for number, is_wrong in zip(given, wrong, strict=True)
        ],
        suggested_confidence=np.where(wrong, 0.8, np.nan),
        price_low=20.0,
        price_high=200.0,
        is_price_issue=rng.random(listings) < 0.03,
        price_score=rng.random(listings),
        change_chance=np.where(wrong, 0.8, 0.05),
        priority=priority,
        reasons=np.where(wrong, "given one class, looks like another: photo and title say so", ""),
    )
    issues = issues.reindex(columns=list(COLUMNS)).astype(COLUMNS)
    table = issues[["id", "image", "price"]].assign(
        label=issues["given_label"], title="a thing for sale", fold=0, split="train"
    )
    run = RunFolder(folder / "runs" / "made" / "1")
    run.training_folder.mkdir(parents=True)
    run.write_table(run.issues_file, issues)
    run.write_table(run.listings_file, table)
    seen = rng.normal(size=(listings, features)).astype(np.float32)
    seen += rng.normal(size=(SORTS, features)).astype(np.float32)[rng.integers(0, SORTS, listings)]
    np.save(run.training_folder / "features-0.npy", seen)
    probs = rng.dirichlet(np.full(len(CLASSES), 0.3), listings).astype(np.float32)
    np.savez(
        run.probabilities_file,
        id=issues["id"].to_numpy(str),
        classes=np.array(CLASSES),
        probs=probs,
        fold=np.full(listings, -1),
    )
    dataset = {"name": "made", "path": str(folder), "root": str(photos), "classes": CLASSES}
    facts = {"format": 1, "status": "finished", "settings": {"train": {}}, "dataset": dataset}
    write_json(run.record_file, {**facts, "features": "features-0.npy"})
    return run


def opening(run: RunFolder, *options: str) -> dict[str, Any]:
    """Open a run, and stop at its first photo."""
    start = time.perf_counter()
    with server(run, *options) as (process, url), sync_playwright() as playwright:
        figures: dict[str, Any] = {"seconds to the address": round(time.perf_counter() - start, 1)}
        started = time.perf_counter()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        page = browser.new_page(viewport={"width": 1600, "height": 900})
        page.set_default_timeout(600_000)
        launched = time.perf_counter() - started
        page.goto(url)
        if "--page" in options:
            page.wait_for_function(PHOTO_STANDS, arg="")
        else:
            page.wait_for_selector("[data-cy=looker]")
        # a person's browser is open already
        figures["seconds to the first photo"] = round(time.perf_counter() - start - launched, 1)
        processes = [process, *process.children(recursive=True)]
        figures["processor seconds"] = round(sum(sum(one.cpu_times()[:2]) for one in processes), 1)
        figures["MB"] = memory(process)
        browser.close()
    return figures


def review(run: RunFolder, decisions: int) -> dict[str, Any]:
    """Open a run, decide, and stop."""
    start = time.perf_counter()
    with server(run, "--all") as (process, url), sync_playwright() as playwright:
        figures: dict[str, Any] = {"seconds to the address": round(time.perf_counter() - start, 1)}
        started = time.perf_counter()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        page = browser.new_page(viewport={"width": 1600, "height": 900})
        launched = time.perf_counter() - started
        page.goto(url)
        page.wait_for_selector("[data-cy=looker]", timeout=300_000)
        # a person's browser is open already
        figures["seconds to the first photo"] = round(time.perf_counter() - start - launched, 1)
        if decisions:
            figures |= decide(page, run, decisions)
        figures |= {"MB": memory(process)}
        browser.close()
    return figures


def decide(page: Page, run: RunFolder, decisions: int) -> dict[str, Any]:
    """Press keys on the open photo."""
    page.wait_for_selector('[data-item-id="@curate/review/keep"]', timeout=60_000)
    page.locator("[data-cy=looker]").first.click()
    listing = wait_for_card(page, "")
    shown, whole = [], []
    for number in range(decisions):
        before = run.journal.stat().st_size if run.journal.exists() else 0
        start = time.perf_counter()
        page.keyboard.press(KEYS[number % len(KEYS)])
        listing = wait_for_card(page, listing)
        shown.append(time.perf_counter() - start)
        while not run.journal.exists() or run.journal.stat().st_size == before:
            time.sleep(0.002)
        whole.append(time.perf_counter() - start)
    start = time.perf_counter()
    page.wait_for_function("() => !document.querySelector('[data-curate=photo]')", timeout=60_000)
    return {
        "decisions a minute": round(60 * decisions / sum(whole), 1),
        "ms to the next card and photo": spread(shown),
        "ms to that and the journal": spread(whole),
        "ms after the last one until FiftyOne has it open": round(1000 * (time.perf_counter() - start)),
    }


def one_page(run: RunFolder, decisions: int) -> dict[str, Any]:
    """Write the page, open it, and decide."""
    start = time.perf_counter()
    written = write_page(run, first=IN_PAGE)
    figures: dict[str, Any] = {"seconds to write": round(time.perf_counter() - start, 1)}
    figures["MB"] = round(written.size / 1e6, 1)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        page = browser.new_page(viewport={"width": 1600, "height": 900})
        start = time.perf_counter()
        assert written.path is not None
        page.goto(written.path.as_uri())
        page.wait_for_function(PHOTO_STANDS, arg="")
        figures["seconds to the first photo"] = round(time.perf_counter() - start, 1)
        took = []
        for number in range(decisions):
            place = page.locator("#where").inner_text()
            start = time.perf_counter()
            page.keyboard.press(KEYS[number % len(KEYS)])
            page.wait_for_function(PHOTO_STANDS, arg=place)
            took.append(time.perf_counter() - start)
        browser.close()
    return figures | {"ms to the next photo": spread(took)}


def live_page(run: RunFolder, decisions: int) -> dict[str, Any]:
    """Open the live page, decide, and stop."""
    start = time.perf_counter()
    with server(run, "--page", "--all", "--no-learn") as (process, url), sync_playwright() as playwright:
        figures: dict[str, Any] = {"seconds to the address": round(time.perf_counter() - start, 1)}
        started = time.perf_counter()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        page = browser.new_page(viewport={"width": 1600, "height": 900})
        launched = time.perf_counter() - started
        page.goto(url)
        page.wait_for_function(PHOTO_STANDS, arg="")
        # a person's browser is open already
        figures["seconds to the first photo"] = round(time.perf_counter() - start - launched, 1)
        page.wait_for_function("() => isLoaded()")
        figures["seconds to the whole queue"] = round(time.perf_counter() - start - launched, 1)
        page.evaluate(CLOCK)
        before = time.perf_counter()
        for number in range(decisions):
            page.keyboard.press(KEYS[number % len(KEYS)])
            page.wait_for_function("number => took.length > number", arg=number)
        figures["decisions a minute"] = round(60 * decisions / (time.perf_counter() - before), 1)
        page.wait_for_function("() => outbox.steps.length === 0")
        figures["ms to the next photo"] = spread([ms / 1000 for ms in page.evaluate("() => took")])
        figures["MB"] = memory(process)
        browser.close()
    return figures


def grid_page(run: RunFolder) -> dict[str, Any]:
    """Decide all grids of a run: in each, keys leave two tiles out, and one key accepts the others, or keeps them."""
    run.journal.unlink(missing_ok=True)
    with server(run, "--page", "--all") as (_, url), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        page = browser.new_page(viewport={"width": 1600, "height": 900})
        page.goto(url)
        page.wait_for_function("() => isLoaded()")
        start = time.perf_counter()
        page.keyboard.press("g")
        page.wait_for_function("() => grids.here")
        figures: dict[str, Any] = {"seconds to the first grid": round(time.perf_counter() - start, 2)}
        page.evaluate(GRID_CLOCK)
        before, number = time.perf_counter(), 0
        while key := page.evaluate("() => grids.here && (grids.here.suggested ? 'a' : 'k')"):
            for pressed in ("ArrowRight", "Space", "ArrowDown", "Space", key):
                page.keyboard.press(pressed)
            page.wait_for_function("number => took.length > number", arg=number)
            number += 1
        page.wait_for_function("() => outbox.steps.length === 0")
        seconds = time.perf_counter() - before
        figures["grids"] = number
        figures["decisions"] = len(run.holding_decisions().decisions)
        figures["decisions a minute"] = round(60 * figures["decisions"] / seconds)
        figures["ms to the next grid"] = spread([ms / 1000 for ms in page.evaluate("() => took")])
        browser.close()
    return figures


def photo_map(run: RunFolder) -> dict[str, Any]:
    """Open the map twice, move it, and draw a lasso around its middle: in milliseconds of the browser, or seconds."""
    figures: dict[str, Any] = {}
    for opening in ("first", "again"):
        with server(run, "--page", "--all", "--no-learn") as (process, url), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
            page = browser.new_page(viewport={"width": 1600, "height": 900})
            page.set_default_timeout(600_000)
            page.goto(url)
            page.wait_for_function("() => isLoaded()")
            start = time.perf_counter()
            page.keyboard.press("m")
            page.wait_for_function("size => drawing.painted === size", arg=len(run.issues()))
            figures[f"seconds from m to the whole map, {opening}"] = round(time.perf_counter() - start, 2)
            if opening == "again":
                figures |= {name: spread([ms / 1000 for ms in page.evaluate(code)]) for name, code in MOVES.items()}
                figures |= lasso(page)
                figures["MB"] = memory(process)
            browser.close()
    return figures


def lasso(page: Page) -> dict[str, Any]:
    """Draw a lasso around the middle of the map, until the grid stands with its photos."""
    box = page.locator("#canvas").bounding_box()
    assert box is not None
    across, down = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    turns = [2 * np.pi * number / 60 for number in range(60)]
    page.keyboard.down("Shift")
    page.mouse.move(across + 150, down)
    page.mouse.down()
    for turn in turns:
        page.mouse.move(across + 150 * float(np.cos(turn)), down + 150 * float(np.sin(turn)))
    start = time.perf_counter()
    page.mouse.up()
    page.keyboard.up("Shift")
    page.wait_for_function("() => grids.here && [...document.querySelectorAll('.pick img')].every(one => one.complete)")
    seconds = round(time.perf_counter() - start, 2)
    return {"listings in the lasso": page.evaluate("() => grids.picked.places.length"), "seconds to its grid": seconds}


def learning(folder: Path) -> dict[str, Any]:
    """Decide on a copy of a finished run, until the page shows what the first 25 decisions taught."""
    with tempfile.TemporaryDirectory() as place:
        run = RunFolder(Path(place) / "runs" / folder.parent.name / folder.name)
        shutil.copytree(folder, run.folder)
        for file in ("decisions.jsonl", "learned.json"):
            (run.folder / file).unlink(missing_ok=True)
        with server(run, "--page", "--all") as (_, url), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
            page = browser.new_page(viewport={"width": 1600, "height": 900})
            page.goto(url)
            page.wait_for_function(PHOTO_STANDS, arg="")
            page.evaluate(CLOCK)
            for number in range(EVERY):
                page.keyboard.press("d")
                page.wait_for_function("number => took.length > number", arg=number)
            start, number = time.perf_counter(), EVERY
            while not page.evaluate("() => news.learnt"):
                page.keyboard.press("d")
                page.wait_for_function("number => took.length > number", arg=number)
                number += 1
                time.sleep(1)  # a fast reviewer
            seconds = time.perf_counter() - start
            took = [ms / 1000 for ms in page.evaluate("() => took")]
            browser.close()
        return {
            "listings": len(run.issues()),
            "seconds to the new order": round(seconds, 1),
            "ms to the next photo before": spread(took[:EVERY]),
            "ms to the next photo meanwhile": spread(took[EVERY:]),
        }


def wait_for_card(page: Page, before: str) -> str:
    """Return the listing on the card, once it has changed and its photo stands beside it."""
    return str(page.wait_for_function(CARD_AND_PHOTO, arg=before, timeout=60_000).json_value())


def spread(seconds: list[float]) -> dict[str, int]:
    """Return median and 95th percentile in milliseconds."""
    return {name: round(1000 * float(np.percentile(seconds, q))) for name, q in (("median", 50), ("p95", 95))}


def memory(process: psutil.Process) -> dict[str, int]:
    """Return the resident memory of the server and of its mongod."""
    sizes = {"server": process.memory_info().rss}
    for child in process.children(recursive=True):
        name = "mongod" if child.name() == "mongod" else "others"
        sizes[name] = sizes.get(name, 0) + child.memory_info().rss
    return {name: round(size / 1e6) for name, size in sizes.items()}


@contextmanager
def server(run: RunFolder, *options: str) -> Iterator[tuple[psutil.Process, str]]:
    """Yield the process of `curate review` and its address."""
    code = "from curation.cli import main; main()"
    command = [sys.executable, "-c", code, "review", "--run", str(run.folder), "--port", "0", "--no-browser", *options]
    log = run.folder / "log"
    with log.open("wb") as output:
        process = psutil.Popen(
            command, stdout=output, stderr=output, env={**os.environ, "FIFTYONE_DATABASE_NAME": "curate_benchmark"}
        )
    try:
        while not (address := re.search(r"Open (http://\S+)", log.read_text())):
            if process.poll() is not None:
                raise SystemExit(log.read_text())
            time.sleep(0.05)
        yield process, address[1]
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()


def drop_database() -> None:
    """Remove the database from the person's MongoDB."""
    os.environ["FIFTYONE_DATABASE_NAME"] = "curate_benchmark"
    from curation.review.app.environment import load_fiftyone

    load_fiftyone()
    from fiftyone.core.odm import drop_database as drop

    drop()


if __name__ == "__main__":
    main()
