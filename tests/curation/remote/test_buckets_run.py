"""A dataset in a bucket goes from `find-issues` to `cleaned/`, and gives what it gives on this machine."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pyarrow.parquet
import pytest

import curation
from tests.cli.test_cli import curate
from tests.support.s3_server import BucketServer

OPTIONS = ("--preset", "quick", "--folds", "2")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CURATE_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path


def test_the_same_dataset_here_and_in_a_bucket_gives_the_same_to_the_last_bit(
    here: Path, buckets: BucketServer
) -> None:
    curation.demo("shop", listings=120)
    # a photo that is damaged is the same finding in both places
    photos = sorted((here / "shop" / "images").iterdir())
    photos[5].write_bytes(photos[5].read_bytes()[:200])
    assert curate("find-issues", "shop", *OPTIONS, "--run", "here").exit_code == 0
    buckets.upload("market", here / "shop")
    shutil.rmtree(here / "cache")
    found = curate("find-issues", "s3://market", *OPTIONS, "--run", "there")
    assert found.exit_code == 0, found.output
    assert "120 photos were fetched." in found.stderr
    one, other = (curation.open_run(name) for name in ("here", "there"))
    pd.testing.assert_frame_equal(
        one.issues.drop(columns="image"), other.issues.drop(columns=["image", "fetched_from"]), check_exact=True
    )
    assert one.health == other.health
    names = "s3://market/" + one.issues["image"]
    assert other.issues["fetched_from"].tolist() == names.tolist()
    record = json.loads((here / "there" / "run.json").read_text())["dataset"]
    assert (record["path"], record["name"]) == ("s3://market", "demo")

    other.decide(other.issues["id"].iloc[0], "delete")
    applied = curate("apply-fixes", "--run", "there")
    assert applied.exit_code == 0, applied.output
    written = pd.read_csv(here / "there" / "cleaned" / "listings.csv", dtype=str)
    assert len(written) == 119
    assert written["image"].str.startswith("s3://market/images/").all()
    refused = curate("find-issues", "there/cleaned")
    assert refused.exit_code == 2
    assert "add --fetch s3://market/images/ to fetch from there." in refused.stderr
    again = curation.read_listings("there/cleaned", fetch="s3://market/images/")
    assert again.table["image"].notna().all()
    assert curate("verify", "there").exit_code == 0


def test_parquet_files_in_a_bucket_are_one_table_with_photos_in_another(here: Path, buckets: BucketServer) -> None:
    curation.demo("shop", listings=120)
    table = pd.read_csv("shop/listings.csv", dtype=str)
    for label, rows in table.groupby("label"):
        folder = here / "market" / "data" / f"label={str(label).replace('/', '-')}"
        folder.mkdir(parents=True)
        own = rows.drop(columns="label").assign(image="s3://photos/" + rows["image"])
        own.to_parquet(folder / "part-0.parquet")
    (here / "market" / "data" / "_SUCCESS").write_text("")
    buckets.upload("market", here / "market")
    buckets.upload("photos", here / "shop")
    local = curation.read_listings("market/data", fetch="s3://photos")
    there = curation.read_listings("s3://market/data", fetch="s3://photos")
    pd.testing.assert_frame_equal(there.table, local.table)
    assert (there.sha256, there.source.name) == (local.sha256, local.source.name)
    assert there.notes[0] == local.notes[0]


@pytest.mark.parametrize("name", ["listings.parquet", "listings.xlsx", "listings.jsonl", "listings.csv.gz"])
def test_a_table_of_another_kind_in_a_bucket_is_read_as_it_is_here(
    name: str, here: Path, buckets: BucketServer
) -> None:
    rows = [{"id": f"L{row}", "label": "ab"[row % 2], "price": 5.5 + row} for row in range(6)]
    table = pd.DataFrame(rows)
    (here / "shop").mkdir()
    write = {
        "listings.parquet": table.to_parquet,
        "listings.xlsx": lambda path: table.to_excel(path, index=False),
        "listings.jsonl": lambda path: table.to_json(path, orient="records", lines=True),
        "listings.csv.gz": lambda path: table.to_csv(path, index=False),
    }
    write[name](here / "shop" / name)
    buckets.upload("shop", here / "shop")
    local = curation.read_listings(f"shop/{name}", needs_image=False)
    for url in (f"s3://shop/{name}", "s3://shop"):
        there = curation.read_listings(url, needs_image=False)
        pd.testing.assert_frame_equal(there.table, local.table)
        assert there.sha256 == local.sha256


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("s3://market/none.csv", "a URL that does not exist"),
        ("s3://market/none/", "a URL that does not exist"),
        ("s3://nobody/", "a URL that names a bucket that does not exist"),
        ("s3://market/photos", "has no table"),
        ("s3://market/lake", "s3://market/lake is a table of Delta Lake"),
        ("s3://market/bad.csv", "s3://market/bad.csv|bad.csv"),
        ("s3://", "names no host or bucket"),
        ("s3://market/../x.csv", "goes up in its path"),
    ],
)
def test_what_is_no_dataset_in_a_bucket_is_told(url: str, said: str, buckets: BucketServer) -> None:
    parquet = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(pyarrow.table({"id": ["a", "b"]}), parquet)
    part = parquet.getvalue().to_pybytes()
    buckets.make(
        "market",
        {
            "photos/a/1.jpg": b"photo",
            "photos/b/1.jpg": b"photo",
            "lake/1.parquet": part,
            "lake/2.parquet": part,
            "lake/_delta_log/0.json": b"{}",
            "bad.csv": b"",
        },
    )
    with pytest.raises(curation.ListingsError, match=said) as caught:
        curation.read_listings(url)
    assert "/tmp/" not in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    "command",
    [
        ("find-issues", "shop", "--run", "s3://market/run"),
        ("find-issues", "shop", "--cache-dir", "s3://market/cache"),
        ("status", "--run", "s3://market/run"),
        ("explore", "shop", "--output", "s3://market/out"),
    ],
)
def test_runs_and_caches_are_folders_of_this_machine(command: tuple[str, ...]) -> None:
    curation.demo("shop", listings=120)
    refused = curate(*command)
    assert refused.exit_code == 2
    assert "is a URL: got s3://…; wanted a file or folder of this machine" in refused.stderr
    assert "copy it there when it is complete" in refused.stderr
