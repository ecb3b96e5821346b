"""Photos are decoded once, and the cache stays within its limit."""

import io
import json
import os
import pickle
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

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
    write_photos,
)
from training.errors import InputError
from training.images.cache import PhotoCache, default_cache
from training.images.shards import Shard
from training.images.store import PhotosMissingError, PhotoStore
from training.utils.units import bytes_text, home_as_tilde


def test_every_row_has_the_pixels_of_its_own_photo(photos, cache):
    stored = Storing(photos, cache)
    assert stored.store.shape == (25, SIZE, SIZE, 3)
    assert len(stored.store) == 25
    assert np.array_equal(rows_of(stored.store), expected(photos))
    assert {(fact.width, fact.height, fact.error) for fact in stored.facts} == {(30, 20, None)}
    assert stored.steps == [(done, 25) for done in range(1, 26)]


def test_a_store_is_indexed_like_an_array(photos, cache):
    store, whole = Storing(photos, cache).store, expected(photos)
    for rows in (np.array([24, 3, 3, 11]), np.array([], dtype=np.int64), slice(5, 15), -1, whole.sum((1, 2, 3)) > 0):
        assert np.array_equal(store[rows], whole[rows])
    batch = store[np.array([1, 2])]
    assert batch.flags.c_contiguous
    batch[:] = 0
    assert np.array_equal(store[np.array([1, 2])], whole[[1, 2]])
    with pytest.raises(IndexError):
        store[np.array([25])]


def test_a_second_store_decodes_nothing(photos, cache):
    first, second = Storing(photos, cache), Storing(photos[::-1], cache)
    assert "photos: 0 from the cache, 25 decoded" in first.lines[0]
    assert "photos: 25 from the cache, 0 decoded" in second.lines[0]
    assert second.facts == first.facts[::-1]
    assert np.array_equal(rows_of(second.store), expected(photos[::-1]))


def test_photos_are_kept_for_each_size_apart(photos, cache):
    Storing(photos, cache)
    other = Storing(photos, cache, size=8)
    assert "0 from the cache, 25 decoded" in other.lines[0]
    assert other.store.shape == (25, 8, 8, 3)
    assert sorted(cache.sizes()) == [8, 16]


def test_a_photo_that_changed_under_its_name_is_decoded_again(photos, cache):
    Storing(photos, cache)
    Image.new("RGB", (9, 7), "red").save(photos[4])
    again = Storing(photos, cache)
    assert "24 from the cache, 1 decoded" in again.lines[0]
    assert (again.facts[4].width, again.facts[4].height) == (9, 7)
    assert again.store[4][8, 8].tolist() == [255, 0, 0]


