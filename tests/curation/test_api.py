"""The public API: what `import curation` offers, and one whole loop through it."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import curation
from curation.cli import main
from curation.demo_data import write_demo
from curation.rendering.results import Result

ROOT = Path(__file__).parents[2]
FUNCTIONS = [name for name in curation.__all__ if inspect.isfunction(getattr(curation, name))]
METHODS = [
    (owner, name)
    for owner in (curation.Model, curation.Run)
    for name, method in inspect.getmembers_static(owner)
    if not name.startswith("_")
    and not hasattr(Result, name)
    and (inspect.isfunction(method) or isinstance(method, property))
]


def test_every_public_name_can_be_had_and_is_offered_for_completion():
    assert [name for name in curation.__all__ if not hasattr(curation, name)] == []
    assert dir(curation) == sorted([*curation.__all__, "__version__"])
    assert curation.__all__ == sorted(curation.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'curation' has no attribute 'find_isues'"):
        curation.find_isues  # noqa: B018


def test_type_checkers_see_the_same_names_as_the_program():
    tree = ast.parse((ROOT / "curation/__init__.py").read_text())
    (typed,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {
        (alias.name, statement.module)
        for statement in typed.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }
    assert seen == {(name, home) for home, names in curation._HOMES.items() for name in names}
    assert sorted(name for name, _ in seen) == curation.__all__


def test_importing_curation_imports_nothing_slow():
    code = "import sys, curation; print(sorted({'torch', 'pandas', 'numpy', 'fiftyone', 'click'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_takes_everything_but_its_data_by_name(name):
    parameters = inspect.signature(getattr(curation, name)).parameters.values()
    by_place = [each.name for each in parameters if each.kind is not inspect.Parameter.KEYWORD_ONLY]
    assert len(by_place) <= 2, by_place


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_documents_every_parameter_and_has_an_example(name):
    function = getattr(curation, name)
    text = inspect.getdoc(function)
    documented = text.partition("Parameters\n---")[2].partition("\nRaises")[0]
    for parameter in inspect.signature(function).parameters:
        assert f"\n{parameter}" in documented or f", {parameter}" in documented, parameter
    assert "Raises\n---" in text
    assert ">>> import curation" in text


@pytest.mark.parametrize(("owner", "name"), METHODS, ids=[f"{owner.__name__}.{name}" for owner, name in METHODS])
def test_a_method_documents_every_parameter(owner, name):
    method = inspect.getattr_static(owner, name)
    text = inspect.getdoc(method)
    if not isinstance(method, property):
        parameters = [each for each in inspect.signature(method).parameters if each != "self"]
        assert [each for each in parameters if f"\n{each} :" not in text] == []


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A demo, the current folder beside it."""
    monkeypatch.chdir(tmp_path)
    write_demo(tmp_path / "shop", listings=120, seed=0)
    return curation.read_listings("shop")


def certain(listings, sure=0.9):
    """Return probabilities that believe every label but those that were planted wrong."""
    truth = pd.read_csv("shop/truth.csv").set_index("id")["true_label"]
    true = listings.table["id"].map(truth).where(lambda label: label.isin(listings.classes), listings.classes[0])
    probs = np.full((len(true), len(listings.classes)), (1 - sure) / (len(listings.classes) - 1))
    probs[np.arange(len(true)), [listings.classes.index(label) for label in true]] = sure
    return probs


def test_the_loop_from_listings_to_the_cleaned_dataset_and_back(shop, capfd):
    run = curation.find_issues(shop, probabilities=certain(shop), text=False)
    assert run.folder == Path("runs/demo/1")
    flagged = run.issues.query("is_label_issue").nsmallest(20, "priority")
    truth = pd.read_csv("shop/truth.csv").set_index("id")["issues"].fillna("")
    wrong = truth[truth.str.contains("label")].index
    assert len(set(flagged["id"]) & set(wrong)) >= 0.7 * len(wrong)
    assert np.allclose(run.probabilities().probs, certain(shop), atol=1e-6)

    first, second, third = flagged["id"].head(3)
    run.decide(first, "relabel", reviewer="ana", note="seen before")
    held = run.decide([second, third], "delete", reviewer="ana")
    assert held["action"].tolist() == ["delete", "delete"]
    assert run.decisions()["id"].tolist() == [first, second, third]
    suggested = flagged.set_index("id").loc[first, "suggested_label"]
    assert run.decisions().iloc[0][["new_label", "source", "note"]].tolist() == [suggested, "api", "seen before"]
    assert run.decisions()[["new_price", "suggested_price"]].dtypes.tolist() == ["float64", "float64"]
    assert run.decisions()["new_class"].tolist() == [False, False, False]

    planned = run.apply_fixes(dry_run=True)
    assert not (run.folder / "cleaned").exists()
    assert (
        run.apply_fixes().counts()
        == planned.counts()
        == {"relabelled": 1, "repriced": 0, "merged": 0, "deleted": 2, "kept": 0, "ambiguous": 0, "in_conflict": 0}
    )
    cleaned = curation.read_listings(run.folder / "cleaned")
    assert len(cleaned.table) == 118
    run.undo()
    assert not (run.folder / "cleaned").exists()
    assert curation.open_run().folder == run.folder
    assert capfd.readouterr() == ("", "")


