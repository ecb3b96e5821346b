"""A lock is held by one process or thread at a time, ends with its process, and says whose it is."""

from __future__ import annotations

import errno
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from curation.run.folder import RunFolder
from tests.support.holders import holding
from training.utils import locks
from training.utils.locks import Holder, InUse, held, is_held


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / ".lock"


def holder_of(file: Path) -> Holder | None:
    with pytest.raises(InUse) as refused, held(file, "undo"):
        pass
    return refused.value.holder


def test_the_second_learns_who_the_first_is_and_gets_the_lock_once_it_is_free(file: Path) -> None:
    with held(file, "apply_fixes"):
        holder = holder_of(file)
        assert holder is not None
        assert (holder.command, holder.process) == ("apply_fixes", os.getpid())
        assert is_held(file)
    assert not is_held(file)
    assert file.read_bytes() == b""
    with held(file, "undo"):
        assert is_held(file)


def test_threads_of_one_process_exclude_each_other_too(file: Path) -> None:
    inside, most = 0, 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(5):
            with held(file, "undo", wait=True):
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_a_killed_holder_leaves_no_lock_although_its_child_lives_on(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    with holding(run, "retrain", with_child=True) as process:
        assert run.busy()
        process.kill()
        process.wait()
        try:
            os.kill(process.child, 0)  # type: ignore[attr-defined]
            assert not run.busy()
            with run.holding("undo"):
                pass
        finally:
            os.kill(process.child, signal.SIGKILL)  # type: ignore[attr-defined]


def test_a_forked_child_leaves_the_lock_of_its_parent_as_it_is(file: Path) -> None:
    with holding(RunFolder(file.parent), "retrain", with_child=True) as process:
        os.kill(process.child, signal.SIGKILL)  # type: ignore[attr-defined]
        holder = holder_of(file)
        assert holder is not None
        assert holder.process == process.pid


def test_whoever_waits_is_told_for_whom_and_gets_it_when_the_other_ends(tmp_path: Path) -> None:
    run, told = RunFolder(tmp_path), []
    with holding(run, "retrain") as process:

        def end(holder: Holder | None) -> None:
            told.append(holder)
            process.kill()

        with held(run.lock_file, "undo", wait=True, waiting=end):
            assert process.wait() == -signal.SIGKILL
    assert [(holder.command, holder.process) for holder in told] == [("retrain", process.pid)]


def test_a_wait_ends_after_its_time(file: Path) -> None:
    began = time.monotonic()
    with held(file, "retrain"), pytest.raises(InUse), held(file, "undo", wait=0.3):
        pass
    assert time.monotonic() - began >= 0.3


def test_ctrl_c_ends_a_wait(file: Path) -> None:
    def interrupt(holder: Holder | None) -> None:
        raise KeyboardInterrupt

    with held(file, "retrain"), pytest.raises(KeyboardInterrupt), held(file, "undo", wait=True, waiting=interrupt):
        pass
    assert not is_held(file)


def test_looking_whether_it_is_held_keeps_nobody_from_it(file: Path) -> None:
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            is_held(file)

    watchers = [threading.Thread(target=look) for _ in range(2)]
    for watcher in watchers:
        watcher.start()
    try:
        for _ in range(200):
            with held(file, "undo"):
                pass
    finally:
        stop.set()
        for watcher in watchers:
            watcher.join()


def test_a_file_that_was_removed_with_its_folder_locks_nothing(file: Path) -> None:
    with held(file, "find_issues"):
        file.unlink()
        with held(file, "find_issues"):
            assert is_held(file)
        assert not is_held(file)


@pytest.mark.parametrize("note", [b"", b"no JSON", b"[1]", b'{"command": "\\u001b[2J"}', b"[" * 4000])
def test_a_note_that_says_nothing_names_nobody(note: bytes, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "_EVERY", 0)
    with held(file, "retrain"):
        file.write_bytes(note)
        assert holder_of(file) is None


def test_escapes_in_a_note_do_not_reach_the_terminal(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "_EVERY", 0)
    with held(file, "retrain"):
        file.write_text('{"command": "undo", "process": 1, "host": "x", "user": "\\u001b[2J", "since": ""}')
        assert holder_of(file) is None


def test_without_locks_on_the_file_system_the_work_is_done_and_this_is_said_once(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lock(*_: object, **__: object) -> bool:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locks, "lock", lock)
    said = []
    with held(file, "undo", unlockable=lambda: said.append("no locks")):
        assert not is_held(file)
    assert said == ["no locks"]


def test_no_descriptor_stays_open(file: Path) -> None:
    def opened() -> list[str]:
        # other threads of this process may open files of their own meanwhile
        links = (os.path.realpath(path) for path in Path("/dev/fd").iterdir())
        return [link for link in links if link.startswith(str(file.parent))]

    with held(file, "undo"):
        holder_of(file)
        assert opened()
    is_held(file)
    assert opened() == []
