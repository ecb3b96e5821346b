"""`find-issues` from a dataset to a finished run."""

import hashlib
import json
import shutil
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from curation.errors import InputError, RunError, RunInUseError
from curation.evidence.probabilities import Probabilities, given_probabilities
from curation.find import FindSettings, find
from curation.issues import COLUMNS
from curation.listings import read_listings
from curation.run.folder import RunFolder
from tests.support.holders import holding
from tests.support.reporters import Listener
from tests.support.synthetic import put_weights
from training.crossval.plan import Plan
from training.fit.throughput import Arrangement
from training.settings import Execution, Recipe, read_settings
from training.utils.devices import find_device
from training.utils.progress import Silent

QUICK = FindSettings(folds=2, recipe=Recipe(pretrained=False), execution=Execution(preset="quick", device="cpu"))
NETWORKS = replace(QUICK, recipe=replace(QUICK.recipe, model="squeezenet1_1", epochs=1, batch_size=32))


class Impatient(Silent):
    """Presses Ctrl-C after the first fold."""

    @contextmanager
    def bar(self, what):
        def progress(done, total):
            if what == "training" and done > total / 2:
                raise KeyboardInterrupt

        yield progress


@pytest.fixture
def arranged(monkeypatch):
    """Networks are always trained in the same way: what is measured differs from one time to the next."""
    way = Arrangement(find_device("cpu"), 1, 1, 0.01, 0.01)
    monkeypatch.setattr("training.crossval.plan.measure", lambda settings, device, classes, jobs, workers=None: way)


