"""The run folder: where one `curate find-issues` keeps everything, and how later commands find it."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from curation import __version__
from curation.errors import RunError, some
from curation.run.journal import Decision, append_decisions, read_journal
from training.utils.files import locked, read_json, whole_file, write_json
from training.utils.units import now

__all__ = [
    "FINISHED",
    "MODELS",
    "RUNS",
    "STUDIES",
    "Run",
    "create_run",
    "find_runs",
    "next_number",
    "open_run",
    "unreadable_runs",
]

#: Below the current folder: what `find-issues` made.
RUNS = Path("runs")
#: Single models.
MODELS = Path("models")
#: Comparisons and searches of models.
STUDIES = Path("studies")
FINISHED = "finished"
#: Of a run folder, kept in its ``run.json``; raise it when files change so that an older reader would misread them.
FORMAT = 1
_PACKAGES = ("torch", "torchvision", "cleanlab", "scikit-learn", "pandas", "numpy", "pillow")


@dataclass(frozen=True)
class Run:
    """A run folder and the names of its files.

    Attributes
    ----------
    folder : Path
        ``runs/<dataset>/<number>``, or the one that was named.
    """

    folder: Path

    @property
    def record_file(self) -> Path:
        """``run.json``: format, status, command, settings, seed, versions, hashes, seconds per stage."""
        return self.folder / "run.json"

    @property
    def listings_file(self) -> Path:
        """``listings.parquet``: the checked table as used, with ``fold`` and ``split``."""
        return self.folder / "listings.parquet"

    @property
    def probabilities_file(self) -> Path:
        """``probabilities.npz``: id, classes, probs, fold."""
        return self.folder / "probabilities.npz"

    @property
    def issues_file(self) -> Path:
        """``issues.parquet``: one row per listing; ``issues.csv`` beside it holds the same."""
        return self.folder / "issues.parquet"

    @property
    def health_file(self) -> Path:
        """``health.json``: how sound the given labels are, altogether, of each class, and between classes."""
        return self.folder / "health.json"

    @property
    def journal(self) -> Path:
        """``decisions.jsonl``."""
        return self.folder / "decisions.jsonl"

    @property
    def training_folder(self) -> Path:
        """Checkpoints and TensorBoard logs, one folder a fold."""
        return self.folder / "training"

    @property
    def cleaned(self) -> Path:
        """``cleaned/``: the dataset after apply-fixes."""
        return self.folder / "cleaned"

    @property
    def comparison_file(self) -> Path:
        """``comparison.json``: before and after."""
        return self.folder / "comparison.json"

    @property
    def predictions_file(self) -> Path:
        """``predictions.npz``: what the models before and after predicted for the test listings."""
        return self.folder / "predictions.npz"

    @property
    def report_file(self) -> Path:
        """``report.html``: one self-contained page."""
        return self.folder / "report.html"

    def record(self) -> dict[str, Any]:
        """Read ``run.json``.

        Raises
        ------
        RunError
            If there is none, it is damaged, or another version of curate wrote it in another format.
        """
        if not self.record_file.exists():
            raise RunError(
                f"{self.folder} is not a run",
                wanted="a folder with run.json",
                fix="Start one with `find_issues(listings)`.",
            )
        record = self._read_record()
        if record is None:
            raise RunError(f"{self.record_file} is damaged", wanted="a JSON object")
        if record.get("format") != FORMAT:
            raise RunError(
                f"{self.folder} is a run of another format",
                got=_format_of(record),
                wanted=f"format {FORMAT}",
                fix="Run `find_issues()` again.",
            )
        return record

    def record_problem(self) -> str:
        """Return what keeps ``run.json`` from being read, in a few words; an empty text if nothing does."""
        record = self._read_record()
        if record is None:
            return f"{self.record_file.name} is damaged"
        return "" if record.get("format") == FORMAT else f"{self.record_file.name} has {_format_of(record)}"

    def _read_record(self) -> dict[str, Any] | None:
        try:
            record = read_json(self.record_file)
        except (OSError, ValueError):
            return None
        return record if isinstance(record, dict) else None

    def update(self, **changes: Any) -> None:
        """Change entries of ``run.json``."""
        record = self.record() if self.record_file.exists() else {"format": FORMAT}
        write_json(self.record_file, {**record, **changes})

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage and add its seconds to ``run.json``; a stage done again adds up."""
        start = time.monotonic()
        try:
            yield
        finally:
            seconds = self.record().get("seconds", {})
            spent = seconds.get(name, 0.0) + time.monotonic() - start
            self.update(seconds={**seconds, name: round(spent, 3)})

    @property
    def photo_root(self) -> Path:
        """The folder that the ``image`` column is relative to."""
        return Path(self.record()["dataset"]["root"])

    @property
    def classes(self) -> list[str]:
        """The K class names, in the order of the columns of ``probs``."""
        return list(self.record()["dataset"]["classes"])

    def listings(self) -> pd.DataFrame:
        """Read ``listings.parquet``."""
        return pd.read_parquet(self.listings_file)

    def issues(self) -> pd.DataFrame:
        """Read ``issues.parquet``."""
        return pd.read_parquet(self.issues_file)

    def health(self) -> dict[str, Any]:
        """Read ``health.json``."""
        health: dict[str, Any] = read_json(self.health_file)
        return health

    def write_table(self, path: Path, table: pd.DataFrame) -> None:
        """Write a table as Parquet, whole or not at all."""
        with whole_file(path) as temporary:
            table.to_parquet(temporary, index=False)

    def decisions(self) -> tuple[list[Decision], list[str]]:
        """Read the journal: its records, and a message for every damaged line."""
        return read_journal(self.journal)

    def decide(self, decisions: list[Decision]) -> None:
        """Append decisions to the journal."""
        append_decisions(self.journal, decisions)

    def busy(self) -> bool:
        """Return whether a process is working on this run right now."""
        if not self.folder.is_dir():
            return False
        with locked(self.folder) as free:
            return not free

    def discard(self) -> None:
        """Remove the run, and the folders above it that were made for it and are empty now."""
        shutil.rmtree(self.folder)
        root = self.folder.parent.parent
        for parent in (self.folder.parent, root) if root in (RUNS, MODELS, STUDIES) else ():
            if parent.is_dir() and not any(parent.iterdir()):
                parent.rmdir()

    def require_finished(self) -> Run:
        """Return the run itself if it has finished.

        Raises
        ------
        RunError
            When it was interrupted, failed, or is still going on.
        """
        record = self.record()
        if record.get("status") != FINISHED:
            dataset = record.get("dataset", {}).get("path", "DATASET")
            raise RunError(
                f"run {self.folder} has not finished",
                got=f"status {record.get('status')!r}",
                wanted=repr(FINISHED),
                fix=f"Continue it with `find_issues(read_listings({dataset!r}), run={str(self.folder)!r})`.",
            )
        return self


