"""The map of a live page: where the photo of each listing of the queue stands, so that alike ones stand together.

The points are those that the App shows. They are computed when the map is first asked for, in a process of its own.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from curation.review.live import beside
from curation.review.live.filters import Facts
from curation.review.live.queue import Queue
from curation.review.points import kept_points
from curation.run.folder import RunFolder
from training.utils.arrays import Bool

__all__ = ["PhotoMap"]

#: Corners of the map, as whole numbers of 16 bits.
_LARGEST = 65535
_GIVEN_ALONE = "This run was made from given probabilities, which don't say which photos look alike: it has no map."
_TOO_FEW = "Fewer than three listings have a photo that can be compared: there is no map."
_MAKING = "The map is being made: some ten seconds, once for each run. You can review meanwhile."


class PhotoMap:
    """Has the points of a run, as soon as they are computed. For one thread.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    queue : Queue
        A queue of the run: the places of all its queues are the same.
    start : callable, optional
        Starts to compute the points; by default a process.
    """

    def __init__(
        self, run: RunFolder, queue: Queue, start: Callable[[], subprocess.Popen[bytes]] | None = None
    ) -> None:
        self._run = run
        self._ids, self._place = queue.ids, queue.place
        self._start = start or (lambda: beside.start(run, "curation.review.points"))
        self._process: subprocess.Popen[bytes] | None = None
        self._points: tuple[npt.NDArray[np.uint16], Bool] | None = None
        self._why_none = ""

    def look(self) -> dict[str, str]:
        """Return whether there is a map, and start to make it if not. This waits for no computation.

        Returns
        -------
        dict of str to str
            ``state``: ``ready``, ``making``, ``none`` or ``failed``; ``why``: a sentence, if it is not ready.
        """
        if self._points is None and not self._why_none:
            told = self._make()
            if told is not None:
                return told
        return {"state": "none", "why": self._why_none} if self._why_none else {"state": "ready", "why": ""}

    def packed(self, facts: Facts, veiled: Bool) -> bytes:
        """Return the points of a queue, as the page reads them.

        Parameters
        ----------
        facts : Facts
            Of the queue.
        veiled : ndarray of bool, shape (M,)
            Those whose suggestion is hidden: they are left out, as a colour would tell it.

        Returns
        -------
        bytes
            Little-endian. Four numbers of 32 bits: the version of the queue, N points, how many listings have none, and
            how many are hidden. Then, N each: place, given and suggested class (32 bits; -1 for none), and two numbers
            of 16 bits, across and down. Empty if there is no map yet.
        """
        if self._points is None:
            return b""
        points, has = self._points
        places = facts.queue.places
        shown = has[places] & ~veiled
        missing = int((~has[places] & ~veiled).sum())
        head = np.array([facts.queue.version, shown.sum(), missing, veiled.sum()], dtype="<i4")
        labels = [column[shown].astype("<i4") for column in (places, facts.given, facts.suggested)]
        return b"".join(part.tobytes() for part in (head, *labels, points[places[shown]].astype("<u2")))

    def close(self) -> None:
        """End the process, if there is one."""
        beside.end(self._process)

    def _make(self) -> dict[str, str] | None:
        """Return what is to be said while there are no points; None if there are some, or will be none."""
        making = {"state": "making", "why": _MAKING}
        if self._process is None:
            if self._run.features() is None:
                self._why_none = _GIVEN_ALONE
                return None
            if self._take():
                return None
            try:
                self._process = self._start()
            except OSError as error:
                return _failed(f"no process could be started: {error.strerror or error}")
            return making
        ended = self._process.poll()
        if ended is None:
            return making
        self._process = None
        if ended:
            return _failed(beside.reason(ended))
        return None if self._take() else _failed("the points that were computed can't be read")

    def _take(self) -> bool:
        """Take the points over that the run has."""
        kept = kept_points(self._run)
        if kept is None:
            return False
        rows = np.array([self._place[id] for id in kept if id in self._place], dtype=np.int64)
        if not len(rows):
            self._why_none = _TOO_FEW
            return True
        there = np.stack([point for id, point in kept.items() if id in self._place]).astype(np.float64)
        low = there.min(axis=0)
        # one scale for both directions, so that distances stay as they are
        reach = float((there.max(axis=0) - low).max()) or 1.0
        middle = (1 - (there.max(axis=0) - low) / reach) / 2
        points = np.zeros((len(self._ids), 2), dtype=np.uint16)
        points[rows] = np.round(((there - low) / reach + middle) * _LARGEST)
        has = np.zeros(len(self._ids), dtype=np.bool_)
        has[rows] = True
        self._points = points, has
        return True


def _failed(why: str) -> dict[str, str]:
    return {"state": "failed", "why": f"The map could not be made ({why}). Leave it and come back to try again."}
