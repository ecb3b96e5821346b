"""The order of the columns of probabilities: which class each one is, and whether that can be right."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from curation.errors import ProbabilitiesError, some
from curation.listings.columns import sorted_labels
from training.utils.arrays import Float32, Float64, Int64
from training.utils.blocks import row_blocks

__all__ = ["check_order", "doubt_of_rows", "usual_order"]

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
#: Another order of the columns is meant if at least so many listings, with at least this mean probability of their own
#: label, agree this many times better with it, and by this many standard errors (of a mean whose values differ by 1).
#: benchmarks/column_order.py counts false alarms.
_LISTINGS = 20
_AGREEMENT = 0.15
_TIMES = 2.5
_ERRORS = 3.0
#: The same for a warning, where so few listings prove nothing; of random probabilities, one set in a hundred gets it.
_FEW, _LIKELY_AGREEMENT, _LIKELY_ERRORS = 6, 0.5, 2.0
#: Rows seem to belong to others if the given labels get so little of what the model is sure of beyond chance, of a
#: model that is at least so sure; 1 - p is meant if they get this share of chance.
_GAIN, _SURE = 0.1, 0.15
#: Rows of few listings seem to belong to others also within these standard errors of chance.
_LEAST_ROWS, _CHANCE_ERRORS = 8, 2.0
_BELOW = 0.75
#: Columns that an error names.
_NAMED = 12


def usual_order(labels: Sequence[str], name: str) -> tuple[str, ...]:
    """Return the labels in the order that every library gives the columns of its probabilities.

    Parameters
    ----------
    labels : sequence of str, length K
        The distinct labels.
    name : str
        What an error calls the probabilities.

    Raises
    ------
    ProbabilitiesError
        If numbers among the labels have another order as text than by value, and are not all that there is: then
        libraries differ.

    Examples
    --------
    >>> usual_order(["10", "9", "1"], "p.npy"), usual_order(["lamp", "desk"], "p.npy")
    (('1', '9', '10'), ('desk', 'lamp'))
    """
    order = sorted_labels(labels)
    numbers = [label for label in order if _NUMBER.fullmatch(label)]
    values = [float(label) for label in numbers]
    if values == sorted(set(values)):
        return order
    raise ProbabilitiesError(
        f"{name} does not say which column is which class",
        got=f"labels {some(order)}, which libraries sort in different ways",
        wanted="classes",
        fix="Save them with their names, in the order of the columns: np.savez('p.npz', probs=probs, "
        "id=np.array(ids, dtype=str), classes=np.array(classes, dtype=str)).",
    )


def check_order(probs: Float32 | Float64, given: Int64, classes: Sequence[str], name: str) -> tuple[str, ...]:
    """Refuse columns that agree with the labels far better in another order, and doubt them where few listings do.

    Parameters
    ----------
    probs : ndarray of float32 or float64, shape (N, K)
        A row of NaN was not scored.
    given : ndarray of int64, shape (N,)
        Number of each given label among `classes`; -1 without one.
    classes : sequence of str, length K
        What the columns are called.
    name : str
        What an error calls the probabilities.

    Returns
    -------
    tuple of str
        A warning if another order is likely, and the listings are too few to prove it; otherwise empty.

    Raises
    ------
    ProbabilitiesError
        Naming the order.
    """
    # slow to import, and whoever opens a run needs none of it
    from scipy.optimize import linear_sum_assignment

    together, counts = np.zeros((len(classes), len(classes))), np.zeros(len(classes), dtype=np.int64)
    for rows, labels in _labelled(probs, given):
        np.add.at(together, labels, rows)
        counts += np.bincount(labels, minlength=len(classes))
    column = linear_sum_assignment(together, maximize=True)[1]
    cycles = _cycles(column)
    proof, likelihood = (_LISTINGS, _AGREEMENT, _ERRORS), (_FEW, _LIKELY_AGREEMENT, _LIKELY_ERRORS)
    wrong = [cycle for cycle in cycles if _is_far_better(together, counts, cycle, column, *proof)]
    likely = [cycle for cycle in cycles if _is_far_better(together, counts, cycle, column, *likelihood)]
    if not wrong and not likely:
        return ()
    moved = np.concatenate(wrong or likely)
    total = int(counts[moved].sum())
    now, better = (together[moved, columns].sum() / total for columns in (moved, column[moved]))
    order = [f"{classes[column[label]]!r} holds {classes[label]!r}" for label in sorted(moved, key=lambda i: column[i])]
    agreement = (
        f"a mean probability of {now:.2f} for the given label, and of {better:.2f} if column {some(order, _NAMED)}"
    )
    if not wrong:
        return (
            f"Columns of {name} may be in another order than their names: {total:,} listings give {agreement}. "
            "So few prove nothing. Look at some whose labels are surely right: the column of the label should be the "
            "largest. Their order is that of model.classes_.",
        )
    raise ProbabilitiesError(
        f"columns of {name} seem to be in another order than their names",
        got=agreement,
        wanted="columns that belong to their classes",
        fix="Give classes in the order of the columns, e.g. model.classes_. If the labels are what is mixed up, mend "
        "those.",
    )


def doubt_of_rows(probs: Float32 | Float64, given: Int64, name: str, *, without_ids: bool) -> tuple[str, ...]:
    """Return a warning if the given labels are no more probable than in rows that belong to other listings.

    Parameters
    ----------
    probs : ndarray of float32 or float64, shape (N, K)
        A row of NaN was not scored.
    given : ndarray of int64, shape (N,)
        Number of each given label among the columns; -1 without one.
    name : str
        What the warning calls the probabilities.
    without_ids : bool
        Whether the rows are those of the table only by their order.

    Returns
    -------
    tuple of str
        The sentences; empty where there is no doubt.
    """
    own, best, total, labels = np.empty(0), 0.0, np.zeros(probs.shape[1]), np.empty(0, dtype=np.int64)
    for rows, numbers in _labelled(probs, given):
        own, labels = np.append(own, rows[np.arange(len(rows)), numbers]), np.append(labels, numbers)
        best, total = best + float(rows.max(axis=1).sum()), total + rows.sum(axis=0)
    count = len(own)
    if count < _LEAST_ROWS:
        return ()
    # what the labels would get from the row of any listing
    chance = float((total / count)[labels].mean())
    mean, sure = float(own.mean()), best / count
    error = float(own.std()) / np.sqrt(count)
    inverted = count >= _LISTINGS and mean < _BELOW * chance and mean < chance - _ERRORS * error
    least = chance + max(_GAIN * (sure - chance), _CHANCE_ERRORS * error)
    if not inverted and (sure < chance + _SURE or mean > least):
        return ()
    said = f"The given labels have a mean probability of {mean:.2f} in {name}; chance gives {chance:.2f}."
    if inverted:
        return (f"{said} If it holds 1 - p, or errors instead of probabilities, give p.",)
    where = "its rows are in another order than the table. Give id beside probs (.npz, or a table) to be sure"
    numbered = "its ids are those of these listings, and were not numbered again after rows had moved"
    return (f"{said} Check whether {where if without_ids else numbered}.",)


def _labelled(probs: Float32 | Float64, given: Int64) -> Iterator[tuple[Float64, Int64]]:
    """Yield the rows that were scored and have a label, with their labels, a block at a time."""
    for block in row_blocks(len(probs)):
        part = probs[block].astype(np.float64)
        used = np.isfinite(part).all(axis=1) & (given[block] >= 0)
        yield part[used], given[block][used]


def _cycles(column: Int64) -> list[Int64]:
    """Return the classes whose columns are exchanged among each other."""
    left = {int(label) for label in np.flatnonzero(column != np.arange(len(column)))}
    cycles = []
    while left:
        cycle = [min(left)]
        while (following := int(column[cycle[-1]])) != cycle[0]:
            cycle.append(following)
        left -= set(cycle)
        cycles.append(np.array(cycle, dtype=np.int64))
    return cycles


def _is_far_better(
    together: Float64, counts: Int64, cycle: Int64, column: Int64, least: int, agreement: float, errors: float
) -> bool:
    """Return whether at least so many listings agree better with another order, by so many standard errors."""
    listings = int(counts[cycle].sum())
    if listings < least:
        return False
    now, better = (together[cycle, columns].sum() / listings for columns in (cycle, column[cycle]))
    return bool(better >= max(agreement, _TIMES * now, now + errors / np.sqrt(listings)))
