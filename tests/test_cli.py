"""The command line: help, results on stdout, messages on stderr, exit codes, and mistakes that write nothing."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from curation.cli import main
from curation.issues import COLUMNS, KINDS
from curation.runs import Run
from tests.test_fixes import files, make_run
from training.arrangement import Arrangement
from training.devices import find_device
from training.files import write_json

ROOT = Path(__file__).parents[1]
CLASSES = ["chair", "desk", "lamp"]
N = 30
# click 8.1 mixes the two streams unless it is told not to; later versions keep them apart
SEPARATE = {"mix_stderr": False} if "mix_stderr" in inspect.signature(CliRunner).parameters else {}


def curate(*arguments: object) -> Result:
    return CliRunner(**SEPARATE).invoke(main, [str(argument) for argument in arguments])


def table() -> pd.DataFrame:
    rows = np.arange(N)
    return pd.DataFrame(
        {
            "id": [f"{row:03}" for row in rows],
            "image": [f"photos/{row}.png" for row in rows],
            "label": [CLASSES[row % 3] for row in rows],
            "price": [f"{20 + row % 7}.50" for row in rows],
            "title": [f"[bold]thing[/] {row}" for row in rows],
        }
    )


def probabilities() -> pd.DataFrame:
    """Return out-of-fold probabilities that agree with every label but that of 004 and 011."""
    rng = np.random.default_rng(5)
    values = np.full((N, 3), 0.04) + rng.uniform(0, 0.02, (N, 3))
    values[np.arange(N), np.arange(N) % 3] = 0.9
    values[4] = [0.97, 0.02, 0.01]
    values[11] = [0.05, 0.93, 0.02]
    values /= values.sum(axis=1, keepdims=True)
    return pd.DataFrame(values, columns=CLASSES).assign(id=table()["id"])


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a dataset and probabilities for it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CURATE_REVIEWER", "ana")
    photos = tmp_path / "shop" / "photos"
    photos.mkdir(parents=True)
    for row in range(N):
        Image.new("RGB", (8, 8), (row * 8, 100, 20)).save(photos / f"{row}.png")
    table().to_csv(tmp_path / "shop" / "listings.csv", index=False)
    table().drop(columns="image").to_csv(tmp_path / "plain.csv", index=False)
    probabilities().to_csv(tmp_path / "probs.csv", index=False)
    return tmp_path


def assert_refused(here: Path, *arguments: object, match: str) -> str:
    """Run a command that must fail with exit code 2, one line of error, and nothing written; return that line."""
    before, paths = files(here), sorted(here.rglob("*"))
    result = curate(*arguments)
    assert result.exit_code == 2, (result.stdout, result.stderr, result.exception)
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    *_, last = result.stderr.splitlines()
    assert last.startswith("Error: ")
    assert result.stderr.count("Error: ") == 1
    assert re.search(match, last), last
    assert sorted(here.rglob("*")) == paths
    assert files(here) == before
    return last


def done(*arguments: object) -> Result:
    result = curate(*arguments)
    assert result.exit_code == 0, (result.stderr, result.exception)
    return result


# what find-issues refuses


def change(here: Path, **columns: Any) -> None:
    table().assign(**columns).to_csv(here / "shop" / "listings.csv", index=False)


def test_a_missing_dataset_is_refused(here: Path) -> None:
    assert_refused(here, "find-issues", "shopp", match="there is no such dataset: got shopp; wanted a folder with")


def test_a_missing_column_is_refused_with_the_nearest_one(here: Path) -> None:
    table().rename(columns={"label": "labels"}).to_csv(here / "shop" / "listings.csv", index=False)
    assert_refused(here, "find-issues", "shop", match=r"no column 'label'.*Did you mean 'labels'\?$")
    assert_refused(here, "find-issues", "shop", "--column", "label=labelz", match=r"'labelz'.*Did you mean 'labels'\?$")


@pytest.mark.parametrize("mapping", ["label", "=label", "label=", ""])
def test_a_mapping_without_two_names_is_refused(mapping: str, here: Path) -> None:
    assert_refused(here, "find-issues", "shop", "--column", mapping, match="--column needs two names")


def test_a_mapping_of_an_unknown_column_is_refused(here: Path) -> None:
    assert_refused(here, "find-issues", "shop", "--column", "lable=label", match=r"Did you mean 'label'\?$")


def test_duplicate_ids_are_refused_and_their_rows_are_listed(here: Path) -> None:
    change(here, id=["0", "0", *table()["id"][2:]])
    assert_refused(here, "find-issues", "shop", match=r"listings\.csv has duplicate ids: got 0 in rows 2, 3")
    assert "  row 3, id 0: id '0' is not unique\n" in curate("find-issues", "shop").stderr


def test_an_empty_table_is_refused(here: Path) -> None:
    table().head(0).to_csv(here / "shop" / "listings.csv", index=False)
    assert_refused(here, "find-issues", "shop", match=r"listings\.csv is empty")


def test_one_class_only_is_refused(here: Path) -> None:
    change(here, label="chair")
    assert_refused(here, "find-issues", "shop", match="has one class only: got chair")


def test_labels_that_are_missing_are_refused_and_listed_up_to_a_screenful(here: Path) -> None:
    change(here, label="")
    assert_refused(here, "find-issues", "shop", match=r"30 of 30 rows are bad: got label is missing \(30\)")
    lines = curate("find-issues", "shop").stderr.splitlines()
    assert lines[0] == "  row 2, id 000: label '' is missing"
    assert lines[-2] == "  +10 more"


@pytest.mark.parametrize("path", ["../secret.png", "/etc/passwd"])
def test_a_photo_outside_of_the_folder_is_refused(path: str, here: Path) -> None:
    (here / "secret.png").write_bytes((here / "shop/photos/0.png").read_bytes())
    change(here, image=[path, *table()["image"][1:]])
    assert_refused(here, "find-issues", "shop", match=rf"1 image paths lead out.*got {path}.*Add --allow-outside")


def test_photos_most_of_which_are_missing_are_refused(here: Path) -> None:
    change(here, image="photos/none.png")
    assert_refused(here, "find-issues", "shop", match=r"30 of 30 rows are bad: got image no such file \(30\)")


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (["--model", "resnet81"], r"unknown model: got resnet81; .*Did you mean 'resnet18'\?$"),
        (["--optimizer", "adamx"], r"unknown optimizer: got adamx; wanted adamw, adam, sgd\. Did you mean 'adam"),
        (["--folds", "1"], "1 folds can't be made of 30 listings"),
        (["--folds", "0"], "0 folds can't be made of 30 listings"),
        (["--folds", "31"], "31 folds can't be made of 30 listings.*wanted 2 to 30 folds"),
        (["--folds", "few"], "few"),
        (["--epochs", "-1"], "number of epochs .*got -1"),
        (["--preset", "standart"], r"unknown preset: got standart; wanted quick, .*Did you mean 'standard'\?$"),
        (["--time-limit", "nonsense"], "a duration can't be read: got nonsense; wanted e.g. 90s, 10m, 1h30m"),
        (["--time-limit", "0s"], "time limit in seconds .*got 0.0"),
        (["--batch-size", "1"], "batch size .*got 1"),
        (["--image-size", "8"], "image size .*got 8"),
        (["--lr", "nan"], "learning rate .*got nan"),
        (["--device", "gpu"], "got gpu"),
        (["--fold", "3"], "No such option.*--fold"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_setting_out_of_range_is_refused(options: list[str], match: str, here: Path) -> None:
    assert_refused(here, "find-issues", "shop", *options, match=match)


def brought(here: Path, values: pd.DataFrame) -> list[object]:
    values.to_csv(here / "mine.csv", index=False)
    return ["find-issues", "plain.csv", "--probabilities", "mine.csv"]


def test_probabilities_of_other_listings_are_refused(here: Path) -> None:
    values = probabilities().assign(id=["x", *table()["id"][1:]])
    assert_refused(
        here, *brought(here, values), match=r"don't match the listings: got no row for 1 .*\(000\) and 1 ids .*\(x\)"
    )


def test_probabilities_that_do_not_sum_to_one_are_refused(here: Path) -> None:
    values = probabilities().assign(desk=lambda frame: frame["desk"] + 0.5)
    assert_refused(
        here, *brought(here, values), match=r"mine\.csv: 30 rows don't sum to 1: got 1\.5 for id 000.*softmax"
    )


def test_probabilities_without_one_of_the_classes_are_refused(here: Path) -> None:
    values = probabilities().rename(columns={"desk": "desks"})
    assert_refused(here, *brought(here, values), match=r"no column for 1 of the labels.*Did you mean 'desks'\?$")


def test_missing_probabilities_are_refused(here: Path) -> None:
    assert_refused(
        here, "find-issues", "plain.csv", "--probabilities", "none.npz", match=r"no such file.*got none\.npz"
    )


def test_a_table_without_photos_is_refused_without_probabilities(here: Path) -> None:
    assert_refused(here, "find-issues", "plain.csv", match="the table has no column 'image'")


@pytest.mark.parametrize(
    "options",
    [["--folds", "5"], ["--epochs", "0"], ["--time-limit", "5m"],
     ["--model", "resnet18"], ["--optimizer", "sgd"], ["--batch-size", "8"],
     ["--weight-decay", "0"], ["--label-smoothing", "0"], ["--device", "cpu"],
     ["--lr", "0.1"], ["--no-pretrained"]],
    ids=lambda options: str(options[0]),
)  # fmt: skip
def test_training_options_beside_probabilities_are_refused_by_their_names(options: list[str], here: Path) -> None:
    last = assert_refused(
        here, "find-issues", "plain.csv", "--probabilities", "probs.csv", *options, match="has no effect with --prob"
    )
    assert last.startswith(f"Error: {options[0]} has no effect")


@pytest.mark.parametrize("options", [["--batch-size", "8"], ["--lr", "0.1"], ["--model", "resnet18"]], ids=" ".join)
def test_options_of_networks_are_refused_where_none_is_trained(options: list[str], here: Path) -> None:
    last = assert_refused(here, "find-issues", "shop", "--no-pretrained", *options, match="--preset thorough")
    assert last.startswith(f"Error: {options[0]} has no effect without a network")


def test_a_run_folder_that_holds_something_else_is_refused(here: Path) -> None:
    assert_refused(
        here, "find-issues", "plain.csv", "--probabilities", "probs.csv", "--run", "shop",
        match="shop is not empty and not a run",
    )  # fmt: skip


def test_a_run_folder_that_is_a_file_is_refused(here: Path) -> None:
    assert_refused(
        here, "find-issues", "plain.csv", "--probabilities", "probs.csv", "--run", "plain.csv", match="plain.csv"
    )


# the commands after it


LATER = [["apply-fixes"], ["apply-fixes", "--accept-suggestions"], ["undo"], ["retrain", "--compare"], ["review"]]
later = pytest.mark.parametrize("arguments", LATER, ids=" ".join)


@later
def test_without_any_run_the_error_says_how_to_start_one(arguments: list[str], here: Path) -> None:
    assert_refused(here, *arguments, match="there is no run here: .*curate find-issues DATASET")


@later
@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("status", ["running", "failed", "interrupted"])
def test_a_run_that_has_not_finished_is_refused(arguments: list[str], status: str, named: bool, here: Path) -> None:
    write_json(here / "runs/shop/1/run.json", {"status": status, "dataset": {"path": "shop"}, "started": "2024"})
    assert_refused(
        here,
        *arguments,
        *(["--run", "runs/shop/1"] if named else []),
        match=rf"run runs/shop/1 has not finished: got status '{status}'.*curate find-issues shop --run runs/shop/1",
    )


@later
@pytest.mark.parametrize("folder", ["shop", "nothing"])
def test_a_folder_that_is_no_run_is_refused(arguments: list[str], folder: str, here: Path) -> None:
    assert_refused(here, *arguments, "--run", folder, match=f"{folder} is not a run: wanted a folder with run.json")


@later
@pytest.mark.parametrize("content", ["", "{", "[]"])
def test_a_damaged_run_is_refused(arguments: list[str], content: str, here: Path) -> None:
    (here / "runs/shop/1").mkdir(parents=True)
    (here / "runs/shop/1/run.json").write_text(content)
    assert_refused(here, *arguments, match=r"run\.json is damaged")


def test_status_without_any_run_says_how_to_start_one(here: Path) -> None:
    assert_refused(here, "status", match="there is no run below runs/. Start one with: curate find-issues DATASET")


@pytest.fixture
def run(here: Path) -> Run:
    """A finished run, the latest below the current folder."""
    return make_run(here)


def test_a_confidence_without_suggestions_is_refused(here: Path, run: Run) -> None:
    assert_refused(here, "apply-fixes", "--min-confidence", "0.5", match="no effect without --accept-suggestions")


@pytest.mark.parametrize("confidence", ["1.5", "-1", "nan", "sure"])
def test_a_confidence_out_of_range_is_refused(confidence: str, here: Path, run: Run) -> None:
    assert_refused(here, "apply-fixes", "--accept-suggestions", "--min-confidence", confidence, match="min-confidence")


def test_applying_without_any_decision_is_refused_with_what_to_type(here: Path, run: Run) -> None:
    assert_refused(
        here, "apply-fixes", match="nothing is decided in .*curate review.*curate apply-fixes --accept-suggestions"
    )
    assert_refused(here, "apply-fixes", "--dry-run", match="nothing is decided")


def test_a_decisions_file_that_does_not_fit_is_refused(here: Path, run: Run) -> None:
    (here / "mine.csv").write_text("id,decision\n00,keep\nx,keep\n")
    assert_refused(here, "apply-fixes", "--decisions", "mine.csv", match="1 decisions are for listings .*got x")
    assert_refused(here, "apply-fixes", "--decisions", "none.csv", match="no decisions file: got none.csv")


def test_undo_before_any_apply_is_refused(here: Path, run: Run) -> None:
    assert_refused(here, "undo", match="there is nothing to undo")


def test_a_retrain_before_any_apply_is_refused_with_what_to_type(here: Path, run: Run) -> None:
    assert_refused(
        here, "retrain", "--compare", match="has no cleaned dataset.*curate apply-fixes --accept-suggestions"
    )
    assert_refused(here, "retrain", "--compare", "--seeds", "0", match="number of seeds is out of range: got 0")


def test_a_retrain_of_a_run_without_photos_is_refused(here: Path, run: Run) -> None:
    run.write_table(run.listings_file, run.listings().assign(sha256=None))
    done("apply-fixes", "--accept-suggestions")
    assert_refused(here, "retrain", "--compare", match="has no photos to train on")


# results


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """A run of find-issues on a table without photos, and what it said."""
    folder = tmp_path_factory.mktemp("found")
    table().drop(columns="image").to_csv(folder / "plain.csv", index=False)
    probabilities().to_csv(folder / "probs.csv", index=False)
    result = curate(
        "find-issues", folder / "plain.csv", "--probabilities", folder / "probs.csv", "--run", folder / "run"
    )
    return folder, result


def test_find_issues_needs_no_photos_when_it_is_given_probabilities(found: tuple[Path, Result]) -> None:
    folder, result = found
    assert result.exit_code == 0, (result.stderr, result.exception)
    issues = pd.read_parquet(folder / "run" / "issues.parquet")
    assert list(issues.columns) == list(COLUMNS)
    assert issues["id"].tolist() == table()["id"].tolist()
    assert sorted(issues["priority"]) == list(range(1, N + 1))
    assert issues["image"].isna().all()
    assert set(issues.nsmallest(2, "priority")["id"]) == {"004", "011"}
    suggested = issues.set_index("id")["suggested_label"]
    assert (suggested["004"], suggested["011"]) == ("chair", "desk")


def test_issues_csv_holds_the_same_as_the_parquet(found: tuple[Path, Result]) -> None:
    folder, _ = found
    issues = pd.read_parquet(folder / "run" / "issues.parquet")
    text = pd.read_csv(folder / "run" / "issues.csv", dtype={"id": str})
    assert list(text.columns) == list(COLUMNS)
    assert text["id"].tolist() == issues["id"].tolist()
    assert text["priority"].tolist() == issues["priority"].tolist()


def test_the_run_folder_holds_what_others_rely_on(found: tuple[Path, Result]) -> None:
    folder, _ = found
    names = {path.name for path in (folder / "run").iterdir()}
    assert {"run.json", "listings.parquet", "probabilities.npz", "issues.parquet", "issues.csv"} <= names
    record = json.loads((folder / "run" / "run.json").read_text(encoding="utf-8"))
    assert record["status"] == "finished"
    assert record["dataset"]["classes"] == CLASSES
    listings = pd.read_parquet(folder / "run" / "listings.parquet")
    assert set(listings["split"]) == {"train", "test"}


def test_the_summary_goes_to_stdout_and_the_rest_to_stderr(found: tuple[Path, Result]) -> None:
    folder, result = found
    assert re.search(r"2 of 30 listings are flagged \(6\.7%\)", result.stdout)
    assert all(kind.title in result.stdout for kind in KINDS)
    assert "004" in result.stdout
    assert "curate apply-fixes --accept-suggestions" in result.stdout
    assert result.stderr == f"run folder: {folder / 'run'}\n"


def test_a_finished_run_is_not_written_over(found: tuple[Path, Result], here: Path) -> None:
    folder, _ = found
    before = files(folder / "run")
    assert_refused(
        here, "find-issues", "plain.csv", "--probabilities", "probs.csv", "--run", folder / "run",
        match="holds a finished run",
    )  # fmt: skip
    assert files(folder / "run") == before


TRAINED = ["--no-pretrained", "--device", "cpu", "--folds", "2", "--run", "run"]


def test_the_expected_time_is_said_before_the_photos_are_read(here: Path) -> None:
    lines = done("find-issues", "shop", "--preset", "quick", *TRAINED).stderr.splitlines()
    assert lines[0] == "run folder: run"
    assert re.fullmatch(r"expected: \d+ s \(cpu, float32; linear models on features, no network\)", lines[1])
    photos = next(number for number, line in enumerate(lines) if " decoded" in line)
    features = lines.index("features: patches of the photos")
    assert 1 < photos < features
    assert not list(Path("run/training").glob("fold-*/events*"))


def test_the_thorough_preset_trains_networks_with_learning_curves(here: Path) -> None:
    small = ["--epochs", "1", "--image-size", "32", "--model", "squeezenet1_1"]
    result = done("find-issues", "shop", "--preset", "thorough", *small, *TRAINED)
    assert re.search(r"expected: \d+ s \(cpu, .*; 1 epochs? of squeezenet1_1\)", result.stderr)
    for fold in range(2):
        assert list(Path(f"run/training/fold-{fold}").glob("events.out.tfevents.*"))
    assert json.loads(Path("run/run.json").read_text())["settings"]["train"]["preset"] == "thorough"


def test_a_time_limit_that_is_too_short_is_refused_with_what_is_needed_and_leaves_nothing_behind(here: Path) -> None:
    many = pd.concat([table()] * 400).assign(id=np.arange(400 * N))
    many.to_csv(here / "shop" / "listings.csv", index=False)
    assert_refused(
        here, "find-issues", "shop", "--time-limit", "1s", *TRAINED,
        match="the time limit is too short: got 1 s; wanted about .* for 12000 photos without training a network",
    )  # fmt: skip


def test_a_time_limit_without_time_for_networks_does_without_them(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Arrangement(find_device("cpu"), 1, 1, 1000.0, 1000.0)
    monkeypatch.setattr("training.plan.measure", lambda settings, device, classes, jobs: slow)
    options = ["--preset", "thorough", "--image-size", "32", "--model", "squeezenet1_1", "--time-limit", "5m"]
    result = done("find-issues", "shop", *options, *TRAINED)
    assert "the time limit leaves no time for one epoch of squeezenet1_1: linear models on" in result.stderr
    assert not list(Path("run/training").glob("fold-*/events*"))
    assert Run(Path("run")).record()["status"] == "finished"


def test_runs_are_numbered_below_the_current_folder_and_leave_the_dataset_as_it_was(here: Path) -> None:
    before = files(here)
    for number in (1, 2):
        summary = json.loads(done("find-issues", "plain.csv", "--probabilities", "probs.csv", "--json").stdout)
        assert summary["run"] == f"runs/plain/{number}"
    assert {name: digest for name, digest in files(here).items() if not name.startswith("runs/")} == before


def test_bad_rows_are_said_on_stderr_and_kept_in_a_file(here: Path) -> None:
    plain = table().drop(columns="image").assign(price=["free", *table()["price"][1:]])
    plain.to_csv(here / "plain.csv", index=False)
    result = done("find-issues", "plain.csv", "--probabilities", "probs.csv", "--json")
    assert "  row 2, id 000: price 'free' is not a number\n" in result.stderr
    assert json.loads(result.stdout)["listings"] == N
    problems = pd.read_csv(here / "runs/plain/1/problems.csv", dtype=str)
    assert problems.to_dict("records") == [
        {"row": "2", "id": "000", "column": "price", "value": "free", "why": "is not a number"}
    ]


@pytest.mark.parametrize("as_json", [True, False])
def test_the_loop_after_find_issues_speaks_both_ways(as_json: bool, here: Path, run: Run) -> None:
    def said(*arguments: str) -> Any:
        result = done(*arguments, *(["--json"] if as_json else []))
        assert result.stderr == ""
        return json.loads(result.stdout) if as_json else result.stdout

    state = said("status")
    assert state["next"] == "curate review" if as_json else "next: curate review" in state
    accept = ["apply-fixes", "--accept-suggestions"]
    dry = said(*accept, "--dry-run")
    assert not run.cleaned.exists()
    assert not run.journal.exists()
    applied = said(*accept)
    assert run.cleaned.is_dir()
    state = said("status")
    undone = said("undo")
    assert not run.cleaned.exists()
    if as_json:
        counts = {"relabelled": 2, "deleted": 0, "kept": 0}
        assert dry == {"run": "runs/shop/1", "cleaned": "runs/shop/1/cleaned", "dry_run": True, **counts}
        assert applied == {**dry, "dry_run": False}
        assert (state["decisions"], state["cleaned"], state["next"]) == (2, True, "curate retrain --compare")
        assert undone == {"run": "runs/shop/1", "undone": 2, "restored": False}
    else:
        assert "Would change: 2 relabelled, 0 deleted" in dry
        assert "Nothing was written" in dry
        assert "Changed: 2 relabelled, 0 deleted" in applied
        assert "curate retrain --compare" in state
        assert "2 decisions taken back, there is no cleaned dataset now" in undone


def test_the_latest_run_is_taken_unless_another_is_named(here: Path, run: Run) -> None:
    run.update(started="2024-01-01")
    other = make_run(here / "other")
    other.update(started="2024-01-02")
    other.folder.rename(here / "runs" / "shop" / "2")
    assert json.loads(done("status", "--json").stdout)["run"] == "runs/shop/2"
    assert json.loads(done("status", "--json", "--run", "runs/shop/1").stdout)["run"] == "runs/shop/1"


def test_a_damaged_line_of_the_journal_is_said_on_stderr(here: Path, run: Run) -> None:
    run.journal.write_text("{\n")
    result = done("apply-fixes", "--accept-suggestions", "--json")
    assert "warning: decisions.jsonl line 1 can't be read" in result.stderr
    assert json.loads(result.stdout)["relabelled"] == 2


def test_a_label_that_looks_like_markup_is_shown_as_it_is(here: Path) -> None:
    names = {"chair": "[bold]chair", "desk": "desk", "lamp": "lamp [/]"}
    table().drop(columns="image").assign(label=table()["label"].map(names)).to_csv("plain.csv", index=False)
    probabilities().rename(columns=names).to_csv("probs.csv", index=False)
    assert "[bold]chair" in done("find-issues", "plain.csv", "--probabilities", "probs.csv").stdout


@pytest.mark.parametrize(
    ("folder", "listings", "match"), [("market", "60", "got 60; wanted 120"), ("shop", "120", "shop")]
)
def test_a_demo_that_is_too_small_or_has_no_folder_of_its_own_is_refused(
    folder: str, listings: str, match: str, here: Path
) -> None:
    assert_refused(here, "demo", folder, "--listings", listings, match=match)
