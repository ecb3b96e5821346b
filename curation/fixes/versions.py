"""The versions of the cleaned dataset: writing a new one, and going back to the one before it."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from curation import __version__
from curation.errors import RunError
from curation.fixes.cleaned import require_layout, write_cleaned
from curation.fixes.plan import Fixes
from curation.rendering.results import Result
from curation.run.folder import RunFolder
from curation.run.journal import UNDO, Decision, reviewer_name, taken_back
from training.utils.csv_files import write_csv
from training.utils.files import read_json, sha256_of_file, sync_folder, write_json
from training.utils.units import now

__all__ = ["Undone", "apply_fixes", "undo_fixes"]


@dataclass(frozen=True)
class Undone(Result):
    """What taking apply-fixes back did.

    Attributes
    ----------
    run : str
        The run's folder.
    undone : int
        Decisions that were taken back.
    restored : bool
        Whether the version of ``cleaned/`` before it is back.
    damaged : tuple of str
        A message for each line of the journal that can't be read; a decision may be lost in each.
    """

    run: str
    undone: int
    restored: bool
    damaged: tuple[str, ...]


def apply_fixes(run: RunFolder, fixes: Fixes, form: str | None = None) -> Fixes:
    """Write ``cleaned/``: the dataset with all decisions applied, whole or not at all.

    Parameters
    ----------
    run : RunFolder
        The run.
    fixes : Fixes
        From :func:`plan_fixes`.
    form : str, optional
        How the dataset is written, one of :data:`curation.fixes.cleaned.LAYOUTS`; by default as the input is.

    Returns
    -------
    Fixes
        The same, as done, with what a person should know of how the dataset was written.

    Raises
    ------
    InputError
        If the dataset can't be written so.
    RunError
        If photos that it needs are gone.
    """
    require_layout(form)
    temporary = Path(tempfile.mkdtemp(dir=run.folder, prefix=".cleaned-"))
    try:
        temporary.chmod(0o755)
        written = write_cleaned(run, fixes.changes, temporary, form)
        write_csv(temporary / "changes.csv", fixes.changes)
        manifest = {
            "made": now(),
            "curate": __version__,
            "run": str(run.folder.resolve()),
            "input": run.record()["dataset"],
            "format": form,
            "listings_before": len(run.listings()),
            "listings_after": written.listings,
            **fixes.counts(),
            "decisions_added": [asdict(decision) for decision in fixes.added],
            "sha256": {name: sha256_of_file(temporary / name) for name in (*written.files, "changes.csv")},
        }
        write_json(temporary / "manifest.json", manifest)
        # decisions first: what is in cleaned/ must never be unexplained by the journal
        run.decide(fixes.added)
        _put_aside(run)
        temporary.rename(run.cleaned)
        sync_folder(run.folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return replace(fixes, dry_run=False, notes=(*fixes.notes, *written.notes))


def _versions(run: RunFolder) -> Path:
    return run.folder / "versions"


def _comparison_files(run: RunFolder) -> tuple[Path, Path]:
    return run.comparison_file, run.predictions_file


def _put_aside(run: RunFolder) -> None:
    """Keep the version there is, with the comparison that was made of it."""
    if run.cleaned.exists():
        versions = _versions(run)
        versions.mkdir(exist_ok=True)
        for file in _comparison_files(run):
            if file.exists():
                file.rename(run.cleaned / file.name)
        run.cleaned.rename(versions / f"{len(list(versions.iterdir())) + 1:04d}")


def undo_fixes(run: RunFolder) -> Undone:
    """Take the last apply-fixes back.

    Decisions that it added itself (accepted suggestions, a CSV) are undone in the journal; those made in the review
    stay, also those about the same listings. The version of ``cleaned/`` before it comes back, if there was one.

    Parameters
    ----------
    run : RunFolder
        The run.

    Raises
    ------
    RunError
        If there is nothing to take back.
    """
    if not run.cleaned.exists():
        raise RunError(
            f"there is nothing to undo in {run.folder}",
            got="no cleaned/",
            wanted="an earlier apply-fixes",
            fix="`status()` shows what was done.",
        )
    added = [Decision(**record) for record in read_json(run.cleaned / "manifest.json")["decisions_added"]]
    decisions, damaged = run.decisions()
    records = taken_back(decisions, added, reviewer=reviewer_name())
    run.decide(records)
    earlier = sorted(_versions(run).iterdir()) if _versions(run).exists() else []
    discarded = Path(tempfile.mkdtemp(dir=run.folder, prefix=".undone-"))
    run.cleaned.rename(discarded / "cleaned")
    for file in _comparison_files(run):
        file.unlink(missing_ok=True)
    if earlier:
        earlier[-1].rename(run.cleaned)
        for file in _comparison_files(run):
            if (run.cleaned / file.name).exists():
                (run.cleaned / file.name).rename(file)
    sync_folder(run.folder)
    shutil.rmtree(discarded)
    undone = sum(1 if record.action == UNDO else -1 for record in records)
    return Undone(str(run.folder), undone, bool(earlier), tuple(damaged))
