"""Files that were joined: the header of the later one is no listing, however it is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from curation.errors import ListingsError
from curation.fixes import apply_fixes, plan_fixes
from curation.listings import read_listings
from tests.support.fixes import decided, run_of

ROWS = [f"L{row},{row}.png,{'ab'[row % 2]},{row}" for row in range(6)]


def joined(folder: Path, header: str, first: str = "id,image,label,price", end: str = "\n") -> Path:
    for row in range(6):
        Image.new("RGB", (4, 4), (row * 40, 0, 0)).save(folder / f"{row}.png")
    lines = [first, *ROWS[:3], header, *ROWS[3:], ""]
    (folder / "shop.csv").write_bytes(end.join(lines).encode())
    return folder / "shop.csv"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "header",
    [
        "id,image,label,price",
        "\ufeffid,image,label,price",
        "ID,Image,Label,PRICE",
        "\ufeffId, image ,Label,Price",
        '"id","image","label","price"',
        '\ufeff"id","image","label","price"',
    ],
)
def test_a_header_among_the_listings_is_left_out_and_stays_in_place(header: str, end: str, tmp_path: Path) -> None:
    source = joined(tmp_path, header, end=end)
    listings = read_listings(source)
    assert listings.table["id"].tolist() == [f"L{row}" for row in range(6)]
    assert listings.classes == ("a", "b")
    assert any("1 row among the listings names the columns and is left out: row 5." in note for note in listings.notes)
    run = run_of(source, tmp_path / "run")
    run.decide([decided("L1", "delete")])
    apply_fixes(run, plan_fixes(run))
    lines = (run.cleaned / "listings.csv").read_text(encoding="utf-8").splitlines()
    assert lines[3].replace('"', "").lower().lstrip("\ufeff") == header.replace('"', "").lower().lstrip("\ufeff")
    assert read_listings(run.cleaned).table["id"].tolist() == ["L0", "L2", "L3", "L4", "L5"]


def test_a_listing_that_has_the_name_of_its_column_in_one_cell_stays(tmp_path: Path) -> None:
    listings = read_listings(joined(tmp_path, "image,0.png,LABEL,5"))
    assert len(listings.table) == 7
    assert "LABEL" in listings.classes


@pytest.mark.parametrize("header", ["id,label,image,price", "Price,Label,Image,ID", "id,label,image,"])
def test_a_header_among_the_listings_in_another_order_is_refused_with_its_row(header: str, tmp_path: Path) -> None:
    with pytest.raises(ListingsError, match="row 5 is a header with the columns in another order"):
        read_listings(joined(tmp_path, header))


def test_a_listing_that_is_called_like_a_column_is_no_header(tmp_path: Path) -> None:
    source = joined(tmp_path, "L9,0.png,price,3")
    assert "price" in read_listings(source).classes
