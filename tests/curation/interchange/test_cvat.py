"""CVAT: what is written is read by FiftyOne's reader of its format, and exports of it come back as decisions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import curation
from curation.errors import DecisionsError, InputError, ReviewError
from curation.interchange.cvat import ANNOTATIONS, LABELS, PHOTOS
from curation.review.database.check import check_mongod
from tests.cli.test_cli import done
from tests.support.fixes import CLASSES, LISTINGS, files, make_run

#: FiftyOne's reader, in a process of its own: once imported, FiftyOne has chosen its database.
_READ = """
import json, sys
from fiftyone.utils.cvat import load_cvat_image_annotations

images = load_cvat_image_annotations(sys.argv[1])[2]
print(json.dumps([
    [each.name, each.width, each.height, [tag.label for tag in each.tags],
     {one.name: one.value for tag in each.tags for one in tag.attributes}]
    for each in images
]))
"""
META = """<meta><task><id>7</id><updated>2026-05-02 10:00:00.123456+00:00</updated>
<assignee><username>ana</username><email></email></assignee></task></meta>"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CURATE_REVIEWER", "cleo")
    return curation.open_run(make_run(tmp_path).folder)


def export_of(*images, meta=META, name="annotations.xml"):
    """Write what CVAT exports."""
    Path(name).write_text(
        f"<?xml version='1.0'?><annotations><version>1.1</version>{meta}{''.join(images)}</annotations>"
    )
    return name


def image(name, *tags):
    return f'<image id="0" name="{name}" width="6" height="4">{"".join(tags)}</image>'


def tag(label, source="manual", *, right=False):
    ticked = f'<attribute name="right">{str(right).lower()}</attribute>'
    return f'<tag label="{label}" source="{source}">{ticked}</tag>'


def said(run):
    table = run.decisions().astype(object)
    return {row.id: (row.action, row.new_label) for row in table.where(table.notna(), None).itertuples()}


def test_fiftyones_reader_of_the_format_finds_each_photo_with_its_label_and_what_is_suggested(run, tmp_path):
    try:
        check_mongod()
    except ReviewError as error:
        pytest.skip(str(error))
    before = files(run.folder)
    run.export("cvat", "check", all=True)
    env = {**os.environ, "FIFTYONE_DATABASE_DIR": str(tmp_path / "db")}
    read = [sys.executable, "-c", _READ, str(Path("check", ANNOTATIONS))]
    images = json.loads(subprocess.run(read, env=env, check=True, capture_output=True, text=True).stdout)
    labels = {name: tags for name, _, _, tags, _ in images}
    assert labels == {f"photos/{id}.png": [row[0]] if row[0] else [] for id, row in LISTINGS.items() if id != "09"}
    assert {(width, height) for _, width, height, _, _ in images} == {(6, 4)}
    attributes = {name: values for name, *_, values in images}["photos/00.png"]
    assert (attributes["suggested"], attributes["right"]) == ("desk", False)
    assert files(run.folder) == before


def test_the_labels_of_the_task_are_the_classes_and_two_more_for_tags(run):
    run.export("cvat", "check")
    labels = json.loads(Path("check", LABELS).read_text())
    assert [each["name"] for each in labels] == [*CLASSES, "delete", "ambiguous"]
    assert {each["type"] for each in labels} == {"tag"}
    assert [each["name"] for each in labels[0]["attributes"]] == ["right", "suggested", "reasons"]


def test_photos_are_those_of_the_flagged_listings_in_the_order_of_cvat(run):
    run.decide("01", "keep")
    run.export("cvat", "check")
    assert Path("check", PHOTOS).read_text().split() == ["photos/00.png", "photos/02.png", "photos/06.png"]
    numbers = [each.get("id") for each in ET.parse(Path("check", ANNOTATIONS)).iter("image")]
    assert numbers == ["0", "1", "2"]
    assert run.export("cvat", "first", top=1).listings == 1