def test_every_result_is_frozen_and_becomes_json_markdown_and_html():
    results = [
        value
        for name in curation.__all__
        if dataclasses.is_dataclass(value := getattr(curation, name)) and name not in ("Execution", "Recipe", "Run")
    ]
    assert len(results) > 15
    for result in results:
        assert result.__dataclass_params__.frozen, result
        assert [name for name in ("to_dict", "to_markdown", "_repr_html_") if not hasattr(result, name)] == [], result


def test_listings_and_what_is_seen_in_them_are_shown_with_photos_and_become_json(shop):
    assert shop._repr_html_().count('src="data:image/') > 10
    assert "| dataset | demo |" in shop.to_markdown()
    assert shop.to_dict()["table"][0]["id"] == shop.table["id"].iloc[0]
    exploration = curation.explore(shop)
    assert "median" in exploration.to_markdown()
    assert "<th" in exploration._repr_html_()
    done = CliRunner().invoke(main, ["explore", str(shop.source.path), "--output", "seen", "--json"])
    assert json.loads(done.stdout) == json.loads(json.dumps(exploration.to_dict()))


def test_fixes_become_the_json_of_their_command(shop):
    run = curation.find_issues(shop, probabilities=certain(shop), text=False)
    assert "| listings | 120 |" in run.probabilities().to_markdown()
    run.decide(run.issues["id"].iloc[0], "delete", reviewer="ana")
    planned = run.apply_fixes(dry_run=True)
    done = CliRunner().invoke(main, ["apply-fixes", "--run", str(run.folder), "--dry-run", "--json"])
    assert json.loads(done.stdout) == planned.to_dict()
    assert planned.dry_run
    fixes = run.apply_fixes()
    assert fixes.to_dict() == {**planned.to_dict(), "dry_run": False}
    assert "| delete |" in fixes.to_markdown()


def test_the_input_of_find_issues_stays_as_it_was(shop):
    probs = certain(shop)
    table, before = shop.table.copy(), probs.copy()
    curation.find_issues(shop, probabilities=probs, text=False)
    pd.testing.assert_frame_equal(shop.table, table)
    assert (probs == before).all()


def test_probabilities_as_an_array_as_a_file_and_with_their_ids_give_the_same_issues(shop):
    probs = certain(shop)
    np.save("probs.npy", probs)
    ids = shop.table["id"].to_numpy(dtype=str)
    shuffled = np.random.default_rng(0).permutation(len(ids))
    unknown = np.full(len(ids), -1)
    carrying = curation.Probabilities(ids[shuffled], shop.classes, probs[shuffled], unknown)
    given = [probs, "probs.npy", Path("probs.npy"), carrying]
    runs = [curation.find_issues(shop, run=f"run{n}", probabilities=each, text=False) for n, each in enumerate(given)]
    for run in runs[1:]:
        pd.testing.assert_frame_equal(run.issues, runs[0].issues)


def test_a_run_with_another_array_is_another_question(shop):
    probs = certain(shop)
    run = curation.find_issues(shop, probabilities=probs, text=False)
    other = curation.find_issues(shop, probabilities=certain(shop, sure=0.8), text=False)
    assert (run.folder.name, other.folder.name) == ("1", "2")
    assert curation.diff(run, "2").b.run == "demo/2"


def test_a_page_to_review_is_written_without_a_server(shop):
    run = curation.find_issues(shop, probabilities=certain(shop), text=False)
    written = run.review_page(output="mine.html", top=3)
    assert written.listings == 3
    assert "<!doctype html>" in Path("mine.html").read_text()