def contents(folder):
    return {path: hashlib.sha256(path.read_bytes()).digest() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_embedded_network_makes_the_features_of_larger_photos_without_asking_the_net(torch_home, demo, tmp_path):
    settings = replace(QUICK, recipe=Recipe(), text=False)
    listener = Listener()
    run = find(read_listings(demo), settings, run_folder=tmp_path / "run", reporter=listener)
    assert "features: pretrained lite0, photos of 160 pixels" in listener.lines
    record = run.record()
    assert (record["features_of"], record["pretrained"], record["image_size"]) == ("lite0", True, 160)
    assert record["settings"]["train"]["image_size"] is None
    assert not torch_home.exists()


def test_a_named_network_makes_the_features(torch_home, demo, tmp_path):
    put_weights(torch_home, "resnet18")
    settings = replace(QUICK, recipe=Recipe(features="resnet18", image_size=40), text=False)
    record = find(read_listings(demo), settings, run_folder=tmp_path / "run").record()
    assert (record["features_of"], record["image_size"]) == ("resnet18", 40)
    assert record["settings"]["train"]["features"] == "resnet18"


def test_a_network_is_trained_on_smaller_photos_than_features_are_made_of(demo, tmp_path, arranged):
    small = replace(NETWORKS.recipe, features="lite0")
    run = find(read_listings(demo), replace(NETWORKS, recipe=small, text=False), run_folder=tmp_path / "run")
    assert (run.record()["image_size"], run.record()["features_of"]) == (160, "lite0")
    assert Plan.load(run.training_folder / "plan.json").recipe.size == 32


def test_a_run_that_began_before_features_could_be_chosen_goes_on_with_its_own(demo, tmp_path):
    # as earlier versions wrote them: patches where there were no weights
    run, settings = tmp_path / "run", replace(QUICK, recipe=Recipe())
    patched = find(read_listings(demo), QUICK, run_folder=tmp_path / "patches")
    shutil.copytree(patched.folder, run)
    record, plan = json.loads((run / "run.json").read_text()), json.loads((run / "training/plan.json").read_text())
    del record["features_of"], record["finished"], plan["recipe"]["features"], plan["photo_size"]
    record |= {"status": "interrupted", "settings": settings.to_dict()}
    (run / "run.json").write_text(json.dumps(record))
    (run / "training/plan.json").write_text(json.dumps(plan))
    (run / "issues.parquet").unlink()
    listener = Listener()
    find(read_listings(demo), settings, run_folder=run, reporter=listener)
    assert "fold 1 of 2 is done already" in listener.lines
    assert RunFolder(run).record()["features_of"] == "patches"
    pd.testing.assert_frame_equal(RunFolder(run).issues(), patched.issues())


def test_without_weights_photos_are_as_the_preset_has_them(finished):
    assert finished.record()["image_size"] == 32


def test_a_run_has_every_file_that_others_rely_on(finished, demo):
    record = finished.record()
    assert record["status"] == "finished"
    assert record["seed"] == 3
    assert set(record["seconds"]) == {"photos", "train", "titles", "issues"}
    assert set(record["sha256"]) == {"table", "images"}
    assert record["sha256"]["table"] == hashlib.sha256((demo / "listings.csv").read_bytes()).hexdigest()
    assert {"torch", "cleanlab", "python", "curate"} <= set(record["versions"])
    issues = finished.issues()
    assert list(issues.columns) == list(COLUMNS)
    assert sorted(issues["priority"]) == list(range(1, 121))
    assert len(pd.read_csv(finished.issues_file.with_suffix(".csv"))) == 120
    assert finished.report_file.exists()


def test_rows_in_are_rows_out_in_the_order_of_the_input(finished, demo):
    ids = pd.read_csv(demo / "listings.csv")["id"].tolist()
    assert finished.listings()["id"].tolist() == ids
    assert finished.issues()["id"].tolist() == ids


def test_unreadable_photos_are_flagged_and_have_no_probabilities(finished, demo):
    truth = pd.read_csv(demo / "truth.csv", keep_default_na=False)
    planted = truth["issues"].str.contains("unreadable").to_numpy()
    assert np.array_equal(finished.issues()["is_unreadable_issue"].to_numpy(dtype=bool), planted)
    with np.load(finished.probabilities_file, allow_pickle=False) as stored:
        assert np.array_equal(np.isnan(stored["probs"]).any(axis=1), planted)
        assert stored["probs"].dtype == np.float32
        assert stored["id"].tolist() == truth["id"].tolist()


def test_listings_with_the_same_photo_share_fold_and_split(finished):
    listings = finished.listings()
    twins = listings[listings["sha256"].duplicated(keep=False)]
    assert len(twins) >= 4
    assert (twins.groupby("sha256")[["fold", "split"]].nunique() == 1).all(axis=None)


def test_a_fifth_of_the_listings_is_the_test_set_and_is_scored_too(finished):
    listings, issues = finished.listings(), finished.issues()
    test = (listings["split"] == "test").to_numpy()
    assert 0.15 < test.mean() < 0.26
    readable = ~issues["is_unreadable_issue"].to_numpy(dtype=bool)
    assert issues["label_score"][test & readable].notna().all()


def test_the_input_is_not_modified(demo, tmp_path):
    before = contents(demo)
    find(read_listings(demo), QUICK, run_folder=tmp_path / "run")
    assert contents(demo) == before


def test_the_same_seed_gives_the_same_issues(demo, tmp_path):
    first, second = (find(read_listings(demo), QUICK, run_folder=tmp_path / name) for name in "ab")
    pd.testing.assert_frame_equal(first.issues(), second.issues())


@pytest.mark.parametrize("settings", [QUICK, NETWORKS], ids=["heads", "networks"])
def test_an_interrupted_run_goes_on_and_ends_as_an_undisturbed_one(settings, demo, tmp_path, arranged):
    with pytest.raises(KeyboardInterrupt):
        find(read_listings(demo), settings, run_folder=tmp_path / "cut", reporter=Impatient())
    assert json.loads((tmp_path / "cut" / "run.json").read_text())["status"] == "interrupted"
    listener = Listener()
    resumed = find(read_listings(demo), settings, run_folder=tmp_path / "cut", reporter=listener)
    assert any("fold 1 of 2 is done already" in line for line in listener.lines)
    undisturbed = find(read_listings(demo), settings, run_folder=tmp_path / "whole")
    pd.testing.assert_frame_equal(resumed.issues(), undisturbed.issues())


def test_an_interrupted_run_keeps_its_plan_whatever_is_measured_later(demo, tmp_path, arranged, monkeypatch):
    with pytest.raises(KeyboardInterrupt):
        find(read_listings(demo), NETWORKS, run_folder=tmp_path / "run", reporter=Impatient())
    plan = (tmp_path / "run" / "training" / "plan.json").read_bytes()

    def measured_again(*arguments, **options):
        raise AssertionError("the plan was made again")

    monkeypatch.setattr("training.crossval.plan.measure", measured_again)
    find(read_listings(demo), NETWORKS, run_folder=tmp_path / "run")
    assert (tmp_path / "run" / "training" / "plan.json").read_bytes() == plan


def test_a_run_with_networks_has_a_model_and_a_learning_curve_per_fold(networked):
    for fold in range(3):
        folder = networked.training_folder / f"fold-{fold}"
        assert list(folder.glob("events.out.tfevents.*"))
        content = torch.load(folder / "checkpoint.pt")
        assert len(content["history"]) == 1
        assert content["model"]
        assert content["network_probs"].shape == content["head_probs"].shape
        assert not list(folder.glob("unfinished-*"))
    with np.load(networked.probabilities_file) as stored:
        known = stored["probs"][~np.isnan(stored["probs"]).any(axis=1)]
        assert np.allclose(known.sum(axis=1), 1, atol=1e-5)


def test_a_run_without_networks_has_none(finished):
    for fold in range(3):
        folder = finished.training_folder / f"fold-{fold}"
        assert sorted(path.name for path in folder.iterdir()) == ["checkpoint.pt", "head-predictions.npy"]
        assert torch.load(folder / "checkpoint.pt")["model"] is None


def test_an_interrupted_run_is_not_continued_with_other_settings_or_columns(demo, tmp_path):
    run = find(read_listings(demo), QUICK, run_folder=tmp_path / "run")
    run.update(status="interrupted")
    other = replace(QUICK, recipe=replace(QUICK.recipe, seed=9))
    with pytest.raises(RunError, match="other settings"):
        find(read_listings(demo), other, run_folder=tmp_path / "run")
    with pytest.raises(RunError, match=r"got `columns=\{'title': 'id'\}`; wanted no `columns`"):
        find(read_listings(demo, columns={"title": "id"}), QUICK, run_folder=tmp_path / "run")


def test_a_run_that_another_process_works_on_is_left_alone(demo, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        find(read_listings(demo), QUICK, run_folder=tmp_path / "run", reporter=Impatient())
    run = RunFolder(tmp_path / "run")
    with holding(run, "find_issues") as process:
        with pytest.raises(RunInUseError, match=rf"is in use by `find_issues\(\)` \(process {process.pid} of"):
            find(read_listings(demo), QUICK, run_folder=tmp_path / "run")
        process.kill()
    assert find(read_listings(demo), QUICK, run_folder=tmp_path / "run").record()["status"] == "finished"


def test_a_finished_run_is_never_overwritten(finished, demo):
    with pytest.raises(RunError, match="holds a finished run"):
        find(read_listings(demo), QUICK, run_folder=finished.folder)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        (replace(QUICK, folds=0), "0 folds can't be made of 120 listings"),
        (replace(QUICK, folds=1), "1 folds can't be made"),
        (replace(QUICK, folds=119), "119 folds can't be made of 120 listings: got 1[01]. groups"),
        (replace(QUICK, folds=121), "121 folds can't be made of 120 listings"),
        (replace(QUICK, recipe=replace(QUICK.recipe, model="inception_v3")), "can't take photos of 32 pixels"),
    ],
)
def test_settings_that_fit_no_training_leave_nothing_behind(settings, match, demo, tmp_path):
    with pytest.raises(InputError, match=match):
        find(read_listings(demo), settings, run_folder=tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_a_column_split_is_the_test_set(demo, tmp_path):
    table = pd.read_csv(demo / "listings.csv")
    table["image"] = [str(demo / image) for image in table["image"]]
    table["split"] = np.where(np.arange(len(table)) < 30, "test", "train")
    table.to_csv(tmp_path / "table.csv", index=False)
    run = find(read_listings(tmp_path / "table.csv", allow_outside=True), QUICK, run_folder=tmp_path / "run")
    assert run.listings()["split"].tolist() == table["split"].tolist()


def test_a_declaration_with_wrong_counts_is_reported(demo, tmp_path):
    listings = read_listings(demo)
    listener = Listener()
    source = replace(listings.source, expected={"listings": 7, "classes": 12})
    find(replace(listings, source=source), QUICK, run_folder=tmp_path / "run", reporter=listener)
    assert [line for line in listener.lines if "expects" in line] == [
        "warning: the declaration expects 7 listings, but there are 120"
    ]


def test_the_probabilities_of_a_run_can_be_brought_to_another(finished, demo, tmp_path):
    settings = FindSettings(probabilities=finished.probabilities_file, recipe=finished_recipe(finished))
    run = find(read_listings(demo), settings, run_folder=tmp_path / "run")
    assert not list(run.training_folder.glob("fold-*"))
    with np.load(run.probabilities_file) as brought, np.load(finished.probabilities_file) as own:
        assert np.allclose(brought["probs"], own["probs"], equal_nan=True)
    # what the models say of their own training photos, and similar photos, are not in the file
    agree = run.issues()["is_label_issue"] == finished.issues()["is_label_issue"]
    assert agree.mean() > 0.85


def finished_recipe(finished):
    return read_settings(finished.record()["settings"]["train"])[0]


def test_fifty_thousand_listings_with_probabilities_need_no_photos(tmp_path):
    rng = np.random.default_rng(0)
    n, classes = 50_000, tuple(f"class {k}" for k in range(10))
    ids = np.array([f"L{i}" for i in range(n)])
    probs = rng.dirichlet(np.full(10, 0.2), n)
    label = np.array(classes)[probs.argmax(axis=1)]
    pd.DataFrame({"id": ids, "label": label, "price": rng.lognormal(3, 1, n)}).to_csv(tmp_path / "t.csv", index=False)
    Probabilities(ids, classes, probs, np.full(n, -1)).save(tmp_path / "p.npz")
    listings = read_listings(tmp_path / "t.csv", needs_image=False)
    run = find(listings, FindSettings(probabilities=tmp_path / "p.npz"), run_folder=tmp_path / "run")
    issues = run.issues()
    assert len(issues) == n
    assert issues["is_unreadable_issue"].isna().all()
    assert len(given_probabilities(run.probabilities_file, ids.tolist(), label.tolist()).probs) == n


def test_few_listings_with_probabilities_work_without_folds(tmp_path):
    pd.DataFrame({"id": ["a", "b", "c"], "label": ["x", "y", "x"]}).to_csv(tmp_path / "t.csv", index=False)
    probs = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]])
    np.savez(tmp_path / "p.npz", id=["a", "b", "c"], classes=["x", "y"], probs=probs)
    listings = read_listings(tmp_path / "t.csv", needs_image=False)
    run = find(listings, FindSettings(probabilities=tmp_path / "p.npz"), run_folder=tmp_path / "run")
    assert run.issues().set_index("id")["priority"]["b"] == 1
