"""The one writer of CSV: as many rows and cells in every reader."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.project.structure import ROOT
from tests.support.any_table import draw_table
from training.utils.csv_files import Quoting, csv_lines, write_csv

STYLES: tuple[Quoting, ...] = ("minimal", "all", "text")


def test_a_thousand_tables_have_the_same_rows_and_cells_for_python_s_reader() -> None:
    rng = np.random.default_rng(17)
    for number in range(1000):
        header, rows = draw_table(rng)
        delimiter, newline = ",;\t|"[number % 4], ("\n", "\r\n")[number % 2]
        text = "".join(csv_lines([header, *rows], delimiter=delimiter, newline=newline, quoting=STYLES[number % 3]))
        read = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
        assert read == [header, *([cell or "" for cell in row] for row in rows)], text


def test_three_hundred_tables_have_the_same_rows_and_cells_for_pandas() -> None:
    rng = np.random.default_rng(18)
    for _ in range(300):
        header, rows = draw_table(rng)
        # pandas' own reader cuts texts at a NUL
        rows = [[None if cell is None else cell.replace("\0", "") for cell in row] for row in rows]
        header = [name.replace("\0", "") for name in header]
        text = "".join(csv_lines([header, *rows]))
        read = pd.read_csv(io.StringIO(text, newline=""), dtype=str, keep_default_na=False)
        assert read.columns.tolist() == header
        assert read.to_numpy().tolist() == [[cell or "" for cell in row] for row in rows]


def test_a_lone_carriage_return_is_quoted() -> None:
    assert list(csv_lines([["a", "red\rlamp"]])) == ['a,"red\rlamp"\n']


def test_a_missing_cell_alone_in_its_row_is_a_row() -> None:
    assert list(csv_lines([["title"], [None], [""]])) == ["title\n", '""\n', '""\n']


@pytest.mark.parametrize(
    ("quoting", "line"), [("minimal", "a b,1.5,007\n"), ("all", '"a b","1.5","007"\n'), ("text", '"a b",1.5,"007"\n')]
)
def test_quotes_stand_where_they_are_wanted(quoting: Quoting, line: str) -> None:
    assert list(csv_lines([["a b", "1.5", "007"]], quoting=quoting)) == [line]


def test_numbers_and_flags_are_written_as_pandas_writes_them(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "float": [0.1, np.nan, 1e-7],
            "whole": pd.array([1, None, 3], dtype="Int64"),
            "flag": pd.array([True, None, False], dtype="boolean"),
            "text": ["a", None, "b,c"],
            "small": np.array([0.1, 0.2, 0.3], dtype=np.float32),
        }
    )
    write_csv(tmp_path / "ours.csv", table)
    assert (tmp_path / "ours.csv").read_text() == table.to_csv(index=False)


def test_no_module_writes_a_csv_of_its_own() -> None:
    own = re.compile(
        r"csv\.writer|DictWriter|\.to_csv\((?!(?:index=False)?\)\.encode\(\)|f?'listings|FILE\.csv|\{new!r}|'p\.csv'|'\{kind)"
    )
    modules = [path for folder in ("curation", "training") for path in (ROOT / folder).rglob("*.py")]
    assert len(modules) > 100
    assert [path.name for path in modules if own.search(path.read_text(encoding="utf-8"))] == []
