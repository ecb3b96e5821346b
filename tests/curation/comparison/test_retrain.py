"""The comparison before and after, on one fixed test set."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import torch

from curation.comparison import compare
from curation.comparison.train import settings_of
from curation.comparison.versions import Versions
from curation.errors import InputError, RunError
from curation.fixes import apply_fixes, plan_fixes, undo_fixes
from curation.listings import read_listings
from curation.report import write_report
from curation.run.folder import RunFolder
from curation.run.journal import Decision
from training.settings import PRECISIONS
from training.utils.units import now


def decide(run, **actions):
    """Apply a person's decisions: id=class relabels, id=None deletes."""
    run.decide(
        [
            Decision(id, "delete" if label is None else "relabel", label, "ana", now(), "app")
            for id, label in actions.items()
        ]
    )
    apply_fixes(run, plan_fixes(run))


def retrain(run, **options):
    """Compare, and return the content of comparison.json."""
    return compare.retrain(run, **options).to_dict()


def rows_of(run, split, count=6):
    listings = run.training_table()
    chosen = (listings["split"] == split) & listings["unreadable"].isna() & ~listings["sha256"].duplicated(keep=False)
    return listings[chosen].head(count)


def another(label):
    return "Webcams" if label != "Webcams" else "Chargers"


def relabel_some(run, split="train"):
    decide(run, **{row.id: another(row.label) for row in rows_of(run, split).itertuples()})


def fix_six(run):
    """Relabel four training listings, and delete two."""
    rows = rows_of(run, "train")
    decide(run, **{row.id: another(row.label) for row in rows[:4].itertuples()}, **dict.fromkeys(rows["id"][4:]))


def checkpoints(run):
    return sorted((run.training_folder / "retrain").glob("*/checkpoint.pt"))


def test_the_comparison_has_what_others_rely_on_and_counts_the_changes(run):
    fix_six(run)
    result = retrain(run, seeds=2)
    assert (result["relabelled"], result["deleted"]) == (4, 2)
    assert result["train_listings"]["before"] - result["train_listings"]["after"] == 2
    assert result["seeds"] == [3, 4]
    assert result["verdict"] in ("helped", "hurt", "no difference")
    difference = result["after"]["macro_f1"] - result["before"]["macro_f1"]
    assert result["difference"]["mean"] == pytest.approx(difference)
    assert result["difference"]["low"] <= difference <= result["difference"]["high"]
    assert set(result["per_class"]) == set(run.classes)
    support = sum(scores["support"] for scores in result["before"]["per_class"].values())
    assert support == result["test_listings"] == sum(s["support"] for s in result["after"]["per_class"].values())
    assert run.comparison_file.exists()
    with np.load(run.predictions_file, allow_pickle=False) as stored:
        assert stored["before"].shape == stored["after"].shape == (2, result["test_listings"])


def test_the_test_set_is_that_of_the_run_whatever_was_decided(run):
    listings = run.training_table()
    tests = set(listings["id"][(listings["split"] == "test") & listings["unreadable"].isna()])
    relabel_some(run)
    retrain(run, seeds=1)
    with np.load(run.predictions_file, allow_pickle=False) as stored:
        assert set(stored["id"].tolist()) == tests


def test_listings_like_a_test_listing_train_neither_model(run):
    listings = run.training_table()
    # as if a repost of a test listing were among the training listings
    test, train = rows_of(run, "test", 1).index[0], rows_of(run, "train", 1).index[0]
    listings.loc[train, "sha256"] = listings.loc[test, "sha256"]
    run.write_table(run.listings_file, listings)
    relabel_some(run)
    assert retrain(run, seeds=1)["left_out_like_test"] == 1


