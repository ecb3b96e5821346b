"""Commands that messages advise: they name their run whenever they would take another one by themselves."""

from __future__ import annotations

from pathlib import Path

import click

from curation.cli.spelling import spelled
from curation.errors import RunError

__all__ = ["about_run", "advised"]

#: Where a context keeps the run that was named.
_RUN = "curate.run"


def about_run(folder: Path) -> None:
    """Let all that the current command advises from now on be about a run.

    Parameters
    ----------
    folder : Path
        The run's.
    """
    click.get_current_context().meta[_RUN] = folder


def advised(message: str, run: Path | None = None) -> str:
    """Return a message as it is typed, see :func:`curation.cli.spelling.spelled`; its commands name the run if needed.

    Typed as advised, in the current folder, they are about that run, whatever was started since.

    Parameters
    ----------
    message : str
        Of the library.
    run : Path, optional
        Folder of the run; by default the one that the command was given, if any.
    """
    if run is None:
        context = click.get_current_context(silent=True)
        run = None if context is None else context.meta.get(_RUN)
    if run is None or "`" not in message or _is_latest(run):
        return spelled(message)
    return spelled(message, run)


def _is_latest(folder: Path) -> bool:
    """Return whether it is the run that a command takes which names none."""
    from curation.run.lookup import latest_run  # imports pandas

    try:
        return latest_run().folder.resolve() == folder.resolve()
    except (OSError, RunError):
        return False
