"""Finding the latest run, where it stands, and damaged runs that are no other run's trouble."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from curation.api.runs import open_run
from curation.fixes import apply_fixes, plan_fixes
from curation.report import write_report
from curation.run.carry_over import carry_over
from curation.run.lookup import find_runs, unreadable_runs
from curation.run.status import status_of
from tests.cli.test_cli import assert_refused, done
from tests.support.runs import Place, compare, decided, run_rows


def test_the_latest_run_is_never_a_damaged_one_and_a_warning_names_those(place: Place) -> None:
    place(1)
    place(2)
    place(3).record_file.write_text("")
    result = done("status", "--json")
    assert json.loads(result.stdout)["run"] == "runs/demo/2"
    assert "runs/demo/3: run.json is damaged; this run is ignored" in result.stderr
    result = done("apply-fixes", "--accept-suggestions", "--min-confidence", 0, "--dry-run", "--json")
    assert json.loads(result.stdout)["run"] == "runs/demo/2"
    assert "runs/demo/3: run.json is damaged" in result.stderr
    assert "damaged" not in done("status", "--run", "runs/demo/1").stderr
    assert [str(run.folder) for run in find_runs()] == ["runs/demo/1", "runs/demo/2"]
    assert [str(run.folder) for run in unreadable_runs()] == ["runs/demo/3"]


def test_with_unreadable_runs_alone_the_error_names_them(place: Place, tmp_path: Path) -> None:
    place(1).record_file.write_text("{}}")
    assert_refused(
        tmp_path, "undo", match=r"no run here: got only runs that can't be read \(runs/demo/1: run.json is damaged"
    )


COMMANDS = ("status", "verify", "review", "apply-fixes", "undo", "retrain")


def test_a_run_is_named_by_whatever_people_try_first(place: Place, demo: Path) -> None:
    for number in (1, 2):
        place(number).update(started=f"2026-01-0{number}T00:00:00+00:00")
    for name, folder in {
        **{"runs/demo/1": "runs/demo/1", "demo/1": "runs/demo/1", "1": "runs/demo/1"},
        **{"demo": "runs/demo/2", f"{demo}/": "runs/demo/2"},
    }.items():
        for typed in ([name], ["--run", name]):
            assert json.loads(done("status", *typed, "--json").stdout)["run"] == folder, typed
        assert str(open_run(name).folder) == folder
    assert json.loads(done("apply-fixes", "demo/1", "--accept-suggestions", "--json").stdout)["run"] == "runs/demo/1"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_run_that_does_not_exist_is_one_line_that_names_those_that_do(command, place: Place, tmp_path: Path) -> None:
    place(1)
    for typed in (["shop"], ["--run", "shop"]):
        assert_refused(tmp_path, command, *typed, match=r"there is no run 'shop': got no shop/run.json; .*\(demo/1\)")
    assert_refused(tmp_path, command, "demo", "--run", "demo", match="--run has no effect with RUN")


def test_decisions_given_as_the_run_are_told_their_option(place: Place, tmp_path: Path) -> None:
    place(1)
    (tmp_path / "decisions.csv").write_text("id,decision\n")
    match = "Decisions in a table: curate apply-fixes --decisions decisions.csv"
    assert_refused(tmp_path, "apply-fixes", "decisions.csv", match=match)


def test_damaged_lines_of_a_journal_are_reported_wherever_its_decisions_are_used(place: Place) -> None:
    run = place(1)
    first, second = run.issues()["id"][:2]
    run.decide([decided(first, "keep"), decided(second, "delete")])
    with run.journal.open("a") as stream:
        stream.write("cut sh")
    holding = run.holding_decisions()
    assert list(holding.decisions) == [first, second]
    (line,) = holding.damaged
    assert "decisions.jsonl line 3 can't be read" in line
    with pytest.warns(UserWarning, match="decisions.jsonl line 3"):
        assert open_run(run.folder).decisions()["id"].tolist() == [first, second]
    assert "decisions.jsonl line 3" in write_report(run).read_text()
    assert run_rows()[0]["problems"] == ["1 line of decisions.jsonl can't be read"]
    other = place(2)
    other.journal.unlink(missing_ok=True)
    assert f"In {run.folder}: decisions.jsonl line 3" in str(carry_over(other))


def test_the_status_says_the_next_step_until_the_loop_is_done(place: Place) -> None:
    run = place(1)
    steps = [status_of(run).step]
    run.decide([decided(run.issues()["id"][0], "delete")])
    steps.append(status_of(run).step)
    apply_fixes(run, plan_fixes(run))
    steps.append(status_of(run).step)
    compare(run)
    steps.append(status_of(run).step)
    run.update(status="interrupted")
    steps.append(status_of(run).step)
    assert steps == ["review", "apply_fixes", "retrain", "done", "continue"]
