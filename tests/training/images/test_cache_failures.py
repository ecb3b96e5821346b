"""What a full disk, a kill, damage and other processes do to the photo cache: nothing is lost or wrong."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from tests.support.photo_stores import (
    EACH,
    SIZE,
    STORE,
    Storing,
    cache_command,
    expected,
    finished,
    in_another_process,
    rows_of,
)
from tests.support.reporters import Listener
from tests.support.waiting import waited_for
from training.errors import CurateError
from training.images.cache import PhotoCache
from training.images.ingest import store_photos
from training.images.shards import Shard
from training.images.store import PhotosMissingError, PhotoStore

YESTERDAY = 25 * 3600


@pytest.mark.parametrize("folder", ["a file", "/dev/null/curate", "/proc/curate"])
def test_a_folder_that_cant_be_written_costs_the_reuse_and_nothing_else(folder, photos, tmp_path):
    (tmp_path / "a file").write_text("not a folder")
    stored = Storing(photos, PhotoCache(tmp_path / folder, 10**6, shard_bytes=10 * EACH), spare=tmp_path / "spare")
    assert len(stored.lines) == 2
    assert "can't be written" in stored.lines[0]
    assert "CURATE_CACHE_DIR" in stored.lines[0]
    assert np.array_equal(rows_of(stored.store), expected(photos))


def test_when_nothing_can_be_written_the_error_says_where_and_why(photos):
    with pytest.raises(CurateError, match="can't be kept in /dev/null/spare: Not a directory"):
        Storing(photos, PhotoCache(Path("/dev/null/cache"), 10**6), spare=Path("/dev/null/spare"))


def test_a_disk_that_fills_up_in_the_middle_loses_nothing(photos, tmp_path):
    # the kernel refuses to write more than this to any file, until it is said that there is no room
    code = (
        STORE.replace("print", "say")
        .replace(
            "folder, cache, limit",
            """
def say(line):
    print(line)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
def fill():
    resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, resource.RLIM_INFINITY))
