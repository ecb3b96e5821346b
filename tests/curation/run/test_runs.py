"""`curate runs` and `curate runs diff`, on real runs; and that one damaged run is no other run's trouble."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from curation.api.runs import open_run
from curation.fixes import apply_fixes, plan_fixes
from curation.report import write_report
from curation.run.carry_over import carry_over
from curation.run.diff import diff_runs
from curation.run.folder import RunFolder
from curation.run.journal import Decision
from curation.run.lookup import find_runs, unreadable_runs
from curation.run.overview import group_runs, list_runs
from curation.run.status import status_of
from tests.cli.test_cli import ROOT, assert_refused, curate, done
from training.utils.files import read_json, write_json
from training.utils.units import now

Place = Callable[..., RunFolder]


@pytest.fixture
def place(finished: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Copy the finished run to runs/<dataset>/<number> of a new current folder."""
    monkeypatch.chdir(tmp_path)

    def copy(number: object, dataset: str = "demo", **record: Any) -> RunFolder:
        run = RunFolder(Path("runs") / dataset / str(number))
        shutil.copytree(finished.folder, run.folder, ignore=shutil.ignore_patterns("training", "*.html"))
        run.update(started=f"2026-03-{int(str(number)):02}T10:00:00.000+00:00", **record)
        return run

    return copy


def set_train(run: RunFolder, **changes: Any) -> None:
    settings = run.record()["settings"]
    run.update(settings={**settings, "train": {**settings["train"], **changes}})


def change_table(file: Path, id: str, **values: Any) -> None:
    """Change cells of one row of a Parquet file."""
    table = pd.read_parquet(file)
    for column, value in values.items():
        table.loc[table["id"] == id, column] = value
    table.to_parquet(file, index=False)


def said(id: str, action: str, new_label: str | None = None, source: str = "app") -> Decision:
    return Decision(id, action, new_label, "ana", now(), source)


def compare(run: RunFolder, before: float = 0.7, after: float = 0.75, **changes: Any) -> None:
    """Write a comparison as `retrain --compare` does."""
    scores = {"before": {"macro_f1": before}, "after": {"macro_f1": after}}
    difference = {"mean": round(after - before, 3), "low": 0.01, "high": 0.09}
    rest = {
        "difference": difference,
        "verdict": "helped",
        "test_listings": 24,
        "seeds": [3, 4],
        "model": "convnext_tiny",
    }
    write_json(run.comparison_file, {**scores, **rest, **changes})


def rows(*arguments: str) -> list[dict[str, Any]]:
    """Return the runs of all datasets, as `curate runs --json` shows them."""
    groups = json.loads(done("runs", *arguments, "--json").stdout)["datasets"]
    return [row for group in groups for row in group["runs"]]


def diff(*arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done("runs", "diff", *arguments, "--json").stdout)
    return found


# all runs


def test_runs_are_grouped_by_dataset_and_the_oldest_comes_first(place: Place) -> None:
    place(10)
    place(9)
    place(1, "shop")
    assert [row["run"] for row in rows()] == ["demo/9", "demo/10", "shop/1"]
    assert [row["run"] for row in rows("--dataset", "shop")] == ["shop/1"]


def test_a_row_says_what_was_found_decided_fixed_and_gained(place: Place) -> None:
    run = place(1)
    issues = run.issues()
    first, second, third = issues["id"][:3]
    other = next(name for name in run.classes if name != issues["given_label"][0])
    run.decide([said(first, "relabel", other), said(second, "delete"), said(third, "keep", source="suggestion")])
    apply_fixes(run, plan_fixes(run))
    compare(run)
    (row,) = rows()
    flags = issues.filter(regex="^is_.*_issue$").astype("boolean").fillna(False)
    assert row["listings"] == 120
    assert row["flagged"] == flags.any(axis=1).sum()
    assert row["issues"]["label"] == flags["is_label_issue"].sum() > 0
    assert row["decided"] == {"people": 2, "suggestions": 1}
    assert row["fixes"] == {"relabelled": 1, "deleted": 1}
    assert row["comparison"] == {
        **{"before": 0.7, "after": 0.75, "mean": 0.05, "low": 0.01, "high": 0.09},
        **{"verdict": "helped", "test_listings": 24, "seeds": 2, "model": "convnext_tiny"},
    }
    text = done("runs").stdout
    local = datetime.fromisoformat(run.record()["started"]).astimezone()
    for words in (f"{local:%Y-%m-%d %H:%M}", "0.700 → 0.750", "+0.050 (+0.010 to +0.090)", "helped", "near duplicate"):
        assert words in text


