"""Durations as people write them."""

from __future__ import annotations

import re

from training.errors import InputError

__all__ = ["duration", "parse_duration"]

_UNITS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}


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
    """Return the seconds of a duration.

    Raises
    ------
    InputError
        If it is not one.

    Examples
    --------
    >>> parse_duration("10m"), parse_duration("1h30m"), parse_duration("45")
    (600.0, 5400.0, 45.0)
    """
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*([a-z]*)\s*", text.strip().lower())
    whole = re.fullmatch(r"(?:\d+(?:\.\d+)?\s*[a-z]*\s*)+", text.strip().lower())
    if not whole or any(unit not in _UNITS for _, unit in parts):
        raise InputError("a duration can't be read", got=text, wanted="e.g. 90s, 10m, 1h30m")
    return float(sum(float(number) * _UNITS[unit] for number, unit in parts))
