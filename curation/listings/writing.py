"""Tables as files: in the format that they were read in, or in another one."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from curation.listings.csv_spelling import respelled
from curation.listings.decoding import MARKS, pack
from curation.listings.editing import is_number, texts_of, values_of
from curation.listings.excel import as_cell, cell_value, write_sheet
from curation.listings.json_tables import JsonStyle, as_json, literal
from curation.listings.price_cells import Decimal, parse_price
from curation.listings.price_texts import unmistakable
from curation.listings.workbooks import edited_book
from curation.listings.written import Kind, TableFormat, WrittenFile
from curation.rendering.words import agree, many, short
from training.utils.csv_files import Quoting, csv_lines
from training.utils.formulas import is_formula, is_text_formula

__all__ = ["FORMATS", "converted", "joined", "write_table"]

#: Characters of a cell in a note.
_SHOWN = 40
#: Formats of a table by the name that people know them by.
FORMATS = {
    "csv": TableFormat("csv", ".csv"),
    "tsv": TableFormat("csv", ".tsv", delimiter="\t"),
    "xlsx": TableFormat("xlsx", ".xlsx", sheet="listings"),
    "parquet": TableFormat("parquet", ".parquet"),
    "json": TableFormat("json", ".json", json=JsonStyle(indent=2)),
    "jsonl": TableFormat("jsonl", ".jsonl", json=JsonStyle("lines")),
}


class _Style(TypedDict):
    delimiter: str
    newline: str
    quoting: Quoting


def write_table(file: WrittenFile, path: Path) -> tuple[str, ...]:
    """Write a table in its format.

    Parameters
    ----------
    file : WrittenFile
        The table.
    path : Path
        The file to write; its folder exists.

    Returns
    -------
    tuple of str
        What a person should know of how it was written: a sentence each.

    Raises
    ------
    ValueError
        If the format can't hold the table; the message is one line.
    """
    form = file.format
    content, notes = _content(file, path.name)
    path.write_bytes(pack(content, form.packed, path.name.removesuffix(form.packed)))
    return notes


def _content(file: WrittenFile, name: str) -> tuple[bytes, tuple[str, ...]]:
    form, cells = file.format, file.cells
    if form.kind == "parquet":
        buffer = io.BytesIO()
        named = cells.rename_columns(list(file.header)).replace_schema_metadata(cells.schema.metadata)
        pyarrow.parquet.write_table(named, buffer)
        return buffer.getvalue(), ()
    columns = [column.to_pylist() for column in cells.columns]
    if form.kind == "xlsx":
        rows = [[None if cell is None else cell_value(cell) for cell in row] for row in zip(*columns, strict=True)]
        if file.book is None:
            return write_sheet(file.header, rows, form.sheet), ()
        content, said = edited_book(file.book, form.sheet, file.header, rows)
        return content, tuple(f"{name} {note}" for note in said)
    if form.kind == "csv":
        texts = itertools.chain([file.header], zip(*columns, strict=True))
        style: _Style = {"delimiter": form.delimiter, "newline": form.newline, "quoting": form.quoting}
        lines = list(csv_lines(texts, **style))
        for row, line in file.lines.items():
            lines[row + 1] = respelled([column[row] for column in columns], line, **style)
        for row, end in file.ends.items():
            # a last line without an end may no longer be the last
            if end or row + 2 == len(lines):
                lines[row + 1] = lines[row + 1].removesuffix(form.newline) + end
        hint = f"sep={form.delimiter}{form.newline}" if form.hint else ""
        text = "".join([hint, form.above.replace("\n", form.newline), *lines])
    else:
        text = as_json(file.header, columns, form.json, file.lines).replace("\n", form.newline)
    mark = MARKS.get(form.encoding, b"") if form.mark else b""
    notes = _formulas_note(name, columns) if form.kind == "csv" else ()
    try:
        return mark + text.encode(form.encoding), notes
    except UnicodeEncodeError as error:
        sign = text[error.start]
        note = f"{name} is written in UTF-8, for {form.encoding} has no {sign!r}."
        # the mark tells Excel
        return MARKS["utf-8"] + text.encode(), (note, *notes)


def _formulas_note(name: str, columns: Sequence[Sequence[str | None]]) -> tuple[str, ...]:
    """Warn of cells that a spreadsheet would run: a dataset is for programs, so they are not changed."""
    cells = (cell for column in columns for cell in column if cell and not is_text_formula(cell))
    running = [cell for cell in cells if is_formula(cell)]
    if not running:
        return ()
    count = len(running)
    return (
        f"{name} has {many(count, 'cell')} that a spreadsheet takes for {agree(count, 'a formula', 'formulas')}, e.g. "
        f"{short(running[0], _SHOWN)!r}. They are exactly as in the input; open the file in a spreadsheet only with "
        "its columns imported as text.",
    )


def converted(file: WrittenFile, form: TableFormat, *, price: str = "", decimal: Decimal = ".") -> WrittenFile:
    """Return a table in another format.

    Parameters
    ----------
    file : WrittenFile
        The table.
    form : TableFormat
        The format.
    price : str
        The column of prices: plain numbers of a CSV become numbers there, where the format knows them.
    decimal : str
        What marks the decimals of prices: a number becomes a text that is read so.
    """
    source, target = file.format.kind, form.kind
    if file.book is not None and source == target:
        return file
    if {source, target} <= {"json", "jsonl"}:
        return file if file.format == form else replace(file, format=form, lines={})
    if source == target:
        return replace(file, format=form)
    columns = {key: file.cells[key] for key in file.cells.column_names}
    arrays = {key: _as(target, source, column, decimal if key == price else None) for key, column in columns.items()}
    header = tuple(name.strip() or key for name, key in zip(file.header, arrays, strict=True))
    return replace(file, format=form, header=header, cells=pa.table(arrays), book=None)


def _as(target: Kind, source: Kind, column: pa.ChunkedArray, price: Decimal | None) -> pa.Array:
    if target == "csv":
        texts = texts_of(source, column).astype(object).tolist()
        if price is not None and price != ".":
            values = values_of(source, column)
            texts = [_unmistakable(text, value, price) for text, value in zip(texts, values, strict=True)]
        return pa.array([None if pd.isna(text) else text for text in texts], pa.string())
    values = [_plain(value) for value in values_of(source, column)]
    if price is not None and source == "csv":
        values = _numbers(values, price)
    if target == "parquet":
        try:
            return pa.array(values, None if any(value is not None for value in values) else pa.string())
        except (pa.ArrowException, TypeError, OverflowError):
            return _as("csv", source, column, price)
    if target == "xlsx":
        cells = [None if value is None else as_cell(_flat(value)) for value in values]
    else:
        cells = [literal(None if value is None else _of_json(value)) for value in values]
    return pa.array(cells, pa.string())


def _plain(value: Any) -> Any:
    """Return a value that is missing as None."""
    return None if isinstance(value, float) and np.isnan(value) else value


def _unmistakable(text: Any, value: Any, decimal: Decimal) -> Any:
    """Return the text of a number that may mean two things so that it is read as that number."""
    price = parse_price(text) if is_number(value) else None
    return unmistakable(float(value), decimal) if price is not None and price.either else text


def _numbers(texts: list[Any], decimal: Decimal) -> list[Any]:
    """Return texts as numbers if all of them are."""
    if decimal != "." and any(price.either for text in texts if text and (price := parse_price(text))):
        # 1.299 is none here
        return texts
    try:
        return [None if text is None else float(text) if "." in text else int(text) for text in texts]
    except ValueError:
        return texts


def _flat(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, list | dict | bytes) else value


def _of_json(value: Any) -> Any:
    """Return a value that JSON has, e.g. a time as text."""
    if isinstance(value, float) or not is_number(value):
        return json.loads(json.dumps(value, default=str))
    return value if isinstance(value, int) else float(value)


def joined(files: Sequence[WrittenFile], *, price: str = "", decimal: Decimal = ".") -> WrittenFile:
    """Return several tables as one, with the columns of all: a CSV, unless they have one format.

    Parameters
    ----------
    files : sequence of WrittenFile
        At least one.
    price, decimal
        As for :func:`converted`.
    """
    first = files[0]
    if len(files) == 1:
        return first
    kinds = {file.format.kind for file in files}
    form = first.format if len(kinds) == 1 else FORMATS["csv"]
    same = [converted(file, form, price=price, decimal=decimal) for file in files]
    header = {key: name for file in same for key, name in zip(file.cells.column_names, file.header, strict=True)}
    cells = pa.concat_tables([file.cells.replace_schema_metadata(None) for file in same], promote_options="permissive")
    return WrittenFile(first.name, form, tuple(header[key] for key in cells.column_names), cells)
