"""What is wrong with a dataset: the first fault ends the reading, or all of them are collected for a look at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pandas as pd

from curation.errors import ListingsError

__all__ = ["Faults", "refuse_faults"]


class Faults:
    """Takes the faults of a dataset while it is read.

    Parameters
    ----------
    strict : bool
        Whether to raise a fault as soon as it is there.

    Attributes
    ----------
    found : list of ListingsError
        In the order of the checks; empty if strict.
    called : callable
        Index of rows → what a person calls them, see :meth:`curation.listings.tables.RawTable.called`.

    Examples
    --------
    >>> faults = Faults(strict=False)
    >>> with faults.noted():
    ...     raise ListingsError("the table has one class only")
    >>> faults.found
    [ListingsError('the table has one class only')]
    """

    def __init__(self, *, strict: bool = True) -> None:
        self._strict = strict
        self.found: list[ListingsError] = []
        self.called: Callable[[pd.Index], pd.Index] = lambda rows: rows

    def add(self, fault: ListingsError) -> None:
        """Raise a fault, or note it."""
        if fault.problems is not None and "row" in fault.problems:
            fault.problems = fault.problems.assign(row=self.called(pd.Index(fault.problems["row"])))
        if self._strict:
            raise fault
        self.found.append(fault)

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Take the fault that ends the block: of a check that gives nothing that the reading needs."""
        try:
            yield
        except ListingsError as fault:
            self.add(fault)


def refuse_faults(faults: tuple[ListingsError, ...]) -> None:
    """Raise the first fault of listings that were read only to look at them."""
    if faults:
        raise faults[0]
