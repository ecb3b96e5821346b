"""Files of tables: what a program or a spreadsheet writes, read as text.

CSV with any usual delimiter, encoding and compression, Parquet, JSON lines, JSON and Excel. A note says what had
to be guessed. :class:`TableFormat` remembers how the file was written, so that a table can go out as it came in.
"""

from __future__ import annotations

import bz2
import codecs
import csv
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from curation.errors import some
from curation.rendering.words import many

__all__ = ["ENDINGS", "RawTable", "TableFormat", "as_text", "format_of", "read_raw"]

Kind = Literal["csv", "json", "jsonl", "parquet", "xlsx"]

_KINDS: dict[str, Kind] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".xlsx": "xlsx",
}
_PACKED: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.decompress,
    ".bz2": bz2.decompress,
    ".xz": lzma.decompress,
    ".zip": lambda packed: _only_member(packed),
}
#: What the name of a table may end with.
ENDINGS = (*_KINDS, *(f".csv{packed}" for packed in _PACKED))
_DELIMITERS = ",;\t|"
#: Characters of a CSV that its delimiter is recognised by.
_SAMPLE = 1 << 16
_CHUNK = 1 << 20
#: Whole numbers up to here are exact in a column of floats.
_EXACT = 2**53


@dataclass(frozen=True)
class TableFormat:
    """How a table is written.

    Attributes
    ----------
    kind : str
        ``csv``, ``json``, ``jsonl``, ``parquet`` or ``xlsx``.
    delimiter : str
        Of a CSV: what stands between its cells.
    encoding : str
        Of a file of text: its encoding, as Python calls it.
    packed : str
        The ending of the compression, e.g. ``".gz"``; empty without.
    """

    kind: Kind
    delimiter: str = ","
    encoding: str = "utf-8"
    packed: str = ""


@dataclass(frozen=True)
class RawTable:
    """A table as it was read: every cell is text or NA.

    Attributes
    ----------
    table : DataFrame of str
        In the order of the file; missing cells are NA. Its index numbers the rows as a person counts them: of a file
        with a header, row 2 is the first one below it.
    notes : tuple of str
        What a person should know of how it was read: a sentence each.
    format : TableFormat, optional
        How the file is written; None if it is no file.
    """

    table: pd.DataFrame
    notes: tuple[str, ...] = ()
    format: TableFormat | None = None


def format_of(path: Path) -> TableFormat | None:
    """Return what the name of a file says of its format; None if that is no table.

    Examples
    --------
    >>> format_of(Path("shop.csv.gz"))
    TableFormat(kind='csv', delimiter=',', encoding='utf-8', packed='.gz')
    >>> format_of(Path("photo.jpg")) is None
    True
    """
    packed = path.suffix.lower() if path.suffix.lower() in _PACKED else ""
    kind = _KINDS.get(Path(path.stem).suffix.lower() if packed else path.suffix.lower())
    return TableFormat(kind, packed=packed) if kind else None


def read_raw(path: Path, *, names: Collection[str] = ()) -> RawTable:
    """Read a file as text.

    Parameters
    ----------
    path : Path
        Its ending says what it is; see :data:`ENDINGS`.
    names : collection of str
        Columns that are likely, in lower case: they decide between two delimiters that both fit.

    Raises
    ------
    ValueError
        If the file is not what its name says; the message is one line.
    OSError
        If it can't be read.
    """
    form = format_of(path)
    if form is None:
        raise ValueError(f"its name ends with {path.suffix or 'nothing'}, which is no table")
    if form.kind == "csv":
        return _read_csv(path, form, names)
    if form.kind in ("parquet", "xlsx"):
        content: Any = io.BytesIO(_unpacked(path, form)) if form.packed else path
        if form.kind == "parquet":
            return RawTable(as_text(pd.read_parquet(content)), format=form)
        return RawTable(_numbered(as_text(_read_xlsx(content)), 2), format=form)
    text, encoding = _decoded(_unpacked(path, form))
    rows = _json_lines(text) if form.kind == "jsonl" else _json_rows(text)
    # as objects: a number stays as it was written, also in a column where others are missing
    raw = pd.DataFrame(rows, dtype=object)
    table = _numbered(as_text(raw), int(form.kind == "jsonl"))
    return RawTable(table, _encoding_note(path, encoding), TableFormat(form.kind, ",", encoding, form.packed))


