"""Exports of Shopify: a product has a row for each variant and photo, and only the first one describes it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from curation.errors import ListingsError
from curation.listings import Listings, read_listings

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
