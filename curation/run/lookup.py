"""Finding runs again: all below a folder, those of one dataset, the latest."""

from __future__ import annotations

from pathlib import Path

from curation.errors import RunError, check_path, some
from curation.run.folder import RUNS, RunFolder

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


def open_run(folder: Path | None = None) -> RunFolder:
    """Open a finished run: `folder`, or the latest readable one below ``runs/``."""
    return (latest_run() if folder is None else RunFolder(folder)).require_finished()


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


def named_run(name: str) -> RunFolder:
    """Find the run that a person named.

    Parameters
    ----------
    name : str
        A number, of the dataset whose run was started last; ``<dataset>/<number>``; or a folder.

    Returns
    -------
    RunFolder
        Finished.

    Raises
    ------
    RunError
        If there is no such run, or it has not finished.
    """
    check_path(name, "the path of the run")
    runs, parts = find_runs(), Path(name).parts
    # ../1 is a folder, not the run 1 of a dataset called '..'
    below = len(parts) == 2 and not name.startswith(".")
    if name.isdigit() and runs:
        run = RunFolder(runs[-1].folder.parent / name)
    elif below and (RUNS / name).is_dir():
        run = RunFolder(RUNS / name)
    else:
        run = RunFolder(Path(name))
    if not run.record_file.exists():
        names = [str(other.folder.relative_to(RUNS)) for other in runs]
        raise RunError(
            f"there is no run {name!r}",
            got=f"no {run.record_file}",
            wanted=f"a number of the latest dataset, DATASET/NUMBER ({some(reversed(names))}), or a run's folder"
            if names
            else "a run's folder",
            fix="See them all with `runs()`.",
        )
    return run.require_finished()


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
