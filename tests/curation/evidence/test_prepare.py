"""The photos of a run: decoded once, found again, and never taken for others."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageEnhance

from curation.errors import RunError
from curation.evidence.split import open_photos, prepare
from curation.listings import read_listings
from curation.listings.columns import groups_of
from curation.photos.facts import photos_file
from curation.run.folder import RunFolder
from training.images.cache import PhotoCache
from training.utils.progress import Silent


class Listener(Silent):
    """Keeps the messages."""

    def __init__(self):
        self.lines = []

    def say(self, line):
        self.lines.append(line)


@pytest.fixture
def cache(tmp_path):
    return PhotoCache(tmp_path / "cache", limit=10**8)


@pytest.fixture
def reporter():
    return Listener()


@pytest.fixture
def prepared(demo, tmp_path, cache, reporter):
    """A run of a copy of the demo, as far as before the training."""
    shutil.copytree(demo, tmp_path / "demo")
    return prepare_run(tmp_path / "run", read_listings(tmp_path / "demo"), cache, reporter)


def prepare_run(folder, listings, cache, reporter, size=16):
    run = RunFolder(folder)
    source = listings.source
    run.update(dataset={"root": str(source.root), "path": str(source.path), "classes": list(listings.classes)})
    prepare(run, listings, image_size=size, seed=0, folds=3, cache=cache, reporter=reporter, text=False)
    return run


def pixels(store):
    return store[np.arange(len(store))]


def readable_photos(run):
    table = run.listings()
    return table[table["unreadable"].isna()].drop_duplicates("sha256")


def test_a_run_opens_the_photos_that_it_decoded_without_reading_the_originals(prepared, cache, reporter):
    store = open_photos(prepared, cache, reporter)
    table = prepared.training_table()
    assert store.shape == (120, 16, 16, 3)
    assert np.array_equal(pixels(store).any(axis=(1, 2, 3)), table["unreadable"].isna())
    for image in table["image"].dropna():
        (prepared.photo_root / image).unlink(missing_ok=True)
    assert np.array_equal(pixels(open_photos(prepared, cache, reporter)), pixels(store))
    assert len(reporter.lines) == 1


def test_a_second_run_on_the_same_photos_decodes_none(prepared, cache, reporter, tmp_path):
    again = prepare_run(tmp_path / "again", read_listings(tmp_path / "demo"), cache, reporter)
    assert ", 0 decoded" in reporter.lines[-1]
    assert again.listings()["sha256"].equals(prepared.listings()["sha256"])
    assert np.array_equal(pixels(open_photos(again, cache, reporter)), pixels(open_photos(prepared, cache, reporter)))


@pytest.mark.parametrize("lost", ["the photos", "the manifest", "both", "a damaged manifest"])
def test_lost_photos_are_decoded_again_from_the_originals(lost, prepared, cache, reporter):
    before = pixels(open_photos(prepared, cache, reporter))
    if lost in ("the photos", "both"):
        cache.clear()
    if lost in ("the manifest", "both"):
        photos_file(prepared.training_folder).unlink()
    if lost == "a damaged manifest":
        photos_file(prepared.training_folder).write_bytes(b"PK")
    assert np.array_equal(pixels(open_photos(prepared, cache, reporter)), before)
    assert "read again" in reporter.lines[1]
    messages = len(reporter.lines)
    open_photos(prepared, cache, reporter)
    assert len(reporter.lines) == messages


def test_photos_that_changed_since_the_run_are_named_and_not_taken_for_the_old_ones(prepared, cache, reporter):
    photos = readable_photos(prepared)
    changed, vanished = photos.iloc[0], photos.iloc[1]
    originals = (
        (prepared.photo_root / changed["image"]).read_bytes(),
        (prepared.photo_root / vanished["image"]).read_bytes(),
    )
    before = pixels(open_photos(prepared, cache, reporter))
    cache.clear()
    (prepared.photo_root / changed["image"]).write_bytes(originals[1])
    (prepared.photo_root / vanished["image"]).unlink()
    with pytest.raises(RunError) as caught:
        open_photos(prepared, cache, reporter)
    assert f"{changed['id']} (another photo)" in str(caught.value)
    assert f"{vanished['id']} (no such file)" in str(caught.value)
    assert "Put them back" in str(caught.value)
    for row, content in zip((changed, vanished), originals, strict=True):
        (prepared.photo_root / row["image"]).write_bytes(content)
    assert np.array_equal(pixels(open_photos(prepared, cache, reporter)), before)


def test_a_run_that_cant_use_the_cache_keeps_its_photos_below_its_own_folder(prepared, reporter, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    broken = PhotoCache(tmp_path / "file", limit=10**8)
    own = prepare_run(tmp_path / "own", read_listings(tmp_path / "demo"), broken, reporter)
    assert any("can't be written" in line for line in reporter.lines)
    assert list((own.training_folder / "photos").rglob("*.npy"))
    assert len(open_photos(own, broken, reporter)) == 120


def test_a_run_without_an_image_column_has_no_photos_to_open(tmp_path, cache, reporter):
    (tmp_path / "listings.csv").write_text("id,label\n" + "".join(f"{n},{'ab'[n % 2]}\n" for n in range(20)))
    run = prepare_run(tmp_path / "run", read_listings(tmp_path / "listings.csv", needs_image=False), cache, reporter)
    with pytest.raises(RunError, match="has no photos to train on"):
        open_photos(run, cache, reporter)


@pytest.fixture(scope="module")
def reposted(tmp_path_factory):
    """Photos of a shop, the first three of them saved again, cropped and brightened; and the table."""
    folder = tmp_path_factory.mktemp("shop")
    rng = np.random.default_rng(0)
    for number in range(30):
        coarse = Image.fromarray(rng.integers(0, 256, (9, 9, 3), dtype=np.uint8))
        coarse.resize((200, 160), Image.Resampling.BICUBIC).save(folder / f"{number}.jpg", quality=90)
    for number in range(3):
        photo = Image.open(folder / f"{number}.jpg").crop((4, 3, 197, 158))
        ImageEnhance.Brightness(photo).enhance(1.05).save(folder / f"{number + 30}.jpg", quality=60)
    shutil.copy(folder / "4.jpg", folder / "33.jpg")
    table = pd.DataFrame({"id": [f"L{n:02}" for n in range(34)], "image": [f"{n}.jpg" for n in range(34)]})
    table["label"] = ["ab"[n % 2] for n in range(34)]
    table.to_csv(folder / "listings.csv", index=False)
    return folder


def test_photos_that_were_saved_again_are_a_group_numbered_by_its_smallest_id(reposted, tmp_path, cache, reporter):
    run = prepare_run(tmp_path / "run", read_listings(reposted / "listings.csv"), cache, reporter, size=32)
    table = run.listings().set_index("id")
    groups = {id: int(number) for id, number in table["near_group"].dropna().items()}
    assert groups == {"L00": 0, "L01": 1, "L02": 2, "L04": 3, "L30": 0, "L31": 1, "L32": 2, "L33": 3}
    assert table["near_likeness"][["L04", "L33"]].tolist() == [1, 1]
    assert table["near_likeness"][["L00", "L32"]].between(0.94, 1, inclusive="left").all()
    assert (table.groupby("near_group")[["fold", "split"]].nunique() == 1).all(axis=None)


def test_near_duplicates_do_not_depend_on_the_order_of_the_table(reposted, tmp_path, cache, reporter):
    pd.read_csv(reposted / "listings.csv").sample(frac=1, random_state=0).to_csv(reposted / "mixed.csv", index=False)
    tables = [
        prepare_run(tmp_path / name, read_listings(reposted / name), cache, reporter, size=32).listings()
        for name in ("listings.csv", "mixed.csv")
    ]
    first, second = (table.set_index("id").sort_index()[["near_group", "near_likeness"]] for table in tables)
    pd.testing.assert_frame_equal(first, second)


def test_listings_of_equal_and_of_nearly_equal_photos_are_one_group():
    table = pd.DataFrame({"group": [None] * 3, "sha256": ["a", "b", "a"]}, dtype="string")
    alone = table.assign(near_group=pd.array([pd.NA] * 3, dtype="Int64"))
    assert groups_of(alone).tolist() == [0, 1, 0]
    near = table.assign(near_group=pd.array([0, 0, pd.NA], dtype="Int64"))
    assert groups_of(near).tolist() == [0, 0, 0]


def test_a_test_set_is_drawn_and_said_where_only_train_is_marked(reposted, tmp_path, cache, reporter):
    shop = read_listings(reposted)
    listings = replace(shop, table=shop.table.assign(split=pd.array(["train"] * len(shop.table), dtype="string")))
    run = prepare_run(tmp_path / "run", listings, cache, reporter)
    said = "No listing is marked as test, so about 20% of them are drawn as the test set."
    assert ((run.listings()["split"] == "test").any(), said in reporter.lines) == (True, True)
