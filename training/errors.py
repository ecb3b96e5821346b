"""The base of every error that a person can cause or mend.

The whole tree is drawn in :mod:`curation.errors`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

__all__ = ["CurateError", "DivergedError", "InputError", "closest", "some"]


class CurateError(Exception):
    """Something failed that is not a mistake in what was asked for (exit code 1)."""

    exit_code = 1


class DivergedError(CurateError):
    """The loss of a training is no number any more."""


class InputError(CurateError):
    """What was asked for can't be done as asked (exit code 2).

    Parameters
    ----------
    what : str
        What is wrong, e.g. ``"listings.csv has no column 'label'"``.
    got, wanted : str, optional
        What was found, and what would have been accepted.
    fix : str, optional
        What to do or type next.

    Examples
    --------
    >>> print(InputError("unknown model", got="resnet81", wanted="a torchvision classifier", fix="Try resnet18."))
    unknown model: got resnet81; wanted a torchvision classifier. Try resnet18.
    """

    exit_code = 2

    def __init__(self, what: str, *, got: str = "", wanted: str = "", fix: str = "") -> None:
        details = "; ".join(part for part in (got and f"got {got}", wanted and f"wanted {wanted}") if part)
        message = f"{what}: {details}" if details else what
        super().__init__(f"{message}. {fix}" if fix else message)


def some(values: Iterable[object], limit: int = 5) -> str:
    """Return up to `limit` of the values as text, and how many more there are.

    Examples
    --------
    >>> some(range(8))
    '0, 1, 2, 3, 4, +3 more'
    """
    listed = [str(value) for value in values]
    more = [f"+{len(listed) - limit} more"] if len(listed) > limit else []
    return ", ".join(listed[:limit] + more)


def closest(name: str, known: Sequence[str]) -> str:
    """Return ``"Did you mean 'x'?"`` for the known name nearest to `name`, or an empty text.

    Examples
    --------
    >>> closest("labl", ["id", "label", "price"])
    "Did you mean 'label'?"
    """
    lowered = {other.lower(): other for other in known}
    found = difflib.get_close_matches(name.lower(), list(lowered), n=1, cutoff=0.6)
    return f"Did you mean '{lowered[found[0]]}'?" if found else ""
