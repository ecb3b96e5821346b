"""Photos that can't be read: findings within the limit; beyond it a refusal that names them and keeps all of them."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import curation
from curation.errors import InputError, ListingsError
from curation.listings.limits import Limits, enough
from tests.cli.test_cli import curate

ROWS = 20


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a shop of 20 listings of which 5 photos can't be read, and probabilities of them all."""
    folder = tmp_path / "shop"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(ROWS):
        Image.fromarray(rng.integers(0, 256, (24, 24, 3), dtype=np.uint8)).save(folder / f"{number:02}.png")
    for number in (3, 4, 5):
        (folder / f"{number:02}.png").write_bytes(f"<html>{number}</html>".encode())
    os.truncate(folder / "06.png", 300 * 10**6)
    (folder / "07.png").unlink()
    os.mkfifo(folder / "07.png")
    # in another order than that of the ids
    ids = [f"L{number:02}" for number in reversed(range(ROWS))]
    images = [f"{number:02}.png" for number in reversed(range(ROWS))]
    table = pd.DataFrame({"id": ids, "image": images, "label": ["desk", "lamp"] * (ROWS // 2)})
    table.to_csv(folder / "listings.csv", index=False)
    pd.DataFrame({"id": ids, "desk": 0.7, "lamp": 0.3}).to_csv(tmp_path / "probs.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


FIND = ("find-issues", "shop", "--probabilities", "probs.csv", "--no-text")


def test_too_many_are_refused_with_names_reasons_counts_and_a_file_of_all_that_stays(shop: Path) -> None:
    refused = curate(*FIND)
    assert refused.exit_code == 2, refused.output
    assert (
        "5 of 20 photos can't be read: got not an image in 3 (03.png, 04.png, +1 more), it has 300 MB, more than "
        "200 MB in 1 (06.png), it is a named pipe, not a file in 1 (07.png); all are in runs/shop/1/problems.csv; "
        "wanted at most 20%. Check that the image column names the photos of this table, or accept that these have "
        "none with --allow-bad 0.3."
    ) in " ".join(refused.stderr.split())
    problems = pd.read_csv(shop / "runs/shop/1/problems.csv")
    assert problems["id"].tolist() == ["L07", "L06", "L05", "L04", "L03"]
    # rows as a person counts them, below the header
    assert problems["row"].tolist() == [14, 15, 16, 17, 18]
    assert problems["why"].tolist()[1:3] == [
        "can't be read: it has 300 MB, more than 200 MB",
        "can't be read: not an image",
    ]


def test_the_same_command_with_the_limit_that_was_named_goes_on_in_the_same_run(shop: Path) -> None:
    assert curate(*FIND).exit_code == 2
    done = curate(*FIND, "--allow-bad", 0.3)
    assert done.exit_code == 0, done.output
    assert [path.name for path in (shop / "runs/shop").iterdir()] == ["1"]
    issues = pd.read_parquet(shop / "runs/shop/1/issues.parquet").set_index("id")
    assert len(issues) == ROWS
    assert issues.index[issues["is_unreadable_issue"].astype(bool)].tolist() == ["L07", "L06", "L05", "L04", "L03"]
    assert issues.loc["L07", "reasons"].endswith("photo can't be read: it is a named pipe, not a file")


def test_a_refusal_that_was_mended_leaves_no_list_of_what_was_bad(shop: Path) -> None:
    assert curate(*FIND).exit_code == 2
    for number in range(3, 8):
        file = shop / f"shop/{number:02}.png"
        file.unlink()
        Image.new("RGB", (24, 24), (number, 0, 0)).save(file)
    assert curate(*FIND).exit_code == 0
    assert not (shop / "runs/shop/1/problems.csv").exists()


def test_the_share_that_a_refusal_names_is_enough() -> None:
    for rows in range(1, 400):
        for bad in range(rows + 1):
            assert Limits(allow_bad=enough(bad, rows)).allow(bad, rows), (bad, rows)
    assert not Limits(allow_bad=0.7).allow(64, 90)
    assert Limits(allow_bad=0).allow(0, 0)


def test_limits_go_from_the_run_to_the_cleaned_dataset_which_is_read_alike(shop: Path) -> None:
    listings = curation.read_listings("shop", allow_bad=0.5, max_photo_mb=400)
    run = curation.find_issues(listings, probabilities="probs.csv", text=False)
    # a photo with nothing but zeros behind its end
    assert not run.issues.set_index("id").loc["L06", "is_unreadable_issue"]
    pd.DataFrame({"id": ["L00"], "decision": ["delete"]}).to_csv("mine.csv", index=False)
    run.apply_fixes(decisions="mine.csv")
    declared = tomllib.loads((run.folder / "cleaned/dataset.toml").read_text())
    assert (declared["allow_bad"], declared["max_photo_mb"]) == (0.5, 400)
    cleaned = curation.read_listings(run.folder / "cleaned")
    assert cleaned.limits == listings.limits
    # what is asked now is above what was declared
    assert curation.read_listings(run.folder / "cleaned", allow_bad=0.6).limits.allow_bad == 0.6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"allow_bad": 1.5}, "the share of bad rows is out of range: got 1.5; wanted 0 to 1"),
        ({"allow_bad": float("nan")}, "the share of bad rows is out of range: got nan; wanted 0 to 1"),
        ({"max_photo_mb": 0}, r"the size of photos in MB is out of range: got 0; wanted 0\.001 to 1000000000"),
        ({"max_photo_mb": float("inf")}, "the size of photos in MB is out of range: got inf"),
    ],
)
def test_limits_that_are_none_are_refused(shop: Path, options: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        curation.read_listings("shop", **options)  # type: ignore[arg-type]
    assert [caught.value.parameter] == list(options)


def test_a_declared_limit_that_is_no_number_is_refused(shop: Path) -> None:
    (shop / "shop/dataset.toml").write_text('allow_bad = "a half"\n')
    with pytest.raises(ListingsError, match=r"'allow_bad' must be a number: got 'a half'"):
        curation.read_listings("shop")


def test_bad_rows_of_a_table_name_the_limit_too_and_may_be_allowed(shop: Path) -> None:
    table = pd.read_csv(shop / "shop/listings.csv")
    table.loc[:6, "label"] = None
    with pytest.raises(ListingsError, match=r"8 of 20 rows are bad.* with `allow_bad=0\.4`"):
        curation.read_listings(table, root="shop")
    assert len(curation.read_listings(table, root="shop", allow_bad=0.4).table) == ROWS
