"""Tables go out as they came in."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from curation.listings.editing import replaced, texts_of, values_of
from curation.listings.excel import as_cell
from curation.listings.json_tables import JsonStyle
from curation.listings.tables import read_raw
from curation.listings.writing import FORMATS, converted, write_table
from curation.listings.written import TableFormat, WrittenFile
from tests.support.any_table import draw_table

CSV_FORMATS = [
    TableFormat("csv", ".csv", delimiter=delimiter, encoding=encoding, mark=mark, quoting=quoting, newline=newline)
    for delimiter, encoding, mark, quoting, newline in (
        (",", "utf-8", False, "minimal", "\n"),
        (";", "utf-8", True, "all", "\r\n"),
        ("\t", "utf-16-le", True, "minimal", "\r\n"),
        ("|", "utf-8", False, "text", "\n"),
        (",", "utf-16-be", True, "minimal", "\n"),
    )
]
PACKED = [TableFormat("csv", f".csv{packed}", packed) for packed in (".gz", ".bz2", ".xz", ".zip")]


def written(header: list[str], rows: list[list[str | None]]) -> WrittenFile:
    """Return a table of texts, as a CSV has them."""
    cells = [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in header]
    arrays = [pa.array(column, pa.string()) for column in cells]
    return WrittenFile("", FORMATS["csv"], tuple(header), pa.table(arrays, names=[f"{n}" for n in range(len(header))]))


def loop(file: WrittenFile, path: Path) -> WrittenFile:
    notes = write_table(file, path)
    assert [note for note in notes if "that a spreadsheet takes for" not in note] == []
    (read,) = read_raw(path, names=("id",)).files
    return read


def texts(file: WrittenFile) -> list[list[str | None]]:
    columns = [values_of(file.format.kind, column) for column in file.cells.columns]
    return [list(row) for row in zip(*columns, strict=True)]


@pytest.mark.parametrize("form", CSV_FORMATS, ids=lambda form: f"{form.delimiter}{form.encoding}{form.quoting}")
def test_a_hundred_tables_are_the_same_after_a_csv(form: TableFormat, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    for _ in range(100):
        header, rows = draw_table(rng)
        read = loop(replace(written(header, rows), format=form), tmp_path / "t.csv")
        assert list(read.header) == header
        # an empty cell is a missing one
        assert texts(read) == [[cell or None for cell in row] for row in rows]


@pytest.mark.parametrize("form", PACKED, ids=lambda form: form.ending)
def test_fifty_tables_are_the_same_after_a_compressed_csv(form: TableFormat, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    for _ in range(50):
        header, rows = draw_table(rng)
        read = loop(replace(written(header, rows), format=form), tmp_path / f"t{form.ending}")
        assert texts(read) == [[cell or None for cell in row] for row in rows]
        assert read.format.packed == form.packed


@pytest.mark.parametrize(("name", "count"), [("json", 150), ("jsonl", 150), ("parquet", 100), ("xlsx", 40)])
def test_tables_are_the_same_after_another_format(name: str, count: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    path = tmp_path / f"t.{name}"
    for _ in range(count):
        header, rows = draw_table(rng)
        rows = rows or [["L0", *([None] * (len(header) - 1))]]
        read = loop(converted(written(header, rows), FORMATS[name]), path)
        # the names have no blanks around them there, and Excel knows no empty text
        assert list(read.header) == [cell.strip() for cell in header]
        empty = [[cell or None for cell in row] for row in rows] if name == "xlsx" else rows
        assert texts(read) == empty
        assert len(read_raw(path).table) == len(rows)


BYTES = {
    "quotes only where needed": b'id,title\na,"b,c"\nd,e\n',
    "all in quotes": b'"id","title"\n"a","b"\n',
    "texts in quotes": b'"id","price"\n"a",1.5\n"b",20\n',
    "semicolons": b"id;title;price\na;b,c;1\n",
    "tabs": b"id\ttitle\na\tb\n",
    "a hint": b"sep=;\r\nid;title\r\na;b\r\n",
    "a mark": b"\xef\xbb\xbfid,title\na,b\n",
    "utf-16": "id,title\na,é\n".encode("utf-16"),
    "utf-16 the other way": b"\xfe\xff" + "id,title\na,é\n".encode("utf-16-be"),
    "windows-1252": "id,title\na,£5 – café\n".encode("cp1252"),
    "windows line ends": b"id,title\r\na,b\r\n",
    "a delimiter at the end": b"id,title,\na,b,\n",
    "blanks": b"id, title \n a,b \n",
    "no name for the first": b",label\n0,b\n",
    "lines in cells": b'id,title\na,"b\r\nc"\nd,"e\rf"\n',
}


@pytest.mark.parametrize("content", BYTES.values(), ids=BYTES)
def test_a_csv_is_the_same_to_the_byte(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_bytes(content)
    (file,) = read_raw(tmp_path / "in.csv").files
    write_table(file, tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == content


ROWS = [{"id": "a", "price": 10, "on": True}, {"id": "é", "price": 2.5, "note": None}]
JSON = {
    "list": json.dumps(ROWS, ensure_ascii=False) + "\n",
    "indented": json.dumps(ROWS, indent=4, ensure_ascii=False) + "\n",
    "tight and escaped": json.dumps(ROWS, separators=(",", ":")) + "\n",
    "in an object": json.dumps({"version": 1, "items": ROWS}, ensure_ascii=False) + "\n",
}


@pytest.mark.parametrize("content", JSON.values(), ids=JSON)
def test_json_is_the_same_to_the_byte(content: str, tmp_path: Path) -> None:
    (tmp_path / "in.json").write_text(content, encoding="utf-8")
    (file,) = read_raw(tmp_path / "in.json").files
    write_table(file, tmp_path / "out.json")
    assert (tmp_path / "out.json").read_text(encoding="utf-8") == content


def test_lines_of_json_keep_missing_keys_missing_and_numbers_numbers(tmp_path: Path) -> None:
    content = '{"id": "a", "price": 10}\n{"id": "b", "price": null, "tags": ["x"]}\n'
    (tmp_path / "in.jsonl").write_text(content)
    (file,) = read_raw(tmp_path / "in.jsonl").files
    write_table(file, tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").read_text() == content
    write_table(replaced(file, "price", {0: "120"}), tmp_path / "out.jsonl")
    assert json.loads((tmp_path / "out.jsonl").read_text().split("\n")[0]) == {"id": "a", "price": 120}


def test_json_as_pandas_writes_it_goes_out_so(tmp_path: Path) -> None:
    table = pd.DataFrame({"id": ["a", "b"], "price": [1, 2]})
    table.to_json(tmp_path / "in.json")
    (file,) = read_raw(tmp_path / "in.json").files
    write_table(file, tmp_path / "out.json")
    assert pd.read_json(tmp_path / "out.json").equals(table)


def test_half_a_character_in_json_stays_and_is_no_crash(tmp_path: Path) -> None:
    (tmp_path / "in.json").write_text('[{"id": "a", "title": "\\ud83d lamp"}]\n')
    raw = read_raw(tmp_path / "in.json")
    assert raw.table["title"].tolist() == ["\\ud83d lamp"]
    write_table(raw.files[0], tmp_path / "out.json")
    assert json.loads((tmp_path / "out.json").read_text())[0]["title"] == "\ud83d lamp"


def test_parquet_keeps_its_types_where_they_hold_the_new_values(tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": pa.array(["a", "b"], pa.large_string()),
            "label": pa.array(["x", "y"]).dictionary_encode(),
            "price": pa.array([Decimal("10.50"), None], pa.decimal128(10, 2)),
            "count": pa.array([1, 2], pa.int32()),
            "tags": pa.array([["a"], []]),
        }
    )
    pyarrow.parquet.write_table(table, tmp_path / "in.parquet")
    (file,) = read_raw(tmp_path / "in.parquet").files
    write_table(file, tmp_path / "same.parquet")
    assert pyarrow.parquet.read_table(tmp_path / "same.parquet").equals(table)
    file = replaced(file, "label", {0: "z"})
    file = replaced(file, "price", {0: "9.99"})
    write_table(replaced(file, "count", {1: "2.5"}), tmp_path / "out.parquet")
    out = pyarrow.parquet.read_table(tmp_path / "out.parquet")
    assert out.schema.field("price").type == pa.decimal128(10, 2)
    assert out["price"].to_pylist() == [Decimal("9.99"), None]
    assert out["label"].to_pylist() == ["z", "y"]
    assert pa.types.is_dictionary(out.schema.field("label").type)
    # whole numbers have no room for a half
    assert out["count"].to_pylist() == [1, 2.5]


def test_an_index_of_pandas_comes_back_as_one(tmp_path: Path) -> None:
    table = pd.DataFrame({"label": ["x", "y"]}, index=pd.Index(["a", "b"], name="id"))
    table.to_parquet(tmp_path / "in.parquet")
    (file,) = read_raw(tmp_path / "in.parquet").files
    write_table(file, tmp_path / "out.parquet")
    assert pd.read_parquet(tmp_path / "out.parquet").equals(table)


def test_a_sheet_keeps_numbers_times_and_texts_that_look_like_formulas(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "id": ["00001", "00002"],
            "price": [10, 2.5],
            "day": [pd.Timestamp("2024-05-01 10:00"), None],
            "title": ["=1+1", "a\rb\0"],
        }
    )
    file = converted(written(["id"], [["x"]]), FORMATS["xlsx"])
    rows: dict[str, Any] = {name: table[name].astype(object).where(table[name].notna(), None) for name in table}
    cells = pa.table({name: [None if v is None else as_cell(v) for v in column] for name, column in rows.items()})
    file = replace(file, header=tuple(table), cells=cells)
    write_table(file, tmp_path / "t.xlsx")
    raw = read_raw(tmp_path / "t.xlsx")
    assert raw.table["price"].tolist() == ["10", "2.5"]
    assert raw.table["title"].tolist() == ["=1+1", "a\rb\0"]
    assert raw.files[0].format.sheet == "listings"
    assert pd.read_excel(tmp_path / "t.xlsx")["day"][0] == pd.Timestamp("2024-05-01 10:00")


def test_a_text_too_long_for_excel_is_refused_with_its_length(tmp_path: Path) -> None:
    file = converted(written(["id", "title"], [["a", "x" * 32_768]]), FORMATS["xlsx"])
    with pytest.raises(ValueError, match=r"too long for Excel: 32,768 characters, at most 32,767"):
        write_table(file, tmp_path / "t.xlsx")


def test_a_label_that_the_encoding_lacks_makes_the_table_utf_8_and_is_said(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_bytes("id,label\na,café\nb,café\n".encode("cp1252"))
    (file,) = read_raw(tmp_path / "in.csv").files
    (note,) = write_table(replaced(file, "label", {0: "日本"}), tmp_path / "out.csv")
    assert note == "out.csv is written in UTF-8, for cp1252 has no '日'."
    assert read_raw(tmp_path / "out.csv").table["label"].tolist() == ["日本", "café"]
    assert read_raw(tmp_path / "out.csv").notes == ()


def test_numbers_of_a_csv_are_numbers_in_json_where_they_are_prices() -> None:
    file = converted(written(["id", "price"], [["00001", "10"], ["00002", None]]), FORMATS["json"], price="1")
    assert [values_of("json", column) for column in file.cells.columns] == [["00001", "00002"], [10, None]]


def test_only_the_cells_that_are_replaced_differ(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text('id,label,title\n 1,lamp ,"x, y"\n2,sofa,\n')
    (file,) = read_raw(tmp_path / "in.csv").files
    write_table(replaced(file, "label", {1: "lamp"}), tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == 'id,label,title\n 1,lamp ,"x, y"\n2,lamp,\n'


def test_a_new_style_of_json_is_read_as_one() -> None:
    assert FORMATS["json"].json == JsonStyle(indent=2)
    assert texts_of("json", pa.chunked_array([pa.array(["1.0", '"a"', None])])).tolist()[:2] == ["1", "a"]


def test_cells_that_a_spreadsheet_would_run_are_written_as_they_are_and_counted(tmp_path: Path) -> None:
    file = written(["id", "title"], [["=1+1", "lamp"], ["-5", "a;@b"], ["'=x", None]])
    (note,) = write_table(file, tmp_path / "listings.csv")
    assert (tmp_path / "listings.csv").read_text() == "id,title\n=1+1,lamp\n-5,a;@b\n'=x,\n"
    assert note.startswith("listings.csv has 2 cells that a spreadsheet takes for formulas, e.g. '=1+1'.")
    assert write_table(converted(file, FORMATS["xlsx"]), tmp_path / "listings.xlsx") == ()
    sheet = openpyxl.load_workbook(tmp_path / "listings.xlsx").worksheets[0]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None} == {"s"}
