"""Tables that are more than one: joined with other delimiters, or with a summary below the listings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest
from PIL import Image

from curation.errors import ListingsError
from curation.fixes import apply_fixes, plan_fixes
from curation.listings import read_listings
from tests.support.fixes import decided, run_of

HEADER = ["id", "image", "label", "price", "title"]
ROWS = [[f"L{row}", f"{row}.png", "ab"[row % 2], f"{row},50", f"thing {row}"] for row in range(6)]
SUMMARY = [["Class", "Count"], ["a", "3"], ["b", "3"]]


def write(folder: Path, *lines: str) -> Path:
    for number in range(6):
        Image.new("RGB", (4, 4), (number * 40, 0, 0)).save(folder / f"{number}.png")
    (folder / "shop.csv").write_text("\n".join([*lines, ""]))
    return folder / "shop.csv"


def line(row: list[str], sign: str = ";") -> str:
    return sign.join(row)


@pytest.mark.parametrize("first", [";", ",", "\t", "|"])
@pytest.mark.parametrize("second", [";", ",", "\t", "|"])
@pytest.mark.parametrize("again", [True, False])
def test_files_with_other_delimiters_that_were_joined_are_refused(
    first: str, second: str, again: bool, tmp_path: Path
) -> None:
    rows = [[cell.replace(",", ".") for cell in row] for row in ROWS]
    head, more = [HEADER, *rows[:4]], ([HEADER] if again else []) + rows[4:]
    source = write(tmp_path, *(line(row, first) for row in head), *(line(row, second) for row in more))
    if first == second:
        assert len(read_listings(source).table) == 6
        return
    numbers = "6, 7, 8" if again else "6, 7"
    with pytest.raises(ListingsError) as refused:
        read_listings(source)
    assert f"rows ({numbers}) have {second!r} between the cells, and the header has {first!r}" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_titles_with_commas_in_rows_that_lack_cells_are_no_other_delimiter(tmp_path: Path) -> None:
    short = ["L0;0.png;a, b, c, d, e", "L1;1.png;b"]
    assert len(read_listings(write(tmp_path, line(HEADER), *short, *map(line, ROWS[2:]))).table) == 6


def test_a_summary_below_the_listings_is_left_out_and_stays_in_place(tmp_path: Path) -> None:
    source = write(tmp_path, line(HEADER), *map(line, ROWS), "", *(line([*row, "", "", ""]) for row in SUMMARY))
    listings = read_listings(source)
    assert len(listings.table) == 6
    assert listings.classes == ("a", "b")
    assert "3 rows below the listings are a table of their own and left out: rows 9, 10, 11." in listings.notes
    run = run_of(source, tmp_path / "run")
    run.decide([decided("L1", "delete")])
    apply_fixes(run, plan_fixes(run))
    assert (run.cleaned / "listings.csv").read_text().splitlines()[-3:] == ["Class;Count;;;", "a;3;;;", "b;3;;;"]


def sheet(folder: Path, *below: list[Any]) -> Path:
    write(folder)
    book = openpyxl.Workbook()
    for row in (HEADER, *ROWS, *below):
        book.active.append(row)
    book.save(folder / "shop.xlsx")
    return folder / "shop.xlsx"


def test_a_summary_below_the_listings_of_a_sheet_is_left_out(tmp_path: Path) -> None:
    source = sheet(tmp_path, [], ["Class", "Count"], ["a", 3], ["b", 3])
    assert len(read_listings(source).table) == 6
    run = run_of(source, tmp_path / "run")
    run.decide([decided("L1", "delete")])
    apply_fixes(run, plan_fixes(run))
    page = openpyxl.load_workbook(run.cleaned / "listings.xlsx").active
    below = [[cell.value for cell in row[:2]] for row in page.iter_rows(min_row=6)]
    assert below == [["L5", "../../5.png"], [None, None], ["Class", "Count"], ["a", 3], ["b", 3]]
    assert len(read_listings(run.cleaned).table) == 5


@pytest.mark.parametrize(
    "more",
    [
        [["L6", "5.png", "a", "", ""], ["L7", "4.png", "b", "", ""]],
        [["L6", "", "a", "7", ""], ["L7", "", "b", "8", ""]],
        [["L6", "", "a", "", "thing"], ["L7", "", "b", "", "thing"]],
    ],
)
def test_listings_below_an_empty_row_stay_listings(more: list[list[str]], tmp_path: Path) -> None:
    source = write(tmp_path, line(HEADER), *map(line, ROWS), "", *map(line, more))
    assert len(read_listings(source, allow_bad=0.5).table) == 8
