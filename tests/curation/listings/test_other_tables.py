"""Spreadsheets that are not read are refused with the step that makes one that is."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from curation.errors import ListingsError
from curation.listings import read_listings
from curation.listings.other_tables import next_step


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("goods.xls", "Open it in Excel or LibreOffice and save it as .xlsx, or run: libreoffice --headless"),
        (
            "goods.XLSM",
            "save it as .xlsx, without its macros, or run: libreoffice --headless --convert-to xlsx goods.XLSM",
        ),
        ("my goods.ods", "Open it in LibreOffice or Excel and save it as .xlsx, or run: .* xlsx 'my goods.ods'"),
        ("goods.numbers", "In Numbers, choose File > Export To > Excel"),
    ],
)
@pytest.mark.parametrize("in_folder", [False, True])
def test_a_spreadsheet_of_another_format_is_refused_with_the_next_step(
    name: str, step: str, in_folder: bool, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(ListingsError, match=step):
        read_listings(tmp_path if in_folder else tmp_path / name)


def test_other_files_get_no_such_advice() -> None:
    assert [next_step(name) for name in ("goods.pdf", "xls", ".xls", "goods.xlsx", "goods.csv")] == [""] * 5


def test_a_workbook_of_another_format_behind_the_ending_xlsx_is_named(tmp_path: Path) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    for content, said in (
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook, or one with a password"),
        (held.getvalue(), "an OpenDocument spreadsheet: open it in LibreOffice, and save it as .xlsx"),
    ):
        (tmp_path / "goods.xlsx").write_bytes(content)
        with pytest.raises(ListingsError, match=rf"goods\.xlsx can't be read: got it is {said}"):
            read_listings(tmp_path / "goods.xlsx")
