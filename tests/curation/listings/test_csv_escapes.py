"""CSV with backslashes before quotes and delimiters: the error has the line of pandas that rewrites it."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from curation.errors import ListingsError
from curation.listings import read_listings

TITLES = ['15" monitor, big', 'say "hi"', "plain", "a, b", "c:\\x", '7" disk; new', "x", "y|z"]
TABLE = pd.DataFrame(
    {
        "id": [f"L{row}" for row in range(8)],
        "label": ["ab"[row % 2] for row in range(8)],
        "title": TITLES,
        "price": "9.50",
    }
)
DIALECTS: list[dict[str, Any]] = [
    {"quoting": csv.QUOTE_NONE},
    {"doublequote": False},
    {"doublequote": False, "quoting": csv.QUOTE_ALL},
    {"quoting": csv.QUOTE_NONE, "sep": ";"},
]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_error_names_the_line_of_pandas_that_rewrites_the_file(
    dialect: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    TABLE.to_csv("shop.csv", index=False, escapechar="\\", **dialect)
    with pytest.raises(ListingsError, match="Backslashes stand before its quotes or delimiters") as error:
        read_listings("shop.csv", needs_image=False)
    line = re.search(r"with pandas: (pd\.read_csv.*?index=False\))", str(error.value))
    assert line is not None
    eval(line[1], {"pd": pd})
    listings = read_listings("shop-plain.csv", needs_image=False)
    assert listings.table["title"].tolist() == TITLES
    assert listings.notes == ()


def test_where_the_file_can_be_read_the_backslashes_that_stay_are_counted(tmp_path: Path) -> None:
    table = TABLE.assign(title=['15" monitor', *["plain"] * 7])
    table.to_csv(tmp_path / "shop.csv", index=False, quoting=csv.QUOTE_NONE, escapechar="\\")
    (note,) = read_listings(tmp_path / "shop.csv", needs_image=False).notes
    assert "1 cell keeps a backslash before quotes" in note
    assert "escapechar=" in note


def test_json_in_cells_and_paths_of_windows_are_no_escapes(tmp_path: Path) -> None:
    TABLE.assign(title='{"a": "x\\"y"}', note="c:\\photos\\1").to_csv(tmp_path / "shop.csv", index=False)
    assert read_listings(tmp_path / "shop.csv", needs_image=False).notes == ()


def test_a_row_that_is_too_long_without_backslashes_says_nothing_of_them(tmp_path: Path) -> None:
    (tmp_path / "shop.csv").write_text('id,label\nL1,a\nL2,b,"c"\n')
    with pytest.raises(ListingsError, match="more cells") as error:
        read_listings(tmp_path / "shop.csv", needs_image=False)
    assert "ackslash" not in str(error.value)
