"""Changing cells of a table as it was written; numbers stay numbers, and what is not changed stays as it is."""

from __future__ import annotations

import datetime
import decimal
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import pyarrow as pa

from curation.listings.cell_objects import is_typed_number, money_of, photos_of, typed_number, with_amount
from curation.listings.cells import as_written
from curation.listings.excel import as_cell, cell_value
from curation.listings.json_tables import literal
from curation.listings.written import Kind, WrittenFile
from training.utils.formulas import is_text_formula, text_formula, text_of_formula

__all__ = ["is_number", "numbers_of", "replaced", "texts_of", "values_of", "with_column", "with_rows"]

#: A list of one label as a text: as JSON writes it, or Python.
_LIST_OF_ONE = re.compile(r"""\[\s*(["'])[^"']*\1\s*\]""")
#: As a program writes one.
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")

_TIMES = (datetime.date, datetime.time)


def values_of(kind: Kind, column: pa.ChunkedArray) -> list[Any]:
    """Return what the cells of a column mean; None where one is missing.

    Parameters
    ----------
    kind : str
        Of the file, see :class:`curation.listings.written.TableFormat`.
    column : pyarrow.ChunkedArray
        Its cells.
    """
    cells: list[Any] = column.to_pylist()
    if kind in ("json", "jsonl"):
        return [None if cell is None else json.loads(cell) for cell in cells]
    if kind == "xlsx":
        return [None if cell is None else cell_value(cell) for cell in cells]
    if kind == "csv":
        return [text_of_formula(cell) if cell and cell[0] == "=" else cell for cell in cells]
    return cells


def texts_of(kind: Kind, column: pa.ChunkedArray) -> pd.Series:
    """Return the cells of a column as text, as they are read; NA where one is missing.

    Parameters
    ----------
    kind : str
        Of the file.
    column : pyarrow.ChunkedArray
        Its cells.
    """
    if kind == "csv":
        # each text once: a column of labels has few
        encoded = column.combine_chunks().dictionary_encode()
        distinct = pd.Series(values_of(kind, encoded.dictionary), dtype=object)
        once = as_written(pd.DataFrame({"cells": distinct}))["cells"]
        places = encoded.indices.fill_null(-1).to_numpy()
        return pd.Series(once.array.take(places, allow_fill=True), name="cells")
    if kind == "parquet":
        # pandas' own types decide how numbers and times are written
        frame = pa.table({"cells": column}).to_pandas()
    else:
        frame = pd.DataFrame({"cells": pd.Series(values_of(kind, column), dtype=object)})
    return as_written(frame)["cells"]


def numbers_of(file: WrittenFile, key: str) -> pd.Series:
    """Return which cells of a column their file holds as numbers; none of a CSV, or of a column that is not there.

    Parameters
    ----------
    file : WrittenFile
        The table.
    key : str
        The column.
    """
    kind, rows = file.format.kind, file.cells.num_rows
    if kind == "csv" or key not in file.cells.column_names:
        return pd.Series(False, index=range(rows), dtype=bool)
    column = file.cells[key]
    if kind == "parquet" and pa.types.is_string(column.type):
        return pd.Series(False, index=range(rows), dtype=bool)
    return pd.Series([is_number(value) or is_typed_number(value) for value in values_of(kind, column)], dtype=bool)


def is_number(value: Any) -> bool:
    """Return whether a cell is a number; true and false are none."""
    return isinstance(value, int | float | decimal.Decimal) and not isinstance(value, bool)


def replaced(file: WrittenFile, key: str, texts: Mapping[int, str | list[str]]) -> WrittenFile:
    """Change cells of a column.

    Parameters
    ----------
    file : WrittenFile
        The table.
    key : str
        The column.
    texts : mapping of int to str
        Row → its new cell. In a column of numbers it becomes one, if all of it is a number. A list stays one.
    """
    if not texts:
        return file
    kind, column = file.format.kind, file.cells[key]
    values = values_of(kind, column)
    given = [value for value in values if value is not None]
    new = {row: _like(text, values[row], given) for row, text in texts.items()}
    if kind == "parquet":
        for row, value in new.items():
            values[row] = value
        array = _array(values, column)
    else:
        write = _writer(kind)
        cells = column.to_pylist()
        as_formula = kind == "csv" and all(is_text_formula(cell) for cell in cells if cell)
        for row, value in new.items():
            text = write(value)
            formula = kind == "csv" and (is_text_formula(cells[row]) if cells[row] else as_formula and given)
            cells[row] = text_formula(text) if formula else text
        array = pa.array(cells, pa.string())
    place = file.cells.column_names.index(key)
    field = file.cells.schema.field(place).with_type(array.type)
    return replace(file, cells=file.cells.set_column(place, field, array))


