"""What became of the copy of a run, as a result of the public API."""

from __future__ import annotations

from dataclasses import dataclass

from curation.rendering.results import Result

__all__ = ["Copied"]


@dataclass(frozen=True)
class Copied(Result):
    """A run that was copied.

    Attributes
    ----------
    source, target : str
        The folder and the URL, or the other way round; without what a message must not show.
    files : int
        Files of the run.
    bytes : int
        Their size.
    copied_files : int
        Those that were copied now; the others were there.
    copied_bytes : int
        Their size.
    journal_lines : int
        Lines of the journal, with its decisions.
    """

    source: str
    target: str
    files: int
    bytes: int
    copied_files: int
    copied_bytes: int
    journal_lines: int
