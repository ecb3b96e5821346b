"""Test listings drawn for a review, and the difference on true labels that they give."""

import json
from dataclasses import replace

import numpy as np
import pytest

from curation import open_run
from curation.comparison.belief import belief_of, in_test_set
from curation.comparison.result import Comparison, read_comparison
from curation.comparison.sample import DESIGN, SAMPLE_FILE, draw_sample, read_sample
from curation.comparison.true_difference import true_difference
from curation.comparison.versions import Versions
from curation.errors import InputError, RunError
from curation.fixes import undo_fixes
from curation.report import write_report
from curation.review.page.write import write_page
from curation.run.journal import Decision
from tests.curation.comparison.test_retrain import another, fix_six, relabel_some, retrain, rows_of
from tests.curation.review.test_review_page import data_of
from tests.support.reporters import Listener
from training.utils.units import now


def keep(run, ids, action="keep", label=None):
    run.decide([Decision(id, action, label, "ana", now(), "app") for id in ids])


def of_test_set(run):
    table = run.training_table()
    return table[in_test_set(table)]


@pytest.fixture
def sampled(run):
    """A run with fixes, whose whole test set was drawn and kept but for one listing, which was relabelled."""
    fix_six(run)
    sample = draw_sample(run, 1000)
    first, *others = sample.listings
    keep(run, others)
    keep(run, [first], "relabel", another(of_test_set(run).set_index("id").loc[first, "label"]))
    return run


class TestDraw:
    def test_a_draw_is_random_and_says_the_chance_of_every_listing(self, run):
        sample = draw_sample(run, 12)
        content = json.loads((run.folder / SAMPLE_FILE).read_text())
        assert len(sample.listings) == len(set(sample.listings)) == 12
        assert {row["id"] for row in content["order"]} == set(of_test_set(run)["id"])
        assert sum(row["drawn"] for row in content["strata"]) == 12
        assert all(row["chance"] == row["drawn"] / row["listings"] > 0 for row in content["strata"])
        assert draw_sample(run, 12, seed=1).listings == sample.listings
        (run.folder / SAMPLE_FILE).unlink()
        assert draw_sample(run, 12, seed=1).listings != sample.listings

    def test_a_larger_budget_adds_to_the_draw_and_a_smaller_one_leaves_it(self, run):
        small = draw_sample(run, 12)
        large = draw_sample(run, 15)
        assert set(small.listings) < set(large.listings)
        assert len(large.listings) == 15
        assert draw_sample(run, 3).listings == large.listings
        assert read_sample(run) == large

    def test_what_people_decided_before_is_not_drawn(self, run):
        ids = of_test_set(run)["id"].tolist()
        keep(run, ids[:5])
        sample = draw_sample(run, 1000)
        assert set(sample.decided) == set(ids[:5])
        assert set(sample.listings) == set(ids[5:])

    def test_with_everything_decided_there_is_nothing_to_draw(self, run):
        keep(run, of_test_set(run)["id"])
        with pytest.raises(InputError, match="no test listing to draw"):
            draw_sample(run, 10)
        assert not (run.folder / SAMPLE_FILE).exists()

    def test_once_both_versions_predict_more_is_drawn_from_where_they_disagree(self, run, monkeypatch):
        relabel_some(run)
        retrain(run, seeds=1)
        stored = run.predictions()
        # they disagree on the first listing alone
        stored["after"] = stored["before"].copy()
        stored["after"][:, 0] = (stored["before"][:, 0] + 1) % len(run.classes)
        np.savez_compressed(run.predictions_file, **stored)
        monkeypatch.setattr("curation.comparison.sample.DESIGN", replace(DESIGN, listings=6))
        sample = draw_sample(run, 12)
        assert sample.by == "disagreement"
        assert sample.chances[-1] > 2 * sample.chances[0]
        assert str(stored["id"][0]) in sample.listings

    @pytest.mark.parametrize("content", ["{", "[]", '{"strata": []}', "null"])
    def test_a_damaged_file_is_named_and_never_replaced(self, run, content):
        (run.folder / SAMPLE_FILE).write_text(content)
        for use in (lambda: draw_sample(run, 10), lambda: read_sample(run)):
            with pytest.raises(RunError, match=r"test-sample\.json is damaged"):
                use()
        assert (run.folder / SAMPLE_FILE).read_text() == content

    def test_counts_that_do_not_fit_the_listings_are_damage(self, run):
        draw_sample(run, 10)
        file = run.folder / SAMPLE_FILE
        content = json.loads(file.read_text())
        content["strata"][0]["drawn"] = 10_000
        file.write_text(json.dumps(content))
        with pytest.raises(RunError, match="do not fit"):
            read_sample(run)

    def test_a_budget_beyond_the_test_set_is_told(self, run):
        listener, whole = Listener(), len(of_test_set(run))
        assert open_run(run.folder).review_page(test=True, budget=1000, reporter=listener).listings == whole
        assert f"The test set has only {whole} listings to draw, not 1,000: all of them are drawn." in listener.lines

    def test_a_suggestion_that_was_accepted_unseen_is_still_to_be_decided(self, run):
        first, second, *_ = draw_sample(run, 7).listings
        run.decide([Decision(first, "keep", None, "curate", now(), "suggestion")])
        keep(run, [second])
        assert open_run(run.folder).review_page(test=True).decided == 1

    def test_the_review_page_shows_the_drawn_listings(self, run):
        sample = draw_sample(run, 7)
        assert write_page(run, only=sample.listings).listings == 7

    def test_the_page_of_test_listings_says_so_and_leaves_that_of_the_queue_as_it_is(self, run):
        queue = write_page(run).path
        before = queue.read_bytes()
        made = open_run(run.folder).review_page(test=True, budget=12)
        assert (made.path.name, queue.read_bytes()) == ("test.html", before)
        assert data_of(made.path)["run"]["drawn"] == "test listings, drawn at random"
        assert data_of(queue)["run"]["drawn"] == ""

    def test_the_review_page_of_test_listings_shows_nothing_that_curate_thinks_of_them(self, run):
        made = open_run(run.folder).review_page(test=True, budget=12)
        data = data_of(made.path)
        assert {listing["id"] for listing in data["listings"]} == set(read_sample(run).listings)
        assert data["kinds"] == []
        for listing in data["listings"]:
            assert [listing[name] for name in ("suggested", "suggestedChance", "givenChance", "low")] == [None] * 4
            assert [listing[name] for name in ("issues", "reasons", "likely", "likeSuggested")] == [[]] * 4
        assert data["run"]["command"].startswith("curate apply-fixes --run ")


