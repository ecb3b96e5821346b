"""Photos inside a Parquet, as Hugging Face's datasets have them: structs of ``bytes`` and ``path``."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from curation.errors import ListingsError
from curation.listings.written import WrittenFile

__all__ = ["require_files", "without_photos"]


def _holds_photos(column: pa.ChunkedArray) -> bool:
    """Return whether a column has structs with the bytes of photos; structs of paths alone have none there."""
    kind = column.type
    names = {kind.field(place).name: kind.field(place).type for place in range(kind.num_fields)}
    if not pa.types.is_struct(kind) or "path" not in names or "bytes" not in names:
        return False
    binary = pa.types.is_binary(names["bytes"]) or pa.types.is_large_binary(names["bytes"])
    return binary and any(chunk.field("bytes").is_valid().true_count for chunk in column.chunks)


def without_photos(cells: pa.Table) -> pa.Table:
    """Return a table with the paths of the photos that are inside it, in their place.

    Parameters
    ----------
    cells : pyarrow.Table
        Of a Parquet.
    """
    for place, field in enumerate(cells.schema):
        if _holds_photos(cells[place]):
            paths = pa.chunked_array([chunk.field("path") for chunk in cells[place].chunks], pa.string())
            cells = cells.set_column(place, field.name, paths)
    return cells


def require_files(files: Iterable[WrittenFile], column: str) -> None:
    """Refuse photos that are inside a Parquet: photos are files.

    Parameters
    ----------
    files : iterable of WrittenFile
        The tables.
    column : str
        Their column of photos.

    Raises
    ------
    ListingsError
    """
    for file in files:
        if file.format.kind != "parquet" or column not in file.cells.column_names:
            continue
        if _holds_photos(file.cells[column]):
            raise ListingsError(
                f"the photos inside {file.name} are not read",
                got=f"a column {column!r} with the bytes of photos",
                wanted="names of files",
                fix="In Python, curation.find_issues(datasets.Dataset.from_parquet("
                f"{file.name!r}).cast_column({column!r}, datasets.Image())) writes them to files and reads those.",
                parameter="source",
            )
