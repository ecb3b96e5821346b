"""The review, up to where FiftyOne is needed; and the run that all tests of the review look at."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import mongoengine
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from curation.errors import ReviewError, RunError
from curation.review.app.environment import load_fiftyone
from curation.review.database.check import check_mongod
from curation.review.server.allowed import servable
from curation.review.server.serve import run_review
from curation.run.folder import RunFolder
from curation.run.probabilities import Probabilities
from training.utils.files import write_json
from training.utils.progress import SILENT

DATABASE = os.environ["FIFTYONE_DATABASE_NAME"]  # of the tests' own, see conftest.py
CLASSES = ["chair", "desk", "lamp"]
try:
    check_mongod()
    NO_MONGOD = ""
except ReviewError as error:
    NO_MONGOD = str(error)
needs_mongod = pytest.mark.skipif(bool(NO_MONGOD), reason=f"no MongoDB: {NO_MONGOD[:80]}")


def make_run(folder: Path) -> RunFolder:
    """Write a finished run of 13 listings: L0 to L3 have a wrong label, L2 and L5 a wrong price, L8 and L9 are alike,
    the file of L10 is missing, that of L11 is damaged, L12 has no photo."""
    photos = folder / "photos"
    photos.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(12):
        colours = rng.integers(0, 255, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(colours).resize((160, 120)).save(photos / f"{number}.jpg")
    (photos / "10.jpg").unlink()
    (photos / "11.jpg").write_bytes(b"no photo")
    rows = [issue_row(number) for number in range(13)]
    issues = pd.DataFrame(rows)
    listings = issues[["id", "image", "price"]].assign(
        label=issues["given_label"],
        title=[f"nice thing {number}" for number in range(13)],
        split=["test" if number > 9 else "train" for number in range(13)],
        fold=[None if number > 9 else number % 3 for number in range(13)],
        unreadable=[None] * 10 + ["no such file", "11.jpg is not an image", None],
    )
    run = RunFolder(folder / "runs" / "tiny" / "1")
    run.folder.mkdir(parents=True)
    issues.to_parquet(run.issues_file)
    listings.to_parquet(run.listings_file)
    ids, nothing = listings["id"].to_numpy(dtype=str), np.full((13, 3), np.nan)
    Probabilities(ids, tuple(CLASSES), nothing, np.arange(13) % 3).save(run.probabilities_file)
    dataset = {"name": "tiny", "path": str(folder), "root": str(photos), "classes": CLASSES}
    write_json(run.record_file, {"format": 1, "status": "finished", "dataset": dataset, "settings": {"train": {}}})
    return run


def issue_row(number: int) -> dict[str, Any]:
    wrong = number < 4
    return {
        "id": f"L{number}",
        "image": f"{number}.jpg" if number < 12 else None,
        "given_label": CLASSES[number % 3],
        "price": 10.0 + number,
        "is_label_issue": wrong,
        # the worst label is L3, the first to look at is L0: the two orders differ
        "label_score": 0.4 - 0.1 * number if wrong else 0.9,
        "suggested_label": CLASSES[(number + 1) % 3] if wrong else None,
        "suggested_confidence": 0.9 if wrong else None,
        "is_price_issue": number in (2, 5),
        "price_score": 0.1 if number in (2, 5) else 0.8,
        "price_low": 8.0,
        "price_high": 30.0,
        "is_near_duplicate_issue": number in (8, 9),
        "near_duplicate_score": 0.2 if number in (8, 9) else 1.0,
        "near_duplicate_group": 1.0 if number in (8, 9) else None,
        "is_outlier_issue": False,
        "outlier_score": float("nan"),
        "is_unreadable_issue": number == 11,
        "priority": number + 1,
        "reasons": f"reason {number}" if wrong else "",
    }


def journal_of(run: RunFolder) -> list[tuple[str, str, str | None]]:
    return [(decision.id, decision.action, decision.new_label) for decision in run.decisions()[0]]


def our_fiftyone() -> Any:
    """Import FiftyOne so that this process works in the tests' database."""
    fiftyone = load_fiftyone()
    fiftyone.list_datasets()  # connects
    assert fiftyone.core.odm.get_db_conn().name == mongoengine.get_db().name == DATABASE
    return fiftyone


def drop_database(name: str) -> None:
    """Drop a database, and the one that connecting to do so makes."""
    client = our_fiftyone().core.odm.get_db_conn().client
    for each in {name, DATABASE}:
        client.drop_database(each)


def test_importing_the_review_does_not_import_fiftyone():
    code = "import sys, curation.review.server.serve, curation.review.app.dataset; sys.exit('fiftyone' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_mongodb_that_does_not_answer_is_told_soon(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("FIFTYONE_DATABASE_URI", f"mongodb://ana:secret@127.0.0.1:{port}")
    start = time.monotonic()
    with pytest.raises(ReviewError, match=r"apply_fixes\(decisions=") as caught:
        check_mongod()
    # left to itself, pymongo would try for 30 s
    assert time.monotonic() - start < 30
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_mongod_is_told_with_what_to_type(monkeypatch, tmp_path):
    package = tmp_path / "fiftyone"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.delenv("FIFTYONE_DATABASE_URI", raising=False)
    code = "from curation.review.database.check import check_mongod; check_mongod()"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = [{str(tmp_path)!r}]; {code}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "FiftyOne has no MongoDB. Type: pip install 'curate-listings[mongod]'" in done.stderr


def test_photos_that_were_moved_are_told_with_the_folder_they_were_in(tmp_path):
    run = make_run(tmp_path)
    (tmp_path / "photos").rename(tmp_path / "elsewhere")
    with pytest.raises(ReviewError, match=re.escape(str(tmp_path / "photos"))):
        run_review(run, reporter=SILENT)


def test_an_unfinished_run_can_not_be_looked_at(tmp_path):
    run = make_run(tmp_path)
    run.update(status="running")
    with pytest.raises(RunError, match="has not finished"):
        run_review(run, reporter=SILENT)


@needs_mongod
def test_a_port_in_use_is_told_with_the_option_that_mends_it(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ReviewError, match=f"port {port} is in use.*`port={port + 1}`"):
            run_review(make_run(tmp_path), port=port, reporter=SILENT)


def test_a_photo_that_is_a_link_out_of_its_folder_is_not_servable(tmp_path):
    real, folder = tmp_path / "disk", tmp_path / "photos"
    real.mkdir()
    (real / "a.jpg").touch()
    (tmp_path / "secret.jpg").touch()
    (real / "b.jpg").symlink_to(tmp_path / "secret.jpg")
    folder.symlink_to(real)  # a linked folder is a common way to save a copy
    files, outside = servable([str(folder / "a.jpg"), str(folder / "b.jpg")])
    assert files == {str(real / "a.jpg")}
    assert outside == {str(folder / "b.jpg")}
