"""What lies over the rows of a workbook follows them: merged cells, pictures, charts, page breaks, formulas."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.chart import BarChart, Reference
from openpyxl.drawing.image import Image as Picture
from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, TwoCellAnchor
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.pagebreak import Break
from PIL import Image

from curation.errors import ListingsError
from curation.fixes import apply_fixes, plan_fixes
from curation.listings import read_listings
from tests.support.fixes import decided, run_of


@pytest.fixture
def goods(tmp_path: Path) -> Path:
    """Return a workbook of six listings in the rows 2 to 7; three lamps share one merged cell, three desks another."""
    book = openpyxl.Workbook()
    page = book.active
    page.title = "Goods"
    page.append(["id", "label", "image", "price"])
    for number in range(2, 8):
        Image.new("RGB", (4, 4), (number * 30, 0, 0)).save(tmp_path / f"{number}.png")
        label = {2: "lamp", 5: "desk"}.get(number)
        page.append([f"L{number}", label, f"{number}.png", 10 * number])
    page.merge_cells("B2:B4")
    page.merge_cells("B5:B7")
    book.save(tmp_path / "goods.xlsx")
    return tmp_path / "goods.xlsx"


def cleaned(goods: Path, *decisions: tuple[str, ...]) -> tuple[Any, list[str], Path]:
    """Return the workbook that apply-fixes writes, what it says, and its path."""
    run = run_of(goods, goods.parent / "run", allow_bad=0.5)
    run.decide([decided(*decision) for decision in decisions])
    fixes = apply_fixes(run, plan_fixes(run))
    notes = [note.removeprefix("listings.xlsx ") for note in fixes.notes if note.startswith("listings.xlsx")]
    path = run.cleaned / "listings.xlsx"
    return openpyxl.load_workbook(path), notes, path


def merged(page: Any) -> list[str]:
    return sorted(map(str, page.merged_cells.ranges))


def test_merged_cells_are_one_value_for_each_of_their_listings_and_are_counted(goods: Path) -> None:
    listings = read_listings(goods)
    assert listings.table["label"].tolist() == ["lamp"] * 3 + ["desk"] * 3
    said = "goods.xlsx: 4 cells are merged with those above, and have their values."
    assert said in listings.notes


def test_a_merged_label_stays_with_the_rows_that_are_left(goods: Path) -> None:
    book, _, path = cleaned(goods, ("L2", "delete"))
    assert merged(book.active) == ["B2:B3", "B4:B6"]
    assert [book.active[place].value for place in ("B2", "B4")] == ["lamp", "desk"]
    assert read_listings(path.parent).table["label"].tolist() == ["lamp"] * 2 + ["desk"] * 3


@pytest.mark.parametrize("gone", [("L2", "L3"), ("L3", "L4"), ("L2", "L4")])
def test_a_block_of_one_row_is_no_merged_cell(goods: Path, gone: tuple[str, ...]) -> None:
    book, _, path = cleaned(goods, *((id, "delete") for id in gone))
    assert merged(book.active) == ["B3:B5"]
    assert book.active["B2"].value == "lamp"
    assert read_listings(path.parent).table["label"].tolist() == ["lamp"] + ["desk"] * 3


def test_a_new_label_of_one_listing_is_none_of_the_others_of_its_block(goods: Path) -> None:
    book, notes, path = cleaned(goods, ("L2", "relabel", "desk"))
    assert merged(book.active) == ["B5:B7"]
    assert [book.active[f"B{row}"].value for row in range(2, 6)] == ["desk", "lamp", "lamp", "desk"]
    said = "has 1 block of merged cells less: its listings differ now, and each has a value of its own."
    assert said in notes
    assert read_listings(path.parent).table["label"].tolist() == ["desk", "lamp", "lamp"] + ["desk"] * 3


def test_a_new_label_of_a_whole_block_leaves_it_merged(goods: Path) -> None:
    book, notes, _ = cleaned(goods, ("L2", "delete"), ("L3", "relabel", "desk"), ("L4", "relabel", "desk"))
    assert merged(book.active) == ["B2:B3", "B4:B6"]
    assert [book.active[place].value for place in ("B2", "B4")] == ["desk", "desk"]
    assert not [note for note in notes if "merged" in note]


def test_merged_cells_over_several_columns_stay_so_beside_one_row(goods: Path) -> None:
    book = openpyxl.load_workbook(goods)
    book.active["F2"] = "both"
    book.active.merge_cells("F2:G3")
    book.save(goods)
    after, _, _ = cleaned(goods, ("L2", "delete"))
    assert merged(after.active) == ["B2:B3", "B4:B6", "F2:G2"]
    assert after.active["F2"].value == "both"


def picture(goods: Path, first: int, last: int) -> Picture:
    """Return a picture over the rows from the upper edge of one to the lower edge of another."""
    drawn = Picture(Image.open(goods.parent / "2.png"))
    start, end = AnchorMarker(col=6, row=first - 1), AnchorMarker(col=7, row=last)
    drawn.anchor = TwoCellAnchor("twoCell", _from=start, to=end)
    return drawn


def chart(page: Any, first: int, last: int, place: str) -> BarChart:
    drawn = BarChart()
    drawn.add_data(Reference(page, min_col=4, min_row=first, max_row=last))
    drawn.anchor = place
    return drawn


def test_pictures_follow_their_rows_and_those_of_deleted_rows_alone_are_counted(goods: Path) -> None:
    book = openpyxl.load_workbook(goods)
    for first, last in ((3, 3), (4, 4), (2, 6)):
        book.active.add_image(picture(goods, first, last))
    book.active.add_image(Picture(Image.open(goods.parent / "2.png")), "J7")
    book.save(goods)
    after, notes, _ = cleaned(goods, ("L3", "delete"), ("L5", "delete"))
    anchors = [each.anchor for each in after.active._images]
    spans = [(each._from.row + 1, each.to.row if hasattr(each, "to") else None) for each in anchors]
    assert spans == [(5, None), (3, 3), (2, 4)]
    assert "lacks 1 picture that lay in deleted rows." in notes


def test_a_tall_picture_that_begins_in_a_deleted_row_stays(goods: Path) -> None:
    book = openpyxl.load_workbook(goods)
    tall = Picture(Image.open(goods.parent / "2.png"))
    # two rows of 15 points, and a little more, in pixels
    tall.height = 42
    book.active.add_image(tall, "J3")
    book.active.add_image(Picture(Image.open(goods.parent / "3.png")), "K3")
    book.save(goods)
    after, notes, _ = cleaned(goods, ("L3", "delete"), ("L4", "delete"))
    assert [(each.anchor._from.col, each.anchor._from.row + 1) for each in after.active._images] == [(9, 3)]
    assert "lacks 1 picture that lay in deleted rows." in notes


def test_charts_follow_the_cells_that_they_show_and_say_when_there_is_none(goods: Path) -> None:
    book = openpyxl.load_workbook(goods)
    page = book.active
    page.add_chart(chart(page, 2, 7, "G9"))
    page.add_chart(chart(page, 3, 3, "G30"))
    book.create_sheet("Charts").add_chart(chart(page, 4, 7, "A1"))
    book.save(goods)
    after, notes, path = cleaned(goods, ("L3", "delete"), ("L5", "delete"))
    assert [each.anchor._from.row + 1 for each in after.worksheets[0]._charts] == [7, 28]
    with zipfile.ZipFile(path) as archive:
        charts = [archive.read(f"xl/charts/chart{number}.xml").decode() for number in (1, 2, 3)]
    shown = [re.findall(r"<f>([^<]+)</f>", each) for each in charts]
    assert shown == [["'Goods'!$D$2:$D$5"], ["'Goods'!#REF!"], ["'Goods'!$D$3:$D$5"]]
    assert "has a chart, which points at deleted rows, so at nothing now." in notes


def test_shapes_and_extensions_that_are_lost_are_counted(goods: Path) -> None:
    book = openpyxl.load_workbook(goods)
    book.active.add_image(picture(goods, 3, 3))
    book.active.add_image(picture(goods, 4, 4))
    book.save(goods)
    cells = "</xdr:from><xdr:to><xdr:col>1</xdr:col><xdr:colOff>0</xdr:colOff><xdr:row>9</xdr:row>"
    shape = (
        f"<xdr:twoCellAnchor><xdr:from><xdr:col>1</xdr:col><xdr:colOff>0</xdr:colOff><xdr:row>8</xdr:row>"
        f"<xdr:rowOff>0</xdr:rowOff>{cells}<xdr:rowOff>0</xdr:rowOff></xdr:to><xdr:sp macro='' textlink=''><xdr:nvSpPr>"
        "<xdr:cNvPr id='9' name='Box'/><xdr:cNvSpPr/></xdr:nvSpPr><xdr:spPr/></xdr:sp><xdr:clientData/>"
        "</xdr:twoCellAnchor>"
    ).replace("xdr:", "")
    edited(goods, "xl/drawings/drawing1.xml", lambda xml: xml.replace("</wsDr>", f"{shape}</wsDr>"))
    _, notes, _ = cleaned(goods, ("L3", "delete"))
    assert "lacks 1 drawing of the input that openpyxl can't keep, such as shapes and text boxes." in notes


def test_sparklines_are_read_past_and_their_loss_is_told(goods: Path) -> None:
    uri = "{05C60535-1F16-4fd2-B633-F4F36F0B64E0}"
    edited(
        goods,
        "xl/worksheets/sheet1.xml",
        lambda xml: xml.replace("</worksheet>", f'<extLst><ext uri="{uri}"/></extLst></worksheet>'),
    )
    _, notes, _ = cleaned(goods, ("L3", "delete"))
    assert "lacks parts of the input that openpyxl can't keep: sparkline group." in notes


def edited(goods: Path, part: str, change: Callable[[str], str]) -> None:
    """Change a part of a workbook."""
    with zipfile.ZipFile(goods) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    content[part] = change(content[part].decode()).encode()
    with zipfile.ZipFile(goods, "w") as archive:
        for name, held in content.items():
            archive.writestr(name, held)


def test_page_breaks_printed_titles_and_links_follow_their_rows(goods: Path) -> None:
    book = openpyxl.load_workbook(goods)
    page = book.active
    for row in (3, 4, 6):
        page.row_breaks.append(Break(id=row))
    page.print_title_rows = "1:3"
    other = book.create_sheet("Links")
    other["A1"] = "the sixth"
    other["A1"].hyperlink = Hyperlink(ref="A1", location="Goods!A6")
    book.save(goods)
    after, _, _ = cleaned(goods, ("L3", "delete"), ("L4", "delete"))
    page = after["Goods"]
    assert [each.id for each in page.row_breaks.brk] == [2, 4]
    assert page.print_title_rows == "$1:$2"
    assert after["Links"]["A1"].hyperlink.location == "Goods!A4"


def with_values(goods: Path, values: dict[str, float]) -> None:
    """Store values beside the formulas of the first sheet, as a spreadsheet does and openpyxl does not."""

    def stored(sheet: str) -> str:
        for place, value in values.items():
            sheet = re.sub(rf'(<c r="{place}"[^>]*><f>[^<]*</f>)<v(?: ?/>|></v>)', rf"\1<v>{value}</v>", sheet)
        return sheet

    edited(goods, "xl/worksheets/sheet1.xml", stored)


def test_a_formula_that_points_at_a_deleted_row_keeps_its_last_value_and_is_counted(goods: Path) -> None:
    book = openpyxl.load_workbook(goods)
    page = book.active
    page["E1"] = "total"
    for row in range(2, 8):
        page[f"E{row}"] = f"=E{row - 1}+D{row}" if row > 2 else "=D2"
    book.create_sheet("Sum")["A1"] = "=Goods!D3*2"
    book.defined_names["third"] = DefinedName("third", attr_text="Goods!$D$3")
    book.save(goods)
    with_values(goods, {f"E{row}": sum(range(20, 10 * row + 1, 10)) for row in range(2, 8)})
    after, notes, path = cleaned(goods, ("L3", "delete"))
    assert [after["Goods"][f"E{row}"].value for row in range(2, 7)] == ["=D2", 90, "=E3+D4", "=E4+D5", "=E5+D6"]
    assert after["Sum"]["A1"].value == "=Goods!#REF!*2"
    assert notes[:3] == [
        "holds its last value in place of 1 formula, as it points at deleted rows: E4.",
        "has 1 formula that points at deleted rows and had no value, so it is #REF!: Sum!A1.",
        "has the name third, which points at deleted rows, so at nothing now.",
    ]
    assert read_listings(path.parent).table["total"].tolist() == ["20", "90", "140", "200", "270"]


@pytest.mark.parametrize("ours", ["id", "label", "image"])
def test_labels_ids_and_photos_of_formulas_without_values_are_refused_with_what_to_do(goods: Path, ours: str) -> None:
    book = openpyxl.load_workbook(goods)
    page = book.active
    column = {"id": "A", "label": "B", "image": "C"}[ours]
    for block in merged(page):
        page.unmerge_cells(block)
    for row in range(2, 8):
        page[f"B{row}"] = "lamp" if row % 2 else "desk"
    for row in range(2, 8):
        page[f"{column}{row}"] = '="x"&"y"'
    book.save(goods)
    with pytest.raises(ListingsError, match=f"6 of 6 cells of the column '{ours}' are formulas") as error:
        read_listings(goods)
    assert "Open the workbook in Excel or LibreOffice, and save it there." in str(error.value)


def test_prices_that_are_formulas_without_values_are_counted(goods: Path) -> None:
    book = openpyxl.load_workbook(goods)
    for row in range(2, 8):
        book.active[f"D{row}"] = f"={row}*10"
    book.active["D9"] = "=SUM(D2:D7)"
    book.save(goods)
    listings = read_listings(goods)
    said = (
        "goods.xlsx: 6 cells of 'price' are formulas without a stored value, and read as empty. "
        "Open the workbook in Excel or LibreOffice, and save it there."
    )
    assert said in listings.notes
    assert listings.table["price"].isna().all()
    with_values(goods, {f"D{row}": row * 10 for row in range(2, 8)})
    assert not [note for note in read_listings(goods).notes if "formula" in note]