def _numbered(table: pd.DataFrame, first: int) -> pd.DataFrame:
    """Return the rows numbered as a person does, without empty ones, such as spreadsheets keep below a table."""
    table.index = pd.RangeIndex(first, first + len(table))
    return table.dropna(how="all")


def as_text(raw: pd.DataFrame) -> pd.DataFrame:
    """Return a new table with every column as text without blanks around it; what is empty is NA.

    Whole numbers are written as such, whatever the column holds them as: 1.0 is ``"1"``, for a column of integers
    becomes one of floats as soon as a value is missing.

    Raises
    ------
    ValueError
        If two columns have the same name.
    """
    # an index with a name is a column; one without holds the row numbers of whatever table this was cut from
    named = [name for name in raw.index.names if name is not None]
    raw = raw.reset_index(level=named).reset_index(drop=True) if named else raw.reset_index(drop=True)
    raw.columns = [str(name).strip() for name in raw.columns]
    _require_different(raw.columns.tolist())
    return pd.DataFrame({name: _text_of(raw[name]) for name in raw.columns})


def _text_of(column: pd.Series) -> pd.Series:
    if pd.api.types.is_float_dtype(column.dtype):
        number = column.astype("float64")
        whole = (number % 1 == 0) & (number.abs() <= _EXACT)
        # one number with a fraction makes a column of measures: its 3.0 stays 3.0
        column = number.astype("Int64") if (whole | number.isna()).all() else column
    elif column.dtype == object:
        # not map(): it takes whole numbers beside missing cells for floats
        column = pd.Series([_cell(value) for value in column], dtype=object)
    text = column.astype("string").str.strip()
    return text.mask(text == "")


