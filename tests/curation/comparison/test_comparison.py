"""What a comparison is made of: versions, controls, true labels, warnings; and how it is shown."""

from __future__ import annotations

import html
import json
import shutil

import numpy as np
import pandas as pd
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from curation.comparison.result import Comparison, read_comparison
from curation.comparison.scores import scores
from curation.comparison.truth import NO_CLASS, read_truth
from curation.comparison.versions import Versions
from curation.comparison.warnings import warnings_of
from curation.errors import InputError
from curation.run.folder import RunFolder
from tests.curation.comparison.test_retrain import another, decide, fix_six, relabel_some, retrain, rows_of
from training.utils.files import write_json


@pytest.fixture
def fixed(run) -> RunFolder:
    """A run of which a person relabelled four training listings and deleted two."""
    fix_six(run)
    return run


@pytest.fixture(scope="module")
def controlled(finished, demo, tmp_path_factory):
    """A run with a comparison with all controls, and its result; tests must not change them."""
    run = RunFolder(tmp_path_factory.mktemp("controlled") / "run")
    shutil.copytree(finished.folder, run.folder)
    fix_six(run)
    truth = pd.read_csv(demo / "truth.csv", dtype=str)
    unknown = run.training_table()["id"].iloc[Versions(run).test[:2]]
    truth[~truth["id"].isin(unknown)].to_csv(run.folder / "truth.csv", index=False)
    return run, retrain(run, seeds=2, controls=True, truth=str(run.folder / "truth.csv"))


class TestControls:
    def test_every_control_is_scored_like_the_other_versions(self, controlled):
        run, result = controlled
        names = {"random_deletion", "all_suggestions", "relabelled_only", "deleted_only", "correct_labels"}
        assert set(result["controls"]) == set(result["true_test_labels"]["controls"]) == names
        for control in result["controls"].values():
            gain = control["macro_f1"] - result["before"]["macro_f1"]
            assert control["difference"]["mean"] == pytest.approx(gain)
            assert len(control["macro_f1_by_seed"]) == 2
        with np.load(run.predictions_file, allow_pickle=False) as stored:
            assert names < set(stored)

    def test_as_many_listings_are_deleted_at_random_as_were_fixed_and_others_for_each_seed(self, fixed):
        versions = Versions(fixed, controls=True)
        deleted = [
            set(np.flatnonzero((versions.labels("random_deletion", seed) < 0) & (versions.before >= 0)))
            for seed in (0, 1, 0)
        ]
        assert [len(rows) for rows in deleted] == [6, 6, 6]
        assert deleted[0] == deleted[2] != deleted[1]

    def test_each_kind_of_fix_alone_makes_the_fixes_together(self, fixed):
        versions = Versions(fixed, controls=True)
        relabelled, deleted = versions.labels("relabelled_only", 0), versions.labels("deleted_only", 0)
        assert (relabelled != versions.before).sum() == 4
        assert (deleted != versions.before).sum() == 2
        assert np.array_equal(np.where(deleted < 0, -1, relabelled), versions.after)

    def test_one_kind_of_fix_is_no_control_of_itself(self, run):
        relabel_some(run)
        assert Versions(run, controls=True).names == ["before", "after", "random_deletion", "all_suggestions"]

    def test_suggestions_are_accepted_whatever_people_decided_but_not_in_the_test_set(self, fixed):
        versions = Versions(fixed, controls=True)
        issues = fixed.issues().set_index("id").loc[versions.ids].reset_index()
        blind = versions.labels("all_suggestions", 0)
        names = np.array([*versions.classes, None], dtype=object)
        trains = versions.before >= 0
        flagged = issues["is_label_issue"].fillna(False).to_numpy(bool) & trains
        assert flagged.any()
        assert (names[blind[flagged]] == issues["suggested_label"][flagged]).all()
        assert np.array_equal(blind[trains & ~flagged], versions.before[trains & ~flagged])
        assert (blind[versions.test] == -1).all()

    def test_correct_labels_are_those_of_the_truth(self, fixed, demo):
        truth = read_truth(fixed, str(demo / "truth.csv"))
        versions = Versions(fixed, truth, controls=True)
        correct, trains = versions.labels("correct_labels", 0), versions.before >= 0
        # the demo has toys, which are of no class
        assert (truth[trains] == NO_CLASS).any()
        assert np.array_equal(correct[trains], np.maximum(truth[trains], -1))
        assert (correct[~trains] == -1).all()
        assert (correct != versions.before).any()

    def test_a_listing_of_no_class_is_deleted_and_one_without_truth_stays(self, fixed, tmp_path):
        rows = rows_of(fixed, "train", 4)
        true = [rows["label"].iloc[0], "Toys", ""]
        pd.DataFrame({"id": rows["id"][:3], "true_label": true}).to_csv(tmp_path / "truth.csv", index=False)
        truth = read_truth(fixed, str(tmp_path / "truth.csv"))
        assert truth[rows.index[1]] == NO_CLASS
        assert truth[rows.index[2]] == truth[rows.index[3]] == -1
        versions = Versions(fixed, truth, controls=True)
        correct = versions.labels("correct_labels", 0)
        assert correct[rows.index[1]] == -1
        assert np.array_equal(correct[rows.index[[0, 2, 3]]], versions.before[rows.index[[0, 2, 3]]])

    def test_the_share_of_the_possible_gain_is_left_out_where_none_can_be_shown(self, controlled):
        _, result = controlled
        block = result["true_test_labels"]
        helped = block["controls"]["correct_labels"]["verdict"] == "helped"
        assert (block["share_of_possible"] is not None) == helped
        if helped:
            gains = [block["difference"]["mean"], block["controls"]["correct_labels"]["difference"]["mean"]]
            assert block["share_of_possible"]["mean"] == pytest.approx(gains[0] / gains[1])


