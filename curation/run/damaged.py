"""The refusal of a run with a missing or damaged file: which one, why, and what becomes of the decisions."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from curation.errors import RunError
from curation.run.shapes import RECORD, misfit, started_by
from training.utils.files import DamagedError, NotReadableError, read_json

__all__ = ["find_again", "readable"]

_RECORD, _LISTINGS, _JOURNAL = "run.json", "listings.parquet", "decisions.jsonl"
#: Without them, nobody can tell which photo and label a decision was about.
_FOR_DECISIONS = (_RECORD, _LISTINGS)


@contextmanager
def readable(file: Path, *, run: Path | None = None, fix: str = "") -> Iterator[None]:
    """Refuse a run whose `file`, which the block reads, is missing or damaged.

    Parameters
    ----------
    file : Path
        What is read.
    run : Path, optional
        The run's folder; by default the one that `file` is in.
    fix : str
        What makes the file again, in a sentence; by default finding the issues does.

    Raises
    ------
    RunError
    """
    try:
        yield
    except (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
        raise RunError(
            f"{file} can't be read: the run is damaged",
            got=_reason(error) if os.path.lexists(file) else "no such file",
            fix=fix or find_again(run or file.parent, file.name),
        ) from error


def find_again(folder: Path, name: str) -> str:
    """Say what to do about a file of a run that only finding the issues makes, and what becomes of the decisions.

    Parameters
    ----------
    folder : Path
        The run's.
    name : str
        The file's.

    Returns
    -------
    str
        Sentences.
    """
    again = _command(folder)
    journal = folder / _JOURNAL
    if not journal.is_file() or journal.stat().st_size == 0:
        return f"Run {again} again."
    kept = f"The decisions stay in {journal}"
    if name in _FOR_DECISIONS:
        return f"{kept}. Restore {name} from a copy: without it, the run that {again} makes can't take them over."
    taken = "`review()` of the new run takes over what people decided"
    return f"{kept}. Restore {name} from a copy, or run {again} again: {taken}."


def _command(folder: Path) -> str:
    """Return what makes such a run again, beside this one."""
    record: Any = None
    with suppress(OSError, ValueError, NotReadableError):
        record = read_json(folder / _RECORD)
    if misfit(record, RECORD):
        return "`find_issues(listings)`"
    named = any(
        word.startswith("-") and word.strip("-").partition("=")[0] == "run" for word in record.get("command") or ()
    )
    # the same folder would be refused: a finished run is never written over
    return "`find_issues(listings)`" if named else started_by(record) or "`find_issues(listings)`"


def _reason(error: Exception) -> str:
    if isinstance(error, DamagedError):
        return error.reason
    if isinstance(error, KeyError):
        return f"no {error.args[0]!r}"
    return (str(error) or type(error).__name__).splitlines()[0]
