"""The versions of the cleaned dataset: writing a new one, and going back to the one before it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from curation import __version__
from curation.errors import RunError, some
from curation.fixes.by_hand import require_as_written
from curation.fixes.cleaned import Cleaned, require_layout, write_cleaned
from curation.fixes.label_weights import LABEL_WEIGHTS, label_weights
from curation.fixes.plan import Fixes
from curation.rendering.results import Result
from curation.rendering.words import agree, many
from curation.run.folder import RunFolder
from curation.run.journal import UNDO, Decision, reviewer_name, taken_back
from curation.run.journal_content import Journal
from curation.run.journal_lines import Step, decision_of
from curation.run.lookup import next_number
from curation.run.lost_journal import require_journal
from curation.run.manifests import call_again, transaction_of
from curation.run.transactions import begin, carry_out, discard, scratch
from training.utils.csv_files import write_csv
from training.utils.files import read_json, sha256_of_file, sync_tree, write_json
from training.utils.machine import naming
from training.utils.units import now

__all__ = ["Undone", "apply_fixes", "is_in_force", "undo_fixes"]


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
        A message for each fault of the journal; a decision may be lost in each.
    """

    run: str
    undone: int
    restored: bool
    damaged: tuple[str, ...]


def apply_fixes(run: RunFolder, fixes: Fixes, form: str | None = None) -> Fixes:
    """Write ``cleaned/``: the dataset with all decisions applied, whole or not at all.

    The caller holds the run's lock, and has recovered the run.

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
    intent = begin("apply_fixes", after=fixes.last_line, as_of=fixes.as_of)
    temporary = scratch(run.folder, "cleaned")
    try:
        with naming(run.cleaned):
            written = write_cleaned(run, fixes.changes, temporary, form)
            write_csv(temporary / "changes.csv", fixes.changes)
            if fixes.soft:
                write_csv(temporary / LABEL_WEIGHTS, label_weights(run, fixes.decisions, fixes.changes))
            write_json(temporary / "manifest.json", _manifest(run, fixes, written, temporary, intent, form))
            sync_tree(temporary)
        moves = [*_aside(run), (temporary, run.cleaned)]
        carry_out(run.folder, run.journal, intent, moves, fixes.added)
    finally:
        discard(run.folder, run.journal, temporary)
    return replace(fixes, dry_run=False, notes=(*fixes.notes, *written.notes, *_later(run, intent)))


def _manifest(
    run: RunFolder, fixes: Fixes, written: Cleaned, folder: Path, intent: Step, form: str | None
) -> dict[str, object]:
    tables = ["changes.csv", *([LABEL_WEIGHTS] if fixes.soft else [])]
    return {
        "made": now(),
        "curate": __version__,
        "run": str(run.folder.resolve()),
        "input": {**run.record()["dataset"], "root": str(run.photo_root)},
        "format": form,
        "transaction": intent.transaction,
        "journal_line": fixes.last_line,
        "as_of": fixes.as_of,
        "listings_before": len(run.listings()),
        "listings_after": written.listings,
        **fixes.counts(),
        "decisions_added": [dict(vars(decision)) for decision in fixes.added],
        "soft": fixes.soft,
        "latest_wins": fixes.latest_wins,
        "accept_suggestions": fixes.acceptance is not None,
        "min_confidence": fixes.acceptance.min_confidence if fixes.acceptance else None,
        "sha256": {name: sha256_of_file(folder / name) for name in (*written.files, *tables)},
    }


def _later(run: RunFolder, intent: Step) -> list[str]:
    """Say how many decisions were made while the dataset was written; a past version leaves them out by intent."""
    if intent.as_of is not None:
        return []
    journal = run.read_journal()
    later = sum(
        entry.number > intent.after and entry.transaction is None and isinstance(entry.content, Decision)
        for entry in journal.entries
    )
    if not later:
        return []
    came = f"{many(later, 'decision')} came while the dataset was written, and {agree(later, 'is', 'are')} not in it"
    return [f"{came}. Apply {agree(later, 'it', 'them')} with {call_again(run.cleaned)}."]


def _comparison_files(run: RunFolder) -> tuple[Path, Path]:
    return run.comparison_file, run.predictions_file


def _aside(run: RunFolder) -> list[tuple[Path, Path]]:
    """Return the moves that keep the version there is, with the comparison that was made of it."""
    if not run.cleaned.exists():
        return []
    kept = run.versions / f"{next_number(run.versions):04d}"
    return [(run.cleaned, kept), *((file, kept / file.name) for file in _comparison_files(run) if file.exists())]


def is_in_force(run: RunFolder) -> bool:
    """Return whether ``cleaned/`` is the version that the journal says is in force, as far as its manifest tells.

    It is another one if somebody removed it, or put a copy of an earlier version in its place.
    """
    transaction = transaction_of(run.cleaned)
    return transaction is None or transaction == run.judged_journal().standing_version()


def undo_fixes(run: RunFolder) -> Undone:
    """Take the last apply-fixes back.

    Decisions that it added itself (accepted suggestions, a CSV) are undone in the journal; those made in the review
    stay, also those about the same listings. The version of ``cleaned/`` before it comes back, if there was one.

    The caller holds the run's lock, and has recovered the run.

    Parameters
    ----------
    run : RunFolder
        The run.

    Raises
    ------
    RunError
        If there is nothing to take back, the journal lacks what ``cleaned/`` was made of, or the version to bring
        back is not where the journal says.
    """
    require_journal(run)
    journal = run.judged_journal()
    before = _before(run, journal)
    # an earlier version of curate may have been killed between two versions
    if not (run.cleaned.exists() or before or journal.standing_version()):
        raise RunError(
            f"there is nothing to undo in {run.folder}",
            got="no cleaned/",
            wanted="an earlier apply-fixes",
            fix="`status()` shows what was done.",
        )
    require_as_written(run, run.cleaned)
    records = taken_back(journal.decisions(), _added(run, journal), reviewer=reviewer_name())
    discarded = scratch(run.folder, "undone")
    moves = [(path, discarded / path.name) for path in (run.cleaned, *_comparison_files(run)) if path.exists()]
    if before:
        moves.append((before, run.cleaned))
        moves += [(run.cleaned / file.name, file) for file in _comparison_files(run) if (before / file.name).exists()]
    try:
        carry_out(run.folder, run.journal, begin("undo", after=journal.last), moves, records)
    finally:
        discard(run.folder, run.journal, discarded)
    undone = sum(1 if record.action == UNDO else -1 for record in records)
    return Undone(str(run.folder), undone, before is not None, tuple(journal.messages))


def _before(run: RunFolder, journal: Journal) -> Path | None:
    """Return the version that the one in force replaced, as the journal names it; None if it replaced none.

    Raises
    ------
    RunError
        If that is not where the journal has it, or a version is there that it doesn't have.
    """
    standing = journal.standing_versions()
    earlier = {path: transaction_of(path) for path in run.all_versions() if path != run.cleaned}
    if not standing:
        # those of an earlier version of curate
        old = [path for path, transaction in earlier.items() if transaction is None or not journal.knows(transaction)]
        return max(old, key=lambda path: int(path.name), default=None)
    before = run.folder / standing[-1].aside if standing[-1].aside else None
    wanted = standing[-2].transaction if len(standing) > 1 else None
    if before is not None and (before not in earlier or (wanted and earlier[before] not in (None, wanted))):
        raise _not_right(run, before, wanted)
    if before is not None:
        require_as_written(run, before)
    known = {begin.transaction for begin in standing[:-1]}
    for path, transaction in earlier.items():
        if transaction is not None and transaction not in known:
            raise RunError(
                f"{path} is no version that the journal has as an earlier one",
                got="a version that was copied or moved there",
                wanted=f"only {some([begin.aside for begin in standing if begin.aside])}" if before else "none",
                fix=f"Move {path} out of the run by hand, and try again.",
            )
    return before


def _not_right(run: RunFolder, before: Path, wanted: str | None) -> RunError:
    """Return that the version to bring back is not there, or another one in its place."""
    right = next((path for path in run.all_versions() if wanted is not None and transaction_of(path) == wanted), None)
    found = "is nowhere in the run" if right is None else f"is in {right}"
    fix = f"Restore {before} from a copy" if right is None else f"Move it to {before}"
    if not before.exists():
        return RunError(
            f"{before} is missing, which undo would bring back",
            got="no such folder",
            wanted=f"the version that the journal says is there, which {found}",
            fix=f"{fix}, and try again.",
        )
    return RunError(
        f"{before} is not the version that undo would bring back",
        got="a version of another apply-fixes",
        wanted=f"the one that the journal says is there, which {found}",
        fix=f"{fix}, and what is there now out of its place. `verify()` says what belongs where.",
    )


def _added(run: RunFolder, journal: Journal) -> list[Decision]:
    """Return the decisions that the version in force added to the journal."""
    version = journal.standing_version()
    if version is not None:
        return journal.of(version)
    # an earlier version of curate wrote them to the manifest only
    file = run.cleaned / "manifest.json"
    try:
        return [decision_of(record) for record in read_json(file)["decisions_added"]] if run.cleaned.exists() else []
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise RunError(
            f"{file} can't be read, which names the decisions to take back",
            got=(str(error) or type(error).__name__).splitlines()[0],
            fix=f"Move {run.cleaned} away, and decide again with `review()`.",
        ) from error
