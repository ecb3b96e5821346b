"""Finding runs again: all below a folder, those of one dataset, the latest."""

from __future__ import annotations

import os
from pathlib import Path

from curation.errors import RunError, check_path, some
from curation.run.folder import FINISHED, RUNS, RunFolder
from training.utils.progress import SILENT, Reporter

__all__ = ["find_runs", "find_runs_of", "latest_run", "named_run", "next_number", "open_run", "unreadable_runs"]


def find_runs(root: Path = RUNS) -> list[RunFolder]:
    """Return the runs below `root` whose ``run.json`` can be read, oldest first."""
    started = [(_started(run), str(run.folder), run) for run in _folders(root)]
    readable = [(since, folder, run) for since, folder, run in started if since is not None]
    return [run for _, _, run in sorted(readable, key=lambda item: item[:2])]


def unreadable_runs() -> list[RunFolder]:
    """Return the runs below ``runs/`` whose ``run.json`` is damaged or of another format, by folder."""
    return [run for run in _folders(RUNS) if _started(run) is None]


def _folders(root: Path) -> list[RunFolder]:
    return [RunFolder(path.parent) for path in sorted(root.glob("*/*/run.json"))]


def _started(run: RunFolder) -> str | None:
    """Return when a run began; None if its ``run.json`` can't be read, which must not keep others from being found."""
    try:
        return str(run.record().get("started", ""))
    except RunError:
        return None


def open_run(
    name: str | Path | None = None, *, wait: bool | float | None = None, reporter: Reporter = SILENT
) -> RunFolder:
    """Open a finished run: the one that a person named, see :func:`named_run`, or the latest readable one.

    Parameters
    ----------
    name : str or Path, optional
        Of the run.
    wait : bool or float, optional
        Whether to wait for the command that makes the run, or for how many seconds; None for who can't wait.
    reporter : Reporter
        Is told for whom this waits.

    Raises
    ------
    RunError
        If there is none, or it has not finished.
    RunInUseError
        If a command makes it right now.
    """
    run = latest_run() if name is None else named_run(name)
    # whoever makes a run holds it until it has finished
    if run.busy() and run.record().get("status") != FINISHED:
        if wait is None:
            run.require_unused()
        else:
            with run.holding("open_run", wait=wait, reporter=reporter):
                pass
    return run.require_finished()


def latest_run() -> RunFolder:
    """Return the latest run below ``runs/``, finished or not, whose ``run.json`` can be read.

    Raises
    ------
    RunError
        If there is none.
    """
    runs = find_runs()
    if not runs:
        unreadable = some(f"{run.folder}: {run.record_problem()}" for run in unreadable_runs())
        raise RunError(
            "there is no run here",
            got=f"only runs that can't be read ({unreadable})"
            if unreadable
            else f"no {RUNS}/*/*/run.json below {Path.cwd()}",
            fix="Start one with `find_issues(listings)`, or name one with `open_run(folder)`.",
        )
    return runs[-1]


def named_run(name: str | Path) -> RunFolder:
    """Find the run that a person named, finished or not.

    Parameters
    ----------
    name : str or Path
        The run's folder; a number, of the dataset whose run was started last; ``<dataset>/<number>``; or a dataset, by
        its name, folder or file, for the latest of its runs.

    Returns
    -------
    RunFolder

    Raises
    ------
    RunError
        If there is no such run.
    """
    check_path(name, "the path of the run")
    given, text = RunFolder(Path(name)), str(name)
    if os.path.lexists(given.record_file):
        return given
    runs, parts = find_runs(), Path(name).parts
    # ../1 is a folder, not the run 1 of a dataset called '..'
    below = len(parts) == 2 and not text.startswith(".")
    if text.isdigit() and runs:
        given = RunFolder(runs[-1].folder.parent / text)
    elif below and (RUNS / text).is_dir():
        given = RunFolder(RUNS / text)
    elif of_dataset := [run for run in runs if _is_of(run, Path(name))]:
        given = of_dataset[-1]
    if not os.path.lexists(given.record_file) and not given.journal.is_file():
        raise _no_run(text, given, runs)
    return given


def _is_of(run: RunFolder, dataset: Path) -> bool:
    """Return whether a run is of the dataset that has this name or path."""
    path = (run.record().get("dataset") or {}).get("path")
    return run.folder.parent.name == str(dataset) or path == os.path.realpath(dataset)


def _no_run(name: str, run: RunFolder, runs: list[RunFolder]) -> RunError:
    names = [str(other.folder.relative_to(RUNS)) for other in runs]
    if not names:
        fix = "Start one with `find_issues(listings)`."
    elif Path(name).is_file():
        fix = f"Decisions in a table: `apply_fixes(decisions={name!r})`. See all runs with `runs()`."
    else:
        fix = "See them all with `runs()`."
    wanted = f"a dataset with a run, DATASET/NUMBER ({some(reversed(names))}), a number of the latest dataset, or "
    return RunError(
        f"there is no run {name!r}",
        got=f"no {run.record_file}",
        wanted=f"{wanted if names else ''}a run's folder",
        fix=fix,
    )


def find_runs_of(name: str, root: Path = RUNS) -> list[RunFolder]:
    """Return the runs of one dataset, oldest first.

    Parameters
    ----------
    name : str
        Name of the dataset.
    root : Path
        Folder of all runs.
    """
    return [run for run in find_runs(root) if run.folder.parent.name == name]


def next_number(parent: Path) -> int:
    """Return the number of the next folder of a row of them: one more than the largest there is."""
    taken = [int(path.name) for path in parent.glob("*") if path.name.isdigit()] if parent.exists() else []
    return max(taken, default=0) + 1
