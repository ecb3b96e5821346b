"""The comparison before and after in FiftyOne's Model Evaluation panel."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curation.comparison.compare import retrain
from curation.fixes import apply_fixes, plan_fixes, undo_fixes
from curation.review.app.comparison import COMPARED
from curation.review.app.dataset import open_dataset
from curation.run.folder import RunFolder
from curation.run.journal import Decision
from tests.curation.review.test_review import DATABASE, drop_database, needs_mongod, our_fiftyone
from training.utils.files import read_json
from training.utils.units import now

pytestmark = [needs_mongod, pytest.mark.usefixtures("fo")]


@pytest.fixture(scope="module")
def fo() -> Iterator[Any]:
    yield our_fiftyone()
    drop_database(DATABASE)


@pytest.fixture(scope="module")
def compared(finished: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run with fixes and their comparison; tests must not change it."""
    folder = tmp_path_factory.mktemp("compared") / "run"
    shutil.copytree(finished.folder, folder)
    run = RunFolder(folder)
    listings = run.listings()
    moved = listings[(listings["split"] == "train") & listings["unreadable"].isna()].head(25)
    last = run.classes[-1]
    run.decide([Decision(id, "relabel", last, "ana", now(), "app") for id in moved["id"][moved["label"] != last]])
    apply_fixes(run, plan_fixes(run))
    retrain(run, seeds=1)
    return run


@pytest.fixture
def run(compared: RunFolder, tmp_path: Path) -> RunFolder:
    """A copy that a test may change."""
    shutil.copytree(compared.folder, tmp_path / "run")
    return RunFolder(tmp_path / "run")


def accuracy(dataset: Any, key: str) -> float:
    return float(dataset.load_evaluation_results(key).metrics()["accuracy"])


def ids(dataset: Any) -> list[str]:
    return [str(dataset._doc.evaluations[key].id) for key in ("before", "after")]


def answer(run: RunFolder, models: list[list[str]]) -> None:
    """Let the models after the fixes have named these classes for the first test listings."""
    with np.load(run.predictions_file) as stored:
        content = dict(stored)
    numbers = np.array([[run.classes.index(label) for label in named] for named in models])
    content["after"] = np.repeat(content["after"], len(models), axis=0)
    content["after"][:, : numbers.shape[1]] = numbers
    np.savez(run.predictions_file, **content)


def test_both_evaluations_are_there_and_score_what_the_comparison_says(run):
    dataset = open_dataset(run).dataset
    comparison = read_json(run.comparison_file)
    assert dataset.list_evaluations() == ["after", "before", "out_of_fold"]
    assert comparison["before"]["accuracy"] != comparison["after"]["accuracy"]
    for key in ("before", "after"):
        assert accuracy(dataset, key) == pytest.approx(comparison[key]["accuracy"])
        support = dataset.load_evaluation_results(key).report()["macro avg"]["support"]
        assert support == comparison["test_listings"]
        assert dataset.count_values(key)[True] == round(comparison[key]["accuracy"] * comparison["test_listings"])


def test_test_listings_have_what_most_seeds_named_and_how_many_did_the_others_nothing(run):
    first, second, third = run.classes[:3]
    answer(run, [[first, third], [second, third], [first, third], [first, second]])
    dataset = open_dataset(run).dataset
    listings, labels, shares = dataset.exists("predicted_after").values(
        ["listing_id", "predicted_after.label", "predicted_after.confidence"]
    )
    with np.load(run.predictions_file) as stored:
        assert sorted(listings) == sorted(stored["id"].tolist())
        assert set(listings) <= set(dataset.match({"split": "test"}).values("listing_id"))
        places = [listings.index(listing) for listing in stored["id"][:3]]
    assert [(labels[place], shares[place]) for place in places[:2]] == [(first, 0.75), (third, 0.75)]
    assert shares[places[2]] == 1


def test_the_fields_stand_with_the_scores_and_their_classes_have_the_usual_colours(run):
    config = open_dataset(run).dataset.app_config
    groups = {group.name: group.paths for group in config.sidebar_groups}
    assert set(COMPARED) <= set(groups["scores"])
    assert not set(COMPARED) & set(groups["metadata"])
    colours = {field["path"]: field["valueColors"] for field in config.color_scheme.fields}
    assert colours["predicted_before"] == colours["predicted_after"] == colours["ground_truth"]


def test_opening_again_evaluates_nothing_anew(run):
    first = ids(open_dataset(run).dataset)
    dataset = open_dataset(run).dataset
    assert ids(dataset) == first
    assert dataset.info["curate"]["run"] == str(run.folder)


def test_another_comparison_takes_the_place_of_the_one_before(run):
    first = ids(open_dataset(run).dataset)
    with np.load(run.predictions_file) as stored:
        labels = dict(zip(run.listings()["id"], run.listings()["label"], strict=True))
        truth = [labels[id] for id in stored["id"]]
    answer(run, [truth])
    dataset = open_dataset(run).dataset
    assert not set(ids(dataset)) & set(first)
    assert accuracy(dataset, "after") == 1
    assert dataset.values("predicted_after.label").count(None) == len(dataset) - len(truth)


def test_a_comparison_made_after_the_first_opening_appears_and_undo_removes_it(run):
    contents = {file: file.read_bytes() for file in (run.comparison_file, run.predictions_file)}
    for file in contents:
        file.unlink()
    dataset = open_dataset(run).dataset
    assert dataset.list_evaluations() == ["out_of_fold"]
    assert not any(map(dataset.has_sample_field, COMPARED))
    for file, content in contents.items():
        file.write_bytes(content)
    again = open_dataset(run).dataset
    assert all(map(again.has_sample_field, COMPARED))
    again.rename_evaluation("after", "later")
    undo_fixes(run)
    last = open_dataset(run).dataset
    assert last.list_evaluations() == ["out_of_fold"]
    assert not any(map(last.has_sample_field, (*COMPARED, "later")))


def test_an_opening_that_was_interrupted_is_made_good_at_the_next(run, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("curation.review.app.comparison.most_predicted", interrupt)
        with pytest.raises(KeyboardInterrupt):
            open_dataset(run)
    dataset = open_dataset(run).dataset
    assert all(map(dataset.has_evaluation, ("before", "after")))


def interrupt(*_):
    raise KeyboardInterrupt


def test_labels_changed_in_the_database_do_not_change_what_is_evaluated_against(run):
    comparison = json.loads(run.comparison_file.read_text())
    content = run.predictions_file.read_bytes()
    run.predictions_file.unlink()
    dataset = open_dataset(run).dataset
    sample = dataset.match({"split": "test"}).exists("ground_truth").first()
    sample["ground_truth"].label = next(name for name in run.classes if name != sample["original_label"])
    sample.save()
    run.predictions_file.write_bytes(content)
    opened = open_dataset(run)
    assert len(opened.put_back.labels) == 1
    assert accuracy(opened.dataset, "before") == pytest.approx(comparison["before"]["accuracy"])
