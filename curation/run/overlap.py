"""Listings that two reviewers decide on, each without the other's word, to tell how far they agree.

Which ones is a hash of the run and the id, so that it is the same for everyone and after a restart. The run keeps the
share: all of its reviewers have the same one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from curation.errors import InputError
from curation.run.carry_over import EARLIER
from curation.run.folder import RunFolder
from curation.run.journal import Decision, person
from training.utils.files import NotReadableError, read_json, sha256_of_file, write_json

__all__ = ["Overlap", "drawn"]

_FILE = "overlap.json"


def drawn(salt: str, id: str) -> int:
    """Return a number for a listing that is drawn by chance, and is always the same, in [0, 2**64).

    Parameters
    ----------
    salt : str
        Another one gives another number.
    id : str
        The listing.
    """
    return int.from_bytes(hashlib.sha256(f"{salt}\n{id}".encode("utf-8", "surrogatepass")).digest()[:8], "big")


class Overlap:
    """Which listings two reviewers decide on.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    share : float, optional
        Of the listings, in [0, 1]; by default what the run has, or none of them. What is given is kept.

    Attributes
    ----------
    share : float

    Raises
    ------
    InputError
        If the run has another share already.
    """

    def __init__(self, run: RunFolder, share: float | None = None) -> None:
        kept = _kept(run)
        if share and kept is None:
            write_json(run.folder / _FILE, {"share": share})
            kept = _kept(run)  # somebody else may have started at the same time
        if share is not None and share != (kept or 0):
            raise InputError(
                "all reviewers of a run have the same `overlap`",
                got=f"{share:g}",
                wanted=f"{kept or 0:g}, as the review of this run began with",
                fix="Leave it out: the run knows it.",
                parameter="overlap",
            )
        self.share = kept or 0.0
        self._salt = f"overlap\n{sha256_of_file(run.issues_file)}" if self.share else ""
        self._known: dict[str, bool] = {}

    def doubles(self, id: str) -> bool:
        """Return whether two reviewers are to decide on a listing."""
        if not self.share:
            return False
        if id not in self._known:
            self._known[id] = drawn(self._salt, id) < self.share * 2**64
        return self._known[id]

    def waits(self, id: str, stack: Sequence[Decision]) -> bool:
        """Return whether somebody has decided on a listing, and a second reviewer is still to do so.

        Parameters
        ----------
        id : str
            The listing.
        stack : sequence of Decision
            What was said of it, of :func:`curation.run.journal.stacks_of`.
        """
        if not stack or not self.doubles(id):
            return False
        # a settling word takes the place of the others, but they have been said
        latest = {person(word.reviewer): word for word in stack if word.source != "suggestion"}
        is_settled = any(word.saw for word in stack)
        return len(latest) == 1 and not is_settled and all(word.source != EARLIER for word in latest.values())


def _kept(run: RunFolder) -> float | None:
    """Return the share that a run keeps; None if it has none, or none that can be read."""
    try:
        content: Any = read_json(run.folder / _FILE)
        share = content["share"]
    except (OSError, ValueError, NotReadableError, TypeError, KeyError):
        return None
    is_share = isinstance(share, int | float) and not isinstance(share, bool) and 0 <= share <= 1
    return float(share) if is_share else None
