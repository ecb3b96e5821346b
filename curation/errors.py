"""The errors a person can cause or fix.

::

    CurateError               something failed                              exit code 1
    ├── ReviewError           the review can't start here (no mongod, ...)
    ├── DivergedError         the loss of a training is NaN or infinite (training/fit/loop.py)
    ├── PhotosMissingError    the cache no longer has a run's photos (training/images/store.py)
    ├── MachineError          a full disk, missing rights, no memory    exit code 2
    └── InputError            the request can't be carried out as it stands exit code 2
        ├── ListingsError     the listings; every bad row in `.problems`
        ├── ProbabilitiesError
        ├── DecisionsError
        └── RunError          no such run, or one that has not finished
            └── RunInUseError another command works on it

Every message is one line: what, got, wanted, next step. `parameter` is the argument of the API that is at fault, if it
is a single one. A message names arguments and functions of the API, in backquotes; the command line turns them into its
options and commands.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from training.errors import (
    CurateError,
    InputError,
    MachineError,
    check_path,
    check_range,
    checked,
    closest,
    short_repr,
    some,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "CurateError",
    "DecisionsError",
    "InputError",
    "ListingsError",
    "MachineError",
    "ProbabilitiesError",
    "ReviewError",
    "RunError",
    "RunInUseError",
    "about",
    "check_path",
    "check_range",
    "checked",
    "closest",
    "short_repr",
    "some",
]


@contextmanager
def about(parameter: str) -> Iterator[None]:
    """Let errors of the block that name no argument say that it is this one.

    Examples
    --------
    >>> try:
    ...     with about("folder"):
    ...         raise RunError("no/such/run is not a run")
    ... except RunError as error:
    ...     print(error.parameter)
    folder
    """
    try:
        yield
    except CurateError as error:
        error.parameter = error.parameter or parameter
        raise


class ReviewError(CurateError):
    """The review can't start here."""


class ListingsError(InputError):
    """The listings can't be used.

    Attributes
    ----------
    problems : DataFrame
        Every bad row: ``row`` (line of the table, the header is line 1), ``id``, ``column``, ``value``, ``why``.
    """

    def __init__(
        self,
        what: str,
        *,
        got: str = "",
        wanted: str = "",
        fix: str = "",
        parameter: str | None = "source",
        problems: pd.DataFrame | None = None,
    ) -> None:
        super().__init__(what, got=got, wanted=wanted, fix=fix, parameter=parameter)
        # slow to import, and whoever raises this has done so
        import pandas as pd

        self.problems = pd.DataFrame() if problems is None else problems


class ProbabilitiesError(InputError):
    """Probabilities that do not fit the listings."""

    def __init__(
        self, what: str, *, got: str = "", wanted: str = "", fix: str = "", parameter: str | None = "probabilities"
    ) -> None:
        super().__init__(what, got=got, wanted=wanted, fix=fix, parameter=parameter)


class DecisionsError(InputError):
    """Decisions that can't be applied: unknown ids, unknown classes, no decision at all."""


class RunError(InputError):
    """There is no such run, or it has not finished, or its files are damaged."""


class RunInUseError(RunError):
    """Another command works on the run.

    Attributes
    ----------
    what : str
        The message without advice: which command, of whom, and since when.
    """

    def __init__(self, what: str, *, fix: str = "", parameter: str | None = None) -> None:
        super().__init__(what, fix=fix, parameter=parameter)
        self.what = what
