"""`verify` names what somebody did to the record of a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from curation import Run
from tests.cli.test_cli import curate
from tests.support.tiny import tiny_run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return tiny_run(tmp_path)


def test_classes_in_another_order_are_named(run: Run) -> None:
    file = run.folder / "run.json"
    record = json.loads(file.read_text())
    record["dataset"]["classes"].reverse()
    file.write_text(json.dumps(record))
    assert [(flaw.where, flaw.what) for flaw in run.verify().faults] == [
        ("run.json", "has other classes than probabilities.npz, or in another order")
    ]


@pytest.mark.parametrize("name", [".lock", "decisions.jsonl"])
def test_a_folder_in_the_place_of_a_file_is_named(name: str, run: Run) -> None:
    (run.folder / name).unlink(missing_ok=True)
    (run.folder / name).mkdir()
    ended = curate("verify", run.folder)
    assert ended.exit_code == 1
    assert f"{name} is a folder in the place of a file" in ended.stdout
    assert "Move it elsewhere by hand" in ended.stdout
