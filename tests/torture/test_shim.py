"""The layer below Python that counts file operations, lets one fail, or plays a full disk."""

import errno
import os
import signal
import subprocess
import sys

import pytest

from tests.torture._preloaded import DIE_AFTER, FAIL_ONCE, FULL_FROM, RECORD, STOP_AFTER, build_shim

#: What is watched: a file made, written, synced and renamed by Python, another written by C++.
_SCRIPT = """
import ctypes, os, sys
import pyarrow.feather, pyarrow as pa
table = pa.table({"a": [1, 2, 3]})
folder, how, number, error, reads = sys.argv[1], *map(int, sys.argv[2:])
log = os.open("log", os.O_WRONLY | os.O_CREAT)
ctypes.CDLL(os.environ["LD_PRELOAD"]).shim_arm(os.fsencode(folder), how, ctypes.c_long(number), error, log, 0, reads)
with open(folder + "/a", "wb", buffering=0) as stream:
    stream.write(b"text")
    os.fsync(stream.fileno())
os.mkdir(folder + "/f")
os.rename(folder + "/a", folder + "/f/a")
pyarrow.feather.write_feather(table, folder + "/b")
os.unlink(folder + "/b")
open(folder + "/f/a").close()
print("end")
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    built = build_shim(tmp_path_factory.mktemp("shim"))
    if built is None:
        pytest.skip("no C compiler")
    return built


@pytest.fixture
def watch(shim, tmp_path):
    def run(how, number=0, error=0, reads=0, then=None):
        """Run the script; `then` is called while it is stopped."""
        (tmp_path / "d").mkdir()
        arguments = [str(tmp_path / "d"), str(how), str(number), str(error), str(reads)]
        environment = {**os.environ, "LD_PRELOAD": str(shim)}
        with subprocess.Popen(
            [sys.executable, "-c", _SCRIPT, *arguments],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            if then is not None:
                os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
                then()
                os.kill(process.pid, signal.SIGCONT)
            output, errors = process.communicate()
        return subprocess.CompletedProcess(_SCRIPT, process.returncode, output, errors)

    return run


def test_operations_of_python_and_of_libraries_in_c_are_recorded(watch, tmp_path):
    assert watch(RECORD).stdout == "end\n"
    operations = [line.split("\t")[0] for line in (tmp_path / "log").read_text().splitlines()]
    assert operations[:6] == ["create", "write", "fsync", "mkdir", "rename", "create"]
    assert operations[-1] == "unlink"
    assert set(operations[6:-1]) <= {"write", "fsync"}
    assert "write" in operations[6:-1]


def test_one_operation_fails_once(watch):
    ended = watch(FAIL_ONCE, 3, errno.EIO)
    assert ended.returncode == 1
    assert "Input/output error" in ended.stderr


def test_the_process_dies_right_after_an_operation(watch, tmp_path):
    assert watch(DIE_AFTER, 4).returncode == -9
    assert sorted(path.name for path in (tmp_path / "d").iterdir()) == ["a", "f"]


def test_a_file_that_is_opened_for_reading_is_an_operation_if_asked(watch, tmp_path):
    watch(RECORD, reads=1)
    assert (tmp_path / "log").read_text().splitlines()[-1].startswith("read\t")


def test_the_process_stops_after_an_operation_until_it_may_go_on(watch, tmp_path):
    there = []
    ended = watch(STOP_AFTER, 4, then=lambda: there.extend(path.name for path in (tmp_path / "d").iterdir()))
    assert sorted(there) == ["a", "f"]
    assert ended.stdout == "end\n"


def test_a_full_disk_refuses_what_needs_room_and_nothing_else(watch, tmp_path):
    ended = watch(FULL_FROM, 5, errno.ENOSPC)
    assert "No space left on device" in ended.stderr
    assert (tmp_path / "d" / "f" / "a").read_bytes() == b"text"