def _format_of(record: dict[str, Any]) -> str:
    return f"format {record['format']!r}" if "format" in record else "no format"


def find_runs(root: Path = RUNS) -> list[Run]:
    """Return the runs below `root` whose ``run.json`` can be read, oldest first."""
    started = [(_started(run), str(run.folder), run) for run in _folders(root)]
    readable = [(since, folder, run) for since, folder, run in started if since is not None]
    return [run for _, _, run in sorted(readable, key=lambda item: item[:2])]


def unreadable_runs(root: Path = RUNS) -> list[Run]:
    """Return the runs below `root` whose ``run.json`` is damaged or of another format, by folder."""
    return [run for run in _folders(root) if _started(run) is None]


def _folders(root: Path) -> list[Run]:
    return [Run(path.parent) for path in sorted(root.glob("*/*/run.json"))]


def _started(run: Run) -> str | None:
    """Return when a run began; None if its ``run.json`` can't be read, which must not keep others from being found."""
    try:
        return str(run.record().get("started", ""))
    except RunError:
        return None


def open_run(folder: Path | None = None) -> Run:
    """Open a finished run: `folder`, or the latest readable one below ``runs/``."""
    if folder is not None:
        return Run(folder).require_finished()
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
    return runs[-1].require_finished()


def create_run(
    name: str,
    folder: Path | None,
    *,
    command: list[str],
    facts: dict[str, Any],
    root: Path = RUNS,
    extend: bool = False,
) -> Run:
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
        Whether more can be asked of a run that has finished: then the latest one that asked the same question goes on,
        whatever came after it, and no second one is started beside it.

    Raises
    ------
    RunError
        If `folder` holds a finished run, a run with other settings, or something else; if another process works on it.
    """
    parameter = "run" if root == RUNS else "output"
    if folder is not None:
        run = Run(folder)
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
        known = _latest_alike(name, facts, root) if extend else _unfinished(name, facts, root)
        run = known or Run(root / name / str(next_number(root / name)))
        _require_free(run, parameter)
    run.folder.mkdir(parents=True, exist_ok=True)
    started = run.record().get("started", now()) if run.record_file.exists() else now()
    run.update(status="running", command=command, started=started, versions=_versions(), **facts)
    return run


def _require_free(run: Run, parameter: str) -> None:
    if run.busy():
        raise RunError(
            f"another process is working on {run.folder}",
            fix=f"Wait for it, or choose another `{parameter}`.",
            parameter=parameter,
        )


def _require_same(run: Run, facts: dict[str, Any], parameter: str, *, extend: bool) -> None:
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
            names += [f"{above}{key}.{gone}" for gone in recorded if gone not in value]
        elif recorded != value:
            names.append(f"{above}{key}")
    return names


def _unfinished(name: str, facts: dict[str, Any], root: Path) -> Run | None:
    """Return the latest run of this dataset if it was interrupted and asked the same question."""
    runs = find_runs_of(name, root)
    if not runs:
        return None
    record = runs[-1].record()
    if runs[-1].busy():
        return None
    return runs[-1] if not _different(record, facts) and record.get("status") != FINISHED else None


def _latest_alike(name: str, facts: dict[str, Any], root: Path) -> Run | None:
    """Return the latest run of this dataset that asked the same question."""
    return next((run for run in reversed(find_runs_of(name, root)) if not _different(run.record(), facts)), None)


def find_runs_of(name: str, root: Path = RUNS) -> list[Run]:
    """Return the runs of one dataset, oldest first."""
    return [run for run in find_runs(root) if run.folder.parent.name == name]


def next_number(parent: Path) -> int:
    """Return the number of the next folder of a row of them: one more than the largest there is."""
    taken = [int(path.name) for path in parent.glob("*") if path.name.isdigit()] if parent.exists() else []
    return max(taken, default=0) + 1


def _versions() -> dict[str, str]:
    packages = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {
        "curate": __version__,
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        **packages,
    }
