"""What one kind of torture found: how many cases were tried, and what went wrong in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

__all__ = ["FAULTS", "Tally"]

#: The counts that must be 0.
FAULTS = ("losses", "tracebacks", "hangs", "unexplained")


@dataclass
class Tally:
    """Counts of one kind.

    Attributes
    ----------
    kind : str
        The module's name.
    tried : int
        Cases.
    losses : int
        Cases in which something acknowledged was lost, or a result was torn.
    tracebacks : int
        Cases that showed a traceback.
    hangs : int
        Cases that did not end.
    unexplained : int
        Cases with any other wrong outcome: a row that nothing explains, a result that differs, a wrong exit code.
    faults : list of str
        A line for each of these, with what it takes to try it again.
    skipped : str
        Why nothing, or not everything, was tried, e.g. a tool that is missing.
    notes : list of str
        What else to show: a line each, e.g. seconds and MB at most.
    """

    kind: str
    tried: int = 0
    losses: int = 0
    tracebacks: int = 0
    hangs: int = 0
    unexplained: int = 0
    faults: list[str] = field(default_factory=list)
    skipped: str = ""
    notes: list[str] = field(default_factory=list)

    def fault(self, count: str, line: str) -> None:
        """Add one to a count of :data:`FAULTS`, and say what it was."""
        setattr(self, count, getattr(self, count) + 1)
        self.faults.append(f"{count}: {line}")

    def add(self, others: Iterable[Tally]) -> Tally:
        """Add the counts of others, e.g. of parallel processes, to this one, and return it."""
        for other in others:
            for name in ("tried", *FAULTS):
                setattr(self, name, getattr(self, name) + getattr(other, name))
            self.faults += other.faults
            self.notes += other.notes
            self.skipped = self.skipped or other.skipped
        return self

    @property
    def clean(self) -> bool:
        """Whether nothing went wrong."""
        return not self.faults and not any(getattr(self, name) for name in FAULTS)