def test_what_was_decoded_in_another_way_is_not_used(photos, cache, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("training.images.shards.RECIPE", "an older one")
        Storing(photos, cache)
    assert "0 from the cache, 25 decoded" in Storing(photos, cache).lines[0]


def test_the_same_photo_under_several_names_is_decoded_once_and_has_one_hash(tmp_path, cache):
    content = write_photos(tmp_path / "one", 1)[0].read_bytes()
    copies = [tmp_path / f"{number}.png" for number in range(30)]
    for path in copies:
        path.write_bytes(content)
    stored = Storing(copies, cache)
    assert "0 from the cache, 1 decoded" in stored.lines[0]
    assert len(set(stored.facts)) == 1
    assert np.array_equal(rows_of(stored.store), expected(copies))


def test_unreadable_photos_are_findings_never_kept_and_every_photo_keeps_its_row(tmp_path, cache):
    stream = io.BytesIO()
    Image.effect_noise((64, 64), 60).convert("RGB").save(stream, "JPEG")
    whole = stream.getvalue()
    contents = {"cut.jpg": whole[: len(whole) // 2], "empty.jpg": b"", "page.jpg": b"<html>", "sound.jpg": whole}
    contents["cut-again.jpg"] = contents["cut.jpg"]
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    paths = [*(tmp_path / name for name in contents), tmp_path / "missing.jpg", None, tmp_path]
    for _ in range(2):
        stored = Storing(paths, cache)
        reasons = [fact.error for fact in stored.facts]
        assert "truncated" in reasons[0]
        assert reasons[1:4] == ["the file is empty", "not an image", None]
        assert reasons[4] == reasons[0]
        assert reasons[5:] == ["no such file", "no photo", "it is a folder, not a file"]
        assert [fact.sha256 is None for fact in stored.facts] == [False] * 5 + [True] * 3
        assert stored.store[3].std() > 0
        assert not stored.store[np.array([0, 1, 2, 4, 5, 6, 7])].any()
    assert "1 from the cache, 0 decoded" in stored.lines[0]


def test_a_store_is_found_again_by_another_process_and_by_a_later_command(photos, cache, tmp_path):
    store = Storing(photos, cache).store
    assert np.array_equal(rows_of(pickle.loads(pickle.dumps(store))), expected(photos))
    store.save(tmp_path / "photos.npz")
    loaded = PhotoStore.load(tmp_path / "photos.npz")
    assert loaded.shape == store.shape
    assert np.array_equal(rows_of(loaded), expected(photos))


def test_a_run_folder_with_its_own_photos_may_be_moved(photos, tmp_path):
    run = tmp_path / "run"
    stored = Storing(photos, PhotoCache(tmp_path / "cache", limit=0), spare=run / "photos")
    stored.store.save(run / "photos.npz")
    run.rename(tmp_path / "moved")
    assert np.array_equal(rows_of(PhotoStore.load(tmp_path / "moved" / "photos.npz")), expected(photos))


def test_a_cleared_cache_is_said_and_not_guessed_around(photos, cache, tmp_path):
    store = Storing(photos, cache).store
    store.save(tmp_path / "photos.npz")
    copy = pickle.dumps(store)
    cache.clear()
    with pytest.raises(PhotosMissingError, match="the same command again"):
        PhotoStore.load(tmp_path / "photos.npz")
    with pytest.raises(PhotosMissingError) as caught:
        pickle.loads(copy)[0]
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    with pytest.raises(FileNotFoundError):
        PhotoStore.load(tmp_path / "none.npz")


def test_photos_in_use_stay_readable_when_the_cache_is_cleared(photos, cache):
    store = Storing(photos, cache).store
    rows_of(store)
    cache.clear()
    assert cache.used() == 0
    assert np.array_equal(rows_of(store), expected(photos))


def test_the_cache_stays_within_its_limit_and_loses_what_was_not_used_for_longest(tmp_path):
    roomy = PhotoCache(tmp_path / "cache", limit=10**6, shard_bytes=10 * EACH)
    sets = [write_photos(tmp_path / str(number), 10, seed=number) for number in range(3)]
    for age, paths in enumerate(sets):
        for file in Storing(paths, roomy).store.files:
            os.utime(Shard(file).index, (time.time() - 3000 + age, time.time() - 3000 + age))
    one = roomy.used() // 3
    tight = PhotoCache(roomy.folder, limit=int(3.5 * one), shard_bytes=10 * EACH)
    Storing(sets[0], tight)  # used again: the second set is the oldest now
    Storing(write_photos(tmp_path / "3", 10, seed=3), tight)
    assert tight.used() <= tight.limit
    assert "10 from the cache" in Storing(sets[0], roomy).lines[0]
    assert "10 from the cache" in Storing(sets[2], roomy).lines[0]
    assert "10 decoded" in Storing(sets[1], roomy).lines[0]


def test_what_a_store_uses_is_never_trimmed_from_under_it(photos, tmp_path):
    Storing(photos, PhotoCache(tmp_path / "cache", 10**6))
    # the pixels alone would fit, with their indexes they do not
    stored = Storing(photos, PhotoCache(tmp_path / "cache", 25 * EACH))
    assert "25 from the cache" in stored.lines[0]
    assert np.array_equal(rows_of(stored.store), expected(photos))


def test_a_run_larger_than_the_limit_keeps_its_photos_itself_and_says_so(photos, tmp_path):
    small = PhotoCache(tmp_path / "cache", limit=5 * EACH, shard_bytes=10 * EACH)
    stored = Storing(photos, small, spare=tmp_path / "run" / "photos")
    assert "may hold 3.8 KB" in stored.lines[0]
    assert f"kept in {tmp_path / 'run' / 'photos'}" in stored.lines[0]
    assert "CURATE_CACHE_LIMIT" in stored.lines[0]
    assert small.used() == 0
    assert np.array_equal(rows_of(stored.store), expected(photos))
    again = Storing(photos, small, spare=tmp_path / "run" / "photos")
    assert "25 from the cache, 0 decoded" in again.lines[1]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak memory of a process is read from /proc")
def test_memory_is_bounded_by_a_shard_and_not_by_the_photos(tmp_path):
    content = io.BytesIO()
    Image.new("RGB", (8, 8)).save(content, "PNG")
    (tmp_path / "photos").mkdir()
    # a number behind its end makes each a file of its own; 400 photos of 256 pixels are 79 MB, a shard has 10
    for number in range(400):
        (tmp_path / "photos" / f"{number:03}.png").write_bytes(content.getvalue() + str(number).encode())
    code = """
def peak():
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024
before = peak()
""" + STORE.replace("size=16", "size=256").replace("10 * 768", "10 * 2**20")
    code += "\nprint(peak() - before)"
    out = finished(in_another_process(code, tmp_path / "photos", tmp_path / "cache", 10**9, tmp_path / "spare", 0))
    assert "400 decoded" in out
    assert int(out.split()[-1]) < 40e6, out


def test_the_folder_and_the_limit_come_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("CURATE_CACHE_DIR", str(tmp_path / "named"))
    assert default_cache().folder == tmp_path / "named"
    assert default_cache(tmp_path / "typed").folder == tmp_path / "typed"
    monkeypatch.delenv("CURATE_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache().folder == tmp_path / "curate"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert default_cache() == PhotoCache(Path("/home/somebody/.cache/curate"), 20 * 10**9)
    assert home_as_tilde(default_cache().folder) == "~/.cache/curate"
    monkeypatch.setenv("CURATE_CACHE_LIMIT", "1.5TB")
    assert default_cache().limit == 1_500_000_000_000
    monkeypatch.setenv("CURATE_CACHE_LIMIT", "plenty")
    with pytest.raises(InputError, match="CURATE_CACHE_LIMIT is not a number of bytes: got 'plenty'"):
        default_cache()


def test_the_command_shows_what_is_in_the_cache_and_makes_room(photos, cache):
    Storing(photos, cache)
    Storing(photos, cache, size=8)
    code, shown = cache_command("--cache-dir", cache.folder, "--json")
    state = json.loads(shown)
    assert code == 0
    assert state["folder"] == str(cache.folder)
    assert state["bytes"] == cache.used() == sum(row["bytes"] for row in state["sizes"])
    assert [(row["size"], row["photos"]) for row in state["sizes"]] == [(8, 25), (16, 25)]
    assert "25" in cache_command("--cache-dir", cache.folder)[1]
    code, shown = cache_command("--cache-dir", cache.folder, "--limit", "20KB", "--json")
    assert code == 0
    assert json.loads(shown)["freed"] == state["bytes"] - cache.used()
    assert 0 < cache.used() <= 20_000
    left = bytes_text(cache.used())
    assert f"{left} freed" in cache_command("--cache-dir", cache.folder, "--clear")[1]
    assert cache.used() == 0
    assert "holds 0 B of at most 20 GB" in cache_command("--cache-dir", cache.folder)[1]


def test_clearing_leaves_what_is_not_ours(photos, cache):
    Storing(photos, cache)
    (cache.folder / "letter.txt").write_text("dear")
    (cache.root / "notes").mkdir()
    assert cache_command("--cache-dir", cache.folder, "--clear")[0] == 0
    assert (cache.folder / "letter.txt").read_text() == "dear"
    assert (cache.root / "notes").is_dir()


def test_the_command_refuses_what_it_cant_do(tmp_path):
    (tmp_path / "file").write_text("")
    for arguments, lines in (
        (("--cache-dir", tmp_path / "file"), "is not a folder"),
        (("--limit", "some"), "--limit is not a number of bytes"),
        (("--limit", "1GB", "--clear"), "has no effect"),
    ):
        code, shown = cache_command(*arguments)
        assert code == 2
        assert lines in shown
