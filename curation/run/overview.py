"""All runs side by side: what `curate runs` shows, as plain data.

A run is told by whatever of its files can be read. What is damaged is said in its row and is no other run's trouble.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow
import pyarrow.parquet

from curation.errors import RunError, closest, some
from curation.run.lookup import find_runs, unreadable_runs
from curation.run.run import FINISHED, RUNS, Run
from training.utils.files import read_json

__all__ = ["describe_run", "flag_columns", "list_runs", "read_columns", "run_name"]

_FLAG = re.compile(r"is_(\w+)_issue")


def list_runs(dataset: str | None = None, root: Path = RUNS) -> list[dict[str, Any]]:
    """Describe all runs below `root`, grouped by dataset, oldest first.

    Parameters
    ----------
    dataset : str, optional
        Only the runs of this one: the name of its folder below `root`.
    root : Path
        Where runs are looked for.

    Returns
    -------
    list of dict
        In the order of names: ``dataset``; ``same``, the settings that all its runs share; ``differing``, the names of
        the others; ``runs``, see :func:`describe_run`.

    Raises
    ------
    RunError
        If there is no run, or none of this dataset.
    """
    folders: dict[str, list[Run]] = {}
    for run in [*find_runs(root), *unreadable_runs(root)]:
        folders.setdefault(run.folder.parent.name, []).append(run)
    if not folders:
        raise RunError(f"there is no run below {root}/", fix="Start one with `find_issues(listings)`.")
    if dataset is not None and dataset not in folders:
        raise RunError(
            f"there is no run of dataset {dataset!r} below {root}/",
            wanted=some(sorted(folders), 12),
            fix=closest(dataset, sorted(folders)),
        )
    names = sorted(folders) if dataset is None else [dataset]
    return [_group(name, sorted(folders[name], key=_age)) for name in names]


def _age(run: Run) -> tuple[str, str]:
    """Return what puts runs in order; of a damaged one, only its file tells roughly when it was."""
    try:
        started = str(run.record().get("started", ""))
    except RunError:
        written = run.record_file.stat().st_mtime
        started = datetime.fromtimestamp(written, UTC).isoformat(timespec="milliseconds")
    return started, str(run.folder)


def _group(name: str, runs: Sequence[Run]) -> dict[str, Any]:
    rows = [describe_run(run) for run in runs]
    # a setting that a damaged run does not tell is not a difference
    told: dict[str, list[Any]] = {}
    for row in rows:
        for key, value in row["settings"].items():
            told.setdefault(key, []).append(value)
    differing = [key for key, values in told.items() if any(value != values[0] for value in values)]
    same = {key: values[0] for key, values in told.items() if key not in differing}
    return {"dataset": name, "same": same, "differing": differing, "runs": rows}


def describe_run(run: Run) -> dict[str, Any]:
    """Tell a run in one row.

    Parameters
    ----------
    run : Run
        Finished or not, damaged or not.

    Returns
    -------
    dict
        Ready for JSON; null is what the run does not have (yet). ``run`` (short name), ``folder``, ``dataset``,
        ``started`` (ISO 8601, UTC), ``status`` (``running``, ``interrupted``, ``failed``, ``finished`` or
        ``unreadable``), ``problems`` (what can't be read), ``listings``, ``flagged``, ``issues`` (number by kind, null
        if it was not looked for), ``decided`` (``people``, ``suggestions``), ``fixes`` (``relabelled``, ``deleted``),
        ``comparison`` (``before``, ``after``, ``mean``, ``low``, ``high``, ``verdict``, ``test_listings``,
        ``seeds``, ``model``), ``settings``, ``versions``.
    """
    problems = [problem] if (problem := run.record_problem()) else []
    record = {} if problem else run.record()
    return {
        "run": run_name(run),
        "folder": str(run.folder),
        "dataset": record["dataset"]["name"] if record else None,
        "started": record.get("started"),
        "status": _status(run, record),
        "problems": problems,
        **_flags(run, record, problems),
        "decided": _decided(run, problems),
        "fixes": _fixes(_read(run.cleaned / "manifest.json", problems)),
        "comparison": _comparison(_read(run.comparison_file, problems)),
        "settings": _settings(record),
        "versions": record.get("versions", {}),
    }


def run_name(run: Run) -> str:
    """Return ``<dataset>/<number>`` for a run below ``runs/``, and the folder for any other."""
    below = run.folder.resolve().parent.parent == RUNS.resolve()
    return f"{run.folder.parent.name}/{run.folder.name}" if below else str(run.folder)


def _read(path: Path, problems: list[str]) -> dict[str, Any]:
    """Read a JSON object; a damaged one is a problem, one that is not there is not."""
    try:
        found = read_json(path)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict):
        problems.append(f"{path.name} is damaged")
        return {}
    return found


def _status(run: Run, record: dict[str, Any]) -> str:
    if not record:
        return "unreadable"
    status = str(record["status"])
    # whoever was killed could not say so
    return "interrupted" if status == "running" and not run.busy() else status


def _flags(run: Run, record: dict[str, Any], problems: list[str]) -> dict[str, Any]:
    listings = record["dataset"]["listings"] if record else None
    nothing = {"listings": listings, "flagged": None, "issues": None}
    if not run.issues_file.exists():
        if record.get("status") == FINISHED:
            problems.append(f"{run.issues_file.name} is missing")
        return nothing
    try:
        flags = read_columns(run.issues_file, flag_columns(run.issues_file).values())
    except RunError:
        problems.append(f"{run.issues_file.name} is damaged")
        return nothing
    # a kind whose flag is empty everywhere was not looked for, which is not the same as none found
    counts = {_kind(name): int(flag.sum()) if flag.notna().any() else None for name, flag in flags.items()}
    flagged = flags.astype("boolean").fillna(False).any(axis=1)
    return {"listings": len(flags), "flagged": int(flagged.sum()), "issues": counts}


def _decided(run: Run, problems: list[str]) -> dict[str, int]:
    holding = run.holding_decisions()
    if holding.damaged:
        problems.append(f"{len(holding.damaged)} lines of {run.journal.name} can't be read")
    sources = [decision.source for decision in holding.decisions.values()]
    accepted = sources.count("suggestion")
    return {"people": len(sources) - accepted, "suggestions": accepted}


def _fixes(manifest: dict[str, Any]) -> dict[str, Any] | None:
    return {key: manifest.get(key) for key in ("relabelled", "deleted")} if manifest else None


def _comparison(found: dict[str, Any]) -> dict[str, Any] | None:
    if not found:
        return None
    return {
        "before": found["before"]["macro_f1"],
        "after": found["after"]["macro_f1"],
        **{key: found["difference"][key] for key in ("mean", "low", "high")},
        "verdict": found["verdict"],
        "test_listings": found["test_listings"],
        "seeds": len(found["seeds"]),
        "model": found["model"],
    }


def _settings(record: dict[str, Any]) -> dict[str, Any]:
    """Return everything that a person chose and that makes runs differ, flat; nothing of a run that can't be read."""
    if not record:
        return {}
    dataset, settings = record["dataset"], record["settings"]
    chosen = {**settings["train"], **{key: value for key, value in settings.items() if key != "train"}}
    if "image_size" in record:  # what was used, where the preset decided
        chosen["image_size"] = record["image_size"]
    columns = {"label": "label", **dataset["columns"]}
    chosen |= {f"{ours}_column": theirs for ours, theirs in columns.items()}
    return {**chosen, "table_sha256": dataset["sha256"]}


def flag_columns(file: Path) -> dict[str, str]:
    """Return the column of each issue kind that ``issues.parquet`` knows, by kind.

    They come from the file, not from the registry, which is slow to import.
    """
    return {_kind(name): name for name in _columns(file) if _FLAG.fullmatch(name)}


def _kind(column: object) -> str:
    return _FLAG.sub(r"\1", str(column))


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
    try:
        return pd.read_parquet(file, columns=[name for name in wanted if name in here])
    except (OSError, pyarrow.ArrowException):
        raise _damaged(file) from None


def _columns(file: Path) -> list[str]:
    try:
        return list(pyarrow.parquet.read_schema(file).names)
    except (OSError, pyarrow.ArrowException):
        raise _damaged(file) from None


def _damaged(file: Path) -> RunError:
    return RunError(f"{file} can't be read", wanted="the Parquet file that `find_issues()` wrote")
