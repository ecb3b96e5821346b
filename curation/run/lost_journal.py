"""A journal that lacks what the dataset was made of, or does not tell what is in force, while that is there."""

from __future__ import annotations

from curation.errors import RunError, some
from curation.rendering.words import many
from curation.run.folder import RunFolder
from curation.run.journal_content import Journal
from curation.run.manifests import manifest_of

__all__ = ["lost_journal", "require_journal"]

_GIVE_AGAIN = (
    "If there is none, move {} out of the run by hand, and give what it changed to the run again with "
    "`apply_fixes(decisions='changes.csv')`."
)


def lost_journal(run: RunFolder, journal: Journal) -> RunError | None:
    """Return what the journal lacks of what ``cleaned/`` was made of; None if it lacks nothing, or that can't be told.

    Parameters
    ----------
    run : RunFolder
        The run.
    journal : Journal
        Its :meth:`curation.run.folder.RunFolder.judged_journal`.
    """
    cleaned = run.standing(run.cleaned)
    manifest = manifest_of(cleaned)
    transaction = manifest.get("transaction")
    # an earlier version of curate named none
    if not isinstance(transaction, str) or journal.knows(transaction):
        return _undecided(run, journal)
    added, line = manifest.get("decisions_added"), manifest.get("journal_line")
    last = run.read_journal().last
    there = f"{many(last, 'line')}, none of which applied it" if last else "no lines"
    lines = f"{many(line, 'line')} and " if isinstance(line, int) else ""
    own = f" with {many(len(added), 'decision')} of its own" if isinstance(added, list) and added else ""
    return RunError(
        f"{run.journal} lacks what {cleaned} was made of, which may be the last copy of those corrections",
        got=there if run.journal.exists() else "no such file",
        wanted=f"{lines}the apply-fixes of {manifest.get('made')}{own}",
        fix=f"Restore {run.journal.name} from a copy. {_GIVE_AGAIN.format(cleaned)}",
    )


def _undecided(run: RunFolder, journal: Journal) -> RunError | None:
    """Return that a transaction may be in force or not; what is written where no dataset is loses none."""
    if not journal.undecided or not run.standing(run.cleaned).exists():
        return None
    return RunError(
        f"{run.journal} does not tell what {run.cleaned} is to be made of",
        got=some([journal.doubt(name).removeprefix(f"{run.journal.name} ") for name in journal.undecided], 3),
        wanted="the begin and the end of each command",
        fix=f"Restore {run.journal.name} from a copy. {_GIVE_AGAIN.format(run.cleaned)}",
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
    if (lost := lost_journal(run, run.judged_journal())) is not None:
        raise lost
