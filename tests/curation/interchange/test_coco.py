"""COCO's own reader loads what is written, and categories that were changed come back as decisions."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import pytest
from pycocotools.coco import COCO

import curation
from curation.errors import DecisionsError, InputError
from tests.cli.test_cli import done
from tests.support.fixes import LISTINGS, files, make_run


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CURATE_REVIEWER", "cleo")
    return curation.open_run(make_run(tmp_path).folder)


def load(file):
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(file))


def change(file, edit):
    content = json.loads(Path(file).read_text())
    names = {each["name"]: each["id"] for each in content["categories"]}
    images = {each["listing_id"]: each for each in content["images"]}
    annotations = {id: [a for a in content["annotations"] if a["image_id"] == images[id]["id"]] for id in images}
    edit(content, names, images, annotations)
    Path(file).write_text(json.dumps(content))


def relabel(id, label):
    def edit(content, names, images, annotations):
        for each in annotations[id]:
            each["category_id"] = names[label]

    return edit


def said(run):
    table = run.decisions().astype(object)
    return {row.id: (row.action, row.new_label) for row in table.where(table.notna(), None).itertuples()}


def test_its_own_reader_finds_each_photo_with_its_class(run):
    before = files(run.folder)
    exported = run.export("coco", "coco")
    found = {}
    for split in ("train", "test"):
        coco = load(f"coco/{split}.json")
        for image in coco.loadImgs(coco.getImgIds()):
            annotations = coco.loadAnns(coco.getAnnIds(imgIds=image["id"]))
            found[image["listing_id"]] = [coco.loadCats(each["category_id"])[0]["name"] for each in annotations]
            assert all(each["bbox"] == [0, 0, image["width"], image["height"]] for each in annotations)
            assert Path("input", image["file_name"]).is_file()
    assert found == {id: [row[0]] if row[0] else [] for id, row in LISTINGS.items() if id != "09"}
    assert exported.listings == 11
    assert any("1 listing left out" in note and "09" in note for note in exported.notes)
    assert files(run.folder) == before


def test_a_category_finds_the_images_of_its_class(run):
    run.export("coco", "coco")
    coco = load("coco/train.json")
    chosen = coco.getImgIds(catIds=coco.getCatIds(catNms=["desk"]))
    assert sorted(image["listing_id"] for image in coco.loadImgs(chosen)) == ["03", "11"]


def test_changed_categories_come_back_as_relabels_and_unchanged_ones_decide_nothing(run):
    run.export("coco", "coco")
    assert run.import_decisions("coco", "coco").new == 0
    change("coco/train.json", relabel("00", "desk"))
    change("coco/test.json", relabel("02", "NA"))
    imported = run.import_decisions("coco", "coco", reviewer="ana")
    assert said(run) == {"00": ("relabel", "desk"), "02": ("relabel", "NA")}
    assert set(run.decisions()["reviewer"]) == {"ana"}
    # 04 has no label
    assert imported.unanswered == 1
    assert run.import_decisions("coco", "coco", reviewer="ana").already_there == 2


def test_several_categories_are_ambiguous_and_a_label_that_was_given_again_is_kept(run):
    run.decide("00", "relabel", label="desk")
    run.apply_fixes()
    run.export("coco", "coco")

    def edit(content, names, images, annotations):
        (own,) = annotations["06"]
        content["annotations"].append({**own, "id": 99, "category_id": names["desk"]})

    change("coco/train.json", edit)
    change("coco/train.json", relabel("00", "chair"))
    run.import_decisions("coco", Path("coco/train.json"), reviewer="ben")
    ben = run.decisions().query("reviewer == 'ben'").set_index("id")["action"].to_dict()
    assert ben == {"00": "keep", "06": "ambiguous"}


def test_a_tool_that_drops_our_columns_is_understood_by_the_names_of_photos(run):
    run.export("coco", "coco")

    def edit(content, names, images, annotations):
        relabel("00", "desk")(content, names, images, annotations)
        for image in content["images"]:
            for name in ("listing_id", "exported_label", "label_score"):
                del image[name]
            image["file_name"] = f"/mnt/shop/{image['file_name']}"

    change("coco/train.json", edit)
    run.import_decisions("coco", "coco/train.json")
    assert said(run) == {"00": ("relabel", "desk")}


def test_a_photo_of_another_dataset_is_refused_and_nothing_recorded(run):
    run.export("coco", "coco")

    def edit(content, names, images, annotations):
        relabel("00", "desk")(content, names, images, annotations)
        relabel("01", "desk")(content, names, images, annotations)
        del images["00"]["listing_id"]
        images["00"]["file_name"] = "else.jpg"

    change("coco/train.json", edit)
    with pytest.raises(DecisionsError, match=r"1 listing that the run does not have.*else.jpg"):
        run.import_decisions("coco", "coco")
    assert said(run) == {}
    assert run.import_decisions("coco", "coco", allow_unknown=True).new == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[]", "no images as COCO has them"),
        ('{"images": [], "annotations": [1], "categories": []}', "no annotations as COCO has them"),
        ('{"images": [{"id": 1}], "annotations": [], "categories": []}', "an image without a name"),
        (
            '{"images": [{"id": 1}], "annotations": [{"id": 7, "image_id": 1, "category_id": 3}], "categories": []}',
            "annotation 7 of category 3",
        ),
    ],
)
def test_what_is_no_coco_is_an_error(run, content, words):
    Path("file.json").write_text(content)
    with pytest.raises(DecisionsError, match=words):
        run.import_decisions("coco", "file.json")


def test_without_photos_there_is_nothing_to_export(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = make_run(tmp_path)
    made.write_table(made.listings_file, made.listings().assign(unreadable="truncated"))
    with pytest.raises(InputError, match="no photo to export"):
        curation.open_run(made.folder).export("coco")
    assert not Path("coco").exists()


def test_the_commands_export_and_import(run):
    assert "11 listings" in done("export", "coco", "--output", "coco").output
    change("coco/train.json", relabel("00", "desk"))
    assert "1 new decision (1 relabel)" in done("import-decisions", "coco", "coco").output
