"""Texts that a spreadsheet would run are kept texts in our CSVs, and come back exactly."""

import csv
import io
import re

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.utils.csv_files import restored_cells, write_csv
from training.utils.formulas import is_formula, neutral, restored

HOSTILE = [
    "=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", '"=1', ' =1', "\u00a0=1", "\ufeff=1", "\u200b=1", "＝1",
    "＋1", "－1", "＠x", "=HYPERLINK(\"http://x\")", "=cmd|' /C calc'!A0", "-", "--5", "+49 170 1", "lamp;=1", "a\n=1",
    "a\r\n@x", "a\t=1", ";=1", "\x00=1",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_no_program_finds_a_cell_that_begins_a_formula(text):
    assert is_formula(text)
    line = f'L1,"{neutral(text).replace(chr(34), 2 * chr(34))}",x'
    for delimiter in ",;\t":
        for row in csv.reader(io.StringIO(line, newline=""), delimiter=delimiter):
            assert [cell for cell in row if re.match(r'[\s"\x00\ufeff\u200b]*[=+\-@＝＋－＠]', cell)] == []
    assert restored(neutral(text)) == text


@pytest.mark.parametrize("text", ["-5", "-5.25", "-1e-7", "lamp - 20 cm", "a+b", "ana@shop", "'tis", "", "5", "a; b"])
def test_numbers_and_harmless_texts_stay_as_they_are(text):
    assert neutral(text) == restored(text) == text
    assert not is_formula(text)


@settings(max_examples=500, deadline=None)
@given(st.text(st.sampled_from("=+-@＝'\"; \t\r\n\x00\ufeff,5a")) | st.text())
def test_every_text_comes_back_and_no_two_become_one(text):
    assert restored(neutral(text)) == text
    assert not is_formula(neutral(text))


def test_a_table_comes_back_exactly_and_its_numbers_stay_numbers(tmp_path):
    ids = [*HOSTILE, "-5", "'=1", None]
    table = pd.DataFrame({"id": ids, "=title": ids, "price": [-1.5] * len(ids)}).astype({"id": "string"})
    table["loss"] = [float("-inf")] * len(ids)
    write_csv(tmp_path / "people.csv", table)
    write_csv(tmp_path / "programs.csv", table, raw=True)
    people = pd.read_csv(tmp_path / "people.csv", dtype={"id": "string"})
    assert list(people.columns) == ["id", "'=title", "price", "loss"]
    assert people["price"].tolist() == [-1.5] * len(ids)
    assert people["loss"].eq(float("-inf")).all()
    with (tmp_path / "people.csv").open(newline="") as stream:
        rows = [dict(zip(["id", "=title", "price", "loss"], row, strict=True)) for row in csv.reader(stream)][1:]
    assert [restored(row["id"]) or None for row in rows] == ids
    with (tmp_path / "programs.csv").open(newline="") as stream:
        assert [row[0] or None for row in csv.reader(stream)][1:] == ids
    whole = restored_cells(pd.DataFrame(rows))
    assert whole["id"].tolist()[:-1] == whole["=title"].tolist()[:-1] == ids[:-1]
