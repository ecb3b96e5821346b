"""The words about all decisions that a live page gets with every answer; counted when the journal has grown."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from curation.review.live.blind import Blind, agreement
from curation.review.live.following import Followed
from curation.run.agreement import agreement_among

__all__ = ["Told"]

#: So many times as long as it took to tell how far reviewers agree, it is not told again.
_REST = 20


class Told:
    """The words of one reviewer's page. One thread at a time may use it.

    Parameters
    ----------
    followed : Followed
        The journal.
    labels : mapping of str to (str or None)
        The given label of each listing.
    blind : Blind
        What is hidden.
    reviewer : str
        Who decides.
    waiting : callable
        Returns how many listings wait for a second reviewer.
    """

    def __init__(
        self,
        followed: Followed,
        labels: Mapping[str, str | None],
        blind: Blind,
        reviewer: str,
        waiting: Callable[[], int],
    ) -> None:
        self._followed, self._labels, self._blind = followed, labels, blind
        self._reviewer, self._waiting = reviewer, waiting
        self._seen = self._seen_of_team = -1
        self._agreement = self._team = ""
        self._due = 0.0

    def now(self) -> dict[str, str]:
        """Return the words by name.

        Returns
        -------
        dict
            ``agreement`` with suggestions, empty without `--blind`, and that of the ``team``.
        """
        events = len(self._followed.changed)
        if self._seen != events:
            self._seen = events
            self._agreement = self._with_suggestions() if self._blind.share else ""
        start = time.perf_counter()
        # with thousands of such listings it takes longer, and then it is told later: no key waits for it long
        if self._seen_of_team != events and start > self._due:
            self._seen_of_team = events
            self._team = self._of_team()
            self._due = time.perf_counter() + _REST * (time.perf_counter() - start)
        return {"agreement": self._agreement, "team": self._team}

    def _with_suggestions(self) -> str:
        said = self._followed.first_of(self._reviewer)
        return str(agreement([(each, self._labels[each.id]) for each in said if each.id in self._labels], self._blind))

    def _of_team(self) -> str:
        conflicts = len(self._followed.conflicts())
        return str(agreement_among(self._followed.histories(), self._labels, conflicts, self._waiting()))