class TestTruth:
    def test_a_column_of_the_dataset_is_taken_too(self, fixed):
        listings = fixed.training_table()
        fixed.write_table(fixed.listings_file, listings.assign(expert=listings["label"]))
        assert np.array_equal(read_truth(fixed, "expert") >= 0, listings["label"].notna().to_numpy())

    @pytest.mark.parametrize(
        ("content", "match"),
        [
            ("id,true\na,b\n", "no column 'true_label'"),
            ("id,true_label\na,Webcams\na,Webcams\n", "repeated ids"),
            ("id,true_label\na,nonsense\n", "no true label that is a class"),
        ],
    )
    def test_a_file_that_can_not_be_used_is_refused(self, fixed, tmp_path, content, match):
        (tmp_path / "truth.csv").write_text(content)
        with pytest.raises(InputError, match=match):
            read_truth(fixed, str(tmp_path / "truth.csv"))

    def test_a_near_miss_of_a_column_is_named(self, fixed):
        with pytest.raises(InputError, match="label"):
            read_truth(fixed, "labell")

    def test_test_listings_of_unknown_truth_are_left_out_of_those_scores(self, controlled):
        run, result = controlled
        truth = read_truth(run, str(run.folder / "truth.csv"))[Versions(run).test]
        assert result["true_test_labels"]["listings"] == (truth >= 0).sum() < result["test_listings"]
        assert result["true_test_labels"]["before"]["macro_f1"] != result["before"]["macro_f1"]


