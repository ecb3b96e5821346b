"""Rows below the listings that add them up are no listings, and stay in the cleaned dataset."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from curation.fixes import apply_fixes, plan_fixes
from curation.listings import read_listings
from tests.support.fixes import decided, run_of


def photos(folder: Path) -> None:
    for row in range(1, 10):
        (folder / f"{row}.jpg").write_bytes(b"")


ROWS = "id,image,label,price\n" + "".join(f"{row},,{'ab'[row % 2]},{row}.50\n" for row in range(10))


def shop(folder: Path, foot: str, rows: str = ROWS) -> Path:
    (folder / "shop.csv").write_text(rows + foot)
    return folder / "shop.csv"


@pytest.mark.parametrize(
    "foot",
    [
        "Total,,,49.50",
        "TOTAL:,,,£49.50",
        "Sub-total,,,49.50",
        "Grand total,,,",
        "Sum,,,49.5",
        "Gesamtsumme,,,49.5",
        "Итого:,,,49.5",
        "Total (10 items),,,49.5",
        "Total: 10,,,49.5",
    ],
)
def test_a_total_below_the_listings_is_left_out_and_counted(foot: str, tmp_path: Path) -> None:
    listings = read_listings(shop(tmp_path, foot), needs_image=False)
    assert len(listings.table) == 10
    assert listings.problems.empty
    assert listings.notes[0] == "1 row below the listings is a total and left out: row 12."


def test_several_totals_are_left_out(tmp_path: Path) -> None:
    listings = read_listings(shop(tmp_path, "Subtotal,,,49.5\nTotal,,,58.9\n"), needs_image=False)
    assert "2 rows below the listings are totals and left out: rows 12, 13." in listings.notes


@pytest.mark.parametrize(
    "foot",
    [
        "Subtotal,,,49.5\nVAT 20%,,,9.9\nShipping,,,5\nTotal,,,64.4",
        "Zwischensumme,,,49.5\nMwSt. (19 %):,,,9.41\nVersandkosten,,,4.9\nGesamtsumme,,,63.81",
        "Sub-total,,,49.5\nDiscount,,,-5\n+ VAT,20%,,8.9\nGrand total,,,53.4",
        "Subtotal,,,49.5\n,,,\nSales tax,,,4\nDelivery fee,,,5\nTotal,,,58.5",
    ],
)
def test_taxes_and_shipping_beside_a_total_are_left_out_with_it_and_stay_below_the_cleaned_table(
    foot: str, tmp_path: Path
) -> None:
    listings = read_listings(shop(tmp_path, foot), needs_image=False)
    assert listings.table["id"].tolist() == [str(row) for row in range(10)]
    assert any("4 rows below the listings are totals and left out" in note for note in listings.notes)
    run = run_of(tmp_path / "shop.csv", tmp_path / "run", needs_image=False)
    run.decide([decided("9", "delete")])
    apply_fixes(run, plan_fixes(run))
    feet = [line for line in foot.splitlines() if line != ",,,"]
    assert (run.cleaned / "listings.csv").read_text().splitlines()[-4:] == feet


@pytest.mark.parametrize("word", ["Tax", "Total", "Tax 20", "Total 20"])
def test_a_long_cell_that_begins_like_a_total_takes_no_time(word: str, tmp_path: Path) -> None:
    foot = f"{word}{' ' * 1_000_000}-,,,5\n"
    assert len(read_listings(shop(tmp_path, foot), needs_image=False).table) == 11


@pytest.mark.parametrize(
    "foot", ["VAT,,,5", "Shipping,,,5\n24 rows exported", "Total,,,5\nTax,,a,5", "Tax,,,wide\nTotal,,,9"]
)
def test_a_row_like_a_tax_stays_without_a_total_beside_it_or_with_what_a_listing_has(foot: str, tmp_path: Path) -> None:
    table = read_listings(shop(tmp_path, foot), needs_image=False).table
    assert len(table) > 10
    assert {"VAT", "Shipping", "Tax"} & set(table["id"])


@pytest.mark.parametrize("foot", ["Total,,a,5", "Totally,,,5", "Total,,,toothpaste", "Total,t.jpg,a,5", "x5,,Total,5"])
def test_a_listing_that_may_be_one_stays(foot: str, tmp_path: Path) -> None:
    assert len(read_listings(shop(tmp_path, foot), needs_image=False).table) == 11


def test_a_total_among_the_listings_stays_where_it_is(tmp_path: Path) -> None:
    foot = "Total,,,49.5\n10,,a,3\n"
    assert len(read_listings(shop(tmp_path, foot), needs_image=False).table) == 12


def test_where_labels_are_numbers_and_no_other_text_is_there_a_last_row_is_a_listing(tmp_path: Path) -> None:
    rows = "id,label,price\n" + "".join(f"p{row},{row % 2},{row}.50\n" for row in range(10))
    assert len(read_listings(shop(tmp_path, "Total,1,5\n", rows), needs_image=False).table) == 11


def test_a_table_that_takes_its_ids_from_the_photos_may_have_a_total(tmp_path: Path) -> None:
    for row in range(4):
        (tmp_path / f"{row}.jpg").write_bytes(b"")
    rows = "title,image,label,price\n" + "".join(f"lamp {row},{row}.jpg,{'ab'[row % 2]},{row}.5\n" for row in range(4))
    listings = read_listings(shop(tmp_path, "Total,,,8\n", rows))
    assert listings.table["id"].tolist() == [f"{row}.jpg" for row in range(4)]


@pytest.mark.parametrize("deleted", ["9", "0"])
def test_a_total_stays_at_the_end_of_the_cleaned_table_whichever_listing_is_deleted(
    deleted: str, tmp_path: Path
) -> None:
    run = run_of(shop(tmp_path, "Total,,,49.50\n"), tmp_path / "run", needs_image=False)
    run.decide([decided(deleted, "delete")])
    fixes = apply_fixes(run, plan_fixes(run))
    assert fixes.notes == ()
    lines = (run.cleaned / "listings.csv").read_text().splitlines()
    assert (len(lines), lines[-1]) == (11, "Total,,,49.50")
    assert len(read_listings(run.cleaned, needs_image=False).table) == 9


PHOTOS = "id,image,label,price,title\n" + "".join(
    f"L{row},{row}.jpg,{'ab'[row % 2]},{row}.50,a thing\n" for row in range(1, 9)
)


@pytest.mark.parametrize(
    ("foot", "notes"),
    [
        (",,,36,Total\n", ["1 row below the listings is a total and left out: row 10."]),
        (",,,36,\n", ["1 row below the listings is a total and left out: row 10."]),
        ("Durchschnitt,,,4.5,\n", ["1 row below the listings is a total and left out: row 10."]),
        ("24 Artikel\n", ["1 row below the listings is only text and left out: row 10, e.g. '24 Artikel'."]),
        (",,,,end of list\n", ["1 row below the listings is only text and left out: row 10, e.g. 'end of list'."]),
        (
            ",,,,\nTotal,,,36,\nExported by ShopTool,,,,\n",
            [
                "shop.csv: 1 row has only empty cells and is left out: row 10.",
                "1 row below the listings is a total and left out: row 11.",
                "1 row below the listings is only text and left out: row 12, e.g. 'Exported by ShopTool'.",
            ],
        ),
    ],
)
def test_a_footer_is_no_listing(foot: str, notes: list[str], tmp_path: Path) -> None:
    photos(tmp_path)
    path = shop(tmp_path, foot, PHOTOS)
    listings = read_listings(path, needs_image=False)
    assert len(listings.table) == 8
    assert [note for note in listings.notes if "left out" in note] == notes
    run = run_of(path, tmp_path / "run", needs_image=False)
    run.decide([decided("L8", "delete")])
    apply_fixes(run, plan_fixes(run))
    last = foot.strip().splitlines()[-1].split(",")
    written = (run.cleaned / "listings.csv").read_text().splitlines()[-1].split(",")
    assert [cell for cell in written if cell] == [cell for cell in last if cell]


@pytest.mark.parametrize(
    "foot", ["L9,,,,\n", "9,,,,\n", ",9.jpg,,,\n", "L9,,,5,\n", "L9,,,,a thing\n", "L9,,,5,Total\n"]
)
def test_a_last_row_that_lacks_much_but_may_be_a_listing_stays(foot: str, tmp_path: Path) -> None:
    photos(tmp_path)
    listings = read_listings(shop(tmp_path, foot, PHOTOS), needs_image=False, strict=False)
    assert not [note for note in listings.notes if "below the listings" in note]


def test_subtotals_among_the_listings_are_left_out_and_stay_in_their_places(tmp_path: Path) -> None:
    head, *rows = PHOTOS.splitlines(keepends=True)
    text = "".join([head, *rows[:4], "Subtotal lamps,,,10,\n", *rows[4:], "Subtotal,,,26,\n", "Total,,,36,\n"])
    photos(tmp_path)
    path = shop(tmp_path, "", text)
    listings = read_listings(path, needs_image=False)
    assert len(listings.table) == 8
    assert "3 rows among or below the listings are totals and left out: rows 6, 11, 12." in listings.notes
    run = run_of(path, tmp_path / "run", needs_image=False)
    run.decide([decided("L2", "delete")])
    apply_fixes(run, plan_fixes(run))
    first = [line.split(",")[0] for line in (run.cleaned / "listings.csv").read_text().splitlines()]
    assert first == ["id", "L1", "L3", "L4", "Subtotal lamps", "L5", "L6", "L7", "L8", "Subtotal", "Total"]


def test_a_header_that_stands_there_again_is_no_listing_and_stays_in_its_place(tmp_path: Path) -> None:
    head, *rows = PHOTOS.splitlines(keepends=True)
    photos(tmp_path)
    path = shop(tmp_path, "", "".join([head, *rows[:4], head, *rows[4:6], head, *rows[6:]]))
    listings = read_listings(path, needs_image=False)
    assert len(listings.table) == 8
    assert listings.problems.empty
    assert "2 rows among the listings name the columns and are left out: rows 6, 9." in listings.notes
    run = run_of(path, tmp_path / "run", needs_image=False)
    run.decide([decided("L2", "delete")])
    apply_fixes(run, plan_fixes(run))
    lines = (run.cleaned / "listings.csv").read_text().splitlines()
    assert [number for number, line in enumerate(lines) if line + "\n" == head] == [0, 4, 7]


def test_names_of_fields_below_those_that_people_read_are_no_listing(tmp_path: Path) -> None:
    top = "TemplateType=x\tVersion=1\tThe top 3 rows are for Amazon.com use only.\n"
    shown = "SKU\tTitle\tProduct Type\tStandard Price\tMain Image URL\n"
    fields = "item_sku\titem_name\tfeed_product_type\tstandard_price\tmain_image_url\n"
    rows = [f"A{row}\ta thing\t{'ab'[row % 2]}\t{row}5\t{row}.jpg\n" for row in range(1, 9)]
    photos(tmp_path)
    (tmp_path / "amazon.txt").write_text("".join([top, shown, fields, *rows]))
    listings = read_listings(tmp_path / "amazon.txt", needs_image=False)
    assert listings.table["id"].tolist() == [f"A{row}" for row in range(1, 9)]
    assert listings.columns["price"] == "Standard Price"
    assert "1 row among the listings names the columns and is left out: row 3." in listings.notes


def test_a_total_of_a_sheet_stays_below_the_listings(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    table = pd.DataFrame([line.split(",") for line in ROWS.splitlines()[1:]], columns=["id", "image", "label", "price"])
    table = table.drop(columns="image").astype({"price": float})
    table.to_excel(tmp_path / "shop.xlsx", index=False)
    book = openpyxl.load_workbook(tmp_path / "shop.xlsx")
    book.active.append(["Total", None, 49.5])
    book.save(tmp_path / "shop.xlsx")
    run = run_of(tmp_path / "shop.xlsx", tmp_path / "run", needs_image=False)
    run.decide([decided("9", "delete")])
    apply_fixes(run, plan_fixes(run))
    sheet = openpyxl.load_workbook(run.cleaned / "listings.xlsx").active
    assert [cell.value for cell in sheet[sheet.max_row]] == ["Total", None, 49.5]
    assert sheet.max_row == 11


def test_a_folder_of_photos_has_no_place_for_a_total(tmp_path: Path) -> None:
    run = run_of(shop(tmp_path, "Total,,,49.50\n"), tmp_path / "run", needs_image=False)
    run.decide([decided("9", "delete")])
    notes = apply_fixes(run, plan_fixes(run), "imagefolder").notes
    assert "1 row such as a total left out: there are listings only." in notes
