"""What a look at everything in a run found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.rendering.results import Result

__all__ = ["Flaw", "Verified"]


@dataclass(frozen=True)
class Flaw:
    """Something that is not as it should be.

    Attributes
    ----------
    where : str
        The file or folder, relative to the run's.
    what : str
        What is wrong, in a sentence without its full stop.
    fix : str
        What to do, in sentences.
    """

    where: str
    what: str
    fix: str

    def __str__(self) -> str:
        """Return it as one line."""
        return f"{self.where}: {self.what}. {self.fix}"


@dataclass(frozen=True)
class Verified(Result):
    """What :meth:`curation.Run.verify` found.

    Attributes
    ----------
    run : Path
        The run's folder.
    ok : bool
        Whether nothing is wrong.
    faults : tuple of Flaw
        What is wrong: ``where``, ``what``, and ``fix``.
    checked : dict of str to int
        How much was looked at: ``files`` with a recorded hash, ``listings``, ``journal_lines``, ``versions`` of the
        cleaned dataset.
    notes : tuple of str
        What could not be checked, and why: a sentence each.
    """

    run: Path
    ok: bool
    faults: tuple[Flaw, ...]
    checked: dict[str, int]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, as ``curate verify --json`` prints them."""
        faults = [vars(flaw) for flaw in self.faults]
        return {
            "run": str(self.run),
            "ok": self.ok,
            "faults": faults,
            "checked": self.checked,
            "notes": list(self.notes),
        }

    def _shown(self) -> Iterator[tuple[str, Any]]:
        yield "run", str(self.run)
        yield "ok", self.ok
        yield "faults", [str(flaw) for flaw in self.faults]
        yield "checked", self.checked
        yield "notes", list(self.notes)
