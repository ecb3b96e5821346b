"""The file of the journal, ``decisions.jsonl``: appending to it, and reading it with whatever happened to it.

The file is only ever appended to, by one process at a time. Reading tells torn, damaged, duplicated, swapped and
missing lines apart, and keeps all that can be read: docs/data.md.
"""

from __future__ import annotations

import contextlib
import io
import os
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from curation.rendering.words import many
from curation.run.journal import Decision
from curation.run.journal_content import Entry, Fault, Journal
from curation.run.journal_lines import BEGIN, LONGEST, Line, Step, Unreadable, decoded, encoded, is_torn
from training.utils.files import open_regular, sync_folder
from training.utils.flock import lock
from training.utils.machine import naming
from training.utils.units import now

__all__ = [
    "Grown",
    "append",
    "content_of",
    "lines_after",
    "lines_of",
    "pending",
    "read_journal",
    "said_since",
    "size_of",
]

#: How much is read from the end to find the last number; a line has some 350 bytes.
_TAIL = 1 << 16
#: Of a longer one, which no command writes.
_SHOWN = 4096


class Grown(Exception):
    """Another process has appended to the journal since it was read."""


def size_of(journal: Path) -> int:
    """Return the bytes of the journal; 0 if there is none."""
    try:
        return journal.stat().st_size
    except FileNotFoundError:
        return 0


def content_of(journal: Path) -> bytes:
    """Return all bytes of the journal, of which the last line is not one that is just being written; none without one.

    Parameters
    ----------
    journal : Path
        The file.

    Raises
    ------
    OSError
        If it can't be read.
    """
    if not journal.exists():
        return b""
    with open_regular(journal) as stream:
        with contextlib.suppress(OSError):  # as in `append`
            lock(stream)
        return stream.read()


def append(
    journal: Path,
    contents: Sequence[Decision | Step],
    transaction: str | None = None,
    *,
    known: int | None = None,
) -> None:
    """Append lines to the journal; they are on disk when this returns.

    Several processes may append at once: each waits for the other. A line cut short by a crash is closed first, so
    that the line after it stays readable.

    Parameters
    ----------
    journal : Path
        The file; made if it is missing.
    contents : sequence of Decision or Step
        What is recorded, in this order.
    transaction : str, optional
        The one that the decisions are part of.
    known : int, optional
        Bytes of the journal that the contents rest on, as of :func:`size_of` before it was read.

    Raises
    ------
    Grown
        If it has other bytes than `known` by now. Then nothing is written.
    DecisionsError
        If a text can't be written, or a line would be too long to be read. Then nothing is written.
    OSError
        When the journal can't be written, e.g. on a full disk. None of the lines is in it then.
    """
    if not contents:
        return
    journal.parent.mkdir(parents=True, exist_ok=True)
    with journal.open("ab+", buffering=0) as stream:
        with contextlib.suppress(OSError):  # without locks on this file system, appending is all there is
            lock(stream)
        end = stream.seek(0, os.SEEK_END)
        if known not in (None, end):
            raise Grown
        first, time = _last_number(stream, end) + 1, now()
        lines = b"".join(encoded(each, first + place, time, transaction) for place, each in enumerate(contents))
        if end > 0:
            stream.seek(end - 1)
            if stream.read(1) != b"\n":
                lines = b"\n" + lines
        rest = memoryview(lines)
        try:
            with naming(journal):
                while rest:
                    rest = rest[stream.write(rest) :]
                os.fsync(stream.fileno())
        except OSError:
            # without locks, another process may have written after it: that stays, and what is torn is closed by it
            if stream.seek(0, os.SEEK_END) <= end + len(lines) - len(rest):
                stream.truncate(end)
            raise
    if end == 0:
        sync_folder(journal.parent)


def _last_number(stream: BinaryIO, end: int) -> int:
    """Return the highest number of the last lines; one that has none itself counts as one more than that before it.

    A torn line has none: it was not acknowledged, so it can be deleted without a gap.
    """
    size, end = _TAIL, _end_of_data(stream, end)
    while True:
        start = max(0, end - size)
        stream.seek(start)
        lines = stream.read(end - start).split(b"\n")
        if start > 0:
            del lines[0]  # a part of it is further up
        before = highest = 0
        for line in (line for line in map(bytes.strip, lines) if line and not is_torn(line)):
            number = _number_of(line)
            if number is not None or before or start == 0:
                before = before + 1 if number is None else number
                # the last line may be one that belongs further up
                highest = max(highest, before)
        if highest or start == 0:
            return highest
        size *= 8


def _end_of_data(stream: BinaryIO, end: int) -> int:
    """Return where the zeros begin that a file ends with, to a page or so."""
    while end > _TAIL:
        stream.seek(end - _TAIL)
        if stream.read(_TAIL).strip(b"\0"):
            break
        end -= _TAIL
    return end