def test_what_nobody_touched_decides_nothing(run):
    run.export("cvat", "check", all=True)
    imported = run.import_decisions("cvat", "check")
    assert (imported.new, imported.unanswered) == (0, 11)


def test_tags_come_back_as_keep_relabel_delete_and_ambiguous_with_assignee_and_time(run):
    file = export_of(
        image("photos/00.png", tag("chair", "file", right=True)),
        image("photos/01.png", tag("chair", "file"), tag("desk")),
        image("photos/02.png", tag("desk", "file"), tag("delete")),
        image("photos/03.png", tag("chair"), tag("NA")),
        image("photos/05.png", tag("NA")),
        image("photos/06.png", tag("chair", "file")),
        image("photos/07.png", '<box label="chair" xtl="0" ytl="0" xbr="1" ybr="1" occluded="0"></box>'),
    )
    imported = run.import_decisions("cvat", file)
    assert said(run) == {
        "00": ("keep", None),
        "01": ("relabel", "desk"),
        "02": ("delete", None),
        "03": ("ambiguous", None),
        "05": ("keep", None),
    }
    assert (imported.new, imported.unanswered) == (5, 2)
    row = run.decisions().iloc[0]
    assert (row["reviewer"], row["time"], row["source"]) == ("ana", "2026-05-02T10:00:00.123+00:00", "cvat")
    assert run.import_decisions("cvat", file).already_there == 5


def test_an_older_export_without_sources_says_what_was_changed(run):
    file = export_of(image("00.png", '<tag label="desk"></tag>'), image("02.png", '<tag label="desk"></tag>'), meta="")
    run.import_decisions("cvat", file, reviewer="ben")
    assert said(run) == {"00": ("relabel", "desk")}
    assert set(run.decisions()["reviewer"]) == {"ben"}


def test_a_class_with_signs_of_xml_goes_out_and_comes_back(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made, odd = make_run(tmp_path), 'a <"b"> & c'
    made.update(dataset={**made.record()["dataset"], "classes": [odd, "chair", "desk"]})
    made.write_table(made.issues_file, made.issues().assign(given_label=odd))
    run = curation.open_run(made.folder)
    run.export("cvat", "check", all=True)
    assert next(ET.parse(Path("check", ANNOTATIONS)).iter("tag")).get("label") == odd


@pytest.mark.parametrize("format", ["cvat", "label-studio"])
def test_a_class_that_xml_cannot_hold_is_refused(tmp_path, monkeypatch, format):
    monkeypatch.chdir(tmp_path)
    made = make_run(tmp_path)
    made.update(dataset={**made.record()["dataset"], "classes": ["a\x08b", "chair", "desk"]})
    with pytest.raises(InputError, match=r"XML.*a\\x08b"):
        curation.open_run(made.folder).export(format, "out")
    assert not Path("out").exists()


def test_a_photo_of_another_dataset_is_refused_and_nothing_recorded(run):
    file = export_of(image("photos/00.png", tag("desk")), image("else.png", tag("desk")))
    with pytest.raises(DecisionsError, match=r"1 listing that the run does not have.*else.png"):
        run.import_decisions("cvat", file)
    assert said(run) == {}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is no XML"),
        (b"PK\x03\x04", "a zip file.*Unpack it"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><annotations>&b;</annotations>', "is no XML"),
        (b"<annotations><version>1.1</version></annotations>", "has no images.*annotations with version"),
        (b"<annotations><track id='0'></track></annotations>", "has no images.*annotations with track"),
        (b"<html><body/></html>", "has no images.*html with body"),
    ],
)
def test_what_is_no_export_is_an_error(run, content, words):
    Path("file.xml").write_bytes(content)
    with pytest.raises(DecisionsError, match=words):
        run.import_decisions("cvat", "file.xml")


def test_the_commands_export_and_import(run):
    assert "4 listings" in done("export", "cvat", "--output", "check").output
    export_of(image("photos/00.png", tag("desk")), name="check/annotations.xml")
    assert "1 new decision (1 relabel)" in done("import-decisions", "cvat", "check/annotations.xml").output
