"""Features that networks made of photos, and that later runs take from the photo cache."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from tests.support.reporters import Listener
from tests.support.synthetic import CPU
from training.features.extract import NetworkFeatures, compute_features
from training.features.kept import KeptFeatures, kept_folder
from training.features.source import OfPhotos
from training.images.cache import PhotoCache
from training.images.ingest import store_photos

SIZE = 32


def network(width=6, seed=0):
    """Return a small network, whose features are those of its last layer's input."""
    torch.manual_seed(seed)
    layers = nn.Conv2d(3, width, 3, stride=2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 2)
    return nn.Sequential(*layers)


class Market:
    """A folder of photos, a cache, and the features of some of the photos."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.cache = folder, PhotoCache(folder / "cache", limit=10**9)
        self.paths = [folder / f"{number}.png" for number in range(12)]
        for number, path in enumerate(self.paths):
            pixels = np.random.default_rng(number).integers(0, 256, (40, 40, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(path)
        self.made = 0

    def store(self, numbers):
        paths = [self.paths[number] for number in numbers]
        return store_photos(paths, size=SIZE, cache=self.cache, spare=self.folder / "spare")[0]

    def features(self, numbers, *, keeps=True, said=None, width=6, device=CPU):
        """Return the features of the photos, projected, as a run of these listings gets them."""
        photos, rows = self.store(numbers), np.arange(len(numbers))
        extract = NetworkFeatures(network(width), device)
        self.made = 0

        def counted(pixels):
            self.made += len(pixels)
            return extract(pixels)

        folder = kept_folder(self.cache.features_root, "small", SIZE, device)
        reporter = Listener([].append if said is None else said.append)
        kept = KeptFeatures(folder, photos, width, reporter) if keeps else None
        path = self.folder / "features.npy"
        source = OfPhotos(photos, counted, width, kept)
        compute_features(source, rows, path, total=len(photos), key="k", seed=0, device=CPU.device)
        return np.load(path)


@pytest.fixture
def market(tmp_path):
    return Market(tmp_path)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_features_of_a_photo_are_the_same_to_the_last_bit_whatever_photos_are_beside_it(precision):
    extract = NetworkFeatures(network(), CPU.computing(precision))
    extract._pixels = 4 * SIZE * SIZE
    photos = np.random.default_rng(0).integers(0, 256, (11, SIZE, SIZE, 3), dtype=np.uint8)
    together = extract(photos)
    assert together.shape == (11, extract.width)
    for row in range(11):
        assert torch.equal(extract(photos[row : row + 1])[0], together[row])


def test_a_second_run_makes_no_features_and_has_the_same(market):
    first = market.features(range(10))
    assert market.made == 10
    assert np.array_equal(market.features(range(10)), first)
    assert market.made == 0
    assert np.array_equal(market.features(range(10), keeps=False), first)


def test_only_the_features_of_new_photos_are_made(market):
    market.features(range(8))
    mixed = market.features([11, 3, 7, 10, 0])
    assert market.made == 2
    assert np.array_equal(mixed, market.features([11, 3, 7, 10, 0], keeps=False))


def test_a_photo_that_was_changed_has_new_features(market):
    market.features(range(6))
    Image.fromarray(np.zeros((40, 40, 3), dtype=np.uint8)).save(market.paths[2])
    market.features(range(6))
    assert market.made == 1


@pytest.mark.parametrize("content", [b"", b"damaged", None])
def test_kept_features_that_cannot_be_read_are_made_again(market, content):
    first = market.features(range(6))
    (shard,) = market.cache.features()
    if content is None:
        shard.pixels.unlink()
    else:
        shard.pixels.write_bytes(content)
    assert np.array_equal(market.features(range(6)), first)
    assert market.made == 6
    market.features(range(6))
    assert market.made == 0


def test_kept_features_whose_numbers_changed_are_made_again(market):
    first = market.features(range(6))
    (shard,) = market.cache.features()
    content = bytearray(shard.pixels.read_bytes())
    content[-1] ^= 1
    shard.pixels.write_bytes(content)
    assert np.array_equal(market.features(range(6)), first)
    assert market.made > 0
    assert not shard.pixels.exists()
    assert np.array_equal(market.features(range(6)), first)
    market.features(range(6))
    assert market.made == 0


def test_a_folder_in_the_place_of_kept_features_is_taken_for_damage(market):
    first = market.features(range(6))
    for place in ("pixels", "index"):
        (shard,) = market.cache.features()
        getattr(shard, place).unlink()
        (getattr(shard, place) / "inside").mkdir(parents=True)
        assert np.array_equal(market.features(range(6)), first)
        assert market.made == 6
        replace(market.cache, limit=0).trim()
        assert not shard.pixels.exists()
        assert not shard.index.exists()
        market.features(range(6))


def test_features_kept_without_checksums_are_not_taken(market):
    market.features(range(6))
    (shard,) = market.cache.features()
    with np.load(shard.index) as index:
        content = dict(index)
    del content["crc32"]
    np.savez(shard.index, **content)
    market.features(range(6))
    assert market.made == 6


def test_features_of_another_width_are_not_taken(market):
    market.features(range(6))
    assert market.features(range(6), width=9).shape == (6, 5)
    assert market.made == 6


def test_other_hardware_precision_size_and_networks_have_other_folders(tmp_path, monkeypatch):
    folders = [
        kept_folder(tmp_path, "lite0", 224, CPU),
        kept_folder(tmp_path, "resnet18", 224, CPU),
        kept_folder(tmp_path, "lite0", 160, CPU),
        kept_folder(tmp_path, "lite0", 224, replace(CPU, mixed=not CPU.mixed)),
    ]
    monkeypatch.setattr("training.features.kept.hardware", lambda device: "another processor")
    folders.append(kept_folder(tmp_path, "lite0", 224, CPU))
    assert len(set(folders)) == 5


def test_where_features_cannot_be_kept_the_run_says_so_and_has_them_all_the_same(market):
    expected, said = market.features(range(6), keeps=False), []
    market.cache.folder.mkdir(exist_ok=True)
    market.cache.features_root.write_text("in the way")
    assert np.array_equal(market.features(range(6), said=said), expected)
    assert [line.partition(" in ")[0] for line in said] == ["features can't be kept"]


def test_features_count_in_the_cache_and_are_deleted_with_it(market):
    market.features(range(6))
    (shard,) = market.cache.features()
    assert shard.photos() == 6
    used = market.cache.used()
    assert used == sum(path.stat().st_size for path in market.cache.folder.rglob("*.np*"))
    assert market.cache.clear() == used
    assert market.cache.features() == []


def test_the_least_recently_used_features_are_deleted_first(market):
    market.features(range(6))
    (old,) = market.cache.features()
    os.utime(old.index, (1, 1))
    market.features(range(6, 12))
    (new,) = (shard for shard in market.cache.features() if shard != old)
    photos = market.store(range(12)).files
    replace(market.cache, limit=market.cache.used() - 1).trim(keep=photos)
    assert market.cache.features() == [new]
    assert not old.pixels.exists()
