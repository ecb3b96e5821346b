"""A line of the journal: what it says, its number, and the checksum that tells whether it is still as it was written.

A line is a JSON object. Since format 2 it ends with ``format``, ``number`` (of the line, from 1 on), ``recorded`` (when
it was written) and ``check``: the CRC-32 of the line's bytes without that key. Lines of format 1 have none of them.
Lines of format 3 have ``saw``, too.
"""

from __future__ import annotations

import json
import math
import re
import zlib
from dataclasses import dataclass, fields
from functools import cache
from types import NoneType
from typing import Any, NamedTuple

from curation.errors import DecisionsError, short_repr
from curation.listings.prices import MAX_PRICE
from curation.run.journal import Decision

__all__ = [
    "BEGIN",
    "COMMIT",
    "FORMAT",
    "LONGEST",
    "TAKE_BACK",
    "Line",
    "Step",
    "Unreadable",
    "decision_of",
    "decoded",
    "encoded",
    "is_torn",
]

#: Bytes of a line with its end at most: a longer one is not read, and so not written.
LONGEST = 16 << 20
#: Raise it when lines change so that an older reader would misread them.
FORMAT = 3
#: Of a line that says nothing which only a newer reader knows.
_PLAIN = 2
BEGIN = "begin"
COMMIT = "commit"
TAKE_BACK = "take back"
#: The end of a line.
_CHECK = b', "check": "%08x"}'
_LENGTH = len(_CHECK % 0)
#: A line that has all of its bytes, whatever its last one is now. In a text, the quotes would have backslashes.
_FULL = re.compile(rb', "check": "[0-9a-f]{8}".', re.DOTALL)
#: Bytes that a disk keeps or loses together, at least.
_SECTOR = 512


@dataclass(frozen=True)
class Step:
    """A step of a transaction: it begins, is committed, or is taken back.

    Attributes
    ----------
    transaction : str
        Its name.
    step : str
        ``begin``, ``commit`` or ``take back``. The others are empty but for the first.
    kind : str
        What it does: ``apply_fixes``, ``undo`` or ``retrain``.
    after : int
        Number of the last line that it knew: its decisions count as said directly after that line, whatever people
        decided while it ran.
    moves : tuple of (str, str)
        What it moves, in this order: from where to where, relative to the run's folder.
    as_of : str or None
        The time whose decisions it applies, ISO 8601; None for those that held when it began.
    """

    transaction: str
    step: str
    kind: str = ""
    after: int = 0
    moves: tuple[tuple[str, str], ...] = ()
    as_of: str | None = None

    @property
    def aside(self) -> str | None:
        """Where it moves the version that was there, e.g. ``versions/0001``; None if there was none."""
        return dict(self.moves).get("cleaned")


class Line(NamedTuple):
    """What a line says.

    Attributes
    ----------
    number : int or None
        As written in the line; None in format 1.
    recorded : str or None
        When it was written, ISO 8601; None in format 1.
    transaction : str or None
        The one that a decision is part of.
    content : Decision or Step
        What is recorded.
    """

    number: int | None
    recorded: str | None
    transaction: str | None
    content: Decision | Step


class Unreadable(ValueError):
    """A line that can't be read.

    Parameters
    ----------
    kind : str
        ``torn``, ``damaged`` or ``newer``.
    why : str
        In words.
    """

    def __init__(self, kind: str, why: str) -> None:
        super().__init__(why)
        self.kind = kind


