"""What stands beside the listings of a sheet, while rows of theirs are deleted; cells that are dates or errors."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
from PIL import Image

from curation.fixes import apply_fixes, plan_fixes
from curation.listings import read_listings
from tests.support.fixes import decided, run_of


def goods(folder: Path, change: Callable[[Any], Any]) -> Path:
    book = openpyxl.Workbook()
    page = book.active
    page.append(["id", "image", "label", "price"])
    for number in range(10):
        Image.new("RGB", (4, 4), (number * 20, 0, 0)).save(folder / f"{number}.png")
        page.append([f"L{number}", f"{number}.png", "ab"[number % 2], number])
    change(page)
    book.save(folder / "goods.xlsx")
    return folder / "goods.xlsx"


def cleaned(source: Path, *decisions: tuple[str, ...]) -> tuple[Any, list[str]]:
    run = run_of(source, source.parent / "run")
    run.decide([decided(*decision) for decision in decisions])
    fixes = apply_fixes(run, plan_fixes(run))
    assert len(read_listings(run.cleaned).table) == 10 - sum(each[1] == "delete" for each in decisions)
    return openpyxl.load_workbook(run.cleaned / "listings.xlsx").active, list(fixes.notes)


def test_a_small_table_beside_the_listings_stays_where_it_is(tmp_path: Path) -> None:
    def change(page: Any) -> None:
        for row, line in enumerate([["Class", "Count"], ["a", "=COUNTIF(C2:C11,G2)"], ["b", "=H2+D6"]], start=1):
            page[f"G{row}"], page[f"H{row}"] = line

    page, notes = cleaned(goods(tmp_path, change), ("L1", "delete"), ("L2", "delete"))
    assert [[page[f"G{row}"].value, page[f"H{row}"].value] for row in (1, 2, 3, 4)] == [
        ["Class", "Count"],
        ["a", "=COUNTIF(C2:C9,G2)"],
        ["b", "=H2+D4"],
        [None, None],
    ]
    assert [page[f"A{row}"].value for row in range(2, 11)] == ["L0", *(f"L{row}" for row in range(3, 10)), None]
    assert not any("beside" in note for note in notes)


def test_notes_beside_the_listings_go_with_their_rows_and_are_named(tmp_path: Path) -> None:
    def change(page: Any) -> None:
        page["G3"], page["H3"], page["G8"], page["H8"] = "reserved", "Jo", "sold", "Al"

    page, notes = cleaned(goods(tmp_path, change), ("L1", "delete"))
    assert [page["G3"].value, page["G7"].value, page["H7"].value] == [None, "sold", "Al"]
    assert any("lacks 2 cells of deleted rows that stood beside the listings" in n and "G3, H3" in n for n in notes)


def test_a_column_behind_an_empty_one_that_listings_fill_is_theirs(tmp_path: Path) -> None:
    def change(page: Any) -> None:
        for row in range(1, 12):
            page[f"G{row}"], page[f"H{row}"] = ("title", "note") if row == 1 else (f"thing {row - 2}", "x")

    page, notes = cleaned(goods(tmp_path, change), ("L1", "delete"))
    assert [page[f"G{row}"].value for row in (2, 3)] == ["thing 0", "thing 2"]
    assert not any("beside" in note for note in notes)


def test_a_new_label_among_dates_is_a_date_of_their_format(tmp_path: Path) -> None:
    def change(page: Any) -> None:
        for row in range(2, 12):
            page[f"C{row}"] = datetime.date(2024, 1 + row % 2, 1)
            page[f"C{row}"].number_format = "mmm-yy"

    page, _ = cleaned(goods(tmp_path, change), ("L1", "relabel", "2024-01-01 00:00:00"))
    assert [page[f"C{row}"].value for row in (2, 3)] == [datetime.datetime(2024, 1, 1)] * 2
    assert page["C3"].number_format == "mmm-yy"
    assert page["C3"].data_type == "d"


def test_prices_that_are_errors_are_counted_by_their_names_and_stay(tmp_path: Path) -> None:
    def change(page: Any) -> None:
        page["D3"], page["D4"] = "#DIV/0!", "#VALUE!"

    source = goods(tmp_path, change)
    problems = read_listings(source).problems
    assert problems[["row", "id", "column", "value", "why"]].to_numpy().tolist() == [
        [3, "L1", "price", "#DIV/0!", "is not a price"],
        [4, "L2", "price", "#VALUE!", "is not a price"],
    ]
    page, _ = cleaned(source, ("L0", "delete"))
    assert [page["D2"].value, page["D2"].data_type] == ["#DIV/0!", "e"]
