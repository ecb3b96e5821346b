"""Files whose content is another table than their name says, and workbooks of other dialects."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from curation.errors import ListingsError
from curation.fixes import apply_fixes, plan_fixes
from curation.listings import read_listings
from curation.listings.tables import read_raw
from tests.curation.listings.forms import draw, rows
from tests.support.fixes import decided, run_of

STRICT = {
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main": "http://purl.oclc.org/ooxml/spreadsheetml/main",
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships": "http://purl.oclc.org/ooxml/officeDocument/relationships",
    "http://schemas.openxmlformats.org/drawingml/2006/main": "http://purl.oclc.org/ooxml/drawingml/main",
}


def _excel() -> bytes:
    stream = io.BytesIO()
    rows().to_excel(stream, index=False)
    return stream.getvalue()


def _strict() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(_excel())) as usual, zipfile.ZipFile(stream, "w") as strict:
        for name in usual.namelist():
            part = usual.read(name).decode()
            for each, other in STRICT.items():
                part = part.replace(each, other)
            strict.writestr(name, part.replace("<workbook ", '<workbook conformance="strict" '))
    return stream.getvalue()


CSV = rows().to_csv(index=False).encode()
JSON = rows().to_json(orient="records").encode()
LINES = rows().to_json(orient="records", lines=True).encode()
PARQUET = rows().to_parquet()


@pytest.mark.parametrize(
    ("name", "content", "what", "written"),
    [
        ("shop.jsonl", JSON, "JSON", "listings.json"),
        ("shop.csv", JSON, "JSON", "listings.json"),
        ("shop.csv", LINES, "JSON", "listings.json"),
        ("shop.txt", json.dumps({"items": json.loads(JSON)}, indent=2).encode(), "JSON", "listings.json"),
        ("shop.xlsx", JSON, "JSON", "listings.json"),
        ("shop.json", CSV, "a CSV", "listings.csv"),
        ("shop.jsonl", CSV, "a CSV", "listings.csv"),
        ("shop.xlsx", CSV, "a CSV", "listings.csv"),
        ("shop.parquet", CSV, "a CSV", "listings.csv"),
        ("shop.xls", rows().to_csv(index=False, sep="\t").encode("utf-16"), "a CSV", "listings.csv"),
        ("shop.csv", _excel(), "an Excel workbook", "listings.xlsx"),
        ("shop.xls", _excel(), "an Excel workbook", "listings.xlsx"),
        ("shop.csv", PARQUET, "Parquet", "listings.parquet"),
        ("shop.csv", gzip.compress(CSV), "a CSV, packed as .gz", "listings.csv.gz"),
        ("shop.csv.gz", CSV, "a CSV, not packed", "listings.csv"),
        ("shop.csv.gz", bz2.compress(CSV), "a CSV, packed as .bz2", "listings.csv.bz2"),
        ("shop.csv.gz", gzip.compress(JSON), "JSON", "listings.json.gz"),
    ],
)
def test_a_table_whose_name_says_another_one_is_read_as_what_it_is(
    name: str, content: bytes, what: str, written: str, tmp_path: Path
) -> None:
    draw(tmp_path, rows()["image"].tolist())
    (tmp_path / name).write_bytes(content)
    listings = read_listings(tmp_path / name)
    assert listings.notes[0] == f"{name} is {what}, whatever its name says, and is read as such."
    assert listings.table["id"].tolist() == rows()["id"].tolist()
    assert listings.source.name == "shop"
    run = run_of(tmp_path / name, tmp_path / "run")
    run.decide([decided("003", "delete")])
    apply_fixes(run, plan_fixes(run))
    assert (run.cleaned / written).is_file()
    assert len(read_listings(run.cleaned).table) == 9


@pytest.mark.parametrize(
    ("name", "content", "step"),
    [
        ("shop.xls", b"<html><table><tr><td>id</td></tr></table></html>", "web page with a table: open it in Excel"),
        ("shop.xlsx", b"<style>td {}</style><table><tr><td>id", "web page with a table: open it in Excel"),
        ("shop.csv", b"<table border=1><tr><td>id</td></tr></table>", "web page with a table: open it in Excel"),
        ("shop.csv", b"<!DOCTYPE html>\n<p>Please log in</p>", "no table but a web page: download the file itself"),
        (
            "shop.xls",
            b'<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?>\n<Workbook>',
            "save it as .xlsx",
        ),
        ("shop.csv", b'<?xml version="1.0"?>\n<rows><row/></rows>', r"XML: save it as CSV, .* pandas\.read_xml"),
        ("shop.xlsx", b"number one\nnumber two\n", "no Excel file but text: if it is a CSV, give it the ending .csv"),
        ("shop.parquet", b"number one\nnumber two\n", "no Parquet but text: if it is a CSV"),
        ("shop.xls", b"\xd0\xcf\x11\xe0" + bytes(600), "libreoffice --headless --convert-to xlsx shop.xls"),
    ],
)
def test_what_is_no_table_says_what_to_do(name: str, content: bytes, step: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ListingsError, match=step):
        read_listings(tmp_path / name)


def test_a_csv_is_read_in_a_file_of_another_name_from_two_likely_columns_on(tmp_path: Path) -> None:
    names = {"id": "id", "label": "label"}
    (tmp_path / "shop.json").write_text("id,label\n1,lamp\n")
    assert read_raw(tmp_path / "shop.json", names=names).table["label"].tolist() == ["lamp"]
    (tmp_path / "shop.json").write_text("id,kind\n1,lamp\n")
    with pytest.raises(ValueError, match="Expecting value"):
        read_raw(tmp_path / "shop.json", names=names)


def test_a_workbook_of_strict_open_xml_is_read_and_becomes_a_usual_one(tmp_path: Path) -> None:
    draw(tmp_path, rows()["image"].tolist())
    (tmp_path / "shop.xlsx").write_bytes(_strict())
    listings = read_listings(tmp_path / "shop.xlsx")
    assert listings.table["title"].tolist() == rows()["title"].tolist()
    assert "shop.xlsx is Strict Open XML; cleaned/ has it as a usual workbook." in listings.notes
    run = run_of(tmp_path / "shop.xlsx", tmp_path / "run")
    run.decide([decided("003", "delete"), decided("004", "relabel", "lamp")])
    apply_fixes(run, plan_fixes(run))
    page = openpyxl.load_workbook(run.cleaned / "listings.xlsx").active
    assert page is not None
    assert page.max_row == 10
    with zipfile.ZipFile(run.cleaned / "listings.xlsx") as archive:
        assert not any(b"purl.oclc.org" in archive.read(name) for name in archive.namelist())
        assert b"strict" not in archive.read("xl/workbook.xml")
    assert read_listings(run.cleaned).table["label"].tolist()[3] == "lamp"


@pytest.mark.parametrize("error", ["#N/A", "#REF!"])
@pytest.mark.parametrize("column", ["image", "label"])
def test_errors_of_a_sheet_in_photos_and_labels_are_empty_and_said(column: str, error: str, tmp_path: Path) -> None:
    draw(tmp_path, rows()["image"].tolist())
    source = _with_errors(tmp_path, column, error, 2)
    listings = read_listings(source)
    assert f"shop.xlsx: 2 cells of '{column}' show errors ({error}), and read as empty." in listings.notes
    assert listings.table[column].isna().sum() == 2
    assert error not in listings.classes


def test_errors_of_a_sheet_in_ids_are_refused_and_named(tmp_path: Path) -> None:
    draw(tmp_path, rows()["image"].tolist())
    with pytest.raises(ListingsError, match=r"missing ids: got rows 2, 3, where the sheet shows #N/A"):
        read_listings(_with_errors(tmp_path, "id", "#N/A", 2))


def _with_errors(folder: Path, column: str, error: str, count: int) -> Path:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    for line in [rows().columns.tolist(), *rows().to_numpy().tolist()]:
        page.append(line)
    for row in range(2, 2 + count):
        cell = page.cell(row, rows().columns.get_loc(column) + 1, error)
        cell.data_type = "e"
    book.save(folder / "shop.xlsx")
    return folder / "shop.xlsx"


@pytest.mark.parametrize("error", ["#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?"])
def test_an_error_of_a_spreadsheet_in_labels_of_a_csv_is_mentioned(error: str, tmp_path: Path) -> None:
    draw(tmp_path, rows()["image"].tolist())
    table = rows()
    table.loc[3, "label"] = error
    table.to_csv(tmp_path / "shop.csv", index=False)
    notes = read_listings(tmp_path / "shop.csv").notes
    assert any("may stand for none" in note and error in note for note in notes)


def test_names_of_ebay_are_recognised(tmp_path: Path) -> None:
    table = rows()
    draw(tmp_path, table["image"].tolist())
    names = {"id": "Custom label (SKU)", "image": "PicURL", "label": "CategoryName", "price": "Start price"}
    ebay = pd.DataFrame({**{theirs: table[ours] for ours, theirs in names.items()}, "Category ID": 7})
    ebay.to_csv(tmp_path / "ebay.csv", index=False)
    listings = read_listings(tmp_path / "ebay.csv")
    assert {ours: listings.columns[ours] for ours in names} == names
    ebay = ebay.drop(columns="CategoryName").assign(**{"Category ID": table["label"].map(len)})
    ebay.to_csv(tmp_path / "ebay.csv", index=False)
    assert read_listings(tmp_path / "ebay.csv").columns["label"] == "Category ID"


def test_columns_that_are_recognised_by_what_they_hold_are_said_apart(tmp_path: Path) -> None:
    table = rows().rename(columns={"image": "front view", "label": "Category"})
    draw(tmp_path, table["front view"].tolist())
    table.to_csv(tmp_path / "shop.csv", index=False)
    assert read_listings(tmp_path / "shop.csv").notes[:2] == (
        "Columns recognised by their names: `columns={'label': 'Category'}`",
        "Columns recognised by what they hold: `columns={'image': 'front view'}`",
    )
