"""Columns of the checked table as arrays."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from training.crossval.folds import connect
from training.utils.arrays import Float32, Int64

__all__ = ["class_numbers", "groups_of", "prices_of", "sorted_labels"]

_WHOLE = re.compile(r"[+-]?[0-9]+")


def groups_of(table: pd.DataFrame) -> Int64:
    """Return the groups that must stay together: the same group, the same photo, or nearly the same one."""
    return connect(table["group"], table["sha256"], table["near_group"].astype("string"))


def class_numbers(labels: pd.Series, classes: Sequence[str]) -> Int64:
    """Return the class numbers of labels.

    Parameters
    ----------
    labels : Series of str, length n
        Labels; NA for a missing one.
    classes : sequence of str, length K
        Names of the classes.

    Returns
    -------
    ndarray of int64, shape (n,)
        From 0 to K-1; -1 for a label that is missing or not a class.
    """
    return np.asarray(pd.Index(list(classes), dtype=object).get_indexer(pd.Index(labels, dtype=object)), dtype=np.int64)


def prices_of(table: pd.DataFrame) -> Float32:
    """Return the prices of a table, shape (N,); NaN if they are missing or not above 0."""
    with np.errstate(over="ignore"):
        price = table["price"].to_numpy(dtype=np.float64, na_value=np.nan).astype(np.float32)
    return np.where((price > 0) & (price < np.inf), price, np.float32(np.nan)).astype(np.float32)


def sorted_labels(labels: Iterable[str]) -> tuple[str, ...]:
    """Return distinct labels in the order of the classes: whole numbers by their value, otherwise as text.

    So every library orders the columns of its probabilities.

    Examples
    --------
    >>> sorted_labels(["10", "9", "1"]), sorted_labels(["lamp", "10", "9"])
    (('1', '9', '10'), ('10', '9', 'lamp'))
    """
    distinct = sorted(set(labels))
    return tuple(sorted(distinct, key=int) if all(map(_WHOLE.fullmatch, distinct)) else distinct)