class TestBelief:
    def test_the_given_label_and_the_suggested_one_have_their_chances(self, run):
        issues = run.issues().set_index("id")
        ids = issues.index[issues["suggested_label"].notna() & issues["label_score"].notna()][:20].tolist()
        belief = belief_of(run, ids, [*run.classes, "Drones"])
        place = {name: number for number, name in enumerate(run.classes)}
        assert belief.sum(axis=1) == pytest.approx(np.ones(len(ids)))
        assert (belief[:, -1] == 0).all()
        for row, id in enumerate(ids):
            known = issues.loc[id]
            assert belief[row, place[known["given_label"]]] == pytest.approx(known["label_score"], abs=1e-6)
            assert belief[row, place[known["suggested_label"]]] == pytest.approx(
                known["suggested_confidence"], abs=1e-6
            )

    def test_it_does_not_change_with_what_people_decide(self, run):
        ids = of_test_set(run)["id"].tolist()
        before = belief_of(run, ids, run.classes)
        keep(run, ids[:5], "relabel", "Webcams")
        assert np.array_equal(belief_of(run, ids, run.classes), before)


class TestEstimate:
    def test_with_the_whole_test_set_drawn_it_is_the_difference_on_reviewed_labels(self, sampled):
        result = retrain(sampled, seeds=2)
        made, reviewed = result["estimated_true_difference"], result["reviewed_test_labels"]
        assert made["mean"] == pytest.approx(reviewed["difference"]["mean"])
        assert made["reviewed"] == made["of"] == result["test_listings"]
        assert (made["decided_before"], made["undecided"]) == (0, 0)

    def test_it_is_in_the_file_the_report_and_the_words(self, sampled):
        result = retrain(sampled, seeds=2)
        made = result["estimated_true_difference"]
        assert Comparison.from_dict(result).to_dict() == result
        assert read_comparison(sampled).estimated.verdict == made["verdict"]
        assert made["width"] == pytest.approx(made["high"] - made["low"])
        assert made["sentence"] in read_comparison(sampled).to_markdown()
        assert "On true labels, estimated" in write_report(sampled).read_text()
        assert 0 <= made["lambda"] <= 1

    def test_without_a_draw_there_is_none(self, run):
        fix_six(run)
        keep(run, rows_of(run, "test")["id"])
        result = retrain(run, seeds=1)
        assert "estimated_true_difference" not in result
        assert result["reviewed_test_labels"]["decided"] == 6

    def test_a_draw_of_which_too_little_is_decided_gives_a_warning_and_no_estimate(self, run):
        fix_six(run)
        keep(run, draw_sample(run, 12).listings[:4])
        result = retrain(run, seeds=1)
        assert "estimated_true_difference" not in result
        assert any(line.startswith("4 of 12 drawn test listings are decided, too few") for line in result["warnings"])

    def test_drawn_listings_without_a_decision_give_a_warning(self, sampled):
        keep(sampled, draw_sample(sampled, 1).listings[-1:], "undo")
        undecided = retrain(sampled, seeds=1)
        made = undecided.get("estimated_true_difference")
        assert made is None or made["undecided"] == 1
        assert any("drawn test listings" in line and "review_page(test=True" in line for line in undecided["warnings"])

    def test_what_was_decided_after_the_draw_and_was_not_drawn_does_not_count(self, run):
        fix_six(run)
        ids = of_test_set(run)["id"].tolist()
        keep(run, ids[:8])
        sample = draw_sample(run, 15)
        keep(run, sample.listings)
        first = retrain(run, seeds=1)["estimated_true_difference"]
        left = [id for id in ids[8:] if id not in sample.listings]
        keep(run, left[:5], "relabel", "Webcams")
        later = retrain(run, seeds=1)["estimated_true_difference"]
        assert later == first
        assert (first["reviewed"], first["decided_before"]) == (15, 8)

    @pytest.mark.parametrize(("verdict", "differs"), [("hurt", True), ("no difference", False)])
    def test_verdicts_that_differ_are_both_said_in_a_warning(self, sampled, verdict, differs):
        versions, sample = Versions(sampled), read_sample(sampled)
        same = np.tile(versions.given, (2, 1))
        made, warnings = true_difference(sampled, versions, sample, {"before": same, "after": same}, verdict, seed=0)
        assert made.verdict == "no difference"
        assert any(f"the verdict is {verdict!r}" in line for line in warnings) == differs

    def test_the_draw_stays_when_the_fixes_are_undone(self, sampled):
        before = (sampled.folder / SAMPLE_FILE).read_bytes()
        undo_fixes(sampled)
        assert (sampled.folder / SAMPLE_FILE).read_bytes() == before
