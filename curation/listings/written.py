"""A file of a table as its author wrote it: its format, and its cells in their order."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pyarrow as pa

from curation.listings.json_tables import JsonStyle
from curation.listings.workbooks import Book
from training.utils.csv_files import Quoting

__all__ = ["Kind", "TableFormat", "WrittenFile", "with_spans"]

Kind = Literal["csv", "json", "jsonl", "parquet", "xlsx"]


@dataclass(frozen=True)
class TableFormat:
    """How a table is written.

    Attributes
    ----------
    kind : str
        ``csv``, ``json``, ``jsonl``, ``parquet`` or ``xlsx``.
    ending : str
        What the name of the file ends with, e.g. ``".csv.gz"``.
    packed : str
        The part of it that names the compression, e.g. ``".gz"``; empty without.
    encoding : str
        Of a file of text: its encoding, as Python calls it.
    mark : bool
        Whether a byte order mark is at its start.
    delimiter : str
        Of a CSV: what stands between its cells.
    newline : str
        Of a CSV or JSON: what stands at the end of a line.
    quoting : str
        Of a CSV: which cells are quoted, see :func:`training.utils.csv_files.csv_lines`.
    hint : bool
        Whether a line ``sep=;`` stands above a CSV.
    above : str
        Of a CSV: the lines above the header, each with its line feed.
    json : JsonStyle
        How JSON is written.
    sheet : str
        The name of a sheet of Excel.
    """

    kind: Kind
    ending: str = ""
    packed: str = ""
    encoding: str = "utf-8"
    mark: bool = False
    delimiter: str = ","
    newline: str = "\n"
    quoting: Quoting = "minimal"
    hint: bool = False
    above: str = ""
    json: JsonStyle = JsonStyle()  # noqa: RUF009 (frozen)
    sheet: str = ""


@dataclass(frozen=True)
class WrittenFile:
    """A file of a table as its author wrote it.

    Attributes
    ----------
    name : str
        Its path below the dataset's folder; empty for a table in memory.
    format : TableFormat
        How it is written.
    header : tuple of str
        Names of the columns, as written.
    cells : pyarrow.Table
        The same columns, called as in :class:`curation.listings.tables.RawTable`. CSV: text, null where a cell is
        empty. JSON: each cell as JSON, null where a row has no such key. Excel: see
        :func:`curation.listings.excel.as_cell`, null where a cell is empty. Parquet: as in the file.
    book : Book or None
        Of Excel: the workbook.
    further : WrittenFile or None
        Rows of the same columns that only add something to one of these, e.g. a photo to a listing.
    owners : tuple of int
        The row that each of them belongs to; the number of rows for what belongs to the table as a whole, such as a
        total.
    after : tuple of int
        The row that each of them stands below, ascending; -1 above the first.
    lines : mapping of int to str
        Of a CSV or JSON: row → the text that it was read from, where it would be written otherwise, e.g. with other
        quotes, or with the number 10.5 for 10.50.
    ends : mapping of int to str
        Of a CSV: row → what ends its line, where that is not the newline of the file; empty for nothing.
    """

    name: str
    format: TableFormat
    header: tuple[str, ...]
    cells: pa.Table
    book: Book | None = None
    further: WrittenFile | None = None
    owners: tuple[int, ...] = ()
    after: tuple[int, ...] = ()
    lines: Mapping[int, str] = field(default_factory=dict)
    ends: Mapping[int, str] = field(default_factory=dict)

    def take(self, places: Sequence[int]) -> WrittenFile:
        """Return some of the rows, by their ascending positions, with what belongs to them or to the table."""
        new = {old: place for place, old in enumerate((*places, self.cells.num_rows))}
        stay = [place for place, owner in enumerate(self.owners) if owner in new]
        return replace(
            self,
            cells=self.cells.take(pa.array(places, pa.int64())),
            book=self.book and self.book.take(places),
            further=self.further.take(stay) if self.further and stay else None,
            owners=tuple(new[self.owners[place]] for place in stay),
            after=tuple(bisect_right(places, self.after[place]) - 1 for place in stay),
            lines={new[old]: line for old, line in self.lines.items() if old in new},
            ends={new[old]: end for old, end in self.ends.items() if old in new},
        )

    def split(self, apart: Mapping[int, int | None]) -> WrittenFile:
        """Return the table with some rows kept apart: position → that of the row it belongs to, None if to none."""
        rows = [place for place in range(self.cells.num_rows) if place not in apart]
        new: dict[int | None, int] = {None: len(rows), **{old: place for place, old in enumerate(rows)}}
        away = sorted(apart)
        owners = tuple(new[apart[place]] for place in away)
        after = tuple(bisect_left(rows, place) - 1 for place in away)
        return replace(self.take(rows), further=self.take(away), owners=owners, after=after)

    @property
    def order(self) -> list[int]:
        """The rows of :meth:`whole`: the numbers of its own, and beyond those, of what belongs to them."""
        return list(map(int, np.argsort([*range(self.cells.num_rows), *self.after], kind="stable")))

    def whole(self) -> WrittenFile:
        """Return the table with what belongs to its rows in its place."""
        if self.further is None:
            return self
        # a column may have been added since
        cells = pa.concat_tables([self.cells, self.further.cells], promote_options="default")
        book, beside = self.book, self.further.book
        if book and beside:
            book = replace(book, rows=tuple(sorted((*book.rows, *beside.rows))))
        rows = self.cells.num_rows
        lines, ends = (
            {**own, **{rows + row: text for row, text in others.items()}}
            for own, others in ((self.lines, self.further.lines), (self.ends, self.further.ends))
        )
        lines, ends = (
            {place: kept[row] for place, row in enumerate(self.order) if row in kept} for kept in (lines, ends)
        )
        ordered = cells.take(pa.array(self.order))
        return replace(self, cells=ordered, book=book, further=None, owners=(), after=(), lines=lines, ends=ends)


def with_spans(files: Iterable[WrittenFile]) -> Iterator[tuple[WrittenFile, slice]]:
    """Yield the files of a dataset, each with where its rows are among those of all.

    Parameters
    ----------
    files : iterable of WrittenFile
        In the order of the rows.
    """
    first = 0
    for file in files:
        yield file, slice(first, first + file.cells.num_rows)
        first += file.cells.num_rows
