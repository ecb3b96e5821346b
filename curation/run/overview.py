"""All runs side by side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from curation.errors import RunError, closest, some
from curation.rendering.results import Result
from curation.run.folder import RUNS, RunFolder
from curation.run.lookup import find_runs, unreadable_runs
from curation.run.row import RunRow, describe_run

__all__ = ["RunGroup", "group_runs", "list_runs"]


@dataclass(frozen=True)
class RunGroup(Result):
    """The runs of one dataset.

    Attributes
    ----------
    dataset : str
        The name of their folder.
    same : dict
        The settings that all of them share.
    differing : tuple of str
        The names of the other settings.
    runs : tuple of RunRow
        Oldest first.
    """

    dataset: str
    same: dict[str, Any]
    differing: tuple[str, ...]
    runs: tuple[RunRow, ...]


def list_runs(dataset: str | None = None) -> list[RunRow]:
    """Describe all runs below ``runs/``, by dataset, oldest first.

    Parameters
    ----------
    dataset : str, optional
        Only the runs of this one: the name of its folder below ``runs/``.

    Raises
    ------
    RunError
        If there is no run, or none of this dataset.
    """
    folders: dict[str, list[RunFolder]] = {}
    for run in [*find_runs(), *unreadable_runs()]:
        folders.setdefault(run.folder.parent.name, []).append(run)
    if not folders:
        raise RunError(f"there is no run below {RUNS}/", fix="Start one with `find_issues(listings)`.")
    if dataset is not None and dataset not in folders:
        raise RunError(
            f"there is no run of dataset {dataset!r} below {RUNS}/",
            wanted=some(sorted(folders), 12),
            fix=closest(dataset, sorted(folders)),
        )
    names = sorted(folders) if dataset is None else [dataset]
    return [describe_run(run) for name in names for run in sorted(folders[name], key=_age)]


def group_runs(rows: Iterable[RunRow]) -> list[RunGroup]:
    """Group runs by dataset, and tell the settings that differ from those that all runs of a dataset share."""
    return [_group(name, tuple(group)) for name, group in groupby(rows, lambda row: Path(row.folder).parent.name)]


def _age(run: RunFolder) -> tuple[str, str]:
    """Return what puts runs in order; of a damaged one, only its file tells roughly when it was."""
    try:
        started = str(run.record().get("started", ""))
    except RunError:
        written = run.record_file.lstat().st_mtime
        started = datetime.fromtimestamp(written, UTC).isoformat(timespec="milliseconds")
    return started, str(run.folder)


def _group(dataset: str, runs: tuple[RunRow, ...]) -> RunGroup:
    # a setting that an unreadable run does not tell is not a difference
    chosen: dict[str, list[Any]] = {}
    for run in runs:
        for key, value in run.settings.items():
            chosen.setdefault(key, []).append(value)
    differing = tuple(key for key, values in chosen.items() if any(value != values[0] for value in values))
    same = {key: values[0] for key, values in chosen.items() if key not in differing}
    return RunGroup(dataset, same, differing, runs)
