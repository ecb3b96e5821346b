import errno
import os
import sqlite3
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from sqlalchemy.exc import OperationalError

from training.errors import CurateError
from training.utils.files import allocate, whole_file
from training.utils.machine import machine_error, resumable, resumes


class FullDisk:
    """A file whose disk is full after some bytes."""

    def __init__(self, stream, room: int) -> None:
        self.stream, self.room = stream, room

    def write(self, data) -> int:
        self.room -= len(memoryview(data))
        if self.room < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self.stream.write(data)

    def __getattr__(self, name):
        return getattr(self.stream, name)


WRITERS = {
    "torch": lambda stream: torch.save({"weights": torch.ones(50_000)}, stream),
    "parquet": lambda stream: pd.DataFrame({"a": np.arange(50_000)}).to_parquet(stream),
    "npz": lambda stream: np.savez(stream, a=np.arange(50_000)),
    "bytes": lambda stream: stream.write(b"x" * 100_000),
}


def write_to_full_disk(path: Path, write) -> None:
    with whole_file(path) as temporary, temporary.open("wb") as stream:
        write(FullDisk(stream, 1000))


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_is_one_line_that_names_the_file_and_the_free_bytes_whatever_library_met_it(name, tmp_path):
    path = tmp_path / "result.bin"
    with pytest.raises(OSError, match="No space left") as caught:
        write_to_full_disk(path, WRITERS[name])
    message = str(machine_error(caught.value))
    assert message.startswith(f"can't write {path}: got No space left on device; wanted more than the ")
    assert message.endswith("Make room there, and run the same command again.")
    assert "\n" not in message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EDQUOT, ("can't write", "Make room in your quota")),
        (errno.EIO, ("can't use", "look after it")),
        (errno.EROFS, ("can't write", "Make it writable")),
        (errno.EACCES, ("can't use", "Let this user read and write there")),
        (errno.EMFILE, ("can't use", "ulimit -n")),
        (errno.ENOTDIR, ("can't use", "Mend that")),
    ],
)
def test_each_refusal_of_the_system_says_what_to_do_next(number, words, tmp_path):
    message = str(machine_error(OSError(number, os.strerror(number), str(tmp_path / "run.json"))))
    assert message.startswith(words[0])
    assert words[1] in message
    assert "run the same command again" in message


def test_only_where_something_was_kept_a_refusal_says_that_the_same_command_resumes():
    with pytest.raises(OSError, match="denied") as caught, resumable():
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "runs")
    assert str(machine_error(caught.value)).endswith("run the same command again: it resumes where it stopped.")
    with pytest.raises(CurateError) as asked, resumable():
        raise CurateError("no such model")
    assert not resumes(asked.value)


def numpy_wants_too_much():
    np.zeros(10**15)


def torch_wants_too_much():
    torch.zeros(10**15)


def arrow_wants_too_much():
    pa.allocate_buffer(10**15)


@pytest.mark.parametrize("allocation", [numpy_wants_too_much, torch_wants_too_much, arrow_wants_too_much])
def test_too_little_memory_is_one_line_whichever_library_asked_for_it(allocation):
    with pytest.raises((MemoryError, RuntimeError)) as caught:
        allocation()
    message = str(machine_error(caught.value))
    assert message.startswith("memory ran out")
    assert "\n" not in message


def test_a_database_on_a_full_disk_is_one_line(tmp_path):
    connection = sqlite3.connect(tmp_path / "a.db")
    connection.execute("create table a (b)")
    connection.execute("pragma max_page_count = 3")
    with pytest.raises(sqlite3.OperationalError) as caught:
        connection.execute("insert into a values (?)", ["x" * 100_000])
    connection.close()
    wrapped = OperationalError("insert", {}, caught.value)
    wrapped.__cause__ = caught.value
    assert "database or disk is full. Make room there" in str(machine_error(wrapped))


def test_an_error_of_ours_is_no_refusal_of_the_machine():
    fault = KeyError("label")
    fault.__context__ = FileNotFoundError(2, "No such file or directory", "photos")
    assert machine_error(fault) is None
    assert machine_error(zipfile.BadZipFile("no zip")) is None
    assert machine_error(sqlite3.OperationalError("no such table: trials")) is None


def test_an_error_about_another_file_keeps_its_name(tmp_path):
    with pytest.raises(FileNotFoundError) as caught, whole_file(tmp_path / "a.json"):
        (tmp_path / "photos" / "b.png").read_bytes()
    assert caught.value.filename == str(tmp_path / "photos" / "b.png")


def test_a_file_to_be_mapped_has_its_space_at_once(tmp_path):
    path = tmp_path / "features.npy"
    with path.open("wb") as stream:
        stream.truncate(100_000)
    allocate(path)
    assert path.stat().st_blocks * 512 >= 100_000
