"""How long and how much is fetched, and why something can't be."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Lock
from typing import TypeVar

__all__ = ["AT_ONCE", "NotFetchedError", "Patience", "Room", "Task", "Tasks", "patiently"]

Result = TypeVar("Result")
#: Bytes of one file that a thread holds while others hold theirs; of larger files one is held at a time.
AT_ONCE = 16 * 10**6


class NotFetchedError(Exception):
    """Why a URL gives nothing, as the end of a sentence about it: ``"is larger than 20 MB"``.

    Parameters
    ----------
    reason : str
        The words; without the URL, which may hold a password.
    again : bool
        Whether it may go better in a moment: no answer, a server that is overloaded, half a file.
    of_all : bool
        Whether the same may hold for all that the server or bucket has: it refuses, or can't be reached.
    after : float
        Seconds that the server wants one to wait.
    missing : bool
        Whether the server or bucket says that there is nothing.

    Attributes
    ----------
    reason, again, of_all, after, missing
        The same.
    """

    def __init__(
        self, reason: str, *, again: bool = False, of_all: bool = False, after: float = 0.0, missing: bool = False
    ) -> None:
        super().__init__(reason)
        self.reason, self.again, self.of_all, self.after, self.missing = reason, again, of_all, after, missing


@dataclass(frozen=True)
class Patience:
    """How long one waits.

    Attributes
    ----------
    tries : int
        How often a file is asked for whose server fails for the moment.
    pause : float
        Seconds before the second try, which double for each further one.
    longest_pause : float
        Seconds that one waits at most, if the server asks for more.
    silence : float
        Seconds that a server may say nothing.
    duration : float
        Seconds that one try may take, and
    slowest : float
        bytes per second that are enough to go on after these.
    """

    tries: int = 4
    pause: float = 0.5
    longest_pause: float = 30.0
    silence: float = 10.0
    duration: float = 60.0
    slowest: float = 10_000.0

    def end(self, received: int) -> float:
        """Return how many seconds a try may take of which so many bytes are there."""
        return self.duration + received / self.slowest


def patiently(work: Callable[[], Result], patience: Patience, stop: Event) -> Result:
    """Do something, and again after a pause where it failed for the moment.

    Parameters
    ----------
    work : callable
        Raises NotFetchedError where it fails.
    patience : Patience
        How often, and how long one waits in between.
    stop : Event
        Ends the waiting when set.

    Raises
    ------
    NotFetchedError
        That of the last try.
    """
    for number in range(patience.tries):
        try:
            return work()
        except NotFetchedError as error:
            if not error.again or number + 1 == patience.tries:
                raise
            # not all threads at the same moment
            pause = patience.pause * 2**number * random.uniform(0.5, 1.5)  # noqa: S311  # nosec B311
            if stop.wait(max(pause, min(error.after, patience.longest_pause))):
                raise
    raise AssertionError("at least one try")


class Room:
    """The room in memory for one file, see :data:`AT_ONCE`."""

    def __init__(self, large: Lock) -> None:
        self._large, self._held = large, False

    def grow(self, size: int) -> None:
        """Wait until so many bytes may be held."""
        if size > AT_ONCE and not self._held:
            self._large.acquire()
            self._held = True

    def leave(self) -> None:
        """Give the room back."""
        if self._held:
            self._held = False
            self._large.release()


@dataclass
class Task:
    """The fetching of one file.

    Attributes
    ----------
    patience : Patience
        How long it may take.
    stop : Event
        Ends it when set.
    room : Room
        For its content.
    received : int
        Bytes that came so far.
    """

    patience: Patience
    stop: Event
    room: Room
    received: int = 0

    def check(self, begin: float, received: int) -> None:
        """End a try that was interrupted, or takes too long.

        Parameters
        ----------
        begin : float
            When it began, by :func:`time.monotonic`.
        received : int
            Bytes that it has so far.

        Raises
        ------
        NotFetchedError
        """
        if self.stop.is_set():
            raise NotFetchedError("was interrupted")
        if time.monotonic() - begin > self.patience.end(received):
            raise NotFetchedError(f"takes longer than {self.patience.duration:g} s", again=True, of_all=True)


class Tasks:
    """The files that are fetched at once.

    Parameters
    ----------
    patience : Patience
        How long each may take.

    Attributes
    ----------
    stop : Event
        Ends all of them when set.
    """

    def __init__(self, patience: Patience) -> None:
        self.stop = Event()
        self._patience, self._large = patience, Lock()

    @contextmanager
    def one(self) -> Iterator[Task]:
        """Yield the fetching of one file, whose content may be held while the block runs."""
        room = Room(self._large)
        try:
            yield Task(self._patience, self.stop, room)
        finally:
            room.leave()
