"""A workbook comes back as its author made it, but for the cells that change and the rows that are deleted."""

from __future__ import annotations

import datetime
import io
import re
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.comments import Comment
from openpyxl.formatting.rule import CellIsRule
from openpyxl.styles import Font, PatternFill
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.table import Table
from PIL import Image

from curation.errors import ListingsError
from curation.fixes import apply_fixes, plan_fixes
from curation.listings import read_listings
from curation.listings.tables import read_raw
from tests.support.fixes import decided, run_of

#: As openpyxl writes a formula's value that it does not know, without lxml or with it.
NO_VALUE = r"<v(?: ?/>|></v>)"


@pytest.fixture
def goods(tmp_path: Path) -> Path:
    """Return a workbook of six listings with whatever people put into one."""
    book = openpyxl.Workbook()
    page = book.active
    page.title = "Our goods"
    page.append(["id", "image", "label", "price", "profit", "when", "code", None, "=TODAY()"])
    for number in range(2, 8):
        Image.new("RGB", (4, 4), (number * 30, 0, 0)).save(tmp_path / f"{number}.png")
        label = "lamp" if number % 2 else "desk"
        day = datetime.datetime(2024, 1, number)
        page.append([f"L{number}", f"{number}.png", label, 10.5 * number, f"=D{number}*2", day, f"{number:05}"])
        page[f"D{number}"].number_format = "#,##0.00 €"
        page[f"F{number}"].number_format = "dd/mm/yyyy"
    page["E9"] = "=SUM(E2:E7)"
    page["A7"].font = Font(bold=True)
    page["A6"].comment = Comment("ask Bo", "Ana")
    page["A6"].hyperlink = "https://example.org/L6"
    page.column_dimensions["A"].width = 40
    page.row_dimensions[6].height = 33
    page.merge_cells("H6:I7")
    page.freeze_panes = "A2"
    page.add_table(Table(displayName="goods", ref="A1:G7"))
    page.conditional_formatting.add(
        "D2:D7", CellIsRule("greaterThan", formula=["$D$7"], fill=PatternFill(bgColor="FF0000"))
    )
    check = DataValidation(type="list", formula1='"lamp,desk"')
    check.add("C2:C7")
    page.add_data_validation(check)
    other = book.create_sheet("Notes")
    other["A1"] = "keep me"
    other["A2"] = "=SUM('Our goods'!D2:D7)+'Our goods'!D6+D6"
    book.defined_names["prices"] = DefinedName("prices", attr_text="'Our goods'!$D$2:$D$7")
    book.save(tmp_path / "goods.xlsx")
    return tmp_path / "goods.xlsx"


def cleaned(
    goods: Path, *decisions: tuple[str, str, str | None], form: str | None = None
) -> tuple[Any, Any, list[str]]:
    run = run_of(goods, goods.parent / "run", allow_bad=0.5)
    # the run keeps the workbook, wherever the input goes
    goods.rename(goods.with_name("moved.xlsx"))
    run.decide([decided(*decision) for decision in decisions])
    fixes = apply_fixes(run, plan_fixes(run), form=form) if form else apply_fixes(run, plan_fixes(run))
    written = run.cleaned / "listings.xlsx"
    return openpyxl.load_workbook(written), openpyxl.load_workbook(written, data_only=True), list(fixes.notes)


def test_what_no_decision_touches_stays_in_every_sheet(goods: Path) -> None:
    before = openpyxl.load_workbook(goods)
    after, _, notes = cleaned(goods, ("L2", "relabel", "lamp"))
    assert after.sheetnames == ["Our goods", "Notes"]
    for sheet in after.sheetnames:
        for row in before[sheet].iter_rows():
            for cell in row:
                same = after[sheet][cell.coordinate]
                assert same.number_format == cell.number_format
                if cell.coordinate not in ("C2", *(f"B{number}" for number in range(2, 8))):
                    assert same.value == cell.value
    page = after["Our goods"]
    assert page["C2"].value == "lamp"
    assert (page["A7"].font.bold, page.column_dimensions["A"].width, page.freeze_panes) == (True, 40, "A2")
    assert (page["A6"].comment.text, page["A6"].hyperlink.target) == ("ask Bo", "https://example.org/L6")
    formulas = "listings.xlsx has 9 formulas: a spreadsheet calculates them when it opens the file; other programs read"
    assert [note.startswith(formulas) for note in notes if "xlsx" in note] == [True]


