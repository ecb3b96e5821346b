"""The review as one page, as the command line writes it."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from curation.errors import InputError
from curation.review.page.write import write_page
from curation.run.folder import RunFolder
from curation.run.journal import Decision
from curation.run.probabilities import Probabilities
from tests.cli.test_cli import assert_refused, done
from tests.support.fixes import make_run as make_plain_run

HOSTILE = "</script><script>document.title='run'</script><img src=x onerror=\"document.title='run'\">"
QUEUE = ["00", "01", "02", "06", "10", "11"]


def make_run(folder: Path) -> RunFolder:
    """Write a run with six flagged listings: 00, 01, 02 and 06 by their label, 10 and 11 as reposts; the photo of 06 is
    damaged, and the title of 00 wants to be run."""
    run = make_plain_run(folder)
    issues, listings = run.issues(), run.listings()
    repost = issues["id"].isin(["10", "11"])
    issues = issues.assign(
        is_near_duplicate_issue=repost,
        near_duplicate_group=pd.array([1 if yes else None for yes in repost], dtype="Int64"),
        label_score=1 - issues["suggested_confidence"],
        price_low=20.0,
        price_high=90.0,
        reasons=[f"reason {id}" for id in issues["id"]],
        change_chance=[0.99, 0.9, 0.8, 0, 0, 0, 0.3, 0, 0, 0, 0.2, 0.1],
    )
    titles = [HOSTILE, *(f"thing {id}" for id in listings["id"][1:])]
    run.write_table(run.issues_file, issues)
    run.write_table(run.listings_file, listings.assign(title=titles))
    nothing = np.full((len(listings), len(run.classes)), np.nan)
    folds = np.full(len(listings), -1)
    Probabilities(listings["id"].to_numpy(dtype=str), tuple(run.classes), nothing, folds).save(run.probabilities_file)
    (run.photo_root / "photos" / "06.png").write_bytes(b"no photo")
    return run


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A run below the current folder, which is the latest."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CURATE_REVIEWER", "ana")
    return make_run(tmp_path)


def data_of(page: Path) -> dict[str, Any]:
    match = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text(encoding="utf-8"))
    assert match
    return dict(json.loads(match[1]))


def test_the_command_says_where_the_page_is_and_what_to_type_next(run: RunFolder) -> None:
    result = done("review", "--html", "--no-browser")
    assert re.search(r"Page: runs/shop/1/review\.html \(6 listings, 0 decided already, 0\.\d MB\)", result.stdout)
    assert "Next: curate apply-fixes --run runs/shop/1 --decisions ~/Downloads/decisions.csv\n" in result.stdout
    named = done("review", "--html", "--no-browser", "--run", run.folder).stdout
    assert f"Next: curate apply-fixes --run {run.folder} --decisions ~/Downloads/decisions.csv\n" in named


def test_a_page_of_which_everything_is_decided_asks_for_nothing(run: RunFolder) -> None:
    run.decide([Decision(id, "keep", None, "bo", "2024-05-01T10:00:00.000+00:00", "app") for id in QUEUE])
    said = done("review", "--html", "--no-browser").stdout
    assert "Decide in a browser" not in said
    assert said.splitlines()[-2:] == ["All of them are decided.", "Next: curate apply-fixes"]


def test_the_command_answers_as_json(run: RunFolder, tmp_path: Path) -> None:
    run.decide([Decision("01", "keep", None, "bo", "2024-05-01T10:00:00.000+00:00", "app")])
    page = tmp_path / "elsewhere" / "page.html"
    result = done("review", "--html", "--no-browser", "--top", 3, "--output", page, "--json")
    assert json.loads(result.stdout) == {
        "run": "runs/shop/1",
        "page": str(page),
        "listings": 3,
        "decided": 1,
        "bytes": page.stat().st_size,
        "next": "curate apply-fixes --run runs/shop/1 --decisions ~/Downloads/decisions.csv",
    }
    assert [listing["id"] for listing in data_of(page)["listings"]] == QUEUE[:3]
    assert not (run.folder / "review.html").exists()


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["--html", "--port", "5152"], "--port has no effect with --html"),
        (["--html", "--address", "0.0.0.0"], "--address has no effect with --html"),
        (["--top", "5", "--all"], "--top has no effect with --all"),
        (["--page", "--html"], r"--page has no effect with --html\. Leave one of them out\.$"),
        (["--page", "--output", "page.html"], "--output has no effect without --html"),
        (["--output", "page.html"], "--output has no effect without --html"),
        (["--test"], "--test has no effect without --html"),
        (["--html", "--budget", "3"], "--budget has no effect without --test"),
        (["--html", "--test", "--budget", "3", "--top", "2"], "--top has no effect with --test"),
        (["--html", "--test"], "no test listing was drawn yet.*--budget 200"),
        (["--html", "--test", "--budget", "0"], "budget"),
        (["--html", "--top", "0"], "top"),
        (["--html", "--no-browser", "--output", "."], r"can't write \.: got a folder"),
        (["--html", "--no-browser", "--output", "input/listings.csv"], "a file that is not a review page"),
    ],
)
def test_options_that_make_no_sense_together_are_refused(
    arguments: list[str], match: str, run: RunFolder, tmp_path: Path
) -> None:
    assert_refused(tmp_path, "review", *arguments, match=match)


def test_an_earlier_page_is_replaced(run: RunFolder) -> None:
    write_page(run, first=1)
    assert write_page(run).listings == 6
    assert len(data_of(run.folder / "review.html")["listings"]) == 6


def test_a_run_with_nothing_flagged_says_so_and_writes_no_page(run: RunFolder) -> None:
    issues = run.issues()
    issues[["is_label_issue", "is_near_duplicate_issue"]] = False
    run.write_table(run.issues_file, issues)
    assert "Nothing is flagged in run runs/shop/1" in done("review", "--html", "--no-browser").stdout
    assert json.loads(done("review", "--html", "--no-browser", "--json").stdout)["page"] is None
    assert not (run.folder / "review.html").exists()


def test_listings_without_photos_are_on_the_page_and_it_says_that_they_have_none(run: RunFolder) -> None:
    run.write_table(run.issues_file, run.issues().assign(image=None))
    done("review", "--html", "--no-browser")
    page = (run.folder / "review.html").read_text()
    none = base64.b64encode(b"this listing has none").decode()
    assert page.count('<script type="text/plain" id="photo-') == page.count(none) > 0
    assert 'type="image/webp"' not in page


def test_writing_the_page_needs_no_fiftyone(run: RunFolder) -> None:
    code = (
        "import sys; from pathlib import Path; from curation.run.folder import RunFolder\n"
        "from curation.review.page.write import write_page\n"
        "write_page(RunFolder(Path(sys.argv[1]))); sys.exit('fiftyone' in sys.modules or 'torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(run.folder)], check=False).returncode == 0


def test_each_photo_is_in_the_page_once_and_a_damaged_one_is_words(run: RunFolder) -> None:
    page = write_page(run).path
    assert page is not None
    photos = re.findall(r'<script type="([a-z/]+)" id="photo-(\d+)">', page.read_text(encoding="utf-8"))
    data = data_of(page)
    assert [int(place) for _, place in photos] == list(range(len(data["listings"]) + len(data["others"])))
    assert [place for kind, place in photos if kind == "text/plain"] == [str(QUEUE.index("06"))]


def test_the_page_depends_on_the_run_only(run: RunFolder, tmp_path: Path) -> None:
    first, again = write_page(run, output=tmp_path / "1.html").path, write_page(run, output=tmp_path / "2.html").path
    assert first is not None
    assert again is not None
    assert first.read_bytes() == again.read_bytes()


def test_a_page_with_an_output_in_a_folder_that_can_not_be_made_is_refused(run: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="can't write"):
        write_page(run, output=tmp_path / "file" / "page.html")


def test_a_photo_that_became_a_link_to_another_file_is_words_and_not_in_the_page(
    run: RunFolder, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.png"
    Image.new("RGB", (6, 4), (1, 2, 3)).save(mine)
    photo = run.photo_root / "photos" / "00.png"
    photo.unlink()
    photo.symlink_to(mine)
    page = write_page(run).path
    assert page is not None
    (shown,) = re.findall(r'<script type="text/plain" id="photo-0">(.*?)</script>', page.read_text(encoding="utf-8"))
    assert base64.b64decode(shown).decode() == "00.png leads to a file that is no photo of this run"