class TestWhatChanged:
    def test_changes_are_counted_by_kind_and_by_who_decided(self, controlled):
        _, result = controlled
        assert {row["source"] for row in result["changes"]} == {"person"}
        by_kind = {"relabel": 0, "delete": 0}
        for row in result["changes"]:
            by_kind[row["action"]] += row["listings"]
        assert by_kind == {"relabel": 4, "delete": 2}

    def test_training_listings_by_class_add_up(self, controlled):
        _, result = controlled
        rows = pd.DataFrame(result["training"]).T
        assert rows["before"].sum() == result["train_listings"]["before"]
        assert rows["after"].sum() == result["train_listings"]["after"]
        moved = rows["before"] + rows["relabelled_to"] - rows["relabelled_away"] - rows["deleted"]
        assert (moved == rows["after"]).all()

    def test_confusion_and_flips_are_those_of_the_predictions(self):
        truth = np.array([0, 0, 1, 2])
        before = np.array([[0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 1, 0]])
        after = np.array([[1, 0, 1, 2], [1, 0, 1, 2], [0, 0, 1, 1]])
        content = scores(
            truth,
            {"before": before, "after": after},
            np.arange(4),
            np.array(["a", "b", "c", "d"]),
            ["x", "y", "z"],
            seed=0,
        ).to_dict()
        pairs = {(row["label"], row["predicted"]): (row["before"], row["after"]) for row in content["confusion"]}
        assert pairs["x", "x"] == pytest.approx((4 / 3, 4 / 3))
        assert pairs["z", "z"] == pytest.approx((0, 2 / 3))
        assert sum(row["before"] for row in content["confusion"]) == pytest.approx(4)
        assert [row["id"] for row in content["flips"]["to_right"]] == ["b", "d"]
        assert [row["id"] for row in content["flips"]["to_wrong"]] == ["a"]
        wrong = content["flips"]["to_wrong"][0]
        assert (wrong["before"], wrong["after"]) == ("x", "y")
        assert (wrong["before_right"], wrong["after_right"]) == pytest.approx((1, 1 / 3))

    def test_a_label_that_a_person_gives_to_a_listing_without_one_counts(self, run):
        row = rows_of(run, "train").iloc[0]
        listings = run.training_table()
        listings.loc[listings["id"] == row["id"], "label"] = None
        run.write_table(run.listings_file, listings)
        decide(run, **{row["id"]: "Webcams"})
        versions = Versions(run)
        assert versions.relabelled.sum() == 1
        assert versions.before[row.name] == -1


class TestWarnings:
    def test_a_class_that_the_fixes_emptied_is_named(self, run):
        listings = run.training_table()
        trains = (listings["split"] == "train") & (listings["label"] == "Webcams")
        decide(run, **dict.fromkeys(listings["id"][trains]))
        assert any(
            "without training listings in the cleaned dataset: Webcams" in line
            for line in warnings_of(Versions(run), 5)
        )
        result = retrain(run, seeds=1)
        assert any("cleaned dataset: Webcams" in line for line in result["warnings"])
        assert result["after"]["per_class"]["Webcams"]["recall"] == 0

    def test_a_small_test_set_and_classes_without_test_listings_give_warnings_and_the_rest_is_reported(self, run):
        listings = run.training_table()
        moved = (listings["split"] == "test") & listings["label"].isin(["Webcams", "Chargers"])
        listings.loc[moved, "split"] = "train"
        run.write_table(run.listings_file, listings)
        relabel_some(run)
        result = retrain(run, seeds=1)
        text = " ".join(result["warnings"])
        assert "expect wide intervals" in text
        assert "without test listings: Chargers, Webcams" in text
        assert "F1 is unreliable" in text
        assert "one seed" in text
        assert result["per_class"]["Webcams"]["difference"] is None
        assert result["verdict"] in ("helped", "hurt", "no difference")

    def test_a_past_version_is_called_one_in_a_warning(self, run):
        relabel_some(run)
        assert not any("past version" in line for line in retrain(run, seeds=1)["warnings"])
        manifest = run.cleaned / "manifest.json"
        write_json(manifest, {**json.loads(manifest.read_text()), "as_of": "2026-11-29T13:05:00.000+00:00"})
        warning = "the cleaned dataset is a past version, of the decisions that held at 2026-11-29T13:05:00.000+00:00"
        assert retrain(run, seeds=1)["warnings"][0].startswith(warning)

    def test_flagged_test_labels_give_a_warning_until_a_person_has_decided_on_them(self, run):
        relabel_some(run)
        issues, tests = run.issues(), rows_of(run, "test", 12)
        issues["is_label_issue"] = issues["id"].isin(tests["id"])
        run.write_table(run.issues_file, issues)
        start = f"{len(tests)} of {len(Versions(run).test)} test labels are flagged"
        assert any(line.startswith(start) for line in warnings_of(Versions(run), 5))
        decide(run, **{row.id: another(row.label) for row in tests.itertuples()})
        assert Versions(run).doubted == 0
        assert not any("test labels are flagged" in line for line in warnings_of(Versions(run), 5))


