"""Every command that changes a run keeps the others off it, from its first read to its end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import curation
from curation import Run, RunInUseError
from curation.run.create import started_run
from curation.run.folder import RunFolder
from tests.cli.test_cli import curate, done
from tests.support.fixes import decided, labels, make_run
from tests.support.holders import holding
from tests.support.reporters import Listener
from training.utils.files import write_json

LATER: dict[str, Callable[[Run], object]] = {
    "apply_fixes": lambda run: run.apply_fixes(),
    "undo": lambda run: run.undo(),
    "retrain": lambda run: run.retrain(),
}


@pytest.fixture
def small(tmp_path: Path) -> RunFolder:
    """A small finished run with a decision and a cleaned dataset."""
    run = make_run(tmp_path)
    write_json(run.folder / "share.json", {})
    run.decide([decided("00", "relabel", "desk")])
    return run


@pytest.mark.parametrize("name", LATER)
def test_a_run_in_use_is_refused_in_one_line_that_says_whose_it_is_since_when(name: str, small: RunFolder) -> None:
    with holding(small, "retrain") as other:
        with pytest.raises(RunInUseError) as refused:
            LATER[name](Run(small.folder))
        line = str(refused.value)
    assert "\n" not in line
    assert f"is in use by `retrain()` (process {other.pid} of " in line
    assert " since 20" in line
    assert line.endswith("Wait for it with `wait=True`.")
    assert refused.value.exit_code == 2


def test_a_wait_that_ran_out_says_for_which_run_and_does_not_advise_to_wait(small: RunFolder) -> None:
    with holding(small, "retrain"):
        result = curate("undo", "--wait", "1", "--run", small.folder)
    assert result.exit_code == 2
    waits, refused = result.stderr.splitlines()
    assert waits.endswith(": waiting for at most 1 s. Ctrl-C stops the wait.")
    assert refused.startswith(f"Error: waited 1 s for {small.folder}: {small.folder} is in use by curate retrain (")
    assert refused.endswith(". Try again when it has ended, or wait longer.")


@pytest.mark.parametrize("time", ["=-1", "=soon", "=-0.5s", " -1"])
def test_what_is_no_time_to_wait_is_refused(time: str, small: RunFolder) -> None:
    result = curate("undo", *f"--wait{time}".split(), "--run", small.folder)
    assert result.exit_code == 2
    wanted = "wanted --wait=10m, 90s or 1h30m. --wait alone has no limit."
    assert result.stderr == f"Error: a duration can't be read: got {time[1:]!r}; {wanted}\n"


def test_commands_say_it_in_their_own_words(small: RunFolder) -> None:
    with holding(small, "apply_fixes"):
        for command in (["undo"], ["apply-fixes"], ["retrain", "--compare"]):
            result = curate(*command, "--run", small.folder)
            assert result.exit_code == 2
            assert result.stderr.count("\n") == 1
            assert "is in use by curate apply-fixes (process " in result.stderr
            assert result.stderr.endswith("Wait for it with --wait.\n")
        # nothing is changed by a look
        done("apply-fixes", "--dry-run", "--run", small.folder)
        done("status", "--run", small.folder)


def test_wait_says_for_whom_and_goes_on_when_the_other_ends(small: RunFolder) -> None:
    with holding(small, "retrain") as other:
        listener = Listener(say=lambda line: other.kill())
        Run(small.folder).apply_fixes(wait=True, reporter=listener)
    assert len(listener.lines) == 1
    assert f"is in use by `retrain()` (process {other.pid} of" in listener.lines[0]
    assert "waiting for it. Ctrl-C stops the wait" in listener.lines[0]
    assert labels(small)["00"] == "desk"


def test_a_run_that_is_being_made_is_waited_for_too(small: RunFolder) -> None:
    small.update(status="running")
    with holding(small, "find_issues"):
        for command in (["undo"], ["apply-fixes"], ["retrain", "--compare"], ["apply-fixes", "--wait", "0.2s"]):
            result = curate(*command, "--run", small.folder)
            assert result.exit_code == 2
            assert "is in use by curate find-issues" in result.stderr
        refused = curate("review", "--html", "--run", small.folder)
        assert refused.exit_code == 2
        assert refused.stderr.endswith("Try again when it has ended.\n")
    with holding(small, "find_issues") as other:

        def end(line: str) -> None:
            small.update(status="finished")
            other.kill()

        run = curation.open_run(small.folder, wait=True, reporter=Listener(say=end))
    assert run.folder == small.folder
    small.update(status="interrupted")
    assert "has not finished" in curate("undo", "--wait", "--run", small.folder).stderr


def test_a_wait_with_a_time_ends_with_the_refusal(small: RunFolder) -> None:
    with holding(small, "retrain"):
        for wait in (["--wait", "0.2s"], ["--wait=0"]):
            result = curate("undo", *wait, "--run", small.folder)
            assert result.exit_code == 2
            assert "is in use by curate retrain" in result.stderr


def test_wait_alone_may_stand_before_the_dataset_or_another_option(small: RunFolder) -> None:
    done("apply-fixes", "--wait", "--run", small.folder)
    result = curate("find-issues", "--wait", small.folder / "no-such-dataset")
    assert result.exit_code == 2
    assert "no-such-dataset" in result.stderr
    assert "--wait" not in result.stderr


def test_wait_takes_a_time_and_nothing_else(small: RunFolder) -> None:
    result = curate("undo", "--wait=soon", "--run", small.folder)
    assert result.exit_code == 2
    assert "a duration can't be read: got 'soon'" in result.stderr
    assert curate("undo", "--run", small.folder, "--wait", "1x").exit_code == 2
    assert "no effect" in curate("apply-fixes", "--run", small.folder, "--dry-run", "--wait").stderr


def start(name: str, folder: Path | None = None, **options: object) -> RunFolder:
    facts = {"dataset": {"name": name}, "settings": {}, "seed": 0}
    with started_run(name, folder, by="find_issues", command=[], facts=facts, **options) as run:  # type: ignore[arg-type]
        return run


def test_many_that_start_at_once_get_a_number_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runs: list[RunFolder] = []
    facts = {"dataset": {"name": "shop"}, "settings": {}, "seed": 0}
    ready, finish = threading.Barrier(6), threading.Barrier(6)

    def work() -> None:
        ready.wait()
        with started_run("shop", None, by="find_issues", command=[], facts=facts) as run:
            runs.append(run)
            finish.wait()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(run.folder.name for run in runs) == ["1", "2", "3", "4", "5", "6"]


def test_an_interrupted_run_is_continued_by_one_and_the_other_gets_the_next_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first = start("shop")
    listener = Listener()
    with holding(first, "find_issues"):
        assert start("shop", reporter=listener).folder.name == "2"
    assert "is in use by `find_issues()`" in listener.lines[0]
    assert "this run gets the next number" in listener.lines[0]
    assert start("shop").folder.name == "2"


def test_a_folder_of_other_things_gets_no_lock(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(curation.RunError, match="is not empty and not a run"):
        start("shop", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_folder_whose_command_was_killed_at_its_very_beginning_can_be_used(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    with holding(run, "find_issues") as other:
        other.kill()
    assert start("shop", tmp_path).record()["status"] == "running"


def test_a_folder_that_the_other_command_removes_as_it_ends_is_made_again(tmp_path: Path) -> None:
    folder, held, waiting = tmp_path / "run", threading.Event(), threading.Event()

    def mistaken() -> None:
        with started_run("shop", folder, by="train", command=[], facts={"settings": {}}) as run:
            held.set()
            waiting.wait()
            run.discard()

    other = threading.Thread(target=mistaken)
    other.start()
    held.wait()
    assert (
        start("shop", folder, wait=True, reporter=Listener(lambda line: waiting.set())).record()["status"] == "running"
    )
    other.join()


def test_find_issues_in_use_is_refused_before_anything_is_read_again(demo: Path, tmp_path: Path) -> None:
    listings = curation.read_listings(demo)
    guesses = np.random.default_rng(0).dirichlet(np.ones(len(listings.classes)), size=len(listings.table))
    run = RunFolder(tmp_path / "run")
    run.folder.mkdir()
    with holding(run, "find_issues"), pytest.raises(RunInUseError, match="or choose another `run`"):
        curation.find_issues(listings, probabilities=guesses, text=False, run=run.folder)
    assert [path.name for path in run.folder.iterdir()] == [".lock"]


@pytest.mark.parametrize("left", [".lock", ".run-a1234567.json", ".run.json-a1234567"])
def test_a_folder_whose_command_was_killed_as_it_began_is_as_good_as_new(left: str, tmp_path: Path) -> None:
    (tmp_path / left).touch()
    assert RunFolder(tmp_path).empty()
    (tmp_path / "run-a1234567.json").touch()
    assert not RunFolder(tmp_path).empty()
