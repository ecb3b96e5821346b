"""A few photos, and a cache for them."""

import pytest

from tests.support.photo_stores import EACH, write_photos
from training.images.cache import PhotoCache


@pytest.fixture
def photos(tmp_path):
    return write_photos(tmp_path / "photos", 25)


@pytest.fixture
def cache(tmp_path):
    """A cache with shards of ten photos."""
    return PhotoCache(tmp_path / "cache", limit=10**7, shard_bytes=10 * EACH)
