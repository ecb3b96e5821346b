"""Where a run stands, and what comes next."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from curation.errors import RunError
from curation.rendering.results import Result
from curation.run.agreement import Agreement, agreement_among, agreement_of
from curation.run.columns import read_issues
from curation.run.compared import comparison_problem
from curation.run.flags import flags_by_kind
from curation.run.folder import FINISHED, RunFolder
from curation.run.journal import ACTIONS, current_decisions
from curation.run.lost_journal import lost_journal
from curation.run.manifests import is_latest_wins, is_soft, manifest_of
from curation.run.shapes import STARTED_RECORD, started_by
from training.utils.files import NotReadableError, read_json

__all__ = ["AUDIT", "Status", "as_of", "status_of"]

#: The sample of an audit, in the folder of the run.
AUDIT = "audit.json"


@dataclass(frozen=True)
class Status(Result):
    """Where a run stands.

    Attributes
    ----------
    run : str
        Its folder.
    dataset : str
        What it was made of.
    status : str
        ``running``, ``interrupted``, ``failed`` or ``finished``.
    decisions : int
        Listings with a decision that holds.
    actions : dict of str to int
        How many of them have each action; those without any are left out.
    conflicts : int
        Listings on which reviewers disagree and that nobody has settled: their decisions are not applied.
    agreement : Agreement
        How far the reviewers agree.
    unapplied : int
        Listings that would change in the cleaned dataset if the decisions that hold now were applied.
    cleaned : bool
        Whether there is a cleaned dataset.
    as_of : str or None
        If the cleaned dataset is a past one, the time that it was rebuilt for: ``apply_fixes(as_of=...)``.
    soft : bool
        Whether the cleaned dataset has the chances of its labels: ``apply_fixes(soft=True)``.
    compared : bool
        Whether the datasets before and after the fixes have been compared, and ``comparison.json`` can be read.
    report : str or None
        ``report.html``; None if it is not written yet.
    step : str
        What comes next: ``continue``, ``audit`` (a sample is drawn, and not decided yet; or nothing is flagged, and
        nothing decided), ``review``, ``apply_fixes``, ``retrain``, ``settle`` (reviewers disagree) or ``done``.
    started_by : str
        The command that started it, which continues it, too; empty if it was no command.
    damaged : tuple of str
        A message if the journal lacks what the cleaned dataset was made of, and one for each of its lines that can't be
        read; a decision may be lost in each.
    """

    run: str
    dataset: str
    status: str
    decisions: int
    actions: dict[str, int]
    conflicts: int
    agreement: Agreement
    unapplied: int
    cleaned: bool
    as_of: str | None
    soft: bool
    compared: bool
    report: str | None
    step: str
    started_by: str
    damaged: tuple[str, ...]


def status_of(run: RunFolder) -> Status:
    """Return where a run stands, finished or not."""
    record, journal = run.require(STARTED_RECORD), run.judged_journal()
    decisions = current_decisions(journal.decisions())
    counts = Counter(decision.action for decision in decisions.values())
    among = _agreement(run)
    later = is_latest_wins(run.standing(run.cleaned))
    lost, unapplied = lost_journal(run, journal), journal.unapplied(latest_wins=later)
    cleaned, compared = run.standing(run.cleaned).exists(), _is_compared(run)
    soft = is_soft(run.standing(run.cleaned))
    steps = {
        "continue": record["status"] != FINISHED,
        # who applies the fixes has stopped the audit
        "audit": not cleaned and (_is_auditing(run) or (not decisions and not soft and _is_unflagged(run))),
        # chances are learned from without any decision
        "review": not decisions and not soft,
        "apply_fixes": not cleaned or unapplied > 0,
        "retrain": not compared,
        # no command applies what two reviewers say against each other
        "settle": among.conflicts > 0 and not later,
        "done": True,
    }
    return Status(
        run=str(run.folder),
        dataset=record["dataset"]["path"],
        status=record["status"],
        decisions=len(decisions),
        actions={action: counts[action] for action in ACTIONS if counts[action]},
        conflicts=among.conflicts,
        agreement=among,
        unapplied=unapplied,
        cleaned=cleaned,
        as_of=as_of(run),
        soft=soft,
        compared=compared,
        report=str(run.report_file) if run.report_file.exists() else None,
        step=next(step for step, applies in steps.items() if applies),
        started_by=started_by(record),
        damaged=(*([str(lost)] if lost else []), *journal.messages),
    )


def _agreement(run: RunFolder) -> Agreement:
    try:
        return agreement_of(run)
    except RunError:  # a file is damaged, which is no reason to say nothing of the rest
        return agreement_among([], {}, len(run.holding_decisions().conflicts))


def _is_auditing(run: RunFolder) -> bool:
    """Return whether a sample is drawn of which people have not decided on all; not if its file is damaged."""
    try:
        drawn = {entry["id"] for entry in read_json(run.folder / AUDIT)["sample"]}
    except (OSError, ValueError, NotReadableError, TypeError, KeyError):
        return False
    settled = run.holding_decisions().settled
    return not drawn <= {id for id, decision in settled.items() if decision.source != "suggestion"}


def _is_unflagged(run: RunFolder) -> bool:
    """Return whether nothing is flagged, so that there is nothing to review; not if the issues are damaged."""
    try:
        flags = read_issues(run, (), flags=True)
    except RunError:
        return False
    names = flags_by_kind(flags.column_names).values()
    return not any(value for name in names for value in flags[name].unique().to_pylist())


def _is_compared(run: RunFolder) -> bool:
    file = run.standing(run.comparison_file)
    return file.exists() and not comparison_problem(file)


def as_of(run: RunFolder) -> str | None:
    """Return the time that ``cleaned/`` was rebuilt for, ISO 8601; None if it is no past version, or missing."""
    moment = manifest_of(run.standing(run.cleaned)).get("as_of")
    return moment if isinstance(moment, str) else None
