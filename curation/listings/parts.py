"""A table in many files of Parquet, as Spark, DuckDB, pandas and Hugging Face write it: one file after the other."""

from __future__ import annotations

import itertools
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote

import pandas as pd
import pyarrow as pa

from curation.errors import ListingsError, some
from curation.listings.folders import has_class_folders, is_photo
from curation.listings.headers import NAMELESS_INDEX, are_row_numbers, normal_name
from curation.listings.junk import holds_runs, is_junk
from curation.listings.recognise import likely_names
from curation.listings.splits import split_folder, split_of
from curation.listings.tables import RawTable, format_of, of_parquet
from curation.listings.written import TableFormat
from curation.rendering.words import agree, many
from training.utils.bounded import check_claim
from training.utils.files import printable_name
from training.utils.parquet_files import read_table

__all__ = ["find_parts", "read_parts", "said_of_parts"]

_ENDING = ".parquet"
#: What the rows of all files are written to.
_NAME = "listings.parquet"
#: What Hive calls a missing value in the name of a folder.
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
#: Folders of formats whose files also hold rows that were deleted since, and of jobs that have not ended.
_MANAGED = {
    "_delta_log": "a table of Delta Lake: its files hold deleted rows, too",
    ".hoodie": "a table of Hudi: its files hold deleted rows, too",
    "_temporary": "the output of a job that has not ended",
}
_FEW = 3


@dataclass(frozen=True)
class _Part:
    """A file: its name below the folder, and its rows with the values that the names of its folders give."""

    name: str
    cells: pa.Table


def find_parts(root: Path) -> tuple[Path, ...]:
    """Return the Parquet files that are one table together; none if the folder is something else.

    Several lie in the folder, or some below it: in folders such as ``label=desk``, or in any if the folder itself
    has no table. What begins with ``_`` or a dot is not one of them. Folders with photos are not searched.

    Parameters
    ----------
    root : Path
        The folder.

    Returns
    -------
    tuple of Path
        By their names, in which numbers count: ``part-2`` comes before ``part-10``.

    Raises
    ------
    ListingsError
        If they are files of a table that another program manages, or tables of another kind lie among them.
    """
    above = [name for name in _names(root) if format_of(Path(name)) and not name.endswith(".txt")]
    if any(not _is_part(name) for name in above):
        return ()
    files = list(_files(root, named=len(above) == 1))
    parts = [path for path in files if _is_part(path.name)]
    if (len(parts) < 2 and (above or not parts)) or has_class_folders(root):
        return ()
    _require_no_other(root, files)
    return tuple(sorted(parts, key=lambda path: _in_order(path.relative_to(root))))


def _names(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if not _is_hidden(name)]  # noqa: PTH208 - of 1,000,000 photos


def _is_hidden(name: str) -> bool:
    return name.startswith("_") or is_junk(name)


def _is_part(name: str) -> bool:
    return name.lower().endswith(_ENDING)


def _files(root: Path, *, named: bool) -> Iterable[Path]:
    """Yield the files that are no photos; below the folder only in those called ``key=value`` if it has a table."""
    for folder, inside, files in os.walk(root):
        above = Path(folder) == root
        seen = [name for name in files if not _is_hidden(name)]
        if not above and any(map(is_photo, seen)):
            inside.clear()
            continue
        inside[:] = [name for name in inside if not _is_hidden(name) and (not (above and named) or _pair(name))]
        inside[:] = [name for name in inside if not holds_runs(Path(folder, name))]
        yield from (Path(folder, name) for name in seen if not is_photo(name))


def _pair(name: str) -> tuple[str, str] | None:
    """Return the column and the value that the name of a folder gives."""
    key, sign, value = name.partition("=")
    return (unquote(key), unquote(value)) if sign and key else None


def _in_order(path: Path) -> list[tuple[tuple[int, str], ...]]:
    """Return what sorts paths by their names, and numbers in them by their values."""
    return [
        tuple((int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"([0-9]+)", name) if part)
        for name in path.parts
    ]


