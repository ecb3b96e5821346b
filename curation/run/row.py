"""One run among others, described by whatever of its files can be read.

What is damaged is a problem in the run's own row, and keeps no other run from being shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from curation.errors import RunError
from curation.rendering.results import Result
from curation.rendering.words import many
from curation.run.damaged import readable
from curation.run.flags import flags_by_kind
from curation.run.folder import FINISHED, RUNS, RunFolder
from curation.run.plain import odd_entry
from curation.run.shapes import COMPARISON, MANIFEST, misfit
from training.utils.files import NotReadableError, read_json
from training.utils.parquet_files import column_names, read_frame

__all__ = ["RunRow", "describe_run", "flag_columns", "read_columns"]

#: What a row shows of ``run.json``.
_NEEDED = {"status": str, "dataset": {"name": str, "sha256": str, "columns": dict}, "settings": {"train": dict}}

#: Settings that ``run.json`` leaves out where they are the default, or that earlier versions of curate did not know.
_DEFAULTS = {"flags": "curate", "titles": "words"}


@dataclass(frozen=True)
class Decided:
    """How many listings have a decision that holds: by ``people``, and by ``suggestions`` accepted unseen."""

    people: int
    suggestions: int


@dataclass(frozen=True)
class Fixed:
    """How many listings the cleaned dataset has ``relabelled``, ``deleted`` and ``repriced``."""

    relabelled: int
    deleted: int
    repriced: int


@dataclass(frozen=True)
class Gain:
    """Macro-F1 ``before`` and ``after`` the fixes, 0 to 1; the ``mean`` change with its 95 % interval; the verdict."""

    before: float
    after: float
    mean: float
    low: float
    high: float
    verdict: str
    test_listings: int
    seeds: int
    model: str


@dataclass(frozen=True)
class RunRow(Result):
    """One run among others. None is what it does not have (yet).

    Attributes
    ----------
    run : str
        ``<dataset>/<number>`` below ``runs/``, the folder elsewhere.
    folder : str
    dataset : str or None
    started : str or None
        ISO 8601, UTC.
    status : str
        ``running``, ``interrupted``, ``failed``, ``finished`` or ``unreadable``.
    problems : tuple of str
        What can't be read of it.
    listings, flagged : int or None
        How many listings it has, and how many of them are flagged.
    issues : dict of str to int, or None
        Flagged listings by kind; None for a kind that was not looked for.
    decided : Decided
    fixes : Fixed or None
    comparison : Gain or None
    settings : dict
        Everything that a person chose and that makes runs differ, flat.
    versions : dict of str to str
        Of curate, Python and the packages that decide results.
    """

    run: str
    folder: str
    dataset: str | None
    started: str | None
    status: str
    problems: tuple[str, ...]
    listings: int | None
    flagged: int | None
    issues: dict[str, int | None] | None
    decided: Decided
    fixes: Fixed | None
    comparison: Gain | None
    settings: dict[str, Any]
    versions: dict[str, str]


def describe_run(run: RunFolder) -> RunRow:
    """Describe a run, finished or not, damaged or not."""
    problem = run.record_problem() or misfit(run.record(), _NEEDED, run.record_file.name)
    problems = [problem] if problem else []
    if odd_entry(run.folder) is not None:
        return _unread(run, problems)
    record = {} if problems else run.record()
    listings, flagged, issues = _flags(run, record, problems)
    return RunRow(
        run=run_name(run),
        folder=str(run.folder),
        dataset=record["dataset"]["name"] if record else None,
        started=record.get("started"),
        status=_status(run, record),
        listings=listings,
        flagged=flagged,
        issues=issues,
        decided=_decided(run, problems),
        fixes=_fixes(_read(run.standing(run.cleaned) / "manifest.json", MANIFEST, problems)),
        comparison=_comparison(_read(run.standing(run.comparison_file), COMPARISON, problems)),
        settings=_settings(record),
        versions=record.get("versions") or {},
        problems=tuple(problems),
    )


def _unread(run: RunFolder, problems: list[str]) -> RunRow:
    """Describe a run of which nothing is read."""
    nothing = dict.fromkeys(("dataset", "started", "listings", "flagged", "issues", "fixes", "comparison"))
    about: dict[str, Any] = {**nothing, "decided": Decided(0, 0), "settings": {}, "versions": {}}
    return RunRow(run_name(run), str(run.folder), status="unreadable", problems=tuple(problems), **about)


def run_name(run: RunFolder) -> str:
    """Return ``<dataset>/<number>`` for a run below ``runs/``, and the folder for any other."""
    below = run.folder.resolve().parent.parent == RUNS.resolve()
    return f"{run.folder.parent.name}/{run.folder.name}" if below else str(run.folder)


def _read(path: Path, shape: dict[str, Any], problems: list[str]) -> dict[str, Any]:
    """Read a JSON object; a damaged one is a problem, one that is not there is not."""
    try:
        content = read_json(path)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, NotReadableError):
        content = None
    if misfit(content, shape):
        problems.append(f"{path.name} is damaged")
        return {}
    return dict(content)


def _status(run: RunFolder, record: dict[str, Any]) -> str:
    if not record:
        return "unreadable"
    status = str(record["status"])
    # whoever was killed could not say so
    return "interrupted" if status == "running" and not run.busy() else status


def _flags(
    run: RunFolder, record: dict[str, Any], problems: list[str]
) -> tuple[int | None, int | None, dict[str, int | None] | None]:
    """Return the numbers of listings, of flagged ones, and of those flagged by each kind."""
    listings = record["dataset"].get("listings") if record else None
    nothing = listings, None, None
    if not run.issues_file.exists():
        if record.get("status") == FINISHED:
            problems.append(f"{run.issues_file.name} is missing")
        return nothing
    try:
        columns = flag_columns(run.issues_file)
        flags = read_columns(run.issues_file, columns.values())
    except RunError:
        problems.append(f"{run.issues_file.name} is damaged")
        return nothing
    # a kind whose flag is empty everywhere was not checked, which is not the same as no flags
    counts = {kind: int(flags[name].sum()) if flags[name].notna().any() else None for kind, name in columns.items()}
    flagged = flags.astype("boolean").fillna(False).any(axis=1)
    return len(flags), int(flagged.sum()), counts


def _decided(run: RunFolder, problems: list[str]) -> Decided:
    holding = run.holding_decisions()
    if holding.damaged:
        problems.append(f"{many(len(holding.damaged), 'line')} of {run.journal.name} can't be read")
    sources = [decision.source for decision in holding.decisions.values()]
    accepted = sources.count("suggestion")
    return Decided(len(sources) - accepted, accepted)


def _fixes(manifest: dict[str, Any]) -> Fixed | None:
    # an earlier version changed no prices
    return Fixed(manifest["relabelled"], manifest["deleted"], manifest.get("repriced", 0)) if manifest else None


def _comparison(comparison: dict[str, Any]) -> Gain | None:
    if not comparison:
        return None
    return Gain(
        before=comparison["before"]["macro_f1"],
        after=comparison["after"]["macro_f1"],
        **{key: comparison["difference"][key] for key in ("mean", "low", "high")},
        verdict=comparison["verdict"],
        test_listings=comparison["test_listings"],
        seeds=len(comparison["seeds"]),
        model=comparison["model"],
    )


def _settings(record: dict[str, Any]) -> dict[str, Any]:
    """Return everything that a person chose and that makes runs differ, flat; nothing of a run that can't be read."""
    if not record:
        return {}
    dataset, settings = record["dataset"], record["settings"]
    chosen = {**_DEFAULTS, **settings["train"], **{key: value for key, value in settings.items() if key != "train"}}
    # what was used, where the preset or this machine decided
    chosen |= {name: record[name] for name in ("image_size", "pretrained") if name in record}
    used = {"features": "features_of", "titles": "titles_of"}
    chosen |= {name: record[key] for name, key in used.items() if key in record}
    chosen |= {name: value for name, value in record.get("computed", {}).items() if name != "by_time_limit"}
    columns = {"label": "label", **dataset["columns"]}
    chosen |= {f"{ours}_column": theirs for ours, theirs in columns.items()}
    return {**chosen, "table_sha256": dataset["sha256"]}


def flag_columns(file: Path) -> dict[str, str]:
    """Return the column of each issue kind that ``issues.parquet`` knows, by kind."""
    return flags_by_kind(_columns(file))


def read_columns(file: Path, wanted: Iterable[str]) -> pd.DataFrame:
    """Read those of the wanted columns of a Parquet file that it has.

    Parameters
    ----------
    file : Path
        The Parquet file.
    wanted : iterable of str
        Names of columns; those that it lacks are left out.

    Raises
    ------
    RunError
        If the file is damaged or missing.
    """
    here = set(_columns(file))
    with readable(file):
        return read_frame(file, [name for name in wanted if name in here])


def _columns(file: Path) -> list[str]:
    with readable(file):
        return column_names(file)
