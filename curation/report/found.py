"""A run of `find_issues`, from its folder to its report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from curation.report.write import write_report
from curation.run.create import started_run
from curation.run.folder import RunFolder
from curation.run.record import recorded
from training.utils.files import sha256_of_file
from training.utils.progress import Reporter

__all__ = ["finding_run"]


@contextmanager
def finding_run(
    name: str,
    run_folder: Path | None,
    *,
    facts: dict[str, Any],
    command: Sequence[str],
    wait: bool | float,
    reporter: Reporter,
) -> Iterator[RunFolder]:
    """Start or continue a run of `find_issues`, which the block fills; afterwards it has its report, and is finished.

    Parameters
    ----------
    name : str
        Of the dataset.
    run_folder : Path, optional
        By default ``runs/<dataset>/<number>`` below the current folder.
    facts : dict
        As for :func:`curation.run.create.started_run`.
    command, wait, reporter
        As for :func:`curation.find_issues`.

    Yields
    ------
    RunFolder
    """
    with (
        started_run(
            name, run_folder, by="find_issues", command=list(command), facts=facts, wait=wait, reporter=reporter
        ) as run,
        recorded(run, write_report),
    ):
        reporter.say(f"run folder: {run.folder}")
        yield run
        # so that later damage is seen
        run.update(files={name: sha256_of_file(run.folder / name) for name in run.hashed()})
