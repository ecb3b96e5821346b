"""Starting a run, or continuing the one that was interrupted."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from curation import __version__
from curation.errors import RunError, RunInUseError
from curation.remote.addresses import shown
from curation.run.alike import differences, in_words
from curation.run.folder import FINISHED, RUNS, RunFolder
from curation.run.lookup import find_runs_of, next_number
from curation.run.shapes import started_by
from training.utils.progress import SILENT, Reporter
from training.utils.units import now

__all__ = ["started_run"]

_PACKAGES = ("torch", "torchvision", "cleanlab", "scikit-learn", "pandas", "numpy", "pillow")


@contextmanager
def started_run(
    name: str,
    folder: Path | None,
    *,
    by: str,
    command: list[str],
    facts: dict[str, Any],
    root: Path = RUNS,
    extend: bool = False,
    wait: bool | float = False,
    reporter: Reporter = SILENT,
) -> Iterator[RunFolder]:
    """Start a run, or continue the one that was interrupted; no other command changes it while the block runs.

    Parameters
    ----------
    name : str
        The dataset's name; the run is ``<root>/<name>/<number>``.
    folder : Path or None
        Another folder for the run.
    by : str
        Whose run: the function of the API.
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
    wait, reporter
        As for :meth:`curation.run.folder.RunFolder.holding`.

    Raises
    ------
    RunError
        If `folder` holds a finished run, a run with other settings, or something else; if another command works on it.
    """
    parameter = "run" if root == RUNS else "output"
    hold = partial(RunFolder.holding, command=by, reporter=reporter, parameter=parameter)
    with ExitStack() as stack:
        if folder is not None:
            run = stack.enter_context(_held(lambda: _named(folder, parameter), partial(hold, wait=wait)))
            # it may have become something else meanwhile
            _require_a_run(run, parameter)
            if run.record_file.exists():
                _require_same(run, facts, parameter, extend=extend)
        elif extend:
            find = lambda: _latest_alike(name, facts, root) or _next(root / name)  # noqa: E731
            run = stack.enter_context(_held(find, partial(hold, wait=wait)))
        elif resumed := _resumed(partial(_unfinished, name, facts, root), hold, reporter):
            run, its = resumed
            stack.push(its)
        else:
            run = _next(root / name)
            stack.enter_context(hold(run))
        started = run.record().get("started", now()) if run.record_file.exists() else now()
        run.update(status="running", command=list(map(shown, command)), started=started, versions=_versions(), **facts)
        yield run


@contextmanager
def _held(
    find: Callable[[], RunFolder], hold: Callable[[RunFolder], AbstractContextManager[None]]
) -> Iterator[RunFolder]:
    """Yield the run that is found, held; look again if the command that this waited for removed it as it ended."""
    with ExitStack() as stack:
        while True:
            run = find()
            try:
                stack.enter_context(hold(run))
                break
            except FileNotFoundError:
                if run.folder.exists():
                    raise
        yield run


def _named(folder: Path, parameter: str) -> RunFolder:
    """Return the run of a folder that a person named, made if it is missing."""
    run = RunFolder(folder)
    _require_a_run(run, parameter)
    folder.mkdir(parents=True, exist_ok=True)
    return run


def _require_a_run(run: RunFolder, parameter: str) -> None:
    """Refuse a folder that holds something else."""
    if not run.record_file.exists() and not run.empty():
        raise RunError(
            f"{run.folder} is not empty and not a run",
            wanted="a new folder",
            fix=f"Choose another `{parameter}`.",
            parameter=parameter,
        )


def _next(parent: Path) -> RunFolder:
    """Make the folder of the next number, which another command may take at the same moment."""
    while True:
        run = RunFolder(parent / str(next_number(parent)))
        parent.mkdir(parents=True, exist_ok=True)
        # the second is for a parent that another command has just removed because nothing was in it
        with suppress(FileExistsError, FileNotFoundError):
            run.folder.mkdir()
            return run


def _resumed(
    find: Callable[[], RunFolder | None],
    hold: Callable[[RunFolder], AbstractContextManager[None]],
    reporter: Reporter,
) -> tuple[RunFolder, ExitStack] | None:
    """Return the run that is found, and its lock; None if there is none, or another command works on it."""
    run = find()
    if run is None:
        return None
    with ExitStack() as stack:
        try:
            stack.enter_context(hold(run))
        except RunInUseError as error:
            reporter.say(f"{error.what}: this run gets the next number.")
            return None
        except FileNotFoundError:
            # the command that made it has just removed it
            if run.folder.exists():
                raise
            return None
        # another command may just have finished it
        return (run, stack.pop_all()) if find() == run else None


def _require_same(run: RunFolder, facts: dict[str, Any], parameter: str, *, extend: bool) -> None:
    record = run.record()
    if record.get("status") == FINISHED and not extend:
        raise RunError(
            f"{run.folder} holds a finished run",
            wanted="a new folder",
            fix=f"Choose another `{parameter}`, or leave it out: runs are numbered.",
            parameter=parameter,
        )
    if different := differences(record, facts):
        got, wanted = in_words(different)
        resume = f"Continue it with {started_by(record)}, or choose" if started_by(record) else "Choose"
        raise RunError(
            f"{run.folder} was started with other settings or data",
            got=got,
            wanted=wanted,
            fix=f"{resume} another `{parameter}` to start afresh.",
            parameter=parameter,
        )


def _unfinished(name: str, facts: dict[str, Any], root: Path) -> RunFolder | None:
    """Return the latest run of this dataset if it was interrupted and has the same settings and data."""
    runs = find_runs_of(name, root)
    if not runs:
        return None
    record = runs[-1].record()
    return runs[-1] if not differences(record, facts) and record.get("status") != FINISHED else None


def _latest_alike(name: str, facts: dict[str, Any], root: Path) -> RunFolder | None:
    """Return the latest run of this dataset with the same settings and data."""
    return next((run for run in reversed(find_runs_of(name, root)) if not differences(run.record(), facts)), None)


def _versions() -> dict[str, str]:
    packages = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {
        "curate": __version__,
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        **packages,
    }
