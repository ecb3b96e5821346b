"""Photos and tables in buckets of a real S3 server, which may be slow or fail."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

import curation
from tests.cli.test_cli import curate
from tests.support.patience import ENDLESS, HURRIED, use_patience
from tests.support.photo_server import photo_bytes
from tests.support.s3_server import BucketServer, Unreliable, serve_unreliably

PHOTOS = {f"p/{row}.png": photo_bytes(row) for row in range(24)}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CURATE_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def unreliable(buckets: BucketServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Unreliable]:
    use_patience(monkeypatch, HURRIED)
    with serve_unreliably(buckets.address) as between:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", between.address)
        yield between


def table(images: list[str]) -> pd.DataFrame:
    count = range(len(images))
    return pd.DataFrame(
        {"id": [f"L{row}" for row in count], "image": images, "label": ["lamp" if row % 2 else "sofa" for row in count]}
    )


def of_bucket(names: object = PHOTOS) -> pd.DataFrame:
    return table([f"s3://shop/{name}" for name in names])  # type: ignore[attr-defined]


def contents(listings: curation.Listings) -> list[bytes]:
    return [Path(path).read_bytes() for path in listings.table["image"]]


def test_photos_in_a_bucket_are_fetched_and_shown_by_their_urls(here: Path, buckets: BucketServer) -> None:
    buckets.make("shop", PHOTOS)
    listings = curation.read_listings(of_bucket(), fetch="s3://shop/p/")
    assert contents(listings) == list(PHOTOS.values())
    assert listings.problems.empty
    assert listings.table["fetched_from"].tolist() == [f"s3://shop/{name}" for name in PHOTOS]
    assert "24 photos were fetched." in listings.notes
    assert all(Path(path).parent == here / "cache" / "fetched-v1" for path in listings.table["image"])


def test_a_photo_that_was_replaced_in_its_bucket_is_fetched_again_and_no_other(buckets: BucketServer) -> None:
    buckets.make("shop", PHOTOS)
    first = curation.read_listings(of_bucket(), fetch="s3://shop")
    # of the same size
    buckets.put("shop", "p/3.png", photo_bytes(200))
    again = curation.read_listings(of_bucket(), fetch="s3://shop")
    assert "1 photo was fetched, 23 were there already." in again.notes
    assert contents(again)[3] == photo_bytes(200)
    # an earlier run still has what it was made from
    assert contents(first) == list(PHOTOS.values())


def test_what_a_bucket_lacks_is_an_unreadable_photo_with_its_reason(buckets: BucketServer) -> None:
    buckets.make("shop", {**PHOTOS, "large.png": bytes(2_000_000), "page.html": b"<html>", "folder/1.png": b""})
    names = [*PHOTOS, "none.png", "large.png", "folder"]
    listings = curation.read_listings(of_bucket(names), fetch="s3://shop", max_photo_mb=1)
    assert listings.problems[["id", "value", "why"]].to_numpy().tolist() == [
        ["L24", "s3://shop/none.png", "can't be fetched: it does not exist"],
        ["L25", "s3://shop/large.png", "can't be fetched: it is larger than 1 MB"],
        ["L26", "s3://shop/folder", "can't be fetched: it is a folder"],
    ]


def test_a_damaged_photo_in_a_bucket_is_what_it_would_be_here(buckets: BucketServer) -> None:
    buckets.make("shop", {**PHOTOS, "text.png": b"no photo", "empty.png": b"", "cut.png": photo_bytes(3)[:60]})
    listings = curation.read_listings(of_bucket([*PHOTOS, "text.png", "empty.png", "cut.png"]), fetch="s3://shop")
    assert listings.problems.empty
    assert contents(listings)[-3:] == [b"no photo", b"", photo_bytes(3)[:60]]


def test_other_buckets_than_the_allowed_one_are_not_asked(buckets: BucketServer) -> None:
    buckets.make("shop", PHOTOS)
    buckets.make("secrets", {"payroll.png": photo_bytes(1)})
    rows = of_bucket()
    rows.loc[5, "image"] = "s3://secrets/payroll.png"
    listings = curation.read_listings(rows, fetch="s3://shop")
    assert listings.table["image"].isna().sum() == 1
    assert listings.problems["why"].tolist() == ["is a URL that is not allowed to be fetched"]
    refused = curate("find-issues", write(rows))
    assert refused.exit_code == 2
    assert "If you trust these places, add --fetch s3://shop/p/ --fetch s3://secrets/ to fetch from there." in (
        refused.stderr
    )


def write(rows: pd.DataFrame) -> str:
    rows.to_csv("shop.csv", index=False)
    return "shop.csv"


@pytest.mark.parametrize("how", ["500", "503", "reset", "half", "slow"])
def test_a_store_that_fails_for_the_moment_gives_every_photo(
    how: str, buckets: BucketServer, unreliable: Unreliable
) -> None:
    buckets.make("shop", PHOTOS)
    unreliable.rule = lambda method, path, before: how if method == "GET" and (before == 0 or how == "slow") else ""
    listings = curation.read_listings(of_bucket(), fetch="s3://shop")
    assert contents(listings) == list(PHOTOS.values())
    assert listings.problems.empty
    asked = 1 if how == "slow" else 2
    assert unreliable.asked["GET /shop/p/7.png"] == asked


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("503", "can't be reached (503)"),
        ("half", "can't be reached (ClientPayloadError)"),
        ("silent", "takes longer than 3 s"),
        ("403", "is refused: no permission"),
    ],
)
def test_a_photo_that_its_store_does_not_give_is_unreadable_and_the_others_are_there(
    how: str, reason: str, buckets: BucketServer, unreliable: Unreliable, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_patience(monkeypatch, ENDLESS if how == "silent" else HURRIED)
    buckets.make("shop", PHOTOS)
    unreliable.rule = lambda method, path, before: how if path.endswith("/7.png") else ""
    listings = curation.read_listings(of_bucket(), fetch="s3://shop")
    assert listings.table["image"].notna().tolist() == [row != 7 for row in range(24)]
    assert listings.problems["id"].tolist() == ["L7"]
    assert unreliable.asked["HEAD /shop/p/7.png"] <= 3
    (why,) = listings.problems["why"]
    assert why.startswith("can't be fetched: it ")
    assert "secret" not in why
    if how in ("403", "silent"):
        assert why == f"can't be fetched: it {reason}"


def test_a_bucket_that_does_not_exist_is_told_before_all_photos_are_asked_for(
    here: Path, buckets: BucketServer, unreliable: Unreliable
) -> None:
    refused = curate(
        "find-issues", write(table([f"s3://nobody/{row}.png" for row in range(500)])), "--fetch", "s3://nobody"
    )
    assert refused.exit_code == 2
    assert "s3://nobody gives no photo: 500 of 500 photos are there" in refused.stderr
    assert "a first photo that names a bucket that does not exist" in refused.stderr
    assert sum(unreliable.asked.values()) <= 40
    assert not (here / "runs").exists()


def test_a_store_that_refuses_the_credentials_is_told_before_all_photos_are_asked_for(
    buckets: BucketServer, unreliable: Unreliable
) -> None:
    buckets.make("shop", PHOTOS)
    unreliable.rule = lambda method, path, before: "403"
    refused = curate(
        "find-issues", write(table([f"s3://shop/p/{row}.png" for row in range(500)])), "--fetch", "s3://shop"
    )
    assert refused.exit_code == 2
    assert "a first photo that is refused: no permission" in refused.stderr
    assert "Check the URLs, and the credentials" in refused.stderr
    assert sum(unreliable.asked.values()) <= 40


def test_without_credentials_that_is_said(buckets: BucketServer, monkeypatch: pytest.MonkeyPatch) -> None:
    buckets.make("shop", PHOTOS)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", os.devnull)
    with pytest.raises(curation.ListingsError, match="a first photo that has no credentials"):
        curation.read_listings(of_bucket(), fetch="s3://shop")


def test_a_store_that_goes_down_midway_is_left_alone_and_the_next_time_gives_the_rest(
    buckets: BucketServer, unreliable: Unreliable
) -> None:
    many = {f"p/{row}.png": photo_bytes(row) for row in range(300)}
    buckets.make("shop", many)
    unreliable.rule = lambda method, path, before: "503" if sum(unreliable.asked.values()) > 200 else ""
    listings = curation.read_listings(of_bucket(many), fetch="s3://shop", allow_bad=1)
    there = int(listings.table["image"].notna().sum())
    assert 50 <= there <= 110
    # three times each of 64 in a row and of those on their way, and not of all
    assert sum(unreliable.asked.values()) < 200 + 3 * (64 + 40)
    assert listings.problems["why"].str.contains("was not asked for, as s3://shop gives nothing").any()
    unreliable.rule = lambda method, path, before: ""
    again = curation.read_listings(of_bucket(many), fetch="s3://shop")
    assert f"{300 - there} photos were fetched, {there} were there already." in again.notes


def test_a_missing_package_is_named_with_the_extra_that_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import builtins

    real = builtins.__import__

    def without(name: str, *rest: object, **more: object) -> object:
        if name.partition(".")[0] == "gcsfs":
            raise ImportError(f"No module named {name!r}")
        return real(name, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(curation.InputError, match=r"gs:// needs a package .* pip install 'curate-listings\[remote\]'"):
        curation.read_listings(table([f"gs://shop/{row}.png" for row in range(4)]), fetch="gs://shop")


def test_a_protocol_that_nobody_knows_is_refused() -> None:
    with pytest.raises(curation.InputError, match="nobody:// is no protocol of fsspec"):
        curation.read_listings(table([f"nobody://shop/{row}.png" for row in range(4)]), fetch="nobody://shop")


def test_a_store_in_memory_works_as_well() -> None:
    import fsspec

    files = fsspec.filesystem("memory")
    files.store.clear()
    for name, content in PHOTOS.items():
        files.pipe(f"/shop/{name}", content)
    listings = curation.read_listings(table([f"memory://shop/{name}" for name in PHOTOS]), fetch="memory://shop/p")
    assert contents(listings) == list(PHOTOS.values())
    files.pipe("/shop/table.csv", table([*PHOTOS]).to_csv(index=False).encode())
    again = curation.read_listings("memory://shop/table.csv")
    assert contents(again) == list(PHOTOS.values())


def test_keys_with_empty_parts_are_objects_of_their_own(buckets: BucketServer) -> None:
    objects = {"t/a//b.png": photo_bytes(1), "t/a/b.png": photo_bytes(2), "t/c.png": photo_bytes(3)}
    rows = "id,image,label\n1,a//b.png,lamp\n2,a/b.png,sofa\n3,a/./x/../../c.png,lamp\n"
    buckets.make("shop", {**objects, "t/listings.csv": rows.encode()})
    listings = curation.read_listings("s3://shop/t/listings.csv")
    assert contents(listings) == list(objects.values())
