"""`curate runs`: all runs side by side, on real runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest

from curation.find import FindSettings
from curation.fixes import apply_fixes, plan_fixes
from curation.run.flags import flags_by_kind
from curation.run.overview import group_runs, list_runs
from tests.cli.test_cli import ROOT, assert_refused, done
from tests.support.runs import Place, compare, decided, run_diff, run_rows, set_train
from training.utils.files import write_json


def test_runs_are_grouped_by_dataset_and_the_oldest_comes_first(place: Place) -> None:
    place(10)
    place(9)
    place(1, "shop")
    assert [row["run"] for row in run_rows()] == ["demo/9", "demo/10", "shop/1"]
    assert [row["run"] for row in run_rows("--dataset", "shop")] == ["shop/1"]


def test_a_row_has_flags_decisions_fixes_and_the_gain(place: Place) -> None:
    run = place(1)
    issues = run.issues()
    first, second, third = issues["id"][:3]
    other = next(name for name in run.classes if name != issues["given_label"][0])
    run.decide(
        [decided(first, "relabel", other), decided(second, "delete"), decided(third, "keep", source="suggestion")]
    )
    apply_fixes(run, plan_fixes(run))
    compare(run)
    (row,) = run_rows()
    flags = issues[list(flags_by_kind(issues.columns).values())].astype("boolean").fillna(False)
    assert row["listings"] == 120
    assert row["flagged"] == flags.any(axis=1).sum()
    assert row["issues"]["label"] == flags["is_label_issue"].sum() > 0
    assert row["decided"] == {"people": 2, "suggestions": 1}
    assert row["fixes"] == {"relabelled": 1, "deleted": 1, "repriced": 0}
    assert row["comparison"] == {
        **{"before": 0.7, "after": 0.75, "mean": 0.05, "low": 0.01, "high": 0.09},
        **{"verdict": "helped", "test_listings": 24, "seeds": 2, "model": "convnext_tiny"},
    }
    text = done("runs").stdout
    local = datetime.fromisoformat(run.record()["started"]).astimezone()
    for words in (f"{local:%Y-%m-%d %H:%M}", "0.700 → 0.750", "+0.050 (+0.010 to +0.090)", "helped", "near duplicate"):
        assert words in text


def test_the_settings_that_differ_are_shown_and_no_others(place: Place) -> None:
    place(1)
    set_train(place(2, image_size=48), preset="standard")
    columns = {"label": "category"}
    third = place(3)
    third.update(dataset={**third.record()["dataset"], "columns": columns})
    place(1, "shop")
    demo, shop = group_runs(list_runs())
    assert set(demo.differing) == {"preset", "image_size", "label_column"}
    assert "preset" not in demo.same
    assert (demo.same["seed"], demo.same["folds"]) == (3, 3)
    assert shop.differing == ()
    text = done("runs", "--dataset", "demo").stdout
    assert "seed" not in text
    assert "same in all" not in text
    header = text.splitlines()[1]
    assert re.search(r"image size +preset +label column", header)


def test_whether_weights_were_used_is_shown_and_not_whether_they_were_asked_for(place: Place) -> None:
    first = place(1)
    first.update(pretrained=True)
    place(2).update(pretrained=False)
    (group,) = group_runs(list_runs())
    assert group.differing == ("pretrained",)
    first.update(pretrained=False)
    assert "pretrained" not in done("runs").stdout


def test_a_setting_that_a_run_does_not_have_counts_as_its_default(place: Place) -> None:
    place(1)
    second = place(2)
    second.update(settings={**second.record()["settings"], "flags": "cleanlab"})
    (group,) = group_runs(list_runs())
    assert group.differing == ("flags",)
    assert [row.settings["flags"] for row in group.runs] == [FindSettings().flags, "cleanlab"]
    assert group.same["titles"] == FindSettings().titles
    assert re.search(r"status +flags", done("runs").stdout)


def test_a_kind_that_was_not_checked_differs_from_one_without_flags(place: Place) -> None:
    for number, value in ((1, None), (2, False), (3, True)):
        run = place(number)
        table = run.issues()
        table["is_indirect_image_issue"] = pd.array([value] * len(table), dtype="boolean")
        table.to_parquet(run.issues_file, index=False)
    assert [row["issues"]["indirect_image"] for row in run_rows()] == [None, 0, 120]
    assert "– means: not checked" in done("runs").stdout


def test_a_killed_run_is_interrupted_and_a_busy_one_is_running(place: Place) -> None:
    place(1, status="running")
    run = place(2, status="running")
    with run.holding("find_issues"):
        assert [row["status"] for row in run_rows()] == ["interrupted", "running"]


def test_damaged_runs_and_those_of_another_format_are_rows_that_say_so(place: Place) -> None:
    place(1).record_file.write_text('{"status": "fin')
    place(2).record_file.write_text("[1]")
    three = place(3)
    write_json(three.record_file, {**three.record(), "format": 2})
    run = place(4)
    run.issues_file.write_bytes(b"PAR1 no more")
    run.comparison_file.write_text("{")
    run.journal.write_text("no json\n")
    place(5).issues_file.unlink()
    place(6)
    by_run = {row["run"]: row for row in run_rows()}
    assert len(by_run) == 6
    assert {by_run[f"demo/{number}"]["status"] for number in (1, 2, 3)} == {"unreadable"}
    assert by_run["demo/1"]["problems"] == ["run.json is damaged"]
    assert by_run["demo/3"]["problems"] == ["run.json has format 2"]
    for words in ("issues.parquet is damaged", "comparison.json is damaged", "1 line of decisions.jsonl"):
        assert any(words in problem for problem in by_run["demo/4"]["problems"])
    assert by_run["demo/5"]["problems"] == ["issues.parquet is missing"]
    assert by_run["demo/6"]["problems"] == []
    text = done("runs").stdout
    assert "demo/1: run.json is damaged" in text
    assert "demo/3: run.json has format 2" in text


def test_runs_as_markdown_are_tables_whatever_names_hold(place: Place) -> None:
    place(1)
    set_train(place(2), model="a|b*c")
    lines = done("runs", "--markdown").stdout.splitlines()
    assert lines[0] == "### demo: 2 runs"
    table = [line for line in lines if line.startswith("|")]
    assert all(line.endswith("|") for line in table)
    overview = table[:4]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in overview}) == 1
    assert r"a\|b\*c" in overview[3]


def test_a_table_that_is_wider_than_the_terminal_goes_on_below_itself(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    compare(place(1))
    monkeypatch.setattr("curation.cli.sections.table_width", lambda: 60)
    lines = done("runs").stdout.splitlines()
    assert max(len(line) for line in lines) <= 60
    assert sum(line.startswith("demo/1") for line in lines) >= 3
    assert any(line.startswith("demo/1  0.700 → 0.750") for line in lines)


def test_an_unreadable_run_makes_no_setting_differ(place: Place) -> None:
    place(1).record_file.write_text("")
    place(2)
    (group,) = group_runs(list_runs())
    assert group.differing == ()
    assert group.same["text"] is True


@pytest.mark.parametrize("format", [0, 2, "1", 1.0, True, None])
def test_a_run_of_another_format_is_refused_and_the_format_is_named(
    format: object, place: Place, tmp_path: Path
) -> None:
    run = place(1)
    record = {name: value for name, value in run.record().items() if name != "format"}
    write_json(run.record_file, record if format is None else {**record, "format": format})
    got = "no format" if format is None else f"format {format!r}"
    match = f"runs/demo/1 is a run of another format: got {got}; wanted format 1. Run curate find-issues again"
    if format == 2:
        match = f"runs/demo/1 was written by a newer version of curate: got {got}; wanted format 1. Open it with that"
    for command in ("status", "apply-fixes", "undo", "retrain", "review"):
        assert_refused(tmp_path, command, "--run", "runs/demo/1", match=match)
    assert_refused(tmp_path, "runs", "diff", "runs/demo/1", "runs/demo/1", match=match)


def test_no_run_or_no_such_dataset_is_an_error(place: Place, tmp_path: Path) -> None:
    assert_refused(tmp_path, "runs", match="there is no run below runs/.*curate find-issues DATASET")
    place(1)
    assert_refused(tmp_path, "runs", "--dataset", "dmeo", match="'dmeo'.*wanted demo. Did you mean 'demo'")
    assert_refused(tmp_path, "runs", "demo", match="got demo; wanted diff.*curate runs --dataset demo")
    assert_refused(tmp_path, "runs", "--json", "--markdown", match="no effect")
    assert_refused(tmp_path, "runs", "--json", "diff", "1", "2", match="curate runs diff A B --json")
    assert_refused(tmp_path, "runs", "--dataset", "demo", "diff", "1", "2", match="curate runs diff demo/1 demo/2")


def test_a_dataset_called_diff_can_be_shown(place: Place) -> None:
    place(1, "diff")
    place(2, "diff")
    assert [row["run"] for row in run_rows("--dataset", "diff")] == ["diff/1", "diff/2"]
    assert run_diff("diff/1", "diff/2")["a"]["run"] == "diff/1"


def test_runs_loads_nothing_heavy(place: Place) -> None:
    place(1)
    place(2)
    code = "import sys\nfrom curation.cli import main\nmain(sys.argv[1:], standalone_mode=False)\n"
    code += "heavy = {'torch', 'fiftyone', 'cleanlab', 'sklearn', 'matplotlib'} & set(sys.modules)\n"
    code += "sys.exit(f'imported {heavy}' if heavy else 0)"
    here = {**os.environ, "PYTHONPATH": str(ROOT)}
    for arguments in (["runs"], ["runs", "diff", "1", "2"]):
        command = [sys.executable, "-c", code, *arguments]
        ended = subprocess.run(command, env=here, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr
