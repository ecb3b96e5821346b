"""Decisions made in the FiftyOne dataset of a run."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from curation.errors import DecisionsError, ReviewError, RunError
from curation.review.app import decide as deciding
from curation.review.app.dataset import PutBack, open_dataset, put_back_all
from curation.run.folder import RunFolder
from curation.run.journal import Decision, current_decisions
from tests.curation.review.test_review import (
    journal_of,
    make_run,
    needs_mongod,
)
from tests.support.app_dataset import (
    TIME,
    decide,
    decision_on,
    edit,
    keep_one,
    noted_on,
    priced,
    prices_on,
    sample_of,
    unlabelled,
)


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return make_run(tmp_path)


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

    def test_of_several_those_whose_suggestion_is_no_likelier_than_their_label_are_left_alone(self, run, fo):
        issues = run.issues()
        issues.loc[issues["id"] == "L1", "label_score"] = 0.99
        run.write_table(run.issues_file, issues)
        dataset = open_dataset(run).dataset
        outcome = decide(dataset, sample_of(dataset, "L0", "L1"), "accept")
        assert (outcome.changed, outcome.skipped) == (("L0",), ("L1",))
        assert str(outcome) == "1 listing relabelled as suggested; 1 listing unchanged: nothing likelier is suggested"
        assert decide(dataset, sample_of(dataset, "L1"), "accept").changed == ("L1",)

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
        assert result.result == {"changed": 1, "opens": selected}
        assert journal_of(run) == [("L0", "keep", None)]
        following = [call.params for call in result.executor._requests if call.operator_uri == "@curate/review/go_on"]
        assert [call["id"] for call in following] == [selected]

    def test_a_form_decides_on_the_photo_that_was_open_when_it_was_asked_for(self, run, fo):
        dataset = open_dataset(run).dataset
        asked_about, opened_since = sample_of(dataset, "L0", "L1")
        asked = operate("ask_note", dataset, current_sample=opened_since, params={"about": asked_about})
        (form,) = [call.params for call in asked.executor._requests if call.operator_uri.endswith("for_operation")]
        operate("note", dataset, current_sample=opened_since, params={**form["params"], "note": "seen"})
        assert journal_of(run) == [("L0", "note", None)]

    def test_an_undo_takes_back_a_colleagues_decision_only_if_the_card_showed_it(self, run, fo):
        dataset = open_dataset(run).dataset
        mine, theirs = sample_of(dataset, "L0", "L1")
        operate("keep", dataset, current_sample=mine)
        decide(dataset, [theirs], "delete", reviewer="ben")
        operate("undo", dataset, current_sample=theirs, params={"about": theirs, "seen": []})
        assert journal_of(run)[2:] == [("L0", "undo", None)]
        operate("undo", dataset, current_sample=theirs, params={"about": theirs, "seen": ["cat", "2026-01-01"]})
        assert len(journal_of(run)) == 3
        shown = run.decisions()[0][1]
        operate("undo", dataset, current_sample=theirs, params={"about": theirs, "seen": [shown.reviewer, shown.time]})
        assert journal_of(run)[3:] == [("L1", "undo", None)]

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
