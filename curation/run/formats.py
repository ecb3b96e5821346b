"""The format of a run, kept in its ``run.json``: which version of curate can read it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from curation.errors import RunError

__all__ = ["format_of", "has_format", "require_format"]


def has_format(record: dict[str, Any], known: int) -> bool:
    """Return whether ``run.json`` is of a format; true and 1.0 are other values than 1.

    Parameters
    ----------
    record : dict
        Its content.
    known : int
        The format.
    """
    return type(record.get("format")) is int and record["format"] == known


def format_of(record: dict[str, Any]) -> str:
    """Return in words which format ``run.json`` has.

    Parameters
    ----------
    record : dict
        Its content.
    """
    return f"format {record['format']!r}"[:80] if "format" in record else "no format"


def require_format(run: Path, record: dict[str, Any], known: int) -> None:
    """Refuse a run of another format.

    Parameters
    ----------
    run : Path
        Its folder.
    record : dict
        Its ``run.json``.
    known : int
        The format that can be read.

    Raises
    ------
    RunError
    """
    if has_format(record, known):
        return
    written = record.get("format")
    newer = type(written) is int and written > known
    raise RunError(
        f"{run} was written by a newer version of curate" if newer else f"{run} is a run of another format",
        got=format_of(record),
        wanted=f"format {known}",
        fix="Open it with that version of curate." if newer else "Run `find_issues()` again.",
    )