def _require_no_other(root: Path, files: Sequence[Path]) -> None:
    """Refuse tables of another program, and of other kinds among the files."""
    for folder in {root, *(path.parent for path in files if _is_part(path.name))}:
        for name, what in _MANAGED.items():
            if (folder / name).is_dir():
                raise ListingsError(
                    f"{printable_name(str(folder))} is {what}",
                    got=f"a folder {name}",
                    wanted="a folder of Parquet files that hold the listings as they are",
                    fix="Export the table to new files, and name their folder.",
                )
    if others := [path for path in files if format_of(path) and path.suffix != ".txt" and not _is_part(path.name)]:
        raise ListingsError(
            f"{root} has tables of several kinds",
            got=some((_below(root, path) for path in sorted(others)), 4),
            wanted="files of Parquet only, or one table",
            fix="Name the table that holds the listings, or move the others elsewhere.",
        )


def said_of_parts(root: Path, parts: Sequence[Path]) -> tuple[str, ...]:
    """Say how many files are one table, and which others lie among them.

    Parameters
    ----------
    root : Path
        The folder.
    parts : sequence of Path
        Of :func:`find_parts`.
    """
    folders = {root, *(path.parent for path in parts)}
    beside = [path for folder in folders for path in folder.iterdir() if path.is_file() and not _is_hidden(path.name)]
    others = sorted(_below(root, path) for path in beside if not is_photo(path.name) and not _is_part(path.name))
    names = f"{_below(root, parts[0])} to {_below(root, parts[-1])}" if len(parts) > 1 else _below(root, parts[0])
    read = f"{many(len(parts), 'Parquet file')} {agree(len(parts), 'is', 'are')} read as one table, {names}."
    if not others:
        return (read,)
    count = len(others)
    return (read, f"{many(count, 'file')} among them {agree(count, 'is', 'are')} not read: {some(others, 4)}.")


def read_parts(root: Path, parts: Sequence[Path]) -> RawTable:
    """Read Parquet files as one table: rows in the order of the files, columns by their names.

    Parameters
    ----------
    root : Path
        The folder.
    parts : sequence of Path
        Of :func:`find_parts`.

    Returns
    -------
    RawTable
        The names of folders such as ``label=desk`` give columns of text.

    Raises
    ------
    ListingsError
        If a file is damaged, or they differ in their columns, or in the types of them.
    """
    held = 0
    read: list[_Part] = []
    for path in parts:
        name = _below(root, path)
        try:
            cells = read_table(path)
            held += path.stat().st_size
            check_claim(sum(part.cells.nbytes for part in read) + cells.nbytes, held, "the whole table")
        except (ValueError, OSError) as error:
            raise ListingsError(
                f"{name} can't be read",
                got=str(error).splitlines()[0],
                wanted="a whole file of Parquet",
                fix="Write it again, or move it elsewhere.",
            ) from error
        read.append(_Part(name, _with_folders(name, _without_index(cells))))
    read = _with_splits(read)
    # programs write files without rows, and pandas gives their columns no type
    filled = [part for part in read if part.cells.num_rows] or read[:1]
    _require_same_columns(filled)
    types = _types(filled)
    tables = [_aligned(part, types) for part in filled]
    raw = of_parquet(_NAME, TableFormat("parquet", _ENDING), pa.concat_tables(tables))
    firsts = [0, *itertools.accumulate(part.cells.num_rows for part in filled)]
    return replace(raw, starts=tuple(zip(firsts, (part.name for part in filled), strict=False)))


def _below(root: Path, path: Path) -> str:
    return printable_name(path.relative_to(root).as_posix())


def _without_index(cells: pa.Table) -> pa.Table:
    """Return a table without what pandas noted of it, and without a stored index that only numbers its rows."""
    cells = cells.replace_schema_metadata(None)
    names = cells.column_names
    if names.count(NAMELESS_INDEX) == 1:
        index = pd.Series(cells[NAMELESS_INDEX].to_pandas()).astype("string")
        if "id" in names or are_row_numbers(index):
            return cells.drop_columns([NAMELESS_INDEX])
    return cells


def _with_folders(name: str, cells: pa.Table) -> pa.Table:
    """Return a table with a column for each folder called ``key=value`` that its file lies in."""
    pairs = [pair for folder in name.split("/")[:-1] if (pair := _pair(folder))]
    for key, value in pairs:
        if key in cells.column_names:
            raise ListingsError(
                f"{name} has a column {key!r}, and so has the name of its folder",
                got=f"{key}={value}",
                wanted="the values in one of the two",
                fix="Write the files again without that column, or rename the folders.",
            )
        given = pa.array([None if value == _NO_VALUE else value], pa.string())
        cells = cells.append_column(key, pa.repeat(given[0], cells.num_rows))
    return cells


