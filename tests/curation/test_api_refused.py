"""Bad input to the public API: a named error that says which argument is at fault, and nothing is made."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import curation
from curation.errors import RunError
from curation.run.folder import RunFolder

CLASSES = ["chair", "desk", "lamp"]
N = 12


def table():
    return pd.DataFrame({"id": [f"L{row:02}" for row in range(N)], "label": [CLASSES[row % 3] for row in range(N)]})


@pytest.fixture
def listings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return curation.read_listings(table(), needs_image=False)


def probs():
    values = np.full((N, 3), 0.1)
    values[np.arange(N), np.arange(N) % 3] = 0.8
    return values


@pytest.fixture
def run(listings):
    return curation.find_issues(listings, probabilities=probs())


def changed(row, column, value):
    values = probs()
    values[row, column] = value
    return values


IDS = np.array(table()["id"], dtype=str)
UNKNOWN = np.full(N, -1)


@pytest.mark.parametrize(
    ("given", "match"),
    [
        (probs()[:, :2], r"probs has shape \(12, 2\) where \(12, 3\) was wanted"),
        (probs()[:-1], r"probs has shape \(11, 3\) where \(12, 3\) was wanted"),
        (probs().ravel(), r"probs has shape \(36,\) where \(12, 3\) was wanted"),
        (probs().astype(str), r"probs has the wrong type: got dtype <U\d+; wanted real numbers"),
        (probs().astype(object), r"got dtype object; .*probs\.astype\(float\)"),
        (probs().astype(complex), "got dtype complex128"),
        (
            probs().tolist(),
            r"is not an array: got list; wanted a file, a DataFrame, an ndarray of shape \(N, K\), or Prob",
        ),
        (changed(4, 1, np.nan), "missing or infinite values: got 1 of 12 rows, ids L04"),
        (changed(4, 1, np.inf), "missing or infinite values: got 1 of 12 rows, ids L04"),
        (changed(4, 1, -0.5), "negative values: got 1 of 12 rows, ids L04"),
        (changed(4, 0, 0.5), r"don't all sum to 1: got 1 of 12 that don't, e\.g\. 1\.4 for id L04"),
        (np.full((N, 3), np.nan), "got 12 of 12 rows"),
        (
            curation.Probabilities(IDS[::-1].copy(), ("chair", "desk"), probs()[:, :2], UNKNOWN),
            r"shape|not have a column for",
        ),
        (curation.Probabilities(IDS, tuple(CLASSES), probs()[:, :2], UNKNOWN), r"got probs of shape \(12, 2\)"),
        (curation.Probabilities(np.repeat("L00", N), tuple(CLASSES), probs(), UNKNOWN), "has duplicate ids: got L00"),
        (curation.Probabilities(np.char.add(IDS, "x"), tuple(CLASSES), probs(), UNKNOWN), "don't match the listings"),
        ("gone.npy", "there is no such file of probabilities: got gone.npy"),
    ],
)
def test_probabilities_that_do_not_fit_are_refused(listings, given, match):
    with pytest.raises(curation.ProbabilitiesError, match=match) as caught:
        curation.find_issues(listings, probabilities=given)
    assert caught.value.parameter == "probabilities"
    assert not Path("runs").exists()


@pytest.mark.parametrize("dtype", ["float16", "float32", "int64"])
def test_probabilities_of_any_real_type_are_taken(listings, dtype):
    certain = np.eye(3)[np.arange(N) % 3].astype(dtype)
    assert curation.find_issues(listings, probabilities=certain).probabilities().probs.shape == (N, 3)


@pytest.mark.parametrize(
    ("ask", "error", "parameter"),
    [
        (lambda it: curation.find_issues(it), curation.ListingsError, "listings"),
        (lambda it: curation.find_issues(table(), probabilities=probs()), curation.ListingsError, "listings"),
        (lambda it: curation.find_issues("shop.csv"), curation.ListingsError, "listings"),
        (
            lambda it: curation.find_issues(
                curation.read_listings(table().drop(columns="label"), needs_image=False, needs_label=False),
                probabilities=probs(),
            ),
            curation.ListingsError,
            "listings",
        ),
        (lambda it: curation.explore(it, sample=0), curation.InputError, "sample"),
        (lambda it: curation.open_run("gone"), curation.RunError, "folder"),
        (lambda it: curation.open_run(), curation.RunError, "folder"),
        (lambda it: curation.runs(), curation.RunError, "dataset"),
        (lambda it: curation.status("gone"), curation.RunError, "run"),
        (lambda it: curation.status(), curation.RunError, "run"),
        (lambda it: curation.cache(__file__), curation.InputError, "folder"),
        (lambda it: curation.cache(limit="some"), curation.InputError, "limit"),
        (lambda it: curation.cache(limit=5, clear=True), curation.InputError, "limit"),
        (lambda it: curation.explore(it, output=__file__), curation.InputError, "output"),
        (lambda it: curation.diff("gone", "1"), curation.RunError, "a"),
        (lambda it: curation.Run(Path("gone")).issues, curation.RunError, "folder"),
        (lambda it: curation.demo("shop", listings=3), curation.InputError, "listings"),
        (lambda it: curation.demo("shop", seed=-1), curation.InputError, "seed"),
        (lambda it: curation.read_listings("gone.csv"), curation.ListingsError, "source"),
        (lambda it: curation.read_listings(table(), columns={"lable": "x"}), curation.ListingsError, "columns"),
    ],
)
def test_each_bad_argument_is_named_and_nothing_is_made(listings, ask, error, parameter):
    before = sorted(Path().rglob("*"))
    with pytest.raises(error) as caught:
        ask(listings)
    assert caught.value.parameter == parameter
    assert sorted(Path().rglob("*")) == before


WRONG = [
    (lambda it: curation.open_run(5), "folder"),
    (lambda it: curation.open_run(b"x"), "folder"),
    (lambda it: curation.open_run("n" * 5000), "folder"),
    (lambda it: curation.open_run("n" * 300), "folder"),
    (lambda it: curation.open_run("a\0b"), "folder"),
    (lambda it: curation.status(["a"]), "run"),
    (lambda it: curation.runs(5), "dataset"),
    (lambda it: curation.diff(5, "1"), "a"),
    (lambda it: curation.load_model(5), "path"),
    (lambda it: curation.load_model("gone"), "path"),
    (lambda it: curation.load_model("x\0y"), "path"),
    (lambda it: curation.cache(5), "folder"),
    (lambda it: curation.cache("c", limit=-1), "limit"),
    (lambda it: curation.cache("c", limit=1.5), "limit"),
    (lambda it: curation.cache("c", limit="x"), "limit"),
    (lambda it: curation.demo("shop", listings="many"), "listings"),
    (lambda it: curation.demo("shop", listings=200.5), "listings"),
    (lambda it: curation.demo("shop", seed=None), "seed"),
    (lambda it: curation.explore(it, sample="x"), "sample"),
    (lambda it: curation.explore(it, output=5), "output"),
    (lambda it: curation.find_issues(it, probabilities=probs(), folds="x"), "folds"),
    (lambda it: curation.find_issues(it, probabilities=probs(), text="no"), "text"),
    (lambda it: curation.find_issues(it, probabilities=probs(), run=5), "run"),
    (lambda it: curation.find_issues(it, probabilities=probs(), cache=5), "cache"),
    (lambda it: curation.find_issues(it, probabilities=probs(), recipe=5), "recipe"),
    (lambda it: curation.find_issues(it, probabilities=probs(), execution="quick"), "execution"),
    (lambda it: curation.read_listings(table(), root=5), "root"),
    (lambda it: curation.read_listings(table(), strict="x"), "strict"),
    (lambda it: curation.read_listings(table(), needs_image=False, name=5), "name"),
    (lambda it: curation.read_listings(table(), needs_image=False, name="../up"), "name"),
    (lambda it: curation.read_listings(table(), needs_image=False, name=".."), "name"),
    (lambda it: curation.read_listings(table(), needs_image=False, name=""), "name"),
    (lambda it: curation.read_listings(table(), needs_image=False, name="a\0b"), "name"),
    (lambda it: curation.read_listings(table(), needs_image=False, name="ü" * 121), "name"),
    (lambda it: curation.read_listings(table(), columns=5), "columns"),
    (lambda it: curation.read_listings(table(), columns=["label"]), "columns"),
    (lambda it: curation.read_listings(table(), columns={"label": ["x"]}), "columns"),
    (lambda it: curation.read_listings(table(), columns={5: "x", "q": "y"}), "columns"),
    (lambda it: curation.Recipe(seed="x"), "seed"),
    (lambda it: curation.Recipe(model=5), "model"),
    (lambda it: curation.Recipe(epochs=1.5), "epochs"),
    (lambda it: curation.Recipe(pretrained="x"), "pretrained"),
    (lambda it: curation.Recipe(optimizer=[]), "optimizer"),
    (lambda it: curation.Recipe(image_size="x"), "image_size"),
    (lambda it: curation.Recipe(learning_rate=float("nan")), "learning_rate"),
    (lambda it: curation.Recipe(lr_steps=5, schedule="constant"), "lr_steps"),
    (lambda it: curation.Recipe(lr_steps=((1,),), schedule="constant"), "lr_steps"),
    (lambda it: curation.Execution(preset=[]), "preset"),
    (lambda it: curation.Execution(device=5), "device"),
    (lambda it: curation.Execution(time_limit="x"), "time_limit"),
]


@pytest.mark.parametrize(("ask", "parameter"), WRONG)
def test_an_argument_of_another_type_is_named_and_nothing_is_made(listings, ask, parameter):
    before = sorted(Path().parent.resolve().rglob("*"))
    with pytest.raises(curation.InputError) as caught:
        ask(listings)
    assert caught.value.parameter == parameter
    assert len(str(caught.value)) < 250
    assert sorted(Path().parent.resolve().rglob("*")) == before


def test_numbers_of_numpy_and_the_longest_name_are_taken(listings):
    assert curation.Recipe(image_size=np.int64(32), learning_rate=np.float32(0.5), pretrained=np.True_).size == 32
    assert curation.read_listings(table(), needs_image=False, name="ü" * 120).source.name == "ü" * 120
    numbered = table().rename(columns={"label": 0})
    assert curation.read_listings(numbered, needs_image=False, columns={"label": 0}).classes == tuple(CLASSES)


def test_an_index_that_repeats_its_column_is_taken_and_one_that_differs_is_refused(tmp_path):
    listings = curation.read_listings(table().set_index("id", drop=False), needs_image=False)
    assert listings.table["id"].tolist() == IDS.tolist()
    table().set_index("id", drop=False).to_parquet(tmp_path / "shop.parquet")
    of_file = curation.read_listings(tmp_path / "shop.parquet", needs_image=False)
    assert of_file.table["id"].tolist() == IDS.tolist()
    differs = table().set_index("id", drop=False)
    differs.index = differs.index[::-1]
    with pytest.raises(curation.ListingsError, match="a column and an index of one name that differ: got 'id'"):
        curation.read_listings(differs, needs_image=False)


def test_a_number_without_an_upper_limit_is_refused_with_the_least_there_is(run):
    with pytest.raises(curation.InputError, match=r"limit in bytes is out of range: got -1; wanted at least 0$"):
        curation.cache("c", limit=-1)
    with pytest.raises(curation.InputError, match=r"number of listings is out of range: got 0; wanted at least 1$"):
        run.summary(budget=0)


@pytest.mark.parametrize(
    ("file", "ask"),
    [
        ("issues.parquet", lambda run: run.issues),
        ("issues.parquet", lambda run: run.summary()),
        ("issues.parquet", lambda run: run.apply_fixes()),
        ("issues.parquet", lambda run: run.decide("L01", "keep")),
        ("listings.parquet", lambda run: run.listings),
        ("health.json", lambda run: run.health),
        ("probabilities.npz", lambda run: run.probabilities()),
    ],
)
@pytest.mark.parametrize("content", [b"junk", b"", None])
def test_a_run_whose_files_are_damaged_or_gone_is_refused_by_the_name_of_the_file(run, file, ask, content):
    path = run.folder / file
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RunError, match=f"{file} can't be read: the run is damaged: got "):
        ask(run)


def test_more_folds_than_listings_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    curation.demo("shop", listings=120)
    with pytest.raises(curation.InputError, match="folds can't be made") as caught:
        curation.find_issues(curation.read_listings("shop"), folds=1, text=False)
    assert caught.value.parameter == "folds"
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("ask", "parameter"),
    [
        (lambda run: run.decide("L99", "keep"), "ids"),
        (lambda run: run.decide(["L01", "L99"], "keep"), "ids"),
        (lambda run: run.decide("L01", "kep"), "action"),
        (lambda run: run.decide("L01", "relabel", label="sofa"), "label"),
        (lambda run: run.decide("L01", "keep", label="desk"), "label"),
        (lambda run: run.decide("L01", "relabel"), "label"),
        (lambda run: run.decide("L01", "keep", reviewer="a\nb"), "reviewer"),
        (lambda run: run.apply_fixes(accept_suggestions=True, min_confidence=2), "min_confidence"),
        (lambda run: run.apply_fixes(min_confidence=2), "min_confidence"),
        (lambda run: run.apply_fixes("gone.csv"), "decisions"),
        (lambda run: run.decide([], "keep"), "ids"),
        (lambda run: run.decide(None, "keep"), "ids"),
        (lambda run: run.decide(5, "keep"), "ids"),
        (lambda run: run.decide(b"L01", "keep"), "ids"),
        (lambda run: run.decide(run.issues, "keep"), "ids"),
    ],
)
def test_a_decision_that_fits_nothing_is_refused_and_not_recorded(run, ask, parameter):
    with pytest.raises(curation.DecisionsError) as caught:
        ask(run)
    assert caught.value.parameter == parameter
    assert run.decisions().empty


@pytest.mark.parametrize(
    ("ask", "parameter"),
    [
        (lambda run: run.summary(budget=0), "budget"),
        (lambda run: run.summary(budget=1.5), "budget"),
        (lambda run: run.summary(budget=True), "budget"),
        (lambda run: run.decide("L01", None), "action"),
        (lambda run: run.decide("L01", "relabel", label=5), "label"),
        (lambda run: run.decide("L01", "keep", reviewer=5), "reviewer"),
        (lambda run: run.apply_fixes(min_confidence="x"), "min_confidence"),
        (lambda run: run.apply_fixes(5), "decisions"),
        (lambda run: run.review_page(output=5), "output"),
        (lambda run: run.retrain(seeds="x"), "seeds"),
    ],
)
def test_an_argument_of_another_type_to_a_run_is_named(run, ask, parameter):
    with pytest.raises(curation.InputError) as caught:
        ask(run)
    assert caught.value.parameter == parameter
    assert run.decisions().empty


def test_results_are_refused_of_a_run_that_has_not_finished(run):
    RunFolder(run.folder).update(status="interrupted")
    asked = [
        lambda: run.issues,
        lambda: run.listings,
        lambda: run.health,
        run.probabilities,
        run.decisions,
        run.summary,
        lambda: run.decide("L01", "keep"),
        run.apply_fixes,
        run.undo,
        run.retrain,
        run.review_page,
        lambda: curation.open_run(run.folder),
        lambda: curation.diff("1", run),
    ]
    for ask in asked:
        with pytest.raises(RunError, match=r"has not finished: got status 'interrupted'") as caught:
            ask()
        assert caught.value.parameter in ("folder", "a", "b")
    assert not (run.folder / "decisions.jsonl").exists()


def test_a_run_of_a_newer_format_is_to_be_opened_with_that_version(run):
    record = json.loads((run.folder / "run.json").read_text())
    (run.folder / "run.json").write_text(json.dumps({**record, "format": 99}))
    for ask in (lambda: run.issues, lambda: curation.open_run(run.folder)):
        with pytest.raises(RunError, match="was written by a newer version of curate: got format 99") as caught:
            ask()
        assert caught.value.parameter == "folder"


def test_a_run_whose_folder_is_taken_by_something_else_is_refused(listings):
    Path("mine").mkdir()
    Path("mine/notes.txt").write_text("keep me")
    with pytest.raises(RunError, match="mine is not empty and not a run") as caught:
        curation.find_issues(listings, probabilities=probs(), run="mine")
    assert caught.value.parameter == "run"
    assert Path("mine/notes.txt").read_text() == "keep me"


def test_two_runs_that_are_one_are_not_compared(run):
    shutil.copytree(run.folder, "copy")
    assert curation.diff(run, "copy")
    with pytest.raises(RunError, match="both are the same run"):
        curation.diff(run, run.folder)
