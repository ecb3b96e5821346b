"""Classes in a hierarchy: which confusions stay within a parent, and which lead elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from curation.listings.labels import PARENT
from curation.listings.twins import name_key

__all__ = ["Hierarchy"]


@dataclass(frozen=True)
class Hierarchy:
    """What is above each class.

    Attributes
    ----------
    parents : dict of str to str
        Class → its parent; classes at the top are not in it. Empty if the labels are no hierarchy.
    """

    parents: dict[str, str]

    @classmethod
    def of(cls, listings: pd.DataFrame) -> Hierarchy:
        """Return the hierarchy of a run's table, by its ``label_parent``."""
        if PARENT not in listings:
            return cls({})
        known = listings[["label", PARENT]].dropna().drop_duplicates("label")
        return cls(dict(zip(known["label"].tolist(), known[PARENT].tolist(), strict=True)))

    def within(self, one: str, other: str) -> bool | None:
        """Return whether two classes have the same parent, or one is the parent of the other; None without parents.

        Examples
        --------
        >>> classes = Hierarchy({"Games > Consoles": "Games", "Games > Video": "games", "Phones > Home": "Phones"})
        >>> classes.within("Games > Consoles", "Games > Video"), classes.within("Games", "Games > Video")
        (True, True)
        >>> classes.within("Games > Consoles", "Phones > Home")
        False
        """
        if not self.parents:
            return None
        above, below = self._parent(one), self._parent(other)
        return (above is not None and above in (below, name_key(other))) or below == name_key(one)

    def _parent(self, name: str) -> str | None:
        parent = self.parents.get(name)
        return None if parent is None else name_key(parent)

    def step(self, given: str, suggested: str) -> str:
        """Say where a correction leads: within a parent or to another one; empty if the labels are no hierarchy.

        Examples
        --------
        >>> classes = Hierarchy({"Games > Consoles": "Games", "Games > Video": "Games", "Phones > Home": "Phones"})
        >>> classes.step("Games > Consoles", "Games > Video"), classes.step("Games > Consoles", "Phones > Home")
        ('within Games', 'from Games to Phones')
        """
        within = self.within(given, suggested)
        if within is None:
            return ""
        above, below = self.parents.get(given, given), self.parents.get(suggested, suggested)
        return f"within {self.parents.get(given) or below}" if within else f"from {above} to {below}"
