"""Runs that a colleague sent, or that were damaged: nothing in them runs, leads outside, or ends in a traceback."""

import json

import pandas as pd
import pytest

from curation.errors import RunError
from curation.fixes import apply_fixes, plan_fixes
from curation.listings.original import load_original
from curation.run.folder import RunFolder
from curation.run.row import describe_run
from curation.run.shapes import ISSUES_COLUMNS, LISTINGS_COLUMNS, started_by
from curation.run.status import status_of
from tests.support.fixes import decided, make_run, run_of
from training.utils.files import write_json


@pytest.fixture
def run(tmp_path) -> RunFolder:
    return make_run(tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"dataset": 3},
        {"dataset": {"classes": [1]}},
        {"settings": []},
        {"status": {}},
        {"seconds": "long"},
        {"dataset": {"root": ["a"]}},
        {"features": 7},
    ],
)
def test_a_record_of_another_shape_is_a_damaged_record(run, changes):
    record = json.loads(run.record_file.read_text())
    run.record_file.write_text(json.dumps({**record, **changes}))
    with pytest.raises(RunError, match=r"run\.json is damaged"):
        run.record()
    assert describe_run(run).problems == ("run.json is damaged",)


@pytest.mark.parametrize("content", ["[]", "{}", '{"relabelled": "many", "deleted": 0}', "[" * 5000])
@pytest.mark.parametrize("name", ["cleaned/manifest.json", "comparison.json"])
def test_a_file_of_another_shape_is_a_problem_of_its_run_alone(run, name, content):
    (run.folder / "cleaned").mkdir()
    (run.folder / name).write_text(content)
    assert describe_run(run).problems[-1] == f"{name.rpartition('/')[2]} is damaged"


@pytest.mark.parametrize("name", ["../../outside.csv", "/tmp/outside.csv", "a/../../x.csv", "x\0.csv"])
def test_a_table_whose_name_leads_outside_is_never_written(tmp_path, name):
    make_run(tmp_path)
    run = run_of(tmp_path / "input" / "listings.csv", tmp_path / "run", needs_image=False)
    facts = json.loads((run.input_folder / "input.json").read_text())
    facts["files"][0]["name"] = name
    (run.input_folder / "input.json").write_text(json.dumps(facts))
    with pytest.raises(ValueError, match="would lie outside its folder"):
        load_original(run.input_folder)
    run.decide([decided("00", "delete")])
    fixes = plan_fixes(run)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(RunError, match="would lie outside its folder"):
        apply_fixes(run, fixes)
    assert sorted(tmp_path.rglob("*")) == before


def test_features_outside_the_run_are_not_read(run, tmp_path):
    (tmp_path / "secret.npy").write_bytes(b"secret")
    run.training_folder.mkdir()
    run.update(features="../../../../secret.npy")
    with pytest.raises(RunError, match=r"secret\.npy can't be read: the run is damaged: got no such file"):
        run.features()


def test_a_record_without_what_finished_runs_have_is_damaged(run):
    whole = run.record()
    for key in ("dataset", "settings"):
        write_json(run.record_file, {name: value for name, value in whole.items() if name != key})
        with pytest.raises(RunError, match=rf"run\.json is damaged: got no '{key}'"):
            run.require_finished()
    for broken in ({"dataset": {"path": "x"}}, {"dataset": whole["dataset"], "status": "finished"}):
        write_json(run.record_file, {"format": 1, **broken})
        with pytest.raises(RunError, match=r"run\.json is damaged: got no "):
            run.require_finished() if "status" in broken else status_of(run)


@pytest.mark.parametrize(
    ("table", "column"),
    [("listings", name) for name in LISTINGS_COLUMNS] + [("issues", name) for name in ISSUES_COLUMNS],
)
def test_a_table_without_a_column_that_every_run_has_is_damaged(run, table, column):
    file = getattr(run, f"{table}_file")
    pd.read_parquet(file).rename(columns={column: f"'{column}'"}).to_parquet(file)
    with pytest.raises(RunError, match=rf"{table}\.parquet is damaged: got no column {column}\. Run"):
        getattr(run, table)()


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (["/usr/bin/curate", "find-issues", "my shop; rm -rf ~"], "curate find-issues 'my shop; rm -rf ~'"),
        (["curate", "cache", "--clear"], ""),
        (["rm", "-rf", "/"], ""),
        (["curate"], ""),
        ([], ""),
    ],
)
def test_only_a_command_that_starts_runs_is_advised_and_it_is_quoted(command: list[str], shown: str) -> None:
    assert started_by({"command": command}) == shown
