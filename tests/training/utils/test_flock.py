"""Locks of the system, and temporary files and folders whose lock tells whether their process still lives."""

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path

import pytest

from training.utils.files import whole_file, whole_folder
from training.utils.flock import is_left, lock, scratch_folder, sweep

WHOLE = {"page.html": whole_file, "two.parts.csv": whole_file, "folder": whole_folder, "of.photos": whole_folder}


def leave(path: Path) -> None:
    """Let a process die while it writes `path`."""
    pid = os.fork()
    if pid == 0:
        try:
            with WHOLE[path.name](path) as made:
                if made.is_dir():
                    (made / "part").write_text("part")
                os.kill(os.getpid(), signal.SIGKILL)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL


def test_a_lock_is_held_until_the_file_is_closed_and_shared_ones_stand_side_by_side(tmp_path):
    path = tmp_path / "a.txt"
    path.touch()
    with path.open() as one, path.open() as other:
        assert lock(one, shared=True)
        assert lock(other, shared=True, wait=False)
        assert not lock(one, wait=False)
    with path.open() as one, path.open() as other:
        assert lock(one)
        assert not lock(other, wait=False)
        one.close()
        assert lock(other, wait=False)


@pytest.mark.parametrize("name", WHOLE)
def test_what_a_killed_process_left_is_swept_and_nothing_else(tmp_path, name):
    names = (".page.html", ".folder-mine", "page-a1234567.html", ".another-a1234567", ".folder-20261129")
    for other in (*names, ".page-20261129.html"):
        (tmp_path / other).touch()
    before = set(tmp_path.iterdir())
    leave(tmp_path / name)
    (left,) = set(tmp_path.iterdir()) - before
    assert left.name.startswith(".")
    assert is_left(left)
    with WHOLE[name](tmp_path / name):
        (mine,) = set(tmp_path.iterdir()) - before - {left}
        sweep(tmp_path / name)
        assert set(tmp_path.iterdir()) == before | {mine}
    assert set(tmp_path.iterdir()) == before | {tmp_path / name}


def test_of_the_folders_where_temporary_ones_are_those_of_killed_processes_are_swept(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with scratch_folder("curate-test") as one:
        assert one.stat().st_mode & 0o777 == 0o700
        (tmp_path / ".curate-test-abcdef01").mkdir()
        with scratch_folder("curate-test") as other:
            assert set(tmp_path.iterdir()) == {one, other}
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_was_empty_is_empty_again_after_a_kill(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    leave(folder)
    assert any(folder.iterdir())
    sweep(folder)
    assert list(folder.iterdir()) == []


def test_who_sweeps_between_the_making_and_the_lock_takes_no_file_from_anybody(tmp_path, monkeypatch):
    real, swept = os.open, []

    def open_and_sweep(path, *rest, **more):
        descriptor = real(path, *rest, **more)
        if not swept and "page-" in str(path):
            swept.append(path)
            sweep(tmp_path / "page.html")
        return descriptor

    monkeypatch.setattr(os, "open", open_and_sweep)
    with whole_file(tmp_path / "page.html") as temporary:
        temporary.write_text("whole")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    assert swept[0] != temporary