def _number_of(line: bytes) -> int | None:
    if b'"number": ' in line:
        with contextlib.suppress(Unreadable):
            return decoded(line).number
    return None


def read_journal(journal: Path) -> Journal:
    """Read the journal. Nothing that can be read is left out, and nothing is changed.

    Raises
    ------
    OSError
        If the file is there and can't be read.
    """
    return _Reading(journal.name).of(lines_of(journal))


def pending(journal: Path) -> tuple[Step, bool, int] | None:
    """Return the transaction that began last and did not end, which is fast however long the journal is.

    Returns
    -------
    begin : Step
        What it is about.
    doubtful : bool
        Whether a line after it can't be read, or is gone: that may have been its commit.
    line : int
        Line of the file that it is in, from 1 on.
    """
    lines = lines_of(journal)
    begun: tuple[int, int, Step] | None = None
    ended: set[str] = set()
    for place, text in enumerate(lines):
        if b'"step": "' in text:
            with contextlib.suppress(Unreadable):
                line = decoded(text.strip())
                if isinstance(line.content, Step) and line.content.step != BEGIN:
                    ended.add(line.content.transaction)
                # by number, not by place: a copy of an earlier line, or two that were swapped, begin nothing
                elif isinstance(line.content, Step) and (begun is None or (line.number or 0) > begun[0]):
                    begun = (line.number or 0, place, line.content)
    if begun is None or begun[2].transaction in ended:
        return None
    number, place, step = begun
    return step, _is_broken(lines[place + 1 :], number), place + 1


def said_since(journal: Path, number: int) -> Iterator[Decision]:
    """Yield the decisions after a line that are part of no transaction, latest first; only the lines after it are read.

    Parameters
    ----------
    journal : Path
        The file.
    number : int
        Of the line.
    """
    for text in reversed(lines_of(journal)):
        try:
            line = decoded(text.strip())
        except Unreadable:
            continue
        if line.number is None or line.number <= number:
            return
        if isinstance(line.content, Decision) and line.transaction is None:
            yield line.content


def _is_broken(lines: Sequence[bytes], number: int) -> bool:
    """Return whether one of the lines after that with a number can't be read, or is gone."""
    numbers = set[int]()
    for line in filter(None, map(bytes.strip, lines)):
        try:
            numbers.add(decoded(line).number or 0)
        except Unreadable:
            return True
    later = {each for each in numbers if each > number}
    return max(later, default=number) - number > len(later)


def lines_of(journal: Path) -> list[bytes]:
    """Return the lines of the journal without their ends; of one that no command writes, its beginning and a zero.

    Only line feeds end a line: a note may hold other characters that do, e.g. U+2028.

    Parameters
    ----------
    journal : Path
        The file; there are no lines if it is missing.
    """
    try:
        with open_regular(journal) as stream:
            with contextlib.suppress(OSError):
                lock(stream, shared=True)  # never half of what another process is writing
            lines = list(_lines(stream))
    except FileNotFoundError:
        return []
    # an editor may have put the mark before the first line
    return [line.removeprefix(BOM_UTF8) if place == 0 else line for place, line in enumerate(lines)]


def lines_after(journal: Path, start: int) -> tuple[list[bytes] | None, os.stat_result]:
    """Return the lines after a place of the journal, and what the file is; None for lines if the last has no end.

    Parameters
    ----------
    journal : Path
        The file.
    start : int
        Bytes before the first of them: a line ends there.

    Raises
    ------
    OSError
        If it can't be read.
    """
    with open_regular(journal) as stream:
        with contextlib.suppress(OSError):
            lock(stream, shared=True)  # never half of what another process is writing
        found = os.fstat(stream.fileno())
        stream.seek(start)
        lines = list(_lines(io.BytesIO(stream.read(max(0, found.st_size - start)))))
        is_whole = found.st_size <= start or _ends_line(stream, found.st_size)
        return lines if is_whole else None, found


def _ends_line(stream: BinaryIO, end: int) -> bool:
    stream.seek(end - 1)
    return stream.read(1) == b"\n"


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    while line := stream.readline(LONGEST):
        if len(line) == LONGEST and not line.endswith(b"\n"):
            line = line[:_SHOWN] + b"\0"
            _skip_line(stream)
        yield line.rstrip(b"\n")


def _skip_line(stream: BinaryIO) -> None:
    """Go to the end of a line; a hole of any size, as a power cut may leave one, is not read."""
    while piece := stream.readline(LONGEST):
        if piece.endswith(b"\n"):
            return
        try:
            stream.seek(os.lseek(stream.fileno(), stream.tell(), os.SEEK_DATA))
        except OSError:  # no data after the hole, or a file system that does not tell
            if stream.tell() >= os.fstat(stream.fileno()).st_size or not piece.strip(b"\0"):
                stream.seek(0, os.SEEK_END)


