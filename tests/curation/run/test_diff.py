"""`curate runs diff`, on real runs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from curation.fixes import apply_fixes, plan_fixes
from curation.run.diff import diff_runs
from curation.run.folder import RunFolder
from curation.run.overview import group_runs, list_runs
from curation.run.status import status_of
from tests.cli.test_cli import assert_refused, curate, done
from tests.support.runs import Place, change_table, compare, decided, run_diff, run_rows, set_train
from training.utils.files import read_json


def test_equal_runs_differ_in_nothing(place: Place) -> None:
    place(1)
    place(2)
    differences = run_diff("1", "2")
    assert (
        differences["settings"]
        == differences["versions"]
        == differences["suggestions"]
        == differences["moved"]
        == differences["decisions"]
        == []
    )
    assert differences["data"]["listings"] == {"a": 120, "b": 120, "both": 120}
    assert (
        differences["data"]["same_table"]
        is differences["data"]["same_dataset"]
        is differences["test_set"]["same"]
        is True
    )
    assert all(row["only_a"] in (None, []) and row["a"] == row["b"] for row in differences["issues"])
    text = done("runs", "diff", "1", "2").stdout
    assert "Settings and versions: the same" in text
    assert "Label scores: no change" in text


def test_settings_and_versions_that_differ_are_named(place: Place) -> None:
    a, b = place(1), place(2)
    set_train(b, preset="standard")
    b.update(versions={**a.record()["versions"], "torch": "9.9"})
    differences = run_diff("1", "2")
    assert differences["settings"] == [{"name": "preset", "a": "quick", "b": "standard"}]
    assert [(row["name"], row["b"]) for row in differences["versions"]] == [("torch", "9.9")]
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
    differences = run_diff("demo/1", "demo/2")
    label = next(row for row in differences["issues"] if row["kind"] == "label")
    assert (label["only_a"], label["only_b"]) == ([flagged], [sound])
    assert label["a"] == label["both"] + 1 == label["b"]
    before = issues.set_index("id").loc[flagged]
    assert differences["suggestions"] == [{"id": flagged, "a": before["suggested_label"], "b": None}]
    assert [row["id"] for row in differences["moved"]] == [flagged]
    assert differences["moved"][0]["label_score"] == {"a": pytest.approx(before["label_score"]), "b": 1.0}
    assert differences["test_set"]["same"]


def test_differences_in_the_data_are_listed_by_id(place: Place) -> None:
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
    data = run_diff("1", "2")["data"]
    assert data["same_table"] is False
    assert (data["only_a"], data["only_b"], data["photos"]) == ([gone], [], [photo])
    assert data["labels"] == [{"id": relabelled, "a": listings["label"][1], "b": other}]
    text = done("runs", "diff", "1", "2").stdout
    assert f"119 in both, 1 ({gone}) only in A" in text
    assert f"1 ({relabelled}) with another label" in text


def test_decisions_and_fixes_that_differ_are_listed(place: Place) -> None:
    a, b = place(1), place(2)
    first, second, third = a.issues()["id"][:3]
    a.decide([decided(first, "delete"), decided(second, "keep"), decided(third, "delete")])
    b.decide([decided(first, "delete"), decided(second, "delete")])
    for run in (a, b):
        apply_fixes(run, plan_fixes(run))
    differences = run_diff("1", "2")
    delete, keep = ({"action": action, "new_label": None, "new_price": None} for action in ("delete", "keep"))
    assert differences["decisions"] == [{"id": second, "a": keep, "b": delete}, {"id": third, "a": delete, "b": None}]
    assert differences["fixes"] == {"same": 1, "different": [], "only_a": [third], "only_b": [second]}


def test_macro_f1_is_comparable_only_on_one_test_set(place: Place) -> None:
    a, b = place(1), place(2)
    assert run_diff("1", "2")["test_set"]["why"] == "no comparison in demo/1 and demo/2"
    compare(a)
    compare(b, after=0.8)
    differences = run_diff("1", "2")
    assert differences["test_set"]["comparable"]
    assert (differences["a"]["comparison"]["after"], differences["b"]["comparison"]["after"]) == (0.75, 0.8)
    assert "can be compared" in done("runs", "diff", "1", "2").stdout
    compare(a, model="linear models")
    compare(b, model="resnet18, 12 epochs")
    assert "the models differ: linear models in A, resnet18, 12 epochs in B" in done("runs", "diff", "1", "2").stdout
    listings = b.listings()
    judged = listings["unreadable"].isna() & listings["label"].notna()
    test = listings.loc[judged & (listings["split"] == "test"), "id"].iloc[0]
    change_table(b.listings_file, test, split="train")
    differences = run_diff("1", "2")["test_set"]
    assert (differences["same"], differences["comparable"]) == (False, False)
    assert differences["listings"]["a"] == differences["listings"]["b"] + 1
    assert "can't be compared: their test sets differ" in done("runs", "diff", "1", "2").stdout


def test_runs_of_two_datasets_are_compared_by_the_ids_they_share(place: Place) -> None:
    place(1)
    b = place(2, "shop")
    b.update(dataset={**b.record()["dataset"], "name": "shop"})
    differences = run_diff("demo/1", "shop/2")
    assert differences["data"]["same_dataset"] is False
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
    assert run_diff("1", "2")["a"]["folder"] == "runs/shop/1"
    assert run_diff("demo/1", "2")["a"]["folder"] == "runs/demo/1"
    assert run_diff("./elsewhere", str(tmp_path / "runs" / "demo" / "1"))["a"]["run"] == "elsewhere"


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
    differences = diff_runs(RunFolder(Path("runs/demo/1")), RunFolder(Path("runs/demo/2")))
    outlier = next(row for row in differences.issues if row.kind == "outlier")
    assert outlier.a is outlier.only_a is outlier.only_b is None
    assert outlier.b is not None
    assert "– means: not checked" in done("runs", "diff", "1", "2", "--markdown").stdout


def test_nothing_is_written(place: Place, tmp_path: Path) -> None:
    place(1)
    place(2)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    for arguments in (["runs"], ["runs", "diff", "1", "2"], ["runs", "diff", "1", "2", "--markdown"]):
        assert curate(*arguments).exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    assert read_json(Path("runs/demo/1/run.json"))["status"] == "finished"


def test_results_about_runs_become_json_markdown_and_html(place: Place) -> None:
    run, other = place(1), place(2)
    compare(run)
    (row, _), differences = list_runs(), diff_runs(run, other)
    assert row.to_dict() == run_rows()[0]
    assert differences.to_dict() == run_diff("1", "2")
    for result in (row, differences, status_of(run), group_runs(list_runs())[0]):
        assert "demo/1" in result.to_markdown()
        assert "demo/1" in result._repr_html_()
