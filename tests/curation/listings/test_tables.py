"""Files of tables are read as text, cell by cell, whatever program wrote them."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from curation.errors import ListingsError
from curation.fixes import apply_fixes, plan_fixes
from curation.listings import read_listings
from curation.listings.cells import as_text
from curation.listings.decoding import check_encoding
from curation.listings.tables import format_of, read_raw
from curation.listings.writing import write_table
from tests.support.fixes import decided, run_of


def read(path: Path, content: bytes | str) -> list[list[object]]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    table = read_raw(path).table
    return [list(table.columns), *table.astype(object).where(table.notna(), None).to_numpy().tolist()]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_delimiter_is_recognised_beside_the_others_within_cells(delimiter: str, tmp_path: Path) -> None:
    other = ";" if delimiter == "," else ","
    rows = [
        ["id", "title"],
        ["1", f"a{other} b{other} c"],
        ["2", f"d{other} e"],
        ["3", "x|y" if delimiter != "|" else "x;y"],
    ]
    text = "\n".join(delimiter.join(row) for row in rows)
    assert read(tmp_path / "t.csv", text) == rows
    assert read_raw(tmp_path / "t.csv").files[0].format.delimiter == delimiter


def test_decimal_commas_in_a_table_with_semicolons_do_not_make_columns(tmp_path: Path) -> None:
    assert read(tmp_path / "t.csv", "id;price\n1;2,50\n2;3,50\n") == [["id", "price"], ["1", "2,50"], ["2", "3,50"]]


def test_a_table_of_one_column_is_one(tmp_path: Path) -> None:
    assert read(tmp_path / "t.csv", "id\n1\n2\n") == [["id"], ["1"], ["2"]]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"]
)
@pytest.mark.parametrize("name", ["t.csv", "t.json", "t.jsonl"])
def test_every_usual_encoding_is_read(encoding: str, name: str, tmp_path: Path) -> None:
    rows = [{"id": "1", "title": "Kabel für Geräte, blau"}, {"id": "2", "title": "café"}]
    text = {
        "t.csv": 'id,title\n1,"Kabel für Geräte, blau"\n2,café\n',
        "t.json": json.dumps(rows, ensure_ascii=False),
        "t.jsonl": "\n".join(json.dumps(row, ensure_ascii=False) for row in rows),
    }[name]
    assert read(tmp_path / name, text.encode(encoding))[1:] == [list(row.values()) for row in rows]
    notes = read_raw(tmp_path / name).notes
    assert bool(notes) == (encoding in ("utf-16-le", "utf-16-be", "cp1252", "latin-1"))


def test_text_that_is_utf8_is_never_taken_for_another_encoding(tmp_path: Path) -> None:
    assert read(tmp_path / "t.csv", "id,title\n1,日本 €\n")[1] == ["1", "日本 €"]
    assert read_raw(tmp_path / "t.csv").notes == ()


@pytest.mark.parametrize("name", ["t.csv.gz", "t.tsv.gz", "t.jsonl.gz", "t.csv.zip"])
def test_packed_tables_are_read(name: str, tmp_path: Path) -> None:
    text = {"csv": "id,a\n1,2\n", "tsv": "id\ta\n1\t2\n", "jsonl": '{"id":"1","a":"2"}\n'}[name.split(".")[1]].encode()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("inner.csv", text)
    content = stream.getvalue() if name.endswith("zip") else gzip.compress(text)
    assert read(tmp_path / name, content) == [["id", "a"], ["1", "2"]]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv.gz", b"no gzip", "unpacked|gzipped"),
        ("t.csv.gz", gzip.compress(b"id,a\n1,2\n" * 99, mtime=0)[:-20], "unpacked"),
        ("t.csv.zip", b"no zip", "unpacked"),
        ("t.json", b"{", "line 1|Expecting"),
        ("t.json", b'{"a": 1}', "no list of objects"),
        ("t.json", b"[1, 2]", "no list of objects"),
        ("t.jsonl", b'{"a": 1}\n[2]\n', "line 2 is not a JSON object"),
        ("t.xlsx", b"no zip", "no Excel file"),
        ("t.csv", b"id,id\n1,2\n", "two columns called 'id'"),
    ],
)
def test_a_file_that_can_not_be_read_says_why_in_one_line(
    name: str, content: bytes, message: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises((ValueError, OSError), match=message) as caught:
        read_raw(tmp_path / name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("end", ["\x1a", "\x1a\r\n", "\r\n\x1a"])
@pytest.mark.parametrize(
    ("name", "text"), [("t.csv", "id,label\r\n1,a"), ("t.jsonl", '{"id": 1, "label": "a"}'), ("t.json", '[{"id": 1}]')]
)
def test_the_sign_that_old_systems_put_at_the_end_is_left_out(name: str, text: str, end: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(f"{text}{end}".encode())
    assert read_raw(tmp_path / name).table["id"].tolist() == ["1"]


def test_what_systems_leave_in_a_zip_is_no_table(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "t.csv.zip", "w") as archive:
        for name in (".DS_Store", "__MACOSX/._t.csv", "shop/Thumbs.db", "shop/.hidden/x.csv", "shop/@eaDir/t.csv"):
            archive.writestr(name, "x")
        archive.writestr("shop/t.csv", "id,label\n1,a\n")
    assert read_raw(tmp_path / "t.csv.zip").table["id"].tolist() == ["1"]


def test_a_zip_whose_file_lost_its_name_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "t.csv.zip", "w") as archive:
        archive.writestr(zipfile.ZipInfo("t.csv"), "id,label\na,x\n")
    whole = (tmp_path / "t.csv.zip").read_bytes()
    (tmp_path / "t.csv.zip").write_bytes(whole.replace(b"t.csv", b"\0.csv"))
    with pytest.raises(ValueError, match="it holds 0 files"):
        read_raw(tmp_path / "t.csv.zip")


def test_a_zip_of_several_tables_is_refused_with_their_names(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "t.csv.zip", "w") as archive:
        archive.writestr("a.csv", "id\n1\n")
        archive.writestr("b.csv", "id\n1\n")
    with pytest.raises(ValueError, match=r"2 files \(a\.csv, b\.csv\) where one table was wanted"):
        read_raw(tmp_path / "t.csv.zip")


def test_whole_numbers_are_written_as_such_in_every_form(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": [1.0, 2.0, np.nan], "price": [1.0, 2.5, np.nan], "flag": [True, False, True]})
    expected = [["1", "1.0", "True"], ["2", "2.5", "False"], [None, None, "True"]]
    text = as_text(frame)
    assert text.astype(object).where(text.notna(), None).to_numpy().tolist() == expected
    frame.to_parquet(tmp_path / "t.parquet")
    table = read_raw(tmp_path / "t.parquet").table
    assert table.astype(object).where(table.notna(), None).to_numpy().tolist() == expected


def test_numbers_that_floats_can_not_hold_keep_their_digits(tmp_path: Path) -> None:
    number = 2**53 + 1
    assert read(tmp_path / "t.jsonl", f'{{"id": {number}}}\n{{"id": null, "a": 1}}\n')[1][0] == str(number)
    assert as_text(pd.DataFrame({"id": [2.0**53 + 2]}))["id"][0] != str(2**53 + 2)


def test_a_lone_carriage_return_stays_in_its_cell(tmp_path: Path) -> None:
    rows = read(tmp_path / "t.csv", b'id,title\n1,"a\rb"\n2,c\rd\n')
    assert rows[1:] == [["1", "a\rb"], ["2", "c\rd"]]


def test_old_line_ends_are_line_ends(tmp_path: Path) -> None:
    assert read(tmp_path / "t.csv", b"id,title\r1,a\r2,b\r") == [["id", "title"], ["1", "a"], ["2", "b"]]


@pytest.mark.parametrize("text", ["NA", "None", "null", "nan", "N/A", "-inf", "TRUE", "007", "1e5", "1_000"])
def test_text_stays_text(text: str, tmp_path: Path) -> None:
    assert read(tmp_path / "t.csv", f"id,a\n1,{text}\n")[1] == ["1", text]
    frame = pd.DataFrame({"id": ["1"], "a": [text]})
    frame.to_excel(tmp_path / "t.xlsx", index=False)
    assert read_raw(tmp_path / "t.xlsx").table["a"].tolist() == [text]


def test_a_name_without_a_known_ending_is_no_table() -> None:
    assert format_of(Path("a.csv.gz")).packed == ".gz"
    for name in ("photo.jpg", "a.gz", "csv", "a.doc"):
        assert format_of(Path(name)) is None


@pytest.mark.parametrize("first", ["Products", "Empty"])
def test_other_sheets_of_a_workbook_are_mentioned(first: str, tmp_path: Path) -> None:
    with pd.ExcelWriter(tmp_path / "t.xlsx") as book:
        if first == "Empty":
            pd.DataFrame().to_excel(book, sheet_name="Empty", index=False)
        pd.DataFrame({"id": ["1"]}).to_excel(book, sheet_name="Products", index=False)
        pd.DataFrame({"note": ["x"]}).to_excel(book, sheet_name="Notes", index=False)
    raw = read_raw(tmp_path / "t.xlsx")
    assert raw.table["id"].tolist() == ["1"]
    assert raw.notes == (f"t.xlsx has {3 if first == 'Empty' else 2} sheets; only 'Products' is read.",)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_a_title_above_the_header_is_told_and_written_back(sign: str, newline: str, tmp_path: Path) -> None:
    lines = ["Our shop, May", f"{sign}{sign}", sign.join(("id", "label", "Asking price")), sign.join("a12"), ""]
    (tmp_path / "t.csv").write_bytes(newline.join(lines).encode())
    raw = read_raw(tmp_path / "t.csv", names={"id", "label", "asking_price"})
    assert raw.table.to_dict("records") == [{"id": "a", "label": "1", "Asking price": "2"}]
    assert raw.table.index.tolist() == [4]
    (note,) = raw.notes
    assert note.startswith("t.csv: the header was found in row 3, below 'Our shop")
    (file,) = raw.files
    write_table(file, tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "t.csv").read_bytes()


def test_the_first_row_is_the_header_if_it_names_a_column(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("label,text\nid,label\n")
    assert read_raw(tmp_path / "t.csv", names={"id", "label"}).table.columns.tolist() == ["label", "text"]


@pytest.mark.parametrize(
    ("encoding", "labels"), [("cp1251", ("лампа", "стол")), ("shift_jis", ("机", "椅子")), ("gb18030", ("灯", "沙发"))]
)
@pytest.mark.parametrize("name", ["shop.csv", "shop.csv.gz", "shop.jsonl", "metadata.csv"])
def test_a_named_encoding_is_read_and_comes_back(
    encoding: str, labels: tuple[str, ...], name: str, tmp_path: Path
) -> None:
    for number in range(4):
        Image.new("RGB", (4, 4), (number * 40, 0, 0)).save(tmp_path / f"{number}.png")
    table = pd.DataFrame({"file_name": [f"{number}.png" for number in range(4)], "label": [*labels, *labels]})
    if name.endswith("jsonl"):
        lines = [json.dumps(row, ensure_ascii=False) for row in table.to_dict("records")]
        (tmp_path / name).write_text("\n".join(lines), encoding)
    else:
        table.to_csv(tmp_path / name, index=False, encoding=encoding)
    source = tmp_path if name.startswith("metadata") else tmp_path / name
    listings = read_listings(source, encoding=encoding.upper())
    assert listings.table["label"].tolist() == [*labels, *labels]
    assert not [note for note in listings.notes if "encoding" in note or "UTF" in note]
    run = run_of(source, tmp_path / "run", encoding=encoding)
    run.decide([decided("0.png", "relabel", labels[1])])
    apply_fixes(run, plan_fixes(run))
    again = read_listings(run.cleaned).table["label"].tolist()
    assert again == [labels[1], labels[1], *labels]
    apply_fixes(run, plan_fixes(run), "json")
    assert read_listings(run.cleaned).table["label"].tolist() == again


def test_an_encoding_that_is_none_does_not_fit_or_has_no_effect_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("id,label\n1,лампа\n2,стол\n".encode("cp1251"))
    pd.DataFrame({"id": ["1", "2"], "label": ["a", "b"]}).to_parquet(tmp_path / "a.parquet")
    for source, encoding, said in (
        ("a.csv", "cp99", "no such encoding of text: got 'cp99'"),
        ("a.csv", "rot13", "no such encoding of text"),
        ("a.csv", "utf-8", r"a\.csv can't be read: got it is not in utf-8: byte 12 is none of it"),
        ("a.parquet", "utf-8", "`encoding` has no effect on this dataset: got a.parquet, which names its own"),
    ):
        with pytest.raises(ListingsError, match=said):
            read_listings(tmp_path / source, encoding=encoding, needs_image=False)
    with pytest.raises(ListingsError, match="encoding has no effect on a table in memory"):
        read_listings(pd.DataFrame({"id": ["1"]}), encoding="utf-8")
    notes = read_listings(tmp_path / "a.csv", needs_image=False).notes
    assert "Another encoding can be named, e.g. with `encoding='cp1251'`." in notes


@pytest.mark.parametrize(
    "name",
    [
        *("idna", "IDNA", "punycode", "unicode_escape", "unicode-escape", "raw_unicode_escape", "charmap"),
        *("base64", "rot13", "hex", "zlib", "quopri", "uu", "bz2"),
        "undefined",
        "a\0b",
        "",
        " ",
    ],
)
def test_what_is_no_encoding_of_characters_is_refused_with_the_usual_ones(name: str) -> None:
    with pytest.raises(ListingsError, match=r"no such encoding of text: got .*; wanted e\.g\. cp1251, .*, utf-8"):
        check_encoding(name)


@pytest.mark.parametrize(
    "name", ["cp1251", "UTF8", "utf-16", "shift_jis", "gb18030", "koi8-r", "mac_roman", "cp037", "hz", "iso-2022-jp"]
)
def test_an_encoding_of_characters_is_accepted_by_any_of_its_names(name: str) -> None:
    encoding = check_encoding(f" {name} ")
    assert "id,label\n1,a\n".encode(encoding).decode(encoding) == "id,label\n1,a\n"


def test_a_mark_is_surer_than_a_named_encoding(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,label\n1,é\n2,b\n", "utf-8-sig")
    assert read_raw(tmp_path / "a.csv", encoding="cp1251").table["label"][2] == "é"
