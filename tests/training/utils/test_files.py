"""Files and folders are written whole or not at all."""

from __future__ import annotations

import errno
import os
import pickle
import re
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from training.errors import InputError
from training.utils.files import (
    NotReadableError,
    open_regular,
    read_regular,
    whole_file,
    whole_folder,
    write_text,
)


def fill(folder: Path, text: str = "new") -> None:
    (folder / "table.csv").write_text(text)
    (folder / "images").mkdir()
    (folder / "images" / "a.png").write_text(text)


def fail_with(path: Path) -> None:
    if path.is_dir():
        fill(path, "half")
    else:
        path.write_text("half")
    raise ZeroDivisionError


def contents(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


NEW = {"images/a.png": "new", "table.csv": "new"}


def test_a_file_whose_writing_fails_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), whole_file(path) as temporary:
        fail_with(temporary)
    assert contents(tmp_path) == {"table.csv": "old"}


def test_a_new_folder_comes_whole_with_what_leads_to_it(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    with whole_folder(folder) as built:
        fill(built)
        assert not folder.exists()
    assert contents(tmp_path / "a") == {f"b/{name}": text for name, text in NEW.items()}
    mask = os.umask(0)
    os.umask(mask)
    assert folder.stat().st_mode & 0o777 == 0o777 & ~mask


def test_a_folder_that_is_there_stays_the_one_it_is_with_its_other_files(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("old")
    (tmp_path / "notes.txt").write_text("mine")
    before = tmp_path.stat().st_ino
    with whole_folder(tmp_path) as built:
        fill(built)
        assert (tmp_path / "table.csv").read_text() == "old"
    assert tmp_path.stat().st_ino == before
    assert contents(tmp_path) == {**NEW, "notes.txt": "mine"}


def test_outdated_files_go_when_the_new_content_comes(tmp_path: Path) -> None:
    for name in ("prices.png", "classes.png", "notes.txt"):
        (tmp_path / name).write_text("old")
    with whole_folder(tmp_path, outdated=["prices.png", "classes.png", "photos.png"]) as built:
        (built / "classes.png").write_text("new")
        assert (tmp_path / "prices.png").exists()
    assert contents(tmp_path) == {"classes.png": "new", "notes.txt": "old"}


@pytest.mark.parametrize("there", [False, True])
def test_a_folder_whose_building_fails_leaves_no_trace(tmp_path: Path, there: bool) -> None:
    folder = tmp_path / "out"
    if there:
        folder.mkdir()
    with pytest.raises(ZeroDivisionError), whole_folder(folder) as built:
        fail_with(built)
    assert list(tmp_path.rglob("*")) == [folder] * there


def test_what_lies_beside_the_folder_that_is_built_is_thrown_away(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "out") as built:
        built.with_name("photos").mkdir()
        fill(built)
    assert contents(tmp_path) == {f"out/{name}": text for name, text in NEW.items()}


def test_a_place_that_can_not_be_written_to_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(InputError, match=r"can't write to .*file/out: got .*\. Name another one\."),
        whole_folder(tmp_path / "file" / "out", fix="Name another one."),
    ):
        pass


def test_a_full_disk_says_how_many_bytes_were_too_few(tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match=r"got No space left on device; wanted more than the .*B that are free in .*"),
        whole_folder(tmp_path / "demo", fix="Name another folder."),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_file_has_the_mode_that_the_umask_allows_and_the_umask_is_never_touched(mask, mode, tmp_path, monkeypatch):
    before = os.umask(mask)
    try:
        # a threaded server would make files that anybody may write in the moment of a changed umask
        with monkeypatch.context() as patch:
            patch.delattr(os, "umask")
            write_text(tmp_path / "a.txt", "text")
    finally:
        os.umask(before)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == mode


@pytest.fixture
def odd_paths(tmp_path: Path) -> dict[str, Path]:
    """What a path may lead to besides a file; pytest's own folder is too long for a socket."""
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "device.jpg").symlink_to("/dev/zero")
    (tmp_path / "link.jpg").symlink_to(tmp_path / "pipe.jpg")
    os.mknod(tmp_path / "socket.jpg", stat.S_IFSOCK | 0o600)
    return {path.stem: path for path in tmp_path.iterdir()}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("pipe", "a named pipe"),
        ("link", "a named pipe"),
        ("socket", "a socket"),
        ("device", "a device"),
        ("folder", "a folder"),
    ],
)
def test_only_regular_files_are_opened_and_others_are_named(odd_paths: dict[str, Path], name: str, kind: str) -> None:
    path = odd_paths[name]
    message = re.escape(f"can't read {path}: it is {kind}, not a file")
    with pytest.raises(NotReadableError, match=message):
        open_regular(path)
    with pytest.raises(NotReadableError, match=message):
        read_regular(path)


def test_a_file_that_becomes_a_pipe_between_two_looks_is_not_waited_for(tmp_path, monkeypatch):
    path = tmp_path / "a.jpg"
    path.write_bytes(b"sound")
    sound = path.stat()
    path.unlink()
    os.mkfifo(path)
    with monkeypatch.context() as patch:
        # the first look only: the second is of what was opened
        patch.setattr(os, "stat", lambda path: sound)
        with pytest.raises(NotReadableError, match="is a named pipe"):
            open_regular(path)


def test_a_file_above_the_limit_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "sparse.jpg"
    path.touch()
    os.truncate(path, 3 * 10**9)
    with pytest.raises(NotReadableError, match=r"it has 3 GB, more than 200 MB$") as caught:
        read_regular(path, 200_000_000)
    assert pickle.loads(pickle.dumps(caught.value)).reason == caught.value.reason
    os.truncate(path, 5)
    assert read_regular(path, 5) == bytes(5)


def test_a_file_that_grows_while_it_is_read_is_named_and_never_read_on(tmp_path, monkeypatch):
    path = tmp_path / "a.jpg"
    path.write_bytes(b"half")
    half = path.stat()
    path.write_bytes(b"half and more")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fstat", lambda descriptor: half)
        with pytest.raises(NotReadableError, match="it grows while it is read"):
            read_regular(path)


@pytest.mark.skipif(not Path("/proc/self/pagemap").exists(), reason="only Linux has files that never end")
def test_a_file_of_the_system_that_never_ends_is_empty() -> None:
    assert read_regular(Path("/proc/self/pagemap")) == b""


def test_a_link_that_leads_to_itself_and_a_file_that_is_gone_are_errors_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").symlink_to(tmp_path / "b.jpg")
    (tmp_path / "b.jpg").symlink_to(tmp_path / "a.jpg")
    with pytest.raises(OSError, match="symbolic links"):
        read_regular(tmp_path / "a.jpg")
    with pytest.raises(FileNotFoundError):
        read_regular(tmp_path / "c.jpg")


def test_of_two_that_fill_one_folder_the_later_one_is_whole(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with whole_folder(folder) as one:
        (one / "a").write_text("one")
        (one / "b").write_text("one")
        with whole_folder(folder) as other:
            (other / "a").write_text("other")
            (other / "b").write_text("other")
    assert contents(folder) == {"a": "one", "b": "one"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("there", [True, False])
def test_of_two_that_make_one_new_folder_the_later_one_is_refused(there: bool, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    if there:
        folder.mkdir()

    def make(name: str, meanwhile: Callable[[], None] = lambda: None) -> None:
        with whole_folder(folder, new=True) as built:
            (built / "a").write_text(name)
            meanwhile()

    with pytest.raises(InputError, match="is not empty any more: got files of another command"):
        make("one", meanwhile=lambda: make("other"))
    assert contents(folder) == {"a": "other"}
