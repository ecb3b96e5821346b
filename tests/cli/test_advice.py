"""Commands that curate advises are about the run that they follow, typed as they are printed."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from curation.cli.advice import advised
from curation.run.folder import RunFolder
from tests.cli.test_cli import curate, done
from tests.support.fixes import decided, make_run
from tests.support.holders import holding


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[RunFolder]:
    """Two runs of a dataset with a blank in its name; each has a decision."""
    monkeypatch.chdir(tmp_path)
    made = make_run(tmp_path / "made")
    made.decide([decided("00", "relabel", "desk")])
    folders = [RunFolder(Path("runs/my shop") / number) for number in ("1", "2")]
    for day, run in enumerate(folders, start=1):
        shutil.copytree(made.folder, run.folder)
        run.update(started=f"2026-03-0{day}T10:00:00.000+00:00")
    return folders


def commands(output: str) -> list[list[str]]:
    return [shlex.split(each) for each in re.findall(r"curate [^\n()]*?(?=   |\)|\n|$)", output)]


def test_what_is_advised_after_a_run_that_is_not_the_latest_changes_that_run(runs: list[RunFolder]) -> None:
    first, latest = runs
    done("apply-fixes")
    output = done("apply-fixes", "1").stdout
    compare, undo = commands(output)
    assert compare == ["curate", "retrain", "--run", "runs/my shop/1", "--compare"]
    assert undo == ["curate", "undo", "--run", "runs/my shop/1"]
    assert "The last apply-fixes of runs/my shop/1 is undone" in done(*undo[1:]).stdout
    assert latest.cleaned.exists()
    assert not first.cleaned.exists()


def test_the_latest_run_needs_no_name(runs: list[RunFolder]) -> None:
    assert "Next: curate retrain --compare   (or: curate undo)\n" in done("apply-fixes", "my shop/2").stdout
    assert "of runs/my shop/2 is undone" in done("undo").stdout
    assert advised("`undo()`", runs[1].folder.resolve()) == "curate undo"


def test_status_verify_warnings_and_errors_name_the_run(runs: list[RunFolder]) -> None:
    named = "--run 'runs/my shop/1'"
    assert f"next: curate apply-fixes {named}\n" in done("status", "1").stdout
    assert json.loads(done("status", "1", "--json").stdout)["next"] == f"curate apply-fixes {named}"
    assert f"curate status {named} shows what was done" in curate("undo", "1").stderr
    assert "curate status shows what was done" in curate("undo").stderr
    done("apply-fixes", "1")
    shutil.rmtree(runs[0].cleaned)
    assert f"Write it again with curate apply-fixes {named}." in curate("verify", "1").stdout


def test_a_command_that_works_on_the_run_is_not_advised(runs: list[RunFolder]) -> None:
    with holding(runs[0], "apply_fixes"):
        said = curate("undo", "1").stderr
    assert "runs/my shop/1 is in use by curate apply-fixes (process " in said


def test_a_run_elsewhere_is_named(runs: list[RunFolder], tmp_path: Path) -> None:
    runs[0].folder.rename(tmp_path / "elsewhere")
    assert f"curate undo --run {tmp_path}/elsewhere)" in done("apply-fixes", tmp_path / "elsewhere").stdout


def test_a_command_that_names_a_run_or_is_about_none_stays(runs: list[RunFolder]) -> None:
    for quoted, typed in (("runs()", "curate runs"), ("find_issues(listings)", "curate find-issues DATASET")):
        assert advised(f"`{quoted}`", runs[0].folder) == typed
    assert advised("`status('a/1')`", runs[0].folder) == "curate status a/1"
