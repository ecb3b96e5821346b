"""A dataset of one's own in FiftyOne, in a database of FiftyOne's own: listings, issues, and edits as decisions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from curation.errors import ReviewError
from curation.review.database.check import check_mongod
from tests.support.fixes import LISTINGS

ROOT = Path(__file__).parents[3]
#: What a person does, in a process of its own: FiftyOne chooses its database when it is imported.
_WORK = """
import json, sys
from pathlib import Path

import fiftyone as fo
import pandas as pd

import curation
from curation.errors import CurateError
from tests.support.fixes import LISTINGS, files, make_run

said = {}
made = make_run(Path.cwd())
run = curation.open_run(made.folder)


def refused(action):
    try:
        action()
    except CurateError as error:
        return str(error)


def add(name, ids=LISTINGS, **fields):
    dataset = fo.Dataset(name, persistent=True)
    for id in ids:
        label = LISTINGS[id][0]
        truth = None if label is None else fo.Classification(label=label)
        file = str(Path("input/photos", f"{id}.png").absolute())
        dataset.add_sample(fo.Sample(filepath=file, ground_truth=truth, tags=["train"], seller="ana", **fields))
    return dataset


with_photo = [id for id in LISTINGS if id != "09"]
mine = add("mine", with_photo, price=3.5, curate_old=1)
imported = curation.import_listings("fiftyone", "mine")
table = pd.read_parquet("listings.parquet")
listings = curation.read_listings("listings.parquet", strict=False)
labels = table["label"].astype(object).where(table["label"].notna(), None).tolist()
said["listings"] = [imported.listings, list(imported.columns), labels, len(listings.table)]

before = files(made.folder)
run.decide("01", "keep", reviewer="ben")
exported = run.export("fiftyone", dataset="mine")
mine.reload()
first = mine.first()
said["fields"] = {
    "issues": first.curate_issues,
    "suggestion": [first.curate_suggestion.label, first.curate_suggestion.confidence],
    "score": first.curate_label_score,
    "decision": mine.skip(1).first().curate_decision,
    "own": [first.seller, first.price, first.ground_truth.label],
}
view = mine.load_saved_view("curate_flagged")
said["view"] = [Path(each).stem for each in view.values("filepath")]
said["run"] = [mine.list_runs(), mine.get_run_info("curate").config.run]
said["exported"] = [exported.listings, exported.target, exported.folder, *exported.notes]

said["untouched"] = run.import_decisions("fiftyone", "mine").new
samples = dict(zip(with_photo, mine.values("id")))
for id, label in {"00": "desk", "04": "NA", "06": "chair"}.items():
    sample = mine[samples[id]]
    sample.ground_truth = fo.Classification(label=label)
    sample.save()
for id, tag in {"02": "delete", "03": "ambiguous", "06": "keep"}.items():
    mine.select(samples[id]).tag_samples(tag)
done = run.import_decisions("fiftyone", "mine", reviewer="ana")
held = run.decisions().query("reviewer == 'ana'").astype(object)
held = held.where(held.notna(), None)
said["decisions"] = {row.id: [row.action, row.new_label, row.source] for row in held.itertuples()}
said["again"] = [run.import_decisions("fiftyone", "mine", reviewer="ana").already_there, done.new]

# another run has none of them flagged: what the first export wrote is gone
made.write_table(made.issues_file, made.issues().assign(is_label_issue=False, suggested_label=None))
run.export("fiftyone", dataset="mine")
mine.reload()
tagged = mine.count_sample_tags().get("curate_flagged", 0)
said["second"] = [tagged, mine.count("curate_suggestion"), mine.count("curate_old")]

# listings that came from samples have their ids
ids = curation.read_listings("listings.parquet", strict=False).table["id"].tolist()
said["ids"] = ids == mine.values("id")

two = add("two", ["00"], guess=fo.Classification(label="desk"))
two.delete_sample_field("ground_truth")
two.add_sample_field("other", fo.EmbeddedDocumentField, embedded_doc_type=fo.Classification)
said["by name"] = curation.import_listings("fiftyone", "two", output="two.parquet", label_field="seller").columns
fo.Dataset("strange", persistent=True).add_sample(fo.Sample(filepath="/none/x.png"))
fo.Dataset("empty", persistent=True)
said["refused"] = {
    "unknown": refused(lambda: curation.import_listings("fiftyone", "mime")),
    "two fields": refused(lambda: curation.import_listings("fiftyone", "two")),
    "no field": refused(lambda: run.import_decisions("fiftyone", "mine", label_field="ground_trut")),
    "strange": refused(lambda: run.export("fiftyone", dataset="strange")),
    "empty": refused(lambda: curation.import_listings("fiftyone", "empty")),
    "no name": refused(lambda: run.export("fiftyone")),
}
Path("said.json").write_text(json.dumps(said, default=str))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    try:
        check_mongod()
    except ReviewError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("fiftyone")
    env = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "CURATE_REVIEWER": "cleo",
        "FIFTYONE_DATABASE_DIR": str(folder / "db"),
    }
    env.pop("FIFTYONE_DATABASE_URI", None)
    work = subprocess.run([sys.executable, "-c", _WORK], cwd=folder, env=env, capture_output=True, text=True)
    assert work.returncode == 0, work.stderr
    return json.loads((folder / "said.json").read_text())


def test_samples_are_listings_with_the_fields_of_one_value_and_the_split_of_their_tags(said):
    labels = [row[0] for id, row in LISTINGS.items() if id != "09"]
    assert said["listings"] == [11, ["id", "image", "label", "split", "seller", "price"], labels, 11]
    assert said["ids"]
    assert said["by name"] == ["id", "image", "label", "split"]


def test_issues_are_fields_beside_those_of_ones_own(said):
    assert said["fields"] == {
        "issues": ["label"],
        "suggestion": ["desk", 0.97],
        "score": 0.03,
        "decision": "keep",
        "own": ["ana", 3.5, "chair"],
    }
    assert said["exported"][:3] == [11, "mine", None]
    assert any("1 listing of the run is not in it" in note for note in said["exported"][3:])


def test_a_saved_view_has_the_flagged_ones_most_urgent_first_and_a_run_says_whose_they_are(said):
    assert said["view"] == ["00", "01", "02", "06"]
    assert said["run"] == [["curate"], "shop/1"]


def test_edited_labels_and_tags_come_back_as_decisions(said):
    assert said["untouched"] == 0
    assert said["decisions"] == {
        "00": ["relabel", "desk", "fiftyone"],
        "02": ["delete", None, "fiftyone"],
        "03": ["ambiguous", None, "fiftyone"],
        "04": ["relabel", "NA", "fiftyone"],
        "06": ["keep", None, "fiftyone"],
    }
    assert said["again"] == [5, 5]


def test_a_second_export_replaces_the_first_and_leaves_other_fields(said):
    assert said["second"] == [0, 0, 11]


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("unknown", ["no such dataset", "mine"]),
        ("two fields", ["2 fields with classes", "guess, other", "label_field"]),
        ("no field", ["no such field", "ground_truth"]),
        ("strange", ["no sample of strange is in the run"]),
        ("empty", ["has no samples"]),
        ("no name", ["fiftyone needs a dataset"]),
    ],
)
def test_what_does_not_fit_is_an_error_that_says_what_does(said, case, words):
    assert all(word in said["refused"][case] for word in words), said["refused"][case]
