"""Arrays that were made of single photos, and that later runs find by the hash of their content."""

import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

from tests.support.reporters import Listener
from training.images.kept import Kept
from training.images.shards import Shard, ShardIndex, shards_in

#: Keeps arrays, and says so, until it is killed.
KEEPS = """
import sys
from pathlib import Path
import numpy as np
from training.images.kept import Kept
from training.images.shards import ShardIndex
for number in range(10**6):
    kept = Kept(Path(sys.argv[1]), (3,), np.float32, what="numbers")
    digest = np.frombuffer(number.to_bytes(32, "little"), np.uint8)[None]
    kept.add(ShardIndex(digest, np.zeros((1, 2), np.int64)), np.full((1, 3), number, np.float32))
    kept.flush()
    print(number, flush=True)
"""


def index(*numbers):
    digests = b"".join(int(number).to_bytes(32, "little") for number in numbers)
    sha256 = np.frombuffer(digests, np.uint8).reshape(len(numbers), 32)
    return ShardIndex(sha256, np.zeros((len(numbers), 2), np.int64))


def values(*numbers):
    return np.repeat(np.array(numbers, np.float32)[:, None], 3, axis=1)


def store(folder, shape=(3,), dtype=np.float32, reporter=None):
    return Kept(folder, shape, dtype, what="numbers", reporter=reporter or Listener())


def keep(folder, *numbers):
    kept = store(folder)
    kept.add(index(*numbers), values(*numbers))
    kept.flush()


def test_what_one_run_keeps_the_next_one_reads_bit_for_bit(tmp_path):
    made = np.random.default_rng(0).normal(size=(2, 3)).astype(np.float32)
    kept = store(tmp_path)
    kept.add(index(5, 6), made)
    kept.flush()
    read, known = store(tmp_path).read(index(6, 7, 5))
    assert known.tolist() == [True, False, True]
    assert np.array_equal(read, [made[1], [0, 0, 0], made[0]])


def test_nothing_is_found_in_the_folder_of_another_recipe(tmp_path):
    keep(tmp_path / "old", 1)
    assert not store(tmp_path / "new").read(index(1))[1].any()


@pytest.mark.parametrize(("shape", "dtype"), [((4,), np.float32), ((3,), np.float64), ((3, 1), np.float32)])
def test_arrays_of_another_shape_or_type_are_not_taken(tmp_path, shape, dtype):
    keep(tmp_path, 1)
    assert not store(tmp_path, shape, dtype).read(index(1))[1].any()


def test_a_damaged_array_is_missing_and_its_file_is_deleted(tmp_path):
    keep(tmp_path, 1, 2)
    (shard,) = shards_in(tmp_path)
    content = bytearray(shard.pixels.read_bytes())
    content[-1] ^= 1
    shard.pixels.write_bytes(content)
    assert store(tmp_path).read(index(2))[1].tolist() == [False]
    assert shards_in(tmp_path) == []


def test_only_files_that_were_read_count_as_used(tmp_path):
    keep(tmp_path, 1)
    keep(tmp_path, 2)
    for shard in shards_in(tmp_path):
        os.utime(shard.index, (1, 1))
    kept = store(tmp_path)
    kept.read(index(2, 3))
    kept.flush()
    used = [shard for shard in shards_in(tmp_path) if shard.index.stat().st_mtime > 1]
    assert [Shard(each.pixels).read_index().sha256[0, 0] for each in used] == [2]


def test_a_folder_that_cannot_be_written_is_told_once_and_loses_nothing_else(tmp_path):
    (tmp_path / "file").write_text("in the way")
    listener = Listener()
    kept = store(tmp_path / "file", reporter=listener)
    for number in (1, 2):
        kept.add(index(number), values(number))
        kept.flush()
    assert [line.partition(" in ")[0] for line in listener.lines] == ["numbers can't be kept"]


def test_threads_that_add_at_once_lose_nothing(tmp_path):
    kept = store(tmp_path)
    parts = [range(start, start + 700) for start in range(0, 2800, 700)]

    def add(part):
        for number in part:
            kept.add(index(number), values(number))

    threads = [threading.Thread(target=add, args=[part]) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept.flush()
    read, known = store(tmp_path).read(index(*range(2800)))
    assert known.all()
    assert np.array_equal(read[:, 0], np.arange(2800))


def test_two_processes_that_are_killed_while_they_keep_the_same_leave_only_whole_arrays(tmp_path):
    processes = [
        subprocess.Popen([sys.executable, "-c", KEEPS, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    done = []
    for process in processes:
        while (number := int(process.stdout.readline())) < 4:
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        done.append(number)
    numbers = range(max(done) + 1)
    read, known = store(tmp_path).read(index(*numbers))
    assert known.all()
    assert np.array_equal(read, values(*numbers))
