"""The FiftyOne dataset of a run, and the decisions made in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curation.errors import DecisionsError, ReviewError, RunError
from curation.review.app import decide as deciding
from curation.review.app.dataset import PutBack, dataset_name, open_dataset, put_back_all
from curation.review.app.edits import EDIT_NOTE, record_edit
from curation.review.server.application import linked_plugins
from curation.run.folder import RunFolder
from curation.run.journal import Decision, current_decisions
from tests.curation.review.test_review import (
    DATABASE,
    drop_database,
    journal_of,
    make_run,
    needs_mongod,
    our_fiftyone,
)

TIME = "2026-01-02T03:04:05.000+00:00"
LABELS = ("ground_truth", "suggested", "predictions")


@pytest.fixture(scope="module")
def fo() -> Iterator[Any]:
    fiftyone = our_fiftyone()
    with linked_plugins("ana") as folder:
        fiftyone.config.plugins_dir = str(folder)
        yield fiftyone
    drop_database(DATABASE)


def with_probabilities(run, id, probs):
    """Give one listing probabilities; the others keep theirs."""
    probabilities = run.probabilities()
    probabilities.probs[probabilities.ids == id] = probs
    probabilities.save(run.probabilities_file)


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return make_run(tmp_path)


def sample_of(dataset: Any, *listings: str) -> list[str]:
    ids = dict(zip(*dataset.values(["listing_id", "id"]), strict=True))
    return [ids[listing] for listing in listings]


def decide(dataset: Any, samples: list[str], action: str, *, reviewer: str = "ana", **what: Any) -> deciding.Outcome:
    return deciding.decide(dataset, samples, action, reviewer=reviewer, **what)


def keep_one(dataset: Any, sample: str) -> deciding.Outcome:
    return deciding.keep_one(dataset, sample, reviewer="ana")


def decision_on(dataset: Any, listing: str) -> tuple[Any, ...]:
    sample = dataset[sample_of(dataset, listing)[0]]
    return sample["decision"], sample["new_label"], sample["reviewer"]


def change(dataset: Any, listing: str, label: str) -> str:
    """Change a label in the database, as any program may; return the id of the sample."""
    sample = dataset[sample_of(dataset, listing)[0]]
    sample["ground_truth"].label = label
    sample.save()
    return str(sample.id)


def edit(dataset: Any, run: RunFolder, listing: str, label: str) -> None:
    """Change a label as the Annotate tab does: straight on the sample, through the review's server."""
    record_edit(dataset, run, "ana", change(dataset, listing, label), label)


def priced(run: RunFolder, **suggested: float) -> None:
    """Let the run suggest prices."""
    table = run.issues()
    run.write_table(run.issues_file, table.assign(suggested_price=table["id"].map(suggested).astype(float)))


def unlabelled(run: RunFolder, id: str) -> None:
    """Take the label of a listing away."""
    table = run.issues()
    run.write_table(run.issues_file, table.assign(given_label=table["given_label"].where(table["id"] != id)))


def prices_on(dataset: Any, listing: str) -> tuple[float | None, float | None]:
    """Return the suggested price of a listing and the one that was decided on."""
    sample = dataset[sample_of(dataset, listing)[0]]
    return sample["suggested_price"], sample["new_price"]


def noted_on(dataset, id):
    sample = dataset.match({"listing_id": id}).first()
    return sample["decision"], sample["review_note"]


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


def with_hashes(run: RunFolder, **changes: Any) -> None:
    """Let the run know its photos, as find-issues does; L10's file was missing then."""
    hashes = [None if number in (10, 12) else f"hash{number}" for number in range(13)]
    size = [None if hash is None else 160 for hash in hashes]
    table = run.listings().assign(sha256=hashes, width=size, height=size)
    run.write_table(run.listings_file, table.assign(**changes))


