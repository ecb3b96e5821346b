"""The difference on true test labels, estimated from those that people reviewed and the run's belief in the others."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from curation.comparison.belief import belief_of
from curation.comparison.estimated import Estimated
from curation.comparison.sample import Sample
from curation.comparison.versions import AFTER, BEFORE, Versions
from curation.rendering.words import agree, many
from curation.run.folder import RunFolder
from training.evaluation.prediction_powered import UNKNOWN, Known, estimate, powers
from training.utils.arrays import Bool, Int64

__all__ = ["true_difference"]

#: Drawn listings that must be decided, or all: an interval from fewer is not to be relied on. And of each stratum.
_FEW, _FEW_OF_STRATUM = 30, 5


def true_difference(
    run: RunFolder,
    versions: Versions,
    sample: Sample | None,
    predictions: Mapping[str, Int64],
    verdict: str,
    *,
    seed: int,
) -> tuple[Estimated | None, list[str]]:
    """Estimate the difference on true test labels.

    Parameters
    ----------
    run : RunFolder
        The run.
    versions : Versions
        What is compared, and what people decided.
    sample : Sample or None
        The test listings that were drawn for a review.
    predictions : mapping of str to ndarray of int64, shape (S, n)
        Of the models of each version for the test set.
    verdict : str
        That by the test labels as given.
    seed : int
        Of the resampling.

    Returns
    -------
    Estimated or None
        None without a sample, or if too few of it are decided.
    list of str
        Warnings, in sentences.
    """
    if sample is None:
        return None, []
    ids = versions.ids[versions.test].tolist()
    before, drawn = set(sample.decided), set(sample.listings)
    decided = np.array([id in versions.decided for id in ids])
    counts = decided & np.array([id in before or id in drawn for id in ids])
    stratum = _strata(sample, ids)
    of_drawn = counts & np.isin(ids, list(drawn))
    undecided = len(drawn) - int(of_drawn.sum())
    if warning := _too_few(stratum, counts, int(of_drawn.sum()), len(drawn)):
        return None, [warning]
    labels = np.where(counts, versions.reviewed, UNKNOWN)
    belief = belief_of(run, ids, versions.classes)
    known = Known(labels, stratum, belief, versions.groups[versions.test])
    occurs = np.concatenate([versions.given, labels[labels >= 0]])
    present = np.bincount(occurs, minlength=len(versions.classes)) > 0
    compared = {name: predictions[name] for name in (BEFORE, AFTER)}
    power = powers(known, compared[BEFORE], compared[AFTER], present, seed=seed)
    made = estimate(known, compared, power, present=present, seed=seed)
    alone = estimate(known, compared, None, present=present, seed=seed)
    result = Estimated(
        difference=made.macro_f1(AFTER, BEFORE),
        accuracy_difference=made.mean_accuracy(AFTER, BEFORE),
        reviewed_alone=alone.macro_f1(AFTER, BEFORE),
        reviewed=int(of_drawn.sum()),
        decided_before=int((counts & ~of_drawn).sum()),
        of=len(ids),
        undecided=undecided,
        power=float(power[counts].mean()),
    )
    return result, _warnings(result, verdict)


def _strata(sample: Sample, ids: list[str]) -> Int64:
    """Return the stratum of each listing; those that were decided on before the draw are the last one."""
    number = dict(zip(sample.ids, sample.stratum, strict=True))
    return np.array([number.get(id, len(sample.drawn)) for id in ids], dtype=np.int64)


def _too_few(stratum: Int64, counts: Bool, reviewed: int, drawn: int) -> str:
    """Return why nothing can be estimated yet; an empty text if it can."""
    of_stratum = np.bincount(stratum[counts], minlength=int(stratum.max()) + 1)
    needed = np.minimum(np.bincount(stratum), _FEW_OF_STRATUM)
    if reviewed >= min(_FEW, drawn) and (of_stratum >= needed).all():
        return ""
    return (
        f"{reviewed} of {many(drawn, 'drawn test listing')} {agree(reviewed, 'is', 'are')} decided, too few to "
        f"estimate the difference on true labels: decide on the others, with {_page(drawn)}"
    )


def _warnings(made: Estimated, verdict: str) -> list[str]:
    warnings = []
    if made.undecided:
        drawn = made.reviewed + made.undecided
        warnings.append(
            f"{made.undecided} of {many(drawn, 'drawn test listing')} {agree(made.undecided, 'is', 'are')} undecided: "
            f"the estimate takes them for skipped by chance; decide on them, with {_page(drawn)}"
        )
    if made.verdict != verdict:
        warnings.append(
            f"by test labels as given the verdict is {verdict!r}, and by the estimate for true labels it is "
            f"{made.verdict!r}: trust the estimate, for wrong test labels don't count in it"
        )
    return warnings


def _page(drawn: int) -> str:
    return f"`review_page(test=True, budget={drawn})`"