def test_what_refers_to_rows_follows_them_when_others_are_deleted(goods: Path) -> None:
    after, _, _ = cleaned(goods, ("L3", "delete", None), ("L5", "delete", None))
    page = after["Our goods"]
    assert [page[f"A{row}"].value for row in range(1, 7)] == ["id", "L2", "L4", "L6", "L7", None]
    assert [page[f"E{row}"].value for row in (2, 3, 4, 5, 7)] == ["=D2*2", "=D3*2", "=D4*2", "=D5*2", "=SUM(E2:E5)"]
    assert [page[f"G{row}"].value for row in (2, 3, 4, 5)] == ["00002", "00004", "00006", "00007"]
    assert page["F4"].value == datetime.datetime(2024, 1, 6)
    assert (page["D4"].number_format, page["A5"].font.bold, page.row_dimensions[4].height) == ("#,##0.00 €", True, 33)
    assert (page["A4"].comment.text, page["A4"].hyperlink.ref) == ("ask Bo", "A4")
    assert [str(merged) for merged in page.merged_cells.ranges] == ["H4:I5"]
    assert page.tables["goods"].ref == "A1:G5"
    assert [(str(area.sqref), area.rules[0].formula) for area in page.conditional_formatting] == [("D2:D5", ["$D$5"])]
    assert [str(check.sqref) for check in page.data_validations.dataValidation] == ["C2:C5"]
    assert after["Notes"]["A2"].value == "=SUM('Our goods'!D2:D5)+'Our goods'!D4+D6"
    assert after.defined_names["prices"].attr_text == "'Our goods'!$D$2:$D$5"


def test_formulas_keep_the_values_that_programs_read(goods: Path) -> None:
    # as a spreadsheet stores them, which openpyxl does not
    import zipfile

    content = {}
    with zipfile.ZipFile(goods) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    sheet = content["xl/worksheets/sheet1.xml"].decode()
    for number in range(2, 8):
        sheet = re.sub(rf"(<f>D{number}\*2</f>){NO_VALUE}", rf"\1<v>{21 * number}</v>", sheet)
    notes = re.sub(NO_VALUE, "<v>55</v>", content["xl/worksheets/sheet2.xml"].decode())
    changed = {"xl/worksheets/sheet1.xml": sheet, "xl/worksheets/sheet2.xml": notes}
    with zipfile.ZipFile(goods, "w") as archive:
        for name, held in content.items():
            archive.writestr(name, changed.get(name, held))
    after, values, _ = cleaned(goods, ("L3", "delete", None), form="xlsx")
    assert [after["Our goods"][f"E{row}"].value for row in (2, 3)] == ["=D2*2", "=D3*2"]
    assert [values["Our goods"][f"E{row}"].value for row in (2, 3, 6, 8)] == [42, 84, 147, None]
    assert values["Notes"]["A2"].value == 55


def test_a_changed_cell_that_was_merged_or_a_formula_holds_the_new_value(goods: Path) -> None:
    book = openpyxl.load_workbook(goods)
    page = book.worksheets[0]
    page["C4"] = None
    page.merge_cells("C3:C4")
    page["D2"] = "=5*2"
    page["C2"] = '="des"&"k"'
    book.save(goods)
    after, _, _ = cleaned(goods, ("L4", "relabel", "desk"), ("L2", "relabel", "lamp"))
    assert [after["Our goods"][f"C{row}"].value for row in (2, 3, 4)] == ["lamp", "lamp", "desk"]
    assert after["Our goods"]["D2"].value == "=5*2"


