"""What is found about a listing does not depend on the order of the rows or of the classes."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import curation
from curation.comparison import compare
from curation.evidence.probabilities import Probabilities
from curation.find import FindSettings, find
from curation.fixes import apply_fixes, plan_fixes
from curation.listings import read_listings
from curation.run.folder import RunFolder
from training.fit.throughput import Arrangement
from training.settings import Execution, Recipe
from training.utils.devices import find_device

QUICK = FindSettings(folds=3, recipe=Recipe(pretrained=False), execution=Execution(preset="quick", device="cpu"))
NETWORKS = replace(QUICK, recipe=replace(QUICK.recipe, model="lenet", image_size=32, epochs=1, batch_size=32))
TINY = Recipe(model="lenet", image_size=32, epochs=2, pretrained=False)


@pytest.fixture(autouse=True)
def arranged(monkeypatch):
    """Networks are always trained in the same way: what is measured differs from one time to the next."""
    way = Arrangement(find_device("cpu"), 1, 1, 0.01, 0.01)
    for module in ("training.crossval.plan", "curation.models.compare"):
        monkeypatch.setattr(f"{module}.measure", lambda *_, **__: way, raising=False)


@pytest.fixture(scope="module")
def shuffled(demo, tmp_path_factory):
    """The demo with its rows in another order, and neither sorted by id."""
    folder = tmp_path_factory.mktemp("shuffled") / "demo"
    shutil.copytree(demo, folder)
    table = pd.read_csv(folder / "listings.csv", dtype=str, keep_default_na=False)
    table = table.sample(frac=1, random_state=7)
    assert not table["id"].is_monotonic_increasing
    table.to_csv(folder / "listings.csv", index=False)
    return folder


def assert_same(a, b):
    """Two tables have the same cells for each id, to the last bit."""
    a, b = a.set_index("id"), b.set_index("id")
    assert a.index.tolist() != b.index.tolist()
    pd.testing.assert_frame_equal(a, b.loc[a.index], check_exact=True)


def assert_same_found(a, b):
    assert_same(a.listings(), b.listings())
    assert_same(a.issues(), b.issues())
    assert a.health() == b.health()
    assert a.classes == b.classes
    one, other = a.probabilities(), b.probabilities()
    np.testing.assert_array_equal(one.probs, other.in_order(one.ids, one.classes).probs)


@pytest.mark.parametrize("settings", [QUICK, NETWORKS], ids=["linear models", "networks"])
def test_shuffled_rows_change_nothing_that_is_found_about_a_listing(demo, shuffled, tmp_path, settings):
    a, b = (
        find(read_listings(dataset), settings, run_folder=tmp_path / name)
        for name, dataset in (("a", demo), ("b", shuffled))
    )
    assert a.issues()["is_label_issue"].sum() > 3
    assert a.issues()["near_duplicate_group"].notna().sum() > 3
    assert_same_found(a, b)


def test_13_row_order_the_tables_of_a_run_keep_the_order_of_the_input(shuffled, tmp_path):
    run = find(read_listings(shuffled), QUICK, run_folder=tmp_path / "run")
    ids = pd.read_csv(shuffled / "listings.csv", dtype=str)["id"].tolist()
    for table in (run.listings(), run.issues(), pd.read_csv(run.folder / "issues.csv", dtype=str)):
        assert table["id"].tolist() == ids
    assert run.probabilities().ids.tolist() == ids
    # and each listing has its own photo and features
    table = run.training_table()
    equal = table["sha256"].dropna().duplicated(keep=False)
    features = run.features()
    for _, rows in table.loc[equal[equal].index].groupby("sha256"):
        np.testing.assert_array_equal(features[rows.index[0]], features[rows.index[1]])


def test_a_run_of_an_earlier_version_is_read_in_the_order_that_it_has(tmp_path):
    run = RunFolder(tmp_path)
    run.write_table(run.listings_file, pd.DataFrame({"id": ["b", "c", "a"], "label": ["x", "x", "y"]}))
    assert run.training_table()["id"].tolist() == ["b", "c", "a"]


def test_given_probabilities_may_have_their_rows_and_classes_in_any_order(finished, demo, shuffled, tmp_path):
    given = finished.probabilities()
    rng = np.random.default_rng(3)
    other = given.in_order(rng.permutation(given.ids), rng.permutation(np.array(given.classes)).tolist())
    assert other.classes != given.classes
    other.save(tmp_path / "other.npz")
    settings = replace(QUICK, probabilities=given)
    a = find(read_listings(demo), settings, run_folder=tmp_path / "a")
    b = find(read_listings(shuffled), replace(QUICK, probabilities=tmp_path / "other.npz"), run_folder=tmp_path / "b")
    assert_same_found(a, b)


def test_an_array_of_probabilities_is_in_the_order_of_the_table(finished, shuffled, tmp_path):
    listings = read_listings(shuffled)
    given = finished.probabilities()
    array = given.in_order(listings.table["id"], sorted(given.classes)).probs
    a = find(listings, replace(QUICK, probabilities=array), run_folder=tmp_path / "a")
    b = find(
        listings,
        replace(QUICK, probabilities=replace(given, fold=np.full_like(given.fold, -1))),
        run_folder=tmp_path / "b",
    )
    pd.testing.assert_frame_equal(a.issues(), b.issues(), check_exact=True)


def test_ties_in_the_queue_do_not_depend_on_the_order_of_rows(demo, shuffled, tmp_path):
    runs = []
    for name, dataset in (("a", demo), ("b", shuffled)):
        listings = read_listings(dataset)
        even = np.full((len(listings.table), len(listings.classes)), 1 / len(listings.classes))
        runs.append(find(listings, replace(QUICK, probabilities=even, text=False), run_folder=tmp_path / name))
    assert_same(*(run.issues() for run in runs))


def test_class_folders_and_a_table_of_the_same_listings_give_the_same(demo, tmp_path):
    table = pd.read_csv(demo / "listings.csv", dtype=str, keep_default_na=False)
    table = table[table["label"] != ""].head(90)
    for row in table.itertuples():
        place = tmp_path / "folders" / row.label
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(demo / row.image, place / f"{row.id}.jpg")
    folders = read_listings(tmp_path / "folders")
    same = folders.table[["id", "image", "label"]].sample(frac=1, random_state=1)
    same.to_csv(tmp_path / "folders.csv", index=False)
    (tmp_path / "table").mkdir()
    shutil.copytree(tmp_path / "folders", tmp_path / "table", dirs_exist_ok=True)
    same.to_csv(tmp_path / "table" / "listings.csv", index=False)
    runs = [find(folders, QUICK, run_folder=tmp_path / "a")]
    runs.append(find(read_listings(tmp_path / "table" / "listings.csv"), QUICK, run_folder=tmp_path / "b"))
    assert_same(*(run.issues() for run in runs))


def test_a_comparison_before_and_after_does_not_depend_on_the_order_of_rows(demo, shuffled, tmp_path):
    results = []
    for name, dataset in (("a", demo), ("b", shuffled)):
        run = find(read_listings(dataset), QUICK, run_folder=tmp_path / name)
        apply_fixes(run, plan_fixes(run, accept_suggestions=True))
        results.append(compare.retrain(run, seeds=2, controls=True).to_dict())
    a, b = ({**result, "made": None, "seconds": None} for result in results)
    assert a["relabelled"] > 2
    assert a == b


def test_a_single_model_does_not_depend_on_the_order_of_rows(demo, shuffled, tmp_path):
    models = [
        curation.train(read_listings(dataset), TINY, output=tmp_path / name, device="cpu")
        for name, dataset in (("a", demo), ("b", shuffled))
    ]
    tables = [pd.read_csv(tmp_path / name / "predictions.csv", dtype=str) for name in "ab"]
    assert_same(*tables)
    assert models[0].metrics.test == models[1].metrics.test
    predictions = [
        models[0].predict(read_listings(dataset), output=tmp_path / f"of {name}")
        for name, dataset in (("a", demo), ("b", shuffled))
    ]
    assert_same(*(prediction.table for prediction in predictions))


def test_a_comparison_of_models_does_not_depend_on_the_order_of_rows(demo, shuffled, tmp_path):
    for name, dataset in (("a", demo), ("b", shuffled)):
        curation.compare_models(
            read_listings(dataset),
            models=["lenet"],
            optimizers=["adam"],
            folds=2,
            recipe=TINY,
            device="cpu",
            output=tmp_path / name,
        )
    a, b = (Probabilities.load(tmp_path / name / "probabilities-lenet-adam.npz") for name in "ab")
    assert a.ids.tolist() != b.ids.tolist()
    other = b.in_order(a.ids, a.classes)
    np.testing.assert_array_equal(a.probs, other.probs)
    np.testing.assert_array_equal(a.fold, other.fold)
