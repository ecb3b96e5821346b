"""Learning beside a review, in a process of its own: what it learned is kept in the run."""

from __future__ import annotations

import time

from curation.learning.learn import learn
from curation.run.flags import flags_by_kind
from curation.run.folder import RunFolder
from curation.run.learned import DECIDED, LearnedState, digest_of, held, read_state, taught, write_state

__all__ = ["learn_beside"]


def learn_beside(run: RunFolder, line: int) -> LearnedState:
    """Learn from the beginning of a journal, and keep the result in the run; see :mod:`curation.run.learned`.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    line : int
        Number of the last line of the journal that counts.

    Returns
    -------
    LearnedState
        What the run has then: that of another process, if that knows more.

    Raises
    ------
    RunError
        If a file of the run is damaged or missing.
    OSError
        If the result can't be written.
    """
    start = time.monotonic()
    journal = run.judged_journal()
    decisions = taught(journal.decisions(line))
    learned = learn(run, decisions)
    issues = learned.issues.assign(**{DECIDED: learned.issues["id"].isin(list(decisions))})
    flags = list(flags_by_kind(issues.columns).values())
    left = issues.loc[issues[flags].fillna(False).any(axis=1), "id"]
    expected = learned.expected(left.tolist())
    state = LearnedState(
        line,
        digest_of(decisions),
        len(decisions),
        expected.listings,
        expected.changes,
        expected.low,
        expected.high,
        round(time.monotonic() - start, 2),
    )
    with held(run):
        other = read_state(run)
        # another review of the same run may have been faster
        if other is not None and other.line > line and other.said == digest_of(taught(journal.decisions(other.line))):
            return other
        write_state(run, issues, state)
    return state
