"""All checks of a run, one after another; none of them changes anything."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from curation.errors import CurateError, RunError, RunInUseError
from curation.run.damaged import find_again
from curation.run.folder import RunFolder
from curation.run.plain import require_plain
from curation.verification.comparisons import check_comparisons
from curation.verification.journal import check_journal, check_lost, check_unended
from curation.verification.result import Flaw, Verified
from curation.verification.tables import check_files, check_probabilities, check_tables
from curation.verification.versions import check_leftovers, check_standing, check_version, compared_versions

__all__ = ["verify_run"]


@dataclass
class _Look:
    """What the checks have found so far."""

    faults: list[Flaw] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def take(self, where: str, check: Callable[[RunFolder, list[str]], Iterator[Flaw]], run: RunFolder) -> None:
        """Make a check; what keeps it from being made is a fault, too, for files may hold anything."""
        try:
            for flaw in check(run, self.notes):
                if flaw not in self.faults:
                    self.faults.append(flaw)
        except CurateError as error:
            what, _, fix = str(error).partition(". ")
            self._cannot(where, what.rstrip("."), fix)
        except PermissionError as error:
            path = Path(error.filename or run.folder / where)
            at = path.relative_to(run.folder).as_posix() if path.is_relative_to(run.folder) else where
            self._cannot(at, f"can't be read (permission denied: {path})", "Let this user read it (chmod, chown).")
        except Exception as error:
            text = (str(error) or type(error).__name__).splitlines()[0]
            self._cannot(where, f"can't be checked ({type(error).__name__}: {text})", "")

    def _cannot(self, where: str, what: str, fix: str) -> None:
        flaw = Flaw(where, what, fix or "Find the issues again with `find_issues(listings)`.")
        if all(flaw.what != other.what for other in self.faults):
            self.faults.append(flaw)


def verify_run(run: RunFolder) -> Verified:
    """Look at everything in a run: files, tables, probabilities, journal, versions, leftovers. Nothing is changed.

    What is computed again where it is damaged is left out: the files below ``training/``, ``thumbnails/``, the report.

    Parameters
    ----------
    run : RunFolder
        A finished run.

    Raises
    ------
    RunError
        If it is no run, one of another format, or one that has not finished.
    RunInUseError
        If a command is changing it.
    """
    try:
        require_plain(run.folder)
    except RunError as error:
        what, _, fix = str(error).partition(". ")
        return Verified(run.folder, False, (Flaw(".", what, fix),), {}, ())
    before = _lock_state(run)
    run.require_unused()
    look = _Look()
    if run.record_file.exists() and run.record_problem().endswith("is damaged"):
        look.faults.append(Flaw("run.json", "is damaged", find_again(run.folder, "run.json")))
        return Verified(run.folder, False, tuple(look.faults), {}, ())
    run.require_finished()
    if not run.photo_root.exists():
        look.notes.append(
            f"The photos are not here: there is no folder {run.photo_root}. A dataset written now names them "
            "there. Tell the next `review()` or `apply_fixes()` where they are with `photos='FOLDER'`."
        )
    # without it, no other advice is right
    look.take("decisions.jsonl", check_lost, run)
    look.take("decisions.jsonl", check_unended, run)
    look.take("run.json", check_files, run)
    look.take("issues.parquet", check_tables, run)
    look.take("probabilities.npz", check_probabilities, run)
    look.take("decisions.jsonl", check_journal, run)
    look.take("cleaned", check_standing, run)
    for folder in compared_versions(run):
        # one that can't be checked must not hide what is wrong with the others
        look.take(folder.relative_to(run.folder).as_posix(), partial(check_version, folder=folder), run)
    look.take(run.comparison_file.name, check_comparisons, run)
    look.take(".", check_leftovers, run)
    run.require_unused()
    if _lock_state(run) != before:
        raise RunInUseError(f"{run.folder} was changed while it was verified", fix="Run `verify()` again.")
    return Verified(run.folder, not look.faults, tuple(look.faults), _checked(run), tuple(look.notes))


def _lock_state(run: RunFolder) -> tuple[int, int] | None:
    """Return what changes whenever a command takes the run's lock."""
    try:
        state = os.stat(run.lock_file)  # noqa: PTH116 - of the file itself
    except OSError:
        return None
    return state.st_ino, state.st_mtime_ns


def _checked(run: RunFolder) -> dict[str, int]:
    versions = len(run.all_versions())
    try:
        listings = len(run.listings())
    except RunError:
        listings = 0
    files = run.record().get("files")
    return {
        "files": len(files) if isinstance(files, dict) else 0,
        "listings": listings,
        "journal_lines": run.read_journal().last,
        "versions": versions,
    }
