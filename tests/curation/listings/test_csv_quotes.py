"""A quote that nobody closed never takes rows into a cell unseen; cells with lines are read as before."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from curation.listings.tables import read_raw


def write(folder: Path, text: str, delimiter: str = ",") -> Path:
    path = folder / ("t.tsv" if delimiter == "\t" else "t.csv")
    path.write_text(text.replace(",", delimiter), encoding="utf-8", newline="")
    return path


def cells(path: Path) -> list[list[str]]:
    table = read_raw(path).table
    return [list(table.columns), *table.astype(object).fillna("").to_numpy().tolist()]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
@pytest.mark.parametrize(
    "lines",
    [
        ["id,label,title", '1,lamp,"Mint', "2,desk,x", '3,lamp,"as new" sofa', "4,desk,ok"],
        ["id,label,title", '1,lamp,"Mint', "2,desk,x", '3,lamp,"sofa', "4,desk,ok"],
        ["id,label,title", '1,lamp,"Mint', "2,desk,x", '3,lamp,12"', "4,desk,ok"],
        ["id,label,title", '1,lamp,"Mint', "2,desk,x", "3,lamp,sofa", "4,desk,ok"],
        ["id,label,title", '1,"lamp,Mint', "2,desk,x", '3,lamp",sofa', "4,desk,ok"],
        ["id,label,title", '1,"lamp,Mint', "2,desk,x", '3,"lamp,sofa', "4,desk,ok"],
        ["id,label", "0,desk", '1,"lamp', "2,desk", '3,lamp"', "4,desk"],
    ],
)
def test_a_file_without_quoting_is_read_so_if_a_quote_would_take_rows_into_a_cell(
    lines: list[str], delimiter: str, newline: str, tmp_path: Path
) -> None:
    path = write(tmp_path, newline.join(lines), delimiter)
    assert cells(path) == [line.split(",") for line in lines]
    place = next(number for number, line in enumerate(lines, start=1) if '"' in line)
    assert read_raw(path).notes == (
        f"{path.name}: quotes are read as part of the text, as one that opens in line {place} does not close there.",
    )
    assert read_raw(path).table.index.tolist() == list(range(2, len(lines) + 1))


@pytest.mark.parametrize(
    "rows",
    [
        '0,desk,"a, b"\n1,lamp,"Mint\n2,desk,x\n3,lamp,"as new" sofa\n4,desk,ok\n',
        '0,desk,"a, b"\n1,lamp,"Mint\n2,desk,x\n3,lamp,"c, d"\n4,desk,ok\n',
        '0,desk,"a, b"\n1,lamp,"Mint\n2,desk,x\n3,lamp,12"\n4,desk,ok\n',
        '0,desk,"a"\n1,"lamp,Mint\n2,desk,x\n3,"lamp,y,z"\n4,desk,ok\n',
    ],
)
def test_among_quoted_cells_a_quote_that_takes_rows_into_a_cell_is_refused_with_its_line(
    rows: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="a quote that opens in line 3 ends only in line 5") as refused:
        read_raw(write(tmp_path, "id,label,title\n" + rows))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
@pytest.mark.parametrize("delimiter", [",", "\t"])
@pytest.mark.parametrize("seed", range(30))
def test_tables_that_a_program_wrote_are_read_as_they_are(
    seed: int, delimiter: str, quoting: csv._QuotingType, tmp_path: Path
) -> None:
    rng = np.random.default_rng(seed)

    def text() -> str:
        return "x" + "".join(rng.choice(["a", "B 7", ",", "\t", "\n", '"', ", ", "5"], rng.integers(0, 12))) + "."

    rows = [[f"r{place}", rng.choice(["lamp", "desk"]), text(), text()] for place in range(rng.integers(1, 12))]
    written = io.StringIO()
    writer = csv.writer(written, delimiter=delimiter, quoting=quoting, lineterminator="\n")
    writer.writerows([["id", "label", "title", "description"], *rows])
    path = tmp_path / "t.csv"
    path.write_text(written.getvalue(), encoding="utf-8", newline="")
    assert cells(path)[1:] == rows
    assert not read_raw(path).notes
    pd.DataFrame(rows, columns=["id", "label", "title", "description"]).to_csv(path, index=False, sep=delimiter)
    assert cells(path)[1:] == rows


@pytest.mark.parametrize(
    "cell", ["a, b,\nc, d", "Sizes:\nred, blue, green", "Care:\nwash, dry, iron\n2, or 3, times", "one\ntwo\nthree"]
)
def test_a_description_of_several_lines_with_commas_is_one_cell(cell: str, tmp_path: Path) -> None:
    path = write(tmp_path, f'id,label,title\n1,lamp,"{cell}"\n2,desk,x\n3,lamp,"a, b"\n4,desk,ok\n')
    assert cells(path)[1] == ["1", "lamp", cell]
    assert len(cells(path)) == 5


def test_lines_that_look_like_rows_are_one_cell_where_every_cell_is_quoted(tmp_path: Path) -> None:
    path = write(tmp_path, '"id","label","title"\n"1","lamp","Mint\n2,desk,x"\n"3","lamp","ok"\n')
    assert cells(path) == [["id", "label", "title"], ["1", "lamp", "Mint\n2,desk,x"], ["3", "lamp", "ok"]]
