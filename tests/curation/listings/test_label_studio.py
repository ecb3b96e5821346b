"""Exports of Label Studio: tasks with annotations, tables, and the paths of its server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from curation.errors import ListingsError
from curation.fixes import apply_fixes, plan_fixes
from curation.listings import read_listings
from tests.support.fixes import decided, run_of

PATHS = {
    "uploaded": "/data/upload/1/ab12cd34-{}.png",
    "of the server's disk": "/data/local-files/?d=photos/{}.png",
    "of the server's disk, without a folder": "/data/local-files/?d={}.png",
    "of a file": "photos/{}.png",
}


def draw(folder: Path, name: str = "{}.png") -> None:
    (folder / "photos").mkdir(exist_ok=True)
    for number in range(6):
        Image.new("RGB", (4, 4), (number * 40, 0, 0)).save(folder / "photos" / name.format(number))


def annotation(*choices: str, **more: Any) -> dict[str, Any]:
    value = {"choices": list(choices)}
    return {"id": 1, "result": [{"type": "choices", "from_name": "choice", "to_name": "image", "value": value}], **more}


def tasks(path: str = "photos/{}.png") -> list[dict[str, Any]]:
    return [
        {"id": n + 1, "data": {"image": path.format(n)}, "annotations": [annotation("ab"[n % 2])], "predictions": []}
        for n in range(6)
    ]


def export(folder: Path, content: list[dict[str, Any]]) -> Path:
    draw(folder)
    (folder / "project.json").write_text(json.dumps(content, indent=2))
    return folder / "project.json"


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_tasks_have_their_photos_and_what_annotators_chose(path: str, tmp_path: Path) -> None:
    listings = read_listings(export(tmp_path, tasks(path)))
    assert listings.table["id"].tolist() == list("123456")
    assert listings.table["label"].tolist() == list("ababab")
    assert listings.table["image"].tolist() == [f"photos/{n}.png" for n in range(6)]
    assert any("'choice' is what annotators chose" in note for note in listings.notes)


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_a_table_of_label_studio_has_its_photos(path: str, tmp_path: Path) -> None:
    draw(tmp_path)
    rows = [{"image": path.format(n), "id": n, "choice": "ab"[n % 2], "lead_time": 1.5} for n in range(6)]
    pd.DataFrame(rows).to_csv(tmp_path / "project.csv", index=False)
    listings = read_listings(tmp_path / "project.csv")
    assert listings.table["image"].tolist() == [f"photos/{n}.png" for n in range(6)]
    assert listings.classes == ("a", "b")


def test_photos_that_kept_the_code_of_the_upload_come_before_those_without(tmp_path: Path) -> None:
    draw(tmp_path, "ab12cd34-{}.png")
    listings = read_listings(export(tmp_path, tasks(PATHS["uploaded"])))
    assert listings.table["image"].tolist() == [f"photos/ab12cd34-{n}.png" for n in range(6)]


def test_photos_that_are_still_on_the_server_are_missing_and_lead_nowhere_else(tmp_path: Path) -> None:
    draw(tmp_path)
    content = tasks()
    content[2]["data"]["image"] = "/data/upload/1/ab12cd34-other.png"
    listings = read_listings(export(tmp_path, content))
    assert listings.problems["why"].tolist() == ["no such file"]


def test_a_new_label_stands_where_each_annotator_chose(tmp_path: Path) -> None:
    content = tasks()
    content[1]["annotations"] *= 2
    content[2]["annotations"] = []
    content[3]["annotations"].insert(0, annotation("a", was_cancelled=True))
    source = export(tmp_path, content)
    assert read_listings(source).table["label"].fillna("none").tolist() == ["a", "b", "none", "b", "a", "b"]
    run = run_of(source, tmp_path / "run")
    run.decide([decided("2", "relabel", "a"), decided("3", "relabel", "b"), decided("4", "relabel", "a")])
    apply_fixes(run, plan_fixes(run))
    written = json.loads((run.cleaned / "listings.json").read_text())
    assert [[each["result"][0]["value"]["choices"] for each in task["annotations"]] for task in written] == [
        [["a"]],
        [["a"], ["a"]],
        [],
        [["a"], ["a"]],
        [["a"]],
        [["b"]],
    ]
    assert read_listings(run.cleaned).table["label"].tolist() == ["a", "a", "b", "a", "a", "b"]


def test_annotators_who_chose_differently_are_a_list_of_labels_and_refused(tmp_path: Path) -> None:
    content = tasks()
    content[1]["annotations"] = [annotation("a"), annotation("b")]
    with pytest.raises(ListingsError, match="1 listing has a list of labels"):
        read_listings(export(tmp_path, content))


def test_a_question_of_another_name_is_named_where_no_column_has_the_labels(tmp_path: Path) -> None:
    content = tasks()
    for task in content:
        task["annotations"][0]["result"][0]["from_name"] = "kind"
    source = export(tmp_path, content)
    with pytest.raises(ListingsError, match=r"Annotators chose kind, e\.g\. `columns=\{'label': 'kind'\}`"):
        read_listings(source)
    assert read_listings(source, columns={"label": "kind"}).classes == ("a", "b")


def test_tasks_of_early_versions_and_photos_of_any_name_are_read(tmp_path: Path) -> None:
    content = [
        {"id": task["id"], "data": {"front": task["data"]["image"]}, "completions": task["annotations"]}
        for task in tasks()
    ]
    listings = read_listings(export(tmp_path, content))
    assert listings.columns["image"] == "front"
    assert listings.classes == ("a", "b")
