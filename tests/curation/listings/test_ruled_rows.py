"""Lines that psql, MySQL and Markdown draw between rows are no listings, and stay in the cleaned dataset."""

from __future__ import annotations

from pathlib import Path

import pytest

from curation.fixes import apply_fixes, plan_fixes
from curation.listings import read_listings
from tests.support.fixes import decided, run_of

ROWS = [(f"L{row}", "ab"[row % 2], f"{row}.50") for row in range(1, 7)]


def framed(line: str, *, outer: bool) -> str:
    edge = "|" if outer else ""
    rows = "".join(f"{edge} {' | '.join(row)} {edge}\n" for row in ROWS)
    return f"{edge} id | label | price {edge}\n{line}\n{rows}"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (framed("----+-------+------", outer=False), "----+-------+------"),
        (framed("|----|:------|-----:|", outer=True), "|----|:------|-----:|"),
        (framed("| - | - | - |", outer=True), "| - | - | - |"),
        ("id,label,price\n=====,=====,=====\n" + "".join(",".join(row) + "\n" for row in ROWS), "=====,=====,====="),
        ("id,label,price\n__________,,\n" + "".join(",".join(row) + "\n" for row in ROWS), "__________,,"),
    ],
)
def test_a_ruled_line_is_left_out_and_counted_and_keeps_its_place(text: str, line: str, tmp_path: Path) -> None:
    (tmp_path / "shop.csv").write_text(text)
    listings = read_listings(tmp_path / "shop.csv", needs_image=False)
    assert listings.table["id"].tolist() == [id for id, _, _ in ROWS]
    assert listings.table["price"].tolist() == [float(price) for _, _, price in ROWS]
    assert "1 row is only a line between others and left out: row 2." in listings.notes
    run = run_of(tmp_path / "shop.csv", tmp_path / "run", needs_image=False)
    run.decide([decided("L3", "delete")])
    apply_fixes(run, plan_fixes(run))
    lines = (run.cleaned / "listings.csv").read_text().splitlines()
    # short rows get all their delimiters
    assert lines[1].startswith(line)
    assert len(lines) == len(ROWS) + 1


def test_a_framed_table_of_mysql_is_read(tmp_path: Path) -> None:
    rule = "+----+-------+-------+\n"
    rows = framed("+----+-------+-------+", outer=True)
    (tmp_path / "shop.csv").write_text(f"{rule}{rows}{rule}6 rows in set (0.00 sec)\n")
    listings = read_listings(tmp_path / "shop.csv", needs_image=False)
    assert listings.table["id"].tolist() == [id for id, _, _ in ROWS]


def test_a_row_with_one_dash_is_a_listing(tmp_path: Path) -> None:
    (tmp_path / "shop.csv").write_text("id,label,price\nL1,a,-\nL2,b,3\n-,-,4\n")
    assert len(read_listings(tmp_path / "shop.csv", needs_image=False).table) == 3
