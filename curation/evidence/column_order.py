"""The order of the columns of probabilities: which class each one is, and whether that can be right."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from curation.errors import ProbabilitiesError, some
from curation.listings.columns import sorted_labels
from training.utils.arrays import Float64, Int64

__all__ = ["check_order", "doubt_of_rows", "usual_order"]

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
#: Another order of the columns is meant if at least so many listings, with at least this mean probability of their own
#: label, agree this many times better with it, and by this many standard errors (of a mean whose values differ by 1).
#: benchmarks/column_order.py counts false alarms.
_LISTINGS = 20
_AGREEMENT = 0.15
_TIMES = 2.5
_ERRORS = 3.0
#: Rows seem to belong to others if the given labels get so little of what the model is sure of beyond chance, of a
#: model that is at least so sure; 1 - p is meant if they get this share of chance.
_GAIN, _SURE = 0.1, 0.15
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


def check_order(probs: Float64, given: Int64, classes: Sequence[str], name: str) -> None:
    """Refuse columns that agree with the labels far better in another order.

    Parameters
    ----------
    probs : ndarray of float64, shape (N, K)
        A row of NaN was not scored.
    given : ndarray of int64, shape (N,)
        Number of each given label among `classes`; -1 without one.
    classes : sequence of str, length K
        What the columns are called.
    name : str
        What an error calls the probabilities.

    Raises
    ------
    ProbabilitiesError
        Naming the order.
    """
    used = np.isfinite(probs).all(axis=1) & (given >= 0)
    together = np.zeros((len(classes), len(classes)))
    np.add.at(together, given[used], probs[used])
    column = linear_sum_assignment(together, maximize=True)[1]
    counts = np.bincount(given[used], minlength=len(classes))
    wrong = [cycle for cycle in _cycles(column) if _is_far_better(together, counts, cycle, column)]
    if not wrong:
        return
    moved = np.concatenate(wrong)
    total = counts[moved].sum()
    now, better = (together[moved, columns].sum() / total for columns in (moved, column[moved]))
    order = [f"{classes[column[label]]!r} holds {classes[label]!r}" for label in sorted(moved, key=lambda i: column[i])]
    raise ProbabilitiesError(
        f"columns of {name} seem to be in another order than their names",
        got=f"a mean probability of {now:.2f} for the given label, and of {better:.2f} if column {some(order, _NAMED)}",
        wanted="columns that belong to their classes",
        fix="Give classes in the order of the columns, e.g. model.classes_. If the labels are what is mixed up, mend "
        "those.",
    )


def doubt_of_rows(probs: Float64, given: Int64, name: str, *, without_ids: bool) -> tuple[str, ...]:
    """Return a warning if the given labels are no more probable than in rows that belong to other listings.

    Parameters
    ----------
    probs : ndarray of float64, shape (N, K)
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
    used = np.isfinite(probs).all(axis=1) & (given >= 0)
    rows, labels = probs[used], given[used]
    if len(rows) < _LISTINGS:
        return ()
    own = rows[np.arange(len(rows)), labels]
    # what the labels would get from the row of any listing
    chance = float(rows.mean(axis=0)[labels].mean())
    mean, sure = float(own.mean()), float(rows.max(axis=1).mean())
    error = float(own.std()) / np.sqrt(len(rows))
    inverted = mean < _BELOW * chance and mean < chance - _ERRORS * error
    if not inverted and (sure < chance + _SURE or mean > chance + _GAIN * (sure - chance)):
        return ()
    said = f"The given labels have a mean probability of {mean:.2f} in {name}; chance gives {chance:.2f}."
    if inverted:
        return (f"{said} If it holds 1 - p, or errors instead of probabilities, give p.",)
    where = "its rows are in another order than the table. Give id beside probs (.npz, or a table) to be sure"
    return (f"{said} Check whether {where if without_ids else 'its ids are those of these listings'}.",)


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


def _is_far_better(together: Float64, counts: Int64, cycle: Int64, column: Int64) -> bool:
    listings = int(counts[cycle].sum())
    if listings < _LISTINGS:
        return False
    now, better = (together[cycle, columns].sum() / listings for columns in (cycle, column[cycle]))
    return bool(better >= max(_AGREEMENT, _TIMES * now, now + _ERRORS / np.sqrt(listings)))
