"""Labels that no model could judge are said to be without a score, wherever a person reads what was found."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from curation.issues.health import without_score
from curation.run.folder import RunFolder
from tests.cli.test_cli import curate

CLASSES = ("cable", "mouse", "router", "webcam")


def shop(folder, **columns):
    """Write 40 listings of four classes, whose photos tell them, and columns that a function of the row gives."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    rows = []
    for number in range(40):
        kind = number % 4
        pixels = rng.integers(0, 120, (8, 8, 3), dtype=np.uint8)
        pixels[..., kind % 3] += 120 if kind < 3 else 60
        Image.fromarray(pixels).resize((64, 64), Image.Resampling.NEAREST).save(folder / f"{number}.png")
        row = {"id": f"L{number:02}", "image": f"{number}.png", "label": CLASSES[kind]}
        rows.append({**row, **{name: value(number, CLASSES[kind]) for name, value in columns.items()}})
    pd.DataFrame(rows).to_csv(folder / "listings.csv", index=False)
    return folder


def found(dataset, folder):
    result = curate("find-issues", dataset, "--run", folder, "--preset", "quick", "--no-text", "--no-pretrained")
    assert result.exit_code == 0, result.output
    return result.stdout, RunFolder(folder)


def test_08_class_in_one_group_is_said_to_be_unscored_with_its_count(tmp_path):
    dataset = shop(tmp_path / "ds", group=lambda n, kind: "shop-9" if kind == "webcam" else f"s{n // 8}{kind}")
    said, run = found(dataset, tmp_path / "run")
    sentence = "10 listings have no label score: webcam (10)."
    assert sentence in said
    assert "the rest of it is in the same group" in said
    assert " of 30 (" in said or "Few labels" not in said
    assert sentence in run.report_file.read_text()
    assert run.health()["unscored"] == [{"class": "webcam", "listings": 10}]
    issues = run.issues()
    assert issues["label_score"].isna().tolist() == (issues["given_label"] == "webcam").tolist()


def test_a_class_that_is_in_the_test_set_only_is_said_to_be_unscored(tmp_path):
    dataset = shop(tmp_path / "ds", split=lambda n, kind: "test" if kind == "mouse" or n < 4 else "train")
    said, run = found(dataset, tmp_path / "run")
    assert "10 listings have no label score: mouse (10)." in said
    assert run.issues()["label_score"].isna().sum() == 10


def test_where_each_listing_is_the_only_one_of_its_class_that_is_said(tmp_path):
    said, run = found(shop(tmp_path / "ds", label=lambda n, kind: f"model {n}"), tmp_path / "run")
    assert "40 listings have no label score: model 0 (1)" in said
    assert run.issues()["label_score"].isna().all()
    assert "40 listings have no label score" in run.report_file.read_text()


def test_several_classes_and_one_listing_are_said_in_proper_words(tmp_path):
    def label(number, kind):
        return {0: "tripod", 1: "lens"}.get(number, kind)

    said, _ = found(
        shop(tmp_path / "ds", label=label, group=lambda n, kind: "w" if kind == "webcam" else ""), tmp_path / "run"
    )
    assert "12 listings have no label score: webcam (10), lens (1), tripod (1)." in said
    one = {"unscored": [{"class": "lens", "listings": 1}]}
    assert without_score(one).startswith("1 listing has no label score: lens (1). The models that score it were")


def test_nothing_is_said_where_every_label_has_a_score(tmp_path):
    said, run = found(shop(tmp_path / "ds"), tmp_path / "run")
    assert "no label score" not in said + run.report_file.read_text()
    assert run.health()["unscored"] == []


@pytest.mark.parametrize("report", [{}, {"unscored": []}])
def test_a_run_of_an_earlier_version_does_not_tell(report):
    assert without_score(report) == ""