def encoded(content: Decision | Step, number: int, recorded: str, transaction: str | None = None) -> bytes:
    """Return a line of the journal, with its end.

    Parameters
    ----------
    content : Decision or Step
        What is recorded.
    number : int
        Of the line.
    recorded : str
        The time now.
    transaction : str, optional
        The one that a decision is part of.

    Raises
    ------
    DecisionsError
        If a text is none: half a character. If the line would be longer than :data:`LONGEST`.
    """
    # flat: asdict would copy each value deeply, which takes most of the time of a long journal
    said = dict(vars(content))
    if isinstance(content, Step) and content.step != BEGIN:
        said = {"transaction": content.transaction, "step": content.step}
    elif isinstance(content, Decision) and transaction is not None:
        said["transaction"] = transaction
    plain = said.get("saw") is None
    if plain:
        said.pop("saw", None)
    written = {"format": _PLAIN if plain else FORMAT, "number": number, "recorded": recorded}
    try:
        line = json.dumps({**said, **written}, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise DecisionsError(
            "a decision holds half a character, which no file can keep",
            got=ascii(error.object[error.start : error.end]),
            wanted="text",
        ) from error
    whole = line[:-1] + _CHECK % zlib.crc32(line) + b"\n"
    if len(whole) > LONGEST:
        raise _too_long(said, len(whole))
    return whole


def _too_long(said: dict[str, Any], size: int) -> DecisionsError:
    """Return the error of a line that nobody could read again, with the longest of its texts."""
    name, text = max(
        ((name, text) for name, text in said.items() if isinstance(text, str)), key=lambda one: len(one[1])
    )
    return DecisionsError(
        "a decision is too long to be kept",
        got=f"{size:,} bytes, most of them in its {name.replace('_', ' ')}: {short_repr(text)}",
        wanted=f"at most {LONGEST:,} bytes",
        fix="Shorten that; nothing was recorded.",
    )


def decoded(line: bytes) -> Line:
    """Read a line.

    Parameters
    ----------
    line : bytes
        Without its end.

    Raises
    ------
    Unreadable
        If it is torn, damaged, or written by a newer version.
    """
    content = _object(line)
    written = content.get("format", 1)
    if type(written) is int and written > FORMAT:
        raise Unreadable("newer", f"is of format {written}, of a newer version of curate")
    if written == 1:
        return Line(None, None, None, decision_of(content))
    if not line.endswith(_CHECK % zlib.crc32(line[:-_LENGTH] + b"}")):
        raise Unreadable("damaged", "was changed after it was written: its checksum does not fit")
    number, recorded, transaction = content.get("number"), content.get("recorded"), content.get("transaction")
    if not (type(number) is int and number > 0 and isinstance(recorded, str) and isinstance(transaction, str | None)):
        raise Unreadable("damaged", "has no number or time")
    for key in ("format", "number", "recorded", "check"):
        del content[key]
    if "step" in content:
        return Line(number, recorded, transaction, _step(content))
    content.pop("transaction", None)
    return Line(number, recorded, transaction, decision_of(content))


def is_torn(line: bytes) -> bool:
    """Return whether a line may be what is left of a write that nobody was told of.

    A kill or a full disk leaves the beginning of a line. After a power cut there may also be zeros: a file has its new
    length, but some of its new sectors were never written. Such zeros begin where the write began or with a sector, and
    end where the write ended or with a sector. Fewer of them, between bytes of one line, are damage, and so is another
    last byte: a line of full length was acknowledged.

    By its bytes alone, such a line can't be told from an acknowledged one that was cut off or zeroed later, e.g. by a
    copy that stopped. The lines after it tell, see :class:`curation.run.journal_file._Reading`; as long as there are
    none, a person is told both.
    """
    if b"\0" in line:
        text = line.strip(b"\0")
        return len(text) < len(line) or b"\0" * _SECTOR in text
    return line.startswith(b"{") and not line.endswith(b"}") and not _FULL.search(line)


def _object(line: bytes) -> dict[str, Any]:
    try:
        content = json.loads(line.decode())
        if rb"\ud" in line:
            json.dumps(content, ensure_ascii=False).encode()  # half a character
    except (ValueError, RecursionError) as error:
        if is_torn(line):
            raise Unreadable("torn", "is cut short") from error
        raise Unreadable("damaged", "is no JSON") from error
    if not isinstance(content, dict):
        raise Unreadable("damaged", "is no JSON object")
    return content


#: The types that each field of a decision may have.
_TYPES = {
    field.name: {
        "str": (str,),
        "str | None": (str, NoneType),
        "bool": (bool,),
        "bool | None": (bool, NoneType),
    }.get(str(field.type), (int, float, NoneType))
    for field in fields(Decision)
}


@cache
def _fits(types: tuple[type, ...]) -> bool:
    """Return whether values of these types, in the order of the fields, make a decision; few combinations occur."""
    return all(given in may for given, may in zip(types, _TYPES.values(), strict=True))


def decision_of(content: dict[str, Any]) -> Decision:
    """Return a decision that is written as an object of JSON, whoever wrote it.

    Raises
    ------
    Unreadable
        If it is none.
    """
    try:
        decision = Decision(**content)
        prices = (decision.new_price, decision.suggested_price)
        if not (_fits(tuple(map(type, decision.__dict__.values()))) and all(map(_is_finite, prices))):
            raise TypeError("a value is of another type")
    except (TypeError, OverflowError) as error:
        raise Unreadable("damaged", "is no decision") from error
    if decision.new_price is not None and not 0 <= decision.new_price <= MAX_PRICE:
        raise Unreadable("damaged", f"has the new price {decision.new_price:g}, not one from 0 to {MAX_PRICE:,}")
    return decision


def _is_finite(price: float | None) -> bool:
    return price is None or math.isfinite(price)


def _step(content: dict[str, Any]) -> Step:
    try:
        step = Step(**{**content, "moves": tuple(_move(*pair) for pair in content.get("moves", ()))})
        if not (
            isinstance(step.transaction, str)
            and step.step in (BEGIN, COMMIT, TAKE_BACK)
            and isinstance(step.kind, str)
            and type(step.after) is int
            and isinstance(step.as_of, str | None)
        ):
            raise TypeError("a value is of another type")
    except (TypeError, ValueError) as error:
        raise Unreadable("damaged", "is no step of a transaction") from error
    return step


_FILE = r"comparison\.json|predictions\.npz"
_FREE = "[0-9a-f]{8}"
#: The moves that commands make: aside, to its place, out of the way, and back.
_MOVES = (
    r"cleaned > versions/[0-9]+",
    rf"(?P<file>{_FILE}) > versions/[0-9]+/(?P=file)",
    rf"\.cleaned-{_FREE} > cleaned",
    rf"(?P<file>cleaned|{_FILE}) > \.undone-{_FREE}/(?P=file)",
    r"versions/[0-9]+ > cleaned",
    rf"cleaned/(?P<file>{_FILE}) > (?P=file)",
    rf"(?P<file>{_FILE}) > \.compared-{_FREE}/(?P=file)",
    rf"\.compared-{_FREE}/(?P<file>{_FILE}) > (?P=file)",
)


def _move(source: str, target: str) -> tuple[str, str]:
    """Return a move that a command of ours makes, whoever wrote the line."""
    if not any(re.fullmatch(move, f"{source} > {target}") for move in _MOVES):
        raise ValueError(f"no command moves {source} to {target}")
    return source, target
