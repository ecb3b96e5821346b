"""The audit of a run as it stands: its sample, its journal, and what they say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from curation.auditing.estimate import Interval
from curation.auditing.evaluation import Counted, Estimates, Known, count_decisions, estimate
from curation.auditing.recalibration import fit_recalibration, recalibrated
from curation.auditing.result import Audit
from curation.auditing.sample import UNLABELLED, Sample, scores_of
from curation.auditing.verdicts import Verdict, verdicts
from curation.rendering.words import agree, many
from curation.run.decidable import Decidable
from curation.run.flags import is_flagged
from curation.run.folder import RunFolder
from training.utils.arrays import Bool, Float64, Int64

__all__ = ["audit_of", "people_decided"]

#: A class with fewer audited listings has an interval from almost none to almost all.
_LEAST_OF_CLASS = 10


def people_decided(run: RunFolder) -> Bool:
    """Return on which listings people have decided about the label, in the order of the issues, shape (N,)."""
    issues = run.issues()
    found, _ = verdicts(issues, run.holding_decisions().decisions, Decidable.of(run))
    return issues["id"].astype(str).isin(list(found)).to_numpy(dtype=bool)


def audit_of(run: RunFolder, sample: Sample, page: Path | None = None) -> Audit:
    """Return what an audit says now.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    sample : Sample
        Of :func:`curation.auditing.sample.read_sample`.
    page : Path, optional
        Where the rest of the sample is reviewed.
    """
    issues, holding = run.issues(), run.holding_decisions()
    found, others = verdicts(issues, holding.settled, Decidable.of(run))
    labelled = sample.strata != UNLABELLED
    table = issues[labelled].reset_index(drop=True)
    ids = table["id"].astype(str).tolist()
    known = _known(table, sample.strata[labelled], sample.ids, found)
    counted = count_decisions(known)
    says = estimate(known, counted, seed=sample.seed) if _tells(counted) else None
    total, decided = len(ids), sum(id in found for id in sample.ids)
    expected = float(np.nansum(known.chances))
    offset, slope, after = _recalibration(known, counted)
    return Audit(
        run=run.folder,
        size=len(sample.ids),
        decided=decided,
        listings=total,
        known=int(counted.census.sum()),
        flagged=int(known.flagged.sum()),
        wrong=None if says is None else says.wrong,
        wrong_share=None if says is None else _share(says, total),
        left=None if says is None else says.left,
        precision=None if says is None else says.precision,
        recall=None if says is None else says.recall,
        expected=expected,
        recalibrated=after,
        offset=offset,
        slope=slope,
        classes=_classes(table, known, counted, sample.seed),
        confusion=_confusion(table, ids, counted, found),
        page=page,
        notes=_notes(sample, decided, counted, others),
        damaged=holding.damaged,
    )


def _known(table: pd.DataFrame, strata: Int64, drawn: tuple[str, ...], found: Mapping[str, Verdict]) -> Known:
    ids = table["id"].astype(str)
    chances, flagged, _ = scores_of(table)
    queue = np.empty(len(table), dtype=np.int64)
    # flagged listings are the queue; the others follow
    queue[np.lexsort((table["priority"].to_numpy(), ~is_flagged(table)))] = np.arange(len(table))
    places = {id: place for place, id in enumerate(drawn)}
    return Known(
        chances=chances,
        flagged=flagged,
        queue=queue,
        strata=strata,
        place=np.array([places.get(id, -1) for id in ids], dtype=np.int64),
        decided=np.array([id in found for id in ids], dtype=bool),
        wrong=np.array([id in found and found[id].wrong for id in ids], dtype=bool),
    )


def _tells(counted: Counted) -> bool:
    """Return whether anything stands for the listings that are not known, or there are none of these."""
    return bool(counted.sample.any() or counted.census.all())


def _share(says: Estimates, total: int) -> Interval:
    return Interval(says.wrong.low / total, says.wrong.estimate / total, says.wrong.high / total)


def _recalibration(known: Known, counted: Counted) -> tuple[float | None, float | None, float | None]:
    """Return offset, slope and the wrong labels expected with them; None if nothing counts."""
    rows = np.flatnonzero(counted.weights > 0)
    if not _tells(counted) or not np.isfinite(known.chances[rows]).any():
        return None, None, None
    offset, slope = fit_recalibration(known.chances[rows], known.wrong[rows], counted.weights[rows])
    return offset, slope, float(np.nansum(recalibrated(known.chances, offset, slope)))


def _classes(table: pd.DataFrame, known: Known, counted: Counted, seed: int) -> pd.DataFrame:
    rows = []
    given: Float64 = table["given_label"].astype(str).to_numpy(dtype=object)
    audited = counted.census | counted.sample
    if not _tells(counted):
        given = given[:0]
    for name in sorted(set(given.tolist())):
        inside = given == name
        seen = int((audited & inside).sum())
        if seen >= min(_LEAST_OF_CLASS, inside.sum()):
            wrong = estimate(known, counted, where=inside, seed=seed).wrong
            rows.append((name, int(inside.sum()), seen, wrong.low, wrong.estimate, wrong.high))
    return pd.DataFrame(rows, columns=["class", "listings", "audited", "low", "wrong", "high"])


def _confusion(table: pd.DataFrame, ids: list[str], counted: Counted, found: Mapping[str, Verdict]) -> pd.DataFrame:
    rows = np.flatnonzero(counted.weights > 0)
    rows = rows if _tells(counted) else rows[:0]
    cells = pd.DataFrame(
        {
            "given": [str(table["given_label"].iloc[row]) for row in rows],
            "true": [found[ids[row]].true for row in rows],
            "listings": counted.weights[rows],
        }
    )
    summed: pd.DataFrame = cells.groupby(["given", "true"], sort=True)["listings"].sum().reset_index()
    return summed


def _notes(sample: Sample, decided: int, counted: Counted, others: int) -> tuple[str, ...]:
    notes = []
    if 0 < decided < len(sample.ids):
        notes.append(
            f"{many(decided, 'listing')} of the {len(sample.ids):,} {agree(decided, 'is', 'are')} decided. The "
            "intervals are those of what is decided; they get narrower with the rest."
        )
    if counted.skipped:
        notes.append(
            f"{many(counted.skipped, 'listing')} {agree(counted.skipped, 'was', 'were')} skipped while later ones were "
            "decided: if these are harder than the others, the estimates are too low."
        )
    if counted.waiting:
        notes.append(
            f"{many(counted.waiting, 'decided listing')} of the sample {agree(counted.waiting, 'does', 'do')} not "
            "count yet: most before them in the audit's order are not decided, so chance did not choose them."
        )
    if others:
        notes.append(
            f"{many(others, 'decision')} of the journal {agree(others, 'fits', 'fit')} no listing or class of this "
            f"run, and {agree(others, 'does', 'do')} not count."
        )
    return tuple(notes)
