"""The base of all errors that a person can cause or fix.

:mod:`curation.errors` shows the whole tree. A message puts names of the API into backquotes (`` `folds` ``,
`` `device="cpu"` ``, `` `find_issues()` ``) and never names a flag or a command; the command line spells these itself.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

__all__ = ["CurateError", "DivergedError", "InputError", "check_choice", "check_range", "closest", "some"]


class CurateError(Exception):
    """A sensible request failed (exit code 1).

    Parameters
    ----------
    message : str
        One line.
    parameter : str, optional
        Which argument of the API is at fault, e.g. ``"learning_rate"``.

    Attributes
    ----------
    parameter : str or None
        The same; None if it is no single argument.
    """

    exit_code = 1

    def __init__(self, message: str, *, parameter: str | None = None) -> None:
        super().__init__(message)
        self.parameter = parameter


class DivergedError(CurateError):
    """A training diverged: its loss is NaN or infinite."""


class InputError(CurateError):
    """The request can't be carried out as it stands (exit code 2).

    Parameters
    ----------
    what : str
        What is wrong, e.g. ``"listings.csv has no column 'label'"``.
    got, wanted : str, optional
        The value, and what would have been accepted.
    fix : str, optional
        What to do next.
    parameter : str, optional
        Which argument of the API is at fault.

    Examples
    --------
    >>> error = InputError(
    ...     "unknown model", got="resnet81", wanted="a torchvision classifier", fix="Try resnet18.", parameter="model"
    ... )
    >>> print(error)
    unknown model: got resnet81; wanted a torchvision classifier. Try resnet18.
    >>> error.parameter
    'model'
    """

    exit_code = 2

    def __init__(
        self, what: str, *, got: str = "", wanted: str = "", fix: str = "", parameter: str | None = None
    ) -> None:
        details = "; ".join(part for part in (got and f"got {got}", wanted and f"wanted {wanted}") if part)
        message = f"{what}: {details}" if details else what
        super().__init__(f"{message}. {fix}" if fix else message, parameter=parameter)


def check_choice(parameter: str, what: str, value: str, choices: Sequence[str]) -> None:
    """Refuse a `value` that is not one of `choices`; `what` names the `parameter` in words."""
    if value not in choices:
        wanted, fix = ", ".join(choices), closest(value, choices)
        raise InputError(f"unknown {what}", got=value, wanted=wanted, fix=fix, parameter=parameter)


def check_range(parameter: str, what: str, value: float | None, low: float, high: float) -> None:
    """Refuse a `value` that is not from `low` to `high`; None passes; `what` names the `parameter` in words."""
    if value is not None and not low <= value <= high:
        raise InputError(f"the {what} is out of range", got=str(value), wanted=f"{low} to {high}", parameter=parameter)


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


def closest(name: str, names: Sequence[str]) -> str:
    """Return ``"Did you mean 'x'?"`` for the one of `names` that is nearest to `name`, or an empty text.

    Examples
    --------
    >>> closest("labl", ["id", "label", "price"])
    "Did you mean 'label'?"
    """
    lowered = {other.lower(): other for other in names}
    nearest = difflib.get_close_matches(name.lower(), list(lowered), n=1, cutoff=0.6)
    return f"Did you mean '{lowered[nearest[0]]}'?" if nearest else ""
