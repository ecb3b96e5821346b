"""Starting a run, or continuing the one that was interrupted."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from pathlib import Path
from typing import Any

from curation import __version__
from curation.errors import RunError, some
from curation.run.folder import FINISHED, RUNS, RunFolder
from curation.run.lookup import find_runs_of, next_number
from training.utils.units import now

__all__ = ["create_run"]

_PACKAGES = ("torch", "torchvision", "cleanlab", "scikit-learn", "pandas", "numpy", "pillow")


def create_run(
    name: str,
    folder: Path | None,
    *,
    command: list[str],
    facts: dict[str, Any],
    root: Path = RUNS,
    extend: bool = False,
) -> RunFolder:
    """Start a run, or continue the one that was interrupted.

    Parameters
    ----------
    name : str
        The dataset's name; the run is ``<root>/<name>/<number>``.
    folder : Path or None
        Another folder for the run.
    command : list of str
        What was typed.
    facts : dict
        ``settings`` and ``dataset`` (with its hashes). A run that was interrupted is continued only if these
        are equal; otherwise its results would mix two questions.
    root : Path
        Where runs of this kind are.
    extend : bool
        Whether a finished run can be extended: then the latest run with the same settings and data continues,
        whatever came after it, and no second one is started.

    Raises
    ------
    RunError
        If `folder` holds a finished run, a run with other settings, or something else; if another process works on it.
    """
    parameter = "run" if root == RUNS else "output"
    if folder is not None:
        run = RunFolder(folder)
        _require_free(run, parameter)
        if run.record_file.exists():
            _require_same(run, facts, parameter, extend=extend)
        elif folder.exists() and any(folder.iterdir()):
            raise RunError(
                f"{folder} is not empty and not a run",
                wanted="a new folder",
                fix=f"Choose another `{parameter}`.",
                parameter=parameter,
            )
    else:
        resumed = _latest_alike(name, facts, root) if extend else _unfinished(name, facts, root)
        run = resumed or RunFolder(root / name / str(next_number(root / name)))
        _require_free(run, parameter)
    run.folder.mkdir(parents=True, exist_ok=True)
    started = run.record().get("started", now()) if run.record_file.exists() else now()
    run.update(status="running", command=command, started=started, versions=_versions(), **facts)
    return run


def _require_free(run: RunFolder, parameter: str) -> None:
    if run.busy():
        raise RunError(
            f"another process is working on {run.folder}",
            fix=f"Wait for it, or choose another `{parameter}`.",
            parameter=parameter,
        )


def _require_same(run: RunFolder, facts: dict[str, Any], parameter: str, *, extend: bool) -> None:
    record = run.record()
    if record.get("status") == FINISHED and not extend:
        raise RunError(
            f"{run.folder} holds a finished run",
            wanted="a new folder",
            fix=f"Choose another `{parameter}`, or leave it out: runs are numbered.",
            parameter=parameter,
        )
    different = _different(record, facts)
    if different:
        raise RunError(
            f"{run.folder} was started with other settings or data",
            got=f"other values of {some(different)}",
            wanted="the same as in its run.json",
            fix=f"Choose another `{parameter}` to start afresh.",
            parameter=parameter,
        )


def _different(record: dict[str, Any], facts: dict[str, Any], above: str = "") -> list[str]:
    """Name the facts that are not as recorded, e.g. ``settings.train.epochs``."""
    names = []
    for key, value in facts.items():
        recorded = record.get(key)
        if isinstance(value, dict) and isinstance(recorded, dict):
            names += _different(recorded, value, f"{above}{key}.")
            names += [f"{above}{key}.{missing}" for missing in recorded if missing not in value]
        elif recorded != value:
            names.append(f"{above}{key}")
    return names


def _unfinished(name: str, facts: dict[str, Any], root: Path) -> RunFolder | None:
    """Return the latest run of this dataset if it was interrupted and has the same settings and data."""
    runs = find_runs_of(name, root)
    if not runs:
        return None
    record = runs[-1].record()
    if runs[-1].busy():
        return None
    return runs[-1] if not _different(record, facts) and record.get("status") != FINISHED else None


def _latest_alike(name: str, facts: dict[str, Any], root: Path) -> RunFolder | None:
    """Return the latest run of this dataset with the same settings and data."""
    return next((run for run in reversed(find_runs_of(name, root)) if not _different(run.record(), facts)), None)


def _versions() -> dict[str, str]:
    packages = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {
        "curate": __version__,
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        **packages,
    }
