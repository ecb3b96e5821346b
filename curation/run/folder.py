"""The run folder: where finding issues keeps everything. Every file of a run is read through :class:`RunFolder`."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from curation.errors import RunError, RunInUseError
from curation.listings.limits import MAX_PHOTO_MB, Limits
from curation.run.conflicts import Holding, conflicts
from curation.run.damaged import find_again, readable
from curation.run.doubtful import judged
from curation.run.formats import format_of, has_format, require_format
from curation.run.journal import Decision, current_decisions
from curation.run.journal_content import Journal
from curation.run.journal_file import Grown, append, read_journal, size_of
from curation.run.plain import odd_entry, require_plain
from curation.run.probabilities import Probabilities
from curation.run.shapes import (
    FINISHED_RECORD,
    ISSUES_COLUMNS,
    LISTINGS_COLUMNS,
    RECORD,
    misfit,
    named_as_today,
    started_by,
)
from curation.run.transactions import is_unfinished, recover, standing_place
from training.utils.array_files import map_array, open_arrays
from training.utils.arrays import Float32
from training.utils.files import NotReadableError, photo_path, read_json, whole_file, write_json
from training.utils.locks import Holder, InUse, held, holder_of, is_held
from training.utils.parquet_files import ROW_GROUP, column_names, read_frame
from training.utils.progress import SILENT, Reporter
from training.utils.units import duration

__all__ = ["FINISHED", "FORMAT", "MODELS", "RUNS", "STUDIES", "RunFolder"]

#: Below the current folder: what `find-issues` made.
RUNS = Path("runs")
#: Single models.
MODELS = Path("models")
#: Comparisons and searches of models.
STUDIES = Path("studies")
FINISHED = "finished"
#: Of a run folder, kept in its ``run.json``; raise it when files change so that an older reader would misread them.
FORMAT = 1


@dataclass(frozen=True)
class RunFolder:
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
        """``listings.parquet``: the checked table as used, in the order of the input, with ``fold`` and ``split``."""
        return self.folder / "listings.parquet"

    @property
    def problems_file(self) -> Path:
        """``problems.csv``: the bad cells of the table, if there are any; of photos, if too many can't be read."""
        return self.folder / "problems.csv"

    @property
    def log_file(self) -> Path:
        """``log.txt``: what decoders of photos wrote about them, if they did."""
        return self.folder / "log.txt"

    @property
    def photo_bytes(self) -> int:
        """Largest file of a photo that is read."""
        return Limits(max_photo_mb=self.record()["dataset"].get("max_photo_mb", MAX_PHOTO_MB)).photo_bytes

    @property
    def input_folder(self) -> Path:
        """``input/``: the dataset as its author wrote it, see :func:`curation.listings.original.save_original`."""
        return self.folder / "input"

    @property
    def probabilities_file(self) -> Path:
        """``probabilities.npz``: id, classes, probs, fold."""
        return self.folder / "probabilities.npz"

    @property
    def issues_file(self) -> Path:
        """``issues.parquet``: one row per listing; ``issues.csv`` beside it, if it is there, holds the same."""
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
    def versions(self) -> Path:
        """``versions/``: earlier versions of ``cleaned/``, numbered from ``0001`` on."""
        return self.folder / "versions"

    def all_versions(self) -> list[Path]:
        """Return the folders of all versions of the cleaned dataset, oldest first; ``cleaned/`` is the last."""
        numbered = [path for path in self.versions.glob("*") if path.name.isdigit()]
        earlier = sorted(numbered, key=lambda path: int(path.name))
        return [*earlier, self.cleaned] if self.cleaned.exists() else earlier

    def hashed(self) -> list[str]:
        """Return the names of the files that stay as find-issues wrote them, relative to the folder."""
        files = [
            self.folder / "problems.csv",
            self.listings_file,
            self.probabilities_file,
            self.issues_file,
            self.issues_file.with_suffix(".csv"),
            self.health_file,
            *sorted(self.input_folder.glob("*")),
        ]
        return [file.relative_to(self.folder).as_posix() for file in files if file.is_file()]

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

    @property
    def lock_file(self) -> Path:
        """``.lock``: who is changing the run right now; empty if nobody is. It stays, for it is what is locked."""
        return self.folder / ".lock"

    def empty(self) -> bool:
        """Return whether there is no folder, or nothing in it but what a command leaves that is killed as it begins."""
        return not self.folder.exists() or all(
            path == self.lock_file or is_unfinished(path, self.record_file) for path in self.folder.iterdir()
        )

    def record(self) -> dict[str, Any]:
        """Read ``run.json``.

        Raises
        ------
        RunError
            If there is none, it is damaged, or another version of curate wrote it in another format; or if there are
            links in the run, see :mod:`curation.run.plain`.
        """
        if not os.path.lexists(self.record_file):
            if self.journal.is_file():
                raise self._damaged("no such file")
            raise RunError(
                f"{self.folder} is not a run",
                wanted="a folder with run.json",
                fix="Start one with `find_issues(listings)`.",
            )
        require_plain(self.folder)
        record = self._read_record()
        if record is None:
            raise self._damaged("no JSON object")
        require_format(self.folder, record, FORMAT)
        return record

    def record_problem(self) -> str:
        """Return what keeps the run from being read, in a few words; an empty text if nothing does."""
        odd = odd_entry(self.folder)
        if odd is not None:
            return f"{odd[0].relative_to(self.folder)} is {odd[1]}"
        record = self._read_record()
        if record is None:
            return f"{self.record_file.name} is damaged"
        return "" if has_format(record, FORMAT) else f"{self.record_file.name} has {format_of(record)}"

    def _read_record(self) -> dict[str, Any] | None:
        try:
            record = read_json(self.record_file)
        except (OSError, ValueError, NotReadableError):
            return None
        return None if misfit(record, RECORD) else named_as_today(record)

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
        """The folder that the ``image`` column is relative to, as it is now: see :mod:`curation.run.moved_photos`."""
        record = self.record()
        return photo_path(Path(), record.get("photo_root") or record["dataset"]["root"])

    @property
    def photo_boundary(self) -> Path:
        """The folder that the photos are in, but for those that may lie outside."""
        dataset = self.record()["dataset"]
        inside = os.path.relpath(
            photo_path(Path(), dataset.get("photos") or dataset["root"]), photo_path(Path(), dataset["root"])
        )
        return Path(os.path.normpath(self.photo_root / inside))

    @property
    def classes(self) -> list[str]:
        """The K class names, in the order of the columns of ``probs``."""
        return list(self.record()["dataset"]["classes"])

    def listings(self, columns: Collection[str] | None = None) -> pd.DataFrame:
        """Read ``listings.parquet``: all of it, or those of `columns` that it has."""
        return self._table(self.listings_file, LISTINGS_COLUMNS, columns)

    def training_table(self) -> pd.DataFrame:
        """Read ``listings.parquet`` in the order of the arrays below ``training/``: by id, whatever the input's order.

        A run of an earlier version has no column ``training_row``: all it has is in the order of the input.
        """
        table = self.listings()
        if "training_row" not in table:
            return table
        return table.sort_values("training_row").reset_index(drop=True)

    def input_order(self, ids: pd.Series) -> npt.NDArray[np.int64]:
        """Return the rows of a table with these ids that bring it into the order of the input, shape (N,)."""
        with readable(self.listings_file):
            own = read_frame(self.listings_file, ["id", "training_row"])
        if "training_row" in own and own["training_row"].notna().all():
            rows = own["training_row"].to_numpy(dtype=np.int64)
            # an index of a million ids takes as much memory as the table
            inside = len(rows) == len(ids) and ((rows >= 0) & (rows < len(ids))).all()
            if inside and ids.array.take(rows).equals(own["id"].array):
                return rows
        return np.asarray(pd.Index(ids).get_indexer(pd.Index(own["id"])), dtype=np.int64)

    def issues(self) -> pd.DataFrame:
        """Read ``issues.parquet``."""
        return self._table(self.issues_file, ISSUES_COLUMNS)

    def health(self) -> dict[str, Any]:
        """Read ``health.json``."""
        with readable(self.health_file):
            health: dict[str, Any] = read_json(self.health_file)
        return health

    def _table(self, file: Path, columns: Sequence[str], wanted: Collection[str] | None = None) -> pd.DataFrame:
        with readable(file):
            there = column_names(file)
            table = read_frame(file, None if wanted is None else [name for name in there if name in wanted])
        if missing := [name for name in columns if name not in there]:
            got = f"no column {' and no column '.join(missing)}"
            raise RunError(f"{file} is damaged", got=got, fix=find_again(self.folder, file.name))
        return table

    def write_table(self, path: Path, table: pd.DataFrame) -> None:
        """Write a table as Parquet, whole or not at all."""
        with whole_file(path) as temporary:
            table.to_parquet(temporary, index=False, row_group_size=ROW_GROUP)

    def read_journal(self) -> Journal:
        """Read the journal: its lines and their faults."""
        return read_journal(self.journal)

    def judged_journal(self) -> Journal:
        """Read the journal as the next command that changes the run will; see :func:`curation.run.doubtful.judged`."""
        return judged(self.folder, self.journal)

    def decisions(self) -> tuple[list[Decision], list[str]]:
        """Read the journal: the decisions in force, oldest first, and a message for each of its faults."""
        journal = self.judged_journal()
        return journal.decisions(), journal.messages

    def holding_decisions(self) -> Holding:
        """Read the journal: the decisions that hold, and a message for each of its faults."""
        decisions, damaged = self.decisions()
        return Holding(current_decisions(decisions), conflicts(decisions), tuple(damaged))

    def probabilities(self) -> Probabilities:
        """Read ``probabilities.npz``: the out-of-fold probabilities, in the order of ``listings.parquet``."""
        with readable(self.probabilities_file):
            return Probabilities.load(self.probabilities_file)

    def features(self) -> Float32 | None:
        """Return the features that the run's models were trained on, memory-mapped, in the order of `training_table`.

        Returns
        -------
        ndarray of float32, shape (N, D), or None
            See :func:`training.features.extract.compute_features`; zeros for listings without a readable photo. None
            where nothing was trained.
        """
        name = self.record().get("features")
        if name is None:
            return None
        # by its name alone: nothing outside the run is read
        file = self.training_folder / Path(name).name
        with readable(file, run=self.folder):
            return map_array(file)

    def predictions(self) -> dict[str, npt.NDArray[Any]]:
        """Read ``predictions.npz``: ``id``, ``classes``, ``before`` and ``after`` (class numbers, one row per seed)."""
        again = "Compare again with `retrain(compare=True)`."
        with readable(self.predictions_file, fix=again), open_arrays(self.predictions_file) as content:
            return dict(content)

    def decide(self, decisions: Sequence[Decision] | Callable[[], Sequence[Decision]]) -> None:
        """Append decisions to the journal; see :func:`curation.run.journal_file.append`.

        Parameters
        ----------
        decisions : sequence of Decision, or callable
            A callable reads what holds, and returns what is to be said about that. It is called again if somebody else
            has decided meanwhile: whose word it is joined with must be the latest.
        """
        if not callable(decisions):
            append(self.journal, decisions)
            return
        while True:
            known = size_of(self.journal)
            with suppress(Grown):
                append(self.journal, decisions(), known=known)
                return

    def standing(self, path: Path) -> Path:
        """Return where a file of the version in force is, for commands that only read; see :meth:`holding`."""
        return standing_place(self.folder, self.journal, path)

    @contextmanager
    def holding(
        self, command: str, *, wait: bool | float = False, reporter: Reporter = SILENT, parameter: str | None = None
    ) -> Iterator[None]:
        """Let no other command change the run while the block runs.

        Every command that changes a run does its work in such a block, from its first read to its end; only single
        decisions don't, for the journal has a lock of its own. It ends with the process, however that ends. What a
        killed command left half done is taken back before the block (:func:`curation.run.transactions.recover`).

        Parameters
        ----------
        command : str
            Who: a function of the API, e.g. ``"apply_fixes"``.
        wait : bool or float
            Whether to wait while another command works on the run, or for how many seconds.
        reporter : Reporter
            Is told for whom this waits, and if the file system has no locks.
        parameter : str, optional
            The argument of the API that named the folder.

        Raises
        ------
        RunInUseError
            If another command works on the run.
        RunError
            If there are links in it, see :mod:`curation.run.plain`.
        """
        require_plain(self.folder)
        bounded = bool(wait) and wait is not True
        most = f" for at most {duration(wait)}" if bounded else " for it"
        try:
            with held(
                self.lock_file,
                command,
                wait=wait,
                waiting=lambda holder: reporter.say(f"{self._in_use(holder)}: waiting{most}. Ctrl-C stops the wait."),
                unlockable=lambda: reporter.say(
                    f"warning: the file system of {self.folder} has no locks: let no other command change the run."
                ),
            ):
                # what a killed command left half done
                message = recover(self.folder, self.journal)
                if message:
                    reporter.say(message)
                yield
        except InUse as other:
            other_folder = f", or choose another `{parameter}`" if parameter else ""
            # it was waited for already
            waited = f"waited {duration(wait)} for {self.folder}: " if bounded else ""
            fix = "Try again when it has ended, or wait longer" if bounded else "Wait for it with `wait=True`"
            in_use = f"{waited}{self._in_use(other.holder)}"
            raise RunInUseError(in_use, fix=f"{fix}{other_folder}.", parameter=parameter) from None

    def busy(self) -> bool:
        """Return whether a command is changing this run right now."""
        return is_held(self.lock_file)

    def require_unused(self) -> None:
        """Refuse a run that a command is changing right now.

        Raises
        ------
        RunInUseError
        """
        if self.busy():
            raise RunInUseError(self._in_use(holder_of(self.lock_file)), fix="Try again when it has ended.")

    def _in_use(self, holder: Holder | None) -> str:
        return f"{self.folder} is in use by {holder or 'another command'}"

    def discard(self) -> None:
        """Remove the run, and the folders above it that were made for it and are empty now."""
        shutil.rmtree(self.folder)
        root = self.folder.parent.parent
        for parent in (self.folder.parent, root) if root in (RUNS, MODELS, STUDIES) else ():
            # another run may be there, or come at this moment
            with suppress(OSError):
                parent.rmdir()

    def require_finished(self) -> RunFolder:
        """Return the run itself if it has finished.

        Raises
        ------
        RunError
            When it was interrupted, failed, or is still going on.
        """
        record = self.record()
        if record.get("status") != FINISHED:
            dataset = record.get("dataset", {}).get("path", "DATASET")
            again = f"find_issues(read_listings({dataset!r}), run={str(self.folder)!r})"
            raise RunError(
                f"run {self.folder} has not finished",
                got=f"status {record.get('status')!r}",
                wanted=repr(FINISHED),
                fix=f"Continue it with {started_by(record) or f'`{again}`'}.",
            )
        self.require(FINISHED_RECORD)
        return self

    def require(self, shape: dict[str, Any]) -> dict[str, Any]:
        """Return ``run.json`` if it has entries of this shape; see :mod:`curation.run.shapes`.

        Raises
        ------
        RunError
        """
        record = self.record()
        if wrong := misfit(record, shape, self.record_file.name):
            raise self._damaged(wrong)
        return record

    def _damaged(self, got: str) -> RunError:
        fix = find_again(self.folder, self.record_file.name)
        return RunError(f"{self.record_file} is damaged", got=got, fix=fix)
