"""Rows of JSON come back as they stood in their file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from curation.fixes import apply_fixes, plan_fixes
from curation.listings import read_listings
from curation.listings.editing import replaced
from curation.listings.json_tables import JsonStyle, as_json
from curation.listings.tables import read_raw
from curation.listings.writing import write_table
from tests.support.fixes import decided, run_of

NUMBERS = ["10.50", "1e3", "1.0", "9007199254740993", "-0.0", "-0", "1E+2", "123456789.123456789123", "1e400"]


def loop(text: str, folder: Path, name: str = "in.json", changes: dict[int, str] | None = None) -> str:
    """Return what is written of a file after some labels were replaced."""
    (folder / name).write_bytes(text.encode())
    (file,) = read_raw(folder / name, names={"id": "id", "image": "image", "label": "label"}).files
    write_table(replaced(file, "label", changes or {}), folder / f"out-{name}")
    return (folder / f"out-{name}").read_bytes().decode()


def rows(indent: str = "") -> list[str]:
    return [f'{{{indent}"id": "{n}", "label": "lamp", "price": {n}.50}}' for n in range(4)]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("name", ["in.json", "in.jsonl"])
def test_a_number_comes_back_as_it_was_written(number: str, name: str, tmp_path: Path) -> None:
    row = f'{{"id": "a", "label": "lamp", "price": {number}, "sizes": [{number}, {{"w": {number}}}]}}'
    text = f"[{row}]\n" if name == "in.json" else f"{row}\n"
    assert loop(text, tmp_path, name) == text
    assert loop(text, tmp_path, name, {0: "desk"}) == text.replace("lamp", "desk")


@pytest.mark.parametrize(
    "text",
    [
        "[" + ",\n ".join(rows()) + "]\n",
        "[\n" + ",\n".join(rows()) + "\n]\n",
        "[\n\t" + ",\n\t".join(rows()) + "\n]\n",
        "[\r\n  " + ",\r\n  ".join(rows("\r\n    ")) + "\r\n]\r\n",
        '{"version": 1.10,  "items": [' + ", ".join(rows()) + '], "next": null}\n',
        '{\n  "data": {\n    "items": [\n      ' + ",\n      ".join(rows()) + "\n    ]\n  }\n}\n",
        '[{"id": "a", "label": "lamp", "title": "caf\\u00e9 \\/ é"}, {"id": "b", "label": "lamp", "tags": [1,  2]}]\n',
        '{"a": {"label": "lamp", "image": "a.png", "price": 1.50}, "b": {"label": "lamp", "image": "b.png"}}\n',
    ],
    ids=["line each", "line each below", "tabs", "windows", "envelope", "envelope indented", "escapes", "keys"],
)
def test_only_the_cells_that_change_differ_in_the_text(text: str, tmp_path: Path) -> None:
    assert loop(text, tmp_path) == text
    assert loop(text, tmp_path, changes={1: "desk"}) == "lamp".join(
        [*text.split("lamp")[:1], text.split("lamp", 1)[1].replace("lamp", "desk", 1)]
    )


def test_a_row_gets_a_key_that_it_lacked_and_keeps_its_numbers(tmp_path: Path) -> None:
    text = '[{"id": "a", "label": "lamp", "price": 1.50}, {"id": "b", "price": 2.50}]\n'
    assert loop(text, tmp_path, changes={1: "desk"}) == text.replace("2.50", '2.50, "label": "desk"')


def test_a_row_that_is_changed_twice_and_one_that_is_deleted_leave_the_others_as_they_were(tmp_path: Path) -> None:
    for number in range(6):
        Image.new("RGB", (4, 4), (number * 40, 0, 0)).save(tmp_path / f"{number}.png")
    listed = [
        f'{{"id": "L{n}", "image": "{n}.png", "label": "{"ab"[n % 2]}", "price": {n}.50, "weight": 1.0}}'
        for n in range(6)
    ]
    (tmp_path / "shop.jsonl").write_text("\n".join(listed) + "\n")
    run = run_of(tmp_path / "shop.jsonl", tmp_path / "run")
    run.decide([decided("L0", "delete"), replace(decided("L1", "relabel", "a"), new_price=9.25)])
    apply_fixes(run, plan_fixes(run))
    new = [line.replace('"image": "', '"image": "../../') for line in listed]
    new[1] = new[1].replace('"b"', '"a"').replace("1.50", "9.25")
    assert (run.cleaned / "listings.jsonl").read_text().splitlines() == new[1:]


def test_a_row_of_pandas_columns_is_written_by_its_values(tmp_path: Path) -> None:
    text = '{"id":{"0":"a","1":"b"},"label":{"0":"lamp","1":"desk"},"price":{"0":1.5,"1":2.0}}\n'
    assert loop(text, tmp_path) == text


def nested(inner: str, **outer: Any) -> list[dict[str, Any]]:
    return [
        {**outer, inner: {"image": f"{n}.png", "label": "ab"[n % 2], "id": f"L{n}", "price": n + 0.5}} for n in range(6)
    ]


@pytest.mark.parametrize(
    "content",
    [
        {"data": {"listings": {"edges": nested("node", cursor="x"), "pageInfo": {"hasNextPage": False}}}},
        {"hits": {"total": {"value": 6}, "hits": nested("_source", _index="shop")}},
        nested("attributes", type="listing"),
    ],
    ids=["GraphQL", "Elasticsearch", "JSON:API"],
)
def test_listings_one_level_down_are_read_and_come_back_there(content: Any, tmp_path: Path) -> None:
    for number in range(6):
        Image.new("RGB", (4, 4), (number * 40, 0, 0)).save(tmp_path / f"{number}.png")
    text = json.dumps(content, indent=1)
    (tmp_path / "shop.json").write_text(text)
    listings = read_listings(tmp_path / "shop.json")
    assert listings.table["id"].tolist() == [f"L{n}" for n in range(6)]
    assert listings.table["price"].tolist() == [n + 0.5 for n in range(6)]
    assert any("in each row are its columns" in note for note in listings.notes)
    run = run_of(tmp_path / "shop.json", tmp_path / "run")
    run.decide([decided("L1", "relabel", "a")])
    apply_fixes(run, plan_fixes(run))
    place = text.index('"label": "b"')
    new = text[:place] + '"label": "a"' + text[place + len('"label": "b"') :]
    new = new.replace('"image": "', '"image": "../../')
    assert (run.cleaned / "listings.json").read_text().strip() == new
    assert read_listings(run.cleaned).table["label"].tolist() == ["a", "a", "a", "b", "a", "b"]


def test_an_entry_that_a_row_has_outside_and_inside_keeps_both(tmp_path: Path) -> None:
    content = [{"id": n, "data": {"id": f"x{n}", "image": f"{n}.png", "label": "ab"[n % 2]}} for n in range(4)]
    (tmp_path / "shop.json").write_text(json.dumps(content))
    raw = read_raw(tmp_path / "shop.json", names={"id": "id", "image": "image", "label": "label"})
    assert raw.table["id"].tolist() == ["0", "1", "2", "3"]
    assert raw.table["data.id"].tolist() == ["x0", "x1", "x2", "x3"]


@pytest.mark.parametrize(
    ("beside", "said"),
    [
        ({"total": 7}, "'total' is 7"),
        ({"total": 6}, ""),
        ({"next": "https://shop.example/?page=2"}, "'next' is 'https"),
        ({"next": None, "count": 6}, ""),
        ({"meta": {"hasMore": True}}, "'hasMore' is True"),
    ],
)
def test_a_page_of_several_is_said_to_be_one(beside: dict[str, Any], said: str, tmp_path: Path) -> None:
    listed = [{"id": n, "image": f"{n}.png", "label": "ab"[n % 2]} for n in range(6)]
    (tmp_path / "shop.json").write_text(json.dumps({**beside, "items": listed}))
    notes = [note for note in read_raw(tmp_path / "shop.json").notes if "page" in note]
    assert [said in note for note in notes] == ([True] if said else [])


def test_a_list_of_pages_is_refused_with_what_joins_them(tmp_path: Path) -> None:
    pages = [{"page": page, "items": [{"id": page, "image": "1.png", "label": "a"}]} for page in range(2)]
    (tmp_path / "shop.json").write_text(json.dumps(pages))
    with pytest.raises(ValueError, match=r"each of its rows is a page .* jq '\[\.\[\]\.items\[\]\]' FILE"):
        read_raw(tmp_path / "shop.json", names={"id": "id", "image": "image", "label": "label"})


def test_an_object_of_another_thing_in_a_row_holds_no_listing(tmp_path: Path) -> None:
    content = [{"id": n, "label": "ab"[n % 2], "seller": {"image": "ana.png"}} for n in range(4)]
    (tmp_path / "shop.json").write_text(json.dumps(content))
    raw = read_raw(tmp_path / "shop.json", names={"id": "id", "image": "image", "label": "label"})
    assert raw.table.columns.tolist() == ["id", "label", "seller"]


def test_photos_in_the_product_of_a_row_are_its_photos(tmp_path: Path) -> None:
    content = [{"id": n, "label": "ab"[n % 2], "product": {"image": f"{n}.png"}} for n in range(4)]
    (tmp_path / "shop.json").write_text(json.dumps(content))
    raw = read_raw(tmp_path / "shop.json", names={"id": "id", "image": "image", "label": "label"})
    assert raw.table["image"].tolist() == [f"{n}.png" for n in range(4)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{\n"id": 1}\n{\n"id": 2}\n', "objects one after the other: .* jq -s "),
        ("[{'id': 1, 'label': None}]", "what Python prints"),
        (
            '{"listings": {"a": {"image": "1", "label": "x"}, "b": {"image": "2", "label": "y"}}}',
            r"jq '\.listings' FILE",
        ),
        ('{"a.png": "lamp", "b.png": "desk"}', "a text for each key"),
    ],
)
def test_json_that_programs_write_otherwise_is_refused_with_what_to_do(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "shop.json").write_text(text)
    with pytest.raises(ValueError, match=said):
        read_raw(tmp_path / "shop.json", names={"id": "id", "image": "image", "label": "label"})


@pytest.mark.parametrize("indent", [None, 1])
def test_an_object_with_a_list_in_a_file_of_lines_is_read(indent: int | None, tmp_path: Path) -> None:
    (tmp_path / "shop.jsonl").write_text(json.dumps({"items": [{"id": "a"}, {"id": "b"}]}, indent=indent))
    assert read_raw(tmp_path / "shop.jsonl").table["id"].tolist() == ["a", "b"]


def test_the_line_for_coco_makes_a_table_of_listings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    coco = {
        "images": [{"id": n, "file_name": f"{n}.png"} for n in range(4)],
        "annotations": [{"id": 10 + n, "image_id": n, "category_id": n % 2, "bbox": [0, 0, 1, 1]} for n in range(4)],
        "categories": [{"id": 0, "name": "lamp"}, {"id": 1, "name": "desk"}],
    }
    (tmp_path / "coco.json").write_text(json.dumps(coco))
    with pytest.raises(ValueError, match="it is COCO") as caught:
        read_raw(tmp_path / "coco.json")
    monkeypatch.chdir(tmp_path)
    exec(str(caught.value).partition("with pandas: ")[2], {"FILE": "coco.json"})
    table = read_raw(tmp_path / "listings.csv").table
    assert table["label"].tolist() == ["lamp", "desk", "lamp", "desk"]
    assert table["file_name"].tolist() == [f"{n}.png" for n in range(4)]


def test_ids_of_mongodb_are_their_text(tmp_path: Path) -> None:
    (tmp_path / "shop.json").write_text(json.dumps([{"_id": {"$oid": "65f0"}, "price": 1}]))
    assert read_raw(tmp_path / "shop.json").table["_id"].tolist() == ["65f0"]


@pytest.mark.parametrize("line", ["", "{", "[1]", '"x"', '{"id": "a"', '{"id": "a"} more', "[" * 2000])
@pytest.mark.parametrize("inner", ["", "node"])
def test_a_text_of_a_row_that_is_none_is_written_by_its_cells(line: str, inner: str) -> None:
    text = as_json(["id"], [['"a"']], JsonStyle(inner=inner), {0: line})
    assert json.loads(text) == [{"id": "a"}]
