"""The FiftyOne dataset of a run: what it shows, what it is called, and what other programs change in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from curation.errors import ReviewError
from curation.review.app.dataset import PutBack, dataset_name, open_dataset, put_back_all
from curation.review.app.edits import EDIT_NOTE, record_edit
from curation.run.folder import RunFolder
from curation.run.journal import Decision
from tests.curation.review.test_review import (
    journal_of,
    make_run,
    needs_mongod,
)
from tests.support.app_dataset import (
    TIME,
    change,
    decide,
    decision_on,
    edit,
    keep_one,
    sample_of,
    with_probabilities,
)


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return make_run(tmp_path)


def called(run: RunFolder, name: str) -> str:
    """Give the dataset of a run another name; return what the run is called in FiftyOne, without the hash."""
    run.update(dataset={**run.record()["dataset"], "name": name})
    return dataset_name(run).rpartition("-")[0]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("my_shop.v2", "curate-my_shop.v2-1"),
        ("Möbel & Küche", "curate-Möbel-Küche-1"),
        ("Mo\u0308bel", "curate-Möbel-1"),
        ("日本語", "curate-日本語-1"),
        ("हिन्दी", "curate-हिन्दी-1"),
        ("🎁", "curate-🎁-1"),
        ("?/#%&", "curate-1"),
        ("x" * 300, f"curate-{'x' * 60}-1"),
    ],
)
def test_a_run_is_called_in_fiftyone_as_its_dataset_and_its_number(run, name, shown):
    assert called(run, name) == shown


@needs_mongod
@pytest.mark.usefixtures("fo")
class TestNames:
    @pytest.mark.parametrize(("before", "after"), [("my_shop", "My.Shop"), ("日本", "___"), ("tiny", "another")])
    def test_a_dataset_that_got_another_name_is_shown_by_it_with_all_its_edits(self, run, fo, before, after):
        called(run, before)
        first = open_dataset(run).dataset
        edit(first, run, "L7", "lamp")
        called(run, after)
        opened = open_dataset(run)
        assert [decision.id for decision in run.decisions()[0]] == ["L7"]
        assert opened.dataset.name == dataset_name(run)
        assert opened.dataset.values("id") == first.values("id")

    def test_two_runs_whose_names_give_the_same_slug_are_two_datasets(self, run, fo, tmp_path):
        other = make_run(tmp_path / "other")
        called(run, "My Shop")
        called(other, "my_shop")
        first, second = open_dataset(run).dataset, open_dataset(other).dataset
        decide(first, sample_of(first, "L0"), "keep")
        assert journal_of(other) == []
        assert (open_dataset(run).dataset.name, open_dataset(other).dataset.name) == (first.name, second.name)

    def test_only_one_dataset_stays_of_a_folder_that_had_several(self, run, fo):
        called(run, "shop")
        open_dataset(run).dataset.clone(dataset_name(run).replace("shop", "SHOP_b")).persistent = True
        called(run, "shop_B")
        opened = open_dataset(run).dataset
        assert opened.name == dataset_name(run)
        assert [name for name in fo.list_datasets() if name.endswith(opened.name[-9:])] == [opened.name]


@needs_mongod
@pytest.mark.usefixtures("fo")
class TestDataset:
    def test_every_listing_is_there_also_without_a_photo_or_its_file(self, run):
        dataset = open_dataset(run).dataset
        assert dataset.values("listing_id") == [f"L{number}" for number in range(13)]
        assert dataset.media_type == "image"
        assert dataset.persistent

    def test_a_sample_shows_what_the_run_found(self, run):
        with_probabilities(run, "L2", [0.7, 0.2, 0.1])
        sample = open_dataset(run).dataset.match({"listing_id": "L2"}).first()
        assert sample["original_label"] == sample["ground_truth"].label == "lamp"
        assert (sample["suggested"].label, sample["suggested"].confidence) == ("chair", 0.9)
        assert (sample["predictions"].label, sample["predictions"].confidence) == ("chair", pytest.approx(0.7))
        assert sample["issues"] == ["label", "price"]
        assert sample.tags == ["label", "price", "train"]
        assert (sample["price"], sample["title"], sample["fold"], sample["priority"]) == (12.0, "nice thing 2", 2, 3)
        assert (sample["near_duplicate_group"], sample["outlier_score"]) == (None, None)

    def test_saved_views_are_what_there_is_to_do_and_one_for_each_kind_worst_first(self, run):
        dataset = open_dataset(run).dataset
        views = {name: dataset.load_saved_view(name).values("listing_id") for name in dataset.list_saved_views()}
        assert views == {
            "To review": ["L0", "L1", "L2", "L3", "L5", "L8", "L9", "L11"],
            "Label issues": ["L3", "L2", "L1", "L0"],
            "Price issues": ["L2", "L5"],
            "Near duplicate issues": ["L8", "L9"],
            "Unreadable issues": ["L11"],
            "Disagreements": [],
            "Done": [],
            "All": [f"L{number}" for number in range(13)],
        }

    def test_a_decision_leaves_the_list_of_what_to_do(self, run):
        dataset = open_dataset(run).dataset
        decide(dataset, sample_of(dataset, "L0"), "keep")
        assert "L0" not in dataset.load_saved_view("To review").values("listing_id")
        assert dataset.load_saved_view("Done").values("listing_id") == ["L0"]

    def test_opening_again_keeps_the_dataset_and_its_decisions(self, run, fo):
        first = open_dataset(run).dataset
        decide(first, sample_of(first, "L0"), "delete")
        again = open_dataset(run).dataset
        assert again.values("id") == first.values("id")
        assert decision_on(again, "L0")[0] == "delete"

    def test_the_journal_wins_over_the_fields(self, run):
        dataset = open_dataset(run).dataset
        decide(dataset, sample_of(dataset, "L0", "L1"), "delete")
        run.journal.unlink()
        run.decide([Decision("L1", "relabel", "chair", "ben", "2026-01-02T03:04:05+00:00", "csv", "seen")])
        dataset = open_dataset(run).dataset
        assert decision_on(dataset, "L0") == (None, None, None)
        assert decision_on(dataset, "L1") == ("relabel", "chair", "ben")

    def test_decisions_survive_a_dataset_that_was_deleted(self, run, fo):
        dataset = open_dataset(run).dataset
        decide(dataset, sample_of(dataset, "L1"), "accept")
        fo.delete_dataset(dataset.name)
        assert decision_on(open_dataset(run).dataset, "L1")[:2] == ("relabel", "lamp")

    def test_a_run_that_was_made_anew_in_the_same_folder_is_shown_anew(self, run):
        open_dataset(run)
        run.write_table(run.issues_file, run.issues().assign(suggested_label="lamp"))
        assert set(open_dataset(run).dataset.values("suggested.label")) == {"lamp"}

    def test_samples_that_vanished_are_reported_come_back_and_are_no_decision(self, run):
        dataset = open_dataset(run).dataset
        dataset.delete_samples(sample_of(dataset, "L4", "L5"))
        assert put_back_all(run).vanished == ("L4", "L5")
        opened = open_dataset(run)
        assert opened.put_back.vanished == ("L4", "L5")
        assert len(opened.dataset) == 13
        assert journal_of(run) == []

    def test_labels_edited_in_the_annotate_tab_become_decisions_once(self, run):
        dataset = open_dataset(run).dataset
        edit(dataset, run, "L7", "lamp")
        assert [(decision.new_label, decision.note) for decision in run.decisions()[0]] == [("lamp", EDIT_NOTE)]
        # the tab goes on editing what it has open
        assert dataset.match({"listing_id": "L7"}).values("ground_truth.label") == ["lamp"]
        assert put_back_all(run) == PutBack()
        assert decision_on(dataset, "L7")[:2] == ("relabel", "lamp")
        assert dataset.values("ground_truth.label") == dataset.values("original_label")
        edit(dataset, run, "L6", "desk")
        assert open_dataset(run).put_back == PutBack()
        assert journal_of(run) == [("L7", "relabel", "lamp"), ("L6", "relabel", "desk")]

    def test_the_last_of_several_edits_stands_and_the_given_label_is_kept(self, run):
        dataset = open_dataset(run).dataset
        for label in ("lamp", "lamp", "desk"):
            edit(dataset, run, "L0", label)
        assert journal_of(run) == [("L0", "relabel", "lamp"), ("L0", "relabel", "desk")]
        edit(dataset, run, "L0", "chair")
        given = dataset.match({"listing_id": "L7"}).values("original_label")[0]
        edit(dataset, run, "L7", given)  # it had that label all the time
        assert journal_of(run)[2:] == [("L0", "keep", None)]
        assert put_back_all(run) == PutBack()

    def test_an_edit_to_no_known_class_is_reported_and_the_label_restored(self, run):
        dataset = open_dataset(run).dataset
        edit(dataset, run, "L6", "sofa")
        dataset.set_values("ground_truth", {sample_of(dataset, "L7")[0]: None}, key_field="id")
        assert put_back_all(run).labels == ("L6", "L7")
        assert dataset.values("ground_truth.label") == dataset.values("original_label")
        assert journal_of(run) == []


@needs_mongod
@pytest.mark.usefixtures("fo")
class TestChangedByAnotherProgram:
    """What is changed in the database is no decision of whoever reviews."""

    @pytest.fixture
    def dataset(self, run: RunFolder) -> Any:
        return open_dataset(run).dataset

    def test_a_label_is_put_back_and_no_decision(self, run, dataset):
        change(dataset, "L7", "lamp")
        decide(dataset, sample_of(dataset, "L7"), "note", note="mine")
        assert journal_of(run) == [("L7", "note", None)]
        assert dataset.values("ground_truth.label") == dataset.values("original_label")
        change(dataset, "L6", "desk")
        assert put_back_all(run) == PutBack(labels=("L6",))
        change(dataset, "L6", "desk")
        assert open_dataset(run).put_back == PutBack(labels=("L6",))
        assert journal_of(run) == [("L7", "note", None)]

    def test_a_relabel_by_a_colleague_does_not_excuse_another_label(self, run, dataset):
        run.decide([Decision("L7", "relabel", "desk", "ben", TIME, "csv")])
        change(dataset, "L7", "lamp")
        assert put_back_all(run).labels == ("L7",)
        assert [decision.reviewer for decision in run.decisions()[0]] == ["ben"]

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("suggested.label", "lamp"),
            ("filepath", "/elsewhere/1.jpg"),
            ("original_label", "lamp"),
            ("title", "another"),
            ("suggested_price", 1.0),
            ("near_duplicate_group", "9"),
        ],
    )
    @pytest.mark.parametrize("action", ["accept", "keep", "delete"])
    def test_a_sample_that_shows_something_else_takes_no_decision(self, run, dataset, field, value, action):
        samples = sample_of(dataset, "L0", "L1")
        # as a program does that knows nothing of FiftyOne's fields that are only to be read
        dataset._sample_collection.update_one({"listing_id": "L0"}, {"$set": {field: value}})
        with pytest.raises(ReviewError, match=r"nothing was recorded: 1 listing was changed .* L0"):
            decide(dataset, samples, action)
        with pytest.raises(ReviewError, match="nothing was recorded"):
            record_edit(dataset, run, "ana", samples[0], "lamp")
        assert journal_of(run) == []
        decide(dataset, samples[1:], "delete")
        opened = open_dataset(run)
        assert opened.put_back.changed == ("L0",)
        decide(opened.dataset, sample_of(opened.dataset, "L0"), "delete")
        assert [id for id, *_ in journal_of(run)] == ["L1", "L0"]

    def test_a_sample_that_claims_to_be_another_listing_takes_no_decision(self, run, dataset):
        dataset._sample_collection.drop_indexes()
        samples = sample_of(dataset, "L0")
        dataset._sample_collection.update_one({"listing_id": "L0"}, {"$set": {"listing_id": "L5"}})
        with pytest.raises(ReviewError, match="nothing was recorded"):
            decide(dataset, samples, "delete")
        assert journal_of(run) == []

    def test_a_note_in_the_database_is_not_kept_in_a_reviewers_name(self, run, dataset):
        dataset._sample_collection.update_many({}, {"$set": {"review_note": "never said", "decision": "delete"}})
        decide(dataset, sample_of(dataset, "L0"), "keep")
        assert [(each.action, each.note) for each in run.decisions()[0]] == [("keep", None)]
        assert set(open_dataset(run).dataset.values("decision")) == {None, "keep"}

    def test_the_group_of_reposts_is_that_of_the_run(self, run, dataset):
        (sample,) = sample_of(dataset, "L8")
        dataset._sample_collection.update_one(
            {"listing_id": "L0"}, {"$set": {"near_duplicate_group": dataset[sample]["near_duplicate_group"]}}
        )
        with pytest.raises(ReviewError, match="nothing was recorded"):
            keep_one(dataset, sample)
        assert journal_of(run) == []