def _writer(kind: Kind) -> Callable[[Any], str]:
    """Return what makes a cell of a value."""
    if kind in ("csv", "parquet"):
        return str
    return as_cell if kind == "xlsx" else literal


def _like(text: str | list[str], before: Any, given: Sequence[Any]) -> Any:
    """Return a text as the kind of value that its cell was, or that all others of its column are."""
    if isinstance(text, list):
        return text
    if photos_of(text) and not isinstance(before, str):
        return json.loads(text)
    # where there was none, as the first of the others is
    price = next(iter(given), None) if before is None else before
    if money_of(price):
        return with_amount(price, text)
    if is_typed_number(price) and _NUMBER.fullmatch(text):
        return typed_number(text, price)
    samples = given if before is None else [before]
    if samples and all(isinstance(value, str) and _LIST_OF_ONE.fullmatch(value.strip()) for value in samples):
        return json.dumps([text], ensure_ascii=False) if '"' in samples[0] else repr([text])
    if samples and all(isinstance(value, _TIMES) for value in samples):
        return _time_like(text, samples[0], given)
    if given and all(isinstance(value, bool) for value in given):
        return {"True": True, "False": False}.get(text, text)
    if given and all(isinstance(value, list) for value in given):
        # lists of one label each are read as labels
        return [text]
    if samples and all(map(is_number, samples)):
        for kind in (int, float):
            try:
                number = kind(text)
            except ValueError:
                continue
            # 007 is no number among texts
            return number if all(map(is_number, given)) or str(number) == text else text
    return text


def _time_like(text: str, sample: Any, given: Sequence[Any]) -> Any:
    """Return a text as a date or time of the same kind; as it is if it is none."""
    same = (value for value in given if type(value) is type(sample) and str(value) == text)
    try:
        return next(same, None) or type(sample).fromisoformat(text)
    except ValueError:
        return text


def _array(values: list[Any], column: pa.ChunkedArray) -> pa.Array:
    """Return values in the type of their column, or in the next one that holds them all."""
    if pa.types.is_decimal(column.type):
        values = [decimal.Decimal(str(value)) if is_number(value) else value for value in values]
    kinds = [column.type]
    if pa.types.is_integer(column.type):
        # it would cut off the decimals
        kinds = [pa.float64()] if any(isinstance(value, float) for value in values) else [column.type, pa.float64()]
    for kind in kinds:
        try:
            return pa.array(values, kind)
        except (pa.ArrowException, TypeError, OverflowError):
            continue
    texts = texts_of("parquet", column).astype(object)
    same = column.to_pylist()
    mixed = [text if value == before else value for text, value, before in zip(texts, values, same, strict=True)]
    return pa.array([None if pd.isna(value) else str(value) for value in mixed], pa.string())


def with_column(file: WrittenFile, key: str, texts: Sequence[str | None]) -> WrittenFile:
    """Return a table with another column at its end.

    Parameters
    ----------
    file : WrittenFile
        The table.
    key : str
        The name of the column.
    texts : sequence of str
        Its cells; None is a missing one.
    """
    write = _writer(file.format.kind)
    cells = pa.array([None if text is None else write(text) for text in texts], pa.string())
    return replace(file, header=(*file.header, key), cells=file.cells.append_column(key, cells))


def with_rows(file: WrittenFile, texts: Mapping[str, Sequence[str]]) -> WrittenFile:
    """Return a table with more rows at its end.

    Parameters
    ----------
    file : WrittenFile
        The table.
    texts : mapping of str to sequence of str
        Column → its cells in these rows; all others are empty there.
    """
    if not any(texts.values()):
        return file
    write, cells, new = _writer(file.format.kind), file.cells, {}
    for key, column in texts.items():
        array = pa.array([write(text) for text in column], pa.string())
        place = cells.column_names.index(key)
        try:
            new[key] = array.cast(cells.field(place).type)
        except pa.ArrowException:
            # a path among numbers
            before = texts_of(file.format.kind, cells[key]).astype(object)
            kept = pa.array([None if pd.isna(text) else text for text in before], pa.string())
            cells, new[key] = cells.set_column(place, key, kept), array
    return replace(file, cells=pa.concat_tables([cells, pa.table(new)], promote_options="default"))