folder, cache, limit""",
            1,
        )
        .replace("time.sleep(float(pause))", "fill() if done == 15 else None")
    )
    lines = finished(in_another_process(code, photos[0].parent, tmp_path / "cache", 10**6, tmp_path / "spare", 0))
    assert "can't be written (File too large)" in lines
    assert "25 decoded" in lines
    assert len(list((tmp_path / "cache").rglob("*.npy"))) == 1
    assert len(list((tmp_path / "spare").rglob("*.npy"))) == 2
    assert not [path for path in tmp_path.rglob(".*") if path.is_file()]
    manifest = next(tmp_path.glob("photos-*.npz"))
    assert np.array_equal(rows_of(PhotoStore.load(manifest)), expected(photos))


def test_a_run_killed_in_the_middle_goes_on_from_the_last_whole_shard(photos, cache, tmp_path):
    # it stops in the second shard, until it is killed
    code = STORE.replace("time.sleep(float(pause))", "time.sleep(3600 if done == 15 else 0)")
    process = in_another_process(code, photos[0].parent, cache.folder, cache.limit, tmp_path / "spare", 0)
    assert waited_for(lambda: list(cache.folder.rglob("[!.]*.npz")) or process.poll() is not None)
    assert process.poll() is None, process.communicate()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    again = Storing(photos, cache)
    assert "10 from the cache, 15 decoded" in again.lines[0]
    assert np.array_equal(rows_of(again.store), expected(photos))


def test_ctrl_c_keeps_what_is_decoded(photos, cache):
    def interrupt(done, total):
        if done == 14:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store_photos(photos, size=SIZE, cache=cache, spare=Path("/nowhere"), reporter=Listener(progress=interrupt))
    assert "14 from the cache, 11 decoded" in Storing(photos, cache).lines[0]


def test_processes_that_share_the_cache_all_end_with_the_right_pixels(photos, cache, tmp_path):
    arguments = (photos[0].parent, cache.folder, cache.limit, tmp_path / "spare", 0.01)
    for process in [in_another_process(STORE, *arguments) for _ in range(2)]:
        finished(process)
    manifests = list(tmp_path.glob("photos-*.npz"))
    assert len(manifests) == 2
    for manifest in manifests:
        assert np.array_equal(rows_of(PhotoStore.load(manifest)), expected(photos))
    assert "25 from the cache, 0 decoded" in Storing(photos, cache).lines[0]


def test_a_shard_deleted_by_another_process_in_the_meantime_is_decoded_again(photos, cache):
    Storing(photos, cache)

    def clear_once(done, total):
        if done == 20:
            cache.clear()

    # cleared after 20 photos were looked up, each time the photos are gone through
    with pytest.raises(PhotosMissingError):
        store_photos(photos, size=SIZE, cache=cache, spare=Path("/nowhere"), reporter=Listener(progress=clear_once))
    cleared = []

    def clear_first(done, total):
        if done == 20 and not cleared:
            cleared.append(cache.clear())

    store, _ = store_photos(
        photos, size=SIZE, cache=cache, spare=Path("/nowhere"), reporter=Listener(progress=clear_first)
    )
    assert np.array_equal(rows_of(store), expected(photos))


def test_damaged_files_of_the_cache_are_decoded_again(photos, cache):
    first, second, third = Storing(photos, cache).store.files
    Shard(first).index.write_bytes(b"PK not a zip")
    second.write_bytes(second.read_bytes()[:-100])
    third.unlink()
    again = Storing(photos, cache)
    assert "0 from the cache, 25 decoded" in again.lines[0]
    assert np.array_equal(rows_of(again.store), expected(photos))


def flip(path):
    """Change one bit of the last byte: the length stays."""
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def test_photos_whose_pixels_changed_are_decoded_again(photos, cache):
    damaged = Storing([*photos, photos[-1]], cache).store.files[-1]
    flip(damaged)
    again = Storing([photos[-1], *photos], cache)
    assert np.array_equal(rows_of(again.store), expected([photos[-1], *photos]))
    assert damaged not in again.store.files
    assert not damaged.exists()
    assert "25 from the cache, 0 decoded" in Storing(photos, cache).lines[0]


def test_photos_that_change_after_the_look_up_are_never_used(photos, cache, tmp_path):
    store = Storing(photos, cache).store
    store.save(tmp_path / "photos.npz")
    flip(store.files[-1])
    loaded = PhotoStore.load(tmp_path / "photos.npz")
    assert np.array_equal(loaded[np.arange(10)], expected(photos[:10]))
    with pytest.raises(PhotosMissingError, match=r"missing from .*, or damaged"):
        rows_of(loaded)
    with pytest.raises(PhotosMissingError):
        PhotoStore.load(tmp_path / "photos.npz")


def test_a_folder_in_the_place_of_a_shard_is_taken_for_damage(photos, cache):
    first, second, _ = Storing(photos, cache).store.files
    for path in (Shard(first).index, second):
        path.unlink()
        path.mkdir()
    assert np.array_equal(rows_of(Storing(photos, cache).store), expected(photos))
    assert cache_command("--cache-dir", cache.folder, "--clear")[0] == 0
    assert not list(cache.folder_of(SIZE).iterdir())


def test_what_killed_processes_left_is_removed_after_a_day(photos, cache):
    files = Storing(photos, cache).store.files
    folder = cache.folder_of(SIZE)
    fresh, old, no_index = folder / ".a-1.npy", folder / ".b-2.npy", folder / "c.npy"
    for path in (fresh, old, no_index):
        path.write_bytes(b"part")
    for path in (old, no_index, files[0]):
        os.utime(path, (time.time() - YESTERDAY, time.time() - YESTERDAY))
    Storing(photos, cache)
    assert fresh.exists()
    assert not old.exists()
    assert not no_index.exists()
    assert files[0].exists()
