"""Rows below the listings that add them up are no listings, and stay in the cleaned dataset."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from curation.fixes import apply_fixes, plan_fixes
from curation.listings import read_listings
from tests.support.fixes import decided, run_of

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
    assert "1 row of totals left out: there are listings only." in notes
