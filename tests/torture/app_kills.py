"""SIGKILL of the process that serves the App while two browsers decide: what they were told is in the journal.

Each review is of the same run, so that each begins with what the one before it left behind.
"""

from __future__ import annotations

import http.client
import os
import random
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from curation.run.folder import RunFolder
from tests.torture._browser import Browser
from tests.torture.tally import Tally

COUNT = 12
#: What the App's keys are, and what each writes down.
_KEYS = ("keep", "delete", "ambiguous")
#: Seconds after the first decision until the kill, at most.
_LONGEST = 3.0

Told = Counter[tuple[str, str]]


def run(count: int, seed: int, jobs: int) -> Tally:
    """Kill so many reviews, one after the other."""
    # as tests/conftest.py has it for the suite: a database of our own, which the imports read
    os.environ.setdefault("FIFTYONE_DATABASE_NAME", f"curate_torture_{os.getpid()}")
    from tests.curation.review.test_review import NO_MONGOD, drop_database, make_run
    from tests.support.review_server import SERVED

    if NO_MONGOD:
        return Tally("app_kills", skipped=f"no MongoDB: {NO_MONGOD[:80]}")
    tally, decisions = Tally("app_kills"), 0
    with tempfile.TemporaryDirectory(prefix="app-kills-") as folder:
        reviewed = make_run(Path(folder))
        try:
            for number in range(count):
                draw = random.Random(f"{seed} {number}")
                tally.tried += 1
                told, faults = _killed(reviewed, Path(folder) / f"log-{number}", draw)
                decisions += told
                for kind, line in faults:
                    tally.fault(kind, f"kill {number}: {line}")
        finally:
            drop_database(SERVED)
    tally.notes.append(f"{decisions} acknowledged decisions")
    return tally


def _killed(reviewed: RunFolder, log: Path, draw: random.Random) -> tuple[int, list[tuple[str, str]]]:
    """Review, kill, and compare; return how many decisions were acknowledged, and what is wrong."""
    from tests.support.review_server import start

    before = _written(reviewed)
    server = start(reviewed, log)
    told = [Told(), Told()]
    try:
        browsers = [Browser(server.printed), Browser(server.url)]
        seeds = [draw.random() for _ in browsers]
        threads = [
            threading.Thread(target=_decide, args=(browser, random.Random(seed), each))
            for browser, seed, each in zip(browsers, seeds, told, strict=True)
        ]
        for thread in threads:
            thread.start()
        time.sleep(draw.random() * _LONGEST)
    finally:
        os.killpg(server.process.pid, signal.SIGKILL)
        server.process.wait()
    for thread in threads:
        thread.join()
    return sum(told[0].values()) + sum(told[1].values()), list(_compared(reviewed, before, told, log))


def _decide(browser: Browser, draw: random.Random, told: Told) -> None:
    """Decide until the review is gone; count what the App was told."""
    try:
        samples = sorted(browser.samples().items())
        while True:
            (listing, sample), key = draw.choice(samples), draw.choice(_KEYS)
            if browser.decide(key, sample):
                told[listing, key] += 1
    except (OSError, http.client.HTTPException, ValueError):  # cut off
        return


def _written(reviewed: RunFolder) -> Told:
    return Told((decision.id, decision.action) for decision in reviewed.decisions()[0])


def _compared(reviewed: RunFolder, before: Told, told: list[Told], log: Path) -> Iterator[tuple[str, str]]:
    new, acknowledged = _written(reviewed) - before, told[0] + told[1]
    if lost := acknowledged - new:
        yield "losses", f"acknowledged decisions are not in the journal: {dict(lost)}"
    # each browser may have been cut off once before it was told
    if (new - acknowledged).total() > len(told):
        yield "unexplained", f"decisions that nobody made: {dict(new - acknowledged)}"
    if damaged := [fault for fault in reviewed.read_journal().faults if fault.kind not in ("torn", "closed")]:
        yield "losses", f"the journal is damaged: {damaged}"
    if "Traceback" in log.read_text(errors="replace"):
        yield "tracebacks", log.read_text(errors="replace")[-500:]