def test_a_sheet_below_a_title_or_behind_a_cover_is_read_and_comes_back_so(goods: Path) -> None:
    book = openpyxl.load_workbook(goods)
    book.create_sheet("Cover", 0)["B2"] = "Stock of May"
    page = book["Our goods"]
    del page.tables["goods"]
    page.insert_rows(1, 2)
    page["A1"] = "All our goods"
    book.save(goods)
    raw = read_raw(goods, names={"id", "image", "label", "price"})
    assert raw.notes == (
        "goods.xlsx has 3 sheets; only 'Our goods' is read.",
        "goods.xlsx: the header was found in row 3, below 'All our goods'.",
    )
    assert raw.table.index.tolist() == [4, 5, 6, 7, 8, 9]
    run = run_of(goods, goods.parent / "run")
    run.decide([decided("L3", "delete")])
    apply_fixes(run, plan_fixes(run))
    after = openpyxl.load_workbook(run.cleaned / "listings.xlsx")
    assert [after["Our goods"][f"A{row}"].value for row in range(1, 6)] == ["All our goods", None, "id", "L2", "L4"]
    assert after["Cover"]["B2"].value == "Stock of May"
    assert read_listings(run.cleaned).table["id"].tolist() == ["L2", "L4", "L5", "L6", "L7"]


def hidden_first(folder: Path, *states: str) -> Path:
    book = openpyxl.Workbook()
    names = ("Old", "New")
    for name, state in zip(names, states, strict=True):
        page = book.create_sheet(name)
        page.append(["id", "label"])
        for row in range(4):
            page.append([f"{name}{row}", "ab"[row % 2]])
        page.sheet_state = state
    if "visible" in states:
        book.remove(book.worksheets[0])
    book.save(folder / "shop.xlsx")
    return folder / "shop.xlsx"


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_a_hidden_sheet_is_not_read_where_another_is_seen(state: str, tmp_path: Path) -> None:
    listings = read_listings(hidden_first(tmp_path, state, "visible"), needs_image=False)
    assert listings.table["id"].tolist() == ["New0", "New1", "New2", "New3"]
    assert "shop.xlsx has 2 sheets, 1 of them hidden; only 'New' is read." in listings.notes
    run = run_of(tmp_path / "shop.xlsx", tmp_path / "run", needs_image=False)
    run.decide([decided("New0", "delete")])
    apply_fixes(run, plan_fixes(run))
    assert len(read_listings(run.cleaned, needs_image=False).table) == 3


def test_a_hidden_sheet_that_alone_has_listings_is_read_and_called_hidden(tmp_path: Path) -> None:
    listings = read_listings(hidden_first(tmp_path, "hidden", "hidden"), needs_image=False)
    assert listings.table["id"].tolist()[0] == "Old0"
    assert "shop.xlsx has 3 sheets, 2 of them hidden; only the hidden sheet 'Old' is read." in listings.notes


@pytest.mark.parametrize("header", [["id", "image", "label"], ["id", "label"]])
def test_pictures_inside_a_workbook_are_counted_where_no_photo_is_named(header: list[str], tmp_path: Path) -> None:
    from openpyxl.drawing.image import Image as Picture

    book = openpyxl.Workbook()
    book.active.append(header)
    for row in range(4):
        Image.new("RGB", (4, 4)).save(tmp_path / f"{row}.png")
        book.active.append([row, *([None] if "image" in header else []), "ab"[row % 2]])
        book.active.add_image(Picture(io.BytesIO((tmp_path / f"{row}.png").read_bytes())), f"B{row + 2}")
    book.save(tmp_path / "shop.xlsx")
    with pytest.raises(ListingsError, match=r"^4 pictures inside shop\.xlsx are not read: .*Save the pictures"):
        read_listings(tmp_path / "shop.xlsx")
    assert len(read_listings(tmp_path / "shop.xlsx", needs_image=False).table) == 4
