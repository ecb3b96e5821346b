"""Runs of earlier versions: names that have changed since are read as those of today."""

import json

import pytest

from curation.run.folder import FORMAT, RunFolder
from curation.run.shapes import named_as_today


def test_a_run_with_the_former_name_of_a_preset_has_that_of_today_and_its_file_stays(tmp_path):
    command = ["curate", "find-issues", "thorough", "--preset", "thorough"]
    content = {"format": FORMAT, "command": command, "settings": {"train": {"preset": "thorough"}, "folds": 5}}
    (tmp_path / "run.json").write_text(json.dumps(content))
    record = RunFolder(tmp_path).record()
    assert record["settings"] == {"train": {"preset": "resnet"}, "folds": 5}
    assert record["command"] == ["curate", "find-issues", "thorough", "--preset", "resnet"]
    assert json.loads((tmp_path / "run.json").read_text()) == content


@pytest.mark.parametrize(
    "record",
    [{}, {"settings": {}}, {"settings": None}, {"settings": {"train": {}}}, {"settings": {"train": {"preset": ["?"]}}}],
)
def test_a_record_without_a_preset_stays_as_it_is(record):
    assert named_as_today(record) == record
