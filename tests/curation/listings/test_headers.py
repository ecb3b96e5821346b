"""The header and the sheet that are meant, below titles and behind covers that look like either."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
from PIL import Image

from curation.errors import ListingsError
from curation.fixes import apply_fixes, plan_fixes
from curation.listings import read_listings
from tests.support.fixes import decided, run_of

HEADER = ["id", "image", "label", "price"]
ROWS = [[f"L{number}", f"{number}.png", ("desk", "lamp")[number % 2], 10 * number] for number in range(1, 7)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(1, 7):
        Image.new("RGB", (4, 4), (number * 30, 0, 0)).save(tmp_path / f"{number}.png")
    return tmp_path


def csv(folder: Path, *above: str, sign: str = ",") -> Path:
    lines = [sign.join(map(str, row)) for row in (HEADER, *ROWS)]
    (folder / "goods.csv").write_text("".join(f"{line}\n" for line in (*above, *lines)))
    return folder / "goods.csv"


def book(folder: Path, *above: list[str], cover: list[list[str]] | None = None) -> Path:
    goods = openpyxl.Workbook()
    page = goods.active
    page.title = "Goods"
    for row in (*above, HEADER, *ROWS):
        page.append(row)
    if cover is not None:
        first = goods.create_sheet("Cover", 0)
        for row in cover:
            first.append(row)
    goods.save(folder / "goods.xlsx")
    return folder / "goods.xlsx"


@pytest.mark.parametrize("title", ["Price", "Photos", "Category", "Title"])
def test_a_title_that_is_a_name_of_a_column_is_no_header(folder: Path, title: str) -> None:
    for path in (csv(folder, title), csv(folder, f"{title},,,"), book(folder, [title])):
        listings = read_listings(path)
        assert listings.table["price"].tolist() == [10, 20, 30, 40, 50, 60]
        assert [note for note in listings.notes if "the header was found in row 2, below" in note and title in note]


def test_lines_about_the_shop_above_the_header_are_no_header(folder: Path) -> None:
    path = csv(folder, "Name,Our shop", "Date,2024-05-01", "")
    assert len(read_listings(path).table) == 6


def test_the_first_row_stays_the_header_if_it_names_two_columns_or_is_as_wide(folder: Path) -> None:
    (folder / "goods.csv").write_text("Bild,label,x\n1.png,lamp,1\n2.png,desk,2\nimage,label,id\n")
    with pytest.raises(ListingsError, match="got Bild, label, x"):
        read_listings(folder / "goods.csv")


def test_a_quoted_text_of_such_names_is_no_header(folder: Path) -> None:
    rows = "".join(
        f'{number}.png,{("desk", "lamp")[number % 2]},"photo, image, text, {number}"\n' for number in range(1, 7)
    )
    (folder / "goods.csv").write_text(f"Bild,label,words\n{rows}")
    assert len(read_listings(folder / "goods.csv").table) == 6


@pytest.mark.parametrize("title", ["Our goods", "Price"])
@pytest.mark.parametrize("sign", [",", ";"])
def test_a_title_below_the_line_that_names_the_delimiter_is_told_and_written_back(
    folder: Path, title: str, sign: str
) -> None:
    path = csv(folder, f"sep={sign}", title, sign=sign)
    run = run_of(path, folder / "run")
    assert f"goods.csv: the header was found in row 3, below {title!r}." in read_listings(path).notes
    run.decide([decided("L1", "delete")])
    apply_fixes(run, plan_fixes(run))
    written = (run.cleaned / "listings.csv").read_text()
    assert written.startswith(f"sep={sign}\n{title}\nid{sign}image{sign}label{sign}price\nL2{sign}")
    assert len(read_listings(run.cleaned).table) == 5


@pytest.mark.parametrize("cover", [[["Name", "Value"], ["Shop", "Ours"]], [["ID", "Name"], ["7", "Ours"]], [["Text"]]])
def test_a_cover_with_a_header_of_its_own_is_not_the_table(folder: Path, cover: list[list[str]]) -> None:
    listings = read_listings(book(folder, cover=cover))
    assert len(listings.table) == 6
    assert "goods.xlsx has 2 sheets; only 'Goods' is read." in listings.notes


def test_a_first_sheet_that_names_photos_or_labels_is_the_table(folder: Path) -> None:
    with pytest.raises(ListingsError, match="no column 'image'"):
        read_listings(book(folder, cover=[["id", "label"], ["x1", "lamp"], ["x2", "desk"]]))


def test_sheets_after_the_one_that_is_meant_change_nothing(folder: Path) -> None:
    path = book(folder)
    goods = openpyxl.load_workbook(path)
    goods.create_sheet("More").append([*HEADER, "title"])
    goods["More"].append(["X1", "1.png", "sofa", 5, "x"])
    goods.save(path)
    assert "sofa" not in read_listings(path).classes


@pytest.mark.parametrize("info", ["Info,Version=1.0.0,Template=fx_category_template_EBAY_GB", "Info,a,b,c,d,e,f,g"])
def test_the_line_of_information_above_a_header_of_ebay_is_no_header(info: str, tmp_path: Path) -> None:
    header = "*Action(SiteID=UK|Currency=GBP),Item number,Title,Start price,eBay category 1 name,PicURL"
    rows = [f"Add,{row},a thing,{row}.5,{'ab'[row % 2]},{row}.jpg|x.jpg" for row in range(1, 5)]
    for row in range(1, 5):
        (tmp_path / f"{row}.jpg").write_bytes(b"")
    (tmp_path / "ebay.csv").write_text("\n".join([info, header, *rows, ""]))
    listings = read_listings(tmp_path / "ebay.csv")
    assert listings.table["price"].tolist() == [1.5, 2.5, 3.5, 4.5]
    assert listings.table["id"].tolist() == ["1", "2", "3", "4"]
