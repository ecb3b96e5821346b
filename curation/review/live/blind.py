"""Listings whose suggestion stays hidden until they are decided, to tell how far suggestions lead the reviewer.

Which ones is a hash of the run and the id, so that it is the same for everyone and after a restart. The run keeps since
when a reviewer sees which share of them so. Only a reviewer's first word on a listing counts, where nobody had decided
on it: after that, suggestions are in sight. So they are for who opens the page without `--blind` in between: the run
keeps which of the hidden ones were shown then.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.run.folder import RunFolder
from curation.run.journal import Decision, person
from training.utils.files import NotReadableError, read_json, read_regular, sha256_of_file, write_json
from training.utils.flock import locked_folder

__all__ = ["Agreement", "Blind", "agreement"]

_FILE = "blind.json"
_SHOWN = "blind-shown.jsonl"
#: The normal distribution's 97.5 % quantile.
_QUANTILE = 1.96
#: Decisions of each side from which on the difference is told.
_ENOUGH = 10
#: A decision on the label.
_LABELLED = ("keep", "relabel")


@dataclass(frozen=True)
class Agreement:
    """How often decisions agree with the suggestion.

    Attributes
    ----------
    shown, shown_agree : int
        Decisions on a label for which another one was suggested in sight, and those that took it.
    hidden, hidden_agree : int
        The same where the suggestion was hidden.
    """

    shown: int
    shown_agree: int
    hidden: int
    hidden_agree: int

    @property
    def difference(self) -> tuple[float, float, float] | None:
        """The share with the suggestion less that without, in [-1, 1], and its 95 % interval; None with too few.

        Of Agresti and Caffo: one more decision of each kind on each side.
        """
        if min(self.shown, self.hidden) < _ENOUGH:
            return None
        sides = ((self.shown_agree, self.shown), (self.hidden_agree, self.hidden))
        (p, n), (q, m) = [((agree + 1) / (size + 2), size + 2) for agree, size in sides]
        reach = _QUANTILE * math.sqrt(p * (1 - p) / n + q * (1 - q) / m)
        change = self.shown_agree / self.shown - self.hidden_agree / self.hidden
        return change, max(-1.0, p - q - reach), min(1.0, p - q + reach)

    def __str__(self) -> str:
        """Return it in words; empty without a decision."""
        sides = {"with suggestion": (self.shown_agree, self.shown), "without": (self.hidden_agree, self.hidden)}
        told = [f"{what} {100 * agree / size:.0f} % of {size} agree" for what, (agree, size) in sides.items() if size]
        words = ", ".join([*told[:1], *(each.removesuffix(" agree") for each in told[1:])])
        if self.difference is None:
            return words
        change, low, high = (100 * value for value in self.difference)
        return f"{words}; difference {change:+.0f} points, 95 % {low:+.0f} to {high:+.0f}"


class Blind:
    """Which listings are shown without their suggestion.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    share : float
        Of the listings, in [0, 1].
    reviewer : str
        To whom.
    now : str
        The time, ISO 8601 in UTC to the microsecond, as keys of steps are.

    Attributes
    ----------
    share : float
    periods : list of (str, float)
        Since when this reviewer saw which share so, oldest first; the last is this one.
    """

    def __init__(self, run: RunFolder, share: float, reviewer: str, now: str) -> None:
        self.share = share
        self._salt = sha256_of_file(run.issues_file)
        self.periods = _periods(run, share, reviewer, now)
        self._reviewer = reviewer
        self._file = run.folder / _SHOWN
        self._most = max((share for _, share in self.periods), default=0.0)
        self._shown = _shown(self._file, reviewer)

    def hides(self, id: str) -> bool:
        """Return whether the suggestion of a listing is hidden until it is decided."""
        return self._hid(id, self.share)

    def hid(self, decision: Decision) -> bool | None:
        """Return whether the suggestion was hidden when something was decided.

        Returns
        -------
        bool or None
            None where no share was hidden then, or this one had been shown before.
        """
        share = next((share for since, share in reversed(self.periods) if since <= decision.time), 0.0)
        was_shown = self._shown.get(decision.id, decision.time) < decision.time
        hidden = self._hid(decision.id, share)
        return None if not share or (hidden and was_shown) else hidden

    def show(self, ids: Iterable[str], now: str) -> None:
        """Keep which listings are shown with their suggestion that were hidden under another share.

        Parameters
        ----------
        ids : iterable of str
            What is shown now, hidden or not.
        now : str
            As for the class.
        """
        if self.share >= self._most:
            return
        fresh = [id for id in ids if id not in self._shown and self._hid(id, self._most) and not self.hides(id)]
        self._shown.update(dict.fromkeys(fresh, now))
        lines = [json.dumps({"reviewer": self._reviewer, "id": id, "time": now}) + "\n" for id in fresh]
        # without it, a later review counts them as blind: nothing to stop this one for
        with contextlib.suppress(OSError), self._file.open("a", encoding="utf-8") as stream:
            stream.write("".join(lines))

    def _hid(self, id: str, share: float) -> bool:
        if not share:
            return False
        drawn = hashlib.sha256(f"{self._salt}\n{id}".encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(drawn[:8], "big") < share * 2**64


def agreement(first: Iterable[tuple[Decision, str | None]], blind: Blind) -> Agreement:
    """Return how often decisions agree with what was suggested.

    Parameters
    ----------
    first : iterable of (Decision, str or None)
        A reviewer's first word on each listing, of :meth:`Followed.first_of`, with the given label.
    blind : Blind
        Which ones were hidden.
    """
    counts = {True: [0, 0], False: [0, 0]}
    for decision, given in first:
        suggested = decision.suggested_label
        hidden = blind.hid(decision)
        if decision.action not in _LABELLED or suggested is None or suggested == given or hidden is None:
            continue
        side = counts[hidden]
        side[0] += 1
        side[1] += decision.new_label == suggested
    return Agreement(*counts[False], *counts[True])


def _periods(run: RunFolder, share: float, reviewer: str, now: str) -> list[tuple[str, float]]:
    """Return since when a reviewer saw which share blind, and keep that this one begins now if it is another one."""
    file = run.folder / _FILE
    # another reviewer may start at the same time
    with locked_folder(run.folder):
        try:
            content = read_json(file)
            kept: dict[str, Any] = content if isinstance(content, dict) else {}
        except (OSError, ValueError, NotReadableError):
            kept = {}
        own = [name for name in kept if person(name) == person(reviewer)]
        said = [period for name in own if isinstance(kept[name], list) for period in kept[name]]
        before = sorted(filter(_is_period, said), key=lambda period: str(period["since"]))
        if (before[-1]["share"] if before else 0) != share:
            before.append({"share": share, "since": now})
            others = {name: periods for name, periods in kept.items() if name not in own}
            write_json(file, {**others, reviewer: before})
    return [(period["since"], period["share"]) for period in before]


def _shown(file: Path, reviewer: str) -> dict[str, str]:
    """Return which listings were shown to a reviewer, and when first."""
    times: dict[str, str] = {}
    try:
        lines = read_regular(file).splitlines()
    except (OSError, NotReadableError):
        return times
    for line in lines:
        try:
            said = json.loads(line)
            if person(said["reviewer"]) == person(reviewer):
                times.setdefault(said["id"], str(said["time"]))
        except (ValueError, TypeError, KeyError, AttributeError):  # torn by a crash
            continue
    return times


def _is_period(content: Any) -> bool:
    return (
        isinstance(content, dict)
        and isinstance(content.get("since"), str)
        and isinstance(content.get("share"), int | float)
        and 0 <= content["share"] <= 1
    )
