"""The photos of a run: decoded once, found again, and never taken for others."""

import shutil

import numpy as np
import pytest

from curation.errors import RunError
from curation.listings import read_listings
from curation.prepare import open_photos, photos_file, prepare
from curation.runs import Run
from curation.talk import Silent
from training.photos.cache import PhotoCache


class Said(Silent):
    """Keeps what is said."""

    def __init__(self):
        self.lines = []

    def say(self, line):
        self.lines.append(line)


@pytest.fixture
def cache(tmp_path):
    return PhotoCache(tmp_path / "cache", limit=10**8)


@pytest.fixture
def talk():
    return Said()


@pytest.fixture
def prepared(demo, tmp_path, cache, talk):
    """A run of a copy of the demo, as far as before the training."""
    shutil.copytree(demo, tmp_path / "demo")
    return prepare_run(tmp_path / "run", read_listings(tmp_path / "demo"), cache, talk)


def prepare_run(folder, listings, cache, talk):
    run = Run(folder)
    source = listings.source
    run.update(dataset={"root": str(source.root), "path": str(source.path), "classes": list(listings.classes)})
    prepare(run, listings, image_size=16, seed=0, folds=3, cache=cache, talk=talk)
    return run


def pixels(store):
    return store[np.arange(len(store))]


def readable_photos(run):
    table = run.listings()
    return table[table["unreadable"].isna()].drop_duplicates("sha256")


def test_a_run_opens_the_photos_that_it_decoded_without_reading_the_originals(prepared, cache, talk):
    store = open_photos(prepared, cache, talk)
    table = prepared.listings()
    assert store.shape == (120, 16, 16, 3)
    assert np.array_equal(pixels(store).any(axis=(1, 2, 3)), table["unreadable"].isna())
    for image in table["image"].dropna():
        (prepared.photo_root / image).unlink(missing_ok=True)
    assert np.array_equal(pixels(open_photos(prepared, cache, talk)), pixels(store))
    assert len(talk.lines) == 1


def test_a_second_run_on_the_same_photos_decodes_none(prepared, cache, talk, tmp_path):
    again = prepare_run(tmp_path / "again", read_listings(tmp_path / "demo"), cache, talk)
    assert ", 0 decoded" in talk.lines[-1]
    assert again.listings()["sha256"].equals(prepared.listings()["sha256"])
    assert np.array_equal(pixels(open_photos(again, cache, talk)), pixels(open_photos(prepared, cache, talk)))


@pytest.mark.parametrize("lost", ["the photos", "the manifest", "both", "a damaged manifest"])
def test_lost_photos_are_decoded_again_from_the_originals(lost, prepared, cache, talk):
    before = pixels(open_photos(prepared, cache, talk))
    if lost in ("the photos", "both"):
        cache.clear()
    if lost in ("the manifest", "both"):
        photos_file(prepared).unlink()
    if lost == "a damaged manifest":
        photos_file(prepared).write_bytes(b"PK")
    assert np.array_equal(pixels(open_photos(prepared, cache, talk)), before)
    assert "read again" in talk.lines[1]
    said = len(talk.lines)
    open_photos(prepared, cache, talk)
    assert len(talk.lines) == said


def test_photos_that_changed_since_the_run_are_named_and_not_taken_for_the_old_ones(prepared, cache, talk):
    photos = readable_photos(prepared)
    changed, vanished = photos.iloc[0], photos.iloc[1]
    kept = (prepared.photo_root / changed["image"]).read_bytes(), (prepared.photo_root / vanished["image"]).read_bytes()
    before = pixels(open_photos(prepared, cache, talk))
    cache.clear()
    (prepared.photo_root / changed["image"]).write_bytes(kept[1])
    (prepared.photo_root / vanished["image"]).unlink()
    with pytest.raises(RunError) as caught:
        open_photos(prepared, cache, talk)
    assert f"{changed['id']} (another photo)" in str(caught.value)
    assert f"{vanished['id']} (no such file)" in str(caught.value)
    assert "Put them back" in str(caught.value)
    for row, content in zip((changed, vanished), kept, strict=True):
        (prepared.photo_root / row["image"]).write_bytes(content)
    assert np.array_equal(pixels(open_photos(prepared, cache, talk)), before)


def test_a_run_that_cant_use_the_cache_keeps_its_photos_below_its_own_folder(prepared, talk, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    broken = PhotoCache(tmp_path / "file", limit=10**8)
    own = prepare_run(tmp_path / "own", read_listings(tmp_path / "demo"), broken, talk)
    assert "can't be written" in talk.lines[-2]
    assert list((own.training_folder / "photos").rglob("*.npy"))
    assert len(open_photos(own, broken, talk)) == 120


def test_a_run_without_an_image_column_has_no_photos_to_open(tmp_path, cache, talk):
    (tmp_path / "listings.csv").write_text("id,label\n" + "".join(f"{n},{'ab'[n % 2]}\n" for n in range(20)))
    run = prepare_run(tmp_path / "run", read_listings(tmp_path / "listings.csv", needs_image=False), cache, talk)
    with pytest.raises(RunError, match="has no photos to train on"):
        open_photos(run, cache, talk)
