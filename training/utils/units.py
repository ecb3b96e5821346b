"""Durations, sizes, times and folders as people write them."""

from __future__ import annotations

import contextlib
import re
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from training.errors import InputError

__all__ = ["bytes_text", "duration", "home_as_tilde", "now", "parse_bytes", "parse_duration", "parse_time"]

_SECONDS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}


def duration(seconds: float) -> str:
    """Return a duration in words.

    Examples
    --------
    >>> duration(8.4), duration(95), duration(5400)
    ('8 s', '1.6 min', '1.5 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def parse_duration(text: str) -> float:
    """Return the seconds of a duration such as ``"1h30m"``.

    Raises
    ------
    InputError
        If the text is not a duration.

    Examples
    --------
    >>> parse_duration("10m"), parse_duration("1h30m"), parse_duration("45")
    (600.0, 5400.0, 45.0)
    """
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*([a-z]*)\s*", text.strip().lower())
    whole = re.fullmatch(r"(?:\d+(?:\.\d+)?\s*[a-z]*\s*)+", text.strip().lower())
    if not whole or any(unit not in _SECONDS for _, unit in parts):
        raise InputError("a duration can't be read", got=text, wanted="e.g. 90s, 10m, 1h30m")
    return float(sum(float(number) * _SECONDS[unit] for number, unit in parts))


def parse_bytes(text: str, what: str = "the size") -> int:
    """Return the number of bytes in ``"20GB"``, ``"1.5 TiB"`` or ``"1000"``.

    Parameters
    ----------
    text : str
        A number, with or without a unit.
    what : str
        Name of the number, for the message.

    Raises
    ------
    InputError
        For anything else.

    Examples
    --------
    >>> parse_bytes("20GB"), parse_bytes("512 MiB"), parse_bytes("0")
    (20000000000, 536870912, 0)
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(?:([KMGT])(I?)B?|B)?\s*", text, re.IGNORECASE | re.ASCII)
    if not match:
        raise InputError(f"{what} is not a number of bytes", got=repr(text), wanted="e.g. 20GB, 500MB or 1.5TiB")
    number, unit, binary = match.groups()
    return int(float(number) * (1024 if binary else 1000) ** _POWERS[(unit or "").upper()])


def parse_time(text: str) -> datetime:
    """Return a moment, in UTC. Without a time zone it is of this machine's; a date alone is the end of that day.

    Parameters
    ----------
    text : str
        ISO 8601, e.g. ``2026-11-29``, ``2026-11-29 14:05`` or ``2026-11-29T13:05:00.250Z``; a time alone is today's.

    Raises
    ------
    InputError
        For anything else, and for a moment that is still to come.

    Examples
    --------
    >>> parse_time("2026-03-01T14:05:00+01:00").isoformat(), parse_time("2026-03-01 14:05Z").isoformat()
    ('2026-03-01T13:05:00+00:00', '2026-03-01T14:05:00+00:00')
    """
    given, here = text.strip(), datetime.now().astimezone()
    try:
        if re.fullmatch(r"\d\d?:\d\d(:\d\d(\.\d+)?)?", given):
            moment = datetime.combine(here.date(), time.fromisoformat(given.zfill(5) if given[1] == ":" else given))
        elif re.fullmatch(r"\d{4}-?\d\d-?\d\d", given):
            last = datetime.fromisoformat(given) + timedelta(days=1, milliseconds=-1)
            moment = min(last.astimezone(), here) if last.date() == here.date() else last
        else:
            moment = datetime.fromisoformat(given)
        moment = moment.astimezone(UTC)  # a time without a zone is local
    except (ValueError, OverflowError, OSError):
        raise InputError(
            "a time can't be read", got=repr(text), wanted="e.g. 2026-11-29, 2026-11-29 14:05 or 2026-11-29T14:05:00Z"
        ) from None
    if moment > here:
        raise InputError("the time is still to come", got=text, wanted=f"a time up to {here:%Y-%m-%d %H:%M:%S}")
    return moment


def bytes_text(count: int) -> str:
    """Return a number of bytes as a person reads it.

    Examples
    --------
    >>> bytes_text(1_234_567_890), bytes_text(20 * 10**9), bytes_text(999), bytes_text(999_999)
    ('1.2 GB', '20 GB', '999 B', '1 MB')
    """
    value, unit = float(count), "B"
    for larger in ("KB", "MB", "GB", "TB"):
        if round(value, 1) < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.1f}".removesuffix(".0") + f" {unit}"


def home_as_tilde(path: Path) -> str:
    """Return a path with the home folder as ``~``."""
    with contextlib.suppress(RuntimeError, ValueError):
        return str(Path("~") / path.relative_to(Path.home()))
    return str(path)


def now() -> str:
    """Return the time in UTC as ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