def _with_splits(parts: list[_Part]) -> list[_Part]:
    """Return files with a column ``split`` if all are called after one, e.g. ``data/train-00000-of-00002.parquet``."""
    splits = [split_folder(part.name) or Path(part.name).stem.partition("-")[0] for part in parts]
    columns = {likely_names().get(normal_name(name)) for part in parts for name in part.cells.column_names}
    if "split" in columns or None in map(split_of, splits):
        return parts
    return [
        replace(part, cells=part.cells.append_column("split", pa.repeat(split, part.cells.num_rows)))
        for part, split in zip(parts, splits, strict=True)
    ]


def _require_same_columns(parts: Sequence[_Part]) -> None:
    first = parts[0]
    for part in parts:
        if twice := [name for name, count in Counter(part.cells.column_names).items() if count > 1]:
            raise ListingsError(f"{part.name} has two columns called {twice[0]!r}", fix="Rename or delete one of them.")
    known, said = set(first.cells.column_names), []
    for part in parts[1:]:
        own = set(part.cells.column_names)
        differing = {"no": sorted(known - own), "also": sorted(own - known)}
        words = [f"{how} {', '.join(map(repr, names[:_FEW]))}" for how, names in differing.items() if names]
        if words:
            said.append(f"{part.name} has {' and '.join(words)}")
    if said:
        raise ListingsError(
            f"the Parquet files differ in their columns: {first.name} has {some(first.cells.column_names, 12)}",
            got=some(said, _FEW),
            wanted="the same columns in each file",
            fix="Write them again with the same columns, or move files of another table elsewhere.",
        )


def _types(parts: Sequence[_Part]) -> dict[str, pa.DataType]:
    """Return a type for each column that holds the values of all files as they are."""
    first = parts[0]
    types = {field.name: (field.type, first.name) for field in first.cells.schema}
    for part in parts[1:]:
        for name in types:
            known, where = types[name]
            own = part.cells.schema.field(name).type
            common = _common(known, own)
            if common is None:
                raise _differing(name, (str(known), where), (str(own), part.name))
            types[name] = (common, part.name if pa.types.is_null(known) else where)
    return {name: kind for name, (kind, _) in types.items()}


def _differing(column: str, *found: tuple[str, str]) -> ListingsError:
    return ListingsError(
        f"the Parquet files differ in the type of the column {column!r}",
        got=", ".join(f"{kind} in {name}" for kind, name in found),
        wanted="one type in all files",
        fix="Write them again with one type, such as text.",
    )


def _common(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    """Return a type that holds the values of two as they are, and that are written the same; None without."""
    kinds = pa.types
    if one == other or kinds.is_null(other):
        return one
    if kinds.is_null(one):
        return other
    if _is_text(one) and _is_text(other):
        return pa.large_string()
    if kinds.is_integer(one) and kinds.is_integer(other):
        return pa.int64()
    # as pandas writes whole numbers beside missing ones; a number of 32 bits would get other digits
    both = {one, other}
    if pa.float64() in both and any(map(kinds.is_integer, both)):
        return pa.float64()
    return None


def _is_text(kind: pa.DataType) -> bool:
    kinds = pa.types
    inner = kind.value_type if kinds.is_dictionary(kind) else kind
    return bool(kinds.is_string(inner) or kinds.is_large_string(inner) or kinds.is_string_view(inner))


def _aligned(part: _Part, types: Mapping[str, pa.DataType]) -> pa.Table:
    """Return the columns of a file in the order of the first, in the types of all."""
    columns = {}
    for name, kind in types.items():
        column = part.cells[name]
        if pa.types.is_dictionary(column.type) and column.type != kind:
            column = column.cast(column.type.value_type)
        try:
            columns[name] = column.cast(kind)
        except pa.ArrowInvalid as error:
            own = f"{column.type} ({str(error).splitlines()[0]})"
            raise _differing(name, (str(kind), "another file"), (own, part.name)) from None
    return pa.table(columns)
