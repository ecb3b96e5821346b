"""Exports of Shopify: a product has a row for each variant and photo, and only the first one describes it."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from PIL import Image

from curation.errors import ListingsError
from curation.fixes import apply_fixes, plan_fixes
from curation.listings import Listings, read_listings
from tests.support.fixes import decided, run_of

HEADER = (
    "Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Option1 Name,Option1 Value,Variant SKU,"
    "Variant Price,Variant Compare At Price,Image Src,Image Position,Image Alt Text,Variant Image,Status"
)


def row(handle: str = "", title: str = "", kind: str = "", price: str = "", photo: str = "", **others: str) -> str:
    cells = {"Handle": handle, "Title": title, "Type": kind, "Variant Price": price, "Image Src": photo, **others}
    return ",".join(cells.get(name, "") for name in HEADER.split(","))


PRODUCTS = [
    row("red-lamp", "Red lamp", "Lamps", "10", "1.png", **{"Option1 Value": "S", "Image Position": "1"}),
    row("desk", "Desk", "Desks", "90", "2.png", **{"Option1 Value": "Default Title", "Image Position": "1"}),
    row("blue-lamp", "Blue lamp", "Lamps", "20", "3.png", **{"Option1 Value": "S", "Image Position": "1"}),
    row("sofa", "Sofa", "Sofas", "400", "4.png", **{"Option1 Value": "Default Title", "Image Position": "1"}),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(1, 9):
        Image.new("RGB", (4, 4), (number * 30, 0, 0)).save(tmp_path / f"{number}.png")
    return tmp_path


def export(folder: Path, *rows: str, header: str = HEADER) -> Path:
    (folder / "products.csv").write_text("\n".join([header, *rows, ""]))
    return folder / "products.csv"


def facts(listings: Listings) -> list[tuple[str, str, float]]:
    return list(listings.table[["id", "label", "price"]].itertuples(index=False, name=None))


ALL = [("red-lamp", "Lamps", 10), ("desk", "Desks", 90), ("blue-lamp", "Lamps", 20), ("sofa", "Sofas", 400)]


def test_the_type_of_a_product_is_its_label_where_its_category_is_empty(folder: Path) -> None:
    listings = read_listings(export(folder, *PRODUCTS))
    assert facts(listings) == ALL
    assert listings.columns["label"] == "Type"


def test_the_column_of_classes_with_most_of_them_is_the_label(folder: Path) -> None:
    rows = [line.replace(",,Lamps", ",Home > Lamps,Lamps").replace(",,Desks", ",Home > Desks,") for line in PRODUCTS]
    rows[0] = rows[0].replace("Home > Lamps", "")
    assert read_listings(export(folder, *rows), allow_bad=0.5).columns["label"] == "Type"
    rows[0] = rows[0].replace(",,Lamps", ",Home > Lamps,")
    rows[3] = rows[3].replace(",,Sofas", ",Home > Sofas,Sofas")
    assert read_listings(export(folder, *rows)).columns["label"] == "Product Category"


def test_the_columns_of_newer_exports_are_recognised(folder: Path) -> None:
    renamed = {"Handle": "URL handle", "Variant SKU": "SKU", "Variant Price": "Price", "Image Src": "Product image URL"}
    header = ",".join(renamed.get(name, name) for name in HEADER.split(","))
    listings = read_listings(export(folder, *PRODUCTS, header=header))
    assert facts(listings) == ALL
    assert listings.columns["image"] == "Product image URL"


def test_a_type_in_another_table_is_no_label(folder: Path) -> None:
    pd.DataFrame({"id": ["a"], "image": ["1.png"], "type": ["used"], "price": [1]}).to_csv(
        folder / "t.csv", index=False
    )
    with pytest.raises(ListingsError, match="no column 'label'"):
        read_listings(folder / "t.csv")


def test_an_empty_column_is_no_label_where_a_less_likely_one_has_the_labels(folder: Path) -> None:
    table = pd.DataFrame({"id": ["a", "b"], "image": ["1.png", "2.png"], "category": None, "product_type": ["x", "y"]})
    table.to_csv(folder / "t.csv", index=False)
    assert read_listings(folder / "t.csv").classes == ("x", "y")


VARIANT = row("red-lamp", price="12", photo="5.png", **{"Option1 Value": "M", "Image Position": "2"})
SAME_PRICE = row("red-lamp", price="10", **{"Option1 Value": "L"})
PHOTO = row("red-lamp", photo="6.png", **{"Image Position": "3"})
NAMELESS = row(photo="7.png", **{"Image Position": "4"})


def test_variants_and_photos_are_no_listings_and_are_counted(folder: Path) -> None:
    listings = read_listings(export(folder, PRODUCTS[0], VARIANT, SAME_PRICE, PHOTO, NAMELESS, *PRODUCTS[1:]))
    assert facts(listings) == ALL
    assert listings.table["image"].tolist() == ["1.png", "2.png", "3.png", "4.png"]
    said = [
        "2 rows only add photos to their listings; the first photo of a listing is the one that counts.",
        "2 rows are variants of listings, whose label and price are those of the first row; 1 has another price.",
    ]
    assert [note for note in listings.notes if note in said] == said


def test_variants_that_repeat_title_and_type_are_variants(folder: Path) -> None:
    again = PRODUCTS[0].replace(",10,", ",15,").replace("1.png", "5.png")
    assert facts(read_listings(export(folder, *PRODUCTS, again))) == ALL
    other = again.replace("Red lamp", "Green lamp")
    with pytest.raises(ListingsError, match="duplicate ids"):
        read_listings(export(folder, *PRODUCTS, other))


def test_rows_of_one_product_need_not_stand_together_and_come_back_in_their_order(folder: Path) -> None:
    rows = [PHOTO, PRODUCTS[0], PRODUCTS[1], VARIANT, NAMELESS, *PRODUCTS[2:], SAME_PRICE]
    run = run_of(export(folder, *rows), folder / "run")
    run.decide([decided("desk", "delete")])
    fixes = apply_fixes(run, plan_fixes(run))
    assert not [note for note in fixes.notes if "read otherwise" in note]
    assert facts(read_listings(run.cleaned)) == [each for each in ALL if each[0] != "desk"]
    written = (run.cleaned / "listings.csv").read_text().replace("../", "").splitlines()
    assert written == [HEADER, *[line for line in rows if line != PRODUCTS[1]]]


def test_rows_of_one_product_keep_their_places_in_a_workbook(folder: Path) -> None:
    rows = [PHOTO, PRODUCTS[0], PRODUCTS[1], VARIANT, *PRODUCTS[2:], SAME_PRICE]
    table = pd.read_csv(export(folder, *rows), dtype="string")
    table.astype(object).where(table.notna(), None).to_excel(folder / "products.xlsx", index=False)
    run = run_of(folder / "products.xlsx", folder / "run")
    run.decide([decided("desk", "delete"), decided("red-lamp", "relabel", "Sofas")])
    apply_fixes(run, plan_fixes(run))
    page = openpyxl.load_workbook(run.cleaned / "listings.xlsx").active
    found = [(page.cell(number, 1).value, page.cell(number, 6).value) for number in range(2, page.max_row + 1)]
    assert found == [
        ("red-lamp", None),
        ("red-lamp", "Sofas"),
        ("red-lamp", None),
        ("blue-lamp", "Lamps"),
        ("sofa", "Sofas"),
        ("red-lamp", None),
    ]


def test_what_belongs_to_a_deleted_product_goes_with_it(folder: Path) -> None:
    run = run_of(export(folder, *PRODUCTS, VARIANT, NAMELESS), folder / "run")
    run.decide([decided("red-lamp", "delete")])
    apply_fixes(run, plan_fixes(run))
    written = (run.cleaned / "listings.csv").read_text().replace("../", "").splitlines()
    assert written == [HEADER, *PRODUCTS[1:]]


def test_in_other_tables_a_row_of_the_same_id_and_another_price_is_refused(folder: Path) -> None:
    lines = ["id,image,label,title,price", "a,1.png,lamp,x,1", "b,2.png,desk,y,2", "a,3.png,,,5"]
    (folder / "t.csv").write_text("\n".join(lines))
    with pytest.raises(ListingsError, match="duplicate ids"):
        read_listings(folder / "t.csv")
    (folder / "t.csv").write_text("\n".join([*lines[:3], "a,3.png,,,", ",4.png,,,"]))
    listings = read_listings(folder / "t.csv")
    assert listings.table["id"].tolist() == ["a", "b"]


def test_a_row_without_an_id_and_with_more_than_a_photo_is_refused(folder: Path) -> None:
    (folder / "t.csv").write_text("id,image,label,seller\na,1.png,lamp,x\nb,2.png,desk,y\n,3.png,,x\n")
    with pytest.raises(ListingsError, match="missing ids"):
        read_listings(folder / "t.csv")