def test_labels_that_people_change_in_the_test_set_are_scored_apart(run):
    row = next(rows_of(run, "test").itertuples())
    relabel_some(run)
    decide(run, **{row.id: another(row.label)})
    result = retrain(run, seeds=1)
    reviewed = result["reviewed_test_labels"]
    assert (reviewed["decided"], reviewed["relabelled"], reviewed["deleted"]) == (1, 1, 0)
    assert (
        result["before"]["per_class"][row.label]["support"]
        > (result["reviewed_test_labels"]["before"]["per_class"][row.label]["support"])
    )


def test_accepted_suggestions_never_touch_the_test_set(run):
    issues = run.issues()
    issues["is_label_issue"] = True
    run.write_table(run.issues_file, issues)
    apply_fixes(run, plan_fixes(run, accept_suggestions=True, min_confidence=0.0))
    split = run.training_table().set_index("id")["split"]
    changes = pd.read_csv(run.cleaned / "changes.csv")
    assert len(changes) > 0
    assert (split[changes["id"]] == "train").all()


def test_without_compare_only_the_cleaned_dataset_is_trained_on(run):
    relabel_some(run)
    result = retrain(run, seeds=1, compare=False)
    assert "after" in result
    assert "before" not in result
    assert "difference" not in result
    assert not run.comparison_file.exists()
    assert [path.parent.name for path in checkpoints(run)] == ["after-3"]


def test_models_that_are_there_already_are_not_trained_again(run):
    relabel_some(run)
    first = retrain(run, seeds=1)
    times = {path: path.stat().st_mtime_ns for path in checkpoints(run)}
    assert len(times) == 2
    second = retrain(run, seeds=1)
    assert {path: path.stat().st_mtime_ns for path in times} == times
    assert first["difference"] == second["difference"]


def test_the_precision_is_the_run_s_unless_another_is_asked_for(run):
    for precision in PRECISIONS[1:]:
        run.update(computed={"precision": precision, "threads": 7})
        assert settings_of(run, {})[0].precision == precision
    assert settings_of(run, {"precision": "auto"})[0].precision == "auto"
    assert settings_of(run, {})[0].threads is None


def test_features_are_made_as_in_the_run_and_networks_see_smaller_photos(run):
    assert settings_of(run, {})[0].features == "patches"
    run.update(features_of="lite0", image_size=160)
    recipe, _ = settings_of(run, {"epochs": 2})
    assert (recipe.features, recipe.size) == ("lite0", 32)
    # a run of an earlier version: the model, where there were weights, and photos of one size
    run.update(features_of=None)
    assert settings_of(run, {})[0].features == "patches"
    assert settings_of(run, {"epochs": 2})[0].size == 160
    train = {**run.record()["settings"]["train"], "model": "lite0"}
    run.update(pretrained=True, settings={**run.record()["settings"], "train": train})
    assert settings_of(run, {})[0].features == "lite0"


def test_features_that_cant_be_made_as_in_the_run_are_refused_by_name(run, without_weights):
    run.update(features_of="lite0")
    with pytest.raises(InputError, match="the weights of lite0 are not there"):
        settings_of(run, {})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"features": "lite0"}, r"a comparison makes features as its run did: got `features='lite0'`"),
        ({"model": "resnet50"}, "`model` would have no effect, because no network is trained"),
        ({"pretrained": True}, "`pretrained` would have no effect"),
    ],
)
def test_changes_that_would_not_be_followed_are_refused(run, changes, message):
    with pytest.raises(InputError, match=message):
        settings_of(run, changes)


def test_features_of_other_settings_leave_those_of_the_run_as_they_are(run):
    relabel_some(run)
    note = run.training_folder / "features-3.json"
    note.write_text(json.dumps({"key": "of a pretrained network"}))
    file = run.training_folder / "features-3.npy"
    before = file.read_bytes()
    retrain(run, seeds=1)
    assert file.read_bytes() == before
    assert json.loads(note.read_text()) == {"key": "of a pretrained network"}


