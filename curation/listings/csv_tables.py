"""Text of a CSV as cells: what stands between them, what ends a row, what is quoted."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import get_args

import pandas as pd

from curation.errors import some
from curation.listings.csv_delimiters import require_one_delimiter
from curation.listings.csv_quotes import Span, first_open_quote, rows_without_quoting
from curation.listings.csv_spelling import BadlyQuoted, has_blanks_before_quotes, rows_as_they_stand
from curation.listings.headers import LOOKED_AT, header_place, likely, said_of_header
from curation.rendering.words import agree, many
from training.utils.bounded import CELL, check_claim
from training.utils.csv_files import Quoting, csv_lines

__all__ = ["DELIMITERS", "Parsed", "parse_csv", "require_width"]

#: As Excel has them: of wider tables, every step takes minutes.
_MOST_COLUMNS = 16_384

#: What may stand between cells, the likeliest first.
DELIMITERS = ",;\t|"
#: Characters that the delimiter is recognised by, and rows that the quoting is.
_SAMPLE, _ROWS = 1 << 16, 50
#: Rows that are turned into columns at a time.
_PART = 5000
#: Characters of one cell; without it, csv refuses photos written as text.
_LONGEST_CELL = (1 << 31) - 1
_LONE = re.compile("\r(?!\n)")
#: Unicode's private use area: characters that no text has.
_PRIVATE = range(0xE000, 0xF900)
#: After the last row, to tell that no quote is open there.
_END = "\n"


@dataclass(frozen=True)
class Parsed:
    """A CSV.

    Attributes
    ----------
    header : list of str
        Names of the M columns, as written.
    columns : list of M lists of str
        The cells as written, None where one is empty; a row that is blank altogether is left out.
    numbers : list of int
        The numbers of these rows as a person counts them: the header is 1, if nothing stands above it.
    delimiter, newline : str
        What stands between cells, and at the end of a row.
    quoting : str
        Which cells are quoted, see :func:`training.utils.csv_files.csv_lines`.
    hint : bool
        Whether a line ``sep=;`` stands above the header, as Excel wants it.
    above : str
        The lines above the header, e.g. a title, each with its line feed.
    notes : tuple of str
        How it was read, where that was not certain: a sentence each.
    spelled : mapping of int to str
        Number of a row → its line, where it would be written otherwise, e.g. with other quotes.
    ends : mapping of int to str
        Number of a row → what ends its line, where that is not `newline`; empty for a last line without an end.
    """

    header: list[str]
    columns: list[list[str | None]]
    numbers: list[int]
    delimiter: str
    newline: str
    quoting: Quoting
    hint: bool
    above: str = ""
    notes: tuple[str, ...] = ()
    spelled: Mapping[int, str] = field(default_factory=dict)
    ends: Mapping[int, str] = field(default_factory=dict)


def parse_csv(text: str, names: Collection[str] = ()) -> Parsed:
    """Split the text of a CSV into cells.

    Parameters
    ----------
    text : str
        The whole file.
    names : collection of str
        Columns that are likely, in lower case: they decide between two delimiters that both fit, and which line is the
        header if the first has none of them.

    Raises
    ------
    ValueError
        If it is empty (pandas.errors.EmptyDataError), a quote is not closed or closed rows later, or a row has more
        cells than the header.
    """
    newline = _newline_of(text)
    if newline == "\r":
        text = text.replace("\r", "\n")
    # within a cell, csv takes a lone carriage return for the end of the row
    stand_in = next(sign for sign in map(chr, _PRIVATE) if sign not in text) if _LONE.search(text) else ""
    text = _LONE.sub(stand_in, text) if stand_in else text
    hint = text[:4].lower() == "sep=" and text[4:5] not in ("", "\r", "\n") and text[5:7].lstrip("\r")[:1] == "\n"
    signs, rest = (text[4], text.partition("\n")[2]) if hint else (DELIMITERS, text)
    title = _lines_above(rest, names, signs)
    above = "".join(f"{line}\n" for line in rest.split("\n", title)[:title]).replace("\r\n", "\n")
    skip = title + int(hint)
    delimiter = text[4] if hint else _delimiter_of(_whole_lines(text.split("\n", skip)[skip][:_SAMPLE]), names)
    notes: tuple[str, ...] = ()
    spelled, badly, seen = dict[int, str](), BadlyQuoted(), _Seen("\n" if newline == "\r" else newline)
    try:
        header, columns, numbers, quoting = _quoted(text, delimiter, skip, spelled, badly, seen)
    except OpenQuoteError as error:
        rows = rows_without_quoting(text.split("\n")[skip:], delimiter)
        if rows is None:
            raise
        header, quoting = rows[0][1], "minimal"
        require_width(len(header))
        numbered = ((number + skip, row) for number, row in rows[1:])
        columns, numbers = _columns(numbered, header, delimiter, len(text))
        spelled, badly, seen = {}, BadlyQuoted(), _Seen(newline)
        notes = (f"Quotes are read as part of the text, as one that opens in line {error.line} does not close there.",)
    if stand_in:
        header = [name.replace(stand_in, "\r") for name in header]
        columns = [[cell and cell.replace(stand_in, "\r") for cell in column] for column in columns]
        spelled = {number: line.replace(stand_in, "\r") for number, line in spelled.items()}
    if above:
        notes = (*notes, said_of_header(skip + 1, [above.replace(delimiter, " ").replace("\n", " ")]))
    notes = (*notes, *badly.notes(), *seen.notes())
    return Parsed(header, columns, numbers, delimiter, newline, quoting, hint, above, notes, spelled, seen.ends)


@dataclass(frozen=True)
class _Seen:
    """What rows have beside their cells: their ends, where these are not `newline`; and which are empty."""

    newline: str
    ends: dict[int, str] = field(default_factory=dict)
    empty: list[int] = field(default_factory=list)

    def note_end(self, number: int, text: str) -> None:
        """Note what ends the text of a row."""
        end = text[len(text.rstrip("\r\n")) :]
        # blank lines belong to no row
        if end != self.newline:
            self.ends[number] = "\r\n" if end.startswith("\r\n") else end[:1]

    def notes(self) -> tuple[str, ...]:
        """Say how many rows are empty, and which."""
        if not self.empty:
            return ()
        count = len(self.empty)
        which = f"{many(count, 'row')} {agree(count, 'has', 'have')} only empty cells and {agree(count, 'is', 'are')}"
        return (f"{which} left out: row{agree(count, '', 's')} {some(self.empty, 5)}.",)


def _lines_above(text: str, names: Collection[str], signs: str) -> int:
    """Return how many lines stand above the header, e.g. a title; between cells stands one of the signs."""
    if not names:
        return 0
    lines = text[:_SAMPLE].split("\n")[:LOOKED_AT]
    rows = ([_split(line, sign) for sign in signs] for line in lines)
    return header_place(
        [max((likely(row, names), sum(map(bool, map(str.strip, row)))) for row in each) for each in rows]
    )


def _split(line: str, sign: str) -> list[str]:
    """Return the cells of a line, whose last quote may be open."""
    try:
        return next(csv.reader([line], delimiter=sign), [])
    except csv.Error:
        return line.split(sign)


class OpenQuoteError(ValueError):
    """A quote that is not closed in its own row.

    Attributes
    ----------
    line : int
        The line in which the row begins.
    """

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def _quoted(
    text: str, delimiter: str, skip: int, spelled: dict[int, str], badly: BadlyQuoted, seen: _Seen
) -> tuple[list[str], list[list[str | None]], list[int], Quoting]:
    """Return the header, the columns, the numbers of the rows, and the quoting."""
    spans: list[Span] = []
    blanks = has_blanks_before_quotes(text, delimiter)
    numbered = _rows(text, delimiter, skip, spans, seen, blanks=blanks)
    first = list(itertools.islice(numbered, _ROWS))
    if not first:
        raise pd.errors.EmptyDataError("it is empty")
    require_width(len(first[0][1]))
    quoting = _quoting_of([row for _, row, _ in first], set(re.split("\r?\n", text[:_SAMPLE])), delimiter)
    _, header = next(rows_as_they_stand(first[:1], delimiter, quoting, {}, BadlyQuoted(), blanks=blanks))
    below = rows_as_they_stand(itertools.chain(first[1:], numbered), delimiter, quoting, spelled, badly, blanks=blanks)
    try:
        columns, numbers = _columns(below, header, delimiter, len(text))
    except OpenQuoteError:
        raise
    except ValueError:
        # a quote that is closed rows later may be why a row has too many cells
        _require_closed(text, spans, [[] for _ in header], [], delimiter, quoting)
        raise
    _require_closed(text, spans, columns, numbers, delimiter, quoting)
    return header, columns, numbers, quoting


def _require_closed(
    text: str,
    spans: list[Span],
    columns: list[list[str | None]],
    numbers: list[int],
    delimiter: str,
    quoting: Quoting,
) -> None:
    """Refuse a quote that has taken rows into one cell."""
    if not spans:
        return
    several = {number for number, _, _ in spans}
    single = [place for place, number in enumerate(numbers) if number not in several]
    alone = [[column[place] for place in single] for column in columns]
    span = first_open_quote(text.split("\n"), spans, alone, delimiter, sparing=quoting == "minimal")
    if span is not None:
        _, start, end = span
        raise OpenQuoteError(
            f"a quote that opens in line {start + 1} ends only in line {end}, and the lines from {start + 2} on look "
            "like rows of their own. Close it in its line; a quote that belongs to the text is written twice, in a "
            "cell that stands in quotes. If it is one cell after all, put every cell of the file in quotes",
            start + 1,
        )


def _newline_of(text: str) -> str:
    end = text.find("\n")
    if end < 0:
        return "\r" if "\r" in text else "\n"
    return "\r\n" if text[end - 1 : end] == "\r" else "\n"


def _rows(
    text: str, delimiter: str, skip: int, spans: list[Span], seen: _Seen, *, blanks: bool
) -> Iterator[tuple[int, list[str], str]]:
    """Yield number, cells and text of the rows that are not blank; those of several lines are added to `spans`."""
    taken: list[str] = []
    lines = _noted(itertools.islice(io.StringIO(text, newline="\n"), skip, None), taken)
    start, end, last = skip, skip, False
    with _cells_of_any_length():
        # an open quote would swallow this end
        reader = csv.reader(itertools.chain(lines, [_END, "end"]), delimiter=delimiter, skipinitialspace=blanks)
        try:
            for number, row in enumerate(reader, start=1 + skip):
                last = row == ["end"]
                start, end = end, reader.line_num + skip
                if end > start + 1 and not last:
                    spans.append((number, start, end))
                if not last and any(map(str.strip, row)):
                    line = taken[0] if len(taken) == 1 else "".join(taken)
                    seen.note_end(number, line)
                    yield number, row, line
                elif not last and len(row) > 1:
                    seen.empty.append(number)
                taken.clear()
        except csv.Error as error:
            raise ValueError(f"line {end + 1}: {error}") from None
    if not last:
        raise OpenQuoteError(f"a quote is not closed, in the row that begins at line {start + 1}", start + 1)


def _noted(lines: Iterable[str], taken: list[str]) -> Iterator[str]:
    for line in lines:
        taken.append(line)
        yield line


@contextmanager
def _cells_of_any_length() -> Iterator[None]:
    before = csv.field_size_limit(_LONGEST_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def require_width(columns: int) -> None:
    """Refuse a table that is too wide.

    Raises
    ------
    ValueError
    """
    if columns > _MOST_COLUMNS:
        raise ValueError(f"it has {columns:,} columns, and at most {_MOST_COLUMNS:,} are read")


def _columns(
    numbered: Iterator[tuple[int, list[str]]], header: Sequence[str], delimiter: str, held: int
) -> tuple[list[list[str | None]], list[int]]:
    """Return the columns, and the numbers of the rows; refuse rows with more cells than the header."""
    width = len(header)
    columns: list[list[str | None]] = [[] for _ in range(width)]
    numbers: list[int] = []
    long: list[str] = []
    short: list[tuple[int, str]] = []
    # a part at a time: Python slows down with the number of lists that there are
    while part := list(itertools.islice(numbered, _PART)):
        # a long header above short rows makes a table of gaps
        check_claim((len(numbers) + len(part)) * width * CELL, held, "its table")
        for number, row in part:
            numbers.append(number)
            if len(row) != width:
                if len(row) < width and any(sign in row[0] for sign in DELIMITERS):
                    short.append((number, delimiter.join(row)))
                if any(map(str.strip, row[width:])):
                    long.append(f"row {number} has {len(row)}")
                row += [""] * (width - len(row))
                del row[width:]
        for column, cells in zip(columns, zip(*(row for _, row in part), strict=True), strict=True):
            column += [cell or None for cell in cells]
    require_one_delimiter(short, header, delimiter, DELIMITERS)
    if long:
        raise ValueError(
            f"{many(len(long), 'row')} {agree(len(long), 'has', 'have')} more cells than the header has names: "
            f"{some(long, 3)}, the header {width}. A cell with {delimiter!r} in it must stand in quotes"
        )
    return columns, numbers


def _whole_lines(sample: str) -> str:
    """Return a sample without the line that its end cuts in two."""
    return sample.rpartition("\n")[0] or sample if len(sample) == _SAMPLE else sample


def _delimiter_of(sample: str, names: Collection[str]) -> str:
    """Return what stands between the cells: what gives likely names, rows of one length, and many cells."""

    def fitness(delimiter: str) -> tuple[int, float, int]:
        try:
            blanks = has_blanks_before_quotes(sample, delimiter)
            lines = io.StringIO(sample, newline="")
            rows = [row for row in csv.reader(lines, delimiter=delimiter, skipinitialspace=blanks) if row]
        except csv.Error:
            return 0, 0.0, 0
        if not rows or len(rows[0]) < 2:
            return 0, 0.0, 0
        likely = sum(name.strip().lower() in names for name in rows[0])
        return likely, sum(len(row) == len(rows[0]) for row in rows) / len(rows), len(rows[0])

    return max(DELIMITERS, key=fitness)


def _quoting_of(rows: list[list[str]], lines: set[str], delimiter: str) -> Quoting:
    """Return the quoting that gives most of the lines as they are."""

    def fitness(quoting: Quoting) -> int:
        written = csv_lines(rows, delimiter=delimiter, newline="", quoting=quoting)
        return sum(line in lines for line in written)

    styles: tuple[Quoting, ...] = get_args(Quoting)
    return max(styles, key=fitness)
