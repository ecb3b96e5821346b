"""What ends a line of a CSV stays as it is in the cleaned dataset; rows of empty cells are counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from curation.fixes import apply_fixes, plan_fixes
from curation.listings import read_listings
from tests.support.fixes import decided, run_of

LINES = ["id,label,price\r\n", "L1,a,1.50\n", "L2,b,2.50\r\n", "L3,a,3.50\n", '"L4",b,4.50\r\n', "L5,a,5.50"]


def cleaned(lines: list[str], folder: Path, deleted: str) -> bytes:
    (folder / "shop.csv").write_bytes("".join(lines).encode())
    run = run_of(folder / "shop.csv", folder / "run", needs_image=False)
    run.decide([decided(deleted, "delete")])
    apply_fixes(run, plan_fixes(run))
    return Path(run.cleaned / "listings.csv").read_bytes()


@pytest.mark.parametrize("row", [1, 2, 3, 4])
def test_lines_keep_their_own_ends_and_the_last_one_has_none(row: int, tmp_path: Path) -> None:
    assert cleaned(LINES, tmp_path, f"L{row}") == "".join(LINES[:row] + LINES[row + 1 :]).encode()


def test_without_the_last_line_the_one_before_keeps_its_end(tmp_path: Path) -> None:
    assert cleaned(LINES, tmp_path, "L5") == "".join(LINES[:-1]).encode()


def test_a_total_at_the_end_without_a_line_end_stays_so(tmp_path: Path) -> None:
    lines = [*LINES[:-1], "L5,a,5.50\n", "Total,,17.50"]
    assert cleaned(lines, tmp_path, "L2") == "".join(lines[:2] + lines[3:]).encode()


def test_old_line_ends_stay(tmp_path: Path) -> None:
    lines = ["id,label,price\r", "L1,a,1.50\r", "L2,b,2.50\r", "L3,b,3.50\r", "L4,a,3.50"]
    assert cleaned(lines, tmp_path, "L3") == "".join(lines[:3] + lines[4:]).encode()


def test_rows_of_empty_cells_are_counted_and_blank_lines_are_not(tmp_path: Path) -> None:
    (tmp_path / "shop.csv").write_text("id,label,price\nL1,a,1\n,,\n\nL2,b,2\n , ,\n,,\n")
    (note,) = read_listings(tmp_path / "shop.csv", needs_image=False).notes
    assert note == "shop.csv: 3 rows have only empty cells and are left out: rows 3, 6, 7."
