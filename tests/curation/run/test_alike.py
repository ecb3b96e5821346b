"""What differs between an interrupted run and what is asked of it now."""

import pytest

from curation.cli.spelling import spelled
from curation.run.alike import differences, in_words
from tests.cli.test_cli import curate

RECORD = {
    "dataset": {"path": "/shop", "sha256": "a" * 64, "classes": ["bag", "cable"], "columns": {}, "listings": 3},
    "settings": {"folds": 5, "text": True, "train": {"epochs": None, "pretrained": True, "precision": "float32"}},
    "seed": 0,
}


def told(**changes):
    facts = {
        "dataset": {**RECORD["dataset"], **changes.get("dataset", {})},
        "settings": {**RECORD["settings"], **changes.get("settings", {})},
        "seed": changes.get("seed", 0),
    }
    return tuple(map(spelled, in_words(differences(RECORD, facts))))


def test_settings_are_named_as_options_with_both_values():
    train = {"epochs": 3, "pretrained": False}
    assert told(settings={"text": False, "train": train}, seed=2) == (
        "no --text, --epochs 3, no --pretrained, no --precision, --seed 2",
        "--text, no --epochs, --pretrained, --precision float32, --seed 0",
    )
    assert told(dataset={"columns": {"label": "category"}}) == ("--column label=category", "no --column")


def test_of_another_dataset_only_its_path_is_named_and_of_another_table_its_hash():
    other = {"path": "/barn", "sha256": "b" * 64, "classes": ["bag"], "listings": 2}
    assert told(dataset=other) == ("dataset /barn", "dataset /shop")
    del other["path"]
    assert told(dataset=other) == ("table with the hash bbbbbbbb", "table with the hash aaaaaaaa")
    assert told(dataset={"classes": ["bag", "sofa"]}) == ("classes sofa", "classes cable")


def test_a_run_continued_with_other_settings_names_the_command_that_continues_it(run, demo):
    run.update(status="interrupted", command=["curate", "find-issues", "demo", "--run", "run", "--folds", "3"])
    ended = curate("find-issues", demo, "--no-pretrained", "--preset", "quick", "--seed", 3, "--run", run.folder)
    assert ended.exit_code == 2
    (line,) = [line for line in ended.stderr.splitlines() if line.startswith("Error: ")]
    assert "got --folds 5, --device auto; wanted --folds 3, --device cpu. Continue it with " in line
    assert line.endswith("curate find-issues demo --run run --folds 3, or choose another --run to start afresh.")


@pytest.mark.parametrize("command", ["train", "tune", "compare-models"])
def test_every_command_that_resumes_says_the_same_of_other_settings(command, run, demo):
    run.update(status="interrupted", settings={"folds": 4}, command=["curate", command, "demo"])
    ended = curate(
        command, demo, "--output", run.folder, "--model" if command != "compare-models" else "--models", "lenet"
    )
    assert ended.exit_code == 2
    assert f"Continue it with curate {command} demo, or choose another --output" in ended.stderr
    assert "settings." not in ended.stderr
