"""A journal that was deleted, emptied or replaced by an older copy, while the dataset made of it is still there."""

from __future__ import annotations

from curation.errors import RunError
from curation.rendering.words import many
from curation.run.folder import RunFolder
from training.utils.files import DamagedError, read_json

__all__ = ["lost_journal", "require_journal"]


def lost_journal(run: RunFolder) -> RunError | None:
    """Return what the journal lacks of what ``cleaned/`` was made of; None if it lacks nothing, or that can't be told.

    Parameters
    ----------
    run : RunFolder
        The run.
    """
    cleaned = run.standing(run.cleaned)
    try:
        manifest = read_json(cleaned / "manifest.json")
    except (OSError, DamagedError):
        return None
    transaction = manifest.get("transaction") if isinstance(manifest, dict) else None
    journal = run.read_journal()
    # an earlier version of curate named none
    if not isinstance(transaction, str) or journal.knows(transaction):
        return None
    added, line = manifest.get("decisions_added"), manifest.get("journal_line")
    there = f"{many(journal.last, 'line')}, none of which applied it" if journal.last else "no lines"
    lines = f"{many(line, 'line')} and " if isinstance(line, int) else ""
    own = f" with {many(len(added), 'decision')} of its own" if isinstance(added, list) and added else ""
    return RunError(
        f"{run.journal} lacks what {cleaned} was made of, which may be the last copy of those corrections",
        got=there if run.journal.exists() else "no such file",
        wanted=f"{lines}the apply-fixes of {manifest.get('made')}{own}",
        fix=f"Restore {run.journal.name} from a copy. If there is none, move {cleaned} out of the run by hand, and "
        "give what it changed to the run again with `apply_fixes(decisions='changes.csv')`.",
    )


def require_journal(run: RunFolder) -> None:
    """Refuse a run whose journal lacks what ``cleaned/`` was made of: to go on would remove it.

    Parameters
    ----------
    run : RunFolder
        The run.

    Raises
    ------
    RunError
    """
    if (lost := lost_journal(run)) is not None:
        raise lost
