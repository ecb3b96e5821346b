"""A colleague's run may hold links and pipes: none of them is read, written through or waited for."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from curation import Run, RunError, open_run
from curation.review.server.team import present
from curation.run.folder import RunFolder
from curation.run.overview import list_runs
from curation.run.plain import odd_entry
from tests.cli.test_cli import assert_refused, curate, done
from tests.support.fixes import files
from tests.support.tiny import tiny_run

#: Files and folders of a run that commands read or write, and what a link there leads to.
PLACES = (
    *("run.json", "decisions.jsonl", "listings.parquet", "issues.parquet", "issues.csv", "health.json", "report.html"),
    *("probabilities.npz", "comparison.json", "predictions.npz", ".lock", "log.txt", "problems.csv"),
    *("input/input.json", "input/0.parquet", "training/plan.json", "training/fold-0/checkpoint.pt"),
    *("cleaned/manifest.json", "cleaned/changes.csv", "versions/0001/manifest.json", ".reviews/opening"),
)
FOLDERS = ("input", "training", "cleaned", "versions", "versions/0001", ".reviews", "training/fold-0")
COMMANDS = (
    *(("status", "--run"), ("apply-fixes", "--run"), ("apply-fixes", "--accept-suggestions", "--run")),
    *(("undo", "--run"), ("retrain", "--compare", "--run"), ("review", "--html", "--run")),
    *(("runs", "diff"), ("review", "--run")),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = tiny_run(tmp_path_factory.mktemp("tiny"))
    run.apply_fixes(accept_suggestions=True)
    run.decide("L02", "delete", reviewer="ana")
    run.apply_fixes()
    return run


@pytest.fixture
def run(made: Run, tmp_path: Path) -> Run:
    shutil.copytree(made.folder, tmp_path / "run")
    return Run(tmp_path / "run")


@pytest.fixture
def secret(tmp_path: Path) -> Iterator[Path]:
    """A file of the person who opens the run, and a folder; neither may change."""
    (tmp_path / "own").mkdir()
    file = tmp_path / "own" / "secret"
    file.write_text("hush\n")
    yield file
    assert (file.read_text(), list(file.parent.iterdir())) == ("hush\n", [file])


def put(path: Path, make: Callable[[Path], object]) -> Path:
    """Put something to a path of a run, in place of what is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    make(path)
    return path


@pytest.mark.parametrize("place", PLACES)
def test_a_file_of_a_run_that_is_a_link_is_refused(place: str, run: Run, secret: Path) -> None:
    put(run.folder / place, lambda path: path.symlink_to(secret))
    before = files(run.folder)
    with pytest.raises(RunError, match=f"{place} is a link to .*secret, and a run holds files and folders of its own"):
        open_run(run.folder)
    with pytest.raises(RunError, match="is a link to"), RunFolder(run.folder).holding("apply_fixes"):
        pass
    assert [flaw.where for flaw in run.verify().faults] == ["."]
    assert files(run.folder) == before


@pytest.mark.parametrize("place", FOLDERS)
def test_a_folder_of_a_run_that_is_a_link_is_refused(place: str, run: Run, secret: Path) -> None:
    put(run.folder / place, lambda path: path.symlink_to(secret.parent))
    with pytest.raises(RunError, match=f"{place} is a link to .*own, and"):
        open_run(run.folder)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_command_reads_or_writes_through_a_link(
    command: tuple[str, ...], run: Run, secret: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(run.folder / "decisions.jsonl", lambda path: path.symlink_to(secret))
    monkeypatch.chdir(run.folder.parent)
    arguments = (*command, run.folder, *([run.folder] if "diff" in command else []))
    line = assert_refused(run.folder.parent, *arguments, match="decisions.jsonl is a link to .*in its place")
    assert "hush" not in line


def test_no_decision_is_made_in_a_run_with_links(run: Run, secret: Path) -> None:
    put(run.folder / "decisions.jsonl", lambda path: path.symlink_to(secret))
    with pytest.raises(RunError, match="is a link to"):
        run.decide("L03", "keep", reviewer="ana")


@pytest.mark.parametrize("place", ["decisions.jsonl", ".lock", "run.json", "cleaned/manifest.json"])
def test_a_pipe_in_a_run_is_refused_and_not_waited_for(place: str, run: Run) -> None:
    put(run.folder / place, os.mkfifo)
    for command in ("status", "undo"):
        result = curate(command, "--run", run.folder)
        assert (result.exit_code, f"{place} is a pipe, a socket or a device" in result.stderr) == (2, True)
    assert not run.verify().ok


def test_a_socket_in_a_run_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run.folder)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("odd")
        with pytest.raises(RunError, match="odd is a pipe, a socket or a device"):
            open_run(run.folder)


def test_a_run_with_links_is_a_row_of_its_own_and_keeps_no_other_from_being_shown(
    run: Run, secret: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(run.folder.parent)
    for number in ("1", "2"):
        shutil.copytree(run.folder, Path("runs/shop") / number)
    put(Path("runs/shop/1/issues.parquet"), lambda path: path.symlink_to(secret))
    rows = {row.run: row for row in list_runs()}
    assert rows["shop/1"].status == "unreadable"
    assert rows["shop/1"].problems == (f"issues.parquet is a link to {secret}",)
    assert (rows["shop/2"].status, rows["shop/2"].problems) == ("finished", ())
    assert "this run is ignored" in done("status").stderr


def test_a_run_that_lies_behind_a_link_is_opened_and_photos_of_its_datasets_may_be_links(
    run: Run, secret: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").symlink_to(run.folder)
    put(run.folder / "cleaned" / "photos" / "L05.png", lambda path: path.symlink_to(secret))
    assert open_run(tmp_path / "elsewhere").issues.shape[0] == 12
    assert odd_entry(run.folder) is None


def test_what_curate_itself_makes_in_a_run_is_plain(run: Run) -> None:
    with present(RunFolder(run.folder), "ana", 5151), RunFolder(run.folder).holding("apply_fixes"):
        assert odd_entry(run.folder) is None
    run.undo()
    run.apply_fixes(format="class-folders")
    assert open_run(run.folder).verify().ok


def test_a_folder_that_is_no_run_is_not_searched(tmp_path: Path, secret: Path) -> None:
    (tmp_path / "link").symlink_to(secret)
    with pytest.raises(RunError, match="there is no run"):
        open_run(tmp_path)
