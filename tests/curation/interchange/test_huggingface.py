"""Hugging Face's own datasets loads what is written, and what was changed there comes back as decisions."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import datasets
import pandas as pd
import pytest

import curation
from curation.errors import DecisionsError, InputError
from curation.interchange.huggingface import METADATA
from tests.cli.test_cli import curate, done
from tests.support.fixes import LISTINGS, files, make_run


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CURATE_REVIEWER", "cleo")
    return curation.open_run(make_run(tmp_path).folder)


def load(folder, tmp_path):
    cache = str(tmp_path / "cache")
    return datasets.load_dataset("imagefolder", data_dir=str(folder), cache_dir=cache)


def labels(loaded):
    return {id: label for part in loaded.values() for id, label in zip(part["id"][:], part["label"][:], strict=True)}


def metadata(folder, split="train"):
    file = Path(folder, split, METADATA)
    return file, [json.loads(line) for line in file.read_text().splitlines()]


def change(folder, **new):
    file, rows = metadata(folder)
    file.write_text(
        "".join(json.dumps({**row, "label": new.get(f"L{row['id']}", row["label"])}) + "\n" for row in rows)
    )


def said(run):
    table = run.decisions().astype(object)
    return {row.id: (row.action, row.new_label) for row in table.where(table.notna(), None).itertuples()}


def test_load_dataset_gives_photos_ids_labels_and_splits(run, tmp_path):
    before = files(run.folder)
    exported = run.export("huggingface", "hf")
    loaded = load("hf", tmp_path)
    assert {name: len(part) for name, part in loaded.items()} == {"train": 9, "test": 2}
    assert labels(loaded) == {id: row[0] for id, row in LISTINGS.items() if id != "09"}
    first = loaded["train"][0]
    with Path("input/photos/00.png").open("rb") as photo:
        assert photo.read() == Path("hf/train/000000.png").read_bytes()
    assert (first["image"].size, first["id"], first["exported_label"]) == ((6, 4), "00", "chair")
    assert any("1 listing left out" in note and "09" in note for note in exported.notes)
    assert files(run.folder) == before


def test_the_card_has_the_metadata_of_the_hub(run):
    from huggingface_hub import DatasetCard

    run.export("huggingface", "hf")
    card = DatasetCard.load(Path("hf/README.md"))
    assert card.data.to_dict()["task_categories"] == ["image-classification"]
    assert card.data.to_dict()["size_categories"] == ["n<1K"]
    assert "no decision was applied" in card.text


def test_after_apply_fixes_it_has_the_corrected_labels_without_what_was_deleted(run, tmp_path):
    run.decide("00", "relabel", label="desk")
    run.decide("10", "delete")
    run.apply_fixes()
    run.decide("11", "delete")  # not applied yet
    assert "cleaned dataset" in run.export("huggingface", "hf").notes[0]
    got = labels(load("hf", tmp_path))
    assert got["00"] == "desk"
    assert "10" not in got
    assert "11" in got


@pytest.mark.parametrize("source", ["folder", "file", "dataset", "classes"])
def test_changed_labels_come_back_as_decisions_and_others_do_not(run, tmp_path, source):
    run.export("huggingface", "hf")
    change("hf", L00="desk", L10="NA")
    loaded = load("hf", tmp_path)
    given = {"folder": "hf", "file": f"hf/train/{METADATA}", "dataset": loaded}.get(source)
    if source == "classes":
        given = loaded["train"].filter(lambda row: row["label"] is not None, input_columns=None)
        given = given.class_encode_column("label")
    imported = run.import_decisions("huggingface", given, reviewer="ana")
    assert said(run) == {"00": ("relabel", "desk"), "10": ("relabel", "NA")}
    assert imported.new == 2
    assert run.decisions()["source"].unique().tolist() == ["huggingface"]
    assert run.import_decisions("huggingface", given, reviewer="ana").new == 0


def test_a_corrected_label_that_was_changed_back_is_kept(run):
    run.decide("00", "relabel", label="desk", reviewer="cleo")
    run.apply_fixes()
    run.export("huggingface", "hf")
    change("hf", L00="chair")
    run.import_decisions("huggingface", "hf")
    assert said(run) == {"00": ("keep", None)}


def test_what_was_decided_since_the_export_is_not_taken_for_a_change(run):
    run.export("huggingface", "hf")
    run.decide("00", "relabel", label="desk")
    assert run.import_decisions("huggingface", "hf").decisions == 0
    assert said(run) == {"00": ("relabel", "desk")}


@pytest.mark.parametrize(
    ("new", "match"), [({"L00": None}, "1 label less.*00"), ({"L00": "sofa"}, "no class of the run.*sofa")]
)
def test_labels_that_mean_nothing_are_refused(run, new, match):
    run.export("huggingface", "hf")
    change("hf", **new)
    with pytest.raises(DecisionsError, match=match):
        run.import_decisions("huggingface", "hf")


def test_a_dataset_without_ids_is_refused_and_one_without_photos_is_not(run):
    with pytest.raises(DecisionsError, match="no column id"):
        run.import_decisions("huggingface", datasets.Dataset.from_dict({"label": ["desk"]}))
    plain = datasets.Dataset.from_dict({"id": ["00"], "label": ["desk"]})
    run.import_decisions("huggingface", plain)
    assert said(run) == {"00": ("relabel", "desk")}
    refused = curate("import-decisions", "huggingface", "nothing")
    assert (refused.exit_code, "no metadata file" in refused.stderr) == (2, True)


def test_photos_that_are_gone_or_others_now_are_left_out_and_named(run):
    Path("input/photos/00.png").write_bytes(Path("input/photos/01.png").read_bytes())
    Path("input/photos/03.png").unlink()
    notes = " ".join(run.export("huggingface", "hf").notes)
    assert "3 listings left out" in notes
    assert all(id in notes for id in ("00", "03", "09"))
    shutil.rmtree("input/photos")
    with pytest.raises(InputError, match="there is no photo to export"):
        run.export("huggingface", "none")
    assert not Path("none").exists()


def test_the_command_prints_how_to_load_it(run):
    assert "load_dataset('imagefolder', data_dir='hf')" in done("export", "huggingface", "--output", "hf").stdout
    assert isinstance(pd.read_json("hf/train/metadata.jsonl", lines=True), pd.DataFrame)
