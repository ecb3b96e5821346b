"""Tables that claim more than they hold, or are nothing that can be read: refused in one line, soon."""

import gzip
import io
import json
import os
import zipfile

import pytest
from openpyxl import Workbook

from curation.errors import InputError
from curation.listings import read_listings
from curation.listings.tables import read_raw
from training.utils import bounded

GOOD = "id,label\na,lamp\nb,sofa\n"
SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{}</worksheet>'


def workbook(sheet: str) -> bytes:
    """A workbook whose one sheet is any XML."""
    buffer, changed = io.BytesIO(), io.BytesIO()
    Workbook().save(buffer)
    with zipfile.ZipFile(buffer) as whole, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in whole.namelist():
            archive.writestr(name, SHEET.format(sheet) if name.endswith("sheet1.xml") else whole.read(name))
    return changed.getvalue()


def row(number: int, *cells: str) -> str:
    return f'<row r="{number}">{"".join(f"""<c r="{cell}{number}"><v>1</v></c>""" for cell in cells)}</row>'


BOMBS = {
    "t.csv.gz": gzip.compress(bytes(5 << 20)),
    "zipped.csv.zip": b"",
    "gaps.csv": ",".join(f"c{number}" for number in range(2000)).encode() + b"\n1" * 1000,
    "gaps.json": json.dumps([{f"k{number}": 1} for number in range(1000)]).encode(),
    "blank.xlsx": workbook("<sheetData/>" + " " * (5 << 20)),
    "wide.xlsx": workbook(f"<sheetData>{row(1, 'A')}{row(20, 'XFD')}</sheetData>"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_table_that_unpacks_to_far_more_than_its_file_is_refused(tmp_path, monkeypatch, name):
    monkeypatch.setattr(bounded, "_ALWAYS", 1 << 20)
    (tmp_path / name).write_bytes(BOMBS[name])
    if name.endswith(".zip"):
        with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("t.csv", bytes(5 << 20))
    with pytest.raises(ValueError, match=r"takes .* and a file of .* may hold"):
        read_raw(tmp_path / name)


@pytest.mark.parametrize("ending", [".gz", ".bz2", ".xz", ".zip"])
def test_a_damaged_archive_is_refused(tmp_path, ending):
    path = tmp_path / f"t.csv{ending}"
    path.write_bytes(b"PK\x03\x04" + bytes(40))
    with pytest.raises(ValueError, match="can't be unpacked"):
        read_raw(path)


def test_what_a_sheet_says_of_its_size_is_not_believed(tmp_path):
    (tmp_path / "t.xlsx").write_bytes(
        workbook(f'<dimension ref="A1:XFD1048576"/><sheetData>{row(1, "A")}{row(2, "A")}</sheetData>')
    )
    assert read_raw(tmp_path / "t.xlsx").table.shape == (1, 1)


@pytest.mark.parametrize("columns", [16_385, 300_000])
def test_a_table_of_too_many_columns_is_refused_at_once(tmp_path, columns):
    (tmp_path / "t.csv").write_text(",".join(map(str, range(columns))) + "\n1\n")
    with pytest.raises(ValueError, match=f"it has {columns:,} columns, and at most 16,384 are read"):
        read_raw(tmp_path / "t.csv")


@pytest.mark.parametrize("text", ["\0" * 1000, "id,label\n" + "\0" * 1000])
def test_a_file_of_nuls_is_no_text(tmp_path, text):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(ValueError, match="it is no text"):
        read_raw(tmp_path / "t.csv")


def test_a_key_that_stands_twice_in_a_row_of_json_is_refused_not_dropped(tmp_path):
    (tmp_path / "t.jsonl").write_text('{"id": 1, "label": "a"}\n{"id": 2, "label": "b", "label": "c"}\n')
    with pytest.raises(ValueError, match="line 2: an object has the key 'label' twice"):
        read_raw(tmp_path / "t.jsonl")


def test_an_endless_name_is_cut_in_the_message(tmp_path):
    (tmp_path / "t.csv").write_text("x" * 100_000 + "\n1\n")
    with pytest.raises(InputError) as caught:
        read_listings(tmp_path / "t.csv")
    assert len(str(caught.value)) < 5000


@pytest.mark.parametrize("name", ["t.csv", "dataset.toml"])
def test_a_pipe_is_never_waited_for(tmp_path, name):
    os.mkfifo(tmp_path / name)
    (tmp_path / "listings.csv").write_text(GOOD)
    with pytest.raises(InputError, match="a named pipe"):
        read_listings(tmp_path / name if name == "t.csv" else tmp_path, needs_image=False)


def test_a_device_is_never_read():
    with pytest.raises(InputError, match="can't read /dev/zero: got a device; wanted a file"):
        read_listings("/dev/zero")


@pytest.mark.parametrize("path", ["x" * 300 + ".csv", "x/" * 3000 + "t.csv", "x\0.csv", "x\ud800.csv"])
def test_a_path_that_no_system_takes_is_refused(tmp_path, path):
    with pytest.raises(InputError, match=r"the path `source` (is too long|holds)"):
        read_listings(path)
    with pytest.raises(InputError, match=r"the path `source` (is too long|holds)"):
        read_listings(tmp_path / path)


@pytest.mark.parametrize(
    "declared",
    [
        f"table = '{'x' * 300}.csv'",
        f"photos = '{'x/' * 3000}'",
        "table = 'a\\u0000.csv'",
        f"name = {'[' * 5000}",
        f"name = 1{'0' * 5000}",
    ],
)
def test_a_declaration_that_means_nothing_is_refused(tmp_path, declared):
    (tmp_path / "dataset.toml").write_text(declared)
    (tmp_path / "listings.csv").write_text(GOOD)
    with pytest.raises(InputError, match=r"dataset\.toml"):
        read_listings(tmp_path, needs_image=False)


def test_a_declaration_that_leads_nowhere_is_not_passed_over(tmp_path):
    (tmp_path / "dataset.toml").symlink_to(tmp_path / "gone.toml")
    (tmp_path / "listings.csv").write_text(GOOD)
    with pytest.raises(InputError, match=r"dataset\.toml can't be read"):
        read_listings(tmp_path, needs_image=False)
