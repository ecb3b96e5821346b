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
from curation.run.folder import RunFolder
from tests.support.fixes import files, make_run
from training.fit.throughput import Arrangement
from training.utils.devices import find_device

ROOT = Path(__file__).parents[2]
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


def open_shop(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make `folder` the current one, with a dataset and probabilities for it."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("CURATE_REVIEWER", "ana")
    photos = folder / "shop" / "photos"
    photos.mkdir(parents=True)
    for row in range(N):
        Image.new("RGB", (8, 8), (row * 8, 100, 20)).save(photos / f"{row}.png")
    table().to_csv(folder / "shop" / "listings.csv", index=False)
    table().drop(columns="image").to_csv(folder / "plain.csv", index=False)
    probabilities().to_csv(folder / "probs.csv", index=False)
    return folder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return open_shop(tmp_path, monkeypatch)


@pytest.fixture
def run(here: Path) -> RunFolder:
    """A finished run, the latest below the current folder."""
    return make_run(here)


def paths(here: Path) -> list[Path]:
    """Return what is below a folder; a lock that nobody holds is no trace of a command."""
    return sorted(path for path in here.rglob("*") if path.name != ".lock")


def assert_refused(here: Path, *arguments: object, match: str) -> str:
    """Run a command that must fail with exit code 2, one line of error, and nothing written; return that line."""
    before, there = files(here), paths(here)
    result = curate(*arguments)
    assert result.exit_code == 2, (result.stdout, result.stderr, result.exception)
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    *_, last = result.stderr.splitlines()
    assert last.startswith("Error: ")
    assert result.stderr.count("Error: ") == 1
    assert re.search(match, last), last
    assert paths(here) == there
    assert files(here) == before
    return last


def done(*arguments: object) -> Result:
    result = curate(*arguments)
    assert result.exit_code == 0, (result.stderr, result.exception)
    return result


# results


@pytest.fixture(scope="module")
def run_without_photos(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """A run of find-issues on a table without photos, and its output."""
    folder = tmp_path_factory.mktemp("run_without_photos")
    table().drop(columns="image").to_csv(folder / "plain.csv", index=False)
    probabilities().to_csv(folder / "probs.csv", index=False)
    result = curate(
        "find-issues", folder / "plain.csv", "--probabilities", folder / "probs.csv", "--run", folder / "run"
    )
    return folder, result


def test_find_issues_needs_no_photos_when_it_is_given_probabilities(run_without_photos: tuple[Path, Result]) -> None:
    folder, result = run_without_photos
    assert result.exit_code == 0, (result.stderr, result.exception)
    issues = pd.read_parquet(folder / "run" / "issues.parquet")
    assert list(issues.columns) == list(COLUMNS)
    assert issues["id"].tolist() == table()["id"].tolist()
    assert sorted(issues["priority"]) == list(range(1, N + 1))
    assert issues["image"].isna().all()
    assert set(issues.nsmallest(2, "priority")["id"]) == {"004", "011"}
    suggested = issues.set_index("id")["suggested_label"]
    assert (suggested["004"], suggested["011"]) == ("chair", "desk")


def test_issues_csv_holds_the_same_as_the_parquet(run_without_photos: tuple[Path, Result]) -> None:
    folder, _ = run_without_photos
    issues = pd.read_parquet(folder / "run" / "issues.parquet")
    text = pd.read_csv(folder / "run" / "issues.csv", dtype={"id": str})
    assert list(text.columns) == list(COLUMNS)
    assert text["id"].tolist() == issues["id"].tolist()
    assert text["priority"].tolist() == issues["priority"].tolist()


def test_the_run_folder_holds_what_others_rely_on(run_without_photos: tuple[Path, Result]) -> None:
    folder, _ = run_without_photos
    names = {path.name for path in (folder / "run").iterdir()}
    assert {"run.json", "listings.parquet", "probabilities.npz", "issues.parquet", "issues.csv"} <= names
    record = json.loads((folder / "run" / "run.json").read_text(encoding="utf-8"))
    assert record["status"] == "finished"
    assert record["dataset"]["classes"] == CLASSES
    listings = pd.read_parquet(folder / "run" / "listings.parquet")
    assert set(listings["split"]) == {"train", "test"}


def test_the_summary_goes_to_stdout_and_the_rest_to_stderr(run_without_photos: tuple[Path, Result]) -> None:
    folder, result = run_without_photos
    assert re.search(r"2 of 30 listings are flagged \(6\.7%\)", result.stdout)
    assert all(kind.title in result.stdout for kind in KINDS)
    assert "004" in result.stdout
    assert f"curate apply-fixes --run {folder}/run --accept-suggestions" in result.stdout
    assert result.stderr == f"run folder: {folder / 'run'}\n"


def test_a_finished_run_is_not_written_over(run_without_photos: tuple[Path, Result], here: Path) -> None:
    folder, _ = run_without_photos
    before = files(folder / "run")
    assert_refused(
        here, "find-issues", "plain.csv", "--probabilities", "probs.csv", "--run", folder / "run",
        match="holds a finished run",
    )  # fmt: skip
    assert files(folder / "run") == before


TRAINED = ["--no-pretrained", "--device", "cpu", "--folds", "2", "--run", "run"]


def test_the_expected_time_is_reported_before_the_photos_are_read(here: Path) -> None:
    lines = done("find-issues", "shop", "--preset", "quick", *TRAINED).stderr.splitlines()
    assert lines[0] == "run folder: run"
    assert re.fullmatch(
        r"expected: \d+ s \(cpu, (float32|bfloat16, channels last); linear models on features, no network\)", lines[1]
    )
    photos = next(number for number, line in enumerate(lines) if " decoded" in line)
    features = lines.index("features: patches of the photos")
    assert 1 < photos < features
    assert not list(Path("run/training").glob("fold-*/events*"))


def test_the_resnet_preset_trains_networks_with_learning_curves(here: Path) -> None:
    small = ["--epochs", "1", "--image-size", "32", "--model", "squeezenet1_1"]
    result = done("find-issues", "shop", "--preset", "resnet", *small, *TRAINED)
    assert re.search(r"expected: \d+ s \(cpu, .*; 1 epochs? of squeezenet1_1\)", result.stderr)
    for fold in range(2):
        assert list(Path(f"run/training/fold-{fold}").glob("events.out.tfevents.*"))
    assert json.loads(Path("run/run.json").read_text())["settings"]["train"]["preset"] == "resnet"


def test_a_time_limit_that_is_too_short_is_refused_with_what_is_needed_and_leaves_nothing_behind(here: Path) -> None:
    many = pd.concat([table()] * 400).assign(id=np.arange(400 * N))
    many.to_csv(here / "shop" / "listings.csv", index=False)
    assert_refused(
        here, "find-issues", "shop", "--time-limit", "1s", *TRAINED,
        match="the time limit is too short: got 1 s; wanted about .* for 12000 photos without training a network",
    )  # fmt: skip


def test_a_time_limit_without_time_for_networks_does_without_them(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Arrangement(find_device("cpu"), 1, 1, 1000.0, 1000.0)
    monkeypatch.setattr("training.crossval.plan.measure", lambda settings, device, classes, jobs, workers=None: slow)
    options = ["--preset", "resnet", "--image-size", "32", "--model", "squeezenet1_1", "--time-limit", "5m"]
    result = done("find-issues", "shop", *options, *TRAINED)
    assert "the time limit leaves no time for one epoch of squeezenet1_1: linear models on" in result.stderr
    assert not list(Path("run/training").glob("fold-*/events*"))
    assert RunFolder(Path("run")).record()["status"] == "finished"


def test_runs_are_numbered_below_the_current_folder_and_leave_the_dataset_as_it_was(here: Path) -> None:
    before = files(here)
    for number in (1, 2):
        summary = json.loads(done("find-issues", "plain.csv", "--probabilities", "probs.csv", "--json").stdout)
        assert summary["run"] == f"runs/plain/{number}"
    assert {name: digest for name, digest in files(here).items() if not name.startswith("runs/")} == before


def test_bad_rows_are_reported_on_stderr_and_kept_in_a_file(here: Path) -> None:
    plain = table().drop(columns="image").assign(price=["cheap", *table()["price"][1:]])
    plain.to_csv(here / "plain.csv", index=False)
    result = done("find-issues", "plain.csv", "--probabilities", "probs.csv", "--json")
    assert "  price is not a price in 1 row: row 2, id 000, 'cheap'\n" in result.stderr
    assert json.loads(result.stdout)["listings"] == N
    problems = pd.read_csv(here / "runs/plain/1/problems.csv", dtype=str)
    assert problems.to_dict("records") == [
        {"row": "2", "id": "000", "column": "price", "value": "cheap", "why": "is not a price"}
    ]


@pytest.mark.parametrize("as_json", [True, False])
def test_the_loop_after_find_issues_speaks_both_ways(as_json: bool, here: Path, run: RunFolder) -> None:
    def result_of(*arguments: str) -> Any:
        result = done(*arguments, *(["--json"] if as_json else []))
        assert result.stderr == ""
        return json.loads(result.stdout) if as_json else result.stdout

    state = result_of("status")
    assert state["next"] == "curate review" if as_json else "next: curate review" in state
    accept = ["apply-fixes", "--accept-suggestions"]
    dry = result_of(*accept, "--dry-run")
    assert not run.cleaned.exists()
    assert not run.journal.exists()
    applied = result_of(*accept)
    assert run.cleaned.is_dir()
    state = result_of("status")
    undone = result_of("undo")
    assert not run.cleaned.exists()
    if as_json:
        counts = {"relabelled": 2, "repriced": 0, "merged": 0, "deleted": 0, "kept": 0, "ambiguous": 0}
        folders = {"run": "runs/shop/1", "cleaned": "runs/shop/1/cleaned"}
        became = {"min_confidence": None, "flagged": 4, "accepted": 2, "earlier": 0, "undos": 0}
        assert became.items() <= dry.pop("acceptance").items()
        assert became.items() <= applied.pop("acceptance").items()
        counts |= {"in_conflict": 0, "conflicts": []}
        asked = {"dry_run": True, "as_of": None, "soft": False, "latest_wins": False}
        assert dry == {**folders, **asked, **counts}
        assert applied == {**dry, "dry_run": False}
        assert (state["decisions"], state["cleaned"], state["next"]) == (2, True, "curate retrain --compare")
        assert undone == {"run": "runs/shop/1", "undone": 2, "restored": False, "damaged": []}
    else:
        assert "Would change: 2 relabelled, 0 deleted" in dry
        assert "Nothing was written" in dry
        assert "Changed: 2 relabelled, 0 deleted" in applied
        assert "curate retrain --compare" in state
        assert "2 decisions taken back, there is no cleaned dataset now" in undone


def test_new_prices_and_new_classes_are_applied_and_said(here: Path, run: RunFolder) -> None:
    Path("mine.csv").write_text(
        "ID;Decision;New Label;New Price\n00;reprice;;S$ 95,50\n01;relabel;sofa;7\n05;ambiguous;;\n", encoding="utf-8"
    )
    file = ("apply-fixes", "--decisions", "mine.csv")
    assert_refused(
        here, *file, match=r"listing 01 can't be relabelled: got new_label 'sofa'; .* say so with --new-class sofa\."
    )
    shown = done(*file, "--new-class", "sofa").stdout
    assert "Changed: 1 relabelled, 2 repriced, 0 deleted (and 0 kept by decision, 1 left because" in shown
    assert re.search(r"00 +reprice +chair +9\.5 +95\.5 +csv", shown)
    assert re.search(r"01 +relabel +chair +sofa +10\.5 +7 +csv", shown)
    assert "decisions: 3 (1 relabel, 1 reprice, 1 ambiguous)" in done("status").stdout
    assert json.loads(done("status", "--json").stdout)["actions"] == {"relabel": 1, "reprice": 1, "ambiguous": 1}
    match = r"no decision is for the new class 'sofas': got new_label sofa; .*Did you mean 'sofa'\?"
    assert_refused(here, "apply-fixes", "--new-class", "sofas", match=match)


def test_the_latest_run_is_taken_unless_another_is_named(here: Path, run: RunFolder) -> None:
    run.update(started="2024-01-01")
    other = make_run(here / "other")
    other.update(started="2024-01-02")
    other.folder.rename(here / "runs" / "shop" / "2")
    assert json.loads(done("status", "--json").stdout)["run"] == "runs/shop/2"
    assert json.loads(done("status", "--json", "--run", "runs/shop/1").stdout)["run"] == "runs/shop/1"


def test_a_damaged_line_of_the_journal_is_reported_on_stderr(here: Path, run: RunFolder) -> None:
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