class TestShowing:
    def test_the_file_is_the_comparison(self, controlled):
        run, result = controlled
        assert json.loads(run.comparison_file.read_text()) == result
        assert read_comparison(run).to_dict() == result

    def test_a_run_without_a_comparison_has_none(self, run):
        assert read_comparison(run) is None

    def test_a_notebook_shows_the_outcome_and_every_class(self, controlled):
        run, result = controlled
        page = read_comparison(run)._repr_html_()
        assert html.escape(result["sentence"]) in page
        assert all(html.escape(name) in page for name in run.classes)
        assert "labels as given" in page

    def test_the_sentence_says_numbers_interval_and_verdict(self, controlled):
        _, result = controlled
        before, after = result["before"]["macro_f1"], result["after"]["macro_f1"]
        assert result["sentence"].startswith(f"macro-F1 {before:.3f} → {after:.3f} (")
        assert "2 seeds" in result["sentence"]
        if result["verdict"] == "no difference":
            assert f"can detect a difference of about {result['could_show']:.3f} or more" in result["sentence"]

    def test_markdown_has_every_class_and_control_and_no_broken_table(self, controlled):
        _, result = controlled
        renamed = json.loads(json.dumps(result).replace("Webcams", "Web|cams"))
        text = Comparison.from_dict(renamed).to_markdown()
        rows = [line for line in text.splitlines() if line.startswith("|")]
        assert any(line.startswith("| Web\\|cams |") for line in rows)
        assert "as many listings deleted at random" in text
        assert "true labels" in text
        for line in rows:
            assert line.replace("\\|", "").count("|") in (5, 7)

    def test_tensorboard_shows_both_versions_and_the_controls(self, controlled):
        run, result = controlled
        folder = run.training_folder / "retrain" / "comparison"
        assert {path.name for path in folder.iterdir()} == {"before", "after", *result["controls"]}
        log = EventAccumulator(str(folder / "after"), size_guidance={"images": 0}).Reload()
        values = [event.value for event in log.Scalars("labels_as_given/macro_f1")]
        assert values == pytest.approx(result["after"]["macro_f1_by_seed"], abs=1e-6)
        assert "true_labels/confusion" in log.Tags()["images"]
        assert "comparison/text_summary" in log.Tags()["tensors"]


class TestSettings:
    def test_networks_can_be_compared_where_the_run_had_none(self, fixed):
        changes = {"epochs": 1, "model": "squeezenet1_1", "batch_size": 32}
        result = retrain(fixed, seeds=1, changes=changes)
        assert result["model"] == "squeezenet1_1, 1 epoch, photos of 32 pixels"
        assert (result["epochs"], result["settings"]["batch_size"]) == (1, 32)

    @pytest.mark.parametrize(
        ("changes", "match"),
        [
            ({"learning_rate": 0.1}, "no network is trained"),
            ({"epochs": 0, "batch_size": 8}, "no network is trained"),
            ({"epochs": 2, "model": "resnet81"}, "resnet18"),
            ({"optimizer": "adan"}, "adam"),
        ],
    )
    def test_settings_without_effect_or_that_do_not_exist_are_refused_before_anything_is_trained(
        self, fixed, changes, match
    ):
        with pytest.raises(InputError, match=match):
            retrain(fixed, seeds=1, changes=changes)
        assert not (fixed.training_folder / "retrain").exists()
