"""Cells of a CSV as they stand in the file, where a program would have quoted them otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from curation.errors import some
from curation.rendering.words import agree, many
from training.utils.csv_files import Quoting, csv_cell

__all__ = ["BadlyQuoted", "has_blanks_before_quotes", "respelled", "rows_as_they_stand"]


class BadlyQuoted:
    """The cells with text behind a closing quote, such as ``"15" monitor``, by the number of their row.

    Attributes
    ----------
    cells : dict of int to list of str
        Number of a row → these cells.
    """

    def __init__(self) -> None:
        self.cells: dict[int, list[str]] = {}

    def notes(self) -> tuple[str, ...]:
        """Say how they are read."""
        count = sum(map(len, self.cells.values()))
        if not count:
            return ()
        stand = agree(count, "has", "have")
        first = next(iter(self.cells.values()))[0]
        where = f"row{agree(len(self.cells), '', 's')} {some(self.cells, 5)}"
        read = agree(count, "it is read as it stands", "they are read as they stand")
        return (f"{many(count, 'cell')} {stand} text behind a closing quote, so {read}: {where}, e.g. {first!r}.",)


def has_blanks_before_quotes(text: str, delimiter: str) -> bool:
    """Return whether cells stand in quotes behind a blank, ``R1, "x, 1"``, which csv takes for a part of their text.

    Parameters
    ----------
    text : str
        Lines of the file.
    delimiter : str
        What stands between cells.

    Examples
    --------
    >>> has_blanks_before_quotes('R1, "x, 1"', ","), has_blanks_before_quotes('"x, "", 1", y', ",")
    (True, False)
    """
    near = rf'{re.escape(delimiter)} +"'
    return re.search(near, text) is not None and any(
        raw.startswith(" ") and raw != value
        for line in re.finditer(rf"^.*{near}.*$", text, re.MULTILINE)
        for raw, value, _ in _fields(line[0].rstrip("\r"), delimiter)
    )


def rows_as_they_stand(
    rows: Iterable[tuple[int, list[str], str]],
    delimiter: str,
    quoting: Quoting,
    spelled: dict[int, str],
    badly: BadlyQuoted,
    *,
    blanks: bool = False,
) -> Iterator[tuple[int, list[str]]]:
    r"""Yield rows in which a cell that is badly quoted is the text of the file, quotes included.

    Parameters
    ----------
    rows : iterable of (int, list of str, str)
        The number of each row, its cells, and its text in the file.
    delimiter : str
        What stands between cells.
    quoting : str
        Which cells are quoted in this file.
    spelled : dict of int to str
        Gets the text of each row that would be written otherwise.
    badly : BadlyQuoted
        Gets the cells that are badly quoted.
    blanks : bool
        Whether csv has skipped the blanks before cells, see :func:`has_blanks_before_quotes`; they stay where no quote
        follows.

    Examples
    --------
    >>> spelled = {}
    >>> list(rows_as_they_stand([(2, ["15 inch", "b"], '"15" inch,b\n')], ",", "minimal", spelled, BadlyQuoted()))
    [(2, ['"15" inch', 'b'])]
    >>> spelled
    {2: '"15" inch,b'}
    """
    cell = csv_cell(delimiter, quoting)
    for number, row, text in rows:
        if ('"' not in text and not blanks) or delimiter.join(map(cell, row)) == (line := text.rstrip("\r\n")):
            yield number, row
            continue
        spelled[number] = line
        fields = _fields(line, delimiter)
        if blanks and len(fields) == len(row):
            row = [value for _, value, _ in fields]
        if len(fields) == len(row) and (bad := [value for _, value, is_bad in fields if is_bad]):
            badly.cells[number] = bad
            row = [value for _, value, _ in fields]
        yield number, row


def respelled(row: Sequence[str | None], line: str, *, delimiter: str, newline: str, quoting: Quoting) -> str:
    r"""Return a row as a line whose unchanged cells stand as they did.

    Parameters
    ----------
    row : sequence of str
        Its cells; None is an empty one.
    line : str
        The line that it was read from.
    delimiter, newline, quoting
        As for :func:`training.utils.csv_files.csv_lines`.

    Examples
    --------
    >>> respelled(['"15" inch', "c"], '"15" inch,"b"', delimiter=",", newline="\n", quoting="minimal")
    '"15" inch,c\n'
    """
    fields, cell = _fields(line, delimiter), csv_cell(delimiter, quoting)
    before = [*fields, *[("", None, False)] * (len(row) - len(fields))]
    cells = [
        raw if value == (text or "") else cell(text or "")
        for text, (raw, value, _) in zip(row, before[: len(row)], strict=True)
    ]
    return (delimiter.join(cells) or '""') + newline


def _fields(line: str, delimiter: str) -> list[tuple[str, str, bool]]:
    """Return each cell of a line: as it stands, as it is read, and whether it is badly quoted."""
    fields = []
    for match in _field(delimiter).finditer(line):
        raw, quoted, rest = match[0], match[1] or match[3], match[2] or match[4] or ""
        if quoted is None:
            fields.append((raw, raw, False))
        elif rest.strip():
            fields.append((raw, raw, True))
        else:
            fields.append((raw, quoted[1:-1].replace('""', '"') + rest, False))
    return fields


@cache
def _field(delimiter: str) -> re.Pattern[str]:
    sign = re.escape(delimiter)
    quoted = '("(?:[^"]|"")*")'
    cell = rf"{quoted}([^{sign}]*)| +{quoted}( *)(?={sign}|$)|[^{sign}]*"
    return re.compile(rf"(?:^|(?<={sign}))(?:{cell})(?={sign}|$)", re.DOTALL)
