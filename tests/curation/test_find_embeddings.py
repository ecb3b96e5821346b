"""`find-issues` with embeddings of the user's own: the run keeps them, and nothing later needs their file."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

import curation
from curation.comparison import compare
from curation.errors import InputError, RunError
from curation.evidence.kept_embeddings import kept_embeddings
from curation.fixes import apply_fixes, plan_fixes
from curation.run.decisions import Decision
from curation.run.folder import RunFolder
from tests.curation.test_find import Impatient
from tests.support.reporters import Listener
from training.settings import Execution, Recipe
from training.utils.units import now

QUICK = {"folds": 2, "text": False, "execution": Execution(preset="quick", device="cpu")}


@pytest.fixture(scope="module")
def listings(demo):
    return curation.read_listings(demo)


def vectors(listings, seed=0):
    """Return embeddings that tell the classes apart."""
    numbers = pd.factorize(listings.table["label"])[0]
    chance = np.random.default_rng(seed)
    centres = chance.standard_normal((numbers.max() + 1, 16))
    return (centres[numbers] + 0.3 * chance.standard_normal((len(numbers), 16))).astype(np.float32)


def saved(path, listings, seed=0):
    np.savez(path, embeddings=vectors(listings, seed), id=np.array(listings.table["id"].tolist()))
    return path


def find(listings, run, features, **options):
    return curation.find_issues(listings, run=run, features=features, **{**QUICK, **options})


@pytest.fixture(scope="module")
def made(listings, tmp_path_factory):
    """A finished run whose file of embeddings is gone, and which was moved; tests must not change it."""
    folder = tmp_path_factory.mktemp("made")
    listener = Listener()
    path = saved(folder / "clip.npz", listings)
    find(listings, folder / "first", str(path), reporter=listener)
    assert "features: clip.npz, 16 numbers for each photo" in listener.lines
    path.unlink()
    shutil.move(folder / "first", folder / "run")
    return RunFolder(folder / "run")


def test_the_run_names_the_parts_and_keeps_the_embeddings(made, listings):
    record = made.record()
    assert (record["features_of"], record["pretrained"], record["image_size"]) == ("embeddings:clip.npz", False, 32)
    assert [len(each) for each in record["settings"]["embeddings_sha256"]] == [64]
    assert record["settings"]["embeddings"][0].endswith("/clip.npz")
    (kept,) = kept_embeddings(made).values()
    order = pd.Index(listings.table["id"]).get_indexer(made.training_table()["id"])
    np.testing.assert_array_equal(kept, vectors(listings)[order])
    assert "embeddings:clip.npz" in made.report_file.read_text()


def test_embeddings_that_tell_classes_apart_find_wrong_labels(made, demo):
    agreement = curation.open_run(made.folder).summary().agreement
    assert agreement.with_given_labels > 0.8


def test_a_comparison_needs_no_file(made, tmp_path):
    run = RunFolder(shutil.copytree(made.folder, tmp_path / "run"))
    rows = run.training_table().query("split == 'train' and unreadable.isna()")
    run.decide([Decision(rows["id"].iloc[0], "delete", None, "ana", now(), "app")])
    apply_fixes(run, plan_fixes(run))
    result = compare.retrain(run, seeds=1)
    assert result.verdict
    # nothing was made again
    assert not list((run.training_folder / "retrain").glob("features*"))


def test_damaged_embeddings_of_a_run_are_an_error(made, tmp_path):
    run = RunFolder(shutil.copytree(made.folder, tmp_path / "run"))
    file = run.training_folder / "embeddings-1.npy"
    array = np.load(file)
    array[0, 0] += 1
    np.save(file, array)
    with pytest.raises(RunError, match="can't be read: the run is damaged: got it is not as the run wrote it"):
        kept_embeddings(run)
    file.unlink()
    with pytest.raises(RunError, match="no such file"):
        kept_embeddings(run)
    for embeddings in ({}, {"embeddings:clip.npz": "a file"}):
        run.update(embeddings=embeddings)
        with pytest.raises(RunError, match=r"run.json can't be read: the run is damaged"):
            kept_embeddings(run)


def test_an_interrupted_run_goes_on_without_the_file_and_refuses_another(listings, tmp_path):
    path, run = saved(tmp_path / "clip.npz", listings), tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        find(listings, run, path, reporter=Impatient())
    saved(path, listings, seed=1)
    with pytest.raises(RunError, match=r"other settings or data: got embeddings with the hash \w{8}; wanted .* hash"):
        find(listings, run, path)
    path.unlink()
    listener = Listener()
    resumed = find(listings, run, path, reporter=listener)
    assert f"{path} is no longer there: the run that is continued has kept it" in listener.lines
    assert "fold 1 of 2 is done already" in listener.lines
    whole = find(listings, tmp_path / "whole", saved(path, listings))
    pd.testing.assert_frame_equal(resumed.issues, whole.issues)
    path.unlink()
    with pytest.raises(InputError, match="there is no such file of embeddings"):
        find(listings, tmp_path / "third", path)


def test_the_order_of_the_file_does_not_matter_nor_whether_it_is_a_file(listings, tmp_path, made):
    table = pd.DataFrame(vectors(listings), index=listings.table["id"].tolist()).iloc[::-1]
    run = find(listings, tmp_path / "run", table)
    assert json.loads((run.folder / "run.json").read_text())["settings"]["embeddings"] == ["a table"]
    pd.testing.assert_frame_equal(run.issues, made.issues())


def test_parts_are_joined(listings, tmp_path):
    listener = Listener()
    run = find(listings, tmp_path / "run", ["patches", vectors(listings)], reporter=listener)
    assert "features: patches of the photos + array, 16 numbers for each photo" in listener.lines
    assert json.loads((run.folder / "run.json").read_text())["features_of"] == "patches+embeddings:array"
    features = np.load(run.folder / "training" / "features-0.npy")
    assert features.shape[0] == 120
    assert np.isfinite(features).all()


def test_given_probabilities_keep_embeddings_for_the_comparison(listings, tmp_path):
    probs = np.random.default_rng(0).dirichlet(np.ones(len(listings.classes)), len(listings.table))
    path = saved(tmp_path / "clip.npz", listings)
    run = curation.find_issues(listings, run=tmp_path / "run", features=path, probabilities=probs, text=False)
    assert list(kept_embeddings(RunFolder(run.folder))) == ["embeddings:clip.npz"]


def test_bad_embeddings_leave_no_run_behind(listings, tmp_path):
    with pytest.raises(InputError, match="another number of rows"):
        find(listings, tmp_path / "run", vectors(listings)[1:])
    with pytest.raises(InputError, match="features are given twice"):
        find(listings, tmp_path / "run", "lite0", recipe=Recipe(features="patches"))
    assert not (tmp_path / "run").exists()
