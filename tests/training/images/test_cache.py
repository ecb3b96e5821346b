"""Photos are decoded once, whatever happens in between, and the cache stays within its limit."""

import io
import json
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from curation.cli import main
from tests.support.reporters import Listener
from training.errors import CurateError, InputError
from training.images import decode
from training.images.cache import PhotoCache, default_cache
from training.images.ingest import store_photos
from training.images.shards import Shard
from training.images.store import PhotosMissingError, PhotoStore
from training.utils.units import bytes_text, home_as_tilde

SIZE = 16
EACH = SIZE * SIZE * 3
ROOT = Path(__file__).parents[3]
YESTERDAY = 25 * 3600


def write_photos(folder, count, seed=0):
    """Write that many different small photos."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    paths = [folder / f"{number:03}.png" for number in range(count)]
    for path in paths:
        Image.fromarray(random.integers(0, 256, (20, 30, 3), dtype=np.uint8)).save(path)
    return paths


def expected(paths):
    return np.stack([decode(path.read_bytes(), SIZE)[0] for path in paths])


class Storing:
    """One `store_photos` and all that it said."""

    def __init__(self, paths, cache, spare=Path("/nowhere/spare"), size=SIZE):
        self.lines, self.steps = [], []
        self.store, self.facts = store_photos(
            paths,
            size=size,
            cache=cache,
            spare=spare,
            reporter=Listener(self.lines.append, lambda *at: self.steps.append(at)),
        )


@pytest.fixture
def photos(tmp_path):
    return write_photos(tmp_path / "photos", 25)


@pytest.fixture
def cache(tmp_path):
    """A cache with shards of ten photos."""
    return PhotoCache(tmp_path / "cache", limit=10**7, shard_bytes=10 * EACH)


def rows_of(store):
    return store[np.arange(len(store))]


def in_another_process(code, *arguments):
    """Start Python with the names of this module's imports; `code` gets the arguments."""
    head = "import sys, time, resource\nfrom pathlib import Path\nfrom training.images.cache import PhotoCache\n"
    head += "from training.images.ingest import store_photos\nfrom tests.support.reporters import Listener\n"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", head + code, *map(str, arguments)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finished(process):
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return out


STORE = """
folder, cache, limit, spare, pause = sys.argv[1:6]
paths = sorted(Path(folder).iterdir())
cache = PhotoCache(Path(cache), int(limit), shard_bytes=10 * 768)
store, facts = store_photos(paths, size=16, cache=cache, spare=Path(spare),
                            reporter=Listener(print, lambda done, total: time.sleep(float(pause))))
store.save(Path(spare).parent / f"photos-{__import__('os').getpid()}.npz")
"""


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
    process = in_another_process(STORE, photos[0].parent, cache.folder, cache.limit, tmp_path / "spare", 0.05)
    deadline = time.monotonic() + 60
    while not list(cache.folder.rglob("[!.]*.npz")):
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)
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


def cache_command(*arguments):
    result = CliRunner().invoke(main, ["cache", *map(str, arguments)])
    return result.exit_code, result.output


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
