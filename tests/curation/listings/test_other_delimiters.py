"""Cells that stand apart by a sign that CSVs don't use: the advice works as it is written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

from curation.errors import ListingsError
from curation.listings import read_listings


@pytest.mark.parametrize("sign", [" ", "^", "~", ":"])
@pytest.mark.parametrize("header", ["image{}label\n", ""])
def test_the_line_that_the_refusal_names_makes_the_file_readable(sign: str, header: str, tmp_path: Path) -> None:
    for row in range(6):
        Image.new("RGB", (4, 4), (row * 40, 0, 0)).save(tmp_path / f"{row}.png")
    rows = "".join(f"{row}.png{sign}{'ab'[row % 2]}\n" for row in range(6))
    (tmp_path / "train.txt").write_text(header.format(sign) + rows)
    with pytest.raises(ListingsError, match="the table has one column") as refused:
        read_listings(tmp_path / "train.txt")
    line = re.search(r"Write the line '(sep=.)' above it", str(refused.value))
    assert line is not None
    names = "" if header else f"image{sign}label\n"
    assert ("below it one with the names" in str(refused.value)) == (not header)
    (tmp_path / "train.txt").write_text(f"{line[1]}\n{names}{header.format(sign)}{rows}")
    assert read_listings(tmp_path / "train.txt").classes == ("a", "b")


def test_a_table_that_has_one_column_and_no_sign_is_told_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("photo name\na.png\nb c d.png\n")
    with pytest.raises(ListingsError, match="has no column"):
        read_listings(tmp_path / "t.csv")
