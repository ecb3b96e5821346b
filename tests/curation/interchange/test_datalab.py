"""cleanlab's own Datalab gives back the issues of a run."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from cleanlab import Datalab

import curation
from tests.cli.test_cli import curate, done
from tests.support.fixes import LISTINGS, files, make_run

LABELLED = [id for id, row in LISTINGS.items() if row[0] is not None]


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return curation.open_run(make_run(tmp_path).folder)


def ours(run):
    issues = run.issues
    return issues[issues["given_label"].notna()].reset_index(drop=True)


def test_get_issues_of_a_loaded_folder_is_ours(run, capsys):
    before = files(run.folder)
    run.export("datalab", "lab")
    assert capsys.readouterr() == ("", "")
    loaded = Datalab.load("lab")
    got, own = loaded.get_issues(), ours(run)
    assert {"is_label_issue", "label_score"} <= set(got.columns)
    for name in got:
        assert got[name].tolist() == own[name].tolist(), name
    assert loaded.data["id"][:] == LABELLED
    assert files(run.folder) == before


def test_labels_have_the_columns_of_datalab_and_what_is_likelier_is_predicted(run):
    labels = run.to_datalab().get_issues("label")
    assert list(labels.columns) == ["is_label_issue", "label_score", "given_label", "predicted_label"]
    labels.index = LABELLED
    assert labels.loc[["00", "01", "03", "05"], "given_label"].tolist() == ["chair", "chair", "desk", "NA"]
    # 01's suggestion is no likelier than its label, and 03's is less likely
    assert labels.loc[["00", "01", "03", "05"], "predicted_label"].tolist() == ["desk", "chair", "desk", "NA"]


def test_the_summary_counts_what_is_flagged(run):
    lab = run.to_datalab()
    summary = lab.get_issue_summary("label").iloc[0]
    assert summary["num_issues"] == int(ours(run)["is_label_issue"].sum())
    assert summary["score"] == pytest.approx(ours(run)["label_score"].mean())
    assert 0 <= lab.get_info("statistics")["health_score"] <= 1


def test_reposts_name_the_other_rows(run):
    table = run.issues
    group = pd.Series([0 if id in ("00", "03", "05") else pd.NA for id in table["id"]], dtype="Int64")
    table["near_duplicate_group"] = group.astype(table["near_duplicate_group"].dtype)
    table["is_near_duplicate_issue"] = group.notna().astype(table["is_near_duplicate_issue"].dtype)
    table["near_duplicate_score"] = group.map({0: 0.0}).fillna(1.0).astype("float64")
    table.to_parquet(run.folder / "issues.parquet", index=False)
    reposts = run.to_datalab().get_issues("near_duplicate")
    place = LABELLED.index
    assert reposts["near_duplicate_sets"][place("00")].tolist() == [place("03"), place("05")]
    assert reposts["near_duplicate_sets"][place("01")].tolist() == []


def test_the_command_says_what_is_left_out_and_what_to_type(run):
    shown = done("export", "datalab").stdout
    assert "datalab: 11 listings" in shown
    assert "1 listing without a label is not in it." in shown
    assert json.loads(done("export", "datalab", "--output", "two", "--json").stdout)["listings"] == 11


def test_no_decisions_come_back_from_it(run):
    refused = curate("import-decisions", "datalab", "datalab")
    assert refused.exit_code == 2
    assert "no decisions come back from that format" in refused.stderr
