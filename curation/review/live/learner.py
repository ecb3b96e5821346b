"""The queue learns while one reviews: in another process, so that no key waits for it.

That process keeps what it learned in the run (:mod:`curation.run.learned`). This one reads it there, whoever wrote it,
so that all windows and all reviews of a run have the same order. If learning fails, the order stays as it is.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curation.errors import CurateError
from curation.rendering.words import agree, many
from curation.review.live import beside
from curation.review.live.queue import Queue
from curation.run.folder import RunFolder
from curation.run.journal import current_decisions
from curation.run.learned import DECIDED, LearnedState, digest_of, held, learned_file, read_learned, read_state, taught

__all__ = ["EVERY", "Learner", "as_learned"]

#: Lines of the journal after which it is learned from again: decisions, undos and notes.
EVERY = 25
#: Seconds after which the page says that learning takes long.
_LONG = 60.0
#: What the listings are, whatever is learned of them.
_FACTS = ("id", "image", "price", "given_label", "near_duplicate_group")


class _Loaded(NamedTuple):
    """What was learned, ready to be shown.

    Attributes
    ----------
    state : LearnedState
    queue : Queue
    words : str
        What is different now.
    """

    state: LearnedState
    queue: Queue
    words: str


class Learner:
    """Starts to learn when there is enough to learn from, and takes over what was learned. For one thread.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    start : callable, optional
        Starts to learn from the journal up to a line; by default a process.

    Attributes
    ----------
    said : str
        What happened last, in words for the reviewer.
    state : LearnedState or None
        What the order knows; None for the order of the run itself.
    """

    def __init__(self, run: RunFolder, start: Callable[[int], subprocess.Popen[bytes]] | None = None) -> None:
        self._run = run
        self._start = self._started if start is None else start
        self._pool = ThreadPoolExecutor(1, "learned")
        self._loading: Future[_Loaded | None] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._line, self._since = 0, 0.0
        self._has_failed = False
        self._stamp = self._look()
        self.said = ""
        self.state: LearnedState | None = None
        self._flagged = 0

    @property
    def expected(self) -> dict[str, float] | None:
        """How many changes were expected in all that was left when this was learned: as of `LearnedState`."""
        if self.state is None:
            return None
        return {name: getattr(self.state, name) for name in ("left", "changes", "low", "high")}

    def resume(self, queue: Queue) -> Queue:
        """Return the queue as it was learned before this process, if that fits the journal.

        Parameters
        ----------
        queue : Queue
            In the order of the run.
        """
        self._flagged = int(queue.cards.flagged.sum())
        loaded = self._load(queue)
        if loaded is None:
            return queue
        self.state = loaded.state
        self.said = loaded.words
        return loaded.queue

    def step(self, queue: Queue, last: int) -> Queue:
        """Return the queue as it is learned by now, and start to learn if it is time. This waits for nothing.

        Parameters
        ----------
        queue : Queue
            As it is shown.
        last : int
            Number of the journal's last line.
        """
        if self.state is not None and self.state.line > last:
            self.state, self._line = None, 0  # another journal
        self._reap()
        if self._loading is not None and self._loading.done():
            queue = self._taken(self._loading, queue)
            self._loading = None
        if self._loading is None and (stamp := self._look()) != self._stamp:
            self._stamp = stamp
            self._loading = self._pool.submit(self._load, queue)
        known = max(self._line, self.state.line if self.state else 0)
        if not self._has_failed and last - known >= EVERY:
            self._begin(last)
        return queue

    def ask(self, last: int) -> None:
        """Learn now, as a reviewer asked for it.

        Parameters
        ----------
        last : int
            Number of the journal's last line.
        """
        self._has_failed = False
        if last == (self.state.line if self.state else 0):
            self.said = "There is nothing new to learn from: no decision was made since."
        elif self._process is None and self._loading is None:
            self._begin(last)
            self.said = self.said if self._has_failed else "Learning from the decisions …"
        else:
            self.said = "Learning from the decisions is under way already …"

    def close(self) -> None:
        """End the process that learns, if there is one."""
        beside.end(self._process)
        self._pool.shutdown(cancel_futures=True)

    def _begin(self, line: int) -> None:
        if self._process is not None or self._loading is not None:
            return
        self._line, self._since = line, time.monotonic()
        try:
            self._process = self._start(line)
        except OSError as error:
            self._fail(f"no process could be started: {error.strerror or error}")

    def _started(self, line: int) -> subprocess.Popen[bytes]:
        return beside.start(self._run, "curation.learning", str(line))

    def _reap(self) -> None:
        if self._process is None:
            return
        ended = self._process.poll()
        if ended is None:
            if time.monotonic() - self._since > _LONG:
                self.said = "Learning from the decisions takes long; the order stays as it is until then."
            return
        self._process = None
        if ended:
            self._fail(beside.reason(ended))

    def _fail(self, why: str) -> None:
        self._has_failed = True
        self.said = f"The order stays as it is: learning from the decisions failed ({why}). l tries again."

    def _look(self) -> tuple[int, int] | None:
        try:
            found = learned_file(self._run).with_suffix(".json").stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino

    def _load(self, queue: Queue) -> _Loaded | None:
        """Return what the run has, in any thread; None if it does not fit."""
        with held(self._run):
            state, table = read_state(self._run), read_learned(self._run)
        if state is None:
            return None
        journal = self._run.judged_journal()
        known = taught(journal.decisions(state.line))
        if journal.last < state.line or digest_of(known) != state.said:
            return None
        try:
            issues = None if table is None else as_learned(queue.cards.issues, table)
        except (KeyError, pa.ArrowException):
            return None
        if issues is None:
            return None
        cards = queue.cards.judged_again(issues)
        cards.prepare()
        standing = set(current_decisions(journal.decisions()))
        after = queue.again(cards, standing)
        changed = sum(cards.suggested(id) != queue.cards.suggested(id) for id in after.order if id not in standing)
        return _Loaded(state, after, self._words(state, after, changed))

    def _words(self, state: LearnedState, after: Queue, changed: int) -> str:
        others = f"{changed or 'no'} {agree(changed, 'suggestion', 'suggestions')} changed"
        words = f"Learned from {many(state.decisions, 'decision')}: {others}"
        flagged = int(after.cards.flagged.sum())
        # a part of the flagged listings, or conflicts, are another queue
        if flagged == self._flagged or flagged != len(after):
            return f"{words}."
        return f"{words}; {flagged:,} listings are in the queue, {self._flagged:,} before."

    def _taken(self, loading: Future[_Loaded | None], queue: Queue) -> Queue:
        try:
            loaded = loading.result()
        except (OSError, CurateError) as error:
            self._fail(str(error))
            return queue
        if loaded is None or (self.state is not None and loaded.state.line < self.state.line):
            if self._line:
                self._fail("what was learned does not fit this run")
            return queue
        self.state = loaded.state
        self._has_failed = False
        self.said = loaded.words
        return loaded.queue


def as_learned(before: Any, learned: Any) -> Any:
    """Return what cards show after learning: decided listings stay as they were when they were decided.

    Parameters
    ----------
    before : pyarrow.Table
        Of :attr:`curation.review.card.Cards.issues`: as it was shown, the most urgent listing first.
    learned : pyarrow.Table
        Of :func:`curation.run.learned.read_learned`.

    Returns
    -------
    pyarrow.Table
        The columns of `before`. What is decided comes first, in the order that it had; then the others, as learned.

    Raises
    ------
    KeyError
        If a listing or a column is missing.
    """
    row = {id: number for number, id in enumerate(learned["id"].cast(pa.string()).to_pylist())}
    learned = learned.take(np.array([row[id] for id in before["id"].to_pylist()], dtype=np.int64)).combine_chunks()
    decided = learned[DECIDED]
    columns = {
        name: before[name]
        if name in _FACTS
        else pc.if_else(decided, before[name], learned[name].cast(before[name].type))
        for name in before.column_names
        if name in learned.column_names
    }
    place = np.asarray(learned["priority"].to_numpy(), dtype=np.int64)
    done = np.asarray(decided.to_numpy(), dtype=np.bool_)
    order = np.lexsort((np.where(done, np.arange(len(place)), place), ~done))
    return pa.table(columns).take(order).combine_chunks()
