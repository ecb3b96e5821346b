"""Photos as smaller ones."""

import pickle

import numpy as np

from training.images.shrunk import Shrunk, shrunk_to


def test_photos_are_shrunk_as_they_are_read():
    large = np.zeros((3, 8, 8, 3), dtype=np.uint8)
    large[1, :, 4:] = 200
    small = shrunk_to(large, 4)
    assert (len(small), small.shape) == (3, (3, 4, 4, 3))
    read = small[np.array([1, 0])]
    assert read.dtype == np.uint8
    assert read.shape == (2, 4, 4, 3)
    assert not read[1].any()
    assert (read[0, :, 0] == 0).all()
    assert (read[0, :, 3] == 200).all()
    assert not large[0].any()


def test_a_worker_gets_the_same_photos():
    large = np.random.default_rng(0).integers(0, 256, (4, 20, 20, 3), dtype=np.uint8)
    rows = np.arange(4)
    assert np.array_equal(pickle.loads(pickle.dumps(Shrunk(large, 7)))[rows], Shrunk(large, 7)[rows])


def test_photos_that_are_no_larger_stay_as_they_are():
    photos = np.zeros((2, 8, 8, 3), dtype=np.uint8)
    assert shrunk_to(photos, 8) is photos
    assert shrunk_to(photos, 16) is photos
