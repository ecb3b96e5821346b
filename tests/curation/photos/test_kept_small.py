"""The small photos by which reposts are found, and which later runs take from the cache."""

import os

import numpy as np
import pytest
from PIL import Image

from curation.photos import near_duplicates, tasks
from curation.photos.hashing import SMALL, small_photos
from curation.photos.near_duplicates import find_similar, kept_small
from training.images.cache import PhotoCache
from training.images.ingest import store_photos

SIZE = 48


@pytest.fixture
def made(monkeypatch):
    """How many small photos were made, call by call."""
    counts = []

    def counted(squares):
        counts.append(len(squares))
        return small_photos(squares)

    monkeypatch.setattr(tasks, "small_photos", counted)
    return counts


class Shop:
    """Photos, two of which show the same, and a cache."""

    def __init__(self, folder):
        self.cache, self.spare = PhotoCache(folder / "cache", limit=10**9), folder / "spare"
        self.paths = [folder / f"{number}.bmp" for number in range(12)]
        for number, path in enumerate(self.paths):
            draw(path, number % 11, light=1 - number // 11 / 20)

    def similar(self, numbers=range(12), *, keeps=True):
        paths = [self.paths[number] for number in numbers]
        store = store_photos(paths, size=SIZE, cache=self.cache, spare=self.spare)[0]
        kept = kept_small(self.cache, SIZE) if keeps else None
        found = find_similar(store, np.arange(len(paths)), kept=kept)
        return [each.tolist() for each in (found.group, found.likeness, found.detail)]

    def used(self):
        return sum(path.stat().st_size for path in self.cache.folder.rglob("*.np*"))


def draw(path, seed, *, light=1.0):
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 8, 3)) * light
    Image.fromarray(coarse.astype(np.uint8)).resize((100, 100), Image.Resampling.BICUBIC).save(path)


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path)


@pytest.mark.parametrize("side", [16, 48, 100, 224, 300])
def test_a_small_photo_is_the_exact_mean_whatever_photos_are_beside_it(side):
    squares = np.random.default_rng(0).integers(0, 256, (7, side, side, 3), dtype=np.uint8)
    together = small_photos(squares)
    share = np.clip(np.minimum.outer(np.arange(1, side + 1), np.arange(1, 17) * side / 16), 0, None)
    share -= np.maximum.outer(np.arange(side), np.arange(16) * side / 16)
    share = np.clip(share, 0, None) * 16 / side
    mean = np.einsum("nhwc,hi,wj->nijc", squares.astype(np.float64), share, share)
    assert np.abs(together - mean).max() <= 0.5 + 1e-9
    for row in range(7):
        assert np.array_equal(small_photos(squares[row : row + 1])[0], together[row])


def test_a_second_run_makes_no_small_photo_and_finds_the_same(shop, made):
    first = shop.similar()
    assert sum(made) == 12
    assert shop.similar() == first == shop.similar(keeps=False)
    assert sum(made) == 24
    assert len(set(first[0]) - {-1}) == 1


def test_small_photos_of_which_a_part_was_evicted_are_made_again(shop, made):
    shop.similar(range(6))
    shop.similar(range(6, 12))
    made.clear()
    expected = shop.similar(keeps=False)
    made.clear()
    shop.cache.small()[0].remove()
    assert shop.similar() == expected
    assert sum(made) == 6
    assert shop.similar() == expected
    assert sum(made) == 6


@pytest.mark.parametrize("content", [b"", b"damaged"])
def test_damaged_small_photos_are_made_again(shop, made, content):
    first = shop.similar()
    (shard,) = shop.cache.small()
    shard.pixels.write_bytes(content)
    assert shop.similar() == first
    assert sum(made) == 24


def test_a_photo_of_the_same_name_size_and_time_that_shows_something_else_is_noticed(shop, made):
    shop.similar()
    path = shop.paths[3]
    before = path.stat()
    draw(path, 40)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    made.clear()
    again = shop.similar()
    assert made == [1]
    assert again == shop.similar(keeps=False)


def test_another_version_or_size_finds_nothing(shop, made, monkeypatch):
    shop.similar()
    monkeypatch.setattr(near_duplicates, "_VERSION", 0)
    shop.similar()
    assert sum(made) == 24
    assert kept_small(shop.cache, 64)._folder != kept_small(shop.cache, SIZE)._folder


def test_small_photos_count_in_the_cache_and_are_deleted_with_it(shop):
    shop.similar()
    (shard,) = shop.cache.small()
    assert shard.photos() == 12
    assert shard.pixels.stat().st_size >= 12 * SMALL * SMALL * 3
    assert shop.cache.used() == shop.used() == shop.cache.clear()
    assert shop.cache.small() == []
