"""What an audit says of all labels, from what is decided now.

Two kinds of decisions count, and no others:

- All of a beginning of the queue, and all that was decided before the draw: these listings are known, every one.
- Those of drawn listings outside of it. They are random samples of what is left of each stratum. Of an unfinished
  audit, only a beginning of its order counts: who decides in the order of the queue meanwhile decides on suspect
  listings first.

A decision on a listing that was not drawn, later in the queue, tells nothing of the listings beside it. It only rules
out that fewer labels are wrong than were found, and more than those and all that are not decided.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from curation.auditing.estimate import DRAWS, Cells, Interval, ends_of, interval_of, wrong_in
from training.utils.arrays import Bool, Float64, Int64

__all__ = ["BEFORE", "Counted", "Estimates", "Known", "count_decisions", "estimate"]

#: The stratum of a listing that was decided before the draw.
BEFORE = -1
#: Of an unfinished audit, so much of the beginning that counts must be decided: people skip what is hard.
_DECIDED = 0.9


@dataclass(frozen=True)
class Known:
    """The labelled listings of a run, and the facts about each.

    Attributes
    ----------
    chances : ndarray of float64, shape (N,)
        The chance that each label is wrong, as the run says; NaN where it is unknown.
    flagged : ndarray of bool, shape (N,)
        Whether the label is flagged.
    queue : ndarray of int64, shape (N,)
        The places in the order of review, any distinct numbers.
    strata : ndarray of int64, shape (N,)
        The stratum in which each was drawn or not; :data:`BEFORE` for those that were decided before.
    place : ndarray of int64, shape (N,)
        The place in the audit, from 0 on; -1 if it was not drawn.
    decided : ndarray of bool, shape (N,)
        Whether a person has decided.
    wrong : ndarray of bool, shape (N,)
        Whether the label is wrong, by that decision.
    """

    chances: Float64
    flagged: Bool
    queue: Int64
    strata: Int64
    place: Int64
    decided: Bool
    wrong: Bool


@dataclass(frozen=True)
class Counted:
    """Which decisions count.

    Attributes
    ----------
    census : ndarray of bool, shape (N,)
        Listings that are known as all around them are: no estimate is needed.
    sample : ndarray of bool, shape (N,)
        Listings that stand for others.
    cell : ndarray of int64, shape (N,)
        The stratum of each listing outside the census, -1 in it.
    weights : ndarray of float64, shape (N,)
        For how many listings each stands; 0 where nothing counts.
    skipped : int
        Drawn listings before the last one that counts which have no decision.
    waiting : int
        Decided drawn listings that do not count yet.
    """

    census: Bool
    sample: Bool
    cell: Int64
    weights: Float64
    skipped: int
    waiting: int


@dataclass(frozen=True)
class Estimates:
    """What an audit says, with 95 % intervals.

    Attributes
    ----------
    wrong : Interval
        Wrong labels among all.
    left : Interval
        Wrong labels among the listings without a decision: what is left if one stops now.
    precision : Interval or None
        Share of the flags whose label is wrong; None without flags.
    recall : Interval or None
        Share of the wrong labels that are flagged; None if none is wrong.
    """

    wrong: Interval
    left: Interval
    precision: Interval | None
    recall: Interval | None


def count_decisions(known: Known) -> Counted:
    """Return which decisions count, see the module."""
    census = _beginning_of_queue(known) | (known.decided & (known.strata == BEFORE))
    drawn = np.flatnonzero((known.place >= 0) & ~census)
    drawn = drawn[np.argsort(known.place[drawn], kind="stable")]
    decided = known.decided[drawn]
    so_far = np.cumsum(decided)
    ends = np.flatnonzero(decided & (so_far >= _DECIDED * np.arange(1, len(drawn) + 1)))
    counts = int(ends[-1]) + 1 if len(ends) else 0
    sample = np.zeros(len(census), dtype=bool)
    sample[drawn[:counts][decided[:counts]]] = True
    # what was decided before the draw and taken back since was never drawn from: a stratum of its own
    strata = np.where(known.strata == BEFORE, known.strata.max(initial=-1) + 1, known.strata)
    cell = np.where(census, -1, strata)
    weights = census.astype(np.float64)
    size, drawn_of = (np.bincount(cell[which]) for which in (~census, np.flatnonzero(sample)))
    rows = np.flatnonzero(sample)
    weights[rows] = size[cell[rows]] / drawn_of[cell[rows]]
    skipped = int((~decided[:counts]).sum())
    return Counted(census, sample, cell, weights, skipped, int(decided[counts:].sum()))


def _beginning_of_queue(known: Known) -> Bool:
    """Return the listings up to the last of the queue before which all are decided.

    It ends with one that was not drawn: where it ends must not depend on the draw.
    """
    order = np.argsort(known.queue, kind="stable")
    open_ones = np.flatnonzero(~known.decided[order])
    reached = order[: open_ones[0]] if len(open_ones) else order
    others = np.flatnonzero(known.place[reached] < 0)
    found = np.zeros(len(order), dtype=bool)
    found[reached[: others[-1] + 1 if len(others) else 0]] = True
    return found if len(open_ones) else np.ones(len(order), dtype=bool)


def estimate(
    known: Known, counted: Counted, *, where: Bool | None = None, seed: int = 0, draws: int = DRAWS
) -> Estimates:
    """Return what an audit says.

    Parameters
    ----------
    known : Known
    counted : Counted
        Of :func:`count_decisions`.
    where : ndarray of bool, shape (N,), optional
        Only of these listings, e.g. of one class.
    seed : int
        Of the draws from the posterior.
    draws : int
        How many.
    """
    inside = np.ones(len(known.decided), dtype=bool) if where is None else where
    # flagged listings and others are never mixed, whatever was drawn together
    pairs = 2 * counted.cell + known.flagged
    rows = inside & (counted.cell >= 0)
    present, numbers = np.unique(pairs[rows], return_inverse=True)
    cell = np.full(len(inside), -1, dtype=np.int64)
    cell[rows] = numbers
    cells = Cells.of(cell, known.chances, counted.sample, known.wrong)
    each = wrong_in(cells, np.random.default_rng(seed), draws)
    flagged, others = (
        _possible(each[present % 2 == side].sum(axis=0), known, counted, inside & (known.flagged == bool(side)))
        for side in (1, 0)
    )
    wrong = flagged + others
    found = int((known.decided & known.wrong & inside).sum())
    flags = int((known.flagged & inside).sum())
    recall = np.where(wrong > 0, flagged / np.maximum(wrong, 1), np.nan)
    return Estimates(
        wrong=_interval(wrong),
        left=_interval(np.maximum(wrong - found, 0)),
        precision=interval_of(flagged / flags) if flags else None,
        recall=interval_of(recall),
    )


def _possible(sampled: Int64, known: Known, counted: Counted, inside: Bool) -> Int64:
    """Return how many labels of some listings are wrong: with the census, and no number that decisions rule out.

    What the queue decided tells nothing of other listings, but it does of its own.
    """
    found = int((inside & known.decided & known.wrong).sum())
    undecided = int((inside & ~known.decided).sum())
    counts = sampled + int((inside & counted.census & known.wrong).sum())
    return np.clip(counts, found, found + undecided)


def _interval(counts: Int64) -> Interval:
    low, estimate, high = ends_of(counts)
    # of counts, the ends belong to it
    return Interval(float(np.floor(low)), estimate, float(np.ceil(high)))