def test_only_settings_that_differ_have_a_column_and_the_others_are_said_once(place: Place) -> None:
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
    header = done("runs", "--dataset", "demo").stdout.splitlines()[1]
    assert re.search(r"image size +preset +label column", header)
    assert "seed" not in header


def test_a_kind_that_was_not_looked_for_differs_from_one_that_was_not_found(place: Place) -> None:
    for number, value in ((1, None), (2, False), (3, True)):
        run = place(number)
        table = run.issues()
        table["is_indirect_image_issue"] = pd.array([value] * len(table), dtype="boolean")
        table.to_parquet(run.issues_file, index=False)
    assert [row["issues"]["indirect_image"] for row in rows()] == [None, 0, 120]
    assert "– means: not checked" in done("runs").stdout


def test_what_was_killed_is_told_from_what_is_still_running(place: Place) -> None:
    place(1, status="running")
    run = place(2, status="running")
    held = os.open(run.folder, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    try:
        assert [row["status"] for row in rows()] == ["interrupted", "running"]
    finally:
        os.close(held)


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
    found = {row["run"]: row for row in rows()}
    assert len(found) == 6
    assert {found[f"demo/{number}"]["status"] for number in (1, 2, 3)} == {"unreadable"}
    assert found["demo/1"]["problems"] == ["run.json is damaged"]
    assert found["demo/3"]["problems"] == ["run.json has format 2"]
    for words in ("issues.parquet is damaged", "comparison.json is damaged", "1 line of decisions.jsonl"):
        assert any(words in problem for problem in found["demo/4"]["problems"])
    assert found["demo/5"]["problems"] == ["issues.parquet is missing"]
    assert found["demo/6"]["problems"] == []
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
    assert max(len(line) for line in lines if not line.startswith("The same")) <= 60
    assert sum(line.startswith("demo/1") for line in lines) >= 3
    assert any(line.startswith("demo/1  0.700 → 0.750") for line in lines)


def test_an_unreadable_run_makes_no_setting_differ(place: Place) -> None:
    place(1).record_file.write_text("")
    place(2)
    (group,) = group_runs(list_runs())
    assert group.differing == ()
    assert group.same["text"] is True


@pytest.mark.parametrize("format", [0, 2, "1", None])
def test_a_run_of_another_format_is_refused_and_the_format_is_named(
    format: object, place: Place, tmp_path: Path
) -> None:
    run = place(1)
    record = {name: value for name, value in run.record().items() if name != "format"}
    write_json(run.record_file, record if format is None else {**record, "format": format})
    got = "no format" if format is None else f"format {format!r}"
    match = f"runs/demo/1 is a run of another format: got {got}; wanted format 1. Run curate find-issues again"
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
    assert [row["run"] for row in rows("--dataset", "diff")] == ["diff/1", "diff/2"]
    assert diff("diff/1", "diff/2")["a"]["run"] == "diff/1"


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


# damaged runs and the latest one


def test_a_damaged_run_is_passed_over_where_the_latest_is_wanted_and_that_is_said(place: Place) -> None:
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


# damaged lines of a journal


def test_damaged_lines_of_a_journal_are_reported_wherever_its_decisions_are_used(place: Place) -> None:
    run = place(1)
    first, second = run.issues()["id"][:2]
    run.decide([said(first, "keep"), said(second, "delete")])
    with run.journal.open("a") as stream:
        stream.write("cut sh")
    holding = run.holding_decisions()
    assert list(holding.decisions) == [first, second]
    (line,) = holding.damaged
    assert "decisions.jsonl line 3 can't be read" in line
    with pytest.warns(UserWarning, match="decisions.jsonl line 3"):
        assert open_run(run.folder).decisions()["id"].tolist() == [first, second]
    assert "decisions.jsonl line 3" in write_report(run).read_text()
    assert rows()[0]["problems"] == ["1 line of decisions.jsonl can't be read"]
    other = place(2)
    other.journal.unlink(missing_ok=True)
    assert f"In {run.folder}: decisions.jsonl line 3" in str(carry_over(other))


# where a run stands


def test_the_status_says_the_next_step_until_the_loop_is_done(place: Place) -> None:
    run = place(1)
    steps = [status_of(run).step]
    run.decide([said(run.issues()["id"][0], "delete")])
    steps.append(status_of(run).step)
    apply_fixes(run, plan_fixes(run))
    steps.append(status_of(run).step)
    compare(run)
    steps.append(status_of(run).step)
    run.update(status="interrupted")
    steps.append(status_of(run).step)
    assert steps == ["review", "apply_fixes", "retrain", "done", "continue"]


def test_results_about_runs_become_json_markdown_and_html(place: Place) -> None:
    run, other = place(1), place(2)
    compare(run)
    (row, _), found = list_runs(), diff_runs(run, other)
    assert row.to_dict() == rows()[0]
    assert found.to_dict() == diff("1", "2")
    for result in (row, found, status_of(run), group_runs(list_runs())[0]):
        assert "demo/1" in result.to_markdown()
        assert "demo/1" in result._repr_html_()


# two runs


def test_equal_runs_differ_in_nothing(place: Place) -> None:
    place(1)
    place(2)
    found = diff("1", "2")
    assert found["settings"] == found["versions"] == found["suggestions"] == found["moved"] == found["decisions"] == []
    assert found["data"]["listings"] == {"a": 120, "b": 120, "both": 120}
    assert found["data"]["same_table"] is found["data"]["same_dataset"] is found["test_set"]["same"] is True
    assert all(row["only_a"] in (None, []) and row["a"] == row["b"] for row in found["issues"])
    text = done("runs", "diff", "1", "2").stdout
    assert "Settings and versions: the same" in text
    assert "Label scores: no change" in text


def test_settings_and_versions_that_differ_are_named(place: Place) -> None:
    a, b = place(1), place(2)
    set_train(b, preset="standard")
    b.update(versions={**a.record()["versions"], "torch": "9.9"})
    found = diff("1", "2")
    assert found["settings"] == [{"name": "preset", "a": "quick", "b": "standard"}]
    assert [(row["name"], row["b"]) for row in found["versions"]] == [("torch", "9.9")]
    assert "version of torch" in done("runs", "diff", "1", "2").stdout


def test_flags_suggestions_and_scores_are_joined_by_id_whatever_the_order(place: Place) -> None:
    a, b = place(1), place(2)
    issues = a.issues()
    flagged = issues.loc[issues["is_label_issue"].fillna(False), "id"].iloc[0]
    sound = issues.loc[~issues["is_label_issue"].fillna(False) & issues["label_score"].notna(), "id"].iloc[0]
    change_table(b.issues_file, flagged, is_label_issue=False, label_score=1.0, suggested_label=None)
    change_table(b.issues_file, sound, is_label_issue=True)
    b.issues().iloc[::-1].to_parquet(b.issues_file, index=False)
    b.listings().iloc[::-1].to_parquet(b.listings_file, index=False)
    found = diff("demo/1", "demo/2")
    label = next(row for row in found["issues"] if row["kind"] == "label")
    assert (label["only_a"], label["only_b"]) == ([flagged], [sound])
    assert label["a"] == label["both"] + 1 == label["b"]
    before = issues.set_index("id").loc[flagged]
    assert found["suggestions"] == [{"id": flagged, "a": before["suggested_label"], "b": None}]
    assert [row["id"] for row in found["moved"]] == [flagged]
    assert found["moved"][0]["label_score"] == {"a": pytest.approx(before["label_score"]), "b": 1.0}
    assert found["test_set"]["same"]


def test_what_differs_in_the_data_is_told_by_id(place: Place) -> None:
    place(1)
    b = place(2)
    listings = b.listings()
    gone, relabelled, photo = listings["id"][:3]
    other = next(name for name in b.classes if name != listings["label"][1])
    change_table(b.listings_file, relabelled, label=other)
    change_table(b.listings_file, photo, sha256="0" * 64)
    b.listings().iloc[1:].to_parquet(b.listings_file, index=False)
    b.issues().iloc[1:].to_parquet(b.issues_file, index=False)
    b.update(dataset={**b.record()["dataset"], "sha256": "another"})
    data = diff("1", "2")["data"]
    assert data["same_table"] is False
    assert (data["only_a"], data["only_b"], data["photos"]) == ([gone], [], [photo])
    assert data["labels"] == [{"id": relabelled, "a": listings["label"][1], "b": other}]
    text = done("runs", "diff", "1", "2").stdout
    assert f"119 in both, 1 ({gone}) only in A" in text
    assert f"1 ({relabelled}) with another label" in text


def test_decisions_and_fixes_that_differ_are_told(place: Place) -> None:
    a, b = place(1), place(2)
    first, second, third = a.issues()["id"][:3]
    a.decide([said(first, "delete"), said(second, "keep"), said(third, "delete")])
    b.decide([said(first, "delete"), said(second, "delete")])
    for run in (a, b):
        apply_fixes(run, plan_fixes(run))
    found = diff("1", "2")
    delete, keep = ({"action": action, "new_label": None} for action in ("delete", "keep"))
    assert found["decisions"] == [{"id": second, "a": keep, "b": delete}, {"id": third, "a": delete, "b": None}]
    assert found["fixes"] == {"same": 1, "different": [], "only_a": [third], "only_b": [second]}


def test_macro_f1_is_comparable_only_on_one_test_set(place: Place) -> None:
    a, b = place(1), place(2)
    assert diff("1", "2")["test_set"]["why"] == "no comparison in demo/1 and demo/2"
    compare(a)
    compare(b, after=0.8)
    found = diff("1", "2")
    assert found["test_set"]["comparable"]
    assert (found["a"]["comparison"]["after"], found["b"]["comparison"]["after"]) == (0.75, 0.8)
    assert "can be compared" in done("runs", "diff", "1", "2").stdout
    compare(a, model="linear models")
    compare(b, model="resnet18, 12 epochs")
    assert "the models differ: linear models in A, resnet18, 12 epochs in B" in done("runs", "diff", "1", "2").stdout
    listings = b.listings()
    judged = listings["unreadable"].isna() & listings["label"].notna()
    test = listings.loc[judged & (listings["split"] == "test"), "id"].iloc[0]
    change_table(b.listings_file, test, split="train")
    found = diff("1", "2")["test_set"]
    assert (found["same"], found["comparable"]) == (False, False)
    assert found["listings"]["a"] == found["listings"]["b"] + 1
    assert "can't be compared: their test sets differ" in done("runs", "diff", "1", "2").stdout


def test_runs_of_two_datasets_are_compared_by_the_ids_they_share(place: Place) -> None:
    place(1)
    b = place(2, "shop")
    b.update(dataset={**b.record()["dataset"], "name": "shop"})
    found = diff("demo/1", "shop/2")
    assert found["data"]["same_dataset"] is False
    assert "different datasets: compared by the 120 ids" in done("runs", "diff", "demo/1", "shop/2").stdout


def test_runs_that_share_no_id_are_refused(place: Place, tmp_path: Path) -> None:
    place(1)
    b = place(2)
    for file in (b.issues_file, b.listings_file):
        table = pd.read_parquet(file)
        table["id"] = "x" + table["id"]
        table.to_parquet(file, index=False)
    assert_refused(tmp_path, "runs", "diff", "1", "2", match="no id in common: got ids like .* and like x.*; wanted")


def test_runs_are_named_by_number_of_the_latest_dataset_by_dataset_or_by_folder(place: Place, tmp_path: Path) -> None:
    place(1)
    place(1, "shop")
    place(2, "shop")
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree("runs/shop/1", elsewhere)
    shutil.copytree("runs/shop/1", "runs/1")
    assert diff("1", "2")["a"]["folder"] == "runs/shop/1"
    assert diff("demo/1", "2")["a"]["folder"] == "runs/demo/1"
    assert diff("./elsewhere", str(tmp_path / "runs" / "demo" / "1"))["a"]["run"] == "elsewhere"


def test_a_run_that_is_not_there_or_not_finished_is_an_error(place: Place, tmp_path: Path) -> None:
    run = place(1)
    assert_refused(tmp_path, "runs", "diff", "1", "4", match=r"no run '4': got no runs/demo/4/run.json; .*demo/1")
    assert_refused(tmp_path, "runs", "diff", "1", "dmo/1", match=r"no run 'dmo/1'.*See them all with curate runs")
    assert_refused(tmp_path, "runs", "diff", "1", "demo/1", match="both are the same run")
    place(2, status="interrupted")
    assert_refused(tmp_path, "runs", "diff", "1", "2", match="has not finished")
    place(3).issues_file.write_bytes(b"PAR1")
    assert_refused(tmp_path, "runs", "diff", "1", "3", match=r"runs/demo/3/issues.parquet can't be read")
    run.record_file.write_text("")
    assert_refused(tmp_path, "runs", "diff", "1", "3", match=r"runs/demo/1/run.json is damaged")


def test_a_run_of_an_earlier_version_is_compared_by_what_it_has(place: Place) -> None:
    a = place(1)
    place(2)
    a.issues().drop(columns=["is_outlier_issue", "outlier_score"]).to_parquet(a.issues_file, index=False)
    a.listings().drop(columns="sha256").to_parquet(a.listings_file, index=False)
    found = diff_runs(RunFolder(Path("runs/demo/1")), RunFolder(Path("runs/demo/2")))
    outlier = next(row for row in found.issues if row["kind"] == "outlier")
    assert outlier["a"] is outlier["only_a"] is outlier["only_b"] is None
    assert outlier["b"] is not None
    assert "– means: not checked" in done("runs", "diff", "1", "2", "--markdown").stdout


def test_nothing_is_written(place: Place, tmp_path: Path) -> None:
    place(1)
    place(2)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    for arguments in (["runs"], ["runs", "diff", "1", "2"], ["runs", "diff", "1", "2", "--markdown"]):
        assert curate(*arguments).exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    assert read_json(Path("runs/demo/1/run.json"))["status"] == "finished"
