"""What `explore` says of names of classes."""

from __future__ import annotations

import pandas as pd
from PIL import Image

import curation
from tests.cli.test_cli import done


def write(folder, labels):
    folder.mkdir()
    for row in range(len(labels)):
        Image.new("RGB", (40, 40), (row * 9 % 255, 80, 20)).save(folder / f"{row}.png")
    table = pd.DataFrame({"id": range(len(labels)), "image": [f"{row}.png" for row in range(len(labels))]})
    table.assign(label=labels).to_csv(folder / "listings.csv", index=False)
    return folder


def test_twins_are_told_once_with_counts_and_the_option_that_merges_them(tmp_path):
    folder = write(tmp_path / "shop", ["Mouse"] * 4 + ["mouse"] * 2 + ["desk"] * 3)
    told = done("explore", folder, "--output", tmp_path / "look")
    said = [line for line in (told.stdout + told.stderr).splitlines() if "Mouse (4) and mouse (2)" in line]
    assert len(said) == 1
    assert "Merge them with --merge-labels" in said[0]
    assert "Mouse (4) and mouse (2)" in (tmp_path / "look" / "explore.html").read_text()
    found = curation.explore(curation.read_listings(folder)).findings["labels"]
    assert found["twins"] == [{"Mouse": 4, "mouse": 2}]
    told = done("explore", folder, "--merge-labels", "--output", tmp_path / "look")
    assert "--merge-labels" in next(line for line in told.stdout.splitlines() if line.startswith("Next:"))
    assert "Labels merged: mouse → Mouse (2)" in told.stderr


def test_the_same_photo_under_two_spellings_has_one_label(tmp_path):
    folder = write(tmp_path / "shop", ["Mouse", "mouse", "desk", "desk"])
    for row in (0, 1):
        Image.new("RGB", (40, 40)).save(folder / f"{row}.png")
    found = curation.explore(curation.read_listings(folder)).findings["duplicates"]
    assert (found["groups"], found["with_different_labels"]) == (1, 0)


def test_a_separator_that_most_labels_hold_is_suggested_until_it_is_given(tmp_path):
    labels = ["Games > Consoles", "Games > Video games", "Phones > Home", "Other"] * 2
    folder = write(tmp_path / "shop", labels)
    told = done("explore", folder, "--output", tmp_path / "look")
    assert "3 of 4 classes have '>' in their name." in told.stdout
    assert "add --label-separator '>': confusions" in told.stdout
    told = done("explore", folder, "--label-separator", ">", "--output", tmp_path / "look")
    assert "in their name" not in told.stdout
    assert "--label-separator '>'" in told.stdout.splitlines()[-1]


def test_explore_looks_at_lists_of_labels_that_others_refuse(tmp_path):
    folder = write(tmp_path / "shop", ["lamp", "desk", "lamp|desk", "desk"])
    told = done("explore", folder, "--output", tmp_path / "look")
    assert "1 listing has a list of labels: got 'lamp|desk' (1)" in told.stdout