def test_the_documentation_has_every_public_name_and_every_method():
    text = (ROOT / "docs/api.md").read_text()
    assert [name for name in curation.__all__ if not re.search(rf"\b{name}\b", text)] == []
    missing = [f"{owner.__name__}.{name}" for owner, name in METHODS if not re.search(rf"[`l]\.{name}\b", text)]
    assert missing == []


def test_links_into_the_commands_lead_to_a_heading():
    links = set(re.findall(r"commands\.md#([a-z-]+)", (ROOT / "docs/api.md").read_text()))
    headings = re.findall(r"^#+ (.+)$", (ROOT / "docs/commands.md").read_text(), re.M)
    anchors = {re.sub(r"[^a-z -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert len(links) > 5
    assert links - anchors == set()


def test_the_lines_of_the_readme_lead_from_the_wheel_to_the_flagged_listings(tmp_path, monkeypatch):
    section = (ROOT / "README.md").read_text().partition("## In a notebook")[2]
    code = re.search(r"```python\n(.*?)```", section, re.S)[1]
    assert len([line for line in code.splitlines() if line.strip()]) <= 5
    build = "from setuptools import build_meta; import sys; print(build_meta.build_wheel(sys.argv[1]))"
    copy = tmp_path / "source"
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, copy], check=True)
    command = [sys.executable, "-c", build, str(tmp_path)]
    built = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=True)
    with zipfile.ZipFile(tmp_path / built.stdout.split()[-1]) as wheel:
        wheel.extractall(tmp_path / "installed")
    *lines, last = code.replace('demo("shop")', 'demo("shop", listings=120)').strip().splitlines()
    script = "\n".join(
        [*lines, f"table = {last}", "print(curation.__file__, len(table), table['is_label_issue'].all())"]
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "installed"))
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    file, flagged, all_flagged = done.stdout.split()
    assert file == str(tmp_path / "installed/curation/__init__.py")
    assert int(flagged) >= 10
    assert all_flagged == "True"


def test_a_model_is_trained_loaded_and_predicts_labels_of_new_listings(shop, tmp_path):
    recipe = curation.Recipe(model="lenet", image_size=32, epochs=2)
    model = curation.train(shop, recipe, device="cpu", output="mine")
    assert (model.target, model.classes, model.recipe) == ("label", shop.classes, recipe)
    assert model.scores["class"].tolist() == list(shop.classes)
    shop.table[["id", "image"]].to_csv("shop/new.csv", index=False)
    new = curation.read_listings("shop/new.csv", needs_label=False)
    predictions = curation.load_model("mine").predict(new, output="told")
    assert predictions.table["id"].tolist() == shop.table["id"].tolist()
    labels = predictions.table["predicted_label"]
    for parameter, ask in {"device": lambda: model.predict(new, device=5), "output": lambda: model.export(5)}.items():
        with pytest.raises(curation.InputError) as caught:
            ask()
        assert caught.value.parameter == parameter
    assert set(labels.dropna()) <= set(shop.classes)
    assert (labels.isna() == predictions.table["why"].notna()).all()
    assert predictions.agreement is None
    assert model.to_dict()["test"] == json.loads(Path("mine/metrics.json").read_text())["test"]
    assert "predicted_label" in predictions._repr_html_()


def test_a_model_alone_can_be_loaded_and_says_what_it_knows(shop):
    curation.train(shop, curation.Recipe(model="lenet", image_size=32, epochs=1), device="cpu", output="mine")
    shutil.copy("mine/model.pt", "alone.pt")
    model = curation.load_model("alone.pt")
    assert model.scores is None
    assert model.to_dict()["recipe"]["model"] == "lenet"
    assert "model.pt" not in model.to_markdown()


def test_models_are_compared_and_the_best_comes_first(shop):
    recipe = curation.Recipe(image_size=32, epochs=2)
    comparison = curation.compare_models(
        shop, models=["lenet"], optimizers=["adamw", "sgd"], folds=2, recipe=recipe, device="cpu"
    )
    assert sorted(comparison.table["optimizer"]) == ["adamw", "sgd"]
    assert comparison.table["macro_f1"].is_monotonic_decreasing
    assert comparison.table["behind_mean"].iloc[0] == 0
    assert comparison.sentence in comparison.to_markdown()


def test_a_search_ends_with_a_recipe_that_can_be_trained(shop):
    result = curation.tune(
        shop, trials=2, folds=2, recipe=curation.Recipe(model="lenet", image_size=32, epochs=1), device="cpu"
    )
    assert len(result.trials) == 2
    assert result.best.model == "lenet"
    assert curation.train(shop, result.best, device="cpu").recipe == result.best
