"""A finished run is copied to a bucket and back, whole or not at all, and no decision is lost."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

import curation
from curation import InputError, Run, RunError
from curation.copying.place import Place
from curation.remote.bounds import Patience
from tests.cli.test_cli import curate
from tests.support.tiny import IDS, tiny_run

URL = "memory://bucket/runs/1"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return tiny_run(tmp_path)


@pytest.fixture(autouse=True)
def memory() -> Iterator[MemoryFileSystem]:
    """Empty what fsspec keeps in memory, where it stands for a bucket."""
    files = fsspec.filesystem("memory")
    files.store.clear()
    files.pseudo_dirs[:] = [""]
    yield files
    files.store.clear()


def content_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder, and says nothing."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serve_folder(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def manifest(files: MemoryFileSystem) -> dict[str, object]:
    told: dict[str, object] = json.loads(files.cat_file("/bucket/runs/1/copy.json"))
    return told


def test_a_run_comes_back_as_it_was_to_the_last_byte(run: Run, tmp_path: Path) -> None:
    run.decide(IDS[0], "delete")
    run.apply_fixes()
    sent = curation.copy_run(run.folder, URL)
    back = curation.copy_run(URL, tmp_path / "back")
    assert content_of(tmp_path / "back") == content_of(run.folder)
    assert (sent.files, sent.copied_files) == (len(content_of(run.folder)),) * 2
    assert (back.copied_bytes, back.journal_lines) == (sent.bytes, sent.journal_lines)
    assert curation.open_run(tmp_path / "back").verify().ok


def test_only_what_has_changed_is_sent_again(run: Run, memory: MemoryFileSystem) -> None:
    curation.copy_run(run.folder, URL)
    assert curation.copy_run(run.folder, URL).copied_files == 0
    run.decide(IDS[0], "delete")
    again = curation.copy_run(run.folder, URL)
    assert (again.copied_files, again.journal_lines) == (1, 1)
    run.apply_fixes()
    curation.copy_run(run.folder, URL)
    assert memory.exists("/bucket/runs/1/cleaned/manifest.json")
    run.undo()
    curation.copy_run(run.folder, URL)
    assert not memory.exists("/bucket/runs/1/cleaned/manifest.json")


def test_decisions_that_were_made_on_a_copy_come_back_and_are_never_replaced(run: Run, tmp_path: Path) -> None:
    curation.copy_run(run.folder, URL)
    curation.copy_run(URL, tmp_path / "theirs")
    theirs = curation.open_run(tmp_path / "theirs")
    theirs.decide(IDS[1], "delete")
    assert curation.copy_run(theirs.folder, URL).journal_lines == 1
    for decided in (False, True):
        if decided:
            run.decide(IDS[2], "delete")
        with pytest.raises(RunError, match="has decisions that the run here lacks: got a journal with 1 line"):
            curation.copy_run(run.folder, URL)
    curation.copy_run(URL, tmp_path / "ours")
    ours = curation.open_run(tmp_path / "ours")
    assert ours.decisions()["id"].tolist() == [IDS[1]]
    # as the message advises
    run.apply_fixes()
    ours.apply_fixes(decisions=run.folder / "cleaned" / "changes.csv")
    assert sorted(ours.decisions()["id"]) == [IDS[1], IDS[2]]


def test_a_copy_that_was_cut_says_so_and_goes_on_with_what_is_there(
    run: Run, tmp_path: Path, memory: MemoryFileSystem
) -> None:
    class Impatient:
        def say(self, line: str) -> None:
            pass

        @contextmanager
        def bar(self, what: str) -> Iterator[object]:
            def progress(done: int, total: int) -> None:
                if done == 3:
                    raise KeyboardInterrupt

            yield progress

    with pytest.raises(KeyboardInterrupt):
        curation.copy_run(run.folder, URL, reporter=Impatient())
    assert manifest(memory)["whole"] is False
    with pytest.raises(RunError, match="is not whole: got one that is being made, or was cut"):
        curation.copy_run(URL, tmp_path / "back")
    assert not (tmp_path / "back").exists()
    # what it says to be there is not sent again
    held = {"health.json": content_of(run.folder)["health.json"]}
    known = {name: {"size": len(each), "sha256": hashlib.sha256(each).hexdigest()} for name, each in held.items()}
    memory.pipe_file("/bucket/runs/1/health.json", held["health.json"])
    memory.pipe_file("/bucket/runs/1/copy.json", json.dumps({**manifest(memory), "files": known}).encode())
    whole = curation.copy_run(run.folder, URL)
    assert whole.copied_files == whole.files - 1
    curation.copy_run(URL, tmp_path / "back")
    assert content_of(tmp_path / "back") == content_of(run.folder)


def test_a_damaged_copy_is_refused_and_nothing_of_it_stays(run: Run, tmp_path: Path, memory: MemoryFileSystem) -> None:
    curation.copy_run(run.folder, URL)
    sound = memory.cat_file("/bucket/runs/1/health.json")
    for damaged in (sound[:-1], b"x" * len(sound)):
        memory.pipe_file("/bucket/runs/1/health.json", damaged)
        with pytest.raises(RunError, match=r"'health.json' of the copy is another file than it should be"):
            curation.copy_run(URL, tmp_path / "back")
    memory.rm_file("/bucket/runs/1/health.json")
    with pytest.raises(RunError, match="got a URL that does not exist"):
        curation.copy_run(URL, tmp_path / "back")
    assert not (tmp_path / "back").exists()
    assert not list(tmp_path.glob(".back*"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"files": {"../run.json": {"size": 1, "sha256": "0" * 64}}}, "is damaged"),
        ({"files": {"/etc/cron.d/x": {"size": 1, "sha256": "0" * 64}}}, "is damaged"),
        ({"files": {"a\\..\\..\\x": {"size": 1, "sha256": "0" * 64}}}, "is damaged"),
        ({"files": {".lock": {"size": 1, "sha256": "0" * 64}}}, "is damaged"),
        ({"files": {"run.json": {"size": -1, "sha256": "0" * 64}}}, "is damaged"),
        ({"files": {"run.json": {"size": 1, "sha256": "0" * 63}}}, "is damaged"),
        ({"files": {"health.json": {"size": 1, "sha256": "0" * 64}}}, "is damaged"),
        ({"files": {}}, "is damaged"),
        ({"files": []}, "is damaged"),
        ({"whole": "yes"}, "is damaged"),
        ({"format": 2}, "was made by a later version of curate: got format 2; wanted format 1"),
    ],
)
def test_a_manifest_that_somebody_else_wrote_can_do_no_harm(
    change: dict[str, object], said: str, run: Run, tmp_path: Path, memory: MemoryFileSystem
) -> None:
    curation.copy_run(run.folder, URL)
    memory.pipe_file("/bucket/runs/1/copy.json", json.dumps({**manifest(memory), **change}).encode())
    with pytest.raises(RunError, match=said):
        curation.copy_run(URL, tmp_path / "inside" / "back")
    assert not (tmp_path / "inside" / "back").exists()
    assert not (tmp_path / "inside" / "run.json").exists()


def test_what_else_is_at_the_target_is_left_alone(run: Run, tmp_path: Path, memory: MemoryFileSystem) -> None:
    memory.pipe_file("/bucket/runs/1/mine.txt", b"mine")
    with pytest.raises(InputError, match=r"is not empty: got files, and no copy.json"):
        curation.copy_run(run.folder, URL)
    assert memory.find("/bucket") == ["/bucket/runs/1/mine.txt"]
    other = tiny_run(tmp_path / "other")
    curation.copy_run(other.folder, "memory://bucket/runs/2")
    with pytest.raises(InputError, match="holds a copy of another run"):
        curation.copy_run(run.folder, "memory://bucket/runs/2")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="is not empty"):
        curation.copy_run("memory://bucket/runs/2", tmp_path / "full")
    assert (tmp_path / "full" / "mine.txt").read_text() == "mine"


def test_a_run_on_which_another_command_works_is_refused(run: Run) -> None:
    from curation.run.folder import RunFolder

    with RunFolder(run.folder).holding("apply_fixes"), pytest.raises(curation.RunInUseError):
        curation.copy_run(run.folder, URL)


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ("run", "copy", "copies to or from a URL"),
        (URL, "memory://bucket/runs/2", "copies to or from a URL"),
        ("run", "https://shop.com/run", "nothing can be written to https://shop.com/run"),
        ("run", "memory://", "got no server or bucket"),
        ("run", "memory://bucket/a?b=c", "got one with a query"),
        ("run", "memory://bucket/../a", "goes up in its path"),
        ("run", "nothing://bucket/a", "is no protocol of fsspec"),
        ("no-run", URL, "there is no run"),
        (URL, "back", "has no copy of a run: got no copy.json"),
    ],
)
def test_what_can_not_be_copied_is_told_on_the_command_line(
    source: str, target: str, said: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refused = curate("copy-run", source, target)
    assert refused.exit_code == 2
    assert said in refused.stderr


def test_a_password_in_a_url_is_never_shown(run: Run) -> None:
    with pytest.raises(InputError) as refused:
        curation.copy_run(run.folder, "memory://me:secret@bucket/run")
    assert "secret" not in str(refused.value)


def test_a_copy_is_fetched_from_a_web_server_too(run: Run, tmp_path: Path, memory: MemoryFileSystem) -> None:
    curation.copy_run(run.folder, URL)
    memory.get("/bucket/runs/1", str(tmp_path / "site"), recursive=True)
    with serve_folder(tmp_path / "site") as address:
        curation.copy_run(address, tmp_path / "back")
        (tmp_path / "site" / "copy.json").unlink()
        with pytest.raises(RunError, match=r"got no copy.json"):
            curation.copy_run(address, tmp_path / "again")
    assert content_of(tmp_path / "back") == content_of(run.folder)


def test_the_command_says_what_was_copied(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    sent = curate("copy-run", "run", URL)
    assert sent.exit_code == 0, sent.output
    files = len(content_of(run.folder))
    assert f"{URL} has {files} files and 0 lines of the journal." in sent.stdout
    assert f"{URL} was up to date ({files} files" in curate("copy-run", "run", URL).stdout
    told = json.loads(curate("copy-run", URL, "back", "--json").stdout)
    assert (told["files"], told["copied_files"], told["target"]) == (files, files, "back")


def test_a_server_that_refuses_is_told_and_one_that_fails_for_a_moment_is_asked_again(
    run: Run, monkeypatch: pytest.MonkeyPatch, memory: MemoryFileSystem
) -> None:
    before = MemoryFileSystem.put_file
    failed: list[str] = []

    def put_file(self: MemoryFileSystem, lpath: str, rpath: str, **options: object) -> None:
        if rpath not in failed:
            failed.append(rpath)
            raise ConnectionResetError
        before(self, lpath, rpath, **options)

    monkeypatch.setattr(MemoryFileSystem, "put_file", put_file)
    place = Place(URL, Patience(pause=0.001))
    place.write("copy.json", b"{}")
    assert memory.cat_file("/bucket/runs/1/copy.json") == b"{}"

    def refuse(self: MemoryFileSystem, lpath: str, rpath: str, **options: object) -> None:
        raise PermissionError

    monkeypatch.setattr(MemoryFileSystem, "put_file", refuse)
    with pytest.raises(RunError, match=r"can't be written to: got a URL that is refused: no permission. Check the URL"):
        curation.copy_run(run.folder, "memory://bucket/runs/2")