class _Reading:
    """One reading of the file: the order of the lines, and their faults.

    What is cut short or zeroed (:func:`curation.run.journal_lines.is_torn`) is judged by the numbers after it, for who
    appends gives a number only to what can be read, or was:

    - The next line has the number that this one would have: it was torn when that was written. It is ``closed``.
    - Later lines leave its number out: it could be read when the next one was written, so it was acknowledged. It is
      ``damaged``. That is also said where one power cut left zeros before whole lines of the same write: whether lines
      before that write are in the hole, too, can't be told.
    - No line came after it: it is ``torn``. Whether it was acknowledged can't be told. The next line closes it.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._faults: list[Fault] = []
        self._entries: list[Entry] = []
        #: line and text of the first line with each number
        self._owners: dict[int, tuple[int, bytes]] = {}
        #: numbers of all lines, also of those that can't be read
        self._numbers: dict[int, int] = {}
        #: by line, of each torn one: the number that the next line has if it never had one, and that it had otherwise
        self._torn: dict[int, tuple[int, int]] = {}
        #: torn lines since the last one with a number
        self._skipped = 0
        #: lines without a number since the last one with a number
        self._uncounted = 0
        self._latest = self._before = 0

    def of(self, lines: Sequence[bytes]) -> Journal:
        for place, text in enumerate(lines, start=1):
            text = text.strip()
            if text:
                self._take(place, text)
        self._faults = [self._judged(fault) for fault in self._faults]
        self._faults += self._missing()
        self._entries.sort(key=lambda entry: entry.number)
        return Journal(tuple(self._entries), tuple(sorted(self._faults, key=lambda fault: fault.line)))

    def _judged(self, fault: Fault) -> Fault:
        """Return a torn line as what later ones show that it is."""
        if fault.line not in self._torn:
            return fault
        free, own = self._torn[fault.line]
        if own < self._latest and own not in self._owners:
            self._numbers.setdefault(own, fault.line)
            return replace(fault, kind="damaged")
        if free in self._owners and self._owners[free][0] > fault.line:
            return replace(fault, kind="closed")
        return fault

    def _take(self, place: int, text: bytes) -> None:
        try:
            line = decoded(text)
        except Unreadable as error:
            self._fault(place, error.kind, f"can't be read and is left out: it {error} ({_shown(text)})")
            if error.kind == "torn":
                self._skipped += 1
                self._torn[place] = self._before + 1, self._before + self._skipped
            else:
                self._number(place, self._before + self._skipped + 1)
            return
        number = self._place(place, line, text)
        if number is not None:
            self._entries.append(Entry(place, number, line.recorded, line.transaction, line.content))

    def _place(self, place: int, line: Line, text: bytes) -> int | None:
        """Return the number that orders a line; None for a copy of another one."""
        if line.number is None:
            self._uncounted += 1
            return self._number(place, self._before + 1)
        if self._uncounted and line.number <= self._before:
            more, them = self._before - line.number + 1, many(self._uncounted, "line")
            what = (
                f"has the number {line.number}, which leaves no place for {more:,} of the {them} without one before it"
            )
            self._fault(place, "uncounted", f"{what}; all are read")
        self._uncounted = 0
        if line.number in self._owners:
            first, other = self._owners[line.number]
            if other == text:
                self._fault(place, "duplicated", f"is a copy of line {first} and counts once")
                return None
            self._fault(place, "clash", f"has the number {line.number}, as line {first} has; both are read")
            return max(self._before, self._latest)
        self._owners[line.number] = place, text
        if line.number < self._latest:
            self._fault(place, "swapped", f"belongs before line {self._owners[self._latest][0]} and is read there")
        else:
            self._latest = line.number
        return self._number(place, line.number)

    def _number(self, place: int, number: int) -> int:
        self._numbers.setdefault(number, place)
        self._before, self._skipped = number, 0
        return number

    def _missing(self) -> Iterator[Fault]:
        before = 0
        for number in sorted(self._numbers):
            lost = number - before - 1
            if lost > 0:
                which = f"{before + 1}" if lost == 1 else f"{before + 1} to {number - 1}"
                place = self._numbers[number]
                yield self._said(place, "missing", f"has lost what was before it: number {which}")
            before = number

    def _fault(self, place: int, kind: str, what: str) -> None:
        self._faults.append(self._said(place, kind, what))

    def _said(self, place: int, kind: str, what: str) -> Fault:
        return Fault(place, kind, f"{self._name} line {place} {what}")


def _shown(text: bytes) -> str:
    """Return the beginning of a line as a person can read it."""
    return repr(text[:60].decode(errors="replace")) if text.strip(b"\0") else "nothing but zeros"
