"""A run opens in FiftyOne, whatever happened to it since."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curation.errors import ReviewError
from curation.review.app.dataset import open_dataset
from curation.run.folder import RunFolder
from curation.run.journal import Decision
from tests.curation.review.test_review import (
    journal_of,
    make_run,
    needs_mongod,
)
from tests.support.app_dataset import (
    TIME,
    decide,
    decision_on,
    noted_on,
    sample_of,
    with_hashes,
    with_probabilities,
)

LABELS = ("ground_truth", "suggested", "predictions")


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return make_run(tmp_path)


def ours_of(dataset: Any, listing: str) -> Any:
    return dataset.match({"listing_id": listing})


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

    def test_what_each_reviewer_said_is_shown_and_a_decision_in_sight_of_that_settles_it(self, run):
        run.decide([Decision("L0", "keep", None, "ana", TIME, "app")])
        run.decide([Decision("L0", "delete", None, "ben", TIME, "app", "old")])
        dataset = open_dataset(run).dataset
        assert noted_on(dataset, "L0") == ("delete", "ana: keep; ben: delete (old)")
        decide(dataset, sample_of(dataset, "L0"), "note", reviewer="cem", note="hm")
        assert set(run.holding_decisions().conflicts) == {"L0"}
        decide(dataset, sample_of(dataset, "L0"), "keep", reviewer="cem")
        assert run.holding_decisions().settled["L0"].reviewer == "cem"
        assert dataset.load_saved_view("Disagreements").values("listing_id") == []

    def test_who_sees_no_disagreement_in_the_app_settles_none(self, run):
        dataset = open_dataset(run).dataset
        run.decide([Decision("L0", "keep", None, "ana", TIME, "app")])
        decide(dataset, sample_of(dataset, "L0"), "delete", reviewer="ben")
        assert set(run.holding_decisions().conflicts) == {"L0"}
        decide(dataset, sample_of(dataset, "L0"), "undo", reviewer="ana")
        assert run.holding_decisions().settled["L0"].reviewer == "ben"

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
