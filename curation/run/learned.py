"""What a review has learned so far: the issues of a run judged again, kept beside its own.

A cache of the page of the review: it is ignored where it does not fit the run or its journal, and nothing that applies
fixes reads it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from curation.run.conflicts import conflicts
from curation.run.folder import RunFolder
from curation.run.journal import Decision, in_order
from training.utils.files import NotReadableError, read_json, sha256_of_file, write_json
from training.utils.flock import locked_folder
from training.utils.parquet_files import read_table

__all__ = [
    "DECIDED",
    "LearnedState",
    "digest_of",
    "held",
    "learned_file",
    "read_learned",
    "read_state",
    "taught",
    "write_state",
]

#: The column that says which listings were decided when this was learned.
DECIDED = "is_decided"


@dataclass(frozen=True)
class LearnedState:
    """What was learned, and from what.

    Attributes
    ----------
    line : int
        Number of the last line of the journal that it knows.
    said : str
        A hash of the decisions that held then.
    decisions : int
        How many they are.
    left : int
        Flagged listings without a decision.
    changes, low, high : float
        How many of those are expected to need a change, with the 95 % interval.
    seconds : float
        What learning took.
    """

    line: int
    said: str
    decisions: int
    left: int
    changes: float
    low: float
    high: float
    seconds: float


def taught(decisions: Iterable[Decision]) -> dict[str, Decision]:
    """Return what teaches: the decisions that people made and that hold, in the order in which they were made.

    Where reviewers disagree, nobody knows the truth until it is settled.

    Parameters
    ----------
    decisions : iterable of Decision
        The journal, oldest first.
    """
    said = [decision for decision in decisions if decision.source != "suggestion"]
    disagreed = conflicts(said)
    return {id: decision for id, decision in in_order(said).items() if id not in disagreed}


def digest_of(decisions: Mapping[str, Decision]) -> str:
    """Return a hash of decisions and their order."""
    said = [(id, *decision.meaning) for id, decision in decisions.items()]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def learned_file(run: RunFolder) -> Path:
    """Return the path of ``learned.parquet``."""
    return run.folder / "learned.parquet"


def _state_file(run: RunFolder) -> Path:
    return run.folder / "learned.json"


def read_state(run: RunFolder) -> LearnedState | None:
    """Return what was learned last, if it fits the run's issues.

    Parameters
    ----------
    run : RunFolder
        A finished run.

    Returns
    -------
    LearnedState or None
        None where nothing was learned, or a file is damaged or of other issues.
    """
    try:
        content = read_json(_state_file(run))
        files = content.pop("files")
        state = LearnedState(**content)
        now = {file.name: sha256_of_file(file) for file in (run.issues_file, learned_file(run))}
    except (OSError, ValueError, NotReadableError, TypeError, KeyError, AttributeError):
        return None
    numbers = (state.decisions, state.left, state.changes, state.low, state.high, state.seconds)
    is_one = type(state.line) is int and isinstance(state.said, str) and all(map(_is_number, numbers))
    return state if files == now and is_one else None


def read_learned(run: RunFolder) -> Any | None:
    """Return ``learned.parquet``, or None if it can't be read.

    Returns
    -------
    pyarrow.Table or None
        As ``issues.parquet``, and the column `DECIDED`.
    """
    try:
        return read_table(learned_file(run))
    except (OSError, ValueError):
        return None


def held(run: RunFolder) -> AbstractContextManager[None]:
    """Let no other process change what was learned while the block runs: its two files belong together.

    Parameters
    ----------
    run : RunFolder
        The run.
    """
    return locked_folder(run.folder)


def write_state(run: RunFolder, issues: pd.DataFrame, state: LearnedState) -> None:
    """Keep what was learned, while it is :func:`held`. Killed between the two files, it fits no more and is ignored.

    Parameters
    ----------
    run : RunFolder
        The run.
    issues : DataFrame
        Of :func:`curation.learning.learn.learn`, and the column `DECIDED`.
    state : LearnedState
        What it was learned from.
    """
    run.write_table(learned_file(run), issues)
    files = {file.name: sha256_of_file(file) for file in (run.issues_file, learned_file(run))}
    write_json(_state_file(run), {**asdict(state), "files": files})


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
