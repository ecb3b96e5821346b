"""Listings of another tool, as a table that every command reads."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from curation.errors import InputError, check_path, checked
from curation.interchange.contract import format_of, only
from curation.rendering.results import Result
from training.utils.files import whole_file
from training.utils.parquet_files import ROW_GROUP

__all__ = ["ImportedListings", "import_listings"]

#: What a table of ours has in its metadata.
_OURS = b"curate import-listings"


@dataclass(frozen=True)
class ImportedListings(Result):
    """Listings that another tool gave.

    Attributes
    ----------
    format : str
        Of the tool.
    source : str
        Where they come from.
    file : Path
        The table.
    listings : int
        Its rows.
    columns : tuple of str
        Its columns.
    notes : tuple of str
        What a person should know: a sentence each.
    """

    format: str
    source: str
    file: Path
    listings: int
    columns: tuple[str, ...]
    notes: tuple[str, ...]


@checked
def import_listings(
    format: str,
    source: str,
    *,
    output: str | Path = "listings.parquet",
    query: str | None = None,
    label_field: str | None = None,
) -> ImportedListings:
    """Take listings from another tool into a table, which find_issues and all else read.

    The table is a copy: a run is of what it held then. What the tool has later comes by another import, and
    ``find_issues(..., since=run)`` looks only at what is new in it.

    Parameters
    ----------
    format : str
        ``sql`` or ``fiftyone``.
    source : str
        The URL of a database for SQLAlchemy, e.g. ``postgresql://user@host/shop``; or the name of a dataset.
    output : str or Path
        The table, of Parquet. That of an earlier import is replaced, once the new one is whole; no other file is.
    query : str, optional
        With ``sql``: a SELECT of the listings. Nothing that it changes is kept.
    label_field : str, optional
        With ``fiftyone``: the field with the labels; by default ``ground_truth``, or the only one with classes.

    Raises
    ------
    InputError
        If the source can't be read, gives no listings, or the table can't be written.
    ReviewError
        If the database of FiftyOne can't be had.

    Examples
    --------
    >>> import curation, sqlite3
    >>> with sqlite3.connect("shop.db") as database:
    ...     _ = database.execute("CREATE TABLE listings (number INTEGER, photo TEXT, category TEXT)")
    ...     _ = database.execute("INSERT INTO listings VALUES (7, 'photos/7.jpg', 'Laptops')")
    >>> query = "SELECT number AS id, photo AS image, category AS label FROM listings"
    >>> curation.import_listings("sql", "sqlite:///shop.db", query=query).columns
    ('id', 'image', 'label')
    """
    chosen = format_of(format, gives=True)
    options: dict[str, Any] = only(chosen, {"query": query, "label_field": label_field}, lambda each: each.finds)
    file = Path(output)
    check_path(file, parameter="output")
    if file.suffix.lower() != ".parquet" or file.is_dir():
        raise InputError(
            "listings are written as Parquet",
            got=str(file),
            wanted="the name of a file that ends with .parquet",
            parameter="output",
        )
    _require_ours(file)
    given = importlib.import_module(chosen.module).give(source, **options)
    # says that the next import may replace it
    table = given.table.replace_schema_metadata({_OURS: format})
    with whole_file(file) as part:
        pq.write_table(table, part, row_group_size=ROW_GROUP)
    columns = tuple(map(str, given.table.column_names))
    return ImportedListings(format, given.source, file, given.table.num_rows, columns, given.notes)


def _require_ours(file: Path) -> None:
    """Refuse to replace a file that no import wrote."""
    if not file.exists():
        return
    try:
        metadata = pq.read_schema(file).metadata or {}
    except (OSError, pa.ArrowException):
        metadata = {}
    if _OURS not in metadata:
        raise InputError(
            f"{file} is there already",
            got="a file that no import wrote",
            wanted="a new file",
            fix="Name another one with `output`.",
            parameter="output",
        )