def test_only_the_model_after_the_fixes_is_trained_again_when_they_change(run):
    relabel_some(run)
    retrain(run, seeds=1)
    times = {path.parent.name: path.stat().st_mtime_ns for path in checkpoints(run)}
    decide(run, **{rows_of(run, "train", 9)["id"].iloc[8]: None})
    assert retrain(run, seeds=1)["deleted"] == 1
    again = {path.parent.name: path.stat().st_mtime_ns for path in checkpoints(run)}
    assert again["before-3"] == times["before-3"]
    assert again["after-3"] > times["after-3"]


def test_a_run_with_networks_is_compared_with_networks(networked, tmp_path):
    shutil.copytree(networked.folder, tmp_path / "run")
    run = RunFolder(tmp_path / "run")
    relabel_some(run)
    assert retrain(run, seeds=1)["epochs"] == 1
    for path in checkpoints(run):
        assert torch.load(path)["network_probs"].shape == (len(np.load(run.predictions_file)["id"]), len(run.classes))
        assert list(path.parent.glob("events.out.tfevents.*"))


def test_without_a_change_nothing_is_trained_and_the_error_says_so(run):
    relabel_some(run, split="test")
    with pytest.raises(InputError, match="nothing to compare"):
        retrain(run, seeds=1)
    assert not (run.training_folder / "retrain").exists()


def test_without_a_cleaned_dataset_the_next_step_is_named(run):
    with pytest.raises(RunError, match=r"apply_fixes\(\)"):
        retrain(run, seeds=1)


def test_a_comparison_belongs_to_its_version_of_the_cleaned_dataset(run):
    relabel_some(run)
    retrain(run, seeds=1)
    made = run.comparison_file.read_text()
    decide(run, **{rows_of(run, "train", 9)["id"].iloc[8]: None})
    assert not run.comparison_file.exists()
    undo_fixes(run)
    assert run.comparison_file.read_text() == made


def test_the_cleaned_dataset_is_a_dataset_again(run, demo):
    relabel_some(run)
    cleaned = read_listings(run.cleaned)
    original = read_listings(demo)
    assert len(cleaned.table) == len(original.table)
    assert (cleaned.table["label"] != original.table["label"]).sum() == 6
    photo = cleaned.source.root / cleaned.table["image"][0]
    assert photo.resolve() == (demo / original.table["image"][0]).resolve()


def test_the_report_shows_decisions_comparison_and_escaped_words(run):
    issues = run.issues()
    flagged = issues["is_label_issue"].to_numpy(dtype=bool)
    issues.loc[flagged, "reasons"] = "<script>alert(1)</script>"
    run.write_table(run.issues_file, issues)
    relabel_some(run)
    retrain(run, seeds=1)
    page = write_report(run).read_text()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "Before and after" in page
    assert "6 relabel" in page
    assert "data:image/webp;base64," in page
    assert "http://" not in page.replace("http-equiv", "")
    assert "https://" not in page


def relabel(run, names, new_class=True):
    """Apply a person's decisions for classes that the run may not have: id=class."""
    run.decide([Decision(id, "relabel", name, "ana", now(), "app", new_class=new_class) for id, name in names.items()])
    apply_fixes(run, plan_fixes(run))


@pytest.mark.parametrize("count", [1, 2, 6])
def test_a_new_class_trains_the_models_after_the_fixes_however_few_listings_it_has(run, count):
    chosen = rows_of(run, "train", count)
    relabel(run, dict.fromkeys(chosen["id"], "Drones"))
    result = retrain(run, seeds=1, controls=True)
    assert (result["relabelled"], result["deleted"]) == (count, 0)
    assert result["train_listings"]["before"] == result["train_listings"]["after"]
    assert result["training"]["Drones"]["before"] == 0
    assert result["training"]["Drones"]["after"] == count
    # no test listing is of the new class, so it changes no mean over classes
    assert any("without test listings: " in words and "Drones" in words for words in result["warnings"])
    write_report(run)
    assert "Drones" in run.report_file.read_text(encoding="utf-8")


