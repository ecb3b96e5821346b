"""The list of a run's decoded photos leads to nothing but the cache's own files."""

import os

import numpy as np
import pytest

from training.images.shards import ShardIndex, write_shard
from training.images.store import PhotosMissingError, PhotoStore


@pytest.mark.parametrize(
    "lies",
    [
        {"files": np.array(["../secret"])},
        {"files": np.array(["/etc/passwd"])},
        {"shard": np.array([5, 0], dtype=np.int32)},
        {"slot": np.array([0, -3], dtype=np.int32)},
        {"slot": np.array([0.0, 1.0])},
        {"size": np.array(-8)},
    ],
)
def test_a_list_of_photos_that_names_other_files_is_not_followed(lies, tmp_path):
    index = ShardIndex(np.zeros((2, 32), dtype=np.uint8), np.full((2, 2), 8))
    (tmp_path / "run").mkdir()
    shard = write_shard(tmp_path / "run", index, np.zeros((2, 8, 8, 3), dtype=np.uint8))
    places = np.array([0, 0], dtype=np.int32), np.array([0, 1], dtype=np.int32)
    file, secret = tmp_path / "run" / "photos.npz", tmp_path / "secret"
    PhotoStore([shard.pixels], *places, 8).save(file)
    assert len(PhotoStore.load(file)[np.arange(2)]) == 2
    secret.write_bytes(b"")
    os.utime(secret, (1, 1))
    with np.load(file) as whole:
        np.savez(file, **{**whole, **lies})
    with pytest.raises(PhotosMissingError):
        PhotoStore.load(file)
    assert secret.stat().st_mtime == 1


def test_photos_of_another_size_or_place_than_the_shard_has_are_missing(tmp_path):
    index = ShardIndex(np.zeros((1, 32), dtype=np.uint8), np.full((1, 2), 8))
    shard = write_shard(tmp_path, index, np.zeros((1, 8, 8, 3), dtype=np.uint8))
    zero, one = np.zeros(1, dtype=np.int32), np.ones(1, dtype=np.int32)
    for place, size in ((one, 8), (zero, 16)):
        with pytest.raises(PhotosMissingError):
            PhotoStore([shard.pixels], zero, place, size)[np.arange(1)]