@needs_mongod
@pytest.mark.usefixtures("fo")
class TestOpening:
    def test_a_bulk_insert_writes_what_fiftyone_itself_would(self, run, fo):
        with_probabilities(run, "L1", [0.7, 0.2, 0.1])
        dataset = open_dataset(run).dataset
        ours = dataset.match({"listing_id": "L1"}).first()
        other = fo.Dataset()
        other.add_sample(ours.copy())
        documents = [next(collection._aggregate([{"$match": {}}])) for collection in (ours_of(dataset, "L1"), other)]
        first, second = documents
        assert first.keys() == second.keys()
        for name in first.keys() - {"_id", "_dataset_id", "_rand", "created_at", "last_modified_at"}:
            one, two = ({**document[name]} if name in LABELS else document[name] for document in documents)
            if name in LABELS:
                assert type(one.pop("_id")) is type(two.pop("_id"))
            assert one == two
        other.delete()

    def test_reposts_stand_together_the_worst_group_first(self, run):
        group = [None] * 4 + [1.0, 2.0, 1.0, 2.0, None, None, None, None, None]
        score = [1.0] * 4 + [0.3, 0.1, 0.2, 0.4, 1.0, 1.0, 1.0, 1.0, 1.0]
        table = run.issues().assign(near_duplicate_group=group, near_duplicate_score=score)
        run.write_table(run.issues_file, table.assign(is_near_duplicate_issue=table["near_duplicate_group"].notna()))
        view = open_dataset(run).dataset.load_saved_view("Near duplicate issues")
        assert view.values("listing_id") == ["L5", "L7", "L4", "L6"]

    def test_reviewers_who_differ_are_a_view(self, run):
        run.decide(
            [Decision("L0", "keep", None, "ana", TIME, "app"), Decision("L0", "delete", None, "ben", TIME, "app")]
        )
        dataset = open_dataset(run).dataset
        assert dataset.load_saved_view("Disagreements").values("listing_id") == ["L0"]
        run.decide([Decision("L0", "delete", None, "ana", TIME, "app")])
        assert open_dataset(run).dataset.load_saved_view("Disagreements").values("listing_id") == []

    def test_an_earlier_runs_decisions_are_taken_over_said_and_undone_one_by_one(self, run, tmp_path):
        with_hashes(run)
        run.update(started="2026-01-01")
        run.decide([Decision(id, "delete", None, "ben", TIME, "app", "seen") for id in ("L0", "L1", "L2")])
        later = RunFolder(run.folder.parent / "2")
        shutil.copytree(run.folder, later.folder)
        later.journal.unlink()
        later.update(started="2026-01-02")
        with_hashes(later, label=["lamp", *run.listings()["label"][1:]])
        opened = open_dataset(later)
        assert len(opened.messages) == 1
        assert "2 decisions of" in opened.messages[0]
        assert "1 does not: another given label (L0)." in opened.messages[0]
        assert decision_on(opened.dataset, "L1") == ("delete", None, "ben")
        decide(opened.dataset, sample_of(opened.dataset, "L1"), "undo")
        again = open_dataset(later)
        assert again.messages == ()
        assert [decision_on(again.dataset, id)[0] for id in ("L0", "L1", "L2")] == [None, None, "delete"]
        assert len(run.decisions()[0]) == 3

    def test_a_run_that_moved_keeps_its_decisions(self, run):
        dataset = open_dataset(run).dataset
        decide(dataset, sample_of(dataset, "L1"), "accept")
        moved = RunFolder(run.folder.parent / "moved")
        run.folder.rename(moved.folder)
        opened = open_dataset(moved)
        assert opened.dataset.name != dataset.name
        assert decision_on(opened.dataset, "L1")[:2] == ("relabel", "lamp")

    def test_photos_that_are_gone_since_the_run_are_said_and_the_rest_opens(self, run):
        with_hashes(run)
        (run.photo_root / "3.jpg").unlink()
        opened = open_dataset(run)
        assert [message for message in opened.messages if "disappeared" in message] == [
            "1 photo has disappeared since the run was made; the App shows a drawn tile instead: L3"
        ]
        assert len(opened.dataset) == 13

    def test_a_run_all_of_whose_photos_are_gone_does_not_open(self, run):
        for photo in run.photo_root.iterdir():
            photo.unlink()
        with pytest.raises(ReviewError, match="none of the 12 photos"):
            open_dataset(run)

    def test_listings_without_photos_are_reviewed_as_any_other(self, run):
        run.write_table(run.issues_file, run.issues().assign(image=None))
        opened = open_dataset(run)
        assert len(opened.dataset.load_saved_view("To review")) == 8
        assert set(opened.dataset.values("filepath")) == set(opened.files) == {str(opened.copies / "no photo.webp")}
        decide(opened.dataset, sample_of(opened.dataset, "L0"), "accept")
        assert journal_of(run) == [("L0", "relabel", "desk")]

    def test_with_nothing_flagged_it_opens_with_all_listings(self, run):
        table = run.issues()
        flags = {name: False for name in table if name.startswith("is_")}
        run.write_table(run.issues_file, table.assign(**flags))
        opened = open_dataset(run)
        assert (opened.first_view, len(opened.dataset.load_saved_view("To review"))) == ("All", 0)
        assert opened.messages == ("Nothing is left to review. The view All shows all 13 listings.",)
        assert len(opened.dataset.load_saved_view("All")) == 13

    def test_decisions_that_mean_nothing_here_are_said_kept_and_not_shown(self, run):
        run.decide(
            [
                Decision("X1", "keep", None, "ana", TIME, "app"),
                Decision("L0", "relabel", "sofa", "ana", TIME, "app"),
                Decision("L1", "keep", None, "ana", TIME, "app"),
            ]
        )
        before = run.journal.read_bytes() + b"{half a line\n"
        run.journal.write_bytes(before)
        opened = open_dataset(run)
        assert opened.messages == (
            "decisions.jsonl line 4 can't be read and is left out: it is cut short ('{half a line')",
            "1 decision of decisions.jsonl is not shown, no such listing in this run: X1",
            "1 decision of decisions.jsonl is not shown, no class 'sofa': L0",
        )
        assert [decision_on(opened.dataset, id)[0] for id in ("L0", "L1")] == [None, "keep"]
        assert run.journal.read_bytes() == before

    def test_a_large_photo_is_shown_by_its_thumbnail_and_a_small_one_by_itself(self, run):
        with_hashes(run, width=[1600, *[160] * 9, None, 160, None])
        opened = open_dataset(run)
        thumbnail, own = opened.dataset.values("thumbnail")[:2]
        assert thumbnail == str(run.folder.resolve() / "thumbnails" / "hash0.webp")
        assert own == opened.dataset.values("filepath")[1]
        photo = str(run.photo_root / "0.jpg")
        assert (opened.files[thumbnail], opened.files[photo]) == ((photo, 256), (photo, None))
        assert opened.files[own] == (own, None)
        assert opened.dataset.app_config.grid_media_field == "thumbnail"

    def test_the_workspace_has_photos_progress_and_the_plot(self, run):
        run.training_folder.mkdir()
        run.update(features="features-0.npy")
        np.save(run.training_folder / "features-0.npy", np.random.default_rng(0).normal(size=(13, 8)).astype("f4"))
        dataset = open_dataset(run).dataset
        photos, right = dataset.load_workspace("Review").children
        assert photos.active_child is not None
        assert [space.children[0].type for space in (photos, *right.children)] == [
            "Samples",
            "review_progress",
            "Embeddings",
        ]
        written = (run.folder / "review_points.npz").stat().st_mtime_ns
        results = dataset.load_brain_results("photos")
        assert results.points.shape == (13, 2)
        assert np.isfinite(results.points).all()
        dataset.delete()
        open_dataset(run)
        assert (run.folder / "review_points.npz").stat().st_mtime_ns == written


