"""Folds and the test set; groups and duplicates stay together, so that predictions are really out-of-fold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from training.errors import InputError
from training.utils.arrays import Bool, Int64

__all__ = ["assign_folds", "check_folds", "check_partition", "choose_test", "connect"]


def connect(*keys: Sequence[str | None] | pd.Series) -> Int64:
    """Find the groups of rows that must stay together.

    Two rows belong together if they share a value of any key, directly or through a chain of other rows.

    Parameters
    ----------
    *keys : sequence of str or None, shape (N,)
        E.g. the seller and the photo's hash. A missing value connects nothing.

    Returns
    -------
    ndarray of int64, shape (N,)
        The number of each row's group, 0 to G-1.

    Examples
    --------
    >>> connect(["ann", "ann", None, None], [None, "x", "x", None])
    array([0, 0, 0, 1])
    """
    # slow to import, and whoever opens a run needs none of it
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(keys[0])
    rows: list[Int64] = []
    firsts: list[Int64] = []
    for key in keys:
        codes = pd.factorize(pd.Series(key, dtype="string"))[0]
        present = np.flatnonzero(codes >= 0)
        # an edge from every row to the first one with the same value connects them all
        _, first, inverse = np.unique(codes[present], return_index=True, return_inverse=True)
        rows.append(present)
        firsts.append(present[first][inverse])
    edges = np.concatenate(rows), np.concatenate(firsts)
    graph = coo_array((np.ones(len(edges[0]), dtype=np.int8), edges), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def check_folds(folds: int, *, listings: int, groups: int) -> None:
    """Refuse an impossible number of folds.

    Parameters
    ----------
    folds : int
        The number to check.
    listings, groups : int
        How many listings there are, in how many groups.

    Raises
    ------
    InputError
        If there are fewer than two folds or groups, or fewer groups than folds.
    """
    if groups < 2:
        raise InputError(
            f"the {listings} listings can't be divided into folds: all must stay together",
            got="the same photo, nearly the same one, or the same group everywhere",
            wanted="at least 2 that differ",
            fix="Check that the image and group columns are the right ones.",
        )
    if not 2 <= folds <= groups:
        raise InputError(
            f"{folds} folds can't be made of {listings} listings",
            got=f"{groups} groups of listings that must stay together",
            wanted=f"2 to {groups} folds",
            fix="Choose other `folds`.",
            parameter="folds",
        )


def assign_folds(strata: Int64, groups: Int64, *, folds: int, seed: int) -> Int64:
    """Assign every row to one fold; classes are spread evenly, groups stay together.

    Parameters
    ----------
    strata : ndarray of int64, shape (N,)
        Class of each row; rows without a label may share a stratum of their own.
    groups : ndarray of int64, shape (N,)
        Group of each row, see :func:`connect`.
    folds : int
        Number of folds, at least 2 and at most the number of groups.
    seed : int
        Seed of the shuffle.

    Returns
    -------
    ndarray of int64, shape (N,)
        Fold of each row, 0 to `folds`-1.

    Raises
    ------
    InputError
        If there are fewer than two folds, or fewer groups than folds.
    """
    _, group, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    distinct = len(sizes)
    check_folds(folds, listings=len(strata), groups=distinct)
    alone = sizes[group] == 1
    fold = np.full(len(strata), -1, dtype=np.int64)
    if alone.sum() < folds or distinct - alone.sum() < folds:
        parts = [np.arange(len(strata))]
    else:
        # StratifiedGroupKFold loops over groups in Python: rows without a group take the fast way
        parts = [np.flatnonzero(alone), np.flatnonzero(~alone)]
    for rows in parts:
        fold[rows] = _assign(_common(strata[rows], folds), groups[rows], folds, seed, alone=bool(alone[rows].all()))
    check_partition(fold, groups, folds=folds)
    return fold


def _assign(strata: Int64, groups: Int64, folds: int, seed: int, *, alone: bool) -> Int64:
    # it takes a second to import, and reading listings needs this module for their groups alone
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    if alone:
        splits = StratifiedKFold(folds, shuffle=True, random_state=seed).split(strata, strata)
    else:
        splits = StratifiedGroupKFold(folds, shuffle=True, random_state=seed).split(strata, strata, groups)
    fold = np.empty(len(strata), dtype=np.int64)
    for number, (_, held_out) in enumerate(splits):
        fold[held_out] = number
    return fold


def _common(strata: Int64, folds: int) -> Int64:
    """Merge all classes with fewer members than folds into one stratum, which is then spread evenly."""
    values, inverse, counts = np.unique(strata, return_inverse=True, return_counts=True)
    rare = counts[inverse] < folds
    merged = inverse.astype(np.int64)
    if counts[counts < folds].sum() >= folds:
        merged[rare] = len(values)
    else:
        # too few for a stratum of their own: they join the largest class
        merged[rare] = int(counts.argmax())
    return merged


def choose_test(strata: Int64, groups: Int64, *, share: float, seed: int) -> Bool:
    """Choose the fixed test set: about `share` of every class; groups stay together.

    Parameters
    ----------
    strata, groups : ndarray of int64, shape (N,)
        As for :func:`assign_folds`.
    share : float
        Share of the rows, between 0 and 0.5.
    seed : int
        Seed of the choice.

    Returns
    -------
    ndarray of bool, shape (N,)
        True for test rows.
    """
    parts = round(1 / share)
    # a seed of its own: the test set must not be one of the folds
    return np.equal(assign_folds(strata, groups, folds=parts, seed=seed + 7919), 0)


def check_partition(fold: Int64, groups: Int64, *, folds: int) -> None:
    """Check that every row has exactly one fold, and that no group is in two.

    Parameters
    ----------
    fold, groups : ndarray of int64, shape (n,)
        Fold and group of each row.
    folds : int
        Number of folds.

    Raises
    ------
    ValueError
        If not: probabilities would not be out-of-fold.
    """
    if len(fold) != len(groups) or fold.min() < 0 or fold.max() >= folds:
        raise ValueError(f"folds must be 0 to {folds - 1} for every row")
    # one number for each pair: whole columns take ten times as long to sort
    distinct, group = np.unique(groups, return_inverse=True)
    if len(np.unique(group * folds + fold)) != len(distinct):
        raise ValueError("a group lies in more than one fold")
