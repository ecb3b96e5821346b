"""A second `find-issues` over the same photos takes from the cache what the first one kept, and finds the same."""

import os
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from curation.find import FindSettings, find
from curation.listings import read_listings
from tests.support.reporters import Listener
from training.images.cache import PhotoCache
from training.settings import Execution, Recipe

#: Photos large enough to look for text in them, and a network that makes features.
SETTINGS = FindSettings(
    folds=2, recipe=Recipe(features="lite0", image_size=32), execution=Execution(preset="quick", device="cpu")
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    rows = ["id,image,label"]
    for number in range(24):
        draw(folder / f"{number}.bmp", number % 23)
        rows.append(f"L{number:02d},{number}.bmp,{'cup' if number % 2 else 'pan'}")
    (folder / "listings.csv").write_text("\n".join(rows))
    return folder


def draw(path, seed):
    rng = np.random.default_rng(seed)
    fields = rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)
    Image.fromarray(fields).resize((100, 100), Image.Resampling.BICUBIC).save(path)


def found(shop, run, cache, settings=SETTINGS):
    """Return what a run found, and what it said."""
    listener = Listener()
    folder = find(read_listings(shop / "listings.csv"), settings, run_folder=run, cache=cache, reporter=listener)
    files = ("issues.parquet", "listings.parquet", "probabilities.npz")
    return [(folder.folder / name).read_bytes() for name in files], listener.lines


@pytest.fixture(scope="module")
def cached(shop, tmp_path_factory):
    """A cache that a run has filled, with several files of each kind, and what the run found."""
    folder = tmp_path_factory.mktemp("cached")
    cache = PhotoCache(folder / "cache", limit=10**8, shard_bytes=8 * 3 * 32**2)
    return cache, found(shop, folder / "run", cache)[0]


def test_with_a_full_cache_a_run_finds_the_same_to_the_last_bit(shop, cached, tmp_path):
    cache, first = cached
    before = {path: path.read_bytes() for path in cache.folder.rglob("*.np*")}
    again, lines = found(shop, tmp_path / "run", cache)
    assert again == first
    assert any("23 from the cache, 0 decoded" in line for line in lines)
    assert {path: path.read_bytes() for path in cache.folder.rglob("*.np*")} == before


@pytest.mark.parametrize("kind", ["photos-v1", "small-v1", "features-v1", "text-v1"])
def test_after_a_part_was_evicted_a_run_finds_the_same_to_the_last_bit(shop, cached, tmp_path, kind):
    cache, first = cached
    for path in sorted((cache.folder / kind).glob("*/*"))[:3]:
        path.unlink()
    assert found(shop, tmp_path / "run", cache)[0] == first


def test_with_a_cache_that_can_hold_nothing_a_run_finds_the_same_to_the_last_bit(shop, cached, tmp_path):
    empty = PhotoCache(tmp_path / "cache", limit=0)
    assert found(shop, tmp_path / "run", empty)[0] == cached[1]
    assert empty.used() == 0


def test_a_changed_photo_of_the_same_name_size_and_time_is_seen(shop, cached, tmp_path):
    cache, first = cached
    path = shop / "5.bmp"
    kept, before = path.read_bytes(), path.stat()
    draw(path, 99)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    changed, lines = found(shop, tmp_path / "run", cache)
    assert any("22 from the cache, 1 decoded" in line for line in lines)
    assert changed != first
    assert found(shop, tmp_path / "fresh", PhotoCache(tmp_path / "cache", limit=10**8))[0] == changed
    path.write_bytes(kept)


def test_another_recipe_takes_no_features_of_the_old_one(shop, cached, tmp_path):
    cache, first = cached
    other = replace(SETTINGS, recipe=replace(SETTINGS.recipe, precision="float32", image_size=40))
    with_old, _ = found(shop, tmp_path / "run", cache, other)
    assert with_old != first
    assert found(shop, tmp_path / "fresh", PhotoCache(tmp_path / "cache", limit=10**8), other)[0] == with_old