def _cell(value: Any) -> Any:
    """Return a cell of a column of objects, e.g. of JSON or Excel, as it would be written."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT:
        return str(int(value))
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="backslashreplace")
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value


def _require_different(names: Sequence[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two columns called {twice[0]!r}")


def _read_csv(path: Path, form: TableFormat, names: Collection[str]) -> RawTable:
    plain = not form.packed and _is_utf8(path)
    if plain:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            sample, encoding = stream.read(_SAMPLE), "utf-8"
        text = ""
    else:
        text, encoding = _decoded(_unpacked(path, form))
        sample = text[:_SAMPLE]
    told = sample[:5].lower() == "sep=" + sample[4:5].lower() and sample[4:5] not in ("", "\r", "\n")
    delimiter = sample[4] if told else _delimiter_of(_whole_lines(sample, _SAMPLE), names)
    skip = int(told)
    header = _header(sample.split("\n", 1)[1] if told and "\n" in sample else sample, delimiter)
    _require_different([name for name in header if name])
    source: Any = path if plain else io.StringIO(text, newline="")
    raw = pd.read_csv(
        source,
        sep=delimiter,
        skiprows=skip,
        dtype="string",
        keep_default_na=False,
        # empty cells are missing; "NA", "None" or "null" may well be the name of a class
        na_values=[""],
        encoding="utf-8-sig" if plain else None,
        skip_blank_lines=False,
        # otherwise a lone carriage return within a cell is taken for the end of a row
        lineterminator="\n" if "\n" in sample else None,
    )
    if not isinstance(raw.index, pd.RangeIndex):
        # pandas takes the first cells for row names and moves the others to the left
        raise ValueError("rows have more cells than the header has names")
    table = _numbered(as_text(raw), 2 + skip)
    # a delimiter at the end of every line
    nameless = [name for name, given in zip(table, header, strict=False) if not given and table[name].isna().all()]
    table = table.drop(columns=nameless)
    return RawTable(table, _encoding_note(path, encoding), TableFormat("csv", delimiter, encoding, form.packed))


def _header(text: str, delimiter: str) -> list[str]:
    try:
        return [name.strip() for name in next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])]
    except csv.Error as error:
        raise ValueError(str(error)) from None


def _whole_lines(sample: str, limit: int) -> str:
    """Return a sample without the line that its end cuts in two."""
    return sample.rpartition("\n")[0] or sample if len(sample) == limit else sample


def _delimiter_of(sample: str, names: Collection[str]) -> str:
    """Return what stands between the cells: what gives likely names, rows of one length, and many cells."""

    def fitness(delimiter: str) -> tuple[int, float, int]:
        try:
            rows = [row for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter) if row]
        except csv.Error:
            return 0, 0.0, 0
        if not rows or len(rows[0]) < 2:
            return 0, 0.0, 0
        likely = sum(name.strip().lower() in names for name in rows[0])
        return likely, sum(len(row) == len(rows[0]) for row in rows) / len(rows), len(rows[0])

    return max(_DELIMITERS, key=fitness)


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as stream:
        try:
            for chunk in iter(lambda: stream.read(_CHUNK), b""):
                if b"\0" in chunk:
                    # text of two bytes a character may look like UTF-8
                    return False
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _decoded(content: bytes) -> tuple[str, str]:
    """Return the text of a file, and its encoding."""
    for mark, encoding in (
        (codecs.BOM_UTF32_LE, "utf-32"),
        (codecs.BOM_UTF32_BE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if content.startswith(mark):
            return content.decode(encoding), encoding
    return next(_readings(content))


def _readings(content: bytes) -> Iterator[tuple[str, str]]:
    """Yield the text in the likeliest encoding first; every file can be read in the last one."""
    start = content[:_SAMPLE]
    odd, even = start[1::2].count(0), start[::2].count(0)
    wide = ["utf-16-le"] if odd > len(start) / 8 and not even else []
    wide += ["utf-16-be"] if even > len(start) / 8 and not odd else []
    for encoding in (*wide, "utf-8-sig", "cp1252", "latin-1"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        yield text, "utf-8" if encoding == "utf-8-sig" else encoding


def _encoding_note(path: Path, encoding: str) -> tuple[str, ...]:
    if encoding in ("utf-8", "utf-16", "utf-32"):
        return ()
    return (f"{path.name} is not UTF-8; it was read as {encoding}. If names look wrong, save it as UTF-8.",)


def _unpacked(path: Path, form: TableFormat) -> bytes:
    content = path.read_bytes()
    if not form.packed:
        return content
    try:
        return _PACKED[form.packed](content)
    except (EOFError, lzma.LZMAError, zipfile.BadZipFile, RuntimeError) as error:
        raise ValueError(f"it can't be unpacked: {error}") from None


def _only_member(packed: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        members = [
            member.filename
            for member in archive.infolist()
            if not member.is_dir() and not member.filename.startswith("__MACOSX/")
        ]
        if len(members) != 1:
            raise ValueError(f"it holds {many(len(members), 'file')} ({some(members, 3)}) where one table was wanted")
        return archive.read(members[0])


def _read_xlsx(content: Any) -> pd.DataFrame:
    try:
        # text stays text: a cell "NA" may be the name of a class
        sheet: pd.DataFrame = pd.read_excel(content, dtype=object, keep_default_na=False, na_values=[""])
    except ImportError:
        raise ValueError("Excel files need openpyxl: pip install 'curate[excel]', or save the sheet as CSV") from None
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise ValueError(f"it is no Excel file: {error}") from None
    return sheet


def _json_lines(text: str) -> list[dict[str, Any]]:
    rows = []
    # not splitlines(): it also splits at characters that JSON allows within a text
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from None
        if not isinstance(row, dict):
            raise ValueError(f"line {number} is not a JSON object")
        rows.append(row)
    return rows


def _json_rows(text: str) -> list[dict[str, Any]]:
    """Return the rows of a list of objects, of an object with one such list, or of an object of columns."""
    content = json.loads(text)
    if isinstance(content, dict):
        lists = [value for value in content.values() if isinstance(value, list) and value]
        columns = [value for value in content.values() if isinstance(value, dict)]
        if len(lists) == 1 and all(isinstance(row, dict) for row in lists[0]):
            content = lists[0]
        elif content and len(columns) == len(content):
            # as pandas writes it: the cells of each column by row
            content = [{name: cells.get(row) for name, cells in content.items()} for row in columns[0]]
    if not isinstance(content, list) or not all(isinstance(row, dict) for row in content):
        raise ValueError("it is no list of objects, one for each listing")
    return content