def ours_of(dataset: Any, listing: str) -> Any:
    return dataset.match({"listing_id": listing})


@needs_mongod
class TestDecisions:
    def test_each_action_is_in_the_journal_with_reviewer_source_and_note(self, run, fo):
        dataset = open_dataset(run).dataset
        decide(dataset, sample_of(dataset, "L5", "L0"), "keep", reviewer="ben", note="looked twice")
        decide(dataset, sample_of(dataset, "L1"), "accept")
        decide(dataset, sample_of(dataset, "L4"), "relabel", label="lamp")
        decide(dataset, sample_of(dataset, "L9"), "delete")
        assert journal_of(run) == [
            ("L5", "keep", None),
            ("L0", "keep", None),
            ("L1", "relabel", "lamp"),
            ("L4", "relabel", "lamp"),
            ("L9", "delete", None),
        ]
        first = run.decisions()[0][0]
        assert (first.reviewer, first.source, first.note) == ("ben", "app", "looked twice")
        assert [decision.suggested_label for decision in run.decisions()[0]] == [None, "desk", "lamp", None, None]

    def test_undo_brings_the_decision_before_back(self, run, fo):
        dataset = open_dataset(run).dataset
        samples = sample_of(dataset, "L0")
        decide(dataset, samples, "delete")
        decide(dataset, samples, "keep")
        decide(dataset, samples, "undo")
        assert decision_on(dataset, "L0")[0] == "delete"
        decide(dataset, samples, "undo")
        assert decision_on(dataset, "L0") == (None, None, None)
        assert str(decide(dataset, samples, "undo")) == "1 listing unchanged: there is no decision to undo"
        assert [action for _, action, _ in journal_of(run)] == ["delete", "keep", "undo", "undo"]

    def test_a_decision_shows_at_once_whether_reviewers_differ(self, run, fo):
        run.decide([Decision("L0", "delete", None, "ben", TIME, "app")])
        dataset = open_dataset(run).dataset
        differ = dataset.load_saved_view("Disagreements")
        decide(dataset, sample_of(dataset, "L0"), "keep")
        assert differ.values("listing_id") == ["L0"]
        decide(dataset, sample_of(dataset, "L0"), "undo")
        assert differ.values("listing_id") == []
        assert decision_on(dataset, "L0")[0] == "delete"

    def test_undo_does_not_show_a_decision_that_means_nothing(self, run, fo):
        run.decide([Decision("L0", "relabel", "sofa", "ana", TIME, "app")])
        dataset = open_dataset(run).dataset
        decide(dataset, sample_of(dataset, "L0"), "keep")
        decide(dataset, sample_of(dataset, "L0"), "undo")
        assert decision_on(dataset, "L0") == (None, None, None)

    def test_an_edit_made_by_hand_comes_before_the_click_after_it(self, run, fo):
        dataset = open_dataset(run).dataset
        edit(dataset, run, "L0", "lamp")
        decide(dataset, sample_of(dataset, "L0"), "undo")
        assert current_decisions(run.decisions()[0]) == {}
        assert put_back_all(run) == PutBack()

    def test_a_note_is_shown_and_kept_by_the_decision_after_it(self, run, fo):
        dataset = open_dataset(run).dataset
        decide(dataset, sample_of(dataset, "L0"), "note", note="ask")
        assert journal_of(run) == [("L0", "note", None)]
        assert noted_on(open_dataset(run).dataset, "L0") == (None, "ask")
        decide(dataset, sample_of(dataset, "L0"), "delete")
        assert run.decisions()[0][-1].note == "ask"
        decide(dataset, sample_of(dataset, "L0"), "note", note="gone")
        assert noted_on(dataset, "L0") == ("delete", "gone")
        assert (run.decisions()[0][-1].action, run.decisions()[0][-1].note) == ("delete", "gone")
        decide(dataset, sample_of(dataset, "L0"), "undo")
        decide(dataset, sample_of(dataset, "L0"), "undo")
        assert noted_on(dataset, "L0") == (None, "ask")

    def test_one_repost_is_kept_and_the_others_are_deleted(self, run, fo):
        dataset = open_dataset(run).dataset
        outcome = keep_one(dataset, sample_of(dataset, "L9")[0])
        assert journal_of(run) == [("L9", "keep", None), ("L8", "delete", None)]
        assert str(outcome) == "1 listing kept, 1 marked for deletion"
        assert decision_on(dataset, "L8")[0] == "delete"
        assert sorted(deciding.latest(dataset, "ana")) == sorted(sample_of(dataset, "L8", "L9"))

    def test_a_repost_that_was_relabelled_stays_so_when_the_others_go(self, run, fo):
        dataset = open_dataset(run).dataset
        decide(dataset, sample_of(dataset, "L9"), "relabel", label="lamp")
        keep_one(dataset, sample_of(dataset, "L9")[0])
        assert journal_of(run)[1:] == [("L8", "delete", None)]
        assert decision_on(dataset, "L9")[:2] == ("relabel", "lamp")

    def test_a_listing_without_reposts_can_not_be_the_one_that_stays(self, run, fo):
        dataset = open_dataset(run).dataset
        with pytest.raises(ReviewError, match="no other listing shows this photo"):
            keep_one(dataset, sample_of(dataset, "L0")[0])
        assert journal_of(run) == []

    def test_accepting_leaves_listings_without_a_suggestion_alone(self, run, fo):
        dataset = open_dataset(run).dataset
        outcome = decide(dataset, sample_of(dataset, "L0", "L8"), "accept")
        assert (outcome.changed, outcome.skipped) == (("L0",), ("L8",))
        assert journal_of(run) == [("L0", "relabel", "desk")]

    def test_the_suggested_price_is_set_and_listings_without_one_are_left_alone(self, run, fo):
        priced(run, L2=1.2)
        dataset = open_dataset(run).dataset
        outcome = decide(dataset, sample_of(dataset, "L2", "L5"), "reprice")
        assert (outcome.changed, outcome.skipped) == (("L2",), ("L5",))
        assert str(outcome) == "1 listing repriced; 1 listing unchanged: no price is suggested"
        record = run.decisions()[0][-1]
        assert (record.action, record.new_price, record.suggested_price) == ("reprice", 1.2, 1.2)
        assert prices_on(dataset, "L2") == (1.2, 1.2)
        decide(dataset, sample_of(dataset, "L2"), "undo")
        assert prices_on(dataset, "L2") == (1.2, None)

    def test_a_price_is_written_as_sellers_write_it_or_refused(self, run, fo):
        run.update(dataset={**run.record()["dataset"], "currency": "GBP"})
        dataset = open_dataset(run).dataset
        decide(dataset, sample_of(dataset, "L5"), "reprice", price="£1,200")
        assert prices_on(dataset, "L5") == (None, 1200.0)
        for wrong in ("cheap", "-1", "nan", "5 €"):
            with pytest.raises(DecisionsError):
                decide(dataset, sample_of(dataset, "L5"), "reprice", price=wrong)
        assert len(run.decisions()[0]) == 1

    def test_a_dataset_without_prices_has_none_to_correct(self, run, fo):
        run.write_table(run.issues_file, run.issues().assign(price=float("nan")))
        dataset = open_dataset(run).dataset
        with pytest.raises(ReviewError, match="this dataset has no prices"):
            decide(dataset, sample_of(dataset, "L5"), "reprice", price="5")

    def test_label_and_price_are_both_corrected_in_any_order_and_undone_one_by_one(self, run, fo):
        dataset = open_dataset(run).dataset
        for first, second in (("reprice", "relabel"), ("relabel", "reprice")):
            for action in (first, second):
                words = {"price": 7.5} if action == "reprice" else {"label": "lamp"}
                decide(dataset, sample_of(dataset, "L0"), action, **words)
            assert decision_on(dataset, "L0")[:2] == ("relabel", "lamp")
            assert prices_on(dataset, "L0")[1] == 7.5
            decide(dataset, sample_of(dataset, "L0"), "undo")
            assert decision_on(dataset, "L0")[0] == first
            decide(dataset, sample_of(dataset, "L0"), "undo")
            assert decision_on(dataset, "L0")[0] is None

    def test_several_labels_fit_is_a_decision_that_leaves_the_queue(self, run, fo):
        dataset = open_dataset(run).dataset
        decide(dataset, sample_of(dataset, "L0"), "ambiguous")
        assert journal_of(run) == [("L0", "ambiguous", None)]
        assert decision_on(dataset, "L0")[0] == "ambiguous"
        assert "L0" not in dataset.load_saved_view("To review").values("listing_id")

    def test_a_listing_without_a_label_can_not_be_kept(self, run, fo):
        unlabelled(run, "L0")
        dataset = open_dataset(run).dataset
        outcome = decide(dataset, sample_of(dataset, "L0", "L1"), "keep")
        assert (outcome.changed, outcome.skipped) == (("L1",), ("L0",))
        assert "there is no label to keep" in str(outcome)
        assert journal_of(run) == [("L1", "keep", None)]
        decide(dataset, sample_of(dataset, "L0"), "relabel", label="lamp")
        assert journal_of(run)[1:] == [("L0", "relabel", "lamp")]

    def test_of_reposts_one_without_a_label_stays_undecided_when_the_others_go(self, run, fo):
        unlabelled(run, "L9")
        dataset = open_dataset(run).dataset
        outcome = keep_one(dataset, sample_of(dataset, "L9")[0])
        assert journal_of(run) == [("L8", "delete", None)]
        assert str(outcome).startswith("1 marked for deletion; 1 listing unchanged: there is no label to keep")

    def test_a_new_class_takes_one_confirmation_and_is_then_a_class_like_any_other(self, run, fo):
        dataset = open_dataset(run).dataset
        (sample,) = sample_of(dataset, "L0")
        result = operate("relabel", dataset, selected=[sample], params={"label": "desk", "new_class": " Sofa  bed "})
        assert journal_of(run) == []
        (asked,) = [call.params for call in result.executor._requests if call.operator_uri.endswith("for_operation")]
        assert (asked["operator_uri"], asked["params"]["label"]) == ("@curate/review/add_class", "Sofa bed")
        operate("add_class", dataset, selected=[sample], params=asked["params"])
        assert decision_on(dataset, "L0")[:2] == ("relabel", "Sofa bed")
        assert run.decisions()[0][-1].new_class
        operate("relabel", dataset, selected=sample_of(dataset, "L1"), params={"label": "Sofa bed"})
        operate("relabel", dataset, selected=sample_of(dataset, "L2"), params={"new_class": "sofa BED"})
        assert journal_of(run)[1:] == [("L1", "relabel", "Sofa bed"), ("L2", "relabel", "Sofa bed")]
        assert [decision.new_class for decision in run.decisions()[0]] == [True] * 3

    def test_a_new_class_that_only_writes_another_one_otherwise_is_that_one(self, run, fo):
        dataset = open_dataset(run).dataset
        operate("relabel", dataset, selected=sample_of(dataset, "L0"), params={"new_class": "LAMP "})
        assert journal_of(run) == [("L0", "relabel", "lamp")]
        assert not run.decisions()[0][0].new_class

    def test_a_class_nobody_confirmed_is_refused(self, run, fo):
        dataset = open_dataset(run).dataset
        with pytest.raises(ReviewError, match="'sofa' is not a class of the run"):
            decide(dataset, sample_of(dataset, "L0"), "relabel", label="sofa")
        assert journal_of(run) == []

    def test_a_class_that_a_colleague_added_can_be_chosen_in_the_annotate_tab(self, run, fo):
        run.decide([Decision("L1", "relabel", "sofa", "ben", TIME, "csv", new_class=True)])
        dataset = open_dataset(run).dataset
        assert decision_on(dataset, "L1") == ("relabel", "sofa", "ben")
        edit(dataset, run, "L0", "sofa")
        assert [(each.new_label, each.new_class) for each in run.decisions()[0][1:]] == [("sofa", True)]

    def test_the_form_of_a_price_names_what_would_fit_and_waits_for_another_one(self, run, fo):
        priced(run, L2=1.25)
        dataset = open_dataset(run).dataset
        form = resolved("set_price", dataset, selected=sample_of(dataset, "L2"))
        assert form["price"].default is None
        assert form["now"].view.label == "Now 12, usually 8 to 30, 1.25 would fit"
        operate("set_price", dataset, selected=sample_of(dataset, "L2"), params={"price": " 3.50 "})
        assert prices_on(dataset, "L2") == (1.25, 3.5)
        assert "price" not in resolved("set_price", dataset)

    def test_relabelling_to_the_given_label_is_to_keep_it(self, run, fo):
        dataset = open_dataset(run).dataset
        decide(dataset, sample_of(dataset, "L0"), "relabel", label="chair")
        assert journal_of(run) == [("L0", "keep", None)]

    def test_a_decision_that_can_not_be_written_is_not_shown(self, run, fo):
        dataset = open_dataset(run).dataset
        run.journal.mkdir()  # no file can be appended to
        with pytest.raises(RunError, match="a folder in the place of a file"):
            decide(dataset, sample_of(dataset, "L0"), "keep")
        assert decision_on(dataset, "L0") == (None, None, None)

    def test_a_run_that_was_deleted_takes_no_decisions(self, run, fo):
        dataset = open_dataset(run).dataset
        shutil.rmtree(run.folder)
        with pytest.raises(ReviewError, match="does not exist"):
            decide(dataset, sample_of(dataset, "L0"), "keep")
        assert not run.folder.exists()

    def test_the_open_photo_is_decided_on_and_not_the_selection_behind_it(self, run, fo):
        dataset = open_dataset(run).dataset
        opened, selected = sample_of(dataset, "L0", "L1")
        result = operate("keep", dataset, current_sample=opened, selected=[selected])
        assert result.result == {"changed": 1}
        assert journal_of(run) == [("L0", "keep", None)]
        following = [call.params for call in result.executor._requests if call.operator_uri == "@curate/review/go_on"]
        assert [call["id"] for call in following] == [selected]

    def test_a_selection_is_decided_on_at_once(self, run, fo):
        dataset = open_dataset(run).dataset
        operate("relabel", dataset, selected=sample_of(dataset, "L0", "L1"), params={"label": "lamp", "note": "both"})
        assert journal_of(run) == [("L0", "relabel", "lamp"), ("L1", "relabel", "lamp")]

    def test_the_whole_view_is_decided_on_only_after_a_question(self, run, fo):
        dataset = open_dataset(run).dataset
        view = dataset.load_saved_view("Near duplicate issues")
        result = operate("delete", dataset, view=view)
        assert journal_of(run) == []
        assert "prompt_user_for_operation" in [call.operator_uri for call in result.executor._requests]
        operate("decide_on_view", dataset, view=view, params={"action": "delete"})
        assert journal_of(run) == [("L8", "delete", None), ("L9", "delete", None)]

    def test_other_datasets_are_left_alone(self, run, fo):
        other = fo.Dataset()
        other.add_sample(fo.Sample(filepath="/a.jpg"))
        assert operate("keep", other, selected=other.values("id")).result == {"changed": 0}


def operate(name: str, dataset: Any, **context: Any) -> Any:
    """Run one of our operators as the App does."""
    import fiftyone.operators as foo

    return foo.execute_operator(f"@curate/review/{name}", {"dataset": dataset, **context})


def resolved(name: str, dataset: Any, **context: Any) -> dict[str, Any]:
    """Return the fields of the form of one of our operators."""
    import fiftyone.operators as foo
    from fiftyone.operators.executor import ExecutionContext

    operator = foo.get_operator(f"@curate/review/{name}")
    params = {"dataset_name": dataset.name, **context}
    return dict(operator.resolve_input(ExecutionContext(params)).type.properties)