def test_a_new_class_that_only_test_listings_have_is_scored_by_the_reviewed_labels(run):
    relabel_some(run)
    row = next(rows_of(run, "test").itertuples())
    relabel(run, {row.id: "Drones"})
    result = retrain(run, seeds=1)
    assert result["per_class"]["Drones"]["before"]["support"] == 0
    reviewed = result["reviewed_test_labels"]
    assert (reviewed["decided"], reviewed["relabelled"]) == (1, 1)
    assert reviewed["after"]["per_class"]["Drones"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 1}
    write_report(run)


def test_prices_alone_train_no_other_model_and_review_no_test_label(run):
    train, test = (rows_of(run, split, 1)["id"].iloc[0] for split in ("train", "test"))
    run.decide([Decision(id, "reprice", None, "ana", now(), "app", new_price=12.5) for id in (train, test)])
    apply_fixes(run, plan_fixes(run))
    with pytest.raises(InputError, match="prices train no model"):
        retrain(run, seeds=1)
    relabel_some(run)
    assert "reviewed_test_labels" not in retrain(run, seeds=1)


def test_a_test_label_that_is_one_of_several_stays_and_counts_as_reviewed(run):
    relabel_some(run)
    run.decide([Decision(rows_of(run, "test", 1)["id"].iloc[0], "ambiguous", None, "ana", now(), "app")])
    reviewed = retrain(run, seeds=1)["reviewed_test_labels"]
    assert (reviewed["decided"], reviewed["relabelled"], reviewed["deleted"]) == (1, 0, 0)


def test_chances_of_labels_train_the_version_after_and_no_decision_is_needed(run):
    apply_fixes(run, plan_fixes(run, soft=True))
    result = retrain(run, seeds=1)
    assert (result["relabelled"], result["deleted"]) == (0, 0)
    assert 0 < result["weighted"] <= result["train_listings"]["after"]
    # the labels are the same on both sides
    after, before = (torch.load(file, weights_only=True)["head"]["weight"] for file in checkpoints(run))
    assert not torch.allclose(before, after)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda table: table.assign(label_weight=["1.5", *table["label_weight"][1:]]), "not from 0 to 1"),
        (lambda table: table.assign(label_weight=["-0.1", *table["label_weight"][1:]]), "not from 0 to 1"),
        (lambda table: table.assign(label_weight=["much", *table["label_weight"][1:]]), "much"),
        (lambda table: table.assign(label_weight=["nan", *table["label_weight"][1:]]), "no label_weight for"),
        (lambda table: table.assign(label_weight=["", *table["label_weight"][1:]]), "no label_weight for"),
        (lambda table: table[3:], "no row for"),
        (lambda table: table[:0], "no row for"),
        (lambda table: table.assign(id="x" + table["id"]), "not in the cleaned dataset"),
        (lambda table: pd.concat([table, table[:1]]), "two rows"),
        (
            lambda table: table.assign(second_label=table["second_label"].mask(table["second_label"] != "", "sofa")),
            "no class for",
        ),
        (lambda table: table.assign(second_weight=""), "one of second_label and second_weight"),
        (lambda table: table.assign(label=table["label"][::-1].to_list()), "another label than"),
        (None, "no such file"),
    ],
)
def test_chances_that_are_damaged_or_missing_are_refused_and_the_advice_mends_them(run, damage, said):
    apply_fixes(run, plan_fixes(run, soft=True))
    file = run.cleaned / "label_weights.csv"
    if damage is None:
        file.unlink()
    else:
        damage(pd.read_csv(file, dtype=str, keep_default_na=False)).to_csv(file, index=False)
    with pytest.raises(RunError, match=r"label_weights.csv.*Move cleaned/ out.*apply_fixes\(soft=True\)") as caught:
        Versions(run)
    assert said in str(caught.value)
    shutil.move(run.cleaned, run.folder.parent / "damaged")
    apply_fixes(run, plan_fixes(run, soft=True))
    assert Versions(run).soft is not None
